// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_PROXY_CRC32C_HPP
#define EHLO_PROXY_CRC32C_HPP

/// @file
/// The checksum of a PROXY protocol header, version 2. PROXY protocol 2.2.3; RFC 4960 Appendix B.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ehlo::proxy {

/// CRC-32C (Castagnoli) of octets that come in pieces.
class crc32c {
 public:
  constexpr crc32c& add(std::string_view octets) {
    for (const char c : octets) value_ = table[(value_ ^ static_cast<unsigned char>(c)) & 0xFFU] ^ value_ >> 8U;
    return *this;
  }
  /// The checksum of all octets added.
  constexpr std::uint32_t value() const { return ~value_; }

 private:
  static constexpr auto table = [] {
    constexpr std::uint32_t reversed_polynomial = 0x82F63B78;
    std::array<std::uint32_t, 256> out{};
    for (std::uint32_t i = 0; i < out.size(); ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value >> 1U ^ ((value & 1U) != 0 ? reversed_polynomial : 0U);
      out[i] = value;
    }
    return out;
  }();

  std::uint32_t value_ = 0xFFFFFFFF;
};

static_assert(crc32c{}.add("1234").add("56789").value() == 0xE3069283 && crc32c{}.value() == 0);

}  // namespace ehlo::proxy

#endif  // EHLO_PROXY_CRC32C_HPP
