// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <string_view>

#include <ehlo/extension/future_release.hpp>

#include "support/catch.hpp"
#include "support/written.hpp"

using ehlo::errc;
using ehlo::hold_for;
using ehlo::hold_limits;
using ehlo::hold_until;
using ehlo::timestamp;

TEST_CASE("HOLDFOR is one to nine digits, and the first is not 0", "[extension][4865-3-03]") {
  CHECK(ehlo::parse_hold_for("1")->seconds == 1);
  CHECK(ehlo::parse_hold_for("999999999")->seconds == 999999999);
  CHECK(written(hold_for{86400}) == "86400");
  const struct {
    std::string_view text;
    std::size_t offset;
  } rows[] = {{"", 0}, {"0", 0}, {"01", 0}, {"-1", 0}, {"1x", 1}, {"1234567890", 9}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    REQUIRE_FALSE(ehlo::parse_hold_for(row.text).has_value());
    CHECK(ehlo::parse_hold_for(row.text).error() == ehlo::error{errc::hold_value, row.offset});
  }
}

TEST_CASE("HOLDUNTIL is a time in UTC", "[extension][4865-3-04]") {
  CHECK(ehlo::parse_hold_until("2030-01-01T00:00:00Z")->time.to_unix() == 1893456000);
  CHECK(ehlo::parse_hold_until("2030-01-01T00:00:00+00:00")->time.to_unix() == 1893456000);
  CHECK(written(hold_until{*timestamp::from_unix(1893456000)}) == "2030-01-01T00:00:00Z");
  CHECK(ehlo::parse_hold_until("2030-01-01T01:00:00+01:00").error() == ehlo::error{errc::hold_value, 0});
  CHECK(ehlo::parse_hold_until("2030-01-01").error() == ehlo::error{errc::hold_value, 10});
}

TEST_CASE("A hold is within both limits to the second", "[extension][4865-4.2-05]") {
  const auto limits = ehlo::parse_hold_limits("86400 2030-01-01T00:00:00Z");
  REQUIRE(limits.has_value());
  CHECK(limits->allow(hold_for{86400}));
  CHECK_FALSE(limits->allow(hold_for{86401}));
  CHECK(limits->allow(hold_until{*timestamp::parse("2030-01-01T00:00:00Z")}));
  CHECK_FALSE(limits->allow(hold_until{*timestamp::parse("2030-01-01T00:00:01Z")}));
  CHECK(written(*limits) == "86400 2030-01-01T00:00:00Z");
  CHECK(*limits == hold_limits{86400, *timestamp::parse("2030-01-01T00:00:00Z")});
  for (const std::string_view none :
       {"", "86400", "86400 ", " 2030-01-01T00:00:00Z", "0 2030-01-01T00:00:00Z", "86400 2030", "86400  2030-01-01T00:00:00Z"}) {
    CAPTURE(none);
    CHECK_FALSE(ehlo::parse_hold_limits(none).has_value());
  }
}
