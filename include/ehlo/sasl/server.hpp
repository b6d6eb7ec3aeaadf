// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_SASL_SERVER_HPP
#define EHLO_SASL_SERVER_HPP

/// @file
/// The server's side of an exchange with PLAIN, LOGIN, EXTERNAL, XOAUTH2 or OAUTHBEARER. RFC 4422 3; RFC 4954 4.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <ehlo/ascii.hpp>
#include <ehlo/result.hpp>
#include <ehlo/sasl/external.hpp>
#include <ehlo/sasl/login.hpp>
#include <ehlo/sasl/oauthbearer.hpp>
#include <ehlo/sasl/plain.hpp>
#include <ehlo/sasl/text.hpp>
#include <ehlo/sasl/xoauth2.hpp>
#include <ehlo/secret.hpp>

namespace ehlo::sasl {

/// The mechanisms that need no cryptography.
enum class mechanism : std::uint8_t { plain, login, external, xoauth2, oauthbearer };

/// The registered names, in the order of `mechanism`.
inline constexpr std::array<std::string_view, 5> mechanism_names{"PLAIN", "LOGIN", "EXTERNAL", "XOAUTH2", "OAUTHBEARER"};

/// Octets for the client, before base64; they may be none. A constant.
struct challenge {
  std::string_view octets;

  friend constexpr bool operator==(const challenge&, const challenge&) = default;
};

/// What the client claims; whether it is true, the caller decides. Views of the last response, or of the exchange, and live until
/// the earlier of these ends.
struct credentials {
  sasl::mechanism mechanism;
  std::string_view authorization_identity;   ///< whom to act as; empty: as `authentication_identity` says
  std::string_view authentication_identity;  ///< whose secret it is; empty with EXTERNAL and OAUTHBEARER
  secret proof;                              ///< the password or token; empty with EXTERNAL
};

/// One exchange. Bring the decoded responses; it ends after at most two of them.
///
/// The name that LOGIN sends first is kept inside and wiped at the end. To refuse an OAUTHBEARER token with an error document, send
/// it as a challenge and expect `is_failure_acknowledgement`.
class server_exchange {
 public:
  /// What a step leads to.
  using outcome = std::variant<challenge, credentials, error>;

  constexpr server_exchange() = default;
  constexpr server_exchange(const server_exchange&) = default;
  constexpr server_exchange& operator=(const server_exchange&) = default;
  constexpr ~server_exchange() { clear(); }

  /// Begins an exchange and forgets the one before. Names compare without regard to case.
  ///
  /// Fails with `errc::mechanism_unknown` for any name not in `mechanism_names`.
  constexpr result<void> start(std::string_view name) {
    clear();
    for (std::size_t i = 0; i < mechanism_names.size(); ++i) {
      if (ascii::equal_ignoring_case(name, mechanism_names[i])) {
        mechanism_ = static_cast<mechanism>(i);
        state_ = state::begun;
        return {};
      }
    }
    return error{errc::mechanism_unknown};
  }

  /// Takes a decoded response; none if AUTH came without an initial response. No octets is a response too ("=", RFC 4954 4).
  ///
  /// After `credentials` or an error the exchange is over: a further step is `errc::out_of_order`.
  constexpr outcome step(std::optional<std::string_view> response) {
    if (state_ == state::over) return error{errc::out_of_order};
    if (!response) {
      if (state_ != state::begun) return fail({errc::sasl_message});  // a challenge is answered, or cancelled
      state_ = state::challenged;
      return challenge{mechanism_ == mechanism::login ? login::username_challenge : std::string_view{}};
    }
    switch (mechanism_) {
      case mechanism::plain: {
        const auto said = plain::parse(*response);
        if (!said) return fail(said.error());
        return end({mechanism_, said->authorization_identity, said->authentication_identity, said->password});
      }
      case mechanism::login: {
        if (state_ != state::named) {
          const auto username = login::parse_username(*response);
          if (!username) return fail(username.error());
          keep(*username);
          state_ = state::named;
          return challenge{login::password_challenge};
        }
        const auto password = login::parse_password(*response);
        if (!password) return fail(password.error());
        return end({mechanism_, {}, name(), *password});
      }
      case mechanism::external: {
        const auto said = external::parse(*response);
        if (!said) return fail(said.error());
        return end({mechanism_, said->authorization_identity, {}, {}});
      }
      case mechanism::xoauth2: {
        const auto said = xoauth2::parse(*response);
        if (!said) return fail(said.error());
        return end({mechanism_, {}, said->user, said->token});
      }
      case mechanism::oauthbearer: {
        const auto said = oauthbearer::parse(*response);
        if (!said) return fail(said.error());
        if (!said->encoded_authorization_identity.empty()) {
          const auto size = decode_saslname(said->encoded_authorization_identity, name_);
          if (!size) return fail(size.error());
          name_size_ = static_cast<std::uint8_t>(*size);
        }
        return end({mechanism_, name(), {}, said->token});
      }
    }
    return fail({errc::mechanism_unknown});
  }

  /// Ends the exchange and wipes the name kept; views of it are void. So does the destructor.
  constexpr void clear() {
    wipe(name_.data(), name_.size());
    name_size_ = 0;
    state_ = state::over;
  }

  /// True before `start` and after `credentials`, an error, or `clear`.
  constexpr bool is_over() const { return state_ == state::over; }

 private:
  enum class state : std::uint8_t { over, begun, challenged, named };
  static_assert(max_field <= 255, "the size of a name is kept in one octet");

  constexpr std::string_view name() const { return {name_.data(), name_size_}; }
  constexpr void keep(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) name_[i] = text[i];
    name_size_ = static_cast<std::uint8_t>(text.size());
  }
  constexpr outcome end(const credentials& claimed) {
    state_ = state::over;
    return claimed;
  }
  constexpr outcome fail(error reason) {
    clear();
    return reason;
  }

  std::array<char, max_field> name_{};
  std::uint8_t name_size_ = 0;
  mechanism mechanism_ = mechanism::plain;
  state state_ = state::over;
};

}  // namespace ehlo::sasl

#endif  // EHLO_SASL_SERVER_HPP
