// SPDX-License-Identifier: BSL-1.0
// An observer without memory has lost the step, and says so once; what it has told before is right.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ehlo/observer/observer.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/scarce_storage.hpp"

namespace {

using ehlo::direction;
using scarce_observer = ehlo::basic_observer<scarce_storage>;

struct part {
  direction from;
  std::string_view octets;
};

constexpr std::array conversation{
    part{direction::from_server, "220 mx.example\r\n"},
    part{direction::from_client, "EHLO client.example\r\n"},
    part{direction::from_server, "250-mx.example\r\n250-AUTH PLAIN\r\n250 PIPELINING\r\n"},
    part{direction::from_client, "AUTH PLAIN\r\n"},
    part{direction::from_server, "334 \r\n"},
    part{direction::from_client, "AHUAcA==\r\n"},
    part{direction::from_server, "235 ok\r\n"},
    part{direction::from_client, "MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n"},
    part{direction::from_server, "250 ok\r\n250 ok\r\n354 go\r\n"},
    part{direction::from_client, "Subject: x\r\n\r\n..\r\n.\r\nQUIT\r\n"},
    part{direction::from_server, "250 taken\r\n221 bye\r\n"},
};

/// What was told, by the kind of each action; mail data are counted as one.
struct course {
  std::vector<std::size_t> told;
  std::vector<ehlo::lost_cause> losses;
  std::size_t requests = 0;
  std::size_t failures = 0;
  bool is_lost = false;
};

course watch(std::size_t cut, std::size_t failing_at = 0, scarce_storage::lack how = scarce_storage::lack::none) {
  const ehlo::observer_options options{};
  course out;
  scarce_storage::fail_at(failing_at, how);
  scarce_observer observer{options};
  const std::size_t data = ehlo::observer_action{ehlo::mail_data{}}.index();
  for (const part& p : conversation) {
    for (std::string_view rest = p.octets; !rest.empty();) {
      std::string_view input = rest.substr(0, cut);
      rest.remove_prefix(input.size());
      for (bool goes_on = true; goes_on;) {
        const ehlo::observer_action action = observer.next(p.from, input);
        goes_on = !std::holds_alternative<ehlo::receive>(action);
        if (const auto* const l = std::get_if<ehlo::lost>(&action)) {
          out.losses.push_back(l->cause);
        } else if (goes_on && !(action.index() == data && !out.told.empty() && out.told.back() == data)) {
          out.told.push_back(action.index());
        }
      }
      CHECK(input.empty());
    }
  }
  out.requests = scarce_storage::requests;
  out.failures = scarce_storage::failures;
  out.is_lost = observer.is_lost();
  scarce_storage::fail_at(0, scarce_storage::lack::none);
  if (out.is_lost) CHECK(observer.rejoin().has_value());
  return out;
}

}  // namespace

TEST_CASE("whichever request for memory finds none, the observer loses the step, and has told nothing wrong before",
          "[observer][memory][T62]") {
  for (const std::size_t cut : {std::size_t{1}, std::size_t{5}, std::size_t{100000}}) {
    const course whole = watch(cut);
    CHECK(whole.losses.empty());
    CHECK((cut > 5 || whole.requests > 20));
    for (std::size_t n = 1; n <= whole.requests; ++n) {
      for (const auto how : {scarce_storage::lack::once, scarce_storage::lack::for_good}) {
        CAPTURE(cut, n, how == scarce_storage::lack::once);
        const course broken = watch(cut, n, how);
        CHECK(broken.failures == 1);  // what is lost keeps nothing
        CHECK(broken.is_lost);
        CHECK(broken.losses == std::vector{ehlo::lost_cause::out_of_memory});
        REQUIRE(broken.told.size() <= whole.told.size());
        CHECK(std::equal(broken.told.begin(), broken.told.end(), whole.told.begin()));
      }
    }
  }
}

TEST_CASE("midway, where a wrong guess costs nothing, memory that is missing does", "[observer][memory][T62]") {
  const ehlo::observer_options options{.begin = ehlo::beginning::unsure};
  scarce_storage::fail_at(0, scarce_storage::lack::none);
  scarce_observer observer{options};
  std::string_view input = "250 ok\r\n";
  while (!std::holds_alternative<ehlo::receive>(observer.next(direction::from_server, input))) {
  }
  REQUIRE(observer.is_midway());
  scarce_storage::fail_at(1, scarce_storage::lack::once);
  input = "NOO";
  bool is_told = false;
  for (bool goes_on = true; goes_on;) {
    const auto action = observer.next(direction::from_client, input);
    goes_on = !std::holds_alternative<ehlo::receive>(action);
    if (const auto* const l = std::get_if<ehlo::lost>(&action)) is_told = l->cause == ehlo::lost_cause::out_of_memory;
  }
  scarce_storage::fail_at(0, scarce_storage::lack::none);
  CHECK(is_told);
  CHECK(observer.is_lost());
}

TEST_CASE("a copy of an observer that finds no memory has lost the step, and the original goes on", "[observer][memory][T62]") {
  const ehlo::observer_options options{};
  ehlo::observer observer{options};
  std::string_view input = "220 mx.exa";
  CHECK(std::holds_alternative<ehlo::receive>(observer.next(direction::from_server, input)));
  std::string_view more = std::string_view{"                                                                    mple\r\n"};
  input = more.substr(0, 68);
  CHECK(std::holds_alternative<ehlo::receive>(observer.next(direction::from_server, input)));
  counted::failing = 1;
  ehlo::observer copy = observer;
  counted::failing = 0;
  input = more.substr(68);
  const auto told = copy.next(direction::from_server, input);
  REQUIRE(std::holds_alternative<ehlo::lost>(told));
  CHECK(std::get<ehlo::lost>(told).cause == ehlo::lost_cause::out_of_memory);
  CHECK(std::holds_alternative<ehlo::receive>(copy.next(direction::from_server, input)));
  CHECK(copy.is_lost());
  input = more.substr(68);
  CHECK(std::holds_alternative<ehlo::observed_reply>(observer.next(direction::from_server, input)));
}
