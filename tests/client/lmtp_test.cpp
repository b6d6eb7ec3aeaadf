// SPDX-License-Identifier: BSL-1.0
// One reply for each recipient. RFC 2033.
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

TEST_CASE("LMTP: each reply belongs to the next accepted recipient, and the missing ones are unknown",
          "[client][2033-4.2-07][2033-5-07][2033-4.2-06][2033-5-06]") {
  client_dialogue::setup how;
  how.options.protocol = ehlo::protocol::lmtp;
  how.mails[0].to = {"b@mx.example", "no@mx.example", "c@mx.example", "d@mx.example"};
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: LHLO client.example
    S: 250-mx
    S: 250 PIPELINING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: RCPT TO:<no@mx.example>
    C: RCPT TO:<c@mx.example>
    C: RCPT TO:<d@mx.example>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 550 no
    S: 250 ok
    S: 250 ok
    S: 354 go on
    C: Subject: x
    C:
    C: Hello
    C: .
    S: 250-b
    S: 250 has it
    S: 452 c is full
    EOF
    CLOSE
  )",
                                          how);
  CHECK(seen.has("message 0-1 250 b/has it"));
  CHECK(seen.has("message 2-3 452 c is full"));
  CHECK(seen.has("transaction failed (unknown) transient"));
}
