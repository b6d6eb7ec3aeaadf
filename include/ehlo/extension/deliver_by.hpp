// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_DELIVER_BY_HPP
#define EHLO_EXTENSION_DELIVER_BY_HPP

/// @file
/// DELIVERBY: by when a message is to be delivered, and what becomes of it otherwise. RFC 2852.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/extension/size.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// by-mode: what becomes of a message whose time has run out. RFC 2852 4.
enum class by_mode : std::uint8_t {
  notify,          ///< N: it goes on, and the sender is told
  return_message,  ///< R: it goes back to the sender
};

/// BY on MAIL: a delta time, so that no two clocks need agree. RFC 2852 4.
struct deliver_by {
  std::int32_t seconds = 0;  ///< from MAIL on; -999999999 to 999999999, and more than 0 with `by_mode::return_message`
  by_mode mode = by_mode::notify;
  bool trace = false;  ///< each relay reports that it relayed the message

  /// What is left after `elapsed` seconds: what a relay passes on (RFC 2852 4.1.4). Below the range it stays at its end.
  constexpr deliver_by after(std::uint32_t elapsed) const {
    const std::int64_t left = std::int64_t{seconds} - elapsed;
    return {left < -largest ? -largest : static_cast<std::int32_t>(left), mode, trace};
  }
  /// True if the standard allows these values together.
  constexpr bool is_valid() const { return seconds >= -largest && seconds <= largest && (mode == by_mode::notify || seconds > 0); }

  /// The largest number of octets that `write` writes.
  static constexpr std::size_t max_size = 13;
  /// Writes the value of the parameter and returns one past the last octet.
  constexpr char* write(char* out) const {
    if (seconds < 0) *out++ = '-';
    out = write_decimal(static_cast<std::uint64_t>(seconds < 0 ? -std::int64_t{seconds} : seconds), out);
    *out++ = ';';
    *out++ = mode == by_mode::notify ? 'N' : 'R';
    if (trace) *out++ = 'T';
    return out;
  }

  static constexpr std::int32_t largest = 999999999;

  friend constexpr bool operator==(const deliver_by&, const deliver_by&) = default;
};

namespace detail {

/// 1*9DIGIT at the front of `text`, which loses it; -1 if it is not there.
constexpr std::int32_t take_nine_digits(std::string_view& text) {
  std::int32_t out = 0;
  std::size_t count = 0;
  for (; count < text.size() && ascii::digit.contains(text[count]); ++count) {
    if (count == 9) return -1;
    out = out * 10 + (text[count] - '0');
  }
  if (count == 0) return -1;
  text.remove_prefix(count);
  return out;
}

}  // namespace detail

/// by-value = by-time ";" by-mode [by-trace]
/// by-time  = ["-" / "+"] 1*9DIGIT           ; a negative or zero value is not allowed with a by-mode of "R"
/// by-mode  = "N" / "R"
/// by-trace = "T"                            RFC 2852 4
///
/// In any case. Fails with `errc::by_value` at the octet that is wrong.
constexpr result<deliver_by> parse_deliver_by(std::string_view text) {
  std::string_view rest = text;
  const auto wrong = [&] { return error{errc::by_value, text.size() - rest.size()}; };
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  const std::int32_t value = detail::take_nine_digits(rest);
  if (value < 0 || !rest.starts_with(';')) return wrong();
  rest.remove_prefix(1);
  deliver_by out{negative ? -value : value};
  const char mode = rest.empty() ? '\0' : ascii::to_upper(rest.front());
  if (mode != 'N' && mode != 'R') return wrong();
  if (mode == 'R') out.mode = by_mode::return_message;
  rest.remove_prefix(1);
  if (!rest.empty() && ascii::to_upper(rest.front()) == 'T') {
    out.trace = true;
    rest.remove_prefix(1);
  }
  if (!rest.empty()) return wrong();
  if (!out.is_valid()) return error{errc::by_value, 0};
  return out;
}

/// deliverby-param = min-by-time *( "," extension-token )      RFC 2852 2
///
/// The smallest by-time that a server takes with the mode R, in seconds; 0 if it names none.
constexpr std::uint32_t parse_deliver_by_minimum(std::string_view text) {
  const std::int32_t value = detail::take_nine_digits(text);
  return value < 0 || !(text.empty() || text.front() == ',') ? 0U : static_cast<std::uint32_t>(value);
}

static_assert(*parse_deliver_by("+60;rt") == deliver_by{60, by_mode::return_message, true});
static_assert(*parse_deliver_by("-5;N") == deliver_by{-5} && parse_deliver_by("0;R").error().code == errc::by_value);
static_assert(parse_deliver_by("1234567890;R").error().code == errc::by_value && parse_deliver_by("1;TR").error().offset == 2);
static_assert(parse_deliver_by_minimum("240,foo") == 240 && parse_deliver_by_minimum("24x") == 0);

}  // namespace ehlo

#endif  // EHLO_EXTENSION_DELIVER_BY_HPP
