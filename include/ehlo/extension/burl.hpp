// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXTENSION_BURL_HPP
#define EHLO_EXTENSION_BURL_HPP

/// @file
/// BURL: mail data that the server fetches by itself. RFC 4468; submission only.

#include <cstddef>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// BURL: the next mail data are what `url` names. RFC 4468 3.5.
struct burl_command {
  std::string_view url;  ///< an absolute URI; it may hold a token that gives access, so show it to nobody
  bool last = false;     ///< they end the message

  friend constexpr bool operator==(const burl_command&, const burl_command&) = default;
};

/// absolute-URI = scheme ":" hier-part [ "?" query ]
/// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )      RFC 3986 3.1, 4.3
///
/// Only its octets are checked: whoever fetches it reads its parts. Fails with `errc::url_value`.
constexpr result<void> check_absolute_uri(std::string_view text) {
  constexpr auto scheme_octet = ascii::let_dig | ascii::octet_class{"+-."};
  constexpr auto uri_octet = ascii::let_dig | ascii::octet_class{"-._~:/?[]@!$&'()*+,;="};
  constexpr auto hexadecimal = ascii::digit | ascii::octet_class{"ABCDEFabcdef"};
  cursor in{text};
  const auto wrong = [&in] { return error{errc::url_value, in.offset()}; };
  if (!in.next_in(ascii::alpha)) return wrong();
  in.take_while(scheme_octet);
  if (!in.take(':')) return wrong();
  for (;;) {
    in.take_while(uri_octet);
    if (in.at_end()) return {};
    if (!in.take('%')) return wrong();
    for (int digits = 0; digits < 2; ++digits) {
      if (!in.next_in(hexadecimal)) return wrong();
      in.advance(1);
    }
  }
}

/// burl-cmd = "BURL" SP absolute-URI [SP end-marker] CRLF
/// end-marker = "LAST"                       RFC 4468 3.5
///
/// Fails with `errc::argument_missing`, `errc::url_value` or `errc::last_missing`.
constexpr result<burl_command> parse_burl(std::string_view argument) {
  if (argument.empty()) return error{errc::argument_missing};
  const std::size_t space = argument.find(' ');
  burl_command out{argument.substr(0, space)};
  if (const auto uri = check_absolute_uri(out.url); !uri) return uri.error();
  if (space == argument.npos) return out;
  out.last = ascii::equal_ignoring_case(argument.substr(space + 1), "LAST");
  if (!out.last) return error{errc::last_missing, space + 1};
  return out;
}

static_assert(parse_burl("imap://h.example/x;uid=2%20 LAST")->last && parse_burl("imap:/a#b").error() == error{errc::url_value, 7});
static_assert(parse_burl("imap:/a LASTS").error() == error{errc::last_missing, 8} && !parse_burl("imap:/%2"));

}  // namespace ehlo

#endif  // EHLO_EXTENSION_BURL_HPP
