// SPDX-License-Identifier: BSL-1.0
// The parameters of DSN (RFC 3461, RFC 6533) by a server session.
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

setup dsn() {
  setup out;
  out.options.extensions.dsn = true;
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";

/// MAIL with these parameters gets this reply.
void mail(const std::string& parameters, const std::string& reply) {
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> " + parameters + "\nS: " + reply + "\n", dsn());
}

/// RCPT with these parameters gets this reply.
void rcpt(const std::string& parameters, const std::string& reply) {
  check_server_dialogue(
      hello + "C: MAIL FROM:<a@b.example>\nS: 250\nC: RCPT TO:<c@d.example> " + parameters + "\nS: " + reply + "\n", dsn());
}

}  // namespace

TEST_CASE("DSN puts RET and ENVID on MAIL, NOTIFY and ORCPT on RCPT", "[server][dsn][3461-2-01][T56]") {
  CHECK(check_server_dialogue(hello, dsn()).sent.find("\r\n250-DSN\r\n") != std::string::npos);
  mail("RET=FULL ENVID=x", "250");
  rcpt("NOTIFY=NEVER ORCPT=rfc822;c@d.example", "250");
  mail("NOTIFY=NEVER", "555 5.5.4");
  mail("ORCPT=rfc822;a@b", "555");
  rcpt("RET=FULL", "555");
  rcpt("ENVID=x", "555");
  check_server_dialogue(
      hello + "C: MAIL FROM:<> RET=FULL\nS: 555\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b> NOTIFY=NEVER\nS: 555\nC: DSN\nS: 500\n");
}

TEST_CASE("NOTIFY is NEVER or a list of words", "[server][dsn][3461-4.1-01]") {
  for (const char* good : {"NEVER", "SUCCESS", "FAILURE", "DELAY", "SUCCESS,DELAY", "SUCCESS,FAILURE,DELAY"})
    rcpt(std::string{"NOTIFY="} + good, "250");
  for (const char* bad : {"NOTIFY", "NOTIFY=", "NOTIFY=FOO", "NOTIFY=SUCCESS,", "NOTIFY=,SUCCESS", "NOTIFY=SUCCESS,,DELAY"})
    rcpt(bad, "501 5.5.4");
}

TEST_CASE("NEVER stands alone", "[server][dsn][3461-4.1-02]") {
  rcpt("NOTIFY=NEVER,SUCCESS", "501");
  rcpt("NOTIFY=SUCCESS,NEVER", "501");
}

TEST_CASE("the words of NOTIFY are read in any case", "[server][dsn][3461-4.1-03]") {
  std::optional<ehlo::notify_set> told;
  setup how = dsn();
  how.on_rcpt = [&told](const ehlo::rcpt_question& q) {
    told = q.parameters.notify();
    return answer{ehlo::replies::rcpt_ok};
  };
  check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<c@d.example> notify=Success,failure\nS: 250\n", how);
  CHECK(told == ehlo::notify_set{.success = true, .failure = true});
}

TEST_CASE("ORCPT is an address type, a semicolon and xtext", "[server][dsn][3461-4.2-01]") {
  rcpt("ORCPT=rfc822;a+2Bb@c.example", "250");
  rcpt("ORCPT=x400;/c+3Dus", "250");
  for (const char* bad : {"ORCPT", "ORCPT=a@b", "ORCPT=rfc822", "ORCPT=;a", "ORCPT=rfc822;", "ORCPT=rfc_822;a", "ORCPT=rfc822;a+2",
                          "ORCPT=rfc822;a+2b"})
    rcpt(bad, "501 5.5.4");
}

TEST_CASE("ORCPT has up to 500 octets", "[server][dsn][3461-4.2-03][T55]") {
  for (const auto& [size, reply] : {std::pair{499U, "250"}, std::pair{500U, "250"}, std::pair{501U, "501"}})
    rcpt("ORCPT=rfc822;" + std::string(size - 7, 'o'), reply);
}

TEST_CASE("the address of ORCPT is printable when it is decoded", "[server][dsn][3461-4.2-05][T20]") {
  for (const char* bad : {"+00", "+0A", "+0D+0Ax", "+7F", "+80", "+1B[0m"}) rcpt(std::string{"ORCPT=rfc822;"} + bad, "501");
  rcpt("ORCPT=rfc822;a+20b", "250");
}

TEST_CASE("the case of ORCPT is kept", "[server][dsn][3461-5.2.1-02]") {
  const auto r =
      check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<c@d.example> ORCPT=RFC822;A@b.Example\nS: 250\n", dsn());
  CHECK(r.has("rcpt <c@d.example> ORCPT=RFC822;A@b.Example"));
}

TEST_CASE("RET is FULL or HDRS in any case", "[server][dsn][3461-4.3-01]") {
  mail("RET=full", "250");
  mail("RET=HDRS", "250");
  for (const char* bad : {"RET", "RET=", "RET=FOO", "RET=FULL,HDRS"}) mail(bad, "501");
}

TEST_CASE("ENVID is xtext", "[server][dsn][3461-4.4-01]") {
  mail("ENVID=QQ314159", "250");
  mail("ENVID=a+20b", "250");
  for (const char* bad : {"ENVID", "ENVID=", "ENVID=a+ZZ", "ENVID=a+2"}) mail(bad, "501");
}

TEST_CASE("ENVID has up to 100 octets", "[server][dsn][3461-4.4-02][T55]") {
  for (const auto& [size, reply] : {std::pair{99U, "250"}, std::pair{100U, "250"}, std::pair{101U, "501"}})
    mail("ENVID=" + std::string(size, 'e'), reply);
}

TEST_CASE("ENVID is printable when it is decoded", "[server][dsn][3461-4.4-03][T20]") {
  for (const char* bad : {"+07", "ab+0D+0Acd", "+7F", "+FF"}) mail(std::string{"ENVID="} + bad, "501");
}

TEST_CASE("a parameter that is given twice gets 501", "[server][dsn][3461-4.5-02][T57]") {
  mail("RET=FULL RET=HDRS", "501");
  mail("ENVID=x ENVID=x", "501");
  rcpt("NOTIFY=NEVER NOTIFY=NEVER", "501");
  rcpt("ORCPT=rfc822;a@b orcpt=rfc822;a@b", "501");
}

TEST_CASE("ENVID and RET that are valid change no reply", "[server][dsn][3461-5.1-01]") {
  setup how = dsn();
  how.on_mail = [](const ehlo::mail_question& q) {
    return q.reverse_path.is_null() ? answer{ehlo::replies::local_error} : answer{dialogue::by_default{}};
  };
  for (const char* parameters : {"", " RET=FULL ENVID=x"})
    check_server_dialogue(
        hello + "C: MAIL FROM:<>" + parameters + "\nS: 451 4.3.0\nC: MAIL FROM:<a@b.example>" + parameters + "\nS: 250 2.1.0\n",
        how);
}

TEST_CASE("MAIL may have them or not", "[server][dsn][3461-5.1-02]") {
  mail("SIZE=1", "250");
  mail("RET=HDRS", "250");
  mail("ENVID=x", "250");
}

TEST_CASE("ENVID and RET that are invalid or repeated get 501", "[server][dsn][3461-5.1-03]") {
  mail("ENVID=a=b", "501");
  mail("ENVID=x ENVID=y", "501");
  mail("RET=HALF", "501");
}

TEST_CASE("NOTIFY and ORCPT that are valid change no reply", "[server][dsn][3461-5.1-04]") {
  for (const char* parameters : {"", " NOTIFY=SUCCESS ORCPT=rfc822;a@b"})
    check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<no@d.example>" + parameters +
                              "\nS: 550 5.1.1\nC: RCPT TO:<yes@d.example>" + parameters + "\nS: 250 2.1.5\n",
                          dsn());
}

TEST_CASE("NOTIFY and ORCPT that are invalid get 501", "[server][dsn][3461-5.1-05]") {
  rcpt("NOTIFY=FOO", "501");
  rcpt("ORCPT=rfc822", "501");
}

TEST_CASE("the sizes that are always taken", "[server][dsn][3461-5.4-01]") {
  mail("ENVID=" + std::string(100, 'e') + " RET=FULL", "250");
  rcpt("NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;" + std::string(493, 'o'), "250");
}

TEST_CASE("a RCPT of 1042 octets is not too long", "[server][dsn][3461-5.4-03]") {
  setup how = dsn();
  how.options.extensions.size = false;
  const std::string start = "RCPT TO:<c@d.example> X=";
  for (const auto& [size, reply] : {std::pair{1042U, "555"}, std::pair{1043U, "500"}})
    check_server_dialogue(
        hello + "C: MAIL FROM:<>\nS: 250\nC: " + start + std::string(size - start.size() - 2, 'x') + "\nS: " + reply + "\n", how);
}

TEST_CASE("an internationalized ORCPT has its own encoding", "[server][dsn][6531-3.3-06]") {
  setup how = dsn();
  how.options.extensions.smtputf8 = true;
  check_server_dialogue(hello +
                            "C: MAIL FROM:<> SMTPUTF8\nS: 250\nC: RCPT TO:<a@b.example> ORCPT=utf-8;\\xC3\\xA9@x.example\nS: 250\n"
                            "C: RCPT TO:<a@b.example> ORCPT=utf-8;\\\\x{E9}@x.example\nS: 250\nC: RCPT TO:<a@b.example> "
                            "ORCPT=utf-8;\\\\x{A}\nS: 501\n",
                        how);
  check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example> ORCPT=utf-8;\\xC3\\xA9@x.example\nS: 501\n",
                        how);
}
