// SPDX-License-Identifier: BSL-1.0
#include <ehlo/message/header_section.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "support/catch.hpp"

namespace {

using namespace ehlo;
using reader = header_section_reader;

struct told {
  std::string events;  ///< "{name}value;" for each field, "!" for each malformed line, "." for the end
  std::string body;
  std::size_t received = 0;
  bool operator==(const told&) const = default;
};

told read(std::string_view octets, std::size_t cut) {
  told out;
  reader in;
  bool done = false;
  const auto take = [&](std::string_view& input) {
    for (bool more = true; more && !done;) {
      const auto event = in.next(input);
      if (const auto* start = std::get_if<reader::field_start>(&event)) out.events += "{" + std::string{start->name} + "}";
      if (const auto* value = std::get_if<reader::field_value>(&event)) {
        REQUIRE(!value->octets.empty());
        out.events += value->octets;
      }
      if (std::holds_alternative<reader::field_end>(event)) out.events += ";";
      if (std::holds_alternative<reader::malformed_line>(event)) out.events += "!";
      if (std::holds_alternative<reader::section_end>(event)) {
        out.events += ".";
        done = true;
      }
      more = !std::holds_alternative<reader::more>(event);
    }
    if (done) out.body += input;
  };
  for (std::size_t at = 0; at < octets.size(); at += cut) {
    const std::string piece{octets.substr(at, cut)};
    std::string_view input = piece;
    take(input);
  }
  in.end_of_input();
  std::string_view none;
  if (!done) take(none);
  out.received = in.received_count();
  return out;
}

told read_in_every_cut(std::string_view octets) {
  const told whole = read(octets, std::max<std::size_t>(octets.size(), 1));
  for (std::size_t cut = 1; cut < octets.size() && cut < 40; ++cut) {
    CAPTURE(cut);
    REQUIRE(read(octets, cut) == whole);
  }
  return whole;
}

TEST_CASE("Fields are read, unfolded, up to the empty line", "[message]") {
  const auto out = read_in_every_cut("Subject: a\r\n b\r\n\tc\r\nX-Y:z\r\nEmpty:\r\n\r\nbody: x\r\n");
  CHECK(out.events == "{Subject} a b\tc;{X-Y}z;{Empty};.");
  CHECK(out.body == "body: x\r\n");
  CHECK(read_in_every_cut("\r\nbody").events == ".");
}

TEST_CASE("A section without its empty line ends with the input", "[message]") {
  CHECK(read_in_every_cut("").events == ".");
  CHECK(read_in_every_cut("A: b").events == "{A} b;.");
  CHECK(read_in_every_cut("A: b\r").events == "{A} b\r;.");
  CHECK(read_in_every_cut("A: b\r\n").events == "{A} b;.");
  CHECK(read_in_every_cut("A: b\r\nNam").events == "{A} b;!.");
  CHECK(read_in_every_cut("A: b\r\n\r").events == "{A} b;!.");
}

TEST_CASE("What a trace field looks like refuses nothing", "[message][5321-3.7.2-02]") {
  CHECK(read_in_every_cut("Received: garbage;;; (((\r\n\r\n").events == "{Received} garbage;;; (((;.");
  CHECK(read_in_every_cut("Received:\r\n\r\n").received == 1);
}

TEST_CASE("Any octets are coped with", "[message][5321-3.7.2-03]") {
  std::string binary = "Received: ";
  for (int i = 0; i < 256; ++i) binary += static_cast<char>(i);
  binary += "\r\n\xFF: x\r\n: no name\r\n leading\r\nno colon\r\na b: x\r\nOdd : y\r\n\r\n";
  const auto out = read_in_every_cut(binary);
  CHECK(out.received == 1);
  CHECK(out.events.ends_with(";!!!!!{Odd} y;."));
  CHECK(read_in_every_cut("A: b\rc\nd\r\r\n\r\n").events == "{A} b\rc\nd\r;.");
  CHECK(read_in_every_cut("x\r\r\nA: b\r\n\r\n").events == "!{A} b;.");
}

TEST_CASE("A name may have 128 octets", "[message]") {
  const std::string longest(reader::max_name, 'n');
  CHECK(read_in_every_cut(longest + ": v\r\n\r\n").events == "{" + longest + "} v;.");
  CHECK(read_in_every_cut(longest + "n: v\r\nA:b\r\n\r\n").events == "!{A}b;.");
}

TEST_CASE("Received fields are counted: a hundred are no loop", "[message][5321-6.3-01]") {
  for (const std::size_t count : {std::size_t{0}, std::size_t{99}, std::size_t{100}, std::size_t{101}}) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += i % 2 == 0 ? "Received: x\r\n" : "rEcEiVeD: x\r\n by y\r\n";
    text += "Received-SPF: x\r\n X\r\nX-Received: y\r\n\r\nReceived: in the body\r\n";
    CAPTURE(count);
    CHECK(read(text, 7).received == count);
    reader in;
    std::string_view input = text;
    while (!std::holds_alternative<reader::section_end>(in.next(input))) {
    }
    CHECK(in.is_loop() == (count > 100));
    CHECK(in.is_done());
  }
}

TEST_CASE("A loop is told by the limit that the caller gives", "[message][5321-6.3-02]") {
  reader in;
  std::string_view input = "Received: a\r\nReceived: b\r\n\r\n";
  while (!std::holds_alternative<reader::section_end>(in.next(input))) {
  }
  CHECK(in.is_loop(1));
  CHECK_FALSE(in.is_loop(2));
}

TEST_CASE("Short strings of CR, LF, colon, space and x read the same in every cut", "[message]") {
  constexpr std::string_view letters = "\r\n: x";
  for (std::size_t size = 1; size <= 6; ++size) {
    std::size_t count = 1;
    for (std::size_t i = 0; i < size; ++i) count *= letters.size();
    for (std::size_t n = 0; n < count; ++n) {
      std::string text;
      for (std::size_t i = 0, rest = n; i < size; ++i, rest /= letters.size()) text += letters[rest % letters.size()];
      const told whole = read(text, size);
      REQUIRE(read(text, 1) == whole);
      REQUIRE(read(text, 2) == whole);
    }
  }
}

}  // namespace
