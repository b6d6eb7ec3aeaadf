// SPDX-License-Identifier: BSL-1.0
#include <ehlo/message/header_writer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/message/header_check.hpp>

#include "support/catch.hpp"

namespace {

using namespace ehlo;
using reader = header_section_reader;
using fields = std::vector<std::pair<std::string, std::string>>;

const std::array<person, 1> one{{{*mailbox::parse("joe@a.example"), {}}}};
const std::array<person, 2> two{{{*mailbox::parse("joe@a.example"), "Joe"}, {*mailbox::parse("\"x y\"@b.example"), "Ann B. C"}}};

header_section example() { return {.from = one, .date = *date_time::from_unix(1704099600, 60)}; }

std::string text_of(const header_section& section, charset set = charset::ascii) {
  std::array<char, 8192> out{};
  const auto size = write(section, out, set);
  REQUIRE(size.has_value());
  CHECK(room_for(section, set) == size);
  const std::string text{out.data(), *size};
  const header_findings found = check_header_section(text);
  CHECK((found.empty() || set == charset::utf8));
  return text;
}

error error_of(const header_section& section, charset set = charset::ascii) {
  std::array<char, 8192> out{};
  const auto size = write(section, out, set);
  REQUIRE(!size);
  return size.error();
}

/// The fields of `text`, unfolded.
fields read(std::string_view text) {
  fields out;
  reader in;
  for (;;) {
    const auto event = in.next(text);
    REQUIRE(!std::holds_alternative<reader::malformed_line>(event));
    REQUIRE(!std::holds_alternative<reader::more>(event));
    if (const auto* start = std::get_if<reader::field_start>(&event)) out.emplace_back(start->name, "");
    if (const auto* value = std::get_if<reader::field_value>(&event)) out.back().second += value->octets;
    if (std::holds_alternative<reader::section_end>(event)) break;
  }
  CHECK(text.empty());
  return out;
}

std::string from_with(std::string_view display_name, charset set = charset::ascii) {
  const std::array<person, 1> from{{{*mailbox::parse("j@a.example"), display_name}}};
  header_section section = example();
  section.from = from;
  return read(text_of(section, set)).front().second;
}

std::size_t longest_line(std::string_view text) {
  std::size_t out = 0;
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    out = std::max(out, end);
    CHECK((end == 0 || text.substr(0, end).find_first_not_of(" \t") < end));  // no line of nothing but white space
    text.remove_prefix(end + 2);
  }
  return out;
}

TEST_CASE("A header section is written with its fields in order and an empty line", "[message]") {
  const std::array<extra_field, 2> extra{{{"MIME-Version", "1.0"}, {"X-Empty", ""}}};
  header_section section = example();
  section.from = two;
  section.sender = two[0];
  section.reply_to = one;
  section.to = two;
  section.cc = one;
  section.subject = "Hello";
  section.message_id = *message_id::parse("<1@a.example>");
  section.extra = extra;
  CHECK(text_of(section) ==
        "From: Joe <joe@a.example>, \"Ann B. C\" <\"x y\"@b.example>\r\n"
        "Sender: Joe <joe@a.example>\r\n"
        "Reply-To: joe@a.example\r\n"
        "To: Joe <joe@a.example>, \"Ann B. C\" <\"x y\"@b.example>\r\n"
        "Cc: joe@a.example\r\n"
        "Subject: Hello\r\n"
        "Date: Mon, 1 Jan 2024 10:00:00 +0100\r\n"
        "Message-ID: <1@a.example>\r\n"
        "MIME-Version: 1.0\r\n"
        "X-Empty:\r\n"
        "\r\n");
}

TEST_CASE("The smallest header section is From and Date", "[message]") {
  CHECK(text_of(example()) == "From: joe@a.example\r\nDate: Mon, 1 Jan 2024 10:00:00 +0100\r\n\r\n");
}

TEST_CASE("From has an author, and several authors need a Sender", "[message]") {
  header_section section = example();
  section.from = {};
  CHECK(error_of(section).code == errc::author_missing);
  section.from = two;
  CHECK(error_of(section).code == errc::sender_missing);
  section.sender = one[0];
  text_of(section);
}

TEST_CASE("A display name is atoms where it can be, and else a quoted-string", "[message]") {
  CHECK(from_with("Joe Q Public") == " Joe Q Public <j@a.example>");
  CHECK(from_with("Joe Q. Public") == " \"Joe Q. Public\" <j@a.example>");
  CHECK(from_with("Joe  Q") == " \"Joe  Q\" <j@a.example>");
  CHECK(from_with(" ") == " \" \" <j@a.example>");
  CHECK(from_with("a\"b\\c") == " \"a\\\"b\\\\c\" <j@a.example>");
  CHECK(from_with("x@y.example, evil") == " \"x@y.example, evil\" <j@a.example>");
  CHECK(from_with("=?utf-8?Q?J=C3=B6rg?=") == " =?utf-8?Q?J=C3=B6rg?= <j@a.example>");
  CHECK(from_with("J\xC3\xB6rg", charset::utf8) == " J\xC3\xB6rg <j@a.example>");
}

TEST_CASE("UTF-8 is written where SMTPUTF8 is, and only if it is UTF-8", "[message]") {
  const std::array<person, 1> utf8{{{*mailbox::parse("j\xC3\xB6@a.example", charset::utf8), {}}}};
  header_section section = example();
  section.subject = "ab\xC3\xB6";
  CHECK(error_of(section) == error{errc::utf8_not_allowed, 2});
  CHECK(check_header_section(text_of(section, charset::utf8)).has(header_finding::needs_smtputf8));
  section.subject = "ab\xC3";
  CHECK(error_of(section, charset::utf8) == error{errc::utf8_ill_formed, 2});
  section.subject = "ab\xC2\x85";
  CHECK(error_of(section, charset::utf8) == error{errc::utf8_forbidden, 2});
  section.subject = {};
  section.to = utf8;
  CHECK(error_of(section) == error{errc::utf8_not_allowed, 1});
  text_of(section, charset::utf8);
  section.to = {};
  section.message_id = *message_id::parse("<\xC3\xB6@b>", charset::utf8);
  CHECK(error_of(section) == error{errc::utf8_not_allowed, 1});
}

TEST_CASE("A folded subject is the same octets when it is unfolded", "[message]") {
  for (std::size_t word = 1; word < 100; ++word) {
    for (std::size_t blanks = 1; blanks < 4; ++blanks) {
      std::string subject = word % 2 == 0 ? "" : "  ";
      for (int i = 0; i < 12; ++i) subject += std::string(word, 'x') + std::string(blanks, ' ');
      header_section section = example();
      section.subject = subject;
      const std::string text = text_of(section);
      CHECK(read(text)[1].second == " " + subject);
      if (word < 70) CHECK(longest_line(text) <= 78);
    }
  }
}

TEST_CASE("Long names and many recipients are folded", "[message]") {
  std::string name;
  for (int i = 0; i < 40; ++i) name += "word\"" + std::to_string(i) + " ";
  const std::string host = std::string(60, 'd') + ".example";
  const std::string address = "a@" + host;
  const std::vector<person> many(20, person{*mailbox::parse(address), name});
  const std::vector<person> plain(20, person{*mailbox::parse(address), {}});
  const std::vector<person> atoms(20, person{*mailbox::parse(address), "several atoms make one phrase as RFC 5322 says in words"});
  for (const auto& persons : {many, plain, atoms}) {
    header_section section = example();
    section.to = persons;
    std::vector<char> out(*room_for(section));
    REQUIRE(write(section, out) == result<std::size_t>{out.size()});
    const std::string text{out.data(), out.size()};
    CHECK(check_header_section(text).empty());
    CHECK(longest_line(text) <= 78);
  }
}

TEST_CASE("White space at the end of a subject or a name makes no line of its own", "[message]") {
  const std::string padded = "x" + std::string(100, ' ');
  header_section section = example();
  section.subject = padded;
  const std::string text = text_of(section);
  CHECK(longest_line(text) == 110);
  CHECK(read(text)[1].second == " " + padded);
  CHECK(from_with(padded) == " \"" + padded + "\"\t<j@a.example>");
}

TEST_CASE("An address is folded together with its brackets and comma", "[message]") {
  for (const std::string_view start : {"", "."}) {  // atoms, a quoted-string
    for (std::size_t size = 1; size < 70; ++size) {
      const std::string name = std::string{start} + std::string(size, 'x');
      const std::vector<person> persons(3, person{*mailbox::parse("j@a.example"), name});
      header_section section = example();
      section.to = persons;
      const std::string text = text_of(section);
      CHECK(longest_line(text) <= 78);
    }
  }
}

TEST_CASE("An address without a name is folded together with its comma", "[message]") {
  for (std::size_t size = 1; size < 50; ++size) {
    const std::string address = std::string(size, 'x') + "@a.example";
    const std::vector<person> persons(9, person{*mailbox::parse(address), {}});
    header_section section = example();
    section.to = persons;
    CHECK(longest_line(text_of(section)) <= 78);
  }
}

TEST_CASE("A line has at most 998 octets, and a word that cannot be folded fails", "[message]") {
  header_section section = example();
  const std::string largest(997, 'x');  // behind a fold and a space
  section.subject = largest;
  CHECK(longest_line(text_of(section)) == 998);
  const std::string larger(998, 'x');
  section.subject = larger;
  CHECK(error_of(section).code == errc::header_line_too_long);
  const std::string blanks(998, ' ');
  section.subject = blanks;
  CHECK(error_of(section).code == errc::header_line_too_long);
}

TEST_CASE("Too little room is an error, whatever the room", "[message]") {
  header_section section = example();
  section.subject = "Hello";
  const std::string whole = text_of(section);
  for (std::size_t room = 0; room < whole.size(); ++room) {
    std::vector<char> out(room);
    REQUIRE(write(section, out) == result<std::size_t>{error{errc::header_line_too_long, room}});
  }
}

TEST_CASE("An extra field has a name that is nobody else's", "[message]") {
  const auto error_with = [](std::string_view name) {
    const std::array<extra_field, 1> extra{{{name, "x"}}};
    header_section section = example();
    section.extra = extra;
    return error_of(section);
  };
  for (const std::string_view name : {"From", "sender", "REPLY-TO", "To", "cc", "Bcc", "Subject", "date", "Message-Id", "Received",
                                      "Return-Path", "Resent-Bcc"}) {
    CHECK(error_with(name) == error{errc::field_reserved, 0});
  }
  CHECK(error_with("") == error{errc::field_name, 0});
  CHECK(error_with("X:Y") == error{errc::field_name, 1});
  CHECK(error_with("Bcc ") == error{errc::field_name, 3});
  CHECK(error_with("X\xC3\xB6") == error{errc::field_name, 1});
  CHECK(error_with(std::string(129, 'x')) == error{errc::field_name, 128});
  for (const std::string_view name : {"In-Reply-To", "References"}) {
    const std::array<extra_field, 2> extra{{{name, "<a@b>"}, {name, "<a@b>"}}};
    header_section section = example();
    section.extra = extra;
    CHECK(error_of(section).code == errc::field_repeated);
  }
}

TEST_CASE("Every control octet at every position of every string is refused", "[message][threats][T18]") {
  for (int value = 0; value < 128; ++value) {
    const char c = static_cast<char>(value);
    if (!ascii::control.contains(c)) continue;
    for (std::size_t at = 0; at < 6; ++at) {
      std::string bad = "ab \"cd";
      bad.insert(at, 1, c);
      std::string bad_name = "X-Abcd";
      bad_name.insert(at, 1, c);
      const std::array<person, 2> persons{{one[0], {one[0].mailbox, bad}}};
      const std::array<extra_field, 1> value_extra{{{"X", bad}}};
      const std::array<extra_field, 1> name_extra{{{bad_name, "x"}}};
      const error wanted{errc::header_text_octet, at};
      for (const charset set : {charset::ascii, charset::utf8}) {
        header_section section = example();
        section.from = persons;
        section.sender = one[0];
        CHECK(error_of(section, set) == wanted);
        section = example();
        section.sender = persons[1];
        CHECK(error_of(section, set) == wanted);
        section = example();
        section.reply_to = persons;
        CHECK(error_of(section, set) == wanted);
        section = example();
        section.to = persons;
        CHECK(error_of(section, set) == wanted);
        section = example();
        section.cc = persons;
        CHECK(error_of(section, set) == wanted);
        section = example();
        section.subject = bad;
        CHECK(error_of(section, set) == wanted);
        section = example();
        section.extra = value_extra;
        CHECK(error_of(section, set) == wanted);
        section.extra = name_extra;
        CHECK(error_of(section, set) == error{errc::field_name, at});
      }
    }
  }
}

}  // namespace
