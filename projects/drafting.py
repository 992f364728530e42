"""Writing a need or an offer: beginning a draft and saving parts of it, by page, spreadsheet or API. One way in, so one
set of rules.

Two people may write at once. Each save says what its writer saw (`fingerprint`); where the stored text is another one
by now and the two differ, `Conflict` carries both and nothing is overwritten.
"""

import hashlib
import json
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ground.field_errors import by_field
from ground.signs import with_plain_line_ends
from ground.storage import remove_with_its_row
from ground.texts import as_kept
from partners.rules import require
from projects.choices import CostTerms, Vocabulary
from projects.lifecycle import need as life_of_need
from projects.lifecycle import offer as life_of_offer
from projects.lifecycle import tell_outside, write_down
from projects.lifecycle.need import WRITING
from projects.models import Eligible, LineItem, Need, NeedTerm, Offer, OfferLine, OfferTerm, Project, Response

MOST_LINES = 30


@dataclass(frozen=True)
class Kind:
    """How a kind of record is written: its lines with their fields, its terms, and what may be written in which state."""

    line: type
    line_fields: tuple[str, ...]
    term: type
    writable: dict[str, frozenset[str]]
    refusal: str


KINDS = {
    Need: Kind(
        LineItem, ("text", "assistance_id", "quantity", "unit", "by_when", "note"), NeedTerm, life_of_need.WRITABLE,
        gettext_lazy("Contributors and focal points write the needs of their country."),
    ),
    Offer: Kind(
        OfferLine, ("text", "assistance_id", "cost", "quantity", "unit", "note"), OfferTerm, life_of_offer.WRITABLE,
        gettext_lazy("Members and leads of a partner, contributors and focal points of a country write its offers."),
    ),
}  # fmt: skip
PLACES = ("country", "group", "region")  # what an offer can be for, as `country:12`


class Conflict(ValidationError):
    """Somebody else saved the same part meanwhile. `stored` is what stands there now, `seen` the mark to save over it."""

    def __init__(self, stored: dict, seen: str, version: int):
        super().__init__(
            _("Somebody else changed this part meanwhile. Compare the two versions, then save again."), code="conflict"
        )
        self.stored, self.seen, self.version = stored, seen, version


def require_begin(record: Need | Offer, *, by) -> None:
    """Refuses whoever may not begin a draft in the name of this country or partner."""
    if not by.has_perm(f"projects.add_{record._meta.model_name}", record):
        raise PermissionDenied(KINDS[type(record)].refusal)


def begin(record: Need | Offer, *, by, key: str = "", content: str = "") -> tuple[Need | Offer, bool]:
    """Stores a new draft; the second time the same `key` comes from the same person, gives the one that is there.

    Returns the record and whether it is new. Raises PermissionDenied and ValidationError, with the code `key` for a key that
    came with other `content` before.
    """
    require_begin(record, by=by)
    record.created_by = by
    if key:
        name_submission(record, key, content, by=by)
        if found := sent_before(record):
            return found, False
    record.full_clean(exclude=["reference", "submission_key"])  # the key is settled by whoever stores it first
    try:
        with transaction.atomic():
            record.save()
            write_down(record, "begin", by=by)
    except IntegrityError:  # the same key at the same moment
        if key and (found := sent_before(record)):
            return found, False
        raise
    return record, True


def name_submission(record: Need | Offer | Response, key: str, content: str, *, by) -> None:
    """By which key somebody sent it, and a mark of what was sent; empty where a page did."""
    record.submission_key, record.submission_mark = f"{by.pk}:{key}"[:100], content


def sent_before(record: Need | Offer | Response) -> Need | Offer | Response | None:
    """The record that its key made before. Raises ValidationError where other content was sent then, which would be dropped
    without a word; what a page sent, or what came before marks were kept, has no mark."""
    found = type(record).objects.filter(submission_key=record.submission_key).first()
    if found and len({record.submission_mark, found.submission_mark} - {""}) > 1:
        raise ValidationError(_("This key was sent with other content before. Make a new one for each."), code="key")
    return found


NOT_COPIED = frozenset(
    {"kind", "title", "endorsed_by_name", "endorsed_on", "available_from", "available_until", "deadline"}
)


def copied(source: Need | Offer) -> dict:
    """What another draft takes over from a record, as `save` takes it: all but its dates and its endorsement."""
    kind = KINDS[type(source)]
    found = {}
    for name in kind.writable["draft"] - NOT_COPIED:
        if name == "terms":
            found[name] = list(source.term_links.values_list("term_id", flat=True))
        elif name == "lines":
            names = [field for field in kind.line_fields if field != "by_when"]
            found[name] = [{field: getattr(line, field) for field in names} for line in source.lines.all()]
        elif name == "eligible":
            found[name] = stored(source, ["eligible"])["eligible"]
        else:
            found[name] = getattr(source, name)
    return found


def experience_of(project: Project) -> dict:
    """What the offer of an experience takes over from the project that it comes from."""
    shared = (Vocabulary.BSP_THEME, Vocabulary.BSP_ISSUE, Vocabulary.SDG, Vocabulary.CAPACITY)
    terms = project.term_links.filter(term__vocabulary__in=shared).values_list("term_id", flat=True)
    return {"project": project, "language": project.language, "summary": project.summary, "terms": list(terms)}


@transaction.atomic
def begin_with(record: Need | Offer, values: dict, *, by, key: str = "") -> Need | Offer:
    """Begins a draft and writes what it takes over from elsewhere."""
    record, new = begin(record, by=by, key=key)
    if new and values:
        save(record, values, by=by)
    return record


def stored(record: Need | Offer, names) -> dict:
    """What is stored under these names, in a form that can be compared."""
    found = {}
    for name in sorted(names):
        if name == "terms":
            found[name] = sorted(record.term_links.values_list("term_id", flat=True))
        elif name == "lines":
            fields = KINDS[type(record)].line_fields
            found[name] = [{n: getattr(line, n) for n in fields} for line in record.lines.all()]
        elif name == "eligible":
            found[name] = sorted(
                f"{place}:{pk}" for row in record.eligible.values(*PLACES) for place, pk in row.items() if pk
            )
        else:
            field = record._meta.get_field(name)
            found[name] = with_plain_line_ends(getattr(record, field.attname))
    return found


def mark(values: dict) -> str:
    """A short mark of values: equal for equal ones."""
    text = json.dumps(values, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def fingerprint(record: Need | Offer, names) -> str:
    """What a writer sees of these fields, as a short mark to send back with a save."""
    return mark(stored(record, names))


def writable(record: Need | Offer) -> frozenset[str]:
    """Names of the fields that may be written in the present state."""
    return KINDS[type(record)].writable.get(record.state, frozenset())


@transaction.atomic
def save(record: Need | Offer, values: dict, *, by, seen: str | None = None, version: int | None = None) -> bool:
    """Saves some fields of a draft: {name: value}; `terms` are keys of terms, `lines` dictionaries of the line's fields,
    `eligible` places such as `country:12`.

    `seen` is the fingerprint of the same fields as the writer saw them, `version` the version of the whole record. Returns
    whether anything changed. Raises PermissionDenied, Conflict, and ValidationError with the fields at fault.
    """
    locked = type(record).objects.select_for_update(of=("self",)).get(pk=record.pk)
    require(by, f"projects.change_{record._meta.model_name}", locked)
    if set(values) - writable(locked):
        raise ValidationError(
            _("It is “%(state)s” by now, so this can't be changed any more. Reload the page."),
            code="state", params={"state": locked.get_state_display()},
        )  # fmt: skip
    values = as_kept(type(record), {name: with_plain_line_ends(value) for name, value in values.items()})
    if "lines" in values:
        values["lines"] = [as_kept(KINDS[type(record)].line, line) for line in values["lines"]]
        prefetch_related_objects([locked], "lines")  # read once, for all that follows
    before = stored(locked, values)
    after = comparable(locked, values)
    is_stale = (seen is not None and seen != mark(before)) or (version is not None and version != locked.version)
    if after != before and is_stale:
        raise Conflict(before, mark(before), locked.version)
    if "lines" in values:
        only_known("lines", values["lines"], [line.pk for line in locked.lines.all()])
    if after == before:
        record.version = locked.version
        return False
    _write(locked, values)
    record.refresh_from_db()
    return True


def comparable(record: Need | Offer, values: dict) -> dict:
    """Values to be saved, in the form of `stored`."""
    found = {}
    for name in sorted(values):
        value = values[name]
        if name in ("terms", "eligible"):
            found[name] = sorted(value)
        elif name == "lines":
            found[name] = [{n: line.get(n) for n in KINDS[type(record)].line_fields} for line in value]
        else:
            found[name] = getattr(value, "pk", value)
    return found


def take_back_approval(need: Need, before: str) -> None:
    """Another public summary needs another yes of the country, until the need is open. `before`: the text so far."""
    if not need.is_published and need.public_summary.split() != before.split():
        need.summary_approved_at = need.summary_approved_by = None


def _write(record: Need | Offer, values: dict) -> None:
    summary = getattr(record, "public_summary", "")
    for name in set(values) - {"terms", "lines", "eligible"}:
        setattr(record, name, values[name])
    if "public_summary" in values:
        take_back_approval(record, summary)
    record.version += 1
    record.full_clean(exclude=["reference"])
    record.save()
    if "terms" in values:
        record.term_links.exclude(term__in=values["terms"]).delete()
        have, link = set(record.term_links.values_list("term_id", flat=True)), KINDS[type(record)].term
        owner = {record._meta.model_name: record}
        link.objects.bulk_create(link(**owner, term_id=key) for key in values["terms"] if key not in have)
    if "eligible" in values:
        _write_eligible(record, set(values["eligible"]))
    if "lines" in values:
        _write_lines(record, values["lines"])


def _write_eligible(offer: Offer, wanted: set[str]) -> None:
    for row in offer.eligible.all():
        here = next(f"{place}:{pk}" for place in PLACES if (pk := getattr(row, f"{place}_id")))
        if here in wanted:
            wanted.discard(here)
        else:
            row.delete()
    for place in sorted(wanted):
        name, _colon, key = place.partition(":")
        Eligible.objects.create(offer=offer, **{f"{name}_id": int(key)})


def _write_lines(record: Need | Offer, lines: list[dict]) -> None:
    """Keeps the rows that are there, in their places, so that history tells what changed in each."""
    if len(lines) > MOST_LINES:
        raise ValidationError({"lines": _("At most %(n)s lines. Join what belongs together.") % {"n": MOST_LINES}})
    kind, owner = KINDS[type(record)], record._meta.model_name
    by_key = {line.pk: line for line in record.lines.all()}
    errors, written = [], []
    for place, values in enumerate(lines):
        line = by_key.pop(values.get("id"), None) or kind.line(**{owner: record})
        for name in kind.line_fields:
            setattr(line, name, values.get(name) if values.get(name) is not None else _nothing(name))
        line.position = place
        try:
            line.full_clean(exclude=[owner])
        except ValidationError as error:
            said = [{"n": place + 1, **each} for each in by_field(error)]
            errors += [ValidationError(_("Line %(n)s: %(error)s"), params=each) for each in said]
        written.append(line)
    if errors:
        raise ValidationError({"lines": errors})
    for line in by_key.values():
        line.delete()
    for line in written:
        line.save()


def only_known(name: str, rows: list[dict], there) -> None:
    """Refuses rows with an `id` that no stored one of this record has, or that a row before has: what they meant to change
    would go, and stand there anew. Raises ValidationError with each, such as `lines.0.id`."""
    left, wrong = set(there), {}
    for place, key in enumerate(row.get("id") for row in rows):
        if key is None:
            continue
        if key not in left:
            text = _("Nothing here has the id %(id)s, or a row before has it. Leave it out for a new row.")
            wrong[f"{name}.{place}.id"] = [text % {"id": key}]
        left.discard(key)
    if wrong:
        raise ValidationError(wrong)


def _nothing(name: str):
    return CostTerms.FREE if name == "cost" else "" if name in ("text", "unit", "note") else None


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
def discard(record: Need | Offer, *, by) -> None:
    """Deletes a draft that was never submitted, with all that belongs to it. What the history kept stays."""
    locked = type(record).objects.select_for_update(of=("self",)).get(pk=record.pk)
    require(by, f"projects.delete_{record._meta.model_name}", locked)
    documents = locked.documents.all() if isinstance(locked, Need) else []
    for document in documents:
        remove_with_its_row(document.file)
    locked.delete()


@transaction.atomic
def correct(record: Need | Offer, *, by, note: str) -> None:
    """Writes down that UNEP corrected a record after its submission, and why. The correction itself is saved by admin."""
    require(by, f"projects.correct_{record._meta.model_name}", record)
    if not note.strip():
        raise ValidationError({"reason": _("Say why, in a note.")})
    type(record).objects.filter(pk=record.pk).update(version=F("version") + 1)
    write_down(record, "correct", by=by, note=note)
    if record.is_published:
        tell_outside()
