// SPDX-License-Identifier: BSL-1.0
// Invariant: however the octets of a conversation are cut, its transcript is the same; each line of it is bounded, begins as one
// does and has no control; and what stands in mail data and in the lines of an AUTH exchange does not change it.
//
// The input is text: a line that begins with C or S and a colon is the client's or the server's, c and s stand for a turn without
// CRLF, T for TLS. In a line, \ and a letter stand for an octet: \r \n \t \0 and \\.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/drive.hpp"

namespace {

using fuzz::must;

struct turn {
  ehlo::direction from{};
  std::string octets{};
  bool is_tls = false;
};

std::vector<turn> turns_of(std::string_view script) {
  std::vector<turn> out;
  while (!script.empty()) {
    std::string_view line = script.substr(0, script.find('\n'));
    script.remove_prefix(std::min(line.size() + 1, script.size()));
    if (line.empty()) continue;
    const char who = line.front();
    line.remove_prefix(1);
    if (line.starts_with(": ")) line.remove_prefix(2);
    std::string octets;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i] == '\\' && i + 1 < line.size() ? line[++i] : line[i];
      const bool is_escaped = i > 0 && line[i - 1] == '\\';
      octets += !is_escaped ? c : c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '\0' : c;
    }
    if (who == 'C' || who == 'S') octets += "\r\n";
    const auto from = who == 'S' || who == 's' ? ehlo::direction::from_server : ehlo::direction::from_client;
    out.push_back({from, std::move(octets), who == 'T'});
  }
  return out;
}

void check_line(std::string_view line) {
  must(line.size() <= 1024, "a line is bounded");
  must(line.starts_with("C: ") || line.starts_with("S: ") || line.starts_with("-- "), "a line says whose it is");
  must(std::none_of(line.begin(), line.end(), [](char c) { return (c >= '\0' && c < ' ') || c == '\x7f'; }),
       "a line has no control");
  must(ehlo::is_utf8(line), "a line is UTF-8");
}

template <class Observer>
std::string play(const std::vector<turn>& turns, std::size_t cut) {
  const ehlo::observer_options options;
  ehlo::basic_transcript<Observer> transcript{options};
  std::array<std::string, 2> kept;
  std::string out;
  const auto drain = [&](ehlo::direction from) {
    for (bool goes_on = true; goes_on; from = ehlo::other(from)) {
      std::string& mine = kept[static_cast<std::size_t>(from)];
      const std::unique_ptr<char[]> buffer{new char[mine.size()]};
      std::copy(mine.begin(), mine.end(), buffer.get());
      std::string_view input{buffer.get(), mine.size()};
      while (const auto line = transcript.next(from, input)) {
        check_line(*line);
        out += *line;
        out += '\n';
      }
      goes_on = input.size() != mine.size() && !kept[static_cast<std::size_t>(ehlo::other(from))].empty();
      mine.erase(0, mine.size() - input.size());
    }
  };
  for (const turn& t : turns) {
    if (t.is_tls) {
      (void)transcript.tls_started();
      continue;
    }
    for (std::size_t at = 0; at < t.octets.size(); at += std::min(cut, t.octets.size() - at)) {
      kept[static_cast<std::size_t>(t.from)] += t.octets.substr(at, cut);
      drain(t.from);
    }
  }
  return out;
}

/// The same conversation with other octets where an observer says that mail data or the lines of an exchange are.
std::vector<turn> with_other_secrets(const std::vector<turn>& turns) {
  std::vector<turn> out = turns;
  const ehlo::observer_options options;
  ehlo::observer observer{options};
  for (turn& t : out) {
    if (t.is_tls) {
      (void)observer.decrypted();
      continue;
    }
    std::string_view input = t.octets;
    for (;;) {
      const std::size_t before = t.octets.size() - input.size();
      const auto action = observer.next(t.from, input);
      const std::size_t behind = t.octets.size() - input.size();
      if (std::holds_alternative<ehlo::other_first>(action)) return {};  // such a conversation is passed over
      const auto* const auth = std::get_if<ehlo::observed_auth>(&action);
      const bool is_exchange = auth != nullptr && (auth->what == ehlo::observed_auth::step::response);
      if (std::holds_alternative<ehlo::mail_data>(action) || is_exchange) {
        // Letters stay what they are to every rule: dots, line ends and the octets above 127 mean something.
        for (std::size_t i = before; i < behind; ++i) {
          if (ehlo::ascii::alpha.contains(t.octets[i])) t.octets[i] = t.octets[i] == 'q' ? 'w' : 'q';
        }
      }
      if (std::holds_alternative<ehlo::receive>(action)) break;
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto turns = turns_of({reinterpret_cast<const char*>(data), size});
  const std::string whole = play<ehlo::observer>(turns, std::size_t{1} << 20U);
  for (const std::size_t cut : {1U, 2U, 7U, 50U}) must(play<ehlo::observer>(turns, cut) == whole, "cuts change nothing");
  must(play<ehlo::fixed_observer<>>(turns, 3) == play<ehlo::fixed_observer<>>(turns, std::size_t{1} << 20U), "cuts change nothing");
  const auto others = with_other_secrets(turns);
  if (!others.empty()) must(play<ehlo::observer>(others, 5) == whole, "what is secret does not change a transcript");
  return 0;
}
