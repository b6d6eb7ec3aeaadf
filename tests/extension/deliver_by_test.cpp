// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/extension/deliver_by.hpp>

#include "support/catch.hpp"
#include "support/written.hpp"

using ehlo::by_mode;
using ehlo::deliver_by;

TEST_CASE("BY is read and written back", "[extension][2852-4-01]") {
  const struct {
    std::string_view text;
    deliver_by value;
    std::string_view written;
  } rows[] = {
      {"1;R", {1, by_mode::return_message, false}, "1;R"},
      {"999999999;rT", {999999999, by_mode::return_message, true}, "999999999;RT"},
      {"+60;n", {60, by_mode::notify, false}, "60;N"},
      {"-999999999;NT", {-999999999, by_mode::notify, true}, "-999999999;NT"},
      {"0;N", {0, by_mode::notify, false}, "0;N"},
      {"000000007;N", {7, by_mode::notify, false}, "7;N"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto parsed = ehlo::parse_deliver_by(row.text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == row.value);
    CHECK(written(*parsed) == row.written);
  }
}

TEST_CASE("What is no BY is refused at the octet that is wrong", "[extension][2852-4-01]") {
  const struct {
    std::string_view text;
    std::size_t offset;
  } rows[] = {{"", 0},      {";R", 0},     {"-;N", 1},   {"60", 2},     {"60R", 2},  {"60;", 3},          {"60;X", 3}, {"60;TR", 3},
              {"60;RR", 4}, {"60;RTT", 5}, {"60;R ", 4}, {"--60;N", 1}, {"60,R", 2}, {"1234567890;R", 0}, {"0;R", 0},  {"-1;R", 0}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto parsed = ehlo::parse_deliver_by(row.text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == ehlo::error{ehlo::errc::by_value, row.offset});
  }
}

TEST_CASE("What is left of a time stays within the range", "[extension][2852-4.1.4-01]") {
  CHECK(deliver_by{60}.after(20) == deliver_by{40});
  CHECK(deliver_by{60, by_mode::return_message, true}.after(60) == deliver_by{0, by_mode::return_message, true});
  CHECK_FALSE(deliver_by{60, by_mode::return_message}.after(60).is_valid());
  CHECK(deliver_by{60}.after(60).is_valid());
  CHECK(deliver_by{-deliver_by::largest}.after(1).seconds == -deliver_by::largest);
  CHECK(deliver_by{-deliver_by::largest + 1}.after(1).seconds == -deliver_by::largest);
  CHECK(deliver_by{0}.after(UINT32_MAX).seconds == -deliver_by::largest);
  CHECK_FALSE(deliver_by{deliver_by::largest + 1}.is_valid());
  CHECK_FALSE(deliver_by{-deliver_by::largest - 1}.is_valid());
}

TEST_CASE("The minimum of DELIVERBY is a number, maybe with more behind a comma", "[extension][2852-2-01]") {
  CHECK(ehlo::parse_deliver_by_minimum("240") == 240);
  CHECK(ehlo::parse_deliver_by_minimum("240,x") == 240);
  CHECK(ehlo::parse_deliver_by_minimum("999999999") == 999999999);
  for (const std::string_view none : {"", "x", "-1", "240;", "1234567890", ",240"}) {
    CAPTURE(none);
    CHECK(ehlo::parse_deliver_by_minimum(none) == 0);
  }
}
