"""A mail server that delivers nothing: prints each message it receives as a line of JSON.

Started by the test kit. The first line says the port; it ends when its standard input does.
"""

import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.smtp import SMTP


def show(value):
    print(json.dumps(value), flush=True)


def text_of(message, subtype):
    part = message.get_body(preferencelist=(subtype,))
    return part.get_content() if part else ""


class Sink:
    """aiosmtpd calls this once a message, decoded transfer encodings being our business."""

    async def handle_DATA(self, _server, _session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        show({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "subject": str(message["subject"]),
            "text": text_of(message, "plain"),
            "html": text_of(message, "html"),
            "raw": envelope.content.decode("utf-8", "replace"),
        })
        return "250 kept"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Sink(), hostname="localhost", enable_SMTPUTF8=True), "127.0.0.1", 0)
    show({"port": server.sockets[0].getsockname()[1]})
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
