// SPDX-License-Identifier: BSL-1.0
// LMTP (RFC 2033), PIPELINING (RFC 2920) and ENHANCEDSTATUSCODES (RFC 2034) by a server session.
#include <string>
#include <vector>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

setup lmtp() {
  setup out;
  out.options.protocol = ehlo::protocol::lmtp;
  return out;
}

const std::string lhlo = "C: LHLO client.example\nS: 250 mx.example\n";
const std::string two = lhlo +
                        "C: MAIL FROM:<a@client.example>\nS: 250\nC: RCPT TO:<b@mx.example>\nS: 250\nC: RCPT "
                        "TO:<no@mx.example>\nS: 550\nC: RCPT TO:<c@mx.example>\nS: 250\n";
const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";

/// What one session gives for one input: how many replies each `transmit` holds.
std::vector<std::size_t> groups(std::string_view wire, const ehlo::server_options& options) {
  std::vector<std::size_t> out;
  ehlo::server_session session{options};
  std::string_view input;
  bool fed = false;
  for (int i = 0; i < 1000; ++i) {
    const auto action = session.next(input);
    if (const auto* const a = std::get_if<ehlo::transmit>(&action)) {
      std::size_t replies = 0;
      for (std::size_t at = 0; at < a->octets.size(); at = a->octets.find('\n', at) + 1)
        replies += a->octets[at + 3] == ' ' ? 1U : 0U;
      out.push_back(replies);
    }
    if (std::holds_alternative<ehlo::receive>(action)) {
      if (fed) break;
      input = wire;
      fed = true;
    }
    if (std::holds_alternative<ehlo::close_channel>(action)) break;
    if (session.open_question().serial != 0) session.accept();
  }
  return out;
}

const ehlo::server_options plain{.hostname = "mx.example"};

}  // namespace

TEST_CASE("LHLO takes the place of EHLO", "[server][lmtp][2033-4.1-01]") {
  const auto r = check_server_dialogue(
      "C: LHLO\nS: 501\nC: LHLO [192.0.2.1]\nS: 250-mx.example\nS: 250-PIPELINING\nS: 250-SIZE\nS: 250-8BITMIME\nS: "
      "250-ENHANCEDSTATUSCODES\nS: 250-CHUNKING\nS: 250 HELP\n",
      lmtp());
  CHECK(r.has("hello LHLO [192.0.2.1]"));
}

TEST_CASE("HELO and EHLO never succeed in LMTP", "[server][lmtp][2033-4.1-02]") {
  check_server_dialogue("C: EHLO a.example\nS: 5\nC: HELO a.example\nS: 5\nC: MAIL FROM:<>\nS: 503\n", lmtp());
}

TEST_CASE("they get 500", "[server][lmtp][2033-4.1-03]") {
  check_server_dialogue("C: EHLO a.example\nS: 500\nC: HELO a.example\nS: 500\n", lmtp());
}

TEST_CASE("LHLO is not there in SMTP", "[server][lmtp][2033-4.1-04]") { check_server_dialogue("C: LHLO a.example\nS: 500\n"); }

TEST_CASE("DATA without an accepted recipient gets 503", "[server][lmtp][2033-4.2-01]") {
  check_server_dialogue(lhlo + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<no@mx.example>\nS: 550\nC: DATA\nS: 503\n", lmtp());
}

TEST_CASE("each accepted recipient has a reply at the end, in order", "[server][lmtp][2033-4.2-02]") {
  const auto r = check_server_dialogue(two + "C: DATA\nS: 354\nC: x\nC: .\nS: 250\nS: 250\nC: NOOP\nS: 250\n", lmtp());
  REQUIRE(r.messages.size() == 2);
  CHECK(r.messages[0].to == std::vector<std::string>{"<b@mx.example>"});
  CHECK(r.messages[1].to == std::vector<std::string>{"<c@mx.example>"});
}

TEST_CASE("a recipient given twice has two replies", "[server][lmtp][2033-4.2-03]") {
  check_server_dialogue(lhlo +
                            "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<b@mx.example>\nS: 250\nC: RCPT TO:<b@mx.example>\nS: 250\nC: "
                            "DATA\nS: 354\nC: .\nS: 250\nS: 250\n",
                        lmtp());
}

TEST_CASE("the replies may differ", "[server][lmtp][2033-4.2-04]") {
  setup how = lmtp();
  how.on_message = [](const ehlo::message_question& q) {
    return q.recipient == 0 ? answer{ehlo::replies::mailbox_full} : answer{ehlo::replies::message_ok};
  };
  check_server_dialogue(two + "C: DATA\nS: 354\nC: x\nC: .\nS: 452 4.2.2\nS: 250 2.6.0\nC: MAIL FROM:<>\nS: 250\n", how);
}

TEST_CASE("a message refused as a whole has the same error for each recipient", "[server][lmtp][2033-4.2-08]") {
  const auto r =
      check_server_dialogue(two + "C: DATA\nS: 354\nc: a\\nb\\r\\n\nC: .\nS: 554 5.6.0\nS: 554 5.6.0\nC: NOOP\nS: 250\n", lmtp());
  CHECK(r.messages.empty());
  CHECK(r.count("reset refused") == 1);
  setup full = lmtp();
  full.on_data_octets = [](std::string_view) { return std::optional{ehlo::replies::insufficient_storage}; };
  check_server_dialogue(two + "C: DATA\nS: 354\nC: x\nC: .\nS: 452 4.3.1\nS: 452 4.3.1\nC: NOOP\nS: 250\n", full);
}

TEST_CASE("the last chunk has a reply for each recipient, the others one", "[server][lmtp][2033-4.3-01]") {
  check_server_dialogue(two + "C: BDAT 3\nc: abc\nS: 250\nC: BDAT 0 LAST\nS: 250\nS: 250\nC: NOOP\nS: 250\n", lmtp());
}

TEST_CASE("the last chunk without a recipient has none", "[server][lmtp][2033-4.3-02]") {
  const auto r = check_server_dialogue(lhlo +
                                           "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<no@mx.example>\nS: 550\nC: BDAT 3 LAST\nc: "
                                           "abc\nC: NOOP\nS: 250\nC: MAIL FROM:<>\nS: 250\n",
                                       lmtp());
  CHECK(r.has("reset chunkless"));
}

TEST_CASE("LMTP without PIPELINING or ENHANCEDSTATUSCODES is no option", "[server][lmtp][2033-5-01]") {
  setup how = lmtp();
  CHECK(how.options.check().has_value());
  how.options.extensions.pipelining = false;
  CHECK(how.options.check().error().code == ehlo::errc::option_dependency);
  how.options.extensions.pipelining = true;
  how.options.extensions.enhanced_status_codes = false;
  CHECK(how.options.check().error().code == ehlo::errc::option_dependency);
}

TEST_CASE("LMTP lists 8BITMIME", "[server][lmtp][2033-5-02]") {
  CHECK(check_server_dialogue(lhlo, lmtp()).sent.find("\r\n250-8BITMIME\r\n") != std::string::npos);
}

TEST_CASE("the reply for a recipient leaves before the next is asked for", "[server][lmtp][2033-5-04]") {
  const ehlo::server_options options{.hostname = "mx.example", .protocol = ehlo::protocol::lmtp};
  ehlo::server_session session{options};
  std::string_view input;
  std::vector<char> order;
  bool fed = false;
  for (int i = 0; i < 60; ++i) {
    const auto action = session.next(input);
    if (std::holds_alternative<ehlo::transmit>(action)) order.push_back('t');
    if (std::holds_alternative<ehlo::message_question>(action)) order.push_back('m');
    if (std::holds_alternative<ehlo::receive>(action)) {
      if (fed) break;
      input = "LHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nRCPT TO:<d@e>\r\nDATA\r\n.\r\n";
      fed = true;
    }
    if (std::holds_alternative<ehlo::message_question>(action)) {
      if (order.back() == 'm') session.accept();
      continue;
    }
    if (session.open_question().serial != 0) session.accept();
  }
  const std::string text{order.begin(), order.end()};
  CHECK(text.find("mtm") != std::string::npos);
}

TEST_CASE("what is collected leaves before a slow decision is waited for", "[server][lmtp][2033-5-05]") {
  const ehlo::server_options options{.hostname = "mx.example", .protocol = ehlo::protocol::lmtp};
  ehlo::server_session session{options};
  std::string_view input;
  bool fed = false;
  std::uint32_t asked = 0;
  for (int i = 0; i < 60; ++i) {
    const auto action = session.next(input);
    if (const auto* const q = std::get_if<ehlo::message_question>(&action)) {
      ++asked;
      if (q->recipient == 0) {
        session.accept();
        continue;
      }
      // Not answered: nothing is kept back while the session waits.
      CHECK(std::holds_alternative<ehlo::answer_due>(session.next(input)));
      break;
    }
    if (std::holds_alternative<ehlo::receive>(action)) {
      if (fed) break;
      input = "LHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nRCPT TO:<d@e>\r\nDATA\r\n.\r\n";
      fed = true;
    }
    if (session.open_question().serial != 0) session.accept();
  }
  CHECK(asked == 2);
}

TEST_CASE("the recipients are asked for in order, so their replies are", "[server][lmtp][2033-5-08]") {
  std::vector<std::uint32_t> order;
  setup how = lmtp();
  how.whole_only = true;
  how.on_message = [&order](const ehlo::message_question& q) {
    order.push_back(q.recipient);
    return answer{ehlo::replies::message_ok};
  };
  check_server_dialogue(two + "C: DATA\nS: 354\nC: .\nS: 250\nS: 250\n", how);
  CHECK(order == std::vector<std::uint32_t>{0, 1});
}

TEST_CASE("ENHANCEDSTATUSCODES is listed without parameter, and is no verb", "[server][2034-3-01]") {
  const auto r = check_server_dialogue(hello + "C: ENHANCEDSTATUSCODES\nS: 500\n");
  CHECK(r.sent.find("\r\n250-ENHANCEDSTATUSCODES\r\n") != std::string::npos);
}

TEST_CASE("enhanced codes are given after HELO too", "[server][2034-4-05]") {
  check_server_dialogue("C: HELO c.example\nS: 250\nC: MAIL FROM:<>\nS: 250 2.1.0\nC: RCPT TO:<a@b.example>\nS: 250 2.1.5\n");
}

TEST_CASE("there is nothing for a client to switch", "[server][2034-4-06]") {
  check_server_dialogue(hello + "C: MAIL FROM:<> ENHANCEDSTATUSCODES\nS: 555\n");
  setup off;
  off.options.extensions.enhanced_status_codes = false;
  const auto r = check_server_dialogue("C: EHLO c.example\nS: 250\nC: MAIL FROM:<>\nS: 250 OK\nC: FOO\nS: 500 Syntax error\n", off);
  CHECK(r.sent.find("ENHANCED") == std::string::npos);
}

TEST_CASE("RFC 2034 6: the codes of the example", "[server][2034-6-01]") {
  setup how;
  how.options.hostname = "dbc.mtview.ca.us";
  how.on_rcpt = [](const ehlo::rcpt_question& q) -> answer {
    static const std::string_view lines[] = {"Forwarding to remote hosts disabled", "Select another host to act as your forwarder"};
    if (q.forward_path.text() == "<nosuchuser@dbc.mtview.ca.us>") return ehlo::replies::no_such_mailbox;
    if (q.forward_path.text() == "<remoteuser@isi.edu>") return *ehlo::reply::make(551, {5, 7, 1}, lines);
    return ehlo::replies::rcpt_ok;
  };
  check_server_dialogue(R"(
    C: EHLO ymir.claremont.edu
    S: 250 dbc.mtview.ca.us
    C: MAIL FROM:<ned@ymir.claremont.edu>
    S: 250 2.1.0
    C: RCPT TO:<mrose@dbc.mtview.ca.us>
    S: 250 2.1.5
    C: RCPT TO:<nosuchuser@dbc.mtview.ca.us>
    S: 550 5.1.1
    C: RCPT TO:<remoteuser@isi.edu>
    S: 551-5.7.1 Forwarding to remote hosts disabled
    S: 551 5.7.1 Select another host to act as your forwarder
    C: DATA
    S: 354
    C: text
    C: .
    S: 250 2.6.0
    C: QUIT
    S: 221 2.0.0
    CLOSE
  )",
                        how);
}

TEST_CASE("PIPELINING is listed without parameter, and brings no verb", "[server][pipelining][2920-2-01]") {
  const auto r = check_server_dialogue(hello + "C: PIPELINING\nS: 500\nC: MAIL FROM:<> PIPELINING\nS: 555\n");
  CHECK(r.sent.find("\r\n250-PIPELINING\r\n") != std::string::npos);
}

TEST_CASE("commands in a group are answered in order", "[server][pipelining][2920-3.2-01]") {
  check_server_dialogue(hello +
                        "C: MAIL FROM:<>\nC: RCPT TO:<a@b.example>\nC: RCPT TO:<no@b.example>\nC: RCPT TO:<busy@b.example>\nC: "
                        "DATA\nS: 250 2.1.0\nS: 250 2.1.5\nS: 550\nS: 450\nS: 354\n");
}

TEST_CASE("the replies to RSET, MAIL and RCPT leave together", "[server][pipelining][2920-3.2-02]") {
  CHECK(groups("EHLO a.example\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nRCPT TO:<d@e>\r\n", plain) ==
        std::vector<std::size_t>{1, 1, 4});
}

TEST_CASE("354 is given if a recipient was accepted, and only then", "[server][pipelining][2920-3.2-03]") {
  check_server_dialogue(
      hello + "C: MAIL FROM:<>\nC: RCPT TO:<no@b>\nC: DATA\nS: 250\nS: 550\nS: 503\nC: RCPT TO:<a@b>\nC: DATA\nS: 250\nS: 354\n");
}

TEST_CASE("without a recipient nothing is sent to anyone", "[server][pipelining][2920-3.2-04]") {
  const auto r =
      check_server_dialogue(hello + "C: MAIL FROM:<>\nC: RCPT TO:<no@b>\nC: DATA\nC: .\nS: 250\nS: 550\nS: 503\nS: 500\n");
  CHECK(r.messages.empty());
}

TEST_CASE("the replies to EHLO, DATA, VRFY, EXPN, QUIT and NOOP are not held back", "[server][pipelining][2920-3.2-05]") {
  CHECK(groups("EHLO a.example\r\nNOOP\r\nVRFY a\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\n.\r\nNOOP\r\nQUIT\r\n", plain) ==
        std::vector<std::size_t>{1, 1, 1, 1, 3, 2, 1});
  CHECK(groups("EXPN a\r\nRSET\r\nTURN\r\nRSET\r\n", plain) == std::vector<std::size_t>{1, 1, 2, 1});
}

TEST_CASE("the replies to unknown commands are not held back", "[server][pipelining][2920-3.2-06]") {
  CHECK(groups("RSET\r\nFOO\r\nRSET\r\n", plain) == std::vector<std::size_t>{1, 2, 1});
}

TEST_CASE("all held replies leave when the input is empty", "[server][pipelining][2920-3.2-07]") {
  CHECK(groups("RSET\r\nRSET\r\nRSET\r\n", plain) == std::vector<std::size_t>{1, 3});
  CHECK(groups("RSET\r\nRSET\r\nRSET\r\nRS", plain) == std::vector<std::size_t>{1, 3});
}

TEST_CASE("no command is waited for that has not come", "[server][pipelining][2920-3.2-08]") {
  CHECK(groups("EHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\n", plain) == std::vector<std::size_t>{1, 1, 2});
}

TEST_CASE("a command that fails takes nothing of the input with it", "[server][pipelining][2920-3.2-09]") {
  check_server_dialogue(
      hello +
      "C: MAIL FROM:<>\nC: RCPT TO:<no@b>\nC: RCPT TO:bad\nC: FOO\nC: RCPT TO:<a@b>\nS: 250\nS: 550\nS: 501\nS: 500\nS: 250\n");
}

TEST_CASE("without PIPELINING commands that come early are answered in order", "[server][pipelining][2920-3.2-11]") {
  setup how;
  how.options.extensions.pipelining = false;
  const auto r =
      check_server_dialogue("C: EHLO c.example\nC: MAIL FROM:<>\nC: RCPT TO:<a@b>\nC: RSET\nS: 250\nS: 250\nS: 250\nS: 250\n", how);
  CHECK(r.sent.find("PIPELINING") == std::string::npos);
}

TEST_CASE("RFC 2920 4: a session in four turns", "[server][pipelining][2920-4-01]") {
  const auto r = check_server_dialogue(R"(
    S: 220
    C: EHLO dbc.mtview.ca.us
    S: 250
    C: MAIL FROM:<mrose@dbc.mtview.ca.us>
    C: RCPT TO:<ned@innosoft.com>
    C: RCPT TO:<dan@innosoft.com>
    C: RCPT TO:<kvc@innosoft.com>
    C: DATA
    S: 250
    S: 250
    S: 250
    S: 250
    S: 354
    C: text
    C: .
    C: QUIT
    S: 250
    S: 221
    CLOSE
  )");
  CHECK(r.messages.at(0).to.size() == 3);
}

TEST_CASE("a refused message has as many replies as recipients, however many they are", "[server][lmtp][2033-4.2-02]") {
  setup how = lmtp();
  how.options.limits.output = 1024;
  std::string text = lhlo + "C: MAIL FROM:<a@client.example>\nS: 250\n";
  std::string replies;
  for (int i = 0; i < 60; ++i) {
    text += "C: RCPT TO:<b" + std::to_string(i) + "@mx.example>\nS: 250\n";
    replies += "S: 554 5.6.0\n";
  }
  const auto r = check_server_dialogue(text + "C: DATA\nS: 354\nC: a\\nb\nC: .\n" + replies + "C: NOOP\nS: 250\n", how);
  CHECK(r.messages.empty());
  CHECK(r.count("violation") == 1);
}

TEST_CASE("a last chunk that is refused for its size has a reply, with and without recipients", "[server][lmtp][2033-4.3-02]") {
  setup how = lmtp();
  how.options.limits.message = 65536;
  const std::string chunk = "C: BDAT 65537 LAST\nc: " + std::string(65537, 'x') + "\n";
  how.whole_only = true;
  check_server_dialogue(two + chunk + "S: 552\nS: 552\nC: RSET\nS: 250\n", how);
  // Without a recipient the order is what is wrong, and there is no reply (RFC 2033 4.3).
  check_server_dialogue(lhlo + "C: MAIL FROM:<>\nS: 250\nC: BDAT 1 LAST\nc: x\nC: NOOP\nS: 250\n", how);
  check_server_dialogue(lhlo + "C: MAIL FROM:<>\nS: 250\nC: BDAT 1\nc: x\nS: 503\nC: NOOP\nS: 250\n", how);
}
