// SPDX-License-Identifier: BSL-1.0
// How recipients split over transactions, and what a session leaves to another one. RFC 9422, RFC 5321 4.5.4.1.
#include <string>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

client_dialogue::setup to_three() {
  client_dialogue::setup how;
  how.mails[0].to = {"b@x.example", "c@y.example", "d@X.example"};
  how.mails[0].octets = "x: y\r\n";
  return how;
}

}  // namespace

TEST_CASE("RCPTMAX splits the recipients over transactions, and each has the message", "[client][9422-4.2-02]") {
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250-PIPELINING
    S: 250 LIMITS RCPTMAX=2
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@x.example>
    C: RCPT TO:<c@y.example>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 550 no
    S: 354 go
    C: x: y
    C: .
    S: 250 first
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<d@X.example>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
    C: x: y
    C: .
    S: 250 second
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          to_three());
  CHECK(seen.has("message 0-2 250 first"));
  CHECK(seen.has("message 2-3 250 second"));
  CHECK_FALSE(seen.has("transaction failed"));
}

TEST_CASE("MAILMAX leaves the rest of the recipients to another session", "[client][9422-4.1-02]") {
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 LIMITS RCPTMAX=2 MAILMAX=1
    C: MAIL FROM:<a@client.example>
    S: 250 ok
    C: RCPT TO:<b@x.example>
    S: 250 ok
    C: RCPT TO:<c@y.example>
    S: 250 ok
    C: DATA
    S: 354 go
    C: x: y
    C: .
    S: 250 taken
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          to_three());
  CHECK(seen.has("message 0-2 250 taken"));
  CHECK(seen.has("transaction failed transient: too many transactions"));
}

TEST_CASE("RCPTDOMAINMAX defers recipients of further domains, compared without regard to case", "[client][9422-4.3-02]") {
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250-PIPELINING
    S: 250 LIMITS RCPTDOMAINMAX=1
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@x.example>
    S: 250 ok
    S: 250 ok
    C: RCPT TO:<d@X.example>
    C: DATA
    S: 250 ok
    S: 354 go
    C: x: y
    C: .
    S: 250 taken
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          to_three());
  CHECK(seen.has("deferred 1 "));
  CHECK(seen.has("rcpt 2 250 ok"));
  CHECK(seen.has("message 0-3 250 taken"));
  // The domains of a transaction count in all that follow it in the session.
  auto again = to_three();
  again.mails.push_back(again.mails[0]);
  again.mails[1].to = {"b@y.example", "e@x.example"};
  const auto both = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 LIMITS RCPTDOMAINMAX=1
    C: MAIL FROM:<a@client.example>
    S: 250 ok
    C: RCPT TO:<b@x.example>
    S: 250 ok
    C: RCPT TO:<d@X.example>
    S: 250 ok
    C: DATA
    S: 354 go
    C: x: y
    C: .
    S: 250 taken
    C: MAIL FROM:<a@client.example>
    S: 250 ok
    C: RCPT TO:<e@x.example>
    S: 250 ok
    C: DATA
    S: 354 go
    C: x: y
    C: .
    S: 250 taken
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          again);
  CHECK(both.count("deferred 0 ") == 1);
  CHECK(both.count("message 0-2 250 taken") == 1);
}

TEST_CASE("under all_or_nothing a recipient that is deferred holds the message back", "[client]") {
  auto how = to_three();
  how.options.recipients = ehlo::recipient_policy::all_or_nothing;
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250-PIPELINING
    S: 250 LIMITS RCPTDOMAINMAX=1
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@x.example>
    S: 250 ok
    S: 250 ok
    C: RCPT TO:<d@X.example>
    S: 250 ok
    C: RSET
    S: 250 ok
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          how);
  CHECK(seen.has("transaction failed transient: a recipient was refused"));
}

TEST_CASE("552 to a recipient is for later where it cannot mean the size", "[client][5321-4.5.3.1.10-02][1870-6.4-02]") {
  client_dialogue::setup how;
  const auto later = check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: "
      "552 too many\nC: RSET\nS: 250 ok\nC: QUIT\nS: 221 bye\nCLOSE\n",
      how);
  CHECK(later.has("rcpt 0 transient 552"));
  const auto final = check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 SIZE\nC: MAIL FROM:<a@client.example> SIZE=21\nS: 250 ok\nC: RCPT "
      "TO:<b@mx.example>\nS: 552 too large\nC: RSET\nS: 250 ok\nC: QUIT\nS: 221 bye\nCLOSE\n",
      how);
  CHECK(final.has("rcpt 0 552"));
}
