// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <string>
#include <string_view>

#include <ehlo/extension/dsn.hpp>

#include "support/catch.hpp"

using ehlo::errc;
using ehlo::notify_set;

TEST_CASE("NOTIFY is NEVER or words with commas between, in any case and order", "[extension][3461-4.1-01]") {
  const struct {
    std::string_view text;
    notify_set value;
  } rows[] = {{"NEVER", {}},
              {"never", {}},
              {"SUCCESS", {.success = true}},
              {"Failure", {.failure = true}},
              {"DELAY", {.delay = true}},
              {"delay,SUCCESS,failure", {true, true, true}},
              {"SUCCESS,SUCCESS", {.success = true}}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    REQUIRE(ehlo::parse_notify(row.text).has_value());
    CHECK(*ehlo::parse_notify(row.text) == row.value);
    CHECK(ehlo::parse_notify(row.text)->is_never() == (row.value == notify_set{}));
  }
  const struct {
    std::string_view text;
    std::size_t offset;
  } bad[] = {{"", 0}, {",", 0}, {"SUCCESS,", 8}, {",SUCCESS", 0}, {"SUCCESS,NEVER", 8}, {"NEVER,SUCCESS", 0}, {"DELAY FAILURE", 0}};
  for (const auto& row : bad) {
    CAPTURE(row.text);
    REQUIRE_FALSE(ehlo::parse_notify(row.text).has_value());
    CHECK(ehlo::parse_notify(row.text).error() == ehlo::error{errc::notify_value, row.offset});
  }
}

TEST_CASE("RET, ENVID and ORCPT have their sizes and alphabets to the octet", "[extension][3461-4.4-02][3461-4.2-03]") {
  CHECK(*ehlo::parse_ret("full") == ehlo::ret_type::full);
  CHECK(*ehlo::parse_ret("HDRS") == ehlo::ret_type::hdrs);
  CHECK(ehlo::parse_ret("ALL").error() == ehlo::error{errc::ret_value, 0});
  CHECK(ehlo::parse_envid(std::string(100, 'x')).has_value());
  CHECK(ehlo::parse_envid(std::string(101, 'x')).error() == ehlo::error{errc::envid_too_long, 100});
  CHECK(ehlo::parse_envid("").error() == ehlo::error{errc::envid_value, 0});
  CHECK(ehlo::parse_envid("ab=").error() == ehlo::error{errc::envid_value, 2});
  const std::string longest = "rfc822;" + std::string(493, 'x');
  CHECK(ehlo::parse_orcpt(longest)->address.size() == 493);
  CHECK(ehlo::parse_orcpt(longest + "x").error() == ehlo::error{errc::orcpt_too_long, 500});
  const struct {
    std::string_view text;
    std::size_t offset;
  } rows[] = {{"", 0},           {"rfc822", 0},       {";a", 0},          {"rfc822;", 7},    {"rfc 822;a", 3},
              {"rfc822;a=b", 8}, {"rfc822;a+0a", 10}, {"rfc822;a+0A", 8}, {"utf-8;a+2Bb", 7}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    REQUIRE_FALSE(ehlo::parse_orcpt(row.text).has_value());
    CHECK(ehlo::parse_orcpt(row.text).error() == ehlo::error{errc::orcpt_value, row.offset});
  }
  CHECK(*ehlo::parse_orcpt("Utf-8;a\\x{2B}b") == ehlo::original_recipient{"Utf-8", "a\\x{2B}b"});
  CHECK_FALSE(ehlo::parse_orcpt("utf-8;\xC3\xA9").has_value());
  CHECK(ehlo::parse_orcpt("utf-8;\xC3\xA9", ehlo::charset::utf8).has_value());
}
