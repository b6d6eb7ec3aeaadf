// SPDX-License-Identifier: BSL-1.0
#include <iterator>
#include <string>
#include <string_view>

#include <ehlo/grammar/attribute_list.hpp>

#include "support/catch.hpp"

namespace {

using ehlo::attribute_list;
using ehlo::errc;
using ehlo::error;

}  // namespace

TEST_CASE("Attributes are walked in their order and found by their names", "[grammar][attribute_list]") {
  const auto list = attribute_list::parse("NAME=a.example aDDr=192.0.2.1 HELO=x+2By");
  REQUIRE(list.has_value());
  CHECK(std::distance(list->begin(), list->end()) == 3);
  auto it = list->begin();
  CHECK((*it).name == "NAME");
  CHECK((*it).value.text() == "a.example");
  CHECK((*it++).offset == 0);
  CHECK((*it).name == "aDDr");
  CHECK((*it).offset == 15);
  CHECK(list->find("addr")->text() == "192.0.2.1");
  CHECK(list->find("HELO")->decoded_size() == 3);
  CHECK_FALSE(list->find("PORT"));
  CHECK_FALSE(list->find("ADD"));
  CHECK(list->text() == "NAME=a.example aDDr=192.0.2.1 HELO=x+2By");
  CHECK(attribute_list{}.empty());
  CHECK_FALSE(attribute_list{}.find("NAME"));
}

TEST_CASE("What is wrong with attributes is told with its octet", "[grammar][attribute_list]") {
  CHECK(attribute_list::parse("").error() == error{errc::argument_missing, 0});
  CHECK(attribute_list::parse(" A=b").error() == error{errc::attribute_name, 0});
  CHECK(attribute_list::parse("=b").error() == error{errc::attribute_name, 0});
  CHECK(attribute_list::parse("A").error() == error{errc::attribute_name, 1});
  CHECK(attribute_list::parse("A1=b").error() == error{errc::attribute_name, 1});
  CHECK(attribute_list::parse("A=b ").error() == error{errc::attribute_name, 4});
  CHECK(attribute_list::parse("A=b  C=d").error() == error{errc::attribute_name, 4});
  CHECK(attribute_list::parse("A=b C").error() == error{errc::attribute_name, 5});
  CHECK(attribute_list::parse("A=b C=").error() == error{errc::attribute_value, 6});
  CHECK(attribute_list::parse("A= C=d").error() == error{errc::attribute_value, 2});
  CHECK(attribute_list::parse("A=b=c").error() == error{errc::xtext_octet, 3});
  CHECK(attribute_list::parse("A=b\tC=d").error() == error{errc::xtext_octet, 3});
  CHECK(attribute_list::parse("A=b C=+0a").error() == error{errc::xtext_hex, 8});
  CHECK(attribute_list::parse("A=b C=x+0A").error() == error{errc::xtext_control, 7});
  CHECK(attribute_list::parse("A=b C=d a=b").error() == error{errc::parameter_duplicate, 8});
}

TEST_CASE("A value is decoded where it is short enough", "[grammar][attribute_list]") {
  const auto value = [](const std::string& text) { return *ehlo::xtext::parse(text); };
  CHECK(ehlo::decoded_value::of(value("a+2Bb"))->text() == "a+b");
  std::string encoded;
  for (int i = 0; i < 255; ++i) encoded += "+2B";
  CHECK(ehlo::decoded_value::of(value(encoded))->text() == std::string(255, '+'));
  encoded += "x";
  CHECK_FALSE(ehlo::decoded_value::of(value(encoded)));
}
