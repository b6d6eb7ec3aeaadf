// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXAMPLES_SUPPORT_PRINT_HPP
#define EHLO_EXAMPLES_SUPPORT_PRINT_HPP

/// @file
/// Standard output and standard error of programs that go on when nobody reads them: a full disk behind a log ends no server.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace example {

/// To be called first: no write to a reader that is gone ends the program, and no socket takes the place of a standard stream that
/// was closed. What was not there cannot be read, and takes what is written.
inline void prepare_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  int taken = 0;
  do {
    taken = ::open("/dev/null", O_WRONLY);
  } while (taken >= 0 && taken <= STDERR_FILENO);
  if (taken >= 0) ::close(taken);
}

/// Prints to `stream`; what cannot be written is lost, and `was_printed` tells of it.
template <class... T>
void print_to(std::FILE* stream, fmt::format_string<T...> text, T&&... values) {
  fmt::memory_buffer out;
  fmt::format_to(std::back_inserter(out), text, std::forward<T>(values)...);
  (void)std::fwrite(out.data(), 1, out.size(), stream);
}

/// Prints to standard output.
template <class... T>
void print(fmt::format_string<T...> text, T&&... values) {
  print_to(stdout, text, std::forward<T>(values)...);
}

/// Prints to standard error.
template <class... T>
void print_error(fmt::format_string<T...> text, T&&... values) {
  print_to(stderr, text, std::forward<T>(values)...);
}

/// Whether all that was printed to `stream` has left. To be asked at the end.
inline bool was_printed(std::FILE* stream) {
  const bool has_left = std::fflush(stream) == 0;
  return std::ferror(stream) == 0 && has_left;
}

}  // namespace example

#endif  // EHLO_EXAMPLES_SUPPORT_PRINT_HPP
