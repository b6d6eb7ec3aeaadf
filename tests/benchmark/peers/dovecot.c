/* SPDX-License-Identifier: BSL-1.0 */
/* Needs Dovecot's headers and libdovecot (Debian: dovecot-dev, dovecot-core). */
#include "config.h"
#include "lib.h"

#include "array.h"
#include "istream-dot.h"
#include "istream-private.h"
#include "istream.h"
#include "smtp-address.h"
#include "smtp-command-parser.h"
#include "smtp-common.h"
#include "smtp-params.h"
#include "smtp-reply-parser.h"
#include "smtp-reply.h"
#include "smtp-syntax.h"
#include "str.h"

#include "dovecot.h"

#include <string.h>
#include <strings.h>

void dovecot_begin(void) { lib_init(); }

static const enum smtp_capability capabilities = SMTP_CAPABILITY_SIZE | SMTP_CAPABILITY_8BITMIME | SMTP_CAPABILITY_DSN |
                                                 SMTP_CAPABILITY_BINARYMIME | SMTP_CAPABILITY_CHUNKING | SMTP_CAPABILITY_AUTH;

static bool is_good_mail(pool_t pool, const char* argument) {
  static const char* const more[] = {"SMTPUTF8", NULL};
  struct smtp_address* path;
  struct smtp_params_mail parameters;
  enum smtp_param_parse_error reason;
  const char *error = NULL, *rest = NULL;
  if (strncasecmp(argument, "FROM:", 5) != 0) return FALSE;
  if (smtp_address_parse_path_full(pool, argument + 5, SMTP_ADDRESS_PARSE_FLAG_ALLOW_EMPTY | SMTP_ADDRESS_PARSE_FLAG_STRICT, &path,
                                   &error, &rest) != 0)
    return FALSE;
  if (*rest != '\0' && *rest++ != ' ') return FALSE;
  return smtp_params_mail_parse(pool, rest, capabilities, more, NULL, &parameters, &reason, &error) >= 0;
}

static bool is_good_rcpt(pool_t pool, const char* argument) {
  struct smtp_address* path;
  struct smtp_params_rcpt parameters;
  enum smtp_param_parse_error reason;
  const char *error = NULL, *rest = NULL;
  if (strncasecmp(argument, "TO:", 3) != 0) return FALSE;
  if (smtp_address_parse_path_full(pool, argument + 3, SMTP_ADDRESS_PARSE_FLAG_ALLOW_LOCALPART | SMTP_ADDRESS_PARSE_FLAG_STRICT,
                                   &path, &error, &rest) != 0)
    return FALSE;
  if (*rest != '\0' && *rest++ != ' ') return FALSE;
  return smtp_params_rcpt_parse(pool, rest, 0, capabilities, NULL, &parameters, &reason, &error) >= 0;
}

static bool is_good_command(pool_t pool, const char* name, const char* argument) {
  static const char* const others[] = {"DATA", "RSET", "QUIT", "NOOP", "AUTH", "BDAT", "VRFY", "STARTTLS", "HELP"};
  const char* domain;
  if (strcasecmp(name, "MAIL") == 0) return is_good_mail(pool, argument);
  if (strcasecmp(name, "RCPT") == 0) return is_good_rcpt(pool, argument);
  if (strcasecmp(name, "EHLO") == 0 || strcasecmp(name, "HELO") == 0) return smtp_helo_domain_parse(argument, TRUE, &domain) >= 0;
  for (unsigned int i = 0; i < N_ELEMENTS(others); i++) {
    if (strcasecmp(name, others[i]) == 0) return TRUE;
  }
  return FALSE;
}

struct dovecot_work dovecot_commands(const char* octets, size_t size) {
  struct dovecot_work done = {0, 0};
  struct smtp_command_limits limits = {4096, 8192, 40 * 1024 * 1024};
  struct istream* input = i_stream_create_from_data(octets, size);
  struct smtp_command_parser* parser = smtp_command_parser_init(input, &limits);
  pool_t pool = pool_alloconly_create("command", 1024);
  const char *name, *argument, *error;
  enum smtp_command_parse_error reason;
  int found;
  while ((found = smtp_command_parse_next(parser, &name, &argument, &reason, &error)) != 0 && found != -2) {
    done.items++;
    if (found < 0) {
      if (reason == SMTP_COMMAND_PARSE_ERROR_BROKEN_STREAM || reason == SMTP_COMMAND_PARSE_ERROR_BROKEN_COMMAND) break;
      continue;
    }
    T_BEGIN {
      if (is_good_command(pool, name, argument)) done.good++;
    }
    T_END;
    p_clear(pool);
  }
  pool_unref(&pool);
  smtp_command_parser_deinit(&parser);
  i_stream_unref(&input);
  return done;
}

struct dovecot_work dovecot_mailboxes(char* octets, size_t size) {
  struct dovecot_work done = {0, 0};
  pool_t pool = pool_alloconly_create("mailbox", 1024);
  char *begin = octets, *end;
  while ((end = memchr(begin, '\n', (size_t)(octets + size - begin))) != NULL) {
    struct smtp_address* address;
    const char* error;
    *end = '\0';
    done.items++;
    T_BEGIN {
      if (smtp_address_parse_mailbox(pool, begin, SMTP_ADDRESS_PARSE_FLAG_STRICT, &address, &error) == 0) done.good++;
    }
    T_END;
    p_clear(pool);
    *end = '\n';
    begin = end + 1;
  }
  pool_unref(&pool);
  return done;
}

struct dovecot_work dovecot_replies(const char* octets, size_t size) {
  struct dovecot_work done = {0, 0};
  struct istream* input = i_stream_create_from_data(octets, size);
  struct smtp_reply_parser* parser = smtp_reply_parser_init(input, 65536);
  struct smtp_reply* reply;
  const char* error;
  int found;
  while ((found = smtp_reply_parse_next(parser, TRUE, &reply, &error)) != 0) {
    if (found < 0 && input->eof && !i_stream_have_bytes_left(input)) break;
    done.items++;
    if (found < 0) break;
    done.good++;
  }
  smtp_reply_parser_deinit(&parser);
  i_stream_unref(&input);
  return done;
}

/* A source that shows `feed` octets more at each read, as a socket does, without a copy. */
struct feeding_istream {
  struct istream_private istream;
  const unsigned char* octets;
  size_t size, feed, shown;
};

static ssize_t read_feed(struct istream_private* stream) {
  struct feeding_istream* self = (struct feeding_istream*)stream;
  if (self->shown == self->size) {
    stream->istream.eof = TRUE;
    return -1;
  }
  size_t count = I_MIN(self->feed, self->size - self->shown);
  self->shown += count;
  stream->buffer = self->octets;
  stream->pos = self->shown;
  return (ssize_t)count;
}

static struct istream* create_feeding(const char* octets, size_t size, size_t feed) {
  struct feeding_istream* self = i_new(struct feeding_istream, 1);
  self->octets = (const unsigned char*)octets;
  self->size = size;
  self->feed = feed;
  self->istream.buffer = self->octets;
  self->istream.read = read_feed;
  self->istream.istream.blocking = FALSE;
  self->istream.istream.readable_fd = FALSE;
  self->istream.max_buffer_size = SIZE_MAX;
  return i_stream_create(&self->istream, NULL, -1, 0);
}

struct dovecot_work dovecot_mail_data(const char* octets, size_t size, size_t feed) {
  struct dovecot_work done = {size, 0};
  struct istream* source = create_feeding(octets, size, feed);
  struct istream* dots = i_stream_create_dot(source, TRUE);
  const unsigned char* slice;
  size_t count;
  while (i_stream_read_more(dots, &slice, &count) > 0) {
    done.good += count;
    i_stream_skip(dots, count);
  }
  i_stream_unref(&dots);
  i_stream_unref(&source);
  return done;
}

static struct dovecot_work write_times(struct smtp_reply* reply, size_t times) {
  static string_t* out = NULL;
  if (out == NULL) out = str_new(default_pool, 4096);
  struct dovecot_work done = {times, 0};
  for (size_t i = 0; i < times; i++) {
    str_truncate(out, 0);
    smtp_reply_write(out, reply);
    done.good = str_len(out);
  }
  return done;
}

struct dovecot_work dovecot_write_reply(size_t times) {
  struct smtp_reply reply;
  smtp_reply_init(&reply, 250, "OK");
  reply.enhanced_code = SMTP_REPLY_ENH_CODE(2, 1, 5);
  return write_times(&reply, times);
}

struct dovecot_work dovecot_write_ehlo_reply(size_t times) {
  const char* lines[] = {"mail.example.com", "PIPELINING", "8BITMIME",      "ENHANCEDSTATUSCODES",
                         "SMTPUTF8",         "CHUNKING",   "SIZE 36700160", "DSN",
                         "STARTTLS",         NULL};
  struct smtp_reply reply = {.status = 250, .text_lines = lines};
  return write_times(&reply, times);
}
