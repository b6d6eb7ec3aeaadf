// SPDX-License-Identifier: BSL-1.0
// Where a client's memory comes from: nothing on the heap before it is needed, nothing in steady state, and never anything with
// fixed storage.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include <ehlo/client/session.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

namespace {

constexpr std::string_view message = "Subject: x\r\n\r\n.Hello\r\n";
constexpr std::string_view greeting = "220 hi\r\n";

/// A server: what it offers, and what it says to a message, up to the question for the message's octets and behind it.
struct server {
  std::string_view hello = "250-mx.example\r\n250-PIPELINING\r\n250 SIZE\r\n";
  std::string_view accepted = "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n";
  std::string_view taken = "250 taken\r\n";
  ehlo::protocol protocol = ehlo::protocol::smtp;
  std::uint32_t coalesced = 0;
  bool waits = false;  ///< it says nothing ahead of a command
};
constexpr server common{};

/// Gives `wire` in pieces of `cut` until the session is idle or wants more than there is; counts the messages that were taken.
template <class Session>
std::size_t converse(Session& session, std::string_view wire, std::size_t cut, bool waits = false) {
  std::size_t messages = 0;
  std::string_view input;
  bool open = true;
  while (open) {
    const ehlo::client_action action = session.next(input);
    if (std::holds_alternative<ehlo::receive>(action)) {
      input = wire.substr(0, waits ? std::min(cut, wire.find('\n') + 1) : cut);
      wire.remove_prefix(input.size());
      open = !input.empty();
    }
    if (std::holds_alternative<ehlo::idle>(action) || std::holds_alternative<ehlo::close_channel>(action)) open = false;
    if (std::holds_alternative<ehlo::mail_data_question>(action)) session.end_of_mail_data(message);
    if (const auto* const a = std::get_if<ehlo::message_result>(&action)) messages += a->is_accepted() ? 1U : 0U;
  }
  return messages;
}

/// A message on an open session, the server's octets cut.
template <class Session>
std::size_t send_one(Session& session, ehlo::envelope_view mail, std::size_t cut, const server& to = common) {
  CHECK(session.begin_transaction(mail, ehlo::traits_of(message)).has_value());
  std::size_t messages = converse(session, to.accepted, cut, to.waits);
  messages += converse(session, to.taken, cut);
  return messages;
}

}  // namespace

TEST_CASE("the second message and all after it allocate nothing, however the replies are cut", "[client][memory]") {
  const server servers[] = {
      common,
      {.hello = "250-mx\r\n250 HELP\r\n", .waits = true},
      {.hello = "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n", .accepted = "250 ok\r\n250 ok\r\n250 ok\r\n"},
      {.accepted = "250 ok\r\n250-but\r\n250 ok\r\n550 5.1.1 who is that, of whom nobody has ever heard?\r\n354 go\r\n"},
      {.coalesced = 256},
      {.taken = "250 b has it\r\n250 c has it\r\n", .protocol = ehlo::protocol::lmtp},
  };
  const auto mail = ehlo::fixed_envelope<200>::make("a@client.example", {"b@mx.example", "c@mx.example"});
  REQUIRE(mail.has_value());
  for (const server& to : servers) {
    ehlo::client_options options{.hostname = "client.example", .protocol = to.protocol, .tls = ehlo::tls_policy::never};
    options.limits.coalesced = to.coalesced;
    const std::size_t results = to.protocol == ehlo::protocol::lmtp ? 2 : 1;
    for (const std::size_t cut : {1U, 7U, 10000U}) {
      CAPTURE(to.hello, to.accepted, to.coalesced, cut);
      ehlo::client_session session{options};
      converse(session, greeting, cut);
      converse(session, to.hello, cut);
      CHECK(send_one(session, *mail, cut, to) == results);
      const std::size_t before = counted::allocations;
      for (int i = 0; i < 10; ++i) {
        if (send_one(session, *mail, cut, to) != results) FAIL("the message was not taken");
      }
      CHECK(counted::allocations == before);
    }
  }
}

TEST_CASE("a refused message, and RSET before the next, allocate nothing in steady state", "[client][memory]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  const auto mail = ehlo::fixed_envelope<200>::make("a@client.example", {"b@mx.example", "c@mx.example"});
  REQUIRE(mail.has_value());
  constexpr server refusing{.accepted = "250 ok\r\n550 no\r\n450 no\r\n554 no\r\n", .taken = "250 reset\r\n"};
  for (const std::size_t cut : {1U, 7U, 10000U}) {
    ehlo::client_session session{options};
    converse(session, greeting, cut);
    converse(session, refusing.hello, cut);
    send_one(session, *mail, cut, refusing);
    const std::size_t before = counted::allocations;
    for (int i = 0; i < 10; ++i) send_one(session, *mail, cut, refusing);
    CHECK(counted::allocations == before);
    CHECK(send_one(session, *mail, cut) == 1);
  }
}

// What the octets of a client session are for: docs/explanation/design.md gives the same account.
TEST_CASE("a client session has no octet that is not accounted for", "[client][memory]") {
  STATIC_REQUIRE(sizeof(ehlo::client_session) <= 512);
  if constexpr (sizeof(void*) == 8) {
    constexpr std::size_t storage = sizeof(ehlo::growing_storage);  // line and output: 64 inline, the rest on demand
    constexpr std::size_t learned = sizeof(ehlo::capabilities);     // what EHLO told
    constexpr std::size_t asked_for =                               // the envelope and octets of the caller, and the plan
        sizeof(ehlo::envelope_view) + sizeof(std::string_view) + sizeof(ehlo::transaction_plan) + sizeof(std::uint64_t);
    constexpr std::size_t codec = sizeof(ehlo::mail_data_writer) + sizeof(ehlo::reply_parser);
    constexpr std::size_t lmtp = 16;                                   // a bit for each of 128 recipients
    constexpr std::size_t domains = 4 * 4;                             // hashes for RCPTDOMAINMAX
    constexpr std::size_t places = sizeof(void*) + 2 * 8;              // the options, and how far the input is
    constexpr std::size_t counters = 15 * 4 + 2 * 2 + 2;               // recipients, groups, batches, tickets, waits, challenges
    constexpr std::size_t state = 5 + 2 * sizeof(ehlo::errc) + 2 + 5;  // six small enumerations, and bits
    constexpr std::size_t all = storage + learned + asked_for + codec + lmtp + domains + places + counters + state;
    STATIC_REQUIRE(all + 8 > sizeof(ehlo::client_session));  // the rest is padding
  }
}

TEST_CASE("greeting and EHLO allocate nothing while they come whole", "[client][memory]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  ehlo::client_session session{options};
  const std::size_t before = counted::allocations;
  converse(session, greeting, 10000);
  converse(session, common.hello, 10000);
  CHECK(counted::allocations == before);
}

TEST_CASE("fixed storage and a fixed envelope never allocate", "[client][memory]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  const std::size_t before = counted::allocations;
  const auto mail = ehlo::fixed_envelope<200>::make("a@client.example", {"b@mx.example", "c@mx.example"});
  ehlo::fixed_client_session<> session{options};
  converse(session, greeting, 1);
  converse(session, common.hello, 1);
  const std::size_t messages = send_one(session, *mail, 1);
  const std::size_t after = counted::allocations;
  CHECK(messages == 1);
  CHECK(after == before);
}
