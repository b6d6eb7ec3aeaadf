// SPDX-License-Identifier: BSL-1.0
// XCLIENT (XCLIENT_README of Postfix) by a server session.
#include <string>
#include <string_view>
#include <utility>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::accepted;
using dialogue::answer;
using dialogue::setup;

setup xclient() {
  setup out;
  out.options.extensions.xclient = true;
  out.on_xclient = [](const ehlo::xclient_question&) { return answer{accepted{}}; };
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string greeted = "S: 220 mx.example ESMTP\n";

/// What a session with XCLIENT says to these attributes, without a word of the reply.
std::string code_for(const std::string& attributes) {
  const auto r = ehlo::xclient_attributes::parse(attributes);
  check_server_dialogue(hello + "C: XCLIENT " + attributes + "\n" + (r ? greeted : "S: 501 5.5.4\n"), xclient());
  return r ? "220" : "501";
}

std::string decoded(const ehlo::xtext& text) {
  std::string out(text.decoded_size(), '\0');
  text.decode(out.data());
  return out;
}

}  // namespace

TEST_CASE("EHLO lists XCLIENT with its attributes where it is on", "[server][xclient][XCLIENT-2-01]") {
  const auto on = check_server_dialogue(hello, xclient());
  CHECK(on.sent.find("\r\n250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT\r\n") != std::string::npos);
  setup fewer = xclient();
  fewer.options.xclient = "ADDR NAME";
  CHECK(check_server_dialogue(hello + "C: XCLIENT PORT=1\nS: 501\n", fewer).sent.find("XCLIENT ADDR NAME\r\n") !=
        std::string::npos);
  const auto off = check_server_dialogue(hello + "C: XCLIENT NAME=x.example\nS: 502 5.5.1\n");
  CHECK(off.sent.find("XCLIENT") == std::string::npos);
}

TEST_CASE("XCLIENT comes at any time but in a transaction", "[server][xclient][XCLIENT-2-02]") {
  const std::string asked = "C: XCLIENT ADDR=192.0.2.1\n";
  const auto r =
      check_server_dialogue(asked + greeted + asked + greeted + hello + asked + greeted + hello + "C: MAIL FROM:<>\nS: 250\n" +
                                asked + "S: 503 5.5.1\nC: RCPT TO:<a@b.example>\nS: 250\n" + asked +
                                "S: 503\nC: BDAT 1\nc: x\nS: 250\n" + asked + "S: 503\nC: BDAT 0 LAST\nS: 250\n" + asked + greeted,
                            xclient());
  CHECK(r.count("xclient") == 4);
  CHECK(r.messages.size() == 1);
}

TEST_CASE("XCLIENT may be pipelined", "[server][xclient][XCLIENT-2-03]") {
  const auto r =
      check_server_dialogue(hello + "C: XCLIENT NAME=a.example\nC: XCLIENT ADDR=192.0.2.1\nC: EHLO a.example\nC: MAIL FROM:<>\n" +
                                greeted + greeted + "S: 250 mx.example\nS: 250\n",
                            xclient());
  CHECK(r.count("violation") == 0);
  CHECK(r.count("greeting early") == 0);
}

TEST_CASE("XCLIENT has attributes, each behind one space", "[server][xclient][XCLIENT-2-04]") {
  check_server_dialogue(hello + "C: XCLIENT\nS: 501\n", xclient());
  for (const char* bad : {"NAME=a.example  ADDR=192.0.2.1", "NAME", "NAME=", "=x", " NAME=a.example", "NAME =x",
                          "NAME=a.example\tADDR=192.0.2.1", "NAME=a.example,ADDR=192.0.2.1", "NAME=a.example NAME=a.example"}) {
    CAPTURE(bad);
    CHECK(code_for(bad) == "501");
  }
  CHECK(code_for("NAME=a.example ADDR=192.0.2.1 PORT=1") == "220");
}

TEST_CASE("verb and names of XCLIENT are read in any case", "[server][xclient][XCLIENT-2-05]") {
  check_server_dialogue(hello + "C: xClient nAME=a.example addr=192.0.2.1\n" + greeted, xclient());
}

TEST_CASE("the attributes of XCLIENT are eight", "[server][xclient][XCLIENT-2-06]") {
  const auto all = ehlo::xclient_attributes::parse(
      "NAME=spike.example ADDR=168.100.189.2 PORT=4711 PROTO=ESMTP HELO=[192.0.2.9] LOGIN=user+40x DESTADDR=IPV6:2001:db8::1 "
      "DESTPORT=25");
  REQUIRE(all.has_value());
  CHECK(all->name()->value->text() == "spike.example");
  CHECK(all->address()->value == ehlo::ip_address::parse_v4("168.100.189.2").value_or({}));
  CHECK(all->port()->value == 4711);
  CHECK(all->protocol() == ehlo::client_protocol::esmtp);
  CHECK(all->hello()->value->text() == "[192.0.2.9]");
  CHECK(decoded(*all->login()->value) == "user@x");
  CHECK(all->server_address()->value == ehlo::ip_address::parse_v6("2001:db8::1").value_or({}));
  CHECK(all->server_port()->value == 25);
  const auto none = ehlo::xclient_attributes::parse("PROTO=smtp");
  CHECK(none->protocol() == ehlo::client_protocol::smtp);
  CHECK((!none->name() && !none->address() && !none->port() && !none->hello() && !none->login() && !none->server_address()));
  CHECK_FALSE(none->server_port());
  for (const char* bad : {"IDENT=x", "SOURCE=LOCAL", "REVERSE_NAME=x", "X=y", "NAMES=a.example"}) CHECK(code_for(bad) == "501");
}

TEST_CASE("the values of XCLIENT are xtext, strictly", "[server][xclient][T49][XCLIENT-2-07]") {
  CHECK(code_for("HELO=a+2Bb") == "220");
  CHECK(decoded(*ehlo::xclient_attributes::parse("HELO=a+2Bb")->hello()->value) == "a+b");
  CHECK(decoded(*ehlo::xclient_attributes::parse("NAME=a+2Eexample")->name()->value) == "a.example");
  for (const char* bad : {"HELO=a+0Ab", "HELO=a+0D+0Ab", "HELO=a+00", "HELO=a+7F", "HELO=a+80", "HELO=a+2b", "HELO=a+2", "HELO=a+",
                          "HELO=a=b", "LOGIN=+G0", "HELO=a\\x80"}) {
    CAPTURE(bad);
    check_server_dialogue(hello + "C: XCLIENT " + bad + "\nS: 501\n", xclient());
  }
}

TEST_CASE("NAME is a host name, or says that there is none", "[server][xclient][XCLIENT-2-08]") {
  using ehlo::absence;
  using ehlo::xclient_attributes;
  CHECK(xclient_attributes::parse("NAME=[UNAVAILABLE]")->name()->why == absence::unavailable);
  CHECK(xclient_attributes::parse("NAME=[TEMPUNAVAIL]")->name()->why == absence::temporary);
  CHECK_FALSE(xclient_attributes::parse("NAME=[TEMPUNAVAIL]")->name()->value);
  for (const char* good : {"a", "mx.example", "a_b.example", "_dmarc.x", "1.2.3.4.in-addr.arpa"})
    CHECK(code_for("NAME=" + std::string{good}) == "220");
  for (const char* bad : {"192.0.2.1", "a..b", ".a", "-a.example", "[192.0.2.1]", "[OTHER]", "a+20b", "a@b.example", "<a>"}) {
    CAPTURE(bad);
    CHECK(code_for("NAME=" + std::string{bad}) == "501");
  }
}

TEST_CASE("addresses of XCLIENT have no brackets", "[server][xclient][XCLIENT-2-09]") {
  for (const std::string name : {"ADDR=", "DESTADDR="}) {
    for (const char* good : {"192.0.2.1", "IPV6:::1", "IPV6:2001:db8::1", "[UNAVAILABLE]"}) CHECK(code_for(name + good) == "220");
    for (const char* bad : {"[192.0.2.1]", "::1", "IPV6:192.0.2.1", "192.0.2", "192.0.2.1.1", "192.0.02.1", "IPV6:", "IPV6",
                            "x.example", "[IPv6:::1]", "[TEMPUNAVAIL]"}) {
      CAPTURE(bad);
      CHECK(code_for(name + bad) == "501");
    }
  }
  CHECK_FALSE(ehlo::xclient_attributes::parse("ADDR=[UNAVAILABLE]")->address()->value);
}

TEST_CASE("ports of XCLIENT are decimal", "[server][xclient][XCLIENT-2-10]") {
  for (const std::string name : {"PORT=", "DESTPORT="}) {
    for (const char* good : {"0", "25", "65535", "[UNAVAILABLE]"}) CHECK(code_for(name + good) == "220");
    for (const char* bad : {"65536", "-1", "x", "025", "1x", "0x10", "100000", "[TEMPUNAVAIL]"})
      CHECK(code_for(name + bad) == "501");
  }
}

TEST_CASE("PROTO is SMTP or ESMTP", "[server][xclient][XCLIENT-2-11]") {
  for (const char* good : {"SMTP", "ESMTP", "esmtp"}) CHECK(code_for("PROTO=" + std::string{good}) == "220");
  for (const char* bad : {"LMTP", "[UNAVAILABLE]", "ESMTPS", "HTTP"}) CHECK(code_for("PROTO=" + std::string{bad}) == "501");
}

TEST_CASE("HELO is what the client said", "[server][xclient][XCLIENT-2-12]") {
  for (const char* good : {"a.example", "[192.0.2.1]", "[IPv6:::1]", "any_thing", "[UNAVAILABLE]"})
    CHECK(code_for("HELO=" + std::string{good}) == "220");
  for (const char* bad : {"a+20b", "[TEMPUNAVAIL]"}) CHECK(code_for("HELO=" + std::string{bad}) == "501");
  CHECK_FALSE(ehlo::xclient_attributes::parse("HELO=[UNAVAILABLE]")->hello()->value);
}

TEST_CASE("LOGIN authenticates the client that is spoken for", "[server][xclient][XCLIENT-2-13]") {
  setup how = xclient();
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain};
  how.options.mechanisms = mechanisms;
  how.options.auth_required = how.options.auth_without_tls = true;
  const std::string mail = "C: MAIL FROM:<>\n";
  const auto r = check_server_dialogue(
      hello + mail + "S: 530\nC: XCLIENT ADDR=192.0.2.1\n" + greeted + hello + mail + "S: 530\nC: XCLIENT LOGIN=[UNAVAILABLE]\n" +
          greeted + hello + mail + "S: 530\nC: XCLIENT LOGIN=user+40x.example\n" + greeted + hello +
          "C: AUTH PLAIN AGEAYg==\nS: 503\n" + mail + "S: 250\nC: RSET\nS: 250\nC: XCLIENT ADDR=192.0.2.1\n" + greeted + hello +
          mail + "S: 530\n",
      how);
  CHECK(r.count("mail") == 1);
}

TEST_CASE("a value of XCLIENT has at most 255 octets", "[server][xclient][XCLIENT-2-14]") {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + label;
  REQUIRE(longest.size() == 255);
  CHECK(code_for("NAME=" + longest) == "220");
  CHECK(code_for("NAME=" + longest + "a") == "501");
  CHECK(code_for("HELO=" + std::string(255, 'h')) == "220");
  CHECK(code_for("HELO=" + std::string(256, 'h')) == "501");
  CHECK(ehlo::xclient_attributes::parse("HELO=" + std::string(256, 'h')).error() == ehlo::error{ehlo::errc::attribute_too_long, 5});
  CHECK(code_for("LOGIN=" + std::string(255, 'l')) == "220");
  CHECK(code_for("LOGIN=" + std::string(256, 'l')) == "501");
}

TEST_CASE("the words of XCLIENT's values are read in any case", "[server][xclient][XCLIENT-2-16]") {
  for (const char* good : {"NAME=[unavailable]", "NAME=[TempUnavail]", "ADDR=ipv6:::1", "ADDR=[Unavailable]"})
    CHECK(code_for(good) == "220");
}

TEST_CASE("values that old clients do not encode are taken where they are xtext all the same", "[server][xclient][XCLIENT-2-17]") {
  CHECK(code_for("NAME=spike.porcupine.org ADDR=168.100.189.2") == "220");
  CHECK(code_for("HELO=a+b") == "501");
}

TEST_CASE("an accepted XCLIENT is answered by the greeting, and EHLO is due", "[server][xclient][XCLIENT-3-01]") {
  const auto r = check_server_dialogue(R"(
    C: EHLO filter.example
    S: 250 mx.example
    C: XCLIENT NAME=spike.example ADDR=168.100.189.2
    S: 220 mx.example ESMTP
    C: MAIL FROM:<a@spike.example>
    S: 503 5.5.1
    C: EHLO spike.example
    S: 250 mx.example
    C: MAIL FROM:<a@spike.example>
    S: 250 2.1.0
    C: RCPT TO:<user@mx.example>
    S: 250
    C: DATA
    S: 354
    C: text
    C: .
    S: 250
    C: QUIT
    S: 221
    CLOSE)",
                                       xclient());
  CHECK(r.count("greeting") == 2);
  CHECK(r.count("reset") == 0);
  CHECK(r.messages.size() == 1);
}

TEST_CASE("the client that XCLIENT names may be refused at its greeting", "[server][xclient][XCLIENT-3-01]") {
  setup how = xclient();
  how.whole_only = true;
  int greetings = 0;
  how.on_greeting = [&greetings](const ehlo::greeting_question& q) {
    CHECK_FALSE(q.early_talker);
    return ++greetings == 2 ? answer{ehlo::replies::no_service} : answer{accepted{}};
  };
  check_server_dialogue(hello + "C: XCLIENT ADDR=192.0.2.1\nS: 554 mx.example No SMTP service here\n" +
                            "C: EHLO x.example\nS: 503\nC: XCLIENT ADDR=192.0.2.2\nS: 503\nC: QUIT\nS: 221\nCLOSE\n",
                        how);
  CHECK(greetings == 2);
}

TEST_CASE("TLS stays over XCLIENT, and is not offered again", "[server][xclient][XCLIENT-3-02]") {
  setup how = xclient();
  how.options.tls = ehlo::tls_mode::required;
  const auto r = check_server_dialogue(
      "C: XCLIENT ADDR=192.0.2.1\nS: 530\nC: STARTTLS\nS: 503\nC: EHLO a.example\nS: 250\n"
      "C: STARTTLS\nS: 220\nTLS\n" +
          hello + "C: XCLIENT ADDR=192.0.2.1\n" + greeted + hello + "C: STARTTLS\nS: 503\nC: MAIL FROM:<>\nS: 250\n",
      how);
  const std::size_t once = r.sent.find("STARTTLS\r\n");
  REQUIRE(once != std::string::npos);
  CHECK(r.sent.find("STARTTLS\r\n", once + 1) == std::string::npos);
}

TEST_CASE("the replies to XCLIENT", "[server][xclient][XCLIENT-4-01]") {
  setup how = xclient();
  how.on_xclient = [](const ehlo::xclient_question&) { return answer{ehlo::replies::service_not_available}; };
  check_server_dialogue(hello + "C: XCLIENT PORT=x\nS: 501\nC: XCLIENT PORT=1\nS: 421\nCLOSE\n", how);
  ehlo::server_session session{how.options};
  std::string_view input;
  (void)session.next(input);
  session.accept();
  (void)session.next(input);
  input = "XCLIENT PORT=1\r\n";
  REQUIRE(std::holds_alternative<ehlo::xclient_question>(session.next(input)));
  CHECK(session.accept(ehlo::replies::ok).error().code == ehlo::errc::wrong_answer);
  CHECK(session.accept(*ehlo::reply::make(220, {}, "Go")).error().code == ehlo::errc::wrong_answer);
  CHECK(session.reject(ehlo::replies::no_service).error().code == ehlo::errc::wrong_answer);
  CHECK(session.reject(ehlo::replies::policy_refusal).has_value());
  CHECK(session.current_state() == ehlo::state::greeted);
}

TEST_CASE("nobody speaks for others by omission", "[server][xclient][T49][XCLIENT-4-02]") {
  setup how = xclient();
  how.on_xclient = {};
  const auto r = check_server_dialogue(hello + "C: XCLIENT ADDR=192.0.2.1\nS: 550 5.7.0\nC: MAIL FROM:<>\nS: 250\n", how);
  CHECK(r.count("greeting") == 1);
}

TEST_CASE("XCLIENT is off unless the options of the session say otherwise", "[server][xclient][T49][XCLIENT-6-01]") {
  setup how;
  how.options.trusted_network = true;
  check_server_dialogue(
      "C: XCLIENT ADDR=192.0.2.1\nS: 502\n" + hello + "C: XCLIENT ADDR=192.0.2.1\nS: 502\nC: HELP XCLIENT\nS: 504\n", how);
  check_server_dialogue(hello + "C: HELP XCLIENT\nS: 214\n", xclient());
  ehlo::server_options options{.hostname = "mx.example"};
  options.extensions.xclient = true;
  CHECK(options.check().has_value());
  for (const char* bad : {"", "NAME  ADDR", "NAME ", " NAME", "NAME NAME", "NAME name", "SOURCE", "NAME,ADDR"}) {
    CAPTURE(bad);
    options.xclient = bad;
    CHECK(options.check().error().code == ehlo::errc::option_name);
  }
  options.xclient = ehlo::xclient_names;
  options.esmtp = false;
  CHECK(options.check().error().code == ehlo::errc::option_dependency);
}

TEST_CASE("the clients of a trusted peer are not trusted", "[server][xclient][T49]") {
  setup how = xclient();
  how.options.trusted_network = how.options.extensions.priority = true;
  how.options.tls = ehlo::tls_mode::offered;
  const std::string raised = "C: MAIL FROM:<> MT-PRIORITY=3\n";
  check_server_dialogue(hello + raised + "S: 250 2.1.0\nC: RSET\nS: 250\nC: XCLIENT ADDR=192.0.2.1\n" + greeted + hello + raised +
                            "S: 250 2.3.6\nC: RSET\nS: 250\nC: STARTTLS\nS: 220\nTLS\n" + hello + raised + "S: 250 2.3.6\n",
                        how);
}

TEST_CASE("what was counted for one client is not counted for the next", "[server][xclient]") {
  setup how = xclient();
  how.options.limits.transactions = 1;
  how.options.limits.errors = 2;
  const std::string once = hello + "C: FOO\nS: 500\nC: FOO\nS: 500\nC: MAIL FROM:<>\nS: 250\nC: RSET\nS: 250\n";
  check_server_dialogue(once + "C: XCLIENT ADDR=192.0.2.1\n" + greeted + once + "C: FOO\nS: 421\nCLOSE\n", how);
}
