// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_MTRK_HPP
#define EHLO_EXTENSION_MTRK_HPP

/// @file
/// MTRK: a message whose way can be asked for later. RFC 3885.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/extension/deliver_by.hpp>
#include <ehlo/extension/size.hpp>
#include <ehlo/grammar/base64.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// MTRK on MAIL: who may ask, and for how long. RFC 3885 3.1. A view.
struct tracking {
  std::string_view certifier;                 ///< the hash of the sender's secret in base64 without padding, at most 27 octets
  std::optional<std::uint32_t> timeout = {};  ///< seconds from here on; nine digits at most. None: what the server thinks right

  /// What a relay passes on after `elapsed` seconds; none when the time has run out. RFC 3885 3.1.
  constexpr std::optional<tracking> after(std::uint32_t elapsed) const {
    if (!timeout) return *this;
    if (*timeout <= elapsed) return std::nullopt;
    return tracking{certifier, *timeout - elapsed};
  }
  /// True if the standard allows these values.
  constexpr bool is_valid() const;

  static constexpr std::size_t largest_certifier = 27;  ///< SHA-1 has 160 bits
  static constexpr std::uint32_t largest_timeout = 999999999;
  /// The largest number of octets that `write` writes.
  static constexpr std::size_t max_size = largest_certifier + 1 + 9;
  /// Writes the value of the parameter and returns one past the last octet.
  constexpr char* write(char* out) const {
    out = std::copy(certifier.begin(), certifier.end(), out);
    if (!timeout) return out;
    *out++ = ':';
    return write_decimal(*timeout, out);
  }

  friend constexpr bool operator==(const tracking&, const tracking&) = default;
};

/// mtrk-parameter = "MTRK=" mtrk-certifier [ ":" mtrk-timeout ]
/// mtrk-certifier = base64
/// mtrk-timeout   = 1*9DIGIT                 RFC 3885 3.1
///
/// No value of a parameter holds "=" (RFC 5321 4.1.2), so the base64 has no padding. Fails with `errc::tracking_value`.
constexpr result<tracking> parse_tracking(std::string_view text) {
  const std::size_t colon = text.find(':');
  tracking out{text.substr(0, colon)};
  for (std::size_t i = 0; i < out.certifier.size(); ++i) {
    if (detail::base64_value(out.certifier[i]) == detail::no_base64 || i == tracking::largest_certifier)
      return error{errc::tracking_value, i};
  }
  if (out.certifier.empty() || out.certifier.size() % 4 == 1) return error{errc::tracking_value, 0};
  if (colon == text.npos) return out;
  std::string_view rest = text.substr(colon + 1);
  const std::int32_t timeout = detail::take_nine_digits(rest);
  if (timeout < 0 || !rest.empty()) return error{errc::tracking_value, colon + 1};
  out.timeout = static_cast<std::uint32_t>(timeout);
  return out;
}

constexpr bool tracking::is_valid() const {
  const auto parsed = parse_tracking(certifier);
  return parsed && !parsed->timeout && timeout.value_or(0) <= largest_timeout;
}

static_assert(*parse_tracking("aGVsbG8:60") == tracking{"aGVsbG8", 60} && !parse_tracking("aGVsbG8:") && !parse_tracking("a"));

}  // namespace ehlo

#endif  // EHLO_EXTENSION_MTRK_HPP
