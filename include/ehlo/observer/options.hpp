// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_OBSERVER_OPTIONS_HPP
#define EHLO_OBSERVER_OPTIONS_HPP

/// @file
/// What an observer is told before a conversation: how its octets come, and how much of them it keeps.

#include <cstdint>

#include <ehlo/command.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// What the order means in which the octets of the two directions are given.
enum class feed_order : std::uint8_t {
  kept,     ///< it is that in which they passed: a proxy, a capture. Octets that came too early are findings
  unknown,  ///< none: two files, one for each direction. The observer says whose turn it is, and finds nothing too early
};

/// Whether the first octets that are given are the first of the conversation.
enum class beginning : std::uint8_t {
  seen,    ///< they are: a proxy, a capture that has seen the channel open
  unsure,  ///< nobody knows. Without a greeting the observer says `joined_midway`
};

/// What an observer keeps at most.
struct observer_limits {
  std::uint32_t command_line = 4096;  ///< octets of a command line that are kept; at least 512. The rest is counted
  reply_limits reply{.line = 12290};  ///< a challenge of AUTH may have 12288 octets (RFC 4954 4)
};

/// Everything that observers share. Must outlive them.
struct observer_options {
  feed_order order = feed_order::kept;
  beginning begin = beginning::seen;
  ehlo::protocol protocol = protocol::smtp;  ///< until EHLO or LHLO says which: for conversations joined midway
  observer_limits limits{};

  /// Fails with `errc::option_limit`. An observer with such options says `lost` at once.
  constexpr result<void> check() const {
    if (limits.command_line < sizes::command_line || limits.reply.line < sizes::reply_line ||
        limits.reply.octets < limits.reply.line || limits.reply.lines == 0)
      return error{errc::option_limit};
    return {};
  }
};

}  // namespace ehlo

#endif  // EHLO_OBSERVER_OPTIONS_HPP
