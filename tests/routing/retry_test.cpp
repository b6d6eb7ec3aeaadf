// SPDX-License-Identifier: BSL-1.0
#include <ehlo/routing/retry.hpp>

#include <cstdint>
#include <optional>

#include "support/catch.hpp"

namespace {

using namespace ehlo;

constexpr std::uint32_t minute = 60;
constexpr std::uint32_t hour = 60 * minute;
constexpr std::uint32_t day = 24 * hour;

TEST_CASE("A destination that failed is tried again after half an hour, and then every two hours", "[routing][5321-4.5.4.1-01]") {
  constexpr retry_schedule schedule;
  CHECK(schedule.wait_after(1, 0) == 30 * minute);
  CHECK(schedule.wait_after(2, 30 * minute) == 2 * hour);
  CHECK(schedule.wait_after(60, 4 * day) == 2 * hour);
}

TEST_CASE("A message is given up after five days, a notice after one, and all values can be changed",
          "[routing][5321-4.5.4.1-02][5321-4.5.4-01]") {
  constexpr retry_schedule schedule;
  CHECK(schedule.wait_after(61, 5 * day - 1) == 2 * hour);
  CHECK(schedule.wait_after(61, 5 * day) == std::nullopt);
  CHECK(schedule.wait_after(13, day - 1, true) == 2 * hour);
  CHECK(schedule.wait_after(13, day, true) == std::nullopt);

  constexpr retry_schedule patient{.first_interval = hour, .interval = 3 * hour, .give_up = 7 * day, .give_up_notice = 2 * day};
  CHECK(patient.wait_after(1, 0) == hour);
  CHECK(patient.wait_after(2, hour) == 3 * hour);
  CHECK(patient.wait_after(40, 7 * day - 1) == 3 * hour);
  CHECK(patient.wait_after(40, 7 * day) == std::nullopt);
  CHECK(patient.wait_after(40, 2 * day, true) == std::nullopt);
}

TEST_CASE("A queue that follows the schedule tries twice in the first hour, and ends", "[routing]") {
  constexpr retry_schedule schedule;
  std::uint64_t age = 0;
  std::uint32_t attempts = 1;
  std::uint32_t in_first_hour = 1;
  for (auto wait = schedule.wait_after(attempts, age); wait; wait = schedule.wait_after(attempts, age)) {
    age += *wait;
    ++attempts;
    if (age < hour) ++in_first_hour;
  }
  CHECK(in_first_hour == 2);
  CHECK(age >= 5 * day);
  CHECK(age < 5 * day + 2 * hour);
  CHECK(attempts == 2 + 60);
}

TEST_CASE("A schedule says whether it keeps to the advice of the standard", "[routing][5321-4.5.4.1-02]") {
  CHECK(retry_schedule{}.is_advised());
  CHECK(retry_schedule{.first_interval = 30 * minute, .interval = 30 * minute, .give_up = 4 * day}.is_advised());
  CHECK_FALSE(retry_schedule{.first_interval = 30 * minute - 1}.is_advised());
  CHECK_FALSE(retry_schedule{.interval = 30 * minute - 1}.is_advised());
  CHECK_FALSE(retry_schedule{.give_up = 4 * day - 1}.is_advised());
  CHECK_FALSE(retry_schedule{.give_up = 4 * day, .give_up_notice = 4 * day + 1}.is_advised());
  CHECK(retry_schedule{.give_up = 4 * day, .give_up_notice = 4 * day}.is_advised());
  CHECK_FALSE(retry_schedule{.least_addresses = 1}.is_advised());
}

}  // namespace
