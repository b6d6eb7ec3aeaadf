// SPDX-License-Identifier: BSL-1.0
#include <ehlo/protocol/order_of_replies.hpp>

#include <cstddef>
#include <iterator>
#include <set>
#include <string_view>

#include "support/catch.hpp"

using ehlo::reply_row;

TEST_CASE("A command is answered with the codes of its row, and 421, 500 and 501 with any", "[protocol][5321-4.3.2-02]") {
  const struct {
    reply_row row;
    std::set<int> codes;
  } rows[] = {
      {reply_row::connection, {220, 554, 521}},
      {reply_row::hello, {250, 504, 550, 502}},
      {reply_row::mail, {250, 552, 451, 452, 550, 553, 503, 455, 555, 530}},
      {reply_row::rcpt, {250, 251, 550, 551, 552, 553, 450, 451, 452, 503, 455, 555, 556, 530}},
      {reply_row::data, {354, 503, 554, 452, 552, 530}},
      {reply_row::message, {250, 552, 554, 451, 452, 450, 550, 553}},
      {reply_row::rset, {250}},
      {reply_row::vrfy, {250, 251, 252, 550, 551, 553, 502, 504}},
      {reply_row::expn, {250, 252, 550, 502, 504}},
      {reply_row::help, {211, 214, 502, 504}},
      {reply_row::noop, {250}},
      {reply_row::quit, {221}},
      {reply_row::chunk, {250, 503, 552, 554, 450, 451, 452, 550, 530}},
      {reply_row::starttls, {220, 454, 502, 503, 554}},
      {reply_row::auth, {235, 334, 432, 454, 534, 535, 538, 502, 503, 504, 530}},
      {reply_row::etrn, {250, 251, 252, 253, 458, 459, 502, 503, 530}},
      {reply_row::burl, {250, 503, 552, 554, 450, 451, 452, 550, 530}},
      {reply_row::xclient, {220, 550, 502, 503, 530, 554, 521}},
      {reply_row::xforward, {250, 550, 502, 503, 530}},
  };
  CHECK(std::size(rows) == static_cast<std::size_t>(reply_row::custom));
  for (const auto& row : rows) {
    for (int code = 0; code < 600; ++code) {
      const bool anywhere = code == 421 || code == 500 || code == 501;
      // Zero fills the rows, and is no code.
      if (code == 0) continue;
      CAPTURE(ehlo::text_of(row.row), code);
      CHECK(ehlo::may_answer(row.row, code) == (anywhere || row.codes.count(code) == 1));
    }
  }
  for (const int code : {200, 299, 354, 499, 599}) CHECK(ehlo::may_answer(reply_row::custom, code));
}

TEST_CASE("Rows have names of their own", "[protocol]") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(reply_row::custom); ++i) {
    const std::string_view name = ehlo::text_of(static_cast<reply_row>(i));
    CHECK_FALSE(name.empty());
    CHECK(names.insert(name).second);
  }
  CHECK(ehlo::text_of(reply_row::message) == "end of mail data");
}
