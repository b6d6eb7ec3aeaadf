// SPDX-License-Identifier: BSL-1.0
// What RFC 2920 asks of a client that uses PIPELINING.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"
#include "support/client_turns.hpp"

namespace {

using client_dialogue::name_of;
using client_dialogue::setup;

const std::string hello = "S: 220 hi\nC: EHLO client.example\n";
const std::string pipelining = hello + "S: 250-mx\nS: 250 PIPELINING\n";
const std::string message = "C: Subject: x\nC:\nC: Hello\nC: .\n";
const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";
const std::string to_three_in_one =
    pipelining +
    "C: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@mx.example>\nC: RCPT TO:<c@mx.example>\nC: RCPT TO:<d@mx.example>\nC: DATA\n";

setup to(std::vector<std::string> recipients) {
  setup how;
  how.mails[0].to = std::move(recipients);
  return how;
}
setup to_three() { return to({"b@mx.example", "c@mx.example", "d@mx.example"}); }

}  // namespace

TEST_CASE("commands are grouped only where PIPELINING is offered", "[client][2920-3-01]") {
  const std::string one_by_one =
      "C: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 250 ok\nC: DATA\nS: 354 go\n";
  for (const std::string offered : {"S: 250 mx\n", "S: 250-PIPELINING\nS: 250 SIZE 0\n", "S: 250-mx\nS: 250 XPIPELINING\n"}) {
    setup how;
    how.mails[0].traits = ehlo::message_traits{};
    check_client_dialogue(hello + offered + one_by_one + message + "S: 250 taken\n" + goodbye, how);
  }
  check_client_dialogue(
      "S: 220 PIPELINING\nC: EHLO client.example\nS: 500 what?\nC: HELO client.example\nS: 250-mx\nS: 250 PIPELINING\n" +
      one_by_one + message + "S: 250 taken\n" + goodbye);
  setup off;
  off.options.pipelining = false;
  check_client_dialogue(pipelining + one_by_one + message + "S: 250 taken\n" + goodbye, off);
}

TEST_CASE("MAIL, RCPT and DATA go as one group, and RSET before them", "[client][2920-3.1-01]") {
  setup how = to({"no@mx.example", "c@mx.example"});
  how.options.limits.recipients = 1;
  check_client_dialogue(pipelining + R"(
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<no@mx.example>
    C: DATA
    S: 250 ok
    S: 550 no
    S: 503 nobody
    C: RSET
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<c@mx.example>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 250 ok
    S: 354 go
  )" + message + "S: 250 taken\n" +
                            goodbye,
                        how);
}

TEST_CASE("a group ends with EHLO, DATA, VRFY, EXPN, QUIT and NOOP", "[client][2920-3.1-02]") {
  // A line that leaves before the server has said what stands before it here fails the dialogue.
  setup how;
  how.quit = false;
  for (const std::string before : {"", "DO quit\n"}) {
    const auto seen = check_client_dialogue(before + to_three_in_one.substr(0, to_three_in_one.find("C: RCPT TO:<c@")) + R"(
    C: DATA
    DO noop
    DO quit
    S: 250 ok
    S: 250 ok
    S: 354 go
  )" + message + "S: 250 taken\n" + goodbye,
                                            how);
    CHECK(seen.has("noop refused: "));
  }

  how.mails.clear();
  const auto commands = check_client_dialogue(pipelining + R"(
    DO noop
    DO verify a
    C: NOOP
    S: 250 ok
    DO verify a
    DO expand b
    C: VRFY a
    S: 252 ok
    DO expand b
    DO noop
    C: EXPN b
    S: 250 ok
    DO hello
    DO noop
    C: EHLO client.example
    S: 250-mx
    S: 250 PIPELINING
    DO noop
    DO quit
    C: NOOP
    S: 250 ok
    C: QUIT
    DO noop
    S: 221 bye
    CLOSE
  )",
                                              how);
  CHECK(commands.count("command ") == 4);
  CHECK(commands.count("noop refused: ") == 3);
}

TEST_CASE("a group ends with STARTTLS and with AUTH", "[client][2920-3.1-03]") {
  constexpr ehlo::auth_mechanism plain[] = {ehlo::mechanisms::plain};
  setup how;
  how.options.tls = ehlo::tls_policy::required;
  how.options.mechanisms = plain;
  check_client_dialogue(hello + R"(
    S: 250-mx
    S: 250-PIPELINING
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 go
    TLS
    C: EHLO client.example
    S: 250-mx
    S: 250-PIPELINING
    S: 250 AUTH PLAIN
    C: AUTH PLAIN AHVzZXIAcGFzcw==
    S: 235 welcome
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: DATA
    S: 550 no
    S: 503 no
    S: 503 no
  )" + goodbye,
                        how);
}

TEST_CASE("what follows a message waits for its reply: nothing is grouped with the end of mail data", "[client][2920-3.1-04]") {
  setup how;
  how.mails.push_back({.from = "second@client.example"});
  const auto seen = check_client_dialogue(to_three_in_one.substr(0, to_three_in_one.find("C: RCPT TO:<c@")) + R"(
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
  )" + message + R"(
    S: 250 taken
    C: MAIL FROM:<second@client.example>
    C: RCPT TO:<b@mx.example>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
  )" + message + "S: 550 no\n" + goodbye,
                                          how);
  CHECK(seen.has("message 0-1 250 taken"));
  CHECK(seen.events.back() == "message 0-1 550 no");
}

TEST_CASE("each reply of a group is looked at", "[client][2920-3.1-05]") {
  const auto seen = check_client_dialogue(
      to_three_in_one + "S: 250 ok\nS: 250 yes\nS: 550 no\nS: 450 later\nS: 354 go\n" + message + "S: 250 taken\n" + goodbye,
      to_three());
  CHECK(seen.has("rcpt 0 250 yes"));
  CHECK(seen.has("rcpt 1 550 no"));
  CHECK(seen.has("rcpt 2 transient 450 later"));
  CHECK(seen.has("data for 1"));
  const auto refused =
      check_client_dialogue(to_three_in_one + "S: 452 full\nS: 503 no\nS: 503 no\nS: 503 no\nS: 503 no\n" + goodbye, to_three());
  CHECK(refused.has("transaction failed transient: " + name_of(ehlo::errc::mail_refused) + " 452 full"));
  CHECK_FALSE(refused.has("rcpt"));
}

TEST_CASE("replies of several lines in a group are one each", "[client][2920-3.1-08]") {
  const auto seen = check_client_dialogue(
      to_three_in_one + "S: 250-a\nS: 250 b\nS: 250-c\nS: 250-d\nS: 250 e\nS: 550-f\nS: 550 g\nS: 250 h\nS: 354-i\nS: 354 j\n" +
          message + "S: 250 taken\n" + goodbye,
      to_three());
  CHECK(seen.has("rcpt 0 250 c/d/e"));
  CHECK(seen.has("rcpt 1 550 f/g"));
  CHECK(seen.has("rcpt 2 250 h"));
  CHECK(seen.has("data for 2"));
}

TEST_CASE("several replies with one code are not one reply", "[client][2920-3.1-09]") {
  const auto seen = check_client_dialogue(
      to_three_in_one + "S: 250 a\nS: 250 b\nS: 250 c\nS: 250 d\nS: 354 e\n" + message + "S: 250 taken\n" + goodbye, to_three());
  CHECK(seen.has("rcpt 0 250 b"));
  CHECK(seen.has("rcpt 1 250 c"));
  CHECK(seen.has("rcpt 2 250 d"));
}

TEST_CASE("replies are taken while a part of the group still waits to be written", "[client][2920-3.1-10]") {
  ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  options.limits.batch = 512;
  client_turns turns{options};
  auto mail = *ehlo::envelope::make("a@client.example");
  constexpr std::size_t recipients = 60;
  for (std::size_t i = 0; i < recipients; ++i) REQUIRE(mail.add("recipient@mx.example").has_value());
  REQUIRE(turns.session.begin_transaction(mail).has_value());
  (void)turns.after("220 hi\r\n");
  std::string sent = turns.after("250-mx\r\n250 PIPELINING\r\n");
  std::size_t parts = 0;
  std::size_t replies = 0;
  while (sent.find("DATA") == sent.npos) {
    REQUIRE(parts < recipients);
    CHECK(sent.size() <= 512);
    ++parts;
    std::string answers;
    for (const char c : sent) answers += c == '\n' ? "250 ok\r\n" : "";
    sent = turns.after(answers);
    replies += answers.size() / 8;
    CHECK(turns.notices.size() + 1 == replies);  // that to MAIL has no notice
  }
  CHECK(parts >= 3);
}

TEST_CASE("the dialogue of RFC 2920 4 with all recipients refused, and DATA too", "[client][2920-4-02]") {
  setup how = to({"nsb@thumper.bellcore.com", "galvin@tis.com"});
  how.options.hostname = "dbc.mtview.ca.us";
  how.mails[0].from = "mrose@dbc.mtview.ca.us";
  const auto seen = check_client_dialogue(R"(
    S: 220 innosoft.com SMTP service ready
    C: EHLO dbc.mtview.ca.us
    S: 250-innosoft.com
    S: 250 PIPELINING
    C: MAIL FROM:<mrose@dbc.mtview.ca.us>
    C: RCPT TO:<nsb@thumper.bellcore.com>
    C: RCPT TO:<galvin@tis.com>
    C: DATA
    DO quit
    S: 250 sender <mrose@dbc.mtview.ca.us> OK
    S: 550 remote mail to <nsb@thumper.bellore.com> not allowed
    S: 550 remote mail to <galvin@tis.com> not allowed
    S: 554 no valid recipients given
    C: QUIT
    S: 221 goodbye
    CLOSE
  )",
                                          how);
  CHECK(seen.count("rcpt ") == 2);
  CHECK_FALSE(seen.has("message"));
  CHECK(seen.has("transaction failed: " + name_of(ehlo::errc::recipient_refused)));
}

TEST_CASE("the dialogue of RFC 2920 4 with all recipients refused, and DATA accepted", "[client][2920-4-03]") {
  setup how = to({"nsb@thumper.bellcore.com", "galvin@tis.com"});
  how.options.hostname = "dbc.mtview.ca.us";
  how.mails[0].from = "mrose@dbc.mtview.ca.us";
  const auto seen = check_client_dialogue(R"(
    S: 220 innosoft.com SMTP service ready
    C: EHLO dbc.mtview.ca.us
    S: 250-innosoft.com
    S: 250 PIPELINING
    C: MAIL FROM:<mrose@dbc.mtview.ca.us>
    C: RCPT TO:<nsb@thumper.bellcore.com>
    C: RCPT TO:<galvin@tis.com>
    C: DATA
    DO quit
    S: 250 sender <mrose@dbc.mtview.ca.us> OK
    S: 550 remote mail to <nsb@thumper.bellore.com> not allowed
    S: 550 remote mail to <galvin@tis.com> not allowed
    S: 354 enter mail, end with line containing only "."
    C: .
    S: 554 no valid recipients
    C: QUIT
    S: 221 goodbye
    CLOSE
  )",
                                          how);
  CHECK_FALSE(seen.has("data for"));
  CHECK_FALSE(seen.has("message"));
  CHECK(seen.has("transaction failed: " + name_of(ehlo::errc::recipient_refused)));
}
