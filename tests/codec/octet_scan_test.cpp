// SPDX-License-Identifier: BSL-1.0
#include <ehlo/codec/octet_scan.hpp>

#include <cstddef>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

void check_all(std::string_view text) {
  std::size_t wanted = 0;
  bool eight_bit = false;
  while (wanted < text.size() && text[wanted] != '\r' && text[wanted] != '\n') {
    eight_bit = eight_bit || static_cast<unsigned char>(text[wanted]) >= 128;
    ++wanted;
  }
  const auto check = [&](ehlo::octet_scan found) {
    CHECK(found.line_end == wanted);
    CHECK(found.eight_bit == eight_bit);
  };
  check(ehlo::scan_for_line_end(text));
  check(ehlo::detail::scan_octets(text, {}));
  check(ehlo::detail::scan_words(text));
#ifdef __SSE2__
  check(ehlo::detail::scan_blocks(text));
#endif
}

}  // namespace

TEST_CASE("each way to scan finds the same line end and the same octets above 127", "[codec]") {
  for (std::size_t size = 0; size <= 70; ++size) {
    check_all(std::string(size, 'x'));
    for (std::size_t at = 0; at < size; ++at) {
      for (const char c : {'\r', '\n', '\x80', '\xFF', '\x0C', '\x0E', '\x8D', '\x8A', '\0', '\x7F'}) {
        std::string text(size, 'x');
        text[at] = c;
        check_all(text);
        if (at + 1 < size) {
          text[at + 1] = c == '\xFF' ? '\n' : '\xFF';
          check_all(text);
        }
        if (at > 0) {
          text[at - 1] = '\x0B';  // one from LF and two from CR: a borrow in a word shows here
          check_all(text);
        }
      }
    }
  }
}

TEST_CASE("what stands behind the line end does not count", "[codec]") {
  CHECK_FALSE(ehlo::scan_for_line_end("abc\n\xFF").eight_bit);
  CHECK_FALSE(ehlo::scan_for_line_end(std::string{"0123456789abcde\n\xFF"}).eight_bit);
  CHECK(ehlo::scan_for_line_end("\r").line_end == 0);
}
