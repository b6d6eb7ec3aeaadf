// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_OBSERVER_OBSERVER_HPP
#define EHLO_OBSERVER_OBSERVER_HPP

/// @file
/// Watches a conversation of others: the octets of both directions in, what they mean out. It follows the tables that the sessions
/// obey, with the parsers that they use. RFC 5321 3 and 4, 2033, 2920, 3030, 3207, 4954.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <ehlo/ascii.hpp>
#include <ehlo/capabilities.hpp>
#include <ehlo/codec/chunk_reader.hpp>
#include <ehlo/codec/command_parser.hpp>
#include <ehlo/codec/mail_data_reader.hpp>
#include <ehlo/codec/octet_scan.hpp>
#include <ehlo/codec/reply_parser.hpp>
#include <ehlo/command.hpp>
#include <ehlo/extension/body.hpp>
#include <ehlo/observer/actions.hpp>
#include <ehlo/observer/finding.hpp>
#include <ehlo/observer/options.hpp>
#include <ehlo/protocol/effect_of_replies.hpp>
#include <ehlo/protocol/order_of_commands.hpp>
#include <ehlo/protocol/order_of_replies.hpp>
#include <ehlo/storage.hpp>

namespace ehlo {

namespace detail {

/// Octets of a reply that a storage can keep.
template <class Storage>
inline constexpr std::size_t kept_of_reply = static_cast<std::size_t>(-1);
template <std::size_t LineOctets, std::size_t OutputOctets>
inline constexpr std::size_t kept_of_reply<fixed_storage<LineOctets, OutputOctets>> = OutputOctets;

/// Looks at mail data as they come over the wire for what another reader may take for a line end, or for the end of mail data. It
/// changes nothing: `mail_data_reader` says what the octets are.
class line_end_watch {
 public:
  /// What stands behind the octets that were looked at.
  struct result {
    std::size_t size = 0;  ///< octets of the input that were looked at
    bool bare_cr = false;  ///< the octet before the last one was a CR alone, the first of the message
    bool bare_lf = false;  ///< the last octet was a LF alone, the first of the message
    bool lookalike = false;
    std::uint64_t dot = 0;  ///< of the look-alike: its offset
    bool is_end = false;    ///< the true end of mail data
    constexpr bool any() const { return bare_cr || bare_lf || lookalike; }
  };

  /// Looks at `input`, whose first octet has the offset `at`, up to the first thing to tell of.
  constexpr result next(std::string_view input, std::uint64_t at) {
    result out;
    while (out.size < input.size()) {
      if (place_ == place::text && !held_cr_) {
        out.size += scan_for_line_end(input.substr(out.size)).line_end;
        if (out.size == input.size()) break;
      }
      look(input[out.size], at + out.size, out);
      ++out.size;
      if (out.is_end || out.any()) break;
    }
    return out;
  }

 private:
  enum class place : std::uint8_t {
    line_start,
    dot,     ///< behind a dot that began a line; NULs between them count for nothing
    dot_cr,  ///< and a CR
    text,
  };

  constexpr void look(char c, std::uint64_t offset, result& out) {
    const bool cr_alone = held_cr_ && c != '\n';
    const bool lf_alone = c == '\n' && !held_cr_;
    if (cr_alone && !told_cr_) out.bare_cr = told_cr_ = true;
    if (lf_alone && !told_lf_) out.bare_lf = told_lf_ = true;
    if (place_ == place::dot_cr && cr_alone) find_lookalike(out);
    held_cr_ = c == '\r';
    switch (c) {
      case '\r': place_ = place_ == place::dot ? place::dot_cr : start(false); break;
      case '\n':
        if (place_ == place::dot_cr && is_true_) {
          out.is_end = true;
        } else if (place_ == place::dot_cr || place_ == place::dot) {
          find_lookalike(out);
        }
        place_ = start(!lf_alone);
        break;
      case '.':
        if (place_ == place::line_start) {
          place_ = place::dot;
          dot_ = offset;
        } else {
          place_ = place::text;
        }
        break;
      case '\0': is_true_ = false; break;  // at the start of a line or behind its dot; in a text the scan has passed over it
      default: place_ = place::text; break;
    }
  }

  constexpr place start(bool is_true) {
    is_true_ = is_true;
    return place::line_start;
  }

  constexpr void find_lookalike(result& out) {
    out.lookalike = true;
    out.dot = dot_;
    place_ = start(false);
  }

  std::uint64_t dot_ = 0;
  place place_ = place::line_start;
  bool is_true_ : 1 = true;  ///< the line began behind CRLF or at the beginning, and holds no NUL
  bool held_cr_ : 1 = false;
  bool told_cr_ : 1 = false;
  bool told_lf_ : 1 = false;
};

}  // namespace detail

/// Watches one conversation. It takes no part: nothing it says changes what the two ends do.
///
/// `next` takes octets of one direction and gives one action: do what it says, then call `next` again. The actions are `receive`
/// (all of the input was taken: bring more, of either direction), `other_first` (octets are left whose meaning depends on the
/// other end: keep them, give what came from there, then give them again), `mail_data`, and notices.
///
/// Octets of the client are held back in this way behind EHLO, DATA, STARTTLS and each step of AUTH, until the reply tells what
/// they are; and those of the server while commands are held back that they may answer. With `feed_order::kept` the caller gives
/// octets in the order in which they passed, and those that came before the reply are findings as well; with
/// `feed_order::unknown` it has the two directions as two streams, follows `other_first`, and the order is found again by it. A
/// caller that must not keep octets may drop them and say `octets_missing`.
///
/// A value, movable and copyable. It opens nothing, reads no clock, throws nothing. It holds one command line, one reply and
/// `InFlight` commands without a reply at most; after warming up it allocates nothing.
template <class Storage, std::size_t InFlight = 256>
class basic_observer {
 public:
  static_assert(InFlight >= 2);

  /// An observer of a conversation that begins. `options` outlive it.
  constexpr explicit basic_observer(const observer_options& options) : options_{&options} {
    start_known_ = options.begin == beginning::seen;
    lmtp_ = options.protocol == protocol::lmtp;
    push({0, reply_row::connection, verb::unknown});
    if (!options.check()) lose(lost_cause::options, direction::from_client);
  }

  /// Takes octets that came `from` one end from the front of `input` and gives one action.
  ///
  /// The octets last given stay in place until the next call of `next`.
  constexpr observer_action next(direction from, std::string_view& input) {
    release_views();
    if (storage_.has_failed() && mode_ != mode::lost) lose(lost_cause::out_of_memory, from);
    for (;;) {
      if (const auto told = take_notice()) return *told;
      if (mode_ != mode::follow) return count(from, input);
      const auto action = from == direction::from_client ? step_client(input) : step_server(input);
      if (action) return *action;
    }
  }

  /// @name The world
  /// @{

  /// No more octets come from there, and those that came have been taken, or are held back for the other end's.
  constexpr void end_of_input(direction from) { ended_[index(from)] = true; }

  /// The octets from here on are those inside TLS, in both directions. Everything learned before is forgotten (RFC 3207 4.2).
  /// Fails with `errc::tls_not_pending`.
  constexpr result<void> decrypted() {
    if (mode_ != mode::opaque) return error{errc::tls_not_pending};
    begin_again();
    tls_ = true;
    start_known_ = true;
    return {};
  }

  /// `count` octets from there were not seen: the step is lost.
  constexpr void octets_missing(direction from, std::uint64_t count) {
    taken_[index(from)] += count;
    if (mode_ == mode::follow) lose_for_good(lost_cause::octets_missing, from);
  }

  /// After `lost`: goes on as if the conversation were seen from here on (`joined_midway`). Fails with `errc::not_ready` when the
  /// step was not lost.
  constexpr result<void> rejoin() {
    if (mode_ != mode::lost || !options_->check()) return error{errc::not_ready};
    const bool tls = tls_;
    begin_again();
    tls_ = tls;
    join_midway();
    return {};
  }

  /// Gives back heap memory that holds nothing.
  constexpr void trim() { storage_.trim(); }
  /// @}

  /// @name What the observer knows
  /// @{
  constexpr std::uint64_t octets_taken(direction from) const { return taken_[index(from)]; }
  constexpr state current_state() const { return state_; }                 ///< by the replies seen
  constexpr std::size_t in_flight() const { return size_; }                ///< commands, and ends of mail data, without a reply
  constexpr std::uint32_t recipients() const { return recipients_; }       ///< accepted in this transaction
  constexpr const ehlo::capabilities& offered() const { return offers_; }  ///< by the reply to the last EHLO or LHLO
  constexpr bool is_lmtp() const { return lmtp_; }
  constexpr bool is_opaque() const { return mode_ == mode::opaque; }
  constexpr bool is_lost() const { return mode_ == mode::lost; }
  constexpr bool is_midway() const { return midway_; }
  constexpr bool is_tls_active() const { return tls_; }  ///< `decrypted()` was said
  constexpr bool is_over() const {
    return over_;
  }  ///< QUIT was answered, or 421 was said
     /// @}

 private:
  enum class mode : std::uint8_t { follow, opaque, lost };

  /// What the next octets of the client are.
  enum class reading : std::uint8_t {
    command,
    response,   ///< a line of an AUTH exchange
    mail_data,  ///< lines up to the lone dot
    chunk,      ///< mail data by count
    skip,       ///< midway: nobody knows
  };

  /// Something that the server has to answer.
  struct entry {
    std::uint32_t serial = 0;
    reply_row row = reply_row::custom;
    verb name = verb::unknown;
    body_type body = body_type::seven_bit;  ///< of MAIL
    bool utf8 : 1 = false;                  ///< of MAIL
    bool last : 1 = false;                  ///< of BDAT
    bool is_data : 1 = false;               ///< of BDAT: its octets are a part of a message
    bool is_open : 1 = false;               ///< of BDAT: its octets are still coming
  };

  using maybe_action = std::optional<observer_action>;
  static constexpr direction client = direction::from_client;
  static constexpr direction server = direction::from_server;

  static constexpr std::size_t index(direction from) { return static_cast<std::size_t>(from); }

  // ---- Notices ---------------------------------------------------------------------------------------------------------------

  constexpr void find(finding what, direction from, std::uint64_t offset) {
    if (found_count_ < found_.size()) found_[found_count_++] = {what, from, offset};
  }

  constexpr maybe_action take_notice() {
    if (std::exchange(has_midway_, false)) return joined_midway{};
    if (found_next_ < found_count_) return found_[found_next_++];
    found_next_ = found_count_ = 0;
    if (std::exchange(has_message_, false)) return message_;
    if (std::exchange(has_reset_, false)) return transaction_reset{reset_cause_};
    if (std::exchange(has_hello_, false)) return observed_hello{offers_, esmtp_, lmtp_ ? protocol::lmtp : protocol::smtp};
    if (std::exchange(has_tls_, false)) return observed_tls{};
    if (std::exchange(has_lost_, false)) return lost_;
    return std::nullopt;
  }

  constexpr observer_action count(direction from, std::string_view& input) {
    if (mode_ == mode::opaque && !input.empty() && !spoke_[index(from)]) {
      spoke_[index(from)] = true;
      // The first octets of either end are a TLS record (RFC 8446 5.1).
      const bool is_record = input.front() >= tls_record_first && input.front() <= tls_record_last;
      if (!is_record && !(from == client && told_early_)) {
        return anomaly{from == client ? finding::octets_behind_starttls : finding::octets_behind_tls_agreement, from,
                       taken_[index(from)]};
      }
    }
    take(from, input, input.size());
    return receive{};
  }

  /// The views of the action before this call are done with.
  constexpr void release_views() {
    if (mode_ != mode::follow) {
      storage_.wipe_line();
      storage_.clear_output();
      line_done_ = false;
      line_size_ = 0;
    }
    if (line_done_) {
      if (secret_) {
        storage_.wipe_line();
      } else {
        storage_.clear_line();
      }
      line_done_ = secret_ = false;
    }
    if (secret_reply_) storage_.wipe_given();
    secret_reply_ = false;
    storage_.drop_given();
  }

  constexpr void take(direction from, std::string_view& input, std::size_t size) {
    input.remove_prefix(size);
    taken_[index(from)] += size;
  }

  constexpr bool is_kept_order() const { return options_->order == feed_order::kept; }

  // ---- Losing the step -------------------------------------------------------------------------------------------------------

  /// Midway a wrong guess costs nothing: another one is made.
  constexpr void lose(lost_cause cause, direction from) {
    if (midway_ && cause != lost_cause::out_of_memory) {
      found_count_ = 0;
      skip_client();
      return;
    }
    lose_for_good(cause, from);
  }

  constexpr void lose_for_good(lost_cause cause, direction from) {
    mode_ = mode::lost;
    has_lost_ = true;
    lost_ = {cause, from, taken_[index(from)]};
  }

  /// A fresh observer that goes on counting.
  constexpr void begin_again() {
    const basic_observer before = std::move(*this);
    basic_observer fresh{*before.options_};
    fresh.taken_ = before.taken_;
    fresh.ended_ = before.ended_;
    fresh.serial_ = before.serial_;
    fresh.size_ = 0;
    *this = std::move(fresh);
  }

  constexpr void join_midway() {
    has_midway_ = true;
    start_known_ = true;
    midway_ = true;
    knows_offers_ = false;
    state_ = state::ready;
    skip_client();
  }

  /// Nobody knows what the client's octets are, until a reply shows where a command begins.
  constexpr void skip_client() {
    size_ = 0;
    waits_ = false;
    hoped_ = state_;
    reading_ = reading::skip;
    line_begun_ = false;
  }

  // ---- In flight -------------------------------------------------------------------------------------------------------------

  constexpr entry& head() { return ring_[first_]; }
  constexpr entry& newest() { return ring_[(first_ + size_ - 1) % InFlight]; }

  constexpr void push(const entry& e) {
    if (over_) return;
    if (size_ == InFlight) return lose(lost_cause::too_many_in_flight, client);
    ++size_;
    newest() = e;
    hoped_ = state_after(hoped_, e);
    waits_ = is_deciding(e.row);
    told_early_ = false;
  }

  constexpr void pop() {
    if (is_deciding(head().row)) waits_ = false;
    first_ = (first_ + 1) % InFlight;
    --size_;
  }

  /// What follows behind it depends on its reply: mail data or commands, a response, TLS, the extensions in use.
  static constexpr bool is_deciding(reply_row row) {
    return row == reply_row::hello || row == reply_row::data || row == reply_row::starttls || row == reply_row::auth;
  }

  /// It "can only appear as the last command in a group" (RFC 2920 3.1), and changes nothing of what the octets behind it are.
  static constexpr bool ends_group(reply_row row) {
    return row == reply_row::vrfy || row == reply_row::expn || row == reply_row::noop || row == reply_row::quit;
  }

  /// The state when `e` gets its positive reply in `now`, whether or not the table allows it there: the server has spoken.
  static constexpr state state_after(state now, const entry& e) {
    switch (e.row) {
      case reply_row::connection:
      case reply_row::xclient: return state::greeted;
      case reply_row::hello:
      case reply_row::message: return state::ready;
      case reply_row::mail: return state::mail;
      case reply_row::rcpt: return state::rcpt;
      case reply_row::rset: return in_transaction(now) ? state::ready : now;
      case reply_row::chunk:
        if (!e.is_data) return now;
        return e.last ? state::ready : state::chunk;
      default: return now;
    }
  }

  /// The state if everything in flight gets a positive reply: what the client may count on when it sends on.
  constexpr void hope_again() {
    hoped_ = state_;
    for (std::size_t i = 0; i < size_; ++i) hoped_ = state_after(hoped_, ring_[(first_ + i) % InFlight]);
  }

  // ---- The client ------------------------------------------------------------------------------------------------------------

  constexpr maybe_action step_client(std::string_view& input) {
    if (input.empty()) return run_dry();
    held_ = false;
    if (!start_known_ && !learn_start()) return hold();
    if (waits_) return wait_for_reply();
    switch (reading_) {
      case reading::command: return read_command(input);
      case reading::response: return read_response(input);
      case reading::mail_data: return read_mail_data(input);
      case reading::chunk: return read_chunk(input);
      case reading::skip: take(client, input, input.size()); return receive{};
    }
    return receive{};
  }

  constexpr maybe_action run_dry() {
    if (ended_[0] && ended_[1] && in_transaction(state_)) {
      drop_transaction(reset_cause::peer_gone, state::greeted);
      if (has_reset_) return std::nullopt;
    }
    return receive{};
  }

  /// Octets of the client came, and no reply yet: a conversation whose beginning was not seen. False while that is not known.
  constexpr bool learn_start() {
    const bool is_silent = ended_[index(server)];
    if (!is_silent && (taken_[index(server)] > 0 || !is_kept_order())) return false;
    join_midway();
    return true;
  }

  constexpr maybe_action hold() {
    held_ = true;
    return other_first{server};
  }

  constexpr maybe_action wait_for_reply() {
    if (is_kept_order() && !midway_ && !told_early_) {
      told_early_ = true;
      find(finding_of_early(newest().row), client, taken_[index(client)]);
      return std::nullopt;
    }
    if (ended_[index(server)]) {
      lose(lost_cause::other_end_silent, client);
      return std::nullopt;
    }
    return hold();
  }

  static constexpr finding finding_of_early(reply_row row) {
    if (row == reply_row::data) return finding::mail_data_before_reply;
    return row == reply_row::starttls ? finding::octets_behind_starttls : finding::octets_before_reply;
  }

  // ---- Lines -----------------------------------------------------------------------------------------------------------------

  /// A line without its CRLF.
  struct line {
    std::string_view octets;  ///< as much of it as is kept
    std::uint64_t size = 0;   ///< of all of it
    constexpr bool is_whole() const { return size == octets.size(); }
  };

  constexpr std::size_t kept_of_line() const {
    return std::min<std::size_t>(options_->limits.command_line, Storage::longest_line());
  }

  constexpr std::optional<line> take_line(std::string_view& input) {
    const std::size_t end = find_crlf(input);
    const bool is_cut = line_size_ > 0 || end == input.npos;
    const std::string_view part = input.substr(0, end);
    if (is_cut && !keep_part(part)) {
      lose(lost_cause::out_of_memory, client);
      return std::nullopt;
    }
    take(client, input, part.size());
    line_size_ += part.size();
    held_cr_ = part.ends_with('\r');
    if (end == input.npos) return std::nullopt;
    line out{is_cut ? storage_.line() : part, line_size_ - crlf.size()};
    const std::size_t most = kept_of_line();
    out.octets = out.octets.substr(0, out.size < most ? static_cast<std::size_t>(out.size) : most);
    line_size_ = 0;
    line_done_ = true;
    line_begun_ = false;
    return out;
  }

  constexpr bool keep_part(std::string_view part) {
    return storage_.append_line(part.substr(0, kept_of_line() - storage_.line().size()));
  }

  /// One past the LF of the first CRLF; the CR may be the last octet before the input.
  constexpr std::size_t find_crlf(std::string_view input) const {
    for (std::size_t from = 0;;) {
      const std::size_t lf = input.find('\n', from);
      if (lf == input.npos) return input.npos;
      if (lf > 0 ? input[lf - 1] == '\r' : line_size_ > 0 && held_cr_) return lf + 1;
      from = lf + 1;
    }
  }

  // ---- Commands --------------------------------------------------------------------------------------------------------------

  constexpr maybe_action read_command(std::string_view& input) {
    if (!line_begun_) {
      if (input.front() == tls_handshake && (midway_ || taken_[index(client)] == 0)) {
        if (midway_) {
          become_opaque();
        } else {
          lose_for_good(lost_cause::other_protocol, client);
        }
        return std::nullopt;
      }
      // Without an order each reply is told behind its command, as if nothing had been pipelined.
      if (size_ > 0 && !is_kept_order() && !ended_[index(server)]) return hold();
      line_begun_ = true;
      line_start_ = taken_[index(client)];
      look_at_order();
      return std::nullopt;
    }
    const auto taken = take_line(input);
    if (!taken) return mode_ == mode::follow ? maybe_action{receive{}} : std::nullopt;
    return read_line(*taken);
  }

  /// What the first octet of a command tells: whether it came too early.
  constexpr void look_at_order() {
    if (!is_kept_order() || midway_ || size_ == 0) return;
    if (newest().row == reply_row::connection) {
      if (!told_pipelining_) find(finding::command_before_greeting, client, line_start_);
      told_pipelining_ = true;
    } else if (knows_offers_ && !offers_.has(extension::pipelining)) {
      if (!told_pipelining_) find(finding::pipelining_not_offered, client, line_start_);
      told_pipelining_ = true;
    } else if (ends_group(newest().row)) {
      find(finding::group_goes_on, client, line_start_);
    }
  }

  constexpr maybe_action read_line(const line& taken) {
    const command_line c = split_command(taken.octets);
    const bool behind_chunk = std::exchange(behind_chunk_, false);
    const bool behind_refusal = std::exchange(behind_refusal_, false);
    if (midway_ && (!taken.is_whole() || !parse(taken.octets, c.name))) {
      secret_ = true;
      skip_client();
      return std::nullopt;
    }
    ++serial_;
    if (c.name == verb::unknown) {
      if (behind_chunk) find(finding::chunk_length_mismatch, client, line_start_);
      if (behind_refusal) find(finding::mail_data_after_refusal, client, line_start_);
    }
    if (taken.size + crlf.size() > longest_line(c.name)) find(finding::command_line_too_long, client, line_start_);
    if (c.name == verb::auth) return read_auth(c, taken);
    if (!taken.is_whole()) return take_malformed(c, taken.octets, errc::line_too_long);
    look_at_octets(taken.octets);
    if (const auto parsed = parse(taken.octets, c.name)) return take_command(c, taken.octets, *parsed);
    const errc reason = parse_command(taken.octets, set_for(c.name)).error().code;
    constexpr leniency all{true, true, true};
    if (const auto parsed = parse_command(taken.octets, set_for(c.name), all)) {
      find(finding::command_malformed, client, line_start_);
      return take_command(c, taken.octets, *parsed);
    }
    return take_malformed(c, taken.octets, reason);
  }

  /// Addresses may hold UTF-8 whatever was offered, so that they can be shown; that they do is a finding.
  constexpr charset set_for(verb name) const {
    const bool utf8 = name == verb::mail || name == verb::rcpt || !knows_offers_ || offers_.has(extension::smtputf8);
    return utf8 ? charset::utf8 : charset::ascii;
  }

  constexpr result<any_command> parse(std::string_view octets, verb name) const { return parse_command(octets, set_for(name)); }

  /// RFC 5321 4.5.3.1.4, and what the extensions add to it.
  constexpr std::uint64_t longest_line(verb name) const {
    std::uint64_t most = sizes::command_line;
    if (!knows_offers_) most = sizes::auth_line;
    if (name == verb::auth) most = sizes::auth_line;
    const auto add = [&](extension e, unsigned octets) { most += offers_.has(e) ? octets : 0; };
    if (name == verb::mail) {
      add(extension::size, 26);
      add(extension::binary_mime, 16);
      add(extension::smtputf8, 10);
      add(extension::dsn, 530);
      add(extension::auth, 500);
      add(extension::require_tls, 11);
      add(extension::deliver_by, 17);
    }
    if (name == verb::rcpt) add(extension::dsn, 530);
    return most;
  }

  constexpr void look_at_octets(std::string_view octets) {
    const auto at = [&](std::size_t offset) { return line_start_ + offset; };
    const auto forbidden = find_forbidden_octet(octets);
    if (!forbidden) return;
    // Each of the three once for a line.
    for (std::size_t i = forbidden->offset; i < octets.size(); ++i) {
      if (octets[i] == '\r' && !told(finding::bare_cr_in_command)) find(finding::bare_cr_in_command, client, at(i));
      if (octets[i] == '\n' && !told(finding::bare_lf_in_command)) find(finding::bare_lf_in_command, client, at(i));
      if (octets[i] == '\0' && !told(finding::nul_in_command)) find(finding::nul_in_command, client, at(i));
    }
  }

  constexpr bool told(finding what) const {
    return std::any_of(found_.begin(), found_.begin() + found_count_, [what](const anomaly& a) { return a.what == what; });
  }

  static constexpr reply_row row_of(verb name) {
    switch (name) {
      case verb::ehlo:
      case verb::helo:
      case verb::lhlo: return reply_row::hello;
      case verb::mail: return reply_row::mail;
      case verb::rcpt: return reply_row::rcpt;
      case verb::data: return reply_row::data;
      case verb::bdat: return reply_row::chunk;
      case verb::rset: return reply_row::rset;
      case verb::vrfy: return reply_row::vrfy;
      case verb::expn: return reply_row::expn;
      case verb::help: return reply_row::help;
      case verb::noop: return reply_row::noop;
      case verb::quit: return reply_row::quit;
      case verb::starttls: return reply_row::starttls;
      case verb::auth: return reply_row::auth;
      case verb::xclient: return reply_row::xclient;
      default: return reply_row::custom;
    }
  }

  constexpr bool lacks(extension e) const { return knows_offers_ && !midway_ && !offers_.has(e); }

  /// What a positive reply to `name` would do, whatever the replies in flight will be. Without an order the client may have known
  /// them or not.
  constexpr effect effect_of_next(verb name) const {
    const effect hoped = effect_of(hoped_, name);
    return hoped != effect::refuse || is_kept_order() ? hoped : effect_of(state_, name);
  }

  constexpr bool is_out_of_order(verb name) const {
    return !midway_ && !over_ && static_cast<std::size_t>(name) < ordered_verb_count && effect_of_next(name) == effect::refuse;
  }

  /// Order and extensions of a command that was read.
  constexpr void look_at_verb(verb name) {
    if (name != verb::bdat) behind_refused_chunk_ = false;
    // RFC 3030 2, RFC 2920 3.1: a chunk may have left before its client saw that the one before it was refused.
    const bool may_have_crossed = behind_refused_chunk_ && !lacks(extension::pipelining);
    if (is_out_of_order(name) && !may_have_crossed) {
      find(finding::command_out_of_order, client, line_start_);
    } else if ((name == verb::bdat && lacks(extension::chunking)) || (name == verb::auth && lacks(extension::auth)) ||
               (name == verb::starttls && lacks(extension::starttls))) {
      find(finding::extension_not_offered, client, line_start_);
    }
  }

  constexpr maybe_action take_command(const command_line& c, std::string_view octets, const any_command& command) {
    look_at_verb(c.name);
    entry e{serial_, row_of(c.name), c.name};
    bool may_hold_utf8 = false;
    if (const auto* const mail = std::get_if<mail_command>(&command)) {
      e.body = mail->parameters.body();
      e.utf8 = mail->parameters.smtputf8();
      may_hold_utf8 = sent_utf8_ = e.utf8;
      look_at_parameters(mail->parameters.list(), true);
    } else if (const auto* const rcpt = std::get_if<rcpt_command>(&command)) {
      may_hold_utf8 = sent_utf8_;
      look_at_parameters(rcpt->parameters.list(), false);
    } else if (const auto* const lookup = std::get_if<lookup_command>(&command)) {
      may_hold_utf8 = lookup->smtputf8;
    }
    look_for_eight_bit(octets, may_hold_utf8);
    const observed_command out{command, serial_, line_start_};
    if (const auto* const chunk = std::get_if<bdat_command>(&command)) {
      begin_chunk(e, chunk->size, chunk->last);
    } else {
      push(e);
    }
    return out;
  }

  static constexpr bool may_name_mailbox(verb name) {
    return name == verb::mail || name == verb::rcpt || name == verb::vrfy || name == verb::expn;
  }

  constexpr void look_for_eight_bit(std::string_view octets, bool allowed) {
    if ((allowed && !lacks(extension::smtputf8)) || ascii::is_ascii(octets)) return;
    if (!knows_offers_ || midway_) return;
    find(finding::eight_bit_in_command, client, line_start_);
  }

  constexpr void look_at_parameters(const parameter_list& list, bool is_mail) {
    for (const parameter& p : list) {
      const auto is = [&p](std::string_view keyword) { return ascii::equal_ignoring_case(p.keyword, keyword); };
      bool is_missing = false;
      if (is_mail) {
        is_missing = (is("SIZE") && lacks(extension::size)) ||
                     (is("BODY") && lacks(extension::eight_bit_mime) && lacks(extension::binary_mime)) ||
                     (is("SMTPUTF8") && lacks(extension::smtputf8)) || (is("REQUIRETLS") && lacks(extension::require_tls)) ||
                     ((is("RET") || is("ENVID")) && lacks(extension::dsn)) || (is("BY") && lacks(extension::deliver_by)) ||
                     (is("AUTH") && lacks(extension::auth));
      } else {
        is_missing = (is("NOTIFY") || is("ORCPT")) && lacks(extension::dsn);
      }
      if (!is_missing) continue;
      if (!told(finding::extension_not_offered)) find(finding::extension_not_offered, client, line_start_);
      return;
    }
  }

  constexpr maybe_action take_malformed(const command_line& c, std::string_view octets, errc reason) {
    const bool is_syntax = reason != errc::unknown_verb && reason != errc::verb_not_implemented && reason != errc::line_too_long &&
                           !find_forbidden_octet(octets);
    look_at_verb(c.name);
    if (is_syntax && c.name != verb::unknown) find(finding::command_malformed, client, line_start_);
    if (reason != errc::line_too_long) look_for_eight_bit(octets, may_name_mailbox(c.name));
    secret_ = true;
    const malformed_command out{c.name, secret{c.name == verb::auth ? c.word : octets}, reason, serial_, line_start_};
    if (c.name == verb::bdat && !lacks(extension::chunking)) {
      const auto chunk = parse_bdat(c.argument);
      if (chunk && reason != errc::line_too_long && !find_forbidden_octet(octets)) {
        begin_chunk({serial_, reply_row::chunk, verb::bdat}, chunk->command.size, chunk->command.last);
        return out;
      }
      find(finding::chunk_size_unreadable, client, line_start_);
      push({serial_, reply_row::chunk, verb::bdat});
      if (mode_ == mode::follow) lose(lost_cause::chunk_size_unreadable, client);
      return out;
    }
    push({serial_, row_of(c.name), c.name});
    return out;
  }

  // ---- AUTH (RFC 4954) -------------------------------------------------------------------------------------------------------

  constexpr maybe_action read_auth(const command_line& c, const line& taken) {
    secret_ = true;
    const auto auth = parse_auth(c.argument);
    if (!auth) return take_malformed(c, taken.octets, auth.error().code);
    look_at_verb(verb::auth);
    if (taken.is_whole()) look_at_octets(taken.octets);
    observed_auth out{observed_auth::step::command, auth->mechanism, auth->initial_response.has_value(), 0, serial_};
    if (auth->initial_response && *auth->initial_response != "=")
      out.octets = auth->initial_response->size() + (taken.size - taken.octets.size());
    look_for_eight_bit(taken.octets, false);
    push({serial_, reply_row::auth, verb::auth});
    return out;
  }

  constexpr maybe_action read_response(std::string_view& input) {
    secret_ = true;
    line_start_ = taken_[index(client)] - line_size_;
    const auto taken = take_line(input);
    if (!taken) return mode_ == mode::follow ? maybe_action{receive{}} : std::nullopt;
    reading_ = reading::command;
    if (taken->size + crlf.size() > sizes::auth_line) find(finding::command_line_too_long, client, line_start_);
    if (taken->is_whole()) look_at_octets(taken->octets);
    const bool is_cancel = taken->octets == "*";
    push({auth_serial_, reply_row::auth, verb::auth});
    return observed_auth{is_cancel ? observed_auth::step::cancel : observed_auth::step::response,
                         {},
                         false,
                         is_cancel ? 0 : taken->size,
                         auth_serial_};
  }

  // ---- Mail data -------------------------------------------------------------------------------------------------------------

  constexpr void begin_mail_data(std::uint32_t serial) {
    reading_ = reading::mail_data;
    data_serial_ = serial;
    reader_ = {};
    watch_ = {};
    watched_ = {};
  }

  /// The reader goes as far as the watch has looked, so that what was found is told at its place, however the octets are cut.
  constexpr maybe_action read_mail_data(std::string_view& input) {
    for (;;) {
      if (watched_.size == 0) {
        if (watched_.any()) {
          tell_watched();
          return std::nullopt;
        }
        if (input.empty()) return receive{};
        watched_ = watch_.next(input, taken_[index(client)]);
      }
      std::string_view part = input.substr(0, watched_.size);
      const std::size_t size = part.size();
      const auto step = reader_.next(part, bare_line_ends::keep, 0);
      const std::size_t read = size - part.size();
      take(client, input, read);
      watched_.size -= read;
      using kind = mail_data_reader::step::kind;
      if (step.what == kind::octets) return mail_data{step.octets};
      if (step.what == kind::end) {
        end_mail_data();
        return std::nullopt;
      }
      if (input.empty() && watched_.size > 0) return receive{};
    }
  }

  constexpr void tell_watched() {
    const std::uint64_t behind = taken_[index(client)];
    if (watched_.bare_cr) find(finding::bare_cr_in_mail_data, client, behind - 2);
    if (watched_.bare_lf) find(finding::bare_lf_in_mail_data, client, behind - 1);
    if (watched_.lookalike) find(finding::end_of_data_lookalike, client, watched_.dot);
    watched_ = {};
  }

  constexpr void end_mail_data() {
    reading_ = reading::command;
    has_message_ = true;
    message_ = {reader_.size(), data_serial_, false, reader_.has_long_line(), reader_.has_eight_bit(), reader_.has_bare_line_end()};
    if (reader_.has_long_line()) find(finding::text_line_too_long, client, taken_[index(client)]);
    if (reader_.has_eight_bit() && body_ == body_type::seven_bit && !midway_)
      find(finding::eight_bit_text, client, taken_[index(client)]);
    push({data_serial_, reply_row::message, verb::data});
  }

  // ---- Chunks (RFC 3030) -----------------------------------------------------------------------------------------------------

  constexpr void begin_chunk(entry e, std::uint64_t size, bool last) {
    if (lacks(extension::chunking)) {
      // For this server BDAT is an unknown command, and its octets are lines.
      e.row = reply_row::custom;
      push(e);
      behind_refusal_ = true;
      return;
    }
    e.last = last;
    e.is_open = true;
    // With nothing in flight the state is known, whatever the client may have hoped for when it sent the chunk.
    const state now = size_ == 0 ? state_ : hoped_;
    e.is_data = midway_ || effect_of(now, verb::bdat) == effect::chunk;
    if (e.is_data && now != state::chunk) message_ = {.chunked = true};
    swallows_ = !e.is_data;
    chunk_ = chunk_reader{size};
    chunk_entry_ = e;
    push(e);
    reading_ = reading::chunk;
    if (size == 0 && mode_ == mode::follow) end_chunk();
  }

  constexpr maybe_action read_chunk(std::string_view& input) {
    const std::string_view octets = chunk_.next(input);
    taken_[index(client)] += octets.size();
    if (!swallows_) message_.size += octets.size();
    if (chunk_.left() == 0) end_chunk();
    if (swallows_) return std::nullopt;
    return mail_data{octets};
  }

  constexpr void end_chunk() {
    reading_ = reading::command;
    behind_chunk_ = true;
    if (size_ > 0 && newest().is_open) newest().is_open = false;
    if (chunk_entry_.last && !swallows_) {
      message_.serial = chunk_entry_.serial;
      has_message_ = true;
    }
    settle();
  }

  /// LMTP: the last chunk has one reply for each accepted recipient, and so none without any. RFC 2033 4.3.
  constexpr void settle() {
    while (size_ > 0 && lmtp_ && head().row == reply_row::chunk && head().last && head().is_data && !head().is_open &&
           state_ == state::mail && answered_ == 0) {
      pop();
      drop_transaction(reset_cause::chunkless, state::ready);
      hope_again();
    }
  }

  // ---- The server ------------------------------------------------------------------------------------------------------------

  constexpr reply_limits limits_of_replies() const {
    reply_limits out = options_->limits.reply;
    out.octets = static_cast<std::uint32_t>(std::min<std::size_t>(out.octets, detail::kept_of_reply<Storage>));
    return out;
  }

  constexpr maybe_action step_server(std::string_view& input) {
    if (input.empty()) return run_dry();
    if (skips_line_) return skip_line(input);
    if (!reply_begun_) {
      const bool client_may_speak = !ended_[index(client)] && (held_ || !is_kept_order());
      const bool is_early = size_ == 0 || (head().is_open && !is_kept_order());
      if (is_early && client_may_speak && !midway_) return other_first{client};
      reply_begun_ = true;
      reply_start_ = taken_[index(server)];
      is_unmatched_ = size_ == 0;
    }
    const auto found = parser_.next(input, limits_of_replies());
    using kind = reply_parser::step::kind;
    if (found.what == kind::broken) return break_off(input, found);
    std::string_view octets = input.substr(0, found.taken);
    if (storage_.collected() > 0 || found.what == kind::need_more) {
      char* const place = storage_.reserve_output(octets.size());
      if (place == nullptr) {
        lose_for_good(lost_cause::out_of_memory, server);
        return std::nullopt;
      }
      std::copy(octets.begin(), octets.end(), place);
      storage_.commit_output(octets.size());
    }
    take(server, input, found.taken);
    if (found.what == kind::need_more) return receive{};
    if (storage_.collected() > 0) octets = storage_.give_output();
    reply_begun_ = false;
    return read_reply(parser_.reply(octets, offers_.has(extension::enhanced_status_codes)));
  }

  /// Nothing behind a reply that breaks the grammar can be read, but midway, where its first line may have been cut off.
  constexpr maybe_action break_off(std::string_view& input, const reply_parser::step& found) {
    if ((midway_ || !start_known_) && found.reason.code != errc::reply_over_limit) {
      if (!midway_) join_midway();
      const bool is_line = found.reason.code == errc::reply_malformed || found.reason.code == errc::reply_codes_differ;
      // A whole line was looked at, or all of it but its LF.
      const bool has_end = is_line && found.taken > 0 && input[found.taken - 1] == '\n';
      take(server, input, is_line && !has_end ? found.taken + 1 : found.taken);
      parser_ = {};
      storage_.clear_output();
      reply_begun_ = false;
      skips_line_ = !is_line;
      skip_client();
      return std::nullopt;
    }
    find(finding_of(found.reason.code), server, reply_start_ + found.reason.offset);
    lose_for_good(lost_cause::reply_unreadable, server);
    lost_.offset = reply_start_;  // however much of it has been taken
    return std::nullopt;
  }

  constexpr maybe_action skip_line(std::string_view& input) {
    const std::size_t lf = input.find('\n');
    skips_line_ = lf == input.npos;
    take(server, input, skips_line_ ? input.size() : lf + 1);
    if (skips_line_) return receive{};
    return std::nullopt;
  }

  static constexpr finding finding_of(errc code) {
    switch (code) {
      case errc::bare_cr: return finding::bare_cr_in_reply;
      case errc::bare_lf: return finding::bare_lf_in_reply;
      case errc::nul_octet: return finding::nul_in_reply;
      case errc::line_too_long: return finding::reply_line_too_long;
      case errc::reply_codes_differ: return finding::reply_codes_differ;
      case errc::reply_over_limit: return finding::reply_over_limit;
      default: return finding::reply_malformed;
    }
  }

  constexpr maybe_action read_reply(const received_reply& reply) {
    if (!start_known_) {
      start_known_ = true;
      if (!may_answer(reply_row::connection, reply.code())) {
        join_midway();
        is_unmatched_ = true;
      }
    }
    if (is_unmatched_ || size_ == 0) return take_unmatched(reply);
    return take_answer(reply);
  }

  /// Lines over 512 octets, and octets above 127 where nobody asked for them.
  constexpr void look_at_reply(const received_reply& reply) {
    const std::string_view octets = reply.octets();
    for (std::size_t start = 0; start < octets.size();) {
      const std::size_t end = octets.find('\n', start) + 1;
      if (end - start > sizes::reply_line) {
        find(finding::reply_line_too_long, server, reply_start_ + start);
        break;
      }
      start = end;
    }
    if (lacks(extension::smtputf8) && !ascii::is_ascii(octets)) find(finding::eight_bit_in_reply, server, reply_start_);
  }

  /// A reply that nothing in flight asked for. 421 may come at any time (RFC 5321 3.8).
  constexpr maybe_action take_unmatched(const received_reply& reply) {
    look_at_reply(reply);
    const observed_reply out{reply, reply_row::custom, 0, 0, reply_start_};
    if (reply.code() == 421 && !over_) {
      end_session();
    } else if (!midway_) {
      find(finding::unmatched_reply, server, reply_start_);
    } else if (size_ == 0) {
      return anchor(out);
    }
    return out;
  }

  /// Midway: the reply shows what the client sends next.
  constexpr maybe_action anchor(const observed_reply& out) {
    switch (out.reply.code()) {
      case 354: begin_mail_data(0); break;
      case 334:
        reading_ = reading::response;
        auth_serial_ = 0;
        return take_challenge(out.reply);
      case 221: end_session(); break;
      default: reading_ = reading::command; break;
    }
    return out;
  }

  constexpr observer_action take_challenge(const received_reply& reply) {
    secret_reply_ = true;
    return observed_auth{observed_auth::step::challenge,
                         {},
                         false,
                         reply.octets().size() - std::min<std::size_t>(6, reply.octets().size()),
                         auth_serial_};
  }

  constexpr bool ends_message(const entry& e) const {
    return e.row == reply_row::message ||
           (e.row == reply_row::chunk && e.last && e.is_data && (state_ == state::rcpt || state_ == state::chunk || midway_));
  }

  /// 503 answers what is out of order, 530 what comes before STARTTLS or AUTH (RFC 3207 4, RFC 4954 6), 554 and 521 anything of a
  /// session that serves nobody (RFC 5321 3.1, RFC 7504 3).
  constexpr bool is_in_table(const entry& e, int code) const {
    if (may_answer(e.row, code)) return true;
    if (e.row == reply_row::connection) return false;
    if (e.row == reply_row::chunk && e.last && may_answer(reply_row::message, code)) return true;
    return code == 503 || code == 530 || (state_ == state::barred && (code == 554 || code == 521));
  }

  constexpr maybe_action take_answer(const received_reply& reply) {
    const entry e = head();
    const int code = reply.code();
    const bool is_message = ends_message(e);
    if (e.row == reply_row::auth && code == 334) {
      pop();
      reading_ = reading::response;
      auth_serial_ = e.serial;
      return take_challenge(reply);
    }
    look_at_reply(reply);
    observed_reply out{reply, is_message ? reply_row::message : e.row, e.serial, 0, reply_start_};
    if (!midway_ && !is_in_table(e, code)) find(finding::reply_outside_table, server, reply_start_);
    if (is_message) out.recipient = lmtp_ ? answered_ : 0;
    reply_effect outcome = effect_of_reply(e.row, code);
    if (code == 421) outcome = reply_effect::refused;
    if (e.row == reply_row::rcpt && outcome == reply_effect::done) out.recipient = recipients_;
    if (e.is_open) {
      if (!midway_ && code != 421)  // which a server may say at any time (RFC 5321 3.8)
        find(outcome == reply_effect::done ? finding::chunk_length_mismatch : finding::chunk_refused_early, server, reply_start_);
      if (outcome != reply_effect::done) swallows_ = true;
    }
    if (is_message) {
      answer_message();
    } else {
      pop();
      const bool was_open = state_ == state::rcpt || state_ == state::chunk;
      apply(e, code, outcome, reply);
      if (e.name == verb::bdat) behind_refused_chunk_ = was_open && outcome != reply_effect::done;
    }
    if (code == 421) end_session();
    if (mode_ != mode::follow) return out;
    if (!may_still_hope(e.row)) {
      if (size_ == 0) {
        hoped_ = state_;
      } else if (outcome != reply_effect::done) {
        hope_again();
      }
    }
    settle();
    return out;
  }

  /// One reply to the end of mail data; LMTP has one for each accepted recipient (RFC 2033 4.2).
  constexpr void answer_message() {
    ++answered_;
    if (lmtp_ && answered_ < recipients_) return;
    answered_ = 0;
    pop();
    state_ = state::ready;
    recipients_ = 0;
  }

  /// Without an order nobody knows whether the client had seen this reply when it sent on, unless it ends a group.
  constexpr bool may_still_hope(reply_row row) const {
    const bool is_amid_group = row == reply_row::mail || row == reply_row::rcpt || row == reply_row::rset ||
                               row == reply_row::chunk || row == reply_row::message;
    return !is_kept_order() && is_amid_group && offers_.has(extension::pipelining) && !over_;
  }

  constexpr void apply(const entry& e, int code, reply_effect outcome, const received_reply& reply) {
    const bool is_done = outcome == reply_effect::done;
    switch (e.row) {
      case reply_row::connection: state_ = code == 220 ? state::greeted : state::barred; break;
      case reply_row::hello:
        if (is_done) open_session(e.name, reply);
        break;
      case reply_row::mail:
        if (!is_done) break;
        drop_transaction(reset_cause::refused, state::mail);
        body_ = e.body;
        midway_ = false;
        break;
      case reply_row::rcpt:
        if (!is_done) break;
        ++recipients_;
        state_ = state::rcpt;
        break;
      case reply_row::data:
        if (outcome == reply_effect::go_on) {
          begin_mail_data(e.serial);
        } else if (outcome == reply_effect::broken) {
          lose(lost_cause::ambiguous_reply, server);
        } else {
          behind_refusal_ = true;
        }
        break;
      case reply_row::chunk:
        if (is_done) {
          state_ = state_after(state_, e);
        } else if (in_transaction(state_)) {
          drop_transaction(reset_cause::refused, state::spoilt);
          if (reading_ == reading::chunk) swallows_ = true;  // one that was sent before the refusal came
        }
        break;
      case reply_row::rset:
        if (is_done && in_transaction(state_)) drop_transaction(reset_cause::rset, state::ready);
        break;
      case reply_row::quit:
        drop_transaction(reset_cause::quit, state::greeted);
        end_session();
        break;
      case reply_row::starttls:
        if (is_done) {
          drop_transaction(reset_cause::hello, state::greeted);
          become_opaque();
        }
        if (outcome == reply_effect::broken) lose(lost_cause::ambiguous_reply, server);
        break;
      case reply_row::auth:
        if (outcome == reply_effect::broken) lose(lost_cause::ambiguous_reply, server);
        break;
      case reply_row::xclient:  // a refusal of the command has other codes than one of the client that it names
        if (is_done) drop_transaction(reset_cause::hello, state::greeted);
        if (code == 554 || code == 521) drop_transaction(reset_cause::hello, state::barred);
        break;
      default: break;
    }
  }

  constexpr void open_session(verb name, const received_reply& reply) {
    drop_transaction(reset_cause::hello, state::ready);
    esmtp_ = name != verb::helo;
    lmtp_ = name == verb::lhlo;
    offers_ = esmtp_ ? capabilities::parse(reply) : ehlo::capabilities{};
    knows_offers_ = true;
    midway_ = false;
    told_pipelining_ = false;
    has_hello_ = true;
  }

  /// RFC 3207 4: the octets that follow are those of TLS.
  constexpr void become_opaque() {
    mode_ = mode::opaque;
    has_tls_ = true;
    size_ = 0;
    spoke_ = {};
  }

  /// The transaction has ended without a reply to its message. A spoilt one has ended before.
  constexpr void drop_transaction(reset_cause cause, state then) {
    if (in_transaction(state_) && state_ != state::spoilt) {
      has_reset_ = true;
      reset_cause_ = cause;
    }
    state_ = then;
    recipients_ = 0;
    answered_ = 0;
  }

  /// Nothing is answered any more. Mail data that are under way stay what they are.
  constexpr void end_session() {
    drop_transaction(reset_cause::closed, state_ == state::barred ? state::barred : state::greeted);
    over_ = true;
    size_ = 0;
    waits_ = false;
    hoped_ = state_;
    if (reading_ == reading::response) reading_ = reading::command;
  }

  // ---- State -----------------------------------------------------------------------------------------------------------------

  static constexpr std::string_view crlf = "\r\n";
  static constexpr char tls_handshake = '\x16';  ///< RFC 8446 5.1
  static constexpr char tls_record_first = '\x14';
  static constexpr char tls_record_last = '\x17';

  const observer_options* options_;
  std::array<std::uint64_t, 2> taken_{};
  std::uint64_t line_start_ = 0;   ///< of the command line
  std::uint64_t line_size_ = 0;    ///< octets of a line whose CRLF has not come
  std::uint64_t reply_start_ = 0;  ///< of the reply
  mail_data_reader reader_{};
  detail::line_end_watch watch_{};
  typename detail::line_end_watch::result watched_{};
  chunk_reader chunk_{};
  reply_parser parser_{};
  ehlo::capabilities offers_{};
  observed_message message_{};
  lost lost_{};
  entry chunk_entry_{};
  std::array<anomaly, 12> found_{};  ///< not yet told
  std::uint8_t found_count_ = 0;
  std::uint8_t found_next_ = 0;
  std::array<entry, InFlight> ring_{};
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::uint32_t serial_ = 0;
  std::uint32_t data_serial_ = 0;
  std::uint32_t auth_serial_ = 0;
  std::uint32_t recipients_ = 0;
  std::uint32_t answered_ = 0;  ///< LMTP: replies to the message
  mode mode_ = mode::follow;
  reading reading_ = reading::command;
  state state_ = state::greeted;
  state hoped_ = state::greeted;
  reset_cause reset_cause_{};
  body_type body_ = body_type::seven_bit;
  std::array<bool, 2> ended_{};
  std::array<bool, 2> spoke_{};  ///< since TLS began
  bool has_midway_ = false;
  bool has_message_ = false;
  bool has_reset_ = false;
  bool has_hello_ = false;
  bool has_tls_ = false;
  bool has_lost_ = false;
  bool start_known_ = true;
  bool midway_ = false;
  bool knows_offers_ = true;
  bool over_ = false;
  bool waits_ = false;       ///< for the reply that tells what the client's octets are
  bool held_ = false;        ///< octets of the client were shown and not taken
  bool told_early_ = false;  ///< that they came too early
  bool told_pipelining_ = false;
  bool line_begun_ = false;
  bool line_done_ = false;  ///< the kept line was handed out
  bool held_cr_ = false;    ///< the last octet of the line so far is CR
  bool secret_ = false;     ///< the kept line may hold credentials
  bool secret_reply_ = false;
  bool reply_begun_ = false;
  bool is_unmatched_ = false;  ///< nothing was in flight when the reply began
  bool skips_line_ = false;    ///< of the server, midway
  bool swallows_ = false;      ///< the chunk is no part of a message
  bool behind_chunk_ = false;
  bool behind_refused_chunk_ = false;
  bool behind_refusal_ = false;  ///< of DATA
  bool sent_utf8_ = false;       ///< of the last MAIL
  bool esmtp_ = false;
  bool lmtp_ = false;
  bool tls_ = false;
  Storage storage_{};
};

/// The observer with storage that grows on demand.
using observer = basic_observer<growing_storage>;

/// The observer with everything inside and no heap at all.
template <std::size_t LineOctets = 2048, std::size_t ReplyOctets = 4096, std::size_t InFlight = 256>
using fixed_observer = basic_observer<fixed_storage<LineOctets, ReplyOctets>, InFlight>;

}  // namespace ehlo

#endif  // EHLO_OBSERVER_OBSERVER_HPP
