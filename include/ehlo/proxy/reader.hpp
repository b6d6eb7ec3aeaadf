// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_PROXY_READER_HPP
#define EHLO_PROXY_READER_HPP

/// @file
/// Reads the PROXY protocol header that stands before the first octet of a connection. PROXY protocol 2.1, 2.2.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/ip_address.hpp>
#include <ehlo/proxy/crc32c.hpp>
#include <ehlo/proxy/header.hpp>
#include <ehlo/result.hpp>

namespace ehlo::proxy {

/// Which formats are taken. PROXY protocol 2.2: a receiver is told, and the first octet tells two formats apart.
enum class accepted_versions : std::uint8_t {
  one,
  two,
  either,
};

namespace grammar {

/// The TCP port, 0 to 65535, without leading zeros      PROXY protocol 2.1
///
/// Fails with `errc::proxy_port`.
constexpr result<std::uint16_t> port(cursor& in) {
  constexpr unsigned largest = 65535;
  const std::size_t start = in.offset();
  const std::string_view digits = in.take_while(ascii::digit);
  unsigned value = 0;
  for (const char c : digits.substr(0, 5)) value = value * 10 + static_cast<unsigned>(c - '0');
  if (digits.empty() || digits.size() > 5 || value > largest || (digits.size() > 1 && digits.front() == '0'))
    return error{errc::proxy_port, start};
  return static_cast<std::uint16_t>(value);
}

/// An address of the family, up to the next space      PROXY protocol 2.1
///
/// Fails with `errc::proxy_address`.
constexpr result<ip_address> address(cursor& in, family kind) {
  const std::size_t start = in.offset();
  const std::string_view text = in.take_while(ascii::visible);
  const auto out = kind == family::ipv4 ? ip_address::parse_v4(text) : ip_address::parse_v6(text);
  if (!out) return error{errc::proxy_address, start + out.error().offset};
  return *out;
}

/// "PROXY" SP ( "TCP4" / "TCP6" ) SP address SP address SP port SP port
/// "PROXY" SP "UNKNOWN" [ SP anything ]      PROXY protocol 2.1
///
/// The line of version 1 without its CRLF. Fails with `errc::proxy_line`, `proxy_address` or `proxy_port`.
constexpr result<header> line(cursor& in) {
  constexpr std::string_view start = "PROXY ";
  if (!in.rest().starts_with(start)) return error{errc::proxy_line, in.offset()};
  in.advance(start.size());
  header out{.version = version::one};
  const std::size_t at = in.offset();
  const std::string_view kind = in.take_while(ascii::visible);
  if (kind == "UNKNOWN") {
    out.transport = transport::unspecified;
    in.advance(in.rest().size());  // whatever it is
    return out;
  }
  if (kind != "TCP4" && kind != "TCP6") return error{errc::proxy_line, at};
  out.family = kind == "TCP4" ? family::ipv4 : family::ipv6;
  for (ip_address* const a : {&out.source.address, &out.destination.address}) {
    if (!in.take(' ')) return error{errc::proxy_line, in.offset()};
    const auto read = address(in, out.family);
    if (!read) return read.error();
    *a = *read;
  }
  for (std::uint16_t* const p : {&out.source.port, &out.destination.port}) {
    if (!in.take(' ')) return error{errc::proxy_line, in.offset()};
    const auto read = port(in);
    if (!read) return read.error();
    *p = *read;
  }
  if (!in.at_end()) return error{errc::proxy_line, in.offset()};
  return out;
}

}  // namespace grammar

/// Reads one header, from octets in any cut. It takes the header's octets and none behind them.
///
/// Use it only where the peer is known to be a proxy that sends headers, and then always: whether there is one is never guessed.
/// Say nothing to the peer before the header is there (PROXY protocol 2), wait for it only some seconds, and close the connection
/// without a word when it is bad.
///
/// `Octets` is the longest header that is taken, at least 232 (addresses of local sockets), 536 by default; a certificate of the
/// client among the TLVs needs more.
template <std::size_t Octets = sizes::smallest_mss>
class basic_reader {
 public:
  static_assert(Octets >= sizes::fixed_part + 2 * sizes::local_path && Octets <= sizes::fixed_part + 65535);

  constexpr explicit basic_reader(accepted_versions accepted) : accepted_{accepted} {}

  /// Takes octets from the front of `input`: the header when it is complete, nothing while more octets are needed (then all of
  /// `input` was taken), or what is wrong, with the offset in the header. The answer stays what it was from then on, and no more
  /// octets are taken. The views of the header live as long as the reader is neither moved nor copied over.
  ///
  /// Fails with `errc::proxy_signature`, `proxy_line`, `proxy_address`, `proxy_port`, `proxy_version`, `proxy_command`,
  /// `proxy_family`, `proxy_length`, `proxy_too_long`, `proxy_tlv` or `proxy_checksum`.
  constexpr result<std::optional<header>> next(std::string_view& input) {
    while (!is_done_ && !reason_ && !input.empty()) take(input);
    if (reason_) return *reason_;
    if (is_done_) return std::optional<header>{read_header()};
    return std::optional<header>{};
  }

  /// Octets of the header that were taken.
  constexpr std::size_t octets_taken() const { return size_; }

 private:
  constexpr void take(std::string_view& input) {
    if (is_binary_ && size_ >= sizes::fixed_part) {
      const std::size_t count = std::min(input.size(), wanted_ - size_);
      std::copy_n(input.data(), count, octets_.data() + size_);
      size_ += count;
      input.remove_prefix(count);
    } else {
      octets_[size_++] = input.front();
      input.remove_prefix(1);
      if (size_ == 1) is_binary_ = octets_[0] == detail::signature[0];
      is_binary_ ? look_at_fixed_part() : look_at_line();
    }
    if (is_binary_ && !reason_ && size_ >= sizes::fixed_part && size_ == wanted_) finish();
  }

  constexpr void fail(errc code, std::size_t offset) { reason_ = error{code, offset}; }

  /// Everything has been taken: what is wrong is told now, and never again looked for.
  constexpr void finish() {
    const auto good = is_binary_ ? check_binary() : check_line();
    if (!good) {
      reason_ = good.error();
    } else {
      is_done_ = true;
    }
  }

  constexpr std::string_view text() const { return {octets_.data(), size_}; }

  // ---- Version 1 -------------------------------------------------------------------------------------------------------------

  constexpr void look_at_line() {
    constexpr std::string_view start = "PROXY ";
    const std::size_t at = size_ - 1;
    const char octet = octets_[at];
    if (at < start.size()) {
      if (octet != start[at] || accepted_ == accepted_versions::two) fail(errc::proxy_signature, at);
      return;
    }
    const bool ends = octets_[at - 1] == '\r';
    if (ends && octet != '\n') return fail(errc::bare_cr, at - 1);
    if (!ends && octet == '\n') return fail(errc::bare_lf, at);
    if (ends) return finish();
    if (size_ == sizes::line) fail(errc::proxy_too_long, at);
  }

  constexpr result<header> read_line() const {
    return ehlo::grammar::match([](cursor& in) { return grammar::line(in); }, text().substr(0, size_ - crlf.size()));
  }
  constexpr result<void> check_line() const {
    const auto read = read_line();
    return read ? result<void>{} : result<void>{read.error()};
  }

  // ---- Version 2 -------------------------------------------------------------------------------------------------------------

  constexpr unsigned octet(std::size_t i) const { return static_cast<unsigned char>(octets_[i]); }
  constexpr unsigned two_octets(std::size_t i) const { return octet(i) << 8U | octet(i + 1); }

  static constexpr std::size_t place_of_command = 12;
  static constexpr std::size_t place_of_family = 13;
  static constexpr std::size_t place_of_length = 14;

  constexpr command read_command() const { return static_cast<command>(octet(place_of_command) & 0xFU); }
  /// A family without transport, or the other way around, is none: only the pairs of 2.2 have addresses that are known.
  constexpr bool is_specified() const {
    return read_command() == command::proxy && (octet(place_of_family) >> 4U) != 0 && (octet(place_of_family) & 0xFU) != 0;
  }
  constexpr family read_family() const {
    return is_specified() ? static_cast<family>(octet(place_of_family) >> 4U) : family::unspecified;
  }

  constexpr void look_at_fixed_part() {
    const std::size_t at = size_ - 1;
    const unsigned value = octet(at);
    if (at < detail::signature.size()) {
      if (octets_[at] != detail::signature[at] || accepted_ == accepted_versions::one) fail(errc::proxy_signature, at);
    } else if (at == place_of_command) {
      if (value >> 4U != static_cast<unsigned>(version::two)) return fail(errc::proxy_version, at);
      if ((value & 0xFU) > static_cast<unsigned>(command::proxy)) return fail(errc::proxy_command, at);
    } else if (at == place_of_family) {
      const bool is_known = value >> 4U <= static_cast<unsigned>(family::local_socket) &&
                            (value & 0xFU) <= static_cast<unsigned>(transport::datagram);
      if (read_command() == command::proxy && !is_known) fail(errc::proxy_family, at);
    } else if (size_ == sizes::fixed_part) {
      wanted_ = sizes::fixed_part + two_octets(place_of_length);
      if (wanted_ > Octets) return fail(errc::proxy_too_long, place_of_length);
      if (wanted_ < sizes::fixed_part + detail::address_size(read_family())) fail(errc::proxy_length, place_of_length);
    }
  }

  constexpr std::size_t place_of_tlvs() const { return sizes::fixed_part + detail::address_size(read_family()); }
  /// Of TLVs only those behind addresses are read: in front of which octets others would begin nobody knows.
  constexpr std::string_view tlv_octets() const { return is_specified() ? text().substr(place_of_tlvs()) : std::string_view{}; }

  constexpr result<void> check_binary() const {
    const std::size_t start = place_of_tlvs();
    const auto list = tlv_list::parse(tlv_octets());
    if (!list) return error{list.error().code, start + list.error().offset};
    std::optional<std::size_t> checksum;
    for (const tlv& t : *list) {
      const std::size_t value = start + static_cast<std::size_t>(t.value.data() - list->octets().data());
      const std::size_t at = value - sizes::tlv_head;
      switch (static_cast<tlv_type>(t.type)) {
        case tlv_type::crc32c:
          if (t.value.size() != 4 || checksum) return error{errc::proxy_tlv, at};
          checksum = value;
          break;
        case tlv_type::unique_id:
          if (t.value.size() > sizes::unique_id) return error{errc::proxy_tlv, at};
          break;
        case tlv_type::ssl:
          if (const auto facts = ssl_facts::parse(t.value); !facts) {
            // One that is too short is wrong where it begins: what is missing may be behind the header.
            const std::size_t inside = facts.error().offset;
            return error{errc::proxy_tlv, inside < t.value.size() ? value + inside : at};
          }
          break;
        case tlv_type::alpn:
        case tlv_type::authority:
        case tlv_type::noop:
        case tlv_type::network_namespace: break;
      }
    }
    if (!checksum) return {};
    constexpr std::string_view zeros{"\0\0\0\0", 4};
    const std::uint32_t worked_out = crc32c{}.add(text().substr(0, *checksum)).add(zeros).add(text().substr(*checksum + 4)).value();
    const std::uint32_t told = std::uint32_t{two_octets(*checksum)} << 16U | two_octets(*checksum + 2);
    if (worked_out != told) return error{errc::proxy_checksum, *checksum};
    return {};
  }

  constexpr ip_address read_address(std::size_t at) const {
    address_octets out{};
    const bool is_v4 = read_family() == family::ipv4;
    for (std::size_t i = 0; i < (is_v4 ? 4U : 16U); ++i) out[i] = static_cast<std::uint8_t>(octet(at + i));
    return {is_v4 ? ip_version::four : ip_version::six, out};
  }
  constexpr std::string_view read_path(std::size_t at) const {
    std::string_view out = text().substr(at, sizes::local_path);
    while (!out.empty() && out.back() == '\0') out.remove_suffix(1);
    return out;
  }

  constexpr header read_binary() const {
    header out{.version = version::two, .command = read_command(), .family = read_family(), .transport = transport::unspecified};
    if (!is_specified()) return out;
    out.transport = static_cast<transport>(octet(place_of_family) & 0xFU);
    const std::size_t start = sizes::fixed_part;
    if (out.family == family::local_socket) {
      out.source_path = read_path(start);
      out.destination_path = read_path(start + sizes::local_path);
    } else {
      const std::size_t one = out.family == family::ipv4 ? 4 : 16;
      out.source = {read_address(start), static_cast<std::uint16_t>(two_octets(start + 2 * one))};
      out.destination = {read_address(start + one), static_cast<std::uint16_t>(two_octets(start + 2 * one + 2))};
    }
    out.tlvs = *tlv_list::parse(tlv_octets());
    return out;
  }

  constexpr header read_header() const { return is_binary_ ? read_binary() : *read_line(); }

  std::array<char, Octets> octets_{};
  std::size_t size_ = 0;
  std::size_t wanted_ = 0;  ///< version 2: octets of the header
  std::optional<error> reason_{};
  accepted_versions accepted_;
  bool is_binary_ = false;
  bool is_done_ = false;
};

/// For headers that fit into the smallest segment of TCP, which is what they are meant to do.
using reader = basic_reader<>;

}  // namespace ehlo::proxy

#endif  // EHLO_PROXY_READER_HPP
