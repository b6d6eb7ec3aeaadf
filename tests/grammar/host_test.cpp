// SPDX-License-Identifier: BSL-1.0
#include <ehlo/grammar/host.hpp>

#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace ehlo;

TEST_CASE("A host is a domain or an address literal", "[grammar][5321-4.1.1.1-06]") {
  const auto name = host::parse("Mx.Example.org");
  REQUIRE(name);
  CHECK_FALSE(name->is_address_literal());
  CHECK(name->text() == "Mx.Example.org");
  REQUIRE(name->domain());
  CHECK(name->domain()->text() == "Mx.Example.org");
  CHECK_FALSE(name->address_literal());

  const auto literal = host::parse("[IPv6:2001:db8::1]");
  REQUIRE(literal);
  CHECK(literal->is_address_literal());
  CHECK(literal->text() == "[IPv6:2001:db8::1]");
  CHECK_FALSE(literal->domain());
  REQUIRE(literal->address_literal());
  CHECK(literal->address_literal()->kind() == literal_kind::ipv6);
}

TEST_CASE("What is neither domain nor address literal is refused by the rule it seems to follow", "[grammar][5321-4.1.1.1-06]") {
  struct row {
    std::string_view clause;
    std::string_view text;
    error wanted;
  };
  for (const row& r : {
           row{"5321-4.1.1.1-06", "", {errc::empty_label, 0}},
           row{"5321-4.1.2-23", "a_b.example", {errc::trailing_octets, 1}},
           row{"5321-4.1.1.1-06", "a.example b", {errc::trailing_octets, 9}},
           row{"5321-4.1.1.1-06", "[192.0.2.1", {errc::literal_not_closed, 10}},
           row{"5321-4.1.3-10", "[foo:bar]", {errc::literal_tag_unknown, 1}},
           row{"5321-4.1.1.1-06", "localhost) (spoofed", {errc::trailing_octets, 9}},
           row{"5321-4.1.1.1-06", "a\r", {errc::trailing_octets, 1}},
           row{"6531-3.3-01", "\xC3\xA9.example", {errc::utf8_not_allowed, 0}},
       }) {
    INFO(r.clause << ": " << r.text);
    const auto found = host::parse(r.text);
    REQUIRE_FALSE(found);
    CHECK(found.error() == r.wanted);
  }
  CHECK(host::parse("\xC3\xA9.example", charset::utf8)->domain()->text() == "\xC3\xA9.example");
}

TEST_CASE("Hosts compare as domains or as addresses", "[grammar][5321-2.4-04]") {
  CHECK(*host::parse("MX.example") == *host::parse("mx.EXAMPLE"));
  CHECK(*host::parse("[IPv6:0:0::1]") == *host::parse("[ipv6:::1]"));
  CHECK_FALSE(*host::parse("[192.0.2.1]") == *host::parse("[192.0.2.2]"));
  CHECK_FALSE(*host::parse("192.0.2.1") == *host::parse("[192.0.2.1]"));
}

TEST_CASE("A domain is no address literal, however alike they look", "[grammar]") {
  const auto literal = *host::parse("[192.0.2.1]");
  const auto name = *host::parse("mx.example");
  CHECK_FALSE(literal == name);
  CHECK_FALSE(name == literal);
  CHECK(literal == *host::parse("[192.0.2.1]"));
  CHECK_FALSE(literal == *host::parse("[192.0.2.2]"));
}

}  // namespace
