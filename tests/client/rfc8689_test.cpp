// SPDX-License-Identifier: BSL-1.0
// What RFC 8689 asks of a client that sends a message with REQUIRETLS.
#include <string>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

using client_dialogue::name_of;
using client_dialogue::setup;
using ehlo::errc;

const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";
const std::string starttls = "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250-REQUIRETLS\nS: 250 STARTTLS\nC: STARTTLS\n";
const std::string handshake = starttls + "S: 220 go\n";
const std::string offered = "C: EHLO client.example\nS: 250-mx\nS: 250 REQUIRETLS\n";
const std::string not_offered = "C: EHLO client.example\nS: 250 mx\n";

setup tagged(ehlo::tls_policy policy = ehlo::tls_policy::required) {
  setup how;
  how.options.tls = policy;
  how.mails[0].options.require_tls = true;
  return how;
}

const std::string why = "transaction failed: " + name_of(errc::require_tls_not_offered);

}  // namespace

TEST_CASE("REQUIRETLS counts where it is offered inside TLS", "[client][8689-2-07]") {
  check_client_dialogue(handshake + "TLS\n" + offered + "C: MAIL FROM:<a@client.example> REQUIRETLS\nS: 550 no\n" + goodbye,
                        tagged());
  CHECK(check_client_dialogue(handshake + "TLS\n" + not_offered + goodbye, tagged()).events.back() == why);
}

TEST_CASE("a message with REQUIRETLS waits for each step: TLS, the server's certificate, its offer", "[client][8689-4.2.1-01]") {
  const auto active = tagged(ehlo::tls_policy::active);
  const auto opportunistic = tagged(ehlo::tls_policy::opportunistic);
  const auto never = tagged(ehlo::tls_policy::never);
  struct row {
    std::string lacks;
    setup how;
    std::string script;
  };
  const std::vector<row> rows = {
      {"TLS", never, "S: 220 hi\n" + offered},
      {"TLS, which was refused", opportunistic, starttls + "S: 454 no\n"},
      {"TLS, which was not offered", opportunistic, "S: 220 hi\n" + offered},
      {"the certificate", tagged(), handshake + "TLS UNVERIFIED\n" + offered},
      {"the certificate, on a channel with TLS from the start", active, "S: 220 hi\n" + offered},
      {"the offer inside TLS", tagged(), handshake + "TLS\n" + not_offered},
      {"the offer by its name", tagged(), handshake + "TLS\nC: EHLO client.example\nS: 250-mx\nS: 250 XREQUIRETLS\n"},
  };
  for (const row& r : rows) {
    CAPTURE(r.lacks);
    const auto seen = check_client_dialogue(r.script + goodbye, r.how);
    CHECK(seen.sent.find("MAIL") == seen.sent.npos);
    CHECK(seen.events.back() == why);
  }
}

TEST_CASE("where a step has failed a client leaves with QUIT and says why", "[client][8689-4.2.1-02]") {
  const auto seen = check_client_dialogue(handshake + "TLS\n" + not_offered + goodbye, tagged());
  CHECK(seen.events.back() == why);
  CHECK(seen.sent.ends_with("EHLO client.example\r\nQUIT\r\n"));
  const auto refused = check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 no\n" + goodbye, tagged());
  CHECK(refused.has("transaction failed"));
  CHECK(refused.sent.find("MAIL") == refused.sent.npos);
}

TEST_CASE("other messages may go on a channel that is not good enough for one with REQUIRETLS", "[client][8689-4.2.1-03]") {
  auto how = tagged();
  how.mails.insert(how.mails.begin(), client_dialogue::mail{.from = "first@client.example"});
  how.mails.push_back({.from = "last@client.example"});
  const auto seen = check_client_dialogue(handshake + "TLS\n" + not_offered + R"(
    C: MAIL FROM:<first@client.example>
    S: 250 ok
    C: RCPT TO:<b@mx.example>
    S: 250 ok
    C: DATA
    S: 354 go
    C: Subject: x
    C:
    C: Hello
    C: .
    S: 250 taken
    C: MAIL FROM:<last@client.example>
    S: 550 no
  )" + goodbye,
                                          how);
  CHECK(seen.has(why));
  CHECK(seen.has("message 0-1 250 taken"));
}

TEST_CASE("a submitter says STARTTLS, and then REQUIRETLS on MAIL", "[client][8689-4.3-01]") {
  constexpr ehlo::auth_mechanism plain[] = {ehlo::mechanisms::plain};
  auto how = tagged();
  how.options.mechanisms = plain;
  how.mails[0].from = "<>";
  check_client_dialogue(handshake + R"(
    TLS
    C: EHLO client.example
    S: 250-mx
    S: 250-REQUIRETLS
    S: 250 AUTH PLAIN
    C: AUTH PLAIN AHVzZXIAcGFzcw==
    S: 235 welcome
    C: MAIL FROM:<> REQUIRETLS
    S: 550 no
  )" + goodbye,
                        how);
}
