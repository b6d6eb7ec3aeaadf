// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_ALLOCATIONS_HPP
#define EHLO_TESTS_SUPPORT_ALLOCATIONS_HPP

/// @file
/// How often operator new was called, in the program that replaces it (tests/server/memory_test.cpp does).

#include <cstddef>

namespace counted {

inline std::size_t allocations = 0;

}  // namespace counted

#endif  // EHLO_TESTS_SUPPORT_ALLOCATIONS_HPP
