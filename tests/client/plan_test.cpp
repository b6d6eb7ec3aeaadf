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
