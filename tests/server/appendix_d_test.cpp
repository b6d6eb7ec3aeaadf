// SPDX-License-Identifier: BSL-1.0
// The dialogues of RFC 5321 Appendix D: played in every cut, and once more by the compiler, since all of a session is constexpr.
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

setup foo_com() {
  setup out;
  out.options = {.hostname = "foo.com", .greeting = "Simple Mail Transfer Service Ready"};
  out.options.extensions = {.pipelining = false, .enhanced_status_codes = false, .chunking = false, .dsn = true};
  out.on_rcpt = [](const ehlo::rcpt_question& q) {
    return q.forward_path.text() == "<Green@foo.com>" ? answer{ehlo::replies::no_such_mailbox} : answer{ehlo::replies::rcpt_ok};
  };
  out.on_hello = [](const ehlo::hello_question&) { return answer{ehlo::reply{250, "greets bar.com"}}; };
  return out;
}

const std::string greeting = R"(
    S: 220 foo.com Simple Mail Transfer Service Ready
    C: EHLO bar.com
    S: 250-foo.com greets bar.com
    S: 250-SIZE
    S: 250-8BITMIME
    S: 250-DSN
    S: 250 HELP
)";

/// What a constant session says to `wire`, the codes of its replies only.
struct codes {
  std::array<int, 32> values{};
  std::size_t count = 0;
  std::size_t messages = 0;
  std::size_t octets = 0;
  bool closed = false;
};

template <class Session>
constexpr codes converse(std::string_view wire, std::size_t cut) {
  const ehlo::server_options options{.hostname = "foo.com"};
  Session session{options};
  codes out;
  std::string_view input;
  bool line_start = true;
  bool open = true;
  while (open) {
    std::visit(ehlo::overloaded{
                   [&](ehlo::transmit a) {
                     for (std::size_t i = 0; i < a.octets.size(); ++i) {
                       if (line_start && a.octets[i + 3] == ' ')
                         out.values[out.count++] =
                             (a.octets[i] - '0') * 100 + (a.octets[i + 1] - '0') * 10 + (a.octets[i + 2] - '0');
                       line_start = a.octets[i] == '\n';
                     }
                   },
                   [&](ehlo::receive) {
                     input = wire.substr(0, cut);
                     wire.remove_prefix(input.size());
                     if (input.empty()) session.end_of_input();
                   },
                   [&](const ehlo::rcpt_question& q) {
                     q.forward_path.text() == "<Green@foo.com>" ? session.reject(ehlo::replies::no_such_mailbox) : session.accept();
                   },
                   [&](ehlo::mail_data a) { out.octets += a.octets.size(); },
                   [&](const ehlo::message_question&) {
                     ++out.messages;
                     session.accept();
                   },
                   [&](ehlo::start_tls) { session.tls_failed(); },
                   [&](ehlo::answer_due) { open = false; },
                   [&](ehlo::close_channel) {
                     open = false;
                     out.closed = true;
                   },
                   [&](const ehlo::question auto&) { session.answer_default(); },
                   [&](const ehlo::notice auto&) {},
               },
               session.next(input));
  }
  return out;
}

constexpr bool says(const codes& out, std::initializer_list<int> wanted, std::size_t messages) {
  if (out.count != wanted.size() || out.messages != messages || !out.closed) return false;
  std::size_t i = 0;
  for (const int code : wanted) {
    if (out.values[i++] != code) return false;
  }
  return true;
}

constexpr std::string_view d1 =
    "EHLO bar.com\r\nMAIL FROM:<Smith@bar.com>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT TO:<Green@foo.com>\r\nRCPT TO:<Brown@foo.com>\r\n"
    "DATA\r\nBlah blah blah...\r\n...etc. etc. etc.\r\n.\r\nQUIT\r\n";
constexpr std::string_view d2 =
    "EHLO bar.com\r\nMAIL FROM:<Smith@bar.com>\r\nRCPT TO:<Jones@foo.com>\r\nRCPT TO:<Green@foo.com>\r\nRSET\r\nQUIT\r\n";
constexpr std::string_view d3 =
    "EHLO foo.com\r\nMAIL FROM:<JQP@bar.com>\r\nRCPT TO:<Jones@XYZ.COM>\r\nDATA\r\nReceived: from bar.com by foo.com ; Thu, 21 May "
    "1998\r\n"
    "    05:33:29 -0700\r\n\r\nBill:\r\n.\r\nQUIT\r\n";
constexpr std::string_view d4 =
    "EHLO bar.com\r\nVRFY Crispin\r\nMAIL FROM:<EAK@bar.com>\r\nRCPT TO:<Admin.MRC@foo.com>\r\nDATA\r\nBlah blah "
    "blah...\r\n.\r\nQUIT\r\n";

static_assert(says(converse<ehlo::server_session>(d1, d1.size()), {220, 250, 250, 250, 550, 250, 354, 250, 221}, 1));
static_assert(says(converse<ehlo::server_session>(d1, 7), {220, 250, 250, 250, 550, 250, 354, 250, 221}, 1));
static_assert(says(converse<ehlo::fixed_server_session<>>(d1, 5), {220, 250, 250, 250, 550, 250, 354, 250, 221}, 1));
static_assert(says(converse<ehlo::server_session>(d2, d2.size()), {220, 250, 250, 250, 550, 250, 221}, 0));
static_assert(says(converse<ehlo::server_session>(d3, d3.size()), {220, 250, 250, 250, 354, 250, 221}, 1));
static_assert(says(converse<ehlo::server_session>(d4, 11), {220, 250, 252, 250, 250, 354, 250, 221}, 1));

}  // namespace

TEST_CASE("D.1: a message for two of three recipients", "[server][5321-D-01]") {
  const auto r = check_server_dialogue(greeting + R"(
    C: MAIL FROM:<Smith@bar.com>
    S: 250 OK
    C: RCPT TO:<Jones@foo.com>
    S: 250 OK
    C: RCPT TO:<Green@foo.com>
    S: 550 No such user here
    C: RCPT TO:<Brown@foo.com>
    S: 250 OK
    C: DATA
    S: 354 Start mail input; end with <CRLF>.<CRLF>
    C: Blah blah blah...
    C: ..etc. etc. etc.
    C: .
    S: 250
    C: QUIT
    S: 221 foo.com Service closing transmission channel
    CLOSE
  )",
                                       foo_com());
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].to == std::vector<std::string>{"<Jones@foo.com>", "<Brown@foo.com>"});
}

TEST_CASE("D.2: a transaction that is dropped", "[server][5321-D-02]") {
  const auto r = check_server_dialogue(greeting + R"(
    C: MAIL FROM:<Smith@bar.com>
    S: 250 OK
    C: RCPT TO:<Jones@foo.com>
    S: 250 OK
    C: RCPT TO:<Green@foo.com>
    S: 550 No such user here
    C: RSET
    S: 250 OK
    C: QUIT
    S: 221 foo.com Service closing transmission channel
    CLOSE
  )",
                                       foo_com());
  CHECK(r.messages.empty());
  CHECK(r.has("reset rset"));
}

TEST_CASE("D.3: a message that is relayed, by its second hop", "[server][5321-D-03]") {
  setup xyz;
  xyz.options = {.hostname = "xyz.com", .greeting = "Simple Mail Transfer Service Ready"};
  xyz.options.extensions = {.pipelining = false,
                            .size = false,
                            .eight_bit_mime = false,
                            .enhanced_status_codes = false,
                            .chunking = false,
                            .help = false};
  xyz.on_hello = [](const ehlo::hello_question&) { return answer{ehlo::reply{250, "is on the air"}}; };
  const auto r = check_server_dialogue(R"(
    S: 220 xyz.com Simple Mail Transfer Service Ready
    C: EHLO foo.com
    S: 250 xyz.com is on the air
    C: MAIL FROM:<JQP@bar.com>
    S: 250 OK
    C: RCPT TO:<Jones@XYZ.COM>
    S: 250 OK
    C: DATA
    S: 354 Start mail input; end with <CRLF>.<CRLF>
    C: Received: from bar.com by foo.com ; Thu, 21 May 1998
    C:     05:33:29 -0700
    C: Subject:  The Next Meeting of the Board
    C:
    C: Bill:
    C: .
    S: 250
    C: QUIT
    S: 221 xyz.com Service closing transmission channel
    CLOSE
  )",
                                       xyz);
  CHECK(r.messages.at(0).octets.starts_with("Received: from bar.com by foo.com ; Thu, 21 May 1998\r\n"));
}

TEST_CASE("D.4: a name is verified before the transaction", "[server][5321-D-04]") {
  setup how = foo_com();
  how.on_vrfy = [](const ehlo::vrfy_question&) { return answer{dialogue::listed{{{"Mark Crispin", "Admin.MRC@foo.com"}}}}; };
  check_server_dialogue(greeting + R"(
    C: VRFY Crispin
    S: 250 Mark Crispin <Admin.MRC@foo.com>
    C: MAIL FROM:<EAK@bar.com>
    S: 250 OK
    C: RCPT TO:<Admin.MRC@foo.com>
    S: 250 OK
    C: DATA
    S: 354 Start mail input; end with <CRLF>.<CRLF>
    C: Blah blah blah...
    C: .
    S: 250
    C: QUIT
    S: 221 foo.com Service closing transmission channel
  )",
                        how);
}

TEST_CASE("Received lines of earlier hops are neither changed nor deleted", "[server][5321-4.4-06]") {
  const auto r = check_server_dialogue(
      "C: EHLO c.example\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: 250\nC: DATA\nS: 354\n"
      "C: Received: (odd\\t) \\xFF;\nC: rECEIVED: x\nC:\nC: .\nS: 250\n");
  CHECK(r.messages.at(0).octets == "Received: (odd\t) \xFF;\r\nrECEIVED: x\r\n\r\n");
}

TEST_CASE("a new Received line goes on top and the order of the old ones stays", "[server][message][5321-4.4-07]") {
  const auto r = check_server_dialogue(
      "C: EHLO c.example\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: 250\nC: DATA\nS: 354\n"
      "C: Received: second\nC: Received: first\nC:\nC: .\nS: 250\n");
  const ehlo::received_field field{
      .from = *ehlo::host::parse("c.example"), .by = *ehlo::host::parse("mx.example"), .date = *ehlo::date_time::from_unix(0)};
  std::array<char, 1024> top{};
  const auto size = ehlo::write(field, top);
  REQUIRE(size.has_value());
  const std::string stored = std::string{top.data(), *size} + r.messages.at(0).octets;
  CHECK(stored.starts_with("Received: from c.example"));
  CHECK(stored.find("Received: second\r\nReceived: first\r\n") == *size);
}

TEST_CASE("a message of which only some recipients can be served is still taken whole", "[server][5321-4.4-13]") {
  // The caller answers once, for the message; whom it could not serve it reports by mail.
  const auto r = check_server_dialogue(
      "C: EHLO c.example\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: 250\nC: RCPT TO:<c@d.example>\n"
      "S: 250\nC: DATA\nS: 354\nC: x\nC: .\nS: 250 2.6.0\nC: NOOP\nS: 250\n");
  CHECK(r.count("message") == 1);
}

TEST_CASE("dots are looked at only behind CRLF and at the start", "[server][5321-4.5.2-03]") {
  setup how;
  how.options.bare_line_ends = ehlo::bare_line_ends::keep;
  const auto r = check_server_dialogue(
      "C: EHLO c.example\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: 250\nC: DATA\nS: 354\n"
      "C: ..first\nC: a\\n.b\nC: c.d.\nC: .\nS: 250\n",
      how);
  CHECK(r.messages.at(0).octets == ".first\r\na\n.b\r\nc.d.\r\n");
}

TEST_CASE("the end of mail data is found octet by octet", "[server][5321-4.5.2-04]") {
  const auto r = check_server_dialogue(
      "C: EHLO c.example\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example>\nS: 250\nC: DATA\nS: 354\n"
      "c: a\\r\nc: \\n\nc: .\nc: \\r\nc: \\n\nS: 250\nC: NOOP\nS: 250\n");
  CHECK(r.messages.at(0).octets == "a\r\n");
}
