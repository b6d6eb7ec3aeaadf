// SPDX-License-Identifier: BSL-1.0
// The player of the server's dialogues: compiled once for all tests.
#include "support/server_dialogue.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <sstream>
#include <utility>

#include "support/cuts.hpp"

namespace dialogue {

namespace {

enum class kind { client, server, tls, tls_weak, tls_failed, end_of_input, disconnect, time_out, shutdown, close };

struct step {
  kind what;
  std::string text;
  std::size_t line;
};

std::vector<step> parse(std::string_view text) {
  std::vector<step> out;
  std::istringstream in{std::string{text}};
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const std::size_t first = line.find_first_not_of(' ');
    if (first == line.npos) continue;
    line = line.substr(first);
    if (line.starts_with('#')) continue;
    if (line.starts_with("C:")) {
      out.push_back({kind::client, unescape(line.size() > 3 ? line.substr(3) : "") + "\r\n", number});
    } else if (line.starts_with("c: ")) {
      out.push_back({kind::client, unescape(line.substr(3)), number});
    } else if (line.starts_with("S: ")) {
      out.push_back({kind::server, unescape(line.substr(3)), number});
    } else {
      while (!line.empty() && line.back() == ' ') line.pop_back();
      const std::pair<std::string_view, kind> words[] = {
          {"TLS", kind::tls},          {"TLS WEAK", kind::tls_weak}, {"TLS FAILED", kind::tls_failed}, {"EOF", kind::end_of_input},
          {"BREAK", kind::disconnect}, {"TIMEOUT", kind::time_out},  {"SHUTDOWN", kind::shutdown},     {"CLOSE", kind::close}};
      const auto found = std::ranges::find(words, std::string_view{line}, &std::pair<std::string_view, kind>::first);
      if (found == std::end(words)) FAIL("a line that no dialogue has: " << line);
      out.push_back({found->second, {}, number});
    }
  }
  return out;
}

/// The lines of a dialogue's mail data are the client's too: nothing to tell apart.
template <class Session>
class player {
 public:
  player(const setup& how, std::size_t cut) : how_{how}, session_{how.options}, cut_{cut} {}

  record play(const std::vector<step>& steps) {
    pump();
    // A dialogue that does not begin with the server has had its 220.
    if (!steps.empty() && steps.front().what != kind::server && out_.starts_with("220 ")) out_.clear();
    for (std::size_t i = 0; i < steps.size() && !failed_; ++i) {
      const step& s = steps[i];
      INFO("line " << s.line << " of the dialogue, cut every " << cut_ << ": " << s.text);
      if (s.what == kind::client) {
        pending_ += s.text;
        continue;
      }
      feed();
      switch (s.what) {
        case kind::client: break;
        case kind::server: i = expect(steps, i); break;
        case kind::tls:
        case kind::tls_weak:
        case kind::tls_failed: handshake(s.what); break;
        case kind::end_of_input:
          session_.end_of_input();
          pump();
          break;
        case kind::disconnect:
          session_.disconnected();
          pump();
          break;
        case kind::time_out:
          CHECK(session_.timed_out().has_value());
          pump();
          break;
        case kind::shutdown:
          session_.shutdown();
          pump();
          break;
        case kind::close:
          CHECK(record_.closed);
          failed_ = failed_ || !record_.closed;
          break;
      }
    }
    feed();
    INFO("cut every " << cut_ << ", sent and not expected: " << out_);
    CHECK(out_.empty());
    return record_;
  }

 private:
  /// Gives what the client has said so far, in pieces.
  void feed() {
    while (!pending_.empty() && !record_.closed && !wants_tls_) {
      const std::size_t count = std::min(cut_, pending_.size());
      buffer_ = std::make_unique<char[]>(count);
      pending_.copy(buffer_.get(), count);
      pending_.erase(0, count);
      input_ = {buffer_.get(), count};
      pump();
    }
    if (record_.closed) pending_.clear();
  }

  void handshake(kind how) {
    CHECK(wants_tls_);
    failed_ = failed_ || !wants_tls_;
    if (failed_) return;
    wants_tls_ = false;
    if (how == kind::tls_failed) {
      (void)session_.tls_failed();
    } else {
      (void)session_.tls_started(how == kind::tls ? ehlo::tls_strength::sufficient : ehlo::tls_strength::insufficient);
    }
    pump();
  }

  /// Takes one reply from what was sent and holds it against the lines from `at` on. Gives the index of the last.
  std::size_t expect(const std::vector<step>& steps, std::size_t at) {
    std::vector<std::string> lines;
    for (bool last = false; !last;) {
      const std::size_t end = out_.find("\r\n");
      if (end == out_.npos || end < 4) {
        FAIL("no reply where one was expected; sent: " << out_);
      }
      lines.push_back(out_.substr(0, end));
      out_.erase(0, end + 2);
      last = lines.back()[3] == ' ';
    }
    for (const std::string& line : lines) {
      CHECK(line.size() <= (line.starts_with("334") ? 20000U : 510U));
      CHECK(line.find_first_of(std::string_view{"\r\n\0", 3}) == line.npos);
    }
    if (steps[at].text.size() > 3 && steps[at].text[3] == '-') {
      for (std::size_t i = 0; i < lines.size(); ++i) {
        REQUIRE(at + i < steps.size());
        const step& wanted = steps[at + i];
        CAPTURE(wanted.line, wanted.text, lines);
        REQUIRE(wanted.what == kind::server);
        CHECK(lines[i].starts_with(wanted.text));
      }
      return at + lines.size() - 1;
    }
    const std::string& wanted = steps[at].text;
    CAPTURE(wanted, lines);
    CHECK(lines.front().starts_with(wanted.substr(0, 3)));
    CHECK(lines.front().substr(4).starts_with(wanted.size() > 4 ? wanted.substr(4) : ""));
    failed_ = failed_ || !lines.front().starts_with(wanted.substr(0, 3));
    return at;
  }

  void pump() {
    for (int turns = 0; turns < 100000; ++turns) {
      if (!act(session_.next(input_))) return;
    }
    FAIL("the session loops");
  }

  bool act(const ehlo::server_action& action) {
    bool goes_on = true;
    std::visit(
        ehlo::overloaded{
            [&](ehlo::transmit a) {
              out_ += a.octets;
              record_.sent += a.octets;
            },
            [&](ehlo::receive) {
              CHECK(input_.empty());
              goes_on = false;
            },
            [&](ehlo::start_tls) {
              wants_tls_ = true;
              goes_on = false;
            },
            [&](ehlo::close_channel) {
              record_.closed = true;
              goes_on = false;
            },
            [&](ehlo::answer_due) { FAIL("a question was left open"); },
            [&](ehlo::mail_data a) {
              if (record_.events.empty() || record_.events.back() != "data") record_.events.emplace_back("data");
              open_.octets += a.octets;
              if (!how_.on_data_octets) return;
              if (const auto refusal = how_.on_data_octets(a.octets)) CHECK(session_.reject(*refusal).has_value());
            },
            [&](ehlo::transaction_reset a) {
              const char* const causes[] = {"rset", "hello", "quit", "refused", "chunkless", "timed_out", "peer_gone", "closed"};
              record_.events.push_back(std::string{"reset "} + causes[static_cast<int>(a.cause)]);
              open_ = {};
            },
            [&](ehlo::violation a) {
              record_.events.push_back("violation " + std::string{ehlo::describe(a.code).text} + " at " + std::to_string(a.offset));
            },
            [&](ehlo::exchange_ended a) {
              const char* const causes[] = {"cancelled", "malformed", "aborted"};
              record_.events.push_back(std::string{"exchange "} + causes[static_cast<int>(a.cause)]);
            },
            [&](const auto& question) { ask(question); },
        },
        action);
    return goes_on;
  }

  template <class Question>
  void give(const Question&, const answer& given) {
    const auto listings = [](const auto& found) {
      std::vector<ehlo::listing> out;
      for (const auto& [name, mailbox] : found) out.push_back({*ehlo::mailbox::parse(mailbox, ehlo::charset::utf8), name});
      return out;
    };
    const ehlo::result<void> taken = std::visit(
        ehlo::overloaded{
            [&](by_default) { return session_.answer_default(); },
            [&](const ehlo::reply& r) { return r.is_positive() ? session_.accept(r) : session_.reject(r); },
            [&](const forward& f) { return session_.accept_forward(*ehlo::mailbox::parse(f.mailbox, ehlo::charset::utf8)); },
            [&](const moved& m) { return session_.reject_moved(*ehlo::mailbox::parse(m.mailbox, ehlo::charset::utf8)); },
            [&](const listed& l) { return session_.accept(std::span<const ehlo::listing>{listings(l.found)}); },
            [&](const ambiguous& l) { return session_.reject_ambiguous(listings(l.found)); },
            [&](const challenge& c) { return session_.challenge(c.octets); },
            [&](authenticated) { return session_.authenticated(); },
            [&](accepted) { return session_.accept(); },
        },
        given);
    if (!taken) FAIL("the session did not take the answer: " << ehlo::describe(taken.error().code).text);
  }

  template <class Question>
  answer choose(const std::function<answer(const Question&)>& hook, const Question& q, const answer& otherwise) {
    return hook ? hook(q) : otherwise;
  }

  void ask(const ehlo::greeting_question& q) {
    record_.events.emplace_back(q.early_talker ? "greeting early" : "greeting");
    give(q, choose(how_.on_greeting, q, by_default{}));
  }
  void ask(const ehlo::hello_question& q) {
    record_.events.push_back("hello " + std::string{ehlo::text_of(q.name)} + " " + std::string{q.client.text()});
    give(q, choose(how_.on_hello, q, by_default{}));
  }
  void ask(const ehlo::starttls_question& q) {
    record_.events.emplace_back("starttls");
    give(q, choose(how_.on_starttls, q, by_default{}));
  }
  void ask(const ehlo::auth_question& q) {
    std::string text = "auth " + std::string{q.mechanism};
    if (q.response) text += " " + std::string{q.response->text()};
    record_.events.push_back(text + (q.response ? "" : " -"));
    give(q, choose(how_.on_auth, q, by_default{}));
  }
  void ask(const ehlo::mail_question& q) {
    std::string text = "mail " + std::string{q.reverse_path.text()};
    if (!q.parameters.empty()) text += " " + std::string{q.parameters.text()};
    if (q.forwarded) text += " forwarded";
    record_.events.push_back(text);
    open_ = {};
    open_.from = q.reverse_path.text();
    give(q, choose(how_.on_mail, q, by_default{}));
  }
  void ask(const ehlo::rcpt_question& q) {
    std::string text = "rcpt " + std::string{q.forward_path.text()};
    if (!q.parameters.empty()) text += " " + std::string{q.parameters.text()};
    record_.events.push_back(text);
    const auto mailbox = q.forward_path.mailbox();
    const std::string_view name = mailbox ? mailbox->local_part().text() : std::string_view{};
    answer otherwise = ehlo::replies::rcpt_ok;
    if (name.starts_with("no")) otherwise = ehlo::replies::no_such_mailbox;
    if (name.starts_with("busy")) otherwise = ehlo::replies::mailbox_busy;
    if (name.starts_with("full")) otherwise = ehlo::replies::mailbox_full;
    const std::uint32_t before = session_.recipients();
    const std::string path{q.forward_path.text()};
    give(q, choose(how_.on_rcpt, q, otherwise));
    if (session_.recipients() > before) open_.to.push_back(path);
  }
  void ask(const ehlo::data_question& q) {
    record_.events.push_back(std::string{q.chunked ? "chunks " : "data? "} + std::to_string(q.recipients));
    give(q, choose(how_.on_data, q, by_default{}));
  }
  void ask(const ehlo::message_question& q) {
    record_.events.push_back("message " + std::to_string(q.size) + " for " + std::to_string(q.recipient) + " of " +
                             std::to_string(q.recipients));
    open_.size = q.size;
    open_.has_long_line = q.has_long_line;
    open_.has_eight_bit = q.has_eight_bit;
    open_.has_bare_line_end = q.has_bare_line_end;
    const answer chosen = choose(how_.on_message, q, answer{ehlo::replies::message_ok});
    const auto* const r = std::get_if<ehlo::reply>(&chosen);
    if (r != nullptr && r->is_positive()) {
      message taken = open_;
      if (how_.options.protocol == ehlo::protocol::lmtp && q.recipient < open_.to.size()) taken.to = {open_.to[q.recipient]};
      record_.messages.push_back(taken);
    }
    give(q, chosen);
  }
  void ask(const ehlo::vrfy_question& q) {
    record_.events.push_back("vrfy " + std::string{q.argument} + (q.mailbox ? " mailbox" : "") + (q.smtputf8 ? " utf8" : ""));
    give(q, choose(how_.on_vrfy, q, by_default{}));
  }
  void ask(const ehlo::expn_question& q) {
    record_.events.push_back("expn " + std::string{q.argument} + (q.smtputf8 ? " utf8" : ""));
    give(q, choose(how_.on_expn, q, by_default{}));
  }
  void ask(const ehlo::help_question& q) {
    record_.events.push_back("help " + std::string{q.topic});
    give(q, choose(how_.on_help, q, by_default{}));
  }
  void ask(const ehlo::etrn_question& q) {
    record_.events.push_back("etrn " + std::string{ehlo::text_of(q.option)} + std::string{q.node});
    give(q, choose(how_.on_etrn, q, by_default{}));
  }
  void ask(const ehlo::burl_question& q) {
    record_.events.push_back("burl " + std::string{q.url} + (q.last ? " last " : " ") + std::to_string(q.octets));
    give(q, choose(how_.on_burl, q, by_default{}));
  }
  void ask(const ehlo::xclient_question& q) {
    record_.events.push_back("xclient " + std::string{q.attributes.text()});
    give(q, choose(how_.on_xclient, q, by_default{}));
  }
  void ask(const ehlo::xforward_question& q) {
    record_.events.push_back((q.first ? "xforward first " : "xforward ") + std::string{q.attributes.text()});
    give(q, choose(how_.on_xforward, q, by_default{}));
  }
  void ask(const ehlo::custom_question& q) {
    record_.events.push_back("custom " + std::string{q.verb} + " " + std::string{q.argument});
    give(q, choose(how_.on_custom, q, by_default{}));
  }

  const setup& how_;
  Session session_;
  std::size_t cut_;
  std::string pending_;
  std::unique_ptr<char[]> buffer_;
  std::string_view input_;
  std::string out_;
  record record_;
  message open_;
  bool wants_tls_ = false;
  bool failed_ = false;
};

}  // namespace

record play(std::string_view text, const setup& how) {
  REQUIRE(how.options.check().has_value());
  const auto steps = parse(text);
  // Storage of a fixed size has room for an AUTH line of the size that the options allow.
  return in_all_cuts(
      longest_run(steps, kind::client), how.whole_only,
      [&](std::size_t cut) {
        return player<ehlo::server_session>{how, cut}.play(steps);
      },
      [&](std::size_t cut) {
        return player<ehlo::fixed_server_session<13000, 4096>>{how, cut}.play(steps);
      });
}

}  // namespace dialogue
