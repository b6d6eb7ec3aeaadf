// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CODEC_MESSAGE_TRAITS_HPP
#define EHLO_CODEC_MESSAGE_TRAITS_HPP

/// @file
/// What a message asks of the server that takes it: size, octets above 127, line ends, UTF-8 in the header section. RFC 5321 2.3.8,
/// 4.5.3.1.6; RFC 1870, 6152, 3030, 6531.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ehlo/codec/octet_scan.hpp>
#include <ehlo/extension/body.hpp>
#include <ehlo/limits.hpp>

namespace ehlo {

/// What is known of a message before it is sent. What is not known is checked while it is sent, when it may be too late for a
/// refusal that leaves the session usable; `message_scanner` finds out.
struct message_traits {
  std::optional<std::uint64_t> size{};  ///< octets with their CRLFs, without transparency dots; none: not known
  /// The octets: 7BIT, 8BITMIME, or BINARYMIME for a message that is to go octet for octet although it is no text in lines. None: a
  /// text that may have octets above 127.
  std::optional<body_type> body{};
  bool utf8_header = false;  ///< the header section holds UTF-8, or the caller wants SMTPUTF8 for another reason (RFC 6531 3.4)
  bool long_line = false;    ///< a line has over 1000 octets with its CRLF
  bool open_line = false;    ///< the last line has no CRLF: it gets one
  std::uint64_t bare_line_ends = 0;  ///< how often a CR or LF stands alone

  friend constexpr bool operator==(const message_traits&, const message_traits&) = default;
};

/// Finds the traits of a message that is fed in slices, however it is cut.
class message_scanner {
 public:
  /// Looks at the octets that follow those of the call before.
  constexpr void feed(std::string_view octets) {
    if (octets.empty()) return;
    size_ += octets.size();
    for (std::size_t at = 0; at < octets.size();) {
      if (held_cr_) {
        held_cr_ = false;
        if (octets[at] == '\n') {
          ++at;
          end_line();
          continue;
        }
        end_bare();
      }
      const bool is_header_over = in_header_ && line_ == 0 && octets[at] == '\r';
      if (!is_header_over) at += skip_text(octets.substr(at));
      if (at == octets.size()) break;
      const octet_scan scan = scan_for_line_end(octets.substr(at));
      eight_bit_ = eight_bit_ || scan.eight_bit;
      utf8_header_ = utf8_header_ || (scan.eight_bit && in_header_);
      line_ += scan.line_end;
      at += scan.line_end;
      if (at == octets.size()) break;
      if (octets[at] == '\r') {
        held_cr_ = true;
      } else {
        end_bare();
      }
      ++at;
    }
  }

  /// The traits of all octets so far, as those of a whole message.
  constexpr message_traits traits() const {
    message_traits out;
    out.size = size_;
    out.body = eight_bit_ ? body_type::eight_bit : body_type::seven_bit;
    out.utf8_header = utf8_header_;
    out.bare_line_ends = bare_line_ends_ + (held_cr_ ? 1U : 0U);
    out.long_line = long_line_ || line_ > longest;
    out.open_line = line_ > 0 && !held_cr_;
    return out;
  }

 private:
  static constexpr std::size_t longest = sizes::text_line - 2;

  /// Looks at octets up to a CR or LF that is alone or may be, or that ends the header section; gives their number.
  constexpr std::size_t skip_text(std::string_view octets) {
    const mark_scan found = in_header_ ? scan_for_mark<mark_set::header>(octets) : scan_for_mark<mark_set::line_ends>(octets);
    const std::size_t at = found.at;
    const bool is_behind_cr = at > 0 && octets[at - 1] == '\r';  // else the octet at it is a LF
    const std::string_view text = octets.substr(0, is_behind_cr ? at - 1 : at);
    eight_bit_ = eight_bit_ || found.eight_bit;
    utf8_header_ = utf8_header_ || (found.eight_bit && in_header_);
    long_line_ = long_line_ || line_ > sizes::text_line || has_long_line(text, static_cast<std::size_t>(line_));
    const std::size_t end = behind_last_lf(text);
    line_ = (end == 0 ? line_ : 0) + (text.size() - end);
    return text.size();
  }

  constexpr void end_line() {
    long_line_ = long_line_ || line_ > longest;
    if (line_ == 0) in_header_ = false;
    line_ = 0;
  }
  constexpr void end_bare() {
    ++bare_line_ends_;
    end_line();  // what would be a line if line ends are normalized
  }

  std::uint64_t size_ = 0;
  std::uint64_t line_ = 0;
  std::uint64_t bare_line_ends_ = 0;
  bool held_cr_ = false;
  bool in_header_ = true;
  bool eight_bit_ = false;
  bool utf8_header_ = false;
  bool long_line_ = false;
};

/// The traits of a whole message.
constexpr message_traits traits_of(std::string_view message) {
  message_scanner scanner;
  scanner.feed(message);
  return scanner.traits();
}

static_assert(traits_of("a: b\r\n\r\n\xE9\r\n") == message_traits{.size = 11, .body = body_type::eight_bit});
static_assert(traits_of("a\n").bare_line_ends == 1 && traits_of("a: \xC3\xA9\r\n").utf8_header);

}  // namespace ehlo

#endif  // EHLO_CODEC_MESSAGE_TRAITS_HPP
