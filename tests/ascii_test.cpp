// SPDX-License-Identifier: BSL-1.0
#include <ehlo/ascii.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace ascii = ehlo::ascii;

TEST_CASE("each class has its octets and no other, whatever the sign of char", "[ascii]") {
  for (unsigned value = 0; value < 256; ++value) {
    CAPTURE(value);
    const auto c = static_cast<char>(static_cast<unsigned char>(value));
    const bool is_upper = value >= 65 && value <= 90;
    const bool is_lower = value >= 97 && value <= 122;
    const bool is_digit = value >= 48 && value <= 57;
    CHECK(ascii::upper.contains(c) == is_upper);
    CHECK(ascii::lower.contains(c) == is_lower);
    CHECK(ascii::alpha.contains(c) == (is_upper || is_lower));
    CHECK(ascii::digit.contains(c) == is_digit);
    CHECK(ascii::let_dig.contains(c) == (is_upper || is_lower || is_digit));
    CHECK(ascii::hex_digit.contains(c) == (is_digit || (value >= 65 && value <= 70) || (value >= 97 && value <= 102)));
    CHECK(ascii::visible.contains(c) == (value >= 33 && value <= 126));
    CHECK(ascii::printable.contains(c) == (value >= 32 && value <= 126));
    CHECK(ascii::control.contains(c) == (value < 32 || value == 127));
    CHECK(ascii::blank.contains(c) == (value == 32 || value == 9));
    CHECK(ascii::is_ascii(c) == (value < 128));
    CHECK(static_cast<unsigned char>(ascii::to_lower(c)) == (is_upper ? value + 32 : value));
    CHECK(static_cast<unsigned char>(ascii::to_upper(c)) == (is_lower ? value - 32 : value));
  }
}

TEST_CASE("classes are joined and taken from each other", "[ascii]") {
  constexpr auto some = ascii::octet_class{"ab\xFF"};
  STATIC_REQUIRE(some.contains('a') && some.contains('\xFF') && !some.contains('c'));
  STATIC_REQUIRE((some | ascii::octet_class{"c"}).contains('c'));
  STATIC_REQUIRE(!(some - ascii::octet_class{"a"}).contains('a') && (some - ascii::octet_class{"a"}).contains('b'));
  STATIC_REQUIRE(!ascii::octet_class{}.contains('\0'));
  STATIC_REQUIRE(ascii::octet_class::range(255, 255).contains('\xFF') && !ascii::octet_class::range(1, 254).contains('\xFF'));
}

TEST_CASE("the next member of a class, and the next octet that is none, are found from any octet on", "[ascii]") {
  const ascii::octet_class ends =
      ascii::octet_class::range(0, 0) | ascii::octet_class::range(63, 64) | ascii::octet_class::range(255, 255);
  for (const ascii::octet_class& set : {ascii::octet_class{}, ascii::all, ascii::let_dig, ascii::control, ends}) {
    for (const bool member : {true, false}) {
      for (unsigned from = 0; from <= 256; ++from) {
        unsigned wanted = from;
        while (wanted < 256 && set.contains(static_cast<char>(wanted)) != member) ++wanted;
        CHECK(set.first_from(from, member) == wanted);
      }
    }
  }
}

TEST_CASE("texts compare without regard to the case of ASCII letters only", "[ascii]") {
  CHECK(ascii::equal_ignoring_case("", ""));
  CHECK(ascii::equal_ignoring_case("8BitMime", "8bITmIME"));
  CHECK_FALSE(ascii::equal_ignoring_case("a", "ab"));
  CHECK_FALSE(ascii::equal_ignoring_case("@[", "`{"));              // 32 apart, and no letters
  CHECK_FALSE(ascii::equal_ignoring_case("I", "\xC4\xB1"));         // a Turkish i
  CHECK_FALSE(ascii::equal_ignoring_case("\xC3\x84", "\xC3\xA4"));  // letters beyond ASCII
}

TEST_CASE("a table of words finds each of them in any case, and nothing that differs in one octet", "[ascii]") {
  static constexpr std::array<std::string_view, 6> words{"BY", "DSN", "SIZE", "8BITMIME", "NO-SOLICITING", "X_[@{`"};
  static constexpr ascii::word_table table{words};
  std::size_t wrong = 0;
  const auto expect = [&wrong](std::string_view text, std::size_t wanted) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (ascii::equal_ignoring_case(text, words[i]) != (i == wanted)) return ++wrong;  // what the test wants is wrong
    }
    return wrong += table.find(text) == wanted ? 0U : 1U;
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word{words[i]};
    expect(word, i);
    for (std::size_t at = 0; at < word.size(); ++at) {
      std::string other = word;
      for (unsigned value = 0; value < 256; ++value) {
        other[at] = static_cast<char>(static_cast<unsigned char>(value));
        expect(other, ascii::to_upper(other[at]) == word[at] ? i : words.size());
      }
    }
    for (std::size_t size = 0; size < word.size(); ++size) expect(word.substr(0, size), words.size());
    expect(word + word.back(), words.size());
    expect(word + word, words.size());
    expect(word.front() + word, words.size());
  }
  for (unsigned value = 0; value < 256; ++value)
    expect(std::string(1, static_cast<char>(static_cast<unsigned char>(value))), words.size());
  CHECK(wrong == 0);
}

TEST_CASE("a text is ASCII if all of it is", "[ascii]") {
  CHECK(ascii::is_ascii(std::string_view{}));
  CHECK(ascii::is_ascii(std::string_view{"a\x7F"}));
  CHECK_FALSE(ascii::is_ascii(std::string_view{"a\x80"}));
  CHECK_FALSE(ascii::is_ascii(std::string_view{"\xFFz"}));
}

TEST_CASE("hexadecimal digits have their values in either case", "[ascii]") {
  const std::string_view digits = "0123456789abcdef";
  for (unsigned i = 0; i < 16; ++i) {
    CHECK(ascii::hex_value(digits[i]) == i);
    CHECK(ascii::hex_value(ascii::to_upper(digits[i])) == i);
  }
  STATIC_REQUIRE(ehlo::crlf == "\r\n");
}

TEST_CASE("a class made of a range holds its ends, what is between, and no more", "[ascii]") {
  for (unsigned first = 0; first < 256; first += 15) {
    for (unsigned last = first; last < 256; last += 15) {
      const auto made = ascii::octet_class::range(static_cast<unsigned char>(first), static_cast<unsigned char>(last));
      for (unsigned value = 0; value < 256; ++value) {
        CAPTURE(first, last, value);
        CHECK(made.contains(static_cast<char>(static_cast<unsigned char>(value))) == (value >= first && value <= last));
      }
    }
  }
  unsigned char nine = '9';
  CHECK(ascii::octet_class::range('0', nine) == ascii::digit);
  CHECK_FALSE(ascii::octet_class::range('0', --nine) == ascii::digit);
}
