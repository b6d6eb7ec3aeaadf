// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_ACTIONS_HPP
#define EHLO_ACTIONS_HPP

/// @file
/// The actions that both ends give: what moves octets, and what tells. Views in them live until the next call of `next`.

#include <cstdint>
#include <string_view>
#include <type_traits>

#include <ehlo/error.hpp>

namespace ehlo {

/// Joins function objects into one visitor.
template <class... Functions>
struct overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
overloaded(Functions...) -> overloaded<Functions...>;

/// Names one question of one session, so that a late answer can say which question it answers.
struct ticket {
  std::uint32_t serial = 0;  ///< counts from 1; 0 names no question

  friend constexpr bool operator==(const ticket&, const ticket&) = default;
};

/// Write these octets, all of them, before `next` is called again.
struct transmit {
  std::string_view octets;  ///< never empty

  friend constexpr bool operator==(const transmit&, const transmit&) = default;
};

/// All of `input` was taken: read more octets, or say that there are none.
struct receive {
  friend constexpr bool operator==(const receive&, const receive&) = default;
};

/// Do the TLS handshake, then say `tls_started()` or `tls_failed()`. Nothing is left over from before it. RFC 3207 4.
struct start_tls {
  friend constexpr bool operator==(const start_tls&, const start_tls&) = default;
};

/// Close the channel. The session says nothing else from now on.
struct close_channel {
  friend constexpr bool operator==(const close_channel&, const close_channel&) = default;
};

/// The client: nothing is in flight and nothing is asked for: begin a transaction, give another command, quit, or read to see
/// whether the server says something of its own (bring the octets with the next call of `next`, or say `end_of_input()`).
struct idle {
  friend constexpr bool operator==(const idle&, const idle&) = default;
};

/// A question is still open: answer it, then call `next`. Nothing was taken, nothing is left to write.
struct answer_due {
  ehlo::ticket ticket;  ///< of the open question

  friend constexpr bool operator==(const answer_due&, const answer_due&) = default;
};

/// Whether the TLS that was negotiated is good enough. RFC 3207 4.1.
enum class tls_strength : std::uint8_t {
  sufficient,
  insufficient,  ///< the server says 554 to every command but QUIT; the client says QUIT
};

/// Octets of the message, transparency dots left out: a slice of the input given last, or of a constant. RFC 5321 4.5.2.
struct mail_data {
  std::string_view octets;  ///< never empty

  friend constexpr bool operator==(const mail_data&, const mail_data&) = default;
};

/// Why a transaction ended without an answered `message_question`.
enum class reset_cause : std::uint8_t {
  rset,       ///< RSET
  hello,      ///< EHLO, HELO or LHLO; or the session begins again behind STARTTLS or XCLIENT
  quit,       ///< QUIT
  refused,    ///< the session or an early `reject` refused the message, and its end has come
  chunkless,  ///< LMTP: the last chunk came without an accepted recipient (RFC 2033 4.3)
  timed_out,  ///< the peer was silent for too long
  peer_gone,  ///< the channel broke
  closed,     ///< the session ended it: shutdown, too many errors, no memory, a violation that closes
};

/// A transaction ended without a message: forget its envelope and what was stored of it. RFC 5321 4.1.1.5, 4.1.1.10.
struct transaction_reset {
  reset_cause cause{};

  friend constexpr bool operator==(const transaction_reset&, const transaction_reset&) = default;
};

/// The peer broke a rule. The session has dealt with it; `describe(code)` gives a text and the clause.
struct violation {
  errc code{};
  std::uint64_t offset = 0;  ///< the octet that broke it, counted from 0 at the first octet of the session

  friend constexpr bool operator==(const violation&, const violation&) = default;
};

/// What kind of action a type is, for the concepts `question` and `notice`.
enum class action_kind : std::uint8_t {
  flow,      ///< octets, the channel, TLS
  question,  ///< waits for exactly one answer
  notice,    ///< tells, and needs no answer
};

namespace detail {

/// The headers of the sessions say which of their types are questions and notices.
template <class T>
inline constexpr action_kind kind_of_action = action_kind::flow;
template <>
inline constexpr action_kind kind_of_action<transaction_reset> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<violation> = action_kind::notice;

}  // namespace detail

/// An action that waits for exactly one answer, of either end.
template <class T>
concept question = detail::kind_of_action<std::remove_cvref_t<T>>
== action_kind::question;

/// An action that only tells, and needs no answer, of either end.
template <class T>
concept notice = detail::kind_of_action<std::remove_cvref_t<T>>
== action_kind::notice;

/// What an end waits for. RFC 5321 4.5.3.2.
enum class waiting_for : std::uint8_t {
  nothing,
  command,     ///< the server: a command
  data_block,  ///< the server: a block of mail data; the client: that one is taken
  handshake,   ///< the TLS handshake
  greeting,    ///< the client: the greeting
  reply,       ///< the client: the reply to a command
};

/// How long to wait: re-arm the timer when `serial` changes, and only then; when it runs out, say `timed_out()`.
struct wait {
  waiting_for what = waiting_for::nothing;
  std::uint32_t seconds =
      0;                     ///< at most; 0 while the peer is not waited for: no timer runs, not even while a last reply is written
  std::uint32_t serial = 0;  ///< changes when another wait begins

  friend constexpr bool operator==(const wait&, const wait&) = default;
};

}  // namespace ehlo

#endif  // EHLO_ACTIONS_HPP
