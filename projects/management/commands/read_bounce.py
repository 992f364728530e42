"""Reads a message that came back (RFC 3464), so that the desk sees which address fails. For the mail server to call."""

import email
import email.policy
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from projects import notify


class Command(BaseCommand):
    help = "Reads a delivery report from FILE or standard input and marks the message it is about as come back."

    def add_arguments(self, parser):
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE")

    def handle(self, *args, file, **options):
        raw = file.read_bytes() if file else sys.stdin.buffer.read()
        message = email.message_from_bytes(raw, policy=email.policy.default)
        reason, message_id = "", ""
        for part in message.walk():
            reason = reason or str(part.get("Diagnostic-Code", ""))
            if part is not message:
                message_id = message_id or str(part.get("Message-ID", ""))
            if part.get_content_type() == "text/rfc822-headers" and not message_id:
                message_id = str(email.message_from_string(part.get_content()).get("Message-ID", ""))
        if not message_id:
            raise CommandError("This is no delivery report: it names no message that came back.")
        self.stdout.write(f"{notify.bounced(message_id, reason)} messages marked as come back")
