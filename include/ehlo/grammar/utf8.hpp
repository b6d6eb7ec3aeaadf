// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_UTF8_HPP
#define EHLO_GRAMMAR_UTF8_HPP

/// @file
/// UTF-8 as RFC 3629 defines it, and which characters beyond ASCII an address may hold. RFC 6531 3.3.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// Whether a rule takes the characters that SMTPUTF8 adds.
enum class charset : std::uint8_t { ascii, utf8 };

namespace grammar {

/// UTF8-non-ascii = UTF8-2 / UTF8-3 / UTF8-4      RFC 6531 3.3, RFC 3629 4
///
/// Takes one character beyond ASCII and gives its code point. Fails with `errc::utf8_ill_formed` at its first octet for a lone or
/// missing continuation, an over-long form, a surrogate, and anything above U+10FFFF.
constexpr result<char32_t> utf8_non_ascii(cursor& in) {
  const std::size_t start = in.offset();
  const auto octets = in.rest();
  const auto at = [octets](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(octets[i])); };
  if (octets.empty()) return error{errc::utf8_ill_formed, start};
  const char32_t lead = at(0);
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || octets.size() < length) return error{errc::utf8_ill_formed, start};
  char32_t out = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0U) != 0x80U) return error{errc::utf8_ill_formed, start};
    out = out << 6U | (at(i) & 0x3FU);
  }
  const bool is_over_long = (length == 3 && out < 0x800) || (length == 4 && out < 0x10000);
  const bool is_surrogate = out >= 0xD800 && out <= 0xDFFF;
  if (is_over_long || is_surrogate || out > 0x10FFFF) return error{errc::utf8_ill_formed, start};
  in.advance(length);
  return out;
}

}  // namespace grammar

/// True if `text` is UTF-8, ASCII included. RFC 3629.
constexpr bool is_utf8(std::string_view text) {
  for (cursor in{text}; !in.at_end();) {
    if (ascii::is_ascii(in.peek())) {
      in.advance(1);
    } else if (!grammar::utf8_non_ascii(in)) {
      return false;
    }
  }
  return true;
}

/// True for the controls U+0080 to U+009F, which no address holds.
constexpr bool is_c1_control(char32_t c) { return c >= 0x80 && c <= 0x9F; }

/// True for characters that no U-label holds and that make one name look like another, or look like more structure than there is:
/// controls, spaces, direction marks, zero-width characters, and the full stops of other scripts (RFC 5892, RFC 3490 3.1).
constexpr bool is_forbidden_in_domain(char32_t c) {
  return is_c1_control(c) || c == 0xA0 || c == 0xAD || c == 0x061C || c == 0x1680 || (c >= 0x2000 && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202F) || (c >= 0x205F && c <= 0x206F) || c == 0x3000 || c == 0x3002 || c == 0xFEFF || c == 0xFF0E ||
         c == 0xFF61 || (c >= 0xFFF0 && c <= 0xFFFF);
}

static_assert(is_utf8("J\xC3\xB6rg \xE2\x82\xAC \xF0\x9F\x93\xAC"));
static_assert(!is_utf8("\xC0\xAF") && !is_utf8("\xED\xA0\x80") && !is_utf8("\xE2\x82") && !is_utf8("\xF4\x90\x80\x80") &&
              !is_utf8("\x80"));

}  // namespace ehlo

#endif  // EHLO_GRAMMAR_UTF8_HPP
