// SPDX-License-Identifier: BSL-1.0
// What RFC 3030 asks of a client that sends chunks.
#include <algorithm>
#include <cstdint>
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

const std::string hello = "S: 220 hi\nC: EHLO client.example\n";
const std::string envelope = "C: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 250 ok\n";
const std::string chunking = hello + "S: 250-mx\nS: 250 CHUNKING\n" + envelope;
const std::string message = "C: Subject: x\nC:\nC: Hello\n";
const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";

}  // namespace

TEST_CASE("BDAT is sent only where CHUNKING is offered", "[client][3030-2-04]") {
  for (const std::string offered : {"S: 250 mx\n", "S: 250-CHUNKING\nS: 250 HELP\n", "S: 250-mx\nS: 250 BINARYMIME\n"}) {
    const auto seen =
        check_client_dialogue(hello + offered + envelope + "C: DATA\nS: 354 go\n" + message + "C: .\nS: 250 taken\n" + goodbye);
    CHECK(seen.sent.find("BDAT") == seen.sent.npos);
  }
  check_client_dialogue(chunking + "C: BDAT 21 LAST\n" + message + "S: 250 taken\n" + goodbye);
}

TEST_CASE("a last chunk without octets ends the message", "[client][3030-2-08]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  client_turns turns{options};
  const auto mail = *ehlo::envelope::make("a@client.example", {"b@mx.example"});
  REQUIRE(turns.session.begin_transaction(mail).has_value());
  for (const std::string_view reply : {"220 hi\r\n", "250-mx\r\n250 CHUNKING\r\n", "250 ok\r\n", "250 ok\r\n"})
    (void)turns.after(reply);
  REQUIRE(turns.session.data("x: y\r\n").has_value());
  CHECK(turns.after() == "BDAT 6\r\nx: y\r\n");
  (void)turns.after("250 ok\r\n");
  REQUIRE(turns.is_at<ehlo::mail_data_question>());
  REQUIRE(turns.session.end_of_mail_data().has_value());
  CHECK(turns.after() == "BDAT 0 LAST\r\n");
  (void)turns.after("250 taken\r\n");
  CHECK(turns.notices.back() == "message 0 250");
  CHECK(turns.is_at<ehlo::idle>());
}

TEST_CASE("after a refused chunk RSET comes before anything else", "[client][3030-2-15]") {
  setup how;
  how.mails[0].piece = 8;
  how.mails.push_back({.from = "second@client.example"});
  const std::string rest = "C: RSET\nS: 250 ok\nC: MAIL FROM:<second@client.example>\nS: 550 no\n" + goodbye;
  for (const std::string code : {"452", "503", "554"}) {
    check_client_dialogue(chunking + "C: BDAT 8\nc: Subject:\nS: " + code + " no\n" + rest, how);
    check_client_dialogue(
        chunking + "C: BDAT 8\nc: Subject:\nS: 250 ok\nC: BDAT 8\nc:  x\\r\\n\\r\\nHe\nS: " + code + " no\n" + rest, how);
    check_client_dialogue(chunking + "C: BDAT 8\nc: Subject:\nS: 250 ok\nC: BDAT 8\nc:  x\\r\\n\\r\\nHe\nS: 250 ok\n" +
                              "C: BDAT 5 LAST\nC: llo\nS: " + code + " no\n" + rest,
                          how);
  }
}

TEST_CASE("the number of BDAT is that of the octets that follow", "[client][3030-2-22]") {
  for (const std::string_view text : {"a\r\nb\r\n", "a\nb\rc\r\n.\r\n", ".\r\n..\r\n", "open", "\r", "a\r\n\r\n\r\nb", ""}) {
    for (std::size_t piece = 1; piece <= 5; ++piece) {
      for (const std::uint32_t coalesced : {0U, 256U}) {
        ehlo::client_options options{
            .hostname = "client.example", .tls = ehlo::tls_policy::never, .line_ends = ehlo::line_ends::normalize};
        options.limits.coalesced = coalesced;
        client_turns turns{options};
        const auto mail = *ehlo::envelope::make("a@client.example", {"b@mx.example"});
        REQUIRE(turns.session.begin_transaction(mail).has_value());
        for (const std::string_view reply : {"220 hi\r\n", "250-mx\r\n250 CHUNKING\r\n", "250 ok\r\n", "250 ok\r\n"})
          (void)turns.after(reply);
        bool is_last = false;
        std::string received;
        for (std::size_t at = 0; !is_last; at += piece) {
          REQUIRE(turns.is_at<ehlo::mail_data_question>());
          is_last = at + piece >= text.size();
          const std::string_view octets = text.substr(std::min(at, text.size()), piece);
          REQUIRE((is_last ? turns.session.end_of_mail_data(octets) : turns.session.data(octets)).has_value());
          const std::string sent = turns.after();
          if (sent.empty()) continue;  // a CR that is held back
          CAPTURE(text, piece, sent);
          const std::size_t line = sent.find("\r\n");
          REQUIRE(line != sent.npos);
          const std::string follows = sent.substr(line + 2);
          CHECK(sent.substr(0, line) == "BDAT " + std::to_string(follows.size()) + (is_last ? " LAST" : ""));
          received += follows;
          (void)turns.after("250 ok\r\n");
        }
        CHECK(turns.is_at<ehlo::idle>());
        CHECK((received.empty() || received.ends_with("\r\n")));
      }
    }
  }
}
