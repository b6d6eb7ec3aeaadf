// SPDX-License-Identifier: BSL-1.0
// Replies as servers send them, and as they should not.
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/codec/reply_parser.hpp>

#include "support/catch.hpp"

namespace {

using kind = ehlo::reply_parser::step::kind;

/// Feeds `octets` in pieces of `cut` and gives the last step, its offsets counted from the first octet.
ehlo::reply_parser::step feed(ehlo::reply_parser& parser, std::string_view octets, std::size_t cut,
                              const ehlo::reply_limits& most) {
  std::size_t taken = 0;
  for (;;) {
    auto step = parser.next(octets.substr(taken, cut), most);
    taken += step.taken;
    step.taken = taken;
    if (step.what != kind::need_more || taken == octets.size()) return step;
  }
}

}  // namespace

TEST_CASE("replies with and without text, of one line and of several",
          "[codec][5321-4.2-03][5321-4.2-04][5321-4.2.1-09][5321-4.2-12]") {
  CHECK(ehlo::parse_reply("250\r\n")->text().empty());
  CHECK(ehlo::parse_reply("250 \r\n")->text().empty());
  CHECK(ehlo::parse_reply("250-a\r\n250\r\n")->line_count() == 2);
  CHECK(ehlo::parse_reply("354\r\n")->code() == 354);
  for (const int code : {259, 299, 459, 559, 599}) CHECK(ehlo::parse_reply(std::to_string(code) + " x\r\n")->code() == code);
  CHECK(ehlo::parse_reply("250 a\r\n250 b\r\n").error() == ehlo::error{ehlo::errc::trailing_octets, 7});
}

TEST_CASE("codes that differ in one reply make no reply", "[codec][5321-4.2.1-11][5321-4.2.1-12]") {
  CHECK(ehlo::parse_reply("250-a\r\n550 b\r\n").error().code == ehlo::errc::reply_codes_differ);
}

TEST_CASE("enhanced status codes count where they may stand only", "[codec][2034-4-07][2034-4-08]") {
  CHECK(ehlo::parse_reply("250 2.1.5 ok\r\n", true)->enhanced() == ehlo::enhanced_status_code{2, 1, 5});
  CHECK(ehlo::parse_reply("250 2.1.5 ok\r\n", false)->enhanced().is_none());
  CHECK(ehlo::parse_reply("550 2.0.0 hi\r\n", true)->enhanced().is_none());
  CHECK(ehlo::parse_reply("550 2.0.0 hi\r\n", true)->is_permanent());
  CHECK(ehlo::parse_reply("550-5.1.1 a\r\n550 5.1.1 b\r\n", true)->line(1) == "b");
}

TEST_CASE("a reply is bounded in octets and lines, and what is said of it does not depend on the cut",
          "[codec][threats][T7][T40][5321-4.5.3.1.5-02]") {
  const ehlo::reply_limits most{.line = 600, .lines = 5, .octets = 2000};
  std::vector<std::string> texts{"250 " + std::string(600, 'x') + "\r\n",
                                 "250-" + std::string(505, 'x') + "\r\n250 ok\r\n",
                                 "250 a\nb\r\n",
                                 "250 a\rb\r\n",
                                 std::string{"250 a\0b\r\n", 9},
                                 "hello\r\n",
                                 "250-a\r\n251 b\r\n"};
  std::string many;
  for (int i = 0; i < 9; ++i) many += "250-x\r\n";
  texts.push_back(many);
  texts.push_back("250-" + std::string(590, 'x') + "\r\n250-" + std::string(590, 'x') + "\r\n250-" + std::string(590, 'x') +
                  "\r\n250-" + std::string(590, 'x') + "\r\n");
  for (const std::string& text : texts) {
    ehlo::reply_parser whole;
    const auto wanted = feed(whole, text, text.size(), most);
    CHECK(wanted.what != kind::need_more);
    for (std::size_t cut = 1; cut < 40; ++cut) {
      ehlo::reply_parser parser;
      const auto seen = feed(parser, text, cut, most);
      CAPTURE(text, cut);
      CHECK(seen.what == wanted.what);
      CHECK(seen.reason == wanted.reason);
      CHECK(parser.size() <= most.octets);
    }
  }
}

TEST_CASE("text for people holds no control of a terminal", "[codec][threats][T24]") {
  const auto r = ehlo::parse_reply("550-\x1B[2Jgone\r\n550 caf\xC3\xA9 \xFF\x9B\r\n");
  REQUIRE(r.has_value());
  std::string out(r->octets().size(), '\0');
  out.resize(static_cast<std::size_t>(r->write_printable(out.data()) - out.data()));
  CHECK(out == "?[2Jgone caf\xC3\xA9 ??");
}

TEST_CASE("one parser reads one reply after the other, in all cuts", "[codec][5321-2.4-08]") {
  const std::string wire = "220 hi\r\n250-a\r\n250 b\r\n354\r\n550 5.1.1 no\r\n";
  for (std::size_t cut = 1; cut <= wire.size(); ++cut) {
    CAPTURE(cut);
    ehlo::reply_parser parser;
    std::vector<std::size_t> sizes;
    std::string_view rest = wire;
    while (!rest.empty()) {
      const auto step = parser.next(rest.substr(0, cut));
      REQUIRE(step.what != kind::broken);
      if (step.what == kind::complete) sizes.push_back(parser.size());
      CHECK(parser.is_amid() == (step.what == kind::need_more));
      rest.remove_prefix(step.taken);
    }
    CHECK(sizes == std::vector<std::size_t>{8, 14, 5, 14});
  }
}

TEST_CASE("a parser that is broken says so again, and a reply that breaks off is none", "[codec]") {
  ehlo::reply_parser parser;
  CHECK(parser.next("250-a\r\n550 b\r\n").reason.code == ehlo::errc::reply_codes_differ);
  const auto again = parser.next("250 ok\r\n");
  CHECK(again.what == kind::broken);
  CHECK(again.taken == 0);
  CHECK(again.reason.code == ehlo::errc::reply_codes_differ);
  for (const std::string_view part : {"", "2", "250 ok", "250 ok\r", "250-ok\r\n"}) {
    CAPTURE(part);
    CHECK(ehlo::parse_reply(part).error() == ehlo::error{ehlo::errc::reply_malformed, part.size()});
  }
}
