// SPDX-License-Identifier: BSL-1.0
// The grammar of the library against a recognizer made from the ABNF: on all short strings, and on the neighbours of what is right.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/grammar/address_literal.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/domain.hpp>
#include <ehlo/grammar/local_part.hpp>
#include <ehlo/grammar/parameter.hpp>
#include <ehlo/grammar/path.hpp>
#include <ehlo/grammar/xtext.hpp>

#include "grammar/rfc5321_abnf.hpp"
#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using ehlo::charset;

/// One production: its name in the ABNF, and what the library says.
struct production {
  const char* rule;
  bool (*library)(std::string_view);
};

const production domain{"Domain", [](std::string_view t) { return ehlo::domain::parse(t).has_value(); }};
const production literal{"address-literal", [](std::string_view t) { return ehlo::address_literal::parse(t).has_value(); }};
const production local_part{"Local-part", [](std::string_view t) { return ehlo::local_part::parse(t).has_value(); }};
const production mailbox{"Mailbox", [](std::string_view t) { return ehlo::mailbox::parse(t).has_value(); }};
const production reverse_path{"Reverse-path", [](std::string_view t) { return ehlo::reverse_path::parse(t).has_value(); }};
const production forward_path{"Forward-path", [](std::string_view t) { return ehlo::forward_path::parse(t).has_value(); }};
const production parameters{"Mail-parameters",
                            [](std::string_view t) { return !t.empty() && ehlo::parameter_list::parse(t).has_value(); }};
const production string{"String", [](std::string_view t) {
                          return ehlo::grammar::match([](ehlo::cursor& in, charset s) { return ehlo::grammar::string(in, s); }, t,
                                                      charset::ascii)
                              .has_value();
                        }};
const production xtext{"xtext", [](std::string_view t) { return ehlo::xtext::parse(t).has_value(); }};

/// The first text of those visited on which both differ.
class comparison {
 public:
  explicit comparison(const production& one) : one_{one} {}
  void operator()(std::string_view text) {
    ++count_;
    const bool wanted = abnf::rfc5321().matches(one_.rule, text);
    if (wanted) ++accepted_;
    if (wanted != one_.library(text) && wrong_.empty()) wrong_ = (wanted ? "refused: " : "accepted: ") + std::string{text};
  }
  void check(std::size_t least_accepted) const {
    CAPTURE(one_.rule, count_, accepted_);
    CHECK(wrong_ == "");
    CHECK(accepted_ >= least_accepted);
  }

 private:
  const production& one_;
  std::string wrong_;
  std::size_t count_ = 0;
  std::size_t accepted_ = 0;
};

/// The text, and it with one octet changed, put in or taken out.
template <class Visit>
void for_each_neighbour(std::string_view text, std::string_view alphabet, Visit visit) {
  visit(text);
  for (std::size_t at = 0; at <= text.size(); ++at) {
    for (const char c : alphabet) {
      std::string other{text};
      visit(std::string_view{other.insert(at, 1, c)});
      if (at == text.size()) continue;
      other = text;
      other[at] = c;
      visit(std::string_view{other});
    }
    if (at == text.size()) continue;
    std::string other{text};
    visit(std::string_view{other.erase(at, 1)});
  }
}

}  // namespace

TEST_CASE("the recognizer reads ABNF as RFC 5234 says", "[grammar][abnf]") {
  const abnf::grammar rules{
      "top = 1*2one [two] / %x41-43 3(\"x\") ; a comment\n  / \"Ab;c\" %d65.66 / %s\"Q\"\none = \"1\"\ntwo = *one \"2\"\n"};
  for (const char* text : {"1", "11", "12", "1112", "Axxx", "CXXX", "aB;CAB", "Q", "1111112"}) CHECK(rules.matches("TOP", text));
  for (const char* text : {"", "111", "2", "Dxxx", "Axx", "ab;cab", "q", "121"}) CHECK_FALSE(rules.matches("top", text));
  CHECK_THROWS(abnf::grammar{"top = nobody\n"});
  CHECK_THROWS(abnf::grammar{"top = (\"a\"\n"});
}

TEST_CASE("on all short strings the library takes what the ABNF has", "[grammar][abnf][5321-4.1.2-01]") {
  const auto all = [](const production& one, std::size_t longest, std::string_view alphabet, std::size_t least) {
    comparison both{one};
    strings::for_each_up_to(longest, alphabet, [&both](std::string_view text) { both(text); });
    both.check(least);
  };
  all(domain, 6, "a1-._", 500);
  all(local_part, 6, "a.\"\\ @", 100);
  all(mailbox, 6, "a.\"@-[", 100);
  all(string, 6, "a.\"\\ ", 100);
  all(parameters, 6, "A1-= +", 1000);
  all(xtext, 6, "a+2F=", 1000);
  all(reverse_path, 6, "<>@a:,", 1);
  all(forward_path, 6, "<>@a:,", 1);
}

TEST_CASE("between the brackets of a literal and of a path, too", "[grammar][abnf][5321-4.1.3-01]") {
  comparison v4{literal};
  strings::for_each_up_to(8, "12.", [&v4](std::string_view text) { v4("[" + std::string{text} + "]"); });
  v4.check(10);
  comparison numbers{literal};
  for (int first = 0; first < 1000; ++first) {
    for (const char* format : {"[1.2.3.", "[0."}) {
      const std::string number = std::to_string(first);
      for (const std::string& text : {number, "0" + number, "00" + number}) {
        numbers(std::string{format} + text + (format[2] == '.' ? "" : ".1.1") + "]");
        numbers("[" + text + ".0.0.1]");
      }
    }
  }
  numbers.check(500);
  comparison v6{literal};
  strings::for_each_up_to(9, "1:.", [&v6](std::string_view text) { v6("[IPv6:" + std::string{text} + "]"); });
  v6.check(100);
  // Each number of groups on each side, with and without an IPv4 address behind.
  comparison groups{literal};
  for (std::size_t before = 0; before < 10; ++before) {
    for (std::size_t behind = 0; behind < 10; ++behind) {
      for (const std::string gap : {"::", ":", ""}) {
        for (const std::string tail : {"", "1.2.3.4", ":1.2.3.4"}) {
          std::string text = "[IPv6:";
          for (std::size_t i = 0; i < before; ++i) text += i == 0 ? "a" : ":b";
          text += gap;
          for (std::size_t i = 0; i < behind; ++i) text += i == 0 ? "c" : ":d";
          groups(text + tail + "]");
        }
      }
    }
  }
  groups.check(30);
  comparison routes{forward_path};
  strings::for_each_up_to(7, "@a:,.", [&routes](std::string_view text) { routes("<" + std::string{text} + "a@a>"); });
  routes.check(20);
}

TEST_CASE("and on the neighbours of what is right", "[grammar][abnf][5321-4.1.2-01]") {
  std::string every{"\0\t\n\r\x1F\x7F\x80\xFF", 8};
  for (char c = ' '; c <= '~'; ++c) every.push_back(c);
  const auto around = [&every](const production& one, const std::vector<std::string_view>& texts) {
    comparison both{one};
    for (const std::string_view text : texts) for_each_neighbour(text, every, [&both](std::string_view t) { both(t); });
    both.check(texts.size());
  };
  around(forward_path, {"<a.b@c-d.e>", "<@x.y,@z:\"a b\\\"\"@[1.2.3.4]>", "<Postmaster>", "<u@[IPv6:1::2:3.4.5.6]>"});
  around(reverse_path, {"<>", "<a+b@c.d>"});
  around(literal, {"[127.0.0.1]", "[IPv6:1:2:3:4:5:6:7:8]", "[IPv6:::]", "[IPv6:a::b:1.22.255.0]"});
  around(parameters, {"SIZE=10 BODY=8BITMIME X-y", "a"});
  around(xtext, {"a+2Bb", ""});
}
