// SPDX-License-Identifier: BSL-1.0
#include <ehlo/routing/mx.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace ehlo;

/// Chance that always takes the last one: leaves equal records as they are.
constexpr auto last_one = [](std::size_t n) { return n - 1; };
constexpr auto nobody = [](const mx_record&) { return false; };

constexpr std::string_view here = "example.org";

std::string names_of(const mx_route& route) {
  std::string out;
  for (const mx_record& r : route.exchangers()) out += (out.empty() ? "" : " ") + std::string{r.name()};
  return out;
}

TEST_CASE("Exchangers are tried in the order of their preference", "[routing][5321-5.1-08]") {
  std::vector<mx_record> records{{30, "c.example"}, {5, "a.example."}, {65535, "e.example"}, {10, "b.example"}, {300, "d.example"}};
  const mx_route route = route_to(here, mx_lookup::answered, records, last_one, nobody);
  CHECK(route.verdict() == route_verdict::deliver);
  CHECK_FALSE(route.is_implicit());
  CHECK(names_of(route) == "a.example b.example c.example d.example e.example");
}

TEST_CASE("Every order of up to six records is put right, whatever their preferences are", "[routing][5321-5.1-08]") {
  for (std::size_t size = 1; size <= 6; ++size) {
    std::size_t cases = 1;
    for (std::size_t i = 0; i < size; ++i) cases *= 4;
    for (std::size_t number = 0; number < cases; ++number) {
      std::vector<mx_record> records;
      for (std::size_t i = 0, rest = number; i < size; ++i, rest /= 4)
        records.push_back({static_cast<std::uint16_t>(rest % 4), "mx.example"});
      std::vector<mx_record> sorted = records;
      std::ranges::stable_sort(sorted, {}, &mx_record::preference);
      const mx_route route = route_to(here, mx_lookup::answered, records, last_one, nobody);
      if (!std::ranges::equal(route.exchangers(), sorted)) FAIL(size << " records, number " << number);
    }
  }
}

TEST_CASE("Exchangers of one preference stand in random order, and in no other level", "[routing][5321-5.1-08]") {
  std::map<std::string, int> seen;
  std::mt19937 engine{7};
  const auto fair = [&engine](std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(engine); };
  for (int i = 0; i < 6000; ++i) {
    std::array<mx_record, 5> records{{{20, "z"}, {10, "a"}, {10, "b"}, {10, "c"}, {5, "first"}}};
    ++seen[names_of(route_to(here, mx_lookup::answered, records, fair, nobody))];
  }
  CHECK(seen.size() == 6);
  for (const auto& [order, times] : seen) {
    INFO(order << " " << times);
    CHECK(order.starts_with("first "));
    CHECK(order.ends_with(" z"));
    CHECK(times > 850);  // 1000 each are expected; the seed is fixed
    CHECK(times < 1150);
  }
}

TEST_CASE("The random source is asked for what is left of a level, and may answer anything", "[routing]") {
  std::vector<std::size_t> asked;
  const auto source = [&asked](std::size_t n) {
    asked.push_back(n);
    return std::size_t{1000003};
  };
  std::array<mx_record, 6> records{{{1, "a"}, {1, "b"}, {1, "c"}, {2, "d"}, {3, "e"}, {3, "f"}}};
  const mx_route route = route_to(here, mx_lookup::answered, records, source, nobody);
  CHECK(asked == std::vector<std::size_t>{3, 2, 2});
  CHECK(route.exchangers().size() == 6);
}

TEST_CASE("A domain without MX records is its own exchanger, of preference 0", "[routing][5321-5.1-04]") {
  const mx_route route = route_to(here, mx_lookup::answered, {}, last_one, nobody);
  CHECK(route.verdict() == route_verdict::deliver);
  CHECK(route.is_implicit());
  REQUIRE(route.exchangers().size() == 1);
  CHECK(route.exchangers()[0] == mx_record{0, here});
}

TEST_CASE("Records of which none is usable are an error, and the domain's own addresses are not used", "[routing][5321-5.1-05]") {
  const std::string long_label(64, 'a');
  const std::string long_name =
      std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + "." + std::string(64, 'd');
  for (const std::string_view bad :
       {std::string_view{"."}, std::string_view{"a b.example"}, std::string_view{"a..example"}, std::string_view{".example"},
        std::string_view{"a.example.."}, std::string_view{"x\r\n"}, std::string_view{"\x1b[2J"}, std::string_view{"a\0b", 3},
        std::string_view{"m\xc3\xbc.example"}, std::string_view{long_label}, std::string_view{long_name}}) {
    CAPTURE(bad);
    std::array<mx_record, 2> records{{{10, bad}, {20, ""}}};
    const mx_route route = route_to(here, mx_lookup::answered, records, last_one, nobody);
    CHECK(route.verdict() == route_verdict::no_usable_mx);
    CHECK(route.exchangers().empty());
    CHECK_FALSE(route.is_implicit());
  }
}

TEST_CASE("Names are usable up to the lengths of the DNS, with underscores", "[routing]") {
  CHECK(mx_record{0, "mx_1.example."}.is_usable());
  CHECK(mx_record{0, "1.example"}.is_usable());
  const std::string label(63, 'a');
  CHECK(mx_record{0, label}.is_usable());
  CHECK_FALSE(mx_record{0, "." + label}.is_usable());
  const std::string longest = label + "." + label + "." + label + "." + label;
  CHECK(longest.size() == 255);
  CHECK(mx_record{0, longest}.is_usable());
  CHECK(mx_record{0, std::string_view{longest + "."}}.is_usable());
  CHECK_FALSE(mx_record{0, longest + "a"}.is_usable());
  std::array<mx_record, 3> records{{{10, "."}, {20, "b.example"}, {30, "a!.example"}}};
  CHECK(names_of(route_to(here, mx_lookup::answered, records, last_one, nobody)) == "b.example");
}

TEST_CASE("A name that does not exist is an error, a look-up that failed is tried again", "[routing][5321-5.1-03]") {
  std::array<mx_record, 1> records{{{10, "a.example"}}};
  const mx_route none = route_to(here, mx_lookup::no_such_name, records, last_one, nobody);
  CHECK(none.verdict() == route_verdict::no_such_domain);
  CHECK(none.exchangers().empty());
  CHECK(is_permanent(none.verdict()));
  CHECK(status_of(none.verdict()) == enhanced_status_code{5, 1, 2});
  const mx_route later = route_to(here, mx_lookup::failed, records, last_one, nobody);
  CHECK(later.verdict() == route_verdict::retry_later);
  CHECK(later.exchangers().empty());
  CHECK_FALSE(is_permanent(later.verdict()));
  CHECK(status_of(later.verdict()) == enhanced_status_code{4, 4, 3});
}

TEST_CASE("A host leaves out its own level and all worse ones", "[routing][5321-5.1-09]") {
  struct row {
    std::vector<std::string_view> names;
    std::string_view left;
    route_verdict verdict;
  };
  using enum route_verdict;
  const row rows[] = {
      {{}, "a b c d", deliver}, {{"elsewhere"}, "a b c d", deliver}, {{"d"}, "a b c", deliver}, {{"D."}, "a b c", deliver},
      {{"c"}, "a", deliver},  // b has the same preference
      {{"b"}, "a", deliver},    {{"d", "b"}, "a", deliver},          {{"a"}, "", loops_back},   {{"d", "a"}, "", loops_back},
  };
  for (const row& r : rows) {
    CAPTURE(r.names, r.left);
    std::array<mx_record, 4> records{{{20, "b"}, {30, "d"}, {20, "c"}, {10, "a"}}};
    const mx_route route = route_to(here, mx_lookup::answered, records, last_one, own_names{r.names});
    CHECK(route.verdict() == r.verdict);
    auto left = names_of(route);
    std::ranges::sort(left);
    left.erase(0, left.find_first_not_of(' '));
    std::string wanted{r.left};
    std::erase(wanted, ' ');
    CHECK(left == wanted);
  }
}

TEST_CASE("A host whose domain has no MX record does not send to itself", "[routing][5321-5.1-09]") {
  const std::array<std::string_view, 1> names{"Example.ORG"};
  const mx_route route = route_to(here, mx_lookup::answered, {}, last_one, own_names{names});
  CHECK(route.verdict() == route_verdict::loops_back);
  CHECK(route.exchangers().empty());
  CHECK(is_permanent(route.verdict()));
}

TEST_CASE("A host is asked whether it is itself best first, and not again after a yes", "[routing]") {
  std::string asked;
  const auto is_self = [&asked](const mx_record& r) {
    asked += r.name();
    return r.name() == "c";
  };
  std::array<mx_record, 4> records{{{40, "d"}, {30, "c"}, {20, "b"}, {10, "a"}}};
  CHECK(names_of(route_to(here, mx_lookup::answered, records, last_one, is_self)) == "a b");
  CHECK(asked == "abc");
}

TEST_CASE("One record of preference 0 that names the root is null MX", "[routing][7505-3-01]") {
  for (const std::string_view root : {".", ""}) {
    std::array<mx_record, 1> records{{{0, root}}};
    CHECK(is_null_mx(records));
    const mx_route route = route_to(here, mx_lookup::answered, records, last_one, nobody);
    CHECK(route.verdict() == route_verdict::null_mx);
    CHECK(route.exchangers().empty());
    CHECK(status_of(route.verdict()) == enhanced_status_code{5, 1, 10});
  }
  CHECK_FALSE(is_null_mx(std::array<mx_record, 1>{{{10, "."}}}));
  CHECK_FALSE(is_null_mx(std::array<mx_record, 1>{{{0, "a"}}}));
  CHECK_FALSE(is_null_mx({}));
}

TEST_CASE("A root among other records is not null MX; the others are used", "[routing][7505-3-01][7505-3-02]") {
  std::array<mx_record, 2> records{{{0, "."}, {10, "a.example"}}};
  const mx_route route = route_to(here, mx_lookup::answered, records, last_one, nobody);
  CHECK(route.verdict() == route_verdict::deliver);
  CHECK(names_of(route) == "a.example");
}

TEST_CASE("Null MX is permanent: nothing is queued or tried again", "[routing][7505-4.1-03]") {
  CHECK(is_permanent(route_verdict::null_mx));
  CHECK(is_permanent(route_verdict::no_usable_mx));
  CHECK_FALSE(is_permanent(route_verdict::deliver));
}

TEST_CASE("The status of a verdict is permanent if the verdict is", "[routing]") {
  using enum route_verdict;
  for (const route_verdict v : {deliver, retry_later, no_such_domain, null_mx, no_usable_mx, loops_back}) {
    CHECK(is_permanent(v) == (class_of(status_of(v)) == status_class::permanent));
    if (v != deliver) CHECK(fits_class(status_of(v)));
  }
  CHECK(status_of(deliver).is_none());
}

TEST_CASE("Many records are put in order in few steps", "[routing]") {
  constexpr std::size_t count = 4096;  // a DNS message has no room for more
  std::vector<mx_record> records;
  for (std::size_t i = 0; i < count; ++i) records.push_back({static_cast<std::uint16_t>(i * 40503U), "mx.example"});
  const mx_route route = route_to(here, mx_lookup::answered, records, last_one, nobody);
  CHECK(route.exchangers().size() == count);
  CHECK(std::ranges::is_sorted(route.exchangers(), {}, &mx_record::preference));
}

static_assert([] {
  std::array<mx_record, 4> records{{{30, "c"}, {10, "b"}, {10, "a"}, {20, "me"}}};
  constexpr std::array<std::string_view, 1> names{"me"};
  const mx_route route = route_to("example.org", mx_lookup::answered, records, last_one, own_names{names});
  return route.exchangers().size() == 2 && route.exchangers()[0].preference == 10 && route.exchangers()[1].preference == 10;
}());

// The best of all is this host: nothing stands before it, and nothing there is looked at.
static_assert([] {
  std::array<mx_record, 2> records{{{10, "me"}, {20, "b"}}};
  constexpr std::array<std::string_view, 1> names{"me"};
  return route_to("example.org", mx_lookup::answered, records, last_one, own_names{names}).verdict() == route_verdict::loops_back;
}());

TEST_CASE("Records are equal by preference and name, without regard to case and the last dot", "[routing]") {
  CHECK(mx_record{10, "mx.example"} == mx_record{10, "MX.example."});
  CHECK_FALSE(mx_record{10, "mx.example"} == mx_record{20, "mx.example"});
  CHECK_FALSE(mx_record{10, "mx.example"} == mx_record{10, "mx2.example"});
}

}  // namespace
