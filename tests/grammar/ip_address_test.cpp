// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <ehlo/grammar/ip_address.hpp>

#include "support/catch.hpp"

namespace {

using ehlo::ip_address;

std::string text_of(const ip_address& a) {
  std::array<char, ip_address::max_size> out{};
  return {out.data(), a.write(out.data())};
}

std::string literal_of(const ip_address& a) {
  std::array<char, ip_address::max_literal_size> out{};
  return {out.data(), a.write_literal(out.data())};
}

}  // namespace

TEST_CASE("An IPv4 address is written as it is read", "[grammar][ip_address]") {
  for (const char* text : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "10.0.100.9"}) {
    CAPTURE(text);
    const auto a = ip_address::parse_v4(text);
    REQUIRE(a.has_value());
    CHECK(text_of(*a) == text);
    CHECK(literal_of(*a) == "[" + std::string{text} + "]");
    CHECK(a->octet_count() == 4);
    CHECK(*a == ip_address{ehlo::ip_version::four, a->octets()});
  }
}

TEST_CASE("An IPv4 address that could be read in two ways is none", "[grammar][ip_address]") {
  using ehlo::errc;
  using ehlo::error;
  CHECK(ip_address::parse_v4("010.1.1.1").error() == error{errc::ipv4_number, 0});
  CHECK(ip_address::parse_v4("10.1.00.1").error() == error{errc::ipv4_number, 5});
  CHECK(ip_address::parse_v4("1.2.3").error() == error{errc::ipv4_dot, 5});
  CHECK(ip_address::parse_v4("1.2.3.256").error() == error{errc::ipv4_number, 6});
  CHECK(ip_address::parse_v4("1.2.3.4.5").error() == error{errc::trailing_octets, 7});
  CHECK(ip_address::parse_v4("").error() == error{errc::ipv4_number, 0});
  CHECK(ip_address::parse_v4("::1").error() == error{errc::ipv4_number, 0});
}

TEST_CASE("An IPv6 address is written in the one form of RFC 5952", "[grammar][ip_address]") {
  const std::pair<const char*, const char*> rows[] = {
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:DB8::1", "2001:db8::1"},
      {"2001:0db8:0:0:0:0:2:1", "2001:db8::2:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"0:0:1::", "0:0:1::"},
      {"1:0:0:2:3:4:0:0", "1::2:3:4:0:0"},
      {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
      {"::ffff:192.0.2.1", "::ffff:c000:201"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (const auto& [read, written] : rows) {
    CAPTURE(read);
    const auto a = ip_address::parse_v6(read);
    REQUIRE(a.has_value());
    CHECK(text_of(*a) == written);
    CHECK(literal_of(*a) == "[IPv6:" + std::string{written} + "]");
    CHECK(*ip_address::parse_v6(written) == *a);
  }
}

TEST_CASE("An IPv6 address with a fault is none", "[grammar][ip_address]") {
  using ehlo::errc;
  using ehlo::error;
  CHECK(ip_address::parse_v6("::ffff:192.0.02.1").error() == error{errc::ipv4_number, 13});
  CHECK(ip_address::parse_v6("::ffff:01.0.2.1").error() == error{errc::ipv4_number, 7});
  CHECK(ip_address::parse_v6("1::2::3").error().code == errc::ipv6_group_count);
  CHECK(ip_address::parse_v6("1:2:3:4:5:6:7:8:9").error().code == errc::ipv6_group_count);
  CHECK(ip_address::parse_v6("::1%eth0").error() == error{errc::trailing_octets, 3});
  CHECK(ip_address::parse_v6("[::1]").error().code == errc::ipv6_group);
  CHECK(ip_address::parse_v6("192.0.2.1").error().code == errc::ipv6_group_count);
}

TEST_CASE("The literal of any address is an address literal with its octets", "[grammar][ip_address]") {
  std::mt19937 draw{5952};
  for (int turn = 0; turn < 3000; ++turn) {
    ehlo::address_octets octets{};
    for (auto& o : octets) o = static_cast<std::uint8_t>(draw() % 3 == 0 ? draw() % 256 : 0);
    for (const auto version : {ehlo::ip_version::four, ehlo::ip_version::six}) {
      const ip_address a{version, octets};
      const std::string text = literal_of(a);
      CAPTURE(text);
      const auto literal = ehlo::address_literal::parse(text);
      REQUIRE(literal.has_value());
      REQUIRE(literal->octets() == a.octets());
      REQUIRE(literal->octet_count() == a.octet_count());
    }
  }
}

TEST_CASE("Addresses of different versions differ", "[grammar][ip_address]") {
  CHECK(ip_address{} == *ip_address::parse_v4("0.0.0.0"));
  CHECK(ip_address{} != *ip_address::parse_v6("::"));
  static_assert(sizeof(ip_address) <= 20);
}
