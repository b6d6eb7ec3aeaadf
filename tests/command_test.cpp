// SPDX-License-Identifier: BSL-1.0
#include <ehlo/command.hpp>

#include <cstddef>
#include <string>
#include <string_view>

#include "support/catch.hpp"

using ehlo::verb;

TEST_CASE("Verbs are known in any case, and nothing like them is", "[vocabulary][5321-2.4-01]") {
  for (std::size_t i = 0; i < ehlo::verb_names.size(); ++i) {
    const auto v = static_cast<verb>(i);
    const std::string name{ehlo::text_of(v)};
    CAPTURE(name);
    CHECK(ehlo::verb_of(name) == v);
    std::string lower = name;
    for (char& c : lower) c = ehlo::ascii::to_lower(c);
    CHECK(ehlo::verb_of(lower) == v);
    CHECK(ehlo::verb_of(name + "X") == verb::unknown);
    CHECK(ehlo::verb_of(" " + name) == verb::unknown);
    CHECK(ehlo::verb_of(name.substr(1)) == verb::unknown);
    // No other octet at any place is a letter of it.
    for (std::size_t at = 0; at < name.size(); ++at) {
      for (const char wrong : {'\0', '@', '[', '\x80', static_cast<char>(name[at] ^ '\x10')}) {
        std::string other = name;
        other[at] = wrong;
        if (other != name) CHECK(ehlo::verb_of(other) != v);
      }
    }
  }
  CHECK(ehlo::verb_of("") == verb::unknown);
  CHECK(ehlo::text_of(verb::unknown).empty());
}

TEST_CASE("The syntax of a verb begins with the verb, and is there for those that work", "[vocabulary]") {
  for (std::size_t i = 0; i < ehlo::verb_names.size(); ++i) {
    const auto v = static_cast<verb>(i);
    const bool works = v < verb::send;
    CAPTURE(ehlo::text_of(v));
    CHECK(ehlo::syntax_of(v).empty() == !works);
    if (works) CHECK(ehlo::syntax_of(v).starts_with(ehlo::text_of(v)));
  }
  CHECK(ehlo::syntax_of(verb::unknown).empty());
}

TEST_CASE("What a command leaves open is nothing", "[vocabulary]") {
  CHECK(ehlo::bdat_command{} == ehlo::bdat_command{0, false});
  CHECK_FALSE(ehlo::lookup_command{.name = verb::vrfy, .argument = "x", .mailbox = {}}.smtputf8);
}
