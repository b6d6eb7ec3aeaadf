// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_BENCHMARK_SUPPORT_SESSIONS_HPP
#define EHLO_TESTS_BENCHMARK_SUPPORT_SESSIONS_HPP

/// @file
/// Whole sessions in memory, for the benchmarks of time and for the one that counts allocations: a server that is fed what a client
/// says, and both ends joined.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <variant>

#include <ehlo/client/session.hpp>
#include <ehlo/codec/message_traits.hpp>
#include <ehlo/server/session.hpp>

#include "support/cases.hpp"

namespace bench {

/// Feeds what a client says to a session, which accepts all; returns the octets of mail data that it gave.
template <class Session>
std::size_t feed_server(Session& session, std::string_view octets, std::size_t feed) {
  std::size_t given = 0;
  std::string_view input;
  for (;;) {
    const ehlo::server_action action = session.next(input);
    if (const auto* const data = std::get_if<ehlo::mail_data>(&action)) {
      keep(*data);
      given += data->octets.size();
    } else if (const auto* const out = std::get_if<ehlo::transmit>(&action)) {
      keep(*out);
    } else if (std::holds_alternative<ehlo::receive>(action)) {
      if (octets.empty()) return given;
      input = octets.substr(0, feed);
      octets.remove_prefix(input.size());
    } else if (std::holds_alternative<ehlo::rcpt_question>(action) || std::holds_alternative<ehlo::message_question>(action)) {
      session.accept();
    } else if (std::holds_alternative<ehlo::close_channel>(action)) {
      return given;
    } else {
      session.answer_default();
    }
  }
}

/// A client and a server back to back. Octets go straight from one to the other; those to the client by way of a buffer.
template <class Client, class Server>
class joined {
 public:
  joined(const ehlo::client_options& client, const ehlo::server_options& server) : client_{client}, server_{server} {}

  /// Sends `message` and waits until the client is idle; then, with `quits`, to the end. Returns the octets of mail data given.
  std::size_t send(ehlo::envelope_view mail, std::string_view message, const ehlo::message_traits& traits, bool quits) {
    given_ = 0;
    client_.begin_transaction(mail, traits);
    if (quits) client_.quit();
    for (;;) {
      const ehlo::client_action action = client_.next(down_);
      if (const auto* const out = std::get_if<ehlo::transmit>(&action)) {
        run_server(out->octets);
      } else if (std::holds_alternative<ehlo::receive>(action)) {
        if (size_ == 0) run_server({});
        down_ = {buffer_.data(), size_};
        size_ = 0;
        if (down_.empty()) return given_;
      } else if (std::holds_alternative<ehlo::mail_data_question>(action)) {
        client_.end_of_mail_data(message);
      } else if (std::holds_alternative<ehlo::idle>(action) || std::holds_alternative<ehlo::close_channel>(action)) {
        return given_;
      }
    }
  }

 private:
  void run_server(std::string_view up) {
    for (;;) {
      const ehlo::server_action action = server_.next(up);
      if (const auto* const data = std::get_if<ehlo::mail_data>(&action)) {
        keep(*data);
        given_ += data->octets.size();
      } else if (const auto* const out = std::get_if<ehlo::transmit>(&action)) {
        std::copy_n(out->octets.data(), out->octets.size(), buffer_.data() + size_);
        size_ += out->octets.size();
      } else if (std::holds_alternative<ehlo::receive>(action) || std::holds_alternative<ehlo::close_channel>(action)) {
        return;
      } else if (std::holds_alternative<ehlo::rcpt_question>(action) || std::holds_alternative<ehlo::message_question>(action)) {
        server_.accept();
      } else {
        server_.answer_default();
      }
    }
  }

  Client client_;
  Server server_;
  std::array<char, 8192> buffer_;
  std::size_t size_ = 0;
  std::string_view down_;
  std::size_t given_ = 0;
};

}  // namespace bench

#endif  // EHLO_TESTS_BENCHMARK_SUPPORT_SESSIONS_HPP
