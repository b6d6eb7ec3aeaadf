// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_MESSAGE_HEADER_WRITER_HPP
#define EHLO_MESSAGE_HEADER_WRITER_HPP

/// @file
/// A writer of the header section of a new message. RFC 5322 2.1.1, 2.2, 3.4, 3.6; RFC 6532 3.

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/local_part.hpp>
#include <ehlo/grammar/path.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/message/date_time.hpp>
#include <ehlo/message/field_writer.hpp>
#include <ehlo/message/header_section.hpp>
#include <ehlo/message/message_id.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// A mailbox and the name that is shown with it. Views; they are read by `write` and `room_for` only.
struct person {
  ehlo::mailbox mailbox;
  /// Empty for none. Written as atoms, or as a quoted-string if it holds anything else. An encoded-word (RFC 2047) is an atom, and
  /// so it goes through unquoted if the other words are atoms too.
  std::string_view display_name = {};
};

/// A field that the writer knows nothing about: `In-Reply-To`, `MIME-Version`, `Content-Type`...
struct extra_field {
  std::string_view name;   ///< 1 to 128 octets, without the colon
  std::string_view value;  ///< one line; the writer folds it
};

/// What a header section says. Views; they are read by `write` and `room_for` only. There is no Bcc: it is nobody's to read.
struct header_section {
  std::span<const person> from;           ///< the authors: one or more
  std::optional<person> sender = {};      ///< needed if there are several authors. RFC 5322 3.6.2
  std::span<const person> reply_to = {};  ///< empty for no field, as `to` and `cc`
  std::span<const person> to = {};
  std::span<const person> cc = {};
  std::string_view subject = {};                    ///< one line; empty for no field. The writer folds it
  date_time date;                                   ///< when the author sent it off. RFC 5322 3.6.1
  std::optional<ehlo::message_id> message_id = {};  ///< should be there. RFC 5322 3.6.4
  std::span<const extra_field> extra = {};          ///< written last, in this order
};

namespace detail {

/// Checks what is shown to people: printable ASCII, and UTF-8 beyond it without the C1 controls. RFC 5322 3.2.5; RFC 6532 3.2.
constexpr result<void> check_header_text(std::string_view text, charset set) {
  for (cursor in{text}; !in.at_end();) {
    const std::size_t start = in.offset();
    if (ascii::is_ascii(in.peek())) {
      if (ascii::control.contains(in.peek())) return error{errc::header_text_octet, start};
      in.advance(1);
    } else if (const auto character = grammar::detail::local_character(in, set); !character) {
      return character.error();
    }
  }
  return {};
}

constexpr result<void> check_persons(std::span<const person> persons, charset set) {
  for (const person& p : persons) {
    if (const auto name = check_header_text(p.display_name, set); !name) return name;
    if (const auto mailbox = check_header_text(p.mailbox.text(), set); !mailbox) return mailbox;
  }
  return {};
}

/// The fields that `write` makes itself, and those that only a transport system may make, or that must not be seen.
constexpr bool is_reserved_field(std::string_view name) {
  constexpr std::array<std::string_view, 12> names{"From",    "Sender", "Reply-To",   "To",       "Cc",          "Bcc",
                                                   "Subject", "Date",   "Message-ID", "Received", "Return-Path", "Resent-Bcc"};
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view other) { return ascii::equal_ignoring_case(name, other); });
}

/// The name and value of each field; `In-Reply-To` and `References` at most once. RFC 5322 3.6, 3.6.8.
constexpr result<void> check_extra_fields(std::span<const extra_field> fields, charset set) {
  constexpr std::array<std::string_view, 2> once{"In-Reply-To", "References"};
  std::array<bool, once.size()> seen{};
  for (const extra_field& field : fields) {
    cursor in{field.name};
    in.take_while(ascii::visible - ascii::octet_class{":"});  // ftext = %d33-57 / %d59-126, RFC 5322 3.6.8
    if (!in.at_end() || field.name.empty()) return error{errc::field_name, in.offset()};
    if (field.name.size() > header_section_reader::max_name) return error{errc::field_name, header_section_reader::max_name};
    if (is_reserved_field(field.name)) return error{errc::field_reserved};
    for (std::size_t i = 0; i < once.size(); ++i) {
      if (!ascii::equal_ignoring_case(field.name, once[i])) continue;
      if (seen[i]) return error{errc::field_repeated};
      seen[i] = true;
    }
    if (const auto value = check_header_text(field.value, set); !value) return value;
  }
  return {};
}

/// True if `name` is atoms with one space between each: phrase = 1*word; word = atom / quoted-string      RFC 5322 3.2.5
constexpr bool is_atoms(std::string_view name) {
  cursor in{name};
  do {
    if (!grammar::atom(in, charset::utf8)) return false;
  } while (in.take(' '));
  return in.at_end();
}

/// mailbox = name-addr / addr-spec; name-addr = [display-name] angle-addr      RFC 5322 3.4
///
/// `tail` octets will follow without white space.
constexpr void write_person(field_writer& out, const person& p, std::size_t tail) {
  const std::string_view address = p.mailbox.text();
  if (p.display_name.empty()) {
    out.space(address.size() + tail);
    out.put(address);
    return;
  }
  if (is_atoms(p.display_name)) {
    out.text(p.display_name, 1);
  } else {
    // The first word goes with its quotation mark, so the space before that is put here.
    const std::string_view first = p.display_name.substr(0, p.display_name.find(' '));
    const auto escapes =
        static_cast<std::size_t>(std::count_if(first.begin(), first.end(), [](char c) { return c == '"' || c == '\\'; }));
    out.space(first.size() + escapes + (first.size() == p.display_name.size() ? 2U : 1U));
    out.put('"');
    out.text(p.display_name, 0, field_writer::quoting::quoted);
  }
  out.space(address.size() + 2 + tail);
  out.put('<');
  out.put(address);
  out.put('>');
}

/// mailbox-list = (mailbox *("," mailbox))      RFC 5322 3.4
constexpr void write_persons(field_writer& out, std::string_view name, std::span<const person> persons) {
  if (persons.empty()) return;
  out.put(name);
  for (std::size_t i = 0; i < persons.size(); ++i) {
    const bool is_last = i + 1 == persons.size();
    write_person(out, persons[i], is_last ? 0 : 1);
    if (!is_last) out.put(',');
  }
  out.end_line();
}

constexpr result<std::size_t> write(const header_section& section, field_writer out, charset set) {
  if (section.from.empty()) return error{errc::author_missing};
  if (section.from.size() > 1 && !section.sender) return error{errc::sender_missing};
  const std::span<const person> sender = section.sender ? std::span<const person>{&*section.sender, 1} : std::span<const person>{};
  for (const auto& persons : {section.from, sender, section.reply_to, section.to, section.cc}) {
    if (const auto checked = check_persons(persons, set); !checked) return checked.error();
  }
  if (const auto subject = check_header_text(section.subject, set); !subject) return subject.error();
  if (section.message_id) {
    if (const auto id = check_header_text(section.message_id->text(), set); !id) return id.error();
  }
  if (const auto extra = check_extra_fields(section.extra, set); !extra) return extra.error();

  write_persons(out, "From:", section.from);
  write_persons(out, "Sender:", sender);
  write_persons(out, "Reply-To:", section.reply_to);
  write_persons(out, "To:", section.to);
  write_persons(out, "Cc:", section.cc);
  if (!section.subject.empty()) {
    out.put("Subject:");
    out.text(section.subject, 1);
    out.end_line();
  }
  std::array<char, date_time::max_size> date{};
  const char* const end = section.date.write(date.data());
  out.put("Date:");
  out.word({date.data(), static_cast<std::size_t>(end - date.data())});
  out.end_line();
  if (section.message_id) {
    out.put("Message-ID:");
    out.word(section.message_id->text());
    out.end_line();
  }
  for (const extra_field& field : section.extra) {
    out.put(field.name);
    out.put(':');
    if (!field.value.empty()) out.text(field.value, 1);
    out.end_line();
  }
  out.end_line();
  return out.size();
}

}  // namespace detail

/// Writes the header section of a new message with the empty line behind it, and returns its size.
///
/// Lines are folded before the 79th octet where there is a space, and nowhere else; unfolding gives the subject and the values of
/// the extra fields again, octet for octet, behind one space. No string can add a field or a line: controls, tabs and CRLF too, are
/// refused. Text beyond ASCII needs `charset::utf8`, which needs SMTPUTF8 (RFC 6532 3.2); for RFC 2047, bring encoded-words.
///
/// Fails with `errc::header_text_octet` at a control; `utf8_not_allowed`, `utf8_ill_formed`, `utf8_forbidden` at a character beyond
/// ASCII (offsets are those in the string that is wrong); of an extra field `field_name` if its name is none, `field_reserved` if
/// it is written here (From, Date...) or is Bcc, Resent-Bcc, Received or Return-Path, and `field_repeated` for a second In-Reply-To
/// or References; `author_missing` if `from` is empty, `sender_missing` if it has several and there is no `sender` (RFC
/// 5322 3.6.2); `header_line_too_long` if a line would have over 998 octets or `out` is too small (the offset is that in `out`).
/// `out` holds nothing of use after an error.
constexpr result<std::size_t> write(const header_section& section, std::span<char> out, charset set = charset::ascii) {
  return detail::write(section, detail::field_writer{out}, set);
}

/// How many octets `write` needs, with its empty line. Fails as `write` does, but for room.
constexpr result<std::size_t> room_for(const header_section& section, charset set = charset::ascii) {
  return detail::write(section, detail::field_writer{}, set);
}

static_assert(detail::is_atoms("Joe Q") && !detail::is_atoms("Joe Q.") && !detail::is_atoms("Joe  Q") && !detail::is_atoms("Joe "));
static_assert(detail::is_reserved_field("bcc") && !detail::is_reserved_field("MIME-Version"));

}  // namespace ehlo

#endif  // EHLO_MESSAGE_HEADER_WRITER_HPP
