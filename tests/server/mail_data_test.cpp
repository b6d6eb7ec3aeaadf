// SPDX-License-Identifier: BSL-1.0
// Mail data in a session: RFC 5321 2.3.8, 3.3, 3.6.3, 4.1.1.4, and the smuggling of a second message (CVE-2023-51764 and its kin).
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string envelope =
    hello + "C: MAIL FROM:<a@client.example>\nS: 250 2.1.0 OK\nC: RCPT TO:<b@mx.example>\nS: 250 2.1.5 OK\n";

setup on_message(const ehlo::reply& r) {
  setup how;
  how.on_message = [r](const ehlo::message_question&) -> answer { return r; };
  return how;
}

std::string escape(std::string_view octets) {
  std::string out;
  for (const char c : octets) {
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\0') {
      out += "\\0";
    } else {
      out += c;
    }
  }
  return out;
}

/// What the lines of `text` say: a dot that begins a line is dropped, and only CRLF ends a line (4.5.2).
std::string without_transparency(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() == '.') text.remove_prefix(1);
    const std::size_t count = std::min(text.find("\r\n"), text.size() - 2) + 2;
    out += text.substr(0, count);
    text.remove_prefix(count);
  }
  return out;
}

}  // namespace

// ---- What is data --------------------------------------------------------------------------------------------------------------

TEST_CASE("behind 354 all lines are content up to the end mark", "[server][mail_data][5321-3.3-12]") {
  const auto r = check_server_dialogue(envelope + R"(
    C: DATA
    S: 354
    C: QUIT
    C: RSET
    C: MAIL FROM:<x@y.example>
    C: EHLO x.example
    C: .\x20
    C: ..
    C: .
    S: 250
  )");
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].octets == "QUIT\r\nRSET\r\nMAIL FROM:<x@y.example>\r\nEHLO x.example\r\n \r\n.\r\n");
  CHECK_FALSE(r.closed);
  CHECK(r.count("mail") == 1);
}

TEST_CASE("flaws in header sections are no reason for refusal", "[server][mail_data][5321-3.3-18]") {
  for (const char* text : {"no header at all", "From", ": x", " folded first", "From: a\\r\\nFrom: b",
                           "Content-Type: x/y; boundary=", "\\r\\n", "Date:"}) {
    CAPTURE(text);
    CHECK(check_server_dialogue(envelope + "C: DATA\nS: 354\nC: " + text + "\nC: .\nS: 250\n").messages.size() == 1);
  }
  CHECK(check_server_dialogue(envelope + "C: DATA\nS: 354\nC: .\nS: 250\n").messages.at(0).octets.empty());
}

TEST_CASE("Resent- fields may come in any number", "[server][mail_data][5321-3.3-19]") {
  const std::string text =
      "C: DATA\nS: 354\nC: Resent-To: a@b.example\nC: Resent-To: c@d.example\nC: Resent-Date: x\nC: .\nS: 250\n";
  const auto r = check_server_dialogue(envelope + text);
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].to.size() == 1);
}

TEST_CASE("header section and body pass unread", "[server][mail_data][5321-3.6.3-05]") {
  const std::string text = "Received: x\\r\\nSubject:  odd \\t \\r\\n\\r\\n \\t\\r\\n..\\xe9\\x7f\\x01\\r\\n";
  const auto r = check_server_dialogue(envelope + "C: DATA\nS: 354\nc: " + text + "\nC: .\nS: 250\n");
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].octets == "Received: x\r\nSubject:  odd \t \r\n\r\n \t\r\n.\xe9\x7f\x01\r\n");
  CHECK(r.messages[0].size == r.messages[0].octets.size());
}

TEST_CASE("LF alone ends no line of content", "[server][mail_data][5321-4.1.1.4-08]") {
  for (const auto policy : {ehlo::bare_line_ends::refuse, ehlo::bare_line_ends::keep}) {
    setup how;
    how.options.bare_line_ends = policy;
    const bool keeps = policy == ehlo::bare_line_ends::keep;
    const auto r =
        check_server_dialogue(envelope + "C: DATA\nS: 354\nC: a\\n.\nC: b\nC: .\n" + (keeps ? "S: 250\n" : "S: 554 5.6.0\n"), how);
    CHECK(r.messages.size() == (keeps ? 1U : 0U));
    if (keeps) {
      CHECK(r.messages[0].octets == "a\n.\r\nb\r\n");
      CHECK(r.messages[0].has_bare_line_end);
    }
  }
}

// ---- The reply -----------------------------------------------------------------------------------------------------------------

TEST_CASE("a message that was taken gets a positive reply", "[server][mail_data][5321-4.1.1.4-11]") {
  static constexpr ehlo::reply queued{250, {2, 6, 0}, "Queued as 1"};
  check_server_dialogue(envelope + "C: DATA\nS: 354\nC: .\nS: 250 2.6.0 Queued as 1\n", on_message(queued));
  check_server_dialogue(envelope + "C: DATA\nS: 354\nC: .\nS: 250 2.6.0 Message accepted\n");
}

TEST_CASE("a message that was not taken gets a negative reply", "[server][mail_data][5321-4.1.1.4-12]") {
  for (const ehlo::reply& r : {ehlo::replies::local_error, ehlo::replies::insufficient_storage, ehlo::replies::transaction_failed,
                               ehlo::replies::storage_exceeded, ehlo::replies::policy_refusal}) {
    const auto played =
        check_server_dialogue(envelope + "C: DATA\nS: 354\nC: x\nC: .\nS: " + std::to_string(r.code()) + "\n", on_message(r));
    CHECK(played.messages.empty());
  }
  // The caller may refuse while the octets come; the reply waits for their end.
  setup early;
  early.on_data_octets = [](std::string_view) -> std::optional<ehlo::reply> { return ehlo::replies::insufficient_storage; };
  check_server_dialogue(envelope + "C: DATA\nS: 354\nC: x\nC: QUIT\nC: .\nS: 452 4.3.1\nC: NOOP\nS: 250\n", early);
}

TEST_CASE("a message has one reply, however many recipients it has", "[server][mail_data][5321-4.1.1.4-13]") {
  const std::string text =
      envelope + "C: RCPT TO:<c@mx.example>\nS: 250\nC: RCPT TO:<d@mx.example>\nS: 250\nC: DATA\nS: 354\nC: x\nC: .\n";
  const auto r = check_server_dialogue(text + "S: 250\nC: NOOP\nS: 250\n");
  CHECK(r.count("message") == 1);
  CHECK(r.messages.at(0).to.size() == 3);
  check_server_dialogue(text + "S: 554\nC: NOOP\nS: 250\n", on_message(ehlo::replies::transaction_failed));
}

TEST_CASE("the reply to the end of data leaves all buffers empty", "[server][mail_data][5321-4.1.1.4-14]") {
  for (const ehlo::reply& r : {ehlo::replies::message_ok, ehlo::replies::transaction_failed, ehlo::replies::local_error}) {
    CAPTURE(r.code());
    const auto played = check_server_dialogue(envelope + "C: DATA\nS: 354\nC: x\nC: .\nS: " + std::to_string(r.code()) + R"(
      C: RCPT TO:<c@mx.example>
      S: 503
      C: DATA
      S: 503
      C: MAIL FROM:<d@client.example>
      S: 250
      C: DATA
      S: 503
      C: RCPT TO:<e@mx.example>
      S: 250
      C: DATA
      S: 354
      C: .
    )" + "S: " + std::to_string(r.code()) + "\n",
                                              on_message(r));
    if (r.is_positive()) {
      REQUIRE(played.messages.size() == 2);
      CHECK(played.messages[1] == dialogue::message{"<d@client.example>", {"<e@mx.example>"}, "", 0});
    }
  }
}

TEST_CASE("what a trace line needs is known when the message is complete", "[server][mail_data][5321-4.1.1.4-15]") {
  setup how;
  std::string client;
  std::string trace;
  how.on_hello = [&client](const ehlo::hello_question& q) -> answer {
    client = q.client.text();
    return dialogue::by_default{};
  };
  how.on_message = [&](const ehlo::message_question&) -> answer {
    const ehlo::received_field field{.from = *ehlo::host::parse(client),
                                     .peer = *ehlo::address_literal::parse("[192.0.2.1]"),
                                     .by = *ehlo::host::parse(how.options.hostname),
                                     .date = *ehlo::date_time::from_unix(1704099600)};
    std::array<char, 2048> out{};
    const auto size = ehlo::write(field, out);
    REQUIRE(size.has_value());
    trace.assign(out.data(), *size);
    return ehlo::replies::message_ok;
  };
  check_server_dialogue(envelope + "C: DATA\nS: 354\nC: x\nC: .\nS: 250\n", how);
  CHECK(trace.starts_with("Received: from client.example ([192.0.2.1])"));
  CHECK(trace.find("by mx.example") != trace.npos);
  CHECK(trace.find(";") != trace.npos);
  CHECK(trace.ends_with("\r\n"));
}

TEST_CASE("no verb is read before the end mark, even in a message that will be refused", "[server][mail_data][5321-4.1.1.4-16]") {
  setup how;
  how.options.limits.message = 65536;
  std::string text = "c: ";
  for (int i = 0; i < 8000; ++i) text += "RSET\\r\\nQUIT\\r\\n";
  const auto r =
      check_server_dialogue(envelope + "C: DATA\nS: 354\n" + text + "\nC: .\nS: 552 5.3.4\nC: QUIT\nS: 221\nCLOSE\n", how);
  CHECK(r.messages.empty());
  CHECK(r.count("reset") == 1);
  CHECK(r.count("reset refused") == 1);
}

// ---- Smuggling -----------------------------------------------------------------------------------------------------------------

TEST_CASE("no sequence but CRLF.CRLF ends a message, in its middle or at its start", "[server][mail_data][5321-2.3.8-03][T1]") {
  using namespace std::string_view_literals;
  const auto sequences = std::to_array<std::string_view>({
      "\n.\n"sv,
      "\n.\r\n"sv,
      "\r.\r"sv,
      "\r.\n"sv,
      "\r\n.\n"sv,
      "\r\n.\r"sv,
      "\r\n\0.\r\n"sv,
      "\r\r\n.\r\r\n"sv,
      // Their kin.
      "\n.\r"sv,
      "\r.\r\n"sv,
      "\r\n.\0\r\n"sv,
      "\r\n.\r\0\n"sv,
      "\r\n.\r\r\n"sv,
      "\n\r\n.\n\r\n"sv,
      "\r\n.\n\r"sv,
      "\r\n. \r\n"sv,
      "\r\n\n.\r\n"sv,
      ".\n"sv,
      ".\r"sv,
      "\0.\r\n"sv,
      ".\r\r\n"sv,
      ".\0\r\n"sv,
      "..\r\n"sv,
  });
  const std::string second = "MAIL FROM:<evil@x>\r\nRCPT TO:<victim@mx.example>\r\nDATA\r\nFrom: evil\r\n";
  for (const std::string_view sequence : sequences) {
    for (const std::string_view before : {""sv, "text"sv, "text\r\n"sv}) {
      const std::string octets = std::string{before} + std::string{sequence} + second;
      if (octets.starts_with(".\r\n") || octets.find("\r\n.\r\n") != octets.npos) continue;
      bool is_bare = false;
      for (std::size_t i = 0; i < octets.size(); ++i) {
        is_bare = is_bare || (octets[i] == '\n' && (i == 0 || octets[i - 1] != '\r')) ||
                  (octets[i] == '\r' && (i + 1 == octets.size() || octets[i + 1] != '\n'));
      }
      for (const auto policy : {ehlo::bare_line_ends::refuse, ehlo::bare_line_ends::keep}) {
        setup how;
        how.options.bare_line_ends = policy;
        const bool taken = !is_bare || policy == ehlo::bare_line_ends::keep;
        const std::string escaped = escape(octets);
        CAPTURE(escaped, taken);
        const auto r = check_server_dialogue(envelope + "C: DATA\nS: 354\nc: " + escaped +
                                                 "\nC: .\nS: " + (taken ? "250 2.6.0" : "554 5.6.0") + "\nC: QUIT\nS: 221\nCLOSE\n",
                                             how);
        CHECK(r.count("mail ") == 1);
        CHECK(r.count("rcpt ") == 1);
        CHECK(r.count("data? ") == 1);
        REQUIRE(r.messages.size() == (taken ? 1U : 0U));
        if (!taken) {
          CHECK(r.count("violation") == 1);
          continue;
        }
        CHECK(r.messages[0].from == "<a@client.example>");
        CHECK(r.messages[0].octets == without_transparency(octets));
        CHECK(r.messages[0].has_bare_line_end == is_bare);
      }
    }
  }
}

TEST_CASE("a message that was refused for its line ends does not open the door to the next command", "[server][mail_data][T1]") {
  // The lines behind the sequence come in the same packet as the true end and a true command.
  const auto r = check_server_dialogue(envelope + R"(
    C: DATA
    S: 354
    C: x\n.\nMAIL FROM:<evil@x>\nRCPT TO:<v@mx.example>\nDATA\n
    C: .
    C: MAIL FROM:<c@client.example>
    S: 554 5.6.0
    S: 250
    C: RCPT TO:<d@mx.example>
    S: 250
  )");
  CHECK(r.count("mail ") == 2);
  CHECK(r.has("mail <c@client.example>"));
  CHECK_FALSE(r.has("mail <evil@x>"));
}
