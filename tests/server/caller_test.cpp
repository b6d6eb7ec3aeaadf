// SPDX-License-Identifier: BSL-1.0
// What the standards leave to the program around a server session: the verdicts that it may give, what it is told for them, and the
// options that switch them. See tests/conformance/hooks.tsv.
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <ehlo/ehlo.hpp>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string with_mail = hello + "C: MAIL FROM:<a@client.example>\nS: 250\n";
const std::string with_rcpt = with_mail + "C: RCPT TO:<b@mx.example>\nS: 250\n";
const std::string with_data = with_rcpt + "C: DATA\nS: 354\nC: Subject: x\nC:\nC: text\nC: .\n";

/// Where a verdict is given.
enum class at { greeting, mail, rcpt, data, message, vrfy, expn };

/// The line that a reply is.
std::string line_of(const ehlo::reply& r) {
  std::string out = std::to_string(r.code()) + " ";
  if (!r.enhanced().is_none()) {
    std::array<char, 16> code{};
    out += std::string{code.data(), static_cast<std::size_t>(ehlo::write(r.enhanced(), code.data()) - code.data())} + " ";
  }
  return out + std::string{r.text()};
}

/// Gives `verdict` at one place: the client hears it, word for word, and nothing is taken.
void refuse(at where, const ehlo::reply& verdict) {
  const answer given = verdict;
  setup how;
  how.options.extensions.expn = true;
  std::string heard = "S: " + line_of(verdict) + "\n";
  std::string play;
  switch (where) {
    case at::greeting:
      how.on_greeting = [&](const ehlo::greeting_question&) { return given; };
      heard = "S: " + std::to_string(verdict.code()) + " mx.example " + std::string{verdict.text()} + "\n";
      break;
    case at::mail:
      how.on_mail = [&](const ehlo::mail_question&) { return given; };
      play = hello + "C: MAIL FROM:<a@client.example> SIZE=1000000000000\n";
      how.options.limits.message = 0;
      break;
    case at::rcpt:
      how.on_rcpt = [&](const ehlo::rcpt_question&) { return given; };
      play = with_mail + "C: RCPT TO:<@relay.example:b@mx.example>\n";
      break;
    case at::data:
      how.on_data = [&](const ehlo::data_question&) { return given; };
      play = with_rcpt + "C: DATA\n";
      break;
    case at::message:
      how.on_message = [&](const ehlo::message_question&) { return given; };
      play = with_data;
      break;
    case at::vrfy:
      how.on_vrfy = [&](const ehlo::vrfy_question&) { return given; };
      play = hello + "C: VRFY list\n";
      break;
    case at::expn:
      how.on_expn = [&](const ehlo::expn_question&) { return given; };
      play = hello + "C: EXPN joe\n";
      break;
  }
  CAPTURE(line_of(verdict));
  const auto seen = check_server_dialogue(play + heard, how);
  CHECK(seen.messages.empty());
}

setup submission() {
  setup out;
  out.options = ehlo::submission_options("mx.example", mechanisms);
  out.on_auth = [](const ehlo::auth_question&) { return answer{dialogue::authenticated{}}; };
  return out;
}

const std::string known = hello + "C: AUTH EXTERNAL =\nS: 235\n";

/// The value in days of 1970 as reports want it.
std::string date_after(std::int64_t seconds) {
  std::array<char, ehlo::date_time::max_size> out{};
  const auto date = ehlo::date_time::from_unix(seconds);
  REQUIRE(date.has_value());
  return {out.data(), static_cast<std::size_t>(date->write(out.data()) - out.data())};
}

}  // namespace

// ---- Verdicts -------------------------------------------------------------------------------------------------------------------

TEST_CASE("a verdict of the caller is what the client hears", "[server][caller]") {
  const struct {
    std::string_view id;
    at where;
    ehlo::reply verdict;
  } rows[] = {
      {"5321-3.1-05", at::greeting, *ehlo::reply::make(554, {}, "No mail from your network, see https://mx.example/why")},
      {"7504-3-03", at::greeting, *ehlo::reply::make(554, {}, "Your host is refused")},
      {"1870-7-03", at::mail, ehlo::replies::insufficient_storage},
      {"5321-3.6.2-02", at::mail, *ehlo::reply::make(550, {5, 1, 8}, "This return path leads nowhere")},
      {"6409-3.2-02", at::mail, *ehlo::reply::make(550, {5, 1, 8}, "No return path of this user")},
      {"6409-6.1-01", at::mail, *ehlo::reply::make(550, {5, 7, 1}, "Not the address of this user")},
      {"1870-6.4-01", at::rcpt, ehlo::replies::too_large_for_mailbox},
      {"1870-6.4-01", at::rcpt, ehlo::replies::mailbox_full},
      {"3207-4-05", at::rcpt, *ehlo::reply::make(550, {5, 7, 1}, "Relaying for hosts with a certificate only")},
      {"5321-3.3-07", at::rcpt, ehlo::replies::relaying_denied},
      {"5321-4.1.1-03", at::rcpt, ehlo::replies::mailbox_name_not_allowed},
      {"5321-4.1.1.3-06", at::rcpt, *ehlo::reply::make(550, {5, 7, 1}, "No source routes")},
      {"5321-4.5.3.1.10-03", at::rcpt, *ehlo::reply::make(550, {5, 5, 3}, "Too many recipients by our policy")},
      {"6409-6.2-01", at::rcpt, *ehlo::reply::make(550, {5, 7, 1}, "Not allowed to send there")},
      {"7293-5-02", at::rcpt, ehlo::replies::try_later},
      {"7293-5-02", at::rcpt, ehlo::replies::owner_unknown},
      {"5321-4.5.3.1.10-04", at::data, *ehlo::reply::make(503, {5, 5, 3}, "Too many recipients")},
      {"5321-2.4-12", at::message, *ehlo::reply::make(554, {5, 6, 1}, "Not to be delivered intact")},
      {"5321-3.3-16", at::message, ehlo::replies::transaction_failed},
      {"5321-3.3-16", at::message, ehlo::replies::insufficient_storage},
      {"5321-3.3-16", at::message, ehlo::replies::local_error},
      {"5321-3.3-16", at::message, ehlo::replies::policy_refusal},
      {"5321-3.3-16", at::message, ehlo::replies::storage_exceeded},
      {"6409-6.3-01", at::message, *ehlo::reply::make(554, {5, 6, 0}, "Header section is no good")},
      {"6409-6.3-01", at::message, *ehlo::reply::make(550, {5, 7, 1}, "Not from this user")},
      {"6409-6.3-01", at::message, *ehlo::reply::make(550, {5, 7, 0}, "Not with this content")},
      {"5321-3.5.1-06", at::vrfy, ehlo::replies::no_such_mailbox},
      {"5321-3.5.1-06", at::expn, ehlo::replies::no_such_mailbox},
  };
  for (const auto& row : rows) {
    CAPTURE(row.id);
    refuse(row.where, row.verdict);
  }
}

TEST_CASE("EXPN may give the one mailbox of a user", "[server][caller][5321-3.5.1-06]") {
  setup how;
  how.options.extensions.expn = true;
  how.on_expn = [](const ehlo::expn_question&) { return answer{dialogue::listed{{{"", "joe@mx.example"}}}}; };
  check_server_dialogue(hello + "C: EXPN joe\nS: 250 2.1.5 <joe@mx.example>\n", how);
}

TEST_CASE("postmaster may be reached without AUTH where the caller decides at RCPT", "[server][caller][6409-6.4-01]") {
  setup how = submission();
  how.options.trusted_network = true;
  how.on_rcpt = [](const ehlo::rcpt_question& q) {
    return answer{q.forward_path.is_postmaster() ? ehlo::replies::rcpt_ok : ehlo::replies::authentication_required};
  };
  check_server_dialogue(
      with_mail + "C: RCPT TO:<b@elsewhere.example>\nS: 530 5.7.0\nC: RCPT TO:<postmaster@mx.example>\nS: 250\nC: DATA\nS: 354\n",
      how);
}

TEST_CASE("250 to a message leaves when the caller has taken it, at once and not before",
          "[server][caller][5321-2.1-01][5321-4.2.5-01][5321-6.1-01][5321-6.1-05]") {
  const ehlo::server_options options{.hostname = "mx.example"};
  ehlo::server_session session{options};
  std::string sent;
  std::string_view input;
  const auto run = [&]() -> ehlo::server_action {
    for (;;) {
      const ehlo::server_action action = session.next(input);
      if (const auto* out = std::get_if<ehlo::transmit>(&action)) {
        sent += out->octets;
      } else if (!std::holds_alternative<ehlo::mail_data>(action)) {
        return action;
      }
    }
  };
  REQUIRE(std::holds_alternative<ehlo::greeting_question>(run()));
  REQUIRE(session.accept().has_value());
  (void)run();
  for (const std::string_view line :
       {"EHLO c.example\r\n", "MAIL FROM:<a@c.example>\r\n", "RCPT TO:<b@mx.example>\r\n", "DATA\r\n"}) {
    input = line;
    (void)run();
    REQUIRE(session.accept().has_value());
    (void)run();
  }
  sent.clear();
  input = "text\r\n.\r\nNOOP\r\n";
  REQUIRE(std::holds_alternative<ehlo::message_question>(run()));
  const ehlo::server_action waits = run();
  REQUIRE(std::holds_alternative<ehlo::answer_due>(waits));
  CHECK(sent.empty());
  CHECK(session.timeout().seconds == 0);
  // Whoever has waited for too long for its own decision gives the careful answer, or 250 goes with the very next action.
  ehlo::server_session slow = session;
  REQUIRE(session.accept().has_value());
  const ehlo::server_action next = session.next(input);
  const auto* const out = std::get_if<ehlo::transmit>(&next);
  REQUIRE(out != nullptr);
  CHECK(out->octets.starts_with("250 2.6.0"));
  REQUIRE(slow.answer_default(std::get<ehlo::answer_due>(waits).ticket).has_value());
  const ehlo::server_action careful = slow.next(input);
  REQUIRE(std::holds_alternative<ehlo::transmit>(careful));
  CHECK(std::get<ehlo::transmit>(careful).octets.starts_with("451 4.3.0"));
}

// ---- What the questions tell ----------------------------------------------------------------------------------------------------

TEST_CASE("the questions tell what reports are asked for",
          "[server][caller][3461-4.1-04][3461-4.1-05][3461-5.2.3-01][3461-5.2.5-01][3461-5.2.6-01]") {
  const struct {
    std::string_view id;
    std::string_view parameters;
    std::optional<ehlo::notify_set> notify;
  } rows[] = {
      {"3461-4.1-04", " NOTIFY=NEVER", ehlo::notify_set{}},
      {"3461-4.1-05", "", std::nullopt},
      {"3461-5.2.3-01", " NOTIFY=SUCCESS", ehlo::notify_set{.success = true}},
      {"3461-5.2.5-01", " NOTIFY=FAILURE", ehlo::notify_set{.failure = true}},
      {"3461-5.2.6-01", " NOTIFY=SUCCESS,DELAY", ehlo::notify_set{.success = true, .delay = true}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.id);
    int asked = 0;
    setup how;
    how.options.extensions.dsn = true;
    how.on_rcpt = [&](const ehlo::rcpt_question& q) {
      ++asked;
      CHECK(q.parameters.notify() == row.notify);
      return answer{ehlo::replies::rcpt_ok};
    };
    check_server_dialogue(with_mail + "C: RCPT TO:<b@mx.example>" + std::string{row.parameters} + "\nS: 250\n", how);
    CHECK(asked > 0);
  }
}

TEST_CASE("a report has envelope identifier, original recipient and how much it returns, decoded",
          "[server][caller][3461-6.3-01][3461-4.2-02][3461-4.3-02][3461-4.3-03][3461-6.2-01]") {
  int mails = 0;
  int rcpts = 0;
  setup how;
  how.options.extensions.dsn = true;
  how.on_mail = [&](const ehlo::mail_question& q) {
    ++mails;
    const bool plain = q.reverse_path.text() == "<plain@client.example>";
    CHECK(q.parameters.ret() == (plain ? std::nullopt : std::optional{ehlo::ret_type::hdrs}));
    REQUIRE(q.parameters.envid().has_value() != plain);
    if (!plain) {
      std::array<char, ehlo::sizes::envid> decoded{};
      const char* const end = q.parameters.envid()->decode(decoded.data());
      CHECK(std::string_view{decoded.data(), static_cast<std::size_t>(end - decoded.data())} == "a+b");
    }
    return answer{ehlo::replies::mail_ok};
  };
  how.on_rcpt = [&](const ehlo::rcpt_question& q) {
    ++rcpts;
    const auto orcpt = q.parameters.orcpt();
    if (q.forward_path.text() == "<b@mx.example>") {
      // No registered type: passed through for the caller to decide.
      CHECK((orcpt && orcpt->address_type == "x-own" && orcpt->address == "b+2Bc"));
    } else {
      CHECK_FALSE(orcpt.has_value());
    }
    return answer{ehlo::replies::rcpt_ok};
  };
  check_server_dialogue(hello +
                            "C: MAIL FROM:<a@client.example> RET=HDRS ENVID=a+2Bb\nS: 250\nC: RCPT TO:<b@mx.example> "
                            "ORCPT=x-own;b+2Bc\nS: 250\nC: RSET\nS: 250\nC: MAIL FROM:<plain@client.example>\nS: 250\nC: RCPT "
                            "TO:<c@mx.example>\nS: 250\n",
                        how);
  CHECK(mails > 0);
  CHECK(rcpts == mails);
}

TEST_CASE("the time by which a message is wanted is seconds from now, to which the caller adds its clock",
          "[server][caller][2852-4-07][2852-4.1.2-01][2852-4.1.3-01][2852-4.1.4-02][2852-5-01]") {
  constexpr std::int64_t now = 1'000'000'000;
  const struct {
    std::string_view value;
    ehlo::deliver_by by;
    std::string_view deliver_by_date;
  } rows[] = {
      {"120;R", {120, ehlo::by_mode::return_message, false}, "Sun, 9 Sep 2001 01:48:40 +0000"},
      {"3600;NT", {3600, ehlo::by_mode::notify, true}, "Sun, 9 Sep 2001 02:46:40 +0000"},
      {"-60;N", {-60, ehlo::by_mode::notify, false}, "Sun, 9 Sep 2001 01:45:40 +0000"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.value);
    int asked = 0;
    setup how;
    how.options.extensions.dsn = true;
    how.options.extensions.deliver_by = true;
    how.on_mail = [&](const ehlo::mail_question& q) {
      ++asked;
      const auto by = q.parameters.by();
      CHECK(by == row.by);
      CHECK(date_after(now + (by ? by->seconds : 0)) == row.deliver_by_date);
      return answer{ehlo::replies::mail_ok};
    };
    how.on_rcpt = [](const ehlo::rcpt_question& q) {
      const auto notify = q.parameters.notify();
      CHECK((notify && notify->is_never()));
      return answer{ehlo::replies::rcpt_ok};
    };
    const auto seen = check_server_dialogue(hello + "C: MAIL FROM:<a@client.example> BY=" + std::string{row.value} +
                                                "\nS: 250\nC: RCPT TO:<b@mx.example> NOTIFY=NEVER\nS: 250\n",
                                            how);
    CHECK(seen.has("rcpt <b@mx.example>"));
    CHECK(asked > 0);
  }
}

TEST_CASE("a message that is to be held says for how long or until when", "[server][caller][4865-4.2-04][4865-5.1-02]") {
  int asked = 0;
  setup how = submission();
  how.options.extensions.future_release = true;
  how.options.holds = {86400, *ehlo::timestamp::parse("2030-01-01T00:00:00Z")};
  how.on_mail = [&](const ehlo::mail_question& q) {
    ++asked;
    const auto hold = q.parameters.hold();
    if (q.reverse_path.is_null()) {
      CHECK_FALSE(hold.has_value());
    } else if (q.reverse_path.text() == "<for@client.example>") {
      CHECK(hold == ehlo::hold_request{ehlo::hold_for{60}});
    } else {
      CHECK(hold == ehlo::hold_request{ehlo::hold_until{*ehlo::timestamp::parse("2026-12-24T18:00:00Z")}});
    }
    return answer{ehlo::replies::mail_ok};
  };
  check_server_dialogue(known +
                            "C: MAIL FROM:<for@client.example> HOLDFOR=60\nS: 250\nC: RSET\nS: 250\nC: MAIL "
                            "FROM:<until@client.example> HOLDUNTIL=2026-12-24T18:00:00Z\nS: 250\nC: RSET\nS: 250\nC: MAIL "
                            "FROM:<>\nS: 250\n",
                        how);
  CHECK(asked > 0);
}

TEST_CASE("who submitted a message is named, unknown, or not said", "[server][caller][4954-5-05]") {
  int asked = 0;
  setup how = submission();
  how.on_mail = [&](const ehlo::mail_question& q) {
    ++asked;
    const auto submitter = q.parameters.auth();
    if (q.reverse_path.text() == "<plain@client.example>") {
      CHECK_FALSE(submitter.has_value());
    } else if (q.reverse_path.text() == "<unknown@client.example>") {
      CHECK((submitter && !submitter->mailbox));
    } else {
      CHECK((submitter && submitter->mailbox && submitter->mailbox->text() == "e+3Df@client.example"));
    }
    return answer{ehlo::replies::mail_ok};
  };
  check_server_dialogue(known +
                            "C: MAIL FROM:<plain@client.example>\nS: 250\nC: RSET\nS: 250\nC: MAIL FROM:<unknown@client.example> "
                            "AUTH=<>\nS: 250\nC: RSET\nS: 250\nC: MAIL FROM:<named@client.example> "
                            "AUTH=e+3Df@client.example\nS: 250\n",
                        how);
  CHECK(asked > 0);
}

TEST_CASE("RRVS is told with its recipient, and whether that is a role", "[server][caller][7293-5-01][7293-5.1-02]") {
  std::string told;
  setup how;
  how.whole_only = true;
  how.options.extensions.rrvs = true;
  how.on_rcpt = [&](const ehlo::rcpt_question& q) {
    const bool counts = q.parameters.valid_since() && !q.forward_path.is_postmaster();
    told += counts ? "checked " : "free ";
    return answer{ehlo::replies::rcpt_ok};
  };
  check_server_dialogue(with_mail +
                            "C: RCPT TO:<b@mx.example> RRVS=2014-04-03T23:01:00Z\nS: 250\nC: RCPT TO:<Postmaster@mx.example> "
                            "RRVS=2014-04-03T23:01:00Z\nS: 250\nC: RCPT TO:<c@mx.example>\nS: 250\n",
                        how);
  CHECK(told == "checked free free ");
}

TEST_CASE("a message with REQUIRETLS says so beside RET", "[server][caller][8689-5-02][8689-4.1-03]") {
  std::string told;
  setup how;
  how.whole_only = true;
  how.options.tls = ehlo::tls_mode::active;
  how.options.extensions.dsn = true;
  how.options.extensions.require_tls = true;
  how.on_mail = [&](const ehlo::mail_question& q) {
    const bool full = q.parameters.ret() == ehlo::ret_type::full && !q.parameters.require_tls();
    told += full ? "full " : "headers ";
    return answer{ehlo::replies::mail_ok};
  };
  check_server_dialogue(hello +
                            "C: MAIL FROM:<a@client.example> RET=FULL REQUIRETLS\nS: 250\nC: RSET\nS: 250\nC: MAIL "
                            "FROM:<a@client.example> RET=FULL\nS: 250\n",
                        how);
  CHECK(told == "headers full ");
}

TEST_CASE("the classes of SOLICIT stand in the trace field", "[server][caller][3865-2.6-01]") {
  std::string comment;
  setup how;
  how.options.extensions.no_soliciting = true;
  how.on_mail = [&](const ehlo::mail_question& q) {
    const auto classes = q.parameters.solicit();
    comment = "SOLICIT=" + std::string{classes ? classes->text() : std::string_view{}};
    return answer{ehlo::replies::mail_ok};
  };
  check_server_dialogue(hello + "C: MAIL FROM:<a@client.example> SOLICIT=org.example:ADV,net.example:TEST\nS: 250\n", how);
  std::array<char, 400> out{};
  const auto size = write(ehlo::received_field{.from = *ehlo::host::parse("client.example"),
                                               .by = *ehlo::host::parse("mx.example"),
                                               .comment = comment,
                                               .date = *ehlo::date_time::from_unix(0)},
                          out);
  REQUIRE(size.has_value());
  CHECK(std::string_view{out.data(), *size}.find("(SOLICIT=org.example:ADV,net.example:TEST)") != std::string_view::npos);
}

// ---- Options --------------------------------------------------------------------------------------------------------------------

TEST_CASE("a public server that offers STARTTLS takes mail without it", "[server][caller][3207-4-04]") {
  setup how;
  how.options.tls = ehlo::tls_mode::offered;
  CHECK(check_server_dialogue(with_data + "S: 250\n", how).messages.size() == 1);
}

TEST_CASE("greeting and help name the software where the caller wants it", "[server][caller][5321-3.1-01][5321-7.5-01]") {
  setup how;
  how.options.greeting = "ESMTP Foo 1.2";
  how.options.help = "Foo 1.2, see https://mx.example/";
  check_server_dialogue("S: 220 mx.example ESMTP Foo 1.2\nC: HELP\nS: 214 2.0.0 Foo 1.2, see https://mx.example/\n", how);
  how.options.greeting = "";
  CHECK(check_server_dialogue("S: 220 mx.example\n", how).sent == "220 mx.example Service ready\r\n");
}

TEST_CASE("the names that a caller brings are its own, and none of ehlo's", "[server][caller][5321-2.2.2-02][5321-2.2.2-03]") {
  constexpr std::string_view keywords[] = {"XFOO 1"};
  constexpr ehlo::custom_verb verbs[] = {{"XBAR", true}};
  constexpr ehlo::custom_parameter parameters[] = {{.keyword = "XBAZ"}};
  setup how;
  how.options.keywords = keywords;
  how.options.verbs = verbs;
  how.options.parameters = parameters;
  how.on_custom = [](const ehlo::custom_question&) { return answer{ehlo::replies::ok}; };
  const auto seen =
      check_server_dialogue(hello + "C: XBAR it\nS: 250\nC: MAIL FROM:<a@client.example> XBAZ=1\nS: 250\nC: XFOO\nS: 500\n", how);
  CHECK(seen.sent.find("\r\n250 XFOO 1\r\n") != seen.sent.npos);
  CHECK(seen.sent.find("XBAR\r\n") != seen.sent.npos);
  CHECK(seen.has("mail <a@client.example> XBAZ=1"));
  // What was not registered is in none of them, and what ehlo has itself cannot be.
  check_server_dialogue(hello + "C: XBAR it\nS: 500\nC: MAIL FROM:<a@client.example> XBAZ=1\nS: 555\n");
  constexpr ehlo::custom_verb mail_verb[] = {{"MAIL"}};
  constexpr ehlo::custom_parameter size[] = {{.keyword = "size"}};
  CHECK(ehlo::server_options{.hostname = "mx.example", .verbs = mail_verb}.check().error().code == ehlo::errc::option_name);
  CHECK(ehlo::server_options{.hostname = "mx.example", .parameters = size}.check().error().code == ehlo::errc::option_name);
}

TEST_CASE("251 and 551 can be switched off, for RCPT and VRFY alike", "[server][caller][5321-3.4-04]") {
  for (const bool disclose : {true, false}) {
    setup how;
    how.options.disclose_forwarding = disclose;
    how.on_rcpt = [](const ehlo::rcpt_question& q) {
      return q.forward_path.text() == "<goes@mx.example>" ? answer{dialogue::forward{"new@there.example"}}
                                                          : answer{dialogue::moved{"new@there.example"}};
    };
    how.on_vrfy = [](const ehlo::vrfy_question&) { return answer{dialogue::moved{"new@there.example"}}; };
    const std::string goes = disclose ? "251" : "250";
    const std::string moved = disclose ? "551" : "550";
    const auto seen =
        check_server_dialogue(with_mail + "C: RCPT TO:<goes@mx.example>\nS: " + goes +
                                  "\nC: RCPT TO:<moved@mx.example>\nS: " + moved + "\nC: VRFY moved\nS: " + moved + "\n",
                              how);
    CHECK((seen.sent.find("there.example") != seen.sent.npos) == disclose);
  }
}

TEST_CASE("VRFY and EXPN can be switched on and off, in EHLO and in what they do", "[server][caller][5321-3.5.2-05]") {
  for (const bool vrfy : {true, false}) {
    for (const bool expn : {true, false}) {
      CAPTURE(vrfy, expn);
      setup how;
      how.options.extensions.vrfy = vrfy;
      how.options.extensions.expn = expn;
      static constexpr std::string_view listing[] = {"VRFY"};
      if (vrfy) how.options.keywords = listing;
      how.on_vrfy = [](const ehlo::vrfy_question&) { return answer{dialogue::listed{{{"", "joe@mx.example"}}}}; };
      how.on_expn = [](const ehlo::expn_question&) { return answer{dialogue::listed{{{"", "joe@mx.example"}}}}; };
      const auto seen = check_server_dialogue(
          hello + "C: VRFY joe\nS: " + (vrfy ? "250" : "252") + "\nC: EXPN all\nS: " + (expn ? "250" : "502") + "\n", how);
      CHECK((seen.sent.find("VRFY\r\n") != seen.sent.npos) == vrfy);
      CHECK((seen.sent.find("EXPN\r\n") != seen.sent.npos) == expn);
      CHECK(seen.has("vrfy") == vrfy);
      CHECK(seen.has("expn") == expn);
    }
  }
}

TEST_CASE("a route of RCPT changes nothing of the reverse-path", "[server][caller][5321-4.1.1.3-04]") {
  const auto seen = check_server_dialogue(
      with_mail + "C: RCPT TO:<@x.example,@y.example:b@mx.example>\nS: 250\nC: DATA\nS: 354\nC: text\nC: .\nS: 250\n");
  REQUIRE(seen.messages.size() == 1);
  CHECK(seen.messages[0].from == "<a@client.example>");
  // Nor does what a relay makes of it: its own envelope has the sender as it was, and no route.
  const auto path = ehlo::forward_path::parse("<@x.example,@y.example:b@mx.example>");
  REQUIRE(path.has_value());
  ehlo::envelope relayed;
  REQUIRE(relayed.begin(*ehlo::reverse_path::parse("<a@client.example>")).has_value());
  REQUIRE(relayed.add(*path).has_value());
  CHECK(relayed.reverse_path().text() == "<a@client.example>");
  CHECK(relayed.recipient(0).path.text() == "<b@mx.example>");
}

TEST_CASE("the name in EHLO is told and decides nothing by itself", "[server][caller][5321-4.1.4-06][5321-4.1.4-07]") {
  for (const std::string name : {"client.example", "not-its-name.example", "[192.0.2.1]", "localhost"}) {
    const auto seen = check_server_dialogue("C: EHLO " + name + "\nS: 250\n" + with_data.substr(hello.size()) + "S: 250\n");
    CHECK(seen.has("hello EHLO " + name));
    CHECK(seen.messages.size() == 1);
  }
}
