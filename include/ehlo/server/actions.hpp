// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SERVER_ACTIONS_HPP
#define EHLO_SERVER_ACTIONS_HPP

/// @file
/// What a server session tells its caller to do. One law: do what the action says, then call `next` again.

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

#include <ehlo/actions.hpp>
#include <ehlo/command.hpp>
#include <ehlo/error.hpp>
#include <ehlo/extension/etrn.hpp>
#include <ehlo/extension/priority.hpp>
#include <ehlo/extension/xclient.hpp>
#include <ehlo/extension/xforward.hpp>
#include <ehlo/grammar/base64.hpp>
#include <ehlo/grammar/host.hpp>
#include <ehlo/grammar/path.hpp>
#include <ehlo/parameters.hpp>

namespace ehlo {

/// The channel is open: `accept` greets with 220, `reject` with 554 or 521. RFC 5321 3.1, RFC 7504 3.
///
/// After 554 every command but QUIT gets 503, after 521 each gets 521. The default answer is 220, or 554 to an early talker.
struct greeting_question {
  bool early_talker = false;  ///< octets came before the greeting, which no client sends that means well
  ehlo::ticket ticket;

  friend constexpr bool operator==(const greeting_question&, const greeting_question&) = default;
};

/// EHLO, HELO or LHLO waits for its answer: `accept` (250) opens the session for mail and drops an open transaction,
/// `reject` (504, 550) changes nothing. RFC 5321 4.1.1.1, 4.1.4.
struct hello_question {
  verb name;          ///< which of the three
  ehlo::host client;  ///< what the client calls itself: a claim (4.1.4 forbids refusing mail because it does not fit)
  ehlo::ticket ticket;

  friend constexpr bool operator==(const hello_question&, const hello_question&) = default;
};

/// STARTTLS waits for its answer: `accept` (220) leads to `start_tls`, `reject` (454) leaves the session in the clear. RFC 3207 4.
struct starttls_question {
  ehlo::ticket ticket;

  friend constexpr bool operator==(const starttls_question&, const starttls_question&) = default;
};

/// A step of an AUTH exchange: `challenge` goes on, `authenticated` ends it with 235, `reject` with 535, 454 or 534. RFC 4954 4.
///
/// The default answer is 535.
struct auth_question {
  std::string_view mechanism;      ///< the name in the options; lives as long as they do
  std::optional<base64> response;  ///< what the client sent, still encoded; none if the mechanism begins with a challenge
  bool initial = false;            ///< first question of its exchange
  ehlo::ticket ticket;

  friend constexpr bool operator==(const auth_question& a, const auth_question& b) {
    return a.mechanism == b.mechanism && a.initial == b.initial && a.ticket == b.ticket &&
           a.response.has_value() == b.response.has_value() && (!a.response || a.response->text() == b.response->text());
  }
};

/// A MAIL command waits for its answer: `accept` (250) begins a transaction, `reject` does not. RFC 5321 3.3, 4.1.1.2.
struct mail_question {
  ehlo::reverse_path reverse_path;  ///< at most 256 octets; its `text()` is the spelling received
  mail_parameters parameters;       ///< checked against the extensions offered; empty after HELO
  ehlo::ticket ticket;
  message_priority priority{};  ///< a positive one only from clients that are trusted (RFC 6710 4.1)
  bool forwarded = false;       ///< what `xforward_question` has told counts for this transaction

  friend constexpr bool operator==(const mail_question&, const mail_question&) = default;
};

/// A RCPT command waits for its answer: `accept` (250, 251) adds the path to the envelope, `reject` (4yz, 5yz) leaves the
/// envelope as it was. The default answer is 550: no open relay by omission. RFC 5321 3.3, 4.1.1.3.
struct rcpt_question {
  ehlo::forward_path forward_path;  ///< at most 256 octets (4.5.3.1.3); its `text()` is the spelling received
  rcpt_parameters parameters;       ///< checked against the extensions offered; empty after HELO
  ehlo::ticket ticket;              ///< names this question; a late answer with another ticket changes nothing

  friend constexpr bool operator==(const rcpt_question&, const rcpt_question&) = default;
};

/// DATA, or the first BDAT of a transaction, waits for its answer: `accept` lets the mail data come, `reject` (554, 452) does
/// not. RFC 5321 4.1.1.4, RFC 3030 2.
struct data_question {
  std::uint32_t recipients = 0;  ///< accepted in this transaction
  bool chunked = false;          ///< BDAT
  ehlo::ticket ticket;

  friend constexpr bool operator==(const data_question&, const data_question&) = default;
};

/// The mail data are complete: `accept` (250) takes the responsibility for the message (RFC 5321 4.2.5), `reject` leaves it
/// with the client. In LMTP asked once for each accepted recipient, in order. The default answer is 451. RFC 5321 4.1.1.4,
/// 2033 4.2.
struct message_question {
  std::uint64_t size = 0;          ///< octets of the message: CRLFs counted, transparency dots not (RFC 1870 5)
  std::uint32_t recipient = 0;     ///< LMTP: which accepted recipient, from 0; SMTP: 0
  std::uint32_t recipients = 0;    ///< accepted in this transaction
  bool has_long_line = false;      ///< a text line over 1000 octets (RFC 5321 4.5.3.1.6)
  bool has_eight_bit = false;      ///< octets above 127 that BODY did not announce (RFC 5321 2.4)
  bool has_bare_line_end = false;  ///< a CR or LF alone, kept as data by `bare_line_ends::keep`
  ehlo::ticket ticket;

  friend constexpr bool operator==(const message_question&, const message_question&) = default;
};

/// A person as VRFY and EXPN show one: `Full Name <local-part@domain>`. RFC 5321 3.5.1, 3.5.2.
struct listing {
  ehlo::mailbox mailbox;
  std::string_view full_name{};  ///< may be empty; octets that no reply holds are an error of the answer

  friend constexpr bool operator==(const listing&, const listing&) = default;
};

/// VRFY: `accept(listing)` (250), `accept_forward` (251), `reject_moved` (551), `reject_ambiguous` (553), `reject` (550, 502,
/// 504), or the default 252, which verifies nothing. RFC 5321 3.5, 7.3.
struct vrfy_question {
  std::string_view argument;             ///< as it was spelt
  std::optional<ehlo::mailbox> mailbox;  ///< the argument, when it is one
  bool smtputf8 = false;                 ///< the reply may hold UTF-8 (RFC 6531 3.7.4.2)
  ehlo::ticket ticket;

  friend constexpr bool operator==(const vrfy_question&, const vrfy_question&) = default;
};

/// EXPN: `accept(listings)` (250, one a line), `reject` (550, 504), or the default 502. RFC 5321 3.5.
struct expn_question {
  std::string_view argument;             ///< as it was spelt
  std::optional<ehlo::mailbox> mailbox;  ///< the argument, when it is one
  bool smtputf8 = false;                 ///< the reply may hold UTF-8 (RFC 6531 3.7.4.2)
  ehlo::ticket ticket;

  friend constexpr bool operator==(const expn_question&, const expn_question&) = default;
};

/// HELP: `accept(reply)` (214, 211), `reject` (504, 502), or the default: general text, the syntax of a verb that is known,
/// 504 to any other topic. RFC 5321 4.1.1.8.
struct help_question {
  std::string_view topic;  ///< as it was spelt; empty without one
  ehlo::ticket ticket;

  friend constexpr bool operator==(const help_question&, const help_question&) = default;
};

/// ETRN: `accept` (250), `accept(reply)` (251, 252, 253), `reject` (458, 459). The default answer is 459: nobody starts the queue
/// by omission. The client is not who it says it is: what is sent goes over a new connection (RFC 1985 3). RFC 1985 5.1.
struct etrn_question {
  etrn_option option{};   ///< take `subdomains` and `queue` only where they make sense (RFC 1985 8)
  std::string_view node;  ///< a domain, or the name of a queue
  ehlo::ticket ticket;

  friend constexpr bool operator==(const etrn_question&, const etrn_question&) = default;
};

/// BURL: fetch what `url` names, and then `accept` (250): the octets are the next ones of the message, and with `last` the
/// responsibility for it is taken. `reject` (554, 451) ends the transaction, and `transaction_reset` comes. The default answer is
/// 554. RFC 4468 3.2, 6.
struct burl_question {
  std::string_view url;          ///< an absolute URI; it may hold a token that gives access, so show it to nobody
  bool last = false;             ///< the message is complete; if not, BURL or BDAT follow
  std::uint64_t octets = 0;      ///< that came in chunks before
  std::uint32_t recipients = 0;  ///< accepted in this transaction
  ehlo::ticket ticket;

  friend constexpr bool operator==(const burl_question&, const burl_question&) = default;
};

/// XCLIENT: the peer says for whom it speaks. `accept` puts the session back before its greeting, as if that client had connected,
/// and `greeting_question` follows: its answer is the reply (220, or 554 for a client that you do not serve). What was told counts
/// until the session ends: keep it. With a LOGIN the client is authenticated. `reject` (550), the default answer, changes nothing.
///
/// From then on `server_options::trusted_network` counts for nothing: it is the peer that is trusted, and not its clients.
struct xclient_question {
  xclient_attributes attributes;
  ehlo::ticket ticket;

  friend constexpr bool operator==(const xclient_question&, const xclient_question&) = default;
};

/// XFORWARD: the peer says where the next message came from, for the log. `accept` (250), or `reject` (550), the default answer.
///
/// What was told counts until RSET, EHLO or the end of the next transaction: `mail_question::forwarded` says whether it still does.
struct xforward_question {
  xforward_attributes attributes;
  bool first = false;  ///< what was told before counts no more: all attributes that are not given are not available
  ehlo::ticket ticket;

  friend constexpr bool operator==(const xforward_question&, const xforward_question&) = default;
};

/// A command whose verb the caller registered: `accept(reply)` or `reject(reply)` with any code; the default is 502. RFC
/// 5321 4.1.5.
struct custom_question {
  std::string_view verb;      ///< the name in the options; lives as long as they do
  std::string_view argument;  ///< what stood behind the verb and one space; not checked further
  ehlo::ticket ticket;

  friend constexpr bool operator==(const custom_question&, const custom_question&) = default;
};

/// Why an AUTH exchange ended without an answer of the caller.
enum class exchange_end : std::uint8_t {
  cancelled,  ///< the client sent "*": 501
  malformed,  ///< a response that is not base64: 501; or over-long: 500
  aborted,    ///< the session ended in between
};

/// An AUTH exchange that had been challenged ended: what the caller holds for it is void. RFC 4954 4.
struct exchange_ended {
  exchange_end cause{};

  friend constexpr bool operator==(const exchange_ended&, const exchange_ended&) = default;
};

/// What a server session tells its caller to do.
using server_action =
    std::variant<receive, transmit, mail_data, mail_question, rcpt_question, data_question, message_question, greeting_question,
                 hello_question, starttls_question, auth_question, vrfy_question, expn_question, help_question, etrn_question,
                 burl_question, xclient_question, xforward_question, custom_question, start_tls, answer_due, close_channel,
                 transaction_reset, violation, exchange_ended>;

namespace detail {

template <>
inline constexpr action_kind kind_of_action<greeting_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<hello_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<starttls_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<auth_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<mail_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<rcpt_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<data_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<message_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<vrfy_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<expn_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<help_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<etrn_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<burl_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<xclient_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<xforward_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<custom_question> = action_kind::question;
template <>
inline constexpr action_kind kind_of_action<exchange_ended> = action_kind::notice;

}  // namespace detail

static_assert(std::is_trivially_copyable_v<server_action>);

}  // namespace ehlo

#endif  // EHLO_SERVER_ACTIONS_HPP
