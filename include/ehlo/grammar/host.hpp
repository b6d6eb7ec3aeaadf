// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_HOST_HPP
#define EHLO_GRAMMAR_HOST_HPP

/// @file
/// What stands behind the @ of a mailbox and behind EHLO: a domain or an address literal. RFC 5321 4.1.1.1, 4.1.2.

#include <optional>
#include <string_view>

#include <ehlo/grammar/address_literal.hpp>
#include <ehlo/grammar/domain.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// A domain or an address literal. A view.
class host {
 public:
  /// Domain / address-literal                  RFC 5321 4.1.2
  ///
  /// Fails with the errors of `domain::parse`, or those of `address_literal::parse` if the text begins with `[`.
  static constexpr result<host> parse(std::string_view text, charset set = charset::ascii) {
    if (text.starts_with('[')) {
      if (const auto literal = ehlo::address_literal::parse(text); !literal) return literal.error();
    } else if (const auto name = ehlo::domain::parse(text, set); !name) {
      return name.error();
    }
    return host{text};
  }

  /// The spelling it was made from.
  constexpr std::string_view text() const { return text_; }
  constexpr bool is_address_literal() const { return text_.front() == '['; }
  /// The domain; none if it is an address literal.
  constexpr std::optional<ehlo::domain> domain() const {
    if (is_address_literal()) return std::nullopt;
    return *ehlo::domain::parse(text_, charset::utf8);
  }
  /// The address literal; none if it is a domain.
  constexpr std::optional<ehlo::address_literal> address_literal() const {
    if (!is_address_literal()) return std::nullopt;
    return *ehlo::address_literal::parse(text_);
  }

  /// Domains compare without regard to case, literals by their addresses. RFC 5321 2.4.
  friend constexpr bool operator==(const host& a, const host& b) {
    if (a.is_address_literal() && b.is_address_literal()) return a.address_literal() == b.address_literal();
    return ascii::equal_ignoring_case(a.text_, b.text_);
  }

 private:
  constexpr explicit host(std::string_view text) : text_{text} {}

  std::string_view text_;
};

static_assert(*host::parse("[IPv6:0:0::1]") == *host::parse("[ipv6:::1]") && host::parse("Mx.Example")->domain().has_value());

}  // namespace ehlo

#endif  // EHLO_GRAMMAR_HOST_HPP
