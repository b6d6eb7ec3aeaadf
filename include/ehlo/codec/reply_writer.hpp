// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CODEC_REPLY_WRITER_HPP
#define EHLO_CODEC_REPLY_WRITER_HPP

/// @file
/// A reply to octets: lines of at most 512 octets, each with the same code and enhanced status code. RFC 5321 4.2,
/// 4.2.1, 4.5.3.1.5; RFC 2034 4.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/enhanced_status_code.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/reply.hpp>

namespace ehlo {

/// Whether the enhanced status code of a reply is written. It is omitted in the greeting and the answer to EHLO, HELO
/// and LHLO (RFC 2034 4), and while the extension is off.
enum class enhanced_codes : bool { omit, write };

namespace detail {

constexpr char* put(std::string_view text, char* out) { return std::copy_n(text.data(), text.size(), out); }

constexpr char* put_crlf(char* out) {
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

constexpr char* put_digit(unsigned value, char* out) {
  *out = static_cast<char>('0' + value);
  return out + 1;
}

/// `value`, at most 999, without leading zeros.
constexpr char* put_number(unsigned value, char* out) {
  if (value < 10) return put_digit(value, out);
  if (value >= 100) out = put_digit(value / 100, out);
  return put_digit(value % 10, put_digit(value / 10 % 10, out));
}

constexpr std::size_t number_size(unsigned value) { return value < 10 ? 1 : value < 100 ? 2 : 3; }

constexpr char* put_reply_code(int code, bool last, char* out) {
  const auto value = static_cast<unsigned>(code);
  const unsigned last_two = value % 100;
  out[0] = static_cast<char>('0' + value / 100);
  out[1] = static_cast<char>('0' + last_two / 10);
  out[2] = static_cast<char>('0' + last_two % 10);
  out[3] = last ? ' ' : '-';
  return out + 4;
}

}  // namespace detail

/// Octets of `code` as text: 0 for none, else 5 to 9.
constexpr std::size_t written_size(enhanced_status_code code) {
  return code.is_none() ? 0 : 3 + detail::number_size(code.subject) + detail::number_size(code.detail);
}

/// Writes `code`: "5.1.1"; nothing for none. Returns one past the last octet.
constexpr char* write(enhanced_status_code code, char* out) {
  if (code.is_none()) return out;
  out = detail::put_digit(code.class_code, out);
  *out++ = '.';
  out = detail::put_number(code.subject, out);
  *out++ = '.';
  return detail::put_number(code.detail, out);
}

/// Writes one line of a reply, such as a keyword line of EHLO: the code, a space if it is the `last` line or else a
/// hyphen, `text` and CRLF. Needs `text.size() + 6` octets; `text`, at most 506, holds what a reply may hold. Returns
/// one past the last octet.
///
/// The space is there even when `text` is empty (RFC 5321 4.2.1).
constexpr char* write_line(int code, bool last, std::string_view text, char* out) {
  return detail::put_crlf(detail::put(text, detail::put_reply_code(code, last, out)));
}

namespace detail {

/// The part of `text` that goes on a line with `room` octets for it: up to the last space that fits, else as many whole
/// characters as fit.
constexpr std::string_view fold(std::string_view text, std::size_t room) {
  if (text.size() <= room) return text;
  const std::size_t space = text.substr(0, room + 1).rfind(' ');
  if (space != text.npos && space != 0) return text.substr(0, space);
  std::size_t size = room;
  while (size > 1 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  return text.substr(0, size);
}

/// What stays of `text` behind `head`; the one space at the fold is dropped, since the line end stands for it.
constexpr std::string_view behind_fold(std::string_view text, std::string_view head) {
  text.remove_prefix(head.size());
  if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

/// Octets of a line that begins with `prefix` octets.
constexpr std::size_t line_size(std::size_t prefix, std::string_view word, std::string_view text) {
  return prefix + word.size() + (word.empty() || text.empty() ? 0 : 1) + text.size() + crlf.size();
}

/// Octets before the text of each line.
constexpr std::size_t prefix_size(enhanced_status_code code) { return code.is_none() ? 4 : 4 + written_size(code) + 1; }

[[gnu::always_inline]] constexpr char* put_line(int code, bool last, enhanced_status_code enhanced, std::string_view word,
                                                std::string_view text, char* out) {
  out = put_reply_code(code, last, out);
  if (!enhanced.is_none()) {
    out = write(enhanced, out);
    *out++ = ' ';
  }
  if (!word.empty()) {
    out = put(word, out);
    if (!text.empty()) *out++ = ' ';
  }
  return put_crlf(put(text, out));
}

}  // namespace detail

/// A reply laid out in lines, so that its size is known before it is written. Views the reply and the word.
///
/// No line has more than 512 octets (RFC 5321 4.5.3.1.5): longer ones are folded at a space, which the fold replaces,
/// or at the limit where there is none, never inside a character of UTF-8. Each line has the same code and the same
/// enhanced status code (RFC 5321 4.2.1, 2034 4); a 3yz reply has none. Only a challenge (334) is one line of any
/// length (RFC 4954 4).
///
/// `first_word`, at most 255 octets, is the name of the host in 220, 221, 421 and the answer to EHLO: it stands before
/// the text of the first line (RFC 5321 4.2).
class reply_lines {
 public:
  constexpr reply_lines(const reply& r, enhanced_codes codes, std::string_view first_word = {})
      : reply_{&r}, first_word_{first_word}, enhanced_{codes == enhanced_codes::write ? r.enhanced() : enhanced_status_code{}} {
    assert(first_word.size() <= sizes::domain);
    size_if_one_line_ = detail::line_size(detail::prefix_size(enhanced_), first_word, r.text());
    // A challenge is base64, one line, and may be longer: up to 12288 octets (RFC 4954 4).
    is_one_line_ = r.line_count() == 1 && (size_if_one_line_ <= sizes::reply_line || r.code() == 334);
  }

  /// Octets that `write` needs.
  constexpr std::size_t size() const { return is_one_line_ ? size_if_one_line_ : size_of_all(); }

  /// Writes the reply and returns one past its last octet. `out` has room for `size` octets.
  constexpr char* write(char* out) const {
    if (is_one_line_) return detail::put_line(reply_->code(), true, enhanced_, first_word_, reply_->text(), out);
    return write_all(out);
  }

 private:
  [[gnu::noinline]] constexpr std::size_t size_of_all() const {
    const std::size_t prefix = detail::prefix_size(enhanced_);
    std::size_t out = 0;
    for_each_line(
        [&out, prefix](std::string_view word, std::string_view text, bool) { out += detail::line_size(prefix, word, text); });
    return out;
  }

  [[gnu::noinline]] constexpr char* write_all(char* out) const {
    for_each_line([&out, this](std::string_view word, std::string_view text, bool last) {
      out = detail::put_line(reply_->code(), last, enhanced_, word, text, out);
    });
    return out;
  }

  /// Calls `put_line(word, text, last)` for each line.
  template <class PutLine>
  constexpr void for_each_line(PutLine put_line) const {
    const std::size_t around = detail::prefix_size(enhanced_) + crlf.size();
    const std::size_t room = reply_->code() == 334 ? std::size_t{SIZE_MAX} / 2 : sizes::reply_line - around;
    std::string_view word = first_word_;
    for (std::size_t i = 0; i < reply_->line_count(); ++i) {
      const bool last = i + 1 == reply_->line_count();
      std::string_view text = reply_->line(i);
      do {
        const std::string_view head = detail::fold(text, word.empty() ? room : room - word.size() - 1);
        text = detail::behind_fold(text, head);
        put_line(word, head, last && text.empty());
        word = {};
      } while (!text.empty());
    }
  }

  const reply* reply_;
  std::string_view first_word_;
  std::size_t size_if_one_line_;
  enhanced_status_code enhanced_;
  bool is_one_line_;
};

/// Octets that `write` needs for the same arguments.
constexpr std::size_t written_size(const reply& r, enhanced_codes codes, std::string_view first_word = {}) {
  return reply_lines{r, codes, first_word}.size();
}

/// Writes `r` as one reply (see `reply_lines`) and returns one past its last octet. `out` has room for `written_size` octets.
constexpr char* write(const reply& r, enhanced_codes codes, char* out, std::string_view first_word = {}) {
  return reply_lines{r, codes, first_word}.write(out);
}

static_assert([] {
  constexpr reply closing{221, {2, 0, 0}, "Service closing channel"};
  constexpr std::string_view wanted = "221 2.0.0 mx.example Service closing channel\r\n";
  char octets[wanted.size()] = {};
  return written_size(closing, enhanced_codes::write, "mx.example") == wanted.size() &&
         write(closing, enhanced_codes::write, octets, "mx.example") == octets + wanted.size() &&
         std::string_view{octets, wanted.size()} == wanted;
}());

}  // namespace ehlo

#endif  // EHLO_CODEC_REPLY_WRITER_HPP
