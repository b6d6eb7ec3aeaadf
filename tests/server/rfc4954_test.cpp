// SPDX-License-Identifier: BSL-1.0
// AUTH (RFC 4954) and STARTTLS (RFC 3207) by a server session.
#include <string>

#include <ehlo/format.hpp>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain, ehlo::mechanisms::login, ehlo::mechanisms::external,
                                               ehlo::mechanisms::cram_md5};
const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string secret = "AGFsaWNlAHdvbmRlcmxhbmQ=";  // NUL alice NUL wonderland

/// TLS is active, and who sends the right secret is let in.
setup secure() {
  setup out;
  out.options.mechanisms = mechanisms;
  out.options.tls = ehlo::tls_mode::active;
  out.on_auth = [](const ehlo::auth_question& q) -> answer {
    if (!q.response) return dialogue::challenge{"<1@mx.example>"};
    return q.response->text() == secret ? answer{dialogue::authenticated{}} : answer{dialogue::by_default{}};
  };
  return out;
}

setup with_starttls() {
  setup out;
  out.options.tls = ehlo::tls_mode::offered;
  return out;
}

std::string lines(const dialogue::record& r) { return r.sent; }

}  // namespace

TEST_CASE("AUTH is listed with the names of its mechanisms", "[server][auth][4954-3-01]") {
  CHECK(lines(check_server_dialogue(hello, secure())).find("\r\n250-AUTH PLAIN LOGIN EXTERNAL CRAM-MD5\r\n") != std::string::npos);
}

TEST_CASE("the list of mechanisms changes with TLS", "[server][auth][4954-3-02]") {
  setup how = with_starttls();
  how.options.mechanisms = mechanisms;
  const auto r = check_server_dialogue(hello + "C: STARTTLS\nS: 220\nTLS\n" + hello, how);
  const std::size_t before = r.sent.find("250-AUTH EXTERNAL CRAM-MD5\r\n");
  CHECK(before != std::string::npos);
  CHECK(r.sent.find("250-AUTH PLAIN LOGIN EXTERNAL CRAM-MD5\r\n", before) != std::string::npos);
}

TEST_CASE("AUTH makes MAIL 500 octets longer", "[server][auth][4954-3-03]") {
  setup how = secure();
  how.options.extensions.size = false;
  const std::string start = "MAIL FROM:<> X=";
  for (const auto& [size, code] : {std::pair{1012U, "555"}, std::pair{1013U, "500"}})
    check_server_dialogue(hello + "C: " + start + std::string(size - start.size() - 2, 'x') + "\nS: " + code + "\n", how);
  how.options.mechanisms = {};
  check_server_dialogue(hello + "C: " + start + std::string(513 - start.size() - 2, 'x') + "\nS: 500\n", how);
}

TEST_CASE("AUTH takes a mechanism and maybe an initial response", "[server][auth][4954-4-01]") {
  check_server_dialogue(hello + "C: AUTH\nS: 501\nC: AUTH PLAIN a b\nS: 501\nC: AUTH PLAIN\nS: 334\nC: *\nS: 501\nC: AUTH PLAIN " +
                            secret + "\nS: 235\n",
                        secure());
}

TEST_CASE("an equals sign is an empty initial response, nothing is none", "[server][auth][4954-4-02]") {
  setup how = secure();
  how.on_auth = [](const ehlo::auth_question& q) -> answer {
    CHECK(q.initial);
    CHECK(q.response.has_value());
    CHECK((q.response && q.response->text().empty()));
    return dialogue::authenticated{};
  };
  check_server_dialogue(hello + "C: AUTH EXTERNAL =\nS: 235\n", how);
  how.on_auth = [](const ehlo::auth_question& q) -> answer {
    CHECK_FALSE(q.response.has_value());
    return dialogue::by_default{};
  };
  check_server_dialogue(hello + "C: AUTH CRAM-MD5\nS: 535\nC: AUTH LOGIN\nS: 535\n", how);
}

TEST_CASE("AUTH succeeds once", "[server][auth][4954-4-03][T35]") {
  check_server_dialogue(hello + "C: AUTH PLAIN " + secret + "\nS: 235\nC: AUTH PLAIN " + secret + "\nS: 503 5.5.1\n", secure());
}

TEST_CASE("AUTH inside a transaction gets 503, and the transaction stays", "[server][auth][4954-4-04][T35]") {
  check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\nC: AUTH PLAIN " + secret + "\nS: 503\nC: RCPT TO:<a@b.example>\nS: 250\n",
                        secure());
}

TEST_CASE("AUTH before EHLO or behind HELO gets 503", "[server][auth][4954-4-05][T35]") {
  check_server_dialogue("C: AUTH PLAIN " + secret + "\nS: 503\nC: HELO c.example\nS: 250\nC: AUTH PLAIN " + secret + "\nS: 503\n",
                        secure());
}

TEST_CASE("an unknown mechanism gets 504", "[server][auth][4954-4-06]") {
  check_server_dialogue(hello + "C: AUTH FOO\nS: 504\nC: NOOP\nS: 250\n", secure());
}

TEST_CASE("that 504 is 5.5.4", "[server][auth][4954-4-07]") {
  check_server_dialogue(hello + "C: AUTH FOO\nS: 504 5.5.4\n", secure());
}

TEST_CASE("mechanisms are named in any case", "[server][auth][4954-4-08]") {
  check_server_dialogue(hello + "C: auth plain " + secret + "\nS: 235\n", secure());
}

TEST_CASE("a challenge is 334, a space and base64", "[server][auth][4954-4-09]") {
  check_server_dialogue(hello + "C: AUTH CRAM-MD5\nS: 334 PDFAbXguZXhhbXBsZT4=\nC: AAAA\nS: 535\n", secure());
}

TEST_CASE("an empty response line is an empty response", "[server][auth][4954-4-12]") {
  const auto r = check_server_dialogue(hello + "C: AUTH PLAIN\nS: 334\nC:\nS: 535\n", secure());
  CHECK(r.has("auth PLAIN "));
}

TEST_CASE("an asterisk cancels with 501", "[server][auth][4954-4-13]") {
  const auto r = check_server_dialogue(hello + "C: AUTH CRAM-MD5\nS: 334\nC: *\nS: 501 5.7.0\nC: NOOP\nS: 250\n", secure());
  CHECK(r.has("exchange cancelled"));
}

TEST_CASE("a mechanism in which the client speaks first begins with an empty challenge", "[server][auth][4954-4-14]") {
  const auto r = check_server_dialogue(hello + "C: AUTH PLAIN\nS: 334\nC: " + secret + "\nS: 235\n", secure());
  CHECK(r.sent.find("\r\n334 \r\n") != std::string::npos);
}

TEST_CASE("a mechanism in which the server speaks first takes no initial response", "[server][auth][4954-4-17]") {
  check_server_dialogue(hello + "C: AUTH CRAM-MD5 AAAA\nS: 501 5.7.0\n", secure());
}

TEST_CASE("a response that is no base64 ends the exchange with 501 5.5.2", "[server][auth][4954-4-18][T35]") {
  for (const char* response : {"!!!!", "=", "AAA", "AA=A", "AAAA AAAA", "AB==", " AAAA"}) {
    const auto r =
        check_server_dialogue(hello + "C: AUTH CRAM-MD5\nS: 334\nC: " + response + "\nS: 501 5.5.2\nC: NOOP\nS: 250\n", secure());
    CHECK(r.has("exchange malformed"));
  }
  check_server_dialogue(hello + "C: AUTH PLAIN !!!!\nS: 501 5.5.2\nC: NOOP\nS: 250\n", secure());
}

TEST_CASE("a line of the exchange may have 12288 octets", "[server][auth][4954-4-22]") {
  setup how = secure();
  how.options.mechanisms = mechanisms;
  for (const auto& [size, code] : {std::pair{12284U, "535"}, std::pair{12288U, "500 5.5.6"}})
    check_server_dialogue(hello + "C: AUTH PLAIN\nS: 334\nC: " + std::string(size, 'A') + "\nS: " + code + "\nC: NOOP\nS: 250\n",
                          how);
  check_server_dialogue(hello + "C: AUTH PLAIN " + std::string(8000, 'A') + "\nS: 535\n", how);
}

TEST_CASE("a longer line ends the exchange with 500 5.5.6", "[server][auth][4954-4-23][T7]") {
  const auto r = check_server_dialogue(
      hello + "C: AUTH CRAM-MD5\nS: 334\nC: " + std::string(20000, 'A') + "RSET\nS: 500 5.5.6\nC: NOOP\nS: 250\n", secure());
  CHECK(r.has("exchange malformed"));
  check_server_dialogue(hello + "C: AUTH PLAIN " + std::string(20000, 'A') + "\nS: 500 5.5.6\nC: NOOP\nS: 250\n", secure());
}

TEST_CASE("failed authentication gets 535 5.7.8, for an unknown user and a wrong password alike",
          "[server][auth][4954-4-26][T36]") {
  check_server_dialogue(
      hello +
          "C: AUTH PLAIN AGEAYg==\nS: 535 5.7.8 Authentication credentials invalid\nC: AUTH PLAIN AGEAYw==\nS: 535 5.7.8 "
          "Authentication credentials invalid\n",
      secure());
}

TEST_CASE("success is 235 2.7.0", "[server][auth][4954-4-27]") {
  check_server_dialogue(hello + "C: AUTH PLAIN " + secret + "\nS: 235 2.7.0\n", secure());
}

TEST_CASE("data that go with success take one more round", "[server][auth][4954-4-28]") {
  setup how = secure();
  how.on_auth = [](const ehlo::auth_question& q) -> answer {
    return q.initial ? answer{dialogue::challenge{"v=proof"}} : answer{dialogue::authenticated{}};
  };
  check_server_dialogue(hello + "C: AUTH PLAIN " + secret + "\nS: 334 dj1wcm9vZg==\nC:\nS: 235\n", how);
}

TEST_CASE("without TLS no mechanism that shows the password is listed or taken", "[server][auth][4954-4-36][T31]") {
  setup how = secure();
  how.options.tls = ehlo::tls_mode::unavailable;
  const auto r = check_server_dialogue(hello + "C: AUTH PLAIN " + secret + "\nS: 538 5.7.11\nC: AUTH LOGIN\nS: 538\n", how);
  CHECK_FALSE(r.has("auth"));
  CHECK(r.sent.find("PLAIN") == std::string::npos);
}

TEST_CASE("PLAIN works over TLS", "[server][auth][4954-4-37]") {
  setup how = with_starttls();
  how.options.mechanisms = mechanisms;
  how.on_auth = [](const ehlo::auth_question& q) -> answer {
    std::string octets(q.response->decoded_size(), '\0');
    q.response->decode(octets.data());
    const auto message = ehlo::sasl::plain::parse(octets);
    if (!message) return dialogue::by_default{};
    CHECK(octets == std::string_view{"\0alice\0wonderland", 17});
    return dialogue::authenticated{};
  };
  check_server_dialogue(
      hello + "C: STARTTLS\nS: 220\nTLS\n" + hello + "C: AUTH PLAIN " + secret + "\nS: 235\nC: MAIL FROM:<>\nS: 250\n", how);
}

TEST_CASE("AUTH on MAIL is a mailbox in xtext, or the empty path", "[server][auth][4954-5-01]") {
  check_server_dialogue(
      hello + "C: MAIL FROM:<> AUTH=<>\nS: 250\nC: RSET\nS: 250\nC: MAIL FROM:<> AUTH=e+3Dmc2@example.com\nS: 250\n", secure());
}

TEST_CASE("AUTH on MAIL that is no mailbox gets 501", "[server][auth][4954-5-02][T20]") {
  for (const char* value : {"foo", "+zz", "a@b+0Ac", "@b", "a+40"})
    check_server_dialogue(hello + "C: MAIL FROM:<> AUTH=" + value + "\nS: 501 5.5.4\n", secure());
}

TEST_CASE("AUTH on MAIL is taken from a client that has not authenticated", "[server][auth][4954-5-03]") {
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> AUTH=a@b.example\nS: 250\n", secure());
}

TEST_CASE("what such a client claims is a claim: the session says that nobody is authenticated", "[server][auth][4954-5-07][T38]") {
  setup how = secure();
  bool claimed = false;
  how.on_mail = [&claimed](const ehlo::mail_question& q) {
    claimed = q.parameters.auth().has_value() && q.parameters.auth()->mailbox.has_value();
    return answer{dialogue::by_default{}};
  };
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> AUTH=a@b.example\nS: 250\n", how);
  CHECK(claimed);
  CHECK_FALSE(ehlo::server_session{how.options}.is_authenticated());
}

TEST_CASE("where AUTH is required all but AUTH, EHLO, HELO, NOOP, RSET and QUIT get 530", "[server][auth][4954-6-04]") {
  setup how = secure();
  how.options.auth_required = true;
  check_server_dialogue(hello +
                            "C: MAIL FROM:<>\nS: 530 5.7.0\nC: RCPT TO:<a@b>\nS: 530\nC: DATA\nS: 530\nC: VRFY a\nS: 530\nC: "
                            "HELP\nS: 530\nC: RSET\nS: 250\n"
                            "C: NOOP\nS: 250\nC: BDAT 4\nc: QUIT\nS: 530\nC: HELO c.example\nS: 250\n" +
                            hello + "C: AUTH PLAIN " + secret + "\nS: 235\nC: MAIL FROM:<>\nS: 250\nC: QUIT\nS: 221\n",
                        how);
}

TEST_CASE("with no mechanism to list there is no AUTH line", "[server][auth][4954-6-05]") {
  setup how;
  static constexpr ehlo::auth_mechanism only_plain[] = {ehlo::mechanisms::plain};
  how.options.mechanisms = only_plain;
  CHECK(check_server_dialogue(hello, how).sent.find("AUTH") == std::string::npos);
}

TEST_CASE("after as many failures as the option says the session ends", "[server][auth][4954-9-01]") {
  setup how = secure();
  how.options.limits.authentication_failures = 4;
  std::string text = hello;
  for (int i = 0; i < 4; ++i) text += "C: AUTH PLAIN AGEAYg==\nS: 535\n";
  check_server_dialogue(text + "C: AUTH PLAIN AGEAYg==\nS: 421\nCLOSE\n", how);
}

TEST_CASE("three failures are always tolerated", "[server][auth][4954-9-02]") {
  check_server_dialogue(hello +
                            "C: AUTH PLAIN AGEAYg==\nS: 535\nC: AUTH PLAIN AGEAYg==\nS: 535\nC: AUTH PLAIN AGEAYg==\nS: 535\nC: "
                            "AUTH PLAIN AGEAYg==\nS: 421\nCLOSE\n",
                        secure());
  ehlo::server_options options{.hostname = "mx.example"};
  options.limits.authentication_failures = 2;
  CHECK(options.check().error().code == ehlo::errc::option_limit);
}

TEST_CASE("credentials do not appear in formatted actions", "[server][auth][T37]") {
  const setup how = secure();
  ehlo::server_session session{how.options};
  std::string_view input;
  std::string log;
  std::string wire = "EHLO c.example\r\nAUTH PLAIN " + secret + "\r\nAUTH LOGIN\r\nd29uZGVybGFuZA==\r\nQUIT\r\n";
  bool fed = false;
  for (int i = 0; i < 60; ++i) {
    const auto action = session.next(input);
    log += fmt::format("{}\n", action);
    if (std::holds_alternative<ehlo::receive>(action) && !fed) {
      input = wire;
      fed = true;
    }
    if (session.open_question().serial != 0) {
      if (std::holds_alternative<ehlo::auth_question>(action) && !std::get<ehlo::auth_question>(action).response) {
        session.challenge("Password:");
      } else {
        session.answer_default();
      }
    }
  }
  CHECK(log.find("auth") != std::string::npos);
  for (const std::string_view part : {std::string_view{"wonderland"}, std::string_view{secret}, std::string_view{"d29uZGVybGFuZA"}})
    CHECK(log.find(part) == std::string::npos);
}

TEST_CASE("STARTTLS is listed without parameters", "[server][starttls][3207-2-01]") {
  CHECK(check_server_dialogue(hello, with_starttls()).sent.find("\r\n250-STARTTLS\r\n") != std::string::npos);
}

TEST_CASE("STARTTLS brings one verb and makes no line longer", "[server][starttls][3207-2-02]") {
  setup how = with_starttls();
  how.options.extensions.size = false;
  const std::string start = "MAIL FROM:<> X=";
  check_server_dialogue(hello + "C: " + start + std::string(513 - start.size() - 2, 'x') + "\nS: 500\nC: STARTTLS\nS: 220\nTLS\n",
                        how);
}

TEST_CASE("the keyword is there when TLS can be had, and then only", "[server][starttls][3207-3-01][T56]") {
  CHECK(check_server_dialogue(hello + "C: STARTTLS\nS: 502\n").sent.find("STARTTLS") == std::string::npos);
}

TEST_CASE("STARTTLS takes no argument", "[server][starttls][3207-4-01]") {
  check_server_dialogue(hello + "C: STARTTLS x\nS: 501\nC: STARTTLS\nS: 220\nTLS\n", with_starttls());
}

TEST_CASE("454 says that TLS cannot be had just now", "[server][starttls][3207-4-02]") {
  setup how = with_starttls();
  how.on_starttls = [](const ehlo::starttls_question&) { return answer{ehlo::replies::tls_unavailable}; };
  check_server_dialogue(hello + "C: STARTTLS\nS: 454 4.7.0\nC: MAIL FROM:<>\nS: 250\n", how);
}

TEST_CASE("where TLS is required all but NOOP, EHLO, STARTTLS and QUIT get 530", "[server][starttls][3207-4-06]") {
  setup how;
  how.options.tls = ehlo::tls_mode::required;
  check_server_dialogue(
      "C: MAIL FROM:<>\nS: 530\nC: VRFY a\nS: 530\nC: HELP\nS: 530\nC: RSET\nS: 530\nC: HELO c.example\nS: 530\nC: NOOP\nS: 250\n" +
          hello + "C: MAIL FROM:<>\nS: 530\nC: BDAT 6\nc: QUIT\\r\\n\nS: 530\nC: STARTTLS\nS: 220\nTLS\n" + hello +
          "C: MAIL FROM:<>\nS: 250\nC: QUIT\nS: 221\nCLOSE\n",
      how);
}

TEST_CASE("that 530 is 5.7.0", "[server][starttls][3207-4-07]") {
  setup how;
  how.options.tls = ehlo::tls_mode::required;
  check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 530 5.7.0 Must issue a STARTTLS command first\n", how);
}

TEST_CASE("octets behind STARTTLS are never run", "[server][starttls][3207-4-11][T9]") {
  const ehlo::server_options options{.hostname = "mx.example", .tls = ehlo::tls_mode::offered};
  const std::string wire = "EHLO c.example\r\nSTARTTLS\r\nMAIL FROM:<evil@x.example>\r\n";
  const std::size_t line_end = wire.find("MAIL");
  // The pieces end at every octet; the one that holds the end of STARTTLS may hold more, or the more comes before the handshake.
  for (std::size_t cut = 1; cut <= wire.size(); ++cut) {
    CAPTURE(cut);
    ehlo::server_session session{options};
    std::string_view rest = wire;
    std::string_view input;
    std::string sent;
    bool asked_for_tls = false;
    bool violated = false;
    bool mailed = false;
    for (int i = 0; i < 200 && !session.is_closed(); ++i) {
      const auto action = session.next(input);
      if (const auto* const out = std::get_if<ehlo::transmit>(&action)) sent += out->octets;
      if (const auto* const broken = std::get_if<ehlo::violation>(&action)) {
        violated = broken->code == ehlo::errc::octets_before_tls;
        CHECK(broken->offset == line_end);
      }
      mailed = mailed || std::holds_alternative<ehlo::mail_question>(action);
      const bool wants_tls = std::holds_alternative<ehlo::start_tls>(action);
      asked_for_tls = asked_for_tls || wants_tls;
      if (std::holds_alternative<ehlo::receive>(action) || wants_tls) {
        input = rest.substr(0, cut);
        rest.remove_prefix(input.size());
      }
      if (session.open_question().serial != 0) session.accept();
    }
    CHECK(session.is_closed());
    CHECK(violated);
    CHECK_FALSE(mailed);
    CHECK(asked_for_tls == (line_end % cut == 0));
    CHECK((sent.ends_with("220 2.0.0 Ready to start TLS\r\n") || sent.find("\r\n554 ") != std::string::npos));
  }
}

TEST_CASE("TLS that is too weak leaves only QUIT", "[server][starttls][3207-4.1-03]") {
  check_server_dialogue(hello +
                            "C: STARTTLS\nS: 220\nTLS WEAK\nC: EHLO c.example\nS: 554\nC: MAIL FROM:<>\nS: 554\nC: NOOP\nS: "
                            "554\nC: QUIT\nS: 221\nCLOSE\n",
                        with_starttls());
}

TEST_CASE("after the handshake the session is as after the greeting, without another greeting", "[server][starttls][3207-4.2-01]") {
  check_server_dialogue(
      hello + "C: STARTTLS\nS: 220\nTLS\nC: MAIL FROM:<>\nS: 503\nC: NOOP\nS: 250\n" + hello + "C: MAIL FROM:<>\nS: 250\n",
      with_starttls());
}

TEST_CASE("what was said before TLS is forgotten", "[server][starttls][3207-4.2-02][T12]") {
  setup how = with_starttls();
  how.options.mechanisms = mechanisms;
  const ehlo::server_options& options = how.options;
  ehlo::server_session session{options};
  std::string_view input;
  bool fed = false;
  for (int i = 0; i < 30; ++i) {
    const auto action = session.next(input);
    if (std::holds_alternative<ehlo::start_tls>(action)) break;
    if (std::holds_alternative<ehlo::receive>(action)) {
      input = fed ? std::string_view{} : std::string_view{"EHLO client.example\r\nMAIL FROM:<>\r\nRSET\r\nSTARTTLS\r\n"};
      fed = true;
    }
    if (session.open_question().serial != 0) session.accept();
  }
  REQUIRE(session.tls_started().has_value());
  CHECK(session.current_state() == ehlo::state::greeted);
  CHECK(session.is_tls_active());
  CHECK_FALSE(session.is_esmtp());
  CHECK_FALSE(session.is_authenticated());
  CHECK(session.recipients() == 0);
  // From here on it does what a session does that was secure from the start.
  setup secure_from_start = how;
  secure_from_start.options.tls = ehlo::tls_mode::active;
  const auto after = check_server_dialogue(
      hello + "C: STARTTLS\nS: 220\nTLS\n" + hello + "C: STARTTLS\nS: 503\nC: MAIL FROM:<>\nS: 250\nC: QUIT\nS: 221\n", how);
  const auto fresh =
      check_server_dialogue(hello + "C: STARTTLS\nS: 503\nC: MAIL FROM:<>\nS: 250\nC: QUIT\nS: 221\n", secure_from_start);
  CHECK(after.sent.ends_with(fresh.sent.substr(fresh.sent.find("250-"))));
}

TEST_CASE("the list of extensions changes with TLS", "[server][starttls][3207-4.2-05]") {
  setup how = with_starttls();
  static constexpr ehlo::auth_mechanism only_plain[] = {ehlo::mechanisms::plain};
  how.options.mechanisms = only_plain;
  const auto r = check_server_dialogue(hello + "C: STARTTLS\nS: 220\nTLS\n" + hello, how);
  CHECK(r.sent.find("AUTH PLAIN") > r.sent.find("Ready to start TLS"));
}

TEST_CASE("a session knows whether TLS is active", "[server][starttls][3207-4.2-06]") {
  ehlo::server_options options{.hostname = "mx.example"};
  CHECK_FALSE(ehlo::server_session{options}.is_tls_active());
  options.tls = ehlo::tls_mode::offered;
  CHECK_FALSE(ehlo::server_session{options}.is_tls_active());
  options.tls = ehlo::tls_mode::active;
  CHECK(ehlo::server_session{options}.is_tls_active());
}

TEST_CASE("STARTTLS is not listed once TLS is active", "[server][starttls][3207-4.2-08]") {
  const auto r = check_server_dialogue(hello + "C: STARTTLS\nS: 220\nTLS\n" + hello, with_starttls());
  CHECK(r.sent.rfind("STARTTLS") < r.sent.find("Ready to start TLS"));
}

TEST_CASE("STARTTLS inside TLS gets 503", "[server][starttls][3207-4.2-09]") {
  check_server_dialogue(hello + "C: STARTTLS\nS: 220\nTLS\n" + hello + "C: STARTTLS\nS: 503\nC: NOOP\nS: 250\n", with_starttls());
}

TEST_CASE("STARTTLS inside a transaction gets 503, and the transaction stays", "[server][starttls][3207-4.2-10][T12]") {
  check_server_dialogue(hello +
                            "C: MAIL FROM:<>\nS: 250\nC: STARTTLS\nS: 503\nC: RCPT TO:<a@b.example>\nS: 250\nC: STARTTLS\nS: "
                            "503\nC: RSET\nS: 250\nC: STARTTLS\nS: 220\nTLS\n",
                        with_starttls());
}

TEST_CASE("STARTTLS after AUTH gets 503", "[server][starttls][T12]") {
  setup how = with_starttls();
  static constexpr ehlo::auth_mechanism external[] = {ehlo::mechanisms::external};
  how.options.mechanisms = external;
  how.on_auth = [](const ehlo::auth_question&) { return answer{dialogue::authenticated{}}; };
  check_server_dialogue(hello + "C: AUTH EXTERNAL =\nS: 235\nC: STARTTLS\nS: 503\n", how);
}

TEST_CASE("submission may require both TLS and AUTH", "[server][starttls][3207-4.3-01]") {
  setup how = secure();
  how.options.tls = ehlo::tls_mode::required;
  how.options.auth_required = true;
  check_server_dialogue(hello + "C: AUTH PLAIN " + secret + "\nS: 530\nC: STARTTLS\nS: 220\nTLS\n" + hello +
                            "C: MAIL FROM:<>\nS: 530\nC: AUTH PLAIN " + secret + "\nS: 235\nC: MAIL FROM:<>\nS: 250\n",
                        how);
}

TEST_CASE("a handshake that fails ends the session without a word", "[server][starttls][T13]") {
  const auto r = check_server_dialogue(hello + "C: STARTTLS\nS: 220\nTLS FAILED\nCLOSE\n", with_starttls());
  CHECK(r.sent.ends_with("220 2.0.0 Ready to start TLS\r\n"));
  ehlo::server_session session{with_starttls().options};
  CHECK(session.tls_failed().error().code == ehlo::errc::tls_not_pending);
  CHECK(session.tls_started().error().code == ehlo::errc::tls_not_pending);
}
