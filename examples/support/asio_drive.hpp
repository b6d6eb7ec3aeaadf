// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXAMPLES_SUPPORT_ASIO_DRIVE_HPP
#define EHLO_EXAMPLES_SUPPORT_ASIO_DRIVE_HPP

/// @file
/// A session of either end and a channel, joined by a coroutine: the loop of `next` for Asio.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

#include <asio/awaitable.hpp>

#include <ehlo/actions.hpp>
#include <ehlo/reply.hpp>
#include <ehlo/secret.hpp>

#include "asio_channel.hpp"

namespace example {

/// What a handler's `on` may return for an action that needs no answer but leaves the choice what comes next, as the client's
/// `idle`.
enum class proceed {
  call_next,
  read,  ///< octets of the peer first
};

namespace detail {

template <class Action>
inline constexpr bool is_flow = false;
template <>
inline constexpr bool is_flow<ehlo::transmit> = true;
template <>
inline constexpr bool is_flow<ehlo::receive> = true;
template <>
inline constexpr bool is_flow<ehlo::start_tls> = true;
template <>
inline constexpr bool is_flow<ehlo::close_channel> = true;
template <>
inline constexpr bool is_flow<ehlo::answer_due> = true;

/// Gives a reply that a handler returned, or none yet, to the session.
template <class Session, class Answer>
void pass_on(Session& session, ehlo::ticket ticket, const Answer& answer) {
  if constexpr (std::is_convertible_v<const Answer&, ehlo::reply>) {
    const ehlo::reply& reply = answer;
    const auto given = reply.is_positive() ? session.accept(ticket, reply) : session.reject(ticket, reply);
    if (!given) session.answer_default(ticket);  // an answer that the question forbids would leave it open for ever
  } else if (answer) {
    pass_on(session, ticket, *answer);
  }
}

/// Hands an action that moves no octets to the handler.
template <class Session, class Handler, class Action>
proceed hand_over(Session& session, Handler& handler, const Action& action) {
  if constexpr (requires { handler.on(action); }) {
    using returned = decltype(handler.on(action));
    if constexpr (std::is_same_v<returned, proceed>) {
      return handler.on(action);
    } else if constexpr (ehlo::question<Action> && !std::is_void_v<returned>) {
      pass_on(session, action.ticket, handler.on(action));
    } else {
      handler.on(action);
    }
  } else if constexpr (ehlo::question<Action>) {
    session.answer_default(action.ticket);
  } else {
    static_assert(ehlo::notice<Action> || std::is_same_v<Action, ehlo::mail_data>, "the handler needs on(action) for this type");
  }
  return proceed::call_next;
}

}  // namespace detail

/// Does what the session says until it says `close_channel` and the channel is closed. The three outlive the coroutine.
///
/// The actions that move octets are done here; every other is given to `handler.on(action)`. Without such a member a question gets
/// the careful answer, data and notices are dropped. For a question `on` may return a reply, an optional reply (none: the answer
/// comes later, with the ticket), or nothing if it has answered, or will; for another action `proceed`, or nothing.
///
/// `handler.on(start_tls)`, if there is one, is called after a handshake that succeeded, and says `tls_started(...)` to the
/// session. `handler.seen(action)`, if there is one, sees each action first, `handler.heard(octets)` what was read. News for the
/// session from outside (`shutdown`, a late answer) are followed by `channel.wake()`.
template <class Session, class Channel, class Handler>
asio::awaitable<void> drive(Session& session, Channel& channel, Handler& handler) {
  constexpr std::chrono::seconds last_words{60};  // while the session waits for nothing, what it says still has to leave
  std::array<char, 16384> buffer;
  std::size_t count = 0;
  std::string_view input;
  std::optional<std::uint32_t> serial;
  auto to_be_read = proceed::call_next;

  for (;;) {
    const auto action = session.next(input);
    if constexpr (requires { handler.seen(action); }) handler.seen(action);
    if (const ehlo::wait wait = session.timeout(); wait.serial != serial) {
      serial = wait.serial;
      channel.expires_after(wait.what == ehlo::waiting_for::nothing ? last_words : std::chrono::seconds{wait.seconds});
    }
    if (const auto* const transmit = std::get_if<ehlo::transmit>(&action)) {
      if (channel.has_expired()) channel.expires_after(last_words);  // it was the caller that took its time
      const outcome written = co_await channel.write(transmit->octets);
      if (written != outcome::done) session.disconnected();
      continue;
    }
    if (std::holds_alternative<ehlo::start_tls>(action)) {
      const outcome shaken = co_await channel.handshake();
      if (shaken == outcome::expired) {
        session.timed_out();
      } else if (shaken != outcome::done) {
        session.tls_failed();
      } else if constexpr (requires { handler.on(ehlo::start_tls{}); }) {
        handler.on(ehlo::start_tls{});
      } else {
        session.tls_started();
      }
      continue;
    }
    if (std::holds_alternative<ehlo::close_channel>(action)) break;
    if (std::holds_alternative<ehlo::answer_due>(action)) {
      if (co_await channel.pause() == outcome::broken) session.disconnected();
      continue;
    }
    if (!std::holds_alternative<ehlo::receive>(action)) {
      to_be_read = std::visit(
          [&]<class Action>(const Action& a) {
            if constexpr (detail::is_flow<Action>)
              return proceed::call_next;
            else
              return detail::hand_over(session, handler, a);
          },
          action);
      if (to_be_read == proceed::call_next) continue;
    }
    ehlo::wipe(buffer.data(), count);  // what was read before may be a password, and all of it was taken
    switch (co_await channel.read(buffer, count)) {
      case outcome::done:
        input = {buffer.data(), count};
        if constexpr (requires { handler.heard(input); }) handler.heard(input);
        break;
      case outcome::ended: session.end_of_input(); break;
      case outcome::woken: break;
      case outcome::expired:
        session.timed_out();  // fails if nothing is waited for
        channel.expires_after(last_words);
        break;
      case outcome::broken: session.disconnected(); break;
    }
  }
  ehlo::wipe(buffer.data(), count);
  co_await channel.close();
}

}  // namespace example

#endif  // EHLO_EXAMPLES_SUPPORT_ASIO_DRIVE_HPP
