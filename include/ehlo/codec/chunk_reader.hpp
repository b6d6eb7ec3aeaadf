// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CODEC_CHUNK_READER_HPP
#define EHLO_CODEC_CHUNK_READER_HPP

/// @file
/// Mail data by count: the octets behind BDAT. They are counted and never looked at. RFC 3030 2.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ehlo {

/// Takes the octets of one chunk.
class chunk_reader {
 public:
  /// A chunk of `size` octets.
  constexpr explicit chunk_reader(std::uint64_t size = 0) : left_{size} {}

  /// Takes as many octets from the front of `input` as belong to the chunk: a slice of it, empty if there are none.
  constexpr std::string_view next(std::string_view& input) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
    const std::string_view octets = input.substr(0, count);
    input.remove_prefix(count);
    left_ -= count;
    return octets;
  }

  /// How many octets are still to come.
  constexpr std::uint64_t left() const { return left_; }

 private:
  std::uint64_t left_;
};

}  // namespace ehlo

#endif  // EHLO_CODEC_CHUNK_READER_HPP
