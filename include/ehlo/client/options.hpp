// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CLIENT_OPTIONS_HPP
#define EHLO_CLIENT_OPTIONS_HPP

/// @file
/// What a client session insists on, prefers and gives up: one value, shared by all sessions of a service.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <ehlo/codec/mail_data_writer.hpp>
#include <ehlo/command.hpp>
#include <ehlo/extension/auth.hpp>
#include <ehlo/grammar/host.hpp>
#include <ehlo/grammar/parameter.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// Whether a client goes on without TLS. RFC 3207 6.
enum class tls_policy : std::uint8_t {
  required,       ///< STARTTLS first; without it the session ends before any message or credentials
  opportunistic,  ///< STARTTLS if it is offered and accepted; anyone on the way can prevent it
  never,          ///< in clear text
  active,         ///< TLS was there before the first octet (implicit TLS, RFC 8314)
};

/// What becomes of a message for several recipients when the server refuses some of them.
enum class recipient_policy : std::uint8_t {
  any,            ///< it is sent to those that were accepted
  all_or_nothing  ///< it is not sent; DATA then waits for the replies to all RCPT commands
};

/// When BDAT stands for DATA, with a server that offers CHUNKING. RFC 3030 2.
enum class chunking_policy : std::uint8_t {
  preferred,  ///< always
  needed,     ///< for messages of BODY=BINARYMIME only
  never,
};

/// What becomes of RET, ENVID, NOTIFY and ORCPT with a server that does not offer DSN.
enum class dsn_policy : std::uint8_t {
  required,  ///< the message is not sent, for it cannot go as asked
  relay,     ///< it is sent without them; the caller then sends the "relayed" report that NOTIFY=SUCCESS asks for (RFC 3461 5.2.2)
};

/// Everything that client sessions share. Must outlive them, and so must what its views and spans point to.
struct client_options {
  std::string_view hostname{};  ///< domain or address literal that EHLO gives; ASCII (RFC 6531 3.7.1)
  ehlo::protocol protocol = protocol::smtp;
  tls_policy tls = tls_policy::required;
  bool helo_fallback = true;            ///< HELO after 500, 502 or 504 to EHLO; never under required TLS, with LMTP, or before AUTH
  bool helo_after_501_and_550 = false;  ///< and after these, which some old servers send
  std::span<const auth_mechanism> mechanisms{};  ///< in the order of the client's choice; none other is ever used. Empty: no AUTH
  bool auth_required = true;                     ///< with mechanisms: a session that cannot authenticate ends
  bool auth_without_tls = false;                 ///< uses mechanisms that need TLS without it: shows passwords to listeners
  bool pipelining = true;                        ///< uses PIPELINING where it is offered (RFC 2920)
  chunking_policy chunking = chunking_policy::preferred;
  recipient_policy recipients = recipient_policy::any;
  dsn_policy dsn = dsn_policy::required;
  ehlo::line_ends line_ends = line_ends::refuse;  ///< what becomes of a CR or LF alone in a text
  std::span<const std::string_view>
      keywords{};  ///< of the caller's own extensions: a parameter with such a name is sent if offered
  client_limits limits{};
  client_timeouts timeouts{};

  /// What is wrong with these options, if anything. A session with such options says `close_channel` at once.
  ///
  /// Fails with `errc::option_hostname`, `option_name` or `option_limit`.
  constexpr result<void> check() const {
    if (!host::parse(hostname)) return error{errc::option_hostname};
    if (mechanisms.size() > most_mechanisms || keywords.size() > most_keywords) return error{errc::option_limit};
    for (const auth_mechanism& mechanism : mechanisms) {
      if (!parse_mechanism_name(mechanism.name)) return error{errc::option_name};
    }
    for (const std::string_view keyword : keywords) {
      if (const auto parsed = parameter_list::parse(keyword);
          !parsed || keyword.empty() || keyword.find_first_of("= ") != keyword.npos)
        return error{errc::option_name};
    }
    if (limits.reply.line < sizes::reply_line || limits.reply.octets < limits.reply.line || limits.reply.lines == 0 ||
        limits.batch < sizes::command_line || limits.auth_line < sizes::command_line || limits.auth_line > sizes::auth_line ||
        limits.challenges == 0 || (limits.coalesced != 0 && limits.coalesced < smallest_piece))
      return error{errc::option_limit};
    return {};
  }

  static constexpr std::size_t most_mechanisms = 16;
  static constexpr std::size_t most_keywords = 16;
  static constexpr std::size_t smallest_piece = 256;
};

}  // namespace ehlo

#endif  // EHLO_CLIENT_OPTIONS_HPP
