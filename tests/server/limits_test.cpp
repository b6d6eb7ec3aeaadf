// SPDX-License-Identifier: BSL-1.0
// Sizes and times of RFC 5321 4.5.3, each at its limit, one below and one past it; time-outs, errors, shutdown and breaks;
// section 7.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string envelope =
    hello + "C: MAIL FROM:<a@client.example>\nS: 250 2.1.0 OK\nC: RCPT TO:<b@mx.example>\nS: 250 2.1.5 OK\n";

std::string domain_of(std::size_t size) {
  std::string out;
  while (out.size() + 61 <= size) out += std::string(60, 'd') + ".";
  out += std::string(size - out.size(), 'e');
  if (out.size() > 1 && out[out.size() - 1] == '.') out.back() = 'e';
  return out;
}

std::string recipients(int count, const char* code = "250") {
  std::string out;
  for (int i = 0; i < count; ++i) out += "C: RCPT TO:<r" + std::to_string(i) + "@mx.example>\nS: " + code + "\n";
  return out;
}

}  // namespace

TEST_CASE("each object of the size that the standard gives is taken", "[server][limits][5321-4.5.3.1-01]") {
  const std::string local(64, 'l');
  check_server_dialogue(hello + "C: MAIL FROM:<" + local + "@d.example>\nS: 250\nC: RCPT TO:<" + local + "@d.example>\nS: 250\n");
  check_server_dialogue("C: EHLO " + domain_of(255) + "\nS: 250\n");
}

TEST_CASE("a local-part over 64 octets is refused with 501", "[server][limits][5321-4.5.3.1.1-01]") {
  for (const auto& [size, code] : {std::pair{63, "250"}, std::pair{64, "250"}, std::pair{65, "501"}}) {
    check_server_dialogue(hello + "C: MAIL FROM:<" + std::string(static_cast<std::size_t>(size), 'l') + "@d.example>\nS: " + code +
                          "\n");
  }
}

TEST_CASE("a domain over 255 octets is refused with 501", "[server][limits][5321-4.5.3.1.2-01]") {
  for (const auto& [size, code] : {std::pair{254U, "250"}, std::pair{255U, "250"}, std::pair{256U, "501"}}) {
    CAPTURE(size);
    check_server_dialogue("C: EHLO " + domain_of(size) + "\nS: " + code + "\n");
  }
}

TEST_CASE("a path over 256 octets is refused with 501", "[server][limits][5321-4.5.3.1.3-01]") {
  for (const auto& [size, code] : {std::pair{255U, "250"}, std::pair{256U, "250"}, std::pair{257U, "501"}}) {
    CAPTURE(size);
    check_server_dialogue(hello + "C: MAIL FROM:<" + std::string(20, 'l') + "@" + domain_of(size - 23) + ">\nS: " + code + "\n");
  }
}

TEST_CASE("a command line over 512 octets gets 500, and the next command works", "[server][limits][5321-4.5.3.1.4-01][T7]") {
  for (const std::size_t size : {511U, 512U}) check_server_dialogue("C: NOOP " + std::string(size - 7, 'x') + "\nS: 250\n");
  for (const std::size_t size : {513U, 600U, 51200U}) {
    CAPTURE(size);
    const auto r =
        check_server_dialogue(hello + "C: NOOP " + std::string(size - 11, 'x') + "RSET\nS: 500 5.5.2\nC: NOOP\nS: 250\n");
    CHECK(r.count("violation the line is too long") == 1);
  }
}

TEST_CASE("the extensions make MAIL and RCPT longer by what they say", "[server][limits][3461-5.4-04]") {
  setup how;
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  how.options.mechanisms = mechanisms;
  how.options.extensions.binary_mime = how.options.extensions.smtputf8 = how.options.extensions.dsn = true;
  const std::size_t most = 512 + 26 + 16 + 10 + 530 + 500;
  const std::string start = "MAIL FROM:<a@b.example> ";
  for (const auto& [size, code] : {std::pair{most - 1, "555"}, std::pair{most, "555"}, std::pair{most + 1, "500"}}) {
    CAPTURE(size);
    check_server_dialogue(
        hello + "C: " + start + "X=" + std::string(size - start.size() - 4, 'x') + "\nS: " + code + "\nC: NOOP\nS: 250\n", how);
  }
}

TEST_CASE("the lines of a reply have at most 512 octets", "[server][limits][5321-4.5.3.1.5-01]") {
  setup how;
  static constexpr ehlo::custom_verb verbs[] = {{"XLONG", false}};
  how.options.verbs = verbs;
  const std::string text(1200, 'w');
  how.on_custom = [&text](const ehlo::custom_question&) { return answer{*ehlo::reply::make(250, {2, 0, 0}, text)}; };
  const auto r = check_server_dialogue("C: XLONG\nS: 250-2.0.0 ww\nS: 250-2.0.0 ww\nS: 250 2.0.0 ww\n", how);
  CHECK(r.sent.size() > 1200);
}

TEST_CASE("a text line of 1000 octets is taken, a longer one is told or refused", "[server][limits][5321-4.5.3.1.6-01]") {
  for (const std::size_t size : {999U, 1000U, 1001U}) {
    CAPTURE(size);
    const std::string text = envelope + "C: DATA\nS: 354\nC: " + std::string(size - 2, 't') + "\nC: .\n";
    const auto told = check_server_dialogue(text + "S: 250\n");
    REQUIRE(told.messages.size() == 1);
    CHECK(told.messages[0].has_long_line == (size > 1000));
    setup strict;
    strict.options.long_lines = ehlo::text_policy::refuse;
    const auto r = check_server_dialogue(text + (size > 1000 ? "S: 554 5.6.0\n" : "S: 250\n") + "C: NOOP\nS: 250\n", strict);
    CHECK(r.messages.empty() == (size > 1000));
  }
  // A transparency dot does not count.
  const auto r = check_server_dialogue(envelope + "C: DATA\nS: 354\nC: ." + std::string(998, 't') + "\nC: .\nS: 250\n");
  CHECK_FALSE(r.messages.at(0).has_long_line);
}

TEST_CASE("a message of 64K octets is taken", "[server][limits][5321-4.5.3.1.7-01]") {
  setup how;
  how.whole_only = true;
  std::string text;
  while (text.size() < 65536 - 64) text += std::string(62, 'm') + "\\r\\n";
  const auto r = check_server_dialogue(envelope + "C: DATA\nS: 354\nc: " + text + "\nC: .\nS: 250\n", how);
  REQUIRE(r.messages.size() == 1);
  setup least;
  least.options.limits.message = 65536;
  CHECK(least.options.check().has_value());
  least.options.limits.message = 65535;
  CHECK(least.options.check().error().code == ehlo::errc::option_limit);
}

TEST_CASE("a session that limits size says so", "[server][limits][5321-4.5.3.1.7-02]") {
  setup how;
  how.options.limits.message = 70000;
  CHECK(check_server_dialogue("C: EHLO c.example\nS: 250 mx.example\n", how).sent.find("250-SIZE 70000\r\n") != std::string::npos);
}

TEST_CASE("a hundred recipients are taken", "[server][limits][5321-4.5.3.1.8-01]") {
  setup how;
  how.options.limits.recipients = 100;
  how.whole_only = true;
  const auto r =
      check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\n" + recipients(100) + "C: DATA\nS: 354\nC: x\nC: .\nS: 250\n", how);
  CHECK(r.messages.at(0).to.size() == 100);
}

TEST_CASE("a limit of fewer than a hundred recipients is no option", "[server][limits][5321-4.5.3.1.8-02]") {
  ehlo::server_options options{.hostname = "mx.example"};
  options.limits.recipients = 99;
  CHECK(options.check().error().code == ehlo::errc::option_limit);
  options.limits.recipients = 100;
  CHECK(options.check().has_value());
}

TEST_CASE("addresses in header fields are not counted", "[server][limits][5321-4.5.3.1.8-03]") {
  setup how;
  how.whole_only = true;
  std::string field = "To: ";
  for (int i = 0; i < 5000; ++i) field += "a" + std::to_string(i) + "@mx.example,\\r\\n ";
  const auto r = check_server_dialogue(envelope + "C: DATA\nS: 354\nc: " + field + "b@mx.example\\r\\n\nC: .\nS: 250\n", how);
  CHECK(r.messages.size() == 1);
}

TEST_CASE("over the limit new recipients are refused and the accepted ones stay", "[server][limits][5321-4.5.3.1.8-04][T41]") {
  setup how;
  how.options.limits.recipients = 100;
  how.whole_only = true;
  const auto r = check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\n" + recipients(100) +
                                           "C: RCPT TO:<one@more.example>\nS: 452 4.5.3\nC: DATA\nS: 354\nC: x\nC: .\nS: 250\n",
                                       how);
  CHECK(r.messages.at(0).to.size() == 100);
}

TEST_CASE("what is too large gets the code of its kind", "[server][limits][5321-4.5.3.1.9-01]") {
  setup how;
  how.options.limits.message = 65536;
  how.whole_only = true;
  check_server_dialogue("C: NOOP " + std::string(600, 'x') + "\nS: 500\n" + hello + "C: MAIL FROM:<a@" + domain_of(250) +
                        ">\nS: 250\n");
  check_server_dialogue(hello + "C: MAIL FROM:<abcdefgh@" + domain_of(250) + ">\nS: 501\n");
  std::string text;
  while (text.size() < 70000) text += std::string(62, 'm') + "\\r\\n";
  check_server_dialogue(envelope + "C: DATA\nS: 354\nc: " + text + "\nC: .\nS: 552 5.3.4\nC: NOOP\nS: 250\n", how);
}

TEST_CASE("too many recipients get 452", "[server][limits][5321-4.5.3.1.10-01]") {
  setup how;
  how.options.limits.recipients = 100;
  how.whole_only = true;
  check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\n" + recipients(100) + recipients(2, "452 4.5.3"), how);
}

TEST_CASE("the wait for a command is five minutes, and its end is 421 and the close", "[server][limits][5321-4.5.3.2.7-01][T42]") {
  const ehlo::server_options options{.hostname = "mx.example"};
  CHECK(options.timeouts.command == 300);
  check_server_dialogue("TIMEOUT\nS: 421 4.4.2 mx.example\nCLOSE\n");
  const auto r = check_server_dialogue(envelope + "TIMEOUT\nS: 421 4.4.2\nCLOSE\n");
  CHECK(r.has("reset timed_out"));
}

TEST_CASE("each state has its wait, and the serial tells when another begins", "[server][limits][T42]") {
  const ehlo::server_options options{.hostname = "mx.example"};
  ehlo::server_session session{options};
  std::string_view input;
  const auto until_idle = [&](std::string_view octets) {
    input = octets;
    for (int i = 0; i < 50; ++i) {
      const auto action = session.next(input);
      if (std::holds_alternative<ehlo::receive>(action) || std::holds_alternative<ehlo::close_channel>(action)) return;
      if (std::holds_alternative<ehlo::rcpt_question>(action)) {
        CHECK(session.timeout().what == ehlo::waiting_for::nothing);  // it is the caller who is waited for
        session.accept();
      } else if (session.open_question().serial != 0) {
        session.answer_default();
      }
    }
  };
  until_idle({});
  const ehlo::wait first = session.timeout();
  CHECK(first.what == ehlo::waiting_for::command);
  CHECK(first.seconds == 300);
  until_idle("EHLO");
  CHECK(session.timeout() == first);  // one octet at a time does not hold a session for ever
  until_idle(" c.example\r\n");
  CHECK(session.timeout().serial != first.serial);
  until_idle("MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n");
  const ehlo::wait data = session.timeout();
  CHECK(data.what == ehlo::waiting_for::data_block);
  CHECK(data.seconds == 180);
  until_idle("a block\r\n");
  CHECK(session.timeout().serial != data.serial);
  until_idle(".\r\n");
  CHECK(session.timeout().what == ehlo::waiting_for::command);
  until_idle("QUIT\r\n");
  CHECK(session.timeout().what == ehlo::waiting_for::nothing);
}

TEST_CASE("after as many errors as the option tolerates comes 421", "[server][limits][5321-7.8-01][T41]") {
  setup how;
  how.options.limits.errors = 3;
  const auto r = check_server_dialogue(
      "C: FOO\nS: 500\nC: RSET x\nS: 501\nC: DATA\nS: 503\nC: NOOP\nS: 250\nC: FOO\nS: 421 4.7.0\nCLOSE\n", how);
  CHECK(r.has("violation too many errors"));
  const auto refused = check_server_dialogue(hello +
                                                 "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<no1@b>\nS: 550\nC: RCPT TO:<no2@b>\nS: "
                                                 "550\nC: RCPT TO:<no3@b>\nS: 550\nC: RCPT TO:<no4@b>\nS: 421\nCLOSE\n",
                                             how);
  CHECK(refused.has("reset closed"));
  setup patient;
  std::string many;
  for (int i = 0; i < 300; ++i) many += "C: FOO\nS: 500\n";
  patient.whole_only = true;
  check_server_dialogue(many + "C: NOOP\nS: 250\n", patient);
}

TEST_CASE("after as many transactions as the option allows comes 421", "[server][limits][T41]") {
  setup how;
  how.options.limits.transactions = 2;
  check_server_dialogue(
      hello +
          "C: MAIL FROM:<>\nS: 250\nC: RSET\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RSET\nS: 250\nC: MAIL FROM:<>\nS: 421\nCLOSE\n",
      how);
}

TEST_CASE("replies that nobody reads do not grow: what is collected leaves before more is taken", "[server][limits][T43]") {
  const ehlo::server_options options{.hostname = "mx.example"};
  ehlo::server_session session{options};
  std::string wire;
  for (int i = 0; i < 20000; ++i) wire += "RSET\r\n";
  std::string_view input;
  std::size_t largest = 0;
  std::size_t replies = 0;
  bool fed = false;
  for (bool open = true; open;) {
    const auto action = session.next(input);
    if (const auto* out = std::get_if<ehlo::transmit>(&action)) {
      largest = std::max(largest, out->octets.size());
      replies += static_cast<std::size_t>(std::ranges::count(out->octets, '\n'));
    } else if (std::holds_alternative<ehlo::receive>(action)) {
      if (fed) open = false;
      input = fed ? std::string_view{} : std::string_view{wire};
      fed = true;
    } else {
      session.answer_default();
    }
  }
  CHECK(replies == 20001);
  CHECK(largest <= options.limits.output);
}

TEST_CASE("the largest message is taken, one octet more is refused at its true end", "[server][limits][T5]") {
  setup how;
  how.options.limits.message = 65536;
  how.whole_only = true;
  for (const std::size_t size : {65535U, 65536U, 65537U}) {
    CAPTURE(size);
    const auto r = check_server_dialogue(envelope + "C: DATA\nS: 354\nc: " + std::string(size - 2, 'm') +
                                             "\\r\\n\nC: .\nS: " + (size > 65536 ? "552 5.3.4" : "250") + "\nC: NOOP\nS: 250\n",
                                         how);
    CHECK(r.messages.size() == (size > 65536 ? 0U : 1U));
    if (size > 65536) CHECK(r.has("violation the message is over the maximum size at"));
  }
}

TEST_CASE("VRFY and EXPN that are switched off never look like a verification", "[server][5321-7.3-01][T46]") {
  setup how;
  how.options.extensions.vrfy = false;
  const auto r = check_server_dialogue("C: VRFY a\nS: 252\nC: EXPN a\nS: 502\n", how);
  CHECK_FALSE(r.has("vrfy"));
  CHECK_FALSE(r.has("expn"));
}

TEST_CASE("VRFY that is switched off gets 252", "[server][5321-7.3-02]") {
  setup how;
  how.options.extensions.vrfy = false;
  check_server_dialogue("C: VRFY a@mx.example\nS: 252 2.5.0\n", how);
}

TEST_CASE("the careful answer to VRFY is neither yes nor no", "[server][5321-7.3-03]") {
  check_server_dialogue("C: VRFY a\nS: 252\nC: VRFY <a@mx.example>\nS: 252\n");
}

TEST_CASE("a session tells what relaying may depend on", "[server][5321-7.9-01]") {
  setup how;
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  how.options.mechanisms = mechanisms;
  const auto r = check_server_dialogue(hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@elsewhere.example>\nS: 250\n", how);
  CHECK(r.has("hello EHLO client.example"));
  ehlo::server_session session{how.options};
  CHECK_FALSE(session.is_authenticated());
  CHECK_FALSE(session.is_tls_active());
}

TEST_CASE("a refusal by policy is 550 at EHLO, MAIL and RCPT", "[server][5321-7.9-02]") {
  setup how;
  how.on_hello = [](const ehlo::hello_question& q) {
    return q.client.text() == "bad.example" ? answer{ehlo::replies::policy_refusal} : answer{dialogue::by_default{}};
  };
  how.on_mail = [](const ehlo::mail_question& q) {
    return q.reverse_path.is_null() ? answer{ehlo::replies::policy_refusal} : answer{dialogue::by_default{}};
  };
  how.on_rcpt = [](const ehlo::rcpt_question&) { return answer{ehlo::replies::policy_refusal}; };
  check_server_dialogue(
      "C: EHLO bad.example\nS: 550 5.7.1\n" + hello +
          "C: MAIL FROM:<>\nS: 550 5.7.1\nC: MAIL FROM:<a@b.example>\nS: 250\nC: RCPT TO:<c@d.example>\nS: 550 5.7.1\n",
      how);
}

TEST_CASE("no field is made from the envelope", "[server][5321-7.2-03]") {
  const auto r = check_server_dialogue(envelope + "C: DATA\nS: 354\nC: Subject: x\nC:\nC: y\nC: .\nS: 250\n");
  CHECK(r.messages.at(0).octets == "Subject: x\r\n\r\ny\r\n");
}

TEST_CASE("a routed return path is known by its last hop", "[server][5321-6.1-04]") {
  std::string sender;
  setup how;
  how.on_mail = [&sender](const ehlo::mail_question& q) {
    sender = q.reverse_path.mailbox()->text();
    return answer{dialogue::by_default{}};
  };
  check_server_dialogue(hello + "C: MAIL FROM:<@a.example,@b.example:user@d.example>\nS: 250\n", how);
  CHECK(sender == "user@d.example");
}

TEST_CASE("what a session writes is ASCII", "[server][5321-A-01]") {
  const auto r =
      check_server_dialogue("C: EHLO client.example\nS: 250\nC: \\xC3\\xA9\nS: 500\nC: VRFY \\xC3\\xA9\nS: 501\n" + envelope +
                            "C: DATA\nS: 354\nC: \\xC3\\xA9\nC: .\nS: 250\nC: HELP\nS: 214\nC: QUIT\nS: 221\n");
  CHECK(ehlo::ascii::is_ascii(r.sent));
  CHECK(r.messages.at(0).octets == "\xC3\xA9\r\n");
}

TEST_CASE("TURN is not there", "[server][5321-F.1-01][T53]") {
  const auto r = check_server_dialogue(hello + "C: TURN\nS: 502 5.5.1\n");
  CHECK(r.sent.find("TURN") == std::string::npos);
  CHECK(r.has("violation the command is known and not implemented at 21"));
}

TEST_CASE("a number is no host", "[server][5321-F.4-01]") {
  check_server_dialogue(envelope + "C: RCPT TO:<a@#123>\nS: 501 5.1.3\n");
}

TEST_CASE("SEND, SOML and SAML are not there", "[server][5321-F.6-02][T53]") {
  const auto r = check_server_dialogue(
      hello + "C: SEND FROM:<a@b.example>\nS: 502\nC: SOML FROM:<a@b.example>\nS: 502\nC: SAML FROM:<a@b.example>\nS: 502\n");
  for (const char* verb : {"SEND", "SOML", "SAML"}) CHECK(r.sent.find(verb) == std::string::npos);
}

TEST_CASE("nine verbs are there at the least", "[server][5321-4.5.1-01]") {
  check_server_dialogue("C: VRFY a\nS: 252\nC: NOOP\nS: 250\nC: HELO c.example\nS: 250\n" + envelope +
                        "C: DATA\nS: 354\nC: x\nC: .\nS: 250\nC: RSET\nS: 250\nC: QUIT\nS: 221\nCLOSE\n");
}

TEST_CASE("the caller's own parameters make the lines of their command longer, and no other", "[server][limits]") {
  static constexpr ehlo::custom_parameter parameters[] = {
      {.keyword = "XMAIL", .command = ehlo::custom_parameter::place::mail, .line_octets = 100},
      {.keyword = "XRCPT", .command = ehlo::custom_parameter::place::rcpt, .line_octets = 200}};
  setup how;
  how.options.parameters = parameters;
  how.options.extensions.size = false;
  const auto line = [](std::string_view start, std::size_t size) {
    return "C: " + std::string{start} + std::string(size - start.size() - 2, 'x') + "\n";
  };
  const std::string_view mail = "MAIL FROM:<a@b.example> XMAIL=";
  const std::string_view rcpt = "RCPT TO:<a@b.example> XRCPT=";
  check_server_dialogue(hello + line(mail, 613) + "S: 500\n" + line(mail, 612) + "S: 250\n" + line(rcpt, 713) + "S: 500\n" +
                            line(rcpt, 712) + "S: 250\n" + line("NOOP ", 513) + "S: 500\n",
                        how);
}

TEST_CASE("an AUTH line is as short as others where there is no AUTH", "[server][limits]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  const std::string asked = hello + "C: AUTH EXTERNAL " + std::string(600, 'A') + "\n";
  check_server_dialogue(asked + "S: 500\n");
  setup how;
  how.options.mechanisms = mechanisms;
  check_server_dialogue(asked + "S: 535\n", how);
}

TEST_CASE("more mechanisms than a line of EHLO holds are left out", "[server][limits][5321-4.5.3.1.5-01]") {
  std::vector<std::string> names;
  for (char c = 'A'; c <= 'Z'; ++c) names.push_back(std::string(19, 'M') + c);
  std::vector<ehlo::auth_mechanism> mechanisms;
  for (const std::string& name : names) mechanisms.push_back({name, ehlo::first_message::client, false});
  setup how;
  how.options.mechanisms = mechanisms;
  const auto r = check_server_dialogue("C: EHLO client.example\nS: 250\n", how);
  const std::size_t at = r.sent.find("\r\n250-AUTH ");
  REQUIRE(at != std::string::npos);
  const std::string auth = r.sent.substr(at + 2, r.sent.find('\r', at + 2) - at - 2);
  CHECK(auth == "250-AUTH" + [&names] {
    std::string out;
    for (std::size_t i = 0; i < 23; ++i) out += " " + names[i];
    return out;
  }());
  CHECK(auth.size() + 2 <= 512);
  CHECK(auth.size() + 2 + 21 > 512);
}

TEST_CASE("AUTH may fail as often as one likes without a limit", "[server][limits][4954-9-01]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  setup how;
  how.options.mechanisms = mechanisms;
  how.options.limits.authentication_failures = 0;
  std::string text = hello;
  for (int i = 0; i < 20; ++i) text += "C: AUTH EXTERNAL =\nS: 535\n";
  check_server_dialogue(text + "C: NOOP\nS: 250\n", how);
}
