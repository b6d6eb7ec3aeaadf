// SPDX-License-Identifier: BSL-1.0
//
// Stands between a program and its C library (LD_PRELOAD) once the program has sent its first octets: notes the steps that bring a
// message to the disk in the file EHLO_DISK_LOG, and lets step number EHLO_DISK_FAILS fail with EIO.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

bool has_begun = false;
int steps = 0;

template <class Function>
Function* next(const char* name, Function*) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

void note(std::string_view what, std::string_view where) {
  const char* const path = std::getenv("EHLO_DISK_LOG");
  if (path == nullptr || !has_begun) return;
  if (std::FILE* const log = std::fopen(path, "a")) {
    std::fprintf(log, "%.*s %.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(where.size()), where.data());
    std::fclose(log);
  }
}

/// True if this step has to fail.
bool fails() {
  const char* const number = std::getenv("EHLO_DISK_FAILS");
  if (!has_begun || number == nullptr || ++steps != std::atoi(number)) return false;
  errno = EIO;
  return true;
}

std::string path_of(int file) {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), path.data(), path.size());
  return {path.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace

extern "C" {

int fsync(int file) {
  note("fsync", path_of(file));
  return fails() ? -1 : next("fsync", &fsync)(file);
}

int rename(const char* from, const char* to) noexcept {
  note("rename", to);
  return fails() ? -1 : next("rename", &rename)(from, to);
}

int mkdir(const char* path, mode_t mode) noexcept { return fails() ? -1 : next("mkdir", &mkdir)(path, mode); }

int open(const char* path, int flags, ...) {
  if ((flags & O_CREAT) != 0 && fails()) return -1;
  return ::openat(AT_FDCWD, path, flags, 0600);
}

ssize_t pread(int file, void* octets, std::size_t size, off_t offset) {
  return fails() ? -1 : next("pread", &pread)(file, octets, size, offset);
}

ssize_t writev(int file, const iovec* slices, int count) {
  if (path_of(file).find("/tmp/") != std::string::npos && fails()) return -1;
  return next("writev", &writev)(file, slices, count);
}

ssize_t write(int file, const void* octets, std::size_t size) {
  if (path_of(file).find("/tmp/") != std::string::npos && fails()) return -1;
  return next("write", &write)(file, octets, size);
}

ssize_t send(int socket, const void* octets, std::size_t size, int flags) {
  has_begun = true;
  const std::string_view text{static_cast<const char*>(octets), size};
  note("send", text.substr(0, text.find('\r')));
  return next("send", &send)(socket, octets, size, flags);
}

}  // extern "C"
