// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CODEC_MAIL_DATA_WRITER_HPP
#define EHLO_CODEC_MAIL_DATA_WRITER_HPP

/// @file
/// A message to mail data: as slices of its octets with the transparency dots put between, or copied with them; for DATA and for
/// BDAT. RFC 5321 2.3.8, 4.1.1.4, 4.5.2, 4.5.3.1.6; RFC 3030 2.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/codec/octet_scan.hpp>
#include <ehlo/error.hpp>
#include <ehlo/limits.hpp>

namespace ehlo {

/// What becomes of a CR or LF alone in a text that is to be sent. RFC 5321 2.3.8.
enum class line_ends : std::uint8_t {
  refuse,     ///< the message is not sent
  normalize,  ///< each CR alone, LF alone and CRLF becomes one CRLF, then dots are doubled
};

/// Writes mail data. Neither a CR nor a LF alone comes out, whatever goes in; however the octets are cut, the same come out.
class mail_data_writer {
 public:
  /// How a message is written.
  struct rules {
    ehlo::line_ends line_ends = line_ends::refuse;
    bool eight_bit = true;     ///< octets above 127 may come (BODY=8BITMIME); else they are refused (RFC 5321 2.4)
    bool transparency = true;  ///< a dot that begins a line is doubled (DATA); off for BDAT
    bool binary = false;       ///< octets are not looked at (BODY=BINARYMIME with BDAT)
  };

  /// What one call of `next` has found.
  struct step {
    enum class kind : std::uint8_t {
      octets,     ///< octets to be sent
      need_more,  ///< the input was taken whole
      broken,     ///< a rule is broken; nothing behind it is written
    };

    kind what = kind::need_more;
    std::string_view octets{};  ///< a slice of the input, or of a constant; never empty
    /// `errc::bare_cr`, `bare_lf`, `eight_bit_text` or `text_line_too_long`; the offset counts from the first octet of the message.
    error reason{};
  };

  constexpr mail_data_writer() = default;

  /// Takes octets from the front of `input`. A line that begins with a dot is a slice that ends with the dot, and one that begins
  /// with it: nothing is copied. Octets before the one that breaks a rule are given first.
  constexpr step next(std::string_view& input, const rules& how) {
    if (is_broken_) return broken_again();
    if (input.empty()) return {};
    if (how.binary) return give_front(input, input.size());
    if (place_ == place::cr) {
      if (input.front() == '\n') {
        take(input, 1);
        return end_line();
      }
      if (how.line_ends == line_ends::refuse) return broken(errc::bare_cr, 1);
      return end_line();
    }
    const bool eight_bit_matters = !how.eight_bit;
    std::size_t at = skip_lines(input, how);
    for (;;) {
      if (place_ == place::line_start) {
        if (at == input.size()) return give_front(input, at);
        place_ = place::text;
        if (input[at] == '.' && how.transparency) {
          // The slice ends with the dot, and the next one begins with it.
          const std::string_view octets{input.data(), at + 1};
          take(input, at);
          return give(octets);
        }
      }
      const octet_scan scan = scan_for_line_end(input.substr(at));
      if (const fault found = find_fault(input.substr(at, scan.line_end), eight_bit_matters && scan.eight_bit)) {
        line_ += static_cast<std::uint32_t>(found.at);
        if (at + found.at > 0) return give_front(input, at + found.at);
        return broken(found.code, 0);
      }
      at += scan.line_end;
      line_ += static_cast<std::uint32_t>(scan.line_end);
      if (at == input.size()) return give_front(input, at);
      const char c = input[at];
      if (c == '\r' && at + 1 < input.size() && input[at + 1] == '\n') {
        at += 2;
        line_ = 0;
        place_ = place::line_start;
        continue;
      }
      if (at > 0) return give_front(input, at);
      if (c == '\r' && input.size() == 1) {  // whether it is alone is not known yet
        take(input, 1);
        place_ = place::cr;
        return {};
      }
      if (how.line_ends == line_ends::refuse) return broken(c == '\r' ? errc::bare_cr : errc::bare_lf, 0);
      take(input, 1);
      return end_line();
    }
  }

  /// What ends the mail data, when all octets were taken. For DATA a last line without CRLF gets one, then comes the lone dot; for
  /// text by BDAT it gets its CRLF, which belongs to the chunk; the step may be `need_more`: there is nothing to add.
  ///
  /// `broken` with `errc::bare_cr` if the last octet was a CR.
  constexpr step end(const rules& how) {
    if (is_broken_) return broken_again();
    if (how.binary) return {};
    if (place_ == place::cr && how.line_ends == line_ends::refuse) return broken(errc::bare_cr, 1);
    const bool is_line_open = place_ != place::line_start;
    if (is_line_open) size_ += crlf.size();
    if (!how.transparency) return is_line_open ? step{step::kind::octets, crlf, {}} : step{};
    constexpr std::string_view last = "\r\n.\r\n";
    return {step::kind::octets, is_line_open ? last : last.substr(crlf.size()), {}};
  }

  /// Copies what `next` would give to the front of `out` and moves it on. Stops as `next` does, or with `octets` when `out` has
  /// less than three octets of room left. Every octet of the input becomes two at most.
  constexpr step copy(std::string_view& input, std::span<char>& out, const rules& how) {
    constexpr std::size_t longest_constant = 2;
    constexpr std::size_t block = 16384;  // what was just looked at is copied from the nearest cache
    while (out.size() > longest_constant) {
      std::string_view piece = input.substr(0, std::min(block, out.size() - longest_constant));
      const std::size_t before = piece.size();
      const step found = next(piece, how);
      input.remove_prefix(before - piece.size());
      if (found.what == step::kind::need_more && !input.empty()) continue;
      if (found.what != step::kind::octets) return found;
      std::copy_n(found.octets.data(), found.octets.size(), out.data());
      out = out.subspan(found.octets.size());
    }
    return {step::kind::octets, {}, {}};
  }

  /// Octets of the message that were given: CRLFs counted, transparency dots not. RFC 1870 5.
  constexpr std::uint64_t size() const { return size_; }
  /// Octets of the message that were taken.
  constexpr std::uint64_t taken() const { return taken_; }
  constexpr bool is_broken() const { return is_broken_; }

 private:
  /// Where in a line the next octet stands.
  enum class place : std::uint8_t {
    line_start,
    text,
    cr,  ///< behind a CR that is held back
  };

  struct fault {
    errc code{};
    std::size_t at = 0;
    bool is_there = false;
    constexpr explicit operator bool() const { return is_there; }
  };

  /// The first octet of a piece of a line that breaks a rule.
  constexpr fault find_fault(std::string_view text, bool has_eight_bit) const {
    constexpr std::size_t longest = sizes::text_line - 2;
    fault out;
    if (line_ + text.size() > longest) out = {errc::text_line_too_long, longest - line_, true};
    if (has_eight_bit) {
      const auto at = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), [](char c) { return !ascii::is_ascii(c); }) -
                                               text.begin());
      if (!out || at < out.at) out = {errc::eight_bit_text, at, true};
    }
    return out;
  }

  /// The offset behind the last line of a run of lines that can be given as they are; 0, and nothing changed, if there is none.
  /// What follows, be it a rule that is broken, is looked at line by line.
  constexpr std::size_t skip_lines(std::string_view input, const rules& how) {
    if (place_ == place::line_start && input.front() == '.' && how.transparency) return 0;
    const auto [at, eight_bit] = how.transparency ? scan_for_mark(input) : scan_for_mark<mark_set::line_ends>(input);
    if (at == 0 || (eight_bit && !how.eight_bit)) return 0;
    const bool is_dot = at < input.size() && input[at] == '.' && input[at - 1] == '\n';
    // The octet before another mark may be a CR that stands alone.
    const std::size_t end = is_dot ? at : behind_last_lf({input.data(), at == input.size() ? at : at - 1});
    if (end == 0) return 0;
    if (has_long_line({input.data(), end}, line_)) return 0;
    line_ = 0;
    place_ = place::line_start;
    return end;
  }

  /// The octet that breaks a rule is the next one of the input, or, with `before` 1, the CR that was held back.
  constexpr step broken(errc code, std::uint8_t before) {
    is_broken_ = true;
    reason_ = code;
    before_ = before;
    return broken_again();
  }
  constexpr step broken_again() const { return {step::kind::broken, {}, {reason_, static_cast<std::size_t>(taken_ - before_)}}; }
  constexpr void take(std::string_view& input, std::size_t count) {
    input.remove_prefix(count);
    taken_ += count;
  }
  constexpr step give(std::string_view octets) {
    // The dot at the end of a slice is the transparency dot: it is no octet of the message.
    size_ += octets.size() - 1;
    return {step::kind::octets, octets, {}};
  }
  constexpr step give_front(std::string_view& input, std::size_t count) {
    const std::string_view octets{input.data(), count};
    take(input, count);
    size_ += count;
    return {step::kind::octets, octets, {}};
  }
  constexpr step end_line() {
    line_ = 0;
    place_ = place::line_start;
    size_ += crlf.size();
    return {step::kind::octets, crlf, {}};
  }

  std::uint64_t size_ = 0;
  std::uint64_t taken_ = 0;
  std::uint32_t line_ = 0;  ///< octets of the current line so far
  errc reason_{};
  std::uint8_t before_ = 0;
  place place_ = place::line_start;
  bool is_broken_ = false;
};

static_assert([] {
  mail_data_writer writer;
  std::string_view input = "a\r\n.b";
  const auto first = writer.next(input, {});
  const auto second = writer.next(input, {});
  return first.octets == "a\r\n." && second.octets == ".b" && writer.end({}).octets == "\r\n.\r\n" && writer.size() == 7;
}());

}  // namespace ehlo

#endif  // EHLO_CODEC_MAIL_DATA_WRITER_HPP
