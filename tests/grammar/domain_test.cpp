// SPDX-License-Identifier: BSL-1.0
#include <ehlo/grammar/domain.hpp>

#include <string>
#include <string_view>

#include "grammar/oracle.hpp"
#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using namespace ehlo;
using namespace std::string_view_literals;

struct good {
  std::string_view clause;
  std::string_view text;
};
struct bad {
  std::string_view clause;
  std::string_view text;
  errc code;
  std::size_t offset;
};

TEST_CASE("A domain is labels of letters, digits and inner hyphens with dots between", "[grammar][5321-2.3.5-01]") {
  for (const good& row : {
           good{"5321-2.3.5-01", "museum"},
           good{"5321-2.3.5-01", "mx.example.org"},
           good{"5321-4.1.2-09", "b.c"},
           good{"5321-4.1.2-10", "b-c.d"},
           good{"5321-4.1.2-10", "1.2"},
           good{"5321-4.1.2-10", "a--b.x1"},
           good{"5321-4.1.2-10", "xn--bcher-kva.example"},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto name = domain::parse(row.text);
    REQUIRE(name);
    CHECK(name->text() == row.text);
  }
}

TEST_CASE("What is no domain is refused at the octet that broke it", "[grammar][5321-4.1.2-09]") {
  for (const bad& row : {
           bad{"5321-2.3.5-01", "", errc::empty_label, 0},
           bad{"5321-4.1.2-09", ".b", errc::empty_label, 0},
           bad{"5321-4.1.2-09", "b..c", errc::empty_label, 2},
           bad{"5321-4.1.2-09", "b.", errc::empty_label, 2},
           bad{"5321-4.1.2-10", "-b.c", errc::empty_label, 0},
           bad{"5321-4.1.2-10", "b-.c", errc::label_ends_in_hyphen, 1},
           bad{"5321-4.1.2-10", "b.c-", errc::label_ends_in_hyphen, 3},
           bad{"5321-4.1.2-23", "a_b.example", errc::trailing_octets, 1},
           bad{"5321-4.1.2-23", "_a.example", errc::empty_label, 0},
           bad{"5321-4.1.2-23", "a b", errc::trailing_octets, 1},
           bad{"5321-4.1.2-22", "a\0b"sv, errc::trailing_octets, 1},
           bad{"5321-4.1.2-22", "a\x7F", errc::trailing_octets, 1},
           bad{"5321-4.1.2-22", "a\xFF", errc::utf8_not_allowed, 1},
           bad{"5321-F.4-01", "#123", errc::empty_label, 0},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto name = domain::parse(row.text);
    REQUIRE_FALSE(name);
    CHECK(name.error() == error{row.code, row.offset});
  }
}

TEST_CASE("The domain rule takes what the ABNF takes, on all strings up to seven octets", "[grammar][5321-2.4-17][T25]") {
  std::string wrong;
  strings::for_each_up_to(7, "a1-._", [&](std::string_view text) {
    if (domain::parse(text).has_value() != oracle::is_domain(text)) wrong = "<" + std::string{text} + ">";
  });
  CHECK(wrong == "");
}

TEST_CASE("Domains compare without regard to the case of ASCII letters only", "[grammar][5321-2.4-04][T27]") {
  CHECK(*domain::parse("EXAMPLE.org") == *domain::parse("example.ORG"));
  CHECK_FALSE(*domain::parse("example.org") == *domain::parse("example.com"));
  CHECK_FALSE(*domain::parse("example") == *domain::parse("example.org"));
  // U+017F is a long s, U+212A the Kelvin sign: neither is equal to an ASCII letter.
  CHECK_FALSE(*domain::parse("\xC5\xBF.example", charset::utf8) == *domain::parse("s.example"));
  CHECK_FALSE(*domain::parse("\xE2\x84\xAA.example", charset::utf8) == *domain::parse("k.example"));
  CHECK_FALSE(*domain::parse("\xC3\x89.example", charset::utf8) == *domain::parse("\xC3\xA9.example", charset::utf8));
}

TEST_CASE("A domain of 255 octets is accepted and one of 256 is refused", "[grammar][5321-4.5.3.1.2-01]") {
  for (const std::size_t size : {254U, 255U, 256U}) {
    const std::string text = strings::domain_of(size);
    REQUIRE(text.size() == size);
    const auto name = domain::parse(text);
    CAPTURE(size);
    CHECK(name.has_value() == (size <= 255));
    if (!name) CHECK(name.error() == error{errc::domain_too_long, 255});
  }
}

TEST_CASE("A label may be a U-label with SMTPUTF8, and only then", "[grammar][6531-3.3-01]") {
  for (const std::string_view text : {"\xC3\xA9.example",
                                      "b\xC3\xBC"
                                      "cher.example",
                                      "a.\xE4\xBE\x8B\xE5\xAD\x90", "\xC3\xA9-\xC3\xA9.example", "a.\xF0\xA0\x80\x80"}) {
    CAPTURE(text);
    CHECK(domain::parse(text, charset::utf8));
    REQUIRE_FALSE(domain::parse(text));
    CHECK(domain::parse(text).error().code == errc::utf8_not_allowed);
  }
  CHECK(domain::parse("\xC3\xA9..b", charset::utf8).error() == error{errc::empty_label, 3});
  CHECK(domain::parse("-\xC3\xA9.b", charset::utf8).error() == error{errc::empty_label, 0});
  CHECK(domain::parse("\xC3\xA9-.b", charset::utf8).error() == error{errc::label_ends_in_hyphen, 2});
  CHECK(domain::parse("\xC3.b", charset::utf8).error() == error{errc::utf8_ill_formed, 0});
  CHECK(domain::parse("a_\xC3\xA9", charset::utf8).error() == error{errc::trailing_octets, 1});
}

TEST_CASE("With SMTPUTF8 the limit of a domain still counts octets", "[grammar][6531-3.3-07]") {
  std::string text = strings::domain_of(253);
  CHECK(domain::parse(text + "\xC3\xA9", charset::utf8));
  CHECK(domain::parse(text + "d\xC3\xA9", charset::utf8).error() == error{errc::domain_too_long, 255});
}

TEST_CASE("Controls, direction marks, zero-width characters and foreign full stops are refused in a domain",
          "[grammar][6531-3.3-03][T27]") {
  for (const std::string_view character : {
           "\xC2\x80"sv,                                                            // the first C1 control
           "\xC2\x85"sv,     "\xC2\x9F"sv,                                          // NEL, the last C1 control
           "\xD8\x9C"sv,                                                            // U+061C
           "\xE2\x80\x8B"sv, "\xE2\x80\x8C"sv, "\xE2\x80\x8D"sv,                    // U+200B to U+200D
           "\xE2\x80\x8E"sv, "\xE2\x80\x8F"sv,                                      // U+200E, U+200F
           "\xE2\x80\xAA"sv, "\xE2\x80\xAE"sv,                                      // U+202A, U+202E
           "\xE2\x81\xA0"sv, "\xE2\x81\xA6"sv, "\xE2\x81\xA9"sv, "\xEF\xBB\xBF"sv,  // U+2060, U+2066, U+2069, U+FEFF
           "\xE3\x80\x82"sv, "\xEF\xBC\x8E"sv, "\xEF\xBD\xA1"sv,                    // U+3002, U+FF0E, U+FF61
           "\xC2\xA0"sv,     "\xE3\x80\x80"sv,                                      // U+00A0, U+3000
       }) {
    const std::string text = "a" + std::string{character} + "b.example";
    INFO(strings::hex(character));
    const auto name = domain::parse(text, charset::utf8);
    REQUIRE_FALSE(name);
    CHECK(name.error() == error{errc::utf8_forbidden, 1});
  }
}

}  // namespace
