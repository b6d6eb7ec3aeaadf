// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EXAMPLES_SUPPORT_POSIX_CHANNEL_HPP
#define EHLO_EXAMPLES_SUPPORT_POSIX_CHANNEL_HPP

/// @file
/// A client's TCP connection that blocks, with a deadline, and that TLS can be put upon in place. RFC 3207; RFC 8314.

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace example {

/// Whom a client trusts: a context of OpenSSL for TLS 1.2 and later.
class trust {
 public:
  /// The authorities in the PEM file `authorities`; without one those of the system. `failure()` says what is wrong with it.
  explicit trust(const std::string& authorities) : context_{SSL_CTX_new(TLS_client_method())} {
    if (!context_) {
      failure_ = "OpenSSL has no TLS";
      return;
    }
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context_.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    const bool is_good = authorities.empty() ? SSL_CTX_set_default_verify_paths(context_.get()) == 1
                                             : SSL_CTX_load_verify_locations(context_.get(), authorities.c_str(), nullptr) == 1;
    if (!is_good) failure_ = "no certificates of authorities in it";
    ERR_clear_error();
  }

  const std::string& failure() const { return failure_; }
  SSL_CTX* context() const { return context_.get(); }

 private:
  struct free_context {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, free_context> context_;
  std::string failure_;
};

/// How an operation of a channel ended.
enum class outcome {
  done,
  ended,    ///< the peer will send no more
  expired,  ///< the deadline has passed
  broken,   ///< the channel is of no use any more
};

/// The channel under one session. It does one operation at a time, and stays where it is.
class posix_channel {
 public:
  /// What a handshake insists on.
  enum class certificate {
    checked,  ///< one of the server named, from somebody who is trusted
    any,      ///< `is_verified` tells whether it is
  };

  posix_channel() = default;
  posix_channel(const posix_channel&) = delete;
  posix_channel& operator=(const posix_channel&) = delete;
  ~posix_channel() {
    if (socket_ >= 0) ::close(socket_);
  }

  /// Opens a channel to the first address of `host` that answers within `each`. Gives 0, or an error of `getaddrinfo`; `failure`
  /// tells more. `EAI_SYSTEM`: the host is known and does not answer.
  int open(const std::string& host, const std::string& port, std::chrono::seconds each) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int unknown = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found)) {
      failure_ = ::gai_strerror(unknown);
      return unknown == EAI_SYSTEM ? EAI_AGAIN : unknown;
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses{found, &::freeaddrinfo};
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
      expires_after(each);
      if (!connect_to(*at)) continue;
      failure_.clear();  // of the addresses before
      return 0;
    }
    return EAI_SYSTEM;
  }

  /// Reads some octets: `done`, with their number in `count`.
  outcome read(std::span<char> place, std::size_t& count) {
    count = 0;
    for (;;) {
      short wanted = POLLIN;
      if (tls_) {
        const int got = SSL_read(tls_.get(), place.data(), at_most(place.size()));
        if (got > 0) {
          count = static_cast<std::size_t>(got);
          return outcome::done;
        }
        const auto direction = direction_of(got);
        if (!direction) return is_over_ ? outcome::ended : outcome::broken;
        wanted = *direction;
      } else {
        const ssize_t got = ::read(socket_, place.data(), place.size());
        if (got > 0) {
          count = static_cast<std::size_t>(got);
          return outcome::done;
        }
        if (got == 0) return outcome::ended;
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return fail_with_errno();
      }
      if (const outcome waited = wait_for(wanted); waited != outcome::done) return waited;
    }
  }

  /// Writes all of `octets`.
  outcome write(std::string_view octets) {
    while (!octets.empty()) {
      short wanted = POLLOUT;
      if (tls_) {
        const int put = SSL_write(tls_.get(), octets.data(), at_most(octets.size()));
        if (put > 0) {
          octets.remove_prefix(static_cast<std::size_t>(put));
          continue;
        }
        const auto direction = direction_of(put);
        if (!direction) return outcome::broken;
        wanted = *direction;
      } else {
        const ssize_t put = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
        if (put >= 0) {
          octets.remove_prefix(static_cast<std::size_t>(put));
          continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return fail_with_errno();
      }
      if (const outcome waited = wait_for(wanted); waited != outcome::done) return waited;
    }
    return outcome::done;
  }

  /// The TLS handshake with the server called `name`. From then on all octets are in TLS.
  outcome handshake(const trust& trusted, const std::string& name, certificate wanted) {
    tls_.reset(SSL_new(trusted.context()));
    if (!tls_ || SSL_set_fd(tls_.get(), socket_) != 1) return outcome::broken;
    SSL_set_mode(tls_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    X509_VERIFY_PARAM* const rules = SSL_get0_param(tls_.get());
    const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1;
    if (!is_address) {
      X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      if (SSL_set1_host(tls_.get(), name.c_str()) != 1) return outcome::broken;
      SSL_set_tlsext_host_name(tls_.get(), name.c_str());  // names only (RFC 6066 3)
    }
    ERR_clear_error();
    SSL_set_verify(tls_.get(), wanted == certificate::checked ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    for (;;) {
      const int done = SSL_connect(tls_.get());
      if (done == 1) return outcome::done;
      const auto direction = direction_of(done);
      if (!direction) {
        if (const long why = SSL_get_verify_result(tls_.get()); why != X509_V_OK && wanted == certificate::checked) {
          failure_ = std::string{"its certificate: "} + X509_verify_cert_error_string(why);
        }
        return outcome::broken;
      }
      if (const outcome waited = wait_for(*direction); waited != outcome::done) return waited;
    }
  }

  /// Says that no more will come, and closes.
  void close() {
    if (tls_ && !is_broken_) SSL_shutdown(tls_.get());
    tls_.reset();
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }

  /// Sets the deadline of the operations that follow, instead of the one before.
  void expires_after(std::chrono::seconds time) { deadline_ = std::chrono::steady_clock::now() + time; }

  /// The certificate is one of the server named, from somebody who is trusted.
  bool is_verified() const {
    return tls_ && SSL_get0_peer_certificate(tls_.get()) != nullptr && SSL_get_verify_result(tls_.get()) == X509_V_OK;
  }
  /// Why the last operation failed, for people.
  const std::string& failure() const { return failure_; }

 private:
  struct free_tls {
    void operator()(SSL* tls) const { SSL_free(tls); }
  };

  static int at_most(std::size_t size) {
    return static_cast<int>(std::min<std::size_t>(size, static_cast<std::size_t>(std::numeric_limits<int>::max())));
  }

  bool connect_to(const addrinfo& address) {
    if (socket_ >= 0) ::close(socket_);
    socket_ = ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol);
    if (socket_ < 0) return fail_with_errno() == outcome::done;
    const int at_once = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);  // what goes together is sent together anyway
    if (::connect(socket_, address.ai_addr, address.ai_addrlen) == 0) return true;
    if (errno != EINPROGRESS) return fail_with_errno() == outcome::done;
    if (wait_for(POLLOUT) != outcome::done) {
      failure_ = std::strerror(ETIMEDOUT);
      return false;
    }
    socklen_t size = sizeof errno;
    int failed = 0;
    if (::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 && failed == 0) return true;
    failure_ = std::strerror(failed);
    return false;
  }

  /// What OpenSSL waits for; none if it has failed, or if the peer has ended TLS.
  std::optional<short> direction_of(int result) {
    switch (SSL_get_error(tls_.get(), result)) {
      case SSL_ERROR_WANT_READ: return static_cast<short>(POLLIN);
      case SSL_ERROR_WANT_WRITE: return static_cast<short>(POLLOUT);
      case SSL_ERROR_ZERO_RETURN: is_over_ = true; return std::nullopt;
      default: break;
    }
    is_broken_ = true;
    std::array<char, 256> text{};
    if (const unsigned long code = ERR_get_error()) {
      ERR_error_string_n(code, text.data(), text.size());
      failure_ = text.data();
    } else {
      failure_ = "the connection was lost";
    }
    ERR_clear_error();
    return std::nullopt;
  }

  outcome fail_with_errno() {
    failure_ = std::strerror(errno);
    is_broken_ = true;
    return outcome::broken;
  }

  outcome wait_for(short wanted) {
    using namespace std::chrono;
    for (;;) {
      const auto left = ceil<milliseconds>(deadline_ - steady_clock::now()).count();
      if (left <= 0) return outcome::expired;
      pollfd watched{socket_, wanted, 0};
      const int ready = ::poll(&watched, 1, static_cast<int>(std::min<decltype(left)>(left, std::numeric_limits<int>::max())));
      if (ready > 0) return outcome::done;
      if (ready < 0 && errno != EINTR) return fail_with_errno();
    }
  }

  int socket_ = -1;
  std::unique_ptr<SSL, free_tls> tls_;
  std::chrono::steady_clock::time_point deadline_{};
  std::string failure_;
  bool is_over_ = false;    ///< the peer has said that no more comes
  bool is_broken_ = false;  ///< TLS must not be ended properly any more
};

}  // namespace example

#endif  // EHLO_EXAMPLES_SUPPORT_POSIX_CHANNEL_HPP
