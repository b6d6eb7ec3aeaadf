// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SASL_XOAUTH2_HPP
#define EHLO_SASL_XOAUTH2_HPP

/// @file
/// The message of the mechanism XOAUTH2, the forerunner of OAUTHBEARER, as the large providers document it.

#include <cstddef>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/result.hpp>
#include <ehlo/sasl/text.hpp>
#include <ehlo/secret.hpp>

namespace ehlo::sasl {

/// What a client says with XOAUTH2. Views into the decoded message.
struct xoauth2 {
  std::string_view user;  ///< never empty
  secret token;           ///< never empty

  /// "user=" user %x01 "auth=Bearer " token %x01 %x01
  ///
  /// Fails with `errc::sasl_message`, `sasl_too_long` or `utf8_ill_formed`.
  static constexpr result<xoauth2> parse(std::string_view message) {
    constexpr std::string_view first = "user=";
    constexpr std::string_view second = "auth=Bearer ";
    constexpr std::string_view end = "\x01\x01";
    if (!message.starts_with(first)) return error{errc::sasl_message};
    const std::size_t separator = message.find('\x01');
    if (separator == std::string_view::npos) return error{errc::sasl_message, message.size()};
    const auto user = identity(message.substr(first.size(), separator - first.size()));
    if (!user) return error{user.error().code, first.size() + user.error().offset};
    const std::string_view rest = message.substr(separator + 1);
    if (!ascii::equal_ignoring_case(rest.substr(0, second.size()), second)) return error{errc::sasl_message, separator + 1};
    const std::size_t begin = separator + 1 + second.size();
    if (!message.substr(begin).ends_with(end)) return error{errc::sasl_message, message.size()};
    const auto token = sasl::token(message.substr(begin, message.size() - end.size() - begin));
    if (!token) return error{token.error().code, begin + token.error().offset};
    return xoauth2{*user, secret{*token}};
  }
};

/// Writes the message of a client and returns its size. Fails as `xoauth2::parse` does, or with `errc::sasl_too_long`.
constexpr result<std::size_t> write(const xoauth2& message, std::span<char> out) {
  if (const auto user = identity(message.user); !user) return user.error();
  if (const auto octets = token(message.token.reveal()); !octets) return octets.error();
  detail::writer to{out};
  to.put("user=");
  to.put(message.user);
  to.put(
      "\x01"
      "auth=Bearer ");
  to.put(message.token.reveal());
  to.put("\x01\x01");
  return to.finish();
}

}  // namespace ehlo::sasl

#endif  // EHLO_SASL_XOAUTH2_HPP
