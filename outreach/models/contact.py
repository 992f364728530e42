"""What people write to us, about which topic, and what became of it."""

import pghistory
from django.conf import settings
from django.core.signing import Signer
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from outreach.choices import ContactState
from partners.models.constraints import known
from partners.models.naming import NamedQuerySet, translated_name
from projects.models.project import ReferenceCounter

SIGNER = Signer(salt="outreach.contact")
LONGEST = 5000


class TopicQuerySet(NamedQuerySet):
    def offered(self):
        return self.filter(is_public=True)


@pghistory.track()
class Topic(models.Model):
    """What one can write to us about, and which desk reads it."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = translated_name(_("name"))
    email = models.EmailField(_("address of the desk"), help_text=_("Messages about this go there."))
    answer_days = models.PositiveSmallIntegerField(
        _("answered within"), default=10, help_text=_("Working days, as told.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_public = models.BooleanField(_("can be chosen"), default=True)

    objects = TopicQuerySet.as_manager()

    class Meta:
        verbose_name = _("topic of messages")
        verbose_name_plural = _("topics of messages")
        ordering = ["position", "code"]

    def __str__(self):
        return self.name


class ContactQuerySet(models.QuerySet):
    def waiting(self):
        """What somebody at UNEP still has to answer."""
        return self.filter(state__in=(ContactState.NEW, ContactState.TAKEN))


@pghistory.track()
class ContactMessage(models.Model):
    """A message to a desk. Whoever wrote it can see by a secret address what became of it."""

    reference = models.CharField(_("reference"), max_length=20, unique=True, editable=False)
    topic = models.ForeignKey(Topic, models.PROTECT, related_name="messages", verbose_name=_("topic"))
    name = models.CharField(_("name"), max_length=150, blank=True)
    email = models.EmailField(_("e-mail address"))
    text = models.TextField(_("message"), max_length=LONGEST)
    about = models.CharField(_("about the page"), max_length=300, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    state = models.CharField(_("state"), max_length=8, choices=ContactState, default=ContactState.NEW, editable=False)
    state_since = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", verbose_name=_("in the hands of"), null=True, blank=True, editable=False
    )  # fmt: skip
    answer = models.TextField(_("answer"), max_length=LONGEST, blank=True, editable=False)
    note = models.CharField(_("note for colleagues"), max_length=300, blank=True, editable=False)
    suspicion = models.CharField(_("looks unwanted because"), max_length=100, blank=True, editable=False)
    submission_key = models.CharField(max_length=100, unique=True, editable=False)
    created_at = models.DateTimeField(_("written at"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", verbose_name=_("account"), null=True, blank=True, editable=False
    )  # fmt: skip

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("message to us")
        verbose_name_plural = _("messages to us")
        ordering = ["-created_at", "-pk"]
        constraints = [known("state", ContactState)]
        indexes = [models.Index(fields=["state", "created_at"], name="contact_waiting")]

    def __str__(self):
        return self.reference

    def save(self, *args, **kwargs):
        if not self.reference:
            self.reference = ReferenceCounter.take(f"C-{timezone.localdate().year}")
        super().save(*args, **kwargs)

    def get_absolute_url(self):
        """Its secret address: only whoever has it in the mail knows it."""
        return reverse("contact-message", args=[SIGNER.sign(self.reference)])
