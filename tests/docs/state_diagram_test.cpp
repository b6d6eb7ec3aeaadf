// SPDX-License-Identifier: BSL-1.0
// Prints the state diagram and the two tables of the protocol from the code, so that the page cannot drift. With EHLO_WRITE_DOCS
// set in the environment the test writes the page; without, it fails when the page says something else than the code.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include <ehlo/protocol/order_of_commands.hpp>
#include <ehlo/protocol/order_of_replies.hpp>

#include "support/catch.hpp"

namespace {

constexpr std::size_t columns = ehlo::state_count;

std::string name_of(ehlo::verb v) { return std::string{ehlo::text_of(v)}; }

/// Where a positive reply leads; empty for no arrow.
std::string target_of(ehlo::state from, ehlo::effect change) {
  switch (change) {
    case ehlo::effect::refuse:
    case ehlo::effect::stay: return {};
    case ehlo::effect::hello:
    case ehlo::effect::reset: return "ready";
    case ehlo::effect::mail: return "mail";
    case ehlo::effect::rcpt: return "rcpt";
    case ehlo::effect::data: return "ready";
    case ehlo::effect::chunk: return "chunk";
    case ehlo::effect::tls: return "greeted";
    case ehlo::effect::login: return std::string{ehlo::text_of(from)};
    case ehlo::effect::close: return "[*]";
  }
  return {};
}

std::string diagram() {
  std::ostringstream out;
  out << "```mermaid\nstateDiagram-v2\n  [*] --> greeted: 220\n  [*] --> barred: 554, 521\n";
  std::set<std::string> drawn;
  for (std::size_t s = 0; s < columns; ++s) {
    const auto from = static_cast<ehlo::state>(s);
    for (std::size_t v = 0; v < ehlo::ordered_verb_count; ++v) {
      const auto name = static_cast<ehlo::verb>(v);
      const ehlo::effect change = ehlo::effect_of(from, name);
      const std::string to = target_of(from, change);
      if (to.empty() || name == ehlo::verb::quit || name == ehlo::verb::helo || name == ehlo::verb::lhlo) continue;
      std::string label = name_of(name);
      if (change == ehlo::effect::data) label += ", end of mail data";
      const std::string arrow = "  " + std::string{ehlo::text_of(from)} + " --> " + to + ": " + label + "\n";
      if (drawn.insert(arrow).second) out << arrow;
    }
  }
  out << "  chunk --> ready: BDAT LAST\n  rcpt --> ready: BDAT LAST\n  mail --> spoilt: BDAT refused\n"
         "  rcpt --> spoilt: BDAT refused\n  chunk --> spoilt: BDAT refused\n```\n";
  return out.str();
}

std::string command_table() {
  std::ostringstream out;
  out << "| |";
  for (std::size_t s = 0; s < columns; ++s) out << ' ' << ehlo::text_of(static_cast<ehlo::state>(s)) << " |";
  out << "\n|---|";
  for (std::size_t s = 0; s < columns; ++s) out << "---|";
  out << '\n';
  for (std::size_t v = 0; v < ehlo::ordered_verb_count; ++v) {
    out << "| " << name_of(static_cast<ehlo::verb>(v)) << " |";
    for (std::size_t s = 0; s < columns; ++s)
      out << ' ' << ehlo::text_of(ehlo::effect_of(static_cast<ehlo::state>(s), static_cast<ehlo::verb>(v))) << " |";
    out << '\n';
  }
  return out.str();
}

std::string reply_table() {
  std::ostringstream out;
  out << "| | success | failure |\n|---|---|---|\n";
  for (std::size_t r = 0; r + 1 < ehlo::order_of_replies.size(); ++r) {
    out << "| " << ehlo::text_of(static_cast<ehlo::reply_row>(r)) << " |";
    for (const auto code : ehlo::order_of_replies[r].success) {
      if (code != 0) out << ' ' << code;
    }
    out << " |";
    for (const auto code : ehlo::order_of_replies[r].failure) {
      if (code != 0) out << ' ' << code;
    }
    out << " |\n";
  }
  return out.str();
}

std::string page() {
  return "# The order of commands and replies\n\n"
         "This page is printed from `include/ehlo/protocol/` by `tests/docs/state_diagram_test.cpp`; a test holds it to the "
         "code.\n\n"
         "## States of a session\n\n"
         "An arrow is the positive reply to a command. QUIT leads from every state to the end; HELO and LHLO go where EHLO goes; "
         "what is\n"
         "not drawn changes nothing.\n\n" +
         diagram() +
         "\n## Order of commands (RFC 5321 4.1.4)\n\n"
         "Row: the verb received. Column: the state. Cell: what a positive reply does; `refuse` is 503 and no change. NOOP, RSET, "
         "HELP,\n"
         "VRFY and EXPN may come at any time (4.1.4).\n\n" +
         command_table() +
         "\n## Order of replies (RFC 5321 4.3.2)\n\n"
         "421, 500 and 501 may answer any command and are not repeated.\n\n" +
         reply_table();
}

}  // namespace

TEST_CASE("the page of states and tables says what the code says", "[docs][protocol]") {
  const std::string path = std::string{EHLO_SOURCE_DIR} + "/docs/reference/states.md";
  const std::string wanted = page();
  if (std::getenv("EHLO_WRITE_DOCS") != nullptr) std::ofstream{path, std::ios::binary} << wanted;
  std::ifstream file{path, std::ios::binary};
  const std::string found{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
  INFO("run the tests with EHLO_WRITE_DOCS=1 to write the page anew");
  CHECK(found == wanted);
}
