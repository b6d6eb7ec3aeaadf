// SPDX-License-Identifier: BSL-1.0
// A ticket names one question: an answer that comes late, twice or to another question changes nothing.
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"

namespace {

using ehlo::errc;

constexpr ehlo::auth_mechanism login[] = {ehlo::mechanisms::login};

/// Takes actions until the session waits for something, and keeps what was sent.
ehlo::client_action run(ehlo::client_session& session, std::string_view octets, std::string& sent) {
  for (int turns = 0; turns < 1000; ++turns) {
    const auto action = session.next(octets);
    if (const auto* const out = std::get_if<ehlo::transmit>(&action)) sent += out->octets;
    if (std::holds_alternative<ehlo::receive>(action) || std::holds_alternative<ehlo::idle>(action) ||
        std::holds_alternative<ehlo::close_channel>(action) || std::holds_alternative<ehlo::answer_due>(action) ||
        std::holds_alternative<ehlo::mail_data_question>(action) || std::holds_alternative<ehlo::credentials_question>(action))
      return action;
  }
  FAIL("the session loops");
  return ehlo::close_channel{};
}

/// Every answer with a ticket, by its name.
using answer = std::function<ehlo::result<void>(ehlo::client_session&, ehlo::ticket)>;
std::vector<std::pair<std::string, answer>> answers() {
  return {
      {"respond", [](ehlo::client_session& s, ehlo::ticket t) { return s.respond(t, "x"); }},
      {"decline", [](ehlo::client_session& s, ehlo::ticket t) { return s.decline(t); }},
      {"data", [](ehlo::client_session& s, ehlo::ticket t) { return s.data(t, "x: y\r\n"); }},
      {"end_of_mail_data", [](ehlo::client_session& s, ehlo::ticket t) { return s.end_of_mail_data(t, "x: y\r\n"); }},
      {"abandon", [](ehlo::client_session& s, ehlo::ticket t) { return s.abandon(t); }},
      {"answer_default", [](ehlo::client_session& s, ehlo::ticket t) { return s.answer_default(t); }},
  };
}

/// Gives every answer with `t`, each of which fails with `why` and leaves the session as it was.
void check_refused(ehlo::client_session& session, ehlo::ticket t, errc why) {
  const auto open = session.open_question();
  const auto waits = session.timeout();
  for (const auto& [name, give] : answers()) {
    CAPTURE(name, t.serial);
    const auto given = give(session, t);
    REQUIRE_FALSE(given.has_value());
    CHECK(given.error().code == why);
    CHECK(session.open_question() == open);
    CHECK(session.timeout().serial == waits.serial);
  }
}

}  // namespace

TEST_CASE("a late answer for credentials is stale: the next step of the exchange does not get it", "[client][sasl]") {
  const ehlo::client_options options{.hostname = "c", .tls = ehlo::tls_policy::active, .mechanisms = login};
  ehlo::client_session session{options};
  std::string sent;
  check_refused(session, {0}, errc::no_open_question);
  check_refused(session, {1}, errc::no_open_question);
  run(session, "220 hi\r\n", sent);
  run(session, "250-mx\r\n250 AUTH LOGIN\r\n", sent);
  const auto first = std::get<ehlo::credentials_question>(run(session, "334 VXNlcm5hbWU6\r\n", sent));
  sent.clear();
  check_refused(session, {first.ticket.serial + 1}, errc::stale_answer);
  check_refused(session, {0}, errc::stale_answer);
  CHECK(std::get<ehlo::answer_due>(run(session, "", sent)).ticket == first.ticket);
  CHECK(sent.empty());
  REQUIRE(session.respond(first.ticket, "user", ehlo::exchange::goes_on).has_value());
  // The same answer twice.
  check_refused(session, first.ticket, errc::no_open_question);
  run(session, "", sent);
  CHECK(sent == "dXNlcg==\r\n");

  const auto second = std::get<ehlo::credentials_question>(run(session, "334 UGFzc3dvcmQ6\r\n", sent));
  CHECK(second.ticket != first.ticket);
  CHECK(session.open_question() == second.ticket);
  check_refused(session, first.ticket, errc::stale_answer);
  sent.clear();
  CHECK(std::get<ehlo::answer_due>(run(session, "", sent)).ticket == second.ticket);
  CHECK(sent.empty());
  // The right ticket, and an answer to the other kind of question.
  CHECK(session.data(second.ticket, "x").error().code == errc::wrong_answer);
  CHECK(session.end_of_mail_data(second.ticket).error().code == errc::wrong_answer);
  CHECK(session.abandon(second.ticket).error().code == errc::wrong_answer);
  CHECK(session.open_question() == second.ticket);
  REQUIRE(session.respond(second.ticket, "pass").has_value());
  run(session, "", sent);
  CHECK(sent == "cGFzcw==\r\n");
  run(session, "235 in\r\n", sent);
  CHECK(session.is_authenticated());
  check_refused(session, second.ticket, errc::no_open_question);
}

TEST_CASE("a late answer with mail data is stale: neither the next piece nor the next message gets it", "[client]") {
  for (const bool chunked : {false, true}) {
    CAPTURE(chunked);
    const ehlo::client_options options{.hostname = "c", .tls = ehlo::tls_policy::never};
    ehlo::client_session session{options};
    std::string sent;
    const auto mail = ehlo::envelope::make("<>", {"b@mx.example"});
    const auto ask = [&] {
      REQUIRE(session.begin_transaction(*mail).has_value());
      run(session, "", sent);
      run(session, "250 ok\r\n", sent);
      auto action = run(session, "250 ok\r\n", sent);
      if (!chunked) action = run(session, "354 go\r\n", sent);
      return std::get<ehlo::mail_data_question>(action);
    };
    run(session, "220 hi\r\n", sent);
    run(session, chunked ? "250-mx\r\n250 CHUNKING\r\n" : "250 mx\r\n", sent);
    const auto first = ask();
    sent.clear();
    check_refused(session, {first.ticket.serial + 1}, errc::stale_answer);
    CHECK(session.respond(first.ticket, "x").error().code == errc::wrong_answer);
    CHECK(session.decline(first.ticket).error().code == errc::wrong_answer);
    REQUIRE(session.data(first.ticket, "one\r\n").has_value());
    check_refused(session, first.ticket, errc::no_open_question);
    auto action = run(session, "", sent);
    if (chunked) action = run(session, "250 ok\r\n", sent);
    const auto second = std::get<ehlo::mail_data_question>(action);
    CHECK(second.ticket != first.ticket);
    check_refused(session, first.ticket, errc::stale_answer);
    REQUIRE(session.end_of_mail_data(second.ticket, "two\r\n").has_value());
    run(session, "", sent);
    CHECK(sent == (chunked ? "BDAT 5\r\none\r\nBDAT 5 LAST\r\ntwo\r\n" : "one\r\ntwo\r\n.\r\n"));
    run(session, "250 taken\r\n", sent);
    check_refused(session, second.ticket, errc::no_open_question);

    const auto third = ask();
    sent.clear();
    for (const ehlo::ticket old : {first.ticket, second.ticket}) check_refused(session, old, errc::stale_answer);
    CHECK(std::get<ehlo::answer_due>(run(session, "", sent)).ticket == third.ticket);
    CHECK(sent.empty());
    REQUIRE(session.end_of_mail_data(third.ticket, "three\r\n").has_value());
    run(session, "", sent);
    CHECK(sent == (chunked ? "BDAT 7 LAST\r\nthree\r\n" : "three\r\n.\r\n"));
  }
}

TEST_CASE("a question that a failure has closed takes no answer", "[client]") {
  const ehlo::client_options options{.hostname = "c", .tls = ehlo::tls_policy::never};
  ehlo::client_session session{options};
  std::string sent;
  const auto mail = ehlo::envelope::make("<>", {"b@mx.example"});
  REQUIRE(session.begin_transaction(*mail).has_value());
  run(session, "220 hi\r\n", sent);
  run(session, "250 mx\r\n", sent);
  run(session, "250 ok\r\n", sent);
  run(session, "250 ok\r\n", sent);
  const auto question = std::get<ehlo::mail_data_question>(run(session, "354 go\r\n", sent));
  sent.clear();
  session.disconnected();
  check_refused(session, question.ticket, errc::no_open_question);
  CHECK(std::holds_alternative<ehlo::close_channel>(run(session, "", sent)));
  check_refused(session, question.ticket, errc::no_open_question);
  CHECK(sent.empty());
}
