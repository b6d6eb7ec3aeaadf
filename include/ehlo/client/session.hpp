// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CLIENT_SESSION_HPP
#define EHLO_CLIENT_SESSION_HPP

/// @file
/// The client's end of a session, SMTP and LMTP: octets in, actions out. RFC 5321 3 and 4, 1870, 2033, 2034, 2920, 3030, 3207,
/// 3461, 4954, 6152, 6531, 8689, 9422.

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <ehlo/ascii.hpp>
#include <ehlo/capabilities.hpp>
#include <ehlo/client/actions.hpp>
#include <ehlo/client/options.hpp>
#include <ehlo/client/plan.hpp>
#include <ehlo/codec/command_parser.hpp>
#include <ehlo/codec/command_writer.hpp>
#include <ehlo/codec/mail_data_writer.hpp>
#include <ehlo/codec/message_traits.hpp>
#include <ehlo/codec/reply_parser.hpp>
#include <ehlo/command.hpp>
#include <ehlo/envelope.hpp>
#include <ehlo/grammar/base64.hpp>
#include <ehlo/protocol/effect_of_replies.hpp>
#include <ehlo/received_reply.hpp>
#include <ehlo/storage.hpp>

namespace ehlo {

/// Whether the server has shown, by its certificate, that it is the one that was looked for. RFC 3207 4.1, RFC 8689 4.2.1.
enum class server_identity : std::uint8_t { unverified, verified };

/// The client's end of one session. One law: do what the action says, then call `next` again.
///
/// It is told what to send (`begin_transaction`, `quit`, single commands) and does the rest: EHLO or HELO, STARTTLS, AUTH,
/// pipelining, DATA or BDAT, RSET after a failure, and it matches each reply to its command. A value: movable, and copyable at any
/// time (the views that it borrows stay the same). It opens nothing, reads no clock, throws nothing; `Storage` says where it keeps
/// what it must keep.
template <class Storage>
class basic_client_session {
 public:
  /// A session on a channel just opened. `options` outlive it; with options that do not pass `check` it says `close_channel`.
  constexpr explicit basic_client_session(const client_options& options) : options_{&options} {
    tls_ = options.tls == tls_policy::active;
    // Who opened a channel with TLS from its first octet has looked at the certificate before: see `identify`.
    if (!options.check()) ending_ = ending::closed;
  }

  /// Takes octets from the front of `input` and gives one action.
  ///
  /// The octets last given stay in place until the views of the action are done with: those of a notice and of `transmit` at the
  /// next call of `next`, those of a question when it is answered.
  constexpr client_action next(std::string_view& input) {
    drop_given();
    if (storage_.has_failed()) ending_ = ending::closed;
    for (;;) {
      if (has_failure_ || has_transaction_failure_) {
        if (const auto told = tell_failure()) return *told;
        continue;
      }
      if (open_ != asked::nothing || ending_ >= ending::last_words) return wait_or_end(input);
      if (storage_.collected() > 0) {
        if (!fresh_ || input.empty()) return give();
        // Octets that are there before the command was sent are no reply to it.
        forget_in_flight();
      }
      if (const auto action = step(input)) return *action;
    }
  }

  /// @name Requests
  /// What is to be done. All fail, and change nothing, with `errc::session_closed` (the session ends or was told to quit).
  /// @{

  /// Sends one message to the recipients of `mail`, when the session is ready, with as many transactions as that takes. The
  /// envelope is borrowed until each recipient has its result or `transaction_failed` has come. May be called at any time when no
  /// other transaction waits for its end; `traits` tells what is known of the message.
  ///
  /// Fails with `errc::session_busy`. What cannot go as asked is told by `transaction_failed` before an octet of it leaves.
  constexpr result<void> begin_transaction(envelope_view mail, const message_traits& traits = {}) {
    if (is_ending() || quit_) return error{errc::session_closed};
    if (phase_ != phase::none || has_transaction_failure_) return error{errc::session_busy};
    envelope_ = mail;
    has_size_ = traits.size.has_value();
    declared_size_ = traits.size.value_or(0);
    knows_body_ = traits.body.has_value();
    body_ = traits.body.value_or(body_type::seven_bit);
    utf8_header_ = traits.utf8_header;
    long_line_ = traits.long_line;
    bare_line_end_ = traits.bare_line_ends > 0;
    if (body_ != body_type::binary) declared_size_ += traits.bare_line_ends + (traits.open_line ? crlf.size() : 0U);
    phase_ = phase::waiting;
    return {};
  }

  /// Ends the session with QUIT when what was begun has ended. RFC 5321 4.1.1.10.
  constexpr result<void> quit() {
    if (is_ending()) return error{errc::session_closed};
    quit_ = true;
    return {};
  }

  /// Single commands, when the session is `idle`: their reply comes as `command_result`. They fail with `errc::not_ready` before
  /// that, `session_busy` while something else is under way, `argument_octet` or `line_too_long` for an argument that no command
  /// holds, and `out_of_memory`.
  constexpr result<void> noop() {
    return command(0, [](std::span<char> out) { return write(plain_command{verb::noop}, out); });
  }
  /// RSET. The session says it by itself when it has to.
  constexpr result<void> reset() {
    return command(0, [](std::span<char> out) { return write(plain_command{verb::rset}, out); });
  }
  /// VRFY: `argument` is a mailbox, an atom or a quoted string; SMTPUTF8 is added if it holds UTF-8 and the server offers it, else
  /// `errc::smtputf8_not_offered`. RFC 5321 3.5, RFC 6531 3.7.4.2.
  constexpr result<void> verify(std::string_view argument) { return look_up(verb::vrfy, argument); }
  /// EXPN, in the same way.
  constexpr result<void> expand(std::string_view argument) { return look_up(verb::expn, argument); }
  /// HELP, with or without a topic: an atom or quoted string. RFC 5321 4.1.1.8.
  constexpr result<void> help(std::string_view topic = {}) {
    if (const auto parsed = parse_help(topic); !parsed) return parsed.error();
    return command(topic.size(), [topic](std::span<char> out) { return write(help_command{topic}, out); });
  }
  /// ETRN: `node` is a domain, or one with @ or # before it. Fails with `errc::keyword_not_offered`. RFC 1985.
  constexpr result<void> etrn(std::string_view node) {
    if (const auto may = may_command(); !may) return may;
    if (!capabilities_.has(extension::etrn)) return error{errc::keyword_not_offered};
    const bool has_option = node.starts_with('@') || node.starts_with('#');
    if (const auto named = domain::parse(node.substr(has_option ? 1 : 0)); !named) return named.error();
    return command(node.size(), [node](std::span<char> out) { return command_writer{out}.put("ETRN ").put(node).finish(); });
  }
  /// XCLIENT: for whom the session speaks from now on; `attribute_writer` makes the attributes. After 220 all is as after the
  /// greeting: EHLO is said, and `ready` follows. Fails with `errc::keyword_not_offered`. XCLIENT_README of Postfix.
  constexpr result<void> xclient(const xclient_attributes& attributes) {
    if (const auto may = may_command(); !may) return may;
    if (!capabilities_.has(extension::xclient)) return error{errc::keyword_not_offered};
    const auto sent =
        command(attributes.text().size(), [&attributes](std::span<char> out) { return write(xclient_command{attributes}, out); });
    if (!sent) return sent;
    awaiting_ = awaited::xclient;
    const auto login = attributes.login();
    brings_login_ = login && login->value;
    return {};
  }
  /// XFORWARD: where the next message came from. Fails with `errc::keyword_not_offered`. XFORWARD_README of Postfix.
  constexpr result<void> xforward(const xforward_attributes& attributes) {
    if (const auto may = may_command(); !may) return may;
    if (!capabilities_.has(extension::xforward)) return error{errc::keyword_not_offered};
    return command(attributes.text().size(),
                   [&attributes](std::span<char> out) { return write(xforward_command{attributes}, out); });
  }
  /// A command that `ehlo` has not: its verb and argument without CRLF. Fails with `errc::argument_missing` without
  /// a verb, and with `errc::out_of_order` for one that `ehlo` knows, which would change what the session is at.
  constexpr result<void> raw(std::string_view line) {
    if (line.empty() || line.front() == ' ') return error{errc::argument_missing};
    if (verb_of(line.substr(0, line.find(' '))) != verb::unknown) return error{errc::out_of_order};
    return command(line.size(), [line](std::span<char> out) { return command_writer{out}.put(line).finish(); });
  }
  /// EHLO again, and `ready` after it. RFC 5321 4.1.4.
  constexpr result<void> hello() {
    if (const auto may = may_command(); !may) return may;
    stage_ = stage::hello;
    told_ready_ = false;
    return {};
  }
  /// AUTH again, after an exchange that failed and with `auth_required` off. Fails with `errc::authenticated_already`, or
  /// `no_common_mechanism` if the options have none. RFC 4954 4.
  constexpr result<void> authenticate() {
    if (const auto may = may_command(); !may) return may;
    if (authenticated_) return error{errc::authenticated_already};
    if (options_->mechanisms.empty()) return error{errc::no_common_mechanism};
    stage_ = stage::auth;
    return {};
  }
  /// @}

  /// @name Answers
  /// Each answers the open question, and the form with a ticket answers only the question that the ticket names. The octets given
  /// are borrowed: they stay in place until the next question or notice.
  ///
  /// All fail, and change nothing, with `errc::no_open_question`, `stale_answer` (another ticket), or `wrong_answer` (for the other
  /// question).
  /// @{

  /// The next octets of the message. With BDAT each call makes a chunk: give many octets at a time.
  constexpr result<void> data(std::string_view octets) { return answer_mail_data(octets, false); }
  constexpr result<void> data(ticket t, std::string_view octets) { return named(t) ? data(octets) : stale(); }

  /// The last octets of the message, if there are any, and its end.
  constexpr result<void> end_of_mail_data(std::string_view octets = {}) { return answer_mail_data(octets, true); }
  constexpr result<void> end_of_mail_data(ticket t, std::string_view octets = {}) {
    return named(t) ? end_of_mail_data(octets) : stale();
  }

  /// Gives the message up: `transaction_failed` comes with `errc::message_abandoned`. In the middle of DATA the session ends
  /// without the lone dot, for nothing else keeps the server from taking what it has (RFC 5321 4.1.1.10); with BDAT it goes on with
  /// RSET.
  constexpr result<void> abandon() {
    if (open_ != asked::mail_data) return error{open_ == asked::nothing ? errc::no_open_question : errc::wrong_answer};
    open_ = asked::nothing;
    if (plan_.chunked) {
      give_up_transaction(errc::message_abandoned);
    } else {
      fail_later(errc::message_abandoned);
    }
    return {};
  }
  constexpr result<void> abandon(ticket t) { return named(t) ? abandon() : stale(); }

  /// The mechanism's octets, before base64; an initial response that does not fit waits for the server's empty challenge. Fails
  /// with `errc::line_too_long` for a response over 12288 octets in base64, the question stays open then; `out_of_memory` ends the
  /// session.
  constexpr result<void> respond(std::string_view octets, exchange how = exchange::complete) {
    if (open_ != asked::credentials) return error{open_ == asked::nothing ? errc::no_open_question : errc::wrong_answer};
    if (base64::encoded_size(octets.size()) + crlf.size() > sizes::auth_line) return error{errc::line_too_long, sizes::auth_line};
    open_ = asked::nothing;
    complete_ = how == exchange::complete;
    if (auth_sent_) return send_response(octets);
    return send_auth(octets);
  }
  constexpr result<void> respond(ticket t, std::string_view octets, exchange how = exchange::complete) {
    return named(t) ? respond(octets, how) : stale();
  }

  /// No credentials: AUTH is not sent, or the exchange is cancelled with "*". RFC 4954 4.
  constexpr result<void> decline() {
    if (open_ != asked::credentials) return error{open_ == asked::nothing ? errc::no_open_question : errc::wrong_answer};
    open_ = asked::nothing;
    if (auth_sent_) return cancel();
    stage_ = stage::ready;
    if (options_->auth_required) fail_later(errc::authentication_cancelled);
    return {};
  }
  constexpr result<void> decline(ticket t) { return named(t) ? decline() : stale(); }

  /// The careful answer to any question: no credentials, and the message is abandoned.
  constexpr result<void> answer_default() { return open_ == asked::credentials ? decline() : abandon(); }
  constexpr result<void> answer_default(ticket t) { return named(t) ? answer_default() : stale(); }
  /// @}

  /// @name The world
  /// What happens outside. Each is taken note of at once and acted on by the next call of `next`, even after `receive`.
  /// @{

  /// The handshake that `start_tls` asked for has succeeded: everything learned before it is forgotten (RFC 3207 4.2). With
  /// `tls_strength::insufficient` the session ends with QUIT (4.1). Fails with `errc::tls_not_pending`.
  constexpr result<void> tls_started(server_identity who = server_identity::unverified,
                                     tls_strength strength = tls_strength::sufficient) {
    if (!handshake_) return error{errc::tls_not_pending};
    const basic_client_session before = std::move(*this);
    basic_client_session fresh{*before.options_};
    fresh.ticket_ = before.ticket_;
    fresh.wait_serial_ = before.wait_serial_;
    fresh.taken_ = before.taken_;
    fresh.tls_ = true;
    fresh.tls_verified_ = who == server_identity::verified;
    fresh.awaiting_ = awaited::nothing;
    fresh.stage_ = stage::hello;
    // What the caller asked for, and its news of the channel.
    fresh.take_request(before);
    fresh.quit_ = before.quit_;
    fresh.end_of_input_ = before.end_of_input_;
    *this = std::move(fresh);
    if (strength == tls_strength::insufficient) fail_later(errc::tls_too_weak);
    new_wait();
    return {};
  }

  /// The handshake has failed: the session ends (RFC 3207 4). Fails with `errc::tls_not_pending`.
  constexpr result<void> tls_failed() {
    if (!handshake_) return error{errc::tls_not_pending};
    fail_later(errc::tls_handshake);
    return {};
  }

  /// For a channel that had TLS before its first octet (`tls_policy::active`): whether the server was verified.
  constexpr void identify(server_identity who) { tls_verified_ = tls_ && who == server_identity::verified; }

  /// What `timeout()` names did not come in time: the session ends. Fails with `errc::wrong_answer` while nothing is waited for.
  constexpr result<void> timed_out() {
    if (timeout().what == waiting_for::nothing) return error{errc::wrong_answer};
    fail_later(errc::reply_timeout);
    return {};
  }

  /// The server will send no more: what is due from it will not come. RFC 5321 3.8.
  constexpr void end_of_input() { end_of_input_ = true; }

  /// The channel is broken both ways: nothing more is sent, outstanding notices come, then `close_channel`.
  constexpr void disconnected() {
    if (is_closing()) {
      discard_output();
      ending_ = ending::closed;
      return;
    }
    end_of_input_ = true;
    fail_later(errc::connection_lost);
  }

  /// Gives back heap memory that holds nothing.
  constexpr void trim() { storage_.trim(); }
  /// @}

  /// @name What the session knows
  /// @{

  /// What is waited for, how long at most, and the serial of this wait: one for each command and each piece of mail data. RFC 5321
  /// 4.5.3.2. Nothing while a question is open and while the session is idle.
  constexpr wait timeout() const {
    const client_timeouts& most = options_->timeouts;
    const auto after = [this](waiting_for what, std::uint32_t seconds) { return wait{what, seconds, wait_serial_}; };
    if (open_ != asked::nothing || is_closing() || has_failure_) return after(waiting_for::nothing, 0);
    if (handshake_) return after(waiting_for::handshake, most.handshake);
    if (phase_ == phase::sending) return after(waiting_for::data_block, most.data_block);
    switch (awaiting_) {
      case awaited::nothing:
        // The rest of a reply that nothing asked for: whoever sends half of one must not hold the session for ever.
        return parser_.is_amid() ? after(waiting_for::reply, most.command) : after(waiting_for::nothing, 0);
      case awaited::greeting: return after(waiting_for::greeting, most.greeting);
      case awaited::message:
      case awaited::chunk: return after(waiting_for::reply, most.message);
      case awaited::batch:
        if (batch_reset_) return after(waiting_for::reply, most.command);
        if (batch_mail_) return after(waiting_for::reply, most.mail);
        if (batch_rcpts_ > 0) return after(waiting_for::reply, most.rcpt);
        return after(waiting_for::reply, most.data);
      default: return after(waiting_for::reply, most.command);
    }
  }
  /// What the server offers, as of the last EHLO.
  constexpr const ehlo::capabilities& capabilities() const { return capabilities_; }
  /// What `plan_transaction` wants to know.
  constexpr sending_conditions conditions() const { return {capabilities_, offered_keywords_, tls_, tls_verified_}; }
  constexpr bool is_lmtp() const { return options_->protocol == protocol::lmtp; }
  constexpr bool is_tls_active() const { return tls_; }
  constexpr bool is_authenticated() const { return authenticated_; }
  constexpr bool is_esmtp() const { return esmtp_; }  ///< EHLO or LHLO was accepted, not HELO
  constexpr ticket open_question() const { return {open_ == asked::nothing ? 0 : ticket_}; }
  constexpr std::uint64_t octets_taken() const { return taken_; }  ///< from all inputs, since the session began
  constexpr bool is_closed() const { return ending_ == ending::closed; }
  constexpr const client_options& options() const { return *options_; }
  /// @}

 private:
  /// Which reply comes next.
  enum class awaited : std::uint8_t {
    nothing,   ///< none: whatever comes is unsolicited
    greeting,  ///< the server speaks first
    ehlo,      ///< that of EHLO or LHLO
    helo,
    starttls,
    auth,     ///< that of AUTH or of a response
    batch,    ///< those of RSET, MAIL, RCPT..., DATA, as far as they were sent, in this order
    chunk,    ///< those of chunks that are not the last
    message,  ///< that, or in LMTP those, of the end of mail data; behind those of chunks
    command,  ///< that of a single command
    xclient,
    quit,
  };

  /// What is to be done when no reply is due.
  enum class stage : std::uint8_t { greeting, hello, tls, auth, ready };

  /// How far the transaction is.
  enum class phase : std::uint8_t {
    none,
    waiting,   ///< asked for by the caller, not planned yet
    commands,  ///< MAIL, RCPT and DATA are sent and answered
    data,      ///< octets of the message are wanted
    sending,   ///< octets of the message are sent
    sent,      ///< all octets were sent
  };

  enum class asked : std::uint8_t { nothing, credentials, mail_data };

  enum class ending : std::uint8_t {
    no,
    polite,      ///< QUIT is due, and its reply
    last_words,  ///< what is collected goes out, and that was it
    closed,
  };

  using maybe_action = std::optional<client_action>;

  // ---- Actions ---------------------------------------------------------------------------------------------------------------

  /// A failure that a call from outside has made.
  [[gnu::noinline]] constexpr maybe_action tell_failure() {
    if (has_failure_) return fail(failure_);
    has_transaction_failure_ = false;
    const bool is_transient = transient_reply_;
    transient_reply_ = false;
    return transaction_failed{transaction_failure_, delivery_, std::nullopt, is_transient};
  }

  /// `next` while a question is open, or at the end of the session.
  [[gnu::noinline]] constexpr client_action wait_or_end(std::string_view input) {
    if (ending_ == ending::closed) return close_channel{};
    if (storage_.collected() > 0 && (open_ != asked::nothing || !fresh_ || input.empty())) return give();
    if (open_ != asked::nothing) return answer_due{ticket{ticket_}};
    forget_in_flight();
    ending_ = ending::closed;
    return close_channel{};
  }

  // ---- Output ----------------------------------------------------------------------------------------------------------------

  constexpr client_action give() {
    fresh_ = false;
    new_wait();
    return transmit{storage_.give_output()};
  }
  constexpr void drop_given() {
    if (secret_ && storage_.collected() == 0) {
      storage_.wipe_given();
      secret_ = false;
    }
    storage_.drop_given();
  }

  /// What was not given is not sent; credentials among it are overwritten.
  constexpr void discard_output() {
    if (secret_) (void)storage_.give_output();
    drop_given();
    storage_.clear_output();
  }

  /// Writes one line by `write(span)`, at most `most` octets.
  template <class Write>
  constexpr result<void> put_line(std::size_t most, Write write_line_to) {
    char* const place = storage_.reserve_output(most);
    if (place == nullptr) return error{errc::out_of_memory};
    const result<std::size_t> size = write_line_to(std::span<char>{place, most});
    if (!size) return size.error();
    if (awaiting_ == awaited::nothing) fresh_ = true;
    storage_.commit_output(*size);
    return {};
  }
  /// Writes a command without arguments, and waits for its reply.
  constexpr void send(verb name, awaited reply) {
    if (!put_line(16, [name](std::span<char> out) { return write(plain_command{name}, out); }))
      return fail_later(errc::out_of_memory);
    awaiting_ = reply;
  }

  // ---- Requests --------------------------------------------------------------------------------------------------------------

  constexpr bool is_ending() const { return ending_ != ending::no || has_failure_; }
  constexpr bool is_closing() const { return ending_ == ending::closed || ending_ == ending::last_words; }

  constexpr result<void> may_command() const {
    if (is_ending() || quit_) return error{errc::session_closed};
    if (stage_ != stage::ready || !told_ready_) return error{errc::not_ready};
    if (phase_ != phase::none || awaiting_ != awaited::nothing || open_ != asked::nothing || has_transaction_failure_)
      return error{errc::session_busy};
    return {};
  }
  /// Sends a single command with an argument of so many octets.
  template <class Write>
  constexpr result<void> command(std::size_t argument, Write write_line_to) {
    if (const auto may = may_command(); !may) return may;
    if (argument + longest_word > sizes::command_line) return error{errc::line_too_long, sizes::command_line};
    if (const auto put = put_line(argument + longest_word, write_line_to); !put) return put;
    awaiting_ = awaited::command;
    return {};
  }
  constexpr result<void> look_up(verb name, std::string_view argument) {
    if (const auto may = may_command(); !may) return may;
    const bool utf8 = !ascii::is_ascii(argument);
    if (utf8 && !capabilities_.has(extension::smtputf8)) return error{errc::smtputf8_not_offered};
    const charset set = utf8 ? charset::utf8 : charset::ascii;
    if (!mailbox::parse(argument, set)) {
      const auto text = grammar::match([](cursor& in, charset c) { return grammar::string(in, c); }, argument, set);
      if (!text) return text.error();
    }
    return command(argument.size(), [&](std::span<char> out) {
      return write(lookup_command{name, argument, std::nullopt, utf8}, out);
    });
  }
  /// After TLS: the transaction that waits, as the caller gave it.
  constexpr void take_request(const basic_client_session& from) {
    envelope_ = from.envelope_;
    declared_size_ = from.declared_size_;
    has_size_ = from.has_size_;
    knows_body_ = from.knows_body_;
    body_ = from.body_;
    utf8_header_ = from.utf8_header_;
    long_line_ = from.long_line_;
    bare_line_end_ = from.bare_line_end_;
    phase_ = from.phase_;
  }

  // ---- Questions -------------------------------------------------------------------------------------------------------------

  constexpr ticket ask(asked what) {
    open_ = what;
    ++ticket_;
    if (ticket_ == 0) ticket_ = 1;
    return {ticket_};
  }
  constexpr bool named(ticket t) const { return open_ != asked::nothing && t.serial == ticket_; }
  constexpr result<void> stale() const { return error{open_ == asked::nothing ? errc::no_open_question : errc::stale_answer}; }

  // ---- Failures --------------------------------------------------------------------------------------------------------------

  /// The session fails at the next call of `next`.
  constexpr void fail_later(errc code) {
    if (has_failure_ || is_closing()) return;
    has_failure_ = true;
    failure_ = code;
    open_ = asked::nothing;
  }

  /// What ends the session without a word: the server would not hear it, or would take it for something else.
  constexpr bool is_speechless(errc code) const {
    if (end_of_input_ || handshake_ || stage_ == stage::greeting) return true;
    if (code == errc::service_closing || code == errc::octets_before_tls || code == errc::out_of_memory) return true;
    if (auth_sent_ || awaiting_ == awaited::auth || awaiting_ == awaited::starttls) return true;
    // Behind a whole chunk the server waits for a command.
    return (awaiting_ == awaited::batch && batch_data_) || (phase_ == phase::data && !plan_.chunked) || phase_ == phase::sending;
  }
  /// After these the server is in step with us and waits for a command.
  static constexpr bool is_polite(errc code) {
    switch (code) {
      case errc::greeting_refused:
      case errc::hello_refused:
      case errc::tls_not_offered:
      case errc::tls_refused:
      case errc::tls_too_weak:
      case errc::no_common_mechanism:
      case errc::authentication_failed:
      case errc::authentication_cancelled: return true;
      default: return false;
    }
  }

  /// The session has failed: QUIT and its reply after a polite refusal; after anything else QUIT without waiting, or nothing.
  ///
  /// What goes wrong behind QUIT is nobody's concern: the session ends without a word.
  constexpr maybe_action fail(errc code, std::optional<received_reply> about = std::nullopt, std::uint64_t offset = 0) {
    has_failure_ = false;
    if (ending_ != ending::no || awaiting_ == awaited::quit) {
      discard_output();
      ending_ = ending::closed;
      return std::nullopt;
    }
    const bool polite = is_polite(code) && !handshake_ && !end_of_input_;
    const bool speechless = !polite && is_speechless(code);
    if (about) transient_reply_ = about->is_transient();
    give_up_transaction(code);
    draining_ = false;
    forget_in_flight();
    open_ = asked::nothing;
    ending_ = polite ? ending::polite : ending::last_words;
    if (!polite && !speechless) {
      // There is room for it: the output is empty.
      (void)put_line(8, [](std::span<char> out) { return write(plain_command{verb::quit}, out); });
      fresh_ = false;
    }
    handshake_ = false;
    return failed{code, about, offset};
  }

  constexpr void forget_in_flight() {
    discard_output();
    awaiting_ = awaited::nothing;
    batch_reset_ = batch_mail_ = batch_data_ = false;
    batch_rcpts_ = 0;
    chunks_in_flight_ = 0;
    fresh_ = false;
  }

  /// The transaction, if there is one, fails: the caller hears of it at the next call of `next`.
  constexpr void give_up_transaction(errc code) {
    if (phase_ == phase::none) return;
    has_transaction_failure_ = true;
    transaction_failure_ = code;
    end_transaction();
  }
  /// The transaction fails with the reply that says why.
  constexpr maybe_action fail_transaction(errc code, std::optional<received_reply> about = std::nullopt) {
    end_transaction();
    return transaction_failed{code, delivery_, about, false};
  }
  /// Nothing of the transaction goes on, but for replies that are still due.
  constexpr void end_transaction() {
    delivery_ = phase_ == phase::sent || was_last_chunk_given() ? delivery::unknown : delivery::not_accepted;
    if (phase_ != phase::waiting && mail_sent_) reset_needed_ = true;
    draining_ = awaiting_ != awaited::nothing;
    phase_ = phase::none;
    octets_ = {};
  }

  /// All octets of the last chunk were given, and no call of `next` has followed yet.
  constexpr bool was_last_chunk_given() const {
    if (phase_ != phase::sending || !plan_.chunked || !is_last_ || chunk_due_ || !octets_.empty()) return false;
    return mail_data_writer{writer_}.end(writing_rules()).what != mail_data_writer::step::kind::octets;
  }

  // ---- Steps -----------------------------------------------------------------------------------------------------------------

  constexpr void new_wait() { ++wait_serial_; }

  /// One step of the session: an action, or none when the loop of `next` is to look again.
  [[gnu::always_inline]] constexpr maybe_action step(std::string_view& input) {
    if (handshake_) {
      if (!input.empty()) return fail(errc::octets_before_tls, std::nullopt, taken_);
      return start_tls{};
    }
    if (phase_ == phase::sending) return plan_.chunked ? send_chunk(input) : send_mail_data(input);
    if (awaiting_ == awaited::chunk && phase_ == phase::data && input.empty() && !parser_.is_amid() && may_send_more_chunks())
      return ask_mail_data();
    if (awaiting_ != awaited::nothing || !input.empty() || parser_.is_amid()) return read_reply(input);
    return proceed();
  }

  /// Reads on in the reply that is due, or in one that is not.
  constexpr maybe_action read_reply(std::string_view& input) {
    if (line_done_) {
      storage_.clear_line();
      line_done_ = false;
    }
    reply_limits most = options_->limits.reply;
    if constexpr (is_fixed) most.octets = static_cast<std::uint32_t>(std::min<std::size_t>(most.octets, Storage::longest_line()));
    if (!parser_.is_amid()) reply_start_ = taken_;
    const auto found = parser_.next(input, most);
    if (found.what == reply_parser::step::kind::broken)
      return fail(found.reason.code, std::nullopt, reply_start_ + found.reason.offset);
    std::string_view octets = input.substr(0, found.taken);
    const bool is_complete = found.what == reply_parser::step::kind::complete;
    if (!is_complete || !storage_.line().empty()) {
      if (!storage_.append_line(octets)) return fail(errc::out_of_memory);
      octets = storage_.line();
    }
    input.remove_prefix(found.taken);
    taken_ += found.taken;
    if (!is_complete) return want_more();
    line_done_ = true;
    new_wait();
    // RFC 2034 4: no enhanced status code stands in the greeting and in the reply to EHLO and HELO.
    const bool may_be_enhanced = awaiting_ != awaited::greeting && awaiting_ != awaited::ehlo && awaiting_ != awaited::helo;
    return take_reply(parser_.reply(octets, may_be_enhanced && capabilities_.has(extension::enhanced_status_codes)), input);
  }

  constexpr maybe_action want_more() {
    if (!end_of_input_) return receive{};
    if (awaiting_ == awaited::quit) {
      ending_ = ending::closed;
      return std::nullopt;
    }
    return fail(errc::connection_lost);
  }

  constexpr maybe_action take_reply(const received_reply& r, std::string_view input) {
    if (r.code() == 421 && awaiting_ != awaited::quit) {
      if (awaiting_ == awaited::message && !is_lmtp()) phase_ = phase_ == phase::sent ? phase::commands : phase_;  // not accepted
      return fail(errc::service_closing, r);
    }
    if (awaiting_ != awaited::nothing && effect_of_reply(row_awaited(), r.code()) == reply_effect::broken)
      return fail(errc::unexpected_reply, r);
    switch (awaiting_) {
      case awaited::nothing: fail_later(errc::unsolicited_reply); return unsolicited{r};
      case awaited::greeting: return take_greeting(r);
      case awaited::ehlo:
      case awaited::helo: return take_hello(r);
      case awaited::starttls: return take_starttls(r, input);
      case awaited::auth: return take_auth(r);
      case awaited::batch: return take_batch(r);
      case awaited::chunk: return take_chunk(r);
      case awaited::message: return chunks_in_flight_ > 0 ? take_chunk(r) : take_message(r);
      case awaited::command: awaiting_ = awaited::nothing; return command_result{r};
      case awaited::xclient: return take_xclient(r);
      case awaited::quit: ending_ = ending::closed; return std::nullopt;
    }
    return std::nullopt;
  }

  /// What the next reply answers: its row in the table of effects.
  constexpr reply_row row_awaited() const {
    switch (awaiting_) {
      case awaited::greeting: return reply_row::connection;
      case awaited::ehlo:
      case awaited::helo: return reply_row::hello;
      case awaited::starttls: return reply_row::starttls;
      case awaited::auth: return reply_row::auth;
      case awaited::batch:
        if (batch_reset_) return reply_row::rset;
        if (batch_mail_) return reply_row::mail;
        return batch_rcpts_ > 0 ? reply_row::rcpt : reply_row::data;
      case awaited::chunk: return reply_row::chunk;
      case awaited::message: return chunks_in_flight_ > 0 ? reply_row::chunk : reply_row::message;
      case awaited::quit: return reply_row::quit;
      case awaited::xclient: return reply_row::xclient;
      case awaited::nothing:
      case awaited::command: break;
    }
    return reply_row::custom;
  }

  /// No reply is due, and no octet has come: what is next?
  constexpr maybe_action proceed() {
    if (ending_ == ending::polite) {
      send(verb::quit, awaited::quit);
      return std::nullopt;
    }
    if (stage_ != stage::ready && quit_ && phase_ == phase::none) {
      send(verb::quit, awaited::quit);
      return std::nullopt;
    }
    switch (stage_) {
      case stage::greeting: break;
      case stage::hello: send_hello(is_lmtp() ? verb::lhlo : verb::ehlo, awaited::ehlo); return std::nullopt;
      case stage::tls: return begin_tls();
      case stage::auth: return begin_auth();
      case stage::ready: return proceed_ready();
    }
    return std::nullopt;
  }

  constexpr maybe_action proceed_ready() {
    if (!told_ready_) {
      told_ready_ = true;
      return ready{capabilities_};
    }
    if (phase_ == phase::waiting) return start_transaction();
    if (phase_ == phase::commands) return send_batch();
    if (phase_ == phase::data) return ask_mail_data();
    if (quit_) {
      send(verb::quit, awaited::quit);
      return std::nullopt;
    }
    if (reset_needed_) {
      send(verb::rset, awaited::batch);
      batch_reset_ = true;
      return std::nullopt;
    }
    if (end_of_input_) return fail(errc::connection_lost);
    return idle{};
  }

  // ---- Greeting, hello, TLS ----------------------------------------------------------------------------------------------------

  constexpr maybe_action take_greeting(const received_reply& r) {
    awaiting_ = awaited::nothing;
    stage_ = stage::hello;
    if (!r.is_positive()) return fail(errc::greeting_refused, r);
    return greeting_result{r};
  }

  /// RFC 5321 3.1 once more: the greeting of another session on this channel.
  constexpr maybe_action take_xclient(const received_reply& r) {
    awaiting_ = awaited::nothing;
    if (r.is_positive()) {
      stage_ = stage::hello;
      told_ready_ = false;
      authenticated_ = brings_login_;
    }
    return command_result{r};
  }

  constexpr void send_hello(verb name, awaited reply) {
    // The name was checked with the options.
    const auto put = put_line(options_->hostname.size() + longest_word, [&](std::span<char> out) {
      return command_writer{out}.put(text_of(name)).put(" ").put(options_->hostname).finish();
    });
    if (!put) return fail_later(put.error().code);
    awaiting_ = reply;
  }

  constexpr maybe_action take_hello(const received_reply& r) {
    const bool was_helo = awaiting_ == awaited::helo;
    awaiting_ = awaited::nothing;
    capabilities_ = {};
    offered_mechanisms_ = offered_keywords_ = 0;
    if (!r.is_positive()) {
      if (!was_helo && may_fall_back(r.code())) {
        send_hello(verb::helo, awaited::helo);
        return std::nullopt;
      }
      return fail(errc::hello_refused, r);
    }
    esmtp_ = !was_helo;
    if (esmtp_) learn(r);
    stage_ = stage::tls;
    return hello_result{r, capabilities_, esmtp_};
  }

  /// RFC 5321 3.2, 4.1.4: HELO for a server that does not know EHLO; never where that would lose TLS or AUTH.
  constexpr bool may_fall_back(int code) const {
    if (!options_->helo_fallback || is_lmtp() || options_->tls == tls_policy::required) return false;
    if (!options_->mechanisms.empty() && options_->auth_required) return false;
    if (code == 500 || code == 502 || code == 504) return true;
    return options_->helo_after_501_and_550 && (code == 501 || code == 550);
  }

  /// What the EHLO reply offers: nothing of an earlier one counts any more.
  constexpr void learn(const received_reply& r) {
    capabilities_ = ehlo::capabilities::parse(r);
    if (options_->keywords.empty() && options_->mechanisms.empty()) return;
    for_each_keyword(r, [this](const keyword_line& line) {
      for (std::size_t i = 0; i < options_->keywords.size(); ++i) {
        if (ascii::equal_ignoring_case(line.keyword, options_->keywords[i])) offered_keywords_ |= bit(i);
      }
      if (!ascii::equal_ignoring_case(line.keyword, "AUTH")) return;
      for_each_word(line.parameters, [this](std::string_view word) {
        for (std::size_t i = 0; i < options_->mechanisms.size(); ++i) {
          if (ascii::equal_ignoring_case(word, options_->mechanisms[i].name)) offered_mechanisms_ |= bit(i);
        }
      });
    });
  }
  static constexpr std::uint16_t bit(std::size_t index) { return static_cast<std::uint16_t>(1U << index); }

  constexpr maybe_action begin_tls() {
    stage_ = stage::auth;
    if (tls_ || options_->tls == tls_policy::never) return std::nullopt;
    if (capabilities_.has(extension::starttls)) {
      send(verb::starttls, awaited::starttls);
      return std::nullopt;
    }
    if (options_->tls == tls_policy::required) return fail(errc::tls_not_offered);
    return std::nullopt;
  }

  constexpr maybe_action take_starttls(const received_reply& r, std::string_view input) {
    if (r.is_positive()) {
      // RFC 3207 4.2: what came with the 220 came in clear text, from anybody.
      if (!input.empty()) return fail(errc::octets_before_tls, std::nullopt, taken_);
      awaiting_ = awaited::nothing;
      handshake_ = true;
      return std::nullopt;
    }
    awaiting_ = awaited::nothing;
    if (options_->tls == tls_policy::required) return fail(errc::tls_refused, r);
    return starttls_result{r};
  }

  // ---- AUTH (RFC 4954) -------------------------------------------------------------------------------------------------------

  constexpr maybe_action begin_auth() {
    stage_ = stage::ready;
    if (options_->mechanisms.empty() || authenticated_) return std::nullopt;
    for (std::size_t i = 0; i < options_->mechanisms.size(); ++i) {
      const auth_mechanism& candidate = options_->mechanisms[i];
      if ((offered_mechanisms_ & bit(i)) == 0) continue;
      if (candidate.needs_tls && !tls_ && !options_->auth_without_tls) continue;
      mechanism_ = static_cast<std::uint8_t>(i);
      auth_sent_ = complete_ = cancelled_ = has_kept_response_ = false;
      challenges_ = credentials_asked_ = 0;
      stage_ = stage::auth;
      if (candidate.first == first_message::client) return ask_credentials(std::nullopt);
      (void)send_auth(std::nullopt);
      return std::nullopt;
    }
    if (options_->auth_required) return fail(errc::no_common_mechanism);
    return std::nullopt;
  }

  constexpr std::string_view mechanism() const { return options_->mechanisms[mechanism_].name; }

  constexpr maybe_action ask_credentials(std::optional<base64> challenge) {
    const std::uint32_t number = credentials_asked_++;
    return credentials_question{mechanism(), challenge, number, ask(asked::credentials)};
  }

  /// AUTH, with the initial response if there is one and it fits. RFC 4954 4.
  constexpr result<void> send_auth(std::optional<std::string_view> initial) {
    const std::size_t bare = std::string_view{"AUTH "}.size() + mechanism().size() + crlf.size();
    std::size_t size = bare;
    if (initial) {
      size += 1 + std::max<std::size_t>(base64::encoded_size(initial->size()), 1);
      if (size > options_->limits.auth_line) {
        octets_ = *initial;
        has_kept_response_ = true;
        initial = std::nullopt;
        size = bare;
      }
    }
    const auto put = put_line(size, [&](std::span<char> out) {
      command_writer line{out};
      line.put("AUTH ").put(mechanism());
      if (initial) line.put(" ").put_initial_response(*initial);
      return line.finish();
    });
    if (!put) return fail_to_respond(put.error());
    secret_ = secret_ || initial.has_value();
    auth_sent_ = true;
    awaiting_ = awaited::auth;
    return {};
  }

  constexpr result<void> send_response(std::string_view octets) {
    const auto put = put_line(base64::encoded_size(octets.size()) + crlf.size(),
                              [octets](std::span<char> out) { return command_writer{out}.put_base64(octets).finish(); });
    if (!put) return fail_to_respond(put.error());
    secret_ = true;
    fresh_ = true;  // the server waits for it: what is there already is no reply to it
    return {};
  }
  constexpr result<void> fail_to_respond(error reason) {
    fail_later(errc::out_of_memory);
    return reason;
  }

  constexpr result<void> cancel() {
    cancelled_ = true;
    const auto put = put_line(3, [](std::span<char> out) { return command_writer{out}.put("*").finish(); });
    if (!put) return fail_to_respond(put.error());
    fresh_ = true;
    return {};
  }

  constexpr maybe_action take_auth(const received_reply& r) {
    if (r.is_intermediate()) return take_challenge(r);
    if (r.is_completed() && (!complete_ || cancelled_ || has_kept_response_)) return fail(errc::authentication_unfinished, r);
    awaiting_ = awaited::nothing;
    stage_ = stage::ready;
    auth_sent_ = false;
    octets_ = {};
    authenticated_ = r.is_completed();
    if (!authenticated_ && options_->auth_required) {
      transient_reply_ = r.is_transient();
      fail_later(cancelled_ ? errc::authentication_cancelled : errc::authentication_failed);
    }
    return authentication_result{mechanism(), r};
  }

  constexpr maybe_action take_challenge(const received_reply& r) {
    if (cancelled_) return fail(errc::unexpected_reply, r);
    ++challenges_;
    if (has_kept_response_) {
      has_kept_response_ = false;
      (void)send_response(octets_);
      return std::nullopt;
    }
    const auto challenge = base64::parse(r.text());
    if (!challenge || r.line_count() != 1 || challenges_ > options_->limits.challenges) {
      (void)cancel();  // RFC 4954 4: a challenge that cannot be decoded
      return std::nullopt;
    }
    return ask_credentials(*challenge);
  }

  // ---- Transactions ------------------------------------------------------------------------------------------------------------

  constexpr message_traits traits() const {
    message_traits out;
    if (has_size_) out.size = declared_size_;  // with what normalizing adds
    if (knows_body_) out.body = body_;
    out.utf8_header = utf8_header_;
    out.long_line = long_line_;
    out.bare_line_ends = bare_line_end_ && options_->line_ends == line_ends::refuse ? 1 : 0;
    return out;
  }
  constexpr maybe_action start_transaction() {
    const auto planned = plan_transaction(envelope_, traits(), conditions(), *options_);
    mail_sent_ = false;
    if (!planned) return fail_transaction(planned.error().code);
    plan_ = *planned;
    any_accepted_ = refused_for_good_ = false;
    rcpt_next_ = rcpt_answered_ = 0;
    rcpt_at_ = static_cast<std::uint32_t>(detail::envelope_record::read(envelope_.octets(), 0).size());
    start_group();
    return std::nullopt;
  }

  /// RCPT commands of a transaction. The result of each recipient in LMTP is told by its place among the accepted ones.
  constexpr std::uint32_t group_size() const {
    std::uint32_t most = is_lmtp() ? lmtp_group : static_cast<std::uint32_t>(-1);
    for (const std::uint32_t limit : {capabilities_.limits().rcpt_max, options_->limits.recipients}) {
      if (limit != 0) most = std::min(most, limit);
    }
    return most;
  }

  /// The next recipients that one MAIL serves.
  constexpr void start_group() {
    mail_sent_ = false;
    const std::uint32_t left = envelope_.recipient_count() - rcpt_next_;
    const std::uint32_t count = std::min(left, group_size());
    if (options_->recipients == recipient_policy::all_or_nothing && (count < left || rcpt_next_ > 0))
      return give_up_transaction(errc::too_many_recipients);
    const std::uint32_t mail_max = capabilities_.limits().mail_max;
    if (mail_max != 0 && mails_ >= mail_max) return give_up_transaction(errc::too_many_transactions);  // RFC 9422 4.1
    group_first_ = rcpt_next_;
    group_end_ = rcpt_next_ + count;
    accepted_ = refused_ = lmtp_answered_ = 0;
    accepted_bits_ = {};
    lone_dot_ = false;
    begin_data_ = true;
    writer_ = {};
    phase_ = phase::commands;
  }

  constexpr bool pipelines() const { return options_->pipelining && capabilities_.has(extension::pipelining); }

  /// RSET, MAIL, RCPT and DATA, as many as may go without waiting for replies. RFC 2920 3.1.
  constexpr maybe_action send_batch() {
    std::size_t size = 0;
    const auto put = [this, &size](std::size_t most, auto write_line_to) {
      const std::size_t before = storage_.collected();
      if (const auto done = put_line(most, write_line_to); !done) {
        fail_later(done.error().code);
        return false;
      }
      size += storage_.collected() - before;
      return true;
    };
    const auto is_full = [&](std::size_t more) { return size > 0 && (!pipelines() || size + more > options_->limits.batch); };

    if (reset_needed_ && !mail_sent_) {
      if (!put(8, [](std::span<char> out) { return write(plain_command{verb::rset}, out); })) return std::nullopt;
      batch_reset_ = true;
    }
    if (!mail_sent_) {
      const auto mail = detail::envelope_record::read(envelope_.octets(), 0);
      const std::size_t most = mail.path.size() + mail.parameters.size() + longest_mail_words;
      if (is_full(most)) return wait_for_batch();
      if (!put(most, [&](std::span<char> out) { return write_mail(mail, out); })) return std::nullopt;
      batch_mail_ = mail_sent_ = true;
      ++mails_;
    }
    while (rcpt_next_ < group_end_) {
      const auto to = detail::envelope_record::read(envelope_.octets(), rcpt_at_);
      const std::size_t most = to.path.size() + to.parameters.size() + longest_rcpt_words;
      if (is_full(most)) return wait_for_batch();
      if (!takes_domain_of(to.path)) {
        if (size > 0) return wait_for_batch();
        const std::uint32_t index = rcpt_next_;
        advance_recipient(to);
        rcpt_answered_ = rcpt_next_;
        ++refused_;
        return recipient_deferred{index, errc::too_many_domains};
      }
      if (!put(most, [&](std::span<char> out) { return write_rcpt(to, out); })) return std::nullopt;
      ++batch_rcpts_;
      advance_recipient(to);
    }
    // The lone dot into an unwanted 354 would send an empty message to those that were accepted: then DATA has to wait.
    const bool may_pipeline_data = !plan_.chunked && options_->recipients == recipient_policy::any;
    if (size > 0 && (!may_pipeline_data || is_full(data_line))) return wait_for_batch();
    if (size == 0) {
      if (accepted_ == 0) return end_refused_group();
      if (refused_ > 0 && options_->recipients == recipient_policy::all_or_nothing) return fail_for_recipients();
      if (plan_.chunked) {
        phase_ = phase::data;
        return std::nullopt;
      }
    }
    if (!put(8, [](std::span<char> out) { return write(plain_command{verb::data}, out); })) return std::nullopt;
    batch_data_ = true;
    return wait_for_batch();
  }

  constexpr maybe_action wait_for_batch() {
    awaiting_ = awaited::batch;
    return std::nullopt;
  }

  constexpr void advance_recipient(const detail::envelope_record& to) {
    ++rcpt_next_;
    rcpt_at_ += static_cast<std::uint32_t>(to.size());
  }

  constexpr result<std::size_t> write_mail(const detail::envelope_record& mail, std::span<char> out) const {
    command_writer line{out};
    line.put("MAIL FROM:").put(mail.path);
    if (plan_.size) line.put(" SIZE=").put_number(*plan_.size);
    if (plan_.body) line.put(" BODY=").put(text_of(*plan_.body));
    if (plan_.smtputf8) line.put(" SMTPUTF8");
    put_parameters(line, mail.parameters);
    return line.finish();
  }
  constexpr result<std::size_t> write_rcpt(const detail::envelope_record& to, std::span<char> out) const {
    command_writer line{out};
    line.put("RCPT TO:").put(to.path);
    put_parameters(line, to.parameters);
    return line.finish();
  }
  /// The parameters of the envelope, but for those whose extension the server does not offer and that may be left out.
  constexpr void put_parameters(command_writer& line, std::string_view parameters) const {
    for_each_word(parameters, [this, &line](std::string_view word) {
      const std::string_view keyword = word.substr(0, word.find('='));
      if (plan_.sends(keyword)) line.put(" ").put(word);
    });
  }

  /// RCPTDOMAINMAX (RFC 9422 4.3): domains are remembered by hash, the first few of them; one that is not remembered counts again.
  constexpr bool takes_domain_of(std::string_view path) {
    const std::uint32_t most = capabilities_.limits().rcpt_domain_max;
    if (most == 0) return true;
    // A domain holds no "@", so the last one of a path that was checked stands before it.
    std::uint32_t hash = 2166136261U;
    for (const char c : path.substr(path.rfind('@') + 1)) {
      hash = (hash ^ static_cast<unsigned char>(ascii::to_lower(c))) * 16777619U;
    }
    const std::size_t remembered = std::min<std::size_t>(domain_count_, domains_.size());
    if (std::find(domains_.begin(), domains_.begin() + remembered, hash) != domains_.begin() + remembered) return true;
    if (domain_count_ >= most) return false;
    if (domain_count_ < domains_.size()) domains_[domain_count_] = hash;
    ++domain_count_;
    return true;
  }

  constexpr maybe_action take_batch(const received_reply& r) {
    if (batch_reset_) {
      batch_reset_ = false;
      if (!r.is_completed()) return fail(errc::reset_refused, r);
      reset_needed_ = false;
      leave_batch();
      return std::nullopt;
    }
    if (batch_mail_) {
      batch_mail_ = false;
      if (r.is_completed()) {
        leave_batch();
        return std::nullopt;
      }
      // No transaction was begun: there is nothing to reset, but RFC 1870 6.2 wants RSET or QUIT next after these.
      mail_sent_ = plan_.size && (r.code() == 452 || r.code() == 552);
      const auto told = fail_transaction(errc::mail_refused, r);
      leave_batch();
      return told;
    }
    if (batch_rcpts_ > 0) {
      --batch_rcpts_;
      const bool was_draining = draining_;
      const std::uint32_t index = rcpt_answered_;
      if (!was_draining) ++rcpt_answered_;
      leave_batch();
      if (was_draining) {
        if (r.is_completed()) ++accepted_;
        return std::nullopt;
      }
      // RFC 5321 4.5.3.1.10: 552 is how old servers say that there are too many; it is final for a message that is too large.
      const bool transient = r.is_transient() || (r.code() == 552 && (!plan_.size || accepted_ >= sizes::recipients));
      if (r.is_completed()) {
        ++accepted_;
        if (is_lmtp()) accepted_bits_[(index - group_first_) / 64U] |= std::uint64_t{1} << ((index - group_first_) % 64U);
      } else {
        ++refused_;
        refused_for_good_ = refused_for_good_ || !transient;
      }
      return recipient_result{index, r, transient};
    }
    return take_data_reply(r);
  }

  /// The batch is over when its last reply is there.
  constexpr void leave_batch() {
    if (batch_mail_ || batch_rcpts_ > 0 || batch_data_) return;
    awaiting_ = awaited::nothing;
    draining_ = false;
  }

  constexpr maybe_action take_data_reply(const received_reply& r) {
    const bool nobody = draining_ || accepted_ == 0;
    // With recipients of a transaction that has failed the lone dot would send them an empty message; in LMTP nobody knows how many
    // replies would follow it (RFC 2033 4.2).
    if (r.is_positive() && nobody && (is_lmtp() || accepted_ > 0)) return fail(errc::unexpected_reply, r);
    batch_data_ = false;
    awaiting_ = awaited::nothing;
    const bool was_draining = draining_;
    draining_ = false;
    if (r.is_positive()) {
      if (!nobody) {
        phase_ = phase::data;
        return std::nullopt;
      }
      // RFC 2920 3.1: the server wants a message for nobody. It gets the lone dot.
      if (const auto put = put_line(3, [](std::span<char> out) { return command_writer{out}.put(".").finish(); }); !put)
        return fail(put.error().code);
      lone_dot_ = true;
      draining_ = was_draining;
      awaiting_ = awaited::message;
      return std::nullopt;
    }
    if (was_draining) return std::nullopt;
    if (accepted_ == 0) return end_refused_group();
    return fail_transaction(errc::data_refused, r);
  }

  /// Too few recipients are left. Later may be better if none of them was refused for good.
  constexpr maybe_action fail_for_recipients() {
    end_transaction();
    return transaction_failed{errc::recipient_refused, delivery_, std::nullopt, !refused_for_good_};
  }

  /// One MAIL is done with, and none of its recipients was accepted.
  constexpr maybe_action end_refused_group() {
    if (!lone_dot_) reset_needed_ = true;
    if (rcpt_next_ < envelope_.recipient_count()) {
      start_group();
      return std::nullopt;
    }
    if (!any_accepted_) {
      mail_sent_ = false;  // the reset is seen to
      return fail_for_recipients();
    }
    phase_ = phase::none;
    return std::nullopt;
  }

  // ---- Mail data -------------------------------------------------------------------------------------------------------------

  constexpr maybe_action ask_mail_data() {
    const bool begin = begin_data_;
    begin_data_ = false;
    return mail_data_question{accepted_, begin, plan_.chunked, ask(asked::mail_data)};
  }

  constexpr result<void> answer_mail_data(std::string_view octets, bool last) {
    if (open_ != asked::mail_data) return error{open_ == asked::nothing ? errc::no_open_question : errc::wrong_answer};
    open_ = asked::nothing;
    octets_ = octets;
    is_last_ = last;
    chunk_due_ = true;
    phase_ = phase::sending;
    new_wait();
    return {};
  }

  /// The octets behind DATA: slices of the caller's, or copies of them, then the lone dot.
  constexpr maybe_action send_mail_data(std::string_view& input) {
    using kind = mail_data_writer::step::kind;
    if (options_->limits.coalesced != 0 && !octets_.empty()) return copy_mail_data();
    const auto piece = writer_.next(octets_, writing_rules());
    if (piece.what == kind::broken) return fail(piece.reason.code);
    if (piece.what == kind::octets) return transmit_data(piece.octets);
    if (!is_last_) {
      phase_ = phase::data;
      return std::nullopt;
    }
    // A reply that is there before the end of mail data is no reply to it. It may be a 421 (RFC 5321 3.8).
    if (!input.empty() || parser_.is_amid()) return read_reply(input);
    const auto end = writer_.end(writing_rules());
    if (end.what == kind::broken) return fail(end.reason.code);
    phase_ = phase::sent;
    awaiting_ = awaited::message;
    return transmit_data(end.octets);
  }
  constexpr mail_data_writer::rules writing_rules() const { return plan_.rules(options_->line_ends); }
  constexpr maybe_action transmit_data(std::string_view octets) {
    new_wait();
    return transmit{octets};
  }

  constexpr maybe_action copy_mail_data() {
    const std::size_t most = options_->limits.coalesced;
    char* const place = storage_.reserve_output(most);
    if (place == nullptr) return fail(errc::out_of_memory);
    std::span<char> room{place, most};
    const auto stopped = writer_.copy(octets_, room, writing_rules());
    storage_.commit_output(most - room.size());
    if (stopped.what == mail_data_writer::step::kind::broken) {
      storage_.clear_output();
      return fail(stopped.reason.code);
    }
    return std::nullopt;
  }

  /// How many chunks may be unanswered: their replies fit into one batch. RFC 3030 2, RFC 2920 3.1.
  constexpr bool may_send_more_chunks() const { return pipelines() && chunks_in_flight_ < 2; }

  constexpr maybe_action send_chunk(std::string_view& input) {
    using kind = mail_data_writer::step::kind;
    if (chunk_due_) {
      // RFC 2033 4.2, RFC 3030 2: after a refused chunk it is not told how many replies the last one has.
      const bool waits =
          chunks_in_flight_ > 0 && (!input.empty() || parser_.is_amid() || (is_last_ && is_lmtp()) || !may_send_more_chunks());
      if (waits) return read_reply(input);
      return begin_chunk(input);
    }
    if (options_->limits.coalesced != 0 && !octets_.empty()) return copy_mail_data();
    const auto piece = writer_.next(octets_, writing_rules());
    assert(piece.what != kind::broken);  // the chunk was counted with the same rules
    if (piece.what == kind::octets) return transmit_data(piece.octets);
    if (!is_last_) {
      ++chunks_in_flight_;
      phase_ = phase::data;
      awaiting_ = awaited::chunk;
      return std::nullopt;
    }
    const auto end = writer_.end(writing_rules());
    phase_ = phase::sent;
    awaiting_ = awaited::message;
    if (end.what == kind::octets) return transmit_data(end.octets);
    return std::nullopt;
  }

  /// Counts the octets of the chunk and checks them, so that nothing of a text with a fault leaves.
  constexpr maybe_action begin_chunk(std::string_view& input) {
    using kind = mail_data_writer::step::kind;
    mail_data_writer probe = writer_;
    std::uint64_t count = 0;
    mail_data_writer::step found{};
    for (std::string_view rest = octets_;;) {
      found = probe.next(rest, writing_rules());
      if (found.what != kind::octets) break;
      count += found.octets.size();
    }
    if (found.what != kind::broken && is_last_) {
      found = probe.end(writing_rules());
      count += found.octets.size();
    }
    if (found.what == kind::broken) {
      awaiting_ = chunks_in_flight_ > 0 ? awaited::chunk : awaited::nothing;
      return fail_transaction(found.reason.code);
    }
    // A reply that is there before a chunk is no reply to it.
    if (chunks_in_flight_ == 0 && (!input.empty() || parser_.is_amid())) return read_reply(input);
    chunk_due_ = false;
    if (count == 0 && !is_last_) {
      // Nothing that could be sent yet: a CR that is held back, or no octets at all.
      (void)writer_.next(octets_, writing_rules());
      phase_ = phase::data;
      return std::nullopt;
    }
    const auto put = put_line(48, [&](std::span<char> out) { return write(bdat_command{count, is_last_}, out); });
    if (!put) return fail(errc::out_of_memory);
    fresh_ = false;  // the input was looked at
    return std::nullopt;
  }

  constexpr maybe_action take_chunk(const received_reply& r) {
    --chunks_in_flight_;
    const bool is_over = chunks_in_flight_ == 0 && awaiting_ == awaited::chunk;
    if (is_over) awaiting_ = awaited::nothing;
    if (draining_) {
      draining_ = !is_over;
      return std::nullopt;
    }
    if (r.is_completed()) return std::nullopt;
    // RFC 3030 2: no more chunks, and RSET. The replies to chunks that were sent already are read; whatever they say, a message
    // that lacks a chunk was not accepted.
    if (phase_ == phase::sent) phase_ = phase::commands;
    const auto told = fail_transaction(errc::chunk_refused, r);
    reset_needed_ = true;
    return told;
  }

  constexpr maybe_action take_message(const received_reply& r) {
    if (lone_dot_ || draining_) {
      awaiting_ = awaited::nothing;
      lone_dot_ = false;
      if (draining_) {
        draining_ = false;
        return std::nullopt;
      }
      lone_dot_ = true;
      return end_refused_group();
    }
    if (plan_.chunked && !is_lmtp() && !r.is_completed()) reset_needed_ = true;  // RFC 3030 2
    if (is_lmtp()) return take_lmtp_message(r);
    awaiting_ = awaited::nothing;
    const message_result told{group_first_, group_end_, r};
    phase_ = phase::commands;
    if (!r.is_completed() && rcpt_next_ < envelope_.recipient_count()) {
      mail_sent_ = reset_needed_;
      transient_reply_ = r.is_transient();
      give_up_transaction(errc::message_refused);
      return told;
    }
    finish_group();
    return told;
  }

  /// RFC 2033 4.2: one reply for each recipient that was accepted, in their order.
  constexpr maybe_action take_lmtp_message(const received_reply& r) {
    std::uint32_t index = group_first_;
    for (std::uint32_t seen = 0;; ++index) {
      const std::uint32_t place = index - group_first_;
      if ((accepted_bits_[place / 64U] >> (place % 64U) & 1U) == 0) continue;
      if (seen++ == lmtp_answered_) break;
    }
    ++lmtp_answered_;
    if (lmtp_answered_ == accepted_) {
      awaiting_ = awaited::nothing;
      phase_ = phase::commands;
      finish_group();
    }
    return message_result{index, index + 1, r};
  }

  /// The message has its replies. The end of mail data has cleared the server's buffers (RFC 5321 4.1.1.4).
  constexpr void finish_group() {
    any_accepted_ = true;
    mail_sent_ = false;
    if (rcpt_next_ < envelope_.recipient_count()) return start_group();
    phase_ = phase::none;
  }

  // ---- State -----------------------------------------------------------------------------------------------------------------

  static constexpr std::uint32_t lmtp_group = 128;       ///< recipients of an LMTP transaction; more go in further ones
  static constexpr std::size_t longest_mail_words = 96;  ///< MAIL FROM: SIZE= and its number, BODY=BINARYMIME, SMTPUTF8, CRLF
  static constexpr std::size_t longest_rcpt_words = 16;
  static constexpr std::size_t longest_word = 16;  ///< a verb, a space, SMTPUTF8 behind VRFY's argument, CRLF
  static constexpr std::size_t data_line = 6;

  static constexpr bool is_fixed = Storage::longest_line() != static_cast<std::size_t>(-1);

  const client_options* options_;
  envelope_view envelope_{};
  std::string_view octets_{};      ///< of the caller: mail data, or a response that waits for its challenge
  std::uint64_t taken_ = 0;        ///< octets taken from all inputs
  std::uint64_t reply_start_ = 0;  ///< where the current reply began, counted like `taken_`
  std::uint64_t declared_size_ = 0;
  std::array<std::uint64_t, lmtp_group / 64> accepted_bits_{};  ///< LMTP: which recipients of the group
  ehlo::capabilities capabilities_{};
  mail_data_writer writer_{};
  transaction_plan plan_{};
  reply_parser parser_{};
  std::array<std::uint32_t, 4> domains_{};  ///< hashes of the domains of recipients, for RCPTDOMAINMAX
  std::uint32_t domain_count_ = 0;
  std::uint32_t ticket_ = 0;
  std::uint32_t wait_serial_ = 0;
  std::uint32_t mails_ = 0;          ///< MAIL commands since the last handshake, for MAILMAX
  std::uint32_t rcpt_next_ = 0;      ///< the recipient that RCPT comes to next
  std::uint32_t rcpt_at_ = 0;        ///< its place among the octets of the envelope
  std::uint32_t rcpt_answered_ = 0;  ///< the recipient that the next reply to RCPT is for
  std::uint32_t group_first_ = 0;    ///< the recipients of this MAIL
  std::uint32_t group_end_ = 0;
  std::uint32_t accepted_ = 0;
  std::uint32_t refused_ = 0;  ///< or deferred
  std::uint32_t lmtp_answered_ = 0;
  std::uint32_t batch_rcpts_ = 0;  ///< replies to RCPT that are due
  std::uint32_t challenges_ = 0;
  std::uint32_t credentials_asked_ = 0;   ///< questions of this exchange
  std::uint16_t offered_mechanisms_ = 0;  ///< a bit for each of the options'
  std::uint16_t offered_keywords_ = 0;
  std::uint8_t chunks_in_flight_ = 0;
  std::uint8_t mechanism_ = 0;
  awaited awaiting_ = awaited::greeting;
  stage stage_ = stage::greeting;
  phase phase_ = phase::none;
  asked open_ = asked::nothing;
  ending ending_ = ending::no;
  errc failure_{};
  errc transaction_failure_{};
  delivery delivery_{};
  body_type body_ = body_type::seven_bit;
  bool has_failure_ : 1 = false;
  bool has_transaction_failure_ : 1 = false;
  bool transient_reply_ : 1 = false;  ///< the reply that the failure follows from is told already, and was 4yz
  bool has_size_ : 1 = false;
  bool knows_body_ : 1 = false;
  bool utf8_header_ : 1 = false;
  bool long_line_ : 1 = false;
  bool bare_line_end_ : 1 = false;
  bool batch_reset_ : 1 = false;  ///< the reply to RSET is due; so with MAIL and DATA
  bool batch_mail_ : 1 = false;
  bool batch_data_ : 1 = false;
  bool mail_sent_ : 1 = false;         ///< the server has a transaction of ours, as far as we know
  bool reset_needed_ : 1 = false;      ///< RSET comes before the next MAIL
  bool draining_ : 1 = false;          ///< replies that are due belong to a transaction that has failed
  bool lone_dot_ : 1 = false;          ///< the end of mail data that was sent has no message
  bool any_accepted_ : 1 = false;      ///< of all groups
  bool refused_for_good_ : 1 = false;  ///< a recipient, by 5yz
  bool begin_data_ : 1 = false;        ///< the next question wants the first octets
  bool is_last_ : 1 = false;           ///< the octets end the message
  bool chunk_due_ : 1 = false;         ///< BDAT has not been written yet
  bool auth_sent_ : 1 = false;         ///< and the exchange has no end yet
  bool complete_ : 1 = false;          ///< the mechanism has said all
  bool cancelled_ : 1 = false;
  bool has_kept_response_ : 1 = false;  ///< `octets_` waits for the empty challenge
  bool secret_ : 1 = false;             ///< the output holds credentials
  bool fresh_ : 1 = false;              ///< what is collected was written while no reply was due
  bool line_done_ : 1 = false;          ///< the kept reply was handed out
  bool handshake_ : 1 = false;
  bool tls_ : 1 = false;
  bool tls_verified_ : 1 = false;
  bool esmtp_ : 1 = false;
  bool authenticated_ : 1 = false;
  bool brings_login_ : 1 = false;  ///< of the XCLIENT in flight
  bool told_ready_ : 1 = false;
  bool quit_ : 1 = false;
  bool end_of_input_ : 1 = false;
  Storage storage_{};
};

/// The session with storage that grows on demand. What its octets are for stands in docs/explanation/design.md.
using client_session = basic_client_session<growing_storage>;
static_assert(sizeof(client_session) <= 512);

/// The session with everything inside and no heap at all. A reply over `LineOctets` ends the session, whether it is cut or not;
/// `OutputOctets` hold a batch of commands (and an AUTH response, which may need up to 12288).
template <std::size_t LineOctets = 4096, std::size_t OutputOctets = 4096>
using fixed_client_session = basic_client_session<fixed_storage<LineOctets, OutputOctets>>;

}  // namespace ehlo

#endif  // EHLO_CLIENT_SESSION_HPP
