// SPDX-License-Identifier: BSL-1.0
#include <ehlo/secret.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <ostream>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace ehlo;

template <class T>
concept printable = requires(std::ostream& out, const T& value) {
  out << value;
};

TEST_CASE("A secret does not turn into text by itself", "[words][T37]") {
  STATIC_REQUIRE_FALSE(printable<secret>);
  STATIC_REQUIRE_FALSE(std::convertible_to<secret, std::string_view>);
  STATIC_REQUIRE_FALSE(std::convertible_to<std::string_view, secret>);
  STATIC_REQUIRE_FALSE(std::constructible_from<std::string, secret>);
  STATIC_REQUIRE_FALSE(std::equality_comparable<secret>);
  CHECK(secret{"x"}.reveal() == "x");
  CHECK(secret{}.empty());
}

TEST_CASE("Secrets are equal if size and octets are", "[words][T36]") {
  CHECK(equal_in_constant_time(secret{"abc"}, secret{"abc"}));
  for (const std::string_view other : {"", "a", "ab", "abd", "xbc", "abcabc", "abca"}) {
    CAPTURE(other);
    CHECK_FALSE(equal_in_constant_time(secret{"abc"}, secret{other}));
    CHECK_FALSE(equal_in_constant_time(secret{other}, secret{"abc"}));
  }
  CHECK_FALSE(equal_in_constant_time("abcabc", "abc"));
}

TEST_CASE("Wiped octets are NUL", "[words][T37]") {
  std::array<char, 5> octets{'a', 'b', 'c', 'd', 'e'};
  wipe(octets.data() + 1, 3);
  CHECK(std::string_view{octets.data(), 5} == std::string_view{"a\0\0\0e", 5});
}

constexpr bool wiped_at_compile_time() {
  std::array<char, 2> octets{'a', 'b'};
  wipe(octets.data(), 2);
  return octets == std::array<char, 2>{};
}
static_assert(wiped_at_compile_time());

}  // namespace
