// SPDX-License-Identifier: BSL-1.0
//
// A mail receiver for many connections: one thread, epoll, and a Maildir (or one for each mailbox) on disk.
//
// It shows a session driven by an event loop through `dispatch`, what a server has to do before it says 250, time-outs,
// back-pressure and a clean end. It takes mail for its own domains only.
//
//     02_receive --listen 127.0.0.1:2525 --hostname mx.example.org --domain example.org --maildir /tmp/mail/%u
//     curl smtp://127.0.0.1:2525 --mail-from a@client.example --mail-rcpt b@example.org --upload-file message.txt
//
// A real program would take STARTTLS, know its mailboxes, give its privileges up after `listen`, wait for the disk in threads (a
// question may be answered later, by its ticket, while the loop goes on), limit what one client address may do, keep a log, and
// send the reports that mail accepted but not deliverable asks for.

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <ehlo/ehlo.hpp>
#include <ehlo/format.hpp>
#include <ehlo/message/header_section.hpp>
#include <ehlo/message/trace.hpp>

#include "support/folders.hpp"
#include "support/host_name.hpp"
#include "support/open_files.hpp"
#include "support/options.hpp"
#include "support/print.hpp"
#include "support/transcript_printer.hpp"

namespace {

constexpr const char* help_text = R"(Usage: 02_receive --maildir FOLDER|--discard [OPTION]...
Receive mail by SMTP and store it in a Maildir.

  --listen ADDR:PORT        where to listen: 127.0.0.1:2525, [::1]:2525; port 0: any free port, which is
                            printed; may be repeated (default 127.0.0.1:2525)
  --hostname NAME           what this host calls itself (default: its name)
  --domain NAME             take mail for this domain or address literal; may be repeated. Mail for any
                            other is refused; <Postmaster> is always taken
  --maildir FOLDER          where mail goes; made if it is not there. %u is the local-part, which then has
                            to be plain (letters, digits, . _ - +; not beginning with . or -), so that it is
                            safe as a name of a folder; %% is a percent sign
  --discard                 take mail for anyone and drop it, instead of --maildir: to measure and to test senders
  --lmtp                    speak LMTP instead of SMTP (not on port 25)
  --max-size OCTETS         largest message, at least 65536; 0: any (default 67108864)
  --max-connections NUMBER  more are told 421 (default 500); each may need two open files, or one with --discard
  --proxy VERSION           each connection begins with a PROXY protocol header of this version (1, 2 or any), and
                            comes from the client that it names: only proxies of yours may reach the port, as
                            whoever can may say that it is anybody
  --max-hops NUMBER         Received fields of a message that is in a loop (default 100)
  --timeout SECONDS         how long a client may be silent (default 300, and 180 within a message)
  --max-time SECONDS        how long a connection may last, however busy it is (default: as long as its client likes);
                            mail data that are coming in (with BDAT: a chunk) then have --grace more
  --grace SECONDS           how long messages may still come in after SIGTERM (default 5)
  --verbose                 print the dialogue of each session on standard error, without mail data
  --help                    show this

SIGTERM and SIGINT end it: idle clients are told 421; a second signal does not wait for the others.
)";

/// Where to listen.
struct endpoint {
  std::string host;        ///< an IPv6 address stands in brackets
  std::uint16_t port = 0;  ///< 0: any that is free
};

/// What the command line says.
struct settings {
  ehlo::server_options options;
  std::string hostname;
  std::vector<endpoint> listen;
  std::vector<ehlo::host> domains;
  std::string_view maildir;
  bool one_for_each_mailbox = false;  ///< %u stands in `maildir`
  bool discard = false;               ///< mail is dropped; there is no `maildir`
  std::size_t most_connections = 500;
  std::uint32_t most_hops = 100;
  std::optional<ehlo::proxy::accepted_versions> proxy;  ///< what each connection begins with; none: the session
  std::optional<std::chrono::seconds> most_time;        ///< of a connection
  std::chrono::seconds grace{5};
  bool verbose = false;
};

// ---- The command line -------------------------------------------------------------------------------------

/// `folder` with %u replaced; empty if another letter stands behind a percent sign.
std::string expand(std::string_view folder, std::string_view user) {
  std::string out;
  for (std::size_t i = 0; i < folder.size(); ++i) {
    if (folder[i] != '%') {
      out += folder[i];
    } else if (++i < folder.size() && folder[i] == 'u') {
      out += user;
    } else if (i < folder.size() && folder[i] == '%') {
      out += '%';
    } else {
      return {};
    }
  }
  return out;
}

/// The value of --listen.
endpoint endpoint_of(const example::arguments& given) {
  const std::string_view text = given.value();
  const std::size_t colon = text.rfind(':');
  const auto port = example::arguments::port(colon == text.npos ? "" : text.substr(colon + 1), 0);
  if (!port || colon == 0) given.refuse("--listen wants ADDR:PORT, the port from 0 to 65535, not '{}'", text);
  return {std::string{text.substr(0, colon)}, *port};
}

void read_arguments(int argc, char** argv, settings& out) {
  // clang-format off
  static const option known[] = {
      {"listen", required_argument, nullptr, 'i'},
      {"hostname", required_argument, nullptr, 'n'},
      {"domain", required_argument, nullptr, 'd'},
      {"maildir", required_argument, nullptr, 'm'},
      {"discard", no_argument, nullptr, 'x'},
      {"lmtp", no_argument, nullptr, 'l'},
      {"max-size", required_argument, nullptr, 's'},
      {"max-connections", required_argument, nullptr, 'c'},
      {"proxy", required_argument, nullptr, 'y'},
      {"max-hops", required_argument, nullptr, 'p'},
      {"timeout", required_argument, nullptr, 't'},
      {"max-time", required_argument, nullptr, 'T'},
      {"grace", required_argument, nullptr, 'g'},
      {"verbose", no_argument, nullptr, 'v'},
      {"help", no_argument, nullptr, 'h'},
      {nullptr, 0, nullptr, 0},
  };
  // clang-format on
  constexpr std::uint32_t one_day = 86400;
  example::arguments given{argc, argv, known, help_text};
  out.hostname = example::name_of_this_host();
  // What a Maildir can keep as it is: it takes any octets, and UTF-8 in header sections is for its readers.
  out.options.extensions.binary_mime = true;
  out.options.extensions.smtputf8 = true;
  out.options.limits.errors = 100;  // a client that guesses names is told 421 (RFC 5321 7.8)
  for (int name = given.next(); name != -1; name = given.next()) {
    switch (name) {
      case 'i': out.listen.push_back(endpoint_of(given)); break;
      case 'n': out.hostname = given.parsed<ehlo::host>().text(); break;
      case 'd': out.domains.push_back(given.parsed<ehlo::host>()); break;
      case 'm':
        out.maildir = given.value();
        out.one_for_each_mailbox = expand(out.maildir, "a") != expand(out.maildir, "b");
        if (expand(out.maildir, "a").empty())
          given.refuse("--maildir wants a folder, with %u or %% in it, not '{}'", given.value());
        break;
      case 'x': out.discard = true; break;
      case 'l': out.options.protocol = ehlo::protocol::lmtp; break;
      case 's': out.options.limits.message = given.number<std::uint64_t>(); break;
      case 'c': out.most_connections = given.number<std::size_t>(1, 1'000'000); break;
      case 'y':
        if (given.value() == "1") {
          out.proxy = ehlo::proxy::accepted_versions::one;
        } else if (given.value() == "2") {
          out.proxy = ehlo::proxy::accepted_versions::two;
        } else if (given.value() == "any") {
          out.proxy = ehlo::proxy::accepted_versions::either;
        } else {
          given.refuse("--proxy wants 1, 2 or any, not '{}'", given.value());
        }
        break;
      case 'p': out.most_hops = given.number<std::uint32_t>(1); break;
      case 't':
        out.options.timeouts.command = given.number<std::uint32_t>(1, one_day);
        out.options.timeouts.data_block = out.options.timeouts.command;
        break;
      case 'T': out.most_time = std::chrono::seconds{given.number<std::uint32_t>(1, one_day)}; break;
      case 'g': out.grace = std::chrono::seconds{given.number<std::uint32_t>(0, one_day)}; break;
      case 'v': out.verbose = true; break;
    }
  }
  if (out.maildir.empty() && !out.discard) given.refuse("--maildir is missing");
  if (!out.maildir.empty() && out.discard) given.refuse("--maildir and --discard exclude each other");
  if (out.listen.empty()) out.listen.push_back({"127.0.0.1", 2525});
  const bool is_at_port_25 = std::ranges::find(out.listen, 25, &endpoint::port) != out.listen.end();
  if (is_at_port_25 && out.options.protocol == ehlo::protocol::lmtp) given.refuse("LMTP does not belong on port 25 (RFC 2033 1)");
  out.options.hostname = out.hostname;
  if (const auto good = out.options.check(); !good) given.refuse("{}", example::arguments::reason(good.error()));
}

// ---- Maildir ----------------------------------------------------------------------------------------------
// Functions give 0, or what errno said.

/// Owns a file descriptor.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(int number) : number_{number} {}
  descriptor(descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// Makes `tmp` last: where it is, the others are.
int make_maildir(const std::string& path) {
  for (const char* part : {"/new", "/cur", "/tmp"}) {
    if (const int failure = example::make_folder(path + part)) return failure;
  }
  return 0;
}

int write_all(const descriptor& file, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = ::write(file.number(), octets.data(), octets.size());
    if (count < 0 && errno != EINTR) return errno;
    if (count > 0) octets.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

int write_all(const descriptor& file, std::span<iovec> slices) {
  while (!slices.empty()) {
    constexpr std::size_t most = 1024;  // IOV_MAX
    const ssize_t count = ::writev(file.number(), slices.data(), static_cast<int>(std::min(slices.size(), most)));
    if (count < 0 && errno != EINTR) return errno;
    auto left = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    while (!slices.empty() && left >= slices.front().iov_len) {
      left -= slices.front().iov_len;
      slices = slices.subspan(1);
    }
    if (left > 0) slices.front() = {static_cast<char*>(slices.front().iov_base) + left, slices.front().iov_len - left};
  }
  return 0;
}

/// What no other message has: microseconds of the time, process and count.
std::string unique_id() {
  static std::uint64_t count = 0;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return fmt::format("M{}P{}Q{}", now.tv_nsec / 1000, ::getpid(), ++count);
}

/// The name of a message in a Maildir: seconds, identifier and host. Of 255 octets some are for flags.
std::string file_name(std::string_view id, std::string_view hostname) {
  constexpr std::size_t enough = 128;
  std::string out = fmt::format("{}.{}.", std::time(nullptr), id);
  for (const char c : hostname.substr(0, enough)) out += c == ':' ? '_' : c;  // a colon in an address literal would begin the flags
  return out;
}

/// One message on its way into Maildirs: written to `tmp` of the first as it comes, then copied to those of the others, then moved
/// to `new`. What has not arrived by then does not stay.
class delivery {
 public:
  delivery(std::string name, std::vector<std::string> maildirs) : name_{std::move(name)}, maildirs_{std::move(maildirs)} {}
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;
  ~delivery() { remove_from(maildirs_.front(), "/tmp/"); }

  int begin() { return open_in(maildirs_.front(), file_); }

  /// Octets that stay where they are until `flush`: nothing is copied.
  int append(std::string_view octets) {
    slices_.push_back({const_cast<char*>(octets.data()), octets.size()});
    constexpr std::size_t enough = 1024;
    return slices_.size() < enough ? 0 : flush();
  }

  int flush() {
    const int failure = write_all(file_, slices_);
    slices_.clear();
    return failure;
  }

  /// Into every Maildir, or into none.
  int deliver_to_all() {
    int failure = finish();
    for (std::size_t i = 1; failure == 0 && i < maildirs_.size(); ++i) failure = copy_to(maildirs_[i]);
    for (std::size_t i = 0; failure == 0 && i < maildirs_.size(); ++i) failure = move_to_new(maildirs_[i]);
    for (std::size_t i = 0; failure == 0 && i < maildirs_.size(); ++i) failure = example::sync_folder(maildirs_[i] + "/new");
    if (failure != 0) std::ranges::for_each(maildirs_, [this](const std::string& maildir) { withdraw(maildir); });
    return failure;
  }

  /// Into each Maildir that can take it: LMTP answers for each recipient (RFC 2033 4.2).
  std::vector<int> deliver_to_each() {
    const int unfinished = finish();
    std::vector<int> out;
    for (std::size_t i = 0; i < maildirs_.size(); ++i) {
      int failure = unfinished;
      if (failure == 0 && i > 0) failure = copy_to(maildirs_[i]);
      if (failure == 0) failure = move_to_new(maildirs_[i]);
      if (failure == 0) failure = example::sync_folder(maildirs_[i] + "/new");
      if (failure != 0) withdraw(maildirs_[i]);
      out.push_back(failure);
    }
    return out;
  }

 private:
  int open_in(const std::string& maildir, descriptor& file) const {
    const std::string path = maildir + "/tmp/" + name_;
    const auto open = [&] { return descriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)}; };
    file = open();
    if (!file && errno == ENOENT) {
      if (const int failure = make_maildir(maildir)) return failure;
      file = open();
    }
    return file ? 0 : errno;
  }

  int finish() {
    if (const int failure = flush()) return failure;
    return ::fsync(file_.number()) == 0 ? 0 : errno;
  }

  int copy_to(const std::string& maildir) const {
    descriptor copy;
    if (const int failure = open_in(maildir, copy)) return failure;
    std::array<char, 65536> block{};
    for (off_t offset = 0;;) {
      const ssize_t count = ::pread(file_.number(), block.data(), block.size(), offset);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return errno;
      if (count == 0) break;
      if (const int failure = write_all(copy, {block.data(), static_cast<std::size_t>(count)})) return failure;
      offset += count;
    }
    return ::fsync(copy.number()) == 0 ? 0 : errno;
  }

  int move_to_new(const std::string& maildir) const {
    return ::rename((maildir + "/tmp/" + name_).c_str(), (maildir + "/new/" + name_).c_str()) == 0 ? 0 : errno;
  }

  void remove_from(const std::string& maildir, const char* folder) const { ::unlink((maildir + folder + name_).c_str()); }
  void withdraw(const std::string& maildir) const {
    remove_from(maildir, "/new/");
    remove_from(maildir, "/tmp/");
  }

  std::string name_;
  std::vector<std::string> maildirs_;  ///< at least one, each once
  descriptor file_;
  std::vector<iovec> slices_;  ///< not yet written
};

/// What a client hears when the disk says no: 452 if it is full, 451 for anything else. The message stays with the client.
const ehlo::reply& reply_for(int failure) {
  const bool is_full = failure == ENOSPC || failure == EDQUOT || failure == EFBIG;
  return is_full ? ehlo::replies::insufficient_storage : ehlo::replies::local_error;
}

// ---- The decisions ----------------------------------------------------------------------------------------

/// What a session needs between MAIL and the end of the message.
struct transaction {
  std::string reverse_path;
  std::string forward_path;  ///< of the last recipient
  std::vector<std::string> maildirs;
  std::vector<std::size_t> maildir_of_recipient;
  std::string trace_fields;
  std::optional<delivery> file;
  ehlo::header_section_reader header;
  std::vector<int> outcomes;  ///< LMTP: for each Maildir
};

/// Answers the questions of one session, and stores its mail. A client that is silent costs little more than its session.
class receiver {
 public:
  receiver(const settings& chosen, std::string client_address)
      : chosen_{chosen}, client_address_{std::move(client_address)}, session_{chosen.options} {}

  void on(const ehlo::hello_question& q) {
    client_ = q.client.text();
    session_.accept();
  }

  void on(const ehlo::mail_question& q) {
    if (!chosen_.discard) {
      transaction_ = std::make_unique<transaction>();
      transaction_->reverse_path = q.reverse_path.text();
    }
    session_.accept();
  }

  ehlo::reply on(const ehlo::rcpt_question& q) {
    if (chosen_.discard) return ehlo::replies::rcpt_ok;
    const auto to = q.forward_path.mailbox();
    if (to && std::ranges::find(chosen_.domains, to->host()) == chosen_.domains.end()) return ehlo::replies::relaying_denied;
    std::string user = "postmaster";  // in any case, and with or without a domain (RFC 5321 4.5.1)
    if (!q.forward_path.is_postmaster()) {
      user.resize(to->local_part().value_size());
      to->local_part().write_value(user.data());
    }
    if (chosen_.one_for_each_mailbox) {  // any local-part is a fine address, and only a plain one is a safe file name
      const auto name = ehlo::local_part::parse(user);
      if (!name || !name->is_plain()) return ehlo::replies::mailbox_name_not_allowed;
    }
    std::string maildir = expand(chosen_.maildir, user);
    std::vector<std::string>& maildirs = transaction_->maildirs;
    const auto place = std::ranges::find(maildirs, maildir);
    transaction_->maildir_of_recipient.push_back(static_cast<std::size_t>(place - maildirs.begin()));
    if (place == maildirs.end()) maildirs.push_back(std::move(maildir));
    transaction_->forward_path = q.forward_path.text();
    return ehlo::replies::rcpt_ok;
  }

  void on(const ehlo::data_question&) {
    session_.accept();
    if (chosen_.discard) return;
    const std::string id = unique_id();
    delivery& file = transaction_->file.emplace(file_name(id, chosen_.hostname), transaction_->maildirs);
    transaction_->trace_fields = trace_fields(id);
    int failure = file.begin();
    if (failure == 0) failure = file.append(transaction_->trace_fields);
    if (failure != 0) give_up(reply_for(failure));
  }

  void on(ehlo::mail_data a) {
    if (!is_storing()) return;
    if (is_in_a_loop(a.octets)) {
      give_up(routing_loop);
    } else if (const int failure = transaction_->file->append(a.octets)) {
      give_up(reply_for(failure));
    }
  }

  ehlo::reply on(const ehlo::message_question& q) {
    if (chosen_.discard) return ehlo::replies::message_ok;
    const bool is_lmtp = chosen_.options.protocol == ehlo::protocol::lmtp;
    int failure = 0;
    if (is_lmtp) {
      if (q.recipient == 0) transaction_->outcomes = transaction_->file->deliver_to_each();
      failure = transaction_->outcomes[transaction_->maildir_of_recipient[q.recipient]];
    } else {
      failure = transaction_->file->deliver_to_all();
    }
    if (!is_lmtp || q.recipient + 1 == q.recipients) transaction_.reset();
    return failure == 0 ? ehlo::replies::message_ok : reply_for(failure);
  }

  void on(ehlo::transaction_reset) { transaction_.reset(); }

 protected:
  /// The octets last read are about to go: those of the message are written.
  void let_go_of_octets() {
    if (!is_storing()) return;
    if (const int failure = transaction_->file->flush()) give_up(reply_for(failure));
  }

  const settings& chosen_;
  std::string client_address_;  ///< as an address literal
  ehlo::server_session session_;

 private:
  static constexpr ehlo::reply routing_loop{554, {5, 4, 0}, "Message is in a loop: too many Received fields"};

  /// Return-Path and Received, which stand above what the client sent (RFC 5321 4.4).
  std::string trace_fields(std::string_view id) const {
    using ehlo::charset;
    const ehlo::received_field received{
        .from = *ehlo::host::parse(client_, charset::utf8),
        .peer = *ehlo::address_literal::parse(client_address_),
        .by = *ehlo::host::parse(chosen_.hostname),
        .with = ehlo::with_protocol_of(session_),
        .id = id,
        .recipient = only_recipient(),
        .date = *ehlo::date_time::from_unix(std::time(nullptr)),
    };
    std::array<char, 512> return_path{};
    std::array<char, 2048> stamp{};
    // Neither can fail: the session lets UTF-8 into its paths only with SMTPUTF8, and the room is enough for what it lets in.
    const std::size_t path_size = *ehlo::write_return_path(*ehlo::reverse_path::parse(transaction_->reverse_path, charset::utf8),
                                                           return_path, session_.smtputf8() ? charset::utf8 : charset::ascii);
    const std::size_t stamp_size = *ehlo::write(received, stamp);
    return std::string{return_path.data(), path_size}.append(stamp.data(), stamp_size);
  }

  /// Several recipients are not told of each other (RFC 5321 7.2).
  std::optional<ehlo::forward_path> only_recipient() const {
    if (transaction_->maildir_of_recipient.size() != 1) return std::nullopt;
    return *ehlo::forward_path::parse(transaction_->forward_path, ehlo::charset::utf8);
  }

  /// Counts the Received fields that come by (RFC 5321 6.3).
  bool is_in_a_loop(std::string_view octets) {
    ehlo::header_section_reader& header = transaction_->header;
    while (!header.is_done() && !std::holds_alternative<ehlo::header_section_reader::more>(header.next(octets))) {
    }
    return header.is_loop(chosen_.most_hops);
  }

  /// The rest of the message is swallowed, and the client hears `why` at its end.
  void give_up(const ehlo::reply& why) {
    session_.reject(why);
    transaction_->file.reset();
  }

  bool is_storing() const { return transaction_ && transaction_->file; }

  std::string client_;
  std::unique_ptr<transaction> transaction_;
};

// ---- The adapter: sockets and epoll ------------------------------------------------------------------------

using clock_type = std::chrono::steady_clock;
using moment = clock_type::time_point;

/// What all connections share: none of them holds on to what it has read.
struct workspace {
  const settings& chosen;
  std::vector<char> buffer = std::vector<char>(65536);
  moment now = clock_type::now();
};

/// A session with its socket. It reads only when the session wants octets, and asks the session for more only when all that it said
/// is written: a client that does not read is not read from.
class connection : public receiver {
 public:
  connection(workspace& shared, descriptor socket, std::string client_address, bool is_welcome)
      : receiver{shared.chosen, std::move(client_address)}, shared_{shared}, socket_{std::move(socket)}, is_welcome_{is_welcome} {
    if (chosen_.most_time) ends_at_ = shared_.now + *chosen_.most_time;
    if (chosen_.proxy) {
      proxy_header_ = std::make_unique<ehlo::proxy::reader>(*chosen_.proxy);
      deadline_ = shared_.now + time_for_header;
    } else {
      begin();
    }
  }

  int socket() const { return socket_.number(); }
  std::uint32_t events() const { return unsent_.empty() ? EPOLLIN : EPOLLOUT; }
  moment deadline() const { return is_lingering_ ? deadline_ : std::min(deadline_, ends_at_); }
  bool is_over() const { return !socket_; }

  /// The socket can do what `events` asked for.
  void proceed() {
    if (is_lingering_) {
      const ssize_t count = ::recv(socket(), shared_.buffer.data(), shared_.buffer.size(), 0);
      if (count == 0 || (count < 0 && !is_momentary(errno))) socket_ = {};
    } else if (proxy_header_) {
      read_header();
      return;
    } else if (!unsent_.empty()) {
      send_more();
    } else {
      read_more();
    }
    run();
  }

  /// The deadline has passed.
  void expire() {
    if (is_lingering_ || proxy_header_) {
      socket_ = {};
    } else if (shared_.now >= ends_at_) {
      end();
      return;
    } else if (!unsent_.empty()) {
      session_.disconnected();  // a client that does not read would not read 421 either
      unsent_ = {};
    } else {
      session_.timed_out();
    }
    look_again();
  }

  void shut_down() {
    if (proxy_header_) socket_ = {};  // nobody has been greeted yet
    session_.shutdown();
    look_again();
  }

  /// Shuts down without waiting for the end of a message.
  void cut_short() {
    if (is_lingering_ || proxy_header_) return;
    const bool is_told = unsent_.empty() && (session_.reject(ehlo::replies::service_not_available) ||
                                             session_.timed_out());  // a message that was refused is not refused again
    if (!is_told) session_.disconnected();
    unsent_ = {};
    look_again();
  }

  using receiver::on;

  void on(const ehlo::greeting_question&) {
    is_welcome_ ? session_.answer_default() : session_.reject(ehlo::replies::too_many_connections);
  }

  void on(ehlo::transmit a) {
    if (transcript_) transcript_->hear(ehlo::direction::from_server, a.octets);
    unsent_ = a.octets;
    send_more();
  }

  void on(ehlo::receive) {
    wants_octets_ = true;
    session_.trim();
  }

  /// A socket closed with octets unread would take the last reply with it: the client gets a moment to read it and to close.
  void on(ehlo::close_channel) {
    constexpr std::chrono::seconds moment_to_read{2};
    is_lingering_ = true;
    if (::shutdown(socket(), SHUT_WR) != 0) socket_ = {};
    deadline_ = shared_.now + moment_to_read;
  }

 private:
  static constexpr std::chrono::seconds time_for_header{10};

  /// The client is known: the session begins.
  void begin() {
    if (chosen_.verbose) transcript_ = std::make_unique<example::transcript_printer>(client_address_ + " ");
    if (transcript_ && !input_.empty()) transcript_->hear(ehlo::direction::from_client, input_);
    run();
  }

  /// The time of the connection is over: first it ends unless a message is coming in, later in any case. The session's deadline is
  /// not enough, as each octet of a message puts it off (RFC 5321 4.5.3.2.5).
  void end() {
    const bool is_late = std::exchange(has_to_end_, true);
    ends_at_ = is_late ? moment::max() : shared_.now + chosen_.grace;
    is_late ? cut_short() : shut_down();
  }

  /// Reads what a proxy says of its client, before the session. Nothing is said to a peer whose header is bad: it is no proxy.
  void read_header() {
    const ssize_t count = ::recv(socket(), shared_.buffer.data(), shared_.buffer.size(), 0);
    if (count < 0 && is_momentary(errno)) return;
    input_ = {shared_.buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
    const auto step = proxy_header_->next(input_);
    if (count <= 0 || !step) {
      if (!step) example::print_error("{} is no proxy: {}\n", client_address_, step.error());
      socket_ = {};
      return;
    }
    if (!*step) return;
    if (const auto client = (*step)->client()) {
      std::array<char, ehlo::ip_address::max_literal_size> literal{};
      client_address_.assign(literal.data(), client->address.write_literal(literal.data()));
    }
    proxy_header_.reset();
    begin();
  }

  /// Does what the session says until it needs the socket.
  void run() {
    while (!is_over() && !is_lingering_ && !wants_octets_ && unsent_.empty()) {
      ehlo::dispatch(session_, session_.next(input_), *this);
    }
    if (const ehlo::wait wait = session_.timeout(); !is_lingering_ && wait.serial != wait_serial_) {
      wait_serial_ = wait.serial;
      const bool is_awaited = wait.what != ehlo::waiting_for::nothing;  // else the last reply still has to leave
      deadline_ = shared_.now + std::chrono::seconds{is_awaited ? wait.seconds : chosen_.options.timeouts.command};
    }
    let_go();
  }

  /// The buffer is for the next connection. Octets are left only while the client does not read.
  void let_go() {
    let_go_of_octets();
    if (input_.empty() || is_over() || is_lingering_) {
      input_ = {};
      kept_.reset();
    } else if (!kept_) {
      kept_ = std::make_unique<std::string>(input_);
      input_ = *kept_;
    }
  }

  /// The session has heard news that are not octets.
  void look_again() {
    wants_octets_ = false;
    run();
  }

  static bool is_momentary(int failure) { return failure == EAGAIN || failure == EWOULDBLOCK || failure == EINTR; }

  void send_more() {
    while (!unsent_.empty()) {
      const ssize_t count = ::send(socket(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
      if (count < 0) {
        if (is_momentary(errno)) return;
        session_.disconnected();
        unsent_ = {};
        return;
      }
      unsent_.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void read_more() {
    const ssize_t count = ::recv(socket(), shared_.buffer.data(), shared_.buffer.size(), 0);
    if (count < 0 && is_momentary(errno)) return;
    if (count < 0) session_.disconnected();
    if (count == 0) session_.end_of_input();
    input_ = {shared_.buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
    if (transcript_) transcript_->hear(ehlo::direction::from_client, input_);
    wants_octets_ = false;
  }

  workspace& shared_;
  descriptor socket_;
  std::unique_ptr<ehlo::proxy::reader> proxy_header_;  ///< with --proxy, until the header has come
  bool is_welcome_;
  bool wants_octets_ = false;
  bool is_lingering_ = false;  ///< the session is over, and the client may read what it said
  std::string_view unsent_;    ///< the rest of `transmit`
  std::string_view input_;     ///< octets that the session has not taken: in the buffer that all share, or in `kept_`
  std::unique_ptr<std::string> kept_;
  std::unique_ptr<example::transcript_printer> transcript_;  ///< with --verbose
  std::uint32_t wait_serial_ = 0;
  moment deadline_ = shared_.now + std::chrono::minutes{5};
  moment ends_at_ = moment::max();  ///< with --max-time
  bool has_to_end_ = false;
};

/// Reads the end of a signal handler's pipe.
class stop_signal {
 public:
  static int begin() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
    writing_end = ends[1];
    struct sigaction action {};
    action.sa_handler = [](int) {
      const int before = errno;
      [[maybe_unused]] const ssize_t count = ::write(writing_end, "", 1);
      errno = before;
    };
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGXFSZ, &action, nullptr);  // write says EFBIG instead
    return ends[0];
  }

 private:
  static inline int writing_end = -1;
};

/// The client's end of a socket, as an address literal (RFC 5321 4.1.3), for the Received field.
std::string address_of(const sockaddr_storage& address, socklen_t size) {
  std::array<char, NI_MAXHOST> host{};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
    return "[0.0.0.0]";
  }
  const std::string_view text = host.data();
  if (address.ss_family != AF_INET6) return fmt::format("[{}]", text);
  return fmt::format("[IPv6:{}]", text.substr(0, text.find('%')));  // an address literal names no interface
}

class server {
 public:
  /// A connection has its socket and the file of its message, so that clients that are turned away take neither from it.
  static rlim_t open_files(const settings& chosen) {
    constexpr std::size_t others = 15;  // standard streams, epoll, signals, the spare one, a copy and a folder; some to spare
    return chosen.most_connections * (chosen.discard ? 1 : 2) + most_over + chosen.listen.size() + others;
  }

  explicit server(const settings& chosen)
      : shared_{chosen}, events_{::epoll_create1(EPOLL_CLOEXEC)}, signals_{stop_signal::begin()}, spare_{open_spare()} {
    watch(signals_.number(), EPOLLIN);
  }

  /// Listens at `place`, and prints where. Gives what is wrong, or nothing.
  std::string listen_at(const endpoint& place) {
    std::string host = place.host;
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int failure = ::getaddrinfo(host.c_str(), fmt::to_string(place.port).c_str(), &hints, &found))
      return ::gai_strerror(failure);
    descriptor socket{::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    const int on = 1;
    ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (found->ai_family == AF_INET6) ::setsockopt(socket.number(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    const bool is_bound =
        ::bind(socket.number(), found->ai_addr, found->ai_addrlen) == 0 && ::listen(socket.number(), SOMAXCONN) == 0;
    ::freeaddrinfo(found);
    if (!is_bound) return std::strerror(errno);

    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&bound), &size);
    std::array<char, NI_MAXSERV> port{};
    ::getnameinfo(reinterpret_cast<sockaddr*>(&bound), size, nullptr, 0, port.data(), port.size(), NI_NUMERICSERV);
    example::print("listening on {}:{}\n", place.host, port.data());
    std::fflush(stdout);
    watch(socket.number(), EPOLLIN);
    listeners_.push_back(std::move(socket));
    return {};
  }

  /// Serves until a signal has come and the last connection has gone.
  void run() {
    while (!is_stopping_ || count_ > 0) {
      const std::span<const epoll_event> ready = wait();
      bool is_signaled = false;
      for (const epoll_event& event : ready) {
        if (const auto at = static_cast<std::size_t>(event.data.fd); at < connections_.size() && connections_[at]) {
          connections_[at]->proceed();
          look_after(at);
        } else if (event.data.fd == signals_.number()) {
          is_signaled = true;
        } else {
          accept_from(event.data.fd);
        }
      }
      if (is_signaled) stop();
      if (is_stopping_ && shared_.now >= stop_at_) for_each([](connection& c) { c.cut_short(); });
      if (shared_.now >= next_deadline_) {
        next_deadline_ = moment::max();
        for_each([this](connection& c) {
          if (c.deadline() <= shared_.now) c.expire();
        });
      }
    }
  }

 private:
  /// Waits for a signal, a socket or a deadline. Reads the clock once in a round: a deadline may pass by as much as a round takes.
  std::span<const epoll_event> wait() {
    const moment now = shared_.now;
    moment until = std::min(next_deadline_, now + std::chrono::hours{1});
    if (is_pausing_ && now >= accept_again_at_) {
      is_pausing_ = false;
      for (const descriptor& l : listeners_) watch(l.number(), EPOLLIN);
    }
    if (is_pausing_) until = std::min(until, accept_again_at_);
    if (is_stopping_ && now < stop_at_) until = std::min(until, stop_at_);
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(std::max(until - now, clock_type::duration::zero()));
    const int count =
        ::epoll_wait(events_.number(), ready_.data(), static_cast<int>(ready_.size()), static_cast<int>(rest.count()));
    shared_.now = clock_type::now();
    return {ready_.data(), static_cast<std::size_t>(std::max(count, 0))};
  }

  void watch(int socket, std::uint32_t events, int how = EPOLL_CTL_ADD) const {
    epoll_event wanted{};
    wanted.events = events;
    wanted.data.fd = socket;
    ::epoll_ctl(events_.number(), how, socket, &wanted);
  }

  /// A connection has done something: it waits for something else, or is over.
  void look_after(std::size_t at) {
    const connection& c = *connections_[at];
    if (c.is_over()) {
      connections_[at].reset();
      --count_;
      return;
    }
    next_deadline_ = std::min(next_deadline_, c.deadline());
    if (std::exchange(watched_[at], c.events()) != c.events()) watch(c.socket(), c.events(), EPOLL_CTL_MOD);
  }

  template <class Act>
  void for_each(Act act) {
    for (std::size_t at = 0; at < connections_.size(); ++at) {
      if (!connections_[at]) continue;
      act(*connections_[at]);
      look_after(at);
    }
  }

  void accept_from(int listener) {
    constexpr int turn = 64;  // then it is for the others
    for (int i = 0; i < turn && accept_one(listener); ++i) {
    }
  }

  /// True if there may be another.
  bool accept_one(int listener) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const auto accept = [&] {
      return descriptor{::accept4(listener, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    };
    descriptor socket = accept();
    if (socket) {
      const int on = 1;
      ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // a reply is written whole
      const std::size_t most = shared_.chosen.most_connections;
      if (count_ >= most + most_over) {
        turn_away(std::move(socket), address_of(address, size));
        return true;
      }
      const auto at = static_cast<std::size_t>(socket.number());
      if (at >= connections_.size()) {
        connections_.resize(at + 1);
        watched_.resize(at + 1);
      }
      connections_[at] = std::make_unique<connection>(shared_, std::move(socket), address_of(address, size), count_ < most);
      ++count_;
      watched_[at] = EPOLLIN;
      watch(static_cast<int>(at), EPOLLIN);
      look_after(at);
      return true;
    }
    if (errno == EINTR || errno == ECONNABORTED) return true;
    if (errno == EAGAIN) return false;
    // Without a free descriptor the client would stay in the queue, and epoll would report it again and again. The spare one is
    // enough to say 421 and to close; where that does not help, accepting has a pause.
    constexpr std::chrono::milliseconds pause{200};
    if (errno == EMFILE || errno == ENFILE) {
      spare_ = {};
      if (socket = accept(); socket) turn_away(std::move(socket), address_of(address, size));
      spare_ = open_spare();
      if (spare_) return false;
    }
    accept_again_at_ = shared_.now + pause;
    is_pausing_ = true;
    for (const descriptor& l : listeners_) watch(l.number(), 0, EPOLL_CTL_DEL);
    return false;
  }

  /// Says 421 and closes, whether the client has read it or not.
  void turn_away(descriptor socket, std::string client_address) {
    connection last{shared_, std::move(socket), std::move(client_address), false};
  }

  static constexpr std::size_t most_over = 8;  ///< connections above the limit that get the time to read why

  static descriptor open_spare() { return descriptor{::open("/dev/null", O_RDONLY | O_CLOEXEC)}; }

  void stop() {
    std::array<char, 16> signals{};
    while (::read(signals_.number(), signals.data(), signals.size()) > 0) {
    }
    stop_at_ = is_stopping_ ? shared_.now : shared_.now + shared_.chosen.grace;
    is_stopping_ = true;
    is_pausing_ = false;
    listeners_.clear();
    for_each([](connection& c) { c.shut_down(); });
  }

  workspace shared_;
  descriptor events_;
  descriptor signals_;
  descriptor spare_;
  std::vector<descriptor> listeners_;
  std::vector<std::unique_ptr<connection>> connections_;  ///< at the number of its socket
  std::vector<std::uint32_t> watched_;                    ///< what each of them waits for
  std::size_t count_ = 0;
  std::array<epoll_event, 256> ready_{};
  moment next_deadline_ = moment::max();  ///< no connection has an earlier one
  bool is_pausing_ = false;               ///< no connection is accepted
  moment accept_again_at_{};
  bool is_stopping_ = false;
  moment stop_at_{};  ///< when connections that are left are cut short
};

}  // namespace

int main(int argc, char** argv) {
  example::prepare_streams();
  static settings chosen;
  read_arguments(argc, argv, chosen);
  if (!chosen.discard) {
    const std::string first = expand(chosen.maildir, "postmaster");
    if (const int failure = make_maildir(first)) {
      example::print_error("{}: {}: {}\n", argv[0], first, std::strerror(failure));
      return EXIT_FAILURE;
    }
  }
  const rlim_t wanted = server::open_files(chosen);
  if (const rlim_t allowed = example::allow_open_files(wanted); allowed < wanted) {
    example::print_error("{}: --max-connections {} wants {} open files, and {} are allowed\n", argv[0], chosen.most_connections,
                         wanted, allowed);
    return EXIT_FAILURE;
  }
  server here{chosen};
  for (const endpoint& place : chosen.listen) {
    if (const std::string failure = here.listen_at(place); !failure.empty()) {
      example::print_error("{}: cannot listen at {}:{}: {}\n", argv[0], place.host, place.port, failure);
      return EXIT_FAILURE;
    }
  }
  here.run();
  if (!example::was_printed(stdout)) {
    example::print_error("{}: nobody was told where it listened\n", argv[0]);
    return EXIT_FAILURE;
  }
}
