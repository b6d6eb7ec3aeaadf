// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_PLAIN_MAILBOX_HPP
#define EHLO_GRAMMAR_PLAIN_MAILBOX_HPP

/// @file
/// Mailboxes and domains as nearly all are: letters, digits and a few signs, fewer than 64 octets. Seen at one look, as bits,
/// without a branch for each octet. It only ever says yes: what is not plain is read by the rules of the grammar, which know the
/// errors. RFC 5321 4.1.2.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/octet_run.hpp>

namespace ehlo::grammar {

/// Where a plain mailbox has its parts; a `size` of 0 says that there is none.
struct plain_mailbox {
  std::size_t at = 0;    ///< offset of the @
  std::size_t size = 0;  ///< of the whole
};

namespace detail {

inline constexpr std::size_t longest_plain = 63;

/// The lowest `count` bits, fewer than 64.
constexpr std::uint64_t low_bits(std::size_t count) { return (std::uint64_t{1} << count) - 1; }

/// Sub-domains: each begins and ends with a letter or digit, so that next to a dot there is neither a dot nor a hyphen, nor is
/// there one at the ends. The bits tell of `size` octets, at least one, which are letters, digits, dots and hyphens.
constexpr bool are_sub_domains(std::uint64_t dots, std::uint64_t hyphens, std::size_t size) {
  const std::uint64_t separators = dots | hyphens;
  const std::uint64_t ends = 1U | std::uint64_t{1} << (size - 1);
  return ((dots & (separators << 1U | separators >> 1U)) | (separators & ends)) == 0;
}

/// Atoms: none is empty, so that there are no two dots in a row, and none at the ends. The bits tell of `size` octets, at least
/// one.
constexpr bool are_atoms(std::uint64_t dots, std::size_t size) {
  const std::uint64_t ends = 1U | std::uint64_t{1} << (size - 1);
  return ((dots & dots << 1U) | (dots & ends)) == 0;
}

}  // namespace detail

/// The plain mailbox at the front of `text`: Dot-string "@" Domain. It goes on while there are octets
/// of a Domain, whatever comes then.
constexpr plain_mailbox find_plain_mailbox(std::string_view text) {
  using ascii::octet_class;
  constexpr auto in_domain = ascii::let_dig | octet_class{".-"};
  constexpr auto in_local_part = in_domain | octet_class{"_+="};  // of atext what is in use
  const std::string_view front{text.data(), std::min(text.size(), detail::longest_plain)};
  const auto [locals, domains, dots, hyphens] = places_of<in_local_part, in_domain, octet_class{"."}, octet_class{"-"}>(front);
  const auto at = static_cast<std::size_t>(std::countr_one(locals));
  if (at == 0 || at >= front.size() || front[at] != '@' || !detail::are_atoms(dots & detail::low_bits(at), at)) return {};
  const std::size_t start = at + 1;
  const auto size = static_cast<std::size_t>(std::countr_one(domains >> start));
  if (size == 0 || (start + size == front.size() && front.size() < text.size())) return {};
  const std::uint64_t domain = detail::low_bits(size);
  if (!detail::are_sub_domains(dots >> start & domain, hyphens >> start & domain, size)) return {};
  return {at, start + size};
}

/// True if the whole of `text` is a plain Domain.
constexpr bool is_plain_domain(std::string_view text) {
  using ascii::octet_class;
  if (text.empty() || text.size() > detail::longest_plain) return false;
  const auto [domains, dots, hyphens] = places_of<ascii::let_dig | octet_class{".-"}, octet_class{"."}, octet_class{"-"}>(text);
  return domains == detail::low_bits(text.size()) && detail::are_sub_domains(dots, hyphens, text.size());
}

static_assert(find_plain_mailbox("a.b@c-d.e> SIZE=1").at == 3 && find_plain_mailbox("a.b@c-d.e> SIZE=1").size == 9);
static_assert(find_plain_mailbox("a..b@c").size == 0 && find_plain_mailbox("a@b-").size == 0);
static_assert(is_plain_domain("mx.example.org") && !is_plain_domain("mx.example.org.") && !is_plain_domain("m\xC3\xBC.example"));

}  // namespace ehlo::grammar

#endif  // EHLO_GRAMMAR_PLAIN_MAILBOX_HPP
