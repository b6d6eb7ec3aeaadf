// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_COMMAND_HPP
#define EHLO_COMMAND_HPP

/// @file
/// The commands: their verbs, and one struct for each with its arguments. RFC 5321 4.1.1, 1985 5, 2033 4.1, 3030 2, 3207 4,
/// 4468 3, 4954 4; XCLIENT and XFORWARD of Postfix.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <ehlo/ascii.hpp>
#include <ehlo/extension/burl.hpp>
#include <ehlo/extension/etrn.hpp>
#include <ehlo/extension/xclient.hpp>
#include <ehlo/extension/xforward.hpp>
#include <ehlo/grammar/host.hpp>
#include <ehlo/grammar/path.hpp>
#include <ehlo/parameters.hpp>

namespace ehlo {

/// SMTP (RFC 5321) or LMTP (RFC 2033). LMTP does not belong on port 25 (RFC 2033 1).
enum class protocol : std::uint8_t { smtp, lmtp };

/// The verbs that `ehlo` knows. The last group is known and never implemented (RFC 5321 F.1, F.6): 502.
enum class verb : std::uint8_t {
  ehlo,
  helo,
  lhlo,
  mail,
  rcpt,
  data,
  bdat,
  rset,
  vrfy,
  expn,
  help,
  noop,
  quit,
  starttls,
  auth,
  etrn,
  burl,
  xclient,
  xforward,
  send,
  soml,
  saml,
  turn,
  unknown,
};

/// The verbs by their names on the wire, in the order of `verb`.
inline constexpr std::array<std::string_view, 23> verb_names{
    "EHLO", "HELO",     "LHLO", "MAIL", "RCPT", "DATA",    "BDAT",     "RSET", "VRFY", "EXPN", "HELP", "NOOP",
    "QUIT", "STARTTLS", "AUTH", "ETRN", "BURL", "XCLIENT", "XFORWARD", "SEND", "SOML", "SAML", "TURN"};

/// How many octets the longest of them has.
inline constexpr std::size_t longest_verb = [] {
  std::size_t out = 0;
  for (const std::string_view name : verb_names) out = name.size() > out ? name.size() : out;
  return out;
}();

/// The name of `v` on the wire; empty for `verb::unknown`.
constexpr std::string_view text_of(verb v) {
  const auto index = static_cast<std::size_t>(v);
  return index < verb_names.size() ? verb_names[index] : std::string_view{};
}

/// The syntax of a verb in one line, as HELP shows it; empty for a verb that is not implemented.
constexpr std::string_view syntax_of(verb v) {
  switch (v) {
    case verb::ehlo: return "EHLO ( domain / address-literal )";
    case verb::helo: return "HELO domain";
    case verb::lhlo: return "LHLO ( domain / address-literal )";
    case verb::mail: return "MAIL FROM:<reverse-path> [ SP parameters ]";
    case verb::rcpt: return "RCPT TO:<forward-path> [ SP parameters ]";
    case verb::data: return "DATA";
    case verb::bdat: return "BDAT size [ SP LAST ]";
    case verb::rset: return "RSET";
    case verb::vrfy: return "VRFY string";
    case verb::expn: return "EXPN string";
    case verb::help: return "HELP [ SP string ]";
    case verb::noop: return "NOOP [ SP string ]";
    case verb::quit: return "QUIT";
    case verb::starttls: return "STARTTLS";
    case verb::auth: return "AUTH mechanism [ SP initial-response ]";
    case verb::etrn: return "ETRN [ @ / # ] node";
    case verb::burl: return "BURL absolute-URI [ SP LAST ]";
    case verb::xclient: return "XCLIENT 1*( SP attribute-name=attribute-value )";
    case verb::xforward: return "XFORWARD 1*( SP attribute-name=attribute-value )";
    case verb::send:
    case verb::soml:
    case verb::saml:
    case verb::turn:
    case verb::unknown: break;
  }
  return {};
}

namespace detail {

inline constexpr ascii::word_table verbs{verb_names};

}  // namespace detail

/// The verb that `word` names, in any case (RFC 5321 2.4).
constexpr verb verb_of(std::string_view word) {
  static_assert(static_cast<std::size_t>(verb::unknown) == verb_names.size());
  return static_cast<verb>(detail::verbs.find(word));
}

static_assert([] {
  for (std::size_t i = 0; i < verb_names.size(); ++i) {
    if (verb_of(verb_names[i]) != static_cast<verb>(i)) return false;
  }
  return verb_of("eHlO") == verb::ehlo && verb_of("NOOPE") == verb::unknown && verb_of("") == verb::unknown &&
         verb_of("XCLIIENT") == verb::unknown && verb_of("xClient") == verb::xclient;
}());

/// EHLO, HELO or LHLO. RFC 5321 4.1.1.1, RFC 2033 4.1.
struct hello_command {
  verb name;          ///< which of the three
  ehlo::host client;  ///< the name that the client gives itself

  friend constexpr bool operator==(const hello_command&, const hello_command&) = default;
};

/// MAIL. RFC 5321 4.1.1.2.
struct mail_command {
  ehlo::reverse_path reverse_path;
  mail_parameters parameters;

  friend constexpr bool operator==(const mail_command&, const mail_command&) = default;
};

/// RCPT. RFC 5321 4.1.1.3.
struct rcpt_command {
  ehlo::forward_path forward_path;
  rcpt_parameters parameters;

  friend constexpr bool operator==(const rcpt_command&, const rcpt_command&) = default;
};

/// BDAT: the next `size` octets are mail data. RFC 3030 2.
struct bdat_command {
  std::uint64_t size = 0;  ///< octets that follow the command's CRLF
  bool last = false;       ///< they end the message

  friend constexpr bool operator==(const bdat_command&, const bdat_command&) = default;
};

/// VRFY or EXPN. RFC 5321 4.1.1.6, 4.1.1.7, RFC 6531 3.7.4.2.
struct lookup_command {
  verb name;                             ///< which of the two
  std::string_view argument;             ///< as it was spelt
  std::optional<ehlo::mailbox> mailbox;  ///< the argument, when it is one (3.5.1)
  bool smtputf8 = false;                 ///< the reply may hold UTF-8

  friend constexpr bool operator==(const lookup_command&, const lookup_command&) = default;
};

/// HELP, with or without a topic. RFC 5321 4.1.1.8.
struct help_command {
  std::string_view topic;  ///< as it was spelt; empty without one

  friend constexpr bool operator==(const help_command&, const help_command&) = default;
};

/// AUTH. RFC 4954 4.
struct auth_command {
  std::string_view mechanism;                        ///< in the spelling received
  std::optional<std::string_view> initial_response;  ///< base64, or "=" for an empty one, not yet checked

  friend constexpr bool operator==(const auth_command&, const auth_command&) = default;
};

/// A command that has no argument (or, for NOOP, one that is ignored): DATA, RSET, NOOP, QUIT, STARTTLS.
struct plain_command {
  verb name;

  friend constexpr bool operator==(const plain_command&, const plain_command&) = default;
};

/// Any command.
using any_command = std::variant<hello_command, mail_command, rcpt_command, bdat_command, lookup_command, help_command,
                                 auth_command, plain_command, etrn_command, burl_command, xclient_command, xforward_command>;

}  // namespace ehlo

#endif  // EHLO_COMMAND_HPP
