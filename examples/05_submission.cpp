// SPDX-License-Identifier: BSL-1.0
//
// A message submission server (RFC 6409) with coroutines of Asio, OpenSSL and GNU SASL: mail from users who have said who they are,
// under TLS, to anybody, into a spool on disk.
//
// It shows a session that meets TLS (STARTTLS and implicit) and AUTH (mechanisms of `ehlo` and of another library), driven by
// `support/asio_drive.hpp`, and what a submission server may add to a message.
//
//     05_submission --listen 127.0.0.1:2587 --listen-tls 127.0.0.1:2465 --certificate cert.pem --key key.pem
//                   --users users.txt --domain example.org --spool /tmp/spool
//     curl --ssl-reqd smtp://127.0.0.1:2587 --user alice:secret --mail-from alice@example.org --mail-rcpt b@client.example
//                   --upload-file message.txt
//
// A real program would keep no passwords: for each user a salt, an iteration count and the two keys of SCRAM (RFC 5802 3), which
// also check a password that comes by PLAIN or LOGIN, and leave CRAM-MD5 out, which cannot do without the password. It would
// prepare names and passwords (SASLprep), slow down who guesses them, limit what one user may send, give its privileges up after
// `listen`, wait for the disk in threads (a question may be answered later), complete the header section further (RFC 6409 8), and
// have a client that empties the spool.

#include <fcntl.h>
#include <gsasl.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/signal_set.hpp>

#include <fmt/format.h>

#include <ehlo/format.hpp>
#include <ehlo/message/header_section.hpp>
#include <ehlo/message/trace.hpp>
#include <ehlo/sasl/server.hpp>
#include <ehlo/secret.hpp>
#include <ehlo/server/session.hpp>

#include "support/asio_channel.hpp"
#include "support/asio_drive.hpp"
#include "support/folders.hpp"
#include "support/host_name.hpp"
#include "support/open_files.hpp"
#include "support/options.hpp"
#include "support/print.hpp"
#include "support/secret_octets.hpp"
#include "support/transcript_printer.hpp"

namespace {

using example::secret_octets;

constexpr const char* help_text = R"(Usage: 05_submission --certificate FILE --key FILE --users FILE --spool FOLDER [OPTION]...
Take mail for submission from users who authenticate under TLS, and store it in a spool.

  --listen ADDR:PORT        where to listen for clients that say STARTTLS: 127.0.0.1:2587, [::1]:2587; port 0:
                            any free port, which is printed; may be repeated (default 127.0.0.1:2587, if
                            --listen-tls is not given either)
  --listen-tls ADDR:PORT    where to listen for clients that begin with TLS; may be repeated
  --certificate FILE        certificate chain, PEM
  --key FILE                its private key, PEM
  --users FILE              lines of NAME:PASSWORD; others than the owner must not be able to read it
  --spool FOLDER            where mail goes; made if it is not there. new/ID.envelope and new/ID.message are one
                            message: the commands MAIL and RCPT in lines, and what a client may send behind DATA
  --hostname NAME           what this host calls itself (default: its name)
  --domain NAME             where users have their mailboxes: NAME@DOMAIN; may be repeated (default: the host
                            name). A user whose name has an @ has that mailbox only
  --any-sender              let users send in the name of others
  --cram-md5                offer CRAM-MD5 besides PLAIN, LOGIN and SCRAM-SHA-256
  --max-size OCTETS         largest message, at least 65536; 0: any (default 67108864)
  --max-connections NUMBER  more are told 421, or closed where TLS would come first (default 500); each takes up to three
                            descriptors, of which there have to be enough
  --timeout SECONDS         how long a client may be silent (default 300, and 180 within a message)
  --max-time SECONDS        how long a connection may last, however busy it is (default: as long as its client likes);
                            mail data that are coming in (with BDAT: a chunk) then have --grace more
  --grace SECONDS           how long messages may still come in after SIGTERM (default 5)
  --verbose                 print the dialogue of each session on standard error, without credentials and mail data
  --help                    show this

SIGTERM and SIGINT end it: idle clients are told 421; a second signal does not wait for the others.
)";

// ---- Secrets ----------------------------------------------------------------------------------------------

/// The users and their passwords.
class user_list {
 public:
  user_list() : nobody_{32} {
    RAND_bytes(reinterpret_cast<unsigned char*>(nobody_.data()), static_cast<int>(nobody_.size()));
    // Letters, so that a mechanism that wants text takes it as it takes a real one.
    std::transform(nobody_.data(), nobody_.data() + nobody_.size(), nobody_.data(),
                   [](char octet) { return static_cast<char>('a' + (octet & 15)); });
  }

  /// Reads lines of NAME:PASSWORD. Gives what is wrong, or nothing.
  std::string read(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::strerror(errno);
    struct stat facts {};
    if (::fstat(file, &facts) != 0 || (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0 || !S_ISREG(facts.st_mode)) {
      ::close(file);
      return "it has to be a file that only its owner can read";
    }
    secret_octets content{static_cast<std::size_t>(facts.st_size)};
    const ssize_t count = ::read(file, content.data(), content.size());
    ::close(file);
    if (count != facts.st_size) return "it cannot be read";
    std::string_view rest = content.reveal();
    for (int number = 1; !rest.empty(); ++number) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);  // lines of another system
      if (line.empty()) continue;
      const std::size_t colon = line.find(':');
      if (colon == 0 || colon == line.npos || colon + 1 == line.size()) return fmt::format("line {} is not NAME:PASSWORD", number);
      passwords_.insert_or_assign(std::string{line.substr(0, colon)}, secret_octets{line.substr(colon + 1)});
    }
    return passwords_.empty() ? "there are no users in it" : "";
  }

  bool has(std::string_view name) const { return passwords_.find(name) != passwords_.end(); }

  /// Of nobody, if there is no such user: an exchange goes the same way, and does not tell who is a user.
  std::string_view password_of(std::string_view name) const {
    const auto found = passwords_.find(name);
    return found == passwords_.end() ? nobody_.reveal() : found->second.reveal();
  }

  bool is_password(std::string_view name, ehlo::secret given) const {
    const bool is_equal = ehlo::equal_in_constant_time(given, ehlo::secret{password_of(name)});
    return is_equal && has(name);
  }

 private:
  std::map<std::string, secret_octets, std::less<>> passwords_;
  secret_octets nobody_;
};

/// What an exchange leads to: octets for the client, the name of a user, or neither.
struct sasl_step {
  std::optional<secret_octets> challenge{};
  std::optional<std::string> user{};
};

/// GNU SASL, for the mechanisms that `ehlo` has not.
class sasl_library {
 public:
  explicit sasl_library(const user_list& users) {
    if (gsasl_init(&library_) != GSASL_OK) library_ = nullptr;
    if (library_ == nullptr) return;
    gsasl_callback_hook_set(library_, const_cast<user_list*>(&users));
    gsasl_callback_set(library_, [](Gsasl* library, Gsasl_session* session, Gsasl_property wanted) -> int {
      const char* const name = gsasl_property_fast(session, GSASL_AUTHID);
      if (wanted != GSASL_PASSWORD || name == nullptr) return GSASL_NO_CALLBACK;
      const auto& known = *static_cast<const user_list*>(gsasl_callback_hook_get(library));
      const std::string_view password = known.password_of(name);
      return gsasl_property_set_raw(session, GSASL_PASSWORD, password.data(), password.size());
    });
  }
  sasl_library(const sasl_library&) = delete;
  sasl_library& operator=(const sasl_library&) = delete;
  ~sasl_library() {
    if (library_ != nullptr) gsasl_done(library_);
  }

  bool has(const char* mechanism) const { return library_ != nullptr && gsasl_server_support_p(library_, mechanism) == 1; }

  /// An exchange that is under way.
  class exchange {
   public:
    exchange(const sasl_library& library, const user_list& users, const std::string& mechanism) : users_{&users} {
      Gsasl_session* session = nullptr;
      if (gsasl_server_start(library.library_, mechanism.c_str(), &session) == GSASL_OK) session_.reset(session);
    }

    sasl_step step(std::string_view response) {
      if (is_proven_) {  // the client has seen the server's proof and says nothing more (RFC 4954 4: no octets with 235)
        if (response.empty()) return {.user = name()};
        return {};
      }
      if (!session_) return {};
      char* octets = nullptr;
      std::size_t size = 0;
      const int status = gsasl_step(session_.get(), response.data(), response.size(), &octets, &size);
      std::optional<secret_octets> said;
      if (octets != nullptr) {
        said.emplace(std::string_view{octets, size});
        ehlo::wipe(octets, size);
        gsasl_free(octets);
      }
      if (status == GSASL_NEEDS_MORE) return {.challenge = said ? std::move(said) : std::optional<secret_octets>{std::in_place}};
      if (status != GSASL_OK || !is_good()) return {};
      if (!said || said->size() == 0) return {.user = name()};
      is_proven_ = true;
      return {.challenge = std::move(said)};
    }

   private:
    struct finish {
      void operator()(Gsasl_session* session) const { gsasl_finish(session); }
    };

    std::string name() const {
      const char* const found = gsasl_property_fast(session_.get(), GSASL_AUTHID);
      return found == nullptr ? std::string{} : std::string{found};
    }
    /// Nobody acts as another here.
    bool is_good() const {
      const char* const as = gsasl_property_fast(session_.get(), GSASL_AUTHZID);
      return users_->has(name()) && (as == nullptr || *as == '\0' || name() == as);
    }

    const user_list* users_;
    std::unique_ptr<Gsasl_session, finish> session_;
    bool is_proven_ = false;
  };

 private:
  Gsasl* library_ = nullptr;
};

// ---- The command line -------------------------------------------------------------------------------------

/// What the command line says.
struct settings {
  ehlo::server_options options;
  std::vector<ehlo::auth_mechanism> mechanisms;
  std::string hostname;
  std::vector<std::string> listen;
  std::vector<std::string> listen_tls;
  std::vector<ehlo::host> domains;
  std::string certificate;
  std::string key;
  std::string users;
  std::string spool;
  bool any_sender = false;
  bool cram_md5 = false;
  std::size_t most_connections = 500;
  std::optional<std::chrono::seconds> most_time;  ///< of a connection
  std::chrono::seconds grace{5};
  bool verbose = false;
};

void read_arguments(int argc, char** argv, settings& out) {
  static const option known[] = {
      {"listen", required_argument, nullptr, 'i'},
      {"listen-tls", required_argument, nullptr, 'I'},
      {"certificate", required_argument, nullptr, 'e'},
      {"key", required_argument, nullptr, 'k'},
      {"users", required_argument, nullptr, 'u'},
      {"spool", required_argument, nullptr, 'm'},
      {"hostname", required_argument, nullptr, 'n'},
      {"domain", required_argument, nullptr, 'd'},
      {"any-sender", no_argument, nullptr, 'a'},
      {"cram-md5", no_argument, nullptr, '5'},
      {"max-size", required_argument, nullptr, 's'},
      {"max-connections", required_argument, nullptr, 'c'},
      {"timeout", required_argument, nullptr, 't'},
      {"max-time", required_argument, nullptr, 'T'},
      {"grace", required_argument, nullptr, 'g'},
      {"verbose", no_argument, nullptr, 'v'},
      {"help", no_argument, nullptr, 'h'},
      {nullptr, 0, nullptr, 0},
  };
  constexpr std::uint32_t one_day = 86400;
  example::arguments given{argc, argv, known, help_text};
  out.hostname = example::name_of_this_host();
  out.options.tls = ehlo::tls_mode::required;
  out.options.auth_required = true;
  out.options.any_reply_code = true;  // RFC 6409 4.2 has 554 for MAIL and RCPT, RFC 5321 4.3.2 has not
  out.options.limits.errors = 100;
  for (int name = given.next(); name != -1; name = given.next()) {
    switch (name) {
      case 'i': out.listen.emplace_back(given.value()); break;
      case 'I': out.listen_tls.emplace_back(given.value()); break;
      case 'e': out.certificate = given.value(); break;
      case 'k': out.key = given.value(); break;
      case 'u': out.users = given.value(); break;
      case 'm': out.spool = given.value(); break;
      case 'n': out.hostname = given.parsed<ehlo::host>().text(); break;
      case 'd': out.domains.push_back(given.parsed<ehlo::host>()); break;
      case 'a': out.any_sender = true; break;
      case '5': out.cram_md5 = true; break;
      case 's': out.options.limits.message = given.number<std::uint64_t>(); break;
      case 'c': out.most_connections = given.number<std::size_t>(1, 1'000'000); break;
      case 't':
        out.options.timeouts.command = given.number<std::uint32_t>(1, one_day);
        out.options.timeouts.data_block = out.options.timeouts.command;
        out.options.timeouts.handshake = out.options.timeouts.command;
        break;
      case 'T': out.most_time = std::chrono::seconds{given.number<std::uint32_t>(1, one_day)}; break;
      case 'g': out.grace = std::chrono::seconds{given.number<std::uint32_t>(0, one_day)}; break;
      case 'v': out.verbose = true; break;
    }
  }
  for (const auto& [name, value] :
       {std::pair{"certificate", &out.certificate}, {"key", &out.key}, {"users", &out.users}, {"spool", &out.spool}}) {
    if (value->empty()) given.refuse("--{} is missing", name);
  }
  if (out.listen.empty() && out.listen_tls.empty()) out.listen.emplace_back("127.0.0.1:2587");
  if (out.domains.empty()) out.domains.push_back(*ehlo::host::parse(out.hostname));
  out.options.hostname = out.hostname;
  if (const auto good = out.options.check(); !good) given.refuse("{}", example::arguments::reason(good.error()));
}

// ---- The spool --------------------------------------------------------------------------------------------
// Functions give 0, or what errno said.

int make_spool(const std::string& path) {
  for (const char* part : {"", "/tmp", "/new"}) {
    if (const int failure = example::make_folder(path + part)) return failure;
  }
  return 0;
}

/// A file that is being written.
class new_file {
 public:
  new_file() = default;
  new_file(const new_file&) = delete;
  new_file& operator=(const new_file&) = delete;
  ~new_file() { close(); }

  int open(const std::string& path) {
    number_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return number_ < 0 ? errno : 0;
  }
  int append(std::string_view octets) {
    constexpr std::size_t block = 65536;
    buffer_ += octets;
    return buffer_.size() < block ? 0 : flush();
  }
  int finish() {
    int failure = flush();
    if (failure == 0 && ::fsync(number_) != 0) failure = errno;
    close();
    return failure;
  }

 private:
  int flush() {
    for (std::string_view rest = buffer_; !rest.empty();) {
      const ssize_t count = ::write(number_, rest.data(), rest.size());
      if (count < 0 && errno != EINTR) return errno;
      if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
    }
    buffer_.clear();
    return 0;
  }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

  int number_ = -1;
  std::string buffer_;
};

/// One message on its way into the spool: written to `tmp`, then moved to `new`, the envelope last. A message whose envelope is not
/// there has not been accepted. What is not stored does not stay.
class submission {
 public:
  submission(const std::string& spool, std::string id) : spool_{spool}, id_{std::move(id)} {}
  submission(const submission&) = delete;
  submission& operator=(const submission&) = delete;
  ~submission() {
    if (is_stored_) return;
    for (const char* kind : {".envelope", ".message"}) {
      ::unlink(path("/tmp/", kind).c_str());
      ::unlink(path("/new/", kind).c_str());
    }
  }

  const std::string& id() const { return id_; }
  int begin() { return message_.open(path("/tmp/", ".message")); }
  int append(std::string_view octets) { return message_.append(octets); }

  int store(std::string_view envelope) {
    new_file beside;
    int failure = message_.finish();
    if (failure == 0) failure = beside.open(path("/tmp/", ".envelope"));
    if (failure == 0) failure = beside.append(envelope);
    if (failure == 0) failure = beside.finish();
    for (const char* kind : {".message", ".envelope"}) {
      if (failure == 0 && ::rename(path("/tmp/", kind).c_str(), path("/new/", kind).c_str()) != 0) failure = errno;
    }
    if (failure == 0) failure = example::sync_folder(spool_ + "/new");
    is_stored_ = failure == 0;
    return failure;
  }

 private:
  std::string path(const char* folder, const char* kind) const { return spool_ + folder + id_ + kind; }

  const std::string& spool_;
  std::string id_;
  new_file message_;
  bool is_stored_ = false;
};

/// What no other message has: time, process and count. An atom, as the ID of a Received field has to be.
std::string unique_id() {
  static std::uint64_t count = 0;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return fmt::format("{}M{}P{}Q{}", now.tv_sec, now.tv_nsec / 1000, ::getpid(), ++count);
}

/// What a client hears when the disk says no. The message stays with the client.
const ehlo::reply& reply_for(int failure) {
  const bool is_full = failure == ENOSPC || failure == EDQUOT || failure == EFBIG;
  return is_full ? ehlo::replies::insufficient_storage : ehlo::replies::local_error;
}

// ---- The decisions ----------------------------------------------------------------------------------------

/// What all sessions share.
struct service {
  const settings& chosen;
  const user_list& users;
  const sasl_library& sasl;
};

/// Answers the questions of one session, and stores its mail.
class submission_handler {
 public:
  submission_handler(const service& here, const ehlo::server_options& options, example::asio_channel& channel,
                     std::string client_address, bool is_welcome)
      : here_{here}, channel_{channel}, client_address_{std::move(client_address)}, is_welcome_{is_welcome}, session_{options} {
    if (here.chosen.verbose) transcript_ = std::make_unique<example::transcript_printer>(client_address_ + " ");
  }

  ehlo::server_session& session() { return session_; }

  void seen(const ehlo::server_action& action) {
    const auto* const said = std::get_if<ehlo::transmit>(&action);
    if (said != nullptr && transcript_) transcript_->hear(ehlo::direction::from_server, said->octets);
  }

  void heard(std::string_view octets) {
    if (transcript_) transcript_->hear(ehlo::direction::from_client, octets);
  }

  void on(const ehlo::start_tls&) {
    if (transcript_) transcript_->tls_started();
    session_.tls_started();
  }

  void on(const ehlo::greeting_question&) {
    is_welcome_ ? session_.answer_default() : session_.reject(ehlo::replies::too_many_connections);
  }

  void on(const ehlo::hello_question& q) {
    client_ = q.client.text();
    session_.accept();
  }

  void on(const ehlo::auth_question& q) {
    if (q.initial) begin_exchange(q.mechanism);
    std::optional<secret_octets> response;
    if (q.response) {
      response.emplace(q.response->decoded_size());
      q.response->decode(response->data());
    }
    const sasl_step step = next_step(response);
    if (step.challenge) {
      if (!session_.challenge(step.challenge->reveal())) session_.reject(ehlo::replies::auth_temporary_failure);
      return;
    }
    exchange_.emplace<std::monostate>();
    if (!step.user) {
      session_.reject(ehlo::replies::bad_credentials);
      return;
    }
    user_ = *step.user;
    session_.authenticated();
  }

  void on(ehlo::exchange_ended) { exchange_.emplace<std::monostate>(); }

  ehlo::reply on(const ehlo::mail_question& q) {
    if (!may_send_as(q.reverse_path)) return not_your_mailbox;
    if (q.reverse_path.mailbox() && !is_fully_qualified(q.reverse_path.mailbox()->host())) return sender_not_fully_qualified;
    forget();
    envelope_ = command("MAIL FROM:", q.reverse_path.text(), q.parameters.text());
    return ehlo::replies::mail_ok;
  }

  ehlo::reply on(const ehlo::rcpt_question& q) {
    if (q.forward_path.mailbox() && !is_fully_qualified(q.forward_path.mailbox()->host())) return recipient_not_fully_qualified;
    envelope_ += command("RCPT TO:", q.forward_path.text(), q.parameters.text());
    forward_path_ = q.forward_path.text();
    return ehlo::replies::rcpt_ok;
  }

  void on(const ehlo::data_question& q) {
    session_.accept();
    header_ = {};
    held_.clear();
    has_date_ = has_message_id_ = false;
    submission_.emplace(here_.chosen.spool, unique_id());
    int failure = submission_->begin();
    if (failure == 0) failure = submission_->append(received(q.recipients));
    if (failure != 0) give_up(reply_for(failure));
  }

  void on(ehlo::mail_data a) {
    if (!submission_) return;
    if (const int failure = append(a.octets)) {
      give_up(reply_for(failure));
    } else if (header_.is_loop()) {
      give_up(routing_loop);
    }
  }

  ehlo::reply on(const ehlo::message_question&) {
    header_.end_of_input();
    int failure = append({});
    if (failure == 0) failure = submission_->store(envelope_);
    if (failure == 0 && here_.chosen.verbose) example::print_error("{} stored {}\n", client_address_, submission_->id());
    forget();
    return failure == 0 ? ehlo::replies::message_ok : reply_for(failure);
  }

  void on(ehlo::transaction_reset) { forget(); }

 private:
  static constexpr ehlo::reply not_your_mailbox{550, {5, 7, 1}, "Reverse-path is not a mailbox of the user"};  // RFC 6409 6.1
  // RFC 6409 4.2
  static constexpr ehlo::reply sender_not_fully_qualified{554, {5, 1, 8}, "Domain of the reverse-path is not fully qualified"};
  static constexpr ehlo::reply recipient_not_fully_qualified{554, {5, 1, 2}, "Domain of the forward-path is not fully qualified"};
  static constexpr ehlo::reply routing_loop{554, {5, 4, 0}, "Message is in a loop: too many Received fields"};

  // ---- Who it is

  void begin_exchange(std::string_view mechanism) {
    exchange_.emplace<std::monostate>();
    ehlo::sasl::server_exchange own;
    if (own.start(mechanism)) {
      exchange_ = own;
    } else {
      exchange_.emplace<sasl_library::exchange>(here_.sasl, here_.users, std::string{mechanism});
    }
  }

  sasl_step next_step(const std::optional<secret_octets>& response) {
    if (auto* const other = std::get_if<sasl_library::exchange>(&exchange_)) {
      return other->step(response ? response->reveal() : std::string_view{});
    }
    auto* const own = std::get_if<ehlo::sasl::server_exchange>(&exchange_);
    if (own == nullptr) return {};
    const auto outcome = own->step(response ? std::optional{response->reveal()} : std::nullopt);
    if (const auto* const c = std::get_if<ehlo::sasl::challenge>(&outcome)) return {.challenge = secret_octets{c->octets}};
    const auto* const claimed = std::get_if<ehlo::sasl::credentials>(&outcome);
    if (claimed == nullptr) return {};
    const std::string_view as = claimed->authorization_identity;
    const std::string_view name = claimed->authentication_identity;
    if (!here_.users.is_password(name, claimed->proof) || (!as.empty() && as != name)) return {};
    return {.user = std::string{name}};
  }

  /// The null reverse-path is nobody's, and disposition notifications want it (RFC 8098 3).
  bool may_send_as(const ehlo::reverse_path& path) const {
    const auto sender = path.mailbox();
    if (!sender || here_.chosen.any_sender) return true;
    if (user_.find('@') != user_.npos) {
      const auto own = ehlo::mailbox::parse(user_, ehlo::charset::utf8);
      return own && *own == *sender;
    }
    return std::ranges::any_of(here_.chosen.domains, [&](const ehlo::host& domain) {
      const std::string text = fmt::format("{}@{}", user_, domain.text());
      const auto own = ehlo::mailbox::parse(text, ehlo::charset::utf8);
      return own && *own == *sender;
    });
  }

  static bool is_fully_qualified(const ehlo::host& host) {
    return host.is_address_literal() || host.text().find('.') != std::string_view::npos;
  }

  // ---- The message

  static std::string command(std::string_view verb, std::string_view path, std::string_view parameters) {
    return fmt::format("{}{}{}{}\n", verb, path, parameters.empty() ? "" : " ", parameters);
  }

  /// Date and Message-ID are known to be missing at the end of the header section: it passes, but for its last two octets, the
  /// empty line, which are held back to put the missing fields before them. Without octets the message is over.
  int append(std::string_view octets) {
    using reader = ehlo::header_section_reader;
    if (header_.is_done()) return submission_->append(octets);
    const std::string_view all = octets;
    for (;;) {
      const auto event = header_.next(octets);
      if (const auto* const field = std::get_if<reader::field_start>(&event)) {
        has_date_ |= ehlo::ascii::equal_ignoring_case(field->name, "Date");
        has_message_id_ |= ehlo::ascii::equal_ignoring_case(field->name, "Message-ID");
      }
      if (std::holds_alternative<reader::more>(event) || std::holds_alternative<reader::section_end>(event)) break;
    }
    held_ += all.substr(0, all.size() - octets.size());
    if (!header_.is_done()) {
      const std::size_t sure = held_.size() - std::min<std::size_t>(held_.size(), ehlo::crlf.size());
      const int failure = submission_->append(std::string_view{held_}.substr(0, sure));
      held_.erase(0, sure);
      return failure;
    }
    if (all.empty()) {  // the message is over, and had no empty line
      if (!held_.empty() && !held_.ends_with(ehlo::crlf)) held_ += ehlo::crlf;
      held_ += missing_fields();
    } else {
      held_.insert(held_.size() - ehlo::crlf.size(), missing_fields());
    }
    int failure = submission_->append(held_);
    if (failure == 0) failure = submission_->append(octets);
    held_.clear();
    return failure;
  }

  std::string received(std::uint32_t recipients) const {
    using ehlo::charset;
    const std::string facts = channel_.tls_facts();
    std::optional<ehlo::forward_path> only;  // several recipients are not told of each other (RFC 5321 7.2)
    if (recipients == 1) only = *ehlo::forward_path::parse(forward_path_, charset::utf8);
    const ehlo::received_field field{
        .from = *ehlo::host::parse(client_, charset::utf8),
        .peer = *ehlo::address_literal::parse(client_address_),
        .by = *ehlo::host::parse(here_.chosen.hostname),
        .with = ehlo::with_protocol_of(session_),
        .comment = facts,
        .id = submission_->id(),
        .recipient = only,
        .date = *ehlo::date_time::from_unix(std::time(nullptr)),
    };
    std::array<char, 2048> stamp{};
    const std::size_t size = *ehlo::write(field, stamp);  // cannot fail: the session let no UTF-8 in, and the room is enough
    return std::string{stamp.data(), size};
  }

  std::string missing_fields() const {
    std::string out;
    if (!has_date_) {
      std::array<char, ehlo::date_time::max_size> date{};
      const char* const end = ehlo::date_time::from_unix(std::time(nullptr))->write(date.data());
      out += fmt::format("Date: {}\r\n", std::string_view{date.data(), static_cast<std::size_t>(end - date.data())});
    }
    if (!has_message_id_) out += fmt::format("Message-ID: <{}@{}>\r\n", submission_->id(), here_.chosen.hostname);
    return out;
  }

  /// The rest of the message is swallowed, and the client hears `why` at its end.
  void give_up(const ehlo::reply& why) {
    session_.reject(why);
    submission_.reset();
  }

  void forget() {
    submission_.reset();
    envelope_.clear();
  }

  const service& here_;
  example::asio_channel& channel_;
  std::string client_address_;  ///< as an address literal
  bool is_welcome_;
  ehlo::server_session session_;
  std::unique_ptr<example::transcript_printer> transcript_;  ///< with --verbose
  std::string client_;
  std::string user_;
  std::variant<std::monostate, ehlo::sasl::server_exchange, sasl_library::exchange> exchange_;
  std::string forward_path_;  ///< of the last recipient
  std::string envelope_;
  std::optional<submission> submission_;
  ehlo::header_section_reader header_;
  std::string held_;  ///< the last octets of the header section so far
  bool has_date_ = false;
  bool has_message_id_ = false;
};

/// Has the system allow what so many clients need, each with a message on its way, and as many more that are told 421. Gives what
/// is wrong, or nothing.
std::string make_room_for(std::size_t connections) {
  constexpr rlim_t each = 3;
  constexpr rlim_t others = 64;  // listeners, standard streams, what the library has, the folder that is being synced
  const rlim_t wanted = each * connections + others;
  const rlim_t allowed = example::allow_open_files(wanted);
  if (allowed >= wanted) return {};
  return fmt::format("the {} descriptors that this program may have do for {}", allowed,
                     (std::max(allowed, others) - others) / each);
}

// ---- The adapter: Asio ------------------------------------------------------------------------------------

using tcp = asio::ip::tcp;

/// What an exception says.
std::string reason(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "?";
  }
}

/// Whether TLS is there before the first octet.
enum class begins { in_clear, with_tls };

/// A client and its session.
class connection {
 public:
  connection(const service& here, const ehlo::server_options& options, tcp::socket socket, asio::ssl::context& tls,
             std::string address, bool is_welcome)
      : grace_{here.chosen.grace},
        end_{socket.get_executor()},
        channel_{std::move(socket), tls},
        handler_{here, options, channel_, std::move(address), is_welcome} {
    if (here.chosen.most_time) end_after(*here.chosen.most_time);
  }

  asio::awaitable<void> serve() {
    const ehlo::server_options& options = handler_.session().options();
    if (options.tls == ehlo::tls_mode::active) {
      channel_.expires_after(std::chrono::seconds{options.timeouts.handshake});
      if (co_await channel_.handshake() != example::outcome::done) co_return;
    }
    co_await example::drive(handler_.session(), channel_, handler_);
  }

  /// Says 421: at once unless mail data are coming in, which have the time of grace; then in any case. What a client then does not
  /// take is lost soon. The session's own deadline is not enough: each octet of a message puts it off (RFC 5321 4.5.3.2.5).
  void end() {
    constexpr std::chrono::seconds moment_to_read{5};
    switch (ending_) {
      case ending::not_yet:
        ending_ = ending::with_grace;
        handler_.session().shutdown();
        channel_.wake();
        end_after(grace_);
        break;
      case ending::with_grace:
        ending_ = ending::at_once;
        if (!channel_.is_reading() || !say_421()) return abort();
        channel_.wake();
        end_after(moment_to_read);
        break;
      case ending::at_once: abort(); break;
    }
  }
  bool is_ending() const { return ending_ != ending::not_yet; }
  void abort() { channel_.abort(); }

 private:
  enum class ending { not_yet, with_grace, at_once };

  bool say_421() {
    ehlo::server_session& session = handler_.session();
    if (session.reject(ehlo::replies::service_not_available)) return true;
    return session.timed_out().has_value();  // a message that was refused is not refused again
  }

  void end_after(std::chrono::seconds time) {
    end_.expires_after(time);
    end_.async_wait([this, alive = std::weak_ptr{alive_}](std::error_code cancelled) {
      if (cancelled || alive.expired() || end_.expiry() > asio::steady_timer::clock_type::now()) return;
      end();
    });
  }

  std::chrono::seconds grace_;
  asio::steady_timer end_;
  ending ending_ = ending::not_yet;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  ///< a timer that has run out may still tell so when all this is gone
  example::asio_channel channel_;
  submission_handler handler_;
};

/// The client's end of a socket, as an address literal (RFC 5321 4.1.3), for the Received field.
std::string address_of(const tcp::endpoint& peer) {
  const asio::ip::address address = peer.address();
  if (address.is_v4()) return fmt::format("[{}]", address.to_string());
  asio::ip::address_v6 v6 = address.to_v6();
  v6.scope_id(0);  // an address literal names no interface
  return fmt::format("[IPv6:{}]", v6.to_string());
}

class server {
 public:
  server(asio::io_context& loop, const service& here, asio::ssl::context& tls)
      : loop_{loop}, here_{here}, tls_{tls}, implicit_{here.chosen.options}, signals_{loop, SIGTERM, SIGINT} {
    implicit_.tls = ehlo::tls_mode::active;
    await_signal();
  }

  /// Listens at `address`, and prints where. Gives what is wrong, or nothing.
  std::string listen_at(const std::string& address, begins how) {
    const std::size_t colon = address.rfind(':');
    if (colon == 0 || colon == address.npos) return "that is not ADDR:PORT";
    const std::string port = address.substr(colon + 1);
    if (!example::arguments::port(port, 0)) return fmt::format("'{}' is no port: a number from 0 to 65535", port);
    std::string host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    std::error_code failure;
    tcp::resolver resolver{loop_};
    const auto found = resolver.resolve(host, port, tcp::resolver::passive | tcp::resolver::numeric_service, failure);
    if (failure) return failure.message();
    const tcp::endpoint endpoint = found.begin()->endpoint();
    tcp::acceptor& listener = listeners_.emplace_back(loop_);
    listener.open(endpoint.protocol(), failure);
    if (!failure) listener.set_option(tcp::acceptor::reuse_address{true}, failure);
    if (!failure && endpoint.protocol() == tcp::v6()) listener.set_option(asio::ip::v6_only{true}, failure);
    if (!failure) listener.bind(endpoint, failure);
    if (!failure) listener.listen(asio::socket_base::max_listen_connections, failure);
    if (failure) return failure.message();
    example::print("listening {}on {}:{}\n", how == begins::with_tls ? "with TLS " : "", address.substr(0, colon),
                   listener.local_endpoint(failure).port());
    std::fflush(stdout);
    asio::co_spawn(loop_, accept_from(listener, how), rethrow);
    return {};
  }

 private:
  static void rethrow(std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  }

  asio::awaitable<void> accept_from(tcp::acceptor& listener, begins how) {
    constexpr std::chrono::milliseconds pause{200};
    asio::steady_timer timer{loop_};
    while (!is_stopping_) {
      std::error_code failure;
      tcp::socket socket = co_await listener.async_accept(asio::redirect_error(asio::use_awaitable, failure));
      if (is_stopping_) break;
      if (failure) {  // no descriptor is free; the queue is still there
        timer.expires_after(pause);
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, failure));
        continue;
      }
      const tcp::endpoint peer = socket.remote_endpoint(failure);
      if (failure) continue;
      const bool is_welcome = connections_.size() < here_.chosen.most_connections;
      // To be told 421 costs a client's place, too, and a handshake much more.
      if (!is_welcome && (how == begins::with_tls || connections_.size() >= 2 * here_.chosen.most_connections)) continue;
      const ehlo::server_options& options = how == begins::with_tls ? implicit_ : here_.chosen.options;
      const std::string address = address_of(peer);
      const auto place = connections_.emplace(connections_.end(), here_, options, std::move(socket), tls_, address, is_welcome);
      asio::co_spawn(loop_, place->serve(), [this, place, address](const std::exception_ptr& failed) {
        connections_.erase(place);
        if (is_stopping_ && connections_.empty()) signals_.cancel();
        if (failed) example::print_error("{} ended: {}\n", address, reason(failed));  // the others go on
      });
    }
  }

  void await_signal() {
    signals_.async_wait([this](std::error_code cancelled, int) {
      if (!cancelled) stop();
    });
  }

  void stop() {
    const bool again = std::exchange(is_stopping_, true);
    for (tcp::acceptor& listener : listeners_) {
      std::error_code ignored;
      listener.close(ignored);
    }
    for (connection& each : connections_) {
      if (again) {
        each.abort();
      } else if (!each.is_ending()) {
        each.end();
      }
    }
    if (again || connections_.empty()) return;
    await_signal();  // the second
  }

  asio::io_context& loop_;
  const service& here_;
  asio::ssl::context& tls_;
  ehlo::server_options implicit_;
  asio::signal_set signals_;
  std::list<tcp::acceptor> listeners_;
  std::list<connection> connections_;
  bool is_stopping_ = false;
};

/// A signal that comes while the program ends already, and nobody waits for one any more, must not end it in its own way.
void ignore_late_signals() {
  sigset_t late;
  ::sigemptyset(&late);
  for (const int number : {SIGTERM, SIGINT}) ::sigaddset(&late, number);
  ::sigprocmask(SIG_BLOCK, &late, nullptr);
}

/// TLS 1.2 or later, with the certificate and its key. Gives what is wrong, or nothing.
std::string prepare(asio::ssl::context& tls, const settings& chosen) {
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(tls.native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_COMPRESSION);
  std::error_code failure;
  tls.use_certificate_chain_file(chosen.certificate, failure);
  if (failure) return fmt::format("{}: {}", chosen.certificate, failure.message());
  tls.use_private_key_file(chosen.key, asio::ssl::context::pem, failure);
  if (failure || SSL_CTX_check_private_key(tls.native_handle()) != 1)
    return fmt::format("{}: not the key of the certificate", chosen.key);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  example::prepare_streams();
  static settings chosen;
  read_arguments(argc, argv, chosen);
  const auto complain = [&](std::string_view about, std::string_view what) {
    example::print_error("{}: {}: {}\n", argv[0], about, what);
    return EXIT_FAILURE;
  };

  ::signal(SIGXFSZ, SIG_IGN);  // write says EFBIG instead
  if (const std::string failure = make_room_for(chosen.most_connections); !failure.empty())
    return complain("--max-connections", failure);
  if (const int failure = make_spool(chosen.spool)) return complain(chosen.spool, std::strerror(failure));
  user_list users;
  if (const std::string failure = users.read(chosen.users); !failure.empty()) return complain(chosen.users, failure);
  asio::ssl::context tls{asio::ssl::context::tls_server};
  if (const std::string failure = prepare(tls, chosen); !failure.empty()) return complain("TLS", failure);

  // Under TLS only, all of them: a listener who has heard an exchange of SCRAM or CRAM-MD5 may guess the password at leisure.
  const sasl_library sasl{users};
  const auto under_tls = [](ehlo::auth_mechanism mechanism) {
    mechanism.needs_tls = true;
    return mechanism;
  };
  if (sasl.has("SCRAM-SHA-256")) chosen.mechanisms.push_back(under_tls(ehlo::mechanisms::scram_sha_256));
  if (chosen.cram_md5 && sasl.has("CRAM-MD5")) chosen.mechanisms.push_back(under_tls(ehlo::mechanisms::cram_md5));
  chosen.mechanisms.push_back(ehlo::mechanisms::plain);
  chosen.mechanisms.push_back(ehlo::mechanisms::login);
  chosen.options.mechanisms = chosen.mechanisms;

  const service here{chosen, users, sasl};
  asio::io_context loop{1};
  server all{loop, here, tls};
  for (const auto how : {begins::in_clear, begins::with_tls}) {
    for (const std::string& address : how == begins::with_tls ? chosen.listen_tls : chosen.listen) {
      if (const std::string failure = all.listen_at(address, how); !failure.empty()) return complain(address, failure);
    }
  }
  loop.run();
  ignore_late_signals();
  return example::was_printed(stdout) ? EXIT_SUCCESS : complain("standard output", "it cannot be written");
}
