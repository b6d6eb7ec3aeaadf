// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXAMPLES_SUPPORT_TRANSCRIPT_PRINTER_HPP
#define EHLO_EXAMPLES_SUPPORT_TRANSCRIPT_PRINTER_HPP

/// @file
/// What `--verbose` prints: the dialogue of a session on standard error, without credentials and mail data.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ehlo/observer/transcript.hpp>
#include <ehlo/secret.hpp>

#include "print.hpp"

namespace example {

/// Prints one session. Give it the octets in the order in which they pass: those read, and those of `transmit`.
class transcript_printer {
 public:
  /// Each line begins with `prefix`.
  explicit transcript_printer(std::string prefix) : prefix_{std::move(prefix)} {}
  transcript_printer(const transcript_printer&) = delete;
  transcript_printer& operator=(const transcript_printer&) = delete;
  ~transcript_printer() {
    for (std::vector<char>& octets : kept_) ehlo::wipe(octets.data(), octets.size());
  }

  void hear(ehlo::direction from, std::string_view octets) {
    if (kept_of(from).empty()) print(from, octets);  // as a rule all of it
    keep(from, octets);
    while (print_kept(from) || print_kept(ehlo::other(from))) {
    }
  }
  void tls_started() { transcript_.tls_started(); }

 private:
  static constexpr std::size_t most_kept = 65536;

  std::vector<char>& kept_of(ehlo::direction from) { return kept_[static_cast<std::size_t>(from)]; }

  void print(ehlo::direction from, std::string_view& octets) {
    while (const auto line = transcript_.next(from, octets)) print_error("{}{}\n", prefix_, *line);
  }

  /// What means nothing before the other end has spoken. It may be a password, which stays in one place.
  void keep(ehlo::direction from, std::string_view octets) {
    std::vector<char>& kept = kept_of(from);
    if (octets.empty()) return;
    if (octets.size() > most_kept - kept.size()) {
      transcript_.octets_missing(from, octets.size());
      return;
    }
    kept.reserve(most_kept);
    kept.insert(kept.end(), octets.begin(), octets.end());
  }

  /// True if some of it could be printed.
  bool print_kept(ehlo::direction from) {
    std::vector<char>& kept = kept_of(from);
    if (kept.empty()) return false;
    std::string_view rest{kept.data(), kept.size()};
    print(from, rest);
    const std::size_t left = rest.size();
    if (left == kept.size()) return false;
    std::copy(rest.begin(), rest.end(), kept.begin());
    ehlo::wipe(kept.data() + left, kept.size() - left);
    kept.resize(left);
    return true;
  }

  std::string prefix_;
  ehlo::observer_options options_{};
  ehlo::transcript transcript_{options_};
  std::array<std::vector<char>, 2> kept_{};
};

}  // namespace example

#endif  // EHLO_EXAMPLES_SUPPORT_TRANSCRIPT_PRINTER_HPP
