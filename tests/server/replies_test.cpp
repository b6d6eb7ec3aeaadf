// SPDX-License-Identifier: BSL-1.0
// Replies of a server session: their form (RFC 5321 4.2), the codes that may answer a command (4.3.2), and that every named reply
// can be made to leave a session.
#include <set>
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

const std::string envelope =
    "C: EHLO client.example\nS: 250 mx.example\nC: MAIL FROM:<a@client.example>\nS: 250 2.1.0 OK\nC: RCPT TO:<b@mx.example>\nS: "
    "250 2.1.5 OK\n";

std::string code_of(const ehlo::reply& r) { return std::to_string(r.code()); }

}  // namespace

TEST_CASE("each command has exactly one reply", "[server][5321-4.2-01]") {
  const auto r = check_server_dialogue(envelope + R"(
    C: NOOP
    S: 250
    C: FOO
    S: 500
    C: VRFY a
    S: 252
    C: DATA
    S: 354
    C: text
    C: .
    S: 250
    C: RSET
    S: 250
    C: QUIT
    S: 221
    CLOSE
  )");
  CHECK(r.messages.size() == 1);
}

TEST_CASE("a session uses listed codes only", "[server][5321-4.2-09]") {
  setup how;
  how.options.any_reply_code = false;
  ehlo::server_session session{how.options};
  std::string_view input;
  (void)session.next(input);
  session.accept();
  (void)session.next(input);
  input = "EHLO client.example\r\n";
  (void)session.next(input);
  const auto odd = ehlo::reply::make(259, {}, "odd");
  REQUIRE(odd.has_value());
  CHECK(session.accept(*odd).error().code == ehlo::errc::wrong_answer);
  CHECK(session.accept().has_value());
}

TEST_CASE("a session invents no codes for fine shades", "[server][5321-4.2.1-05]") {
  std::set<int> listed{211, 214, 220, 221, 250, 251, 252, 354, 421, 450, 451, 452,
                       455, 500, 501, 502, 503, 504, 550, 551, 552, 553, 554, 555};
  const std::set<int> of_extensions{235, 334, 432, 454, 521, 530, 534, 535, 538, 556};
  listed.insert(of_extensions.begin(), of_extensions.end());
  for (std::size_t i = 0; i <= static_cast<std::size_t>(ehlo::errc::out_of_memory); ++i) {
    const ehlo::reply r = ehlo::reply_for(static_cast<ehlo::errc>(i), ehlo::verb::mail);
    CAPTURE(i, r.code());
    CHECK(listed.contains(r.code()));
  }
}

TEST_CASE("502 is for a known command, 504 for a parameter of a known one", "[server][5321-4.2.1-06]") {
  check_server_dialogue(R"(
    C: EXPN list
    S: 502 5.5.1
    C: HELP FOO
    S: 504 5.5.4
  )");
}

TEST_CASE("what is not recognized gets 500, what is recognized and not there 502", "[server][5321-4.2.4-01]") {
  check_server_dialogue(R"(
    C: FOO
    S: 500 5.5.2
    C: EXPN list
    S: 502 5.5.1
    C: TURN
    S: 502 5.5.1
  )");
}

TEST_CASE("nothing that EHLO lists is answered with 500 or 502", "[server][5321-4.2.4-02]") {
  setup how;
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  how.options.mechanisms = mechanisms;
  how.options.extensions = {true, true, true, true, true, true, true, true, true, true, true};
  how.options.tls = ehlo::tls_mode::offered;
  how.on_expn = [](const ehlo::expn_question&) { return answer{dialogue::listed{{{"", "a@mx.example"}}}}; };
  how.on_starttls = [](const ehlo::starttls_question&) { return answer{ehlo::replies::tls_unavailable}; };
  check_server_dialogue(R"(
    C: EHLO client.example
    S: 250-mx.example
    S: 250-PIPELINING
    S: 250-SIZE 67108864
    S: 250-8BITMIME
    S: 250-ENHANCEDSTATUSCODES
    S: 250-CHUNKING
    S: 250-BINARYMIME
    S: 250-SMTPUTF8
    S: 250-DSN
    S: 250-STARTTLS
    S: 250-AUTH EXTERNAL
    S: 250-EXPN
    S: 250 HELP
    C: STARTTLS
    S: 454
    C: AUTH EXTERNAL =
    S: 535
    C: EXPN list
    S: 250
    C: HELP
    S: 214
    C: MAIL FROM:<a@b.example> SIZE=1 BODY=BINARYMIME SMTPUTF8 RET=HDRS ENVID=x AUTH=<>
    S: 250
    C: RCPT TO:<c@d.example> NOTIFY=NEVER ORCPT=rfc822;c@d.example
    S: 250
    C: BDAT 1 LAST
    c: x
    S: 250
  )",
                        how);
}

TEST_CASE("after a transient refusal of a message nobody delivers it", "[server][5321-4.2.5-02]") {
  setup how;
  how.on_message = [](const ehlo::message_question&) { return answer{ehlo::replies::local_error}; };
  const auto r =
      check_server_dialogue(envelope + "C: DATA\nS: 354\nC: x\nC: .\nS: 451 4.3.0\nC: RCPT TO:<c@d.example>\nS: 503\n", how);
  CHECK(r.messages.empty());
}

TEST_CASE("after a permanent refusal of a message nobody delivers it", "[server][5321-4.2.5-03]") {
  setup how;
  how.on_message = [](const ehlo::message_question&) { return answer{ehlo::replies::transaction_failed}; };
  const auto r = check_server_dialogue(envelope + "C: DATA\nS: 354\nC: x\nC: .\nS: 554 5.0.0\nC: MAIL FROM:<>\nS: 250\n", how);
  CHECK(r.messages.empty());
}

TEST_CASE("answers keep to the rows of the command-reply table", "[server][5321-4.3.1-03]") {
  // What is asked, a code of its row, a code of another row.
  struct row {
    const char* input;
    ehlo::reply good;
    ehlo::reply bad;
  };
  const row rows[] = {
      {"EHLO client.example\r\n", ehlo::replies::policy_refusal, ehlo::replies::mailbox_full},
      {"EHLO client.example\r\nMAIL FROM:<>\r\n", ehlo::replies::insufficient_storage, ehlo::replies::no_service},
      {"EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n", ehlo::replies::domain_accepts_no_mail,
       ehlo::replies::no_service},
      {"VRFY a\r\n", ehlo::replies::ambiguous_user, ehlo::replies::local_error},
      {"HELP\r\n", ehlo::replies::parameter_not_implemented, ehlo::replies::no_such_mailbox},
  };
  const ehlo::server_options options{.hostname = "mx.example"};
  for (const row& one : rows) {
    CAPTURE(one.input);
    ehlo::server_session session{options};
    std::string_view input;
    std::string_view rest = one.input;
    for (int i = 0; i < 50; ++i) {
      const auto action = session.next(input);
      if (std::holds_alternative<ehlo::receive>(action)) {
        input = rest;
        rest = {};
      }
      if (session.open_question().serial != 0 && rest.empty() && input.empty()) break;
      if (session.open_question().serial != 0) session.accept();
    }
    REQUIRE(session.open_question().serial != 0);
    CHECK(session.reject(one.bad).error().code == ehlo::errc::wrong_answer);
    CHECK(session.reject(one.good).has_value());
  }
}

TEST_CASE("a reply in other words keeps its code", "[server][5321-4.3.1-04]") {
  setup how;
  how.on_rcpt = [](const ehlo::rcpt_question&) { return answer{ehlo::reply{250, {2, 1, 5}, "Gladly"}}; };
  check_server_dialogue("C: EHLO c.example\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: 250 2.1.5 Gladly\n", how);
}

TEST_CASE("finer meaning is in the enhanced status code", "[server][5321-4.3.2-01]") {
  check_server_dialogue("C: EHLO c.example\nS: 250\nC: MAIL FROM:<>\nS: 250 2.1.0\nC: RCPT TO:<no@b.example>\nS: 550 5.1.1\n");
}

TEST_CASE("any command may get 500, 501 or 421", "[server][5321-4.3.2-02]") {
  for (const char* name : {"EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET", "VRFY", "HELP", "NOOP", "QUIT"}) {
    CAPTURE(name);
    check_server_dialogue(std::string{"C: "} + name + " " + std::string(600, 'x') + "\nS: 500 5.5.2\nC: NOOP\nS: 250\n");
  }
  check_server_dialogue("SHUTDOWN\nS: 421 4.3.2 mx.example\nCLOSE\n");
  check_server_dialogue("C: EHLO a_b\nS: 501\nC: RSET x\nS: 501 5.5.4\nC: VRFY\nS: 501\n");
}

TEST_CASE("a required command is never called unrecognized", "[server][5321-4.3.2-03]") {
  for (const char* line : {"EHLO c.example", "HELO c.example", "MAIL FROM:<a@b.example>", "RCPT TO:<a@b.example>", "DATA", "RSET",
                           "NOOP", "QUIT", "VRFY a"}) {
    const ehlo::server_options options{.hostname = "mx.example"};
    const std::string wire = std::string{line} + "\r\n";
    ehlo::server_session session{options};
    std::string_view input;
    std::string sent;
    bool fed = false;
    for (int i = 0; i < 20; ++i) {
      const auto action = session.next(input);
      if (const auto* out = std::get_if<ehlo::transmit>(&action)) sent += out->octets;
      if (std::holds_alternative<ehlo::receive>(action)) {
        if (fed) break;
        input = wire;
        fed = true;
      }
      if (session.open_question().serial != 0) session.answer_default();
      if (session.is_closed()) break;
    }
    CAPTURE(line, sent);
    CHECK(sent.find("\r\n500") == std::string::npos);
    CHECK(sent.find("\r\n502") == std::string::npos);
  }
}

TEST_CASE("a command line of 512 octets is not called too long", "[server][5321-4.3.2-04]") {
  for (const std::size_t size : {511U, 512U}) {
    check_server_dialogue("C: NOOP " + std::string(size - 7, 'x') + "\nS: 250\n");
  }
  check_server_dialogue("C: NOOP " + std::string(513 - 7, 'x') + "\nS: 500\nC: NOOP\nS: 250\n");
}

TEST_CASE("the channel opens with 220, 554 or 521", "[server][5321-4.3.2-05]") {
  check_server_dialogue("S: 220 mx.example ESMTP\n");
  setup how;
  how.on_greeting = [](const ehlo::greeting_question&) { return answer{ehlo::replies::no_service}; };
  check_server_dialogue("S: 554 mx.example\nC: EHLO c.example\nS: 503\nC: QUIT\nS: 221\nCLOSE\n", how);
  how.on_greeting = [](const ehlo::greeting_question&) { return answer{ehlo::replies::host_accepts_no_mail}; };
  check_server_dialogue("S: 521 mx.example\nC: EHLO c.example\nS: 521\nC: QUIT\nS: 221\nCLOSE\n", how);
  how.on_greeting = [](const ehlo::greeting_question&) { return answer{ehlo::replies::service_not_available}; };
  check_server_dialogue("S: 421 mx.example\nCLOSE\n", how);
}

TEST_CASE("EHLO and HELO get a code of their row", "[server][5321-4.3.2-06]") {
  for (const int code : {250, 504, 550, 502}) CHECK(ehlo::may_answer(ehlo::reply_row::hello, code));
  for (const int code : {251, 354, 450, 503, 554}) CHECK_FALSE(ehlo::may_answer(ehlo::reply_row::hello, code));
  setup how;
  how.on_hello = [](const ehlo::hello_question&) { return answer{ehlo::replies::policy_refusal}; };
  check_server_dialogue("C: EHLO c.example\nS: 550 5.7.1\nC: HELO c.example\nS: 550\n", how);
  setup old;
  old.options.esmtp = false;
  check_server_dialogue("C: EHLO c.example\nS: 502\nC: HELO c.example\nS: 250 mx.example\n", old);
}

TEST_CASE("MAIL gets a code of its row", "[server][5321-4.3.2-07]") {
  for (const int code : {250, 552, 451, 452, 550, 553, 503, 455, 555, 530}) CHECK(ehlo::may_answer(ehlo::reply_row::mail, code));
  for (const int code : {251, 354, 450, 551, 554}) CHECK_FALSE(ehlo::may_answer(ehlo::reply_row::mail, code));
  for (const auto& r :
       {ehlo::replies::storage_exceeded, ehlo::replies::local_error, ehlo::replies::insufficient_storage,
        ehlo::replies::sender_null_mx, ehlo::replies::mailbox_name_not_allowed, ehlo::replies::parameters_not_accommodated}) {
    setup how;
    how.on_mail = [&r](const ehlo::mail_question&) { return answer{r}; };
    check_server_dialogue(
        "C: EHLO c.example\nS: 250\nC: MAIL FROM:<a@b.example>\nS: " + code_of(r) + "\nC: RCPT TO:<a@b>\nS: 503\n", how);
  }
}

TEST_CASE("RCPT gets a code of its row", "[server][5321-4.3.2-08]") {
  for (const int code : {250, 251, 550, 551, 552, 553, 450, 451, 452, 503, 455, 555, 556})
    CHECK(ehlo::may_answer(ehlo::reply_row::rcpt, code));
  for (const int code : {252, 354, 554}) CHECK_FALSE(ehlo::may_answer(ehlo::reply_row::rcpt, code));
  for (const auto& r : {ehlo::replies::will_forward, ehlo::replies::no_such_mailbox, ehlo::replies::user_not_local,
                        ehlo::replies::too_large_for_mailbox, ehlo::replies::mailbox_name_not_allowed, ehlo::replies::mailbox_busy,
                        ehlo::replies::local_error, ehlo::replies::mailbox_full, ehlo::replies::domain_accepts_no_mail}) {
    setup how;
    how.on_rcpt = [&r](const ehlo::rcpt_question&) { return answer{r}; };
    check_server_dialogue("C: EHLO c.example\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: " + code_of(r) + "\n",
                          how);
  }
}

TEST_CASE("DATA gets 354, or 503 or 554 at once", "[server][5321-4.3.2-09]") {
  for (const int code : {354, 503, 554}) CHECK(ehlo::may_answer(ehlo::reply_row::data, code));
  for (const int code : {250, 450, 550}) CHECK_FALSE(ehlo::may_answer(ehlo::reply_row::data, code));
  setup how;
  how.on_data = [](const ehlo::data_question&) { return answer{ehlo::replies::no_valid_recipients}; };
  check_server_dialogue(envelope + "C: DATA\nS: 554\nC: NOOP\nS: 250\n", how);
  check_server_dialogue("C: DATA\nS: 503\n");
}

TEST_CASE("the end of mail data gets a code of its row", "[server][5321-4.3.2-10]") {
  for (const auto& r :
       {ehlo::replies::message_ok, ehlo::replies::message_too_large, ehlo::replies::transaction_failed, ehlo::replies::local_error,
        ehlo::replies::insufficient_storage, ehlo::replies::try_later, ehlo::replies::policy_refusal}) {
    CHECK(ehlo::may_answer(ehlo::reply_row::message, r.code()));
    setup how;
    how.on_message = [&r](const ehlo::message_question&) { return answer{r}; };
    check_server_dialogue(envelope + "C: DATA\nS: 354\nC: x\nC: .\nS: " + code_of(r) + "\nC: NOOP\nS: 250\n", how);
  }
  for (const int code : {251, 354, 455, 551}) CHECK_FALSE(ehlo::may_answer(ehlo::reply_row::message, code));
}

TEST_CASE("RSET and NOOP get 250, QUIT 221", "[server][5321-4.3.2-11]") {
  check_server_dialogue("C: RSET\nS: 250 2.0.0\nC: NOOP\nS: 250 2.0.0\nC: QUIT\nS: 221 2.0.0 mx.example\nCLOSE\n");
}

TEST_CASE("VRFY gets a code of its row", "[server][5321-4.3.2-12]") {
  for (const int code : {250, 251, 252, 550, 551, 553, 502, 504}) CHECK(ehlo::may_answer(ehlo::reply_row::vrfy, code));
  for (const int code : {211, 354, 450, 552, 554}) CHECK_FALSE(ehlo::may_answer(ehlo::reply_row::vrfy, code));
  const std::pair<answer, const char*> answers[] = {
      {dialogue::listed{{{"A B", "a@mx.example"}}}, "250 2.1.5 A B <a@mx.example>"},
      {dialogue::forward{"a@there.example"}, "251 2.1.5 User not local; will forward to <a@there.example>"},
      {dialogue::by_default{}, "252"},
      {ehlo::replies::no_such_mailbox, "550"},
      {dialogue::moved{"a@there.example"}, "551 5.1.6 User not local; please try <a@there.example>"},
      {dialogue::ambiguous{{{"A B", "a@mx.example"}}}, "553 5.1.4 A B <a@mx.example>"},
      {ehlo::replies::not_implemented, "502"},
      {ehlo::replies::parameter_not_implemented, "504"},
  };
  for (const auto& [given, wanted] : answers) {
    setup how;
    how.on_vrfy = [&given = given](const ehlo::vrfy_question&) { return given; };
    check_server_dialogue(std::string{"C: VRFY a\nS: "} + wanted + "\n", how);
  }
}

TEST_CASE("EXPN gets a code of its row", "[server][5321-4.3.2-13]") {
  for (const int code : {250, 252, 550, 500, 502, 504}) CHECK(ehlo::may_answer(ehlo::reply_row::expn, code));
  for (const int code : {251, 354, 450, 551, 553}) CHECK_FALSE(ehlo::may_answer(ehlo::reply_row::expn, code));
  const std::pair<answer, const char*> answers[] = {
      {dialogue::listed{{{"", "a@mx.example"}}}, "250 2.1.5 <a@mx.example>"},
      {ehlo::replies::cannot_expand, "252"},
      {ehlo::replies::no_such_mailbox, "550"},
      {dialogue::by_default{}, "502"},
      {ehlo::replies::parameter_not_implemented, "504"},
  };
  for (const auto& [given, wanted] : answers) {
    setup how;
    how.options.extensions.expn = true;
    how.on_expn = [&given = given](const ehlo::expn_question&) { return given; };
    check_server_dialogue(std::string{"C: EXPN a\nS: "} + wanted + "\n", how);
  }
}

TEST_CASE("HELP gets a code of its row", "[server][5321-4.3.2-14]") {
  for (const int code : {211, 214, 502, 504}) CHECK(ehlo::may_answer(ehlo::reply_row::help, code));
  for (const int code : {250, 252, 450, 550}) CHECK_FALSE(ehlo::may_answer(ehlo::reply_row::help, code));
  check_server_dialogue("C: HELP\nS: 214 2.0.0\nC: HELP RCPT\nS: 214 2.0.0 RCPT TO:<forward-path>\nC: HELP FOO\nS: 504\n");
  setup how;
  how.on_help = [](const ehlo::help_question&) { return answer{ehlo::replies::system_status}; };
  check_server_dialogue("C: HELP\nS: 211\n", how);
  setup off;
  off.options.extensions.help = false;
  check_server_dialogue("C: HELP\nS: 502\n", off);
}

TEST_CASE("every named reply can leave a session", "[server][replies]") {
  const auto leaves = [](const ehlo::reply& r) {
    const auto code = std::to_string(r.code());
    setup how;
    how.options.any_reply_code = true;
    static constexpr ehlo::custom_verb verbs[] = {{"XANY", false}};
    how.options.verbs = verbs;
    how.on_custom = [&r](const ehlo::custom_question&) { return answer{r}; };
    how.on_greeting = [](const ehlo::greeting_question&) { return answer{dialogue::by_default{}}; };
    if (r.is_intermediate()) {  // 334 and 354 are steps of their own commands
      static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
      how.options.mechanisms = mechanisms;
      if (r.code() == 354) return check_server_dialogue(envelope + "C: DATA\nS: 354 " + std::string{r.text()} + "\n", how).sent;
      return check_server_dialogue("C: EHLO c.example\nS: 250\nC: AUTH EXTERNAL\nS: 334\nC: *\nS: 501\n", how).sent;
    }
    return check_server_dialogue("C: XANY\nS: " + code + "\n", how).sent;
  };
  for (const auto& named : ehlo::replies::all) {
    CAPTURE(named.name, named.value.code());
    const std::string sent = leaves(named.value);
    CHECK(sent.find("\r\n" + std::to_string(named.value.code())) != std::string::npos);
  }
}
