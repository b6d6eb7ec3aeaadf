// SPDX-License-Identifier: BSL-1.0
// PROXY protocol headers, versions 1 and 2, read from octets in every cut.
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/proxy/reader.hpp>
#include <ehlo/server/session.hpp>

#include "support/catch.hpp"

namespace {

using ehlo::errc;
using ehlo::proxy::accepted_versions;
using ehlo::proxy::command;
using ehlo::proxy::family;
using ehlo::proxy::header;
using ehlo::proxy::reader;
using ehlo::proxy::transport;

/// What came of octets: a header or an error, and how many octets were taken. Keeps the reader that the views are of.
struct outcome {
  std::unique_ptr<reader> from;
  std::optional<header> found{};
  std::optional<ehlo::error> reason{};
  std::size_t taken = 0;
};

outcome read_cut(std::string_view octets, accepted_versions accepted, std::size_t cut) {
  outcome out{.from = std::make_unique<reader>(accepted)};
  for (std::size_t at = 0; at < octets.size();) {
    // Each piece from its own buffer.
    const std::string piece{octets.substr(at, cut)};
    std::string_view input = piece;
    const auto step = out.from->next(input);
    out.taken += piece.size() - input.size();
    at += piece.size();
    if (!step) {
      out.reason = step.error();
      break;
    }
    if (*step) {
      out.found = **step;
      break;
    }
    CHECK(input.empty());
  }
  if (out.found || out.reason) {
    // The answer stays, and nothing more is taken.
    std::string_view more = "EHLO x\r\n";
    const auto again = out.from->next(more);
    CHECK(more.size() == 8);
    CHECK(again.has_value() == out.found.has_value());
    if (again) CHECK(*again == out.found);
    if (!again) CHECK(again.error() == *out.reason);
  }
  CHECK(out.from->octets_taken() == out.taken);
  return out;
}

/// Reads in every cut; all give the same.
outcome read(std::string_view octets, accepted_versions accepted = accepted_versions::either) {
  outcome whole = read_cut(octets, accepted, octets.size() + 1);
  for (const std::size_t cut : {1U, 2U, 3U, 5U, 12U, 13U, 16U, 17U, 40U}) {
    CAPTURE(cut);
    const outcome other = read_cut(octets, accepted, cut);
    CHECK(other.taken == whole.taken);
    CHECK(other.reason == whole.reason);
    CHECK(other.found.has_value() == whole.found.has_value());
    if (other.found && whole.found) CHECK(*other.found == *whole.found);
  }
  return whole;
}

std::string line(std::string_view text) { return std::string{text} + "\r\n"; }

const std::string signature{"\r\n\r\n\0\r\nQUIT\n", 12};

std::string number(std::size_t value) { return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xFFU)}; }

std::string binary(int version_and_command, int family_and_transport, const std::string& block) {
  return signature + static_cast<char>(version_and_command) + static_cast<char>(family_and_transport) + number(block.size()) +
         block;
}

std::string tlv(int type, const std::string& value) { return static_cast<char>(type) + number(value.size()) + value; }

const std::string ipv4_block{"\xC0\x00\x02\x01\xC6\x33\x64\x19\xDC\x04\x00\x19", 12};
const std::string ipv6_block = std::string{"\x20\x01\x0D\xB8", 4} + std::string(11, '\0') + "\x01" +
                               std::string{"\x20\x01\x0D\xB8", 4} + std::string(11, '\0') + "\x02" +
                               std::string{"\xDC\x04\x00\x19", 4};

ehlo::proxy::endpoint v4(std::string_view address, std::uint16_t port) { return {*ehlo::ip_address::parse_v4(address), port}; }
ehlo::proxy::endpoint v6(std::string_view address, std::uint16_t port) { return {*ehlo::ip_address::parse_v6(address), port}; }

std::optional<ehlo::error> fault(std::string_view octets, accepted_versions accepted = accepted_versions::either) {
  return read(octets, accepted).reason;
}

ehlo::error at(errc code, std::size_t offset) { return {code, offset}; }

}  // namespace

// ---- Version 1 ---------------------------------------------------------------------------------------------------------------

TEST_CASE("a line of version 1 tells both ends of the connection", "[proxy][PROXY-2-02]") {
  const auto got = read("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n");
  REQUIRE(got.found);
  CHECK(got.taken == 47);
  CHECK(got.found->version == ehlo::proxy::version::one);
  CHECK(got.found->command == command::proxy);
  CHECK(got.found->transport == transport::stream);
  CHECK(got.found->client() == v4("192.168.0.1", 56324));
  CHECK(got.found->server() == v4("192.168.0.11", 443));
  CHECK(got.found->tlvs.empty());
}

TEST_CASE("a line has its parts once, in order, in their case, with one space between", "[proxy][PROXY-2.1-01]") {
  const std::pair<const char*, ehlo::error> rows[] = {
      {"PROXY TCP4 1.1.1.1 2.2.2.2 1", at(errc::proxy_line, 28)},
      {"PROXY TCP4 1.1.1.1 2.2.2.2", at(errc::proxy_line, 26)},
      {"PROXY TCP4 1.1.1.1", at(errc::proxy_line, 18)},
      {"PROXY TCP4", at(errc::proxy_line, 10)},
      {"PROXY ", at(errc::proxy_line, 6)},
      {"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 ", at(errc::proxy_line, 30)},
      {"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3", at(errc::proxy_line, 30)},
      {"PROXY tcp4 1.1.1.1 2.2.2.2 1 2", at(errc::proxy_line, 6)},
      {"PROXY TCP5 1.1.1.1 2.2.2.2 1 2", at(errc::proxy_line, 6)},
      {"PROXY UDP4 1.1.1.1 2.2.2.2 1 2", at(errc::proxy_line, 6)},
      {"PROXY UNKNOWNS", at(errc::proxy_line, 6)},
      {"PROXY  TCP4 1.1.1.1 2.2.2.2 1 2", at(errc::proxy_line, 6)},
      {"PROXY TCP4  1.1.1.1 2.2.2.2 1 2", at(errc::proxy_address, 11)},
      {"PROXY TCP4 1.1.1.1  2.2.2.2 1 2", at(errc::proxy_address, 19)},
      {"PROXY TCP4 1.1.1.1 2.2.2.2  1 2", at(errc::proxy_port, 27)},
      {"PROXY TCP4 1.1.1.1 2.2.2.2 1\t2", at(errc::proxy_line, 28)},
      {"PROXY TCP4\t1.1.1.1 2.2.2.2 1 2", at(errc::proxy_line, 10)},
      {"PROXY\tTCP4 1.1.1.1 2.2.2.2 1 2", at(errc::proxy_signature, 5)},
      {"proxy TCP4 1.1.1.1 2.2.2.2 1 2", at(errc::proxy_signature, 0)},
      {" PROXY TCP4 1.1.1.1 2.2.2.2 1 2", at(errc::proxy_signature, 0)},
  };
  for (const auto& [text, wanted] : rows) {
    CAPTURE(text);
    CHECK(fault(line(text)) == wanted);
  }
}

TEST_CASE("UNKNOWN may have anything behind it, and is accepted", "[proxy][PROXY-2.1-02]") {
  for (const char* text :
       {"PROXY UNKNOWN", "PROXY UNKNOWN ", "PROXY UNKNOWN 1.2.3.4 whatever \x80\xFF", "PROXY UNKNOWN  ::1 ::1 1 1"}) {
    CAPTURE(text);
    const auto got = read(line(text) + "EHLO x\r\n");
    REQUIRE(got.found);
    CHECK(got.taken == std::string_view{text}.size() + 2);
    CHECK(got.found->family == family::unspecified);
  }
}

TEST_CASE("with UNKNOWN the real ends of the connection count", "[proxy][PROXY-2.1-12]") {
  const auto got = read("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n");
  REQUIRE(got.found);
  CHECK_FALSE(got.found->client());
  CHECK_FALSE(got.found->server());
}

TEST_CASE("the IPv4 addresses of a line have no leading zeros and no number over 255", "[proxy][PROXY-2.1-03]") {
  const std::pair<const char*, std::size_t> rows[] = {{"256.1.1.1", 0}, {"1.2.3", 5},     {"1.2.3.4.5", 7}, {"01.2.3.4", 0},
                                                      {"1.2.03.4", 4},  {"1..2.3", 2},    {"1.2.3.4x", 7},  {"0x1.2.3.4", 1},
                                                      {"16909060", 0},  {"1.2.3.1234", 6}};
  for (const auto& [text, offset] : rows) {
    CAPTURE(text);
    CHECK(fault(line("PROXY TCP4 " + std::string{text} + " 2.2.2.2 1 2")) == at(errc::proxy_address, 11 + offset));
    CHECK(fault(line("PROXY TCP4 2.2.2.2 " + std::string{text} + " 1 2")) == at(errc::proxy_address, 19 + offset));
  }
  CHECK(read("PROXY TCP4 0.0.0.0 255.255.255.255 1 2\r\n").found->client() == v4("0.0.0.0", 1));
}

TEST_CASE("the IPv6 addresses of a line may be shortened once, in either case", "[proxy][PROXY-2.1-04]") {
  const auto got = read("PROXY TCP6 2001:DB8::1 2001:0db8:0000:0000:0000:0000:0000:0002 1 2\r\n");
  REQUIRE(got.found);
  CHECK(got.found->client() == v6("2001:db8::1", 1));
  CHECK(got.found->server() == v6("2001:db8::2", 2));
  for (const char* text : {"1::2::3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7", "12345::", "::g", ":::", "[::1]", "::1%lo", ":"}) {
    CAPTURE(text);
    CHECK(fault(line("PROXY TCP6 " + std::string{text} + " ::1 1 2"))->code == errc::proxy_address);
    CHECK(fault(line("PROXY TCP6 ::1 " + std::string{text} + " 1 2"))->code == errc::proxy_address);
  }
}

TEST_CASE("both addresses of a line are of the family that it tells", "[proxy][PROXY-2.1-05]") {
  CHECK(fault("PROXY TCP4 ::1 2.2.2.2 1 2\r\n") == at(errc::proxy_address, 11));
  CHECK(fault("PROXY TCP4 1.1.1.1 ::2 1 2\r\n") == at(errc::proxy_address, 19));
  CHECK(fault("PROXY TCP6 1.1.1.1 ::2 1 2\r\n")->code == errc::proxy_address);
  CHECK(fault("PROXY TCP6 ::1 2.2.2.2 1 2\r\n")->code == errc::proxy_address);
}

TEST_CASE("a port is 0 to 65535 without leading zeros", "[proxy][PROXY-2.1-06]") {
  CHECK(read("PROXY TCP4 1.1.1.1 2.2.2.2 0 65535\r\n").found->server() == v4("2.2.2.2", 65535));
  for (const char* text : {"65536", "00", "025", "-1", "+1", "x", "99999", "100000", "18446744073709551641"}) {
    CAPTURE(text);
    CHECK(fault(line("PROXY TCP4 1.1.1.1 2.2.2.2 " + std::string{text} + " 2")) == at(errc::proxy_port, 27));
    CHECK(fault(line("PROXY TCP4 1.1.1.1 2.2.2.2 1 " + std::string{text})) == at(errc::proxy_port, 29));
  }
}

TEST_CASE("the longest line of each kind is taken", "[proxy][PROXY-2.1-07]") {
  const std::string longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  const std::string four = line("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535");
  const std::string six = line("PROXY TCP6 " + longest + " " + longest + " 65535 65535");
  const std::string unknown = line("PROXY UNKNOWN " + longest + " " + longest + " 65535 65535");
  CHECK(four.size() == 56);
  CHECK(six.size() == 104);
  CHECK(unknown.size() == 107);
  for (const std::string& text : {four, six, unknown}) CHECK(read(text + "x").taken == text.size());
  for (const std::string& text : {four, six, unknown}) CHECK(read(text).found.has_value());
}

TEST_CASE("a line is not read before its CRLF has come", "[proxy][PROXY-2.1-08]") {
  const std::string text = line("PROXY TCP4 1.1.1.1 2.2.2.2 1 25");
  for (std::size_t size = 0; size < text.size(); ++size) {
    reader r{accepted_versions::one};
    std::string_view input = std::string_view{text}.substr(0, size);
    const auto got = r.next(input);
    REQUIRE(got.has_value());
    CHECK_FALSE(got->has_value());
    CHECK(input.empty());
  }
}

TEST_CASE("a line without CRLF in its first 107 octets is none", "[proxy][PROXY-2.1-09]") {
  const std::string start = "PROXY UNKNOWN ";
  CHECK(fault(start + std::string(91, 'x') + "\r\n") == std::nullopt);
  CHECK(fault(start + std::string(92, 'x') + "\r\n") == at(errc::proxy_too_long, 106));
  const auto got = read(start + std::string(100000, 'x'));
  CHECK(got.reason == at(errc::proxy_too_long, 106));
  CHECK(got.taken == 107);
}

TEST_CASE("a CR or LF alone does not end a line", "[proxy][PROXY-2.1-10]") {
  const std::string text = "PROXY TCP4 1.1.1.1 2.2.2.2 1 2";
  CHECK(fault(text + "\n") == at(errc::bare_lf, 30));
  CHECK(fault(text + "\rEHLO x\r\n") == at(errc::bare_cr, 30));
  CHECK(fault(text + "\r\r\n") == at(errc::bare_cr, 30));
  CHECK(fault("PROXY UNKNOWN\nEHLO x\r\n") == at(errc::bare_lf, 13));
  CHECK(fault("PROXY UNKNOWN \r \r\n") == at(errc::bare_cr, 14));
}

TEST_CASE("what is no header is told at its first wrong octet, and no further one is taken", "[proxy][PROXY-2.1-11]") {
  const std::string text = "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n";
  for (std::size_t i = 0; i < 6; ++i) {
    std::string wrong = text;
    wrong[i] = '?';
    CAPTURE(wrong);
    const auto got = read(wrong);
    CHECK(got.reason == at(errc::proxy_signature, i));
    CHECK(got.taken == i + 1);
  }
}

// ---- Version 2 ---------------------------------------------------------------------------------------------------------------

TEST_CASE("a binary header tells both ends of the connection", "[proxy][PROXY-2-01]") {
  const auto got = read(binary(0x21, 0x11, ipv4_block) + "EHLO x\r\n");
  REQUIRE(got.found);
  CHECK(got.taken == 28);
  CHECK(got.found->version == ehlo::proxy::version::two);
  CHECK(got.found->client() == v4("192.0.2.1", 56324));
  CHECK(got.found->server() == v4("198.51.100.25", 25));
}

TEST_CASE("a header in any pieces is the same", "[proxy][PROXY-2-03]") {
  for (const std::string& octets : {line("PROXY TCP6 ::1 ::2 1 2"), binary(0x21, 0x21, ipv6_block), binary(0x20, 0, "")}) {
    const auto whole = read_cut(octets + "rest", accepted_versions::either, octets.size() + 4);
    REQUIRE(whole.found);
    for (std::size_t first = 0; first <= octets.size(); ++first) {
      reader r{accepted_versions::either};
      const std::string one = octets.substr(0, first);
      const std::string two = octets.substr(first) + "rest";
      std::string_view input = one;
      auto got = r.next(input);
      REQUIRE(got.has_value());
      CHECK(input.empty());
      input = two;
      if (!*got) got = r.next(input);
      REQUIRE(got.has_value());
      REQUIRE(got->has_value());
      CHECK(**got == *whole.found);
      CHECK(input == "rest");
    }
  }
}

TEST_CASE("nothing is known of a header that is not complete and valid", "[proxy][PROXY-2-04]") {
  const std::string whole = binary(0x21, 0x11, ipv4_block + tlv(2, "mx.example"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto got = read(whole.substr(0, size));
    CHECK_FALSE(got.found);
    CHECK_FALSE(got.reason);
  }
  CHECK(read(whole).found.has_value());
}

TEST_CASE("what begins like SMTP is no header, whatever is accepted: nothing is guessed", "[proxy][T50][PROXY-2-06]") {
  for (const auto accepted : {accepted_versions::one, accepted_versions::two, accepted_versions::either}) {
    for (const char* text : {"EHLO client.example\r\n", "HELO x\r\n", "QUIT\r\n", "\n", "GET / HTTP/1.1\r\n", "\x16\x03\x01"}) {
      CAPTURE(text);
      const auto got = read(text, accepted);
      CHECK(got.reason == at(errc::proxy_signature, 0));
      CHECK(got.taken == 1);
    }
  }
  CHECK(fault("PROXY UNKNOWN\r\n", accepted_versions::two) == at(errc::proxy_signature, 0));
  CHECK(fault(binary(0x20, 0, ""), accepted_versions::one) == at(errc::proxy_signature, 0));
  CHECK(read("PROXY UNKNOWN\r\n", accepted_versions::one).found.has_value());
  CHECK(read(binary(0x20, 0, ""), accepted_versions::two).found.has_value());
}

TEST_CASE("a binary header begins with its signature", "[proxy][PROXY-2.2-01]") {
  const std::string good = binary(0x21, 0x11, ipv4_block);
  for (std::size_t i = 1; i < signature.size(); ++i) {
    std::string wrong = good;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x20);
    const auto got = read(wrong);
    CHECK(got.reason == at(errc::proxy_signature, i));
    CHECK(got.taken == i + 1);
  }
}

TEST_CASE("only version 2 is binary", "[proxy][PROXY-2.2-02]") {
  for (int version = 0; version < 16; ++version) {
    CAPTURE(version);
    const auto reason = fault(binary(version * 16 + 1, 0x11, ipv4_block));
    CHECK(reason == (version == 2 ? std::nullopt : std::optional{at(errc::proxy_version, 12)}));
  }
}

TEST_CASE("LOCAL is accepted, and what stands in its block counts for nothing", "[proxy][PROXY-2.2-03]") {
  for (const std::string& octets : {binary(0x20, 0x00, ""), binary(0x20, 0x11, ipv4_block), binary(0x20, 0xFF, "any octets"),
                                    binary(0x20, 0x21, "short"), binary(0x20, 0x11, ipv4_block + tlv(2, "x") + "\x03")}) {
    const auto got = read(octets + "EHLO x\r\n");
    REQUIRE(got.found);
    CHECK(got.taken == octets.size());
    CHECK(got.found->command == command::local);
    CHECK_FALSE(got.found->client());
    CHECK_FALSE(got.found->server());
    CHECK(got.found->tlvs.empty());
  }
}

TEST_CASE("with PROXY the addresses of the block count", "[proxy][PROXY-2.2-04]") {
  const auto got = read(binary(0x21, 0x21, ipv6_block));
  REQUIRE(got.found);
  CHECK(got.found->command == command::proxy);
  CHECK(got.found->client() == v6("2001:db8::1", 56324));
  CHECK(got.found->server() == v6("2001:db8::2", 25));
}

TEST_CASE("no other command is accepted", "[proxy][PROXY-2.2-05]") {
  for (int c = 2; c < 16; ++c) CHECK(fault(binary(0x20 + c, 0x11, ipv4_block)) == at(errc::proxy_command, 12));
}

TEST_CASE("where family or transport is not specified, the real ends of the connection count", "[proxy][PROXY-2.2-06]") {
  for (const int kind : {0x00, 0x01, 0x02, 0x10, 0x20, 0x30}) {
    CAPTURE(kind);
    for (const std::string& block : {std::string{}, ipv4_block, std::string{"\x03\xFF"}}) {
      const auto got = read(binary(0x21, kind, block) + "x");
      REQUIRE(got.found);
      CHECK(got.taken == 16 + block.size());
      CHECK_FALSE(got.found->client());
      CHECK(got.found->tlvs.empty());
    }
  }
}

TEST_CASE("a family or transport that nobody knows is refused", "[proxy][PROXY-2.2-07]") {
  for (int kind = 0; kind < 256; ++kind) {
    CAPTURE(kind);
    const bool is_known = kind / 16 <= 3 && kind % 16 <= 2;
    const auto reason = fault(binary(0x21, kind, std::string(216, 'x')));
    if (is_known) {
      CHECK((!reason || reason->code == errc::proxy_tlv));
    } else {
      CHECK(reason == at(errc::proxy_family, 13));
    }
  }
}

TEST_CASE("addresses and ports stand in network order", "[proxy][PROXY-2.2-08]") {
  const auto tcp = read(binary(0x21, 0x11, ipv4_block));
  CHECK(tcp.found->source == v4("192.0.2.1", 0xDC04));
  CHECK(tcp.found->destination == v4("198.51.100.25", 25));
  CHECK(tcp.found->transport == transport::stream);
  const auto udp = read(binary(0x21, 0x22, ipv6_block));
  CHECK(udp.found->source == v6("2001:db8::1", 0xDC04));
  CHECK(udp.found->transport == transport::datagram);
  CHECK(udp.found->family == family::ipv6);
}

TEST_CASE("local sockets have paths, and no address", "[proxy][PROXY-2.2-09]") {
  const std::string source = "/run/mail.sock" + std::string(94, '\0');
  const std::string destination = std::string(1, '\0') + "abstract" + std::string(99, '\0');
  const auto got = read(binary(0x21, 0x31, source + destination + tlv(2, "x")));
  REQUIRE(got.found);
  CHECK(got.found->family == family::local_socket);
  CHECK(got.found->source_path == "/run/mail.sock");
  CHECK(got.found->destination_path == std::string_view{"\0abstract", 9});
  CHECK_FALSE(got.found->client());
  CHECK(got.found->authority() == "x");
  const auto full = read(binary(0x21, 0x32, std::string(108, 'a') + std::string(108, '\0')));
  CHECK(full.found->source_path == std::string(108, 'a'));
  CHECK(full.found->destination_path.empty());
}

TEST_CASE("a header has as many octets as its length says, and not one more is taken", "[proxy][T50][PROXY-2.2-10]") {
  for (const std::size_t extra : {0U, 3U, 100U, 508U}) {
    const std::string block = ipv4_block + (extra == 0 ? "" : tlv(4, std::string(extra - 3, 'n')));
    const auto got = read(binary(0x21, 0x11, block) + binary(0x21, 0x11, ipv4_block));
    REQUIRE(got.found);
    CHECK(got.taken == 28 + extra);
  }
}

TEST_CASE("a header that is too short for its addresses is none", "[proxy][PROXY-2.2-11]") {
  const std::pair<int, std::size_t> rows[] = {{0x11, 12}, {0x12, 12}, {0x21, 36}, {0x22, 36}, {0x31, 216}, {0x32, 216}};
  for (const auto& [kind, size] : rows) {
    CAPTURE(kind);
    const auto got = read(binary(0x21, kind, std::string(size - 1, 'x')));
    CHECK(got.reason == at(errc::proxy_length, 14));
    CHECK(got.taken == 16);
    CHECK(fault(binary(0x21, kind, "")) == at(errc::proxy_length, 14));
    CHECK(read(binary(0x21, kind, std::string(size, 'x'))).found.has_value());
  }
}

TEST_CASE("no address is read before the block is complete", "[proxy][PROXY-2.2-12]") {
  const std::string octets = binary(0x21, 0x11, ipv4_block);
  reader r{accepted_versions::two};
  std::string_view input = octets;
  input.remove_suffix(1);
  CHECK_FALSE(r.next(input)->has_value());
  input = std::string_view{octets}.substr(octets.size() - 1);
  CHECK(r.next(input)->has_value());
}

TEST_CASE("the first octet tells the two formats apart", "[proxy][PROXY-2.2-13]") {
  for (int first = 0; first < 256; ++first) {
    CAPTURE(first);
    const auto reason = fault(std::string(1, static_cast<char>(first)));
    CHECK(reason.has_value() == (first != 'P' && first != '\r'));
  }
}

TEST_CASE("TLVs stand behind the addresses, and each ends inside the header", "[proxy][PROXY-2.2-14]") {
  const auto got = read(binary(0x21, 0x11, ipv4_block + tlv(1, "smtp") + tlv(0x30, "") + tlv(0xE0, std::string{"\0\1", 2})));
  REQUIRE(got.found);
  std::vector<std::pair<int, std::string>> seen;
  for (const auto& t : got.found->tlvs) seen.emplace_back(t.type, t.value);
  CHECK(seen == std::vector<std::pair<int, std::string>>{{1, "smtp"}, {0x30, ""}, {0xE0, std::string{"\0\1", 2}}});
  CHECK(got.found->tlvs.find(ehlo::proxy::tlv_type::alpn) == "smtp");
  CHECK(got.found->tlvs.find(ehlo::proxy::tlv_type::network_namespace) == "");
  CHECK_FALSE(got.found->tlvs.find(ehlo::proxy::tlv_type::authority));
  CHECK(fault(binary(0x21, 0x11, ipv4_block + "\x01")) == at(errc::proxy_tlv, 28));
  CHECK(fault(binary(0x21, 0x11, ipv4_block + std::string{"\x01\0", 2})) == at(errc::proxy_tlv, 28));
  CHECK(fault(binary(0x21, 0x11, ipv4_block + std::string{"\x01\0\1", 3})) == at(errc::proxy_tlv, 28));
  CHECK(fault(binary(0x21, 0x11, ipv4_block + tlv(1, "a") + std::string{"\x02\xFF\xFF", 3})) == at(errc::proxy_tlv, 32));
}

TEST_CASE("TLVs that nobody knows change nothing", "[proxy][PROXY-2.2-15]") {
  for (int type = 0; type < 256; ++type) {
    if (type == 0x03 || type == 0x20) continue;
    CHECK(read(binary(0x21, 0x11, ipv4_block + tlv(type, "x"))).found->client() == v4("192.0.2.1", 0xDC04));
  }
}

TEST_CASE("a header over the room of the reader is refused by its length", "[proxy][T50][PROXY-2.2-18]") {
  const std::string start = signature + std::string{"\x21\x11", 2};
  CHECK(fault(start + number(521) + std::string(521, 'x')) == at(errc::proxy_too_long, 14));
  CHECK(fault(start + number(65535)) == at(errc::proxy_too_long, 14));
  CHECK(read(start + number(520) + ipv4_block + tlv(4, std::string(505, 'n'))).found.has_value());
  static_assert(sizeof(reader) <= 536 + 64);
  ehlo::proxy::basic_reader<65551> large{accepted_versions::two};
  const std::string octets = start + number(65535) + ipv4_block + tlv(4, std::string(65520, 'n'));
  std::string_view input = octets;
  const auto got = large.next(input);
  REQUIRE(got.has_value());
  REQUIRE(got->has_value());
  CHECK((*got)->tlvs.octets().size() == 65523);
}

TEST_CASE("the authority is what the client has asked for", "[proxy][PROXY-2.2.2-01]") {
  CHECK(read(binary(0x21, 0x11, ipv4_block + tlv(2, "mx.example"))).found->authority() == "mx.example");
  CHECK_FALSE(read(binary(0x21, 0x11, ipv4_block)).found->authority());
}

TEST_CASE("a checksum that is there has to be right", "[proxy][PROXY-2.2.3-01]") {
  // The checksum was worked out bit by bit, by another program.
  const std::string before = tlv(2, "mx.example");
  const std::string good = binary(0x21, 0x11, ipv4_block + before + tlv(3, "\xAD\x20\x96\x55"));
  REQUIRE(read(good).found);
  CHECK(read(good).found->authority() == "mx.example");
  for (std::size_t i = 16; i < good.size(); ++i) {
    std::string wrong = good;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x01);
    CAPTURE(i);
    const auto reason = fault(wrong);
    if (i == 41) {
      CHECK_FALSE(reason.has_value());  // the type of the TLV: 2, no checksum any more
    } else {
      REQUIRE(reason.has_value());
      CHECK((reason->code == errc::proxy_checksum || reason->code == errc::proxy_tlv));
    }
  }
  std::string wrong = good;
  wrong.back() = static_cast<char>(wrong.back() ^ 0x01);
  CHECK(fault(wrong) == at(errc::proxy_checksum, 44));
  CHECK(fault(binary(0x21, 0x11, ipv4_block + tlv(3, "abc"))) == at(errc::proxy_tlv, 28));
  CHECK(fault(binary(0x21, 0x11, ipv4_block + tlv(3, "abcde"))) == at(errc::proxy_tlv, 28));
  CHECK(fault(binary(0x21, 0x11, ipv4_block + tlv(3, "abcd") + tlv(3, "abcd"))) == at(errc::proxy_tlv, 35));
}

TEST_CASE("NOOP is there to fill up", "[proxy][PROXY-2.2.4-01]") {
  const auto got = read(binary(0x21, 0x11, ipv4_block + tlv(4, "") + tlv(4, "12345") + tlv(2, "a")));
  REQUIRE(got.found);
  CHECK(got.found->authority() == "a");
}

TEST_CASE("a connection's identifier has at most 128 octets", "[proxy][PROXY-2.2.5-01]") {
  CHECK(read(binary(0x21, 0x11, ipv4_block + tlv(5, std::string(128, '\0')))).found->unique_id() == std::string(128, '\0'));
  CHECK(fault(binary(0x21, 0x11, ipv4_block + tlv(5, std::string(129, 'i')))) == at(errc::proxy_tlv, 28));
}

TEST_CASE("what the proxy knows of TLS is flags, verify and TLVs", "[proxy][PROXY-2.2.6-01]") {
  const std::string details = tlv(0x21, "TLSv1.3") + tlv(0x22, "client.example") + tlv(0x23, "TLS_AES_128_GCM_SHA256");
  const auto got = read(binary(0x21, 0x11, ipv4_block + tlv(0x20, std::string{"\x07\x01\x02\x03\x04", 5} + details)));
  REQUIRE(got.found);
  const auto facts = got.found->ssl();
  REQUIRE(facts);
  CHECK(facts->uses_tls);
  CHECK(facts->has_certificate);
  CHECK(facts->has_certificate_of_session);
  CHECK(facts->verify == 0x01020304);
  CHECK(facts->details.find(ehlo::proxy::ssl_tlv_type::version) == "TLSv1.3");
  CHECK(facts->details.find(ehlo::proxy::ssl_tlv_type::common_name) == "client.example");
  CHECK_FALSE(facts->details.find(ehlo::proxy::ssl_tlv_type::group));
  CHECK_FALSE(read(binary(0x21, 0x11, ipv4_block)).found->ssl());
  const auto flags = read(binary(0x21, 0x11, ipv4_block + tlv(0x20, std::string{"\x01\0\0\0\1", 5}))).found->ssl();
  CHECK((flags->uses_tls && !flags->has_certificate && !flags->has_certificate_of_session && flags->verify == 1));
  CHECK(fault(binary(0x21, 0x11, ipv4_block + tlv(0x20, "\x01\x01\x01\x01"))) == at(errc::proxy_tlv, 28));
  CHECK(fault(binary(0x21, 0x11, ipv4_block + tlv(0x20, std::string{"\x01\0\0\0\0\x21\0\x01", 8}))) == at(errc::proxy_tlv, 36));
}

TEST_CASE("a certificate is good when there is one and verify is zero", "[proxy][PROXY-2.2.6-02]") {
  const auto is_verified = [](const char* value) {
    return read(binary(0x21, 0x11, ipv4_block + tlv(0x20, std::string{value, 5}))).found->ssl()->is_verified();
  };
  CHECK(is_verified("\x03\0\0\0\0"));
  CHECK(is_verified("\x05\0\0\0\0"));
  CHECK_FALSE(is_verified("\x01\0\0\0\0"));
  CHECK_FALSE(is_verified("\x00\0\0\0\0"));
  CHECK_FALSE(is_verified("\x03\0\0\0\1"));
  CHECK_FALSE(is_verified("\x03\1\0\0\0"));
}

TEST_CASE("headers are read by the compiler too", "[proxy]") {
  static constexpr auto taken = [] {
    reader r{accepted_versions::either};
    std::string_view input = "PROXY TCP4 192.0.2.1 198.51.100.25 56324 25\r\nEHLO x\r\n";
    const auto got = r.next(input);
    return got && *got && (*got)->client() && (*got)->client()->port == 56324 && input == "EHLO x\r\n";
  }();
  static_assert(taken);
  static constexpr auto refused = [] {
    reader r{accepted_versions::either};
    std::string_view input = "EHLO x\r\n";
    return r.next(input).error().code;
  }();
  static_assert(refused == errc::proxy_signature);
}

TEST_CASE("a session begins behind the header, with the octets that the reader left", "[proxy][T50]") {
  const ehlo::server_options options{.hostname = "mx.example"};
  reader header{accepted_versions::two};
  const std::string octets = binary(0x21, 0x11, ipv4_block);
  std::string_view input = octets;
  REQUIRE(header.next(input)->has_value());

  ehlo::server_session session{options};
  REQUIRE(std::holds_alternative<ehlo::greeting_question>(session.next(input)));
  CHECK(session.accept().has_value());
  const auto greeting = session.next(input);
  REQUIRE(std::holds_alternative<ehlo::transmit>(greeting));
  CHECK(std::get<ehlo::transmit>(greeting).octets.starts_with("220 mx.example "));

  // A client that speaks before the greeting is found out behind a header too.
  reader other{accepted_versions::two};
  const std::string early = octets + "EHLO x\r\n";
  input = early;
  REQUIRE(other.next(input)->has_value());
  ehlo::server_session second{options};
  const auto first = second.next(input);
  REQUIRE(std::holds_alternative<ehlo::violation>(first));
  CHECK(std::get<ehlo::violation>(first).code == errc::early_talker);
}
