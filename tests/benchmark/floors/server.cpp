// SPDX-License-Identifier: BSL-1.0
// The null server: epoll, read, the fewest tests that give a correct dialogue, one write for each read. No addresses, no
// parameters, no policy. What a server costs above this is its own work. For loopback only: floor_server PORT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view end_mark = "\r\n.\r\n";

struct connection {
  bool is_in_data = false;
  std::size_t matched = 2;  ///< octets of `end_mark` that came last; 2 at the start of a line
  std::size_t kept = 0;     ///< octets of a command that was cut
  std::array<char, 64> part{};
};

std::array<char, 65536> input;
std::array<char, 16384> output;

/// Octets of a command as one number, in lower case.
unsigned word_of(const char* octets) {
  unsigned word = 0;
  std::memcpy(&word, octets, sizeof word);
  return word | 0x20202020U;
}

/// Reads one batch and answers it; false if the connection is over.
bool serve(int socket, connection& c) {
  const ssize_t count = ::read(socket, input.data(), input.size());
  if (count <= 0) return false;
  const char* p = input.data();
  const char* const end = p + count;
  char* out = output.data();
  bool is_open = true;
  const auto say = [&out](std::string_view text) {
    if (out + text.size() < output.data() + output.size()) out = std::copy_n(text.data(), text.size(), out);
  };
  while (p < end && is_open) {
    if (c.is_in_data) {
      if (c.matched == 0) {
        p = static_cast<const char*>(std::memchr(p, '\r', static_cast<std::size_t>(end - p)));
        if (p == nullptr) break;
        ++p;
        c.matched = 1;
        continue;
      }
      const char octet = *p++;
      if (octet != end_mark[c.matched]) {
        c.matched = octet == '\r' ? 1 : 0;
      } else if (++c.matched == end_mark.size()) {
        c.is_in_data = false;
        say("250 Ok\r\n");
      }
      continue;
    }
    const auto* const lf = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    if (lf == nullptr) {
      const std::size_t size = std::min<std::size_t>(static_cast<std::size_t>(end - p), c.part.size() - c.kept);
      std::copy_n(p, size, c.part.data() + c.kept);
      c.kept += size;
      break;
    }
    char head[4] = {};
    const std::size_t before = std::min<std::size_t>(c.kept, sizeof head);
    std::copy_n(c.part.data(), before, head);
    std::copy_n(p, std::min<std::size_t>(static_cast<std::size_t>(lf - p), sizeof head - before), head + before);
    c.kept = 0;
    p = lf + 1;
    const unsigned word = word_of(head);
    if (word == word_of("DATA")) {
      say("354 go\r\n");
      c.is_in_data = true;
      c.matched = 2;
    } else if (word == word_of("QUIT")) {
      say("221 bye\r\n");
      is_open = false;
    } else if (word == word_of("EHLO")) {
      say("250-floor\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
    } else {
      say("250 Ok\r\n");
    }
  }
  const auto size = static_cast<std::size_t>(out - output.data());
  return (size == 0 || ::write(socket, output.data(), size) >= 0) && is_open;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener, 4096) != 0) {
    std::perror("listen");
    return 1;
  }
  const int poller = ::epoll_create1(0);
  const auto watch = [poller](int socket) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.fd = socket;
    ::epoll_ctl(poller, EPOLL_CTL_ADD, socket, &wanted);
  };
  watch(listener);
  std::vector<std::unique_ptr<connection>> connections(70000);
  for (;;) {
    std::array<epoll_event, 256> events{};
    const int count = ::epoll_wait(poller, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket != listener) {
        auto& c = connections[static_cast<std::size_t>(socket)];
        if (serve(socket, *c)) continue;
        ::close(socket);
        c.reset();
        continue;
      }
      for (int most = 64; most > 0; --most) {
        const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        if (accepted < 0) break;
        if (static_cast<std::size_t>(accepted) >= connections.size()) {
          ::close(accepted);
          continue;
        }
        connections[static_cast<std::size_t>(accepted)] = std::make_unique<connection>();
        ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(accepted);
        constexpr std::string_view greeting = "220 floor ESMTP\r\n";
        [[maybe_unused]] const ssize_t written = ::write(accepted, greeting.data(), greeting.size());
      }
    }
  }
}
