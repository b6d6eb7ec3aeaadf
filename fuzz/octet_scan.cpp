// SPDX-License-Identifier: BSL-1.0
// Invariant: the portable scans and those of each vector width give what plain loops give. The first octet chooses how many octets
// that are no marks stand before and behind, so that what matters stands at each place of a block.
#include "support/scan_paths.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view octets{reinterpret_cast<const char*>(data) + 2, size - 2};
  if (scan_paths::count_wrong(octets) != 0) std::abort();
  const std::string text = std::string(data[0], 'x').append(octets).append(data[1], 'x');
  if (scan_paths::count_wrong(text) != 0) std::abort();
  return 0;
}
