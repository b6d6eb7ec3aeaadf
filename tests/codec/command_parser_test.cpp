// SPDX-License-Identifier: BSL-1.0
#include <ehlo/codec/command_parser.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <variant>

#include "support/catch.hpp"

namespace {

using ehlo::charset;
using ehlo::errc;
using ehlo::verb;

template <class Command>
Command of(std::string_view line, charset set = charset::ascii, const ehlo::leniency& taken = {}) {
  const auto parsed = ehlo::parse_command(line, set, taken);
  REQUIRE(parsed.has_value());
  REQUIRE(std::holds_alternative<Command>(*parsed));
  return std::get<Command>(*parsed);
}

}  // namespace

TEST_CASE("A line is cut at its first space, and white space at its end is dropped", "[codec][5321-4.1.1-02]") {
  const auto cut = ehlo::split_command("MaiL FROM:<a@b> X \t");
  CHECK(cut.name == verb::mail);
  CHECK(cut.word == "MaiL");
  CHECK(cut.argument == "FROM:<a@b> X");
  CHECK(cut.argument_offset == 5);
  CHECK(cut.has_space);
  CHECK_FALSE(ehlo::split_command("QUIT  ").has_space);
  CHECK(ehlo::split_command("QUIT").argument_offset == 4);
  CHECK(ehlo::split_command("").name == verb::unknown);
  CHECK(ehlo::split_command(" NOOP").name == verb::unknown);
  CHECK(ehlo::split_command("NOOP\tx").name == verb::unknown);
}

TEST_CASE("Each command is read with its arguments", "[codec]") {
  CHECK(of<ehlo::hello_command>("EHLO a.example").client.text() == "a.example");
  CHECK(of<ehlo::hello_command>("lhlo [192.0.2.1]").name == verb::lhlo);
  CHECK(of<ehlo::mail_command>("MAIL FROM:<> SIZE=1").parameters.size() == 1U);
  CHECK(of<ehlo::rcpt_command>("RCPT to:<postmaster>").forward_path.is_postmaster());
  CHECK(of<ehlo::bdat_command>("BDAT 18446744073709551615 last") ==
        ehlo::bdat_command{std::numeric_limits<std::uint64_t>::max(), true});
  CHECK(of<ehlo::bdat_command>("BDAT 00") == ehlo::bdat_command{0, false});
  CHECK(of<ehlo::lookup_command>("VRFY <a@b.example>").mailbox->text() == "a@b.example");
  CHECK_FALSE(of<ehlo::lookup_command>("EXPN \"a b\"").mailbox.has_value());
  CHECK(of<ehlo::lookup_command>("VRFY \xC3\xA9 SMTPUTF8", charset::utf8).smtputf8);
  CHECK(of<ehlo::help_command>("HELP MAIL").topic == "MAIL");
  CHECK(of<ehlo::help_command>("HELP").topic.empty());
  CHECK(of<ehlo::auth_command>("AUTH PLAIN =").initial_response == "=");
  CHECK_FALSE(of<ehlo::auth_command>("AUTH plain").initial_response.has_value());
  CHECK(of<ehlo::plain_command>("NOOP it says nothing").name == verb::noop);
  CHECK(of<ehlo::plain_command>("starttls").name == verb::starttls);
  CHECK(of<ehlo::etrn_command>("ETRN #q").node == "q");
  CHECK(of<ehlo::burl_command>("BURL imap:/x LAST").last);
}

TEST_CASE("The error of a command has its place in the line", "[codec]") {
  const struct {
    std::string_view line;
    errc code;
    std::size_t offset;
  } rows[] = {
      {"", errc::unknown_verb, 0},
      {"XFOO", errc::unknown_verb, 0},
      {"TURN", errc::verb_not_implemented, 0},
      {"SEND FROM:<a@b>", errc::verb_not_implemented, 0},
      {"NOOP a\rb", errc::bare_cr, 6},
      {"NOOP a\nb", errc::bare_lf, 6},
      {std::string_view{"NOOP a\0b", 8}, errc::nul_octet, 6},
      {"AUTH PLAIN a\rb", errc::bare_cr, 12},
      {"AUTH PLAIN a\nb", errc::bare_lf, 12},
      {std::string_view{"AUTH PLAIN a\0b", 14}, errc::nul_octet, 12},
      {"EHLO", errc::argument_missing, 4},
      {"EHLO a..b", errc::empty_label, 7},
      {"HELO [192.0.2.1]", errc::empty_label, 5},
      {"MAIL <a@b>", errc::from_missing, 5},
      {"MAIL FROM: <a@b>", errc::path_not_opened, 10},
      {"MAIL FROM:<a@b>SIZE=1", errc::trailing_octets, 15},
      {"MAIL FROM:<a@b> SIZE=1  X", errc::parameter_keyword, 23},
      {"MAIL FROM:<a@b>  X", errc::parameter_keyword, 16},
      {"RCPT <a@b>", errc::to_missing, 5},
      {"RCPT TO:<>", errc::null_path_not_allowed, 8},
      {"BDAT", errc::chunk_size, 4},
      {"BDAT x", errc::chunk_size, 5},
      {"BDAT 1x", errc::chunk_size, 6},
      {"BDAT 18446744073709551616", errc::chunk_size_too_large, 5},
      {"BDAT 99999999999999999999", errc::chunk_size_too_large, 5},
      {"BDAT 1 FIRST", errc::last_missing, 7},
      {"BDAT 1 LAST x", errc::last_missing, 7},
      {"VRFY", errc::argument_missing, 4},
      {"VRFY a b", errc::trailing_octets, 6},
      {"VRFY <a@b> x", errc::empty_string, 5},
      {"AUTH", errc::argument_missing, 4},
      {"AUTH A.B", errc::mechanism_name, 6},
      {"AUTH PLAIN a b", errc::trailing_octets, 12},
      {"DATA now", errc::argument_not_allowed, 5},
      {"RSET now", errc::argument_not_allowed, 5},
      {"QUIT now", errc::argument_not_allowed, 5},
      {"STARTTLS now", errc::argument_not_allowed, 9},
      {"ETRN local", errc::etrn_node, 5},
      {"BURL imap:/x NOW", errc::last_missing, 13},
  };
  for (const auto& row : rows) {
    CAPTURE(row.line);
    const auto parsed = ehlo::parse_command(row.line);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(ehlo::describe(parsed.error().code).text == ehlo::describe(row.code).text);
    CHECK(parsed.error().offset == row.offset);
  }
}

TEST_CASE("What is lenient takes what it names and no more", "[codec]") {
  const ehlo::leniency spaces{.space_after_colon = true};
  CHECK(of<ehlo::mail_command>("MAIL FROM: <a@b>", charset::ascii, spaces).reverse_path.text() == "<a@b>");
  CHECK(of<ehlo::rcpt_command>("RCPT TO: <a@b>", charset::ascii, spaces).forward_path.text() == "<a@b>");
  CHECK_FALSE(ehlo::parse_command("MAIL FROM:  <a@b>", charset::ascii, spaces).has_value());
  CHECK_FALSE(ehlo::parse_command("MAIL FROM :<a@b>", charset::ascii, spaces).has_value());
  const ehlo::leniency literal{.helo_literal = true};
  CHECK(of<ehlo::hello_command>("HELO [192.0.2.1]", charset::ascii, literal).client.is_address_literal());
  const ehlo::leniency words{.words_after_hello = true};
  CHECK(of<ehlo::hello_command>("EHLO [192.0.2.1] laptop", charset::ascii, words).client.text() == "[192.0.2.1]");
  CHECK_FALSE(ehlo::parse_command("EHLO a.example laptop", charset::ascii, words).has_value());
}

TEST_CASE("What is strict refuses what it names and no more", "[codec]") {
  using ehlo::route_policy;
  const auto path = [](std::string_view text) { return *ehlo::forward_path::parse(text); };
  const ehlo::strictness none;
  for (const std::string_view text : {"<@x:a@b>", "<\"\"@b>", "<@x,@y:\"\"@b>", "<Postmaster>"}) CHECK(none.check(path(text)));
  const ehlo::strictness obsolete{.source_routes = route_policy::syntax_error};
  CHECK(obsolete.check(path("<@x:a@b>")).error() == ehlo::error{errc::source_route_obsolete, 1});
  CHECK(obsolete.check(path("<\"\"@b>")));
  const ehlo::strictness refused{.source_routes = route_policy::refuse};
  CHECK(refused.check(path("<@x:a@b>")).error() == ehlo::error{errc::source_route_refused, 1});
  CHECK(refused.check(path("<\"@x:\"@b>")));
  CHECK(refused.check(ehlo::reverse_path{}));
  const ehlo::strictness empty{.empty_local_part = true};
  CHECK(empty.check(path("<\"\"@b>")).error() == ehlo::error{errc::empty_local_part, 1});
  CHECK(empty.check(path("<@x,@y:\"\"@b>")).error() == ehlo::error{errc::empty_local_part, 7});
  for (const std::string_view text : {"<@x:a@b>", "<\" \"@b>", "<\"\\\"\"@b>", "<Postmaster>"}) CHECK(empty.check(path(text)));
  CHECK(empty.check(ehlo::reverse_path{}));
}

TEST_CASE("Parameters are those offered, once each, with values of their own standards", "[codec][5321-4.1.1.11-01]") {
  using place = ehlo::custom_parameter::place;
  using value_rule = ehlo::custom_parameter::value_rule;
  const ehlo::custom_parameter own[] = {{"X-NONE", place::mail, value_rule::none},
                                        {"X-MAY", place::mail, value_rule::optional},
                                        {"X-MUST", place::rcpt, value_rule::required}};
  ehlo::offered_parameters all;
  all.size = all.eight_bit_mime = all.smtputf8 = all.dsn = all.auth = all.require_tls = all.deliver_by = true;
  all.future_release = all.priority = all.rrvs = all.mtrk = all.no_soliciting = true;
  all.custom = own;
  const auto check = [](std::string_view text, const ehlo::offered_parameters& offered, place where) {
    return ehlo::check_parameters(*ehlo::parameter_list::parse(text), offered, where);
  };
  const struct {
    place where;
    std::string_view good;
    std::string_view bad;
    errc code;
  } rows[] = {
      {place::mail, "SIZE=1", "SIZE=x", errc::size_value},
      {place::mail, "BODY=8BITMIME", "BODY=BINARYMIME", errc::body_value},
      {place::mail, "SMTPUTF8", "SMTPUTF8=1", errc::value_not_allowed},
      {place::mail, "REQUIRETLS", "REQUIRETLS=1", errc::value_not_allowed},
      {place::mail, "RET=FULL", "RET", errc::ret_value},
      {place::mail, "ENVID=x", "ENVID", errc::envid_value},
      {place::mail, "BY=1;R", "BY=0;R", errc::by_value},
      {place::mail, "HOLDFOR=1", "HOLDFOR=0", errc::hold_value},
      {place::mail, "HOLDUNTIL=2030-01-01T00:00:00Z", "HOLDUNTIL=2030", errc::hold_value},
      {place::mail, "MT-PRIORITY=1", "MT-PRIORITY=1 MT-PRIORITY=1", errc::priority_value},
      {place::mail, "MTRK=aGVsbG8", "MTRK=a", errc::tracking_value},
      {place::mail, "SOLICIT=a", "SOLICIT=1", errc::solicitation_value},
      {place::mail, "AUTH=<>", "AUTH=a", errc::auth_value},
      {place::mail, "X-NONE", "X-NONE=1", errc::value_not_allowed},
      {place::mail, "X-MAY=1 X-NONE", "X-MAY x-may=1", errc::parameter_duplicate},
      {place::rcpt, "NOTIFY=NEVER", "NOTIFY=X", errc::notify_value},
      {place::rcpt, "ORCPT=rfc822;a", "ORCPT=a", errc::orcpt_value},
      {place::rcpt, "RRVS=2014-04-03T23:01:00Z", "RRVS=2014", errc::valid_since_value},
      {place::rcpt, "X-MUST=1", "X-MUST", errc::parameter_value},
  };
  for (const auto& row : rows) {
    CAPTURE(row.good, row.bad);
    CHECK(check(row.good, all, row.where).has_value());
    const auto bad = check(row.bad, all, row.where);
    REQUIRE_FALSE(bad.has_value());
    CHECK(ehlo::describe(bad.error().code).text == ehlo::describe(row.code).text);
    // Not offered, or with the other command, it is unknown.
    CHECK(check(row.good, {}, row.where).error().code == errc::parameter_unknown);
    CHECK(check(row.good, all, row.where == place::mail ? place::rcpt : place::mail).error().code == errc::parameter_unknown);
  }
  CHECK(check("SIZE=1 RET=FULL SIZE=2", all, place::mail).error() == ehlo::error{errc::parameter_duplicate, 16});
  CHECK(check("SIZE=1 X=2", all, place::mail).error() == ehlo::error{errc::parameter_unknown, 7});
  ehlo::offered_parameters binary = all;
  binary.binary_mime = true;
  CHECK(check("BODY=BINARYMIME", binary, place::mail).has_value());
}

TEST_CASE("a command that breaks off, or says what its verb has not, tells where", "[codec]") {
  const struct {
    std::string_view line;
    ehlo::error reason;
  } rows[] = {
      {"AUTH PLAIN a b", {errc::trailing_octets, 12}},
      {"XCLIENT NAME", {errc::attribute_name, 12}},
      {"XFORWARD NAME", {errc::attribute_name, 13}},
      {"SEND FROM:<a@b.c>", {errc::verb_not_implemented, 0}},
      {"SOML FROM:<a@b.c>", {errc::verb_not_implemented, 0}},
      {"SAML FROM:<a@b.c>", {errc::verb_not_implemented, 0}},
      {"TURN", {errc::verb_not_implemented, 0}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.line);
    const auto parsed = ehlo::parse_command(row.line);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == row.reason);
  }
  CHECK(ehlo::parse_mail("FROM:<a@b.c> ").error() == ehlo::error{errc::parameter_keyword, 13});
  CHECK(ehlo::parse_auth("PLAIN ").error() == ehlo::error{errc::trailing_octets, 6});
}
