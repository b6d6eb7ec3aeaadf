// SPDX-License-Identifier: BSL-1.0
// The main function of the tests with Catch2 2.13; version 3 brings one as a library. And the locale of the environment, which must
// not matter to anything: tests/variants.sh runs the tests in one where the upper case of i is not I.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif

#include <clocale>

namespace {

[[maybe_unused]] const char* const locale_of_the_environment = std::setlocale(LC_ALL, "");

}  // namespace
