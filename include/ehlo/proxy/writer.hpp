// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_PROXY_WRITER_HPP
#define EHLO_PROXY_WRITER_HPP

/// @file
/// Writes a PROXY protocol header: what a proxy, or a test, sends before the first octet of a connection. PROXY protocol 2.1, 2.2.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/ip_address.hpp>
#include <ehlo/proxy/crc32c.hpp>
#include <ehlo/proxy/header.hpp>
#include <ehlo/result.hpp>

namespace ehlo::proxy {

/// Whether version 2 carries a checksum. PROXY protocol 2.2.3.
enum class checksum : std::uint8_t { omit, write };

/// Puts octets into bounded room; what does not fit is remembered as an error.
class octet_writer {
 public:
  constexpr explicit octet_writer(std::span<char> out) : out_{out} {}

  constexpr octet_writer& put(std::string_view octets) {
    if (octets.size() > out_.size() - size_) {
      has_failed_ = true;
    } else if (!has_failed_) {
      std::copy_n(octets.data(), octets.size(), out_.data() + size_);
      size_ += octets.size();
    }
    return *this;
  }
  /// The last `count` octets of `value`, in network order.
  constexpr octet_writer& put_number(std::uint32_t value, std::size_t count) {
    std::array<char, 4> octets{};
    for (std::size_t i = 0; i < 4; ++i) octets[i] = static_cast<char>(static_cast<unsigned char>(value >> (24U - 8U * i) & 0xFFU));
    return put({octets.data() + 4 - count, count});
  }

  constexpr std::size_t size() const { return size_; }
  constexpr bool has_failed() const { return has_failed_; }
  constexpr std::string_view octets() const { return {out_.data(), size_}; }

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
  bool has_failed_ = false;
};

/// Puts TLVs one behind the other into the room of the caller. Those inside `tlv_type::ssl` are written by another one.
class tlv_writer {
 public:
  constexpr explicit tlv_writer(std::span<char> out) : out_{out} {}

  constexpr tlv_writer& put(std::uint8_t type, std::string_view value) {
    if (value.size() > longest_value) {
      is_too_long_ = true;
      return *this;
    }
    out_.put_number(type, 1).put_number(static_cast<std::uint32_t>(value.size()), 2).put(value);
    return *this;
  }
  constexpr tlv_writer& put(tlv_type type, std::string_view value) { return put(static_cast<std::uint8_t>(type), value); }
  constexpr tlv_writer& put(ssl_tlv_type type, std::string_view value) { return put(static_cast<std::uint8_t>(type), value); }
  /// PROXY protocol 2.2.6.
  constexpr tlv_writer& put(const ssl_facts& facts) {
    constexpr std::size_t head = 5;
    const std::string_view details = facts.details.octets();
    if (details.size() > longest_value - head) {
      is_too_long_ = true;
      return *this;
    }
    out_.put_number(static_cast<std::uint32_t>(tlv_type::ssl), 1).put_number(static_cast<std::uint32_t>(head + details.size()), 2);
    out_.put_number((facts.uses_tls ? 1U : 0U) | (facts.has_certificate ? 2U : 0U) | (facts.has_certificate_of_session ? 4U : 0U),
                    1);
    out_.put_number(facts.verify, 4).put(details);
    return *this;
  }

  /// The TLVs, which view the room. Fails with `errc::proxy_too_long`.
  constexpr result<tlv_list> finish() const {
    if (is_too_long_ || out_.has_failed()) return error{errc::proxy_too_long, out_.size()};
    return tlv_list::parse(out_.octets());
  }

 private:
  static constexpr std::size_t longest_value = 65535;

  octet_writer out_;
  bool is_too_long_ = false;
};

namespace detail {

constexpr void put_address(octet_writer& out, const ip_address& address) {
  std::array<char, ip_address::max_size> text{};
  out.put({text.data(), static_cast<std::size_t>(address.write(text.data()) - text.data())});
}

constexpr void put_port(octet_writer& out, std::uint16_t port) {
  std::array<char, 5> digits{};
  std::size_t first = digits.size();
  unsigned rest = port;
  do {
    digits[--first] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  out.put({digits.data() + first, digits.size() - first});
}

/// The address that the family wants, of both ends.
constexpr bool fits(const header& h) {
  const auto is_both = [&h](ip_version v) { return h.source.address.version() == v && h.destination.address.version() == v; };
  if (h.family == family::ipv4) return is_both(ip_version::four);
  if (h.family == family::ipv6) return is_both(ip_version::six);
  return h.source_path.size() <= sizes::local_path && h.destination_path.size() <= sizes::local_path;
}

constexpr void put_line(octet_writer& out, const header& h) {
  if (!h.client()) {
    out.put("PROXY UNKNOWN").put(crlf);
    return;
  }
  out.put(h.family == family::ipv4 ? "PROXY TCP4 " : "PROXY TCP6 ");
  put_address(out, h.source.address);
  out.put(" ");
  put_address(out, h.destination.address);
  out.put(" ");
  put_port(out, h.source.port);
  out.put(" ");
  put_port(out, h.destination.port);
  out.put(crlf);
}

constexpr void put_octets(octet_writer& out, const ip_address& address) {
  for (std::size_t i = 0; i < address.octet_count(); ++i) out.put_number(address.octets()[i], 1);
}

constexpr void put_path(octet_writer& out, std::string_view path) {
  out.put(path);
  for (std::size_t i = path.size(); i < sizes::local_path; ++i) out.put_number(0, 1);
}

constexpr bool is_specified(const header& h) {
  return h.command == command::proxy && h.family != family::unspecified && h.transport != transport::unspecified;
}

constexpr void put_addresses(octet_writer& out, const header& h) {
  if (h.family == family::local_socket) {
    put_path(out, h.source_path);
    put_path(out, h.destination_path);
    return;
  }
  put_octets(out, h.source.address);
  put_octets(out, h.destination.address);
  out.put_number(h.source.port, 2).put_number(h.destination.port, 2);
}

}  // namespace detail

/// Writes `h` into `out` and gives its size: version 1 in at most 107 octets, of which all but the addresses are left out; version
/// 2 with its TLVs, and with a checksum worked out anew if it is asked for or stands among them. `command::local` and what is not
/// specified have neither addresses nor TLVs.
///
/// The views of `h` are not into `out`. Fails with `errc::proxy_family` if the addresses are not those of the family (version 1: of
/// TCP over IPv4 or IPv6), `errc::proxy_tlv` if a checksum among the TLVs has no place of its size or there are two, or
/// `errc::proxy_too_long` if the header does not fit.
constexpr result<std::size_t> write(const header& h, std::span<char> out, checksum wanted = checksum::omit) {
  constexpr std::size_t longest = 65535;
  octet_writer to{out};
  if (!detail::fits(h)) return error{errc::proxy_family};
  if (h.version == version::one) {
    const bool is_text = h.command == command::proxy && (h.family == family::unspecified || h.transport == transport::stream) &&
                         h.family != family::local_socket;
    if (!is_text) return error{errc::proxy_family};
    detail::put_line(to, h);
    if (to.has_failed()) return error{errc::proxy_too_long, to.size()};
    return to.size();
  }
  const bool is_specified = detail::is_specified(h);
  const bool has_checksum = is_specified && h.tlvs.find(tlv_type::crc32c).has_value();
  const bool adds_checksum = is_specified && wanted == checksum::write && !has_checksum;
  std::size_t length = 0;
  if (is_specified) length = detail::address_size(h.family) + h.tlvs.octets().size() + (adds_checksum ? sizes::tlv_head + 4 : 0);
  if (length > longest) return error{errc::proxy_too_long, longest};
  const auto number = [](auto value) { return static_cast<std::uint32_t>(value); };
  to.put(detail::signature).put_number(0x20U | number(h.command), 1);
  to.put_number(is_specified ? number(h.family) << 4U | number(h.transport) : 0U, 1).put_number(number(length), 2);
  if (!is_specified) return to.has_failed() ? result<std::size_t>{error{errc::proxy_too_long, to.size()}} : to.size();
  detail::put_addresses(to, h);
  std::size_t place = 0;  // of the checksum
  for (const tlv& t : h.tlvs) {
    const bool is_checksum = t.type == number(tlv_type::crc32c);
    if (is_checksum && (t.value.size() != 4 || place != 0)) return error{errc::proxy_tlv, to.size()};
    to.put_number(t.type, 1).put_number(number(t.value.size()), 2);
    if (is_checksum) place = to.size();
    to.put(is_checksum ? std::string_view{"\0\0\0\0", 4} : t.value);
  }
  if (adds_checksum) {
    to.put_number(number(tlv_type::crc32c), 1).put_number(4, 2);
    place = to.size();
    to.put_number(0, 4);
  }
  if (to.has_failed()) return error{errc::proxy_too_long, to.size()};
  if (place != 0) octet_writer{out.subspan(place)}.put_number(crc32c{}.add(to.octets()).value(), 4);
  return to.size();
}

}  // namespace ehlo::proxy

#endif  // EHLO_PROXY_WRITER_HPP
