// SPDX-License-Identifier: BSL-1.0
#include <iterator>
#include <string>
#include <string_view>

#include <ehlo/proxy/header.hpp>

#include "support/catch.hpp"

namespace {

using ehlo::errc;
using ehlo::proxy::tlv_list;

}  // namespace

TEST_CASE("a list of TLVs is walked from its first to its last", "[proxy]") {
  const std::string octets{"\x01\0\2ab\xF0\0\0\x01\0\1c", 12};
  const auto list = tlv_list::parse(octets);
  REQUIRE(list.has_value());
  CHECK(list->octets() == octets);
  CHECK(std::distance(list->begin(), list->end()) == 3);
  auto it = list->begin();
  CHECK(*it == ehlo::proxy::tlv{1, "ab"});
  CHECK(*it++ == ehlo::proxy::tlv{1, "ab"});
  CHECK(*it == ehlo::proxy::tlv{0xF0, ""});
  CHECK(*++it == ehlo::proxy::tlv{1, "c"});
  CHECK(++it == list->end());
  CHECK(list->find(std::uint8_t{1}) == "ab");  // the first of a type
  CHECK(list->find(std::uint8_t{0xF0}) == "");
  CHECK_FALSE(list->find(std::uint8_t{2}));
}

TEST_CASE("no TLV leaves its list", "[proxy]") {
  const std::string octets{"\x01\0\2ab\x02\1\0", 8};
  CHECK(tlv_list::parse(octets).error() == ehlo::error{errc::proxy_tlv, 5});
  for (std::size_t size = 1; size < octets.size(); ++size) {
    CHECK(tlv_list::parse(std::string_view{octets}.substr(0, size)).has_value() == (size == 5));
  }
  CHECK(tlv_list::parse("")->empty());
  CHECK(tlv_list{}.begin() == tlv_list{}.end());
}

TEST_CASE("a header that tells nothing names no client", "[proxy]") {
  ehlo::proxy::header h;
  CHECK_FALSE(h.client());
  CHECK_FALSE(h.server());
  h.family = ehlo::proxy::family::ipv4;
  CHECK(h.client() == ehlo::proxy::endpoint{});
  h.transport = ehlo::proxy::transport::unspecified;
  CHECK_FALSE(h.client());
  h.transport = ehlo::proxy::transport::stream;
  h.command = ehlo::proxy::command::local;
  CHECK_FALSE(h.client());
  h.command = ehlo::proxy::command::proxy;
  h.family = ehlo::proxy::family::local_socket;
  CHECK_FALSE(h.client());
}

TEST_CASE("what a proxy knows of TLS is nothing where it cannot be read", "[proxy][PROXY-2.2.6-01]") {
  ehlo::proxy::header h;
  CHECK_FALSE(h.ssl());
  const std::string whole{"\x20\0\5\1\0\0\0\0", 8};
  h.tlvs = *tlv_list::parse(whole);
  CHECK(h.ssl()->uses_tls);
  const std::string cut{"\x20\0\4\1\0\0\0", 7};
  h.tlvs = *tlv_list::parse(cut);
  CHECK_FALSE(h.ssl());
}
