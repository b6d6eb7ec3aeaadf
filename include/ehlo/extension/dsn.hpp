// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_DSN_HPP
#define EHLO_EXTENSION_DSN_HPP

/// @file
/// DSN: what reports a sender wants. RFC 3461; ORCPT of type utf-8 by RFC 6533.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/grammar/xtext.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

namespace detail {

inline constexpr ascii::word_table ret_words{std::array<std::string_view, 2>{"FULL", "HDRS"}};
inline constexpr ascii::word_table notify_words{std::array<std::string_view, 4>{"SUCCESS", "FAILURE", "DELAY", "NEVER"}};

}  // namespace detail

/// RET: how much of the message a report returns. RFC 3461 4.3.
enum class ret_type : std::uint8_t { full, hdrs };

/// ret-value = "FULL" / "HDRS"               RFC 3461 4.3
///
/// In any case. Fails with `errc::ret_value`.
constexpr result<ret_type> parse_ret(std::string_view text) {
  switch (detail::ret_words.find(text)) {
    case 0: return ret_type::full;
    case 1: return ret_type::hdrs;
    default: return error{errc::ret_value, 0};
  }
}

/// NOTIFY: the events that are reported. With all three false: NEVER. RFC 3461 4.1.
struct notify_set {
  bool success = false;
  bool failure = false;
  bool delay = false;

  constexpr bool is_never() const { return !success && !failure && !delay; }
  friend constexpr bool operator==(const notify_set&, const notify_set&) = default;
};

/// notify-esmtp-value = "NEVER" / 1#notify-list-element; notify-list-element = "SUCCESS" / "FAILURE" / "DELAY"      RFC 3461 4.1
///
/// In any case; NEVER stands alone. Fails with `errc::notify_value` at the element that is none of these.
constexpr result<notify_set> parse_notify(std::string_view text) {
  notify_set out;
  for (std::size_t start = 0;;) {
    const std::size_t comma = text.find(',', start);
    const std::string_view element = text.substr(start, comma == text.npos ? text.npos : comma - start);
    switch (detail::notify_words.find(element)) {
      case 0: out.success = true; break;
      case 1: out.failure = true; break;
      case 2: out.delay = true; break;
      case 3:
        if (element.size() == text.size()) return out;
        [[fallthrough]];
      default: return error{errc::notify_value, start};
    }
    if (comma == text.npos) return out;
    start = comma + 1;
  }
}

/// envid-parameter = "ENVID=" xtext          RFC 3461 4.4
///
/// At most 100 octets, printable when decoded. Fails with `errc::envid_too_long` or `errc::envid_value`.
constexpr result<xtext> parse_envid(std::string_view text) {
  if (text.size() > sizes::envid) return error{errc::envid_too_long, sizes::envid};
  if (text.empty()) return error{errc::envid_value, 0};
  const auto value = xtext::parse(text);
  if (!value) return error{errc::envid_value, value.error().offset};
  return *value;
}

/// ORCPT: the address that the sender first used. The case of its octets is never changed (RFC 3461 5.2.1).
struct original_recipient {
  std::string_view address_type;  ///< "rfc822", "utf-8", ... as it was spelt
  std::string_view address;       ///< encoded: xtext, or utf-8-addr-xtext for the type utf-8

  friend constexpr bool operator==(const original_recipient&, const original_recipient&) = default;
};

/// orcpt-parameter = "ORCPT=" addr-type ";" xtext      RFC 3461 4.2
///
/// At most 500 octets; the decoded address is printable; of the type utf-8 it is as RFC 6533 3 says, and with
/// `charset::utf8` it may hold octets above 127. Fails with `errc::orcpt_too_long` or `errc::orcpt_value`.
constexpr result<original_recipient> parse_orcpt(std::string_view text, charset set = charset::ascii) {
  if (text.size() > sizes::orcpt) return error{errc::orcpt_too_long, sizes::orcpt};
  constexpr auto type_octet = ascii::let_dig | ascii::octet_class{"-"};
  const std::size_t semicolon = text.find(';');
  if (semicolon == text.npos || semicolon == 0) return error{errc::orcpt_value, 0};
  const original_recipient out{text.substr(0, semicolon), text.substr(semicolon + 1)};
  for (std::size_t i = 0; i < semicolon; ++i) {
    if (!type_octet.contains(text[i])) return error{errc::orcpt_value, i};
  }
  const std::size_t start = semicolon + 1;
  if (out.address.empty()) return error{errc::orcpt_value, start};
  if (ascii::equal_ignoring_case(out.address_type, "utf-8")) {
    if (const auto decoded = utf8_address::parse(out.address, set); !decoded)
      return error{errc::orcpt_value, start + decoded.error().offset};
  } else if (const auto decoded = xtext::parse(out.address); !decoded) {
    return error{errc::orcpt_value, start + decoded.error().offset};
  }
  return out;
}

static_assert(*parse_notify("Success,failure") == notify_set{.success = true, .failure = true});
static_assert(parse_notify("NEVER,SUCCESS").error() == error{errc::notify_value, 0});
static_assert(parse_notify("SUCCESS,").error() == error{errc::notify_value, 8});

}  // namespace ehlo

#endif  // EHLO_EXTENSION_DSN_HPP
