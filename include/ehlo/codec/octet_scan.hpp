// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CODEC_OCTET_SCAN_HPP
#define EHLO_CODEC_OCTET_SCAN_HPP

/// @file
/// Finds the octets that matter in mail data, many at a time. RFC 5321 2.3.8, 4.5.2.
///
/// All vector code stands here: blocks of sixteen octets where the compiler knows SSE2 or NEON, blocks of thirty-two where the
/// processor turns out to have AVX2, words of eight octets elsewhere, and one octet after the other in constant evaluation. All
/// give the same results.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include <ehlo/limits.hpp>

namespace ehlo {

/// What a scan has found.
struct octet_scan {
  std::size_t line_end = 0;  ///< offset of the first CR or LF, or the size of the text
  bool eight_bit = false;    ///< an octet above 127 stands before it

  friend constexpr bool operator==(const octet_scan&, const octet_scan&) = default;
};

/// What a scan for marks looks for.
enum class mark_set : std::uint8_t {
  line_ends,  ///< a LF that is not behind a CR, and an octet behind a CR that is no LF
  mail_data,  ///< and a dot behind a LF
  header,     ///< and a CR behind a LF, with which an empty line begins
};

/// What a scan for marks has found.
struct mark_scan {
  std::size_t at = 0;      ///< offset of the first mark, or the size of the text
  bool eight_bit = false;  ///< an octet above 127 stands between the start of the scan and it

  friend constexpr bool operator==(const mark_scan&, const mark_scan&) = default;
};

/// What is known of a short text as a whole.
struct piece_scan {
  std::uint64_t odd = 0;  ///< not 0 if it needs a closer look: `lf` may be wrong then
  std::uint64_t lf = 0;   ///< its highest bit that is set stands for the last LF: bit i for octet i
};

/// The longest text that `scan_piece` takes.
inline constexpr std::size_t longest_piece = 64;

/// How far `scan_for_nearby_dot` looks.
inline constexpr std::size_t nearby = 32;

namespace detail::scans {

// ---- One octet at a time ----

/// From `so_far.line_end` on.
constexpr octet_scan scan_octets(std::string_view text, octet_scan so_far) {
  for (; so_far.line_end < text.size(); ++so_far.line_end) {
    const char c = text[so_far.line_end];
    if (c == '\r' || c == '\n') break;
    so_far.eight_bit = so_far.eight_bit || static_cast<unsigned char>(c) > 127;
  }
  return so_far;
}

/// The octet that is a mark behind a LF.
constexpr char behind_lf(mark_set sought) { return sought == mark_set::header ? '\r' : '.'; }

/// Whether `here`, which stands behind `before`, is a mark.
constexpr bool is_mark(mark_set sought, char before, char here) {
  if ((here == '\n') != (before == '\r')) return true;
  return sought != mark_set::line_ends && before == '\n' && here == behind_lf(sought);
}

/// Whether the first octet at which a scan looks is a mark because of the LF before it. The blocks see a mark where its LF is.
constexpr bool begins_with_mark(mark_set sought, std::string_view text, mark_scan so_far) {
  return so_far.at < text.size() && text[so_far.at - 1] == '\n' && is_mark(sought, '\n', text[so_far.at]);
}

/// From `so_far.at` on; an octet stands before it.
template <mark_set Sought = mark_set::mail_data>
constexpr mark_scan mark_octets(std::string_view text, mark_scan so_far) {
  for (; so_far.at < text.size(); ++so_far.at) {
    const char c = text[so_far.at];
    if (is_mark(Sought, text[so_far.at - 1], c)) break;
    so_far.eight_bit = so_far.eight_bit || static_cast<unsigned char>(c) > 127;
  }
  return so_far;
}

/// The offset behind the last LF of the first `size` octets of `text`, or 0.
constexpr std::size_t behind_last_lf_octets(std::string_view text, std::size_t size) {
  while (size > 0 && text[size - 1] != '\n') --size;
  return size;
}

/// What is known of a piece of which all CRs, LFs, dots and octets above 127 are.
constexpr piece_scan judge_piece(std::uint64_t cr, std::uint64_t lf, std::uint64_t dots, std::uint64_t eight_bit, std::size_t size,
                                 bool any_eight_bit) {
  const std::uint64_t marks = (lf ^ cr << 1U) | (dots & lf << 1U);
  return {marks << (longest_piece - size) | (eight_bit & (std::uint64_t{any_eight_bit} - 1)), lf};
}

/// What is known of a piece of which the first mark and the last LF are.
constexpr piece_scan judge_piece(std::size_t size, mark_scan mark, std::size_t behind_last_lf, bool any_eight_bit) {
  const bool is_odd = mark.at != size || (mark.eight_bit && !any_eight_bit);
  return {std::uint64_t{is_odd}, behind_last_lf == 0 ? 0 : std::uint64_t{1} << (behind_last_lf - 1)};
}

/// `found`, the first mark of `text.substr(0, nearby)`, if it is a dot.
constexpr mark_scan nearby_dot(std::string_view text, mark_scan found) {
  const bool is_dot = found.at != nearby && found.at != 0 && text[found.at] == '.' && text[found.at - 1] == '\n';
  return is_dot ? found : mark_scan{};
}

// ---- Words of eight octets ----
// In the words of flags each octet in question has its high bit set, and no other bit is.

using word = std::uint64_t;
inline constexpr word ones = 0x0101010101010101U;
inline constexpr word highs = ones * 0x80U;

inline word load_word(const char* from) {
  word out = 0;
  std::memcpy(&out, from, sizeof out);
  return out;
}

/// Where `c` stands. No octet carries into the next one.
constexpr word where_is(word octets, char c) {
  const word different = octets ^ (ones * static_cast<unsigned char>(c));
  return ~(((different & ~highs) + ~highs) | different) & highs;
}

/// How many octets stand before the first flag.
constexpr std::size_t before_first(word flags) {
  return static_cast<std::size_t>(std::endian::native == std::endian::big ? std::countl_zero(flags) : std::countr_zero(flags)) / 8;
}

/// The flags of the first `count` octets, fewer than eight.
constexpr word first_flags(word flags, std::size_t count) {
  if (std::endian::native == std::endian::big) return flags & ~(~word{0} >> (8 * count));
  return flags & ~(~word{0} << (8 * count));
}

template <mark_set Sought>
word marks_of_word(const char* at) {
  const word here = load_word(at);
  const word before = load_word(at - 1);
  const word ends = where_is(here, '\n') ^ where_is(before, '\r');
  if constexpr (Sought == mark_set::line_ends) {
    return ends;
  } else {
    return ends | (where_is(here, behind_lf(Sought)) & where_is(before, '\n'));
  }
}

inline octet_scan scan_words(std::string_view text) {
  octet_scan out;
  while (text.size() - out.line_end >= sizeof(word)) {
    const word octets = load_word(text.data() + out.line_end);
    const word ends = where_is(octets, '\r') | where_is(octets, '\n');
    if (ends != 0) {
      const std::size_t count = before_first(ends);
      return {out.line_end + count, out.eight_bit || first_flags(octets & highs, count) != 0};
    }
    out.eight_bit = out.eight_bit || (octets & highs) != 0;
    out.line_end += sizeof(word);
  }
  return scan_octets(text, out);
}

template <mark_set Sought = mark_set::mail_data>
mark_scan mark_words(std::string_view text, mark_scan so_far) {
  while (text.size() - so_far.at >= sizeof(word)) {
    const char* const at = text.data() + so_far.at;
    const word octets = load_word(at) & highs;
    const word marks = marks_of_word<Sought>(at);
    if (marks != 0) {
      const std::size_t count = before_first(marks);
      return {so_far.at + count, so_far.eight_bit || first_flags(octets, count) != 0};
    }
    so_far.eight_bit = so_far.eight_bit || octets != 0;
    so_far.at += sizeof(word);
  }
  return mark_octets<Sought>(text, so_far);
}

inline std::size_t behind_last_lf_words(std::string_view text, std::size_t size) {
  while (size >= sizeof(word) && where_is(load_word(text.data() + size - sizeof(word)), '\n') == 0) size -= sizeof(word);
  return behind_last_lf_octets(text, size);
}

/// How many octets are looked at for a LF at a time where lines are likely to be shorter.
inline constexpr std::size_t short_line = 128;

inline bool has_lf_words(const char* at) {
  word found = 0;
  for (std::size_t i = 0; i < short_line; i += sizeof(word)) found |= where_is(load_word(at + i), '\n');
  return found != 0;
}

// ---- Blocks of sixteen octets ----
// The vectors are those of the compiler's own language, so that no header of intrinsics has to be read.

#if defined(__GNUC__) && \
    (defined(__SSE2__) || (defined(__aarch64__) && defined(__ARM_NEON) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__))

using block = signed char __attribute__((vector_size(16)));
inline constexpr std::size_t block_size = sizeof(block);

inline block load_block(const char* from) {
  block out;
  std::memcpy(&out, from, sizeof out);
  return out;
}

constexpr block all_of(signed char c) { return block{c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c}; }

#if defined(__SSE2__)
/// The high bit of each octet.
using block_flags = std::uint32_t;
inline constexpr std::size_t flag_size = 1;
inline block_flags flags_of(block octets) {
  using char_block = char __attribute__((vector_size(16)));
  return static_cast<block_flags>(__builtin_ia32_pmovmskb128(reinterpret_cast<char_block>(octets)));
}
/// Bit i is the high bit of octet i.
inline std::uint64_t bits_of(block octets) { return flags_of(octets); }
#else
/// Four bits for each octet, all set where its high bit is.
using block_flags = std::uint64_t;
inline constexpr std::size_t flag_size = 4;
inline block_flags flags_of(block octets) {
  using wide = std::uint16_t __attribute__((vector_size(16)));
  using narrow = std::uint8_t __attribute__((vector_size(8)));
  return std::bit_cast<block_flags>(__builtin_convertvector(reinterpret_cast<wide>(octets < block{}) >> 4, narrow));
}
/// Bit i is the high bit of octet i.
inline std::uint64_t bits_of(block octets) {
  using words = word __attribute__((vector_size(16)));
  constexpr block weights{1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128};
  const words bits = reinterpret_cast<words>((octets < block{}) & weights);
  return bits[0] * ones >> 56U | bits[1] * ones >> 56U << 8U;  // the sum of eight octets stands in the highest
}
#endif

template <mark_set Sought>
block marks_of(block here, block before) {
  const block ends = (here == all_of('\n')) ^ (before == all_of('\r'));
  if constexpr (Sought == mark_set::line_ends) {
    return ends;
  } else {
    return ends | ((here == all_of(behind_lf(Sought))) & (before == all_of('\n')));
  }
}

template <mark_set Sought>
block marks_of_block(const char* at) {
  return marks_of<Sought>(load_block(at), load_block(at - 1));
}

/// What stands before each octet of a first block; before the first of all, nothing.
inline block before_first_block(block first) {
  return __builtin_shufflevector(block{}, first, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}

/// How many octets stand before the first flag.
constexpr std::size_t before_first_flag(block_flags flags) { return static_cast<std::size_t>(std::countr_zero(flags)) / flag_size; }

/// The flags of the first `count` octets, fewer than sixteen.
constexpr block_flags first_block_flags(block_flags flags, std::size_t count) {
  return flags & ((block_flags{1} << (flag_size * count)) - 1);
}

inline octet_scan scan_blocks(std::string_view text) {
  octet_scan out;
  while (text.size() - out.line_end >= block_size) {
    const block octets = load_block(text.data() + out.line_end);
    const block_flags ends = flags_of((octets == all_of('\r')) | (octets == all_of('\n')));
    if (ends != 0) {
      const std::size_t count = before_first_flag(ends);
      return {out.line_end + count, out.eight_bit || first_block_flags(flags_of(octets), count) != 0};
    }
    out.eight_bit = out.eight_bit || flags_of(octets) != 0;
    out.line_end += block_size;
  }
  return scan_octets(text, out);
}

/// Flags in a block that has a mark, or before which or behind which one stands; its octets are added to `seen`. What stands behind
/// a LF is looked at where the LF is, so that each octet is compared with LF once.
template <mark_set Sought>
[[gnu::always_inline]] inline block flags_near_marks(const char* at, block& seen) {
  const block here = load_block(at);
  seen |= here;
  const block line_feeds = here == all_of('\n');
  const block ends = line_feeds ^ (load_block(at - 1) == all_of('\r'));
  if constexpr (Sought == mark_set::line_ends) {
    return ends;
  } else {
    return ends | (line_feeds & (load_block(at + 1) == all_of(behind_lf(Sought))));
  }
}

/// Skips four blocks at a time, as long as none of them has a mark and an octet is behind them.
template <mark_set Sought = mark_set::mail_data>
mark_scan skip_blocks(std::string_view text, mark_scan so_far) {
  constexpr std::size_t stride = 4 * block_size;
  if (text.size() - so_far.at <= stride || begins_with_mark(Sought, text, so_far)) return so_far;
  const char* at = text.data() + so_far.at;
  const char* const last = text.data() + text.size() - stride;
  block seen{};
  do {
    block here{};
    const block flags = (flags_near_marks<Sought>(at, here) | flags_near_marks<Sought>(at + block_size, here)) |
                        (flags_near_marks<Sought>(at + 2 * block_size, here) | flags_near_marks<Sought>(at + 3 * block_size, here));
    if (flags_of(flags) != 0) break;
    seen |= here;
    at += stride;
  } while (at < last);
  return {static_cast<std::size_t>(at - text.data()), so_far.eight_bit || flags_of(seen) != 0};
}

/// Looks at one block, and goes behind it or to its first mark. True if it has one.
template <mark_set Sought>
bool find_mark_in_block(std::string_view text, mark_scan& so_far) {
  const char* const at = text.data() + so_far.at;
  const block_flags eight_bit = flags_of(load_block(at));
  const block_flags marks = flags_of(marks_of_block<Sought>(at));
  const std::size_t count = before_first_flag(marks);
  const block_flags before = marks == 0 ? eight_bit : first_block_flags(eight_bit, count);
  so_far.eight_bit = so_far.eight_bit || before != 0;
  so_far.at += marks == 0 ? block_size : count;
  return marks != 0;
}

template <mark_set Sought = mark_set::mail_data>
mark_scan mark_blocks(std::string_view text, mark_scan so_far) {
  so_far = skip_blocks<Sought>(text, so_far);
  while (text.size() - so_far.at >= block_size) {
    if (find_mark_in_block<Sought>(text, so_far)) return so_far;
  }
  if (so_far.at == text.size() || text.size() <= block_size) return mark_words<Sought>(text, so_far);
  // The rest is less than a block: the last block of the text, without what was seen of it.
  const std::size_t last = text.size() - block_size;
  const std::size_t known = so_far.at - last;
  const block_flags eight_bit = flags_of(load_block(text.data() + last));
  const block_flags all_marks = flags_of(marks_of_block<Sought>(text.data() + last));
  const block_flags marks = all_marks ^ first_block_flags(all_marks, known);
  const block_flags fresh = eight_bit ^ first_block_flags(eight_bit, known);
  if (marks == 0) return {text.size(), so_far.eight_bit || fresh != 0};
  const std::size_t count = before_first_flag(marks);
  return {last + count, so_far.eight_bit || first_block_flags(fresh, count) != 0};
}

inline std::size_t behind_last_lf_blocks(std::string_view text, std::size_t size) {
  constexpr std::size_t stride = 4 * block_size;
  for (; size >= stride; size -= stride) {
    const auto lf = [at = text.data() + size - stride](std::size_t i) { return load_block(at + i * block_size) == all_of('\n'); };
    const block ends[]{lf(0), lf(1), lf(2), lf(3)};
    if (flags_of((ends[0] | ends[1]) | (ends[2] | ends[3])) == 0) continue;
    const std::uint64_t front = bits_of(ends[0]) | bits_of(ends[1]) << block_size;
    const std::uint64_t back = bits_of(ends[2]) | bits_of(ends[3]) << block_size;
    return size - stride + static_cast<std::size_t>(std::bit_width(front | back << 2 * block_size));
  }
  for (; size >= block_size; size -= block_size) {
    const block_flags found = flags_of(load_block(text.data() + size - block_size) == all_of('\n'));
    if (found != 0) return size - block_size + static_cast<std::size_t>(std::bit_width(found)) / flag_size;
  }
  return behind_last_lf_words(text, size);
}

inline bool has_lf_blocks(const char* at) {
  const auto lf = [at](std::size_t i) { return load_block(at + i * block_size) == all_of('\n'); };
  return flags_of(((lf(0) | lf(1)) | (lf(2) | lf(3))) | ((lf(4) | lf(5)) | (lf(6) | lf(7)))) != 0;
}

/// A text of 16 to 64 octets, as four blocks that may overlap.
[[gnu::noinline]] inline piece_scan scan_piece_blocks(std::string_view text, bool any_eight_bit) {
  const std::size_t last = text.size() - block_size;
  block seen{};
  std::uint64_t cr = 0;
  std::uint64_t lf = 0;
  std::uint64_t dots = 0;
  const auto look_at = [&](std::size_t offset) __attribute__((always_inline)) {
    const block here = load_block(text.data() + offset);
    seen |= here;
    cr |= bits_of(here == all_of('\r')) << offset;
    lf |= bits_of(here == all_of('\n')) << offset;
    dots |= bits_of(here == all_of('.')) << offset;
  };
  look_at(0);
  look_at(last);
  if (last > block_size) {
    look_at(block_size);
    look_at(std::min(last, 2 * block_size));
  }
  return judge_piece(cr, lf, dots, flags_of(seen), text.size(), any_eight_bit);
}

/// The first mark of two blocks; nothing stands before the first octet.
[[gnu::always_inline]] inline mark_scan mark_nearby(std::string_view text) {
  const char* const at = text.data();
  const block first = load_block(at);
  const block second = load_block(at + block_size);
  const std::uint64_t eight_bit = bits_of(first) | bits_of(second) << block_size;
  const std::uint64_t marks = bits_of(marks_of<mark_set::mail_data>(first, before_first_block(first))) |
                              bits_of(marks_of_block<mark_set::mail_data>(at + block_size)) << block_size;
  const std::uint64_t ends = marks | std::uint64_t{1} << nearby;
  const std::uint64_t before_end = (ends - 1) & ~ends;
  return {static_cast<std::size_t>(std::countr_zero(ends)), (eight_bit & before_end) != 0};
}
#else
// Without such vectors words do the work of blocks.
inline constexpr std::size_t block_size = 16;

inline octet_scan scan_blocks(std::string_view text) { return scan_words(text); }
template <mark_set = mark_set::mail_data>
mark_scan skip_blocks(std::string_view, mark_scan so_far) {
  return so_far;
}
template <mark_set Sought>
bool find_mark_in_block(std::string_view text, mark_scan& so_far) {
  const std::string_view seen = text.substr(0, so_far.at + block_size);
  so_far = mark_words<Sought>(seen, so_far);
  return so_far.at < seen.size();
}
template <mark_set Sought = mark_set::mail_data>
mark_scan mark_blocks(std::string_view text, mark_scan so_far) {
  return mark_words<Sought>(text, so_far);
}
inline std::size_t behind_last_lf_blocks(std::string_view text, std::size_t size) { return behind_last_lf_words(text, size); }
inline bool has_lf_blocks(const char* at) { return has_lf_words(at); }
inline piece_scan scan_piece_blocks(std::string_view text, bool any_eight_bit) {
  const mark_scan behind_first{1, static_cast<unsigned char>(text.front()) > 127};
  const mark_scan found = text.front() == '\n' ? mark_scan{} : mark_words(text, behind_first);
  return judge_piece(text.size(), found, behind_last_lf_words(text, text.size()), any_eight_bit);
}
inline mark_scan mark_nearby(std::string_view text) {
  const mark_scan behind_first{1, static_cast<unsigned char>(text.front()) > 127};
  return text.front() == '\n' ? mark_scan{} : mark_words(text.substr(0, nearby), behind_first);
}
#endif

// ---- Blocks of thirty-two octets ----

#if defined(__GNUC__) && defined(__x86_64__)
using wide_block = signed char __attribute__((vector_size(32)));
using wide_words = word __attribute__((vector_size(32)));
inline constexpr std::size_t wide_block_size = sizeof(wide_block);

inline bool has_wide_blocks() {
#if defined(__AVX2__)
  return true;
#else
  return __builtin_cpu_supports("avx2") != 0;
#endif
}

/// The marks of a block, whose octets are added to `seen`. Unlike `flags_near_marks` it does not load what stands behind the
/// octets: blocks of this size are slower for one more load than for one more comparison.
template <mark_set Sought>
[[gnu::target("avx2"), gnu::always_inline]] inline wide_block marks_of_wide_block(const char* at, wide_block& seen) {
  wide_block here;
  wide_block before;
  std::memcpy(&here, at, sizeof here);
  std::memcpy(&before, at - 1, sizeof before);
  seen |= here;
  const wide_block ends = (here == '\n') ^ (before == '\r');
  if constexpr (Sought == mark_set::line_ends) {
    return ends;
  } else {
    return ends | ((here == behind_lf(Sought)) & (before == '\n'));
  }
}

/// Has the processor fetch what stands some way behind `at`, into its nearest cache: by itself it stops at the end of each page.
/// The text may end before that place, for nothing is read.
inline void fetch_ahead(const char* at) {
  constexpr std::uintptr_t distance = 2048;
  constexpr std::uintptr_t cache_line = 64;
  const std::uintptr_t there = reinterpret_cast<std::uintptr_t>(at) + distance;
  // As numbers, for a pointer must not go past the end of the text.
  __builtin_prefetch(reinterpret_cast<const void*>(there));               // NOLINT(performance-no-int-to-ptr)
  __builtin_prefetch(reinterpret_cast<const void*>(there + cache_line));  // NOLINT(performance-no-int-to-ptr)
}

/// Skips four blocks at a time, as long as none of them has a mark. The last four may begin inside the four before them, so that a
/// text without a mark is skipped whole.
template <mark_set Sought = mark_set::mail_data>
[[gnu::target("avx2")]] mark_scan skip_wide_blocks(std::string_view text, mark_scan so_far) {
  using char_block = char __attribute__((vector_size(32)));
  constexpr std::size_t size = sizeof(wide_block);
  constexpr std::size_t stride = 4 * size;
  if (text.size() - so_far.at < stride) return so_far;
  const char* at = text.data() + so_far.at;
  const char* const last = text.data() + text.size() - stride;
  wide_block seen{};
  for (;;) {
    fetch_ahead(at);
    wide_block here{};
    const wide_block marks = (marks_of_wide_block<Sought>(at, here) | marks_of_wide_block<Sought>(at + size, here)) |
                             (marks_of_wide_block<Sought>(at + 2 * size, here) | marks_of_wide_block<Sought>(at + 3 * size, here));
    if (__builtin_ia32_pmovmskb256(reinterpret_cast<char_block>(marks)) != 0) break;
    seen |= here;
    const bool was_last = at == last;
    at += stride;
    if (was_last) break;
    if (at > last) at = last;
  }
  const bool eight_bit = __builtin_ia32_pmovmskb256(reinterpret_cast<char_block>(seen)) != 0;
  return {static_cast<std::size_t>(at - text.data()), so_far.eight_bit || eight_bit};
}

/// Bit i is the high bit of octet i.
[[gnu::target("avx2"), gnu::always_inline]] inline std::uint64_t bits_of_wide(wide_block octets) {
  using char_block = char __attribute__((vector_size(32)));
  return static_cast<std::uint32_t>(__builtin_ia32_pmovmskb256(reinterpret_cast<char_block>(octets)));
}

/// Blocks to compare with.
struct sought_blocks {
  wide_block cr;
  wide_block lf;
  wide_block dot;
};

/// These, loaded: the compiler would make each of more instructions than it is to load it.
[[gnu::target("avx2"), gnu::always_inline]] inline sought_blocks load_sought() {
  const char* octets = "\r\n.";
  asm("" : "+r"(octets));
  const wide_block none{};
  return {none + static_cast<signed char>(octets[0]), none + static_cast<signed char>(octets[1]),
          none + static_cast<signed char>(octets[2])};
}

/// `scan_for_nearby_dot` of one block.
[[gnu::target("avx2"), gnu::noinline]] inline mark_scan nearby_dot_wide(std::string_view text) {
  wide_block here;
  std::memcpy(&here, text.data(), sizeof here);
  const sought_blocks sought = load_sought();
  const std::uint64_t lf = bits_of_wide(here == sought.lf);
  const std::uint64_t cr = bits_of_wide(here == sought.cr);
  const std::uint64_t dots = bits_of_wide(here == sought.dot) & lf << 1U;
  const std::uint64_t marks = (lf ^ cr << 1U) | dots;
  const std::uint64_t before = marks - 1;
  if ((dots & (marks ^ before)) == 0) return {};  // the first mark, if there is one, is no dot
  return {static_cast<std::size_t>(std::countr_zero(marks)), (bits_of_wide(here) & ~marks & before) != 0};
}

/// A text of 33 to 64 octets, as two blocks that may overlap.
[[gnu::target("avx2"), gnu::noinline]] inline piece_scan scan_piece_wide_blocks(std::string_view text) {
  const std::size_t last = text.size() - wide_block_size;
  const auto load = [&](std::size_t offset) __attribute__((always_inline, target("avx2"))) {
    wide_block out;
    std::memcpy(&out, text.data() + offset, sizeof out);
    return out;
  };
  const auto [cr, lf, dot] = load_sought();
  const wide_block first = load(0);
  const wide_block second = load(1);  // each octet of it stands behind one of the first
  const wide_block third = load(last - 1);
  const wide_block fourth = load(last);  // and of this behind one of the third
  const wide_block first_lf = first == lf;
  const wide_block fourth_lf = fourth == lf;
  const wide_block ends = ((second == lf) ^ (first == cr)) | (fourth_lf ^ (third == cr));
  // As words: of octets that are all ones or zeros gcc makes a blend, which takes longer than an or.
  const wide_words first_dots = reinterpret_cast<wide_words>(second == dot) & reinterpret_cast<wide_words>(first_lf);
  const wide_words last_dots = reinterpret_cast<wide_words>(fourth == dot) & reinterpret_cast<wide_words>(third == lf);
  const wide_block dots = reinterpret_cast<wide_block>(first_dots | last_dots);
  const wide_block odd = ends | dots | first | fourth;
  return {bits_of_wide(odd), bits_of_wide(first_lf) | bits_of_wide(fourth_lf) << last};
}
#else
inline constexpr std::size_t wide_block_size = 32;
constexpr bool has_wide_blocks() { return false; }
template <mark_set = mark_set::mail_data>
mark_scan skip_wide_blocks(std::string_view, mark_scan so_far) {
  return so_far;
}
inline mark_scan nearby_dot_wide(std::string_view text) { return nearby_dot(text, mark_nearby(text)); }
inline piece_scan scan_piece_wide_blocks(std::string_view text) { return scan_piece_blocks(text, false); }
#endif

/// The first mark at `so_far.at` or behind it; an octet stands before it. Quicker than `next_mark` where it is not near.
template <mark_set Sought = mark_set::mail_data>
constexpr mark_scan far_mark(std::string_view text, mark_scan so_far) {
  if (std::is_constant_evaluated()) return mark_octets<Sought>(text, so_far);
  constexpr std::size_t worth_it = 512;
  if (text.size() - so_far.at >= worth_it && has_wide_blocks()) {
    so_far = skip_wide_blocks<Sought>(text, so_far);
    if (so_far.at == text.size()) return so_far;
  }
  return mark_blocks<Sought>(text, so_far);
}

/// The same where it may be near, as among short lines that begin with a dot.
template <mark_set Sought = mark_set::mail_data>
constexpr mark_scan next_mark(std::string_view text, mark_scan so_far) {
  if (!std::is_constant_evaluated()) {
    for (int i = 0; i < 3 && text.size() - so_far.at >= block_size; ++i) {
      if (find_mark_in_block<Sought>(text, so_far)) return so_far;
    }
  }
  return far_mark<Sought>(text, so_far);
}

/// A piece of less than a block, or of any size in constant evaluation.
[[gnu::noinline]] constexpr piece_scan scan_short_piece(std::string_view text, bool any_eight_bit) {
  const mark_scan found = text.front() == '\n' ? mark_scan{} : next_mark(text, {1, static_cast<unsigned char>(text.front()) > 127});
  if (std::is_constant_evaluated()) return judge_piece(text.size(), found, behind_last_lf_octets(text, text.size()), any_eight_bit);
  return judge_piece(text.size(), found, behind_last_lf_words(text, text.size()), any_eight_bit);
}

/// Whether LFs stand so often in `text` that no line is too long, of which the first has to end in its first `first` octets. If
/// not, nothing is known.
///
/// An octet of each place that is looked at is at most a line from one of the next place; and no look waits for another.
inline bool has_short_lines(std::string_view text, std::size_t first) {
  constexpr std::size_t step = sizes::text_line - short_line + 1;
  if (first < short_line) return false;
  for (std::size_t end = first; end <= text.size(); end += step) {
    if (!has_lf_blocks(text.data() + end - short_line)) return false;
  }
  return true;
}

}  // namespace detail::scans

/// Finds the first CR or LF of `text`, and tells whether an octet above 127 stands before it.
constexpr octet_scan scan_for_line_end(std::string_view text) {
  if (std::is_constant_evaluated()) return detail::scans::scan_octets(text, {});
  return detail::scans::scan_blocks(text);
}

namespace detail::scans {

/// Where to look first: at `from`, but no octet stands before the first one. That is a mark if it is a LF.
constexpr mark_scan start_of_scan(std::string_view text, std::size_t from) {
  if (from != 0 || text.empty() || text.front() == '\n') return {from, false};
  return {1, static_cast<unsigned char>(text.front()) > 127};
}

}  // namespace detail::scans

/// Finds the first mark of `text` at `from` or behind it. Where there is none, every CR but a last one and every LF is part of a
/// CRLF, and no line begins with a dot, or none is empty. Nothing is known of what stands before `text`: its first octet is a mark
/// only if it is a LF.
template <mark_set Sought = mark_set::mail_data>
constexpr mark_scan scan_for_mark(std::string_view text, std::size_t from = 0) {
  const mark_scan start = detail::scans::start_of_scan(text, from);
  return start.at == 0 ? start : detail::scans::next_mark<Sought>(text, start);
}

/// The same, and quicker where a hundred octets have no mark.
constexpr mark_scan scan_for_far_mark(std::string_view text, std::size_t from = 0) {
  const mark_scan start = detail::scans::start_of_scan(text, from);
  return start.at == 0 ? start : detail::scans::far_mark(text, start);
}

/// The offset behind the last LF of `text`, or 0 if it has none.
constexpr std::size_t behind_last_lf(std::string_view text) {
  if (std::is_constant_evaluated()) return detail::scans::behind_last_lf_octets(text, text.size());
  return detail::scans::behind_last_lf_blocks(text, text.size());
}

namespace detail::scans {

/// `ehlo::has_long_line` of a text that is longer than a line.
[[gnu::noinline]] constexpr bool has_long_line(std::string_view text, std::size_t before) {
  constexpr std::size_t worth_it = 4 * sizes::text_line;
  if (!std::is_constant_evaluated() && text.size() > worth_it && has_short_lines(text, sizes::text_line - before)) return false;
  while (text.size() > sizes::text_line - before) {
    const std::size_t end = behind_last_lf(text.substr(0, sizes::text_line - before));
    if (end == 0) return true;
    text.remove_prefix(end);
    before = 0;
  }
  return false;
}

}  // namespace detail::scans

/// Whether a line of `text` has over 1000 octets with its line end, of which `before` of the first line are not in `text`. A last
/// line without an end counts as far as it is there. Every LF has to end a line. RFC 5321 4.5.3.1.6.
///
/// Few of the octets are looked at: where lines are not short, one that is not too long ends within 1000 octets of the end of
/// another, and its end is sought from their far end.
constexpr bool has_long_line(std::string_view text, std::size_t before = 0) {
  // Most texts that are asked about are a line or two.
  return text.size() > sizes::text_line - before && detail::scans::has_long_line(text, before);
}

/// Looks at `text`, of 1 to `longest_piece` octets, of which the first is no LF, without a branch that depends on them. It needs a
/// closer look if it has a mark, and if it has an octet above 127 and not `any_eight_bit`.
[[gnu::always_inline]] constexpr piece_scan scan_piece(std::string_view text, bool any_eight_bit) {
  namespace scans = detail::scans;
  if (std::is_constant_evaluated()) return scans::scan_short_piece(text, any_eight_bit);
  if (text.size() > scans::wide_block_size && !any_eight_bit && scans::has_wide_blocks()) [[likely]]
    return scans::scan_piece_wide_blocks(text);
  if (text.size() < scans::block_size) return scans::scan_short_piece(text, any_eight_bit);
  return scans::scan_piece_blocks(text, any_eight_bit);
}

/// `scan_for_mark(text.substr(0, nearby))` if that finds a dot behind a LF, else 0, of a text that has as many octets: for lines
/// that are short.
constexpr mark_scan scan_for_nearby_dot(std::string_view text) {
  namespace scans = detail::scans;
  if (std::is_constant_evaluated()) return scans::nearby_dot(text, scan_for_mark(text.substr(0, nearby)));
  if (scans::has_wide_blocks()) return scans::nearby_dot_wide(text);
  return scans::nearby_dot(text, scans::mark_nearby(text));
}

static_assert(scan_for_line_end("abc\r\n").line_end == 3 && scan_for_line_end("\xE9").eight_bit);
static_assert(scan_for_mark("a\r\nb\r\n.").at == 6 && scan_for_mark("a\r\rb").at == 2 && scan_for_mark("a\nb").at == 1);
static_assert(behind_last_lf("a\r\nb\r\nc") == 6 && behind_last_lf("a") == 0);

}  // namespace ehlo

#endif  // EHLO_CODEC_OCTET_SCAN_HPP
