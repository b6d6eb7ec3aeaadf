// SPDX-License-Identifier: BSL-1.0
// Message submission (RFC 6409) by a server session.
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};

setup submission() {
  setup out;
  out.options = ehlo::submission_options("mx.example", mechanisms);
  out.on_auth = [](const ehlo::auth_question&) { return answer{dialogue::authenticated{}}; };
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string known = hello + "C: AUTH EXTERNAL =\nS: 235\n";

}  // namespace

TEST_CASE("an empty return path alone is no reason for refusal", "[server][submission][6409-3.2-03]") {
  check_server_dialogue(known + "C: MAIL FROM:<>\nS: 250 2.1.0\n", submission());
}

TEST_CASE("554 refuses MAIL, RCPT or DATA in general", "[server][submission][6409-4.1-01]") {
  setup how = submission();
  how.on_mail = [](const ehlo::mail_question& q) {
    return q.reverse_path.is_null() ? answer{ehlo::replies::transaction_failed} : answer{dialogue::by_default{}};
  };
  how.on_rcpt = [](const ehlo::rcpt_question& q) {
    return q.forward_path.text() == "<bad@host>" ? answer{ehlo::replies::transaction_failed} : answer{ehlo::replies::rcpt_ok};
  };
  how.on_data = [](const ehlo::data_question&) { return answer{ehlo::replies::transaction_failed}; };
  check_server_dialogue(known +
                            "C: MAIL FROM:<>\nS: 554 5.0.0\nC: MAIL FROM:<a@b.example>\nS: 250\nC: RCPT TO:<bad@host>\nS: 554 "
                            "5.0.0\nC: RCPT TO:<c@d.example>\nS: 250\nC: DATA\nS: 554 5.0.0\n",
                        how);
}

TEST_CASE("a relay does not refuse MAIL with 554", "[server][submission]") {
  const ehlo::server_options relay{.hostname = "mx.example"};
  ehlo::server_session session{relay};
  std::string_view input;
  (void)session.next(input);
  session.accept();
  (void)session.next(input);
  input = "EHLO c.example\r\n";
  (void)session.next(input);
  session.accept();
  (void)session.next(input);
  input = "MAIL FROM:<>\r\n";
  REQUIRE(std::holds_alternative<ehlo::mail_question>(session.next(input)));
  CHECK(session.reject(ehlo::replies::transaction_failed).error().code == ehlo::errc::wrong_answer);
}

TEST_CASE("bad domains are refused with 554", "[server][submission][6409-4.2-03]") {
  setup how = submission();
  how.on_rcpt = [](const ehlo::rcpt_question& q) {
    const bool is_qualified = q.forward_path.mailbox()->text().find('.') != std::string_view::npos;
    return answer{is_qualified ? ehlo::replies::rcpt_ok : *ehlo::reply::make(554, {5, 1, 2}, "Not a fully qualified domain")};
  };
  check_server_dialogue(
      known + "C: MAIL FROM:<a@b.example>\nS: 250\nC: RCPT TO:<a@host>\nS: 554 5.1.2\nC: RCPT TO:<a@host.example>\nS: 250\n", how);
}

TEST_CASE("without AUTH no mail is taken", "[server][submission][6409-4.3-01]") {
  check_server_dialogue(
      hello +
          "C: MAIL FROM:<a@b.example>\nS: 530\nC: NOOP\nS: 250\nC: RSET\nS: 250\nC: VRFY a\nS: 530\nC: AUTH EXTERNAL "
          "=\nS: 235\nC: MAIL FROM:<a@b.example>\nS: 250\n",
      submission());
  setup how = submission();
  how.options.trusted_network = true;
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example>\nS: 250\n", how);
}

TEST_CASE("mail without AUTH gets 530 5.7.0", "[server][submission][6409-4.3-02]") {
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example>\nS: 530 5.7.0 Authentication required\n", submission());
}

TEST_CASE("ill-formed addresses are refused", "[server][submission][6409-5.1-01]") {
  check_server_dialogue(
      known +
          "C: MAIL FROM:<a..b@c.example>\nS: 501\nC: MAIL FROM:<a@b.example>\nS: 250\nC: RCPT TO:<a@-c.example>\nS: "
          "501\nC: RCPT TO:a@b.example\nS: 501\n",
      submission());
}

TEST_CASE("501 for addresses of the envelope, 554 for those of the content", "[server][submission][6409-5.1-02]") {
  setup how = submission();
  how.on_message = [](const ehlo::message_question&) {
    return answer{*ehlo::reply::make(554, {5, 6, 0}, "Bad address in the header section")};
  };
  check_server_dialogue(
      known +
          "C: MAIL FROM:<a..b@c.example>\nS: 501 5.1.7\nC: MAIL FROM:<a@b.example>\nS: 250\nC: RCPT TO:<x>\nS: 501 "
          "5.1.3\nC: RCPT TO:<c@d.example>\nS: 250\nC: DATA\nS: 354\nC: From: a@@b\nC: .\nS: 554 5.6.0\n",
      how);
}

TEST_CASE("a submission server has AUTH", "[server][submission][6409-7-01]") {
  setup how = submission();
  CHECK(how.options.check().has_value());
  CHECK(check_server_dialogue(hello, how).sent.find("\r\n250-AUTH EXTERNAL\r\n") != std::string::npos);
  how.options.mechanisms = {};
  CHECK(how.options.check().error().code == ehlo::errc::option_dependency);
  how = submission();
  how.options.protocol = ehlo::protocol::lmtp;
  CHECK(how.options.check().error().code == ehlo::errc::option_dependency);
  how = submission();
  how.options.esmtp = false;
  CHECK(how.options.check().error().code == ehlo::errc::option_dependency);
}

TEST_CASE("a submission server has what it should have", "[server][submission][6409-7-02]") {
  const auto r = check_server_dialogue(hello, submission());
  for (const char* keyword : {"PIPELINING", "ENHANCEDSTATUSCODES", "DSN", "8BITMIME"})
    CHECK(r.sent.find(std::string{"\r\n250-"} + keyword + "\r\n") != std::string::npos);
}

TEST_CASE("a submission server uses neither ETRN nor 521", "[server][submission][6409-7-03]") {
  setup how = submission();
  how.options.extensions.etrn = true;
  CHECK(how.options.check().error().code == ehlo::errc::option_dependency);
  how = submission();
  ehlo::server_session session{how.options};
  std::string_view input;
  REQUIRE(std::holds_alternative<ehlo::greeting_question>(session.next(input)));
  CHECK(session.reject(ehlo::replies::host_accepts_no_mail).error().code == ehlo::errc::wrong_answer);
  CHECK(session.reject(ehlo::replies::no_service).has_value());
  check_server_dialogue(hello + "C: ETRN x.example\nS: 502\nC: ATRN\nS: 500\n", submission());
}

TEST_CASE("a submission server may have more", "[server][submission][6409-7-04]") {
  setup how = submission();
  ehlo::extension_set& on = how.options.extensions;
  on.binary_mime = on.deliver_by = on.mtrk = on.no_soliciting = on.priority = on.burl = on.future_release = on.smtputf8 = true;
  how.options.holds = {60, *ehlo::timestamp::from_unix(1893456000)};
  REQUIRE(how.options.check().has_value());
  const auto r = check_server_dialogue(hello, how);
  for (const char* keyword : {"SIZE 67108864", "BINARYMIME", "CHUNKING", "STARTTLS", "DELIVERBY", "MTRK", "NO-SOLICITING",
                              "MT-PRIORITY", "BURL", "FUTURERELEASE 60 2030-01-01T00:00:00Z", "SMTPUTF8"})
    CHECK(r.sent.find(std::string{"\r\n250-"} + keyword + "\r\n") != std::string::npos);
}

TEST_CASE("what is said of DATA holds for BDAT", "[server][submission][6409-7-05]") {
  setup how = submission();
  check_server_dialogue(hello + "C: BDAT 3\nc: abc\nS: 530\nC: NOOP\nS: 250\n", how);
  how.on_data = [](const ehlo::data_question&) { return answer{ehlo::replies::transaction_failed}; };
  check_server_dialogue(known + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: 250\nC: BDAT 3 LAST\nc: abc\nS: 554\n", how);
  how.on_data = {};
  how.on_message = [](const ehlo::message_question&) { return answer{ehlo::replies::policy_refusal}; };
  check_server_dialogue(known + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: 250\nC: BDAT 3 LAST\nc: abc\nS: 550 5.7.1\n",
                        how);
}

TEST_CASE("a submission server that has BURL takes none before AUTH", "[server][submission][burl]") {
  setup how = submission();
  how.options.extensions.burl = true;
  check_server_dialogue(hello + "C: BURL imap://x LAST\nS: 530\n", how);
}

TEST_CASE("shorter times may be agreed", "[client][submission][6409-5.3-02]") {
  ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  options.timeouts.greeting = 60;
  CHECK(options.check().has_value());
  ehlo::client_session session{options};
  std::string_view input;
  (void)session.next(input);
  CHECK(session.timeout().seconds == 60);
}
