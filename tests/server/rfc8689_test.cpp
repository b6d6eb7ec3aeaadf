// SPDX-License-Identifier: BSL-1.0
// REQUIRETLS (RFC 8689) by a server session.
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::setup;

setup require_tls(ehlo::tls_mode tls = ehlo::tls_mode::active) {
  setup out;
  out.options.extensions.require_tls = true;
  out.options.tls = tls;
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";

}  // namespace

TEST_CASE("REQUIRETLS is a parameter of MAIL without a value", "[server][requiretls][8689-2-01]") {
  CHECK(check_server_dialogue(hello, require_tls()).sent.find("\r\n250-REQUIRETLS\r\n") != std::string::npos);
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> REQUIRETLS\nS: 250\n", require_tls());
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> requiretls\nS: 250\n", require_tls());
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> REQUIRETLS=1\nS: 501 5.5.4\n", require_tls());
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> REQUIRETLS REQUIRETLS\nS: 501 5.5.4\n", require_tls());
  check_server_dialogue(
      hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example> REQUIRETLS\nS: 555 5.5.4\nC: REQUIRETLS\nS: 500\n", require_tls());
}

TEST_CASE("REQUIRETLS makes MAIL 11 octets longer", "[server][requiretls][8689-2-02]") {
  setup how = require_tls();
  how.options.extensions.size = false;
  const std::string start = "MAIL FROM:<c@d.example> REQUIRETLS X=";
  for (const auto& [size, reply] : {std::pair{523U, "555"}, std::pair{524U, "500"}})
    check_server_dialogue(hello + "C: " + start + std::string(size - start.size() - 2, 'x') + "\nS: " + reply + "\n", how);
  how.options.tls = ehlo::tls_mode::offered;
  check_server_dialogue(hello + "C: " + start + std::string(523 - start.size() - 2, 'x') + "\nS: 500\n", how);
}

TEST_CASE("LMTP has REQUIRETLS too", "[server][requiretls][lmtp][8689-2-03]") {
  setup how = require_tls();
  how.options.protocol = ehlo::protocol::lmtp;
  check_server_dialogue("C: LHLO client.example\nS: 250 mx.example\nC: MAIL FROM:<a@b.example> REQUIRETLS\nS: 250\n", how);
}

TEST_CASE("REQUIRETLS is neither offered nor taken in clear text", "[server][requiretls][8689-2-08]") {
  const auto r =
      check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> REQUIRETLS\nS: 555 5.5.4\n", require_tls(ehlo::tls_mode::offered));
  CHECK(r.sent.find("REQUIRETLS\r\n") == std::string::npos);
  check_server_dialogue(hello + "C: STARTTLS\nS: 220\nTLS\n" + hello + "C: MAIL FROM:<a@b.example> REQUIRETLS\nS: 250\n",
                        require_tls(ehlo::tls_mode::offered));
  setup off = require_tls();
  off.options.extensions.require_tls = false;
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> REQUIRETLS\nS: 555 5.5.4\n", off);
  CHECK(require_tls(ehlo::tls_mode::unavailable).options.check().error().code == ehlo::errc::option_dependency);
}

TEST_CASE("the question tells that a message came with REQUIRETLS", "[server][requiretls][8689-4.1-01]") {
  std::string told;
  setup how = require_tls();
  how.whole_only = true;
  how.on_mail = [&told](const ehlo::mail_question& q) {
    told += q.parameters.require_tls() ? 'y' : 'n';
    return dialogue::by_default{};
  };
  check_server_dialogue(
      hello + "C: MAIL FROM:<a@b.example> SIZE=1 REQUIRETLS\nS: 250\nC: RSET\nS: 250\nC: MAIL FROM:<a@b.example>\nS: 250\n", how);
  CHECK(told == "yn");
}

TEST_CASE("5.7.30 goes with 550", "[replies][requiretls][8689-7-01]") {
  CHECK(ehlo::replies::requiretls_unsupported.code() == 550);
  CHECK(ehlo::replies::requiretls_unsupported.enhanced() == ehlo::enhanced_status_code{5, 7, 30});
  setup how = require_tls();
  how.on_rcpt = [](const ehlo::rcpt_question&) { return dialogue::answer{ehlo::replies::requiretls_unsupported}; };
  check_server_dialogue(hello + "C: MAIL FROM:<> REQUIRETLS\nS: 250\nC: RCPT TO:<a@b.example>\nS: 550 5.7.30\n", how);
}
