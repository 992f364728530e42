"""A mail server that is told the last word of a message only after the portal has written down that it is sent.

SMTP has no transaction with a database: whoever dies between the server's answer and the note of it sends twice on
coming back. Here the note is committed when all of the message has gone out but the full stop on a line of its own that
makes it count (RFC 5321, 4.1.1.4). Dying before: the server throws the message away and it is sent later. Dying after:
the full stop is already on its way.
"""

import socket
from collections.abc import Callable

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

END = b"\r\n.\r\n"


class Backend(EmailBackend):
    """Django's, with `before_the_end`: called once for each message, before the full stop. What it raises stops the message."""

    before_the_end: Callable[[], None] | None = None

    @property
    def connection_class(self):
        backend = self

        class Server(super().connection_class):
            is_in_data = False

            def data(self, msg):
                self.is_in_data = True
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the full stop goes at once
                try:
                    return super().data(msg)
                finally:
                    self.is_in_data = False

            def send(self, s):
                if self.is_in_data and backend.before_the_end and isinstance(s, bytes) and s.endswith(END):
                    super().send(s[:-3])
                    try:
                        backend.before_the_end()
                    except BaseException:
                        self.close()  # the server throws away what it has got
                        backend.connection = None
                        raise
                    s = s[-3:]
                super().send(s)

        return Server


def deliver(connection: BaseEmailBackend, message: EmailMessage, note: Callable[[], None]) -> None:
    """Sends one message; `note` writes down that it is sent, as late as this kind of mail server allows."""
    if isinstance(connection, Backend):
        connection.before_the_end = note
        try:
            connection.send_messages([message])
        finally:
            connection.before_the_end = None
    else:
        note()
        connection.send_messages([message])
