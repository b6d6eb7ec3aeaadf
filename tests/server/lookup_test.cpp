// SPDX-License-Identifier: BSL-1.0
// VRFY, EXPN and HELP: RFC 5321 3.5, 4.1.1.6 to 4.1.1.8, 7.3.
#include <string>
#include <string_view>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string envelope =
    hello + "C: MAIL FROM:<a@client.example>\nS: 250 2.1.0 OK\nC: RCPT TO:<b@mx.example>\nS: 250 2.1.5 OK\n";

setup on_vrfy(const answer& a) {
  setup how;
  how.on_vrfy = [a](const ehlo::vrfy_question&) { return a; };
  return how;
}

setup on_expn(const answer& a) {
  setup how;
  how.options.extensions.expn = true;
  how.on_expn = [a](const ehlo::expn_question&) { return a; };
  return how;
}

const dialogue::listed members{{{"Alice Smith", "alice@mx.example"}, {"", "bob@mx.example"}, {"Carol", "carol@other.example"}}};

}  // namespace

// ---- What is shown (3.5.1, 3.5.2) ----------------------------------------------------------------------------------------------

TEST_CASE("VRFY and EXPN are both there for the caller", "[server][lookup][5321-3.5.1-01]") {
  const auto r = check_server_dialogue("C: VRFY joe\nS: 250\nC: EXPN staff\nS: 250-2.1.5\nS: 250-2.1.5\nS: 250 2.1.5\n", [] {
    setup how = on_expn(members);
    how.on_vrfy = [](const ehlo::vrfy_question&) -> answer { return dialogue::listed{{{"Joe", "joe@mx.example"}}}; };
    return how;
  }());
  CHECK(r.has("vrfy joe"));
  CHECK(r.has("expn staff"));
  CHECK_FALSE(check_server_dialogue("C: EXPN staff\nS: 502\n").has("expn"));
}

TEST_CASE("250 to VRFY shows the mailbox, with the name before it if there is one", "[server][lookup][5321-3.5.1-02]") {
  const auto named = check_server_dialogue("C: VRFY joe\nS: 250 2.1.5 Joe Q. Public <joe@mx.example>\n",
                                           on_vrfy(dialogue::listed{{{"Joe Q. Public", "joe@mx.example"}}}));
  CHECK(named.sent.ends_with("250 2.1.5 Joe Q. Public <joe@mx.example>\r\n"));
  const auto bare = check_server_dialogue("C: VRFY joe\nS: 250\n", on_vrfy(dialogue::listed{{{"", "joe@mx.example"}}}));
  CHECK(bare.sent.ends_with("250 2.1.5 <joe@mx.example>\r\n"));
}

TEST_CASE("an ambiguous name gets 553 alone or with its candidates", "[server][lookup][5321-3.5.1-03]") {
  check_server_dialogue(
      "C: VRFY joe\nS: 553-5.1.4 Joe A <ja@mx.example>\nS: 553-5.1.4 <jb@mx.example>\nS: 553 5.1.4 Joe C <jc@mx.example>\n",
      on_vrfy(dialogue::ambiguous{{{"Joe A", "ja@mx.example"}, {"", "jb@mx.example"}, {"Joe C", "jc@mx.example"}}}));
  check_server_dialogue("C: VRFY joe\nS: 553 5.1.4 User ambiguous\n", on_vrfy(ehlo::replies::ambiguous_user));
}

TEST_CASE("EXPN gives each mailbox of the list", "[server][lookup][5321-3.5.1-04]") {
  const auto r = check_server_dialogue(
      "C: EXPN staff\nS: 250-2.1.5 Alice Smith <alice@mx.example>\nS: 250-2.1.5 <bob@mx.example>\nS: 250 2.1.5 Carol "
      "<carol@other.example>\n",
      on_expn(members));
  CHECK(r.sent.ends_with("250 2.1.5 Carol <carol@other.example>\r\n"));
}

TEST_CASE("each line of a list has one mailbox", "[server][lookup][5321-3.5.1-05]") {
  const auto r = check_server_dialogue("S: 220\nC: EXPN staff\nS: 250-2\nS: 250-2\nS: 250 2\n", on_expn(members));
  std::size_t lines = 0;
  for (std::size_t at = r.sent.find("\r\n") + 2; at < r.sent.size(); ++lines) {
    const std::size_t end = r.sent.find("\r\n", at);
    const std::string line = r.sent.substr(at, end - at);
    CHECK(std::ranges::count(line, '@') == 1);
    at = end + 2;
  }
  CHECK(lines == 3);
  check_server_dialogue("C: EXPN staff\nS: 250 2.0.0 The list is empty\n", on_expn(dialogue::listed{}));
}

TEST_CASE("a mailbox is a user name too", "[server][lookup][5321-3.5.1-08]") {
  setup how;
  how.on_vrfy = [](const ehlo::vrfy_question& q) -> answer {
    if (q.mailbox) {
      CHECK(q.mailbox->text() == "joe@x.example");
      CHECK(q.mailbox->local_part().text() == "joe");
    }
    return dialogue::by_default{};
  };
  const auto r =
      check_server_dialogue("C: VRFY joe@x.example\nS: 252\nC: VRFY <joe@x.example>\nS: 252\nC: VRFY joe\nS: 252\n", how);
  CHECK(r.count("vrfy joe@x.example mailbox") == 1);
  CHECK(r.count("vrfy <joe@x.example> mailbox") == 1);
  CHECK(std::ranges::count(r.events, "vrfy joe") == 1);
}

TEST_CASE("the argument of VRFY and EXPN is any String", "[server][lookup][5321-3.5.1-09]") {
  const auto r =
      check_server_dialogue("C: VRFY Crispin\nS: 252\nC: VRFY \"Mark Crispin\"\nS: 252\nC: EXPN Example-People\nS: 502\n", [] {
        setup how;
        how.options.extensions.expn = true;
        return how;
      }());
  CHECK(r.has("vrfy Crispin"));
  CHECK(r.has("vrfy \"Mark Crispin\""));
  CHECK(r.has("expn Example-People"));
}

TEST_CASE("what is shown has a domain", "[server][lookup][5321-3.5.2-01]") {
  // A listing holds a mailbox, and a mailbox has a domain or an address literal.
  for (const std::string_view text : {"joe", "joe@", "@mx.example", ""}) {
    CAPTURE(text);
    CHECK_FALSE(ehlo::mailbox::parse(text).has_value());
  }
  const auto r = check_server_dialogue("C: VRFY joe\nS: 551 5.1.6 User not local; please try <joe@there.example>\n",
                                       on_vrfy(dialogue::moved{"joe@there.example"}));
  CHECK(r.sent.find("<joe@there.example>") != r.sent.npos);
}

TEST_CASE("addresses are shown in angle brackets", "[server][lookup][5321-3.5.2-02]") {
  for (const char* address : {"a@b.example", "\"a b\"@c.example", "a@[192.0.2.1]"}) {
    const auto r = check_server_dialogue("C: VRFY joe\nS: 250\n", on_vrfy(dialogue::listed{{{"Joe", address}}}));
    CHECK(r.sent.ends_with("Joe <" + std::string{address} + ">\r\n"));
  }
}

TEST_CASE("no source route is shown", "[server][lookup][5321-3.5.2-04]") {
  for (const std::string_view text : {"@a.example:b@c.example", "<@a.example:b@c.example>", "@a.example,@d.example:b@c.example"}) {
    CAPTURE(text);
    CHECK_FALSE(ehlo::mailbox::parse(text).has_value());
  }
  const auto path = ehlo::forward_path::parse("<@a.example:b@c.example>");
  REQUIRE(path.has_value());
  CHECK(path->mailbox()->text() == "b@c.example");
}

TEST_CASE("EXPN is listed in EHLO where it works", "[server][lookup][5321-3.5.2-06]") {
  CHECK(check_server_dialogue(hello, on_expn(members)).sent.find("EXPN\r\n") != std::string::npos);
  CHECK(check_server_dialogue(hello).sent.find("EXPN") == std::string::npos);
}

// ---- What is claimed (3.5.3) ---------------------------------------------------------------------------------------------------

TEST_CASE("250 to VRFY or EXPN never comes without the caller", "[server][lookup][5321-3.5.3-01][T46]") {
  setup how;
  how.options.extensions.expn = true;
  const auto r = check_server_dialogue("S: 220\nC: VRFY a@b.example\nS: 252\nC: EXPN a\nS: 502\n", how);
  CHECK(r.sent.find("250") == r.sent.npos);
  // The plain answer is 252 as well.
  const setup plain;
  ehlo::server_session session{plain.options};
  std::string_view input = "VRFY a@b.example\r\n";
  std::string_view none;
  (void)session.next(none);
  REQUIRE(session.accept().has_value());
  (void)session.next(none);
  while (session.open_question().serial == 0) (void)session.next(input);
  REQUIRE(session.accept().has_value());
  const auto action = session.next(input);
  REQUIRE(std::holds_alternative<ehlo::transmit>(action));
  CHECK(std::get<ehlo::transmit>(action).octets.starts_with("252 "));
}

TEST_CASE("a server that checks syntax only may say 502", "[server][lookup][5321-3.5.3-02]") {
  check_server_dialogue("C: VRFY joe\nS: 502 5.5.1\n", on_vrfy(ehlo::replies::not_implemented));
  setup off;
  off.options.extensions.vrfy = false;
  CHECK_FALSE(check_server_dialogue("C: VRFY joe\nS: 252\n", off).has("vrfy"));  // 7.3
}

TEST_CASE("an address that cannot be checked gets 252", "[server][lookup][5321-3.5.3-03]") {
  check_server_dialogue("C: VRFY joe\nS: 252 2.5.0\n", on_vrfy(ehlo::replies::cannot_verify));
  check_server_dialogue("C: EXPN joe\nS: 252 2.5.0\n", on_expn(ehlo::replies::cannot_expand));
}

TEST_CASE("251 and 551 answer VRFY as they answer RCPT", "[server][lookup][5321-3.5.3-05]") {
  check_server_dialogue("C: VRFY joe\nS: 251 2.1.5 User not local; will forward to <joe@there.example>\n",
                        on_vrfy(dialogue::forward{"joe@there.example"}));
  setup how = on_vrfy(dialogue::moved{"joe@there.example"});
  check_server_dialogue("C: VRFY joe\nS: 551 5.1.6 User not local; please try <joe@there.example>\n", how);
  how.options.disclose_forwarding = false;
  CHECK(check_server_dialogue("C: VRFY joe\nS: 550\n", how).sent.find("there.example") == std::string::npos);
}

TEST_CASE("the default answers to VRFY and EXPN do not depend on the name", "[server][lookup][T46]") {
  const std::string first = check_server_dialogue("S: 220\nC: VRFY alice\nS: 252\nC: EXPN staff\nS: 502\n").sent;
  for (const std::string name : {"bob", "root@mx.example", "<postmaster@mx.example>", "\"no one\""}) {
    CAPTURE(name);
    CHECK(check_server_dialogue("S: 220\nC: VRFY " + name + "\nS: 252\nC: EXPN " + name + "\nS: 502\n").sent == first);
  }
}

// ---- The commands (4.1.1.6 to 4.1.1.8) -----------------------------------------------------------------------------------------

TEST_CASE("VRFY needs an argument and leaves all buffers alone", "[server][lookup][5321-4.1.1.6-01]") {
  const auto r = check_server_dialogue(
      "C: VRFY\nS: 501\nC: VRFY \nS: 501\nC: VRFY a b\nS: 501\nC: VRFY a\nS: 252\n" + envelope +
      "C: VRFY a\nS: 252\nC: VRFY\nS: 501\nC: RCPT TO:<c@mx.example>\nS: 250\nC: DATA\nS: 354\nC: .\nS: 250\n");
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].to.size() == 2);
}

TEST_CASE("EXPN needs an argument and leaves all buffers alone", "[server][lookup][5321-4.1.1.7-01]") {
  const std::string list = "C: EXPN l\nS: 250-2\nS: 250-2\nS: 250 2\n";
  const auto r = check_server_dialogue("C: EXPN\nS: 501\n" + list + envelope + list +
                                           "C: EXPN\nS: 501\nC: RCPT TO:<c@mx.example>\nS: 250\nC: DATA\nS: 354\nC: .\nS: 250\n",
                                       on_expn(members));
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].to.size() == 2);
}

TEST_CASE("HELP works at any time and leaves all buffers alone", "[server][lookup][5321-4.1.1.8-01]") {
  const auto r = check_server_dialogue("C: HELP\nS: 214\nC: HELP MAIL\nS: 214\n" + envelope +
                                       "C: HELP\nS: 214\nC: HELP a b\nS: 501\nC: DATA\nS: 354\nC: .\nS: 250\n");
  CHECK(r.messages.size() == 1);
}

TEST_CASE("HELP alone gets 214", "[server][lookup][5321-4.1.1.8-02]") {
  check_server_dialogue("C: HELP\nS: 214 2.0.0\n");
  setup how;
  how.options.help = "See https://mx.example/help";
  check_server_dialogue("C: HELP\nS: 214 2.0.0 See https://mx.example/help\n", how);
  how.on_help = [](const ehlo::help_question&) -> answer { return ehlo::replies::system_status; };
  check_server_dialogue("C: HELP\nS: 211\n", how);
  how.options.extensions.help = false;
  check_server_dialogue("C: HELP\nS: 502\n", how);
}

TEST_CASE("HELP with a verb tells its syntax", "[server][lookup][5321-4.1.1.8-03]") {
  const auto r = check_server_dialogue(
      "C: HELP MAIL\nS: 214 2.0.0 MAIL FROM:\nC: HELP rcpt\nS: 214 2.0.0 RCPT TO:\nC: HELP TURN\nS: 504\nC: HELP xyzzy\nS: 504\n");
  CHECK(r.has("help MAIL"));
  CHECK(r.has("help xyzzy"));
}
