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

namespace detail {

/// The first four octets of `text` and its last four, which may overlap; of two or three octets the first two and the last two.
/// With its size that is all of a text of two to eight octets. 0 of a shorter one.
constexpr std::uint64_t outer_octets(std::string_view text) {
  const auto octet = [](const char* at, std::size_t i) { return std::uint32_t{static_cast<unsigned char>(at[i])}; };
  const auto two = [octet](const char* at) { return octet(at, 0) | octet(at, 1) << 8U; };
  const auto four = [octet](const char* at) {
    return octet(at, 0) | octet(at, 1) << 8U | octet(at, 2) << 16U | octet(at, 3) << 24U;
  };
  if (text.size() >= 4) [[likely]]
    return four(text.data()) | std::uint64_t{four(text.data() + (text.size() - 4))} << 32U;
  return text.size() >= 2 ? two(text.data()) | two(text.data() + (text.size() - 2)) << 16U : 0;
}

}  // namespace detail

/// Words that are told apart by one look: where a word stands is computed from its octets, and no two of them stand in the same
/// place. To halve the words again and again takes branches that the processor guesses wrong.
///
/// A table does not compile if a word has fewer than two octets, or if two have the same octets at both ends, as far as `find`
/// looks there first: four, or two of words of two or three.
template <std::size_t Count>
class word_table {
 public:
  static_assert(Count > 0 && Count <= 256);

  consteval explicit word_table(const std::array<std::string_view, Count>& words) : words_{words} {
    for (const std::string_view word : words) {
      if (word.size() < 2) a_word_is_too_short();
    }
    for (int tries = 0; !place_words(); ++tries) {
      if (tries == 1000) two_words_have_the_same_ends();
      factor_ = factor_ * 0x5851F42D4C957F2DU + 1;
    }
  }

  /// Which of the words `text` is, letters compared without regard to case; `Count` if it is none.
  constexpr std::size_t find(std::string_view text) const {
    const std::uint64_t octets = detail::outer_octets(text);
    const std::size_t i = indices_[place_of(octets)];
    if ((octets | letters_[i]) != keys_[i] || text.size() != words_[i].size()) return Count;
    return text.size() <= sizeof octets || equal_ignoring_case(text, words_[i]) ? i : Count;
  }

 private:
  static constexpr int bits = std::bit_width(4 * Count);  // many places, so that a factor is found soon

  // Calling these while the program is compiled ends that, with their names.
  static void a_word_is_too_short();
  static void two_words_have_the_same_ends();

  /// Letters of both cases have the same place.
  constexpr std::size_t place_of(std::uint64_t octets) const {
    constexpr std::uint64_t lower_case = 0x2020202020202020U;
    return (octets | lower_case) * factor_ >> (64 - bits);
  }

  /// False if two words have the same place.
  consteval bool place_words() {
    std::array<bool, std::size_t{1} << bits> is_taken{};
    for (std::size_t i = 0; i < Count; ++i) {
      const std::uint64_t octets = detail::outer_octets(words_[i]);
      letters_[i] = letter_bits(octets);
      keys_[i] = octets | letters_[i];
      const std::size_t place = place_of(octets);
      if (is_taken[place]) return false;
      is_taken[place] = true;
      indices_[place] = static_cast<std::uint8_t>(i);
    }
    return true;
  }

  /// The bits that make letters lower case, where letters are.
  static consteval std::uint64_t letter_bits(std::uint64_t octets) {
    std::uint64_t out = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) {
      if (alpha.contains(static_cast<char>(octets >> shift & 0xFFU))) out |= std::uint64_t{0x20} << shift;
    }
    return out;
  }

  std::array<std::string_view, Count> words_;
  std::array<std::uint64_t, Count> keys_{};
  std::array<std::uint64_t, Count> letters_{};
  std::array<std::uint8_t, std::size_t{1} << bits> indices_{};
  std::uint64_t factor_ = 0x9E3779B97F4A7C15U;
};

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
static_assert([] {
  constexpr word_table table{std::array<std::string_view, 5>{"SIZE", "BY", "8BITMIME", "MT-PRIORITY", "DSN"}};
  return table.find("Size") == 0 && table.find("bY") == 1 && table.find("8bitmime") == 2 && table.find("mt-PRIORITY") == 3 &&
         table.find("dsn") == 4 &&
         table.find(
             "\x18"
             "BITMIME") == 5 &&
         table.find("SIZESIZE") == 5 && table.find("MT-PRIxRITY") == 5 && table.find("BYBY") == 5 && table.find("DSSN") == 5 &&
         table.find("Y") == 5 && table.find("") == 5;
}());
static_assert(control.contains('\x7F') && !control.contains('\x80') && visible.contains('~'));

}  // namespace ascii
}  // namespace ehlo

#endif  // EHLO_ASCII_HPP
