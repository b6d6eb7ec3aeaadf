// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_ATTRIBUTE_LIST_HPP
#define EHLO_GRAMMAR_ATTRIBUTE_LIST_HPP

/// @file
/// The attributes behind XCLIENT and XFORWARD, by their form only. XCLIENT_README and XFORWARD_README of Postfix, command syntax.

#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/xtext.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// An attribute: a name, and a value in xtext. A view.
struct attribute {
  std::string_view name;   ///< as it was spelt; compares without regard to case
  xtext value;             ///< never empty
  std::size_t offset = 0;  ///< of the name in the list

  friend constexpr bool operator==(const attribute&, const attribute&) = default;
};

/// The octets that a value means, where they are few enough.
class decoded_value {
 public:
  static constexpr std::size_t max_size = 255;  ///< of names, and of any value of XFORWARD

  /// None if `encoded` means more than `max_size` octets.
  static constexpr std::optional<decoded_value> of(const xtext& encoded) {
    decoded_value out;
    out.size_ = encoded.decoded_size();
    if (out.size_ > max_size) return std::nullopt;
    encoded.decode(out.octets_.data());
    return out;
  }

  /// Lives as long as this does.
  constexpr std::string_view text() const { return {octets_.data(), size_}; }

 private:
  constexpr decoded_value() = default;

  std::array<char, max_size> octets_{};
  std::size_t size_ = 0;
};

namespace grammar {

/// attribute-name"="attribute-value; attribute-value = xtext      XCLIENT_README, command syntax
///
/// Fails with `errc::attribute_name`, `attribute_value` (empty), or the errors of xtext.
constexpr result<ehlo::attribute> attribute(cursor& in) {
  const std::size_t start = in.offset();
  const std::string_view name = in.take_while(ascii::alpha);
  if (name.empty() || !in.take('=')) return error{errc::attribute_name, in.offset()};
  const std::size_t begin = in.offset();
  const auto text = xtext(in);
  if (!text) return text.error();
  if (text->empty()) return error{errc::attribute_value, begin};
  return ehlo::attribute{name, *ehlo::xtext::parse(*text), start};
}

}  // namespace grammar

/// Attributes separated by single spaces, none twice; read anew each time they are walked. A view.
class attribute_list {
 public:
  /// The empty list.
  constexpr attribute_list() = default;

  /// attribute-name"="attribute-value *( SP attribute-name"="attribute-value )      XCLIENT_README, command syntax
  ///
  /// There is at least one. Fails with `errc::argument_missing`, `attribute_name`, `attribute_value`, the errors of xtext, or
  /// `parameter_duplicate`.
  static constexpr result<attribute_list> parse(std::string_view text) {
    if (text.empty()) return error{errc::argument_missing};
    cursor in{text};
    do {
      const auto one = grammar::attribute(in);
      if (!one) return one.error();
      attribute_list before;
      before.text_ = text.substr(0, one->offset == 0 ? 0 : one->offset - 1);
      if (before.find(one->name)) return error{errc::parameter_duplicate, one->offset};
    } while (in.take(' '));
    if (!in.at_end()) return error{errc::xtext_octet, in.offset()};
    attribute_list out;
    out.text_ = text;
    return out;
  }

  /// Walks the attributes in order.
  class iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = attribute;
    using difference_type = std::ptrdiff_t;

    constexpr iterator() = default;
    constexpr attribute operator*() const {
      cursor in{text_};
      in.advance(offset_);
      return *grammar::attribute(in);
    }
    constexpr iterator& operator++() {
      const std::size_t space = text_.find(' ', offset_);
      offset_ = space == text_.npos ? text_.size() : space + 1;
      return *this;
    }
    constexpr iterator operator++(int) {
      const iterator before = *this;
      ++*this;
      return before;
    }
    friend constexpr bool operator==(const iterator& a, const iterator& b) { return a.offset_ == b.offset_; }

   private:
    friend class attribute_list;
    constexpr iterator(std::string_view text, std::size_t offset) : text_{text}, offset_{offset} {}

    std::string_view text_;
    std::size_t offset_ = 0;
  };

  constexpr iterator begin() const { return {text_, 0}; }
  constexpr iterator end() const { return {text_, text_.size()}; }
  constexpr bool empty() const { return text_.empty(); }
  /// The list as received.
  constexpr std::string_view text() const { return text_; }
  /// The value of the attribute with this name, compared without regard to case.
  constexpr std::optional<xtext> find(std::string_view name) const {
    for (const attribute& one : *this) {
      if (ascii::equal_ignoring_case(one.name, name)) return one.value;
    }
    return std::nullopt;
  }

  friend constexpr bool operator==(const attribute_list&, const attribute_list&) = default;

 private:
  std::string_view text_;
};

static_assert(attribute_list::parse("NAME=a ADDR=192.0.2.1")->find("addr")->text() == "192.0.2.1");
static_assert(attribute_list::parse("NAME=a  ADDR=b").error() == error{errc::attribute_name, 7});
static_assert(attribute_list::parse("NAME=a name=b").error() == error{errc::parameter_duplicate, 7});
static_assert(attribute_list::parse("NAME=").error() == error{errc::attribute_value, 5});

}  // namespace ehlo

#endif  // EHLO_GRAMMAR_ATTRIBUTE_LIST_HPP
