// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_ROUTING_RETRY_HPP
#define EHLO_ROUTING_RETRY_HPP

/// @file
/// When a queued message is tried again, and when it is given up: the advice of the standard as values. RFC 5321 4.5.4.1.

#include <cstdint>
#include <optional>

namespace ehlo {

/// When to try again, and for how long. All of it may be changed, as "the parameters to the retry algorithm MUST be configurable".
/// Seconds. The defaults are the standard's advice: two attempts in the first hour, then one every two hours, for five days.
struct retry_schedule {
  std::uint32_t first_interval = 30 * 60;       ///< between the first attempt and the second; in general at least 30 minutes
  std::uint32_t interval = 2 * 60 * 60;         ///< between further attempts; "every two or three hours"
  std::uint32_t give_up = 5 * 24 * 60 * 60;     ///< age of a message that is given up; "at least 4-5 days"
  std::uint32_t give_up_notice = 24 * 60 * 60;  ///< the same of a notice (empty reverse-path), for which it "MAY" be shorter
  std::uint32_t least_addresses = 2;            ///< addresses to try at each attempt, if there are so many (5.1)

  /// True if the values keep to what the standard says a sender generally needs.
  constexpr bool is_advised() const {
    constexpr std::uint32_t half_an_hour = 30 * 60;
    constexpr std::uint32_t four_days = 4 * 24 * 60 * 60;
    return first_interval >= half_an_hour && interval >= half_an_hour && give_up >= four_days && give_up_notice <= give_up &&
           least_addresses >= 2;
  }

  /// How many seconds to wait after `attempts` attempts that failed for now, the last of them at `age` seconds after the message
  /// was queued. None: give it up and report it to the reverse-path; a notice, which has none, is dropped or goes to the
  /// postmaster.
  ///
  /// Messages to one destination share its wait: what is counted is best kept for a host rather than for each message. A 5yz to
  /// MAIL says nothing of other messages and is not remembered.
  constexpr std::optional<std::uint32_t> wait_after(std::uint32_t attempts, std::uint64_t age, bool is_notice = false) const {
    if (age >= (is_notice ? give_up_notice : give_up)) return std::nullopt;
    return attempts < 2 ? first_interval : interval;
  }

  friend constexpr bool operator==(const retry_schedule&, const retry_schedule&) = default;
};

static_assert(retry_schedule{}.is_advised());

}  // namespace ehlo

#endif  // EHLO_ROUTING_RETRY_HPP
