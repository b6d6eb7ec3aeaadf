// SPDX-License-Identifier: BSL-1.0
// FUTURERELEASE (RFC 4865) by a server session, and its parameters.
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};

setup future_release() {
  setup out;
  out.options.submission = true;
  out.options.mechanisms = mechanisms;
  out.options.extensions.future_release = true;
  out.options.extensions.deliver_by = true;
  out.options.holds = {86400, *ehlo::timestamp::parse("2030-01-01T00:00:00Z")};
  out.on_auth = [](const ehlo::auth_question&) { return answer{dialogue::authenticated{}}; };
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\nC: AUTH EXTERNAL =\nS: 235\n";

/// MAIL with these parameters gets this reply.
void mail(const std::string& parameters, const std::string& reply) {
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> " + parameters + "\nS: " + reply + "\n", future_release());
}

}  // namespace

TEST_CASE("FUTURERELEASE has two values", "[server][futurerelease][4865-3-01]") {
  using ehlo::parse_hold_limits;
  CHECK(parse_hold_limits("86400 2030-01-01T00:00:00Z") == ehlo::hold_limits{86400, *ehlo::timestamp::from_unix(1893456000)});
  for (const char* bad : {"", "86400", "2030-01-01T00:00:00Z", "0 2030-01-01T00:00:00Z", "86400  2030-01-01T00:00:00Z",
                          "86400 2030-01-01T00:00:00Z x", "86400 2030-01-01T00:00:00+01:00", "1000000000 2030-01-01T00:00:00Z"})
    CHECK_FALSE(parse_hold_limits(bad).has_value());
  const auto offered = [](const char* lines) { return ehlo::capabilities::parse(*ehlo::parse_reply(lines)); };
  CHECK(offered("250-mx\r\n250 FUTURERELEASE 5 2030-01-01T00:00:00Z\r\n").holds().interval == 5);
  CHECK_FALSE(offered("250-mx\r\n250 FUTURERELEASE 5\r\n").has(ehlo::extension::future_release));
}

TEST_CASE("MAIL has HOLDFOR or HOLDUNTIL", "[server][futurerelease][4865-3-02]") {
  mail("HOLDFOR=60", "250");
  mail("HOLDUNTIL=2029-12-31T00:00:00Z", "250");
  check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example> HOLDFOR=60\nS: 555\nC: HOLDFOR\nS: 500\n",
                        future_release());
  check_server_dialogue(
      "C: EHLO client.example\nS: 250\nC: MAIL FROM:<> HOLDFOR=60\nS: 555\nC: MAIL FROM:<> HOLDUNTIL=2029-12-31T00:00:00Z\nS: "
      "555\n");
}

TEST_CASE("HOLDFOR has one to nine digits and does not begin with 0", "[server][futurerelease][4865-3-03]") {
  CHECK(ehlo::parse_hold_for("999999999")->seconds == 999999999);
  for (const char* bad :
       {"HOLDFOR", "HOLDFOR=", "HOLDFOR=0", "HOLDFOR=01", "HOLDFOR=1234567890", "HOLDFOR=-1", "HOLDFOR=+1", "HOLDFOR=1s"})
    mail(bad, "501 5.5.4");
}

TEST_CASE("HOLDUNTIL is a date and time of RFC 3339 in UTC", "[server][futurerelease][4865-3-04]") {
  for (const char* good : {"2029-02-28T23:59:60Z", "2028-02-29T00:00:00z", "2029-02-28t00:00:00.25Z", "2029-02-28T00:00:00+00:00"})
    mail(std::string{"HOLDUNTIL="} + good, "250");
  for (const char* bad :
       {"2030-13-01T00:00:00Z", "2029-02-29T00:00:00Z", "2029-02-28T24:00:00Z", "2029-02-28T00:60:00Z", "2029-02-28T00:00:61Z",
        "2029-02-28", "2029-02-28T00:00Z", "2029-02-28T00:00:00", "2029-02-28T00:00:00+01:00", "2029-02-28T00:00:00.Z",
        "29-02-28T00:00:00Z", "2029-02-28T00:00:00Zx", "2029-00-28T00:00:00Z", "2029-02-00T00:00:00Z", "1893456000"})
    mail(std::string{"HOLDUNTIL="} + bad, "501 5.5.4");
}

TEST_CASE("a hold makes MAIL 34 octets longer", "[server][futurerelease][4865-3-05]") {
  setup how = future_release();
  how.options.extensions.size = false;
  how.options.extensions.deliver_by = false;
  // AUTH adds 500 octets of its own.
  const std::string start = "MAIL FROM:<c@d.example> HOLDFOR=1 X=";
  for (const auto& [size, reply] : {std::pair{1046U, "555"}, std::pair{1047U, "500"}})
    check_server_dialogue(hello + "C: " + start + std::string(size - start.size() - 2, 'x') + "\nS: " + reply + "\n", how);
}

TEST_CASE("FUTURERELEASE is for submission only", "[server][futurerelease][4865-4.2-01]") {
  setup how = future_release();
  CHECK(how.options.check().has_value());
  how.options.submission = false;
  CHECK(how.options.check().error().code == ehlo::errc::option_dependency);
}

TEST_CASE("EHLO lists both maxima", "[server][futurerelease][4865-4.2-02]") {
  CHECK(check_server_dialogue(hello, future_release()).sent.find("\r\n250-FUTURERELEASE 86400 2030-01-01T00:00:00Z\r\n") !=
        std::string::npos);
  setup how = future_release();
  how.options.holds.interval = 0;
  CHECK(how.options.check().error().code == ehlo::errc::option_limit);
  how.options.holds.interval = 1000000000;
  CHECK(how.options.check().error().code == ehlo::errc::option_limit);
  how.options.holds = {86400, {}};
  CHECK(how.options.check().error().code == ehlo::errc::option_limit);
}

TEST_CASE("a hold that is valid is accepted", "[server][futurerelease][4865-4.2-03]") {
  std::optional<ehlo::hold_request> told;
  setup how = future_release();
  how.on_mail = [&told](const ehlo::mail_question& q) {
    told = q.parameters.hold();
    return dialogue::by_default{};
  };
  check_server_dialogue(hello + "C: MAIL FROM:<> holdfor=60\nS: 250\n", how);
  CHECK(told == ehlo::hold_request{ehlo::hold_for{60}});
  check_server_dialogue(hello + "C: MAIL FROM:<> HOLDUNTIL=2029-12-31T23:59:59Z\nS: 250\n", how);
  CHECK(told == ehlo::hold_request{ehlo::hold_until{*ehlo::timestamp::from_unix(1893455999)}});
  check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\n", how);
  CHECK_FALSE(told.has_value());
}

TEST_CASE("a hold over the maximum is refused", "[server][futurerelease][4865-4.2-05]") {
  mail("HOLDFOR=86400", "250");
  mail("HOLDFOR=86401", "501");
  mail("HOLDUNTIL=2030-01-01T00:00:00Z", "250");
  mail("HOLDUNTIL=2030-01-01T00:00:01Z", "501");
}

TEST_CASE("a message is held once", "[server][futurerelease][4865-4.2-06]") {
  mail("HOLDFOR=1 HOLDFOR=2", "501");
  mail("HOLDFOR=1 HOLDUNTIL=2029-01-01T00:00:00Z", "501");
  mail("HOLDUNTIL=2029-01-01T00:00:00Z holdfor=1", "501");
}

TEST_CASE("a hold that is refused gets 5.5.4", "[server][futurerelease][4865-4.2-07]") {
  for (const char* bad : {"HOLDFOR=86401", "HOLDUNTIL=2030-01-01T00:00:01Z", "HOLDFOR=0", "HOLDFOR=1 HOLDFOR=1",
                          "HOLDFOR=1 HOLDUNTIL=2029-01-01T00:00:00Z"})
    mail(bad, "501 5.5.4");
}

TEST_CASE("a message is not held beyond its deliver-by time", "[server][futurerelease][4865-5.2-02]") {
  mail("HOLDFOR=100 BY=50;R", "501 5.5.4");
  mail("BY=99;N HOLDFOR=100", "501 5.5.4");
  mail("HOLDFOR=100 BY=-5;N", "501 5.5.4");
  mail("HOLDFOR=100 BY=100;R", "250");
}

TEST_CASE("a full quota of held messages gets 552", "[server][futurerelease][4865-6-03]") {
  setup how = future_release();
  how.on_mail = [](const ehlo::mail_question&) { return answer{ehlo::replies::storage_exceeded}; };
  check_server_dialogue(hello + "C: MAIL FROM:<> HOLDFOR=1\nS: 552 5.2.2\n", how);
}

TEST_CASE("BY is compared with HOLDFOR, and not with HOLDUNTIL: that takes a clock", "[server][futurerelease]") {
  mail("BY=60;R HOLDFOR=61", "501");
  mail("BY=60;R HOLDFOR=60", "250");
  mail("BY=60;R HOLDUNTIL=2029-12-31T00:00:00Z", "250");
  mail("BY=60;R", "250");
}
