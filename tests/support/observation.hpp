// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_OBSERVATION_HPP
#define EHLO_TESTS_SUPPORT_OBSERVATION_HPP

/// @file
/// Conversations before an observer: turns of client and server, played whole and cut every 1, 2, 3 ... octets, with both kinds of
/// storage. The cuts must change nothing of what is told.
///
///     C: text     the client sends the text and CRLF; \r \n \t \0 \\ \xHH stand for octets
///     c: text     the client sends the text alone
///     S: s:       the server does
///     TLS         what follows is decrypted
///     MISSING C n octets of one end were not seen        REJOIN    the observer goes on behind a loss
///     EOF C       no more comes from there
///     # text      a remark

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <ehlo/ehlo.hpp>
#include <ehlo/format.hpp>

#include "support/catch.hpp"
#include "support/cuts.hpp"

namespace observation {

struct turn {
  enum class kind { octets, decrypted, missing, rejoin, end } what = kind::octets;
  ehlo::direction from{};
  std::string octets{};
  std::uint64_t count = 0;
};

/// Adjacent lines of one end are one turn.
inline std::vector<turn> turns_of(std::string_view script) {
  std::vector<turn> out;
  std::istringstream in{std::string{script}};
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find_first_not_of(' ');
    if (first == line.npos || line[first] == '#') continue;
    line.erase(0, first);
    const auto who = [](char c) { return c == 'C' || c == 'c' ? ehlo::direction::from_client : ehlo::direction::from_server; };
    if (line == "TLS") {
      out.push_back({turn::kind::decrypted, {}, {}, 0});
    } else if (line == "REJOIN") {
      out.push_back({turn::kind::rejoin, {}, {}, 0});
    } else if (line.starts_with("EOF ")) {
      out.push_back({turn::kind::end, who(line[4]), {}, 0});
    } else if (line.starts_with("MISSING ")) {
      out.push_back({turn::kind::missing, who(line[8]), {}, std::stoull(line.substr(10))});
    } else {
      REQUIRE(line.size() >= 2);
      REQUIRE(line[1] == ':');
      const std::string text =
          dialogue::unescape(line.size() > 3 ? line.substr(3) : "") + (line[0] == 'C' || line[0] == 'S' ? "\r\n" : "");
      if (!out.empty() && out.back().what == turn::kind::octets && out.back().from == who(line[0])) {
        out.back().octets += text;
      } else {
        out.push_back({turn::kind::octets, who(line[0]), text, 0});
      }
    }
  }
  return out;
}

/// What was told, one line for each action; adjacent mail data are joined.
using told = std::vector<std::string>;

inline std::string text_of(const told& events) {
  std::string out;
  for (const std::string& e : events) out += e + "\n";
  return out;
}

/// Feeds an observer the way its callers do: octets that it does not take yet are kept, and given again behind those of the other
/// end.
template <class Observer>
class player {
 public:
  explicit player(const ehlo::observer_options& options) : observer{options} {}

  /// Gives `octets` in pieces of `cut`, each in a buffer that ends where it ends.
  void give(ehlo::direction from, std::string_view octets, std::size_t cut) {
    while (!octets.empty()) {
      const std::string_view piece = octets.substr(0, cut);
      octets.remove_prefix(piece.size());
      kept[static_cast<std::size_t>(from)] += piece;
      drain(from);
    }
  }

  void drain(ehlo::direction from) {
    for (bool goes_on = true; goes_on;) {
      std::string& mine = kept[static_cast<std::size_t>(from)];
      const std::unique_ptr<char[]> buffer{new char[mine.size()]};
      std::copy(mine.begin(), mine.end(), buffer.get());
      std::string_view input{buffer.get(), mine.size()};
      for (;;) {
        const auto action = observer.next(from, input);
        if (std::holds_alternative<ehlo::receive>(action) || std::holds_alternative<ehlo::other_first>(action)) {
          const bool turns = std::holds_alternative<ehlo::other_first>(action);
          CHECK((turns || input.empty()));
          mine.erase(0, mine.size() - input.size());
          from = ehlo::other(from);
          goes_on = !kept[static_cast<std::size_t>(from)].empty();
          break;
        }
        tell(action);
      }
    }
  }

  void tell(const ehlo::observer_action& action) {
    if (const auto* const data = std::get_if<ehlo::mail_data>(&action)) {
      CHECK(!data->octets.empty());
      if (!in_data) events.emplace_back("mail_data ");
      in_data = true;
      for (const char c : data->octets) {
        if (c == '\r' || c == '\n') {
          events.back() += c == '\r' ? "\\r" : "\\n";
        } else {
          events.back() += c;
        }
      }
      return;
    }
    in_data = false;
    events.push_back(fmt::format("{}", action));
    // Offsets that the formatter leaves out.
    if (const auto* const c = std::get_if<ehlo::observed_command>(&action)) events.back() += fmt::format(" at {}", c->offset);
    if (const auto* const c = std::get_if<ehlo::malformed_command>(&action)) {
      events.back() += fmt::format(" at {} {}", c->offset, c->line.reveal());
    }
    if (const auto* const r = std::get_if<ehlo::observed_reply>(&action)) events.back() += fmt::format(" at {}", r->offset);
  }

  Observer observer;
  std::array<std::string, 2> kept{};
  told events{};
  bool in_data = false;
};

template <class Observer>
told play(const std::vector<turn>& turns, std::size_t cut, const ehlo::observer_options& options) {
  player<Observer> out{options};
  for (const turn& t : turns) {
    switch (t.what) {
      case turn::kind::octets: out.give(t.from, t.octets, cut); break;
      case turn::kind::decrypted: CHECK(out.observer.decrypted().has_value()); break;
      case turn::kind::missing: out.observer.octets_missing(t.from, t.count); break;
      case turn::kind::rejoin: CHECK(out.observer.rejoin().has_value()); break;
      case turn::kind::end: out.observer.end_of_input(t.from); break;
    }
    if (t.what != turn::kind::octets) {
      out.drain(ehlo::direction::from_client);
      out.drain(ehlo::direction::from_server);
    }
  }
  return out.events;
}

/// Plays the turns in every cut with both kinds of storage, and gives what was told.
inline told observe(std::string_view script, const ehlo::observer_options& options = {}) {
  const auto turns = turns_of(script);
  std::size_t longest = 1;
  for (const turn& t : turns) longest = std::max(longest, t.octets.size());
  const told whole = play<ehlo::observer>(turns, longest, options);
  for (std::size_t cut = 1; cut <= longest; cut = cut < 80 ? cut + 1 : cut * 2) {
    CAPTURE(cut, script);
    const told again = play<ehlo::observer>(turns, cut, options);
    CHECK(text_of(again) == text_of(whole));
    const told fixed = play<ehlo::fixed_observer<4096>>(turns, cut, options);
    CHECK(text_of(fixed) == text_of(whole));
  }
  return whole;
}

/// The same with two streams of which no order is known.
inline told observe_unordered(std::string_view script, ehlo::observer_options options = {}) {
  options.order = ehlo::feed_order::unknown;
  std::array<std::string, 2> streams{};
  for (const turn& t : turns_of(script)) streams[static_cast<std::size_t>(t.from)] += t.octets;
  told whole;
  for (const std::size_t cut : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1} << 20U}) {
    for (const auto first : {ehlo::direction::from_client, ehlo::direction::from_server}) {
      player<ehlo::observer> out{options};
      out.give(first, streams[static_cast<std::size_t>(first)], cut);
      out.give(ehlo::other(first), streams[static_cast<std::size_t>(ehlo::other(first))], cut);
      out.observer.end_of_input(ehlo::direction::from_client);
      out.observer.end_of_input(ehlo::direction::from_server);
      out.drain(ehlo::direction::from_client);
      out.drain(ehlo::direction::from_server);
      CAPTURE(cut, static_cast<int>(first));
      if (!whole.empty()) CHECK(text_of(out.events) == text_of(whole));
      whole = out.events;
    }
  }
  return whole;
}

/// The findings among what was told, and what lost the step: "bare_cr..." as texts without clause, in order.
inline told anomalies(const told& events) {
  told out;
  for (const std::string& e : events) {
    if (e.starts_with("anomaly{") || e.starts_with("lost{")) out.push_back(e);
  }
  return out;
}

/// How a finding is shown.
inline std::string found(ehlo::finding what, std::uint64_t offset, ehlo::direction from) {
  return fmt::format("{}", ehlo::anomaly{what, from, offset});
}
inline std::string of_client(ehlo::finding what, std::uint64_t offset) { return found(what, offset, ehlo::direction::from_client); }
inline std::string of_server(ehlo::finding what, std::uint64_t offset) { return found(what, offset, ehlo::direction::from_server); }

inline bool has(const told& events, std::string_view text) {
  return std::ranges::any_of(events, [text](const std::string& e) { return e.starts_with(text); });
}

}  // namespace observation

#endif  // EHLO_TESTS_SUPPORT_OBSERVATION_HPP
