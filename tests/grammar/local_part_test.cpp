// SPDX-License-Identifier: BSL-1.0
#include <ehlo/grammar/local_part.hpp>

#include <array>
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
  std::string_view value;
};
struct bad {
  std::string_view clause;
  std::string_view text;
  errc code;
  std::size_t offset;
};

std::string value_of(const local_part& local) {
  std::string out(local.text().size(), '?');
  const char* const end = local.write_value(out.data());
  out.resize(static_cast<std::size_t>(end - out.data()));
  return out;
}

std::string written(std::string_view value) {
  std::string out(2 * value.size() + 2, '?');
  const auto size = write_local_part(value, out.data());
  if (!size) return "refused";
  out.resize(*size);
  return out;
}

TEST_CASE("A local-part is a dot-string or a quoted string", "[grammar][5321-4.1.2-12]") {
  for (const good& row : {
           good{"5321-4.1.2-12", "a", "a"},
           good{"5321-4.1.2-12", "a.b", "a.b"},
           good{"5321-4.1.2-12", "a.b.c1", "a.b.c1"},
           good{"5321-4.1.2-13", "!#$%&'*+-/=?^_`{|}~", "!#$%&'*+-/=?^_`{|}~"},
           good{"5321-4.1.2-13", "user%relay!x", "user%relay!x"},
           good{"5321-2.4-03", "SmIth", "SmIth"},
           good{"5321-4.1.2-14", "\"\"", ""},
           good{"5321-4.1.2-14", "\"a b\"", "a b"},
           good{"5321-4.1.2-15", "\"a@b\"", "a@b"},
           good{"5321-4.1.2-15", "\"()<>[]:;,.\"", "()<>[]:;,."},
           good{"5321-4.1.2-16", "\"Joe\\,Smith\"", "Joe,Smith"},
           good{"5321-4.1.2-16", "\"a\\\"b\\\\c\\ d\"", "a\"b\\c d"},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto local = local_part::parse(row.text);
    REQUIRE(local);
    CHECK(local->text() == row.text);
    CHECK(local->is_quoted() == row.text.starts_with('"'));
    CHECK(local->value_size() == row.value.size());
    CHECK(value_of(*local) == row.value);
  }
}

TEST_CASE("What is no local-part is refused at the octet that broke it", "[grammar][5321-4.1.2-12]") {
  for (const bad& row : {
           bad{"5321-4.1.2-12", "", errc::empty_atom, 0},
           bad{"5321-4.1.2-12", ".a", errc::empty_atom, 0},
           bad{"5321-4.1.2-12", "a.", errc::empty_atom, 2},
           bad{"5321-4.1.2-12", "a..b", errc::empty_atom, 2},
           bad{"5321-4.1.2-12", "a.\"b\"", errc::empty_atom, 2},
           bad{"5321-4.1.2-12", "\"a\".b", errc::trailing_octets, 3},
           bad{"5321-4.1.2-13", "a b", errc::trailing_octets, 1},
           bad{"5321-4.1.2-13", "a(b)", errc::trailing_octets, 1},
           bad{"5321-4.1.2-13", "(b)a", errc::empty_atom, 0},
           bad{"5321-4.1.2-13", "a\\b", errc::trailing_octets, 1},
           bad{"5321-4.1.2-13", "a\"b\"", errc::trailing_octets, 1},
           bad{"5321-4.1.2-14", "\"", errc::quote_not_closed, 1},
           bad{"5321-4.1.2-14", "\"a", errc::quote_not_closed, 2},
           bad{"5321-4.1.2-15", "\"a\"b\"", errc::trailing_octets, 3},
           bad{"5321-4.1.2-16", "\"a\\\"", errc::quote_not_closed, 4},
           bad{"5321-4.1.2-16", "\"a\\", errc::quote_not_closed, 3},
           bad{"5321-4.1.2-17", "\"a\x01\"", errc::quoted_octet, 2},
           bad{"5321-4.1.2-17", "\"a\t\"", errc::quoted_octet, 2},
           bad{"5321-4.1.2-17", "\"a\r\nb\"", errc::quoted_octet, 2},
           bad{"5321-4.1.2-17", "\"a\0\""sv, errc::quoted_octet, 2},
           bad{"5321-4.1.2-17", "\"a\x7F\"", errc::quoted_octet, 2},
           bad{"5321-4.1.2-17", "\"a\\\x7F\"", errc::quoted_pair_octet, 3},
           bad{"5321-4.1.2-17", "\"a\\\r\"", errc::quoted_pair_octet, 3},
           bad{"5321-4.1.2-17", "\"a\\\0\""sv, errc::quoted_pair_octet, 3},
           bad{"5321-2.4-13", "\xC3\xA9", errc::utf8_not_allowed, 0},
           bad{"5321-2.4-13", "\"\xC3\xA9\"", errc::utf8_not_allowed, 1},
           bad{"5321-4.1.2-22", "a\xFF", errc::utf8_not_allowed, 1},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto local = local_part::parse(row.text);
    REQUIRE_FALSE(local);
    CHECK(local.error() == error{row.code, row.offset});
  }
}

TEST_CASE("Each ASCII octet alone is an atom or not as 4.1.2 lists them", "[grammar][5321-4.1.2-13][T26]") {
  for (unsigned value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    CAPTURE(value);
    CHECK(local_part::parse({&c, 1}).has_value() == oracle::is_atext(c));
  }
}

TEST_CASE("Each octet inside quotation marks stands for itself or not as 4.1.2 lists them", "[grammar][5321-4.1.2-15][T26]") {
  for (unsigned value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    const std::string text = {'"', c, '"'};
    CAPTURE(value);
    const auto local = local_part::parse(text);
    CHECK(local.has_value() == (value >= 32 && value <= 126 && c != '"' && c != '\\'));
    if (local) CHECK(value_of(*local) == std::string{c});
  }
}

TEST_CASE("A backslash takes each printable octet or space, and no other", "[grammar][5321-4.1.2-16][T26]") {
  for (unsigned value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    const std::string text = {'"', '\\', c, '"'};
    CAPTURE(value);
    const auto local = local_part::parse(text);
    CHECK(local.has_value() == (value >= 32 && value <= 126));
    if (local) CHECK(value_of(*local) == std::string{c});
    if (!local) CHECK(local.error() == error{errc::quoted_pair_octet, 2});
  }
}

TEST_CASE("The rule takes what the ABNF takes, on all strings up to seven octets", "[grammar][5321-2.4-17][T25]") {
  std::string wrong;
  strings::for_each_up_to(7, "a.\"\\ @", [&wrong](std::string_view text) {
    if (local_part::parse(text).has_value() != oracle::is_local_part(text)) wrong = "<" + std::string{text} + ">";
  });
  CHECK(wrong == "");
}

TEST_CASE("A local-part of 64 octets is accepted and one of 65 is refused", "[grammar][5321-4.5.3.1.1-01]") {
  for (const std::size_t size : {63U, 64U, 65U}) {
    CAPTURE(size);
    for (const std::string& text : {std::string(size, 'l'), "\"" + std::string(size - 2, ' ') + "\""}) {
      const auto local = local_part::parse(text);
      CHECK(local.has_value() == (size <= 64));
      if (!local) CHECK(local.error() == error{errc::local_part_too_long, 64});
    }
  }
}

TEST_CASE("With SMTPUTF8 the limit of a local-part still counts octets", "[grammar][5321-4.5.3.1-02][6531-3.3-07]") {
  std::string text;
  for (int i = 0; i < 32; ++i) text += "\xC3\xA9";
  CHECK(local_part::parse(text, charset::utf8));
  CHECK(local_part::parse(text + "\xC3\xA9", charset::utf8).error() == error{errc::local_part_too_long, 64});
}

TEST_CASE("With SMTPUTF8 atoms and quoted strings hold characters beyond ASCII", "[grammar][6531-3.3-02]") {
  for (const good& row : {
           good{"6531-3.3-02", "j\xC3\xB6rg", "j\xC3\xB6rg"},
           good{"6531-3.2-02", "\xC3\xA9.\xC3\xA9", "\xC3\xA9.\xC3\xA9"},
           good{"6531-3.3-02", "\xF0\x9F\x93\xAC+\xE2\x82\xAC", "\xF0\x9F\x93\xAC+\xE2\x82\xAC"},
           good{"6531-3.3-04", "\"\xC3\xA9 \xC3\xA9\"", "\xC3\xA9 \xC3\xA9"},
           good{"6531-3.3-04", "\"\xC3\xA9\\\"\"", "\xC3\xA9\""},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto local = local_part::parse(row.text, charset::utf8);
    REQUIRE(local);
    CHECK(value_of(*local) == row.value);
    CHECK_FALSE(local_part::parse(row.text));
  }
  for (const bad& row : {
           bad{"6531-3.2-02", ".\xC3\xA9", errc::empty_atom, 0},
           bad{"6531-3.2-02", "\xC3\xA9..b", errc::empty_atom, 3},
           bad{"6531-3.3-03", "a\x01\xC3\xA9", errc::trailing_octets, 1},
           bad{"6531-3.3-03", "\xC3\xA9 a", errc::trailing_octets, 2},
           bad{"6531-3.3-03", "a\xC2\x80", errc::utf8_forbidden, 1},
           bad{"6531-3.3-03", "\"a\xC2\x9F\"", errc::utf8_forbidden, 2},
           bad{"6531-3.3-05", "\"\\\xC3\xA9\"", errc::quoted_pair_octet, 2},
           bad{"6531-3.3-04", "\"\xC3\"", errc::utf8_ill_formed, 1},
           bad{"6531-3.3-02", "a\xC0\x80", errc::utf8_ill_formed, 1},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto local = local_part::parse(row.text, charset::utf8);
    REQUIRE_FALSE(local);
    CHECK(local.error() == error{row.code, row.offset});
  }
}

TEST_CASE("Local-parts are equal when their values are, and case counts", "[grammar][5321-2.4-03]") {
  const auto equal = [](std::string_view a, std::string_view b) {
    return *local_part::parse(a, charset::utf8) == *local_part::parse(b, charset::utf8);
  };
  CHECK(equal("Smith", "Smith"));
  CHECK_FALSE(equal("Smith", "smith"));
  CHECK(equal("\"Smith\"", "Smith"));
  CHECK(equal("\"\\S\\m\\ith\"", "Smith"));
  CHECK(equal("\"a\\ b\"", "\"a b\""));
  CHECK_FALSE(equal("\"a b\"", "\"a  b\""));
  CHECK_FALSE(equal("a", "ab"));
  CHECK_FALSE(equal("\"\"", "a"));
  // No folding and no normalization: a composed and a decomposed letter are two names.
  CHECK_FALSE(equal("\xC3\xA9", "e\xCC\x81"));
  CHECK_FALSE(equal("\xC3\x89", "\xC3\xA9"));
}

TEST_CASE("A name is found in any case and quoting by is_ignoring_case", "[grammar][5321-4.1.1.3-09]") {
  CHECK(local_part::parse("postMASTER")->is_ignoring_case("postmaster"));
  CHECK(local_part::parse("\"POST\\master\"")->is_ignoring_case("postmaster"));
  CHECK_FALSE(local_part::parse("postmasters")->is_ignoring_case("postmaster"));
  CHECK_FALSE(local_part::parse("postmaste")->is_ignoring_case("postmaster"));
  CHECK_FALSE(local_part::parse("po\xC5\xBFtmaster", charset::utf8)->is_ignoring_case("postmaster"));
}

TEST_CASE("A local-part is written with the least quoting that works", "[grammar][5321-4.1.2-20]") {
  struct row {
    std::string_view clause;
    std::string_view value;
    std::string_view wanted;
  };
  for (const row& r : {
           row{"5321-4.1.2-20", "a.b", "a.b"},
           row{"5321-4.1.2-20", "a+b=c", "a+b=c"},
           row{"5321-4.1.2-20", "a b", "\"a b\""},
           row{"5321-4.1.2-20", "a\"b", "\"a\\\"b\""},
           row{"5321-4.1.2-20", "a\\b", "\"a\\\\b\""},
           row{"5321-4.1.2-20", "Joe,Smith", "\"Joe,Smith\""},
           row{"5321-4.1.2-20", "a@b", "\"a@b\""},
           row{"5321-4.1.2-20", "", "\"\""},
           row{"5321-4.1.2-20", ".a", "\".a\""},
           row{"5321-4.1.2-20", "a..b", "\"a..b\""},
           row{"6531-3.3-02", "\xC3\xA9", "\xC3\xA9"},
           row{"6531-3.3-04", "\xC3\xA9 \xC3\xA9", "\"\xC3\xA9 \xC3\xA9\""},
           row{"5321-4.1.2-17", "a\rb", "refused"},
           row{"5321-4.1.2-17", "a\nb", "refused"},
           row{"5321-4.1.2-17", "a\0b"sv, "refused"},
           row{"5321-4.1.2-17", "\x7F", "refused"},
           row{"6531-3.3-03", "a\xC2\x85", "refused"},
           row{"6531-3.3-04", "a\xC3", "refused"},
       }) {
    INFO(r.clause << ": " << r.value);
    CHECK(written(r.value) == r.wanted);
  }
}

TEST_CASE("What write_local_part wrote reads back as the same value", "[grammar][5321-4.1.2-20][T17]") {
  std::string wrong;
  strings::for_each_up_to(6, "a.\"\\ @\r", [&wrong](std::string_view value) {
    const std::string text = written(value);
    const bool has_control = value.find('\r') != value.npos;
    const auto local = local_part::parse(text);
    const bool right = has_control ? text == "refused" : local && value_of(*local) == value;
    if (!right) wrong = "<" + std::string{value} + ">";
  });
  CHECK(wrong == "");
}

TEST_CASE("A plain local-part is safe as a file name and as an argument", "[grammar][5321-4.1.2-13][T22]") {
  for (const std::string_view text : {"a", "Abc", "a.b", "a+b", "a-b_c", "1.2", "a-", "a_"}) {
    CAPTURE(text);
    CHECK(local_part::parse(text)->is_plain());
  }
  for (const std::string_view text :
       {"-f",  "-oQ/tmp", "a/b", "/etc/passwd", "a|b", "$HOME", "`id`",   "a'b",  "a%b",     "a!b",    "~root", "{a}",       "a*",
        "a?b", "a=b",     "#a",  "&a",          "^a",  "\"a\"", "\"..\"", "\"\"", "\"a b\"", "\"-f\"", "\".\"", "\"a/../b\""}) {
    CAPTURE(text);
    CHECK_FALSE(local_part::parse(text)->is_plain());
  }
  CHECK_FALSE(local_part::parse("\xC3\xA9", charset::utf8)->is_plain());
}

TEST_CASE("A String is one atom or one quoted string", "[grammar][5321-4.1.2-18]") {
  for (const good& row : {
           good{"5321-4.1.2-18", "smith", "smith"},
           good{"5321-4.1.2-18", "\"a b\"", "a b"},
           good{"5321-4.1.2-18", "\"\"", ""},
       }) {
    INFO(row.clause << ": " << row.text);
    CHECK(*grammar::match(grammar::string, row.text, charset::ascii) == row.text);
  }
  for (const bad& row : {
           bad{"5321-4.1.2-18", "", errc::empty_string, 0},
           bad{"5321-4.1.2-18", " a", errc::empty_string, 0},
           bad{"5321-4.1.2-18", "a b", errc::trailing_octets, 1},
           bad{"5321-4.1.2-18", "a.b", errc::trailing_octets, 1},
           bad{"5321-4.1.2-18", "\"a\" b", errc::trailing_octets, 3},
           bad{"5321-4.1.2-18", "\"a", errc::quote_not_closed, 2},
           bad{"5321-4.1.2-18", "\xC3\xA9", errc::utf8_not_allowed, 0},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto text = grammar::match(grammar::string, row.text, charset::ascii);
    REQUIRE_FALSE(text);
    CHECK(text.error() == error{row.code, row.offset});
  }
  CHECK(grammar::match(grammar::string, "\xC3\xA9", charset::utf8));
}

TEST_CASE("A quoted string begins with a quote", "[grammar]") {
  const auto found = grammar::match([](cursor& in) { return grammar::quoted_string(in); }, "abc");
  CHECK(found.error() == error{errc::quote_not_opened, 0});
}

TEST_CASE("A local-part is not equal to one that goes on behind it", "[grammar]") {
  const auto is_equal = [](std::string_view a, std::string_view b) { return *local_part::parse(a) == *local_part::parse(b); };
  CHECK(is_equal("ab", "\"a\\b\""));
  CHECK_FALSE(is_equal("ab", "a"));
  CHECK_FALSE(is_equal("a", "ab"));
  CHECK_FALSE(is_equal("\"\"", "a"));
  CHECK_FALSE(is_equal("a", "\"\""));
  CHECK(local_part::parse("-a")->is_plain() == false);
  CHECK(local_part::parse("\".a\"")->is_plain() == false);
}

}  // namespace
