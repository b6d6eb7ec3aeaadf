// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXAMPLES_SUPPORT_SECRET_OCTETS_HPP
#define EHLO_EXAMPLES_SUPPORT_SECRET_OCTETS_HPP

/// @file
/// Octets that are wiped when they go.

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include <ehlo/secret.hpp>

namespace example {

/// Owns a secret of a size that is known when it is made. Movable.
class secret_octets {
 public:
  secret_octets() = default;
  explicit secret_octets(std::size_t size) : octets_(size) {}
  explicit secret_octets(std::string_view octets) : octets_(octets.begin(), octets.end()) {}
  secret_octets(secret_octets&&) = default;
  secret_octets& operator=(secret_octets&& other) noexcept {
    std::swap(octets_, other.octets_);
    return *this;
  }
  ~secret_octets() { ehlo::wipe(octets_.data(), octets_.size()); }

  char* data() { return octets_.data(); }
  std::size_t size() const { return octets_.size(); }
  std::string_view reveal() const { return {octets_.data(), octets_.size()}; }

 private:
  std::vector<char> octets_;
};

}  // namespace example

#endif  // EHLO_EXAMPLES_SUPPORT_SECRET_OCTETS_HPP
