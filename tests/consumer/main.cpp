// SPDX-License-Identifier: BSL-1.0
// A program of somebody who uses ehlo: a whole dialogue without a socket. Its result is its exit status.
#include <string>
#include <string_view>
#include <variant>

#include <ehlo/ehlo.hpp>
#include <ehlo/format.hpp>

int main() {
  const ehlo::server_options options{.hostname = "mx.example.org"};
  ehlo::server_session session{options};
  std::string_view wire = "EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.org>\r\nQUIT\r\n";
  std::string_view input;
  std::string sent;
  bool open = true;
  while (open) {
    std::visit(ehlo::overloaded{
                   [&](ehlo::transmit a) { sent += a.octets; },
                   [&](ehlo::receive) {
                     input = wire.substr(0, 5);
                     wire.remove_prefix(input.size());
                     if (input.empty()) session.end_of_input();
                   },
                   [&](const ehlo::rcpt_question&) { session.accept(); },
                   [&](ehlo::mail_data) {},
                   [&](ehlo::start_tls) { session.tls_failed(); },
                   [&](ehlo::answer_due) { open = false; },
                   [&](ehlo::close_channel) { open = false; },
                   [&](const ehlo::question auto&) { session.answer_default(); },
                   [&](const ehlo::notice auto&) {},
               },
               session.next(input));
  }
  return sent.find("250 2.1.5 OK") != sent.npos && sent.find("221 2.0.0 mx.example.org") != sent.npos ? 0 : 1;
}
