// SPDX-License-Identifier: BSL-1.0
// The transcript of a client session and a server session that talk in memory: what the one proves to the other and the message
// are not in it, whatever the mechanism and however the octets are cut.
#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"

namespace {

using ehlo::direction;

constexpr std::string_view user = "alice-in-wonderland";
constexpr std::string_view password = "open-sesame-0123456789";
constexpr std::string_view nonce = "a-nonce-from-the-server";
constexpr std::string_view message = "Subject: a-hidden-subject\r\n\r\n.a-hidden-text\r\nMAIL FROM:<a-hidden-path@x>\r\n";

/// Two challenges and two responses, as those of SCRAM are.
struct long_mechanism {
  ehlo::result<ehlo::sasl::client_step> step(std::optional<std::string_view> challenge, std::span<char> out) {
    const std::string_view said = challenge && !challenge->empty() ? password : user;
    std::copy(said.begin(), said.end(), out.begin());
    return ehlo::sasl::client_step{said.size(), said == password};
  }
};

/// Everything that passes, in its order, to the transcript and to the other end.
struct wire {
  ehlo::observer_options options{};
  ehlo::transcript transcript{options};
  std::array<std::string, 2> to_be_read{};  ///< by whom: the server reads what is from the client
  std::array<std::string, 2> kept{};
  std::string told{};
  std::string passed{};

  void pass(direction from, std::string_view octets, std::size_t cut) {
    passed += octets;
    to_be_read[static_cast<std::size_t>(from)] += octets;
    for (; !octets.empty(); octets.remove_prefix(std::min(cut, octets.size()))) {
      kept[static_cast<std::size_t>(from)] += octets.substr(0, cut);
      while (print(from) || print(ehlo::other(from))) {
      }
    }
  }

  bool print(direction from) {
    std::string& mine = kept[static_cast<std::size_t>(from)];
    const std::string octets = mine;
    std::string_view input = octets;
    while (const auto line = transcript.next(from, input)) told += std::string{*line} + "\n";
    mine = input;
    return input.size() != octets.size();
  }
};

wire talk(const ehlo::auth_mechanism& mechanism, bool chunking, std::size_t cut) {
  const std::array<ehlo::auth_mechanism, 1> mechanisms{mechanism};
  ehlo::client_options client_options{.hostname = "client.example", .tls = ehlo::tls_policy::active};
  client_options.mechanisms = mechanisms;
  client_options.chunking = chunking ? ehlo::chunking_policy::preferred : ehlo::chunking_policy::never;
  ehlo::server_options server_options{.hostname = "mx.example", .tls = ehlo::tls_mode::active};
  server_options.mechanisms = mechanisms;
  server_options.auth_required = true;
  ehlo::client_session client{client_options};
  client.identify(ehlo::server_identity::verified);
  ehlo::server_session server{server_options};
  const auto mail = ehlo::envelope::make("a@client.example", {"b@mx.example"});
  client.begin_transaction(*mail, ehlo::traits_of(message));
  client.quit();

  wire out;
  std::array<std::string, 2> taken;
  std::array<std::string_view, 2> input;
  std::array<char, 1024> scratch{};
  long_mechanism exchange;
  int steps = 0;
  bool client_is_over = false;
  bool server_is_over = false;
  const auto read = [&](direction from) {
    const auto i = static_cast<std::size_t>(from);
    taken[i] = out.to_be_read[i].substr(0, cut);
    out.to_be_read[i].erase(0, taken[i].size());
    input[i] = taken[i];
  };
  for (int turns = 0; turns < 100000 && !(client_is_over && server_is_over); ++turns) {
    bool waits = false;
    while (!server_is_over && !waits) {
      std::visit(ehlo::overloaded{
                     [&](ehlo::transmit a) { out.pass(direction::from_server, a.octets, cut); },
                     [&](ehlo::receive) {
                       read(direction::from_client);
                       waits = input[0].empty();
                     },
                     [&](ehlo::close_channel) { server_is_over = true; },
                     [&](const ehlo::auth_question&) {
                       ++steps;
                       const bool is_scram = mechanism == ehlo::mechanisms::scram_sha_256;
                       if (is_scram && steps < 2) {
                         server.challenge(nonce);
                       } else if (mechanism == ehlo::mechanisms::login && steps < 3) {
                         server.challenge(steps == 1 ? "Username:" : "Password:");
                       } else {
                         server.authenticated();
                       }
                     },
                     [&](const ehlo::rcpt_question&) { server.accept(); },
                     [&](const ehlo::message_question&) { server.accept(); },
                     [&](ehlo::question auto const&) { server.answer_default(); },
                     [&](const auto&) {},
                 },
                 server.next(input[0]));
    }
    waits = false;
    while (!client_is_over && !waits) {
      std::visit(ehlo::overloaded{
                     [&](ehlo::transmit a) { out.pass(direction::from_client, a.octets, cut); },
                     [&](ehlo::receive) {
                       read(direction::from_server);
                       waits = input[1].empty();
                     },
                     [&](ehlo::close_channel) { client_is_over = true; },
                     [&](const ehlo::credentials_question& q) {
                       if (mechanism == ehlo::mechanisms::scram_sha_256) {
                         ehlo::sasl::answer(client, q, exchange, scratch);
                       } else {
                         const ehlo::sasl::client_credentials who{.authentication_identity = user, .proof = ehlo::secret{password}};
                         ehlo::sasl::answer(client, q, who, scratch);
                       }
                     },
                     [&](const ehlo::mail_data_question&) { client.end_of_mail_data(message); },
                     [&](ehlo::question auto const&) { client.answer_default(); },
                     [&](const auto&) {},
                 },
                 client.next(input[1]));
    }
  }
  CHECK(client_is_over);
  CHECK(server.is_authenticated());
  return out;
}

std::string encoded(std::string_view octets) {
  std::string out(ehlo::base64::encoded_size(octets.size()), ' ');
  ehlo::encode_base64(octets, out.data());
  return out;
}

}  // namespace

TEST_CASE("neither credentials nor mail data of two sessions are in their transcript", "[observer][two ends][T37]") {
  for (const ehlo::auth_mechanism& mechanism :
       {ehlo::mechanisms::plain, ehlo::mechanisms::login, ehlo::mechanisms::scram_sha_256}) {
    for (const bool chunking : {false, true}) {
      std::string whole;
      for (const std::size_t cut : {100000U, 1U, 2U, 5U, 17U}) {
        CAPTURE(mechanism.name, chunking, cut);
        const wire seen = talk(mechanism, chunking, cut);
        CAPTURE(seen.told);
        // They did pass.
        CHECK(seen.passed.find("hidden") != seen.passed.npos);
        const std::string proof =
            encoded(mechanism == ehlo::mechanisms::plain ? std::string{'\0'}.append(user) + '\0' + std::string{password}
                                                         : std::string{password});
        CHECK(seen.passed.find(proof) != seen.passed.npos);
        CHECK(seen.told.find("hidden") == seen.told.npos);
        for (const std::string_view hidden : {user, password, nonce}) {
          CHECK(seen.told.find(hidden) == seen.told.npos);
          // In base64 a text may begin at any of three places.
          for (const std::string_view before : {"", "x", "xx"}) {
            const std::string code = encoded(std::string{before}.append(hidden));
            CHECK(seen.told.find(code.substr(4, code.size() - 8)) == seen.told.npos);
          }
        }
        CHECK(seen.told.find("C: AUTH " + std::string{mechanism.name}) != seen.told.npos);
        CHECK(seen.told.find("S: 235 2.7.0 ****\n") != seen.told.npos);
        CHECK(seen.told.find("C: MAIL FROM:<a@client.example>") != seen.told.npos);
        CHECK(seen.told.find("-- ") == seen.told.npos);
        const std::string data = "C: [" + std::to_string(message.size()) + " octets of mail data]\n";
        const std::string end = chunking ? "LAST\n" + data + "S: 250" : data + "C: .\nS: 250";
        CHECK(seen.told.find(end) != seen.told.npos);
        CHECK(seen.told.ends_with("C: QUIT\nS: 221 2.0.0 mx.example Service closing transmission channel\n"));
        if (whole.empty()) whole = seen.told;
        CHECK(seen.told == whole);
      }
    }
  }
}
