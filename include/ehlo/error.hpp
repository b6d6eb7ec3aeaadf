// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_ERROR_HPP
#define EHLO_ERROR_HPP

/// @file
/// The rules that octets, callers and the world can break: one `errc` for each, with a text and the clause it comes from.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ehlo {

/// A broken rule. `describe` gives its text and clause.
enum class errc : std::uint8_t {
  // Domain, RFC 5321 4.1.2
  empty_label,
  label_ends_in_hyphen,
  domain_too_long,
  // Address literal, RFC 5321 4.1.3
  literal_not_opened,
  literal_not_closed,
  literal_tag_missing,
  literal_tag_unknown,
  literal_content_missing,
  ipv4_number,
  ipv4_dot,
  ipv6_group,
  ipv6_group_count,
  // Local-part, mailbox, path, RFC 5321 4.1.2
  empty_atom,
  quote_not_opened,
  quote_not_closed,
  quoted_octet,
  quoted_pair_octet,
  local_part_too_long,
  at_sign_missing,
  path_not_opened,
  path_not_closed,
  path_too_long,
  route_at_sign_missing,
  route_colon_missing,
  null_path_not_allowed,
  empty_string,
  // Parameters, RFC 5321 4.1.2
  parameter_keyword,
  parameter_value,
  // Encodings
  xtext_octet,
  xtext_hex,
  xtext_control,
  base64_octet,
  base64_length,
  base64_padding,
  base64_trailing_bits,
  utf8_ill_formed,
  utf8_not_allowed,
  utf8_forbidden,
  // Date, message identifier, header section, RFC 5322
  date_day_name,
  date_day,
  date_month,
  date_year,
  date_time,
  date_zone,
  message_id_not_opened,
  message_id_not_closed,
  message_id_octet,
  field_name,
  header_line_too_long,
  comment_octet,
  connection_facts_missing,
  // SASL messages
  sasl_message,
  sasl_too_long,
  // Lines
  trailing_octets,
  line_too_long,
  bare_cr,
  bare_lf,
  nul_octet,
  // Commands
  unknown_verb,
  verb_not_implemented,
  argument_missing,
  argument_not_allowed,
  space_missing,
  from_missing,
  to_missing,
  chunk_size,
  chunk_size_too_large,
  last_missing,
  mechanism_name,
  parameter_unknown,
  parameter_duplicate,
  size_value,
  body_value,
  ret_value,
  envid_value,
  envid_too_long,
  notify_value,
  orcpt_value,
  orcpt_too_long,
  auth_value,
  value_not_allowed,
  // Order and policy
  out_of_order,
  hello_required,
  transaction_open,
  transaction_required,
  recipient_required,
  session_barred,
  tls_required,
  tls_active,
  tls_not_offered,
  tls_too_weak,
  authentication_required,
  authenticated_already,
  mechanism_unknown,
  mechanism_needs_tls,
  initial_response_not_allowed,
  authentication_cancelled,
  chunk_refused,
  data_after_chunk,
  binary_needs_chunks,
  too_many_recipients,
  too_many_transactions,
  too_many_errors,
  size_over_limit,
  topic_unknown,
  // Mail data
  message_too_large,
  text_line_too_long,
  eight_bit_text,
  // The channel
  early_talker,
  other_protocol,
  octets_before_tls,
  // Reply values
  reply_code,
  reply_class,
  reply_octet,
  enhanced_code,
  reply_too_long,
  // The caller's contract
  no_open_question,
  stale_answer,
  wrong_answer,
  tls_not_pending,
  session_closed,
  option_hostname,
  option_text,
  option_name,
  option_dependency,
  option_limit,
  out_of_memory,
};

/// A rule of `errc` in words: what is wrong, and the clause that says so ("RFC 5321 4.1.2", or empty for the caller's contract).
struct rule {
  errc code;
  std::string_view text;
  std::string_view clause;
};

// clang-format off
/// Every rule, in the order of `errc`.
inline constexpr auto rules = std::to_array<rule>({
  {errc::empty_label,                  "a label of a domain begins with a letter or digit",        "RFC 5321 4.1.2"},
  {errc::label_ends_in_hyphen,         "a label of a domain ends with a letter or digit",          "RFC 5321 4.1.2"},
  {errc::domain_too_long,              "a domain has at most 255 octets",                          "RFC 5321 4.5.3.1.2"},
  {errc::literal_not_opened,           "an address literal begins with [",                         "RFC 5321 4.1.3"},
  {errc::literal_not_closed,           "an address literal ends with ]",                           "RFC 5321 4.1.3"},
  {errc::literal_tag_missing,          "a general address literal has a tag and a colon",          "RFC 5321 4.1.3"},
  {errc::literal_tag_unknown,          "the only registered tag of an address literal is IPv6",    "RFC 5321 4.1.3"},
  {errc::literal_content_missing,      "a general address literal has printable content",          "RFC 5321 4.1.3"},
  {errc::ipv4_number,                  "an IPv4 number has one to three digits and is at most 255", "RFC 5321 4.1.3"},
  {errc::ipv4_dot,                     "an IPv4 address is four numbers with dots between",        "RFC 5321 4.1.3"},
  {errc::ipv6_group,                   "an IPv6 group has one to four hexadecimal digits",         "RFC 5321 4.1.3"},
  {errc::ipv6_group_count,             "an IPv6 address has eight groups, :: stands for two or more", "RFC 5321 4.1.3"},
  {errc::empty_atom,                   "an atom has at least one octet, without specials",         "RFC 5321 4.1.2"},
  {errc::quote_not_opened,             "a quoted string begins with a quotation mark",             "RFC 5321 4.1.2"},
  {errc::quote_not_closed,             "a quoted string ends with a quotation mark",               "RFC 5321 4.1.2"},
  {errc::quoted_octet,                 "a quoted string holds printable octets only",              "RFC 5321 4.1.2"},
  {errc::quoted_pair_octet,            "a backslash is followed by a printable octet",             "RFC 5321 4.1.2"},
  {errc::local_part_too_long,          "a local-part has at most 64 octets",                       "RFC 5321 4.5.3.1.1"},
  {errc::at_sign_missing,              "an @ stands between local-part and domain",                "RFC 5321 4.1.2"},
  {errc::path_not_opened,              "a path begins with <",                                     "RFC 5321 4.1.2"},
  {errc::path_not_closed,              "a path ends with >",                                       "RFC 5321 4.1.2"},
  {errc::path_too_long,                "a path has at most 256 octets",                            "RFC 5321 4.5.3.1.3"},
  {errc::route_at_sign_missing,        "each domain of a source route begins with @",              "RFC 5321 4.1.2"},
  {errc::route_colon_missing,          "a source route ends with a colon",                         "RFC 5321 4.1.2"},
  {errc::null_path_not_allowed,        "a recipient is not the null path",                         "RFC 5321 4.1.1.3"},
  {errc::empty_string,                 "a string is an atom or a quoted string",                   "RFC 5321 4.1.2"},
  {errc::parameter_keyword,            "a parameter keyword has letters, digits and inner hyphens", "RFC 5321 4.1.2"},
  {errc::parameter_value,              "a parameter value is printable, without = and space",      "RFC 5321 4.1.2"},
  {errc::xtext_octet,                  "xtext is printable, without + and =",                      "RFC 3461 4"},
  {errc::xtext_hex,                    "in xtext two upper-case hexadecimal digits follow a +",    "RFC 3461 4"},
  {errc::xtext_control,                "xtext hides no control octet",                             "RFC 3461 4.2"},
  {errc::base64_octet,                 "an octet outside the base64 alphabet",                     "RFC 4648 4"},
  {errc::base64_length,                "base64 comes in groups of four octets",                    "RFC 4648 4"},
  {errc::base64_padding,               "base64 is padded at its end only",                         "RFC 4648 4"},
  {errc::base64_trailing_bits,         "the bits behind the last octet of base64 are zero",        "RFC 4648 3.5"},
  {errc::utf8_ill_formed,              "the octets are not UTF-8",                                 "RFC 3629 4"},
  {errc::utf8_not_allowed,             "octets above 127 need SMTPUTF8",                           "RFC 6531 3.4"},
  {errc::utf8_forbidden,               "a control, direction or zero-width character",             "RFC 6531 3.3"},
  {errc::date_day_name,                "a day name is Mon to Sun",                                 "RFC 5322 3.3"},
  {errc::date_day,                     "a day is 1 to the length of the month",                    "RFC 5322 3.3"},
  {errc::date_month,                   "a month is Jan to Dec",                                    "RFC 5322 3.3"},
  {errc::date_year,                    "a year has four digits or more",                           "RFC 5322 3.3"},
  {errc::date_time,                    "a time is hour, minute and optional second",               "RFC 5322 3.3"},
  {errc::date_zone,                    "a zone is a sign and four digits",                         "RFC 5322 3.3"},
  {errc::message_id_not_opened,        "a message identifier begins with <",                       "RFC 5322 3.6.4"},
  {errc::message_id_not_closed,        "a message identifier ends with >",                         "RFC 5322 3.6.4"},
  {errc::message_id_octet,             "an octet that no message identifier holds",                "RFC 5322 3.6.4"},
  {errc::field_name,                   "a header field has a printable name and a colon",          "RFC 5322 2.2"},
  {errc::header_line_too_long,         "a header line has at most 998 octets",                     "RFC 5322 2.1.1"},
  {errc::comment_octet,                "a comment holds printable octets only",                    "RFC 5322 3.2.2"},
  {errc::connection_facts_missing,     "an address literal is followed by facts about the connection", "RFC 5321 4.4"},
  {errc::sasl_message,                 "the message does not fit its SASL mechanism",              "RFC 4422 5"},
  {errc::sasl_too_long,                "a field of the SASL message is too long",                  "RFC 4616 2"},
  {errc::trailing_octets,              "octets are left over",                                     "RFC 5321 4.1.2"},
  {errc::line_too_long,                "the line is too long",                                     "RFC 5321 4.5.3.1.4"},
  {errc::bare_cr,                      "a CR without its LF",                                      "RFC 5321 2.3.8"},
  {errc::bare_lf,                      "a LF without its CR",                                      "RFC 5321 2.3.8"},
  {errc::nul_octet,                    "a NUL octet in a command",                                 "RFC 5321 4.1.2"},
  {errc::unknown_verb,                 "no such command",                                          "RFC 5321 4.2.4"},
  {errc::verb_not_implemented,         "the command is known and not implemented",                 "RFC 5321 4.2.4"},
  {errc::argument_missing,             "the command needs an argument",                            "RFC 5321 4.1.1"},
  {errc::argument_not_allowed,         "the command takes no argument",                            "RFC 5321 4.1.1"},
  {errc::space_missing,                "a single space stands between the parts of a command",     "RFC 5321 3.3"},
  {errc::from_missing,                 "FROM: follows MAIL",                                       "RFC 5321 4.1.1.2"},
  {errc::to_missing,                   "TO: follows RCPT",                                         "RFC 5321 4.1.1.3"},
  {errc::chunk_size,                   "the size of a chunk is a decimal number",                  "RFC 3030 2"},
  {errc::chunk_size_too_large,         "the size of the chunk is larger than can be counted",      "RFC 3030 2"},
  {errc::last_missing,                 "only LAST follows the size of a chunk",                    "RFC 3030 2"},
  {errc::mechanism_name,               "a mechanism name has 1 to 20 upper-case letters, digits, - and _", "RFC 4422 3.1"},
  {errc::parameter_unknown,            "the parameter is not offered here",                        "RFC 5321 4.1.1.11"},
  {errc::parameter_duplicate,          "the parameter is given twice",                             "RFC 3461 4.5"},
  {errc::size_value,                   "SIZE is a number of 1 to 20 digits",                       "RFC 1870 3"},
  {errc::body_value,                   "BODY is 7BIT, 8BITMIME or BINARYMIME",                     "RFC 6152 2"},
  {errc::ret_value,                    "RET is FULL or HDRS",                                      "RFC 3461 4.3"},
  {errc::envid_value,                  "ENVID is printable xtext",                                 "RFC 3461 4.4"},
  {errc::envid_too_long,               "ENVID has at most 100 octets",                             "RFC 3461 4.4"},
  {errc::notify_value,                 "NOTIFY is NEVER or a list of SUCCESS, FAILURE, DELAY",     "RFC 3461 4.1"},
  {errc::orcpt_value,                  "ORCPT is an address type, a semicolon and printable xtext", "RFC 3461 4.2"},
  {errc::orcpt_too_long,               "ORCPT has at most 500 octets",                             "RFC 3461 4.2"},
  {errc::auth_value,                   "AUTH is <> or a mailbox in xtext",                         "RFC 4954 5"},
  {errc::value_not_allowed,            "the parameter takes no value",                             "RFC 6531 3.4"},
  {errc::out_of_order,                 "the command is out of order",                              "RFC 5321 4.1.4"},
  {errc::hello_required,               "EHLO or HELO comes first",                                 "RFC 5321 4.1.4"},
  {errc::transaction_open,             "a transaction is open",                                    "RFC 5321 4.1.4"},
  {errc::transaction_required,         "MAIL comes first",                                         "RFC 5321 3.3"},
  {errc::recipient_required,           "no recipient has been accepted",                           "RFC 5321 3.3"},
  {errc::session_barred,               "the session takes no command but QUIT",                    "RFC 5321 3.1"},
  {errc::tls_required,                 "STARTTLS comes first",                                     "RFC 3207 4"},
  {errc::tls_active,                   "TLS is active",                                            "RFC 3207 4.2"},
  {errc::tls_not_offered,              "STARTTLS is not offered",                                  "RFC 3207 3"},
  {errc::tls_too_weak,                 "the TLS that was negotiated is too weak",                  "RFC 3207 4.1"},
  {errc::authentication_required,      "AUTH comes first",                                         "RFC 4954 6"},
  {errc::authenticated_already,        "AUTH succeeds once in a session",                          "RFC 4954 4"},
  {errc::mechanism_unknown,            "the mechanism is not offered",                             "RFC 4954 4"},
  {errc::mechanism_needs_tls,          "the mechanism needs TLS",                                  "RFC 4954 4"},
  {errc::initial_response_not_allowed, "the mechanism takes no initial response",                  "RFC 4954 4"},
  {errc::authentication_cancelled,     "the client cancelled the exchange",                        "RFC 4954 4"},
  {errc::chunk_refused,                "a chunk was refused: RSET comes first",                    "RFC 3030 2"},
  {errc::data_after_chunk,             "DATA does not follow BDAT in a transaction",               "RFC 3030 2"},
  {errc::binary_needs_chunks,          "BODY=BINARYMIME goes with BDAT, not DATA",                 "RFC 3030 3"},
  {errc::too_many_recipients,          "too many recipients in this transaction",                  "RFC 5321 4.5.3.1.10"},
  {errc::too_many_transactions,        "too many transactions in this session",                    "RFC 5321 4.5.3.1"},
  {errc::too_many_errors,              "too many errors in this session",                          "RFC 5321 7.8"},
  {errc::size_over_limit,              "the declared size is over the maximum",                    "RFC 1870 6.1"},
  {errc::topic_unknown,                "there is no help on this",                                 "RFC 5321 4.1.1.8"},
  {errc::message_too_large,            "the message is over the maximum size",                     "RFC 1870 4"},
  {errc::text_line_too_long,           "a text line is over 1000 octets",                          "RFC 5321 4.5.3.1.6"},
  {errc::eight_bit_text,               "octets above 127 without BODY=8BITMIME",                   "RFC 5321 2.4"},
  {errc::early_talker,                 "octets came before the greeting",                          "RFC 5321 4.3.1"},
  {errc::other_protocol,               "this is another protocol",                                 "RFC 5321 4.1.1"},
  {errc::octets_before_tls,            "octets came between STARTTLS and the handshake",           "RFC 3207 4"},
  {errc::reply_code,                   "a reply code is 200 to 559, second digit 0 to 5",          "RFC 5321 4.2"},
  {errc::reply_class,                  "the enhanced status code contradicts the reply code",      "RFC 2034 4"},
  {errc::reply_octet,                  "reply text is tab, space and printable octets",            "RFC 5321 4.2"},
  {errc::enhanced_code,                "an enhanced status code is three numbers without leading zeros", "RFC 3463 2"},
  {errc::reply_too_long,               "the reply does not fit",                                   "RFC 5321 4.5.3.1.5"},
  {errc::no_open_question,             "no question is open",                                      ""},
  {errc::stale_answer,                 "the ticket names another question",                        ""},
  {errc::wrong_answer,                 "the answer does not fit the open question",                ""},
  {errc::tls_not_pending,              "no TLS handshake is due",                                  ""},
  {errc::session_closed,               "the session is closed",                                    ""},
  {errc::option_hostname,              "the host name is not a domain or address literal",         "RFC 5321 4.2"},
  {errc::option_text,                  "a text among the options has an octet that no reply holds", "RFC 5321 4.2"},
  {errc::option_name,                  "a verb, keyword or parameter of the caller is ill-formed or taken", "RFC 5321 2.2.2"},
  {errc::option_dependency,            "an extension is on without one that it needs",             "RFC 6531 3.1"},
  {errc::option_limit,                 "a limit is below the minimum of the standard",             "RFC 5321 4.5.3.1"},
  {errc::out_of_memory,                "no memory",                                                ""},
});
// clang-format on

/// The rule that `code` names.
constexpr const rule& describe(errc code) { return rules[static_cast<std::size_t>(code)]; }

static_assert([] {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].code != static_cast<errc>(i)) return false;
  }
  return rules.back().code == errc::out_of_memory;
}());

/// A broken rule, and the octet that broke it, counted from 0 at the start of what was parsed.
struct error {
  errc code{};
  std::size_t offset = 0;

  friend constexpr bool operator==(const error&, const error&) = default;
};

}  // namespace ehlo

#endif  // EHLO_ERROR_HPP
