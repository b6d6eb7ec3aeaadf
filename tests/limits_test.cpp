// SPDX-License-Identifier: BSL-1.0
#include <ehlo/limits.hpp>

#include "support/catch.hpp"

namespace sizes = ehlo::sizes;

TEST_CASE("the sizes are those of the standards", "[limits][5321-4.5.3.1-01]") {
  STATIC_REQUIRE(sizes::local_part == 64);
  STATIC_REQUIRE(sizes::domain == 255);
  STATIC_REQUIRE(sizes::path == 256);
  STATIC_REQUIRE(sizes::command_line == 512);
  STATIC_REQUIRE(sizes::reply_line == 512);
  STATIC_REQUIRE(sizes::text_line == 1000);
  STATIC_REQUIRE(sizes::recipients == 100);
  STATIC_REQUIRE(sizes::auth_line == 12288);  // RFC 4954 4
  STATIC_REQUIRE(sizes::envid == 100);        // RFC 3461 4.4
  STATIC_REQUIRE(sizes::orcpt == 500);        // RFC 3461 4.2
}

TEST_CASE("the default limits leave room for what the standards promise", "[limits]") {
  constexpr ehlo::limits server{};
  STATIC_REQUIRE(server.message == 67108864);
  STATIC_REQUIRE(server.recipients == 1000);
  STATIC_REQUIRE(server.transactions == 0);
  STATIC_REQUIRE(server.errors == 0);
  STATIC_REQUIRE(server.authentication_failures == 3);
  STATIC_REQUIRE(server.auth_line == 12288);
  STATIC_REQUIRE(server.output == 4096);
  constexpr ehlo::client_limits client{};
  STATIC_REQUIRE(client.reply.line == 2048);
  STATIC_REQUIRE(client.reply.lines == 512);
  STATIC_REQUIRE(client.reply.octets == 131072);
  STATIC_REQUIRE(client.batch == 1024);
  STATIC_REQUIRE(client.recipients == 0);
  STATIC_REQUIRE(client.coalesced == 0);
  STATIC_REQUIRE(client.challenges == 10);
  STATIC_REQUIRE(client.auth_line == 512);
}

TEST_CASE("the default times are the least that RFC 5321 gives", "[limits]") {
  constexpr ehlo::client_timeouts client{};
  STATIC_REQUIRE(client.greeting == 300);
  STATIC_REQUIRE(client.mail == 300);
  STATIC_REQUIRE(client.rcpt == 300);
  STATIC_REQUIRE(client.data == 120);
  STATIC_REQUIRE(client.data_block == 180);
  STATIC_REQUIRE(client.message == 600);
  STATIC_REQUIRE(client.command == 300);
  STATIC_REQUIRE(client.handshake == 300);
  constexpr ehlo::timeouts server{};
  STATIC_REQUIRE(server.command == 300);
  STATIC_REQUIRE(server.data_block == 180);
  STATIC_REQUIRE(server.handshake == 300);
}
