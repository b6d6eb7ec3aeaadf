// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_EHLO_HPP
#define EHLO_EHLO_HPP

/// @file
/// The door: all of the library but `format.hpp`, which needs fmt.

#include <ehlo/actions.hpp>
#include <ehlo/ascii.hpp>
#include <ehlo/codec/chunk_reader.hpp>
#include <ehlo/codec/command_parser.hpp>
#include <ehlo/codec/mail_data_reader.hpp>
#include <ehlo/codec/octet_scan.hpp>
#include <ehlo/codec/reply_writer.hpp>
#include <ehlo/command.hpp>
#include <ehlo/enhanced_status_code.hpp>
#include <ehlo/error.hpp>
#include <ehlo/extension/auth.hpp>
#include <ehlo/extension/body.hpp>
#include <ehlo/extension/dsn.hpp>
#include <ehlo/extension/size.hpp>
#include <ehlo/grammar/address_literal.hpp>
#include <ehlo/grammar/base64.hpp>
#include <ehlo/grammar/cursor.hpp>
#include <ehlo/grammar/domain.hpp>
#include <ehlo/grammar/host.hpp>
#include <ehlo/grammar/local_part.hpp>
#include <ehlo/grammar/parameter.hpp>
#include <ehlo/grammar/path.hpp>
#include <ehlo/grammar/utf8.hpp>
#include <ehlo/grammar/xtext.hpp>
#include <ehlo/limits.hpp>
#include <ehlo/message/date_time.hpp>
#include <ehlo/message/field_writer.hpp>
#include <ehlo/message/header_check.hpp>
#include <ehlo/message/header_section.hpp>
#include <ehlo/message/header_writer.hpp>
#include <ehlo/message/message_id.hpp>
#include <ehlo/message/trace.hpp>
#include <ehlo/parameters.hpp>
#include <ehlo/protocol/order_of_commands.hpp>
#include <ehlo/protocol/order_of_replies.hpp>
#include <ehlo/replies.hpp>
#include <ehlo/reply.hpp>
#include <ehlo/result.hpp>
#include <ehlo/sasl/external.hpp>
#include <ehlo/sasl/login.hpp>
#include <ehlo/sasl/oauthbearer.hpp>
#include <ehlo/sasl/plain.hpp>
#include <ehlo/sasl/server.hpp>
#include <ehlo/sasl/text.hpp>
#include <ehlo/sasl/xoauth2.hpp>
#include <ehlo/secret.hpp>
#include <ehlo/server/actions.hpp>
#include <ehlo/server/dispatch.hpp>
#include <ehlo/server/options.hpp>
#include <ehlo/server/reply_for.hpp>
#include <ehlo/server/session.hpp>
#include <ehlo/server/storage.hpp>
#include <ehlo/version.hpp>

#endif  // EHLO_EHLO_HPP
