// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_BODY_HPP
#define EHLO_EXTENSION_BODY_HPP

/// @file
/// BODY: what octets a message holds. RFC 6152 (8BITMIME), RFC 3030 3 (BINARYMIME).

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// The values of the BODY parameter.
enum class body_type : std::uint8_t {
  seven_bit,  ///< 7BIT: lines of ASCII
  eight_bit,  ///< 8BITMIME: lines of any octets
  binary,     ///< BINARYMIME: any octets; only with BDAT
};

/// body-value = "7BIT" / "8BITMIME" / "BINARYMIME"      RFC 6152 2, RFC 3030 3
///
/// In any case. Fails with `errc::body_value`.
constexpr result<body_type> parse_body(std::string_view text) {
  constexpr ascii::word_table values{std::array<std::string_view, 3>{"7BIT", "8BITMIME", "BINARYMIME"}};
  const std::size_t found = values.find(text);
  if (found == 3) return error{errc::body_value, 0};
  return static_cast<body_type>(found);
}

/// The word for `body` on the wire.
constexpr std::string_view text_of(body_type body) {
  switch (body) {
    case body_type::seven_bit: return "7BIT";
    case body_type::eight_bit: return "8BITMIME";
    case body_type::binary: return "BINARYMIME";
  }
  return {};
}

static_assert(*parse_body("8bitMIME") == body_type::eight_bit && !parse_body("8BIT"));

}  // namespace ehlo

#endif  // EHLO_EXTENSION_BODY_HPP
