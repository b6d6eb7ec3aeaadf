// SPDX-License-Identifier: BSL-1.0
// The main function of the tests with Catch2 2.13; version 3 brings one as a library.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
