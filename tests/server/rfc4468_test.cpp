// SPDX-License-Identifier: BSL-1.0
// BURL (RFC 4468) by a server session.
#include <string>
#include <string_view>
#include <variant>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};

setup burl() {
  setup out;
  out.options.submission = true;
  out.options.mechanisms = mechanisms;
  out.options.extensions.burl = true;
  out.options.burl = "imap imap://imap.example.com";
  out.on_auth = [](const ehlo::auth_question&) { return answer{dialogue::authenticated{}}; };
  out.on_burl = [](const ehlo::burl_question& q) { return answer{q.last ? ehlo::replies::message_ok : ehlo::replies::url_ok}; };
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\nC: AUTH EXTERNAL =\nS: 235\n";
const std::string begun = hello + "C: MAIL FROM:<harry@a.example>\nS: 250\nC: RCPT TO:<ron@a.example>\nS: 250\n";
const std::string url =
    "imap://harry@a.example/outbox;uidvalidity=1078863300/;uid=25;urlauth=submit+harry:internal:91354a473744909de610943775f92038";

}  // namespace

TEST_CASE("BURL is for submission only", "[server][burl][4468-3.1-01]") {
  setup how = burl();
  CHECK(how.options.check().has_value());
  how.options.submission = false;
  CHECK(how.options.check().error().code == ehlo::errc::option_dependency);
  check_server_dialogue("C: EHLO client.example\nS: 250\nC: BURL imap://x LAST\nS: 502\n");
}

TEST_CASE("EHLO lists BURL, and what it takes only after AUTH", "[server][burl][4468-3.1-02]") {
  const auto r = check_server_dialogue(hello + "C: EHLO client.example\nS: 250\n", burl());
  const std::size_t bare = r.sent.find("\r\n250-BURL\r\n");
  REQUIRE(bare != std::string::npos);
  CHECK(r.sent.find("\r\n250-BURL imap imap://imap.example.com\r\n") > bare);
  for (const char* bad : {" imap", "imap ", "imap  x", "im\x01"}) {
    setup how = burl();
    how.options.burl = bad;
    CHECK(how.options.check().error().code == ehlo::errc::option_name);
  }
}

TEST_CASE("BURL needs an accepted recipient", "[server][burl][4468-3.1-03]") {
  const std::string asked = "C: BURL " + url + " LAST\nS: 503 5.5.1\n";
  const auto r = check_server_dialogue(
      hello + asked + "C: MAIL FROM:<>\nS: 250\n" + asked + "C: RCPT TO:<no@a.example>\nS: 550\n" + asked, burl());
  CHECK(r.count("burl") == 0);
}

TEST_CASE("BURL with LAST is a whole message", "[server][burl][4468-3.2-01]") {
  const auto r = check_server_dialogue(begun + "C: BURL " + url + " LAST\nS: 250 2.6.0\nC: MAIL FROM:<>\nS: 250\n", burl());
  CHECK(r.has("burl " + url + " last 0"));
  CHECK(r.count("message") == 0);
  CHECK_FALSE(r.has("reset"));
}

TEST_CASE("BURL and BDAT take turns until one is the last", "[server][burl][4468-3.2-02]") {
  const auto r = check_server_dialogue(begun +
                                           "C: BDAT 3\nc: abc\nS: 250 2.0.0\nC: BURL imap://x/y\nS: 250 2.5.0\nC: BDAT 2 LAST\nc: "
                                           "de\nS: 250 2.6.0\nC: NOOP\nS: 250\n",
                                       burl());
  CHECK(r.has("burl imap://x/y 3"));
  CHECK(r.messages.at(0).octets == "abcde");
  CHECK(r.messages.at(0).size == 5);
  check_server_dialogue(begun +
                            "C: BURL imap://x/y\nS: 250 2.5.0\nC: BDAT 1\nc: a\nS: 250\nC: BURL imap://x/z last\nS: 250 2.6.0\n" +
                            "C: MAIL FROM:<>\nS: 250\n",
                        burl());
}

TEST_CASE("what follows BURL is BURL or BDAT", "[server][burl][4468-3.2-03]") {
  check_server_dialogue(
      begun +
          "C: BURL imap://x/y\nS: 250\nC: DATA\nS: 503\nC: RCPT TO:<a@b.example>\nS: 503\nC: MAIL FROM:<>\nS: 503\nC: "
          "RSET\nS: 250\nC: BURL imap://x/y LAST\nS: 503\n",
      burl());
}

TEST_CASE("the reply to BURL comes when the URL was fetched", "[server][burl][4468-3.2-04]") {
  const setup how = burl();
  ehlo::server_session session{how.options};
  std::string_view input;
  (void)session.next(input);
  session.accept();
  (void)session.next(input);
  input = "EHLO c.example\r\nAUTH EXTERNAL =\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBURL imap://x/y LAST\r\nNOOP\r\n";
  for (int questions = 0; questions < 4;) {
    const auto action = session.next(input);
    if (std::holds_alternative<ehlo::transmit>(action)) continue;
    ++questions;
    std::holds_alternative<ehlo::auth_question>(action) ? session.authenticated() : session.accept();
  }
  (void)session.next(input);  // what was collected
  auto action = session.next(input);
  if (std::holds_alternative<ehlo::transmit>(action)) action = session.next(input);
  REQUIRE(std::holds_alternative<ehlo::answer_due>(action));
  CHECK(input == "NOOP\r\n");
  CHECK(session.accept().has_value());
  CHECK(session.current_state() == ehlo::state::ready);
}

TEST_CASE("a URL that cannot be fetched fails the transaction", "[server][burl][4468-3.2-05]") {
  setup how = burl();
  how.on_burl = [](const ehlo::burl_question& q) {
    return q.url == "imap://bad" ? answer{ehlo::replies::url_failed} : answer{ehlo::replies::url_ok};
  };
  const auto last =
      check_server_dialogue(begun + "C: BURL imap://bad LAST\nS: 554 5.6.6\nC: MAIL FROM:<>\nS: 250\nC: RSET\nS: 250\n", how);
  CHECK(last.has("reset refused"));
  const auto first =
      check_server_dialogue(begun +
                                "C: BURL imap://good\nS: 250\nC: BURL imap://bad\nS: 554 5.6.6\nC: BDAT 1 LAST\nc: x\nS: "
                                "503\nC: BURL imap://good LAST\nS: 503\nC: RSET\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: "
                                "RSET\nS: 250\n",
                            how);
  CHECK(first.count("reset refused") == 1);
  CHECK(first.messages.empty());
  how.on_burl = {};
  check_server_dialogue(begun + "C: BURL imap://good LAST\nS: 554 5.6.6\n", how);
}

TEST_CASE("the argument of BURL is an absolute URI, and maybe LAST", "[server][burl][4468-3.5-01]") {
  for (const char* good : {"imap://x/y LAST", "imap:/a%20b LAST", "http://h.example/a?b=c&d=(e)!*;' last", "x-y+z.1:a LAST"})
    check_server_dialogue(begun + "C: BURL " + good + "\nS: 250\n", burl());
  for (const char* bad :
       {"", " ", "x", "imap", "/x/y LAST", "1map://x LAST", "imap://x/y#z LAST", "imap://x/%2 LAST", "imap://x/%zz LAST",
        "imap://x/<y> LAST", "imap://x/\xC3\xA9 LAST", "imap://x/y FIRST", "imap://x/y LAST x", "imap://x/y  LAST"}) {
    const auto r = check_server_dialogue(begun + "C: BURL " + bad + "\nS: 501 5.5.4\nC: BURL imap://x LAST\nS: 250\n", burl());
    CHECK(r.count("burl") == 1);
  }
}

TEST_CASE("BURL needs 8BITMIME", "[server][burl][4468-4-01]") {
  setup how = burl();
  how.options.extensions.eight_bit_mime = false;
  CHECK(how.options.check().error().code == ehlo::errc::option_dependency);
}

TEST_CASE("the replies to BURL", "[server][burl][4468-6-01]") {
  setup how = burl();
  std::optional<ehlo::reply> given;
  how.on_burl = [&given](const ehlo::burl_question&) { return answer{*given}; };
  for (const auto& [code, enhanced, text] :
       {std::tuple{554, ehlo::enhanced_status_code{5, 6, 3}, "Conversion required but not supported"},
        std::tuple{554, ehlo::enhanced_status_code{5, 3, 4}, "Message too big for system"},
        std::tuple{552, ehlo::enhanced_status_code{5, 2, 2}, "Mailbox full"},
        std::tuple{451, ehlo::enhanced_status_code{4, 4, 1}, "IMAP server unavailable"},
        std::tuple{250, ehlo::enhanced_status_code{2, 6, 4}, "MIME header conversion with loss performed"}}) {
    given = *ehlo::reply::make(code, enhanced, text);
    check_server_dialogue(begun + "C: BURL imap://x LAST\nS: " + std::to_string(code) + "\nC: NOOP\nS: 250\n", how);
  }
  given = ehlo::replies::url_needs_trust;
  check_server_dialogue(begun + "C: BURL imap://x LAST\nS: 554 5.7.14\n", how);
  given = *ehlo::reply::make(421, {4, 3, 2}, "bye");
  const auto r = check_server_dialogue(begun + "C: BURL imap://x LAST\nS: 421\nCLOSE\n", how);
  CHECK(r.count("reset") == 1);
}

TEST_CASE("a message that was given up takes no URL", "[server][burl]") {
  setup how = burl();
  how.on_data_octets = [](std::string_view) { return std::optional{ehlo::replies::local_error}; };
  // The caller gives a message up between two chunks: a BURL has that reply too.
  check_server_dialogue(begun + "C: BDAT 1\nc: x\nS: 451\nC: BURL imap://x LAST\nS: 503\n", how);
}

TEST_CASE("BURL behind a message that was given up gets the reason of that", "[server][burl]") {
  const setup how = burl();
  ehlo::server_session session{how.options};
  std::string sent;
  const auto give = [&](std::string_view octets) {
    for (std::string_view input = octets;;) {
      const auto action = session.next(input);
      CHECK_FALSE(std::holds_alternative<ehlo::burl_question>(action));
      if (const auto* const out = std::get_if<ehlo::transmit>(&action)) sent += out->octets;
      if (session.open_question().serial != 0)
        CHECK((std::holds_alternative<ehlo::auth_question>(action) ? session.authenticated() : session.accept()).has_value());
      if (std::holds_alternative<ehlo::receive>(action)) return;
    }
  };
  give("");
  give("EHLO c.example\r\nAUTH EXTERNAL =\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nBDAT 2\r\nab");
  CHECK(session.reject(ehlo::reply{452, {4, 3, 1}, "The disk is full"}).has_value());
  sent.clear();
  give("BURL " + url + " LAST\r\n");
  CHECK(sent.starts_with("452 4.3.1"));
  CHECK(session.current_state() == ehlo::state::spoilt);
}

TEST_CASE("EHLO tells a trusted network what BURL takes, before AUTH", "[server][burl][4468-3.1-02]") {
  setup how = burl();
  how.options.trusted_network = true;
  const auto r = check_server_dialogue("C: EHLO client.example\nS: 250\n", how);
  CHECK(r.sent.find("\r\n250-BURL imap imap://imap.example.com\r\n") != std::string::npos);
}
