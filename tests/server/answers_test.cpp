// SPDX-License-Identifier: BSL-1.0
// Answers that come late, twice, or to the wrong question change nothing; what happens outside is not forgotten.
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/server_dialogue.hpp"

namespace {

/// Goes on until a question, `receive`, `start_tls` or `close_channel`; what was sent is added to `sent`.
template <class Session>
ehlo::server_action go_on(Session& session, std::string_view& input, std::string& sent) {
  for (;;) {
    const ehlo::server_action action = session.next(input);
    if (const auto* a = std::get_if<ehlo::transmit>(&action)) {
      sent += a->octets;
    } else if (!std::holds_alternative<ehlo::mail_data>(action) && !std::holds_alternative<ehlo::violation>(action) &&
               !std::holds_alternative<ehlo::transaction_reset>(action)) {
      return action;
    }
  }
}

/// Answers every question with success until one of the type `Wanted` comes.
template <class Wanted, class Session>
Wanted reach(Session& session, std::string_view& input, std::string& sent) {
  for (;;) {
    const ehlo::server_action action = go_on(session, input, sent);
    if (const auto* found = std::get_if<Wanted>(&action)) return *found;
    REQUIRE(session.open_question().serial != 0);
    REQUIRE((std::holds_alternative<ehlo::auth_question>(action) ? session.authenticated() : session.accept()).has_value());
  }
}

ehlo::server_options plain_options() {
  ehlo::server_options out{.hostname = "mx.example"};
  out.extensions.expn = true;
  return out;
}

}  // namespace

TEST_CASE("a late refusal with its ticket does not give up the message that is under way", "[server][answers][5321-4.1.1.4-11]") {
  const ehlo::server_options options = plain_options();
  for (const std::string_view data : {"DATA\r\nSubject: x\r\n", "BDAT 3\r\nab", "BDAT 2\r\nab"}) {
    CAPTURE(data);
    ehlo::server_session session{options};
    std::string sent;
    const std::string octets = "EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\n" + std::string{data};
    std::string_view input = octets;
    const ehlo::ticket late = reach<ehlo::rcpt_question>(session, input, sent).ticket;
    REQUIRE(session.accept(late).has_value());
    reach<ehlo::receive>(session, input, sent);
    CHECK(session.open_question().serial == 0);
    CHECK_FALSE(session.reject(late, ehlo::replies::no_such_mailbox).has_value());
    input = data.starts_with("DATA") ? "\r\n.\r\n" : data.starts_with("BDAT 3") ? "cBDAT 0 LAST\r\n" : "BDAT 0 LAST\r\n";
    const auto q = reach<ehlo::message_question>(session, input, sent);
    CHECK(session.accept(q.ticket).has_value());
    reach<ehlo::receive>(session, input, sent);
    CHECK(sent.ends_with("250 2.6.0 Message accepted\r\n"));
  }
}

TEST_CASE("an answer with the ticket of another question changes nothing", "[server][answers][5321-4.2-01]") {
  const ehlo::server_options options = plain_options();
  const auto mailbox = ehlo::mailbox::parse("a@b.example");
  const ehlo::listing found{*mailbox};
  ehlo::server_session session{options};
  std::string sent;
  const std::string octets = "EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nRCPT TO:<c@mx.example>\r\n";
  std::string_view input = octets;
  const ehlo::ticket first = reach<ehlo::rcpt_question>(session, input, sent).ticket;
  REQUIRE(session.reject(first, ehlo::replies::no_such_mailbox).has_value());
  const ehlo::ticket second = reach<ehlo::rcpt_question>(session, input, sent).ticket;
  REQUIRE(second != first);
  const std::array<ehlo::result<void>, 12> given{session.accept(first),
                                                 session.accept(first, ehlo::replies::rcpt_ok),
                                                 session.accept(first, found),
                                                 session.accept(first, std::span<const ehlo::listing>{&found, 1}),
                                                 session.accept_forward(first, *mailbox),
                                                 session.reject(first, ehlo::replies::no_such_mailbox),
                                                 session.reject_moved(first, *mailbox),
                                                 session.reject_ambiguous(first, std::span<const ehlo::listing>{&found, 1}),
                                                 session.challenge(first, "x"),
                                                 session.authenticated(first),
                                                 session.answer_default(first),
                                                 session.accept(ehlo::ticket{second.serial + 1})};
  for (std::size_t i = 0; i < given.size(); ++i) {
    CAPTURE(i);
    REQUIRE_FALSE(given[i].has_value());
    CHECK(given[i].error().code == ehlo::errc::stale_answer);
  }
  CHECK(session.open_question() == second);
  CHECK(session.recipients() == 0);
  CHECK(session.accept(second).has_value());
  CHECK(session.recipients() == 1);
  CHECK(session.accept(second).error().code == ehlo::errc::no_open_question);
}

TEST_CASE("an answer of the wrong kind leaves its question open", "[server][answers][5321-4.2-09]") {
  using ehlo::errc;
  const auto mailbox = ehlo::mailbox::parse("a@b.example");
  const ehlo::listing found{*mailbox};
  const std::span<const ehlo::listing> list{&found, 1};
  struct row {
    const char* octets;   // up to the question
    unsigned questions;   // before it
    const char* allowed;  // accept, 250, 354, 251-path, 550, 551-path, listing, list, 553-list, challenge, 235: + for those taken
  };
  //                                                                 a 2 3 f r m l L 5 c s
  const row rows[] = {{"", 0, "+----------"},
                      {"EHLO c.example\r\n", 1, "++--+------"},
                      {"EHLO c.example\r\nMAIL FROM:<>\r\n", 2, "++--+------"},
                      {"EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@c.example>\r\n", 3, "++-+++-----"},
                      {"EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@c.example>\r\nDATA\r\n", 4, "+-+--------"},
                      {"EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@c.example>\r\nDATA\r\n.\r\n", 5, "++--+------"},
                      {"VRFY b\r\n", 1, "++-++++++--"},
                      {"EXPN b\r\n", 1, "-+--+-++---"},
                      {"HELP\r\n", 1, "+----------"}};
  const ehlo::server_options options = plain_options();
  for (const row& r : rows) {
    for (std::size_t kind = 0; kind < 11; ++kind) {
      ehlo::server_session session{options};
      std::string sent;
      std::string_view input;
      for (unsigned asked = 0;; ++asked) {
        ehlo::server_action action = go_on(session, input, sent);
        if (std::holds_alternative<ehlo::receive>(action)) {
          input = r.octets;
          action = go_on(session, input, sent);
        }
        REQUIRE(session.open_question().serial != 0);
        if (asked == r.questions) break;
        REQUIRE(session.accept().has_value());
      }
      const ehlo::ticket open = session.open_question();
      const auto state = session.current_state();
      ehlo::result<void> given;
      switch (kind) {
        case 0: given = session.accept(); break;
        case 1: given = session.accept(ehlo::replies::ok); break;
        case 2: given = session.accept(ehlo::replies::start_mail_input); break;
        case 3: given = session.accept_forward(*mailbox); break;
        case 4: given = session.reject(ehlo::replies::no_such_mailbox); break;
        case 5: given = session.reject_moved(*mailbox); break;
        case 6: given = session.accept(found); break;
        case 7: given = session.accept(list); break;
        case 8: given = session.reject_ambiguous(list); break;
        case 9: given = session.challenge("x"); break;
        default: given = session.authenticated(); break;
      }
      CAPTURE(r.octets, kind);
      CHECK(given.has_value() == (r.allowed[kind] == '+'));
      if (given.has_value()) {
        CHECK(session.open_question().serial == 0);
      } else {
        CHECK(given.error().code == errc::wrong_answer);
        CHECK(session.open_question() == open);
        CHECK(session.current_state() == state);
        CHECK(session.answer_default(open).has_value());
      }
    }
  }
}

TEST_CASE("a positive reply of the wrong kind is no answer, whatever codes are allowed", "[server][answers][5321-4.2-09]") {
  ehlo::server_options options = plain_options();
  options.any_reply_code = true;
  ehlo::server_session session{options};
  std::string sent;
  const std::string octets = "EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n";
  std::string_view input = octets;
  reach<ehlo::rcpt_question>(session, input, sent);
  CHECK(session.accept(ehlo::replies::start_mail_input).error().code == ehlo::errc::wrong_answer);
  reach<ehlo::answer_due>(session, input, sent);
  REQUIRE(session.accept().has_value());
  reach<ehlo::data_question>(session, input, sent);
  CHECK(session.accept(ehlo::replies::ok).error().code == ehlo::errc::wrong_answer);
  CHECK(session.accept(ehlo::replies::start_mail_input).has_value());
}

TEST_CASE("a text in the answer to EHLO fits into its first line, or is no answer", "[server][answers]") {
  const ehlo::server_options options = plain_options();
  for (const std::size_t octets : {ehlo::sizes::reply_line - options.hostname.size() - 7, std::size_t{1200}}) {
    CAPTURE(octets);
    ehlo::server_session session{options};
    std::string sent;
    const std::string hello = "EHLO c.example\r\n";
    std::string_view input = hello;
    reach<ehlo::hello_question>(session, input, sent);
    const std::string text(octets, 'x');
    const auto given = session.accept(*ehlo::reply::make(250, {}, text));
    CHECK(given.has_value() == (octets < ehlo::sizes::reply_line));
    if (!given) {
      CHECK(given.error().code == ehlo::errc::reply_too_long);
      CHECK(session.open_question().serial != 0);
      CHECK(session.accept().has_value());
    }
    sent.clear();
    reach<ehlo::receive>(session, input, sent);
    CHECK(sent.find("\r\n") <= ehlo::sizes::reply_line - 2);
    CHECK(sent.starts_with("250-mx.example"));
  }
}

TEST_CASE("421 to a client that is writing mail data is one line", "[server][answers]") {
  // It does not read before it has written all, so a long reply could make both ends wait for each other.
  const ehlo::server_options options = plain_options();
  const std::string words(1200, 'x');
  const auto reply = ehlo::reply::make(421, {4, 3, 2}, words);
  for (const std::string_view data : {"DATA\r\nx", "BDAT 2\r\nx", "BDAT 0\r\nBDAT 2\r\nx"}) {
    CAPTURE(data);
    ehlo::server_session session{options};
    std::string sent;
    const std::string octets = "EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@mx.example>\r\n" + std::string{data};
    std::string_view input = octets;
    if (data == "BDAT 2\r\nx") {
      reach<ehlo::data_question>(session, input, sent);
    } else {
      reach<ehlo::receive>(session, input, sent);
    }
    sent.clear();
    REQUIRE(session.reject(*reply).has_value());
    go_on(session, input, sent);
    CHECK(sent.ends_with("421 4.3.2 mx.example Service not available, closing transmission channel\r\n"));
    CHECK(sent.size() <= ehlo::sizes::reply_line);
  }
}

TEST_CASE("between two questions about one LMTP message nothing can give it up", "[server][answers][lmtp][2033-4.2-02]") {
  ehlo::server_options options = plain_options();
  options.protocol = ehlo::protocol::lmtp;
  for (const std::string_view data : {"DATA\r\nx\r\n.\r\n", "BDAT 1 LAST\r\nx"}) {
    CAPTURE(data);
    ehlo::server_session session{options};
    std::string sent;
    const std::string octets =
        "LHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@mx.example>\r\nRCPT TO:<b@mx.example>\r\n" + std::string{data} + "NOOP\r\n";
    std::string_view input = octets;
    reach<ehlo::message_question>(session, input, sent);
    REQUIRE(session.accept().has_value());
    CHECK(session.reject(ehlo::replies::transaction_failed).error().code == ehlo::errc::no_open_question);
    CHECK(reach<ehlo::message_question>(session, input, sent).recipient == 1);
    REQUIRE(session.accept().has_value());
    reach<ehlo::receive>(session, input, sent);
    CHECK(sent.ends_with("250 2.6.0 Message accepted\r\n250 2.6.0 Message accepted\r\n250 2.0.0 OK\r\n"));
  }
}

TEST_CASE("a shutdown or an end of input that came during the handshake is not forgotten", "[server][answers][5321-3.8-04]") {
  ehlo::server_options options = plain_options();
  options.tls = ehlo::tls_mode::offered;
  for (const bool is_shutdown : {true, false}) {
    CAPTURE(is_shutdown);
    ehlo::server_session session{options};
    std::string sent;
    std::string_view input = "";
    reach<ehlo::receive>(session, input, sent);
    input = "EHLO c.example\r\nSTARTTLS\r\n";
    reach<ehlo::start_tls>(session, input, sent);
    if (is_shutdown) {
      session.shutdown();
    } else {
      session.end_of_input();
    }
    REQUIRE(session.tls_started().has_value());
    sent.clear();
    reach<ehlo::close_channel>(session, input, sent);
    CHECK(sent.starts_with(is_shutdown ? "421 4.3.2 mx.example " : ""));
    CHECK(sent.empty() != is_shutdown);
  }
}

TEST_CASE("a session that does not disclose forwarding verifies nothing instead", "[server][answers][5321-3.5.3-05]") {
  dialogue::setup how;
  how.options.disclose_forwarding = false;
  how.on_vrfy = [](const ehlo::vrfy_question& q) -> dialogue::answer {
    if (q.argument == "path") return dialogue::forward{"b@c.example"};
    if (q.argument == "moved") return dialogue::moved{"b@c.example"};
    return *ehlo::reply::make(251, {2, 1, 5}, "User not local; will forward to <b@c.example>");
  };
  const auto r = check_server_dialogue("C: VRFY path\nS: 252\nC: VRFY words\nS: 252\nC: VRFY moved\nS: 550\n", how);
  CHECK(r.sent.find("c.example") == r.sent.npos);
}

TEST_CASE("the session that ends for failed authentications says so", "[server][answers][4954-9-01]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  dialogue::setup how;
  how.options.mechanisms = mechanisms;
  how.options.auth_without_tls = true;
  const std::string attempt = "C: AUTH EXTERNAL =\nS: 535 5.7.8\n";
  check_server_dialogue("C: EHLO c.example\nS: 250\n" + attempt + attempt + attempt +
                            "C: AUTH EXTERNAL =\nS: 421 4.7.0 mx.example Too many failed authentications\nCLOSE\n",
                        how);
}

TEST_CASE("where forwarding is not disclosed, words of the caller do not disclose it either", "[server][answers][5321-3.4-04]") {
  const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
  const std::string mail = hello + "C: MAIL FROM:<a@client.example>\nS: 250\n";
  const auto with = [](const ehlo::reply& r, bool disclose) {
    dialogue::setup how;
    how.options.disclose_forwarding = disclose;
    how.on_rcpt = [r](const ehlo::rcpt_question&) { return dialogue::answer{r}; };
    how.on_vrfy = [r](const ehlo::vrfy_question&) { return dialogue::answer{r}; };
    return how;
  };
  const ehlo::reply forward{251, {2, 1, 5}, "will forward to <c@d.example>"};
  const ehlo::reply moved{551, {5, 1, 6}, "please try <c@d.example>"};
  const ehlo::reply taken{250, {2, 1, 5}, "<b@mx.example>"};
  const ehlo::reply unknown{550, {5, 1, 1}, "no such user"};
  check_server_dialogue(mail + "C: RCPT TO:<b@mx.example>\nS: 251 2.1.5 will forward\nC: VRFY b\nS: 251 2.1.5 will\n",
                        with(forward, true));
  check_server_dialogue(mail + "C: RCPT TO:<b@mx.example>\nS: 250 2.1.5 OK\nC: VRFY b\nS: 252\n", with(forward, false));
  check_server_dialogue(mail + "C: RCPT TO:<b@mx.example>\nS: 551 5.1.6 please\nC: VRFY b\nS: 551\n", with(moved, true));
  const auto hidden =
      check_server_dialogue(mail + "C: RCPT TO:<b@mx.example>\nS: 550 5.1.1\nC: VRFY b\nS: 550 5.1.1\n", with(moved, false));
  CHECK(hidden.sent.find("d.example") == std::string::npos);
  for (const bool disclose : {true, false}) {
    check_server_dialogue(mail + "C: RCPT TO:<b@mx.example>\nS: 250 2.1.5 <b@\nC: VRFY b\nS: 250 2.1.5 <b@\n",
                          with(taken, disclose));
    check_server_dialogue(mail + "C: RCPT TO:<b@mx.example>\nS: 550 5.1.1 no such user\nC: VRFY b\nS: 550\n",
                          with(unknown, disclose));
  }
}

TEST_CASE("an answer that its question cannot have changes nothing, and another one counts", "[server][answers]") {
  ehlo::server_options options = plain_options();
  options.any_reply_code = true;
  ehlo::server_session session{options};
  std::string_view input;
  std::string sent;
  reach<ehlo::greeting_question>(session, input, sent);
  // 220 opens the session, and only 220 (RFC 5321 4.2).
  CHECK(session.accept(*ehlo::reply::make(250, {}, "hi")).error().code == ehlo::errc::wrong_answer);
  CHECK(session.accept(*ehlo::reply::make(220, {}, "hi")).has_value());
  std::string wire = "EHLO c.example\r\nVRFY b\r\n";
  input = wire;
  reach<ehlo::vrfy_question>(session, input, sent);
  const auto b = *ehlo::mailbox::parse("b@mx.example");
  const std::array<ehlo::listing, 2> two{ehlo::listing{b, "B"}, ehlo::listing{b, "C"}};
  CHECK(session.accept(std::span<const ehlo::listing>{two}).error().code == ehlo::errc::wrong_answer);
  CHECK(session.reject_ambiguous(two).has_value());
  wire = "MAIL FROM:<>\r\n";
  input = wire;
  reach<ehlo::mail_question>(session, input, sent);
  CHECK(session.reject_ambiguous(two).error().code == ehlo::errc::wrong_answer);
  CHECK(session.accept_forward(b).error().code == ehlo::errc::wrong_answer);
  CHECK(session.challenge("x").error().code == ehlo::errc::wrong_answer);
  CHECK(session.authenticated().error().code == ehlo::errc::wrong_answer);
  CHECK(session.accept().has_value());
  CHECK(session.current_state() == ehlo::state::mail);
}

TEST_CASE("a reply that a fixed session has no room for leaves its question open", "[server][answers]") {
  const std::string text(1200, 'x');
  const auto longer = [&text](int code) { return *ehlo::reply::make(code, {}, text); };
  ehlo::server_options options = plain_options();
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  options.submission = true;
  options.mechanisms = mechanisms;
  options.extensions.burl = true;
  ehlo::fixed_server_session<1728, 1024> session{options};
  std::string_view input;
  std::string sent;
  reach<ehlo::greeting_question>(session, input, sent);
  CHECK(session.reject(longer(554)).error().code == ehlo::errc::reply_too_long);
  CHECK(session.accept().has_value());
  const std::string wire =
      "EHLO c.example\r\nAUTH EXTERNAL =\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nBURL imap://a/b LAST\r\nRSET\r\nMAIL "
      "FROM:<>\r\n";
  input = wire;
  reach<ehlo::auth_question>(session, input, sent);
  CHECK(session.reject(longer(535)).error().code == ehlo::errc::reply_too_long);
  CHECK(session.authenticated().has_value());
  reach<ehlo::burl_question>(session, input, sent);
  CHECK(session.accept(longer(250)).error().code == ehlo::errc::reply_too_long);
  CHECK(session.reject(longer(554)).error().code == ehlo::errc::reply_too_long);
  CHECK(session.current_state() == ehlo::state::rcpt);
  CHECK(session.reject(ehlo::replies::url_failed).has_value());
  reach<ehlo::mail_question>(session, input, sent);
  CHECK(session.accept().has_value());
}

TEST_CASE("codes that a table has for some servers only", "[server][answers][6409-7-03]") {
  const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
  // 521 is not for a submission server (RFC 6409 7), 450 not for MAIL without MT-PRIORITY (RFC 6710 4.1).
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  const ehlo::server_options submission = ehlo::submission_options("mx.example", mechanisms);
  ehlo::server_session session{submission};
  std::string_view input;
  std::string sent;
  reach<ehlo::greeting_question>(session, input, sent);
  CHECK(session.reject(ehlo::replies::host_accepts_no_mail).error().code == ehlo::errc::wrong_answer);
  CHECK(session.accept().has_value());
  for (const bool priority : {false, true}) {
    ehlo::server_options options = plain_options();
    options.extensions.priority = priority;
    ehlo::server_session other{options};
    const std::string wire = "EHLO c.example\r\nMAIL FROM:<>\r\n";
    input = {};
    reach<ehlo::greeting_question>(other, input, sent);
    CHECK(other.accept().has_value());
    input = wire;
    reach<ehlo::mail_question>(other, input, sent);
    CHECK(other.reject(ehlo::replies::mailbox_busy).has_value() == priority);
  }
}
