// SPDX-License-Identifier: BSL-1.0
// What RFC 2852 asks of a client that sends BY.
#include <string>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

using client_dialogue::name_of;
using client_dialogue::setup;
using ehlo::errc;

const std::string hello = "S: 220 hi\nC: EHLO client.example\n";
const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";

setup by(ehlo::deliver_by time) {
  setup how;
  how.mails[0].options.by = time;
  return how;
}

}  // namespace

TEST_CASE("BY goes with the seconds that are left", "[client][2852-4.1.4-01]") {
  const ehlo::deliver_by received{120, ehlo::by_mode::return_message};
  check_client_dialogue(hello + "S: 250-mx\nS: 250 DELIVERBY\nC: MAIL FROM:<a@client.example> BY=98;R\nS: 550 no\n" + goodbye,
                        by(received.after(22)));
  const ehlo::deliver_by late{10, ehlo::by_mode::notify, true};
  check_client_dialogue(hello + "S: 250-mx\nS: 250 DELIVERBY\nC: MAIL FROM:<a@client.example> BY=-12;NT\nS: 550 no\n" + goodbye,
                        by(late.after(22)));
}

TEST_CASE("a message that is to go back if it is late goes to no server without DELIVERBY", "[client][2852-4.1.4.1-01]") {
  const auto seen = check_client_dialogue(hello + "S: 250 mx\n" + goodbye, by({98, ehlo::by_mode::return_message}));
  CHECK(seen.events.back() == "transaction failed: " + name_of(errc::deliver_by_not_offered));
}

TEST_CASE("nor to one that wants more time than is left", "[client][2852-4.1.4.1-02]") {
  const auto how = by({98, ehlo::by_mode::return_message});
  for (const std::string most : {"240", "99"}) {
    const auto seen = check_client_dialogue(hello + "S: 250-mx\nS: 250 DELIVERBY " + most + "\n" + goodbye, how);
    CHECK(seen.events.back() == "transaction failed: " + name_of(errc::by_below_minimum));
  }
  check_client_dialogue(hello + "S: 250-mx\nS: 250 DELIVERBY 98\nC: MAIL FROM:<a@client.example> BY=98;R\nS: 550 no\n" + goodbye,
                        how);
}

TEST_CASE("with the mode N a message goes to any server, and BY to those that offer DELIVERBY", "[client][2852-4.1.4.2-01]") {
  const auto how = by({98, ehlo::by_mode::notify});
  check_client_dialogue(hello + "S: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 550 no\n" + goodbye, how);
  check_client_dialogue(hello + "S: 250-mx\nS: 250 DELIVERBY 240\nC: MAIL FROM:<a@client.example> BY=98;N\nS: 550 no\n" + goodbye,
                        how);
}
