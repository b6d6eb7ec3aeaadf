// SPDX-License-Identifier: BSL-1.0
// Whole sessions in memory: a server that is fed EHLO, MAIL, RCPT, DATA, a message of 4 KiB and QUIT, and both ends joined. Rows 13
// and 14.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "floors/commands.hpp"
#include "support/cases.hpp"
#include "support/sessions.hpp"

namespace {

/// What each client says.
std::vector<std::string_view> transcripts() {
  constexpr std::string_view end = "\r\n.\r\nQUIT\r\n";
  std::string_view octets = bench::corpus("session.bin");
  std::vector<std::string_view> out;
  while (!octets.empty()) {
    out.push_back(octets.substr(0, octets.find(end) + end.size()));
    octets.remove_prefix(out.back().size());
  }
  return out;
}

bench::work serve(const std::vector<std::string_view>& all) {
  static const ehlo::server_options options{.hostname = "mx.example"};
  bench::work done{all.size(), 0, 0};
  for (const std::string_view octets : all) {
    ehlo::server_session session{options};
    done.good += bench::feed_server(session, octets, 16384);
    done.octets += octets.size();
  }
  return done;
}

bench::work send(const std::string& message, std::size_t times) {
  static const ehlo::client_options client{
      .hostname = "client.example", .tls = ehlo::tls_policy::never, .chunking = ehlo::chunking_policy::never};
  static const ehlo::server_options server{.hostname = "mx.example"};
  static const auto mail = ehlo::envelope::make("a@client.example", {"b@mx.example"});
  bench::work done{times, times * message.size(), 0};
  for (std::size_t i = 0; i < times; ++i) {
    bench::joined<ehlo::client_session, ehlo::server_session> ends{client, server};
    done.good += ends.send(*mail, message, ehlo::traits_of(message), true);
  }
  return done;
}

}  // namespace

void add_cases() {
  static const std::vector<std::string_view> all = transcripts();
  bench::add("server/4K/ehlo", [] { return serve(all); });
  bench::add("server/4K/memchr", [] {
    bench::work done = floors::count_lines(bench::corpus("session.bin"));
    done.items = all.size();
    return done;
  });
  static const std::string message{bench::lines_up_to(bench::corpus("body_text.bin"), 4096)};
  bench::add("both-ends/4K/ehlo", [] { return send(message, 200); });
}
