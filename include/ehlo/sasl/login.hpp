// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SASL_LOGIN_HPP
#define EHLO_SASL_LOGIN_HPP

/// @file
/// The two steps of the mechanism LOGIN, which no RFC defines and every client knows: name, then password.

#include <string_view>

#include <ehlo/result.hpp>
#include <ehlo/sasl/text.hpp>
#include <ehlo/secret.hpp>

namespace ehlo::sasl::login {

/// The challenges, before base64. Clients compare their encoded forms, VXNlcm5hbWU6 and UGFzc3dvcmQ6, octet by octet.
inline constexpr std::string_view username_challenge = "Username:";
inline constexpr std::string_view password_challenge = "Password:";

/// The decoded answer to the first challenge: 1 to 255 octets of UTF-8 without controls. A client sends what this accepts.
constexpr result<std::string_view> parse_username(std::string_view response) { return identity(response); }

/// The decoded answer to the second challenge: 1 to 255 octets of UTF-8 without NUL.
constexpr result<secret> parse_password(std::string_view response) {
  const auto text = password(response);
  if (!text) return text.error();
  return secret{*text};
}

}  // namespace ehlo::sasl::login

#endif  // EHLO_SASL_LOGIN_HPP
