// SPDX-License-Identifier: BSL-1.0
// The forms that an answer may have, with and without its ticket, and the times at which none is taken.
#include <array>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/server_dialogue.hpp"

namespace {

using ehlo::errc;

constexpr ehlo::auth_mechanism mechanisms[] = {{"X-OWN", ehlo::first_message::client, false}};
constexpr ehlo::custom_verb verbs[] = {{"XOWN"}};

ehlo::server_options everything() {
  ehlo::server_options out{.hostname = "mx.example"};
  out.tls = ehlo::tls_mode::offered;
  out.mechanisms = mechanisms;
  out.verbs = verbs;
  out.extensions.expn = true;
  out.extensions.etrn = true;
  return out;
}

/// A session, turn by turn.
struct turns {
  explicit turns(const ehlo::server_options& options) : session{options} {}

  /// Gives the client's octets; stops at a question, or where octets, the handshake or the end are due.
  const ehlo::server_action& after(std::string_view octets = {}) {
    given = std::string{input} + std::string{octets};
    input = given;
    for (;;) {
      last = session.next(input);
      if (const auto* out = std::get_if<ehlo::transmit>(&last)) {
        sent += out->octets;
      } else if (!std::holds_alternative<ehlo::mail_data>(last) && !std::holds_alternative<ehlo::violation>(last) &&
                 !std::holds_alternative<ehlo::transaction_reset>(last) && !std::holds_alternative<ehlo::exchange_ended>(last)) {
        return last;
      }
    }
  }
  /// Greets, and accepts each line.
  void accept_all(const std::vector<std::string>& lines) {
    (void)after();
    REQUIRE(session.accept().has_value());
    (void)after();
    for (const std::string& line : lines) {
      (void)after(line);
      REQUIRE(session.accept().has_value());
      (void)after();
    }
    sent.clear();
  }
  ehlo::ticket ticket() const { return session.open_question(); }

  ehlo::server_session session;
  std::string given;
  std::string_view input;
  ehlo::server_action last;
  std::string sent;
};

const std::vector<std::string> hello{"EHLO c.example\r\n"};
const std::vector<std::string> mail{"EHLO c.example\r\n", "MAIL FROM:<a@c.example>\r\n", "RCPT TO:<b@mx.example>\r\n"};
const std::vector<std::string> to_data{mail[0], mail[1], mail[2], "DATA\r\n"};

const ehlo::mailbox there = *ehlo::mailbox::parse("new@there.example");
const ehlo::listing joe[] = {{*ehlo::mailbox::parse("joe@mx.example"), "Joe"}};

}  // namespace

TEST_CASE("no form of an answer is taken where no question is open", "[server][answers][5321-4.2-01]") {
  const ehlo::server_options options = everything();
  turns t{options};
  t.accept_all(hello);
  auto& s = t.session;
  const ehlo::ticket old{1};
  const std::vector<ehlo::result<void>> refused{s.accept(),
                                                s.accept(old),
                                                s.accept(ehlo::replies::ok),
                                                s.accept(old, ehlo::replies::ok),
                                                s.accept(std::span{joe}),
                                                s.accept(joe[0]),
                                                s.accept(old, std::span<const ehlo::listing>{joe}),
                                                s.accept(old, joe[0]),
                                                s.accept_forward(there),
                                                s.accept_forward(old, there),
                                                s.reject(ehlo::replies::ok),
                                                s.reject(ehlo::replies::no_such_mailbox),
                                                s.reject(old, ehlo::replies::no_such_mailbox),
                                                s.reject_moved(there),
                                                s.reject_moved(old, there),
                                                s.reject_ambiguous(joe),
                                                s.reject_ambiguous(old, joe),
                                                s.challenge("x"),
                                                s.challenge(old, "x"),
                                                s.authenticated(),
                                                s.authenticated(old),
                                                s.answer_default(),
                                                s.answer_default(old)};
  for (std::size_t i = 0; i < refused.size(); ++i) {
    CAPTURE(i);
    REQUIRE_FALSE(refused[i].has_value());
    CHECK(refused[i].error().code == errc::no_open_question);
  }
  (void)t.after("NOOP\r\n");
  CHECK(t.sent == "250 2.0.0 OK\r\n");
}

TEST_CASE("each form of an answer with its ticket is the answer to that question",
          "[server][answers][5321-4.3.2-12][5321-4.3.2-13]") {
  const ehlo::server_options options = everything();
  using form = std::function<ehlo::result<void>(ehlo::server_session&, ehlo::ticket)>;
  const struct {
    std::string_view line;
    form answer;
    std::string_view reply;
  } rows[] = {
      {"VRFY joe\r\n", [](auto& s, auto t) { return s.accept(t); }, "252 2.5.0"},
      {"VRFY joe\r\n", [](auto& s, auto t) { return s.accept(t, joe[0]); }, "250 2.1.5 Joe <joe@mx.example>\r\n"},
      {"EXPN all\r\n", [](auto& s, auto t) { return s.accept(t, std::span<const ehlo::listing>{joe}); }, "250 2.1.5 Joe <joe@mx"},
      {"VRFY joe\r\n", [](auto& s, auto t) { return s.accept_forward(t, there); }, "251 2.1.5"},
      {"VRFY joe\r\n", [](auto& s, auto t) { return s.reject_moved(t, there); }, "551 5.1.6"},
      {"VRFY joe\r\n", [](auto& s, auto t) { return s.reject_ambiguous(t, joe); }, "553"},
      {"VRFY joe\r\n", [](auto& s, auto t) { return s.reject(t, ehlo::replies::no_such_mailbox); }, "550 5.1.1"},
      {"HELP\r\n",
       [](auto& s, auto t) {
         return s.accept(t, *ehlo::reply::make(211, {2, 0, 0}, "All is well"));
       },
       "211 2.0.0 All"},
      {"AUTH X-OWN =\r\n", [](auto& s, auto t) { return s.authenticated(t); }, "235 2.7.0"},
      {"AUTH X-OWN =\r\n", [](auto& s, auto t) { return s.challenge(t, "what"); }, "334 d2hhdA==\r\n"},
      {"AUTH X-OWN =\r\n", [](auto& s, auto t) { return s.answer_default(t); }, "535 5.7.8"},
      {"XOWN x\r\n", [](auto& s, auto t) { return s.answer_default(t); }, "502 5.5.1"},
      {"ETRN mx.example\r\n", [](auto& s, auto t) { return s.answer_default(t); }, "459 4.7.0"},
      {"EXPN all\r\n", [](auto& s, auto t) { return s.answer_default(t); }, "502 5.5.1"},
      {"STARTTLS\r\n", [](auto& s, auto t) { return s.accept(t, ehlo::replies::ready_to_start_tls); }, "220 2.0.0"},
      {"STARTTLS\r\n", [](auto& s, auto t) { return s.reject(t, ehlo::replies::tls_unavailable); }, "454 4.7.0"},
      {"EHLO d.example\r\n", [](auto& s, auto t) { return s.accept(t, *ehlo::reply::make(250, {}, "hi there")); },
       "250-mx.example hi there\r\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.line, row.reply);
    turns t{options};
    t.accept_all(hello);
    (void)t.after(row.line);
    const ehlo::ticket ticket = t.ticket();
    REQUIRE(ticket.serial != 0);
    CHECK(row.answer(t.session, ehlo::ticket{ticket.serial - 1}).error().code == errc::stale_answer);
    CHECK(t.ticket() == ticket);
    REQUIRE(row.answer(t.session, ticket).has_value());
    (void)t.after();
    CHECK(t.sent.starts_with(row.reply));
    CHECK_FALSE(row.answer(t.session, ticket).has_value());
  }
}

TEST_CASE("an answer that contradicts its question leaves it open", "[server][answers][5321-4.3.2-05]") {
  const ehlo::server_options options = everything();
  using form = std::function<ehlo::result<void>(ehlo::server_session&)>;
  const struct {
    std::string_view line;
    form answer;
  } rows[] = {
      {"AUTH X-OWN =\r\n", [](auto& s) { return s.accept(); }},
      {"AUTH X-OWN =\r\n", [](auto& s) { return s.accept(ehlo::replies::authenticated); }},
      {"AUTH X-OWN =\r\n", [](auto& s) { return s.authenticated(ehlo::replies::ok); }},
      {"EXPN all\r\n", [](auto& s) { return s.accept(); }},
      {"XOWN\r\n", [](auto& s) { return s.accept(); }},
      {"VRFY joe\r\n", [](auto& s) { return s.authenticated(); }},
      {"VRFY joe\r\n", [](auto& s) { return s.challenge("x"); }},
      {"VRFY joe\r\n", [](auto& s) { return s.accept(std::span<const ehlo::listing>{}); }},
      {"VRFY joe\r\n", [](auto& s) { return s.accept(ehlo::replies::no_such_mailbox); }},
      {"VRFY joe\r\n", [](auto& s) { return s.reject(ehlo::replies::ok); }},
      {"EXPN all\r\n", [](auto& s) { return s.reject_ambiguous(joe); }},
      {"HELP\r\n", [](auto& s) { return s.accept_forward(there); }},
      {"HELP\r\n", [](auto& s) { return s.accept(joe[0]); }},
      {"HELP\r\n", [](auto& s) { return s.reject(ehlo::replies::no_such_mailbox); }},
      {"MAIL FROM:<>\r\n", [](auto& s) { return s.accept(ehlo::replies::start_mail_input); }},
      {"EHLO d.example\r\n", [](auto& s) { return s.reject_moved(there); }},
  };
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    CAPTURE(i, rows[i].line);
    turns t{options};
    t.accept_all(hello);
    (void)t.after(rows[i].line);
    const ehlo::ticket ticket = t.ticket();
    const auto answered = rows[i].answer(t.session);
    REQUIRE_FALSE(answered.has_value());
    CHECK(answered.error().code == errc::wrong_answer);
    CHECK(t.ticket() == ticket);
    CHECK(t.session.answer_default(ticket).has_value());
  }
  turns greeting{options};
  (void)greeting.after();
  CHECK(greeting.session.accept(ehlo::replies::ok).error().code == errc::wrong_answer);
  CHECK(greeting.session.accept(*ehlo::reply::make(220, {}, "Welcome")).has_value());
  (void)greeting.after();
  CHECK(greeting.sent == "220 mx.example Welcome\r\n");
}

TEST_CASE("a listing that does not fit a reply line is no answer", "[server][answers][5321-4.5.3.1.5-01]") {
  const ehlo::server_options options = everything();
  turns t{options};
  t.accept_all(hello);
  (void)t.after("VRFY joe\r\n");
  const std::string name(500, 'n');
  CHECK(t.session.accept(ehlo::listing{joe[0].mailbox, name}).error().code == errc::reply_too_long);
  CHECK(t.session.accept(ehlo::listing{joe[0].mailbox, "a\rb"}).has_value() == false);
  REQUIRE(t.session.accept(joe[0]).has_value());
}

TEST_CASE("a message is given up once, with a code of its row, and not when it is complete", "[server][answers][5321-4.3.2-10]") {
  const ehlo::server_options options = everything();
  turns t{options};
  t.accept_all(to_data);
  (void)t.after("Subject: x\r\n");
  CHECK(t.session.reject(ehlo::replies::not_implemented).error().code == errc::wrong_answer);
  REQUIRE(t.session.reject(ehlo::replies::insufficient_storage).has_value());
  // Once more changes nothing: the first words stay.
  CHECK(t.session.reject(ehlo::replies::local_error).has_value());
  (void)t.after("text\r\n.\r\n");
  CHECK(t.sent == "452 4.3.1 Requested action not taken: insufficient system storage\r\n");
  CHECK(t.session.reject(ehlo::replies::local_error).error().code == errc::no_open_question);
  // With `any_reply_code` the caller knows better.
  ehlo::server_options any = options;
  any.any_reply_code = true;
  turns free{any};
  free.accept_all(to_data);
  (void)free.after("Subject: x\r\n");
  REQUIRE(free.session.reject(*ehlo::reply::make(559, {5, 6, 0}, "No")).has_value());
  (void)free.after(".\r\n");
  CHECK(free.sent == "559 5.6.0 No\r\n");
}

TEST_CASE("a message given up with a long reply, or between two chunks, is refused with the code", "[server][answers][3030-2-12]") {
  const ehlo::server_options options = everything();
  const std::string text(900, 'x');
  const auto refusal = *ehlo::reply::make(452, {4, 3, 1}, text);
  turns t{options};
  t.accept_all(to_data);
  (void)t.after("Subject: x\r\n");
  REQUIRE(t.session.reject(refusal).has_value());
  (void)t.after(".\r\n");
  CHECK(t.sent == "452 4.3.1 Message refused\r\n");
  for (const std::string_view next : {"BDAT 4\r\ntext", "BDAT 0 LAST\r\n", "BDAT 4 LAST\r\ntext"}) {
    CAPTURE(next);
    turns chunks{options};
    chunks.accept_all(mail);
    (void)chunks.after("BDAT 2\r\nab");
    REQUIRE(chunks.session.accept().has_value());
    (void)chunks.after();
    chunks.sent.clear();
    REQUIRE(chunks.session.reject(ehlo::replies::local_error).has_value());
    (void)chunks.after(next);
    CHECK(chunks.sent == "451 4.3.0 Message refused\r\n");
    chunks.sent.clear();
    (void)chunks.after("BDAT 1 LAST\r\nx");
    CHECK(chunks.sent.starts_with("503 "));
  }
}

TEST_CASE("the wait is that of what is waited for, and its end is told as that allows", "[server][answers][5321-4.5.3.2.5-01]") {
  ehlo::server_options options = everything();
  options.timeouts = {.command = 11, .data_block = 22, .handshake = 33};
  turns data{options};
  data.accept_all(to_data);
  (void)data.after("a\r\n");
  CHECK(data.session.timeout().seconds == 22);
  CHECK(data.session.timeout().what == ehlo::waiting_for::data_block);
  turns chunk{options};
  chunk.accept_all(mail);
  (void)chunk.after("BDAT 10\r\na");
  REQUIRE(chunk.session.accept().has_value());
  (void)chunk.after();
  CHECK(chunk.session.timeout().seconds == 22);
  REQUIRE(chunk.session.reject(ehlo::replies::local_error).has_value());
  (void)chunk.after("b");
  CHECK(chunk.session.timeout().seconds == 22);
  turns tls{options};
  tls.accept_all(hello);
  (void)tls.after("STARTTLS\r\n");
  REQUIRE(tls.session.accept().has_value());
  REQUIRE(std::holds_alternative<ehlo::start_tls>(tls.after()));
  CHECK(tls.session.timeout() == ehlo::wait{ehlo::waiting_for::handshake, 33, tls.session.timeout().serial});
  tls.sent.clear();
  REQUIRE(tls.session.timed_out().has_value());
  CHECK(std::holds_alternative<ehlo::close_channel>(tls.after()));
  CHECK(tls.sent.empty());
  CHECK(tls.session.timeout().what == ehlo::waiting_for::nothing);
  CHECK(tls.session.timed_out().error().code == errc::session_closed);
  tls.session.disconnected();
  CHECK(std::holds_alternative<ehlo::close_channel>(tls.after("NOOP\r\n")));
}

TEST_CASE("a session tells what it knows of its transaction, and how far it has read", "[server]") {
  ehlo::server_options options{.hostname = "mx.example"};
  options.tls = ehlo::tls_mode::offered;
  options.extensions.smtputf8 = true;
  options.timeouts = {.command = 11, .data_block = 22, .handshake = 33};
  ehlo::server_session session{options};
  const auto give = [&session](std::string_view octets) {
    for (std::string_view input = octets;;) {
      const auto action = session.next(input);
      if (session.open_question().serial != 0) {
        CHECK(session.timeout().what == ehlo::waiting_for::nothing);
        CHECK(session.accept().has_value());
      }
      if (std::holds_alternative<ehlo::receive>(action) || std::holds_alternative<ehlo::start_tls>(action)) return;
    }
  };
  CHECK(session.timeout() == ehlo::wait{ehlo::waiting_for::nothing, 0, session.timeout().serial});  // the greeting comes first
  give("");
  CHECK(session.timeout().seconds == 11);
  give("EHLO c.example\r\n");
  CHECK(session.octets_taken() == 16);
  CHECK_FALSE(session.smtputf8());
  give("MAIL FROM:<> BODY=8BITMIME SMTPUTF8\r\n");
  CHECK(session.smtputf8());
  CHECK(session.body() == ehlo::body_type::eight_bit);
  CHECK(session.octets_taken() == 16 + 37);
  give("BDAT 5\r\na");  // no recipient: its octets are passed over
  CHECK(session.timeout().what == ehlo::waiting_for::data_block);
  CHECK(session.timeout().seconds == 22);
  give("bcdeRSET\r\n");
  CHECK_FALSE(session.smtputf8());
  CHECK(session.body() == ehlo::body_type::seven_bit);
  CHECK(session.timeout().seconds == 11);
  CHECK(&session.options() == &options);
}

TEST_CASE("behind 220 to STARTTLS the handshake is waited for, and a time-out says nothing in clear words", "[server][3207-4-11]") {
  ehlo::server_options options{.hostname = "mx.example"};
  options.tls = ehlo::tls_mode::offered;
  options.timeouts.handshake = 33;
  for (const bool is_agreed : {true, false}) {
    ehlo::server_session session{options};
    std::string sent;
    std::string_view input;
    const std::string wire = "EHLO c.example\r\nSTARTTLS\r\n";
    for (;;) {
      const auto action = session.next(input);
      if (const auto* const out = std::get_if<ehlo::transmit>(&action)) sent += out->octets;
      if (std::holds_alternative<ehlo::receive>(action)) input = wire;
      if (std::holds_alternative<ehlo::start_tls>(action)) break;
      const bool is_starttls = std::holds_alternative<ehlo::starttls_question>(action);
      if (session.open_question().serial != 0) CHECK(session.accept().has_value());
      if (is_starttls && is_agreed) break;
    }
    CHECK(session.timeout() == ehlo::wait{ehlo::waiting_for::handshake, 33, session.timeout().serial});
    CHECK(session.timed_out().has_value());
    sent.clear();
    for (;;) {
      const auto action = session.next(input);
      if (const auto* const out = std::get_if<ehlo::transmit>(&action)) sent += out->octets;
      if (std::holds_alternative<ehlo::close_channel>(action)) break;
    }
    CHECK(sent.find("421") == std::string::npos);
  }
}
