// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_GRAMMAR_RFC5321_ABNF_HPP
#define EHLO_TESTS_GRAMMAR_RFC5321_ABNF_HPP

/// @file
/// The rules of RFC 5321 4.1.1.1, 4.1.2, 4.1.3 and RFC 3461 4 as ABNF. What the standard says in comments (the value of Snum, how
/// many groups an IPv6 address has) is written out as rules.

#include <cstddef>
#include <string>

#include "grammar/abnf.hpp"

namespace abnf {

/// IPv6-comp and IPv6v4-comp: all pairs of groups before and behind "::" that leave room for two groups of zeros.
inline std::string compressed_addresses() {
  const auto groups = [](std::size_t count) {
    if (count == 0) return std::string{};
    return " IPv6-hex" + (count == 1 ? std::string{} : " " + std::to_string(count - 1) + "(\":\" IPv6-hex)");
  };
  std::string comp = "IPv6-comp =";
  std::string mixed = "IPv6v4-comp =";
  for (std::size_t before = 0; before <= 6; ++before) {
    for (std::size_t behind = 0; before + behind <= 6; ++behind) {
      const std::string slash = before + behind == 0 ? "" : " /";
      comp += slash + groups(before) + " \"::\"" + groups(behind);
      if (before + behind > 4) continue;
      mixed += slash + groups(before) + " \"::\"" + groups(behind) + (behind == 0 ? "" : " \":\"") + " IPv4-address-literal";
    }
  }
  return comp + "\n" + mixed + "\n";
}

/// The grammar, made once.
inline const grammar& rfc5321() {
  static const grammar rules{std::string{R"abnf(
Reverse-path   = Path / "<>"
Forward-path   = Path / "<Postmaster>"     ; 4.1.1.3
Path           = "<" [ A-d-l ":" ] Mailbox ">"
A-d-l          = At-domain *( "," At-domain )
At-domain      = "@" Domain
Mail-parameters  = esmtp-param *(SP esmtp-param)
esmtp-param    = esmtp-keyword ["=" esmtp-value]
esmtp-keyword  = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
esmtp-value    = 1*(%d33-60 / %d62-126)
Domain         = sub-domain *("." sub-domain)
sub-domain     = Let-dig [Ldh-str]
Let-dig        = ALPHA / DIGIT
Ldh-str        = *( ALPHA / DIGIT / "-" ) Let-dig
address-literal  = "[" ( IPv4-address-literal / IPv6-address-literal ) "]"  ; no other tag is registered
Mailbox        = Local-part "@" ( Domain / address-literal )
Local-part     = Dot-string / Quoted-string
Dot-string     = Atom *("."  Atom)
Atom           = 1*atext
Quoted-string  = DQUOTE *QcontentSMTP DQUOTE
QcontentSMTP   = qtextSMTP / quoted-pairSMTP
quoted-pairSMTP  = %d92 %d32-126
qtextSMTP      = %d32-33 / %d35-91 / %d93-126
String         = Atom / Quoted-string
IPv4-address-literal  = Snum 3("."  Snum)
IPv6-address-literal  = "IPv6:" IPv6-addr
Snum           = 1*2DIGIT / ("0" / "1") 2DIGIT / "2" ( %x30-34 DIGIT / "5" %x30-35 )
IPv6-addr      = IPv6-full / IPv6-comp / IPv6v4-full / IPv6v4-comp
IPv6-hex       = 1*4HEXDIG
IPv6-full      = IPv6-hex 7(":" IPv6-hex)
IPv6v4-full    = IPv6-hex 5(":" IPv6-hex) ":" IPv4-address-literal
ehlo-line      = ehlo-keyword *( SP ehlo-param )
ehlo-keyword   = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
ehlo-param     = 1*(%d33-126)
xtext          = *( xchar / hexchar )
xchar          = %d33-42 / %d44-60 / %d62-126
hexchar        = "+" ( %x32-36 ( DIGIT / %x41-46 ) / "7" ( DIGIT / %x41-45 ) )  ; upper case, and printable when decoded
atext          = ALPHA / DIGIT / "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "/" /
                 "=" / "?" / "^" / "_" / "`" / "{" / "|" / "}" / "~"
ALPHA          = %x41-5A / %x61-7A
DIGIT          = %x30-39
HEXDIG         = DIGIT / "A" / "B" / "C" / "D" / "E" / "F"
DQUOTE         = %x22
SP             = %x20
)abnf"} + compressed_addresses()};
  return rules;
}

}  // namespace abnf

#endif  // EHLO_TESTS_GRAMMAR_RFC5321_ABNF_HPP
