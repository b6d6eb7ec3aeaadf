// SPDX-License-Identifier: BSL-1.0
// What RFC 4954 asks of a client: AUTH.
#include <string>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

TEST_CASE("nothing is grouped behind AUTH, though PLAIN has said all with it", "[client][4954-4-38]") {
  constexpr ehlo::auth_mechanism plain[] = {ehlo::mechanisms::plain};
  constexpr ehlo::auth_mechanism login[] = {ehlo::mechanisms::login};
  // What leaves before the server's next line stands before it here.
  const std::string start = "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250-PIPELINING\nS: 250 AUTH PLAIN LOGIN\n";
  const std::string rest =
      "S: 235 welcome\nC: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@mx.example>\nC: DATA\nS: 550 no\nS: 503 no\nS: 503 no\n"
      "C: QUIT\nS: 221 bye\nCLOSE\n";
  client_dialogue::setup how;
  how.options.tls = ehlo::tls_policy::active;
  how.options.mechanisms = plain;
  check_client_dialogue(start + "C: AUTH PLAIN AHVzZXIAcGFzcw==\n" + rest, how);
  how.options.mechanisms = login;
  check_client_dialogue(start + "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dXNlcg==\nS: 334 UGFzc3dvcmQ6\nC: cGFzcw==\n" + rest, how);
}

TEST_CASE("SASL libraries hear the service name smtp", "[client][4954-4-34]") { CHECK(ehlo::sasl::service_name == "smtp"); }
