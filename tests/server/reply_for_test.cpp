// SPDX-License-Identifier: BSL-1.0
#include <ehlo/server/reply_for.hpp>

#include <cstddef>
#include <string_view>

#include "support/catch.hpp"

using ehlo::errc;
using ehlo::reply_for;
using ehlo::verb;

TEST_CASE("Every broken rule has a refusal of its kind", "[server][5321-4.3.2-02]") {
  const struct {
    errc code;
    verb name;
    int reply;
    ehlo::enhanced_status_code enhanced;
  } rows[] = {
      {errc::unknown_verb, verb::unknown, 500, {5, 5, 2}},
      {errc::line_too_long, verb::mail, 500, {5, 5, 2}},
      {errc::bare_cr, verb::unknown, 500, {5, 5, 2}},
      {errc::bare_lf, verb::noop, 501, {5, 5, 4}},
      {errc::nul_octet, verb::unknown, 500, {5, 5, 2}},
      {errc::verb_not_implemented, verb::turn, 502, {5, 5, 1}},
      {errc::tls_not_offered, verb::starttls, 502, {5, 5, 1}},
      {errc::argument_missing, verb::vrfy, 501, {5, 5, 4}},
      {errc::argument_missing, verb::etrn, 500, {5, 5, 2}},
      {errc::argument_not_allowed, verb::data, 501, {5, 5, 4}},
      {errc::priority_value, verb::mail, 501, {5, 5, 2}},
      {errc::parameter_unknown, verb::mail, 555, {5, 5, 4}},
      {errc::out_of_order, verb::data, 503, {5, 5, 1}},
      {errc::transaction_open, verb::mail, 503, {5, 5, 1}},
      {errc::chunk_refused, verb::bdat, 503, {5, 5, 1}},
      {errc::tls_required, verb::mail, 530, {5, 7, 0}},
      {errc::authentication_required, verb::mail, 530, {5, 7, 0}},
      {errc::mechanism_unknown, verb::auth, 504, {5, 5, 4}},
      {errc::mechanism_needs_tls, verb::auth, 538, {5, 7, 11}},
      {errc::authentication_cancelled, verb::auth, 501, {5, 7, 0}},
      {errc::base64_octet, verb::auth, 501, {5, 5, 2}},
      {errc::base64_trailing_bits, verb::auth, 501, {5, 5, 2}},
      {errc::too_many_recipients, verb::rcpt, 452, {4, 5, 3}},
      {errc::too_many_domains, verb::rcpt, 452, {4, 5, 3}},
      {errc::too_many_errors, verb::noop, 421, {4, 7, 0}},
      {errc::size_over_limit, verb::mail, 552, {5, 3, 4}},
      {errc::message_too_large, verb::data, 552, {5, 3, 4}},
      {errc::topic_unknown, verb::help, 504, {5, 5, 4}},
      {errc::out_of_memory, verb::mail, 421, {4, 3, 0}},
  };
  for (const auto& row : rows) {
    CAPTURE(ehlo::describe(row.code).text);
    const ehlo::reply r = reply_for(row.code, row.name);
    CHECK(r.code() == row.reply);
    CHECK(r.enhanced() == row.enhanced);
  }
}

TEST_CASE("421 says which limit ended the session", "[server][5321-4.2.3-02]") {
  CHECK(reply_for(errc::too_many_transactions, verb::mail) == ehlo::replies::too_many_transactions);
  CHECK(reply_for(errc::too_many_errors, verb::noop) == ehlo::replies::too_many_errors);
}

TEST_CASE("No broken rule is answered with success or without a text", "[server][5321-4.2-13]") {
  for (std::size_t i = 0; i < ehlo::rules.size(); ++i) {
    for (std::size_t v = 0; v <= static_cast<std::size_t>(verb::unknown); ++v) {
      const auto code = static_cast<errc>(i);
      const ehlo::reply r = reply_for(code, static_cast<verb>(v));
      CAPTURE(ehlo::describe(code).text);
      CHECK(r.code() >= 400);
      CHECK(r.enhanced().class_code == r.code() / 100);
      CHECK_FALSE(r.text().empty());
    }
  }
}

TEST_CASE("What is wrong with an address is said with the code of sender or recipient", "[server][5321-4.1.4-13]") {
  for (const errc code : {errc::empty_label, errc::local_part_too_long, errc::domain_too_long, errc::path_too_long,
                          errc::path_not_closed, errc::ipv6_group, errc::utf8_ill_formed, errc::null_path_not_allowed}) {
    CAPTURE(ehlo::describe(code).text);
    CHECK(reply_for(code, verb::mail) == ehlo::replies::bad_sender_syntax);
    CHECK(reply_for(code, verb::rcpt) == ehlo::replies::bad_recipient_syntax);
    CHECK(reply_for(code, verb::ehlo) == ehlo::replies::syntax_error);
  }
}

TEST_CASE("What the options refuse is about the address, too", "[server]") {
  for (const errc code : {errc::source_route_obsolete, errc::empty_local_part}) {
    CHECK(reply_for(code, verb::mail) == ehlo::replies::bad_sender_syntax);
    CHECK(reply_for(code, verb::rcpt) == ehlo::replies::bad_recipient_syntax);
    CHECK(reply_for(code, verb::vrfy) == ehlo::replies::syntax_error);
  }
  CHECK(reply_for(errc::source_route_refused, verb::mail) == ehlo::replies::sender_route_refused);
  CHECK(reply_for(errc::source_route_refused, verb::rcpt) == ehlo::replies::recipient_route_refused);
}

TEST_CASE("An address that needs SMTPUTF8 has codes of its own where that is offered", "[server][6531-3.5-01]") {
  CHECK(reply_for(errc::utf8_not_allowed, verb::mail, true) == ehlo::replies::ascii_address_required_at_mail);
  CHECK(reply_for(errc::utf8_not_allowed, verb::rcpt, true) == ehlo::replies::ascii_address_required_at_rcpt);
  CHECK(reply_for(errc::utf8_not_allowed, verb::mail, false) == ehlo::replies::bad_sender_syntax);
  CHECK(reply_for(errc::utf8_not_allowed, verb::rcpt, false) == ehlo::replies::bad_recipient_syntax);
  CHECK(reply_for(errc::utf8_not_allowed, verb::vrfy, true) == ehlo::replies::syntax_error);
}

TEST_CASE("A bare CR or LF in mail data is about the message, in a command about its syntax", "[server][5321-2.3.8-01]") {
  for (const errc code : {errc::bare_cr, errc::bare_lf}) {
    CHECK(ehlo::reply_for_mail_data(code) == ehlo::replies::bare_line_end);
    CHECK(reply_for(code, verb::noop) == ehlo::replies::syntax_error);
  }
  CHECK(ehlo::reply_for_mail_data(errc::message_too_large) == ehlo::replies::message_too_large);
  CHECK(ehlo::reply_for_mail_data(errc::text_line_too_long) == ehlo::replies::text_line_refused);
  CHECK(ehlo::reply_for_mail_data(errc::eight_bit_text) == ehlo::replies::eight_bit_refused);
}
