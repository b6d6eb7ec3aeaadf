// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_MESSAGE_FIELD_WRITER_HPP
#define EHLO_MESSAGE_FIELD_WRITER_HPP

/// @file
/// The folding of header fields: what the writers of trace fields and of header sections share. RFC 5322 2.1.1, 2.2.3.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/result.hpp>

namespace ehlo::detail {

/// Puts words into fields and folds before the 79th octet of a line where it can. RFC 5322 2.1.1.
class field_writer {
 public:
  /// Whether `text` stands in a quoted-string, which it ends.
  enum class quoting : bool { plain, quoted };

  /// Writes nothing and counts.
  constexpr field_writer() : is_counting_{true} {}
  constexpr explicit field_writer(std::span<char> out) : out_{out} {}

  /// Puts `text` as it is. The first of a field is its name with the colon.
  constexpr void put(std::string_view text) {
    for (const char c : text) put(c);
  }
  constexpr void put(char c) {
    if (size_ < out_.size()) {
      out_[size_] = c;
    } else if (!is_counting_) {
      fail();
    }
    ++column_;
    if (column_ > longest_line) fail();
    ++size_;
  }
  /// White space before a word of `next` octets: a space, or a fold if the word would not fit on the line.
  constexpr void space(std::size_t next) {
    if (column_ + 1 + next > preferred_line && column_ > min_column)
      fold('\t');
    else
      put(' ');
  }
  constexpr void word(std::string_view text) {
    space(text.size());
    put(text);
  }
  /// Puts `lead` spaces and `text`, folded in front of spaces only, so that unfolding gives the same octets again. There is
  /// something other than white space on the line, and `text` has no controls. A line of nothing but white space is never made (RFC
  /// 5322 3.2.2). `quoting::quoted` puts a backslash before " and \, and the closing quotation mark behind.
  constexpr void text(std::string_view text, std::size_t lead, quoting how = quoting::plain) {
    const bool is_quoted = how == quoting::quoted;
    const auto is_escaped = [is_quoted](char c) { return is_quoted && (c == '"' || c == '\\'); };
    for (bool is_last = false; !is_last;) {
      const std::size_t blanks = std::min(text.find_first_not_of(' '), text.size());
      text.remove_prefix(blanks);
      const std::string_view word = text.substr(0, text.find(' '));
      text.remove_prefix(word.size());
      is_last = text.empty();
      const std::size_t run = lead + blanks;
      lead = 0;
      const auto escapes = static_cast<std::size_t>(std::count_if(word.begin(), word.end(), is_escaped));
      const std::size_t next = word.size() + escapes + (is_quoted && is_last ? 1U : 0U);
      std::size_t left = run;
      if (run > 0 && next > 0 && column_ + run + next > preferred_line) {
        fold(' ');
        --left;
      }
      for (; left > 0; --left) put(' ');
      for (const char c : word) {
        if (is_escaped(c)) put('\\');
        put(c);
      }
    }
    if (is_quoted) put('"');
  }
  /// Ends a line: a field, or the header section.
  constexpr void end_line() {
    column_ = 0;
    put(crlf);
    column_ = 0;
  }
  /// What was put so far, or that a line had over 998 octets or there was no room.
  constexpr result<std::size_t> size() const {
    if (failed_) return error{errc::header_line_too_long, failed_at_};
    return size_;
  }
  /// Ends the field, and gives the size.
  constexpr result<std::size_t> finish() {
    end_line();
    return size();
  }

 private:
  static constexpr std::size_t preferred_line = 78;
  static constexpr std::size_t longest_line = 998;
  static constexpr std::size_t min_column = 1;  // a line that has only its white space is not folded again

  constexpr void fold(char blank) {
    end_line();
    put(blank);
  }
  constexpr void fail() {
    if (!failed_) failed_at_ = size_;
    failed_ = true;
  }

  std::span<char> out_;
  std::size_t size_ = 0;
  std::size_t column_ = 0;
  std::size_t failed_at_ = 0;
  bool failed_ = false;
  bool is_counting_ = false;
};

}  // namespace ehlo::detail

#endif  // EHLO_MESSAGE_FIELD_WRITER_HPP
