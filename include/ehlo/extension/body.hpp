// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_BODY_HPP
#define EHLO_EXTENSION_BODY_HPP

/// @file
/// BODY: what octets a message holds. RFC 6152 (8BITMIME), RFC 3030 3 (BINARYMIME).

#include <array>
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

namespace detail {

inline constexpr ascii::word_table body_words{std::array<std::string_view, 3>{"7BIT", "8BITMIME", "BINARYMIME"}};

}  // namespace detail

/// body-value = "7BIT" / "8BITMIME" / "BINARYMIME"      RFC 6152 2, RFC 3030 3
///
/// In any case. Fails with `errc::body_value`.
constexpr result<body_type> parse_body(std::string_view text) {
  switch (detail::body_words.find(text)) {
    case 0: return body_type::seven_bit;
    case 1: return body_type::eight_bit;
    case 2: return body_type::binary;
    default: return error{errc::body_value, 0};
  }
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
