// SPDX-License-Identifier: BSL-1.0
#include <ehlo/codec/reply_writer.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/replies.hpp>

#include "support/catch.hpp"

namespace {

using namespace ehlo;

/// What `write` gives, into a buffer of exactly `written_size` octets.
std::string written(const reply& r, enhanced_codes codes = enhanced_codes::write, std::string_view first_word = {}) {
  std::string out(written_size(r, codes, first_word), '?');
  REQUIRE(write(r, codes, out.data(), first_word) == out.data() + out.size());
  return out;
}

struct read_back {
  int code = 0;
  std::vector<std::string> lines;
  std::size_t longest = 0;  // octets of the longest line, with CRLF
};

/// Reply-line of RFC 5321 4.2, read in the plainest way: exactly one reply and nothing behind it, or nothing.
std::optional<read_back> read_one_reply(std::string_view octets, bool utf8 = false) {
  read_back out;
  for (bool last = false; !last;) {
    const std::size_t end = octets.find("\r\n");
    if (end == octets.npos || end < 4) return std::nullopt;
    const std::string_view line = octets.substr(0, end);
    octets.remove_prefix(end + 2);
    for (const char c : line.substr(0, 3)) {
      if (!ascii::digit.contains(c)) return std::nullopt;
    }
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (!is_reply_code(code) || (out.code != 0 && code != out.code)) return std::nullopt;
    out.code = code;
    if (line[3] != ' ' && line[3] != '-') return std::nullopt;
    last = line[3] == ' ';
    for (const char c : line.substr(4)) {
      if (c != '\t' && !ascii::printable.contains(c) && (!utf8 || ascii::is_ascii(c))) return std::nullopt;
    }
    if (!is_utf8(line)) return std::nullopt;
    out.lines.emplace_back(line.substr(4));
    out.longest = std::max(out.longest, line.size() + 2);
  }
  if (!octets.empty()) return std::nullopt;
  return out;
}

/// `count` octets of words of nine letters and a space.
std::string words(std::size_t count) {
  std::string out;
  while (out.size() < count) out += "abcdefghi ";
  out.resize(count);
  if (!out.empty() && out.back() == ' ') out.back() = 'x';
  return out;
}

TEST_CASE("A reply is three digits, one space, text and CRLF", "[codec][5321-2.4-05]") {
  CHECK(written(*reply::make(250, {}, "OK")) == "250 OK\r\n");
  CHECK(written(replies::ok, enhanced_codes::omit) == "250 OK\r\n");
  CHECK(written(replies::ok) == "250 2.0.0 OK\r\n");
}

TEST_CASE("What is written is one reply of the grammar", "[codec][5321-4.2-02]") {
  for (const auto& r : replies::all) {
    CAPTURE(r.name);
    for (const auto codes : {enhanced_codes::omit, enhanced_codes::write}) {
      const auto read = read_one_reply(written(r.value, codes));
      REQUIRE(read);
      CHECK(read->code == r.value.code());
      CHECK(read->lines.size() == 1);
    }
  }
}

TEST_CASE("The name of the host stands before the text of the first line", "[codec][5321-4.2-05]") {
  CHECK(written(replies::service_ready, enhanced_codes::omit, "mx.example") == "220 mx.example Service ready\r\n");
  CHECK(written(replies::service_closing, enhanced_codes::write, "mx.example") ==
        "221 2.0.0 mx.example Service closing transmission channel\r\n");
  CHECK(written(replies::idle_timeout, enhanced_codes::omit, "[192.0.2.1]") ==
        "421 [192.0.2.1] Idle for too long, closing transmission channel\r\n");
  const std::array<std::string_view, 2> lines{"ready", "be kind"};
  CHECK(written(*reply::make(220, {}, lines), enhanced_codes::omit, "mx.example") == "220-mx.example ready\r\n220 be kind\r\n");
  const std::array<std::string_view, 2> bare{"", "be kind"};
  CHECK(written(*reply::make(220, {}, bare), enhanced_codes::omit, "mx.example") == "220-mx.example\r\n220 be kind\r\n");
}

TEST_CASE("All lines but the last have a hyphen behind the code", "[codec][5321-4.2.1-07]") {
  const std::array<std::string_view, 3> lines{"a", "b", "c"};
  CHECK(written(*reply::make(250, {}, lines)) == "250-a\r\n250-b\r\n250 c\r\n");
}

TEST_CASE("The space behind the code is there without text", "[codec][5321-4.2.1-08]") {
  CHECK(written(replies::challenge) == "334 \r\n");
  const std::array<std::string_view, 3> lines{"a", "", ""};
  CHECK(written(*reply::make(214, {}, lines)) == "214-a\r\n214-\r\n214 \r\n");
  std::array<char, 6> out{};
  CHECK(write_line(250, true, "", out.data()) == out.data() + out.size());
  CHECK(std::string_view{out.data(), out.size()} == "250 \r\n");
}

TEST_CASE("Each line of a reply has the same code", "[codec][5321-4.2.1-10]") {
  const auto read = read_one_reply(written(*reply::make(554, {5, 0, 0}, words(3000))));
  REQUIRE(read);
  CHECK(read->code == 554);
  CHECK(read->lines.size() == 6);
}

TEST_CASE("Each line of a reply has the same enhanced status code", "[codec][2034-4-04]") {
  const std::array<std::string_view, 2> lines{"a", "b"};
  CHECK(written(*reply::make(551, {5, 7, 1}, lines)) == "551-5.7.1 a\r\n551 5.7.1 b\r\n");
  const std::string long_text = words(1200);
  const auto read = read_one_reply(written(*reply::make(551, {5, 7, 27}, long_text)));
  REQUIRE(read);
  REQUIRE(read->lines.size() == 3);
  for (const std::string& line : read->lines) CHECK(line.substr(0, 7) == "5.7.27 ");
}

TEST_CASE("An enhanced status code stands between the code and the text", "[codec][2034-3-02]") {
  CHECK(written(replies::rcpt_ok) == "250 2.1.5 OK\r\n");
  CHECK(written(replies::rcpt_ok, enhanced_codes::omit) == "250 OK\r\n");
}

TEST_CASE("A 3yz reply is written without enhanced status code", "[codec][2034-4-02]") {
  CHECK(written(replies::start_mail_input) == "354 Start mail input; end with <CRLF>.<CRLF>\r\n");
  CHECK(written(replies::challenge) == "334 \r\n");
}

TEST_CASE("Enhanced status codes are written without padding", "[codec][3463-2-01]") {
  struct row {
    enhanced_status_code code;
    std::string_view text;
  };
  const row r = GENERATE(row{{2, 0, 0}, "2.0.0"}, row{{5, 1, 10}, "5.1.10"}, row{{4, 7, 108}, "4.7.108"},
                         row{{5, 999, 999}, "5.999.999"}, row{{5, 100, 9}, "5.100.9"}, row{{}, ""});
  std::array<char, 9> out{};
  const char* const end = write(r.code, out.data());
  CHECK(std::string_view{out.data(), static_cast<std::size_t>(end - out.data())} == r.text);
  CHECK(written_size(r.code) == r.text.size());
  if (!r.code.is_none()) CHECK(*enhanced_status_code::parse(r.text) == r.code);
}

TEST_CASE("No line of a reply has more than 512 octets", "[codec][5321-4.5.3.1.5-01]") {
  // 250 SP text CRLF: 506 octets of text make a line of 512.
  const std::size_t size = GENERATE(1U, 504U, 505U, 506U, 507U, 511U, 512U, 513U, 600U, 1012U, 1013U, 5000U);
  const bool spaces = GENERATE(true, false);
  const std::string text = spaces ? words(size) : std::string(size, 'x');
  CAPTURE(size, spaces);
  const std::string octets = written(*reply::make(250, {}, text));
  const auto read = read_one_reply(octets);
  REQUIRE(read);
  CHECK(read->longest <= 512);
  CHECK((read->lines.size() == 1) == (size <= 506));
  std::string joined;
  for (const std::string& line : read->lines) joined += (joined.empty() || !spaces ? "" : " ") + line;
  CHECK(joined == text);
  if (size == 506) CHECK(octets.size() == 512);
  if (!spaces) CHECK(read->lines.size() == (size + 505) / 506);
}

TEST_CASE("The enhanced status code and the name of the host count in the 512 octets", "[codec][5321-4.5.3.1.5-01]") {
  const std::string name(255, 'n');
  for (std::size_t size = 200; size < 520; ++size) {
    CAPTURE(size);
    const std::string text(size, 'x');
    const auto read = read_one_reply(written(*reply::make(421, {4, 3, 2}, text), enhanced_codes::write, name));
    REQUIRE(read);
    CHECK(read->longest <= 512);
    CHECK((read->lines.size() == 1) == (size <= 512 - 2 - 4 - 6 - 256));
    CHECK(read->lines.front().substr(0, 6 + 256) == "4.3.2 " + name + " ");
  }
}

TEST_CASE("Long text is folded at the last space that fits", "[codec][5321-4.5.3.1.5-01]") {
  const std::string head(500, 'a');
  CHECK(written(*reply::make(250, {}, head + " bcdefgh")) == "250-" + head + "\r\n250 bcdefgh\r\n");
  const std::string full(506, 'a');
  CHECK(written(*reply::make(250, {}, full + " b")) == "250-" + full + "\r\n250 b\r\n");
  const std::string two_words = "a " + full.substr(2);
  CHECK(written(*reply::make(250, {}, two_words + " b")) == "250-" + two_words + "\r\n250 b\r\n");
  CHECK(written(*reply::make(250, {}, full + " ")) == "250 " + full + "\r\n");
  CHECK(written(*reply::make(250, {}, full + "b")) == "250-" + full + "\r\n250 b\r\n");
  CHECK(written(*reply::make(250, {}, " " + full)) == "250- " + full.substr(1) + "\r\n250 a\r\n");
  CHECK(read_one_reply(written(*reply::make(250, {}, std::string(2000, ' ')))));
}

TEST_CASE("Text is never cut inside a character of UTF-8", "[codec][6531-3.7.4.2-06]") {
  const std::string_view character = GENERATE("\xC3\xB6", "\xE2\x82\xAC", "\xF0\x9F\x93\xAC");
  for (std::size_t shift = 0; shift < 4; ++shift) {
    CAPTURE(character, shift);
    std::string text(shift, 'x');
    while (text.size() < 2000) text += character;
    const auto read = read_one_reply(written(*reply::make(250, {2, 1, 5}, text, true)), true);
    REQUIRE(read);
    CHECK(read->longest <= 512);
    std::string joined;
    for (const std::string& line : read->lines) {
      CHECK(is_utf8(line));
      joined += line.substr(6);
    }
    CHECK(joined == text);
  }
}

TEST_CASE("An empty challenge is 334 and one space", "[codec][4954-4-10]") {
  CHECK(written(replies::challenge) == "334 \r\n");
  CHECK(written(*reply::make(334, {}, "")) == "334 \r\n");
}

TEST_CASE("A challenge is one line, however long", "[codec][4954-4-09]") {
  const std::string base64(4000, 'A');
  CHECK(written(*reply::make(334, {}, base64)) == "334 " + base64 + "\r\n");
}

TEST_CASE("A keyword line of EHLO is written by itself", "[codec][5321-4.2.1-07]") {
  std::array<char, 64> out{};
  char* end = write_line(250, false, "mx.example", out.data());
  end = write_line(250, true, "SIZE 1000", end);
  CHECK(std::string_view{out.data(), static_cast<std::size_t>(end - out.data())} == "250-mx.example\r\n250 SIZE 1000\r\n");
}

TEST_CASE("Whatever the text, what is written is exactly one reply with its code", "[codec][5321-4.2-07][T23]") {
  std::minstd_rand random{20080101};
  const auto below = [&random](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
  constexpr std::array<std::string_view, 12> pieces{
      "\r\n", "250 ok", "\n", "\r", "\t", " ", "user ", "\xC3\xB6", "\0", "\xE2\x82\xAC", "\x7F", "abcdefghijklmnopqrstuvwxyz"};
  std::size_t made_count = 0;
  for (int run = 0; run < 20000; ++run) {
    std::string text;
    const std::size_t count = below(30);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t kind = below(16);
      if (kind == 0) {
        text += static_cast<char>(below(256));
      } else if (kind == 1) {
        text += pieces[below(pieces.size())];
      } else if (kind < 6) {
        text.append(below(120), static_cast<char>('a' + below(26)));
      } else {
        text += "word ";
      }
    }
    const int code = static_cast<int>(200 + below(360));
    const bool utf8 = below(2) == 0;
    const enhanced_status_code enhanced =
        below(2) == 0 ? enhanced_status_code{} : enhanced_status_code{static_cast<std::uint8_t>(code / 100), 7, 28};
    const auto made = reply::make(code, enhanced, text, utf8);
    if (!made) continue;
    ++made_count;
    const std::string octets = written(*made);
    const auto read = read_one_reply(octets, utf8);
    if (!read || read->code != code || (code != 334 && read->longest > 512)) {
      CAPTURE(run, text, octets);
      FAIL("not one reply");
    }
  }
  CHECK(made_count > 2000);
}

TEST_CASE("Every octet in a text is either refused or comes back", "[codec][5321-4.2-07][T23]") {
  for (unsigned value = 0; value < 256; ++value) {
    CAPTURE(value);
    const std::string text{'a', static_cast<char>(value), 'b'};
    const auto made = reply::make(550, {}, text);
    if (!made) continue;
    const auto read = read_one_reply(written(*made));
    REQUIRE(read);
    REQUIRE(read->lines.size() == 1);
    CHECK(read->lines.front() == text);
  }
}

}  // namespace
