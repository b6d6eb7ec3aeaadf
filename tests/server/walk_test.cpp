// SPDX-License-Identifier: BSL-1.0
// A breadth-first walk over all reachable states of a server session. A session is a value, so each step is taken by a copy. In
// each state every input of an alphabet is tried: every verb good, bad and over-long, cuts inside a verb, a CRLF and a dot, chunks,
// steps of AUTH, STARTTLS with and without leftover, time-out, end of input, break, shutdown; and every open question is answered
// with success, 4yz, 5yz, 421, and not at all. The properties of the design are checked in each step, and the order of commands
// against a table that is written here once more: one cell swapped makes the walk fail.
//
// The properties of the design, and what checks them here (10, that two ends never wait for each other, needs two of them): 1 cuts:
// `feed` gives each input once more octet by octet; 2 replies: `read_replies` counts them, `visit` the ends of transactions; 3 line
// ends: "bare LF", and `ends_data`; 4 TLS: `visit` at `start_tls`; 5 injection: `read_replies` knows where replies end, and "bare
// LF" is one command; 6 memory: over-long lines have one reply, and the next command is read; 7 chunks: those that hold QUIT and
// RSET; 8 credentials: "auth" in `visit`; 9 the end: `visit` at `close_channel`.
#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/walks_page.hpp"

namespace {

using ehlo::effect;
using ehlo::state;
using ehlo::verb;
using order_table = std::array<std::array<effect, ehlo::state_count>, ehlo::ordered_verb_count>;

/// RFC 5321 4.1.4, RFC 1985 5, RFC 3030 2, RFC 3207 4, RFC 4468 3, RFC 4954 4, XCLIENT and XFORWARD, read a second time.
order_table second_reading() {
  order_table out{};
  for (std::size_t s = 0; s < ehlo::state_count; ++s) {
    const auto at = static_cast<state>(s);
    const auto cell = [&out, s](verb v) -> effect& { return out[static_cast<std::size_t>(v)][s]; };
    const bool barred = at == state::barred;
    for (auto& row : out) row[s] = effect::refuse;
    cell(verb::quit) = effect::close;
    if (barred) continue;
    for (const verb v : {verb::ehlo, verb::helo, verb::lhlo}) cell(v) = effect::hello;
    for (const verb v : {verb::vrfy, verb::expn, verb::help, verb::noop}) cell(v) = effect::stay;
    cell(verb::rset) = at == state::greeted ? effect::stay : effect::reset;
    if (at == state::ready) {
      cell(verb::mail) = effect::mail;
      cell(verb::starttls) = effect::tls;
      cell(verb::auth) = effect::login;
      cell(verb::etrn) = cell(verb::xforward) = effect::stay;
    }
    if (at == state::greeted || at == state::ready) cell(verb::xclient) = effect::greet;
    if (at == state::mail || at == state::rcpt) cell(verb::rcpt) = effect::rcpt;
    if (at == state::rcpt) cell(verb::data) = effect::data;
    if (at == state::rcpt || at == state::chunk) cell(verb::bdat) = cell(verb::burl) = effect::chunk;
  }
  return out;
}

struct symbol {
  std::string name;
  std::string octets;
  verb command = verb::unknown;  ///< a whole command in order of its grammar
  bool is_line = true;           ///< one whole command line
};

const std::vector<symbol>& alphabet() {
  static const std::vector<symbol> out = [] {
    const std::string long_tail(600, 'x');
    return std::vector<symbol>{
        {"EHLO", "EHLO c.example\r\n", verb::ehlo},
        {"EHLO bad", "EHLO a_b\r\n"},
        {"EHLO long", "EHLO " + long_tail + "\r\n"},
        {"HELO", "HELO c.example\r\n", verb::helo},
        {"LHLO", "LHLO c.example\r\n", verb::lhlo},
        {"MAIL", "MAIL FROM:<a@b.example>\r\n", verb::mail},
        {"MAIL bad", "MAIL FROM:a@b\r\n"},
        {"MAIL unknown parameter", "MAIL FROM:<a@b.example> FOO=1\r\n"},
        {"MAIL long", "MAIL FROM:<" + std::string(1800, 'x') + ">\r\n"},
        {"RCPT", "RCPT TO:<c@d.example>\r\n", verb::rcpt},
        {"RCPT bad", "RCPT TO:<>\r\n"},
        {"DATA", "DATA\r\n", verb::data},
        {"DATA bad", "DATA x\r\n"},
        {"BDAT 0", "BDAT 0\r\n", verb::bdat},
        {"BDAT 3", "BDAT 3\r\nRSE", verb::bdat},
        {"BDAT 6 LAST", "BDAT 6 LAST\r\nQUIT\r\n", verb::bdat},
        {"BDAT 0 LAST", "BDAT 0 LAST\r\n", verb::bdat},
        {"BDAT bad", "BDAT 2 FOO\r\nxx"},
        {"BDAT unreadable", "BDAT 5x\r\n"},
        {"RSET", "RSET\r\n", verb::rset},
        {"RSET bad", "RSET x\r\n"},
        {"VRFY", "VRFY a\r\n", verb::vrfy},
        {"VRFY bad", "VRFY\r\n"},
        {"EXPN", "EXPN a\r\n", verb::expn},
        {"HELP", "HELP MAIL\r\n", verb::help},
        {"NOOP", "NOOP\r\n", verb::noop},
        {"NOOP long", "NOOP " + long_tail + "\r\n"},
        {"QUIT", "QUIT\r\n", verb::quit},
        {"QUIT bad", "QUIT x\r\n"},
        {"STARTTLS", "STARTTLS\r\n", verb::starttls},
        {"STARTTLS bad", "STARTTLS x\r\n"},
        {"STARTTLS leftover", "STARTTLS\r\nNOOP\r\n", verb::unknown, false},
        {"AUTH PLAIN", "AUTH PLAIN\r\n", verb::auth},
        {"AUTH PLAIN initial", "AUTH PLAIN AGEAYg==\r\n", verb::auth},
        {"AUTH bad", "AUTH FOO\r\n"},
        {"response", "AGEAYg==\r\n"},
        {"cancel", "*\r\n"},
        {"unknown", "FOO\r\n"},
        {"bare LF", "NO\nOP\r\n"},
        {"cut verb", "NO", verb::unknown, false},
        {"CR", "\r", verb::unknown, false},
        {"LF", "\n", verb::unknown, false},
        {"dot", ".", verb::unknown, false},
        {"text", "text\r\n"},
        {"end of data", "\r\n.\r\n", verb::unknown, false},
    };
  }();
  return out;
}

enum class event { none, timed_out, end_of_input, shutdown, disconnected };

/// A state of the walk: the session and what the walk knows of its past.
struct node {
  ehlo::server_session session;
  std::string partial;            ///< octets of an unfinished line
  std::string data;               ///< what the peer said since 354, cut to what matters
  std::string question;           ///< the open question
  std::string rest;               ///< octets behind what the question was made of
  verb command = verb::unknown;   ///< the command that waits for its reply
  state before = state::greeted;  ///< the state in which it came
  int owed = 1;                   ///< final replies; the greeting is owed first
  bool in_transaction = false;
  bool in_data = false;
  bool in_auth = false;
  bool closed = false;
  bool may_speak_unasked = false;  ///< a 421 that answers no command is due
  bool was_ended = false;
  bool was_shut_down = false;

  std::string key() const {
    std::string out = question + "|" + partial + "|" + data + "|" + rest + "|";
    out += std::to_string(static_cast<int>(session.current_state())) + std::to_string(static_cast<int>(session.timeout().what));
    for (const bool b : {in_transaction, in_data, in_auth, closed, was_ended, was_shut_down, session.is_tls_active(),
                         session.is_authenticated(), session.is_esmtp(), session.is_closed()})
      out += b ? '1' : '0';
    return out + std::to_string(session.recipients()) + "," + std::to_string(owed) + "," +
           std::to_string(static_cast<int>(command)) + "," + std::to_string(static_cast<int>(before));
  }
};

class walk {
 public:
  walk(const ehlo::server_options& options, const order_table& expected) : options_{options}, expected_{expected} {}

  /// Walks until every state has been seen, or something is wrong.
  void run() {
    node first{ehlo::server_session{options_},
               {},
               {},
               {},
               {},
               verb::unknown,
               state::greeted,
               1,
               false,
               false,
               false,
               false,
               false,
               false,
               false};
    visit(std::move(first), {}, event::none);
    while (!open_.empty() && wrong_.empty()) {
      const node at = std::move(open_.front());
      open_.pop_front();
      if (at.closed) continue;
      if (!at.question.empty()) {
        for (int answer = 0; answer < 6 && wrong_.empty(); ++answer) answer_and_visit(at, answer);
      } else {
        for (const symbol& s : alphabet()) {
          if (wrong_.empty() && is_tried(at, s)) feed(at, s);
        }
      }
      for (const event e : {event::timed_out, event::end_of_input, event::shutdown, event::disconnected}) {
        if (wrong_.empty()) visit(at, {}, e);
      }
    }
  }

  const std::string& wrong() const { return wrong_; }
  std::size_t states() const { return seen_.size(); }
  std::size_t transitions() const { return transitions_; }

 private:
  bool is_tried(const node& at, const symbol& s) const {
    if (at.was_ended) return false;  // the peer sends no more
    if (s.name == "RCPT" && at.session.recipients() >= 2) return false;
    if (at.partial.size() + (s.is_line ? 0 : s.octets.size()) > 3) return false;
    // How many commands two lines are inside an AUTH exchange depends on the answer to the first.
    const std::size_t end = s.octets.find("\r\n");
    if (at.in_auth && end != s.octets.npos && end + 2 < s.octets.size()) return false;
    // What stands behind the end of the data would be commands, more than one reply is owed.
    if (at.in_data) {
      const std::string all = at.data + s.octets;
      const std::size_t end_of_data = all.starts_with(".\r\n")            ? 3
                                      : all.find("\r\n.\r\n") == all.npos ? all.size()
                                                                          : all.find("\r\n.\r\n") + 5;
      if (end_of_data != all.size()) return false;
    }
    return true;
  }

  /// What a session told and sent until it waits, or asks: the kinds of actions, rules broken, and mail data.
  static std::string told(ehlo::server_session session, std::string_view octets, std::size_t cut) {
    std::string out;
    std::string sent;
    std::string_view input = octets.substr(0, cut);
    std::size_t given = input.size();
    for (int turns = 0; turns < 20000; ++turns) {
      const auto action = session.next(input);
      if (const auto* const t = std::get_if<ehlo::transmit>(&action)) {
        sent += t->octets;
      } else if (const auto* const data = std::get_if<ehlo::mail_data>(&action)) {
        out += data->octets;
      } else if (std::holds_alternative<ehlo::receive>(action) && given < octets.size()) {
        input = octets.substr(given, cut);
        given += input.size();
      } else if (std::holds_alternative<ehlo::receive>(action) || std::holds_alternative<ehlo::close_channel>(action) ||
                 std::holds_alternative<ehlo::start_tls>(action) || std::holds_alternative<ehlo::answer_due>(action)) {
        return out + (std::holds_alternative<ehlo::close_channel>(action) ? " closed " : " ") + sent;
      } else if (const auto* const v = std::get_if<ehlo::violation>(&action)) {
        out += " " + std::to_string(static_cast<int>(v->code)) + " at " + std::to_string(v->offset) + " ";
      } else {
        out += " action " + std::to_string(action.index()) + " ";
      }
    }
    return "loops";
  }

  void feed(const node& at, const symbol& s) {
    // Property 1; when octets may not come before the greeting or the handshake, it matters when they come.
    if (s.name != "STARTTLS leftover") {
      check(told(at.session, s.octets, s.octets.size()) == told(at.session, s.octets, 1), "cuts change nothing");
    }
    node next = at;
    const bool at_boundary = at.partial.empty() && !at.in_data && !at.in_auth;
    if (at_boundary && s.is_line) {
      next.owed = 1;
      next.command = s.command;
      next.before = at.session.current_state();
      if (s.command == verb::bdat && at.session.current_state() == state::barred) next.command = verb::unknown;
    } else {
      next.command = verb::unknown;
    }
    if (at.in_data) {
      next.data += s.octets;
    } else if (!(at_boundary && s.is_line)) {
      // Each line that these octets end is owed one reply; the first line of an AUTH exchange belongs to the AUTH that is owed its
      // own.
      const std::string all = at.partial + s.octets;
      next.owed = 0;
      for (std::size_t from = 0; (from = all.find("\r\n", from)) != all.npos; from += 2) ++next.owed;
      if (at.in_auth) next.owed = std::max(next.owed, 1);
    }
    const std::string line = at.partial + s.octets;
    const std::size_t last = line.rfind("\r\n");
    next.partial = at.in_data ? std::string{} : last == line.npos ? line : line.substr(last + 2);
    if (at_boundary && s.octets.starts_with("BDAT")) next.partial.clear();  // what stands behind is a chunk
    if (next.partial.size() > 8) next.partial = next.partial.substr(0, 8);
    visit(std::move(next), s.octets, event::none, &s);
  }

  void answer_and_visit(const node& at, int answer) {
    node next = at;
    ehlo::result<void> given;
    const bool is_message = next.question == "message";
    switch (answer) {
      case 0:
        given = next.question == "auth" ? next.session.authenticated() : next.session.accept();
        if (next.question == "mail" && given) next.in_transaction = true;
        break;
      case 1: given = next.session.reject(ehlo::replies::local_error); break;
      case 2: given = next.session.reject(ehlo::replies::no_such_mailbox); break;
      case 3: given = next.session.reject(ehlo::replies::service_not_available); break;
      case 4:
        given = next.session.challenge("x");
        if (given) next.in_auth = true;
        break;
      default: {  // no answer: the session waits, and takes nothing
        std::string_view input = "NOOP\r\n";
        const auto action = next.session.next(input);
        const bool waits = std::holds_alternative<ehlo::answer_due>(action) || std::holds_alternative<ehlo::transmit>(action);
        check(waits && input.size() == 6, "an open question waits and takes nothing");
        return;
      }
    }
    ++transitions_;
    if (!given) {
      check(next.session.open_question() == at.session.open_question(), "an answer that was refused changes nothing");
      return;
    }
    if (next.question == "auth" && answer != 4) next.in_auth = false;
    if (is_message) next.in_transaction = false;
    next.question.clear();
    visit(std::move(next), {}, event::none);
  }

  /// Gives octets or an event to the session and follows it until it waits again.
  void visit(node next, std::string_view octets, event e, const symbol* s = nullptr) {
    ++transitions_;
    switch (e) {
      case event::none: break;
      case event::timed_out:
        if (!next.session.timed_out()) return;
        next.may_speak_unasked = true;
        next.owed = 0;
        break;
      case event::end_of_input:
        next.session.end_of_input();
        next.was_ended = true;
        break;
      case event::shutdown:
        next.session.shutdown();
        next.was_shut_down = next.may_speak_unasked = true;
        break;
      case event::disconnected:
        next.session.disconnected();
        next.question.clear();
        next.owed = 0;
        break;
    }
    label_ = s != nullptr ? s->name : "event " + std::to_string(static_cast<int>(e));
    const std::string kept = octets.empty() ? next.rest : std::string{octets};
    next.rest.clear();
    std::string_view input = kept;
    for (int turns = 0; turns < 200; ++turns) {
      const auto action = next.session.next(input);
      if (const auto* out = std::get_if<ehlo::transmit>(&action)) {
        check(e != event::disconnected, "nothing is sent on a broken channel");
        read_replies(next, out->octets);
      } else if (std::holds_alternative<ehlo::receive>(action)) {
        check(input.empty(), "all of the input was taken");
        if (next.partial.empty() && !next.in_data && !next.in_auth) check(next.owed == 0, "every command has its reply");
        if (next.in_data) next.data = tail_of(next.data);
        next.may_speak_unasked = false;
        remember(std::move(next));
        return;
      } else if (std::holds_alternative<ehlo::close_channel>(action)) {
        check(!next.in_transaction, "every transaction ends");
        check(next.owed == 0 || next.was_ended || next.was_shut_down || next.session.is_closed(), "every command has its reply");
        std::string_view more = "NOOP\r\n";
        check(std::holds_alternative<ehlo::close_channel>(next.session.next(more)) && more.size() == 6,
              "a session that has said close_channel says nothing else");
        next.closed = true;
        remember(std::move(next));
        return;
      } else if (std::holds_alternative<ehlo::start_tls>(action)) {
        check(input.empty(), "TLS begins with nothing left over");
        node failed = next;
        check(failed.session.tls_failed().has_value() && failed.session.is_closed(), "a failed handshake ends the session");
        next.session.tls_started();
        check(next.session.current_state() == state::greeted && next.session.is_tls_active() && !next.session.is_authenticated() &&
                  !next.session.is_esmtp(),
              "nothing crosses the TLS boundary");
      } else if (std::holds_alternative<ehlo::transaction_reset>(action)) {
        check(next.in_transaction, "a reset ends a transaction that had begun");
        next.in_transaction = false;
      } else if (std::holds_alternative<ehlo::exchange_ended>(action)) {
        next.in_auth = false;
      } else if (std::holds_alternative<ehlo::mail_data>(action)) {
        check(next.in_transaction, "mail data belong to a transaction");
      } else if (std::holds_alternative<ehlo::violation>(action)) {
        continue;
      } else if (std::holds_alternative<ehlo::answer_due>(action)) {
        remember(std::move(next));
        return;
      } else {
        check(std::exchange(next.question, name_of(action)).empty(), "one question is open at a time");
        if (next.question == "message") {
          check(next.in_transaction, "a message belongs to a transaction");
          if (next.in_data) check(ends_data(next.data), "only CRLF.CRLF ends mail data");
          next.in_data = false;
          next.data.clear();
        }
        if (next.question == "auth") {
          check(next.session.is_tls_active(), "credentials are not taken without TLS");
          next.in_auth = false;
        }
        next.rest = std::string{input};
        remember(std::move(next));
        return;
      }
    }
    check(false, "a session does not loop");
  }

  static std::string name_of(const ehlo::server_action& action) {
    return std::visit(
        [&action](const auto& a) -> std::string {
          using action_type = std::remove_cvref_t<decltype(a)>;
          if constexpr (std::is_same_v<action_type, ehlo::message_question>) return "message";
          if constexpr (std::is_same_v<action_type, ehlo::mail_question>) return "mail";
          if constexpr (std::is_same_v<action_type, ehlo::auth_question>) return "auth";
          if constexpr (ehlo::question<action_type>) return "question " + std::to_string(action.index());
          return "?";
        },
        action);
  }

  /// What of the mail data decides whether they end: the last octets.
  static std::string tail_of(const std::string& data) { return data.size() <= 4 ? data : "#" + data.substr(data.size() - 4); }
  static bool ends_data(const std::string& data) { return data == ".\r\n" || data.ends_with("\r\n.\r\n"); }

  /// Counts the replies and holds them against the order of commands.
  void read_replies(node& at, std::string_view sent) {
    while (!sent.empty()) {
      const std::size_t end = sent.find("\r\n");
      check(end != sent.npos && end >= 4 && end <= 510, "a reply line ends with CRLF and has at most 512 octets");
      if (!wrong_.empty()) return;
      const std::string_view line = sent.substr(0, end);
      sent.remove_prefix(end + 2);
      if (line[3] == '-') continue;
      const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
      if (code == 354) {
        at.in_data = true;
        at.data.clear();
        continue;
      }
      if (code == 334) {
        at.in_auth = true;
        continue;
      }
      at.in_auth = false;
      if (at.in_data) {
        check(code == 421 || ends_data(at.data), "a message is refused at its true end");
        at.in_data = false;
        at.data.clear();
      }
      --at.owed;
      check(at.owed >= 0 || (code == 421 && (at.may_speak_unasked || at.was_shut_down)), "a command has one reply, not two");
      at.owed = std::max(at.owed, 0);
      check_order(at, code);
      at.command = verb::unknown;
    }
  }

  void check_order(const node& at, int code) {
    if (at.command == verb::unknown || code == 421 || at.was_shut_down) return;
    const effect cell = expected_[static_cast<std::size_t>(at.command)][static_cast<std::size_t>(at.before)];
    const bool known_elsewhere = at.command == verb::lhlo || at.command == verb::expn;
    if (known_elsewhere) return;  // 500 and 502 here, whatever the order
    const bool refused = code == 503;
    if (cell == effect::refuse) {
      check(refused, "a command out of order gets 503");
      check(at.session.current_state() == at.before || at.command == verb::bdat, "and changes nothing");
      return;
    }
    const bool own_reasons = at.command == verb::starttls || at.command == verb::auth;  // active already, or not ESMTP
    check(!refused || own_reasons, "a command in order does not get 503");
    if (code >= 400) return;
    const state now = at.session.current_state();
    switch (cell) {
      case effect::hello: check(now == state::ready, "EHLO leads to ready"); break;
      case effect::reset: check(now == state::ready, "RSET leads to ready"); break;
      case effect::mail: check(now == state::mail, "MAIL begins a transaction"); break;
      case effect::rcpt: check(now == state::rcpt, "RCPT gives it a recipient"); break;
      case effect::chunk: check(now == state::chunk || now == state::ready, "BDAT goes on or ends it"); break;
      case effect::stay: check(now == at.before, "the command changes nothing"); break;
      default: break;
    }
  }

  void remember(node next) {
    if (!wrong_.empty()) return;
    if (seen_.insert(next.key()).second && seen_.size() < most_states) open_.push_back(std::move(next));
    check(seen_.size() < most_states, "the states are bounded");
  }

  void check(bool holds, const char* property) {
    if (!holds && wrong_.empty()) wrong_ = std::string{property} + " (after " + label_ + ")";
  }

  static constexpr std::size_t most_states = 200000;

  const ehlo::server_options& options_;
  const order_table& expected_;
  std::deque<node> open_;
  std::set<std::string> seen_;
  std::size_t transitions_ = 0;
  std::string wrong_;
  std::string label_;
};

ehlo::server_options walk_options() {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain};
  ehlo::server_options out{.hostname = "mx.example"};
  out.tls = ehlo::tls_mode::offered;
  out.mechanisms = mechanisms;
  return out;
}

}  // namespace

TEST_CASE("every reachable state of a session keeps the properties of the design", "[server][walk][5321-4.2-01][T12][T59]") {
  const ehlo::server_options options = walk_options();
  const order_table expected = second_reading();
  walk w{options, expected};
  w.run();
  INFO(w.states() << " states, " << w.transitions() << " transitions");
  CHECK(w.wrong() == "");
  CHECK(w.states() > 100);
  std::printf("walk: server, %zu states, %zu transitions\n", w.states(), w.transitions());
  walks_page::check_row("server", w.states(), w.transitions());
}

TEST_CASE("one cell of the order of commands swapped makes the walk fail", "[server][walk][5321-4.1.4-14]") {
  const ehlo::server_options options = walk_options();
  const order_table right = second_reading();
  CHECK(right == ehlo::order_of_commands);
  const auto fails_with = [&](state s, verb v, effect wrong) {
    order_table swapped = right;
    swapped[static_cast<std::size_t>(v)][static_cast<std::size_t>(s)] = wrong;
    walk w{options, swapped};
    w.run();
    return !w.wrong().empty();
  };
  CHECK(fails_with(state::rcpt, verb::mail, effect::mail));
  CHECK(fails_with(state::greeted, verb::rset, effect::refuse));
  CHECK(fails_with(state::mail, verb::data, effect::data));
  CHECK(fails_with(state::rcpt, verb::rset, effect::stay));
  CHECK(fails_with(state::spoilt, verb::rcpt, effect::rcpt));
}
