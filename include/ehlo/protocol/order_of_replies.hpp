// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_PROTOCOL_ORDER_OF_REPLIES_HPP
#define EHLO_PROTOCOL_ORDER_OF_REPLIES_HPP

/// @file
/// Which reply codes answer what: RFC 5321 4.3.2 as a table, with the codes that the extensions add to its rows.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ehlo {

/// What a reply answers: a row of RFC 5321 4.3.2, in its order, then those of the extensions.
enum class reply_row : std::uint8_t {
  connection,  ///< the opening of the channel
  hello,       ///< EHLO, HELO, LHLO
  mail,
  rcpt,
  data,     ///< the DATA command itself; for the first BDAT, see `chunk`
  message,  ///< the end of mail data
  rset,
  vrfy,
  expn,
  help,
  noop,
  quit,
  chunk,     ///< a BDAT that is not the last (RFC 3030 2)
  starttls,  ///< RFC 3207 4
  auth,      ///< RFC 4954 4, 6
  etrn,      ///< RFC 1985 5.1
  burl,      ///< RFC 4468 6
  xclient,   ///< XCLIENT of Postfix
  xforward,  ///< XFORWARD of Postfix
  custom,    ///< a command that the caller brought: any code
};

/// One row: the codes of success (2yz, 3yz) and of failure (4yz, 5yz). Zero fills the rest.
struct reply_codes {
  std::array<std::uint16_t, 4> success;
  std::array<std::uint16_t, 14> failure;
};

// clang-format off
/// RFC 5321 4.3.2, Command-Reply Sequences. Row: what is answered, in the order of `reply_row`. 421, 500 and 501 may answer
/// anything and are not repeated here.
inline constexpr auto order_of_replies = std::to_array<reply_codes>({
  /* connection */ {{220},           {554, 521}},                                        // 521: RFC 7504 5.1
  /* hello      */ {{250},           {504, 550, 502}},
  /* mail       */ {{250},           {552, 451, 452, 550, 553, 503, 455, 555, 530}},     // 530: RFC 4954 6, RFC 3207 4
  /* rcpt       */ {{250, 251},      {550, 551, 552, 553, 450, 451, 452, 503, 455, 555, 556, 530}},  // 556: RFC 7504 5.1
  /* data       */ {{354},           {503, 554, 452, 552, 530}},                         // 452, 552: RFC 1870 6.2; 530: RFC 4954 6
  /* message    */ {{250},           {552, 554, 451, 452, 450, 550, 553}},               // 553: RFC 6531 3.5
  /* rset       */ {{250},           {}},
  /* vrfy       */ {{250, 251, 252}, {550, 551, 553, 502, 504}},
  /* expn       */ {{250, 252},      {550, 502, 504}},
  /* help       */ {{211, 214},      {502, 504}},
  /* noop       */ {{250},           {}},
  /* quit       */ {{221},           {}},
  /* chunk      */ {{250},           {503, 552, 554, 450, 451, 452, 550, 530}},          // RFC 3030 2
  /* starttls   */ {{220},           {454, 502, 503, 554}},                              // RFC 3207 4
  /* auth       */ {{235, 334},      {432, 454, 534, 535, 538, 502, 503, 504, 530}},     // RFC 4954 4, 6
  /* etrn       */ {{250, 251, 252, 253}, {458, 459, 502, 503, 530}},                 // RFC 1985 5.1
  /* burl       */ {{250},           {503, 552, 554, 450, 451, 452, 550, 530}},          // RFC 4468 6
  /* xclient    */ {{220},           {550, 502, 503, 530, 554, 521}},                    // XCLIENT, server reply codes; 554, 521: 3.1
  /* xforward   */ {{250},           {550, 502, 503, 530}},                              // XFORWARD, server reply codes
  /* custom     */ {{},              {}},
});
// clang-format on

static_assert(order_of_replies.size() == static_cast<std::size_t>(reply_row::custom) + 1);

/// True if `code` may answer `row`.
constexpr bool may_answer(reply_row row, int code) {
  if (row == reply_row::custom || code == 421 || code == 500 || code == 501) return true;
  const reply_codes& codes = order_of_replies[static_cast<std::size_t>(row)];
  const auto wanted = static_cast<std::uint16_t>(code);
  return std::find(codes.success.begin(), codes.success.end(), wanted) != codes.success.end() ||
         std::find(codes.failure.begin(), codes.failure.end(), wanted) != codes.failure.end();
}

/// The name of a row, for people.
constexpr std::string_view text_of(reply_row row) {
  constexpr std::array<std::string_view, 20> names{"connection", "EHLO, HELO, LHLO",
                                                   "MAIL",       "RCPT",
                                                   "DATA",       "end of mail data",
                                                   "RSET",       "VRFY",
                                                   "EXPN",       "HELP",
                                                   "NOOP",       "QUIT",
                                                   "BDAT",       "STARTTLS",
                                                   "AUTH",       "ETRN",
                                                   "BURL",       "XCLIENT",
                                                   "XFORWARD",   "custom"};
  return names[static_cast<std::size_t>(row)];
}

static_assert(may_answer(reply_row::rcpt, 550) && !may_answer(reply_row::mail, 250 + 4) && may_answer(reply_row::data, 421));

}  // namespace ehlo

#endif  // EHLO_PROTOCOL_ORDER_OF_REPLIES_HPP
