// SPDX-License-Identifier: BSL-1.0
// The loops of README.md and of the how-to pages, as they stand there, in programs that run. `code_blocks_test.cpp` holds the pages
// to this file.
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/dispatch.hpp>
#include <ehlo/replies.hpp>
#include <ehlo/server/session.hpp>

#include "support/catch.hpp"

namespace {

/// A socket that has its peer's octets already, and hands them out a few at a time from a buffer that changes under the reader.
class fake_socket {
 public:
  explicit fake_socket(std::string peer) : peer_{std::move(peer)} {}

  void write_all(std::string_view octets) { written += octets; }
  std::string_view read_some() {
    buffer_ = peer_.substr(at_, 7);
    at_ += buffer_.size();
    return buffer_;
  }
  static bool handshake() { return true; }

  std::string written;

 private:
  std::string peer_;
  std::string buffer_;
  std::size_t at_ = 0;
};

/// A store that keeps the messages for one domain.
class fake_store {
 public:
  void begin(const ehlo::reverse_path& from) {
    sender = from.text();
    message.clear();
  }
  static bool knows(const ehlo::forward_path& to) {
    const auto mailbox = to.mailbox();
    return !mailbox || mailbox->host().text() == "example.org";
  }
  void append(std::string_view octets) { message += octets; }
  bool commit() {
    messages.push_back(message);
    return true;
  }

  std::string sender;
  std::string message;
  std::vector<std::string> messages;
};

// clang-format off
void serve(fake_socket& socket, fake_store& store) {
  ehlo::server_options options{.hostname = "mx.example.org"};
  ehlo::server_session session{options};  // the options are shared by all sessions and outlive them
  std::string_view input;                 // octets read and not yet taken

  bool open = true;
  while (open) {
    std::visit(ehlo::overloaded{
      [&](ehlo::transmit a)                { socket.write_all(a.octets); },
      [&](ehlo::receive)                   { input = socket.read_some();  if (input.empty()) session.end_of_input(); },
      [&](ehlo::mail_question const& q)    { store.begin(q.reverse_path);  session.accept(); },
      [&](ehlo::rcpt_question const& q)    { store.knows(q.forward_path) ? session.accept() : session.reject(ehlo::replies::no_such_mailbox); },
      [&](ehlo::mail_data a)               { store.append(a.octets); },  // a slice of `input`, or of a constant
      [&](ehlo::message_question const&)   { store.commit() ? session.accept() : session.reject(ehlo::replies::local_error); },
      [&](ehlo::start_tls)                 { socket.handshake() ? session.tls_started() : session.tls_failed(); },
      [&](ehlo::answer_due)                { open = false; },  // not here: every question is answered at once
      [&](ehlo::close_channel)             { open = false; },
      [&](ehlo::question auto const&)      { session.answer_default(); },  // any other question: the careful answer
      [&](ehlo::notice auto const&)        {},
    }, session.next(input));
  }
}
// clang-format on

/// The same server as a handler.
struct receiver {
  fake_socket& socket;
  fake_store& store;
  std::string_view& input;
  ehlo::server_session& session;

  void on(ehlo::transmit a) { socket.write_all(a.octets); }
  void on(ehlo::receive) {
    input = socket.read_some();
    if (input.empty()) session.end_of_input();
  }
  ehlo::reply on(const ehlo::mail_question& q) {
    store.begin(q.reverse_path);
    return ehlo::replies::mail_ok;
  }
  ehlo::reply on(const ehlo::rcpt_question& q) {
    return store.knows(q.forward_path) ? ehlo::replies::rcpt_ok : ehlo::replies::no_such_mailbox;
  }
  void on(ehlo::mail_data a) { store.append(a.octets); }
  ehlo::reply on(const ehlo::message_question&) { return store.commit() ? ehlo::replies::message_ok : ehlo::replies::local_error; }
};

void serve_with_handler(fake_socket& socket, fake_store& store) {
  const ehlo::server_options options{.hostname = "mx.example.org"};
  ehlo::server_session session{options};
  std::string_view input;
  receiver handler{socket, store, input, session};
  while (ehlo::dispatch(session, session.next(input), handler)) {
  }
}

const std::string dialogue =
    "EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<nobody@elsewhere.example>\r\nRCPT TO:<b@example.org>\r\n"
    "DATA\r\nSubject: dots\r\n\r\n..two\r\n.\r\nQUIT\r\n";

void check(const fake_socket& socket, const fake_store& store) {
  CHECK(store.sender == "<a@client.example>");
  REQUIRE(store.messages.size() == 1);
  CHECK(store.messages[0] == "Subject: dots\r\n\r\n.two\r\n");
  CHECK(socket.written.find("220 mx.example.org") == 0);
  CHECK(socket.written.find("550 5.1.1") != std::string::npos);
  CHECK(socket.written.find("221 2.0.0 mx.example.org") != std::string::npos);
}

}  // namespace

TEST_CASE("the loop of the README is a complete server", "[docs]") {
  fake_socket socket{dialogue};
  fake_store store;
  serve(socket, store);
  check(socket, store);
}

TEST_CASE("a handler with the members it cares about is a complete server", "[docs][dispatch]") {
  fake_socket socket{dialogue};
  fake_store store;
  serve_with_handler(socket, store);
  check(socket, store);
}
