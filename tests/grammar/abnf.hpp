// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_GRAMMAR_ABNF_HPP
#define EHLO_TESTS_GRAMMAR_ABNF_HPP

/// @file
/// A recognizer that is made from ABNF itself (RFC 5234): the rules are text, and every way to read a text by them is tried. Slow,
/// and with no code of the library.

#include <bitset>
#include <cstddef>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abnf {

/// The longest text that can be matched.
inline constexpr std::size_t longest = 96;

/// The places in a text where a match may end.
using places = std::bitset<longest + 1>;

/// Rules by their names, which compare without regard to case. RFC 5234 2.1.
class grammar {
 public:
  /// Reads rules of the form `name = elements`, each from the first column; lines that begin with a space go on. Comments are left
  /// out. What is no ABNF ends the program with an exception: the rules are part of the tests.
  explicit grammar(std::string_view rules) {
    std::string rule;
    const auto take = [this, &rule] {
      if (rule.empty()) return;
      const std::size_t equals = rule.find('=');
      if (equals == rule.npos) throw std::invalid_argument{rule};
      std::string name = rule.substr(0, rule.find_last_not_of(' ', equals - 1) + 1);
      reader in{*this, std::string_view{rule}.substr(equals + 1)};
      const node body = in.alternation();
      in.finish();
      bodies_[index_of(name)] = body;
      rule.clear();
    };
    while (!rules.empty()) {
      std::string_view line = rules.substr(0, rules.find('\n'));
      rules.remove_prefix(std::min(line.size() + 1, rules.size()));
      line = without_comment(line);
      if (!line.empty() && line.front() != ' ') take();
      rule += line;
      rule += ' ';
      if (rule.find_first_not_of(' ') == rule.npos) rule.clear();
    }
    take();
    for (std::size_t i = 0; i < bodies_.size(); ++i) {
      if (!bodies_[i]) throw std::invalid_argument{"no rule of the name " + names_[i]};
    }
  }

  /// True if the whole text, of at most `longest` octets, is one of the rule.
  bool matches(std::string_view rule, std::string_view text) const {
    if (text.size() > longest) throw std::length_error{"text"};
    const auto found = indices_.find(lower(rule));
    if (found == indices_.end()) throw std::invalid_argument{std::string{rule}};
    memory known(bodies_.size() * (text.size() + 1));
    return rule_at(found->second, text, 0, known)[text.size()];
  }

 private:
  struct node {
    enum class kind { alternatives, sequence, repetition, rule, range, literal };

    kind what{};
    std::vector<node> parts{};  ///< of alternatives, a sequence, or what is repeated
    std::size_t least = 0;      ///< of a repetition; of a range its first octet, of a rule its index
    std::size_t most = 0;       ///< of a repetition; of a range its last octet
    std::string text{};         ///< of a literal, in lower case
    bool is_exact = false;      ///< of a literal: %s
  };
  using memory = std::vector<std::optional<places>>;

  static std::string_view without_comment(std::string_view line) {
    bool is_quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '"') is_quoted = !is_quoted;
      if (line[i] == ';' && !is_quoted) return line.substr(0, i);
    }
    return line;
  }
  static char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
  static std::string lower(std::string_view text) {
    std::string out{text};
    for (char& c : out) c = lower(c);
    return out;
  }
  std::size_t index_of(std::string_view name) {
    const auto [at, is_new] = indices_.try_emplace(lower(name), bodies_.size());
    if (is_new) {
      bodies_.emplace_back();
      names_.emplace_back(name);
    }
    return at->second;
  }

  /// Reads the right side of one rule. RFC 5234 4.
  class reader {
   public:
    reader(grammar& into, std::string_view text) : into_{into}, text_{text} {}

    node alternation() {
      node out{node::kind::alternatives};
      out.parts.push_back(concatenation());
      while (take('/')) out.parts.push_back(concatenation());
      return out.parts.size() == 1 ? node{out.parts.front()} : out;
    }
    void finish() {
      skip();
      if (!text_.empty()) fail();
    }

   private:
    [[noreturn]] void fail() const { throw std::invalid_argument{"not ABNF: " + std::string{text_}}; }
    void skip() {
      while (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
    }
    bool take(char c) {
      skip();
      if (text_.empty() || text_.front() != c) return false;
      text_.remove_prefix(1);
      return true;
    }
    bool has_digit() const { return !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; }
    std::optional<std::size_t> number(unsigned base = 10) {
      std::size_t out = 0;
      bool is_there = false;
      for (;; text_.remove_prefix(1)) {
        const std::size_t digit =
            text_.empty() ? std::string_view::npos : std::string_view{"0123456789abcdef"}.find(lower(text_.front()));
        if (digit >= base) break;
        out = out * base + digit;
        is_there = true;
      }
      return is_there ? std::optional{out} : std::nullopt;
    }

    node concatenation() {
      node out{node::kind::sequence};
      for (skip(); !text_.empty() && text_.front() != '/' && text_.front() != ')' && text_.front() != ']'; skip()) {
        out.parts.push_back(repetition());
      }
      if (out.parts.empty()) fail();
      return out;
    }
    node repetition() {
      const auto least = number();
      const bool has_star = take('*');
      const auto most = has_star ? number() : least;
      node one = element();
      if (!least && !has_star) return one;
      node out{node::kind::repetition};
      out.least = least.value_or(0);
      out.most = most.value_or(longest);
      out.parts.push_back(std::move(one));
      return out;
    }
    node element() {
      skip();
      if (text_.empty()) fail();
      if (take('(')) {
        node out = alternation();
        if (!take(')')) fail();
        return out;
      }
      if (take('[')) {
        node out{node::kind::repetition};
        out.most = 1;
        out.parts.push_back(alternation());
        if (!take(']')) fail();
        return out;
      }
      if (text_.front() == '"') return literal(false);
      if (text_.starts_with("%s")) {
        text_.remove_prefix(2);
        return literal(true);
      }
      if (text_.front() == '%') return value();
      const std::size_t size = std::min(text_.find_first_of(" /()[]*\"%"), text_.size());
      if (size == 0) fail();
      node out{node::kind::rule};
      out.least = into_.index_of(text_.substr(0, size));
      text_.remove_prefix(size);
      return out;
    }
    node literal(bool is_exact) {
      const std::size_t end = text_.find('"', 1);
      if (text_.front() != '"' || end == text_.npos) fail();
      node out{node::kind::literal};
      out.is_exact = is_exact;
      out.text = is_exact ? std::string{text_.substr(1, end - 1)} : lower(text_.substr(1, end - 1));
      text_.remove_prefix(end + 1);
      return out;
    }
    /// %d33-60, %x0D, %d92.92
    node value() {
      const char letter = text_.size() > 1 ? lower(text_[1]) : '\0';
      const unsigned base = letter == 'x' ? 16 : letter == 'd' ? 10 : 2;
      if (base == 2 && letter != 'b') fail();
      text_.remove_prefix(2);
      const auto range = [this, base] {
        node out{node::kind::range};
        const auto first = number(base);
        if (!first) fail();
        out.least = out.most = *first;
        if (!text_.empty() && text_.front() == '-') {
          text_.remove_prefix(1);
          const auto last = number(base);
          if (!last) fail();
          out.most = *last;
        }
        return out;
      };
      node out{node::kind::sequence};
      out.parts.push_back(range());
      while (!text_.empty() && text_.front() == '.') {
        text_.remove_prefix(1);
        out.parts.push_back(range());
      }
      return out;
    }

    grammar& into_;
    std::string_view text_;
  };

  places rule_at(std::size_t rule, std::string_view text, std::size_t at, memory& known) const {
    auto& kept = known[rule * (text.size() + 1) + at];
    if (!kept) {
      kept = places{};  // a rule that begins with itself has no match that way
      const places found = ends(*bodies_[rule], text, at, known);
      known[rule * (text.size() + 1) + at] = found;
      return found;
    }
    return *kept;
  }

  /// Where a match of `what` that begins at one of `starts` may end.
  places ends(const node& what, std::string_view text, const places& starts, memory& known) const {
    places out;
    for (std::size_t at = 0; at <= text.size(); ++at) {
      if (starts[at]) out |= ends(what, text, at, known);
    }
    return out;
  }

  places ends(const node& what, std::string_view text, std::size_t at, memory& known) const {
    places out;
    switch (what.what) {
      case node::kind::alternatives:
        for (const node& part : what.parts) out |= ends(part, text, at, known);
        break;
      case node::kind::sequence: {
        out.set(at);
        for (const node& part : what.parts) {
          if (out.none()) break;
          out = ends(part, text, out, known);
        }
        break;
      }
      case node::kind::repetition: {
        places here;
        here.set(at);

        for (std::size_t count = 0; count <= what.most && here.any(); ++count) {
          if (count >= what.least) {
            if ((out | here) == out) break;  // nothing new will come
            out |= here;
          }
          here = ends(what.parts.front(), text, here, known);
        }
        break;
      }
      case node::kind::rule: return rule_at(what.least, text, at, known);
      case node::kind::range: {
        const bool fits = at < text.size() && static_cast<unsigned char>(text[at]) >= what.least &&
                          static_cast<unsigned char>(text[at]) <= what.most;
        if (fits) out.set(at + 1);
        break;
      }
      case node::kind::literal: {
        const std::string_view part = text.substr(at, what.text.size());
        if ((what.is_exact ? std::string{part} : lower(part)) == what.text) out.set(at + what.text.size());
        break;
      }
    }
    return out;
  }

  std::map<std::string, std::size_t> indices_;
  std::vector<std::optional<node>> bodies_;
  std::vector<std::string> names_;
};

}  // namespace abnf

#endif  // EHLO_TESTS_GRAMMAR_ABNF_HPP
