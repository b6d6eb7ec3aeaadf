// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_SIZE_HPP
#define EHLO_EXTENSION_SIZE_HPP

/// @file
/// SIZE: the declared size of a message. RFC 1870.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include <ehlo/result.hpp>

namespace ehlo {

/// A decimal number of 1 to 20 digits, the largest number if it is larger than that.
///
/// size-value = 1*20DIGIT                    RFC 1870 3
///
/// Fails with `errc::size_value` at the octet that is not a digit, at the 21st digit, or at the end of an empty text.
constexpr result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::size_t most_digits = 20;
  constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  if (text.empty()) return error{errc::size_value, 0};
  std::uint64_t value = 0;
  std::size_t at = 0;
  for (; at < text.size() && at < most_digits; ++at) {
    const auto next = static_cast<std::uint64_t>(static_cast<unsigned char>(text[at])) - '0';
    if (next > 9) break;
    if (at + 1 == most_digits && value > (largest - next) / 10) {
      value = largest;
    } else {
      value = value * 10 + next;
    }
  }
  if (at < text.size()) return error{errc::size_value, at};
  return value;
}

/// Writes a decimal number of at most 20 digits and returns one past the last.
constexpr char* write_decimal(std::uint64_t value, char* out) {
  std::array<char, 20> digits{};
  std::size_t first = digits.size();
  do {
    digits[--first] = static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value > 0);
  while (first < digits.size()) *out++ = digits[first++];
  return out;
}

static_assert(*parse_size("01000000") == 1000000);
static_assert(*parse_size("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
static_assert(*parse_size("99999999999999999999") == std::numeric_limits<std::uint64_t>::max());
static_assert(parse_size("100000000000000000000").error() == error{errc::size_value, 20});
static_assert(parse_size("+1").error() == error{errc::size_value, 0} && parse_size("1k").error().offset == 1);

}  // namespace ehlo

#endif  // EHLO_EXTENSION_SIZE_HPP
