// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_OBSERVER_TRANSCRIPT_HPP
#define EHLO_OBSERVER_TRANSCRIPT_HPP

/// @file
/// A conversation as lines that people read, without what only the two ends may know. RFC 5321 4; RFC 4954 4; RFC 3030 2.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include <ehlo/actions.hpp>
#include <ehlo/ascii.hpp>
#include <ehlo/command.hpp>
#include <ehlo/enhanced_status_code.hpp>
#include <ehlo/error.hpp>
#include <ehlo/extension/etrn.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/observer/actions.hpp>
#include <ehlo/observer/finding.hpp>
#include <ehlo/observer/observer.hpp>
#include <ehlo/observer/options.hpp>
#include <ehlo/protocol/order_of_replies.hpp>
#include <ehlo/received_reply.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

namespace detail {

/// One line of a transcript, in bounded room: what does not fit is left out, and three dots say so. The single way out: whatever
/// stands in a transcript has come through `put`, which lets no control through.
template <std::size_t Octets>
class transcript_line {
 public:
  constexpr void clear() {
    size_ = 0;
    is_full_ = false;
  }
  constexpr std::string_view text() const { return {octets_.data(), size_}; }

  /// Appends text. Controls and octets that are no UTF-8 become `\x1B`, as do characters that nobody sees or that turn a line
  /// around.
  constexpr transcript_line& put(std::string_view text) {
    for (cursor in{text}; !in.at_end();) {
      const std::size_t at = in.offset();
      if (ascii::printable.contains(in.peek())) {
        in.advance(1);
        append(in.since(at));
        continue;
      }
      if (!ascii::is_ascii(in.peek())) {
        const auto character = grammar::utf8_non_ascii(in);
        if (character && !is_forbidden_in_domain(*character)) {
          append(in.since(at));
          continue;
        }
      }
      if (in.offset() == at) in.advance(1);
      for (const char c : in.since(at)) put_escaped(static_cast<unsigned char>(c));
    }
    return *this;
  }

  /// Appends a decimal number.
  constexpr transcript_line& put_number(std::uint64_t value) {
    std::array<char, 20> digits{};
    std::size_t first = digits.size();
    do {
      digits[--first] = static_cast<char>('0' + static_cast<int>(value % 10));
      value /= 10;
    } while (value > 0);
    append({digits.data() + first, digits.size() - first});
    return *this;
  }

 private:
  static constexpr std::string_view dots = "...";
  static_assert(Octets >= 64);

  constexpr void put_escaped(unsigned char octet) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const std::array<char, 4> text{'\\', 'x', digits[octet >> 4U], digits[octet & 15U]};
    append({text.data(), text.size()});
  }

  /// All of `text`, or the dots: a character is never cut.
  constexpr void append(std::string_view text) {
    if (is_full_) return;
    is_full_ = text.size() > Octets - dots.size() - size_;
    if (is_full_) text = dots;
    std::copy(text.begin(), text.end(), octets_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += text.size();
  }

  std::array<char, Octets> octets_{};
  std::size_t size_ = 0;
  bool is_full_ = false;
};

constexpr std::string_view why_lost(lost_cause cause) {
  switch (cause) {
    case lost_cause::reply_unreadable: return "the reply cannot be read";
    case lost_cause::chunk_size_unreadable: return "nobody knows where the chunk ends";
    case lost_cause::ambiguous_reply: return "the reply says neither yes nor no";
    case lost_cause::too_many_in_flight: return "too many commands have no reply";
    case lost_cause::other_end_silent: return "the other end says no more";
    case lost_cause::other_protocol: return "this is another protocol";
    case lost_cause::octets_missing: return "octets are missing";
    case lost_cause::out_of_memory: return "there is no memory";
    case lost_cause::options: return "the options are wrong";
  }
  return {};
}

}  // namespace detail

/// Writes down a conversation, one line at a time: `C: ` and what the client said, `S: ` and what the server said, `-- ` and a
/// remark.
///
///     C: AUTH PLAIN ****
///     S: 235 2.7.0 ****
///     C: DATA
///     S: 354 Start mail input; end with <CRLF>.<CRLF>
///     C: [1234 octets of mail data]
///     C: .
///     S: 250 2.6.0 Message accepted
///
/// No credential and no mail data can be in it, because it is not made from octets: it is made from what an observer tells, and no
/// observer tells a response, a challenge or the argument of AUTH. Four asterisks stand in their place, and in that of whatever may
/// be one: a line that is no command, an unknown mechanism, the URL of BURL, and the text of a reply to any of these. Mail data
/// are counted. Controls are escaped, and a line has at most `LineOctets` octets; with those of the observer all room is bounded.
///
/// A client that sends a password where a command belongs is shown if the password reads like one: for the server it is one, too.
///
/// Feed it what passes, in the order in which it passes: of a session, the octets that are given to `next` and those of `transmit`.
template <class Observer = observer, std::size_t LineOctets = 1024>
class basic_transcript {
 public:
  /// `options` outlive it.
  constexpr explicit basic_transcript(const observer_options& options) : observer_{options} {}

  /// Takes octets that came `from` one end from the front of `input` and gives the next line, without a line end. Nothing: all of
  /// `input` was taken, or what is left of it means nothing before the other end's next octets, and is given again behind them.
  ///
  /// Call it until it gives nothing; until then `input` stays in place, and the transcript is not moved. A line lives until the
  /// next call.
  constexpr std::optional<std::string_view> next(direction from, std::string_view& input) {
    for (;;) {
      if (is_telling_) {
        line_.clear();
        if (tell()) return line_.text();
        is_telling_ = false;
      }
      action_ = observer_.next(from, input);
      if (std::holds_alternative<receive>(action_) || std::holds_alternative<other_first>(action_)) return std::nullopt;
      if (const auto* const data = std::get_if<mail_data>(&action_)) {
        data_octets_ += data->octets.size();
        continue;
      }
      is_telling_ = true;
      lines_told_ = 0;
    }
  }

  /// What comes from here on was inside TLS. Fails with `errc::tls_not_pending`.
  constexpr result<void> tls_started() { return observer_.decrypted(); }

  /// No more octets come from there.
  constexpr void end_of_input(direction from) { observer_.end_of_input(from); }

  /// `count` octets from there were not kept: the transcript ends.
  constexpr void octets_missing(direction from, std::uint64_t count) { observer_.octets_missing(from, count); }

  /// What is known of the conversation.
  constexpr const Observer& watched() const { return observer_; }

 private:
  static constexpr std::string_view hidden = "****";

  /// Writes the next line of the action. False: there is none.
  constexpr bool tell() {
    if (data_octets_ > 0) {
      line_.put("C: [").put_number(std::exchange(data_octets_, 0)).put(" octets of mail data]");
      return true;
    }
    const bool has_line = std::visit([this](const auto& action) { return this->tell(action); }, action_);
    ++lines_told_;
    return has_line;
  }

  /// True the first time.
  constexpr bool once() const { return lines_told_ == 0; }

  constexpr bool tell(const observed_command& c) {
    if (!once()) return false;
    line_.put("C: ");
    std::visit([this](const auto& command) { this->put_command(command); }, c.command);
    if (!std::holds_alternative<burl_command>(c.command)) harmless_ = c.serial;
    return true;
  }

  constexpr bool tell(const malformed_command& c) {
    if (!once()) return false;
    line_.put("C: ").put(text_of(c.name));
    if (c.name != verb::unknown) line_.put(" ");
    line_.put(hidden);
    return true;
  }

  constexpr bool tell(const observed_auth& a) {
    if (!once()) return false;
    switch (a.what) {
      case observed_auth::step::command:
        line_.put("C: AUTH ").put(detail::is_shown_mechanism(a.mechanism) ? a.mechanism : hidden);
        if (a.has_response) line_.put(" ").put(hidden);
        break;
      case observed_auth::step::challenge: line_.put("S: 334 ").put(hidden); break;
      case observed_auth::step::response: line_.put("C: ").put(hidden); break;
      case observed_auth::step::cancel: line_.put("C: *"); break;
    }
    return true;
  }

  constexpr bool tell(const observed_reply& r) {
    if (may_hold_secret(r)) {
      if (!once()) return false;
      line_.put("S: ").put_number(static_cast<std::uint64_t>(r.reply.code())).put(" ");
      if (const enhanced_status_code status = r.reply.enhanced(); !status.is_none()) {
        line_.put_number(status.class_code).put(".").put_number(status.subject).put(".").put_number(status.detail).put(" ");
      }
      line_.put(hidden);
      return true;
    }
    if (once()) rest_ = r.reply.octets();
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find('\n') + 1;
    line_.put("S: ").put(rest_.substr(0, end - 2));  // without CRLF
    rest_.remove_prefix(end);
    return true;
  }

  constexpr bool tell(const observed_message& m) {
    if (!once() || m.chunked) return false;
    line_.put("C: .");
    return true;
  }

  constexpr bool tell(const anomaly& a) {
    const finding_text& found = describe(a.what);
    return remark(found.text, found.clause);
  }
  constexpr bool tell(const lost& l) { return remark("no more of this can be followed", detail::why_lost(l.cause)); }
  constexpr bool tell(const observed_tls&) { return remark("TLS begins", {}); }
  constexpr bool tell(const joined_midway&) { return remark("the beginning was not seen", {}); }
  /// What the lines before it have told, and what is no line.
  template <class Action>
  constexpr bool tell(const Action&) {
    return false;
  }

  constexpr bool remark(std::string_view text, std::string_view reason) {
    if (!once()) return false;
    line_.put("-- ").put(text);
    if (!reason.empty()) line_.put(" (").put(reason).put(")");
    return true;
  }

  constexpr void put_command(const hello_command& c) { line_.put(text_of(c.name)).put(" ").put(c.client.text()); }
  constexpr void put_command(const mail_command& c) {
    line_.put("MAIL FROM:").put(c.reverse_path.text());
    put_parameters(c.parameters.text());
  }
  constexpr void put_command(const rcpt_command& c) {
    line_.put("RCPT TO:").put(c.forward_path.text());
    put_parameters(c.parameters.text());
  }
  constexpr void put_command(const bdat_command& c) { line_.put("BDAT ").put_number(c.size).put(c.last ? " LAST" : ""); }
  constexpr void put_command(const lookup_command& c) {
    line_.put(text_of(c.name)).put(" ").put(c.argument).put(c.smtputf8 ? " SMTPUTF8" : "");
  }
  constexpr void put_command(const help_command& c) { line_.put("HELP").put(c.topic.empty() ? "" : " ").put(c.topic); }
  constexpr void put_command(const auth_command&) { line_.put("AUTH ").put(hidden); }
  constexpr void put_command(const plain_command& c) { line_.put(text_of(c.name)); }
  constexpr void put_command(const etrn_command& c) { line_.put("ETRN ").put(text_of(c.option)).put(c.node); }
  constexpr void put_command(const xclient_command& c) { line_.put("XCLIENT ").put(c.attributes.text()); }
  constexpr void put_command(const xforward_command& c) { line_.put("XFORWARD ").put(c.attributes.text()); }
  /// A URL may have a token in it that opens the message (RFC 4468 3.1).
  constexpr void put_command(const burl_command& c) { line_.put("BURL ").put(hidden).put(c.last ? " LAST" : ""); }

  constexpr void put_parameters(std::string_view text) { line_.put(text.empty() ? "" : " ").put(text); }

  /// A server may repeat what it was given.
  constexpr bool may_hold_secret(const observed_reply& r) const {
    return r.row == reply_row::auth || r.reply.code() == 334 ||
           (r.row == reply_row::custom && r.serial > 0 && r.serial != harmless_);
  }

  Observer observer_;
  observer_action action_{receive{}};
  std::string_view rest_{};  ///< of the reply that is being told
  std::uint64_t data_octets_ = 0;
  std::size_t lines_told_ = 0;
  std::uint32_t harmless_ = 0;  ///< serial of the last command that was shown in full
  bool is_telling_ = false;
  detail::transcript_line<LineOctets> line_{};
};

/// The transcript whose observer grows on demand.
using transcript = basic_transcript<>;

}  // namespace ehlo

#endif  // EHLO_OBSERVER_TRANSCRIPT_HPP
