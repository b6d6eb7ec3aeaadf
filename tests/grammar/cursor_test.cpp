// SPDX-License-Identifier: BSL-1.0
#include <ehlo/grammar/cursor.hpp>

#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace ehlo;
using namespace std::string_view_literals;

TEST_CASE("A cursor takes from the front and says how far it is", "[grammar]") {
  cursor in{"abc.def"};
  CHECK(in.offset() == 0);
  CHECK(in.peek() == 'a');
  CHECK_FALSE(in.take('b'));
  CHECK(in.take('a'));
  CHECK(in.take_while(ascii::alpha) == "bc");
  CHECK(in.offset() == 3);
  CHECK(in.rest() == ".def");
  CHECK(in.since(1) == "bc");
  CHECK_FALSE(in.next_in(ascii::alpha));
  CHECK(in.take_while(ascii::alpha).empty());
  in.advance(2);
  CHECK(in.rest() == "ef");
  in.advance(2);
  CHECK(in.at_end());
  CHECK_FALSE(in.take('f'));
  CHECK_FALSE(in.next_in(ascii::printable));
  CHECK(in.take_while(ascii::printable).empty());
  CHECK(in.rest().empty());
}

TEST_CASE("Words inside arguments are taken without regard to the case of ASCII letters", "[grammar][5321-2.4-02][T27]") {
  for (const std::string_view text : {"FROM:x", "from:x", "fRoM:x"}) {
    cursor in{text};
    CAPTURE(text);
    CHECK(in.take_ignoring_case("FROM:"));
    CHECK(in.rest() == "x");
  }
  for (const std::string_view text : {""sv, "FROM"sv, "F\0OM:"sv, "\xC6\x92ROM:"sv, " FROM:"sv}) {
    cursor in{text};
    CAPTURE(text);
    CHECK_FALSE(in.take_ignoring_case("FROM:"));
    CHECK(in.offset() == 0);
  }
  cursor in{"\xC5\xBFIZE"};  // U+017F folds to s in other rules than ASCII
  CHECK_FALSE(in.take_ignoring_case("SIZE"));
}

TEST_CASE("A NUL is an octet like any other", "[grammar][5321-4.1.2-22][T26]") {
  cursor in{"a\0b"sv};
  CHECK(in.take_while(ascii::alpha) == "a");
  CHECK_FALSE(in.at_end());
  CHECK(in.peek() == '\0');
  CHECK(in.take('\0'));
  CHECK(in.rest() == "b");
}

TEST_CASE("match wants the rule to take the whole text", "[grammar][5321-2.4-17]") {
  const auto letters = [](cursor& in) -> result<std::string_view> {
    const std::size_t start = in.offset();
    if (in.take_while(ascii::alpha).empty()) return error{errc::empty_atom, start};
    return in.since(start);
  };
  CHECK(*grammar::match(letters, "abc") == "abc");
  CHECK(grammar::match(letters, "ab1").error() == error{errc::trailing_octets, 2});
  CHECK(grammar::match(letters, "1").error() == error{errc::empty_atom, 0});
}

}  // namespace
