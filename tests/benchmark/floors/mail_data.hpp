// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_BENCHMARK_FLOORS_MAIL_DATA_HPP
#define EHLO_TESTS_BENCHMARK_FLOORS_MAIL_DATA_HPP

/// @file
/// What SSE2 and AVX2 reach on mail data: a scan for CR LF dot that keeps no state, and a prototype of a strict streaming reader
/// that gives slices. For x86-64 only.

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "support/cases.hpp"

namespace floors {

// ---- scan for "\r\n." only (no state kept): count hits
__attribute__((target("sse2"))) inline std::size_t scan_sse2(const char* p, std::size_t n) {
  std::size_t h = 0, i = 2;
  const __m128i D = _mm_set1_epi8('.'), L = _mm_set1_epi8('\n'), R = _mm_set1_epi8('\r');
  for (; i + 16 <= n; i += 16) {
    __m128i a = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i*)(p + i)), D),
            b = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i*)(p + i - 1)), L),
            c = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i*)(p + i - 2)), R);
    unsigned m = _mm_movemask_epi8(_mm_and_si128(_mm_and_si128(a, b), c));
    if (m) h += static_cast<unsigned>(__builtin_popcount(m));
  }
  for (; i < n; i++) h += p[i] == '.' && p[i - 1] == '\n' && p[i - 2] == '\r';
  return h;
}
__attribute__((target("avx2,popcnt"))) inline std::size_t scan_avx2(const char* p, std::size_t n) {
  std::size_t h = 0, i = 2;
  const __m256i D = _mm256_set1_epi8('.'), L = _mm256_set1_epi8('\n'), R = _mm256_set1_epi8('\r');
  for (; i + 32 <= n; i += 32) {
    __m256i a = _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i*)(p + i)), D),
            b = _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i*)(p + i - 1)), L),
            c = _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i*)(p + i - 2)), R);
    unsigned m = _mm256_movemask_epi8(_mm256_and_si256(_mm256_and_si256(a, b), c));
    if (m) h += static_cast<unsigned>(__builtin_popcount(m));
  }
  for (; i < n; i++) h += p[i] == '.' && p[i - 1] == '\n' && p[i - 2] == '\r';
  return h;
}

// ---- strict streaming unstuffer. T = positions where (LF here) != (CR one before)  or  ('.' here and LF one before)
struct by_16 {
  static constexpr std::size_t W = 16;
  __attribute__((target("sse2"), always_inline)) static inline std::uint64_t hits(const char* p) {
    const __m128i v = _mm_loadu_si128((const __m128i*)p), u = _mm_loadu_si128((const __m128i*)(p - 1)), L = _mm_set1_epi8('\n');
    __m128i x = _mm_xor_si128(_mm_cmpeq_epi8(v, L), _mm_cmpeq_epi8(u, _mm_set1_epi8('\r'))),
            d = _mm_and_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('.')), _mm_cmpeq_epi8(u, L));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(x, d));
  }
};
struct by_32 {
  static constexpr std::size_t W = 32;
  __attribute__((target("avx2"), always_inline)) static inline std::uint64_t hits(const char* p) {
    const __m256i v = _mm256_loadu_si256((const __m256i*)p), u = _mm256_loadu_si256((const __m256i*)(p - 1)),
                  L = _mm256_set1_epi8('\n');
    __m256i x = _mm256_xor_si256(_mm256_cmpeq_epi8(v, L), _mm256_cmpeq_epi8(u, _mm256_set1_epi8('\r'))),
            d = _mm256_and_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('.')), _mm256_cmpeq_epi8(u, L));
    return (std::uint32_t)_mm256_movemask_epi8(_mm256_or_si256(x, d));
  }
};
struct undotting {
  enum St : unsigned char { MID, CR, BOL, DOT, DOTCR } st = BOL;
  std::size_t bare = 0;
  bool done = false;
};
// returns octets used; sink(ptr,len) gets the body spans
#define EHLO_FLOOR_FEED(NAME, TGT, V)                                                                      \
  template <class Sink>                                                                                    \
  __attribute__((target(TGT))) std::size_t NAME(undotting& u, const char* p, std::size_t n, Sink&& sink) { \
    std::size_t i = 0, start = 0;                                                                          \
    auto flush = [&](std::size_t e) __attribute__((always_inline)) {                                       \
      if (e > start) sink(p + start, e - start);                                                           \
    };                                                                                                     \
    using St = undotting::St;                                                                              \
    St st = u.st;                                                                                          \
    for (;;) {                                                                                             \
      do {                                                                                                 \
        if (i == n) {                                                                                      \
          flush(st == undotting::DOTCR && n > start ? n - 1 : n);                                          \
          u.st = st;                                                                                       \
          return n;                                                                                        \
        }                                                                                                  \
        char c = p[i++];                                                                                   \
        switch (st) {                                                                                      \
          case undotting::DOT:                                                                             \
            if (c == '\r')                                                                                 \
              st = undotting::DOTCR;                                                                       \
            else {                                                                                         \
              if (c == '\n') u.bare++;                                                                     \
              st = undotting::MID;                                                                         \
            }                                                                                              \
            break;                                                                                         \
          case undotting::DOTCR:                                                                           \
            if (c == '\n') {                                                                               \
              flush(i >= 2 ? i - 2 : 0);                                                                   \
              u.done = true;                                                                               \
              u.st = undotting::BOL;                                                                       \
              return i;                                                                                    \
            }                                                                                              \
            u.bare++;                                                                                      \
            if (i == 1) sink("\r", 1);                                                                     \
            st = c == '\r' ? undotting::CR : undotting::MID;                                               \
            break;                                                                                         \
          case undotting::BOL:                                                                             \
            if (c == '.') {                                                                                \
              flush(i - 1);                                                                                \
              start = i;                                                                                   \
              st = undotting::DOT;                                                                         \
              break;                                                                                       \
            }                                                                                              \
            [[fallthrough]];                                                                               \
          case undotting::MID:                                                                             \
            st = c == '\r' ? undotting::CR : undotting::MID;                                               \
            if (c == '\n') u.bare++;                                                                       \
            break;                                                                                         \
          case undotting::CR:                                                                              \
            if (c == '\n')                                                                                 \
              st = undotting::BOL;                                                                         \
            else {                                                                                         \
              u.bare++;                                                                                    \
              st = c == '\r' ? undotting::CR : undotting::MID;                                             \
            }                                                                                              \
            break;                                                                                         \
        }                                                                                                  \
      } while (st >= undotting::DOT);                                                                      \
      bool hit = false;                                                                                    \
      while (i + V::W <= n) {                                                                              \
        std::uint64_t t = V::hits(p + i);                                                                  \
        if (t) {                                                                                           \
          i += __builtin_ctzll(t);                                                                         \
          hit = true;                                                                                      \
          break;                                                                                           \
        }                                                                                                  \
        i += V::W;                                                                                         \
      }                                                                                                    \
      if (!hit && n > V::W && i < n) {                                                                     \
        std::size_t b = n - V::W;                                                                          \
        std::uint64_t t = V::hits(p + b) & (~0ull << (i - b));                                             \
        if (t) {                                                                                           \
          i = b + __builtin_ctzll(t);                                                                      \
          hit = true;                                                                                      \
        } else                                                                                             \
          i = n;                                                                                           \
      }                                                                                                    \
      char q = p[i - 1];                                                                                   \
      st = q == '\r'                                                           ? undotting::CR             \
           : (q == '\n' && (i >= 2 ? p[i - 2] == '\r' : st == undotting::BOL)) ? undotting::BOL            \
                                                                               : undotting::MID;           \
    }                                                                                                      \
  }
EHLO_FLOOR_FEED(feed_sse2, "sse2", by_16)
EHLO_FLOOR_FEED(feed_avx2, "avx2", by_32)
#undef EHLO_FLOOR_FEED

template <class Feed>
bench::work read_mail_data(std::string_view octets, std::size_t feed, Feed&& feed_one) {
  bench::work done{octets.size(), octets.size(), 0};
  undotting state;
  for (std::size_t i = 0; i < octets.size() && !state.done; i += feed) {
    feed_one(state, octets.data() + i, std::min(feed, octets.size() - i), [&done](const char* slice, std::size_t size) {
      bench::keep_octets({slice, size});
      done.good += size;
    });
  }
  return done;
}

inline bench::work read_mail_data_sse2(std::string_view octets, std::size_t feed) {
  return read_mail_data(octets, feed, [](auto&&... a) { return feed_sse2(a...); });
}
inline bench::work read_mail_data_avx2(std::string_view octets, std::size_t feed) {
  return read_mail_data(octets, feed, [](auto&&... a) { return feed_avx2(a...); });
}
inline bench::work scan_sse2(std::string_view octets) {
  return {octets.size(), octets.size(), scan_sse2(octets.data(), octets.size())};
}
inline bench::work scan_avx2(std::string_view octets) {
  return {octets.size(), octets.size(), scan_avx2(octets.data(), octets.size())};
}

inline bool has_avx2() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0;
}

}  // namespace floors

#endif  // __x86_64__

#endif  // EHLO_TESTS_BENCHMARK_FLOORS_MAIL_DATA_HPP
