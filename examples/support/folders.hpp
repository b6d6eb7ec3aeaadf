// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXAMPLES_SUPPORT_FOLDERS_HPP
#define EHLO_EXAMPLES_SUPPORT_FOLDERS_HPP

/// @file
/// Folders that are there after a crash. The functions give 0, or what errno said.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace example {

/// A file that was made, renamed or removed in a folder is so after a crash only when the folder is on disk, too.
inline int sync_folder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return errno;
  const int failure = ::fsync(folder) == 0 ? 0 : errno;
  ::close(folder);
  return failure;
}

/// Makes a folder, and those above it, for its owner. One that is there is left as it is.
inline int make_folder(const std::string& path) {
  constexpr mode_t for_the_owner = 0700;
  const auto make = [&path] { return ::mkdir(path.c_str(), for_the_owner) == 0 ? 0 : errno; };
  int failure = make();
  if (failure == ENOENT) {
    const std::size_t slash = path.find_last_of('/', path.find_last_not_of('/'));
    if (slash == path.npos || slash == 0) return ENOENT;
    if (const int above = make_folder(path.substr(0, slash))) return above;
    failure = make();  // below a link to nothing, which is there, this fails as before
  }
  if (failure == EEXIST) return 0;
  if (failure != 0) return failure;
  failure = sync_folder(path + "/..");
  if (failure != 0) ::rmdir(path.c_str());
  return failure;
}

}  // namespace example

#endif  // EHLO_EXAMPLES_SUPPORT_FOLDERS_HPP
