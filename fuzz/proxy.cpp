// SPDX-License-Identifier: BSL-1.0
// Invariant: how the octets are cut changes neither a PROXY protocol header nor what is said against one; no octet behind it is
// taken; and what is written of a header reads as that header.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <ehlo/proxy/reader.hpp>
#include <ehlo/proxy/writer.hpp>

namespace {

using ehlo::proxy::header;
using ehlo::proxy::reader;

void must(bool holds) {
  if (!holds) std::abort();
}

struct outcome {
  std::unique_ptr<reader> from;  ///< which the views of the header are of
  std::optional<header> found;
  std::optional<ehlo::error> reason;
  std::size_t taken = 0;
};

outcome read(std::string_view octets, ehlo::proxy::accepted_versions accepted, std::size_t cut) {
  outcome out{std::make_unique<reader>(accepted), {}, {}, 0};
  for (std::size_t at = 0; at < octets.size() && !out.found && !out.reason; at += cut) {
    const std::size_t size = std::min(cut, octets.size() - at);
    const auto piece = std::make_unique<char[]>(size);  // ends where the piece ends
    octets.substr(at, size).copy(piece.get(), size);
    std::string_view input{piece.get(), size};
    const auto step = out.from->next(input);
    out.taken += size - input.size();
    if (!step) {
      out.reason = step.error();
    } else if (*step) {
      out.found = **step;
    } else {
      must(input.empty());
    }
  }
  must(out.taken == out.from->octets_taken() && out.taken <= ehlo::proxy::sizes::smallest_mss);
  if (out.reason) must(out.reason->offset < out.taken);
  return out;
}

/// Walks all that a header holds.
void walk(const header& h) {
  std::size_t octets = 0;
  for (const auto& t : h.tlvs) octets += ehlo::proxy::sizes::tlv_head + t.value.size();
  must(octets == h.tlvs.octets().size());
  if (const auto facts = h.ssl()) {
    for (const auto& t : facts->details) must(t.value.size() < h.tlvs.octets().size());
  }
  must(h.ssl().has_value() == h.tlvs.find(ehlo::proxy::tlv_type::ssl).has_value());
  must(h.client().has_value() == h.server().has_value());
  if (const auto client = h.client()) {
    std::array<char, ehlo::ip_address::max_literal_size> literal{};
    const char* const end = client->address.write_literal(literal.data());
    const auto again = ehlo::address_literal::parse({literal.data(), static_cast<std::size_t>(end - literal.data())});
    must(again && again->octets() == client->address.octets());
  }
}

void write_and_read(const header& h, ehlo::proxy::checksum wanted) {
  std::array<char, 700> room{};
  const auto size = ehlo::proxy::write(h, room, wanted);
  must(size.has_value() && *size <= room.size());
  ehlo::proxy::basic_reader<700> again{ehlo::proxy::accepted_versions::either};
  std::string_view input{room.data(), *size};
  const auto step = again.next(input);
  must(step && *step && input.empty());
  header found = **step;
  const bool adds = wanted == ehlo::proxy::checksum::write && !h.tlvs.find(ehlo::proxy::tlv_type::crc32c);
  if (adds) {
    must(found.tlvs.octets().starts_with(h.tlvs.octets()));
    found.tlvs = h.tlvs;
  }
  must(found == h);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto accepted = static_cast<ehlo::proxy::accepted_versions>(data[0] % 3);
  const std::string_view octets{reinterpret_cast<const char*>(data) + 1, size - 1};
  const outcome whole = read(octets, accepted, octets.size() + 1);
  for (const std::size_t cut : {1U, 2U, 7U, 15U, 64U}) {
    const outcome other = read(octets, accepted, cut);
    must(other.found == whole.found && other.reason == whole.reason && other.taken == whole.taken);
  }
  if (!whole.found) return 0;
  walk(*whole.found);
  write_and_read(*whole.found, ehlo::proxy::checksum::omit);
  write_and_read(*whole.found, ehlo::proxy::checksum::write);
  return 0;
}
