// SPDX-License-Identifier: BSL-1.0
// Invariant: the library takes a text exactly if a recognizer made from the ABNF of RFC 5321 4.1.2 and 4.1.3 does.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <ehlo/capabilities.hpp>
#include <ehlo/grammar/address_literal.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/domain.hpp>
#include <ehlo/grammar/local_part.hpp>
#include <ehlo/grammar/parameter.hpp>
#include <ehlo/grammar/path.hpp>
#include <ehlo/grammar/xtext.hpp>

#include "grammar/rfc5321_abnf.hpp"

namespace {

void same(const char* rule, std::string_view text, bool taken) {
  if (abnf::rfc5321().matches(rule, text) != taken) std::abort();
}

bool is_string(std::string_view text) {
  return ehlo::grammar::match([](ehlo::cursor& in, ehlo::charset set) { return ehlo::grammar::string(in, set); }, text,
                              ehlo::charset::ascii)
      .has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > abnf::longest) return 0;
  const std::string octets{reinterpret_cast<const char*>(data), size};
  const std::string_view text{octets};
  same("Domain", text, ehlo::domain::parse(text).has_value());
  same("address-literal", text, ehlo::address_literal::parse(text).has_value());
  same("String", text, is_string(text));
  same("xtext", text, ehlo::xtext::parse(text).has_value());
  if (!text.empty()) same("Mail-parameters", text, ehlo::parameter_list::parse(text).has_value());
  // The ABNF has no lengths, and a local-part has at most 64 octets (4.5.3.1.1).
  if (size <= ehlo::sizes::local_part) {
    same("Local-part", text, ehlo::local_part::parse(text).has_value());
    same("Mailbox", text, ehlo::mailbox::parse(text).has_value());
    same("Reverse-path", text, ehlo::reverse_path::parse(text).has_value());
    same("Forward-path", text, ehlo::forward_path::parse(text).has_value());
  }
  // Old servers put spaces at the end of a line, and several between words: those are taken besides.
  const bool is_spaced = text.ends_with(' ') || text.find("  ") != text.npos;
  if (!is_spaced) same("ehlo-line", text, ehlo::keyword_line::parse(text).has_value());
  return 0;
}
