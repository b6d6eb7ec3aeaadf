// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_STORAGE_HPP
#define EHLO_STORAGE_HPP

/// @file
/// Where a session keeps the octets that it must keep: a line that was cut, and replies not yet given. Two policies with one
/// interface: storage that grows on demand, and storage of fixed size without heap.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ehlo/limits.hpp>
#include <ehlo/secret.hpp>

namespace ehlo {

namespace detail {

/// Octets from the heap, or null when there is none left. Constant evaluation has no nothrow new.
constexpr char* allocate_octets(std::size_t count) {
  if (std::is_constant_evaluated()) return new char[count]{};
  return new (std::nothrow) char[count];
}

}  // namespace detail

/// Storage that grows by nothrow new: nothing on the heap before the first cut line or the first replies over the inline octets.
class growing_storage {
 public:
  constexpr growing_storage() = default;
  constexpr growing_storage(const growing_storage& other) { copy_from(other); }
  constexpr growing_storage(growing_storage&& other) noexcept { move_from(other); }
  constexpr growing_storage& operator=(const growing_storage& other) {
    if (this != &other) {
      release();
      copy_from(other);
    }
    return *this;
  }
  constexpr growing_storage& operator=(growing_storage&& other) noexcept {
    if (this != &other) {
      release();
      move_from(other);
    }
    return *this;
  }
  constexpr ~growing_storage() { release(); }

  /// True for a copy that found no memory.
  constexpr bool has_failed() const { return failed_; }

  /// Lines longer than this cannot be kept.
  static constexpr std::size_t longest_line() { return static_cast<std::size_t>(-1); }

  // The line.
  constexpr std::string_view line() const { return {line_, line_size_}; }
  constexpr bool append_line(std::string_view octets) {
    const std::size_t needed = line_size_ + octets.size();
    if (needed > line_capacity_ && !grow_line(needed)) return false;
    if (octets.size() == 1) {
      line_[line_size_] = octets.front();
    } else {
      std::copy_n(octets.data(), octets.size(), line_ + line_size_);
    }
    line_size_ = static_cast<std::uint32_t>(needed);
    return true;
  }
  constexpr void clear_line() { line_size_ = 0; }
  constexpr void wipe_line() {
    if (line_ != nullptr) wipe(line_, line_size_);
    line_size_ = 0;
  }

  // The output. What was given stays in place until `drop_given`, whatever is appended.
  constexpr std::size_t collected() const { return output_size_ - given_; }
  /// A place for `count` octets behind what is collected; null without memory.
  constexpr char* reserve_output(std::size_t count) {
    const std::size_t needed = output_size_ + count;
    if (needed > output_capacity()) {
      const std::size_t kept = collected();
      const std::size_t capacity = std::max({kept + count, output_capacity() * 2, smallest_output});
      char* const larger = detail::allocate_octets(capacity);
      if (larger == nullptr) return nullptr;
      std::copy_n(output() + given_, kept, larger);
      if (given_ > 0 && retired_ == nullptr) {
        retired_ = heap_;  // given octets in the inline array stay there; they need no keeper
      } else {
        delete[] heap_;
      }
      heap_ = larger;
      heap_capacity_ = static_cast<std::uint32_t>(capacity);
      output_size_ = static_cast<std::uint32_t>(kept);
      given_ = 0;
    }
    return output() + output_size_;
  }
  constexpr void commit_output(std::size_t count) { output_size_ += static_cast<std::uint32_t>(count); }
  /// True if `count` more octets keep within `most` collected ones.
  constexpr bool has_room(std::size_t count, std::size_t most) const { return collected() + count <= most; }
  constexpr std::string_view give_output() {
    const std::string_view octets{output() + given_, collected()};
    given_ = output_size_;
    return octets;
  }
  constexpr void drop_given() {
    delete[] retired_;
    retired_ = nullptr;
    if (given_ == 0) return;
    if (given_ != output_size_) std::copy(output() + given_, output() + output_size_, output());
    output_size_ -= given_;
    given_ = 0;
  }
  /// Overwrites what was given: it held a secret.
  constexpr void wipe_given() { wipe(output(), given_); }
  constexpr void clear_output() {
    drop_given();
    output_size_ = 0;
  }

  /// Gives back heap memory that holds nothing.
  constexpr void trim() {
    if (line_size_ == 0) {
      delete[] line_;
      line_ = nullptr;
      line_capacity_ = 0;
    }
    if (output_size_ == 0 && retired_ == nullptr) {
      delete[] heap_;
      heap_ = nullptr;
      heap_capacity_ = 0;
    }
  }

 private:
  constexpr bool grow_line(std::size_t needed) {
    const std::size_t capacity = std::max({needed, std::size_t{line_capacity_} * 2, smallest_line});
    char* const larger = detail::allocate_octets(capacity);
    if (larger == nullptr) return false;
    std::copy_n(line_, line_size_, larger);
    if (line_ != nullptr) wipe(line_, line_size_);
    delete[] line_;
    line_ = larger;
    line_capacity_ = static_cast<std::uint32_t>(capacity);
    return true;
  }

  static constexpr std::size_t inline_octets = 64;
  static constexpr std::size_t smallest_line = 128;
  static constexpr std::size_t smallest_output = 512;

  constexpr char* output() { return heap_ != nullptr ? heap_ : inline_; }
  constexpr const char* output() const { return heap_ != nullptr ? heap_ : inline_; }
  constexpr std::size_t output_capacity() const { return heap_ != nullptr ? heap_capacity_ : inline_octets; }

  constexpr void release() {
    if (line_ != nullptr) wipe(line_, line_size_);
    delete[] line_;
    delete[] heap_;
    delete[] retired_;
    line_ = heap_ = retired_ = nullptr;
    line_size_ = line_capacity_ = heap_capacity_ = output_size_ = given_ = 0;
  }
  constexpr void copy_from(const growing_storage& other) {
    failed_ = other.failed_ || !append_line(other.line());
    const std::string_view kept{other.output() + other.given_, other.collected()};
    char* const place = failed_ ? nullptr : reserve_output(kept.size());
    if (place == nullptr) {
      failed_ = true;
      return;
    }
    std::copy_n(kept.data(), kept.size(), place);
    commit_output(kept.size());
  }
  constexpr void move_from(growing_storage& other) {
    line_ = std::exchange(other.line_, nullptr);
    heap_ = std::exchange(other.heap_, nullptr);
    retired_ = std::exchange(other.retired_, nullptr);
    line_size_ = std::exchange(other.line_size_, 0);
    line_capacity_ = std::exchange(other.line_capacity_, 0);
    heap_capacity_ = std::exchange(other.heap_capacity_, 0);
    output_size_ = std::exchange(other.output_size_, 0);
    given_ = std::exchange(other.given_, 0);
    failed_ = other.failed_;
    std::copy_n(other.inline_, inline_octets, inline_);
  }

  char* line_ = nullptr;
  char* heap_ = nullptr;     ///< the output, once it was over the inline octets
  char* retired_ = nullptr;  ///< an older output whose octets are still being written by the caller
  std::uint32_t line_size_ = 0;
  std::uint32_t line_capacity_ = 0;
  std::uint32_t heap_capacity_ = 0;
  std::uint32_t output_size_ = 0;
  std::uint32_t given_ = 0;  ///< octets at the output's front that the caller was told to write
  bool failed_ = false;
  char inline_[inline_octets] = {};
};

/// Storage of fixed size, all of it inside the session: no heap, ever. A command line over `LineOctets` is refused as too long,
/// and an answer whose reply does not fit in `OutputOctets` fails with `errc::reply_too_long`.
template <std::size_t LineOctets, std::size_t OutputOctets>
class fixed_storage {
 public:
  static_assert(LineOctets >= sizes::command_line && OutputOctets >= sizes::reply_line);

  static constexpr bool has_failed() { return false; }
  static constexpr std::size_t longest_line() { return LineOctets; }

  constexpr std::string_view line() const { return {line_, line_size_}; }
  constexpr bool append_line(std::string_view octets) {
    if (octets.size() > LineOctets - line_size_) return false;
    std::copy_n(octets.data(), octets.size(), line_ + line_size_);
    line_size_ += static_cast<std::uint32_t>(octets.size());
    return true;
  }
  constexpr void clear_line() { line_size_ = 0; }
  constexpr void wipe_line() {
    wipe(line_, line_size_);
    line_size_ = 0;
  }

  constexpr std::size_t collected() const { return output_size_ - given_; }
  constexpr char* reserve_output(std::size_t count) {
    return count > OutputOctets - output_size_ ? nullptr : output_ + output_size_;
  }
  constexpr void commit_output(std::size_t count) { output_size_ += static_cast<std::uint32_t>(count); }
  constexpr bool has_room(std::size_t count, std::size_t) const { return count <= OutputOctets - output_size_; }
  constexpr std::string_view give_output() {
    const std::string_view octets{output_ + given_, collected()};
    given_ = output_size_;
    return octets;
  }
  constexpr void drop_given() {
    if (given_ == 0) return;
    if (given_ != output_size_) std::copy(output_ + given_, output_ + output_size_, output_);
    output_size_ -= given_;
    given_ = 0;
  }
  constexpr void wipe_given() { wipe(output_, given_); }
  constexpr void clear_output() { output_size_ = given_ = 0; }
  static constexpr void trim() {}

 private:
  std::uint32_t line_size_ = 0;
  std::uint32_t output_size_ = 0;
  std::uint32_t given_ = 0;
  char line_[LineOctets] = {};
  char output_[OutputOctets] = {};
};

}  // namespace ehlo

#endif  // EHLO_STORAGE_HPP
