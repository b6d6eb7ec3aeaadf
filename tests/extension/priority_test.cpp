// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <ehlo/extension/priority.hpp>

#include "support/catch.hpp"
#include "support/written.hpp"

using ehlo::message_priority;

TEST_CASE("A priority is -9 to 9, each written one way", "[extension][6710-7-01]") {
  std::size_t longest = 0;
  for (int value = -9; value <= 9; ++value) {
    const message_priority priority{static_cast<std::int8_t>(value)};
    CHECK(priority.is_valid());
    CHECK(written(priority) == std::to_string(value));
    CHECK(*ehlo::parse_priority(written(priority)) == priority);
    longest = std::max(longest, written(priority).size());
  }
  CHECK(longest == message_priority::max_size);
  CHECK_FALSE(message_priority{10}.is_valid());
  CHECK_FALSE(message_priority{-10}.is_valid());
  for (const std::string_view wrong : {"", "-", "-0", "00", "+1", "10", "-10", " 1", "1 ", "a", "--1", "/", ":"}) {
    CAPTURE(wrong);
    REQUIRE_FALSE(ehlo::parse_priority(wrong).has_value());
    CHECK(ehlo::parse_priority(wrong).error() == ehlo::error{ehlo::errc::priority_value, 0});
  }
}

TEST_CASE("A priority between two levels is the higher one, and above all the highest", "[extension][6710-5-01]") {
  constexpr std::array<message_priority, 3> levels{{{-4}, {0}, {4}}};
  CHECK(message_priority{-9}.rounded_up(levels).value == -4);
  CHECK(message_priority{-4}.rounded_up(levels).value == -4);
  CHECK(message_priority{-3}.rounded_up(levels).value == 0);
  CHECK(message_priority{1}.rounded_up(levels).value == 4);
  CHECK(message_priority{9}.rounded_up(levels).value == 4);
  CHECK(message_priority{9}.rounded_up({}).value == 9);
}

TEST_CASE("The name of a policy is up to 20 octets of its own alphabet", "[extension][6710-7-02]") {
  for (const std::string_view name : {"MIXER", "STANAG4406", "a-b_c.d", "01234567890123456789"}) {
    CHECK(ehlo::parse_priority_policy(name) == name);
  }
  for (const std::string_view none : {"", "a b", "a,b", "a=b", "012345678901234567890"}) {
    CHECK(ehlo::parse_priority_policy(none).empty());
  }
}
