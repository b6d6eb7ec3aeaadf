// SPDX-License-Identifier: BSL-1.0
// What a client does when the server refuses, goes away or says too much: scripts of servers, what is sent to them, and what the
// caller hears.
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

TEST_CASE("a greeting of 554 is answered with QUIT", "[client][5321-4.1.4-16]") {
  const auto seen = check_client_dialogue(R"(
    S: 554-no service
    S: 554 here
    C: QUIT
    S: 221 bye
    CLOSE
  )");
  CHECK(seen.events == std::vector<std::string>{"failed: the server does not serve us 554 no service/here",
                                                "transaction failed: the server does not serve us"});
}

TEST_CASE("521 at the opening is a permanent refusal of the host", "[client][7504-3-05]") {
  const auto seen = check_client_dialogue("S: 521 host takes no mail\nC: QUIT\nS: 521 still not\nCLOSE\n");
  CHECK(seen.has("failed: the server does not serve us 521"));
}

TEST_CASE("421 ends the session at any point, without a word", "[client][5321-3.8-06]") {
  for (const std::string before :
       {"", "S: 220 hi\nC: EHLO client.example\n",
        "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\n",
        "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\n"}) {
    const auto seen = check_client_dialogue(before + "S: 421 going down\nCLOSE\n");
    CHECK(seen.has("failed: the server closes the channel 421 going down"));
    CHECK(seen.has("transaction failed transient: the server closes the channel"));
  }
}

TEST_CASE("HELO follows a refusal of EHLO as unknown", "[client][5321-2.2.1-03][5321-3.2-02]") {
  for (const std::string code : {"500", "502", "504"}) {
    const auto seen =
        check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: " + code +
                              " what?\nC: HELO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 550 no\n"
                              "C: QUIT\nS: 221 bye\nCLOSE\n");
    CHECK(seen.has("helo 250 mx"));
    CHECK(seen.has("transaction failed: MAIL was refused 550 no"));
  }
}

TEST_CASE("a lost channel is a transient failure, and unknown behind the final dot", "[client][threats][T16][5321-3.8-05]") {
  const std::string start =
      "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 250 "
      "ok\n"
      "C: DATA\n";
  const auto before = check_client_dialogue(start + "EOF\nCLOSE\n");
  CHECK(before.has("transaction failed transient: the channel ended"));
  const auto behind = check_client_dialogue(start + "S: 354 go\nC: Subject: x\nC:\nC: Hello\nC: .\nEOF\nCLOSE\n");
  CHECK(behind.has("transaction failed (unknown) transient: the channel ended"));
  CHECK_FALSE(behind.has("message"));
  const auto late = check_client_dialogue(start + "S: 354 go\nC: Subject: x\nC:\nC: Hello\nC: .\nTIMEOUT\nC: QUIT\nCLOSE\n");
  CHECK(late.has("transaction failed (unknown) transient: the reply did not come in time"));
}

TEST_CASE("a 354 for nobody gets the lone dot", "[client][threats][T6][2920-3.1-06][2920-4-03]") {
  client_dialogue::setup how;
  how.mails[0].to = {"no@mx.example", "nor@mx.example"};
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 PIPELINING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<no@mx.example>
    C: RCPT TO:<nor@mx.example>
    C: DATA
    S: 250 ok
    S: 550 no
    S: 450 busy
    S: 354 go on
    C: .
    S: 554 no valid recipients
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          how);
  CHECK(seen.has("rcpt 0 550"));
  CHECK(seen.has("rcpt 1 transient 450"));
  CHECK_FALSE(seen.has("message"));
  CHECK(seen.has("transaction failed: a recipient was refused"));
}

TEST_CASE("a recipient who was taken behind a refused MAIL gets no empty message", "[client][threats][T6]") {
  client_dialogue::setup how;
  how.mails[0].to = {"b@mx.example"};
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 PIPELINING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: DATA
    S: 451 not now
    S: 250 ok
    S: 354 go on
    CLOSE
  )",
                                          how);
  CHECK(seen.has("transaction failed transient: " + client_dialogue::name_of(ehlo::errc::mail_refused) + " 451 not now"));
  CHECK(seen.has("failed: " + client_dialogue::name_of(ehlo::errc::unexpected_reply)));
  CHECK_FALSE(seen.has("message"));
}

TEST_CASE("with all_or_nothing DATA waits for the recipients, and RSET follows a refusal", "[client]") {
  client_dialogue::setup how;
  how.options.recipients = ehlo::recipient_policy::all_or_nothing;
  how.mails[0].to = {"b@mx.example", "no@mx.example"};
  how.mails.push_back({.from = "<>", .to = {"<Postmaster>"}, .octets = ".\r\n"});
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 PIPELINING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: RCPT TO:<no@mx.example>
    S: 250 ok
    S: 250 ok
    S: 550 no
    C: RSET
    S: 250 ok
    C: MAIL FROM:<>
    C: RCPT TO:<Postmaster>
    S: 250 ok
    S: 250 ok
    C: DATA
    S: 354 go on
    C: ..
    C: .
    S: 250 taken
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          how);
  CHECK(seen.has("transaction failed: a recipient was refused"));
  CHECK(seen.has("message 0-1 250 taken"));
}

TEST_CASE("a reply that no command asked for ends the session", "[client][threats][T6]") {
  auto how = client_dialogue::setup{};
  how.whole_only = true;
  const auto seen = check_client_dialogue("S: 220 hi\nS: 250 mx\nC: QUIT\nCLOSE\n", how);
  CHECK(seen.has("unsolicited 250 mx"));
  CHECK(seen.has("failed: octets came that no command asked for"));
  const auto early = check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: "
      "QUIT\nCLOSE\n",
      how);
  CHECK(early.has("unsolicited 250 ok"));
}

TEST_CASE("octets that are no reply end the session", "[client][5321-4.2-18][5321-4.2-17]") {
  for (const auto& [line, why] : std::vector<std::pair<std::string, std::string>>{{"hello", "a line of a reply begins"},
                                                                                  {"150 x", "a line of a reply begins"},
                                                                                  {"2x0 x", "a line of a reply begins"},
                                                                                  {"250_x", "a line of a reply begins"},
                                                                                  {"25", "a line of a reply begins"},
                                                                                  {"250-a\nS: 550 b", "the lines of a reply"},
                                                                                  {"250 a\\nb", "a LF without"},
                                                                                  {"250 a\\rb", "a CR without"},
                                                                                  {"250 \\0", "a NUL octet"}}) {
    INFO(line);
    const auto seen = check_client_dialogue(
        "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: " + line + "\nC: QUIT\nCLOSE\n");
    CHECK(seen.has("failed: " + why));
    CHECK(seen.has("transaction failed"));
  }
}

TEST_CASE("BDAT goes to servers with CHUNKING, and a refused chunk is followed by RSET", "[client][3030-2-13][3030-2-15]") {
  client_dialogue::setup how;
  how.mails[0].piece = 8;
  how.mails.push_back(client_dialogue::mail{});
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 CHUNKING
    C: MAIL FROM:<a@client.example>
    S: 250 ok
    C: RCPT TO:<b@mx.example>
    S: 250 ok
    C: BDAT 8
    c: Subject:
    S: 452 full
    C: RSET
    S: 250 ok
    C: MAIL FROM:<a@client.example>
    S: 250 ok
    C: RCPT TO:<b@mx.example>
    S: 250 ok
    C: BDAT 21 LAST
    C: Subject: x
    C:
    C: Hello
    S: 250 taken
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          how);
  CHECK(seen.has("transaction failed transient: a chunk was refused"));
}

TEST_CASE("HELO is tried after 501 and 550 where the options say so, and after no other code", "[client][5321-3.2-02]") {
  for (const std::string code : {"501", "550", "554", "421", "450"}) {
    CAPTURE(code);
    client_dialogue::setup how;
    how.mails.clear();
    const std::string hello = "S: 220 hi\nC: EHLO client.example\nS: " + code + " no\n";
    const bool is_known = code == "501" || code == "550";
    for (const bool tries : {false, true}) {
      how.options.helo_after_501_and_550 = tries;
      const std::string behind = tries && is_known ? "C: HELO client.example\nS: 250 mx\nC: QUIT\nS: 221 bye\nCLOSE\n"
                                 : code == "421"   ? "CLOSE\n"
                                                   : "C: QUIT\nS: 221 bye\nCLOSE\n";
      check_client_dialogue(hello + behind, how);
    }
  }
}

TEST_CASE("552 to RCPT is for later when a hundred recipients were accepted, and for good when the message is too large",
          "[client][5321-4.5.3.1.10-02]") {
  client_dialogue::setup how;
  how.whole_only = true;
  how.mails[0].to.clear();
  std::string recipients;
  for (int i = 0; i < 102; ++i) {
    how.mails[0].to.push_back("b" + std::to_string(i) + "@mx.example");
    recipients += "C: RCPT TO:<" + how.mails[0].to.back() + ">\nS: " + (i == 50 || i == 101 ? "552 too many" : "250 ok") + "\n";
  }
  how.mails[0].to.push_back("last@mx.example");
  const auto seen = check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 SIZE 100000\nC: MAIL "
      "FROM:<a@client.example> SIZE=21\nS: 250 ok\n" +
          recipients +
          "C: RCPT TO:<last@mx.example>\nS: 550 no\nC: DATA\nS: 354 go\nC: Subject: x\nC:\nC: Hello\nC: .\nS: 250 taken\nC: "
          "QUIT\nS: 221 bye\nCLOSE\n",
      how);
  CHECK(seen.has("rcpt 50 552"));
  CHECK(seen.has("rcpt 101 transient 552"));
  CHECK(seen.has("rcpt 102 550"));
}
