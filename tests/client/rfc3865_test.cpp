// SPDX-License-Identifier: BSL-1.0
// SOLICIT (RFC 3865) in a client session.
#include <string>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

void send(const std::string& keyword, const std::string& parameters) {
  client_dialogue::setup how;
  how.mails[0].options.solicit = *ehlo::solicitation_keywords::parse("net.example:ADV");
  check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 " + keyword + "\nC: MAIL FROM:<a@client.example>" +
                            parameters + "\nS: 550 no\nC: QUIT\nS: 221 bye\nCLOSE\n",
                        how);
}

}  // namespace

TEST_CASE("the classes of a message go on to servers with NO-SOLICITING", "[client][no-soliciting][3865-2.7-01]") {
  send("NO-SOLICITING", " SOLICIT=net.example:ADV");
  send("no-soliciting org.example:X", " SOLICIT=net.example:ADV");
}

TEST_CASE("to other servers SOLICIT is left out", "[client][no-soliciting][3865-2.7-02]") { send("HELP", ""); }
