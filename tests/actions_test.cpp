// SPDX-License-Identifier: BSL-1.0
#include <ehlo/actions.hpp>

#include <string_view>
#include <variant>

#include <ehlo/client/session.hpp>
#include <ehlo/server/session.hpp>

#include "support/catch.hpp"

TEST_CASE("A caller that has not seen a wait yet starts no timer for a session that has not begun", "[client][server]") {
  const ehlo::server_options server_options{.hostname = "mx.example"};
  ehlo::server_session server{server_options};
  CHECK(server.timeout() == ehlo::wait{});
  const ehlo::client_options client_options{.hostname = "client.example"};
  const ehlo::client_session client{client_options};
  CHECK(client.timeout().serial == ehlo::wait{}.serial);
  CHECK(client.timeout().what == ehlo::waiting_for::greeting);
}

TEST_CASE("A ticket that nobody gave names no question, and no session gives it", "[client][server]") {
  const ehlo::server_options options{.hostname = "mx.example"};
  ehlo::server_session session{options};
  CHECK(session.open_question() == ehlo::ticket{});
  std::string_view input;
  const ehlo::server_action first = session.next(input);
  REQUIRE(std::holds_alternative<ehlo::greeting_question>(first));
  CHECK(session.open_question() == std::get<ehlo::greeting_question>(first).ticket);
  CHECK_FALSE(session.open_question() == ehlo::ticket{});
}
