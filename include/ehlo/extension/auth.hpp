// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_AUTH_HPP
#define EHLO_EXTENSION_AUTH_HPP

/// @file
/// AUTH: the mechanisms of a session, by name and manners. RFC 4954; the messages themselves are in `sasl/`.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// Who speaks first in a mechanism. RFC 4422 3.
enum class first_message : std::uint8_t {
  client,         ///< without an initial response the server sends an empty challenge
  server,         ///< an initial response is an error
  server_lenient  ///< the server, and an initial response is taken as the first answer, as LOGIN's clients do
};

/// Whether a mechanism has said all that it has to say. RFC 4954 4.
enum class exchange : std::uint8_t {
  goes_on,   ///< the server's success would come too early
  complete,  ///< the server may say that all is well
};

/// A SASL mechanism that a session offers or uses: its registered name and the manners that the session has to know.
struct auth_mechanism {
  std::string_view name;  ///< 1 to 20 upper-case letters, digits, hyphens and underscores
  first_message first = first_message::client;
  bool needs_tls = true;  ///< its messages give the secret away to whoever listens

  friend constexpr bool operator==(const auth_mechanism&, const auth_mechanism&) = default;
};

/// The mechanisms whose messages `sasl/` reads and writes, and some that a caller may bring.
namespace mechanisms {

inline constexpr auth_mechanism plain{"PLAIN"};                                                ///< RFC 4616
inline constexpr auth_mechanism login{"LOGIN", first_message::server_lenient};                 ///< not standardized
inline constexpr auth_mechanism external{"EXTERNAL", first_message::client, false};            ///< RFC 4422 A
inline constexpr auth_mechanism xoauth2{"XOAUTH2"};                                            ///< not standardized
inline constexpr auth_mechanism oauthbearer{"OAUTHBEARER"};                                    ///< RFC 7628
inline constexpr auth_mechanism scram_sha_256{"SCRAM-SHA-256", first_message::client, false};  ///< RFC 7677
inline constexpr auth_mechanism cram_md5{"CRAM-MD5", first_message::server, false};            ///< RFC 2195

}  // namespace mechanisms

namespace detail {

/// A mechanism is shown to people if it is one of these: what else stands behind AUTH may be a password in the wrong place.
inline constexpr std::array<std::string_view, 14> shown_mechanisms{mechanisms::plain.name,
                                                                   mechanisms::login.name,
                                                                   mechanisms::external.name,
                                                                   mechanisms::xoauth2.name,
                                                                   mechanisms::oauthbearer.name,
                                                                   mechanisms::cram_md5.name,
                                                                   "SCRAM-SHA-1",
                                                                   "SCRAM-SHA-1-PLUS",
                                                                   mechanisms::scram_sha_256.name,
                                                                   "SCRAM-SHA-256-PLUS",
                                                                   "DIGEST-MD5",
                                                                   "GSSAPI",
                                                                   "NTLM",
                                                                   "ANONYMOUS"};

constexpr bool is_shown_mechanism(std::string_view name) {
  return std::any_of(shown_mechanisms.begin(), shown_mechanisms.end(),
                     [name](std::string_view shown) { return ascii::equal_ignoring_case(shown, name); });
}

}  // namespace detail

/// sasl-mech = 1*20mech-char; mech-char = UPPER-ALPHA / DIGIT / HYPHEN / UNDERSCORE      RFC 4422 3.1
///
/// Lower case is taken too: RFC 4954 4 compares names without regard to case. Fails with `errc::mechanism_name`.
constexpr result<std::string_view> parse_mechanism_name(std::string_view text) {
  constexpr std::size_t longest = 20;
  constexpr auto mech_char = ascii::let_dig | ascii::octet_class{"-_"};
  if (text.empty()) return error{errc::mechanism_name, 0};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!mech_char.contains(text[i]) || i == longest) return error{errc::mechanism_name, i};
  }
  return text;
}

static_assert(parse_mechanism_name("SCRAM-SHA-256").has_value() && !parse_mechanism_name("A.B"));

}  // namespace ehlo

#endif  // EHLO_EXTENSION_AUTH_HPP
