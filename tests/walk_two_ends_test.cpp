// SPDX-License-Identifier: BSL-1.0
// A walk over all reachable states of a client session and a server session that are joined by two pipes which hold one batch each.
// In each state either end runs, with all of what is on its way to it or with all but the last octet; each caller decides in every
// way; and the channel breaks. A state is what both ends have taken and were told by their callers, and what is in the pipes: which
// end ran first is no part of it.
//
// The properties of the design, and what checks them here: 1 cuts: the same decisions have the same outcome on every way
// (`finish`); 2 replies and results: `finish`, and each transaction ends (`tell`); 3 line ends: the server's message is the
// client's, octet by octet, and no rule is broken (`hear`); 4 TLS: `shake_hands`; 5 injection: no rule is broken, and no command is
// unknown
// (`hear`); 6 memory: `move` (what is on its way is bounded by the pipes, what is said at once by a batch); 7 chunks: a refused
// chunk is followed by no broken rule (`hear`); 8 credentials: `hear` (the question comes under TLS), `move` (never on the pipe in
// clear); 9 the end: `close`; 10 waiting: `run` (where nothing can move, both have closed).
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

constexpr std::array<std::string_view, 2> pieces{"a: b\r\n\r\n.x\r\n", ".\r\n"};
const std::string message = std::string{pieces[0]} + std::string{pieces[1]};
constexpr std::string_view credentials{"\0a\0b", 4};
constexpr std::string_view encoded = "AGEAYg==";

const ehlo::envelope& mail() {
  static const ehlo::envelope out = *ehlo::envelope::make("a@client.example", {"b@mx.example", "c@mx.example"});
  return out;
}

/// One end of the channel.
template <class Session>
struct end {
  Session session;
  std::string input{};    ///< taken from the pipe, not yet by the session
  std::string unsaid{};   ///< what waits for room in the pipe
  std::string asked{};    ///< the open question
  std::string decided{};  ///< by its caller, a letter each
  std::size_t taken = 0;  ///< octets from the pipe
  bool is_hungry = false;
  bool shakes_hands = false;
  bool is_closed = false;
};

struct node {
  end<ehlo::client_session> client;
  end<ehlo::server_session> server;
  std::string up{};         ///< on its way to the server
  std::string down{};       ///< on its way to the client
  std::string told = "  ";  ///< of each recipient to the client's caller: a accepted, r refused, d delivered, f refused at the end
  std::string stored = "  ";     ///< of each recipient by the server's caller: a accepted, r refused, d delivered
  std::string text{};            ///< the mail data of the server
  std::size_t given = 0;         ///< pieces of the message
  bool is_unknown = false;       ///< the client's caller was told that the message may have been taken
  bool in_transaction = true;    ///< of the client
  bool has_transaction = false;  ///< of the server

  std::string key() const {
    std::string out = client.decided + "|" + server.decided + "|" + client.input + "|" + server.input + "|" + up + "|" + down +
                      "|" + client.unsaid + "|" + server.unsaid + "|" + client.asked + "|" + server.asked + "|" + told + stored +
                      "|";
    out += std::to_string(client.taken) + "," + std::to_string(server.taken);
    for (const bool b : {client.is_hungry, server.is_hungry, client.shakes_hands, server.shakes_hands, client.is_closed,
                         server.is_closed, in_transaction, has_transaction})
      out += b ? '1' : '0';
    return out;
  }
};

class walk {
 public:
  /// `expected` is what the server should be given.
  walk(const ehlo::client_options& client, const ehlo::server_options& server, std::string_view expected = message)
      : client_{client}, server_{server}, expected_{expected} {}

  void allow_nothing_behind_a_refusal() { is_patient_ = true; }

  void run() {
    node first{{ehlo::client_session{client_}}, {ehlo::server_session{server_}}};
    check(first.client.session.begin_transaction(mail(), ehlo::traits_of(message)).has_value(), "a transaction begins");
    check(first.client.session.quit().has_value(), "and QUIT is asked for");
    remember(std::move(first));
    while (!open_.empty() && wrong_.empty()) {
      const node at = std::move(open_.front());
      open_.pop_front();
      bool moved = run_client(at);
      moved = run_server(at) || moved;
      moved = shake_hands(at) || moved;
      moved = answer_client(at) || moved;
      moved = answer_server(at) || moved;
      if (moved) {
        break_channel(at);
      } else {
        check(at.client.is_closed && at.server.is_closed, "two sessions do not wait for each other");
        finish(at);
      }
    }
  }

  const std::string& wrong() const { return wrong_; }
  std::size_t states() const { return seen_.size(); }
  std::size_t transitions() const { return transitions_; }
  std::size_t outcomes() const { return outcomes_.size(); }

 private:
  // ---- The channel -----------------------------------------------------------------------------------------------------------

  /// Puts what an end says into its pipe, as far as there is room. True if all of it is there.
  template <class Session>
  bool move(end<Session>& from, std::string& pipe) {
    const std::size_t count = std::min(from.unsaid.size(), room - std::min(room, pipe.size()));
    pipe += from.unsaid.substr(0, count);
    from.unsaid.erase(0, count);
    check(pipe.size() <= room, "what is on its way is bounded");
    return from.unsaid.empty();
  }

  /// Says whether an end can run, and with which pieces of what is on its way; an empty pipe that nobody fills any more is an end.
  template <class Session>
  static std::vector<std::size_t> pieces_for(const end<Session>& e, const std::string& pipe, bool is_other_closed) {
    if (e.is_closed || !e.asked.empty() || e.shakes_hands) return {};
    if (!e.unsaid.empty() || !e.is_hungry) return {0};
    if (pipe.empty()) return is_other_closed ? std::vector<std::size_t>{0} : std::vector<std::size_t>{};
    return pipe.size() > 1 ? std::vector<std::size_t>{1, pipe.size()} : std::vector<std::size_t>{1};
  }

  template <class Session>
  static void take_piece(end<Session>& e, std::string& pipe, std::size_t size, bool is_other_closed) {
    if (!e.is_hungry || !e.unsaid.empty()) return;
    if (size == 0 && pipe.empty() && is_other_closed) e.session.end_of_input();
    e.input += pipe.substr(0, size);
    pipe.erase(0, size);
    e.taken += size;
    e.is_hungry = false;
  }

  bool run_client(const node& at) {
    bool moved = false;
    for (const std::size_t size : pieces_for(at.client, at.down, at.server.is_closed && at.server.unsaid.empty())) {
      node n = at;
      take_piece(n.client, n.down, size, n.server.is_closed);
      if (move(n.client, n.up)) go_on_client(n);
      moved = remember_if_changed(at, std::move(n)) || moved;
    }
    return moved;
  }

  bool run_server(const node& at) {
    bool moved = false;
    for (const std::size_t size : pieces_for(at.server, at.up, at.client.is_closed && at.client.unsaid.empty())) {
      node n = at;
      take_piece(n.server, n.up, size, n.client.is_closed);
      if (move(n.server, n.down)) go_on_server(n);
      moved = remember_if_changed(at, std::move(n)) || moved;
    }
    return moved;
  }

  /// Runs until the client waits, asks, or has said something.
  void go_on_client(node& n) {
    for (int turns = 0; turns < 200; ++turns) {
      std::string_view input = n.client.input;
      const auto action = n.client.session.next(input);
      n.client.input.erase(0, n.client.input.size() - input.size());
      if (const auto* const t = std::get_if<ehlo::transmit>(&action)) {
        check(n.client.session.is_tls_active() || t->octets.find(encoded) == t->octets.npos, "credentials are not sent in clear");
        check(t->octets.size() <= client_.limits.batch, "what is said at once is bounded");
        n.client.unsaid = t->octets;
        if (!move(n.client, n.up)) return;
      } else if (std::holds_alternative<ehlo::receive>(action)) {
        n.client.is_hungry = true;
        return;
      } else if (std::holds_alternative<ehlo::start_tls>(action)) {
        n.client.shakes_hands = true;
        return;
      } else if (std::holds_alternative<ehlo::close_channel>(action)) {
        close(n.client);
        return;
      } else if (std::holds_alternative<ehlo::mail_data_question>(action)) {
        if (std::get<ehlo::mail_data_question>(action).begin) n.given = 0;
        n.client.asked = "mail data";
        return;
      } else if (std::holds_alternative<ehlo::credentials_question>(action)) {
        n.client.asked = "credentials";
        return;
      } else {
        check(!std::holds_alternative<ehlo::idle>(action), "a session that was asked to quit is not idle");
        tell(n, action);
      }
    }
    check(false, "a client does not loop");
  }

  void tell(node& n, const ehlo::client_action& action) {
    if (const auto* const r = std::get_if<ehlo::recipient_result>(&action)) {
      check(n.in_transaction && n.told[r->index] == ' ', "a recipient has one result of RCPT");
      n.told[r->index] = r->is_accepted() ? 'a' : 'r';
    } else if (const auto* const m = std::get_if<ehlo::message_result>(&action)) {
      for (std::size_t i = m->first; i < m->last; ++i) {
        if (n.told[i] == 'a') n.told[i] = m->is_accepted() ? 'd' : 'f';
      }
      if (n.told.find_first_of(" a") == std::string::npos) n.in_transaction = false;
    } else if (const auto* const f = std::get_if<ehlo::transaction_failed>(&action)) {
      check(std::exchange(n.in_transaction, false), "a transaction fails once");
      n.is_unknown = f->delivery == ehlo::delivery::unknown;
    }
  }

  void go_on_server(node& n) {
    for (int turns = 0; turns < 200; ++turns) {
      std::string_view input = n.server.input;
      const auto action = n.server.session.next(input);
      const std::string rest{input};
      if (const auto* const data = std::get_if<ehlo::mail_data>(&action)) n.text += data->octets;
      if (const auto* const t = std::get_if<ehlo::transmit>(&action)) {
        n.server.unsaid = t->octets;
        n.server.input = rest;
        if (!move(n.server, n.down)) return;
        continue;
      }
      const bool stops = hear(n, action);
      n.server.input = rest;
      if (stops) return;
    }
    check(false, "a server does not loop");
  }

  static bool is_order(ehlo::errc code) {
    return code == ehlo::errc::transaction_required || code == ehlo::errc::recipient_required || code == ehlo::errc::chunk_refused;
  }

  /// What the server tells its caller; true if it waits.
  bool hear(node& n, const ehlo::server_action& action) {
    // Behind a refused MAIL or RCPT what was pipelined with it is out of order.
    const auto* const broken = std::get_if<ehlo::violation>(&action);
    check(broken == nullptr || (is_order(broken->code) && client_.pipelining && !is_patient_), "a client breaks no rule");
    check(!std::holds_alternative<ehlo::custom_question>(action), "a client says no unknown command");
    if (std::holds_alternative<ehlo::receive>(action)) return n.server.is_hungry = true;
    if (std::holds_alternative<ehlo::start_tls>(action)) return n.server.shakes_hands = true;
    if (std::holds_alternative<ehlo::close_channel>(action)) {
      check(!n.has_transaction, "every transaction ends");
      close(n.server);
      return true;
    }
    if (std::holds_alternative<ehlo::transaction_reset>(action)) {
      check(std::exchange(n.has_transaction, false), "a reset ends a transaction that had begun");
      n.text.clear();
      std::ranges::replace(n.stored, 'a', ' ');
    }
    std::visit(
        [&](const auto& a) {
          using kind = std::remove_cvref_t<decltype(a)>;
          if constexpr (std::is_same_v<kind, ehlo::mail_question>) n.server.asked = "mail";
          if constexpr (std::is_same_v<kind, ehlo::rcpt_question>) {
            n.server.asked = a.forward_path.text() == "<b@mx.example>" ? "rcpt 0" : "rcpt 1";
          }
          if constexpr (std::is_same_v<kind, ehlo::data_question>) n.server.asked = "data";
          if constexpr (std::is_same_v<kind, ehlo::message_question>) {
            check(n.text == expected_, "the message is the one that was sent");
            n.server.asked = "message " + std::to_string(a.recipient);
          }
          if constexpr (std::is_same_v<kind, ehlo::auth_question>) {
            check(n.server.session.is_tls_active(), "credentials are not taken without TLS");
            n.server.asked = "auth";
          }
          if constexpr (std::is_same_v<kind, ehlo::greeting_question>) n.server.asked = "greeting";
          if constexpr (ehlo::question<kind>) {
            if (n.server.asked.empty()) n.server.asked = "other";
          }
        },
        action);
    return !n.server.asked.empty();
  }

  /// Property 9.
  template <class Session>
  void close(end<Session>& e) {
    e.is_closed = true;
    std::string_view more = "250 ok\r\n";
    check(std::holds_alternative<ehlo::close_channel>(e.session.next(more)) && more.size() == 8,
          "a session that has said close_channel says nothing else");
  }

  /// Property 4: both ends ask for it, and nothing is on its way.
  bool shake_hands(const node& at) {
    if (!at.client.shakes_hands || !at.server.shakes_hands) return false;
    check(at.up.empty() && at.down.empty() && at.client.input.empty() && at.server.input.empty(), "nothing is on its way");
    for (const bool is_good : {true, false}) {
      node n = at;
      n.client.decided += is_good ? "T" : "t";
      n.client.shakes_hands = n.server.shakes_hands = false;
      check((is_good ? n.client.session.tls_started() : n.client.session.tls_failed()).has_value(), "TLS was asked for");
      check((is_good ? n.server.session.tls_started() : n.server.session.tls_failed()).has_value(), "TLS was asked for");
      if (is_good) {
        check(n.client.session.capabilities() == ehlo::capabilities{} && !n.client.session.is_esmtp() &&
                  !n.server.session.is_esmtp() && !n.server.session.is_authenticated(),
              "nothing crosses the TLS boundary");
      }
      n.client.is_hungry = n.server.is_hungry = false;
      remember(std::move(n));
    }
    return true;
  }

  // ---- The callers -----------------------------------------------------------------------------------------------------------

  bool answer_client(const node& at) {
    if (at.client.asked.empty()) return false;
    for (const bool says : {true, false}) {
      node n = at;
      n.client.decided += says ? "y" : "n";
      n.client.asked.clear();
      ehlo::client_session& s = n.client.session;
      bool is_taken = false;
      if (at.client.asked == "credentials") {
        is_taken = (says ? s.respond(credentials) : s.decline()).has_value();
      } else if (says) {
        const std::size_t piece = n.given++;
        is_taken = (piece + 1 == pieces.size() ? s.end_of_mail_data(pieces[piece]) : s.data(pieces[piece])).has_value();
      } else {
        is_taken = s.abandon().has_value();
      }
      check(is_taken, "an answer to the open question is taken");
      remember(std::move(n));
    }
    return true;
  }

  bool answer_server(const node& at) {
    if (at.server.asked.empty()) return false;
    for (const char says : {'y', '4', '5', '1'}) {
      node n = at;
      n.server.decided += says;
      const std::string asked = std::exchange(n.server.asked, {});
      const bool is_yes = says == 'y';
      ehlo::server_session& s = n.server.session;
      const ehlo::result<void> given = is_yes ? (asked == "auth" ? s.authenticated() : s.accept())
                                              : s.reject(says == '4'   ? ehlo::replies::local_error
                                                         : says == '5' ? ehlo::replies::no_such_mailbox
                                                                       : ehlo::replies::service_not_available);
      if (!given) {
        check(s.open_question() == at.server.session.open_question(), "an answer that is refused changes nothing");
        continue;
      }
      if (asked == "mail" && is_yes) n.has_transaction = true;
      if (asked.starts_with("rcpt")) n.stored[asked.back() == '0' ? 0 : 1] = is_yes ? 'a' : 'r';
      if (asked.starts_with("message")) {
        const auto of = static_cast<std::size_t>(asked.back() - '0');  // LMTP asks for each accepted recipient
        std::size_t count = 0;
        for (char& c : n.stored) {
          const bool is_meant = (c == 'a' || c == 'd' || c == 'f') && (!s.is_lmtp() || count == of);
          if (c == 'a' || c == 'd' || c == 'f') ++count;
          if (is_meant) c = is_yes ? 'd' : 'f';
        }
        if (n.stored.find('a') == std::string::npos) {
          n.has_transaction = false;
          n.text.clear();
        }
      }
      remember(std::move(n));
    }
    return true;
  }

  /// Both ends learn that the channel is broken: each ends, and what the client's caller is told is true.
  void break_channel(const node& at) {
    ++transitions_;
    node n = at;
    n.client.session.disconnected();
    n.server.session.disconnected();
    n.client.asked.clear();
    n.server.asked.clear();
    for (int turns = 0; turns < 200 && !n.client.is_closed; ++turns) {
      std::string_view input;
      const auto action = n.client.session.next(input);
      check(!std::holds_alternative<ehlo::transmit>(action), "nothing is sent on a broken channel");
      if (std::holds_alternative<ehlo::close_channel>(action)) n.client.is_closed = true;
      tell(n, action);
    }
    for (int turns = 0; turns < 200 && !n.server.is_closed; ++turns) {
      std::string_view input;
      const auto action = n.server.session.next(input);
      check(!std::holds_alternative<ehlo::transmit>(action), "nothing is sent on a broken channel");
      (void)hear(n, action);
    }
    check(n.client.is_closed && n.server.is_closed, "a broken channel ends both sessions");
    compare(n);
  }

  // ---- The end ---------------------------------------------------------------------------------------------------------------

  /// Property 2: nothing is delivered without the client's caller knowing that it was, or may have been; and nothing is told as
  /// delivered that was not.
  void compare(const node& n) {
    check(!n.in_transaction && !n.has_transaction, "every transaction ends");
    for (std::size_t i = 0; i < n.told.size(); ++i) {
      check(n.told[i] != 'd' || n.stored[i] == 'd', "what was told as delivered was stored");
      check(n.stored[i] != 'd' || n.told[i] == 'd' || n.is_unknown, "what was stored was told as delivered, or as unknown");
      check(n.told[i] != 'r' || n.stored[i] == 'r' || n.stored[i] == ' ', "what was told as refused was refused");
    }
  }

  /// Property 1: the way here does not matter, the decisions do.
  void finish(const node& n) {
    compare(n);
    const std::string outcome = n.told + "|" + n.stored + (n.is_unknown ? "unknown" : "");
    const auto [found, is_new] = outcomes_.emplace(n.client.decided + "|" + n.server.decided, outcome);
    check(found->second == outcome, "the same decisions have the same outcome");
  }

  bool remember_if_changed(const node& before, node n) {
    if (n.key() == before.key()) return false;
    remember(std::move(n));
    return true;
  }

  void remember(node n) {
    ++transitions_;
    if (!wrong_.empty()) return;
    if (seen_.insert(n.key()).second) open_.push_back(std::move(n));
    check(seen_.size() < 1000000, "the states are bounded");
  }

  void check(bool holds, const char* property) {
    if (!holds && wrong_.empty()) wrong_ = property;
  }

  static constexpr std::size_t room = 512;  // a batch

  const ehlo::client_options& client_;
  const ehlo::server_options& server_;
  std::string_view expected_;
  bool is_patient_ = false;
  std::deque<node> open_;
  std::set<std::string> seen_;
  std::map<std::string, std::string> outcomes_;
  std::size_t transitions_ = 0;
  std::string wrong_;
};

}  // namespace

TEST_CASE("every reachable state of two sessions that are joined keeps the properties of the design", "[two ends][walk]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain};
  std::size_t states = 0;
  std::size_t transitions = 0;
  const auto count = [&](const ehlo::client_options& client, const ehlo::server_options& server, const char* name) {
    walk w{client, server};
    w.run();
    CAPTURE(name, w.states(), w.transitions());
    CHECK(w.wrong() == "");
    CHECK(w.outcomes() > 40);
    states += w.states();
    transitions += w.transitions();
    std::printf("walk: both ends, %s, %zu states, %zu transitions, %zu outcomes\n", name, w.states(), w.transitions(),
                w.outcomes());
  };
  ehlo::client_options client{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  client.limits.batch = 512;
  ehlo::server_options server{.hostname = "mx.example"};
  count(client, server, "BDAT");
  client.chunking = ehlo::chunking_policy::never;
  count(client, server, "DATA");
  client.pipelining = false;
  count(client, server, "one by one");
  client.pipelining = true;
  client.protocol = server.protocol = ehlo::protocol::lmtp;
  count(client, server, "LMTP");
  client.protocol = server.protocol = ehlo::protocol::smtp;
  client.tls = ehlo::tls_policy::required;
  client.mechanisms = mechanisms;
  client.auth_required = false;
  server.tls = ehlo::tls_mode::offered;
  server.mechanisms = mechanisms;
  count(client, server, "TLS and AUTH");
  walks_page::check_row("both ends", states, transitions);
}

TEST_CASE("the walk of both ends notices another message, and a client that does not wait", "[two ends][walk]") {
  ehlo::client_options client{.hostname = "client.example", .tls = ehlo::tls_policy::never, .pipelining = false};
  client.limits.batch = 512;
  const ehlo::server_options server{.hostname = "mx.example"};
  walk other_message{client, server, "a: b\r\n\r\n.x\r\n"};
  other_message.run();
  CHECK(other_message.wrong() == "the message is the one that was sent");
  // Commands that are pipelined behind a refused one are out of order: to a walk that allows no such thing, a rule is broken.
  ehlo::client_options eager = client;
  eager.pipelining = true;
  walk impatient{eager, server};
  impatient.allow_nothing_behind_a_refusal();
  impatient.run();
  CHECK(impatient.wrong() == "a client breaks no rule");
}
