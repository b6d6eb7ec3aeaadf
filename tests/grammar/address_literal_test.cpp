// SPDX-License-Identifier: BSL-1.0
#include <ehlo/grammar/address_literal.hpp>

#include <string>
#include <string_view>

#include "grammar/oracle.hpp"
#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using namespace ehlo;
using namespace std::string_view_literals;

struct good {
  std::string_view clause;
  std::string_view text;
  literal_kind kind;
  address_octets octets;
};
struct bad {
  std::string_view clause;
  std::string_view text;
  errc code;
  std::size_t offset;
};

TEST_CASE("Address literals are read to their octets", "[grammar][5321-4.1.3-01][T29]") {
  using enum literal_kind;
  for (const good& row : {
           good{"5321-4.1.3-01", "[192.0.2.1]", ipv4, {192, 0, 2, 1}},
           good{"5321-4.1.3-01", "[0.0.0.0]", ipv4, {}},
           good{"5321-4.1.3-02", "[255.255.255.255]", ipv4, {255, 255, 255, 255}},
           good{"5321-4.1.3-02", "[01.2.3.4]", ipv4, {1, 2, 3, 4}},
           good{"5321-4.1.3-02", "[010.002.003.099]", ipv4, {10, 2, 3, 99}},  // decimal, not octal
           good{"5321-4.1.3-03", "[IPv6:2001:db8::1]", ipv6, {0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
           good{"5321-4.1.3-03", "[ipv6:::1]", ipv6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
           good{"5321-4.1.3-03", "[IPV6:1::]", ipv6, {0, 1}},
           good{"5321-4.1.3-04", "[IPv6:1:2:3:4:5:6:7:8]", ipv6, {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}},
           good{"5321-4.1.3-04",
                "[IPv6:aBcD:0001:02:3:4:5:6:FFFF]",
                ipv6,
                {0xAB, 0xCD, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0xFF, 0xFF}},
           good{"5321-4.1.3-05", "[IPv6:::]", ipv6, {}},
           good{"5321-4.1.3-05", "[IPv6:1:2:3:4:5:6::]", ipv6, {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6}},
           good{"5321-4.1.3-05", "[IPv6:::1:2:3:4:5:6]", ipv6, {0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6}},
           good{"5321-4.1.3-05", "[IPv6:1:2:3::4:5:6]", ipv6, {0, 1, 0, 2, 0, 3, 0, 0, 0, 0, 0, 4, 0, 5, 0, 6}},
           good{"5321-4.1.3-06", "[IPv6:1:2:3:4:5:6:192.0.2.1]", ipv6, {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 192, 0, 2, 1}},
           good{"5321-4.1.3-07", "[IPv6:::ffff:192.0.2.1]", ipv6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1}},
           good{"5321-4.1.3-07", "[IPv6:::192.0.2.1]", ipv6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1}},
           good{"5321-4.1.3-07", "[IPv6:1:2:3:4::192.0.2.1]", ipv6, {0, 1, 0, 2, 0, 3, 0, 4, 0, 0, 0, 0, 192, 0, 2, 1}},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto literal = address_literal::parse(row.text);
    REQUIRE(literal);
    CHECK(literal->text() == row.text);
    CHECK(literal->kind() == row.kind);
    CHECK((literal->octets() == row.octets));
    CHECK(literal->octet_count() == (row.kind == ipv4 ? 4 : 16));
    CHECK(ascii::equal_ignoring_case(literal->tag(), row.kind == ipv4 ? "" : "IPv6"));
  }
}

TEST_CASE("What is no address literal is refused at the octet that broke it", "[grammar][5321-4.1.3-01][T29]") {
  for (const bad& row : {
           bad{"5321-4.1.3-01", "", errc::literal_not_opened, 0},
           bad{"5321-4.1.3-01", "192.0.2.1", errc::literal_not_opened, 0},
           bad{"5321-4.1.3-01", "[192.0.2.1", errc::literal_not_closed, 10},
           bad{"5321-4.1.3-01", "[]", errc::ipv4_number, 1},
           bad{"5321-4.1.3-01", "[192.0.2]", errc::ipv4_dot, 8},
           bad{"5321-4.1.3-01", "[127.1]", errc::ipv4_dot, 6},
           bad{"5321-4.1.3-01", "[2130706433]", errc::ipv4_number, 1},
           bad{"5321-4.1.3-01", "[0x7f.0.0.1]", errc::ipv4_dot, 2},
           bad{"5321-4.1.3-01", "[192.0.2.1.5]", errc::literal_not_closed, 10},
           bad{"5321-4.1.3-01", "[192.0..1]", errc::ipv4_number, 7},
           bad{"5321-4.1.3-01", "[ 192.0.2.1]", errc::ipv4_number, 1},
           bad{"5321-4.1.3-01", "[192.0.2.1 ]", errc::literal_not_closed, 10},
           bad{"5321-4.1.3-01", "[192.0.2.-1]", errc::ipv4_number, 9},
           bad{"5321-4.1.3-01", "[192.0.2.1]x", errc::trailing_octets, 11},
           bad{"5321-4.1.3-01", "[192.0.2.1]]", errc::trailing_octets, 11},
           bad{"5321-4.1.3-02", "[256.0.0.1]", errc::ipv4_number, 1},
           bad{"5321-4.1.3-02", "[1.2.3.0004]", errc::ipv4_number, 7},
           bad{"5321-4.1.3-02", "[1.2.3.999]", errc::ipv4_number, 7},
           bad{"5321-4.1.3-02", "[1.2.3.4294967297]", errc::ipv4_number, 7},
           bad{"5321-4.1.3-03", "[::1]", errc::literal_tag_missing, 1},
           bad{"5321-4.1.3-03", "[2001:db8::1]", errc::literal_tag_unknown, 1},
           bad{"5321-4.1.3-03", "[IPv6]", errc::ipv4_number, 1},
           bad{"5321-4.1.3-03", "[IPv4:1.2.3.4]", errc::literal_tag_unknown, 1},
           bad{"5321-4.1.3-04", "[IPv6:]", errc::ipv6_group, 6},
           bad{"5321-4.1.3-04", "[IPv6:1:2:3:4:5:6:7]", errc::ipv6_group_count, 19},
           bad{"5321-4.1.3-04", "[IPv6:1:2:3:4:5:6:7:8:9]", errc::ipv6_group_count, 22},
           bad{"5321-4.1.3-04", "[IPv6:12345:2:3:4:5:6:7:8]", errc::ipv6_group, 6},
           bad{"5321-4.1.3-04", "[IPv6:1:2:3:4:5:6:7:]", errc::ipv6_group, 20},
           bad{"5321-4.1.3-04", "[IPv6::1:2:3:4:5:6:7]", errc::ipv6_group, 7},
           bad{"5321-4.1.3-04", "[IPv6:fe80::1%eth0]", errc::literal_not_closed, 13},
           bad{"5321-4.1.3-04", "[IPv6:[::1]]", errc::ipv6_group, 6},
           bad{"5321-4.1.3-05", "[IPv6:1:2:3:4:5:6:7::]", errc::ipv6_group_count, 21},
           bad{"5321-4.1.3-05", "[IPv6:::1:2:3:4:5:6:7]", errc::ipv6_group_count, 21},
           bad{"5321-4.1.3-05", "[IPv6:1::2::3]", errc::ipv6_group_count, 10},
           bad{"5321-4.1.3-05", "[IPv6::::]", errc::literal_not_closed, 8},
           bad{"5321-4.1.3-06", "[IPv6:1:2:3:4:5:6:7:192.0.2.1]", errc::ipv6_group_count, 20},
           bad{"5321-4.1.3-06", "[IPv6:1:2:3:4:5:192.0.2.1]", errc::ipv6_group_count, 25},
           bad{"5321-4.1.3-06", "[IPv6:1:2:3:4:5:6:192.0.2.256]", errc::ipv4_number, 26},
           bad{"5321-4.1.3-06", "[IPv6:1:2:3:4:5:6:192.0.2]", errc::ipv4_dot, 25},
           bad{"5321-4.1.3-06", "[IPv6:1:2:3:4:5:6:c0.0.2.1]", errc::ipv4_number, 18},
           bad{"5321-4.1.3-07", "[IPv6:1:2:3:4:5::192.0.2.1]", errc::ipv6_group_count, 26},
           bad{"5321-4.1.3-07", "[IPv6:192.0.2.1::]", errc::ipv6_group_count, 15},
           bad{"5321-4.1.3-08", "[x]", errc::ipv4_number, 1},
           bad{"5321-4.1.3-08", "[:x]", errc::literal_tag_missing, 1},
           bad{"5321-4.1.3-08", "[x-:y]", errc::literal_tag_missing, 1},
           bad{"5321-4.1.3-08", "[x_y:z]", errc::literal_tag_missing, 1},
           bad{"5321-4.1.3-09", "[IPv6:zz]", errc::ipv6_group, 6},
           bad{"5321-4.1.3-09", "[IPv6:1.2.3.4]", errc::ipv6_group_count, 13},
           bad{"5321-4.1.3-10", "[foo:bar]", errc::literal_tag_unknown, 1},
           bad{"5321-4.1.2-22", "[192.0.2.1\0]"sv, errc::literal_not_closed, 10},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto literal = address_literal::parse(row.text);
    REQUIRE_FALSE(literal);
    CHECK(literal.error().code == row.code);
    CHECK(literal.error().offset == row.offset);
  }
}

TEST_CASE("Other tags are refused by default and kept where the caller asks", "[grammar][5321-4.1.3-10]") {
  const auto literal = address_literal::parse("[X400:c=us]", unknown_tags::keep);
  REQUIRE(literal);
  CHECK(literal->kind() == literal_kind::general);
  CHECK(literal->tag() == "X400");
  CHECK(literal->text() == "[X400:c=us]");
  CHECK(literal->octet_count() == 0);
  CHECK(address_literal::parse("[X400:c=us]").error() == error{errc::literal_tag_unknown, 1});
}

TEST_CASE("A general address literal is a tag, a colon and printable octets", "[grammar][5321-4.1.3-08]") {
  for (const good& row : {
           good{"5321-4.1.3-08", "[a:!]", literal_kind::general, {}},
           good{"5321-4.1.3-08", "[x-y:Z^_~]", literal_kind::general, {}},
           good{"5321-4.1.3-08", "[2001:db8::1]", literal_kind::general, {}},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto literal = address_literal::parse(row.text, unknown_tags::keep);
    REQUIRE(literal);
    CHECK(literal->kind() == row.kind);
  }
  for (const bad& row : {
           bad{"5321-4.1.3-08", "[x:]", errc::literal_content_missing, 3},
           bad{"5321-4.1.3-08", "[x:a\\b]", errc::literal_not_closed, 4},
           bad{"5321-4.1.3-08", "[x:a[b]", errc::literal_not_closed, 4},
           bad{"5321-4.1.3-08", "[x:a]b]", errc::trailing_octets, 5},
           bad{"5321-4.1.3-08", "[x:a b]", errc::literal_not_closed, 4},
           bad{"5321-4.1.3-08", "[x:\x7F]", errc::literal_content_missing, 3},
           bad{"5321-4.1.3-08", "[x:\xC3\xA9]", errc::literal_content_missing, 3},
           bad{"5321-4.1.3-09", "[IPv6:zz]", errc::ipv6_group, 6},
           bad{"5321-4.1.3-09", "[ipV6:c=us]", errc::literal_not_closed, 7},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto literal = address_literal::parse(row.text, unknown_tags::keep);
    REQUIRE_FALSE(literal);
    CHECK_FALSE(oracle::is_address_literal(row.text));
    if (row.text != "[ipV6:c=us]") CHECK(literal.error() == error{row.code, row.offset});
  }
}

TEST_CASE("Literals are equal when their addresses are", "[grammar][5321-4.1.3-04]") {
  const auto equal = [](std::string_view a, std::string_view b) {
    return *address_literal::parse(a, unknown_tags::keep) == *address_literal::parse(b, unknown_tags::keep);
  };
  CHECK(equal("[IPv6:2001:DB8::1]", "[ipv6:2001:0db8:0:0::0:1]"));
  CHECK(equal("[1.2.3.4]", "[001.2.03.4]"));
  CHECK_FALSE(equal("[1.2.3.4]", "[1.2.3.5]"));
  CHECK_FALSE(equal("[1.2.3.4]", "[IPv6:102:304::]"));
  CHECK(equal("[IPv6:::ffff:1.2.3.4]", "[IPv6:::ffff:102:304]"));
  CHECK_FALSE(equal("[IPv6:::ffff:1.2.3.4]", "[1.2.3.4]"));
  CHECK(equal("[foo:bar]", "[foo:bar]"));
  CHECK_FALSE(equal("[foo:bar]", "[foo:baz]"));
}

TEST_CASE("IPv6 addresses are those of the ABNF, on all strings of groups up to sixteen octets", "[grammar][5321-4.1.3-05][T29]") {
  std::string wrong;
  const auto compare = [&wrong](std::string_view address) {
    const std::string text = "[IPv6:" + std::string{address} + "]";
    if (address_literal::parse(text).has_value() != oracle::is_address_literal(text)) wrong = text;
  };
  strings::for_each_up_to(16, "1:", compare);
  CHECK(wrong == "");
}

TEST_CASE("IPv4 addresses and IPv4 tails are those of the ABNF, on all strings up to ten octets", "[grammar][5321-4.1.3-07][T29]") {
  std::string wrong;
  strings::for_each_up_to(10, "3.:", [&wrong](std::string_view address) {
    for (const std::string& text : {"[" + std::string{address} + "]", "[IPv6:" + std::string{address} + "]",
                                    "[IPv6:1:2:3:4" + std::string{address} + ".5.6.7]"}) {
      if (address_literal::parse(text).has_value() != oracle::is_address_literal(text)) wrong = text;
    }
  });
  CHECK(wrong == "");
}

TEST_CASE("A literal longer than a domain may be is refused", "[grammar][5321-4.5.3.1.2-01][T29]") {
  for (const std::size_t size : {254U, 255U, 256U, 300U}) {
    std::string text = "[x:" + std::string(size - 4, 'y') + "]";
    CAPTURE(size);
    CHECK(address_literal::parse(text, unknown_tags::keep).has_value() == (size <= 255));
  }
}

}  // namespace
