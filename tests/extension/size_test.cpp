// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include <ehlo/extension/size.hpp>

#include "support/catch.hpp"

using ehlo::errc;
using ehlo::parse_size;

TEST_CASE("A size is 1 to 20 digits, and the largest number stands for larger ones", "[extension][1870-3-03]") {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  const struct {
    std::string_view text;
    std::uint64_t value;
  } good[] = {{"0", 0},
              {"00000000000000000001", 1},
              {"1000000", 1000000},
              {"18446744073709551614", most - 1},
              {"18446744073709551615", most},
              {"18446744073709551616", most},
              {"18446744073709551620", most},
              {"99999999999999999999", most}};
  for (const auto& row : good) {
    CAPTURE(row.text);
    REQUIRE(parse_size(row.text).has_value());
    CHECK(*parse_size(row.text) == row.value);
  }
  const struct {
    std::string_view text;
    std::size_t offset;
  } bad[] = {{"", 0},   {"-1", 0},   {"+1", 0}, {" 1", 0}, {"1 ", 1},
             {"1k", 1}, {"0x10", 1}, {"/", 0},  {":", 0},  {"000000000000000000001", 20}};
  for (const auto& row : bad) {
    CAPTURE(row.text);
    REQUIRE_FALSE(parse_size(row.text).has_value());
    CHECK(parse_size(row.text).error() == ehlo::error{errc::size_value, row.offset});
  }
}

TEST_CASE("A number is written without zeros before it, and reads back", "[extension]") {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{9}, std::uint64_t{10}, std::uint64_t{1000000}, std::numeric_limits<std::uint64_t>::max()}) {
    std::array<char, 20> out{};
    const char* const end = ehlo::write_decimal(value, out.data());
    const std::string_view text{out.data(), static_cast<std::size_t>(end - out.data())};
    CHECK(*parse_size(text) == value);
    CHECK((text == "0" || text.front() != '0'));
  }
}
