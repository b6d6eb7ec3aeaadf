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
  out = put_digit(value / 100, out);
  out = put_digit(value / 10 % 10, out);
  out = put_digit(value % 10, out);
  *out = last ? ' ' : '-';
  return out + 1;
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

/// Octets of the lines of `r` for its text, when a line begins with `prefix` octets and ends with CRLF.
constexpr std::size_t reply_room(const reply& r, std::size_t prefix) {
  // A challenge is base64, one line, and may be longer: up to 12288 octets (RFC 4954 4).
  return r.code() == 334 ? std::size_t{SIZE_MAX} / 2 : sizes::reply_line - prefix - crlf.size();
}

/// Calls `put_line(word, text, last)` for each line that `r` becomes. Kept out of the way of replies of one line.
template <class PutLine>
[[gnu::noinline]] constexpr void for_each_line(const reply& r, std::size_t room, std::string_view first_word, PutLine put_line) {
  std::string_view word = first_word;
  for (std::size_t i = 0; i < r.line_count(); ++i) {
    const bool last = i + 1 == r.line_count();
    std::string_view text = r.line(i);
    do {
      const std::string_view head = fold(text, word.empty() ? room : room - word.size() - 1);
      text = behind_fold(text, head);
      put_line(word, head, last && text.empty());
      word = {};
    } while (!text.empty());
  }
}

/// True if `r` is one line that need not be folded, as nearly all are.
constexpr bool is_one_line(const reply& r, std::size_t room, std::string_view first_word) {
  const std::size_t taken = first_word.empty() ? 0 : first_word.size() + 1;
  return r.line_count() == 1 && r.text().size() + taken <= room;
}

/// Octets of a line that begins with `prefix` octets.
constexpr std::size_t line_size(std::size_t prefix, std::string_view word, std::string_view text) {
  return prefix + word.size() + (word.empty() || text.empty() ? 0 : 1) + text.size() + crlf.size();
}

/// Octets before the text of each line.
constexpr std::size_t prefix_size(enhanced_status_code code) { return code.is_none() ? 4 : 4 + written_size(code) + 1; }

constexpr char* put_line(int code, bool last, enhanced_status_code enhanced, std::string_view word, std::string_view text,
                         char* out) {
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

/// Octets that `write` needs for the same arguments.
constexpr std::size_t written_size(const reply& r, enhanced_codes codes, std::string_view first_word = {}) {
  const std::size_t prefix = detail::prefix_size(codes == enhanced_codes::write ? r.enhanced() : enhanced_status_code{});
  const std::size_t room = detail::reply_room(r, prefix);
  if (detail::is_one_line(r, room, first_word)) return detail::line_size(prefix, first_word, r.text());
  std::size_t size = 0;
  detail::for_each_line(r, room, first_word, [&size, prefix](std::string_view word, std::string_view text, bool) {
    size += detail::line_size(prefix, word, text);
  });
  return size;
}

/// Writes `r` as one reply and returns one past its last octet. `out` has room for `written_size` octets.
///
/// No line has more than 512 octets (RFC 5321 4.5.3.1.5): longer ones are folded at a space, which the fold replaces,
/// or at the limit where there is none, never inside a character of UTF-8. Each line has the same code and the same
/// enhanced status code (RFC 5321 4.2.1, 2034 4); a 3yz reply has none. Only a challenge (334) is one line of any
/// length (RFC 4954 4).
///
/// `first_word`, at most 255 octets, is the name of the host in 220, 221, 421 and the answer to EHLO: it stands before
/// the text of the first line (RFC 5321 4.2).
constexpr char* write(const reply& r, enhanced_codes codes, char* out, std::string_view first_word = {}) {
  assert(first_word.size() <= sizes::domain);
  const enhanced_status_code code = codes == enhanced_codes::write ? r.enhanced() : enhanced_status_code{};
  const std::size_t room = detail::reply_room(r, detail::prefix_size(code));
  if (detail::is_one_line(r, room, first_word)) return detail::put_line(r.code(), true, code, first_word, r.text(), out);
  detail::for_each_line(r, room, first_word, [&out, &r, code](std::string_view word, std::string_view text, bool last) {
    out = detail::put_line(r.code(), last, code, word, text, out);
  });
  return out;
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
