// SPDX-License-Identifier: BSL-1.0
// The blocks of docs/how-to/receive.md, as they stand there, in programs that run. `code_blocks_test.cpp` holds the page to this
// file.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"

namespace {

/// Takes mail for anyone, and counts its hops.
struct careful {
  void on(ehlo::mail_data a) {
    std::string_view rest = a.octets;
    while (!header.is_done() && !std::holds_alternative<ehlo::header_section_reader::more>(header.next(rest))) {
    }
    if (header.is_loop(most_hops) && !given_up) {
      given_up = session->reject(ehlo::replies::transaction_failed).has_value();
    }
  }

  static ehlo::reply on(const ehlo::rcpt_question&) { return ehlo::replies::rcpt_ok; }
  static ehlo::reply on(const ehlo::message_question&) { return ehlo::replies::message_ok; }
  void on(ehlo::transmit a) { sent += a.octets; }
  void on(ehlo::receive) { is_dry = true; }

  ehlo::server_session* session;
  std::size_t most_hops = 2;
  ehlo::header_section_reader header{};
  bool given_up = false;
  std::string sent{};
  bool is_dry = false;
};

/// The last reply to a message with so many Received fields, in pieces of `cut` octets.
std::string reply_to(int hops, std::size_t cut) {
  const ehlo::server_options options{.hostname = "mx.example.org"};
  ehlo::server_session session{options};
  careful handler{.session = &session};
  std::string wire = "EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n";
  for (int i = 0; i < hops; ++i) wire += "Received: from a.example by b.example;\r\n\tSun, 29 Nov 2026 12:00:00 +0000\r\n";
  wire += "Subject: x\r\n\r\nReceived: is text here\r\n.\r\n";
  std::string_view rest = wire;
  for (std::string_view input;;) {
    handler.is_dry = false;
    while (!handler.is_dry && ehlo::dispatch(session, session.next(input), handler)) {
    }
    if (rest.empty()) break;
    input = rest.substr(0, cut);
    rest.remove_prefix(input.size());
  }
  const std::size_t last = handler.sent.rfind('\n', handler.sent.size() - 2) + 1;
  return handler.sent.substr(last);
}

}  // namespace

TEST_CASE("the block that counts hops refuses what goes in circles, however it is cut", "[docs]") {
  for (const std::size_t cut : {1000U, 100U, 7U, 1U}) {
    CAPTURE(cut);
    CHECK(reply_to(2, cut) == "250 2.6.0 Message accepted\r\n");
    CHECK(reply_to(3, cut) == "554 5.0.0 Transaction failed\r\n");
  }
}

TEST_CASE("the block that stamps a message names both ends, the protocol and the only recipient", "[docs]") {
  const ehlo::server_options options{.hostname = "mx.example.org"};
  const ehlo::server_session session{options};
  const std::string_view client_name = "client.example";
  std::vector recipients{*ehlo::forward_path::parse("<b@example.org>")};
  const auto stamp = [&] {
    constexpr std::int64_t now = 1795953600;  // 2026-11-29 12:00
    const ehlo::received_field received{
        .from = *ehlo::host::parse(client_name, ehlo::charset::utf8),  // text of hello_question::client
        .peer = *ehlo::address_literal::parse("[192.0.2.1]"),          // the address that you see
        .by = *ehlo::host::parse("mx.example.org"),
        .with = ehlo::with_protocol_of(session),
        .id = "4711",
        .recipient = ehlo::only_recipient(recipients),  // several are not told of each other
        .date = *ehlo::date_time::from_unix(now),
    };
    std::array<char, 2048> room{};
    const std::size_t size = *ehlo::write(received, room);
    return std::string{room.data(), size};
  };
  const std::string one = stamp();
  CHECK(one ==
        "Received: from client.example ([192.0.2.1]) by mx.example.org with SMTP id\r\n"
        "\t4711 for <b@example.org>; Sun, 29 Nov 2026 12:00:00 +0000\r\n");
  recipients.push_back(*ehlo::forward_path::parse("<c@example.org>"));
  CHECK(stamp().find("<b@example.org>") == std::string::npos);
}
