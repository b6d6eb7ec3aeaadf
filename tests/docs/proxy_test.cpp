// SPDX-License-Identifier: BSL-1.0
// The code of docs/how-to/proxy.md.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"

namespace {

/// What becomes of the octets of a connection that begins with a header.
struct acceptor {
  ehlo::proxy::reader reader{ehlo::proxy::accepted_versions::two};
  ehlo::ip_address client_address{};
  std::optional<ehlo::error> fault{};
  int reads = 0;
  bool began = false;

  void close_without_a_word(ehlo::error why) { fault = why; }
  void read_more() { ++reads; }

  void take(std::string_view input) {
    const auto step = reader.next(input);
    if (!step) return close_without_a_word(step.error());  // no proxy: nothing is said to it
    if (!*step) return read_more();                        // the header is not complete
    if (const auto client = (*step)->client()) client_address = client->address;
    began = true;
  }
};

std::string written_header(const ehlo::proxy::endpoint& client, const ehlo::proxy::endpoint& server) {
  std::array<char, 64> room{};
  const ehlo::proxy::header header{.family = ehlo::proxy::family::ipv4, .source = client, .destination = server};
  const auto size = ehlo::proxy::write(header, room);
  REQUIRE(size.has_value());
  return {room.data(), *size};
}

}  // namespace

TEST_CASE("The how-to of proxies: a header is written, read in pieces, and names the client", "[docs]") {
  const ehlo::proxy::endpoint client{*ehlo::ip_address::parse_v4("192.0.2.1"), 4711};
  const std::string header = written_header(client, {*ehlo::ip_address::parse_v4("192.0.2.25"), 25});
  acceptor at;
  for (const char& octet : header) at.take({&octet, 1});
  CHECK(at.reads == static_cast<int>(header.size()) - 1);
  CHECK(at.began);
  CHECK(at.client_address == client.address);
  acceptor other;
  other.take("EHLO x\r\n");
  CHECK(other.fault.has_value());
  CHECK_FALSE(other.began);
}

TEST_CASE("The how-to of proxies: a filter speaks for a client", "[docs]") {
  const ehlo::server_options options{.hostname = "mx.example"};
  ehlo::server_options for_filters = options;
  for_filters.extensions.xclient = true;
  for_filters.xclient = "NAME ADDR PROTO HELO";
  REQUIRE(for_filters.check().has_value());
  ehlo::ip_address client_address;

  ehlo::server_session session{for_filters};
  std::string_view input;
  std::string said;
  bool was_asked = false;
  for (bool open = true; open;) {
    std::visit(ehlo::overloaded{
                   [&](ehlo::transmit a) { said += a.octets; },
                   [&](ehlo::receive) {
                     open = !was_asked;
                     input = "EHLO filter.example\r\nXCLIENT NAME=client.example ADDR=IPV6:2001:db8::1\r\n";
                   },
                   [&](const ehlo::xclient_question& q) {
                     was_asked = true;
                     if (const auto address = q.attributes.address(); address && address->value) client_address = *address->value;
                     session.accept();
                   },
                   [&](const ehlo::question auto&) { session.answer_default(); },
                   [&](const auto&) {},
               },
               session.next(input));
  }
  CHECK(client_address == ehlo::ip_address::parse_v6("2001:db8::1").value_or({}));
  CHECK(said.ends_with("\r\n220 mx.example ESMTP\r\n"));
}

TEST_CASE("The how-to of proxies: a client tells for whom it speaks", "[docs]") {
  const ehlo::proxy::endpoint client{*ehlo::ip_address::parse_v4("192.0.2.1"), 4711};
  const ehlo::client_options options{.hostname = "filter.example", .tls = ehlo::tls_policy::never};
  ehlo::client_session session{options};
  std::string_view input = "220 mx.example\r\n";
  std::string said;
  int turns = 0;
  for (bool open = true; open && turns < 50; ++turns) {
    std::visit(
        ehlo::overloaded{
            [&](ehlo::transmit a) { said += a.octets; },
            [&](ehlo::receive) {
              open = said.find("XCLIENT") == said.npos;
              input = "250-mx.example\r\n250 XCLIENT NAME ADDR\r\n";
            },
            [&](ehlo::idle) {
              std::array<char, ehlo::attribute_writer::max_size> room;
              session.xclient(*ehlo::attribute_writer{room}.put("NAME", "client.example").put("ADDR", client.address).xclient());
            },
            [&](const auto&) {},
        },
        session.next(input));
  }
  CHECK(said == "EHLO filter.example\r\nXCLIENT NAME=client.example ADDR=192.0.2.1\r\n");
}
