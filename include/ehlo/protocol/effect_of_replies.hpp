// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_PROTOCOL_EFFECT_OF_REPLIES_HPP
#define EHLO_PROTOCOL_EFFECT_OF_REPLIES_HPP

/// @file
/// What a reply makes of the command that it answers, as a client reads it: by its first digit, and by the whole code only where
/// something follows that cannot be taken back. RFC 5321 4.2.1, 4.3.2; RFC 3207 4; RFC 4954 4; RFC 3030 2.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/protocol/order_of_replies.hpp>

namespace ehlo {

/// What becomes of a command.
enum class reply_effect : std::uint8_t {
  done,     ///< it was carried out
  go_on,    ///< the rest of it is wanted: mail data, a response
  refused,  ///< it was not carried out, and the server waits for the next one
  broken,   ///< that is no reply to it: the ends are out of step
};

/// One row: the effect of 2yz, 3yz, 4yz and 5yz, and the only code of its class that has this effect, where not any of them has.
struct reply_effects {
  std::array<reply_effect, 4> by_class;
  std::uint16_t only = 0;
};

// clang-format off
/// RFC 5321 4.3.2 from the client's side. Row: the command in flight, in the order of `reply_row`. Column: the first digit of its
/// reply: "An SMTP client MUST determine its actions only by the reply code" (4.2). 421 ends the session whatever it answers.
inline constexpr auto effect_of_replies = [] {
  using enum reply_effect;
  return std::to_array<reply_effects>({
    //                  2yz     3yz     4yz      5yz
    /* connection */ {{ done,   broken, refused, refused }},       // 3.1
    /* hello      */ {{ done,   broken, refused, refused }},
    /* mail       */ {{ done,   broken, refused, refused }},
    /* rcpt       */ {{ done,   broken, refused, refused }},
    /* data       */ {{ broken, go_on,  refused, refused }, 354},  // 3.3: mail data go out after a 354 only
    /* message    */ {{ done,   broken, refused, refused }},
    /* rset       */ {{ done,   broken, refused, refused }},
    /* vrfy       */ {{ done,   broken, refused, refused }},
    /* expn       */ {{ done,   broken, refused, refused }},
    /* help       */ {{ done,   broken, refused, refused }},
    /* noop       */ {{ done,   broken, refused, refused }},
    /* quit       */ {{ done,   done,   done,    done    }},       // 4.1.1.10: the session is over, whatever is said
    /* chunk      */ {{ done,   broken, refused, refused }},       // RFC 3030 2
    /* starttls   */ {{ done,   broken, refused, refused }, 220},  // RFC 3207 4: the handshake begins after a 220 only
    /* auth       */ {{ done,   go_on,  refused, refused }, 334},  // RFC 4954 4
    /* etrn       */ {{ done,   broken, refused, refused }},
    /* burl       */ {{ done,   broken, refused, refused }},       // RFC 4468 6
    /* xclient    */ {{ done,   broken, refused, refused }, 220},  // behind a 220 everything begins anew
    /* xforward   */ {{ done,   broken, refused, refused }},
    /* custom     */ {{ done,   broken, refused, refused }},
  });
}();
// clang-format on

static_assert(effect_of_replies.size() == order_of_replies.size());

/// The effect of a reply with this code, 200 to 599, on the command of `row`.
constexpr reply_effect effect_of_reply(reply_row row, int code) {
  const reply_effects& effects = effect_of_replies[static_cast<std::size_t>(row)];
  if (effects.only != 0 && code != effects.only && code / 100 == effects.only / 100) return reply_effect::broken;
  return effects.by_class[static_cast<std::size_t>(code / 100 - 2)];
}

static_assert(effect_of_reply(reply_row::data, 354) == reply_effect::go_on &&
              effect_of_reply(reply_row::data, 250) == reply_effect::broken);
static_assert(effect_of_reply(reply_row::data, 355) == reply_effect::broken);
static_assert(effect_of_reply(reply_row::starttls, 221) == reply_effect::broken);
static_assert(effect_of_reply(reply_row::auth, 235) == reply_effect::done &&
              effect_of_reply(reply_row::auth, 354) == reply_effect::broken);

// A code that the table of the server has is never out of step: 4.2.1 reads the first digit, and 4.3.2 keeps to it.
static_assert([] {
  for (std::size_t row = 0; row + 1 < order_of_replies.size(); ++row) {
    for (const auto code : order_of_replies[row].success) {
      if (code != 0 && effect_of_reply(static_cast<reply_row>(row), code) == reply_effect::broken) return false;
    }
    for (const auto code : order_of_replies[row].failure) {
      const auto effect = code == 0 ? reply_effect::refused : effect_of_reply(static_cast<reply_row>(row), code);
      if (effect != reply_effect::refused) return false;
    }
  }
  return true;
}());

/// The name of an effect, for people.
constexpr std::string_view text_of(reply_effect effect) {
  constexpr std::array<std::string_view, 4> names{"done", "go on", "refused", "broken"};
  return names[static_cast<std::size_t>(effect)];
}

}  // namespace ehlo

#endif  // EHLO_PROTOCOL_EFFECT_OF_REPLIES_HPP
