// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXAMPLES_SUPPORT_TCP_STREAM_HPP
#define EHLO_EXAMPLES_SUPPORT_TCP_STREAM_HPP

/// @file
/// The octets of TCP out of packets as they were captured: the headers of a packet, and one direction of a connection put in order.
/// RFC 791, 8200, 9293.

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace example {

/// An address, as the 4 or 16 octets of a packet, and a port.
struct endpoint {
  std::string address;
  std::uint16_t port = 0;

  /// 192.0.2.1:25, [2001:db8::1]:25
  std::string text() const {
    const bool is_4 = address.size() == 4;
    std::array<char, INET6_ADDRSTRLEN> out{};
    if (inet_ntop(is_4 ? AF_INET : AF_INET6, address.data(), out.data(), out.size()) == nullptr) return "?";
    return is_4 ? std::string{out.data()} + ":" + std::to_string(port)
                : "[" + std::string{out.data()} + "]:" + std::to_string(port);
  }

  friend auto operator<=>(const endpoint&, const endpoint&) = default;
};

/// What a packet holds of TCP.
struct tcp_segment {
  endpoint from;
  endpoint to;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  bool has_acknowledged = false;
  bool is_syn = false;
  bool is_fin = false;
  bool is_reset = false;
  std::uint32_t size = 0;   ///< octets that it carried
  std::string_view octets;  ///< those of them that were captured
};

/// The headers of packets.
namespace packet {

/// What is there at an offset, in network byte order; 0 where the packet has been cut off.
class octets {
 public:
  explicit octets(std::string_view all) : all_{all} {}
  bool has(std::size_t count) const { return all_.size() >= count; }
  std::uint32_t one(std::size_t at) const { return at < all_.size() ? static_cast<unsigned char>(all_[at]) : 0; }
  std::uint32_t two(std::size_t at) const { return one(at) << 8U | one(at + 1); }
  std::uint32_t four(std::size_t at) const { return two(at) << 16U | two(at + 2); }
  std::string_view from(std::size_t at) const { return all_.substr(std::min(at, all_.size())); }

 private:
  std::string_view all_;
};

/// The part of an IP packet behind its headers.
struct ip_content {
  std::string source;
  std::string destination;
  std::uint32_t protocol = 0;
  std::size_t size = 0;  ///< as the headers say
  std::string_view captured;
  bool is_fragment = false;
};

inline std::optional<ip_content> read_ip4(const octets& p) {
  constexpr std::uint32_t more_or_offset = 0x3FFF;
  const std::size_t header = (p.one(0) & 15U) * 4;
  std::size_t total = p.two(2);
  if (total == 0) total = p.from(0).size();  // left to the network card, which cuts it later
  if (header < 20 || !p.has(header) || total < header) return std::nullopt;
  return ip_content{std::string{p.from(12).substr(0, 4)},     std::string{p.from(16).substr(0, 4)}, p.one(9), total - header,
                    p.from(header).substr(0, total - header), (p.two(6) & more_or_offset) != 0};
}

inline std::optional<ip_content> read_ip6(const octets& p) {
  constexpr std::size_t fixed = 40;
  constexpr std::uint32_t hop_by_hop = 0, routing = 43, fragment = 44, destination = 60;
  if (!p.has(fixed)) return std::nullopt;
  std::size_t total = fixed + p.two(4);
  if (total == fixed) total = p.from(0).size();
  ip_content out{std::string{p.from(8).substr(0, 16)}, std::string{p.from(24).substr(0, 16)}, p.one(6), 0, {}, false};
  std::size_t at = fixed;
  for (;;) {
    const std::uint32_t next = out.protocol;
    if (next != hop_by_hop && next != routing && next != fragment && next != destination) break;
    if (!p.has(at + 8)) return std::nullopt;
    if (next == fragment) out.is_fragment = (p.two(at + 2) & 0xFFF9U) != 0;
    out.protocol = p.one(at);
    at += next == fragment ? 8 : (p.one(at + 1) + 1) * 8;
  }
  if (!p.has(at) || total < at) return std::nullopt;
  out.size = total - at;
  out.captured = p.from(at).substr(0, out.size);
  return out;
}

inline std::optional<ip_content> read_ip(std::string_view from_ip_on) {
  const octets p{from_ip_on};
  switch (p.one(0) >> 4U) {
    case 4: return read_ip4(p);
    case 6: return read_ip6(p);
    default: return std::nullopt;
  }
}

inline std::optional<tcp_segment> read_tcp(const ip_content& ip) {
  constexpr std::uint32_t tcp = 6;
  const octets p{ip.captured};
  const std::size_t header = (p.one(12) >> 4U) * 4;
  if (ip.protocol != tcp || ip.is_fragment || header < 20 || !p.has(20) || ip.size < header) return std::nullopt;
  const std::uint32_t flags = p.one(13);
  return tcp_segment{.from = {ip.source, static_cast<std::uint16_t>(p.two(0))},
                     .to = {ip.destination, static_cast<std::uint16_t>(p.two(2))},
                     .sequence = p.four(4),
                     .acknowledged = p.four(8),
                     .has_acknowledged = (flags & 0x10U) != 0,
                     .is_syn = (flags & 0x02U) != 0,
                     .is_fin = (flags & 0x01U) != 0,
                     .is_reset = (flags & 0x04U) != 0,
                     .size = static_cast<std::uint32_t>(ip.size - header),
                     .octets = p.from(header)};
}

/// An Ethernet frame from its type on: tags of virtual networks may stand there (IEEE 802.1Q).
inline std::string_view behind_ethernet_type(const octets& p, std::size_t at) {
  constexpr std::uint32_t ip4 = 0x0800, ip6 = 0x86DD, tag = 0x8100, outer_tag = 0x88A8;
  while (p.two(at) == tag || p.two(at) == outer_tag) at += 4;
  return p.two(at) == ip4 || p.two(at) == ip6 ? p.from(at + 2) : std::string_view{};
}

}  // namespace packet

/// One direction of a connection: segments come in any order, more than once, or never; octets go out in order.
class tcp_stream {
 public:
  bool has_begun() const { return has_begun_; }

  /// The octet `sequence` is the first one.
  void begin(std::uint32_t sequence) {
    has_begun_ = true;
    first_ = sequence;
  }

  /// `size` octets were at `sequence`, and `octets` of them were captured.
  void put(std::uint32_t sequence, std::string_view octets, std::uint32_t size) {
    seen_ = std::max(seen_, position(sequence) + size);
    std::int64_t at = position(sequence);
    if (at < next_) {
      octets.remove_prefix(std::min(octets.size(), static_cast<std::size_t>(next_ - at)));
      at = next_;
    }
    if (octets.empty()) return;
    std::string& kept = waiting_[at];
    if (kept.size() >= octets.size()) return;  // seen before
    kept_ += octets.size() - kept.size();
    kept = octets;
  }

  /// The last octet was before `sequence`.
  void end(std::uint32_t sequence) { end_ = position(sequence); }

  /// The other end has the octets before `sequence`.
  void acknowledge(std::uint32_t sequence) { acknowledged_ = std::max(acknowledged_, position(sequence)); }

  /// The octets that come next, as far as they are there.
  std::string take() {
    std::string out;
    while (!waiting_.empty() && waiting_.begin()->first <= next_) {
      const auto& [at, octets] = *waiting_.begin();
      const auto known = static_cast<std::size_t>(next_ - at);
      kept_ -= octets.size();
      if (known < octets.size()) {
        out.append(octets, known);
        next_ += static_cast<std::int64_t>(octets.size() - known);
      }
      waiting_.erase(waiting_.begin());
    }
    return out;
  }

  /// Octets are missing before others that were seen, or that the other end has.
  bool has_gap() const { return in_order() < std::max(acknowledged(), seen_); }
  /// The other end has what is missing: it will not come again.
  bool is_lost() const { return in_order() < acknowledged(); }
  /// More waits behind a gap than is kept.
  bool is_full() const { return kept_ > most_kept; }
  /// The other end had not acknowledged this octet.
  bool is_new(std::uint32_t sequence) const { return position(sequence) >= acknowledged_; }

  /// Goes on behind the gap, when all before it was taken. Gives how many octets it had.
  std::uint64_t pass_gap() {
    if (!has_gap()) return 0;
    const std::int64_t behind = waiting_.empty() ? std::max(acknowledged(), seen_) : waiting_.begin()->first;
    const auto missing = static_cast<std::uint64_t>(behind - next_);
    next_ = behind;
    return missing;
  }

  bool is_at_end() const { return end_ && next_ >= *end_; }

 private:
  static constexpr std::size_t most_kept = std::size_t{1} << 24U;

  /// Counted from the first octet. Sequence numbers are counted modulo 2^32; the next one expected is near.
  std::int64_t position(std::uint32_t sequence) const {
    const std::uint32_t expected = first_ + static_cast<std::uint32_t>(next_);
    return next_ + static_cast<std::int32_t>(sequence - expected);
  }
  /// The position behind the octets that can be taken.
  std::int64_t in_order() const {
    std::int64_t out = next_;
    for (const auto& [at, octets] : waiting_) {
      if (at > out) break;
      out = std::max(out, at + static_cast<std::int64_t>(octets.size()));
    }
    return out;
  }
  /// FIN counts as an octet.
  std::int64_t acknowledged() const { return end_ ? std::min(acknowledged_, *end_) : acknowledged_; }

  bool has_begun_ = false;
  std::uint32_t first_ = 0;
  std::int64_t next_ = 0;
  std::int64_t seen_ = 0;
  std::int64_t acknowledged_ = 0;
  std::size_t kept_ = 0;
  std::optional<std::int64_t> end_;
  std::map<std::int64_t, std::string> waiting_;
};

}  // namespace example

#endif  // EHLO_EXAMPLES_SUPPORT_TCP_STREAM_HPP
