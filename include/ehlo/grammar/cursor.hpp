// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_CURSOR_HPP
#define EHLO_GRAMMAR_CURSOR_HPP

/// @file
/// A place in a text that only moves forward: what every rule of the grammar reads from.

#include <cstddef>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/octet_run.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// A text and a place in it. Nothing is ever put back: the offset only grows.
class cursor {
 public:
  constexpr explicit cursor(std::string_view text) : text_{text} {}

  constexpr std::size_t offset() const { return offset_; }
  constexpr bool at_end() const { return offset_ == text_.size(); }
  /// The next octet. There is one: `!at_end()`.
  constexpr char peek() const { return text_[offset_]; }
  /// What has not been taken.
  constexpr std::string_view rest() const { return {text_.data() + offset_, text_.size() - offset_}; }
  /// What was taken since the offset was `start`.
  constexpr std::string_view since(std::size_t start) const { return {text_.data() + start, offset_ - start}; }

  /// True if there is a next octet and it is in `set`.
  constexpr bool next_in(const ascii::octet_class& set) const { return !at_end() && set.contains(peek()); }
  /// Takes `c` if it is next.
  constexpr bool take(char c) {
    if (at_end() || peek() != c) return false;
    ++offset_;
    return true;
  }
  /// Takes `word` if it is next, letters compared without regard to case.
  constexpr bool take_ignoring_case(std::string_view word) {
    const std::string_view next = rest().substr(0, word.size());
    // Nearly all write their words as the standard does, which takes one compare.
    const bool is_same = next.size() == word.size() && std::char_traits<char>::compare(next.data(), word.data(), word.size()) == 0;
    if (!is_same && !ascii::equal_ignoring_case(next, word)) return false;
    offset_ += word.size();
    return true;
  }
  /// Takes the longest run of octets in `set`; it may be empty.
  constexpr std::string_view take_while(const ascii::octet_class& set) {
    const std::size_t start = offset_;
    while (next_in(set)) ++offset_;
    return since(start);
  }
  /// The same for a set that is known when the program is compiled: many octets at a time.
  template <ascii::octet_class Set>
  constexpr std::string_view take_while() {
    const std::size_t start = offset_;
    offset_ = end_of_run<Set>(text_, start);
    return since(start);
  }
  /// Takes `count` octets. There are as many.
  constexpr void advance(std::size_t count) { offset_ += count; }

 private:
  std::string_view text_;
  std::size_t offset_ = 0;
};

namespace grammar {

/// What `rule` makes of the whole of `text`. Fails with the rule's error, or `errc::trailing_octets` where it left octets over.
template <class Rule, class... Arguments>
constexpr auto match(Rule rule, std::string_view text, Arguments... arguments) {
  cursor in{text};
  auto out = rule(in, arguments...);
  if (out && !in.at_end()) return decltype(out){error{errc::trailing_octets, in.offset()}};
  return out;
}

}  // namespace grammar
}  // namespace ehlo

#endif  // EHLO_GRAMMAR_CURSOR_HPP
