// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_ENVELOPE_HPP
#define EHLO_ENVELOPE_HPP

/// @file
/// An envelope that owns its octets: the reverse-path, the forward-paths, and their parameters, all of them checked. RFC
/// 5321 2.3.1, 2852, 3461, 3865, 3885, 4865, 4954 5, 6710, 7293, 8689.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <ehlo/ascii.hpp>
#include <ehlo/extension/deliver_by.hpp>
#include <ehlo/extension/dsn.hpp>
#include <ehlo/extension/future_release.hpp>
#include <ehlo/extension/mtrk.hpp>
#include <ehlo/extension/no_soliciting.hpp>
#include <ehlo/extension/priority.hpp>
#include <ehlo/extension/rrvs.hpp>
#include <ehlo/grammar/parameter.hpp>
#include <ehlo/grammar/path.hpp>
#include <ehlo/octet_run.hpp>
#include <ehlo/parameters.hpp>
#include <ehlo/result.hpp>
#include <ehlo/storage.hpp>

namespace ehlo {

/// What MAIL says besides the reverse-path. SIZE, BODY and SMTPUTF8 are not here: they follow from the message.
struct sender_options {
  std::optional<ret_type> ret{};            ///< RFC 3461 4.3
  std::optional<xtext> envid{};             ///< RFC 3461 4.4; not empty, at most 100 octets. Within 38 a report can repeat it (5.4)
  std::optional<claimed_submitter> auth{};  ///< RFC 4954 5; left out where the server does not offer AUTH
  bool require_tls = false;                 ///< RFC 8689; the message goes over verified TLS to servers that promise the same
  std::optional<deliver_by> by{};           ///< RFC 2852; what is left at MAIL. Left out with the mode N where it is not offered
  std::optional<message_priority> priority{};  ///< RFC 6710; left out where it is not offered
  std::optional<ehlo::tracking> tracking{};    ///< RFC 3885; with `envid` only; left out where it is not offered
  solicitation_keywords solicit{};             ///< RFC 3865; left out where it is not offered
  std::optional<hold_request> hold{};          ///< RFC 4865; not for reports (5.1.1, 5.3.1), and shorter than BY (5.2.1)
  parameter_list further{};                    ///< parameters of the caller's own extensions
};

/// What RCPT says besides the forward-path.
struct recipient_options {
  std::optional<notify_set> notify{};              ///< RFC 3461 4.1
  std::optional<original_recipient> orcpt{};       ///< RFC 3461 4.2
  std::optional<ehlo::valid_since> valid_since{};  ///< RFC 7293; left out where it is not offered if it says so
  parameter_list further{};                        ///< parameters of the caller's own extensions
};

namespace detail {

/// The envelope as one run of octets. Each record, the first for MAIL and one more for each RCPT: sizes of path and parameters in
/// two octets each, then both.
struct envelope_record {
  static constexpr std::size_t head = 4;

  std::string_view path;
  std::string_view parameters;

  static constexpr std::size_t number_at(std::string_view octets, std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(octets[at])) << 8U | static_cast<unsigned char>(octets[at + 1]);
  }
  /// The record that begins at `at`.
  static constexpr envelope_record read(std::string_view octets, std::size_t at) {
    const std::size_t path = number_at(octets, at);
    return {{octets.data() + at + head, path}, {octets.data() + at + head + path, number_at(octets, at + 2)}};
  }
  constexpr std::size_t size() const { return head + path.size() + parameters.size(); }
};

/// Puts the parameters of a command into bounded room, a space between them.
class parameter_writer {
 public:
  template <class... Texts>
  constexpr void put(const Texts&... texts) {
    if (size_ > 0) add(" ");
    (add(texts), ...);
  }
  constexpr void put(const parameter_list& further) {
    for (const parameter& p : further) put(p.keyword, std::string_view{p.value ? "=" : ""}, p.value.value_or(std::string_view{}));
  }
  constexpr result<std::string_view> text() const {
    if (failed_) return error{errc::line_too_long, octets_.size()};
    return std::string_view{octets_.data(), size_};
  }

 private:
  constexpr void add(std::string_view text) {
    if (text.size() > octets_.size() - size_) {
      failed_ = true;
      return;
    }
    std::copy(text.begin(), text.end(), octets_.data() + size_);
    size_ += text.size();
  }

  std::array<char, 2048> octets_{};
  std::size_t size_ = 0;
  bool failed_ = false;
};

/// A parameter whose value writes itself.
template <class Value>
constexpr void put_written(parameter_writer& out, std::string_view keyword, const Value& value) {
  std::array<char, Value::max_size> text{};
  const char* const end = value.write(text.data());
  out.put(keyword, std::string_view{text.data(), static_cast<std::size_t>(end - text.data())});
}

/// The caller's own parameters name none that `ehlo` writes by itself.
constexpr result<void> check_further(const parameter_list& further) {
  for (const parameter& p : further) {
    if (known_parameter_of(p.keyword) != known_parameter::other) return error{errc::parameter_duplicate, p.offset};
  }
  return {};
}

constexpr result<std::string_view> write_parameters(const sender_options& options, parameter_writer& out) {
  if (const auto fine = check_further(options.further); !fine) return fine.error();
  if (options.ret) out.put("RET=", options.ret == ret_type::full ? "FULL" : "HDRS");
  if (options.envid) {
    if (const auto envid = parse_envid(options.envid->text()); !envid) return envid.error();
    out.put("ENVID=", options.envid->text());
  }
  if (options.auth) {
    const std::string_view claimed = options.auth->mailbox ? options.auth->mailbox->text() : std::string_view{"<>"};
    if (const auto auth = claimed_submitter::parse(claimed, charset::utf8); !auth) return auth.error();
    out.put("AUTH=", claimed);
  }
  if (options.require_tls) out.put("REQUIRETLS");
  if (options.by) {
    if (!options.by->is_valid()) return error{errc::by_value};
    put_written(out, "BY=", *options.by);
  }
  if (options.priority) {
    if (!options.priority->is_valid()) return error{errc::priority_value};
    put_written(out, "MT-PRIORITY=", *options.priority);
  }
  if (options.tracking) {
    if (!options.tracking->is_valid()) return error{errc::tracking_value};
    if (!options.envid) return error{errc::tracking_without_envid};
    put_written(out, "MTRK=", *options.tracking);
  }
  if (!options.solicit.empty()) out.put("SOLICIT=", options.solicit.text());
  if (options.hold) {
    if (const auto* const time = std::get_if<hold_for>(&*options.hold)) {
      if (time->seconds == 0 || time->seconds > hold_for::largest) return error{errc::hold_value};
      put_written(out, "HOLDFOR=", *time);
    } else {
      const hold_until& until = *std::get_if<hold_until>(&*options.hold);
      put_written(out, "HOLDUNTIL=", hold_until{*timestamp::from_unix(until.time.to_unix())});
    }
  }
  out.put(options.further);
  return out.text();
}

constexpr result<std::string_view> write_parameters(const recipient_options& options, parameter_writer& out) {
  if (const auto fine = check_further(options.further); !fine) return fine.error();
  if (options.notify) {
    constexpr std::array<std::string_view, 8> words{"NEVER", "SUCCESS",       "FAILURE",       "SUCCESS,FAILURE",
                                                    "DELAY", "SUCCESS,DELAY", "FAILURE,DELAY", "SUCCESS,FAILURE,DELAY"};
    const notify_set& on = *options.notify;
    out.put("NOTIFY=", words[(on.success ? 1U : 0U) + (on.failure ? 2U : 0U) + (on.delay ? 4U : 0U)]);
  }
  if (options.orcpt) {
    parameter_writer whole;
    whole.put(options.orcpt->address_type, ";", options.orcpt->address);
    const auto text = whole.text();
    if (!text) return error{errc::orcpt_too_long, sizes::orcpt};
    if (const auto orcpt = parse_orcpt(*text, charset::utf8); !orcpt) return orcpt.error();
    out.put("ORCPT=", *text);
  }
  if (options.valid_since) put_written(out, "RRVS=", *options.valid_since);
  out.put(options.further);
  return out.text();
}

/// Octets that grow by nothrow new.
class growing_octets {
 public:
  constexpr growing_octets() = default;
  constexpr growing_octets(growing_octets&& other) noexcept { swap(other); }
  constexpr growing_octets& operator=(growing_octets&& other) noexcept {
    growing_octets taken{std::move(other)};
    swap(taken);
    return *this;
  }
  constexpr ~growing_octets() { delete[] octets_; }

  constexpr std::string_view text() const { return {octets_, size_}; }
  /// Appends `count` octets and gives their place; null without memory, and then nothing has changed.
  constexpr char* append(std::size_t count) {
    constexpr std::size_t smallest = 256;
    if (count > capacity_ - size_) {
      const std::size_t capacity = std::max({size_ + count, capacity_ * 2, smallest});
      char* const larger = allocate_octets(capacity);
      if (larger == nullptr) return nullptr;
      std::copy_n(octets_, size_, larger);
      delete[] octets_;
      octets_ = larger;
      capacity_ = capacity;
    }
    size_ += count;
    return octets_ + size_ - count;
  }
  constexpr void clear() { size_ = 0; }

 private:
  constexpr void swap(growing_octets& other) noexcept {
    std::swap(octets_, other.octets_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  char* octets_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// `Octets` octets, all inside.
template <std::size_t Octets>
class fixed_octets {
 public:
  constexpr std::string_view text() const { return {octets_.data(), size_}; }
  constexpr char* append(std::size_t count) {
    if (count > Octets - size_) return nullptr;
    size_ += count;
    return octets_.data() + size_ - count;
  }
  constexpr void clear() { size_ = 0; }

 private:
  std::array<char, Octets> octets_{};
  std::size_t size_ = 0;
};

}  // namespace detail

/// A recipient of an envelope. Views of the envelope.
struct recipient {
  ehlo::forward_path path;
  rcpt_parameters parameters;
  std::uint32_t index = 0;  ///< counted from 0 in the order in which they were added

  friend constexpr bool operator==(const recipient&, const recipient&) = default;
};

/// An envelope, seen: what a client session sends. It lives as long as the envelope, and until that changes.
class envelope_view {
 public:
  /// No envelope.
  constexpr envelope_view() = default;

  /// Walks the recipients in order.
  class iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = recipient;
    using difference_type = std::ptrdiff_t;

    constexpr iterator() = default;
    constexpr recipient operator*() const {
      return {*ehlo::forward_path::parse(record().path, charset::utf8), parameters(), index_};
    }
    /// Those of the recipient, without a look at its path.
    constexpr rcpt_parameters parameters() const {
      return rcpt_parameters{*parameter_list::parse(record().parameters, charset::utf8)};
    }
    constexpr iterator& operator++() {
      at_ += record().size();
      ++index_;
      return *this;
    }
    constexpr iterator operator++(int) {
      const iterator before = *this;
      ++*this;
      return before;
    }
    friend constexpr bool operator==(const iterator& a, const iterator& b) { return a.at_ == b.at_; }

   private:
    friend class envelope_view;
    constexpr iterator(std::string_view octets, std::size_t at, std::uint32_t index) : octets_{octets}, at_{at}, index_{index} {}
    constexpr detail::envelope_record record() const { return detail::envelope_record::read(octets_, at_); }

    std::string_view octets_;
    std::size_t at_ = 0;
    std::uint32_t index_ = 0;
  };

  constexpr bool empty() const { return octets_.empty(); }
  constexpr ehlo::reverse_path reverse_path() const {
    if (empty()) return {};
    return *ehlo::reverse_path::parse(sender().path, charset::utf8);
  }
  /// Those of MAIL that do not follow from the message: all but SIZE, BODY and SMTPUTF8.
  constexpr mail_parameters parameters() const {
    if (empty()) return {};
    return mail_parameters{*parameter_list::parse(sender().parameters, charset::utf8)};
  }
  constexpr std::uint32_t recipient_count() const { return recipients_; }
  constexpr iterator begin() const { return {octets_, empty() ? 0 : sender().size(), 0}; }
  constexpr iterator end() const { return {octets_, octets_.size(), recipients_}; }
  /// Recipient `index`, which is below `recipient_count()`: found by walking.
  constexpr ehlo::recipient recipient(std::uint32_t index) const {
    iterator at = begin();
    while (index-- > 0) ++at;
    return *at;
  }
  /// True if a path or parameter has octets above 127: such an envelope needs SMTPUTF8. RFC 6531 3.4.
  constexpr bool needs_smtputf8() const {
    if (empty()) return false;
    // A path and its parameters stand one behind the other.
    const auto has_utf8 = [](const detail::envelope_record& r) {
      const std::string_view both{r.path.data(), r.path.size() + r.parameters.size()};
      return end_of_run<ascii::octet_class::range(0, 127)>(both) != both.size();
    };
    if (has_utf8(sender())) return true;
    for (iterator at = begin(); at != end(); ++at) {
      if (has_utf8(at.record())) return true;
    }
    return false;
  }
  /// The octets of the records.
  constexpr std::string_view octets() const { return octets_; }

 private:
  template <class Octets>
  friend class basic_envelope;
  constexpr envelope_view(std::string_view octets, std::uint32_t recipients) : octets_{octets}, recipients_{recipients} {}
  constexpr detail::envelope_record sender() const { return detail::envelope_record::read(octets_, 0); }

  std::string_view octets_;
  std::uint32_t recipients_ = 0;
};

/// An envelope that owns its octets. Movable, not copyable: a copy could fail for want of memory.
///
/// What it holds was checked when it was put in, so that nothing in it can make another command or parameter. Source routes are
/// left out: senders do not make them, and relays need not pass them on (RFC 5321 3.3, 3.6.1, F.2).
template <class Octets>
class basic_envelope {
 public:
  /// No reverse-path and no recipients.
  constexpr basic_envelope() = default;

  /// An envelope from texts: each is a mailbox, or a path in < and >; `<>` is the null reverse-path of reports. UTF-8 is taken.
  ///
  /// Fails with the errors of the paths' grammar, or `errc::out_of_memory`.
  static constexpr result<basic_envelope> make(std::string_view from, std::initializer_list<std::string_view> to = {},
                                               const sender_options& options = {}) {
    basic_envelope out;
    if (const auto begun = out.begin(from, options); !begun) return begun.error();
    for (const std::string_view text : to) {
      if (const auto added = out.add(text); !added) return added.error();
    }
    return out;
  }

  /// @name Filling
  /// `begin` forgets what was there and sets the reverse-path, `add` appends a recipient. A text is a mailbox or a path.
  ///
  /// Both fail, and leave no change (`begin`: an empty envelope), with the errors of the paths' grammar, those of the options'
  /// values, `errc::parameter_duplicate` for a parameter of the caller that is one of ehlo's, `errc::line_too_long` for
  /// parameters over 2048 octets, `errc::out_of_order` (`add` before `begin`), or `errc::out_of_memory`.
  /// @{
  constexpr result<void> begin(const reverse_path& from, const sender_options& options = {}) {
    const auto mailbox = from.mailbox();
    return put_sender(mailbox ? mailbox->text() : std::string_view{}, options);
  }
  constexpr result<void> begin(std::string_view from, const sender_options& options = {}) {
    octets_.clear();
    recipients_ = 0;
    if (from.starts_with('<')) {
      const auto path = reverse_path::parse(from, charset::utf8);
      if (!path) return path.error();
      return begin(*path, options);
    }
    const auto mailbox = ehlo::mailbox::parse(from, charset::utf8);
    if (!mailbox) return mailbox.error();
    return put_sender(mailbox->text(), options);
  }
  constexpr result<void> add(const forward_path& to, const recipient_options& options = {}) {
    const auto mailbox = to.mailbox();
    return put_recipient(mailbox ? mailbox->text() : std::string_view{"Postmaster"}, options);
  }
  constexpr result<void> add(std::string_view to, const recipient_options& options = {}) {
    if (to.starts_with('<')) {
      const auto path = forward_path::parse(to, charset::utf8);
      if (!path) return path.error();
      return add(*path, options);
    }
    const auto mailbox = ehlo::mailbox::parse(to, charset::utf8);
    if (!mailbox) return mailbox.error();
    return put_recipient(mailbox->text(), options);
  }
  /// @}

  constexpr envelope_view view() const { return {octets_.text(), recipients_}; }
  constexpr operator envelope_view() const { return view(); }  // NOLINT(google-explicit-constructor): as a string to its view
  constexpr ehlo::reverse_path reverse_path() const { return view().reverse_path(); }
  constexpr std::uint32_t recipient_count() const { return recipients_; }
  constexpr ehlo::recipient recipient(std::uint32_t index) const { return view().recipient(index); }

 private:
  constexpr result<void> put_sender(std::string_view mailbox, const sender_options& options) {
    octets_.clear();
    recipients_ = 0;
    detail::parameter_writer out;
    const auto parameters = detail::write_parameters(options, out);
    if (!parameters) return parameters.error();
    return put(mailbox, *parameters);
  }
  constexpr result<void> put_recipient(std::string_view mailbox, const recipient_options& options) {
    if (octets_.text().empty()) return error{errc::out_of_order};
    if (recipients_ == static_cast<std::uint32_t>(-1)) return error{errc::too_many_recipients};
    detail::parameter_writer out;
    const auto parameters = detail::write_parameters(options, out);
    if (!parameters) return parameters.error();
    if (const auto done = put(mailbox, *parameters); !done) return done;
    ++recipients_;
    return {};
  }
  constexpr result<void> put(std::string_view mailbox, std::string_view parameters) {
    const std::size_t path = mailbox.size() + 2;
    if (path > sizes::path) return error{errc::path_too_long, sizes::path};
    char* at = octets_.append(detail::envelope_record::head + path + parameters.size());
    if (at == nullptr) return error{errc::out_of_memory};
    for (const std::size_t size : {path, parameters.size()}) {
      *at++ = static_cast<char>(static_cast<unsigned char>(size >> 8U));
      *at++ = static_cast<char>(static_cast<unsigned char>(size & 0xFFU));
    }
    *at++ = '<';
    at = std::copy(mailbox.begin(), mailbox.end(), at);
    *at++ = '>';
    std::copy(parameters.begin(), parameters.end(), at);
    return {};
  }

  Octets octets_{};
  std::uint32_t recipients_ = 0;
};

/// The envelope with octets that grow on demand.
using envelope = basic_envelope<detail::growing_octets>;

/// The envelope with everything inside and no heap: room for `Octets` octets of paths and parameters, and four more for each.
template <std::size_t Octets>
using fixed_envelope = basic_envelope<detail::fixed_octets<Octets>>;

static_assert(fixed_envelope<200>::make("a@b.example", {"c@d.example", "<e@f.example>"})->recipient(1).path.text() ==
              "<e@f.example>");
static_assert(fixed_envelope<200>::make("<>", {"<@r:c@d.example>"})->recipient(0).path.text() == "<c@d.example>");

}  // namespace ehlo

#endif  // EHLO_ENVELOPE_HPP
