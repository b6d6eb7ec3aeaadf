// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_CATCH_HPP
#define EHLO_TESTS_SUPPORT_CATCH_HPP

/// @file
/// Catch2, version 3 or 2: whichever is installed.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#endif  // EHLO_TESTS_SUPPORT_CATCH_HPP
