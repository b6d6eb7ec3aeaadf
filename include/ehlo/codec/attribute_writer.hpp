// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CODEC_ATTRIBUTE_WRITER_HPP
#define EHLO_CODEC_ATTRIBUTE_WRITER_HPP

/// @file
/// Puts together the attributes of an XCLIENT or XFORWARD command. XCLIENT_README and XFORWARD_README of Postfix, command syntax.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/extension/xclient.hpp>
#include <ehlo/extension/xforward.hpp>
#include <ehlo/grammar/ip_address.hpp>
#include <ehlo/grammar/xtext.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// Puts attributes into bounded room, with their values in xtext. What cannot stand in a command is an error of the end:
///
///     std::array<char, attribute_writer::max_size> room;
///     session.xclient(*attribute_writer{room}.put("NAME", name).put("ADDR", address).xclient());
///
/// A command has 512 octets at most: what does not fit goes in several commands, for XCLIENT with ADDR in the last.
class attribute_writer {
 public:
  /// Octets of attributes that a client session sends in one command.
  static constexpr std::size_t max_size = sizes::command_line - 16;

  constexpr explicit attribute_writer(std::span<char> out) : out_{out.first(std::min(out.size(), max_size))} {}

  constexpr attribute_writer& put(std::string_view name, std::string_view value) {
    if (!std::all_of(name.begin(), name.end(), [](char c) { return ascii::alpha.contains(c); })) return fail(errc::attribute_name);
    if (value.size() > decoded_value::max_size) return fail(errc::attribute_too_long);
    std::array<char, 3 * decoded_value::max_size> encoded{};
    const char* const end = write_xtext(value, encoded.data());
    return copy(size_ == 0 ? "" : " ").copy(name).copy("=").copy({encoded.data(), static_cast<std::size_t>(end - encoded.data())});
  }
  /// An IPv6 address has IPV6: before it.
  constexpr attribute_writer& put(std::string_view name, const ip_address& address) {
    constexpr std::string_view tag = "IPV6:";
    std::array<char, tag.size() + ip_address::max_size> text{};
    char* end = text.data();
    if (address.version() == ip_version::six) end = std::copy(tag.begin(), tag.end(), end);
    end = address.write(end);
    return put(name, std::string_view{text.data(), static_cast<std::size_t>(end - text.data())});
  }
  /// A port.
  constexpr attribute_writer& put(std::string_view name, std::uint16_t port) {
    std::array<char, 5> digits{};
    std::size_t first = digits.size();
    unsigned rest = port;
    do {
      digits[--first] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest > 0);
    return put(name, std::string_view{digits.data() + first, digits.size() - first});
  }
  /// [UNAVAILABLE] or [TEMPUNAVAIL].
  constexpr attribute_writer& put(std::string_view name, absence why) {
    return put(name, std::string_view{why == absence::unavailable ? "[UNAVAILABLE]" : "[TEMPUNAVAIL]"});
  }

  /// @name The end
  /// What was put together, which views the room. Fails with `errc::line_too_long` if it does not fit, `attribute_too_long`, or
  /// with what the parser says of it: a name that is none, a value that its attribute cannot have.
  /// @{
  constexpr result<xclient_attributes> xclient() const {
    if (failed_) return error{reason_, size_};
    return xclient_attributes::parse(text());
  }
  constexpr result<xforward_attributes> xforward() const {
    if (failed_) return error{reason_, size_};
    return xforward_attributes::parse(text());
  }
  /// @}

 private:
  constexpr std::string_view text() const { return {out_.data(), size_}; }

  constexpr attribute_writer& fail(errc reason) {
    if (!failed_) reason_ = reason;
    failed_ = true;
    return *this;
  }
  constexpr attribute_writer& copy(std::string_view octets) {
    if (failed_) return *this;
    if (octets.size() > out_.size() - size_) return fail(errc::line_too_long);
    std::copy_n(octets.data(), octets.size(), out_.data() + size_);
    size_ += octets.size();
    return *this;
  }

  std::span<char> out_;
  std::size_t size_ = 0;
  errc reason_{};
  bool failed_ = false;
};

}  // namespace ehlo

#endif  // EHLO_CODEC_ATTRIBUTE_WRITER_HPP
