// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_MESSAGE_TRACE_HPP
#define EHLO_MESSAGE_TRACE_HPP

/// @file
/// The trace fields that a receiver puts on top of a message: Received and Return-Path. RFC 5321 4.4; RFC 3848; RFC
/// 6531 3.7.3, 4.3.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/extension/priority.hpp>
#include <ehlo/grammar/address_literal.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/domain.hpp>
#include <ehlo/grammar/host.hpp>
#include <ehlo/grammar/local_part.hpp>
#include <ehlo/grammar/path.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/message/date_time.hpp>
#include <ehlo/message/field_writer.hpp>
#include <ehlo/message/message_id.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// The registered protocols of the WITH clause. S stands for TLS, A for AUTH. RFC 5321 4.4; RFC 3848; RFC 6531 4.3.
enum class with_protocol : std::uint8_t {
  smtp,
  esmtp,
  esmtps,
  esmtpa,
  esmtpsa,
  lmtp,
  lmtps,
  lmtpa,
  lmtpsa,
  utf8smtp,
  utf8smtps,
  utf8smtpa,
  utf8smtpsa,
  utf8lmtp,
  utf8lmtps,
  utf8lmtpa,
  utf8lmtpsa,
};

/// The registered name of `protocol`.
constexpr std::string_view text_of(with_protocol protocol) {
  constexpr std::array<std::string_view, 17> names{"SMTP",       "ESMTP",    "ESMTPS",    "ESMTPA",    "ESMTPSA",   "LMTP",
                                                   "LMTPS",      "LMTPA",    "LMTPSA",    "UTF8SMTP",  "UTF8SMTPS", "UTF8SMTPA",
                                                   "UTF8SMTPSA", "UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA"};
  return names[static_cast<std::size_t>(protocol)];
}

/// The protocol of a transaction: `esmtp` if the client said EHLO, `tls` and `auth` if they succeeded, `utf8` if MAIL carried
/// SMTPUTF8.
///
/// A session that began with HELO is SMTP, whatever else is true of it. RFC 3848; RFC 4954 7; RFC 6531 4.3.
constexpr with_protocol with_protocol_of(bool lmtp, bool esmtp, bool tls, bool auth, bool utf8) {
  if (!lmtp && !esmtp) return with_protocol::smtp;
  const with_protocol first =
      utf8 ? (lmtp ? with_protocol::utf8lmtp : with_protocol::utf8smtp) : (lmtp ? with_protocol::lmtp : with_protocol::esmtp);
  return static_cast<with_protocol>(static_cast<unsigned>(first) + (tls ? 1U : 0U) + (auth ? 2U : 0U));
}

/// The protocol of the transaction that is open in `session`, an `ehlo::server_session` or one with other storage.
template <class Session>
requires requires(const Session& s) { s.is_lmtp() && s.is_esmtp() && s.is_tls_active() && s.is_authenticated() && s.smtputf8(); }
constexpr with_protocol with_protocol_of(const Session& session) {
  return with_protocol_of(session.is_lmtp(), session.is_esmtp(), session.is_tls_active(), session.is_authenticated(),
                          session.smtputf8());
}

/// True for the protocols of RFC 6531, whose trace fields may hold UTF-8.
constexpr bool is_utf8(with_protocol protocol) { return protocol >= with_protocol::utf8smtp; }

/// The path that a FOR clause may show: the only recipient; none if there are several, for it would tell one of the others.
/// RFC 5321 4.4, 7.2.
constexpr std::optional<forward_path> only_recipient(std::span<const forward_path> recipients) {
  if (recipients.size() != 1) return std::nullopt;
  return recipients.front();
}

/// What a Received field says. The views are those of its parts; they are read by `write` only.
struct received_field {
  host from;                                 ///< what the client called itself in EHLO, HELO or LHLO
  std::optional<address_literal> peer = {};  ///< the client's address, seen by the server
  std::optional<domain> peer_name = {};      ///< the name that this address has, if it was verified; shown with `peer` only
  host by;                                   ///< this server
  std::string_view via = {};                 ///< link: an atom; empty for none. For gateways (3.7.2)
  with_protocol with = with_protocol::esmtp;
  std::string_view comment = {};               ///< free text behind WITH, e.g. the TLS version and cipher; empty for none
  std::string_view id = {};                    ///< an atom or a msg-id with < and >; empty for none
  std::optional<forward_path> recipient = {};  ///< FOR; see `only_recipient`. `<Postmaster>` has no domain and is left out
  date_time date;
  std::optional<message_priority> priority = {};  ///< PRIORITY, of a message that came with MT-PRIORITY (RFC 6710 4.1)
};

namespace detail {

/// Extended-Domain = Domain / ( Domain FWS "(" TCP-info ")" ) / ( address-literal FWS "(" TCP-info ")" )      RFC 5321 4.4
/// TCP-info = address-literal / ( Domain FWS address-literal )
constexpr void write_extended_domain(field_writer& out, const host& name, std::string_view peer_name, std::string_view peer) {
  out.word(name.text());
  if (peer.empty()) return;
  out.space(1 + (peer_name.empty() ? peer.size() + 1 : peer_name.size()));
  out.put('(');
  if (!peer_name.empty()) {
    out.put(peer_name);
    out.space(peer.size() + 1);
  }
  out.put(peer);
  out.put(')');
}

/// The mailbox of a path; nothing for none and for `<Postmaster>`.
constexpr std::string_view mailbox_text(const std::optional<forward_path>& path) {
  if (!path) return {};
  const auto found = path->mailbox();
  return found ? found->text() : std::string_view{};
}

}  // namespace detail

/// Checks free text for a comment. The writer quotes `(`, `)` and `\`, so that the comment ends where it should.
///
/// Fails with `errc::comment_octet` at a control, `errc::utf8_not_allowed` or `errc::utf8_ill_formed`. RFC 5322 3.2.2.
constexpr result<void> check_comment(std::string_view text, charset set = charset::ascii) {
  for (cursor in{text}; !in.at_end();) {
    if (ascii::is_ascii(in.peek())) {
      if (ascii::control.contains(in.peek())) return error{errc::comment_octet, in.offset()};
      in.advance(1);
      continue;
    }
    const std::size_t start = in.offset();
    if (set == charset::ascii) return error{errc::utf8_not_allowed, start};
    const auto character = grammar::utf8_non_ascii(in);
    if (!character) return character.error();
    if (is_c1_control(*character)) return error{errc::comment_octet, start};
  }
  return {};
}

/// Writes a Received field with its CRLF, folded, and returns its size. 2048 octets of room are enough if `via`, `comment` and `id`
/// have less than 300 in all.
///
/// Stamp = From-domain By-domain Opt-info [CFWS] ";" FWS date-time; Opt-info = [Via] [With] [ID] [For] [Pri]      RFC 5321 4.4, RFC
/// 6710 7
///
/// UTF-8 is written only if `with` is one of the UTF8 protocols, else it fails with `errc::utf8_not_allowed` (RFC 6531 3.7.3).
/// Other errors: `errc::connection_facts_missing` if `from` is an address literal and `peer` is none; `comment_octet`; those of an
/// atom or msg-id; `header_line_too_long` if a line would have over 998 octets or `out` is too small.
constexpr result<std::size_t> write(const received_field& field, std::span<char> out) {
  const bool utf8 = is_utf8(field.with);
  const charset set = utf8 ? charset::utf8 : charset::ascii;
  const std::string_view peer_name = field.peer && field.peer_name ? field.peer_name->text() : std::string_view{};
  const std::string_view recipient = detail::mailbox_text(field.recipient);
  if (!utf8) {
    for (const std::string_view text : {field.from.text(), field.by.text(), peer_name, recipient}) {
      if (!ascii::is_ascii(text)) return error{errc::utf8_not_allowed};
    }
  }
  if (field.from.is_address_literal() && !field.peer) return error{errc::connection_facts_missing};
  const auto an_atom = [](cursor& in, charset s) { return grammar::atom(in, s); };
  if (!field.via.empty()) {
    if (const auto via = grammar::match(an_atom, field.via, charset::ascii); !via) return via.error();
  }
  if (field.id.starts_with('<')) {
    if (const auto id = message_id::parse(field.id, set); !id) return id.error();
  } else if (!field.id.empty()) {
    if (const auto id = grammar::match(an_atom, field.id, set); !id) return id.error();
  }
  if (const auto comment = check_comment(field.comment, set); !comment) return comment.error();

  detail::field_writer line{out};
  line.put("Received: from");
  detail::write_extended_domain(line, field.from, peer_name, field.peer ? field.peer->text() : std::string_view{});
  line.word("by");
  // A server that is called by its address knows that address: it is the connection's.
  detail::write_extended_domain(line, field.by, {}, field.by.is_address_literal() ? field.by.text() : std::string_view{});
  if (!field.via.empty()) {
    line.word("via");
    line.word(field.via);
  }
  line.word("with");
  line.word(text_of(field.with));
  if (!field.comment.empty()) {
    line.space(field.comment.size() + 2);
    line.put('(');
    for (std::size_t i = 0; i < field.comment.size(); ++i) {
      const char c = field.comment[i];
      const std::size_t word_end = field.comment.find(' ', i + 1);
      const std::size_t word = (word_end == std::string_view::npos ? field.comment.size() : word_end) - i;
      if (c == ' ' && i > 0) {
        line.space(word);
        continue;
      }
      if (c == '(' || c == ')' || c == '\\') line.put('\\');
      line.put(c);
    }
    line.put(')');
  }
  if (!field.id.empty()) {
    line.word("id");
    line.word(field.id);
  }
  if (!recipient.empty()) {
    line.word("for");
    line.space(recipient.size() + 3);
    line.put('<');
    line.put(recipient);
    line.put('>');
  }
  if (field.priority) {
    std::array<char, message_priority::max_size> value{};
    const char* const end = field.priority->write(value.data());
    line.word("PRIORITY");
    line.word({value.data(), static_cast<std::size_t>(end - value.data())});
  }
  line.put(';');
  std::array<char, date_time::max_size> date{};
  const char* end = field.date.write(date.data());
  line.word({date.data(), static_cast<std::size_t>(end - date.data())});
  return line.finish();
}

/// Writes a Return-Path field with its CRLF and returns its size; 271 octets of room are enough. For the final delivery only.
///
/// Return-path-line = "Return-Path:" FWS Reverse-path CRLF      RFC 5321 4.4
///
/// A source route is left out (RFC 5321 F.2). `set` says whether MAIL carried SMTPUTF8: without it, UTF-8 fails with
/// `errc::utf8_not_allowed`. Fails with `errc::header_line_too_long` if `out` is too small.
constexpr result<std::size_t> write_return_path(const reverse_path& path, std::span<char> out, charset set = charset::ascii) {
  const auto mailbox = path.mailbox();
  if (set == charset::ascii && mailbox && !ascii::is_ascii(mailbox->text())) return error{errc::utf8_not_allowed};
  detail::field_writer line{out};
  line.put("Return-Path: <");
  if (mailbox) line.put(mailbox->text());
  line.put('>');
  return line.finish();
}

static_assert(text_of(with_protocol_of(false, true, true, true, false)) == "ESMTPSA");
static_assert(text_of(with_protocol_of(true, true, true, true, true)) == "UTF8LMTPSA");

}  // namespace ehlo

#endif  // EHLO_MESSAGE_TRACE_HPP
