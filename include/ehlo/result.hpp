// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_RESULT_HPP
#define EHLO_RESULT_HPP

/// @file
/// A value or an error, in the shape of C++23's `std::expected`: one type in every language mode.

#include <cassert>
#include <optional>
#include <type_traits>
#include <utility>

#include <ehlo/error.hpp>

namespace ehlo {

/// A value of type `T`, or the error that stands in its place. Tested as a `bool`, read with `*` and `->`.
///
/// Reading the value of an error, or the error of a value, is a mistake of the caller and asserts.
template <class T>
class [[nodiscard]] result {
 public:
  using value_type = T;
  using error_type = ehlo::error;

  constexpr result(T value) : value_{std::move(value)} {}   // NOLINT(google-explicit-constructor): `return label;`
  constexpr result(ehlo::error reason) : error_{reason} {}  // NOLINT(google-explicit-constructor): `return error{...};`
  /// A value made in its place, such as a variant from one of its alternatives.
  template <class U>
  requires(std::is_convertible_v<const U&, T> && !std::is_same_v<U, T> &&
           !std::is_convertible_v<const U&, ehlo::error>) constexpr result(const U& value)
      : value_{std::in_place, value} {}  // NOLINT(google-explicit-constructor): `return *command;`

  constexpr bool has_value() const { return value_.has_value(); }
  constexpr explicit operator bool() const { return value_.has_value(); }

  constexpr T& operator*() & {
    assert(has_value());
    return *value_;
  }
  constexpr const T& operator*() const& {
    assert(has_value());
    return *value_;
  }
  constexpr T operator*() && {
    assert(has_value());
    return *std::move(value_);
  }
  constexpr T* operator->() {
    assert(has_value());
    return &*value_;
  }
  constexpr const T* operator->() const {
    assert(has_value());
    return &*value_;
  }

  /// The value, or `fallback` if there is none.
  constexpr T value_or(T fallback) const { return value_ ? *value_ : std::move(fallback); }

  /// Why there is no value.
  constexpr ehlo::error error() const {
    assert(!has_value());
    return error_;
  }

  friend constexpr bool operator==(const result& a, const result& b) {
    return a.value_ == b.value_ && (a.has_value() || a.error_ == b.error_);
  }

 private:
  std::optional<T> value_;
  ehlo::error error_{};
};

/// Success, or the error that stands in its place. Unlike `result<T>` it may be dropped: an answer given at once to the
/// question just asked can only fail by a mistake of the caller.
template <>
class result<void> {
 public:
  using value_type = void;
  using error_type = ehlo::error;

  constexpr result() = default;
  constexpr result(ehlo::error reason) : error_{reason} {}  // NOLINT(google-explicit-constructor): `return error{...};`

  constexpr bool has_value() const { return !error_.has_value(); }
  constexpr explicit operator bool() const { return has_value(); }

  /// Why it failed.
  constexpr ehlo::error error() const {
    assert(!has_value());
    return *error_;
  }

  friend constexpr bool operator==(const result&, const result&) = default;

 private:
  std::optional<ehlo::error> error_;
};

}  // namespace ehlo

#endif  // EHLO_RESULT_HPP
