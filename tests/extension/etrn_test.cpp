// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <string_view>

#include <ehlo/extension/etrn.hpp>

#include "support/catch.hpp"

using ehlo::errc;
using ehlo::etrn_option;

TEST_CASE("ETRN is a domain with a dot, a domain behind @, or any name behind #", "[extension][1985-5-01]") {
  const struct {
    std::string_view argument;
    etrn_option option;
    std::string_view node;
  } rows[] = {{"mx.example", etrn_option::node, "mx.example"},
              {"@mx.example", etrn_option::subdomains, "mx.example"},
              {"#uucp", etrn_option::queue, "uucp"},
              {"##!", etrn_option::queue, "#!"}};
  for (const auto& row : rows) {
    CAPTURE(row.argument);
    const auto parsed = ehlo::parse_etrn(row.argument);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == ehlo::etrn_command{row.option, row.node});
    CHECK(row.argument.starts_with(ehlo::text_of(parsed->option)));
  }
  CHECK(ehlo::text_of(etrn_option::node).empty());
  CHECK(ehlo::text_of(etrn_option::subdomains) == "@");
  CHECK(ehlo::text_of(etrn_option::queue) == "#");
}

TEST_CASE("What is no node is refused at the octet that is wrong", "[extension][1985-5-03]") {
  const struct {
    std::string_view argument;
    errc code;
    std::size_t offset;
  } rows[] = {{"", errc::argument_missing, 0},     {"local", errc::etrn_node, 0},
              {"@local", errc::etrn_node, 1},      {"@", errc::etrn_node, 1},
              {"#", errc::etrn_node, 1},           {"#a b", errc::etrn_node, 2},
              {"mx..example", errc::etrn_node, 3}, {"@mx.example x", errc::etrn_node, 11},
              {"[192.0.2.1]", errc::etrn_node, 0}};
  for (const auto& row : rows) {
    CAPTURE(row.argument);
    const auto parsed = ehlo::parse_etrn(row.argument);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == ehlo::error{row.code, row.offset});
  }
}
