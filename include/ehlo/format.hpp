// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_FORMAT_HPP
#define EHLO_FORMAT_HPP

/// @file
/// The values of `ehlo` for fmt, and replies made by fmt. RFC 5321 4.2.
///
/// A value that has a spelling is formatted as it was spelt; an action as its name and what matters of it, on one line.
/// The only specification is that of a string: width, fill, alignment, precision. What may be a secret is never shown:
/// octets of mail data, of `transmit` and of an AUTH exchange appear as their number. Text of the peer that no grammar
/// has checked is escaped; in the text of a reply received, what is not printable is a question mark.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <ehlo/actions.hpp>
#include <ehlo/ascii.hpp>
#include <ehlo/capabilities.hpp>
#include <ehlo/client/actions.hpp>
#include <ehlo/client/options.hpp>
#include <ehlo/client/session.hpp>
#include <ehlo/codec/command_parser.hpp>
#include <ehlo/codec/mail_data_writer.hpp>
#include <ehlo/codec/reply_writer.hpp>
#include <ehlo/command.hpp>
#include <ehlo/enhanced_status_code.hpp>
#include <ehlo/error.hpp>
#include <ehlo/extension/auth.hpp>
#include <ehlo/extension/body.hpp>
#include <ehlo/extension/dsn.hpp>
#include <ehlo/grammar/address_literal.hpp>
#include <ehlo/grammar/base64.hpp>
#include <ehlo/grammar/domain.hpp>
#include <ehlo/grammar/host.hpp>
#include <ehlo/grammar/ip_address.hpp>
#include <ehlo/grammar/local_part.hpp>
#include <ehlo/grammar/parameter.hpp>
#include <ehlo/grammar/path.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/grammar/xtext.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/message/date_time.hpp>
#include <ehlo/message/message_id.hpp>
#include <ehlo/message/trace.hpp>
#include <ehlo/observer/actions.hpp>
#include <ehlo/observer/finding.hpp>
#include <ehlo/observer/options.hpp>
#include <ehlo/parameters.hpp>
#include <ehlo/protocol/order_of_commands.hpp>
#include <ehlo/protocol/order_of_replies.hpp>
#include <ehlo/proxy/header.hpp>
#include <ehlo/proxy/reader.hpp>
#include <ehlo/proxy/writer.hpp>
#include <ehlo/received_reply.hpp>
#include <ehlo/reply.hpp>
#include <ehlo/result.hpp>
#include <ehlo/routing/mx.hpp>
#include <ehlo/sasl/server.hpp>
#include <ehlo/secret.hpp>
#include <ehlo/server/actions.hpp>
#include <ehlo/server/options.hpp>
#include <ehlo/server/session.hpp>
#include <ehlo/version.hpp>

namespace ehlo {

/// A reply that owns its text, at most 512 octets, inline. Converts to `reply`, which views it.
class formatted_reply {
 public:
  /// The reply; lives as long as this does.
  constexpr reply view() const { return *reply::make(code_, enhanced_, text(), utf8_); }
  constexpr operator reply() const { return view(); }  // NOLINT(google-explicit-constructor): `session.reject(*made)`

  /// The text. Empty if it was made of nothing; the reply then has the default text of its code.
  constexpr std::string_view text() const { return {text_.data(), size_}; }

  /// Makes one with `fmt`. Fails as `reply::make` does, or with errc::reply_too_long if the text has more than 512
  /// octets.
  template <class... Arguments>
  static result<formatted_reply> make(charset set, int code, enhanced_status_code enhanced, fmt::format_string<Arguments...> format,
                                      Arguments&&... arguments) {
    formatted_reply out;
    const auto written = fmt::format_to_n(out.text_.data(), out.text_.size(), format, std::forward<Arguments>(arguments)...);
    if (written.size > out.text_.size()) return error{errc::reply_too_long, out.text_.size()};
    out.size_ = static_cast<std::uint16_t>(written.size);
    out.code_ = static_cast<std::uint16_t>(code);
    out.enhanced_ = enhanced;
    out.utf8_ = set == charset::utf8;
    if (const auto good = reply::make(code, enhanced, out.text(), out.utf8_); !good) return good.error();
    return out;
  }

 private:
  formatted_reply() = default;

  std::array<char, sizes::reply_line> text_{};
  std::uint16_t size_ = 0;
  std::uint16_t code_ = 0;
  enhanced_status_code enhanced_{};
  bool utf8_ = false;
};

/// Makes a reply whose text is formatted: `format_reply(550, {5, 1, 1}, "no mailbox here for {}", path)`.
///
/// An argument cannot make another line: one with CR, LF or another control in it is an error. Fails with
/// errc::reply_code, enhanced_code, reply_class, reply_octet (with the offset in the text) or reply_too_long.
template <class... Arguments>
result<formatted_reply> format_reply(int code, enhanced_status_code enhanced, fmt::format_string<Arguments...> format,
                                     Arguments&&... arguments) {
  return formatted_reply::make(charset::ascii, code, enhanced, format, std::forward<Arguments>(arguments)...);
}

/// The same without enhanced status code.
template <class... Arguments>
result<formatted_reply> format_reply(int code, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  return formatted_reply::make(charset::ascii, code, {}, format, std::forward<Arguments>(arguments)...);
}

/// The same for a client that takes UTF-8 in this reply, with `charset::utf8`. RFC 6531 3.7.4.2.
template <class... Arguments>
result<formatted_reply> format_reply(charset set, int code, enhanced_status_code enhanced, fmt::format_string<Arguments...> format,
                                     Arguments&&... arguments) {
  return formatted_reply::make(set, code, enhanced, format, std::forward<Arguments>(arguments)...);
}

namespace detail {

/// Where `print_value` puts text: a buffer that stays on the stack for what is short.
using sink = fmt::memory_buffer;

inline void put_one(sink& out, std::string_view text) { out.append(text.data(), text.data() + text.size()); }

template <std::unsigned_integral Number>
void put_one(sink& out, Number number) {
  const fmt::format_int digits{number};
  out.append(digits.data(), digits.data() + digits.size());
}

template <class... Parts>
void put_all(sink& out, const Parts&... parts) {
  (put_one(out, parts), ...);
}

inline void put_if(sink& out, bool wanted, std::string_view text) {
  if (wanted) put_one(out, text);
}

/// Text that no grammar has checked, in quotation marks: controls and octets above 126 as `\x1B`.
inline void put_escaped(sink& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (ascii::printable.contains(c)) {
      out.push_back(c);
    } else {
      const auto value = static_cast<unsigned char>(c);
      put_all(out, "\\x", digits.substr(value >> 4U, 1), digits.substr(value & 15U, 1));
    }
  }
  out.push_back('"');
}

/// ", ticket 3}": how every question ends.
inline void put_ticket(sink& out, ticket t) { put_all(out, ", ticket ", t.serial, "}"); }

template <std::size_t N, class Enum>
constexpr std::string_view word_at(const std::array<std::string_view, N>& words, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? words[index] : std::string_view{"?"};
}

// The words for the enumerators, which are their names.

constexpr std::string_view word(charset value) { return word_at<2>({"ascii", "utf8"}, value); }
constexpr std::string_view word(literal_kind value) { return word_at<3>({"ipv4", "ipv6", "general"}, value); }
constexpr std::string_view word(unknown_tags value) { return word_at<2>({"refuse", "keep"}, value); }
constexpr std::string_view word(verb value) { return value == verb::unknown ? std::string_view{"unknown"} : text_of(value); }
constexpr std::string_view word(body_type value) { return text_of(value); }
constexpr std::string_view word(ret_type value) { return word_at<2>({"FULL", "HDRS"}, value); }
constexpr std::string_view word(first_message value) { return word_at<3>({"client", "server", "server_lenient"}, value); }
constexpr std::string_view word(status_class value) {
  return word_at<6>({"none", "?", "success", "?", "transient", "permanent"}, value);
}
constexpr std::string_view word(status_subject value) {
  return word_at<8>({"other", "address", "mailbox", "mail_system", "network", "protocol", "content", "policy"}, value);
}
constexpr std::string_view word(class_rule value) {
  return word_at<4>({"any", "only_permanent", "only_transient", "retired"}, value);
}
constexpr std::string_view word(reply_severity value) {
  return word_at<6>({"?", "?", "completed", "intermediate", "transient", "permanent"}, value);
}
constexpr std::string_view word(reply_category value) {
  return word_at<5>({"syntax", "information", "connection", "unspecified", "mail_system"}, value);
}
constexpr std::string_view word(enhanced_codes value) { return word_at<2>({"omit", "write"}, value); }
constexpr std::string_view word(reply_row value) { return text_of(value); }
constexpr std::string_view word(state value) {
  return word_at<7>({"barred", "greeted", "ready", "mail", "rcpt", "chunk", "spoilt"}, value);
}
constexpr std::string_view word(effect value) {
  return word_at<12>({"refuse", "stay", "hello", "reset", "mail", "rcpt", "data", "chunk", "tls", "login", "greet", "close"},
                     value);
}
constexpr std::string_view word(reset_cause value) {
  return word_at<8>({"rset", "hello", "quit", "refused", "chunkless", "timed_out", "peer_gone", "closed"}, value);
}
constexpr std::string_view word(waiting_for value) {
  return word_at<6>({"nothing", "command", "data_block", "handshake", "greeting", "reply"}, value);
}
constexpr std::string_view word(exchange_end value) { return word_at<3>({"cancelled", "malformed", "aborted"}, value); }
constexpr std::string_view word(protocol value) { return word_at<2>({"smtp", "lmtp"}, value); }
constexpr std::string_view word(tls_mode value) { return word_at<4>({"unavailable", "offered", "required", "active"}, value); }
constexpr std::string_view word(route_policy value) { return word_at<3>({"ignore", "syntax_error", "refuse"}, value); }
constexpr std::string_view word(text_policy value) { return word_at<2>({"flag", "refuse"}, value); }
constexpr std::string_view word(bare_line_ends value) { return word_at<2>({"refuse", "keep"}, value); }
constexpr std::string_view word(custom_parameter::value_rule value) { return word_at<3>({"none", "optional", "required"}, value); }
constexpr std::string_view word(custom_parameter::place value) { return word_at<2>({"mail", "rcpt"}, value); }

constexpr std::string_view word(tls_policy value) { return word_at<4>({"required", "opportunistic", "never", "active"}, value); }
constexpr std::string_view word(recipient_policy value) { return word_at<2>({"any", "all_or_nothing"}, value); }
constexpr std::string_view word(chunking_policy value) { return word_at<3>({"preferred", "needed", "never"}, value); }
constexpr std::string_view word(dsn_policy value) { return word_at<2>({"required", "relay"}, value); }
constexpr std::string_view word(line_ends value) { return word_at<2>({"refuse", "normalize"}, value); }
constexpr std::string_view word(extension value) { return word_at(extension_keywords, value); }
constexpr std::string_view word(exchange value) { return word_at<2>({"goes_on", "complete"}, value); }
constexpr std::string_view word(delivery value) { return word_at<2>({"not_accepted", "unknown"}, value); }
constexpr std::string_view word(server_identity value) { return word_at<2>({"unverified", "verified"}, value); }
constexpr std::string_view word(tls_strength value) { return word_at<2>({"sufficient", "insufficient"}, value); }
constexpr std::string_view word(with_protocol value) { return text_of(value); }
constexpr std::string_view word(sasl::mechanism value) { return word_at(sasl::mechanism_names, value); }

constexpr std::string_view word(mx_lookup value) { return word_at<3>({"answered", "no_such_name", "failed"}, value); }
constexpr std::string_view word(route_verdict value) {
  return word_at<6>({"deliver", "retry_later", "no_such_domain", "null_mx", "no_usable_mx", "loops_back"}, value);
}

constexpr std::string_view word(ip_version value) { return word_at<2>({"four", "six"}, value); }
constexpr std::string_view word(proxy::version value) { return word_at<3>({"?", "one", "two"}, value); }
constexpr std::string_view word(proxy::command value) { return word_at<2>({"local", "proxy"}, value); }
constexpr std::string_view word(proxy::family value) { return word_at<4>({"unspecified", "ipv4", "ipv6", "local_socket"}, value); }
constexpr std::string_view word(proxy::transport value) { return word_at<3>({"unspecified", "stream", "datagram"}, value); }
constexpr std::string_view word(proxy::accepted_versions value) { return word_at<3>({"one", "two", "either"}, value); }
constexpr std::string_view word(proxy::checksum value) { return word_at<2>({"omit", "write"}, value); }

constexpr std::string_view word(absence value) { return word_at<2>({"unavailable", "temporary"}, value); }
constexpr std::string_view word(client_protocol value) { return word_at<2>({"smtp", "esmtp"}, value); }
constexpr std::string_view word(message_source value) { return word_at<2>({"local", "remote"}, value); }

constexpr std::string_view word(direction value) { return word_at<2>({"client", "server"}, value); }
constexpr std::string_view word(feed_order value) { return word_at<2>({"kept", "unknown"}, value); }
constexpr std::string_view word(beginning value) { return word_at<2>({"seen", "unsure"}, value); }
constexpr std::string_view word(observed_auth::step value) {
  return word_at<4>({"command", "challenge", "response", "cancel"}, value);
}
/// What else stands where a mechanism belongs may be a password.
constexpr std::string_view shown_mechanism(std::string_view name) { return is_shown_mechanism(name) ? name : "****"; }
constexpr std::string_view word(lost_cause value) {
  return word_at<9>({"reply_unreadable", "chunk_size_unreadable", "ambiguous_reply", "too_many_in_flight", "other_end_silent",
                     "other_protocol", "octets_missing", "out_of_memory", "options"},
                    value);
}

template <class T, class... Candidates>
inline constexpr bool is_one_of = (std::same_as<T, Candidates> || ...);

template <class T>
concept has_word = requires(const T& value) {
  { word(value) } -> std::same_as<std::string_view>;
};

/// The values that are formatted as they were spelt.
template <class T>
concept spelt_value =
    is_one_of<T, solicitation_keywords, xclient_attributes, xforward_attributes, domain, address_literal, host, local_part, mailbox,
              reverse_path, forward_path, mail_parameters, rcpt_parameters, xtext, utf8_address, message_id>;

template <class T>
requires has_word<T>
void print_value(sink& out, const T& value) { put_one(out, word(value)); }

template <class T>
requires spelt_value<T>
void print_value(sink& out, const T& value) { put_one(out, value.text()); }

inline void print_value(sink& out, const version_number& value) {
  fmt::format_to(std::back_inserter(out), "{}.{}.{}", value.major_number, value.minor_number, value.patch_number);
}

inline void print_value(sink& out, errc value) {
  const rule& broken = describe(value);
  put_one(out, broken.text);
  if (!broken.clause.empty()) put_all(out, " (", broken.clause, ")");
}

inline void print_value(sink& out, const error& value) {
  print_value(out, value.code);
  put_all(out, " at octet ", value.offset);
}

inline void print_value(sink& out, enhanced_status_code value) {
  std::array<char, 9> text{};
  if (value.is_none()) return put_one(out, "none");
  if (!value.is_well_formed()) return put_one(out, "ill-formed");
  put_one(out, {text.data(), static_cast<std::size_t>(write(value, text.data()) - text.data())});
}

inline void print_value(sink& out, const reply& value) {
  put_all(out, static_cast<unsigned>(value.code()), " ");
  if (!value.enhanced().is_none()) {
    print_value(out, value.enhanced());
    out.push_back(' ');
  }
  for (std::size_t i = 0; i < value.line_count(); ++i) put_all(out, i == 0 ? "" : " / ", value.line(i));
}

/// Its lines, a space between them. The text is the peer's: nothing of it can act on a terminal or make another line of a log.
inline void print_value(sink& out, const received_reply& value) {
  put_all(out, static_cast<unsigned>(value.code()), " ");
  if (!value.enhanced().is_none()) {
    print_value(out, value.enhanced());
    out.push_back(' ');
  }
  const std::size_t before = out.size();
  out.resize(before + value.octets().size());
  char* const end = value.write_printable(out.data() + before);
  out.resize(static_cast<std::size_t>(end - out.data()));
}

inline void print_value(sink& out, const keyword_line& value) {
  put_all(out, value.keyword, value.parameters.empty() ? "" : " ", value.parameters);
}

inline void print_value(sink& out, const announced_limits& value) {
  std::string_view between;
  const auto put = [&](std::string_view name, std::uint32_t limit) {
    if (limit == 0) return;
    put_all(out, std::exchange(between, " "), name, "=", limit);
  };
  put("MAILMAX", value.mail_max);
  put("RCPTMAX", value.rcpt_max);
  put("RCPTDOMAINMAX", value.rcpt_domain_max);
}

inline void print_value(sink& out, const capabilities& value) {
  std::string_view between;
  for (std::size_t i = 0; i < extension_keywords.size(); ++i) {
    const auto e = static_cast<extension>(i);
    if (!value.has(e)) continue;
    put_all(out, std::exchange(between, ", "), text_of(e));
    if (e == extension::size && value.maximum_size() != 0) put_all(out, " ", value.maximum_size());
    if (e == extension::limits && value.limits() != announced_limits{}) {
      out.push_back(' ');
      print_value(out, value.limits());
    }
  }
}

inline void print_value(sink& out, const parameter& value) {
  put_one(out, value.keyword);
  if (value.value) put_all(out, "=", *value.value);
}

inline void print_value(sink& out, const base64& value) { put_all(out, "base64{", value.decoded_size(), " octets}"); }

inline void print_value(sink& out, const claimed_submitter& value) {
  put_one(out, value.mailbox ? value.mailbox->text() : std::string_view{"<>"});
}

inline void print_value(sink& out, const notify_set& value) {
  if (value.is_never()) return put_one(out, "NEVER");
  put_if(out, value.success, "SUCCESS");
  put_if(out, value.success && (value.failure || value.delay), ",");
  put_if(out, value.failure, "FAILURE");
  put_if(out, value.failure && value.delay, ",");
  put_if(out, value.delay, "DELAY");
}

/// A value that writes itself.
template <class T>
concept self_writing =
    is_one_of<T, ip_address, deliver_by, timestamp, hold_for, hold_until, hold_limits, message_priority, valid_since, tracking>;

template <self_writing T>
void print_value(sink& out, const T& value) {
  std::array<char, T::max_size> text{};
  put_one(out, {text.data(), static_cast<std::size_t>(value.write(text.data()) - text.data())});
}

inline void print_value(sink& out, const proxy::endpoint& value) {
  const bool is_v6 = value.address.version() == ip_version::six;
  put_if(out, is_v6, "[");
  print_value(out, value.address);
  put_all(out, is_v6 ? "]:" : ":", value.port);
}

/// The value may be anything.
inline void print_value(sink& out, const proxy::tlv& value) {
  put_all(out, "tlv{type ", value.type, ", ", value.value.size(), " octets}");
}

inline void print_value(sink& out, const proxy::ssl_facts& value) {
  put_all(out, "ssl_facts{", value.uses_tls ? "TLS" : "no TLS");
  put_if(out, value.has_certificate, ", certificate");
  put_if(out, value.has_certificate_of_session, ", certificate of the session");
  put_all(out, ", verify ", value.verify, "}");
}

inline void print_value(sink& out, const proxy::header& value) {
  put_all(out, "header{version ", static_cast<unsigned>(value.version), ", ", word(value.command), ", ", word(value.family), ", ",
          word(value.transport));
  if (const auto client = value.client()) {
    put_one(out, ", ");
    print_value(out, *client);
    put_one(out, " to ");
    print_value(out, *value.server());
  }
  if (value.family == proxy::family::local_socket) {
    put_one(out, ", ");
    put_escaped(out, value.source_path);
    put_one(out, " to ");
    put_escaped(out, value.destination_path);
  }
  if (!value.tlvs.empty()) put_all(out, ", TLVs of ", value.tlvs.octets().size(), " octets");
  out.push_back('}');
}

inline void print_value(sink& out, const original_recipient& value) { put_all(out, value.address_type, ";", value.address); }

inline void print_value(sink& out, const auth_mechanism& value) { put_one(out, value.name); }

/// Four asterisks, whatever it holds: not even its size is shown.
inline void print_value(sink& out, const secret&) { put_one(out, "****"); }

inline void print_value(sink& out, const date_time& value) {
  std::array<char, date_time::max_size> text{};
  put_one(out, {text.data(), static_cast<std::size_t>(value.write(text.data()) - text.data())});
}

inline void print_value(sink& out, const sasl::challenge& value) { put_all(out, "challenge{", value.octets.size(), " octets}"); }

/// As in a zone file. A name that no host can have is escaped: nobody knows what the DNS has sent.
inline void print_value(sink& out, const mx_record& value) {
  put_all(out, static_cast<unsigned>(value.preference), " ");
  if (value.is_usable() || value.name().empty()) {
    put_all(out, value.name(), ".");
  } else {
    put_escaped(out, value.exchange);
  }
}

/// The identities are whatever the client sent.
inline void print_value(sink& out, const sasl::credentials& value) {
  put_all(out, "credentials{", word(value.mechanism), ", ");
  put_escaped(out, value.authorization_identity);
  put_one(out, ", ");
  put_escaped(out, value.authentication_identity);
  put_one(out, ", ****}");
}

// What both ends give.

inline void print_value(sink& out, const ticket& value) { put_all(out, "ticket ", value.serial); }

inline void print_value(sink& out, const transmit& value) { put_all(out, "transmit{", value.octets.size(), " octets}"); }

inline void print_value(sink& out, const receive&) { put_one(out, "receive"); }

inline void print_value(sink& out, const start_tls&) { put_one(out, "start_tls"); }

inline void print_value(sink& out, const close_channel&) { put_one(out, "close_channel"); }

inline void print_value(sink& out, const answer_due& value) { put_all(out, "answer_due{ticket ", value.ticket.serial, "}"); }

inline void print_value(sink& out, const mail_data& value) { put_all(out, "mail_data{", value.octets.size(), " octets}"); }

inline void print_value(sink& out, const transaction_reset& value) { put_all(out, "transaction_reset{", word(value.cause), "}"); }

inline void print_value(sink& out, const violation& value) {
  put_one(out, "violation{");
  print_value(out, value.code);
  put_all(out, " at octet ", value.offset, "}");
}

inline void print_value(sink& out, const wait& value) {
  put_all(out, "wait{", word(value.what), ", ", value.seconds, " s, serial ", value.serial, "}");
}

// What a server asks and tells.

inline void print_value(sink& out, const greeting_question& value) {
  put_all(out, "greeting_question{", value.early_talker ? "early talker" : "silent client");
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const hello_question& value) {
  put_all(out, "hello_question{", word(value.name), " ", value.client.text());
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const starttls_question& value) {
  put_all(out, "starttls_question{ticket ", value.ticket.serial, "}");
}

inline void print_value(sink& out, const auth_question& value) {
  put_all(out, "auth_question{", value.mechanism);
  put_if(out, value.initial, ", initial");
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const mail_question& value) {
  put_all(out, "mail_question{FROM:", value.reverse_path.text(), value.parameters.empty() ? "" : " ", value.parameters.text());
  if (value.priority != value.parameters.priority().value_or(message_priority{})) {
    put_one(out, ", priority ");
    print_value(out, value.priority);
  }
  put_if(out, value.forwarded, ", forwarded");
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const rcpt_question& value) {
  put_all(out, "rcpt_question{TO:", value.forward_path.text(), value.parameters.empty() ? "" : " ", value.parameters.text());
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const data_question& value) {
  put_all(out, "data_question{", value.chunked ? "BDAT" : "DATA", ", ", value.recipients, " recipients");
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const message_question& value) {
  put_all(out, "message_question{", value.size, " octets, recipient ", value.recipient, " of ", value.recipients);
  put_if(out, value.has_long_line, ", has long line");
  put_if(out, value.has_eight_bit, ", has eight bit");
  put_if(out, value.has_bare_line_end, ", has bare line end");
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const listing& value) {
  if (value.full_name.empty()) return put_all(out, "<", value.mailbox.text(), ">");
  put_escaped(out, value.full_name);
  put_all(out, " <", value.mailbox.text(), ">");
}

template <class Lookup>
void print_lookup(sink& out, std::string_view name, const Lookup& value) {
  put_all(out, name, "{");
  put_escaped(out, value.argument);
  put_if(out, value.smtputf8, ", SMTPUTF8");
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const vrfy_question& value) { print_lookup(out, "vrfy_question", value); }

inline void print_value(sink& out, const expn_question& value) { print_lookup(out, "expn_question", value); }

inline void print_value(sink& out, const help_question& value) {
  put_one(out, "help_question{");
  put_escaped(out, value.topic);
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const etrn_question& value) {
  put_all(out, "etrn_question{", text_of(value.option), value.node);
  put_ticket(out, value.ticket);
}

/// The URL may hold a token that gives access.
inline void print_value(sink& out, const burl_question& value) {
  put_all(out, "burl_question{URL of ", value.url.size(), " octets");
  put_if(out, value.last, ", last");
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const xclient_question& value) {
  put_all(out, "xclient_question{", value.attributes.text());
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const xforward_question& value) {
  put_all(out, "xforward_question{", value.attributes.text());
  put_if(out, value.first, ", first");
  put_ticket(out, value.ticket);
}

/// The argument of a command that `ehlo` does not know may be a secret.
inline void print_value(sink& out, const custom_question& value) {
  put_all(out, "custom_question{", value.verb, ", argument of ", value.argument.size(), " octets");
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const exchange_ended& value) { put_all(out, "exchange_ended{", word(value.cause), "}"); }

// What a client asks and tells.

inline void print_value(sink& out, const idle&) { put_one(out, "idle"); }

/// The challenge appears as the number of its octets.
inline void print_value(sink& out, const credentials_question& value) {
  put_all(out, "credentials_question{", value.mechanism, ", step ", value.step);
  if (value.challenge) put_all(out, ", challenge of ", value.challenge->decoded_size(), " octets");
  put_ticket(out, value.ticket);
}

inline void print_value(sink& out, const mail_data_question& value) {
  put_all(out, "mail_data_question{", value.chunked ? "BDAT" : "DATA", ", ", value.recipients, " recipients");
  put_if(out, value.begin, ", begin");
  put_ticket(out, value.ticket);
}

/// "name{550 5.1.1 No such user}"
inline void print_with_reply(sink& out, std::string_view name, const received_reply& reply) {
  put_all(out, name, "{");
  print_value(out, reply);
  out.push_back('}');
}

inline void print_value(sink& out, const greeting_result& value) { print_with_reply(out, "greeting_result", value.reply); }

inline void print_value(sink& out, const hello_result& value) {
  put_all(out, "hello_result{", value.esmtp ? "ESMTP" : "SMTP");
  put_if(out, value.capabilities != capabilities{}, ", ");
  print_value(out, value.capabilities);
  out.push_back('}');
}

inline void print_value(sink& out, const starttls_result& value) { print_with_reply(out, "starttls_result", value.reply); }

inline void print_value(sink& out, const authentication_result& value) {
  put_all(out, "authentication_result{", value.mechanism, ", ");
  print_value(out, value.reply);
  out.push_back('}');
}

inline void print_value(sink& out, const ready& value) {
  put_one(out, "ready{");
  print_value(out, value.capabilities);
  out.push_back('}');
}

inline void print_value(sink& out, const recipient_result& value) {
  put_all(out, "recipient_result{recipient ", value.index, ", ");
  print_value(out, value.reply);
  // Where the code alone says otherwise: RFC 5321 4.5.3.1.10.
  put_if(out, value.transient && !value.reply.is_transient(), ", transient");
  out.push_back('}');
}

inline void print_value(sink& out, const recipient_deferred& value) {
  put_all(out, "recipient_deferred{recipient ", value.index, ", ");
  print_value(out, value.reason);
  out.push_back('}');
}

inline void print_value(sink& out, const message_result& value) {
  put_all(out, "message_result{recipients ", value.first, " to ", value.last, ", ");
  print_value(out, value.reply);
  out.push_back('}');
}

inline void print_value(sink& out, const transaction_failed& value) {
  put_one(out, "transaction_failed{");
  print_value(out, value.reason);
  put_all(out, ", ", word(value.delivery));
  if (value.reply) {
    put_one(out, ", ");
    print_value(out, *value.reply);
  }
  out.push_back('}');
}

inline void print_value(sink& out, const command_result& value) { print_with_reply(out, "command_result", value.reply); }

inline void print_value(sink& out, const unsolicited& value) { print_with_reply(out, "unsolicited", value.reply); }

inline void print_value(sink& out, const failed& value) {
  put_one(out, "failed{");
  print_value(out, value.reason);
  if (value.reply) {
    put_one(out, ", ");
    print_value(out, *value.reply);
  }
  put_if(out, value.offset > 0, " at octet ");
  if (value.offset > 0) put_one(out, value.offset);
  out.push_back('}');
}

// What an observer tells.

inline void print_value(sink& out, finding value) {
  const finding_text& told = describe(value);
  put_all(out, told.text, " (", told.clause, ")");
}

/// A command as the client gave it, its arguments checked by the grammar or escaped. What AUTH carries is not shown.
inline void print_command(sink& out, const any_command& value) {
  const auto put_parameters = [&out](const checked_parameters& list) { put_all(out, list.empty() ? "" : " ", list.text()); };
  std::visit(overloaded{
                 [&](const hello_command& c) { put_all(out, word(c.name), " ", c.client.text()); },
                 [&](const mail_command& c) {
                   put_all(out, "MAIL FROM:", c.reverse_path.text());
                   put_parameters(c.parameters);
                 },
                 [&](const rcpt_command& c) {
                   put_all(out, "RCPT TO:", c.forward_path.text());
                   put_parameters(c.parameters);
                 },
                 [&](const bdat_command& c) { put_all(out, "BDAT ", c.size, c.last ? " LAST" : ""); },
                 [&](const lookup_command& c) {
                   put_all(out, word(c.name), " ");
                   put_escaped(out, c.argument);
                 },
                 [&](const help_command& c) {
                   put_one(out, "HELP");
                   if (c.topic.empty()) return;
                   out.push_back(' ');
                   put_escaped(out, c.topic);
                 },
                 [&](const auth_command& c) { put_all(out, "AUTH ", shown_mechanism(c.mechanism)); },
                 [&](const plain_command& c) { put_one(out, word(c.name)); },
                 [&](const etrn_command& c) { put_all(out, "ETRN ", text_of(c.option), c.node); },
                 [&](const xclient_command& c) { put_all(out, "XCLIENT ", c.attributes.text()); },
                 [&](const xforward_command& c) { put_all(out, "XFORWARD ", c.attributes.text()); },
                 [&](const burl_command& c) { put_all(out, "BURL", c.last ? " LAST" : ""); },
                 [&](const auto&) { put_one(out, "command"); },
             },
             value);
}

inline void print_value(sink& out, const other_first& value) { put_all(out, "other_first{", word(value.from), "}"); }

inline void print_value(sink& out, const observed_command& value) {
  put_all(out, "observed_command{", value.serial, ": ");
  print_command(out, value.command);
  out.push_back('}');
}

/// The line may be anything: it appears as the number of its octets.
inline void print_value(sink& out, const malformed_command& value) {
  put_all(out, "malformed_command{", value.serial, ": ", word(value.name), ", ", value.line.size(), " octets, ");
  print_value(out, value.reason);
  out.push_back('}');
}

inline void print_value(sink& out, const observed_reply& value) {
  put_one(out, "observed_reply{");
  if (value.serial > 0) put_all(out, value.serial, ": ");
  put_all(out, value.serial > 0 || value.row != reply_row::custom ? word(value.row) : std::string_view{"none"}, ", ");
  print_value(out, value.reply);
  if (value.recipient > 0) put_all(out, ", recipient ", value.recipient);
  out.push_back('}');
}

inline void print_value(sink& out, const observed_hello& value) {
  put_all(out, "observed_hello{", value.protocol == protocol::lmtp ? "LMTP" : value.esmtp ? "ESMTP" : "SMTP");
  put_if(out, value.capabilities != capabilities{}, ", ");
  print_value(out, value.capabilities);
  out.push_back('}');
}

inline void print_value(sink& out, const observed_auth& value) {
  put_all(out, "observed_auth{", value.serial, ": ", word(value.what));
  if (value.what == observed_auth::step::command) put_all(out, " ", shown_mechanism(value.mechanism));
  if (value.what != observed_auth::step::command || value.has_response) put_all(out, ", ", value.octets, " octets");
  out.push_back('}');
}

inline void print_value(sink& out, const observed_message& value) {
  put_all(out, "observed_message{", value.serial, ": ", value.chunked ? "BDAT" : "DATA", ", ", value.size, " octets");
  put_if(out, value.has_long_line, ", has long line");
  put_if(out, value.has_eight_bit, ", has eight bit");
  put_if(out, value.has_bare_line_end, ", has bare line end");
  out.push_back('}');
}

inline void print_value(sink& out, const observed_tls&) { put_one(out, "observed_tls"); }

inline void print_value(sink& out, const anomaly& value) {
  put_one(out, "anomaly{");
  print_value(out, value.what);
  put_all(out, " at octet ", value.offset, " of the ", word(value.from), "}");
}

inline void print_value(sink& out, const joined_midway&) { put_one(out, "joined_midway"); }

inline void print_value(sink& out, const lost& value) {
  put_all(out, "lost{", word(value.cause), " at octet ", value.offset, " of the ", word(value.from), "}");
}

/// The types whose formatter is below. A list, so that no type is formatted because it converts to one of ours.
template <class T>
concept formatted_value =
    spelt_value<T> || self_writing<T> ||(std::is_enum_v<T>&& has_word<T>) ||
    is_one_of<T, version_number, errc, error, enhanced_status_code, reply, parameter, base64, claimed_submitter, notify_set,
              original_recipient, auth_mechanism, secret, date_time, mx_record, proxy::endpoint, proxy::tlv, proxy::ssl_facts,
              proxy::header, sasl::challenge, sasl::credentials, ticket, transmit, receive, start_tls, close_channel, answer_due,
              mail_data, transaction_reset, violation, wait, greeting_question, hello_question, starttls_question, auth_question,
              mail_question, rcpt_question, data_question, message_question, listing, vrfy_question, expn_question, help_question,
              etrn_question, burl_question, xclient_question, xforward_question, custom_question, exchange_ended, received_reply,
              keyword_line, announced_limits, capabilities, idle, credentials_question, mail_data_question, greeting_result,
              hello_result, starttls_result, authentication_result, ready, recipient_result, recipient_deferred, message_result,
              transaction_failed, command_result, unsolicited, failed, finding, other_first, observed_command, malformed_command,
              observed_reply, observed_hello, observed_auth, observed_message, observed_tls, anomaly, joined_midway, lost>;

/// Formats as a string what `print_value` has put together.
template <class T>
struct value_formatter : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(const T& value, Context& context) const {
    sink out;
    if constexpr (is_one_of<T, server_action, client_action, observer_action>) {
      std::visit([&out](const auto& action) { detail::print_value(out, action); }, value);
    } else if constexpr (std::is_same_v<T, any_command>) {
      detail::print_command(out, value);
    } else {
      detail::print_value(out, value);
    }
    return fmt::formatter<fmt::string_view>::format({out.data(), out.size()}, context);
  }
};

}  // namespace detail
}  // namespace ehlo

/// @cond
template <class T>
requires ehlo::detail::formatted_value<T>
struct fmt::formatter<T, char> : ehlo::detail::value_formatter<T> {
};

template <>
struct fmt::formatter<ehlo::formatted_reply, char> : fmt::formatter<ehlo::reply, char> {
  template <class Context>
  auto format(const ehlo::formatted_reply& value, Context& context) const {
    return fmt::formatter<ehlo::reply, char>::format(value.view(), context);
  }
};

/// Not for any variant: fmt may have a formatter for those.
template <>
struct fmt::formatter<ehlo::server_action, char> : ehlo::detail::value_formatter<ehlo::server_action> {};

template <>
struct fmt::formatter<ehlo::client_action, char> : ehlo::detail::value_formatter<ehlo::client_action> {};

template <>
struct fmt::formatter<ehlo::observer_action, char> : ehlo::detail::value_formatter<ehlo::observer_action> {};

/// A command as a line: what AUTH and BURL carry is not shown.
template <>
struct fmt::formatter<ehlo::any_command, char> : ehlo::detail::value_formatter<ehlo::any_command> {};
/// @endcond

#endif  // EHLO_FORMAT_HPP
