// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <ehlo/proxy/reader.hpp>
#include <ehlo/proxy/writer.hpp>

#include "support/catch.hpp"

namespace {

using ehlo::errc;
using ehlo::proxy::checksum;
using ehlo::proxy::command;
using ehlo::proxy::family;
using ehlo::proxy::header;
using ehlo::proxy::tlv_type;
using ehlo::proxy::tlv_writer;
using ehlo::proxy::transport;
using ehlo::proxy::version;

ehlo::proxy::endpoint v4(std::string_view address, std::uint16_t port) { return {*ehlo::ip_address::parse_v4(address), port}; }
ehlo::proxy::endpoint v6(std::string_view address, std::uint16_t port) { return {*ehlo::ip_address::parse_v6(address), port}; }

header over_ipv4(version v) {
  return {.version = v, .family = family::ipv4, .source = v4("192.0.2.1", 56324), .destination = v4("198.51.100.25", 25)};
}
header over_ipv6(version v) {
  return {.version = v, .family = family::ipv6, .source = v6("2001:db8::1", 1), .destination = v6("::ffff:1.2.3.4", 65535)};
}

std::string written(const header& h, checksum c = checksum::omit) {
  std::array<char, 600> out{};
  const auto size = write(h, out, c);
  REQUIRE(size.has_value());
  // In room of that size, and in none below it.
  std::string exact(*size, '\0');
  CHECK(write(h, exact, c) == *size);
  CHECK(exact == std::string{out.data(), *size});
  for (std::size_t less = 0; less < *size; ++less) {
    std::string small(less, '\0');
    CHECK(write(h, small, c).error().code == errc::proxy_too_long);
  }
  return exact;
}

/// What the reader makes of what was written is what was written.
void check_read_back(const header& h, checksum c = checksum::omit) {
  const std::string octets = written(h, c);
  ehlo::proxy::reader reader{ehlo::proxy::accepted_versions::either};
  std::string_view input = octets;
  const auto got = reader.next(input);
  REQUIRE(got.has_value());
  REQUIRE(got->has_value());
  CHECK(input.empty());
  header wanted = h;
  header found = **got;
  if (c == checksum::write) {
    CHECK(found.tlvs.find(tlv_type::crc32c).has_value());
    CHECK(found.tlvs.octets().starts_with(wanted.tlvs.octets()));
    found.tlvs = wanted.tlvs = {};
  }
  CHECK(found == wanted);
}

}  // namespace

TEST_CASE("a line names the addresses where it can", "[proxy][PROXY-2.1-13]") {
  CHECK(written(over_ipv4(version::one)) == "PROXY TCP4 192.0.2.1 198.51.100.25 56324 25\r\n");
  CHECK(written(over_ipv6(version::one)) == "PROXY TCP6 2001:db8::1 ::ffff:102:304 1 65535\r\n");
  CHECK(written(header{.version = version::one, .transport = transport::unspecified}) == "PROXY UNKNOWN\r\n");
}

TEST_CASE("a header is written in one piece, and only where all of it fits", "[proxy][PROXY-2-09]") {
  for (const auto v : {version::one, version::two}) {
    check_read_back(over_ipv4(v));
    check_read_back(over_ipv6(v));
    check_read_back({.version = v, .transport = transport::unspecified});
  }
}

TEST_CASE("the longest line has 104 octets", "[proxy]") {
  header h = over_ipv6(version::one);
  h.source = h.destination = v6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
  CHECK(written(h).size() == 104);
  check_read_back(h);
}

TEST_CASE("a binary header is version 2 of a known family in network order", "[proxy][PROXY-2.2-16]") {
  const std::string signature{"\r\n\r\n\0\r\nQUIT\n", 12};
  CHECK(written(over_ipv4(version::two)) == signature + std::string{"\x21\x11\0\x0C\xC0\0\2\1\xC6\x33\x64\x19\xDC\x04\0\x19", 16});
  CHECK(written(over_ipv6(version::two)).substr(0, 20) == signature + std::string{"\x21\x21\0\x24\x20\x01\x0D\xB8", 8});
  header udp = over_ipv4(version::two);
  udp.transport = transport::datagram;
  check_read_back(udp);
  check_read_back({.family = family::local_socket, .source_path = "/run/a", .destination_path = std::string_view{"\0b", 2}});
}

TEST_CASE("LOCAL and what is not specified are written without addresses and TLVs", "[proxy][PROXY-2.2-17]") {
  const std::string signature{"\r\n\r\n\0\r\nQUIT\n", 12};
  header h = over_ipv4(version::two);
  h.command = command::local;
  CHECK(written(h, checksum::write) == signature + std::string{"\x20\0\0\0", 4});
  h.command = command::proxy;
  h.transport = transport::unspecified;
  CHECK(written(h) == signature + std::string{"\x21\0\0\0", 4});
  check_read_back({.command = command::local, .transport = transport::unspecified});
}

TEST_CASE("a checksum is worked out over the whole header with zeros in its place", "[proxy][PROXY-2.2.3-02]") {
  std::array<char, 64> room{};
  header h = over_ipv4(version::two);
  h.tlvs = *tlv_writer{room}.put(tlv_type::authority, "mx.example").finish();
  // The checksum was worked out bit by bit, by another program.
  CHECK(written(h, checksum::write).substr(41) == std::string{"\x03\0\x04\xAD\x20\x96\x55", 7});
  check_read_back(h, checksum::write);
  check_read_back(over_ipv6(version::two), checksum::write);

  // One that stands among the TLVs is worked out anew, in its place.
  h.tlvs = *tlv_writer{room}.put(tlv_type::crc32c, "zero").put(tlv_type::authority, "mx.example").finish();
  for (const auto c : {checksum::omit, checksum::write}) {
    const std::string octets = written(h, c);
    CHECK(octets.size() == 48);
    ehlo::proxy::reader reader{ehlo::proxy::accepted_versions::two};
    std::string_view input = octets;
    const auto got = reader.next(input);
    REQUIRE(got.has_value());
    CHECK((*got)->authority() == "mx.example");
  }
  h.tlvs = *tlv_writer{room}.put(tlv_type::crc32c, "abc").finish();
  std::array<char, 100> out{};
  CHECK(write(h, out).error().code == errc::proxy_tlv);
  h.tlvs = *tlv_writer{room}.put(tlv_type::crc32c, "abcd").put(tlv_type::crc32c, "abcd").finish();
  CHECK(write(h, out).error().code == errc::proxy_tlv);
}

TEST_CASE("TLVs are written into bounded room", "[proxy]") {
  std::array<char, 9> room{};
  CHECK(tlv_writer{room}.put(tlv_type::alpn, "smtp").finish()->octets() == std::string_view{"\x01\0\4smtp", 7});
  CHECK(tlv_writer{room}.put(tlv_type::alpn, "submit").finish()->find(tlv_type::alpn) == "submit");
  CHECK(tlv_writer{room}.put(tlv_type::alpn, "submits").finish().error().code == errc::proxy_too_long);
  CHECK(tlv_writer{room}.put(std::uint8_t{0xE0}, std::string(65536, 'x')).finish().error().code == errc::proxy_too_long);
  CHECK(tlv_writer{room}.finish()->empty());
}

TEST_CASE("what a proxy knows of TLS is read as it was written", "[proxy]") {
  std::array<char, 64> inner{};
  std::array<char, 128> room{};
  const auto details = tlv_writer{inner}
                           .put(ehlo::proxy::ssl_tlv_type::version, "TLSv1.3")
                           .put(ehlo::proxy::ssl_tlv_type::cipher, "TLS_AES_128_GCM_SHA256")
                           .finish();
  const ehlo::proxy::ssl_facts facts{
      .uses_tls = true, .has_certificate = false, .has_certificate_of_session = true, .verify = 0x80000001, .details = *details};
  header h = over_ipv4(version::two);
  h.tlvs = *tlv_writer{room}.put(facts).finish();
  CHECK(h.ssl() == facts);
  check_read_back(h);
  std::array<char, 42> small{};
  CHECK(tlv_writer{small}.put(facts).finish().error().code == errc::proxy_too_long);
}

TEST_CASE("a header whose addresses are not of its family is not written", "[proxy]") {
  std::array<char, 600> out{};
  for (const auto v : {version::one, version::two}) {
    header h = over_ipv4(v);
    h.destination = v6("::1", 25);
    CHECK(write(h, out).error().code == errc::proxy_family);
    h = over_ipv6(v);
    h.source = v4("1.2.3.4", 25);
    CHECK(write(h, out).error().code == errc::proxy_family);
  }
  header h = over_ipv4(version::one);
  h.transport = transport::datagram;
  CHECK(write(h, out).error().code == errc::proxy_family);
  h.transport = transport::unspecified;
  CHECK(write(h, out).error().code == errc::proxy_family);
  h = over_ipv4(version::one);
  h.command = command::local;
  CHECK(write(h, out).error().code == errc::proxy_family);
  CHECK(write(header{.version = version::one, .family = family::local_socket}, out).error().code == errc::proxy_family);
  const std::string longest(108, 'p');
  CHECK(write(header{.family = family::local_socket, .source_path = longest}, out) == 232U);
  const std::string longer(109, 'p');
  CHECK(write(header{.family = family::local_socket, .source_path = longer}, out).error().code == errc::proxy_family);
}

TEST_CASE("a header that no length can tell is not written", "[proxy]") {
  const std::string value(65535 - 12 - 3, 'x');
  std::string room(70000, '\0');
  std::string out(70000, '\0');
  header h = over_ipv4(version::two);
  h.tlvs = *tlv_writer{room}.put(tlv_type::noop, value).finish();
  CHECK(write(h, out) == 65551U);
  CHECK(write(h, out, checksum::write).error().code == errc::proxy_too_long);
}

TEST_CASE("headers are written by the compiler too", "[proxy]") {
  static constexpr auto size = [] {
    std::array<char, 64> out{};
    const header h{.family = family::ipv4};
    return *write(h, out, checksum::write);
  }();
  static_assert(size == 35);
}

TEST_CASE("each flag of TLS is written for itself, and details that no length can tell are not written", "[proxy]") {
  for (unsigned bits = 0; bits < 8; ++bits) {
    std::array<char, 64> room{};
    const ehlo::proxy::ssl_facts facts{
        .uses_tls = (bits & 1U) != 0, .has_certificate = (bits & 2U) != 0, .has_certificate_of_session = (bits & 4U) != 0};
    const auto tlvs = *tlv_writer{room}.put(facts).finish();
    CHECK(tlvs.octets() == std::string{"\x20\0\5", 3} + static_cast<char>(bits) + std::string(4, '\0'));
  }
  std::string room(140000, '\0');
  std::string inner(70000, '\0');
  const auto details = [&inner](std::size_t size) {
    return ehlo::proxy::ssl_facts{.details = *tlv_writer{inner}.put(tlv_type::noop, std::string(size, 'x')).finish()};
  };
  CHECK(tlv_writer{room}.put(details(65535 - 5 - 3)).finish()->octets().size() == 65538U);
  CHECK(tlv_writer{room}.put(details(65535 - 5 - 2)).finish().error().code == errc::proxy_too_long);
}

TEST_CASE("a local socket's path has its limit at either end", "[proxy]") {
  std::array<char, 600> out{};
  const std::string longest(108, 'p');
  const std::string longer(109, 'p');
  CHECK(write(header{.family = family::local_socket, .destination_path = longest}, out) == 232U);
  CHECK(write(header{.family = family::local_socket, .destination_path = longer}, out).error().code == errc::proxy_family);
}
