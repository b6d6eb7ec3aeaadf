// SPDX-License-Identifier: BSL-1.0
// Invariant: however the octets of a conversation are cut, an observer tells the same of them; what it holds stays within its
// limits; it comes to the end of any input; and between two sessions of `ehlo`, whatever they decide, it finds nothing, keeps its
// step, and tells what the two ends know.
//
// Octets of one end that have to wait for those of the other are given again behind the piece in which those came. What follows in
// that piece is seen before them; in smaller pieces it would be seen behind them: such conversations are not compared.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <ehlo/ehlo.hpp>
#include <ehlo/format.hpp>

#include "support/choices.hpp"
#include "support/watch.hpp"
#include "support/watched_ends.hpp"

namespace {

/// The largest piece of memory that was asked for by nothrow new, as storage does.
std::size_t largest_piece = 0;

}  // namespace

void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  largest_piece = std::max(largest_piece, size);
  return std::malloc(size);
}
void operator delete[](void* piece, const std::nothrow_t&) noexcept { std::free(piece); }
void* operator new[](std::size_t size) {
  void* const piece = std::malloc(size == 0 ? 1 : size);
  if (piece == nullptr) std::abort();
  return piece;
}
void operator delete[](void* piece) noexcept { std::free(piece); }
void operator delete[](void* piece, std::size_t) noexcept { std::free(piece); }

namespace {

using fuzz::must;

constexpr std::uint32_t line_limit = 1024;
constexpr std::uint32_t reply_limit = 2048;

struct turn {
  enum class kind : std::uint8_t { client, server, decrypted, missing, rejoin, end } what;
  std::string_view octets;
  std::uint8_t count = 0;
};

/// A turn is an octet that says whose it is, one with its size in units of eight, and its octets; the rest of the input is text in
/// which an empty line ends a turn, so that captures can be written by hand.
std::vector<turn> turns_of(fuzz::choices& in) {
  std::vector<turn> out;
  while (!in.at_end()) {
    const std::uint8_t what = in.one();
    switch (what) {
      case 'T': out.push_back({turn::kind::decrypted, {}}); break;
      case 'R': out.push_back({turn::kind::rejoin, {}}); break;
      case 'M': out.push_back({turn::kind::missing, {}, in.one()}); break;
      case 'E': out.push_back({turn::kind::end, {}, in.one()}); break;
      default: {
        const auto who = (what & 1U) == 0 ? turn::kind::server : turn::kind::client;  // 'R' is taken: 'S' and 'C' are both odd
        out.push_back({what == 'S' ? turn::kind::server : what == 'C' ? turn::kind::client : who, in.some(in.one())});
        break;
      }
    }
  }
  return out;
}

struct account {
  std::string told;
  bool is_comparable = true;
};

template <class Observer>
account play(const std::vector<turn>& turns, const ehlo::observer_options& options, std::size_t cut) {
  std::string told;
  bool in_data = false;
  const auto tell = [&](const ehlo::observer_action& action) {
    if (const auto* const data = std::get_if<ehlo::mail_data>(&action)) {
      if (!in_data) told += "mail_data ";
      told += data->octets;
      in_data = true;
      return;
    }
    if (in_data) told += '\n';
    in_data = false;
    told += fmt::format("{}\n", action);
    if (const auto* const line = std::get_if<ehlo::malformed_command>(&action)) told += line->line.reveal();
    if (const auto* const reply = std::get_if<ehlo::observed_reply>(&action)) told += std::to_string(reply->offset);
  };
  fuzz::watcher<Observer, decltype(tell)> watch{options, tell};
  const auto of = [](std::uint8_t choice) {
    return (choice & 1U) == 0 ? ehlo::direction::from_client : ehlo::direction::from_server;
  };
  for (const turn& t : turns) {
    switch (t.what) {
      case turn::kind::client: watch.give(ehlo::direction::from_client, t.octets, cut); break;
      case turn::kind::server: watch.give(ehlo::direction::from_server, t.octets, cut); break;
      case turn::kind::decrypted: (void)watch.observer.decrypted(); break;
      case turn::kind::missing: watch.observer.octets_missing(of(t.count), t.count); break;
      case turn::kind::rejoin: (void)watch.observer.rejoin(); break;
      case turn::kind::end: watch.observer.end_of_input(of(t.count)); break;
    }
    must(watch.observer.in_flight() <= 256, "what is in flight is bounded");
    if (t.what == turn::kind::client || t.what == turn::kind::server) continue;
    watch.drain(ehlo::direction::from_client);
    watch.drain(ehlo::direction::from_server);
  }
  watch.finish();
  for (const auto from : {ehlo::direction::from_client, ehlo::direction::from_server}) {
    told += std::to_string(watch.observer.octets_taken(from)) + " ";
  }
  return {told, !watch.depends_on_pieces};
}

template <class Observer>
void check_cuts(const std::vector<turn>& turns, const ehlo::observer_options& options) {
  const account whole = play<Observer>(turns, options, std::size_t{1} << 20U);
  for (const std::size_t cut : {1U, 2U, 3U, 7U, 50U}) {
    const account cut_up = play<Observer>(turns, options, cut);
    if (cut_up.told == whole.told || !cut_up.is_comparable || !whole.is_comparable) continue;
    std::fprintf(stderr, "--- whole\n%s\n--- cut every %zu\n%s\n", whole.told.c_str(), cut, cut_up.told.c_str());
    must(false, "cuts change nothing");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::choices in{{reinterpret_cast<const char*>(data), size}};
  const std::uint8_t kind = in.one();
  if (kind % 2U == 1) {
    fuzz::watched_ends{in}.run();
    return 0;
  }
  const ehlo::observer_options options{
      .order = (kind & 2U) != 0 ? ehlo::feed_order::unknown : ehlo::feed_order::kept,
      .begin = (kind & 4U) != 0 ? ehlo::beginning::unsure : ehlo::beginning::seen,
      .protocol = (kind & 8U) != 0 ? ehlo::protocol::lmtp : ehlo::protocol::smtp,
      .limits = {.command_line = line_limit, .reply = {.line = 1024, .lines = 8, .octets = reply_limit}}};
  const auto turns = turns_of(in);
  largest_piece = 0;
  check_cuts<ehlo::observer>(turns, options);
  must(largest_piece <= 2 * reply_limit, "memory is bounded");
  largest_piece = 0;
  check_cuts<ehlo::fixed_observer<600, 512, 4>>(turns, options);
  must(largest_piece == 0, "fixed storage has no heap");
  return 0;
}
