// SPDX-License-Identifier: BSL-1.0
//
// A server session without any socket: the octets of a client come on standard input, the replies leave on standard output.
//
// It shows the loop of `next` with a visitor, a question for each decision, the options of a session, and AUTH, VRFY and EXPN.
//
//     printf 'EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@mx.example.org>\r\nQUIT\r\n' | 01_dialogue --actions
//     01_dialogue --lmtp < dialogue.txt                      (lines of the file end in CRLF)
//     socat TCP-LISTEN:2525,bind=127.0.0.1,reuseaddr,fork EXEC:'01_dialogue --user "Fred <fred@mx.example.org>"'
//
// Mail that is accepted is thrown away. A real program would store it before it answers (02_receive does), take STARTTLS, time
// out a client that says nothing, and look names and passwords up in a directory where they are not readable by everybody.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include <ehlo/ehlo.hpp>
#include <ehlo/format.hpp>
#include <ehlo/sasl/server.hpp>
#include <ehlo/secret.hpp>

#include "support/options.hpp"
#include "support/print.hpp"

namespace {

constexpr const char* help_text = R"(Usage: 01_dialogue [OPTION]...
Hold the server's end of an SMTP dialogue: client on standard input, replies on standard output.

  --hostname NAME           what this host calls itself (default mx.example.org)
  --lmtp                    speak LMTP instead of SMTP
  --max-size OCTETS         largest message, at least 65536; 0: any (default 67108864)
  --max-recipients NUMBER   most recipients of a message, at least 100 (default 1000)
  --max-errors NUMBER       refused commands before 421; 0: any number (default 0)
  --tls-active              behave as if TLS were there from the start
  --auth USER:PASSWORD      offer AUTH PLAIN and LOGIN to this user (with --tls-active only); may be repeated
  --user 'NAME <MAILBOX>'   a mailbox that exists, and that VRFY knows; may be repeated
  --list NAME=MAILBOX,...   a mailing list that EXPN shows; may be repeated
  --reject-rcpt MAILBOX=CODE  answer RCPT for this mailbox with this code; may be repeated
  --accept-any              accept every recipient
  --actions                 print each action of the session as a line on standard error
  --help                    show this

Recipients are accepted at the host name and its parent domain (mx.example.org: also example.org), and those named by --user and
--list; others are refused. Nothing is delivered.
)";

struct account {
  std::string_view user;
  std::string_view password;
};

struct mailing_list {
  std::string_view name;
  std::vector<ehlo::listing> members;
};

struct refused_mailbox {
  ehlo::mailbox mailbox;
  ehlo::reply reply;
};

/// What the command line says. The texts are views of it.
struct settings {
  ehlo::server_options options{.hostname = "mx.example.org"};
  std::vector<account> accounts;
  std::vector<ehlo::listing> users;
  std::vector<mailing_list> lists;
  std::vector<refused_mailbox> refused;
  bool accept_any = false;
  bool actions = false;
};

// ---- The command line -------------------------------------------------------------------------------------

/// `value` cut at the last `separator`.
std::pair<std::string_view, std::string_view> cut(const example::arguments& given, std::string_view value, char separator) {
  const std::size_t at = value.rfind(separator);
  if (at == value.npos) given.refuse("'{}' has no '{}' in it", value, separator);
  return {value.substr(0, at), value.substr(at + 1)};
}

ehlo::listing read_user(const example::arguments& given) {
  const std::string_view value = given.value();
  if (!value.ends_with('>')) return {given.parsed<ehlo::mailbox>()};
  const auto [name, rest] = cut(given, value, '<');
  const std::string_view full_name = name.substr(0, name.find_last_not_of(' ') + 1);
  if (!ehlo::reply::make(250, {}, full_name)) given.refuse("the name '{}' has an octet that no reply holds", full_name);
  return {given.parsed<ehlo::mailbox>(rest.substr(0, rest.size() - 1)), full_name};
}

mailing_list read_list(const example::arguments& given) {
  std::string_view value = given.value();
  const std::size_t equals = value.find('=');
  if (equals == 0 || equals == value.npos) given.refuse("--list wants NAME=MAILBOX,MAILBOX, not '{}'", value);
  mailing_list out{value.substr(0, equals), {}};
  for (value.remove_prefix(equals + 1); !value.empty();) {
    const std::string_view member = value.substr(0, value.find(','));
    out.members.push_back({given.parsed<ehlo::mailbox>(member)});
    value.remove_prefix(std::min(member.size() + 1, value.size()));
  }
  if (out.members.empty()) given.refuse("the list '{}' has no members", out.name);
  return out;
}

refused_mailbox read_refusal(const example::arguments& given) {
  const auto [mailbox, code] = cut(given, given.value(), '=');
  for (const ehlo::replies::named_reply& known : ehlo::replies::all) {
    if (fmt::format("{}", known.value.code()) != code || known.value.is_positive()) continue;
    if (!ehlo::may_answer(ehlo::reply_row::rcpt, known.value.code())) break;
    return {given.parsed<ehlo::mailbox>(mailbox), known.value};
  }
  given.refuse("--reject-rcpt wants a code that refuses RCPT, say 550, 551, 552, 553, 450, 451, 452 or 421, not '{}'", code);
}

settings read_arguments(int argc, char** argv) {
  static const option known[] = {
      {"hostname", required_argument, nullptr, 'n'},
      {"lmtp", no_argument, nullptr, 'l'},
      {"max-size", required_argument, nullptr, 's'},
      {"max-recipients", required_argument, nullptr, 'r'},
      {"max-errors", required_argument, nullptr, 'e'},
      {"tls-active", no_argument, nullptr, 't'},
      {"auth", required_argument, nullptr, 'a'},
      {"user", required_argument, nullptr, 'u'},
      {"list", required_argument, nullptr, 'x'},
      {"reject-rcpt", required_argument, nullptr, 'j'},
      {"accept-any", no_argument, nullptr, 'y'},
      {"actions", no_argument, nullptr, 'v'},
      {"help", no_argument, nullptr, 'h'},
      {nullptr, 0, nullptr, 0},
  };
  static constexpr std::array offered{ehlo::mechanisms::plain, ehlo::mechanisms::login};
  example::arguments given{argc, argv, known, help_text};
  settings out;
  for (int name = given.next(); name != -1; name = given.next()) {
    switch (name) {
      case 'n': out.options.hostname = given.parsed<ehlo::host>().text(); break;
      case 'l': out.options.protocol = ehlo::protocol::lmtp; break;
      case 's': out.options.limits.message = given.number<std::uint64_t>(); break;
      case 'r': out.options.limits.recipients = given.number<std::uint32_t>(); break;
      case 'e': out.options.limits.errors = given.number<std::uint32_t>(); break;
      case 't': out.options.tls = ehlo::tls_mode::active; break;
      case 'a': {
        const std::size_t colon = given.value().find(':');
        if (colon == 0 || colon == given.value().npos) given.refuse("--auth wants USER:PASSWORD");
        out.accounts.push_back({given.value().substr(0, colon), given.value().substr(colon + 1)});
        out.options.mechanisms = offered;
        break;
      }
      case 'u': out.users.push_back(read_user(given)); break;
      case 'x': out.lists.push_back(read_list(given)); break;
      case 'j': out.refused.push_back(read_refusal(given)); break;
      case 'y': out.accept_any = true; break;
      case 'v': out.actions = true; break;
    }
  }
  out.options.extensions.expn = !out.lists.empty();
  if (const auto good = out.options.check(); !good) given.refuse("{}", example::arguments::reason(good.error()));
  return out;
}

// ---- The decisions ----------------------------------------------------------------------------------------

bool contains_ignoring_case(std::string_view text, std::string_view wanted) {
  const auto same = [](char a, char b) { return ehlo::ascii::to_lower(a) == ehlo::ascii::to_lower(b); };
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), same) != text.end();
}

/// True for a mailbox at the host itself or at its parent domain.
bool is_local(const ehlo::mailbox& mailbox, std::string_view hostname) {
  const std::string_view host = mailbox.host().text();
  const std::string_view parent = hostname.starts_with('[') ? "" : hostname.substr(hostname.find('.') + 1);
  return ehlo::ascii::equal_ignoring_case(host, hostname) || ehlo::ascii::equal_ignoring_case(host, parent);
}

bool is_known(const ehlo::mailbox& mailbox, const settings& chosen) {
  const auto is_it = [&](const ehlo::listing& l) { return l.mailbox == mailbox; };
  return is_local(mailbox, chosen.options.hostname) || std::ranges::any_of(chosen.users, is_it) ||
         std::ranges::any_of(chosen.lists, [&](const mailing_list& l) { return std::ranges::any_of(l.members, is_it); });
}

void answer_rcpt(ehlo::server_session& session, const ehlo::rcpt_question& q, const settings& chosen) {
  const auto to = q.forward_path.mailbox();
  if (!to) {  // <Postmaster>, which every server takes (RFC 5321 4.5.1)
    session.accept();
    return;
  }
  const auto refused = std::ranges::find(chosen.refused, *to, &refused_mailbox::mailbox);
  if (refused != chosen.refused.end()) {
    session.reject(refused->reply);
  } else if (chosen.accept_any || is_known(*to, chosen)) {
    session.accept();
  } else {
    session.reject(ehlo::replies::relaying_denied);
  }
}

/// VRFY takes a mailbox, a local-part or a piece of a name. RFC 5321 3.5.1.
void answer_vrfy(ehlo::server_session& session, const ehlo::vrfy_question& q, const settings& chosen) {
  if (chosen.users.empty()) {
    session.answer_default();
    return;
  }
  std::vector<ehlo::listing> found;
  std::ranges::copy_if(chosen.users, std::back_inserter(found), [&](const ehlo::listing& user) {
    if (q.mailbox) return user.mailbox == *q.mailbox;
    return user.mailbox.local_part().is_ignoring_case(q.argument) || contains_ignoring_case(user.full_name, q.argument);
  });
  if (found.empty()) {
    session.reject(ehlo::replies::no_such_mailbox);
    return;
  }
  const auto told = found.size() == 1 ? session.accept(found.front()) : session.reject_ambiguous(found);
  if (!told) session.answer_default();  // a line of a reply has no room for a long name and its mailbox (RFC 5321 4.5.3.1.5)
}

/// EXPN shows the members of a list. RFC 5321 3.5.2.
void answer_expn(ehlo::server_session& session, const ehlo::expn_question& q, const settings& chosen) {
  const std::string_view name = q.mailbox ? q.mailbox->local_part().text() : q.argument;
  const auto list =
      std::ranges::find_if(chosen.lists, [&](const mailing_list& l) { return ehlo::ascii::equal_ignoring_case(l.name, name); });
  if (list == chosen.lists.end()) {
    session.reject(ehlo::replies::no_such_mailbox);
  } else if (!session.accept(list->members)) {
    session.answer_default();
  }
}

bool is_right(const ehlo::sasl::credentials& claimed, const settings& chosen) {
  if (!claimed.authorization_identity.empty() && claimed.authorization_identity != claimed.authentication_identity) {
    return false;  // nobody here may act for somebody else
  }
  bool found = false;
  for (const account& a : chosen.accounts) {
    // Neither a wrong name nor a wrong password is known by the time that the answer takes.
    const bool is_user = ehlo::equal_in_constant_time(claimed.authentication_identity, a.user);
    const bool is_password = ehlo::equal_in_constant_time(claimed.proof.reveal(), a.password);
    found = found || (is_user && is_password);
  }
  return found;
}

/// One step of AUTH: the exchange reads what the client said, and says what comes next.
void answer_auth(ehlo::server_session& session, const ehlo::auth_question& q, ehlo::sasl::server_exchange& exchange,
                 const settings& chosen) {
  std::array<char, ehlo::sizes::auth_line> octets{};
  std::optional<std::string_view> response;
  if (q.response) {
    q.response->decode(octets.data());
    response = std::string_view{octets.data(), q.response->decoded_size()};
  }
  if (q.initial) exchange.start(q.mechanism);
  std::visit(ehlo::overloaded{
                 [&](ehlo::sasl::challenge c) { session.challenge(c.octets); },
                 [&](const ehlo::sasl::credentials& claimed) {
                   is_right(claimed, chosen) ? session.authenticated() : session.reject(ehlo::replies::bad_credentials);
                 },
                 [&](ehlo::error) { session.reject(ehlo::replies::bad_credentials); },
             },
             exchange.step(response));
  ehlo::wipe(octets.data(), octets.size());
  if (exchange.is_over()) exchange.clear();
}

// ---- The adapter: standard input and output ---------------------------------------------------------------

/// Says what the system has against a stream.
void complain(std::string_view stream) { example::print_error("01_dialogue: {}: {}\n", stream, std::strerror(errno)); }

/// None at the end. Nothing if they cannot be read.
std::optional<std::string_view> read_some(std::array<char, 4096>& buffer) {
  ssize_t count = 0;
  do {
    count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) return std::nullopt;
  return std::string_view{buffer.data(), static_cast<std::size_t>(count)};
}

/// False if nobody takes the octets any more.
bool write_all(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, octets.data(), octets.size());
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) octets.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  example::prepare_streams();
  const settings chosen = read_arguments(argc, argv);
  ehlo::server_session session{chosen.options};
  ehlo::sasl::server_exchange exchange;
  std::array<char, 4096> buffer{};
  std::string_view input;

  bool open = true;
  int status = EXIT_SUCCESS;
  while (open) {
    const ehlo::server_action action = session.next(input);
    if (chosen.actions) example::print_error("{}\n", action);
    std::visit(ehlo::overloaded{
                   [&](ehlo::transmit a) {
                     if (write_all(a.octets)) return;
                     complain("standard output");
                     status = EXIT_FAILURE;
                     session.disconnected();
                   },
                   [&](ehlo::receive) {
                     const auto octets = read_some(buffer);
                     input = octets.value_or(std::string_view{});
                     if (!octets) {
                       complain("standard input");
                       status = EXIT_FAILURE;
                       session.disconnected();
                     } else if (input.empty()) {
                       session.end_of_input();
                     }
                   },
                   [&](const ehlo::rcpt_question& q) { answer_rcpt(session, q, chosen); },
                   [&](const ehlo::vrfy_question& q) { answer_vrfy(session, q, chosen); },
                   [&](const ehlo::expn_question& q) { answer_expn(session, q, chosen); },
                   [&](const ehlo::auth_question& q) { answer_auth(session, q, exchange, chosen); },
                   [&](const ehlo::message_question&) { session.accept(); },  // a real program has stored the message by now
                   [&](ehlo::mail_data) {},
                   [&](ehlo::start_tls) { session.tls_failed(); },  // not offered, so it does not come
                   [&](ehlo::exchange_ended) { exchange.clear(); },
                   [&](ehlo::answer_due) {},  // every question is answered at once
                   [&](ehlo::close_channel) { open = false; },
                   [&](const ehlo::question auto&) { session.answer_default(); },
                   [&](const ehlo::notice auto&) {},
               },
               action);
  }
  return status;
}
