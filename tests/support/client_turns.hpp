// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_CLIENT_TURNS_HPP
#define EHLO_TESTS_SUPPORT_CLIENT_TURNS_HPP

/// @file
/// A client session turn by turn, for what a dialogue does not show: that nothing leaves too early, when a result comes, how long
/// is waited.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"

class client_turns {
 public:
  explicit client_turns(const ehlo::client_options& options) : session{options} { REQUIRE(options.check().has_value()); }

  /// Gives the server's octets, and what is sent until the session waits, asks, is idle or ends.
  std::string after(std::string_view octets = {}) {
    buffer_ = std::make_unique<char[]>(octets.size());
    octets.copy(buffer_.get(), octets.size());
    std::string_view input{buffer_.get(), octets.size()};
    std::string sent;
    for (int turns = 0; turns < 100000; ++turns) {
      last = session.next(input);
      if (const auto* out = std::get_if<ehlo::transmit>(&last)) {
        sent += out->octets;
        waits.push_back(session.timeout());
      } else if (const auto* rcpt = std::get_if<ehlo::recipient_result>(&last)) {
        notices.push_back("rcpt " + std::to_string(rcpt->index) + " " + std::to_string(rcpt->reply.code()));
      } else if (const auto* message = std::get_if<ehlo::message_result>(&last)) {
        notices.push_back("message " + std::to_string(message->first) + " " + std::to_string(message->reply.code()));
      } else if (stops(last)) {
        return sent;
      }
    }
    FAIL("the session loops");
    return sent;
  }

  template <class Action>
  bool is_at() const {
    return std::holds_alternative<Action>(last);
  }

  ehlo::client_session session;
  ehlo::client_action last;          ///< the one that the last turn stopped at
  std::vector<std::string> notices;  ///< of recipients and messages
  std::vector<ehlo::wait> waits;     ///< what `timeout` said at each `transmit`

 private:
  static bool stops(const ehlo::client_action& action) {
    return std::visit([]<class Action>(const Action&) { return !ehlo::notice<Action>; }, action);
  }

  std::unique_ptr<char[]> buffer_;
};

#endif  // EHLO_TESTS_SUPPORT_CLIENT_TURNS_HPP
