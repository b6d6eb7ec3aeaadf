// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <string>
#include <string_view>

#include <ehlo/extension/no_soliciting.hpp>

#include "support/catch.hpp"

using ehlo::solicitation_keywords;

TEST_CASE("Classes are words with single commas between, up to 1000 octets", "[extension][3865-2.2-01]") {
  for (const std::string& text : {std::string{"a"}, std::string{"net.example:ADV,org.example:X_y-1"}, std::string(1000, 'a')}) {
    REQUIRE(solicitation_keywords::parse(text).has_value());
    CHECK(solicitation_keywords::parse(text)->text() == text);
    CHECK_FALSE(solicitation_keywords::parse(text)->empty());
  }
  CHECK(solicitation_keywords{}.empty());
  const struct {
    std::string text;
    std::size_t offset;
  } rows[] = {
      {"", 0}, {",a", 0}, {"a,", 2}, {"a,,b", 2}, {"1a", 0}, {"a,:b", 2}, {"a b", 1}, {"a=", 1}, {std::string(1001, 'a'), 1000}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    REQUIRE_FALSE(solicitation_keywords::parse(row.text).has_value());
    CHECK(solicitation_keywords::parse(row.text).error() == ehlo::error{ehlo::errc::solicitation_value, row.offset});
  }
}

TEST_CASE("Two lists share a class if one word is the same in any case", "[extension]") {
  const auto list = [](std::string_view text) { return *solicitation_keywords::parse(text); };
  CHECK(list("a:X,b:Y").shares(list("c:Z,B:y")));
  CHECK_FALSE(list("a:X,b:Y").shares(list("a:XX,b")));
  CHECK_FALSE(list("a:X").shares(solicitation_keywords{}));
  std::string words;
  list("a:X,b:Y,c:Z").for_each([&words](std::string_view word) { words += "[" + std::string{word} + "]"; });
  CHECK(words == "[a:X][b:Y][c:Z]");
}

TEST_CASE("Lists share a class if any of one is any of the other", "[extension]") {
  const auto list = [](std::string_view text) { return *solicitation_keywords::parse(text); };
  CHECK(list("a,b").shares(list("A,b,c")));
  CHECK(list("x,y,b").shares(list("a,b")));
  CHECK(list("b,x").shares(list("a,b")));
  CHECK_FALSE(list("x,y").shares(list("a,b")));
  CHECK_FALSE(list("x,y").shares(solicitation_keywords{}));
}
