// SPDX-License-Identifier: BSL-1.0
#include <string_view>

#include <ehlo/extension/body.hpp>

#include "support/catch.hpp"

using ehlo::body_type;

TEST_CASE("BODY is one of three words in any case, and is written in upper case", "[extension][6152-2-02]") {
  for (const auto body : {body_type::seven_bit, body_type::eight_bit, body_type::binary}) {
    CHECK(*ehlo::parse_body(ehlo::text_of(body)) == body);
  }
  CHECK(*ehlo::parse_body("7bit") == body_type::seven_bit);
  CHECK(*ehlo::parse_body("8BitMime") == body_type::eight_bit);
  CHECK(*ehlo::parse_body("binarymime") == body_type::binary);
  for (const std::string_view wrong : {"", "8BIT", "7BIT ", "8BITMIME,7BIT", "BINARY"}) {
    CAPTURE(wrong);
    REQUIRE_FALSE(ehlo::parse_body(wrong).has_value());
    CHECK(ehlo::parse_body(wrong).error() == ehlo::error{ehlo::errc::body_value, 0});
  }
}
