// SPDX-License-Identifier: BSL-1.0
// Invariant: how a header section is cut changes neither its fields, nor what is malformed, nor the count of Received, nor where
// the body begins.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include <ehlo/message/header_section.hpp>

namespace {

using reader = ehlo::header_section_reader;

/// Everything that a reader told of `octets`, brought `cut` octets at a time, each piece in memory of its own.
std::string told(std::string_view octets, std::size_t cut) {
  std::string out;
  reader in;
  const auto drain = [&](std::string_view& input) {
    while (true) {
      const reader::event event = in.next(input);
      if (std::holds_alternative<reader::more>(event) || std::holds_alternative<reader::section_end>(event)) return;
      if (const auto* start = std::get_if<reader::field_start>(&event)) {
        if (start->name.size() > reader::max_name) std::abort();
        out += 'N';
        out += start->name;
        out += ':';
      }
      if (const auto* value = std::get_if<reader::field_value>(&event)) {
        if (value->octets.empty()) std::abort();
        out += value->octets;
      }
      if (std::holds_alternative<reader::field_end>(event)) out += "\r\n";
      if (std::holds_alternative<reader::malformed_line>(event)) out += "!\r\n";
    }
  };
  for (std::size_t at = 0; at < octets.size() && !in.is_done(); at += cut) {
    const std::string piece{octets.substr(at, cut)};
    std::string_view input = piece;
    drain(input);
    if (in.is_done())
      out += "body at " + std::to_string(at + piece.size() - input.size());
    else if (!input.empty())
      std::abort();
  }
  in.end_of_input();
  std::string_view none;
  drain(none);
  if (!in.is_done()) std::abort();
  return out + " received " + std::to_string(in.received_count());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets{reinterpret_cast<const char*>(data), size};
  const std::string whole = told(octets, size + 1);
  for (const std::size_t cut : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}}) {
    if (told(octets, cut) != whole) std::abort();
  }
  return 0;
}
