// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_PRECOMPILED_HPP
#define EHLO_TESTS_SUPPORT_PRECOMPILED_HPP

/// @file
/// What is compiled once for all tests: the headers, and the sessions, which precompiled.cpp instantiates. No test includes this;
/// the build puts it before them, and they must compile without it too.

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"

extern template class ehlo::basic_client_session<ehlo::growing_storage>;
extern template class ehlo::basic_server_session<ehlo::growing_storage>;

#endif  // EHLO_TESTS_SUPPORT_PRECOMPILED_HPP
