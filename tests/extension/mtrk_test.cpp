// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <ehlo/extension/mtrk.hpp>

#include "support/catch.hpp"
#include "support/written.hpp"

using ehlo::tracking;

TEST_CASE("MTRK is base64 without padding, and maybe a colon and seconds", "[extension][3885-3.1-01]") {
  const std::string longest(27, 'A');
  for (const std::string& text :
       {std::string{"aGVsbG8"}, std::string{"aGVsbG8:0"}, std::string{"+/9z:999999999"}, longest, longest + ":1"}) {
    CAPTURE(text);
    const auto parsed = ehlo::parse_tracking(text);
    REQUIRE(parsed.has_value());
    CHECK(parsed->is_valid());
    CHECK(written(*parsed) == text);
  }
  CHECK(written(tracking{longest, tracking::largest_timeout}).size() == tracking::max_size);
  const struct {
    std::string text;
    std::size_t offset;
  } rows[] = {{"", 0},
              {":60", 0},
              {"a", 0},
              {"abcde", 0},
              {"aGVsbG8=", 7},
              {"a-b_", 1},
              {"aGVsbG8:", 8},
              {"aGVsbG8:x", 8},
              {"aGVsbG8:1234567890", 8},
              {"aGVsbG8:1:2", 8},
              {"aGVsbG8 ", 7},
              {longest + "A", 27}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto parsed = ehlo::parse_tracking(row.text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == ehlo::error{ehlo::errc::tracking_value, row.offset});
  }
}

TEST_CASE("A value of MTRK that the standard does not have is told apart", "[extension][3885-3.1-01]") {
  CHECK(tracking{"aGVsbG8", 999999999}.is_valid());
  CHECK_FALSE(tracking{"aGVsbG8", 1000000000}.is_valid());
  CHECK_FALSE(tracking{"aGVsbG8:60"}.is_valid());
  CHECK_FALSE(tracking{""}.is_valid());
  CHECK_FALSE(tracking{"aGVsbG8:"}.is_valid());
}

TEST_CASE("The time of tracking runs out at its last second", "[extension][3885-3.1-03]") {
  CHECK(tracking{"aGVsbG8", 60}.after(59) == tracking{"aGVsbG8", 1});
  CHECK_FALSE(tracking{"aGVsbG8", 60}.after(60).has_value());
  CHECK_FALSE(tracking{"aGVsbG8", 60}.after(UINT32_MAX).has_value());
  CHECK(tracking{"aGVsbG8"}.after(UINT32_MAX) == tracking{"aGVsbG8"});
}

TEST_CASE("A certifier that would be read as another one is not valid", "[extension][3885-3.1-01]") {
  CHECK(tracking{"aGVsbG8", 60}.is_valid());
  for (const std::string_view certifier : {"aGVsbG8:60", "aGVsbG8:", ":", "", "a", "aGVsbG8="}) {
    CAPTURE(certifier);
    CHECK_FALSE(tracking{certifier, {}}.is_valid());
  }
}
