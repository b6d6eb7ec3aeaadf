// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_NAIVE_MAIL_DATA_HPP
#define EHLO_TESTS_SUPPORT_NAIVE_MAIL_DATA_HPP

/// @file
/// Mail data read octet by octet, slowly and plainly: what the reader of the library is held against. RFC 5321 4.5.2.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <ehlo/codec/mail_data_reader.hpp>

namespace naive {

/// What becomes of mail data.
struct mail_data {
  std::string octets;                ///< of the message, up to what broke a rule
  std::optional<ehlo::errc> broken;  ///< the first rule that was broken
  std::size_t broken_at = 0;         ///< the octet that broke it
  std::optional<std::size_t> end;    ///< one past the end of mail data

  friend bool operator==(const mail_data&, const mail_data&) = default;
};

/// Reads `input`, which begins behind the 354. A CR at its very end is not given: whether it is alone is not known.
inline mail_data read(std::string_view input, ehlo::bare_line_ends policy, std::uint64_t maximum) {
  enum { line_start, dot, dot_cr, text, cr } state = line_start;
  mail_data out;
  const auto give = [&](char c, std::size_t at) {
    if (out.broken) return;
    if (maximum != 0 && out.octets.size() == maximum) {
      out.broken = ehlo::errc::message_too_large;
      out.broken_at = at;
    } else {
      out.octets += c;
    }
  };
  const auto give_alone = [&](char c, std::size_t at) {
    if (!out.broken && policy == ehlo::bare_line_ends::refuse) {
      out.broken = c == '\r' ? ehlo::errc::bare_cr : ehlo::errc::bare_lf;
      out.broken_at = at;
    } else {
      give(c, at);
    }
  };
  for (std::size_t i = 0; i < input.size(); ++i) {
    const char c = input[i];
    if (state == line_start && c == '.') {
      state = dot;
      continue;
    }
    if (state == dot && c == '\r') {
      state = dot_cr;
      continue;
    }
    if (state == dot_cr && c == '\n') {
      out.end = i + 1;
      return out;
    }
    if (state == cr && c == '\n') {
      give('\r', i - 1);
      give('\n', i);
      state = line_start;
      continue;
    }
    if (state == cr || state == dot_cr) give_alone('\r', i - 1);
    if (c == '\r') {
      state = cr;
    } else {
      state = text;
      c == '\n' ? give_alone(c, i) : give(c, i);
    }
  }
  return out;
}

/// The same by the library's reader, with `input` cut where `cuts_at(offset)` says so, each piece in a buffer of its own.
template <class CutsAt>
mail_data read_by_library(std::string_view input, ehlo::bare_line_ends policy, std::uint64_t maximum, CutsAt cuts_at,
                          ehlo::mail_data_reader* after = nullptr) {
  mail_data out;
  ehlo::mail_data_reader reader;
  std::size_t taken = 0;
  for (std::size_t at = 0; at < input.size() && !out.end;) {
    std::size_t size = 1;
    while (at + size < input.size() && !cuts_at(at + size)) ++size;
    const auto buffer = std::make_unique<char[]>(size);
    input.copy(buffer.get(), size, at);
    at += size;
    std::string_view piece{buffer.get(), size};
    for (bool more = true; more;) {
      const std::size_t before = piece.size();
      const auto step = reader.next(piece, policy, maximum);
      taken += before - piece.size();
      using kind = ehlo::mail_data_reader::step::kind;
      switch (step.what) {
        case kind::octets: out.octets += step.octets; break;
        case kind::broken:
          out.broken = step.reason.code;
          out.broken_at = taken - step.reason.offset;
          break;
        case kind::need_more: more = false; break;
        case kind::end:
          out.end = taken;
          more = false;
          break;
      }
    }
  }
  if (after != nullptr) *after = reader;
  return out;
}

}  // namespace naive

#endif  // EHLO_TESTS_SUPPORT_NAIVE_MAIL_DATA_HPP
