// SPDX-License-Identifier: BSL-1.0
// SMTPUTF8 (RFC 6531), 8BITMIME (RFC 6152), and the replies of RFC 7504 and 7505, by a server session.
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

setup utf8() {
  setup out;
  out.options.extensions.smtputf8 = true;
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string rcpt = "C: RCPT TO:<b@mx.example>\nS: 250\n";
// U+00E9 is \xC3\xA9.

}  // namespace

TEST_CASE("ill-formed UTF-8 is no address", "[server][6531-1.1-01][T26]") {
  for (const char* path :
       {"\\xFF@x.example", "\\xC0\\xAF@x.example", "\\xED\\xA0\\x80@x.example", "\\xE2\\x82@x.example", "a@\\xC3.example"}) {
    check_server_dialogue(hello + "C: MAIL FROM:<" + path + "> SMTPUTF8\nS: 501\n", utf8());
  }
}

TEST_CASE("SMTPUTF8 is listed without parameters", "[server][6531-3.1-01]") {
  CHECK(check_server_dialogue(hello, utf8()).sent.find("\r\n250-SMTPUTF8\r\n") != std::string::npos);
}

TEST_CASE("SMTPUTF8 on MAIL takes no value", "[server][6531-3.1-04]") {
  check_server_dialogue(hello + "C: MAIL FROM:<> SMTPUTF8=1\nS: 501 5.5.4\nC: MAIL FROM:<> SMTPUTF8\nS: 250\n", utf8());
}

TEST_CASE("the caller is told that a transaction may need SMTPUTF8", "[server][6531-3.1-05]") {
  bool told = false;
  setup how = utf8();
  how.on_mail = [&told](const ehlo::mail_question& q) {
    told = q.parameters.smtputf8();
    return answer{dialogue::by_default{}};
  };
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> SMTPUTF8\nS: 250\n", how);
  CHECK(told);
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example>\nS: 250\n", how);
  CHECK_FALSE(told);
}

TEST_CASE("SMTPUTF8 makes MAIL ten octets longer", "[server][6531-3.1-06]") {
  setup how = utf8();
  how.options.extensions.size = how.options.extensions.binary_mime = false;
  const std::string start = "MAIL FROM:<> X=";
  for (const auto& [size, code] : {std::pair{522U, "555"}, std::pair{523U, "500"}})
    check_server_dialogue(hello + "C: " + start + std::string(size - start.size() - 2, 'x') + "\nS: " + code + "\n", how);
}

TEST_CASE("SMTPUTF8 on VRFY counts for that command only", "[server][6531-3.1-07]") {
  const auto r =
      check_server_dialogue(hello + "C: VRFY \\xC3\\xA9 SMTPUTF8\nS: 252\nC: VRFY e\nS: 252\nC: VRFY \\xC3\\xA9\nS: 501\n", utf8());
  CHECK(r.has("vrfy \xC3\xA9 utf8"));
  CHECK(r.has("vrfy e"));
  CHECK_FALSE(r.has("vrfy e utf8"));
}

TEST_CASE("SMTPUTF8 without 8BITMIME is no option", "[server][6531-3.1-08]") {
  ehlo::server_options options{.hostname = "mx.example"};
  options.extensions.smtputf8 = true;
  CHECK(options.check().has_value());
  options.extensions.eight_bit_mime = false;
  CHECK(options.check().error().code == ehlo::errc::option_dependency);
}

TEST_CASE("the trace protocol of LMTP with SMTPUTF8 says so", "[server][message][6531-3.1-10]") {
  CHECK(ehlo::text_of(ehlo::with_protocol_of(true, true, false, false, true)) == "UTF8LMTP");
  setup how = utf8();
  how.options.protocol = ehlo::protocol::lmtp;
  check_server_dialogue("C: LHLO client.example\nS: 250\nC: MAIL FROM:<\\xC3\\xA9@x.example> SMTPUTF8\nS: 250\n", how);
}

TEST_CASE("UTF-8 mailboxes are taken wherever a mailbox can stand", "[server][6531-3.2-01]") {
  setup how = utf8();
  how.options.extensions.dsn = true;
  const auto r = check_server_dialogue(hello +
                                           "C: MAIL FROM:<\\xC3\\xA9@\\xC3\\xA9.example> SMTPUTF8\nS: 250\n"
                                           "C: RCPT TO:<\\xC3\\xA9@x.example> ORCPT=utf-8;\\xC3\\xA9@x.example\nS: 250\nC: VRFY "
                                           "\\xC3\\xA9@x.example SMTPUTF8\nS: 252\n",
                                       how);
  CHECK(r.has("vrfy \xC3\xA9@x.example mailbox utf8"));
}

TEST_CASE("messages that need no SMTPUTF8 are handled as before", "[server][6531-3.2-09]") {
  const std::string text = hello + "C: MAIL FROM:<a@b.example>\nS: 250\n" + rcpt + "C: DATA\nS: 354\nC: x\nC: .\nS: 250\n";
  CHECK(check_server_dialogue(text, utf8()).messages == check_server_dialogue(text).messages);
}

TEST_CASE("SMTPUTF8 followed by an equals sign alone is an error", "[server][6531-3.4-02]") {
  check_server_dialogue(hello + "C: MAIL FROM:<> SMTPUTF8=\nS: 501\n", utf8());
}

TEST_CASE("a UTF-8 recipient needs SMTPUTF8 on its MAIL", "[server][6531-3.4-04]") {
  check_server_dialogue(hello +
                            "C: MAIL FROM:<a@b.example>\nS: 250\nC: RCPT TO:<\\xC3\\xA9@x.example>\nS: 553 5.6.7\nC: RSET\nS: 250\n"
                            "C: MAIL FROM:<a@b.example> SMTPUTF8\nS: 250\nC: RCPT TO:<\\xC3\\xA9@x.example>\nS: 250\n",
                        utf8());
}

TEST_CASE("an ASCII address is required: 550 at MAIL, 553 at RCPT", "[server][6531-3.5-01]") {
  check_server_dialogue(hello +
                            "C: MAIL FROM:<\\xC3\\xA9@x.example>\nS: 550 5.6.7\nC: MAIL FROM:<>\nS: 250\nC: RCPT "
                            "TO:<a@\\xC3\\xA9.example>\nS: 553 5.6.7\n",
                        utf8());
  check_server_dialogue(hello + "C: MAIL FROM:<\\xC3\\xA9@x.example>\nS: 501\n");
}

TEST_CASE("a message whose header nobody can take is refused with 554 5.6.9", "[server][6531-3.5-02]") {
  setup how = utf8();
  how.on_message = [](const ehlo::message_question&) { return answer{ehlo::replies::utf8_header_unsupported}; };
  check_server_dialogue(hello + "C: MAIL FROM:<> SMTPUTF8\nS: 250\n" + rcpt + "C: DATA\nS: 354\nC: x\nC: .\nS: 554 5.6.9\n", how);
}

TEST_CASE("the message is not looked into", "[server][6531-3.6-01]") {
  const auto r = check_server_dialogue(hello + "C: MAIL FROM:<> SMTPUTF8 BODY=8BITMIME\nS: 250\n" + rcpt +
                                           "C: DATA\nS: 354\nC: Subject: \\xFF\\xC3\nC:\nC: .\nS: 250\n",
                                       utf8());
  CHECK(r.messages.at(0).octets == "Subject: \xFF\xC3\r\n\r\n");
}

TEST_CASE("names in EHLO and in its answer are ASCII", "[server][6531-3.7.1-02]") {
  check_server_dialogue("C: EHLO \\xC3\\xA9.example\nS: 501\n", utf8());
  ehlo::server_options options{.hostname = "\xC3\xA9.example"};
  CHECK(options.check().error().code == ehlo::errc::option_hostname);
}

TEST_CASE("251 and 551 name no UTF-8 mailbox without SMTPUTF8", "[server][6531-3.7.4.1-02]") {
  setup how = utf8();
  how.on_rcpt = [](const ehlo::rcpt_question&) { return answer{dialogue::forward{"\xC3\xA9@x.example"}}; };
  const auto r = check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: 250 2.1.5\n", how);
  CHECK(ehlo::ascii::is_ascii(r.sent));
  const auto with =
      check_server_dialogue(hello + "C: MAIL FROM:<> SMTPUTF8\nS: 250\nC: RCPT TO:<a@b.example>\nS: 251 2.1.5\n", how);
  CHECK(with.sent.find("<\xC3\xA9@x.example>") != std::string::npos);
}

TEST_CASE("then they become 250 and 550", "[server][6531-3.7.4.1-03]") {
  setup how = utf8();
  how.on_rcpt = [](const ehlo::rcpt_question&) { return answer{dialogue::moved{"\xC3\xA9@x.example"}}; };
  check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: 550\n", how);
  check_server_dialogue(hello + "C: MAIL FROM:<> SMTPUTF8\nS: 250\nC: RCPT TO:<a@b.example>\nS: 551 5.1.6\n", how);
}

TEST_CASE("VRFY shows no UTF-8 that was not asked for", "[server][6531-3.7.4.2-03]") {
  setup how = utf8();
  how.on_vrfy = [](const ehlo::vrfy_question&) { return answer{dialogue::listed{{{"J\xC3\xB6rg", "j@x.example"}}}}; };
  CHECK(ehlo::ascii::is_ascii(check_server_dialogue(hello + "C: VRFY j\nS: 252\n", how).sent));
}

TEST_CASE("the reply is 252 then", "[server][6531-3.7.4.2-04]") {
  setup how = utf8();
  how.options.extensions.expn = true;
  how.on_expn = [](const ehlo::expn_question&) {
    return answer{dialogue::listed{{{"", "j@x.example"}, {"", "\xC3\xA9@x.example"}}}};
  };
  check_server_dialogue(
      hello + "C: EXPN l\nS: 252\nC: EXPN l SMTPUTF8\nS: 250-2.1.5 <j@x.example>\nS: 250 2.1.5 <\\xC3\\xA9@x.example>\n", how);
}

TEST_CASE("a 250 to VRFY has the mailbox, behind a name in angle brackets", "[server][6531-3.7.4.2-05]") {
  setup how = utf8();
  how.on_vrfy = [](const ehlo::vrfy_question&) { return answer{dialogue::listed{{{"J\xC3\xB6rg", "\xC3\xA9@x.example"}}}}; };
  check_server_dialogue(hello + "C: VRFY j SMTPUTF8\nS: 250 2.1.5 J\\xC3\\xB6rg <\\xC3\\xA9@x.example>\n", how);
}

TEST_CASE("no other reply holds UTF-8", "[server][6531-3.7.4.2-06]") {
  const auto r = check_server_dialogue(
      hello +
          "C: MAIL FROM:<\\xC3\\xA9@x.example> SMTPUTF8\nS: 250\nC: RCPT TO:<no\\xC3\\xA9@x.example>\nS: 550\n"
          "C: \\xC3\\xA9\nS: 500\nC: HELP \\xC3\\xA9\nS: 501\nC: MAIL FROM:<\\xC3\\xA9\nS: 503\nC: QUIT\nS: 221\n",
      utf8());
  CHECK(ehlo::ascii::is_ascii(r.sent));
}

TEST_CASE("8BITMIME is listed without parameters", "[server][6152-2-01]") {
  CHECK(check_server_dialogue(hello).sent.find("\r\n250-8BITMIME\r\n") != std::string::npos);
}

TEST_CASE("BODY has its values in any case", "[server][6152-2-02]") {
  check_server_dialogue(
      hello +
      "C: MAIL FROM:<> BODY=7BIT\nS: 250\nC: RSET\nS: 250\nC: MAIL FROM:<> body=8bitmime\nS: 250\nC: RSET\nS: 250\n"
      "C: MAIL FROM:<> BODY=FOO\nS: 501 5.5.4\nC: MAIL FROM:<> BODY\nS: 501 5.5.4\n");
}

TEST_CASE("BODY adds nothing to the length of MAIL", "[server][6152-2-03]") {
  setup how;
  how.options.extensions.size = false;
  const std::string start = "MAIL FROM:<> BODY=8BITMIME X=";
  for (const auto& [size, code] : {std::pair{512U, "555"}, std::pair{513U, "500"}})
    check_server_dialogue(hello + "C: " + start + std::string(size - start.size() - 2, 'x') + "\nS: " + code + "\n", how);
}

TEST_CASE("BODY stands once", "[server][6152-3-01]") {
  check_server_dialogue(hello + "C: MAIL FROM:<> BODY=7BIT BODY=8BITMIME\nS: 501\n");
}

TEST_CASE("all eight bits are kept", "[server][6152-3-02]") {
  std::string all;
  std::string escaped;
  for (int c = 128; c < 256; ++c) {
    all += static_cast<char>(c);
    const char digits[] = "0123456789ABCDEF";
    escaped += std::string{"\\x"} + digits[c / 16] + digits[c % 16];
  }
  const auto r = check_server_dialogue(hello + "C: MAIL FROM:<> BODY=8BITMIME\nS: 250\n" + rcpt + "C: DATA\nS: 354\nC: " + escaped +
                                       "\nC: .\nS: 250\n");
  CHECK(r.messages.at(0).octets == all + "\r\n");
  CHECK_FALSE(r.messages.at(0).has_eight_bit);  // it was announced
}

TEST_CASE("lines of eight-bit text have the same limit", "[server][6152-3-04]") {
  std::string line;
  for (int i = 0; i < 998; ++i) line += "\\xE9";
  setup how;
  how.whole_only = true;
  const auto r = check_server_dialogue(
      hello + "C: MAIL FROM:<> BODY=8BITMIME\nS: 250\n" + rcpt + "C: DATA\nS: 354\nC: " + line + "\nC: .\nS: 250\n", how);
  CHECK_FALSE(r.messages.at(0).has_long_line);
}

TEST_CASE("BODY where 8BITMIME is off is an unknown parameter", "[server][6152-3-11][T56]") {
  setup how;
  how.options.extensions.eight_bit_mime = false;
  check_server_dialogue(hello + "C: MAIL FROM:<> BODY=7BIT\nS: 555 5.5.4\n", how);
}

TEST_CASE("a host that takes no mail opens with 521", "[server][7504-3-01]") {
  setup how;
  how.on_greeting = [](const ehlo::greeting_question&) { return answer{ehlo::replies::host_accepts_no_mail}; };
  check_server_dialogue("S: 521 mx.example Host does not accept mail\nC: QUIT\nS: 221\nCLOSE\n", how);
}

TEST_CASE("521 answers what else is said", "[server][7504-3-02]") {
  setup how;
  how.on_greeting = [](const ehlo::greeting_question&) { return answer{ehlo::replies::host_accepts_no_mail}; };
  check_server_dialogue("S: 521\nC: EHLO c.example\nS: 521 5.3.2\nC: MAIL FROM:<>\nS: 521\nC: NOOP\nS: 521\n", how);
}

TEST_CASE("or the channel closes at once", "[server][7504-3-04]") {
  setup how;
  how.options.close_when_no_mail = true;
  how.on_greeting = [](const ehlo::greeting_question&) { return answer{ehlo::replies::host_accepts_no_mail}; };
  check_server_dialogue("S: 521 mx.example\nCLOSE\n", how);
}

TEST_CASE("a recipient whose domain takes no mail gets 556", "[server][7505-4.1-01]") {
  setup how;
  how.on_rcpt = [](const ehlo::rcpt_question&) { return answer{ehlo::replies::domain_accepts_no_mail}; };
  check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: 556 5.1.10 Domain does not accept mail\n",
                        how);
}

TEST_CASE("a sender whose domain takes no mail gets 550 5.7.27", "[server][7505-4.1-02]") {
  setup how;
  how.on_mail = [](const ehlo::mail_question&) { return answer{ehlo::replies::sender_null_mx}; };
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example>\nS: 550 5.7.27\n", how);
}

TEST_CASE("the null reverse-path has nothing to do with null MX", "[server][7505-4.2-02]") {
  check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\n");
}
