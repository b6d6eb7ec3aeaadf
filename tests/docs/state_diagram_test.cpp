// SPDX-License-Identifier: BSL-1.0
// Prints the state diagram and the two tables of the protocol from the code, so that the page cannot drift. With EHLO_WRITE_DOCS
// set in the environment the test writes the page; without, it fails when the page says something else than the code.
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/client/session.hpp>
#include <ehlo/envelope.hpp>
#include <ehlo/protocol/effect_of_replies.hpp>
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
    case ehlo::effect::tls:
    case ehlo::effect::greet: return "greeted";
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
         "  rcpt --> spoilt: BDAT refused\n  chunk --> spoilt: BDAT refused\n"
         "  chunk --> ready: BURL LAST\n  rcpt --> ready: BURL LAST\n"
         "  chunk --> spoilt: BURL refused\n  rcpt --> spoilt: BURL refused\n"
         "  chunk --> ready: BURL LAST refused\n  rcpt --> ready: BURL LAST refused\n```\n";
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

std::string effect_table() {
  std::ostringstream out;
  out << "| | 2yz | 3yz | 4yz | 5yz |\n|---|---|---|---|---|\n";
  for (std::size_t r = 0; r < ehlo::effect_of_replies.size(); ++r) {
    out << "| " << (r + 1 < ehlo::effect_of_replies.size() ? ehlo::text_of(static_cast<ehlo::reply_row>(r)) : "another command")
        << " |";
    const ehlo::reply_effects& row = ehlo::effect_of_replies[r];
    for (std::size_t i = 0; i < row.by_class.size(); ++i) {
      out << ' ' << ehlo::text_of(row.by_class[i]);
      if (row.only != 0 && row.only / 100U == i + 2) out << " (" << row.only << ')';
      out << " |";
    }
    out << '\n';
  }
  return out.str();
}

/// A client session at rest, and where that is: at the command whose reply it waits for, or at what it asks of its caller.
struct place {
  ehlo::client_session session;
  std::string name = "greeting";
  int answered = 0;  ///< recipients
  int accepted = 0;

  auto key() const {
    return std::tuple{name, answered, accepted, session.is_tls_active(), session.is_authenticated(), session.is_esmtp()};
  }

  /// Goes on with a reply, if there is one, until something from outside is needed.
  void settle(std::string_view reply) {
    for (std::string_view input = reply;;) {
      const ehlo::client_action action = session.next(input);
      if (const auto* const sent = std::get_if<ehlo::transmit>(&action)) {
        const std::string_view verb = sent->octets.substr(0, sent->octets.find_first_of(" \r"));
        name = verb == "." ? "end_of_mail_data" : verb == "eA==" ? name : std::string{verb};
      } else if (const auto* const result = std::get_if<ehlo::recipient_result>(&action)) {
        ++answered;
        if (result->is_accepted()) ++accepted;
      } else if (std::holds_alternative<ehlo::credentials_question>(action)) {
        (void)session.respond("x", ehlo::exchange::complete);
      } else if (std::holds_alternative<ehlo::receive>(action)) {
        return;
      } else if (std::holds_alternative<ehlo::idle>(action)) {
        name = "idle";
        answered = accepted = 0;
        return;
      } else if (std::holds_alternative<ehlo::mail_data_question>(action)) {
        name = "mail_data";
        return;
      } else if (std::holds_alternative<ehlo::start_tls>(action)) {
        name = "handshake";
        return;
      } else if (std::holds_alternative<ehlo::close_channel>(action)) {
        name = "[*]";
        return;
      }
    }
  }
};

/// A reply of a class that fits the command; empty if none does.
std::string reply_to(const place& at, char reply_class) {
  const bool is_hello = at.name == "EHLO" || at.name == "HELO";
  const std::string_view offer = at.name == "EHLO" ? "250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n" : "250 mx\r\n";
  switch (reply_class) {
    case '2':
      if (is_hello) return std::string{offer};
      if (at.name == "greeting" || at.name == "STARTTLS") return "220 go\r\n";
      return at.name == "AUTH" ? "235 in\r\n" : at.name == "DATA" ? "" : "250 ok\r\n";
    case '3': return at.name == "DATA" ? "354 go\r\n" : at.name == "AUTH" ? "334 \r\n" : "";
    case '4': return "450 later\r\n";
    default: return at.name == "EHLO" ? "502 what?\r\n" : "550 no\r\n";
  }
}

/// Walks a session that sends each command by itself, with two recipients, TLS and AUTH where they are offered, and draws each way.
std::string client_diagram() {
  static constexpr ehlo::auth_mechanism plain[] = {ehlo::mechanisms::plain};
  static const ehlo::client_options options{.hostname = "client.example",
                                            .tls = ehlo::tls_policy::opportunistic,
                                            .mechanisms = plain,
                                            .auth_required = false,
                                            .pipelining = false,
                                            .chunking = ehlo::chunking_policy::never};
  const auto mail = ehlo::envelope::make("a@client.example", {"b@mx.example", "c@mx.example"});
  std::vector<std::pair<std::string, std::string>> order;
  std::map<std::pair<std::string, std::string>, std::set<std::string>> arrows;
  std::set<decltype(std::declval<place>().key())> seen;
  std::deque<place> open;
  const auto go = [&](const place& from, const std::string& label, place to) {
    const std::pair way{from.name, to.name};
    if (arrows[way].empty()) order.push_back(way);
    arrows[way].insert(label);
    if (to.name != "[*]" && seen.insert(to.key()).second) open.push_back(std::move(to));
  };
  place begin{ehlo::client_session{options}};
  begin.settle({});
  open.push_back(std::move(begin));
  while (!open.empty()) {
    const place here = std::move(open.front());
    open.pop_front();
    const auto try_request = [&](const char* label, auto request) {
      place next = here;
      request(next.session);
      next.settle({});
      go(here, label, std::move(next));
    };
    if (here.name == "idle") {
      try_request("begin_transaction", [&](auto& s) { (void)s.begin_transaction(*mail, ehlo::message_traits{.size = 2}); });
      try_request("quit", [](auto& s) { (void)s.quit(); });
    } else if (here.name == "mail_data") {
      try_request("end_of_mail_data", [](auto& s) { (void)s.end_of_mail_data(); });
      try_request("abandon", [](auto& s) { (void)s.abandon(); });
    } else if (here.name == "handshake") {
      try_request("tls_started", [](auto& s) { (void)s.tls_started(); });
      try_request("tls_failed", [](auto& s) { (void)s.tls_failed(); });
    } else {
      for (const char reply_class : {'2', '3', '4', '5'}) {
        const std::string reply = reply_to(here, reply_class);
        if (reply.empty()) continue;
        place next = here;
        next.settle(reply);
        go(here, std::string{reply_class} + "yz", std::move(next));
      }
    }
  }
  std::ostringstream out;
  out << "```mermaid\nstateDiagram-v2\n  [*] --> greeting\n";
  for (const auto& way : order) {
    out << "  " << way.first << " --> " << way.second << ": ";
    std::string_view between;
    for (const std::string& label : arrows[way]) out << std::exchange(between, ", ") << label;
    out << '\n';
  }
  out << "```\n";
  return out.str();
}

std::string page() {
  return "# The order of commands and replies\n\n"
         "This page is printed from `include/ehlo/protocol/` by `tests/docs/state_diagram_test.cpp`; a test holds it to the "
         "code.\n\n"
         "## States of a server's session\n\n"
         "An arrow is the positive reply to a command. QUIT leads from every state to the end; HELO and LHLO go where EHLO goes; "
         "what is\n"
         "not drawn changes nothing, but for a TLS handshake that was too weak: it leads to barred.\n\n" +
         diagram() +
         "\n## Order of commands (RFC 5321 4.1.4)\n\n"
         "Row: the verb received. Column: the state. Cell: what a positive reply does; `refuse` is 503 and no change. NOOP, RSET, "
         "HELP,\n"
         "VRFY and EXPN may come at any time (4.1.4).\n\n" +
         command_table() +
         "\n## Order of replies (RFC 5321 4.3.2)\n\n"
         "421, 500 and 501 may answer any command and are not repeated.\n\n" +
         reply_table() +
         "\n## What a reply makes of the client's command (RFC 5321 4.2.1, 4.3.2)\n\n"
         "Row: the command in flight. Column: the first digit of its reply. A code in parentheses is the only one that leads on, "
         "because\n"
         "what follows cannot be taken back. `broken` ends the session, and so does 421.\n\n" +
         effect_table() +
         "\n## States of a client's session\n\n"
         "Walked with the code: a session that sends each command by itself to a server that offers STARTTLS and AUTH, with two "
         "recipients;\n"
         "TLS and AUTH are used, and not insisted on. A state is the command whose reply is waited for, or what the caller is "
         "asked for; an\n"
         "arrow is a reply, or what the caller does. With PIPELINING the commands from MAIL to DATA leave together.\n\n" +
         client_diagram();
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
