// SPDX-License-Identifier: BSL-1.0
// Reads the fuzzer's input as choices: one octet decides one thing, and 0, which stands behind the end too, is what a careful
// program would choose, so that whatever was begun comes to its end.
#ifndef EHLO_FUZZ_SUPPORT_CHOICES_HPP
#define EHLO_FUZZ_SUPPORT_CHOICES_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fuzz {

class choices {
 public:
  explicit choices(std::string_view octets) : octets_{octets} {}
  bool at_end() const { return octets_.empty(); }
  std::uint8_t one() {
    if (octets_.empty()) return 0;
    const auto out = static_cast<std::uint8_t>(octets_.front());
    octets_.remove_prefix(1);
    return out;
  }
  std::string_view some(std::size_t count) {
    const std::string_view out = octets_.substr(0, count);
    octets_.remove_prefix(out.size());
    return out;
  }
  /// One of a table's values; the first one stands for 0.
  template <class T, std::size_t N>
  const T& of(const T (&table)[N]) {
    return table[one() % N];
  }

 private:
  std::string_view octets_;
};

}  // namespace fuzz

#endif  // EHLO_FUZZ_SUPPORT_CHOICES_HPP
