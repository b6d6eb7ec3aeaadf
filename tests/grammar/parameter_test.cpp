// SPDX-License-Identifier: BSL-1.0
#include <ehlo/grammar/parameter.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using namespace ehlo;
using namespace std::string_view_literals;

struct bad {
  std::string_view clause;
  std::string_view text;
  errc code;
  std::size_t offset;
};

static_assert(sizeof(parameter_list) <= 16);

TEST_CASE("A parameter is a keyword, with or without = and a value", "[grammar][5321-4.1.2-04]") {
  struct row {
    std::string_view clause;
    std::string_view text;
    std::string_view keyword;
    std::optional<std::string_view> value;
  };
  for (const row& r : {
           row{"5321-4.1.2-04", "SIZE=10", "SIZE", "10"},
           row{"5321-4.1.2-04", "SMTPUTF8", "SMTPUTF8", std::nullopt},
           row{"5321-4.1.2-05", "X-A=1", "X-A", "1"},
           row{"5321-4.1.2-05", "8BITMIME", "8BITMIME", std::nullopt},
           row{"5321-4.1.2-05", "a-", "a-", std::nullopt},
           row{"5321-4.1.2-06", "A=<>", "A", "<>"},
           row{"5321-4.1.2-06", "AUTH=a+2Bb@c", "AUTH", "a+2Bb@c"},
           row{"5321-4.1.2-06", "A=!\"#$%&'()*+,-./:;<>?@[\\]^_`{|}~", "A", "!\"#$%&'()*+,-./:;<>?@[\\]^_`{|}~"},
       }) {
    INFO(r.clause << ": " << r.text);
    const auto list = parameter_list::parse(r.text);
    REQUIRE(list);
    CHECK_FALSE(list->empty());
    CHECK(list->text() == r.text);
    CHECK((*list->begin()).keyword == r.keyword);
    CHECK(((*list->begin()).value == r.value));
  }
}

TEST_CASE("What is no parameter is refused at the octet that broke it", "[grammar][5321-4.1.2-04]") {
  for (const bad& row : {
           bad{"5321-4.1.2-04", "=10", errc::parameter_keyword, 0},
           bad{"5321-4.1.2-04", "SIZE=", errc::parameter_value, 5},
           bad{"5321-4.1.2-04", "SIZE= BODY=7BIT", errc::parameter_value, 5},
           bad{"5321-4.1.2-05", "-A=1", errc::parameter_keyword, 0},
           bad{"5321-4.1.2-05", "A_B=1", errc::parameter_keyword, 1},
           bad{"5321-4.1.2-05", "A.B", errc::parameter_keyword, 1},
           bad{"5321-4.1.2-05", "SIZE=1 -A", errc::parameter_keyword, 7},
           bad{"5321-4.1.2-05", "SIZE=1 A_B", errc::parameter_keyword, 8},
           bad{"5321-4.1.2-06", "A=b=c", errc::parameter_value, 3},
           bad{"5321-4.1.2-06", "A=\x7F", errc::parameter_value, 2},
           bad{"5321-4.1.2-06", "A=b\x7F", errc::parameter_value, 3},
           bad{"5321-4.1.2-06", "A=b\r\nRSET", errc::parameter_value, 3},
           bad{"5321-4.1.2-06", "A=b\0"sv, errc::parameter_value, 3},
           bad{"5321-4.1.2-06", "A==", errc::parameter_value, 2},
           bad{"5321-4.1.2-06", "A=\xC3\xA9", errc::utf8_not_allowed, 2},
           bad{"5321-4.1.2-08", "SIZE=1  BODY=7BIT", errc::parameter_keyword, 7},
           bad{"5321-4.1.2-08", " SIZE=1", errc::parameter_keyword, 0},
           bad{"5321-4.1.2-08", "SIZE=1 ", errc::parameter_keyword, 7},
           bad{"5321-4.1.2-08", "SIZE=1\tBODY=7BIT", errc::parameter_value, 6},
           bad{"5321-4.1.2-08", "SIZE=1,BODY=7BIT", errc::parameter_value, 11},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto list = parameter_list::parse(row.text);
    REQUIRE_FALSE(list);
    CHECK(list.error().code == row.code);
    CHECK(list.error().offset == row.offset);
  }
}

TEST_CASE("Each octet in keyword and value is taken or refused as 4.1.2 lists them", "[grammar][5321-4.1.2-06][T26]") {
  for (unsigned value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    CAPTURE(value);
    const bool let_dig = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    CHECK(parameter_list::parse({&c, 1}).has_value() == let_dig);
    CHECK(grammar::match(grammar::parameter, std::string{'K', c, 'K'}, charset::ascii).has_value() ==
          (let_dig || c == '-' || c == '='));
    CHECK(grammar::match(grammar::parameter, std::string{'K', '=', c}, charset::ascii).has_value() ==
          ((value >= 33 && value <= 60) || (value >= 62 && value <= 126)));
  }
}

TEST_CASE("Parameters are separated by single spaces and come in order", "[grammar][5321-4.1.2-08]") {
  const auto list = parameter_list::parse("SIZE=1 BODY=8BITMIME SMTPUTF8 RET=FULL");
  REQUIRE(list);
  const std::vector<parameter> found(list->begin(), list->end());
  const std::vector<parameter> wanted{
      {"SIZE", "1", 0}, {"BODY", "8BITMIME", 7}, {"SMTPUTF8", std::nullopt, 21}, {"RET", "FULL", 30}};
  CHECK((found == wanted));
  auto at = list->begin();
  CHECK((*at++ == wanted[0]));
  CHECK((*at == wanted[1]));

  const auto none = parameter_list::parse("");
  REQUIRE(none);
  CHECK(none->empty());
  CHECK(none->begin() == none->end());
  CHECK(parameter_list{}.empty());
}

TEST_CASE("The offset of a parameter counts from the start of the list", "[grammar][5321-4.1.2-08]") {
  const auto list = parameter_list::parse("SIZE=1 RET=HDRS ENVID=a");
  REQUIRE(list);
  for (const parameter& one : *list) CHECK(list->text().substr(one.offset, one.keyword.size()) == one.keyword);
  CHECK(list->find("ENVID")->offset == 16);
}

TEST_CASE("Keywords are found without regard to the case of ASCII letters", "[grammar][5321-2.4-02][T27]") {
  const auto list = parameter_list::parse("size=10 Body=7BIT SIZE=20");
  REQUIRE(list);
  REQUIRE(list->find("SIZE"));
  CHECK(list->find("SIZE")->value == "10");
  CHECK(list->find("bOdY")->value == "7BIT");
  CHECK_FALSE(list->find("SIZ"));
  CHECK_FALSE(list->find("SIZES"));
  CHECK_FALSE(list->find("\xC5\xBFIZE"));
  CHECK_FALSE(parameter_list{}.find("SIZE"));
}

TEST_CASE("With SMTPUTF8 values hold characters beyond ASCII, and keywords do not", "[grammar][6531-3.3-06]") {
  const auto list = parameter_list::parse("ORCPT=utf-8;\xC3\xA9@x SMTPUTF8", charset::utf8);
  REQUIRE(list);
  CHECK(list->find("ORCPT")->value == "utf-8;\xC3\xA9@x");
  CHECK(list->find("SMTPUTF8"));
  CHECK_FALSE(parameter_list::parse("ORCPT=utf-8;\xC3\xA9@x"));
  CHECK_FALSE(parameter_list::parse("\xC3\xA9=1", charset::utf8));
  CHECK(parameter_list::parse("A=\xC3", charset::utf8).error() == error{errc::utf8_ill_formed, 2});
  CHECK(parameter_list::parse("A=\xED\xA0\x80", charset::utf8).error() == error{errc::utf8_ill_formed, 2});
}

TEST_CASE("A parsed list says again what it was made from, on all strings up to seven octets", "[grammar][5321-4.1.2-08][T19]") {
  std::string wrong;
  strings::for_each_up_to(7, "a1-= >", [&wrong](std::string_view text) {
    const auto list = parameter_list::parse(text);
    if (!list) return;
    std::string again;
    for (const parameter& one : *list) {
      if (!again.empty()) again += ' ';
      again += one.keyword;
      if (one.value) again += "=" + std::string{*one.value};
    }
    if (again != text) wrong = "<" + std::string{text} + ">";
  });
  CHECK(wrong == "");
}

}  // namespace
