// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_BENCHMARK_FLOORS_COMMANDS_HPP
#define EHLO_TESTS_BENCHMARK_FLOORS_COMMANDS_HPP

/// @file
/// What plain C++20 with SSE2 reaches for command lines, mailboxes, replies and the writing of replies: a prototype without a
/// library around it, no errors told, views into the input, the paths of RFC 5321. Its lines lie whole in memory, with 64 octets
/// readable behind them. It says what can be reached, and is no code to use.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "support/cases.hpp"

namespace floors {

enum : std::uint8_t { atext = 1, let_dig = 2, qtext = 4, xchar = 8, digit = 16, keyword = 32, value = 64, high = 128 };
inline constexpr auto classes = [] {
  std::array<std::uint8_t, 256> t{};
  for (int c = 0; c < 256; c++) {
    std::uint8_t v = 0;
    bool al = (c | 32) >= 'a' && (c | 32) <= 'z' && c < 128, dg = c >= '0' && c <= '9';
    if (al || dg || c >= 128) v |= atext | let_dig;
    for (char a : std::string_view("!#$%&'*+-/=?^_`{|}~"))
      if (c == a) v |= atext;
    if (dg) v |= digit;
    if (al || dg || c == '-') v |= keyword;
    if (c == 32 || c == 33 || (c >= 35 && c <= 91) || (c >= 93 && c <= 126) || c >= 128) v |= qtext;
    if ((c >= 33 && c <= 60) || (c >= 62 && c <= 126) || c >= 128) v |= value;
    if (c >= 33 && c <= 126 && c != '+' && c != '=') v |= xchar;
    if (c >= 128) v |= high;
    t[c] = v;
  }
  return t;
}();
inline bool has(const char* p, std::uint8_t which) { return (classes[static_cast<unsigned char>(*p)] & which) != 0; }
// all readers: p in, returns the octet after or nullptr; the line is known to end with CR LF, so no bounds checks are needed
inline const char* domain(const char* p, const char* lim) {
  for (;;) {
    const char* l = p;
    if (!has(p, let_dig)) return nullptr;
    while (has(p, let_dig) || *p == '-') p++;
    if (p[-1] == '-' || p - l > 63) return nullptr;
    if (*p != '.') break;
    p++;
  }
  (void)lim;
  return p;
}
inline const char* literal(const char* p, const char* lim) {  // after '['
  const char* e = (const char*)std::memchr(p, ']', lim - p);
  if (!e) return nullptr;
  if (has(p, digit)) {
    int parts = 0;
    while (p < e) {
      int v = 0, n = 0;
      while (has(p, digit) && n < 4) v = v * 10 + (*p++ - '0'), n++;
      if (!n || n > 3 || v > 255) return nullptr;
      parts++;
      if (p < e && *p++ != '.') return nullptr;
    }
    return parts == 4 ? e + 1 : nullptr;
  }
  if (e - p > 5 && (p[0] | 32) == 'i' && (p[1] | 32) == 'p' && (p[2] | 32) == 'v' && p[3] == '6' && p[4] == ':') {
    int g = 0, dc = 0;
    p += 5;
    while (p < e) {
      int n = 0;
      while (p < e && (has(p, digit) || ((*p | 32) >= 'a' && (*p | 32) <= 'f'))) p++, n++;
      if (n > 4) return nullptr;
      if (n) g++;
      if (p < e) {
        if (*p != ':') return nullptr;
        p++;
        if (p < e && *p == ':') {
          dc++;
          p++;
        }
      }
    }
    return dc <= 1 && (g == 8 || (dc && g < 8)) ? e + 1 : nullptr;
  }
  const char* s = p;
  while (has(p, keyword)) p++;
  if (p == s || *p != ':' || p + 1 == e) return nullptr;
  while (++p < e)
    if (*p < 33 || *p == '[' || *p == '\\') return nullptr;
  return e + 1;
}
struct mailbox_value {
  const char *l, *at, *e;
};
inline const char* mailbox(const char* p, const char* lim, mailbox_value& m) {
  m.l = p;
  if (*p == '"') {
    p++;
    for (;;) {
      if (has(p, qtext))
        p++;
      else if (*p == '\\' && (unsigned char)p[1] >= 32 && p[1] != 127)
        p += 2;
      else
        break;
    }
    if (*p++ != '"') return nullptr;
  } else
    for (;;) {
      const char* a = p;
      while (has(p, atext)) p++;
      if (p == a) return nullptr;
      if (*p != '.') break;
      p++;
    }
  if (*p != '@' || p - m.l > 64) return nullptr;
  m.at = p++;
  const char* d = p;
  p = *p == '[' ? literal(p + 1, lim) : domain(p, lim);
  if (!p || p - d > 255) return nullptr;
  m.e = p;
  return p;
}
// the same mailbox rules by bit masks over 64 octets (SSE2 only, so any x86-64): no data dependent loops, hence few mispredicted
// branches. needs 64 readable octets at p; addresses over 63 octets, quoted local parts and literals go to the scalar reader
#if defined(__SSE2__)
struct octet_masks {
  std::uint64_t at, dot, hy, let, atx;
};
inline octet_masks classify(const char* p) {
  octet_masks m{};
  for (int k = 0; k < 4; k++) {
    __m128i c = _mm_loadu_si128((const __m128i*)(p + 16 * k));
    auto eq = [&](char x) { return _mm_cmpeq_epi8(c, _mm_set1_epi8(x)); };
    auto in = [&](__m128i x, char lo, char hi) {
      return _mm_cmpgt_epi8(_mm_set1_epi8((char)(-128 + (hi - lo) + 1)), _mm_add_epi8(x, _mm_set1_epi8((char)(-128 - lo))));
    };
    __m128i lc = _mm_or_si128(c, _mm_set1_epi8(0x20)), al = in(lc, 'a', 'z'), dg = in(c, '0', '9'),
            hi = _mm_cmplt_epi8(c, _mm_setzero_si128()), let = _mm_or_si128(_mm_or_si128(al, dg), hi), dot = eq('.'), at = eq('@'),
            hy = eq('-');
    __m128i vis = in(c, 0x21, 0x7e),
            ex = _mm_or_si128(_mm_or_si128(_mm_or_si128(eq('"'), in(c, '(', ')')), _mm_or_si128(eq(','), dot)),
                              _mm_or_si128(_mm_or_si128(in(c, ':', '<'), eq('>')), _mm_or_si128(at, in(c, '[', ']'))));
    __m128i atx = _mm_or_si128(_mm_andnot_si128(ex, vis), hi);
    auto put = [&](std::uint64_t& d, __m128i x) { d |= (std::uint64_t)(unsigned)_mm_movemask_epi8(x) << 16 * k; };
    put(m.at, at);
    put(m.dot, dot);
    put(m.hy, hy);
    put(m.let, let);
    put(m.atx, atx);
  }
  return m;
}
inline const char* mailbox_by_masks(const char* p, const char* lim, mailbox_value& m) {
  octet_masks k = classify(p);
  if (!k.at) return mailbox(p, lim, m);
  unsigned at = __builtin_ctzll(k.at);
  std::uint64_t L = ((std::uint64_t)1 << at) - 1;
  if (*p == '"' || at == 0 || at > 62 || p[at + 1] == '[') return mailbox(p, lim, m);
  std::uint64_t badl = (~(k.atx | k.dot) & L) | (k.dot & (k.dot << 1 | 1) & L) | (k.dot >> (at - 1) & 1);
  unsigned s = at + 1;
  std::uint64_t let = k.let >> s, dot = k.dot >> s, hy = k.hy >> s, end = ~(let | dot | hy);
  unsigned e = __builtin_ctzll(end | ((std::uint64_t)1 << (63 - at)));
  if (e + s >= 64) return mailbox(p, lim, m);
  std::uint64_t D = ((std::uint64_t)1 << e) - 1, sep = (dot | hy) & D, d = dot & D;
  if (!e) return nullptr;
  std::uint64_t badd = (d & (sep << 1 | sep >> 1)) | (sep & 1) | (sep >> (e - 1) & 1);
  if (badl | badd) return nullptr;
  m.l = p;
  m.at = p + at;
  m.e = p + s + e;
  return m.e;
}
#endif
inline std::uint32_t four_octets(const char* p) {
  std::uint32_t v;
  std::memcpy(&v, p, 4);
  return v;
}
constexpr std::uint32_t tag_of(const char* s) {
  return (std::uint32_t)(std::uint8_t)s[0] | (std::uint32_t)(std::uint8_t)s[1] << 8 | (std::uint32_t)(std::uint8_t)s[2] << 16 |
         (std::uint32_t)(std::uint8_t)s[3] << 24;
}
inline std::uint64_t lower_eight(const char* p, std::size_t n) {
  std::uint64_t v = 0;
  std::memcpy(&v, p, n > 8 ? 8 : n);
  return v | 0x2020202020202020ull;
}
constexpr std::uint64_t key_of(std::string_view s) {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < s.size() && i < 8; i++) v |= (std::uint64_t)(std::uint8_t)s[i] << 8 * i;
  return v | 0x2020202020202020ull;
}
inline bool number(const char*& p, std::uint64_t& v) {
  const char* s = p;
  v = 0;
  while (has(p, digit)) v = v * 10 + (*p++ - '0');
  return p > s && p - s < 20;
}
inline bool xtext(const char* p, const char* e) {
  while (p < e) {
    if (has(p, xchar))
      p++;
    else if (*p == '+' && e - p > 2)
      p += 3;
    else
      return false;
  }
  return true;
}
enum verb_value : std::uint8_t {
  bad,
  v_ehlo,
  v_helo,
  v_mail,
  v_rcpt,
  v_data,
  v_rset,
  v_quit,
  v_noop,
  v_auth,
  v_bdat,
  v_starttls,
  v_vrfy,
  v_help
};
struct command_value {
  verb_value v;
  std::uint8_t body, ret, notify, utf8, last;
  std::string_view arg, envid, orcpt;
  mailbox_value box;
  std::uint64_t size;
};
inline bool param(const char*& p, const char* e, command_value& c) {  // at SP
  const char* k = ++p;
  while (has(p, keyword)) p++;
  std::size_t kn = p - k;
  if (!kn) return false;
  const char* v = nullptr;
  std::size_t vn = 0;
  if (*p == '=') {
    v = ++p;
    while (has(p, value)) p++;
    vn = p - v;
    if (!vn) return false;
  }
  if (p != e && *p != ' ') return false;
  std::uint64_t key = lower_eight(k, kn);
  const char* q = v;
  if (kn == 4 && key == key_of("SIZE")) return v && number(q, c.size) && q == v + vn;
  if (kn == 4 && key == key_of("BODY")) {
    if (!v) return false;
    std::uint64_t b = lower_eight(v, vn);
    c.body = vn == 4 && b == key_of("7BIT")        ? 1
             : vn == 8 && b == key_of("8BITMIME")  ? 2
             : vn == 10 && b == key_of("BINARYMI") ? 3
                                                   : 0;
    return c.body;
  }
  if (kn == 8 && key == key_of("SMTPUTF8")) {
    c.utf8 = 1;
    return !v;
  }
  if (kn == 3 && key == key_of("RET")) {
    if (!v || vn != 4) return false;
    std::uint64_t b = lower_eight(v, 4);
    c.ret = b == key_of("FULL") ? 1 : b == key_of("HDRS") ? 2 : 0;
    return c.ret;
  }
  if (kn == 5 && key == key_of("ENVID")) {
    c.envid = std::string_view(v, vn);
    return v && vn <= 100 && xtext(v, v + vn);
  }
  if (kn == 4 && key == key_of("AUTH")) return v && (std::string_view{v, vn} == "<>" || xtext(v, v + vn));
  if (kn == 5 && key == key_of("ORCPT")) {
    if (!v) return false;
    const char* s = (const char*)std::memchr(v, ';', vn);
    c.orcpt = std::string_view(v, vn);
    return s && s > v && xtext(s + 1, v + vn);
  }
  if (kn == 6 && key == key_of("NOTIFY")) {
    if (!v) return false;
    while (true) {
      const char* s = q;
      while (q < v + vn && *q != ',') q++;
      std::uint64_t b = lower_eight(s, q - s);
      std::uint8_t f = q - s == 5 && b == key_of("NEVER")     ? 8
                       : q - s == 7 && b == key_of("SUCCESS") ? 1
                       : q - s == 7 && b == key_of("FAILURE") ? 2
                       : q - s == 5 && b == key_of("DELAY")   ? 4
                                                              : 0;
      if (!f) return false;
      c.notify |= f;
      if (q == v + vn) break;
      q++;
    }
    return c.notify == 8 || !(c.notify & 8);
  }
  return false;
}
inline bool params(const char* p, const char* e, command_value& c) {
  while (p != e) {
    if (*p != ' ') return false;
    if (!param(p, e, c)) return false;
  }
  return true;
}
// line [p,e) without CR LF; e[0..1] is readable
template <auto Mailbox>
inline bool parse(const char* p, const char* e, command_value& c) {
  c = command_value{};
  if (e - p < 4) return false;
  const char* a = p + 4;
  c.arg = std::string_view(a, e - a);
  switch (four_octets(p) | 0x20202020u) {
    case tag_of("mail"): {
      c.v = v_mail;
      if (e - p < 12 || (four_octets(a + 1) | 0x20202020u) != tag_of("from") || *a != ' ' || a[5] != ':' || a[6] != '<')
        return false;
      a += 7;
      if (*a == '>')
        c.box = {};
      else if (!(a = Mailbox(a, e, c.box)) || *a != '>')
        return false;
      return params(a + 1, e, c);
    }
    case tag_of("rcpt"): {
      c.v = v_rcpt;
      if (e - p < 12 || *a != ' ' || (a[1] | 32) != 't' || (a[2] | 32) != 'o' || a[3] != ':' || a[4] != '<') return false;
      a += 5;
      if ((lower_eight(a, 8) == key_of("postmast")) && a[10] == '>')
        a += 10;
      else if (!(a = Mailbox(a, e, c.box)) || *a != '>')
        return false;
      return params(a + 1, e, c);
    }
    case tag_of("ehlo"): c.v = v_ehlo; [[fallthrough]];
    case tag_of("helo"):
      if (c.v != v_ehlo) c.v = v_helo;
      if (a == e || *a++ != ' ') return false;
      c.arg = std::string_view(a, e - a);
      return (*a == '[' ? literal(a + 1, e) : domain(a, e)) == e;
    case tag_of("data"): c.v = v_data; return a == e;
    case tag_of("rset"): c.v = v_rset; return a == e;
    case tag_of("quit"): c.v = v_quit; return a == e;
    case tag_of("noop"): c.v = v_noop; return a == e || *a == ' ';
    case tag_of("help"): c.v = v_help; return a == e || *a == ' ';
    case tag_of("vrfy"): c.v = v_vrfy; return e - a > 1 && *a == ' ';
    case tag_of("bdat"): {
      c.v = v_bdat;
      if (a == e || *a++ != ' ' || !number(a, c.size)) return false;
      if (a == e) return true;
      c.last = 1;
      return *a == ' ' && e - a == 5 && (four_octets(a + 1) | 0x20202020u) == tag_of("last");
    }
    case tag_of("auth"): {
      c.v = v_auth;
      if (a == e || *a++ != ' ') return false;
      const char* m = a;
      while (has(a, keyword) || *a == '_') a++;
      if (a == m || a - m > 20) return false;
      if (a == e) return true;
      if (*a++ != ' ') return false;
      const char* b = a;
      while (has(a, let_dig) || *a == '+' || *a == '/') a++;
      while (*a == '=' && a < e) a++;
      return a == e && a > b;
    }
    case tag_of("star"): c.v = v_starttls; return e - p == 8 && (four_octets(a) | 0x20202020u) == tag_of("ttls");
  }
  return false;
}
struct reply_value {
  int code;
  unsigned enh[3];
  int n;
  std::string_view text[32];
};
inline const char* reply(const char* p, const char* e, reply_value& r) {
  r.n = 0;
  r.enh[0] = 0;
  for (;;) {
    const char* l = (const char*)std::memchr(p, '\n', e - p);
    if (!l) return nullptr;
    const char* x = l > p && l[-1] == '\r' ? l - 1 : l;
    if (x - p < 3 || !has(p, digit) || !has(p + 1, digit) || !has(p + 2, digit)) return nullptr;
    int code = (p[0] - '0') * 100 + (p[1] - '0') * 10 + p[2] - '0';
    if (r.n && code != r.code) return nullptr;
    r.code = code;
    bool more = x - p > 3 && p[3] == '-';
    if (x - p > 3 && p[3] != ' ' && !more) return nullptr;
    const char* t = x - p > 3 ? p + 4 : x;
    if (!r.n && x - t >= 5 && (t[0] == '2' || t[0] == '4' || t[0] == '5') && t[1] == '.') {
      const char* q = t + 2;
      std::uint64_t b, d;
      if (number(q, b) && *q == '.' && number(++q, d) && (q == x || *q == ' ')) {
        r.enh[0] = *t - '0';
        r.enh[1] = b;
        r.enh[2] = d;
        t = q < x ? q + 1 : q;
      }
    }
    if (r.n < 32) r.text[r.n] = std::string_view(t, x - t);
    r.n++;
    p = l + 1;
    if (!more) return p;
  }
}
inline char* put(char* o, std::string_view s) {
  std::memcpy(o, s.data(), s.size());
  return o + s.size();
}
inline char* put_code(char* o, int c) {
  o[0] = '0' + c / 100;
  o[1] = '0' + c / 10 % 10;
  o[2] = '0' + c % 10;
  return o + 3;
}
inline char* write_reply(char* o, int code, unsigned a, unsigned b, unsigned c, std::string_view text) {
  o = put_code(o, code);
  *o++ = ' ';
  if (a) {
    *o++ = '0' + a;
    *o++ = '.';
    o = std::to_chars(o, o + 8, b).ptr;
    *o++ = '.';
    o = std::to_chars(o, o + 8, c).ptr;
    *o++ = ' ';
  }
  o = put(o, text);
  *o++ = '\r';
  *o++ = '\n';
  return o;
}
inline char* write_lines(char* o, int code, const std::string_view* l, int n) {
  for (int i = 0; i < n; i++) {
    o = put_code(o, code);
    *o++ = i + 1 < n ? '-' : ' ';
    o = put(o, l[i]);
    *o++ = '\r';
    *o++ = '\n';
  }
  return o;
}

#if defined(__SSE2__)
inline constexpr auto fastest_mailbox = mailbox_by_masks;
#else
inline constexpr auto fastest_mailbox = mailbox;
#endif

inline bench::work parse_commands(std::string_view octets) {
  bench::work done{0, octets.size(), 0};
  const char* p = octets.data();
  const char* const end = p + octets.size();
  command_value command;
  while (const auto* const lf = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)))) {
    ++done.items;
    if (lf > p && lf[-1] == '\r') done.good += parse<fastest_mailbox>(p, lf - 1, command) ? 1U : 0U;
    bench::keep(command);
    p = lf + 1;
  }
  return done;
}

inline bench::work parse_mailboxes(std::string_view octets) {
  bench::work done{0, octets.size(), 0};
  const char* p = octets.data();
  const char* const end = p + octets.size();
  mailbox_value found;
  while (const auto* const lf = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)))) {
    ++done.items;
    done.good += fastest_mailbox(p, lf, found) == lf ? 1U : 0U;
    bench::keep(found);
    p = lf + 1;
  }
  return done;
}

inline bench::work parse_replies(std::string_view octets) {
  bench::work done{0, octets.size(), 0};
  const char* p = octets.data();
  const char* const end = p + octets.size();
  reply_value found;
  while (p < end) {
    ++done.items;
    p = reply(p, end, found);
    if (p == nullptr) break;
    ++done.good;
    bench::keep(found);
  }
  return done;
}

/// How many lines end: what finding them costs, by the C library.
inline bench::work count_lines(std::string_view octets) {
  bench::work done{0, octets.size(), 0};
  const char* p = octets.data();
  const char* const end = p + octets.size();
  while (const auto* const lf = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)))) {
    bench::keep(p);
    ++done.good;
    p = lf + 1;
  }
  done.items = done.good;
  return done;
}

}  // namespace floors

#endif  // EHLO_TESTS_BENCHMARK_FLOORS_COMMANDS_HPP
