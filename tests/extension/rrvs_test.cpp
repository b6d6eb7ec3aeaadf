// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <string_view>

#include <ehlo/extension/rrvs.hpp>

#include "support/catch.hpp"
#include "support/written.hpp"

TEST_CASE("RRVS keeps time and action as they were given", "[extension][7293-3.1-04]") {
  for (const std::string_view text :
       {"2014-04-03T23:01:00Z", "2014-04-03T23:01:00Z;C", "2014-04-03T23:01:00Z;R", "2014-04-03T23:01:00-11:30;C"}) {
    CAPTURE(text);
    const auto parsed = ehlo::parse_valid_since(text);
    REQUIRE(parsed.has_value());
    CHECK(written(*parsed) == text);
    CHECK(parsed->may_continue() == text.ends_with(";C"));
    CHECK(parsed->action.has_value() == (text.find(';') != text.npos));
  }
  CHECK(written(*ehlo::parse_valid_since("2014-04-03t23:01:00z;c")) == "2014-04-03T23:01:00Z;C");
}

TEST_CASE("What is no RRVS is refused at the octet that is wrong", "[extension][7293-3.1-02]") {
  const struct {
    std::string_view text;
    std::size_t offset;
  } rows[] = {{"", 0},
              {";C", 0},
              {"2014-04-03", 10},
              {"2014-04-03T23:01:00.5Z", 0},
              {"2014-04-03T23:01:00Z;", 21},
              {"2014-04-03T23:01:00Z;X", 21},
              {"2014-04-03T23:01:00Z;CR", 21},
              {"2014-04-03T23:01:00Z;C;R", 21},
              {"2014-04-03T23:01:00Z C", 20}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto parsed = ehlo::parse_valid_since(row.text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == ehlo::error{ehlo::errc::valid_since_value, row.offset});
  }
}
