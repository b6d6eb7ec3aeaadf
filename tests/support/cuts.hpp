// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_CUTS_HPP
#define EHLO_TESTS_SUPPORT_CUTS_HPP

/// @file
/// What the dialogues of both ends share: the escapes of their lines, and the cuts in which they are played.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <ehlo/ascii.hpp>

#include "support/catch.hpp"

namespace dialogue {

inline std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'r': out += '\r'; break;
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case '0': out += '\0'; break;
      case '\\': out += '\\'; break;
      case 'x':
        REQUIRE(i + 2 < text.size());
        out += static_cast<char>(ehlo::ascii::hex_value(text[i + 1]) << 4U | ehlo::ascii::hex_value(text[i + 2]));
        i += 2;
        break;
      default: FAIL("an escape that no dialogue has: \\" << text[i]);
    }
  }
  return out;
}

/// The longest run of octets of the end that the dialogue feeds.
template <class Kind>
std::size_t longest_run(const auto& steps, Kind fed) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const auto& s : steps) {
    run = s.what == fed ? run + s.text.size() : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

/// Calls `growing(cut)` whole and for every cut, and `fixed(cut)` for some: all give the same record.
template <class Growing, class Fixed>
auto in_all_cuts(std::size_t longest, bool whole_only, Growing growing, Fixed fixed) {
  constexpr std::size_t all = std::size_t{1} << 30U;
  const auto whole = growing(all);
  if (whole_only) return whole;
  const std::size_t most = longest > 4000 ? 3 : std::min<std::size_t>(longest, 40);
  for (std::size_t cut = 1; cut <= most; ++cut) {
    INFO("cut every " << cut);
    CHECK(growing(cut) == whole);
  }
  for (const std::size_t cut : {std::size_t{1}, std::size_t{7}, all}) {
    INFO("fixed storage, cut every " << cut);
    CHECK(fixed(cut) == whole);
  }
  return whole;
}

}  // namespace dialogue

#endif  // EHLO_TESTS_SUPPORT_CUTS_HPP
