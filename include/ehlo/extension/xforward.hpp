// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_XFORWARD_HPP
#define EHLO_EXTENSION_XFORWARD_HPP

/// @file
/// XFORWARD: a trusted client tells where the next message came from, for the log. XFORWARD_README of Postfix.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/extension/xclient.hpp>
#include <ehlo/grammar/attribute_list.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/ip_address.hpp>
#include <ehlo/grammar/xtext.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// Attributes of XFORWARD, in the order of its document.
inline constexpr std::string_view xforward_names = "NAME ADDR PORT PROTO HELO IDENT SOURCE";

/// Where the message came from, as the up-stream host sees it.
enum class message_source : std::uint8_t { local, remote };

/// The attributes of an XFORWARD command, looked up by their types. A view. One that was not given is none; one that was given may
/// have no value. Texts have at most 255 octets, none of which is special in a header field.
class xforward_attributes {
 public:
  constexpr xforward_attributes() = default;

  /// xforward-command = XFORWARD 1*( SP attribute-name"="attribute-value )      XFORWARD_README, command syntax
  ///
  /// `argument` is what stands behind XFORWARD and one space; `offered` are the names that may stand in it. Values are xtext,
  /// strictly. Fails with the errors of `attribute_list::parse`, `errc::attribute_unknown`, `attribute_value` or
  /// `attribute_too_long`.
  static constexpr result<xforward_attributes> parse(std::string_view argument, std::string_view offered = xforward_names) {
    const auto list = attribute_list::parse(argument);
    if (!list) return list.error();
    for (const attribute& one : *list) {
      if (!detail::is_named(offered, one.name)) return error{errc::attribute_unknown, one.offset};
      const std::size_t value = one.offset + one.name.size() + 1;
      const auto text = decoded_value::of(one.value);
      const bool is_protocol = ascii::equal_ignoring_case(one.name, "PROTO");
      if (!text || (is_protocol && text->text().size() > longest_protocol)) return error{errc::attribute_too_long, value};
      if (!check(one.name, text->text())) return error{errc::attribute_value, value};
    }
    xforward_attributes out;
    out.list_ = *list;
    return out;
  }

  /// The up-stream host; its name need not be one of DNS.
  constexpr std::optional<given<xtext>> name() const { return detail::find_given_text(list_, "NAME"); }
  constexpr std::optional<given<ip_address>> address() const {
    return detail::find_given<ip_address>(list_, "ADDR", detail::parse_attribute_address);
  }
  constexpr std::optional<given<std::uint16_t>> port() const {
    return detail::find_given<std::uint16_t>(list_, "PORT", detail::parse_attribute_port);
  }
  /// How the message came to the up-stream host: any name of at most 64 octets.
  constexpr std::optional<given<xtext>> protocol() const { return detail::find_given_text(list_, "PROTO"); }
  /// What that host was called by the one before it.
  constexpr std::optional<given<xtext>> hello() const { return detail::find_given_text(list_, "HELO"); }
  /// What the up-stream host calls the message.
  constexpr std::optional<given<xtext>> identifier() const { return detail::find_given_text(list_, "IDENT"); }
  constexpr std::optional<given<message_source>> source() const {
    return detail::find_given<message_source>(list_, "SOURCE", [](std::string_view text) {
      return result<message_source>{ascii::equal_ignoring_case(text, "LOCAL") ? message_source::local : message_source::remote};
    });
  }

  constexpr const attribute_list& list() const { return list_; }
  /// The attributes as received.
  constexpr std::string_view text() const { return list_.text(); }

  friend constexpr bool operator==(const xforward_attributes&, const xforward_attributes&) = default;

 private:
  static constexpr std::size_t longest_protocol = 64;

  static constexpr bool check(std::string_view name, std::string_view value) {
    const auto is = [name](std::string_view other) { return ascii::equal_ignoring_case(name, other); };
    if (detail::is_unavailable(value)) return true;
    if (detail::is_temporarily_unavailable(value)) return false;
    if (is("ADDR")) return detail::parse_attribute_address(value).has_value();
    if (is("PORT")) return detail::parse_attribute_port(value).has_value();
    if (is("SOURCE")) return ascii::equal_ignoring_case(value, "LOCAL") || ascii::equal_ignoring_case(value, "REMOTE");
    constexpr auto plain = ascii::visible - ascii::octet_class{"<>()\\\";@,"};  // brackets and colons stand in address literals
    cursor in{value};
    in.take_while(plain);
    return in.at_end();
  }

  attribute_list list_{};
};

/// XFORWARD.
struct xforward_command {
  xforward_attributes attributes;

  friend constexpr bool operator==(const xforward_command&, const xforward_command&) = default;
};

static_assert(*xforward_attributes::parse("SOURCE=LOCAL IDENT=3CF6B2AAE8")->source()->value == message_source::local);
static_assert(xforward_attributes::parse("NAME=a+28b").error() == error{errc::attribute_value, 5});

}  // namespace ehlo

#endif  // EHLO_EXTENSION_XFORWARD_HPP
