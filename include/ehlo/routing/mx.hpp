// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_ROUTING_MX_HPP
#define EHLO_ROUTING_MX_HPP

/// @file
/// Which hosts to try for a domain, and in what order, from the MX records that a resolver found. RFC 5321 5.1; RFC 7505.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include <ehlo/ascii.hpp>
#include <ehlo/enhanced_status_code.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/limits.hpp>

namespace ehlo {

/// An MX record as the resolver gave it. Its name is a view of the caller's octets.
struct mx_record {
  std::uint16_t preference = 0;  ///< lower numbers come first
  std::string_view exchange{};   ///< a name, with or without the dot of the root at its end; `.` or nothing is the root itself

  /// Records are equal if their names are, without regard to case and to the last dot.
  friend constexpr bool operator==(const mx_record& a, const mx_record& b) {
    return a.preference == b.preference && ascii::equal_ignoring_case(a.name(), b.name());
  }

  /// The name without the dot at its end; empty for the root.
  constexpr std::string_view name() const { return exchange.ends_with('.') ? exchange.substr(0, exchange.size() - 1) : exchange; }

  /// True if a host can have such a name: labels of letters, digits, hyphens and underscores, at most 63 octets each and 255 in
  /// all.
  ///
  /// An underscore breaks RFC 5321 4.1.2, and stands in names of mail exchangers all the same. What else the DNS can carry would
  /// only harm whoever prints it.
  constexpr bool is_usable() const {
    constexpr auto label_octets = ascii::let_dig | ascii::octet_class{"-_"};
    constexpr std::size_t longest_label = 63;  // RFC 1035 2.3.4
    if (name().size() > sizes::domain) return false;
    cursor in{name()};
    do {
      const std::size_t size = in.take_while(label_octets).size();
      if (size == 0 || size > longest_label) return false;
    } while (in.take('.'));
    return in.at_end();
  }
};

/// What the resolver said when it was asked for the MX records of a domain, after it had followed CNAME records. RFC 5321 5.1.
enum class mx_lookup : std::uint8_t {
  answered,      ///< the name exists; it may have no MX record
  no_such_name,  ///< "a non-existent domain error"
  failed,        ///< "a temporary error"
};

/// Where mail for a domain goes, or why it goes nowhere.
enum class route_verdict : std::uint8_t {
  deliver,         ///< try the exchangers, in their order
  retry_later,     ///< the look-up failed: queue the message and look again
  no_such_domain,  ///< report it
  null_mx,         ///< the domain takes no mail: report it, neither queue nor retry (RFC 7505 4.1)
  no_usable_mx,    ///< there are records, and none names a host: report it; the address of the domain itself is not used
  loops_back,      ///< this host is among the best: report it
};

/// True if the message goes back to its sender: no later attempt would fare better. RFC 5321 5.1, RFC 7505 4.1.
constexpr bool is_permanent(route_verdict v) { return v != route_verdict::deliver && v != route_verdict::retry_later; }

/// The enhanced status code of a reply or a report; none for `deliver`. RFC 3463 3.2, 3.4, 3.5; RFC 7505 6.
constexpr enhanced_status_code status_of(route_verdict v) {
  switch (v) {
    case route_verdict::deliver: return {};
    case route_verdict::retry_later: return {4, 4, 3};
    case route_verdict::no_such_domain: return {5, 1, 2};
    case route_verdict::null_mx: return {5, 1, 10};
    case route_verdict::no_usable_mx: return {5, 4, 4};
    case route_verdict::loops_back: return {5, 3, 5};  // 5.4.6 would be nearer, and is "useful only as" 4.4.6
  }
  return {};
}

/// The names by which a host is known in mail, as the predicate of `route_to`.
struct own_names {
  std::span<const std::string_view> names{};  ///< with or without the dot at their ends

  constexpr bool operator()(const mx_record& record) const {
    for (const std::string_view name : names) {
      if (mx_record{record.preference, name} == record) return true;
    }
    return false;
  }
};

/// The hosts to try. A view of the records given to `route_to`.
class mx_route {
 public:
  /// Nothing to try.
  constexpr explicit mx_route(route_verdict verdict) : verdict_{verdict} {}
  /// Without any MX record the domain itself is its exchanger, "with a preference of 0". RFC 5321 5.1.
  static constexpr mx_route implicit(std::string_view domain) {
    mx_route out{route_verdict::deliver};
    out.implicit_ = {0, domain};
    return out;
  }
  /// `records` are ordered, and not none.
  static constexpr mx_route of(std::span<const mx_record> records) {
    mx_route out{route_verdict::deliver};
    out.records_ = records;
    return out;
  }

  constexpr route_verdict verdict() const { return verdict_; }
  /// True if the domain has no MX record, and its own addresses are used.
  constexpr bool is_implicit() const { return verdict_ == route_verdict::deliver && records_.empty(); }
  /// Best first; none unless the verdict is `deliver`. All addresses of each are tried in the order in which the resolver gives
  /// them, "until a delivery attempt succeeds", at least two in all if there are so many. Lives as long as this and the records do.
  constexpr std::span<const mx_record> exchangers() const& {
    return is_implicit() ? std::span<const mx_record>{&implicit_, 1} : records_;
  }
  std::span<const mx_record> exchangers() const&& = delete;  // the implicit record is inside

 private:
  std::span<const mx_record> records_{};
  mx_record implicit_{};
  route_verdict verdict_;
};

namespace detail {

/// Puts the usable records first, in any order. Gives their number.
constexpr std::size_t gather_usable_mx(std::span<mx_record> records) {
  std::size_t out = 0;
  for (mx_record& record : records) {
    if (record.is_usable()) std::swap(record, records[out++]);
  }
  return out;
}

/// Lets the record at `parent` sink to its place in the heap.
constexpr void sift_mx(std::span<mx_record> heap, std::size_t parent) {
  for (std::size_t child = 2 * parent + 1; child < heap.size(); child = 2 * parent + 1) {
    if (child + 1 < heap.size() && heap[child].preference < heap[child + 1].preference) ++child;
    if (heap[parent].preference >= heap[child].preference) return;
    std::swap(heap[parent], heap[child]);
    parent = child;
  }
}

/// Sorts by preference, in n log n steps whatever the records are; `std::sort` is not constexpr in every library.
constexpr void sort_mx(std::span<mx_record> records) {
  for (std::size_t i = records.size() / 2; i > 0; --i) sift_mx(records, i - 1);
  for (std::size_t size = records.size(); size > 1; --size) {
    std::swap(records[0], records[size - 1]);
    sift_mx(records.first(size - 1), 0);
  }
}

/// Exchanges the records of one preference as chance has it: each order is as likely as any other if `random` is fair.
template <class Random>
constexpr void shuffle_mx(std::span<mx_record> records, Random& random) {
  for (std::size_t left = records.size(); left > 1; --left) {
    const auto chosen = static_cast<std::size_t>(random(left)) % left;
    std::swap(records[left - 1], records[chosen]);
  }
}

/// One past the last record that has the preference of the first.
constexpr std::size_t mx_level_end(std::span<const mx_record> records, std::size_t first) {
  std::size_t out = first;
  while (out < records.size() && records[out].preference == records[first].preference) ++out;
  return out;
}

}  // namespace detail

/// A single MX record of preference 0 that names the root: the domain takes no mail. RFC 7505 3.
///
/// Beside other records, or with another preference, it is not null MX but a record that names no host.
constexpr bool is_null_mx(std::span<const mx_record> records) {
  return records.size() == 1 && records[0].preference == 0 && records[0].name().empty();
}

/// The hosts to try for mail to `domain`, given the MX records that were found for it. RFC 5321 5.1, RFC 7505.
///
/// `records` are the caller's, and are put in order where they stand: by preference, and in random order among equals. `random(n)`
/// gives a number from 0 to n - 1, each as likely (a larger one counts modulo n). `is_self(record)` says whether a record names
/// this host, by name or by any of its addresses; it is asked best first, and not again after the first yes. All records of that
/// preference and the worse ones are left out then, so that mail neither comes back nor goes around. A host that is no mail
/// exchanger gives `own_names{}`. Nothing is allocated.
template <class Random, class IsSelf>
constexpr mx_route route_to(std::string_view domain, mx_lookup lookup, std::span<mx_record> records, Random&& random,
                            IsSelf&& is_self) {
  if (lookup == mx_lookup::failed) return mx_route{route_verdict::retry_later};
  if (lookup == mx_lookup::no_such_name) return mx_route{route_verdict::no_such_domain};
  if (records.empty()) {
    return is_self(mx_record{0, domain}) ? mx_route{route_verdict::loops_back} : mx_route::implicit(domain);
  }
  if (is_null_mx(records)) return mx_route{route_verdict::null_mx};

  records = records.first(detail::gather_usable_mx(records));
  if (records.empty()) return mx_route{route_verdict::no_usable_mx};

  detail::sort_mx(records);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!is_self(std::as_const(records[i]))) continue;
    while (i > 0 && records[i - 1].preference == records[i].preference) --i;
    records = records.first(i);
    break;
  }
  if (records.empty()) return mx_route{route_verdict::loops_back};

  for (std::size_t first = 0; first < records.size();) {
    const std::size_t end = detail::mx_level_end(records, first);
    detail::shuffle_mx(records.subspan(first, end - first), random);
    first = end;
  }
  return mx_route::of(records);
}

}  // namespace ehlo

#endif  // EHLO_ROUTING_MX_HPP
