// SPDX-License-Identifier: BSL-1.0
// A breadth-first walk over all reachable states of a client session, as `server/walk_test.cpp` does for a server. A state is what
// the session is at, what it has said that has no reply yet, and what its caller was told. In each, every reply of an alphabet
// comes: good ones, 4yz, 5yz, 421, of several lines, cut in two, broken, too long, one too many, with octets behind a 220; the
// caller does all that it may do; the channel breaks, ends, or falls silent. A reader of its own follows what the client says.
//
// The properties of the design, and what checks them here (10, that two ends never wait for each other, is one of `walk_test.cpp`
// two floors up; here a client waits only while something of it has no reply):
//   1 cuts: each reply also comes octet by octet, and the same is told and sent; 2 replies and results: `tell`; 3 line ends:
//   `hear`; 4 TLS: `shake_hands`; 5 injection: `hear_line` knows every line; 6 memory: `hear`, and replies over the limit; 7
//   chunks: `hear_line` and `answer`; 8 credentials: `hear_line` and `follow`; 9 the end: `close`.
#include <algorithm>
#include <array>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <ehlo/ehlo.hpp>
#include <ehlo/format.hpp>

#include "support/catch.hpp"
#include "support/walks_page.hpp"

namespace {

constexpr std::array<std::string_view, 3> pieces{"a: b\r\n\r\n", ".x\r\n", ".\r\n"};
const std::string message = std::string{pieces[0]} + std::string{pieces[1]} + std::string{pieces[2]};
constexpr std::string_view secret_line = "AGEAYg==";  // a, b
constexpr int most_transactions = 2;

const ehlo::envelope& mail() {
  static const ehlo::envelope out = *ehlo::envelope::make("a@client.example", {"b@mx.example", "c@mx.example"});
  return out;
}

/// Offers of a server.
struct offer {
  std::string reply;
  bool pipelining = false;
};

const std::vector<offer>& offers() {
  static const std::vector<offer> out{
      {"250 mx.example\r\n"},
      {"250-mx.example\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", true},
      {"250-mx.example\r\n250-CHUNKING\r\n250 AUTH PLAIN\r\n"},
      {"250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n", true},
  };
  return out;
}

/// Everything that a session told, and sent, until it waited.
struct trace {
  std::vector<ehlo::client_action> actions{};  ///< their views have ended: only values are looked at
  std::vector<int> codes{};                    ///< of the replies in them
  std::vector<std::string> sent{};             ///< beside the actions: what was sent before each
  std::string text{};                          ///< for comparing
  std::string octets{};                        ///< sent in all
  std::size_t longest = 0;
  std::size_t left = 0;  ///< of the input
  bool is_good = true;
};

int code_of(const ehlo::client_action& action) {
  return std::visit(ehlo::overloaded{
                        [](const ehlo::transaction_failed& a) { return a.reply ? a.reply->code() : 0; },
                        [](const ehlo::failed& a) { return a.reply ? a.reply->code() : 0; },
                        [](const auto& a) {
                          if constexpr (requires { a.reply.code(); }) return a.reply.code();
                          return 0;
                        },
                    },
                    action);
}

/// Gives octets in pieces of `cut` until the session waits for more, or for its caller.
trace follow(ehlo::client_session& session, std::string_view octets, std::size_t cut) {
  trace out;
  std::string unsaid;
  std::string_view input = octets.substr(0, cut);
  std::size_t given = input.size();
  for (int turns = 0; turns < 3000; ++turns) {
    const auto action = session.next(input);
    const std::string shown = fmt::format("{}", action);
    if (shown.find(secret_line) != shown.npos) out.is_good = false;
    if (const auto* const t = std::get_if<ehlo::transmit>(&action)) {
      unsaid += t->octets;
      out.octets += t->octets;
      out.longest = std::max(out.longest, t->octets.size());
      continue;
    }
    const bool waits = std::holds_alternative<ehlo::receive>(action) || std::holds_alternative<ehlo::idle>(action);
    if (waits && given < octets.size() && input.empty()) {
      input = octets.substr(given, cut);
      given += input.size();
      continue;
    }
    if (!waits) out.text += shown + '\n';
    out.actions.push_back(action);
    out.codes.push_back(code_of(action));
    out.sent.push_back(std::exchange(unsaid, {}));
    const bool stops = waits || std::holds_alternative<ehlo::close_channel>(action) ||
                       std::holds_alternative<ehlo::start_tls>(action) || std::holds_alternative<ehlo::answer_due>(action) ||
                       std::holds_alternative<ehlo::mail_data_question>(action) ||
                       std::holds_alternative<ehlo::credentials_question>(action);
    if (!stops) continue;
    out.left = input.size() + octets.size() - given;
    return out;
  }
  out.is_good = false;
  return out;
}

/// What the reader believes wrongly, so that it can be seen that the walk notices.
enum class mistake { none, nobody_pipelines, later_is_accepted, chunk_is_forgiven, dots_are_single };

enum class reading { lines, data, chunk, response };
enum class waits { input, idle, mail_data, credentials, handshake, closed };

/// A state of the walk.
struct node {
  ehlo::client_session session;
  std::vector<std::string> flight{"greeting"};  ///< what has no reply yet
  std::size_t offered = 0;                      ///< which offer holds
  reading mode = reading::lines;
  std::size_t chunk_left = 0;
  std::string wire{};        ///< mail data as they were sent
  std::string part{};        ///< of a reply that has come
  std::string told = "  ";   ///< of each recipient: a accepted, r refused, d has the reply to the message
  std::string taken = "  ";  ///< of each recipient, by the server's replies: y, n; - without MAIL
  std::size_t given = 0;     ///< pieces of the message
  int transactions = 0;
  bool in_transaction = false;
  bool must_reset = false;  ///< a chunk was refused: only RSET (or QUIT) may follow
  bool knows_failure = false;
  bool is_ended = false;  ///< of input
  bool has_quit = false;
  waits at = waits::input;

  std::string key() const {
    std::string out;
    for (const std::string& f : flight) out += f + ",";
    out += fmt::format("|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|", offered, static_cast<int>(mode), chunk_left, wire, part, told, taken,
                       given, transactions, static_cast<int>(at));
    for (const bool b : {in_transaction, must_reset, knows_failure, is_ended, has_quit, session.is_tls_active(),
                         session.is_authenticated(), session.is_esmtp(), session.is_closed()})
      out += b ? '1' : '0';
    return out + std::to_string(static_cast<int>(session.timeout().what)) + fmt::format("{}", session.capabilities());
  }
};

class walk {
 public:
  explicit walk(const ehlo::client_options& options, mistake belief = mistake::none)
      : options_{options}, belief_{belief}, is_lmtp_{options.protocol == ehlo::protocol::lmtp} {}

  void run() {
    visit(node{ehlo::client_session{options_}}, "");
    while (!open_.empty() && wrong_.empty()) {
      const node at = std::move(open_.front());
      open_.pop_front();
      switch (at.at) {
        case waits::closed: continue;
        case waits::input: reply_to(at); break;
        case waits::idle:
          request(at);
          reply_to(at);
          break;
        case waits::mail_data: give_data(at); break;
        case waits::credentials: give_credentials(at); break;
        case waits::handshake: shake_hands(at); break;
      }
      happen(at);
    }
  }

  const std::string& wrong() const { return wrong_; }
  std::size_t states() const { return seen_.size(); }
  std::size_t transitions() const { return transitions_; }

 private:
  // ---- What comes from the server --------------------------------------------------------------------------------------------

  void reply_to(const node& at) {
    if (at.is_ended) return;
    if (!at.part.empty()) return feed(at, "0 ok\r\n", true);
    const std::string head = at.flight.empty() ? "" : at.flight.front();
    if (head == "EHLO" || head == "LHLO") {
      for (std::size_t i = 0; i < offers().size(); ++i) {
        node next = at;
        next.offered = i;
        feed(next, offers()[i].reply, true);
      }
    }
    for (const std::string_view reply :
         {"220 hi\r\n", "250 ok\r\n", "250-ok\r\n250 ok\r\n", "354 go\r\n", "334 \r\n", "235 ok\r\n", "450 later\r\n", "550 no\r\n",
          "502 what\r\n", "421 closing\r\n", "221 bye\r\n", "199 x\r\n", "250-ok\r\n251 ok\r\n", "2xx\r\n", "250 ok\n", "\r\n"})
      feed(at, reply, true);
    feed(at, "25", true);
    feed(at, "250 " + std::string(600, 'x') + "\r\n", true);
    // Two at once. Whether the second one came too early depends on how they are cut, and so do octets behind a 220 to STARTTLS.
    if (at.flight.size() < 2) {
      feed(at, "250 ok\r\n250 ok\r\n", false);
      feed(at, "220 ok\r\n2", false);
    } else {
      // Between the replies to two chunks the client asks for more octets, unless the second one has come: what is sent to a server
      // that refuses a chunk depends on when it says so.
      feed(at, "250 ok\r\n550 no\r\n", head != "BDAT");
    }
  }

  /// Gives octets of the server, and holds what is told and sent against the same octets one at a time (property 1).
  void feed(const node& at, std::string_view octets, bool cut) {
    if (!wrong_.empty()) return;
    label_ = fmt::format("{} to {}", octets.substr(0, 40), at.key());
    node next = at;
    if (cut) {
      ehlo::client_session whole = at.session;
      ehlo::client_session slow = at.session;
      const trace a = follow(whole, octets, octets.size());
      const trace b = follow(slow, octets, 1);
      check(a.text == b.text && a.octets == b.octets, "cuts change nothing");
    }
    visit(std::move(next), octets);
  }

  // ---- What the caller does --------------------------------------------------------------------------------------------------

  void request(const node& at) {
    const auto ask = [&](const char* what, auto&& say) {
      if (!wrong_.empty()) return;
      label_ = what;
      node next = at;
      if (say(next)) visit(std::move(next), "");
    };
    if (at.transactions < most_transactions) {
      ask("begin_transaction", [](node& n) {
        if (!n.session.begin_transaction(mail(), ehlo::traits_of(message))) return false;
        ++n.transactions;
        n.in_transaction = true;
        n.told = "  ";
        return true;
      });
    }
    ask("quit", [](node& n) { return n.has_quit = n.session.quit().has_value(); });
    ask("noop", [](node& n) { return n.session.noop().has_value(); });
    ask("reset", [](node& n) { return n.session.reset().has_value(); });
    ask("hello", [](node& n) { return n.session.hello().has_value(); });
    ask("authenticate", [](node& n) { return n.session.authenticate().has_value(); });
    node tries = at;
    check(!tries.session.verify("a\r\nDATA") && !tries.session.raw("X\r\nDATA") && !tries.session.raw("DATA") &&
              !tries.session.data("x") && !tries.session.respond("x"),
          "nothing can be injected, and no answer is taken without a question");
  }

  void give_data(const node& at) {
    const auto answer = [&](const char* what, auto&& say) {
      if (!wrong_.empty()) return;
      label_ = what;
      node next = at;
      if (say(next)) visit(std::move(next), "");
    };
    if (at.given < pieces.size()) {
      const std::string_view piece = pieces[at.given];
      const bool is_last = at.given + 1 == pieces.size();
      answer("data", [&](node& n) {
        ++n.given;
        return (is_last ? n.session.end_of_mail_data(piece) : n.session.data(piece)).has_value();
      });
    }
    answer("abandon", [](node& n) { return n.session.abandon().has_value(); });
    ehlo::client_session spoilt = at.session;
    (void)spoilt.data("x\ny\r\n.\r\n");
    const trace said = follow(spoilt, "", 1);
    const auto ends = [&](std::string_view octets) { return said.octets.find(octets) != said.octets.npos; };
    check(!ends("x\n") && !ends("\n.\r\n") && said.text.find("transaction_failed") != said.text.npos,
          "a text with a LF alone is not sent, and not ended");
    ++transitions_;
    not_answered(at, [](ehlo::client_session& s) { return s.respond("x"); });
  }

  void give_credentials(const node& at) {
    for (const bool says : {true, false}) {
      if (!wrong_.empty()) return;
      label_ = says ? "respond" : "decline";
      node next = at;
      if (says ? next.session.respond(std::string_view{"\0a\0b", 4}) : next.session.decline()) visit(std::move(next), "");
    }
    not_answered(at, [](ehlo::client_session& s) { return s.data("x"); });
  }

  /// A question stays open until its own answer comes.
  template <class Answer>
  void not_answered(const node& at, Answer wrong_answer) {
    ehlo::client_session session = at.session;
    const auto ticket = session.open_question();
    check(!wrong_answer(session) && !session.abandon(ehlo::ticket{ticket.serial + 1}) && session.open_question() == ticket,
          "an answer to another question changes nothing");
    std::string_view input = "250 ok\r\n";
    const auto action = session.next(input);
    check((std::holds_alternative<ehlo::answer_due>(action) || std::holds_alternative<ehlo::transmit>(action)) && input.size() == 8,
          "an open question waits and takes nothing");
    ++transitions_;
  }

  /// Property 4: what was learned before the handshake is gone behind it.
  void shake_hands(const node& at) {
    for (const auto strength : {ehlo::tls_strength::sufficient, ehlo::tls_strength::insufficient}) {
      if (!wrong_.empty()) return;
      label_ = "TLS";
      node next = at;
      check(next.session.tls_started(ehlo::server_identity::verified, strength).has_value(), "TLS was asked for");
      check(next.session.is_tls_active() && next.session.capabilities() == ehlo::capabilities{} &&
                !next.session.is_authenticated() && !next.session.is_esmtp(),
            "nothing crosses the TLS boundary");
      next.offered = 0;
      visit(std::move(next), "");
    }
    label_ = "no TLS";
    node next = at;
    check(next.session.tls_failed().has_value(), "TLS was asked for");
    visit(std::move(next), "");
  }

  void happen(const node& at) {
    for (int event = 0; event < 3 && wrong_.empty(); ++event) {
      node next = at;
      label_ = std::array{"timed_out", "end_of_input", "disconnected"}[static_cast<std::size_t>(event)];
      if (event == 0 && !next.session.timed_out()) continue;
      if (event == 1 && next.is_ended) continue;
      if (event == 1) {
        next.session.end_of_input();
        next.is_ended = true;
      }
      if (event == 2) {
        next.session.disconnected();
        ehlo::client_session copy = next.session;
        check(follow(copy, "", 1).octets.empty(), "nothing is sent on a broken channel");
      }
      visit(std::move(next), "");
    }
  }

  // ---- What the client says --------------------------------------------------------------------------------------------------

  /// A reader of what the client sends.
  void hear(node& n, std::string_view octets) {
    while (!octets.empty() && wrong_.empty()) {
      if (n.mode == reading::chunk) {
        const std::size_t size = std::min(n.chunk_left, octets.size());
        n.wire += octets.substr(0, size);
        octets.remove_prefix(size);
        n.chunk_left -= size;
        if (n.chunk_left == 0) n.mode = reading::lines;
        check(message.starts_with(n.wire), "chunks hold the message");
        continue;
      }
      const std::size_t end = octets.find("\r\n");
      check(end != octets.npos && octets.substr(0, end).find_first_of("\r\n") == octets.npos, "only CRLF ends a line");
      if (!wrong_.empty()) return;
      const std::string line{octets.substr(0, end)};
      octets.remove_prefix(end + 2);
      if (n.mode == reading::data) {
        hear_data(n, line);
      } else {
        hear_line(n, line);
      }
    }
  }

  void hear_data(node& n, const std::string& line) {
    if (line != ".") {
      n.wire += line.substr(line.starts_with('.') && belief_ != mistake::dots_are_single ? 1 : 0) + "\r\n";
      check(message.starts_with(n.wire), "mail data are the message with its dots doubled");
      return;
    }
    const bool is_wanted = n.taken.find('y') != n.taken.npos;
    check(n.wire == message || (!is_wanted && n.wire.empty()), "the lone dot comes at the end of the message");
    n.mode = reading::lines;
    end_message(n);
  }

  void end_message(node& n) {
    const auto accepted = static_cast<std::size_t>(std::ranges::count(n.taken, 'y'));
    for (std::size_t i = 0; i < (is_lmtp_ ? accepted : 1); ++i) n.flight.emplace_back(".");
  }

  void hear_line(node& n, const std::string& line) {
    const auto one_of = [&](std::initializer_list<std::string_view> all) { return std::ranges::find(all, line) != all.end(); };
    if (n.mode == reading::response) {
      check(line == secret_line || line == "*", "a response is credentials or the cancel");
      n.mode = reading::lines;
      n.flight.emplace_back("AUTH");
      return;
    }
    check(!n.must_reset || line == "RSET" || line == "QUIT", "behind a refused chunk comes RSET");
    if (line.starts_with("BDAT ")) {
      const std::size_t size = static_cast<std::size_t>(std::stoul(line.substr(5)));
      check(n.taken.find('y') != n.taken.npos, "a chunk needs an accepted recipient");
      check(n.wire.size() + size <= message.size() && line.ends_with(" LAST") == (n.wire.size() + size == message.size()),
            "chunks are as long as they say");
      n.mode = size > 0 ? reading::chunk : reading::lines;
      n.chunk_left = size;
      if (line.ends_with(" LAST")) {
        end_message(n);
      } else {
        n.flight.emplace_back("BDAT");
      }
      return;
    }
    // Property 5: every line that may come is written here.
    check(one_of({"EHLO client.example", "LHLO client.example", "HELO client.example", "STARTTLS", "AUTH PLAIN",
                  "AUTH PLAIN AGEAYg==", "MAIL FROM:<a@client.example>", "RCPT TO:<b@mx.example>", "RCPT TO:<c@mx.example>", "DATA",
                  "RSET", "NOOP", "QUIT"}),
          "each line is a command that was meant");
    const std::string verb = line.substr(0, 4);
    check(verb != "AUTH" || n.session.is_tls_active(), "credentials are not shown without TLS");
    check(n.flight.empty() || verb == "QUIT" || (offers()[n.offered].pipelining && belief_ != mistake::nobody_pipelines),
          "commands go one by one without PIPELINING");
    if (verb == "MAIL") {
      n.taken = "  ";
      n.wire.clear();
      n.given = 0;
    }
    if (verb == "RSET") n.must_reset = false;
    n.flight.push_back(verb == "RCPT" ? (line.find("<b") != line.npos ? "RCPT0" : "RCPT1") : verb);
    check(n.flight.size() <= 8, "what is in flight is bounded");
  }

  /// What a reply means to a server that has said it.
  void answer(node& n, int code) {
    if (n.flight.empty()) return;
    const std::string head = n.flight.front();
    n.flight.erase(n.flight.begin());
    const bool is_accepted = code / 100 == 2 || (belief_ == mistake::later_is_accepted && code / 100 == 4);
    if (head == "MAIL" && code / 100 != 2) n.taken = "--";  // whatever is said to RCPT, there is no transaction
    if (head.starts_with("RCPT") && n.taken != "--") n.taken[head.back() == '0' ? 0 : 1] = is_accepted ? 'y' : 'n';
    if (head == "DATA" && code == 354) n.mode = reading::data;
    if (head == "AUTH" && code == 334) n.mode = reading::response;
    if (head == "BDAT" && code / 100 != 2) n.must_reset = true;
    if (belief_ == mistake::chunk_is_forgiven && head == "BDAT") n.must_reset = true;
    if (head == "RSET" && code / 100 == 2) n.must_reset = false;
    if (head == "EHLO" && code / 100 != 2) n.offered = 0;
  }

  // ---- What the caller is told -----------------------------------------------------------------------------------------------

  /// Property 2: each reply is told of the command that it answers, and each transaction has one end.
  void tell(node& n, const ehlo::client_action& action, int code, const std::vector<int>& came) {
    if (code != 0) check(std::ranges::find(came, code) != came.end(), "a result has the reply that came");
    if (const auto* const r = std::get_if<ehlo::recipient_result>(&action)) {
      check(n.in_transaction && n.told[r->index] == ' ', "a recipient has one result of RCPT");
      n.told[r->index] = code / 100 == 2 ? 'a' : 'r';
      check((n.taken[r->index] == 'y') == (n.told[r->index] == 'a'), "the result of a recipient is that of its RCPT");
    } else if (const auto* const m = std::get_if<ehlo::message_result>(&action)) {
      check(n.in_transaction, "a message has one result");
      for (std::size_t i = m->first; i < m->last; ++i) {
        if (n.told[i] == 'a') n.told[i] = 'd';
      }
      check(n.wire == message || code / 100 != 2, "a message that was taken was sent to its end");
      if (n.told.find('a') == n.told.npos && n.told.find(' ') == n.told.npos) n.in_transaction = false;
    } else if (std::holds_alternative<ehlo::transaction_failed>(action)) {
      check(n.in_transaction, "a transaction fails once");
      n.in_transaction = false;
    } else if (std::holds_alternative<ehlo::failed>(action)) {
      check(!n.knows_failure, "a session fails once");
      n.knows_failure = true;
    }
  }

  /// The replies that stand whole in what came, with what came before.
  static std::vector<int> codes_in(node& n, std::string_view octets) {
    std::string all = n.part + std::string{octets};
    std::vector<int> out;
    std::size_t start = 0;
    for (std::size_t end = 0; (end = all.find("\r\n", start)) != all.npos; start = end + 2) {
      const std::string line = all.substr(start, end - start);
      if (line.size() >= 3 && std::ranges::all_of(line.substr(0, 3), [](char c) { return c >= '0' && c <= '9'; }) && line[3] != '-')
        out.push_back(std::stoi(line.substr(0, 3)));
    }
    n.part = all.substr(start);
    return out;
  }

  void visit(node n, std::string_view octets) {
    ++transitions_;
    const std::vector<int> came = codes_in(n, octets);
    std::size_t answered = 0;
    const trace all = follow(n.session, octets, std::max<std::size_t>(octets.size(), 1));
    check(all.is_good, "a session does not loop, and shows no credentials");
    check(all.longest <= options_.limits.batch, "a batch is bounded");
    for (std::size_t i = 0; i < all.actions.size() && wrong_.empty(); ++i) {
      const auto& action = all.actions[i];
      // A reply has been taken when the session tells of it, or goes on to speak; all have been when it waits.
      const bool is_end = i + 1 == all.actions.size();
      const auto take_one = [&] {
        if (answered < came.size()) answer(n, came[answered++]);
      };
      if (all.codes[i] != 0 || !all.sent[i].empty()) take_one();
      if (is_end) {
        while (answered < came.size()) take_one();
      }
      hear(n, all.sent[i]);
      tell(n, action, all.codes[i], came);
    }
    if (!wrong_.empty()) return;
    const auto& last = all.actions.back();
    if (std::holds_alternative<ehlo::close_channel>(last)) {
      close(n);
    } else if (std::holds_alternative<ehlo::idle>(last)) {
      n.at = waits::idle;
      check(!n.in_transaction && n.flight.empty(), "an idle session has nothing in flight, and every transaction has ended");
    } else if (std::holds_alternative<ehlo::start_tls>(last)) {
      n.at = waits::handshake;
      check(all.left == 0 && n.flight.empty() && n.part.empty(), "TLS begins with nothing left over");
    } else if (std::holds_alternative<ehlo::mail_data_question>(last)) {
      n.at = waits::mail_data;
      check(n.taken.find('y') != n.taken.npos, "mail data are for somebody");
    } else if (std::holds_alternative<ehlo::credentials_question>(last)) {
      n.at = waits::credentials;
      check(n.session.is_tls_active(), "no credentials without TLS");
    } else if (std::holds_alternative<ehlo::answer_due>(last)) {
      check(n.at == waits::mail_data || n.at == waits::credentials, "a question is open");
    } else {
      n.at = waits::input;
      check(std::holds_alternative<ehlo::receive>(last) && all.left == 0, "all of the input was taken");
      check(!n.flight.empty() || !n.part.empty(), "a session waits only for what is due");
    }
    remember(std::move(n));
  }

  /// Property 9.
  void close(node& n) {
    n.at = waits::closed;
    check(!n.in_transaction, "every transaction ends");
    std::string_view more = "250 ok\r\n";
    check(std::holds_alternative<ehlo::close_channel>(n.session.next(more)) && more.size() == 8,
          "a session that has said close_channel says nothing else");
    check(!n.session.noop() && !n.session.begin_transaction(mail()) && n.session.is_closed(), "and does nothing else");
  }

  void remember(node n) {
    if (!wrong_.empty()) return;
    if (seen_.insert(n.key()).second) open_.push_back(std::move(n));
    check(seen_.size() < 500000, "the states are bounded");
  }

  void check(bool holds, const char* property) {
    if (!holds && wrong_.empty()) wrong_ = std::string{property} + " (after " + label_ + ")";
  }

  const ehlo::client_options& options_;
  mistake belief_;
  bool is_lmtp_;
  std::deque<node> open_;
  std::set<std::string> seen_;
  std::size_t transitions_ = 0;
  std::string wrong_;
  std::string label_ = "the beginning";
};

}  // namespace

TEST_CASE("every reachable state of a client session keeps the properties of the design", "[client][walk][5321-4.3.2-01]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain};
  ehlo::client_options careful{.hostname = "client.example", .mechanisms = mechanisms};
  ehlo::client_options easy = careful;
  easy.tls = ehlo::tls_policy::opportunistic;
  easy.auth_required = false;
  ehlo::client_options local{.hostname = "client.example", .protocol = ehlo::protocol::lmtp, .tls = ehlo::tls_policy::never};
  ehlo::client_options all_or_nothing{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  all_or_nothing.chunking = ehlo::chunking_policy::never;
  all_or_nothing.recipients = ehlo::recipient_policy::all_or_nothing;
  std::size_t states = 0;
  std::size_t transitions = 0;
  for (auto* const options : {&careful, &easy, &local, &all_or_nothing}) {
    options->limits.reply = {.line = 512, .lines = 4, .octets = 512};
    walk w{*options};
    w.run();
    INFO(w.states() << " states, " << w.transitions() << " transitions");
    CHECK(w.wrong() == "");
    CHECK(w.states() > 100);
    states += w.states();
    transitions += w.transitions();
    std::printf("walk: client, %zu states, %zu transitions\n", w.states(), w.transitions());
  }
  walks_page::check_row("client", states, transitions);
}

TEST_CASE("a mistake of its reader makes the walk of the client fail", "[client][walk]") {
  ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  options.limits.reply = {.line = 512, .lines = 4, .octets = 512};
  for (const auto chunking : {ehlo::chunking_policy::never, ehlo::chunking_policy::preferred}) {
    options.chunking = chunking;
    for (const mistake belief :
         {mistake::nobody_pipelines, mistake::later_is_accepted,
          chunking == ehlo::chunking_policy::never ? mistake::dots_are_single : mistake::chunk_is_forgiven}) {
      walk w{options, belief};
      w.run();
      CAPTURE(static_cast<int>(belief));
      CHECK(w.wrong() != "");
    }
  }
}
