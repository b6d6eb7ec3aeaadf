// SPDX-License-Identifier: BSL-1.0
#include <ehlo/codec/octet_scan.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/scan_paths.hpp"

TEST_CASE("each way to scan finds the same in all short texts, wherever they stand", "[codec][T63]") {
  constexpr std::string_view letters = "\r\n.x\xE9";
  constexpr std::size_t longest = 5;
  std::size_t wrong = 0;
  for (std::size_t size = 0; size <= longest; ++size) {
    std::size_t count = 1;
    for (std::size_t i = 0; i < size; ++i) count *= letters.size();
    for (std::size_t number = 0; number < count; ++number) {
      std::string text;
      for (std::size_t rest = number; text.size() < size; rest /= letters.size()) text += letters[rest % letters.size()];
      for (const std::size_t before : {0U, 1U, 6U, 13U, 30U, 62U, 126U}) {
        for (const std::size_t behind : {0U, 3U, 16U, 130U}) {
          wrong += scan_paths::count_wrong(std::string(before, 'x') + text + std::string(behind, 'x'));
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("each way to scan finds one octet at any place, and is not misled by its neighbors", "[codec]") {
  std::size_t wrong = 0;
  for (std::size_t size = 0; size <= 300; size += size < 70 ? 1 : 23) {
    wrong += scan_paths::count_wrong(std::string(size, 'x'));
    for (std::size_t at = 0; at < size; ++at) {
      for (const char c : {'\r', '\n', '.', '\x80', '\xFF', '\x0C', '\x0E', '\x8D', '\x8A', '\xAE', '\0', '\x7F'}) {
        std::string text(size, 'x');
        text[at] = c;
        wrong += scan_paths::count_wrong(text);
        if (at + 1 < size) {
          text[at + 1] = c == '\r' ? '\n' : c == '\n' ? '.' : '\xFF';
          wrong += scan_paths::count_wrong(text);
        }
        if (at > 0) {
          text[at - 1] = '\x0B';  // one from LF and two from CR: a borrow in a word shows here
          wrong += scan_paths::count_wrong(text);
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("in a long text a mark is found wherever it stands, and an octet above 127 counts if it stands before", "[codec]") {
  std::size_t wrong = 0;
  for (const std::size_t size : {513U, 514U, 576U, 640U, 641U, 767U}) {
    for (std::size_t at = 1; at < size; ++at) {
      std::string text(size, 'x');
      text[at] = '\n';
      for (const std::size_t other : {at / 2, at - 1, at + 1, at + (size - at) / 2, size - 1}) {
        if (other == at || other >= size) continue;
        text[other] = '\xE9';
        wrong += scan_paths::count_wrong_marks<ehlo::mark_set::mail_data>(text, 2);
        text[other] = 'x';
      }
      text[at - 1] = '\r';
      wrong += scan_paths::count_wrong_marks<ehlo::mark_set::mail_data>(text, 2);
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("no scan reads what stands before or behind the text", "[codec]") {
  std::size_t wrong = 0;
  for (std::size_t size = 1; size <= 700; size += size < 270 ? 1 : 37) {
    const std::unique_ptr<char[]> octets{new char[size]};  // so that a sanitizer sees a step too far
    std::fill_n(octets.get(), size, 'x');
    wrong += scan_paths::count_wrong({octets.get(), size});
  }
  CHECK(wrong == 0);
}

TEST_CASE("what stands behind the line end or before the start does not count", "[codec]") {
  CHECK_FALSE(ehlo::scan_for_line_end("abc\n\xFF").eight_bit);
  CHECK_FALSE(ehlo::scan_for_line_end(std::string{"0123456789abcde\n\xFF"}).eight_bit);
  CHECK(ehlo::scan_for_line_end("\r").line_end == 0);
  CHECK_FALSE(ehlo::scan_for_mark("\xFF"
                                  "a\nb",
                                  1)
                  .eight_bit);
  CHECK(ehlo::scan_for_mark("a\r\n.", 3).at == 3);
  CHECK(ehlo::scan_for_mark(".", 0).at == 1);
}

TEST_CASE("a scan for lone line ends tells of octets above 127 on either side of a dot", "[codec]") {
  for (const std::string_view before : {"a", "\xE9"}) {
    for (const std::string_view behind : {"b", "\xE9"}) {
      const std::string text = std::string{before} + "\r\n." + std::string{behind} + "\r\n.x\ny";
      const auto found = ehlo::scan_for_mark<ehlo::mark_set::line_ends>(text);
      CHECK(found.at == text.size() - 2);
      CHECK(found.eight_bit == (before == "\xE9" || behind == "\xE9"));
    }
  }
}

TEST_CASE("each way to look at the lengths of lines finds the one that is too long, wherever it stands",
          "[codec][5321-4.5.3.1.6-02]") {
  std::size_t wrong = 0;
  for (const std::size_t usual : {1U, 2U, 78U, 127U, 128U, 129U, 400U, 873U, 1000U}) {
    for (const std::size_t other : {1U, 72U, 500U, 872U, 873U, 874U, 999U, 1000U, 1001U, 1002U, 1128U, 1129U, 2000U}) {
      for (std::size_t before = 0; before < 1200; before += usual < 70 ? 61 : usual) {
        const std::string line = std::string(usual - 1, 'x') + "\n";
        std::string text;
        while (text.size() < before) text += line;
        text += std::string(other - 1, 'x');
        wrong += scan_paths::count_wrong_lengths(text) + scan_paths::count_wrong_lengths(text + "x");
        text += '\n';
        for (std::size_t i = 0; i < 3; ++i) {
          wrong += scan_paths::count_wrong_lengths(text);
          for (const std::size_t size = text.size() + 450; text.size() < size;) text += line;
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("lines that are short are known to be so without a closer look", "[codec]") {
  std::string text;
  for (std::size_t size = 1; text.size() < 20000; size = size % ehlo::detail::scans::short_line + 1)
    text += std::string(size - 1, 'x') + '\n';
  for (std::size_t first = ehlo::detail::scans::short_line; first <= 1000; ++first) {
    if (!ehlo::detail::scans::has_short_lines(text, first)) FAIL(first);
  }
}

TEST_CASE("what is scanned while the program is compiled has the same marks", "[codec]") {
  constexpr std::string_view lines = "0123456789 0123456789 0123456789 0123456789\r\nx\r\n";
  constexpr ehlo::piece_scan plain = ehlo::scan_piece(lines, false);
  STATIC_REQUIRE(plain.odd == 0);
  CHECK(std::bit_width(plain.lf) == std::bit_width(ehlo::scan_piece(lines, false).lf));
  STATIC_REQUIRE(ehlo::scan_piece("a\r\n.b", false).odd != 0);
  STATIC_REQUIRE(ehlo::scan_piece("\xE9", false).odd != 0);
  STATIC_REQUIRE(ehlo::scan_piece("\xE9", true).odd == 0);
  STATIC_REQUIRE(ehlo::scan_for_nearby_dot("0123456789012345678901234567890123456789\n").at == 0);
  STATIC_REQUIRE(ehlo::scan_for_nearby_dot("0123456789\r\n.1234567890123456789012345678").at == 12);
  STATIC_REQUIRE(ehlo::scan_for_nearby_dot("0123456789\n.\r\n.01234567890123456789012345678").at == 0);
  STATIC_REQUIRE_FALSE(ehlo::has_long_line(lines, 955));
  STATIC_REQUIRE(ehlo::has_long_line(lines, 956));
}
