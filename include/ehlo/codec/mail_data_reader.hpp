// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CODEC_MAIL_DATA_READER_HPP
#define EHLO_CODEC_MAIL_DATA_READER_HPP

/// @file
/// Mail data as DATA brings them: finds their end and undoes transparency. RFC 5321 2.3.8, 4.1.1.4, 4.5.2.

#include <algorithm>
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
  constexpr step next(std::string_view& input, bare_line_ends policy, std::uint64_t maximum) {
    if (is_broken_) return swallow(input);
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
  constexpr void abandon() { is_broken_ = true; }

 private:
  /// Where in a line the next octet stands.
  enum class place : std::uint8_t {
    line_start,
    dot,     ///< behind the dot that began a line
    dot_cr,  ///< behind that dot and a CR
    text,
    cr,     ///< behind a CR that is held back
    limit,  ///< between the CR and the LF of a line that is over the maximum
  };

  static constexpr std::string_view held = "\r\n";

  static constexpr bool take(std::string_view& input, char c) {
    if (input.front() != c) return false;
    input.remove_prefix(1);
    return true;
  }

  constexpr bool is_full(std::uint64_t maximum) const { return maximum != 0 && size_ >= maximum; }

  constexpr step broken(errc code, std::size_t before) {
    is_broken_ = true;
    if (place_ == place::limit) place_ = place::cr;
    return {step::kind::broken, {}, {code, before}};
  }

  constexpr step give(std::string_view octets) {
    size_ += octets.size();
    return {step::kind::octets, octets, {}};
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

  /// The current line has `count` octets more.
  constexpr void grow_line(std::size_t count) {
    line_ =
        count > sizes::text_line ? sizes::text_line + 1 : static_cast<std::uint32_t>(std::min(line_ + count, sizes::text_line + 1));
  }

  /// The current line ends behind `count` octets more.
  constexpr void end_line(std::size_t count) {
    has_long_line_ = has_long_line_ || line_ + count > sizes::text_line;
    line_ = 0;
  }

  /// Reads on from inside a line: many lines at a time, up to a dot that begins one.
  constexpr step read_text(std::string_view& input, bare_line_ends policy, std::uint64_t maximum) {
    const std::uint64_t room = maximum == 0 ? static_cast<std::uint64_t>(-1) : maximum - std::min(maximum, size_);
    // One octet more than fits is looked at, and its LF, to tell why it does not.
    const std::size_t seen = room < input.size() ? static_cast<std::size_t>(room) : input.size();
    std::size_t at = 0;          // octets that can be given
    std::size_t line_begin = 0;  // where the current line began in the input
    const auto finish = [&](std::size_t count, place then) {
      grow_line(count - line_begin);
      const step out = give(input.substr(0, count));
      input.remove_prefix(count);
      place_ = then;
      return out;
    };
    for (;;) {
      const octet_scan scan = scan_for_line_end(input.substr(at, seen - at));
      has_eight_bit_ = has_eight_bit_ || scan.eight_bit;
      at += scan.line_end;
      if (at == input.size()) return at == 0 ? step{} : finish(at, place::text);
      const char c = input[at];
      if (c == '\n' || c == '\r') {
        const bool at_end = c == '\r' && at + 1 == input.size();
        if (at_end) {  // whether it is alone is not known yet
          if (at == 0) {
            input.remove_prefix(1);
            place_ = place::cr;
            return {};
          }
          return finish(at, place::text);
        }
        if (c == '\r' && input[at + 1] == '\n') {
          if (at == seen) return at == 0 ? broken(errc::message_too_large, 0) : finish(at, place::text);
          if (at + 1 == seen && seen < input.size()) return finish(at + 1, place::limit);
          at += 2;
          end_line(at - line_begin);
          line_begin = at;
          if (at == input.size() || input[at] == '.') return finish(at, place::line_start);
          continue;
        }
        if (policy == bare_line_ends::refuse) {
          if (at > 0) return finish(at, place::text);
          return broken(c == '\r' ? errc::bare_cr : errc::bare_lf, 0);
        }
        has_bare_line_end_ = true;
      }
      if (at == seen) return at == 0 ? broken(errc::message_too_large, 0) : finish(at, place::text);
      ++at;
    }
  }

  /// Takes octets without giving them, up to the true end.
  constexpr step swallow(std::string_view& input) {
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
  bool has_eight_bit_ : 1 = false;
  bool has_long_line_ : 1 = false;
  bool has_bare_line_end_ : 1 = false;
  bool is_broken_ : 1 = false;
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
