"""The words of the portal's mail, where staff have written their own."""

import re

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.models.constraints import known


class MailKind(models.TextChoices):
    """The mails of the portal, by the names of their templates (templates/mail)."""

    ASKED = "asked", _("somebody asks for a role")
    DECIDED = "decided", _("a request for a role was decided")
    INVITED = "invited", _("somebody is invited")
    ACCEPTED = "accepted", _("an invitation was accepted")
    REVOKED = "revoked", _("a role has ended")
    EVENT = "event", _("something happened to a record")
    DIGEST = "digest", _("what happened in a day")
    WEBHOOK_PAUSED = "webhook_paused", _("a webhook was paused")
    TOKEN_MADE = "token_made", _("an API token was made")
    CONTACT_DESK = "contact_desk", _("a message to a desk, as the desk gets it")
    CONTACT_RECEIVED = "contact_received", _("a message to a desk has arrived")
    CONTACT_ANSWER = "contact_answer", _("the answer of a desk")
    SUBSCRIBE = "subscribe", _("updates by mail have to be confirmed")
    CHOICES = "choices", _("the page of one's choices")
    UPDATES = "updates", _("what is new, for subscribers")
    GUESSED = "guessed", _("many failed attempts to sign in")


PLACE = re.compile(r"\{(\w*)\}")
ALWAYS = ("subject", "text", "link", "site")
PLACES = {  # of each mail, besides those of all
    "asked": ("request",), "decided": ("request", "ends_on"), "invited": ("invitation",), "accepted": ("invitation",),
    "revoked": ("membership",), "event": ("record", "what", "note", "next", "state"), "webhook_paused": ("webhook",),
    "token_made": ("token",),
    "contact_desk": ("message", "topic"), "contact_received": ("message", "topic"), "contact_answer": ("message", "topic"),
    "updates": ("n", "choices", "stop"),
}  # fmt: skip
NEEDED = {"updates": ("choices", "stop")}  # besides the link, unless {text} is there, which has them


@pghistory.track()
class MailText(models.Model):
    """Subject and text of one kind of mail in one language. {text} stands for what the portal would have written."""

    name = models.CharField(_("mail"), max_length=20, choices=MailKind)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    subject = models.CharField(_("subject"), max_length=150, default="{subject}")
    body = models.TextField(
        _("text"), max_length=5000, default="{text}",
        help_text=_("Plain text. {text} is what the portal would have written, {link} where one goes on, {site} our name."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("text of mail")
        verbose_name_plural = _("texts of mail")
        ordering = ["name", "language"]
        constraints = [
            known("name", MailKind),
            models.UniqueConstraint(
                fields=["name", "language"],
                name="mail_text_once",
                violation_error_message=_("There is a text of this mail in this language already."),
            ),
        ]

    def __str__(self):
        return f"{self.name} ({self.language})"

    def clean(self):
        places = {*ALWAYS, *PLACES.get(self.name, ())}
        errors = {}
        for field in ("subject", "body"):
            unknown = [place for place in PLACE.findall(getattr(self, field)) if place not in places]
            if unknown:
                known = ", ".join(f"{{{place}}}" for place in sorted(places))
                errors[field] = _("This mail does not know {%(place)s}. It knows %(known)s.") % {
                    "place": unknown[0],
                    "known": known,
                }
        used = set(PLACE.findall(self.body))
        missing = [place for place in NEEDED.get(self.name, ("link",)) if place not in used]
        if "text" not in used and missing and "body" not in errors:
            errors["body"] = _("Leave {text} or {%(place)s} in it: without it nobody can go on.") % {
                "place": missing[0]
            }
        if errors:
            raise ValidationError(errors)

    def filled(self, field: str, values: dict) -> str:
        """The subject or the body with its places filled."""
        return PLACE.sub(lambda place: str(values.get(place[1], "") or ""), getattr(self, field))
