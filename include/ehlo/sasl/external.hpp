// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SASL_EXTERNAL_HPP
#define EHLO_SASL_EXTERNAL_HPP

/// @file
/// The message of the SASL mechanism EXTERNAL: who the client is, something else has shown. RFC 4422 Appendix A.

#include <cstddef>
#include <span>
#include <string_view>

#include <ehlo/result.hpp>
#include <ehlo/sasl/text.hpp>

namespace ehlo::sasl {

/// What a client says with EXTERNAL. A view into the decoded message.
struct external {
  std::string_view authorization_identity;  ///< whom to act as; empty: whoever the certificate names

  /// extern-initial-resp = [ authz-id-string ]      RFC 4422 A.1
  ///
  /// UTF-8 without controls, at most 255 octets. Fails with `errc::sasl_message`, `sasl_too_long` or `utf8_ill_formed`.
  static constexpr result<external> parse(std::string_view message) {
    const auto authzid = identity(message, true);
    if (!authzid) return authzid.error();
    return external{*authzid};
  }
};

/// Writes the message of a client and returns its size, which may be 0. Fails as `external::parse` does, or with
/// `errc::sasl_too_long`.
constexpr result<std::size_t> write(const external& message, std::span<char> out) {
  if (const auto authzid = identity(message.authorization_identity, true); !authzid) return authzid.error();
  detail::writer to{out};
  to.put(message.authorization_identity);
  return to.finish();
}

}  // namespace ehlo::sasl

#endif  // EHLO_SASL_EXTERNAL_HPP
