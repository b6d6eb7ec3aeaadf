// SPDX-License-Identifier: BSL-1.0
// A client session and a server session, joined back to back in memory over a transport that holds little: what the server stored
// is what the client sent, and neither waits for the other for ever.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"

namespace {

struct stored {
  std::string from;
  std::vector<std::string> to;
  std::string octets;
};

struct outcome {
  std::vector<stored> messages;
  std::vector<int> recipients;  ///< codes
  std::vector<int> results;     ///< codes of the messages
  std::vector<ehlo::errc> failures;
  std::string transcript;  ///< of both ends
  bool is_stuck = false;
};

/// One direction of the transport: it holds `room` octets.
struct pipe {
  std::string octets;
  std::size_t room;
  std::size_t write(std::string_view text) {
    const std::size_t count = std::min(text.size(), room - std::min(room, octets.size()));
    octets += text.substr(0, count);
    return count;
  }
};

/// An end: its session, what it is writing, and what it is reading.
template <class Session>
struct end {
  Session session;
  std::string_view writing{};
  std::string taken{};  ///< the octets given to the session as input
  std::string_view input{};
  bool wants_input = false;
  bool is_over = false;

  /// Moves octets; true if something moved.
  bool flow(pipe& out, pipe& in, std::size_t cut) {
    bool moved = false;
    if (!writing.empty()) {
      const std::size_t count = out.write(writing);
      writing.remove_prefix(count);
      moved = count > 0;
    }
    if (writing.empty() && wants_input && !in.octets.empty()) {
      taken = in.octets.substr(0, cut);
      in.octets.erase(0, taken.size());
      input = taken;
      wants_input = false;
      moved = true;
    }
    return moved;
  }
  bool may_act() const { return !is_over && writing.empty() && !wants_input; }
};

outcome join(const ehlo::client_options& client_options, const ehlo::server_options& server_options, const std::string& message,
             const std::vector<std::string>& to, std::size_t cut, std::size_t room, std::size_t piece) {
  outcome out;
  end<ehlo::client_session> client{ehlo::client_session{client_options}};
  end<ehlo::server_session> server{ehlo::server_session{server_options}};
  auto mail = ehlo::envelope::make("a@client.example");
  REQUIRE(mail.has_value());
  for (const std::string& text : to) REQUIRE(mail->add(text).has_value());
  REQUIRE(client.session.begin_transaction(*mail, ehlo::traits_of(message)).has_value());
  REQUIRE(client.session.quit().has_value());
  pipe up{{}, room};
  pipe down{{}, room};
  stored open;
  std::size_t given = 0;

  for (int turns = 0; turns < 2000000 && !(client.is_over && server.is_over); ++turns) {
    bool moved = client.flow(up, down, cut);
    moved = server.flow(down, up, cut) || moved;
    if (client.may_act()) {
      moved = true;
      std::visit(ehlo::overloaded{
                     [&](ehlo::transmit a) {
                       client.writing = a.octets;
                       out.transcript += a.octets;
                     },
                     [&](ehlo::receive) { client.wants_input = true; },
                     [&](ehlo::close_channel) { client.is_over = true; },
                     [&](const ehlo::mail_data_question& q) {
                       if (q.begin) given = 0;
                       const std::string_view octets = std::string_view{message}.substr(given, piece);
                       given += octets.size();
                       (void)(given == message.size() ? client.session.end_of_mail_data(octets) : client.session.data(octets));
                     },
                     [&](const ehlo::recipient_result& a) { out.recipients.push_back(a.reply.code()); },
                     [&](const ehlo::message_result& a) { out.results.push_back(a.reply.code()); },
                     [&](const ehlo::transaction_failed& a) { out.failures.push_back(a.reason); },
                     [&](const ehlo::failed& a) { out.failures.push_back(a.reason); },
                     [&](ehlo::question auto const&) { (void)client.session.answer_default(); },
                     [&](const auto&) {},
                 },
                 client.session.next(client.input));
    }
    if (server.may_act()) {
      moved = true;
      std::visit(ehlo::overloaded{
                     [&](ehlo::transmit a) {
                       server.writing = a.octets;
                       out.transcript += a.octets;
                     },
                     [&](ehlo::receive) { server.wants_input = true; },
                     [&](ehlo::close_channel) { server.is_over = true; },
                     [&](const ehlo::mail_question& q) {
                       open = {std::string{q.reverse_path.text()}, {}, {}};
                       (void)server.session.accept();
                     },
                     [&](const ehlo::rcpt_question& q) {
                       if (q.forward_path.text().starts_with("<no")) {
                         (void)server.session.reject(ehlo::replies::no_such_mailbox);
                       } else {
                         open.to.emplace_back(q.forward_path.text());
                         (void)server.session.accept();
                       }
                     },
                     [&](ehlo::mail_data a) { open.octets += a.octets; },
                     [&](const ehlo::message_question& q) {
                       stored one = open;
                       if (server.session.is_lmtp()) one.to = {open.to[q.recipient]};
                       out.messages.push_back(one);
                       (void)server.session.accept();
                     },
                     [&](ehlo::question auto const&) { (void)server.session.answer_default(); },
                     [&](const auto&) {},
                 },
                 server.session.next(server.input));
    }
    if (!moved) {
      out.is_stuck = true;
      break;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("what the server stored is what the client sent, over a transport that holds one batch",
          "[client][two ends][5321-4.5.2-01][3030-2-22]") {
  const std::string texts[] = {"", "\r\n", ".\r\n", "a: b\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\n",
                               std::string(5000, '.').replace(0, 0, "x: y\r\n\r\n").substr(0, 900) + "\r\n"};
  for (const bool lmtp : {false, true}) {
    for (const bool pipelining : {false, true}) {
      for (const auto chunking : {ehlo::chunking_policy::preferred, ehlo::chunking_policy::never}) {
        ehlo::client_options client{.hostname = "client.example", .tls = ehlo::tls_policy::never};
        ehlo::server_options server{.hostname = "mx.example"};
        if (lmtp) client.protocol = server.protocol = ehlo::protocol::lmtp;
        client.pipelining = pipelining;
        client.chunking = chunking;
        for (const std::string& text : texts) {
          for (const std::size_t cut : {1U, 3U, 64U, 4096U}) {
            for (const std::size_t room : {1024U, 100000U}) {
              for (const std::size_t piece : {1U, 7U, 100000U}) {
                if (piece == 1 && text.size() > 100) continue;
                client.limits.coalesced = cut == 3 ? 256 : 0;
                CAPTURE(lmtp, pipelining, static_cast<int>(chunking), text.size(), cut, room, piece);
                const auto seen = join(client, server, text, {"b@mx.example", "no@mx.example", "c@mx.example"}, cut, room, piece);
                CAPTURE(seen.transcript);
                REQUIRE_FALSE(seen.is_stuck);
                CHECK(seen.failures.empty());
                CHECK(seen.recipients == std::vector<int>{250, 550, 250});
                CHECK(seen.results.size() == (lmtp ? 2U : 1U));
                REQUIRE(seen.messages.size() == (lmtp ? 2U : 1U));
                for (const stored& one : seen.messages) CHECK(one.octets == text);
                CHECK(seen.messages.front().from == "<a@client.example>");
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("many recipients go in batches, and in LMTP in transactions of 128", "[client][two ends]") {
  for (const bool lmtp : {false, true}) {
    ehlo::client_options client{.hostname = "client.example", .tls = ehlo::tls_policy::never};
    ehlo::server_options server{.hostname = "mx.example"};
    if (lmtp) client.protocol = server.protocol = ehlo::protocol::lmtp;
    std::vector<std::string> to;
    for (int i = 0; i < 300; ++i) to.push_back((i % 7 == 0 ? "no" : "user") + std::to_string(i) + "@mx.example");
    const auto seen = join(client, server, "x: y\r\n\r\nz\r\n", to, 1000, 1024, 1000);
    CHECK_FALSE(seen.is_stuck);
    CHECK(seen.recipients.size() == 300);
    CHECK(std::ranges::count(seen.recipients, 250) == 257);
    CHECK(seen.messages.size() == (lmtp ? 257U : 1U));
    CHECK(seen.results.size() == seen.messages.size());
  }
}
