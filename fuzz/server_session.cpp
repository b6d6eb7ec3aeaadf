// SPDX-License-Identifier: BSL-1.0
// Invariant: how the octets are cut, and where the session keeps them, changes neither questions, notices and mail data nor the
// octets sent. The first octet chooses the options; the boundary at STARTTLS is left to the target with a random caller.
#include "support/drive.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  ehlo::server_options options = fuzz::options_for(data[0]);
  options.tls = ehlo::tls_mode::unavailable;
  const std::string_view octets{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto whole = fuzz::drive<ehlo::server_session>(options, octets, octets.size());
  const auto single = fuzz::drive<ehlo::server_session>(options, octets, 1);
  const auto parts = fuzz::drive<ehlo::server_session>(options, octets, 2 + data[0] % 13);
  const auto mixed = fuzz::drive<ehlo::server_session>(options, octets, fuzz::uneven);
  for (const auto& other : {single, parts, mixed}) {
    if (whole == other) continue;
    std::fprintf(stderr, "--- whole\n%s\n%s--- cut\n%s\n%s", whole.events.c_str(), whole.sent.c_str(), other.events.c_str(),
                 other.sent.c_str());
    std::abort();
  }
  options.limits.auth_line = 1600;  // and the longest MAIL has 2721 octets, with SOLICIT
  const auto growing = fuzz::drive<ehlo::server_session>(options, octets, 7);
  const auto fixed = fuzz::drive<ehlo::fixed_server_session<2800, 1024>>(options, octets, 7);
  fuzz::must(growing == fixed, "fixed and growing storage do the same");
  return 0;
}
