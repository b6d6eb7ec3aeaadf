// SPDX-License-Identifier: BSL-1.0
#include <ehlo/message/message_id.hpp>

#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace ehlo;

TEST_CASE("A message identifier is two dot-atoms, or one and a literal, in angle brackets", "[message]") {
  for (const std::string_view text : {"<a@b>", "<a.b.c@d.e>", "<1234+x=y@[IPv6:::1]>", "<a@[]>"}) {
    CAPTURE(text);
    CHECK(message_id::parse(text).has_value());
  }
  CHECK(message_id::parse("<a.b@c>")->left() == "a.b");
  CHECK(message_id::parse("<a.b@c>")->right() == "c");
  CHECK(message_id::parse("<\xC3\xB6@b>", charset::utf8).has_value());
}

TEST_CASE("A wrong message identifier has its error and place", "[message]") {
  struct row {
    std::string_view text;
    error wanted;
  };
  for (const row& r : {row{"", {errc::message_id_not_opened, 0}}, row{"a@b", {errc::message_id_not_opened, 0}},
                       row{"<@b>", {errc::message_id_octet, 1}}, row{"<a>", {errc::at_sign_missing, 2}},
                       row{"<a@b", {errc::message_id_not_closed, 4}}, row{"<a@b> ", {errc::trailing_octets, 5}},
                       row{"<a@b\r\n>", {errc::message_id_not_closed, 4}}, row{"<a@[b c]>", {errc::message_id_octet, 5}},
                       row{"<\"a\"@b>", {errc::message_id_octet, 1}}, row{"<\xC3\xB6@b>", {errc::message_id_octet, 1}}}) {
    CAPTURE(r.text);
    REQUIRE(!message_id::parse(r.text));
    CHECK(message_id::parse(r.text).error() == r.wanted);
  }
}

TEST_CASE("Message identifiers are equal octet by octet", "[message]") {
  CHECK(*message_id::parse("<a@b>") == *message_id::parse("<a@b>"));
  CHECK_FALSE(*message_id::parse("<a@b>") == *message_id::parse("<A@b>"));
  CHECK_FALSE(*message_id::parse("<a@b>") == *message_id::parse("<a@B>"));
}

}  // namespace
