// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_PRIORITY_HPP
#define EHLO_EXTENSION_PRIORITY_HPP

/// @file
/// MT-PRIORITY: which message goes first. RFC 6710.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// MT-PRIORITY on MAIL: -9 to 9, the higher the sooner; 0 without it. RFC 6710 4.1, 5.
struct message_priority {
  std::int8_t value = 0;

  /// True if the standard has this value.
  constexpr bool is_valid() const { return value >= -9 && value <= 9; }

  /// The next higher of `levels`, which a server with fewer than 19 tells apart, in ascending order; the highest if there is none.
  /// For the order of its own work: what is passed on stays the value itself. RFC 6710 5.
  constexpr message_priority rounded_up(std::span<const message_priority> levels) const {
    for (const message_priority level : levels) {
      if (level.value >= value) return level;
    }
    return levels.empty() ? *this : levels.back();
  }

  /// The largest number of octets that `write` writes.
  static constexpr std::size_t max_size = 2;
  /// Writes the value and returns one past the last octet.
  constexpr char* write(char* out) const {
    if (value < 0) *out++ = '-';
    *out++ = static_cast<char>('0' + (value < 0 ? -value : value));
    return out;
  }

  friend constexpr bool operator==(const message_priority&, const message_priority&) = default;
};

/// priority-value = (["-"] NZDIGIT) / "0"    RFC 6710 7
///
/// Fails with `errc::priority_value`.
constexpr result<message_priority> parse_priority(std::string_view text) {
  if (text == "0") return message_priority{};
  const bool negative = text.starts_with('-');
  const std::string_view digit = text.substr(negative ? 1 : 0);
  if (digit.size() != 1 || !ascii::digit.contains(digit.front()) || digit.front() == '0') return error{errc::priority_value, 0};
  const int value = digit.front() - '0';
  return message_priority{static_cast<std::int8_t>(negative ? -value : value)};
}

/// priority-profile = 1*20(ALPHA / DIGIT / "-" / "_" / ".")      RFC 6710 7
///
/// The name of a priority assignment policy; empty if `text` is none.
constexpr std::string_view parse_priority_policy(std::string_view text) {
  constexpr std::size_t longest = 20;
  constexpr auto name_octet = ascii::let_dig | ascii::octet_class{"-_."};
  if (text.size() > longest) return {};
  for (const char c : text) {
    if (!name_octet.contains(c)) return {};
  }
  return text;
}

static_assert(parse_priority("-9")->value == -9 && !parse_priority("-0") && !parse_priority("01") && !parse_priority("+1"));
static_assert(parse_priority_policy("STANAG4406") == "STANAG4406" && parse_priority_policy("a b").empty());

}  // namespace ehlo

#endif  // EHLO_EXTENSION_PRIORITY_HPP
