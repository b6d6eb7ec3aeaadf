// SPDX-License-Identifier: BSL-1.0
// A client session and a server session joined in memory, with an observer between them: what it tells is what the two ends know.
// Their options and decisions are drawn from choices.
#ifndef EHLO_FUZZ_SUPPORT_WATCHED_ENDS_HPP
#define EHLO_FUZZ_SUPPORT_WATCHED_ENDS_HPP

#include <array>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <ehlo/ehlo.hpp>
#include <ehlo/format.hpp>

#include "support/choices.hpp"
#include "support/watch.hpp"

namespace fuzz {

/// What was heard of a conversation, by an end or by the observer.
struct heard {
  std::vector<std::string> replies;     ///< the codes that the server gave, in order
  std::vector<std::string> mails;       ///< the paths of MAIL that were accepted
  std::vector<std::string> recipients;  ///< of RCPT: path and code
  std::vector<std::string> messages;    ///< octets and the codes of their replies

  friend bool operator==(const heard&, const heard&) = default;
};

class watched_ends {
 public:
  explicit watched_ends(choices in) : in_{in} {
    draw_options();
    must(client_options_.check().has_value() && server_options_.check().has_value(), "the options are good ones");
  }

  /// Gives what the observer heard, which is what the ends know.
  heard run() {
    client_.emplace(client_options_);
    server_.emplace(server_options_);
    const auto tell = [this](const ehlo::observer_action& action) { hear(action); };
    watcher<ehlo::observer, decltype(tell)> watch{observer_options_, tell};
    begin_work();
    for (int turns = 0; !(client_over_ && server_over_); ++turns) {
      check(turns < 200000, "the ends come to their end");
      bool moved = act_client(watch);
      moved = act_server(watch) || moved;
      if (!moved) moved = shake_hands(watch) || close();
      check(moved, "the ends do not wait for each other");
    }
    if (observer_options_.order == ehlo::feed_order::unknown) feed_streams(watch);
    watch.finish();
    compare(watch.observer);
    return heard_;
  }

 private:
  void check(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "--- told\n%s\n--- sent\n%s\n---\n", told_.c_str(), transcript_.c_str());
    must(false, what);
  }

  // ---- What is drawn ---------------------------------------------------------------------------------------------------------

  void draw_options() {
    static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain, ehlo::mechanisms::login};
    const auto has = [](unsigned octet, unsigned bit) { return (octet >> bit & 1U) != 0; };
    const unsigned manners = in_.one();
    if (has(manners, 0)) client_options_.protocol = server_options_.protocol = ehlo::protocol::lmtp;
    const bool lmtp = has(manners, 0);
    client_options_.pipelining = !has(manners, 1);
    server_options_.extensions.pipelining = lmtp || !has(manners, 2);
    server_options_.extensions.chunking = !has(manners, 3);
    client_options_.chunking = has(manners, 4) ? ehlo::chunking_policy::never : ehlo::chunking_policy::preferred;
    if (has(manners, 5)) client_options_.recipients = ehlo::recipient_policy::all_or_nothing;
    server_options_.esmtp = lmtp || !has(manners, 6);
    if (has(manners, 7)) observer_options_.order = ehlo::feed_order::unknown;
    const unsigned more = in_.one();
    client_options_.tls = has(more, 0) ? ehlo::tls_policy::opportunistic : ehlo::tls_policy::never;
    server_options_.tls = has(more, 1) ? ehlo::tls_mode::unavailable : ehlo::tls_mode::offered;
    if (has(more, 2)) client_options_.mechanisms = mechanisms;
    if (!has(more, 3)) server_options_.mechanisms = mechanisms;
    client_options_.auth_without_tls = server_options_.auth_without_tls = true;
    client_options_.auth_required = has(more, 4);
    if (has(more, 5)) client_options_.limits.recipients = 2;
    if (has(more, 6)) server_options_.limits.message = 65536;
    if (has(more, 7)) server_options_.limits.transactions = 2;
    cut_ = std::array<std::size_t, 4>{100000, 1, 7, 64}[in_.one() % 4U];
    if (observer_options_.order == ehlo::feed_order::kept && in_.one() % 4U == 1) observer_options_.begin = ehlo::beginning::unsure;
  }

  void begin_work() {
    messages_left_ = 1 + in_.one() % 3;
    begin_message();
  }

  void begin_message() {
    if (messages_left_ == 0) {
      (void)client_->quit();
      return;
    }
    --messages_left_;
    text_.clear();
    constexpr std::string_view pieces[] = {"x\r\n",    ".\r\n",    "\r\n",   "..\r\n",
                                           "a: b\r\n", "QUIT\r\n", ".x\r\n", "text of a line\r\n"};
    for (int i = in_.one() % 6; i > 0; --i) text_ += in_.of(pieces);
    auto mail = ehlo::envelope::make("a@client.example");
    for (int i = 1 + in_.one() % 4; i > 0; --i) must(mail->add("r" + std::to_string(i) + "@mx.example").has_value(), "a good path");
    envelope_ = std::make_unique<ehlo::envelope>(std::move(*mail));
    given_ = 0;
    if (!client_->begin_transaction(*envelope_, ehlo::traits_of(text_))) (void)client_->quit();
  }

  // ---- The ends --------------------------------------------------------------------------------------------------------------

  template <class Watch>
  bool act_client(Watch& watch) {
    if (client_over_ || client_tls_) return false;
    if (client_wants_) {
      if (down_.empty()) return false;
      client_buffer_ = std::move(down_);
      down_.clear();
      client_input_ = client_buffer_;
      client_wants_ = false;
    }
    std::visit(ehlo::overloaded{
                   [&](ehlo::transmit a) { pass(watch, ehlo::direction::from_client, a.octets); },
                   [&](ehlo::receive) { client_wants_ = true; },
                   [&](ehlo::start_tls) { client_tls_ = true; },
                   [&](ehlo::close_channel) { client_over_ = true; },
                   [&](ehlo::idle) { work_on(); },
                   [&](const ehlo::credentials_question&) { authenticate(); },
                   [&](const ehlo::mail_data_question& q) { give_text(q); },
                   [&](const ehlo::recipient_result& r) { client_recipients_.push_back(std::to_string(r.reply.code())); },
                   [&](const ehlo::message_result& r) { client_messages_.push_back(std::to_string(r.reply.code())); },
                   [&](const auto&) {},
               },
               client_->next(client_input_));
    return true;
  }

  /// Nothing is to be done: another message, a single command, or QUIT.
  void work_on() {
    switch (in_.one() % 8U) {
      case 1: must(client_->verify("somebody").has_value(), "VRFY is sent"); break;
      case 2: must(client_->noop().has_value(), "NOOP is sent"); break;
      case 3: must(client_->reset().has_value(), "RSET is sent"); break;
      case 4: must(client_->help().has_value(), "HELP is sent"); break;
      case 5: must(client_->expand("list").has_value(), "EXPN is sent"); break;
      default: begin_message(); break;
    }
  }

  void authenticate() {
    constexpr std::string_view responses[] = {std::string_view{"\0user\0secret", 12}, "user", ""};
    const std::uint8_t choice = in_.one();
    if (choice % 8U == 1) {
      (void)client_->decline();
      return;
    }
    (void)client_->respond(responses[choice / 8U % std::size(responses)],
                           choice % 2U == 0 ? ehlo::exchange::complete : ehlo::exchange::goes_on);
  }

  void give_text(const ehlo::mail_data_question& q) {
    constexpr std::size_t pieces[] = {100000, 1, 3, 40};
    if (q.begin) given_ = 0;
    if (in_.one() % 32U == 1) {
      (void)client_->abandon();
      return;
    }
    const std::string_view octets = std::string_view{text_}.substr(given_, in_.of(pieces));
    given_ += octets.size();
    (void)(given_ == text_.size() ? client_->end_of_mail_data(octets) : client_->data(octets));
  }

  template <class Watch>
  bool act_server(Watch& watch) {
    if (server_over_ || server_tls_) return false;
    if (server_wants_) {
      if (up_.empty()) return false;
      server_buffer_ = std::move(up_);
      up_.clear();
      server_input_ = server_buffer_;
      server_wants_ = false;
    }
    std::visit(ehlo::overloaded{
                   [&](ehlo::transmit a) { pass(watch, ehlo::direction::from_server, a.octets); },
                   [&](ehlo::receive) { server_wants_ = true; },
                   [&](ehlo::start_tls) { server_tls_ = true; },
                   [&](ehlo::close_channel) { server_over_ = true; },
                   [&](const ehlo::mail_question& q) {
                     const std::string path{q.reverse_path.text()};
                     if (decide(ehlo::replies::policy_refusal)) server_heard_.mails.push_back(path);
                     stored_.clear();
                   },
                   [&](const ehlo::rcpt_question& q) {
                     const std::string path{q.forward_path.text()};
                     const bool taken = decide(ehlo::replies::no_such_mailbox);
                     server_heard_.recipients.push_back(path + (taken ? " 250" : " 550"));
                   },
                   [&](const ehlo::data_question&) { decide(ehlo::replies::transaction_failed); },
                   [&](ehlo::mail_data a) {
                     stored_ += a.octets;
                     if (in_.one() % 64U == 1) (void)server_->reject(ehlo::replies::local_error);
                   },
                   [&](const ehlo::message_question&) {
                     const bool taken = decide(ehlo::replies::transaction_failed);
                     server_heard_.messages.push_back(stored_ + (taken ? "250" : "554"));
                   },
                   [&](const ehlo::auth_question&) { answer_auth(); },
                   [&](const ehlo::greeting_question&) { decide(ehlo::replies::no_service); },
                   [&](const ehlo::hello_question&) { decide(ehlo::replies::policy_refusal); },
                   [&](const ehlo::starttls_question&) { decide(ehlo::replies::tls_unavailable); },
                   [&](ehlo::question auto const&) { (void)server_->answer_default(); },
                   [&](const auto&) {},
               },
               server_->next(server_input_));
    return true;
  }

  bool decide(const ehlo::reply& refusal) {
    const std::uint8_t choice = in_.one();
    if (choice % 64U == 3) server_->shutdown();
    if (choice % 8U == 1 && server_->reject(refusal)) return false;
    check(server_->accept().has_value(), "a question is accepted");
    return true;
  }

  void answer_auth() {
    const std::uint8_t choice = in_.one();
    if (choice % 4U == 1 && server_->reject(ehlo::replies::bad_credentials)) return;
    if (choice % 4U == 2 && challenges_++ < 3 && server_->challenge("Password:")) return;
    check(server_->authenticated().has_value(), "an exchange succeeds");
  }

  /// Octets pass the observer on their way.
  template <class Watch>
  void pass(Watch& watch, ehlo::direction from, std::string_view octets) {
    const bool up = from == ehlo::direction::from_client;
    (up ? up_ : down_) += octets;
    transcript_ += octets;
    if (!up) server_sent_ += octets;
    if (observer_options_.order == ehlo::feed_order::unknown) {
      streams_[static_cast<std::size_t>(from)] += octets;
    } else {
      watch.give(from, octets, cut_);
    }
  }

  template <class Watch>
  bool shake_hands(Watch& watch) {
    if (!client_tls_ || !server_tls_) return false;
    if (observer_options_.order == ehlo::feed_order::unknown) feed_streams(watch);
    check(watch.observer.is_opaque() && tls_told_, "the observer says when TLS begins");
    tls_told_ = false;
    watch.give(ehlo::direction::from_client, "\x16\x03\x01 QUIT\r\n", cut_);
    watch.give(ehlo::direction::from_server, "\x16\x03\x03 421\r\n", cut_);
    client_tls_ = server_tls_ = false;
    if (in_.one() % 8U == 1) {
      must(client_->tls_failed().has_value() && server_->tls_failed().has_value(), "a handshake was due");
      return true;
    }
    must(watch.observer.decrypted().has_value(), "TLS was opaque");
    must(client_->tls_started(ehlo::server_identity::verified).has_value() && server_->tls_started().has_value(),
         "a handshake was due");
    return true;
  }

  /// An end that has closed the channel ends the other's input.
  bool close() {
    bool moved = false;
    if (server_over_ && !client_over_ && !client_told_) {
      client_->end_of_input();
      client_wants_ = client_tls_ = false;
      moved = client_told_ = true;
    }
    if (client_over_ && !server_over_ && !server_told_) {
      server_->end_of_input();
      server_wants_ = server_tls_ = false;
      moved = server_told_ = true;
    }
    return moved;
  }

  template <class Watch>
  void feed_streams(Watch& watch) {
    const auto first = in_.one() % 2U == 0 ? ehlo::direction::from_client : ehlo::direction::from_server;
    for (const auto from : {first, ehlo::other(first)}) {
      watch.give(from, streams_[static_cast<std::size_t>(from)], cut_);
      streams_[static_cast<std::size_t>(from)].clear();
    }
  }

  // ---- The observer ----------------------------------------------------------------------------------------------------------

  void hear(const ehlo::observer_action& action) {
    told_ += fmt::format("{}\n", action);
    check(told_.find("c2Vjc") == std::string::npos, "credentials are not shown");
    std::visit(ehlo::overloaded{
                   [&](const ehlo::observed_command& c) {
                     if (const auto* const mail = std::get_if<ehlo::mail_command>(&c.command)) {
                       paths_[c.serial] = mail->reverse_path.text();
                     }
                     if (const auto* const rcpt = std::get_if<ehlo::rcpt_command>(&c.command)) {
                       paths_[c.serial] = rcpt->forward_path.text();
                     }
                     const auto* const chunk = std::get_if<ehlo::bdat_command>(&c.command);
                     is_chunked_ = chunk != nullptr;
                   },
                   [&](const ehlo::observed_reply& r) { hear_reply(r); },
                   [&](const ehlo::observed_auth& a) {
                     if (a.what == ehlo::observed_auth::step::challenge) heard_.replies.emplace_back("334");
                   },
                   [&](ehlo::mail_data a) { data_ += a.octets; },
                   [&](const ehlo::observed_message& m) {
                     check(m.size == data_.size(), "the size of a message is that of its octets");
                     texts_[m.serial] = std::exchange(data_, {});
                   },
                   [&](const ehlo::transaction_reset&) {
                     if (texts_.empty()) data_.clear();
                   },
                   [&](const ehlo::observed_tls&) { tls_told_ = true; },
                   [&](const ehlo::anomaly&) { check(false, "two sessions give no reason for a finding"); },
                   [&](const ehlo::lost&) { check(false, "the observer keeps its step"); },
                   [&](const ehlo::joined_midway&) { check(false, "the beginning was seen"); },
                   [&](const ehlo::malformed_command&) { check(false, "the client's commands can be read"); },
                   [&](const auto&) {},
               },
               action);
  }

  void hear_reply(const ehlo::observed_reply& r) {
    const std::string code = std::to_string(r.reply.code());
    heard_.replies.push_back(code);
    switch (r.row) {
      case ehlo::reply_row::mail:
        if (r.reply.is_completed()) heard_.mails.push_back(paths_[r.serial]);
        if (r.reply.is_completed()) data_.clear();
        break;
      case ehlo::reply_row::rcpt:
        heard_.recipients.push_back(paths_[r.serial] + " " + code);
        observed_recipients_.push_back(code);
        break;
      case ehlo::reply_row::message:
        heard_.messages.push_back(texts_[r.serial] + code);
        observed_messages_.push_back(code);
        break;
      default: break;
    }
  }

  /// The codes of the replies that were sent, one for each reply.
  static std::vector<std::string> codes_of(std::string_view sent) {
    std::vector<std::string> out;
    while (!sent.empty()) {
      const std::size_t end = sent.find("\r\n");
      if (sent[3] == ' ') out.emplace_back(sent.substr(0, 3));
      sent.remove_prefix(end + 2);
    }
    return out;
  }

  /// What the server's caller decided is a part of what was heard: the session refuses some things by itself.
  static bool is_part(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
    std::size_t at = 0;
    for (const std::string& one : whole) {
      if (at < part.size() && part[at] == one) ++at;
    }
    return at == part.size();
  }

  void compare(const ehlo::observer& observer) {
    check(heard_.replies == codes_of(server_sent_), "every reply is heard once");
    check(heard_.mails == server_heard_.mails, "the reverse-paths that were accepted are heard");
    check(is_part(server_heard_.recipients, heard_.recipients), "the recipients are heard");
    check(is_part(server_heard_.messages, heard_.messages), "the messages are heard, octet for octet");
    check(is_part(client_recipients_, observed_recipients_), "what the client knows of recipients is heard");
    check(is_part(client_messages_, observed_messages_), "what the client knows of messages is heard");
    if (!observer.is_opaque()) check(observer.current_state() <= ehlo::state::ready, "no transaction is left");
  }

  choices in_;
  ehlo::client_options client_options_{.hostname = "client.example"};
  ehlo::server_options server_options_{.hostname = "mx.example"};
  ehlo::observer_options observer_options_{};
  std::size_t cut_ = 1;
  std::optional<ehlo::client_session> client_;
  std::optional<ehlo::server_session> server_;
  std::string up_;
  std::string down_;
  std::string client_buffer_;
  std::string server_buffer_;
  std::string_view client_input_;
  std::string_view server_input_;
  bool client_wants_ = false;
  bool server_wants_ = false;
  bool client_tls_ = false;
  bool server_tls_ = false;
  bool client_over_ = false;
  bool server_over_ = false;
  bool client_told_ = false;
  bool server_told_ = false;
  bool is_chunked_ = false;
  bool tls_told_ = false;
  int messages_left_ = 0;
  int challenges_ = 0;
  std::unique_ptr<ehlo::envelope> envelope_;
  std::string text_;
  std::size_t given_ = 0;
  std::string stored_;
  std::array<std::string, 2> streams_{};
  std::string server_sent_;
  std::string transcript_;
  std::string told_;
  heard heard_;
  heard server_heard_;
  std::vector<std::string> client_recipients_;
  std::vector<std::string> client_messages_;
  std::vector<std::string> observed_recipients_;
  std::vector<std::string> observed_messages_;
  std::map<std::uint32_t, std::string> paths_;
  std::map<std::uint32_t, std::string> texts_;
  std::string data_;
};

}  // namespace fuzz

#endif  // EHLO_FUZZ_SUPPORT_WATCHED_ENDS_HPP
