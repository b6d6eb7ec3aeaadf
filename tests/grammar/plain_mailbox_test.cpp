// SPDX-License-Identifier: BSL-1.0
#include <ehlo/grammar/plain_mailbox.hpp>

#include <cstddef>
#include <string>
#include <string_view>

#include <ehlo/grammar/domain.hpp>
#include <ehlo/grammar/local_part.hpp>
#include <ehlo/grammar/parameter.hpp>
#include <ehlo/grammar/path.hpp>

#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

/// The mailbox at the front of `text` by the rules: its size, or 0.
std::size_t size_by_rules(std::string_view text) {
  ehlo::cursor in{text};
  if (!ehlo::grammar::dot_string(in) || !in.take('@') || !ehlo::grammar::domain(in)) return 0;
  return in.offset();
}

bool agrees_on_mailbox(std::string_view text) {
  const auto plain = ehlo::grammar::find_plain_mailbox(text);
  if (plain.size == 0) return true;
  const std::string_view box = text.substr(0, plain.size);
  const bool could_go_on =
      plain.size < text.size() && (ehlo::ascii::let_dig | ehlo::ascii::octet_class{".-"}).contains(text[plain.size]);
  return !could_go_on && plain.size == size_by_rules(box) && text.find('@') == plain.at &&
         ehlo::mailbox::parse_by_rules(box, ehlo::charset::ascii).has_value();
}

bool agrees_on_domain(std::string_view text) {
  ehlo::cursor in{text};
  const bool by_rules = ehlo::grammar::domain(in).has_value() && in.at_end();
  return ehlo::grammar::is_plain_domain(text) == by_rules;
}

}  // namespace

TEST_CASE("a plain mailbox is one by the rules, and ends where its Domain ends", "[grammar][5321-4.1.2-12]") {
  strings::for_each_up_to(8, "a.-@>", [](std::string_view text) {
    if (!agrees_on_mailbox(text)) FAIL(text);
  });
}

TEST_CASE("short mailboxes of letters, dots and hyphens are all plain", "[grammar]") {
  strings::for_each_up_to(8, "a.-@", [](std::string_view text) {
    // The rules stop where the Domain cannot go on; the look wants no dot and no hyphen there.
    const std::size_t by_rules = size_by_rules(text);
    if (by_rules == text.size() && ehlo::grammar::find_plain_mailbox(text).size != by_rules) FAIL(text);
  });
}

TEST_CASE("a plain domain is one by the rules, and short domains are all plain", "[grammar]") {
  strings::for_each_up_to(9, "a1.-", [](std::string_view text) {
    if (!agrees_on_domain(text)) FAIL(text);
  });
}

TEST_CASE("each octet in a mailbox, a domain and a list is judged as by the rules", "[grammar]") {
  for (unsigned value = 0; value < 256; ++value) {
    const std::string octet(1, static_cast<char>(value));
    INFO(value);
    CHECK(agrees_on_mailbox("a" + octet + "b@c.example>"));
    CHECK(agrees_on_mailbox("a@b" + octet + "c.example>"));
    CHECK(agrees_on_domain("mx" + octet + "example.org"));
  }
}

TEST_CASE("mailboxes of every size are found whole or not at all", "[grammar]") {
  for (std::size_t local = 1; local <= 70; ++local) {
    for (std::size_t domain = 1; domain <= 70; ++domain) {
      const std::string box = std::string(local, 'l') + "@" + std::string(domain, 'd');
      const auto plain = ehlo::grammar::find_plain_mailbox(box);
      CHECK(plain.size == (box.size() <= 63 ? box.size() : 0));
      const auto path = ehlo::grammar::find_plain_mailbox(box + "> SIZE=1");
      CHECK(path.size == (box.size() < 63 ? box.size() : 0));
    }
  }
}

TEST_CASE("a plain list of parameters is one by the rules, and short lists are all plain", "[grammar][5321-4.1.2-04]") {
  const auto by_rules = [](std::string_view text) {
    ehlo::cursor in{text};
    do {
      if (!ehlo::grammar::parameter(in)) return false;
    } while (in.take(' '));
    return in.at_end();
  };
  strings::for_each_up_to(8, "A-= _", [by_rules](std::string_view text) {
    if (ehlo::grammar::detail::is_plain_list(text) != by_rules(text)) FAIL(text);
  });
  for (std::size_t size = 1; size <= 70; ++size) {
    const std::string value = "SIZE=1 X=" + std::string(size, 'v');
    CHECK(ehlo::grammar::detail::is_plain_list(value) == (value.size() <= 63));
    for (unsigned octet = 0; octet < 256; ++octet) {
      const std::string text = value + static_cast<char>(octet) + "b";
      if (text.size() <= 63) CHECK(ehlo::grammar::detail::is_plain_list(text) == by_rules(text));
    }
  }
}
