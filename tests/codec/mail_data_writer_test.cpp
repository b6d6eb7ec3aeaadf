// SPDX-License-Identifier: BSL-1.0
// The mail data writer against the reader, on all short texts in all cuts.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <ehlo/codec/mail_data_reader.hpp>
#include <ehlo/codec/mail_data_writer.hpp>

#include "support/catch.hpp"

namespace {

using kind = ehlo::mail_data_writer::step::kind;

struct written {
  std::string octets;
  bool broken = false;
};

/// Writes `text` in two pieces, cut at `cut`.
written write(std::string_view text, std::size_t cut, const ehlo::mail_data_writer::rules& how) {
  written out;
  ehlo::mail_data_writer writer;
  for (std::string_view piece : {text.substr(0, cut), text.substr(cut)}) {
    for (;;) {
      const auto step = writer.next(piece, how);
      out.octets += step.octets;
      if (step.what == kind::broken) out.broken = true;
      if (step.what != kind::octets) break;
    }
    if (out.broken) return out;
  }
  const auto last = writer.end(how);
  out.octets += last.octets;
  out.broken = last.what == kind::broken;
  return out;
}

std::string read_back(std::string_view octets) {
  std::string out;
  ehlo::mail_data_reader reader;
  for (;;) {
    const auto step = reader.next(octets, ehlo::bare_line_ends::refuse, 0);
    out += step.octets;
    if (step.what == ehlo::mail_data_reader::step::kind::end) break;
    REQUIRE(step.what == ehlo::mail_data_reader::step::kind::octets);
  }
  CHECK(octets.empty());
  return out;
}

/// What normalizing makes of a text, written plainly.
std::string normalized(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') {
      out += "\r\n";
      if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    } else {
      out += text[i];
    }
  }
  if (!out.empty() && !out.ends_with("\r\n")) out += "\r\n";
  return out;
}

template <class Use>
void for_each_text(std::size_t longest, Use use) {
  constexpr std::string_view alphabet = "\r\n.x";
  for (std::size_t size = 0; size <= longest; ++size) {
    std::string text(size, alphabet[0]);
    std::array<std::size_t, 8> digits{};
    for (;;) {
      for (std::size_t i = 0; i < size; ++i) text[i] = alphabet[digits[i]];
      use(text);
      std::size_t at = 0;
      while (at < size && ++digits[at] == alphabet.size()) digits[at++] = 0;
      if (at == size) break;
    }
  }
}

bool has_bare_line_end(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("what is written reads back as it was, or is refused, however it is cut",
          "[codec][threats][T2][T3][5321-2.3.8-05][5321-4.5.2-01][5321-4.1.1.4-06][5321-4.1.1.4-07]") {
  for_each_text(6, [](const std::string& text) {
    const bool bare = has_bare_line_end(text);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      const auto strict = write(text, cut, {});
      if (strict.broken != bare) FAIL("refused or not: " << text);
      const auto repaired = write(text, cut, {.line_ends = ehlo::line_ends::normalize});
      if (repaired.broken || has_bare_line_end(repaired.octets)) FAIL("a CR or LF alone came out");
      if (read_back(repaired.octets) != normalized(text)) FAIL("another text came back");
      if (repaired.octets.size() > 2 * text.size() + 5) FAIL("more than twice the octets");
      if (!bare && read_back(strict.octets) != normalized(text)) FAIL("another text came back");
      if (write(text, 0, {}).octets != strict.octets) FAIL("the cut changes the octets");
    }
  });
}

TEST_CASE("the copy has the octets of the slices, in room of any size", "[codec][T3]") {
  const std::string text = "a\r\n.b\r\n..\r\n\r\n.x";
  for (std::size_t room = 3; room < 40; ++room) {
    ehlo::mail_data_writer writer;
    std::string copied;
    std::string_view rest = text;
    for (;;) {
      std::string place(room, '?');
      std::span<char> out{place};
      const auto step = writer.copy(rest, out, {});
      copied += place.substr(0, room - out.size());
      if (step.what == kind::need_more) break;
      REQUIRE(step.what == kind::octets);
    }
    copied += writer.end({}).octets;
    CHECK(copied == "a\r\n..b\r\n...\r\n\r\n..x\r\n.\r\n");
  }
}

TEST_CASE("a text line over 1000 octets is refused, never split; so are octets above 127 that BODY does not announce",
          "[codec][5321-4.5.3.1.6-02][5321-2.4-09]") {
  for (const std::size_t cut : {0U, 1U, 500U, 998U, 999U}) {
    CHECK_FALSE(write(std::string(998, 'x') + "\r\n", cut, {}).broken);
    const auto longer = write("a\r\n" + std::string(999, 'x') + "\r\n", cut, {});
    CHECK(longer.broken);
    CHECK(longer.octets == "a\r\n" + std::string(998, 'x'));
  }
  const auto eight = write("a\xE9\r\n", 1, {.eight_bit = false});
  CHECK(eight.broken);
  CHECK(eight.octets == "a");
}

TEST_CASE("a writer that has found a fault says so again, and gives nothing more", "[codec]") {
  const ehlo::mail_data_writer::rules how{};
  ehlo::mail_data_writer writer;
  std::string_view text = "a\r\nb\nc\r\n";
  auto step = writer.next(text, how);
  while (step.what == kind::octets) step = writer.next(text, how);
  REQUIRE(step.what == kind::broken);
  CHECK(step.reason.code == ehlo::errc::bare_lf);
  CHECK(writer.is_broken());
  const std::uint64_t taken = writer.taken();
  CHECK(taken == 4);
  std::string_view more = "d\r\n";
  CHECK(writer.next(more, how).what == kind::broken);
  CHECK(writer.next(more, how).reason.code == ehlo::errc::bare_lf);
  CHECK(more == "d\r\n");
  CHECK(writer.end(how).what == kind::broken);
  CHECK(writer.end(how).reason.code == ehlo::errc::bare_lf);
  CHECK(writer.taken() == taken);
}

TEST_CASE("of two faults of a line the first octet counts", "[codec]") {
  const auto first_fault = [](std::size_t place_of_eight_bit) {
    std::string line(1100, 'x');
    line[place_of_eight_bit] = '\xE9';
    line += "\r\n";
    constexpr ehlo::mail_data_writer::rules how{.eight_bit = false};
    ehlo::mail_data_writer writer;
    std::string_view text = line;
    auto step = writer.next(text, how);
    std::size_t given = 0;
    while (step.what == kind::octets) {
      given += step.octets.size();
      step = writer.next(text, how);
    }
    REQUIRE(step.what == kind::broken);
    return std::pair{step.reason.code, given};
  };
  CHECK(first_fault(10) == std::pair{ehlo::errc::eight_bit_text, std::size_t{10}});
  CHECK(first_fault(997) == std::pair{ehlo::errc::eight_bit_text, std::size_t{997}});
  CHECK(first_fault(1050) == std::pair{ehlo::errc::text_line_too_long, std::size_t{998}});
}
