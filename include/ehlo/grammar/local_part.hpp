// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_LOCAL_PART_HPP
#define EHLO_GRAMMAR_LOCAL_PART_HPP

/// @file
/// Local-parts, atoms and quoted strings. RFC 5321 4.1.2; RFC 6531 3.3.

#include <cstddef>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/result.hpp>

namespace ehlo {
namespace grammar {

/// atext                                     RFC 5322 3.2.3
inline constexpr auto atext = ascii::let_dig | ascii::octet_class{"!#$%&'*+-/=?^_`{|}~"};
/// qtextSMTP = %d32-33 / %d35-91 / %d93-126  RFC 5321 4.1.2
inline constexpr auto qtext_smtp = ascii::printable - ascii::octet_class{"\"\\"};

namespace detail {

/// Takes one character beyond ASCII of a local-part.
constexpr result<char32_t> local_character(cursor& in, charset set) {
  const std::size_t start = in.offset();
  if (set == charset::ascii) return error{errc::utf8_not_allowed, start};
  const auto character = utf8_non_ascii(in);
  if (character && is_c1_control(*character)) return error{errc::utf8_forbidden, start};
  return character;
}

}  // namespace detail

/// Atom = 1*atext                            RFC 5321 4.1.2
/// atext =/ UTF8-non-ascii                   RFC 6531 3.3
constexpr result<std::string_view> atom(cursor& in, charset set = charset::ascii) {
  const std::size_t start = in.offset();
  for (;;) {
    in.take_while<atext>();
    if (in.at_end() || ascii::is_ascii(in.peek())) break;
    if (const auto character = detail::local_character(in, set); !character) return character.error();
  }
  if (in.offset() == start) return error{errc::empty_atom, start};
  return in.since(start);
}

/// Dot-string = Atom *("." Atom)             RFC 5321 4.1.2
constexpr result<std::string_view> dot_string(cursor& in, charset set = charset::ascii) {
  const std::size_t start = in.offset();
  do {
    if (const auto part = atom(in, set); !part) return part.error();
  } while (in.take('.'));
  return in.since(start);
}

/// Quoted-string = DQUOTE *QcontentSMTP DQUOTE
/// QcontentSMTP = qtextSMTP / quoted-pairSMTP
/// quoted-pairSMTP = %d92 %d32-126           RFC 5321 4.1.2
/// qtextSMTP =/ UTF8-non-ascii               RFC 6531 3.3
///
/// It may be empty, and holds no control octet, not even behind a backslash.
constexpr result<std::string_view> quoted_string(cursor& in, charset set = charset::ascii) {
  const std::size_t start = in.offset();
  if (!in.take('"')) return error{errc::quote_not_opened, start};
  for (;;) {
    in.take_while<qtext_smtp>();
    if (in.at_end()) return error{errc::quote_not_closed, in.offset()};
    if (in.take('"')) return in.since(start);
    if (in.take('\\')) {
      if (!in.next_in(ascii::printable)) return error{in.at_end() ? errc::quote_not_closed : errc::quoted_pair_octet, in.offset()};
      in.advance(1);
    } else if (ascii::is_ascii(in.peek())) {
      return error{errc::quoted_octet, in.offset()};
    } else if (const auto character = detail::local_character(in, set); !character) {
      return character.error();
    }
  }
}

/// Local-part = Dot-string / Quoted-string   RFC 5321 4.1.2
constexpr result<std::string_view> local_part(cursor& in, charset set = charset::ascii) {
  if (!in.at_end() && in.peek() == '"') return quoted_string(in, set);
  return dot_string(in, set);
}

/// String = Atom / Quoted-string             RFC 5321 4.1.2
constexpr result<std::string_view> string(cursor& in, charset set = charset::ascii) {
  if (!in.at_end() && in.peek() == '"') return quoted_string(in, set);
  const auto out = atom(in, set);
  if (!out && out.error().code == errc::empty_atom) return error{errc::empty_string, out.error().offset};
  return out;
}

}  // namespace grammar

/// The octets that a quoted or plain spelling stands for, one at a time: without the quotation marks and backslashes.
class unquoted {
 public:
  /// `text` is a Quoted-string, a Dot-string or an Atom.
  constexpr explicit unquoted(std::string_view text)
      : text_{text.starts_with('"') ? text.substr(1, text.size() - 2) : text}, is_quoted_{text.starts_with('"')} {}

  constexpr bool at_end() const { return text_.empty(); }
  /// Takes the next octet. There is one.
  constexpr char next() {
    if (is_quoted_ && text_.front() == '\\') text_.remove_prefix(1);
    const char out = text_.front();
    text_.remove_prefix(1);
    return out;
  }

 private:
  std::string_view text_;
  bool is_quoted_;
};

/// What stands before the @ of a mailbox; only its host knows what it means (RFC 5321 2.3.11). At most 64 octets. A view.
///
/// A valid local-part may begin with "-", and hold "/", "..", "|", "$", "`" and quotation marks: see `is_plain` before it becomes a
/// file name or an argument of a program.
class local_part {
 public:
  /// Fails with the errors of the grammar, `errc::trailing_octets`, or `errc::local_part_too_long`.
  static constexpr result<local_part> parse(std::string_view text, charset set = charset::ascii) {
    const auto matched = grammar::match([](cursor& in, charset s) { return grammar::local_part(in, s); }, text, set);
    if (!matched) return matched.error();
    if (text.size() > sizes::local_part) return error{errc::local_part_too_long, sizes::local_part};
    return local_part{text};
  }

  /// The spelling it was made from, with quotation marks if it had them.
  constexpr std::string_view text() const { return text_; }
  constexpr bool is_quoted() const { return text_.front() == '"'; }

  /// How many octets the value has.
  constexpr std::size_t value_size() const {
    std::size_t out = 0;
    for (unquoted in{text_}; !in.at_end(); in.next()) ++out;
    return out;
  }
  /// Writes the value, `value_size` octets without quotation marks and backslashes, and returns one past the last.
  constexpr char* write_value(char* out) const {
    for (unquoted in{text_}; !in.at_end();) *out++ = in.next();
    return out;
  }
  /// True if the value is `wanted`, letters compared without regard to case: for names like postmaster (RFC 5321 4.5.1).
  constexpr bool is_ignoring_case(std::string_view wanted) const {
    unquoted in{text_};
    for (const char c : wanted) {
      if (in.at_end() || ascii::to_lower(in.next()) != ascii::to_lower(c)) return false;
    }
    return in.at_end();
  }
  /// True if the spelling is letters, digits, ".", "_", "-" and "+", and does not begin with "-" or ".": safe as a file name.
  constexpr bool is_plain() const {
    cursor in{text_};
    if (in.at_end() || in.peek() == '-' || in.peek() == '.') return false;
    return in.take_while(ascii::let_dig | ascii::octet_class{"._-+"}) == text_;
  }

  /// Local-parts are equal if their values are, whatever the quoting; case counts. RFC 5321 2.4, 4.1.2.
  friend constexpr bool operator==(const local_part& a, const local_part& b) {
    unquoted left{a.text_};
    unquoted right{b.text_};
    while (!left.at_end() && !right.at_end()) {
      if (left.next() != right.next()) return false;
    }
    return left.at_end() && right.at_end();
  }

 private:
  constexpr explicit local_part(std::string_view text) : text_{text} {}

  std::string_view text_;
};

/// Writes the spelling of a local-part with the least quoting (RFC 5321 4.1.2): at most `2 * value.size() + 2` octets to `out`.
/// Gives their number.
///
/// Fails with `errc::quoted_octet` at an octet that no local-part can hold, `utf8_ill_formed`, or `utf8_forbidden`.
constexpr result<std::size_t> write_local_part(std::string_view value, char* out) {
  if (const auto plain = grammar::match([](cursor& in) { return grammar::dot_string(in, charset::utf8); }, value)) {
    for (const char c : value) *out++ = c;
    return value.size();
  }
  std::size_t size = 0;
  const auto put = [&out, &size](char c) {
    *out++ = c;
    ++size;
  };
  put('"');
  for (cursor in{value}; !in.at_end();) {
    const std::size_t start = in.offset();
    if (!ascii::is_ascii(in.peek())) {
      if (const auto character = grammar::detail::local_character(in, charset::utf8); !character) return character.error();
      for (const char c : in.since(start)) put(c);
      continue;
    }
    if (!ascii::printable.contains(in.peek())) return error{errc::quoted_octet, start};
    if (!grammar::qtext_smtp.contains(in.peek())) put('\\');
    put(in.peek());
    in.advance(1);
  }
  put('"');
  return size;
}

static_assert(*local_part::parse("\"a\\bc\"") == *local_part::parse("abc"));
static_assert(!(*local_part::parse("Abc") == *local_part::parse("abc")));
static_assert(local_part::parse("a..b").error() == error{errc::empty_atom, 2});
static_assert(local_part::parse("\"Joe\\,Smith\"")->value_size() == 9 && local_part::parse("\"\"")->value_size() == 0);
static_assert(local_part::parse("ab+c")->is_plain() && !local_part::parse("-f")->is_plain() &&
              !local_part::parse("a/b")->is_plain());

}  // namespace ehlo

#endif  // EHLO_GRAMMAR_LOCAL_PART_HPP
