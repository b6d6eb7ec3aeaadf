// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SASL_PLAIN_HPP
#define EHLO_SASL_PLAIN_HPP

/// @file
/// The message of the SASL mechanism PLAIN. RFC 4616.

#include <cstddef>
#include <span>
#include <string_view>

#include <ehlo/result.hpp>
#include <ehlo/sasl/text.hpp>
#include <ehlo/secret.hpp>

namespace ehlo::sasl {

/// What a client says with PLAIN. Views into the decoded message.
struct plain {
  std::string_view authorization_identity;   ///< whom to act as; empty: the authentication identity
  std::string_view authentication_identity;  ///< whose password it is; never empty
  secret password;                           ///< never empty

  /// message = [authzid] UTF8NUL authcid UTF8NUL passwd      RFC 4616 2
  ///
  /// Exactly two NULs, fields of at most 255 octets, UTF-8, names without controls. Fails with `errc::sasl_message`,
  /// `sasl_too_long` or `utf8_ill_formed`; the offset is that in `message`.
  static constexpr result<plain> parse(std::string_view message) {
    const std::size_t first = message.find('\0');
    if (first == std::string_view::npos) return error{errc::sasl_message, message.size()};
    const std::size_t second = message.find('\0', first + 1);
    if (second == std::string_view::npos) return error{errc::sasl_message, message.size()};
    const auto authzid = identity(message.substr(0, first), true);
    if (!authzid) return authzid.error();
    const auto authcid = identity(message.substr(first + 1, second - first - 1));
    if (!authcid) return error{authcid.error().code, first + 1 + authcid.error().offset};
    const auto passwd = sasl::password(message.substr(second + 1));
    if (!passwd) return error{passwd.error().code, second + 1 + passwd.error().offset};
    return plain{*authzid, *authcid, secret{*passwd}};
  }
};

/// Writes the message of a client and returns its size. Fails as `plain::parse` does, or with `errc::sasl_too_long` if `out` is too
/// small.
constexpr result<std::size_t> write(const plain& message, std::span<char> out) {
  if (const auto authzid = identity(message.authorization_identity, true); !authzid) return authzid.error();
  if (const auto authcid = identity(message.authentication_identity); !authcid) return authcid.error();
  if (const auto passwd = password(message.password.reveal()); !passwd) return passwd.error();
  detail::writer to{out};
  to.put(message.authorization_identity);
  to.put('\0');
  to.put(message.authentication_identity);
  to.put('\0');
  to.put(message.password.reveal());
  return to.finish();
}

}  // namespace ehlo::sasl

#endif  // EHLO_SASL_PLAIN_HPP
