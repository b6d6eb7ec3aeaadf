// SPDX-License-Identifier: BSL-1.0
// Mail data: reading it as slices, for each size of feed; counting it behind BDAT; writing it. Rows 5 to 10 and 15. Built twice,
// for the compiler's default and for x86-64-v3.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/codec/mail_data_reader.hpp>
#include <ehlo/codec/mail_data_writer.hpp>
#include <ehlo/server/session.hpp>

#include "floors/mail_data.hpp"
#include "support/cases.hpp"
#ifdef EHLO_BENCHMARK_HAS_DOVECOT
#include "peers/dovecot.h"
#endif

namespace {

bench::work read_slices(std::string_view octets, std::size_t feed) {
  std::size_t given = 0;
  ehlo::mail_data_reader reader;
  for (std::string_view rest = octets; !rest.empty();) {
    std::string_view input = rest.substr(0, feed);
    rest.remove_prefix(input.size());
    while (!input.empty()) {
      const auto step = reader.next(input, ehlo::bare_line_ends::refuse, 0);
      if (step.what == ehlo::mail_data_reader::step::kind::octets) {
        bench::keep_octets(step.octets);
        given += step.octets.size();
      } else if (step.what != ehlo::mail_data_reader::step::kind::need_more) {
        return {octets.size(), octets.size(), given};
      }
    }
  }
  return {octets.size(), octets.size(), given};
}

/// Mail data behind BDAT, fed to a session; an item is a feed.
bench::work read_chunk(std::size_t feed) {
  constexpr std::size_t feeds = 10000;
  static const std::vector<char> octets(65536, 'x');
  static const ehlo::server_options options = [] {
    ehlo::server_options out{.hostname = "mx.example"};
    out.limits.message = 0;
    return out;
  }();
  bench::work done{feeds, feeds * feed, 0};
  ehlo::server_session session{options};
  std::string_view input =
      "EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nBDAT 1000000000000 LAST\r\n";
  bool is_greeted = false;
  std::string_view held;
  std::swap(held, input);
  for (std::size_t fed = 0;;) {
    const ehlo::server_action action = session.next(input);
    if (const auto* const data = std::get_if<ehlo::mail_data>(&action)) {
      bench::keep(*data);
      done.good += data->octets.size();
    } else if (std::holds_alternative<ehlo::receive>(action)) {
      if (fed == feeds) return done;
      if (is_greeted) {
        ++fed;
        input = {octets.data(), feed};
      } else {
        is_greeted = true;
        input = held;
      }
    } else if (std::holds_alternative<ehlo::rcpt_question>(action)) {
      session.accept();
    } else if (std::holds_alternative<ehlo::close_channel>(action)) {
      return done;
    } else {
      session.answer_default();
    }
  }
}

constexpr std::size_t ring_size = std::size_t{256} << 10U;
constexpr std::size_t piece_size = 16384;

/// A ring that what is written goes to.
char* ring() {
  static std::vector<char> octets(ring_size + 4 * piece_size);
  return octets.data();
}

bench::work write_to_ring(std::string_view message) {
  bench::work done{message.size(), message.size(), 0};
  ehlo::mail_data_writer writer;
  const ehlo::mail_data_writer::rules how{};
  std::size_t at = 0;
  while (!message.empty()) {
    std::string_view piece = message.substr(0, piece_size);
    message.remove_prefix(piece.size());
    if (at + 2 * piece.size() > ring_size) at = 0;
    std::span<char> out{ring() + at, 2 * piece_size + 16};
    const std::size_t room = out.size();
    writer.copy(piece, out, how);
    at += room - out.size();
    done.good += room - out.size();
    bench::keep(*ring());
  }
  return done;
}

bench::work write_slices(std::string_view message) {
  bench::work done{message.size(), message.size(), 0};
  ehlo::mail_data_writer writer;
  const ehlo::mail_data_writer::rules how{};
  while (!message.empty()) {
    std::string_view piece = message.substr(0, piece_size);
    message.remove_prefix(piece.size());
    for (;;) {
      const auto step = writer.next(piece, how);
      if (step.what != ehlo::mail_data_writer::step::kind::octets) break;
      bench::keep(step.octets);
      done.good += step.octets.size();
    }
  }
  return done;
}

bench::work copy_to_ring(std::string_view message) {
  bench::work done{message.size(), message.size(), 0};
  std::size_t at = 0;
  while (!message.empty()) {
    const std::string_view piece = message.substr(0, piece_size);
    message.remove_prefix(piece.size());
    if (at + piece.size() > ring_size) at = 0;
    std::memcpy(ring() + at, piece.data(), piece.size());
    at += piece.size();
    done.good += piece.size();
    bench::keep(*ring());
  }
  return done;
}

/// The message that `wire` is the mail data of.
std::string without_dots(std::string_view wire) {
  std::string out;
  while (!wire.empty()) {
    if (wire.front() == '.') wire.remove_prefix(1);
    const std::size_t size = wire.find('\n') + 1;
    out += wire.substr(0, size);
    wire.remove_prefix(size);
  }
  return out;
}

/// What a pass works on, made when it is first wanted.
class lazy_octets {
 public:
  explicit lazy_octets(std::function<std::string()> make) : state_{std::make_shared<state>(state{std::move(make), {}})} {}

  operator std::string_view() const {
    if (state_->octets.empty()) state_->octets = state_->make();
    return state_->octets;
  }

 private:
  struct state {
    std::function<std::string()> make;
    std::string octets;
  };
  std::shared_ptr<state> state_;
};

void add_readers(const std::string& name, const lazy_octets& octets, std::size_t feed) {
  const std::string prefix = "data/" + name + "/" + std::to_string(feed) + "/";
  bench::add(prefix + "ehlo", [octets, feed] { return read_slices(octets, feed); });
#if defined(__x86_64__)
  bench::add(prefix + "prototype-sse2", [octets, feed] { return floors::read_mail_data_sse2(octets, feed); });
  if (floors::has_avx2())
    bench::add(prefix + "prototype-avx2", [octets, feed] { return floors::read_mail_data_avx2(octets, feed); });
#endif
#ifdef EHLO_BENCHMARK_HAS_DOVECOT
  bench::add(prefix + "dovecot", [lazy = octets, feed] {
    const std::string_view octets = lazy;
    const auto done = dovecot_mail_data(octets.data(), octets.size(), feed);
    return bench::work{done.items, octets.size(), done.good};
  });
#endif
}

}  // namespace

void add_cases() {
#ifdef EHLO_BENCHMARK_HAS_DOVECOT
  dovecot_begin();
#endif
  /// The first `size` octets of a body, with the end mark.
  const auto wire = [](const std::string& name, std::size_t size) {
    return lazy_octets{[=] { return std::string{bench::lines_up_to(bench::corpus("body_" + name + ".bin"), size)} + ".\r\n"; }};
  };
  for (const char* name : {"b64", "text", "long"}) {
    const lazy_octets octets = wire(name, std::string_view::npos);
    for (const std::size_t feed : {1460, 16384, 65536}) add_readers(name, octets, feed);
#if defined(__x86_64__)
    bench::add("data/" + std::string{name} + "/scan-sse2", [octets] { return floors::scan_sse2(octets); });
    if (floors::has_avx2()) bench::add("data/" + std::string{name} + "/scan-avx2", [octets] { return floors::scan_avx2(octets); });
#endif
  }
  const lazy_octets short_text = wire("text", std::size_t{1} << 20U);
  for (const std::size_t feed : {65536, 64, 16, 1}) add_readers("text-1M", short_text, feed);
  add_readers("dots", wire("dots", std::size_t{4} << 20U), 16384);
  for (const std::size_t feed : {64, 65536})
    bench::add("bdat/" + std::to_string(feed) + "/ehlo", [feed] { return read_chunk(feed); });
  for (const std::string name : {"b64", "text", "dots"}) {
    const lazy_octets message{[name] { return without_dots(bench::corpus("body_" + name + ".bin")); }};
    const std::string prefix = "write/" + name + "/";
    bench::add(prefix + "ehlo", [message] { return write_to_ring(message); });
    bench::add(prefix + "ehlo-slices", [message] { return write_slices(message); });
    bench::add(prefix + "memcpy", [message] { return copy_to_ring(message); });
  }
}
