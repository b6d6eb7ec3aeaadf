// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_OBSERVER_FINDING_HPP
#define EHLO_OBSERVER_FINDING_HPP

/// @file
/// What an observer finds odd in a conversation: one enumerator for each rule that an end has broken, with a text and the clause it
/// comes from.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ehlo {

/// Something that should not be in a conversation. `describe` gives its text and clause.
enum class finding : std::uint8_t {
  // Lines of the client
  bare_cr_in_command,
  bare_lf_in_command,
  nul_in_command,
  command_line_too_long,
  eight_bit_in_command,
  command_malformed,
  chunk_size_unreadable,
  // Mail data
  bare_cr_in_mail_data,
  bare_lf_in_mail_data,
  end_of_data_lookalike,
  text_line_too_long,
  eight_bit_text,
  mail_data_before_reply,
  mail_data_after_refusal,
  chunk_length_mismatch,
  chunk_refused_early,
  // Order
  command_before_greeting,
  command_out_of_order,
  extension_not_offered,
  pipelining_not_offered,
  group_goes_on,
  octets_before_reply,
  // TLS
  octets_behind_starttls,
  octets_behind_tls_agreement,
  // Replies
  bare_cr_in_reply,
  bare_lf_in_reply,
  nul_in_reply,
  reply_line_too_long,
  eight_bit_in_reply,
  reply_malformed,
  reply_codes_differ,
  reply_over_limit,
  reply_outside_table,
  unmatched_reply,
};

/// The text and the clause of a finding.
struct finding_text {
  finding code;
  std::string_view text;
  std::string_view clause;
};

// clang-format off
/// In the order of `finding`.
inline constexpr auto findings = std::to_array<finding_text>({
  {finding::bare_cr_in_command,          "a CR without its LF in a command",                            "RFC 5321 2.3.8"},
  {finding::bare_lf_in_command,          "a LF without its CR in a command",                            "RFC 5321 2.3.8"},
  {finding::nul_in_command,              "a NUL octet in a command",                                    "RFC 5321 4.1.2"},
  {finding::command_line_too_long,       "the command line is too long",                                "RFC 5321 4.5.3.1.4"},
  {finding::eight_bit_in_command,        "octets above 127 in a command without SMTPUTF8",              "RFC 6531 3.1"},
  {finding::command_malformed,           "the arguments of the command are not those of its grammar",   "RFC 5321 4.1.1"},
  {finding::chunk_size_unreadable,       "the size of a chunk cannot be read: nobody knows its end",    "RFC 3030 2"},
  {finding::bare_cr_in_mail_data,        "a CR without its LF in mail data",                            "RFC 5321 2.3.8"},
  {finding::bare_lf_in_mail_data,        "a LF without its CR in mail data",                            "RFC 5321 2.3.8"},
  {finding::end_of_data_lookalike,       "a lone dot between line ends that are not both CRLF",         "RFC 5321 4.1.1.4"},
  {finding::text_line_too_long,          "a text line is over 1000 octets",                             "RFC 5321 4.5.3.1.6"},
  {finding::eight_bit_text,              "octets above 127 in mail data without BODY=8BITMIME",         "RFC 5321 2.4"},
  {finding::mail_data_before_reply,      "octets behind DATA came before its reply",                    "RFC 2920 3.1"},
  {finding::mail_data_after_refusal,     "behind a DATA or BDAT that was not taken comes no command",   "RFC 5321 3.3"},
  {finding::chunk_length_mismatch,       "a chunk is not as long as its BDAT says",                     "RFC 3030 2"},
  {finding::chunk_refused_early,         "a chunk was refused before its last octet came",              "RFC 3030 2"},
  {finding::command_before_greeting,     "octets of the client came before the greeting",               "RFC 5321 4.3.1"},
  {finding::command_out_of_order,        "the command is out of order",                                 "RFC 5321 4.1.4"},
  {finding::extension_not_offered,       "the command belongs to an extension that was not offered",    "RFC 5321 4.1.1.11"},
  {finding::pipelining_not_offered,      "a command came before the reply to the one ahead of it",      "RFC 2920 3.1"},
  {finding::group_goes_on,               "a command came behind one that ends a group",                 "RFC 2920 3.1"},
  {finding::octets_before_reply,         "octets came that only the reply to a command gives a meaning", "RFC 4954 4"},
  {finding::octets_behind_starttls,      "octets of the client came behind STARTTLS in the clear",      "RFC 3207 4"},
  {finding::octets_behind_tls_agreement, "octets of the server came behind the 220 to STARTTLS in the clear", "RFC 3207 4"},
  {finding::bare_cr_in_reply,            "a CR without its LF in a reply",                              "RFC 5321 2.3.8"},
  {finding::bare_lf_in_reply,            "a LF without its CR in a reply",                              "RFC 5321 2.3.8"},
  {finding::nul_in_reply,                "a NUL octet in a reply",                                      "RFC 5321 4.2"},
  {finding::reply_line_too_long,         "a reply line is too long",                                    "RFC 5321 4.5.3.1.5"},
  {finding::eight_bit_in_reply,          "octets above 127 in a reply without SMTPUTF8",                "RFC 6531 3.1"},
  {finding::reply_malformed,             "a line of a reply begins with a code of three digits, 2yz to 5yz", "RFC 5321 4.2"},
  {finding::reply_codes_differ,          "the lines of a reply have the same code",                     "RFC 5321 4.2.1"},
  {finding::reply_over_limit,            "the reply has more octets or lines than are read",            "RFC 5321 4.5.3.1.5"},
  {finding::reply_outside_table,         "the code does not answer the command",                        "RFC 5321 4.3.2"},
  {finding::unmatched_reply,             "a reply came that no command asked for",                      "RFC 5321 4.3.1"},
});
// clang-format on

/// The text and the clause of `code`.
constexpr const finding_text& describe(finding code) { return findings[static_cast<std::size_t>(code)]; }

static_assert([] {
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (findings[i].code != static_cast<finding>(i)) return false;
  }
  return findings.back().code == finding::unmatched_reply;
}());

}  // namespace ehlo

#endif  // EHLO_OBSERVER_FINDING_HPP
