// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_SCAN_PATHS_HPP
#define EHLO_TESTS_SUPPORT_SCAN_PATHS_HPP

/// @file
/// Holds each way to scan that this processor has against plain loops.

#include <bit>
#include <cstddef>
#include <string_view>

#include <ehlo/codec/octet_scan.hpp>

namespace scan_paths {

inline bool is_eight_bit(char c) { return static_cast<unsigned char>(c) >= 128; }

inline ehlo::octet_scan naive_line_end(std::string_view text) {
  ehlo::octet_scan out;
  while (out.line_end < text.size() && text[out.line_end] != '\r' && text[out.line_end] != '\n') {
    out.eight_bit |= is_eight_bit(text[out.line_end++]);
  }
  return out;
}

inline ehlo::mark_scan naive_mark(std::string_view text, std::size_t from, ehlo::mark_set sought = ehlo::mark_set::mail_data) {
  ehlo::mark_scan out{from, false};
  for (; out.at < text.size(); ++out.at) {
    const char before = out.at == 0 ? 'x' : text[out.at - 1];
    const char here = text[out.at];
    if (here == '\n' && before != '\r') break;
    if (here != '\n' && before == '\r') break;
    if (sought == ehlo::mark_set::mail_data && here == '.' && before == '\n') break;
    if (sought == ehlo::mark_set::header && here == '\r' && before == '\n') break;
    out.eight_bit |= is_eight_bit(here);
  }
  return out;
}

inline std::size_t naive_behind_last_lf(std::string_view text) {
  const std::size_t found = text.rfind('\n');
  return found == text.npos ? 0 : found + 1;
}

/// `before` octets of the first line are not in `text`.
inline bool naive_has_long_line(std::string_view text, std::size_t before) {
  std::size_t line = before;
  for (const char c : text) {
    if (++line > 1000) return true;
    if (c == '\n') line = 0;
  }
  return false;
}

/// How many of the ways to look at the lengths of lines are wrong for `text`.
inline std::size_t count_wrong_lengths(std::string_view text) {
  namespace scans = ehlo::detail::scans;
  std::size_t wrong = 0;
  for (const std::size_t before : {0U, 1U, 70U, 500U, 871U, 872U, 873U, 999U, 1000U}) {
    const bool is_long = naive_has_long_line(text, before);
    wrong += ehlo::has_long_line(text, before) == is_long ? 0U : 1U;
    wrong += scans::has_short_lines(text, 1000 - before) && is_long ? 1U : 0U;
  }
  for (std::size_t at = 0; at + scans::short_line <= text.size() && at < 20; ++at) {
    const bool has_lf = text.substr(at, scans::short_line).find('\n') != text.npos;
    wrong += scans::has_lf_words(text.data() + at) == has_lf ? 0U : 1U;
    wrong += scans::has_lf_blocks(text.data() + at) == has_lf ? 0U : 1U;
  }
  return wrong;
}

/// How many of the ways to look for marks give another result for `text`, scanned from each of its first `starts` octets on.
template <ehlo::mark_set Sought>
std::size_t count_wrong_marks(std::string_view text, std::size_t starts) {
  namespace scans = ehlo::detail::scans;
  std::size_t wrong = 0;
  const auto expect = [&](const ehlo::mark_scan& found, const ehlo::mark_scan& wanted) { wrong += found == wanted ? 0U : 1U; };
  expect(ehlo::scan_for_mark<Sought>(text), naive_mark(text, 0, Sought));
  if (Sought == ehlo::mark_set::mail_data) expect(ehlo::scan_for_far_mark(text), naive_mark(text, 0));
  for (std::size_t from = 1; from <= text.size() && from <= starts; ++from) {
    const ehlo::mark_scan wanted = naive_mark(text, from, Sought);
    const ehlo::mark_scan start{from, false};
    expect(ehlo::scan_for_mark<Sought>(text, from), wanted);
    if (Sought == ehlo::mark_set::mail_data) expect(ehlo::scan_for_far_mark(text, from), wanted);
    expect(scans::mark_octets<Sought>(text, start), wanted);
    expect(scans::mark_words<Sought>(text, start), wanted);
    expect(scans::mark_blocks<Sought>(text, start), wanted);
    expect(scans::mark_octets<Sought>(text, scans::skip_blocks<Sought>(text, start)), wanted);
    if (scans::has_wide_blocks()) expect(scans::mark_octets<Sought>(text, scans::skip_wide_blocks<Sought>(text, start)), wanted);
  }
  return wrong;
}

/// How many of the ways give another result for `text`.
inline std::size_t count_wrong(std::string_view text) {
  namespace scans = ehlo::detail::scans;
  std::size_t wrong = count_wrong_lengths(text);
  const auto expect = [&](const auto& found, const auto& wanted) { wrong += found == wanted ? 0U : 1U; };

  const ehlo::octet_scan line_end = naive_line_end(text);
  expect(ehlo::scan_for_line_end(text), line_end);
  expect(scans::scan_octets(text, {}), line_end);
  expect(scans::scan_words(text), line_end);

  const std::size_t last_lf = naive_behind_last_lf(text);
  expect(ehlo::behind_last_lf(text), last_lf);
  expect(scans::behind_last_lf_octets(text, text.size()), last_lf);
  expect(scans::behind_last_lf_words(text, text.size()), last_lf);

  wrong += count_wrong_marks<ehlo::mark_set::mail_data>(text, 20);
  wrong += count_wrong_marks<ehlo::mark_set::line_ends>(text, 3);
  wrong += count_wrong_marks<ehlo::mark_set::header>(text, 3);
  expect(scans::scan_blocks(text), line_end);
  expect(scans::behind_last_lf_blocks(text, text.size()), last_lf);

  if (!text.empty() && text.size() <= ehlo::longest_piece && text.front() != '\n') {
    const ehlo::mark_scan mark = naive_mark(text, 0);
    for (const bool any_eight_bit : {false, true}) {
      const bool is_odd = mark.at != text.size() || (mark.eight_bit && !any_eight_bit);
      const auto expect_piece = [&](const ehlo::piece_scan& piece) {
        expect(piece.odd != 0, is_odd);
        if (!is_odd) expect(static_cast<std::size_t>(std::bit_width(piece.lf)), last_lf);
      };
      expect_piece(ehlo::scan_piece(text, any_eight_bit));
      expect_piece(scans::scan_short_piece(text, any_eight_bit));
      if (text.size() >= scans::block_size) expect_piece(scans::scan_piece_blocks(text, any_eight_bit));
      if (text.size() > scans::wide_block_size && !any_eight_bit && scans::has_wide_blocks()) {
        expect_piece(scans::scan_piece_wide_blocks(text));
      }
    }
  }
  if (text.size() >= ehlo::nearby) {
    const ehlo::mark_scan mark = naive_mark(text.substr(0, ehlo::nearby), 0);
    expect(scans::mark_nearby(text), mark);
    const bool is_dot = mark.at > 0 && mark.at < ehlo::nearby && text[mark.at] == '.' && text[mark.at - 1] == '\n';
    const ehlo::mark_scan dot = is_dot ? mark : ehlo::mark_scan{};
    expect(ehlo::scan_for_nearby_dot(text), dot);
    expect(scans::nearby_dot(text, mark), dot);
    if (scans::has_wide_blocks()) expect(scans::nearby_dot_wide(text), dot);
  }
  return wrong;
}

}  // namespace scan_paths

#endif  // EHLO_TESTS_SUPPORT_SCAN_PATHS_HPP
