// SPDX-License-Identifier: BSL-1.0
#include <ehlo/format.hpp>

#include <fmt/ranges.h>
#if __has_include(<fmt/std.h>)
#include <fmt/std.h>
#endif

#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <ehlo/codec/command_parser.hpp>
#include <ehlo/codec/reply_parser.hpp>
#include <ehlo/replies.hpp>

#include "support/catch.hpp"

namespace {

using namespace ehlo;

template <class T>
std::string text_of_value(const T& value) {
  return fmt::format("{}", value);
}

TEST_CASE("A formatted reply is a reply with the text that fmt made", "[format][5321-4.2-02]") {
  const auto path = forward_path::parse("<a@b.example>");
  const auto made = format_reply(550, {5, 1, 1}, "no mailbox here for {}", *path);
  REQUIRE(made);
  const reply r = *made;
  CHECK(r.code() == 550);
  CHECK(r.enhanced() == enhanced_status_code{5, 1, 1});
  CHECK(r.text() == "no mailbox here for <a@b.example>");
  CHECK(format_reply(250, "{} octets", 42)->view() == *reply::make(250, {}, "42 octets"));
  CHECK(format_reply(250, {2, 0, 0}, "{}", "")->view() == replies::ok);
}

TEST_CASE("A formatted reply owns its text, also when it is copied", "[format]") {
  result<formatted_reply> copy{error{}};
  {
    const std::string text(300, 'x');
    const auto made = format_reply(451, {4, 3, 0}, "{}", text);
    REQUIRE(made);
    copy = made;
  }
  REQUIRE(copy);
  CHECK(copy->view().text() == std::string(300, 'x'));
}

TEST_CASE("An argument with a line end in it does not become a second reply", "[format][5321-4.2-07][T23]") {
  const std::string_view path = "a\r\n250 ok";
  CHECK(format_reply(550, {5, 1, 1}, "for {}", path).error() == error{errc::reply_octet, 5});
  for (unsigned value = 0; value < 256; ++value) {
    CAPTURE(value);
    const bool wanted = value == 9 || (value >= 32 && value <= 126);
    const auto made = format_reply(550, {5, 1, 1}, "x{}y", static_cast<char>(value));
    CHECK(made.has_value() == wanted);
    if (!wanted) CHECK(made.error() == error{errc::reply_octet, 1});
  }
}

TEST_CASE("A formatted reply checks its codes as any reply does", "[format][2034-4-03]") {
  CHECK(format_reply(199, "x").error() == error{errc::reply_code});
  CHECK(format_reply(260, {2, 0, 0}, "x").error() == error{errc::reply_code});
  CHECK(format_reply(550, {4, 0, 0}, "x").error() == error{errc::reply_class});
  CHECK(format_reply(354, {2, 0, 0}, "x").error() == error{errc::reply_class});
}

TEST_CASE("A formatted reply holds 512 octets of text and not one more", "[format][5321-4.5.3.1.5-01]") {
  CHECK(format_reply(550, "{}", std::string(512, 'x'))->text().size() == 512);
  CHECK(format_reply(550, "{}", std::string(513, 'x')).error() == error{errc::reply_too_long, 512});
  CHECK(format_reply(550, "{}", std::string(5000, 'x')).error() == error{errc::reply_too_long, 512});
}

TEST_CASE("A formatted reply holds UTF-8 only when it is asked to", "[format][6531-3.7.4.2-06]") {
  CHECK(format_reply(250, {2, 1, 5}, "{}", "J\xC3\xB6rg").error() == error{errc::reply_octet, 1});
  CHECK(format_reply(charset::utf8, 250, {2, 1, 5}, "{}", "J\xC3\xB6rg")->text() == "J\xC3\xB6rg");
  CHECK(format_reply(charset::ascii, 250, {2, 1, 5}, "{}", "J\xC3\xB6rg").error() == error{errc::reply_octet, 1});
  CHECK(format_reply(charset::utf8, 250, {2, 1, 5}, "{}", "J\xC3").error() == error{errc::reply_octet, 1});
}

TEST_CASE("Errors are formatted as the rule that was broken", "[format]") {
  CHECK(text_of_value(errc::bare_lf) == "a LF without its CR (RFC 5321 2.3.8)");
  CHECK(text_of_value(errc::stale_answer) == "the ticket names another question");
  CHECK(text_of_value(error{errc::path_not_closed, 7}) == "a path ends with > (RFC 5321 4.1.2) at octet 7");
}

TEST_CASE("Values are formatted as they were spelt", "[format]") {
  CHECK(text_of_value(*domain::parse("Mx.Example")) == "Mx.Example");
  CHECK(text_of_value(*address_literal::parse("[IPv6:::1]")) == "[IPv6:::1]");
  CHECK(text_of_value(*host::parse("mx.example")) == "mx.example");
  CHECK(text_of_value(*local_part::parse("\"a b\"")) == "\"a b\"");
  CHECK(text_of_value(*mailbox::parse("a@b")) == "a@b");
  CHECK(text_of_value(*reverse_path::parse("<>")) == "<>");
  CHECK(text_of_value(*forward_path::parse("<@x:a@b>")) == "<@x:a@b>");
  CHECK(text_of_value(*xtext::parse("a+2Bb")) == "a+2Bb");
  CHECK(text_of_value(*parameter_list::parse("SIZE=10")->begin()) == "SIZE=10");
  CHECK(text_of_value(*parameter_list::parse("SMTPUTF8")->begin()) == "SMTPUTF8");
  CHECK(text_of_value(enhanced_status_code{5, 1, 10}) == "5.1.10");
  CHECK(text_of_value(enhanced_status_code{}) == "none");
  CHECK(text_of_value(enhanced_status_code{3, 1, 10}) == "ill-formed");
  CHECK(text_of_value(replies::no_such_mailbox) == "550 5.1.1 No such user here");
  CHECK(text_of_value(replies::start_mail_input) == "354 Start mail input; end with <CRLF>.<CRLF>");
  CHECK(text_of_value(*format_reply(550, "x")) == "550 x");
  const std::array<std::string_view, 2> lines{"a", "b"};
  CHECK(text_of_value(*reply::make(250, {2, 0, 0}, lines)) == "250 2.0.0 a / b");
  CHECK(text_of_value(*parse_notify("delay,success")) == "SUCCESS,DELAY");
  CHECK(text_of_value(notify_set{true, true, true}) == "SUCCESS,FAILURE,DELAY");
  CHECK(text_of_value(notify_set{}) == "NEVER");
  CHECK(text_of_value(*parse_orcpt("rfc822;a@b")) == "rfc822;a@b");
  CHECK(text_of_value(claimed_submitter{}) == "<>");
  CHECK(text_of_value(mechanisms::plain) == "PLAIN");
  CHECK(text_of_value(*date_time::from_unix(1704099600, 60)) == "Mon, 1 Jan 2024 10:00:00 +0100");
  CHECK(text_of_value(*message_id::parse("<a@b>")) == "<a@b>");
  CHECK(text_of_value(mx_record{10, "mx.example"}) == "10 mx.example.");
  CHECK(text_of_value(mx_record{0, "."}) == "0 .");
  CHECK(text_of_value(mx_record{5, "a\x1b[2J"}) == R"(5 "a\x1B[2J")");
  CHECK(text_of_value(mx_lookup::no_such_name) == "no_such_name");
  CHECK(text_of_value(route_verdict::no_usable_mx) == "no_usable_mx");
  CHECK(text_of_value(route_verdict::loops_back) == "loops_back");
  CHECK(text_of_value(version_number{1, 2, 3}) == "1.2.3");
}

TEST_CASE("Width and alignment work as for a string", "[format]") {
  CHECK(fmt::format("{:>8}|", enhanced_status_code{5, 1, 1}) == "   5.1.1|");
  CHECK(fmt::format("{:*<8}|", *mailbox::parse("a@b")) == "a@b*****|");
  CHECK(fmt::format("{:^10}|", verb::mail) == "   MAIL   |");
  CHECK(fmt::format("{:.7}", replies::ok) == "250 2.0");
}

TEST_CASE("Enumerators are formatted as their names", "[format]") {
  CHECK(text_of_value(verb::starttls) == "STARTTLS");
  CHECK(text_of_value(verb::unknown) == "unknown");
  CHECK(text_of_value(charset::utf8) == "utf8");
  CHECK(text_of_value(literal_kind::general) == "general");
  CHECK(text_of_value(unknown_tags::keep) == "keep");
  CHECK(text_of_value(body_type::binary) == "BINARYMIME");
  CHECK(text_of_value(ret_type::hdrs) == "HDRS");
  CHECK(text_of_value(first_message::server_lenient) == "server_lenient");
  CHECK(text_of_value(status_class::none) == "none");
  CHECK(text_of_value(status_class::permanent) == "permanent");
  CHECK(text_of_value(status_subject::policy) == "policy");
  CHECK(text_of_value(class_rule::retired) == "retired");
  CHECK(text_of_value(reply_severity::completed) == "completed");
  CHECK(text_of_value(reply_severity::permanent) == "permanent");
  CHECK(text_of_value(reply_category::mail_system) == "mail_system");
  CHECK(text_of_value(enhanced_codes::write) == "write");
  CHECK(text_of_value(reply_row::message) == "end of mail data");
  CHECK(text_of_value(state::barred) == "barred");
  CHECK(text_of_value(state::spoilt) == "spoilt");
  CHECK(text_of_value(effect::refuse) == "refuse");
  CHECK(text_of_value(effect::close) == "close");
  CHECK(text_of_value(reset_cause::rset) == "rset");
  CHECK(text_of_value(reset_cause::closed) == "closed");
  CHECK(text_of_value(waiting_for::handshake) == "handshake");
  CHECK(text_of_value(exchange_end::aborted) == "aborted");
  CHECK(text_of_value(protocol::lmtp) == "lmtp");
  CHECK(text_of_value(tls_mode::active) == "active");
  CHECK(text_of_value(tls_strength::insufficient) == "insufficient");
  CHECK(text_of_value(with_protocol::esmtpsa) == "ESMTPSA");
  CHECK(text_of_value(sasl::mechanism::oauthbearer) == "OAUTHBEARER");
  CHECK(text_of_value(text_policy::refuse) == "refuse");
  CHECK(text_of_value(route_policy::syntax_error) == "syntax_error");
  CHECK(text_of_value(bare_line_ends::keep) == "keep");
  CHECK(text_of_value(custom_parameter::value_rule::required) == "required");
  CHECK(text_of_value(custom_parameter::place::rcpt) == "rcpt");
  CHECK(text_of_value(feed_order::unknown) == "unknown");
  CHECK(text_of_value(beginning::unsure) == "unsure");
  CHECK(text_of_value(static_cast<tls_mode>(77)) == "?");
}

TEST_CASE("Flow actions are formatted as their names, octets as their number", "[format]") {
  CHECK(text_of_value(receive{}) == "receive");
  CHECK(text_of_value(transmit{"250 OK\r\n"}) == "transmit{8 octets}");
  CHECK(text_of_value(mail_data{"abc"}) == "mail_data{3 octets}");
  CHECK(text_of_value(start_tls{}) == "start_tls");
  CHECK(text_of_value(close_channel{}) == "close_channel");
  CHECK(text_of_value(other_first{direction::from_server}) == "other_first{server}");
  CHECK(text_of_value(answer_due{{3}}) == "answer_due{ticket 3}");
  CHECK(text_of_value(ticket{3}) == "ticket 3");
  CHECK(text_of_value(wait{waiting_for::command, 300, 2}) == "wait{command, 300 s, serial 2}");
}

TEST_CASE("Questions are formatted with what they ask", "[format]") {
  const auto from = *reverse_path::parse("<a@b>");
  const auto to = *forward_path::parse("<c@d>");
  const mail_parameters size{*parameter_list::parse("SIZE=10 BODY=8BITMIME")};
  CHECK(text_of_value(greeting_question{false, {1}}) == "greeting_question{silent client, ticket 1}");
  CHECK(text_of_value(greeting_question{true, {1}}) == "greeting_question{early talker, ticket 1}");
  CHECK(text_of_value(hello_question{verb::ehlo, *host::parse("[192.0.2.1]"), {2}}) ==
        "hello_question{EHLO [192.0.2.1], ticket 2}");
  CHECK(text_of_value(starttls_question{{3}}) == "starttls_question{ticket 3}");
  CHECK(text_of_value(mail_question{from, {}, {4}}) == "mail_question{FROM:<a@b>, ticket 4}");
  CHECK(text_of_value(mail_question{from, size, {4}}) == "mail_question{FROM:<a@b> SIZE=10 BODY=8BITMIME, ticket 4}");
  mail_question urgent{from, {}, {4}};
  urgent.priority = message_priority{3};
  CHECK(text_of_value(urgent) == "mail_question{FROM:<a@b>, priority 3, ticket 4}");
  CHECK(text_of_value(rcpt_question{to, rcpt_parameters{*parameter_list::parse("NOTIFY=NEVER")}, {5}}) ==
        "rcpt_question{TO:<c@d> NOTIFY=NEVER, ticket 5}");
  CHECK(text_of_value(data_question{2, false, {6}}) == "data_question{DATA, 2 recipients, ticket 6}");
  CHECK(text_of_value(data_question{2, true, {6}}) == "data_question{BDAT, 2 recipients, ticket 6}");
  CHECK(text_of_value(message_question{1234, 1, 2, true, true, true, {7}}) ==
        "message_question{1234 octets, recipient 1 of 2, has long line, has eight bit, has bare line end, ticket 7}");
  CHECK(text_of_value(message_question{1234, 0, 2, false, false, false, {7}}) ==
        "message_question{1234 octets, recipient 0 of 2, ticket 7}");
  CHECK(text_of_value(vrfy_question{"Smith", {}, true, {8}}) == "vrfy_question{\"Smith\", SMTPUTF8, ticket 8}");
  CHECK(text_of_value(expn_question{"staff", {}, false, {9}}) == "expn_question{\"staff\", ticket 9}");
  CHECK(text_of_value(help_question{"", {10}}) == "help_question{\"\", ticket 10}");
  CHECK(text_of_value(listing{*mailbox::parse("a@b"), "A B"}) == "\"A B\" <a@b>");
  CHECK(text_of_value(listing{*mailbox::parse("a@b"), {}}) == "<a@b>");
}

TEST_CASE("Notices are formatted with what they tell", "[format]") {
  CHECK(text_of_value(transaction_reset{reset_cause::peer_gone}) == "transaction_reset{peer_gone}");
  CHECK(text_of_value(violation{errc::bare_lf, 12}) == "violation{a LF without its CR (RFC 5321 2.3.8) at octet 12}");
  CHECK(text_of_value(exchange_ended{exchange_end::malformed}) == "exchange_ended{malformed}");
}

template <class T>
struct alternatives;
template <class... T>
struct alternatives<std::variant<T...>> {
  static constexpr bool all_are_formatted = (fmt::is_formattable<T>::value && ...);
};

TEST_CASE("Every action has a formatter, and so has their variant", "[format]") {
  STATIC_REQUIRE(alternatives<server_action>::all_are_formatted);
  STATIC_REQUIRE(alternatives<client_action>::all_are_formatted);
  CHECK(text_of_value(client_action{idle{}}) == "idle");
  CHECK(text_of_value(server_action{receive{}}) == "receive");
  CHECK(text_of_value(server_action{answer_due{{3}}}) == "answer_due{ticket 3}");
  CHECK(fmt::format("{:>9}", server_action{receive{}}) == "  receive");
}

TEST_CASE("Text of the peer that no grammar has checked is escaped", "[format][T24]") {
  CHECK(text_of_value(help_question{"a\x1B[2J\"\\\x7F\x80\n", {1}}) == R"(help_question{"a\x1B[2J\"\\\x7F\x80\x0A", ticket 1})");
}

/// The reply that the octets are.
received_reply received(std::string_view octets) { return *parse_reply(octets, true); }

TEST_CASE("What a client asks and tells is formatted with the reply that it is about", "[format]") {
  const received_reply refused = received("550-5.1.1 No such\r\n550 5.1.1 user\r\n");
  CHECK(text_of_value(idle{}) == "idle");
  CHECK(text_of_value(mail_data_question{2, true, false, {4}}) == "mail_data_question{DATA, 2 recipients, begin, ticket 4}");
  CHECK(text_of_value(mail_data_question{2, false, true, {4}}) == "mail_data_question{BDAT, 2 recipients, ticket 4}");
  CHECK(text_of_value(greeting_result{received("220 mx\r\n")}) == "greeting_result{220 mx}");
  CHECK(text_of_value(starttls_result{received("454 no\r\n")}) == "starttls_result{454 no}");
  CHECK(text_of_value(command_result{received("252 maybe\r\n")}) == "command_result{252 maybe}");
  CHECK(text_of_value(unsolicited{received("421 bye\r\n")}) == "unsolicited{421 bye}");
  CHECK(text_of_value(recipient_result{7, refused, false}) == "recipient_result{recipient 7, 550 5.1.1 No such user}");
  CHECK(text_of_value(recipient_result{7, received("552 too many\r\n"), true}) ==
        "recipient_result{recipient 7, 552 too many, transient}");
  CHECK(text_of_value(recipient_deferred{3, errc::too_many_domains}) ==
        fmt::format("recipient_deferred{{recipient 3, {}}}", errc::too_many_domains));
  CHECK(text_of_value(message_result{0, 2, received("250 OK\r\n")}) == "message_result{recipients 0 to 2, 250 OK}");
  CHECK(text_of_value(authentication_result{"PLAIN", received("235 in\r\n")}) == "authentication_result{PLAIN, 235 in}");
  CHECK(text_of_value(transaction_failed{errc::data_refused, delivery::not_accepted, received("451 no\r\n")}) ==
        fmt::format("transaction_failed{{{}, not_accepted, 451 no}}", errc::data_refused));
  CHECK(text_of_value(transaction_failed{errc::connection_lost, delivery::unknown, {}}) ==
        fmt::format("transaction_failed{{{}, unknown}}", errc::connection_lost));
  CHECK(text_of_value(failed{errc::reply_timeout, {}, 0}) == fmt::format("failed{{{}}}", errc::reply_timeout));
  CHECK(text_of_value(failed{errc::service_closing, received("421 bye\r\n"), 12}) ==
        fmt::format("failed{{{}, 421 bye at octet 12}}", errc::service_closing));
}

TEST_CASE("What a proxy tells is formatted with its addresses, and without what may be anything", "[format]") {
  namespace proxy = ehlo::proxy;
  const proxy::endpoint four{*ip_address::parse_v4("192.0.2.1"), 25};
  const proxy::endpoint six{*ip_address::parse_v6("2001:db8::1"), 65535};
  CHECK(text_of_value(four.address) == "192.0.2.1");
  CHECK(text_of_value(six.address) == "2001:db8::1");
  CHECK(text_of_value(four) == "192.0.2.1:25");
  CHECK(text_of_value(six) == "[2001:db8::1]:65535");
  const auto tlvs = proxy::tlv_list::parse(std::string_view{"\x02\0\1x", 4});
  const proxy::header h{.family = proxy::family::ipv4, .source = four, .destination = four, .tlvs = *tlvs};
  CHECK(text_of_value(h) == "header{version 2, proxy, ipv4, stream, 192.0.2.1:25 to 192.0.2.1:25, TLVs of 4 octets}");
  CHECK(text_of_value(proxy::header{.version = proxy::version::one, .transport = proxy::transport::unspecified}) ==
        "header{version 1, proxy, unspecified, unspecified}");
  CHECK(text_of_value(proxy::header{.family = proxy::family::local_socket, .source_path = "/a\n"}) ==
        R"(header{version 2, proxy, local_socket, stream, "/a\x0A" to ""})");
  CHECK(text_of_value(proxy::tlv{224, "secret"}) == "tlv{type 224, 6 octets}");
  CHECK(text_of_value(proxy::ssl_facts{true, true, false, 1}) == "ssl_facts{TLS, certificate, verify 1}");
  CHECK(text_of_value(proxy::ssl_facts{false, false, true}) == "ssl_facts{no TLS, certificate of the session, verify 0}");
  CHECK(text_of_value(ip_version::six) == "six");
  CHECK(text_of_value(proxy::version::two) == "two");
  CHECK(text_of_value(proxy::command::local) == "local");
  CHECK(text_of_value(proxy::family::ipv6) == "ipv6");
  CHECK(text_of_value(proxy::transport::datagram) == "datagram");
  CHECK(text_of_value(proxy::accepted_versions::either) == "either");
  CHECK(text_of_value(proxy::checksum::write) == "write");
}

TEST_CASE("What a server offers is formatted as keywords", "[format]") {
  const received_reply hello = received("250-mx\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 LIMITS RCPTMAX=20 MAILMAX=5\r\n");
  const capabilities offered = capabilities::parse(hello);
  CHECK(text_of_value(offered) == "SIZE 1000, PIPELINING, LIMITS MAILMAX=5 RCPTMAX=20");
  CHECK(text_of_value(offered.limits()) == "MAILMAX=5 RCPTMAX=20");
  CHECK(text_of_value(capabilities{}) == "");
  CHECK(text_of_value(ready{offered}) == "ready{SIZE 1000, PIPELINING, LIMITS MAILMAX=5 RCPTMAX=20}");
  CHECK(text_of_value(hello_result{hello, offered, true}) ==
        "hello_result{ESMTP, SIZE 1000, PIPELINING, LIMITS MAILMAX=5 RCPTMAX=20}");
  CHECK(text_of_value(hello_result{received("250 mx\r\n"), {}, false}) == "hello_result{SMTP}");
  CHECK(text_of_value(*find_keyword(hello, "size")) == "SIZE 1000");
  CHECK(text_of_value(extension::binary_mime) == "BINARYMIME");
}

TEST_CASE("The values of the extensions are formatted as they are written", "[format]") {
  CHECK(text_of_value(deliver_by{-5, by_mode::notify, true}) == "-5;NT");
  CHECK(text_of_value(*timestamp::parse("2014-04-03T23:01:00+01:30")) == "2014-04-03T23:01:00+01:30");
  CHECK(text_of_value(hold_limits{60, *timestamp::from_unix(0)}) == "60 1970-01-01T00:00:00Z");
  CHECK(text_of_value(message_priority{-9}) == "-9");
  CHECK(text_of_value(*parse_valid_since("2014-04-03T23:01:00Z;c")) == "2014-04-03T23:01:00Z;C");
  CHECK(text_of_value(tracking{"abcd", 60}) == "abcd:60");
  CHECK(text_of_value(*solicitation_keywords::parse("a,b")) == "a,b");
  CHECK(text_of_value(etrn_question{etrn_option::subdomains, "x.example", {1}}) == "etrn_question{@x.example, ticket 1}");
  const auto for_whom = *xclient_attributes::parse("NAME=a.example ADDR=192.0.2.1");
  CHECK(text_of_value(for_whom) == "NAME=a.example ADDR=192.0.2.1");
  CHECK(text_of_value(xclient_question{for_whom, {2}}) == "xclient_question{NAME=a.example ADDR=192.0.2.1, ticket 2}");
  const auto from_where = *xforward_attributes::parse("SOURCE=LOCAL");
  CHECK(text_of_value(from_where) == "SOURCE=LOCAL");
  CHECK(text_of_value(xforward_question{from_where, true, {3}}) == "xforward_question{SOURCE=LOCAL, first, ticket 3}");
  CHECK(text_of_value(xforward_question{from_where, false, {3}}) == "xforward_question{SOURCE=LOCAL, ticket 3}");
  CHECK(text_of_value(mail_question{*reverse_path::parse("<>"), {}, {}, {}, true}) ==
        "mail_question{FROM:<>, forwarded, ticket 0}");
  CHECK(text_of_value(absence::temporary) == "temporary");
  CHECK(text_of_value(client_protocol::esmtp) == "esmtp");
  CHECK(text_of_value(message_source::remote) == "remote");
  CHECK(text_of_value(effect::greet) == "greet");
  CHECK(text_of_value(effect::close) == "close");
}

TEST_CASE("The words of the client's choices are their names", "[format]") {
  CHECK(text_of_value(tls_policy::active) == "active");
  CHECK(text_of_value(recipient_policy::all_or_nothing) == "all_or_nothing");
  CHECK(text_of_value(chunking_policy::never) == "never");
  CHECK(text_of_value(dsn_policy::relay) == "relay");
  CHECK(text_of_value(line_ends::normalize) == "normalize");
  CHECK(text_of_value(exchange::complete) == "complete");
  CHECK(text_of_value(delivery::unknown) == "unknown");
  CHECK(text_of_value(server_identity::verified) == "verified");
}

TEST_CASE("A reply received cannot act on a terminal or make another line of a log", "[format][T24]") {
  CHECK(text_of_value(received("550 5.1.1 \x1B[2J\x07\x80\xC2\x9B J\xC3\xB6rg\r\n")) == "550 5.1.1 ?[2J??? J\xC3\xB6rg");
  for (unsigned value = 0; value < 256; ++value) {
    const auto octet = static_cast<char>(value);
    if (octet == '\r' || octet == '\n' || octet == '\0') continue;  // no line of a reply has them
    const std::string line = std::string{"250 x"} + octet + "y\r\n";
    const std::string shown = text_of_value(received(line));
    const bool is_printable = value >= 32 && value <= 126;
    CHECK(shown == std::string{"250 x"} + (is_printable ? octet : '?') + "y");
  }
}

TEST_CASE("No formatted action of a client shows a credential", "[format][T37]") {
  constexpr std::string_view encoded = "AHVzZXIAc2VjcmV0";
  const credentials_question asked{"CRAM-MD5", *base64::parse(encoded), 1, {2}};
  CHECK(text_of_value(asked) == "credentials_question{CRAM-MD5, step 1, challenge of 12 octets, ticket 2}");
  CHECK(text_of_value(client_action{credentials_question{"PLAIN", {}, 0, {2}}}) == "credentials_question{PLAIN, step 0, ticket 2}");
}

TEST_CASE("No formatted action shows a credential", "[format][T37]") {
  // "\0user\0secret" in base64
  constexpr std::string_view encoded = "AHVzZXIAc2VjcmV0";
  const auth_question asked{"PLAIN", *base64::parse(encoded), true, {1}};
  CHECK(text_of_value(asked) == "auth_question{PLAIN, initial, ticket 1}");
  CHECK(text_of_value(server_action{asked}) == "auth_question{PLAIN, initial, ticket 1}");
  CHECK(text_of_value(*base64::parse(encoded)) == "base64{12 octets}");
  CHECK(text_of_value(secret{"secret"}) == "****");
  CHECK(fmt::format("{:>8}", secret{""}) == "    ****");
  CHECK(text_of_value(sasl::credentials{sasl::mechanism::plain, "", "user\n", secret{"secret"}}) ==
        R"(credentials{PLAIN, "", "user\x0A", ****})");
  CHECK(text_of_value(sasl::challenge{"Password:"}) == "challenge{9 octets}");
  CHECK(text_of_value(transmit{"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n"}).find("AHVz") == std::string::npos);
  CHECK(text_of_value(custom_question{"XLOGIN", encoded, {1}}) == "custom_question{XLOGIN, argument of 16 octets, ticket 1}");
  CHECK(text_of_value(burl_question{"imap://x;urlauth=t:internal:9135", true, 0, 1, {2}}) ==
        "burl_question{URL of 32 octets, last, ticket 2}");
}

TEST_CASE("A reply observed is formatted with what it answers, or as one that answers nothing", "[format][observer]") {
  const ehlo::received_reply ok = *ehlo::parse_reply("250 ok\r\n");
  using ehlo::reply_row;
  CHECK(text_of_value(ehlo::observed_reply{ok, reply_row::noop, 3, 0, 0}) == "observed_reply{3: NOOP, 250 ok}");
  CHECK(text_of_value(ehlo::observed_reply{ok, reply_row::rcpt, 3, 2, 0}) == "observed_reply{3: RCPT, 250 ok, recipient 2}");
  CHECK(text_of_value(ehlo::observed_reply{ok, reply_row::custom, 3, 0, 0}) == "observed_reply{3: custom, 250 ok}");
  CHECK(text_of_value(ehlo::observed_reply{ok, reply_row::connection, 0, 0, 0}) == "observed_reply{connection, 250 ok}");
  CHECK(text_of_value(ehlo::observed_reply{ok, reply_row::custom, 0, 0, 0}) == "observed_reply{none, 250 ok}");
}

TEST_CASE("A step of AUTH is formatted with its mechanism where that is named", "[format][observer]") {
  using step = ehlo::observed_auth::step;
  CHECK(fmt::to_string(ehlo::observed_auth{step::command, "PLAIN", false, 0, 2}) == "observed_auth{2: command PLAIN}");
  CHECK(fmt::to_string(ehlo::observed_auth{step::command, "PLAIN", true, 4, 2}) == "observed_auth{2: command PLAIN, 4 octets}");
  CHECK(fmt::to_string(ehlo::observed_auth{step::command, "hunter2", false, 0, 2}) == "observed_auth{2: command ****}");
  CHECK(fmt::to_string(ehlo::observed_auth{step::challenge, "PLAIN", false, 0, 2}) == "observed_auth{2: challenge, 0 octets}");
  CHECK(fmt::to_string(ehlo::observed_auth{step::response, "", false, 20, 2}) == "observed_auth{2: response, 20 octets}");
}

TEST_CASE("A command is formatted as a line, and shows no credential", "[format][observer][T37]") {
  const auto shown = [](std::string_view line) { return fmt::format("{}", *parse_command(line)); };
  CHECK(shown("mail FROM:<a@b.example> SIZE=1 BODY=8BITMIME") == "MAIL FROM:<a@b.example> SIZE=1 BODY=8BITMIME");
  CHECK(shown("BDAT 5 LAST") == "BDAT 5 LAST");
  CHECK(shown("help") == "HELP");
  CHECK(shown("HELP mail") == "HELP \"mail\"");
  CHECK(shown("AUTH PLAIN AHVzZXIAc2VjcmV0") == "AUTH PLAIN");
  CHECK(shown("AUTH scram-sha-256") == "AUTH scram-sha-256");
  CHECK(shown("AUTH hunter2") == "AUTH ****");
  CHECK(fmt::format("{:>6}", *parse_command("QUIT")) == "  QUIT");
}

struct converts_to_reply {
  operator reply() const { return replies::ok; }
};

TEST_CASE("No other type is formatted because it converts to one of these", "[format]") {
  STATIC_REQUIRE_FALSE(ehlo::detail::formatted_value<converts_to_reply>);
  STATIC_REQUIRE_FALSE(ehlo::detail::formatted_value<int>);
  STATIC_REQUIRE_FALSE(ehlo::detail::formatted_value<std::string>);
  CHECK(fmt::format("{}", std::array{1, 2}) == "[1, 2]");
}

TEST_CASE("What is not there is not shown, and commas stand only between", "[format]") {
  CHECK(text_of_value(keyword_line{"HELP", {}}) == "HELP");
  CHECK(text_of_value(keyword_line{"SIZE", "10"}) == "SIZE 10");
  const auto learned = capabilities::parse(received("250-mx\r\n250-LIMITS\r\n250-SIZE\r\n250 HELP\r\n"));
  CHECK(text_of_value(learned) == "SIZE, LIMITS, HELP");
  CHECK(text_of_value(*claimed_submitter::parse("<>")) == "<>");
  CHECK(text_of_value(*claimed_submitter::parse("a@b.example")) == "a@b.example");
  const std::string_view shown[] = {"",      "SUCCESS",       "FAILURE",       "SUCCESS,FAILURE",
                                    "DELAY", "SUCCESS,DELAY", "FAILURE,DELAY", "SUCCESS,FAILURE,DELAY"};
  for (unsigned bits = 1; bits < 8; ++bits) {
    notify_set on;
    on.success = (bits & 1U) != 0;
    on.failure = (bits & 2U) != 0;
    on.delay = (bits & 4U) != 0;
    CHECK(text_of_value(on) == shown[bits]);
  }
  const auto path = *forward_path::parse("<a@b.example>");
  CHECK(text_of_value(rcpt_question{path, {}, {1}}) == "rcpt_question{TO:<a@b.example>, ticket 1}");
  CHECK(fmt::format("{}", *parse_command("BURL imap://x;urlauth=t:internal:9135 LAST")) == "BURL LAST");
  CHECK(fmt::format("{}", *parse_command("BURL imap://x;urlauth=t:internal:9135")) == "BURL");
}

}  // namespace
