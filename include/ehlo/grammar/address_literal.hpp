// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_ADDRESS_LITERAL_HPP
#define EHLO_GRAMMAR_ADDRESS_LITERAL_HPP

/// @file
/// Address literals: hosts by number. RFC 5321 4.1.3.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// What an address literal holds.
enum class literal_kind : std::uint8_t { ipv4, ipv6, general };

/// What becomes of a literal whose tag is not registered; only "IPv6" is. RFC 5321 4.1.3.
enum class unknown_tags : std::uint8_t { refuse, keep };

/// The address octets of an IPv4 or IPv6 literal, in network order. IPv4 uses the first four.
using address_octets = std::array<std::uint8_t, 16>;

namespace grammar {

/// Snum = 1*3DIGIT ; a decimal integer value in the range 0 through 255      RFC 5321 4.1.3
constexpr result<std::uint8_t> snum(cursor& in) {
  const std::size_t start = in.offset();
  const std::string_view digits = in.take_while<ascii::digit>();
  unsigned value = 0;
  for (const char c : digits.substr(0, 3)) value = value * 10 + static_cast<unsigned>(c - '0');
  if (digits.empty() || digits.size() > 3 || value > 255) return error{errc::ipv4_number, start};
  return static_cast<std::uint8_t>(value);
}

/// IPv4-address-literal = Snum 3("." Snum)   RFC 5321 4.1.3
///
/// Writes four octets to the front of `out`, which has room for them.
constexpr result<void> ipv4(cursor& in, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0 && !in.take('.')) return error{errc::ipv4_dot, in.offset()};
    const auto number = snum(in);
    if (!number) return number.error();
    out[i] = *number;
  }
  return {};
}

/// IPv6-addr = IPv6-full / IPv6-comp / IPv6v4-full / IPv6v4-comp      RFC 5321 4.1.3
///
/// "::" stands once, for two or more groups of zeros.
constexpr result<address_octets> ipv6(cursor& in) {
  constexpr std::size_t groups = 8;
  address_octets out{};
  std::size_t at = 0;              // the next octet of `out`
  std::optional<std::size_t> gap;  // where "::" stood
  if (in.take(':')) {
    if (!in.take(':')) return error{errc::ipv6_group, in.offset()};
    gap = 0;
  }
  while (in.next_in(ascii::hex_digit)) {
    const std::size_t start = in.offset();
    if (at == out.size()) return error{errc::ipv6_group_count, start};
    const cursor group = in;
    const std::string_view digits = in.take_while<ascii::hex_digit>();
    if (!in.at_end() && in.peek() == '.') {  // the last two groups as an IPv4 address
      if (at > out.size() - 4) return error{errc::ipv6_group_count, start};
      in = group;
      if (const auto tail = ipv4(in, std::span{out}.subspan(at)); !tail) return tail.error();
      at += 4;
      break;
    }
    if (digits.size() > 4) return error{errc::ipv6_group, start};
    unsigned value = 0;
    for (const char c : digits) value = value << 4U | ascii::hex_value(c);
    out[at++] = static_cast<std::uint8_t>(value >> 8U);
    out[at++] = static_cast<std::uint8_t>(value & 0xFFU);
    if (in.at_end() || in.peek() != ':') break;
    const std::size_t colon = in.offset();
    in.take(':');
    if (in.take(':')) {
      if (gap) return error{errc::ipv6_group_count, colon};
      gap = at;
    } else if (!in.next_in(ascii::hex_digit)) {
      return error{errc::ipv6_group, in.offset()};
    }
  }
  const std::size_t seen = at / 2;
  if (gap ? seen > groups - 2 : seen != groups)
    return error{seen == 0 && !gap ? errc::ipv6_group : errc::ipv6_group_count, in.offset()};
  if (gap) {
    // What stood behind "::" moves to the end, zeros stand in its place.
    address_octets spread{};
    const std::size_t behind = at - *gap;
    for (std::size_t i = 0; i < *gap && i < out.size(); ++i) spread[i] = out[i];
    for (std::size_t i = 0; i < behind && i < out.size(); ++i) spread[out.size() - 1 - i] = out[at - 1 - i];
    return spread;
  }
  return out;
}

}  // namespace grammar

/// A host by number: `[192.0.2.1]`, `[IPv6:2001:db8::1]`. A view with the address worked out.
class address_literal {
 public:
  /// address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"      RFC 5321 4.1.3
  ///
  /// Fails with the errors of the grammar. A tag other than IPv6 fails with `errc::literal_tag_unknown` unless `tags` says `keep`;
  /// the tag IPv6 always wants an IPv6 address.
  static constexpr result<address_literal> parse(std::string_view text, unknown_tags tags = unknown_tags::refuse) {
    if (text.size() > sizes::domain) return error{errc::domain_too_long, sizes::domain};
    cursor in{text};
    if (!in.take('[')) return error{errc::literal_not_opened};
    address_literal out{text};
    if (in.take_ignoring_case("IPv6:")) {
      cursor address{in.rest()};
      const auto octets = grammar::ipv6(address);
      if (!octets) return error{octets.error().code, in.offset() + octets.error().offset};
      in.advance(address.offset());
      out.octets_ = *octets;
      out.kind_ = literal_kind::ipv6;
    } else if (const std::size_t colon = in.rest().find(':'); colon != std::string_view::npos) {
      if (const auto general = parse_general(in, tags); !general) return general.error();
      out.kind_ = literal_kind::general;
    } else if (const auto address = grammar::ipv4(in, out.octets_); !address) {
      return address.error();
    }
    if (!in.take(']')) return error{errc::literal_not_closed, in.offset()};
    if (!in.at_end()) return error{errc::trailing_octets, in.offset()};
    return out;
  }

  /// The spelling it was made from, with the brackets.
  constexpr std::string_view text() const { return text_; }
  constexpr literal_kind kind() const { return kind_; }
  /// The address in network order; zeros for a general literal.
  constexpr const address_octets& octets() const { return octets_; }
  /// How many of `octets` count: 4, 16, or 0 for a general literal.
  constexpr std::size_t octet_count() const { return kind_ == literal_kind::ipv4 ? 4 : kind_ == literal_kind::ipv6 ? 16 : 0; }
  /// The tag before the colon; empty for IPv4.
  constexpr std::string_view tag() const {
    return kind_ == literal_kind::ipv4 ? std::string_view{} : text_.substr(1, text_.find(':') - 1);
  }

  /// Literals are equal if they mean the same address; general ones if they are spelt the same.
  friend constexpr bool operator==(const address_literal& a, const address_literal& b) {
    if (a.kind_ != b.kind_) return false;
    return a.kind_ == literal_kind::general ? a.text_ == b.text_ : a.octets_ == b.octets_;
  }

 private:
  constexpr explicit address_literal(std::string_view text) : text_{text} {}

  /// General-address-literal = Standardized-tag ":" 1*dcontent; Standardized-tag = Ldh-str; dcontent = %d33-90 / %d94-126
  static constexpr result<void> parse_general(cursor& in, unknown_tags tags) {
    constexpr auto ldh = ascii::let_dig | ascii::octet_class{"-"};
    constexpr auto dcontent = ascii::visible - ascii::octet_class{"[\\]"};
    const std::size_t start = in.offset();
    const std::string_view tag = in.take_while<ldh>();
    if (tag.empty() || tag.back() == '-' || !in.take(':')) return error{errc::literal_tag_missing, start};
    if (tags == unknown_tags::refuse) return error{errc::literal_tag_unknown, start};
    if (in.take_while<dcontent>().empty()) return error{errc::literal_content_missing, in.offset()};
    return {};
  }

  std::string_view text_;
  address_octets octets_{};
  literal_kind kind_ = literal_kind::ipv4;
};

static_assert(address_literal::parse("[192.0.2.1]")->octets()[3] == 1);
static_assert(address_literal::parse("[IPv6:2001:db8::1]")->octets() ==
              address_octets{0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
static_assert(address_literal::parse("[IPv6:::ffff:192.0.2.1]")->octets()[10] == 0xFF);
static_assert(address_literal::parse("[IPv6:::ffff:192.0.2.1]")->octets()[15] == 1);
static_assert(address_literal::parse("[IPv6:1:2:3:4:5:6::]").has_value() && !address_literal::parse("[IPv6:1:2:3:4:5:6:7::]"));
static_assert(address_literal::parse("[2001:db8::1]").error().code == errc::literal_tag_unknown);

}  // namespace ehlo

#endif  // EHLO_GRAMMAR_ADDRESS_LITERAL_HPP
