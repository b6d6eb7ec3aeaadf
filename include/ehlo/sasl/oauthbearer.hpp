// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SASL_OAUTHBEARER_HPP
#define EHLO_SASL_OAUTHBEARER_HPP

/// @file
/// The messages of the SASL mechanism OAUTHBEARER. RFC 7628 3; the GS2 header: RFC 5801 4.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/result.hpp>
#include <ehlo/sasl/text.hpp>
#include <ehlo/secret.hpp>

namespace ehlo::sasl {

/// Writes a saslname decoded, `=2C` as a comma and `=3D` as an equals sign, and returns the size. RFC 5801 4.
///
/// Fails with `errc::sasl_message` at a comma or another escape, the errors of `identity`, or `errc::sasl_too_long` if `out` is too
/// small.
constexpr result<std::size_t> decode_saslname(std::string_view name, std::span<char> out) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (c == ',') return error{errc::sasl_message, i};
    if (c == '=') {
      const std::string_view escape = name.substr(i, 3);
      if (escape != "=2C" && escape != "=3D") return error{errc::sasl_message, i};
      c = escape == "=2C" ? ',' : '=';
      i += 2;
    }
    if (size == out.size()) return error{errc::sasl_too_long, i};
    out[size++] = c;
  }
  if (const auto decoded = identity({out.data(), size}); !decoded) return decoded.error();
  return size;
}

/// What a client says with OAUTHBEARER. Views into the decoded message.
struct oauthbearer {
  std::string_view encoded_authorization_identity;  ///< as it was spelt, see `decode_saslname`; empty for none
  std::string_view host;                            ///< empty for none
  std::optional<std::uint16_t> port;
  secret token;  ///< never empty

  /// client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep      RFC 7628 3.1
  ///
  /// The GS2 header is `n,` or `y,`, there is no channel binding. Unknown keys are ignored, one given twice is refused. The lone
  /// kvsep is no credentials: see `is_failure_acknowledgement`. Fails with `errc::sasl_message`, `sasl_too_long` or
  /// `utf8_ill_formed`.
  static constexpr result<oauthbearer> parse(std::string_view message) {
    oauthbearer out;
    if (!message.starts_with("n,") && !message.starts_with("y,")) return error{errc::sasl_message};
    std::size_t at = 2;
    if (message.substr(at).starts_with("a=")) {
      at += 2;
      const std::size_t comma = message.find(',', at);
      if (comma == std::string_view::npos) return error{errc::sasl_message, message.size()};
      out.encoded_authorization_identity = message.substr(at, comma - at);
      char decoded[max_field]{};
      const auto name = decode_saslname(out.encoded_authorization_identity, decoded);
      if (!name) return error{name.error().code, at + name.error().offset};
      at = comma;
    }
    if (!message.substr(at).starts_with(",\x01")) return error{errc::sasl_message, at};
    at += 2;
    bool has_host = false;
    while (true) {
      if (at >= message.size()) return error{errc::sasl_message, message.size()};
      if (message[at] == separator) break;
      const std::size_t end = message.find(separator, at);
      if (end == std::string_view::npos) return error{errc::sasl_message, message.size()};
      const std::string_view pair = message.substr(at, end - at);
      const std::size_t equals = pair.find('=');
      if (equals == 0 || equals == std::string_view::npos) return error{errc::sasl_message, at};
      const std::string_view key = pair.substr(0, equals);
      const std::string_view value = pair.substr(equals + 1);
      const std::size_t value_at = at + equals + 1;
      if (!std::all_of(key.begin(), key.end(), [](char c) { return ascii::alpha.contains(c); }))
        return error{errc::sasl_message, at};
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (!value_octets.contains(value[i])) return error{errc::sasl_message, value_at + i};
      }
      if (key == "auth") {
        constexpr std::string_view scheme = "Bearer ";
        if (!out.token.empty() || !ascii::equal_ignoring_case(value.substr(0, scheme.size()), scheme)) {
          return error{errc::sasl_message, value_at};
        }
        const auto octets = sasl::token(value.substr(scheme.size()));
        if (!octets) return error{octets.error().code, value_at + scheme.size() + octets.error().offset};
        out.token = secret{*octets};
      } else if (key == "host") {
        if (has_host || value.empty()) return error{errc::sasl_message, value_at};
        has_host = true;
        out.host = value;
      } else if (key == "port") {
        const auto number = port_number(value);
        if (out.port || !number) return error{errc::sasl_message, value_at};
        out.port = number;
      }
      at = end + 1;
    }
    if (at + 1 != message.size()) return error{errc::sasl_message, at + 1};
    if (out.token.empty()) return error{errc::sasl_message, at};
    return out;
  }

  /// kvsep = %x01                              RFC 7628 3.1
  static constexpr char separator = '\x01';

 private:
  static constexpr ascii::octet_class value_octets = ascii::printable | ascii::octet_class{"\t\r\n"};

  /// A decimal number from 1 to 65535 without leading zeros.
  static constexpr std::optional<std::uint16_t> port_number(std::string_view text) {
    unsigned value = 0;
    if (text.empty() || text.size() > 5 || text.front() == '0') return std::nullopt;
    for (const char c : text) {
      if (!ascii::digit.contains(c)) return std::nullopt;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    if (value > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(value);
  }
};

/// True for the lone kvsep with which a client answers the server's error challenge; the exchange then fails. RFC 7628 3.2.3.
constexpr bool is_failure_acknowledgement(std::string_view message) { return message == "\x01"; }

/// Writes the message of a client and returns its size. `authorization_identity` is plain text; empty for none. The encoded one of
/// `message` is not looked at. Fails with `errc::sasl_message`, `sasl_too_long` or `utf8_ill_formed`.
constexpr result<std::size_t> write(const oauthbearer& message, std::string_view authorization_identity, std::span<char> out) {
  if (const auto authzid = identity(authorization_identity, true); !authzid) return authzid.error();
  if (const auto octets = token(message.token.reveal()); !octets) return octets.error();
  if (!message.host.empty()) {
    if (const auto host = token(message.host); !host) return host.error();
  }
  if (message.port && *message.port == 0) return error{errc::sasl_message};
  detail::writer to{out};
  to.put("n,");
  if (!authorization_identity.empty()) to.put("a=");
  for (const char c : authorization_identity) {
    if (c == ',')
      to.put("=2C");
    else if (c == '=')
      to.put("=3D");
    else
      to.put(c);
  }
  to.put(",\x01");
  if (!message.host.empty()) {
    to.put("host=");
    to.put(message.host);
    to.put(oauthbearer::separator);
  }
  if (message.port) {
    to.put("port=");
    bool begun = false;
    for (unsigned power = 10000; power > 0; power /= 10) {
      const unsigned digit = *message.port / power % 10;
      begun = begun || digit != 0;
      if (begun) to.put(static_cast<char>('0' + static_cast<int>(digit)));
    }
    to.put(oauthbearer::separator);
  }
  to.put("auth=Bearer ");
  to.put(message.token.reveal());
  to.put("\x01\x01");
  return to.finish();
}

}  // namespace ehlo::sasl

#endif  // EHLO_SASL_OAUTHBEARER_HPP
