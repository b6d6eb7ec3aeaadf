// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_XTEXT_HPP
#define EHLO_GRAMMAR_XTEXT_HPP

/// @file
/// Text inside parameter values: xtext (RFC 3461 4) and the encodings of internationalized addresses (RFC 6533 3).

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/result.hpp>

namespace ehlo {
namespace grammar {

/// xchar: any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "="      RFC 3461 4
inline constexpr auto xchar = ascii::visible - ascii::octet_class{"+="};

namespace detail {

inline constexpr auto upper_hex = ascii::digit | ascii::octet_class{"ABCDEF"};

}  // namespace detail

/// xtext = *( xchar / hexchar ); hexchar = "+" 2(%x30-39 / %x41-46)      RFC 3461 4
///
/// A hexchar that stands for a control octet or for one above 127 fails with `errc::xtext_control`: RFC 3461 4.2 and 4.4 want
/// printable ASCII, and nothing that was checked as a line may turn into another line.
constexpr result<std::string_view> xtext(cursor& in) {
  const std::size_t start = in.offset();
  for (;;) {
    in.take_while<xchar>();
    const std::size_t plus = in.offset();
    if (!in.take('+')) return in.since(start);
    unsigned value = 0;
    for (int i = 0; i < 2; ++i) {
      if (!in.next_in(detail::upper_hex)) return error{errc::xtext_hex, in.offset()};
      value = value << 4U | ascii::hex_value(in.peek());
      in.advance(1);
    }
    if (!ascii::printable.contains(static_cast<char>(value))) return error{errc::xtext_control, plus};
  }
}

/// utf-8-addr-xtext = 1*(xchar / EmbeddedUnicodeChar)
/// utf-8-addr-unitext = 1*(xchar / EmbeddedUnicodeChar / UTF8-non-ascii)
/// EmbeddedUnicodeChar = %x5C.78 "{" HEXPOINT "}"      RFC 6533 3
///
/// The code point has two to six upper-case digits and no leading zero more than needed. Fails with `errc::xtext_octet`,
/// `xtext_hex`, `xtext_control` (a control, a printable character that need not be embedded, a surrogate, above U+10FFFF).
constexpr result<std::string_view> utf8_address(cursor& in, charset set) {
  constexpr auto plain = xchar - ascii::octet_class{"\\"};
  constexpr std::string_view embedded_printable = " +=\\";  // the only ASCII characters that are embedded
  const std::size_t start = in.offset();
  for (;;) {
    in.take_while<plain>();
    const std::size_t at = in.offset();
    if (in.at_end()) return at == start ? result<std::string_view>{error{errc::xtext_octet, at}} : in.since(start);
    if (set == charset::utf8 && !ascii::is_ascii(in.peek())) {
      const auto character = utf8_non_ascii(in);
      if (!character) return character.error();
      if (is_c1_control(*character)) return error{errc::xtext_control, at};
      continue;
    }
    if (!in.rest().starts_with("\\x{")) return error{errc::xtext_octet, at};
    in.advance(3);
    const std::string_view digits = in.take_while(detail::upper_hex);
    if (digits.size() < 2 || digits.size() > 6 || (digits.size() > 2 && digits.front() == '0')) return error{errc::xtext_hex, at};
    char32_t value = 0;
    for (const char c : digits) value = value << 4U | ascii::hex_value(c);
    if (!in.take('}')) return error{errc::xtext_hex, in.offset()};
    const bool is_embedded_ascii = value < 0x80 && embedded_printable.find(static_cast<char>(value)) != embedded_printable.npos;
    if (!is_embedded_ascii && (value <= 0x9F || (value >= 0xD800 && value <= 0xDFFF) || value > 0x10FFFF))
      return error{errc::xtext_control, at};
  }
}

}  // namespace grammar

/// Text in which + introduces the hexadecimal form of an octet. Decodes to printable ASCII. A view.
class xtext {
 public:
  /// Fails with `errc::xtext_octet`, `xtext_hex` or `xtext_control`.
  static constexpr result<xtext> parse(std::string_view text) {
    cursor in{text};
    if (const auto matched = grammar::xtext(in); !matched) return matched.error();
    if (!in.at_end()) return error{errc::xtext_octet, in.offset()};
    return xtext{text};
  }

  /// The encoded spelling.
  constexpr std::string_view text() const { return text_; }
  /// How many octets it decodes to.
  constexpr std::size_t decoded_size() const {
    return text_.size() - 2 * static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '+'));
  }
  /// Writes the decoded octets, `decoded_size` of them, and returns one past the last.
  constexpr char* decode(char* out) const {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] != '+') {
        *out++ = text_[i];
      } else {
        *out++ = static_cast<char>(ascii::hex_value(text_[i + 1]) << 4U | ascii::hex_value(text_[i + 2]));
        i += 2;
      }
    }
    return out;
  }

  /// Two texts are equal if they are spelt the same.
  friend constexpr bool operator==(const xtext&, const xtext&) = default;

 private:
  constexpr explicit xtext(std::string_view text) : text_{text} {}

  std::string_view text_;
};

/// An internationalized address as a value of ORCPT. A view. RFC 6533 3.
class utf8_address {
 public:
  /// With `charset::ascii` utf-8-addr-xtext, with `charset::utf8` utf-8-addr-unitext. Fails with the errors of the grammar.
  static constexpr result<utf8_address> parse(std::string_view text, charset set) {
    const auto matched = grammar::match([](cursor& in, charset s) { return grammar::utf8_address(in, s); }, text, set);
    if (!matched) return matched.error();
    return utf8_address{text};
  }

  /// The encoded spelling.
  constexpr std::string_view text() const { return text_; }
  /// Writes the address in UTF-8, at most `text().size()` octets, and returns one past the last.
  constexpr char* decode(char* out) const {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] != '\\') {
        *out++ = text_[i];
        continue;
      }
      char32_t value = 0;
      for (i += 3; text_[i] != '}'; ++i) value = value << 4U | ascii::hex_value(text_[i]);
      out = encode(value, out);
    }
    return out;
  }

 private:
  constexpr explicit utf8_address(std::string_view text) : text_{text} {}

  static constexpr char* encode(char32_t value, char* out) {
    const auto tail = [&out, value](unsigned shift) { *out++ = static_cast<char>(0x80U | ((value >> shift) & 0x3FU)); };
    if (value < 0x80) {
      *out++ = static_cast<char>(value);
    } else if (value < 0x800) {
      *out++ = static_cast<char>(0xC0U | value >> 6U);
      tail(0);
    } else if (value < 0x10000) {
      *out++ = static_cast<char>(0xE0U | value >> 12U);
      tail(6);
      tail(0);
    } else {
      *out++ = static_cast<char>(0xF0U | value >> 18U);
      tail(12);
      tail(6);
      tail(0);
    }
    return out;
  }

  std::string_view text_;
};

/// Writes `value` as xtext: at most `3 * value.size()` octets to `out`. Returns one past the last. RFC 3461 4.
///
/// Any octet can be written; `xtext::parse` takes back those that are printable ASCII.
constexpr char* write_xtext(std::string_view value, char* out) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : value) {
    if (grammar::xchar.contains(c)) {
      *out++ = c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      *out++ = '+';
      *out++ = digits[octet >> 4U];
      *out++ = digits[octet & 15U];
    }
  }
  return out;
}

static_assert(xtext::parse("a+2Bb")->decoded_size() == 3 && xtext::parse("+2b").error() == error{errc::xtext_hex, 2});
static_assert(xtext::parse("a=b").error() == error{errc::xtext_octet, 1} &&
              xtext::parse("+0A").error().code == errc::xtext_control);

}  // namespace ehlo

#endif  // EHLO_GRAMMAR_XTEXT_HPP
