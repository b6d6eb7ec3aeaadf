// SPDX-License-Identifier: BSL-1.0
// Replies: octets to values, and values to octets. Rows 11 and 12.
#include <array>
#include <cstddef>
#include <cstdio>
#include <string_view>

#include <fmt/compile.h>
#include <fmt/format.h>

#include <ehlo/codec/reply_parser.hpp>
#include <ehlo/codec/reply_writer.hpp>

#include "floors/commands.hpp"
#include "support/cases.hpp"
#ifdef EHLO_BENCHMARK_HAS_DOVECOT
#include "peers/dovecot.h"
#endif

namespace {

bench::work parse_replies(std::string_view octets) {
  bench::work done{0, octets.size(), 0};
  ehlo::reply_parser parser;
  while (!octets.empty()) {
    const auto step = parser.next(octets);
    ++done.items;
    if (step.what != ehlo::reply_parser::step::kind::complete) break;
    const ehlo::received_reply reply = parser.reply(octets.substr(0, step.taken), true);
    bench::keep(reply);
    done.good += reply.code() > 0 ? 1U : 0U;
    octets.remove_prefix(step.taken);
  }
  return done;
}

constexpr std::size_t times = 20000;
std::array<char, 4096> out;

constexpr std::array<std::string_view, 9> ehlo_lines{"mail.example.com",    "PIPELINING", "8BITMIME",
                                                     "ENHANCEDSTATUSCODES", "SMTPUTF8",   "CHUNKING",
                                                     "SIZE 36700160",       "DSN",        "STARTTLS"};

/// Numbers and text that the compiler does not know.
struct parts {
  int code = 250;
  unsigned first = 2;
  unsigned second = 1;
  unsigned third = 5;
  std::string_view text = "OK";
};

template <class Write>
bench::work repeat(Write write) {
  bench::work done{times, 0, 0};
  for (std::size_t i = 0; i < times; ++i) {
    done.good = write();
    bench::keep(out);
  }
  done.octets = times * done.good;
  return done;
}

bench::work write_reply(ehlo::reply reply) {
  bench::hide(reply);
  return repeat(
      [&reply] { return static_cast<std::size_t>(ehlo::write(reply, ehlo::enhanced_codes::write, out.data()) - out.data()); });
}

bench::work write_by_snprintf() {
  parts p;
  bench::hide(p);
  return repeat([&p] {
    return static_cast<std::size_t>(std::snprintf(out.data(), out.size(), "%d %u.%u.%u %.*s\r\n", p.code, p.first, p.second,
                                                  p.third, static_cast<int>(p.text.size()), p.text.data()));
  });
}

bench::work write_by_fmt() {
  parts p;
  bench::hide(p);
  return repeat([&p] {
    return static_cast<std::size_t>(
        fmt::format_to(out.data(), FMT_COMPILE("{} {}.{}.{} {}\r\n"), p.code, p.first, p.second, p.third, p.text) - out.data());
  });
}

}  // namespace

void add_cases() {
  const std::string_view replies = bench::corpus("reply_mix.txt");
  bench::add("reply/mix/ehlo", [replies] { return parse_replies(replies); });
  bench::add("reply/mix/floor", [replies] { return floors::parse_replies(replies); });
  bench::add("write-reply/one/ehlo", [] { return write_reply(ehlo::reply{250, {2, 1, 5}, "OK"}); });
  bench::add("write-reply/one/snprintf", write_by_snprintf);
  bench::add("write-reply/one/fmt", write_by_fmt);
  bench::add("write-reply/hello/ehlo", [] { return write_reply(*ehlo::reply::make(250, {}, ehlo_lines)); });
#ifdef EHLO_BENCHMARK_HAS_DOVECOT
  dovecot_begin();
  const auto as_work = [](dovecot_work done, std::size_t octets) { return bench::work{done.items, octets, done.good}; };
  bench::add("reply/mix/dovecot", [=] { return as_work(dovecot_replies(replies.data(), replies.size()), replies.size()); });
  bench::add("write-reply/one/dovecot", [=] { return as_work(dovecot_write_reply(times), 0); });
  bench::add("write-reply/hello/dovecot", [=] { return as_work(dovecot_write_ehlo_reply(times), 0); });
#endif
}
