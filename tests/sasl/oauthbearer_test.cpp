// SPDX-License-Identifier: BSL-1.0
#include <ehlo/sasl/oauthbearer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using ehlo::errc;
using ehlo::sasl::oauthbearer;

/// A message with these pairs before the token.
std::string with(const std::string& pairs) { return "n,,\x01" + pairs + "auth=Bearer t\x01\x01"; }

}  // namespace

TEST_CASE("A host or a port stands once, and is neither empty nor out of range", "[sasl]") {
  CHECK(oauthbearer::parse(with("port=65535\x01"))->port == 65535);
  CHECK(oauthbearer::parse(with("port=1\x01host=h\x01"))->host == "h");
  for (const std::string pairs : {"host=\x01", "host=a\x01host=b\x01", "port=\x01", "port=0\x01", "port=01\x01", "port=65536\x01",
                                  "port=100000\x01", "port=1\x01port=1\x01", "port=:\x01", "port=/\x01"}) {
    CAPTURE(pairs);
    REQUIRE_FALSE(oauthbearer::parse(with(pairs)).has_value());
    CHECK(oauthbearer::parse(with(pairs)).error().code == errc::sasl_message);
  }
}

TEST_CASE("A name is decoded into the room there is, without commas and other escapes", "[sasl]") {
  std::array<char, 4> room{};
  CHECK(*ehlo::sasl::decode_saslname("a=2C=3D", room) == 3);
  CHECK(std::string_view{room.data(), 3} == "a,=");
  CHECK(*ehlo::sasl::decode_saslname("abcd", room) == 4);
  CHECK(ehlo::sasl::decode_saslname("abcde", room).error() == ehlo::error{errc::sasl_too_long, 4});
  CHECK(ehlo::sasl::decode_saslname("a,b", room).error() == ehlo::error{errc::sasl_message, 1});
  CHECK(ehlo::sasl::decode_saslname("a=2c", room).error() == ehlo::error{errc::sasl_message, 1});
  CHECK(ehlo::sasl::decode_saslname("a=2", room).error() == ehlo::error{errc::sasl_message, 1});
}

TEST_CASE("A message is not written with port 0, an empty token or too little room", "[sasl]") {
  std::array<char, 100> out{};
  oauthbearer message;
  message.token = ehlo::secret{"t"};
  message.host = "h";
  message.port = std::uint16_t{10};
  const auto size = write(message, "a", out);
  REQUIRE(size.has_value());
  CHECK(std::string_view{out.data(), *size} ==
        "n,a=a,\x01host=h\x01port=10\x01"
        "auth=Bearer t\x01\x01");
  CHECK(write(message, "a", std::span{out}.first(*size)).has_value());
  CHECK(write(message, "a", std::span{out}.first(*size - 1)).error().code == errc::sasl_too_long);
  message.port = std::uint16_t{0};
  CHECK(write(message, "a", out).error().code == errc::sasl_message);
  message.port.reset();
  message.host = "h\x01";
  CHECK_FALSE(write(message, "a", out).has_value());
  message.host = "h";
  message.token = {};
  CHECK_FALSE(write(message, "a", out).has_value());
}
