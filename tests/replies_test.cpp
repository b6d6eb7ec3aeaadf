// SPDX-License-Identifier: BSL-1.0
#include <ehlo/replies.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/codec/reply_writer.hpp>
#include <ehlo/protocol/order_of_replies.hpp>

#include "support/catch.hpp"

namespace {

using namespace ehlo;

std::string written(const reply& r) {
  std::string out(written_size(r, enhanced_codes::write), '?');
  char* const end = write(r, enhanced_codes::write, out.data());
  REQUIRE(end == out.data() + out.size());
  return out;
}

// clang-format off
struct golden {
  std::string_view clause;
  std::string_view name;
  std::string_view line;
};

/// What goes over the wire, less CRLF.
constexpr auto golden_replies = std::to_array<golden>({
    {"5321-4.2.3-01", "system_status", "211 2.0.0 System status"},
    {"5321-4.2.3-01", "help", "214 2.0.0 The commands are those of RFC 5321"},
    {"5321-4.2.3-01", "service_ready", "220 Service ready"},
    {"5321-4.2-10", "ready_to_start_tls", "220 2.0.0 Ready to start TLS"},
    {"5321-4.2.3-01", "service_closing", "221 2.0.0 Service closing transmission channel"},
    {"4954-6-01", "authenticated", "235 2.7.0 Authentication succeeded"},
    {"5321-4.2.3-01", "ok", "250 2.0.0 OK"},
    {"5321-4.2.3-01", "mail_ok", "250 2.1.0 OK"},
    {"5321-4.2.3-01", "rcpt_ok", "250 2.1.5 OK"},
    {"5321-4.2.3-01", "priority_lowered", "250 2.3.6 0 is the new priority"},
    {"5321-4.2.3-01", "chunk_ok", "250 2.0.0 Chunk received"},
    {"5321-4.2.3-01", "message_ok", "250 2.6.0 Message accepted"},
    {"5321-4.2.3-01", "etrn_started", "250 2.0.0 OK, queuing started"},
    {"5321-4.2.3-01", "url_ok", "250 2.5.0 Waiting for additional BURL or BDAT commands"},
    {"5321-4.2.3-01", "will_forward", "251 2.1.5 User not local; will forward"},
    {"5321-4.2.3-01", "etrn_none_waiting", "251 2.0.0 OK, no messages waiting"},
    {"5321-4.2.3-01", "cannot_verify", "252 2.5.0 Cannot VRFY user, but will accept message and attempt delivery"},
    {"5321-4.2.3-01", "cannot_expand", "252 2.5.0 Cannot EXPN list, but will accept message and attempt delivery"},
    {"5321-4.2.3-01", "utf8_needed_to_verify", "252 2.6.8 Cannot VRFY user without SMTPUTF8, but will accept message"},
    {"5321-4.2.3-01", "etrn_pending", "252 2.0.0 OK, pending messages started"},
    {"4954-6-01", "challenge", "334 "},
    {"5321-4.2.3-01", "start_mail_input", "354 Start mail input; end with <CRLF>.<CRLF>"},
    {"5321-4.2.3-02", "service_not_available", "421 4.3.2 Service not available, closing transmission channel"},
    {"5321-4.2.3-02", "idle_timeout", "421 4.4.2 Idle for too long, closing transmission channel"},
    {"5321-4.2.3-02", "too_many_connections", "421 4.7.0 Too many connections, closing transmission channel"},
    {"5321-4.2.3-02", "too_many_errors", "421 4.7.0 Too many errors, closing transmission channel"},
    {"5321-4.2.3-02", "too_many_transactions", "421 4.7.0 Too many transactions, closing transmission channel"},
    {"5321-4.2.3-02", "other_protocol", "421 4.7.0 This is SMTP, closing transmission channel"},
    {"5321-4.2.3-02", "too_many_authentications", "421 4.7.0 Too many failed authentications, closing transmission channel"},
    {"5321-4.2.3-02", "no_memory", "421 4.3.0 Out of resources, closing transmission channel"},
    {"4954-6-01", "password_transition", "432 4.7.12 A password transition is needed"},
    {"5321-4.2.3-02", "mailbox_busy", "450 4.2.1 Requested mail action not taken: mailbox unavailable"},
    {"5321-4.2.3-02", "try_later", "450 4.7.0 Requested mail action not taken: try again later"},
    {"5321-4.2.3-02", "priority_too_low_now", "450 4.7.15 Priority too low at the moment"},
    {"5321-4.2.3-02", "local_error", "451 4.3.0 Requested action aborted: local error in processing"},
    {"5321-4.2.3-02", "mailbox_full", "452 4.2.2 Requested action not taken: mailbox full"},
    {"5321-4.2.3-02", "insufficient_storage", "452 4.3.1 Requested action not taken: insufficient system storage"},
    {"5321-4.2.3-02", "too_many_recipients", "452 4.5.3 Too many recipients"},
    {"5321-4.2.3-02", "too_many_domains", "452 4.5.3 Too many recipient domains in this session"},
    {"5321-4.2-10", "tls_unavailable", "454 4.7.0 TLS not available due to temporary reason"},
    {"4954-6-01", "auth_temporary_failure", "454 4.7.0 Temporary authentication failure"},
    {"5321-4.2.3-02", "parameters_not_accommodated", "455 4.5.0 Server unable to accommodate parameters"},
    {"5321-4.2.3-02", "etrn_failed", "458 4.3.0 Unable to queue messages"},
    {"5321-4.2.3-02", "etrn_not_allowed", "459 4.7.0 Node not allowed"},
    {"5321-4.2.3-03", "unrecognized_command", "500 5.5.2 Syntax error, command unrecognized"},
    {"5321-4.2.3-03", "line_too_long", "500 5.5.2 Syntax error, line too long"},
    {"5321-4.2.3-03", "unreadable_line", "500 5.5.2 Syntax error, line unreadable"},
    {"4954-6-01", "auth_line_too_long", "500 5.5.6 Authentication exchange line is too long"},
    {"5321-4.2.3-03", "syntax_error", "501 5.5.4 Syntax error in parameters or arguments"},
    {"5321-4.2.3-03", "bad_priority", "501 5.5.2 Syntax error in MT-PRIORITY"},
    {"5321-4.2.3-03", "bad_sender_syntax", "501 5.1.7 Syntax error in reverse-path"},
    {"5321-4.2.3-03", "bad_recipient_syntax", "501 5.1.3 Syntax error in forward-path"},
    {"5321-4.2.3-03", "bad_base64", "501 5.5.2 Syntax error in base64"},
    {"5321-4.2.3-03", "auth_cancelled", "501 5.7.0 Authentication cancelled"},
    {"5321-4.2.3-03", "not_implemented", "502 5.5.1 Command not implemented"},
    {"5321-4.2.3-03", "bad_sequence", "503 5.5.1 Bad sequence of commands"},
    {"5321-4.2.3-03", "hello_required", "503 5.5.1 Bad sequence of commands: send EHLO first"},
    {"5321-4.2.3-03", "mail_required", "503 5.5.1 Bad sequence of commands: send MAIL first"},
    {"5321-4.2.3-03", "rcpt_required", "503 5.5.1 Bad sequence of commands: send RCPT first"},
    {"5321-4.2.3-03", "authenticated_already", "503 5.5.1 Bad sequence of commands: already authenticated"},
    {"5321-4.2-10", "tls_active", "503 5.5.1 Bad sequence of commands: TLS is active"},
    {"5321-4.2.3-03", "parameter_not_implemented", "504 5.5.4 Command parameter not implemented"},
    {"5321-4.2.3-03", "mechanism_unknown", "504 5.5.4 Unrecognized authentication mechanism"},
    {"7504-5.1-02", "host_accepts_no_mail", "521 5.3.2 Host does not accept mail"},
    {"4954-6-01", "authentication_required", "530 5.7.0 Authentication required"},
    {"5321-4.2-10", "tls_required", "530 5.7.0 Must issue a STARTTLS command first"},
    {"4954-6-01", "mechanism_too_weak", "534 5.7.9 Authentication mechanism is too weak"},
    {"4954-6-01", "bad_credentials", "535 5.7.8 Authentication credentials invalid"},
    {"4954-6-01", "encryption_required", "538 5.7.11 Encryption required for requested authentication mechanism"},
    {"5321-4.2.3-03", "no_such_mailbox", "550 5.1.1 No such user here"},
    {"5321-4.2.3-03", "mailbox_unavailable", "550 5.2.1 Requested action not taken: mailbox unavailable"},
    {"5321-4.2.3-03", "relaying_denied", "550 5.7.1 Requested action not taken: relaying denied"},
    {"5321-4.2.3-03", "not_authorized", "550 5.7.0 Insufficient authorization"},
    {"5321-4.2.3-03", "policy_refusal", "550 5.7.1 Requested action not taken: refused by policy"},
    {"5321-4.2.3-03", "sender_null_mx", "550 5.7.27 Sender address has null MX"},
    {"5321-4.2.3-03", "mailbox_owner_changed", "550 5.7.17 Mailbox owner has changed"},
    {"5321-4.2.3-03", "domain_owner_changed", "550 5.7.18 Domain owner has changed"},
    {"5321-4.2.3-03", "owner_unknown", "550 5.7.19 RRVS test cannot be completed"},
    {"5321-4.2.3-03", "requiretls_unsupported", "550 5.7.30 REQUIRETLS support required"},
    {"5321-4.2.3-03", "ascii_address_required_at_mail", "550 5.6.7 Non-ASCII address not permitted for this sender"},
    {"5321-4.2.3-03", "utf8_reply_required", "550 5.6.8 UTF-8 reply is required, but not permitted by the client"},
    {"5321-4.2.3-03", "priority_too_low", "550 5.7.15 Priority too low"},
    {"5321-4.2.3-03", "user_not_local", "551 5.1.6 User not local"},
    {"5321-4.2.3-03", "storage_exceeded", "552 5.2.2 Requested mail action aborted: exceeded storage allocation"},
    {"5321-4.2.3-03", "message_too_large", "552 5.3.4 Message size exceeds fixed maximum message size"},
    {"5321-4.2.3-03", "too_large_for_mailbox", "552 5.2.3 Message size exceeds maximum size of the mailbox"},
    {"5321-4.2.3-03", "too_large_for_priority", "552 5.7.16 Message is too large for its priority"},
    {"5321-4.2.3-03", "mailbox_name_not_allowed", "553 5.1.3 Requested action not taken: mailbox name not allowed"},
    {"5321-4.2.3-03", "sender_route_refused", "553 5.1.7 Source routes are not accepted"},
    {"5321-4.2.3-03", "recipient_route_refused", "553 5.1.3 Source routes are not accepted"},
    {"5321-4.2.3-03", "ambiguous_user", "553 5.1.4 User ambiguous"},
    {"5321-4.2.3-03", "ascii_address_required_at_rcpt", "553 5.6.7 Non-ASCII address not permitted for this recipient"},
    {"5321-4.2.3-03", "transaction_failed", "554 5.0.0 Transaction failed"},
    {"5321-4.2.3-03", "no_service", "554 5.3.2 No SMTP service here"},
    {"5321-4.2.3-03", "early_talker", "554 5.5.1 Octets came before the greeting"},
    {"5321-4.2.3-03", "octets_before_tls", "554 5.5.1 Octets came between STARTTLS and the handshake"},
    {"5321-4.2.3-03", "no_valid_recipients", "554 5.5.1 No valid recipients"},
    {"5321-4.2.3-03", "bare_line_end", "554 5.6.0 Message refused: CR or LF alone"},
    {"5321-4.2.3-03", "text_line_refused", "554 5.6.0 Message refused: text line too long"},
    {"5321-4.2.3-03", "eight_bit_refused", "554 5.6.3 Message refused: eight-bit text was not announced"},
    {"5321-4.2.3-03", "utf8_header_unsupported", "554 5.6.9 Transaction failed: UTF-8 header section cannot be passed on"},
    {"5321-4.2.3-03", "url_failed", "554 5.6.6 URL resolution failed"},
    {"5321-4.2.3-03", "url_needs_trust", "554 5.7.14 URL resolution requires trust relationship"},
    {"5321-4.2-10", "tls_too_weak", "554 5.7.0 Command refused due to lack of security"},
    {"5321-4.2.3-03", "by_time_too_short", "555 5.5.4 Deliver-by time is below the minimum"},
    {"5321-4.2.3-03", "parameters_not_recognized", "555 5.5.4 MAIL FROM/RCPT TO parameters not recognized or not implemented"},
    {"7504-5.1-02", "domain_accepts_no_mail", "556 5.1.10 Domain does not accept mail"},
});
// clang-format on

TEST_CASE("Each reply by name is its golden line", "[vocabulary][5321-4.2-10][5321-4.2.3-01][5321-4.2.3-02][5321-4.2.3-03]") {
  REQUIRE(replies::all.size() == golden_replies.size());
  for (std::size_t i = 0; i < golden_replies.size(); ++i) {
    INFO(golden_replies[i].clause << ": " << golden_replies[i].name);
    CHECK(replies::all[i].name == golden_replies[i].name);
    CHECK(written(replies::all[i].value) == std::string{golden_replies[i].line} + "\r\n");
  }
}

TEST_CASE("The codes of success are those of the standards", "[vocabulary][5321-4.2.3-01]") {
  const std::set<int> wanted{211, 214, 220, 221, 235, 250, 251, 252, 334, 354};  // 235, 334: RFC 4954
  std::set<int> codes;
  for (const auto& r : replies::all) {
    if (r.value.is_positive()) codes.insert(r.value.code());
  }
  CHECK(codes == wanted);
}

TEST_CASE("The codes of transient failure are those of the standards", "[vocabulary][5321-4.2.3-02]") {
  const std::set<int> wanted{421, 432, 450, 451, 452,
                             454, 455, 458, 459};  // 432: RFC 4954; 454: RFC 3207, 4954; 458, 459: RFC 1985
  std::set<int> codes;
  for (const auto& r : replies::all) {
    if (r.value.is_transient()) codes.insert(r.value.code());
  }
  CHECK(codes == wanted);
}

TEST_CASE("The codes of permanent failure are those of the standards", "[vocabulary][5321-4.2.3-03]") {
  const std::set<int> wanted{500, 501, 502, 503, 504, 521, 530, 534, 535, 538, 550, 551, 552, 553, 554, 555, 556};
  std::set<int> codes;
  for (const auto& r : replies::all) {
    if (r.value.is_permanent()) codes.insert(r.value.code());
  }
  CHECK(codes == wanted);
}

TEST_CASE("2yz, 4yz and 5yz replies have an enhanced status code, the greeting and 3yz have none", "[vocabulary][2034-3-02]") {
  for (const auto& r : replies::all) {
    CAPTURE(r.name);
    CHECK(r.value.enhanced().is_none() == (r.value.is_intermediate() || r.value == replies::service_ready));
  }
}

TEST_CASE("Enhanced status codes are registered and useful with their class", "[vocabulary][3463-3-01][3463-2-02]") {
  for (const auto& r : replies::all) {
    CAPTURE(r.name);
    if (r.value.enhanced().is_none()) continue;
    CHECK(is_registered(r.value.enhanced()));
    CHECK(fits_class(r.value.enhanced()));
  }
}

struct situation {
  std::string_view clause;
  reply value;
  int code;
  enhanced_status_code enhanced;
};

TEST_CASE("Each situation has its enhanced status code", "[vocabulary][3463-3.6-01]") {
  const auto s = GENERATE(
      situation{"3463-3.1-01", replies::transaction_failed, 554, {5, 0, 0}}, situation{"3463-3.1-01", replies::ok, 250, {2, 0, 0}},
      situation{"3463-3.2-01", replies::no_such_mailbox, 550, {5, 1, 1}},
      situation{"3463-3.2-01", replies::bad_recipient_syntax, 501, {5, 1, 3}},
      situation{"3463-3.2-01", replies::bad_sender_syntax, 501, {5, 1, 7}},
      situation{"3463-3.2-01", replies::rcpt_ok, 250, {2, 1, 5}}, situation{"3463-3.2-01", replies::mail_ok, 250, {2, 1, 0}},
      situation{"3463-3.2-01", replies::ambiguous_user, 553, {5, 1, 4}},
      situation{"3463-3.2-01", replies::user_not_local, 551, {5, 1, 6}},
      situation{"3463-3.3-01", replies::mailbox_full, 452, {4, 2, 2}},
      situation{"3463-3.3-01", replies::too_large_for_mailbox, 552, {5, 2, 3}},
      situation{"3463-3.4-01", replies::insufficient_storage, 452, {4, 3, 1}},
      situation{"3463-3.4-01", replies::service_not_available, 421, {4, 3, 2}},
      situation{"3463-3.4-01", replies::message_too_large, 552, {5, 3, 4}},
      situation{"3463-3.4-01", replies::local_error, 451, {4, 3, 0}},
      situation{"3463-3.5-01", replies::idle_timeout, 421, {4, 4, 2}},
      situation{"3463-3.6-01", replies::not_implemented, 502, {5, 5, 1}},
      situation{"3463-3.6-01", replies::bad_sequence, 503, {5, 5, 1}},
      situation{"3463-3.6-01", replies::unrecognized_command, 500, {5, 5, 2}},
      situation{"3463-3.6-01", replies::line_too_long, 500, {5, 5, 2}},
      situation{"3463-3.6-01", replies::syntax_error, 501, {5, 5, 4}},
      situation{"3463-3.6-01", replies::too_many_recipients, 452, {4, 5, 3}},
      situation{"3463-3.6-01", replies::parameters_not_recognized, 555, {5, 5, 4}},
      situation{"3463-3.6-01", replies::parameter_not_implemented, 504, {5, 5, 4}},
      situation{"3463-3.7-01", replies::eight_bit_refused, 554, {5, 6, 3}},
      situation{"3463-3.8-01", replies::relaying_denied, 550, {5, 7, 1}},
      situation{"3463-3.8-01", replies::authentication_required, 530, {5, 7, 0}},
      situation{"4954-6-01", replies::authenticated, 235, {2, 7, 0}},
      situation{"4954-6-01", replies::password_transition, 432, {4, 7, 12}},
      situation{"4954-6-01", replies::auth_temporary_failure, 454, {4, 7, 0}},
      situation{"4954-6-01", replies::mechanism_too_weak, 534, {5, 7, 9}},
      situation{"4954-6-01", replies::bad_credentials, 535, {5, 7, 8}},
      situation{"4954-6-01", replies::auth_line_too_long, 500, {5, 5, 6}},
      situation{"4954-6-01", replies::encryption_required, 538, {5, 7, 11}},
      situation{"6531-4.2-01", replies::ascii_address_required_at_mail, 550, {5, 6, 7}},
      situation{"6531-4.2-01", replies::ascii_address_required_at_rcpt, 553, {5, 6, 7}},
      situation{"6531-4.2-01", replies::utf8_needed_to_verify, 252, {2, 6, 8}},
      situation{"6531-4.2-01", replies::utf8_reply_required, 550, {5, 6, 8}},
      situation{"6531-4.2-01", replies::utf8_header_unsupported, 554, {5, 6, 9}},  // 554: 3.5 of the same RFC
      situation{"7504-6-01", replies::host_accepts_no_mail, 521, {5, 3, 2}},
      situation{"7504-6-01", replies::domain_accepts_no_mail, 556, {5, 1, 10}});
  INFO(s.clause << ": " << s.code << ' ' << s.value.text());
  CHECK(s.value.code() == s.code);
  CHECK(s.value.enhanced() == s.enhanced);
}

TEST_CASE("Details 6.7 to 6.9 stand with the codes of RFC 6531, and 6.10 nowhere", "[vocabulary][6531-4.2-01]") {
  for (const auto& r : replies::all) {
    const enhanced_status_code e = r.value.enhanced();
    if (e.subject != 6) continue;
    CAPTURE(r.name);
    const int code = r.value.code();
    if (e.detail == 7) CHECK((code == 550 || code == 553));
    if (e.detail == 8) CHECK((code == 252 || code == 550 || code == 553));
    if (e.detail == 9) CHECK((code == 550 || code == 554));
    CHECK(e.detail != 10);
  }
}

TEST_CASE("521 and 556 say that mail is not accepted here", "[vocabulary][7504-5.1-02]") {
  CHECK(replies::host_accepts_no_mail.text() == "Host does not accept mail");
  CHECK(replies::domain_accepts_no_mail.text() == "Domain does not accept mail");
  CHECK(default_text(521) == "Host does not accept mail");
  CHECK(default_text(556) == "Domain does not accept mail");
}

TEST_CASE("521 answers the opening of the channel, 556 answers RCPT", "[vocabulary][7504-5.1-01]") {
  CHECK(may_answer(reply_row::connection, replies::host_accepts_no_mail.code()));
  CHECK(may_answer(reply_row::rcpt, replies::domain_accepts_no_mail.code()));
  CHECK_FALSE(may_answer(reply_row::connection, 556));
  CHECK_FALSE(may_answer(reply_row::rcpt, 521));
}

TEST_CASE("521 has X.3.2 and 556 has X.1.10", "[vocabulary][7504-6-01]") {
  CHECK(written(replies::host_accepts_no_mail) == "521 5.3.2 Host does not accept mail\r\n");
  CHECK(written(replies::domain_accepts_no_mail) == "556 5.1.10 Domain does not accept mail\r\n");
}

TEST_CASE("No text names a product, a version, or what the client said", "[vocabulary][T48]") {
  for (const auto& r : replies::all) {
    CAPTURE(r.name);
    std::string text{r.value.text()};
    std::ranges::transform(text, text.begin(), ascii::to_lower);
    CHECK(text.find("lib") == text.npos);
    if (r.value != replies::hello_required) CHECK(text.find("ehlo") == text.npos);
    CHECK(text.find("0.") == text.npos);
    CHECK(text.find('{') == text.npos);
    CHECK(text.find('%') == text.npos);
  }
}

TEST_CASE("Texts begin with a capital letter or a digit, fit one line, and have text unless they challenge",
          "[vocabulary][5321-4.2-13]") {
  for (const auto& r : replies::all) {
    CAPTURE(r.name);
    if (r.value == replies::challenge) continue;
    REQUIRE_FALSE(r.value.text().empty());
    const char first = r.value.text().front();
    CHECK((ascii::upper.contains(first) || ascii::digit.contains(first)));
    CHECK(written(r.value).size() + sizes::domain + 1 <= sizes::reply_line);
  }
}

}  // namespace
