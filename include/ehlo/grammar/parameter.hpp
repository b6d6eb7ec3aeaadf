// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_PARAMETER_HPP
#define EHLO_GRAMMAR_PARAMETER_HPP

/// @file
/// The parameters behind a path, by their form only. RFC 5321 4.1.2; RFC 6531 3.3.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/octet_run.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// A parameter of MAIL or RCPT. A view.
struct parameter {
  std::string_view keyword;               ///< as it was spelt; compares without regard to case
  std::optional<std::string_view> value;  ///< what stands behind "="; never empty
  std::size_t offset = 0;                 ///< of the keyword in the list

  friend constexpr bool operator==(const parameter&, const parameter&) = default;
};

namespace grammar {

inline constexpr auto keyword_octet = ascii::let_dig | ascii::octet_class{"-"};  ///< of an esmtp-keyword behind its first
inline constexpr auto value_octet = ascii::visible - ascii::octet_class{"="};    ///< of an esmtp-value, in ASCII

/// esmtp-param = esmtp-keyword ["=" esmtp-value]
/// esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
/// esmtp-value = 1*(%d33-60 / %d62-126)      RFC 5321 4.1.2
/// esmtp-value =/ UTF8-non-ascii             RFC 6531 3.3
constexpr result<ehlo::parameter> parameter(cursor& in, charset set = charset::ascii) {
  const std::size_t start = in.offset();
  if (!in.next_in(ascii::let_dig)) return error{errc::parameter_keyword, start};
  ehlo::parameter out{in.take_while<keyword_octet>(), std::nullopt, start};
  if (!in.take('=')) return out;
  const std::size_t begin = in.offset();
  for (;;) {
    in.take_while<value_octet>();
    if (in.at_end() || ascii::is_ascii(in.peek())) break;
    if (set == charset::ascii) return error{errc::utf8_not_allowed, in.offset()};
    if (const auto character = utf8_non_ascii(in); !character) return character.error();
  }
  if (in.offset() == begin) return error{errc::parameter_value, begin};
  out.value = in.since(begin);
  return out;
}

namespace detail {

/// True if `text` is a list of parameters, in ASCII and of fewer than 64 octets, as nearly all are: seen at one look, as bits. It
/// only ever says yes: other lists are read by the rule, which knows the errors.
constexpr bool is_plain_list(std::string_view text) {
  using ascii::octet_class;
  constexpr std::size_t longest = 63;
  if (text.size() > longest) return false;
  const auto [keywords, values, hyphens, equals, spaces] =
      places_of<keyword_octet, value_octet, octet_class{"-"}, octet_class{"="}, octet_class{" "}>(text);
  const std::uint64_t end = std::uint64_t{1} << text.size();
  const std::uint64_t starts = 1U | spaces << 1U;
  if ((values | equals | spaces) != end - 1 || (starts & ~(keywords & ~hyphens)) != 0) return false;
  // Added to its first octet, the bits of a keyword carry over to the octet behind it, where "=", a space or the end stands.
  const std::uint64_t behind = (keywords + starts) & ~keywords;
  return (behind & ~(equals | spaces | end)) == 0 && (equals & ~behind) == 0 && (equals << 1U & ~values) == 0;
}

}  // namespace detail
}  // namespace grammar

/// A list of parameters separated by single spaces, read anew each time it is walked. A view.
class parameter_list {
 public:
  /// The empty list.
  constexpr parameter_list() = default;

  /// Mail-parameters = esmtp-param *(SP esmtp-param)      RFC 5321 4.1.2
  ///
  /// An empty text is the empty list. Fails with `errc::parameter_keyword`, `parameter_value` or the errors of UTF-8.
  static constexpr result<parameter_list> parse(std::string_view text, charset set = charset::ascii) {
    parameter_list out;
    out.text_ = text;
    if (text.empty() || grammar::detail::is_plain_list(text)) return out;
    cursor in{text};
    bool in_value = false;
    do {
      const auto one = grammar::parameter(in, set);
      if (!one) return one.error();
      in_value = one->value.has_value();
    } while (in.take(' '));
    if (!in.at_end()) return error{in_value ? errc::parameter_value : errc::parameter_keyword, in.offset()};
    return out;
  }

  /// Walks the parameters in order.
  class iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = parameter;
    using difference_type = std::ptrdiff_t;

    constexpr iterator() = default;
    constexpr parameter operator*() const {
      const std::string_view one{text_.data() + offset_, end_ - offset_};
      const std::size_t equals = std::min(one.find('='), one.size());
      parameter out{{one.data(), equals}, std::nullopt, offset_};
      if (equals < one.size()) out.value = std::string_view{one.data() + equals + 1, one.size() - equals - 1};
      return out;
    }
    constexpr iterator& operator++() {
      *this = iterator{text_, end_ < text_.size() ? end_ + 1 : end_};
      return *this;
    }
    constexpr iterator operator++(int) {
      const iterator before = *this;
      ++*this;
      return before;
    }
    friend constexpr bool operator==(const iterator& a, const iterator& b) { return a.offset_ == b.offset_; }

   private:
    friend class parameter_list;
    constexpr bool has_keyword(std::string_view keyword) const {
      const std::size_t behind = offset_ + keyword.size();
      if (behind > end_ || (behind < end_ && text_[behind] != '=')) return false;
      return ascii::equal_ignoring_case({text_.data() + offset_, keyword.size()}, keyword);
    }
    constexpr iterator(std::string_view text, std::size_t offset)
        : text_{text},
          offset_{offset},
          end_{offset == text.size() ? offset : end_of_run<ascii::all - ascii::octet_class{" "}>(text, offset)} {}

    std::string_view text_;
    std::size_t offset_ = 0;
    std::size_t end_ = 0;  ///< of the parameter at `offset_`
  };

  constexpr iterator begin() const { return {text_, 0}; }
  constexpr iterator end() const { return {text_, text_.size()}; }
  constexpr bool empty() const { return text_.empty(); }
  /// The list as received.
  constexpr std::string_view text() const { return text_; }
  /// The first parameter with this keyword, compared without regard to case.
  constexpr std::optional<parameter> find(std::string_view keyword) const {
    for (iterator one = begin(); one != end(); ++one) {
      if (one.has_keyword(keyword)) return *one;
    }
    return std::nullopt;
  }

 private:
  std::string_view text_;
};

static_assert(parameter_list::parse("SIZE=1 BODY=8BITMIME")->find("body")->value == "8BITMIME");
static_assert(parameter_list::parse("SIZE=1  BODY=7BIT").error() == error{errc::parameter_keyword, 7});
static_assert(parameter_list::parse("A=b=c").error() == error{errc::parameter_value, 3});
static_assert(parameter_list::parse("A_B=1").error() == error{errc::parameter_keyword, 1});

}  // namespace ehlo

#endif  // EHLO_GRAMMAR_PARAMETER_HPP
