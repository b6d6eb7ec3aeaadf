// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_OBSERVER_ACTIONS_HPP
#define EHLO_OBSERVER_ACTIONS_HPP

/// @file
/// What an observer tells its caller: whose octets it wants, and what they mean. Views in these live until the next call of `next`.

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <variant>

#include <ehlo/actions.hpp>
#include <ehlo/ascii.hpp>
#include <ehlo/capabilities.hpp>
#include <ehlo/command.hpp>
#include <ehlo/error.hpp>
#include <ehlo/extension/auth.hpp>
#include <ehlo/observer/finding.hpp>
#include <ehlo/protocol/order_of_replies.hpp>
#include <ehlo/received_reply.hpp>
#include <ehlo/secret.hpp>

namespace ehlo {

/// Whose octets.
enum class direction : std::uint8_t { from_client, from_server };

/// The other direction.
constexpr direction other(direction d) { return d == direction::from_client ? direction::from_server : direction::from_client; }

/// Octets are left, and what they mean depends on the other end: give what came from there, then these again.
struct other_first {
  direction from{};  ///< whose octets are wanted

  friend constexpr bool operator==(const other_first&, const other_first&) = default;
};

/// A command, but for AUTH.
struct observed_command {
  any_command command;
  std::uint32_t serial = 0;  ///< counts the commands from 1; names this one in what is told of it later
  std::uint64_t offset = 0;  ///< of its first octet, counted from 0 in its direction

  friend constexpr bool operator==(const observed_command&, const observed_command&) = default;
};

/// A line where a command stands that `ehlo` cannot read: an unknown verb, or arguments that break the grammar. Its reply tells
/// what the server made of it.
///
/// It may be anything, a password too: nothing shows it by itself. Of AUTH only the verb is there.
struct malformed_command {
  verb name = verb::unknown;
  secret line{};             ///< without CRLF; of a line that is too long, its beginning
  errc reason{};             ///< of `parse_command`, or `errc::line_too_long`
  std::uint32_t serial = 0;  ///< as in `observed_command`
  std::uint64_t offset = 0;
};

/// A reply, but for 334. The greeting and the replies to MAIL, RCPT and the end of mail data are such: `row` says which.
struct observed_reply {
  received_reply reply;
  reply_row row = reply_row::custom;  ///< what it answers
  std::uint32_t serial = 0;           ///< of the command (of DATA or the last BDAT for the end of mail data); 0: of none
  std::uint32_t recipient = 0;        ///< RCPT that was accepted, LMTP's end of mail data: which accepted recipient, from 0
  std::uint64_t offset = 0;           ///< of its first octet

  friend constexpr bool operator==(const observed_reply&, const observed_reply&) = default;
};

/// EHLO, HELO or LHLO was accepted: what holds from now on.
struct observed_hello {
  ehlo::capabilities capabilities{};  ///< nothing after HELO
  bool esmtp = false;                 ///< EHLO or LHLO, not HELO
  ehlo::protocol protocol = protocol::smtp;

  friend constexpr bool operator==(const observed_hello&, const observed_hello&) = default;
};

/// A step of an AUTH exchange, without what it holds. RFC 4954 4.
struct observed_auth {
  enum class step : std::uint8_t {
    command,    ///< AUTH, maybe with an initial response
    challenge,  ///< 334
    response,
    cancel,  ///< the client's "*"
  };

  step what{};
  std::string_view mechanism{};  ///< of `command`
  bool has_response = false;     ///< of `command`: an initial response is there
  std::uint64_t octets = 0;      ///< of challenge or response, still encoded
  std::uint32_t serial = 0;      ///< of the AUTH command

  friend constexpr bool operator==(const observed_auth&, const observed_auth&) = default;
};

/// The end of mail data: the lone dot, or the last octet of the last chunk. `observed_reply` with the same serial says what the
/// server made of the message.
struct observed_message {
  std::uint64_t size = 0;  ///< octets given as `mail_data` (RFC 1870 5)
  std::uint32_t serial = 0;
  bool chunked = false;            ///< BDAT
  bool has_long_line = false;      ///< DATA: a text line over 1000 octets
  bool has_eight_bit = false;      ///< DATA: octets above 127
  bool has_bare_line_end = false;  ///< DATA: a CR or LF alone

  friend constexpr bool operator==(const observed_message&, const observed_message&) = default;
};

/// The server said 220 to STARTTLS: both directions are opaque and only counted, until `decrypted()`. RFC 3207 4.
struct observed_tls {
  friend constexpr bool operator==(const observed_tls&, const observed_tls&) = default;
};

/// Something that should not be there. The observer goes on, unless `lost` follows.
struct anomaly {
  finding what{};
  direction from{};
  std::uint64_t offset = 0;  ///< of the octet, or of the line or reply, counted from 0 in its direction

  friend constexpr bool operator==(const anomaly&, const anomaly&) = default;
};

/// The conversation had begun before its first octets were given (`beginning::unsure`): octets are passed over until a reply shows
/// where a command begins, and nothing is found out of order until MAIL, EHLO, HELO or LHLO is accepted. Where a first reply that
/// is no greeting shows it, it is told behind that reply.
struct joined_midway {
  friend constexpr bool operator==(const joined_midway&, const joined_midway&) = default;
};

/// Why an observer cannot follow any longer.
enum class lost_cause : std::uint8_t {
  reply_unreadable,       ///< the anomaly before it says why
  chunk_size_unreadable,  ///< a BDAT was taken whose end nobody knows
  ambiguous_reply,        ///< neither yes nor no to DATA, STARTTLS or AUTH: clients differ in what they do next
  too_many_in_flight,     ///< more commands without a reply than are held
  other_end_silent,       ///< what decides the meaning of these octets will not come
  other_protocol,         ///< a TLS record where a command or a greeting should be
  octets_missing,         ///< the caller says so
  out_of_memory,
  options,  ///< `observer_options::check` fails
};

/// The observer has lost its step: from now on it only counts octets, until `rejoin()`.
struct lost {
  lost_cause cause{};
  direction from{};
  std::uint64_t offset = 0;  ///< where in that direction

  friend constexpr bool operator==(const lost&, const lost&) = default;
};

/// What an observer tells its caller.
using observer_action =
    std::variant<receive, other_first, observed_command, malformed_command, observed_reply, observed_hello, observed_auth,
                 mail_data, observed_message, transaction_reset, observed_tls, anomaly, joined_midway, lost>;

namespace detail {

template <>
inline constexpr action_kind kind_of_action<observed_command> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<malformed_command> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<observed_reply> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<observed_hello> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<observed_auth> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<observed_message> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<observed_tls> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<anomaly> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<joined_midway> = action_kind::notice;
template <>
inline constexpr action_kind kind_of_action<lost> = action_kind::notice;

}  // namespace detail

static_assert(std::is_trivially_copyable_v<observer_action>);

}  // namespace ehlo

#endif  // EHLO_OBSERVER_ACTIONS_HPP
