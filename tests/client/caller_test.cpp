// SPDX-License-Identifier: BSL-1.0
// What the standards leave to the program around a client session: what it learns for reports and for trying again, and what goes
// on with a message that came in from elsewhere. See tests/conformance/hooks.tsv.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/client_dialogue.hpp"
#include "support/client_turns.hpp"
#include "support/server_dialogue.hpp"

namespace {

using client_dialogue::name_of;
using client_dialogue::setup;

const std::string hello = "S: 220 hi\nC: EHLO client.example\nS: 250 mx\n";
const std::string mail = hello + "C: MAIL FROM:<a@client.example>\n";
const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";

/// What a relay makes of the question of its server: all parameters that go on unchanged.
ehlo::sender_options passed_on(const ehlo::mail_parameters& in) {
  return {.ret = in.ret(),
          .envid = in.envid(),
          .auth = in.auth(),
          .require_tls = in.require_tls(),
          .by = in.by(),
          .priority = in.has("MT-PRIORITY") ? in.priority() : std::nullopt,
          .tracking = in.tracking(),
          .solicit = in.solicit().value_or(ehlo::solicitation_keywords{}),
          .hold = in.hold()};
}
ehlo::recipient_options passed_on(const ehlo::rcpt_parameters& in) {
  return {.notify = in.notify(), .orcpt = in.orcpt(), .valid_since = in.valid_since()};
}

/// A server takes MAIL and RCPT with these parameters, and the same message goes on.
struct relay {
  explicit relay(const std::string& from, const std::string& to = "") {
    dialogue::setup how;
    how.whole_only = true;
    how.options.tls = ehlo::tls_mode::active;
    how.options.mechanisms = mechanisms;
    how.options.trusted_network = true;
    ehlo::extension_set& on = how.options.extensions;
    on.dsn = on.require_tls = on.deliver_by = on.priority = on.mtrk = on.no_soliciting = on.rrvs = true;
    how.on_mail = [this](const ehlo::mail_question& q) {
      REQUIRE(envelope.begin(q.reverse_path, passed_on(q.parameters)).has_value());
      return dialogue::answer{ehlo::replies::mail_ok};
    };
    how.on_rcpt = [this](const ehlo::rcpt_question& q) {
      REQUIRE(envelope.add(q.forward_path, passed_on(q.parameters)).has_value());
      return dialogue::answer{ehlo::replies::rcpt_ok};
    };
    check_server_dialogue("C: EHLO client.example\nS: 250\nC: MAIL FROM:<a@client.example>" + from +
                              "\nS: 250\nC: RCPT TO:<b@mx.example>" + to + "\nS: 250\n",
                          how);
  }

  /// The lines of MAIL and RCPT that go on, to a server with all extensions.
  std::string lines() const {
    const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::active};
    client_turns turns{options};
    turns.session.identify(ehlo::server_identity::verified);
    REQUIRE(turns.session.begin_transaction(envelope).has_value());
    (void)turns.after("220 hi\r\n");
    return turns.after(
        "250-mx\r\n250-PIPELINING\r\n250-DSN\r\n250-AUTH "
        "PLAIN\r\n250-REQUIRETLS\r\n250-DELIVERBY\r\n250-MT-PRIORITY\r\n250-MTRK\r\n"
        "250-NO-SOLICITING\r\n250 RRVS\r\n");
  }

  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  ehlo::envelope envelope;
};

}  // namespace

// ---- What goes on ---------------------------------------------------------------------------------------------------------------

TEST_CASE("a message that is relayed keeps the parameters it came with, to the octet, and gets none",
          "[client][caller][3461-5.2.1-01][4954-5-06][7293-8-01]") {
  const struct {
    std::string_view id;
    std::string from;
    std::string to;
  } rows[] = {
      {"3461-5.2.1-01", " RET=HDRS ENVID=a+2Bb", " NOTIFY=SUCCESS,DELAY ORCPT=rfc822;B+2Bc@Mx.Example"},
      {"3461-5.2.1-01", "", ""},
      {"4954-5-04", " AUTH=e+3Df@client.example", ""},
      {"4954-5-06", "", ""},
      {"4954-5-08", " AUTH=<>", ""},
      {"8689-5-01", " REQUIRETLS", ""},
      {"6710-4.4-01", " MT-PRIORITY=-3", ""},
      {"3885-3.3-04", " ENVID=QQ314159 MTRK=YWJjZGVmZ2hpamtsbW5vcHFyc3Q:86400", " ORCPT=rfc822;b@mx.example"},
      {"7293-6.1-01", "", " RRVS=2014-04-03T23:01:00Z;C"},
      {"7293-8-01", "", ""},
      {"2852-4.1.4.2-02", " BY=120;NT", " NOTIFY=DELAY"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.id);
    const relay through{row.from, row.to};
    CHECK(through.lines().starts_with("MAIL FROM:<a@client.example>" + row.from + "\r\nRCPT TO:<b@mx.example>" + row.to + "\r\n"));
  }
}

TEST_CASE("ORCPT may be added, with the address of RCPT as it was first used", "[client][caller][3461-5.2.1-03][3461-4.2-04]") {
  const std::string_view first = "b=c+d@mx.example";
  std::array<char, ehlo::sizes::orcpt> room{};
  std::size_t size = 0;
  for (const char c : std::string_view{"rfc822;"}) room[size++] = c;
  size = static_cast<std::size_t>(ehlo::write_xtext(first, room.data() + size) - room.data());
  ehlo::envelope out;
  REQUIRE(out.begin("a@client.example").has_value());
  REQUIRE(out.add(first, {.orcpt = *ehlo::parse_orcpt({room.data(), size})}).has_value());
  CHECK(out.recipient(0).parameters.text() == "ORCPT=rfc822;b+3Dc+2Bd@mx.example");
}

TEST_CASE("an alias changes the recipient only, a list the sender too, and neither what is asked for",
          "[client][caller][5321-3.9-01][5321-3.9.1-01][8689-4.1-04][6710-4.4-01]") {
  const relay in{" REQUIRETLS MT-PRIORITY=3", " RRVS=2014-04-03T23:01:00Z"};
  // The alias: the same sender and parameters; RRVS with a later time, or none.
  for (const std::string_view member : {"c@there.example", "d@elsewhere.example"}) {
    ehlo::envelope alias;
    REQUIRE(alias.begin(in.envelope.reverse_path(), passed_on(in.envelope.view().parameters())).has_value());
    REQUIRE(alias.add(member, {.valid_since = ehlo::valid_since{*ehlo::timestamp::parse("2020-01-01T00:00:00Z")}}).has_value());
    CHECK(alias.reverse_path().text() == "<a@client.example>");
    CHECK(alias.view().parameters().text() == "REQUIRETLS MT-PRIORITY=3");
    CHECK(alias.recipient(0).path.text() == "<" + std::string{member} + ">");
    CHECK(alias.recipient(0).parameters.text() == "RRVS=2020-01-01T00:00:00Z");
  }
  // The list: its own address gets the reports, and what came in says nothing of its members' mailboxes.
  ehlo::envelope list;
  REQUIRE(list.begin("list-owner@mx.example", passed_on(in.envelope.view().parameters())).has_value());
  REQUIRE(list.add("c@there.example").has_value());
  CHECK(list.reverse_path().text() == "<list-owner@mx.example>");
  CHECK(list.view().parameters().text() == "REQUIRETLS MT-PRIORITY=3");
  CHECK(list.recipient(0).parameters.empty());
}

TEST_CASE("a message for several is not tracked, and one that is redirected to one is", "[client][caller][3885-3.3-05]") {
  const relay in{" ENVID=QQ314159 MTRK=YWJjZGVmZ2hpamtsbW5vcHFyc3Q:86400"};
  ehlo::sender_options options = passed_on(in.envelope.view().parameters());
  REQUIRE(options.tracking.has_value());
  options.tracking.reset();
  ehlo::envelope list;
  REQUIRE(list.begin(in.envelope.reverse_path(), options).has_value());
  CHECK(list.view().parameters().text() == "ENVID=QQ314159");
}

TEST_CASE("a report has the null reverse-path, goes to the reverse-path, and is about no report",
          "[client][caller][5321-6.1-03][5321-3.6.3-03][3461-5.2-01][5321-4.4-11][4865-5.1-01][4865-5.3-01]") {
  ehlo::envelope held;
  REQUIRE(held.begin("a@client.example", {.hold = ehlo::hold_for{60}}).has_value());
  REQUIRE_FALSE(held.reverse_path().is_null());
  ehlo::envelope report;
  REQUIRE(report.begin("<>").has_value());
  REQUIRE(report.add(held.reverse_path().mailbox()->text()).has_value());
  CHECK(report.recipient(0).path.text() == "<a@client.example>");
  CHECK(report.reverse_path().text() == "<>");
  CHECK(report.view().parameters().empty());
  // Nobody is there to tell of a report that failed.
  CHECK(report.reverse_path().is_null());
  CHECK_FALSE(report.reverse_path().mailbox().has_value());
}

TEST_CASE("a client is called by a name, or by its address where it has none",
          "[client][caller][5321-4.1.1.1-01][5321-2.3.5-03][5321-2.3.4-01]") {
  setup how;
  how.mails.clear();
  for (const std::string name : {"client.example", "[192.0.2.7]", "[IPv6:2001:db8::7]"}) {
    how.options.hostname = name;
    CHECK(ehlo::host::parse(name)->is_address_literal() == name.starts_with('['));
    check_client_dialogue("S: 220 hi\nC: EHLO " + name + "\nS: 250 mx\n" + goodbye, how);
  }
  for (const std::string_view none : {"", "client_example", "[192.0.2]", "a..b"}) {
    CAPTURE(none);
    CHECK(ehlo::client_options{.hostname = none}.check().error().code == ehlo::errc::option_hostname);
  }
}

TEST_CASE("a name without a dot goes as it was given, for the caller to complete before", "[client][caller][5321-2.3.5-02]") {
  const auto given = ehlo::mailbox::parse("joe@mailhost");
  REQUIRE(given.has_value());
  CHECK(given->host().text().find('.') == std::string_view::npos);
  setup how;
  how.mails[0].to = {"joe@mailhost"};
  check_client_dialogue(mail + "S: 250 ok\nC: RCPT TO:<joe@mailhost>\nS: 550 no\nC: RSET\nS: 250 ok\n" + goodbye, how);
}

// ---- What a client learns -------------------------------------------------------------------------------------------------------

TEST_CASE("each recipient that failed is told with its whole reply and whether to try again, for one report",
          "[client][caller][5321-3.6.3-01][5321-4.4-14][5321-6.1-02][3461-6.3-02][3461-5.2.2-03][3461-5.2.2-04]") {
  setup how;
  how.options.dsn = ehlo::dsn_policy::relay;
  how.mails[0].to = {"never@mx.example", "later@mx.example", "good@mx.example"};
  how.mails[0].recipient_options = {{.notify = ehlo::notify_set{}}, {}, {.notify = ehlo::notify_set{.success = true}}};
  const auto seen = check_client_dialogue(mail + R"(
    S: 250 ok
    C: RCPT TO:<never@mx.example>
    S: 550-5.1.1 There is nobody
    S: 550 5.1.1 of that name
    C: RCPT TO:<later@mx.example>
    S: 450 4.2.1 Busy
    C: RCPT TO:<good@mx.example>
    S: 250 ok
    C: DATA
    S: 354 go
    C: Subject: x
    C:
    C: Hello
    C: .
    S: 250 taken
  )" + goodbye,
                                          how);
  CHECK(seen.has("rcpt 0 550 5.1.1 There is nobody/5.1.1 of that name"));
  CHECK(seen.has("rcpt 1 transient 450 4.2.1 Busy"));
  CHECK(seen.has("rcpt 2 250 ok"));
  CHECK(seen.has("message 0-3 250 taken"));
  // With the envelope beside it, the index tells whom a report is about and whether it is wanted.
  auto envelope = ehlo::envelope::make("a@client.example");
  REQUIRE(envelope.has_value());
  for (std::size_t i = 0; i < 3; ++i) {
    const auto options = i < how.mails[0].recipient_options.size() ? how.mails[0].recipient_options[i] : ehlo::recipient_options{};
    REQUIRE(envelope->add(how.mails[0].to[i], options).has_value());
  }
  CHECK(envelope->recipient(0).parameters.notify()->is_never());
  CHECK_FALSE(envelope->recipient(1).parameters.notify().has_value());
  CHECK(envelope->recipient(2).parameters.notify()->success);
  CHECK(envelope->reverse_path().text() == "<a@client.example>");
}

TEST_CASE("a server without DSN took a message that asked for a report of success", "[client][caller][3461-5.2.2-02]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never, .dsn = ehlo::dsn_policy::relay};
  auto envelope = ehlo::envelope::make("a@client.example");
  REQUIRE(envelope.has_value());
  REQUIRE(envelope->add("b@mx.example", {.notify = ehlo::notify_set{.success = true}}).has_value());
  for (const bool offered : {false, true}) {
    ehlo::client_session session{options};
    REQUIRE(session.begin_transaction(*envelope).has_value());
    std::string_view input =
        offered ? "220 hi\r\n250-mx\r\n250 DSN\r\n250 ok\r\n250 ok\r\n" : "220 hi\r\n250 mx\r\n250 ok\r\n250 ok\r\n";
    bool relayed = false;
    bool has_dsn = false;
    // The replies come one at a time, as the commands go.
    std::string_view rest = input;
    input = {};
    for (int turns = 0; turns < 100 && !relayed; ++turns) {
      const ehlo::client_action action = session.next(input);
      if (const auto* ready = std::get_if<ehlo::ready>(&action)) has_dsn = ready->capabilities.has(ehlo::extension::dsn);
      if (const auto* result = std::get_if<ehlo::recipient_result>(&action)) relayed = result->is_accepted();
      if (!std::holds_alternative<ehlo::receive>(action)) continue;
      const std::size_t end = rest.find(offered && rest.starts_with("250-") ? "DSN\r\n" : "\r\n");
      const std::size_t size = end + (offered && rest.starts_with("250-") ? 5U : 2U);
      input = rest.substr(0, size);
      rest.remove_prefix(size);
    }
    CHECK(relayed);
    CHECK(has_dsn == offered);
  }
}

TEST_CASE("a refusal is transient or permanent, and no session remembers it",
          "[client][caller][5321-4.2.1-02][5321-4.2.1-03][5321-4.2.5-05][5321-4.5.4.1-03][5321-4.5.4.1-04]") {
  const struct {
    std::string reply;
    bool transient;
  } rows[] = {{"421 closing", true}, {"450 busy", true}, {"452 full", true},
              {"550 no", false},     {"553 no", false},  {"599 no", false}};
  for (const auto& row : rows) {
    CAPTURE(row.reply);
    setup how;
    how.mails.push_back(client_dialogue::mail{});
    if (row.reply.starts_with("421")) {
      how.mails.pop_back();
      const auto seen = check_client_dialogue(mail + "S: 421 closing\nCLOSE\n", how);
      CHECK(seen.has("transaction failed transient"));
      continue;
    }
    // The next message with the same sender is tried as if nothing had been.
    const std::string refused = "C: MAIL FROM:<a@client.example>\nS: " + row.reply + "\n";
    const auto seen = check_client_dialogue(hello + refused + refused + goodbye, how);
    CHECK(seen.count("transaction failed") == 2);
    CHECK((seen.count("transaction failed transient") == 2) == row.transient);
  }
}

TEST_CASE("a server that insists on TLS says so in the result", "[client][caller][8689-4.2.2-02]") {
  setup how;
  how.options.tls = ehlo::tls_policy::opportunistic;
  const auto seen = check_client_dialogue(mail + "S: 530 5.7.0 Must issue a STARTTLS command first\n" + goodbye, how);
  CHECK(seen.has("transaction failed: " + name_of(ehlo::errc::mail_refused) + " 530 5.7.0 Must issue a STARTTLS command first"));
}

TEST_CASE("authentication that failed is told with its reply: later, another mechanism, or other credentials",
          "[client][caller][4954-6-02][4954-6-03]") {
  constexpr ehlo::auth_mechanism plain[] = {ehlo::mechanisms::plain};
  const struct {
    std::string_view id;
    std::string reply;
    bool transient;
  } rows[] = {
      {"4954-6-02", "454 4.7.0 Temporary authentication failure", true},
      {"4954-6-03", "534 5.7.9 Authentication mechanism is too weak", false},
      {"4954-6-03", "535 5.7.8 Authentication credentials invalid", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.id);
    setup how;
    how.mails.clear();
    how.options.mechanisms = plain;
    how.options.auth_without_tls = true;
    how.options.auth_required = false;
    const auto seen = check_client_dialogue(
        "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH PLAIN AHVzZXIAcGFzcw==\nS: " + row.reply + "\n" +
            goodbye,
        how);
    CHECK(seen.has("auth PLAIN " + row.reply.substr(0, 3)));
    const auto reply = ehlo::parse_reply(row.reply + "\r\n");
    REQUIRE(reply.has_value());
    CHECK(reply->is_transient() == row.transient);
    CHECK(reply->is_permanent() != row.transient);
  }
}

// ---- Header sections ------------------------------------------------------------------------------------------------------------

TEST_CASE("the fields that a program's own policy looks for are found by name, counted, and can be left out",
          "[client][caller][8689-3-02][8689-4.1-02][7293-5.2-01][7293-5.2-02][7293-10-01][3865-2.5-01][5321-4.4-10]") {
  const std::string_view message =
      "Return-Path: <a@b.example>\r\nTLS-Required: No\r\ntls-required: No\r\nRequire-Recipient-Valid-Since: b@mx.example;\r\n"
      " Sat, 1 Jun 2013 09:23:01 -0700\r\nSolicitation: org.example:ADV\r\nSubject: x\r\n\r\nTLS-Required: No\r\n";
  const auto count = [&](std::string_view name) {
    ehlo::header_section_reader reader;
    std::string_view input = message;
    int found = 0;
    for (;;) {
      const auto event = reader.next(input);
      if (const auto* field = std::get_if<ehlo::header_section_reader::field_start>(&event))
        found += ehlo::ascii::equal_ignoring_case(field->name, name) ? 1 : 0;
      if (std::holds_alternative<ehlo::header_section_reader::section_end>(event)) return found;
      REQUIRE_FALSE(std::holds_alternative<ehlo::header_section_reader::more>(event));
    }
  };
  CHECK(count("TLS-Required") == 2);
  CHECK(count("Require-Recipient-Valid-Since") == 1);
  CHECK(count("Solicitation") == 1);
  CHECK(count("Return-Path") == 1);
  CHECK(count("DKIM-Signature") == 0);
  // One of them is left out, the others stay.
  ehlo::header_section_reader reader;
  std::string_view input = message;
  std::string kept;
  for (bool skips = false, open = true; open;) {
    std::visit(ehlo::overloaded{
                   [&](const ehlo::header_section_reader::field_start& e) {
                     skips = ehlo::ascii::equal_ignoring_case(e.name, "Require-Recipient-Valid-Since");
                     if (!skips) kept += std::string{e.name} + ":";
                   },
                   [&](const ehlo::header_section_reader::field_value& e) {
                     if (!skips) kept += e.octets;
                   },
                   [&](const ehlo::header_section_reader::field_end&) {
                     if (!skips) kept += "\r\n";
                   },
                   [&](const ehlo::header_section_reader::section_end&) { open = false; },
                   [&](const auto&) { open = false; },
               },
               reader.next(input));
  }
  CHECK(kept ==
        "Return-Path: <a@b.example>\r\nTLS-Required: No\r\ntls-required: No\r\nSolicitation: org.example:ADV\r\nSubject: x\r\n");
  CHECK(input == "TLS-Required: No\r\n");
}

TEST_CASE("a header section may hold the fields of extensions and of reports",
          "[client][caller][5321-3.6.3-02][8689-3-01][7293-4-02][3865-2.5-01]") {
  const ehlo::person from[] = {{*ehlo::mailbox::parse("mailer-daemon@mx.example"), "Mail Delivery"}};
  const ehlo::extra_field extra[] = {{"TLS-Required", "No"},
                                     {"Solicitation", "org.example:ADV"},
                                     {"Require-Recipient-Valid-Since", "b@mx.example; Sat, 1 Jun 2013 09:23:01 -0700"},
                                     {"Content-Type", "multipart/report; report-type=delivery-status; boundary=x"}};
  std::array<char, 1000> out{};
  const auto size = write(ehlo::header_section{.from = from, .date = *ehlo::date_time::from_unix(0), .extra = extra}, out);
  REQUIRE(size.has_value());
  const std::string_view text{out.data(), *size};
  for (const std::string_view line :
       {"\r\nTLS-Required: No\r\n", "\r\nSolicitation: org.example:ADV\r\n",
        "\r\nRequire-Recipient-Valid-Since: b@mx.example; Sat, 1 Jun 2013 09:23:01", "\r\nContent-Type: multipart/report;"}) {
    CAPTURE(line);
    CHECK(text.find(line) != text.npos);
  }
}
