// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_VERSION_HPP
#define EHLO_VERSION_HPP

/// @file
/// The version of the library. `CMakeLists.txt` reads it from here.

namespace ehlo {

/// The version of the library, by semantic versioning. Below 1.0 a minor version may change the API.
struct version_number {
  int major_number;
  int minor_number;
  int patch_number;

  friend constexpr bool operator==(const version_number&, const version_number&) = default;
};

/// The version that these headers belong to.
inline constexpr version_number version{0, 1, 0};

}  // namespace ehlo

#endif  // EHLO_VERSION_HPP
