// SPDX-License-Identifier: BSL-1.0
//
// Reads a capture, finds the SMTP and LMTP conversations in it, and prints each as a dialogue with what is odd about it.
//
// It shows an observer that is fed both directions in the order in which they passed, octets that it does not take before the other
// end has spoken, octets that the capture has not, and what it tells of a conversation that it takes no part in. The library knows
// nothing of packets: libpcap reads them, and `support/tcp_stream.hpp` puts their octets in order.
//
//     tcpdump -i lo -w mail.pcap port 2525
//     06_observe mail.pcap
//     tcpdump -i lo -w - -U port 2525 | 06_observe --data -
//
// A real program would put fragments of IP packets together, know tunnels, forget connections that have been silent for long, and,
// with the keys that an end has logged (SSLKEYLOGFILE), look into TLS: `decrypted()` goes on there.

#include <pcap/pcap.h>
#include <sysexits.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <ehlo/ehlo.hpp>
#include <ehlo/format.hpp>

#include "support/options.hpp"
#include "support/print.hpp"
#include "support/tcp_stream.hpp"

namespace {

using ehlo::direction;
using example::endpoint;
using example::tcp_segment;
using example::tcp_stream;

constexpr const char* help_text = R"(Usage: 06_observe [OPTION]... FILE
Print the SMTP and LMTP conversations in a capture (of tcpdump or others, "-": standard input) and what is odd in them.

  --port NUMBER   servers listen there; may be repeated (default 24, 25, 587 and 2525)
  --filter TEXT   of the packets, only those that match, in the language of tcpdump
  --lmtp          conversations whose beginning is not there are LMTP
  --data          print mail data, too
  --check         an anomaly makes the exit status 76
  --help          show this

A line that begins with "!" is an anomaly, with its clause; with "?", something that the capture has not; with "-", a
remark. What AUTH carries is not shown, nor are mechanisms that are not known and lines that are no commands,
which may be passwords, and what is replied to either.

Exit status: 0, the capture was read; 64, the command line is wrong; 65, the file is no capture, or ends amid a
packet (what came before is printed); 66, it cannot be read; 74, standard output cannot be written; 76, see --check.
)";

/// What the command line says.
struct settings {
  std::string file;
  std::vector<std::uint16_t> ports;
  std::string filter;
  ehlo::observer_options from_beginning;
  ehlo::observer_options midway{.begin = ehlo::beginning::unsure};
  bool with_data = false;
  bool checks = false;

  bool is_port(std::uint16_t port) const { return std::find(ports.begin(), ports.end(), port) != ports.end(); }
};

void read_arguments(int argc, char** argv, settings& out) {
  static const option known[] = {
      {"port", required_argument, nullptr, 'p'},
      {"filter", required_argument, nullptr, 'f'},
      {"lmtp", no_argument, nullptr, 'l'},
      {"data", no_argument, nullptr, 'd'},
      {"check", no_argument, nullptr, 'c'},
      {"help", no_argument, nullptr, 'h'},
      {nullptr, 0, nullptr, 0},
  };
  example::arguments given{argc, argv, known, help_text, 1, EX_USAGE};
  for (int name = given.next(); name != -1; name = given.next()) {
    switch (name) {
      case 'p': out.ports.push_back(given.number<std::uint16_t>(1)); break;
      case 'f': out.filter = given.value(); break;
      case 'l': out.midway.protocol = ehlo::protocol::lmtp; break;
      case 'd': out.with_data = true; break;
      case 'c': out.checks = true; break;
    }
  }
  if (given.operand(0) == nullptr) given.refuse("FILE is missing");
  out.file = given.operand(0);
  if (out.ports.empty()) out.ports = {24, 25, 587, 2525};
}

// ---- What is printed --------------------------------------------------------------------------------------

/// Text of an end, fit for a terminal.
std::string printable(std::string_view text) {
  std::string out;
  for (ehlo::cursor in{text}; !in.at_end();) {
    const std::size_t at = in.offset();
    if (ehlo::ascii::is_ascii(in.peek())) {
      out += ehlo::ascii::printable.contains(in.peek()) ? in.peek() : '?';
      in.advance(1);
    } else if (const auto character = ehlo::grammar::utf8_non_ascii(in); character && !ehlo::is_c1_control(*character)) {
      out += in.since(at);
    } else {
      out += '?';
      if (in.offset() == at) in.advance(1);
    }
  }
  return out;
}

std::string_view name_of(direction from) { return from == direction::from_client ? "client" : "server"; }

/// A conversation as a dialogue.
class transcript {
 public:
  explicit transcript(bool with_data) : with_data_{with_data} {}

  template <class... T>
  void line(fmt::format_string<T...> text, T&&... values) {
    finish_data();
    text_ += fmt::format(text, std::forward<T>(values)...) + '\n';
  }

  void on(const ehlo::observed_command& c) { line("C: {}", c.command); }
  void on(const ehlo::malformed_command& c) {
    unread_.insert(c.serial);
    const std::string name = c.name == ehlo::verb::unknown ? "" : fmt::format("{} ", c.name);
    line("C: {}({} octets, not shown: {})", name, c.line.size(), c.reason);
  }
  void on(const ehlo::observed_auth& a) {
    using step = ehlo::observed_auth::step;
    switch (a.what) {
      case step::command: {
        const ehlo::any_command shown = ehlo::auth_command{a.mechanism, {}};  // a word that is no known mechanism is not
        return a.has_response ? line("C: {} ({} octets, not shown)", shown, a.octets) : line("C: {}", shown);
      }
      case step::challenge: return line("S: 334 ({} octets, not shown)", a.octets);
      case step::response: return line("C: ({} octets, not shown)", a.octets);
      case step::cancel: return line("C: *");
    }
  }
  void on(const ehlo::observed_reply& r) {
    if (r.row == ehlo::reply_row::auth || (r.serial > 0 && unread_.contains(r.serial))) {
      return line("S: {} (the text may repeat a secret, not shown)", r.reply.code());
    }
    std::string_view rest = r.reply.octets();
    while (!rest.empty()) {
      const std::size_t end = rest.find("\r\n");
      line("S: {}", printable(rest.substr(0, end)));
      rest.remove_prefix(end + 2);
    }
  }
  void on(ehlo::mail_data d) {
    if (!with_data_) return;
    std::size_t begin = 0;
    std::size_t end = data_.size();  // no line ends in what is there
    data_ += d.octets;
    while ((end = data_.find('\n', end)) != data_.npos) {
      std::string_view text = std::string_view{data_}.substr(begin, end - begin);
      if (text.ends_with('\r')) text.remove_suffix(1);
      text_ += "C| " + printable(text) + '\n';
      begin = ++end;
    }
    data_.erase(0, begin);
  }
  void on(const ehlo::observed_message& m) { line("- a message of {} octets", m.size); }
  void on(const ehlo::transaction_reset& r) { line("- the transaction ended without a message: {}", r.cause); }
  void on(const ehlo::observed_tls&) { line("- TLS begins"); }
  void on(const ehlo::observed_hello&) {}
  void on(const ehlo::joined_midway&) { line("? the beginning is not there"); }
  void on(const ehlo::anomaly& a) {
    ++anomalies_;
    line("! {}, at octet {} of the {}", a.what, a.offset, name_of(a.from));
  }
  void on(const ehlo::lost& l) {
    if (l.cause == ehlo::lost_cause::octets_missing) return;  // who says so has printed it
    line("? not followed any longer at octet {} of the {}: {}", l.offset, name_of(l.from), l.cause);
  }

  const std::string& text() const { return text_; }
  unsigned anomalies() const { return anomalies_; }

 private:
  /// The end of a chunk may stand amid a line.
  void finish_data() {
    if (data_.empty()) return;
    text_ += "C| " + printable(std::exchange(data_, {})) + '\n';
  }

  bool with_data_;
  unsigned anomalies_ = 0;
  std::set<std::uint32_t> unread_;  ///< serials of lines that are no commands
  std::string data_;
  std::string text_;
};

// ---- A conversation ---------------------------------------------------------------------------------------

/// An observer with what its caller keeps: octets that it does not take before those of the other end.
class conversation {
 public:
  conversation(const ehlo::observer_options& options, bool with_data) : observer_{options}, out_{with_data} {}

  void give(direction from, std::string_view octets) {
    kept_[index(from)] += octets;
    drain(from);
  }
  /// Octets that nobody has captured: what follows is a conversation that is joined midway.
  void miss(direction from, std::uint64_t count) {
    out_.line("? {} octets of the {} are not there", count, name_of(from));
    if (observer_.is_opaque()) return observer_.octets_missing(from, count);
    observer_.octets_missing(from, count);
    drain(from);
    drain(ehlo::other(from));
    (void)observer_.rejoin();
  }
  void end(direction from) { observer_.end_of_input(from); }

  /// No more comes from either end.
  void finish() {
    end(direction::from_client);
    end(direction::from_server);
    drain(direction::from_client);
    drain(direction::from_server);
    if (observer_.is_opaque()) {
      out_.line("- {} octets of the client and {} of the server in all", observer_.octets_taken(direction::from_client),
                observer_.octets_taken(direction::from_server));
    }
  }

  const transcript& told() const { return out_; }

 private:
  static std::size_t index(direction from) { return static_cast<std::size_t>(from); }

  /// Goes on with the one end and the other until neither has octets that can be taken.
  void drain(direction from) {
    std::array<std::string_view, 2> input;
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = std::string_view{kept_[i]}.substr(taken_[i]);
    for (bool goes_on = true; goes_on;) {
      for (bool is_turn = true; is_turn;) {
        std::visit(ehlo::overloaded{
                       [&](ehlo::receive) { is_turn = false; },
                       [&](ehlo::other_first) { is_turn = false; },
                       [&](const auto& told) { out_.on(told); },
                   },
                   observer_.next(from, input[index(from)]));
      }
      from = ehlo::other(from);
      goes_on = !input[index(from)].empty();
    }
    for (std::size_t i = 0; i < input.size(); ++i) {
      taken_[i] = kept_[i].size() - input[i].size();
      if (2 * taken_[i] >= kept_[i].size()) kept_[i].erase(0, std::exchange(taken_[i], 0));
    }
  }

  ehlo::observer observer_;
  std::array<std::string, 2> kept_;
  std::array<std::size_t, 2> taken_{};  ///< of what is kept: an end that is far ahead is not copied at each word of the other
  transcript out_;
};

/// A TCP connection: two streams and the conversation in them.
class connection {
 public:
  connection(const settings& chosen, endpoint client, endpoint server, bool from_beginning, const timeval& begin)
      : client_{std::move(client)}, conversation_{from_beginning ? chosen.from_beginning : chosen.midway, chosen.with_data} {
    const std::time_t seconds = begin.tv_sec;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &utc);
    title_ = fmt::format("{} to {}, {} UTC", client_.text(), server.text(), text.data());
  }

  void on(const tcp_segment& s) {
    packets_.push_back({s, std::string{s.octets}});
    go_on(patience);
  }

  bool is_over() const { return is_over_; }
  /// A client that uses its port again.
  bool is_begun_again(const tcp_segment& s) const {
    return s.is_syn && !s.has_acknowledged && s.from == client_ && syn_ != s.sequence;
  }

  void finish() {
    go_on(0);
    for (const direction d : {direction::from_client, direction::from_server}) {
      while (stream(d).has_gap()) pass_gap(d);
    }
    conversation_.finish();
  }

  const std::string& title() const { return title_; }
  const transcript& told() const { return conversation_.told(); }

 private:
  static constexpr std::size_t patience = 32;

  struct packet {
    tcp_segment segment;
    std::string octets;
  };

  tcp_stream& stream(direction from) { return streams_[static_cast<std::size_t>(from)]; }
  direction sender(const tcp_segment& s) const { return s.from == client_ ? direction::from_client : direction::from_server; }

  /// Takes the packets in the order of their capture. One that acknowledges octets that are not there waits for them, and so do
  /// those behind it: they may have been captured late. When they are not among `most` packets, they are lost.
  void go_on(std::size_t most) {
    for (; !packets_.empty() && !is_over_; packets_.pop_front()) {
      const tcp_segment& s = packets_.front().segment;
      const direction from = sender(s);
      tcp_stream& others = stream(ehlo::other(from));
      if (s.has_acknowledged && !others.has_begun()) others.begin(s.acknowledged);
      if (s.has_acknowledged) others.acknowledge(s.acknowledged);
      if (others.is_lost()) {
        for (const packet& late : packets_) {
          if (sender(late.segment) != from && !others.is_new(late.segment.sequence)) put(late);
        }
        if (others.is_lost() && packets_.size() <= most) return;
        while (others.is_lost()) pass_gap(ehlo::other(from));
        deliver(ehlo::other(from));
      }
      take(packets_.front());
    }
  }

  void put(const packet& p) {
    const tcp_segment& s = p.segment;
    tcp_stream& mine = stream(sender(s));
    const std::uint32_t first = s.sequence + (s.is_syn ? 1U : 0U);
    if (!mine.has_begun()) mine.begin(first);
    mine.put(first, p.octets, s.size);
    if (s.is_fin) mine.end(first + s.size);
  }

  void take(const packet& p) {
    const direction from = sender(p.segment);
    put(p);
    if (p.segment.is_syn && from == direction::from_client) syn_ = p.segment.sequence;
    deliver(from);
    while (stream(from).is_full()) pass_gap(from);
    if (stream(from).is_at_end()) conversation_.end(from);
    is_over_ = p.segment.is_reset || (stream(from).is_at_end() && stream(ehlo::other(from)).is_at_end());
  }

  void deliver(direction from) {
    if (const std::string octets = stream(from).take(); !octets.empty()) conversation_.give(from, octets);
  }

  void pass_gap(direction from) {
    deliver(from);
    if (const std::uint64_t missing = stream(from).pass_gap(); missing > 0) conversation_.miss(from, missing);
    deliver(from);
  }

  endpoint client_;
  std::string title_;
  std::array<tcp_stream, 2> streams_;
  std::deque<packet> packets_;  ///< that wait for one captured late
  std::optional<std::uint32_t> syn_;
  bool is_over_ = false;
  conversation conversation_;
};

// ---- The capture ------------------------------------------------------------------------------------------

[[noreturn]] void give_up(int status, std::string_view what, std::string_view why) {
  example::print_error("06_observe: {}: {}\n", what, why);
  std::exit(status);
}

/// All connections of a capture.
class observation {
 public:
  explicit observation(const settings& chosen) : chosen_{chosen} {}

  void on(const tcp_segment& s, const timeval& time) {
    if (!chosen_.is_port(s.from.port) && !chosen_.is_port(s.to.port)) return;
    const auto key = s.from < s.to ? std::pair{s.from, s.to} : std::pair{s.to, s.from};
    auto found = open_.find(key);
    if (found != open_.end() && found->second && found->second->is_begun_again(s)) finish(found->second);
    const bool is_first = s.is_syn && !s.has_acknowledged;
    if (found == open_.end() || (is_first && !found->second)) {
      if (!s.is_syn && s.octets.empty()) return;  // the last words of a connection whose beginning is not there
      const bool is_of_client = s.is_syn ? is_first : chosen_.is_port(s.to.port);
      found = open_.insert_or_assign(key, std::nullopt).first;
      found->second.emplace(chosen_, is_of_client ? s.from : s.to, is_of_client ? s.to : s.from, s.is_syn, time);
    }
    if (!found->second) return;  // a late packet of a connection that has ended
    found->second->on(s);
    if (found->second->is_over()) finish(found->second);
  }

  /// The capture ends: the connections that are open end with it, in the order of their addresses.
  void finish() {
    for (auto& [key, found] : open_) {
      if (found) finish(found);
    }
    open_.clear();
  }

  unsigned anomalies() const { return anomalies_; }
  unsigned connections() const { return connections_; }

 private:
  void finish(std::optional<connection>& c) {
    c->finish();
    example::print("{}== {}\n{}", connections_ > 0 ? "\n" : "", c->title(), c->told().text());
    if (!example::was_printed(stdout)) give_up(EX_IOERR, "standard output", "it cannot be written");
    ++connections_;
    anomalies_ += c->told().anomalies();
    c.reset();
  }

  const settings& chosen_;
  std::map<std::pair<endpoint, endpoint>, std::optional<connection>> open_;
  unsigned anomalies_ = 0;
  unsigned connections_ = 0;
};

/// The packets of a file, by libpcap.
class capture {
 public:
  explicit capture(const settings& chosen) {
    std::FILE* const file = chosen.file == "-" ? stdin : std::fopen(chosen.file.c_str(), "rb");
    if (file == nullptr) give_up(EX_NOINPUT, chosen.file, std::strerror(errno));
    if (const int first = std::fgetc(file); first != EOF) {
      std::ungetc(first, file);
    } else if (std::ferror(file) != 0) {
      give_up(EX_NOINPUT, chosen.file, std::strerror(errno));
    }
    std::array<char, PCAP_ERRBUF_SIZE> why{};
    packets_.reset(pcap_fopen_offline(file, why.data()));
    if (!packets_) give_up(EX_DATAERR, chosen.file, why.data());
    if (!knows(pcap_datalink(packets_.get()))) {
      const char* const name = pcap_datalink_val_to_name(pcap_datalink(packets_.get()));
      give_up(EX_DATAERR, chosen.file, fmt::format("packets of the link type {} are not known", name == nullptr ? "?" : name));
    }
    if (chosen.filter.empty()) return;
    bpf_program program{};
    if (pcap_compile(packets_.get(), &program, chosen.filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0 ||
        pcap_setfilter(packets_.get(), &program) != 0) {
      give_up(EX_USAGE, "--filter", pcap_geterr(packets_.get()));
    }
    pcap_freecode(&program);
  }

  /// The next packet from its IP header on, empty if it has none; nothing at the end.
  std::optional<std::string_view> next(timeval& time) {
    pcap_pkthdr* header = nullptr;
    const unsigned char* octets = nullptr;
    const int got = pcap_next_ex(packets_.get(), &header, &octets);
    if (got == PCAP_ERROR) failure_ = pcap_geterr(packets_.get());
    if (got != 1) return std::nullopt;
    time = {header->ts.tv_sec, header->ts.tv_usec};
    return ip_of({reinterpret_cast<const char*>(octets), header->caplen});
  }

  const std::string& failure() const { return failure_; }

 private:
  struct close {
    void operator()(pcap_t* packets) const { pcap_close(packets); }
  };

  static bool knows(int link) {
    switch (link) {
      case DLT_EN10MB:
      case DLT_LINUX_SLL:
      case DLT_LINUX_SLL2:
      case DLT_RAW:
      case DLT_IPV4:
      case DLT_IPV6:
      case DLT_NULL:
      case DLT_LOOP: return true;
      default: return false;
    }
  }

  std::string_view ip_of(std::string_view frame) const {
    const example::packet::octets p{frame};
    switch (pcap_datalink(packets_.get())) {
      case DLT_EN10MB: return example::packet::behind_ethernet_type(p, 12);
      case DLT_LINUX_SLL: return example::packet::behind_ethernet_type(p, 14);
      case DLT_LINUX_SLL2: return p.from(20);
      case DLT_NULL:
      case DLT_LOOP: return p.from(4);  // before it stands a number that differs from system to system; IP tells its version itself
      default: return frame;
    }
  }

  std::unique_ptr<pcap_t, close> packets_;
  std::string failure_;
};

}  // namespace

int main(int argc, char** argv) {
  example::prepare_streams();
  settings chosen;
  read_arguments(argc, argv, chosen);
  capture packets{chosen};
  observation all{chosen};
  unsigned fragments = 0;
  timeval time{};
  while (const auto from_ip_on = packets.next(time)) {
    const auto ip = example::packet::read_ip(*from_ip_on);
    if (!ip) continue;
    fragments += ip->is_fragment ? 1U : 0U;
    if (const auto segment = example::packet::read_tcp(*ip)) all.on(*segment, time);
  }
  all.finish();
  if (all.connections() == 0) example::print_error("06_observe: no conversation with one of the ports in it; see --port\n");
  if (fragments > 0) example::print_error("06_observe: {} fragments of IP packets were passed over\n", fragments);
  if (!packets.failure().empty()) give_up(EX_DATAERR, chosen.file, packets.failure());
  return chosen.checks && all.anomalies() > 0 ? EX_PROTOCOL : EX_OK;
}
