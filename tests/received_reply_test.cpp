// SPDX-License-Identifier: BSL-1.0
#include <ehlo/received_reply.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/codec/reply_parser.hpp>

#include "support/catch.hpp"

namespace {

ehlo::received_reply of(std::string_view octets, bool enhanced = true) {
  const auto parsed = ehlo::parse_reply(octets, enhanced);
  REQUIRE(parsed.has_value());
  return *parsed;
}

std::string printable(const ehlo::received_reply& r) {
  std::vector<char> out(r.octets().size());
  const char* const end = r.write_printable(out.data());
  CHECK(static_cast<std::size_t>(end - out.data()) <= r.octets().size());
  return {out.data(), static_cast<std::size_t>(end - out.data())};
}

}  // namespace

TEST_CASE("No reply is code 0 without lines", "[vocabulary]") {
  const ehlo::received_reply none;
  CHECK(none.code() == 0);
  CHECK(none.line_count() == 0);
  CHECK(none.text().empty());
  CHECK(none.octets().empty());
  CHECK(none.enhanced().is_none());
  CHECK(printable(none).empty());
}

TEST_CASE("The first digit tells what kind a reply is", "[vocabulary][5321-4.2-14]") {
  const struct {
    std::string_view octets;
    bool completed, intermediate, transient, permanent;
  } rows[] = {{"250 a\r\n", true, false, false, false},
              {"354 a\r\n", false, true, false, false},
              {"450 a\r\n", false, false, true, false},
              {"550 a\r\n", false, false, false, true},
              // The first and the last code of each kind.
              {"200 a\r\n", true, false, false, false},
              {"259 a\r\n", true, false, false, false},
              {"300 a\r\n", false, true, false, false},
              {"359 a\r\n", false, true, false, false},
              {"400 a\r\n", false, false, true, false},
              {"459 a\r\n", false, false, true, false},
              {"500 a\r\n", false, false, false, true},
              {"559 a\r\n", false, false, false, true}};
  for (const auto& row : rows) {
    CAPTURE(row.octets);
    const auto r = of(row.octets);
    CHECK(r.is_completed() == row.completed);
    CHECK(r.is_intermediate() == row.intermediate);
    CHECK(r.is_transient() == row.transient);
    CHECK(r.is_permanent() == row.permanent);
    CHECK(r.is_positive() == (row.completed || row.intermediate));
  }
}

TEST_CASE("The enhanced code is taken off each line that has it, and is text where it contradicts the code",
          "[vocabulary][2034-4-03]") {
  const auto r = of("550-5.1.1 one\r\n550-5.1.2 two\r\n550-5.1.1\r\n550-\r\n550 5.1.1 \r\n");
  CHECK(r.enhanced() == ehlo::enhanced_status_code{5, 1, 1});
  CHECK(r.line_count() == 5);
  CHECK(r.line(0) == "one");
  CHECK(r.line(1) == "5.1.2 two");
  CHECK(r.line(2).empty());
  CHECK(r.line(3).empty());
  CHECK(r.line(4).empty());
  CHECK(r.text() == "one");
  CHECK(of("550 4.1.1 a\r\n").text() == "4.1.1 a");
  CHECK(of("550 5.1.1 a\r\n", false).text() == "5.1.1 a");
  CHECK(of("334 5.1.1 a\r\n").enhanced().is_none());
  CHECK(of("250\r\n").text().empty());
}

TEST_CASE("Printed, a reply is one line without controls", "[vocabulary]") {
  CHECK(printable(of("550-5.1.1 a\x1B[2J\r\n550 5.1.1 b\tc\x7F\r\n")) == "a?[2J b?c?");
  CHECK(printable(of("250 caf\xC3\xA9 \xFF\xC2\x9B\xE2\x82\r\n")) == "caf\xC3\xA9 ????");
  CHECK(printable(of("250-a\r\n250-\r\n250 b\r\n")) == "a  b");
}

TEST_CASE("Replies are equal if their octets are", "[vocabulary]") {
  CHECK(of("250 a\r\n") == of("250 a\r\n"));
  CHECK_FALSE(of("250 a\r\n") == of("250 b\r\n"));
}

TEST_CASE("what only begins like an enhanced status code is text", "[vocabulary]") {
  for (const std::string_view text : {"25 are accepted", "2", "2.x", "2.1", "2.1.x", "2..0"}) {
    CAPTURE(text);
    const std::string line = "250 " + std::string{text} + "\r\n";
    const auto r = of(line);
    CHECK(r.enhanced().is_none());
    CHECK(r.text() == text);
  }
}
