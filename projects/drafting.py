"""Writing a need: beginning a draft and saving parts of it, by page, spreadsheet or API. One way in, so one set of rules.

Two people may write at once. Each save says what its writer saw (`fingerprint`); where the stored text is another one
by now and the two differ, `Conflict` carries both and nothing is overwritten.
"""

import hashlib
import json

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from partners.rules import require
from projects.lifecycle import write_down
from projects.lifecycle.need import WRITABLE, WRITING
from projects.models import LineItem, Need, NeedTerm, Offer

LINE_FIELDS = ("text", "assistance_id", "quantity", "unit", "by_when", "note")
MOST_LINES = 30


class Conflict(ValidationError):
    """Somebody else saved the same part meanwhile. `stored` is what stands there now, `seen` the mark to save over it."""

    def __init__(self, stored: dict, seen: str, version: int):
        super().__init__(
            _("Somebody else changed this part meanwhile. Compare the two versions, then save again."), code="conflict"
        )
        self.stored, self.seen, self.version = stored, seen, version


def begin(need: Need, *, by, key: str = "") -> tuple[Need, bool]:
    """Stores a new draft; the second time the same `key` comes from the same person, gives the one that is there.

    Returns the need and whether it is new. Raises PermissionDenied and ValidationError.
    """
    if not by.has_perm("projects.add_need", need):
        raise PermissionDenied(_("Contributors and focal points write the needs of their country."))
    need.created_by = by
    need.submission_key = f"{by.pk}:{key}"[:100] if key else None
    if key and (found := Need.objects.filter(submission_key=need.submission_key).first()):
        return found, False
    need.full_clean(exclude=["reference", "submission_key"])  # the key is settled by whoever stores it first
    try:
        with transaction.atomic():
            need.save()
            write_down(need, "begin", by=by)
    except IntegrityError:
        if key and (found := Need.objects.filter(submission_key=need.submission_key).first()):
            return found, False
        raise
    return need, True


def stored(need: Need, names) -> dict:
    """What is stored under these names, in a form that can be compared."""
    found = {}
    for name in sorted(names):
        if name == "terms":
            found[name] = sorted(need.term_links.values_list("term_id", flat=True))
        elif name == "lines":
            found[name] = [{n: getattr(line, n) for n in LINE_FIELDS} for line in need.lines.all()]
        else:
            field = need._meta.get_field(name)
            found[name] = getattr(need, field.attname)
    return found


def mark(values: dict) -> str:
    """A short mark of values: equal for equal ones."""
    text = json.dumps(values, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def fingerprint(need: Need, names) -> str:
    """What a writer sees of these fields, as a short mark to send back with a save."""
    return mark(stored(need, names))


def writable(need: Need) -> frozenset[str]:
    """Names of the fields that may be written in the present state."""
    return WRITABLE.get(need.state, frozenset())


@transaction.atomic
def save(need: Need, values: dict, *, by, seen: str | None = None, version: int | None = None) -> bool:
    """Saves some fields of a draft: {name: value}; `terms` are keys of terms, `lines` dictionaries of LINE_FIELDS.

    `seen` is the fingerprint of the same fields as the writer saw them, `version` the version of the whole need. Returns
    whether anything changed. Raises PermissionDenied, Conflict, and ValidationError with the fields at fault.
    """
    locked = Need.objects.select_for_update(of=("self",)).get(pk=need.pk)
    require(by, "projects.change_need", locked)
    if set(values) - writable(locked):
        raise ValidationError(
            _("It is “%(state)s” by now, so this can't be changed any more. Reload the page."),
            code="state", params={"state": locked.get_state_display()},
        )  # fmt: skip
    before = stored(locked, values)
    after = comparable(locked, values)
    if after == before:
        need.version = locked.version
        return False
    if (seen is not None and seen != mark(before)) or (version is not None and version != locked.version):
        raise Conflict(before, mark(before), locked.version)
    _write(locked, values)
    need.refresh_from_db()
    return True


def comparable(need: Need, values: dict) -> dict:
    """Values to be saved, in the form of `stored`."""
    found = {}
    for name in sorted(values):
        value = values[name]
        if name == "terms":
            found[name] = sorted(value)
        elif name == "lines":
            found[name] = [{n: line.get(n) for n in LINE_FIELDS} for line in value]
        else:
            found[name] = getattr(value, "pk", value)
    return found


def _write(need: Need, values: dict) -> None:
    fields = [name for name in values if name not in ("terms", "lines")]
    for name in fields:
        setattr(need, name, values[name])
    if "public_summary" in values and need.summary_approved_at:  # another text needs another yes
        need.summary_approved_at = need.summary_approved_by = None
    need.version += 1
    need.full_clean(exclude=["reference"])
    need.save()
    if "terms" in values:
        need.term_links.exclude(term__in=values["terms"]).delete()
        have = set(need.term_links.values_list("term_id", flat=True))
        NeedTerm.objects.bulk_create(NeedTerm(need=need, term_id=key) for key in values["terms"] if key not in have)
    if "lines" in values:
        _write_lines(need, values["lines"])


def _write_lines(need: Need, lines: list[dict]) -> None:
    """Keeps the rows that are there, in their places, so that history tells what changed in each."""
    if len(lines) > MOST_LINES:
        raise ValidationError({"lines": _("At most %(n)s lines. Join what belongs together.") % {"n": MOST_LINES}})
    kept = list(need.lines.all())
    by_key = {line.pk: line for line in kept}
    errors, written = [], []
    for place, values in enumerate(lines):
        line = by_key.pop(values.get("id"), None) or LineItem(need=need)
        for name in LINE_FIELDS:
            setattr(line, name, values.get(name) if values.get(name) is not None else _nothing(name))
        line.position = place
        try:
            line.full_clean(exclude=["need"])
        except ValidationError as error:
            errors += [_("Line %(n)s: %(error)s") % {"n": place + 1, "error": text} for text in error.messages]
        written.append(line)
    if errors:
        raise ValidationError({"lines": errors})
    for line in by_key.values():
        line.delete()
    for line in written:
        line.save()


def _nothing(name: str):
    return "" if name in ("text", "unit", "note") else None


@transaction.atomic
def ask_for_endorsement(need: Need, *, by) -> None:
    """A contributor tells the focal point that the draft is ready. Written down at most once a day."""
    locked = Need.objects.select_for_update(of=("self",)).get(pk=need.pk)
    require(by, "projects.change_need", locked)
    if locked.state not in WRITING:
        raise ValidationError(_("It is submitted already."), code="state")
    if locked.events.filter(action="ask_endorsement", at__date=timezone.localdate()).exists():
        raise ValidationError(_("The focal point was told today already."), code="state")
    write_down(locked, "ask_endorsement", by=by)


@transaction.atomic
def discard(need: Need, *, by) -> None:
    """Deletes a draft that was never submitted, with all that belongs to it. What the history kept stays."""
    locked = Need.objects.select_for_update(of=("self",)).get(pk=need.pk)
    require(by, "projects.delete_need", locked)
    files = [(document.file.storage, document.file.name) for document in locked.documents.all()]
    locked.delete()
    for storage, name in files:
        transaction.on_commit(lambda storage=storage, name=name: storage.delete(name))


@transaction.atomic
def correct(record: Need | Offer, *, by, note: str) -> None:
    """Writes down that UNEP corrected a record after its submission, and why. The correction itself is saved by admin."""
    require(by, f"projects.correct_{record._meta.model_name}", record)
    if not note.strip():
        raise ValidationError({"reason": _("Say why, in a note.")})
    type(record).objects.filter(pk=record.pk).update(version=F("version") + 1)
    write_down(record, "correct", by=by, note=note)
