// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_FUTURE_RELEASE_HPP
#define EHLO_EXTENSION_FUTURE_RELEASE_HPP

/// @file
/// FUTURERELEASE: a message that is submitted now and sent later. RFC 4865; submission only.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <ehlo/ascii.hpp>
#include <ehlo/extension/size.hpp>
#include <ehlo/grammar/timestamp.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// HOLDFOR: the message is held for so many seconds. RFC 4865 3.
struct hold_for {
  std::uint32_t seconds = 0;  ///< 1 to 999999999

  static constexpr std::uint32_t largest = 999999999;
  static constexpr std::size_t max_size = 9;
  constexpr char* write(char* out) const { return write_decimal(seconds, out); }
  friend constexpr bool operator==(const hold_for&, const hold_for&) = default;
};

/// HOLDUNTIL: the message is held until then. RFC 4865 3.
struct hold_until {
  timestamp time;  ///< in UTC

  static constexpr std::size_t max_size = timestamp::max_size;
  constexpr char* write(char* out) const { return time.write(out); }
  friend constexpr bool operator==(const hold_until&, const hold_until&) = default;
};

/// The one hold-param that MAIL may have. RFC 4865 3, 4.1.
using hold_request = std::variant<hold_for, hold_until>;

/// future-release-integer = %x31-39 *8DIGIT  RFC 4865 3
///
/// Fails with `errc::hold_value`.
constexpr result<hold_for> parse_hold_for(std::string_view text) {
  constexpr std::size_t most_digits = 9;
  if (text.empty() || text.front() == '0') return error{errc::hold_value, 0};
  hold_for out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!ascii::digit.contains(text[i]) || i == most_digits) return error{errc::hold_value, i};
    out.seconds = out.seconds * 10 + static_cast<std::uint32_t>(text[i] - '0');
  }
  return out;
}

/// future-release-date-time = Internet-style-date-time-UTC      RFC 4865 3; erratum 2040: date-time of RFC 3339
///
/// An offset other than zero is not UTC. Fails with `errc::hold_value`.
constexpr result<hold_until> parse_hold_until(std::string_view text) {
  const auto time = timestamp::parse(text);
  if (!time) return error{errc::hold_value, time.error().offset};
  if (time->zone_minutes() != 0) return error{errc::hold_value, 0};
  return hold_until{*time};
}

/// How long and until when a server holds messages at most: the parameters of FUTURERELEASE. RFC 4865 3.
struct hold_limits {
  std::uint32_t interval = 0;  ///< seconds; 1 to 999999999
  timestamp until{};           ///< in UTC

  /// Whether a request is within them.
  constexpr bool allow(const hold_request& wanted) const {
    if (const auto* const time = std::get_if<hold_for>(&wanted)) return time->seconds <= interval;
    return std::get_if<hold_until>(&wanted)->time <= until;
  }

  static constexpr std::size_t max_size = hold_for::max_size + 1 + timestamp::max_size;
  constexpr char* write(char* out) const {
    out = write_decimal(interval, out);
    *out++ = ' ';
    return until.write(out);
  }
  friend constexpr bool operator==(const hold_limits&, const hold_limits&) = default;
};

/// max-future-release-interval SP max-future-release-date-time      RFC 4865 3
///
/// None for anything else: then nobody knows how long a message may be held.
constexpr std::optional<hold_limits> parse_hold_limits(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == text.npos) return std::nullopt;
  const auto interval = parse_hold_for(text.substr(0, space));
  const auto until = parse_hold_until(text.substr(space + 1));
  if (!interval || !until) return std::nullopt;
  return hold_limits{interval->seconds, until->time};
}

static_assert(parse_hold_for("999999999")->seconds == hold_for::largest && !parse_hold_for("01") && !parse_hold_for("1234567890"));
static_assert(!parse_hold_limits("86400") && !parse_hold_until("2030-01-01T00:00:00+01:00"));

}  // namespace ehlo

#endif  // EHLO_EXTENSION_FUTURE_RELEASE_HPP
