// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_TIMESTAMP_HPP
#define EHLO_GRAMMAR_TIMESTAMP_HPP

/// @file
/// Dates in the parameters of commands: 2030-01-01T00:00:00Z. RFC 3339 5.6.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// A second of the years 0 to 9999, and how far the local time in which it was told is ahead of UTC.
class timestamp {
 public:
  /// The largest number of octets that `write` writes.
  static constexpr std::size_t max_size = 25;

  /// 1970-01-01T00:00:00Z
  constexpr timestamp() = default;

  /// date-time = full-date "T" full-time       RFC 3339 5.6
  ///
  /// A fraction of a second is read and dropped, a leap second is the first second behind it. Fails with `errc::timestamp_value`.
  static constexpr result<timestamp> parse(std::string_view text);

  /// `seconds` after 1970-01-01T00:00:00Z, in UTC. The caller reads the clock. Fails with `errc::timestamp_value` beyond 9999.
  static constexpr result<timestamp> from_unix(std::int64_t seconds) {
    if (seconds < first_second || seconds > last_second) return error{errc::timestamp_value};
    timestamp out;
    out.seconds_ = seconds;
    return out;
  }

  /// Seconds since 1970-01-01T00:00:00Z.
  constexpr std::int64_t to_unix() const { return seconds_; }
  constexpr int zone_minutes() const { return zone_; }       ///< east of UTC is positive
  constexpr bool has_fraction() const { return fraction_; }  ///< it was told with a fraction of a second

  /// Writes `2030-01-01T00:00:00Z`, or with an offset instead of Z, and returns one past the last octet.
  constexpr char* write(char* out) const {
    const std::int64_t local = seconds_ + std::int64_t{60} * zone_;
    std::int64_t days = local / day_seconds;
    if (local % day_seconds < 0) --days;
    const int rest = static_cast<int>(local - days * day_seconds);
    // Years begin in March, so that the leap day is the last of its year.
    int year = static_cast<int>((days - day_of(-1, 3, 1)) / 366) - 1;
    while (day_of(year + 1, 3, 1) <= days) ++year;
    const int in_year = static_cast<int>(days - day_of(year, 3, 1));
    const int march_month = (5 * in_year + 2) / 153;
    const int day = in_year - (153 * march_month + 2) / 5 + 1;
    const int month = march_month < 10 ? march_month + 3 : march_month - 9;
    if (month <= 2) ++year;
    out = put_two(put_two(out, year / 100), year % 100);
    *out++ = '-';
    out = put_two(out, month);
    *out++ = '-';
    out = put_two(out, day);
    *out++ = 'T';
    out = put_two(out, rest / 3600);
    *out++ = ':';
    out = put_two(out, rest / 60 % 60);
    *out++ = ':';
    out = put_two(out, rest % 60);
    if (zone_ == 0) {
      *out++ = 'Z';
      return out;
    }
    *out++ = zone_ < 0 ? '-' : '+';
    const int zone = zone_ < 0 ? -zone_ : zone_;
    out = put_two(out, zone / 60);
    *out++ = ':';
    return put_two(out, zone % 60);
  }

  /// Earlier is less, whatever the zones. Equal are those of the same second.
  friend constexpr bool operator==(const timestamp& a, const timestamp& b) { return a.seconds_ == b.seconds_; }
  friend constexpr std::strong_ordering operator<=>(const timestamp& a, const timestamp& b) { return a.seconds_ <=> b.seconds_; }

 private:
  static constexpr std::int64_t day_seconds = 86400;

  /// Days from 1970-01-01 to a day of the Gregorian calendar.
  static constexpr std::int64_t day_of(int year, int month, int day) {
    const std::int64_t y =
        (month <= 2 ? year - 1 : year) + std::int64_t{400};  // not negative: a cycle of 400 years has 146097 days
    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1 - 719468 - 146097;
  }
  static constexpr int days_in(int year, int month) {
    if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
  }
  static constexpr char* put_two(char* out, int value) {
    *out++ = static_cast<char>('0' + value / 10 % 10);
    *out++ = static_cast<char>('0' + value % 10);
    return out;
  }
  /// The value of the next `count` digits; -1 if they are not there.
  static constexpr int take_digits(cursor& in, int count) {
    int out = 0;
    for (; count > 0; --count) {
      if (!in.next_in(ascii::digit)) return -1;
      out = out * 10 + (in.peek() - '0');
      in.advance(1);
    }
    return out;
  }

  static constexpr std::int64_t first_second = -62167219200;  ///< 0000-01-01T00:00:00Z
  static constexpr std::int64_t last_second = 253402300799;   ///< 9999-12-31T23:59:59Z

  std::int64_t seconds_ = 0;
  std::int16_t zone_ = 0;
  bool fraction_ = false;
};

// full-date   = 4DIGIT "-" 2DIGIT "-" 2DIGIT
// full-time   = 2DIGIT ":" 2DIGIT ":" 2DIGIT ["." 1*DIGIT] time-offset
// time-offset = "Z" / (("+" / "-") 2DIGIT ":" 2DIGIT)      RFC 3339 5.6
constexpr result<timestamp> timestamp::parse(std::string_view text) {
  cursor in{text};
  const auto wrong = [&in] { return error{errc::timestamp_value, in.offset()}; };
  const int year = take_digits(in, 4);
  if (year < 0 || !in.take('-')) return wrong();
  const int month = take_digits(in, 2);
  if (month < 1 || month > 12 || !in.take('-')) return wrong();
  const int day = take_digits(in, 2);
  if (day < 1 || day > days_in(year, month) || !in.take_ignoring_case("T")) return wrong();
  const int hour = take_digits(in, 2);
  if (hour < 0 || hour > 23 || !in.take(':')) return wrong();
  const int minute = take_digits(in, 2);
  if (minute < 0 || minute > 59 || !in.take(':')) return wrong();
  const int second = take_digits(in, 2);
  if (second < 0 || second > 60) return wrong();
  timestamp out;
  if (in.take('.')) {
    if (in.take_while(ascii::digit).empty()) return wrong();
    out.fraction_ = true;
  }
  if (!in.take_ignoring_case("Z")) {
    const bool west = !in.at_end() && in.peek() == '-';
    if (!in.take('-') && !in.take('+')) return wrong();
    const int hours = take_digits(in, 2);
    if (hours < 0 || hours > 23 || !in.take(':')) return wrong();
    const int minutes = take_digits(in, 2);
    if (minutes < 0 || minutes > 59) return wrong();
    const int zone = hours * 60 + minutes;
    out.zone_ = static_cast<std::int16_t>(west ? -zone : zone);
  }
  if (!in.at_end()) return wrong();
  out.seconds_ = day_of(year, month, day) * day_seconds + hour * 3600 + minute * 60 + second - std::int64_t{60} * out.zone_;
  // Beyond the years 0 to 9999, in UTC or by a leap second, no writer could tell it again.
  if (out.seconds_ < first_second || out.seconds_ > last_second) return error{errc::timestamp_value, 0};
  return out;
}

static_assert(timestamp::parse("2030-01-01T00:00:00Z")->to_unix() == 1893456000);
static_assert(timestamp::parse("2014-04-03T23:01:00+01:30")->to_unix() == timestamp::parse("2014-04-03T21:31:00.5z")->to_unix());
static_assert(timestamp::parse("2030-02-29T00:00:00Z").error() == error{errc::timestamp_value, 10});
static_assert([] {
  for (const std::string_view text :
       {"0000-03-01T00:00:00Z", "1969-12-31T23:59:59Z", "2000-02-29T12:30:45Z", "9999-12-31T23:59:59Z", "2014-04-03T23:01:00+01:30",
        "2014-04-03T23:01:00-11:00", "0000-01-01T00:00:00Z"}) {
    char octets[timestamp::max_size] = {};
    const char* const end = timestamp::parse(text)->write(octets);
    if (std::string_view{octets, static_cast<std::size_t>(end - octets)} != text) return false;
  }
  return true;
}());

}  // namespace ehlo

#endif  // EHLO_GRAMMAR_TIMESTAMP_HPP
