// SPDX-License-Identifier: BSL-1.0
// HOLDFOR and HOLDUNTIL (RFC 4865) in a client session.
#include <string>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

/// The parameters of MAIL at a server with these keywords, or why none is sent.
std::string mail_of(const ehlo::sender_options& wanted, const std::string& keywords) {
  ehlo::envelope mail;
  if (const auto begun = mail.begin("a@client.example", wanted); !begun) return client_dialogue::name_of(begun.error().code);
  if (!mail.add("b@mx.example")) return "no envelope";
  const auto offered = ehlo::capabilities::parse(*ehlo::parse_reply("250-mx\r\n" + keywords + "250 DELIVERBY\r\n"));
  const ehlo::client_options options{.hostname = "client.example"};
  const auto plan = ehlo::plan_transaction(mail, {}, {.capabilities = offered}, options);
  return plan ? std::string{mail.view().parameters().text()} : client_dialogue::name_of(plan.error().code);
}

const std::string keyword = "250-FUTURERELEASE 86400 2030-01-01T00:00:00Z\r\n";

ehlo::sender_options until(const char* text) { return {.hold = ehlo::hold_until{*ehlo::timestamp::parse(text)}}; }

}  // namespace

TEST_CASE("a message is held only by a server that says it can", "[client][futurerelease][4865-4.1-01]") {
  const std::string reason = client_dialogue::name_of(ehlo::errc::future_release_not_offered);
  CHECK(mail_of({.hold = ehlo::hold_for{60}}, "") == reason);
  CHECK(mail_of({.hold = ehlo::hold_for{60}}, "250-FUTURERELEASE 86400\r\n") == reason);
  client_dialogue::setup how;
  how.mails[0].options.hold = ehlo::hold_for{60};
  const auto seen = check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: QUIT\nS: 221 bye\nCLOSE\n", how);
  CHECK(seen.events.back() == "transaction failed: " + reason);
}

TEST_CASE("MAIL has one hold parameter", "[client][futurerelease][4865-4.1-02]") {
  CHECK(mail_of({.hold = ehlo::hold_for{60}}, keyword) == "HOLDFOR=60");
  CHECK(mail_of(until("2029-12-31T23:59:59.5Z"), keyword) == "HOLDUNTIL=2029-12-31T23:59:59Z");
  CHECK(mail_of(until("2029-12-31T23:59:59-00:30"), keyword) == client_dialogue::name_of(ehlo::errc::hold_over_maximum));
  CHECK(mail_of(until("2029-12-31T23:59:59+00:30"), keyword) == "HOLDUNTIL=2029-12-31T23:29:59Z");
  CHECK(mail_of({.hold = ehlo::hold_for{0}}, keyword) == client_dialogue::name_of(ehlo::errc::hold_value));
  CHECK(mail_of({.hold = ehlo::hold_for{1000000000}}, keyword) == client_dialogue::name_of(ehlo::errc::hold_value));
  for (const char* text : {"HOLDFOR=1", "holduntil=2029-12-31T23:59:59Z"})
    CHECK(mail_of({.further = *ehlo::parameter_list::parse(text)}, keyword) ==
          client_dialogue::name_of(ehlo::errc::parameter_duplicate));
  client_dialogue::setup how;
  how.mails[0].options.hold = ehlo::hold_for{60};
  check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 FUTURERELEASE 86400 2030-01-01T00:00:00Z\nC: MAIL "
      "FROM:<a@client.example> HOLDFOR=60\nS: 501 no\nC: QUIT\nS: 221 bye\nCLOSE\n",
      how);
}

TEST_CASE("a hold is within what the server announced", "[client][futurerelease][4865-4.1-03]") {
  const std::string reason = client_dialogue::name_of(ehlo::errc::hold_over_maximum);
  CHECK(mail_of({.hold = ehlo::hold_for{86400}}, keyword) == "HOLDFOR=86400");
  CHECK(mail_of({.hold = ehlo::hold_for{86401}}, keyword) == reason);
  CHECK(mail_of(until("2030-01-01T00:00:00Z"), keyword) == "HOLDUNTIL=2030-01-01T00:00:00Z");
  CHECK(mail_of(until("2030-01-01T00:00:01Z"), keyword) == reason);
}

TEST_CASE("the deliver-by time is later than the release", "[client][futurerelease][4865-5.2-01]") {
  const std::string reason = client_dialogue::name_of(ehlo::errc::hold_after_deliver_by);
  const ehlo::deliver_by by{100, ehlo::by_mode::return_message};
  CHECK(mail_of({.by = by, .hold = ehlo::hold_for{101}}, keyword) == reason);
  CHECK(mail_of({.by = by, .hold = ehlo::hold_for{100}}, keyword) == reason);
  CHECK(mail_of({.by = by, .hold = ehlo::hold_for{99}}, keyword) == "BY=100;R HOLDFOR=99");
}
