// SPDX-License-Identifier: BSL-1.0
// Where a client's memory comes from: nothing on the heap before it is needed, nothing in steady state, and never anything with
// fixed storage.
#include <array>
#include <string_view>
#include <variant>

#include <ehlo/client/session.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

namespace {

constexpr std::string_view message = "Subject: x\r\n\r\n.Hello\r\n";
constexpr std::string_view greeting = "220 hi\r\n";
constexpr std::string_view hello = "250-mx.example\r\n250-PIPELINING\r\n250 SIZE\r\n";
constexpr std::string_view accepted = "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n";
constexpr std::string_view taken = "250 taken\r\n";

/// Gives `wire` in pieces of `cut` until the session is idle or wants more than there is; counts the messages that were taken.
template <class Session>
std::size_t converse(Session& session, std::string_view wire, std::size_t cut) {
  std::size_t messages = 0;
  std::string_view input;
  bool open = true;
  while (open) {
    const ehlo::client_action action = session.next(input);
    if (std::holds_alternative<ehlo::receive>(action)) {
      input = wire.substr(0, cut);
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
std::size_t send_one(Session& session, ehlo::envelope_view mail, std::size_t cut) {
  CHECK(session.begin_transaction(mail, ehlo::traits_of(message)).has_value());
  std::size_t messages = converse(session, accepted, cut);
  messages += converse(session, taken, cut);
  return messages;
}

}  // namespace

TEST_CASE("the second message and all after it allocate nothing, however the replies are cut", "[client][memory]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  const auto mail = ehlo::fixed_envelope<200>::make("a@client.example", {"b@mx.example", "c@mx.example"});
  REQUIRE(mail.has_value());
  for (const std::size_t cut : {1U, 7U, 10000U}) {
    ehlo::client_session session{options};
    converse(session, greeting, cut);
    converse(session, hello, cut);
    CHECK(send_one(session, *mail, cut) == 1);
    const std::size_t before = counted::allocations;
    for (int i = 0; i < 10; ++i) {
      if (send_one(session, *mail, cut) != 1) FAIL("the message was not taken");
    }
    CHECK(counted::allocations == before);
  }
}

TEST_CASE("greeting and EHLO allocate nothing while they come whole", "[client][memory]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  ehlo::client_session session{options};
  const std::size_t before = counted::allocations;
  converse(session, greeting, 10000);
  converse(session, hello, 10000);
  CHECK(counted::allocations == before);
}

TEST_CASE("fixed storage and a fixed envelope never allocate", "[client][memory]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  const std::size_t before = counted::allocations;
  const auto mail = ehlo::fixed_envelope<200>::make("a@client.example", {"b@mx.example", "c@mx.example"});
  ehlo::fixed_client_session<> session{options};
  converse(session, greeting, 1);
  converse(session, hello, 1);
  const std::size_t messages = send_one(session, *mail, 1);
  const std::size_t after = counted::allocations;
  CHECK(messages == 1);
  CHECK(after == before);
}
