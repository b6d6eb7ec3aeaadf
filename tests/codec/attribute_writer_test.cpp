// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <string>
#include <string_view>

#include <ehlo/codec/attribute_writer.hpp>
#include <ehlo/codec/command_parser.hpp>
#include <ehlo/codec/command_writer.hpp>

#include "support/catch.hpp"

namespace {

using ehlo::attribute_writer;
using ehlo::errc;
using room = std::array<char, attribute_writer::max_size>;

}  // namespace

TEST_CASE("Attributes are written as they are read", "[codec][xclient]") {
  room out{};
  const auto made = attribute_writer{out}
                        .put("NAME", ehlo::absence::temporary)
                        .put("ADDR", *ehlo::ip_address::parse_v6("2001:DB8::1"))
                        .put("DESTADDR", *ehlo::ip_address::parse_v4("192.0.2.1"))
                        .put("PORT", std::uint16_t{65535})
                        .put("DESTPORT", std::uint16_t{0})
                        .put("HELO", "a+b=c")
                        .put("LOGIN", "two words")
                        .xclient();
  REQUIRE(made.has_value());
  CHECK(made->text() ==
        "NAME=[TEMPUNAVAIL] ADDR=IPV6:2001:db8::1 DESTADDR=192.0.2.1 PORT=65535 DESTPORT=0 HELO=a+2Bb+3Dc LOGIN=two+20words");
  CHECK(made->server_address()->value == ehlo::ip_address::parse_v4("192.0.2.1").value_or({}));
  const auto forwarded = attribute_writer{out}.put("SOURCE", "LOCAL").put("IDENT", ehlo::absence::unavailable).xforward();
  REQUIRE(forwarded.has_value());
  CHECK(forwarded->text() == "SOURCE=LOCAL IDENT=[UNAVAILABLE]");

  std::array<char, 512> line{};
  const auto size = write(ehlo::xforward_command{*forwarded}, line);
  REQUIRE(size.has_value());
  CHECK(std::string_view(line.data(), *size) == "XFORWARD SOURCE=LOCAL IDENT=[UNAVAILABLE]\r\n");
  const auto again = ehlo::parse_command({line.data(), *size - 2});
  REQUIRE(again.has_value());
  CHECK(std::get<ehlo::xforward_command>(*again).attributes == *forwarded);
}

TEST_CASE("No attribute makes another attribute or another line", "[codec][xclient][T18][T49]") {
  room out{};
  CHECK(attribute_writer{out}.put("HELO", "a ADDR=192.0.2.1").xclient().error().code == errc::attribute_value);
  CHECK(attribute_writer{out}.put("LOGIN", "a ADDR=192.0.2.1").xclient()->text() == "LOGIN=a+20ADDR+3D192.0.2.1");
  CHECK(attribute_writer{out}.put("LOGIN", "a\r\nRSET").xclient().error().code == errc::xtext_control);
  CHECK(attribute_writer{out}.put("LOGIN", std::string_view{"\0", 1}).xclient().error().code == errc::xtext_control);
  CHECK(attribute_writer{out}.put("LOGIN=x ADDR", "192.0.2.1").xclient().error().code == errc::attribute_name);
  CHECK(attribute_writer{out}.put("LOGIN\r\nRSET", "x").xclient().error().code == errc::attribute_name);
  CHECK(attribute_writer{out}.put("", "x").xclient().error().code == errc::attribute_name);
  CHECK(attribute_writer{out}.put("LOGIN", "").xclient().error().code == errc::attribute_value);
  CHECK(attribute_writer{out}.put("LOGIN", "x").xforward().error().code == errc::attribute_unknown);
  CHECK(attribute_writer{out}.xclient().error().code == errc::argument_missing);
}

TEST_CASE("what is too long for one command goes in several", "[codec][xclient][XCLIENT-2-15]") {
  room out{};
  const std::string half(240, 'x');
  CHECK(attribute_writer{out}.put("HELO", half).put("LOGIN", half).xclient().has_value());
  CHECK(attribute_writer{out}.put("HELO", half + "1234").put("LOGIN", half).xclient().has_value());
  CHECK(attribute_writer{out}.put("HELO", half + "12345").put("LOGIN", half).xclient().error().code == errc::line_too_long);
  std::array<char, 600> large{};
  CHECK(attribute_writer{large}.put("HELO", half + "12345").put("LOGIN", half).xclient().error().code == errc::line_too_long);
  std::array<char, 8> small{};
  CHECK(attribute_writer{small}.put("PORT", std::uint16_t{123}).xclient()->text() == "PORT=123");
  CHECK(attribute_writer{small}.put("PORT", std::uint16_t{1234}).xclient().error().code == errc::line_too_long);
  CHECK(attribute_writer{out}.put("LOGIN", std::string(256, 'x')).xclient().error().code == errc::attribute_too_long);
}

TEST_CASE("what is too long for one XFORWARD goes in several", "[codec][xforward][XFORWARD-2-16]") {
  room out{};
  const std::string name(255, 'x');
  CHECK(attribute_writer{out}.put("NAME", name).put("HELO", name).xforward().error().code == errc::line_too_long);
  CHECK(attribute_writer{out}.put("NAME", name).xforward().has_value());
  CHECK(attribute_writer{out}.put("HELO", name).put("ADDR", *ehlo::ip_address::parse_v4("192.0.2.1")).xforward().has_value());
}

TEST_CASE("The first thing that does not fit is what the end tells, whatever comes behind it", "[codec][xclient]") {
  std::array<char, 8> small{};
  const auto made = attribute_writer{small}.put("NAME", "a.example").put("HELO", std::string(256, 'x')).put("1", "x").xclient();
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code == errc::line_too_long);
  room out{};
  const auto other = attribute_writer{out}.put("HELO", std::string(256, 'x')).put("1", "x").put("NAME", "a").xforward();
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error() == ehlo::error{errc::attribute_too_long, 0});
}
