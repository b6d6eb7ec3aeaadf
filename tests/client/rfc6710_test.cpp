// SPDX-License-Identifier: BSL-1.0
// MT-PRIORITY (RFC 6710) in a client session.
#include <string>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

/// A message of this priority goes to a server with this keyword.
void send(int priority, const std::string& keyword, const std::string& parameters) {
  client_dialogue::setup how;
  how.mails[0].options.priority = ehlo::message_priority{static_cast<std::int8_t>(priority)};
  check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 " + keyword + "\nC: MAIL FROM:<a@client.example>" +
                            parameters + "\nS: 550 no\nC: QUIT\nS: 221 bye\nCLOSE\n",
                        how);
}

}  // namespace

TEST_CASE("a relay passes the priority on", "[client][mt-priority][6710-4.2-01]") {
  send(3, "MT-PRIORITY", " MT-PRIORITY=3");
  send(-9, "MT-PRIORITY MIXER", " MT-PRIORITY=-9");
  send(0, "mt-priority", " MT-PRIORITY=0");
}

TEST_CASE("to other servers the priority is left out", "[client][mt-priority][6710-4.3-01]") { send(3, "HELP", ""); }

TEST_CASE("the priority is passed on as it is, not rounded", "[client][mt-priority][6710-5-02]") {
  for (int value = -9; value <= 9; ++value) {
    ehlo::envelope mail;
    REQUIRE(mail.begin("a@b.example", {.priority = ehlo::message_priority{static_cast<std::int8_t>(value)}}).has_value());
    CHECK(mail.view().parameters().text() == "MT-PRIORITY=" + std::to_string(value));
  }
  ehlo::envelope mail;
  CHECK(mail.begin("a@b.example", {.priority = ehlo::message_priority{10}}).error().code == ehlo::errc::priority_value);
}
