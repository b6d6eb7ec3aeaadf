// SPDX-License-Identifier: BSL-1.0
// XCLIENT and XFORWARD by a client session.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "support/client_dialogue.hpp"

namespace {

using client_dialogue::setup;

setup idle_client() {
  setup how;
  how.mails.clear();
  how.options.tls = ehlo::tls_policy::never;
  how.quit = false;
  return how;
}

const std::string opening = "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250-XFORWARD NAME\nS: 250 XCLIENT NAME ADDR\n";

}  // namespace

TEST_CASE("a client that speaks for others begins again behind 220", "[client][xclient]") {
  const auto seen = check_client_dialogue(opening + R"(
    DO xclient NAME=spike.example ADDR=192.0.2.1
    C: XCLIENT NAME=spike.example ADDR=192.0.2.1
    S: 220 mx ESMTP
    C: EHLO client.example
    S: 250-mx
    S: 250 8BITMIME
    DO xclient ADDR=192.0.2.2
  )",
                                          idle_client());
  CHECK(seen.count("command") == 1);
  CHECK(seen.count("ready") == 2);
  CHECK(seen.has("xclient refused: "));  // not offered any more
}

TEST_CASE("an XCLIENT that is refused changes nothing", "[client][xclient]") {
  const auto seen = check_client_dialogue(opening + R"(
    DO xclient ADDR=192.0.2.1
    C: XCLIENT ADDR=192.0.2.1
    S: 550 insufficient authorization
    DO noop
    C: NOOP
    S: 250 ok
  )",
                                          idle_client());
  CHECK(seen.count("command") == 2);
  CHECK(seen.count("ready") == 1);
}

TEST_CASE("a positive reply to XCLIENT that is no greeting puts the ends out of step", "[client][xclient]") {
  const auto seen = check_client_dialogue(opening + R"(
    DO xclient ADDR=192.0.2.1
    C: XCLIENT ADDR=192.0.2.1
    S: 250 ok
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          idle_client());
  CHECK(seen.has("failed"));
}

TEST_CASE("XFORWARD is a single command", "[client][xforward]") {
  const auto seen = check_client_dialogue(opening + R"(
    DO xforward NAME=spike SOURCE=LOCAL
    C: XFORWARD NAME=spike SOURCE=LOCAL
    S: 250 ok
    DO xforward HELO=spike
    C: XFORWARD HELO=spike
    S: 501 what
  )",
                                          idle_client());
  CHECK(seen.count("command") == 2);
}

TEST_CASE("neither is sent to a server that does not offer it", "[client][xclient][xforward]") {
  const auto seen = check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nDO xclient ADDR=192.0.2.1\nDO xforward NAME=x\nDO raw XCLIENT "
      "ADDR=192.0.2.1\n",
      idle_client());
  CHECK(seen.has("xclient refused: "));
  CHECK(seen.has("xforward refused: "));
  CHECK(seen.has("raw refused: "));
}

TEST_CASE("a client and a server speak XCLIENT and XFORWARD with each other", "[client][server][xclient][xforward]") {
  ehlo::server_options server_options{.hostname = "mx.example"};
  server_options.extensions.xclient = server_options.extensions.xforward = true;
  const ehlo::client_options client_options{.hostname = "filter.example", .tls = ehlo::tls_policy::never};
  ehlo::server_session server{server_options};
  ehlo::client_session client{client_options};
  std::array<char, ehlo::attribute_writer::max_size> room{};
  const auto address = *ehlo::ip_address::parse_v6("2001:db8::1");
  std::string to_client;
  std::string to_server;
  std::string held;
  std::string_view server_input;
  std::string_view client_input;
  std::string told;
  bool forwarded = false;
  int idles = 0;
  const auto mail = ehlo::envelope::make("a@client.example", {"b@mx.example"});
  bool open = true;
  for (int turns = 0; open && turns < 1000; ++turns) {
    for (bool more = true; more;) {
      std::visit(ehlo::overloaded{
                     [&](ehlo::transmit a) { to_client += a.octets; },
                     [&](ehlo::receive) {
                       held = std::exchange(to_server, {});
                       server_input = held;
                       more = !held.empty();
                     },
                     [&](ehlo::close_channel) { more = false; },
                     [&](const ehlo::xclient_question& q) {
                       CHECK(q.attributes.address()->value == address);
                       told += "xclient ";
                       (void)server.accept();
                     },
                     [&](const ehlo::xforward_question& q) {
                       told += q.first ? "first " : "next ";
                       (void)server.accept();
                     },
                     [&](const ehlo::mail_question& q) {
                       forwarded = q.forwarded;
                       (void)server.accept();
                     },
                     [&](const ehlo::rcpt_question&) { (void)server.accept(); },
                     [&](const ehlo::message_question&) { (void)server.accept(); },
                     [&](const ehlo::question auto&) { (void)server.answer_default(); },
                     [&](const auto&) {},
                 },
                 server.next(server_input));
    }
    static std::string client_held;
    for (bool more = true; more;) {
      std::visit(ehlo::overloaded{
                     [&](ehlo::transmit a) { to_server += a.octets; },
                     [&](ehlo::receive) {
                       client_held = std::exchange(to_client, {});
                       client_input = client_held;
                       more = !client_held.empty();
                     },
                     [&](ehlo::idle) {
                       switch (idles++) {
                         case 0:
                           CHECK(client.xclient(*ehlo::attribute_writer{room}.put("ADDR", address).xclient()).has_value());
                           break;
                         case 1:
                           CHECK(client.xforward(*ehlo::attribute_writer{room}.put("NAME", "spike").xforward()).has_value());
                           break;
                         case 2:
                           CHECK(client.xforward(*ehlo::attribute_writer{room}.put("IDENT", "A1").xforward()).has_value());
                           break;
                         case 3: CHECK(client.begin_transaction(*mail).has_value()); break;
                         default: CHECK(client.quit().has_value());
                       }
                     },
                     [&](const ehlo::mail_data_question&) { (void)client.end_of_mail_data("Subject: x\r\n\r\nx\r\n"); },
                     [&](const ehlo::ready&) { told += "ready "; },
                     [&](const ehlo::message_result& r) { told += r.is_accepted() ? "delivered" : "lost"; },
                     [&](ehlo::close_channel) { more = open = false; },
                     [&](const auto&) {},
                 },
                 client.next(client_input));
    }
  }
  CHECK(told == "ready xclient ready first next delivered");
  CHECK(forwarded);
}

TEST_CASE("XCLIENT with a LOGIN authenticates, and without a value it does not", "[client][xclient]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  setup how = idle_client();
  how.options.mechanisms = mechanisms;
  how.options.auth_required = false;
  const std::string opened = "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 XCLIENT LOGIN\n";
  const std::string again = "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250-AUTH EXTERNAL\nS: 250 XCLIENT LOGIN\n";
  const auto named =
      check_client_dialogue(opened + "DO xclient LOGIN=joe\nC: XCLIENT LOGIN=joe\n" + again + "DO authenticate\n", how);
  CHECK(named.has("authenticate refused: " + client_dialogue::name_of(ehlo::errc::authenticated_already)));
  how.on_credentials = [](const ehlo::credentials_question&) {
    return std::optional{std::pair{std::string{}, ehlo::exchange::complete}};
  };
  const auto unnamed = check_client_dialogue(
      opened + "DO xclient LOGIN=[UNAVAILABLE]\nC: XCLIENT LOGIN=[UNAVAILABLE]\n" + again + "C: AUTH EXTERNAL =\nS: 235 ok\n", how);
  CHECK(unnamed.has("auth EXTERNAL 235"));
}
