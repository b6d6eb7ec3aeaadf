// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_ETRN_HPP
#define EHLO_EXTENSION_ETRN_HPP

/// @file
/// ETRN: a client asks the server to send what it holds for a node. RFC 1985.

#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/domain.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// The option character of ETRN. RFC 1985 5.3.
enum class etrn_option : std::uint8_t {
  node,        ///< none: the node itself
  subdomains,  ///< `@`: the node and all names that end in it
  queue,       ///< `#`: a queue of this name
};

/// ETRN. RFC 1985 5.
struct etrn_command {
  etrn_option option = etrn_option::node;
  std::string_view node;  ///< a domain with a dot; with `etrn_option::queue` any printable octets but spaces

  friend constexpr bool operator==(const etrn_command&, const etrn_command&) = default;
};

/// The option character; empty for none.
constexpr std::string_view text_of(etrn_option option) {
  switch (option) {
    case etrn_option::node: break;
    case etrn_option::subdomains: return "@";
    case etrn_option::queue: return "#";
  }
  return {};
}

/// `ETRN [<option character>]<node name>`      RFC 1985 5
///
/// The node is a fully qualified domain name. Fails with `errc::argument_missing` or `errc::etrn_node`.
constexpr result<etrn_command> parse_etrn(std::string_view argument) {
  if (argument.empty()) return error{errc::argument_missing};
  etrn_command out;
  if (argument.front() == '@') out.option = etrn_option::subdomains;
  if (argument.front() == '#') out.option = etrn_option::queue;
  const std::size_t start = out.option == etrn_option::node ? 0 : 1;
  out.node = argument.substr(start);
  if (out.option == etrn_option::queue) {
    cursor in{out.node};
    if (in.take_while(ascii::visible).empty() || !in.at_end()) return error{errc::etrn_node, start + in.offset()};
    return out;
  }
  if (const auto domain = ehlo::domain::parse(out.node); !domain) return error{errc::etrn_node, start + domain.error().offset};
  if (out.node.find('.') == out.node.npos) return error{errc::etrn_node, start};
  return out;
}

static_assert(*parse_etrn("@foo.example") == etrn_command{etrn_option::subdomains, "foo.example"});
static_assert(parse_etrn("localname").error() == error{errc::etrn_node, 0} && parse_etrn("#uucp")->node == "uucp");

}  // namespace ehlo

#endif  // EHLO_EXTENSION_ETRN_HPP
