// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXAMPLES_SUPPORT_OPTIONS_HPP
#define EHLO_EXAMPLES_SUPPORT_OPTIONS_HPP

/// @file
/// The command line of the examples: getopt_long, with errors that explain themselves and end the program.

#include <getopt.h>

#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include <ehlo/error.hpp>

#include "print.hpp"

namespace example {

/// The options of a command line, one at a time.
class arguments {
 public:
  /// `known` ends with an option of zeros; `--help` is added by its row `{"help", no_argument, nullptr, 'h'}`. `operands` is how
  /// many words may stand there that are no options, `status` what an error ends the program with.
  arguments(int argc, char** argv, const option* known, const char* help, int operands = 0, int status = 2)
      : argc_{argc}, argv_{argv}, known_{known}, help_{help}, operands_{operands}, status_{status} {}

  /// The `val` of the next option, or -1 behind the last. Ends the program at `--help` and at an option that is unknown.
  int next() {
    const int out = getopt_long(argc_, argv_, "", known_, &index_);
    if (out == 'h') {
      print("{}", help_);
      std::exit(was_printed(stdout) ? EXIT_SUCCESS : status_);
    }
    if (out == '?') give_up();  // getopt_long has said why
    if (out == -1 && optind + operands_ < argc_) {
      refuse("what is '{}'? There {}", argv_[optind + operands_], operands_ == 0 ? "are only options" : "was one too many");
    }
    return out;
  }

  /// Operand `index`, counted from 0, behind the last option; null if there is none.
  const char* operand(int index) const { return optind + index < argc_ ? argv_[optind + index] : nullptr; }

  /// The value of the option given last.
  std::string_view value() const { return optarg; }

  /// The value as a number from `least` to `most`.
  template <std::unsigned_integral T>
  T number(T least = 0, T most = std::numeric_limits<T>::max()) const {
    T out{};
    const char* const end = value().data() + value().size();
    const auto [stop, failure] = std::from_chars(value().data(), end, out);
    if (failure != std::errc{} || stop != end || out < least || out > most) {
      refuse("--{} wants a number from {} to {}, not '{}'", known_[index_].name, least, most, value());
    }
    return out;
  }

  /// The number of a port: digits and nothing else.
  static std::optional<std::uint16_t> port(std::string_view digits, std::uint16_t least = 1) {
    std::uint16_t out = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, failure] = std::from_chars(digits.data(), end, out);
    if (failure != std::errc{} || stop != end || out < least) return std::nullopt;
    return out;
  }

  /// The value as `Parsed`, by the grammar of `ehlo`. It is a view of the command line, which lives as long as the program.
  template <class Parsed>
  Parsed parsed() const {
    return parsed<Parsed>(value());
  }

  /// A part of the value as `Parsed`.
  template <class Parsed>
  Parsed parsed(std::string_view part) const {
    const auto out = Parsed::parse(part);
    if (!out) refuse("--{}: '{}' is wrong at octet {}: {}", known_[index_].name, part, out.error().offset, reason(out.error()));
    return *out;
  }

  /// Why, for people, with the clause.
  static std::string_view reason(ehlo::error e) { return ehlo::describe(e.code).text; }

  /// Says what is wrong and ends the program.
  template <class... T>
  [[noreturn]] void refuse(fmt::format_string<T...> text, T&&... values) const {
    print_error("{}: {}\n", argv_[0], fmt::format(text, std::forward<T>(values)...));
    give_up();
  }

 private:
  [[noreturn]] void give_up() const {
    print_error("Try '{} --help'.\n", argv_[0]);
    std::exit(status_);
  }

  int argc_;
  char** argv_;
  const option* known_;
  const char* help_;
  int operands_;
  int status_;
  int index_ = 0;
};

}  // namespace example

#endif  // EHLO_EXAMPLES_SUPPORT_OPTIONS_HPP
