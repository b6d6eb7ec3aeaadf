// SPDX-License-Identifier: BSL-1.0
// LIMITS (RFC 9422) by a server session.
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::setup;

setup announcing(const ehlo::announced_limits& limits) {
  setup out;
  out.options.extensions.limits = true;
  out.options.announced = limits;
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string mail = "C: MAIL FROM:<a@client.example>\nS: 250\n";

}  // namespace

TEST_CASE("LIMITS is a keyword, and no command or parameter", "[server][limits][9422-3-03]") {
  const auto r = check_server_dialogue(hello + "C: LIMITS\nS: 500\nC: MAIL FROM:<> LIMITS\nS: 555\n",
                                       announcing({.mail_max = 5, .rcpt_max = 20}));
  CHECK(r.sent.find("\r\n250-LIMITS MAILMAX=5 RCPTMAX=20\r\n") != std::string::npos);
  setup off = announcing({.mail_max = 1});
  off.options.extensions.limits = false;
  CHECK(check_server_dialogue(hello + mail + "C: RSET\nS: 250\n" + mail, off).sent.find("LIMITS") == std::string::npos);
}

TEST_CASE("limits that HELO has not told do not bind", "[server][limits]") {
  const std::string rcpt = "C: RCPT TO:<b@mx.example>\nS: 250\nC: RCPT TO:<b@other.example>\nS: 250\n";
  const setup strict = announcing({.mail_max = 1, .rcpt_max = 1, .rcpt_domain_max = 1});
  check_server_dialogue("C: HELO client.example\nS: 250\n" + mail + rcpt + "C: RSET\nS: 250\n" + mail + rcpt, strict);
  check_server_dialogue(hello + mail + "C: RCPT TO:<b@mx.example>\nS: 250\nC: RCPT TO:<c@mx.example>\nS: 452\n", strict);
}

TEST_CASE("each EHLO announces the same limits", "[server][limits][9422-3.4-01]") {
  const auto r = check_server_dialogue(hello + mail + hello, announcing({.rcpt_domain_max = 2}));
  const std::string line = "\r\n250-LIMITS RCPTDOMAINMAX=2\r\n";
  const std::size_t first = r.sent.find(line);
  REQUIRE(first != std::string::npos);
  CHECK(r.sent.find(line, first + 1) != std::string::npos);
}

TEST_CASE("RCPTMAX may be less than the 100 of RFC 5321", "[server][limits][9422-3.5-01]") {
  CHECK(announcing({.rcpt_max = 1}).options.check().has_value());
  const auto wrong = [](const ehlo::announced_limits& limits) {
    const auto checked = announcing(limits).options.check();
    return !checked && checked.error().code == ehlo::errc::option_limit;
  };
  CHECK(wrong({}));
  CHECK(wrong({.mail_max = 1000000}));
  CHECK(wrong({.rcpt_max = 1001}));  // the session itself takes 1000
  CHECK(wrong({.rcpt_domain_max = 5}));
  CHECK(announcing({.mail_max = 999999, .rcpt_max = 1000, .rcpt_domain_max = 4}).options.check().has_value());
}

TEST_CASE("limits are announced again inside TLS", "[server][limits][9422-3.6-01]") {
  setup how = announcing({.mail_max = 7});
  how.options.tls = ehlo::tls_mode::offered;
  const auto r = check_server_dialogue(hello + "C: STARTTLS\nS: 220\nTLS\n" + hello, how);
  CHECK(r.sent.rfind("250-LIMITS MAILMAX=7\r\n") > r.sent.find("220 2.0.0"));
}

TEST_CASE("MAILMAX counts every MAIL, those that fail too", "[server][limits][9422-4.1-03]") {
  const auto r =
      check_server_dialogue(hello + mail + "C: MAIL FROM:<b@client.example>\nS: 503\nC: RSET\nS: 250\nC: MAIL x\nS: 501\n" +
                                "C: MAIL FROM:<a@client.example>\nS: 421 4.7.0\nCLOSE\n",
                            announcing({.mail_max = 3}));
  CHECK(r.count("mail ") == 1);
  check_server_dialogue(hello + mail + "C: RSET\nS: 250\n" + mail + "C: RSET\nS: 250\n" + mail, announcing({.mail_max = 3}));
}

TEST_CASE("RCPTMAX counts every RCPT of a transaction", "[server][limits][9422-4.2-03]") {
  const std::string two = mail + "C: RCPT TO:<b@x.example>\nS: 250\nC: RCPT TO:<no@x.example>\nS: 550\n";
  const auto r = check_server_dialogue(
      hello + two + "C: RCPT TO:<c@x.example>\nS: 452 4.5.3\nC: RSET\nS: 250\n" + two + "C: DATA\nS: 354\nC: .\nS: 250\n",
      announcing({.rcpt_max = 2}));
  CHECK(r.messages.at(0).to.size() == 1);
}

TEST_CASE("RCPTDOMAINMAX counts the domains of a session, in any case of their letters", "[server][limits][9422-4.3-01]") {
  check_server_dialogue(hello + mail +
                            "C: RCPT TO:<b@x.example>\nS: 250\nC: RCPT TO:<c@X.Example>\nS: 250\nC: RCPT TO:<d@y.example>\nS: 452 "
                            "4.5.3\nC: RCPT TO:<Postmaster>\nS: 250\nC: RSET\nS: 250\n" +
                            mail + "C: RCPT TO:<d@y.example>\nS: 452\nC: RCPT TO:<d@x.example>\nS: 250\n",
                        announcing({.rcpt_domain_max = 1}));
  check_server_dialogue(
      hello + mail +
          "C: RCPT TO:<b@w.example>\nS: 250\nC: RCPT TO:<no@x.example>\nS: 550\nC: RCPT TO:<b@y.example>\nS: 250\n"
          "C: RCPT TO:<b@z.example>\nS: 250\nC: RCPT TO:<b@v.example>\nS: 452\nC: RCPT TO:<b@w.example>\nS: 250\n",
      announcing({.rcpt_domain_max = 4}));
}

TEST_CASE("the values of LIMITS are numbers of one to six digits that do not begin with 0", "[limits]") {
  struct row {
    const char* clause;
    const char* text;
    ehlo::announced_limits wanted;
  };
  const row rows[] = {
      {"9422-3-01", "RCPTMAX=20 MAILMAX=5", {.mail_max = 5, .rcpt_max = 20}},
      {"9422-3-01", "rcptmax=1", {.rcpt_max = 1}},
      {"9422-3-02", "A_B=1 A-9 RCPTMAX=1", {.rcpt_max = 1}},
      {"9422-3-02", "A=; RCPTMAX=1", {}},
      {"9422-3-02", "A+B=1 RCPTMAX=1", {}},
      {"9422-4.1-01", "MAILMAX=0 RCPTMAX=1", {.rcpt_max = 1}},
      {"9422-4.1-01", "MAILMAX=01 RCPTMAX=1", {.rcpt_max = 1}},
      {"9422-4.1-01", "MAILMAX=1234567 RCPTMAX=1", {.rcpt_max = 1}},
      {"9422-4.1-01", "MAILMAX=123456", {.mail_max = 123456}},
      {"9422-4.2-01", "RCPTMAX=0 MAILMAX=1", {.mail_max = 1}},
      {"9422-4.2-01", "RCPTMAX=1x MAILMAX=1", {.mail_max = 1}},
      {"9422-4.2-01", "RCPTMAX=999999", {.rcpt_max = 999999}},
      {"9422-4.3-01", "RCPTDOMAINMAX=0 MAILMAX=1", {.mail_max = 1}},
      {"9422-4.3-01", "RCPTDOMAINMAX=1000000 MAILMAX=1", {.mail_max = 1}},
      {"9422-4.3-01", "RCPTDOMAINMAX=1", {.rcpt_domain_max = 1}},
  };
  for (const row& r : rows) {
    CAPTURE(r.clause, r.text);
    CHECK(ehlo::parse_limits(r.text) == r.wanted);
  }
}
