// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <string>
#include <string_view>

#include <ehlo/extension/auth.hpp>

#include "support/catch.hpp"

TEST_CASE("The name of a mechanism is 1 to 20 letters, digits, hyphens and underscores", "[extension][4954-4-01]") {
  for (const std::string_view name : {"PLAIN", "plain", "X", "SCRAM-SHA-256", "A_B", "01234567890123456789"}) {
    CAPTURE(name);
    REQUIRE(ehlo::parse_mechanism_name(name).has_value());
    CHECK(*ehlo::parse_mechanism_name(name) == name);
  }
  const struct {
    std::string_view name;
    std::size_t offset;
  } rows[] = {{"", 0}, {"A B", 1}, {"A.B", 1}, {"=", 0}, {"A\xC3\x89", 1}, {"012345678901234567890", 20}};
  for (const auto& row : rows) {
    CAPTURE(row.name);
    REQUIRE_FALSE(ehlo::parse_mechanism_name(row.name).has_value());
    CHECK(ehlo::parse_mechanism_name(row.name).error() == ehlo::error{ehlo::errc::mechanism_name, row.offset});
  }
}

TEST_CASE("A mechanism that shows its secret to a listener needs TLS", "[extension][4954-4-36]") {
  namespace known = ehlo::mechanisms;
  for (const auto& mechanism : {known::plain, known::login, known::xoauth2, known::oauthbearer}) {
    CAPTURE(mechanism.name);
    CHECK(mechanism.needs_tls);
  }
  for (const auto& mechanism : {known::external, known::scram_sha_256, known::cram_md5}) {
    CAPTURE(mechanism.name);
    CHECK_FALSE(mechanism.needs_tls);
  }
  CHECK(known::cram_md5.first == ehlo::first_message::server);
  CHECK(known::login.first == ehlo::first_message::server_lenient);
  CHECK(known::plain.first == ehlo::first_message::client);
  CHECK(ehlo::auth_mechanism{"X-OWN"}.needs_tls);
}
