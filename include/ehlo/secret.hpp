// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SECRET_HPP
#define EHLO_SECRET_HPP

/// @file
/// Octets that must not be shown: passwords and tokens. RFC 4954 9; RFC 4422 6.

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace ehlo {

/// A view of octets that nobody prints by mistake: it has no `operator<<`, no conversion and no `==`. It lives as long as the
/// octets.
class secret {
 public:
  /// No octets.
  constexpr secret() = default;
  constexpr explicit secret(std::string_view octets) : octets_{octets} {}

  /// The octets. Whoever calls this answers for where they go.
  constexpr std::string_view reveal() const { return octets_; }
  constexpr std::size_t size() const { return octets_.size(); }
  constexpr bool empty() const { return octets_.empty(); }

  friend bool operator==(const secret&, const secret&) = delete;

 private:
  std::string_view octets_;
};

/// True if the octets are the same. How long it takes depends on the sizes, not on what the octets are or where they differ.
constexpr bool equal_in_constant_time(std::string_view given, std::string_view expected) {
  unsigned difference = given.size() == expected.size() ? 0U : 1U;
  for (std::size_t i = 0; i < given.size(); ++i) {
    // Reads some octet each time, so that the number of steps is that of `given` alone.
    const char other = expected.empty() ? '\0' : expected[i % expected.size()];
    difference |=
        static_cast<unsigned>(static_cast<unsigned char>(given[i])) ^ static_cast<unsigned>(static_cast<unsigned char>(other));
  }
  return difference == 0;
}

/// The same for secrets.
constexpr bool equal_in_constant_time(const secret& given, const secret& expected) {
  return equal_in_constant_time(given.reveal(), expected.reveal());
}

/// Overwrites `size` octets with NUL. The writes are volatile: the optimizer keeps them although nobody reads what they wrote.
constexpr void wipe(char* octets, std::size_t size) {
  if (std::is_constant_evaluated()) {
    for (std::size_t i = 0; i < size; ++i) octets[i] = '\0';
  } else {
    volatile char* out = octets;
    for (std::size_t i = 0; i < size; ++i) out[i] = '\0';
  }
}

static_assert(equal_in_constant_time("abc", "abc") && !equal_in_constant_time("abc", "abd") && !equal_in_constant_time("aa", "a"));
static_assert(!equal_in_constant_time("", "a") && !equal_in_constant_time("a", "") && equal_in_constant_time("", ""));

}  // namespace ehlo

#endif  // EHLO_SECRET_HPP
