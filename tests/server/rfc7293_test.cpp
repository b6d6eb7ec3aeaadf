// SPDX-License-Identifier: BSL-1.0
// RRVS (RFC 7293) by a server session, and its parameter.
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

setup rrvs() {
  setup out;
  out.options.extensions.rrvs = true;
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string mail = hello + "C: MAIL FROM:<>\nS: 250\n";

/// RCPT with these parameters gets this reply.
void rcpt(const std::string& parameters, const std::string& reply) {
  check_server_dialogue(mail + "C: RCPT TO:<c@d.example> " + parameters + "\nS: " + reply + "\n", rrvs());
}

}  // namespace

TEST_CASE("RRVS is a keyword without parameters, and adds no command", "[server][rrvs][7293-3.1-01]") {
  CHECK(check_server_dialogue(hello + "C: RRVS\nS: 500\nC: MAIL FROM:<> RRVS=2014-04-03T23:01:00Z\nS: 555\n", rrvs())
            .sent.find("\r\n250-RRVS\r\n") != std::string::npos);
  check_server_dialogue(mail + "C: RCPT TO:<c@d.example> RRVS=2014-04-03T23:01:00Z\nS: 555 5.5.4\n");
  check_server_dialogue(
      "C: HELO c.example\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<c@d.example> RRVS=2014-04-03T23:01:00Z\nS: 555\n", rrvs());
}

TEST_CASE("RRVS is a time of RFC 3339 on RCPT", "[server][rrvs][7293-3.1-02]") {
  for (const char* good :
       {"2014-04-03T23:01:00Z", "2014-04-03t23:01:00z", "2014-04-03T23:01:00+01:00", "2014-04-03T23:01:00-11:30"})
    rcpt(std::string{"RRVS="} + good, "250");
  for (const char* bad : {"RRVS", "RRVS=", "RRVS=2014-04-03", "RRVS=2014-04-31T23:01:00Z", "RRVS=2014-04-03T23:01:00",
                          "RRVS=2014-04-03T25:01:00Z", "RRVS=1396566060", "RRVS=2014-04-03T23:01:00+01", "RRVS=;C"})
    rcpt(bad, "501 5.5.4");
  rcpt("RRVS=2014-04-03T23:01:00Z RRVS=2014-04-03T23:01:00Z", "501 5.5.4");
}

TEST_CASE("the time of RRVS has no fraction of a second", "[server][rrvs][7293-3.1-03]") {
  rcpt("RRVS=2014-04-03T23:01:00.5Z", "501 5.5.4");
  rcpt("RRVS=2014-04-03T23:01:00.000Z;C", "501 5.5.4");
}

TEST_CASE("the action of RRVS is C or R", "[server][rrvs][7293-3.1-04]") {
  std::string told;
  setup how = rrvs();
  how.whole_only = true;
  how.on_rcpt = [&told](const ehlo::rcpt_question& q) {
    const auto since = q.parameters.valid_since();
    told += since ? std::to_string(since->time.to_unix()) + (since->may_continue() ? "C" : "R") + (since->action ? "! " : " ")
                  : "none ";
    return answer{ehlo::replies::rcpt_ok};
  };
  check_server_dialogue(mail +
                            "C: RCPT TO:<a@d.example> RRVS=1970-01-01T00:00:01Z;C\nS: 250\nC: RCPT TO:<b@d.example> "
                            "rrvs=1970-01-01T00:00:02Z;r\nS: 250\nC: RCPT TO:<c@d.example> RRVS=1970-01-01T01:00:03+01:00\nS: 250\n"
                            "C: RCPT TO:<d@d.example>\nS: 250\n",
                        how);
  CHECK(told == "1C! 2R! 3R none ");
  for (const char* bad : {";", ";X", ";CR", ";C;R", "C"}) rcpt(std::string{"RRVS=2014-04-03T23:01:00Z"} + bad, "501 5.5.4");
}

TEST_CASE("RRVS makes RCPT 33 octets longer", "[server][rrvs][7293-3.1-05]") {
  const std::string start = "RCPT TO:<c@d.example> X=";
  for (const auto& [size, reply] : {std::pair{545U, "555"}, std::pair{546U, "500"}})
    check_server_dialogue(mail + "C: " + start + std::string(size - start.size() - 2, 'x') + "\nS: " + reply + "\n", rrvs());
  CHECK(std::string_view{" RRVS=2014-04-03T23:01:00+01:00;R"}.size() == 33);
}

TEST_CASE("a mailbox with another owner gets 550", "[server][rrvs][7293-5.1-01]") {
  setup how = rrvs();
  how.on_rcpt = [](const ehlo::rcpt_question& q) {
    const auto since = q.parameters.valid_since();
    return answer{since && since->time < *ehlo::timestamp::parse("2015-01-01T00:00:00Z") ? ehlo::replies::mailbox_owner_changed
                                                                                         : ehlo::replies::rcpt_ok};
  };
  check_server_dialogue(mail +
                            "C: RCPT TO:<receiver@example.com> RRVS=2014-04-03T23:01:00Z\nS: 550 5.7.17\nC: RCPT "
                            "TO:<receiver@example.com> RRVS=2015-04-03T23:01:00Z\nS: 250\n",
                        how);
}

TEST_CASE("a relay may refuse at DATA with 550", "[server][rrvs][7293-5.1.1-02]") {
  setup how = rrvs();
  how.on_data = [](const ehlo::data_question&) { return answer{ehlo::replies::owner_unknown}; };
  check_server_dialogue(mail + "C: RCPT TO:<a@b.example> RRVS=2014-04-03T23:01:00Z\nS: 250\nC: DATA\nS: 550 5.7.19\n", how);
}

TEST_CASE("the enhanced codes of RRVS", "[replies][rrvs][7293-15.3-01]") {
  CHECK(ehlo::replies::mailbox_owner_changed.enhanced() == ehlo::enhanced_status_code{5, 7, 17});
  CHECK(ehlo::replies::domain_owner_changed.enhanced() == ehlo::enhanced_status_code{5, 7, 18});
  CHECK(ehlo::replies::owner_unknown.enhanced() == ehlo::enhanced_status_code{5, 7, 19});
}
