// SPDX-License-Identifier: BSL-1.0
// NO-SOLICITING (RFC 3865) by a server session, and its parameter.
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

setup no_soliciting(std::string_view not_wanted = {}) {
  setup out;
  out.options.extensions.no_soliciting = true;
  out.options.not_wanted = not_wanted;
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";

/// MAIL with these parameters gets this reply.
void mail(const std::string& parameters, const std::string& reply) {
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> " + parameters + "\nS: " + reply + "\n", no_soliciting());
}

}  // namespace

TEST_CASE("SOLICIT is a parameter of MAIL, and NO-SOLICITING no command", "[server][no-soliciting][3865-2-01]") {
  mail("SOLICIT=net.example:ADV", "250");
  check_server_dialogue(
      hello + "C: NO-SOLICITING\nS: 500\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example> SOLICIT=net.example:ADV\nS: 555\n",
      no_soliciting());
  check_server_dialogue(hello + "C: MAIL FROM:<> SOLICIT=net.example:ADV\nS: 555 5.5.4\n");
}

TEST_CASE("SOLICIT makes MAIL 1007 octets longer", "[server][no-soliciting][3865-2-02]") {
  setup how = no_soliciting();
  how.options.extensions.size = false;
  const std::string start = "MAIL FROM:<c@d.example> X=";
  for (const auto& [size, reply] : {std::pair{1519U, "555"}, std::pair{1520U, "500"}})
    check_server_dialogue(hello + "C: " + start + std::string(size - start.size() - 2, 'x') + "\nS: " + reply + "\n", how);
}

TEST_CASE("EHLO may list the classes that are not wanted", "[server][no-soliciting][3865-2.1-01]") {
  CHECK(check_server_dialogue(hello, no_soliciting()).sent.find("\r\n250-NO-SOLICITING\r\n") != std::string::npos);
  CHECK(check_server_dialogue(hello, no_soliciting("net.example:ADV,org.example:ADV:ADLT"))
            .sent.find("\r\n250-NO-SOLICITING net.example:ADV,org.example:ADV:ADLT\r\n") != std::string::npos);
  const std::string too_long(481, 'a');
  for (const std::string& bad : {std::string{"a b"}, std::string{"a,"}, std::string{"9a"}, too_long})
    CHECK(no_soliciting(bad).options.check().error().code == ehlo::errc::option_name);
}

TEST_CASE("classes are words with commas between", "[server][no-soliciting][3865-2.2-01]") {
  for (const char* good : {"a", "a,b", "net.example:ADV", "A-b_c.d:9,Z"}) mail(std::string{"SOLICIT="} + good, "250");
  for (const char* bad : {"SOLICIT", "SOLICIT=", "SOLICIT=,", "SOLICIT=a,", "SOLICIT=,a", "SOLICIT=a,,b", "SOLICIT=9a",
                          "SOLICIT=.a", "SOLICIT=a+b", "SOLICIT=a;b", "SOLICIT=a SOLICIT=b"})
    mail(bad, "501 5.5.4");
}

TEST_CASE("a list of classes has at most 1000 octets", "[server][no-soliciting][3865-2.2-02]") {
  setup how = no_soliciting();
  for (const auto& [size, reply] : {std::pair{1000U, "250"}, std::pair{1001U, "501"}})
    check_server_dialogue(hello + "C: MAIL FROM:<> SOLICIT=" + std::string(size, 'a') + "\nS: " + reply + "\n", how);
  CHECK(ehlo::solicitation_keywords::parse(std::string(1001, 'a')).error() == ehlo::error{ehlo::errc::solicitation_value, 1000});
}

TEST_CASE("what is not wanted is refused at MAIL or for a recipient, with 5.7.1", "[server][no-soliciting][3865-2.4-01]") {
  const auto not_wanted = *ehlo::solicitation_keywords::parse("net.example:ADV,org.example:X");
  setup how = no_soliciting(not_wanted.text());
  how.on_mail = [&](const ehlo::mail_question& q) {
    const auto classes = q.parameters.solicit();
    return classes && classes->shares(not_wanted) ? answer{ehlo::replies::policy_refusal} : answer{dialogue::by_default{}};
  };
  how.on_rcpt = [](const ehlo::rcpt_question&) { return answer{ehlo::replies::policy_refusal}; };
  check_server_dialogue(hello +
                            "C: MAIL FROM:<> SOLICIT=com.example:Y,ORG.example:x\nS: 550 5.7.1\nC: MAIL FROM:<> "
                            "SOLICIT=com.example:Y\nS: 250\nC: RCPT TO:<a@b.example>\nS: 550 5.7.1\n",
                        how);
}
