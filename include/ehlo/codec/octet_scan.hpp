// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CODEC_OCTET_SCAN_HPP
#define EHLO_CODEC_OCTET_SCAN_HPP

/// @file
/// Finds the octets that matter in mail data, many at a time: SSE2 where the compiler has it, words of eight octets elsewhere, one
/// by one in constant evaluation. The three give the same results.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ehlo {

/// What a scan has found.
struct octet_scan {
  std::size_t line_end = 0;  ///< offset of the first CR or LF, or the size of the text
  bool eight_bit = false;    ///< an octet above 127 stands before it
};

namespace detail {

/// From `offset` on, one octet at a time.
constexpr octet_scan scan_octets(std::string_view text, octet_scan so_far) {
  for (; so_far.line_end < text.size(); ++so_far.line_end) {
    const char c = text[so_far.line_end];
    if (c == '\r' || c == '\n') break;
    so_far.eight_bit = so_far.eight_bit || static_cast<unsigned char>(c) > 127;
  }
  return so_far;
}

/// Words of eight octets: an octet is in question where subtracting one borrows from its high bit.
inline octet_scan scan_words(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t highs = 0x8080808080808080U;
  const auto has_zero = [](std::uint64_t word) { return (word - ones) & ~word & highs; };
  octet_scan out;
  while (text.size() - out.line_end >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + out.line_end, sizeof word);
    if ((has_zero(word ^ (ones * '\r')) | has_zero(word ^ (ones * '\n'))) != 0) break;
    out.eight_bit = out.eight_bit || (word & highs) != 0;
    out.line_end += sizeof word;
  }
  return scan_octets(text, out);
}

#if defined(__SSE2__)
/// Blocks of sixteen octets.
inline octet_scan scan_blocks(std::string_view text) {
  const __m128i cr = _mm_set1_epi8('\r');
  const __m128i lf = _mm_set1_epi8('\n');
  octet_scan out;
  while (text.size() - out.line_end >= sizeof(__m128i)) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + out.line_end));
    const auto ends = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(block, cr), _mm_cmpeq_epi8(block, lf))));
    const auto highs = static_cast<unsigned>(_mm_movemask_epi8(block));
    if (ends != 0) {
      const auto at = static_cast<unsigned>(std::countr_zero(ends));
      out.eight_bit = out.eight_bit || (highs & ((1U << at) - 1U)) != 0;
      out.line_end += at;
      return out;
    }
    out.eight_bit = out.eight_bit || highs != 0;
    out.line_end += sizeof(__m128i);
  }
  return scan_octets(text, out);
}
#endif

}  // namespace detail

/// Finds the first CR or LF of `text`, and tells whether an octet above 127 stands before it.
constexpr octet_scan scan_for_line_end(std::string_view text) {
  if (std::is_constant_evaluated()) return detail::scan_octets(text, {});
#if defined(__SSE2__)
  return detail::scan_blocks(text);
#else
  return detail::scan_words(text);
#endif
}

static_assert(scan_for_line_end("abc\r\n").line_end == 3 && scan_for_line_end("\xE9").eight_bit);

}  // namespace ehlo

#endif  // EHLO_CODEC_OCTET_SCAN_HPP
