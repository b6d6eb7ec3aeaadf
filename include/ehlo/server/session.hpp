// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SERVER_SESSION_HPP
#define EHLO_SERVER_SESSION_HPP

/// @file
/// The server's end of a session, SMTP and LMTP: octets in, actions out. RFC 5321 3 and 4, 1870, 2033, 2034, 2920, 3030, 3207,
/// 3461, 4954, 6152, 6531; XCLIENT and XFORWARD of Postfix.

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include <ehlo/codec/chunk_reader.hpp>
#include <ehlo/codec/command_parser.hpp>
#include <ehlo/codec/mail_data_reader.hpp>
#include <ehlo/codec/reply_writer.hpp>
#include <ehlo/octet_run.hpp>
#include <ehlo/protocol/order_of_commands.hpp>
#include <ehlo/protocol/order_of_replies.hpp>
#include <ehlo/replies.hpp>
#include <ehlo/reply.hpp>
#include <ehlo/server/actions.hpp>
#include <ehlo/server/options.hpp>
#include <ehlo/server/reply_for.hpp>
#include <ehlo/storage.hpp>

namespace ehlo {

/// The server's end of one session. One law: do what the action says, then call `next` again.
///
/// A value: movable, and copyable at any time (a copy made while a question is open keeps the views of the original's input).
/// It opens nothing, reads no clock, throws nothing; `Storage` says where it keeps what it must keep.
template <class Storage>
class basic_server_session {
 public:
  /// A session on a channel just opened. `options` outlive it; with options that do not pass `check` it says `close_channel`.
  constexpr explicit basic_server_session(const server_options& options) : options_{&options} {
    tls_ = options.tls == tls_mode::active;
    if (!options.check()) mode_ = mode::closed;
  }

  /// Takes octets from the front of `input` and gives one action.
  ///
  /// The octets last given stay in place until the views of the action are done with: those of data and `transmit` at the next
  /// call of `next`, those of a question when it is answered.
  constexpr server_action next(std::string_view& input) {
    if (amid_line_ && keep_more(input)) return receive{};
    return next_of_all(input);
  }

  /// @name Answers
  /// Each answers the open question, and the form with a ticket answers only the question that the ticket names.
  ///
  /// All fail, and change nothing, with `errc::no_open_question`, `stale_answer` (another ticket), `wrong_answer` (an answer that
  /// contradicts the question, or a code outside its row of RFC 5321 4.3.2) or `reply_too_long` (fixed storage; or a text that has
  /// to stand on one line of 512 octets: EHLO's, a listing). `out_of_memory` (growing storage) ends the session with 421.
  /// @{

  /// The positive answer: 220, 250, 354, and for VRFY 252, for HELP 214. Not for AUTH, EXPN and custom commands. For XCLIENT it is
  /// no reply yet: that is the answer to the `greeting_question` that follows.
  constexpr result<void> accept() {
    switch (open_) {
      case asked::nothing: return error{errc::no_open_question};
      case asked::greeting: return answer_greeting(220, options_->greeting);
      case asked::hello: return answer_hello({});
      case asked::starttls: return agree_to_tls();
      case asked::mail: return answer(priority_lowered_ ? replies::priority_lowered : replies::mail_ok);
      case asked::rcpt: return answer(replies::rcpt_ok);
      case asked::data: return open_data(replies::start_mail_input);
      case asked::chunk: return open_data(replies::chunk_ok);
      case asked::message: return answer(replies::message_ok);
      case asked::vrfy: return answer(replies::cannot_verify);
      case asked::help: return answer_help();
      case asked::etrn: return answer(replies::etrn_started);
      case asked::burl: return accept_url(chunk_is_last_ ? replies::message_ok : replies::url_ok);
      case asked::xclient: return begin_anew();
      case asked::xforward: return answer(replies::ok);
      case asked::auth:
      case asked::expn:
      case asked::custom: return error{errc::wrong_answer};
    }
    return error{errc::wrong_answer};
  }
  constexpr result<void> accept(ticket t) { return named(t) ? accept() : stale(); }

  /// The positive answer in words of the caller: a 2yz reply, 354 for DATA; 220 and the reply to EHLO begin with the host name.
  constexpr result<void> accept(const reply& r) {
    if (open_ == asked::nothing) return error{errc::no_open_question};
    if (!r.is_positive() || open_ == asked::auth || open_ == asked::xclient || !allowed(r)) return error{errc::wrong_answer};
    if (open_ != asked::chunk && r.is_completed() == (open_ == asked::data)) return error{errc::wrong_answer};
    switch (open_) {
      case asked::greeting: return answer_greeting(r.code(), r.text());
      case asked::hello: return answer_hello(r.text());
      case asked::starttls: return agree_to_tls();
      case asked::data:
      case asked::chunk: return open_data(r);
      case asked::burl: return accept_url(r);
      case asked::rcpt:
      case asked::vrfy:
        if (!options_->disclose_forwarding && r.code() == 251)
          return answer(open_ == asked::vrfy ? replies::cannot_verify : replies::rcpt_ok);
        return answer(r);
      default: return answer(r);
    }
  }
  constexpr result<void> accept(ticket t, const reply& r) { return named(t) ? accept(r) : stale(); }

  /// VRFY: 250 with one mailbox. EXPN: 250 with every mailbox of the list, one a line. RFC 5321 3.5.1, 3.5.2.
  ///
  /// A listing with UTF-8 for a client that did not ask for it becomes 252 (RFC 6531 3.7.4.2).
  constexpr result<void> accept(std::span<const listing> found) { return answer_listings(250, found); }
  constexpr result<void> accept(const listing& found) { return answer_listings(250, {&found, 1}); }
  constexpr result<void> accept(ticket t, std::span<const listing> found) { return named(t) ? accept(found) : stale(); }
  constexpr result<void> accept(ticket t, const listing& found) { return named(t) ? accept(found) : stale(); }

  /// RCPT, VRFY: 251, the mail will go on to `there`. 250 where the options or RFC 6531 3.7.4.1 forbid to name it. RFC 5321 3.4.
  constexpr result<void> accept_forward(const mailbox& there) {
    return answer_path(251, {2, 1, 5}, "User not local; will forward to ", there, replies::rcpt_ok);
  }
  constexpr result<void> accept_forward(ticket t, const mailbox& there) { return named(t) ? accept_forward(there) : stale(); }

  /// The negative answer, 4yz or 5yz; 421 ends the session. From DATA's acceptance to `message_question` it needs no open
  /// question: the rest of the message is swallowed, and the reply goes out at its true end. A reply over 512 octets to a chunk or
  /// amid mail data goes out with a default text.
  constexpr result<void> reject(const reply& r) {
    if (r.is_positive()) return error{open_ == asked::nothing ? errc::no_open_question : errc::wrong_answer};
    if (open_ == asked::nothing) return give_up_message(r);
    if (!allowed(r)) return error{errc::wrong_answer};
    switch (open_) {
      case asked::greeting: return refuse_greeting(r);
      case asked::chunk: return refuse_first_chunk(r);
      case asked::auth: return refuse_authentication(r);
      case asked::burl: return refuse_url(r);
      case asked::rcpt:
      case asked::vrfy:
        if (!options_->disclose_forwarding && r.code() == 551) return answer(replies::no_such_mailbox);
        return answer(r);
      default: return answer(r);
    }
  }
  constexpr result<void> reject(ticket t, const reply& r) { return named(t) ? reject(r) : stale(); }

  /// RCPT, VRFY: 551, the user has moved to `there`. 550 where the options or RFC 6531 3.7.4.1 forbid to name it. RFC 5321 3.4.
  constexpr result<void> reject_moved(const mailbox& there) {
    return answer_path(551, {5, 1, 6}, "User not local; please try ", there, replies::no_such_mailbox);
  }
  constexpr result<void> reject_moved(ticket t, const mailbox& there) { return named(t) ? reject_moved(there) : stale(); }

  /// VRFY: 553 with the candidates, one a line. RFC 5321 3.5.1.
  constexpr result<void> reject_ambiguous(std::span<const listing> candidates) {
    if (open_ != asked::nothing && open_ != asked::vrfy) return error{errc::wrong_answer};
    return answer_listings(553, candidates);
  }
  constexpr result<void> reject_ambiguous(ticket t, std::span<const listing> c) { return named(t) ? reject_ambiguous(c) : stale(); }

  /// AUTH: 334 with `octets` in base64; the client's response becomes the next `auth_question`. RFC 4954 4.
  constexpr result<void> challenge(std::string_view octets) {
    if (open_ == asked::nothing) return error{errc::no_open_question};
    if (open_ != asked::auth) return error{errc::wrong_answer};
    if (const auto written = write_challenge(octets); !written) return written;
    close_question();
    await_response();
    return {};
  }
  constexpr result<void> challenge(ticket t, std::string_view octets) { return named(t) ? challenge(octets) : stale(); }

  /// AUTH: 235, the client is who it says it is; who that is the caller knows. RFC 4954 4.
  constexpr result<void> authenticated(const reply& r = replies::authenticated) {
    if (open_ == asked::nothing) return error{errc::no_open_question};
    if (open_ != asked::auth || r.code() != 235) return error{errc::wrong_answer};
    if (const auto written = write(r); !written) return written;
    close_question();
    leave_exchange();
    authenticated_ = true;
    flush_ = true;
    return {};
  }
  constexpr result<void> authenticated(ticket t, const reply& r = replies::authenticated) {
    return named(t) ? authenticated(r) : stale();
  }

  /// The careful answer to any question: greeting 220 (554 to an early talker), hello, MAIL and DATA accepted, RCPT refused (no
  /// open relay by omission), VRFY 252, EXPN 502, HELP 214, AUTH, ETRN, XCLIENT, XFORWARD and custom commands refused, a message
  /// 451, BURL 554.
  constexpr result<void> answer_default() {
    switch (open_) {
      case asked::nothing: return error{errc::no_open_question};
      case asked::greeting: return early_ ? reject(replies::no_service) : accept();
      case asked::hello:
      case asked::starttls:
      case asked::mail:
      case asked::data:
      case asked::chunk:
      case asked::vrfy:
      case asked::help: return accept();
      case asked::rcpt: return answer(replies::relaying_denied);
      case asked::message: return answer(replies::local_error);
      case asked::auth: return refuse_authentication(replies::bad_credentials);
      case asked::etrn: return answer(replies::etrn_not_allowed);
      case asked::burl: return refuse_url(replies::url_failed);
      case asked::xclient:
      case asked::xforward: return answer(replies::not_authorized);
      case asked::expn:
      case asked::custom: return answer(replies::not_implemented);
    }
    return {};
  }
  constexpr result<void> answer_default(ticket t) { return named(t) ? answer_default() : stale(); }
  /// @}

  /// @name The world
  /// What happens outside. Each is taken note of at once and acted on by the next call of `next`, even after `receive`.
  /// @{

  /// The handshake that `start_tls` asked for has succeeded: everything learned before it is forgotten (RFC 3207 4.2).
  /// Fails with `errc::tls_not_pending`.
  constexpr result<void> tls_started(tls_strength strength = tls_strength::sufficient) {
    if (mode_ != mode::handshake) return error{errc::tls_not_pending};
    const basic_server_session before = std::move(*this);
    basic_server_session fresh{*before.options_};
    fresh.ticket_ = before.ticket_;
    fresh.wait_serial_ = before.wait_serial_;
    fresh.taken_ = before.taken_;
    fresh.mode_ = mode::command;
    fresh.tls_ = true;
    fresh.speaks_for_others_ = before.speaks_for_others_;  // or its client would be trusted
    fresh.state_ = strength == tls_strength::sufficient ? state::greeted : state::barred;
    fresh.barred_code_ = 554;
    fresh.first_line_ = false;
    fresh.shutdown_ = before.shutdown_;  // the caller's and the channel's news, not the peer's words
    fresh.end_of_input_ = before.end_of_input_;
    *this = std::move(fresh);
    new_wait();
    return {};
  }

  /// The handshake has failed: the session ends (RFC 3207 4). Fails with `errc::tls_not_pending`.
  constexpr result<void> tls_failed() {
    if (mode_ != mode::handshake) return error{errc::tls_not_pending};
    mode_ = mode::closed;
    return {};
  }

  /// What `timeout()` names did not come in time: 421 and the end. Fails with `errc::wrong_answer` while a question is open (it
  /// is the caller that is slow) and with `errc::session_closed`.
  constexpr result<void> timed_out() {
    if (open_ != asked::nothing) return error{errc::wrong_answer};
    if (is_ending()) return error{errc::session_closed};
    const bool in_clear_words = mode_ != mode::handshake && mode_ != mode::tls_agreed;
    abort(reset_cause::timed_out);
    if (in_clear_words) write_closing(replies::idle_timeout);
    return {};
  }

  /// The service goes down: 421 at the next command boundary (at once when the session waits for a command). RFC 5321 3.8.
  constexpr void shutdown() { shutdown_ = true; }

  /// The peer will send no more. An open question stays, replies still leave, then `close_channel`. RFC 5321 4.1.1.5.
  constexpr void end_of_input() { end_of_input_ = true; }

  /// The channel is broken both ways: nothing more is sent, outstanding notices come, then `close_channel`. RFC 5321 4.1.1.10.
  constexpr void disconnected() {
    if (mode_ == mode::closed) return;
    open_ = asked::nothing;
    storage_.clear_output();
    abort(reset_cause::peer_gone);
    mode_ = mode::closed;
  }

  /// Gives back heap memory that holds nothing.
  constexpr void trim() { storage_.trim(); }
  /// @}

  /// @name What the session knows
  /// @{

  /// What is waited for, how long at most, and the serial of this wait. Nothing while a question is open.
  constexpr wait timeout() const {
    if (open_ != asked::nothing || is_ending()) return {waiting_for::nothing, 0, wait_serial_};
    switch (mode_) {
      case mode::command:
      case mode::auth_response: return {waiting_for::command, options_->timeouts.command, wait_serial_};
      case mode::mail_data:
      case mode::chunk:
      case mode::swallow: return {waiting_for::data_block, options_->timeouts.data_block, wait_serial_};
      case mode::tls_agreed:
      case mode::handshake: return {waiting_for::handshake, options_->timeouts.handshake, wait_serial_};
      default: return {waiting_for::nothing, 0, wait_serial_};
    }
  }
  constexpr state current_state() const { return state_; }
  constexpr bool is_lmtp() const { return options_->protocol == protocol::lmtp; }
  constexpr bool is_tls_active() const { return tls_; }
  constexpr bool is_authenticated() const { return authenticated_; }
  constexpr bool is_esmtp() const { return esmtp_; }                  ///< EHLO or LHLO was accepted, not HELO
  constexpr std::uint32_t recipients() const { return recipients_; }  ///< accepted in this transaction
  constexpr bool smtputf8() const { return smtputf8_; }               ///< of this transaction (RFC 6531)
  constexpr body_type body() const { return body_; }                  ///< of this transaction (RFC 6152)
  constexpr ticket open_question() const { return {open_ == asked::nothing ? 0 : ticket_}; }
  constexpr std::uint64_t octets_taken() const { return taken_; }  ///< from all inputs, since the session began
  constexpr bool is_closed() const { return mode_ == mode::closed; }
  constexpr const server_options& options() const { return *options_; }
  /// @}

 private:
  /// What the next octets of the input are.
  enum class mode : std::uint8_t {
    greeting,       ///< none are due: the greeting comes first
    command,        ///< a command line
    auth_response,  ///< a line of an AUTH exchange
    mail_data,      ///< lines up to the lone dot
    chunk,          ///< mail data by count
    swallow,        ///< the octets of a refused chunk, by count
    tls_agreed,     ///< none: the 220 to STARTTLS goes out
    handshake,      ///< none: the caller does the handshake
    closing,        ///< none: the last reply goes out
    out_of_memory,  ///< none: 421 goes out if it fits
    closed,
  };

  /// The open question.
  enum class asked : std::uint8_t {
    nothing,
    greeting,
    hello,
    starttls,
    auth,
    mail,
    rcpt,
    data,
    chunk,
    message,
    vrfy,
    expn,
    help,
    etrn,
    burl,
    xclient,
    xforward,
    custom,
  };

  /// What the reply to a swallowed message or chunk is made of.
  enum class refusal : std::uint8_t {
    none,
    rule,   ///< the session's reply to `refusal_rule_`
    words,  ///< the caller's reply, kept in the line's place
    code,   ///< the caller's code and enhanced code
  };

  using maybe_action = std::optional<server_action>;

  // ---- Actions ---------------------------------------------------------------------------------------------------------------

  /// `next`, whatever is due.
  constexpr server_action next_of_all(std::string_view& input) {
    amid_line_ = false;
    storage_.drop_given();
    if (storage_.has_failed()) mode_ = mode::closed;
    for (;;) {
      if (has_notice()) return take_notice();
      if (is_ending() || open_ != asked::nothing) return wait_or_end();
      if (flush_ && storage_.collected() > 0) {
        if (greeting_due_ && !early_ && !input.empty()) {
          early_ = true;
          note(errc::early_talker, taken_);
          continue;
        }
        greeting_due_ = false;
        return give();
      }
      flush_ = false;
      if (const auto action = step(input)) return *action;
    }
  }

  /// `next` while a question is open, or at the end of the session.
  [[gnu::noinline]] constexpr server_action wait_or_end() {
    if (mode_ == mode::closed) return close_channel{};
    if (storage_.collected() > 0) return give();
    if (open_ != asked::nothing) return answer_due{ticket{ticket_}};
    if (mode_ == mode::out_of_memory) {
      write_last_words();
      if (storage_.collected() > 0) return give();
    }
    mode_ = mode::closed;
    return close_channel{};
  }

  // ---- Questions -------------------------------------------------------------------------------------------------------------

  constexpr ticket ask(asked what) {
    open_ = what;
    ++ticket_;
    if (ticket_ == 0) ticket_ = 1;
    return {ticket_};
  }
  constexpr bool named(ticket t) const { return open_ != asked::nothing && t.serial == ticket_; }
  /// Why an answer with a ticket does not count. Without an open question a late `reject` must not give a message up.
  constexpr result<void> stale() const { return error{open_ == asked::nothing ? errc::no_open_question : errc::stale_answer}; }
  constexpr void close_question() { open_ = asked::nothing; }

  constexpr reply_row row() const {
    switch (open_) {
      case asked::greeting: return reply_row::connection;
      case asked::hello: return reply_row::hello;
      case asked::starttls: return reply_row::starttls;
      case asked::auth: return reply_row::auth;
      case asked::mail: return reply_row::mail;
      case asked::rcpt: return reply_row::rcpt;
      case asked::data: return reply_row::data;
      case asked::chunk: return reply_row::chunk;
      case asked::message: return reply_row::message;
      case asked::vrfy: return reply_row::vrfy;
      case asked::expn: return reply_row::expn;
      case asked::help: return reply_row::help;
      case asked::etrn: return reply_row::etrn;
      case asked::burl: return reply_row::burl;
      case asked::xclient: return reply_row::xclient;
      case asked::xforward: return reply_row::xforward;
      case asked::nothing:
      case asked::custom: break;
    }
    return reply_row::custom;
  }

  /// True if the code of `r` stands in the open question's row of RFC 5321 4.3.2.
  constexpr bool allowed(const reply& r) const {
    // These are for the client that XCLIENT names, when the greeting is asked for.
    if (open_ == asked::xclient && (r.code() == 554 || r.code() == 521)) return false;
    if (options_->submission) {
      if (r.code() == 521) return false;                                                   // RFC 6409 7
      if (r.code() == 554 && (open_ == asked::mail || open_ == asked::rcpt)) return true;  // RFC 6409 4.1
    }
    if (open_ == asked::mail && r.code() == 450 && options_->extensions.priority) return true;  // RFC 6710 4.1
    if (open_ == asked::data && r.code() == 550 && options_->extensions.rrvs) return true;      // RFC 7293 5.1.1
    return options_->any_reply_code || may_answer(row(), r.code());
  }

  // ---- Output ----------------------------------------------------------------------------------------------------------------

  constexpr enhanced_codes enhanced() const {
    return options_->extensions.enhanced_status_codes ? enhanced_codes::write : enhanced_codes::omit;
  }

  /// A place for `count` octets of output, or why there is none; without memory the session ends.
  constexpr result<char*> place_for(std::size_t count) {
    char* const place = storage_.reserve_output(count);
    if (place != nullptr) return place;
    if constexpr (is_fixed) {
      return error{errc::reply_too_long};
    } else {
      run_out_of_memory();
      return error{errc::out_of_memory};
    }
  }

  constexpr result<void> write(const reply& r, enhanced_codes codes, std::string_view first_word = {}) {
    const reply_lines lines{r, codes, first_word};
    const std::size_t size = lines.size();
    const auto place = place_for(size);
    if (!place) return place.error();
    lines.write(*place);
    storage_.commit_output(size);
    return {};
  }
  constexpr result<void> write(const reply& r) {
    const bool with_name = r.code() == 421 || r.code() == 221;  // RFC 5321 4.2, Domain in the replies' text
    return write(r, enhanced(), with_name ? options_->hostname : std::string_view{});
  }

  constexpr server_action give() { return transmit{storage_.give_output()}; }

  constexpr bool is_ending() const { return mode_ == mode::closing || mode_ == mode::closed || mode_ == mode::out_of_memory; }

  /// Ends the session behind what is collected.
  constexpr void end_session() {
    if (mode_ != mode::closed && mode_ != mode::out_of_memory) mode_ = mode::closing;
  }

  /// A last reply, then the end.
  constexpr void write_closing(const reply& r) {
    if (mode_ == mode::out_of_memory) return;
    if (!write(r)) {
      run_out_of_memory();
      return;
    }
    end_session();
  }

  constexpr void run_out_of_memory() {
    abort(reset_cause::closed);
    close_question();
    mode_ = mode::out_of_memory;
  }

  /// The output is empty, so its inline octets are free: 421 with the host name if that fits, else without.
  constexpr void write_last_words() {
    mode_ = mode::closing;
    for (const std::string_view name : {options_->hostname, std::string_view{}}) {
      const std::size_t needed = written_size(replies::no_memory, enhanced(), name);
      if (char* const place = storage_.reserve_output(needed)) {
        ehlo::write(replies::no_memory, enhanced(), place, name);
        storage_.commit_output(needed);
        return;
      }
    }
  }

  // ---- Notices ---------------------------------------------------------------------------------------------------------------

  constexpr void note(errc code, std::uint64_t offset) {
    has_violation_ = true;
    violation_ = code;
    violation_offset_ = offset;
  }

  constexpr bool has_notice() const { return has_violation_ || has_exchange_end_ || has_reset_; }

  [[gnu::noinline]] constexpr server_action take_notice() {
    if (has_violation_) {
      has_violation_ = false;
      return violation{violation_, violation_offset_};
    }
    if (has_exchange_end_) {
      has_exchange_end_ = false;
      return exchange_ended{exchange_end_};
    }
    has_reset_ = false;
    return transaction_reset{reset_cause_};
  }

  constexpr void end_exchange(exchange_end cause) {
    if (in_exchange_) {
      has_exchange_end_ = true;
      exchange_end_ = cause;
    }
    in_exchange_ = false;
  }

  /// Drops the transaction. A spoilt one has been dropped before.
  constexpr void drop_transaction(reset_cause cause, state then) {
    if (in_transaction(state_) && state_ != state::spoilt) {
      has_reset_ = true;
      reset_cause_ = cause;
    }
    state_ = then;
    recipients_ = 0;
    smtputf8_ = false;
    forwarded_ = false;
    body_ = body_type::seven_bit;
    refusal_ = refusal::none;
    storage_.clear_line();
  }

  /// The session ends without its peer's consent: transaction and AUTH exchange end with it.
  constexpr void abort(reset_cause cause) {
    end_exchange(exchange_end::aborted);
    wipe_secret();
    drop_transaction(cause, state_ == state::barred ? state::barred : state::greeted);
    end_session();
  }

  // ---- Steps -----------------------------------------------------------------------------------------------------------------

  /// One step of the session: an action, or none when the loop of `next` is to look again.
  [[gnu::always_inline]] constexpr maybe_action step(std::string_view& input) {
    if (replies_left_ > 0) return repeat_refusal();
    switch (mode_) {
      case mode::greeting: return ask_greeting(input);
      case mode::command: return read_command(input);
      case mode::auth_response: return read_response(input);
      case mode::mail_data: return read_mail_data(input);
      case mode::chunk: return read_chunk(input);
      case mode::swallow: return swallow_chunk(input);
      case mode::tls_agreed: return answer_starttls(input);
      case mode::handshake: return do_handshake(input);
      case mode::closing:
      case mode::out_of_memory:
      case mode::closed: return std::nullopt;
    }
    return std::nullopt;
  }

  constexpr void new_wait() { ++wait_serial_; }

  /// The input has run dry: what is collected leaves first, then more octets are wanted, unless there are none.
  constexpr maybe_action want_more() {
    if (storage_.collected() > 0) return give();
    if (!end_of_input_) return receive{};
    abort(reset_cause::peer_gone);
    return std::nullopt;
  }

  constexpr maybe_action ask_greeting(std::string_view input) {
    if (!storage_.has_room(sizes::reply_line, options_->limits.output)) return give();
    if (!input.empty() && !early_ && !speaks_for_others_) {  // XCLIENT may be pipelined
      early_ = true;
      note(errc::early_talker, taken_);
      return std::nullopt;
    }
    return greeting_question{early_, ask(asked::greeting)};
  }

  // ---- Lines -----------------------------------------------------------------------------------------------------------------

  /// By how much the extensions lengthen MAIL.
  constexpr std::size_t longer_mail() const {
    const extension_set& on = options_->extensions;
    std::size_t out = 0;
    const auto add = [&out](bool offered, std::size_t octets) { out += offered ? octets : 0; };
    add(on.size, 26);
    add(on.binary_mime, 16);
    add(on.smtputf8, 10);
    add(on.dsn, 530);
    add(!options_->mechanisms.empty(), 500);
    add(offers_require_tls(), 11);
    add(on.deliver_by, 17);
    add(on.future_release, 34);
    add(on.priority, 15);
    add(on.no_soliciting, 1007);
    add(on.mtrk, 43);  // RFC 3885 2 says 40, which a certifier of 160 bits with a timeout of nine digits exceeds
    return out;
  }

  /// The longest line with its CRLF that may begin with `start`. RFC 5321 4.5.3.1.4 and what the extensions add (2.2.1).
  constexpr std::size_t line_limit(std::string_view start) const {
    std::size_t most = sizes::command_line;
    if (mode_ == mode::auth_response) {
      most = options_->limits.auth_line;
    } else if (esmtp_) {
      const extension_set& on = options_->extensions;
      const verb name = verb_of(start.substr(0, std::min(start.find(' '), start.size())));
      custom_parameter::place place{};
      if (name == verb::mail) {
        most += longer_mail();
      } else if (name == verb::rcpt) {
        most += (on.dsn ? 530U : 0U) + (on.rrvs ? 33U : 0U);
        place = custom_parameter::place::rcpt;
      } else if (name == verb::auth && !options_->mechanisms.empty()) {
        most = options_->limits.auth_line;
      }
      if (name == verb::mail || name == verb::rcpt) {
        for (const custom_parameter& p : options_->parameters) most += p.command == place ? p.line_octets : 0U;
      }
    }
    return std::min(most, Storage::longest_line());
  }

  /// True if a line of `size` octets with its CRLF, of which `part` has just come, is over its limit. None is below 512.
  constexpr bool is_over_limit(std::size_t size, std::string_view part) const {
    return size > sizes::command_line && size > line_limit(start_of(part).text());
  }

  /// Takes a line from the input: its octets without CRLF, or none while it is incomplete.
  ///
  /// A line over its limit is not kept: `line_too_long_` is set, the rest is swallowed up to its CRLF, and its first octets come
  /// out as the line (they tell the verb).
  [[gnu::always_inline]] constexpr std::optional<std::string_view> take_line(std::string_view& input) {
    if (line_done_) {
      if (secret_) wipe_secret();
      storage_.clear_line();
      line_done_ = line_too_long_ = false;
    }
    line_clean_ = false;
    const bool is_first_part = storage_.line().empty() && !line_too_long_;
    if (is_first_part) line_start_ = taken_;
    if (input.empty()) return std::nullopt;
    if (is_first_part) {
      // A line that lies whole in the input and holds no octet that no command holds, as nearly all do.
      const std::size_t most = std::min(input.size(), sizes::command_line - crlf.size());
      const std::string_view line{input.data(), end_of_run<command_octet>({input.data(), most})};
      if (input.size() - line.size() >= crlf.size() && input[line.size()] == '\r' && input[line.size() + 1] == '\n') {
        take(input, line.size() + crlf.size());
        line_done_ = line_clean_ = true;
        held_cr_ = false;
        return line;
      }
    }
    return take_other_line(input, is_first_part);
  }

  /// The same for a line that came in pieces, has not come to its end, is long, or holds an octet that no command holds.
  [[gnu::noinline]] constexpr std::optional<std::string_view> take_other_line(std::string_view& input, bool is_first_part) {
    const std::size_t end = find_crlf(input);
    if (end == input.npos) {
      keep_part(input);
      take(input, input.size());
      return std::nullopt;
    }
    // `end` is one past the LF.
    std::string_view line = input.substr(0, end);
    take(input, end);
    line_done_ = true;
    held_cr_ = false;
    if (line_too_long_) return storage_.line();
    if (!is_first_part) {
      if (is_over_limit(storage_.line().size() + line.size(), line)) {
        keep_start(line);
        if (is_ending()) return std::nullopt;
        return storage_.line();
      }
      if (!storage_.append_line(line)) {
        run_out_of_memory();
        return std::nullopt;
      }
      line = storage_.line();
    }
    if (line.size() > sizes::command_line && line.size() > line_limit(line)) {
      line_too_long_ = true;
      return line.substr(0, kept_of_long_line);
    }
    return line.substr(0, line.size() - crlf.size());
  }

  /// One past the LF of the first CRLF; the CR may be the last octet of the part held back. A LF alone is no end (2.3.8).
  constexpr std::size_t find_crlf(std::string_view input) const {
    for (std::size_t from = 0;;) {
      const std::size_t lf = input.find('\n', from);
      if (lf == input.npos) return input.npos;
      if (lf > 0 ? input[lf - 1] == '\r' : held_cr_) return lf + 1;
      from = lf + 1;
    }
  }

  /// Keeps another part of a command line, where that is all there is to do: no end of the line, nothing that has happened since
  /// the last part, and no more octets than any line may have. False, and nothing changed, if there is more to it.
  constexpr bool keep_more(std::string_view& input) {
    if (mode_ != mode::command || shutdown_ || end_of_input_ || storage_.has_failed() || input.empty()) return false;
    if (storage_.line().size() + input.size() > sizes::command_line - crlf.size()) return false;
    for (const char c : input) {
      if (c == '\n') return false;
    }
    if (!storage_.append_line(input)) return false;
    held_cr_ = input.back() == '\r';
    take(input, input.size());
    return true;
  }

  /// Keeps a part of a line whose CRLF has not come.
  constexpr void keep_part(std::string_view part) {
    if (part.empty()) return;
    held_cr_ = part.back() == '\r';
    if (line_too_long_) return;
    const std::size_t size = storage_.line().size() + part.size();
    if (is_over_limit(size + (held_cr_ ? 1U : 2U), part)) {
      keep_start(part);
    } else if (!storage_.append_line(part)) {
      run_out_of_memory();
    }
  }

  /// Of a line over its limit only the start is kept.
  constexpr void keep_start(std::string_view part) {
    line_too_long_ = true;
    const std::size_t kept = storage_.line().size();
    if (kept < kept_of_long_line && !storage_.append_line(part.substr(0, kept_of_long_line - kept))) run_out_of_memory();
  }

  /// The first octets of a line, joined over the cuts: as many as tell a verb whose lines may be longer.
  struct line_start {
    std::array<char, 5> octets{};
    std::size_t size = 0;
    constexpr std::string_view text() const { return {octets.data(), size}; }
  };

  /// The start of a line of which `part` is what has just come.
  constexpr line_start start_of(std::string_view part) const {
    line_start out;
    for (const std::string_view piece : {storage_.line(), part}) {
      for (const char c : piece.substr(0, out.octets.size() - out.size)) out.octets[out.size++] = c;
    }
    return out;
  }

  constexpr void take(std::string_view& input, std::size_t count) {
    input.remove_prefix(count);
    taken_ += count;
  }

  constexpr void wipe_secret() {
    storage_.wipe_line();
    secret_ = false;
  }

  // ---- Commands --------------------------------------------------------------------------------------------------------------

  constexpr maybe_action read_command(std::string_view& input) {
    if (shutdown_) {
      abort(reset_cause::closed);
      write_closing(replies::service_not_available);
      return std::nullopt;
    }
    if (!storage_.has_room(sizes::reply_line, options_->limits.output)) return give();
    if (first_line_ && !input.empty() && storage_.line().empty() && input.front() == tls_record) {
      const std::uint64_t offset = taken_;
      take(input, input.size());
      return refuse_protocol(offset);
    }
    const auto line = take_line(input);
    if (!line) {
      if (is_ending()) return std::nullopt;
      amid_line_ = storage_.collected() == 0 && !line_too_long_ && !storage_.line().empty();
      return want_more();
    }
    new_wait();
    return handle_command(*line, input);
  }

  [[gnu::always_inline]] constexpr maybe_action handle_command(std::string_view line, std::string_view& input) {
    const command_line c = split_command(line);
    const bool is_first = first_line_;
    first_line_ = false;
    if (c.name == verb::bdat && offers_chunking()) return handle_chunk(c, line);
    if (is_first && c.name == verb::unknown && is_other_protocol(line)) return refuse_protocol(line_start_);
    if (c.name == verb::auth) secret_ = true;
    // RFC 9422 4.1, 4.2: commands that fail count too.
    if (c.name == verb::mail) ++mails_;
    if (c.name == verb::rcpt) ++rcpts_;
    const std::optional<std::size_t> custom = c.name == verb::unknown ? find_custom(c.word) : std::nullopt;
    if (const auto objection = object(c, line, custom.has_value())) return refuse(*objection, c.name);
    if (custom) return ask_custom(*custom, c);
    switch (c.name) {
      case verb::ehlo:
      case verb::helo:
      case verb::lhlo: return handle_hello(c);
      case verb::mail: return handle_mail(c);
      case verb::rcpt: return handle_rcpt(c);
      case verb::data: return handle_data();
      case verb::rset: return handle_rset();
      case verb::vrfy:
      case verb::expn: return handle_lookup(c);
      case verb::help: return handle_help(c);
      case verb::noop: return respond(replies::ok);
      case verb::quit: return handle_quit();
      case verb::starttls: return handle_starttls(input);
      case verb::auth: return handle_auth(c);
      case verb::etrn: return handle_etrn(c);
      case verb::burl: return handle_burl(c);
      case verb::xclient: return handle_xclient(c);
      case verb::xforward: return handle_xforward(c);
      case verb::bdat:
      case verb::send:
      case verb::soml:
      case verb::saml:
      case verb::turn:
      case verb::unknown: break;
    }
    return refuse({errc::unknown_verb, 0}, c.name);
  }

  /// What is wrong with a command before its arguments are looked at: the line, the verb, the policy, the order.
  [[gnu::always_inline]] constexpr std::optional<error> object(const command_line& c, std::string_view line, bool is_custom) const {
    if (state_ == state::barred && c.name != verb::quit)
      return error{barred_code_ == 554 ? errc::tls_too_weak : errc::session_barred, 0};
    if (line_too_long_) return error{errc::line_too_long, 0};
    if (!line_clean_) {
      if (const auto octet = find_forbidden_octet(line)) return octet;
    }
    if (is_custom) {
      if (const auto policy = object_by_policy(c.name)) return policy;
      return std::nullopt;
    }
    if (c.name == verb::unknown || !is_this_protocol(c.name)) return error{errc::unknown_verb, 0};
    if (!is_implemented(c.name)) return error{errc::verb_not_implemented, 0};
    if (const auto policy = object_by_policy(c.name)) return policy;
    if (effect_of(state_, c.name) == effect::refuse) return error{reason_of_order(c.name), 0};
    if (takes_no_argument(c.name) && !c.argument.empty()) return error{errc::argument_not_allowed, c.argument_offset};
    return std::nullopt;
  }

  /// 530 until TLS or AUTH is done, where that is required. RFC 3207 4, RFC 4954 6.
  constexpr std::optional<error> object_by_policy(verb name) const {
    const auto is_any = [name](auto... exempt) { return ((name == exempt) || ...); };
    if (options_->tls == tls_mode::required && !tls_ && !is_any(verb::ehlo, verb::lhlo, verb::noop, verb::quit, verb::starttls))
      return error{errc::tls_required, 0};
    // RFC 6409 4.3: a submission server takes mail of those whom it knows.
    const bool auth_required = options_->auth_required || (options_->submission && !is_trusted());
    if (auth_required && !authenticated_ &&
        !is_any(verb::ehlo, verb::helo, verb::lhlo, verb::noop, verb::quit, verb::starttls, verb::auth, verb::rset, verb::xclient))
      return error{errc::authentication_required, 0};
    return std::nullopt;
  }

  constexpr bool offers_chunking() const { return options_->esmtp && options_->extensions.chunking; }

  /// LHLO belongs to LMTP, EHLO and HELO do not. RFC 2033 4.1.
  constexpr bool is_this_protocol(verb name) const {
    if (name == verb::lhlo) return is_lmtp();
    return !is_lmtp() || (name != verb::ehlo && name != verb::helo);
  }

  constexpr bool is_implemented(verb name) const {
    switch (name) {
      case verb::ehlo: return options_->esmtp;
      case verb::bdat: return offers_chunking();
      case verb::starttls: return options_->esmtp && (options_->tls != tls_mode::unavailable);
      case verb::auth: return options_->esmtp && !options_->mechanisms.empty();
      case verb::etrn: return options_->esmtp && options_->extensions.etrn;
      case verb::burl: return options_->esmtp && options_->extensions.burl;
      case verb::xclient: return options_->extensions.xclient;
      case verb::xforward: return options_->extensions.xforward;
      case verb::expn: return options_->extensions.expn;
      case verb::help: return options_->extensions.help;
      case verb::send:
      case verb::soml:
      case verb::saml:
      case verb::turn: return false;
      default: return true;
    }
  }

  static constexpr bool takes_no_argument(verb name) {
    return name == verb::data || name == verb::rset || name == verb::quit || name == verb::starttls;
  }

  /// Which rule of 4.1.4 the cell `refuse` stands for.
  constexpr errc reason_of_order(verb name) const {
    switch (state_) {
      case state::greeted: return errc::hello_required;
      case state::ready:
        return name == verb::rcpt || name == verb::data || name == verb::bdat || name == verb::burl ? errc::transaction_required
                                                                                                    : errc::out_of_order;
      case state::mail:
        return name == verb::data || name == verb::bdat || name == verb::burl ? errc::recipient_required : errc::transaction_open;
      case state::rcpt: return errc::transaction_open;
      case state::chunk: return name == verb::data ? errc::data_after_chunk : errc::transaction_open;
      case state::spoilt: return errc::chunk_refused;
      case state::barred: break;
    }
    return errc::out_of_order;
  }

  /// Writes a reply of the session's own and goes on. Replies to commands that end a group leave at once (RFC 2920 3.2).
  constexpr maybe_action respond(const reply& r, bool flush = true) {
    if (const auto written = write(r); !written) {
      run_out_of_memory();
      return std::nullopt;
    }
    flush_ = flush_ || flush;
    return std::nullopt;
  }

  /// Counts an error; true if it is one too many and 421 has been said.
  constexpr bool is_one_too_many(const reply& r) {
    if (r.code() < 500) return false;
    ++errors_;
    if (options_->limits.errors == 0 || errors_ <= options_->limits.errors) return false;
    abort(reset_cause::closed);
    note(errc::too_many_errors, line_start_);
    write_closing(replies::too_many_errors);
    return true;
  }

  /// Refuses a command that broke a rule.
  constexpr maybe_action refuse(error broken, verb name) {
    note(broken.code, line_start_ + broken.offset);
    reply r = reply_for(broken.code, name, options_->extensions.smtputf8);
    if (state_ == state::barred && name != verb::quit) r = barred_reply();
    if (mode_ == mode::auth_response && broken.code == errc::line_too_long) r = replies::auth_line_too_long;
    if (name == verb::auth && broken.code == errc::line_too_long) r = replies::auth_line_too_long;
    if (broken.code == errc::too_many_transactions) {
      abort(reset_cause::closed);
      write_closing(r);
      return std::nullopt;
    }
    if (is_one_too_many(r)) return std::nullopt;
    const bool is_group_member = name == verb::mail || name == verb::rcpt || name == verb::rset;
    return respond(r, !is_group_member);
  }

  constexpr reply barred_reply() const {
    if (barred_code_ == 521) return replies::host_accepts_no_mail;
    return barred_code_ == 554 ? replies::tls_too_weak : replies::bad_sequence;
  }

  static constexpr bool is_other_protocol(std::string_view line) {
    constexpr std::array<std::string_view, 12> beginnings{"GET ",    "POST ",  "PUT ",   "HEAD ", "OPTIONS ", "CONNECT ",
                                                          "DELETE ", "TRACE ", "PATCH ", "PRI ",  "SSH-",     "Host: "};
    return std::any_of(beginnings.begin(), beginnings.end(), [line](std::string_view b) { return line.starts_with(b); });
  }

  /// Another protocol on the port: whatever it says could be somebody's attack. The session ends.
  constexpr maybe_action refuse_protocol(std::uint64_t offset) {
    note(errc::other_protocol, offset);
    abort(reset_cause::closed);
    write_closing(replies::other_protocol);
    return std::nullopt;
  }

  // ---- Answers ---------------------------------------------------------------------------------------------------------------

  /// Writes the reply to the open question; a positive one makes the change that the table gives.
  constexpr result<void> answer(const reply& r) {
    const asked what = open_;
    if (r.code() == 421) return answer_421(r);
    if (!r.is_positive() && what != asked::message && is_one_too_many(r)) {
      close_question();
      return {};
    }
    if (const auto written = write(r); !written) return written;
    close_question();
    new_wait();
    flush_ = flush_ || (what != asked::mail && what != asked::rcpt && what != asked::message);
    if (what == asked::message) {
      message_answered();
    } else if (r.is_positive()) {
      if (what == asked::mail) begin_transaction();
      if (what == asked::xforward) forwarded_ = true;
      if (what == asked::rcpt) {
        ++recipients_;
        state_ = state::rcpt;
      }
    }
    return {};
  }

  constexpr result<void> answer_421(const reply& r) {
    // A client that is writing mail data does not read: a reply of many lines could make both ends wait for each other.
    const bool may_be_unread = open_ == asked::nothing || open_ == asked::chunk;
    const bool is_long = written_size(r, enhanced(), options_->hostname) > sizes::reply_line;
    const auto shorter = reply::make(r.code(), r.enhanced(), std::string_view{});
    if (const auto written = write(may_be_unread && is_long && shorter ? *shorter : r); !written) return written;
    // What this reply answers has had its end: no notice tells of it again.
    if (open_ == asked::auth) in_exchange_ = false;
    if (open_ == asked::message) message_answered();
    close_question();
    abort(reset_cause::closed);
    return {};
  }

  constexpr void begin_transaction() {
    state_ = state::mail;
    ++transactions_;
    recipients_ = 0;
    rcpts_ = 0;
    smtputf8_ = pending_smtputf8_;
    body_ = pending_body_;
    refusal_ = refusal::none;
    reader_ = {};
    chunk_octets_ = 0;
  }

  /// A transaction is over, with an answer to its message.
  constexpr void finish_transaction() {
    state_ = state::ready;
    recipients_ = 0;
    smtputf8_ = false;
    forwarded_ = false;
    body_ = body_type::seven_bit;
    mode_ = mode::command;
  }

  /// One `message_question` is answered; LMTP has one for each recipient (RFC 2033 4.2).
  constexpr void message_answered() {
    ++answered_recipients_;
    if (!is_lmtp() || answered_recipients_ == recipients_) {
      finish_transaction();
    } else {
      asks_for_message_ = true;
      flush_ = true;  // RFC 2033 5: a reply leaves as soon as it is known
    }
  }

  // ---- Greeting and hello ----------------------------------------------------------------------------------------------------

  constexpr result<void> answer_greeting(int code, std::string_view text) {
    const auto r = reply::make(code, {}, text);
    if (!r || code != 220) return error{errc::wrong_answer};
    if (const auto written = write(*r, enhanced_codes::omit, options_->hostname); !written) return written;
    leave_greeting(state::greeted);
    return {};
  }

  constexpr result<void> refuse_greeting(const reply& r) {
    if (const auto written = write(r, enhanced_codes::omit, options_->hostname); !written) return written;
    barred_code_ = r.code() == 521 ? std::uint16_t{521} : std::uint16_t{503};
    leave_greeting(state::barred);
    if (r.code() == 421 || (r.code() == 521 && options_->close_when_no_mail)) end_session();
    return {};
  }

  constexpr void leave_greeting(state then) {
    close_question();
    state_ = then;
    mode_ = mode::command;
    flush_ = true;
    greeting_due_ = !speaks_for_others_;
    new_wait();
  }

  constexpr maybe_action handle_hello(const command_line& c) {
    const auto hello = parse_hello(c.name, c.argument, options_->leniency);
    if (!hello) return refuse({hello.error().code, c.argument_offset + hello.error().offset}, c.name);
    pending_verb_ = c.name;
    return hello_question{c.name, hello->client, ask(asked::hello)};
  }

  constexpr result<void> answer_hello(std::string_view text) {
    // The first line of the reply is not folded: each further line is a keyword (RFC 5321 4.1.1.1).
    if (options_->hostname.size() + text.size() + longest_around_hello > sizes::reply_line) return error{errc::reply_too_long};
    hello_texts texts;
    if (pending_verb_ != verb::helo) write_texts(texts);
    hello_size size;
    put_hello(text, texts, size);
    const auto place = place_for(size.octets);
    if (!place) return place.error();
    hello_writer writer{*place};
    put_hello(text, texts, writer);
    writer.finish();
    storage_.commit_output(size.octets);
    drop_transaction(reset_cause::hello, state::ready);
    esmtp_ = pending_verb_ != verb::helo;
    close_question();
    new_wait();
    flush_ = true;
    return {};
  }

  /// Numbers and lists of the EHLO reply, written out. Only what is offered has a text.
  struct hello_texts {
    std::string_view size{};
    std::string_view mechanisms{};
    std::string_view by{};
    std::string_view holds{};
    std::string_view limits{};
    // The octets of these, left as they are until they are written.
    std::array<char, 20> size_octets;
    std::array<char, sizes::reply_line> mechanism_octets;
    std::array<char, 20> by_octets;
    std::array<char, hold_limits::max_size> hold_octets;
    std::array<char, announced_limits::max_size> limit_octets;
  };

  constexpr void write_texts(hello_texts& out) const {
    const extension_set& on = options_->extensions;
    if (on.size) out.size = write_number(options_->limits.message, out.size_octets);
    out.mechanisms = write_mechanisms(out.mechanism_octets);
    if (on.deliver_by && options_->deliver_by_minimum != 0) out.by = write_number(options_->deliver_by_minimum, out.by_octets);
    if (on.future_release) out.holds = written(options_->holds, out.hold_octets);
    if (on.limits) out.limits = written(options_->announced, out.limit_octets);
  }

  /// The lines of the reply to EHLO, counted.
  struct hello_size {
    std::size_t octets = 0;

    [[gnu::always_inline]] constexpr void line(std::string_view first, std::string_view second = {}) {
      octets += code_and_crlf + first.size() + (second.empty() ? 0 : 1 + second.size());
    }
    static constexpr std::size_t code_and_crlf = 6;
  };

  /// The same, written. Inline, so that a keyword is put as the constant that it is.
  struct hello_writer {
    char* out;
    char* last = nullptr;  ///< the line that is the last so far

    [[gnu::always_inline]] constexpr void line(std::string_view first, std::string_view second = {}) {
      last = out;
      put("250-");
      put(first);
      if (!second.empty()) {
        put(" ");
        put(second);
      }
      put(crlf);
    }
    constexpr void finish() { last[3] = ' '; }

   private:
    [[gnu::always_inline]] constexpr void put(std::string_view octets) { out = std::copy(octets.begin(), octets.end(), out); }
  };

  /// ehlo-ok-rsp, or its one-line form: the host name, then a line for each keyword that is offered now. RFC 5321 4.1.1.1.
  template <class Lines>
  constexpr void put_hello(std::string_view text, const hello_texts& texts, Lines& out) const {
    out.line(options_->hostname, text);
    if (pending_verb_ == verb::helo) return;
    const extension_set& on = options_->extensions;
    if (on.pipelining) out.line("PIPELINING");
    if (on.size) out.line("SIZE", texts.size);
    if (on.eight_bit_mime) out.line("8BITMIME");
    if (on.enhanced_status_codes) out.line("ENHANCEDSTATUSCODES");
    if (on.chunking) out.line("CHUNKING");
    if (on.binary_mime) out.line("BINARYMIME");
    if (on.smtputf8) out.line("SMTPUTF8");
    if (on.dsn) out.line("DSN");
    if (!tls_ && options_->tls != tls_mode::unavailable) out.line("STARTTLS");
    if (offers_require_tls()) out.line("REQUIRETLS");
    if (!texts.mechanisms.empty()) out.line("AUTH", texts.mechanisms);
    if (on.deliver_by) out.line("DELIVERBY", texts.by);
    if (on.future_release) out.line("FUTURERELEASE", texts.holds);
    if (on.priority) out.line("MT-PRIORITY", options_->priority_policy);
    if (on.rrvs) out.line("RRVS");
    if (on.mtrk) out.line("MTRK");
    if (on.no_soliciting) out.line("NO-SOLICITING", options_->not_wanted);
    if (on.etrn) out.line("ETRN");
    // RFC 4468 3.1: without arguments before AUTH, which is needed to use it.
    if (on.burl) out.line("BURL", authenticated_ || is_trusted() ? options_->burl : std::string_view{});
    if (on.xclient) out.line("XCLIENT", options_->xclient);
    if (on.xforward) out.line("XFORWARD", options_->xforward);
    if (on.limits) out.line("LIMITS", texts.limits);
    if (on.expn) out.line("EXPN");
    if (on.help) out.line("HELP");
    for (const custom_verb& v : options_->verbs) {
      if (v.advertise) out.line(v.name);
    }
    for (const std::string_view keyword : options_->keywords) out.line(keyword);
  }

  template <class Value, std::size_t Octets>
  static constexpr std::string_view written(const Value& value, std::array<char, Octets>& out) {
    return {out.data(), static_cast<std::size_t>(value.write(out.data()) - out.data())};
  }

  static constexpr std::string_view write_number(std::uint64_t value, std::array<char, 20>& out) {
    std::size_t at = out.size();
    do {
      out[--at] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value > 0);
    return {out.data() + at, out.size() - at};
  }

  /// The mechanisms that may be used now, separated by spaces, as many as fit in a reply line.
  constexpr std::string_view write_mechanisms(std::array<char, sizes::reply_line>& out) const {
    constexpr std::size_t around = 11;  // "250-AUTH " and CRLF
    std::size_t at = 0;
    for (const auth_mechanism& m : options_->mechanisms) {
      if (m.needs_tls && !may_show_secrets()) continue;
      if (at + 1 + m.name.size() + around > out.size()) break;
      if (at > 0) out[at++] = ' ';
      for (const char c : m.name) out[at++] = c;
    }
    return {out.data(), at};
  }

  constexpr bool may_show_secrets() const { return tls_ || options_->auth_without_tls; }

  // ---- Transactions ----------------------------------------------------------------------------------------------------------

  /// What a trusted peer says for somebody else is no more trusted than that one.
  constexpr bool is_trusted() const { return options_->trusted_network && !speaks_for_others_; }
  constexpr bool offers_smtputf8() const { return esmtp_ && options_->extensions.smtputf8; }
  /// RFC 8689 2: under TLS only.
  constexpr bool offers_require_tls() const { return tls_ && options_->extensions.require_tls; }

  constexpr offered_parameters offered() const {
    if (!esmtp_) return {};  // RFC 5321 4.1.1.2: parameters only where extensions are in use
    const extension_set& on = options_->extensions;
    return {.size = on.size,
            .eight_bit_mime = on.eight_bit_mime || on.binary_mime,  // either brings BODY (RFC 6152 2, RFC 3030 3)
            .binary_mime = on.binary_mime,
            .smtputf8 = on.smtputf8,
            .dsn = on.dsn,
            .auth = !options_->mechanisms.empty(),
            .require_tls = offers_require_tls(),
            .deliver_by = on.deliver_by,
            .future_release = on.future_release,
            .priority = on.priority,
            .rrvs = on.rrvs,
            .mtrk = on.mtrk,
            .no_soliciting = on.no_soliciting,
            .custom = options_->parameters};
  }

  /// The offset in the line of `part`, which is a part of the command's argument.
  static constexpr std::size_t offset_of(std::string_view part, const command_line& c) {
    return part.empty() ? c.argument_offset : c.argument_offset + static_cast<std::size_t>(part.data() - c.argument.data());
  }

  /// The first octet above 127 of an address for which SMTPUTF8 was not asked, if it has one. RFC 6531 3.4.
  static constexpr std::optional<error> find_utf8(std::string_view path, const command_line& c) {
    const std::size_t at = end_of_run<ascii::octet_class::range(0, 127)>(path);
    if (at == path.size()) return std::nullopt;
    return error{errc::utf8_not_allowed, offset_of(path, c) + at};
  }

  constexpr maybe_action handle_mail(const command_line& c) {
    const limits& most = options_->limits;
    const std::uint32_t mail_max = announced().mail_max;
    if ((most.transactions != 0 && transactions_ >= most.transactions) || (mail_max != 0 && mails_ > mail_max))
      return refuse({errc::too_many_transactions, 0}, c.name);
    const charset set = offers_smtputf8() ? charset::utf8 : charset::ascii;
    const auto mail = parse_mail(c.argument, set, options_->leniency);
    if (!mail) return refuse({mail.error().code, c.argument_offset + mail.error().offset}, c.name);
    if (const auto good = options_->strictness.check(mail->reverse_path); !good)
      return refuse({good.error().code, offset_of(mail->reverse_path.text(), c) + good.error().offset}, c.name);
    const mail_parameters& told = mail->parameters;
    const auto names = check_parameters(told.list(), offered(), custom_parameter::place::mail, set);
    if (!names) return refuse({names.error().code, offset_of(told.text(), c) + names.error().offset}, c.name);
    const bool utf8 = names->has(known_parameter::smtputf8);
    if (!utf8) {
      if (const auto octet = find_utf8(mail->reverse_path.text(), c)) return refuse(*octet, c.name);
    }
    if (const auto code = object_to_times(told, *names)) return refuse({*code, offset_of(told.text(), c)}, c.name);
    if (names->has(known_parameter::mtrk) && !names->has(known_parameter::envid))
      return refuse({errc::tracking_without_envid, offset_of(told.text(), c)}, c.name);
    if (most.message != 0 && names->has(known_parameter::size) && told.size().value_or(0) > most.message)
      return refuse({errc::size_over_limit, offset_of(told.text(), c)}, c.name);
    pending_smtputf8_ = utf8;
    pending_body_ = names->has(known_parameter::body) ? told.body() : body_type::seven_bit;
    // RFC 6710 4.1: only those who are trusted raise the priority of their messages.
    message_priority priority{};
    if (names->has(known_parameter::priority)) priority = told.priority().value_or(message_priority{});
    priority_lowered_ = priority.value > 0 && !authenticated_ && !is_trusted();
    if (priority_lowered_) priority = {};
    return mail_question{mail->reverse_path, told, ask(asked::mail), priority, forwarded_};
  }

  /// Which rule well-formed times break. RFC 2852 3, RFC 4865 4.2, 5.2.2.
  constexpr std::optional<errc> object_to_times(const mail_parameters& told, parameter_set names) const {
    const bool is_held = names.has(known_parameter::hold_for) || names.has(known_parameter::hold_until);
    if (!is_held && !names.has(known_parameter::by)) return std::nullopt;
    const auto by = told.by();
    if (by && by->mode == by_mode::return_message && static_cast<std::uint32_t>(by->seconds) < options_->deliver_by_minimum)
      return errc::by_below_minimum;
    const auto hold = told.hold();
    if (!hold) return std::nullopt;
    if (names.has(known_parameter::hold_for) && names.has(known_parameter::hold_until)) return errc::hold_repeated;
    if (!options_->holds.allow(*hold)) return errc::hold_over_maximum;
    const auto* const time = std::get_if<hold_for>(&*hold);
    if (by && time != nullptr && time->seconds > std::int64_t{by->seconds}) return errc::hold_after_deliver_by;
    return std::nullopt;
  }

  constexpr maybe_action handle_rcpt(const command_line& c) {
    const std::uint32_t rcpt_max = announced().rcpt_max;
    if (recipients_ >= options_->limits.recipients || (rcpt_max != 0 && rcpts_ > rcpt_max))
      return refuse({errc::too_many_recipients, 0}, c.name);
    const auto rcpt = parse_rcpt(c.argument, offers_smtputf8() ? charset::utf8 : charset::ascii, options_->leniency);
    if (!rcpt) return refuse({rcpt.error().code, c.argument_offset + rcpt.error().offset}, c.name);
    if (const auto good = options_->strictness.check(rcpt->forward_path); !good)
      return refuse({good.error().code, offset_of(rcpt->forward_path.text(), c) + good.error().offset}, c.name);
    const rcpt_parameters& told = rcpt->parameters;
    if (const auto good =
            check_parameters(told.list(), offered(), custom_parameter::place::rcpt, smtputf8_ ? charset::utf8 : charset::ascii);
        !good)
      return refuse({good.error().code, offset_of(told.text(), c) + good.error().offset}, c.name);
    if (!smtputf8_) {
      if (const auto octet = find_utf8(rcpt->forward_path.text(), c)) return refuse(*octet, c.name);
    }
    if (!takes_domain_of(rcpt->forward_path)) return refuse({errc::too_many_domains, 0}, c.name);
    return rcpt_question{rcpt->forward_path, told, ask(asked::rcpt)};
  }

  /// What LIMITS announces; nothing to a client that said HELO, or where it is not offered. RFC 9422.
  constexpr announced_limits announced() const {
    return esmtp_ && options_->extensions.limits ? options_->announced : announced_limits{};
  }

  /// RCPTDOMAINMAX (RFC 9422 4.3): domains are remembered by hash. Two with the same hash count as one.
  constexpr bool takes_domain_of(const forward_path& path) {
    const std::uint32_t most = announced().rcpt_domain_max;
    if (most == 0) return true;
    const auto mailbox = path.mailbox();
    if (!mailbox) return true;
    std::uint32_t hash = 2166136261U;
    for (const char c : mailbox->text().substr(mailbox->local_part().text().size())) {
      hash = (hash ^ static_cast<unsigned char>(ascii::to_lower(c))) * 16777619U;
    }
    const auto mark = static_cast<std::uint16_t>((hash ^ hash >> 16U) | 1U);  // 0 stands for none
    for (std::size_t i = 0; i < most; ++i) {
      if (domains_[i] == mark) return true;
      if (domains_[i] == 0) {
        domains_[i] = mark;
        return true;
      }
    }
    return false;
  }

  constexpr maybe_action handle_data() {
    if (body_ == body_type::binary) return refuse({errc::binary_needs_chunks, 0}, verb::data);
    return data_question{recipients_, false, ask(asked::data)};
  }

  constexpr maybe_action handle_rset() {
    if (in_transaction(state_)) drop_transaction(reset_cause::rset, state::ready);
    forwarded_ = false;
    return respond(replies::ok, false);
  }

  constexpr maybe_action handle_quit() {
    drop_transaction(reset_cause::quit, state_ == state::barred ? state::barred : state::greeted);
    write_closing(replies::service_closing);
    return std::nullopt;
  }

  /// DATA or the first chunk was accepted: mail data follow.
  constexpr result<void> open_data(const reply& r) {
    if (open_ == asked::data) {
      if (const auto written = write(r); !written) return written;
      flush_ = true;
      reader_ = {};
      mode_ = mode::mail_data;
    } else {
      state_ = state::chunk;
      mode_ = mode::chunk;
    }
    close_question();
    new_wait();
    return {};
  }

  // ---- Mail data -------------------------------------------------------------------------------------------------------------

  constexpr maybe_action read_mail_data(std::string_view& input) {
    if (asks_for_message_) return ask_message();
    for (;;) {
      const std::size_t before = input.size();
      const auto next = reader_.next(input, options_->bare_line_ends, options_->limits.message);
      taken_ += before - input.size();
      using kind = mail_data_reader::step::kind;
      switch (next.what) {
        case kind::octets:
          if (refusal_ == refusal::none) return mail_data{next.octets};
          break;
        case kind::need_more: return want_block();
        case kind::broken: refuse_message(next.reason.code, taken_ - next.reason.offset); return std::nullopt;
        case kind::end: return end_of_mail_data();
      }
    }
  }

  /// The session refuses the message; its octets are swallowed up to its true end.
  constexpr void refuse_message(errc code, std::uint64_t offset) {
    note(code, offset);
    if (refusal_ != refusal::none) return;
    refusal_ = refusal::rule;
    refusal_rule_ = code;
  }

  /// Each block of mail data is a wait of its own (RFC 5321 4.5.3.2.5).
  constexpr maybe_action want_block() {
    if (storage_.collected() == 0) new_wait();
    return want_more();
  }

  constexpr maybe_action end_of_mail_data() {
    new_wait();
    if (refusal_ == refusal::none) {
      if (options_->long_lines == text_policy::refuse && reader_.has_long_line()) {
        refuse_message(errc::text_line_too_long, taken_);
      } else if (options_->eight_bit_text == text_policy::refuse && has_unannounced_eight_bit()) {
        refuse_message(errc::eight_bit_text, taken_);
      }
    }
    if (refusal_ != refusal::none) {
      replies_left_ = is_lmtp() ? recipients_ : 1;
      return std::nullopt;
    }
    answered_recipients_ = 0;
    return ask_message();
  }

  constexpr bool has_unannounced_eight_bit() const { return reader_.has_eight_bit() && body_ == body_type::seven_bit; }

  constexpr maybe_action ask_message() {
    // There is room for the answer: nothing is collected amid mail data, a chunk begins with room, and replies of LMTP leave one
    // by one.
    assert(storage_.has_room(sizes::reply_line, options_->limits.output));
    asks_for_message_ = false;
    message_question out;
    out.recipient = answered_recipients_;
    out.recipients = recipients_;
    if (state_ == state::chunk) {
      out.size = chunk_octets_;
    } else {
      out.size = reader_.size();
      out.has_long_line = reader_.has_long_line();
      out.has_eight_bit = has_unannounced_eight_bit();
      out.has_bare_line_end = reader_.has_bare_line_end();
    }
    out.ticket = ask(asked::message);
    return out;
  }

  /// `reject` without an open question: the caller gives the message up.
  constexpr result<void> give_up_message(const reply& r) {
    const bool between_chunks = mode_ == mode::command && state_ == state::chunk;
    if (mode_ != mode::mail_data && mode_ != mode::chunk && !between_chunks) return error{errc::no_open_question};
    if (asks_for_message_) return error{errc::no_open_question};  // the message is complete: its next question is due
    if (!options_->any_reply_code && !may_answer(reply_row::message, r.code())) return error{errc::wrong_answer};
    if (r.code() == 421) return answer_421(r);
    if (refusal_ != refusal::none) return {};  // it was refused before
    refusal_code_ = static_cast<std::uint16_t>(r.code());
    refusal_enhanced_ = r.enhanced();
    refusal_ = refusal::code;
    if (!between_chunks) keep_words(r);  // between chunks a command line may need the place
    reader_.abandon();
    return {};
  }

  /// Keeps the caller's reply until the end of the message; without room for it, code and enhanced code go out with a default text.
  constexpr void keep_words(const reply& r) {
    storage_.clear_line();
    line_done_ = false;
    const std::size_t needed = written_size(r, enhanced());
    if (needed > longest_kept_reply || needed > Storage::longest_line()) return;
    std::array<char, longest_kept_reply> octets{};
    ehlo::write(r, enhanced(), octets.data());
    if (storage_.append_line({octets.data(), needed})) refusal_ = refusal::words;
  }

  /// Writes the reply to a refused message or chunk, in LMTP once for each recipient, as far as there is room.
  constexpr maybe_action repeat_refusal() {
    while (replies_left_ > 0) {
      if (!storage_.has_room(longest_kept_reply, options_->limits.output) && storage_.collected() > 0) return give();
      if (!write_refusal()) {
        run_out_of_memory();
        return std::nullopt;
      }
      --replies_left_;
    }
    const bool by_chunks = mode_ != mode::mail_data;
    mode_ = mode::command;
    refusal_ = refusal::none;
    if (!by_chunks) {
      drop_transaction(reset_cause::refused, state::ready);
    } else if (in_transaction(state_)) {
      drop_transaction(reset_cause::refused, state::spoilt);
    }
    return std::nullopt;
  }

  constexpr result<void> write_refusal() {
    if (refusal_ == refusal::words) {
      const std::string_view words = storage_.line();
      const auto place = place_for(words.size());
      if (!place) return place.error();
      std::copy(words.begin(), words.end(), *place);
      storage_.commit_output(words.size());
      return {};
    }
    if (refusal_ == refusal::code) {
      const auto r = reply::make(refusal_code_, refusal_enhanced_, "Message refused");
      return r ? write(*r) : result<void>{r.error()};
    }
    if (mode_ == mode::mail_data) return write(reply_for_mail_data(refusal_rule_));
    if (state_ == state::barred) return write(barred_reply());
    return write(reply_for(refusal_rule_, verb::bdat));
  }

  // ---- Chunks (RFC 3030) -----------------------------------------------------------------------------------------------------

  constexpr maybe_action handle_chunk(const command_line& c, std::string_view line) {
    if (line_too_long_) return refuse_unreadable_chunk({errc::line_too_long, 0});
    if (const auto octet = find_forbidden_octet(line)) return refuse_unreadable_chunk(*octet);
    const auto parsed = parse_bdat(c.argument);
    if (!parsed) return refuse_unreadable_chunk({parsed.error().code, c.argument_offset + parsed.error().offset});
    chunk_ = chunk_reader{parsed->command.size};
    chunk_is_last_ = parsed->command.last;
    if (const auto objection = object_to_chunk(*parsed, c)) {
      refuse_message(objection->code, line_start_ + objection->offset);
      mode_ = mode::swallow;
      return std::nullopt;
    }
    if (refusal_ != refusal::none) {  // the caller gave the message up between two chunks
      mode_ = mode::swallow;
      return std::nullopt;
    }
    if (state_ == state::rcpt) return data_question{recipients_, true, ask(asked::chunk)};
    mode_ = mode::chunk;
    return std::nullopt;
  }

  /// What is wrong with a chunk whose size can be read: its octets are swallowed.
  constexpr std::optional<error> object_to_chunk(const chunk_command& chunk, const command_line& c) const {
    if (state_ == state::barred) return error{errc::session_barred, 0};
    if (const auto policy = object_by_policy(verb::bdat)) return policy;
    if (!chunk.check) return error{chunk.check.error().code, c.argument_offset + chunk.check.error().offset};
    if (effect_of(state_, verb::bdat) == effect::refuse) return error{reason_of_order(verb::bdat), 0};
    const std::uint64_t most = options_->limits.message;
    if (most != 0 && (chunk.command.size > most || chunk_octets_ > most - chunk.command.size))
      return error{errc::message_too_large, c.argument_offset};
    return std::nullopt;
  }

  /// Nobody knows where the chunk ends: the session does. RFC 3030 2.
  constexpr maybe_action refuse_unreadable_chunk(error broken) {
    note(broken.code, line_start_ + broken.offset);
    const reply r = state_ == state::barred ? barred_reply() : reply_for(broken.code, verb::bdat);
    abort(reset_cause::closed);
    write_closing(r);
    return std::nullopt;
  }

  /// The caller refuses the first chunk: its octets are swallowed before the reply goes out.
  constexpr result<void> refuse_first_chunk(const reply& r) {
    if (r.code() == 421) return answer_421(r);
    close_question();
    refusal_code_ = static_cast<std::uint16_t>(r.code());
    refusal_enhanced_ = r.enhanced();
    refusal_ = refusal::code;
    keep_words(r);
    mode_ = mode::swallow;
    return {};
  }

  constexpr maybe_action read_chunk(std::string_view& input) {
    if (asks_for_message_) return ask_message();
    if (!storage_.has_room(sizes::reply_line, options_->limits.output)) return give();
    while (chunk_.left() > 0) {
      const std::string_view octets = chunk_.next(input);
      if (octets.empty()) return want_block();
      taken_ += octets.size();
      chunk_octets_ += octets.size();
      if (refusal_ == refusal::none) return mail_data{octets};
    }
    new_wait();
    if (refusal_ != refusal::none) return end_refused_chunk();
    if (!chunk_is_last_) {
      mode_ = mode::command;
      return respond(replies::chunk_ok, false);
    }
    answered_recipients_ = 0;
    return ask_message();
  }

  constexpr maybe_action swallow_chunk(std::string_view& input) {
    while (chunk_.left() > 0) {
      const std::string_view octets = chunk_.next(input);
      if (octets.empty()) return want_block();
      taken_ += octets.size();
    }
    new_wait();
    return end_refused_chunk();
  }

  constexpr maybe_action end_refused_chunk() {
    if (is_lmtp() && chunk_is_last_ && state_ == state::mail && refusal_ == refusal::rule &&
        refusal_rule_ == errc::recipient_required) {
      // RFC 2033 4.3: the last chunk has one reply for each accepted recipient, and there is none.
      drop_transaction(reset_cause::chunkless, state::ready);
      mode_ = mode::command;
      return std::nullopt;
    }
    mode_ = mode::swallow;
    if (refusal_ == refusal::rule && is_one_too_many(reply_for(refusal_rule_, verb::bdat))) return std::nullopt;
    replies_left_ = is_lmtp() && chunk_is_last_ && recipients_ > 0 ? recipients_ : 1;
    return std::nullopt;
  }

  // ---- BURL (RFC 4468) -------------------------------------------------------------------------------------------------------

  constexpr maybe_action handle_burl(const command_line& c) {
    const auto burl = parse_burl(c.argument);
    if (!burl) return refuse({burl.error().code, c.argument_offset + burl.error().offset}, c.name);
    chunk_is_last_ = burl->last;
    if (refusal_ != refusal::none) {  // the caller gave the message up between two chunks
      chunk_ = chunk_reader{0};
      mode_ = mode::swallow;
      return std::nullopt;
    }
    return burl_question{burl->url, burl->last, chunk_octets_, recipients_, ask(asked::burl)};
  }

  /// What the URL named is part of the message, which may be complete.
  constexpr result<void> accept_url(const reply& r) {
    if (const auto written = write(r); !written) return written;
    close_question();
    new_wait();
    flush_ = true;
    if (chunk_is_last_) {
      finish_transaction();
    } else {
      state_ = state::chunk;
    }
    return {};
  }

  /// RFC 4468 3.2: the whole transaction fails. Behind the last BURL a new one may begin, before it RSET is due.
  constexpr result<void> refuse_url(const reply& r) {
    const bool last = chunk_is_last_;
    if (const auto answered = answer(r); !answered) return answered;
    if (!is_ending()) drop_transaction(reset_cause::refused, last ? state::ready : state::spoilt);
    return {};
  }

  // ---- STARTTLS (RFC 3207) ---------------------------------------------------------------------------------------------------

  constexpr maybe_action handle_starttls(std::string_view input) {
    if (tls_) return refuse({errc::tls_active, 0}, verb::starttls);
    if (authenticated_) return refuse({errc::out_of_order, 0}, verb::starttls);
    if (!input.empty()) return refuse_leftover();
    return starttls_question{ask(asked::starttls)};
  }

  constexpr result<void> agree_to_tls() {
    close_question();
    mode_ = mode::tls_agreed;
    new_wait();
    return {};
  }

  constexpr maybe_action answer_starttls(std::string_view input) {
    if (!input.empty()) return refuse_leftover();
    mode_ = mode::handshake;
    return respond(replies::ready_to_start_tls);
  }

  constexpr maybe_action do_handshake(std::string_view input) {
    if (input.empty()) return start_tls{};
    note(errc::octets_before_tls, taken_);
    abort(reset_cause::closed);
    return std::nullopt;
  }

  /// Octets stand behind STARTTLS: somebody wants them to be taken for encrypted ones.
  constexpr maybe_action refuse_leftover() {
    note(errc::octets_before_tls, taken_);
    abort(reset_cause::closed);
    write_closing(replies::octets_before_tls);
    return std::nullopt;
  }

  // ---- AUTH (RFC 4954) -------------------------------------------------------------------------------------------------------

  constexpr maybe_action handle_auth(const command_line& c) {
    if (!esmtp_) return refuse({errc::out_of_order, 0}, c.name);
    if (authenticated_) return refuse({errc::authenticated_already, 0}, c.name);
    const auto auth = parse_auth(c.argument);
    if (!auth) return refuse({auth.error().code, c.argument_offset + auth.error().offset}, c.name);
    const auto found = std::find_if(options_->mechanisms.begin(), options_->mechanisms.end(), [&auth](const auth_mechanism& m) {
      return ascii::equal_ignoring_case(m.name, auth->mechanism);
    });
    if (found == options_->mechanisms.end()) return refuse({errc::mechanism_unknown, c.argument_offset}, c.name);
    if (found->needs_tls && !may_show_secrets()) return refuse({errc::mechanism_needs_tls, c.argument_offset}, c.name);
    mechanism_ = static_cast<std::uint8_t>(found - options_->mechanisms.begin());
    is_initial_ = true;
    if (!auth->initial_response) {
      if (found->first != first_message::client) return ask_auth(std::nullopt);
      if (!write_challenge({})) {
        run_out_of_memory();
        return std::nullopt;
      }
      await_response();
      return std::nullopt;
    }
    const std::string_view text = *auth->initial_response;
    if (found->first == first_message::server) return refuse({errc::initial_response_not_allowed, offset_of(text, c)}, c.name);
    const auto response = base64::parse(text == "=" ? std::string_view{} : text);
    if (!response) return refuse({response.error().code, offset_of(text, c) + response.error().offset}, c.name);
    return ask_auth(*response);
  }

  constexpr maybe_action ask_auth(std::optional<base64> response) {
    const bool initial = is_initial_;
    in_exchange_ = true;
    is_initial_ = false;
    return auth_question{options_->mechanisms[mechanism_].name, response, initial, ask(asked::auth)};
  }

  constexpr result<void> write_challenge(std::string_view octets) {
    constexpr std::string_view code = "334 ";
    const std::size_t count = code.size() + base64::encoded_size(octets.size()) + crlf.size();
    const auto place = place_for(count);
    if (!place) return place.error();
    char* out = std::copy(code.begin(), code.end(), *place);
    out = encode_base64(octets, out);
    std::copy(crlf.begin(), crlf.end(), out);
    storage_.commit_output(count);
    return {};
  }

  constexpr void await_response() {
    if (secret_) wipe_secret();
    mode_ = mode::auth_response;
    flush_ = true;
    new_wait();
  }

  constexpr maybe_action read_response(std::string_view& input) {
    if (shutdown_) {
      abort(reset_cause::closed);
      write_closing(replies::service_not_available);
      return std::nullopt;
    }
    const auto line = take_line(input);
    secret_ = true;
    if (!line) return is_ending() ? std::nullopt : want_more();
    new_wait();
    if (line_too_long_) return refuse_response({errc::line_too_long, 0}, exchange_end::malformed);
    if (*line == "*") return refuse_response({errc::authentication_cancelled, 0}, exchange_end::cancelled);
    const auto response = base64::parse(*line);
    if (!response) return refuse_response(response.error(), exchange_end::malformed);
    return ask_auth(*response);
  }

  constexpr maybe_action refuse_response(error broken, exchange_end cause) {
    end_exchange(cause);
    const auto out = refuse(broken, verb::auth);
    leave_exchange();
    return out;
  }

  constexpr void leave_exchange() {
    in_exchange_ = false;
    if (secret_) wipe_secret();
    if (mode_ == mode::auth_response) mode_ = mode::command;
    new_wait();
  }

  constexpr result<void> refuse_authentication(const reply& r) {
    if (r.code() >= 500) {
      const std::uint32_t most = options_->limits.authentication_failures;
      if (most != 0 && authentication_failures_ >= most) {
        close_question();
        leave_exchange();
        note(errc::too_many_errors, line_start_);
        abort(reset_cause::closed);
        write_closing(replies::too_many_authentications);
        return {};
      }
    }
    in_exchange_ = false;  // the caller ends it
    if (const auto answered = answer(r); !answered) {
      in_exchange_ = true;
      return answered;
    }
    if (r.code() >= 500) ++authentication_failures_;
    if (!is_ending()) leave_exchange();
    return {};
  }

  // ---- VRFY, EXPN, HELP, ETRN ----------------------------------------------------------------------------------------

  constexpr maybe_action handle_lookup(const command_line& c) {
    const auto lookup = parse_lookup(c.name, c.argument, offers_smtputf8() ? charset::utf8 : charset::ascii);
    if (!lookup) return refuse({lookup.error().code, c.argument_offset + lookup.error().offset}, c.name);
    if (options_->strictness.empty_local_part && lookup->mailbox && lookup->mailbox->local_part().value_size() == 0)
      return refuse({errc::empty_local_part, offset_of(lookup->mailbox->text(), c)}, c.name);
    pending_smtputf8_ = lookup->smtputf8;
    if (c.name == verb::expn) return expn_question{lookup->argument, lookup->mailbox, lookup->smtputf8, ask(asked::expn)};
    if (!options_->extensions.vrfy) return respond(replies::cannot_verify);
    return vrfy_question{lookup->argument, lookup->mailbox, lookup->smtputf8, ask(asked::vrfy)};
  }

  /// One line for each listing.
  constexpr result<void> answer_listings(int code, std::span<const listing> found) {
    if (open_ == asked::nothing) return error{errc::no_open_question};
    if (open_ != asked::expn && (open_ != asked::vrfy || found.empty() || (code == 250 && found.size() != 1)))
      return error{errc::wrong_answer};
    if (found.empty()) return answer(reply{250, {2, 0, 0}, "The list is empty"});
    const enhanced_status_code status = code == 250 ? enhanced_status_code{2, 1, 5} : enhanced_status_code{5, 1, 4};
    const std::string_view status_text = code == 250 ? "2.1.5 " : "5.1.4 ";
    const std::size_t before = enhanced() == enhanced_codes::write ? status_text.size() : 0;
    std::size_t count = 0;
    for (const listing& one : found) {
      const bool is_utf8 = !ascii::is_ascii(one.full_name) || !ascii::is_ascii(one.mailbox.text());
      if (is_utf8 && !pending_smtputf8_) return answer(replies::cannot_verify);
      if (const auto name = reply::make(code, status, one.full_name, pending_smtputf8_); !name) return name.error();
      const std::size_t size = 4 + before + one.full_name.size() + (one.full_name.empty() ? 0 : 1) + one.mailbox.text().size() + 4;
      if (size > sizes::reply_line) return error{errc::reply_too_long};
      count += size;
    }
    const auto place = place_for(count);
    if (!place) return place.error();
    char* out = *place;
    const auto put = [&out](std::string_view octets) { out = std::copy(octets.begin(), octets.end(), out); };
    for (std::size_t i = 0; i < found.size(); ++i) {
      put(code == 250 ? "250" : "553");
      put(i + 1 == found.size() ? " " : "-");
      put(status_text.substr(0, before));
      put(found[i].full_name);
      if (!found[i].full_name.empty()) put(" ");
      put("<");
      put(found[i].mailbox.text());
      put(">\r\n");
    }
    storage_.commit_output(count);
    close_question();
    new_wait();
    flush_ = true;
    return {};
  }

  /// 251 or 551 with the other path, or `fallback` where it may not be named.
  constexpr result<void> answer_path(int code, enhanced_status_code status, std::string_view text, const mailbox& there,
                                     const reply& fallback) {
    if (open_ == asked::nothing) return error{errc::no_open_question};
    if (open_ != asked::rcpt && open_ != asked::vrfy) return error{errc::wrong_answer};
    const bool utf8 = open_ == asked::rcpt ? smtputf8_ : pending_smtputf8_;
    if (!options_->disclose_forwarding || (!utf8 && !ascii::is_ascii(there.text())))
      return answer(open_ == asked::vrfy && code == 251 ? replies::cannot_verify : fallback);
    std::array<char, sizes::reply_line> words{};
    char* out = std::copy(text.begin(), text.end(), words.data());
    *out++ = '<';
    out = std::copy(there.text().begin(), there.text().end(), out);
    *out++ = '>';
    const auto r = reply::make(code, status, {words.data(), static_cast<std::size_t>(out - words.data())}, utf8);
    return r ? answer(*r) : result<void>{r.error()};
  }

  constexpr maybe_action handle_help(const command_line& c) {
    const auto help = parse_help(c.argument);
    if (!help) return refuse({help.error().code, c.argument_offset + help.error().offset}, c.name);
    has_topic_ = !help->topic.empty();
    pending_verb_ = verb_of(help->topic);
    return help_question{help->topic, ask(asked::help)};
  }

  constexpr result<void> answer_help() {
    if (!has_topic_) {
      if (options_->help.empty()) return answer(replies::help);
      const auto r = reply::make(214, {2, 0, 0}, options_->help);
      return r ? answer(*r) : result<void>{r.error()};
    }
    if (pending_verb_ == verb::unknown || !is_this_protocol(pending_verb_) || !is_implemented(pending_verb_))
      return answer(reply_for(errc::topic_unknown));
    const auto r = reply::make(214, {2, 0, 0}, syntax_of(pending_verb_));
    return r ? answer(*r) : result<void>{r.error()};
  }

  constexpr maybe_action handle_etrn(const command_line& c) {
    const auto etrn = parse_etrn(c.argument);
    if (!etrn) return refuse({etrn.error().code, c.argument_offset + etrn.error().offset}, c.name);
    return etrn_question{etrn->option, etrn->node, ask(asked::etrn)};
  }

  // ---- XCLIENT, XFORWARD -----------------------------------------------------------------------------------------------------

  constexpr maybe_action handle_xclient(const command_line& c) {
    const auto attributes = xclient_attributes::parse(c.argument, options_->xclient);
    if (!attributes) return refuse({attributes.error().code, c.argument_offset + attributes.error().offset}, c.name);
    const auto login = attributes->login();
    brings_login_ = login && login->value;
    return xclient_question{*attributes, ask(asked::xclient)};
  }

  /// The session as it was before its greeting, for another client. TLS stays, and what the channel has told.
  constexpr result<void> begin_anew() {
    close_question();
    drop_transaction(reset_cause::hello, state::greeted);
    speaks_for_others_ = true;
    authenticated_ = brings_login_;
    esmtp_ = early_ = false;
    domains_ = {};
    transactions_ = mails_ = rcpts_ = errors_ = authentication_failures_ = 0;
    barred_code_ = 503;
    mode_ = mode::greeting;
    new_wait();
    return {};
  }

  constexpr maybe_action handle_xforward(const command_line& c) {
    if (!esmtp_) return refuse({errc::out_of_order, 0}, c.name);
    const auto attributes = xforward_attributes::parse(c.argument, options_->xforward);
    if (!attributes) return refuse({attributes.error().code, c.argument_offset + attributes.error().offset}, c.name);
    return xforward_question{*attributes, !forwarded_, ask(asked::xforward)};
  }

  // ---- Custom commands -------------------------------------------------------------------------------------------------------

  constexpr std::optional<std::size_t> find_custom(std::string_view word) const {
    for (std::size_t i = 0; i < options_->verbs.size(); ++i) {
      if (ascii::equal_ignoring_case(options_->verbs[i].name, word)) return i;
    }
    return std::nullopt;
  }

  constexpr maybe_action ask_custom(std::size_t index, const command_line& c) {
    return custom_question{options_->verbs[index].name, c.argument, ask(asked::custom)};
  }

  // ---- State -----------------------------------------------------------------------------------------------------------------

  static constexpr bool is_fixed = Storage::longest_line() != static_cast<std::size_t>(-1);
  static constexpr std::size_t kept_of_long_line = 40;    ///< enough to tell the verb
  static constexpr std::size_t longest_around_hello = 7;  ///< "250-", a space and CRLF
  static constexpr std::size_t longest_kept_reply = sizes::reply_line;
  static constexpr auto command_octet = ascii::all - ascii::octet_class{std::string_view{"\r\n\0", 3}};
  static constexpr char tls_record = '\x16';  ///< a TLS handshake begins with it (RFC 8446 5.1)

  const server_options* options_;
  std::uint64_t taken_ = 0;       ///< octets taken from all inputs
  std::uint64_t line_start_ = 0;  ///< where the current line began, counted like `taken_`
  std::uint64_t violation_offset_ = 0;
  std::uint64_t chunk_octets_ = 0;  ///< octets of the message that came in chunks
  mail_data_reader reader_{};
  chunk_reader chunk_{};
  std::uint32_t ticket_ = 0;
  std::uint32_t wait_serial_ = 0;
  std::uint32_t recipients_ = 0;
  std::uint32_t answered_recipients_ = 0;  ///< LMTP: of this message
  std::uint32_t replies_left_ = 0;         ///< to a refused message
  std::uint32_t transactions_ = 0;
  std::uint32_t mails_ = 0;  ///< MAIL commands of the session
  std::uint32_t rcpts_ = 0;  ///< RCPT commands of the transaction
  std::uint32_t errors_ = 0;
  std::uint32_t authentication_failures_ = 0;
  std::array<std::uint16_t, server_options::most_domains> domains_{};  ///< of recipients, by hash; 0: none
  enhanced_status_code refusal_enhanced_{};
  std::uint16_t refusal_code_ = 0;
  std::uint16_t barred_code_ = 503;  ///< what commands get in `state::barred`
  mode mode_ = mode::greeting;
  state state_ = state::greeted;
  asked open_ = asked::nothing;
  refusal refusal_ = refusal::none;
  errc refusal_rule_{};
  errc violation_{};
  reset_cause reset_cause_{};
  exchange_end exchange_end_{};
  verb pending_verb_ = verb::unknown;  ///< of the hello or the topic in question
  body_type body_ = body_type::seven_bit;
  body_type pending_body_ = body_type::seven_bit;
  std::uint8_t mechanism_ = 0;  ///< index in the options
  bool has_violation_ : 1 = false;
  bool has_exchange_end_ : 1 = false;
  bool has_reset_ : 1 = false;
  bool flush_ : 1 = false;         ///< what is collected leaves before the next command is read
  bool greeting_due_ : 1 = false;  ///< what is collected is the greeting
  bool early_ : 1 = false;
  bool first_line_ : 1 = true;
  bool line_done_ : 1 = false;  ///< the kept line was handed out
  bool line_too_long_ : 1 = false;
  bool line_clean_ : 1 = false;  ///< the line handed out holds no octet that no command holds
  bool held_cr_ : 1 = false;     ///< the last octet of the kept part is CR
  bool amid_line_ : 1 = false;   ///< the last action was `receive`, with a part of a command line kept and nothing else due
  bool secret_ : 1 = false;      ///< the kept line may hold credentials
  bool tls_ : 1 = false;
  bool esmtp_ : 1 = false;
  bool authenticated_ : 1 = false;
  bool in_exchange_ : 1 = false;  ///< an `auth_question` was asked and its exchange has not ended
  bool is_initial_ : 1 = false;
  bool smtputf8_ : 1 = false;
  bool pending_smtputf8_ : 1 = false;
  bool chunk_is_last_ : 1 = false;
  bool priority_lowered_ : 1 = false;  ///< of the MAIL in question
  bool asks_for_message_ : 1 = false;  ///< a `message_question` is due
  bool has_topic_ : 1 = false;
  bool speaks_for_others_ : 1 = false;  ///< XCLIENT was accepted
  bool brings_login_ : 1 = false;       ///< of the XCLIENT in question
  bool forwarded_ : 1 = false;          ///< XFORWARD was accepted, and no transaction has ended since
  bool shutdown_ : 1 = false;
  bool end_of_input_ : 1 = false;
  Storage storage_{};
};

/// The session with storage that grows on demand.
using server_session = basic_server_session<growing_storage>;

/// The session with everything inside and no heap at all. The defaults hold the longest MAIL of all extensions but NO-SOLICITING
/// together.
template <std::size_t LineOctets = 1728, std::size_t OutputOctets = 1024>
using fixed_server_session = basic_server_session<fixed_storage<LineOctets, OutputOctets>>;

}  // namespace ehlo

#endif  // EHLO_SERVER_SESSION_HPP
