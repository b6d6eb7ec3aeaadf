// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CLIENT_PLAN_HPP
#define EHLO_CLIENT_PLAN_HPP

/// @file
/// How a message goes, decided before an octet of it leaves: which parameters MAIL gets, DATA or BDAT, and why it cannot go at all.
/// RFC 5321 2.2, 1870 6, 2852, 3030, 3461 5, 4865, 6152, 6531 3.2, 8689 4.2.1, 9422.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <ehlo/ascii.hpp>
#include <ehlo/capabilities.hpp>
#include <ehlo/client/options.hpp>
#include <ehlo/codec/mail_data_writer.hpp>
#include <ehlo/codec/message_traits.hpp>
#include <ehlo/envelope.hpp>
#include <ehlo/extension/body.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// What a client knows of its channel and server when it makes a plan.
struct sending_conditions {
  ehlo::capabilities capabilities{};  ///< of the last EHLO, the one inside TLS if there is TLS
  std::uint32_t keywords = 0;  ///< a bit for each of `client_options::keywords` that the server offers, the first being bit 0
  bool tls = false;            ///< TLS is active
  bool tls_verified = false;   ///< and the server has shown that it is the one that was looked for
};

/// How a message goes.
struct transaction_plan {
  std::optional<std::uint64_t> size{};  ///< the number of SIZE; none: MAIL has no SIZE
  std::optional<body_type> body{};      ///< the word of BODY; none: MAIL has no BODY
  bool smtputf8 = false;                ///< MAIL has SMTPUTF8
  bool dsn = false;                     ///< RET, ENVID, NOTIFY and ORCPT are sent
  bool auth = false;                    ///< AUTH is sent
  bool chunked = false;                 ///< BDAT instead of DATA
  bool eight_bit = false;               ///< octets above 127 may be sent
  bool by = false;                      ///< BY is sent
  bool priority = false;                ///< MT-PRIORITY is sent
  bool rrvs = false;                    ///< RRVS is sent
  bool solicit = false;                 ///< SOLICIT is sent
  bool mtrk = false;                    ///< MTRK is sent

  /// Whether a parameter of the envelope is sent.
  constexpr bool sends(std::string_view keyword) const;

  /// How the mail data writer writes it.
  constexpr mail_data_writer::rules rules(line_ends policy) const {
    return {policy, eight_bit, !chunked, body == body_type::binary};
  }
  friend constexpr bool operator==(const transaction_plan&, const transaction_plan&) = default;
};

namespace detail {

inline constexpr bool is_dsn_parameter(std::string_view keyword) {
  for (const std::string_view known : {"RET", "ENVID", "NOTIFY", "ORCPT"}) {
    if (ascii::equal_ignoring_case(keyword, known)) return true;
  }
  return false;
}

/// Those with rules of their own, which are left out where that is allowed.
inline constexpr bool is_own_parameter(std::string_view keyword) {
  for (const std::string_view known : {"AUTH", "BY", "HOLDFOR", "HOLDUNTIL", "MT-PRIORITY", "MTRK", "SOLICIT", "RRVS"}) {
    if (ascii::equal_ignoring_case(keyword, known)) return true;
  }
  return false;
}

/// RFC 4865 4.1, 5.2.1: what is held, is held within what was announced, and less than its deliver-by time.
/// RFC 2852 4.1.4.1: a message that goes back if it is late goes only to servers that can say so, and in time.
constexpr std::optional<error> object_to_times(const mail_parameters& told, const capabilities& offered) {
  if (told.empty()) return std::nullopt;
  const auto by = told.by();
  if (by && by->mode == by_mode::return_message) {
    if (!offered.has(extension::deliver_by)) return error{errc::deliver_by_not_offered};
    if (offered.deliver_by_minimum() > static_cast<std::uint32_t>(by->seconds)) return error{errc::by_below_minimum};
  }
  const auto hold = told.hold();
  if (!hold) return std::nullopt;
  if (!offered.has(extension::future_release)) return error{errc::future_release_not_offered};
  if (!offered.holds().allow(*hold)) return error{errc::hold_over_maximum};
  const auto* const time = std::get_if<hold_for>(&*hold);
  if (by && time != nullptr && time->seconds >= std::int64_t{by->seconds}) return error{errc::hold_after_deliver_by};
  return std::nullopt;
}

}  // namespace detail

constexpr bool transaction_plan::sends(std::string_view keyword) const {
  if (detail::is_dsn_parameter(keyword)) return dsn;
  if (ascii::equal_ignoring_case(keyword, "AUTH")) return auth;
  if (ascii::equal_ignoring_case(keyword, "BY")) return by;
  if (ascii::equal_ignoring_case(keyword, "MT-PRIORITY")) return priority;
  if (ascii::equal_ignoring_case(keyword, "RRVS")) return rrvs;
  if (ascii::equal_ignoring_case(keyword, "SOLICIT")) return solicit;
  if (ascii::equal_ignoring_case(keyword, "MTRK")) return mtrk;
  return true;
}

/// Makes the plan of a message, or says why it cannot go as asked. Octets of a message whose traits are not known are checked again
/// while they are written.
///
/// Fails with `errc::no_recipients`; `smtputf8_not_offered` (a path, parameter or header section holds UTF-8);
/// `eight_bit_mime_not_offered`; `binary_mime_not_offered`; `bare_line_end` or `text_line_too_long` (and the message is not to go
/// as BINARYMIME); `size_over_limit` (SIZE); `dsn_not_offered` (unless `dsn_policy::relay`); `require_tls_not_offered`;
/// `deliver_by_not_offered` or `by_below_minimum` (BY with the mode R);
/// `future_release_not_offered`, `hold_over_maximum` or `hold_after_deliver_by` (HOLDFOR, HOLDUNTIL); `valid_since_not_offered`;
/// `keyword_not_offered` (a parameter of the caller's).
constexpr result<transaction_plan> plan_transaction(envelope_view mail, const message_traits& message,
                                                    const sending_conditions& now, const client_options& options) {
  const capabilities& offered = now.capabilities;
  transaction_plan out;
  if (mail.recipient_count() == 0) return error{errc::no_recipients};

  const bool binary = message.body == body_type::binary;
  if (binary) {
    if (!offered.has(extension::binary_mime) || !offered.has(extension::chunking) || options.chunking == chunking_policy::never)
      return error{errc::binary_mime_not_offered};  // RFC 3030 3
  } else {
    if (message.bare_line_ends > 0 && options.line_ends == line_ends::refuse) return error{errc::bare_line_end};
    if (message.long_line) return error{errc::text_line_too_long};
  }
  if (message.body == body_type::eight_bit && !offered.has(extension::eight_bit_mime))
    return error{errc::eight_bit_mime_not_offered};  // RFC 6152 3
  const bool eight_bit = message.body != body_type::seven_bit && offered.has(extension::eight_bit_mime);
  if (binary) {
    out.body = body_type::binary;
  } else if (eight_bit) {
    out.body = body_type::eight_bit;
  }
  out.eight_bit = binary || eight_bit;

  out.smtputf8 = message.utf8_header || mail.needs_smtputf8();
  if (out.smtputf8 && !offered.has(extension::smtputf8)) return error{errc::smtputf8_not_offered};  // RFC 6531 3.2

  out.chunked = binary || (offered.has(extension::chunking) && options.chunking == chunking_policy::preferred);

  if (message.size) {
    std::uint64_t size = *message.size;
    if (!binary) size += message.bare_line_ends + (message.open_line ? crlf.size() : 0U);
    const std::uint64_t most = offered.maximum_size();
    if (offered.has(extension::size) && most != 0 && size > most) return error{errc::size_over_limit};  // RFC 1870 7
    if (offered.has(extension::size)) out.size = size;
  }

  out.dsn = offered.has(extension::dsn);
  out.auth = offered.has(extension::auth);
  out.by = offered.has(extension::deliver_by);
  out.priority = offered.has(extension::priority);
  out.rrvs = offered.has(extension::rrvs);
  out.solicit = offered.has(extension::no_soliciting);
  out.mtrk = offered.has(extension::mtrk) && out.dsn;  // RFC 3885 3.2: never without ENVID
  const auto object = [&](const checked_parameters& parameters) -> std::optional<error> {
    for (const parameter& p : parameters.list()) {
      if (detail::is_dsn_parameter(p.keyword)) {
        if (!out.dsn && options.dsn == dsn_policy::required) return error{errc::dsn_not_offered};
      } else if (ascii::equal_ignoring_case(p.keyword, "REQUIRETLS")) {
        // RFC 8689 4.2.1: TLS, a verified server, and the keyword in the EHLO inside TLS.
        if (!now.tls || !now.tls_verified || !offered.has(extension::require_tls)) return error{errc::require_tls_not_offered};
      } else if (!detail::is_own_parameter(p.keyword)) {
        const auto found = std::find_if(options.keywords.begin(), options.keywords.end(),
                                        [&p](std::string_view keyword) { return ascii::equal_ignoring_case(keyword, p.keyword); });
        const auto index = static_cast<unsigned>(found - options.keywords.begin());
        if (found == options.keywords.end() || (now.keywords >> index & 1U) == 0) return error{errc::keyword_not_offered};
      }
    }
    return std::nullopt;
  };
  if (const auto objection = object(mail.parameters())) return *objection;
  if (const auto objection = detail::object_to_times(mail.parameters(), offered)) return *objection;
  for (auto to = mail.begin(); to != mail.end(); ++to) {
    const rcpt_parameters parameters = to.parameters();
    if (parameters.empty()) continue;
    if (const auto objection = object(parameters)) return *objection;
    // RFC 7293 5.1.1: unless the sender says otherwise, a message goes on only where the mailbox is checked.
    const auto since = parameters.valid_since();
    if (since && !since->may_continue() && !out.rrvs) return error{errc::valid_since_not_offered};
  }
  return out;
}

}  // namespace ehlo

#endif  // EHLO_CLIENT_PLAN_HPP
