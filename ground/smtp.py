"""A mail server that is told the last word of a message in the same instant in which the portal notes that it is sent.

SMTP has no transaction with a database: whoever dies between the server's answer and the note of it sends twice on
coming back. Here the note is made when all of the message has gone out but the full stop on a line of its own that
makes it count (RFC 5321, 4.1.1.4). Dying before: the server throws the message away and it is sent later. Dying after:
the full stop is already on its way.
"""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

END = b"\r\n.\r\n"
Note = Callable[[], AbstractContextManager[None]]


class Backend(EmailBackend):
    """Django's, with `note`: entered once for each message, around its full stop. What entering raises stops the message."""

    note: Note | None = None

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
                if not (self.is_in_data and backend.note and isinstance(s, bytes) and s.endswith(END)):
                    return super().send(s)
                super().send(s[:-3])
                last = super().send
                try:
                    with backend.note():
                        last(s[-3:])
                except BaseException:
                    self.close()  # the server throws away what it has got
                    backend.connection = None
                    raise

        return Server


def deliver(connection: BaseEmailBackend, message: EmailMessage, note: Note) -> None:
    """Sends one message. In `note`, which is entered as late as this kind of mail server allows, it comes to count."""
    if isinstance(connection, Backend):
        connection.note = note
        try:
            connection.send_messages([message])
        finally:
            connection.note = None
    else:
        with note():
            connection.send_messages([message])
