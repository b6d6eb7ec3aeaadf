// SPDX-License-Identifier: BSL-1.0
// What an envelope takes, keeps and gives back; and that nothing in it can become another command or parameter on its way through
// a client to the server's parser.
#include <ehlo/envelope.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/client/session.hpp>
#include <ehlo/codec/command_parser.hpp>

#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using namespace ehlo;

/// The lines that a client sends for an envelope, to a server that offers all that it could need; without CRLF.
std::vector<std::string> lines_of(envelope_view mail) {
  constexpr std::string_view keywords[] = {"XKEY"};
  const client_options options{
      .hostname = "c", .tls = tls_policy::active, .chunking = chunking_policy::never, .keywords = keywords};
  client_session session{options};
  session.identify(server_identity::verified);
  REQUIRE(session.begin_transaction(mail, message_traits{.size = 10, .body = body_type::seven_bit}).has_value());
  std::string sent;
  const auto feed = [&](std::string_view octets) {
    for (;;) {
      const auto action = session.next(octets);
      if (const auto* const out = std::get_if<transmit>(&action)) sent += out->octets;
      if (std::holds_alternative<transaction_failed>(action)) FAIL("the envelope does not go");
      if (std::holds_alternative<receive>(action) || std::holds_alternative<mail_data_question>(action) ||
          std::holds_alternative<close_channel>(action))
        return;
    }
  };
  feed("220 hi\r\n");
  feed(
      "250-mx\r\n250-DSN\r\n250-AUTH "
      "X\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n250-REQUIRETLS\r\n250-NO-SOLICITING\r\n250-MTRK\r\n250-RRVS\r\n250 XKEY\r\n");
  sent.erase(0, sent.find('\n') + 1);
  std::vector<std::string> out;
  for (std::size_t i = 0; i <= mail.recipient_count(); ++i) feed("250 ok\r\n");
  for (std::size_t at = 0; at < sent.size();) {
    const std::size_t end = sent.find("\r\n", at);
    REQUIRE(end != sent.npos);
    out.push_back(sent.substr(at, end - at));
    at = end + 2;
  }
  return out;
}

/// What a server offers that takes all of it.
constexpr custom_parameter own_parameters[] = {{"XKEY", custom_parameter::place::mail},
                                               {"XKEY", custom_parameter::place::rcpt},
                                               {"REQUIRETLS", custom_parameter::place::mail, custom_parameter::value_rule::none}};
constexpr offered_parameters offered{.size = true,
                                     .eight_bit_mime = true,
                                     .smtputf8 = true,
                                     .dsn = true,
                                     .auth = true,
                                     .rrvs = true,
                                     .mtrk = true,
                                     .no_soliciting = true,
                                     .custom = own_parameters};

/// Sends the envelope, and reads the commands back by the server's parser: the same paths and parameters, and nothing else.
void check_round_trip(envelope_view mail) {
  const auto lines = lines_of(mail);
  REQUIRE(lines.size() >= mail.recipient_count() + 1U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(lines[i], strings::hex(lines[i]));
    CHECK(std::ranges::none_of(lines[i], [](char c) { return ascii::control.contains(c); }));
  }
  const auto first = parse_command(lines[0], charset::utf8);
  CAPTURE(lines[0]);
  REQUIRE(first.has_value());
  const auto* const sender = std::get_if<mail_command>(&*first);
  REQUIRE(sender != nullptr);
  CHECK(sender->reverse_path.text() == mail.reverse_path().text());
  CHECK(check_parameters(sender->parameters.list(), offered, custom_parameter::place::mail, charset::utf8).has_value());
  const auto own = static_cast<std::size_t>(std::ranges::count_if(sender->parameters.list(), [](const parameter& p) {
    return p.keyword == "SIZE" || p.keyword == "BODY" || p.keyword == "SMTPUTF8";
  }));
  CHECK(static_cast<std::size_t>(std::distance(sender->parameters.list().begin(), sender->parameters.list().end())) - own ==
        static_cast<std::size_t>(std::distance(mail.parameters().list().begin(), mail.parameters().list().end())));
  CHECK(sender->parameters.text().ends_with(mail.parameters().text()));
  std::size_t at = 1;
  for (const recipient& to : mail) {
    CAPTURE(lines[at]);
    const auto read = parse_command(lines[at++], charset::utf8);
    REQUIRE(read.has_value());
    const auto* const command = std::get_if<rcpt_command>(&*read);
    REQUIRE(command != nullptr);
    CHECK(command->forward_path.text() == to.path.text());
    CHECK(command->parameters.text() == to.parameters.text());
    CHECK(check_parameters(command->parameters.list(), offered, custom_parameter::place::rcpt, charset::utf8).has_value());
  }
  if (at < lines.size()) CHECK(lines[at] == "DATA");
}

/// A mailbox of exactly `size` octets, its local-part as long as may be.
std::string mailbox_of(std::size_t size) { return std::string(64, 'l') + "@" + strings::domain_of(size - 65); }

}  // namespace

TEST_CASE("an envelope gives back what was put in, in order, without source routes",
          "[envelope][5321-3.3-04][5321-4.1.1.3-01][5321-2.4-03]") {
  const auto mail = envelope::make("<@r.example:A@b.example>",
                                   {"SmIth@X.example", "<@r,@s:c@d.example>", "<postMASTER>", "\"a\\ b>\"@[192.0.2.1]"});
  REQUIRE(mail.has_value());
  CHECK(mail->reverse_path().text() == "<A@b.example>");
  CHECK(mail->recipient_count() == 4);
  std::vector<std::string> paths;
  for (const recipient& to : mail->view()) {
    CHECK(to.index == paths.size());
    CHECK(to == mail->recipient(to.index));
    CHECK_FALSE(to.path.has_route());
    paths.emplace_back(to.path.text());
  }
  CHECK(paths == std::vector<std::string>{"<SmIth@X.example>", "<c@d.example>", "<Postmaster>", "<\"a\\ b>\"@[192.0.2.1]>"});
  const envelope_view view = mail->view();
  auto at = view.begin();
  CHECK((*at++).index == 0);
  CHECK((*at).index == 1);
  check_round_trip(*mail);
  CHECK(envelope::make("<>", {"a@b"})->reverse_path().is_null());
  CHECK(envelope{}.view().empty());
  CHECK(envelope{}.reverse_path().is_null());
  CHECK(envelope{}.recipient_count() == 0);
}

TEST_CASE("what is no path makes no envelope, and a failed addition leaves it as it was", "[envelope][threats][T17]") {
  for (const std::string_view from :
       {"", "a", "a@", "@b", "a@b c", "<a@b", "a@b>", "<a@b>x", "<<a@b>>", "<@r>", "<postmaster>", "a@b,c@d"}) {
    CAPTURE(from);
    CHECK_FALSE(envelope::make(from, {"a@b"}).has_value());
    envelope mail = *envelope::make("a@b", {"c@d"});
    CHECK_FALSE(mail.begin(from).has_value());
    CHECK(mail.view().empty());
    CHECK(mail.recipient_count() == 0);
    CHECK(mail.add("c@d").error().code == errc::out_of_order);
  }
  envelope mail = *envelope::make("a@b", {"c@d"});
  const std::string before{mail.view().octets()};
  for (const std::string_view to : {"", "<>", "a", "<a@b", "<a@b> NOTIFY=NEVER", "a@b\r\nDATA", "<a@b>\r\n", "a@b ", " a@b"}) {
    CAPTURE(to);
    CHECK_FALSE(mail.add(to).has_value());
    CHECK(mail.view().octets() == before);
    CHECK(mail.recipient_count() == 1);
  }
  CHECK(mail.add("<>").error().code == errc::null_path_not_allowed);
}

TEST_CASE("the longest path goes in, and one octet more does not", "[envelope][5321-4.5.3.1.3-01]") {
  const std::string most = mailbox_of(sizes::path - 2);
  const std::string over = mailbox_of(sizes::path - 1);
  const auto mail = envelope::make(most, {most, "<" + most + ">"});
  REQUIRE(mail.has_value());
  CHECK(mail->recipient(1).path.text() == "<" + most + ">");
  check_round_trip(*mail);
  for (const std::string& text : {over, "<" + over + ">"}) {
    CHECK(envelope::make(text).error().code == errc::path_too_long);
    CHECK(envelope::make("<>", {text}).error().code == errc::path_too_long);
  }
  const std::string local = std::string(65, 'l') + "@b";
  CHECK(envelope::make(local).error().code == errc::local_part_too_long);
}

TEST_CASE("parameters of both commands go in by their types and come back by them", "[envelope][3461-4.5-01][3461-5.2.1-01]") {
  const auto claimed = claimed_submitter::parse("e+3Dmc2@x.example");
  REQUIRE(claimed.has_value());
  const sender_options from{.ret = ret_type::hdrs,
                            .envid = *parse_envid("QQ+2B314"),
                            .auth = *claimed,
                            .require_tls = true,
                            .further = *parameter_list::parse("XKEY=v")};
  auto mail = envelope::make("a@b.example", {}, from);
  REQUIRE(mail.has_value());
  for (unsigned bits = 0; bits < 8; ++bits) {
    const notify_set on{.success = (bits & 1U) != 0, .failure = (bits & 2U) != 0, .delay = (bits & 4U) != 0};
    const original_recipient first{bits % 2 == 0 ? "rfc822" : "UTF-8", bits % 2 == 0 ? "A+2Bb@c" : "\\x{E9}@c"};
    REQUIRE(mail->add("c@d.example", {.notify = on, .orcpt = first, .further = *parameter_list::parse("XKEY")}).has_value());
    const auto read = mail->recipient(bits).parameters;
    CHECK(read.notify() == on);
    CHECK(read.orcpt() == first);
    CHECK(read.has("xkey"));
  }
  const auto read = mail->view().parameters();
  CHECK(read.text() == "RET=HDRS ENVID=QQ+2B314 AUTH=e+3Dmc2@x.example REQUIRETLS XKEY=v");
  CHECK(read.ret() == ret_type::hdrs);
  CHECK(read.envid()->text() == "QQ+2B314");
  CHECK(read.auth()->mailbox->text() == "e+3Dmc2@x.example");
  check_round_trip(*mail);
  CHECK(envelope::make("<>", {}, {.auth = claimed_submitter{}})->view().parameters().text() == "AUTH=<>");
}

TEST_CASE("a value at its limit goes in, one octet more or another octet does not", "[envelope][3461-5.4-01]") {
  const std::string most(100, 'e');
  CHECK(envelope::make("<>", {}, {.envid = *xtext::parse(most)}).has_value());
  CHECK(envelope::make("<>", {}, {.envid = *xtext::parse(most + "e")}).error().code == errc::envid_too_long);
  auto mail = *envelope::make("<>");
  const std::string address(493, 'o');
  CHECK(mail.add("a@b", {.orcpt = original_recipient{"rfc822", address}}).has_value());
  const std::string longer = address + "o";
  CHECK(mail.add("a@b", {.orcpt = original_recipient{"rfc822", longer}}).error().code == errc::orcpt_too_long);
  CHECK(mail.add("a@b", {.orcpt = original_recipient{"rfc822", std::string(3000, 'o')}}).error().code == errc::orcpt_too_long);
  CHECK(mail.recipient_count() == 1);
  check_round_trip(mail);

  const std::string whole = "XKEY=" + std::string(2048 - 5, 'v');
  CHECK(mail.add("a@b", {.further = *parameter_list::parse(whole)}).has_value());
  CHECK(mail.recipient(1).parameters.text() == whole);
  const std::string over = whole + "v";
  CHECK(mail.add("a@b", {.further = *parameter_list::parse(over)}).error().code == errc::line_too_long);
  CHECK(mail.begin("<>", {.require_tls = true, .further = *parameter_list::parse(whole)}).error().code == errc::line_too_long);
  CHECK(mail.view().empty());
}

TEST_CASE("a further parameter that ehlo writes by itself is refused, in any case and at any place", "[envelope][3461-4.5-01]") {
  for (const std::string keyword :
       {"SIZE=1", "BODY=8BITMIME", "SMTPUTF8", "RET=FULL", "ENVID=x", "AUTH=<>", "REQUIRETLS", "NOTIFY=NEVER", "ORCPT=rfc822;a"}) {
    std::string lower = keyword;
    std::ranges::transform(lower, lower.begin(), [](char c) { return ascii::to_lower(c); });
    for (const std::string& text : {keyword, lower, "XKEY=1 " + keyword, lower + " XKEY"}) {
      CAPTURE(text);
      const auto list = parameter_list::parse(text);
      REQUIRE(list.has_value());
      CHECK(envelope::make("<>", {}, {.further = *list}).error().code == errc::parameter_duplicate);
      auto mail = *envelope::make("<>");
      CHECK(mail.add("a@b", {.further = *list}).error().code == errc::parameter_duplicate);
      CHECK(mail.recipient_count() == 0);
    }
  }
}

TEST_CASE("no octet at any place of any part of an envelope makes another line or another parameter",
          "[envelope][5321-2.3.8-04][threats][T17][T18][T19]") {
  // Each puts a text into one place of an envelope, if that takes it.
  using part = std::function<std::optional<envelope>(const std::string&)>;
  const auto made = [](result<envelope> mail) { return mail ? std::optional<envelope>{std::move(*mail)} : std::nullopt; };
  const auto to = [](const recipient_options& options) -> std::optional<envelope> {
    auto mail = *envelope::make("<>");
    if (!mail.add("b@mx.example", options)) return std::nullopt;
    return mail;
  };
  const std::vector<std::pair<std::string, part>> parts{
      {"a.b@c.example", [&](const std::string& t) { return made(envelope::make(t, {"b@mx.example"})); }},
      {"<a@[IPv6:::1]>", [&](const std::string& t) { return made(envelope::make(t, {"b@mx.example"})); }},
      {"\"a\\b\"@c", [&](const std::string& t) { return made(envelope::make("<>", {t})); }},
      {"<@r:a@b>", [&](const std::string& t) { return made(envelope::make("<>", {t})); }},
      {"\xC3\xA9@\xE2\x82\xAC.example", [&](const std::string& t) { return made(envelope::make("<>", {t})); }},
      {"QQ+2B3",
       [&](const std::string& t) {
         const auto envid = xtext::parse(t);
         return envid ? made(envelope::make("<>", {"b@mx.example"}, {.envid = *envid})) : std::nullopt;
       }},
      {"a+2Bb@c",
       [&](const std::string& t) {
         const auto claimed = claimed_submitter::parse(t);
         return claimed ? made(envelope::make("<>", {"b@mx.example"}, {.auth = *claimed})) : std::nullopt;
       }},
      {"a+2Bb@c",  // not checked by its own parser
       [&](const std::string& t) {
         const auto value = xtext::parse(t);
         return value ? made(envelope::make("<>", {"b@mx.example"}, {.auth = claimed_submitter{*value}})) : std::nullopt;
       }},
      {"rfc822",
       [&](const std::string& t) {
         return to({.orcpt = original_recipient{t, "a@b"}});
       }},
      {"a+2B@b",
       [&](const std::string& t) {
         return to({.orcpt = original_recipient{"rfc822", t}});
       }},
      {"\xC3\xA9\\x{E9}@b",
       [&](const std::string& t) {
         return to({.orcpt = original_recipient{"utf-8", t}});
       }},
      {"net.example:ADV,x",
       [&](const std::string& t) {
         const auto keywords = solicitation_keywords::parse(t);
         return keywords ? made(envelope::make("<>", {"b@mx.example"}, {.solicit = *keywords})) : std::nullopt;
       }},
      {"aGVsbG8",  // checked by the envelope
       [&](const std::string& t) {
         return made(envelope::make("<>", {"b@mx.example"}, {.envid = *xtext::parse("Q"), .tracking = tracking{t, 60}}));
       }},
      {"2014-04-03T23:01:00+01:00;C",
       [&](const std::string& t) {
         const auto since = parse_valid_since(t);
         return since ? to({.valid_since = *since}) : std::nullopt;
       }},
      {"XKEY=v",
       [&](const std::string& t) {
         const auto list = parameter_list::parse(t, charset::utf8);
         return list ? to({.further = *list}) : std::nullopt;
       }},
  };
  std::size_t taken = 0;
  for (std::size_t which = 0; which < parts.size(); ++which) {
    const auto& [text, put] = parts[which];
    for (std::size_t place = 0; place <= text.size(); ++place) {
      for (int value = 0; value < 256; ++value) {
        for (const std::size_t replaced : {0U, 1U}) {
          if (replaced == 1 && place == text.size()) continue;
          std::string other = text;
          other.replace(place, replaced, 1, static_cast<char>(value));
          const auto mail = put(other);
          if (!mail) continue;
          CAPTURE(which, strings::hex(other));
          if (value < 32 || value == 127) FAIL("a control octet got in");
          // Parameters of the caller's that the server does not offer do not go at all.
          const auto further = mail->recipient(0).parameters.list();
          if (which + 1 == parts.size() &&
              !std::ranges::all_of(further, [](const parameter& p) { return ascii::equal_ignoring_case(p.keyword, "XKEY"); }))
            continue;
          ++taken;
          check_round_trip(*mail);
        }
      }
    }
  }
  CHECK(taken > 2000);
}

TEST_CASE("UTF-8 anywhere in an envelope is seen", "[envelope][6531-3.4-01][6531-3.4-03]") {
  const std::string_view ascii_only = "a@b.example";
  CHECK_FALSE(envelope::make(ascii_only, {ascii_only})->view().needs_smtputf8());
  CHECK_FALSE(envelope{}.view().needs_smtputf8());
  CHECK(envelope::make("\xC3\xA9@b", {ascii_only})->view().needs_smtputf8());
  CHECK(envelope::make("a@\xC3\xA9", {ascii_only})->view().needs_smtputf8());
  CHECK(envelope::make(ascii_only, {ascii_only, "\xC3\xA9@b"})->view().needs_smtputf8());
  CHECK(envelope::make(ascii_only, {}, {.further = *parameter_list::parse("X=\xC3\xA9", charset::utf8)})->view().needs_smtputf8());
  auto mail = *envelope::make(ascii_only, {ascii_only});
  REQUIRE(mail.add(ascii_only, {.orcpt = original_recipient{"utf-8", "\xC3\xA9@b"}}).has_value());
  CHECK(mail.view().needs_smtputf8());
}

TEST_CASE("a fixed envelope holds what it says and not an octet more, and a refused recipient leaves no trace", "[envelope]") {
  // <a@b> and <c@d>: five octets and four more for each.
  CHECK(fixed_envelope<18>::make("a@b", {"c@d"}).has_value());
  CHECK(fixed_envelope<17>::make("a@b", {"c@d"}).error().code == errc::out_of_memory);
  CHECK(fixed_envelope<8>::make("a@b").error().code == errc::out_of_memory);
  auto mail = *fixed_envelope<20>::make("a@b", {"c@d"});
  CHECK(mail.add("e@f").error().code == errc::out_of_memory);
  CHECK(mail.recipient_count() == 1);
  CHECK(mail.view().octets().size() == 18);
  CHECK(mail.begin("<>").has_value());
  CHECK(mail.add("e@f").has_value());
  CHECK(mail.recipient(0).path.text() == "<e@f>");
}

TEST_CASE("an envelope grows to any number of recipients, and moves without a copy", "[envelope]") {
  auto mail = *envelope::make("a@b");
  for (int i = 0; i < 5000; ++i) REQUIRE(mail.add("user" + std::to_string(i) + "@mx.example").has_value());
  const char* const place = mail.view().octets().data();
  const envelope moved = std::move(mail);
  CHECK(moved.view().octets().data() == place);
  CHECK(moved.recipient_count() == 5000);
  std::uint32_t seen = 0;
  for (const recipient& to : moved.view()) {
    if (to.path.text() != "<user" + std::to_string(seen) + "@mx.example>" || to.index != seen) FAIL("another recipient");
    ++seen;
  }
  CHECK(seen == 5000);
  auto copy_of_view = moved.view();
  CHECK(copy_of_view.recipient(4999).path.text() == "<user4999@mx.example>");
}

TEST_CASE("an envelope without octets has a null reverse-path, no parameters and no recipients", "[envelope]") {
  const envelope_view none{};
  CHECK(none.empty());
  CHECK(none.reverse_path().is_null());
  CHECK(none.parameters().empty());
  CHECK(none.recipient_count() == 0);
  CHECK(none.begin() == none.end());
}

TEST_CASE("a time of delivery that the standard does not allow makes no envelope", "[envelope]") {
  for (const std::int32_t seconds : {0, -1}) {
    sender_options options;
    options.by = deliver_by{seconds, by_mode::return_message};
    CHECK(envelope::make("a@b.example", {"c@d.example"}, options).error().code == errc::by_value);
  }
}
