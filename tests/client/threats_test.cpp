// SPDX-License-Identifier: BSL-1.0
// What a hostile server, somebody on the way, or a careless caller tries with a client, and what the client does instead.
#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "grammar/strings.hpp"
#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

using client_dialogue::name_of;
using client_dialogue::setup;
using ehlo::errc;

constexpr ehlo::auth_mechanism plain[] = {ehlo::mechanisms::plain};
constexpr ehlo::auth_mechanism login[] = {ehlo::mechanisms::login};
constexpr ehlo::auth_mechanism xoauth2[] = {ehlo::mechanisms::xoauth2};
constexpr ehlo::auth_mechanism oauthbearer[] = {ehlo::mechanisms::oauthbearer};
constexpr ehlo::auth_mechanism scram_then_login[] = {ehlo::mechanisms::scram_sha_256, ehlo::mechanisms::login};

const std::string hello = "S: 220 hi\nC: EHLO client.example\n";
const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";

setup with_tls(ehlo::tls_policy policy) {
  setup how;
  how.options.tls = policy;
  return how;
}
setup with_auth(std::span<const ehlo::auth_mechanism> mechanisms) {
  setup how = with_tls(ehlo::tls_policy::active);
  how.options.mechanisms = mechanisms;
  return how;
}

bool has_bare_line_end(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return true;
  }
  return false;
}

/// A session driven by hand: what it sends, and whether it waits for anything else than a reply.
struct driven {
  explicit driven(const ehlo::client_options& options) : session{options} {}

  /// Feeds octets behind those that were not taken yet, and takes the actions before the next wait.
  ehlo::client_action feed(std::string_view octets) {
    held = std::string{input} += octets;
    input = held;
    for (int turns = 0; turns < 100000; ++turns) {
      const auto action = session.next(input);
      if (const auto* const out = std::get_if<ehlo::transmit>(&action)) sent += out->octets;
      if (const auto* const failed = std::get_if<ehlo::failed>(&action)) reason = failed->reason;
      if (const auto* const result = std::get_if<ehlo::message_result>(&action)) accepted = accepted || result->is_accepted();
      if (const auto* const failed = std::get_if<ehlo::transaction_failed>(&action)) {
        ++transactions_failed;
        delivery = failed->delivery;
      }
      if (std::holds_alternative<ehlo::receive>(action) || std::holds_alternative<ehlo::idle>(action) ||
          std::holds_alternative<ehlo::close_channel>(action) || std::holds_alternative<ehlo::start_tls>(action) ||
          std::holds_alternative<ehlo::mail_data_question>(action) || std::holds_alternative<ehlo::credentials_question>(action))
        return action;
    }
    FAIL("the session loops");
    return ehlo::close_channel{};
  }

  ehlo::client_session session;
  std::string held;
  std::string_view input;
  std::string sent;
  std::optional<errc> reason;
  std::optional<ehlo::delivery> delivery;
  std::size_t transactions_failed = 0;
  bool accepted = false;
};

/// What a client sends of `text`, given in pieces of `piece` octets, by DATA or BDAT; the mail data without BDAT's commands.
struct sent_text {
  std::string octets;
  bool is_whole = false;  ///< its end left
};

sent_text send_text(const std::string& text, std::size_t piece, bool chunked, ehlo::line_ends policy) {
  const ehlo::client_options options{.hostname = "c", .tls = ehlo::tls_policy::never, .line_ends = policy};
  driven client{options};
  const auto mail = ehlo::envelope::make("<>", {"b@mx.example"});
  REQUIRE(client.session.begin_transaction(*mail).has_value());
  client.feed("220 hi\r\n");
  client.feed(chunked ? "250-mx\r\n250 CHUNKING\r\n" : "250 mx\r\n");
  client.feed("250 ok\r\n");
  auto action = client.feed("250 ok\r\n");
  if (!chunked) action = client.feed("354 go\r\n");
  sent_text out;
  for (std::size_t at = 0; std::holds_alternative<ehlo::mail_data_question>(action);) {
    client.sent.clear();
    const std::string octets = text.substr(at, piece);
    at += octets.size();
    const auto given = at == text.size() ? client.session.end_of_mail_data(octets) : client.session.data(octets);
    REQUIRE(given.has_value());
    action = client.feed("");
    std::string_view wire = client.sent;
    if (!chunked) {
      out.octets += wire;
      out.is_whole = !client.reason && at == text.size();
      continue;
    }
    if (!wire.starts_with("BDAT ")) continue;  // the octets were held back, or refused: RSET
    const std::size_t end = wire.find("\r\n");
    const std::string command{wire.substr(0, end)};
    wire.remove_prefix(end + 2);
    CHECK(std::stoul(command.substr(5)) == wire.size());
    out.octets += wire;
    if (command.ends_with("LAST")) {
      out.is_whole = true;
      break;
    }
    action = client.feed("250 ok\r\n");
  }
  return out;
}

/// What normalizing makes of a text, written plainly.
std::string normalized(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') {
      out += "\r\n";
      if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    } else {
      out += text[i];
    }
  }
  if (!out.empty() && !out.ends_with("\r\n")) out += "\r\n";
  return out;
}

std::string stuffed(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.' && (i == 0 || text.substr(0, i).ends_with("\r\n"))) out += '.';
    out += text[i];
  }
  return out + ".\r\n";
}

}  // namespace

// ---- Framing ---------------------------------------------------------------------------------------------------------------

TEST_CASE("no text, in pieces of any size, makes a client send a CR or LF alone or an end of mail data of its own",
          "[client][5321-2.3.8-05][5321-4.5.2-01][3030-2-22][threats][T2][T3]") {
  strings::for_each_up_to(4, "\r\n.a", [](std::string_view text) {
    const std::string message{text};
    const bool bare = has_bare_line_end(message);
    for (const bool chunked : {false, true}) {
      for (std::size_t piece = 1; piece <= message.size() + 1; ++piece) {
        const auto refused = send_text(message, piece, chunked, ehlo::line_ends::refuse);
        const auto repaired = send_text(message, piece, chunked, ehlo::line_ends::normalize);
        const std::string lines = normalized(message);
        const std::string wanted = chunked ? lines : stuffed(lines);
        if (repaired.octets != wanted || !repaired.is_whole) FAIL("another text left: " << strings::hex(repaired.octets));
        if (refused.is_whole == bare) FAIL("refused or not: " << strings::hex(message));
        if (!bare && refused.octets != wanted) FAIL("another text left: " << strings::hex(refused.octets));
        // What left before the fault was seen holds no end.
        if (bare && refused.octets.find("\r\n.\r\n") != std::string::npos) FAIL("an end of mail data: " << strings::hex(message));
        if (bare && !wanted.starts_with(refused.octets.substr(0, refused.octets.rfind('\r')))) FAIL("another text left");
      }
    }
  });
}

TEST_CASE("a reply too many, at any place, makes no message accepted and lets no end of mail data leave",
          "[client][2920-3.1-07][5321-4.3.1-01][threats][T6]") {
  // What the server says in one turn each; the extra reply is there before the client has sent its next command.
  const std::vector<std::vector<std::vector<std::string>>> servers{
      {{"220 hi"}, {"250 mx"}, {"250 ok"}, {"250 ok"}, {"354 go"}, {"250 taken"}, {"221 bye"}},
      {{"220 hi"}, {"250-mx\r\n250 PIPELINING"}, {"250 ok", "250 ok", "354 go"}, {"250 taken"}, {"221 bye"}},
      {{"220 hi"}, {"250-mx\r\n250 CHUNKING"}, {"250 ok"}, {"250 ok"}, {"250 taken"}, {"221 bye"}},
      // Each step of AUTH is such a place, too: a response leaves when its challenge was the last that came.
      {{"220 hi"},
       {"250-mx\r\n250 AUTH LOGIN"},
       {"334 VXNlcm5hbWU6"},
       {"334 UGFzc3dvcmQ6"},
       {"235 in"},
       {"250 ok"},
       {"250 ok"},
       {"354 go"},
       {"250 taken"},
       {"221 bye"}},
      {{"220 hi"},
       {"250-mx\r\n250 AUTH XOAUTH2"},
       {"334"},
       {"235 in"},
       {"250 ok"},
       {"250 ok"},
       {"354 go"},
       {"250 taken"},
       {"221 bye"}},
  };
  constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::login, ehlo::mechanisms::xoauth2};
  const ehlo::client_options options{
      .hostname = "client.example", .tls = ehlo::tls_policy::active, .mechanisms = mechanisms, .auth_required = false};
  std::array<char, 2048> scratch{};
  const std::string token(600, 't');  // as an initial response it does not fit
  const ehlo::sasl::client_credentials by_password{.authentication_identity = "user", .proof = ehlo::secret{"pass"}};
  const ehlo::sasl::client_credentials by_token{.authentication_identity = "user", .proof = ehlo::secret{token}};
  const auto mail = ehlo::envelope::make("<>", {"b@mx.example"});
  for (const auto& turns : servers) {
    for (const std::string extra : {"220 hi\r\n", "221 bye\r\n", "235 welcome\r\n", "250 ok\r\n", "334 \r\n", "354 go\r\n",
                                    "421 down\r\n", "450 later\r\n", "550 no\r\n", "hello\r\n", "\r\n", "250-x\r\n", "250-", "2"}) {
      const bool is_begun_only = extra.starts_with("250-") || extra == "2";  // ahead of a reply it is a part of that
      for (std::size_t turn = 0; turn + 2 < turns.size(); ++turn) {
        for (std::size_t place = 0; place <= turns[turn].size(); ++place) {
          if (is_begun_only && place < turns[turn].size()) continue;
          if (place == 0 && turns[turn].size() == 1) continue;  // in the place of a reply: it is the reply
          driven client{options};
          REQUIRE(client.session.begin_transaction(*mail, ehlo::traits_of("x: y\r\n")).has_value());
          for (std::size_t i = 0; i < turns.size() && !client.session.is_closed(); ++i) {
            std::string octets;
            for (std::size_t k = 0; k <= turns[i].size(); ++k) {
              if (i == turn && k == place) octets += extra;
              if (k < turns[i].size()) octets += turns[i][k] + "\r\n";
            }
            const std::size_t before = client.sent.size();
            auto action = client.feed(octets);
            while (const auto* const question = std::get_if<ehlo::credentials_question>(&action)) {
              const auto& who = question->mechanism == "LOGIN" ? by_password : by_token;
              REQUIRE(ehlo::sasl::answer(client.session, *question, who, scratch).has_value());
              action = client.feed("");
            }
            if (i == turn && place == turns[turn].size()) {
              CAPTURE(turns[1][0], extra, turn, client.sent);
              CHECK((client.sent.substr(before) == "" || client.sent.substr(before) == "QUIT\r\n"));
            }
            if (!std::holds_alternative<ehlo::mail_data_question>(action)) continue;
            REQUIRE(client.session.end_of_mail_data("x: y\r\n").has_value());
            client.feed("");
          }
          CAPTURE(turns[1][0], extra, turn, place, client.sent);
          CHECK(client.session.is_closed());
          CHECK(client.reason.has_value());
          CHECK_FALSE(client.accepted);
          CHECK(client.transactions_failed == 1);
          CHECK(client.delivery == ehlo::delivery::not_accepted);
          CHECK(client.sent.find("\r\n.\r\n") == std::string::npos);
          CHECK(client.sent.find("BDAT") == std::string::npos);
        }
      }
    }
  }
}

// ---- The TLS boundary ------------------------------------------------------------------------------------------------------

TEST_CASE("an octet in clear text behind the 220 to STARTTLS ends the session, whole line or not, with it or alone",
          "[client][3207-4-12][threats][T10]") {
  const std::string injected = "250-mx\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n";
  for (const auto policy : {ehlo::tls_policy::required, ehlo::tls_policy::opportunistic}) {
    const ehlo::client_options options{.hostname = "client.example", .tls = policy};
    for (std::size_t size = 1; size <= injected.size(); ++size) {
      for (const bool together : {true, false}) {
        for (const bool tls_is_tried : {true, false}) {
          driven client{options};
          client.feed("220 hi\r\n");
          client.feed("250-mx\r\n250 STARTTLS\r\n");
          const std::string piece = injected.substr(0, size);
          client.feed(together ? "220 go\r\n" + piece : "220 go\r\n");
          if (!together) client.feed(piece);
          CAPTURE(size, together);
          CHECK(client.reason == errc::octets_before_tls);
          CHECK(client.session.is_closed());
          if (tls_is_tried) CHECK_FALSE(client.session.tls_started().has_value());
          client.feed("250 mx\r\n");
          CHECK(client.sent == "EHLO client.example\r\nSTARTTLS\r\n");
          CHECK_FALSE(client.session.capabilities().has(ehlo::extension::auth));
        }
      }
    }
  }
}

TEST_CASE("whatever EHLO and STARTTLS are answered, under required TLS no message and no credentials leave without it",
          "[client][3207-6-01][threats][T11]") {
  // Without mechanisms nothing but the policy of TLS holds the message back.
  const ehlo::client_options to_relay{.hostname = "client.example"};
  const ehlo::client_options to_submit{.hostname = "client.example", .mechanisms = plain};
  const auto mail = ehlo::envelope::make("<>", {"b@mx.example"});
  for (const ehlo::client_options& options : {to_relay, to_submit}) {
    for (int code = 200; code < 600; ++code) {
      const std::string reply = std::to_string(code) + " STARTTLS\r\n";
      CAPTURE(code);
      driven stripped{options};
      REQUIRE(stripped.session.begin_transaction(*mail).has_value());
      stripped.feed("220 hi\r\n");
      for (const std::string& octets : {std::to_string(code) + "-mx\r\n" + std::to_string(code) + " AUTH PLAIN\r\n",
                                        std::string{"250 mx\r\n"}, std::string{"250 mx\r\n"}, std::string{"354 go\r\n"}}) {
        stripped.feed(octets);
      }
      CHECK(stripped.sent.starts_with("EHLO client.example\r\n"));
      CHECK(std::ranges::count(stripped.sent, '\n') <= 2);
      if (stripped.sent.size() > 21) CHECK(stripped.sent == "EHLO client.example\r\nQUIT\r\n");
      CHECK(stripped.session.is_closed());
      CHECK(stripped.reason.has_value());
      if (code == 220) continue;
      driven refused{options};
      REQUIRE(refused.session.begin_transaction(*mail).has_value());
      refused.feed("220 hi\r\n");
      refused.feed("250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n");
      for (const std::string& octets : {reply, std::string{"250 mx\r\n"}, std::string{"354 go\r\n"}}) refused.feed(octets);
      CHECK(refused.sent.substr(0, 31) == "EHLO client.example\r\nSTARTTLS\r\n");
      if (refused.sent.size() > 31) CHECK(refused.sent.substr(31) == "QUIT\r\n");
      CHECK(refused.session.is_closed());
      CHECK(refused.reason.has_value());
    }
  }
}

TEST_CASE("behind the handshake a client is as a new one: nothing offered or said before it counts",
          "[client][3207-4.2-03][3207-6-04][threats][T12]") {
  const std::string inside = R"(
    TLS
    C: EHLO client.example
    S: 250 mx
    C: MAIL FROM:<a@client.example>
    S: 250 2.1.0 ok
    C: RCPT TO:<b@mx.example>
    S: 250 2.1.5 ok
    C: DATA
    S: 354 go
    C: Subject: x
    C:
    C: Hello
    C: .
    S: 250 2.0.0 taken
    C: QUIT
    S: 221 bye
    CLOSE
  )";
  const auto how = with_tls(ehlo::tls_policy::required);
  std::vector<std::string> wanted;
  for (const std::string keyword :
       {"STARTTLS", "SIZE 1", "PIPELINING", "CHUNKING", "BINARYMIME", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES",
        "AUTH PLAIN", "REQUIRETLS", "LIMITS MAILMAX=0 RCPTMAX=1", "LIMITS MAILMAX=1 RCPTDOMAINMAX=1"}) {
    CAPTURE(keyword);
    auto events =
        check_client_dialogue(hello + "S: 250-mx\nS: 250-" + keyword + "\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n" + inside, how)
            .events;
    events.erase(events.begin() + 1);  // the EHLO result before the handshake
    if (wanted.empty()) wanted = events;
    CHECK(events == wanted);
  }
  CHECK(std::ranges::count(wanted, "rcpt 0 250 2.1.5 ok") == 1);  // not offered inside TLS: text
}

TEST_CASE("when the handshake has succeeded a client knows nothing of before", "[client][3207-4.2-03][3207-4.2-04][threats][T12]") {
  constexpr std::string_view keywords[] = {"XKEY"};
  const ehlo::client_options options{.hostname = "c", .mechanisms = plain, .keywords = keywords};
  driven client{options};
  client.feed("220 hi\r\n");
  client.feed("250-mx\r\n250-SIZE 1\r\n250-XKEY\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n");
  CHECK(client.session.capabilities().has(ehlo::extension::size));
  CHECK(client.session.conditions().keywords == 1);
  client.feed("220 go\r\n");
  REQUIRE(client.session.tls_started(ehlo::server_identity::verified).has_value());
  CHECK(client.session.capabilities() == ehlo::capabilities{});
  CHECK(client.session.conditions().keywords == 0);
  CHECK_FALSE(client.session.is_esmtp());
  CHECK_FALSE(client.session.is_authenticated());
  CHECK(client.session.is_tls_active());
  client.sent.clear();
  client.feed("");
  CHECK(client.sent == "EHLO c\r\n");
  // The mechanism that was offered before is not used.
  client.feed("250 mx\r\n");
  CHECK(client.reason == errc::no_common_mechanism);
}

TEST_CASE("STARTTLS is not said inside TLS, even if it is offered there", "[client][3207-4.2-07][threats][T12]") {
  check_client_dialogue(hello +
                            "S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\nC: EHLO client.example\nS: 250-mx\nS: 250 "
                            "STARTTLS\nC: MAIL FROM:<a@client.example>\nS: 550 no\n" +
                            goodbye,
                        with_tls(ehlo::tls_policy::required));
  check_client_dialogue(hello + "S: 250-mx\nS: 250 STARTTLS\nC: MAIL FROM:<a@client.example>\nS: 550 no\n" + goodbye,
                        with_tls(ehlo::tls_policy::active));
}

TEST_CASE("a handshake that failed leaves a session that says and takes nothing", "[client][3207-4-09][3207-4-08][threats][T13]") {
  for (const auto policy : {ehlo::tls_policy::required, ehlo::tls_policy::opportunistic}) {
    const ehlo::client_options options{.hostname = "client.example", .tls = policy};
    driven client{options};
    const auto mail = ehlo::envelope::make("<>", {"b@mx.example"});
    REQUIRE(client.session.begin_transaction(*mail).has_value());
    client.feed("220 hi\r\n");
    client.feed("250-mx\r\n250 STARTTLS\r\n");
    CHECK(client.session.tls_failed().error().code == errc::tls_not_pending);
    client.feed("220 go\r\n");
    const std::string before = client.sent;
    // Until the handshake has succeeded nothing leads on.
    for (int i = 0; i < 3; ++i) CHECK(std::holds_alternative<ehlo::start_tls>(client.feed("")));
    CHECK(client.session.noop().error().code == errc::not_ready);
    CHECK(client.session.hello().error().code == errc::not_ready);
    CHECK(client.session.raw("XFOO").error().code == errc::not_ready);
    REQUIRE(client.session.tls_failed().has_value());
    for (const std::string octets : {"", "250 mx\r\n", "\x16\x03\x01", "421 no\r\n"}) {
      CHECK(std::holds_alternative<ehlo::close_channel>(client.feed(octets)));
    }
    CHECK(client.session.tls_started().error().code == errc::tls_not_pending);
    CHECK(std::holds_alternative<ehlo::close_channel>(client.feed("250 mx\r\n")));
    CHECK(client.sent == before);
    CHECK(client.reason == errc::tls_handshake);
    CHECK(client.transactions_failed == 1);
    CHECK(client.delivery == ehlo::delivery::not_accepted);
    CHECK_FALSE(client.session.is_tls_active());
  }
}

TEST_CASE("a greeting teaches nothing, whatever its text says", "[client][5321-4.2-11][5321-4.2-06][threats][T14]") {
  const std::string rest = "C: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 550 2.0.0 no\n" + goodbye;
  for (const std::string code : {"220", "235", "250", "299"}) {
    std::string liar;
    for (const std::string text : {"mx.example ESMTP", "250-mx", "250 STARTTLS", "STARTTLS", "AUTH PLAIN LOGIN", "250-AUTH PLAIN",
                                   "AUTH=PLAIN", "PIPELINING", "SIZE 1", "CHUNKING", "ENHANCEDSTATUSCODES", "2.7.0 authenticated",
                                   "\\x1B[2J\\x07\\x08\\x7F", "\\xC3\\xA9\\xFF\\t"}) {
      liar += "S: " + code + "-" + text + "\n";
    }
    auto how = with_tls(ehlo::tls_policy::opportunistic);
    how.options.mechanisms = plain;
    how.options.auth_required = false;
    how.options.auth_without_tls = true;
    const auto seen = check_client_dialogue(liar + "S: " + code + " 221 bye\n" + rest, how);
    CHECK(seen.count("greeting " + code + " mx.example ESMTP/250-mx/250 STARTTLS") == 1);
    CHECK(seen.has("transaction failed: MAIL was refused 550 2.0.0 no"));
  }
  const ehlo::client_options options{.hostname = "c", .mechanisms = plain};
  driven client{options};
  client.feed("220-mx\r\n220-PIPELINING\r\n220-STARTTLS\r\n220 AUTH PLAIN\r\n");
  CHECK(client.session.capabilities() == ehlo::capabilities{});
  CHECK_FALSE(client.session.is_esmtp());
  // Nor does the reply to HELO.
  const auto helo = check_client_dialogue(
      hello +
          "S: 500 what?\nC: HELO client.example\nS: 250-mx\nS: 250-PIPELINING\nS: 250-STARTTLS\nS: 250 AUTH PLAIN\nC: MAIL "
          "FROM:<a@client.example>\nS: 550 no\n" +
          goodbye,
      with_tls(ehlo::tls_policy::opportunistic));
  CHECK(helo.has("helo 250 mx/PIPELINING/STARTTLS/AUTH PLAIN"));
}

TEST_CASE("a greeting without end is left without a word", "[client][5321-4.5.3.1.5-02][threats][T14][T40]") {
  const ehlo::client_options options{.hostname = "client.example"};
  const std::string mebibyte(std::size_t{1} << 20U, 'x');
  std::string lines;
  while (lines.size() < mebibyte.size()) lines += "220-come in\r\n";
  for (const auto& [octets, why] :
       {std::pair{"220 " + mebibyte, errc::line_too_long}, std::pair{"220-" + mebibyte, errc::line_too_long},
        std::pair{mebibyte, errc::line_too_long}, std::pair{lines, errc::reply_over_limit}}) {
    for (const std::size_t cut : {std::size_t{1}, std::size_t{1500}, octets.size()}) {
      driven client{options};
      std::size_t fed = 0;
      for (; fed < octets.size() && !client.session.is_closed(); fed += cut) client.feed(std::string_view{octets}.substr(fed, cut));
      CAPTURE(cut, octets.substr(0, 8));
      CHECK(client.reason == why);
      CHECK(client.session.is_closed());
      CHECK(client.sent.empty());
      CHECK(client.session.octets_taken() <= options.limits.reply.octets);
    }
  }
}

TEST_CASE("REQUIRETLS is not left out where the server or the channel has it not", "[client][8689-2-04][8689-2-07][threats][T15]") {
  setup how;
  how.mails[0].options.require_tls = true;
  const std::string refused = "transaction failed: " + name_of(errc::require_tls_not_offered);
  for (const auto policy : {ehlo::tls_policy::never, ehlo::tls_policy::opportunistic, ehlo::tls_policy::active}) {
    how.options.tls = policy;
    // Offered or not: in clear text, or by a server that was not verified, it counts for nothing.
    for (const std::string keyword : {"REQUIRETLS", "HELP"}) {
      const auto seen = check_client_dialogue(hello + "S: 250-mx\nS: 250 " + keyword + "\n" + goodbye, how);
      CHECK(seen.events.back() == refused);
      CHECK(seen.sent == "EHLO client.example\r\nQUIT\r\n");
    }
  }
}

// ---- Truncation --------------------------------------------------------------------------------------------------------------

TEST_CASE("a channel cut at any octet of a session: accepted only with the whole reply, unknown only behind the final dot",
          "[client][5321-3.8-05][5321-4.2.5-04][threats][T16]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  const auto mail = ehlo::envelope::make("a@client.example", {"b@mx.example"});
  for (const std::string keyword : {"HELP", "CHUNKING"}) {
    const bool chunked = keyword == "CHUNKING";
    const std::vector<std::string> replies{"220 hi\r\n", "250-mx\r\n250 " + keyword + "\r\n", "250 ok\r\n",
                                           "250 ok\r\n", chunked ? "" : "354 go\r\n",         "250-it is\r\n250 taken\r\n",
                                           "221 bye\r\n"};
    std::string whole;
    for (const std::string& reply : replies) whole += reply;
    const std::size_t taken_at = whole.find("250 taken\r\n") + 11;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      for (const bool broken : {false, true}) {
        driven client{options};
        REQUIRE(client.session.begin_transaction(*mail, ehlo::traits_of("x: y\r\n")).has_value());
        REQUIRE(client.session.quit().has_value());
        std::size_t at = 0;
        for (const std::string& reply : replies) {
          const std::string piece = reply.substr(0, std::min(reply.size(), size - std::min(size, at)));
          at += reply.size();
          if (std::holds_alternative<ehlo::mail_data_question>(client.feed(piece))) {
            REQUIRE(client.session.end_of_mail_data("x: y\r\n").has_value());
            client.feed("");
          }
        }
        if (broken) {
          client.session.disconnected();
        } else {
          client.session.end_of_input();
        }
        client.feed("");
        CAPTURE(keyword, size, broken, client.sent);
        const bool all_left = client.sent.find(chunked ? "x: y\r\n" : "\r\n.\r\n") != std::string::npos;
        CHECK(client.session.is_closed());
        CHECK(client.accepted == (size >= taken_at));
        CHECK(client.transactions_failed == (client.accepted ? 0U : 1U));
        if (!client.accepted) CHECK((client.delivery == ehlo::delivery::unknown) == all_left);
      }
    }
  }
}

// ---- Injection ---------------------------------------------------------------------------------------------------------------

TEST_CASE("no octet at any place of any argument of a command makes a second line",
          "[client][5321-2.3.8-04][threats][T17][T18][T19]") {
  struct argument {
    std::string name;
    std::string text;
    ehlo::result<void> (*ask)(ehlo::client_session&, std::string_view);
  };
  const std::vector<argument> arguments{
      {"VRFY", "a.b@mx.example", [](ehlo::client_session& s, std::string_view t) { return s.verify(t); }},
      {"VRFY", "\"a b\"", [](ehlo::client_session& s, std::string_view t) { return s.verify(t); }},
      {"VRFY", "\xC3\xA9", [](ehlo::client_session& s, std::string_view t) { return s.verify(t); }},
      {"EXPN", "list", [](ehlo::client_session& s, std::string_view t) { return s.expand(t); }},
      {"HELP", "MAIL", [](ehlo::client_session& s, std::string_view t) { return s.help(t); }},
      {"HELP", "\"a\\b\"", [](ehlo::client_session& s, std::string_view t) { return s.help(t); }},
      {"ETRN", "@mx.example", [](ehlo::client_session& s, std::string_view t) { return s.etrn(t); }},
      {"XFOO", "XFOO a b", [](ehlo::client_session& s, std::string_view t) { return s.raw(t); }},
  };
  const ehlo::client_options options{.hostname = "c", .tls = ehlo::tls_policy::never};
  std::size_t sent = 0;
  for (const argument& one : arguments) {
    for (std::size_t place = 0; place <= one.text.size(); ++place) {
      for (int value = 0; value < 256; ++value) {
        for (const std::size_t replaced : {0U, 1U}) {
          std::string text = one.text;
          if (place == text.size() && replaced == 1) continue;
          text.replace(place, replaced, 1, static_cast<char>(value));
          driven client{options};
          client.feed("220 hi\r\n");
          client.feed("250-mx\r\n250-ETRN\r\n250 SMTPUTF8\r\n");
          client.sent.clear();
          const auto asked = one.ask(client.session, text);
          client.feed("");
          CAPTURE(one.name, strings::hex(text));
          if (!asked) {
            CHECK(client.sent.empty());
            continue;
          }
          ++sent;
          const std::string line = client.sent.substr(0, client.sent.size() - std::min<std::size_t>(client.sent.size(), 2));
          CHECK(client.sent == line + "\r\n");
          CHECK(std::ranges::none_of(line, [](char c) { return ehlo::ascii::control.contains(c); }));
          if (one.name == "XFOO") {
            CHECK(ehlo::parse_command(line).error().code == errc::unknown_verb);
          } else if (one.name != "ETRN") {
            CHECK(ehlo::parse_command(line, ehlo::charset::utf8).has_value());
          }
        }
      }
    }
  }
  CHECK(sent > 1000);
}

TEST_CASE("a host name or mechanism of the options that holds any octet too many opens no session",
          "[client][5321-4.1.1.1-02][6531-3.7.1-01][threats][T18]") {
  for (const std::string name : {"c.example", "[192.0.2.1]", "[IPv6:2001:db8::1]"}) {
    for (std::size_t place = 0; place <= name.size(); ++place) {
      for (int value = 0; value < 256; ++value) {
        std::string text = name;
        text.insert(place, 1, static_cast<char>(value));
        const ehlo::client_options options{.hostname = text, .tls = ehlo::tls_policy::never};
        driven client{options};
        client.feed("220 hi\r\n");
        CAPTURE(strings::hex(text));
        const auto asked =
            ehlo::parse_command(client.sent.substr(0, client.sent.size() - std::min<std::size_t>(client.sent.size(), 2)));
        if (options.check()) {
          CHECK(client.sent == "EHLO " + text + "\r\n");
          CHECK(asked.has_value());
        } else {
          CHECK(client.sent.empty());
          CHECK(client.session.is_closed());
        }
      }
    }
  }
  for (int value = 0; value < 256; ++value) {
    const std::string text = std::string{"PLA"} + static_cast<char>(value) + "IN";
    const ehlo::auth_mechanism mechanisms[] = {{text, ehlo::first_message::server, false}};
    const ehlo::client_options options{.hostname = "c", .tls = ehlo::tls_policy::never, .mechanisms = mechanisms};
    driven client{options};
    client.feed("220 hi\r\n");
    client.feed("250-mx\r\n250 AUTH " + text + "\r\n");
    CAPTURE(value);
    if (options.check()) {
      CHECK(client.sent == "EHLO c\r\nAUTH " + text + "\r\n");
    } else {
      CHECK(client.sent.empty());
    }
  }
}

TEST_CASE("a reply with any octet ends the session or holds no line end, and its text for people holds no control",
          "[client][5321-4.2-18][threats][T24]") {
  const ehlo::client_options options{.hostname = "c", .tls = ehlo::tls_policy::never};
  std::size_t results = 0;
  for (int value = 0; value < 256; ++value) {
    for (const std::string form :
         {"250-a?b\r\n250 c\r\n", "250 ?\r\n", "250 a\r?\n", "?250 a\r\n", "250 a?\r\n", "250-?\r\n250 b\r\n"}) {
      std::string text = form;
      text[text.find('?')] = static_cast<char>(value);
      ehlo::client_session session{options};
      for (std::string_view input = "220 hi\r\n"; !std::holds_alternative<ehlo::receive>(session.next(input));) {
      }
      for (std::string_view input = "250 mx\r\n"; !std::holds_alternative<ehlo::idle>(session.next(input));) {
      }
      REQUIRE(session.noop().has_value());
      std::string_view input;
      REQUIRE(std::holds_alternative<ehlo::transmit>(session.next(input)));
      input = text;
      CAPTURE(strings::hex(text));
      const bool is_line_end = value == '\r' || value == '\n' || value == '\0';
      bool is_result = false;
      for (bool open = true; open;) {
        const auto action = session.next(input);
        open = !std::holds_alternative<ehlo::idle>(action) && !std::holds_alternative<ehlo::close_channel>(action) &&
               !std::holds_alternative<ehlo::receive>(action);
        const auto* const result = std::get_if<ehlo::command_result>(&action);
        if (result == nullptr) continue;
        is_result = true;
        ++results;
        for (std::size_t i = 0; i < result->reply.line_count(); ++i) {
          CHECK(result->reply.line(i).find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos);
        }
        std::string shown(result->reply.octets().size(), '\0');
        shown.resize(static_cast<std::size_t>(result->reply.write_printable(shown.data()) - shown.data()));
        CHECK(std::ranges::none_of(shown, [](char c) { return ehlo::ascii::control.contains(c); }));
      }
      if (is_line_end && form != "250 a\r?\n") CHECK(session.is_closed() != (form.find("?\r") != form.npos && is_result));
      const bool is_whole = text.starts_with("250 a\r\n");  // and what follows it is none
      if (session.is_closed() && !is_whole) CHECK_FALSE(is_result);
    }
  }
  CHECK(results > 1000);
}

// ---- AUTH --------------------------------------------------------------------------------------------------------------------

namespace {

/// What a client sends that is answered `replies`, one after the other; credentials are given where they are asked for.
std::string conversation(const ehlo::client_options& options, const std::vector<std::string>& replies,
                         const ehlo::sasl::client_credentials& who) {
  driven client{options};
  const auto mail = ehlo::envelope::make("<>", {"b@mx.example"});
  REQUIRE(client.session.begin_transaction(*mail).has_value());
  std::array<char, 2048> scratch{};
  for (const std::string& reply : replies) {
    auto action = client.feed(reply);
    while (const auto* const question = std::get_if<ehlo::credentials_question>(&action)) {
      (void)ehlo::sasl::answer(client.session, *question, who, scratch);
      action = client.feed("");
    }
    if (std::holds_alternative<ehlo::mail_data_question>(action) || client.session.is_closed()) break;
  }
  return client.sent;
}

}  // namespace

TEST_CASE("no octet of a password leaves in clear text, whatever the server offers and answers", "[client][threats][T31]") {
  const ehlo::sasl::client_credentials who{.authentication_identity = "longername", .proof = ehlo::secret{"correcthorsebattery"}};
  const std::string offer = "250-mx\r\n250-AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER\r\n";
  const std::vector<std::string> answers{"334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "235 in\r\n", "250 ok\r\n"};
  for (const std::span<const ehlo::auth_mechanism> mechanisms :
       {std::span<const ehlo::auth_mechanism>{plain}, std::span<const ehlo::auth_mechanism>{login},
        std::span<const ehlo::auth_mechanism>{xoauth2}, std::span<const ehlo::auth_mechanism>{oauthbearer}}) {
    for (const auto policy : {ehlo::tls_policy::never, ehlo::tls_policy::opportunistic, ehlo::tls_policy::required}) {
      for (const bool required : {false, true}) {
        for (const bool tls_is_offered : {false, true}) {
          ehlo::client_options options{.hostname = "c", .tls = policy, .mechanisms = mechanisms, .auth_required = required};
          std::vector<std::string> replies{"220 hi\r\n", offer + (tls_is_offered ? "250 STARTTLS\r\n" : "250 HELP\r\n")};
          if (tls_is_offered && policy != ehlo::tls_policy::never) replies.emplace_back("454 not now\r\n");
          replies.insert(replies.end(), answers.begin(), answers.end());
          CAPTURE(mechanisms[0].name, static_cast<int>(policy), required, tls_is_offered);
          const std::string sent = conversation(options, replies, who);
          CHECK(sent.find("AUTH") == std::string::npos);
          CHECK(sent.find("correct") == std::string::npos);
          for (std::size_t shift = 0; shift < 3; ++shift) {
            // The middle of the password, as base64 shows it behind any number of octets.
            const std::string shown = [shift] {
              std::string out(28, '\0');
              ehlo::encode_base64(std::string(shift, 'x') + "correcthorsebattery", out.data());
              return out.substr(8, 12);
            }();
            CHECK(sent.find(shown) == std::string::npos);
          }
          // With the option that says so they do leave: the check above is not empty.
          options.auth_without_tls = true;
          const std::string shown = conversation(options, replies, who);
          CHECK((shown.find("AUTH ") != std::string::npos) == (policy != ehlo::tls_policy::required));
        }
      }
    }
  }
}

TEST_CASE("the client's order of mechanisms counts, and none but its own is used", "[client][threats][T32]") {
  auto how = with_auth(scram_then_login);
  how.on_credentials = [](const ehlo::credentials_question&) { return std::pair{std::string{"x"}, ehlo::exchange::goes_on}; };
  for (const std::string offer : {"SCRAM-SHA-256 LOGIN PLAIN", "LOGIN PLAIN SCRAM-SHA-256", "PLAIN login scram-sha-256 EXTERNAL"}) {
    check_client_dialogue(hello + "S: 250-mx\nS: 250 AUTH " + offer + "\nC: AUTH SCRAM-SHA-256 eA==\nS: 535 no\n" + goodbye, how);
  }
  // What is not on the client's list is not used, whatever has become of the rest of the server's.
  for (const std::string offer : {"AUTH PLAIN EXTERNAL XOAUTH2", "AUTH", "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-1 LOGIN2", "AUTH=LOGIN",
                                  "AUTH=SCRAM-SHA-256", "HELP"}) {
    CAPTURE(offer);
    const auto seen = check_client_dialogue(hello + "S: 250-mx\nS: 250 " + offer + "\n" + goodbye, how);
    CHECK(seen.has("failed: " + name_of(errc::no_common_mechanism)));
  }
}

TEST_CASE("after a broken exchange no weaker mechanism is tried by itself", "[client][4954-4-35][threats][T32]") {
  for (const bool required : {true, false}) {
    auto how = with_auth(scram_then_login);
    how.options.auth_required = required;
    how.on_credentials = [](const ehlo::credentials_question& q) -> std::optional<std::pair<std::string, ehlo::exchange>> {
      if (q.challenge) return std::nullopt;
      return std::pair{std::string{"x"}, ehlo::exchange::goes_on};
    };
    const std::string start = hello + "S: 250-mx\nS: 250 AUTH SCRAM-SHA-256 LOGIN\nC: AUTH SCRAM-SHA-256 eA==\n";
    const std::string then = required ? goodbye : "C: MAIL FROM:<a@client.example>\nS: 550 no\n" + goodbye;
    for (const std::string reply : {"535 5.7.8 no", "534 too weak", "504 unknown", "454 later", "500 what?", "501 base64"}) {
      check_client_dialogue(start + "S: " + reply + "\n" + then, how);
    }
    check_client_dialogue(start + "S: 334 eA==\nC: *\nS: 501 cancelled\n" + then, how);
  }
}

TEST_CASE("a challenge that is not base64 to the letter is cancelled", "[client][4954-4-19][threats][T33]") {
  auto how = with_auth(login);
  for (const std::string challenge :
       {"VXNl cm5hbWU6", "VXNlcm5hbWU", "VXNlcm5hbWU6=", "YQ", "YQ=", "YQ===", "YR==", "YWJ=YQ==", "YQ==YQ==", "=",
        "====", "_-8=", "YQ==\\t", " YQ==", "YQ== ", "*", "\\xC3\\xA9==", "YQ\\0="}) {
    CAPTURE(challenge);
    if (challenge.find("\\0") != challenge.npos) {  // no reply at all
      const auto seen =
          check_client_dialogue(hello + "S: 250-mx\nS: 250 AUTH LOGIN\nC: AUTH LOGIN\nS: 334 " + challenge + "\nCLOSE\n", how);
      CHECK_FALSE(seen.has("credentials"));
      continue;
    }
    const auto seen = check_client_dialogue(
        hello + "S: 250-mx\nS: 250 AUTH LOGIN\nC: AUTH LOGIN\nS: 334 " + challenge + "\nC: *\nS: 501 cancelled\n" + goodbye, how);
    CHECK_FALSE(seen.has("credentials"));
  }
  const auto two = check_client_dialogue(
      hello + "S: 250-mx\nS: 250 AUTH LOGIN\nC: AUTH LOGIN\nS: 334-VXNlcm5hbWU6\nS: 334 UGFzc3dvcmQ6\nC: *\nS: 501 cancelled\n" +
          goodbye,
      how);
  CHECK_FALSE(two.has("credentials"));
}

TEST_CASE("success before the mechanism has said all is none, at any step", "[client][threats][T34]") {
  const auto unfinished = [](const setup& how, const std::string& script) {
    const auto seen = check_client_dialogue(hello + script + "S: 235 welcome\nCLOSE\n", how);
    CHECK(seen.has("failed: " + name_of(errc::authentication_unfinished)));
    CHECK_FALSE(seen.has("auth "));
  };
  unfinished(with_auth(login), "S: 250-mx\nS: 250 AUTH LOGIN\nC: AUTH LOGIN\n");
  unfinished(with_auth(login), "S: 250-mx\nS: 250 AUTH LOGIN\nC: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dXNlcg==\n");
  // An initial response that waits for its challenge was not said.
  auto long_one = with_auth(xoauth2);
  const std::string token(600, 't');
  long_one.credentials.proof = ehlo::secret{token};
  unfinished(long_one, "S: 250-mx\nS: 250 AUTH XOAUTH2\nC: AUTH XOAUTH2\n");
  // SCRAM: the server's signature has not come.
  auto scram = with_auth(scram_then_login);
  scram.on_credentials = [](const ehlo::credentials_question&) { return std::pair{std::string{"x"}, ehlo::exchange::goes_on}; };
  unfinished(scram, "S: 250-mx\nS: 250 AUTH SCRAM-SHA-256\nC: AUTH SCRAM-SHA-256 eA==\n");
  unfinished(scram, "S: 250-mx\nS: 250 AUTH SCRAM-SHA-256\nC: AUTH SCRAM-SHA-256 eA==\nS: 334 eA==\nC: eA==\n");
  // An exchange that was cancelled has not succeeded.
  auto declined = with_auth(login);
  declined.on_credentials = [](const ehlo::credentials_question& q) -> std::optional<std::pair<std::string, ehlo::exchange>> {
    if (q.step == 2) return std::nullopt;
    return std::pair{std::string{"x"}, q.step == 1 ? ehlo::exchange::complete : ehlo::exchange::goes_on};
  };
  unfinished(declined,
             "S: 250-mx\nS: 250 AUTH LOGIN\nC: AUTH LOGIN\nS: 334 eA==\nC: eA==\nS: 334 eA==\nC: eA==\nS: 334 eA==\nC: *\n");
  unfinished(with_auth(login), "S: 250-mx\nS: 250 AUTH LOGIN\nC: AUTH LOGIN\nS: 334 !\nC: *\n");
}

TEST_CASE("challenges without end get each secret once, and no word behind the last", "[client][threats][T34]") {
  const ehlo::sasl::client_credentials who{.authentication_identity = "user", .proof = ehlo::secret{"pass"}};
  struct row {
    std::span<const ehlo::auth_mechanism> mechanisms;
    std::string sent;  ///< behind EHLO
  };
  for (const row& r :
       {row{plain, "AUTH PLAIN AHVzZXIAcGFzcw==\r\n*\r\n"}, row{login, "AUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\n*\r\n"},
        row{xoauth2, "AUTH XOAUTH2 dXNlcj11c2VyAWF1dGg9QmVhcmVyIHBhc3MBAQ==\r\n\r\n*\r\n"},
        row{oauthbearer, "AUTH OAUTHBEARER biwsAWF1dGg9QmVhcmVyIHBhc3MBAQ==\r\nAQ==\r\n*\r\n"}}) {
    const ehlo::client_options options{.hostname = "c", .tls = ehlo::tls_policy::active, .mechanisms = r.mechanisms};
    std::vector<std::string> replies{"220 hi\r\n", "250-mx\r\n250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER\r\n"};
    replies.insert(replies.end(), 20, "334 eyJzIjoxfQ==\r\n");
    CHECK(conversation(options, replies, who) == "EHLO c\r\n" + r.sent);
  }
}

// ---- Floods ------------------------------------------------------------------------------------------------------------------

TEST_CASE("a reply of the largest size is read at each stage, one octet or line more ends the session for good",
          "[client][5321-4.5.3.1.5-02][threats][T40]") {
  ehlo::client_options options{.hostname = "c", .tls = ehlo::tls_policy::never};
  options.limits.reply = {.line = 600, .lines = 4, .octets = 1500};
  const auto line = [](char mark, std::size_t size) { return std::string{"250"} + mark + std::string(size - 6, 'x') + "\r\n"; };
  struct reply {
    std::string octets;
    bool fits;
  };
  const std::vector<reply> replies{
      {line(' ', 600), true},
      {line(' ', 601), false},
      {line('-', 600) + line(' ', 600), true},
      {line('-', 601) + line(' ', 600), false},
      {line('-', 10) + line('-', 10) + line('-', 10) + line(' ', 10), true},
      {line('-', 10) + line('-', 10) + line('-', 10) + line('-', 10) + line(' ', 10), false},
      {line('-', 600) + line('-', 600) + line(' ', 300), true},
      {line('-', 600) + line('-', 600) + line(' ', 301), false},
  };
  const auto mail = ehlo::envelope::make("<>", {"b@mx.example"});
  const std::vector<std::string> stages{"250 hi\r\n", "250 mx\r\n", "250 ok\r\n", "250 ok\r\n"};
  for (std::size_t stage = 0; stage < stages.size(); ++stage) {
    for (const reply& r : replies) {
      for (const std::size_t cut : {std::size_t{1}, std::size_t{7}, std::size_t{100000}}) {
        driven client{options};
        REQUIRE(client.session.begin_transaction(*mail).has_value());
        for (std::size_t i = 0; i < stage; ++i) client.feed(stages[i]);
        const auto before = client.session.octets_taken();
        for (std::size_t at = 0; at < r.octets.size(); at += cut) client.feed(std::string_view{r.octets}.substr(at, cut));
        CAPTURE(stage, cut, r.octets.size());
        CHECK(client.session.is_closed() == !r.fits);
        CHECK(client.session.octets_taken() - before <= 1500);
        if (r.fits) continue;
        const std::string sent = client.sent;
        for (int i = 0; i < 3; ++i) CHECK(std::holds_alternative<ehlo::close_channel>(client.feed("250 ok\r\n")));
        CHECK(client.sent == sent);
        CHECK(client.transactions_failed == 1);
        CHECK_FALSE(client.session.noop().has_value());
      }
    }
  }
}

TEST_CASE("replies that nothing asked for are not collected: the first ends the session", "[client][threats][T6][T40]") {
  const ehlo::client_options options{.hostname = "c", .tls = ehlo::tls_policy::never};
  std::string flood;
  for (int i = 0; i < 10000; ++i) flood += "250 ok\r\n";
  for (const std::size_t cut : {std::size_t{1}, std::size_t{64}, flood.size()}) {
    driven client{options};
    client.feed("220 hi\r\n");
    client.feed("250 mx\r\n");
    const auto before = client.session.octets_taken();
    for (std::size_t at = 0; at < flood.size() && !client.session.is_closed(); at += cut) {
      client.feed(std::string_view{flood}.substr(at, cut));
    }
    CHECK(client.reason == errc::unsolicited_reply);
    CHECK(client.session.octets_taken() - before == 8);
  }
}

TEST_CASE("what is there before a single command leaves is no reply to it, and the command does not leave",
          "[client][threats][T6]") {
  const ehlo::client_options options{.hostname = "c", .tls = ehlo::tls_policy::never};
  for (const std::string_view early : {"250 ok\r\n", "421 down\r\n", "250-o"}) {
    driven client{options};
    client.feed("220 hi\r\n");
    client.feed("250 mx\r\n");
    client.sent.clear();
    REQUIRE(client.session.noop().has_value());
    client.feed(early);
    CAPTURE(early);
    CHECK(client.sent.find("NOOP") == std::string::npos);
    if (early.ends_with("\n")) {
      CHECK(client.reason == (early.starts_with("421") ? errc::service_closing : errc::unsolicited_reply));
    } else {
      client.feed("k\r\n250 k\r\n");
      CHECK(client.reason == errc::unsolicited_reply);
      CHECK(client.sent.find("NOOP") == std::string::npos);
    }
  }
}
