// SPDX-License-Identifier: BSL-1.0
// The forms that an answer to a client may have, and the times at which none is taken and nothing is sent.
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/client_dialogue.hpp"
#include "support/client_turns.hpp"

namespace {

using client_dialogue::name_of;
using client_dialogue::setup;
using ehlo::errc;

constexpr ehlo::auth_mechanism mechanisms[] = {{"X-OWN", ehlo::first_message::server, false}};

ehlo::client_options options() { return {.hostname = "client.example", .tls = ehlo::tls_policy::never, .mechanisms = mechanisms}; }

const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";

/// A client whose credentials are asked for.
void to_credentials(client_turns& turns) {
  (void)turns.after("220 hi\r\n");
  (void)turns.after("250-mx\r\n250 AUTH X-OWN\r\n");
  if (!turns.is_at<ehlo::credentials_question>()) (void)turns.after("334 \r\n");
  REQUIRE(turns.is_at<ehlo::credentials_question>());
}

}  // namespace

TEST_CASE("no form of an answer is taken by an idle client", "[client]") {
  const ehlo::client_options plain{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  client_turns turns{plain};
  (void)turns.after("220 hi\r\n");
  (void)turns.after("250 mx\r\n");
  REQUIRE(turns.is_at<ehlo::idle>());
  auto& s = turns.session;
  const ehlo::ticket old{1};
  const std::vector<ehlo::result<void>> refused{
      s.data("x"), s.data(old, "x"), s.end_of_mail_data("x"), s.end_of_mail_data(old, "x"),
      s.abandon(), s.abandon(old),   s.respond("x"),          s.respond(old, "x"),
      s.decline(), s.decline(old),   s.answer_default(),      s.answer_default(old)};
  for (std::size_t i = 0; i < refused.size(); ++i) {
    CAPTURE(i);
    REQUIRE_FALSE(refused[i].has_value());
    CHECK(refused[i].error().code == errc::no_open_question);
  }
  CHECK(s.tls_started().error().code == errc::tls_not_pending);
  CHECK(s.tls_failed().error().code == errc::tls_not_pending);
  CHECK(s.timed_out().error().code == errc::wrong_answer);
  CHECK(s.authenticate().error().code == errc::no_common_mechanism);
  CHECK(s.etrn("mx.example").error().code == errc::keyword_not_offered);
  CHECK(turns.after().empty());
}

TEST_CASE("an answer to another question leaves this one open, and so does one that is too long", "[client][4954-4-22]") {
  const ehlo::client_options own = options();
  client_turns turns{own};
  to_credentials(turns);
  auto& s = turns.session;
  CHECK(s.data("x").error().code == errc::wrong_answer);
  CHECK(s.end_of_mail_data().error().code == errc::wrong_answer);
  CHECK(s.abandon().error().code == errc::wrong_answer);
  CHECK(s.respond(std::string(9216, 'x')).error().code == errc::line_too_long);
  CHECK(s.timeout().what == ehlo::waiting_for::nothing);
  REQUIRE(s.respond(std::string(9213, 'x')).has_value());
  CHECK(turns.after().size() == 12284 + 2);
}

TEST_CASE("the careful answer gives no credentials, and gives the message up", "[client][4954-4-19]") {
  const ehlo::client_options own = options();
  client_turns turns{own};
  to_credentials(turns);
  const auto question = std::get<ehlo::credentials_question>(turns.last);
  CHECK(turns.session.answer_default(ehlo::ticket{question.ticket.serial + 1}).error().code == errc::stale_answer);
  REQUIRE(turns.session.answer_default(question.ticket).has_value());
  CHECK(turns.after() == "*\r\n");
  CHECK(question == question);
  CHECK_FALSE(question == ehlo::credentials_question{"X-OTHER", question.challenge, question.step, question.ticket});
  CHECK_FALSE(question == ehlo::credentials_question{question.mechanism, std::nullopt, question.step + 1, question.ticket});
  const ehlo::client_options plain{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  client_turns sender{plain};
  const auto mail = ehlo::envelope::make("a@client.example", {"b@mx.example"});
  REQUIRE(sender.session.begin_transaction(*mail).has_value());
  for (const std::string_view reply : {"220 hi\r\n", "250 mx\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"})
    (void)sender.after(reply);
  REQUIRE(sender.is_at<ehlo::mail_data_question>());
  REQUIRE(sender.session.answer_default().has_value());
  CHECK(sender.after().empty());
  CHECK(sender.is_at<ehlo::close_channel>());
}

TEST_CASE("HELO follows 501 and 550 where the caller wants it", "[client][5321-4.1.1.1-04]") {
  for (const std::string refusal : {"501 what", "550 no", "504 no"}) {
    for (const bool wanted : {true, false}) {
      CAPTURE(refusal, wanted);
      setup how;
      how.mails.clear();
      how.options.helo_after_501_and_550 = wanted;
      const bool follows = wanted || refusal.starts_with("504");
      const auto seen = check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: " + refusal + "\n" +
                                                  (follows ? "C: HELO client.example\nS: 250 mx\n" : "") + goodbye,
                                              how);
      CHECK(seen.has("ready") == follows);
    }
  }
}

TEST_CASE("a client that ends takes no transaction and no command", "[client][5321-4.1.4-15]") {
  const ehlo::client_options plain{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  const auto mail = ehlo::envelope::make("a@client.example", {"b@mx.example"});
  client_turns turns{plain};
  (void)turns.after("220 hi\r\n");
  (void)turns.after("250 mx\r\n");
  turns.session.disconnected();
  CHECK(turns.session.begin_transaction(*mail).error().code == errc::session_closed);
  CHECK(turns.session.noop().error().code == errc::session_closed);
  CHECK(turns.session.quit().error().code == errc::session_closed);
  CHECK(turns.after().empty());
  CHECK(turns.is_at<ehlo::close_channel>());
  turns.session.disconnected();
  CHECK(turns.after("250 late\r\n").empty());
  CHECK(turns.is_at<ehlo::close_channel>());
  // QUIT before the greeting is said as soon as it may be.
  client_turns early{plain};
  (void)early.after();
  REQUIRE(early.session.quit().has_value());
  CHECK(early.session.begin_transaction(*mail).error().code == errc::session_closed);
  CHECK(early.after("220 hi\r\n") == "QUIT\r\n");
  CHECK(early.after("221 bye\r\n").empty());
  CHECK(early.is_at<ehlo::close_channel>());
}

TEST_CASE("a client in LMTP that hears 354 though nobody was accepted ends the session", "[client][2033-4.2-01]") {
  setup how;
  how.options.protocol = ehlo::protocol::lmtp;
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: LHLO client.example
    S: 250-mx
    S: 250-PIPELINING
    S: 250 ENHANCEDSTATUSCODES
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: DATA
    S: 250 2.1.0 ok
    S: 550 5.1.1 no
    S: 354 go
    CLOSE
  )",
                                          how);
  CHECK(seen.has("failed: " + name_of(errc::unexpected_reply)));
}
