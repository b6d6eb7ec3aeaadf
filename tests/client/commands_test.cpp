// SPDX-License-Identifier: BSL-1.0
// Single commands of an idle client, and what they refuse to send.
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"
#include "support/client_turns.hpp"

namespace {

client_dialogue::setup idle_client() {
  client_dialogue::setup how;
  how.mails.clear();
  how.quit = false;
  return how;
}

const std::string opening = "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250-ETRN\nS: 250 SMTPUTF8\n";

}  // namespace

TEST_CASE("a command that the caller asks for has its reply as result", "[client][5321-3.5.2-07]") {
  const auto seen = check_client_dialogue(opening + R"(
    DO noop
    C: NOOP
    S: 250 ok
    DO verify smith
    C: VRFY smith
    S: 252 cannot tell
    DO expand "a list"
    C: EXPN "a list"
    S: 550 no such list
    DO help MAIL
    C: HELP MAIL
    S: 214-syntax
    S: 214 follows
    DO etrn @mx.example
    C: ETRN @mx.example
    S: 250 queued
    DO raw XFOO bar
    C: XFOO bar
    S: 250 what you say
    DO reset
    C: RSET
    S: 250 ok
    DO quit
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          idle_client());
  CHECK(seen.count("command") == 7);
  CHECK(seen.has("command 214 syntax/follows"));
}

TEST_CASE("VRFY with UTF-8 says SMTPUTF8, and is not sent to a server without it", "[client][6531-3.7.4.2-01][6531-3.7.4.2-02]") {
  const auto seen = check_client_dialogue(
      opening + "DO verify \xC3\xA9@mx.example\nC: VRFY \xC3\xA9@mx.example SMTPUTF8\nS: 250 \xC3\xA9 <\xC3\xA9@mx.example>\n",
      idle_client());
  CHECK(seen.has("command 250 \xC3\xA9 <\xC3\xA9@mx.example>"));
  const auto without =
      check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: 250 mx\nDO verify \xC3\xA9@mx.example\n", idle_client());
  CHECK(without.has("verify refused: " + client_dialogue::name_of(ehlo::errc::smtputf8_not_offered)));
}

TEST_CASE("no argument of a command makes another line or another argument", "[client][threats][T17][T18][T19]") {
  for (const std::string request : {"verify a\\nDATA", "verify a b", "verify a SMTPUTF8", "expand a\\r\\nRSET", "help a\\nb",
                                    "help a b", "etrn a b", "etrn mx.example\\r\\nQUIT", "raw X\\nQUIT", "raw X\\0", "raw QUIT",
                                    "raw DATA", "raw mail FROM:<>", "raw ", "raw  X", "verify "}) {
    CAPTURE(request);
    const auto seen = check_client_dialogue(opening + "DO " + request + "\n", idle_client());
    CHECK(seen.sent == "EHLO client.example\r\n");
    CHECK(seen.has(request.substr(0, request.find(' ')) + " refused: "));
  }
}

TEST_CASE("commands wait until the session is ready, and until the one before has its reply", "[client]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  ehlo::client_session session{options};
  CHECK(session.noop().error().code == ehlo::errc::not_ready);
  for (std::string_view input = "220 hi\r\n"; !std::holds_alternative<ehlo::receive>(session.next(input));) {
  }
  for (std::string_view input = "250 mx\r\n"; !std::holds_alternative<ehlo::idle>(session.next(input));) {
  }
  CHECK(session.noop().has_value());
  CHECK(session.verify("a").error().code == ehlo::errc::session_busy);
  CHECK(session.data("x").error().code == ehlo::errc::no_open_question);
  CHECK(session.quit().has_value());
  CHECK(session.noop().error().code == ehlo::errc::session_closed);
}

TEST_CASE("EHLO may be said again, and what it offers then counts alone", "[client][5321-4.1.4-02][9422-3.6-02]") {
  auto how = idle_client();
  how.mails = {client_dialogue::mail{}};
  how.begin = false;
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250-SIZE 1
    S: 250 LIMITS MAILMAX=1
    DO hello
    C: EHLO client.example
    S: 250 mx
    DO send
    C: MAIL FROM:<a@client.example>
    S: 451 later
  )",
                                          how);
  CHECK(seen.count("ready") == 2);
  CHECK(seen.has("transaction failed transient: MAIL was refused 451 later"));
}

TEST_CASE("half a reply that nothing asked for does not hold the session for ever", "[client][threats][T42]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  ehlo::client_session session{options};
  for (std::string_view input = "220 hi\r\n"; !std::holds_alternative<ehlo::receive>(session.next(input));) {
  }
  for (std::string_view input = "250 mx\r\n"; !std::holds_alternative<ehlo::idle>(session.next(input));) {
  }
  CHECK(session.timeout().what == ehlo::waiting_for::nothing);
  std::string_view half = "25";
  CHECK(std::holds_alternative<ehlo::receive>(session.next(half)));
  CHECK(session.timeout().what == ehlo::waiting_for::reply);
  CHECK(session.timed_out().has_value());
}

TEST_CASE("before the session is ready no single command is sent, and afterwards none that is too long", "[client]") {
  ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  options.mechanisms = mechanisms;
  ehlo::client_session session{options};
  const std::string name = "NAME=" + std::string(250, 'a');
  const std::string helo = " HELO=" + std::string(250, 'b');
  const auto xclient = *ehlo::xclient_attributes::parse("NAME=a.example");
  const auto xforward = *ehlo::xforward_attributes::parse("NAME=a.example");
  const auto check_all = [&](ehlo::errc reason) {
    CHECK(session.noop().error().code == reason);
    CHECK(session.reset().error().code == reason);
    CHECK(session.verify("a").error().code == reason);
    CHECK(session.help("a").error().code == reason);
    CHECK(session.etrn("mx.example").error().code == reason);
    CHECK(session.xclient(xclient).error().code == reason);
    CHECK(session.xforward(xforward).error().code == reason);
    CHECK(session.raw("XVERB").error().code == reason);
    CHECK(session.hello().error().code == reason);
    CHECK(session.authenticate().error().code == reason);
  };
  check_all(ehlo::errc::not_ready);
  std::string_view input;
  /// Goes on until an action of this kind.
  const auto reach = [&]<class Action>(std::type_identity<Action>, std::string_view octets) {
    input = octets;
    for (int i = 0; i < 100; ++i) {
      if (std::holds_alternative<Action>(session.next(input))) return;
    }
    FAIL("it does not come");
  };
  reach(std::type_identity<ehlo::receive>{}, "220 hi\r\n");
  reach(std::type_identity<ehlo::credentials_question>{},
        "250-mx\r\n250-ETRN\r\n250-XCLIENT NAME HELO\r\n250-XFORWARD\r\n250 AUTH EXTERNAL\r\n");
  check_all(ehlo::errc::not_ready);
  CHECK(session.respond("").has_value());
  reach(std::type_identity<ehlo::receive>{}, "");
  reach(std::type_identity<ehlo::authentication_result>{}, "235 ok\r\n");
  check_all(ehlo::errc::not_ready);  // `ready` comes next
  reach(std::type_identity<ehlo::idle>{}, "");
  CHECK(session.authenticate().error().code == ehlo::errc::authenticated_already);
  const std::string long_word(600, 'x');
  for (const auto& done : {session.raw("XVERB " + long_word), session.help(long_word), session.verify(long_word),
                           session.xclient(*ehlo::xclient_attributes::parse(name + helo)),
                           session.xforward(*ehlo::xforward_attributes::parse(name + helo))}) {
    CHECK(done.error().code == ehlo::errc::line_too_long);
  }
  CHECK(session.noop().has_value());
  check_all(ehlo::errc::session_busy);
}

TEST_CASE("what is asked for when a message was given up waits until that is told", "[client]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  const auto mail = ehlo::fixed_envelope<200>::make("a@client.example", {"b@mx.example"});
  client_turns turns{options};
  ehlo::client_session& session = turns.session;
  REQUIRE(session.begin_transaction(*mail).has_value());
  for (const std::string_view reply : {"220 hi\r\n", "250-mx\r\n250 CHUNKING\r\n", "250 ok\r\n", "250 ok\r\n"}) turns.after(reply);
  REQUIRE(turns.is_at<ehlo::mail_data_question>());
  REQUIRE(session.abandon().has_value());
  CHECK(session.begin_transaction(*mail).error().code == ehlo::errc::session_busy);
  CHECK(session.noop().error().code == ehlo::errc::session_busy);
  std::string_view nothing;
  CHECK(std::holds_alternative<ehlo::transaction_failed>(session.next(nothing)));
  // The next message waits for the reply to RSET, where nothing may be pipelined.
  CHECK(session.begin_transaction(*mail).has_value());
  CHECK(turns.after() == "RSET\r\n");
  CHECK(turns.is_at<ehlo::receive>());
  CHECK(turns.after("250 ok\r\n") == "MAIL FROM:<a@client.example>\r\n");
  CHECK(turns.is_at<ehlo::receive>());
}

TEST_CASE("only a channel with TLS has a server that was verified", "[client]") {
  for (const auto policy : {ehlo::tls_policy::never, ehlo::tls_policy::active}) {
    for (const auto who : {ehlo::server_identity::verified, ehlo::server_identity::unverified}) {
      const ehlo::client_options options{.hostname = "client.example", .tls = policy};
      ehlo::client_session session{options};
      session.identify(who);
      const bool is_active = policy == ehlo::tls_policy::active;
      CHECK(session.is_tls_active() == is_active);
      CHECK(session.conditions().tls_verified == (is_active && who == ehlo::server_identity::verified));
    }
  }
}
