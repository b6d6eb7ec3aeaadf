// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_RRVS_HPP
#define EHLO_EXTENSION_RRVS_HPP

/// @file
/// RRVS: a message for who has had the mailbox since some time, and for nobody else. RFC 7293.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/timestamp.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// What a relay does when the next server does not offer RRVS. RFC 7293 3.1.
enum class no_support_action : std::uint8_t {
  reject,            ///< R: the message does not go on
  continue_delivery  ///< C: it goes on without RRVS
};

/// RRVS on RCPT: since when the mailbox belongs to the one whom the sender knows. RFC 7293 3.1.
struct valid_since {
  timestamp time;
  std::optional<no_support_action> action{};  ///< as it was given, for a relay keeps it (5.1.1); none is `reject`

  constexpr bool may_continue() const { return action == no_support_action::continue_delivery; }

  /// The largest number of octets that `write` writes.
  static constexpr std::size_t max_size = timestamp::max_size + 2;
  /// Writes the value of the parameter and returns one past the last octet.
  constexpr char* write(char* out) const {
    out = time.write(out);
    if (!action) return out;
    *out++ = ';';
    *out++ = may_continue() ? 'C' : 'R';
    return out;
  }

  friend constexpr bool operator==(const valid_since&, const valid_since&) = default;
};

/// rrvs-param = "RRVS=" date-time [ ";" ( "C" / "R" ) ]      RFC 7293 3.1
///
/// The date-time is that of RFC 3339 without a fraction of a second. Fails with `errc::valid_since_value`.
constexpr result<valid_since> parse_valid_since(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  const auto time = timestamp::parse(text.substr(0, semicolon));
  if (!time) return error{errc::valid_since_value, time.error().offset};
  if (time->has_fraction()) return error{errc::valid_since_value, 0};
  valid_since out{*time};
  if (semicolon == text.npos) return out;
  const std::string_view letter = text.substr(semicolon + 1);
  if (ascii::equal_ignoring_case(letter, "C")) {
    out.action = no_support_action::continue_delivery;
  } else if (ascii::equal_ignoring_case(letter, "R")) {
    out.action = no_support_action::reject;
  } else {
    return error{errc::valid_since_value, semicolon + 1};
  }
  return out;
}

static_assert(parse_valid_since("2014-04-03T23:01:00Z;c")->may_continue() &&
              !parse_valid_since("2014-04-03T23:01:00Z")->may_continue());
static_assert(parse_valid_since("2014-04-03T23:01:00Z;").error() == error{errc::valid_since_value, 21});

}  // namespace ehlo

#endif  // EHLO_EXTENSION_RRVS_HPP
