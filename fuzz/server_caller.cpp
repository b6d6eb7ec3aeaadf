// SPDX-License-Identifier: BSL-1.0
// Invariant: whatever a caller does (any answer to any question, late, stale or wrong; time-outs, shutdowns, broken channels, TLS,
// copies, memory given back) and whatever the peer sends, the session answers each question once, ends each transaction once, lets
// nothing cross the TLS boundary, and after `close_channel` says nothing else.
#include <iterator>

#include "support/choices.hpp"
#include "support/drive.hpp"

namespace {

constexpr ehlo::reply replies[] = {ehlo::replies::ok,
                                   ehlo::replies::start_mail_input,
                                   ehlo::replies::cannot_verify,
                                   ehlo::replies::local_error,
                                   ehlo::replies::no_such_mailbox,
                                   ehlo::replies::service_not_available,
                                   ehlo::replies::transaction_failed,
                                   ehlo::replies::authenticated};

template <class Session>
class caller {
 public:
  caller(const ehlo::server_options& options, std::string_view octets) : session_{options}, choices_{octets} {}

  void run() {
    for (int turns = 0; turns < 4096; ++turns) {
      if (!step()) break;
      if (session_.is_closed() && closed_turns_++ > 8) break;
    }
    fuzz::check_sent(sent_);
  }

 private:
  bool step() {
    if (choices_.one() % 32U == 7) session_ = Session{session_};  // what was given has been written: a copy goes on
    meddle();
    bool goes_on = true;
    const bool was_closed = said_close_;
    std::visit(
        ehlo::overloaded{
            [&](ehlo::transmit a) {
              fuzz::must(!a.octets.empty(), "transmit is never empty");
              const std::string before{a.octets};
              meddle();  // answers given while the octets are being written do not change them
              fuzz::must(before == a.octets, "the octets of transmit stay");
              sent_ += before;
            },
            [&](ehlo::receive) { goes_on = read(); },
            [&](ehlo::mail_data a) { fuzz::must(!a.octets.empty() && in_transaction_, "mail data belong to a transaction"); },
            [&](ehlo::start_tls) {
              if (choices_.one() % 4 == 0) {
                (void)session_.tls_failed();
              } else {
                (void)session_.tls_started(choices_.one() % 8 == 0 ? ehlo::tls_strength::insufficient
                                                                   : ehlo::tls_strength::sufficient);
                fuzz::must(!session_.is_authenticated() && !session_.is_esmtp() && session_.recipients() == 0,
                           "nothing crosses the TLS boundary");
              }
            },
            [&](ehlo::answer_due a) {
              fuzz::must(a.ticket == session_.open_question(), "answer_due names the open question");
              answer();
            },
            [&](ehlo::close_channel) { said_close_ = true; },
            [&](ehlo::transaction_reset) {
              fuzz::must(in_transaction_, "a reset ends a transaction");
              in_transaction_ = false;
            },
            [&](ehlo::violation a) {
              fuzz::must(a.offset <= session_.octets_taken() + input_.size(), "an offset is one of an octet");
            },
            [&](ehlo::exchange_ended) {
              fuzz::must(in_exchange_, "an exchange ends once");
              in_exchange_ = false;
            },
            [&](const ehlo::auth_question& q) {
              asked(q.ticket, 'a');
              in_exchange_ = true;
            },
            [&](const ehlo::mail_question& q) { asked(q.ticket, 'm'); },
            [&](const ehlo::message_question& q) {
              fuzz::must(in_transaction_, "a message belongs to a transaction");
              const bool lmtp = session_.options().protocol == ehlo::protocol::lmtp;
              asked(q.ticket, !lmtp || q.recipient + 1 == q.recipients ? 'l' : 'n');
            },
            [&](const auto& q) { asked(q.ticket, 'o'); },
        },
        session_.next(input_));
    fuzz::must(!was_closed || said_close_, "a closed session stays closed");
    if (was_closed) goes_on = goes_on && closed_turns_ < 4;
    return goes_on && !(said_close_ && closed_turns_++ > 4);
  }

  void asked(ehlo::ticket t, char what) {
    fuzz::must(!said_close_, "a closed session asks nothing");
    fuzz::must(t == session_.open_question() && t.serial != 0, "a question has the ticket of the open question");
    question_ = what;
    stale_ = ticket_;
    ticket_ = t;
    if (choices_.one() % 4 != 0) answer();
  }

  /// Gives one answer, maybe a wrong one, and then the careful one.
  void answer() {
    const ehlo::ticket open = session_.open_question();
    if (open.serial == 0) return;
    if (stale_.serial != 0 && stale_ != open) {
      fuzz::must(session_.accept(stale_).error().code == ehlo::errc::stale_answer, "a stale answer is told");
      fuzz::must(session_.open_question() == open, "a stale answer changes nothing");
    }
    const auto before = session_.current_state();
    const std::uint8_t choice = choices_.one();
    const ehlo::reply& r = replies[choices_.one() % std::size(replies)];
    const auto mailbox = ehlo::mailbox::parse("a@b.example");
    const ehlo::listing found[] = {{*mailbox, "A B"}, {*mailbox}};
    bool is_challenge = false;
    ehlo::result<void> given;
    switch (choice % 12) {
      case 0: given = session_.accept(); break;
      case 1: given = session_.accept(open, r); break;
      case 2: given = session_.reject(open, r); break;
      case 3: given = session_.accept(found[0]); break;
      case 4: given = session_.accept(found); break;
      case 5: given = session_.reject_ambiguous(found); break;
      case 6: given = session_.accept_forward(*mailbox); break;
      case 7: given = session_.reject_moved(*mailbox); break;
      case 8:
        given = session_.challenge("challenge");
        is_challenge = true;
        break;
      case 9: given = session_.authenticated(); break;
      default: given = session_.answer_default(open); break;
    }
    if (!given) {
      fuzz::must(session_.open_question() == open && session_.current_state() == before, "a refused answer changes nothing");
      is_challenge = false;
      given = session_.answer_default(open);
      if (!given) {  // fixed storage may be too full: then the replies have to leave first
        fuzz::must(given.error().code == ehlo::errc::reply_too_long, "the careful answer fits its question");
        return;
      }
    }
    fuzz::must(session_.open_question().serial == 0, "a question is answered once");
    if (question_ == 'm' && session_.current_state() == ehlo::state::mail) {
      fuzz::must(!in_transaction_, "transactions do not nest");
      in_transaction_ = true;
    }
    if (!is_challenge) end_with_answer();
  }

  /// What ends with the answer to the question, whatever that says.
  void end_with_answer() {
    if (question_ == 'l') in_transaction_ = false;
    if (question_ == 'a') in_exchange_ = false;
  }

  /// Things that may happen at any time.
  void meddle() {
    const std::uint8_t choice = choices_.one();
    if (choice < 200) return;
    switch (choice % 8) {
      case 0: (void)session_.timed_out(); break;
      case 1: session_.shutdown(); break;
      case 2: session_.end_of_input(); break;
      case 3: session_.disconnected(); break;
      case 4: {  // gives the message up, or answers
        const bool is_answer = session_.open_question().serial != 0;
        if (session_.reject(ehlo::replies::transaction_failed) && is_answer) end_with_answer();
        break;
      }
      case 5: session_.trim(); break;
      case 6: (void)session_.tls_started(); break;
      case 7: (void)session_.timeout(); break;
    }
  }

  bool read() {
    fuzz::must(input_.empty(), "all of the input was taken");
    if (choices_.at_end()) {
      session_.end_of_input();
      return true;
    }
    const std::string_view piece = choices_.some(choices_.one() % 64U);
    buffer_ = std::make_unique<char[]>(piece.size());
    piece.copy(buffer_.get(), piece.size());
    input_ = {buffer_.get(), piece.size()};
    return true;
  }

  Session session_;
  fuzz::choices choices_;
  std::unique_ptr<char[]> buffer_;
  std::string_view input_;
  std::string sent_;
  ehlo::ticket ticket_;
  ehlo::ticket stale_;
  char question_ = ' ';
  int closed_turns_ = 0;
  bool in_transaction_ = false;
  bool in_exchange_ = false;
  bool said_close_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ehlo::server_options options = fuzz::options_for(data[0]);
  const std::string_view octets{reinterpret_cast<const char*>(data) + 1, size - 1};
  caller<ehlo::server_session>{options, octets}.run();
  caller<ehlo::fixed_server_session<2600, 1024>>{options, octets}.run();
  return 0;
}
