// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_CLIENT_DIALOGUE_HPP
#define EHLO_TESTS_SUPPORT_CLIENT_DIALOGUE_HPP

/// @file
/// Dialogues of a client session with a scripted server, played with the server's octets whole and cut every 1, 2, 3 ... octets,
/// and with both kinds of storage. The cuts must change nothing.
///
///     S: text      the server sends the text and CRLF; \r \n \t \0 \\ \xHH stand for octets
///     s: text      the server sends the text alone
///     C: text      the client sends exactly this line
///     c: text      and here the text alone
///     TLS          the handshake that the session asks for now succeeds with a verified server
///     TLS UNVERIFIED, TLS WEAK, TLS FAILED   it succeeds with another server, is too weak, fails
///     EOF          the server sends no more      BREAK     the channel breaks
///     TIMEOUT      what is waited for does not come
///     CLOSE        the session has closed the channel
///     DO name arg  the caller asks for a command (quit, noop, reset, verify, expand, help, etrn, xclient, xforward, raw, hello,
///                  authenticate; send is the next transaction of the setup)
///     # text       a remark
///
/// Nothing may be sent that the dialogue does not expect.

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"

namespace client_dialogue {

/// A message to be sent.
struct mail {
  std::string from = "a@client.example";
  std::vector<std::string> to{"b@mx.example"};
  std::string octets = "Subject: x\r\n\r\nHello\r\n";
  ehlo::sender_options options{};
  std::vector<ehlo::recipient_options> recipient_options{};
  std::optional<ehlo::message_traits> traits{};  ///< none: those of the octets
  std::size_t piece = std::size_t{1} << 30U;     ///< octets of each answer
  std::optional<std::size_t> abandon_at{};       ///< gives the message up when so many octets were given
};

/// What happened, in one form for all cuts.
struct record {
  std::vector<std::string> events;  ///< questions and notices: "rcpt 0 250", "failed tls_not_offered"
  std::string sent;                 ///< all octets
  bool closed = false;

  friend bool operator==(const record&, const record&) = default;

  std::size_t count(std::string_view text) const {
    return static_cast<std::size_t>(std::ranges::count_if(events, [text](const std::string& e) { return e.starts_with(text); }));
  }
  bool has(std::string_view text) const { return count(text) > 0; }
  std::string text() const {
    std::string out;
    for (const std::string& e : events) out += e + "\n";
    return out;
  }
};

/// How the client is set up.
struct setup {
  ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  std::vector<mail> mails{mail{}};  ///< the first is begun before the greeting, the others when the session is idle
  bool begin = true;                ///< false: only "DO send" begins one
  bool quit = true;                 ///< when idle and nothing is left to send
  ehlo::sasl::client_credentials credentials{.authentication_identity = "user", .proof = ehlo::secret{"pass"}};
  /// Octets and whether they are all; none: declines. Instead of `credentials`.
  std::function<std::optional<std::pair<std::string, ehlo::exchange>>(const ehlo::credentials_question&)> on_credentials{};
  bool whole_only = false;
};

inline std::string name_of(ehlo::errc code) { return std::string{ehlo::describe(code).text}; }

/// Plays the dialogue whole and in every cut, on both storages, and gives what happened, which is the same in all of them.
record play(std::string_view text, const setup& how = {});

}  // namespace client_dialogue

/// Plays a dialogue; the checks are in it.
inline client_dialogue::record check_client_dialogue(std::string_view text, const client_dialogue::setup& how = {}) {
  return client_dialogue::play(text, how);
}

#endif  // EHLO_TESTS_SUPPORT_CLIENT_DIALOGUE_HPP
