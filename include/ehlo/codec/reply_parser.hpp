// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CODEC_REPLY_PARSER_HPP
#define EHLO_CODEC_REPLY_PARSER_HPP

/// @file
/// Octets to replies: finds the end of each reply and checks its lines, however they are cut. RFC 5321 4.2, 4.2.1, 2.3.8.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/error.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/octet_run.hpp>
#include <ehlo/received_reply.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// Finds where a reply ends. It holds no octets: who feeds it keeps those of a reply that was cut.
///
/// Greeting   = ( "220 " ... ) / ( "220-" ... *( "220-" ... ) "220" [ SP textstring ] CRLF )
/// Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF      RFC 5321 4.2
///
/// Bare codes are taken, with and without the space (4.2). Only CRLF ends a line; a CR or LF alone, or a NUL, is an error, and so
/// are codes that differ in one reply (4.2.1) and a code that is not 2yz to 5yz. What it says is the same for any cut.
class reply_parser {
 public:
  /// What one call of `next` has found.
  struct step {
    enum class kind : std::uint8_t {
      need_more,  ///< all of the input belongs to a reply that is not complete
      complete,   ///< the first `taken` octets complete it
      broken,     ///< a rule is broken; nothing behind it can be read
    };

    kind what = kind::need_more;
    std::size_t taken = 0;  ///< octets of the input that belong to the reply
    /// `errc::reply_malformed`, `reply_codes_differ`, `bare_cr`, `bare_lf`, `nul_octet`, `line_too_long` or `reply_over_limit`; the
    /// offset counts from the first octet of the reply.
    error reason{};
  };

  /// Looks at `input`, which goes on where the one before ended. After `complete` the next call begins another reply; after
  /// `broken` each call says so again.
  [[gnu::always_inline]] constexpr step next(std::string_view input, const reply_limits& most = {}) {
    if (is_broken_) return {step::kind::broken, 0, {reason_, reason_offset_}};
    if (is_complete_) restart();
    std::size_t at = 0;
    while (at < input.size()) {
      if (line_size_ == 0) {
        // A line that lies whole in the input, as nearly all do.
        const std::size_t text_end = end_of_run<text_octet>(input, at);
        const std::size_t size = text_end + crlf.size() - at;
        const bool is_ended = input.size() - text_end >= crlf.size() && input[text_end] == '\r' && input[text_end + 1] == '\n';
        if (is_ended && size <= most.line && size_ + size <= most.octets) {
          line_size_ = static_cast<std::uint32_t>(size);
          size_ += line_size_;
          const char* const line = input.data() + at;
          at += size;
          if (!end_line(line, most)) return {step::kind::broken, at, {reason_, reason_offset_}};
          if (is_complete_) return {step::kind::complete, at, {}};
          continue;
        }
      }
      if (!take(input[at], most)) return {step::kind::broken, at, {reason_, reason_offset_}};
      ++at;
      if (is_complete_) return {step::kind::complete, at, {}};
    }
    return {step::kind::need_more, at, {}};
  }

  /// The reply that was completed, of which `octets` are all. `enhanced_offered` says whether the server offered
  /// ENHANCEDSTATUSCODES: else what looks like one is text (RFC 2034 4).
  constexpr received_reply reply(std::string_view octets, bool enhanced_offered) const {
    return {octets, code_, line_count_, enhanced_offered};
  }

  /// Octets of the reply so far.
  constexpr std::size_t size() const { return size_; }
  /// True if octets of a reply came that is not complete.
  constexpr bool is_amid() const { return size_ > 0 && !is_complete_; }

 private:
  constexpr void restart() {
    size_ = line_count_ = line_size_ = 0;
    is_complete_ = held_cr_ = false;
  }

  constexpr bool fail(errc code, std::size_t offset) {
    is_broken_ = true;
    reason_ = code;
    reason_offset_ = static_cast<std::uint32_t>(offset);
    return false;
  }

  /// Takes one octet; false if it breaks a rule.
  constexpr bool take(char c, const reply_limits& most) {
    if (held_cr_ && c != '\n') return fail(errc::bare_cr, size_ - 1);
    if (c == '\n' && !held_cr_) return fail(errc::bare_lf, size_);
    if (c == '\0') return fail(errc::nul_octet, size_);
    if (line_size_ == most.line) return fail(errc::line_too_long, size_);
    if (size_ == most.octets) return fail(errc::reply_over_limit, size_);
    held_cr_ = c == '\r';
    if (line_size_ < head_.size()) head_[line_size_] = c;
    ++line_size_;
    ++size_;
    return c != '\n' || end_line(head_.data(), most);
  }

  /// The line, with its CRLF, is complete: its first octets, which stand at `head`, tell code and place.
  [[gnu::always_inline]] constexpr bool end_line(const char* head, const reply_limits& most) {
    const std::size_t start = size_ - line_size_;
    const std::size_t text = line_size_ - crlf.size();
    if (line_count_ == most.lines) return fail(errc::reply_over_limit, start);
    const auto digit = [head](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(head[i])) - '0'; };
    if (text < 3 || digit(0) > 9 || digit(1) > 9 || digit(2) > 9) {
      std::size_t at = 0;
      while (at < text && digit(at) <= 9) ++at;
      return fail(errc::reply_malformed, start + at);
    }
    const unsigned code = digit(0) * 100 + digit(1) * 10 + digit(2);
    if (code < 200 || code > 599) return fail(errc::reply_malformed, start);
    if (line_count_ > 0 && code != code_) return fail(errc::reply_codes_differ, start);
    if (text > 3 && head[3] != ' ' && head[3] != '-') return fail(errc::reply_malformed, start + 3);
    code_ = static_cast<std::uint16_t>(code);
    ++line_count_;
    is_complete_ = text == 3 || head[3] == ' ';
    line_size_ = 0;
    held_cr_ = false;
    return true;
  }

  static constexpr auto text_octet = ascii::all - ascii::octet_class{std::string_view{"\r\n\0", 3}};

  std::uint32_t reason_offset_ = 0;
  std::uint32_t size_ = 0;       ///< octets of the reply
  std::uint32_t line_size_ = 0;  ///< octets of the current line
  std::uint32_t line_count_ = 0;
  std::uint16_t code_ = 0;
  errc reason_{};
  std::array<char, 4> head_{};  ///< the first octets of the current line
  bool is_complete_ : 1 = false;
  bool is_broken_ : 1 = false;
  bool held_cr_ : 1 = false;  ///< the last octet was CR
};

/// Parses one reply from octets that hold it and nothing else. Fails with the errors of `reply_parser`, `errc::reply_malformed` at
/// the end of a reply that is not complete, or `errc::trailing_octets`.
constexpr result<received_reply> parse_reply(std::string_view octets, bool enhanced_offered = false,
                                             const reply_limits& most = {}) {
  reply_parser parser;
  const auto found = parser.next(octets, most);
  if (found.what == reply_parser::step::kind::broken) return found.reason;
  if (found.what == reply_parser::step::kind::need_more) return error{errc::reply_malformed, octets.size()};
  if (found.taken != octets.size()) return error{errc::trailing_octets, found.taken};
  return parser.reply(octets, enhanced_offered);
}

static_assert(parse_reply("250-a\r\n250 b\r\n")->line(1) == "b" && parse_reply("250-a\r\n250\r\n")->line_count() == 2);
static_assert(parse_reply("550 5.1.1 no\r\n", true)->text() == "no" && parse_reply("550 5.1.1 no\r\n")->text() == "5.1.1 no");
static_assert(parse_reply("250-a\r\n550 b\r\n").error() == error{errc::reply_codes_differ, 7});

}  // namespace ehlo

#endif  // EHLO_CODEC_REPLY_PARSER_HPP
