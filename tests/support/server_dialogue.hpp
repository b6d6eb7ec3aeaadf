// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_SERVER_DIALOGUE_HPP
#define EHLO_TESTS_SUPPORT_SERVER_DIALOGUE_HPP

/// @file
/// Dialogues that read like RFC 5321 Appendix D, played with a server session: with the client's octets whole and cut every 1, 2, 3
/// ... octets, and with both kinds of storage. The cuts must change nothing.
///
///     C: text      the client sends the text and CRLF; \r \n \t \0 \\ \xHH stand for octets
///     c: text      the client sends the text alone
///     S: 250 text  the server replies: code, and the beginning of the reply's first line behind it
///     S: 250-text  a line of a longer reply, which is then given whole: all its lines, each by its beginning
///     TLS          the handshake that the session asks for now succeeds (TLS WEAK: is too weak, TLS FAILED: fails)
///     EOF          the client sends no more      BREAK     the channel breaks
///     TIMEOUT      what is waited for does not come      SHUTDOWN  the service goes down
///     CLOSE        the session has closed the channel
///     # text       a remark
///
/// Nothing may be sent that the dialogue does not expect; a 220 greeting is understood when the dialogue does not begin with a
/// reply.

#include <algorithm>
#include <cstdint>
#include <deque>
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

namespace dialogue {

/// A message that the server took, or was asked to take.
struct message {
  std::string from;
  std::vector<std::string> to;
  std::string octets;
  std::uint64_t size = 0;
  bool has_long_line = false;
  bool has_eight_bit = false;
  bool has_bare_line_end = false;

  friend bool operator==(const message&, const message&) = default;
};

/// What happened, in one form for all cuts.
struct record {
  std::vector<std::string> events;  ///< questions, notices and "data", one a line: "mail <a@b> SIZE=1", "violation bare_lf 17"
  std::vector<message> messages;    ///< accepted
  std::string sent;                 ///< all octets
  bool closed = false;

  friend bool operator==(const record&, const record&) = default;

  /// How many events begin with `text`.
  std::size_t count(std::string_view text) const {
    return static_cast<std::size_t>(std::ranges::count_if(events, [text](const std::string& e) { return e.starts_with(text); }));
  }
  bool has(std::string_view text) const { return count(text) > 0; }
};

struct forward {
  std::string mailbox;
};
struct moved {
  std::string mailbox;
};
struct listed {
  std::vector<std::pair<std::string, std::string>> found;  ///< full name, mailbox
};
struct ambiguous {
  std::vector<std::pair<std::string, std::string>> found;
};
struct challenge {
  std::string octets;
};
struct authenticated {};
struct by_default {};
struct accepted {};  ///< without a reply of one's own

/// An answer to any question.
using answer = std::variant<by_default, ehlo::reply, forward, moved, listed, ambiguous, challenge, authenticated, accepted>;

/// How the server of a dialogue is set up. What is not set is answered so: recipients whose local-part begins with "no" get 550,
/// "busy" 450, "full" 452, all others are accepted; greeting, hello, MAIL, DATA, STARTTLS and messages are accepted; AUTH is
/// refused.
struct setup {
  ehlo::server_options options{.hostname = "mx.example"};
  std::function<answer(const ehlo::greeting_question&)> on_greeting{};
  std::function<answer(const ehlo::hello_question&)> on_hello{};
  std::function<answer(const ehlo::mail_question&)> on_mail{};
  std::function<answer(const ehlo::rcpt_question&)> on_rcpt{};
  std::function<answer(const ehlo::data_question&)> on_data{};
  std::function<answer(const ehlo::message_question&)> on_message{};
  std::function<answer(const ehlo::auth_question&)> on_auth{};
  std::function<answer(const ehlo::vrfy_question&)> on_vrfy{};
  std::function<answer(const ehlo::expn_question&)> on_expn{};
  std::function<answer(const ehlo::help_question&)> on_help{};
  std::function<answer(const ehlo::starttls_question&)> on_starttls{};
  std::function<answer(const ehlo::etrn_question&)> on_etrn{};
  std::function<answer(const ehlo::burl_question&)> on_burl{};
  std::function<answer(const ehlo::xclient_question&)> on_xclient{};
  std::function<answer(const ehlo::xforward_question&)> on_xforward{};
  std::function<answer(const ehlo::custom_question&)> on_custom{};
  /// Called with each slice of mail data; a reply gives the message up.
  std::function<std::optional<ehlo::reply>(std::string_view)> on_data_octets{};
  bool whole_only = false;  ///< for dialogues about what comes together with what
};

/// Plays the dialogue whole and in every cut, on both storages, and gives what happened, which is the same in all of them.
record play(std::string_view text, const setup& how = {});

}  // namespace dialogue

/// Plays a dialogue; the checks are in it.
inline dialogue::record check_server_dialogue(std::string_view text, const dialogue::setup& how = {}) {
  return dialogue::play(text, how);
}

#endif  // EHLO_TESTS_SUPPORT_SERVER_DIALOGUE_HPP
