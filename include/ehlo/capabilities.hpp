// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CAPABILITIES_HPP
#define EHLO_CAPABILITIES_HPP

/// @file
/// What a server offers: the keywords of its reply to EHLO or LHLO. RFC 5321 4.1.1.1, 2.2.2.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/extension/deliver_by.hpp>
#include <ehlo/extension/future_release.hpp>
#include <ehlo/extension/limits.hpp>
#include <ehlo/extension/size.hpp>
#include <ehlo/octet_run.hpp>
#include <ehlo/received_reply.hpp>

namespace ehlo {

/// The extensions that `ehlo` knows by their keywords.
enum class extension : std::uint8_t {
  size,                   ///< RFC 1870
  pipelining,             ///< RFC 2920
  eight_bit_mime,         ///< RFC 6152
  enhanced_status_codes,  ///< RFC 2034
  chunking,               ///< RFC 3030
  binary_mime,            ///< RFC 3030
  smtputf8,               ///< RFC 6531
  dsn,                    ///< RFC 3461
  starttls,               ///< RFC 3207
  auth,                   ///< RFC 4954
  limits,                 ///< RFC 9422
  require_tls,            ///< RFC 8689
  deliver_by,             ///< RFC 2852
  future_release,         ///< RFC 4865
  priority,               ///< RFC 6710
  rrvs,                   ///< RFC 7293
  mtrk,                   ///< RFC 3885
  no_soliciting,          ///< RFC 3865
  etrn,                   ///< RFC 1985
  burl,                   ///< RFC 4468
  xclient,                ///< XCLIENT of Postfix
  xforward,               ///< XFORWARD of Postfix
  vrfy,                   ///< RFC 5321 3.5.2
  expn,                   ///< RFC 5321 3.5.2
  help,                   ///< RFC 5321 4.1.1.8
};

/// The keywords, in the order of `extension`.
inline constexpr std::array<std::string_view, 25> extension_keywords{
    "SIZE",      "PIPELINING",    "8BITMIME",    "ENHANCEDSTATUSCODES",
    "CHUNKING",  "BINARYMIME",    "SMTPUTF8",    "DSN",
    "STARTTLS",  "AUTH",          "LIMITS",      "REQUIRETLS",
    "DELIVERBY", "FUTURERELEASE", "MT-PRIORITY", "RRVS",
    "MTRK",      "NO-SOLICITING", "ETRN",        "BURL",
    "XCLIENT",   "XFORWARD",      "VRFY",        "EXPN",
    "HELP"};

/// The keyword of `e`.
constexpr std::string_view text_of(extension e) { return extension_keywords[static_cast<std::size_t>(e)]; }

namespace detail {

inline constexpr ascii::word_table extensions{extension_keywords};

}  // namespace detail

/// The extension that `keyword`, an ehlo-keyword, names in any case.
constexpr std::optional<extension> extension_of(std::string_view keyword) {
  const std::size_t found = detail::extensions.find(keyword);
  if (found == extension_keywords.size()) return std::nullopt;
  return static_cast<extension>(found);
}

static_assert([] {
  for (std::size_t i = 0; i < extension_keywords.size(); ++i) {
    if (extension_of(extension_keywords[i]) != static_cast<extension>(i)) return false;
  }
  return extension_of("dsN") == extension::dsn && !extension_of("") && !extension_of("SIZESIZE") && !extension_of("DS");
}());

/// One keyword line of the reply to EHLO.
struct keyword_line {
  std::string_view keyword;     ///< as it was spelt; compares without regard to case
  std::string_view parameters;  ///< separated by spaces; empty without any

  /// ehlo-line    = ehlo-keyword *( SP ehlo-param )
  /// ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
  /// ehlo-param   = 1*(%d33-126)             RFC 5321 4.1.1.1
  ///
  /// None for a line of another form. Spaces at its end, and more than one between parameters, are taken: old servers send them.
  static constexpr std::optional<keyword_line> parse(std::string_view line) {
    constexpr auto keyword_octet = ascii::let_dig | ascii::octet_class{"-"};
    const std::size_t end = end_of_run<keyword_octet>(line);
    keyword_line out{line.substr(0, end), {}};
    if (out.keyword.empty() || out.keyword.front() == '-') return std::nullopt;
    if (end == line.size()) return out;
    if (line[end] != ' ') return std::nullopt;
    out.parameters = line.substr(end + 1);
    if (end_of_run<ascii::printable>(out.parameters) != out.parameters.size()) return std::nullopt;
    while (out.parameters.starts_with(' ')) out.parameters.remove_prefix(1);
    while (out.parameters.ends_with(' ')) out.parameters.remove_suffix(1);
    return out;
  }

  friend constexpr bool operator==(const keyword_line&, const keyword_line&) = default;
};

/// Calls `use(keyword_line)` for each keyword line of a reply to EHLO; the first line, which greets, is none.
template <class Use>
constexpr void for_each_keyword(const received_reply& reply, Use use) {
  std::string_view rest = reply.octets();
  for (std::size_t number = 0; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end - 1);
    rest.remove_prefix(end + 1);
    if (number == 0 || line.size() < 4) continue;
    if (const auto parsed = keyword_line::parse(line.substr(4))) use(*parsed);
  }
}

/// Calls `use(word)` for each word of the parameters of a keyword.
template <class Use>
constexpr void for_each_word(std::string_view parameters, Use use) {
  while (!parameters.empty()) {
    const std::size_t space = parameters.find(' ');
    if (space != 0) use(parameters.substr(0, space));
    parameters.remove_prefix(space == parameters.npos ? parameters.size() : space + 1);
  }
}

/// The first line of a reply to EHLO with this keyword, if there is one: for extensions that `ehlo` does not know.
constexpr std::optional<keyword_line> find_keyword(const received_reply& reply, std::string_view keyword) {
  std::optional<keyword_line> out;
  for_each_keyword(reply, [&](const keyword_line& line) {
    if (!out && ascii::equal_ignoring_case(line.keyword, keyword)) out = line;
  });
  return out;
}

/// What a server offers. A value without views; nothing after HELO.
class capabilities {
 public:
  /// Nothing.
  constexpr capabilities() = default;

  /// Reads a positive reply to EHLO or LHLO. Lines that are no keyword lines, and keywords that are not known, count for nothing
  /// (RFC 5321 2.2.2); of a keyword given twice the first line counts.
  static constexpr capabilities parse(const received_reply& reply) {
    capabilities out;
    for_each_keyword(reply, [&out](const keyword_line& line) {
      const auto e = extension_of(line.keyword);
      if (!e || out.has(*e)) return;
      if (e == extension::future_release) {
        const auto holds = parse_hold_limits(line.parameters);
        if (!holds) return;
        out.holds_ = *holds;
      }
      out.add(*e);
      // SIZE without a number, or with 0, names no maximum (RFC 1870 4); one that is no number says nothing.
      if (e == extension::size) out.maximum_size_ = parse_size(line.parameters).value_or(0);
      if (e == extension::limits) out.limits_ = parse_limits(line.parameters);
      if (e == extension::deliver_by) out.deliver_by_minimum_ = parse_deliver_by_minimum(line.parameters);
    });
    return out;
  }

  constexpr bool has(extension e) const { return (bits_ >> static_cast<unsigned>(e) & 1U) != 0; }
  /// The largest message in octets, 0 if the server names none. RFC 1870 4.
  constexpr std::uint64_t maximum_size() const { return maximum_size_; }
  /// RFC 9422.
  constexpr const announced_limits& limits() const { return limits_; }

  /// Seconds below which BY with the mode R is not taken, 0 if the server names none. RFC 2852 3.
  constexpr std::uint32_t deliver_by_minimum() const { return deliver_by_minimum_; }

  /// How long a message may be held, where FUTURERELEASE is offered. RFC 4865 3.
  constexpr const hold_limits& holds() const { return holds_; }

  friend constexpr bool operator==(const capabilities&, const capabilities&) = default;

 private:
  constexpr void add(extension e) { bits_ |= std::uint32_t{1} << static_cast<unsigned>(e); }

  std::uint64_t maximum_size_ = 0;
  announced_limits limits_{};
  hold_limits holds_{};
  std::uint32_t deliver_by_minimum_ = 0;
  std::uint32_t bits_ = 0;
};

}  // namespace ehlo

#endif  // EHLO_CAPABILITIES_HPP
