// SPDX-License-Identifier: BSL-1.0
// MTRK (RFC 3885) in a client session.
#include <string>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

constexpr ehlo::tracking tracked{"2jmj7l5rSw0yVb/vlWAYkK/YBwk", 100};

/// A message that is tracked goes to a server with these keywords.
void send(const std::string& keywords, const std::string& parameters) {
  client_dialogue::setup how;
  how.mails[0].options.envid = *ehlo::xtext::parse("x@b.example");
  how.mails[0].options.tracking = tracked;
  how.options.dsn = ehlo::dsn_policy::relay;
  check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: 250-mx\n" + keywords +
                            "S: 250 HELP\nC: MAIL FROM:<a@client.example>" + parameters +
                            "\nS: 550 no\nC: QUIT\nS: 221 bye\nCLOSE\n",
                        how);
}

}  // namespace

TEST_CASE("what is left of the time of tracking is passed on", "[client][mtrk][3885-3.1-03]") {
  CHECK(tracked.after(40) == ehlo::tracking{tracked.certifier, 60});
  CHECK_FALSE(tracked.after(100).has_value());
  CHECK_FALSE(tracked.after(101).has_value());
  CHECK(tracked.after(99)->timeout == 1U);
  CHECK(ehlo::tracking{tracked.certifier}.after(1000000) == ehlo::tracking{tracked.certifier});
}

TEST_CASE("a message is not tracked without ENVID", "[client][mtrk][3885-3.2-02]") {
  ehlo::envelope mail;
  CHECK(mail.begin("a@b.example", {.tracking = tracked}).error().code == ehlo::errc::tracking_without_envid);
  const auto envid = *ehlo::xtext::parse("x@b.example");
  CHECK(mail.begin("a@b.example", {.envid = envid, .tracking = tracked}).has_value());
  for (const ehlo::tracking& bad :
       {ehlo::tracking{}, ehlo::tracking{"a:1"}, ehlo::tracking{"ab="}, ehlo::tracking{"abcd", 1000000000}})
    CHECK(mail.begin("a@b.example", {.envid = envid, .tracking = bad}).error().code == ehlo::errc::tracking_value);
}

TEST_CASE("MTRK goes on to servers that offer it", "[client][mtrk][3885-3.3-01]") {
  send("S: 250-DSN\nS: 250-MTRK\n", " ENVID=x@b.example MTRK=2jmj7l5rSw0yVb/vlWAYkK/YBwk:100");
}

TEST_CASE("MTRK is left out where it is not offered", "[client][mtrk][3885-3.3-02]") { send("", ""); }

TEST_CASE("ENVID is kept where only DSN is offered", "[client][mtrk][3885-3.3-03]") {
  send("S: 250-DSN\n", " ENVID=x@b.example");
  send("S: 250-MTRK\n", "");
}
