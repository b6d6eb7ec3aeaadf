// SPDX-License-Identifier: BSL-1.0
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/codec/mail_data_reader.hpp>

#include "support/catch.hpp"
#include "support/naive_mail_data.hpp"

namespace {

using ehlo::bare_line_ends;
using ehlo::errc;

naive::mail_data read(std::string_view input, bare_line_ends policy = bare_line_ends::refuse, std::uint64_t maximum = 0) {
  return naive::read_by_library(input, policy, maximum, [](std::size_t) { return false; });
}

/// What comes out, and the same in every cut.
naive::mail_data read_in_cuts(std::string_view input, bare_line_ends policy = bare_line_ends::refuse, std::uint64_t maximum = 0) {
  const auto whole = read(input, policy, maximum);
  for (std::size_t every = 1; every < input.size(); ++every) {
    CAPTURE(every);
    CHECK(naive::read_by_library(input, policy, maximum, [every](std::size_t at) { return at % every == 0; }) == whole);
  }
  return whole;
}

template <class Visit>
void for_all_strings(std::string_view alphabet, std::size_t longest, Visit visit) {
  std::string text;
  const auto extend = [&](const auto& self) -> void {
    visit(text);
    if (text.size() == longest) return;
    for (const char c : alphabet) {
      text += c;
      self(self);
      text.pop_back();
    }
  };
  extend(extend);
}

}  // namespace

TEST_CASE("the reader does what a naive one does on all short strings, in all cuts, with both policies",
          "[codec][5321-2.3.8-01][T1]") {
  std::size_t wrong = 0;
  std::size_t seen = 0;
  for_all_strings(std::string_view{"\r\n.x"}, 8, [&](const std::string& text) {
    ++seen;
    for (const auto policy : {bare_line_ends::refuse, bare_line_ends::keep}) {
      for (const std::uint64_t maximum : {0U, 1U, 3U}) {
        const auto wanted = naive::read(text, policy, maximum);
        const unsigned cuts = text.size() < 6 ? 1U << (text.empty() ? 0 : text.size() - 1) : 4U;
        for (unsigned mask = 0; mask < cuts; ++mask) {
          const unsigned pattern = text.size() < 6 ? mask : mask * 0x55U;
          const auto found =
              naive::read_by_library(text, policy, maximum, [pattern](std::size_t at) { return (pattern >> (at - 1) & 1U) != 0; });
          wrong += found == wanted ? 0U : 1U;
        }
      }
    }
  });
  CHECK(seen == 87381);
  CHECK(wrong == 0);
}

TEST_CASE("a piece of any size is read as octet by octet, wherever in a line it begins and ends", "[codec][5321-2.3.8-01][T1]") {
  std::size_t wrong = 0;
  const auto read_behind = [&wrong](std::string_view start, const std::string& piece, std::string_view rest) {
    const std::string text = std::string{start} + piece + std::string{rest};
    const std::size_t begin = start.size();
    const std::size_t end = begin + piece.size();
    for (const auto policy : {bare_line_ends::refuse, bare_line_ends::keep}) {
      for (const std::uint64_t maximum : {std::size_t{0}, end - 1}) {
        const auto cut = [&](std::size_t at) { return at == begin || at == end; };
        wrong += naive::read_by_library(text, policy, maximum, cut) == naive::read(text, policy, maximum) ? 0U : 1U;
      }
    }
  };
  for (const std::size_t size : {2U, 3U, 15U, 16U, 17U, 31U, 32U, 33U, 34U, 63U, 64U, 65U, 66U}) {
    for (const std::string_view first : {"x", ".", "\r", "\n", "\x80", "..", ".\r", "\n.", "\r\n"}) {
      for (const std::string_view last : {"x", ".", "\r", "\n", "\r\n", "\n."}) {
        if (first.size() + last.size() > size) continue;
        const std::string piece = std::string{first} + std::string(size - first.size() - last.size(), 'y') + std::string{last};
        for (const std::string_view start : {"", "a", "a\r", "a\r\n", ".", ".\r", "a\r\n.", "\xE9"}) {
          for (const std::string_view rest : {"x\r\n.\r\n", "\n.\r\n", ".\r\n", "\r\n.\r\n"}) read_behind(start, piece, rest);
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("NUL is an octet like any other", "[codec][5321-4.1.1.4-01][T1]") {
  std::size_t wrong = 0;
  for_all_strings(std::string_view{"\r\n.\0x", 5}, 6, [&](const std::string& text) {
    for (const unsigned pattern : {0U, ~0U, 0x2AU}) {
      const auto found = naive::read_by_library(text, bare_line_ends::keep, 0,
                                                [pattern](std::size_t at) { return (pattern >> (at - 1) & 1U) != 0; });
      wrong += found == naive::read(text, bare_line_ends::keep, 0) ? 0U : 1U;
    }
  });
  CHECK(wrong == 0);
  std::string all;
  for (int c = 0; c < 128; ++c) {
    if (c != '\r' && c != '\n') all += static_cast<char>(c);
  }
  CHECK(read_in_cuts(all + "\r\n.\r\n").octets == all + "\r\n");
}

TEST_CASE("a line of only a period ends the data", "[codec][5321-4.1.1.4-03]") {
  const auto out = read_in_cuts("a\r\n.\r\nQUIT\r\n");
  CHECK(out.octets == "a\r\n");
  CHECK(out.end == 6U);
}

TEST_CASE("the CRLF before the period belongs to the last line", "[codec][5321-4.1.1.4-04]") {
  CHECK(read_in_cuts("a\r\n.\r\n").octets.size() == 3);
}

TEST_CASE("when nothing was sent the CRLF of DATA is the first one", "[codec][5321-4.1.1.4-05]") {
  const auto out = read_in_cuts(".\r\n");
  CHECK(out.octets.empty());
  CHECK(out.end == 3U);
}

TEST_CASE("LF . LF does not end the data", "[codec][5321-4.1.1.4-09][T1]") {
  CHECK_FALSE(read_in_cuts("x\n.\nMAIL FROM:<e@x>\r\n", bare_line_ends::keep).end);
  CHECK(read_in_cuts("x\n.\nMAIL FROM:<e@x>\r\n").broken == errc::bare_lf);
}

TEST_CASE("no other sequence ends the data, in the middle or at once", "[codec][5321-4.1.1.4-10][T1]") {
  for (const std::string_view end :
       {std::string_view{"\n.\n"}, std::string_view{"\n.\r\n"}, std::string_view{"\r.\r"}, std::string_view{"\r.\n"},
        std::string_view{"\r.\r\n"}, std::string_view{"\r\n.\n"}, std::string_view{"\r\n.\r"}, std::string_view{"\r\n\0.\r\n", 6},
        std::string_view{"\r\n.\0\r\n", 6}, std::string_view{"\r\r\n.\r\r\n"}, std::string_view{"\r\n.\r\r\n"},
        std::string_view{"\r\n. \r\n"}, std::string_view{".\n"}, std::string_view{".\r"}, std::string_view{".\r\r\n"},
        std::string_view{"\r.\r\n"}}) {
    for (const std::string_view before : {std::string_view{}, std::string_view{"text"}, std::string_view{"text\r\n"}}) {
      for (const auto policy : {bare_line_ends::refuse, bare_line_ends::keep}) {
        const std::string text = std::string{before} + std::string{end} + "MAIL FROM:<evil@x>\r\n";
        CAPTURE(text);
        const auto out = read_in_cuts(text, policy);
        CHECK_FALSE(out.end);
        CHECK(read_in_cuts(text + ".\r\n", policy).end == text.size() + 3);
      }
    }
  }
}

TEST_CASE("one leading period of a line is dropped", "[codec][5321-4.5.2-02]") {
  CHECK(read_in_cuts("..a\r\n.b\r\n...\r\n.\r\n").octets == ".a\r\nb\r\n..\r\n");
}

TEST_CASE("periods are looked at behind CRLF only", "[codec][5321-4.5.2-03]") {
  CHECK(read_in_cuts("a\n.b\r\n.\r\n", bare_line_ends::keep).octets == "a\n.b\r\n");
  CHECK(read_in_cuts("a\r.b\r\n.\r\n", bare_line_ends::keep).octets == "a\r.b\r\n");
}

TEST_CASE("all ASCII characters arrive unchanged", "[codec][5321-4.5.2-05]") {
  const std::string text{"\0\a\v\t\x7F \x1B[0m\r\n", 12};
  CHECK(read_in_cuts(text + ".\r\n").octets == text);
}

TEST_CASE("the size counts CRLFs, and neither transparency dots nor the last line", "[codec][1870-5-01]") {
  ehlo::mail_data_reader reader;
  naive::read_by_library(
      "..a\r\n.\r\n", bare_line_ends::refuse, 0, [](std::size_t) { return true; }, &reader);
  CHECK(reader.size() == 4);
}

TEST_CASE("exactly the maximum is given", "[codec][1870-4-01][T5]") {
  for (const std::uint64_t maximum : {2U, 3U, 4U, 5U}) {
    const auto out = read_in_cuts("abc\r\n.\r\n", bare_line_ends::refuse, maximum);
    CAPTURE(maximum);
    CHECK(out.octets == std::string{"abc\r\n"}.substr(0, maximum));
    CHECK(out.broken.has_value() == (maximum < 5));
    CHECK(out.end == 8U);
  }
}

TEST_CASE("no octet over the maximum is given, wherever it comes among short lines with dots", "[codec][1870-4-01][T5]") {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "ab\r\n..c\r\n";
  text += ".\r\n";
  for (std::uint64_t maximum = 1; maximum <= 200; ++maximum) {
    CAPTURE(maximum);
    const auto wanted = naive::read(text, bare_line_ends::refuse, maximum);
    CHECK(wanted.broken.has_value() == (maximum < 160));
    for (const std::size_t every : {33U, 64U, 65U, 100U, 1000U}) {
      const auto cut = [every](std::size_t at) { return at % every == 0; };
      CHECK(naive::read_by_library(text, bare_line_ends::refuse, maximum, cut) == wanted);
    }
  }
}

TEST_CASE("a maximum that becomes smaller than what was given ends the message", "[codec][T5]") {
  ehlo::mail_data_reader reader;
  std::string_view input = "abcde";
  CHECK(reader.next(input, bare_line_ends::refuse, 10).octets == "abcde");
  input = "fghij";
  const auto step = reader.next(input, bare_line_ends::refuse, 3);
  CHECK(step.what == ehlo::mail_data_reader::step::kind::broken);
  CHECK(step.reason.code == errc::message_too_large);
  CHECK(reader.size() == 5);
}

TEST_CASE("octets above 127 are kept, and told", "[codec][6152-3-03]") {
  ehlo::mail_data_reader reader;
  CHECK(naive::read_by_library(
            "\xFF\xE9\r\n.\r\n", bare_line_ends::refuse, 0, [](std::size_t) { return false; }, &reader)
            .octets == "\xFF\xE9\r\n");
  CHECK(reader.has_eight_bit());
  naive::read_by_library(
      "plain\r\n.\r\n", bare_line_ends::refuse, 0, [](std::size_t) { return false; }, &reader);
  CHECK_FALSE(reader.has_eight_bit());
}

TEST_CASE("of lines of all lengths each octet is given, and what is told of them is told with it", "[codec][5321-4.5.2-02]") {
  std::minstd_rand random{5321};
  const auto below = [&random](std::size_t count) { return random() % count; };
  std::size_t wrong = 0;
  for (int round = 0; round < 60; ++round) {
    const auto longest = 1 + below(80);
    std::string wire;
    for (int lines = 0; lines < 40; ++lines) {
      wire += std::string(below(3) == 0 ? 0 : 1 + below(4), '.');
      wire += std::string(below(longest), 'x');
      if (below(30) == 0) wire += '\x80';
      wire += below(200) == 0 ? "\r" : below(200) == 0 ? "\n" : "\r\n";
    }
    const auto wanted = naive::read(wire, bare_line_ends::keep, 0);
    for (const std::size_t feed : {2U, 15U, 16U, 17U, 31U, 32U, 33U, 63U, 64U, 65U, 200U, 10000U}) {
      ehlo::mail_data_reader reader;
      std::string given;
      bool ended = false;
      for (std::size_t at = 0; at < wire.size() && !ended; at += feed) {
        const std::string own = wire.substr(at, feed);
        std::string_view input = own;
        for (;;) {
          const auto step = reader.next(input, bare_line_ends::keep, 0);
          ended = step.what == ehlo::mail_data_reader::step::kind::end;
          if (step.what != ehlo::mail_data_reader::step::kind::octets) break;
          given += step.octets;
          wrong += reader.size() == given.size() ? 0U : 1U;
          wrong += reader.has_eight_bit() == (given.find('\x80') != given.npos) ? 0U : 1U;
        }
      }
      wrong += given == wanted.octets && ended == wanted.end.has_value() ? 0U : 1U;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("a line over 1000 octets is told, in every cut", "[codec][5321-4.5.3.1.6-01]") {
  for (const std::size_t size : {999U, 1000U, 1001U, 5000U}) {
    for (const std::size_t every : {1U, 7U, 33U, 48U, 64U, 500U, 100000U}) {
      for (const char* dot : {"", "."}) {
        CAPTURE(size, every, dot);
        ehlo::mail_data_reader reader;
        const std::string text = "short\r\n" + std::string{dot} + std::string(size - 2, 'x') + "\r\nshort\r\n.\r\n";
        naive::read_by_library(
            text, bare_line_ends::refuse, 0, [every](std::size_t at) { return at % every == 0; }, &reader);
        CHECK(reader.has_long_line() == (size > 1000));
      }
    }
  }
}

TEST_CASE("a line that begins with a dot is as long as it is, however long the one before", "[codec][5321-4.5.3.1.6-01]") {
  for (const std::size_t size : {200U, 1000U, 1001U}) {
    for (const std::size_t before : {900U, 960U}) {
      CAPTURE(size, before);
      ehlo::mail_data_reader reader;
      const std::string text = std::string(before, 'x') + "\r\n.." + std::string(size - 3, 'z') + "\r\n.\r\n";
      naive::read_by_library(
          text, bare_line_ends::refuse, 0, [before](std::size_t at) { return at == before; }, &reader);
      CHECK(reader.has_long_line() == (size > 1000));
    }
  }
}

TEST_CASE("a line behind one with a LF alone is as long as it is, in every cut", "[codec][5321-4.5.3.1.6-01]") {
  for (const std::size_t size : {700U, 999U, 1000U, 1001U}) {
    for (const std::size_t every : {1U, 7U, 33U, 48U, 64U, 500U, 100000U}) {
      for (const char* dot : {"", "."}) {
        CAPTURE(size, every, dot);
        ehlo::mail_data_reader reader;
        const std::string text = std::string(200, 'x') + "\ny\r\n" + std::string{dot} + std::string(size - 2, 'x') + "\r\n.\r\n";
        naive::read_by_library(
            text, bare_line_ends::keep, 0, [every](std::size_t at) { return at % every == 0; }, &reader);
        CHECK(reader.has_bare_line_end());
        CHECK(reader.has_long_line() == (size > 1000));
      }
    }
  }
}

TEST_CASE("a message that is given up is swallowed to its true end", "[codec]") {
  for (const std::string_view start : {"", "a", "a\r\n", ".", "a\r", ".\r", "a\r\n."}) {
    CAPTURE(start);
    ehlo::mail_data_reader reader;
    std::string_view input = start;
    while (!input.empty()) (void)reader.next(input, bare_line_ends::keep, 0);
    reader.abandon();
    const std::string rest = (start.ends_with("\r")                    ? "\n"
                              : start.empty() || start.ends_with("\n") ? ""
                                                                       : "\r\n") +
                             std::string{"b\r\n.\r\nNOOP"};
    if (start == "." || start == ".\r" || start == "a\r\n.") continue;  // these end at once with what follows
    input = rest;
    CHECK(reader.next(input, bare_line_ends::keep, 0).what == ehlo::mail_data_reader::step::kind::end);
    CHECK(input == "NOOP");
  }
}

TEST_CASE("the work is linear when octets come one by one", "[codec][T44]") {
  // A megabyte in a line, octet by octet: quadratic work would not end.
  ehlo::mail_data_reader reader;
  const std::string octet = "x";
  for (int i = 0; i < 1 << 20; ++i) {
    std::string_view input = octet;
    (void)reader.next(input, bare_line_ends::refuse, 0);
  }
  CHECK(reader.size() == 1U << 20);
}

TEST_CASE("A reader says that it swallows what comes, from a fault or the caller's word on", "[codec]") {
  ehlo::mail_data_reader reader;
  std::string_view input = "a\r\nb\nc\r\n";
  CHECK_FALSE(reader.is_broken());
  using kind = ehlo::mail_data_reader::step::kind;
  auto what = reader.next(input, bare_line_ends::refuse, 0).what;
  while (what == kind::octets) what = reader.next(input, bare_line_ends::refuse, 0).what;
  CHECK(what == kind::broken);
  CHECK(reader.is_broken());
  CHECK(reader.next(input, bare_line_ends::refuse, 0).what == kind::need_more);
  input = "\r\n.\r\n";
  CHECK(reader.next(input, bare_line_ends::refuse, 0).what == kind::end);
  ehlo::mail_data_reader abandoned;
  abandoned.abandon();
  CHECK(abandoned.is_broken());
  input = "abc\r\n.\r\n";
  CHECK(abandoned.next(input, bare_line_ends::refuse, 0).what == kind::end);
}
