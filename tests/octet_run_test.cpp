// SPDX-License-Identifier: BSL-1.0
#include <ehlo/octet_run.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <ehlo/grammar/local_part.hpp>
#include <ehlo/grammar/parameter.hpp>
#include <ehlo/grammar/xtext.hpp>

#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using ehlo::ascii::octet_class;

inline constexpr auto not_space = ehlo::ascii::all - octet_class{" "};
inline constexpr octet_class ends{std::string_view{"\0\x7F\x80\xFF", 4}};
inline constexpr auto all_but_letters = ehlo::ascii::all - ehlo::ascii::alpha;
inline constexpr auto letters_and_more = ehlo::ascii::alpha | octet_class::range('a', '{');
inline constexpr auto nearly_all = octet_class::range(0, 254);
inline constexpr auto nearly_all_from_one = octet_class::range(1, 255);

/// Octets with nothing in front of them and behind them that may be read, so that a sanitizer sees a step too far.
class exact {
 public:
  explicit exact(std::string_view text) : size_{text.size()}, octets_{new char[text.size()]} { text.copy(octets_.get(), size_); }
  std::string_view text() const { return {octets_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> octets_;
};

template <octet_class Set>
bool same_runs(std::string_view text) {
  for (std::size_t from = 0; from <= text.size(); ++from) {
    if (ehlo::end_of_run<Set>(text, from) != ehlo::detail::end_of_run_by_octets(text, from, Set)) return false;
  }
  return true;
}

template <octet_class... Sets>
bool same_places(std::string_view text) {
  return ehlo::places_of<Sets...>(text) ==
         std::array<std::uint64_t, sizeof...(Sets)>{ehlo::detail::places_by_octets(text, Sets)...};
}

template <octet_class... Sets>
bool same(std::string_view octets) {
  const exact text{octets};
  return (same_runs<Sets>(text.text()) && ...) && (text.text().size() > 64 || same_places<Sets...>(text.text()));
}

bool same_for_all(std::string_view octets) {
  return same<ehlo::ascii::digit, ehlo::ascii::let_dig, ehlo::ascii::alpha, all_but_letters, letters_and_more, ehlo::ascii::visible,
              ehlo::grammar::atext, ehlo::grammar::qtext_smtp, ehlo::grammar::xchar, ehlo::grammar::keyword_octet,
              ehlo::grammar::value_octet, not_space, ends, nearly_all, nearly_all_from_one>(octets);
}

}  // namespace

TEST_CASE("octets by blocks and octets one by one give the same runs and places for each octet", "[ascii]") {
  for (unsigned value = 0; value < 256; ++value) {
    const std::string one(1, static_cast<char>(value));
    INFO(value);
    CHECK(same_for_all(one));
    CHECK(same_for_all(one + "aaaaaaaaaaaaaaa"));
    CHECK(same_for_all("7777777777777777" + one + "x"));
  }
}

TEST_CASE("octets by blocks and octets one by one agree on texts of every size up to two blocks past 64", "[ascii]") {
  for (std::size_t size = 0; size <= 96; ++size) {
    INFO(size);
    for (const char filler : {'a', '1', ' ', '\xFF', '\0'}) {
      REQUIRE(same_for_all(std::string(size, filler)));
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, filler);
        text[at] = filler == 'a' ? '.' : 'a';
        REQUIRE(same_for_all(text));
      }
    }
  }
}

TEST_CASE("octets by blocks and octets one by one agree on all short strings", "[ascii]") {
  strings::for_each_up_to(7, "a-. ", [](std::string_view text) {
    if (!same<ehlo::ascii::let_dig, ehlo::grammar::keyword_octet, not_space>(text)) FAIL(text);
    // The same at the end of a block and over the cut between two.
    const std::string behind = std::string(13, 'x') + std::string{text};
    if (!same<ehlo::ascii::let_dig, ehlo::grammar::keyword_octet, not_space>(behind)) FAIL(behind);
  });
}
