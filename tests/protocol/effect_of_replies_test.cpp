// SPDX-License-Identifier: BSL-1.0
#include <ehlo/protocol/effect_of_replies.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/client/session.hpp>
#include <ehlo/envelope.hpp>

#include "support/catch.hpp"

namespace {

/// What a client says of a server that plays these replies, each when the session waits for octets.
struct seen {
  std::vector<ehlo::errc> reasons;
  std::string written;
};

seen play(const ehlo::client_options& options, const std::vector<std::string>& replies, ehlo::reply_row row) {
  const bool single_command = row == ehlo::reply_row::noop || row == ehlo::reply_row::quit;
  seen out;
  ehlo::client_session session{options};
  const auto mail = ehlo::envelope::make("a@client.example", {"b@mx.example"});
  if (!single_command) (void)session.begin_transaction(*mail, ehlo::message_traits{.size = 3});
  std::string_view input;
  std::size_t next = 0;
  for (bool open = true; open;) {
    std::visit(
        ehlo::overloaded{
            [&](ehlo::transmit a) { out.written += a.octets; },
            [&](ehlo::receive) {
              if (next < replies.size()) {
                input = replies[next++];
              } else {
                session.end_of_input();
              }
            },
            [&](ehlo::start_tls) { (void)session.tls_failed(); },
            [&](const ehlo::mail_data_question& q) {
              if (q.chunked && q.begin) {
                (void)session.data("x\r\n");
              } else {
                (void)session.end_of_mail_data(q.chunked ? "y\r\n" : "x\r\n");
              }
            },
            [&](const ehlo::credentials_question&) { (void)session.respond("x", ehlo::exchange::complete); },
            [&](const ehlo::failed& f) { out.reasons.push_back(f.reason); },
            [&](ehlo::idle) { (void)(row == ehlo::reply_row::noop && next < replies.size() ? session.noop() : session.quit()); },
            [&](ehlo::close_channel) { open = false; },
            [&](const auto&) {},
        },
        session.next(input));
  }
  return out;
}

/// The replies that lead to a state in which a reply of this row is due.
std::vector<std::string> before(ehlo::reply_row row) {
  std::vector<std::string> out{"220 hi\r\n"};
  const auto then = [&out](const char* reply) { out.emplace_back(reply); };
  switch (row) {
    case ehlo::reply_row::connection: out.clear(); break;
    case ehlo::reply_row::hello: break;
    case ehlo::reply_row::starttls: then("250-mx\r\n250 STARTTLS\r\n"); break;
    case ehlo::reply_row::auth: then("250-mx\r\n250 AUTH PLAIN\r\n"); break;
    case ehlo::reply_row::mail:
    case ehlo::reply_row::noop:
    case ehlo::reply_row::quit: then("250 mx\r\n"); break;
    case ehlo::reply_row::rcpt: then("250 mx\r\n"), then("250 ok\r\n"); break;
    case ehlo::reply_row::data: then("250 mx\r\n"), then("250 ok\r\n"), then("250 ok\r\n"); break;
    case ehlo::reply_row::message: then("250 mx\r\n"), then("250 ok\r\n"), then("250 ok\r\n"), then("354 go\r\n"); break;
    case ehlo::reply_row::rset: then("250 mx\r\n"), then("250 ok\r\n"), then("550 no\r\n"); break;
    case ehlo::reply_row::chunk: then("250-mx\r\n250 CHUNKING\r\n"), then("250 ok\r\n"), then("250 ok\r\n"); break;
    default: break;
  }
  return out;
}

}  // namespace

TEST_CASE("the session does what each cell of the table says, whatever the code of its class",
          "[protocol][client][5321-4.2.1-01][5321-4.2-14][5321-4.2-15]") {
  using enum ehlo::reply_row;
  static constexpr ehlo::auth_mechanism plain[] = {ehlo::mechanisms::plain};
  for (const ehlo::reply_row row : {connection, hello, mail, rcpt, data, message, rset, noop, quit, chunk, starttls, auth}) {
    ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
    options.helo_fallback = false;
    if (row == starttls) options.tls = ehlo::tls_policy::required;
    if (row == auth) {
      options.mechanisms = plain;
      options.auth_without_tls = true;
    }
    for (const int code : {200, 220, 221, 235, 250, 259, 300, 334, 354, 359, 400, 459, 500, 535, 559}) {
      CAPTURE(ehlo::text_of(row), code);
      auto replies = before(row);
      replies.push_back(std::to_string(code) + " x\r\n");
      const auto found = play(options, replies, row);
      const bool is_broken = !found.reasons.empty() && found.reasons[0] == ehlo::errc::unexpected_reply;
      CHECK(is_broken == (ehlo::effect_of_reply(row, code) == ehlo::reply_effect::broken));
    }
  }
}

TEST_CASE("where something follows that cannot be taken back, one code alone leads on", "[protocol][5321-3.3-14]") {
  using enum ehlo::reply_row;
  for (int code = 200; code < 600; ++code) {
    CAPTURE(code);
    CHECK((ehlo::effect_of_reply(data, code) == ehlo::reply_effect::go_on) == (code == 354));
    CHECK((ehlo::effect_of_reply(starttls, code) == ehlo::reply_effect::done) == (code == 220));
    CHECK((ehlo::effect_of_reply(xclient, code) == ehlo::reply_effect::done) == (code == 220));
    CHECK((ehlo::effect_of_reply(auth, code) == ehlo::reply_effect::go_on) == (code == 334));
    CHECK(ehlo::effect_of_reply(quit, code) == ehlo::reply_effect::done);
  }
  CHECK(ehlo::text_of(ehlo::reply_effect::go_on) == "go on");
}

TEST_CASE("4yz and 5yz refuse every command but QUIT", "[protocol][5321-4.2-14]") {
  for (std::size_t row = 0; row < ehlo::effect_of_replies.size(); ++row) {
    if (static_cast<ehlo::reply_row>(row) == ehlo::reply_row::quit) continue;
    for (int code = 400; code < 600; ++code) {
      CAPTURE(row, code);
      CHECK(ehlo::effect_of_reply(static_cast<ehlo::reply_row>(row), code) == ehlo::reply_effect::refused);
    }
  }
}
