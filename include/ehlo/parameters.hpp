// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_PARAMETERS_HPP
#define EHLO_PARAMETERS_HPP

/// @file
/// The parameters of MAIL and RCPT, looked up by their types in the octets received. RFC 5321 4.1.1.11.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/extension/auth.hpp>
#include <ehlo/extension/body.hpp>
#include <ehlo/extension/deliver_by.hpp>
#include <ehlo/extension/dsn.hpp>
#include <ehlo/extension/future_release.hpp>
#include <ehlo/extension/mtrk.hpp>
#include <ehlo/extension/no_soliciting.hpp>
#include <ehlo/extension/priority.hpp>
#include <ehlo/extension/rrvs.hpp>
#include <ehlo/extension/size.hpp>
#include <ehlo/grammar/parameter.hpp>
#include <ehlo/grammar/path.hpp>
#include <ehlo/grammar/xtext.hpp>

namespace ehlo {

/// The parameters that `ehlo` knows, and one that stands for any other.
enum class known_parameter : std::uint8_t {
  size,
  body,
  smtputf8,
  ret,
  envid,
  auth,
  require_tls,
  by,
  hold_for,
  hold_until,
  priority,
  mtrk,
  solicit,
  notify,
  orcpt,
  rrvs,
  other,
};

/// Their names on the wire, in the order of `known_parameter`.
inline constexpr std::array<std::string_view, 16> parameter_names{
    "SIZE",    "BODY",      "SMTPUTF8",    "RET",  "ENVID",   "AUTH",   "REQUIRETLS", "BY",
    "HOLDFOR", "HOLDUNTIL", "MT-PRIORITY", "MTRK", "SOLICIT", "NOTIFY", "ORCPT",      "RRVS"};

/// The name of `p` on the wire; empty for `known_parameter::other`.
constexpr std::string_view text_of(known_parameter p) {
  const auto index = static_cast<std::size_t>(p);
  return index < parameter_names.size() ? parameter_names[index] : std::string_view{};
}

namespace detail {

inline constexpr ascii::word_table known_parameters{parameter_names};

}  // namespace detail

/// The parameter that `keyword`, an esmtp-keyword, names in any case (RFC 5321 2.4).
constexpr known_parameter known_parameter_of(std::string_view keyword) {
  static_assert(static_cast<std::size_t>(known_parameter::other) == parameter_names.size());
  return static_cast<known_parameter>(detail::known_parameters.find(keyword));
}

static_assert([] {
  for (std::size_t i = 0; i < parameter_names.size(); ++i) {
    if (known_parameter_of(parameter_names[i]) != static_cast<known_parameter>(i)) return false;
  }
  return known_parameter_of("Ret") == known_parameter::ret && known_parameter_of("SIZ") == known_parameter::other &&
         known_parameter_of("") == known_parameter::other && known_parameter_of("SIZESIZE") == known_parameter::other;
}());

/// Which of the known parameters a list has.
class parameter_set {
 public:
  constexpr bool has(known_parameter p) const { return ((bits_ >> static_cast<unsigned>(p)) & 1U) != 0; }
  constexpr void add(known_parameter p) { bits_ |= 1U << static_cast<unsigned>(p); }

  friend constexpr bool operator==(const parameter_set&, const parameter_set&) = default;

 private:
  std::uint32_t bits_ = 0;
};

/// AUTH on MAIL: who submitted the message first, as the peer claims. RFC 4954 5: believe it only of a trusted peer.
///
/// auth-param = "AUTH=" ("<>" / xtext of a Mailbox)
///
/// Fails with `errc::auth_value`.
struct claimed_submitter {
  std::optional<xtext> mailbox;  ///< a mailbox in xtext; none for `<>`

  /// Reads the value of the parameter. A decoded mailbox is checked by the grammar of RFC 5321.
  static constexpr result<claimed_submitter> parse(std::string_view text, charset set = charset::ascii) {
    if (text == "<>") return claimed_submitter{};
    const auto value = xtext::parse(text);
    if (!value) return error{errc::auth_value, value.error().offset};
    char decoded[sizes::local_part + 1 + sizes::domain] = {};
    if (value->decoded_size() > sizeof decoded) return error{errc::auth_value, 0};
    const char* const end = value->decode(decoded);
    if (!ehlo::mailbox::parse({decoded, static_cast<std::size_t>(end - decoded)}, set)) return error{errc::auth_value, 0};
    return claimed_submitter{*value};
  }
};

/// A list of parameters that a parser has checked: its typed look-ups cannot fail. Lives as long as the octets it views.
class checked_parameters {
 public:
  constexpr checked_parameters() = default;

  /// `list` has passed the checks of `codec/command_parser.hpp`.
  constexpr explicit checked_parameters(parameter_list list) : list_{list} {}

  /// All parameters in the order received, unknown ones too.
  constexpr const parameter_list& list() const { return list_; }
  /// The parameters as received, separated by single spaces.
  constexpr std::string_view text() const { return list_.text(); }
  constexpr bool empty() const { return list_.empty(); }
  /// True if the parameter is there, compared without regard to case.
  constexpr bool has(std::string_view keyword) const { return list_.find(keyword).has_value(); }
  /// The value of a parameter, for those that the caller has registered. None if it is not there or has no value.
  constexpr std::optional<std::string_view> value(std::string_view keyword) const {
    const auto found = list_.find(keyword);
    return found ? found->value : std::nullopt;
  }

  friend constexpr bool operator==(const checked_parameters& a, const checked_parameters& b) { return a.text() == b.text(); }

 protected:
  template <class T, class Parse>
  constexpr std::optional<T> typed(std::string_view keyword, Parse parse) const {
    const auto text = value(keyword);
    if (!text) return std::nullopt;
    const result<T> out = parse(*text);
    return out ? std::optional<T>{*out} : std::nullopt;
  }

 private:
  parameter_list list_;
};

/// The parameters of MAIL. Empty after HELO.
class mail_parameters : public checked_parameters {
 public:
  using checked_parameters::checked_parameters;

  /// SIZE in octets: a promise of the peer, not a fact. RFC 1870.
  constexpr std::optional<std::uint64_t> size() const { return typed<std::uint64_t>("SIZE", parse_size); }
  /// BODY; 7BIT if it is not there. RFC 6152.
  constexpr body_type body() const { return typed<body_type>("BODY", parse_body).value_or(body_type::seven_bit); }
  /// SMTPUTF8: paths and header section may hold UTF-8. RFC 6531.
  constexpr bool smtputf8() const { return has("SMTPUTF8"); }
  /// RET. RFC 3461 4.3.
  constexpr std::optional<ret_type> ret() const { return typed<ret_type>("RET", parse_ret); }
  /// ENVID in xtext. RFC 3461 4.4.
  constexpr std::optional<xtext> envid() const { return typed<xtext>("ENVID", parse_envid); }
  /// AUTH. RFC 4954 5.
  constexpr std::optional<claimed_submitter> auth() const {
    return typed<claimed_submitter>("AUTH", [](std::string_view text) { return claimed_submitter::parse(text, charset::utf8); });
  }
  /// REQUIRETLS: the message goes on over verified TLS only, and reports about it return headers only. RFC 8689 4.1, 5.
  constexpr bool require_tls() const { return has("REQUIRETLS"); }
  /// BY: seconds from now, to which the caller adds its clock. RFC 2852 4.
  constexpr std::optional<deliver_by> by() const { return typed<deliver_by>("BY", parse_deliver_by); }
  /// MT-PRIORITY as the peer asks for it; what it gets is in `mail_question`. RFC 6710 4.1.
  constexpr std::optional<message_priority> priority() const { return typed<message_priority>("MT-PRIORITY", parse_priority); }
  /// MTRK. RFC 3885 3.1.
  constexpr std::optional<ehlo::tracking> tracking() const { return typed<ehlo::tracking>("MTRK", parse_tracking); }
  /// SOLICIT: what the sender says that its message is. RFC 3865 2.3.
  constexpr std::optional<solicitation_keywords> solicit() const {
    return typed<solicitation_keywords>("SOLICIT", solicitation_keywords::parse);
  }
  /// HOLDFOR or HOLDUNTIL. A session has compared HOLDFOR with BY; HOLDUNTIL is for the caller, whose clock it needs. RFC 4865.
  constexpr std::optional<hold_request> hold() const {
    if (const auto time = typed<hold_for>("HOLDFOR", parse_hold_for)) return hold_request{*time};
    if (const auto time = typed<hold_until>("HOLDUNTIL", parse_hold_until)) return hold_request{*time};
    return std::nullopt;
  }
};

/// The parameters of RCPT. Empty after HELO.
class rcpt_parameters : public checked_parameters {
 public:
  using checked_parameters::checked_parameters;

  /// NOTIFY; none if it is not there, which may be read as FAILURE or FAILURE,DELAY. RFC 3461 4.1.
  constexpr std::optional<notify_set> notify() const { return typed<notify_set>("NOTIFY", parse_notify); }
  /// ORCPT. RFC 3461 4.2.
  constexpr std::optional<original_recipient> orcpt() const {
    return typed<original_recipient>("ORCPT", [](std::string_view text) { return parse_orcpt(text, charset::utf8); });
  }
  /// RRVS: the caller knows the mailbox's owners. RFC 7293 3.1.
  constexpr std::optional<ehlo::valid_since> valid_since() const { return typed<ehlo::valid_since>("RRVS", parse_valid_since); }
};

/// A parameter that the caller brings, for MAIL or RCPT. RFC 5321 2.2.2: registered, or beginning with X.
struct custom_parameter {
  enum class value_rule : std::uint8_t { none, optional, required };
  enum class place : std::uint8_t { mail, rcpt };

  std::string_view keyword;  ///< none that `ehlo` knows
  place command = place::mail;
  value_rule value = value_rule::optional;  ///< whether "=" and a value follow
  std::uint16_t line_octets = 0;            ///< octets by which the command line grows (RFC 5321 2.2.1)
};

}  // namespace ehlo

#endif  // EHLO_PARAMETERS_HPP
