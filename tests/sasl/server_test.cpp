// SPDX-License-Identifier: BSL-1.0
#include <ehlo/sasl/server.hpp>

#include <concepts>
#include <new>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <variant>

#include "support/catch.hpp"

namespace {

using namespace ehlo;
using namespace std::string_literals;
using namespace std::string_view_literals;
using sasl::server_exchange;

sasl::credentials claimed(const server_exchange::outcome& o) {
  REQUIRE(std::holds_alternative<sasl::credentials>(o));
  return *std::get_if<sasl::credentials>(&o);
}

std::string challenged(const server_exchange::outcome& o) {
  REQUIRE(std::holds_alternative<sasl::challenge>(o));
  return std::string{std::get_if<sasl::challenge>(&o)->octets};
}

errc failed(const server_exchange::outcome& o) {
  REQUIRE(std::holds_alternative<error>(o));
  return std::get_if<error>(&o)->code;
}

TEST_CASE("Mechanisms that send first get an empty challenge when nothing came with AUTH", "[sasl]") {
  for (const std::string_view name : {"PLAIN"sv, "plain"sv}) {
    server_exchange exchange;
    REQUIRE(exchange.start(name));
    CHECK(challenged(exchange.step(std::nullopt)).empty());
    const auto got = claimed(exchange.step("z\0u\0p"sv));
    CHECK(got.mechanism == sasl::mechanism::plain);
    CHECK(got.authorization_identity == "z");
    CHECK(got.authentication_identity == "u");
    CHECK(got.proof.reveal() == "p");
    CHECK(exchange.is_over());
  }
}

TEST_CASE("An empty initial response is a response, not none", "[sasl][T34]") {
  server_exchange exchange;
  REQUIRE(exchange.start("PLAIN"));
  CHECK(failed(exchange.step(""sv)) == errc::sasl_message);
  REQUIRE(exchange.start("EXTERNAL"));
  const auto got = claimed(exchange.step(""sv));
  CHECK(got.authorization_identity.empty());
  CHECK(got.proof.empty());
}

TEST_CASE("LOGIN asks for the name and the password, and keeps the name itself", "[sasl][T34]") {
  for (const bool initial : {false, true}) {
    server_exchange exchange;
    REQUIRE(exchange.start("LOGIN"));
    if (!initial) CHECK(challenged(exchange.step(std::nullopt)) == "Username:");
    std::string name(255, 'u');
    CHECK(challenged(exchange.step(name)) == "Password:");
    name.assign(255, '#');
    const auto got = claimed(exchange.step("secret"sv));
    CHECK(got.authentication_identity == std::string(255, 'u'));
    CHECK(got.proof.reveal() == "secret");
  }
}

TEST_CASE("Tokens come with a name, decoded", "[sasl]") {
  server_exchange exchange;
  REQUIRE(exchange.start("XOAUTH2"));
  auto got =
      claimed(exchange.step("user=u@x\x01"
                            "auth=Bearer t\x01\x01"sv));
  CHECK(got.authentication_identity == "u@x");
  CHECK(got.proof.reveal() == "t");
  REQUIRE(exchange.start("OAUTHBEARER"));
  got =
      claimed(exchange.step("n,a=a=2Cb,\x01"
                            "auth=Bearer t\x01\x01"sv));
  CHECK(got.authorization_identity == "a,b");
  REQUIRE(exchange.start("OAUTHBEARER"));
  CHECK(claimed(exchange.step("n,,\x01"
                              "auth=Bearer t\x01\x01"sv))
            .authorization_identity.empty());
}

TEST_CASE("An exchange ends after an error, after credentials, and is not begun by an unknown name", "[sasl][T34]") {
  server_exchange exchange;
  CHECK(failed(exchange.step("x"sv)) == errc::out_of_order);
  CHECK(exchange.start("CRAM-MD5").error().code == errc::mechanism_unknown);
  CHECK(exchange.start("PLAINX").error().code == errc::mechanism_unknown);
  CHECK(failed(exchange.step(std::nullopt)) == errc::out_of_order);
  REQUIRE(exchange.start("LOGIN"));
  CHECK(failed(exchange.step(""sv)) == errc::sasl_message);
  CHECK(failed(exchange.step("x"sv)) == errc::out_of_order);
  REQUIRE(exchange.start("PLAIN"));
  claimed(exchange.step("\0u\0p"sv));
  CHECK(failed(exchange.step("\0u\0p"sv)) == errc::out_of_order);
}

TEST_CASE("A challenge is given once: no answer to it is an error", "[sasl][T34]") {
  for (const std::string_view name : sasl::mechanism_names) {
    CAPTURE(name);
    server_exchange exchange;
    REQUIRE(exchange.start(name));
    challenged(exchange.step(std::nullopt));
    CHECK(failed(exchange.step(std::nullopt)) == errc::sasl_message);
  }
}

TEST_CASE("A name is wiped when the exchange is cleared or destroyed", "[sasl][T37]") {
  const std::string name = "remarkable-name";
  const auto holds = [&name](const void* octets) {
    return std::string_view{static_cast<const char*>(octets), sizeof(server_exchange)}.find(name) != std::string_view::npos;
  };
  server_exchange exchange;
  REQUIRE(exchange.start("LOGIN"));
  challenged(exchange.step(name));
  CHECK(holds(&exchange));
  exchange.clear();
  CHECK_FALSE(holds(&exchange));
  REQUIRE(exchange.start("LOGIN"));
  challenged(exchange.step(name));
  failed(exchange.step(""sv));
  CHECK_FALSE(holds(&exchange));

  alignas(server_exchange) unsigned char room[sizeof(server_exchange)]{};
  auto* placed = new (room) server_exchange;
  REQUIRE(placed->start("LOGIN"));
  challenged(placed->step(name));
  CHECK(holds(room));
  placed->~server_exchange();
  CHECK_FALSE(holds(room));
}

template <class T>
concept printable = requires(std::ostream& out, const T& value) {
  out << value;
};

TEST_CASE("Credentials cannot be printed", "[sasl][T37]") { STATIC_REQUIRE_FALSE(printable<sasl::credentials>); }

constexpr bool login_at_compile_time() {
  server_exchange exchange;
  if (!exchange.start("LOGIN")) return false;
  exchange.step(std::nullopt);
  exchange.step("u");
  const server_exchange::outcome o = exchange.step("p");
  const auto* got = std::get_if<sasl::credentials>(&o);
  return got != nullptr && got->authentication_identity == "u" && equal_in_constant_time(got->proof, secret{"p"});
}
static_assert(login_at_compile_time());

TEST_CASE("A response that its mechanism cannot read ends the exchange", "[sasl]") {
  const struct {
    std::string_view mechanism;
    std::string_view response;
  } rows[] = {
      {"EXTERNAL", "a\0b"sv},     {"XOAUTH2", "user=u\x01"},
      {"OAUTHBEARER", "n,,\x01"}, {"OAUTHBEARER", "n,a=x=2,\x01auth=Bearer t\x01\x01"},
      {"PLAIN", "no zeros"},      {"LOGIN", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.mechanism);
    server_exchange exchange;
    REQUIRE(exchange.start(row.mechanism).has_value());
    const auto o = exchange.step(row.response);
    CHECK(std::holds_alternative<error>(o));
    CHECK(exchange.is_over());
    CHECK(std::get<error>(exchange.step("again")).code == errc::out_of_order);
  }
}

}  // namespace
