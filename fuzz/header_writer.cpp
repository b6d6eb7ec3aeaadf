// SPDX-License-Identifier: BSL-1.0
// Invariant: whatever strings the writer accepts, the checker finds nothing wrong in what it wrote, and the reader gives back the
// same fields: the subject and the extra values octet for octet.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/message/header_check.hpp>
#include <ehlo/message/header_writer.hpp>

namespace {

using reader = ehlo::header_section_reader;

void require(bool condition) {
  if (!condition) std::abort();
}

/// Takes what stands before the next octet 255, which no UTF-8 holds.
std::string_view take_string(std::string_view& octets) {
  const std::string_view out = octets.substr(0, octets.find('\xFF'));
  octets.remove_prefix(out.size() < octets.size() ? out.size() + 1 : out.size());
  return out;
}

/// The fields of a section that has nothing malformed, and nothing behind it.
std::vector<std::pair<std::string, std::string>> fields_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  for (reader in;;) {
    const reader::event event = in.next(text);
    require(!std::holds_alternative<reader::malformed_line>(event) && !std::holds_alternative<reader::more>(event));
    if (const auto* start = std::get_if<reader::field_start>(&event)) out.emplace_back(start->name, "");
    if (const auto* value = std::get_if<reader::field_value>(&event)) out.back().second += value->octets;
    if (std::holds_alternative<reader::section_end>(event)) break;
  }
  require(text.empty());
  return out;
}

std::string written(std::string_view value) { return value.empty() ? std::string{} : " " + std::string{value}; }

/// Lines have at most 998 octets, and none but the last is empty or white space only.
void check_lines(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    require(end <= 998);
    require(end == 0 ? text.size() == 2 : text.substr(0, end).find_first_not_of(" \t") < end);
    text.remove_prefix(end + 2);
  }
}

}  // namespace

// Input: an octet of flags, then strings that octets 255 part: two mailboxes, two display names, the subject, a message
// identifier, and names and values of extra fields in turn.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view octets{reinterpret_cast<const char*>(data), size};
  const unsigned flags = size > 0 ? data[0] : 0U;
  if (size > 0) octets.remove_prefix(1);
  const ehlo::charset set = (flags & 1U) != 0 ? ehlo::charset::utf8 : ehlo::charset::ascii;

  const ehlo::mailbox fallback = *ehlo::mailbox::parse("joe@a.example");
  const auto take_mailbox = [&] { return ehlo::mailbox::parse(take_string(octets), ehlo::charset::utf8).value_or(fallback); };
  const ehlo::mailbox first = take_mailbox();
  const ehlo::mailbox second = take_mailbox();
  const std::string_view first_name = take_string(octets);
  const std::string_view second_name = take_string(octets);
  const std::array<ehlo::person, 3> persons{{{first, first_name}, {second, second_name}, {second, {}}}};
  const std::span<const ehlo::person> all{persons};
  const std::string_view subject = take_string(octets);
  const auto id = ehlo::message_id::parse(take_string(octets), ehlo::charset::utf8);
  std::vector<ehlo::extra_field> extra;
  while (!octets.empty()) {
    const std::string_view name = take_string(octets);
    extra.push_back({name, take_string(octets)});
  }

  ehlo::header_section section{.from = all.first(1 + (flags >> 1U & 1U)),
                               .date = *ehlo::date_time::from_unix(static_cast<std::int64_t>(size), 60)};
  if ((flags & 4U) != 0) section.sender = persons[1];
  if ((flags & 8U) != 0) section.reply_to = all.last(2);
  if ((flags & 16U) != 0) section.to = all;
  if ((flags & 32U) != 0) section.cc = all.first(2);
  section.subject = subject;
  if (id) section.message_id = *id;
  section.extra = extra;

  const auto room = ehlo::room_for(section, set);
  if (!room) {
    std::vector<char> out(size * 8 + 8192);
    require(ehlo::write(section, out, set) == room);
    return 0;
  }
  std::vector<char> out(*room);
  require(ehlo::write(section, out, set) == room);
  const std::string_view text{out.data(), out.size()};
  std::vector<char> small(*room - 1);
  require(!ehlo::write(section, small, set));

  const ehlo::header_findings found = ehlo::check_header_section(text);
  for (const ehlo::header_rule& rule : ehlo::header_rules) {
    const bool is_wanted = rule.finding == ehlo::header_finding::needs_smtputf8 && !ehlo::ascii::is_ascii(text);
    require(found.has(rule.finding) == is_wanted);
  }
  if (set == ehlo::charset::ascii) require(ehlo::ascii::is_ascii(text));
  check_lines(text);

  const auto fields = fields_of(text);
  std::size_t at = 0;
  const auto next_is = [&](std::string_view name) { require(at < fields.size() && fields[at++].first == name); };
  next_is("From");
  if (section.sender) next_is("Sender");
  if (!section.reply_to.empty()) next_is("Reply-To");
  if (!section.to.empty()) next_is("To");
  if (!section.cc.empty()) next_is("Cc");
  if (!subject.empty()) {
    next_is("Subject");
    require(fields[at - 1].second == written(subject));
  }
  next_is("Date");
  if (id) next_is("Message-ID");
  for (const ehlo::extra_field& field : extra) {
    next_is(field.name);
    require(fields[at - 1].second == written(field.value));
  }
  require(at == fields.size());
  return 0;
}
