// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_DISPATCH_HPP
#define EHLO_DISPATCH_HPP

/// @file
/// An action of either end to the member function of a handler that cares about it: a thin convenience over the loop of `next`.

#include <type_traits>
#include <variant>

#include <ehlo/actions.hpp>
#include <ehlo/error.hpp>
#include <ehlo/reply.hpp>

namespace ehlo {

namespace detail {

/// Gives what the handler's member returned to the session: a reply, a reply or nothing yet, or nothing at all.
template <class Session, class Answer>
constexpr void pass_on(Session& session, ticket t, const Answer& answer) {
  if constexpr (std::is_convertible_v<const Answer&, reply>) {
    const reply& r = answer;
    // A reply that its question forbids, or that is too long, would leave the question open for ever; the careful answer ends it.
    const auto given = r.is_positive() ? session.accept(t, r) : session.reject(t, r);
    if (!given) session.answer_default(t);
  } else if (answer) {
    pass_on(session, t, *answer);
  }
}

/// One action; false if the loop has nothing to do now.
template <class Session, class Action, class Handler>
constexpr bool hand_over(Session& session, const Action& action, Handler& handler) {
  if constexpr (requires { handler.on(action); }) {
    using returned = decltype(handler.on(action));
    if constexpr (std::is_same_v<Action, idle> && std::is_same_v<returned, bool>) {
      return handler.on(action);
    } else if constexpr (question<Action> && !std::is_void_v<returned>) {
      pass_on(session, action.ticket, handler.on(action));
    } else {
      handler.on(action);
    }
  } else {
    static_assert(!std::is_same_v<Action, transmit> && !std::is_same_v<Action, receive>,
                  "the handler writes octets and reads them: it needs on(transmit) and on(receive)");
    if constexpr (question<Action>) session.answer_default(action.ticket);
    if constexpr (std::is_same_v<Action, start_tls>) session.tls_failed();  // nobody is there to do the handshake
    if constexpr (std::is_same_v<Action, idle>) session.quit();
  }
  return !std::is_same_v<Action, close_channel> && !std::is_same_v<Action, answer_due>;
}

}  // namespace detail

/// Calls `handler.on(action)` if there is such a member. A question without one gets the careful answer, data and notices without
/// one are dropped, `idle` without one ends the session with QUIT; `transmit` and `receive` must have one.
///
/// For a server's question the member may return a `reply` (accepted or rejected by its class), a `std::optional<reply>` (none: the
/// answer comes later, with the question's ticket), or nothing at all: then it has answered, or will. For a client's question it
/// answers by the session. For `idle` it asks the session for something, or returns false if there is nothing to be done now.
///
/// Returns false when the loop has nothing to do now: after `close_channel`, at `answer_due`, and at an `idle` of that kind.
///
///     while (ehlo::dispatch(session, session.next(input), handler)) {}
template <class Session, class... Actions, class Handler>
constexpr bool dispatch(Session& session, const std::variant<Actions...>& action, Handler&& handler) {
  return std::visit([&](const auto& a) { return detail::hand_over(session, a, handler); }, action);
}

}  // namespace ehlo

#endif  // EHLO_DISPATCH_HPP
