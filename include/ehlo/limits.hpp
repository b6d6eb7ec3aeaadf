// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_LIMITS_HPP
#define EHLO_LIMITS_HPP

/// @file
/// The named sizes and times of RFC 5321 4.5.3, and those of the extensions. Sizes count octets, times seconds.

#include <cstddef>
#include <cstdint>

namespace ehlo {

/// Sizes that the standards give. They are data, not macros: all translation units agree on them.
namespace sizes {

inline constexpr std::size_t local_part = 64;     ///< RFC 5321 4.5.3.1.1
inline constexpr std::size_t domain = 255;        ///< RFC 5321 4.5.3.1.2
inline constexpr std::size_t path = 256;          ///< RFC 5321 4.5.3.1.3, with < and >
inline constexpr std::size_t command_line = 512;  ///< RFC 5321 4.5.3.1.4, with CRLF
inline constexpr std::size_t reply_line = 512;    ///< RFC 5321 4.5.3.1.5, with CRLF
inline constexpr std::size_t text_line = 1000;    ///< RFC 5321 4.5.3.1.6, with CRLF, without a transparency dot
inline constexpr std::size_t auth_line = 12288;   ///< RFC 4954 4
inline constexpr std::size_t envid = 100;         ///< RFC 3461 4.4
inline constexpr std::size_t orcpt = 500;         ///< RFC 3461 4.2
inline constexpr std::size_t recipients = 100;    ///< RFC 5321 4.5.3.1.8: fewer are never refused for their number

}  // namespace sizes

/// What a server session holds at most, and what it tolerates. Zero means "no limit" where it says so.
struct limits {
  std::uint64_t message = 64U << 20U;          ///< octets of a message; 0: no limit. At least 65536 (RFC 5321 4.5.3.1.7)
  std::uint32_t recipients = 1000;             ///< accepted recipients of a transaction; at least 100 (4.5.3.1.8)
  std::uint32_t transactions = 0;              ///< transactions of a session, then 421; 0: no limit
  std::uint32_t errors = 0;                    ///< refused commands of a session, then 421 (7.8); 0: no limit (3.8)
  std::uint32_t authentication_failures = 3;   ///< then 421 (RFC 4954 9); at least 3, or 0: no limit
  std::uint32_t auth_line = sizes::auth_line;  ///< octets of a line of an AUTH exchange, with CRLF
  std::uint32_t output = 4096;                 ///< octets of collected replies before `transmit` comes; at least 1024
};

/// How long an end waits at most, in seconds. RFC 5321 4.5.3.2.
struct timeouts {
  std::uint32_t command = 300;     ///< the server waits for a command (4.5.3.2.7)
  std::uint32_t data_block = 180;  ///< the server waits for a block of mail data (4.5.3.2.5)
  std::uint32_t handshake = 300;   ///< the TLS handshake
};

}  // namespace ehlo

#endif  // EHLO_LIMITS_HPP
