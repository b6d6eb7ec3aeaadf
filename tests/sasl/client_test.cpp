// SPDX-License-Identifier: BSL-1.0
// The client's side of each mechanism: what it says at each step, read back by the server's side, and when it has nothing to say.
#include <ehlo/sasl/client.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ehlo/client/actions.hpp>

#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using namespace ehlo;
using namespace std::string_literals;
using namespace std::string_view_literals;

struct said {
  std::string octets;
  bool complete = false;

  friend bool operator==(const said&, const said&) = default;
};

result<said> respond(std::string_view name, std::uint32_t step, const sasl::client_credentials& who) {
  std::string out(16384, '#');
  const auto spoken = sasl::respond(name, step, who, out);
  if (!spoken) return spoken.error();
  // Any smaller room is an error, and nothing is written behind it.
  for (const std::size_t room : {std::size_t{0}, spoken->size / 2, spoken->size - std::min<std::size_t>(spoken->size, 1)}) {
    if (room >= spoken->size) continue;
    std::string small(room + 1, '#');
    CHECK(sasl::respond(name, step, who, std::span{small.data(), room}).error().code == errc::sasl_too_long);
    CHECK(small[room] == '#');
  }
  return said{out.substr(0, spoken->size), spoken->complete};
}

/// Takes the place of a session: keeps what it is told.
struct recorder {
  result<void> respond(ticket t, std::string_view octets, exchange how) {
    told.emplace_back("respond " + std::to_string(t.serial) + " " + std::string{octets} +
                      (how == exchange::complete ? " complete" : " goes on"));
    if (is_stale) return error{errc::stale_answer};
    return {};
  }
  result<void> decline(ticket t) {
    told.emplace_back("decline " + std::to_string(t.serial));
    return {};
  }
  bool is_stale = false;
  std::vector<std::string> told;
};

credentials_question asked(std::string_view mechanism, std::uint32_t step,
                           std::optional<std::string_view> challenge = std::nullopt) {
  credentials_question out{mechanism, std::nullopt, step, {7}};
  if (challenge) out.challenge = *base64::parse(*challenge);
  return out;
}

/// A mechanism of another library: repeats the challenge, and fails at an empty one.
struct parrot {
  result<sasl::client_step> step(std::optional<std::string_view> challenge, std::span<char> out) {
    heard.push_back(challenge ? "<" + std::string{*challenge} + ">" : "none");
    if (challenge && challenge->empty()) return error{errc::sasl_message};
    const std::string_view octets = challenge.value_or("hello"sv);
    if (octets.size() > out.size()) return error{errc::sasl_too_long};
    octets.copy(out.data(), octets.size());
    return sasl::client_step{octets.size(), challenge.has_value()};
  }
  std::vector<std::string> heard;
};
static_assert(sasl::client_mechanism<parrot>);
static_assert(!sasl::client_mechanism<recorder>);

const sasl::client_credentials somebody{
    .authorization_identity = "boss", .authentication_identity = "user", .proof = secret{"pass"}};

}  // namespace

TEST_CASE("each mechanism says at each step what its server reads, and nothing behind its last word", "[sasl][threats][T34]") {
  CHECK(*respond("PLAIN", 0, somebody) == said{"boss\0user\0pass"s, true});
  const auto plain = respond("PLAIN", 0, somebody);
  CHECK(sasl::plain::parse(plain->octets)->password.reveal() == "pass");
  CHECK(*respond("LOGIN", 0, somebody) == said{"user", false});
  CHECK(*respond("LOGIN", 1, somebody) == said{"pass", true});
  CHECK(*respond("EXTERNAL", 0, somebody) == said{"boss", true});
  CHECK(*respond("EXTERNAL", 0, {}) == said{"", true});
  CHECK(*respond("XOAUTH2", 0, somebody) == said{"user=user\x01"
                                                 "auth=Bearer pass\x01\x01",
                                                 true});
  CHECK(*respond("XOAUTH2", 1, somebody) == said{"", true});
  const auto bearer =
      respond("OAUTHBEARER", 0,
              {.authorization_identity = "a,b=c", .proof = secret{"tok"}, .host = "mx.example", .port = std::uint16_t{587}});
  REQUIRE(bearer.has_value());
  CHECK(bearer->octets ==
        "n,a=a=2Cb=3Dc,\x01host=mx.example\x01port=587\x01"
        "auth=Bearer tok\x01\x01");
  const auto read = sasl::oauthbearer::parse(bearer->octets);
  REQUIRE(read.has_value());
  CHECK(read->token.reveal() == "tok");
  CHECK(read->port == 587);
  CHECK(*respond("OAUTHBEARER", 1, somebody) == said{"\x01", true});
  CHECK(sasl::is_failure_acknowledgement(respond("OAUTHBEARER", 1, somebody)->octets));

  const std::pair<std::string_view, std::uint32_t> steps[] = {
      {"PLAIN", 1}, {"LOGIN", 2}, {"EXTERNAL", 1}, {"XOAUTH2", 2}, {"OAUTHBEARER", 2}};
  for (const auto& [name, steps_it_has] : steps) {
    for (const std::uint32_t step : {steps_it_has, steps_it_has + 1, std::uint32_t{0xFFFFFFFF}}) {
      CAPTURE(name, step);
      CHECK(respond(name, step, somebody).error().code == errc::out_of_order);
    }
  }
}

TEST_CASE("names of mechanisms compare without regard to case, and unknown ones say nothing", "[sasl]") {
  CHECK(respond("plain", 0, somebody)->octets == respond("PLAIN", 0, somebody)->octets);
  CHECK(respond("OAuthBearer", 0, somebody)->complete);
  for (const std::string_view name : {"", "PLAI", "PLAINX", "SCRAM-SHA-256", "CRAM-MD5", "PLAIN "}) {
    CHECK(respond(name, 0, somebody).error().code == errc::mechanism_unknown);
  }
}

TEST_CASE("credentials at their limit are said, one octet more are not", "[sasl]") {
  const std::string most(255, 'x');
  const std::string over(256, 'x');
  CHECK(respond("PLAIN", 0, {.authorization_identity = most, .authentication_identity = most, .proof = secret{most}})
            ->octets.size() == 767);
  CHECK(respond("PLAIN", 0, {.authorization_identity = over, .authentication_identity = "u", .proof = secret{"p"}}).error().code ==
        errc::sasl_too_long);
  CHECK(respond("PLAIN", 0, {.authentication_identity = over, .proof = secret{"p"}}).error().code == errc::sasl_too_long);
  CHECK(respond("PLAIN", 0, {.authentication_identity = "u", .proof = secret{over}}).error().code == errc::sasl_too_long);
  CHECK(respond("LOGIN", 0, {.authentication_identity = most})->octets == most);
  CHECK(respond("LOGIN", 0, {.authentication_identity = over}).error().code == errc::sasl_too_long);
  CHECK(respond("LOGIN", 1, {.proof = secret{most}})->octets == most);
  CHECK(respond("LOGIN", 1, {.proof = secret{over}}).error().code == errc::sasl_too_long);
  CHECK(respond("EXTERNAL", 0, {.authorization_identity = most})->octets == most);
  CHECK(respond("EXTERNAL", 0, {.authorization_identity = over}).error().code == errc::sasl_too_long);
  // Tokens are as long as they are.
  const std::string token(8000, 't');
  CHECK(respond("XOAUTH2", 0, {.authentication_identity = "u", .proof = secret{token}})->octets.size() > 8000);
  CHECK(respond("OAUTHBEARER", 0, {.proof = secret{token}})->octets.size() > 8000);
  for (const std::string_view name : {"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"}) {
    CHECK(respond(name, 0, {}).error().code == errc::sasl_message);
  }
}

TEST_CASE("no octet of a name or secret makes another field of a message", "[sasl][threats][T18][T34]") {
  for (int value = 0; value < 256; ++value) {
    for (std::size_t place = 0; place <= 4; ++place) {
      std::string text = "name";
      text.insert(place, 1, static_cast<char>(value));
      CAPTURE(strings::hex(text));
      const bool is_control = value < 32 || value == 127;
      if (const auto plain =
              respond("PLAIN", 0, {.authorization_identity = text, .authentication_identity = text, .proof = secret{"p"}})) {
        CHECK_FALSE(is_control);
        const auto read = sasl::plain::parse(plain->octets);
        REQUIRE(read.has_value());
        CHECK(read->authorization_identity == text);
        CHECK(read->authentication_identity == text);
        CHECK(read->password.reveal() == "p");
      } else {
        CHECK((is_control || value > 127));
      }
      if (const auto plain = respond("PLAIN", 0, {.authentication_identity = "u", .proof = secret{text}})) {
        CHECK(value != 0);
        CHECK(sasl::plain::parse(plain->octets)->password.reveal() == text);
        CHECK(sasl::plain::parse(plain->octets)->authentication_identity == "u");
      } else {
        CHECK((value == 0 || value > 127));
      }
      if (const auto user = respond("LOGIN", 0, {.authentication_identity = text})) {
        CHECK_FALSE(is_control);
        CHECK(user->octets == text);
      }
      if (const auto password = respond("LOGIN", 1, {.proof = secret{text}})) {
        CHECK(value != 0);
        CHECK(password->octets == text);
      }
      if (const auto who = respond("EXTERNAL", 0, {.authorization_identity = text})) {
        CHECK_FALSE(is_control);
        CHECK(sasl::external::parse(who->octets)->authorization_identity == text);
      }
      if (const auto token = respond("XOAUTH2", 0, {.authentication_identity = text, .proof = secret{"t"}})) {
        CHECK_FALSE(is_control);
        CHECK(sasl::xoauth2::parse(token->octets)->user == text);
        CHECK(sasl::xoauth2::parse(token->octets)->token.reveal() == "t");
      }
      for (const std::string_view name : {"XOAUTH2", "OAUTHBEARER"}) {
        const auto token = respond(name, 0, {.authentication_identity = "u", .proof = secret{text}});
        CHECK(token.has_value() == (value > 32 && value < 127));
      }
      const auto bearer = respond("OAUTHBEARER", 0, {.authorization_identity = text, .proof = secret{"t"}, .host = "h"});
      if (bearer) {
        CHECK_FALSE(is_control);
        const auto read = sasl::oauthbearer::parse(bearer->octets);
        REQUIRE(read.has_value());
        std::array<char, 255> name{};
        const auto size = sasl::decode_saslname(read->encoded_authorization_identity, name);
        REQUIRE(size.has_value());
        CHECK(std::string_view(name.data(), *size) == text);
        CHECK(read->host == "h");
      }
      const auto host = respond("OAUTHBEARER", 0, {.proof = secret{"t"}, .host = text});
      CHECK(host.has_value() == (value > 32 && value < 127));
      if (host) CHECK(sasl::oauthbearer::parse(host->octets)->host == text);
    }
  }
}

TEST_CASE("a question is answered for its ticket, and declined where the mechanism has nothing to say", "[sasl]") {
  std::array<char, 1024> scratch{};
  recorder session;
  CHECK(sasl::answer(session, asked("LOGIN", 0, "VXNlcm5hbWU6"), somebody, scratch).has_value());
  CHECK(sasl::answer(session, asked("LOGIN", 1, "UGFzc3dvcmQ6"), somebody, scratch).has_value());
  CHECK(sasl::answer(session, asked("LOGIN", 2, "UGFzc3dvcmQ6"), somebody, scratch).error().code == errc::out_of_order);
  CHECK(sasl::answer(session, asked("NTLM", 0), somebody, scratch).error().code == errc::mechanism_unknown);
  CHECK(sasl::answer(session, asked("PLAIN", 0), somebody, std::span{scratch.data(), 3}).error().code == errc::sasl_too_long);
  CHECK(session.told ==
        std::vector<std::string>{"respond 7 user goes on", "respond 7 pass complete", "decline 7", "decline 7", "decline 7"});
  session.is_stale = true;
  CHECK(sasl::answer(session, asked("EXTERNAL", 0), somebody, scratch).error().code == errc::stale_answer);
}

TEST_CASE("a mechanism of another library hears the decoded challenge, and none where the client speaks first", "[sasl]") {
  std::array<char, 16> scratch{};
  recorder session;
  parrot mechanism;
  CHECK(sasl::answer(session, asked("X", 0), mechanism, scratch).has_value());
  CHECK(sasl::answer(session, asked("X", 1, "cG9sbHk="), mechanism, scratch).has_value());
  CHECK(sasl::answer(session, asked("X", 2, ""), mechanism, scratch).error().code == errc::sasl_message);
  // Sixteen octets fill the room, so that none is left for the response; seventeen do not fit.
  CHECK(sasl::answer(session, asked("X", 3, "MDEyMzQ1Njc4OWFiY2RlZg=="), mechanism, scratch).error().code == errc::sasl_too_long);
  CHECK(mechanism.heard.back() == "<0123456789abcdef>");
  CHECK(sasl::answer(session, asked("X", 4, "MDEyMzQ1Njc4OWFiY2RlZmc="), mechanism, scratch).error() ==
        error{errc::sasl_too_long, 16});
  CHECK(mechanism.heard == std::vector<std::string>{"none", "<polly>", "<>", "<0123456789abcdef>"});
  CHECK(session.told ==
        std::vector<std::string>{"respond 7 hello goes on", "respond 7 polly complete", "decline 7", "decline 7", "decline 7"});
  CHECK(sasl::service_name == "smtp");
}

TEST_CASE("A step of which nothing is said writes nothing and is the last", "[sasl]") {
  CHECK(sasl::client_step{} == sasl::client_step{0, true});
}
