"""Removing in admin: the page that asks says, signed, which version of the records it showed, with what goes with them. Where
somebody changed one of them since, nothing is removed and the page is shown again (as in merging.py, for what is changed)."""

from datetime import datetime
from itertools import pairwise

from django.contrib.admin.utils import NestedObjects
from django.core import serializers
from django.db.models import Max, Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from desk import merging

MOST_LOOKED_AT = 50  # changes of a record, for who wrote one of its fields


def asked(records: list[Model], request: HttpRequest, opts, *, is_confirmed: bool) -> dict:
    """What the page that asks carries on. `refusal` says that it was confirmed for another version than stands now: then it is
    shown once more."""
    if is_confirmed and records:  # who changes them now waits until these are gone
        list(opts.model._base_manager.filter(pk__in=[one.pk for one in records]).order_by("pk").select_for_update())
    about, mark = f"remove:{opts.label_lower}", mark_of(records)
    seen = merging.read(request.POST.get(merging.AS_SHOWN, ""), about) if is_confirmed else None
    refusal = ""
    if is_confirmed and (seen is None or seen.get("mark") != mark):
        refusal = _sentence(records, seen)
    return {"as_shown": merging.sign({"mark": mark, "last": _last_of(records)}, about), "refusal": refusal}


def mark_of(records: list[Model]) -> str:
    """A checksum of the versions of records and of all that would be removed with them. What derives from others (matches,
    scores, words of the search) is kept by no trigger, and is no version of anything."""
    if not records:
        return ""
    collector = NestedObjects(using=records[0]._state.db or "default", origin=records)
    collector.collect(records)
    found = {model: [one.pk for one in rows] for model, rows in collector.data.items()}
    roots = {type(one) for one in records}
    versions = [
        (model._meta.label, _versions(model, keys)) for model, keys in found.items() if _events(model) or model in roots
    ]
    return salted_hmac("removing", repr(sorted(versions)), algorithm="sha256").hexdigest()


def _versions(model: type[Model], keys: list) -> list:
    """(key, number of its last kept change) of each record; of those whose changes are not kept, what they say."""
    events = _events(model)
    if events is None:
        return sorted(
            (row["pk"], repr(row["fields"]))
            for row in serializers.serialize("python", model._base_manager.filter(pk__in=keys))
        )
    last = events.objects.filter(pgh_obj_id__in=keys).values("pgh_obj_id").annotate(last=Max("pgh_id"))
    known = dict(last.values_list("pgh_obj_id", "last"))
    return sorted((str(key), known.get(key, 0)) for key in keys)


def _events(model: type[Model]):
    return getattr(model, "pgh_event_model", None)


def _last_of(records: list[Model]) -> dict[str, int]:
    """The number of the last kept change of each of these records, all of one model."""
    model = type(records[0]) if records else None
    return dict(_versions(model, [one.pk for one in records])) if model and _events(model) else {}


def _sentence(records: list[Model], seen: dict | None) -> str:
    """What changed since the page was shown: of one record who and when, where that is known."""
    now = _last_of(records)
    changed = [one for one in records if seen and seen["last"].get(str(one.pk)) != now.get(str(one.pk))]
    who, at = last_change(type(changed[0]), changed[0].pk) if changed else ("", None)
    if at:
        values = {"record": str(changed[0]), **by_whom(who, at)}
        return _("“%(record)s” was changed after this page was opened (%(who)s, %(at)s), so nothing is deleted. Check what would be deleted now, then confirm again.") % values  # fmt: skip
    return _("What would be deleted has changed since this page was opened, so nothing is deleted. Check what would be deleted now, then confirm again.")  # fmt: skip


def by_whom(who: str, at: datetime | None) -> dict[str, str]:
    """Who changed something and when, as sentences say it: the time is that of the zone of whoever reads it."""
    return {"who": who or _("somebody"), "at": f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""}


def _last_that_changed(name: str, latest: list):
    """The newest of these kept changes after which the field was another; the newest of all where none was."""
    columns = {field.name: field.attname for field in latest[0]._meta.concrete_fields}
    if name not in columns:
        return latest[0]
    for event, before in pairwise(latest):
        if getattr(event, columns[name]) != getattr(before, columns[name]):
            return event
    return latest[-1] if len(latest) < MOST_LOOKED_AT else latest[0]


def last_change(model: type[Model], pk, *, of: str = "", **which) -> tuple[str, datetime | None]:
    """Who changed a record last and when, as the triggers kept it; or a field of it, where that is among its last changes."""
    kept = _events(model)
    events = kept and kept.objects.filter(pgh_obj_id=pk, **{f"pgh_{name}": value for name, value in which.items()})
    latest = (
        list(events.select_related("pgh_context").order_by("-pgh_id")[: MOST_LOOKED_AT if of else 1]) if kept else []
    )
    if not latest:
        return "", None
    event = _last_that_changed(of, latest)
    from django.contrib.auth import get_user_model

    user = ((event.pgh_context and event.pgh_context.metadata) or {}).get("user")
    person = get_user_model().objects.filter(pk=user).first() if user else None
    return str(person or ""), event.pgh_created_at
