// SPDX-License-Identifier: BSL-1.0
#include <iterator>
#include <string>
#include <string_view>

#include <ehlo/extension/xclient.hpp>

#include "support/catch.hpp"

using ehlo::errc;
using ehlo::xclient_attributes;

TEST_CASE("XCLIENT's attributes are walked as they came", "[extension][xclient]") {
  const auto attributes = xclient_attributes::parse("NAME=a.example ADDR=192.0.2.1 helo=x");
  REQUIRE(attributes.has_value());
  const ehlo::attribute_list& list = attributes->list();
  CHECK(list.text() == attributes->text());
  CHECK(std::distance(list.begin(), list.end()) == 3);
  CHECK((*list.begin()).name == "NAME");
  CHECK(list.find("HELO")->text() == "x");
}

TEST_CASE("A port of XCLIENT is 0 to 65535, without leading zeros", "[extension][xclient]") {
  for (const std::string_view port : {"0", "1", "25", "65535"}) {
    CAPTURE(port);
    const std::string text = "PORT=" + std::string{port};
    const auto attributes = xclient_attributes::parse(text);
    REQUIRE(attributes.has_value());
    CHECK(std::to_string(*attributes->port()->value) == port);
  }
  for (const std::string_view port : {"65536", "00", "01", "123456", "1x", "x", "-1", "+2B1"}) {
    CAPTURE(port);
    const std::string text = "PORT=" + std::string{port};
    const auto attributes = xclient_attributes::parse(text);
    REQUIRE_FALSE(attributes.has_value());
    CHECK(attributes.error().code == errc::attribute_value);
  }
}
