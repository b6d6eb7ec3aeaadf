// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_FUZZ_SUPPORT_MUST_HPP
#define EHLO_FUZZ_SUPPORT_MUST_HPP

#include <cstdio>
#include <cstdlib>

namespace fuzz {

/// A check that fuzzing does not compile away.
inline void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

}  // namespace fuzz

#endif  // EHLO_FUZZ_SUPPORT_MUST_HPP
