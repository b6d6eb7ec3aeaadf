// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CLIENT_ACTIONS_HPP
#define EHLO_CLIENT_ACTIONS_HPP

/// @file
/// What a client session tells its caller to do. One law: do what the action says, then call `next` again.

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

#include <ehlo/actions.hpp>
#include <ehlo/capabilities.hpp>
#include <ehlo/error.hpp>
#include <ehlo/grammar/base64.hpp>
#include <ehlo/received_reply.hpp>

namespace ehlo {

/// A step of an AUTH exchange: `respond` with the octets of the mechanism, or `decline`. RFC 4954 4.
///
/// `sasl::answer` in `sasl/client.hpp` answers it for the mechanisms that need no cryptography. The default answer declines: before
/// AUTH was sent nothing is sent, else "*".
struct credentials_question {
  std::string_view mechanism;       ///< the name in the options; lives as long as they do
  std::optional<base64> challenge;  ///< what the server sent, still encoded; none when the client speaks first
  std::uint32_t step = 0;           ///< counts the questions of this exchange from 0
  ehlo::ticket ticket;

  friend constexpr bool operator==(const credentials_question& a, const credentials_question& b) {
    return a.mechanism == b.mechanism && a.step == b.step && a.ticket == b.ticket &&
           a.challenge.has_value() == b.challenge.has_value() && (!a.challenge || a.challenge->text() == b.challenge->text());
  }
};

/// Octets of the message are wanted: `data`, `end_of_mail_data`, or `abandon`. RFC 5321 4.1.1.4.
///
/// An envelope may take more than one transaction (LIMITS, `client_limits::recipients`, LMTP): each begins with `begin` set and
/// wants the message from its first octet. The default answer abandons the message.
struct mail_data_question {
  std::uint32_t recipients = 0;  ///< accepted in this transaction
  bool begin = false;            ///< the first octets of the message are wanted
  bool chunked = false;          ///< each answer becomes a chunk of BDAT; else it goes behind DATA
  ehlo::ticket ticket;

  friend constexpr bool operator==(const mail_data_question&, const mail_data_question&) = default;
};

/// The server has greeted with 220. Its text is for people: nothing is learned from it. RFC 5321 3.1.
struct greeting_result {
  received_reply reply;

  friend constexpr bool operator==(const greeting_result&, const greeting_result&) = default;
};

/// EHLO, LHLO or HELO was accepted. `find_keyword(reply, ...)` finds extensions that `ehlo` does not know.
struct hello_result {
  received_reply reply;
  ehlo::capabilities capabilities;  ///< nothing after HELO
  bool esmtp = false;               ///< EHLO or LHLO, not HELO

  friend constexpr bool operator==(const hello_result&, const hello_result&) = default;
};

/// STARTTLS was refused, and the policy is `opportunistic`: the session goes on in clear text.
struct starttls_result {
  received_reply reply;

  friend constexpr bool operator==(const starttls_result&, const starttls_result&) = default;
};

/// An AUTH exchange has ended: with 235, or not. RFC 4954 4.
struct authentication_result {
  std::string_view mechanism;  ///< the name in the options; lives as long as they do
  received_reply reply;

  constexpr bool is_authenticated() const { return reply.is_completed(); }
  friend constexpr bool operator==(const authentication_result&, const authentication_result&) = default;
};

/// The session is open for mail: hello, TLS and AUTH are done.
struct ready {
  ehlo::capabilities capabilities;

  friend constexpr bool operator==(const ready&, const ready&) = default;
};

/// The reply to a RCPT. A negative one is final for this recipient; a positive one is not, see `message_result`. RFC 5321 3.3.
struct recipient_result {
  std::uint32_t index = 0;  ///< in the envelope
  received_reply reply;     ///< 251 names where the mail goes on to, 551 where it should go (RFC 5321 3.4)
  bool transient = false;   ///< try this recipient later: 4yz, or 552 for too many recipients (RFC 5321 4.5.3.1.10)

  constexpr bool is_accepted() const { return reply.is_completed(); }
  friend constexpr bool operator==(const recipient_result&, const recipient_result&) = default;
};

/// A recipient was left out without a command: the server's LIMITS have no room for it in this session. Try it in another one.
struct recipient_deferred {
  std::uint32_t index = 0;  ///< in the envelope
  errc reason{};            ///< `errc::too_many_domains`

  friend constexpr bool operator==(const recipient_deferred&, const recipient_deferred&) = default;
};

/// The reply to the end of mail data: final for those recipients from `first` to `last` that RCPT had accepted. The others among
/// them keep the result that they have. 250 says that the server is responsible for the message now. RFC 5321 4.2.5; in LMTP one
/// comes for each of them (RFC 2033 4.2).
struct message_result {
  std::uint32_t first = 0;  ///< index of the first recipient
  std::uint32_t last = 0;   ///< one past the index of the last
  received_reply reply;

  constexpr bool is_accepted() const { return reply.is_completed(); }
  friend constexpr bool operator==(const message_result&, const message_result&) = default;
};

/// What is known of a message whose transaction has failed.
enum class delivery : std::uint8_t {
  not_accepted,  ///< the server did not take it
  unknown,       ///< all of it was sent, and no reply came: it may have been taken. Sending it again may make two of it
};

/// The transaction has ended without a result for the recipients that have none yet: those without a `recipient_result` that
/// refused them and without a `message_result`. They stay the caller's. RFC 5321 3.8, 4.2.5.
struct transaction_failed {
  /// What could not go as asked (an error of `plan_transaction`), or `errc::mail_refused`, `recipient_refused` (none was accepted;
  /// or one was not, and the policy is `all_or_nothing`), `data_refused`, `chunk_refused`, `message_refused` (of an earlier part of
  /// the envelope), `message_abandoned`, an error of the mail data writer, `too_many_transactions` (MAILMAX: open another session),
  /// or the reason of `failed`.
  errc reason{};
  ehlo::delivery delivery = delivery::not_accepted;
  std::optional<received_reply> reply{};  ///< of the server, if this is the first notice that tells of it
  bool transient_reply = false;           ///< notices before this one told of replies, and these were 4yz

  /// True if it makes sense to try again later: the server's 4yz, a lost channel, a server that was out of step, TLS that could not
  /// be had, a limit of this session.
  constexpr bool is_transient() const {
    if (reply && reply->code() >= 400) return reply->is_transient();
    if (transient_reply) return true;
    switch (reason) {
      case errc::connection_lost:
      case errc::reply_timeout:
      case errc::service_closing:
      case errc::reply_malformed:
      case errc::reply_codes_differ:
      case errc::reply_over_limit:
      case errc::unexpected_reply:
      case errc::unsolicited_reply:
      case errc::reset_refused:
      case errc::octets_before_tls:
      case errc::tls_not_offered:
      case errc::tls_handshake:
      case errc::tls_too_weak:
      case errc::too_many_transactions:
      case errc::out_of_memory:
      case errc::message_abandoned: return true;
      default: return false;
    }
  }
  friend constexpr bool operator==(const transaction_failed&, const transaction_failed&) = default;
};

/// The reply to `verify`, `expand`, `help`, `noop`, `reset`, `etrn`, `xclient`, `xforward` or `raw`, whatever it says.
struct command_result {
  received_reply reply;

  friend constexpr bool operator==(const command_result&, const command_result&) = default;
};

/// A reply came that no command had asked for. `failed` follows: what comes behind it could not be trusted. RFC 5321 4.3.1.
struct unsolicited {
  received_reply reply;

  friend constexpr bool operator==(const unsolicited&, const unsolicited&) = default;
};

/// The session has failed and ends: QUIT where it still can be said, then `close_channel`. Of a transaction that was begun
/// `transaction_failed` follows; another command that was waiting has no result.
struct failed {
  /// `errc::greeting_refused`, `hello_refused`, `tls_not_offered`, `tls_refused`, `tls_handshake`, `tls_too_weak`,
  /// `octets_before_tls`, `no_common_mechanism`, `authentication_failed`, `authentication_cancelled`, `authentication_unfinished`,
  /// `service_closing` (421), `connection_lost`, `reply_timeout`, `unexpected_reply`, `unsolicited_reply`, `reset_refused`, the
  /// errors of `reply_parser`, those of the mail data writer (in the middle of DATA), `message_abandoned` (the same), or
  /// `out_of_memory`.
  errc reason{};
  std::optional<received_reply> reply{};  ///< the reply that it is about, if this is the first notice that tells of it
  std::uint64_t offset = 0;               ///< of a broken rule: the octet, counted from 0 at the first octet of the session

  friend constexpr bool operator==(const failed&, const failed&) = default;
};

/// What a client session tells its caller to do.
using client_action =
    std::variant<receive, transmit, mail_data_question, recipient_result, message_result, idle, start_tls, close_channel,
                 answer_due, credentials_question, greeting_result, hello_result, starttls_result, authentication_result, ready,
                 recipient_deferred, transaction_failed, command_result, unsolicited, failed>;

namespace detail {

template <>
inline constexpr action_kind kind_of_action<credentials_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<mail_data_question> = action_kind::question;

template <>
inline constexpr action_kind kind_of_action<greeting_result> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<hello_result> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<starttls_result> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<authentication_result> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<ready> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<recipient_result> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<recipient_deferred> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<message_result> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<transaction_failed> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<command_result> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<unsolicited> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<failed> = action_kind::notice;

}  // namespace detail

static_assert(std::is_trivially_copyable_v<client_action>);

}  // namespace ehlo

#endif  // EHLO_CLIENT_ACTIONS_HPP
