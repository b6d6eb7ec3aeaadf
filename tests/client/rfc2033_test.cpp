// SPDX-License-Identifier: BSL-1.0
// What RFC 2033 asks of an LMTP client.
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

setup to_three() {
  setup how;
  how.options.protocol = ehlo::protocol::lmtp;
  how.mails[0].to = {"b@mx.example", "c@mx.example", "d@mx.example"};
  return how;
}

const std::string dot = R"(
    S: 220 hi
    C: LHLO client.example
    S: 250-mx
    S: 250 PIPELINING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: RCPT TO:<c@mx.example>
    C: RCPT TO:<d@mx.example>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 250 ok
    S: 250 ok
    S: 354 go
    C: Subject: x
    C:
    C: Hello
    C: .
)";
const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";

}  // namespace

TEST_CASE("LMTP opens with LHLO and falls back to nothing", "[client][2033-4.1-05]") {
  for (const std::string code : {"500", "501", "502", "504", "550"}) {
    auto how = to_three();
    how.options.helo_after_501_and_550 = true;
    const auto seen = check_client_dialogue("S: 220 hi\nC: LHLO client.example\nS: " + code + " no\n" + goodbye, how);
    CHECK(seen.has("failed: " + name_of(errc::hello_refused) + " " + code));
  }
}

TEST_CASE("a reply of several lines is that of one recipient", "[client][2033-4.2-06]") {
  const auto seen =
      check_client_dialogue(dot + "S: 250-b\nS: 250 has it\nS: 452-c\nS: 452-is\nS: 452 full\nS: 550 d\n" + goodbye, to_three());
  CHECK(seen.has("message 0-1 250 b/has it"));
  CHECK(seen.has("message 1-2 452 c/is/full"));
  CHECK(seen.has("message 2-3 550 d"));
}

TEST_CASE("each recipient has its result as soon as its reply is there", "[client][2033-5-06]") {
  const ehlo::client_options options{
      .hostname = "client.example", .protocol = ehlo::protocol::lmtp, .tls = ehlo::tls_policy::never};
  client_turns turns{options};
  const auto mail = *ehlo::envelope::make("a@client.example", {"b@mx.example", "c@mx.example", "d@mx.example"});
  REQUIRE(turns.session.begin_transaction(mail).has_value());
  for (const std::string_view reply :
       {"220 hi\r\n", "250-mx\r\n250 PIPELINING\r\n", "250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n"})
    (void)turns.after(reply);
  REQUIRE(turns.is_at<ehlo::mail_data_question>());
  REQUIRE(turns.session.end_of_mail_data("x: y\r\n").has_value());
  (void)turns.after();
  turns.notices.clear();
  (void)turns.after("250 b\r\n");
  CHECK(turns.notices == std::vector<std::string>{"message 0 250"});
  CHECK(turns.is_at<ehlo::receive>());
  (void)turns.after("452 d\r\n");
  CHECK(turns.notices == std::vector<std::string>{"message 0 250", "message 2 452"});
}

TEST_CASE("when the channel breaks, the replies that came count and the others are for later", "[client][2033-5-07]") {
  for (const std::string end : {"EOF\n", "BREAK\n"}) {
    const auto one = check_client_dialogue(dot + "S: 250 b has it\n" + end + "CLOSE\n", to_three());
    CHECK(one.count("message") == 1);
    CHECK(one.has("message 0-1 250 b has it"));
    CHECK(one.events.back() == "transaction failed (unknown) transient: " + name_of(errc::connection_lost));
    const auto two = check_client_dialogue(dot + "S: 250 b has it\nS: 550 c has not\ns: 250 d\n" + end + "CLOSE\n", to_three());
    CHECK(two.count("message") == 2);
    CHECK(two.has("message 1-2 550 c has not"));
    CHECK(two.has("transaction failed (unknown) transient"));
  }
}
