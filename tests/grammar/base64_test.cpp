// SPDX-License-Identifier: BSL-1.0
#include <ehlo/grammar/base64.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using namespace ehlo;
using namespace std::string_view_literals;

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string encoded(std::string_view octets) {
  std::string out(base64::encoded_size(octets.size()), '?');
  const char* const end = encode_base64(octets, out.data());
  return end == out.data() + out.size() ? out : "wrong size";
}

std::string decoded(const base64& text) {
  std::string out(text.decoded_size(), '?');
  const char* const end = text.decode(out.data());
  return end == out.data() + out.size() ? out : "wrong size";
}

/// RFC 4648 by numbers, one group of four symbols at a time: what `text` means, none if it is not base64.
std::optional<std::string> oracle(std::string_view text) {
  std::string out;
  if (text.size() % 4 != 0) return std::nullopt;
  for (; !text.empty(); text.remove_prefix(4)) {
    unsigned pads = 0;
    unsigned long value = 0;
    for (const char c : text.substr(0, 4)) {
      const std::size_t at = alphabet.find(c);
      if (c == '=') {
        ++pads;
      } else if (pads > 0 || at == alphabet.npos) {
        return std::nullopt;
      }
      value = value * 64 + (c == '=' ? 0 : static_cast<unsigned long>(at));
    }
    if (pads > 2 || (pads > 0 && text.size() > 4)) return std::nullopt;
    const std::string octets{static_cast<char>(value / 65536), static_cast<char>(value / 256 % 256),
                             static_cast<char>(value % 256)};
    for (std::size_t i = 3 - pads; i < 3; ++i) {
      if (octets[i] != 0) return std::nullopt;
    }
    out += octets.substr(0, 3 - pads);
  }
  return out;
}

TEST_CASE("Base64 is read to its octets", "[grammar][4954-4-11]") {
  struct row {
    std::string_view clause;
    std::string_view text;
    std::string_view octets;
  };
  for (const row& r : {
           row{"4954-4-11", "dGVzdA==", "test"},
           row{"4954-4-11", "AGEAYg==", "\0a\0b"sv},
           row{"4954-4-11", "", ""},
           row{"4954-4-11", "Zg==", "f"},
           row{"4954-4-11", "Zm8=", "fo"},
           row{"4954-4-11", "Zm9v", "foo"},
           row{"4954-4-11", "Zm9vYg==", "foob"},
           row{"4954-4-11", "Zm9vYmE=", "fooba"},
           row{"4954-4-11", "Zm9vYmFy", "foobar"},
           row{"4954-4-11", "//79", "\xFF\xFE\xFD"},
           row{"4954-4-11", "++++", "\xFB\xEF\xBE"},
       }) {
    INFO(r.clause << ": " << r.text);
    const auto text = base64::parse(r.text);
    REQUIRE(text);
    CHECK(text->text() == r.text);
    CHECK(text->decoded_size() == r.octets.size());
    CHECK(decoded(*text) == r.octets);
    CHECK(encoded(r.octets) == r.text);
  }
}

struct bad {
  std::string_view clause;
  std::string_view text;
  errc code;
  std::size_t offset;
};

TEST_CASE("Octets outside the base64 alphabet are refused, not skipped", "[grammar][4954-4-20][T33]") {
  for (const bad& row : {
           bad{"4954-4-20", "dGVz dA=", errc::base64_octet, 4},
           bad{"4954-4-20", "dGVz dA==", errc::base64_octet, 4},
           bad{"4954-4-20", "dGVz\tdA=", errc::base64_octet, 4},
           bad{"4954-4-20", "dGVzdA-_", errc::base64_octet, 6},
           bad{"4954-4-20", "dGVz\r\n", errc::base64_octet, 4},
           bad{"4954-4-20", "AAA\0"sv, errc::base64_octet, 3},
           bad{"4954-4-20", "AAA*", errc::base64_octet, 3},
           bad{"4954-4-20",
               "AA\xFF"
               "A",
               errc::base64_octet, 2},
           bad{"4954-4-20", " AAA", errc::base64_octet, 0},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto text = base64::parse(row.text);
    REQUIRE_FALSE(text);
    CHECK(text.error() == error{row.code, row.offset});
  }
}

TEST_CASE("Padding stands only at the end, the length fits, and no bits are left over", "[grammar][4954-4-21][T33]") {
  for (const bad& row : {
           bad{"4954-4-21", "=AAA", errc::base64_padding, 0},
           bad{"4954-4-21", "AAA=BBB", errc::base64_padding, 3},
           bad{"4954-4-21", "AAAAA", errc::base64_length, 5},
           bad{"4954-4-21", "AA=", errc::base64_length, 3},
           bad{"4954-4-21", "A", errc::base64_length, 1},
           bad{"4954-4-21", "QQ==QUFB", errc::base64_padding, 2},
           bad{"4954-4-21", "A===", errc::base64_padding, 1},
           bad{"4954-4-21", "====", errc::base64_padding, 0},
           bad{"4954-4-21", "=", errc::base64_length, 1},
           bad{"4954-4-21", "AAAA=", errc::base64_length, 5},
           bad{"4954-4-21", "AAAA====", errc::base64_padding, 4},
           bad{"4954-4-21", "QR==", errc::base64_trailing_bits, 1},
           bad{"4954-4-21", "QUF=", errc::base64_trailing_bits, 2},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto text = base64::parse(row.text);
    REQUIRE_FALSE(text);
    CHECK(text.error().code == row.code);
    CHECK(text.error().offset == row.offset);
  }
}

TEST_CASE("Strings up to four symbols of a small alphabet mean what RFC 4648 says", "[grammar][4954-4-21][T33]") {
  std::string wrong;
  strings::for_each_up_to(4, "AQgwBZ/+9=- \r", [&wrong](std::string_view text) {
    const auto wanted = oracle(text);
    const auto parsed = base64::parse(text);
    if (parsed.has_value() != wanted.has_value() || (parsed && decoded(*parsed) != *wanted)) wrong = strings::hex(text);
  });
  strings::for_each_up_to(8, "AQ=", [&wrong](std::string_view text) {
    const auto wanted = oracle(text);
    const auto parsed = base64::parse(text);
    if (parsed.has_value() != wanted.has_value() || (parsed && decoded(*parsed) != *wanted)) wrong = strings::hex(text);
  });
  CHECK(wrong == "");
}

TEST_CASE("Each octet at each position of base64 is taken or refused as RFC 4648 says", "[grammar][4954-4-20][T26][T33]") {
  std::string wrong;
  for (const std::string_view base : {"AAAA"sv, "AA=="sv, "AAA="sv, "AAAAAA=="sv}) {
    for (std::size_t at = 0; at < base.size(); ++at) {
      for (unsigned value = 0; value < 256; ++value) {
        std::string text{base};
        text[at] = static_cast<char>(value);
        const auto parsed = base64::parse(text);
        const auto wanted = oracle(text);
        if (parsed.has_value() != wanted.has_value() || (parsed && decoded(*parsed) != *wanted)) wrong = strings::hex(text);
      }
    }
  }
  CHECK(wrong == "");
}

TEST_CASE("All one, two and three octets are written and read back the same", "[grammar][4954-4-11][T20]") {
  std::string wrong;
  const auto check = [&wrong](const std::string& octets) {
    const std::string text = encoded(octets);
    const auto parsed = base64::parse(text);
    if (!parsed || decoded(*parsed) != octets) wrong = strings::hex(octets);
  };
  for (unsigned a = 0; a < 256; ++a) {
    check({static_cast<char>(a)});
    for (unsigned b = 0; b < 256; ++b) {
      check({static_cast<char>(a), static_cast<char>(b)});
      check({static_cast<char>(a), '\0', static_cast<char>(b)});
      check({static_cast<char>(a), '\xFF', static_cast<char>(b), '\x80'});
    }
  }
  CHECK(wrong == "");
}

TEST_CASE("The size of base64 is known before it is written", "[grammar][4954-4-11]") {
  CHECK(base64::encoded_size(0) == 0);
  CHECK(base64::encoded_size(1) == 4);
  CHECK(base64::encoded_size(3) == 4);
  CHECK(base64::encoded_size(4) == 8);
  const std::string octets(9000, 'x');
  CHECK(encoded(octets).size() == 12000);
  CHECK(decoded(*base64::parse(encoded(octets))) == octets);
}

}  // namespace
