// SPDX-License-Identifier: BSL-1.0
// Invariant: what is decoded from xtext, an internationalized address or base64 has the size that was told and no octet that was
// promised away, and encodes again to the same; what is encoded decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <ehlo/grammar/base64.hpp>
#include <ehlo/grammar/xtext.hpp>

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

std::string written_xtext(std::string_view octets) {
  std::string out(3 * octets.size(), '\0');
  out.resize(static_cast<std::size_t>(ehlo::write_xtext(octets, out.data()) - out.data()));
  return out;
}

std::string written_base64(std::string_view octets) {
  std::string out(ehlo::base64::encoded_size(octets.size()), '\0');
  must(ehlo::encode_base64(octets, out.data()) == out.data() + out.size());
  return out;
}

template <class Encoded>
std::string decoded(const Encoded& text) {
  std::string out(text.decoded_size(), '\0');
  must(text.decode(out.data()) == out.data() + out.size());
  return out;
}

void check_xtext(std::string_view octets) {
  if (const auto text = ehlo::xtext::parse(octets)) {
    const std::string value = decoded(*text);
    for (const char c : value) must(ehlo::ascii::printable.contains(c));
    const auto again = ehlo::xtext::parse(written_xtext(value));
    must(again.has_value());
  } else {
    must(text.error().offset <= octets.size());
  }
  const std::string written = written_xtext(octets);
  const auto again = ehlo::xtext::parse(written);
  bool is_printable = true;
  for (const char c : octets) is_printable = is_printable && ehlo::ascii::printable.contains(c);
  must(again.has_value() == is_printable);
  if (again) must(decoded(*again) == octets);
}

void check_utf8_address(std::string_view octets, ehlo::charset set) {
  const auto text = ehlo::utf8_address::parse(octets, set);
  if (!text) {
    must(text.error().offset <= octets.size());
    return;
  }
  std::string value(octets.size(), '\0');
  value.resize(static_cast<std::size_t>(text->decode(value.data()) - value.data()));
  must(ehlo::is_utf8(value));
  for (const char c : value) must(!ehlo::ascii::control.contains(c));
  must(set == ehlo::charset::utf8 || ehlo::ascii::is_ascii(octets));
}

void check_base64(std::string_view octets) {
  if (const auto text = ehlo::base64::parse(octets)) {
    must(written_base64(decoded(*text)) == octets);  // each value has one spelling
  } else {
    must(text.error().offset <= octets.size());
  }
  const std::string written = written_base64(octets);
  const auto again = ehlo::base64::parse(written);
  must(again && decoded(*again) == octets);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets{reinterpret_cast<const char*>(data), size};
  check_xtext(octets);
  check_utf8_address(octets, ehlo::charset::ascii);
  check_utf8_address(octets, ehlo::charset::utf8);
  check_base64(octets);
  return 0;
}
