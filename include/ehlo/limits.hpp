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

/// What a client reads of one reply. A reply over a limit ends the session: whoever sends it does not mean well.
struct reply_limits {
  std::uint32_t line = 2048;            ///< octets of a line, with CRLF; at least 512 (RFC 5321 4.5.3.1.5)
  std::uint32_t lines = 512;            ///< lines of a reply
  std::uint32_t octets = 128U * 1024U;  ///< octets of a reply; it is held whole
};

/// What a client session sends and reads at most.
struct client_limits {
  reply_limits reply{};
  std::uint32_t batch = 1024;     ///< octets of commands that are sent without waiting for replies (RFC 2920 3.1); at least 512
  std::uint32_t recipients = 0;   ///< RCPT commands of a transaction, the rest go in further ones (RFC 5321 4.5.4.1); 0: no limit
  std::uint32_t coalesced = 0;    ///< mail data are copied into pieces of so many octets; 0: sent as slices, without a copy
  std::uint32_t challenges = 10;  ///< challenges of an AUTH exchange, then it is cancelled
  std::uint32_t auth_line = 512;  ///< octets of an AUTH command with its initial response (RFC 4954 4)
};

/// How long a client waits at most, in seconds: one wait for each command. RFC 5321 4.5.3.2.
struct client_timeouts {
  std::uint32_t greeting = 300;    ///< 4.5.3.2.1
  std::uint32_t mail = 300;        ///< 4.5.3.2.2
  std::uint32_t rcpt = 300;        ///< 4.5.3.2.3
  std::uint32_t data = 120;        ///< DATA to its 354 (4.5.3.2.4)
  std::uint32_t data_block = 180;  ///< each piece of mail data that is sent (4.5.3.2.5)
  std::uint32_t message = 600;     ///< the end of mail data to its reply (4.5.3.2.6)
  std::uint32_t command = 300;     ///< any other command
  std::uint32_t handshake = 300;   ///< the TLS handshake
};

/// How long a server waits at most, in seconds. RFC 5321 4.5.3.2.
struct timeouts {
  std::uint32_t command = 300;     ///< the server waits for a command (4.5.3.2.7)
  std::uint32_t data_block = 180;  ///< the server waits for a block of mail data (4.5.3.2.5)
  std::uint32_t handshake = 300;   ///< the TLS handshake
};

}  // namespace ehlo

#endif  // EHLO_LIMITS_HPP
