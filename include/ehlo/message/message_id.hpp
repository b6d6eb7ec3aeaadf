// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_MESSAGE_MESSAGE_ID_HPP
#define EHLO_MESSAGE_MESSAGE_ID_HPP

/// @file
/// Message identifiers, without the obsolete forms. RFC 5322 3.6.4.

#include <cstddef>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/local_part.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// `<left@right>`. A view.
class message_id {
 public:
  /// msg-id = "<" id-left "@" id-right ">"; id-left = dot-atom-text; id-right = dot-atom-text / no-fold-literal      RFC 5322 3.6.4
  ///
  /// White space and comments around it are not part of it. Fails with `errc::message_id_not_opened`, `message_id_octet`,
  /// `at_sign_missing`, `message_id_not_closed` or `trailing_octets`.
  static constexpr result<message_id> parse(std::string_view text, charset set = charset::ascii) {
    cursor in{text};
    if (!in.take('<')) return error{errc::message_id_not_opened};
    if (const auto left = grammar::dot_string(in, set); !left) return error{errc::message_id_octet, left.error().offset};
    const std::size_t at = in.offset();
    if (!in.take('@')) return error{errc::at_sign_missing, at};
    if (in.take('[')) {
      constexpr auto dtext = ascii::visible - ascii::octet_class{"[\\]"};  // dtext = %d33-90 / %d94-126
      in.take_while(dtext);
      if (!in.take(']')) return error{errc::message_id_octet, in.offset()};
    } else if (const auto right = grammar::dot_string(in, set); !right) {
      return error{errc::message_id_octet, right.error().offset};
    }
    if (!in.take('>')) return error{errc::message_id_not_closed, in.offset()};
    if (!in.at_end()) return error{errc::trailing_octets, in.offset()};
    return message_id{text, at};
  }

  /// The spelling, with < and >.
  constexpr std::string_view text() const { return text_; }
  /// What stands before the @.
  constexpr std::string_view left() const { return text_.substr(1, at_ - 1); }
  /// What stands behind the @, with the brackets of a literal.
  constexpr std::string_view right() const { return text_.substr(at_ + 1, text_.size() - at_ - 2); }

  /// Identifiers are compared octet by octet.
  friend constexpr bool operator==(const message_id& a, const message_id& b) { return a.text_ == b.text_; }

 private:
  constexpr message_id(std::string_view text, std::size_t at) : text_{text}, at_{at} {}

  std::string_view text_;
  std::size_t at_;  ///< offset of the @
};

static_assert(message_id::parse("<a.b@[c:d]>")->right() == "[c:d]" && message_id::parse("<a@b>")->left() == "a");
static_assert(message_id::parse("<a@b").error() == error{errc::message_id_not_closed, 4});

}  // namespace ehlo

#endif  // EHLO_MESSAGE_MESSAGE_ID_HPP
