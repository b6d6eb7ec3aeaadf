// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_GRAMMAR_STRINGS_HPP
#define EHLO_TESTS_GRAMMAR_STRINGS_HPP

/// @file
/// Strings to try a grammar with: all short ones over an alphabet, and those of a given length.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace strings {

/// Calls `visit` with every string over `alphabet` of at most `longest` octets.
template <class Visit>
void for_each_up_to(std::size_t longest, std::string_view alphabet, Visit visit) {
  std::string text;
  const auto walk = [&](const auto& self) -> void {
    visit(std::string_view{text});
    if (text.size() == longest) return;
    for (const char c : alphabet) {
      text.push_back(c);
      self(self);
      text.pop_back();
    }
  };
  walk(walk);
}

/// A domain of exactly `size` octets in labels of at most 63.
inline std::string domain_of(std::size_t size) {
  std::string out;
  while (out.size() < size) {
    const std::size_t left = size - out.size();
    const std::size_t label = left == 64 ? 62 : std::min<std::size_t>(left, 63);
    out.append(label, 'd');
    if (out.size() < size) out.push_back('.');
  }
  return out;
}

/// The octets in hexadecimal, for messages.
inline std::string hex(std::string_view octets) {
  std::string out;
  for (const char c : octets) {
    const auto value = static_cast<unsigned char>(c);
    out.push_back("0123456789ABCDEF"[value >> 4U]);
    out.push_back("0123456789ABCDEF"[value & 15U]);
    out.push_back(' ');
  }
  return out;
}

}  // namespace strings

#endif  // EHLO_TESTS_GRAMMAR_STRINGS_HPP
