// SPDX-License-Identifier: BSL-1.0
#include <ehlo/result.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "support/catch.hpp"

using ehlo::errc;
using ehlo::error;
using ehlo::result;

TEST_CASE("a result holds a value or an error", "[result]") {
  result<std::string> good{std::string{"text"}};
  CHECK(good);
  CHECK(good.has_value());
  CHECK(*good == "text");
  CHECK(good->size() == 4);
  *good += "!";
  CHECK(std::as_const(good)->size() == 5);
  CHECK(good.value_or("other") == "text!");

  const result<std::string> bad{error{errc::empty_label, 3}};
  CHECK_FALSE(bad);
  CHECK(bad.error() == error{errc::empty_label, 3});
  CHECK(bad.value_or("other") == "other");
}

TEST_CASE("results are equal if both have the same value or the same error", "[result]") {
  const result<int> one{1};
  const result<int> none{error{errc::empty_label, 0}};
  CHECK(one == result<int>{1});
  CHECK_FALSE(one == result<int>{2});
  CHECK_FALSE(one == none);
  CHECK_FALSE(none == one);
  CHECK(none == result<int>{error{errc::empty_label, 0}});
  CHECK_FALSE(none == result<int>{error{errc::empty_label, 1}});
  CHECK_FALSE(none == result<int>{error{errc::line_too_long, 0}});
}

TEST_CASE("a value that cannot be copied is moved out", "[result]") {
  result<std::unique_ptr<int>> holder{std::make_unique<int>(7)};
  const std::unique_ptr<int> taken = *std::move(holder);
  CHECK(*taken == 7);
}

TEST_CASE("a result without a value is success or an error", "[result]") {
  constexpr result<void> good;
  STATIC_REQUIRE(good.has_value());
  const result<void> bad = error{errc::stale_answer};
  CHECK_FALSE(bad);
  CHECK(bad.error().code == errc::stale_answer);
  CHECK(good == result<void>{});
  CHECK_FALSE(good == bad);
}

TEST_CASE("a result is made of what makes its value, and of nothing else", "[result]") {
  STATIC_REQUIRE(std::is_convertible_v<const char*, result<std::string>>);
  STATIC_REQUIRE(std::is_convertible_v<error, result<std::string>>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::string, result<int>>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<const char*, result<int>>);
  // An error is one, even where a value could be made of it.
  using either = result<std::variant<int, error>>;
  CHECK_FALSE(either{error{errc::empty_label, 3}}.has_value());
  CHECK(either{7}.has_value());
}
