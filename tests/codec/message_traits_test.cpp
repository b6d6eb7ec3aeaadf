// SPDX-License-Identifier: BSL-1.0
// What is found out about a message before it is sent, held against a plain reading of it, however it is cut.
#include <ehlo/codec/message_traits.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/codec/mail_data_writer.hpp>

#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using ehlo::body_type;
using ehlo::message_traits;

/// The traits read plainly, one line after the other; a line ends with CRLF, or with a CR or LF alone.
message_traits read_plainly(std::string_view text) {
  message_traits out;
  out.size = text.size();
  out.body = body_type::seven_bit;
  bool in_header = true;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of("\r\n");
    const std::string_view line = text.substr(0, end);
    for (const char c : line) {
      if (static_cast<unsigned char>(c) < 128) continue;
      out.body = body_type::eight_bit;
      if (in_header) out.utf8_header = true;
    }
    if (line.size() > 998) out.long_line = true;
    if (end == text.npos) {
      out.open_line = true;
      break;
    }
    const bool is_crlf = text.substr(end, 2) == "\r\n";
    if (!is_crlf) ++out.bare_line_ends;
    // The text ends behind a CR: there is no line behind it, and whether one ended does not matter.
    if (line.empty()) in_header = false;
    text.remove_prefix(end + (is_crlf ? 2 : 1));
  }
  return out;
}

/// The traits of `text` cut into the pieces that the bits of `cuts` tell: a set bit cuts behind that octet.
message_traits scan(std::string_view text, unsigned cuts) {
  ehlo::message_scanner scanner;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((cuts >> i & 1U) == 0) continue;
    scanner.feed(text.substr(start, i + 1 - start));
    start = i + 1;
  }
  scanner.feed(text.substr(start));
  return scanner.traits();
}

}  // namespace

TEST_CASE("all short texts have the traits that a plain reading finds, in all cuts", "[codec][5321-2.3.8-05][6152-3-07]") {
  std::size_t texts = 0;
  strings::for_each_up_to(6, "\r\nx\x80", [&texts](std::string_view text) {
    ++texts;
    const message_traits wanted = read_plainly(text);
    const unsigned cuts = text.empty() ? 1U : 1U << (text.size() - 1);
    for (unsigned cut = 0; cut < cuts; ++cut) {
      if (scan(text, cut) != wanted) FAIL(strings::hex(text) << "cut by " << cut);
    }
    if (ehlo::traits_of(text) != wanted) FAIL(strings::hex(text));
  });
  CHECK(texts == 5461);
}

TEST_CASE("the traits tell what the mail data writer does with a text", "[codec][5321-2.3.8-05][1870-6-03]") {
  strings::for_each_up_to(6, "\r\nx\x80", [](std::string_view text) {
    const message_traits traits = ehlo::traits_of(text);
    for (const auto policy : {ehlo::line_ends::refuse, ehlo::line_ends::normalize}) {
      for (const bool eight_bit : {false, true}) {
        using kind = ehlo::mail_data_writer::step::kind;
        const ehlo::mail_data_writer::rules how{.line_ends = policy, .eight_bit = eight_bit};
        ehlo::mail_data_writer writer;
        std::string_view rest = text;
        auto step = writer.next(rest, how);
        while (step.what == kind::octets) step = writer.next(rest, how);
        if (step.what != kind::broken) step = writer.end(how);
        const bool is_refused =
            (policy == ehlo::line_ends::refuse && traits.bare_line_ends > 0) || (!eight_bit && traits.body == body_type::eight_bit);
        if ((step.what == kind::broken) != is_refused) FAIL("refused or not: " << strings::hex(text));
        if (is_refused) continue;
        // SIZE is that of what leaves, or more: a CR and LF alone that become one CRLF each, and the CRLF of an open line.
        const std::uint64_t declared = *traits.size + traits.bare_line_ends + (traits.open_line ? 2U : 0U);
        if (writer.size() != declared) FAIL("another size: " << strings::hex(text));
      }
    }
  });
}

TEST_CASE("a line of 998 octets is not long, one of 999 is, wherever it ends and however it is cut", "[codec][5321-4.5.3.1.6-02]") {
  for (const std::string_view before : {"", "a: b\r\n\r\n", "x\n"}) {
    for (const std::string_view behind : {"", "\r\n", "\r\nx\r\n", "\n", "\r"}) {
      for (const std::size_t size : {997U, 998U, 999U, 1000U, 2000U}) {
        const std::string text = std::string{before} + std::string(size, 'x') + std::string{behind};
        for (const std::size_t cut : {1U, 2U, 7U, 500U, 998U, 3000U}) {
          ehlo::message_scanner scanner;
          for (std::size_t at = 0; at < text.size(); at += cut) scanner.feed(std::string_view{text}.substr(at, cut));
          CAPTURE(before, behind, size, cut);
          CHECK(scanner.traits().long_line == (size > 998));
          CHECK(scanner.traits() == read_plainly(text));
        }
      }
    }
  }
}

TEST_CASE("octets above 127 count as UTF-8 in the header section only, which ends with its first empty line",
          "[codec][6531-3.4-03]") {
  struct row {
    std::string text;
    bool utf8_header;
  };
  for (const row& r : {row{"a: \xC3\xA9\r\n\r\n", true}, row{"a: b\r\n\r\n\xC3\xA9\r\n", false}, row{"\r\n\xC3\xA9", false},
                       row{"a: b\r\nc: d\r\n \xC3\xA9\r\n\r\n", true}, row{"\xFF", true}, row{"a: b\r\n\r\n\r\n\xFF\r\n", false}}) {
    CAPTURE(r.text);
    CHECK(ehlo::traits_of(r.text).utf8_header == r.utf8_header);
    CHECK(ehlo::traits_of(r.text).body == body_type::eight_bit);
  }
  CHECK(ehlo::traits_of("") == message_traits{.size = 0, .body = body_type::seven_bit});
}

TEST_CASE("each octet is one of seven bits or of eight", "[codec][5321-2.4-09]") {
  for (int value = 0; value < 256; ++value) {
    for (const std::size_t place : {0U, 1U, 7U, 8U, 15U, 40U}) {
      std::string text(41, 'x');
      text[place] = static_cast<char>(value);
      CAPTURE(value, place);
      CHECK(ehlo::traits_of(text) == read_plainly(text));
      CHECK((ehlo::traits_of(text).body == body_type::eight_bit) == (value > 127));
    }
  }
}

TEST_CASE("A line of the body that is too long is found, in whatever pieces it comes", "[codec]") {
  for (const std::size_t cut : {std::size_t{1}, std::size_t{500}, std::size_t{999}, std::size_t{1001}, std::size_t{5000}}) {
    for (const std::size_t size : {std::size_t{998}, std::size_t{999}, std::size_t{2500}}) {
      CAPTURE(cut, size);
      const std::string text = "a: b\r\n\r\n" + std::string(size, 'x') + "\r\nmore\r\n";
      ehlo::message_scanner scanner;
      for (std::size_t at = 0; at < text.size(); at += cut) scanner.feed(std::string_view{text}.substr(at, cut));
      CHECK(scanner.traits().long_line == (size > 998));
    }
  }
}
