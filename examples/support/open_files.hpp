// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXAMPLES_SUPPORT_OPEN_FILES_HPP
#define EHLO_EXAMPLES_SUPPORT_OPEN_FILES_HPP

/// @file
/// How many files and connections a server may have open.

#include <sys/resource.h>

#include <algorithm>

namespace example {

/// Has the system allow so many open files. Gives how many it allows.
inline rlim_t allow_open_files(rlim_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
    const rlimit raised{std::min(wanted, limit.rlim_max), limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

}  // namespace example

#endif  // EHLO_EXAMPLES_SUPPORT_OPEN_FILES_HPP
