// SPDX-License-Identifier: BSL-1.0
// How often operator new is called in steady state: by both sessions from their second transaction on, and by the codecs. Row 16.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

#include <ehlo/ehlo.hpp>

#include "support/sessions.hpp"

namespace {

std::size_t allocations = 0;

void* allocate(std::size_t size) {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* const p = allocate(size)) return p;
  std::abort();
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }

namespace {

/// Prints what `run` allocates.
template <class Run>
void print(const char* name, Run run) {
  const std::size_t before = allocations;
  run();
  std::printf("%s\t%zu\n", name, allocations - before);
}

constexpr std::string_view transaction =
    "MAIL FROM:<a@client.example> SIZE=100 BODY=8BITMIME\r\nRCPT TO:<b@mx.example>\r\nRCPT TO:<\"c d\"@mx.example>\r\nDATA\r\n"
    "Subject: dots\r\n\r\n..a line\r\nanother\r\n.\r\nNOOP\r\nRSET\r\nVRFY b\r\nFOO\r\n";

/// One transaction, and then ten more.
void serve(const char* name, std::size_t feed) {
  static const ehlo::server_options options{.hostname = "mx.example"};
  ehlo::server_session session{options};
  bench::feed_server(session, "EHLO client.example\r\n", feed);
  bench::feed_server(session, transaction, feed);
  print(name, [&] {
    for (int i = 0; i < 10; ++i) bench::feed_server(session, transaction, feed);
  });
}

void send(const char* name, ehlo::chunking_policy chunking) {
  const ehlo::client_options client{.hostname = "client.example", .tls = ehlo::tls_policy::never, .chunking = chunking};
  static const ehlo::server_options server{.hostname = "mx.example"};
  const auto mail = ehlo::envelope::make("a@client.example", {"b@mx.example", "c@mx.example"});
  std::string message = "Subject: dots\r\n\r\n";
  for (int i = 0; i < 1000; ++i) message += ".a line\r\n";
  bench::joined<ehlo::client_session, ehlo::server_session> ends{client, server};
  const auto traits = ehlo::traits_of(message);
  ends.send(*mail, message, traits, false);
  print(name, [&] {
    for (int i = 0; i < 10; ++i) ends.send(*mail, message, traits, false);
  });
}

void run_codecs() {
  const std::string_view mail = transaction.substr(0, transaction.find('\r'));
  constexpr std::string_view replies = "250-mx.example\r\n250-SIZE 1000\r\n250 AUTH PLAIN\r\n";
  for (int i = 0; i < 10; ++i) {
    bench::keep(ehlo::parse_command(mail));
    bench::keep(ehlo::parse_reply(replies, true));
    char out[512];
    ehlo::write(ehlo::replies::rcpt_ok, ehlo::enhanced_codes::write, out);
    bench::keep(out);
    std::string_view wire = "..a\r\n.\r\n";
    ehlo::mail_data_reader reader;
    while (reader.next(wire, ehlo::bare_line_ends::refuse, 0).what == ehlo::mail_data_reader::step::kind::octets) {
    }
    std::string_view message = ".a\r\n";
    ehlo::mail_data_writer writer;
    std::span<char> room{out};
    writer.copy(message, room, {});
  }
}

}  // namespace

int main() {
  serve("server session, feeds of 16 KiB", 16384);
  serve("server session, feeds of 64", 64);
  serve("server session, feeds of 1", 1);
  send("client and server joined, DATA", ehlo::chunking_policy::never);
  send("client and server joined, BDAT", ehlo::chunking_policy::preferred);
  print("codecs", run_codecs);
}
