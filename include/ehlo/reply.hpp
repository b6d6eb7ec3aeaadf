// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_REPLY_HPP
#define EHLO_REPLY_HPP

/// @file
/// A reply: its code, its enhanced status code and its text, which can hold nothing that would make another line.
/// RFC 5321 4.2, 4.2.1; RFC 2034 4; RFC 6531 3.7.4.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/enhanced_status_code.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// What the first digit of a reply code says. RFC 5321 4.2.1.
enum class reply_severity : std::uint8_t {
  completed = 2,     ///< 2yz: done
  intermediate = 3,  ///< 3yz: accepted so far, more is expected
  transient = 4,     ///< 4yz: not now
  permanent = 5,     ///< 5yz: no
};

/// What the second digit of a reply code says. RFC 5321 4.2.1.
enum class reply_category : std::uint8_t {
  syntax,       ///< x0z
  information,  ///< x1z
  connection,   ///< x2z
  unspecified,  ///< x3z, x4z
  mail_system,  ///< x5z
};

/// Reply-code = %x32-35 %x30-35 %x30-39        RFC 5321 4.2
constexpr bool is_reply_code(int code) { return code >= 200 && code <= 559 && code / 10 % 10 <= 5; }

/// The first digit of `code`, which is 200 to 599. RFC 5321 4.2: a code that is not known is taken by its first digit.
constexpr reply_severity severity_of(int code) { return static_cast<reply_severity>(code / 100); }

/// The second digit of `code`; those above 5 are unspecified.
constexpr reply_category category_of(int code) {
  switch (code / 10 % 10) {
    case 0: return reply_category::syntax;
    case 1: return reply_category::information;
    case 2: return reply_category::connection;
    case 5: return reply_category::mail_system;
    default: return reply_category::unspecified;
  }
}

/// The text that stands in when none is given, close to RFC 5321 4.2.3: bare codes are not sent (4.2). Empty for 334,
/// whose text is a challenge and may be empty (RFC 4954 4).
constexpr std::string_view default_text(int code) {
  switch (code) {
    case 211: return "System status";
    case 214: return "Help message";
    case 220: return "Service ready";
    case 221: return "Service closing transmission channel";
    case 235: return "Authentication succeeded";
    case 250: return "OK";
    case 251: return "User not local; will forward";
    case 252: return "Cannot VRFY user, but will accept message and attempt delivery";
    case 334: return "";
    case 354: return "Start mail input; end with <CRLF>.<CRLF>";
    case 421: return "Service not available, closing transmission channel";
    case 432: return "A password transition is needed";
    case 450: return "Requested mail action not taken: mailbox unavailable";
    case 451: return "Requested action aborted: local error in processing";
    case 452: return "Requested action not taken: insufficient system storage";
    case 454: return "Temporary failure";
    case 455: return "Server unable to accommodate parameters";
    case 500: return "Syntax error, command unrecognized";
    case 501: return "Syntax error in parameters or arguments";
    case 502: return "Command not implemented";
    case 503: return "Bad sequence of commands";
    case 504: return "Command parameter not implemented";
    case 521: return "Host does not accept mail";
    case 530: return "Authentication required";
    case 534: return "Authentication mechanism is too weak";
    case 535: return "Authentication credentials invalid";
    case 538: return "Encryption required for requested authentication mechanism";
    case 550: return "Requested action not taken: mailbox unavailable";
    case 551: return "User not local";
    case 552: return "Requested mail action aborted: exceeded storage allocation";
    case 553: return "Requested action not taken: mailbox name not allowed";
    case 554: return "Transaction failed";
    case 555: return "MAIL FROM/RCPT TO parameters not recognized or not implemented";
    case 556: return "Domain does not accept mail";
    default: break;
  }
  switch (severity_of(code)) {
    case reply_severity::completed: return "Completed";
    case reply_severity::intermediate: return "Go on";
    case reply_severity::transient: return "Not now";
    case reply_severity::permanent: break;
  }
  return "Refused";
}

namespace detail {

// Not constexpr and never defined: a `consteval` constructor that calls one does not compile, and the compiler prints
// the name.
void reply_code_is_not_200_to_559();
void enhanced_class_differs_from_reply_code();
void enhanced_status_code_is_not_registered();
void enhanced_status_code_is_not_useful_with_this_class();
void reply_text_has_an_octet_that_is_not_printable();

/// textstring = 1*(%d09 / %d32-126)            RFC 5321 4.2
inline constexpr auto textstring = ascii::printable | ascii::octet_class{"\t"};

/// The error of a reply's numbers, if any. No enhanced status code has class 3, so none goes with 3yz.
constexpr result<void> check_reply_codes(int code, enhanced_status_code enhanced) {
  if (!is_reply_code(code)) return error{errc::reply_code};
  if (enhanced.is_none()) return {};
  if (!enhanced.is_well_formed()) return error{errc::enhanced_code};
  if (enhanced.class_code != code / 100) return error{errc::reply_class};
  return {};
}

/// The error of one line of text, if any. RFC 6531 3.7.4: UTF-8 only for a client that asked for it.
constexpr result<void> check_reply_text(std::string_view text, bool utf8) {
  for (cursor in{text}; !in.at_end();) {
    in.take_while<textstring>();
    if (in.at_end()) break;
    const std::size_t start = in.offset();
    const auto character = grammar::utf8_non_ascii(in);
    if (!utf8 || !character || is_c1_control(*character)) return error{errc::reply_octet, start};
  }
  return {};
}

}  // namespace detail

/// A reply. It views its text, which outlives it: a literal, or octets of the caller.
///
/// Each line holds tab, space, printable ASCII, and well-formed UTF-8 when it was made so: never CR, LF, NUL or another
/// control. Whoever writes it (`codec/reply_writer.hpp`) folds long lines.
class reply {
 public:
  /// A reply known at compile time. A wrong code, an enhanced status code that is not registered, not useful with its
  /// class (RFC 3463 3) or contradicts `code`, or an octet that no reply holds, does not compile. An empty text becomes
  /// `default_text(code)`.
  template <std::size_t N>
  consteval reply(int code, enhanced_status_code enhanced, const char (&text)[N]) : reply{code, enhanced, {text, N - 1}, false} {
    if (!is_reply_code(code)) detail::reply_code_is_not_200_to_559();
    if (!detail::check_reply_codes(code, enhanced)) detail::enhanced_class_differs_from_reply_code();
    if (!enhanced.is_none() && !is_registered(enhanced)) detail::enhanced_status_code_is_not_registered();
    if (!enhanced.is_none() && !fits_class(enhanced)) detail::enhanced_status_code_is_not_useful_with_this_class();
    if (!detail::check_reply_text({text, N - 1}, false)) detail::reply_text_has_an_octet_that_is_not_printable();
  }

  /// A reply known at compile time, without enhanced status code.
  template <std::size_t N>
  consteval reply(int code, const char (&text)[N]) : reply{code, enhanced_status_code{}, text} {}

  /// A reply of one line. An empty text becomes `default_text(code)`.
  ///
  /// `utf8` says that the client takes UTF-8 (RFC 6531). Errors: errc::reply_code (not 200 to 559, or second digit
  /// above 5), errc::enhanced_code (ill-formed), errc::reply_class (another class than the first digit, or any with
  /// 3yz), errc::reply_octet with the offset of an octet that no reply holds: a control (C1 included), or one that is
  /// not UTF-8. An enhanced status code that is not registered is taken.
  static constexpr result<reply> make(int code, enhanced_status_code enhanced, std::string_view text, bool utf8 = false) {
    if (const auto good = detail::check_reply_codes(code, enhanced); !good) return good.error();
    if (const auto good = detail::check_reply_text(text, utf8); !good) return good.error();
    return reply{code, enhanced, text, utf8};
  }

  /// A reply of several lines. Both the lines and their octets outlive it. No lines, or one that is empty, become
  /// `default_text(code)`.
  ///
  /// Errors: as above; offsets count over the lines as if they stood one behind the other.
  static constexpr result<reply> make(int code, enhanced_status_code enhanced, std::span<const std::string_view> lines,
                                      bool utf8 = false) {
    if (lines.empty()) return make(code, enhanced, std::string_view{}, utf8);
    if (lines.size() == 1) return make(code, enhanced, lines.front(), utf8);
    if (const auto good = detail::check_reply_codes(code, enhanced); !good) return good.error();
    std::size_t offset = 0;
    for (const std::string_view line : lines) {
      if (const auto good = detail::check_reply_text(line, utf8); !good) {
        return error{good.error().code, offset + good.error().offset};
      }
      offset += line.size();
    }
    reply out{code, enhanced, lines.front(), utf8};
    out.lines_ = lines;
    return out;
  }

  /// The reply code: 200 to 559.
  constexpr int code() const { return code_; }

  /// The enhanced status code, or none.
  constexpr enhanced_status_code enhanced() const { return enhanced_; }

  /// How many lines the text has; at least 1. The writer may make more of a long one.
  constexpr std::size_t line_count() const { return lines_.empty() ? 1 : lines_.size(); }

  /// Line `index` of the text, counted from 0.
  constexpr std::string_view line(std::size_t index) const { return lines_.empty() ? text_ : lines_[index]; }

  /// The first line of the text.
  constexpr std::string_view text() const { return text_; }

  /// True if it was made for a client that takes UTF-8.
  constexpr bool is_utf8() const { return utf8_; }

  constexpr reply_severity severity() const { return severity_of(code_); }
  constexpr reply_category category() const { return category_of(code_); }

  constexpr bool is_positive() const { return code_ < 400; }                                     ///< 2yz, 3yz
  constexpr bool is_completed() const { return severity() == reply_severity::completed; }        ///< 2yz
  constexpr bool is_intermediate() const { return severity() == reply_severity::intermediate; }  ///< 3yz
  constexpr bool is_transient() const { return severity() == reply_severity::transient; }        ///< 4yz
  constexpr bool is_permanent() const { return severity() == reply_severity::permanent; }        ///< 5yz

  /// The same codes and the same lines.
  friend constexpr bool operator==(const reply& a, const reply& b) {
    if (a.code_ != b.code_ || a.enhanced_ != b.enhanced_ || a.line_count() != b.line_count()) return false;
    for (std::size_t i = 0; i < a.line_count(); ++i) {
      if (a.line(i) != b.line(i)) return false;
    }
    return true;
  }

 private:
  constexpr reply(int code, enhanced_status_code enhanced, std::string_view text, bool utf8)
      : text_{text.empty() ? default_text(code) : text},
        code_{static_cast<std::uint16_t>(code)},
        enhanced_{enhanced},
        utf8_{utf8} {}

  std::string_view text_;
  std::span<const std::string_view> lines_;  // empty unless there are several
  std::uint16_t code_;
  enhanced_status_code enhanced_;
  bool utf8_;
};

}  // namespace ehlo

#endif  // EHLO_REPLY_HPP
