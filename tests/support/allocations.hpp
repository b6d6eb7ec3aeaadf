// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_ALLOCATIONS_HPP
#define EHLO_TESTS_SUPPORT_ALLOCATIONS_HPP

/// @file
/// How often operator new was called, and when it fails, in the program that replaces it (tests/server/memory_test.cpp does).

#include <cstddef>

namespace counted {

inline std::size_t allocations = 0;
inline std::size_t failures = 0;  ///< allocations that were failed
inline std::size_t failing = 0;   ///< the n-th nothrow allocation from now fails, and all after it; 0: none

}  // namespace counted

#endif  // EHLO_TESTS_SUPPORT_ALLOCATIONS_HPP
