// SPDX-License-Identifier: BSL-1.0
// The course of a client's session when all goes well.
#include <string>
#include <utility>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

TEST_CASE("a message goes with EHLO, MAIL, RCPT, DATA and QUIT", "[client]") {
  const auto seen = check_client_dialogue(R"(
    S: 220 mx.example ESMTP
    C: EHLO client.example
    S: 250 mx.example
    C: MAIL FROM:<a@client.example>
    S: 250 OK
    C: RCPT TO:<b@mx.example>
    S: 250 OK
    C: DATA
    S: 354 go on
    C: Subject: x
    C:
    C: Hello
    C: .
    S: 250 taken
    C: QUIT
    S: 221 bye
    CLOSE
  )");
  CHECK(seen.events == std::vector<std::string>{"greeting 220 mx.example ESMTP", "ehlo 250 mx.example", "ready", "rcpt 0 250 OK",
                                                "data for 1", "message 0-1 250 taken"});
}

TEST_CASE("with PIPELINING the commands go in one batch", "[client]") {
  client_dialogue::setup how;
  how.mails[0].to = {"b@mx.example", "no@mx.example", "c@mx.example"};
  const auto seen = check_client_dialogue(R"(
    S: 220 mx.example ESMTP
    C: EHLO client.example
    S: 250-mx.example
    S: 250-PIPELINING
    S: 250-ENHANCEDSTATUSCODES
    S: 250 SIZE 1000000
    C: MAIL FROM:<a@client.example> SIZE=21
    C: RCPT TO:<b@mx.example>
    C: RCPT TO:<no@mx.example>
    C: RCPT TO:<c@mx.example>
    C: DATA
    S: 250 2.1.0 OK
    S: 250 2.1.5 OK
    S: 550 5.1.1 no such mailbox
    S: 250 2.1.5 OK
    S: 354 go on
    C: Subject: x
    C:
    C: Hello
    C: .
    S: 250 2.0.0 taken
    C: QUIT
    S: 221 2.0.0 bye
    CLOSE
  )",
                                          how);
  CHECK(seen.has("rcpt 1 550 5.1.1 no such mailbox"));
  CHECK(seen.has("message 0-3 250 2.0.0 taken"));
}
