// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_OCTET_RUN_HPP
#define EHLO_OCTET_RUN_HPP

/// @file
/// How far octets of a class go, and where they stand, many octets at a time: SSE2 where the compiler has it, one by one elsewhere
/// and in constant evaluation. Both give the same results.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ehlo/ascii.hpp>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ehlo {
namespace detail {

/// One past the run of octets of `set` that begins at `from`, one octet at a time.
constexpr std::size_t end_of_run_by_octets(std::string_view text, std::size_t from, const ascii::octet_class& set) {
  while (from < text.size() && set.contains(text[from])) ++from;
  return from;
}

/// Where members of `set` stand, one octet at a time.
constexpr std::uint64_t places_by_octets(std::string_view text, const ascii::octet_class& set) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < text.size(); ++i) out |= std::uint64_t{set.contains(text[i])} << i;
  return out;
}

#if defined(__SSE2__)

/// How many octets a block has.
inline constexpr std::size_t block_octets = sizeof(__m128i);

/// The octets from `first` to `last`, both included.
struct octet_range {
  unsigned char first = 0;
  unsigned char last = 0;
};

/// The ranges that a set consists of. It is neither empty nor has all octets. Found without a look at each octet: every user's
/// compiler does this for some dozen sets.
template <ascii::octet_class Set>
inline constexpr auto ranges_of = [] {
  static_assert(Set != ascii::octet_class{} && Set != ascii::all);
  constexpr auto for_each = [](auto use) {
    for (unsigned first = Set.first_from(0, true); first < 256;) {
      const unsigned behind = Set.first_from(first, false);
      use(octet_range{static_cast<unsigned char>(first), static_cast<unsigned char>(behind - 1)});
      first = Set.first_from(behind, true);
    }
  };
  constexpr std::size_t count = [for_each] {
    std::size_t out = 0;
    for_each([&out](octet_range) { ++out; });
    return out;
  }();
  std::array<octet_range, count> out{};
  std::size_t at = 0;
  for_each([&out, &at](octet_range range) { out[at++] = range; });
  return out;
}();

/// How many steps it takes to look for members of `Set`.
template <ascii::octet_class Set>
inline constexpr std::size_t steps_of = [] {
  std::size_t out = 0;
  for (const octet_range& range : ranges_of<Set>) out += range.first == range.last ? 2U : 3U;
  return out;
}();

/// All ones where an octet of `block` lies in the range.
template <unsigned char First, unsigned char Last>
inline __m128i in_range(__m128i block) {
  constexpr auto octet = [](unsigned value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  if constexpr (First == Last) {
    return _mm_cmpeq_epi8(block, _mm_set1_epi8(octet(First)));
  } else {
    // Shifted so that the range begins at the smallest signed value, it takes one signed comparison.
    const __m128i shifted = _mm_add_epi8(block, _mm_set1_epi8(octet(128U - First)));
    return _mm_cmpgt_epi8(_mm_set1_epi8(octet(128U + (Last - First) + 1U)), shifted);
  }
}

/// All ones where an octet of `block` is a member of `Set`.
template <ascii::octet_class Set>
inline __m128i members_in_block(__m128i block) {
  constexpr auto& ranges = ranges_of<Set>;
  return [block]<std::size_t... I>(std::index_sequence<I...>) {
    __m128i out = in_range<ranges[0].first, ranges[0].last>(block);
    ((out = _mm_or_si128(out, in_range<ranges[I + 1].first, ranges[I + 1].last>(block))), ...);
    return out;
  }
  (std::make_index_sequence<ranges.size() - 1>{});
}

/// Bit i tells whether octet i of `block` is a member of `Set`; bits above the sixteenth are 0.
template <ascii::octet_class Set>
inline std::uint32_t places_in_block(__m128i block) {
  constexpr auto others = ascii::all - Set;
  // Fewer comparisons find those that are not members.
  if constexpr (steps_of<others> < steps_of<Set>) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(members_in_block<others>(block))) ^ 0xFFFFU;
  } else {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(members_in_block<Set>(block)));
  }
}

/// Fewer octets than a block has, with zeros behind them. No octet outside `text` is read.
inline __m128i load_short(std::string_view text) {
  const auto* const octets = text.data();
  const std::size_t size = text.size();
  if (size >= 8) {
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    std::memcpy(&head, octets, 8);
    std::memcpy(&tail, octets + size - 8, 8);
    // Of the tail, the octets that the head has are shifted out; of eight octets all.
    tail = tail >> 1U >> (8 * (16 - size) - 1);
    return _mm_set_epi64x(static_cast<long long>(tail), static_cast<long long>(head));
  }
  std::uint64_t word = 0;
  if (size >= 4) {
    std::uint32_t head = 0;
    std::uint32_t tail = 0;
    std::memcpy(&head, octets, 4);
    std::memcpy(&tail, octets + size - 4, 4);
    word = head | std::uint64_t{tail} << (8 * (size - 4));
  } else {
    for (std::size_t i = size; i > 0; --i) word = word << 8U | static_cast<unsigned char>(octets[i - 1]);
  }
  return _mm_set_epi64x(0, static_cast<long long>(word));
}

/// The octets from `from` on, fewer than a block, as the front of a block; what stands behind them is undefined. Where the text has
/// a block before its end, that one is read and shifted by the caller: `skipped` says by how much.
struct last_block {
  __m128i octets;
  std::size_t skipped;
};
inline last_block load_last(std::string_view text, std::size_t from) {
  if (text.size() < block_octets) return {load_short(text.substr(from)), 0};
  const std::size_t start = text.size() - block_octets;
  return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + start)), from - start};
}

inline __m128i load_block(std::string_view text, std::size_t from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + from));
}

template <ascii::octet_class Set>
inline std::size_t end_of_run_by_blocks(std::string_view text, std::size_t from) {
  constexpr std::uint32_t all = 0xFFFF;
  for (; text.size() - from >= block_octets; from += block_octets) {
    const std::uint32_t others = places_in_block<Set>(load_block(text, from)) ^ all;
    if (others != 0) return from + static_cast<std::size_t>(std::countr_zero(others));
  }
  const last_block rest = load_last(text, from);
  const std::uint32_t others = (places_in_block<Set>(rest.octets) ^ all) >> rest.skipped;
  const std::uint32_t end = 1U << (text.size() - from);
  return from + static_cast<std::size_t>(std::countr_zero(others | end));
}

template <ascii::octet_class... Sets>
inline std::array<std::uint64_t, sizeof...(Sets)> places_by_blocks(std::string_view text) {
  if (text.size() < block_octets) {
    const __m128i block = load_short(text);
    const std::uint64_t there = (std::uint64_t{1} << text.size()) - 1;
    return {(places_in_block<Sets>(block) & there)...};
  }
  // The last block may begin inside the one before it.
  const std::size_t last = text.size() - block_octets;
  std::array<std::uint64_t, sizeof...(Sets)> out{};
  for (std::size_t at = 0;; at = at + block_octets < last ? at + block_octets : last) {
    const __m128i block = load_block(text, at);
    std::size_t i = 0;
    ((out[i++] |= std::uint64_t{places_in_block<Sets>(block)} << at), ...);
    if (at == last) return out;
  }
}

#endif

}  // namespace detail

/// One past the run of octets of `Set` that begins at `from`, which is at most the size of `text`.
template <ascii::octet_class Set>
constexpr std::size_t end_of_run(std::string_view text, std::size_t from = 0) {
#if defined(__SSE2__)
  if (!std::is_constant_evaluated()) return detail::end_of_run_by_blocks<Set>(text, from);
#endif
  return detail::end_of_run_by_octets(text, from, Set);
}

/// Where the octets of each of `Sets` stand in `text`, which has at most 64: bit i tells of octet i.
template <ascii::octet_class... Sets>
constexpr std::array<std::uint64_t, sizeof...(Sets)> places_of(std::string_view text) {
#if defined(__SSE2__)
  if (!std::is_constant_evaluated()) return detail::places_by_blocks<Sets...>(text);
#endif
  return {detail::places_by_octets(text, Sets)...};
}

static_assert(end_of_run<ascii::digit>("a123b", 1) == 4 && end_of_run<ascii::digit>("12") == 2);
static_assert(places_of<ascii::digit, ascii::alpha>("1a-2") == std::array<std::uint64_t, 2>{0b1001, 0b0010});

}  // namespace ehlo

#endif  // EHLO_OCTET_RUN_HPP
