// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_GRAMMAR_ORACLE_HPP
#define EHLO_TESTS_GRAMMAR_ORACLE_HPP

/// @file
/// A second reading of the ABNF of RFC 5321 4.1.2 and 4.1.3 in ASCII: slow and plain, with every split tried, and no code
/// of the library. Each function says whether the whole text is one of the production.

#include <cstddef>
#include <string_view>

namespace oracle {

using std::string_view;

inline bool is_one_of(char c, string_view members) { return members.find(c) != string_view::npos; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_let_dig(char c) { return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
inline bool is_atext(char c) { return is_let_dig(c) || is_one_of(c, "!#$%&'*+-/=?^_`{|}~"); }

template <class Predicate>
bool is_some(string_view text, Predicate is_member) {
  for (const char c : text) {
    if (!is_member(c)) return false;
  }
  return !text.empty();
}

/// part *( separator part )
template <class Predicate>
bool is_list(string_view text, char separator, Predicate is_part) {
  const std::size_t at = text.find(separator);
  if (at == string_view::npos) return is_part(text);
  return is_part(text.substr(0, at)) && is_list(text.substr(at + 1), separator, is_part);
}

inline bool is_atom(string_view text) { return is_some(text, is_atext); }
inline bool is_dot_string(string_view text) { return is_list(text, '.', is_atom); }

inline bool is_quoted_string(string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const bool is_pair = text.front() == '\\';
    if (is_pair) text.remove_prefix(1);
    if (text.empty() || text.front() < 32 || text.front() > 126) return false;
    if (!is_pair && text.front() == '"') return false;
    text.remove_prefix(1);
  }
  return true;
}

inline bool is_local_part(string_view text) { return is_dot_string(text) || is_quoted_string(text); }

inline bool is_sub_domain(string_view text) {
  return is_some(text, [](char c) { return is_let_dig(c) || c == '-'; }) && text.front() != '-' && text.back() != '-';
}
inline bool is_domain(string_view text) { return is_list(text, '.', is_sub_domain); }

inline bool is_snum(string_view text) {
  if (!is_some(text, is_digit) || text.size() > 3) return false;
  int value = 0;
  for (const char c : text) value = 10 * value + (c - '0');
  return value <= 255;
}
inline bool is_ipv4(string_view text) {
  std::size_t dots = 0;
  for (const char c : text) dots += c == '.' ? 1U : 0U;
  return dots == 3 && is_list(text, '.', is_snum);
}

inline bool is_ipv6_hex(string_view text) {
  return text.size() <= 4 && is_some(text, [](char c) { return is_digit(c) || is_one_of(c, "ABCDEFabcdef"); });
}

/// How many groups stand in a text of groups with colons between, the last of them perhaps an IPv4 address, which counts
/// as two. 100 if it is no such text.
inline std::size_t groups(string_view text, bool may_end_in_ipv4) {
  if (text.empty()) return 0;
  std::size_t out = 0;
  for (;;) {
    const std::size_t colon = text.find(':');
    const string_view part = text.substr(0, colon);
    const bool is_last = colon == string_view::npos;
    if (is_last && may_end_in_ipv4 && is_ipv4(part)) return out + 2;
    if (!is_ipv6_hex(part)) return 100;
    ++out;
    if (is_last) return out;
    text.remove_prefix(colon + 1);
  }
}

inline bool is_ipv6(string_view text) {
  const std::size_t gap = text.find("::");
  if (gap == string_view::npos) return groups(text, true) == 8;
  return groups(text.substr(0, gap), false) + groups(text.substr(gap + 2), true) <= 6;
}

/// Without General-address-literal: no tag but IPv6 is registered.
inline bool is_address_literal(string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return false;
  text = text.substr(1, text.size() - 2);
  if (is_ipv4(text)) return true;
  if (text.size() < 5 || !is_one_of(text[0], "iI") || !is_one_of(text[1], "pP") || !is_one_of(text[2], "vV")) return false;
  return text.substr(3, 2) == "6:" && is_ipv6(text.substr(5));
}

/// The offset of the @ between local-part and domain, or npos. Every @ is tried, and two that fit would be a bug of the ABNF.
inline std::size_t at_of_mailbox(string_view text) {
  std::size_t out = string_view::npos;
  for (std::size_t at = text.find('@'); at != string_view::npos; at = text.find('@', at + 1)) {
    const string_view local = text.substr(0, at);
    const string_view host = text.substr(at + 1);
    const bool fits = local.size() <= 64 && host.size() <= 255 && is_local_part(local);
    if (fits && (is_domain(host) || is_address_literal(host))) out = out == string_view::npos ? at : 0;
  }
  return out;
}
inline bool is_mailbox(string_view text) { return at_of_mailbox(text) != string_view::npos; }

inline bool is_route(string_view text) {
  return is_list(text, ',', [](string_view part) { return part.starts_with('@') && is_domain(part.substr(1)); });
}

/// Path, without "<>" and "<Postmaster>".
inline bool is_path(string_view text) {
  if (text.size() < 2 || text.size() > 256 || text.front() != '<' || text.back() != '>') return false;
  text = text.substr(1, text.size() - 2);
  if (is_mailbox(text)) return true;
  for (std::size_t colon = text.find(':'); colon != string_view::npos; colon = text.find(':', colon + 1)) {
    if (is_route(text.substr(0, colon)) && is_mailbox(text.substr(colon + 1))) return true;
  }
  return false;
}

}  // namespace oracle

#endif  // EHLO_TESTS_GRAMMAR_ORACLE_HPP
