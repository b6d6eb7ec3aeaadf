// SPDX-License-Identifier: BSL-1.0
// Invariant: what the command parser accepts can be printed from its values, and what was printed parses to the same values; no
// parsed value holds CR, LF or NUL. The first octet chooses charset and leniency.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include <ehlo/codec/command_parser.hpp>

namespace {

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

std::string joined(std::string_view verb, std::string_view argument) {
  std::string out{verb};
  if (!argument.empty()) (out += ' ') += argument;
  return out;
}

std::string with_parameters(std::string out, std::string_view parameters) {
  if (!parameters.empty()) (out += ' ') += parameters;
  return out;
}

/// The line that a command is written as.
std::string print(const ehlo::any_command& command) {
  struct printer {
    std::string operator()(const ehlo::hello_command& c) const { return joined(ehlo::text_of(c.name), c.client.text()); }
    std::string operator()(const ehlo::mail_command& c) const {
      return with_parameters("MAIL FROM:" + std::string{c.reverse_path.text()}, c.parameters.text());
    }
    std::string operator()(const ehlo::rcpt_command& c) const {
      return with_parameters("RCPT TO:" + std::string{c.forward_path.text()}, c.parameters.text());
    }
    std::string operator()(const ehlo::bdat_command& c) const { return "BDAT " + std::to_string(c.size) + (c.last ? " LAST" : ""); }
    std::string operator()(const ehlo::lookup_command& c) const {
      return joined(ehlo::text_of(c.name), c.argument) + (c.smtputf8 ? " SMTPUTF8" : "");
    }
    std::string operator()(const ehlo::help_command& c) const { return joined("HELP", c.topic); }
    std::string operator()(const ehlo::auth_command& c) const {
      return joined("AUTH", c.mechanism) + (c.initial_response ? " " + std::string{*c.initial_response} : std::string{});
    }
    std::string operator()(const ehlo::etrn_command& c) const {
      return joined("ETRN", std::string{ehlo::text_of(c.option)} + std::string{c.node});
    }
    std::string operator()(const ehlo::burl_command& c) const { return joined("BURL", c.url) + (c.last ? " LAST" : ""); }
    std::string operator()(const ehlo::xclient_command& c) const { return joined("XCLIENT", c.attributes.text()); }
    std::string operator()(const ehlo::xforward_command& c) const { return joined("XFORWARD", c.attributes.text()); }
    std::string operator()(const ehlo::plain_command& c) const { return std::string{ehlo::text_of(c.name)}; }
  };
  return std::visit(printer{}, command);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto set = (data[0] & 1U) != 0 ? ehlo::charset::utf8 : ehlo::charset::ascii;
  const bool lenient = (data[0] & 2U) != 0;
  const ehlo::leniency taken{lenient, lenient, lenient};
  const std::string_view line{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto parsed = ehlo::parse_command(line, set, taken);
  if (!parsed) {
    must(parsed.error().offset <= line.size(), "an error stands inside the line or at its end");
    return 0;
  }
  const std::string printed = print(*parsed);
  if (!std::holds_alternative<ehlo::plain_command>(*parsed)) {
    must(printed.find_first_of(std::string_view{"\r\n\0", 3}) == std::string::npos, "no parsed value holds CR, LF or NUL");
  }
  const auto again = ehlo::parse_command(printed, set, taken);
  must(again.has_value(), "what was printed parses");
  must(*again == *parsed, "what was printed parses to the same values");
  must(print(*again) == printed, "printing is settled after one round");
  for (const auto* const command = std::get_if<ehlo::mail_command>(&*parsed); command != nullptr;) {
    const ehlo::offered_parameters all{.size = true,
                                       .eight_bit_mime = true,
                                       .binary_mime = true,
                                       .smtputf8 = true,
                                       .dsn = true,
                                       .auth = true,
                                       .require_tls = true,
                                       .deliver_by = true,
                                       .future_release = true,
                                       .priority = true,
                                       .rrvs = true,
                                       .mtrk = true,
                                       .no_soliciting = true};
    if (!ehlo::check_parameters(command->parameters.list(), all, ehlo::custom_parameter::place::mail, set)) break;
    // Typed look-ups of checked parameters give what is there.
    must(command->parameters.size().has_value() == command->parameters.has("SIZE"), "SIZE was checked");
    must(command->parameters.envid().has_value() == command->parameters.has("ENVID"), "ENVID was checked");
    must(command->parameters.ret().has_value() == command->parameters.has("RET"), "RET was checked");
    must(command->parameters.by().has_value() == command->parameters.has("BY"), "BY was checked");
    must(command->parameters.priority().has_value() == command->parameters.has("MT-PRIORITY"), "MT-PRIORITY was checked");
    must(command->parameters.tracking().has_value() == command->parameters.has("MTRK"), "MTRK was checked");
    must(command->parameters.solicit().has_value() == command->parameters.has("SOLICIT"), "SOLICIT was checked");
    must(command->parameters.auth().has_value() == command->parameters.has("AUTH"), "AUTH was checked");
    break;
  }
  return 0;
}
