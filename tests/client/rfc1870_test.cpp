// SPDX-License-Identifier: BSL-1.0
// What RFC 1870 asks of a client: SIZE, and what follows from 452 and 552.
#include <cstddef>
#include <string>
#include <string_view>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

using client_dialogue::name_of;
using client_dialogue::setup;
using ehlo::errc;

const std::string hello = "S: 220 hi\nC: EHLO client.example\n";
const std::string offered = hello + "S: 250-mx\nS: 250 SIZE 1000\n";
const std::string mail = offered + "C: MAIL FROM:<a@client.example> SIZE=21\n";
const std::string rcpt = mail + "S: 250 ok\nC: RCPT TO:<b@mx.example>\n";
const std::string data = rcpt + "S: 250 ok\nC: DATA\n";
const std::string dot = data + "S: 354 go\nC: Subject: x\nC:\nC: Hello\nC: .\n";
const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";

}  // namespace

TEST_CASE("SIZE is the size of what leaves, or more, never less", "[client][1870-6-03]") {
  setup how;
  how.whole_only = true;
  how.options.line_ends = ehlo::line_ends::normalize;
  const std::string start = hello + "S: 250-mx\nS: 250 SIZE\n";
  for (const std::string text : {"", "a", "a\r\n", ".\r\n", "..", "a\nb\rc", "\n\n", "a\r\n.\r\nb", "\r", "a\r"}) {
    how.mails[0].octets = text;
    // The text as it leaves: each line with its CRLF, and before it a dot where it begins with one, which SIZE does not count.
    std::string lines;
    std::string normal;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\r' || text[i] == '\n') {
        normal += "\r\n";
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
      } else {
        normal += text[i];
      }
    }
    if (!normal.empty() && !normal.ends_with("\r\n")) normal += "\r\n";
    const std::size_t leaves = normal.size();
    for (std::size_t at = 0; at < normal.size();) {
      const std::size_t end = normal.find("\r\n", at);
      const std::string line = normal.substr(at, end - at);
      lines += "C: " + std::string{line.starts_with('.') ? "." : ""} + line + "\n";
      at = end + 2;
    }
    CAPTURE(text, leaves);
    check_client_dialogue(start + "C: MAIL FROM:<a@client.example> SIZE=" + std::to_string(leaves) +
                              "\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 250 ok\nC: DATA\nS: 354 go\n" + lines +
                              "C: .\nS: 250 taken\n" + goodbye,
                          how);
  }
  // What the caller has estimated goes as it is.
  how.mails[0].octets = "a\r\n";
  how.mails[0].traits = ehlo::message_traits{.size = 500};
  check_client_dialogue(start + "C: MAIL FROM:<a@client.example> SIZE=500\nS: 550 no\n" + goodbye, how);
}

TEST_CASE("after 452 to MAIL come RSET or QUIT, and the message is for later", "[client][1870-6.2-01]") {
  setup how;
  const auto alone = check_client_dialogue(mail + "DO quit\nS: 452 full\n" + goodbye, how);
  CHECK(alone.events.back() == "transaction failed transient: " + name_of(errc::mail_refused) + " 452 full");
  how.mails.push_back({.from = "second@client.example", .octets = "x\r\n"});
  const auto another = check_client_dialogue(
      mail + "S: 452 full\nC: RSET\nS: 250 ok\nC: MAIL FROM:<second@client.example> SIZE=3\nS: 550 no\n" + goodbye, how);
  CHECK(another.has("transaction failed transient: " + name_of(errc::mail_refused) + " 452 full"));
}

TEST_CASE("after 552 to MAIL come RSET or QUIT, and the message is given up", "[client][1870-6.2-02]") {
  setup how;
  how.mails[0].to = {"b@mx.example", "c@mx.example"};
  const auto alone = check_client_dialogue(mail + "DO quit\nS: 552 too large\n" + goodbye, how);
  CHECK(alone.events.back() == "transaction failed: " + name_of(errc::mail_refused) + " 552 too large");
  how.mails.push_back({.from = "second@client.example", .octets = "x\r\n"});
  check_client_dialogue(hello + R"(
    S: 250-mx
    S: 250-PIPELINING
    S: 250 SIZE
    C: MAIL FROM:<a@client.example> SIZE=21
    C: RCPT TO:<b@mx.example>
    C: RCPT TO:<c@mx.example>
    C: DATA
    S: 552 too large
    S: 503 no
    S: 503 no
    S: 503 no
    C: RSET
    S: 250 ok
    C: MAIL FROM:<second@client.example> SIZE=3
    C: RCPT TO:<b@mx.example>
    C: DATA
    S: 550 no
    S: 503 no
    S: 503 no
  )" + goodbye,
                        how);
}

TEST_CASE("a 250 to MAIL is no promise: 452 and 552 count where they come", "[client][1870-6.2-03]") {
  const auto last = [](const std::string& script) { return check_client_dialogue(script).events.back(); };
  const std::string reset = "C: RSET\nS: 250 ok\n";
  const auto at_rcpt = check_client_dialogue(rcpt + "S: 552 no\n" + reset + goodbye);
  CHECK(at_rcpt.has("rcpt 0 552 no"));
  CHECK(at_rcpt.has("transaction failed: " + name_of(errc::recipient_refused)));
  CHECK(check_client_dialogue(rcpt + "S: 452 no\n" + reset + goodbye).has("rcpt 0 transient 452 no"));
  CHECK(last(data + "S: 552 no\n" + reset + goodbye) == "transaction failed: " + name_of(errc::data_refused) + " 552 no");
  CHECK(last(data + "S: 452 no\n" + reset + goodbye) == "transaction failed transient: " + name_of(errc::data_refused) + " 452 no");
  CHECK(last(dot + "S: 552 no\n" + goodbye) == "message 0-1 552 no");
  CHECK(last(dot + "S: 452 no\n" + goodbye) == "message 0-1 452 no");
}

TEST_CASE("452 to RCPT defers the recipient, 552 gives it up where SIZE was sent", "[client][1870-6.4-02]") {
  setup how;
  how.mails[0].to = {"b@mx.example", "c@mx.example"};
  const std::string rest = "S: 452 full\nC: RCPT TO:<c@mx.example>\nS: 552 too large\nC: RSET\nS: 250 ok\n" + goodbye;
  const auto sized = check_client_dialogue(rcpt + rest, how);
  CHECK(sized.has("rcpt 0 transient 452 full"));
  CHECK(sized.has("rcpt 1 552 too large"));
  // Without SIZE it is the old way to say that there are too many recipients. RFC 5321 4.5.3.1.10.
  const auto unsized = check_client_dialogue(
      hello + "S: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\n" + rest, how);
  CHECK(unsized.has("rcpt 1 transient 552 too large"));
}

TEST_CASE("a message over the server's number is refused before MAIL", "[client][1870-7-01]") {
  setup how;
  const auto seen = [&how](const std::string& number) {
    return check_client_dialogue(hello + "S: 250-mx\nS: 250 SIZE " + number + "\n" + goodbye, how).events.back();
  };
  for (const std::string number : {"20", "1"}) CHECK(seen(number) == "transaction failed: " + name_of(errc::size_over_limit));
  for (const std::string number : {"21", "1000", "0"}) {
    check_client_dialogue(
        hello + "S: 250-mx\nS: 250 SIZE " + number + "\nC: MAIL FROM:<a@client.example> SIZE=21\nS: 550 no\n" + goodbye, how);
  }
}
