// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_MESSAGE_HEADER_SECTION_HPP
#define EHLO_MESSAGE_HEADER_SECTION_HPP

/// @file
/// A reader of a message's header section, fed the slices of mail data as they come. RFC 5322 2.2; RFC 5321 3.7.2, 6.3.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include <ehlo/ascii.hpp>

namespace ehlo {

/// Reads field names and unfolded values, and counts the Received fields. Any octets will do: what is no field is told and skipped.
///
/// Call `next` until it says `more`, then bring the next slice. It holds a field name and nothing else, and allocates nothing.
class header_section_reader {
 public:
  /// A field name longer than this is a malformed line.
  static constexpr std::size_t max_name = 128;
  /// How many Received fields a message may have before it is taken for a loop. RFC 5321 6.3: "at least 100".
  static constexpr std::size_t received_limit = 100;

  /// A field begins. `name` is as it was spelt; it lives until the next call of `next`.
  struct field_start {
    std::string_view name;
    friend constexpr bool operator==(const field_start&, const field_start&) = default;
  };
  /// Octets of the field's value, from behind the colon, the CRLF of each folding left out. Never empty; a slice of the input, or
  /// of a constant.
  struct field_value {
    std::string_view octets;
    friend constexpr bool operator==(const field_value&, const field_value&) = default;
  };
  /// The field is complete.
  struct field_end {
    friend constexpr bool operator==(const field_end&, const field_end&) = default;
  };
  /// A line that is neither a field nor the rest of one. It is skipped; the section goes on. RFC 5322 2.2.
  struct malformed_line {
    friend constexpr bool operator==(const malformed_line&, const malformed_line&) = default;
  };
  /// The empty line was taken: what is left of the input is the body. Each later call says so again and takes nothing.
  struct section_end {
    friend constexpr bool operator==(const section_end&, const section_end&) = default;
  };
  /// All of the input was taken.
  struct more {
    friend constexpr bool operator==(const more&, const more&) = default;
  };
  using event = std::variant<field_start, field_value, field_end, malformed_line, section_end, more>;

  /// Takes octets from the front of `input` and tells what they are. Only CRLF ends a line; a lone CR or LF is an octet like
  /// others.
  constexpr event next(std::string_view& input) {
    while (true) {
      if (state_ == state::done) return section_end{};
      if (input.empty()) return at_end_ ? finish() : event{more{}};
      const char c = input.front();
      switch (state_) {
        case state::line:
          name_size_ = 0;
          if (c == '\r') {
            input.remove_prefix(1);
            state_ = state::line_cr;
            break;
          }
          if (!name_octets.contains(c)) return malformed();
          state_ = state::name;
          break;
        case state::line_cr:
          if (c != '\n') return malformed();
          input.remove_prefix(1);
          state_ = state::done;
          break;
        case state::name:
          if (name_octets.contains(c)) {
            if (name_size_ == max_name) return malformed();
            name_[name_size_++] = c;
            input.remove_prefix(1);
            break;
          }
          state_ = state::colon;
          break;
        case state::colon:
          if (ascii::blank.contains(c)) {  // obs-optional: white space before the colon is read, never written
            input.remove_prefix(1);
            break;
          }
          if (c != ':') return malformed();
          input.remove_prefix(1);
          state_ = state::value;
          if (ascii::equal_ignoring_case(name(), "Received")) ++received_;
          return field_start{name()};
        case state::value: {
          if (c == '\r') {
            input.remove_prefix(1);
            state_ = state::value_cr;
            break;
          }
          const std::string_view octets = input.substr(0, input.find('\r'));
          input.remove_prefix(octets.size());
          return field_value{octets};
        }
        case state::value_cr:
          if (c == '\n') {
            input.remove_prefix(1);
            state_ = state::folding;
            break;
          }
          state_ = state::value;
          return field_value{held_cr};
        case state::folding:
          state_ = ascii::blank.contains(c) ? state::value : state::line;
          if (state_ == state::line) return field_end{};
          break;
        case state::skip:
          input.remove_prefix(1);
          if (c == '\r') state_ = state::skip_cr;
          break;
        case state::skip_cr:
          if (c == '\n') {
            input.remove_prefix(1);
            state_ = state::line;
          } else {
            state_ = state::skip;
          }
          break;
        case state::done: break;
      }
    }
  }

  /// The message has no more octets: call `next` until it says `section_end`.
  constexpr void end_of_input() { at_end_ = true; }

  /// True once the section's end was read.
  constexpr bool is_done() const { return state_ == state::done; }
  /// How many Received fields have begun.
  constexpr std::size_t received_count() const { return received_; }
  /// True if there are more Received fields than `limit`. RFC 5321 6.3.
  constexpr bool is_loop(std::size_t limit = received_limit) const { return received_ > limit; }

 private:
  enum class state : std::uint8_t { line, line_cr, name, colon, value, value_cr, folding, skip, skip_cr, done };

  /// ftext = %d33-57 / %d59-126                RFC 5322 3.6.8
  static constexpr ascii::octet_class name_octets = ascii::visible - ascii::octet_class{":"};
  static constexpr std::string_view held_cr = "\r";

  constexpr std::string_view name() const { return {name_.data(), name_size_}; }
  constexpr event malformed() {
    state_ = state::skip;
    return malformed_line{};
  }
  /// What an unfinished line becomes when no octet follows.
  constexpr event finish() {
    switch (state_) {
      case state::value_cr: state_ = state::value; return field_value{held_cr};
      case state::value:
      case state::folding: state_ = state::line; return field_end{};
      case state::name:
      case state::colon:
      case state::line_cr: return malformed();
      case state::line:
      case state::skip:
      case state::skip_cr:
      case state::done: break;
    }
    state_ = state::done;
    return section_end{};
  }

  std::array<char, max_name> name_{};
  std::size_t name_size_ = 0;
  std::size_t received_ = 0;
  state state_ = state::line;
  bool at_end_ = false;
};

}  // namespace ehlo

#endif  // EHLO_MESSAGE_HEADER_SECTION_HPP
