// SPDX-License-Identifier: BSL-1.0
// What RFC 9422 asks of a client: which LIMITS count; and 556 of RFC 7504.
#include <string>
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
const std::string data = "C: DATA\nS: 354 go\nC: Subject: x\nC:\nC: Hello\nC: .\nS: 250 taken\n";
const std::string first = "C: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 250 ok\n";
const std::string both = first + "C: RCPT TO:<c@mx.example>\nS: 250 ok\n" + data;
const std::string one_each =
    first + data + "C: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<c@mx.example>\nS: 250 ok\n" + data;

setup to_two() {
  setup how;
  how.mails[0].to = {"b@mx.example", "c@mx.example"};
  return how;
}

}  // namespace

TEST_CASE("the limits are those of the last EHLO, and none where that has none", "[client][9422-3.6-02]") {
  auto how = to_two();
  how.begin = false;
  const std::string start =
      hello + "S: 250-mx\nS: 250 LIMITS RCPTMAX=1 RCPTDOMAINMAX=1 MAILMAX=1\nDO hello\nC: EHLO client.example\n";
  how.quit = false;
  check_client_dialogue(start + "S: 250 mx\nDO send\n" + both, how);
}

TEST_CASE("limits are forgotten at the handshake, and those inside TLS count", "[client][9422-3.8-02]") {
  auto how = to_two();
  how.options.tls = ehlo::tls_policy::required;
  const std::string start =
      hello + "S: 250-mx\nS: 250-LIMITS RCPTMAX=2\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\nC: EHLO client.example\n";
  check_client_dialogue(start + "S: 250-mx\nS: 250 LIMITS RCPTMAX=1\n" + one_each + goodbye, how);
  how.options.tls = ehlo::tls_policy::never;
  check_client_dialogue(hello + "S: 250-mx\nS: 250 LIMITS RCPTMAX=1\n" + one_each + goodbye, how);
  check_client_dialogue(hello + "S: 250-mx\nS: 250 LIMITS RCPTMAX=2\n" + both + goodbye, how);
}

TEST_CASE("LIMITS with a syntax error counts for nothing, and the session goes on", "[client][9422-3.7-01]") {
  for (const std::string text :
       {"=5", "RCPTMAX=1 =5", "RCPTMAX=1;MAILMAX=1", "RCPTMAX=1 X!=2", "RCPTMAX=1 X=", "RCPTMAX=1 X=a;b", "RCPTMAX=1 X=a\\t"})
    check_client_dialogue(hello + "S: 250-mx\nS: 250 LIMITS " + text + "\n" + both + goodbye, to_two());
}

TEST_CASE("a limit with a wrong value counts for nothing, and the others count", "[client][9422-3.7-02]") {
  for (const std::string text : {"RCPTMAX=abc MAILMAX=5", "RCPTMAX=0 MAILMAX=5", "RCPTMAX=1000000 MAILMAX=5", "RCPTMAX=01"})
    check_client_dialogue(hello + "S: 250-mx\nS: 250 LIMITS " + text + "\n" + both + goodbye, to_two());
  for (const std::string text : {"MAILMAX=abc RCPTMAX=1", "RCPTMAX=1 MAILMAX=0", "XMAX=-1 RCPTMAX=1"})
    check_client_dialogue(hello + "S: 250-mx\nS: 250 LIMITS " + text + "\n" + one_each + goodbye, to_two());
}

TEST_CASE("556 is a refusal for good of the command that it answers", "[client][7504-4-02]") {
  const auto at_rcpt =
      check_client_dialogue(hello + "S: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\n" +
                                "S: 556 takes no mail\nC: RCPT TO:<c@mx.example>\nS: 250 ok\n" + data + goodbye,
                            to_two());
  CHECK(at_rcpt.has("rcpt 0 556 takes no mail"));
  CHECK(at_rcpt.has("message 0-2 250 taken"));
  const auto at_mail =
      check_client_dialogue(hello + "S: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 556 no mail\n" + goodbye, to_two());
  CHECK(at_mail.events.back() == "transaction failed: " + name_of(errc::mail_refused) + " 556 no mail");
}

TEST_CASE("of many domains the first four are remembered, and others count whenever they come", "[client][9422-4.3-02]") {
  setup how;
  how.mails[0].to = {"a@d1.example", "b@d2.example", "c@d3.example", "d@d4.example",
                     "e@d5.example", "f@D1.example", "g@d5.example"};
  std::string text = hello + "S: 250-mx\nS: 250 LIMITS RCPTDOMAINMAX=5\nC: MAIL FROM:<a@client.example>\nS: 250 ok\n";
  for (std::size_t i = 0; i + 1 < how.mails[0].to.size(); ++i) text += "C: RCPT TO:<" + how.mails[0].to[i] + ">\nS: 250 ok\n";
  const auto seen = check_client_dialogue(text + data + goodbye, how);
  CHECK(seen.has("deferred 6 " + name_of(errc::too_many_domains)));
  CHECK(seen.count("rcpt") == 6);
}
