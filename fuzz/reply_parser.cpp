// SPDX-License-Identifier: BSL-1.0
// Invariant: how the octets are cut changes neither what is a reply nor what is said against it, and no reply is over its limits.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/codec/reply_parser.hpp>

#include "support/must.hpp"

namespace {

using kind = ehlo::reply_parser::step::kind;

std::vector<std::string> parse(std::string_view octets, std::size_t cut) {
  const ehlo::reply_limits most{.line = 512, .lines = 8, .octets = 1024};
  std::vector<std::string> out;
  ehlo::reply_parser parser;
  std::string kept;
  while (!octets.empty()) {
    const std::string_view piece = octets.substr(0, cut);
    const auto step = parser.next(piece, most);
    fuzz::must(step.taken <= piece.size(), "no more is taken than there is");
    kept += piece.substr(0, step.taken);
    octets.remove_prefix(step.taken);
    if (step.what == kind::broken) {
      out.push_back("broken " + std::to_string(static_cast<int>(step.reason.code)) + " " + std::to_string(step.reason.offset));
      return out;
    }
    if (step.what == kind::need_more) continue;
    fuzz::must(kept.size() <= most.octets && kept.ends_with("\r\n"), "a reply keeps within its limits and ends with CRLF");
    const auto reply = parser.reply(kept, true);
    fuzz::must(reply.line_count() <= most.lines && reply.code() >= 200 && reply.code() <= 599, "a reply has lines and a code");
    std::string text = std::to_string(reply.code());
    for (std::size_t i = 0; i < reply.line_count(); ++i) {
      fuzz::must(reply.line(i).find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos,
                 "no line holds CR, LF or NUL");
      text += "/" + std::string{reply.line(i)};
    }
    std::string printable(kept.size(), '\0');
    const char* const end = reply.write_printable(printable.data());
    fuzz::must(end <= printable.data() + printable.size(), "text for people is no longer than what came");
    out.push_back(text);
    kept.clear();
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets{reinterpret_cast<const char*>(data), size};
  const auto whole = parse(octets, size + 1);
  for (const std::size_t cut : {1U, 2U, 3U, 7U, 64U}) fuzz::must(parse(octets, cut) == whole, "the cut changes nothing");
  return 0;
}
