// SPDX-License-Identifier: BSL-1.0
// A program with one server session, on standard input and output: how much code a user gets. Row 22.
#include <unistd.h>

#include <string_view>
#include <variant>

#include <ehlo/server/session.hpp>

int main() {
  const ehlo::server_options options{.hostname = "mx.example"};
  ehlo::server_session session{options};
  char octets[4096];
  std::string_view input;
  for (;;) {
    const ehlo::server_action action = session.next(input);
    if (const auto* const out = std::get_if<ehlo::transmit>(&action)) {
      if (::write(STDOUT_FILENO, out->octets.data(), out->octets.size()) < 0) return 1;
    } else if (std::holds_alternative<ehlo::receive>(action)) {
      const ssize_t count = ::read(STDIN_FILENO, octets, sizeof octets);
      if (count <= 0) session.end_of_input();
      input = {octets, count > 0 ? static_cast<std::size_t>(count) : 0};
    } else if (std::holds_alternative<ehlo::rcpt_question>(action)) {
      session.accept();
    } else if (std::holds_alternative<ehlo::close_channel>(action)) {
      return 0;
    } else {
      session.answer_default();
    }
  }
}
