// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_SCARCE_STORAGE_HPP
#define EHLO_TESTS_SUPPORT_SCARCE_STORAGE_HPP

/// @file
/// Storage that finds no memory at any request one likes, also where the true one would have room left: so each place that asks for
/// memory can be seen to fail.

#include <cstddef>
#include <string_view>

#include <ehlo/storage.hpp>

/// One session at a time: what fails is said for all of them.
class scarce_storage : public ehlo::growing_storage {
 public:
  enum class lack { none, once, for_good };

  /// From here on the `n`-th request (from 1) finds nothing, and with `for_good` none after it does.
  static void fail_at(std::size_t n, lack how) {
    requests = 0;
    failures = 0;
    fails_at_ = n;
    how_ = how;
  }
  static inline std::size_t requests = 0;
  static inline std::size_t failures = 0;

  bool append_line(std::string_view octets) { return grants() && growing_storage::append_line(octets); }
  char* reserve_output(std::size_t count) { return grants() ? growing_storage::reserve_output(count) : nullptr; }

 private:
  static bool grants() {
    ++requests;
    const bool fails = how_ != lack::none && (how_ == lack::once ? requests == fails_at_ : requests >= fails_at_);
    if (fails) ++failures;
    return !fails;
  }

  static inline std::size_t fails_at_ = 0;
  static inline lack how_ = lack::none;
};

#endif  // EHLO_TESTS_SUPPORT_SCARCE_STORAGE_HPP
