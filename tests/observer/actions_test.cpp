// SPDX-License-Identifier: BSL-1.0
#include <ehlo/observer/actions.hpp>

#include <cstdint>
#include <string_view>
#include <variant>

#include <ehlo/observer/observer.hpp>

#include "support/catch.hpp"

TEST_CASE("Commands are counted from 1, and 0 is of none", "[observer]") {
  CHECK(ehlo::observed_reply{}.serial == 0);
  CHECK(ehlo::observed_command{ehlo::plain_command{ehlo::verb::noop}}.serial == 0);
  CHECK(ehlo::malformed_command{}.serial == 0);
  CHECK(ehlo::observed_auth{}.serial == 0);
  CHECK(ehlo::observed_message{}.serial == 0);
  const ehlo::observer_options options;
  ehlo::observer observer{options};
  std::string_view greeting = "220 mx.example\r\n";
  const auto first = observer.next(ehlo::direction::from_server, greeting);
  REQUIRE(std::holds_alternative<ehlo::observed_reply>(first));
  CHECK(std::get<ehlo::observed_reply>(first).serial == 0);
  for (const std::uint32_t serial : {1U, 2U}) {
    std::string_view line = "NOPE\r\n";
    auto told = observer.next(ehlo::direction::from_client, line);
    while (std::holds_alternative<ehlo::anomaly>(told)) told = observer.next(ehlo::direction::from_client, line);
    REQUIRE(std::holds_alternative<ehlo::malformed_command>(told));
    CHECK(std::get<ehlo::malformed_command>(told).serial == serial);
  }
}

TEST_CASE("Each direction is the other one of the other", "[observer]") {
  CHECK(ehlo::other(ehlo::direction::from_client) == ehlo::direction::from_server);
  CHECK(ehlo::other(ehlo::direction::from_server) == ehlo::direction::from_client);
}

TEST_CASE("What a notice of an observer leaves open is nothing", "[observer]") {
  CHECK(ehlo::observed_command{ehlo::plain_command{ehlo::verb::noop}}.offset == 0);
  CHECK(ehlo::malformed_command{}.name == ehlo::verb::unknown);
  CHECK(ehlo::malformed_command{}.offset == 0);
  CHECK(ehlo::observed_reply{}.row == ehlo::reply_row::custom);
  CHECK(ehlo::observed_reply{}.recipient == 0);
  CHECK(ehlo::observed_reply{}.offset == 0);
  CHECK_FALSE(ehlo::observed_hello{}.esmtp);
  CHECK(ehlo::observed_hello{}.protocol == ehlo::protocol::smtp);
  CHECK_FALSE(ehlo::observed_auth{}.has_response);
  CHECK(ehlo::observed_auth{}.octets == 0);
  CHECK(ehlo::observed_message{} == ehlo::observed_message{0, 0, false, false, false, false});
  CHECK(ehlo::anomaly{}.offset == 0);
  CHECK(ehlo::lost{}.offset == 0);
}
