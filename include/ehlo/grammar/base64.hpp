// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_BASE64_HPP
#define EHLO_GRAMMAR_BASE64_HPP

/// @file
/// Base64 as AUTH uses it, strict: RFC 4648 4, RFC 4954 4 and 8.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/result.hpp>

namespace ehlo {

namespace detail {

inline constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::uint8_t no_base64 = 0xFF;

/// The value of each octet, or `no_base64`.
inline constexpr auto base64_values = [] {
  std::array<std::uint8_t, 256> out{};
  out.fill(no_base64);
  for (std::size_t i = 0; i < base64_alphabet.size(); ++i)
    out[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::uint8_t>(i);
  return out;
}();

constexpr std::uint8_t base64_value(char c) { return base64_values[static_cast<unsigned char>(c)]; }

}  // namespace detail

/// Octets in base64. A view; it may be empty.
class base64 {
 public:
  /// base64 = base64-terminal / ( 1*(4base64-char) [base64-terminal] )      RFC 4954 8
  ///
  /// No other octet, no padding but at the end, and no bits behind the last octet. Fails with `errc::base64_octet`,
  /// `base64_padding`, `base64_length` or `base64_trailing_bits`.
  static constexpr result<base64> parse(std::string_view text) {
    std::size_t symbols = text.size();
    while (symbols > 0 && text.size() - symbols < 2 && text[symbols - 1] == '=') --symbols;
    for (std::size_t i = 0; i < symbols; ++i) {
      if (detail::base64_value(text[i]) == detail::no_base64)
        return error{text[i] == '=' ? errc::base64_padding : errc::base64_octet, i};
    }
    if (text.size() % 4 != 0) return error{errc::base64_length, text.size()};
    const unsigned unused = symbols % 4 == 2 ? 0x0FU : symbols % 4 == 3 ? 0x03U : 0U;
    if (unused != 0 && (detail::base64_value(text[symbols - 1]) & unused) != 0)
      return error{errc::base64_trailing_bits, symbols - 1};
    base64 out;
    out.text_ = text;
    out.symbols_ = symbols;
    return out;
  }

  /// The encoded spelling.
  constexpr std::string_view text() const { return text_; }
  /// How many octets it decodes to.
  constexpr std::size_t decoded_size() const { return symbols_ / 4 * 3 + (symbols_ % 4 == 0 ? 0 : symbols_ % 4 - 1); }
  /// Writes the octets, `decoded_size` of them, and returns one past the last.
  constexpr char* decode(char* out) const {
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text_.substr(0, symbols_)) {
      bits = bits << 6U | detail::base64_value(c);
      count += 6;
      if (count >= 8) {
        count -= 8;
        *out++ = static_cast<char>(bits >> count & 0xFFU);
      }
    }
    return out;
  }

  /// How many octets of base64 `count` octets become, padding included.
  static constexpr std::size_t encoded_size(std::size_t count) { return (count + 2) / 3 * 4; }

 private:
  std::string_view text_;
  std::size_t symbols_ = 0;  ///< without the padding
};

/// Writes `octets` in base64, `base64::encoded_size` octets, and returns one past the last. RFC 4648 4.
constexpr char* encode_base64(std::string_view octets, char* out) {
  const auto at = [octets](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(octets[i])); };
  std::size_t i = 0;
  for (; i + 3 <= octets.size(); i += 3) {
    const std::uint32_t bits = at(i) << 16U | at(i + 1) << 8U | at(i + 2);
    for (const unsigned shift : {18U, 12U, 6U, 0U}) *out++ = detail::base64_alphabet[bits >> shift & 63U];
  }
  if (octets.size() - i == 1) {
    const std::uint32_t bits = at(i) << 16U;
    for (const unsigned shift : {18U, 12U}) *out++ = detail::base64_alphabet[bits >> shift & 63U];
    *out++ = '=';
    *out++ = '=';
  } else if (octets.size() - i == 2) {
    const std::uint32_t bits = at(i) << 16U | at(i + 1) << 8U;
    for (const unsigned shift : {18U, 12U, 6U}) *out++ = detail::base64_alphabet[bits >> shift & 63U];
    *out++ = '=';
  }
  return out;
}

static_assert(base64::parse("dGVzdA==")->decoded_size() == 4 && base64::parse("")->decoded_size() == 0);
static_assert(base64::parse("AAA=BBB").error().code == errc::base64_padding &&
              base64::parse("AA=").error().code == errc::base64_length);
static_assert(base64::parse("dGVz dA=").error() == error{errc::base64_octet, 4} &&
              base64::parse("AB==").error().code == errc::base64_trailing_bits);

}  // namespace ehlo

#endif  // EHLO_GRAMMAR_BASE64_HPP
