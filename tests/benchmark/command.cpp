// SPDX-License-Identifier: BSL-1.0
// Command lines and mailboxes to values; the same commands fed to a session in pieces. Rows 1 to 4.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <variant>

#include <ehlo/codec/command_parser.hpp>
#include <ehlo/server/session.hpp>

#include "floors/commands.hpp"
#include "support/cases.hpp"
#ifdef EHLO_BENCHMARK_HAS_DOVECOT
#include "peers/dovecot.h"
#endif

namespace {

/// What the peer is told to offer, too.
constexpr ehlo::offered_parameters offered{
    .size = true, .eight_bit_mime = true, .binary_mime = true, .smtputf8 = true, .dsn = true, .auth = true};

bool is_good(const ehlo::any_command& command) {
  using place = ehlo::custom_parameter::place;
  if (const auto* const mail = std::get_if<ehlo::mail_command>(&command))
    return ehlo::check_parameters(mail->parameters.list(), offered, place::mail, ehlo::charset::utf8).has_value();
  if (const auto* const rcpt = std::get_if<ehlo::rcpt_command>(&command))
    return ehlo::check_parameters(rcpt->parameters.list(), offered, place::rcpt, ehlo::charset::utf8).has_value();
  return true;
}

bench::work parse_commands(std::string_view octets) {
  bench::work done{0, octets.size(), 0};
  const char* at = octets.data();
  const char* const end = at + octets.size();
  while (const auto* const lf = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) {
    ++done.items;
    if (lf > at && lf[-1] == '\r') {
      const auto command = ehlo::parse_command({at, static_cast<std::size_t>(lf - 1 - at)}, ehlo::charset::utf8);
      done.good += command && is_good(*command) ? 1U : 0U;
      bench::keep(command);
    }
    at = lf + 1;
  }
  return done;
}

bench::work parse_mailboxes(std::string_view octets) {
  bench::work done{0, octets.size(), 0};
  while (!octets.empty()) {
    const std::size_t lf = octets.find('\n');
    ++done.items;
    const auto mailbox = ehlo::mailbox::parse(octets.substr(0, lf), ehlo::charset::utf8);
    done.good += mailbox ? 1U : 0U;
    bench::keep(mailbox);
    octets.remove_prefix(lf + 1);
  }
  return done;
}

/// Feeds commands to one session, which answers each of them with success; `good` counts the octets of the answers.
bench::work feed_session(std::string_view octets, std::size_t feed) {
  static const ehlo::server_options options = [] {
    ehlo::server_options out{.hostname = "mx.example"};
    out.extensions.dsn = true;
    out.limits.message = 0;
    out.limits.errors = 0;
    return out;
  }();
  bench::work done{static_cast<std::size_t>(std::count(octets.begin(), octets.end(), '\n')), octets.size(), 0};
  ehlo::server_session session{options};
  std::string_view input;
  for (;;) {
    const ehlo::server_action action = session.next(input);
    if (const auto* const out = std::get_if<ehlo::transmit>(&action)) {
      done.good += out->octets.size();
    } else if (std::holds_alternative<ehlo::receive>(action)) {
      if (octets.empty()) break;
      input = octets.substr(0, feed);
      octets.remove_prefix(input.size());
    } else if (std::holds_alternative<ehlo::rcpt_question>(action)) {
      session.accept();
    } else if (std::holds_alternative<ehlo::close_channel>(action)) {
      break;
    } else {
      session.answer_default();
    }
  }
  return done;
}

/// Transactions as a client sends them, up to the data: for commands in their order.
std::string transactions() {
  std::string out = "EHLO client.example\r\n";
  std::string_view mail = bench::corpus("cmd_mailp.txt");
  std::string_view rcpt = bench::corpus("cmd_rcpt.txt");
  const auto next = [](std::string_view& lines) {
    const std::string_view line = lines.substr(0, lines.find('\n') + 1);
    lines.remove_prefix(line.size());
    return line;
  };
  while (out.size() < 200000) {
    out += next(mail);
    out += next(rcpt);
    out += next(rcpt);
    out += "RSET\r\n";
  }
  return out;
}

}  // namespace

void add_cases() {
  const std::string_view mix = bench::corpus("cmd_mix.txt");
  bench::add("command/mix/ehlo", [mix] { return parse_commands(mix); });
  bench::add("command/mix/floor", [mix] { return floors::parse_commands(mix); });
  for (const char* verb : {"DATA", "RSET", "QUIT", "NOOP"}) {
    std::string lines;
    for (int i = 0; i < 10000; ++i) lines += std::string{verb} + "\r\n";
    bench::add("command/" + std::string{verb} + "/ehlo", [lines] { return parse_commands(lines); });
  }
  const std::string_view mailboxes = bench::corpus("addr_mix.txt");
  bench::add("mailbox/mix/ehlo", [mailboxes] { return parse_mailboxes(mailboxes); });
  bench::add("mailbox/mix/floor", [mailboxes] { return floors::parse_mailboxes(mailboxes); });
  static const std::string dialogue = transactions();
  for (const std::size_t feed : {16384, 64, 16, 1})
    bench::add("commands-fed/" + std::to_string(feed) + "/ehlo", [feed] { return feed_session(dialogue, feed); });
#ifdef EHLO_BENCHMARK_HAS_DOVECOT
  dovecot_begin();
  bench::add("command/mix/dovecot", [mix] {
    const auto done = dovecot_commands(mix.data(), mix.size());
    return bench::work{done.items, mix.size(), done.good};
  });
  static std::string writable{mailboxes};
  bench::add("mailbox/mix/dovecot", [] {
    const auto done = dovecot_mailboxes(writable.data(), writable.size());
    return bench::work{done.items, writable.size(), done.good};
  });
#endif
}
