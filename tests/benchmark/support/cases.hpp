// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_BENCHMARK_SUPPORT_CASES_HPP
#define EHLO_TESTS_BENCHMARK_SUPPORT_CASES_HPP

/// @file
/// The cases of a benchmark program: each is a name and a pass over its corpus. Google Benchmark times them; `--pass NAME` runs one
/// pass between two marks, for callgrind to count (`--toggle-collect=ehlo_measured_pass`).

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace bench {

/// What one pass did. Passes of one case do the same.
struct work {
  std::size_t items = 0;   ///< commands, mailboxes, replies, octets: what the figure is for one of
  std::size_t octets = 0;  ///< read or written
  std::size_t good = 0;    ///< items accepted, or another result that shows that the work was done
};

using pass = std::function<work()>;

/// Adds a case. Names have no spaces.
void add(std::string name, pass run);

/// A file of the corpus, whose folder is the program's first argument. 64 octets behind it are readable.
std::string_view corpus(std::string_view name);

/// What there is of `text` up to its last CRLF before `size`.
std::string_view lines_up_to(std::string_view text, std::size_t size);

/// Keeps the compiler from knowing what becomes of `value`, or what it is.
template <class T>
inline void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}
/// The same for octets, which stay in registers, as on the way to a call of write.
inline void keep_octets(std::string_view octets) { asm volatile("" : : "r"(octets.data()), "r"(octets.size()) : "memory"); }
template <class T>
inline void hide(T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

}  // namespace bench

/// Each program has this one: adds its cases.
void add_cases();

#endif  // EHLO_TESTS_BENCHMARK_SUPPORT_CASES_HPP
