// SPDX-License-Identifier: BSL-1.0
// Invariant: a client and a server joined by pipes that hold one batch never wait for each other, whatever their options and
// callers decide; what the server takes is what the client gave, and what the client tells of each recipient is true: accepted
// (exactly once), refused or not accepted (never), unknown (only where the channel or a 421 hid the reply); each transaction at the
// server ends once; under required TLS nothing but EHLO, STARTTLS and QUIT leaves in clear; after `close_channel` an end says
// nothing else.
#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/client/session.hpp>
#include <ehlo/codec/message_traits.hpp>
#include <ehlo/sasl/client.hpp>
#include <ehlo/sasl/server.hpp>
#include <ehlo/server/session.hpp>

#include "support/choices.hpp"
#include "support/drive.hpp"

namespace {

constexpr std::string_view password = "secret";
constexpr std::string_view encoded_plain = "dXNlcgB1c2VyAHNlY3JldA==";  // user NUL user NUL secret
constexpr std::string_view encoded_login = "c2VjcmV0";

constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain, ehlo::mechanisms::login};
constexpr ehlo::auth_mechanism turned[] = {ehlo::mechanisms::login, ehlo::mechanisms::plain};
constexpr ehlo::custom_verb verbs[] = {{"XVERB", true}};
constexpr std::string_view keywords[] = {"XKEYWORD a"};
constexpr std::string_view spoken_for[] = {"ADDR=192.0.2.1", "NAME=[TEMPUNAVAIL] ADDR=IPV6:2001:db8::1 PORT=25",
                                           "PROTO=SMTP HELO=a.example", "LOGIN=user",
                                           "LOGIN=[UNAVAILABLE] DESTADDR=192.0.2.2 DESTPORT=587"};
constexpr ehlo::announced_limits announced[] = {{}, {}, {.mail_max = 4, .rcpt_max = 2}, {.rcpt_domain_max = 1}};

/// What a rejection says; where its code does not fit the question, the careful answer is given.
constexpr ehlo::reply refusals[] = {
    ehlo::replies::local_error,          ehlo::replies::policy_refusal,  ehlo::replies::insufficient_storage,
    ehlo::replies::transaction_failed,   ehlo::replies::no_such_mailbox, ehlo::replies::mailbox_busy,
    ehlo::replies::storage_exceeded,     ehlo::replies::tls_unavailable, ehlo::replies::too_many_recipients,
    ehlo::replies::host_accepts_no_mail, ehlo::replies::bad_credentials, ehlo::replies::parameter_not_implemented,
    ehlo::replies::not_implemented,      ehlo::replies::user_not_local,  ehlo::replies::auth_temporary_failure,
    ehlo::replies::service_not_available};

/// What messages are made of: mostly what confuses readers of mail data.
std::string piece_of_message(std::uint8_t choice) {
  using namespace std::string_view_literals;
  constexpr std::string_view pieces[] = {"x\r\n",    "\r\n",     ".",   "\r\n.",    "\r\n.\r\n",
                                         "..\r\n",   "a: b\r\n", "x",   "QUIT\r\n", "\r\n.\r\nMAIL FROM:<m0@client.example>\r\n",
                                         "\r\n\r\n", "\xC3\xA9", "\r",  "\n",       "\n.\n",
                                         "\r.\r",    "\r\r\n",   "\0"sv};
  constexpr std::size_t count = std::size(pieces);
  if (choice % (count + 2) < count) return std::string{pieces[choice % (count + 2)]};
  if (choice % (count + 2) == count) return std::string(std::size_t{500}, 'z');
  std::string lines;
  for (int i = 0; i < 30; ++i) lines.append(998, 'y').append("\r\n");
  return lines;
}

/// RFC 5321 2.3.8 and 4.1.1.4: what arrives of a text.
std::string as_sent(const std::string& text, ehlo::line_ends policy, bool binary) {
  if (binary) return text;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_end = text[i] == '\r' || text[i] == '\n';
    if (!is_end || policy == ehlo::line_ends::refuse) {
      out += text[i];
      continue;
    }
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    out += "\r\n";
  }
  if (!out.empty() && !out.ends_with("\r\n")) out += "\r\n";
  return out;
}

/// What the client's caller was told of a recipient last.
enum class outcome : std::uint8_t { none, taken, refused, deferred, accepted, not_accepted, unknown };

struct recipient {
  std::string path;
  outcome told = outcome::none;
  bool was_told_of = false;  ///< `recipient_result` or `recipient_deferred`
  bool rcpt_seen = false;    ///< by the server
  bool rcpt_taken = false;
  int messages = 0;  ///< accepted by the server
};

struct message {
  std::string text;
  std::string expected;
  std::string from;
  ehlo::envelope envelope;
  std::vector<recipient> recipients;
  ehlo::message_traits traits;
  bool require_tls = false;
  std::size_t given = 0;
  bool has_ended = false;  ///< nothing more is told of it
  bool is_whole = false;   ///< its end was given, in this transaction
};

/// One direction of the channel.
struct pipe {
  std::string octets;
  std::size_t room = 1024;
  bool severed = false;  ///< nothing more gets through
  bool loud = false;     ///< and whoever writes is told
};

/// One end: its session, what it writes, what it reads.
template <class Session>
struct end {
  Session session;
  std::string_view writing{};
  std::unique_ptr<char[]> buffer{};
  std::string_view input{};
  bool wants_input = false;
  bool has_ended_input = false;
  bool wants_tls = false;
  bool is_over = false;

  bool may_act() const { return !is_over && writing.empty() && !wants_input && !wants_tls; }

  /// Moves at most `cut` octets each way; true if something moved.
  bool flow(pipe& out, pipe& in, std::size_t cut) {
    bool moved = false;
    if (!writing.empty() && out.severed) {
      writing = {};
      if (out.loud) {
        session.disconnected();
        wants_input = wants_tls = false;
      }
      moved = true;
    }
    if (!writing.empty()) {
      const std::size_t count = std::min({writing.size(), out.room - out.octets.size(), cut});
      out.octets += writing.substr(0, count);
      writing.remove_prefix(count);
      moved = count > 0;
    }
    if (!writing.empty() || !wants_input) return moved;
    if (!in.octets.empty()) {
      const std::size_t count = std::min(in.octets.size(), cut);
      buffer = std::make_unique<char[]>(count);
      in.octets.copy(buffer.get(), count);
      in.octets.erase(0, count);
      input = {buffer.get(), count};
    } else if (in.severed) {
      fuzz::must(!has_ended_input, "no more is asked for behind the end");
      has_ended_input = true;
      session.end_of_input();
    } else {
      return moved;
    }
    wants_input = false;
    return true;
  }
};

template <class ClientSession, class ServerSession>
class world {
 public:
  world(const ehlo::client_options& client, const ehlo::server_options& server, bool has_long_identity, fuzz::choices in)
      : identity_{has_long_identity ? std::string(std::size_t{250}, 'z') : std::string{"user"}},
        client_options_{client},
        server_options_{server},
        in_{in},
        client_{ClientSession{client}},
        server_{ServerSession{server}} {
    up_.room = down_.room = client.limits.batch;
    messages_left_ = in_.one() % 4U == 3 ? 0 : 1 + in_.one() % 4;
    up_.loud = (in_.one() & 1U) != 0;
    down_.loud = (in_.one() & 1U) != 0;
  }

  void run() {
    if ((in_.one() & 1U) == 0) begin_message();  // before the greeting
    for (int turns = 0; !(client_.is_over && server_.is_over); ++turns) {
      must(turns < 400000, "the ends come to their end");
      turn();
    }
    finish(client_);
    finish(server_);
    check_outcomes();
    check_clear_text();
    fuzz::check_sent(server_sent_);
  }

 private:
  void must(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "--- transcript\n%s\n---\n", transcript_.c_str());
    fuzz::must(false, what);
  }
  void note(std::string_view who, std::string_view what) {
    constexpr std::size_t most = 300;
    transcript_.append(who).append(": ").append(what.substr(0, most));
    if (what.size() > most || !what.ends_with('\n')) transcript_ += '\n';
  }

  /// Moves octets, lets each end act once, or lets something happen.
  void turn() {
    constexpr std::size_t cuts[] = {100000, 1, 2, 3, 7, 64, 512, 1023};
    constexpr std::uint8_t first_event = 208;
    const std::uint8_t choice = in_.one();
    const bool is_event = choice >= first_event;
    if (is_event) happen(choice - first_event);
    const std::size_t cut = is_event ? cuts[0] : cuts[choice % 8U];
    const unsigned who = is_event ? 0 : choice / 8U % 4U;  // both, one of them, or the server first
    bool moved = is_event;
    if (who == 3) moved = step_server(cut) || moved;
    if (who != 2) moved = step_client(cut) || moved;
    if (who == 0 || who == 2) moved = step_server(cut) || moved;
    moved = shake_hands() || moved;
    must(moved || who == 1 || who == 2, "the ends do not wait for each other");
  }

  bool step_client(std::size_t cut) {
    bool moved = client_.flow(up_, down_, cut);
    if (client_.may_act()) {
      moved = true;
      act_client();
    }
    if (client_.is_over) up_.severed = down_.severed = true;
    return moved;
  }
  bool step_server(std::size_t cut) {
    bool moved = server_.flow(down_, up_, cut);
    if (server_.may_act()) {
      moved = true;
      act_server();
    }
    if (server_.is_over) up_.severed = down_.severed = true;
    return moved;
  }

  /// Both ends want TLS, or the other one can do it no more.
  bool shake_hands() {
    const bool both = client_.wants_tls && server_.wants_tls;
    const bool hopeless = up_.severed || down_.severed;
    if (!both && !(hopeless && (client_.wants_tls || server_.wants_tls))) return false;
    const std::uint8_t choice = hopeless ? 1 : in_.one();
    if (both) must(up_.octets.empty() && down_.octets.empty(), "no octets are under way when the handshake begins");
    if (choice % 8U == 1) {
      if (client_.wants_tls) must(client_.session.tls_failed().has_value(), "a handshake was due at the client");
      if (server_.wants_tls) must(server_.session.tls_failed().has_value(), "a handshake was due at the server");
    } else {
      constexpr auto good = ehlo::tls_strength::sufficient;
      constexpr auto bad = ehlo::tls_strength::insufficient;
      const auto who = choice % 8U == 2 ? ehlo::server_identity::unverified : ehlo::server_identity::verified;
      must(client_.session.tls_started(who, choice % 8U == 3 ? bad : good).has_value(), "a handshake was due at the client");
      must(server_.session.tls_started(choice % 8U == 4 ? bad : good).has_value(), "a handshake was due at the server");
      must(!server_.session.is_authenticated() && !server_.session.is_esmtp() && server_.session.recipients() == 0,
           "nothing crosses the TLS boundary");
      note("*", "TLS");
    }
    client_.wants_tls = server_.wants_tls = false;
    return true;
  }

  /// What may happen at any time.
  void happen(int event) {
    switch (event) {
      case 0:
        if (client_.session.timed_out()) {
          note("*", "client: time-out");
          is_calm_ = false;
          client_open_ = {};
          client_.wants_input = client_.wants_tls = false;
        }
        break;
      case 1:
        if (server_.session.timed_out()) {
          note("*", "server: time-out");
          server_.wants_input = server_.wants_tls = false;
        }
        break;
      case 2:
        server_.session.shutdown();
        note("*", "shutdown");
        server_.wants_input = false;
        break;
      case 3: sever(up_); break;
      case 4: sever(down_); break;
      case 5:
        sever(up_);
        sever(down_);
        break;
      case 6: give_up_message(); break;
      case 7:
        if (client_.session.quit()) client_.wants_input = false;
        break;
      case 8: begin_message(); break;
      case 9:
        client_.session.trim();
        server_.session.trim();
        break;
      case 10:
        if (client_.writing.empty()) client_.session = ClientSession{client_.session};
        if (server_.writing.empty()) server_.session = ServerSession{server_.session};
        break;
      case 11:
        client_.session.disconnected();
        break_off(client_);
        client_open_ = {};
        break;
      case 12:
        server_.session.disconnected();
        break_off(server_);
        server_open_ = {};
        break;
      default: break;
    }
  }

  void sever(pipe& p) {
    if (p.severed) return;
    is_calm_ = false;
    p.severed = true;
    const std::uint8_t choice = in_.one();
    p.loud = (choice & 1U) != 0;
    p.octets.resize(p.octets.size() * (choice >> 1U & 3U) / 3U);
    note("*", &p == &up_ ? "the way to the server breaks" : "the way to the client breaks");
  }

  template <class Session>
  void break_off(end<Session>& who) {
    note("*", "an end is told that its channel is broken");
    is_calm_ = false;
    who.writing = {};
    who.wants_input = who.wants_tls = false;
    up_.severed = down_.severed = true;
  }

  // ---- The client's caller ---------------------------------------------------------------------------------------------------

  void begin_message() {
    if (messages_left_ == 0) return;
    if (!current_is_over()) return;
    message& m = messages_.emplace_back();
    const std::size_t number = messages_.size() - 1;
    const std::uint8_t shape = in_.one();
    const bool utf8 = shape >> 4U == 15;
    constexpr std::size_t counts[] = {1, 2, 3, 5, 1, 2, 40, 140};
    const std::size_t count = counts[shape % 8U];
    const std::uint8_t extras = in_.one();
    m.from = (extras & 1U) != 0 ? "<>" : "<m" + std::to_string(number) + "@client.example>";
    ehlo::sender_options sender;
    if ((extras & 2U) != 0) sender.ret = ehlo::ret_type::hdrs;
    if ((extras & 4U) != 0) sender.auth = ehlo::claimed_submitter{};
    m.require_tls = sender.require_tls = (extras & 24U) == 24;
    must(m.envelope.begin(m.from, sender).has_value(), "the envelope begins");
    for (std::size_t i = 0; i < count; ++i) {
      recipient& to = m.recipients.emplace_back();
      to.path = "<r" + std::to_string(number) + "." + std::to_string(i) + (utf8 ? "\xC3\xA9" : "") +
                (i % 3 == 2 ? "@other.example>" : "@mx.example>");
      ehlo::recipient_options options;
      if ((extras & 32U) != 0) options.notify = ehlo::notify_set{true, true, false};
      must(m.envelope.add(to.path, options).has_value(), "a recipient is added");
    }
    for (std::size_t pieces = in_.one() % 12U; pieces > 0; --pieces) m.text += piece_of_message(in_.one());
    const bool binary = (extras & 192U) == 192;
    if ((extras & 192U) != 64) m.traits = ehlo::traits_of(m.text);
    if (binary) {
      m.traits.body = ehlo::body_type::binary;
    } else if ((extras & 192U) == 128) {
      m.traits.body = {};
    }
    m.expected = as_sent(m.text, client_options_.line_ends, binary);
    const auto begun = client_.session.begin_transaction(m.envelope, m.traits);
    if (!begun) {
      must(begun.error().code == ehlo::errc::session_closed || begun.error().code == ehlo::errc::session_busy,
           "a transaction begins, or there is a reason");
      messages_.pop_back();
      return;
    }
    note("*", "message " + std::to_string(number));
    --messages_left_;
    client_.wants_input = false;
  }

  /// What the client borrowed may go as soon as the contract says: ASan sees whether it is looked at again.
  void take_back() {
    lent_.reset();
    if (current_is_over()) current().envelope = {};
  }

  static bool is_final(outcome o) { return o != outcome::none && o != outcome::taken; }
  bool current_is_over() const {
    return messages_.empty() || std::ranges::all_of(messages_.back().recipients, [](auto& r) { return is_final(r.told); });
  }
  message& current() {
    must(!messages_.empty(), "a result belongs to a message");
    return messages_.back();
  }

  void act_client() {
    const bool was_closed = client_.session.is_closed();
    std::visit(
        ehlo::overloaded{
            [&](ehlo::transmit a) {
              must(!a.octets.empty() && !was_closed, "what is sent is not empty");
              client_.writing = a.octets;
              if (!client_.session.is_tls_active()) clear_ += a.octets;
              note("C", a.octets);
            },
            [&](ehlo::receive) {
              must(client_.input.empty(), "all of the input was taken");
              must(client_.session.timeout().seconds > 0, "a timer runs while the server is waited for");
              client_.wants_input = true;
            },
            [&](ehlo::start_tls) {
              must(client_.session.timeout().what == ehlo::waiting_for::handshake, "the handshake has a timer");
              client_.wants_tls = true;
            },
            [&](ehlo::close_channel) {
              client_.is_over = true;
              note("*", "the client closes");
            },
            [&](ehlo::answer_due a) {
              must(client_open_.has_value() && a.ticket == client_.session.open_question(), "a question is open");
              answer_client();
            },
            [&](ehlo::idle) { be_idle(); },
            [&](const ehlo::credentials_question& q) {
              must(client_.session.is_tls_active() || client_options_.auth_without_tls, "no password goes without TLS");
              client_open_ = client_question{std::string{q.mechanism}, q.step, q.ticket, false};
              if (in_.one() % 4U != 3) answer_client();
            },
            [&](const ehlo::mail_data_question& q) {
              lent_.reset();
              if (q.begin) current().given = 0;
              if (q.begin) current().is_whole = false;
              client_open_ = client_question{{}, 0, q.ticket, true};
              if (in_.one() % 4U != 3) answer_client();
            },
            [&](const ehlo::recipient_result& a) {
              recipient& to = told_of(a.index);
              note("*", "recipient " + std::to_string(a.index) + " " + std::to_string(a.reply.code()));
              must(to.rcpt_taken == a.is_accepted(), "the server has accepted the recipient, or has not");
              to.told = a.is_accepted() ? outcome::taken : outcome::refused;
              take_back();
            },
            [&](const ehlo::recipient_deferred& a) {
              recipient& to = told_of(a.index);
              must(!to.rcpt_seen, "a deferred recipient was not sent");
              to.told = outcome::deferred;
            },
            [&](const ehlo::message_result& a) {
              message& m = current();
              must(!m.has_ended, "no result comes behind the transaction's end");
              must(a.first < a.last && a.last <= m.recipients.size(), "a result is for recipients of the envelope");
              note("*", "message result " + std::to_string(a.reply.code()));
              for (std::uint32_t i = a.first; i < a.last; ++i) {
                must(m.recipients[i].was_told_of, "a result comes behind the recipient's");
                if (is_final(m.recipients[i].told)) continue;
                m.recipients[i].told = a.is_accepted() ? outcome::accepted : outcome::refused;
              }
              m.has_ended = current_is_over();

              take_back();
            },
            [&](const ehlo::transaction_failed& a) {
              note("*", "transaction failed: " + std::string{ehlo::describe(a.reason).text} +
                            (a.delivery == ehlo::delivery::unknown ? ", unknown" : ""));
              message& m = current();
              must(!std::exchange(m.has_ended, true), "a transaction ends once");
              const bool unknown = a.delivery == ehlo::delivery::unknown;
              must(!unknown || m.is_whole, "nothing is unknown of a message that was not sent");
              for (recipient& to : m.recipients) {
                if (!is_final(to.told)) to.told = unknown ? outcome::unknown : outcome::not_accepted;
              }
              take_back();
            },
            [&](const ehlo::failed& a) {
              note("*", "failed: " + std::string{ehlo::describe(a.reason).text});
              must(may_fail(a.reason), "a server that keeps the rules breaks none");
            },
            [&](const ehlo::unsolicited& a) { must(a.reply.code() == 421, "the server says nothing else without being asked"); },
            [&](ehlo::notice auto const&) { must(!was_closed, "a closed session tells nothing"); },
        },
        client_.session.next(client_.input));
  }

  /// How a session may end that two ends have which keep the rules.
  bool may_fail(ehlo::errc reason) const {
    using enum ehlo::errc;
    switch (reason) {
      case greeting_refused:
      case hello_refused:
      case tls_not_offered:
      case tls_refused:
      case tls_handshake:
      case tls_too_weak:
      case no_common_mechanism:
      case authentication_failed:
      case authentication_cancelled:
      case service_closing:
      case bare_cr:
      case bare_lf:
      case eight_bit_text:
      case text_line_too_long:
      case message_abandoned: return true;
      case connection_lost:
      case reply_timeout: return !is_calm_ || server_.is_over;
      case unsolicited_reply: return said_421();  // which came where no reply is read
      default: return false;
    }
  }

  /// What the client may do wrong: what only the server knows, what follows in a pipeline from a refusal, and what its caller asks.
  bool may_break(ehlo::errc rule) const {
    using enum ehlo::errc;
    switch (rule) {
      case verb_not_implemented:
      case out_of_order:
      case transaction_required:
      case recipient_required:
      case chunk_refused:
      case tls_required:
      case tls_too_weak:
      case authentication_required:
      case authentication_cancelled:
      case too_many_errors:
      case message_too_large:
      case session_barred: return true;
      case too_many_recipients: return server_options_.announced.rcpt_max == 0 || !server_.session.is_esmtp();
      case too_many_transactions: return server_options_.limits.transactions != 0;
      default: return false;
    }
  }

  recipient& told_of(std::uint32_t index) {
    message& m = current();
    must(index < m.recipients.size() && !m.recipients[index].was_told_of, "each recipient has one result");
    m.recipients[index].was_told_of = true;
    return m.recipients[index];
  }

  /// Answers the open question, or gives up.
  void answer_client() {
    const client_question q = *client_open_;
    const std::uint8_t choice = in_.one();
    if (choice % 16U == 15) return;  // later
    client_open_ = {};
    if (!q.is_mail_data) {
      ehlo::result<void> given;
      if (choice % 16U == 14) {
        given = client_.session.decline(q.ticket);
      } else {
        const ehlo::credentials_question asked{q.mechanism, {}, q.step, q.ticket};
        given = ehlo::sasl::answer(client_.session, asked, {identity_, identity_, ehlo::secret{password}}, scratch_);
      }
      must(given.has_value() || q.step > 0, "credentials are taken");
      return;
    }
    message& m = current();
    if (choice % 16U == 14) {
      must(client_.session.abandon(q.ticket).has_value(), "a message may be abandoned");
      note("*", "abandon");
      return;
    }
    constexpr std::size_t sizes[] = {1000000, 1, 7, 100, 600, 2000, 0};
    const std::string_view part = std::string_view{m.text}.substr(m.given, sizes[choice % 16U % 7U]);
    m.given += part.size();
    // What is borrowed may go at the next question.
    lent_ = std::make_unique<char[]>(part.size());
    part.copy(lent_.get(), part.size());
    const std::string_view octets{lent_.get(), part.size()};
    m.is_whole = m.given == m.text.size() && choice < 128;  // or the end comes by itself, in a call of its own
    const auto given = m.is_whole ? client_.session.end_of_mail_data(q.ticket, octets) : client_.session.data(q.ticket, octets);
    must(given.has_value(), "mail data are taken");
  }

  void be_idle() {
    must(current_is_over(), "an idle client has told what became of the message");
    must(client_.input.empty() && !client_.session.is_closed(), "an idle client has nothing to read");
    const std::uint8_t choice = in_.one();
    ehlo::result<void> done = ehlo::error{ehlo::errc::not_ready};
    switch (choice % 14U) {
      case 1: done = client_.session.noop(); break;
      case 2: done = client_.session.verify("r@mx.example"); break;
      case 3: done = client_.session.expand("list"); break;
      case 4: done = client_.session.help("MAIL"); break;
      case 5: done = client_.session.reset(); break;
      case 6: done = client_.session.raw("XVERB a b"); break;
      case 7: done = client_.session.hello(); break;
      case 8: done = client_.session.authenticate(); break;
      case 9: done = client_.session.etrn("mx.example"); break;
      case 10:
        if (!down_.octets.empty() || (down_.severed && !client_.has_ended_input)) {
          client_.wants_input = true;
          return;
        }
        break;
      case 11:
        done = client_.session.xclient(*ehlo::xclient_attributes::parse(spoken_for[choice / 14U % std::size(spoken_for)]));
        break;
      case 12: done = client_.session.xforward(*ehlo::xforward_attributes::parse("NAME=[UNAVAILABLE] ADDR=192.0.2.1")); break;
      default: break;
    }
    if (done) return;
    const std::size_t before = messages_.size();
    begin_message();
    if (messages_.size() == before) must(client_.session.quit().has_value(), "an idle session may be told to quit");
  }

  // ---- The server's caller ---------------------------------------------------------------------------------------------------

  void act_server() {
    const bool was_closed = server_.session.is_closed();
    std::visit(ehlo::overloaded{
                   [&](ehlo::transmit a) {
                     must(!a.octets.empty() && !was_closed, "what is sent is not empty");
                     server_.writing = a.octets;
                     server_sent_ += a.octets;
                     note("S", a.octets);
                   },
                   [&](ehlo::receive) {
                     must(server_.input.empty(), "all of the input was taken");
                     must(server_.session.timeout().seconds > 0, "a timer runs while the client is waited for");
                     server_.wants_input = true;
                   },
                   [&](ehlo::start_tls) {
                     must(server_.session.timeout().what == ehlo::waiting_for::handshake, "the handshake has a timer");
                     server_.wants_tls = true;
                   },
                   [&](ehlo::close_channel) {
                     server_.is_over = true;
                     note("*", "the server closes");
                   },
                   [&](ehlo::answer_due a) {
                     must(server_open_.has_value() && a.ticket == server_.session.open_question(), "a question is open");
                     answer_server();
                   },
                   [&](ehlo::mail_data a) {
                     must(open_.is_open && !open_.is_given_up && !a.octets.empty(), "mail data belong to a message that is wanted");
                     open_.octets += a.octets;
                   },
                   [&](const ehlo::mail_question& q) { ask('m', q.ticket, q.reverse_path.text()); },
                   [&](const ehlo::rcpt_question& q) { ask('r', q.ticket, q.forward_path.text()); },
                   [&](const ehlo::message_question& q) { ask_message(q); },
                   [&](const ehlo::auth_question& q) {
                     std::string response(q.response ? q.response->decoded_size() : 0, '\0');
                     if (q.response) q.response->decode(response.data());
                     if (q.initial) must(exchange_.start(q.mechanism).has_value(), "a mechanism that was offered");
                     ask(q.response ? 'A' : 'a', q.ticket, response);
                   },
                   [&](const ehlo::expn_question& q) { ask('e', q.ticket, {}); },
                   [&](const ehlo::custom_question& q) { ask('c', q.ticket, {}); },
                   [&](const ehlo::vrfy_question& q) { ask('v', q.ticket, {}); },
                   [&](const ehlo::help_question& q) { ask('h', q.ticket, {}); },
                   [&](const ehlo::data_question& q) {
                     must(q.recipients == open_.recipients.size(), "the recipients are counted");
                     ask(q.chunked ? 'b' : 'd', q.ticket, {});
                   },
                   [&](const ehlo::greeting_question& q) {
                     must(!q.early_talker, "the client waits for the greeting");
                     ask('g', q.ticket, {});
                   },
                   [&](const auto& a) { other_server_action(a); },
               },
               server_.session.next(server_.input));
  }
  void other_server_action(const ehlo::hello_question& q) { ask('l', q.ticket, {}); }
  void other_server_action(const ehlo::starttls_question& q) { ask('t', q.ticket, {}); }
  void other_server_action(const ehlo::xclient_question& q) { ask('x', q.ticket, {}); }
  void other_server_action(const ehlo::xforward_question& q) { ask('f', q.ticket, {}); }
  void other_server_action(const ehlo::exchange_ended&) {}
  /// Questions about commands that this client does not give, or that get the careful answer.
  template <ehlo::question Other>
  void other_server_action(const Other& q) {
    ask('o', q.ticket, {});
  }
  void other_server_action(const ehlo::violation& a) {
    note("*", "violation: " + std::string{ehlo::describe(a.code).text});
    must(may_break(a.code), "the client keeps the rules");
  }
  void other_server_action(const ehlo::transaction_reset&) {
    must(open_.is_open, "a reset ends a transaction");
    open_ = {};
  }

  void ask(char what, ehlo::ticket t, std::string_view text) {
    must(t == server_.session.open_question() && t.serial != 0, "a question has the ticket of the open question");
    stale_ = server_ticket_;
    server_ticket_ = t;
    server_open_ = server_question{what, std::string{text}};
    if (in_.one() % 4U != 3) answer_server();
  }

  void ask_message(const ehlo::message_question& q) {
    must(open_.is_open && !open_.is_given_up && open_.message >= 0, "a message belongs to a transaction");
    must(q.recipients == open_.recipients.size() && q.recipient == open_.answered, "recipients are asked for in order");
    const message& m = messages_[static_cast<std::size_t>(open_.message)];
    must(m.is_whole, "the end of a message was given");
    must(open_.octets == m.expected && q.size == m.expected.size(), "what arrived is what was sent");
    must(!m.require_tls || server_.session.is_tls_active(), "a message that requires TLS has it");
    ask('q', q.ticket, {});
  }

  /// The recipient whose path this is.
  recipient& find_recipient(std::string_view path) {
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      for (recipient& to : messages_[i].recipients) {
        if (to.path != path) continue;
        must(open_.message < 0 || open_.message == static_cast<int>(i), "a transaction is for one message");
        must(messages_[i].from == open_.from, "the reverse-path is the message's");
        open_.message = static_cast<int>(i);
        return to;
      }
    }
    must(false, "the recipient is one of the client's");
    return messages_[0].recipients[0];
  }

  ehlo::result<void> accept(char what, std::uint8_t choice) {
    auto& s = server_.session;
    const ehlo::ticket t = server_ticket_;
    const auto mailbox = ehlo::mailbox::parse("a@b.example");
    const ehlo::listing found[] = {{*mailbox, "A B"}, {*mailbox}};
    if (what == 'a' || what == 'A') return authenticate();
    if (what == 'e' || (what == 'v' && choice % 8U == 1)) return s.accept(t, found[0]);
    if (what == 'o') return s.answer_default(t);
    if (what == 'c') return s.accept(t, ehlo::replies::ok);
    if (choice % 8U == 1) {
      if (what == 'r') return s.accept_forward(t, *mailbox);
      static const std::string words(std::size_t{1200}, 'w');
      const auto long_reply = ehlo::reply::make(what == 'd' ? 354 : what == 'g' ? 220 : what == 'h' ? 214 : 250, {}, words);
      if (const auto given = s.accept(t, *long_reply)) return given;
    }
    return s.accept(t);
  }

  ehlo::result<void> authenticate() {
    auto& s = server_.session;
    const auto response = server_open_->what == 'A' ? std::optional<std::string_view>{server_open_->text} : std::nullopt;
    const auto outcome = exchange_.step(response);
    if (const auto* challenge = std::get_if<ehlo::sasl::challenge>(&outcome)) return s.challenge(server_ticket_, challenge->octets);
    const auto* who = std::get_if<ehlo::sasl::credentials>(&outcome);
    must(who != nullptr && who->authentication_identity == identity_ && who->proof.reveal() == password, "credentials arrive");
    return s.authenticated(server_ticket_);
  }

  /// Answers the open question, and looks at what has become of it.
  void answer_server() {
    auto& s = server_.session;
    const server_question q = *server_open_;
    const ehlo::ticket t = server_ticket_;
    const std::uint8_t choice = in_.one();
    if (choice % 16U == 15) return;  // later
    if (stale_.serial != 0) must(!s.accept(stale_), "a late answer answers nothing else");
    must(s.open_question() == t, "a question stays open until it is answered");
    recipient* const to = q.what == 'r' ? &find_recipient(q.text) : nullptr;
    const std::uint32_t recipients = s.recipients();
    bool positive = choice % 16U < 12;
    static const std::string words(std::size_t{1200}, 'w');
    ehlo::reply refusal = refusals[choice / 16U];
    if (choice % 16U == 14) refusal = *ehlo::reply::make(refusal.code(), refusal.enhanced(), words);
    ehlo::result<void> given = positive ? accept(q.what, choice) : s.reject(t, refusal);
    if (!given) {
      given = s.answer_default(t);
      positive = q.what != 'q' && q.what != 'r' && q.what != 'a' && q.what != 'A' && q.what != 'e' && q.what != 'c' &&
                 q.what != 'x' && q.what != 'f';
    }
    if (!given) {  // fixed storage may be too full: then the replies have to leave first
      must(given.error().code == ehlo::errc::reply_too_long, "the careful answer fits its question");
      return;
    }
    server_open_ = {};
    stale_ = {};
    must(s.open_question().serial == 0, "a question is answered once");
    if (!positive) note("*", "refused");
    if (q.what == 'm' && s.current_state() == ehlo::state::mail) {
      must(positive && !open_.is_open, "transactions do not nest");
      open_ = {};
      open_.is_open = true;
      open_.from = q.text;
    }
    if (to != nullptr) {
      must(!to->rcpt_seen, "each recipient is sent once");
      to->rcpt_seen = true;
      to->rcpt_taken = s.recipients() > recipients;
      must(to->rcpt_taken == positive, "an accepted recipient is one of the transaction");
      if (positive) open_.recipients.push_back(to);
    }
    if (q.what == 'q') {
      for (std::size_t i = 0; i < open_.recipients.size(); ++i) {
        if (positive && (!s.is_lmtp() || i == open_.answered)) ++open_.recipients[i]->messages;
      }
      ++open_.answered;
      if (!s.is_lmtp() || open_.answered == open_.recipients.size()) open_ = {};
    }
    if (!positive && q.what == 'b') open_.is_given_up = true;
  }

  /// The disk is full: the rest of the message is not wanted.
  void give_up_message() {
    if (server_.session.open_question().serial != 0) return;
    if (!server_.session.reject(refusals[in_.one() % std::size(refusals)])) return;
    must(open_.is_open, "a message that is given up belongs to a transaction");
    note("*", "the server gives the message up");
    open_.is_given_up = true;
    server_.wants_input = false;
  }

  // ---- The end ---------------------------------------------------------------------------------------------------------------

  template <class Session>
  void finish(end<Session>& who) {
    for (int i = 0; i < 4; ++i) {
      std::string_view input = "250 OK\r\n";
      must(std::holds_alternative<ehlo::close_channel>(who.session.next(input)), "a closed session says nothing else");
      must(who.session.is_closed() && who.session.timeout().seconds == 0, "a closed session waits for nothing");
      if (i == 0) who.session.end_of_input();
      if (i == 1) (void)who.session.timed_out();
      if (i == 2) who.session.disconnected();
    }
  }

  bool said_421() const { return server_sent_.starts_with("421") || server_sent_.find("\n421") != std::string::npos; }

  void check_outcomes() {
    must(!open_.is_open, "every transaction ends");
    const bool is_calm = is_calm_ && !said_421();
    for (const message& m : messages_) {
      for (const recipient& to : m.recipients) {
        note("*", to.path + " told " + std::to_string(static_cast<int>(to.told)) + " taken " + std::to_string(to.messages));
        must(is_final(to.told), "the client tells what became of each recipient");
        must(to.messages <= 1, "a message is taken once");
        if (to.told == outcome::accepted) must(to.messages == 1, "what the client calls accepted was accepted");
        if (to.told == outcome::refused || to.told == outcome::deferred || to.told == outcome::not_accepted) {
          must(to.messages == 0, "what the client calls not accepted was not accepted");
        }
        if (to.told == outcome::unknown) must(!is_calm, "a reply that came is known");
      }
    }
  }

  /// RFC 3207 6, RFC 4954 4: nothing of a message or of credentials leaves before TLS.
  void check_clear_text() {
    if (!client_options_.auth_without_tls) {
      must(clear_.find(encoded_plain) == clear_.npos && clear_.find(encoded_login) == clear_.npos, "no password leaves in clear");
    }
    if (client_options_.tls != ehlo::tls_policy::required && client_options_.tls != ehlo::tls_policy::active) return;
    for (std::string_view rest = clear_; !rest.empty();) {
      const std::size_t at = rest.find("\r\n");
      must(at != rest.npos, "commands end with CRLF");
      const std::string_view line = rest.substr(0, at);
      must(line == "EHLO client.example" || line == "LHLO client.example" || line == "STARTTLS" || line == "QUIT",
           "nothing else leaves in clear");
      rest.remove_prefix(at + 2);
    }
  }

  struct client_question {
    std::string mechanism;
    std::uint32_t step = 0;
    ehlo::ticket ticket;
    bool is_mail_data = false;
  };
  struct server_question {
    char what = ' ';
    std::string text;  ///< what of the question is needed for its answer: its views may be gone
  };
  /// The transaction that is open at the server.
  struct transaction {
    bool is_open = false;
    bool is_given_up = false;
    int message = -1;  ///< known by its first recipient
    std::string from;
    std::string octets;
    std::vector<recipient*> recipients;
    std::size_t answered = 0;
  };

  const std::string identity_;  ///< a long one makes AUTH PLAIN wait for its challenge, for the line would be too long
  const ehlo::client_options& client_options_;
  const ehlo::server_options& server_options_;
  fuzz::choices in_;
  end<ClientSession> client_;
  end<ServerSession> server_;
  pipe up_;
  pipe down_;
  std::deque<message> messages_;  // envelopes and recipients stay where they are
  int messages_left_ = 0;
  std::optional<client_question> client_open_;
  std::optional<server_question> server_open_;
  ehlo::ticket server_ticket_;
  ehlo::ticket stale_;
  ehlo::sasl::server_exchange exchange_;
  transaction open_;
  std::array<char, 600> scratch_{};
  std::unique_ptr<char[]> lent_;
  std::string clear_;  ///< what the client sent before TLS
  std::string server_sent_;
  std::string transcript_;
  bool is_calm_ = true;  ///< nothing has happened that can hide a reply, but for 421
};

struct both_options {
  ehlo::client_options client{.hostname = "client.example"};
  ehlo::server_options server{.hostname = "mx.example"};
  bool fixed = false;
  bool has_long_identity = false;
};

both_options options_of(fuzz::choices& in) {
  both_options out;
  auto& client = out.client;
  auto& server = out.server;
  const auto has = [](unsigned octet, unsigned bit) { return (octet >> bit & 1U) != 0; };

  const unsigned manners = in.one();
  const bool lmtp = has(manners, 0);
  if (lmtp) client.protocol = server.protocol = ehlo::protocol::lmtp;
  client.pipelining = !has(manners, 1);
  server.extensions.pipelining = lmtp || !has(manners, 2);
  constexpr ehlo::chunking_policy chunking[] = {ehlo::chunking_policy::preferred, ehlo::chunking_policy::never,
                                                ehlo::chunking_policy::needed, ehlo::chunking_policy::preferred};
  client.chunking = chunking[manners >> 3U & 3U];
  server.extensions.chunking = !has(manners, 5);
  if (has(manners, 6)) client.recipients = ehlo::recipient_policy::all_or_nothing;
  out.fixed = has(manners, 7);

  const unsigned tls = in.one();
  constexpr ehlo::tls_policy policies[] = {ehlo::tls_policy::never, ehlo::tls_policy::required, ehlo::tls_policy::opportunistic,
                                           ehlo::tls_policy::active};
  constexpr ehlo::tls_mode modes[] = {ehlo::tls_mode::unavailable, ehlo::tls_mode::offered, ehlo::tls_mode::required,
                                      ehlo::tls_mode::offered};
  client.tls = policies[tls & 3U];
  server.tls = client.tls == ehlo::tls_policy::active ? ehlo::tls_mode::active : modes[tls >> 2U & 3U];
  server.auth_without_tls = has(tls, 4);
  client.auth_without_tls = has(tls, 5);
  server.extensions.eight_bit_mime = !has(tls, 6);
  if (has(tls, 7)) client.line_ends = ehlo::line_ends::normalize;

  const unsigned auth = in.one();
  constexpr std::span<const ehlo::auth_mechanism> offers[] = {{}, {mechanisms, 1}, {turned, 1}, {mechanisms}, {},
                                                              {}, {turned},        {mechanisms}};
  client.mechanisms = offers[auth & 7U];
  server.mechanisms = offers[auth >> 3U & 7U];
  client.auth_required = !has(auth, 6);
  server.auth_required = has(auth, 7);

  const unsigned limits = in.one();
  constexpr std::uint32_t groups[] = {0, 1, 2, 3};
  client.limits.recipients = groups[limits & 3U];
  constexpr std::uint32_t few[] = {0, 0, 1, 2};
  server.limits.transactions = few[limits >> 2U & 3U];
  if (has(limits, 4)) server.limits.errors = 2;
  if (has(limits, 5)) server.limits.message = 65536;
  if (has(limits, 6)) server.limits.output = 1024;
  if (has(limits, 7)) server.limits.recipients = 100;

  const unsigned sizes = in.one();
  constexpr std::uint32_t pieces[] = {0, 256, 1000, 4000};
  client.limits.coalesced = pieces[sizes & 3U];
  if (has(sizes, 2)) client.limits.batch = 512;
  server.esmtp = lmtp || !has(sizes, 3);
  server.extensions.enhanced_status_codes = lmtp || !has(sizes, 4);
  if (has(sizes, 5)) server.bare_line_ends = ehlo::bare_line_ends::keep;
  if (has(sizes, 6)) server.long_lines = server.eight_bit_text = ehlo::text_policy::refuse;
  if (has(sizes, 7)) client.dsn = ehlo::dsn_policy::relay;

  const unsigned extensions = in.one();
  server.extensions.binary_mime = server.extensions.chunking && has(extensions, 0);
  server.extensions.smtputf8 = server.extensions.eight_bit_mime && has(extensions, 1);
  server.extensions.dsn = has(extensions, 2);
  server.extensions.expn = has(extensions, 3);
  server.extensions.size = !has(extensions, 4);
  server.verbs = verbs;
  if ((extensions >> 5U & 3U) == 1) server.keywords = keywords;
  server.announced = announced[extensions >> 5U & 3U];
  server.extensions.limits = has(extensions, 6);
  if (has(extensions, 7)) server.disclose_forwarding = false;

  const unsigned more = in.one();
  out.has_long_identity = has(more, 0);
  server.extensions.require_tls = server.tls != ehlo::tls_mode::unavailable && has(more, 1);
  client.helo_fallback = !has(more, 2);
  client.helo_after_501_and_550 = has(more, 3);
  if (has(more, 4)) client.limits.auth_line = 12288;
  server.extensions.vrfy = !has(more, 5);
  server.extensions.help = !has(more, 6);
  server.close_when_no_mail = has(more, 7);

  const unsigned trust = in.one();
  server.extensions.xclient = server.esmtp && has(trust, 0);
  server.extensions.xforward = server.esmtp && has(trust, 1);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::choices in{{reinterpret_cast<const char*>(data), size}};
  const both_options options = options_of(in);
  fuzz::must(options.client.check().has_value() && options.server.check().has_value(), "the options are good ones");
  if (options.fixed) {
    world<ehlo::fixed_client_session<>, ehlo::fixed_server_session<2600, 1024>>{options.client, options.server,
                                                                                options.has_long_identity, in}
        .run();
  } else {
    world<ehlo::client_session, ehlo::server_session>{options.client, options.server, options.has_long_identity, in}.run();
  }
  return 0;
}
