// SPDX-License-Identifier: BSL-1.0
// EHLO and HELO: RFC 5321 3.2, 4.1.1.1, 4.1.4.
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string envelope =
    hello + "C: MAIL FROM:<a@client.example>\nS: 250 2.1.0 OK\nC: RCPT TO:<b@mx.example>\nS: 250 2.1.5 OK\n";

setup bare() {
  setup how;
  how.options.extensions = {.pipelining = false,
                            .size = false,
                            .eight_bit_mime = false,
                            .enhanced_status_codes = false,
                            .chunking = false,
                            .vrfy = false,
                            .help = false};
  return how;
}

}  // namespace

TEST_CASE("the answer to HELO has one line and no keywords", "[server][hello][5321-3.2-01]") {
  const auto r = check_server_dialogue("S: 220\nC: HELO client.example\nS: 250 mx.example\n");
  CHECK(r.sent == "220 mx.example ESMTP\r\n250 mx.example\r\n");
  // Nor after an EHLO, which it undoes.
  const auto later = check_server_dialogue(hello + "C: HELO client.example\nS: 250 mx.example\nC: MAIL FROM:<> SIZE=1\nS: 555\n");
  CHECK(later.sent.find("250 mx.example\r\n") != later.sent.npos);
}

TEST_CASE("words behind an address literal are dropped where the caller wants it", "[server][hello][5321-4.1.1.1-03]") {
  check_server_dialogue("C: EHLO [192.0.2.7] laptop\nS: 501\n");
  setup lenient;
  lenient.options.leniency.words_after_hello = true;
  const auto r = check_server_dialogue("C: EHLO [192.0.2.7] laptop\nS: 250\nC: EHLO client.example laptop\nS: 501\n", lenient);
  CHECK(r.has("hello EHLO [192.0.2.7]"));
}

TEST_CASE("250 to EHLO or HELO leaves no transaction and no buffers", "[server][hello][5321-4.1.1.1-05]") {
  for (const std::string verb : {"EHLO", "HELO"}) {
    CAPTURE(verb);
    const auto r = check_server_dialogue(envelope + "C: " + verb + R"( b.example
      S: 250
      C: DATA
      S: 503
      C: RCPT TO:<c@mx.example>
      S: 503
      C: MAIL FROM:<d@b.example>
      S: 250
      C: DATA
      S: 503
    )");
    CHECK(r.count("reset hello") == 1);
  }
}

TEST_CASE("HELO takes a domain only", "[server][hello][5321-4.1.1.1-07]") {
  const std::string text =
      "C: HELO client.example\nS: 250\nC: HELO\nS: 501\nC: HELO \nS: 501\nC: HELO a b\nS: 501\nC: HELO -a.example\nS: 501\n";
  check_server_dialogue(text + "C: HELO [192.0.2.1]\nS: 501\n");
  setup lenient;
  lenient.options.leniency.helo_literal = true;
  check_server_dialogue(text + "C: HELO [192.0.2.1]\nS: 250\n", lenient);
}

TEST_CASE("the answer to EHLO begins with the server's domain and then its greeting, if any", "[server][hello][5321-4.1.1.1-08]") {
  setup how;
  how.on_hello = [](const ehlo::hello_question&) { return answer{*ehlo::reply::make(250, {}, "greets you")}; };
  const auto r = check_server_dialogue(
      "C: EHLO client.example\nS: 250-mx.example greets you\nS: 250-\nS: 250-\nS: 250-\nS: 250-\nS: 250-\nS: 250 \n", how);
  CHECK(r.sent.find("250-mx.example greets you\r\n250-PIPELINING\r\n") != r.sent.npos);
  CHECK(check_server_dialogue("C: HELO client.example\nS: 250\n", how).sent.ends_with("250 mx.example greets you\r\n"));
}

TEST_CASE("each line of the answer to EHLO has one keyword, and all but the last a hyphen",
          "[server][hello][5321-4.1.1.1-09][5321-4.1.1.1-11]") {
  setup how = bare();
  how.options.extensions.size = how.options.extensions.eight_bit_mime = how.options.extensions.help = true;
  how.options.limits.message = 1000000;
  static constexpr std::string_view keywords[] = {"LIMITS RCPTMAX=20 MAILMAX=5", "8X-y"};
  how.options.keywords = keywords;
  const auto r = check_server_dialogue("S: 220\nC: EHLO client.example\nS: 250 mx\n", how);
  CHECK(r.sent ==
        "220 mx.example ESMTP\r\n250-mx.example\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250-HELP\r\n"
        "250-LIMITS RCPTMAX=20 MAILMAX=5\r\n250 8X-y\r\n");
  // What is no line of this form is not taken.
  static constexpr std::string_view wrong[] = {"-X", "", "A  B", "A ", "A_B", "A\r\nB", "A B\tC", "A \x01"};
  for (const std::string_view& word : wrong) {
    how.options.keywords = {&word, 1};
    CHECK(how.options.check().error().code == ehlo::errc::option_name);
  }
}

TEST_CASE("EHLO lists each command outside the required set", "[server][hello][5321-4.1.1.1-14]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  static constexpr ehlo::custom_verb verbs[] = {{"XTRN", true}};
  setup how;
  how.options.extensions.expn = how.options.extensions.etrn = true;
  how.options.tls = ehlo::tls_mode::offered;
  how.options.mechanisms = mechanisms;
  how.options.verbs = verbs;
  const auto r = check_server_dialogue("C: EHLO client.example\nS: 250\n", how);
  for (const char* keyword : {"HELP", "EXPN", "STARTTLS", "AUTH EXTERNAL", "ETRN", "XTRN", "CHUNKING"}) {
    CAPTURE(keyword);
    CHECK(r.sent.find(std::string{keyword} + "\r\n") != r.sent.npos);
  }
  for (const char* keyword : {"MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "HELO"}) {
    CAPTURE(keyword);
    CHECK(r.sent.find(keyword) == r.sent.npos);
  }
}

TEST_CASE("with no keyword the answer to EHLO is one line", "[server][hello][5321-4.1.1.1-15]") {
  const auto r = check_server_dialogue("S: 220\nC: EHLO client.example\nS: 250 mx.example\n", bare());
  CHECK(r.sent == "220 mx.example ESMTP\r\n250 mx.example\r\n");
}

TEST_CASE("mail needs a hello", "[server][hello][5321-4.1.4-01]") {
  const auto r = check_server_dialogue(R"(
    C: MAIL FROM:<a@client.example>
    S: 503
    C: RCPT TO:<b@mx.example>
    S: 503
    C: DATA
    S: 503
    C: HELO client.example
    S: 250
    C: MAIL FROM:<a@client.example>
    S: 250
  )");
  CHECK(r.count("mail") == 1);
}

TEST_CASE("a later EHLO clears everything as RSET would", "[server][hello][5321-4.1.4-03]") {
  const auto r =
      check_server_dialogue(envelope + hello + "C: RCPT TO:<b@mx.example>\nS: 503\nC: MAIL FROM:<c@client.example>\nS: 250\n");
  CHECK(r.count("reset hello") == 1);
}

TEST_CASE("an EHLO that cannot be accepted is refused", "[server][hello][5321-4.1.4-04]") {
  setup how;
  how.on_hello = [](const ehlo::hello_question& q) -> answer {
    if (q.client.text() == "blocked.example") return ehlo::replies::policy_refusal;
    return dialogue::by_default{};
  };
  check_server_dialogue(
      "C: EHLO\nS: 501\nC: EHLO bad_name\nS: 501\nC: EHLO [1.2.3]\nS: 501\nC: EHLO blocked.example\nS: 550\nC: MAIL FROM:<>\nS: "
      "503\n",
      how);
  setup without;
  without.options.esmtp = false;
  check_server_dialogue("C: EHLO client.example\nS: 502\nC: HELO client.example\nS: 250\n", without);
}

TEST_CASE("a refused EHLO changes nothing", "[server][hello][5321-4.1.4-05]") {
  setup how;
  how.on_hello = [](const ehlo::hello_question& q) -> answer {
    if (q.client.text() == "blocked.example") return ehlo::replies::policy_refusal;
    return dialogue::by_default{};
  };
  const auto r = check_server_dialogue(envelope + R"(
    C: EHLO
    S: 501
    C: EHLO a b
    S: 501
    C: HELO blocked.example
    S: 550
    C: RCPT TO:<c@mx.example> NOTIFY=NEVER
    S: 555
    C: DATA
    S: 354
    C: text
    C: .
    S: 250
    C: MAIL FROM:<a@client.example> SIZE=1
    S: 250
  )",
                                       how);
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].from == "<a@client.example>");
  CHECK_FALSE(r.has("reset"));
}
