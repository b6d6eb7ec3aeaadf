// SPDX-License-Identifier: BSL-1.0
// XFORWARD (XFORWARD_README of Postfix) by a server session.
#include <string>
#include <string_view>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::accepted;
using dialogue::answer;
using dialogue::setup;

setup xforward() {
  setup out;
  out.options.extensions.xforward = true;
  out.on_xforward = [](const ehlo::xforward_question&) { return answer{accepted{}}; };
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";

std::string code_for(const std::string& attributes) {
  const auto r = ehlo::xforward_attributes::parse(attributes);
  check_server_dialogue(hello + "C: XFORWARD " + attributes + "\n" + (r ? "S: 250 2.0.0\n" : "S: 501 5.5.4\n"), xforward());
  return r ? "250" : "501";
}

std::string decoded(const ehlo::xtext& text) {
  std::string out(text.decoded_size(), '\0');
  text.decode(out.data());
  return out;
}

}  // namespace

TEST_CASE("EHLO lists XFORWARD with its attributes where it is on", "[server][xforward][XFORWARD-2-01]") {
  CHECK(check_server_dialogue(hello, xforward()).sent.find("\r\n250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n") !=
        std::string::npos);
  setup fewer = xforward();
  fewer.options.xforward = "ADDR NAME";
  CHECK(check_server_dialogue(hello + "C: XFORWARD PORT=1\nS: 501\n", fewer).sent.find("XFORWARD ADDR NAME\r\n") !=
        std::string::npos);
  CHECK(check_server_dialogue(hello + "C: XFORWARD NAME=x\nS: 502\n").sent.find("XFORWARD") == std::string::npos);
}

TEST_CASE("XFORWARD comes behind EHLO, and not in a transaction", "[server][xforward][XFORWARD-2-02]") {
  const std::string asked = "C: XFORWARD NAME=x\n";
  const auto r =
      check_server_dialogue(asked + "S: 503\nC: HELO a.example\nS: 250\n" + asked + "S: 503\n" + hello + asked +
                                "S: 250\nC: MAIL FROM:<>\nS: 250\n" + asked + "S: 503 5.5.1\nC: RCPT TO:<a@b.example>\nS: 250\n" +
                                asked + "S: 503\nC: BDAT 0 LAST\nS: 250\n" + asked + "S: 250\n",
                            xforward());
  CHECK(r.count("xforward") == 2);
  CHECK(r.messages.size() == 1);
}

TEST_CASE("XFORWARD may be pipelined", "[server][xforward][XFORWARD-2-03]") {
  check_server_dialogue(
      hello + "C: XFORWARD NAME=x\nC: XFORWARD HELO=y\nC: MAIL FROM:<>\nS: 250 2.0.0\nS: 250 2.0.0\nS: 250 2.1.0\n", xforward());
}

TEST_CASE("XFORWARD has attributes, each behind one space", "[server][xforward][XFORWARD-2-04]") {
  check_server_dialogue(hello + "C: XFORWARD\nS: 501\n", xforward());
  for (const char* bad : {"NAME=a  ADDR=192.0.2.1", "NAME", "NAME=", "=x", " NAME=a", "NAME =x", "NAME=a NAME=b"}) {
    CAPTURE(bad);
    CHECK(code_for(bad) == "501");
  }
}

TEST_CASE("verb and names of XFORWARD are read in any case", "[server][xforward][XFORWARD-2-05]") {
  check_server_dialogue(hello + "C: xForward nAME=a SOURCE=local\nS: 250\n", xforward());
}

TEST_CASE("the attributes of XFORWARD are seven", "[server][xforward][XFORWARD-2-06]") {
  const auto all = ehlo::xforward_attributes::parse(
      "NAME=spike ADDR=IPV6:2001:db8::1 PORT=4711 PROTO=QMQP HELO=spike.example IDENT=3CF6B2AAE8 SOURCE=REMOTE");
  REQUIRE(all.has_value());
  CHECK(all->name()->value->text() == "spike");
  CHECK(all->address()->value == ehlo::ip_address::parse_v6("2001:db8::1").value_or({}));
  CHECK(all->port()->value == 4711);
  CHECK(all->protocol()->value->text() == "QMQP");
  CHECK(all->hello()->value->text() == "spike.example");
  CHECK(all->identifier()->value->text() == "3CF6B2AAE8");
  CHECK(all->source()->value == ehlo::message_source::remote);
  const auto none = ehlo::xforward_attributes::parse("NAME=[UNAVAILABLE]");
  CHECK_FALSE(none->name()->value);
  CHECK((!none->address() && !none->port() && !none->protocol() && !none->hello() && !none->identifier() && !none->source()));
  for (const char* bad : {"LOGIN=x", "DESTADDR=192.0.2.1", "X=y"}) CHECK(code_for(bad) == "501");
}

TEST_CASE("the values of XFORWARD are xtext, strictly", "[server][xforward][T49][XFORWARD-2-07]") {
  CHECK(decoded(*ehlo::xforward_attributes::parse("IDENT=a+2Bb")->identifier()->value) == "a+b");
  for (const char* bad : {"NAME=a+0Ab", "NAME=a+0D+0Ab", "NAME=a+2b", "NAME=a+", "NAME=a=b", "NAME=a\\x80"}) {
    CAPTURE(bad);
    check_server_dialogue(hello + "C: XFORWARD " + bad + "\nS: 501\n", xforward());
  }
}

TEST_CASE("names of XFORWARD need not be those of DNS", "[server][xforward][XFORWARD-2-08]") {
  for (const std::string name : {"NAME=", "HELO="}) {
    for (const char* good : {"host_1", "UPPER", "a..b", "[192.0.2.1]", "[UNAVAILABLE]"}) CHECK(code_for(name + good) == "250");
    CHECK(code_for(name + "[TEMPUNAVAIL]") == "501");
  }
}

TEST_CASE("the address of XFORWARD has no brackets", "[server][xforward][XFORWARD-2-09]") {
  for (const char* good : {"192.0.2.1", "IPV6:::1", "[UNAVAILABLE]"}) CHECK(code_for("ADDR=" + std::string{good}) == "250");
  for (const char* bad : {"[192.0.2.1]", "::1", "IPV6:192.0.2.1", "x"}) CHECK(code_for("ADDR=" + std::string{bad}) == "501");
}

TEST_CASE("the port of XFORWARD is decimal", "[server][xforward][XFORWARD-2-10]") {
  for (const char* good : {"0", "65535", "[UNAVAILABLE]"}) CHECK(code_for("PORT=" + std::string{good}) == "250");
  for (const char* bad : {"65536", "-1", "01"}) CHECK(code_for("PORT=" + std::string{bad}) == "501");
}

TEST_CASE("a protocol of XFORWARD has at most 64 octets", "[server][xforward][XFORWARD-2-11]") {
  CHECK(code_for("PROTO=" + std::string(64, 'P')) == "250");
  CHECK(code_for("PROTO=" + std::string(65, 'P')) == "501");
  CHECK_FALSE(ehlo::xforward_attributes::parse("PROTO=[UNAVAILABLE]")->protocol()->value);
}

TEST_CASE("IDENT is the message's name at the host before", "[server][xforward][XFORWARD-2-12]") {
  CHECK(code_for("IDENT=3CF6B2AAE8") == "250");
  CHECK(code_for("IDENT=[UNAVAILABLE]") == "250");
  CHECK(code_for("IDENT=a+20b") == "501");
}

TEST_CASE("SOURCE is LOCAL, REMOTE, or nobody knows", "[server][xforward][XFORWARD-2-13]") {
  using ehlo::xforward_attributes;
  CHECK(xforward_attributes::parse("SOURCE=local")->source()->value == ehlo::message_source::local);
  CHECK(xforward_attributes::parse("SOURCE=REMOTE")->source()->value == ehlo::message_source::remote);
  CHECK_FALSE(xforward_attributes::parse("SOURCE=[UNAVAILABLE]")->source()->value);
  for (const char* bad : {"OTHER", "LOCALLY", "REMOT"}) CHECK(code_for("SOURCE=" + std::string{bad}) == "501");
}

TEST_CASE("a value of XFORWARD has at most 255 octets", "[server][xforward][XFORWARD-2-14]") {
  for (const std::string name : {"NAME=", "HELO=", "IDENT="}) {
    CHECK(code_for(name + std::string(255, 'x')) == "250");
    CHECK(code_for(name + std::string(256, 'x')) == "501");
  }
}

TEST_CASE("no value of XFORWARD means anything in a header field", "[server][xforward][T49][XFORWARD-2-15]") {
  for (const std::string name : {"NAME=", "HELO=", "IDENT=", "PROTO="}) {
    for (const char* bad :
         {"a+20b", "a+0D", "a+09", "+28x+29", "(x)", "<x>", "a+22", "\"", "a;b", "a@b", "a\\\\b", "a,b", "a+7F", "a+FF"}) {
      CAPTURE(bad);
      check_server_dialogue(hello + "C: XFORWARD " + name + bad + "\nS: 501\n", xforward());
    }
  }
}

TEST_CASE("the word for no value is read in any case", "[server][xforward][XFORWARD-2-17]") {
  for (const char* good : {"NAME=[unavailable]", "SOURCE=[Unavailable]", "ADDR=ipv6:::1"}) CHECK(code_for(good) == "250");
}

TEST_CASE("values that old clients do not encode are taken by XFORWARD where they are xtext all the same",
          "[server][xforward][XFORWARD-2-18]") {
  CHECK(code_for("NAME=spike.porcupine.org ADDR=168.100.189.2 PROTO=ESMTP") == "250");
  CHECK(code_for("IDENT=a+b") == "501");
}

TEST_CASE("the first XFORWARD behind a transaction says so, and MAIL tells whether it counts",
          "[server][xforward][XFORWARD-3-03]") {
  const std::string told = "C: XFORWARD NAME=x\nS: 250\n";
  const std::string mail = "C: MAIL FROM:<>\nS: 250\n";
  const auto r = check_server_dialogue(
      hello + told + "C: XFORWARD HELO=y\nS: 250\n" + mail + "C: RCPT TO:<a@b.example>\nS: 250\nC: DATA\nS: 354\nC: .\nS: 250\n" +
          mail + "C: RSET\nS: 250\n" + told + mail + "C: RSET\nS: 250\n" + told + "C: RSET\nS: 250\n" + mail + "C: RSET\nS: 250\n" +
          told + hello + mail + "C: RSET\nS: 250\n" + told + "C: XFORWARD PORT=x\nS: 501\nC: XFORWARD PORT=1\nS: 250\n" + mail,
      xforward());
  std::string course;
  for (const std::string& e : r.events) {
    if (e.starts_with("xforward first"))
      course += "F";
    else if (e.starts_with("xforward"))
      course += "x";
    if (e.starts_with("mail")) course += e.find("forwarded") == e.npos ? "m" : "M";
  }
  CHECK(course == "FxMmFMFmFmFxM");
}

TEST_CASE("a MAIL that is refused leaves what XFORWARD told", "[server][xforward]") {
  setup how = xforward();
  how.on_mail = [](const ehlo::mail_question& q) {
    return q.reverse_path.text() == "<>" ? answer{ehlo::replies::policy_refusal} : answer{accepted{}};
  };
  const auto r = check_server_dialogue(
      hello + "C: XFORWARD NAME=x\nS: 250\nC: MAIL FROM:<>\nS: 550\nC: MAIL FROM:<a@b.example>\nS: 250\n", how);
  CHECK(r.has("mail <a@b.example> forwarded"));
}

TEST_CASE("an XFORWARD that is refused counts for nothing", "[server][xforward][XFORWARD-4-02]") {
  setup how = xforward();
  how.on_xforward = {};
  const auto r = check_server_dialogue(hello + "C: XFORWARD NAME=x\nS: 550 5.7.0\nC: MAIL FROM:<>\nS: 250\n", how);
  CHECK(r.count("mail") == 1);
  CHECK(r.count("mail <> forwarded") == 0);
}

TEST_CASE("the replies to XFORWARD", "[server][xforward][XFORWARD-4-01]") {
  setup how = xforward();
  how.on_xforward = [](const ehlo::xforward_question&) { return answer{ehlo::replies::service_not_available}; };
  check_server_dialogue(hello + "C: XFORWARD PORT=x\nS: 501\nC: XFORWARD PORT=1\nS: 421\nCLOSE\n", how);
  ehlo::server_session session{how.options};
  std::string_view input;
  (void)session.next(input);
  session.accept();
  (void)session.next(input);
  input = "EHLO client.example\r\n";
  (void)session.next(input);
  session.accept();
  (void)session.next(input);
  input = "XFORWARD PORT=1\r\n";
  REQUIRE(std::holds_alternative<ehlo::xforward_question>(session.next(input)));
  CHECK(session.accept(*ehlo::reply::make(220, {}, "Go")).error().code == ehlo::errc::wrong_answer);
  CHECK(session.reject(ehlo::replies::no_service).error().code == ehlo::errc::wrong_answer);
  CHECK(session.accept(*ehlo::reply::make(250, {2, 0, 0}, "Noted")).has_value());
}

TEST_CASE("XFORWARD is off unless the options of the session say otherwise", "[server][xforward][T49][XFORWARD-6-01]") {
  setup how;
  how.options.trusted_network = true;
  check_server_dialogue(hello + "C: XFORWARD NAME=x\nS: 502\nC: HELP XFORWARD\nS: 504\n", how);
  check_server_dialogue(hello + "C: HELP XFORWARD\nS: 214\n", xforward());
  ehlo::server_options options{.hostname = "mx.example"};
  options.extensions.xforward = true;
  CHECK(options.check().has_value());
  options.xforward = "LOGIN";
  CHECK(options.check().error().code == ehlo::errc::option_name);
  options.xforward = ehlo::xforward_names;
  options.esmtp = false;
  CHECK(options.check().error().code == ehlo::errc::option_dependency);
}
