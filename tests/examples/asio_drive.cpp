// SPDX-License-Identifier: BSL-1.0
// The driver and the channel of 05_submission serve both ends: a client and a server of ours, each in a coroutine of its own, send
// and store a message over a connection on the loopback interface, in clear text and under STARTTLS. What comes in pieces
// holds up neither the deadline nor `wake`. Ends with 0 if all is well.
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/ssl.hpp>
#include <asio/write.hpp>

#include <ehlo/ehlo.hpp>

#include "../../examples/support/asio_channel.hpp"
#include "../../examples/support/asio_drive.hpp"

namespace {

using asio::ip::tcp;

struct deleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

/// A server's certificate for localhost that vouches for itself, and a client that trusts it.
struct certificates {
  certificates() {
    const std::unique_ptr<EVP_PKEY, deleter> key{EVP_EC_gen("P-256")};
    const std::unique_ptr<X509, deleter> certificate{X509_new()};
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* const name = X509_get_subject_name(certificate.get());
    const unsigned char host[] = "localhost";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    SSL_CTX_use_certificate(server.native_handle(), certificate.get());
    SSL_CTX_use_PrivateKey(server.native_handle(), key.get());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(client.native_handle()), certificate.get());
    client.set_verify_mode(asio::ssl::verify_peer);
  }

  asio::ssl::context server{asio::ssl::context::tls_server};
  asio::ssl::context client{asio::ssl::context::tls_client};
};

/// Takes mail for one mailbox.
struct receiving {
  ehlo::server_session& session;
  std::string stored{};
  std::vector<std::string> envelope{};

  void on(const ehlo::mail_question& q) {
    envelope.emplace_back(q.reverse_path.text());
    session.accept();
  }
  ehlo::reply on(const ehlo::rcpt_question& q) {
    if (q.forward_path.text() != "<b@mx.example>") return ehlo::replies::no_such_mailbox;
    envelope.emplace_back(q.forward_path.text());
    return ehlo::replies::ok;
  }
  void on(ehlo::mail_data a) { stored += a.octets; }
  void on(const ehlo::message_question&) { session.accept(); }
};

/// Sends one message, then QUIT.
struct sending {
  ehlo::client_session& session;
  example::asio_channel& channel;
  ehlo::envelope_view mail;
  std::string_view message;
  bool is_begun = false;
  std::vector<std::string> results{};

  example::proceed on(ehlo::idle) {
    if (std::exchange(is_begun, true)) {
      (void)session.quit();
    } else {
      (void)session.begin_transaction(mail, ehlo::traits_of(message));
    }
    return example::proceed::call_next;
  }
  void on(ehlo::start_tls) {
    session.tls_started(channel.is_peer_verified() ? ehlo::server_identity::verified : ehlo::server_identity::unverified);
  }
  void on(const ehlo::mail_data_question&) { session.end_of_mail_data(message); }
  void on(const ehlo::recipient_result& a) { results.push_back("rcpt " + std::to_string(a.reply.code())); }
  void on(const ehlo::message_result& a) { results.push_back("message " + std::to_string(a.reply.code())); }
  void on(const ehlo::failed&) { results.emplace_back("failed"); }
};

/// Whether the message that is sent with these options is stored, and each result told.
bool is_delivered(ehlo::tls_policy policy) {
  asio::io_context context{1};
  certificates tls;
  tcp::acceptor acceptor{context, {asio::ip::make_address("127.0.0.1"), 0}};
  tcp::socket near{context};
  near.connect(acceptor.local_endpoint());
  tcp::socket far = acceptor.accept();

  ehlo::server_options server_options{.hostname = "mx.example"};
  if (policy != ehlo::tls_policy::never) server_options.tls = ehlo::tls_mode::offered;
  ehlo::server_session server{server_options};
  example::asio_channel server_channel{std::move(far), tls.server};
  receiving receiver{server};

  const ehlo::client_options client_options{.hostname = "client.example", .tls = policy};
  ehlo::client_session client{client_options};
  example::asio_channel client_channel{std::move(near), tls.client, "localhost"};
  const auto mail = *ehlo::envelope::make("a@client.example", {"nobody@mx.example", "b@mx.example"});
  std::string message = "Subject: dots\r\n\r\n";
  for (int i = 0; i < 20000; ++i) message += i % 3 == 0 ? ".\r\n" : "..x\r\n";
  sending sender{client, client_channel, mail, message};

  int ended = 0;
  const auto when_ended = [&](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
    if (++ended == 2) context.stop();  // the channels' timers are still set
  };
  asio::co_spawn(context, example::drive(server, server_channel, receiver), when_ended);
  asio::co_spawn(context, example::drive(client, client_channel, sender), when_ended);
  context.run();

  return ended == 2 && receiver.stored == message &&
         receiver.envelope == std::vector<std::string>{"<a@client.example>", "<b@mx.example>"} &&
         sender.results == std::vector<std::string>{"rcpt 550", "rcpt 250", "message 250"} &&
         client_channel.is_secure() == (policy != ehlo::tls_policy::never) &&
         server_channel.is_secure() == client_channel.is_secure() &&
         client_channel.is_peer_verified() == client_channel.is_secure();
}

/// A channel under TLS, of whose peer nothing comes but what `write` gives it.
struct half_channel {
  asio::io_context context{1};
  certificates tls;
  tcp::acceptor acceptor{context, {asio::ip::make_address("127.0.0.1"), 0}};
  tcp::socket near{context};
  std::optional<example::asio_channel> channel{};
  std::optional<example::outcome> ended{};

  half_channel() {
    near.connect(acceptor.local_endpoint());
    channel.emplace(acceptor.accept(), tls.server);
  }

  void spawn(asio::awaitable<example::outcome> operation) {
    asio::co_spawn(context, std::move(operation), [this](const std::exception_ptr& failure, example::outcome how) {
      if (failure) std::rethrow_exception(failure);
      ended = how;
    });
  }
  void write(std::string_view octets) { asio::write(near, asio::buffer(octets)); }
};

/// Whether a handshake ends at its deadline when the second half of what has come is read, and the first was, at that moment.
bool is_deadline_kept() {
  half_channel half;
  half.channel->expires_after(std::chrono::seconds{1});
  half.spawn(half.channel->handshake());
  half.context.poll();
  // Three records of a ClientHello of 100,000 octets: more than a read takes.
  std::string record = "\x16\x03\x03\x40" + std::string(1, '\0') + std::string(16384, '\0');
  std::string hello = record;
  hello.replace(5, 6, std::string{"\x01\x01\x86\xA0\x03\x03"});
  half.write(hello + record + record);
  std::this_thread::sleep_for(std::chrono::milliseconds{1100});
  half.context.run_for(std::chrono::seconds{5});
  return half.ended == example::outcome::expired;
}

/// Whether `wake` ends a read that has just got a part of a record.
bool is_wake_heard() {
  half_channel half;
  asio::ssl::stream<tcp::socket&> client{half.near, half.tls.client};
  half.spawn(half.channel->handshake());
  client.async_handshake(asio::ssl::stream_base::client, [&](std::error_code) { half.context.stop(); });
  half.context.run();
  half.context.restart();
  half.context.poll();
  if (std::exchange(half.ended, std::nullopt) != example::outcome::done) return false;

  half.write({"\x17\x03\x03\x40\0x", 6});
  std::array<char, 16> place{};
  std::size_t count = 0;
  asio::post(half.context, [&] {
    half.spawn(half.channel->read(place, count));  // reads at once what is there
    half.channel->wake();
  });
  half.context.restart();
  half.context.run_for(std::chrono::seconds{5});
  return half.ended == example::outcome::woken;
}

}  // namespace

int main() {
  bool is_good = true;
  for (const auto policy : {ehlo::tls_policy::never, ehlo::tls_policy::required}) {
    const bool arrived = is_delivered(policy);
    std::printf("%s %s\n", arrived ? "ok  " : "FAIL", policy == ehlo::tls_policy::never ? "in clear text" : "under STARTTLS");
    is_good = is_good && arrived;
  }
  for (const auto& [name, test] : {std::pair{"the deadline", &is_deadline_kept}, {"wake", &is_wake_heard}}) {
    const bool holds = test();
    std::printf("%s %s\n", holds ? "ok  " : "FAIL", name);
    is_good = is_good && holds;
  }
  return is_good ? 0 : 1;
}
