// SPDX-License-Identifier: BSL-1.0
// What RFC 5321 asks of a client, clause by clause.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"
#include "support/client_turns.hpp"

namespace {

using client_dialogue::name_of;
using client_dialogue::setup;
using ehlo::errc;

const ehlo::client_options in_clear{.hostname = "client.example", .tls = ehlo::tls_policy::never};

const std::string greeted = "S: 220 hi\nC: EHLO client.example\n";
const std::string ready = greeted + "S: 250 mx\n";
const std::string mail = ready + "C: MAIL FROM:<a@client.example>\n";
const std::string rcpt = mail + "S: 250 ok\nC: RCPT TO:<b@mx.example>\n";
const std::string data = rcpt + "S: 250 ok\nC: DATA\n";
const std::string message = "C: Subject: x\nC:\nC: Hello\nC: .\n";
const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";

setup without_mail() {
  setup how;
  how.mails.clear();
  how.quit = false;
  return how;
}

ehlo::envelope envelope_to(std::initializer_list<std::string_view> to) {
  auto made = ehlo::envelope::make("a@client.example", to);
  REQUIRE(made.has_value());
  return std::move(*made);
}

}  // namespace

// ---- The opening: 3.1, 3.2, 4.1.1.1, 4.1.4

TEST_CASE("a client opens with EHLO, and says HELO nowhere where that is accepted", "[client][5321-2.2.1-04]") {
  for (const std::string greeting : {"220 mx ESMTP", "220 mx", "220"}) {
    const auto seen = check_client_dialogue(
        "S: " + greeting + "\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 550 no\n" + goodbye);
    CHECK(seen.sent.find("HELO") == seen.sent.npos);
  }
}

TEST_CASE("nothing leaves before the whole greeting has come", "[client][5321-4.3.1-02]") {
  client_turns turns{in_clear};
  const auto to = envelope_to({"b@mx.example"});
  REQUIRE(turns.session.begin_transaction(to).has_value());
  CHECK(turns.after().empty());
  for (const std::string_view part : {"2", "20-mx\r\n", "220", " hi", "\r"}) CHECK(turns.after(part).empty());
  CHECK(turns.after("\n") == "EHLO client.example\r\n");
}

TEST_CASE("no command leaves before the whole reply to the one before, where the server does not offer PIPELINING",
          "[client][5321-4.3.1-01]") {
  client_turns turns{in_clear};
  const auto to = envelope_to({"b@mx.example", "c@mx.example"});
  REQUIRE(turns.session.begin_transaction(to).has_value());
  REQUIRE(turns.after().empty());
  const auto next = [&turns](std::string_view reply) {
    const std::string_view most = reply.substr(0, reply.size() - 1);
    for (std::size_t i = 0; i < most.size(); ++i) CHECK(turns.after(most.substr(i, 1)).empty());
    return turns.after("\n");
  };
  CHECK(next("220-mx\r\n220 hi\r\n") == "EHLO client.example\r\n");
  CHECK(next("250-mx\r\n250 SIZE\r\n") == "MAIL FROM:<a@client.example>\r\n");
  CHECK(next("250 ok\r\n") == "RCPT TO:<b@mx.example>\r\n");
  CHECK(next("250-ok\r\n250 ok\r\n") == "RCPT TO:<c@mx.example>\r\n");
  CHECK(next("550 no\r\n") == "DATA\r\n");
  CHECK(next("354 go\r\n").empty());
  REQUIRE(turns.session.end_of_mail_data("x: y\r\n").has_value());
  REQUIRE(turns.session.quit().has_value());
  CHECK(turns.after() == "x: y\r\n.\r\n");
  CHECK(next("250 taken\r\n") == "QUIT\r\n");
}

TEST_CASE("HELO follows on the same channel where EHLO is unknown, and not where it is refused", "[client][5321-3.2-02]") {
  for (const std::string code : {"500", "502", "504"}) {
    check_client_dialogue(greeted + "S: " + code +
                          " no\nC: HELO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 550 no\n" + goodbye);
  }
  for (const std::string code : {"450", "501", "530", "550", "554"}) {
    const auto seen = check_client_dialogue(greeted + "S: " + code + " no\n" + goodbye);
    CHECK(seen.has("failed: " + name_of(errc::hello_refused)));
  }
}

TEST_CASE("no transaction begins before EHLO or HELO was accepted", "[client][5321-4.1.1.1-04]") {
  for (const std::string& rest : {"S: 550 no\n" + goodbye, "S: 502 what?\nC: HELO client.example\nS: 550 no\n" + goodbye,
                                  std::string{"S: 421 no\nCLOSE\n"}, std::string{"EOF\nCLOSE\n"}}) {
    const auto seen = check_client_dialogue(greeted + rest);
    CHECK(seen.sent.find("MAIL") == seen.sent.npos);
    CHECK(seen.has("transaction failed"));
  }
}

TEST_CASE("EHLO comes before the commands that could go without it", "[client][5321-4.1.4-09]") {
  const std::string requests = "DO noop\nDO help\nDO expand list\nDO verify smith\nDO reset\nDO raw XFOO\n";
  const auto seen = check_client_dialogue(
      requests + "S: 220 hi\n" + requests + "C: EHLO client.example\n" + requests + "S: 250 mx\nDO noop\nC: NOOP\nS: 250 ok\n",
      without_mail());
  CHECK(seen.count("noop refused: " + name_of(errc::not_ready)) == 3);
  for (const std::string name : {"help", "expand", "verify", "reset", "raw"}) CHECK(seen.count(name + " refused: ") == 3);
}

// ---- The transaction: 3.3, 4.1.1.2 to 4.1.1.5, 4.1.4

TEST_CASE("a transaction is MAIL, then RCPT, then DATA, and none without a recipient", "[client][5321-3.3-20]") {
  setup how;
  how.mails[0].to = {"b@mx.example", "c@mx.example"};
  check_client_dialogue(
      mail + "S: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 250 ok\nC: RCPT TO:<c@mx.example>\nS: 250 ok\nC: DATA\nS: 354 go\n" +
          message + "S: 250 taken\n" + goodbye,
      how);
  how.mails[0].to.clear();
  const auto none = check_client_dialogue(ready + goodbye, how);
  CHECK(none.has("transaction failed: " + name_of(errc::no_recipients)));
}

TEST_CASE("no transaction begins inside another one", "[client][5321-4.1.4-10]") {
  for (const std::string_view keywords : {"250 mx\r\n", "250-mx\r\n250 PIPELINING\r\n"}) {
    client_turns turns{in_clear};
    const auto to = envelope_to({"b@mx.example"});
    std::string sent;
    REQUIRE(turns.session.begin_transaction(to).has_value());
    const bool pipelined = keywords.size() > 8;
    const std::vector<std::string_view> replies =
        pipelined ? std::vector<std::string_view>{"", "220 hi\r\n", keywords, "250 ok\r\n", "250 ok\r\n354 go\r\n"}
                  : std::vector<std::string_view>{"", "220 hi\r\n", keywords, "250 ok\r\n", "250 ok\r\n", "354 go\r\n"};
    for (const std::string_view reply : replies) {
      sent += turns.after(reply);
      CHECK(turns.session.begin_transaction(to).error().code == errc::session_busy);
    }
    REQUIRE(turns.is_at<ehlo::mail_data_question>());
    REQUIRE(turns.session.end_of_mail_data("x: y\r\n").has_value());
    CHECK(turns.session.begin_transaction(to).error().code == errc::session_busy);
    sent += turns.after();
    CHECK(turns.session.begin_transaction(to).error().code == errc::session_busy);
    CHECK(sent == "EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\nx: y\r\n.\r\n");
    CHECK(turns.after("250 taken\r\n").empty());
    REQUIRE(turns.session.begin_transaction(to).has_value());
    CHECK(turns.after().starts_with("MAIL FROM:<a@client.example>\r\n"));
  }
}

TEST_CASE("one copy of a message serves all recipients", "[client][5321-4.5.4.1-05]") {
  setup how;
  how.mails[0].to = {"b@mx.example", "c@x.example", "d@mx.example"};
  const auto seen = check_client_dialogue(greeted + R"(
    S: 250-mx
    S: 250 PIPELINING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: RCPT TO:<c@x.example>
    C: RCPT TO:<d@mx.example>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 250 ok
    S: 250 ok
    S: 354 go
  )" + message + "S: 250 taken\n" + goodbye,
                                          how);
  CHECK(seen.count("data for 3") == 1);
  CHECK(seen.has("message 0-3 250"));
}

TEST_CASE("the caller may limit the recipients of a transaction", "[client][5321-4.5.4.1-06]") {
  setup how;
  how.mails[0].to = {"b@mx.example", "c@mx.example", "d@mx.example"};
  how.options.limits.recipients = 2;
  const std::string second =
      "C: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<d@mx.example>\nS: 250 ok\nC: DATA\nS: 354 go\n";
  const auto seen = check_client_dialogue(rcpt + "S: 250 ok\nC: RCPT TO:<c@mx.example>\nS: 250 ok\nC: DATA\nS: 354 go\n" + message +
                                              "S: 250 one\n" + second + message + "S: 250 two\n" + goodbye,
                                          how);
  CHECK(seen.has("message 0-2 250 one"));
  CHECK(seen.has("message 2-3 250 two"));
}

TEST_CASE("over 100 recipients go in groups of 100 where the caller asks, and the ones too many are for later where not",
          "[client][5321-4.5.3.1.8-05]") {
  setup how;
  how.whole_only = true;
  how.mails[0].to.assign(101, "b@mx.example");
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += "C: RCPT TO:<b@mx.example>\nS: 250 ok\n";
  const std::string last = "C: RCPT TO:<b@mx.example>\n";
  for (const std::string code : {"452", "552"}) {
    const auto seen = check_client_dialogue(mail + "S: 250 ok\n" + hundred + last + "S: " + code +
                                                " too many\nC: DATA\nS: 354 go\n" + message + "S: 250 taken\n" + goodbye,
                                            how);
    CHECK(seen.has("rcpt 100 transient " + code + " too many"));
    CHECK(seen.has("message 0-101 250 taken"));
  }
  how.options.limits.recipients = 100;
  const auto grouped = check_client_dialogue(mail + "S: 250 ok\n" + hundred + "C: DATA\nS: 354 go\n" + message +
                                                 "S: 250 taken\nC: MAIL FROM:<a@client.example>\nS: 250 ok\n" + last +
                                                 "S: 250 ok\nC: DATA\nS: 354 go\n" + message + "S: 250 taken\n" + goodbye,
                                             how);
  CHECK(grouped.has("message 100-101 250 taken"));
}

TEST_CASE("a notice goes out with the null reverse-path", "[client][5321-3.6.3-04]") {
  setup how;
  how.mails[0].from = "<>";
  check_client_dialogue(ready + "C: MAIL FROM:<>\nS: 550 no\n" + goodbye, how);
}

TEST_CASE("no source route leaves", "[client][5321-4.1.1.3-01]") {
  setup how;
  how.mails[0].from = "<@r.example:a@client.example>";
  how.mails[0].to = {"<@r.example,@s.example:b@mx.example>"};
  const auto seen = check_client_dialogue(rcpt + "S: 550 no\nC: RSET\nS: 250 ok\n" + goodbye, how);
  CHECK(seen.sent.find("<@") == seen.sent.npos);
}

TEST_CASE("a parameter of RCPT leaves only where its extension is offered", "[client][5321-4.1.1.3-07]") {
  constexpr std::string_view keywords[] = {"XKEY"};
  setup how;
  how.options.keywords = keywords;
  how.mails[0].recipient_options = {{.notify = ehlo::notify_set{.failure = true}}};
  const auto offered =
      greeted + "S: 250-mx\nS: 250-XKEY\nS: 250 DSN\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>";
  check_client_dialogue(offered + " NOTIFY=FAILURE\nS: 550 no\nC: RSET\nS: 250 ok\n" + goodbye, how);
  CHECK(check_client_dialogue(ready + goodbye, how).has("transaction failed: " + name_of(errc::dsn_not_offered)));
  how.options.dsn = ehlo::dsn_policy::relay;
  check_client_dialogue(rcpt + "S: 550 no\nC: RSET\nS: 250 ok\n" + goodbye, how);
  how.mails[0].recipient_options = {{.further = *ehlo::parameter_list::parse("XKEY=1")}};
  check_client_dialogue(offered + " XKEY=1\nS: 550 no\nC: RSET\nS: 250 ok\n" + goodbye, how);
  CHECK(check_client_dialogue(ready + goodbye, how).has("transaction failed: " + name_of(errc::keyword_not_offered)));
}

TEST_CASE("8BITMIME lets no octet above 127 into the envelope", "[client][5321-2.4-15]") {
  setup how;
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"a@client.example", "\xC3\xA9@mx.example"},
                                                                                 {"\xC3\xA9@client.example", "b@mx.example"},
                                                                                 {"a@client.example", "b@\xC3\xA9.example"}}) {
    how.mails[0].from = from;
    how.mails[0].to = {to};
    const auto seen = check_client_dialogue(greeted + "S: 250-mx\nS: 250 8BITMIME\n" + goodbye, how);
    CHECK(seen.has("transaction failed: " + name_of(errc::smtputf8_not_offered)));
  }
}

TEST_CASE("no 5yz to DATA is followed by mail data", "[client][5321-3.3-15]") {
  for (const std::string code : {"500", "503", "535", "550", "554", "599"}) {
    const auto seen = check_client_dialogue(data + "S: " + code + " no\nC: RSET\nS: 250 ok\n" + goodbye);
    CHECK(seen.has("transaction failed: " + name_of(errc::data_refused) + " " + code));
    CHECK_FALSE(seen.has("data for"));
  }
}

TEST_CASE("RSET, DATA and QUIT have no argument", "[client][5321-4.1.1-05]") {
  setup how;
  how.mails.push_back(client_dialogue::mail{});
  const auto seen = check_client_dialogue(
      rcpt + "S: 550 no\nC: RSET\nS: 250 ok\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\n" +
          "S: 250 ok\nC: DATA\nS: 354 go\n" + message + "S: 250 taken\nC: QUIT\nS: 221 bye\nCLOSE\n",
      how);
  CHECK(seen.sent.find("\r\nRSET\r\n") != seen.sent.npos);
  CHECK(seen.sent.find("\r\nDATA\r\n") != seen.sent.npos);
  CHECK(seen.sent.ends_with("\r\nQUIT\r\n"));
}

TEST_CASE("no CRLF is added before the lone dot of a text that ends with one", "[client][5321-4.1.1.4-06]") {
  setup how;
  for (const std::uint32_t coalesced : {0U, 256U}) {
    how.options.limits.coalesced = coalesced;
    for (const auto& [octets, lines] : std::vector<std::pair<std::string, std::string>>{
             {"a\r\n", "C: a\n"}, {"\r\n", "C:\n"}, {"a\r\n\r\n", "C: a\nC:\n"}, {"", ""}, {".\r\n", "C: ..\n"}}) {
      how.mails[0].octets = octets;
      check_client_dialogue(data + "S: 354 go\n" + lines + "C: .\nS: 250 taken\n" + goodbye, how);
    }
  }
}

TEST_CASE("a last line without CRLF gets one before the lone dot", "[client][5321-4.1.1.4-07]") {
  setup how;
  for (const std::size_t piece : {1U, 100U}) {
    how.mails[0].piece = piece;
    for (const auto& [octets, lines] : std::vector<std::pair<std::string, std::string>>{
             {"a", "C: a\n"}, {"a\r\nb", "C: a\nC: b\n"}, {".", "C: ..\n"}, {"a\r\n.", "C: a\nC: ..\n"}}) {
      how.mails[0].octets = octets;
      check_client_dialogue(data + "S: 354 go\n" + lines + "C: .\nS: 250 taken\n" + goodbye, how);
    }
  }
}

TEST_CASE("SIZE goes with MAIL where it is offered and the size is known", "[client][5321-4.5.3.1.7-03]") {
  setup how;
  const std::string offered = greeted + "S: 250-mx\nS: 250 SIZE\n";
  check_client_dialogue(offered + "C: MAIL FROM:<a@client.example> SIZE=21\nS: 550 no\n" + goodbye, how);
  how.mails[0].traits = ehlo::message_traits{};
  check_client_dialogue(offered + "C: MAIL FROM:<a@client.example>\nS: 550 no\n" + goodbye, how);
}

// ---- The end: 4.1.1.10, 4.1.4

TEST_CASE("a client that is to end says QUIT before it closes", "[client][5321-4.1.1.10-02]") {
  client_turns turns{in_clear};
  (void)turns.after("220 hi\r\n");
  (void)turns.after("250 mx\r\n");
  REQUIRE(turns.is_at<ehlo::idle>());
  REQUIRE(turns.session.quit().has_value());
  CHECK(turns.after() == "QUIT\r\n");
  // Nor does it leave a host without a word that does not serve it, or whose offers are not enough.
  check_client_dialogue("S: 554 no\nC: QUIT\nS: 221 bye\nCLOSE\n");
  setup how;
  how.options.tls = ehlo::tls_policy::required;
  check_client_dialogue(ready + goodbye, how);
}

TEST_CASE("a client waits for the reply to QUIT", "[client][5321-4.1.1.10-03]") {
  client_turns turns{in_clear};
  (void)turns.after("220 hi\r\n");
  (void)turns.after("250 mx\r\n");
  REQUIRE(turns.session.quit().has_value());
  REQUIRE(turns.after() == "QUIT\r\n");
  CHECK(turns.is_at<ehlo::receive>());
  CHECK(turns.session.timeout().what == ehlo::waiting_for::reply);
  CHECK(turns.after("221-so\r\n221 ").empty());
  CHECK(turns.is_at<ehlo::receive>());
  CHECK(turns.after("long\r\n").empty());
  CHECK(turns.is_at<ehlo::close_channel>());
}

TEST_CASE("QUIT is the last command", "[client][5321-4.1.4-15]") {
  const std::string requests = "DO noop\nDO reset\nDO hello\nDO help\nDO verify a\nDO raw XFOO\nDO authenticate\n";
  const auto seen = check_client_dialogue(ready + "DO quit\n" + requests + "C: QUIT\n" + requests + "S: 250 ok\nCLOSE\n" + requests,
                                          without_mail());
  CHECK(seen.sent == "EHLO client.example\r\nQUIT\r\n");
  for (const std::string name : {"noop", "reset", "hello", "help", "verify", "raw", "authenticate"}) {
    CHECK(seen.count(name + " refused: " + name_of(errc::session_closed)) == 3);
  }
  client_turns turns{in_clear};
  (void)turns.after("220 hi\r\n");
  (void)turns.after("250 mx\r\n");
  REQUIRE(turns.session.quit().has_value());
  const auto to = envelope_to({"b@mx.example"});
  CHECK(turns.session.begin_transaction(to).error().code == errc::session_closed);
  CHECK(turns.after() == "QUIT\r\n");
  CHECK(turns.session.begin_transaction(to).error().code == errc::session_closed);
}

// ---- Replies: 3.4, 4.2

TEST_CASE("251 is success and 551 failure, and the caller sees the path of both", "[client][5321-3.4-05]") {
  setup how;
  how.mails[0].to = {"b@mx.example", "c@mx.example"};
  const auto seen = check_client_dialogue(
      rcpt + "S: 251 User not local; will forward to <b@other.example>\nC: RCPT TO:<c@mx.example>\n" +
          "S: 551 User not local; please try <c@other.example>\nC: DATA\nS: 354 go\n" + message + "S: 250 taken\n" + goodbye,
      how);
  CHECK(seen.has("rcpt 0 251 User not local; will forward to <b@other.example>"));
  CHECK(seen.has("rcpt 1 551 User not local; please try <c@other.example>"));
  CHECK(seen.has("data for 1"));
}

TEST_CASE("a reply to any command may have several lines", "[client][5321-4.2-04]") {
  const auto seen = check_client_dialogue(R"(
    S: 220-mx
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 HELP
    C: MAIL FROM:<a@client.example>
    S: 250-sender
    S: 250 ok
    C: RCPT TO:<b@mx.example>
    S: 250-recipient
    S: 250-is
    S: 250 ok
    C: DATA
    S: 354-go
    S: 354 on
    C: Subject: x
    C:
    C: Hello
    C: .
    S: 250-taken
    S: 250 it
    C: QUIT
    S: 221-good
    S: 221 bye
    CLOSE
  )");
  CHECK(seen.has("greeting 220 mx/hi"));
  CHECK(seen.has("rcpt 0 250 recipient/is/ok"));
  CHECK(seen.has("message 0-1 250 taken/it"));
  const auto command = check_client_dialogue(ready +
                                                 "DO noop\nC: NOOP\nS: 250-a\nS: 250 b\nDO verify a\nC: VRFY a\nS: 550-no\nS: 550 "
                                                 "one\nDO reset\nC: RSET\nS: 250-x\nS: 250 y\n",
                                             without_mail());
  CHECK(command.has("command 250 a/b"));
  CHECK(command.has("command 550 no/one"));
}

TEST_CASE("the text of a reply is any or none", "[client][5321-4.2-12]") {
  for (const std::string text : {"", " ", " \xFF\xC3 x", " 250 ok", " -"}) {
    const std::string end = text + "\n";
    const auto seen =
        check_client_dialogue("S: 220" + end + "C: EHLO client.example\nS: 250" + end + "C: MAIL FROM:<a@client.example>\nS: 250" +
                              end + "C: RCPT TO:<b@mx.example>\nS: 250" + end + "C: DATA\nS: 354" + end + message + "S: 250" + end +
                              "C: QUIT\nS: 221" + end + "CLOSE\n");
    CHECK(seen.has("message 0-1 250"));
  }
}

TEST_CASE("the first digit of a reply to RCPT decides", "[client][5321-4.2-14]") {
  for (const std::string code : {"200", "222", "252", "299"}) {
    const auto seen =
        check_client_dialogue(rcpt + "S: " + code + " x\nC: DATA\nS: 354 go\n" + message + "S: 250 taken\n" + goodbye);
    CHECK(seen.has("rcpt 0 " + code + " x"));
  }
  for (const std::string code : {"400", "499", "500", "599"}) {
    const auto seen = check_client_dialogue(rcpt + "S: " + code + " x\nC: RSET\nS: 250 ok\n" + goodbye);
    CHECK(seen.has("rcpt 0 " + std::string{code.front() == '4' ? "transient " : ""} + code + " x"));
    CHECK(seen.has("transaction failed"));
  }
}

TEST_CASE("a code that no list has counts by its first digit", "[client][5321-4.2-15]") {
  const auto played = [](const std::string& script) { return check_client_dialogue(script).events.back(); };
  const std::string dot = data + "S: 354 go\n" + message;
  CHECK(played(mail + "S: 259 x\nC: RCPT TO:<b@mx.example>\nS: 259 x\nC: DATA\nS: 354 go\n" + message + "S: 259 x\n" + goodbye) ==
        "message 0-1 259 x");
  CHECK(played(mail + "S: 459 x\n" + goodbye) == "transaction failed transient: " + name_of(errc::mail_refused) + " 459 x");
  CHECK(played(mail + "S: 559 x\n" + goodbye) == "transaction failed: " + name_of(errc::mail_refused) + " 559 x");
  CHECK(played(data + "S: 459 x\nC: RSET\nS: 250 ok\n" + goodbye) ==
        "transaction failed transient: " + name_of(errc::data_refused) + " 459 x");
  CHECK(played(data + "S: 559 x\nC: RSET\nS: 250 ok\n" + goodbye) ==
        "transaction failed: " + name_of(errc::data_refused) + " 559 x");
  CHECK(played(dot + "S: 459 x\n" + goodbye) == "message 0-1 459 x");
  CHECK(played(dot + "S: 559 x\n" + goodbye) == "message 0-1 559 x");
}

TEST_CASE("a code that does not begin with 2 to 5 fails the transaction", "[client][5321-4.2-17]") {
  const std::string dot = data + "S: 354 go\n" + message;
  for (const std::string line : {"150 x", "199 x", "650 x", "050 x", "999 x"}) {
    for (const auto& [script, words] : std::vector<std::pair<std::string, std::string>>{
             {mail, "C: QUIT\n"}, {rcpt, "C: QUIT\n"}, {data, ""}, {dot, "C: QUIT\n"}}) {
      const auto seen = check_client_dialogue(script + "S: " + line + "\n" + words + "CLOSE\n");
      CHECK(seen.has("failed: "));
      CHECK(seen.has("transaction failed"));
      CHECK_FALSE(seen.has("message"));
    }
  }
}

TEST_CASE("the last line of a reply may be the code alone", "[client][5321-4.2.1-09]") {
  const auto seen = check_client_dialogue(
      "S: 220-mx\nS: 220\nC: EHLO client.example\nS: 250-mx\nS: 250-SIZE\nS: 250\nC: MAIL FROM:<a@client.example> SIZE=21\nS: "
      "550-no\nS: 550\n" +
      goodbye);
  CHECK(seen.has("transaction failed: " + name_of(errc::mail_refused) + " 550 no/"));
}

// ---- Time: 4.5.3.2

namespace {

/// What is waited for at each place of a session that sends one message.
std::vector<ehlo::wait> waits_of(const ehlo::client_options& options) {
  client_turns turns{options};
  const auto to = envelope_to({"b@mx.example"});
  std::vector<ehlo::wait> out;
  REQUIRE(turns.session.begin_transaction(to).has_value());
  for (const std::string_view reply : {"", "220 hi\r\n", "250 mx\r\n", "250 ok\r\n", "250 ok\r\n"}) {
    (void)turns.after(reply);
    out.push_back(turns.session.timeout());
  }
  (void)turns.after("354 go\r\n");
  REQUIRE(turns.session.end_of_mail_data("x: y\r\n").has_value());
  turns.waits.clear();
  (void)turns.after();
  out.push_back(turns.waits.front());
  out.push_back(turns.session.timeout());
  return out;
}

}  // namespace

TEST_CASE("each wait is as long as the standard wants, where the caller says nothing", "[client]") {
  struct row {
    std::string_view clause;
    std::size_t place;
    ehlo::waiting_for what;
    std::uint32_t seconds;
  };
  const row rows[] = {
      {"5321-4.5.3.2.1-01", 0, ehlo::waiting_for::greeting, 300},   {"5321-4.5.3.2.2-01", 2, ehlo::waiting_for::reply, 300},
      {"5321-4.5.3.2.3-01", 3, ehlo::waiting_for::reply, 300},      {"5321-4.5.3.2.4-01", 4, ehlo::waiting_for::reply, 120},
      {"5321-4.5.3.2.5-01", 5, ehlo::waiting_for::data_block, 180}, {"5321-4.5.3.2.6-01", 6, ehlo::waiting_for::reply, 600},
  };
  const auto waits = waits_of(in_clear);
  REQUIRE(waits.size() == 7);
  for (const row& r : rows) {
    CAPTURE(r.clause);
    CHECK(waits[r.place].what == r.what);
    CHECK(waits[r.place].seconds >= r.seconds);
  }
}

TEST_CASE("each wait is as long as the options of this session say", "[client][5321-4.5.3.2-02]") {
  ehlo::client_options options = in_clear;
  options.timeouts = {
      .greeting = 1000, .mail = 1002, .rcpt = 1003, .data = 1004, .data_block = 1005, .message = 1006, .command = 1001};
  const auto waits = waits_of(options);
  for (std::size_t i = 0; i < waits.size(); ++i) CHECK(waits[i].seconds == 1000 + i);
}

TEST_CASE("a wait may be shorter than RFC 5321 wants, where the two ends agree", "[client][6409-5.3-02]") {
  ehlo::client_options options = in_clear;
  options.timeouts = {.greeting = 1, .mail = 3, .rcpt = 4, .data = 5, .data_block = 6, .message = 7, .command = 2};
  REQUIRE(options.check().has_value());
  const auto waits = waits_of(options);
  for (std::size_t i = 0; i < waits.size(); ++i) CHECK(waits[i].seconds == 1 + i);
}

TEST_CASE("each piece of mail data begins another wait", "[client][5321-4.5.3.2-03]") {
  for (const std::string_view keywords : {"250 mx\r\n", "250-mx\r\n250 CHUNKING\r\n"}) {
    client_turns turns{in_clear};
    const auto to = envelope_to({"b@mx.example"});
    REQUIRE(turns.session.begin_transaction(to).has_value());
    for (const std::string_view reply :
         {std::string_view{"220 hi\r\n"}, keywords, std::string_view{"250 ok\r\n"}, std::string_view{"250 ok\r\n"}})
      (void)turns.after(reply);
    if (!turns.is_at<ehlo::mail_data_question>()) (void)turns.after("354 go\r\n");
    REQUIRE(turns.is_at<ehlo::mail_data_question>());
    turns.waits.clear();
    // Two lines with a dot, which leave as several pieces.
    REQUIRE(turns.session.end_of_mail_data("a\r\n.b\r\n.c\r\n").has_value());
    (void)turns.after();
    REQUIRE(turns.waits.size() >= 2);
    std::size_t blocks = 0;
    for (std::size_t i = 0; i < turns.waits.size(); ++i) {
      if (i > 0) CHECK(turns.waits[i].serial != turns.waits[i - 1].serial);
      if (turns.waits[i].what == ehlo::waiting_for::data_block) ++blocks;
    }
    CHECK(blocks >= 1);
    CHECK(turns.session.timeout().what == ehlo::waiting_for::reply);
  }
}

// ---- Appendix F

TEST_CASE("SEND, SOML and SAML cannot be said", "[client][5321-F.6-01]") {
  for (const std::string verb : {"SEND", "SOML", "SAML", "send"}) {
    const auto seen = check_client_dialogue(ready + "DO raw " + verb + " FROM:<a@client.example>\n", without_mail());
    CHECK(seen.has("raw refused: " + name_of(errc::out_of_order)));
    CHECK(seen.sent == "EHLO client.example\r\n");
  }
}
