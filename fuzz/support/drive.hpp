// SPDX-License-Identifier: BSL-1.0
// Drives a server session for the fuzz targets: octets in pieces, each in a buffer of its own that is gone when the session may no
// longer look at it, answers made from the questions alone, and everything that happened written down in one form for all cuts.
#ifndef EHLO_FUZZ_SUPPORT_DRIVE_HPP
#define EHLO_FUZZ_SUPPORT_DRIVE_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ehlo/actions.hpp>
#include <ehlo/replies.hpp>
#include <ehlo/server/session.hpp>

#include "support/must.hpp"

namespace fuzz {

/// The options that a first octet of the input stands for: every extension on, and the policies in both positions.
inline ehlo::server_options options_for(std::uint8_t choice) {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain, ehlo::mechanisms::login,
                                                        ehlo::mechanisms::cram_md5};
  static constexpr ehlo::custom_verb verbs[] = {{"XVERB", true}};
  static constexpr ehlo::custom_parameter parameters[] = {{"XPARAM", ehlo::custom_parameter::place::rcpt}};
  ehlo::server_options out{.hostname = "mx.example"};
  out.extensions = {true, true, true, true, true, true, true, true, true, true, true};
  out.extensions.require_tls = (choice & 1U) != 0;
  out.extensions.deliver_by = out.extensions.priority = out.extensions.rrvs = out.extensions.mtrk = true;
  out.extensions.no_soliciting = true;
  if ((choice & 3U) == 0) {  // LMTP is no submission
    out.submission = out.trusted_network = true;
    out.extensions.burl = out.extensions.future_release = true;
    out.holds = {86400, *ehlo::timestamp::from_unix(1893456000)};
  } else {
    out.extensions.etrn = true;
  }
  out.extensions.xclient = (choice & 5U) == 0;
  out.extensions.xforward = (choice & 1U) == 0;
  out.mechanisms = mechanisms;
  out.verbs = verbs;
  out.parameters = parameters;
  out.auth_without_tls = true;
  out.limits.message = 65536;
  out.tls = (choice & 1U) != 0 ? ehlo::tls_mode::offered : ehlo::tls_mode::unavailable;
  if ((choice & 2U) != 0) out.protocol = ehlo::protocol::lmtp;
  if ((choice & 4U) != 0) out.bare_line_ends = ehlo::bare_line_ends::keep;
  if ((choice & 8U) != 0) out.long_lines = out.eight_bit_text = ehlo::text_policy::refuse;
  if ((choice & 16U) != 0) {
    out.limits.errors = 5;
    out.extensions.limits = true;
    out.announced = {.mail_max = 4, .rcpt_max = 8, .rcpt_domain_max = 2};
  }
  if ((choice & 32U) != 0) out.leniency = {true, true, true};
  if ((choice & 64U) != 0) out.auth_required = true;
  if ((choice & 128U) != 0) out.limits.transactions = 3;
  return out;
}

/// What happened in a session, without the flow of octets: questions, notices and mail data in order, and all octets sent.
struct trace {
  std::string events;
  std::string sent;
  friend bool operator==(const trace&, const trace&) = default;
};

/// Every line that was sent is text that a reply may hold, ends with CRLF, and is at most 512 octets long. AUTH's challenges may be
/// longer, and UTF-8 stands only where a client asked for it.
inline void check_sent(std::string_view sent) {
  while (!sent.empty()) {
    const std::size_t end = sent.find("\r\n");
    must(end != sent.npos, "what is sent ends with CRLF");
    const std::string_view line = sent.substr(0, end);
    must(line.size() >= 4, "a reply has a code and a space");
    must(line.size() <= 510 || line.starts_with("334"), "a reply line has at most 512 octets");
    must(line[0] >= '2' && line[0] <= '5' && line[1] >= '0' && line[1] <= '5' && line[2] >= '0' && line[2] <= '9',
         "a reply has a code");
    must(line[3] == ' ' || line[3] == '-', "a space or hyphen follows the code");
    for (const char c : line) must(c != '\r' && c != '\n' && c != '\0', "no CR, LF or NUL inside a reply");
    sent.remove_prefix(end + 2);
  }
}

/// An octet of text becomes the answer to a question: accept, refuse for now, refuse.
inline int decision(std::string_view text) {
  std::uint32_t hash = 7;
  for (const char c : text) hash = hash * 31 + static_cast<unsigned char>(c);
  return static_cast<int>(hash >> 3U & 7U);
}

/// Stands for pieces of different sizes, drawn from what the octets are: a cut inside a verb and none in a long rest.
inline constexpr std::size_t uneven = 0;

/// Plays `octets` in pieces of `cut` octets, the last answer made from what the questions say.
template <class Session>
class driver {
 public:
  driver(Session& session, std::string_view octets, std::size_t cut) : session_{session}, left_{octets}, cut_{cut} {
    for (const char c : octets) draw_ = (draw_ ^ static_cast<unsigned char>(c)) * 16777619U;
  }

  trace run() {
    while (step()) {
    }
    std::string_view nothing;
    must(std::holds_alternative<ehlo::close_channel>(session_.next(nothing)), "a closed session stays closed");
    must(!in_transaction_, "every transaction ends");
    check_sent(out_.sent);
    return out_;
  }

 private:
  bool step() {
    bool goes_on = true;
    std::visit(ehlo::overloaded{
                   [&](ehlo::transmit a) {
                     must(!a.octets.empty(), "transmit is never empty");
                     out_.sent += a.octets;
                   },
                   [&](ehlo::receive) {
                     must(input_.empty(), "all of the input was taken");
                     read();
                   },
                   [&](ehlo::mail_data a) {
                     must(!a.octets.empty(), "mail data are never empty");
                     if (last_ != 'd') note("data ");
                     last_ = 'd';
                     out_.events += a.octets;
                   },
                   [&](ehlo::start_tls) {
                     must(input_.empty(), "nothing is left over before TLS");
                     note("tls");
                     (void)session_.tls_started();
                   },
                   [&](ehlo::answer_due) { must(false, "every question was answered"); },
                   [&](ehlo::close_channel) {
                     note("close");
                     goes_on = false;
                   },
                   [&](ehlo::transaction_reset a) {
                     must(in_transaction_, "a reset ends a transaction");
                     in_transaction_ = false;
                     note("reset " + std::to_string(static_cast<int>(a.cause)));
                   },
                   [&](ehlo::violation a) {
                     note("violation " + std::to_string(static_cast<int>(a.code)) + " " + std::to_string(a.offset));
                   },
                   [&](ehlo::exchange_ended a) { note("exchange " + std::to_string(static_cast<int>(a.cause))); },
                   [&](const auto& q) { answer(q); },
               },
               session_.next(input_));
    return goes_on;
  }

  void note(const std::string& text) {
    out_.events += "\n" + text;
    last_ = 'n';
  }

  /// The next piece, in a buffer that ends where the piece ends.
  void read() {
    if (left_.empty()) {
      session_.end_of_input();
      return;
    }
    const std::string_view piece = left_.substr(0, cut_ != uneven ? cut_ : size_of_piece());
    left_.remove_prefix(piece.size());
    buffer_ = std::make_unique<char[]>(piece.size());
    piece.copy(buffer_.get(), piece.size());
    input_ = {buffer_.get(), piece.size()};
  }

  /// A few octets, or many, or up to the first octets of the next line, where a cut falls into a verb.
  std::size_t size_of_piece() {
    draw_ = draw_ * 1664525U + 1013904223U;
    const std::size_t few = 1U + (draw_ >> 8U) % 8U;
    if (draw_ >> 30U == 0) return 1U + (draw_ >> 8U) % 2048U;
    const std::size_t end = draw_ >> 30U == 1 ? left_.npos : left_.find("\r\n");
    return end == left_.npos ? few : end + 1 + few;
  }

  void answer(const ehlo::greeting_question&) { (void)session_.answer_default(); }
  void answer(const ehlo::hello_question& q) {
    note("hello " + std::string{q.client.text()});
    decision(q.client.text()) == 7 ? (void)session_.reject(ehlo::replies::policy_refusal) : (void)session_.accept();
  }
  void answer(const ehlo::starttls_question&) { (void)session_.accept(); }
  void answer(const ehlo::auth_question& q) {
    const std::string_view response = q.response ? q.response->text() : std::string_view{"none"};
    note("auth " + std::string{q.mechanism} + " " + std::string{response});
    const int choice = decision(response);
    if (choice < 2) {
      (void)session_.authenticated();
    } else if (choice < 5) {
      (void)session_.challenge("more");
    } else {
      (void)session_.reject(ehlo::replies::bad_credentials);
    }
  }
  void answer(const ehlo::mail_question& q) {
    note("mail " + std::string{q.reverse_path.text()} + " " + std::string{q.parameters.text()} + (q.forwarded ? " forwarded" : ""));
    if (decision(q.reverse_path.text()) == 7) {
      (void)session_.reject(ehlo::replies::insufficient_storage);
    } else {
      must(!in_transaction_, "transactions do not nest");
      in_transaction_ = true;
      (void)session_.accept();
    }
  }
  void answer(const ehlo::rcpt_question& q) {
    note("rcpt " + std::string{q.forward_path.text()} + " " + std::string{q.parameters.text()});
    decision(q.forward_path.text()) == 7 ? (void)session_.reject(ehlo::replies::no_such_mailbox) : (void)session_.accept();
  }
  void answer(const ehlo::data_question& q) {
    note("data? " + std::to_string(q.recipients));
    (void)session_.accept();
  }
  void answer(const ehlo::message_question& q) {
    note("message " + std::to_string(q.size) + " " + std::to_string(q.recipient) + (q.has_long_line ? " long" : "") +
         (q.has_eight_bit ? " eight" : "") + (q.has_bare_line_end ? " bare" : ""));
    const bool is_last = session_.options().protocol == ehlo::protocol::smtp || q.recipient + 1 == q.recipients;
    if (is_last) in_transaction_ = false;
    q.size % 3 == 2 ? (void)session_.reject(ehlo::replies::transaction_failed) : (void)session_.accept();
  }
  void answer(const ehlo::burl_question& q) {
    note("burl " + std::string{q.url} + (q.last ? " last " : " ") + std::to_string(q.octets));
    if (decision(q.url) == 7) {
      (void)session_.reject(ehlo::replies::url_failed);
    } else {
      if (q.last) in_transaction_ = false;
      (void)session_.accept();
    }
  }
  void answer(const ehlo::xclient_question& q) {
    note("xclient " + std::string{q.attributes.text()});
    must(!in_transaction_, "XCLIENT does not come in a transaction");
    decision(q.attributes.text()) == 7 ? (void)session_.answer_default() : (void)session_.accept();
  }
  void answer(const ehlo::xforward_question& q) {
    note((q.first ? "xforward first " : "xforward ") + std::string{q.attributes.text()});
    must(!in_transaction_, "XFORWARD does not come in a transaction");
    decision(q.attributes.text()) == 7 ? (void)session_.answer_default() : (void)session_.accept();
  }
  template <class Other>
  void answer(const Other&) {
    note("other");
    (void)session_.answer_default();
  }

  Session& session_;
  std::string_view left_;
  std::size_t cut_;
  std::uint32_t draw_ = 2166136261U;
  std::unique_ptr<char[]> buffer_;
  std::string_view input_;
  trace out_;
  char last_ = ' ';
  bool in_transaction_ = false;
};

template <class Session>
trace drive(const ehlo::server_options& options, std::string_view octets, std::size_t cut) {
  Session session{options};
  return driver<Session>{session, octets, cut}.run();
}

}  // namespace fuzz

#endif  // EHLO_FUZZ_SUPPORT_DRIVE_HPP
