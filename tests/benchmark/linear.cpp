// SPDX-License-Identifier: BSL-1.0
// Work for each octet, for long bodies, lines and lists, in feeds of any size: callgrind compares 64 KiB with 1 MiB. Row 23.
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <ehlo/codec/command_parser.hpp>
#include <ehlo/codec/reply_parser.hpp>
#include <ehlo/server/session.hpp>

#include "support/cases.hpp"

namespace {

/// Feeds a session that has a transaction open, and answers; `good` counts the octets that came out in any way.
bench::work feed_session(std::string_view first, std::string_view octets, std::size_t feed) {
  static constexpr ehlo::auth_mechanism mechanisms[] = {{.name = "X-TEST", .needs_tls = false}};
  static const ehlo::server_options options = [] {
    ehlo::server_options out{.hostname = "mx.example", .mechanisms = mechanisms};
    out.limits.message = 0;
    out.limits.auth_line = 1U << 21U;
    return out;
  }();
  bench::work done{octets.size(), octets.size(), 0};
  ehlo::server_session session{options};
  std::string_view input;
  bool is_challenged = false;
  for (bool is_begun = false;;) {
    const ehlo::server_action action = session.next(input);
    if (const auto* const data = std::get_if<ehlo::mail_data>(&action)) {
      done.good += data->octets.size();
    } else if (const auto* const out = std::get_if<ehlo::transmit>(&action)) {
      done.good += out->octets.size();
    } else if (std::holds_alternative<ehlo::receive>(action)) {
      if (octets.empty()) return done;
      if (std::exchange(is_begun, true)) {
        input = octets.substr(0, feed);
        octets.remove_prefix(input.size());
      } else {
        input = first;
      }
    } else if (const auto* const q = std::get_if<ehlo::auth_question>(&action)) {
      done.good += q->mechanism.size();
      std::exchange(is_challenged, true) ? session.reject(ehlo::replies::bad_credentials) : session.challenge("");
    } else if (std::holds_alternative<ehlo::rcpt_question>(action)) {
      session.accept();
    } else if (std::holds_alternative<ehlo::close_channel>(action)) {
      return done;
    } else {
      session.answer_default();
    }
  }
}

bench::work parse_parameters(std::string_view line) {
  bench::work done{line.size(), line.size(), 0};
  const auto command = ehlo::parse_command(line);
  if (!command) return done;
  const ehlo::parameter_list& list = std::get<ehlo::mail_command>(*command).parameters.list();
  for (const ehlo::parameter& each : list) done.good += each.keyword.size();
  const auto good = ehlo::check_parameters(list, {.size = true}, ehlo::custom_parameter::place::mail);
  bench::keep(good);
  return done;
}

bench::work parse_reply(std::string_view octets, std::size_t feed) {
  constexpr ehlo::reply_limits most{.line = 1U << 21U, .lines = 1U << 21U, .octets = 1U << 22U};
  bench::work done{octets.size(), octets.size(), 0};
  ehlo::reply_parser parser;
  while (!octets.empty()) {
    const auto step = parser.next(octets.substr(0, feed), most);
    done.good += step.taken;
    if (step.what == ehlo::reply_parser::step::kind::broken) return done;
    octets.remove_prefix(step.taken);
  }
  return done;
}

/// `begin`, `unit` again and again up to `size` octets, and `end`.
std::string long_text(std::string_view begin, std::string_view unit, std::string_view end, std::size_t size) {
  std::string out{begin};
  while (out.size() < size) out += unit;
  out += end;
  return out;
}

constexpr std::string_view transaction =
    "EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n";

/// Adds a case for each size; `make` gives its octets.
template <class Make, class Run>
void add_sizes(const std::string& name, Make make, Run run) {
  for (const auto& [size_name, size] : {std::pair{"64K", std::size_t{1} << 16U}, std::pair{"1M", std::size_t{1} << 20U}}) {
    bench::add("linear/" + name + "/" + size_name,
               [octets = std::function<std::string()>{[=] { return make(size); }}, run, made = std::string{}]() mutable {
                 if (made.empty()) made = octets();
                 return run(std::string_view{made});
               });
  }
}

}  // namespace

void add_cases() {
  for (const std::size_t feed : {std::size_t{1}, std::size_t{64}, std::size_t{1460}, std::size_t{1} << 21U}) {
    const std::string of_feed = feed > 65536 ? "whole" : std::to_string(feed);
    add_sizes(
        "body/" + of_feed, [](std::size_t size) { return std::string{bench::lines_up_to(bench::corpus("body_text.bin"), size)}; },
        [feed](std::string_view octets) { return feed_session(transaction, octets, feed); });
    add_sizes(
        "dots/" + of_feed, [](std::size_t size) { return std::string{bench::lines_up_to(bench::corpus("body_dots.bin"), size)}; },
        [feed](std::string_view octets) { return feed_session(transaction, octets, feed); });
    add_sizes(
        "body-of-one-line/" + of_feed, [](std::size_t size) { return long_text("", "x", "\r\n", size); },
        [feed](std::string_view octets) { return feed_session(transaction, octets, feed); });
    add_sizes(
        "command-line/" + of_feed, [](std::size_t size) { return long_text("NOOP ", "x", "\r\n", size); },
        [feed](std::string_view octets) { return feed_session("EHLO client.example\r\n", octets, feed); });
    add_sizes(
        "auth-line/" + of_feed, [](std::size_t size) { return long_text("", "QUJD", "\r\n", size); },
        [feed](std::string_view octets) { return feed_session("EHLO client.example\r\nAUTH X-TEST\r\n", octets, feed); });
    add_sizes(
        "reply-line/" + of_feed, [](std::size_t size) { return long_text("250 ", "x", "\r\n", size); },
        [feed](std::string_view octets) { return parse_reply(octets, feed); });
    add_sizes(
        "reply-lines/" + of_feed, [](std::size_t size) { return long_text("", "250-x\r\n", "250 x\r\n", size); },
        [feed](std::string_view octets) { return parse_reply(octets, feed); });
  }
  add_sizes(
      "parameters/whole", [](std::size_t size) { return long_text("MAIL FROM:<a@b.example>", " SIZE=1", "", size); },
      parse_parameters);
  add_sizes(
      "keywords/whole", [](std::size_t size) { return long_text("MAIL FROM:<a@b.example>", " SMTPUTF8", "", size); },
      parse_parameters);
  add_sizes(
      "one-parameter/whole", [](std::size_t size) { return long_text("MAIL FROM:<a@b.example> X=", "x", "", size); },
      parse_parameters);
}
