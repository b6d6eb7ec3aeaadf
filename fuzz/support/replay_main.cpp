// SPDX-License-Identifier: BSL-1.0
// Replays inputs through a fuzz target without a fuzzer: each argument is a file or a folder of files.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// Not by a stream: MemorySanitizer sees what the C library reads, and not what the C++ library does.
bool replay(const char* file) {
  std::FILE* const in = std::fopen(file, "rb");
  if (in == nullptr) return false;
  std::vector<std::uint8_t> octets;
  for (std::uint8_t piece[4096]; const std::size_t size = std::fread(piece, 1, sizeof piece, in);) {
    octets.insert(octets.end(), piece, piece + size);
  }
  const bool is_file = std::ferror(in) == 0;  // a folder can be opened, and not be read
  std::fclose(in);
  if (is_file) LLVMFuzzerTestOneInput(octets.data(), octets.size());
  return is_file;
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t replayed = 0;
  for (int i = 1; i < count; ++i) {
    if (replay(arguments[i])) {
      ++replayed;
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator{arguments[i]}) {
      if (entry.is_regular_file()) replayed += replay(entry.path().string().c_str()) ? 1U : 0U;
    }
  }
  std::printf("%zu inputs replayed\n", replayed);
  return replayed > 0 ? 0 : 1;
}
