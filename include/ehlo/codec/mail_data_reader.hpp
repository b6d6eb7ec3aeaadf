// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CODEC_MAIL_DATA_READER_HPP
#define EHLO_CODEC_MAIL_DATA_READER_HPP

/// @file
/// Mail data as DATA brings them: finds their end and undoes transparency. RFC 5321 2.3.8, 4.1.1.4, 4.5.2.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/codec/octet_scan.hpp>
#include <ehlo/error.hpp>
#include <ehlo/limits.hpp>

namespace ehlo {

/// What becomes of a message that holds a CR or LF alone. RFC 5321 2.3.8. Neither is ever a line end.
enum class bare_line_ends : std::uint8_t {
  refuse,  ///< the message is read to its true end and refused
  keep     ///< they are data octets; whoever reads the message next may see line ends in them
};

namespace detail {

/// Where in a line the next octet of mail data stands. `mail_data_reader::take_piece` depends on the order of the first three.
enum class mail_data_place : std::uint8_t {
  line_start,
  text,
  cr,      ///< behind a CR that is held back
  dot,     ///< behind the dot that began a line
  dot_cr,  ///< behind that dot and a CR
  limit,   ///< between the CR and the LF of a line that is over the maximum
};

/// The place behind each octet, if a LF ends a line.
inline constexpr std::array<mail_data_place, 256> places_behind = [] {
  std::array<mail_data_place, 256> out{};
  out.fill(mail_data_place::text);
  out['\r'] = mail_data_place::cr;
  out['\n'] = mail_data_place::line_start;
  return out;
}();

}  // namespace detail

/// Finds the end of mail data and undoes transparency. One automaton: only CRLF ends a line, only CRLF.CRLF (or .CRLF as the first
/// octets) ends the data, and a dot that begins a line is dropped. However the octets are cut, the same come out.
class mail_data_reader {
 public:
  /// What one call of `next` has found.
  struct step {
    enum class kind : std::uint8_t {
      octets,     ///< octets of the message
      need_more,  ///< the input was taken whole
      broken,     ///< the message broke a rule; what follows is swallowed
      end,        ///< the end of mail data was taken
    };

    kind what = kind::need_more;
    std::string_view octets{};  ///< a slice of the input, or of a constant; never empty
    /// `errc::bare_cr`, `bare_lf` or `message_too_large`. The octet that broke the rule is the next one of the input, with offset 1
    /// the one before it: a CR that had been held back.
    error reason{};
  };

  constexpr mail_data_reader() = default;

  /// Takes octets from the front of `input`. `maximum` is the size that the message may have, 0 for any.
  ///
  /// `broken` comes once, before the octet that broke the rule would have been given: `maximum` octets are given first. Where an
  /// octet is both alone and one too many, it is reported as alone.
  [[gnu::always_inline]] constexpr step next(std::string_view& input, bare_line_ends policy, std::uint64_t maximum) {
    const std::string_view front = input;
    // A feed that is short asks little: first what its size is, then whether the state lets it pass.
    if (is_long_piece(front.size())) [[likely]] {
      if (may_take(longest_piece, maximum)) [[likely]] {
        if (const std::size_t given = take_piece(front); given > 0) [[likely]]
          return give_front(input, given, front.size());
      }
    } else if (front.size() > longest_piece) {
      if (place_ == place::text && may_take(nearby, maximum)) {
        if (const std::size_t given = take_to_dot(front); given > 0) return give_front(input, given, given + 1);
      }
    } else if (front.size() == 1) {
      if (place_ == place::text && may_take(1, maximum) && take_octet(front.front())) return give_front(input, 1, 1);
    } else if (front.empty()) {
      return {};
    } else if (const std::size_t given = take_short_piece(front, maximum); given > 0) {
      return give_front(input, given, front.size());
    }
    return look_closer(input, policy, maximum);
  }

  /// Octets of the message so far: CRLFs counted, transparency dots and the last line not. RFC 1870 5.
  constexpr std::uint64_t size() const { return size_; }
  /// An octet above 127 was given.
  constexpr bool has_eight_bit() const { return has_eight_bit_; }
  /// A text line was over 1000 octets with its CRLF, without its transparency dot. RFC 5321 4.5.3.1.6.
  constexpr bool has_long_line() const { return has_long_line_; }
  /// A CR or LF alone was given (`bare_line_ends::keep`).
  constexpr bool has_bare_line_end() const { return has_bare_line_end_; }
  /// What comes is swallowed.
  constexpr bool is_broken() const { return is_broken_; }
  /// The caller gives the message up: what comes is swallowed up to the true end.
  constexpr void abandon() {
    is_broken_ = true;
    line_ = sizes::text_line;  // so that `may_take` need not ask
  }

 private:
  using place = detail::mail_data_place;

  static constexpr std::string_view held = "\r\n";

  static constexpr bool take(std::string_view& input, char c) {
    if (input.front() != c) return false;
    input.remove_prefix(1);
    return true;
  }

  /// Where the short ways do not do. A caller that `next` was inlined into can keep its own `input` in registers.
  constexpr step look_closer(std::string_view& input, bare_line_ends policy, std::uint64_t maximum) {
    std::string_view rest = input;
    step out = is_broken_ ? swallow(rest) : read(rest, policy, maximum);
    input = rest;
    return out;
  }

  [[gnu::noinline]] constexpr step read(std::string_view& input, bare_line_ends policy, std::uint64_t maximum) {
    while (!input.empty()) {
      switch (place_) {
        case place::line_start:
          place_ = place::text;
          if (take(input, '.')) place_ = place::dot;
          break;
        case place::dot:
          place_ = place::text;
          if (take(input, '\r')) place_ = place::dot_cr;
          break;
        case place::dot_cr:
          if (take(input, '\n')) return {step::kind::end, {}, {}};
          return lone_cr(policy, maximum);
        case place::cr:
          if (input.front() != '\n') return lone_cr(policy, maximum);
          if (is_full(maximum)) return broken(errc::message_too_large, 1);
          if (maximum != 0 && maximum - size_ == 1) {  // only the CR fits
            place_ = place::limit;
            return give(held.substr(0, 1));
          }
          input.remove_prefix(1);
          end_line(2);
          place_ = place::line_start;
          return give(held);
        case place::limit: return broken(errc::message_too_large, 0);
        case place::text:
          if (const step out = read_text(input, policy, maximum); out.what != step::kind::need_more) return out;
          break;
      }
    }
    return {};
  }

  constexpr bool is_full(std::uint64_t maximum) const { return maximum != 0 && size_ >= maximum; }

  constexpr step broken(errc code, std::size_t before) {
    abandon();
    if (place_ == place::limit) place_ = place::cr;
    return {step::kind::broken, {}, {code, before}};
  }

  constexpr step give(std::string_view octets) {
    size_ += octets.size();
    return {step::kind::octets, octets, {}};
  }

  /// The sizes of pieces that `scan_piece` is quickest with.
  static constexpr bool is_long_piece(std::size_t size) {
    using detail::scans::wide_block_size;
    return size - (wide_block_size + 1) < longest_piece - wide_block_size;
  }

  /// Takes octets from the front of `input`, and gives some of them.
  static constexpr step give_front(std::string_view& input, std::size_t given, std::size_t taken) {
    const char* const octets = input.data();
    input.remove_prefix(taken);
    return {step::kind::octets, {octets, given}, {}};
  }

  /// Takes one octet inside a line, which is no line end.
  constexpr bool take_octet(char octet) {
    if (octet <= '\r') return false;  // also an octet above 127, where char is signed
    has_eight_bit_ |= static_cast<unsigned char>(octet) > 127;
    ++line_;
    ++size_;
    return true;
  }

  /// An octet and where it stands, to be compared at once.
  static constexpr std::uint32_t both(char octet, place where) {
    return static_cast<unsigned char>(octet) | static_cast<std::uint32_t>(where) << 8U;
  }

  /// Takes a piece whole, if nothing in it needs a closer look, and returns how many octets of it are given, or 0 if it was not
  /// taken. A CR at its end is held back.
  ///
  /// What depends on where lines end is computed, not branched on: they end anywhere in a small feed, and the processor would guess
  /// wrong.
  [[gnu::always_inline]] constexpr std::size_t take_piece(std::string_view piece) {
    const char first = piece.front();
    if (first == '\n' || place_ > place::text || both(first, place_) == both('.', place::line_start)) return 0;
    const piece_scan found = scan_piece(piece, has_eight_bit_);
    if (found.odd != 0) [[unlikely]]
      return 0;
    place_ = detail::places_behind[static_cast<unsigned char>(piece.back())];
    const std::uint32_t held_back = static_cast<std::uint32_t>(place_) >> 1U;
    const auto given = static_cast<std::uint32_t>(piece.size()) - held_back;
    // Where a line ended, -1 stands for what it had, since the LF at `last_lf` is none of the next line.
    const std::uint32_t ended = 0U - std::uint32_t{found.lf != 0};                       // all bits, or none
    const auto last_lf = static_cast<std::uint32_t>(std::bit_width(found.lf | 1U)) - 1;  // 0 where there is none
    line_ = (line_ | ended) + given - last_lf;
    size_ += given;
    return given;
  }

  /// `take_piece` for those that are not long.
  [[gnu::noinline]] constexpr std::size_t take_short_piece(std::string_view piece, std::uint64_t maximum) {
    return may_take(longest_piece, maximum) ? take_piece(piece) : 0;
  }

  /// Takes all up to a dot that begins a line, and that dot, if it is nearby, as it often is where one has just been taken.
  [[gnu::noinline]] constexpr std::size_t take_to_dot(std::string_view text) {
    if (line_ != 0) return 0;
    const auto [at, eight_bit] = scan_for_nearby_dot(text);
    if (at == 0) return 0;
    has_eight_bit_ |= eight_bit;
    place_ = text[at + 1] == '\r' ? place::dot : place::text;
    size_ += at;
    return at;
  }

  /// So many octets more are neither too many for the line nor for the message.
  constexpr bool may_take(std::size_t size, std::uint64_t maximum) const {
    return line_ <= sizes::text_line - size && (maximum == 0 || (size_ <= maximum && size <= maximum - size_));
  }

  /// The octet behind a held CR is no LF.
  constexpr step lone_cr(bare_line_ends policy, std::uint64_t maximum) {
    place_ = place::text;
    if (policy == bare_line_ends::refuse) return broken(errc::bare_cr, 1);
    has_bare_line_end_ = true;
    if (is_full(maximum)) return broken(errc::message_too_large, 1);
    grow_line(1);
    return give(held.substr(0, 1));
  }

  /// The current line has `count` octets more, and no end among them.
  constexpr void grow_line(std::size_t count) {
    has_long_line_ = has_long_line_ || count > sizes::text_line - line_;
    line_ = has_long_line_ ? 0 : line_ + static_cast<std::uint32_t>(count);  // after a long line no other matters
  }

  /// The current line ends behind `count` octets more.
  constexpr void end_line(std::size_t count) {
    grow_line(count);
    line_ = 0;
  }

  /// `text` follows, and each LF in it ends a line.
  constexpr void count_lines(std::string_view text) {
    if (has_long_line_) {
      line_ = 0;
      return;
    }
    const std::size_t end = text.ends_with('\n') ? text.size() : behind_last_lf(text);
    const std::size_t before = end == 0 ? line_ : 0;
    const std::size_t rest = text.size() - end;
    has_long_line_ = rest > sizes::text_line - before || ehlo::has_long_line({text.data(), end}, line_);
    line_ = has_long_line_ ? 0 : static_cast<std::uint32_t>(before + rest);
  }

  /// How many octets are given and taken, and where the next one stands.
  struct slice_end {
    std::size_t given = 0;
    std::size_t taken = 0;
    place then = place::text;
  };

  /// The end of a text without marks that count; remembers a CR alone that is kept. `input` goes on behind it if the message may
  /// not be larger.
  constexpr slice_end end_of(std::string_view text, std::string_view input, bare_line_ends policy) {
    const std::size_t size = text.size();
    if (text.back() != '\r') {
      const bool is_line_end = size > 1 && text.back() == '\n' && text[size - 2] == '\r';
      return {size, size, is_line_end ? place::line_start : place::text};
    }
    if (size == input.size()) return {size - 1, size, place::cr};  // whether it is alone is not known yet
    if (input[size] == '\n') return {size, size, place::limit};
    if (policy == bare_line_ends::refuse) return {size - 1, size - 1, place::text};
    has_bare_line_end_ = true;
    return {size, size, place::text};
  }

  /// Reads on from inside a line: many lines at a time, up to a dot that begins one.
  [[gnu::always_inline]] constexpr step read_text(std::string_view& input, bare_line_ends policy, std::uint64_t maximum) {
    const std::string_view text = maximum == 0 ? input : input.substr(0, room_in(input, maximum));
    if (text.empty()) return one_too_many(input, policy);
    std::size_t counted = 0;  // how many octets `count_lines` has seen
    slice_end end;
    for (std::size_t from = 0;;) {
      const auto [at, eight_bit] = scan_for_far_mark(text, from);
      has_eight_bit_ |= eight_bit;
      if (at == text.size()) {
        end = end_of(text, input, policy);
        break;
      }
      from = at + 1;
      const char c = text[at];
      if (c == '.' && text[at - 1] == '\n') {
        if (at < 2 || text[at - 2] != '\r') continue;  // behind a LF that stands alone
        const bool may_end = from == input.size() || input[from] == '\r';
        end = {at, from, may_end ? place::dot : place::text};
        break;
      }
      if (policy == bare_line_ends::refuse) {
        const std::size_t alone = c == '\n' ? at : at - 1;
        end = {alone, alone, place::text};
        break;
      }
      has_bare_line_end_ = true;
      has_eight_bit_ = has_eight_bit_ || static_cast<unsigned char>(c) > 127;
      if (c == '\n') {
        count_lines({text.data() + counted, at - counted});
        grow_line(1);
        counted = from;
      }
    }
    if (end.taken == 0) return broken(text.front() == '\n' ? errc::bare_lf : errc::bare_cr, 0);
    input.remove_prefix(end.taken);
    place_ = end.then;
    if (end.given == 0) return {};
    count_lines({text.data() + counted, end.given - counted});
    return give({text.data(), end.given});
  }

  /// How many octets of `input` fit.
  constexpr std::size_t room_in(std::string_view input, std::uint64_t maximum) const {
    return static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), maximum - std::min(maximum, size_)));
  }

  /// No octet fits, and there is one inside a line.
  constexpr step one_too_many(std::string_view& input, bare_line_ends policy) {
    const char c = input.front();
    if (c == '\r' && input.size() == 1) {  // whether it is alone is not known yet
      input.remove_prefix(1);
      place_ = place::cr;
      return {};
    }
    const bool is_alone = c == '\n' || (c == '\r' && input[1] != '\n');
    if (!is_alone || policy == bare_line_ends::keep) return broken(errc::message_too_large, 0);
    return broken(c == '\n' ? errc::bare_lf : errc::bare_cr, 0);
  }

  /// Takes octets without giving them, up to the true end.
  [[gnu::noinline]] constexpr step swallow(std::string_view& input) {
    while (!input.empty()) {
      if (place_ == place::text) {
        input.remove_prefix(scan_for_line_end(input).line_end);
        if (input.empty()) break;
      }
      const char c = input.front();
      input.remove_prefix(1);
      if (c == '\n' && place_ == place::dot_cr) return {step::kind::end, {}, {}};
      if (c == '\r') {
        place_ = place_ == place::dot ? place::dot_cr : place::cr;
      } else if (c == '\n' && (place_ == place::cr || place_ == place::limit)) {
        place_ = place::line_start;
      } else {
        place_ = c == '.' && place_ == place::line_start ? place::dot : place::text;
      }
    }
    return {};
  }

  std::uint64_t size_ = 0;
  std::uint32_t line_ = 0;  ///< octets of the current line that were given, counted as far as it matters
  bool has_long_line_ : 1 = false;
  bool has_bare_line_end_ : 1 = false;
  bool has_eight_bit_ = false;  // these two, which each piece asks for, have an octet each
  bool is_broken_ = false;
  place place_ = place::line_start;
};

static_assert([] {
  mail_data_reader reader;
  std::string_view input = "..a\r\n.\r\nQUIT\r\n";
  const auto first = reader.next(input, bare_line_ends::refuse, 0);
  const auto second = reader.next(input, bare_line_ends::refuse, 0);
  return first.octets == ".a\r\n" && second.what == mail_data_reader::step::kind::end && input == "QUIT\r\n" && reader.size() == 4;
}());

}  // namespace ehlo

#endif  // EHLO_CODEC_MAIL_DATA_READER_HPP
