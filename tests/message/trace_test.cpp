// SPDX-License-Identifier: BSL-1.0
#include <ehlo/message/trace.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace ehlo;

received_field example() {
  return {.from = *host::parse("c.example"),
          .peer = *address_literal::parse("[192.0.2.7]"),
          .by = *host::parse("mx.example"),
          .date = *date_time::from_unix(1704099600, 60)};
}

std::string text_of(const received_field& field) {
  std::array<char, 4096> out{};
  const auto size = write(field, out);
  REQUIRE(size.has_value());
  return {out.data(), *size};
}

errc error_of(const received_field& field) {
  std::array<char, 4096> out{};
  const auto size = write(field, out);
  REQUIRE(!size);
  return size.error().code;
}

std::string unfolded(std::string text) {
  for (std::size_t at = 0; (at = text.find("\r\n\t")) != std::string::npos;) text.replace(at, 3, " ");
  return text;
}

std::string return_path_of(const reverse_path& path, charset set = charset::ascii) {
  std::array<char, 300> out{};
  const auto size = write_return_path(path, out, set);
  REQUIRE(size.has_value());
  return {out.data(), *size};
}

TEST_CASE("A Received field is written whole, in front of a message", "[message][5321-4.4-01]") {
  CHECK(unfolded(text_of(example())) ==
        "Received: from c.example ([192.0.2.7]) by mx.example with ESMTP; Mon, 1 Jan 2024 10:00:00 +0100\r\n");
  CHECK(text_of(example()) ==
        "Received: from c.example ([192.0.2.7]) by mx.example with ESMTP;\r\n\tMon, 1 Jan 2024 10:00:00 +0100\r\n");
}

TEST_CASE("A Received field begins with a FROM clause", "[message][5321-4.4-02]") {
  CHECK(text_of(example()).starts_with("Received: from c.example "));
}

TEST_CASE("FROM shows the name given and the address seen", "[message][5321-4.4-03]") {
  CHECK(text_of(example()).find("from c.example ([192.0.2.7]) by") != std::string::npos);
  auto field = example();
  field.peer_name = *domain::parse("host.example");
  CHECK(text_of(field).find("from c.example (host.example [192.0.2.7]) by") != std::string::npos);
}

TEST_CASE("An ID may be a msg-id, with an @", "[message][5321-4.4-04]") {
  auto field = example();
  field.id = "<abc@x>";
  CHECK(unfolded(text_of(field)).find("with ESMTP id <abc@x>;") != std::string::npos);
  field.id = "4T2x";
  CHECK(unfolded(text_of(field)).find("with ESMTP id 4T2x;") != std::string::npos);
}

TEST_CASE("FOR has exactly one path", "[message][5321-4.4-05]") {
  const std::array one{*forward_path::parse("<@r.example:a@mx.example>")};
  auto field = example();
  field.recipient = only_recipient(one);
  CHECK(unfolded(text_of(field)).find("with ESMTP for <a@mx.example>;") != std::string::npos);
  field.recipient = forward_path{};
  CHECK(text_of(field).find("for") == std::string::npos);
}

TEST_CASE("FOR is left out if there are several recipients", "[message][5321-7.2-01]") {
  const std::array several{*forward_path::parse("<a@mx.example>"), *forward_path::parse("<b@mx.example>")};
  auto field = example();
  field.recipient = only_recipient(several);
  CHECK_FALSE(field.recipient.has_value());
  CHECK(text_of(field).find(" for ") == std::string::npos);
  CHECK_FALSE(only_recipient({}).has_value());
}

TEST_CASE("Nothing but the fields asked for is made out of the envelope", "[message][5321-7.2-03]") {
  auto field = example();
  field.recipient = *forward_path::parse("<a@mx.example>");
  const std::string text = unfolded(text_of(field));
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.find("Apparently-To") == std::string::npos);
}

TEST_CASE("A gateway names its link in VIA", "[message][5321-3.7.2-04]") {
  auto field = example();
  field.via = "UUCP";
  CHECK(unfolded(text_of(field)).find("by mx.example via UUCP with ESMTP;") != std::string::npos);
  field.via = "two words";
  CHECK(error_of(field) == errc::trailing_octets);
}

TEST_CASE("Return-Path is the name, white space and a reverse-path", "[message][5321-4.4-15]") {
  CHECK(return_path_of(*reverse_path::parse("<a@b.example>")) == "Return-Path: <a@b.example>\r\n");
  CHECK(return_path_of(*reverse_path::parse("<@r.example:\"a b\"@b.example>")) == "Return-Path: <\"a b\"@b.example>\r\n");
}

TEST_CASE("Return-Path of a report is empty", "[message][5321-4.4-09]") { CHECK(return_path_of({}) == "Return-Path: <>\r\n"); }

TEST_CASE("FROM, BY, the optional clauses and the date come in the order of the grammar", "[message][5321-4.4-16]") {
  auto field = example();
  field.via = "TCP";
  field.comment = "TLS1.3";
  field.with = with_protocol::esmtps;
  field.id = "x";
  field.recipient = *forward_path::parse("<a@mx.example>");
  CHECK(unfolded(text_of(field)) ==
        "Received: from c.example ([192.0.2.7]) by mx.example via TCP with ESMTPS (TLS1.3) id x"
        " for <a@mx.example>; Mon, 1 Jan 2024 10:00:00 +0100\r\n");
}

TEST_CASE("VIA, WITH, ID and FOR keep their order when some are left out", "[message][5321-4.4-18]") {
  auto field = example();
  field.id = "x";
  field.via = "TCP";
  CHECK(unfolded(text_of(field)).find("via TCP with ESMTP id x;") != std::string::npos);
}

TEST_CASE("A host that is an address literal is followed by facts about the connection", "[message][5321-4.4-17]") {
  auto field = example();
  field.from = *host::parse("[192.0.2.7]");
  field.by = *host::parse("[IPv6:2001:db8::1]");
  CHECK(unfolded(text_of(field)).find("from [192.0.2.7] ([192.0.2.7]) by [IPv6:2001:db8::1] ([IPv6:2001:db8::1]) with") !=
        std::string::npos);
  field.peer.reset();
  CHECK(error_of(field) == errc::connection_facts_missing);
  field.from = *host::parse("c.example");
  CHECK(unfolded(text_of(field)).find("from c.example by") != std::string::npos);
}

TEST_CASE("WITH names the protocol that was spoken", "[message][5321-4.4-19]") {
  CHECK(text_of(with_protocol_of(false, false, false, false, false)) == "SMTP");
  CHECK(text_of(with_protocol_of(false, true, false, false, false)) == "ESMTP");
  CHECK(text_of(with_protocol_of(false, true, true, false, false)) == "ESMTPS");
  CHECK(text_of(with_protocol_of(false, true, true, true, false)) == "ESMTPSA");
  CHECK(text_of(with_protocol_of(true, true, false, false, false)) == "LMTP");
  CHECK(text_of(with_protocol_of(true, true, true, false, false)) == "LMTPS");
  CHECK(text_of(with_protocol_of(true, true, false, true, false)) == "LMTPA");
  CHECK(text_of(with_protocol_of(true, true, true, true, false)) == "LMTPSA");
}

TEST_CASE("After AUTH the protocol says so", "[message][4954-7-01]") {
  CHECK(text_of(with_protocol_of(false, true, false, true, false)) == "ESMTPA");
  CHECK(text_of(with_protocol_of(false, true, true, true, false)) == "ESMTPSA");
  auto field = example();
  field.with = with_protocol::esmtpsa;
  CHECK(unfolded(text_of(field)).find("with ESMTPSA;") != std::string::npos);
}

TEST_CASE("Only registered protocol names are written", "[message][5321-4.4-20]") {
  for (unsigned i = 0; i <= static_cast<unsigned>(with_protocol::utf8lmtpsa); ++i) {
    const std::string_view name = text_of(static_cast<with_protocol>(i));
    CAPTURE(name);
    std::string_view rest = name;
    if (rest.starts_with("UTF8"))
      rest.remove_prefix(4);
    else if (rest.starts_with('E'))
      rest.remove_prefix(1);
    REQUIRE((rest.starts_with("SMTP") || rest.starts_with("LMTP")));
    rest.remove_prefix(4);
    CHECK((rest.empty() || rest == "S" || rest == "A" || rest == "SA"));
    if (name.starts_with("SMTP")) CHECK(name == "SMTP");
  }
}

TEST_CASE("With SMTPUTF8 the protocol has one of the eight names", "[message][6531-4.3-01]") {
  constexpr std::array<std::string_view, 8> names{"UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA",
                                                  "UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA"};
  for (unsigned i = 0; i < 8; ++i) {
    CHECK(text_of(with_protocol_of((i & 4U) != 0, true, (i & 1U) != 0, (i & 2U) != 0, true)) == names[i]);
  }
}

TEST_CASE("Without SMTPUTF8 trace fields hold ASCII only", "[message][6531-3.7.3-01]") {
  auto field = example();
  field.from = *host::parse("b\xC3\xBC.example", charset::utf8);
  CHECK(error_of(field) == errc::utf8_not_allowed);
  field = example();
  field.recipient = *forward_path::parse("<\xC3\xBC@mx.example>", charset::utf8);
  CHECK(error_of(field) == errc::utf8_not_allowed);
  field = example();
  field.comment = "\xC3\xBC";
  CHECK(error_of(field) == errc::utf8_not_allowed);
  std::array<char, 300> out{};
  CHECK(write_return_path(*reverse_path::parse("<\xC3\xBC@mx.example>", charset::utf8), out).error().code ==
        errc::utf8_not_allowed);
}

TEST_CASE("With SMTPUTF8 trace fields hold U-labels", "[message][6531-3.7.3-02]") {
  auto field = example();
  field.from = *host::parse("b\xC3\xBC.example", charset::utf8);
  field.with = with_protocol::utf8smtp;
  CHECK(text_of(field).starts_with("Received: from b\xC3\xBC.example ([192.0.2.7]) by"));
  CHECK(return_path_of(*reverse_path::parse("<\xC3\xBC@b\xC3\xBC.example>", charset::utf8), charset::utf8) ==
        "Return-Path: <\xC3\xBC@b\xC3\xBC.example>\r\n");
}

TEST_CASE("Nothing in a comment ends it or the line", "[message][T21]") {
  auto field = example();
  field.comment = "x) by evil (\\";
  CHECK(unfolded(text_of(field)).find("with ESMTP (x\\) by evil \\(\\\\); Mon") != std::string::npos);
  for (const char c : {'\r', '\n', '\0', '\x1B', '\x7F', '\t'}) {
    const std::string text{'a', c};
    field.comment = text;
    CHECK(error_of(field) == errc::comment_octet);
    field.comment = {};
    const std::string id{"a"};
    field.id = text;
    CHECK(error_of(field) == errc::trailing_octets);
    field.id = {};
  }
  field.with = with_protocol::utf8smtp;
  field.comment = "\xC2\x85";
  CHECK(error_of(field) == errc::comment_octet);
  field.comment = "\xFF";
  CHECK(error_of(field) == errc::utf8_ill_formed);
}

TEST_CASE("Lines are folded before their 79th octet where a word ends, and never pass 998", "[message]") {
  auto field = example();
  std::string comment;
  for (int i = 0; i < 60; ++i) comment += "word ";
  field.comment = comment;
  const std::string label(60, 'a');
  const std::string name = label + "." + label + "." + label + "." + label;
  field.peer_name = *domain::parse(name);
  const std::string text = text_of(field);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find("\r\n", at);
    const std::string line = text.substr(at, end - at);
    CAPTURE(line);
    CHECK((line.size() <= 78 || line.find(name) != std::string::npos));
    CHECK(line.find_first_not_of(" \t") != std::string::npos);
    at = end + 2;
  }
  const std::string id(998, 'a');
  field = example();
  field.id = id;
  CHECK(error_of(field) == errc::header_line_too_long);
}

TEST_CASE("Two spaces of a comment never leave a line of nothing but white space", "[message]") {
  for (std::size_t size = 1; size <= 80; ++size) {
    CAPTURE(size);
    auto field = example();
    const std::string comment = std::string(size, 'a') + "  " + std::string(80, 'b');
    field.comment = comment;
    const std::string text = text_of(field);
    CHECK(text.find("\r\n\t\r\n") == std::string::npos);
    CHECK(text.find("\r\n \r\n") == std::string::npos);
  }
}

TEST_CASE("The FROM clause stays on its line up to the 78th octet", "[message]") {
  const auto begins = [](std::size_t from, std::size_t peer_name, std::string_view with) {
    auto field = example();
    const std::string from_text(from, 'f');
    const std::string name(peer_name, 'n');
    field.from = *host::parse(from_text);
    if (!name.empty()) field.peer_name = *domain::parse(name);
    return text_of(field).starts_with("Received: from " + from_text + std::string{with});
  };
  CHECK(begins(49, 0, " ([192.0.2.7])"));
  CHECK(begins(50, 0, "\r\n\t([192.0.2.7])"));
  CHECK(begins(1, 47, " (" + std::string(47, 'n') + " [192.0.2.7])"));
  CHECK(begins(1, 48, " (" + std::string(48, 'n') + "\r\n\t[192.0.2.7])"));
  CHECK(begins(1, 60, " (" + std::string(60, 'n') + "\r\n\t[192.0.2.7])"));
  CHECK(begins(1, 61, "\r\n\t(" + std::string(61, 'n') + " [192.0.2.7])"));
}

TEST_CASE("A field that does not fit its room is an error, at each size", "[message]") {
  const std::string whole = text_of(example());
  for (std::size_t room = 0; room < whole.size(); ++room) {
    std::string out(room, 'x');
    REQUIRE(write(example(), out) == result<std::size_t>{error{errc::header_line_too_long, room}});
  }
  std::string out(whole.size(), 'x');
  CHECK(write(example(), out) == result<std::size_t>{whole.size()});
  CHECK(out == whole);
}

constexpr bool at_compile_time() {
  std::array<char, 300> out{};
  return write_return_path({}, out) == result<std::size_t>{17};
}
static_assert(at_compile_time());

TEST_CASE("A comment with SMTPUTF8 holds UTF-8, and an ID that is no msg-id is refused", "[message][6531-3.7.3-02]") {
  std::array<char, 4096> out{};
  received_field field = example();
  field.with = with_protocol::utf8smtp;
  field.comment = "J\xC3\xB6rg";
  CHECK(text_of(field).find("(J\xC3\xB6rg)") != std::string::npos);
  field.comment = " begins with a space";
  CHECK(text_of(field).find("( begins") != std::string::npos);
  field.comment = "a\xC2\x85";
  CHECK(write(field, out).error().code == errc::comment_octet);
  field.comment = {};
  field.id = "<a@b";
  CHECK(write(field, out).error().code == errc::message_id_not_closed);
}

}  // namespace
