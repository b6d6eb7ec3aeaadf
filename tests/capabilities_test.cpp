// SPDX-License-Identifier: BSL-1.0
// What is learned from a reply to EHLO, and what is not.
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/capabilities.hpp>
#include <ehlo/codec/reply_parser.hpp>

#include "support/catch.hpp"

using ehlo::capabilities;
using ehlo::extension;

TEST_CASE("a private keyword is found in any case", "[capabilities][5321-2.2.2-01]") {
  const auto reply = ehlo::parse_reply("250-mx\r\n250 xFoo a b\r\n");
  CHECK(ehlo::find_keyword(*reply, "XFOO")->parameters == "a b");
}

TEST_CASE("the greeting of EHLO may hold any octets, and names no extension", "[capabilities][5321-4.1.1.1-10]") {
  const auto reply = ehlo::parse_reply("250-PIPELINING \x01hi\r\n250 HELP\r\n");
  REQUIRE(reply.has_value());
  CHECK_FALSE(capabilities::parse(*reply).has(extension::pipelining));
  CHECK(capabilities::parse(*reply).has(extension::help));
}

TEST_CASE("a line that is no keyword line counts for nothing", "[capabilities][5321-4.1.1.1-11]") {
  const auto reply = ehlo::parse_reply("250-mx\r\n250--SIZE 5\r\n250-S_ZE\r\n250-\r\n250 8BITMIME\r\n");
  REQUIRE(reply.has_value());
  std::vector<std::string> seen;
  ehlo::for_each_keyword(*reply, [&seen](const ehlo::keyword_line& line) { seen.emplace_back(line.keyword); });
  CHECK(seen == std::vector<std::string>{"8BITMIME"});
}

TEST_CASE("the parameters of a keyword are words", "[capabilities][5321-4.1.1.1-12]") {
  std::vector<std::string> seen;
  ehlo::for_each_word(ehlo::keyword_line::parse("AUTH PLAIN  LOGIN ")->parameters,
                      [&seen](std::string_view word) { seen.emplace_back(word); });
  CHECK(seen == std::vector<std::string>{"PLAIN", "LOGIN"});
  CHECK_FALSE(ehlo::keyword_line::parse("AUTH \x01").has_value());
}

TEST_CASE("keywords are known in any case", "[capabilities][5321-4.1.1.1-13]") {
  const auto reply = ehlo::parse_reply("250-mx\r\n250 pipelining\r\n");
  CHECK(capabilities::parse(*reply).has(extension::pipelining));
}

TEST_CASE("SMTPUTF8 with parameters is SMTPUTF8", "[capabilities][6531-3.1-02]") {
  CHECK(capabilities::parse(*ehlo::parse_reply("250-mx\r\n250 SMTPUTF8 FOO\r\n")).has(extension::smtputf8));
}

TEST_CASE("a greeting of several lines is one reply", "[capabilities][5321-4.2-06]") {
  CHECK(ehlo::parse_reply("220-s.example\r\n220-hi\r\n220 \r\n")->line_count() == 3);
}

TEST_CASE("text that begins with digits is text", "[capabilities][5321-4.2.1-12]") {
  const auto reply = ehlo::parse_reply("250-234 text\r\n250 x\r\n");
  REQUIRE(reply.has_value());
  CHECK(reply->code() == 250);
  CHECK(reply->line(0) == "234 text");
}

TEST_CASE("LIMITS among eight keywords", "[capabilities][9422-5-01]") {
  const auto reply = ehlo::parse_reply(
      "250-mx\r\n250-8BITMIME\r\n250-SIZE 1000\r\n250-LIMITS RCPTMAX=20 MAILMAX=5\r\n250-PIPELINING\r\n250-DSN\r\n250-CHUNKING\r\n"
      "250-ENHANCEDSTATUSCODES\r\n250 HELP\r\n");
  const auto offered = capabilities::parse(*reply);
  CHECK(offered.limits() == ehlo::announced_limits{.mail_max = 5, .rcpt_max = 20});
  CHECK(offered.maximum_size() == 1000);
}

TEST_CASE("each keyword is known in any case, and nothing that only looks like it", "[capabilities]") {
  for (std::size_t i = 0; i < ehlo::extension_keywords.size(); ++i) {
    std::string keyword{ehlo::extension_keywords[i]};
    CAPTURE(keyword);
    CHECK(ehlo::extension_of(keyword) == static_cast<extension>(i));
    for (char& c : keyword) c = ehlo::ascii::to_lower(c);
    CHECK(ehlo::extension_of(keyword) == static_cast<extension>(i));
    CHECK_FALSE(ehlo::extension_of(keyword + "x"));
    for (std::size_t at = 0; at < keyword.size(); ++at) {
      std::string other = keyword;
      other[at] = '0';
      CHECK_FALSE(ehlo::extension_of(other));
    }
  }
}

TEST_CASE("more than one space before the parameters of a keyword counts as one", "[capabilities]") {
  const auto reply = ehlo::parse_reply("250-mx\r\n250-SIZE   1000 \r\n250 LIMITS  RCPTMAX=7\r\n");
  const auto learned = capabilities::parse(*reply);
  CHECK(learned.maximum_size() == 1000);
  CHECK(learned.limits().rcpt_max == 7);
  CHECK(learned == capabilities::parse(*reply));
  CHECK_FALSE(learned == capabilities::parse(*ehlo::parse_reply("250-mx\r\n250-SIZE 1000\r\n250 LIMITS RCPTMAX=8\r\n")));
  CHECK_FALSE(*ehlo::keyword_line::parse("SIZE  1") == *ehlo::keyword_line::parse("SIZE 2"));
}

TEST_CASE("each keyword's parameters are its own", "[capabilities]") {
  const auto learned = [](std::string_view line) {
    const std::string octets = "250-mx\r\n250 " + std::string{line} + "\r\n";
    return capabilities::parse(*ehlo::parse_reply(octets));
  };
  CHECK(learned("DELIVERBY 240").deliver_by_minimum() == 240);
  CHECK(learned("DELIVERBY").deliver_by_minimum() == 0);
  CHECK(learned("SIZE 240").deliver_by_minimum() == 0);
  CHECK(learned("SIZE 240").maximum_size() == 240);
  CHECK(learned("DELIVERBY 240").maximum_size() == 0);
  CHECK(learned("LIMITS RCPTMAX=7").limits().rcpt_max == 7);
  CHECK(learned("XLIMITS RCPTMAX=7").limits() == ehlo::announced_limits{});
  CHECK(learned("DELIVERBY RCPTMAX=7").limits() == ehlo::announced_limits{});
}
