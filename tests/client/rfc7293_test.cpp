// SPDX-License-Identifier: BSL-1.0
// RRVS (RFC 7293) in a client session.
#include <optional>
#include <string>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

client_dialogue::setup since(std::optional<ehlo::no_support_action> action) {
  client_dialogue::setup how;
  how.mails[0].recipient_options = {{.valid_since = ehlo::valid_since{*ehlo::timestamp::parse("2014-04-03T23:01:00Z"), action}}};
  return how;
}

std::string to_server(const std::string& keyword, const std::string& parameters) {
  return "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 " + keyword +
         "\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>" + parameters +
         "\nS: 550 5.7.17 no\nC: RSET\nS: 250 ok\nC: QUIT\nS: 221 bye\nCLOSE\n";
}

}  // namespace

TEST_CASE("RRVS goes on to a server that offers it, with its action", "[client][rrvs][7293-5.1.1-01]") {
  using ehlo::no_support_action;
  check_client_dialogue(to_server("RRVS", " RRVS=2014-04-03T23:01:00Z"), since(std::nullopt));
  check_client_dialogue(to_server("RRVS", " RRVS=2014-04-03T23:01:00Z;R"), since(no_support_action::reject));
  check_client_dialogue(to_server("RRVS", " RRVS=2014-04-03T23:01:00Z;C"), since(no_support_action::continue_delivery));
}

TEST_CASE("a message with RRVS does not go to a server without it", "[client][rrvs][7293-5.1.1-03]") {
  for (const auto& action : {std::optional<ehlo::no_support_action>{}, std::optional{ehlo::no_support_action::reject}}) {
    const auto seen = check_client_dialogue(
        "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 HELP\nC: QUIT\nS: 221 bye\nCLOSE\n", since(action));
    CHECK(seen.events.back() == "transaction failed: " + client_dialogue::name_of(ehlo::errc::valid_since_not_offered));
  }
}

TEST_CASE("with the action C it goes without RRVS", "[client][rrvs][7293-6-01]") {
  check_client_dialogue(to_server("HELP", ""), since(ehlo::no_support_action::continue_delivery));
}
