// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXAMPLES_SUPPORT_ASIO_CHANNEL_HPP
#define EHLO_EXAMPLES_SUPPORT_ASIO_CHANNEL_HPP

/// @file
/// A TCP connection for coroutines of Asio, that TLS can be put upon in place. RFC 3207; RFC 8314.

#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/ssl.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

namespace example {

/// How an operation of a channel ended.
enum class outcome {
  done,
  ended,    ///< the peer will send no more: a close_notify under TLS, the end of the stream without
  woken,    ///< `wake` cut it short; nothing is lost
  expired,  ///< the deadline has passed; nothing is lost but what a cut `write` had not sent
  broken,   ///< the channel is of no use any more
};

/// The channel under one session. Belongs to one thread, does one operation at a time, and stays where it is.
class asio_channel {
 public:
  using socket_type = asio::ip::tcp::socket;

  /// The server's end, with the certificate and the key in `tls`, which outlives it.
  asio_channel(socket_type socket, asio::ssl::context& tls)
      : asio_channel{std::move(socket), tls, asio::ssl::stream_base::server} {}

  /// The client's end. The server's certificate has to be that of `server_name`; `tls` says whom to trust, and whether a handshake
  /// with a certificate that is not good fails (its verify mode) or only says so (`is_peer_verified`).
  asio_channel(socket_type socket, asio::ssl::context& tls, std::string server_name)
      : asio_channel{std::move(socket), tls, asio::ssl::stream_base::client} {
    server_name_ = std::move(server_name);
  }

  asio_channel(const asio_channel&) = delete;
  asio_channel& operator=(const asio_channel&) = delete;

  /// Reads some octets: `done`, with their number in `count`.
  asio::awaitable<outcome> read(std::span<char> place, std::size_t& count) {
    count = 0;
    if (const auto already = interruption()) co_return *already;
    std::error_code failure;
    is_reading_ = is_busy_ = true;
    if (is_secure_) {
      count = co_await tls_->async_read_some(asio::buffer(place.data(), place.size()),
                                             asio::redirect_error(asio::use_awaitable, failure));
    } else {
      count = co_await socket_.async_read_some(asio::buffer(place.data(), place.size()),
                                               asio::redirect_error(asio::use_awaitable, failure));
    }
    is_reading_ = is_busy_ = false;
    co_return count > 0 ? outcome::done : outcome_of(failure);
  }

  /// Writes all of `octets`. A write that is cut short leaves the channel useless.
  asio::awaitable<outcome> write(std::string_view octets) {
    if (is_aborted_) co_return outcome::broken;
    std::error_code failure;
    is_busy_ = true;
    if (is_secure_) {
      co_await asio::async_write(*tls_, asio::buffer(octets), asio::redirect_error(asio::use_awaitable, failure));
    } else {
      co_await asio::async_write(socket_, asio::buffer(octets), asio::redirect_error(asio::use_awaitable, failure));
    }
    is_busy_ = false;
    co_return failure ? (expired_ ? outcome::expired : outcome::broken) : outcome::done;
  }

  /// The TLS handshake. From then on all octets are in TLS.
  asio::awaitable<outcome> handshake() {
    if (is_aborted_) co_return outcome::broken;
    if (expired_) co_return outcome::expired;
    std::error_code failure;
    tls_.emplace(socket_, context_);
    if (!server_name_.empty()) {
      std::error_code no_address;
      asio::ip::make_address(server_name_, no_address);
      if (no_address) SSL_set_tlsext_host_name(tls_->native_handle(), server_name_.c_str());  // names only (RFC 6066 3)
      tls_->set_verify_callback(asio::ssl::host_name_verification(server_name_), failure);
    }
    is_busy_ = true;
    if (!failure) co_await tls_->async_handshake(end_, asio::redirect_error(asio::use_awaitable, failure));
    is_busy_ = false;
    is_secure_ = !failure;
    if (failure) co_return expired_ ? outcome::expired : outcome::broken;
    co_return outcome::done;
  }

  /// Waits until `wake`.
  asio::awaitable<outcome> pause() {
    if (is_aborted_) co_return outcome::broken;
    if (!std::exchange(woken_, false)) {
      std::error_code cancelled;
      pause_.expires_at(asio::steady_timer::time_point::max());
      co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
      woken_ = false;
    }
    co_return is_aborted_ ? outcome::broken : outcome::woken;
  }

  /// Says that no more will come, gives the peer a moment to read what was said and to close, and closes. A socket that is closed
  /// with octets unread would take the last reply with it.
  asio::awaitable<void> close() {
    constexpr std::chrono::seconds moment_to_read{2};
    std::error_code ignored;
    expires_after(moment_to_read);
    is_busy_ = true;
    if (is_secure_) co_await tls_->async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
    socket_.shutdown(socket_type::shutdown_send, ignored);
    std::array<char, 1024> dropped{};
    std::error_code failure;
    while (!failure && !expired_ && !is_aborted_) {
      co_await socket_.async_read_some(asio::buffer(dropped), asio::redirect_error(asio::use_awaitable, failure));
    }
    is_busy_ = false;
    socket_.close(ignored);
  }

  /// Sets the deadline of the operations that follow, instead of the one before.
  void expires_after(std::chrono::seconds time) {
    expired_ = false;
    deadline_.expires_after(time);
    deadline_.async_wait([this, alive = std::weak_ptr{alive_}](std::error_code cancelled) {
      if (cancelled || alive.expired() || deadline_.expiry() > asio::steady_timer::clock_type::now()) return;
      expired_ = true;
      interrupt();
    });
  }
  bool has_expired() const { return expired_; }

  /// Cuts a `read` or `pause` short, this one or the next: there is news for the session that are not octets.
  void wake() {
    woken_ = true;
    pause_.cancel();
    interrupt();
  }

  /// Closes at once, whatever is under way.
  void abort() {
    is_aborted_ = true;
    std::error_code ignored;
    socket_.close(ignored);
    pause_.cancel();
  }

  /// A `read` is under way: the session has asked for octets, and nobody uses a view that it gave.
  bool is_reading() const { return is_reading_; }
  bool is_secure() const { return is_secure_; }
  /// Version and cipher of TLS, for a Received field: no user text.
  std::string tls_facts() {
    if (!is_secure_) return {};
    SSL* const tls = tls_->native_handle();
    return std::string{SSL_get_version(tls)} + ' ' + SSL_get_cipher_name(tls);
  }
  /// The client's end: the certificate is one of the server named, from somebody who is trusted.
  bool is_peer_verified() {
    if (!is_secure_ || server_name_.empty()) return false;
    SSL* const tls = tls_->native_handle();
    return SSL_get0_peer_certificate(tls) != nullptr && SSL_get_verify_result(tls) == X509_V_OK;
  }

 private:
  asio_channel(socket_type socket, asio::ssl::context& tls, asio::ssl::stream_base::handshake_type end)
      : socket_{std::move(socket)},
        context_{tls},
        end_{end},
        deadline_{socket_.get_executor()},
        pause_{socket_.get_executor()},
        again_{socket_.get_executor()} {}

  /// Cuts short what is under way, if it has to end. A part of it that is done, though nobody has been told yet, cannot be
  /// cancelled, and another part may follow, as under TLS a read of the rest of a record: so again after a moment, until nothing is
  /// under way.
  void interrupt() {
    constexpr std::chrono::milliseconds moment{100};
    if (!(is_busy_ && expired_) && !(is_reading_ && woken_)) return;
    std::error_code ignored;
    socket_.cancel(ignored);
    again_.expires_after(moment);
    again_.async_wait([this, alive = std::weak_ptr{alive_}](std::error_code cancelled) {
      if (!cancelled && !alive.expired()) interrupt();
    });
  }

  std::optional<outcome> interruption() {
    if (is_aborted_) return outcome::broken;
    if (std::exchange(woken_, false)) return outcome::woken;
    if (expired_) return outcome::expired;
    return std::nullopt;
  }

  outcome outcome_of(std::error_code failure) {
    if (const auto why = interruption(); why && failure == asio::error::operation_aborted) return *why;
    return failure == asio::error::eof ? outcome::ended : outcome::broken;
  }

  socket_type socket_;
  asio::ssl::context& context_;
  asio::ssl::stream_base::handshake_type end_;
  std::string server_name_;
  std::optional<asio::ssl::stream<socket_type&>> tls_;
  asio::steady_timer deadline_;
  asio::steady_timer pause_;
  asio::steady_timer again_;                              ///< of `interrupt`
  std::shared_ptr<int> alive_ = std::make_shared<int>();  ///< a timer that has run out may still tell so when the channel is gone
  bool is_secure_ = false;
  bool is_busy_ = false;     ///< an operation on the socket is under way
  bool is_reading_ = false;  ///< and it is `read`
  bool expired_ = false;
  bool woken_ = false;
  bool is_aborted_ = false;
};

}  // namespace example

#endif  // EHLO_EXAMPLES_SUPPORT_ASIO_CHANNEL_HPP
