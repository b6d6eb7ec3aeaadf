// SPDX-License-Identifier: BSL-1.0
#include <ehlo/protocol/order_of_commands.hpp>

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "support/catch.hpp"

using ehlo::effect;
using ehlo::state;
using ehlo::verb;

namespace {

constexpr state states[] = {state::barred, state::greeted, state::ready, state::mail, state::rcpt, state::chunk, state::spoilt};

/// A letter for each effect, so that a row of the table is a word.
char letter_of(effect change) { return "-.HRmrdcTLG$"[static_cast<std::size_t>(change)]; }

}  // namespace

TEST_CASE("The order of commands is that of the standards, cell by cell", "[protocol][5321-4.1.4-14]") {
  // barred, greeted, ready, mail, rcpt, chunk, spoilt; "-" is 503, "." changes nothing, "$" closes.
  const struct {
    verb name;
    std::string_view row;
  } rows[] = {
      {verb::ehlo, "-HHHHHH"}, {verb::helo, "-HHHHHH"},     {verb::lhlo, "-HHHHHH"},     {verb::mail, "--m----"},
      {verb::rcpt, "---rr--"}, {verb::data, "----d--"},     {verb::bdat, "----cc-"},     {verb::rset, "-.RRRRR"},
      {verb::vrfy, "-......"}, {verb::expn, "-......"},     {verb::help, "-......"},     {verb::noop, "-......"},
      {verb::quit, "$$$$$$$"}, {verb::starttls, "--T----"}, {verb::auth, "--L----"},     {verb::etrn, "--.----"},
      {verb::burl, "----cc-"}, {verb::xclient, "-GG----"},  {verb::xforward, "--.----"},
  };
  CHECK(std::size(rows) == ehlo::ordered_verb_count);
  for (const auto& row : rows) {
    std::string found;
    for (const state now : states) found += letter_of(ehlo::effect_of(now, row.name));
    CAPTURE(ehlo::text_of(row.name));
    CHECK(found == row.row);
  }
}

TEST_CASE("A transaction is open from MAIL on", "[protocol]") {
  std::string names;
  for (const state now : states) names += std::string{ehlo::text_of(now)} + (ehlo::in_transaction(now) ? "! " : " ");
  CHECK(names == "barred greeted ready mail! rcpt! chunk! spoilt! ");
  std::string effects;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(effect::close); ++i)
    effects += std::string{text_of(static_cast<effect>(i))} + " ";
  CHECK(effects == "refuse stay hello reset mail rcpt data chunk tls login greet close ");
}
