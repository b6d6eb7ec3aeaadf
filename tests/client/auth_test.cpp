// SPDX-License-Identifier: BSL-1.0
// AUTH: which mechanism, when, and what is no success. RFC 4954.
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

constexpr ehlo::auth_mechanism plain_and_login[] = {ehlo::mechanisms::plain, ehlo::mechanisms::login};

client_dialogue::setup with_auth(std::span<const ehlo::auth_mechanism> mechanisms) {
  client_dialogue::setup how;
  how.options.tls = ehlo::tls_policy::active;
  how.options.mechanisms = mechanisms;
  return how;
}

}  // namespace

TEST_CASE("AUTH PLAIN with its initial response", "[client][threats][T31]") {
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 AUTH LOGIN PLAIN
    C: AUTH PLAIN AHVzZXIAcGFzcw==
    S: 235 welcome
    C: MAIL FROM:<a@client.example>
    S: 550 no
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          with_auth(plain_and_login));
  CHECK(seen.has("auth PLAIN 235 welcome"));
}

TEST_CASE("a failed exchange does not lead to a weaker mechanism", "[client][threats][T32]") {
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 AUTH LOGIN PLAIN
    C: AUTH PLAIN AHVzZXIAcGFzcw==
    S: 535 no
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          with_auth(plain_and_login));
  CHECK(seen.has("failed: authentication failed"));
}

TEST_CASE("credentials do not go without TLS", "[client][threats][T31]") {
  auto how = with_auth(plain_and_login);
  how.options.tls = ehlo::tls_policy::never;
  const auto seen = check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 AUTH LOGIN PLAIN\nC: QUIT\nS: 221 bye\nCLOSE\n", how);
  CHECK(seen.has("failed: none of the mechanisms"));
}

TEST_CASE("LOGIN: success before the password is no success, and no challenge gets it twice", "[client][threats][T34]") {
  constexpr ehlo::auth_mechanism login[] = {ehlo::mechanisms::login};
  const std::string start =
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 AUTH LOGIN\nC: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dXNlcg==\n";
  const auto early = check_client_dialogue(start + "S: 235 welcome\nCLOSE\n", with_auth(login));
  CHECK(early.has("failed: success was claimed before"));
  const auto again = check_client_dialogue(
      start + "S: 334 UGFzc3dvcmQ6\nC: cGFzcw==\nS: 334 UGFzc3dvcmQ6\nC: *\nS: 501 ok\nC: QUIT\nS: 221 bye\nCLOSE\n", [&] {
        auto how = with_auth(login);
        how.on_credentials = [](const ehlo::credentials_question& q) -> std::optional<std::pair<std::string, ehlo::exchange>> {
          if (q.step == 0) return std::pair{std::string{"user"}, ehlo::exchange::goes_on};
          if (q.step == 1) return std::pair{std::string{"pass"}, ehlo::exchange::complete};
          return std::nullopt;
        };
        return how;
      }());
  CHECK(again.has("credentials LOGIN step 2"));
}

TEST_CASE("a challenge that is no base64 is cancelled", "[client][4954-4-19][threats][T33]") {
  constexpr ehlo::auth_mechanism login[] = {ehlo::mechanisms::login};
  const auto seen = check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 AUTH LOGIN\nC: AUTH LOGIN\nS: 334 !!!\nC: *\nS: 501 cancelled\nC: "
      "QUIT\nS: 221 bye\nCLOSE\n",
      with_auth(login));
  CHECK(seen.has("failed: the client cancelled"));
}

TEST_CASE("an initial response that does not fit waits for the empty challenge", "[client][4954-4-15]") {
  constexpr ehlo::auth_mechanism xoauth2[] = {ehlo::mechanisms::xoauth2};
  const std::string token(600, 't');
  auto how = with_auth(xoauth2);
  how.credentials.proof = ehlo::secret{token};
  std::string message =
      "user=user\x01"
      "auth=Bearer " +
      token + "\x01\x01";
  std::string encoded(ehlo::base64::encoded_size(message.size()), '\0');
  ehlo::encode_base64(message, encoded.data());
  const auto seen = check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 AUTH XOAUTH2\nC: AUTH XOAUTH2\nS: 334\nC: " + encoded +
          "\nS: 235 ok\nC: MAIL FROM:<a@client.example>\nS: 550 no\nC: QUIT\nS: 221 bye\nCLOSE\n",
      how);
  CHECK(seen.count("credentials") == 1);
}

TEST_CASE("an empty initial response is written as an equals sign", "[client][4954-4-16]") {
  constexpr ehlo::auth_mechanism external[] = {ehlo::mechanisms::external};
  check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 AUTH EXTERNAL\nC: AUTH EXTERNAL =\nS: 454 later\nC: QUIT\nS: 221 "
      "bye\nCLOSE\n",
      with_auth(external));
}

TEST_CASE("where AUTH is not required a failure is told, and another exchange may be asked for", "[client][4954-4-35]") {
  auto how = with_auth(plain_and_login);
  how.options.auth_required = false;
  how.mails.clear();
  how.quit = false;
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 AUTH PLAIN
    C: AUTH PLAIN AHVzZXIAcGFzcw==
    S: 535 no
    DO authenticate
    C: AUTH PLAIN AHVzZXIAcGFzcw==
    S: 235 yes
    DO authenticate
  )",
                                          how);
  CHECK(seen.count("auth PLAIN") == 2);
  CHECK(seen.has("authenticate refused: AUTH succeeds once"));
}

TEST_CASE("a server that challenges without end is told to stop", "[client][threats][T34]") {
  constexpr ehlo::auth_mechanism cram[] = {ehlo::mechanisms::cram_md5};
  auto how = with_auth(cram);
  how.options.limits.challenges = 3;
  how.on_credentials = [](const ehlo::credentials_question&) { return std::pair{std::string{"x"}, ehlo::exchange::goes_on}; };
  std::string text = "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 AUTH CRAM-MD5\nC: AUTH CRAM-MD5\n";
  for (int i = 0; i < 3; ++i) text += "S: 334 eA==\nC: eA==\n";
  check_client_dialogue(text + "S: 334 eA==\nC: *\nS: 501 cancelled\nC: QUIT\nS: 221 bye\nCLOSE\n", how);
}

TEST_CASE("credentials that were not sent are overwritten too", "[client][threats][T37]") {
  ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::active, .mechanisms = plain_and_login};
  ehlo::fixed_client_session<> session{options};  // it keeps all octets inside
  for (std::string_view input = "220 hi\r\n"; !std::holds_alternative<ehlo::receive>(session.next(input));) {
  }
  std::string_view input = "250-mx\r\n250 AUTH PLAIN\r\n";
  for (;;) {
    const auto action = session.next(input);
    if (!std::holds_alternative<ehlo::credentials_question>(action)) continue;
    CHECK(session.respond(std::string_view{"\0user\0pass", 10}).has_value());
    break;
  }
  session.disconnected();
  while (!std::holds_alternative<ehlo::close_channel>(session.next(input))) {
  }
  const std::string_view octets{reinterpret_cast<const char*>(&session), sizeof session};
  CHECK(octets.find("AHVzZXIA") == octets.npos);
}
