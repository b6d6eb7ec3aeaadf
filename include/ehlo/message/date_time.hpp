// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_MESSAGE_DATE_TIME_HPP
#define EHLO_MESSAGE_DATE_TIME_HPP

/// @file
/// Dates of trace fields and messages, without the obsolete forms. RFC 5322 3.3; RFC 5321 4.4, F.5.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// A date, a time of day, and how far that is ahead of UTC. It is a real date, in a year from 1900 to 9999.
class date_time {
 public:
  /// The largest number of octets that `write` writes.
  static constexpr std::size_t max_size = 31;

  /// Checks the parts. `month` and `day` count from 1; `second` may be 60 (a leap second); `zone_minutes` is the offset from UTC,
  /// east positive, at most 99 hours and 59 minutes. Fails with `errc::date_year`, `date_month`, `date_day`, `date_time` or
  /// `date_zone`.
  static constexpr result<date_time> make(int year, int month, int day, int hour, int minute, int second, int zone_minutes) {
    if (year < 1900 || year > 9999) return error{errc::date_year};
    if (month < 1 || month > 12) return error{errc::date_month};
    if (day < 1 || day > days_of(year, month)) return error{errc::date_day};
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return error{errc::date_time};
    if (zone_minutes < -max_zone || zone_minutes > max_zone) return error{errc::date_zone};
    date_time out;
    out.year_ = static_cast<std::int16_t>(year);
    out.month_ = static_cast<std::uint8_t>(month);
    out.day_ = static_cast<std::uint8_t>(day);
    out.hour_ = static_cast<std::uint8_t>(hour);
    out.minute_ = static_cast<std::uint8_t>(minute);
    out.second_ = static_cast<std::uint8_t>(second);
    out.zone_ = static_cast<std::int16_t>(zone_minutes);
    return out;
  }

  /// The local time `zone_minutes` ahead of UTC, `seconds` after 1970-01-01 00:00:00 UTC. The caller reads the clock.
  ///
  /// Fails with `errc::date_year` outside 1900 to 9999, or `errc::date_zone`.
  static constexpr result<date_time> from_unix(std::int64_t seconds, int zone_minutes = 0) {
    constexpr std::int64_t bound = std::int64_t{1} << 40;
    if (seconds < -bound || seconds > bound) return error{errc::date_year};
    if (zone_minutes < -max_zone || zone_minutes > max_zone) return error{errc::date_zone};
    const std::int64_t local = seconds + std::int64_t{60} * zone_minutes;
    const std::int64_t days = local >= 0 ? local / day_seconds : -((-local + day_seconds - 1) / day_seconds);
    const int rest = static_cast<int>(local - days * day_seconds);
    // Years begin in March here, so that the leap day is the last day of its year; 400 years have 146097 days.
    const std::int64_t shifted = days + 719468;
    const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const std::int64_t in_era = shifted - era * 146097;
    const std::int64_t year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    const std::int64_t in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t march_month = (5 * in_year + 2) / 153;
    const int day = static_cast<int>(in_year - (153 * march_month + 2) / 5 + 1);
    const int month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
    const int year = static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0));
    return make(year, month, day, rest / 3600, rest / 60 % 60, rest % 60, zone_minutes);
  }

  static constexpr result<date_time> parse(std::string_view text);

  constexpr int year() const { return year_; }
  constexpr int month() const { return month_; }  ///< 1 to 12
  constexpr int day() const { return day_; }      ///< 1 to 31
  constexpr int hour() const { return hour_; }
  constexpr int minute() const { return minute_; }
  constexpr int second() const { return second_; }      ///< 0 to 60
  constexpr int zone_minutes() const { return zone_; }  ///< east of UTC is positive
  /// The day of the week: 0 is Sunday, 6 Saturday.
  constexpr int day_of_week() const {
    const std::int64_t day = (days_since_epoch() + 4) % 7;  // 1970-01-01 was a Thursday
    return static_cast<int>(day < 0 ? day + 7 : day);
  }
  /// Seconds since 1970-01-01 00:00:00 UTC.
  constexpr std::int64_t to_unix() const {
    return days_since_epoch() * day_seconds + hour_ * 3600 + minute_ * 60 + second_ - std::int64_t{60} * zone_;
  }

  /// Writes `Mon, 1 Jan 2024 10:00:00 +0100`, at most `max_size` octets, and returns one past the last.
  constexpr char* write(char* out) const {
    out = put(out, day_names[static_cast<std::size_t>(day_of_week())]);
    out = put(out, ", ");
    if (day_ >= 10) *out++ = digit(day_ / 10);
    *out++ = digit(day_ % 10);
    *out++ = ' ';
    out = put(out, month_names[static_cast<std::size_t>(month_ - 1)]);
    *out++ = ' ';
    out = put_two(put_two(out, year_ / 100), year_ % 100);
    *out++ = ' ';
    out = put_two(out, hour_);
    *out++ = ':';
    out = put_two(out, minute_);
    *out++ = ':';
    out = put_two(out, second_);
    *out++ = ' ';
    *out++ = zone_ < 0 ? '-' : '+';
    const int zone = zone_ < 0 ? -zone_ : zone_;
    return put_two(put_two(out, zone / 60), zone % 60);
  }

  friend constexpr bool operator==(const date_time&, const date_time&) = default;

  /// day-name and month                        RFC 5322 3.3
  static constexpr std::array<std::string_view, 7> day_names{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

 private:
  static constexpr std::int64_t day_seconds = 86400;
  static constexpr int max_zone = 99 * 60 + 59;

  constexpr date_time() = default;

  static constexpr int days_of(int year, int month) {
    if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
  }
  static constexpr char digit(int value) { return static_cast<char>('0' + value); }
  static constexpr char* put(char* out, std::string_view text) {
    for (const char c : text) *out++ = c;
    return out;
  }
  static constexpr char* put_two(char* out, int value) {
    *out++ = digit(value / 10);
    *out++ = digit(value % 10);
    return out;
  }
  constexpr std::int64_t days_since_epoch() const {
    const std::int64_t y = month_ <= 2 ? year_ - 1 : year_;
    const std::int64_t in_year = (153 * (month_ > 2 ? month_ - 3 : month_ + 9) + 2) / 5 + day_ - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + in_year - 719468;
  }

  std::int16_t year_ = 1970;
  std::int16_t zone_ = 0;
  std::uint8_t month_ = 1;
  std::uint8_t day_ = 1;
  std::uint8_t hour_ = 0;
  std::uint8_t minute_ = 0;
  std::uint8_t second_ = 0;
};

namespace grammar {

/// FWS = ([*WSP CRLF] 1*WSP)                 RFC 5322 3.2.2, without its obsolete form
///
/// Takes it if it is there; true if so. A CRLF without white space behind it is left.
constexpr bool folding_white_space(cursor& in) {
  const std::size_t start = in.offset();
  in.take_while(ascii::blank);
  const std::string_view rest = in.rest();
  if (rest.starts_with(crlf) && rest.size() > 2 && ascii::blank.contains(rest[2])) {
    in.advance(2);
    in.take_while(ascii::blank);
  }
  return in.offset() > start;
}

/// CFWS = (1*([FWS] comment) [FWS]) / FWS    RFC 5322 3.2.2
///
/// Takes what there is of it; comments nest. False if a comment is not closed or holds a control.
constexpr bool comments_and_white_space(cursor& in) {
  folding_white_space(in);
  while (in.take('(')) {
    for (std::size_t depth = 1; depth > 0;) {
      folding_white_space(in);
      if (in.take('(')) {
        ++depth;
      } else if (in.take(')')) {
        --depth;
      } else {
        if (in.take('\\') && in.next_in(ascii::blank)) {
          in.advance(1);
          continue;
        }
        if (in.at_end() || ascii::control.contains(in.peek())) return false;
        in.advance(1);
      }
    }
    folding_white_space(in);
  }
  return true;
}

namespace detail {

/// The value of exactly `count` digits; -1 if they are not there.
constexpr int digits(cursor& in, std::size_t count) {
  const std::string_view text = in.take_while(ascii::digit);
  if (text.size() != count) return -1;
  int value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  return value;
}

/// Which of `names` comes next, letters compared without regard to case; takes it. -1 if none.
template <std::size_t Count>
constexpr int name_of(cursor& in, const std::array<std::string_view, Count>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (in.take_ignoring_case(names[i])) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace detail

/// date-time = [ day-of-week "," ] date time [CFWS]      RFC 5322 3.3
///
/// The obsolete forms (two-digit years, zones by name) are refused: RFC 5321 4.4. A day name that is not that of the date is too.
constexpr result<ehlo::date_time> date_time(cursor& in) {
  folding_white_space(in);
  const std::size_t start = in.offset();
  int week_day = -1;
  if (!in.next_in(ascii::digit)) {
    week_day = detail::name_of(in, ehlo::date_time::day_names);
    if (week_day < 0 || !in.take(',')) return error{errc::date_day_name, start};
    folding_white_space(in);
  }
  const std::size_t day_at = in.offset();
  const std::string_view day_text = in.take_while(ascii::digit);
  if (day_text.empty() || day_text.size() > 2) return error{errc::date_day, day_at};
  int day = 0;
  for (const char c : day_text) day = day * 10 + (c - '0');
  if (!folding_white_space(in)) return error{errc::date_day, in.offset()};
  const std::size_t month_at = in.offset();
  const int month = detail::name_of(in, ehlo::date_time::month_names) + 1;
  if (month == 0 || !folding_white_space(in)) return error{errc::date_month, month_at};
  const std::size_t year_at = in.offset();
  const int year = detail::digits(in, 4);
  if (year < 0 || !folding_white_space(in)) return error{errc::date_year, year_at};
  const std::size_t time_at = in.offset();
  const int hour = detail::digits(in, 2);
  if (hour < 0 || !in.take(':')) return error{errc::date_time, time_at};
  const int minute = detail::digits(in, 2);
  if (minute < 0) return error{errc::date_time, time_at};
  int second = 0;
  if (in.take(':')) second = detail::digits(in, 2);
  if (second < 0) return error{errc::date_time, time_at};
  if (!folding_white_space(in)) return error{errc::date_zone, in.offset()};
  const std::size_t zone_at = in.offset();
  const bool west = !in.at_end() && in.peek() == '-';
  if (!in.take('-') && !in.take('+')) return error{errc::date_zone, zone_at};
  const int zone_digits = detail::digits(in, 4);
  if (zone_digits < 0 || zone_digits % 100 > 59) return error{errc::date_zone, zone_at};
  const int zone = zone_digits / 100 * 60 + zone_digits % 100;
  const auto out = ehlo::date_time::make(year, month, day, hour, minute, second, west ? -zone : zone);
  if (!out) {
    const errc code = out.error().code;
    return error{code, code == errc::date_year ? year_at : code == errc::date_day ? day_at : time_at};
  }
  if (week_day >= 0 && out->day_of_week() != week_day) return error{errc::date_day_name, start};
  return *out;
}

}  // namespace grammar

/// Reads a whole date-time; white space and comments may stand behind it. `-0000` is read as `+0000`.
///
/// Fails with the `errc` of the part that is wrong, or `errc::trailing_octets`.
constexpr result<date_time> date_time::parse(std::string_view text) {
  cursor in{text};
  const auto out = grammar::date_time(in);
  if (!out) return out.error();
  const std::size_t end = in.offset();
  if (!grammar::comments_and_white_space(in)) return error{errc::trailing_octets, end};
  if (!in.at_end()) return error{errc::trailing_octets, in.offset()};
  return out;
}

static_assert(date_time::from_unix(1704099600, 60)->to_unix() == 1704099600);
static_assert(*date_time::parse("Mon, 1 Jan 2024 10:00:00 +0100 (CET)") == *date_time::from_unix(1704099600, 60));
static_assert(date_time::parse("1 Jan 24 10:00 +0100").error() == error{errc::date_year, 6});

}  // namespace ehlo

#endif  // EHLO_MESSAGE_DATE_TIME_HPP
