"""Loads the demonstration set."""

from django.conf import settings
from django.core.management.base import BaseCommand

from outreach.demonstration import load_issues, load_news, load_stories
from projects.choices import Matched
from projects.demonstration import load_accounts, load_projects
from projects.demonstration_needs import load_needs
from projects.demonstration_offers import load_offers
from projects.matching import keeping


class Command(BaseCommand):
    help = "Loads illustrative partners, projects, needs, offers and news and, in development, one account per role. Keeps what is there."

    def handle(self, *args, **options):
        self.stdout.write(
            f"demonstration: {load_projects()} new projects, {load_offers()} new offers, {load_needs()} new needs, "
            f"{load_news()} new news, {load_issues()} new issues of the newsletter, {load_stories()} new stories"
        )
        for kind in Matched:
            keeping.refresh(kind)
        if settings.DEBUG:
            self.stdout.write("Accounts (development only):")
            for role, email, password in load_accounts():
                self.stdout.write(f"  {role:<26} {email:<28} {password}")
