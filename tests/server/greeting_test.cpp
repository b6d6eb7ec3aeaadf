// SPDX-License-Identifier: BSL-1.0
// How a session opens: RFC 5321 3.1, clients that speak first, other protocols on the port, and what a server tells of itself.
#include <string>
#include <string_view>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

setup refused() {
  setup how;
  how.on_greeting = [](const ehlo::greeting_question&) -> answer { return ehlo::replies::no_service; };
  return how;
}

/// All octets that a session sends when the client's come before its greeting.
struct opening {
  std::string sent;
  bool is_early = false;  ///< told by the question
  bool has_violation = false;
};

opening open_with(std::string_view first, std::string_view before_transmit, bool accept) {
  const setup how;
  ehlo::server_session session{how.options};
  opening out;
  for (std::string_view input = first;;) {
    const auto action = session.next(input);
    if (const auto* v = std::get_if<ehlo::violation>(&action)) {
      CHECK(v->code == ehlo::errc::early_talker);
      CHECK(v->offset == 0);
      CHECK_FALSE(out.has_violation);
      out.has_violation = true;
    } else if (const auto* q = std::get_if<ehlo::greeting_question>(&action)) {
      out.is_early = q->early_talker;
      CHECK((accept ? session.accept() : session.answer_default()).has_value());
      input = before_transmit;
    } else if (const auto* t = std::get_if<ehlo::transmit>(&action)) {
      out.sent += t->octets;
    } else {
      return out;
    }
  }
}

}  // namespace

TEST_CASE("a server may refuse the whole session with 554", "[server][greeting][5321-3.1-02]") {
  const auto r = check_server_dialogue("S: 554 mx.example\n", refused());
  CHECK(r.sent == "554 mx.example No SMTP service here\r\n");
}

TEST_CASE("after a 554 greeting the connection stays until QUIT", "[server][greeting][5321-3.1-03]") {
  std::string text = "S: 554\n";
  for (int i = 0; i < 20; ++i) text += "C: NOOP\nS: 503\n";
  CHECK_FALSE(check_server_dialogue(text, refused()).closed);
  check_server_dialogue(text + "C: QUIT\nS: 221 2.0.0 mx.example\nCLOSE\n", refused());
}

TEST_CASE("after a 554 greeting each command but QUIT gets 503", "[server][greeting][5321-3.1-04]") {
  const auto r = check_server_dialogue(R"(
    S: 554
    C: EHLO client.example
    S: 503 5.5.1
    C: HELO client.example
    S: 503
    C: MAIL FROM:<>
    S: 503
    C: RCPT TO:<a@b.example>
    S: 503
    C: DATA
    S: 503
    C: RSET
    S: 503
    C: VRFY a
    S: 503
    C: HELP
    S: 503
    C: NOOP
    S: 503
    C: FOO
    S: 503
    C: STARTTLS
    S: 503
  )",
                                       refused());
  CHECK(r.count("violation") == 11);
  CHECK_FALSE(r.has("hello"));
}

TEST_CASE("octets before the greeting are told, and by default get 554", "[server][greeting][T51]") {
  SECTION("before the question") {
    const auto careful = open_with("EHLO client.example\r\n", "", false);
    CHECK(careful.is_early);
    CHECK(careful.has_violation);
    CHECK(careful.sent == "554 mx.example No SMTP service here\r\n");
    const auto lenient = open_with("EHLO client.example\r\n", "", true);
    CHECK(lenient.has_violation);
    CHECK(lenient.sent == "220 mx.example ESMTP\r\n");
  }
  SECTION("between the answer and the greeting's leaving") {
    const auto late = open_with("", "E", true);
    CHECK_FALSE(late.is_early);
    CHECK(late.has_violation);
  }
  SECTION("a client that waits") {
    const auto patient = open_with("", "", false);
    CHECK_FALSE(patient.is_early);
    CHECK_FALSE(patient.has_violation);
    CHECK(patient.sent == "220 mx.example ESMTP\r\n");
  }
}

TEST_CASE("another protocol on the port ends the session without an echo", "[server][greeting][T8]") {
  for (const std::string first :
       {"GET / HTTP/1.1", "POST /x HTTP/1.1", "PUT /x HTTP/1.0", "HEAD / HTTP/1.1", "OPTIONS * HTTP/1.1",
        "CONNECT mx.example:25 HTTP/1.1", "DELETE / HTTP/1.1", "PRI * HTTP/2.0", "SSH-2.0-OpenSSH_9.2", "Host: mx.example"}) {
    CAPTURE(first);
    const auto r = check_server_dialogue("C: " + first + R"(
      C: Host: zzzz
      C: Content-Length: 100
      C:
      C: EHLO evil.example
      C: MAIL FROM:<evil@evil.example>
      C: RCPT TO:<a@mx.example>
      C: DATA
      S: 421 4.7.0 mx.example
      CLOSE
    )");
    CHECK(r.count("violation") == 1);
    CHECK_FALSE(r.has("mail"));
    CHECK_FALSE(r.has("hello"));
    CHECK(r.sent.find("HTTP") == r.sent.npos);
    CHECK(r.sent.find("SSH") == r.sent.npos);
  }
  // Long ones too.
  check_server_dialogue("C: GET /" + std::string(5000, 'a') + " HTTP/1.1\nS: 421\nCLOSE\n");
  // A TLS hello has no CRLF: it is known by its first octet.
  const auto tls = check_server_dialogue("c: \\x16\\x03\\x01\\x02\\0\\x01\\0\\x01\\xfc\\x03\\x03\nS: 421 4.7.0\nCLOSE\n");
  CHECK(tls.count("violation") == 1);
}

TEST_CASE("behind the first line these words are commands that nobody knows", "[server][greeting][T8]") {
  const auto r = check_server_dialogue("C: NOOP\nS: 250\nC: GET / HTTP/1.1\nS: 500\nC: \\x16\nS: 500\nC: QUIT\nS: 221\nCLOSE\n");
  CHECK(r.count("violation") == 2);
}

TEST_CASE("no default output names a product or a version", "[server][greeting][T48]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  setup how;
  how.options.mechanisms = mechanisms;
  how.options.tls = ehlo::tls_mode::offered;
  how.options.extensions.expn = true;
  std::string text = "S: 220 mx.example ESMTP\nC: EHLO client.example\nS: 250\nC: HELP\nS: 214\n";
  for (const char* topic :
       {"EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET", "VRFY", "EXPN", "HELP", "NOOP", "QUIT", "STARTTLS", "AUTH"}) {
    text += std::string{"C: HELP "} + topic + "\nS: 214\n";
  }
  const auto r = check_server_dialogue(
      text + "C: HELP x\nS: 504\nC: FOO\nS: 500\nC: VRFY a\nS: 252\nC: EXPN a\nS: 502\nC: QUIT\nS: 221\nCLOSE\n", how);
  std::string lower = r.sent;
  for (char& c : lower) c = ehlo::ascii::to_lower(c);
  for (std::size_t at = 0; (at = lower.find("ehlo", at)) != lower.npos; at += 4) {
    CHECK(r.sent.substr(at, 4) == "EHLO");  // the verb
  }
  CHECK(lower.find("0.1") == lower.npos);
  for (const ehlo::replies::named_reply& one : ehlo::replies::all) {
    CAPTURE(one.name);
    CHECK(one.value.text().find("ehlo") == one.value.text().npos);
    CHECK(one.value.text().find("0.1") == one.value.text().npos);
  }
}
