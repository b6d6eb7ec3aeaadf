// SPDX-License-Identifier: BSL-1.0
// MAIL and RCPT: RFC 5321 3.3, 3.4, 3.6, 4.1.1.2, 4.1.1.3, 4.1.1.11, 4.1.4. What the caller's answers can and cannot do.
#include <string>
#include <string_view>
#include <vector>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;
using namespace std::string_view_literals;

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string mail = hello + "C: MAIL FROM:<a@client.example>\nS: 250 2.1.0 OK\n";
const std::string envelope = mail + "C: RCPT TO:<b@mx.example>\nS: 250 2.1.5 OK\n";
const std::string data = "C: DATA\nS: 354\nC: text\nC: .\nS: 250\n";

setup on_mail(const ehlo::reply& r) {
  setup how;
  how.on_mail = [r](const ehlo::mail_question&) -> answer { return r; };
  return how;
}

setup on_rcpt(const answer& a) {
  setup how;
  how.on_rcpt = [a](const ehlo::rcpt_question&) { return a; };
  return how;
}

/// A session at an open question: greeted, and then given `text`, each of whose questions but the last is accepted.
template <std::size_t N>
void lead_to_question(ehlo::server_session& session, const std::string_view (&lines)[N]) {
  std::string_view input;
  const auto run = [&session](std::string_view octets) {
    while (session.open_question().serial == 0) (void)session.next(octets);
  };
  run(input);
  for (const std::string_view line : lines) {
    REQUIRE(session.accept().has_value());
    run(line);
  }
}

}  // namespace

// ---- MAIL ----------------------------------------------------------------------------------------------------------------------

TEST_CASE("a refused sender learns whether to try again", "[server][transaction][5321-3.3-01]") {
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example>\nS: 451 4.3.0\nC: RCPT TO:<b@mx.example>\nS: 503\n",
                        on_mail(ehlo::replies::local_error));
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example>\nS: 550 5.7.1\nC: RCPT TO:<b@mx.example>\nS: 503\n",
                        on_mail(ehlo::replies::policy_refusal));
  // There is no third kind of refusal.
  const setup how;
  ehlo::server_session session{how.options};
  lead_to_question(session, {"EHLO c.example\r\n", "MAIL FROM:<a@b.example>\r\n"});
  CHECK(session.reject(ehlo::replies::start_mail_input).error().code == ehlo::errc::wrong_answer);
  CHECK(session.reject(ehlo::replies::mail_ok).error().code == ehlo::errc::wrong_answer);
  CHECK(session.accept(ehlo::replies::start_mail_input).error().code == ehlo::errc::wrong_answer);
  CHECK(session.accept(ehlo::replies::policy_refusal).error().code == ehlo::errc::wrong_answer);
  CHECK(session.reject(ehlo::replies::policy_refusal).has_value());
}

TEST_CASE("what is wrong with the sender may be said at RCPT", "[server][transaction][5321-3.3-02]") {
  static constexpr ehlo::reply words{550, {5, 7, 1}, "Your sender is refused"};
  check_server_dialogue(mail + "C: RCPT TO:<b@mx.example>\nS: 550 5.7.1 Your sender is refused\n", on_rcpt(words));
}

TEST_CASE("senders are refused with 550 or 553", "[server][transaction][5321-3.3-03]") {
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example>\nS: 550 5.2.1\n", on_mail(ehlo::replies::mailbox_unavailable));
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example>\nS: 553 5.1.3\n", on_mail(ehlo::replies::mailbox_name_not_allowed));
}

TEST_CASE("MAIL empties the buffers and stores its sender", "[server][transaction][5321-4.1.1.2-01]") {
  const auto r = check_server_dialogue(envelope + data + R"(
    C: MAIL FROM:<second@client.example>
    S: 250
    C: DATA
    S: 503
    C: RCPT TO:<c@mx.example>
    S: 250
  )" + data);
  REQUIRE(r.messages.size() == 2);
  CHECK(r.messages[1].from == "<second@client.example>");
  CHECK(r.messages[1].to == std::vector<std::string>{"<c@mx.example>"});
  CHECK(r.messages[1].octets == "text\r\n");
}

TEST_CASE("MAIL is the words MAIL FROM: and a path", "[server][transaction][5321-4.1.1.2-02]") {
  for (const char* line : {"MAIL <a@b.example>", "MAIL FROM:a@b.example", "MAIL FROM<a@b.example>", "MAIL TO:<a@b.example>",
                           "MAIL FROM:", "MAIL", "MAIL FROM: ", "MAIL FROM:<a@b.example", "MAIL  FROM:<a@b.example>"}) {
    CAPTURE(line);
    check_server_dialogue(hello + "C: " + line + "\nS: 501\nC: MAIL FROM:<a@b.example>\nS: 250\n");
  }
}

TEST_CASE("parameters need extensions, and HELO has none", "[server][transaction][5321-4.1.1.2-04]") {
  check_server_dialogue(
      "C: HELO client.example\nS: 250\nC: MAIL FROM:<a@b.example> SIZE=1\nS: 555\nC: MAIL FROM:<a@b.example> BODY=7BIT\nS: 555\n");
  const auto r = check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> SIZE=1 BODY=7BIT\nS: 250\n");
  CHECK(r.has("mail <a@b.example> SIZE=1 BODY=7BIT"));
}

TEST_CASE("no space stands beside the colon", "[server][transaction][5321-3.3-10]") {
  check_server_dialogue(
      mail +
      "C: RCPT TO :<a@b.example>\nS: 501\nC: RCPT TO: <a@b.example>\nS: 501\nC: RSET\nS: 250\nC: MAIL FROM: <a@b.example>\n"
      "S: 501\nC: MAIL FROM :<a@b.example>\nS: 501\n");
  setup lenient;
  lenient.options.leniency.space_after_colon = true;
  check_server_dialogue(
      hello +
          "C: MAIL FROM :<a@b.example>\nS: 501\nC: MAIL FROM:  <a@b.example>\nS: 501\nC: MAIL FROM: <a@b.example>\nS: 250\n"
          "C: RCPT TO: <a@b.example>\nS: 250\n",
      lenient);
}

TEST_CASE("one space stands between path and parameters", "[server][transaction][5321-3.3-11]") {
  check_server_dialogue(hello +
                        "C: MAIL FROM:<a@b.example>SIZE=1\nS: 501\nC: MAIL FROM:<a@b.example>  SIZE=1\nS: 501\n"
                        "C: MAIL FROM:<a@b.example>\\tSIZE=1\nS: 501\nC: MAIL FROM:<a@b.example> SIZE=1\nS: 250\n");
}

TEST_CASE("MAIL within a transaction gets 503 and leaves the first one whole", "[server][transaction][5321-4.1.4-11]") {
  const auto r = check_server_dialogue(envelope + "C: MAIL FROM:<c@client.example>\nS: 503\nC: MAIL FROM:bad\nS: 503\n" + data);
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].from == "<a@client.example>");
  CHECK_FALSE(r.has("reset"));
}

TEST_CASE("a sender that cannot be accepted gets 501, and the next MAIL works", "[server][transaction][5321-4.1.4-13]") {
  const auto r =
      check_server_dialogue(hello +
                            "C: MAIL FROM:bad\nS: 501\nC: MAIL FROM:<a..b@c.example>\nS: 501\nC: RCPT TO:<a@b.example>\nS: 503\n"
                            "C: MAIL FROM:<ok@c.example>\nS: 250\n");
  CHECK(r.count("mail") == 1);
}

TEST_CASE("the reverse-path is the one that MAIL gave", "[server][transaction][5321-3.6.1-02]") {
  const auto r = check_server_dialogue(
      hello + "C: MAIL FROM:<\"a b\"@Client.EXAMPLE>\nS: 250\nC: RCPT TO:<@relay.example:b@mx.example>\nS: 250\n" + data);
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].from == "<\"a b\"@Client.EXAMPLE>");
}

// ---- RCPT ----------------------------------------------------------------------------------------------------------------------

TEST_CASE("RCPT may come any number of times, and each one accepted is kept", "[server][transaction][5321-3.3-05]") {
  std::string text = mail;
  for (int i = 0; i < 5; ++i) text += "C: RCPT TO:<r" + std::to_string(i) + "@mx.example>\nS: 250\n";
  const auto r = check_server_dialogue(text + data);
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].to ==
        std::vector<std::string>{"<r0@mx.example>", "<r1@mx.example>", "<r2@mx.example>", "<r3@mx.example>", "<r4@mx.example>"});
}

TEST_CASE("a bad recipient gets 550 and the transaction goes on", "[server][transaction][5321-3.3-06]") {
  const auto r = check_server_dialogue(
      mail + "C: RCPT TO:<no@mx.example>\nS: 550 5.1.1\nC: RCPT TO:<b@mx.example>\nS: 250\nC: RCPT TO:<no2@mx.example>\nS: 550\n" +
      data);
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].to == std::vector<std::string>{"<b@mx.example>"});
}

TEST_CASE("RCPT without MAIL gets 503", "[server][transaction][5321-3.3-09]") {
  CHECK_FALSE(check_server_dialogue(hello + "C: RCPT TO:<a@b.example>\nS: 503\nC: RCPT TO:bad\nS: 503\n").has("rcpt"));
}

TEST_CASE("DATA without MAIL or without a recipient gets 503", "[server][transaction][5321-3.3-13]") {
  const auto r =
      check_server_dialogue(hello + "C: DATA\nS: 503\n" +
                            "C: MAIL FROM:<>\nS: 250\nC: DATA\nS: 503\nC: RCPT TO:<no@mx.example>\nS: 550\nC: DATA\nS: 503\n");
  CHECK_FALSE(r.has("data"));
}

TEST_CASE("RCPT adds to the recipients and leaves sender and data", "[server][transaction][5321-4.1.1.3-05]") {
  const auto r = check_server_dialogue(envelope + "C: RCPT TO:<c@mx.example>\nS: 250\n" + data);
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].from == "<a@client.example>");
  CHECK(r.messages[0].to == std::vector<std::string>{"<b@mx.example>", "<c@mx.example>"});
  CHECK(r.messages[0].octets == "text\r\n");
}

TEST_CASE("RCPT is the words RCPT TO: and a path", "[server][transaction][5321-4.1.1.3-08]") {
  for (const char* line : {"RCPT a@b.example", "RCPT TO:a@b.example", "RCPT TO<a@b.example>", "RCPT FROM:<a@b.example>",
                           "RCPT TO:", "RCPT", "RCPT TO:<a@b.example", "RCPT TO:<a>", "RCPT TO:<@b.example>"}) {
    CAPTURE(line);
    check_server_dialogue(mail + "C: " + line + "\nS: 501\nC: RCPT TO:<a@b.example>\nS: 250\n");
  }
}

TEST_CASE("a source route is taken and dropped", "[server][transaction][5321-4.1.1.3-03][T28]") {
  setup how;
  how.on_rcpt = [](const ehlo::rcpt_question& q) -> answer {
    CHECK(q.forward_path.has_route());
    CHECK(q.forward_path.route() == "@x.example,@y.example");
    CHECK(q.forward_path.mailbox()->text() == "z@w.example");
    return ehlo::replies::rcpt_ok;
  };
  check_server_dialogue(mail + "C: RCPT TO:<@x.example,@y.example:z@w.example>\nS: 250\n", how);
  // Bounded by the path's size, and no route without a mailbox.
  std::string route;
  while (route.size() < 260) route += "@x.example,";
  route.back() = ':';
  check_server_dialogue(mail + "C: RCPT TO:<" + route +
                        "z@w.example>\nS: 501\nC: RCPT TO:<@x.example:>\nS: 501\nC: RCPT TO:<@x.example:postmaster>\nS: 501\n");
}

TEST_CASE("a source route is refused with 501 or 553 where the options say so", "[server][transaction][T28]") {
  setup how;
  how.options.strictness.source_routes = ehlo::route_policy::syntax_error;
  check_server_dialogue(hello +
                            "C: MAIL FROM:<@x.example:a@b.example>\nS: 501 5.1.7\nC: MAIL FROM:<a@b.example>\nS: 250\n"
                            "C: RCPT TO:<@x.example,@y.example:z@w.example>\nS: 501 5.1.3\nC: RCPT TO:<z@w.example>\nS: 250\nC: "
                            "RCPT TO:<Postmaster>\nS: 250\n",
                        how);
  how.options.strictness.source_routes = ehlo::route_policy::refuse;
  check_server_dialogue(
      hello +
          "C: MAIL FROM:<@x.example:a@b.example>\nS: 553 5.1.7 Source routes are not accepted\n"
          "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<@x.example:z@w.example>\nS: 553 5.1.3 Source routes are not accepted\n"
          "C: RCPT TO:<z@w.example>\nS: 250\n",
      how);
}

TEST_CASE("an empty local-part is taken, and gets 501 where the options say so", "[server][transaction]") {
  const std::string_view empty = "<\"\"@b.example>";
  const std::string routed = "C: RCPT TO:<@x.example:\"\"@b.example>\nS: ";
  const std::string script = "C: MAIL FROM:" + std::string{empty} + "\nS: ";
  setup how;
  check_server_dialogue(hello + script + "250\nC: RCPT TO:" + std::string{empty} + "\nS: 250\n" + routed + "250\n", how);
  how.options.strictness.empty_local_part = true;
  check_server_dialogue(hello + script + "501 5.1.7\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:" + std::string{empty} +
                            "\nS: 501 5.1.3\n" + routed +
                            "501 5.1.3\nC: VRFY \"\"@b.example\nS: 501\n"
                            "C: RCPT TO:<\" \"@b.example>\nS: 250\nC: RCPT TO:<Postmaster>\nS: 250\nC: VRFY x@b.example\nS: 252\n",
                        how);
}

TEST_CASE("percent signs and exclamation marks are ordinary octets of a local-part", "[server][transaction][T28]") {
  setup how;
  std::vector<std::string> locals;
  how.on_rcpt = [&locals](const ehlo::rcpt_question& q) -> answer {
    CHECK_FALSE(q.forward_path.has_route());
    locals.emplace_back(q.forward_path.mailbox()->local_part().text());
    CHECK(q.forward_path.mailbox()->host().text() == "relay.example");
    return ehlo::replies::relaying_denied;
  };
  check_server_dialogue(mail +
                            "C: RCPT TO:<u%c.example@relay.example>\nS: 550 5.7.1\nC: RCPT TO:<c!u@relay.example>\nS: 550\n"
                            "C: RCPT TO:<\"u@c.example\"@relay.example>\nS: 550\n",
                        how);
  CHECK(locals.at(0) == "u%c.example");
  CHECK(locals.at(1) == "c!u");
  CHECK(locals.at(2) == "\"u@c.example\"");
}

TEST_CASE("the null path is a sender of its own kind and no recipient", "[server][transaction][T30]") {
  setup how;
  how.on_mail = [](const ehlo::mail_question& q) -> answer {
    CHECK(q.reverse_path.is_null());
    CHECK_FALSE(q.reverse_path.mailbox().has_value());
    return ehlo::replies::mail_ok;
  };
  const auto r = check_server_dialogue(
      hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<>\nS: 501 5.1.3\nC: RCPT TO:<b@mx.example>\nS: 250\n" + data, how);
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].from == "<>");
}

TEST_CASE("refusing to relay is 550", "[server][transaction][5321-3.6.2-01]") {
  check_server_dialogue(mail + "C: RCPT TO:<a@elsewhere.example>\nS: 550 5.7.1\n", on_rcpt(ehlo::replies::relaying_denied));
  // It is what happens when the caller does not decide.
  const setup how;
  ehlo::server_session session{how.options};
  lead_to_question(session, {"EHLO c.example\r\n", "MAIL FROM:<a@b.example>\r\n", "RCPT TO:<a@b.example>\r\n"});
  REQUIRE(session.answer_default().has_value());
  std::string_view none;
  const auto action = session.next(none);
  REQUIRE(std::holds_alternative<ehlo::transmit>(action));
  CHECK(std::get<ehlo::transmit>(action).octets.find("\r\n550 5.7.1 ") != std::string_view::npos);  // behind the reply to MAIL
}

// ---- Other addresses (3.4) -----------------------------------------------------------------------------------------------------

TEST_CASE("a server that forwards says 251 with the new path, or 250", "[server][transaction][5321-3.4-01]") {
  setup how = on_rcpt(dialogue::forward{"new@there.example"});
  const auto r = check_server_dialogue(
      mail + "C: RCPT TO:<b@mx.example>\nS: 251 2.1.5 User not local; will forward to <new@there.example>\n" + data, how);
  CHECK(r.messages.size() == 1);
  how.options.disclose_forwarding = false;
  check_server_dialogue(mail + "C: RCPT TO:<b@mx.example>\nS: 250 2.1.5 OK\n", how);
}

TEST_CASE("a server that knows the new path may refuse with 551 and the path, or with 550", "[server][transaction][5321-3.4-02]") {
  setup how = on_rcpt(dialogue::moved{"new@there.example"});
  check_server_dialogue(
      mail + "C: RCPT TO:<b@mx.example>\nS: 551 5.1.6 User not local; please try <new@there.example>\nC: DATA\nS: 503\n", how);
  how.options.disclose_forwarding = false;
  const auto r = check_server_dialogue(mail + "C: RCPT TO:<b@mx.example>\nS: 550 5.1.1\n", how);
  CHECK(r.sent.find("there.example") == r.sent.npos);
}

// ---- Parameters ----------------------------------------------------------------------------------------------------------------

TEST_CASE("a parameter that nobody knows gets 555", "[server][transaction][5321-4.1.1.11-01]") {
  const auto r = check_server_dialogue(
      hello +
      "C: MAIL FROM:<a@b.example> FOO=1\nS: 555\nC: RCPT TO:<a@b.example>\nS: 503\nC: MAIL FROM:<a@b.example>\nS: 250\n"
      "C: RCPT TO:<a@b.example> FOO\nS: 555\nC: DATA\nS: 503\n");
  CHECK_FALSE(r.has("rcpt"));
}

TEST_CASE("a parameter that cannot be honored now gets 455", "[server][transaction][5321-4.1.1.11-02]") {
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> BODY=8BITMIME\nS: 455 4.5.0\n",
                        on_mail(ehlo::replies::parameters_not_accommodated));
  check_server_dialogue(mail + "C: RCPT TO:<b@mx.example>\nS: 455 4.5.0\n", on_rcpt(ehlo::replies::parameters_not_accommodated));
}

TEST_CASE("errors in known parameters have the codes of their own standards", "[server][transaction][5321-4.1.1.11-03]") {
  setup how;
  how.options.limits.message = 100000;
  check_server_dialogue(hello +
                            "C: MAIL FROM:<a@b.example> SIZE=abc\nS: 501\nC: MAIL FROM:<a@b.example> SIZE=100001\nS: 552 5.3.4\n"
                            "C: MAIL FROM:<a@b.example> BODY=FOO\nS: 501\nC: MAIL FROM:<a@b.example> SIZE=100000\nS: 250\n",
                        how);
}

// ---- Buffers and spellings -----------------------------------------------------------------------------------------------------

TEST_CASE("sender, recipients and data are apart until the end of the data", "[server][transaction][5321-4.1.1-04]") {
  const auto r = check_server_dialogue(envelope + R"(
    C: NOOP
    S: 250
    C: VRFY x
    S: 252
    C: HELP
    S: 214
    C: EXPN x
    S: 502
    C: FOO
    S: 500
    C: RCPT TO:<c@mx.example>
    S: 250
  )" + data);
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0] == dialogue::message{"<a@client.example>", {"<b@mx.example>", "<c@mx.example>"}, "text\r\n", 6});
}

TEST_CASE("differently quoted spellings of a local-part are equal", "[server][transaction][5321-4.1.2-19]") {
  const auto equal = [](std::string_view a, std::string_view b) { return *ehlo::mailbox::parse(a) == *ehlo::mailbox::parse(b); };
  CHECK(equal(R"("abc"@x.example)", "abc@x.example"));
  CHECK(equal(R"("a\bc"@x.example)", "abc@X.example"));
  CHECK_FALSE(equal("Abc@x.example", "abc@x.example"));
  setup how;
  how.on_rcpt = [&equal](const ehlo::rcpt_question& q) -> answer {
    CHECK(equal(q.forward_path.mailbox()->text(), "abc@x.example"));
    return ehlo::replies::rcpt_ok;
  };
  check_server_dialogue(mail +
                            "C: RCPT TO:<\"abc\"@x.example>\nS: 250\nC: RCPT TO:<\"a\\\\bc\"@x.example>\nS: 250\nC: RCPT "
                            "TO:<abc@x.example>\nS: 250\n",
                        how);
}

// ---- Answers -------------------------------------------------------------------------------------------------------------------

TEST_CASE("no answer of the caller can bring a second reply", "[server][transaction][T23]") {
  for (const std::string_view text :
       {"No such user\r\n250 OK"sv, "a\rb"sv, "a\nb"sv, "a\0b"sv, "a\x7f"sv, "\xff"sv, "\xc3\xa9"sv}) {
    CAPTURE(text);
    CHECK(ehlo::reply::make(550, {}, text).error().code == ehlo::errc::reply_octet);
    const std::string_view lines[] = {"fine", text};
    CHECK(ehlo::reply::make(550, {}, lines).error().code == ehlo::errc::reply_octet);
    ehlo::server_options options{.hostname = "mx.example"};
    options.greeting = text;
    CHECK(options.check().error().code == ehlo::errc::option_text);
    options.greeting = "";
    options.help = text;
    CHECK(options.check().error().code == ehlo::errc::option_text);
    options.help = "";
    options.hostname = text;
    CHECK(options.check().error().code == ehlo::errc::option_hostname);
  }
  const setup how;
  ehlo::server_session session{how.options};
  lead_to_question(session, {"EHLO c.example\r\n", "VRFY a\r\n"});
  const ehlo::listing bad{*ehlo::mailbox::parse("a@b.example"), "Name\r\n250 <c@d.example>"};
  CHECK_FALSE(session.accept(bad).has_value());
  CHECK(session.open_question().serial != 0);
  CHECK(session.accept(ehlo::listing{*ehlo::mailbox::parse("a@b.example"), "Name"}).has_value());
  // A text of many words has one code on all its lines.
  const std::string many(2000, 'w');
  setup lengthy;
  lengthy.on_rcpt = [&many](const ehlo::rcpt_question&) -> answer { return *ehlo::reply::make(550, {5, 1, 1}, many); };
  check_server_dialogue(
      mail + "C: RCPT TO:<b@mx.example>\nS: 550-5.1.1 w\nS: 550-5.1.1 w\nS: 550-5.1.1 w\nS: 550 5.1.1 w\nC: NOOP\nS: 250\n",
      lengthy);
}

TEST_CASE("replies repeat nothing that the client said", "[server][transaction][T23]") {
  const auto r = check_server_dialogue(R"(
    C: EHLO qqqq.example
    S: 250
    C: MAIL FROM:<qqqq@qqqq.example> QQQQ=qqqq
    S: 555
    C: MAIL FROM:<qqqq@qqqq.example>
    S: 250
    C: RCPT TO:<noqqqq@qqqq.example>
    S: 550
    C: RCPT TO:<qqqq@@qqqq.example>
    S: 501
    C: VRFY qqqq
    S: 252
    C: EXPN qqqq
    S: 502
    C: HELP qqqq
    S: 504
    C: QQQQ qqqq
    S: 500
    C: NOOP qqqq
    S: 250
    C: RSET qqqq
    S: 501
    C: DATA qqqq
    S: 503
  )");
  CHECK(r.sent.find("qqqq") == r.sent.npos);
  CHECK(r.sent.find("QQQQ") == r.sent.npos);
}
