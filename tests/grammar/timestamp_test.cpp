// SPDX-License-Identifier: BSL-1.0
#include <ehlo/grammar/timestamp.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/written.hpp"

using ehlo::timestamp;

namespace {

constexpr std::int64_t first = -62167219200;  // 0000-01-01T00:00:00Z
constexpr std::int64_t last = 253402300799;   // 9999-12-31T23:59:59Z

}  // namespace

TEST_CASE("A timestamp is written as it was read", "[grammar][7293-3.1-02][4865-3-04]") {
  for (const std::string_view text :
       {"0000-01-01T00:00:00Z", "0000-02-29T00:00:00Z", "0000-03-01T00:00:00Z", "1900-02-28T23:59:59Z", "1970-01-01T00:00:00Z",
        "2000-02-29T12:30:45Z", "2014-04-03T23:01:00+01:30", "2014-04-03T23:01:00-11:00", "2014-01-01T00:00:00+23:59",
        "2013-12-31T23:59:59-00:01", "9999-12-31T23:59:59Z"}) {
    CAPTURE(text);
    const auto parsed = timestamp::parse(text);
    REQUIRE(parsed.has_value());
    CHECK(written(*parsed) == text);
  }
  CHECK(written(*timestamp::parse("2014-04-03t23:01:00z")) == "2014-04-03T23:01:00Z");
  CHECK(written(*timestamp::parse("2014-04-03T23:01:00-00:00")) == "2014-04-03T23:01:00Z");
}

TEST_CASE("Days of the years 0 to 9999 go to seconds and text and back, in order", "[grammar]") {
  const auto walk = [](std::int64_t from, std::int64_t to, int days) {
    std::string previous;
    for (std::int64_t seconds = from; seconds <= to; seconds += std::int64_t{86400} * days) {
      std::array<char, timestamp::max_size> octets{};
      const char* const end = timestamp::from_unix(seconds)->write(octets.data());
      const std::string text{octets.data(), static_cast<std::size_t>(end - octets.data())};
      const auto back = timestamp::parse(text);
      if (!back || back->to_unix() != seconds || text <= previous) {
        CAPTURE(seconds, text, previous);
        FAIL("a day is lost, or out of order");
      }
      previous = text;
    }
    return previous;
  };
  const auto at = [](std::string_view text) { return timestamp::parse(text)->to_unix(); };
  CHECK(walk(first, last, 29).starts_with("9999-12-"));
  CHECK(walk(first, at("0009-01-01T00:00:00Z"), 1) == "0009-01-01T00:00:00Z");
  CHECK(walk(at("1896-01-01T00:00:00Z"), at("1905-01-01T00:00:00Z"), 1) == "1905-01-01T00:00:00Z");
  CHECK(walk(at("1996-01-01T00:00:00Z"), at("2033-01-01T00:00:00Z"), 1) == "2033-01-01T00:00:00Z");
  CHECK(walk(at("9992-01-01T00:00:00Z"), last, 1) == "9999-12-31T00:00:00Z");
}

TEST_CASE("Beyond the years 0 to 9999 there is no timestamp", "[grammar]") {
  CHECK(timestamp::from_unix(first).has_value());
  CHECK(timestamp::from_unix(last).has_value());
  CHECK(timestamp::from_unix(first - 1).error() == ehlo::error{ehlo::errc::timestamp_value, 0});
  CHECK(timestamp::from_unix(last + 1).error() == ehlo::error{ehlo::errc::timestamp_value, 0});
  CHECK_FALSE(timestamp::parse("0000-01-01T00:00:00+00:01").has_value());
  CHECK_FALSE(timestamp::parse("9999-12-31T23:59:59-00:01").has_value());
  CHECK_FALSE(timestamp::parse("9999-12-31T23:59:60Z").has_value());
  CHECK(timestamp::parse("0000-01-01T00:01:00+00:01")->to_unix() == first);
}

TEST_CASE("Earlier is less, whatever the zones; a fraction and a leap second are noticed", "[grammar][7293-3.1-03]") {
  const auto at = [](std::string_view text) { return *timestamp::parse(text); };
  CHECK(at("2014-04-03T23:01:00+01:30") == at("2014-04-03T21:31:00Z"));
  CHECK(at("2014-04-03T23:01:00+01:30") < at("2014-04-03T23:01:00Z"));
  CHECK(at("2014-04-03T23:01:00-01:30") > at("2014-04-03T23:01:00Z"));
  CHECK(at("2014-04-03T23:01:00-01:30").zone_minutes() == -90);
  CHECK(at("2016-12-31T23:59:60Z") == at("2017-01-01T00:00:00Z"));
  CHECK(at("2014-04-03T23:01:00.0Z").has_fraction());
  CHECK(at("2014-04-03T23:01:00.999999999Z") == at("2014-04-03T23:01:00Z"));
  CHECK_FALSE(at("2014-04-03T23:01:00Z").has_fraction());
  CHECK(timestamp{}.to_unix() == 0);
}

TEST_CASE("What is no timestamp is refused at the octet that is wrong", "[grammar][4865-3-04]") {
  const struct {
    std::string_view text;
    std::size_t offset;
  } rows[] = {
      {"", 0},
      {"201x-01-01T00:00:00Z", 3},
      {"2014/01-01T00:00:00Z", 4},
      {"2014-00-01T00:00:00Z", 7},
      {"2014-13-01T00:00:00Z", 7},
      {"2014-1-01T00:00:00Z", 6},
      {"2014-01:01T00:00:00Z", 7},
      {"2014-01-00T00:00:00Z", 10},
      {"2014-01-32T00:00:00Z", 10},
      {"2014-04-31T00:00:00Z", 10},
      {"2014-02-29T00:00:00Z", 10},
      {"1900-02-29T00:00:00Z", 10},
      {"2014-01-01 00:00:00Z", 10},
      {"2014-01-01T24:00:00Z", 13},
      {"2014-01-01T00-00:00Z", 13},
      {"2014-01-01T00:60:00Z", 16},
      {"2014-01-01T00:00Z", 16},
      {"2014-01-01T00:00:61Z", 19},
      {"2014-01-01T00:00:00", 19},
      {"2014-01-01T00:00:00.Z", 20},
      {"2014-01-01T00:00:00,5Z", 19},
      {"2014-01-01T00:00:00*01:00", 19},
      {"2014-01-01T00:00:00+24:00", 22},
      {"2014-01-01T00:00:00+0100", 22},
      {"2014-01-01T00:00:00+01:60", 25},
      {"2014-01-01T00:00:00+01:0", 24},
      {"2014-01-01T00:00:00Z ", 20},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto parsed = timestamp::parse(row.text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == ehlo::error{ehlo::errc::timestamp_value, row.offset});
  }
}
