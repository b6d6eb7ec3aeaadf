// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_ASCII_HPP
#define EHLO_ASCII_HPP

/// @file
/// Octet classes of ASCII and comparison without regard to case. No locale, no sign: an octet is what it is.
/// RFC 5234 B.1; RFC 5321 2.3.1, 2.4.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ehlo {

/// The one line ending of SMTP. RFC 5321 2.3.8.
inline constexpr std::string_view crlf = "\r\n";

namespace ascii {

/// A set of octets, asked with `contains`. It can be a template argument.
class octet_class {
 public:
  /// The empty set.
  constexpr octet_class() = default;

  /// The octets of `members`.
  constexpr explicit octet_class(std::string_view members) {
    for (const char c : members) add(c);
  }

  /// The octets from `first` to `last`, both included.
  static constexpr octet_class range(unsigned char first, unsigned char last) {
    octet_class out;
    for (unsigned value = first; value <= last; ++value) out.add(static_cast<char>(value));
    return out;
  }

  /// True if `c` is a member.
  constexpr bool contains(char c) const {
    const auto value = static_cast<unsigned char>(c);
    return ((bits_[value >> 6U] >> (value & 63U)) & 1U) != 0;
  }

  /// The first octet at or above `from` that is a member, or is none if `member` is false; 256 if there is no such octet.
  constexpr unsigned first_from(unsigned from, bool member) const {
    for (; from < 256; from = (from | 63U) + 1) {
      const std::uint64_t sought = member ? bits_[from >> 6U] : ~bits_[from >> 6U];
      const std::uint64_t above = sought >> (from & 63U);
      if (above != 0) return from + static_cast<unsigned>(std::countr_zero(above));
    }
    return 256;
  }

  friend constexpr bool operator==(const octet_class&, const octet_class&) = default;

  /// The union of two sets.
  friend constexpr octet_class operator|(octet_class a, const octet_class& b) {
    for (std::size_t i = 0; i < a.bits_.size(); ++i) a.bits_[i] |= b.bits_[i];
    return a;
  }

  /// The members of `a` that are not members of `b`.
  friend constexpr octet_class operator-(octet_class a, const octet_class& b) {
    for (std::size_t i = 0; i < a.bits_.size(); ++i) a.bits_[i] &= ~b.bits_[i];
    return a;
  }

  std::array<std::uint64_t, 4> bits_{};  ///< one for each octet; public because template arguments have no secrets

 private:
  constexpr void add(char c) {
    const auto value = static_cast<unsigned char>(c);
    bits_[value >> 6U] |= std::uint64_t{1} << (value & 63U);
  }
};

inline constexpr octet_class all = octet_class::range(0, 255);
inline constexpr octet_class upper = octet_class::range('A', 'Z');
inline constexpr octet_class lower = octet_class::range('a', 'z');
inline constexpr octet_class alpha = upper | lower;                 ///< ALPHA, RFC 5234 B.1
inline constexpr octet_class digit = octet_class::range('0', '9');  ///< DIGIT, RFC 5234 B.1
inline constexpr octet_class let_dig = alpha | digit;               ///< Let-dig, RFC 5321 4.1.2
inline constexpr octet_class hex_digit = digit | octet_class{"ABCDEFabcdef"};
inline constexpr octet_class visible = octet_class::range('!', '~');    ///< VCHAR, RFC 5234 B.1
inline constexpr octet_class printable = octet_class::range(' ', '~');  ///< VCHAR and SP
inline constexpr octet_class control = octet_class::range(0, 31) | octet_class::range(127, 127);
inline constexpr octet_class blank = octet_class{" \t"};  ///< WSP, RFC 5234 B.1

/// True if `c` is an ASCII octet (its high bit is clear).
constexpr bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80U; }

/// The lower-case form of an ASCII letter; any other octet as it is.
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// The upper-case form of an ASCII letter; any other octet as it is.
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

/// True if `a` and `b` are the same octets, ASCII letters compared without regard to case. RFC 5321 2.4.
constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

/// A word of four octets or more as one integer, of its first four and its last four, letters in lower case: words are told apart
/// by one compare. Words of the same size, four to eight octets, that differ otherwise than by case differ in it, if one of them
/// has letters only. A shorter word gives 0.
constexpr std::uint64_t word_key(std::string_view word) {
  if (word.size() < 4) return 0;
  const auto four = [](const char* at) {
    const auto octet = [at](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(at[i])}; };
    return octet(0) | octet(1) << 8U | octet(2) << 16U | octet(3) << 24U;
  };
  const char* const last = word.data() + (word.size() - 4);
  return (four(word.data()) | std::uint64_t{four(last)} << 32U) | 0x2020202020202020U;
}

/// True if every octet of `text` is ASCII.
constexpr bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (!is_ascii(c)) return false;
  }
  return true;
}

/// The value of a hexadecimal digit of either case. `c` is in `hex_digit`.
constexpr unsigned hex_value(char c) {
  if (digit.contains(c)) return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>(to_lower(c) - 'a') + 10U;
}

static_assert(equal_ignoring_case("EhLo", "eHlO") && !equal_ignoring_case("\xC5\xBF", "s"));
static_assert(word_key("mAIl") == word_key("MAIL") && word_key("STARTTLS") != word_key("STARTTLR") && word_key("BY") == 0);
static_assert(control.contains('\x7F') && !control.contains('\x80') && visible.contains('~'));

}  // namespace ascii
}  // namespace ehlo

#endif  // EHLO_ASCII_HPP
