// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_XCLIENT_HPP
#define EHLO_EXTENSION_XCLIENT_HPP

/// @file
/// XCLIENT: a trusted client tells for whom it speaks. XCLIENT_README of Postfix.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/attribute_list.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/domain.hpp>
#include <ehlo/grammar/ip_address.hpp>
#include <ehlo/grammar/xtext.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// Why an attribute that was given has no value.
enum class absence : std::uint8_t {
  unavailable,  ///< [UNAVAILABLE]: nobody knows it
  temporary,    ///< [TEMPUNAVAIL]: the look-up failed, and may work later
};

/// An attribute that was given: a value, or that there is none.
template <class T>
struct given {
  std::optional<T> value;
  absence why = absence::unavailable;  ///< there is no value

  friend constexpr bool operator==(const given&, const given&) = default;
};

namespace detail {

/// True if `text` is the word for an absence.
constexpr bool is_unavailable(std::string_view text) { return ascii::equal_ignoring_case(text, "[UNAVAILABLE]"); }
constexpr bool is_temporarily_unavailable(std::string_view text) { return ascii::equal_ignoring_case(text, "[TEMPUNAVAIL]"); }

/// A numerical IPv4 address, or an IPv6 address behind IPV6: ; without brackets.
constexpr result<ip_address> parse_attribute_address(std::string_view text) {
  constexpr std::string_view tag = "IPV6:";
  const bool is_v6 = ascii::equal_ignoring_case(text.substr(0, tag.size()), tag);
  const auto out = is_v6 ? ip_address::parse_v6(text.substr(tag.size())) : ip_address::parse_v4(text);
  return out ? out : result<ip_address>{error{errc::attribute_value}};
}

/// A port in decimal, without leading zeros.
constexpr result<std::uint16_t> parse_attribute_port(std::string_view text) {
  constexpr unsigned largest = 65535;
  unsigned value = 0;
  for (const char c : text.substr(0, 5)) {
    if (!ascii::digit.contains(c)) return error{errc::attribute_value};
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (text.empty() || text.size() > 5 || value > largest || (text.size() > 1 && text.front() == '0'))
    return error{errc::attribute_value};
  return static_cast<std::uint16_t>(value);
}

/// Reads an attribute of a list that was checked.
template <class T, class Parse>
constexpr std::optional<given<T>> find_given(const attribute_list& list, std::string_view name, Parse parse) {
  const auto encoded = list.find(name);
  if (!encoded) return std::nullopt;
  const auto text = decoded_value::of(*encoded);
  if (!text) return std::nullopt;
  if (is_unavailable(text->text())) return given<T>{};
  if (is_temporarily_unavailable(text->text())) return given<T>{std::nullopt, absence::temporary};
  const result<T> value = parse(text->text());
  return value ? std::optional{given<T>{*value}} : std::nullopt;
}

/// The same for what stays encoded.
constexpr std::optional<given<xtext>> find_given_text(const attribute_list& list, std::string_view name) {
  const auto encoded = list.find(name);
  if (!encoded) return std::nullopt;
  return find_given<xtext>(list, name, [&encoded](std::string_view) { return result<xtext>{*encoded}; });
}

/// True if `name` is one of `names`, which have spaces between.
constexpr bool is_named(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const std::size_t space = names.find(' ');
    if (ascii::equal_ignoring_case(names.substr(0, space), name)) return true;
    names.remove_prefix(space == names.npos ? names.size() : space + 1);
  }
  return false;
}

/// True if `names` are one or more of `known`, each once, with single spaces between.
constexpr bool are_names_of(std::string_view names, std::string_view known) {
  if (names == known) return true;  // each session asks, and nearly all have the default
  for (;;) {
    const std::size_t space = names.find(' ');
    const std::string_view name = names.substr(0, space);
    if (name.empty() || !is_named(known, name)) return false;
    if (space == names.npos) return true;
    names.remove_prefix(space + 1);
    if (is_named(names, name)) return false;
  }
}

}  // namespace detail

/// Attributes of XCLIENT, in the order of its document.
inline constexpr std::string_view xclient_names = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

/// What the client spoken for talks.
enum class client_protocol : std::uint8_t { smtp, esmtp };

/// The attributes of an XCLIENT command, looked up by their types. A view. One that was not given is none; one that was given may
/// have no value.
class xclient_attributes {
 public:
  constexpr xclient_attributes() = default;

  /// xclient-command = XCLIENT 1*( SP attribute-name"="attribute-value )      XCLIENT_README, command syntax
  ///
  /// `argument` is what stands behind XCLIENT and one space; `offered` are the names that may stand in it. Values are xtext,
  /// strictly. Fails with the errors of `attribute_list::parse`, `errc::attribute_unknown`, `attribute_value` or
  /// `attribute_too_long`.
  static constexpr result<xclient_attributes> parse(std::string_view argument, std::string_view offered = xclient_names) {
    const auto list = attribute_list::parse(argument);
    if (!list) return list.error();
    for (const attribute& one : *list) {
      if (!detail::is_named(offered, one.name)) return error{errc::attribute_unknown, one.offset};
      const std::size_t value = one.offset + one.name.size() + 1;
      const auto text = decoded_value::of(one.value);
      if (!text) return error{errc::attribute_too_long, value};
      if (!check(one.name, text->text())) return error{errc::attribute_value, value};
    }
    xclient_attributes out;
    out.list_ = *list;
    return out;
  }

  /// The host name of the client: a domain of at most 255 octets, in which labels may have underscores, as those of DNS do.
  constexpr std::optional<given<xtext>> name() const { return detail::find_given_text(list_, "NAME"); }
  constexpr std::optional<given<ip_address>> address() const {
    return detail::find_given<ip_address>(list_, "ADDR", detail::parse_attribute_address);
  }
  constexpr std::optional<given<std::uint16_t>> port() const {
    return detail::find_given<std::uint16_t>(list_, "PORT", detail::parse_attribute_port);
  }
  /// SMTP or ESMTP; never without value.
  constexpr std::optional<client_protocol> protocol() const {
    const auto text = list_.find("PROTO");
    if (!text) return std::nullopt;
    return text->decoded_size() == 4 ? client_protocol::smtp : client_protocol::esmtp;
  }
  /// What the client has said behind HELO or EHLO: visible octets.
  constexpr std::optional<given<xtext>> hello() const { return detail::find_given_text(list_, "HELO"); }
  /// As whom the client has authenticated itself.
  constexpr std::optional<given<xtext>> login() const { return detail::find_given_text(list_, "LOGIN"); }
  /// Where the client has connected to.
  constexpr std::optional<given<ip_address>> server_address() const {
    return detail::find_given<ip_address>(list_, "DESTADDR", detail::parse_attribute_address);
  }
  constexpr std::optional<given<std::uint16_t>> server_port() const {
    return detail::find_given<std::uint16_t>(list_, "DESTPORT", detail::parse_attribute_port);
  }

  constexpr const attribute_list& list() const { return list_; }
  /// The attributes as received.
  constexpr std::string_view text() const { return list_.text(); }

  friend constexpr bool operator==(const xclient_attributes&, const xclient_attributes&) = default;

 private:
  static constexpr bool check(std::string_view name, std::string_view value) {
    const auto is = [name](std::string_view other) { return ascii::equal_ignoring_case(name, other); };
    if (is("PROTO")) return ascii::equal_ignoring_case(value, "SMTP") || ascii::equal_ignoring_case(value, "ESMTP");
    if (detail::is_unavailable(value)) return true;
    if (is("NAME")) return detail::is_temporarily_unavailable(value) || is_host_name(value);
    if (is("ADDR") || is("DESTADDR")) return detail::parse_attribute_address(value).has_value();
    if (is("PORT") || is("DESTPORT")) return detail::parse_attribute_port(value).has_value();
    if (detail::is_temporarily_unavailable(value)) return false;
    if (is("LOGIN")) return true;  // printable, as xtext is
    cursor in{value};
    in.take_while(ascii::visible);
    return in.at_end();
  }

  static constexpr bool is_host_name(std::string_view text) {
    std::array<char, decoded_value::max_size> plain{};
    for (std::size_t i = 0; i < text.size(); ++i) plain[i] = text[i] == '_' ? 'x' : text[i];
    return domain::parse({plain.data(), text.size()}).has_value() && !ip_address::parse_v4(text);
  }

  attribute_list list_{};
};

/// XCLIENT.
struct xclient_command {
  xclient_attributes attributes;

  friend constexpr bool operator==(const xclient_command&, const xclient_command&) = default;
};

static_assert(xclient_attributes::parse("NAME=spike.example ADDR=168.100.189.2")->address()->value->octets()[3] == 2);
static_assert(!xclient_attributes::parse("NAME=[tempunavail] PORT=[UNAVAILABLE]")->port()->value);
static_assert(xclient_attributes::parse("ADDR=[192.0.2.1]").error() == error{errc::attribute_value, 5});
static_assert(xclient_attributes::parse("ADDR=192.0.2.1 NAME=x", "ADDR").error() == error{errc::attribute_unknown, 15});

}  // namespace ehlo

#endif  // EHLO_EXTENSION_XCLIENT_HPP
