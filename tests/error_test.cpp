// SPDX-License-Identifier: BSL-1.0
#include <ehlo/error.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "support/catch.hpp"

TEST_CASE("Each rule has words of its own, and a clause of a standard or none", "[words]") {
  std::set<std::string_view> texts;
  for (std::size_t i = 0; i < ehlo::rules.size(); ++i) {
    const auto code = static_cast<ehlo::errc>(i);
    const ehlo::rule& rule = ehlo::describe(code);
    CAPTURE(rule.text);
    CHECK(rule.code == code);
    CHECK(rule.text.size() >= 5);
    CHECK(rule.text.find_first_of("\r\n\t\"") == rule.text.npos);
    CHECK(rule.text.back() != '.');
    CHECK(texts.insert(rule.text).second);
    // "RFC 5321 4.1.2", or the document of an extension that is none of the IETF's.
    if (rule.clause.starts_with("RFC ")) {
      const std::size_t section = rule.clause.find(' ', 4);
      REQUIRE(section != rule.clause.npos);
      CHECK(rule.clause.substr(4, section - 4).find_first_not_of("0123456789") == rule.clause.npos);
      CHECK(section + 1 < rule.clause.size());
    }
  }
}

TEST_CASE("Errors are equal if rule and place are", "[words]") {
  const ehlo::error one{ehlo::errc::empty_label, 3};
  CHECK(one == ehlo::error{ehlo::errc::empty_label, 3});
  CHECK_FALSE(one == ehlo::error{ehlo::errc::empty_label, 4});
  CHECK_FALSE(one == ehlo::error{ehlo::errc::empty_atom, 3});
  CHECK(ehlo::error{ehlo::errc::empty_atom}.offset == 0);
}
