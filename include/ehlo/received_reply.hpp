// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_RECEIVED_REPLY_HPP
#define EHLO_RECEIVED_REPLY_HPP

/// @file
/// A reply as a server sent it: its code, its enhanced status code and its lines, as views of the octets received. RFC 5321 4.2,
/// 4.2.1; RFC 2034 4.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/enhanced_status_code.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/octet_run.hpp>
#include <ehlo/reply.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

class reply_parser;

/// A complete reply. It views the octets received and lives as long as they do.
///
/// Its text comes from the peer: show it, do not act on it. No line holds CR, LF or NUL, but other controls may be there; see
/// `write_printable`.
class received_reply {
 public:
  /// No reply: code 0, no lines.
  constexpr received_reply() = default;

  /// The reply code: 200 to 599.
  constexpr int code() const { return code_; }

  /// The enhanced status code; none if the server did not offer ENHANCEDSTATUSCODES, if there is none behind the code of the first
  /// line, or if its class contradicts the code (then it is text). RFC 2034 4.
  constexpr enhanced_status_code enhanced() const { return enhanced_; }

  /// All lines as received, each with its CRLF.
  constexpr std::string_view octets() const { return octets_; }

  constexpr std::size_t line_count() const { return line_count_; }

  /// The text of line `index`, counted from 0: without the code, and without an enhanced status code equal to that of the first
  /// line.
  constexpr std::string_view line(std::size_t index) const {
    std::size_t start = 0;
    for (; index > 0; --index) start = octets_.find('\n', start) + 1;
    return text_of_line(octets_.substr(start, octets_.find('\n', start) - start - 1));
  }

  /// The text of the first line.
  constexpr std::string_view text() const { return line_count_ == 0 ? std::string_view{} : line(0); }

  constexpr reply_severity severity() const { return severity_of(code_); }

  constexpr bool is_positive() const { return code_ < 400; }                                     ///< 2yz, 3yz
  constexpr bool is_completed() const { return severity() == reply_severity::completed; }        ///< 2yz
  constexpr bool is_intermediate() const { return severity() == reply_severity::intermediate; }  ///< 3yz
  constexpr bool is_transient() const { return severity() == reply_severity::transient; }        ///< 4yz
  constexpr bool is_permanent() const { return severity() == reply_severity::permanent; }        ///< 5yz

  /// Writes the text of all lines for people, a space between them, and returns one past the last octet: at most
  /// `octets().size()` octets. Controls, and octets that are not UTF-8, become "?": a terminal or a log shows nothing else.
  constexpr char* write_printable(char* out) const {
    for (std::size_t start = 0, number = 0; number < line_count_; ++number) {
      const std::size_t end = octets_.find('\n', start);
      if (number > 0) *out++ = ' ';
      for (cursor in{text_of_line(octets_.substr(start, end - start - 1))}; !in.at_end();) {
        const std::size_t at = in.offset();
        if (ascii::is_ascii(in.peek())) {
          *out++ = ascii::printable.contains(in.peek()) ? in.peek() : '?';
          in.advance(1);
        } else if (const auto character = grammar::utf8_non_ascii(in); character && !is_c1_control(*character)) {
          const std::string_view octets = in.since(at);
          out = std::copy(octets.begin(), octets.end(), out);
        } else {
          *out++ = '?';
          if (in.offset() == at) in.advance(1);
        }
      }
      start = end + 1;
    }
    return out;
  }

  /// Replies are equal if their octets are.
  friend constexpr bool operator==(const received_reply& a, const received_reply& b) { return a.octets_ == b.octets_; }

 private:
  friend class reply_parser;

  /// `octets` has been checked line by line.
  constexpr received_reply(std::string_view octets, std::uint16_t code, std::uint32_t line_count, bool enhanced_offered)
      : octets_{octets}, line_count_{line_count}, code_{code} {
    if (!enhanced_offered || severity() == reply_severity::intermediate) return;
    // Its class is the first digit of the code.
    constexpr std::size_t start = 4;
    if (octets_.size() < start + 2 || octets_[start] != octets_[0] || octets_[start + 1] != '.') return;
    const std::size_t size = end_of_run<ascii::all - ascii::octet_class{" \r"}>(octets_, start) - start;
    if (const auto parsed = enhanced_status_code::parse(octets_.substr(start, size))) enhanced_ = *parsed;
  }

  static constexpr std::string_view behind_code(std::string_view line) {
    return line.substr(std::min<std::size_t>(line.size(), 4));
  }
  static constexpr std::string_view first_word(std::string_view line) {
    const std::string_view text = behind_code(line);
    return text.substr(0, text.find(' '));
  }
  /// `line` is a line without its CRLF.
  constexpr std::string_view text_of_line(std::string_view line) const {
    std::string_view text = behind_code(line);
    if (enhanced_.is_none()) return text;
    const std::string_view word = first_word(line);
    if (const auto parsed = enhanced_status_code::parse(word); !parsed || *parsed != enhanced_) return text;
    text.remove_prefix(word.size());
    if (!text.empty()) text.remove_prefix(1);
    return text;
  }

  std::string_view octets_{};
  std::uint32_t line_count_ = 0;
  std::uint16_t code_ = 0;
  enhanced_status_code enhanced_{};
};

}  // namespace ehlo

#endif  // EHLO_RECEIVED_REPLY_HPP
