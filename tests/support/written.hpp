// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_WRITTEN_HPP
#define EHLO_TESTS_SUPPORT_WRITTEN_HPP

/// @file
/// What a value with `write` and `max_size` writes. It may not write more than that.

#include <array>
#include <cstddef>
#include <string>

#include "support/catch.hpp"

template <class Value>
std::string written(const Value& value) {
  std::array<char, Value::max_size + 16> octets{};
  octets.fill('\x7F');
  const char* const end = value.write(octets.data());
  const auto size = static_cast<std::size_t>(end - octets.data());
  CHECK(size <= Value::max_size);
  for (std::size_t i = size; i < octets.size(); ++i) CHECK(octets[i] == '\x7F');
  return {octets.data(), size};
}

#endif  // EHLO_TESTS_SUPPORT_WRITTEN_HPP
