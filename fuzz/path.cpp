// SPDX-License-Identifier: BSL-1.0
// Invariant: a path is accepted exactly if the ABNF has it, holds nothing that could end its line, and its text and its parts read
// again mean the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <ehlo/grammar/path.hpp>

#include "grammar/oracle.hpp"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

/// The mailbox written from its decoded parts, with the least quoting.
std::string canonical(const ehlo::mailbox& box) {
  const ehlo::local_part local = box.local_part();
  std::string value(local.value_size(), '\0');
  must(local.write_value(value.data()) == value.data() + value.size());
  std::string out(2 * value.size() + 2, '\0');
  const auto size = ehlo::write_local_part(value, out.data());
  must(size.has_value());
  out.resize(*size);
  return out.append("@").append(box.host().text());
}

template <class Path>
void check(std::string_view text, ehlo::charset set) {
  const auto path = Path::parse(text, set);
  if (!path) {
    must(path.error().offset <= text.size());
    return;
  }
  must(path->text() == text);
  must(text.size() <= ehlo::sizes::path && text.front() == '<' && text.back() == '>');
  for (const char c : text) must(ehlo::ascii::printable.contains(c) || (set == ehlo::charset::utf8 && !ehlo::ascii::is_ascii(c)));
  must(set == ehlo::charset::ascii || ehlo::is_utf8(text));
  must(*Path::parse(path->text(), set) == *path);
  must(path->has_route() == !path->route().empty());
  const auto box = path->mailbox();
  if (!box) return;
  must(ehlo::mailbox::parse(box->text(), set) == *box);
  must(box->text().size() == box->local_part().text().size() + 1 + box->host().text().size());
  must(ehlo::host::parse(box->host().text(), set) == box->host());
  const std::string route = path->has_route() ? std::string{path->route()} + ":" : std::string{};
  must(std::string{"<"}.append(route).append(box->text()).append(">") == text);
  const std::string least = canonical(*box);
  must(least.size() <= box->text().size());
  const auto again = ehlo::mailbox::parse(least, set);
  must(again && *again == *box && canonical(*again) == least);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string octets{reinterpret_cast<const char*>(data), size};
  const std::string_view text{octets};
  for (const ehlo::charset set : {ehlo::charset::ascii, ehlo::charset::utf8}) {
    check<ehlo::reverse_path>(text, set);
    check<ehlo::forward_path>(text, set);
    // What ASCII has, UTF-8 has too.
    must(!ehlo::forward_path::parse(text) || ehlo::forward_path::parse(text, set));
  }
  if (size > 2 * ehlo::sizes::path) return 0;
  const bool is_path = oracle::is_path(text);
  must(ehlo::reverse_path::parse(text).has_value() == (is_path || text == "<>"));
  must(ehlo::forward_path::parse(text).has_value() == (is_path || ehlo::ascii::equal_ignoring_case(text, "<postmaster>")));
  return 0;
}
