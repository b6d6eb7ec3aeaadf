// SPDX-License-Identifier: BSL-1.0
// The blocks of docs/how-to/observe.md, as they stand there, in a program that runs. `code_blocks_test.cpp` holds the page to this
// file.
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/core.h>

#include <ehlo/ehlo.hpp>
#include <ehlo/format.hpp>

#include "support/catch.hpp"

namespace {

struct watch {
  void passed(ehlo::direction from, std::string_view octets) {
    kept[index(from)] += octets;
    for (bool goes_on = true; goes_on; goes_on = !kept[index(from)].empty()) {
      std::string_view input = kept[index(from)];
      while (tell(observer.next(from, input))) {
      }
      kept[index(from)].erase(0, kept[index(from)].size() - input.size());
      from = ehlo::other(from);
    }
  }

  // clang-format off
  bool tell(const ehlo::observer_action& action) {
    return std::visit(ehlo::overloaded{
                          [&](ehlo::receive) { return false; },      // all of it was taken
                          [&](ehlo::other_first) { return false; },  // the rest has to wait
                          [&](const ehlo::observed_command& c) { return print("C: {}", c.command); },
                          [&](const ehlo::observed_reply& r) { return print("S: {}", r.reply); },
                          [&](const ehlo::anomaly& a) { return print("! {} at octet {}", a.what, a.offset); },
                          [&](ehlo::mail_data d) { return archive(d.octets); },
                          [&](ehlo::notice auto const&) { return true; },  // AUTH, TLS, resets, `lost`: each has its type
                      },
                      action);
  }
  // clang-format on

  void lose_a_packet() {
    observer.octets_missing(ehlo::direction::from_client, 1460);
    passed(ehlo::direction::from_client, {});  // says `lost`
    observer.rejoin();
  }

  static std::size_t index(ehlo::direction from) { return static_cast<std::size_t>(from); }
  template <class... T>
  bool print(fmt::format_string<T...> text, T&&... values) {
    told += fmt::format(text, std::forward<T>(values)...) + '\n';
    return true;
  }
  bool archive(std::string_view octets) {
    archived += octets;
    return true;
  }

  ehlo::observer_options options{};
  ehlo::observer observer{options};
  std::array<std::string, 2> kept{};
  std::string told{};
  std::string archived{};
};

}  // namespace

TEST_CASE("the page on watching a conversation does what it says", "[docs][observer]") {
  constexpr auto client = ehlo::direction::from_client;
  constexpr auto server = ehlo::direction::from_server;
  watch w;
  w.passed(server, "220 mx.example\r\n");
  w.passed(client, "EHLO client.example\r\n");
  w.passed(server, "250-mx.example\r\n250 PIPELINING\r\n");
  w.passed(client, "MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\ntext\r\n.\r\n");
  CHECK_FALSE(w.kept[0].empty());  // what is behind DATA waits
  w.passed(server, "250 ok\r\n250 ok\r\n354 go\r\n");
  CHECK(w.kept[0].empty());
  w.passed(server, "250 taken\r\n");
  CHECK(w.archived == "text\r\n");
  CHECK(w.told ==
        "S: 220 mx.example\n"
        "C: EHLO client.example\n"
        "S: 250 mx.example PIPELINING\n"
        "C: MAIL FROM:<a@client.example>\n"
        "C: RCPT TO:<b@mx.example>\n"
        "C: DATA\n"
        "! octets behind DATA came before its reply (RFC 2920 3.1) at octet 81\n"
        "S: 250 ok\n"
        "S: 250 ok\n"
        "S: 354 go\n"
        "S: 250 taken\n");
  w.lose_a_packet();
  CHECK(w.observer.is_midway());
  w.passed(server, "250 ok\r\n");
  w.passed(client, "QUIT\r\n");
  w.passed(server, "221 bye\r\n");
  CHECK(w.told.ends_with("S: 250 ok\nC: QUIT\nS: 221 bye\n"));
}
