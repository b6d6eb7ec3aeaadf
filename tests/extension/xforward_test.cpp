// SPDX-License-Identifier: BSL-1.0
#include <iterator>
#include <string_view>

#include <ehlo/extension/xforward.hpp>

#include "support/catch.hpp"

using ehlo::xforward_attributes;

TEST_CASE("XFORWARD's attributes are walked as they came", "[extension][xforward]") {
  const auto attributes = xforward_attributes::parse("NAME=a.example SOURCE=local");
  REQUIRE(attributes.has_value());
  const ehlo::attribute_list& list = attributes->list();
  CHECK(list.text() == attributes->text());
  CHECK(std::distance(list.begin(), list.end()) == 2);
  CHECK((*list.begin()).value.text() == "a.example");
  CHECK(attributes->source()->value == ehlo::message_source::local);
}
