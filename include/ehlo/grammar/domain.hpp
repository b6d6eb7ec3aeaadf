// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_DOMAIN_HPP
#define EHLO_GRAMMAR_DOMAIN_HPP

/// @file
/// Domain names as SMTP writes them. RFC 5321 2.3.5, 4.1.2; RFC 6531 3.3 for U-labels.

#include <cstddef>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/plain_mailbox.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/result.hpp>

namespace ehlo {
namespace grammar {

namespace detail {

/// Takes one character beyond ASCII of a U-label.
constexpr result<char32_t> u_label_character(cursor& in, charset set) {
  const std::size_t start = in.offset();
  if (set == charset::ascii) return error{errc::utf8_not_allowed, start};
  const auto character = utf8_non_ascii(in);
  if (character && is_forbidden_in_domain(*character)) return error{errc::utf8_forbidden, start};
  return character;
}

}  // namespace detail

/// sub-domain = Let-dig [Ldh-str]            RFC 5321 4.1.2
/// sub-domain =/ U-label                     RFC 6531 3.3
///
/// Takes the longest label. Errors carry the offset of the octet that broke the rule. Of a U-label the characters are checked that
/// RFC 5891 forbids to all of them; whether it may be registered is for the caller's IDNA library.
constexpr result<std::string_view> sub_domain(cursor& in, charset set = charset::ascii) {
  const std::size_t start = in.offset();
  constexpr auto ldh = ascii::let_dig | ascii::octet_class{"-"};
  if (in.at_end() || (ascii::is_ascii(in.peek()) && !ascii::let_dig.contains(in.peek()))) return error{errc::empty_label, start};
  for (;;) {
    in.take_while<ldh>();
    if (in.at_end() || ascii::is_ascii(in.peek())) break;
    if (const auto character = detail::u_label_character(in, set); !character) return character.error();
  }
  const std::string_view label = in.since(start);
  if (label.back() == '-') return error{errc::label_ends_in_hyphen, in.offset() - 1};
  return label;
}

/// Domain = sub-domain *("." sub-domain)     RFC 5321 4.1.2
constexpr result<std::string_view> domain(cursor& in, charset set = charset::ascii) {
  const std::size_t start = in.offset();
  do {
    if (const auto label = sub_domain(in, set); !label) return label.error();
  } while (in.take('.'));
  return in.since(start);
}

}  // namespace grammar

/// A domain name: labels of letters, digits and inner hyphens (with SMTPUTF8, U-labels), at most 255 octets. A view.
class domain {
 public:
  /// Fails with the errors of the grammar, `errc::trailing_octets`, or `errc::domain_too_long`.
  static constexpr result<domain> parse(std::string_view text, charset set = charset::ascii) {
    if (grammar::is_plain_domain(text)) return domain{text};
    if (text.size() > sizes::domain) return error{errc::domain_too_long, sizes::domain};
    const auto matched = grammar::match([](cursor& in, charset s) { return grammar::domain(in, s); }, text, set);
    if (!matched) return matched.error();
    return domain{text};
  }

  /// The spelling it was made from.
  constexpr std::string_view text() const { return text_; }

  /// Domains are equal without regard to the case of ASCII letters. RFC 5321 2.4.
  friend constexpr bool operator==(const domain& a, const domain& b) { return ascii::equal_ignoring_case(a.text_, b.text_); }

 private:
  constexpr explicit domain(std::string_view text) : text_{text} {}

  std::string_view text_;
};

static_assert(domain::parse("mx.example.org")->text() == "mx.example.org");
static_assert(domain::parse("a..b").error() == error{errc::empty_label, 2});
static_assert(domain::parse("a-.b").error() == error{errc::label_ends_in_hyphen, 1});
static_assert(*domain::parse("MX.Example") == *domain::parse("mx.eXAMPLE"));

}  // namespace ehlo

#endif  // EHLO_GRAMMAR_DOMAIN_HPP
