// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_CODEC_COMMAND_WRITER_HPP
#define EHLO_CODEC_COMMAND_WRITER_HPP

/// @file
/// Commands to octets: a typed command becomes one line that holds nothing else. RFC 5321 4.1.1, 2.4; RFC 2033 4.1, 3030 2, 3207 4,
/// 4954 4.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include <ehlo/ascii.hpp>
#include <ehlo/command.hpp>
#include <ehlo/extension/body.hpp>
#include <ehlo/grammar/base64.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/octet_run.hpp>
#include <ehlo/result.hpp>

namespace ehlo {

/// Puts the octets of one command line into bounded room. The single way out: whatever stands in a command has come through
/// `finish`, which takes no control octet, so that no argument makes another line.
class command_writer {
 public:
  constexpr explicit command_writer(std::span<char> out) : out_{out} {}

  /// Appends text. A control octet is an error of the line.
  constexpr command_writer& put(std::string_view text) {
    if (failed_) return *this;
    if (text.size() > out_.size() - size_) {
      const std::size_t at = end_of_run<no_control>(text);
      return fail(at == text.size() ? error{errc::line_too_long, out_.size()} : error{errc::argument_octet, size_ + at});
    }
    std::copy_n(text.data(), text.size(), out_.data() + size_);
    size_ += text.size();
    return *this;
  }
  /// Appends a decimal number.
  constexpr command_writer& put_number(std::uint64_t value) {
    std::array<char, 20> digits{};
    std::size_t first = digits.size();
    do {
      digits[--first] = static_cast<char>('0' + static_cast<int>(value % 10));
      value /= 10;
    } while (value > 0);
    return put({digits.data() + first, digits.size() - first});
  }
  /// Appends octets in base64, `=` if there are none (RFC 4954 4).
  constexpr command_writer& put_initial_response(std::string_view octets) {
    if (octets.empty()) return put("=");
    return put_base64(octets);
  }
  /// Appends octets in base64.
  constexpr command_writer& put_base64(std::string_view octets) {
    const std::size_t count = base64::encoded_size(octets.size());
    if (!failed_) {
      if (count > out_.size() - size_) return fail({errc::line_too_long, out_.size()});
      encode_base64(octets, out_.data() + size_);
      size_ += count;
    }
    return *this;
  }
  /// Ends the line and gives its size with CRLF. Fails with `errc::argument_octet`, whose offset is that in the line, or
  /// `errc::line_too_long` if the room is too small; then what was written means nothing.
  constexpr result<std::size_t> finish() {
    // One look at all that was put. What comes first is told.
    const std::size_t at = end_of_run<no_control>({out_.data(), size_});
    if (at < size_) return error{errc::argument_octet, at};
    if (failed_) return error_;
    if (crlf.size() > out_.size() - size_) return error{errc::line_too_long, out_.size()};
    std::copy_n(crlf.data(), crlf.size(), out_.data() + size_);
    return size_ + crlf.size();
  }

 private:
  static constexpr auto no_control = ascii::all - ascii::control;

  constexpr command_writer& fail(error reason) {
    error_ = reason;
    failed_ = true;
    return *this;
  }

  std::span<char> out_;
  std::size_t size_ = 0;
  error error_{};
  bool failed_ = false;
};

/// @name Writing a command
/// Each writes one line with its CRLF into `out` and gives its size. Verbs and keywords are in upper case, which old servers insist
/// on (RFC 5321 2.4). All fail as `command_writer::finish` does.
/// @{

/// EHLO, HELO or LHLO and the client's name, nothing behind it. RFC 5321 4.1.1.1.
constexpr result<std::size_t> write(const hello_command& c, std::span<char> out) {
  return command_writer{out}.put(text_of(c.name)).put(" ").put(c.client.text()).finish();
}
/// MAIL with the parameters as they are. RFC 5321 4.1.1.2.
constexpr result<std::size_t> write(const mail_command& c, std::span<char> out) {
  command_writer line{out};
  line.put("MAIL FROM:").put(c.reverse_path.text());
  if (!c.parameters.empty()) line.put(" ").put(c.parameters.text());
  return line.finish();
}
/// RCPT with the parameters as they are. RFC 5321 4.1.1.3.
constexpr result<std::size_t> write(const rcpt_command& c, std::span<char> out) {
  command_writer line{out};
  line.put("RCPT TO:").put(c.forward_path.text());
  if (!c.parameters.empty()) line.put(" ").put(c.parameters.text());
  return line.finish();
}
/// BDAT; the octets of the chunk follow it. RFC 3030 2.
constexpr result<std::size_t> write(const bdat_command& c, std::span<char> out) {
  command_writer line{out};
  line.put("BDAT ").put_number(c.size);
  if (c.last) line.put(" LAST");
  return line.finish();
}
/// VRFY or EXPN. RFC 5321 4.1.1.6, 4.1.1.7; RFC 6531 3.7.4.2.
constexpr result<std::size_t> write(const lookup_command& c, std::span<char> out) {
  command_writer line{out};
  line.put(text_of(c.name)).put(" ").put(c.argument);
  if (c.smtputf8) line.put(" SMTPUTF8");
  return line.finish();
}
/// HELP, with or without a topic. RFC 5321 4.1.1.8.
constexpr result<std::size_t> write(const help_command& c, std::span<char> out) {
  command_writer line{out};
  line.put("HELP");
  if (!c.topic.empty()) line.put(" ").put(c.topic);
  return line.finish();
}
/// AUTH; the initial response is base64 already. RFC 4954 4.
constexpr result<std::size_t> write(const auth_command& c, std::span<char> out) {
  command_writer line{out};
  line.put("AUTH ").put(c.mechanism);
  if (c.initial_response) line.put(" ").put(*c.initial_response);
  return line.finish();
}
/// ETRN. RFC 1985 5.
constexpr result<std::size_t> write(const etrn_command& c, std::span<char> out) {
  return command_writer{out}.put("ETRN ").put(text_of(c.option)).put(c.node).finish();
}
/// BURL. RFC 4468 3.5.
constexpr result<std::size_t> write(const burl_command& c, std::span<char> out) {
  return command_writer{out}.put("BURL ").put(c.url).put(c.last ? " LAST" : "").finish();
}
/// XCLIENT with the attributes as they are. See `attribute_writer`.
constexpr result<std::size_t> write(const xclient_command& c, std::span<char> out) {
  return command_writer{out}.put("XCLIENT ").put(c.attributes.text()).finish();
}
/// XFORWARD, in the same way.
constexpr result<std::size_t> write(const xforward_command& c, std::span<char> out) {
  return command_writer{out}.put("XFORWARD ").put(c.attributes.text()).finish();
}
/// DATA, RSET, NOOP, QUIT, STARTTLS: the verb alone. RFC 5321 4.1.1, RFC 3207 4.
constexpr result<std::size_t> write(const plain_command& c, std::span<char> out) {
  return command_writer{out}.put(text_of(c.name)).finish();
}
/// Any of them.
constexpr result<std::size_t> write(const any_command& c, std::span<char> out) {
  return std::visit([out](const auto& one) { return write(one, out); }, c);
}
/// @}

static_assert([] {
  char octets[32] = {};
  const auto size = write(bdat_command{1000, true}, octets);
  return size && std::string_view{octets, *size} == "BDAT 1000 LAST\r\n" &&
         write(help_command{"a\nb"}, octets).error() == error{errc::argument_octet, 6};
}());

}  // namespace ehlo

#endif  // EHLO_CODEC_COMMAND_WRITER_HPP
