/* SPDX-License-Identifier: BSL-1.0 */
#ifndef EHLO_TESTS_BENCHMARK_PEERS_DOVECOT_H
#define EHLO_TESTS_BENCHMARK_PEERS_DOVECOT_H

/* Dovecot's lib-smtp and its reader of mail data, over octets in memory. Each function makes one pass and tells how many items
 * there were and how many it took. */

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dovecot_work {
  size_t items;
  size_t good;
};

void dovecot_begin(void);

/* Command lines to typed commands: what its own server does with verb, path, parameters and host name. */
struct dovecot_work dovecot_commands(const char* octets, size_t size);

/* Mailboxes, one a line that ends with LF. The octets are written to and restored: its parser wants strings. */
struct dovecot_work dovecot_mailboxes(char* octets, size_t size);

struct dovecot_work dovecot_replies(const char* octets, size_t size);

/* Mail data in its form on the wire, with the end mark, in feeds of `feed` octets; `good` counts octets given. */
struct dovecot_work dovecot_mail_data(const char* octets, size_t size, size_t feed);

/* Writes "250 2.1.5 OK" or the answer to EHLO of nine lines `times` times; `good` counts the octets of one. */
struct dovecot_work dovecot_write_reply(size_t times);
struct dovecot_work dovecot_write_ehlo_reply(size_t times);

#ifdef __cplusplus
}
#endif

#endif
