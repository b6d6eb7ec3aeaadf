// SPDX-License-Identifier: BSL-1.0
// What RFC 3461 asks of a client, and RFC 2034 of one that reads enhanced status codes.
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
const std::string reset = "C: RSET\nS: 250 ok\n";

/// Each of the four parameters alone.
std::vector<client_dialogue::mail> each_parameter() {
  return {
      {.options = {.ret = ehlo::ret_type::hdrs}},
      {.options = {.envid = *ehlo::xtext::parse("QQ314159")}},
      {.recipient_options = {{.notify = ehlo::notify_set{.success = true}}}},
      {.recipient_options = {{.orcpt = *ehlo::parse_orcpt("rfc822;b@mx.example")}}},
  };
}

}  // namespace

TEST_CASE("RET, ENVID, NOTIFY and ORCPT leave only where DSN is offered", "[client][3461-5.2.2-01]") {
  for (const auto& mail : each_parameter()) {
    setup how;
    how.mails = {mail};
    for (const std::string offered : {"S: 250 mx\n", "S: 250-DSN\nS: 250 HELP\n"}) {
      how.options.dsn = ehlo::dsn_policy::required;
      CHECK(check_client_dialogue(hello + offered + goodbye, how).events.back() ==
            "transaction failed: " + name_of(errc::dsn_not_offered));
      how.options.dsn = ehlo::dsn_policy::relay;
      check_client_dialogue(
          hello + offered + "C: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 550 no\n" + reset + goodbye,
          how);
    }
    const auto sent = check_client_dialogue(hello + "S: 250-mx\nS: 250 DSN\nc: MAIL FROM:<a@client.example>" +
                                                (mail.options.ret     ? " RET=HDRS"
                                                 : mail.options.envid ? " ENVID=QQ314159"
                                                                      : "") +
                                                "\\r\\n\nS: 250 ok\nc: RCPT TO:<b@mx.example>" +
                                                (mail.recipient_options.empty()     ? ""
                                                 : mail.recipient_options[0].notify ? " NOTIFY=SUCCESS"
                                                                                    : " ORCPT=rfc822;b@mx.example") +
                                                "\\r\\n\nS: 550 no\n" + reset + goodbye,
                                            how);
    CHECK(sent.has("rcpt 0 550"));
  }
}

TEST_CASE("an ENVID over 38 octets is the caller's choice: up to 100 are sent", "[client][3461-5.4-02]") {
  for (const std::size_t size : {std::size_t{38}, std::size_t{39}, std::size_t{100}}) {
    const std::string envid(size, 'e');
    setup how;
    how.mails[0].options.envid = *ehlo::xtext::parse(envid);
    check_client_dialogue(
        hello + "S: 250-mx\nS: 250 DSN\nC: MAIL FROM:<a@client.example> ENVID=" + envid + "\nS: 550 no\n" + goodbye, how);
  }
}

TEST_CASE("a notice goes with the null reverse-path, without RET, and with NOTIFY=NEVER at most", "[client][3461-6.1-01]") {
  setup how;
  how.mails[0].from = "<>";
  const std::string mail = hello + "S: 250-mx\nS: 250 DSN\nC: MAIL FROM:<>\nS: 250 ok\n";
  check_client_dialogue(mail + "C: RCPT TO:<b@mx.example>\nS: 550 no\n" + reset + goodbye, how);
  how.mails[0].recipient_options = {{.notify = ehlo::notify_set{}}};
  check_client_dialogue(mail + "C: RCPT TO:<b@mx.example> NOTIFY=NEVER\nS: 550 no\n" + reset + goodbye, how);
}

TEST_CASE("an enhanced status code of another class than the reply changes nothing", "[client][2034-4-08]") {
  const std::string rcpt =
      hello +
      "S: 250-mx\nS: 250 ENHANCEDSTATUSCODES\nC: MAIL FROM:<a@client.example>\nS: 250 5.0.0 ok\nC: RCPT TO:<b@mx.example>\n";
  for (const std::string code : {"2.1.5", "4.0.0"}) {
    const auto refused = check_client_dialogue(rcpt + "S: 550 " + code + " hi\n" + reset + goodbye);
    CHECK(refused.has("rcpt 0 550 "));
    CHECK(refused.events.back() == "transaction failed: " + name_of(errc::recipient_refused));
  }
  const auto later = check_client_dialogue(rcpt + "S: 450 5.1.1 hi\n" + reset + goodbye);
  CHECK(later.has("rcpt 0 transient 450 "));
  const auto accepted = check_client_dialogue(rcpt + "S: 250 5.1.1 ok\nC: DATA\nS: 354 go\nC: Subject: x\nC:\nC: Hello\nC: .\n" +
                                              "S: 250 4.0.0 taken\n" + goodbye);
  CHECK(accepted.has("message 0-1 250 "));
}
