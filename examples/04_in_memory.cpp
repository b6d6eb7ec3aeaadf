// SPDX-License-Identifier: BSL-1.0
//
// Both ends of a session in one program, without a socket: a client sends a message to a server through two strings.
//
// It shows that a session is a value that can be joined to anything, what goes over the wire, and that it does not matter how the
// octets are cut. It is a way to try an extension, to test a mail program without a network, and to learn the protocol.
//
//     04_in_memory --to b@mx.example --to nobody@mx.example --refuse nobody@mx.example --cut 1
//     04_in_memory --lmtp --no-pipelining --file message.txt
//
// A real program would have a socket where the strings are: see 02_receive and 03_send.

#include <sysexits.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <ehlo/ehlo.hpp>
#include <ehlo/format.hpp>

#include "support/options.hpp"
#include "support/print.hpp"

namespace {

constexpr const char* help_text = R"(Usage: 04_in_memory [OPTION]...
Send a message from a client to a server, both in this program, and print what goes over the wire.

  --from MAILBOX     the reverse-path (default sender@client.example); <> for none
  --to MAILBOX       a recipient; may be repeated (default recipient@mx.example)
  --refuse MAILBOX   the server does not know this one; may be repeated
  --file FILE        the message, text in lines that end in CRLF (default: a few lines with dots)
  --cut OCTETS       how many octets a read brings at most (default 4096)
  --lmtp             speak LMTP instead of SMTP
  --no-pipelining    the client sends each command when the one before is answered
  --no-chunking      the client uses DATA even though BDAT is offered
  --help             show this

Exit status: 0 if what the server stored is what the client sent, for each recipient that it took; 1 if nothing was
delivered; 2 if the command line is wrong; 74 if standard output cannot be written.
)";

/// What the command line says.
struct settings {
  ehlo::client_options client{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  ehlo::server_options server{.hostname = "mx.example"};
  std::string_view from = "sender@client.example";
  std::vector<std::string_view> to;
  std::vector<ehlo::forward_path> refused;
  std::string message = "Subject: dots\r\n\r\n.\r\n..\r\nA line.\r\n";
  std::size_t cut = 4096;
};

std::string read_file(const std::string& path, const example::arguments& given) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  std::string out;
  std::size_t count = 0;
  std::vector<char> octets(65536);
  while (file != nullptr && (count = std::fread(octets.data(), 1, octets.size(), file)) > 0) out.append(octets.data(), count);
  if (file == nullptr || std::ferror(file) != 0) given.refuse("{} cannot be read", path);
  std::fclose(file);
  return out;
}

void read_arguments(int argc, char** argv, settings& out) {
  static const option known[] = {
      {"from", required_argument, nullptr, 'f'},    {"to", required_argument, nullptr, 't'},
      {"refuse", required_argument, nullptr, 'r'},  {"file", required_argument, nullptr, 'm'},
      {"cut", required_argument, nullptr, 'c'},     {"lmtp", no_argument, nullptr, 'l'},
      {"no-pipelining", no_argument, nullptr, 'P'}, {"no-chunking", no_argument, nullptr, 'C'},
      {"help", no_argument, nullptr, 'h'},          {nullptr, 0, nullptr, 0},
  };
  static std::vector<std::string> refused;  // the paths are views of these
  example::arguments given{argc, argv, known, help_text};
  for (int name = given.next(); name != -1; name = given.next()) {
    switch (name) {
      case 'f': out.from = given.value(); break;
      case 't': out.to.push_back(given.value()); break;
      case 'r': refused.push_back(fmt::format("<{}>", given.parsed<ehlo::mailbox>())); break;
      case 'm': out.message = read_file(std::string{given.value()}, given); break;
      case 'c': out.cut = given.number<std::size_t>(1); break;
      case 'l': out.client.protocol = out.server.protocol = ehlo::protocol::lmtp; break;
      case 'P': out.client.pipelining = false; break;
      case 'C': out.client.chunking = ehlo::chunking_policy::never; break;
    }
  }
  for (const std::string& path : refused) out.refused.push_back(*ehlo::forward_path::parse(path));
  if (out.to.empty()) out.to.push_back("recipient@mx.example");
}

/// One direction of the channel: octets on their way, which are printed line by line as they come.
class wire {
 public:
  explicit wire(char who) : who_{who} {}

  void write(std::string_view octets) {
    octets_ += octets;
    for (const char c : octets) {
      if (std::exchange(at_line_start_, false)) example::print("{}: ", who_);
      if (c != '\r') std::fputc(c == '\n' || ehlo::ascii::printable.contains(c) || !ehlo::ascii::is_ascii(c) ? c : '?', stdout);
      at_line_start_ = c == '\n';
    }
  }
  /// Takes up to `most` octets.
  std::string read(std::size_t most) {
    std::string out = octets_.substr(0, most);
    octets_.erase(0, out.size());
    return out;
  }
  void close() { is_closed_ = true; }
  bool is_closed() const { return is_closed_; }

 private:
  char who_;
  std::string octets_;
  bool at_line_start_ = true;
  bool is_closed_ = false;
};

/// What both ends have in common: where octets come from and go to, and the loop.
template <class Session>
class end {
 public:
  template <class Options>
  end(const Options& options, wire& in, wire& out, std::size_t cut) : session_{options}, in_{in}, out_{out}, cut_{cut} {}

  void on(ehlo::transmit a) { out_.write(a.octets); }
  void on(ehlo::receive) { is_hungry_ = true; }
  void on(ehlo::close_channel) { out_.close(); }

  bool is_over() const { return out_.is_closed(); }

 protected:
  /// Goes on until there is nothing to read; false if there was nothing to begin with.
  template <class Handler>
  bool advance(Handler& handler) {
    if (is_over()) return false;
    if (is_hungry_) {
      octets_ = in_.read(cut_);
      input_ = octets_;
      if (octets_.empty() && !in_.is_closed()) return false;
      if (octets_.empty()) session_.end_of_input();
      is_hungry_ = false;
    }
    while (!is_hungry_ && ehlo::dispatch(session_, session_.next(input_), handler)) {
    }
    return true;
  }

  Session session_;

 private:
  wire& in_;
  wire& out_;
  std::size_t cut_;
  std::string octets_;
  std::string_view input_;
  bool is_hungry_ = false;
};

/// A message as a server takes it.
struct letter {
  std::string from;
  std::vector<std::string> to;
  std::string octets;
};

class server : public end<ehlo::server_session> {
 public:
  server(const settings& chosen, wire& in, wire& out) : end{chosen.server, in, out, chosen.cut}, refused_{chosen.refused} {}

  using end::on;
  ehlo::reply on(const ehlo::mail_question& q) {
    open_ = {std::string{q.reverse_path.text()}, {}, {}};
    return ehlo::replies::mail_ok;
  }
  ehlo::reply on(const ehlo::rcpt_question& q) {
    if (std::find(refused_.begin(), refused_.end(), q.forward_path) != refused_.end()) return ehlo::replies::no_such_mailbox;
    open_.to.emplace_back(q.forward_path.text());
    return ehlo::replies::rcpt_ok;
  }
  void on(ehlo::mail_data a) { open_.octets += a.octets; }
  ehlo::reply on(const ehlo::message_question& q) {
    if (q.recipient + 1 == q.recipients || !session_.is_lmtp()) letters_.push_back(open_);  // LMTP asks for each recipient
    return ehlo::replies::message_ok;
  }
  void on(ehlo::transaction_reset) { open_ = {}; }

  bool advance() { return end::advance(*this); }
  const std::vector<letter>& letters() const { return letters_; }

 private:
  const std::vector<ehlo::forward_path>& refused_;
  letter open_;
  std::vector<letter> letters_;
};

class client : public end<ehlo::client_session> {
 public:
  client(const settings& chosen, const ehlo::envelope& envelope, wire& in, wire& out)
      : end{chosen.client, in, out, chosen.cut}, envelope_{envelope}, message_{chosen.message} {
    session_.begin_transaction(envelope_, ehlo::traits_of(message_));
  }

  using end::on;
  void on(const ehlo::mail_data_question&) { session_.end_of_mail_data(message_); }
  void on(const ehlo::recipient_result& r) {
    if (!r.is_accepted()) tell(r.index, r.reply);
  }
  void on(const ehlo::message_result& r) {
    if (r.last - r.first == 1) return tell(r.first, r.reply);
    news_ += fmt::format("the message: {}\n", r.reply);
  }
  void on(const ehlo::transaction_failed& f) { news_ += fmt::format("not sent: {}\n", f.reason); }
  // `idle` has no member: when there is nothing to do, the session ends with QUIT.

  bool advance() { return end::advance(*this); }
  const std::string& news() const { return news_; }

 private:
  void tell(std::uint32_t index, const ehlo::received_reply& reply) {
    news_ += fmt::format("{}: {}\n", envelope_.recipient(index).path, reply);
  }

  const ehlo::envelope& envelope_;
  std::string_view message_;
  std::string news_;
};

}  // namespace

int main(int argc, char** argv) {
  example::prepare_streams();
  settings chosen;
  read_arguments(argc, argv, chosen);
  ehlo::envelope envelope;
  ehlo::result<void> filled = envelope.begin(chosen.from);
  for (const std::string_view to : chosen.to) {
    if (filled) filled = envelope.add(to);
  }
  if (!filled) {
    example::print_error("{}: {}\n", argv[0], filled.error());
    return 2;
  }

  wire up{'C'};
  wire down{'S'};
  server mx{chosen, up, down};
  client user{chosen, envelope, down, up};
  while (!mx.is_over() || !user.is_over()) {
    const bool moved = mx.advance();
    if (!user.advance() && !moved) break;  // never: two sessions do not wait for each other
  }

  example::print("\n{}", user.news());
  bool is_same = !mx.letters().empty();
  for (const letter& each : mx.letters()) {
    is_same = is_same && each.octets == chosen.message;
    example::print("stored: {} octets from {} to {}\n", each.octets.size(), each.from, fmt::join(each.to, " "));
  }
  if (!example::was_printed(stdout)) {
    example::print_error("{}: standard output: it cannot be written\n", argv[0]);
    return EX_IOERR;
  }
  return is_same ? EXIT_SUCCESS : EXIT_FAILURE;
}
