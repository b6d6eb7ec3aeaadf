// SPDX-License-Identifier: BSL-1.0
#include <ehlo/grammar/xtext.hpp>

#include <string>
#include <string_view>

#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using namespace ehlo;
using namespace std::string_view_literals;

struct good {
  std::string_view clause;
  std::string_view text;
  std::string_view value;
};
struct bad {
  std::string_view clause;
  std::string_view text;
  errc code;
  std::size_t offset;
};

template <class Encoded>
std::string decoded(const Encoded& encoded) {
  std::string out(encoded.text().size(), '?');
  out.resize(static_cast<std::size_t>(encoded.decode(out.data()) - out.data()));
  return out;
}

std::string written(std::string_view value) {
  std::string out(3 * value.size(), '?');
  out.resize(static_cast<std::size_t>(write_xtext(value, out.data()) - out.data()));
  return out;
}

TEST_CASE("xtext is printable ASCII in which + introduces two upper-case hexadecimal digits", "[grammar][3461-4-01]") {
  for (const good& row : {
           good{"3461-4-01", "", ""},
           good{"3461-4-01", "QQ314159", "QQ314159"},
           good{"3461-4-01", "a+2Bb", "a+b"},
           good{"3461-4-01", "+3D", "="},
           good{"3461-4-01", "a+20b", "a b"},
           good{"4954-8-01", "a+2Bb", "a+b"},
           good{"4954-8-01", "e+3Dmc2@example.com", "e=mc2@example.com"},
           good{"3461-4-01", "+41", "A"},
           good{"3461-4-01", "rose+2Bbush+3Dred", "rose+bush=red"},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto text = xtext::parse(row.text);
    REQUIRE(text);
    CHECK(text->text() == row.text);
    CHECK(text->decoded_size() == row.value.size());
    CHECK(decoded(*text) == row.value);
  }
}

TEST_CASE("What is no xtext is refused at the octet that broke it", "[grammar][3461-4-01]") {
  for (const bad& row : {
           bad{"3461-4-01", "+2b", errc::xtext_hex, 2},
           bad{"3461-4-01", "+2", errc::xtext_hex, 2},
           bad{"3461-4-01", "+", errc::xtext_hex, 1},
           bad{"3461-4-01", "rose+4", errc::xtext_hex, 6},
           bad{"3461-4-01", "++2B", errc::xtext_hex, 1},
           bad{"3461-4-01", "a=b", errc::xtext_octet, 1},
           bad{"3461-4-01", "a b", errc::xtext_octet, 1},
           bad{"3461-4-01", "a\r\n", errc::xtext_octet, 1},
           bad{"3461-4-01", "a\0"sv, errc::xtext_octet, 1},
           bad{"3461-4-01", "a\x7F", errc::xtext_octet, 1},
           bad{"3461-4-01", "\xC3\xA9", errc::xtext_octet, 0},
           bad{"4954-8-01", "a+2", errc::xtext_hex, 3},
           bad{"4954-8-01", "a+GG", errc::xtext_hex, 2},
           bad{"4954-8-01", "a+ZZ", errc::xtext_hex, 2},
           bad{"3461-4.2-05", "rose+0D+0Abush", errc::xtext_control, 4},
           bad{"3461-4.4-03", "+07", errc::xtext_control, 0},
           bad{"3461-4.2-05", "+00", errc::xtext_control, 0},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto text = xtext::parse(row.text);
    REQUIRE_FALSE(text);
    CHECK(text.error() == error{row.code, row.offset});
  }
}

TEST_CASE("In xtext + introduces two hexadecimal digits and each octet outside ! to ~ is written that way",
          "[grammar][4954-8-01]") {
  CHECK(decoded(*xtext::parse("a+2Bb")) == "a+b");
  CHECK(xtext::parse("a+2").error() == error{errc::xtext_hex, 3});
  CHECK(xtext::parse("a+GG").error() == error{errc::xtext_hex, 2});
  CHECK(xtext::parse("a b").error() == error{errc::xtext_octet, 1});
}

TEST_CASE("Each of the 256 hexadecimal forms decodes to a printable octet or is refused", "[grammar][3461-4-01][T20]") {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (unsigned value = 0; value < 256; ++value) {
    CAPTURE(value);
    const auto text = std::string{'+', digits[value >> 4U], digits[value & 15U]};
    const auto parsed = xtext::parse(text);
    CHECK(parsed.has_value() == (value >= 32 && value <= 126));
    if (parsed) CHECK(decoded(*parsed) == std::string{static_cast<char>(value)});
    if (!parsed) CHECK(parsed.error() == error{errc::xtext_control, 0});
  }
}

TEST_CASE("Each octet by itself is xtext or not as RFC 3461 4 lists them", "[grammar][3461-4-01][T26]") {
  for (unsigned value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    CAPTURE(value);
    CHECK(xtext::parse({&c, 1}).has_value() == (value >= 33 && value <= 126 && c != '+' && c != '='));
    CHECK(xtext::parse(std::string{'+', '4', c}).has_value() == ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F')));
  }
}

TEST_CASE("Octets outside the printable range, + and = are always written in hexadecimal", "[grammar][3461-4-02]") {
  CHECK(written("a b+=") == "a+20b+2B+3D");
  CHECK(written("") == "");
  CHECK(written("\r\n") == "+0D+0A");
  CHECK(written("\xFF\x7F") == "+FF+7F");
  std::string all;
  for (unsigned value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    CAPTURE(value);
    const bool stays = value >= 33 && value <= 126 && c != '+' && c != '=';
    CHECK(written({&c, 1}).size() == (stays ? 1U : 3U));
  }
}

TEST_CASE("A mailbox that is a parameter value is written in xtext", "[grammar][5321-4.1.2-07]") {
  CHECK(written("a+b@c") == "a+2Bb@c");
  CHECK(written("e=mc2@example.com") == "e+3Dmc2@example.com");
  CHECK(written("\"a b\"@c") == "\"a+20b\"@c");
}

TEST_CASE("What write_xtext wrote of printable text reads back the same", "[grammar][3461-4-02][T19]") {
  std::string wrong;
  strings::for_each_up_to(5, "a+= 2B\\", [&wrong](std::string_view value) {
    const std::string text = written(value);
    const auto parsed = xtext::parse(text);
    if (!parsed || decoded(*parsed) != value) wrong = "<" + std::string{value} + ">";
  });
  CHECK(wrong == "");
}

TEST_CASE("An encoded internationalized address decodes to UTF-8", "[grammar][6531-3.2-01]") {
  for (const good& row : {
           good{"6531-3.2-01", "rose@example.org", "rose@example.org"},
           good{"6531-3.2-01", "rose\\x{2B}\\x{1F339}@garden.example.org", "rose+\xF0\x9F\x8C\xB9@garden.example.org"},
           good{"6531-3.2-01", "\\x{E9}@x", "\xC3\xA9@x"},
           good{"6531-3.2-01", "\\x{20AC}@x", "\xE2\x82\xAC@x"},
           good{"6531-3.2-01", "\\x{10FFFF}@x", "\xF4\x8F\xBF\xBF@x"},
           good{"6531-3.2-01", "\\x{D7FF}\\x{E000}", "\xED\x9F\xBF\xEE\x80\x80"},
           good{"6531-3.2-01", "\\x{20}\\x{3D}\\x{5C}", " =\\"},
       }) {
    INFO(row.clause << ": " << row.text);
    for (const charset set : {charset::ascii, charset::utf8}) {
      const auto address = utf8_address::parse(row.text, set);
      REQUIRE(address);
      CHECK(address->text() == row.text);
      CHECK(decoded(*address) == row.value);
      CHECK(is_utf8(decoded(*address)));
    }
  }
  CHECK(decoded(*utf8_address::parse("\xC3\xA9\\x{E9}@x", charset::utf8)) == "\xC3\xA9\xC3\xA9@x");
  CHECK_FALSE(utf8_address::parse("\xC3\xA9@x", charset::ascii));
}

TEST_CASE("An encoded internationalized address hides no control, no surrogate and nothing above U+10FFFF",
          "[grammar][6531-3.3-03][T20]") {
  for (const bad& row : {
           bad{"6531-3.3-03", "a\\x{0A}", errc::xtext_control, 1},    bad{"6531-3.3-03", "\\x{0D}", errc::xtext_control, 0},
           bad{"6531-3.3-03", "\\x{00}", errc::xtext_control, 0},     bad{"6531-3.3-03", "\\x{7F}", errc::xtext_control, 0},
           bad{"6531-3.3-03", "\\x{85}", errc::xtext_control, 0},     bad{"6531-3.3-03", "\\x{D800}", errc::xtext_control, 0},
           bad{"6531-3.3-03", "\\x{DFFF}", errc::xtext_control, 0},   bad{"6531-3.3-03", "\\x{110000}", errc::xtext_control, 0},
           bad{"6531-3.3-03", "\\x{FFFFFF}", errc::xtext_control, 0}, bad{"6531-3.3-03", "\\x{41}", errc::xtext_control, 0},
           bad{"6531-3.3-02", "\\x{0E9}", errc::xtext_hex, 0},        bad{"6531-3.3-02", "\\x{e9}", errc::xtext_hex, 0},
           bad{"6531-3.3-02", "\\x{9}", errc::xtext_hex, 0},          bad{"6531-3.3-02", "\\x{1000000}", errc::xtext_hex, 0},
           bad{"6531-3.3-02", "\\x{E9", errc::xtext_hex, 5},          bad{"6531-3.3-02", "\\x{}", errc::xtext_hex, 0},
           bad{"6531-3.3-02", "\\x", errc::xtext_octet, 0},           bad{"6531-3.3-02", "\\u{E9}", errc::xtext_octet, 0},
           bad{"6531-3.3-02", "a+b", errc::xtext_octet, 1},           bad{"6531-3.3-02", "a=b", errc::xtext_octet, 1},
           bad{"6531-3.3-02", "a b", errc::xtext_octet, 1},           bad{"6531-3.3-02", "", errc::xtext_octet, 0},
       }) {
    INFO(row.clause << ": " << row.text);
    for (const charset set : {charset::ascii, charset::utf8}) {
      const auto address = utf8_address::parse(row.text, set);
      REQUIRE_FALSE(address);
      CHECK(address.error() == error{row.code, row.offset});
    }
  }
  CHECK_FALSE(utf8_address::parse("\xC3", charset::utf8));
  CHECK_FALSE(utf8_address::parse("\xC2\x85", charset::utf8));
}

TEST_CASE("Each of 256 code points in \\x{} decodes to one that may be embedded or is refused", "[grammar][6531-3.3-03][T20]") {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (unsigned value = 0; value < 256; ++value) {
    CAPTURE(value);
    const std::string text = std::string{"\\x{"} + digits[value >> 4U] + digits[value & 15U] + "}";
    const bool special = value == ' ' || value == '+' || value == '=' || value == '\\';
    CHECK(utf8_address::parse(text, charset::ascii).has_value() == (special || value >= 0xA0));
  }
}

}  // namespace
