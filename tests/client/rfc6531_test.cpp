// SPDX-License-Identifier: BSL-1.0
// What RFC 6531 and RFC 6152 ask of a client: SMTPUTF8 and 8BITMIME.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

using client_dialogue::name_of;
using client_dialogue::setup;
using ehlo::errc;

const std::string hello = "S: 220 hi\nC: EHLO client.example\n";
const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";

}  // namespace

TEST_CASE("with SMTPUTF8 mailboxes and headers in UTF-8 are sent, with domains of either kind", "[client][6531-3.2-04]") {
  setup how;
  how.mails[0].from = "\xC3\xA9@client.example";
  how.mails[0].to = {"b@\xC3\xA9.example", "\xC3\xA9@xn--9ca.example"};
  how.mails[0].octets = "Subject: \xC3\xA9\r\n";
  check_client_dialogue(
      hello +
          "S: 250-mx\nS: 250-8BITMIME\nS: 250 SMTPUTF8\nC: MAIL FROM:<\xC3\xA9@client.example> BODY=8BITMIME SMTPUTF8\nS: 250 "
          "ok\n" +
          "C: RCPT TO:<b@\xC3\xA9.example>\nS: 250 ok\nC: RCPT TO:<\xC3\xA9@xn--9ca.example>\nS: 250 ok\nC: DATA\nS: 354 go\n" +
          "C: Subject: \xC3\xA9\nC: .\nS: 250 taken\n" + goodbye,
      how);
}

TEST_CASE("without SMTPUTF8 no mailbox or header in UTF-8 is sent, and A-labels are", "[client][6531-3.2-05]") {
  const std::string offered = hello + "S: 250-mx\nS: 250 8BITMIME\n";
  const auto refused = [&offered](client_dialogue::mail mail) {
    setup how;
    how.mails = {std::move(mail)};
    return check_client_dialogue(offered + goodbye, how).events.back();
  };
  const std::string why = "transaction failed: " + name_of(errc::smtputf8_not_offered);
  CHECK(refused({.from = "\xC3\xA9@client.example"}) == why);
  CHECK(refused({.from = "a@\xC3\xA9.example"}) == why);
  CHECK(refused({.to = {"b@mx.example", "\xC3\xA9@mx.example"}}) == why);
  CHECK(refused({.to = {"b@\xC3\xA9.example"}}) == why);
  CHECK(refused({.octets = "Subject: \xC3\xA9\r\n\r\nx\r\n"}) == why);
  setup how;
  how.mails[0].to = {"b@xn--9ca.example"};
  check_client_dialogue(
      hello +
          "S: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@xn--9ca.example>\nS: 550 no\nC: RSET\nS: 250 ok\n" +
          goodbye,
      how);
}

TEST_CASE("SMTPUTF8 goes with BODY=8BITMIME, and with BODY=BINARYMIME", "[client][6531-3.6-02]") {
  setup how;
  how.mails[0].octets = "Subject: \xC3\xA9\r\n";
  const std::string rest = "\nS: 550 no\n" + goodbye;
  check_client_dialogue(
      hello + "S: 250-mx\nS: 250-8BITMIME\nS: 250 SMTPUTF8\nC: MAIL FROM:<a@client.example> BODY=8BITMIME SMTPUTF8" + rest, how);
  auto traits = ehlo::traits_of(how.mails[0].octets);
  traits.body = ehlo::body_type::binary;
  how.mails[0].traits = traits;
  check_client_dialogue(hello +
                            "S: 250-mx\nS: 250-8BITMIME\nS: 250-CHUNKING\nS: 250-BINARYMIME\nS: 250 SMTPUTF8\nC: MAIL "
                            "FROM:<a@client.example> BODY=BINARYMIME SMTPUTF8" +
                            rest,
                        how);
}

TEST_CASE("a host name in UTF-8 opens no session", "[client][6531-3.7.1-01]") {
  for (const std::string_view name : {"\xC3\xA9.example", "mx.\xC3\xA9", "caf\xC3\xA9", "[IPv6:\xC3\xA9]"}) {
    const ehlo::client_options options{.hostname = name};
    CHECK(options.check().error().code == errc::option_hostname);
    ehlo::client_session session{options};
    std::string_view input = "220 hi\r\n";
    CHECK(std::holds_alternative<ehlo::close_channel>(session.next(input)));
  }
  CHECK(ehlo::client_options{.hostname = "xn--9ca.example"}.check().has_value());
}

TEST_CASE("251 and 551 may hold UTF-8 behind a MAIL with SMTPUTF8", "[client][6531-3.7.4.1-01]") {
  setup how;
  how.mails[0].to = {"\xC3\xA9@mx.example", "\xC3\xA8@mx.example"};
  const auto seen = check_client_dialogue(
      hello +
          "S: 250-mx\nS: 250 SMTPUTF8\nC: MAIL FROM:<a@client.example> SMTPUTF8\nS: 250 ok\nC: RCPT TO:<\xC3\xA9@mx.example>\n" +
          "S: 251 goes to <\xC3\xA9@x.example>\nC: RCPT TO:<\xC3\xA8@mx.example>\nS: 551 try <\xC3\xA8@x.example>\nC: DATA\nS: 354 "
          "go\n" +
          "C: Subject: x\nC:\nC: Hello\nC: .\nS: 250 taken\n" + goodbye,
      how);
  CHECK(seen.has("rcpt 0 251 goes to <\xC3\xA9@x.example>"));
  CHECK(seen.has("rcpt 1 551 try <\xC3\xA8@x.example>"));
  CHECK(seen.has("message 0-2 250 taken"));
}

TEST_CASE("the replies to VRFY and EXPN may hold UTF-8", "[client][6531-3.7.4.2-02]") {
  setup how;
  how.mails.clear();
  how.quit = false;
  const auto seen =
      check_client_dialogue(hello +
                                "S: 250-mx\nS: 250 SMTPUTF8\nDO verify \xC3\xA9@mx.example\nC: VRFY \xC3\xA9@mx.example SMTPUTF8\n"
                                "S: 250 \xC3\xA9 <\xC3\xA9@mx.example>\nDO expand \xC3\xA8\nC: EXPN \xC3\xA8 SMTPUTF8\n"
                                "S: 250-<\xC3\xA9@mx.example>\nS: 250 <\xC3\xA8@mx.example>\n",
                            how);
  CHECK(seen.has("command 250 \xC3\xA9 <\xC3\xA9@mx.example>"));
  CHECK(seen.has("command 250 <\xC3\xA9@mx.example>/<\xC3\xA8@mx.example>"));
}

TEST_CASE("8BITMIME takes text in lines only", "[client][6152-3-05]") {
  setup how;
  const std::string offered = hello + "S: 250-mx\nS: 250-CHUNKING\nS: 250 8BITMIME\n";
  for (const auto& [octets, why] :
       std::vector<std::pair<std::string, errc>>{{"a\nb\r\n", errc::bare_line_end},
                                                 {"a\rb\r\n", errc::bare_line_end},
                                                 {"\xE9\n", errc::bare_line_end},
                                                 {std::string(1000, '\xE9') + "\r\n", errc::text_line_too_long}}) {
    how.mails[0].octets = octets;
    how.mails[0].traits.reset();
    CHECK(check_client_dialogue(offered + goodbye, how).events.back() == "transaction failed: " + name_of(why));
    auto traits = ehlo::traits_of(octets);
    traits.body = ehlo::body_type::binary;
    how.mails[0].traits = traits;
    CHECK(check_client_dialogue(offered + goodbye, how).events.back() ==
          "transaction failed: " + name_of(errc::binary_mime_not_offered));
  }
}

TEST_CASE("without 8BITMIME no octet above 127 leaves", "[client][6152-3-07]") {
  setup how;
  how.mails[0].octets = "a: b\r\n\r\n\xE9\r\n";
  for (const std::string offered : {"S: 250 mx\n", "S: 250-mx\nS: 250 CHUNKING\n", "S: 250-8BITMIME\nS: 250 SIZE\n"}) {
    how.mails[0].traits.reset();
    CHECK(check_client_dialogue(hello + offered + goodbye, how).events.back() ==
          "transaction failed: " + name_of(errc::eight_bit_mime_not_offered));
    // Where nobody knew before, the writer sees it.
    how.mails[0].traits = ehlo::message_traits{};
    const bool chunked = offered.find("CHUNKING") != offered.npos;
    const auto seen = check_client_dialogue(
        hello + offered + "C: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 250 ok\n" +
            (chunked ? "C: RSET\nS: 250 ok\n" + goodbye : "C: DATA\nS: 354 go\nc: a: b\\r\\n\\r\\n\nCLOSE\n"),
        how);
    CHECK(seen.sent.find('\xE9') == seen.sent.npos);
    CHECK(seen.has("transaction failed"));
  }
}

TEST_CASE("BODY=8BITMIME is said only where 8BITMIME is offered", "[client][6152-3-10]") {
  setup how;
  const std::string rest = "\nS: 550 no\n" + goodbye;
  for (const bool is_known : {true, false}) {
    how.mails[0].traits.reset();
    if (!is_known) how.mails[0].traits = ehlo::message_traits{};
    for (const std::string offered : {"S: 250 mx\n", "S: 250-mx\nS: 250 SMTPUTF8\n", "S: 250-8BITMIME\nS: 250 DSN\n"})
      check_client_dialogue(hello + offered + "C: MAIL FROM:<a@client.example>" + rest, how);
  }
  how.mails[0].octets = "a: b\r\n\r\n\xE9\r\n";
  how.mails[0].traits.reset();
  check_client_dialogue(hello + "S: 250-mx\nS: 250 8BITMIME\nC: MAIL FROM:<a@client.example> BODY=8BITMIME" + rest, how);
}
