// SPDX-License-Identifier: BSL-1.0
// The order of commands and the end of a session: RFC 5321 3.8, 4.1.1.5, 4.1.1.9, 4.1.1.10, 4.1.4.
#include <iterator>
#include <string>
#include <string_view>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string envelope =
    hello + "C: MAIL FROM:<a@client.example>\nS: 250 2.1.0 OK\nC: RCPT TO:<b@mx.example>\nS: 250 2.1.5 OK\n";

}  // namespace

// ---- The end of a session (3.8, 4.1.1.10) --------------------------------------------------------------------------------------

TEST_CASE("a session that nobody ends goes on, however many errors there are", "[server][order][5321-3.8-01]") {
  std::string text = hello;
  for (int i = 0; i < 500; ++i) text += "C: FOO\nS: 500\nC: MAIL FROM:bad\nS: 501\nC: DATA\nS: 503\nC: TURN\nS: 502\n";
  const auto r = check_server_dialogue(text + "C: NOOP\nS: 250\n");
  CHECK_FALSE(r.closed);
  CHECK(r.count("violation") == 2000);
}

TEST_CASE("421 answers any command, or comes by itself, when the service goes down", "[server][order][5321-3.8-02]") {
  check_server_dialogue(hello + "SHUTDOWN\nS: 421 4.3.2 mx.example\nCLOSE\n");
  // In the caller's words, to each question.
  setup how;
  const auto leave = [](const auto&) -> answer { return ehlo::replies::service_not_available; };
  how.on_rcpt = leave;
  const auto r = check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: 421\nCLOSE\n", how);
  CHECK(r.count("reset closed") == 1);
  how.on_mail = leave;
  check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 421\nCLOSE\n", how);
  how.on_hello = leave;
  check_server_dialogue("C: EHLO client.example\nS: 421\nCLOSE\n", how);
  how.on_greeting = leave;
  check_server_dialogue("S: 421\nCLOSE\n", how);
  setup later;
  later.on_message = leave;
  CHECK(check_server_dialogue(envelope + "C: DATA\nS: 354\nC: .\nS: 421\nCLOSE\n", later).messages.empty());
}

TEST_CASE("an unknown command gets 500 and the session goes on", "[server][order][5321-3.8-03]") {
  CHECK_FALSE(check_server_dialogue("C: FOO\nS: 500\nC: NOOP\nS: 250\nC: FOO BAR\nS: 500\nC: NOOP\nS: 250\n").closed);
}

TEST_CASE("a forced stop says 421 first", "[server][order][5321-3.8-04]") {
  const auto r = check_server_dialogue(envelope + "SHUTDOWN\nS: 421\nCLOSE\n");
  CHECK(r.sent.substr(r.sent.rfind('\n', r.sent.size() - 2) + 1).starts_with("421 4.3.2 mx.example "));
  CHECK(r.count("reset closed") == 1);
  // Also behind a message that is on its way, not in it.
  const auto busy =
      check_server_dialogue(envelope + "C: DATA\nS: 354\nc: text\nSHUTDOWN\nc: \\r\\n.\\r\\n\nS: 250\nS: 421\nCLOSE\n");
  CHECK(busy.messages.size() == 1);
}

TEST_CASE("QUIT is answered 221, and then the session closes", "[server][order][5321-4.1.1.10-01]") {
  const auto r = check_server_dialogue(hello + "C: QUIT\nS: 221 2.0.0 mx.example\nCLOSE\n");
  CHECK(r.closed);
  CHECK_FALSE(r.has("reset"));
}

TEST_CASE("a break cancels the transaction", "[server][order][5321-4.1.1.10-04]") {
  for (const std::string at : {"C: DATA\nS: 354\nC: part of a message\n", "C: DATA\nS: 354\nC: text\nc: .\\r\n", "", "c: DAT\n"}) {
    for (const std::string end : {"EOF\nCLOSE\n", "BREAK\nCLOSE\n"}) {
      CAPTURE(at, end);
      const auto r = check_server_dialogue(envelope + at + end);
      CHECK(r.count("reset peer_gone") == 1);
      CHECK_FALSE(r.has("message"));
      CHECK(r.messages.empty());
    }
  }
}

TEST_CASE("a break leaves a transaction that is complete as it is", "[server][order][5321-4.1.1.10-05]") {
  for (const std::string end : {"EOF\nCLOSE\n", "BREAK\nCLOSE\n"}) {
    const auto r = check_server_dialogue(envelope + "C: DATA\nS: 354\nC: text\nC: .\nS: 250\n" + end);
    CHECK(r.messages.size() == 1);
    CHECK_FALSE(r.has("reset"));
  }
}

TEST_CASE("a break is a temporary failure of what was under way: it is not done, whatever is answered later",
          "[server][order][5321-4.1.1.10-06]") {
  const std::string_view lines[] = {"EHLO c.example\r\n", "MAIL FROM:<a@b.example>\r\n", "RCPT TO:<c@d.example>\r\n", "DATA\r\n",
                                    "text\r\n.\r\n"};
  for (std::size_t last = 0; last < std::size(lines); ++last) {
    CAPTURE(lines[last]);
    const setup how;
    ehlo::server_session session{how.options};
    std::string_view input;
    while (session.open_question().serial == 0) (void)session.next(input);
    for (std::size_t i = 0; i <= last; ++i) {
      REQUIRE(session.accept().has_value());
      input = lines[i];
      while (session.open_question().serial == 0) (void)session.next(input);
    }
    const ehlo::ticket open = session.open_question();
    session.disconnected();
    CHECK(session.accept(open).error().code == ehlo::errc::no_open_question);
    std::size_t resets = 0;
    for (;;) {
      const auto action = session.next(input);
      CHECK_FALSE(std::holds_alternative<ehlo::transmit>(action));
      if (const auto* r = std::get_if<ehlo::transaction_reset>(&action)) {
        CHECK(r->cause == ehlo::reset_cause::peer_gone);
        ++resets;
      }
      if (std::holds_alternative<ehlo::close_channel>(action)) break;
    }
    CHECK(resets == (last >= 2 ? 1U : 0U));  // MAIL was accepted
    CHECK(session.recipients() == 0);
    CHECK(session.accept(open).error().code == ehlo::errc::no_open_question);
  }
}

TEST_CASE("QUIT works at any time and drops the transaction", "[server][order][5321-4.1.1.10-07]") {
  check_server_dialogue("C: QUIT\nS: 221\nCLOSE\n");
  const auto r = check_server_dialogue(envelope + "C: QUIT\nS: 221\nCLOSE\n");
  CHECK(r.count("reset quit") == 1);
  CHECK(r.messages.empty());
}

TEST_CASE("a connection that vanishes is as good as QUIT", "[server][order][5321-4.1.1.5-06]") {
  const auto r = check_server_dialogue(envelope + "EOF\nCLOSE\n");
  CHECK(r.count("reset peer_gone") == 1);
  CHECK(r.sent.find("221") == r.sent.npos);
  CHECK(check_server_dialogue(hello + "BREAK\nCLOSE\n").closed);
}

// ---- RSET, NOOP, arguments -----------------------------------------------------------------------------------------------------

TEST_CASE("an argument of RSET, DATA or QUIT is a syntax error", "[server][order][5321-4.1.1-06]") {
  const auto r = check_server_dialogue(envelope + R"(
    C: RSET x
    S: 501
    C: DATA x
    S: 501
    C: QUIT x
    S: 501
    C: DATA
    S: 354
    C: .
    S: 250
    C: RSET
    S: 250
    C: QUIT
    S: 221
    CLOSE
  )");
  CHECK(r.messages.size() == 1);
  CHECK(r.messages[0].to.size() == 1);
}

TEST_CASE("RSET drops sender, recipients and transaction", "[server][order][5321-4.1.1.5-01]") {
  const auto r = check_server_dialogue(envelope + "C: RSET\nS: 250\nC: DATA\nS: 503\nC: RCPT TO:<c@mx.example>\nS: 503\n");
  CHECK(r.count("reset rset") == 1);
}

TEST_CASE("RSET gets 250", "[server][order][5321-4.1.1.5-02]") {
  check_server_dialogue(hello + "C: RSET\nS: 250 2.0.0 OK\nC: RSET\nS: 250 2.0.0 OK\n");
}

TEST_CASE("RSET works before any hello", "[server][order][5321-4.1.1.5-03]") {
  CHECK_FALSE(check_server_dialogue("C: RSET\nS: 250\nC: MAIL FROM:<>\nS: 503\n").has("reset"));
}

TEST_CASE("RSET keeps the hello", "[server][order][5321-4.1.1.5-04]") {
  check_server_dialogue(hello +
                        "C: RSET\nS: 250\nC: MAIL FROM:<> SIZE=1\nS: 250\nC: RSET\nS: 250\nC: MAIL FROM:<> SIZE=1\nS: 250\n");
}

TEST_CASE("RSET does not close", "[server][order][5321-4.1.1.5-05]") {
  CHECK_FALSE(check_server_dialogue("C: RSET\nS: 250\n" + envelope + "C: RSET\nS: 250\nC: RSET\nS: 250\n").closed);
}

TEST_CASE("NOOP gets 250 at any time and does nothing", "[server][order][5321-4.1.1.9-01]") {
  const auto r = check_server_dialogue("C: NOOP\nS: 250\n" + envelope + "C: NOOP\nS: 250\nC: DATA\nS: 354\nC: .\nS: 250\n");
  CHECK(r.messages.size() == 1);
}

TEST_CASE("an argument of NOOP is ignored", "[server][order][5321-4.1.1.9-02]") {
  check_server_dialogue("C: NOOP hello world\nS: 250\nC: NOOP \"x\nS: 250\nC: NOOP QUIT\nS: 250\n");
}

TEST_CASE("NOOP, HELP, EXPN, VRFY and RSET need no hello", "[server][order][5321-4.1.4-08]") {
  setup how;
  how.options.extensions.expn = true;
  check_server_dialogue("C: NOOP\nS: 250\nC: HELP\nS: 214\nC: EXPN a\nS: 502\nC: VRFY a\nS: 252\nC: RSET\nS: 250\n", how);
}

TEST_CASE("RSET, EHLO and QUIT end a transaction early", "[server][order][5321-4.1.4-12]") {
  struct row {
    const char* lines;
    const char* event;
  };
  for (const row& one : {row{"C: RSET\nS: 250\n", "reset rset"}, row{"C: EHLO b.example\nS: 250\n", "reset hello"},
                         row{"C: HELO b.example\nS: 250\n", "reset hello"}, row{"C: QUIT\nS: 221\nCLOSE\n", "reset quit"}}) {
    CAPTURE(one.lines);
    const auto r = check_server_dialogue(envelope + one.lines);
    CHECK(r.count(one.event) == 1);
    CHECK(r.messages.empty());
  }
}

TEST_CASE("without ESMTP no command of an extension is known, whatever the options offer", "[server][order]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  setup how;
  how.options.esmtp = false;
  how.options.tls = ehlo::tls_mode::offered;
  how.options.mechanisms = mechanisms;
  how.options.extensions.etrn = true;
  std::string text = "C: EHLO client.example\nS: 502\nC: HELO client.example\nS: 250 mx.example\n";
  for (const char* command : {"STARTTLS", "AUTH EXTERNAL =", "ETRN mx.example", "BDAT 5", "BURL imap://a/b"})
    text += std::string{"C: "} + command + "\nS: 502 5.5.1\n";
  const auto r = check_server_dialogue(text + "C: NOOP\nS: 250\n", how);
  CHECK(r.count("violation") == 6);
}

TEST_CASE("HELP knows no verb that the session does not", "[server][order][5321-4.1.1.8-03]") {
  setup how;
  check_server_dialogue("C: HELP LHLO\nS: 504\nC: HELP EHLO\nS: 214\nC: HELP TURN\nS: 504\nC: HELP EXPN\nS: 504\n", how);
  how.options.protocol = ehlo::protocol::lmtp;
  check_server_dialogue("C: HELP LHLO\nS: 214\nC: HELP EHLO\nS: 504\nC: HELP HELO\nS: 504\n", how);
}

TEST_CASE("a verb of the caller's waits for TLS and AUTH like others", "[server][order]") {
  static constexpr ehlo::custom_verb verbs[] = {{"XVERB", false}};
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  setup how;
  how.options.verbs = verbs;
  how.on_custom = [](const ehlo::custom_question&) { return answer{ehlo::replies::ok}; };
  check_server_dialogue(hello + "C: XVERB\nS: 250\n", how);
  how.options.tls = ehlo::tls_mode::required;
  const auto r = check_server_dialogue(hello + "C: XVERB\nS: 530 5.7.0\n", how);
  CHECK_FALSE(r.has("custom"));
  how.options.tls = ehlo::tls_mode::unavailable;
  how.options.mechanisms = mechanisms;
  how.options.auth_required = true;
  check_server_dialogue(hello + "C: XVERB\nS: 530 5.7.0\n", how);
}
