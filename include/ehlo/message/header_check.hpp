// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_MESSAGE_HEADER_CHECK_HPP
#define EHLO_MESSAGE_HEADER_CHECK_HPP

/// @file
/// What is wrong with a message's header section, fed the slices of mail data as they come. RFC 5322 2.1.1, 2.2, 2.3, 3.6; RFC 5321
/// 6.3; RFC 6532.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/message/date_time.hpp>
#include <ehlo/message/header_section.hpp>
#include <ehlo/message/message_id.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// One thing that may be said of a header section.
enum class header_finding : std::uint8_t {
  // In the order of `header_checker`'s table of fields
  repeated_from,
  repeated_date,
  repeated_sender,
  repeated_reply_to,
  repeated_to,
  repeated_cc,
  repeated_bcc,
  repeated_message_id,
  repeated_in_reply_to,
  repeated_references,
  repeated_subject,
  missing_from,
  missing_date,
  missing_sender,
  ill_formed_from,
  ill_formed_date,
  ill_formed_message_id,
  malformed_line,
  line_too_long,
  bare_cr,
  bare_lf,
  needs_smtputf8,
  bcc_present,
  too_many_received,
  section_not_ended,
};

/// A finding in words, and the clause that says so.
struct header_rule {
  header_finding finding;
  std::string_view text;
  std::string_view clause;
};

// clang-format off
inline constexpr std::array<header_rule, 25> header_rules{{
    {header_finding::repeated_from,         "From is given more than once",                             "RFC 5322 3.6"},
    {header_finding::repeated_date,         "Date is given more than once",                             "RFC 5322 3.6"},
    {header_finding::repeated_sender,       "Sender is given more than once",                           "RFC 5322 3.6"},
    {header_finding::repeated_reply_to,     "Reply-To is given more than once",                         "RFC 5322 3.6"},
    {header_finding::repeated_to,           "To is given more than once",                               "RFC 5322 3.6"},
    {header_finding::repeated_cc,           "Cc is given more than once",                               "RFC 5322 3.6"},
    {header_finding::repeated_bcc,          "Bcc is given more than once",                              "RFC 5322 3.6"},
    {header_finding::repeated_message_id,   "Message-ID is given more than once",                       "RFC 5322 3.6"},
    {header_finding::repeated_in_reply_to,  "In-Reply-To is given more than once",                      "RFC 5322 3.6"},
    {header_finding::repeated_references,   "References is given more than once",                       "RFC 5322 3.6"},
    {header_finding::repeated_subject,      "Subject is given more than once",                          "RFC 5322 3.6"},
    {header_finding::missing_from,          "there is no From",                                         "RFC 5322 3.6"},
    {header_finding::missing_date,          "there is no Date",                                         "RFC 5322 3.6"},
    {header_finding::missing_sender,        "From has several mailboxes, and there is no Sender",       "RFC 5322 3.6.2"},
    {header_finding::ill_formed_from,       "no mailbox can be read in From",                           "RFC 5322 3.6.2"},
    {header_finding::ill_formed_date,       "Date is no date-time",                                     "RFC 5322 3.3"},
    {header_finding::ill_formed_message_id, "Message-ID is no message identifier",                      "RFC 5322 3.6.4"},
    {header_finding::malformed_line,        "a line is neither a field nor the rest of one",            "RFC 5322 2.2"},
    {header_finding::line_too_long,         "a line has over 998 octets",                               "RFC 5322 2.1.1"},
    {header_finding::bare_cr,               "a CR without LF",                                          "RFC 5322 2.3"},
    {header_finding::bare_lf,               "an LF without CR",                                         "RFC 5322 2.3"},
    {header_finding::needs_smtputf8,        "an octet above 127 needs SMTPUTF8",                        "RFC 6532 3.2"},
    {header_finding::bcc_present,           "Bcc shows who should not be seen",                         "RFC 5322 3.6.3"},
    {header_finding::too_many_received,     "over 100 Received fields: a loop",                         "RFC 5321 6.3"},
    {header_finding::section_not_ended,     "the input ends before the empty line",                     "RFC 5322 2.1"},
}};
// clang-format on

constexpr const header_rule& describe(header_finding finding) { return header_rules[static_cast<std::size_t>(finding)]; }

static_assert([] {
  for (std::size_t i = 0; i < header_rules.size(); ++i) {
    if (header_rules[i].finding != static_cast<header_finding>(i)) return false;
  }
  return true;
}());

/// A set of findings, each with where it was first made.
class header_findings {
 public:
  constexpr bool has(header_finding finding) const { return (bits_ >> static_cast<unsigned>(finding) & 1U) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  /// Where it was first made, counted from 0 at the start of the section: a field's or a line's first octet; the octet itself of
  /// `line_too_long` (the 999th of its line), `bare_cr`, `bare_lf` and `needs_smtputf8`; the section's end for what is missing (for
  /// `missing_sender`, the From). None if it was not made.
  constexpr std::optional<std::size_t> offset(header_finding finding) const {
    if (!has(finding)) return std::nullopt;
    return offsets_[static_cast<std::size_t>(finding)];
  }

  friend constexpr bool operator==(const header_findings&, const header_findings&) = default;

 private:
  friend class header_checker;

  constexpr void add(header_finding finding, std::size_t offset) {
    if (has(finding)) return;
    bits_ |= std::uint32_t{1} << static_cast<unsigned>(finding);
    offsets_[static_cast<std::size_t>(finding)] = offset;
  }

  std::uint32_t bits_ = 0;
  std::array<std::size_t, header_rules.size()> offsets_{};
};

namespace detail {

/// Counts the mailboxes of a mailbox-list or address-list, octet by octet, with a few bits of memory. RFC 5322 3.4.
///
/// It knows quoted strings, comments, domain literals, angle brackets and groups. Of a mailbox it asks only that something stands
/// on either side of an @: it is a counter, not a parser, and takes much that is no address.
class mailbox_counter {
 public:
  constexpr void feed(char c) {
    if (is_escaped_) {
      is_escaped_ = false;
      return;
    }
    if (c == '\\' && (comments_ > 0 || is_quoted_ || is_literal_)) {
      is_escaped_ = true;
      return;
    }
    if (comments_ > 0) {
      if (c == '(') ++comments_;
      if (c == ')') --comments_;
      return;
    }
    if (is_quoted_) {
      is_quoted_ = c != '"';
      return;
    }
    if (is_literal_) {
      is_literal_ = c != ']';
      return;
    }
    switch (c) {
      case '(': ++comments_; return;
      case ' ':
      case '\t': return;
      case '<':
        is_angle_ = true;
        piece_ = piece::empty;
        return;
      case '>': is_angle_ = false; return;
      case '@': piece_ = piece_ == piece::local ? piece::at : piece_; return;
      case ',':
      case ';':
        if (!is_angle_) end_mailbox();  // in angle brackets it stands in a source route
        return;
      case ':':
        if (!is_angle_) piece_ = piece::empty;  // what stood before it is the name of a group
        return;
      case '"': is_quoted_ = true; break;
      case '[': is_literal_ = true; break;
      default: break;
    }
    if (piece_ == piece::empty) piece_ = piece::local;
    if (piece_ == piece::at) piece_ = piece::mailbox;
  }
  /// How many there were; 0 if something was opened and not closed.
  constexpr std::size_t finish() {
    end_mailbox();
    return comments_ > 0 || is_quoted_ || is_literal_ || is_angle_ || is_escaped_ ? 0 : count_;
  }

 private:
  enum class piece : std::uint8_t { empty, local, at, mailbox };

  constexpr void end_mailbox() {
    if (piece_ == piece::mailbox) ++count_;
    piece_ = piece::empty;
  }

  std::size_t count_ = 0;
  std::size_t comments_ = 0;  ///< how deep
  piece piece_ = piece::empty;
  bool is_escaped_ = false;
  bool is_quoted_ = false;
  bool is_literal_ = false;
  bool is_angle_ = false;
};

}  // namespace detail

/// Checks a header section that comes in slices; how it is cut changes nothing. It holds one value of at most `max_value` octets
/// and allocates nothing.
///
/// It says what is wrong with the frame of the section, not with everything in it: dates and message identifiers are held to the
/// grammar without its obsolete forms (so `GMT` for a zone is ill-formed), those of From are counted, and other values are not
/// read.
class header_checker {
 public:
  /// A Date or Message-ID with more octets than this, unfolded, is ill-formed.
  static constexpr std::size_t max_value = 1024;
  /// Octets that a line may have before its CRLF. RFC 5322 2.1.1.
  static constexpr std::size_t longest_line = 998;

  /// Takes `octets`; what is behind the empty line is left alone.
  constexpr void feed(std::string_view octets) {
    if (is_done_) return;
    drain(octets);
    if (reader_.is_done()) finish();
  }
  /// There are no more octets.
  constexpr void end_of_input() {
    if (is_done_) return;
    if (is_cr_held_) add(header_finding::bare_cr, size_ - 1);
    is_cr_held_ = false;
    add(header_finding::section_not_ended, size_);
    reader_.end_of_input();
    drain({});
    finish();
  }

  /// True once the empty line was read or the input ended: the findings are complete.
  constexpr bool is_done() const { return is_done_; }
  /// How many octets the section has so far, with its empty line.
  constexpr std::size_t size() const { return size_; }
  /// What was found so far.
  constexpr const header_findings& findings() const { return findings_; }

 private:
  using reader = header_section_reader;

  /// The fields that are given at most once. RFC 5322 3.6.
  enum class field : std::uint8_t {
    from,
    date,
    sender,
    reply_to,
    to,
    cc,
    bcc,
    message_id,
    in_reply_to,
    references,
    subject,
    other
  };
  static constexpr std::array<std::string_view, 11> field_names{"From", "Date",       "Sender",      "Reply-To",   "To",     "Cc",
                                                                "Bcc",  "Message-ID", "In-Reply-To", "References", "Subject"};

  constexpr void add(header_finding finding, std::size_t offset) { findings_.add(finding, offset); }
  constexpr bool has_seen(field f) const { return (seen_ >> static_cast<unsigned>(f) & 1U) != 0; }

  constexpr void drain(std::string_view input) {
    for (;;) {
      const std::string_view before = input;
      const reader::event event = reader_.next(input);
      for (const char c : before.substr(0, before.size() - input.size())) look_at(c);
      if (const auto* start = std::get_if<reader::field_start>(&event)) {
        begin(start->name);
      } else if (const auto* value = std::get_if<reader::field_value>(&event)) {
        take(value->octets);
      } else if (std::holds_alternative<reader::field_end>(event)) {
        end();
      } else if (std::holds_alternative<reader::malformed_line>(event)) {
        add(header_finding::malformed_line, line_at_);
      } else {
        return;
      }
    }
  }

  /// Lines, line ends and octets, whatever they mean.
  constexpr void look_at(char c) {
    const std::size_t at = size_++;
    if (is_cr_held_ && c == '\n') {
      is_cr_held_ = false;
      line_at_ = size_;
      line_size_ = 0;
      return;
    }
    if (is_cr_held_) {
      add(header_finding::bare_cr, at - 1);
      count_in_line(at - 1);
    }
    is_cr_held_ = c == '\r';
    if (is_cr_held_) return;
    if (c == '\n') add(header_finding::bare_lf, at);
    if (!ascii::is_ascii(c)) add(header_finding::needs_smtputf8, at);
    count_in_line(at);
  }
  constexpr void count_in_line(std::size_t at) {
    if (++line_size_ > longest_line) add(header_finding::line_too_long, at);
  }

  constexpr void begin(std::string_view name) {
    field_at_ = line_at_;
    const auto known = std::find_if(field_names.begin(), field_names.end(),
                                    [name](std::string_view other) { return ascii::equal_ignoring_case(name, other); });
    field_ = static_cast<field>(known - field_names.begin());
    value_size_ = 0;
    is_value_too_long_ = false;
    from_ = {};
    if (reader_.is_loop()) add(header_finding::too_many_received, field_at_);
    if (field_ == field::other) return;
    if (field_ == field::bcc) add(header_finding::bcc_present, field_at_);
    if (has_seen(field_)) add(static_cast<header_finding>(field_), field_at_);
    seen_ |= std::uint32_t{1} << static_cast<unsigned>(field_);
  }
  constexpr void take(std::string_view octets) {
    if (field_ == field::from) {
      for (const char c : octets) from_.feed(c);
    }
    if (field_ != field::date && field_ != field::message_id) return;
    if (octets.size() > value_.size() - value_size_) {
      is_value_too_long_ = true;
      return;
    }
    for (const char c : octets) value_[value_size_++] = c;
  }
  constexpr void end() {
    const std::string_view value{value_.data(), value_size_};
    if (field_ == field::from) {
      const std::size_t count = from_.finish();
      if (count == 0) add(header_finding::ill_formed_from, field_at_);
      if (count > 1 && !several_from_) several_from_ = field_at_;
    }
    if (field_ == field::date && (is_value_too_long_ || !date_time::parse(value))) add(header_finding::ill_formed_date, field_at_);
    if (field_ == field::message_id && (is_value_too_long_ || !is_message_id(value))) {
      add(header_finding::ill_formed_message_id, field_at_);
    }
  }
  /// message-id = "Message-ID:" msg-id CRLF; msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS]      RFC 5322 3.6.4
  static constexpr bool is_message_id(std::string_view value) {
    cursor in{value};
    if (!grammar::comments_and_white_space(in)) return false;
    const std::size_t start = in.offset();
    for (bool is_literal = false; !in.at_end(); in.advance(1)) {  // a no-fold-literal may hold < and >
      if (in.peek() == '[') is_literal = true;
      if (in.peek() == ']') is_literal = false;
      if (in.peek() == '>' && !is_literal) break;
    }
    if (!in.take('>')) return false;
    if (!message_id::parse(in.since(start), charset::utf8)) return false;
    return grammar::comments_and_white_space(in) && in.at_end();
  }

  constexpr void finish() {
    is_done_ = true;
    if (!has_seen(field::from)) add(header_finding::missing_from, size_);
    if (!has_seen(field::date)) add(header_finding::missing_date, size_);
    if (several_from_ && !has_seen(field::sender)) add(header_finding::missing_sender, *several_from_);
  }

  reader reader_;
  header_findings findings_;
  detail::mailbox_counter from_;
  std::array<char, max_value> value_{};
  std::size_t value_size_ = 0;
  std::size_t size_ = 0;       ///< octets looked at
  std::size_t line_at_ = 0;    ///< where the line begins
  std::size_t line_size_ = 0;  ///< its octets so far
  std::size_t field_at_ = 0;
  std::optional<std::size_t> several_from_;  ///< the first From with several mailboxes
  std::uint32_t seen_ = 0;                   ///< a bit for each `field`
  field field_ = field::other;
  bool is_value_too_long_ = false;
  bool is_cr_held_ = false;  ///< a CR that may be half of a CRLF
  bool is_done_ = false;
};

/// What is wrong with the header section of `message`, which is all here.
constexpr header_findings check_header_section(std::string_view message) {
  header_checker checker;
  checker.feed(message);
  checker.end_of_input();
  return checker.findings();
}

static_assert(check_header_section("From: a@b\r\nDate: Mon, 1 Jan 2024 10:00:00 +0100\r\n\r\n").empty());
static_assert(check_header_section("From: a@b, c@d\r\n\r\n").offset(header_finding::missing_sender) == 0);

}  // namespace ehlo

#endif  // EHLO_MESSAGE_HEADER_CHECK_HPP
