// SPDX-License-Identifier: BSL-1.0
// Feeds an observer the way its callers do: octets that it does not take yet are kept and given again behind those of the other
// end, each piece in a buffer of its own that is gone when the views may no longer be looked at.
#ifndef EHLO_FUZZ_SUPPORT_WATCH_HPP
#define EHLO_FUZZ_SUPPORT_WATCH_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <ehlo/ehlo.hpp>

#include "support/drive.hpp"

namespace fuzz {

/// `tell(action)` is called for every action but `receive` and `other_first`.
template <class Observer, class Tell>
class watcher {
 public:
  watcher(const ehlo::observer_options& options, Tell tell) : observer{options}, tell_{std::move(tell)} {}

  void give(ehlo::direction from, std::string_view octets, std::size_t cut) {
    while (!octets.empty()) {
      const std::string_view piece = octets.substr(0, cut);
      octets.remove_prefix(piece.size());
      kept_[static_cast<std::size_t>(from)] += piece;
      drain(from);
    }
  }

  /// No more comes from either end.
  void finish() {
    for (const auto from : {ehlo::direction::from_client, ehlo::direction::from_server}) observer.end_of_input(from);
    for (const auto from : {ehlo::direction::from_client, ehlo::direction::from_server}) drain(from);
  }

  void drain(ehlo::direction from) {
    for (bool goes_on = true; goes_on;) {
      std::string& mine = kept_[static_cast<std::size_t>(from)];
      const std::unique_ptr<char[]> buffer{new char[mine.size()]};
      std::copy(mine.begin(), mine.end(), buffer.get());
      std::string_view input{buffer.get(), mine.size()};
      for (std::size_t actions = 0;; ++actions) {
        must(actions < 40 + mine.size() * 20, "an observer comes to the end of its input");
        const auto action = observer.next(from, input);
        const bool wants_other = std::holds_alternative<ehlo::other_first>(action);
        if (wants_other || std::holds_alternative<ehlo::receive>(action)) {
          must(wants_other != input.empty(), "all of the input is taken, or the other end's is wanted");
          mine.erase(0, mine.size() - input.size());
          from = ehlo::other(from);
          goes_on = !kept_[static_cast<std::size_t>(from)].empty();
          break;
        }
        if (!input.empty() && !kept_[static_cast<std::size_t>(ehlo::other(from))].empty()) depends_on_pieces = true;
        tell_(action);
      }
    }
  }

  Observer observer;
  /// Octets of one end had to wait, and in the piece that told their meaning more octets followed.
  bool depends_on_pieces = false;

 private:
  std::array<std::string, 2> kept_{};
  Tell tell_;
};

}  // namespace fuzz

#endif  // EHLO_FUZZ_SUPPORT_WATCH_HPP
