// SPDX-License-Identifier: BSL-1.0
// Invariant: whatever a server says, nothing but EHLO, STARTTLS and QUIT leaves in clear under required TLS, no CR or LF alone and
// no password leaves that should not, a session that has said close_channel says nothing else, and cuts within lines change
// nothing.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <ehlo/client/session.hpp>
#include <ehlo/codec/message_traits.hpp>
#include <ehlo/sasl/client.hpp>

#include "support/drive.hpp"

namespace {

constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain, ehlo::mechanisms::login};
constexpr std::string_view message = "Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n";

std::string_view text_of(const ehlo::received_reply& reply) { return reply.octets(); }
std::string_view text_of(const std::optional<ehlo::received_reply>& reply) { return reply ? reply->octets() : "none"; }

ehlo::client_options options_for(std::uint8_t choice) {
  ehlo::client_options out{.hostname = "client.example"};
  constexpr ehlo::tls_policy policies[] = {ehlo::tls_policy::required, ehlo::tls_policy::opportunistic, ehlo::tls_policy::never,
                                           ehlo::tls_policy::active};
  out.tls = policies[choice & 3U];
  if ((choice & 4U) != 0) out.protocol = ehlo::protocol::lmtp;
  if ((choice & 8U) != 0) out.mechanisms = mechanisms;
  if ((choice & 16U) != 0) out.recipients = ehlo::recipient_policy::all_or_nothing;
  if ((choice & 32U) != 0) out.auth_required = false;
  if ((choice & 64U) != 0) out.limits.coalesced = 256;
  if ((choice & 128U) != 0) out.limits.recipients = 2;
  return out;
}

/// How the server's octets are cut. What comes ahead of its command is no reply to it: so a piece may hold the end of one line and
/// the next line, which makes a difference, or end where a line ends at the latest.
struct cutting {
  std::size_t most;  ///< octets of a piece
  bool by_line;

  std::size_t next(std::string_view octets) const {
    const std::size_t end = by_line ? octets.find('\n') : octets.npos;
    return std::min({most, octets.size(), end == octets.npos ? octets.size() : end + 1});
  }
};

/// What a session did: the octets that left, and what it told.
struct record {
  std::string clear;  ///< what was sent before TLS
  std::string sent;
  std::string told;

  friend bool operator==(const record&, const record&) = default;
};

/// The first octet chooses the options, the second how the server's octets are cut; TLS starts when it is asked for.
template <class Session>
record play(std::string_view octets, std::uint8_t choice, cutting cut) {
  const ehlo::client_options options = options_for(choice);
  const auto mail = ehlo::envelope::make("a@client.example", {"b@mx.example", "c@other.example", "<Postmaster>"});
  fuzz::must(mail.has_value(), "the envelope is well-formed");
  Session session{options};
  fuzz::must(session.begin_transaction(*mail, ehlo::traits_of(message)).has_value(), "a transaction begins");
  std::array<char, 600> scratch{};
  record out;
  std::string& clear = out.clear;
  std::string& sent = out.sent;
  std::string piece;
  std::string_view input;
  std::size_t given = 0;
  bool ended = false;
  bool open = true;
  std::size_t turns = 0;
  while (open) {
    fuzz::must(++turns < 200000, "the session does not loop");
    const auto action = session.next(input);
    std::visit(ehlo::overloaded{
                   [&](ehlo::transmit a) {
                     fuzz::must(!a.octets.empty(), "what is sent is not empty");
                     (session.is_tls_active() ? sent : clear) += a.octets;
                   },
                   [&](ehlo::receive) {
                     fuzz::must(input.empty() && !ended, "all was taken, and no more is asked for behind the end");
                     piece = octets.substr(0, cut.next(octets));
                     octets.remove_prefix(piece.size());
                     input = piece;
                     ended = piece.empty();
                     if (ended) session.end_of_input();
                   },
                   [&](ehlo::start_tls) { (void)session.tls_started(ehlo::server_identity::verified); },
                   [&](ehlo::idle) { fuzz::must(session.quit().has_value(), "an idle session may be told to quit"); },
                   [&](const ehlo::credentials_question& q) {
                     out.told += "credentials " + std::to_string(q.step) + '\n';
                     fuzz::must(session.is_tls_active(), "credentials are asked for under TLS");
                     (void)ehlo::sasl::answer(session, q, {.authentication_identity = "user", .proof = ehlo::secret{"secret"}},
                                              scratch);
                   },
                   [&](const ehlo::mail_data_question& q) {
                     if (q.begin) given = 0;
                     const std::string_view part = message.substr(given, 9);
                     given += part.size();
                     (void)(given == message.size() ? session.end_of_mail_data(part) : session.data(part));
                   },
                   [&](ehlo::answer_due) { fuzz::must(false, "every question was answered"); },
                   [&](ehlo::close_channel) { open = false; },
                   [&]<ehlo::notice Notice>(const Notice& a) {
                     if constexpr (requires { a.reason; }) out.told += std::to_string(static_cast<int>(a.reason)) + ' ';
                     if constexpr (std::is_same_v<Notice, ehlo::failed>) out.told += std::to_string(a.offset) + ' ';
                     if constexpr (std::is_same_v<Notice, ehlo::transaction_failed>)
                       out.told += a.delivery == ehlo::delivery::unknown ? "unknown " : "not accepted ";
                     if constexpr (requires { a.reply; }) out.told += text_of(a.reply);
                     out.told += '\n';
                   },
               },
               action);
  }
  std::string_view more = octets;
  fuzz::must(std::holds_alternative<ehlo::close_channel>(session.next(more)), "a closed session stays closed");
  fuzz::must(session.is_closed(), "a closed session says so");
  if (options.tls == ehlo::tls_policy::required) {
    std::string_view rest = clear;
    while (!rest.empty()) {
      const std::size_t end = rest.find("\r\n");
      fuzz::must(end != rest.npos, "commands end with CRLF");
      const std::string_view line = rest.substr(0, end);
      fuzz::must(line == "EHLO client.example" || line == "LHLO client.example" || line == "STARTTLS" || line == "QUIT",
                 "nothing else leaves in clear");
      rest.remove_prefix(end + 2);
    }
  }
  for (const std::string* all : {&clear, &sent}) {
    for (std::size_t i = 0; i < all->size(); ++i) {
      const char c = (*all)[i];
      fuzz::must(c != '\n' || (i > 0 && (*all)[i - 1] == '\r'), "no LF alone leaves");
      fuzz::must(c != '\r' || i + 1 == all->size() || (*all)[i + 1] == '\n', "no CR alone leaves");
    }
  }
  fuzz::must(clear.find("c2VjcmV0") == clear.npos && clear.find("AHVzZXIA") == clear.npos, "no password leaves in clear");
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view octets{reinterpret_cast<const char*>(data) + 2, size - 2};
  const std::size_t cut = data[1] == 0 ? octets.size() + 1 : data[1];
  play<ehlo::client_session>(octets, data[0], {cut, false});
  play<ehlo::fixed_client_session<>>(octets, data[0], {cut, false});
  const auto by_line = play<ehlo::client_session>(octets, data[0], {octets.size() + 1, true});
  fuzz::must(by_line == play<ehlo::client_session>(octets, data[0], {cut, true}), "cuts within lines change nothing");
  return 0;
}
