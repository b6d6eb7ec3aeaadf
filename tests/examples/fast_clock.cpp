// SPDX-License-Identifier: BSL-1.0
//
// Stands between a program and its C library (LD_PRELOAD): for the program time passes 100 times as fast.

#include <dlfcn.h>
#include <poll.h>
#include <time.h>

#include <cstdint>

namespace {

constexpr int rate = 100;

template <class Function>
Function* next(const char* name, Function*) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static const auto real = next("clock_gettime", &clock_gettime);
  const int out = real(clock, time);
  if (out != 0 || clock != CLOCK_MONOTONIC) return out;
  constexpr std::int64_t second = 1'000'000'000;
  const std::int64_t fraction = std::int64_t{time->tv_nsec} * rate;
  time->tv_sec = time->tv_sec * rate + fraction / second;
  time->tv_nsec = fraction % second;
  return out;
}

extern "C" int poll(pollfd* watched, nfds_t count, int milliseconds) {
  static const auto real = next("poll", &poll);
  return real(watched, count, milliseconds < 0 ? milliseconds : milliseconds / rate + 1);
}
