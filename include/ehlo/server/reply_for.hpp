// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SERVER_REPLY_FOR_HPP
#define EHLO_SERVER_REPLY_FOR_HPP

/// @file
/// The reply to each rule that a peer can break: one table. RFC 5321 4.2.4, 4.3.2, 4.5.3.1.9 and the extensions.

#include <ehlo/command.hpp>
#include <ehlo/error.hpp>
#include <ehlo/replies.hpp>
#include <ehlo/reply.hpp>

namespace ehlo {

/// What a server says when the peer broke the rule `code` with the command `v`. With SMTPUTF8 offered, an address that needs it
/// and does not ask for it has codes of its own (RFC 6531 3.5).
constexpr reply reply_for(errc code, verb v = verb::unknown, bool smtputf8_offered = false) {
  switch (code) {
    case errc::unknown_verb: return replies::unrecognized_command;
    case errc::line_too_long: return replies::line_too_long;
    case errc::bare_cr:
    case errc::bare_lf:
    case errc::nul_octet: return v == verb::unknown ? replies::unrecognized_command : replies::syntax_error;
    case errc::verb_not_implemented:
    case errc::tls_not_offered: return replies::not_implemented;
    case errc::priority_value: return replies::bad_priority;
    case errc::argument_missing: return v == verb::etrn ? replies::unrecognized_command : replies::syntax_error;  // RFC 1985 7
    case errc::by_below_minimum: return replies::by_time_too_short;
    case errc::parameter_unknown: return replies::parameters_not_recognized;
    case errc::utf8_not_allowed:
      if (smtputf8_offered && v == verb::mail) return replies::ascii_address_required_at_mail;
      if (smtputf8_offered && v == verb::rcpt) return replies::ascii_address_required_at_rcpt;
      break;
    case errc::out_of_order:
    case errc::hello_required:
    case errc::transaction_open:
    case errc::transaction_required:
    case errc::recipient_required:
    case errc::session_barred:
    case errc::tls_active:
    case errc::authenticated_already:
    case errc::chunk_refused:
    case errc::data_after_chunk:
    case errc::binary_needs_chunks: return replies::bad_sequence;
    case errc::tls_required: return replies::tls_required;
    case errc::tls_too_weak: return replies::tls_too_weak;
    case errc::authentication_required: return replies::authentication_required;
    case errc::mechanism_unknown: return replies::mechanism_unknown;
    case errc::mechanism_needs_tls: return replies::encryption_required;
    case errc::initial_response_not_allowed:
    case errc::authentication_cancelled: return replies::auth_cancelled;
    case errc::base64_octet:
    case errc::base64_length:
    case errc::base64_padding:
    case errc::base64_trailing_bits: return replies::bad_base64;
    case errc::too_many_recipients: return replies::too_many_recipients;
    case errc::too_many_domains: return replies::too_many_domains;
    case errc::too_many_transactions: return replies::too_many_transactions;
    case errc::too_many_errors: return replies::too_many_errors;
    case errc::size_over_limit:
    case errc::message_too_large: return replies::message_too_large;
    case errc::topic_unknown: return replies::parameter_not_implemented;
    case errc::text_line_too_long: return replies::text_line_refused;
    case errc::eight_bit_text: return replies::eight_bit_refused;
    case errc::octets_before_tls: return replies::transaction_failed;
    case errc::out_of_memory: return replies::no_memory;
    case errc::source_route_refused:
      if (v == verb::mail) return replies::sender_route_refused;
      if (v == verb::rcpt) return replies::recipient_route_refused;
      break;
    case errc::source_route_obsolete:
    case errc::empty_local_part:
    case errc::local_part_too_long:
    case errc::domain_too_long:
    case errc::path_too_long:
    case errc::path_not_opened:
    case errc::path_not_closed:
    case errc::at_sign_missing:
    case errc::empty_atom:
    case errc::empty_label:
    case errc::label_ends_in_hyphen:
    case errc::route_at_sign_missing:
    case errc::route_colon_missing:
    case errc::null_path_not_allowed:
    case errc::quote_not_closed:
    case errc::quoted_octet:
    case errc::quoted_pair_octet:
    case errc::literal_not_closed:
    case errc::literal_tag_missing:
    case errc::literal_tag_unknown:
    case errc::literal_content_missing:
    case errc::ipv4_number:
    case errc::ipv4_dot:
    case errc::ipv6_group:
    case errc::ipv6_group_count:
    case errc::utf8_ill_formed:
    case errc::utf8_forbidden: break;
    default: return replies::syntax_error;
  }
  // What is wrong is the address: RFC 3463 3.2.
  if (v == verb::mail) return replies::bad_sender_syntax;
  if (v == verb::rcpt) return replies::bad_recipient_syntax;
  return replies::syntax_error;
}

/// What a server says to mail data that broke the rule `code`. RFC 5321 4.2.3, 1870 4.
constexpr reply reply_for_mail_data(errc code) {
  if (code == errc::bare_cr || code == errc::bare_lf) return replies::bare_line_end;
  return reply_for(code);
}

}  // namespace ehlo

#endif  // EHLO_SERVER_REPLY_FOR_HPP
