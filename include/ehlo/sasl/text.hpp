// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SASL_TEXT_HPP
#define EHLO_SASL_TEXT_HPP

/// @file
/// What the messages of the SASL mechanisms share: checks of names and secrets, and a writer into bounded room. RFC 4616 2; RFC
/// 4422.

#include <cstddef>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/result.hpp>

namespace ehlo::sasl {

/// A name or password has at most so many octets. RFC 4616 2.
inline constexpr std::size_t max_field = 255;

/// An identity: UTF-8 without controls, at most `max_field` octets. It may be empty only if `may_be_empty`.
///
/// Fails with `errc::sasl_message`, `sasl_too_long` or `utf8_ill_formed`.
constexpr result<std::string_view> identity(std::string_view text, bool may_be_empty = false) {
  if (text.empty() && !may_be_empty) return error{errc::sasl_message};
  if (text.size() > max_field) return error{errc::sasl_too_long, max_field};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (ascii::control.contains(text[i])) return error{errc::sasl_message, i};
  }
  if (!is_utf8(text)) return error{errc::utf8_ill_formed};
  return text;
}

/// A password: UTF-8 without NUL, 1 to `max_field` octets.
///
/// Fails with `errc::sasl_message`, `sasl_too_long` or `utf8_ill_formed`.
constexpr result<std::string_view> password(std::string_view text) {
  if (text.empty()) return error{errc::sasl_message};
  if (text.size() > max_field) return error{errc::sasl_too_long, max_field};
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) return error{errc::sasl_message, nul};
  if (!is_utf8(text)) return error{errc::utf8_ill_formed};
  return text;
}

/// A token of OAuth: one or more visible octets of ASCII. RFC 6750 2.1 has fewer; the authorization server knows which.
constexpr result<std::string_view> token(std::string_view text) {
  if (text.empty()) return error{errc::sasl_message};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!ascii::visible.contains(text[i])) return error{errc::sasl_message, i};
  }
  return text;
}

namespace detail {

/// Puts octets into a span, and counts those that do not fit.
class writer {
 public:
  constexpr explicit writer(std::span<char> out) : out_{out} {}
  constexpr void put(char c) {
    if (size_ < out_.size()) out_[size_] = c;
    ++size_;
  }
  constexpr void put(std::string_view text) {
    for (const char c : text) put(c);
  }
  /// The size, or `errc::sasl_too_long` if the room was too small.
  constexpr result<std::size_t> finish() const {
    if (size_ > out_.size()) return error{errc::sasl_too_long, out_.size()};
    return size_;
  }

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
};

}  // namespace detail
}  // namespace ehlo::sasl

#endif  // EHLO_SASL_TEXT_HPP
