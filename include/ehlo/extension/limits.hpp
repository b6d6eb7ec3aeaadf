// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_LIMITS_HPP
#define EHLO_EXTENSION_LIMITS_HPP

/// @file
/// LIMITS: what a server says it takes of a session or transaction. RFC 9422.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/extension/size.hpp>

namespace ehlo {

/// The registered limits; 0 for one that was not announced. RFC 9422 4.
struct announced_limits {
  std::uint32_t mail_max = 0;         ///< MAILMAX: MAIL commands of a session, refused ones too
  std::uint32_t rcpt_max = 0;         ///< RCPTMAX: RCPT commands of a transaction, refused ones too
  std::uint32_t rcpt_domain_max = 0;  ///< RCPTDOMAINMAX: different domains of recipients of a session

  /// The largest number of octets that `write` writes.
  static constexpr std::size_t max_size = 50;
  /// The largest value that can be announced: six digits.
  static constexpr std::uint32_t largest = 999999;

  /// Writes those that are not 0 as parameters of LIMITS, separated by spaces; returns one past the last octet. None is over
  /// `largest`.
  constexpr char* write(char* out) const;

  friend constexpr bool operator==(const announced_limits&, const announced_limits&) = default;
};

namespace detail {

/// Value syntax:  %x31-39 0*5DIGIT           RFC 9422 4.1
///
/// 0 for anything else.
constexpr std::uint32_t parse_limit(std::string_view value) {
  constexpr std::size_t most_digits = 6;
  if (value.empty() || value.size() > most_digits || value.front() == '0') return 0;
  std::uint32_t out = 0;
  for (const char c : value) {
    if (!ascii::digit.contains(c)) return 0;
    out = out * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return out;
}

}  // namespace detail

/// limits-param = limit-name-value 0*[SP limit-name-value]
/// limit-name-value = limit-name ["=" limit-value]
/// limit-name = 1*(ALPHA / DIGIT / "-" / "_")
/// limit-value = 1*(%x21-3A / %x3C-7E)       RFC 9422 3
///
/// A syntax error makes the whole text count for nothing; a limit that is not known, or whose value is wrong, counts for nothing
/// alone (3.7).
constexpr announced_limits parse_limits(std::string_view text) {
  constexpr auto name_octet = ascii::let_dig | ascii::octet_class{"-_"};
  constexpr auto value_octet = ascii::visible - ascii::octet_class{";"};
  announced_limits out;
  for (bool more = true; more;) {
    const std::size_t space = text.find(' ');
    more = space != text.npos;
    const std::string_view item = text.substr(0, space);
    text.remove_prefix(more ? space + 1 : text.size());
    const std::size_t equals = item.find('=');
    const std::string_view name = item.substr(0, equals);
    const std::string_view value = equals == item.npos ? std::string_view{} : item.substr(equals + 1);
    if (name.empty() || (equals != item.npos && value.empty())) return {};
    for (const char c : name) {
      if (!name_octet.contains(c)) return {};
    }
    for (const char c : value) {
      if (!value_octet.contains(c)) return {};
    }
    if (ascii::equal_ignoring_case(name, "MAILMAX")) out.mail_max = detail::parse_limit(value);
    if (ascii::equal_ignoring_case(name, "RCPTMAX")) out.rcpt_max = detail::parse_limit(value);
    if (ascii::equal_ignoring_case(name, "RCPTDOMAINMAX")) out.rcpt_domain_max = detail::parse_limit(value);
  }
  return out;
}

constexpr char* announced_limits::write(char* out) const {
  const char* const start = out;
  const auto put = [&out, start](std::string_view name, std::uint32_t value) {
    if (value == 0) return;
    if (out != start) *out++ = ' ';
    for (const char c : name) *out++ = c;
    out = write_decimal(value, out);
  };
  put("MAILMAX=", mail_max);
  put("RCPTMAX=", rcpt_max);
  put("RCPTDOMAINMAX=", rcpt_domain_max);
  return out;
}

static_assert([] {
  std::array<char, announced_limits::max_size> octets{};
  const char* const end = announced_limits{.mail_max = 999999, .rcpt_max = 100, .rcpt_domain_max = 1}.write(octets.data());
  return std::string_view{octets.data(), static_cast<std::size_t>(end - octets.data())} ==
         "MAILMAX=999999 RCPTMAX=100 RCPTDOMAINMAX=1";
}());
static_assert(parse_limits("RCPTMAX=20 MAILMAX=5") == announced_limits{.mail_max = 5, .rcpt_max = 20});
static_assert(parse_limits("RCPTMAX=abc MAILMAX=5") == announced_limits{.mail_max = 5});
static_assert(parse_limits("RCPTMAX=20 =5") == announced_limits{} && parse_limits("RCPTMAX=0") == announced_limits{});

}  // namespace ehlo

#endif  // EHLO_EXTENSION_LIMITS_HPP
