// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_REPLIES_HPP
#define EHLO_REPLIES_HPP

/// @file
/// The replies by name: every code of RFC 5321 4.2.3 and those of the extensions, with text and enhanced status code
/// for each situation. Texts follow the samples of the RFCs, name no product, and never repeat what the client said.
/// Sections without the number of an RFC are those of RFC 5321.

#include <array>
#include <string_view>

#include <ehlo/reply.hpp>

namespace ehlo::replies {

// 2yz, done.
inline constexpr reply system_status{211, {2, 0, 0}, "System status"};
inline constexpr reply help{214, {2, 0, 0}, "The commands are those of RFC 5321"};
inline constexpr reply service_ready{220, "Service ready"};                       ///< the session puts its name before it
inline constexpr reply ready_to_start_tls{220, {2, 0, 0}, "Ready to start TLS"};  ///< RFC 3207 4
inline constexpr reply service_closing{221, {2, 0, 0}, "Service closing transmission channel"};
inline constexpr reply authenticated{235, {2, 7, 0}, "Authentication succeeded"};  ///< RFC 4954 6
inline constexpr reply ok{250, {2, 0, 0}, "OK"};
inline constexpr reply mail_ok{250, {2, 1, 0}, "OK"};
inline constexpr reply rcpt_ok{250, {2, 1, 5}, "OK"};
/// RFC 6710 4.1
inline constexpr reply priority_lowered{250, {2, 3, 6}, "0 is the new priority"};
inline constexpr reply chunk_ok{250, {2, 0, 0}, "Chunk received"};      ///< RFC 3030 2
inline constexpr reply message_ok{250, {2, 6, 0}, "Message accepted"};  ///< RFC 2034 6
/// RFC 1985 5.1
inline constexpr reply etrn_started{250, {2, 0, 0}, "OK, queuing started"};
/// RFC 4468 6
inline constexpr reply url_ok{250, {2, 5, 0}, "Waiting for additional BURL or BDAT commands"};
inline constexpr reply will_forward{251, {2, 1, 5}, "User not local; will forward"};
/// RFC 1985 5.1
inline constexpr reply etrn_none_waiting{251, {2, 0, 0}, "OK, no messages waiting"};
inline constexpr reply cannot_verify{252, {2, 5, 0}, "Cannot VRFY user, but will accept message and attempt delivery"};
inline constexpr reply cannot_expand{252, {2, 5, 0}, "Cannot EXPN list, but will accept message and attempt delivery"};
/// RFC 6531 4.2
inline constexpr reply utf8_needed_to_verify{252, {2, 6, 8}, "Cannot VRFY user without SMTPUTF8, but will accept message"};
inline constexpr reply etrn_pending{252, {2, 0, 0}, "OK, pending messages started"};  ///< RFC 1985 5.1; 253 tells how many

// 3yz, go on.
inline constexpr reply challenge{334, ""};  ///< RFC 4954 4; an empty challenge
inline constexpr reply start_mail_input{354, "Start mail input; end with <CRLF>.<CRLF>"};

// 4yz, not now.
inline constexpr reply service_not_available{421, {4, 3, 2}, "Service not available, closing transmission channel"};
inline constexpr reply idle_timeout{421, {4, 4, 2}, "Idle for too long, closing transmission channel"};
inline constexpr reply too_many_connections{421, {4, 7, 0}, "Too many connections, closing transmission channel"};
inline constexpr reply too_many_errors{421, {4, 7, 0}, "Too many errors, closing transmission channel"};
inline constexpr reply too_many_transactions{421, {4, 7, 0}, "Too many transactions, closing transmission channel"};
inline constexpr reply other_protocol{421, {4, 7, 0}, "This is SMTP, closing transmission channel"};  ///< 3.8
/// RFC 4954 9
inline constexpr reply too_many_authentications{421, {4, 7, 0}, "Too many failed authentications, closing transmission channel"};
inline constexpr reply no_memory{421, {4, 3, 0}, "Out of resources, closing transmission channel"};
inline constexpr reply password_transition{432, {4, 7, 12}, "A password transition is needed"};  ///< RFC 4954 6
inline constexpr reply mailbox_busy{450, {4, 2, 1}, "Requested mail action not taken: mailbox unavailable"};
inline constexpr reply try_later{450, {4, 7, 0}, "Requested mail action not taken: try again later"};
/// RFC 6710 4.1
inline constexpr reply priority_too_low_now{450, {4, 7, 15}, "Priority too low at the moment"};
inline constexpr reply local_error{451, {4, 3, 0}, "Requested action aborted: local error in processing"};
inline constexpr reply mailbox_full{452, {4, 2, 2}, "Requested action not taken: mailbox full"};
inline constexpr reply insufficient_storage{452, {4, 3, 1}, "Requested action not taken: insufficient system storage"};
inline constexpr reply too_many_recipients{452, {4, 5, 3}, "Too many recipients"};                      ///< 4.5.3.1.10
inline constexpr reply too_many_domains{452, {4, 5, 3}, "Too many recipient domains in this session"};  ///< RFC 9422 4.3
inline constexpr reply tls_unavailable{454, {4, 7, 0}, "TLS not available due to temporary reason"};    ///< RFC 3207 4
inline constexpr reply auth_temporary_failure{454, {4, 7, 0}, "Temporary authentication failure"};      ///< RFC 4954 6
inline constexpr reply parameters_not_accommodated{455, {4, 5, 0}, "Server unable to accommodate parameters"};
inline constexpr reply etrn_failed{458, {4, 3, 0}, "Unable to queue messages"};  ///< RFC 1985 5.1
inline constexpr reply etrn_not_allowed{459, {4, 7, 0}, "Node not allowed"};     ///< RFC 1985 5.1

// 5yz, no.
inline constexpr reply unrecognized_command{500, {5, 5, 2}, "Syntax error, command unrecognized"};
inline constexpr reply line_too_long{500, {5, 5, 2}, "Syntax error, line too long"};
inline constexpr reply unreadable_line{500, {5, 5, 2}, "Syntax error, line unreadable"};                ///< NUL, bare CR, bare LF
inline constexpr reply auth_line_too_long{500, {5, 5, 6}, "Authentication exchange line is too long"};  ///< RFC 4954 6
inline constexpr reply syntax_error{501, {5, 5, 4}, "Syntax error in parameters or arguments"};
/// RFC 6710 4.1
inline constexpr reply bad_priority{501, {5, 5, 2}, "Syntax error in MT-PRIORITY"};
inline constexpr reply bad_sender_syntax{501, {5, 1, 7}, "Syntax error in reverse-path"};
inline constexpr reply bad_recipient_syntax{501, {5, 1, 3}, "Syntax error in forward-path"};
inline constexpr reply bad_base64{501, {5, 5, 2}, "Syntax error in base64"};        ///< RFC 4954 4
inline constexpr reply auth_cancelled{501, {5, 7, 0}, "Authentication cancelled"};  ///< RFC 4954 4
inline constexpr reply not_implemented{502, {5, 5, 1}, "Command not implemented"};
inline constexpr reply bad_sequence{503, {5, 5, 1}, "Bad sequence of commands"};
inline constexpr reply hello_required{503, {5, 5, 1}, "Bad sequence of commands: send EHLO first"};
inline constexpr reply mail_required{503, {5, 5, 1}, "Bad sequence of commands: send MAIL first"};
inline constexpr reply rcpt_required{503, {5, 5, 1}, "Bad sequence of commands: send RCPT first"};
inline constexpr reply authenticated_already{503, {5, 5, 1}, "Bad sequence of commands: already authenticated"};
inline constexpr reply tls_active{503, {5, 5, 1}, "Bad sequence of commands: TLS is active"};
inline constexpr reply parameter_not_implemented{504, {5, 5, 4}, "Command parameter not implemented"};
inline constexpr reply mechanism_unknown{504, {5, 5, 4}, "Unrecognized authentication mechanism"};  ///< RFC 4954 4
inline constexpr reply host_accepts_no_mail{521, {5, 3, 2}, "Host does not accept mail"};           ///< RFC 7504 3
inline constexpr reply authentication_required{530, {5, 7, 0}, "Authentication required"};          ///< RFC 4954 6
inline constexpr reply tls_required{530, {5, 7, 0}, "Must issue a STARTTLS command first"};         ///< RFC 3207 4
inline constexpr reply mechanism_too_weak{534, {5, 7, 9}, "Authentication mechanism is too weak"};  ///< RFC 4954 6
inline constexpr reply bad_credentials{535, {5, 7, 8}, "Authentication credentials invalid"};       ///< RFC 4954 6
/// RFC 4954 6
inline constexpr reply encryption_required{538, {5, 7, 11}, "Encryption required for requested authentication mechanism"};
inline constexpr reply no_such_mailbox{550, {5, 1, 1}, "No such user here"};
inline constexpr reply mailbox_unavailable{550, {5, 2, 1}, "Requested action not taken: mailbox unavailable"};
inline constexpr reply relaying_denied{550, {5, 7, 1}, "Requested action not taken: relaying denied"};
/// XCLIENT and XFORWARD, server reply codes
inline constexpr reply not_authorized{550, {5, 7, 0}, "Insufficient authorization"};
inline constexpr reply policy_refusal{550, {5, 7, 1}, "Requested action not taken: refused by policy"};
inline constexpr reply sender_null_mx{550, {5, 7, 27}, "Sender address has null MX"};  ///< RFC 7505 4.2
/// RFC 7293 15.3
inline constexpr reply mailbox_owner_changed{550, {5, 7, 17}, "Mailbox owner has changed"};
/// RFC 7293 15.3
inline constexpr reply domain_owner_changed{550, {5, 7, 18}, "Domain owner has changed"};
/// RFC 7293 15.3
inline constexpr reply owner_unknown{550, {5, 7, 19}, "RRVS test cannot be completed"};
inline constexpr reply requiretls_unsupported{550, {5, 7, 30}, "REQUIRETLS support required"};  ///< RFC 8689 5
/// RFC 6531 3.5
inline constexpr reply ascii_address_required_at_mail{550, {5, 6, 7}, "Non-ASCII address not permitted for this sender"};
/// RFC 6531 4.2
inline constexpr reply utf8_reply_required{550, {5, 6, 8}, "UTF-8 reply is required, but not permitted by the client"};
/// RFC 6710 4.1
inline constexpr reply priority_too_low{550, {5, 7, 15}, "Priority too low"};
inline constexpr reply user_not_local{551, {5, 1, 6}, "User not local"};
inline constexpr reply storage_exceeded{552, {5, 2, 2}, "Requested mail action aborted: exceeded storage allocation"};
/// RFC 1870 6.1
inline constexpr reply message_too_large{552, {5, 3, 4}, "Message size exceeds fixed maximum message size"};
inline constexpr reply too_large_for_mailbox{552, {5, 2, 3}, "Message size exceeds maximum size of the mailbox"};
/// RFC 6710 5
inline constexpr reply too_large_for_priority{552, {5, 7, 16}, "Message is too large for its priority"};
inline constexpr reply mailbox_name_not_allowed{553, {5, 1, 3}, "Requested action not taken: mailbox name not allowed"};
inline constexpr reply sender_route_refused{553, {5, 1, 7}, "Source routes are not accepted"};
inline constexpr reply recipient_route_refused{553, {5, 1, 3}, "Source routes are not accepted"};
inline constexpr reply ambiguous_user{553, {5, 1, 4}, "User ambiguous"};  ///< 3.5.1
/// RFC 6531 3.5
inline constexpr reply ascii_address_required_at_rcpt{553, {5, 6, 7}, "Non-ASCII address not permitted for this recipient"};
inline constexpr reply transaction_failed{554, {5, 0, 0}, "Transaction failed"};
/// 3.1; as a greeting without enhanced code
inline constexpr reply no_service{554, {5, 3, 2}, "No SMTP service here"};
inline constexpr reply early_talker{554, {5, 5, 1}, "Octets came before the greeting"};  ///< 4.3.1
/// RFC 3207 4
inline constexpr reply octets_before_tls{554, {5, 5, 1}, "Octets came between STARTTLS and the handshake"};
inline constexpr reply no_valid_recipients{554, {5, 5, 1}, "No valid recipients"};
inline constexpr reply bare_line_end{554, {5, 6, 0}, "Message refused: CR or LF alone"};          ///< 2.3.8
inline constexpr reply text_line_refused{554, {5, 6, 0}, "Message refused: text line too long"};  ///< 4.5.3.1.6
/// RFC 6152 3
inline constexpr reply eight_bit_refused{554, {5, 6, 3}, "Message refused: eight-bit text was not announced"};
/// RFC 6531 3.5
inline constexpr reply utf8_header_unsupported{554, {5, 6, 9}, "Transaction failed: UTF-8 header section cannot be passed on"};
/// RFC 4468 6
inline constexpr reply url_failed{554, {5, 6, 6}, "URL resolution failed"};
/// RFC 4468 6; 5.7.14 by RFC 5248
inline constexpr reply url_needs_trust{554, {5, 7, 14}, "URL resolution requires trust relationship"};
inline constexpr reply tls_too_weak{554, {5, 7, 0}, "Command refused due to lack of security"};  ///< RFC 3207 4.1
/// RFC 2852 3
inline constexpr reply by_time_too_short{555, {5, 5, 4}, "Deliver-by time is below the minimum"};
inline constexpr reply parameters_not_recognized{555, {5, 5, 4}, "MAIL FROM/RCPT TO parameters not recognized or not implemented"};
inline constexpr reply domain_accepts_no_mail{556, {5, 1, 10}, "Domain does not accept mail"};  ///< RFC 7504 4

/// A reply and its name.
struct named_reply {
  std::string_view name;
  reply value;
};

/// All of them, by code; for documents and tests.
inline constexpr auto all = std::to_array<named_reply>({
    {"system_status", system_status},
    {"help", help},
    {"service_ready", service_ready},
    {"ready_to_start_tls", ready_to_start_tls},
    {"service_closing", service_closing},
    {"authenticated", authenticated},
    {"ok", ok},
    {"mail_ok", mail_ok},
    {"rcpt_ok", rcpt_ok},
    {"priority_lowered", priority_lowered},
    {"chunk_ok", chunk_ok},
    {"message_ok", message_ok},
    {"etrn_started", etrn_started},
    {"url_ok", url_ok},
    {"will_forward", will_forward},
    {"etrn_none_waiting", etrn_none_waiting},
    {"cannot_verify", cannot_verify},
    {"cannot_expand", cannot_expand},
    {"utf8_needed_to_verify", utf8_needed_to_verify},
    {"etrn_pending", etrn_pending},
    {"challenge", challenge},
    {"start_mail_input", start_mail_input},
    {"service_not_available", service_not_available},
    {"idle_timeout", idle_timeout},
    {"too_many_connections", too_many_connections},
    {"too_many_errors", too_many_errors},
    {"too_many_transactions", too_many_transactions},
    {"other_protocol", other_protocol},
    {"too_many_authentications", too_many_authentications},
    {"no_memory", no_memory},
    {"password_transition", password_transition},
    {"mailbox_busy", mailbox_busy},
    {"try_later", try_later},
    {"priority_too_low_now", priority_too_low_now},
    {"local_error", local_error},
    {"mailbox_full", mailbox_full},
    {"insufficient_storage", insufficient_storage},
    {"too_many_recipients", too_many_recipients},
    {"too_many_domains", too_many_domains},
    {"tls_unavailable", tls_unavailable},
    {"auth_temporary_failure", auth_temporary_failure},
    {"parameters_not_accommodated", parameters_not_accommodated},
    {"etrn_failed", etrn_failed},
    {"etrn_not_allowed", etrn_not_allowed},
    {"unrecognized_command", unrecognized_command},
    {"line_too_long", line_too_long},
    {"unreadable_line", unreadable_line},
    {"auth_line_too_long", auth_line_too_long},
    {"syntax_error", syntax_error},
    {"bad_priority", bad_priority},
    {"bad_sender_syntax", bad_sender_syntax},
    {"bad_recipient_syntax", bad_recipient_syntax},
    {"bad_base64", bad_base64},
    {"auth_cancelled", auth_cancelled},
    {"not_implemented", not_implemented},
    {"bad_sequence", bad_sequence},
    {"hello_required", hello_required},
    {"mail_required", mail_required},
    {"rcpt_required", rcpt_required},
    {"authenticated_already", authenticated_already},
    {"tls_active", tls_active},
    {"parameter_not_implemented", parameter_not_implemented},
    {"mechanism_unknown", mechanism_unknown},
    {"host_accepts_no_mail", host_accepts_no_mail},
    {"authentication_required", authentication_required},
    {"tls_required", tls_required},
    {"mechanism_too_weak", mechanism_too_weak},
    {"bad_credentials", bad_credentials},
    {"encryption_required", encryption_required},
    {"no_such_mailbox", no_such_mailbox},
    {"mailbox_unavailable", mailbox_unavailable},
    {"relaying_denied", relaying_denied},
    {"not_authorized", not_authorized},
    {"policy_refusal", policy_refusal},
    {"sender_null_mx", sender_null_mx},
    {"mailbox_owner_changed", mailbox_owner_changed},
    {"domain_owner_changed", domain_owner_changed},
    {"owner_unknown", owner_unknown},
    {"requiretls_unsupported", requiretls_unsupported},
    {"ascii_address_required_at_mail", ascii_address_required_at_mail},
    {"utf8_reply_required", utf8_reply_required},
    {"priority_too_low", priority_too_low},
    {"user_not_local", user_not_local},
    {"storage_exceeded", storage_exceeded},
    {"message_too_large", message_too_large},
    {"too_large_for_mailbox", too_large_for_mailbox},
    {"too_large_for_priority", too_large_for_priority},
    {"mailbox_name_not_allowed", mailbox_name_not_allowed},
    {"sender_route_refused", sender_route_refused},
    {"recipient_route_refused", recipient_route_refused},
    {"ambiguous_user", ambiguous_user},
    {"ascii_address_required_at_rcpt", ascii_address_required_at_rcpt},
    {"transaction_failed", transaction_failed},
    {"no_service", no_service},
    {"early_talker", early_talker},
    {"octets_before_tls", octets_before_tls},
    {"no_valid_recipients", no_valid_recipients},
    {"bare_line_end", bare_line_end},
    {"text_line_refused", text_line_refused},
    {"eight_bit_refused", eight_bit_refused},
    {"utf8_header_unsupported", utf8_header_unsupported},
    {"url_failed", url_failed},
    {"url_needs_trust", url_needs_trust},
    {"tls_too_weak", tls_too_weak},
    {"by_time_too_short", by_time_too_short},
    {"parameters_not_recognized", parameters_not_recognized},
    {"domain_accepts_no_mail", domain_accepts_no_mail},
});

}  // namespace ehlo::replies

#endif  // EHLO_REPLIES_HPP
