#!/usr/bin/python3
# SPDX-License-Identifier: BSL-1.0
"""An aiosmtpd that stores each message once for each recipient: aiosmtpd_server.py JSON, as class Aiosmtpd of servers.py writes it."""
import asyncio
import json
import pathlib
import signal
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class NoEhlo(SMTP):
    """A server from before 1993."""

    async def smtp_EHLO(self, hostname):
        await self.push("500 What?")


class Store:
    def __init__(self, asked):
        self.asked, self.number = asked, 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        user = address.rpartition("@")[0]
        if user in self.asked["later"]:
            return "450 4.2.1 Try again later"
        if user not in self.asked["users"]:
            return "550 5.1.1 Who is that?"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        for address in envelope.rcpt_tos:
            folder = pathlib.Path(self.asked["mail"], address.rpartition("@")[0])
            folder.mkdir(exist_ok=True)
            self.number += 1
            (folder / f"{self.number:06}").write_bytes(envelope.original_content)
        return "250 Stored"


def authenticate(asked):
    def check(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == (asked["user"], asked["password"])
        return AuthResult(success=good, handled=good)
    return check


async def main(asked):
    words = {"hostname": asked["hostname"], "data_size_limit": asked["size"], "decode_data": asked["decode_data"],
             "enable_SMTPUTF8": asked["smtputf8"]}
    if asked["certificate"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked["certificate"], asked["key"])
        words |= {"tls_context": context, "require_starttls": True}
    if asked["user"]:
        words |= {"authenticator": authenticate(asked), "auth_required": True}
    kind, store = (NoEhlo if asked["no_ehlo"] else SMTP), Store(asked)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: kind(store, loop=loop, **words), "127.0.0.1", asked["port"])
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    server.close()


asyncio.run(main(json.loads(sys.argv[1])))
