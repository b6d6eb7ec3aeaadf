// SPDX-License-Identifier: BSL-1.0
#include <ehlo/sasl/external.hpp>
#include <ehlo/sasl/login.hpp>
#include <ehlo/sasl/oauthbearer.hpp>
#include <ehlo/sasl/plain.hpp>
#include <ehlo/sasl/xoauth2.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace ehlo;
using namespace std::string_literals;
using namespace std::string_view_literals;

template <class Message, class... More>
std::string written(const Message& message, More... more) {
  std::array<char, 2048> out{};
  const auto size = sasl::write(message, more..., out);
  REQUIRE(size.has_value());
  // Any smaller room is an error, and nothing is written behind it.
  for (std::size_t room = 0; room < *size; ++room) {
    std::string small(room + 1, '#');
    REQUIRE(sasl::write(message, more..., std::span{small.data(), room}).error().code == errc::sasl_too_long);
    REQUIRE(small[room] == '#');
  }
  return {out.data(), *size};
}

TEST_CASE("PLAIN has two names and a password between two NULs", "[sasl][T34]") {
  const auto all = sasl::plain::parse("z\0u\0p"sv);
  REQUIRE(all.has_value());
  CHECK(all->authorization_identity == "z");
  CHECK(all->authentication_identity == "u");
  CHECK(all->password.reveal() == "p");
  CHECK(sasl::plain::parse("\0u\0p"sv)->authorization_identity.empty());
  const std::string most(255, 'x');
  CHECK(sasl::plain::parse(most + '\0' + most + '\0' + most).has_value());
  const auto written_out = written(sasl::plain{"z", "u", secret{"p q"}});
  CHECK(written_out == "z\0u\0p q"s);
  CHECK(written(sasl::plain{"", "u", secret{"p"}}) == "\0u\0p"s);
}

TEST_CASE("Wrong PLAIN messages are refused, with their place", "[sasl][T34]") {
  struct row {
    std::string text;
    error wanted;
  };
  const std::string over(256, 'x');
  for (const row& r :
       {row{"", {errc::sasl_message, 0}}, row{"u", {errc::sasl_message, 1}}, row{"u\0p"s, {errc::sasl_message, 3}},
        row{"\0\0p"s, {errc::sasl_message, 1}}, row{"\0u\0"s, {errc::sasl_message, 3}}, row{"\0u\0p\0"s, {errc::sasl_message, 4}},
        row{"\0u\0p\0q"s, {errc::sasl_message, 4}}, row{"\0u\nv\0p"s, {errc::sasl_message, 2}},
        row{"z\x7F\0u\0p"s, {errc::sasl_message, 1}}, row{over + "\0u\0p"s, {errc::sasl_too_long, 255}},
        row{"\0"s + over + "\0p"s, {errc::sasl_too_long, 256}}, row{"\0u\0"s + over, {errc::sasl_too_long, 258}},
        row{"\0\xFF\0p"s, {errc::utf8_ill_formed, 1}}, row{"\0u\0\xC0\xAF"s, {errc::utf8_ill_formed, 3}}}) {
    CAPTURE(r.text);
    const auto got = sasl::plain::parse(r.text);
    REQUIRE(!got);
    CHECK(got.error() == r.wanted);
  }
}

TEST_CASE("The writer of PLAIN takes no NUL and no empty field", "[sasl][T34]") {
  std::array<char, 100> out{};
  CHECK_FALSE(sasl::write(sasl::plain{"", "u\0x"sv, secret{"p"}}, out));
  CHECK_FALSE(sasl::write(sasl::plain{"", "u", secret{"p\0"sv}}, out));
  CHECK_FALSE(sasl::write(sasl::plain{"", "", secret{"p"}}, out));
  CHECK_FALSE(sasl::write(sasl::plain{"", "u", secret{}}, out));
}

TEST_CASE("LOGIN checks the name and the password", "[sasl][T34]") {
  CHECK(*sasl::login::parse_username("u") == "u");
  CHECK(sasl::login::parse_username("").error().code == errc::sasl_message);
  CHECK(sasl::login::parse_username("a\r").error() == error{errc::sasl_message, 1});
  CHECK(sasl::login::parse_username(std::string(256, 'u')).error().code == errc::sasl_too_long);
  CHECK(sasl::login::parse_password("p w")->reveal() == "p w");
  CHECK(sasl::login::parse_password("").error().code == errc::sasl_message);
}

TEST_CASE("EXTERNAL is a name or nothing", "[sasl][T34]") {
  CHECK(sasl::external::parse("")->authorization_identity.empty());
  CHECK(sasl::external::parse("u@x")->authorization_identity == "u@x");
  CHECK(sasl::external::parse("u\0"sv).error() == error{errc::sasl_message, 1});
  CHECK(sasl::external::parse("\xFF").error().code == errc::utf8_ill_formed);
  CHECK(written(sasl::external{"u@x"}) == "u@x");
  CHECK(written(sasl::external{}).empty());
}

TEST_CASE("XOAUTH2 is a name and a token", "[sasl][T34]") {
  const std::string text =
      "user=u@x\x01"
      "auth=Bearer t0k.en==\x01\x01";
  const auto said = sasl::xoauth2::parse(text);
  REQUIRE(said.has_value());
  CHECK(said->user == "u@x");
  CHECK(said->token.reveal() == "t0k.en==");
  CHECK(written(*said) == text);
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(sasl::xoauth2::parse(std::string_view{text}.substr(0, size)));
  }
  CHECK_FALSE(sasl::xoauth2::parse(text + "x"));
  CHECK_FALSE(
      sasl::xoauth2::parse("user=\x01"
                           "auth=Bearer t\x01\x01"));
  CHECK_FALSE(
      sasl::xoauth2::parse("user=u\x01"
                           "auth=Bearer \x01\x01"));
  CHECK_FALSE(
      sasl::xoauth2::parse("user=u\x01"
                           "auth=Bearer a\x01x\x01\x01"));
  CHECK_FALSE(
      sasl::xoauth2::parse("user=u\x01"
                           "auth=Basic abcd\x01\x01"));
}

TEST_CASE("An error of XOAUTH2 tells where the message breaks the form", "[sasl][T34]") {
  const auto reason = [](std::string_view text) { return sasl::xoauth2::parse(text).error(); };
  CHECK(reason("usr=u") == error{errc::sasl_message, 0});
  CHECK(reason("user=u") == error{errc::sasl_message, 6});
  CHECK(reason("user=\x01"
               "auth=Bearer t\x01\x01") == error{errc::sasl_message, 5});
  CHECK(reason("user=u\tx\x01"
               "auth=Bearer t\x01\x01") == error{errc::sasl_message, 6});
  CHECK(reason("user=u\x01"
               "auth=Basic abcd\x01\x01") == error{errc::sasl_message, 7});
  CHECK(reason("user=u\x01"
               "auth=Bearer t\x01") == error{errc::sasl_message, 21});
  CHECK(reason("user=u\x01"
               "auth=Bearer t \x01\x01") == error{errc::sasl_message, 20});
}

TEST_CASE("OAUTHBEARER reads the example of RFC 7628 4.1", "[sasl][T34]") {
  const std::string text =
      "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01"
      "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01";
  const auto said = sasl::oauthbearer::parse(text);
  REQUIRE(said.has_value());
  CHECK(said->encoded_authorization_identity == "user@example.com");
  CHECK(said->host == "server.example.com");
  CHECK(said->port == 143);
  CHECK(said->token.reveal() == "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
  CHECK(written(*said, "user@example.com"sv) == text);
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(sasl::oauthbearer::parse(std::string_view{text}.substr(0, size)));
  }
}

TEST_CASE("OAUTHBEARER ignores unknown keys and decodes names", "[sasl]") {
  const auto said = sasl::oauthbearer::parse(
      "y,a=a=2Cb=3D,\x01qs=x=y\x01"
      "auth=bearer t\x01\x01");
  REQUIRE(said.has_value());
  std::array<char, 10> name{};
  CHECK(sasl::decode_saslname(said->encoded_authorization_identity, name) == result<std::size_t>{4});
  CHECK(std::string_view{name.data(), 4} == "a,b=");
  CHECK(written(sasl::oauthbearer{{}, {}, {}, secret{"t"}}, "a,b="sv) ==
        "n,a=a=2Cb=3D,\x01"
        "auth=Bearer t\x01\x01");
  CHECK(written(sasl::oauthbearer{{}, {}, 65535, secret{"t"}}, ""sv) ==
        "n,,\x01port=65535\x01"
        "auth=Bearer t\x01\x01");
  CHECK(sasl::is_failure_acknowledgement("\x01"));
}

TEST_CASE("Wrong OAUTHBEARER messages are refused", "[sasl][T34]") {
  for (const std::string_view text : {"",
                                      "\x01",
                                      "p=tls-unique,,\x01"
                                      "auth=Bearer t\x01\x01",
                                      "n,,\x01\x01",
                                      "n,,\x01host=h\x01\x01",
                                      "n,\x01"
                                      "auth=Bearer t\x01\x01",
                                      "n,a=,\x01"
                                      "auth=Bearer t\x01\x01",
                                      "n,a=x=2c,\x01"
                                      "auth=Bearer t\x01\x01",
                                      "n,a=x=,\x01"
                                      "auth=Bearer t\x01\x01",
                                      "n,,\x01"
                                      "auth=Bearer t\x01"
                                      "auth=Bearer t\x01\x01",
                                      "n,,\x01port=0\x01"
                                      "auth=Bearer t\x01\x01",
                                      "n,,\x01port=65536\x01"
                                      "auth=Bearer t\x01\x01",
                                      "n,,\x01port=1x\x01"
                                      "auth=Bearer t\x01\x01",
                                      "n,,\x01"
                                      "a1=x\x01"
                                      "auth=Bearer t\x01\x01",
                                      "n,,\x01=x\x01"
                                      "auth=Bearer t\x01\x01",
                                      "n,,\x01x\x01"
                                      "auth=Bearer t\x01\x01",
                                      "n,,\x01"
                                      "auth=Bearer t\x01\x01x",
                                      "n,,\x01"
                                      "auth=Basic t\x01\x01",
                                      "n,,\x01"
                                      "auth=Bearer t u\x01\x01",
                                      "n,,\x01x=\x7F\x01"
                                      "auth=Bearer t\x01\x01"}) {
    CAPTURE(text);
    CHECK_FALSE(sasl::oauthbearer::parse(text));
  }
}

}  // namespace
