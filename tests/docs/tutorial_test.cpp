// SPDX-License-Identifier: BSL-1.0
// The programs of docs/tutorial/receiver.md, step by step. `code_blocks_test.cpp` holds the page to this file.
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"

namespace {

std::string first_step() {
  std::string sent;
  ehlo::server_options options{.hostname = "mx.example.org"};
  ehlo::server_session session{options};
  std::string_view wire = "NOOP\r\nQUIT\r\n";  // what a client will say
  std::string_view input;                      // what we have read of it

  bool open = true;
  while (open) {
    const ehlo::server_action action = session.next(input);
    if (const auto* octets = std::get_if<ehlo::transmit>(&action)) {
      sent += octets->octets;
    } else if (std::holds_alternative<ehlo::receive>(action)) {
      input = wire;
      wire = {};
    } else if (std::holds_alternative<ehlo::close_channel>(action)) {
      open = false;
    } else {
      session.answer_default();
    }
  }
  return sent;
}

struct letter {
  std::string from;
  std::vector<std::string> to;
  std::string text;
};

/// A receiver for one domain that keeps its letters in memory.
class receiver {
 public:
  explicit receiver(std::string_view domain) : domain_{*ehlo::domain::parse(domain)} {}

  ehlo::reply on(const ehlo::mail_question& q) {
    letter_ = {std::string{q.reverse_path.text()}, {}, {}};
    return ehlo::replies::mail_ok;
  }
  ehlo::reply on(const ehlo::rcpt_question& q) {
    const auto mailbox = q.forward_path.mailbox();
    const bool is_ours = !mailbox || mailbox->host().domain() == domain_;
    if (!is_ours) return ehlo::replies::relaying_denied;
    letter_.to.emplace_back(q.forward_path.text());
    return ehlo::replies::rcpt_ok;
  }
  void on(ehlo::mail_data a) { letter_.text += a.octets; }
  ehlo::reply on(const ehlo::message_question&) {
    letters.push_back(letter_);
    return ehlo::replies::message_ok;
  }
  void on(ehlo::transaction_reset) { letter_ = {}; }

  void on(ehlo::transmit a) { sent += a.octets; }
  void on(ehlo::receive) { wants_octets = true; }

  std::vector<letter> letters;
  std::string sent;
  bool wants_octets = false;

 private:
  ehlo::domain domain_;
  letter letter_;
};

void play(ehlo::server_session& session, receiver& handler, std::string_view wire) {
  std::string_view input;
  while (ehlo::dispatch(session, session.next(input), handler)) {
    if (!handler.wants_octets) continue;
    handler.wants_octets = false;
    input = wire.substr(0, 10);  // a network cuts where it likes
    wire.remove_prefix(input.size());
    if (input.empty()) session.end_of_input();
  }
}

}  // namespace

TEST_CASE("the first step of the tutorial says hello and goodbye", "[docs]") {
  CHECK(first_step() ==
        "220 mx.example.org ESMTP\r\n250 2.0.0 OK\r\n221 2.0.0 mx.example.org Service closing transmission channel\r\n");
}

TEST_CASE("the receiver of the tutorial takes letters for its domain", "[docs]") {
  const ehlo::server_options options{.hostname = "mx.example.org"};
  ehlo::server_session session{options};
  receiver handler{"example.org"};
  play(session, handler,
       "EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@EXAMPLE.org>\r\nRCPT TO:<c@elsewhere.example>\r\n"
       "DATA\r\nSubject: one\r\n\r\n..\r\n.\r\nMAIL FROM:<>\r\nRSET\r\nQUIT\r\n");
  REQUIRE(handler.letters.size() == 1);
  CHECK(handler.letters[0].from == "<a@client.example>");
  CHECK(handler.letters[0].to == std::vector<std::string>{"<b@EXAMPLE.org>"});
  CHECK(handler.letters[0].text == "Subject: one\r\n\r\n.\r\n");
  CHECK(handler.sent.find("550 5.7.1") != std::string::npos);
}

// What follows are the fragments of the how-to pages.
namespace {

using ticket_box = std::map<std::string, ehlo::ticket>;

/// docs/how-to/answer-later.md
struct asynchronous {
  ticket_box waiting;

  std::optional<ehlo::reply> on(const ehlo::rcpt_question& q) {
    waiting[std::string{q.forward_path.text()}] = q.ticket;  // ask the database; the answer comes later
    return std::nullopt;
  }
  void answered(ehlo::server_session& session, const std::string& path, bool exists) {
    const ehlo::ticket ticket = waiting[path];
    const auto given = exists ? session.accept(ticket) : session.reject(ticket, ehlo::replies::no_such_mailbox);
    if (!given) is_late = true;  // the session has moved on, and nothing was changed
  }

  void on(ehlo::transmit a) { sent += a.octets; }
  void on(ehlo::receive) {}

  std::string sent;
  bool is_late = false;
};

}  // namespace

TEST_CASE("a late answer names its question, and a stale one changes nothing", "[docs]") {
  const ehlo::server_options options{.hostname = "mx.example.org"};
  ehlo::server_session session{options};
  asynchronous handler;
  std::string_view input;
  while (ehlo::dispatch(session, session.next(input), handler) && handler.sent.empty()) {
  }
  input = "EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n";
  while (ehlo::dispatch(session, session.next(input), handler)) {
  }
  const ehlo::ticket first = handler.waiting["<a@example.org>"];
  handler.answered(session, "<a@example.org>", true);
  CHECK(session.recipients() == 1);
  while (ehlo::dispatch(session, session.next(input), handler)) {
  }
  CHECK(session.accept(first).error().code == ehlo::errc::stale_answer);
  handler.answered(session, "<b@example.org>", false);
  CHECK(session.recipients() == 1);
  CHECK_FALSE(handler.is_late);
  input = "RCPT TO:<c@example.org>\r\n";
  while (ehlo::dispatch(session, session.next(input), handler)) {
  }
  CHECK(session.timeout().seconds == 0);  // none runs while a question is open
  session.disconnected();
  handler.answered(session, "<c@example.org>", true);
  CHECK(handler.is_late);
  CHECK(session.accept(first).error().code == ehlo::errc::no_open_question);
}

namespace {

/// docs/how-to/starttls-and-auth.md
struct password_checker {
  void on(const ehlo::auth_question& q) {
    std::optional<std::string> response;
    if (q.response) {
      response.emplace(q.response->decoded_size(), '\0');
      q.response->decode(response->data());
    }
    if (q.initial) exchange.start(q.mechanism);
    const auto outcome = exchange.step(response);
    if (const auto* more = std::get_if<ehlo::sasl::challenge>(&outcome)) {
      session->challenge(more->octets);
    } else if (const auto* who = std::get_if<ehlo::sasl::credentials>(&outcome); who != nullptr && knows(*who)) {
      session->authenticated();
    } else {
      session->reject(ehlo::replies::bad_credentials);
    }
  }

  static bool knows(const ehlo::sasl::credentials& who) {
    return who.authentication_identity == "alice" && who.proof.reveal() == "wonder";
  }
  void on(ehlo::transmit a) { sent += a.octets; }
  void on(ehlo::receive) { is_dry = true; }

  ehlo::server_session* session;
  ehlo::sasl::server_exchange exchange{};
  std::string sent{};
  bool is_dry = false;
};

std::string answers_to(std::string_view wire) {
  ehlo::server_options options{.hostname = "mx.example.org"};
  static constexpr ehlo::auth_mechanism offered[] = {ehlo::mechanisms::plain, ehlo::mechanisms::login};
  options.mechanisms = offered;
  options.tls = ehlo::tls_mode::active;
  ehlo::server_session session{options};
  password_checker handler{.session = &session};
  std::string_view input;
  while (!handler.is_dry && ehlo::dispatch(session, session.next(input), handler)) {
  }
  handler.sent.clear();
  for (std::string_view rest = wire; !rest.empty();) {  // a line at a time, as behind a challenge
    input = rest.substr(0, rest.find('\n') + 1);
    rest.remove_prefix(input.size());
    handler.is_dry = false;
    while (!handler.is_dry && ehlo::dispatch(session, session.next(input), handler)) {
    }
  }
  return handler.sent.substr(handler.sent.find("\r\n250 ") + 2);
}

}  // namespace

TEST_CASE("the block that checks passwords takes the right ones", "[docs]") {
  const std::string hello = "EHLO c.example\r\n";
  CHECK(answers_to(hello + "AUTH PLAIN AGFsaWNlAHdvbmRlcg==\r\n").find("\r\n235 ") != std::string::npos);
  CHECK(answers_to(hello + "AUTH PLAIN\r\nAGFsaWNlAHdvbmRlcg==\r\n").find("\r\n235 ") != std::string::npos);
  CHECK(answers_to(hello + "AUTH LOGIN\r\nYWxpY2U=\r\nd29uZGVy\r\n").find("\r\n235 ") != std::string::npos);
  CHECK(answers_to(hello + "AUTH LOGIN\r\nYWxpY2U=\r\neA==\r\n").find("\r\n535 ") != std::string::npos);
  CHECK(answers_to(hello + "AUTH PLAIN eA==\r\n").find("\r\n535 ") != std::string::npos);
}

TEST_CASE("the fragments of the how-to pages do what they say", "[docs]") {
  std::vector<std::string> events;
  {
    ehlo::server_options options{.hostname = "mx.example.org"};
    options.tls = ehlo::tls_mode::offered;
    static constexpr ehlo::auth_mechanism offered[] = {ehlo::mechanisms::plain, ehlo::mechanisms::login};
    options.mechanisms = offered;
    options.auth_required = true;
    CHECK(options.check());
  }
  {
    ehlo::server_options options{.hostname = "mx.example.org", .protocol = ehlo::protocol::lmtp};
    options.extensions.smtputf8 = true;
    options.extensions.dsn = true;
    CHECK(options.check());
  }
  {
    ehlo::server_options options{.hostname = "mx.example.org"};
    options.extensions.deliver_by = true;  // BY of mail_parameters::by(): you keep the time and send the reports
    options.deliver_by_minimum = 60;       // less gets 555 where the message would go back
    options.extensions.rrvs = true;        // rcpt_parameters::valid_since(): you know the owners of your mailboxes
    options.extensions.limits = true;
    options.announced = {.mail_max = 50, .rcpt_max = 100};  // the session counts: 421, 452
    options.extensions.etrn = true;                         // an etrn_question; 459 if you do not answer otherwise
    CHECK(options.check());
  }
  {
    static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain};
    ehlo::server_options options = ehlo::submission_options("mail.example.org", mechanisms);
    options.extensions.future_release = true;
    options.holds = {86400, *ehlo::timestamp::parse("2035-01-01T00:00:00Z")};
    CHECK(options.check());
  }
  {
    ehlo::server_options options{.hostname = "mx.example.org"};
    ehlo::fixed_server_session<> session{options};
    static_assert(sizeof session < 3072);
    std::string_view input;
    CHECK(std::holds_alternative<ehlo::greeting_question>(session.next(input)));
  }
  {
    ehlo::server_options options{.hostname = "mx.example.org"};
    options.limits.message = 10U << 20U;  // octets
    options.limits.recipients = 100;      // of one transaction; more get 452
    options.limits.errors = 20;           // then 421; 0 is the standard's patience
    options.timeouts.command = 300;       // seconds
    CHECK(options.check());
  }
  {
    ehlo::server_options options{.hostname = "mx.example.org"};
    options.strictness.source_routes = ehlo::route_policy::refuse;  // 553; syntax_error: 501; ignore, the default: left out
    options.strictness.empty_local_part = true;                     // ""@example.org gets 501
    CHECK(options.check());
  }
  {
    static constexpr ehlo::custom_verb verbs[] = {{"XCOUNT", true}};
    static constexpr std::string_view keywords[] = {"XEXAMPLE one two"};
    ehlo::server_options options{.hostname = "mx.example.org"};
    static constexpr ehlo::custom_parameter parameters[] = {{.keyword = "XTRACE"}};  // of MAIL, with or without a value
    options.verbs = verbs;
    options.keywords = keywords;
    options.parameters = parameters;
    CHECK(options.check());
  }
}
