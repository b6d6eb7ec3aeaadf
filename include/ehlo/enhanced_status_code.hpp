// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_ENHANCED_STATUS_CODE_HPP
#define EHLO_ENHANCED_STATUS_CODE_HPP

/// @file
/// Enhanced status codes, their grammar, and which of them are registered. RFC 3463, 2034 4, 5248; the IANA registry as
/// of 2019-11-27.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// The first number of an enhanced status code. RFC 3463 2, 3.1.
enum class status_class : std::uint8_t { none = 0, success = 2, transient = 4, permanent = 5 };

/// The second number of an enhanced status code: where the condition lies. RFC 3463 2, 3.2 to 3.8.
enum class status_subject : std::uint16_t {
  other = 0,
  address = 1,
  mailbox = 2,
  mail_system = 3,
  network = 4,
  protocol = 5,
  content = 6,
  policy = 7,
};

/// `class.subject.detail`, written as `{5, 1, 1}`. The default is no code at all.
struct enhanced_status_code {
  std::uint8_t class_code = 0;  ///< 2, 4 or 5; 0 says that there is none
  std::uint16_t subject = 0;    ///< at most 999
  std::uint16_t detail = 0;     ///< at most 999

  /// True if this is no code.
  constexpr bool is_none() const { return class_code == 0; }

  /// True if `write` and `parse` know such a code: class 2, 4 or 5, subject and detail of at most three digits. RFC
  /// 2034 4.
  constexpr bool is_well_formed() const {
    return (class_code == 2 || class_code == 4 || class_code == 5) && subject <= 999 && detail <= 999;
  }

  /// status-code = class "." subject "." detail
  /// class       = "2"/"4"/"5"
  /// subject     = 1*3digit
  /// detail      = 1*3digit                    RFC 3463 2, 2034 4
  ///
  /// Takes all of `text`. Errors: errc::enhanced_code, with the offset of the octet that broke the rule. Leading zeros
  /// are refused: "codes are not padded" (RFC 3463 2).
  static constexpr result<enhanced_status_code> parse(std::string_view text) {
    if (const enhanced_status_code out = parse_digits(text); out.is_well_formed()) return out;
    std::array<std::uint16_t, 3> numbers{};
    std::size_t at = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (i != 0) {
        if (at == text.size() || text[at] != '.') return error{errc::enhanced_code, at};
        ++at;
      }
      const std::size_t start = at;
      const std::size_t longest = i == 0 ? 1 : 3;
      while (at < text.size() && at - start < longest && ascii::digit.contains(text[at])) {
        if (at != start && text[start] == '0') return error{errc::enhanced_code, start};
        numbers[i] = static_cast<std::uint16_t>(numbers[i] * 10 + (text[at] - '0'));
        ++at;
      }
      if (at == start) return error{errc::enhanced_code, at};
    }
    const enhanced_status_code out{static_cast<std::uint8_t>(numbers[0]), numbers[1], numbers[2]};
    if (!out.is_well_formed()) return error{errc::enhanced_code, 0};
    if (at != text.size()) return error{errc::enhanced_code, at};
    return out;
  }

  friend constexpr bool operator==(const enhanced_status_code&, const enhanced_status_code&) = default;

 private:
  /// Three numbers of one digit, as nearly all codes are; none for other ones.
  static constexpr enhanced_status_code parse_digits(std::string_view text) {
    if (text.size() != 5 || text[1] != '.' || text[3] != '.') return {};
    const auto digit = [text](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])) - '0'; };
    if (digit(0) > 9 || digit(2) > 9 || digit(4) > 9) return {};
    return {static_cast<std::uint8_t>(digit(0)), static_cast<std::uint16_t>(digit(2)), static_cast<std::uint16_t>(digit(4))};
  }
};

static_assert(*enhanced_status_code::parse("5.1.10") == enhanced_status_code{5, 1, 10});
static_assert(enhanced_status_code::parse("5.01.1").error() == error{errc::enhanced_code, 2});

/// The class of `code`.
constexpr status_class class_of(enhanced_status_code code) { return static_cast<status_class>(code.class_code); }

/// The subject of `code`; one that is not registered is `status_subject::other`.
constexpr status_subject subject_of(enhanced_status_code code) {
  return code.subject <= 7 ? static_cast<status_subject>(code.subject) : status_subject::other;
}

/// The classes that a detail makes sense with. RFC 3463 3.2 to 3.8: "useful only as ...".
enum class class_rule : std::uint8_t {
  any,
  only_permanent,  ///< class 5
  only_transient,  ///< class 4
  retired,         ///< registered as deprecated: not to be sent
};

/// One row of the registry: a subject and a detail, in words.
struct registered_detail {
  std::uint16_t subject;
  std::uint16_t detail;
  class_rule rule;
  std::string_view text;
};

// clang-format off
/// The Enumerated Status Codes of the IANA registry, in order. The details of each subject have no gap.
inline constexpr auto enhanced_status_code_registry = [] {
  using enum class_rule;
  return std::to_array<registered_detail>({
    {0,  0, any,            "nothing known but the class"},                  // RFC 3463 3.1
    {1,  0, any,            "something about the address"},                  // RFC 3463 3.2
    {1,  1, only_permanent, "no such mailbox"},
    {1,  2, only_permanent, "no such mail system"},
    {1,  3, only_permanent, "ill-formed recipient address"},
    {1,  4, any,            "ambiguous recipient address"},
    {1,  5, any,            "valid recipient address"},
    {1,  6, only_permanent, "mailbox has moved, no forwarding address"},
    {1,  7, any,            "ill-formed sender address"},
    {1,  8, any,            "sender's system does not exist or takes no mail"},
    {1,  9, any,            "relayed to a mailer that cannot report"},       // RFC 3886
    {1, 10, any,            "recipient domain has a null MX"},               // RFC 7505
    {2,  0, any,            "something about the mailbox"},                  // RFC 3463 3.3
    {2,  1, any,            "mailbox is disabled"},
    {2,  2, any,            "mailbox is full"},
    {2,  3, any,            "message is too long for the mailbox"},
    {2,  4, any,            "mailing list cannot be expanded"},
    {3,  0, any,            "something about the mail system"},              // RFC 3463 3.4
    {3,  1, only_transient, "mail system is full"},
    {3,  2, any,            "system takes no messages"},
    {3,  3, any,            "system lacks a feature that was asked for"},
    {3,  4, only_permanent, "message is too big for the system"},
    {3,  5, any,            "system is configured wrongly"},
    {3,  6, any,            "requested priority was changed"},               // RFC 6710
    {4,  0, any,            "something about network or routing"},           // RFC 3463 3.5
    {4,  1, only_transient, "no answer from the host"},
    {4,  2, only_transient, "bad connection"},
    {4,  3, only_transient, "directory server failure"},
    {4,  4, any,            "no route"},
    {4,  5, only_transient, "mail system is congested"},
    {4,  6, only_transient, "routing loop"},
    {4,  7, any,            "delivery time expired"},
    {5,  0, any,            "something about the protocol"},                 // RFC 3463 3.6
    {5,  1, only_permanent, "invalid command"},
    {5,  2, only_permanent, "syntax error"},
    {5,  3, any,            "too many recipients"},
    {5,  4, only_permanent, "invalid arguments of a command"},
    {5,  5, any,            "wrong protocol version"},
    {5,  6, any,            "line of the authentication exchange is too long"},  // RFC 4954
    {6,  0, any,            "something about the content"},                  // RFC 3463 3.7
    {6,  1, only_permanent, "media not supported"},
    {6,  2, any,            "conversion required and prohibited"},
    {6,  3, any,            "conversion required and not supported"},
    {6,  4, any,            "conversion lost something"},
    {6,  5, any,            "conversion failed"},
    {6,  6, any,            "message content not available"},                // RFC 4468
    {6,  7, any,            "address beyond ASCII not permitted"},           // RFC 6531
    {6,  8, any,            "reply needs UTF-8, which the client does not permit"},
    {6,  9, any,            "UTF-8 header section cannot be passed on"},
    {6, 10, retired,        "duplicate of 6.8"},
    {7,  0, any,            "something about security or policy"},           // RFC 3463 3.8
    {7,  1, only_permanent, "delivery not authorized"},
    {7,  2, only_permanent, "expansion of the mailing list prohibited"},
    {7,  3, only_permanent, "security conversion not possible"},
    {7,  4, only_permanent, "security feature not supported"},
    {7,  5, any,            "cryptographic failure"},
    {7,  6, any,            "cryptographic algorithm not supported"},
    {7,  7, any,            "message integrity failure"},
    {7,  8, any,            "authentication credentials invalid"},           // RFC 4954
    {7,  9, any,            "authentication mechanism too weak"},
    {7, 10, any,            "encryption needed"},                            // RFC 5248
    {7, 11, any,            "encryption required for the mechanism"},        // RFC 4954
    {7, 12, any,            "password transition needed"},
    {7, 13, any,            "user account disabled"},                        // RFC 5248
    {7, 14, any,            "trust relationship required"},
    {7, 15, any,            "priority too low"},                             // RFC 6710
    {7, 16, any,            "message too big for its priority"},
    {7, 17, any,            "mailbox owner has changed"},                    // RFC 7293
    {7, 18, any,            "domain owner has changed"},
    {7, 19, any,            "ownership test cannot be completed"},
    {7, 20, any,            "no passing DKIM signature"},                    // RFC 7372
    {7, 21, any,            "no acceptable DKIM signature"},
    {7, 22, any,            "no DKIM signature of the author"},
    {7, 23, any,            "SPF validation failed"},
    {7, 24, any,            "SPF validation error"},
    {7, 25, any,            "reverse DNS validation failed"},
    {7, 26, any,            "several authentication checks failed"},
    {7, 27, any,            "sender domain has a null MX"},                  // RFC 7505
    {7, 28, any,            "mail flood"},
    {7, 29, any,            "ARC validation failed"},                        // RFC 8617
    {7, 30, any,            "REQUIRETLS support required"},                  // RFC 8689
  });
}();
// clang-format on

namespace detail {

/// Where each subject begins in the registry; the last is its size.
inline constexpr std::array<std::size_t, 9> first_of_subject{0, 1, 12, 17, 24, 32, 39, 50, 81};

static_assert([] {
  if (enhanced_status_code_registry.size() != first_of_subject.back()) return false;
  for (std::size_t i = 0; i < enhanced_status_code_registry.size(); ++i) {
    const registered_detail& row = enhanced_status_code_registry[i];
    if (first_of_subject[row.subject] + row.detail != i) return false;
  }
  return true;
}());

inline constexpr std::size_t not_registered = enhanced_status_code_registry.size();

/// The index in the registry, or `not_registered`. (An index: GCC 12 cannot compare a pointer with null in constant
/// evaluation under -fsanitize=undefined.)
constexpr std::size_t index_in_registry(std::size_t subject, std::size_t detail) {
  if (subject + 1 >= first_of_subject.size()) return not_registered;
  const std::size_t index = first_of_subject[subject] + detail;
  return index < first_of_subject[subject + 1] ? index : not_registered;
}

}  // namespace detail

/// True if the class of `code` is one that its detail is useful with: no `4.1.1`, no `5.3.1`. RFC 3463 3.2 to 3.8.
///
/// A detail that is not registered fits any class.
constexpr bool fits_class(enhanced_status_code code) {
  const std::size_t index = detail::index_in_registry(code.subject, code.detail);
  if (index == detail::not_registered) return true;
  switch (enhanced_status_code_registry[index].rule) {
    case class_rule::any: return true;
    case class_rule::only_permanent: return code.class_code == 5;
    case class_rule::only_transient: return code.class_code == 4;
    case class_rule::retired: break;
  }
  return false;
}

/// True if the registry lists subject and detail of `code`, not as deprecated, and its class is 2, 4 or 5. RFC 5248.
constexpr bool is_registered(enhanced_status_code code) {
  const std::size_t index = detail::index_in_registry(code.subject, code.detail);
  return code.is_well_formed() && index != detail::not_registered &&
         enhanced_status_code_registry[index].rule != class_rule::retired;
}

/// The registered code that stands for `code`: itself; for an unknown detail the subject's general one; for an unknown
/// subject the class alone. RFC 3463 2.
constexpr enhanced_status_code generalized(enhanced_status_code code) {
  if (detail::index_in_registry(code.subject, code.detail) != detail::not_registered) return code;
  if (detail::index_in_registry(code.subject, 0) != detail::not_registered) return {code.class_code, code.subject, 0};
  return {code.class_code, 0, 0};
}

/// Subject and detail of `generalized(code)` in words, for people: "mailbox is full".
constexpr std::string_view describe(enhanced_status_code code) {
  const enhanced_status_code known = generalized(code);
  return enhanced_status_code_registry[detail::index_in_registry(known.subject, known.detail)].text;
}

static_assert(is_registered({5, 7, 30}) && !is_registered({5, 7, 31}) && !is_registered({5, 6, 10}));
static_assert(fits_class({5, 1, 1}) && !fits_class({4, 1, 1}) && !fits_class({5, 3, 1}));
static_assert(generalized({5, 1, 99}) == enhanced_status_code{5, 1, 0});
static_assert(generalized({4, 99, 99}) == enhanced_status_code{4, 0, 0});

}  // namespace ehlo

#endif  // EHLO_ENHANCED_STATUS_CODE_HPP
