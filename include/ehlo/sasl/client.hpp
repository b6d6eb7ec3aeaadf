// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SASL_CLIENT_HPP
#define EHLO_SASL_CLIENT_HPP

/// @file
/// The client's side of an exchange with PLAIN, LOGIN, EXTERNAL, XOAUTH2 or OAUTHBEARER, and the concept for any other mechanism.
/// RFC 4422 3; RFC 4954 4; RFC 7628 3.2.3.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <ehlo/ascii.hpp>
#include <ehlo/extension/auth.hpp>
#include <ehlo/grammar/base64.hpp>
#include <ehlo/result.hpp>
#include <ehlo/sasl/external.hpp>
#include <ehlo/sasl/login.hpp>
#include <ehlo/sasl/oauthbearer.hpp>
#include <ehlo/sasl/plain.hpp>
#include <ehlo/sasl/text.hpp>
#include <ehlo/sasl/xoauth2.hpp>
#include <ehlo/secret.hpp>

namespace ehlo::sasl {

/// The name under which SASL libraries know the service, for submission too. RFC 4954 4.
inline constexpr std::string_view service_name = "smtp";

/// What a client has to show. Views; nothing of them is kept.
struct client_credentials {
  std::string_view authorization_identity{};   ///< whom to act as; empty: as the proof says
  std::string_view authentication_identity{};  ///< whose secret it is; not needed for EXTERNAL and OAUTHBEARER
  secret proof{};                              ///< the password or token; not needed for EXTERNAL
  std::string_view host{};                     ///< OAUTHBEARER: the server's name as the client knows it; empty for none
  std::optional<std::uint16_t> port{};         ///< OAUTHBEARER
};

/// The octets of one step, and whether the mechanism has said all with them.
struct client_step {
  std::size_t size = 0;  ///< octets written
  bool complete = true;

  friend constexpr bool operator==(const client_step&, const client_step&) = default;
};

/// Writes what the client says in step `step`, counted from 0, of the mechanism `name`.
///
/// After its last word a mechanism has nothing to say to a further challenge, but for the error document of XOAUTH2 and
/// OAUTHBEARER, which gets its acknowledgement. Fails with `errc::mechanism_unknown`, `errc::out_of_order` (a step that the
/// mechanism has not) or the errors of the mechanism's writer.
constexpr result<client_step> respond(std::string_view name, std::uint32_t step, const client_credentials& who,
                                      std::span<char> out) {
  const auto is = [name](std::string_view other) { return ascii::equal_ignoring_case(name, other); };
  const auto all = [](const result<std::size_t>& size) -> result<client_step> {
    if (!size) return size.error();
    return client_step{*size, true};
  };
  const auto put = [out](std::string_view text, bool complete) -> result<client_step> {
    detail::writer to{out};
    to.put(text);
    const auto size = to.finish();
    if (!size) return size.error();
    return client_step{*size, complete};
  };
  if (is("LOGIN")) {
    if (step == 0) {
      const auto user = login::parse_username(who.authentication_identity);
      return user ? put(*user, false) : result<client_step>{user.error()};
    }
    if (step > 1) return error{errc::out_of_order};
    const auto password = login::parse_password(who.proof.reveal());
    return password ? put(password->reveal(), true) : result<client_step>{password.error()};
  }
  if (is("PLAIN")) {
    if (step > 0) return error{errc::out_of_order};
    return all(write(plain{who.authorization_identity, who.authentication_identity, who.proof}, out));
  }
  if (is("EXTERNAL")) {
    if (step > 0) return error{errc::out_of_order};
    return all(write(external{who.authorization_identity}, out));
  }
  if (is("XOAUTH2")) {
    if (step == 1) return client_step{0, true};
    if (step > 1) return error{errc::out_of_order};
    return all(write(xoauth2{who.authentication_identity, who.proof}, out));
  }
  if (is("OAUTHBEARER")) {
    if (step == 1) return put("\x01", true);
    if (step > 1) return error{errc::out_of_order};
    oauthbearer message;
    message.host = who.host;
    message.port = who.port;
    message.token = who.proof;
    return all(write(message, who.authorization_identity, out));
  }
  return error{errc::mechanism_unknown};
}

/// Answers a `credentials_question` of a client session, declining where `respond` fails. The octets are written to
/// `scratch`, and are borrowed until the next question or notice; then whoever owns it wipes it.
///
/// Gives the error of `respond` or of the session; the question is answered (declined) in the first case.
template <class Session, class Question>
constexpr result<void> answer(Session& session, const Question& question, const client_credentials& who, std::span<char> scratch) {
  const auto said = respond(question.mechanism, question.step, who, scratch);
  if (!said) {
    session.decline(question.ticket);
    return said.error();
  }
  return session.respond(question.ticket, {scratch.data(), said->size}, said->complete ? exchange::complete : exchange::goes_on);
}

/// A mechanism of another library: fed the decoded challenge (none when the client speaks first), it writes the response and says
/// whether that was all.
template <class T>
concept client_mechanism = requires(T& mechanism, std::optional<std::string_view> challenge, std::span<char> out) {
  { mechanism.step(challenge, out) } -> std::same_as<result<client_step>>;
};

/// Answers a `credentials_question` by a mechanism of another library, declining where it fails. `scratch` holds the decoded
/// challenge and the response: 2 * 9216 octets are enough for any; it is borrowed until the next question or notice.
template <class Session, class Question, client_mechanism Mechanism>
constexpr result<void> answer(Session& session, const Question& question, Mechanism& mechanism, std::span<char> scratch) {
  std::optional<std::string_view> challenge;
  if (question.challenge) {
    const std::size_t size = question.challenge->decoded_size();
    if (size > scratch.size()) {
      session.decline(question.ticket);
      return error{errc::sasl_too_long, scratch.size()};
    }
    question.challenge->decode(scratch.data());
    challenge = std::string_view{scratch.data(), size};
    scratch = scratch.subspan(size);
  }
  const result<client_step> said = mechanism.step(challenge, scratch);
  if (!said) {
    session.decline(question.ticket);
    return said.error();
  }
  return session.respond(question.ticket, {scratch.data(), said->size}, said->complete ? exchange::complete : exchange::goes_on);
}

}  // namespace ehlo::sasl

#endif  // EHLO_SASL_CLIENT_HPP
