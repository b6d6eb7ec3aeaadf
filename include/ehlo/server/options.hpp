// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SERVER_OPTIONS_HPP
#define EHLO_SERVER_OPTIONS_HPP

/// @file
/// What a server session offers, allows and refuses: one value, shared by all sessions of a service.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/codec/command_parser.hpp>
#include <ehlo/codec/mail_data_reader.hpp>
#include <ehlo/command.hpp>
#include <ehlo/extension/auth.hpp>
#include <ehlo/extension/deliver_by.hpp>
#include <ehlo/extension/future_release.hpp>
#include <ehlo/extension/limits.hpp>
#include <ehlo/extension/no_soliciting.hpp>
#include <ehlo/extension/priority.hpp>
#include <ehlo/extension/xclient.hpp>
#include <ehlo/extension/xforward.hpp>
#include <ehlo/grammar/host.hpp>
#include <ehlo/grammar/timestamp.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// What a session has to do with TLS. RFC 3207.
enum class tls_mode : std::uint8_t {
  unavailable,  ///< STARTTLS is not offered: 502
  offered,      ///< STARTTLS is offered
  required,     ///< and all but EHLO, NOOP, QUIT and STARTTLS get 530 before it; not for a public MX (RFC 3207 4)
  active,       ///< TLS was there before the first octet (implicit TLS, RFC 8314)
};

/// The extensions that EHLO lists. On by default are those that a session keeps by itself; the others bind the caller too.
struct extension_set {
  bool pipelining = true;             ///< RFC 2920
  bool size = true;                   ///< RFC 1870; the number is `limits.message`
  bool eight_bit_mime = true;         ///< RFC 6152
  bool enhanced_status_codes = true;  ///< RFC 2034; off, replies carry none
  bool chunking = true;               ///< RFC 3030
  bool binary_mime = false;           ///< RFC 3030; the caller stores octets as they are; needs `chunking`
  bool smtputf8 = false;              ///< RFC 6531; the caller takes UTF-8 paths and header sections; needs `eight_bit_mime`
  bool dsn = false;                   ///< RFC 3461; the caller sends the reports asked for
  bool vrfy = true;                   ///< off, VRFY gets 252 without a question (RFC 5321 7.3)
  bool expn = false;                  ///< off, EXPN gets 502 without a question
  bool help = true;                   ///< off, HELP gets 502 without a question
  bool require_tls = false;           ///< RFC 8689; the caller keeps the promise on each further hop; listed under TLS only
  bool deliver_by = false;            ///< RFC 2852; the caller keeps the time and sends the reports; see `deliver_by_minimum`
  bool future_release = false;        ///< RFC 4865; the caller holds the messages, for `holds` at most; for `submission` only
  bool priority = false;              ///< RFC 6710; the caller sends in this order, and passes the values on
  bool rrvs = false;                  ///< RFC 7293; the caller knows since when its mailboxes have their owners
  bool mtrk = false;                  ///< RFC 3885; the caller remembers the messages, and who may ask; needs `dsn`
  bool no_soliciting = false;         ///< RFC 3865; the caller refuses what it has asked not to get
  bool etrn = false;                  ///< RFC 1985; the caller starts its queue; not for `submission`
  bool burl = false;                  ///< RFC 4468; the caller fetches mail data; for `submission` only; needs `eight_bit_mime`
  bool xclient = false;               ///< XCLIENT of Postfix; for peers that are trusted only, see `xclient` of the options
  bool xforward = false;              ///< XFORWARD of Postfix; likewise
  bool limits = false;                ///< RFC 9422; the values are `announced`, and the session keeps them
};

/// What is done with mail data of an older habit: text lines over 1000 octets, octets above 127 without BODY=8BITMIME.
enum class text_policy : std::uint8_t {
  flag,   ///< the message is taken and `message_question` says so
  refuse  ///< the message is read to its end and refused with 554
};

/// A verb that the caller brings: its command becomes a `custom_question`. RFC 5321 2.2.2, 4.1.5: registered, or begins with X.
struct custom_verb {
  std::string_view name;   ///< letters, at most 32, none that `ehlo` knows
  bool advertise = false;  ///< EHLO lists it
};

/// Everything that sessions share. Must outlive them, and so must what its views and spans point to.
struct server_options {
  std::string_view hostname{};          ///< domain or address literal of this host; stands in 220, 221, 250 of EHLO and 421
  std::string_view greeting = "ESMTP";  ///< text of the 220 greeting behind the host name; names no version by default
  std::string_view help{};              ///< text of 214; empty: the default text
  ehlo::protocol protocol = protocol::smtp;
  /// A message submission server and no relay: mail is taken after AUTH (530 before it), MAIL and RCPT may be refused with 554, and
  /// neither ETRN nor 521 is used. RFC 6409 4.1, 4.3, 7; `submission_options` sets what goes with it.
  bool submission = false;
  bool esmtp = true;  ///< off: EHLO gets 502, HELO works
  tls_mode tls = tls_mode::unavailable;
  extension_set extensions{};
  std::span<const auth_mechanism> mechanisms{};  ///< in the order listed; empty: AUTH gets 502
  bool auth_without_tls = false;                 ///< takes mechanisms that need TLS without it: shows passwords to listeners
  bool auth_required = false;                    ///< 530 before AUTH, as submission wants (RFC 4954 6, RFC 6409 4.3)
  bool trusted_network = false;     ///< who connects is trusted: submits without AUTH, and gives messages positive priorities
  bool disclose_forwarding = true;  ///< off: 251 becomes 250, 551 becomes 550 (RFC 5321 3.4)
  bool close_when_no_mail = false;  ///< after a 521 greeting the session ends at once (RFC 7504 3)
  ehlo::bare_line_ends bare_line_ends = bare_line_ends::refuse;  ///< RFC 5321 2.3.8; `keep` keeps them as data octets
  text_policy long_lines = text_policy::flag;
  text_policy eight_bit_text = text_policy::flag;
  bool any_reply_code = false;  ///< answers may use codes outside their row of RFC 5321 4.3.2
  ehlo::leniency leniency{};
  ehlo::strictness strictness{};
  std::span<const custom_verb> verbs{};
  std::span<const std::string_view> keywords{};  ///< further lines of the EHLO reply: keyword and parameters
  std::span<const custom_parameter> parameters{};
  ehlo::limits limits{};
  std::uint32_t deliver_by_minimum =
      0;                ///< seconds below which BY with the mode R gets 555; nine digits at most; 0: none (RFC 2852 3)
  hold_limits holds{};  ///< of FUTURERELEASE; both parts are needed
  std::string_view priority_policy{};  ///< the name that MT-PRIORITY has in EHLO; may be empty (RFC 6710 3)
  std::string_view not_wanted{};       ///< the keywords of NO-SOLICITING, with commas between; may be empty
  std::string_view burl{};             ///< what BURL has in EHLO after AUTH: "imap", "imap://imap.example.org" (RFC 4468 3.3)
  /// The attributes that XCLIENT lists in EHLO and takes. Whoever is served with `extensions.xclient` may say that it speaks for
  /// anybody: give such options only to sessions whose peer you know, before they begin, and the other sessions options without it.
  std::string_view xclient = xclient_names;
  std::string_view xforward = xforward_names;  ///< likewise of XFORWARD, which changes what your log says
  announced_limits announced{};  ///< of LIMITS; up to six digits, RCPTMAX at most `limits.recipients`, RCPTDOMAINMAX at most 4
  ehlo::timeouts timeouts{};

  /// What is wrong with these options, if anything. A session with such options says `close_channel` at once.
  ///
  /// Fails with `errc::option_hostname`, `option_text`, `option_name`, `option_dependency` or `option_limit`.
  constexpr result<void> check() const {
    if (!host::parse(hostname)) return error{errc::option_hostname};
    for (const std::string_view text : {greeting, help}) {
      for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\t' && !ascii::printable.contains(text[i])) return error{errc::option_text, i};
      }
    }
    if (hostname.size() + greeting.size() > longest_text) return error{errc::option_text, longest_text};
    if (extensions.binary_mime && !extensions.chunking) return error{errc::option_dependency};
    if (extensions.smtputf8 && !extensions.eight_bit_mime) return error{errc::option_dependency};
    if (extensions.require_tls && tls == tls_mode::unavailable) return error{errc::option_dependency};
    if (protocol == protocol::lmtp && !(esmtp && extensions.pipelining && extensions.enhanced_status_codes))
      return error{errc::option_dependency};  // RFC 2033 5
    if (limits.message != 0 && limits.message < 65536) return error{errc::option_limit};
    if (limits.recipients < sizes::recipients || limits.output < 2 * sizes::reply_line || limits.auth_line < sizes::command_line)
      return error{errc::option_limit};
    if (deliver_by_minimum > static_cast<std::uint32_t>(deliver_by::largest)) return error{errc::option_limit};
    if (submission && (protocol == protocol::lmtp || !esmtp || mechanisms.empty()))
      return error{errc::option_dependency};                                        // RFC 6409 7
    if (extensions.mtrk && !extensions.dsn) return error{errc::option_dependency};  // RFC 3885 2
    if (!not_wanted.empty() && (not_wanted.size() > longest_text || !solicitation_keywords::parse(not_wanted)))
      return error{errc::option_name};
    if (extensions.burl && !(submission && extensions.eight_bit_mime)) return error{errc::option_dependency};  // RFC 4468 3.1, 4
    if (extensions.etrn && submission) return error{errc::option_dependency};                                  // RFC 6409 7
    if (!detail::are_names_of(xclient, xclient_names) || !detail::are_names_of(xforward, xforward_names))
      return error{errc::option_name};
    if ((extensions.xclient || extensions.xforward) && !esmtp) return error{errc::option_dependency};
    if (!burl.empty() && (burl.size() > longest_text || !are_words(burl))) return error{errc::option_name};
    if (extensions.future_release && !submission) return error{errc::option_dependency};  // RFC 4865 4.2
    if (extensions.future_release && (holds.interval == 0 || holds.interval > hold_for::largest || holds.until <= timestamp{} ||
                                      holds.until.zone_minutes() != 0))
      return error{errc::option_limit};
    if (parse_priority_policy(priority_policy).size() != priority_policy.size()) return error{errc::option_name};
    if (extensions.limits && !is_announceable(announced)) return error{errc::option_limit};
    if (limits.authentication_failures != 0 && limits.authentication_failures < 3) return error{errc::option_limit};
    for (const auth_mechanism& mechanism : mechanisms) {
      if (!parse_mechanism_name(mechanism.name)) return error{errc::option_name};
    }
    for (const custom_verb& v : verbs) {
      if (!is_word(v.name, ascii::alpha, ascii::alpha) || verb_of(v.name) != verb::unknown) return error{errc::option_name};
    }
    for (const custom_parameter& p : parameters) {
      if (!is_word(p.keyword, ascii::let_dig, keyword_octet) || is_known_parameter(p.keyword)) return error{errc::option_name};
    }
    for (const std::string_view keyword : keywords) {
      if (keyword.size() > longest_text || !is_ehlo_line(keyword)) return error{errc::option_name};
    }
    return {};
  }

  /// True if `keyword` is a parameter of an extension that `ehlo` has.
  static constexpr bool is_known_parameter(std::string_view keyword) {
    return known_parameter_of(keyword) != known_parameter::other;
  }

  /// How many domains of recipients a session can tell apart.
  static constexpr std::size_t most_domains = 4;

 private:
  constexpr bool is_announceable(const announced_limits& a) const {
    return a != announced_limits{} && a.mail_max <= announced_limits::largest && a.rcpt_max <= announced_limits::largest &&
           a.rcpt_max <= limits.recipients && a.rcpt_domain_max <= most_domains;
  }

  static constexpr std::size_t longest_text = 480;  ///< leaves room for code, enhanced code and CRLF in a line of 512
  static constexpr std::size_t longest_word = 32;
  static constexpr auto keyword_octet = ascii::let_dig | ascii::octet_class{"-"};

  static constexpr bool is_word(std::string_view text, const ascii::octet_class& first, const ascii::octet_class& rest) {
    if (text.empty() || text.size() > longest_word || !first.contains(text.front())) return false;
    for (const char c : text) {
      if (!rest.contains(c)) return false;
    }
    return true;
  }

  /// ehlo-line = ehlo-keyword *( SP ehlo-param )      RFC 5321 4.1.1.1
  static constexpr bool is_ehlo_line(std::string_view text) {
    const std::size_t space = text.find(' ');
    if (!is_word(text.substr(0, space), ascii::let_dig, keyword_octet)) return false;
    return space == text.npos || are_words(text.substr(space + 1));
  }

  static constexpr bool are_words(std::string_view text) {
    if (text.empty() || text.front() == ' ') return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool last = i + 1 == text.size();
      if (text[i] == ' ' ? last || text[i + 1] == ' ' : !ascii::visible.contains(text[i])) return false;
    }
    return true;
  }
};

/// The options of a message submission server with these mechanisms, of which there is at least one: with the extensions that RFC
/// 6409 7 wants, and STARTTLS. The views and the span outlive them.
constexpr server_options submission_options(std::string_view hostname, std::span<const auth_mechanism> mechanisms) {
  server_options out;
  out.hostname = hostname;
  out.submission = true;
  out.tls = tls_mode::offered;
  out.mechanisms = mechanisms;
  out.extensions.dsn = true;  // the caller sends the reports
  return out;
}

}  // namespace ehlo

#endif  // EHLO_SERVER_OPTIONS_HPP
