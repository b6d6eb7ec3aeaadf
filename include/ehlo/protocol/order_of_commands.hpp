// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_PROTOCOL_ORDER_OF_COMMANDS_HPP
#define EHLO_PROTOCOL_ORDER_OF_COMMANDS_HPP

/// @file
/// Which command may come when, and what its positive reply changes: RFC 5321 4.1.4 as a table, with the rows of
/// RFC 1985 (ETRN), RFC 3030 (BDAT), RFC 3207 (STARTTLS), RFC 4468 (BURL) and RFC 4954 (AUTH), and those
/// of XCLIENT and XFORWARD of Postfix.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ehlo/command.hpp>

namespace ehlo {

/// Where a session stands between two commands.
enum class state : std::uint8_t {
  barred,   ///< the greeting was no 220, or TLS is too weak: only QUIT is served (3.1)
  greeted,  ///< EHLO or HELO is due
  ready,    ///< no transaction is open
  mail,     ///< MAIL was accepted, no recipient yet
  rcpt,     ///< a recipient was accepted
  chunk,    ///< a chunk was accepted, the last one not yet (RFC 3030 2)
  spoilt,   ///< a chunk was refused: only RSET leads on (RFC 3030 2)
};

/// What the positive reply to a command does.
enum class effect : std::uint8_t {
  refuse,  ///< nothing: the reply is 503
  stay,    ///< nothing
  hello,   ///< the session is open for mail; what was collected is dropped
  reset,   ///< what was collected is dropped
  mail,    ///< a transaction begins
  rcpt,    ///< it has a recipient
  data,    ///< mail data follow, up to the lone dot
  chunk,   ///< mail data follow, by count
  tls,     ///< the TLS handshake follows
  login,   ///< an AUTH exchange begins
  greet,   ///< the session is where it was before the greeting
  close,   ///< the session ends
};

inline constexpr std::size_t state_count = 7;
inline constexpr std::size_t ordered_verb_count = 19;

// clang-format off
/// RFC 5321 4.1.4, Order of Commands. Row: the verb received, in the order of `verb`. Column: the state. Cell: what a
/// positive reply does. `refuse` is 503 and no change. A 4yz or 5yz reply leaves the state as it was (421 closes, and a
/// refused chunk spoils the transaction).
inline constexpr auto order_of_commands = [] {
  using enum effect;
  return std::array<std::array<effect, state_count>, ordered_verb_count>{{
    //                barred   greeted  ready    mail     rcpt     chunk    spoilt
    /* EHLO     */ {{ refuse,  hello,   hello,   hello,   hello,   hello,   hello  }},  // 4.1.1.1; a later EHLO acts as RSET
    /* HELO     */ {{ refuse,  hello,   hello,   hello,   hello,   hello,   hello  }},  // 4.1.1.1
    /* LHLO     */ {{ refuse,  hello,   hello,   hello,   hello,   hello,   hello  }},  // RFC 2033 4.1
    /* MAIL     */ {{ refuse,  refuse,  mail,    refuse,  refuse,  refuse,  refuse }},  // 4.1.1.2; transactions do not nest
    /* RCPT     */ {{ refuse,  refuse,  refuse,  rcpt,    rcpt,    refuse,  refuse }},  // 4.1.1.3
    /* DATA     */ {{ refuse,  refuse,  refuse,  refuse,  data,    refuse,  refuse }},  // 4.1.1.4; needs an accepted RCPT (3.3)
    /* BDAT     */ {{ refuse,  refuse,  refuse,  refuse,  chunk,   chunk,   refuse }},  // RFC 3030 2
    /* RSET     */ {{ refuse,  stay,    reset,   reset,   reset,   reset,   reset  }},  // 4.1.1.5
    /* VRFY     */ {{ refuse,  stay,    stay,    stay,    stay,    stay,    stay   }},  // 4.1.1.6
    /* EXPN     */ {{ refuse,  stay,    stay,    stay,    stay,    stay,    stay   }},  // 4.1.1.7
    /* HELP     */ {{ refuse,  stay,    stay,    stay,    stay,    stay,    stay   }},  // 4.1.1.8
    /* NOOP     */ {{ refuse,  stay,    stay,    stay,    stay,    stay,    stay   }},  // 4.1.1.9
    /* QUIT     */ {{ close,   close,   close,   close,   close,   close,   close  }},  // 4.1.1.10
    /* STARTTLS */ {{ refuse,  refuse,  tls,     refuse,  refuse,  refuse,  refuse }},  // RFC 3207 4; not in a transaction
    /* AUTH     */ {{ refuse,  refuse,  login,   refuse,  refuse,  refuse,  refuse }},  // RFC 4954 4
    /* ETRN     */ {{ refuse,  refuse,  stay,    refuse,  refuse,  refuse,  refuse }},  // RFC 1985 5; not in a transaction
    /* BURL     */ {{ refuse,  refuse,  refuse,  refuse,  chunk,   chunk,   refuse }},  // RFC 4468 3
    /* XCLIENT  */ {{ refuse,  greet,   greet,   refuse,  refuse,  refuse,  refuse }},  // not in a transaction
    /* XFORWARD */ {{ refuse,  refuse,  stay,    refuse,  refuse,  refuse,  refuse }},  // behind EHLO, not in a transaction
  }};
}();
// clang-format on

/// The cell of `order_of_commands` for a verb that has a row.
constexpr effect effect_of(state now, verb v) {
  return order_of_commands[static_cast<std::size_t>(v)][static_cast<std::size_t>(now)];
}

/// True if MAIL was accepted and the transaction has not ended.
constexpr bool in_transaction(state now) { return now >= state::mail; }

/// The name of a state, for people.
constexpr std::string_view text_of(state now) {
  constexpr std::array<std::string_view, state_count> names{"barred", "greeted", "ready", "mail", "rcpt", "chunk", "spoilt"};
  return names[static_cast<std::size_t>(now)];
}

/// The name of an effect, for people.
constexpr std::string_view text_of(effect change) {
  constexpr std::array<std::string_view, 12> names{"refuse", "stay",  "hello", "reset", "mail",  "rcpt",
                                                   "data",   "chunk", "tls",   "login", "greet", "close"};
  return names[static_cast<std::size_t>(change)];
}

// "NOOP, HELP, EXPN, VRFY, and RSET can be used at any time" (4.1.4).
static_assert([] {
  constexpr std::array any_time{verb::noop, verb::help, verb::expn, verb::vrfy, verb::rset};
  return std::none_of(any_time.begin(), any_time.end(), [](verb v) { return effect_of(state::greeted, v) == effect::refuse; });
}());
static_assert(effect_of(state::rcpt, verb::data) == effect::data && effect_of(state::mail, verb::data) == effect::refuse);

}  // namespace ehlo

#endif  // EHLO_PROTOCOL_ORDER_OF_COMMANDS_HPP
