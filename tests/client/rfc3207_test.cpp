// SPDX-License-Identifier: BSL-1.0
// What RFC 3207 asks of a client: STARTTLS.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"
#include "support/client_turns.hpp"

namespace {

using client_dialogue::name_of;
using client_dialogue::setup;
using ehlo::errc;

const std::string hello = "S: 220 hi\nC: EHLO client.example\n";
const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";

setup with_tls(ehlo::tls_policy policy) {
  setup how;
  how.options.tls = policy;
  return how;
}

}  // namespace

TEST_CASE("after the 220 nothing but the handshake can be done", "[client][3207-4-08]") {
  const ehlo::client_options options{.hostname = "client.example"};
  client_turns turns{options};
  const auto mail = *ehlo::envelope::make("a@client.example", {"b@mx.example"});
  (void)turns.after("220 hi\r\n");
  REQUIRE(turns.after("250-mx\r\n250 STARTTLS\r\n") == "STARTTLS\r\n");
  CHECK(turns.after("220 go\r\n").empty());
  for (int i = 0; i < 3; ++i) {
    CHECK(turns.is_at<ehlo::start_tls>());
    CHECK(turns.session.noop().error().code == errc::not_ready);
    CHECK(turns.session.reset().error().code == errc::not_ready);
    CHECK(turns.session.verify("a").error().code == errc::not_ready);
    CHECK(turns.session.hello().error().code == errc::not_ready);
    CHECK(turns.session.raw("XFOO").error().code == errc::not_ready);
    if (i == 0) CHECK(turns.session.begin_transaction(mail).has_value());
    if (i == 2) CHECK(turns.session.quit().has_value());
    CHECK(turns.after().empty());
  }
  CHECK(turns.session.tls_started().has_value());
  CHECK(turns.after() == "EHLO client.example\r\n");
}

TEST_CASE("nothing is grouped behind STARTTLS", "[client][3207-4-10]") {
  // What leaves before the server's next line stands before it here.
  check_client_dialogue(hello +
                            "S: 250-mx\nS: 250-PIPELINING\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\nC: EHLO client.example\n" +
                            "S: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 550 no\n" + goodbye,
                        with_tls(ehlo::tls_policy::required));
  check_client_dialogue(
      hello + "S: 250-mx\nS: 250-PIPELINING\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 no\nC: MAIL FROM:<a@client.example>\n" +
          "C: RCPT TO:<b@mx.example>\nC: DATA\nS: 550 no\nS: 503 no\nS: 503 no\n" + goodbye,
      with_tls(ehlo::tls_policy::opportunistic));
}

TEST_CASE("the first command inside TLS is EHLO", "[client][3207-4.2-04]") {
  constexpr ehlo::auth_mechanism plain[] = {ehlo::mechanisms::plain};
  for (const auto policy : {ehlo::tls_policy::required, ehlo::tls_policy::opportunistic}) {
    auto how = with_tls(policy);
    how.options.mechanisms = plain;
    const std::string rest =
        "S: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH PLAIN AHVzZXIAcGFzcw==\nS: 235 ok\nC: MAIL FROM:<a@client.example>\n" +
        std::string{"S: 550 no\n"} + goodbye;
    check_client_dialogue(
        hello + "S: 250-mx\nS: 250-AUTH PLAIN\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\nC: EHLO client.example\n" + rest, how);
  }
}

TEST_CASE("a client that may use TLS does where it is offered, and goes on without it where it is not", "[client][3207-6-02]") {
  const auto how = with_tls(ehlo::tls_policy::opportunistic);
  const std::string mail = "C: MAIL FROM:<a@client.example>\nS: 550 no\n" + goodbye;
  check_client_dialogue(
      hello + "S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\nC: EHLO client.example\nS: 250 mx\n" + mail, how);
  check_client_dialogue(hello + "S: 250 mx\n" + mail, how);
}

TEST_CASE("whatever was offered before the handshake, behind it a client does what it does on a channel with TLS from the start",
          "[client][3207-6-04]") {
  constexpr ehlo::auth_mechanism plain[] = {ehlo::mechanisms::plain};
  constexpr std::string_view keywords[] = {"XKEY"};
  auto how = with_tls(ehlo::tls_policy::active);
  how.options.mechanisms = plain;
  how.options.auth_required = false;
  how.options.keywords = keywords;
  how.mails[0].recipient_options = {{.notify = ehlo::notify_set{.failure = true}}};
  how.mails[0].octets = "a: b\r\n\r\n\xE9\r\n";
  how.mails.push_back({.from = "<>", .to = {"\xC3\xA9@mx.example"}});
  how.mails.push_back({.options = {.further = *ehlo::parameter_list::parse("XKEY=1")}});
  how.mails.push_back({.to = {"b@mx.example", "c@mx.example"}});
  how.options.dsn = ehlo::dsn_policy::relay;
  const std::string inside =
      "C: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 250 ok\n"
      "C: RCPT TO:<c@mx.example>\nS: 250 ok\nC: DATA\nS: 354 go\nC: Subject: x\nC:\nC: Hello\nC: .\nS: 250 ok\n" +
      goodbye;
  const auto fresh = check_client_dialogue("S: 220 hi\n" + inside, how);
  CHECK(fresh.has("transaction failed: " + name_of(errc::eight_bit_mime_not_offered)));
  CHECK(fresh.has("transaction failed: " + name_of(errc::smtputf8_not_offered)));
  CHECK(fresh.has("transaction failed: " + name_of(errc::keyword_not_offered)));

  how.options.tls = ehlo::tls_policy::required;
  for (const std::string offered :
       {"", "S: 250-PIPELINING\n", "S: 250-SIZE 5\n", "S: 250-8BITMIME\n", "S: 250-CHUNKING\nS: 250-BINARYMIME\n",
        "S: 250-SMTPUTF8\n", "S: 250-DSN\n", "S: 250-AUTH PLAIN\n", "S: 250-XKEY\n",
        "S: 250-LIMITS RCPTMAX=1 MAILMAX=1 RCPTDOMAINMAX=1\n"}) {
    CAPTURE(offered);
    const auto seen =
        check_client_dialogue(hello + "S: 250-first\n" + offered + "S: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\n" + inside, how);
    const auto from = [](const client_dialogue::record& r, std::string_view event) {
      const auto at = std::ranges::find_if(r.events, [event](const std::string& e) { return e == event; });
      return std::vector<std::string>{at, r.events.end()};
    };
    CHECK(from(seen, "ehlo 250 mx") == from(fresh, "ehlo 250 mx"));
  }
}
