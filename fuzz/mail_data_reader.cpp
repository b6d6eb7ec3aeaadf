// SPDX-License-Identifier: BSL-1.0
// Invariant: the reader of mail data gives what a naive one gives, however the octets are cut, with both policies and any maximum.
// The first octets choose policy, maximum and cuts.
#include "support/naive_mail_data.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto policy = (data[0] & 1U) != 0 ? ehlo::bare_line_ends::keep : ehlo::bare_line_ends::refuse;
  const std::uint64_t maximum = (data[0] & 2U) != 0 ? data[1] : 0;
  const std::uint8_t seed = data[2];
  const std::string_view octets{reinterpret_cast<const char*>(data) + 3, size - 3};
  const auto wanted = naive::read(octets, policy, maximum);
  const auto cuts = [seed](std::size_t at) { return (at * 2654435761U >> 7U) % (1U + seed) == 0; };
  if (naive::read_by_library(octets, policy, maximum, cuts) != wanted) std::abort();
  if (naive::read_by_library(octets, policy, maximum, [](std::size_t) { return false; }) != wanted) std::abort();
  return 0;
}
