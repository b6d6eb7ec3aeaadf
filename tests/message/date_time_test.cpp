// SPDX-License-Identifier: BSL-1.0
#include <ehlo/message/date_time.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace ehlo;

std::string text_of(const date_time& date) {
  char out[date_time::max_size];
  return {out, date.write(out)};
}

TEST_CASE("A date is written with a numeric zone", "[message][5321-4.4-08]") {
  CHECK(text_of(*date_time::make(2024, 1, 1, 10, 0, 0, 60)) == "Mon, 1 Jan 2024 10:00:00 +0100");
  CHECK(text_of(*date_time::make(2024, 12, 31, 23, 59, 60, -(9 * 60 + 30))) == "Tue, 31 Dec 2024 23:59:60 -0930");
  CHECK(text_of(*date_time::from_unix(1704099600, 60)) == "Mon, 1 Jan 2024 10:00:00 +0100");
  CHECK(text_of(*date_time::from_unix(0)) == "Thu, 1 Jan 1970 00:00:00 +0000");
  CHECK(text_of(*date_time::from_unix(-1)) == "Wed, 31 Dec 1969 23:59:59 +0000");
}

TEST_CASE("Obsolete dates are refused", "[message][5321-4.4-21]") {
  CHECK(date_time::parse("Mon, 1 Jan 24 10:00:00 +0100").error().code == errc::date_year);
  CHECK(date_time::parse("Mon, 1 Jan 124 10:00:00 +0100").error().code == errc::date_year);
  CHECK(date_time::parse("Mon, 1 Jan 2024 10:00:00 GMT").error().code == errc::date_zone);
  CHECK(date_time::parse("Mon, 1 Jan 2024 10:00:00 Z").error().code == errc::date_zone);
  CHECK(date_time::parse("Mon (x), 1 Jan 2024 10:00:00 +0000").error().code == errc::date_day_name);
}

TEST_CASE("A year is written with four digits", "[message][5321-F.5-01]") {
  CHECK(text_of(*date_time::make(1900, 2, 28, 0, 0, 0, 0)) == "Wed, 28 Feb 1900 00:00:00 +0000");
  CHECK(text_of(*date_time::make(2000, 2, 29, 0, 0, 0, 0)) == "Tue, 29 Feb 2000 00:00:00 +0000");
  CHECK(text_of(*date_time::make(9999, 12, 31, 0, 0, 0, 0)) == "Fri, 31 Dec 9999 00:00:00 +0000");
  CHECK(date_time::make(99, 1, 1, 0, 0, 0, 0).error().code == errc::date_year);
  CHECK(date_time::make(10000, 1, 1, 0, 0, 0, 0).error().code == errc::date_year);
}

TEST_CASE("Only real dates are made", "[message]") {
  CHECK(date_time::make(2023, 2, 29, 0, 0, 0, 0).error().code == errc::date_day);
  CHECK(date_time::make(1900, 2, 29, 0, 0, 0, 0).error().code == errc::date_day);
  CHECK(date_time::make(2024, 4, 31, 0, 0, 0, 0).error().code == errc::date_day);
  CHECK(date_time::make(2024, 4, 0, 0, 0, 0, 0).error().code == errc::date_day);
  CHECK(date_time::make(2024, 13, 1, 0, 0, 0, 0).error().code == errc::date_month);
  CHECK(date_time::make(2024, 1, 1, 24, 0, 0, 0).error().code == errc::date_time);
  CHECK(date_time::make(2024, 1, 1, 0, 60, 0, 0).error().code == errc::date_time);
  CHECK(date_time::make(2024, 1, 1, 0, 0, 61, 0).error().code == errc::date_time);
  CHECK(date_time::make(2024, 1, 1, 0, 0, 0, 6000).error().code == errc::date_zone);
  CHECK(date_time::from_unix(INT64_MAX).error().code == errc::date_year);
  CHECK(date_time::from_unix(INT64_MIN).error().code == errc::date_year);
}

TEST_CASE("Each day from 1900 to 2200 goes to seconds and text and back", "[message]") {
  std::int64_t last = 0;
  int week_day = 0;
  for (std::int64_t day = -25567; day < 84006; ++day) {
    const auto date = date_time::from_unix(day * 86400 + 3661, -90 + static_cast<int>(day % 2) * 30);
    if (day == -25567) {
      if (!date) continue;  // local time may still be in 1899
    }
    REQUIRE(date.has_value());
    REQUIRE(date->to_unix() == day * 86400 + 3661);
    REQUIRE(*date_time::parse(text_of(*date)) == *date);
    const auto noon = date_time::from_unix(day * 86400 + 43200);
    if (last != 0) REQUIRE(noon->day_of_week() == (week_day + 1) % 7);
    week_day = noon->day_of_week();
    last = day;
  }
}

TEST_CASE("A date is read with folding, comments, and without day name and second", "[message]") {
  const auto wanted = *date_time::make(2024, 1, 1, 10, 0, 0, 60);
  for (const std::string_view text :
       {"Mon, 1 Jan 2024 10:00:00 +0100", "1 Jan 2024 10:00 +0100", "mon,  01\tJAN 2024 10:00:00 +0100 (CET (\\) nested))",
        "Mon,\r\n 1 Jan 2024\r\n\t10:00:00 +0100 ", " Mon,1 Jan 2024 10:00:00 +0100"}) {
    CAPTURE(text);
    REQUIRE(date_time::parse(text).has_value());
    CHECK(*date_time::parse(text) == wanted);
  }
  CHECK(date_time::parse("1 Jan 2024 10:00:00 -0000")->zone_minutes() == 0);
}

TEST_CASE("A wrong part of a date has its error and place", "[message]") {
  struct row {
    std::string_view text;
    error wanted;
  };
  for (const row& r :
       {row{"", {errc::date_day_name, 0}}, row{"Tue, 1 Jan 2024 10:00:00 +0100", {errc::date_day_name, 0}},
        row{"Mon, 32 Jan 2024 10:00:00 +0100", {errc::date_day, 5}}, row{"Mon, 1 Foo 2024 10:00:00 +0100", {errc::date_month, 7}},
        row{"Mon, 1 Jan 20240 10:00:00 +0100", {errc::date_year, 11}}, row{"Mon, 1 Jan 2024 1:00:00 +0100", {errc::date_time, 16}},
        row{"Mon, 1 Jan 2024 10:00:0 +0100", {errc::date_time, 16}}, row{"Mon, 1 Jan 2024 10:00:00+0100", {errc::date_zone, 24}},
        row{"Mon, 1 Jan 2024 10:00:00 +0160", {errc::date_zone, 25}},
        row{"Mon, 1 Jan 2024 10:00:00 +0100 (x", {errc::trailing_octets, 30}},
        row{"Mon, 1 Jan 2024 10:00:00 +0100 x", {errc::trailing_octets, 31}}}) {
    CAPTURE(r.text);
    REQUIRE(!date_time::parse(r.text));
    CHECK(date_time::parse(r.text).error() == r.wanted);
  }
}

TEST_CASE("Each part of a date has its range", "[message]") {
  struct row {
    std::array<int, 7> parts;
    errc wanted;
  };
  const std::array<int, 7> good{2024, 2, 29, 23, 59, 60, 99 * 60 + 59};
  REQUIRE(date_time::make(good[0], good[1], good[2], good[3], good[4], good[5], good[6]).has_value());
  REQUIRE(date_time::make(good[0], good[1], good[2], good[3], good[4], good[5], -good[6]).has_value());
  for (const row& r : {row{{1899, 2, 1, 0, 0, 0, 0}, errc::date_year}, row{{10000, 2, 1, 0, 0, 0, 0}, errc::date_year},
                       row{{2024, 0, 1, 0, 0, 0, 0}, errc::date_month}, row{{2024, 13, 1, 0, 0, 0, 0}, errc::date_month},
                       row{{2024, 2, 0, 0, 0, 0, 0}, errc::date_day}, row{{2023, 2, 29, 0, 0, 0, 0}, errc::date_day},
                       row{{2024, 2, 1, -1, 0, 0, 0}, errc::date_time}, row{{2024, 2, 1, 24, 0, 0, 0}, errc::date_time},
                       row{{2024, 2, 1, 0, -1, 0, 0}, errc::date_time}, row{{2024, 2, 1, 0, 60, 0, 0}, errc::date_time},
                       row{{2024, 2, 1, 0, 0, -1, 0}, errc::date_time}, row{{2024, 2, 1, 0, 0, 61, 0}, errc::date_time},
                       row{{2024, 2, 1, 0, 0, 0, -6000}, errc::date_zone}, row{{2024, 2, 1, 0, 0, 0, 6000}, errc::date_zone}}) {
    const auto made = date_time::make(r.parts[0], r.parts[1], r.parts[2], r.parts[3], r.parts[4], r.parts[5], r.parts[6]);
    REQUIRE(!made);
    CHECK(made.error().code == r.wanted);
  }
  CHECK(date_time::from_unix(0, 6000).error().code == errc::date_zone);
  CHECK(date_time::from_unix(0, -6000).error().code == errc::date_zone);
  const auto date = *date_time::make(2024, 2, 29, 23, 58, 59, -90);
  CHECK(date.year() == 2024);
  CHECK(date.month() == 2);
  CHECK(date.day() == 29);
  CHECK(date.hour() == 23);
  CHECK(date.minute() == 58);
  CHECK(date.second() == 59);
  CHECK(date.zone_minutes() == -90);
  CHECK_FALSE(date == *date_time::make(2024, 2, 29, 23, 58, 59, 90));
  CHECK(date == *date_time::make(2024, 2, 29, 23, 58, 59, -90));
}

TEST_CASE("Comments of a date hold quoted blanks and no controls, and end", "[message]") {
  const std::string start = "Mon, 1 Jan 2024 10:00:00 +0100 ";
  for (const std::string_view good : {"(a\\ b)", "(\\\t)", "(a (b) c)", "(a\r\n b)"})
    CHECK(date_time::parse(start + std::string{good}).has_value());
  for (const std::string_view bad : {"(a\x01)", "(a\r\nb)", "(a", "(a (b)", "(a\r\n", "(\\"}) {
    CAPTURE(bad);
    REQUIRE(!date_time::parse(start + std::string{bad}));
    CHECK(date_time::parse(start + std::string{bad}).error().code == errc::trailing_octets);
  }
  CHECK(date_time::parse("Mon, 100 Jan 2024 10:00:00 +0100").error() == error{errc::date_day, 5});
  CHECK(date_time::parse("Sun, 1 Jan 1899 10:00:00 +0100").error().code == errc::date_year);
  CHECK(date_time::parse("Mon, 1 Jan 2024 10:61:00 +0100").error().code == errc::date_time);
}

}  // namespace
