// SPDX-License-Identifier: BSL-1.0
//
// A mail sender: one message, for as many recipients as there are, to one server by SMTP or LMTP, with POSIX sockets and OpenSSL.
//
// It shows a client session driven by a blocking loop through `dispatch`: TLS, AUTH (with GNU SASL, where it was there when this
// was built, for SCRAM-SHA-256 and CRAM-MD5), a message that is read from disk while it is sent, what came of it for each
// recipient, and a header section that is composed.
//
//     03_send --server mail.example.org --user alice --password-file secret --from alice@example.org --to b@client.example
//             --subject Hello note.txt
//     03_send --server 127.0.0.1:2525 --tls never --from a@client.example --to b@example.org message.eml
//
// A real program would have a queue, from which it sends again what was deferred, with longer and longer pauses (RFC 5321 4.5.4.1),
// find the servers of a domain by their MX records (5), write the reports that a refusal asks for (6.1), and keep sessions open for
// the next message to the same server.

#include <netdb.h>
#include <sys/stat.h>
#include <sysexits.h>
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
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#ifdef EHLO_EXAMPLE_HAS_GSASL
#include <gsasl.h>
#endif

#include <fmt/core.h>

#include <ehlo/ehlo.hpp>
#include <ehlo/format.hpp>

#include "support/host_name.hpp"
#include "support/options.hpp"
#include "support/posix_channel.hpp"
#include "support/print.hpp"
#include "support/secret_octets.hpp"
#include "support/transcript_printer.hpp"

namespace {

constexpr const char* help_text = R"(Usage: 03_send --server HOST[:PORT] --from MAILBOX --to MAILBOX [OPTION]... FILE
Send the message in FILE ("-": standard input) and say what came of it for each recipient.

  --server HOST[:PORT]    a name or an address, [::1]:25 (default port 587, with --tls implicit 465)
  --from MAILBOX          the reverse-path; <> for none
  --to MAILBOX            a recipient; may be repeated
  --tls POLICY            required: STARTTLS, and a certificate of that server (default); opportunistic: STARTTLS
                          if it can be had, from whomever; never; implicit: TLS from the first octet
  --ca FILE               authorities to trust, PEM (default: those of the system)
  --user NAME             authenticate, with
  --password-file FILE    the password (or token) in its first line
  --mechanism NAME        use this mechanism only; may be repeated, in the order of preference (default
                          SCRAM-SHA-256, CRAM-MD5, PLAIN and LOGIN; the first two are there if this was built with
                          GNU SASL). XOAUTH2 and OAUTHBEARER are there, too
  --lmtp                  speak LMTP
  --hostname NAME         what this host calls itself (default: its name)
  --all-or-nothing        send nothing if a recipient is refused
  --notify EVENTS         success, failure, delay in a list, or never: when reports are wanted (DSN)
  --ret WHAT              full or hdrs: what a report of failure brings back (DSN)
  --envid ID              what reports call this envelope (DSN)
  --subject TEXT          FILE is text only: a header section is put before it, and lines end as mail's do
  --cc MAILBOX            the same; a further recipient, who is named in Cc
  --normalize             let lines that end in LF or CR alone end in CRLF
  --no-pipelining         send each command when the one before is answered
  --no-chunking           send by DATA even where BDAT is offered
  --verbose               print the dialogue on standard error, without credentials and mail data
  --help                  show this

Prints a line for each recipient: delivered, refused, deferred, not sent or unknown, and why. Exit status: 0, all
were delivered; 64, the command line is wrong; 65, the message cannot go by this server as it is; 66, a file cannot
be read; 68, no such host; 69, refused for good; 74, FILE could not be read any more, or the lines not be printed;
75, try again later; 76, the server broke the protocol; 77, TLS or authentication failed.
)";

// ---- The command line -------------------------------------------------------------------------------------

/// What the command line says.
struct settings {
  ehlo::client_options options;
  std::vector<ehlo::auth_mechanism> mechanisms;
  std::string hostname;
  std::string host;
  std::string port;
  std::string authorities;
  std::string user;
  std::string password_file;
  std::vector<std::string_view> to;
  std::vector<std::string_view> cc;
  std::string_view from;
  std::optional<std::string_view> subject;
  std::string file;
  ehlo::sender_options sender;
  ehlo::recipient_options recipient;
  std::string envid;
  bool implicit_tls = false;
  bool verbose = false;

  bool is_composed() const { return subject || !cc.empty(); }
};

/// The mechanisms that can be had here, in the order of preference; the last ones are used only if they are asked for.
struct known_mechanism {
  ehlo::auth_mechanism mechanism;
  bool by_default = true;
};
constexpr std::array known_mechanisms{
#ifdef EHLO_EXAMPLE_HAS_GSASL
    known_mechanism{ehlo::mechanisms::scram_sha_256},
    known_mechanism{ehlo::mechanisms::cram_md5},
#endif
    known_mechanism{ehlo::mechanisms::plain},
    known_mechanism{ehlo::mechanisms::login},
    known_mechanism{ehlo::mechanisms::oauthbearer, false},
    known_mechanism{ehlo::mechanisms::xoauth2, false},
};

void read_server(std::string_view value, settings& out, const example::arguments& given) {
  const std::size_t bracket = value.starts_with('[') ? value.find(']') : 0;
  if (bracket == value.npos) given.refuse("--server wants HOST:PORT, not '{}'", value);
  const std::size_t colon = value.find(':', bracket);
  const bool is_more = bracket > 0 && std::min(colon, value.size()) > bracket + 1;  // than a port, as in [::1]more:25
  out.host = bracket > 0 ? value.substr(1, bracket - 1) : value.substr(0, colon);
  out.port = colon == value.npos ? std::string_view{} : value.substr(colon + 1);
  if (is_more || out.host.empty() || (colon != value.npos && out.port.empty())) {
    given.refuse("--server wants HOST:PORT, not '{}'", value);
  }
  // A name of a service has a letter (RFC 6335 5.1); getaddrinfo takes any other number modulo 65536.
  const bool is_name = std::ranges::any_of(out.port, [](char c) { return ehlo::ascii::alpha.contains(c); });
  if (!out.port.empty() && !is_name && !given.port(out.port)) given.refuse("--server: '{}' is no port from 1 to 65535", out.port);
}

void read_tls(std::string_view value, settings& out, const example::arguments& given) {
  out.implicit_tls = value == "implicit";
  if (value == "required") {
    out.options.tls = ehlo::tls_policy::required;
  } else if (value == "opportunistic") {
    out.options.tls = ehlo::tls_policy::opportunistic;
  } else if (value == "never") {
    out.options.tls = ehlo::tls_policy::never;
  } else if (value == "implicit") {
    out.options.tls = ehlo::tls_policy::active;
  } else {
    given.refuse("--tls is required, opportunistic, never or implicit, not '{}'", value);
  }
}

void read_mechanism(std::string_view value, settings& out, const example::arguments& given) {
  for (const known_mechanism& known : known_mechanisms) {
    if (!ehlo::ascii::equal_ignoring_case(known.mechanism.name, value)) continue;
    out.mechanisms.push_back(known.mechanism);
    return;
  }
  given.refuse("--mechanism: '{}' cannot be had here", value);
}

void read_arguments(int argc, char** argv, settings& out) {
  static const option known[] = {
      {"server", required_argument, nullptr, 's'},
      {"from", required_argument, nullptr, 'f'},
      {"to", required_argument, nullptr, 't'},
      {"tls", required_argument, nullptr, 'T'},
      {"ca", required_argument, nullptr, 'a'},
      {"user", required_argument, nullptr, 'u'},
      {"password-file", required_argument, nullptr, 'p'},
      {"mechanism", required_argument, nullptr, 'm'},
      {"lmtp", no_argument, nullptr, 'l'},
      {"hostname", required_argument, nullptr, 'n'},
      {"all-or-nothing", no_argument, nullptr, 'A'},
      {"notify", required_argument, nullptr, 'N'},
      {"ret", required_argument, nullptr, 'R'},
      {"envid", required_argument, nullptr, 'E'},
      {"subject", required_argument, nullptr, 'S'},
      {"cc", required_argument, nullptr, 'c'},
      {"normalize", no_argument, nullptr, 'z'},
      {"no-pipelining", no_argument, nullptr, 'P'},
      {"no-chunking", no_argument, nullptr, 'C'},
      {"verbose", no_argument, nullptr, 'v'},
      {"help", no_argument, nullptr, 'h'},
      {nullptr, 0, nullptr, 0},
  };
  example::arguments given{argc, argv, known, help_text, 1, EX_USAGE};
  out.hostname = example::name_of_this_host();
  out.options.limits.coalesced = 16384;  // one record of TLS, and one system call, for many short lines
  for (int name = given.next(); name != -1; name = given.next()) {
    switch (name) {
      case 's': read_server(given.value(), out, given); break;
      case 'f': out.from = given.value(); break;
      case 't': out.to.push_back(given.value()); break;
      case 'T': read_tls(given.value(), out, given); break;
      case 'a': out.authorities = given.value(); break;
      case 'u': out.user = given.value(); break;
      case 'p': out.password_file = given.value(); break;
      case 'm': read_mechanism(given.value(), out, given); break;
      case 'l': out.options.protocol = ehlo::protocol::lmtp; break;
      case 'n': out.hostname = given.parsed<ehlo::host>().text(); break;
      case 'A': out.options.recipients = ehlo::recipient_policy::all_or_nothing; break;
      case 'N':
        if (const auto notify = ehlo::parse_notify(given.value())) {
          out.recipient.notify = *notify;
        } else {
          given.refuse("--notify: {}", given.reason(notify.error()));
        }
        break;
      case 'R':
        if (const auto ret = ehlo::parse_ret(given.value())) {
          out.sender.ret = *ret;
        } else {
          given.refuse("--ret: {}", given.reason(ret.error()));
        }
        break;
      case 'E': {
        out.envid.resize(given.value().size() * 3);
        out.envid.resize(static_cast<std::size_t>(ehlo::write_xtext(given.value(), out.envid.data()) - out.envid.data()));
        const auto envid = ehlo::parse_envid(out.envid);
        if (!envid) given.refuse("--envid: {}", given.reason(envid.error()));
        out.sender.envid = *envid;
        break;
      }
      case 'S': out.subject = given.value(); break;
      case 'c': out.cc.push_back(given.value()); break;
      case 'z': out.options.line_ends = ehlo::line_ends::normalize; break;
      case 'P': out.options.pipelining = false; break;
      case 'C': out.options.chunking = ehlo::chunking_policy::never; break;
      case 'v': out.verbose = true; break;
    }
  }
  if (out.host.empty()) given.refuse("--server is missing");
  if (out.from.empty()) given.refuse("--from is missing");
  if (out.to.empty() && out.cc.empty()) given.refuse("--to is missing");
  if (given.operand(0) == nullptr) given.refuse("the FILE is missing");
  if (out.user.empty() != out.password_file.empty()) given.refuse("--user and --password-file belong together");
  if (!out.mechanisms.empty() && out.user.empty()) given.refuse("--mechanism is for a --user");
  out.file = given.operand(0);
  if (out.port.empty()) out.port = out.implicit_tls ? "465" : "587";
  if (out.mechanisms.empty()) {
    for (const known_mechanism& each : known_mechanisms) {
      if (each.by_default) out.mechanisms.push_back(each.mechanism);
    }
  }
  if (out.is_composed()) out.options.line_ends = ehlo::line_ends::normalize;
  if (!out.user.empty()) out.options.mechanisms = out.mechanisms;
  out.options.hostname = out.hostname;
  if (const auto good = out.options.check(); !good) given.refuse("{}", example::arguments::reason(good.error()));
}

/// Ends the program before anything was sent.
[[noreturn]] void give_up(int status, std::string_view about, std::string_view what) {
  example::print_error("03_send: {}: {}\n", about, what);
  std::exit(status);
}

ehlo::envelope make_envelope(const settings& chosen) {
  ehlo::envelope out;
  const auto check = [](ehlo::result<void> done, std::string_view text) {
    if (!done) give_up(EX_USAGE, text, fmt::format("{}", done.error()));
  };
  check(out.begin(chosen.from, chosen.sender), chosen.from);
  for (const auto& list : {chosen.to, chosen.cc}) {
    for (const std::string_view to : list) check(out.add(to, chosen.recipient), to);
  }
  return out;
}

example::secret_octets read_password(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rb"), &std::fclose};
  if (!file) give_up(EX_NOINPUT, path, std::strerror(errno));
  std::setbuf(file.get(), nullptr);      // there is no copy of it to be wiped
  example::secret_octets octets{16384};  // tokens are long
  const std::size_t count = std::fread(octets.data(), 1, octets.size(), file.get());
  std::string_view line = octets.reveal().substr(0, count);
  const std::size_t end = line.find('\n');
  if (end == line.npos && count == octets.size()) give_up(EX_NOINPUT, path, "its first line is too long");
  line = line.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) give_up(EX_NOINPUT, path, "there is no password in its first line");
  return example::secret_octets{line};
}

// ---- The message ------------------------------------------------------------------------------------------

/// The message: what was composed here, if anything, and a file behind it. It is read twice: to know its traits, and to send it.
class message_source {
 public:
  /// Gives what is wrong, or nothing.
  std::string open(const std::string& path) {
    file_.reset(path == "-" ? copy_of(stdin) : std::fopen(path.c_str(), "rb"));
    if (file_ && !is_read_twice()) file_.reset(copy_of(file_.get()));
    return file_ ? std::string{} : std::strerror(errno);
  }

  /// Puts octets before those of the file.
  void put_before(std::string header_section) { header_ = std::move(header_section); }

  /// Reads all of it. None if it cannot be read.
  std::optional<ehlo::message_traits> scan() {
    ehlo::message_scanner scanner;
    if (!rewind()) return std::nullopt;
    for (bool more = true; more;) {
      const auto octets = read();
      if (!octets) return std::nullopt;
      more = !octets->empty();
      scanner.feed(*octets);
    }
    size_ = scanner.traits().size.value_or(0);
    return scanner.traits();
  }

  /// False if that cannot be.
  bool rewind() {
    given_ = 0;
    return ::fseeko(file_.get(), 0, SEEK_SET) == 0;
  }

  /// The next octets, which live until the next call; none at the end. Nothing if they cannot be read.
  std::optional<std::string_view> read() {
    if (given_ < header_.size()) {
      given_ = header_.size();
      return header_;
    }
    const std::size_t count = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
    if (count == 0 && std::ferror(file_.get()) != 0) return std::nullopt;
    given_ += count;
    return std::string_view{buffer_.data(), count};
  }

  std::uint64_t size() const { return size_; }
  std::uint64_t given() const { return given_; }

 private:
  using file_pointer = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

  /// False for a pipe, whose octets come once.
  bool is_read_twice() {
    struct stat what {};
    return ::fstat(::fileno(file_.get()), &what) == 0 && S_ISREG(what.st_mode) && rewind();
  }

  static std::FILE* copy_of(std::FILE* in) {
    file_pointer out{std::tmpfile(), &std::fclose};
    std::array<char, 16384> octets;
    while (out) {
      const std::size_t count = std::fread(octets.data(), 1, octets.size(), in);
      if (count == 0 && std::ferror(in) != 0) return nullptr;
      if (count == 0) break;
      if (std::fwrite(octets.data(), 1, count, out.get()) != count) return nullptr;
    }
    if (out && std::fflush(out.get()) != 0) return nullptr;  // the disk is full
    return out.release();
  }

  file_pointer file_{nullptr, &std::fclose};
  std::string header_;
  std::uint64_t size_ = 0;
  std::uint64_t given_ = 0;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 18U);
};

/// A header section for a text. RFC 5322 3.6.
std::string compose(const settings& chosen, const ehlo::envelope& envelope, const ehlo::message_traits& text) {
  const auto author = envelope.reverse_path().mailbox();
  if (!author) give_up(EX_USAGE, "--from", "a header section names its author, who has a mailbox");
  const ehlo::person from{.mailbox = *author};
  std::vector<ehlo::person> to;
  std::vector<ehlo::person> cc;
  for (const ehlo::recipient& each : envelope.view()) {
    const auto mailbox = each.path.mailbox();
    if (!mailbox) give_up(EX_USAGE, each.path.text(), "a header section names mailboxes with a domain");
    (each.index < chosen.to.size() ? to : cc).push_back({.mailbox = *mailbox});
  }
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::random_device random;
  const std::string id =
      fmt::format("<{:x}.{:08x}{:08x}@{}>", static_cast<std::uint64_t>(now), random(), random(), chosen.hostname);
  std::vector<ehlo::extra_field> extra;
  if (text.body == ehlo::body_type::eight_bit) {  // RFC 2045
    extra.push_back({"MIME-Version", "1.0"});
    extra.push_back({"Content-Type", "text/plain; charset=utf-8"});
    extra.push_back({"Content-Transfer-Encoding", "8bit"});
  }
  // An address literal as the host's name may not make an identifier; then the server gives one.
  const auto message_id = ehlo::message_id::parse(id);
  const ehlo::header_section section{
      .from = {&from, 1},
      .to = to,
      .cc = cc,
      .subject = chosen.subject.value_or(std::string_view{}),
      .date = *ehlo::date_time::from_unix(now, static_cast<int>(local.tm_gmtoff / 60)),
      .message_id = message_id ? std::optional{*message_id} : std::nullopt,
      .extra = extra,
  };

  std::string out;
  const auto size = ehlo::room_for(section, ehlo::charset::utf8);
  if (!size) give_up(EX_USAGE, "the header section", fmt::format("{}", size.error()));
  out.resize(*size);
  (void)ehlo::write(section, out, ehlo::charset::utf8);
  return out;
}

// ---- Authentication ---------------------------------------------------------------------------------------

#ifdef EHLO_EXAMPLE_HAS_GSASL
/// A mechanism of GNU SASL, as `ehlo::sasl::answer` takes it.
class gsasl_mechanism {
 public:
  gsasl_mechanism(std::string_view name, std::string_view user, ehlo::secret password) {
    if (gsasl_init(&library_) != GSASL_OK) return;
    if (gsasl_client_start(library_, std::string{name}.c_str(), &session_) != GSASL_OK) return;
    gsasl_property_set_raw(session_, GSASL_AUTHID, user.data(), user.size());
    gsasl_property_set_raw(session_, GSASL_PASSWORD, password.reveal().data(), password.size());
  }
  gsasl_mechanism(const gsasl_mechanism&) = delete;
  gsasl_mechanism& operator=(const gsasl_mechanism&) = delete;
  ~gsasl_mechanism() {
    if (session_ != nullptr) gsasl_finish(session_);
    if (library_ != nullptr) gsasl_done(library_);
  }

  ehlo::result<ehlo::sasl::client_step> step(std::optional<std::string_view> challenge, std::span<char> out) {
    if (session_ == nullptr) return ehlo::error{ehlo::errc::mechanism_unknown};
    char* octets = nullptr;
    std::size_t size = 0;
    const int status =
        gsasl_step(session_, challenge ? challenge->data() : nullptr, challenge ? challenge->size() : 0, &octets, &size);
    const bool fits = size <= out.size();
    if (octets != nullptr) {
      if (fits) std::memcpy(out.data(), octets, size);
      ehlo::wipe(octets, size);
      gsasl_free(octets);
    }
    // A server that does not know the password fails here (RFC 5802 3), and is told "*".
    if (status != GSASL_OK && status != GSASL_NEEDS_MORE) return ehlo::error{ehlo::errc::authentication_failed};
    if (!fits) return ehlo::error{ehlo::errc::sasl_too_long};
    return ehlo::sasl::client_step{size, status == GSASL_OK};
  }

 private:
  Gsasl* library_ = nullptr;
  Gsasl_session* session_ = nullptr;
};
static_assert(ehlo::sasl::client_mechanism<gsasl_mechanism>);
#endif

// ---- What came of it --------------------------------------------------------------------------------------

/// What came of the message for one recipient.
struct verdict {
  enum class kind { open, delivered, refused, deferred, not_sent, unknown };

  kind what = kind::open;
  std::string why;

  static verdict of(const ehlo::received_reply& reply, bool transient) {
    return {reply.is_completed() ? kind::delivered : transient ? kind::deferred : kind::refused, fmt::format("{}", reply)};
  }
  std::string_view word() const {
    constexpr std::array<std::string_view, 6> words{"not sent", "delivered", "refused", "deferred", "not sent", "unknown"};
    return words[static_cast<std::size_t>(what)];
  }
};

/// The exit status of a message that has failed for a reason without a reply.
int status_of(ehlo::errc reason) {
  using enum ehlo::errc;
  switch (reason) {
    case smtputf8_not_offered:
    case eight_bit_mime_not_offered:
    case binary_mime_not_offered:
    case size_over_limit:
    case dsn_not_offered:
    case require_tls_not_offered:
    case keyword_not_offered:
    case bare_line_end:
    case bare_cr:
    case bare_lf:
    case eight_bit_text:
    case text_line_too_long: return EX_DATAERR;
    case tls_not_offered:
    case tls_refused:
    case tls_handshake:
    case tls_too_weak:
    case no_common_mechanism:
    case authentication_failed:
    case authentication_cancelled:
    case authentication_unfinished: return EX_NOPERM;
    case octets_before_tls:
    case unexpected_reply:
    case unsolicited_reply:
    case reply_malformed:
    case reply_codes_differ:
    case reply_over_limit:
    case reset_refused: return EX_PROTOCOL;
    default: return EX_TEMPFAIL;
  }
}

// ---- The session and its adapter: a blocking channel ------------------------------------------------------

/// Sends the message, and keeps what came of it.
class sender {
 public:
  sender(const settings& chosen, const ehlo::envelope& envelope, message_source& message, example::posix_channel& channel,
         const example::trust& trusted, ehlo::secret password)
      : chosen_{chosen},
        message_{message},
        channel_{channel},
        trusted_{trusted},
        password_{password},
        session_{chosen.options},
        verdicts_(envelope.recipient_count()) {
    if (chosen.verbose) transcript_ = std::make_unique<example::transcript_printer>("");
  }
  sender(const sender&) = delete;
  sender& operator=(const sender&) = delete;
  ~sender() { ehlo::wipe(scratch_.data(), scratch_.size()); }

  void send(const ehlo::envelope& envelope, const ehlo::message_traits& traits) {
    if (chosen_.implicit_tls) {
      channel_.expires_after(std::chrono::seconds{chosen_.options.timeouts.handshake});
      if (const example::outcome shaken = shake_hands(); shaken != example::outcome::done) {
        const bool is_late = shaken == example::outcome::expired;
        if (!is_late && !channel_.failure().empty()) note(channel_.failure());
        return fail(is_late ? ehlo::errc::reply_timeout : ehlo::errc::tls_handshake, ehlo::delivery::not_accepted);
      }
      session_.identify(who());
    }
    session_.begin_transaction(envelope, traits);
    while (ehlo::dispatch(session_, next(), *this)) {
    }
    channel_.close();
  }

  const std::vector<verdict>& verdicts() const { return verdicts_; }

  /// What the program ends with.
  int status() const {
    using enum verdict::kind;
    const auto any = [this](verdict::kind what) {
      return std::any_of(verdicts_.begin(), verdicts_.end(), [what](const verdict& each) { return each.what == what; });
    };
    if (status_ != EX_OK) return status_;
    if (any(refused)) return EX_UNAVAILABLE;
    return any(deferred) || any(not_sent) || any(unknown) || any(open) ? EX_TEMPFAIL : EX_OK;
  }

  // What the session says: see `dispatch`.

  void on(const ehlo::transmit& a) {
    if (transcript_) transcript_->hear(ehlo::direction::from_client, a.octets);
    if (channel_.write(a.octets) != example::outcome::done) session_.disconnected();
  }
  void on(const ehlo::receive&) { read(); }
  void on(const ehlo::start_tls&) {
    const example::outcome shaken = shake_hands();
    if (shaken == example::outcome::done) {
      if (transcript_) transcript_->tls_started();
      session_.tls_started(who());
    } else if (shaken == example::outcome::expired) {
      session_.timed_out();
    } else {
      session_.tls_failed();
    }
  }
  void on(const ehlo::credentials_question& q) {
    namespace sasl = ehlo::sasl;
    // A password is for the server that was meant, not for whoever answers: opportunistic TLS asks for no certificate.
    if (is_secure_ && !channel_.is_verified()) {
      note("the password is kept from a server that could not show who it is");
      session_.decline(q.ticket);
      return;
    }
#ifdef EHLO_EXAMPLE_HAS_GSASL
    if (q.mechanism == ehlo::mechanisms::scram_sha_256.name || q.mechanism == ehlo::mechanisms::cram_md5.name) {
      if (q.step == 0) exchange_.emplace(q.mechanism, chosen_.user, password_);
      if (!sasl::answer(session_, q, *exchange_, scratch_)) note("the server does not know the password");
      return;
    }
#endif
    const sasl::client_credentials who{.authentication_identity = chosen_.user, .proof = password_, .host = chosen_.host};
    if (const auto said = sasl::answer(session_, q, who, scratch_); !said) {
      note(ehlo::describe(said.error().code).text);
      session_.decline(q.ticket);  // what fits in no line has left the question open
    }
  }
  void on(const ehlo::mail_data_question& q) {
    const bool is_there = !q.begin || message_.rewind();
    const auto octets = is_there ? message_.read() : std::nullopt;
    show_progress();
    if (!octets || (octets->empty() && message_.given() < message_.size())) {
      note(octets ? "the file has become shorter" : "the message cannot be read any more");
      status_ = EX_IOERR;
      session_.abandon(q.ticket);
    } else if (octets->empty() || message_.given() >= message_.size()) {
      session_.end_of_mail_data(q.ticket, *octets);
    } else {
      session_.data(q.ticket, *octets);
    }
  }
  void on(const ehlo::recipient_result& r) {
    if (!r.is_accepted()) {
      settle(r.index, verdict::of(r.reply, r.transient));
    } else if (r.reply.code() == 251) {
      note(fmt::format("{}", r.reply));  // where it goes on to (RFC 5321 3.4)
    }
  }
  void on(const ehlo::recipient_deferred& r) { settle(r.index, {verdict::kind::deferred, fmt::format("{}", r.reason)}); }
  void on(const ehlo::message_result& r) {
    for (std::uint32_t index = r.first; index < r.last; ++index) settle(index, verdict::of(r.reply, r.reply.is_transient()));
  }
  void on(const ehlo::authentication_result& r) {
    if (!r.is_authenticated()) note(fmt::format("{}: {}", r.mechanism, r.reply));
  }
  void on(const ehlo::failed& f) {
    hear(f.reply);
    const std::string_view reason = ehlo::describe(f.reason).text;
    note(f.reply ? fmt::format("{}: {}", reason, *f.reply) : std::string{reason});
    if (f.reason == ehlo::errc::tls_handshake && !channel_.failure().empty()) note(channel_.failure());
  }
  void on(const ehlo::transaction_failed& f) {
    hear(f.reply);
    fail(f.reason, f.delivery);
  }

 private:
  ehlo::client_action next() {
    const ehlo::client_action action = session_.next(input_);
    if (const ehlo::wait wait = session_.timeout(); wait.serial != serial_) {
      constexpr std::chrono::seconds last_words{60};  // while the session waits for nothing, what it says still has to leave
      serial_ = wait.serial;
      channel_.expires_after(wait.what == ehlo::waiting_for::nothing ? last_words : std::chrono::seconds{wait.seconds});
    }
    return action;
  }

  void read() {
    std::size_t count = 0;
    switch (channel_.read(buffer_, count)) {
      case example::outcome::done:
        input_ = {buffer_.data(), count};
        if (transcript_) transcript_->hear(ehlo::direction::from_server, input_);
        break;
      case example::outcome::ended: session_.end_of_input(); break;
      case example::outcome::expired: session_.timed_out(); break;
      case example::outcome::broken: session_.disconnected(); break;
    }
  }

  example::outcome shake_hands() {
    using certificate = example::posix_channel::certificate;
    const bool is_any = chosen_.options.tls == ehlo::tls_policy::opportunistic;
    is_secure_ = true;
    return channel_.handshake(trusted_, chosen_.host, is_any ? certificate::any : certificate::checked);
  }
  ehlo::server_identity who() const {
    return channel_.is_verified() ? ehlo::server_identity::verified : ehlo::server_identity::unverified;
  }

  /// The first verdict stands: a message that was accepted was not accepted for those whom RCPT had refused.
  void settle(std::uint32_t index, verdict found) {
    if (verdicts_[index].what == verdict::kind::open) verdicts_[index] = std::move(found);
  }

  /// Keeps the reply that refused the message, or the session.
  void hear(const std::optional<ehlo::received_reply>& reply) {
    if (reply && !reply->is_positive()) said_ = verdict::of(*reply, reply->is_transient());
  }

  /// Gives those recipients a verdict who have none yet.
  void fail(ehlo::errc reason, ehlo::delivery delivery) {
    using enum verdict::kind;
    verdict found{delivery == ehlo::delivery::unknown ? unknown : not_sent, std::string{ehlo::describe(reason).text}};
    if (delivery != ehlo::delivery::unknown && said_) found = *said_;
    // A refusal of credentials says nothing of the recipients.
    const int status = status_of(reason);
    if (status == EX_NOPERM && found.what != deferred) found.what = not_sent;
    const bool is_final = status == EX_DATAERR || status == EX_PROTOCOL || status == EX_NOPERM;
    if (status_ == EX_OK && is_final && found.what != deferred && found.what != refused) status_ = status;
    if (found.what == not_sent) note(found.why);
    for (std::uint32_t index = 0; index < verdicts_.size(); ++index) settle(index, found);
  }

  void note(std::string_view text) {
    clear_progress();
    if (text != last_note_) example::print_error("03_send: {}\n", text);
    last_note_ = text;
  }

  /// A bar for people, while a large message leaves.
  void show_progress() {
    constexpr std::uint64_t large = 1U << 20U;
    constexpr std::uint64_t width = 40;
    if (message_.size() < large || ::isatty(STDERR_FILENO) == 0) return;
    const std::uint64_t done = std::min(message_.given(), message_.size());
    const auto filled = static_cast<std::size_t>(done * width / message_.size());
    example::print_error("\r[{:<{}}] {:3} %", std::string(filled, '#'), width, done * 100 / message_.size());
    has_bar_ = true;
  }
  void clear_progress() {
    if (std::exchange(has_bar_, false)) example::print_error("\r{:<60}\r", "");
  }

  const settings& chosen_;
  message_source& message_;
  example::posix_channel& channel_;
  const example::trust& trusted_;
  ehlo::secret password_;
  ehlo::client_session session_;
  std::vector<verdict> verdicts_;
  std::unique_ptr<example::transcript_printer> transcript_;  ///< with --verbose
  std::optional<verdict> said_;                              ///< by the server, when it failed the transaction
  int status_ = EX_OK;
  std::string last_note_;
  std::optional<std::uint32_t> serial_;
  std::string_view input_;
  bool is_secure_ = false;
  bool has_bar_ = false;
#ifdef EHLO_EXAMPLE_HAS_GSASL
  std::optional<gsasl_mechanism> exchange_;
#endif
  std::array<char, 16384> buffer_{};
  std::array<char, 18432> scratch_{};
};

}  // namespace

int main(int argc, char** argv) {
  example::prepare_streams();
  static settings chosen;
  read_arguments(argc, argv, chosen);

  const ehlo::envelope envelope = make_envelope(chosen);
  message_source message;
  if (const std::string failure = message.open(chosen.file); !failure.empty()) give_up(EX_NOINPUT, chosen.file, failure);
  auto traits = message.scan();
  if (traits && chosen.is_composed()) {
    message.put_before(compose(chosen, envelope, *traits));
    traits = message.scan();
  }
  if (!traits) give_up(EX_NOINPUT, chosen.file, std::strerror(errno));
  example::secret_octets password;
  if (!chosen.password_file.empty()) password = read_password(chosen.password_file);
  const example::trust trusted{chosen.authorities};
  if (!trusted.failure().empty()) give_up(EX_NOINPUT, chosen.authorities, trusted.failure());

  example::posix_channel channel;
  const std::chrono::seconds each_address{30};
  if (const int failure = channel.open(chosen.host, chosen.port, each_address)) {
    const bool is_nobody = failure != EAI_AGAIN && failure != EAI_SYSTEM && failure != EAI_MEMORY;
    give_up(is_nobody ? EX_NOHOST : EX_TEMPFAIL, chosen.host + ":" + chosen.port, channel.failure());
  }
  sender mail{chosen, envelope, message, channel, trusted, ehlo::secret{password.reveal()}};
  mail.send(envelope, *traits);
  for (const ehlo::recipient& each : envelope.view()) {
    const verdict& found = mail.verdicts()[each.index];
    example::print("{} {}: {}\n", each.path, found.word(), found.why);
  }
  if (example::was_printed(stdout)) return mail.status();
  example::print_error("03_send: standard output: what came of it could not be printed\n");
  return mail.status() == EX_OK ? EX_IOERR : mail.status();
}
