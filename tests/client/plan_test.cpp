// SPDX-License-Identifier: BSL-1.0
// What cannot go as asked is refused before an octet of it leaves.
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

TEST_CASE("what cannot go as asked is refused before an octet of it leaves", "[client]") {
  const auto refused = [](client_dialogue::mail mail, const std::string& keywords) {
    client_dialogue::setup how;
    how.mails = {std::move(mail)};
    const auto seen = check_client_dialogue(
        "S: 220 hi\nC: EHLO client.example\nS: 250-mx\n" + keywords + "S: 250 HELP\nC: QUIT\nS: 221 bye\nCLOSE\n", how);
    return seen.events.back();
  };
  CHECK(refused({.to = {"\xC3\xA9@mx.example"}}, "") ==
        "transaction failed: " + client_dialogue::name_of(ehlo::errc::smtputf8_not_offered));
  CHECK(refused({.octets = "a: b\r\n\r\n\xE9\r\n"}, "") ==
        "transaction failed: " + client_dialogue::name_of(ehlo::errc::eight_bit_mime_not_offered));
  CHECK(refused({}, "S: 250-SIZE 20\n") == "transaction failed: " + client_dialogue::name_of(ehlo::errc::size_over_limit));
  CHECK(refused({.octets = "a\nb\r\n"}, "") == "transaction failed: " + client_dialogue::name_of(ehlo::errc::bare_line_end));
  CHECK(refused({.options = {.ret = ehlo::ret_type::full}}, "") ==
        "transaction failed: " + client_dialogue::name_of(ehlo::errc::dsn_not_offered));
  CHECK(refused({.options = {.require_tls = true}}, "S: 250-REQUIRETLS\n") ==
        "transaction failed: " + client_dialogue::name_of(ehlo::errc::require_tls_not_offered));
}

TEST_CASE("what the server does not offer, or the client does not want, is the reason for no plan", "[client][plan]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  const auto plan = [](std::string_view ehlo_reply, const ehlo::message_traits& traits, const ehlo::client_options& with,
                       const ehlo::sender_options& sender = {}) {
    const auto mail = ehlo::envelope::make("a@client.example", {"b@mx.example"}, sender);
    REQUIRE(mail.has_value());
    return ehlo::plan_transaction(*mail, traits, {ehlo::capabilities::parse(*ehlo::parse_reply(ehlo_reply))}, with);
  };
  const ehlo::message_traits binary{.body = ehlo::body_type::binary};
  constexpr std::string_view both = "250-mx\r\n250-CHUNKING\r\n250 BINARYMIME\r\n";
  CHECK(plan(both, binary, options)->chunked);
  CHECK(plan("250-mx\r\n250 BINARYMIME\r\n", binary, options).error().code == ehlo::errc::binary_mime_not_offered);
  ehlo::client_options with = options;
  with.chunking = ehlo::chunking_policy::never;
  CHECK(plan(both, binary, with).error().code == ehlo::errc::binary_mime_not_offered);

  // What is made CRLF, and the CRLF that the last line lacks, are declared with the rest (RFC 1870 6.1).
  const ehlo::message_traits text{.size = 100, .body = ehlo::body_type::seven_bit, .open_line = true, .bare_line_ends = 2};
  constexpr std::string_view sized = "250-mx\r\n250 SIZE 1000\r\n";
  CHECK(plan(sized, text, options).error().code == ehlo::errc::bare_line_end);
  with.line_ends = ehlo::line_ends::normalize;
  CHECK(plan(sized, text, with)->size == 104U);
  CHECK(plan("250-mx\r\n250 SIZE 103\r\n", text, with).error().code == ehlo::errc::size_over_limit);

  // The caller's own parameters, of which these options know none.
  ehlo::sender_options own;
  own.by = ehlo::deliver_by{60, ehlo::by_mode::return_message};
  own.hold = ehlo::hold_until{*ehlo::timestamp::parse("2026-01-02T03:04:05Z")};
  constexpr std::string_view times = "250-mx\r\n250-DELIVERBY\r\n250 FUTURERELEASE 1000 2030-01-01T00:00:00Z\r\n";
  CHECK(plan(times, {}, options, own).has_value());
  own.hold = ehlo::hold_for{60};
  CHECK(plan(times, {}, options, own).error().code == ehlo::errc::hold_after_deliver_by);
}
