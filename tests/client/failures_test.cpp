// SPDX-License-Identifier: BSL-1.0
// What a client does when the server refuses, goes away, says too much, or is not who it should be: scripts of servers, what is
// sent to them, and what the caller hears.
#include <string>
#include <utility>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

client_dialogue::setup with_tls(ehlo::tls_policy policy) {
  client_dialogue::setup how;
  how.options.tls = policy;
  return how;
}

constexpr ehlo::auth_mechanism plain_and_login[] = {ehlo::mechanisms::plain, ehlo::mechanisms::login};

client_dialogue::setup with_auth(std::span<const ehlo::auth_mechanism> mechanisms) {
  client_dialogue::setup how;
  how.options.tls = ehlo::tls_policy::active;
  how.options.mechanisms = mechanisms;
  return how;
}

}  // namespace

TEST_CASE("a greeting of 554 is answered with QUIT", "[client][5321-4.1.4-16]") {
  const auto seen = check_client_dialogue(R"(
    S: 554-no service
    S: 554 here
    C: QUIT
    S: 221 bye
    CLOSE
  )");
  CHECK(seen.events == std::vector<std::string>{"failed: the server does not serve us 554 no service/here",
                                                "transaction failed: the server does not serve us"});
}

TEST_CASE("521 at the opening is a permanent refusal of the host", "[client][7504-3-05]") {
  const auto seen = check_client_dialogue("S: 521 host takes no mail\nC: QUIT\nS: 521 still not\nCLOSE\n");
  CHECK(seen.has("failed: the server does not serve us 521"));
}

TEST_CASE("421 ends the session at any point, without a word", "[client][5321-3.8-06]") {
  for (const std::string before :
       {"", "S: 220 hi\nC: EHLO client.example\n",
        "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\n",
        "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\n"}) {
    const auto seen = check_client_dialogue(before + "S: 421 going down\nCLOSE\n");
    CHECK(seen.has("failed: the server closes the channel 421 going down"));
    CHECK(seen.has("transaction failed transient: the server closes the channel"));
  }
}

TEST_CASE("HELO follows a refusal of EHLO as unknown", "[client][5321-2.2.1-03][5321-3.2-02]") {
  for (const std::string code : {"500", "502", "504"}) {
    const auto seen =
        check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: " + code +
                              " what?\nC: HELO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 550 no\n"
                              "C: QUIT\nS: 221 bye\nCLOSE\n");
    CHECK(seen.has("helo 250 mx"));
    CHECK(seen.has("transaction failed: MAIL was refused 550 no"));
  }
}

TEST_CASE("HELO does not follow 4yz, 550, or anything under required TLS", "[client][threats][T11]") {
  for (const std::string code : {"451", "550", "501", "421"}) {
    const std::string quit = code == "421" ? "" : "C: QUIT\nS: 221 bye\n";
    check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: " + code + " no\n" + quit + "CLOSE\n");
  }
  for (const std::string code : {"500", "502", "504", "550", "250 mx\nS: 250"}) {
    if (code.size() > 3) continue;
    const auto seen = check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: " + code + " no\nC: QUIT\nS: 221 bye\nCLOSE\n",
                                            with_tls(ehlo::tls_policy::required));
    CHECK(seen.sent == "EHLO client.example\r\nQUIT\r\n");
  }
}

TEST_CASE("under required TLS nothing but EHLO, STARTTLS and QUIT leaves before the handshake",
          "[client][threats][T11][3207-6-01]") {
  const auto stripped = check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: QUIT\nS: 221 bye\nCLOSE\n",
                                              with_tls(ehlo::tls_policy::required));
  CHECK(stripped.has("failed: STARTTLS is not offered"));
  for (const std::string reply : {"454 not now", "502 no", "554 no"}) {
    const auto refused =
        check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: " + reply +
                                  "\nC: QUIT\nS: 221 bye\nCLOSE\n",
                              with_tls(ehlo::tls_policy::required));
    CHECK(refused.has("failed: STARTTLS was refused"));
  }
  for (const std::string reply : {"250 ok", "235 ok", "354 go on"}) {
    const auto odd = check_client_dialogue(
        "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: " + reply + "\nCLOSE\n",
        with_tls(ehlo::tls_policy::required));
    CHECK(odd.has("failed: a reply of this code"));
  }
}

TEST_CASE("octets behind the 220 to STARTTLS are fatal, whole line or not", "[client][threats][T10][3207-4-12]") {
  for (const std::string injected : {"250-mx\\r\\n250 AUTH PLAIN\\r\\n", "2", "250 x", "\\r\\n"}) {
    auto how = with_tls(ehlo::tls_policy::required);
    how.whole_only = true;
    const auto seen = check_client_dialogue(
        "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\ns: 220 go\\r\\n" + injected + "\nCLOSE\n",
        how);
    CHECK(seen.has("failed: octets came between STARTTLS and the handshake"));
    CHECK(seen.sent == "EHLO client.example\r\nSTARTTLS\r\n");
  }
}

TEST_CASE("what was learned before TLS counts for nothing after it", "[client][threats][T12][3207-4.2-03][3207-4.2-04]") {
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250-SIZE 5
    S: 250-PIPELINING
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 go
    TLS
    C: EHLO client.example
    S: 250 mx
    C: MAIL FROM:<a@client.example>
    S: 550 no
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          with_tls(ehlo::tls_policy::required));
  CHECK(seen.has("transaction failed: MAIL was refused"));
}

TEST_CASE("after 220 the only ways on are the handshake and the end", "[client][threats][T13][3207-4-09]") {
  check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS FAILED\nCLOSE\n",
      with_tls(ehlo::tls_policy::opportunistic));
}

TEST_CASE("too weak TLS is left with QUIT", "[client][3207-4.1-02]") {
  check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS WEAK\nC: QUIT\nS: 221 "
      "bye\nCLOSE\n",
      with_tls(ehlo::tls_policy::required));
}

TEST_CASE("a lost channel is a transient failure, and unknown behind the final dot", "[client][threats][T16][5321-3.8-05]") {
  const std::string start =
      "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 250 "
      "ok\n"
      "C: DATA\n";
  const auto before = check_client_dialogue(start + "EOF\nCLOSE\n");
  CHECK(before.has("transaction failed transient: the channel ended"));
  const auto behind = check_client_dialogue(start + "S: 354 go\nC: Subject: x\nC:\nC: Hello\nC: .\nEOF\nCLOSE\n");
  CHECK(behind.has("transaction failed (unknown) transient: the channel ended"));
  CHECK_FALSE(behind.has("message"));
  const auto late = check_client_dialogue(start + "S: 354 go\nC: Subject: x\nC:\nC: Hello\nC: .\nTIMEOUT\nC: QUIT\nCLOSE\n");
  CHECK(late.has("transaction failed (unknown) transient: the reply did not come in time"));
}

TEST_CASE("a 354 for nobody gets the lone dot", "[client][threats][T6][2920-3.1-06][2920-4-03]") {
  client_dialogue::setup how;
  how.mails[0].to = {"no@mx.example", "nor@mx.example"};
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 PIPELINING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<no@mx.example>
    C: RCPT TO:<nor@mx.example>
    C: DATA
    S: 250 ok
    S: 550 no
    S: 450 busy
    S: 354 go on
    C: .
    S: 554 no valid recipients
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          how);
  CHECK(seen.has("rcpt 0 550"));
  CHECK(seen.has("rcpt 1 transient 450"));
  CHECK_FALSE(seen.has("message"));
  CHECK(seen.has("transaction failed: a recipient was refused"));
}

TEST_CASE("with all_or_nothing DATA waits for the recipients, and RSET follows a refusal", "[client]") {
  client_dialogue::setup how;
  how.options.recipients = ehlo::recipient_policy::all_or_nothing;
  how.mails[0].to = {"b@mx.example", "no@mx.example"};
  how.mails.push_back({.from = "<>", .to = {"<Postmaster>"}, .octets = ".\r\n"});
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 PIPELINING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: RCPT TO:<no@mx.example>
    S: 250 ok
    S: 250 ok
    S: 550 no
    C: RSET
    S: 250 ok
    C: MAIL FROM:<>
    C: RCPT TO:<Postmaster>
    S: 250 ok
    S: 250 ok
    C: DATA
    S: 354 go on
    C: ..
    C: .
    S: 250 taken
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          how);
  CHECK(seen.has("transaction failed: a recipient was refused"));
  CHECK(seen.has("message 0-1 250 taken"));
}

TEST_CASE("a reply that no command asked for ends the session", "[client][threats][T6]") {
  auto how = client_dialogue::setup{};
  how.whole_only = true;
  const auto seen = check_client_dialogue("S: 220 hi\nS: 250 mx\nC: QUIT\nCLOSE\n", how);
  CHECK(seen.has("unsolicited 250 mx"));
  CHECK(seen.has("failed: octets came that no command asked for"));
  const auto early = check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: "
      "QUIT\nCLOSE\n",
      how);
  CHECK(early.has("unsolicited 250 ok"));
}

TEST_CASE("octets that are no reply end the session", "[client][5321-4.2-18][5321-4.2-17]") {
  for (const auto& [line, why] : std::vector<std::pair<std::string, std::string>>{{"hello", "a line of a reply begins"},
                                                                                  {"150 x", "a line of a reply begins"},
                                                                                  {"2x0 x", "a line of a reply begins"},
                                                                                  {"250_x", "a line of a reply begins"},
                                                                                  {"25", "a line of a reply begins"},
                                                                                  {"250-a\nS: 550 b", "the lines of a reply"},
                                                                                  {"250 a\\nb", "a LF without"},
                                                                                  {"250 a\\rb", "a CR without"},
                                                                                  {"250 \\0", "a NUL octet"}}) {
    INFO(line);
    const auto seen = check_client_dialogue(
        "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: " + line + "\nC: QUIT\nCLOSE\n");
    CHECK(seen.has("failed: " + why));
    CHECK(seen.has("transaction failed"));
  }
}

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

TEST_CASE("BDAT goes to servers with CHUNKING, and a refused chunk is followed by RSET", "[client][3030-2-13][3030-2-15]") {
  client_dialogue::setup how;
  how.mails[0].piece = 8;
  how.mails.push_back(client_dialogue::mail{});
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250 CHUNKING
    C: MAIL FROM:<a@client.example>
    S: 250 ok
    C: RCPT TO:<b@mx.example>
    S: 250 ok
    C: BDAT 8
    c: Subject:
    S: 452 full
    C: RSET
    S: 250 ok
    C: MAIL FROM:<a@client.example>
    S: 250 ok
    C: RCPT TO:<b@mx.example>
    S: 250 ok
    C: BDAT 21 LAST
    C: Subject: x
    C:
    C: Hello
    S: 250 taken
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          how);
  CHECK(seen.has("transaction failed transient: a chunk was refused"));
}

TEST_CASE("LMTP: each reply belongs to the next accepted recipient, and the missing ones are unknown",
          "[client][2033-4.2-07][2033-5-07][2033-4.2-06][2033-5-06]") {
  client_dialogue::setup how;
  how.options.protocol = ehlo::protocol::lmtp;
  how.mails[0].to = {"b@mx.example", "no@mx.example", "c@mx.example", "d@mx.example"};
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: LHLO client.example
    S: 250-mx
    S: 250 PIPELINING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: RCPT TO:<no@mx.example>
    C: RCPT TO:<c@mx.example>
    C: RCPT TO:<d@mx.example>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 550 no
    S: 250 ok
    S: 250 ok
    S: 354 go on
    C: Subject: x
    C:
    C: Hello
    C: .
    S: 250-b
    S: 250 has it
    S: 452 c is full
    EOF
    CLOSE
  )",
                                          how);
  CHECK(seen.has("message 0-1 250 b/has it"));
  CHECK(seen.has("message 2-3 452 c is full"));
  CHECK(seen.has("transaction failed (unknown) transient"));
}

TEST_CASE("what cannot go as asked is refused before an octet of it leaves", "[client]") {
  const auto refused = [](client_dialogue::mail mail, const std::string& keywords) {
    client_dialogue::setup how;
    how.mails = {std::move(mail)};
    const auto seen = check_client_dialogue(
        "S: 220 hi\nC: EHLO client.example\nS: 250-mx\n" + keywords + "S: 250 HELP\nC: QUIT\nS: 221 bye\nCLOSE\n", how);
    return seen.events.back();
  };
  CHECK(refused({.to = {"\xC3\xA9@mx.example"}}, "") ==
        "transaction failed: " + client_dialogue::name_of(ehlo::errc::smtputf8_not_offered));
  CHECK(refused({.octets = "a: b\r\n\r\n\xE9\r\n"}, "") ==
        "transaction failed: " + client_dialogue::name_of(ehlo::errc::eight_bit_mime_not_offered));
  CHECK(refused({}, "S: 250-SIZE 20\n") == "transaction failed: " + client_dialogue::name_of(ehlo::errc::size_over_limit));
  CHECK(refused({.octets = "a\nb\r\n"}, "") == "transaction failed: " + client_dialogue::name_of(ehlo::errc::bare_line_end));
  CHECK(refused({.options = {.ret = ehlo::ret_type::full}}, "") ==
        "transaction failed: " + client_dialogue::name_of(ehlo::errc::dsn_not_offered));
  CHECK(refused({.options = {.require_tls = true}}, "S: 250-REQUIRETLS\n") ==
        "transaction failed: " + client_dialogue::name_of(ehlo::errc::require_tls_not_offered));
}
