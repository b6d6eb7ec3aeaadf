// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_PROXY_HEADER_HPP
#define EHLO_PROXY_HEADER_HPP

/// @file
/// What a PROXY protocol header says, versions 1 and 2: the ends of the connection that a proxy relays, and what the proxy knows of
/// it. PROXY protocol 2.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ehlo/grammar/ip_address.hpp>
#include <ehlo/result.hpp>

namespace ehlo::proxy {

/// Sizes that the PROXY protocol gives, in octets.
namespace sizes {

inline constexpr std::size_t line = 107;          ///< the longest line of version 1, with CRLF (2.1)
inline constexpr std::size_t fixed_part = 16;     ///< version 2: signature, version, family, length (2.2)
inline constexpr std::size_t local_path = 108;    ///< an address of a local socket (2.2)
inline constexpr std::size_t tlv_head = 3;        ///< type and length of a TLV (2.2)
inline constexpr std::size_t unique_id = 128;     ///< 2.2.5
inline constexpr std::size_t smallest_mss = 536;  ///< every header is meant to fit in it (2)

}  // namespace sizes

/// The two formats. PROXY protocol 2.1, 2.2.
enum class version : std::uint8_t {
  one = 1,  ///< a line of text
  two = 2,  ///< binary
};

/// Why there is a connection. PROXY protocol 2.2.
enum class command : std::uint8_t {
  local = 0,  ///< the proxy speaks for itself (a health check): the real ends of the connection count
  proxy = 1,  ///< the proxy speaks for a client
};

/// The kind of the addresses. PROXY protocol 2.2.
enum class family : std::uint8_t {
  unspecified = 0,  ///< not told (version 1: UNKNOWN): the real ends of the connection count
  ipv4 = 1,
  ipv6 = 2,
  local_socket = 3,  ///< a path in the file system of the proxy
};

/// The transport of the connection that is relayed. PROXY protocol 2.2.
enum class transport : std::uint8_t {
  unspecified = 0,
  stream = 1,    ///< TCP
  datagram = 2,  ///< UDP, which no SMTP runs over
};

/// One end of a connection.
struct endpoint {
  ip_address address{};
  std::uint16_t port = 0;

  friend constexpr bool operator==(const endpoint&, const endpoint&) = default;
};

/// The types of TLVs that are registered. PROXY protocol 2.2.
enum class tlv_type : std::uint8_t {
  alpn = 0x01,
  authority = 0x02,
  crc32c = 0x03,
  noop = 0x04,
  unique_id = 0x05,
  ssl = 0x20,
  network_namespace = 0x30,
};

/// The types of TLVs inside the one of type `ssl`. PROXY protocol 2.2.6.
enum class ssl_tlv_type : std::uint8_t {
  version = 0x21,
  common_name = 0x22,
  cipher = 0x23,
  signature_algorithm = 0x24,
  key_algorithm = 0x25,
  group = 0x26,
  signature_scheme = 0x27,
  client_certificate = 0x28,
};

/// A type, and octets that mean what the type says. A view.
struct tlv {
  std::uint8_t type = 0;
  std::string_view value;

  friend constexpr bool operator==(const tlv&, const tlv&) = default;
};

/// Type-length-value vectors, one behind the other. A view; every one of them lies inside it.
class tlv_list {
 public:
  /// The TLVs from the first to the last. A TLV views the octets of the list.
  class iterator {
   public:
    using value_type = tlv;
    using difference_type = std::ptrdiff_t;

    constexpr iterator() = default;
    constexpr explicit iterator(std::string_view rest) : rest_{rest} {}
    constexpr tlv operator*() const {
      return {static_cast<std::uint8_t>(static_cast<unsigned char>(rest_[0])), rest_.substr(sizes::tlv_head, length_at(rest_))};
    }
    constexpr iterator& operator++() {
      rest_.remove_prefix(sizes::tlv_head + length_at(rest_));
      return *this;
    }
    constexpr iterator operator++(int) {
      const iterator before = *this;
      ++*this;
      return before;
    }
    friend constexpr bool operator==(const iterator& a, const iterator& b) { return a.rest_.size() == b.rest_.size(); }

   private:
    std::string_view rest_;
  };

  /// No TLVs.
  constexpr tlv_list() = default;

  /// Fails with `errc::proxy_tlv` at the TLV that does not end inside `octets`.
  static constexpr result<tlv_list> parse(std::string_view octets) {
    for (std::size_t at = 0; at < octets.size();) {
      const std::string_view rest = octets.substr(at);
      if (rest.size() < sizes::tlv_head || rest.size() - sizes::tlv_head < length_at(rest)) return error{errc::proxy_tlv, at};
      at += sizes::tlv_head + length_at(rest);
    }
    return tlv_list{octets};
  }

  constexpr iterator begin() const { return iterator{octets_}; }
  constexpr iterator end() const { return iterator{}; }
  constexpr bool empty() const { return octets_.empty(); }
  /// The octets it was made from.
  constexpr std::string_view octets() const { return octets_; }

  /// The value of the first TLV of a type.
  constexpr std::optional<std::string_view> find(std::uint8_t type) const {
    for (const tlv& t : *this) {
      if (t.type == type) return t.value;
    }
    return std::nullopt;
  }
  constexpr std::optional<std::string_view> find(tlv_type type) const { return find(static_cast<std::uint8_t>(type)); }
  constexpr std::optional<std::string_view> find(ssl_tlv_type type) const { return find(static_cast<std::uint8_t>(type)); }

  friend constexpr bool operator==(const tlv_list&, const tlv_list&) = default;

 private:
  constexpr explicit tlv_list(std::string_view octets) : octets_{octets} {}

  static constexpr std::size_t length_at(std::string_view tlv) {
    return static_cast<std::size_t>(static_cast<unsigned char>(tlv[1])) << 8U | static_cast<unsigned char>(tlv[2]);
  }

  std::string_view octets_;
};

/// What the proxy knows of the TLS between the client and itself. A view. PROXY protocol 2.2.6.
struct ssl_facts {
  bool uses_tls = false;                    ///< the client came over TLS
  bool has_certificate = false;             ///< and gave a certificate on this connection
  bool has_certificate_of_session = false;  ///< or once in this TLS session
  std::uint32_t verify = 0;                 ///< zero: a certificate was given and is good
  tlv_list details{};                       ///< names of version, cipher and so on, with the types of `ssl_tlv_type`

  /// A certificate was given, and the proxy has found it good.
  constexpr bool is_verified() const { return (has_certificate || has_certificate_of_session) && verify == 0; }

  /// Fails with `errc::proxy_tlv`.
  static constexpr result<ssl_facts> parse(std::string_view value) {
    constexpr std::size_t head = 5;
    if (value.size() < head) return error{errc::proxy_tlv, value.size()};
    const auto octet = [value](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(value[i])); };
    const auto details = tlv_list::parse(value.substr(head));
    if (!details) return error{details.error().code, head + details.error().offset};
    return ssl_facts{(octet(0) & 1U) != 0, (octet(0) & 2U) != 0, (octet(0) & 4U) != 0,
                     octet(1) << 24U | octet(2) << 16U | octet(3) << 8U | octet(4), *details};
  }

  friend constexpr bool operator==(const ssl_facts&, const ssl_facts&) = default;
};

/// What a header says. Its views are those of the reader that gave it.
///
/// Whoever sends a header is believed in all of it: take one only from addresses that you know to be your proxies'. What stands in
/// TLVs may have come from the client as it is (the authority is what the client wrote into its TLS handshake).
struct header {
  proxy::version version = proxy::version::two;
  proxy::command command = proxy::command::proxy;
  proxy::family family = proxy::family::unspecified;
  proxy::transport transport = proxy::transport::stream;
  endpoint source{};                    ///< the client; of `family::ipv4` and `ipv6` only
  endpoint destination{};               ///< where the client has connected to
  std::string_view source_path{};       ///< of `family::local_socket`: without the NULs at its end; may be empty
  std::string_view destination_path{};  ///< likewise
  tlv_list tlvs{};                      ///< of version 2, `command::proxy` and a family that is specified; else empty

  /// The client that the proxy speaks for. None means that the real ends of the connection count: `command::local`, UNKNOWN, an
  /// unspecified family or transport, a local socket.
  constexpr std::optional<endpoint> client() const { return has_addresses() ? std::optional{source} : std::nullopt; }
  /// Where that client has connected to.
  constexpr std::optional<endpoint> server() const { return has_addresses() ? std::optional{destination} : std::nullopt; }

  /// The name of the server that the client asked for (SNI), in its own octets: check them before you show them. 2.2.2.
  constexpr std::optional<std::string_view> authority() const { return tlvs.find(tlv_type::authority); }
  /// What the proxy calls the connection: any octets, 128 at most. 2.2.5.
  constexpr std::optional<std::string_view> unique_id() const { return tlvs.find(tlv_type::unique_id); }
  /// TLS between the client and the proxy; none if the proxy does not tell. 2.2.6.
  constexpr std::optional<ssl_facts> ssl() const {
    const auto value = tlvs.find(tlv_type::ssl);
    if (!value) return std::nullopt;
    const auto facts = ssl_facts::parse(*value);
    return facts ? std::optional{*facts} : std::nullopt;
  }

  friend constexpr bool operator==(const header&, const header&) = default;

 private:
  constexpr bool has_addresses() const {
    return command == proxy::command::proxy && transport != proxy::transport::unspecified &&
           (family == proxy::family::ipv4 || family == proxy::family::ipv6);
  }
};

namespace detail {

/// Octets of both addresses, with ports.
constexpr std::size_t address_size(family kind) {
  switch (kind) {
    case family::unspecified: break;
    case family::ipv4: return 12;
    case family::ipv6: return 36;
    case family::local_socket: return 2 * sizes::local_path;
  }
  return 0;
}

inline constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};

}  // namespace detail

}  // namespace ehlo::proxy

#endif  // EHLO_PROXY_HEADER_HPP
