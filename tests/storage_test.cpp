// SPDX-License-Identifier: BSL-1.0
#include <ehlo/storage.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "support/catch.hpp"

namespace {

using fixed = ehlo::fixed_storage<512, 1024>;

template <class Storage>
void put(Storage& storage, std::string_view octets) {
  char* const place = storage.reserve_output(octets.size());
  REQUIRE(place != nullptr);
  std::copy(octets.begin(), octets.end(), place);
  storage.commit_output(octets.size());
}

}  // namespace

TEMPLATE_TEST_CASE("What was given to be written stays where it is until it is dropped, whatever is collected behind it", "[words]",
                   ehlo::growing_storage, fixed) {
  TestType storage;
  put(storage, "first");
  const std::string_view given = storage.give_output();
  CHECK(given == "first");
  CHECK(storage.collected() == 0);
  // Over the inline octets of the growing storage, and once more over what it then has.
  for (int i = 0; i < 10; ++i) put(storage, std::string(60, static_cast<char>('a' + i)));
  CHECK(given == "first");
  CHECK(storage.collected() == 600);
  storage.drop_given();
  CHECK(storage.collected() == 600);
  const std::string_view rest = storage.give_output();
  CHECK(rest.size() == 600);
  CHECK(rest.starts_with("aaa"));
  CHECK(rest.ends_with("jjj"));
  storage.drop_given();
  storage.drop_given();
  CHECK(storage.collected() == 0);
  put(storage, "x");
  storage.clear_output();
  CHECK(storage.collected() == 0);
}

TEMPLATE_TEST_CASE("A line is kept in parts, and wiped", "[words]", ehlo::growing_storage, fixed) {
  TestType storage;
  CHECK(storage.line().empty());
  REQUIRE(storage.append_line("MAIL "));
  REQUIRE(storage.append_line(std::string(400, 'x')));
  CHECK(storage.line() == "MAIL " + std::string(400, 'x'));
  const char* const octets = storage.line().data();
  storage.wipe_line();
  CHECK(storage.line().empty());
  CHECK(std::all_of(octets, octets + 405, [](char c) { return c == '\0'; }));
  REQUIRE(storage.append_line("RSET"));
  CHECK(storage.line() == "RSET");
  storage.clear_line();
  CHECK(storage.line().empty());
  storage.wipe_line();
  CHECK_FALSE(storage.has_failed());
}

TEST_CASE("Fixed storage takes what it says and not an octet more", "[words]") {
  fixed storage;
  CHECK(fixed::longest_line() == 512);
  REQUIRE(storage.append_line(std::string(512, 'x')));
  CHECK_FALSE(storage.append_line("x"));
  CHECK(storage.line().size() == 512);
  put(storage, std::string(1000, 'x'));
  CHECK(storage.has_room(24, 0));
  CHECK_FALSE(storage.has_room(25, 0));
  CHECK(storage.reserve_output(24) != nullptr);
  CHECK(storage.reserve_output(25) == nullptr);
}

TEST_CASE("Growing storage is copied with what it holds, moved without a copy, and trimmed when it is empty", "[words]") {
  ehlo::growing_storage storage;
  REQUIRE(storage.append_line(std::string(300, 'l')));
  put(storage, "given");
  (void)storage.give_output();
  put(storage, std::string(300, 'o'));
  ehlo::growing_storage copy{storage};
  CHECK(copy.line() == storage.line());
  CHECK(copy.collected() == 300);
  ehlo::growing_storage assigned;
  put(assigned, std::string(100, 'z'));
  assigned = copy;
  CHECK(assigned.line() == copy.line());
  CHECK(assigned.give_output() == std::string(300, 'o'));
  const ehlo::growing_storage& same = assigned;
  assigned = same;
  CHECK(assigned.line().size() == 300);
  const char* const octets = copy.line().data();
  ehlo::growing_storage moved{std::move(copy)};
  CHECK(moved.line().data() == octets);
  moved = std::move(assigned);
  CHECK(moved.line().size() == 300);
  // Nothing that holds octets is given back.
  moved.trim();
  CHECK(moved.line().size() == 300);
  moved.clear_line();
  moved.clear_output();
  moved.trim();
  REQUIRE(moved.append_line("x"));
  put(moved, "y");
  CHECK(moved.line() == "x");
  CHECK(moved.give_output() == "y");
}

TEST_CASE("what was given stays in place while the output grows, and then makes way", "[storage]") {
  ehlo::growing_storage storage;
  put(storage, std::string(100, 'a'));
  const std::string_view given = storage.give_output();
  put(storage, std::string(1000, 'b'));
  storage.trim();  // gives back nothing of it
  put(storage, std::string(3000, 'c'));
  CHECK(given == std::string(100, 'a'));
  CHECK(storage.collected() == 4000);
  storage.drop_given();
  CHECK(storage.give_output() == std::string(1000, 'b') + std::string(3000, 'c'));
  put(storage, "d");
  storage.drop_given();
  CHECK(storage.give_output() == "d");
}

TEST_CASE("what was given goes, and what was collected behind it moves to the front", "[storage]") {
  const auto check = [](auto storage) {
    put(storage, "given");
    CHECK(storage.give_output() == "given");
    put(storage, "collected");
    storage.drop_given();
    CHECK(storage.collected() == 9);
    CHECK(storage.give_output() == "collected");
  };
  check(ehlo::growing_storage{});
  check(fixed{});
}

TEST_CASE("Output of up to 64 octets stands in the growing storage itself, more does not", "[storage]") {
  const auto is_inside = [](std::size_t count) {
    ehlo::growing_storage storage;
    const char* const place = storage.reserve_output(count);
    const char* const begin = reinterpret_cast<const char*>(&storage);
    return std::greater_equal<>{}(place, begin) && std::less<>{}(place, begin + sizeof storage);
  };
  CHECK(is_inside(1));
  CHECK(is_inside(64));
  CHECK_FALSE(is_inside(65));
}

TEST_CASE("Moved storage collects on where it was", "[storage]") {
  ehlo::growing_storage storage;
  put(storage, std::string(300, 'a'));
  const char* const place = storage.reserve_output(200);
  ehlo::growing_storage moved{std::move(storage)};
  CHECK(moved.reserve_output(200) == place);
  put(moved, std::string(1000, 'b'));
  CHECK(moved.give_output() == std::string(300, 'a') + std::string(1000, 'b'));
}

TEST_CASE("Trimmed storage keeps output that is not given yet where it is, and else begins anew inside", "[storage]") {
  ehlo::growing_storage storage;
  put(storage, std::string(300, 'a'));
  const char* const place = storage.reserve_output(1);
  storage.trim();
  CHECK(storage.reserve_output(1) == place);
  CHECK(storage.give_output() == std::string(300, 'a'));
  storage.drop_given();
  storage.trim();
  CHECK(storage.reserve_output(1) != place - 300);
}
