// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_NO_SOLICITING_HPP
#define EHLO_EXTENSION_NO_SOLICITING_HPP

/// @file
/// NO-SOLICITING: which classes of solicitations a server does not want, and which a message belongs to. RFC 3865.

#include <cstddef>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// Solicitation class keywords, separated by commas: `net.example:ADV,org.example:CHARITY`. A view; empty only by default.
class solicitation_keywords {
 public:
  /// None.
  constexpr solicitation_keywords() = default;

  /// Solicitation-keywords = word 0*("," word) ; at most 1000 octets
  /// word = ALPHA 0*(wordchar)
  /// wordchar = "." / "-" / "_" / ":" / ALPHA / DIGIT      RFC 3865 2.2
  ///
  /// Fails with `errc::solicitation_value` at the octet that is wrong, or at the 1001st.
  static constexpr result<solicitation_keywords> parse(std::string_view text) {
    constexpr auto word_octet = ascii::let_dig | ascii::octet_class{".-_:"};
    bool begins = true;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (i == largest || !(begins ? ascii::alpha.contains(c) : c == ',' || word_octet.contains(c)))
        return error{errc::solicitation_value, i};
      begins = c == ',';
    }
    if (begins) return error{errc::solicitation_value, text.size()};
    solicitation_keywords out;
    out.text_ = text;
    return out;
  }

  /// The list as it was spelt.
  constexpr std::string_view text() const { return text_; }
  constexpr bool empty() const { return text_.empty(); }
  /// Calls `use(word)` for each keyword.
  template <class Use>
  constexpr void for_each(Use use) const {
    std::string_view rest = text_;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      use(rest.substr(0, comma));
      rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    }
  }
  /// True if both lists have a keyword, compared without regard to case.
  constexpr bool shares(const solicitation_keywords& other) const {
    bool out = false;
    for_each([&](std::string_view mine) {
      other.for_each([&](std::string_view theirs) { out = out || ascii::equal_ignoring_case(mine, theirs); });
    });
    return out;
  }

  /// The most octets of a list.
  static constexpr std::size_t largest = 1000;

  friend constexpr bool operator==(const solicitation_keywords&, const solicitation_keywords&) = default;

 private:
  std::string_view text_;
};

static_assert(
    solicitation_keywords::parse("net.example:ADV,org.example:X")->shares(*solicitation_keywords::parse("NET.example:adv")));
static_assert(solicitation_keywords::parse("a,,b").error() == error{errc::solicitation_value, 2} &&
              !solicitation_keywords::parse(""));

}  // namespace ehlo

#endif  // EHLO_EXTENSION_NO_SOLICITING_HPP
