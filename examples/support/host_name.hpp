// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXAMPLES_SUPPORT_HOST_NAME_HPP
#define EHLO_EXAMPLES_SUPPORT_HOST_NAME_HPP

/// @file
/// What this host calls itself.

#include <unistd.h>

#include <array>
#include <string>

#include <ehlo/grammar/host.hpp>

namespace example {

/// The host's name if SMTP can say it, else "localhost".
inline std::string name_of_this_host() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || !ehlo::host::parse(name.data())) return "localhost";
  return name.data();
}

}  // namespace example

#endif  // EHLO_EXAMPLES_SUPPORT_HOST_NAME_HPP
