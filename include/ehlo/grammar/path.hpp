// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_GRAMMAR_PATH_HPP
#define EHLO_GRAMMAR_PATH_HPP

/// @file
/// Mailboxes and the paths that MAIL and RCPT carry. RFC 5321 4.1.2; source routes: 3.6.1, F.2.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/domain.hpp>
#include <ehlo/grammar/host.hpp>
#include <ehlo/grammar/local_part.hpp>
#include <ehlo/grammar/plain_mailbox.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/octet_run.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// local-part `@` domain or address-literal. A view.
class mailbox {
 public:
  /// Mailbox = Local-part "@" ( Domain / address-literal )      RFC 5321 4.1.2
  ///
  /// The @ is found by reading from the left: one inside quotation marks is an octet of the local-part. Fails with the errors of
  /// the grammar, `errc::at_sign_missing`, `local_part_too_long` or `domain_too_long`.
  static constexpr result<mailbox> parse(std::string_view text, charset set = charset::ascii) {
    const grammar::plain_mailbox plain = grammar::find_plain_mailbox(text);
    if (plain.size == text.size() && plain.size > 0) return mailbox{text, static_cast<std::uint16_t>(plain.at)};
    return parse_by_rules(text, set);
  }

  /// The same, octet by octet: for what is known not to be plain.
  static constexpr result<mailbox> parse_by_rules(std::string_view text, charset set) {
    cursor in{text};
    const auto local = grammar::local_part(in, set);
    if (!local) return local.error();
    if (local->size() > sizes::local_part) return error{errc::local_part_too_long, sizes::local_part};
    const std::size_t at = in.offset();
    if (!in.take('@')) return error{errc::at_sign_missing, at};
    const auto host = ehlo::host::parse(in.rest(), set);
    if (!host) return error{host.error().code, in.offset() + host.error().offset};
    return mailbox{text, static_cast<std::uint16_t>(at)};
  }

  /// The spelling it was made from.
  constexpr std::string_view text() const { return text_; }
  constexpr ehlo::local_part local_part() const { return *ehlo::local_part::parse(text_.substr(0, at_), charset::utf8); }
  constexpr ehlo::host host() const { return *ehlo::host::parse(text_.substr(at_ + 1U), charset::utf8); }
  /// True if the local-part is postmaster, in any case. RFC 5321 4.5.1.
  constexpr bool is_postmaster() const { return local_part().is_ignoring_case("postmaster"); }

  /// Mailboxes are equal if local-parts and hosts are. RFC 5321 2.4.
  friend constexpr bool operator==(const mailbox& a, const mailbox& b) {
    return a.local_part() == b.local_part() && a.host() == b.host();
  }

 private:
  constexpr mailbox(std::string_view text, std::uint16_t at) : text_{text}, at_{at} {}

  std::string_view text_;
  std::uint16_t at_;  ///< offset of the @
};

namespace grammar {

/// A-d-l = At-domain *( "," At-domain ); At-domain = "@" Domain      RFC 5321 4.1.2
///
/// Takes the route with its colon, for it "MUST be accepted, SHOULD NOT be generated, and SHOULD be ignored".
constexpr result<std::string_view> source_route(cursor& in, charset set = charset::ascii) {
  const std::size_t start = in.offset();
  do {
    if (!in.take('@')) return error{errc::route_at_sign_missing, in.offset()};
    if (const auto name = domain(in, set); !name) return name.error();
  } while (in.take(','));
  const std::string_view route = in.since(start);
  if (!in.take(':')) return error{errc::route_colon_missing, in.offset()};
  return route;
}

namespace detail {

/// A path cut at its parts.
struct path_parts {
  std::string_view text;    ///< with < and >
  std::size_t mailbox = 0;  ///< offset of the mailbox in `text`
};

/// One past the path's mailbox: its > or whatever ends it. A quoted local-part may hold any printable octet.
constexpr std::size_t end_of_mailbox(std::string_view text) {
  std::size_t i = end_of_run<ascii::all - ascii::octet_class{"\">"}>(text);
  for (bool quoted = false; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == '>') {
      return i;
    }
  }
  return text.size();
}

/// Path = "<" [ A-d-l ":" ] Mailbox ">"      RFC 5321 4.1.2
///
/// `<>` and `<Postmaster>` are not paths by this rule; their texts come out with nothing checked in between.
constexpr result<path_parts> path(cursor& in, charset set) {
  const std::size_t start = in.offset();
  if (!in.take('<')) return error{errc::path_not_opened, start};
  if (!in.at_end() && in.peek() == '@') {
    if (const auto route = source_route(in, set); !route) return route.error();
  }
  const std::size_t begin = in.offset();
  const std::string_view rest = in.rest();
  if (const std::size_t plain = find_plain_mailbox(rest).size;
      plain > 0 && begin == start + 1 && rest.substr(plain).starts_with('>')) {
    in.advance(plain + 1);
    return path_parts{in.since(start), 1};  // which is not too long
  }
  const std::size_t size = end_of_mailbox(rest);
  if (const auto mailbox = ehlo::mailbox::parse_by_rules(rest.substr(0, size), set); !mailbox) {
    return error{mailbox.error().code, begin + mailbox.error().offset};
  }
  in.advance(size);
  if (!in.take('>')) return error{errc::path_not_closed, in.offset()};
  const std::string_view text = in.since(start);
  if (text.size() > sizes::path) return error{errc::path_too_long, start + sizes::path};
  return path_parts{text, begin - start};
}

}  // namespace detail
}  // namespace grammar

/// What both kinds of path share.
class path_view {
 public:
  /// The spelling received, with < and >.
  constexpr std::string_view text() const { return text_; }
  /// The source route without its colon, which nobody acts on; empty without one. RFC 5321 3.6.1, F.2.
  constexpr std::string_view route() const { return has_route() ? text_.substr(1, mailbox_ - 2U) : std::string_view{}; }
  constexpr bool has_route() const { return mailbox_ > 1; }
  /// False for `<>` and `<Postmaster>`.
  constexpr bool has_mailbox() const { return mailbox_ != 0; }
  /// True if the local-part is `""`, which the grammar allows and hardly any host has.
  constexpr bool has_empty_local_part() const { return has_mailbox() && text_.substr(mailbox_).starts_with("\"\"@"); }
  /// The mailbox; none for `<>` and `<Postmaster>`.
  constexpr std::optional<ehlo::mailbox> mailbox() const {
    if (mailbox_ == 0) return std::nullopt;
    return *ehlo::mailbox::parse(text_.substr(mailbox_, text_.size() - mailbox_ - 1U), charset::utf8);
  }

 protected:
  constexpr path_view(std::string_view text, std::size_t mailbox) : text_{text}, mailbox_{static_cast<std::uint16_t>(mailbox)} {}

 private:
  std::string_view text_;
  std::uint16_t mailbox_;  ///< offset of the mailbox in `text_`; 0 if there is none
};

class reverse_path;
class forward_path;

namespace grammar {
constexpr result<ehlo::reverse_path> reverse_path(cursor& in, charset set = charset::ascii);
constexpr result<ehlo::forward_path> forward_path(cursor& in, charset set = charset::ascii);
}  // namespace grammar

/// What MAIL carries: a path, or the null path `<>` of reports (RFC 5321 4.5.5). A view.
class reverse_path : public path_view {
 public:
  /// The null path.
  constexpr reverse_path() : path_view{"<>", 0} {}

  /// Fails with the errors of the grammar, `errc::path_too_long`, or `errc::trailing_octets`.
  static constexpr result<reverse_path> parse(std::string_view text, charset set = charset::ascii) {
    return grammar::match([](cursor& in, charset s) { return grammar::reverse_path(in, s); }, text, set);
  }

  constexpr bool is_null() const { return !has_mailbox(); }

  /// Reverse-paths are equal if their mailboxes are; routes do not count.
  friend constexpr bool operator==(const reverse_path& a, const reverse_path& b) { return a.mailbox() == b.mailbox(); }

 private:
  friend constexpr result<ehlo::reverse_path> grammar::reverse_path(cursor& in, charset set);
  using path_view::path_view;
};

/// What RCPT carries: a path, or `<Postmaster>` without a domain (RFC 5321 4.1.1.3). A view.
class forward_path : public path_view {
 public:
  /// `<Postmaster>`.
  constexpr forward_path() : path_view{"<Postmaster>", 0} {}

  /// Fails with the errors of the grammar, `errc::null_path_not_allowed`, `path_too_long`, or `trailing_octets`.
  static constexpr result<forward_path> parse(std::string_view text, charset set = charset::ascii) {
    return grammar::match([](cursor& in, charset s) { return grammar::forward_path(in, s); }, text, set);
  }

  /// True for `<Postmaster>` in any case, which every server takes.
  constexpr bool is_bare_postmaster() const { return !has_mailbox(); }
  /// True for postmaster with or without a domain, in any case. RFC 5321 4.5.1.
  constexpr bool is_postmaster() const {
    const auto to = mailbox();
    return !to || to->is_postmaster();
  }

  /// Forward-paths are equal if their mailboxes are; routes do not count.
  friend constexpr bool operator==(const forward_path& a, const forward_path& b) { return a.mailbox() == b.mailbox(); }

 private:
  friend constexpr result<ehlo::forward_path> grammar::forward_path(cursor& in, charset set);
  using path_view::path_view;
};

namespace grammar {

/// Reverse-path = Path / "<>"                RFC 5321 4.1.2
constexpr result<ehlo::reverse_path> reverse_path(cursor& in, charset set) {
  if (in.rest().starts_with("<>")) {
    const std::size_t start = in.offset();
    in.advance(2);
    return ehlo::reverse_path{in.since(start), 0};
  }
  const auto parts = detail::path(in, set);
  if (!parts) return parts.error();
  return ehlo::reverse_path{parts->text, parts->mailbox};
}

/// Forward-path = Path; and RCPT's "<Postmaster>"      RFC 5321 4.1.2, 4.1.1.3
constexpr result<ehlo::forward_path> forward_path(cursor& in, charset set) {
  constexpr std::string_view postmaster = "<postmaster>";
  const std::size_t start = in.offset();
  if (in.rest().starts_with("<>")) return error{errc::null_path_not_allowed, start};
  const bool may_be_bare = in.rest().size() >= postmaster.size() && in.rest()[postmaster.size() - 1] == '>';
  if (may_be_bare && in.take_ignoring_case(postmaster)) return ehlo::forward_path{in.since(start), 0};
  const auto parts = detail::path(in, set);
  if (!parts) return parts.error();
  return ehlo::forward_path{parts->text, parts->mailbox};
}

}  // namespace grammar

static_assert(reverse_path::parse("<>")->is_null() && reverse_path{}.is_null());
static_assert(forward_path::parse("<@x,@y:z@w>")->mailbox()->text() == "z@w" &&
              forward_path::parse("<@x,@y:z@w>")->route() == "@x,@y");
static_assert(forward_path::parse("<\"a@b>\"@c>")->mailbox()->host().text() == "c");
static_assert(forward_path::parse("<a@b>x").error() == error{errc::trailing_octets, 5});
static_assert(forward_path::parse("<a@b").error() == error{errc::path_not_closed, 4});
static_assert(forward_path::parse("<postMASTER>")->is_bare_postmaster() &&
              forward_path::parse("<>").error().code == errc::null_path_not_allowed);

}  // namespace ehlo

#endif  // EHLO_GRAMMAR_PATH_HPP
