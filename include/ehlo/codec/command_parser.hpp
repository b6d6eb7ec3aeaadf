// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CODEC_COMMAND_PARSER_HPP
#define EHLO_CODEC_COMMAND_PARSER_HPP

/// @file
/// A command line to a command. RFC 5321 4.1.1, 3030 2, 4954 4, 6531 3.7.4.2.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/command.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/local_part.hpp>
#include <ehlo/grammar/parameter.hpp>
#include <ehlo/grammar/path.hpp>
#include <ehlo/octet_run.hpp>
#include <ehlo/parameters.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// What is taken although the grammar does not allow it. All off: strict is the default.
struct leniency {
  bool space_after_colon = false;  ///< "MAIL FROM: <a@b>"; risks nothing that we know, hides broken clients (RFC 5321 3.3)
  bool helo_literal = false;       ///< HELO with an address literal, as if it were EHLO's (RFC 5321 4.1.1.1)
  bool words_after_hello = false;  ///< "EHLO [192.0.2.7] laptop"; the words are dropped (RFC 5321 4.1.1.1)
};

/// What becomes of a path with a source route, as `<@relay.example:a@b.example>`. RFC 5321 3.6.1, 4.1.2, F.2.
enum class route_policy : std::uint8_t {
  ignore,        ///< the path is taken, and the route is left out, as RFC 5321 wants
  syntax_error,  ///< 501: it is no path any more
  refuse,        ///< 553: it is one that this server does not take
};

/// What is refused although the grammar of RFC 5321 allows it: the points where its successor, the draft rfc5321bis, is stricter.
/// All off: what RFC 5321 says is the default.
struct strictness {
  /// Refusing costs mail of hosts that still write routes, which are hardly any; ignoring one costs nothing, for nobody acts on it.
  route_policy source_routes = route_policy::ignore;
  bool empty_local_part = false;  ///< `""@example.org` gets 501; the mailbox is there if its host says so (RFC 5321 2.3.11)

  /// Fails with `errc::source_route_obsolete`, `source_route_refused` or `empty_local_part`; the offset counts from the path's <.
  constexpr result<void> check(const path_view& path) const {
    if (path.has_route() && source_routes != route_policy::ignore)
      return error{source_routes == route_policy::refuse ? errc::source_route_refused : errc::source_route_obsolete, 1};
    if (empty_local_part && path.has_empty_local_part())
      return error{errc::empty_local_part, path.has_route() ? path.route().size() + 2 : 1};
    return {};
  }
};

/// A command line cut at its first space.
struct command_line {
  verb name = verb::unknown;
  std::string_view word;            ///< the first word, as it was spelt
  std::string_view argument;        ///< what stands behind the one space; without white space at the end (RFC 5321 4.1.1)
  std::size_t argument_offset = 0;  ///< of the argument in the line
  bool has_space = false;           ///< a space followed the word
};

namespace detail {

/// Cuts a line at its first space, which stands at `space`, or behind the line's end.
constexpr command_line cut_at(std::string_view line, verb name, std::size_t space) {
  const bool has_space = space < line.size();
  const std::size_t start = has_space ? space + 1 : line.size();
  return {name, {line.data(), space}, {line.data() + start, line.size() - start}, start, has_space};
}

/// Any line. White space at its end is dropped (RFC 5321 4.1.1).
[[gnu::noinline]] constexpr command_line split_any(std::string_view line) {
  while (!line.empty() && ascii::blank.contains(line.back())) line.remove_suffix(1);
  const std::size_t space = std::min(line.find(' '), line.size());
  return cut_at(line, verb_of(line.substr(0, space)), space);
}

/// A line that is more than a verb, or none. Most have a verb of four octets and no white space at their end.
[[gnu::noinline]] constexpr command_line split_at_space(std::string_view line) {
  constexpr std::size_t usual = 4;
  if (line.size() > usual && line[usual] == ' ' && !ascii::blank.contains(line.back())) {
    if (const verb name = verb_of({line.data(), usual}); name != verb::unknown) return cut_at(line, name, usual);
  }
  return split_any(line);
}

}  // namespace detail

/// Cuts `line`, which has no CRLF. Never fails: a word that is no verb is `verb::unknown`.
constexpr command_line split_command(std::string_view line) {
  if (const verb alone = line.size() > longest_verb ? verb::unknown : verb_of(line); alone != verb::unknown)
    return {alone, line, line.substr(line.size()), line.size(), false};
  return detail::split_at_space(line);
}

/// The first CR, LF or NUL of a line, which no command holds, not even where its argument is ignored. RFC 5321 2.3.8, 4.1.2.
///
/// `errc::bare_cr`, `bare_lf` or `nul_octet`.
constexpr std::optional<error> find_forbidden_octet(std::string_view line) {
  constexpr auto allowed = ascii::all - ascii::octet_class{std::string_view{"\r\n\0", 3}};
  const std::size_t at = end_of_run<allowed>(line);
  if (at == line.size()) return std::nullopt;
  return error{line[at] == '\r' ? errc::bare_cr : line[at] == '\n' ? errc::bare_lf : errc::nul_octet, at};
}

/// ehlo = "EHLO" SP ( Domain / address-literal ) CRLF
/// helo = "HELO" SP Domain CRLF              RFC 5321 4.1.1.1
///
/// The offsets of errors count from the argument's first octet, here and below.
constexpr result<hello_command> parse_hello(verb name, std::string_view argument, const leniency& taken = {}) {
  if (argument.empty()) return error{errc::argument_missing};
  std::string_view client = argument;
  if (taken.words_after_hello && argument.front() == '[') client = argument.substr(0, argument.find(' '));
  const auto host = ehlo::host::parse(client);
  if (!host) return host.error();
  if (name == verb::helo && host->is_address_literal() && !taken.helo_literal) return error{errc::empty_label};
  return hello_command{name, *host};
}

namespace detail {

/// [SP Mail-parameters] behind a path.
constexpr result<parameter_list> parse_parameters(cursor& in, charset set) {
  if (in.at_end()) return parameter_list{};
  if (!in.take(' ')) return error{errc::trailing_octets, in.offset()};
  const std::size_t start = in.offset();
  if (in.at_end()) return error{errc::parameter_keyword, start};
  const auto list = parameter_list::parse(in.rest(), set);
  if (!list) return error{list.error().code, start + list.error().offset};
  return list;
}

}  // namespace detail

/// mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF      RFC 5321 4.1.1.2
///
/// What the parameters say is checked by `check_parameters`. With `charset::utf8` path and values may hold UTF-8.
constexpr result<mail_command> parse_mail(std::string_view argument, charset set = charset::ascii, const leniency& taken = {}) {
  cursor in{argument};
  if (!in.take_ignoring_case("FROM:")) return error{errc::from_missing};
  if (taken.space_after_colon) in.take(' ');
  const auto path = grammar::reverse_path(in, set);
  if (!path) return path.error();
  const auto list = detail::parse_parameters(in, set);
  if (!list) return list.error();
  return mail_command{*path, mail_parameters{*list}};
}

/// rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF      RFC 5321 4.1.1.3
constexpr result<rcpt_command> parse_rcpt(std::string_view argument, charset set = charset::ascii, const leniency& taken = {}) {
  cursor in{argument};
  if (!in.take_ignoring_case("TO:")) return error{errc::to_missing};
  if (taken.space_after_colon) in.take(' ');
  const auto path = grammar::forward_path(in, set);
  if (!path) return path.error();
  const auto list = detail::parse_parameters(in, set);
  if (!list) return list.error();
  return rcpt_command{*path, rcpt_parameters{*list}};
}

/// A chunk's command, and whether what follows its size is in order: with a size that can be read, the octets behind the
/// command are mail data even if the command is refused.
struct chunk_command {
  bdat_command command;
  result<void> check{};  ///< `errc::last_missing` when something else than LAST follows the size
};

/// bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF      RFC 3030 2
///
/// Fails with `errc::chunk_size` or `errc::chunk_size_too_large`: then nobody knows where the next command begins.
constexpr result<chunk_command> parse_bdat(std::string_view argument) {
  cursor in{argument};
  const std::string_view digits = in.take_while(ascii::digit);
  if (digits.empty() || !(in.at_end() || in.peek() == ' ')) return error{errc::chunk_size, in.offset()};
  chunk_command out;
  for (const char c : digits) {
    const auto value = static_cast<std::uint64_t>(c - '0');
    if (out.command.size > (std::numeric_limits<std::uint64_t>::max() - value) / 10) return error{errc::chunk_size_too_large};
    out.command.size = out.command.size * 10 + value;
  }
  if (in.at_end()) return out;
  in.take(' ');
  const std::size_t start = in.offset();
  out.command.last = in.take_ignoring_case("LAST");
  if (!out.command.last || !in.at_end()) out.check = error{errc::last_missing, start};
  return out;
}

/// vrfy = "VRFY" SP String [SP "SMTPUTF8"] CRLF
/// expn = "EXPN" SP String [SP "SMTPUTF8"] CRLF      RFC 5321 4.1.1.6, 4.1.1.7, RFC 6531 3.7.4.2
///
/// The argument is a String, or a mailbox with or without angle brackets (3.5.1). `set` says whether SMTPUTF8 is offered.
constexpr result<lookup_command> parse_lookup(verb name, std::string_view argument, charset set = charset::ascii) {
  if (argument.empty()) return error{errc::argument_missing};
  lookup_command out{name, argument, std::nullopt, false};
  constexpr std::string_view word = " SMTPUTF8";
  if (set == charset::utf8 && argument.size() > word.size() &&
      ascii::equal_ignoring_case(argument.substr(argument.size() - word.size()), word)) {
    out.smtputf8 = true;
    out.argument.remove_suffix(word.size());
  }
  const charset inner = out.smtputf8 ? charset::utf8 : charset::ascii;
  std::string_view bare = out.argument;
  std::size_t start = 0;
  if (bare.size() >= 2 && bare.front() == '<' && bare.back() == '>') {
    bare = bare.substr(1, bare.size() - 2);
    start = 1;
  }
  if (const auto mailbox = ehlo::mailbox::parse(bare, inner)) {
    out.mailbox = *mailbox;
    return out;
  }
  cursor in{bare};
  const auto text = grammar::string(in, inner);
  if (!text) return error{text.error().code, start + text.error().offset};
  if (!in.at_end()) return error{errc::trailing_octets, start + in.offset()};
  return out;
}

/// help = "HELP" [ SP String ] CRLF          RFC 5321 4.1.1.8
constexpr result<help_command> parse_help(std::string_view argument) {
  if (argument.empty()) return help_command{};
  if (const auto text = grammar::match(grammar::string, argument, charset::ascii); !text) return text.error();
  return help_command{argument};
}

/// auth-command = "AUTH" SP sasl-mech [SP initial-response] CRLF      RFC 4954 8
///
/// Whether the initial response is base64 is for the session to check, which gives an error of its own (4).
constexpr result<auth_command> parse_auth(std::string_view argument) {
  if (argument.empty()) return error{errc::argument_missing};
  const std::size_t space = argument.find(' ');
  const auto name = parse_mechanism_name(argument.substr(0, space));
  if (!name) return name.error();
  if (space == argument.npos) return auth_command{*name, std::nullopt};
  const std::string_view response = argument.substr(space + 1);
  if (const std::size_t second = response.find(' '); response.empty() || second != response.npos)
    return error{errc::trailing_octets, space + 1 + (response.empty() ? 0 : second)};
  return auth_command{*name, response};
}

/// The parameters that a session offers on MAIL and RCPT.
struct offered_parameters {
  bool size = false;            ///< RFC 1870
  bool eight_bit_mime = false;  ///< RFC 6152: BODY
  bool binary_mime = false;     ///< RFC 3030: BODY=BINARYMIME
  bool smtputf8 = false;        ///< RFC 6531
  bool dsn = false;             ///< RFC 3461
  bool auth = false;            ///< RFC 4954
  bool require_tls = false;     ///< RFC 8689
  bool deliver_by = false;      ///< RFC 2852
  bool future_release = false;  ///< RFC 4865
  bool priority = false;        ///< RFC 6710
  bool rrvs = false;            ///< RFC 7293
  bool mtrk = false;            ///< RFC 3885
  bool no_soliciting = false;   ///< RFC 3865
  std::span<const custom_parameter> custom{};
};

namespace detail {

/// Whether the value of a parameter is in order; `errc::parameter_unknown` if the parameter is not offered there.
constexpr result<void> check_known_value(known_parameter name, const parameter& p, const offered_parameters& offered,
                                         custom_parameter::place place, charset set) {
  const bool on_mail = place == custom_parameter::place::mail;
  const std::string_view value = p.value.value_or(std::string_view{});
  const auto told = [](bool is_offered, auto parse) -> result<void> {
    if (!is_offered) return error{errc::parameter_unknown};
    const auto parsed = parse();
    if (!parsed) return parsed.error();
    return {};
  };
  const auto without_value = [&p](bool is_offered) -> result<void> {
    if (!is_offered) return error{errc::parameter_unknown};
    if (p.value) return error{errc::value_not_allowed};
    return {};
  };
  switch (name) {
    case known_parameter::size: return told(on_mail && offered.size, [value] { return parse_size(value); });
    case known_parameter::body:
      return told(on_mail && offered.eight_bit_mime, [value, &offered]() -> result<body_type> {
        const auto body = parse_body(value);
        if (body && *body == body_type::binary && !offered.binary_mime) return error{errc::body_value};
        return body;
      });
    case known_parameter::smtputf8: return without_value(on_mail && offered.smtputf8);
    case known_parameter::require_tls: return without_value(on_mail && offered.require_tls);
    case known_parameter::ret: return told(on_mail && offered.dsn, [value] { return parse_ret(value); });
    case known_parameter::envid: return told(on_mail && offered.dsn, [value] { return parse_envid(value); });
    case known_parameter::by: return told(on_mail && offered.deliver_by, [value] { return parse_deliver_by(value); });
    case known_parameter::hold_for: return told(on_mail && offered.future_release, [value] { return parse_hold_for(value); });
    case known_parameter::hold_until: return told(on_mail && offered.future_release, [value] { return parse_hold_until(value); });
    case known_parameter::priority: return told(on_mail && offered.priority, [value] { return parse_priority(value); });
    case known_parameter::mtrk: return told(on_mail && offered.mtrk, [value] { return parse_tracking(value); });
    case known_parameter::solicit:
      return told(on_mail && offered.no_soliciting, [value] { return solicitation_keywords::parse(value); });
    case known_parameter::auth: return told(on_mail && offered.auth, [value, set] { return claimed_submitter::parse(value, set); });
    case known_parameter::notify: return told(!on_mail && offered.dsn, [value] { return parse_notify(value); });
    case known_parameter::orcpt: return told(!on_mail && offered.dsn, [value, set] { return parse_orcpt(value, set); });
    case known_parameter::rrvs: return told(!on_mail && offered.rrvs, [value] { return parse_valid_since(value); });
    case known_parameter::other: break;
  }
  return error{errc::parameter_unknown};
}

/// The same for a parameter that the caller brings.
constexpr result<void> check_custom_value(const parameter& p, std::span<const custom_parameter> offered,
                                          custom_parameter::place place) {
  for (const custom_parameter& brought : offered) {
    if (brought.command != place || !ascii::equal_ignoring_case(p.keyword, brought.keyword)) continue;
    if (brought.value == custom_parameter::value_rule::none && p.value) return error{errc::value_not_allowed};
    if (brought.value == custom_parameter::value_rule::required && !p.value) return error{errc::parameter_value};
    return {};
  }
  return error{errc::parameter_unknown};
}

}  // namespace detail

/// Checks what the parameters of MAIL or RCPT say: each offered, none twice, each value by its own standard. Tells which of those
/// that `ehlo` knows are there.
///
/// `set` is `charset::utf8` for MAIL where SMTPUTF8 is offered (without SMTPUTF8 in the list, AUTH names no mailbox with UTF-8 all
/// the same), and for RCPT in a transaction with SMTPUTF8. Fails with `errc::parameter_unknown` (555), `parameter_duplicate` or
/// the error of the value (501); the offset counts from the list's first octet. RFC 5321 4.1.1.11.
constexpr result<parameter_set> check_parameters(const parameter_list& list, const offered_parameters& offered,
                                                 custom_parameter::place place, charset set = charset::ascii) {
  parameter_set seen;
  for (const parameter& p : list) {
    const known_parameter name = known_parameter_of(p.keyword);
    const charset of_value = name == known_parameter::auth && !list.find("SMTPUTF8") ? charset::ascii : set;
    auto value = detail::check_known_value(name, p, offered, place, of_value);
    if (!value && value.error().code == errc::parameter_unknown) value = detail::check_custom_value(p, offered.custom, place);
    if (!value) return error{value.error().code, p.offset};
    if (name == known_parameter::other ? list.find(p.keyword)->offset != p.offset : seen.has(name)) {
      // RFC 6710 4.1 has an enhanced code of its own for this.
      return error{name == known_parameter::priority ? errc::priority_value : errc::parameter_duplicate, p.offset};
    }
    seen.add(name);
  }
  return seen;
}

namespace detail {

/// An error of the argument, with its offset counted in the line.
constexpr error in_line(const command_line& cut, const error& reason) { return {reason.code, cut.argument_offset + reason.offset}; }

/// What was made of the argument, as any command.
constexpr result<any_command> to_command(const command_line& cut, const auto& parsed) {
  if (!parsed) return in_line(cut, parsed.error());
  return *parsed;
}

/// Commands that most sessions do without, or have once: so that the others do not pay for what these keep in registers.
[[gnu::noinline]] constexpr result<any_command> parse_rare_command(const command_line& cut, charset set) {
  switch (cut.name) {
    case verb::bdat: {
      const auto chunk = parse_bdat(cut.argument);
      if (!chunk) return in_line(cut, chunk.error());
      if (!chunk->check) return in_line(cut, chunk->check.error());
      return chunk->command;
    }
    case verb::vrfy:
    case verb::expn: return to_command(cut, parse_lookup(cut.name, cut.argument, set));
    case verb::help: return to_command(cut, parse_help(cut.argument));
    case verb::auth: return to_command(cut, parse_auth(cut.argument));
    case verb::etrn: return to_command(cut, parse_etrn(cut.argument));
    case verb::burl: return to_command(cut, parse_burl(cut.argument));
    case verb::xclient: {
      const auto attributes = xclient_attributes::parse(cut.argument);
      if (!attributes) return in_line(cut, attributes.error());
      return xclient_command{*attributes};
    }
    case verb::xforward: {
      const auto attributes = xforward_attributes::parse(cut.argument);
      if (!attributes) return in_line(cut, attributes.error());
      return xforward_command{*attributes};
    }
    case verb::send:
    case verb::soml:
    case verb::saml:
    case verb::turn: return error{errc::verb_not_implemented};
    case verb::ehlo:
    case verb::helo:
    case verb::lhlo:
    case verb::mail:
    case verb::rcpt:
    case verb::data:
    case verb::rset:
    case verb::noop:
    case verb::quit:
    case verb::starttls:
    case verb::unknown: break;
  }
  return error{errc::unknown_verb};
}

/// The command of a line that has been cut, whatever octets it holds.
constexpr result<any_command> parse_cut_command(const command_line& cut, charset set, const leniency& taken) {
  switch (cut.name) {
    case verb::ehlo:
    case verb::helo:
    case verb::lhlo: return to_command(cut, parse_hello(cut.name, cut.argument, taken));
    case verb::mail: return to_command(cut, parse_mail(cut.argument, set, taken));
    case verb::rcpt: return to_command(cut, parse_rcpt(cut.argument, set, taken));
    case verb::noop: return plain_command{cut.name};
    case verb::data:
    case verb::rset:
    case verb::quit:
    case verb::starttls:
      if (!cut.argument.empty()) return error{errc::argument_not_allowed, cut.argument_offset};
      return plain_command{cut.name};
    default: return parse_rare_command(cut, set);
  }
}

}  // namespace detail

/// Any command line to its command, without regard to what is offered. Offsets count from the line's first octet.
///
/// Fails with the errors of the grammar and of `find_forbidden_octet`, `errc::unknown_verb`, `verb_not_implemented` (SEND, SOML,
/// SAML, TURN), `argument_missing` or `argument_not_allowed`.
constexpr result<any_command> parse_command(std::string_view line, charset set = charset::ascii, const leniency& taken = {}) {
  const command_line cut = split_command(line);
  auto parsed = detail::parse_cut_command(cut, set, taken);
  // No rule takes CR, LF and NUL but those that leave octets unread. Where another rule is broken, these are told first.
  const bool is_hello = cut.name == verb::ehlo || cut.name == verb::helo || cut.name == verb::lhlo;
  const bool leaves_octets = cut.name == verb::noop || cut.name == verb::auth || (is_hello && taken.words_after_hello);
  if (!parsed || (leaves_octets && !cut.argument.empty())) {
    if (const auto octet = find_forbidden_octet(line)) parsed = *octet;
  }
  return parsed;
}

}  // namespace ehlo

#endif  // EHLO_CODEC_COMMAND_PARSER_HPP
