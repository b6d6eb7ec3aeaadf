// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_IP_ADDRESS_HPP
#define EHLO_GRAMMAR_IP_ADDRESS_HPP

/// @file
/// An IP address as a value that owns its octets: what a proxy tells of a client. RFC 5321 4.1.3, RFC 5952.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/address_literal.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// Which kind of address.
enum class ip_version : std::uint8_t { four, six };

/// An IPv4 or IPv6 address. Small, and owns what it holds.
class ip_address {
 public:
  static constexpr std::size_t max_size = 39;          ///< octets of `text`
  static constexpr std::size_t max_literal_size = 46;  ///< octets of `literal`

  /// 0.0.0.0.
  constexpr ip_address() = default;
  /// `octets` in network order; IPv4 uses the first four.
  constexpr ip_address(ip_version version, const address_octets& octets) : octets_{octets}, version_{version} {
    if (version == ip_version::four) std::fill(octets_.begin() + 4, octets_.end(), std::uint8_t{0});
  }

  /// `192.0.2.1`, without leading zeros, which some read as octal.
  ///
  /// Fails with `errc::ipv4_number`, `ipv4_dot` or `trailing_octets`.
  static constexpr result<ip_address> parse_v4(std::string_view text) {
    address_octets out{};
    cursor in{text};
    if (const auto good = grammar::ipv4(in, out); !good) return good.error();
    if (!in.at_end()) return error{errc::trailing_octets, in.offset()};
    if (const auto zero = find_leading_zero(text, 0)) return *zero;
    return ip_address{ip_version::four, out};
  }

  /// `2001:db8::1`, `::ffff:192.0.2.1`; "::" stands for two or more groups.
  ///
  /// Fails with `errc::ipv6_group`, `ipv6_group_count`, with what an IPv4 address at its end breaks, or `trailing_octets`.
  static constexpr result<ip_address> parse_v6(std::string_view text) {
    const auto octets = grammar::match(grammar::ipv6, text);
    if (!octets) return octets.error();
    if (text.find('.') != text.npos) {
      if (const auto zero = find_leading_zero(text, text.rfind(':') + 1)) return *zero;
    }
    return ip_address{ip_version::six, *octets};
  }

  constexpr ip_version version() const { return version_; }
  /// The address in network order: four octets or sixteen count, the others are zero.
  constexpr const address_octets& octets() const { return octets_; }
  constexpr std::size_t octet_count() const { return version_ == ip_version::four ? 4 : 16; }

  /// Writes the address, at most `max_size` octets, and returns one past the last. IPv6 as RFC 5952 wants it: in lower case,
  /// "::" for the first of the longest runs of two or more groups of zeros, and no IPv4 address at its end.
  constexpr char* write(char* out) const {
    if (version_ == ip_version::four) {
      for (std::size_t i = 0; i < 4; ++i) {
        if (i > 0) *out++ = '.';
        out = write_number(octets_[i], 10, out);
      }
      return out;
    }
    const auto [gap, behind] = longest_zeros();
    for (std::size_t i = 0; i < groups; ++i) {
      if (i == gap) {
        *out++ = ':';
        *out++ = ':';
        i = behind - 1;
        continue;
      }
      if (i > 0 && i != behind) *out++ = ':';
      out = write_number(group(i), 16, out);
    }
    return out;
  }

  /// Writes the address literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]`, at most `max_literal_size` octets, and returns one past the
  /// last. RFC 5321 4.1.3.
  constexpr char* write_literal(char* out) const {
    constexpr std::string_view tag = "IPv6:";
    *out++ = '[';
    if (version_ == ip_version::six) out = std::copy(tag.begin(), tag.end(), out);
    out = write(out);
    *out++ = ']';
    return out;
  }

  friend constexpr bool operator==(const ip_address&, const ip_address&) = default;

 private:
  static constexpr std::size_t groups = 8;

  /// The first zero with a digit behind it that begins a number of a dotted address.
  static constexpr std::optional<error> find_leading_zero(std::string_view text, std::size_t start) {
    for (std::size_t i = start; i + 1 < text.size(); ++i) {
      if (text[i] == '0' && (i == start || text[i - 1] == '.') && text[i + 1] != '.') return error{errc::ipv4_number, i};
    }
    return std::nullopt;
  }

  constexpr unsigned group(std::size_t i) const { return static_cast<unsigned>(octets_[2 * i]) << 8U | octets_[2 * i + 1]; }

  struct run {
    std::size_t first;
    std::size_t behind;
  };
  /// The groups that "::" stands for; both `groups` if there are none.
  constexpr run longest_zeros() const {
    run best{groups, groups};
    std::size_t most = 1;
    for (std::size_t i = 0; i < groups;) {
      std::size_t end = i;
      while (end < groups && group(end) == 0) ++end;
      if (end - i > most) {
        most = end - i;
        best = {i, end};
      }
      i = end + 1;
    }
    return best;
  }

  static constexpr char* write_number(unsigned value, unsigned base, char* out) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<char, 4> reversed{};
    std::size_t count = 0;
    do {
      reversed[count++] = digits[value % base];
      value /= base;
    } while (value > 0);
    while (count > 0) *out++ = reversed[--count];
    return out;
  }

  address_octets octets_{};
  ip_version version_ = ip_version::four;
};

static_assert(ip_address::parse_v4("192.0.2.1")->octets()[3] == 1 && !ip_address::parse_v4("192.0.2.01"));
static_assert(ip_address::parse_v4("192.0.2.010").error() == error{errc::ipv4_number, 8} &&
              ip_address::parse_v4("0.0.0.0").has_value());
static_assert(ip_address::parse_v6("::ffff:192.0.2.1")->octets()[15] == 1 && !ip_address::parse_v6("::ffff:192.0.02.1"));

}  // namespace ehlo

#endif  // EHLO_GRAMMAR_IP_ADDRESS_HPP
