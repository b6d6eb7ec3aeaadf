// SPDX-License-Identifier: BSL-1.0
// Invariant: what is written reads back as the text, in any cut; no CR or LF alone comes out, and a text that holds one is refused.
#include <cstdint>
#include <string>
#include <string_view>

#include <ehlo/codec/mail_data_reader.hpp>
#include <ehlo/codec/mail_data_writer.hpp>

#include "support/must.hpp"

namespace {

using kind = ehlo::mail_data_writer::step::kind;

struct written {
  std::string octets;
  ehlo::error reason{};
  bool broken = false;
  friend bool operator==(const written&, const written&) = default;
};

written write(std::string_view text, std::size_t cut, const ehlo::mail_data_writer::rules& how) {
  written out;
  ehlo::mail_data_writer writer;
  while (!text.empty()) {
    std::string_view piece = text.substr(0, cut);
    text.remove_prefix(piece.size());
    for (;;) {
      const auto step = writer.next(piece, how);
      out.octets += step.octets;
      if (step.what == kind::broken) {
        out.broken = true;
        out.reason = step.reason;
        return out;
      }
      if (step.what == kind::need_more) break;
    }
  }
  const auto last = writer.end(how);
  out.octets += last.octets;
  out.broken = last.what == kind::broken;
  out.reason = last.reason;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  ehlo::mail_data_writer::rules how;
  how.line_ends = (data[0] & 1U) != 0 ? ehlo::line_ends::normalize : ehlo::line_ends::refuse;
  how.eight_bit = (data[0] & 2U) == 0;
  const written whole = write(text, text.size() + 1, how);
  for (const std::size_t cut : {1U, 2U, 3U, 7U, 64U}) fuzz::must(write(text, cut, how) == whole, "the cut changes nothing");
  for (std::size_t i = 0; i < whole.octets.size(); ++i) {
    const char c = whole.octets[i];
    const bool is_alone =
        c == '\n' ? i == 0 || whole.octets[i - 1] != '\r' : c == '\r' && i + 1 < whole.octets.size() && whole.octets[i + 1] != '\n';
    fuzz::must(!is_alone, "no CR or LF alone comes out");
    fuzz::must(how.eight_bit || static_cast<unsigned char>(c) < 128, "no octet above 127 comes out that may not");
  }
  fuzz::must(whole.octets.size() <= 2 * text.size() + 5, "every octet becomes two at most");
  if (whole.broken) return 0;
  std::string back;
  std::string_view rest = whole.octets;
  ehlo::mail_data_reader reader;
  for (;;) {
    const auto step = reader.next(rest, ehlo::bare_line_ends::refuse, 0);
    back += step.octets;
    if (step.what == ehlo::mail_data_reader::step::kind::end) break;
    fuzz::must(step.what == ehlo::mail_data_reader::step::kind::octets, "the mail data have one end");
  }
  fuzz::must(rest.empty() && !reader.has_long_line(), "nothing stands behind the end, and no line is too long");
  if (how.line_ends == ehlo::line_ends::refuse) {
    fuzz::must(back == text || back == std::string{text} + "\r\n", "the text came back");
  }
  return 0;
}
