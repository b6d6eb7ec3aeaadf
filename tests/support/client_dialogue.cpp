// SPDX-License-Identifier: BSL-1.0
// The player of the client's dialogues: compiled once for all tests.
#include "support/client_dialogue.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <sstream>

#include "support/cuts.hpp"

namespace client_dialogue {

namespace {

enum class kind { server, client, tls, tls_unverified, tls_weak, tls_failed, end_of_input, disconnect, time_out, close, request };

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
    const auto rest = [&line](std::size_t at) { return dialogue::unescape(line.size() > at ? line.substr(at) : ""); };
    if (line.starts_with('#')) continue;
    if (line.starts_with("S:")) {
      out.push_back({kind::server, rest(3) + "\r\n", number});
    } else if (line.starts_with("s: ")) {
      out.push_back({kind::server, rest(3), number});
    } else if (line.starts_with("C:")) {
      out.push_back({kind::client, rest(3) + "\r\n", number});
    } else if (line.starts_with("c: ")) {
      out.push_back({kind::client, rest(3), number});
    } else if (line.starts_with("DO ")) {
      out.push_back({kind::request, rest(3), number});
    } else {
      while (!line.empty() && line.back() == ' ') line.pop_back();
      const std::pair<std::string_view, kind> words[] = {{"TLS", kind::tls},           {"TLS UNVERIFIED", kind::tls_unverified},
                                                         {"TLS WEAK", kind::tls_weak}, {"TLS FAILED", kind::tls_failed},
                                                         {"EOF", kind::end_of_input},  {"BREAK", kind::disconnect},
                                                         {"TIMEOUT", kind::time_out},  {"CLOSE", kind::close}};
      const auto found = std::ranges::find(words, std::string_view{line}, &std::pair<std::string_view, kind>::first);
      if (found == std::end(words)) FAIL("a line that no dialogue has: " << line);
      out.push_back({found->second, {}, number});
    }
  }
  return out;
}

template <class Session>
class player {
 public:
  player(const setup& how, std::size_t cut) : how_{how}, session_{how.options}, cut_{cut} {
    for (const mail& m : how.mails) {
      auto made = ehlo::envelope::make(m.from, {}, m.options);
      REQUIRE(made.has_value());
      envelopes_.push_back(std::move(*made));
      for (std::size_t i = 0; i < m.to.size(); ++i) {
        const bool has_options = i < m.recipient_options.size();
        REQUIRE(envelopes_.back().add(m.to[i], has_options ? m.recipient_options[i] : ehlo::recipient_options{}).has_value());
      }
    }
    if (how.begin && !how.mails.empty()) begin_next();
  }

  record play(const std::vector<step>& steps) {
    pump();
    for (std::size_t i = 0; i < steps.size() && !failed_; ++i) {
      const step& s = steps[i];
      INFO("line " << s.line << " of the dialogue, cut every " << cut_ << ": " << s.text);
      if (s.what == kind::server) {
        // What was sent was expected before the server says more: nothing leaves early.
        if (pending_.empty()) CHECK(out_.empty());
        pending_ += s.text;
        continue;
      }
      feed();
      act_on(s);
    }
    feed();
    INFO("cut every " << cut_ << ", sent and not expected: " << out_);
    CHECK(out_.empty());
    return record_;
  }

 private:
  void act_on(const step& s) {
    switch (s.what) {
      case kind::server: break;
      case kind::client: {
        CAPTURE(s.text, out_, record_.text());
        const bool fits = out_.starts_with(s.text);
        CHECK(fits);
        failed_ = failed_ || !fits;
        out_.erase(0, s.text.size());
        break;
      }
      case kind::tls:
      case kind::tls_unverified:
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
      case kind::close:
        CHECK(record_.closed);
        failed_ = failed_ || !record_.closed;
        break;
      case kind::request: request(s.text); break;
    }
  }

  void begin_next() {
    REQUIRE(next_mail_ < how_.mails.size());
    const mail& m = how_.mails[next_mail_];
    REQUIRE(session_.begin_transaction(envelopes_[next_mail_], m.traits ? *m.traits : ehlo::traits_of(m.octets)).has_value());
    ++next_mail_;
  }

  void request(const std::string& text) {
    const std::string name = text.substr(0, text.find(' '));
    const std::string argument = text.size() > name.size() ? text.substr(name.size() + 1) : "";
    ehlo::result<void> done = ehlo::error{ehlo::errc::wrong_answer};
    if (name == "quit") done = session_.quit();
    if (name == "noop") done = session_.noop();
    if (name == "reset") done = session_.reset();
    if (name == "verify") done = session_.verify(argument);
    if (name == "expand") done = session_.expand(argument);
    if (name == "help") done = session_.help(argument);
    if (name == "etrn") done = session_.etrn(argument);
    if (name == "xclient") {
      const auto attributes = ehlo::xclient_attributes::parse(argument);
      REQUIRE(attributes.has_value());
      done = session_.xclient(*attributes);
    }
    if (name == "xforward") {
      const auto attributes = ehlo::xforward_attributes::parse(argument);
      REQUIRE(attributes.has_value());
      done = session_.xforward(*attributes);
    }
    if (name == "raw") done = session_.raw(argument);
    if (name == "hello") done = session_.hello();
    if (name == "authenticate") done = session_.authenticate();
    if (name == "send") {
      begin_next();
      done = {};
    }
    if (!done) record_.events.push_back(name + " refused: " + name_of(done.error().code));
    pump();
  }

  void feed() {
    while (!pending_.empty() && !record_.closed && !wants_tls_) {
      const std::size_t count = std::min(cut_, pending_.size());
      buffer_ = std::make_unique<char[]>(count);
      pending_.copy(buffer_.get(), count);
      pending_.erase(0, count);
      input_ = {buffer_.get(), count};
      pump();
    }
    if (!pending_.empty() && wants_tls_) {
      input_ = pending_;
      pump();
      pending_.clear();
      input_ = {};
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
      (void)session_.tls_started(how == kind::tls_unverified ? ehlo::server_identity::unverified : ehlo::server_identity::verified,
                                 how == kind::tls_weak ? ehlo::tls_strength::insufficient : ehlo::tls_strength::sufficient);
    }
    pump();
  }

  void pump() {
    for (int turns = 0; turns < 200000; ++turns) {
      if (!act(session_.next(input_))) return;
    }
    FAIL("the session loops");
  }

  static std::string text_of(const ehlo::received_reply& r) {
    std::string out = std::to_string(r.code());
    if (!r.enhanced().is_none()) {
      std::array<char, 16> code{};
      out += " " + std::string{code.data(), static_cast<std::size_t>(ehlo::write(r.enhanced(), code.data()) - code.data())};
    }
    for (std::size_t i = 0; i < r.line_count(); ++i) out += (i == 0 ? " " : "/") + std::string{r.line(i)};
    return out;
  }

  bool act(const ehlo::client_action& action) {
    const auto note = [this](std::string text) { record_.events.push_back(std::move(text)); };
    bool goes_on = true;
    std::visit(
        ehlo::overloaded{
            [&](ehlo::transmit a) {
              CHECK_FALSE(a.octets.empty());
              out_ += a.octets;
              record_.sent += a.octets;
            },
            [&](ehlo::receive) {
              CHECK(input_.empty());
              goes_on = false;
            },
            [&](ehlo::idle) {
              if (how_.begin && next_mail_ < how_.mails.size()) {
                begin_next();
              } else if (how_.quit) {
                (void)session_.quit();
              } else {
                goes_on = false;
              }
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
            [&](const ehlo::credentials_question& q) { give_credentials(q); },
            [&](const ehlo::mail_data_question& q) { give_data(q); },
            [&](const ehlo::greeting_result& a) { note("greeting " + text_of(a.reply)); },
            [&](const ehlo::hello_result& a) { note((a.esmtp ? "ehlo " : "helo ") + text_of(a.reply)); },
            [&](const ehlo::starttls_result& a) { note("starttls " + text_of(a.reply)); },
            [&](const ehlo::authentication_result& a) { note("auth " + std::string{a.mechanism} + " " + text_of(a.reply)); },
            [&](const ehlo::ready&) { note("ready"); },
            [&](const ehlo::recipient_result& a) {
              note("rcpt " + std::to_string(a.index) + (a.transient ? " transient " : " ") + text_of(a.reply));
            },
            [&](const ehlo::recipient_deferred& a) { note("deferred " + std::to_string(a.index) + " " + name_of(a.reason)); },
            [&](const ehlo::message_result& a) {
              note("message " + std::to_string(a.first) + "-" + std::to_string(a.last) + " " + text_of(a.reply));
            },
            [&](const ehlo::transaction_failed& a) {
              note(std::string{"transaction failed"} + (a.delivery == ehlo::delivery::unknown ? " (unknown)" : "") +
                   (a.is_transient() ? " transient" : "") + ": " + name_of(a.reason) + (a.reply ? " " + text_of(*a.reply) : ""));
            },
            [&](const ehlo::command_result& a) { note("command " + text_of(a.reply)); },
            [&](const ehlo::unsolicited& a) { note("unsolicited " + text_of(a.reply)); },
            [&](const ehlo::failed& a) {
              note("failed: " + name_of(a.reason) + (a.reply ? " " + text_of(*a.reply) : "") +
                   (a.offset != 0 ? " at " + std::to_string(a.offset) : ""));
            },
        },
        action);
    return goes_on;
  }

  void give_credentials(const ehlo::credentials_question& q) {
    std::string text = "credentials " + std::string{q.mechanism} + " step " + std::to_string(q.step);
    if (q.challenge) text += " " + std::string{q.challenge->text()};
    record_.events.push_back(text);
    if (!how_.on_credentials) {
      CHECK(ehlo::sasl::answer(session_, q, how_.credentials, scratch_).has_value());
      return;
    }
    const auto given = how_.on_credentials(q);
    if (!given) {
      CHECK(session_.decline(q.ticket).has_value());
      return;
    }
    response_ = given->first;
    CHECK(session_.respond(q.ticket, response_, given->second).has_value());
  }

  /// Gives the next piece, from a buffer that lives until the next question.
  void give_data(const ehlo::mail_data_question& q) {
    REQUIRE(next_mail_ > 0);
    const mail& m = how_.mails[next_mail_ - 1];
    if (q.begin) {
      record_.events.push_back(std::string{q.chunked ? "chunks for " : "data for "} + std::to_string(q.recipients));
      given_ = 0;
    }
    if (m.abandon_at && given_ >= *m.abandon_at) {
      CHECK(session_.abandon(q.ticket).has_value());
      return;
    }
    const std::size_t count = std::min(m.piece, m.octets.size() - given_);
    piece_ = std::make_unique<char[]>(count);
    m.octets.copy(piece_.get(), count, given_);
    given_ += count;
    const std::string_view octets{piece_.get(), count};
    const auto taken =
        given_ == m.octets.size() && !m.abandon_at ? session_.end_of_mail_data(q.ticket, octets) : session_.data(q.ticket, octets);
    CHECK(taken.has_value());
  }

  const setup& how_;
  Session session_;
  std::size_t cut_;
  std::vector<ehlo::envelope> envelopes_;
  std::size_t next_mail_ = 0;
  std::size_t given_ = 0;
  std::unique_ptr<char[]> piece_;
  std::string response_;
  std::array<char, 4096> scratch_{};
  std::string pending_;
  std::unique_ptr<char[]> buffer_;
  std::string_view input_;
  std::string out_;
  record record_;
  bool wants_tls_ = false;
  bool failed_ = false;
};

}  // namespace

record play(std::string_view text, const setup& how) {
  REQUIRE(how.options.check().has_value());
  const auto steps = parse(text);
  return dialogue::in_all_cuts(
      dialogue::longest_run(steps, kind::server), how.whole_only,
      [&](std::size_t cut) {
        return player<ehlo::client_session>{how, cut}.play(steps);
      },
      [&](std::size_t cut) {
        return player<ehlo::fixed_client_session<140000, 16384>>{how, cut}.play(steps);
      });
}

}  // namespace client_dialogue
