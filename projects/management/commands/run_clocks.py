"""Does what is due by time; the worker does it each night."""

import datetime as dt

from django.core.management.base import BaseCommand, CommandError

from projects import clocks


class Command(BaseCommand):
    help = "Reminders, lapse, expiry, leaving out of lists: all that is due today at the desk. Safe to run again."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="say what is due, do nothing")
        parser.add_argument("--on", metavar="DAY", help="as if it were this day, such as 2027-01-31")

    def handle(self, *args, dry_run, on, **options):
        try:
            day = dt.date.fromisoformat(on) if on else None
        except ValueError:
            raise CommandError(f"“{on}” is no day; write it as 2027-01-31.") from None
        done = clocks.run(day, dry_run=dry_run)
        labels = {clock.name: clock.label for clock in clocks.CLOCKS}
        for name, count in done.items():
            self.stdout.write(f"{count:6} {name} ({labels[name]})")
        self.stdout.write(f"{sum(done.values())} acts{' due (nothing was done)' if dry_run else ''}")
