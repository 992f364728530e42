"""How often an address called, over all processes."""

from datetime import timedelta

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class CallCountManager(models.Manager):
    def add(self, key: str, calls: int, seconds: int) -> int:
        """Adds calls, in one statement that two processes may run at once. Returns how many there are now."""
        until = timezone.now() + timedelta(seconds=seconds)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO partners_callcount AS kept (key, calls, until) VALUES (%s, %s, %s) "
                "ON CONFLICT (key) DO UPDATE SET calls = kept.calls + excluded.calls RETURNING calls",
                [key, calls, until],
            )
            return cursor.fetchone()[0]

    def forget_ended(self) -> None:
        self.filter(until__lt=timezone.now()).delete()


class CallCount(models.Model):
    """The calls of one address within one window of time. Whose they are is kept as a keyed checksum only."""

    key = models.CharField(_("address and window, as a checksum"), primary_key=True, max_length=64)
    calls = models.PositiveIntegerField(_("calls"))
    until = models.DateTimeField(_("counted until"), db_index=True)

    objects = CallCountManager()

    class Meta:
        verbose_name = _("calls of an address")
        verbose_name_plural = _("calls of addresses")

    def __str__(self):
        return f"{self.key[:8]}: {self.calls}"
