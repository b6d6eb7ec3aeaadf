// SPDX-License-Identifier: BSL-1.0
#include <ehlo/grammar/utf8.hpp>

#include <string>
#include <string_view>

#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using namespace ehlo;

/// UTF-8 by the table of RFC 3629 3, without a look at what may not be encoded.
std::string encoded(char32_t c) {
  const auto tail = [c](unsigned shift) { return static_cast<char>(0x80U | (c >> shift & 0x3FU)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0U | c >> 6U), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0U | c >> 12U), tail(6), tail(0)};
  return {static_cast<char>(0xF0U | c >> 18U), tail(12), tail(6), tail(0)};
}

TEST_CASE("Every Unicode character but the surrogates is decoded from its one UTF-8 form", "[grammar][6531-3.3-02][T27]") {
  std::size_t wrong = 0;
  for (char32_t c = 0x80; c <= 0x110400; ++c) {
    const bool is_character = !(c >= 0xD800 && c <= 0xDFFF) && c <= 0x10FFFF;
    const std::string octets = encoded(c) + "x";
    cursor in{octets};
    const auto decoded = grammar::utf8_non_ascii(in);
    const bool right = is_character ? decoded && *decoded == c && in.rest() == "x" : !decoded && in.offset() == 0;
    if (!right) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("Over-long, cut and lone octets are not UTF-8", "[grammar][6531-3.2-01][T26]") {
  for (const std::string_view text : {
           "\x80",
           "\xBF",
           "\xC0\xAF",
           "\xC1\xBF",
           "\xC3",
           "\xC3(",
           "\xE0\x80\xAF",
           "\xE0\x9F\xBF",
           "\xE2\x82",
           "\xE2(\xA1",
           "\xE2\x82(",
           "\xED\xA0\x80",
           "\xED\xBF\xBF",
           "\xF0\x80\x80\xAF",
           "\xF0\x8F\xBF\xBF",
           "\xF0\x9F\x93",
           "\xF4\x90\x80\x80",
           "\xF5\x80\x80\x80",
           "\xF8\x88\x80\x80\x80",
           "\xFC\x84\x80\x80\x80\x80",
           "\xFE",
           "\xFF",
       }) {
    INFO(strings::hex(text));
    CHECK_FALSE(is_utf8(text));
    cursor in{text};
    CHECK(grammar::utf8_non_ascii(in).error() == error{errc::utf8_ill_formed, 0});
    CHECK_FALSE(is_utf8("ok" + std::string{text} + "ok"));
  }
  CHECK(is_utf8(""));
  CHECK(is_utf8("plain \x01\x7F"));
  CHECK(is_utf8("J\xC3\xB6rg \xF0\x9F\x93\xAC"));
}

TEST_CASE("All pairs of octets are UTF-8 exactly when RFC 3629 says so", "[grammar][6531-3.3-02]") {
  std::size_t wrong = 0;
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const char octets[] = {static_cast<char>(first), static_cast<char>(second)};
      const bool both_ascii = first < 0x80 && second < 0x80;
      const bool one_character = first >= 0xC2 && first <= 0xDF && second >= 0x80 && second <= 0xBF;
      if (is_utf8({octets, 2}) != (both_ascii || one_character)) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("The characters that no domain and no address holds are these and no other", "[grammar][6531-3.3-01]") {
  const auto is_in = [](char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; };
  for (char32_t c = 0x80; c <= 0x10FFFF; ++c) {
    const bool is_c1 = is_in(c, 0x80, 0x9F);
    const bool is_invisible = c == 0xA0 || c == 0xAD || c == 0x61C || c == 0x1680 || is_in(c, 0x2000, 0x200F) ||
                              is_in(c, 0x2028, 0x202F) || is_in(c, 0x205F, 0x206F) || c == 0x3000 || c == 0xFEFF ||
                              is_in(c, 0xFFF0, 0xFFFF);
    const bool is_full_stop = c == 0x3002 || c == 0xFF0E || c == 0xFF61;
    if (is_c1_control(c) != is_c1 || is_forbidden_in_domain(c) != (is_c1 || is_invisible || is_full_stop)) {
      CAPTURE(static_cast<unsigned long>(c));
      FAIL("told wrongly");
    }
  }
  CHECK_FALSE(is_c1_control(0x7F));
}

TEST_CASE("No octets are no character", "[grammar]") {
  const std::string_view text = "ab";
  cursor in{text};
  in.advance(2);
  CHECK(grammar::utf8_non_ascii(in).error() == error{errc::utf8_ill_formed, 2});
}

}  // namespace
