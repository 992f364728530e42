"""Reads a message that came back (RFC 3464), so that the desk sees which address fails. For the mail server to call."""

import email
import email.policy
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from outreach import mailings
from projects import notify


class Command(BaseCommand):
    help = "Reads a delivery report from FILE or standard input and marks the message it is about as come back."

    def add_arguments(self, parser):
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE")

    def handle(self, *args, file, **options):
        raw = file.read_bytes() if file else sys.stdin.buffer.read()
        message = email.message_from_bytes(raw, policy=email.policy.default)
        reason, message_id, action = "", "", ""
        for part in message.walk():
            action = action or str(part.get("Action", "")).strip().lower()
            reason = reason or str(part.get("Diagnostic-Code", ""))
            if part is not message:
                message_id = message_id or str(part.get("Message-ID", ""))
            if part.get_content_type() == "text/rfc822-headers" and not message_id:
                message_id = str(email.message_from_string(part.get_content()).get("Message-ID", ""))
        if not message_id:
            raise CommandError("This is no delivery report: it names no message that came back.")
        if action in ("delayed", "delivered", "relayed", "expanded"):  # RFC 3464, 2.3.3: it is on its way, or there
            self.stdout.write(f"Nothing marked: the report says “{action}”")
            return
        marked = notify.bounced(message_id, reason) + mailings.bounced(message_id, reason)
        self.stdout.write(f"{marked} messages marked as come back")
