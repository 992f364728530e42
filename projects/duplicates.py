"""Records that may be of one and the same project: finding them, and making one of two.

A merge loses nothing: the record that goes keeps its row, reference and history; its address leads to the one that stays.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rapidfuzz import fuzz

from partners.rules import require
from projects import quality, recording
from projects.choices import PairState, State
from projects.lifecycle import transition, write_down
from projects.models import (
    DuplicatePair,
    Need,
    Offer,
    Project,
    ProjectCountry,
    ProjectPartner,
    RelatedProject,
    Response,
)
from projects.search import plain

LIKE = 86  # how alike titles have to be, of 100 (rapidfuzz token_sort_ratio)
ALIKE = 80  # how alike two words have to be (rapidfuzz partial_ratio)
ENOUGH = 75  # points of 100
MOST_IN_BLOCK = 400  # records compared each with each; of more, only neighbours by title
NEIGHBOURS = 20
NUMBERS = re.compile(r"\b(?:\d+|i{1,3}|iv|v|vi{0,3}|ix|x)\b")  # phase 2, part III


# --- finding -----------------------------------------------------------------------------------------------------------
@dataclass
class Known:
    """What is compared of a record."""

    key: int
    title: str
    numbers: frozenset[str]
    start: object
    parent: int | None
    countries: set[str] = field(default_factory=set)
    partners: set[str] = field(default_factory=set)


def _known() -> dict[int, Known]:
    found = {}
    rows = Project.objects.exclude(state=State.MERGED).values_list("pk", "title", "actual_start", "planned_start", "parent")  # fmt: skip
    for key, title, actual, planned, parent in rows.iterator():
        text = plain(title)
        found[key] = Known(key, text, frozenset(NUMBERS.findall(text)), actual or planned, parent)
    ties = ((ProjectCountry, "country__iso3", "countries"), (ProjectPartner, "partner__slug", "partners"))
    for model, code, name in ties:
        for key, value in model.objects.filter(**{f"{code}__isnull": False}).values_list("project", code).iterator():
            if key in found:
                getattr(found[key], name).add(value)
    return found


def likeness(one: Known, other: Known) -> tuple[int, dict]:
    """Points of 100 and what the two share; 0 where their titles are too different, or count different phases."""
    if one.numbers != other.numbers or one.key in (other.parent,) or other.key in (one.parent,):
        return 0, {}
    titles = fuzz.token_sort_ratio(one.title, other.title, score_cutoff=LIKE)
    if not titles or (_own_words(one, other) and _own_words(other, one)):  # the same programme in two places
        return 0, {}
    same_start = one.start is not None and one.start == other.start
    points = 0.6 * titles + 20 * _shared(one.countries, other.countries) + 10 * _shared(one.partners, other.partners)
    reasons = {
        "title": round(titles),
        "countries": sorted(one.countries & other.countries),
        "partners": sorted(one.partners & other.partners),
        "start": same_start,
    }
    return round(points + 10 * same_start), reasons


def _own_words(one: Known, other: Known) -> list[str]:
    """Words of a title that nothing in the other resembles."""
    words = [word for word in other.title.split() if len(word) > 3]
    return [
        word for word in one.title.split()
        if len(word) > 3 and not any(fuzz.partial_ratio(word, like) >= ALIKE for like in words)
    ]  # fmt: skip


def _shared(one: set, other: set) -> float:
    """How much of all they name both name; two that name nothing share it."""
    return len(one & other) / len(one | other) if one | other else 1.0


def find() -> dict[tuple[int, int], tuple[int, dict]]:
    """All pairs that are alike enough: {(lower key, higher key): (points, what they share)}.

    Compared are records of the same country and year of start, and those whose titles begin alike.
    """
    blocks: dict[tuple, list[Known]] = defaultdict(list)
    for one in _known().values():
        year = one.start.year if one.start else None
        for country in one.countries or {""}:
            blocks[country, year].append(one)
        blocks["title", " ".join(sorted(one.title.split())[:4])].append(one)
    found = {}
    for block in blocks.values():
        for one, other in _pairs(block):
            key = (min(one.key, other.key), max(one.key, other.key))
            if key not in found:
                points, reasons = likeness(one, other)
                if points >= ENOUGH:
                    found[key] = (points, reasons)
    return found


def _pairs(block: list[Known]):
    if len(block) <= MOST_IN_BLOCK:
        yield from combinations(block, 2)
        return
    ordered = sorted(block, key=lambda one: one.title)
    for place, one in enumerate(ordered):
        for other in ordered[place + 1 : place + 1 + NEIGHBOURS]:
            yield one, other


@transaction.atomic
def refresh() -> int:
    """Renews the queue: pairs that are alike now, without those that were decided. Returns how many wait."""
    found = find()
    decided = set(DuplicatePair.objects.exclude(state=PairState.OPEN).values_list("first", "second"))
    there = {(pair.first_id, pair.second_id): pair for pair in DuplicatePair.objects.open()}
    for key, pair in there.items():
        if key not in found:
            pair.delete()
    for key, (points, reasons) in found.items():
        if key in decided:
            continue
        pair = there.get(key) or DuplicatePair(first_id=key[0], second_id=key[1])
        if pair.pk is None or (pair.score, pair.reasons) != (points, reasons):
            pair.score, pair.reasons = points, reasons
            pair.save()
    return DuplicatePair.objects.open().count()


# --- deciding ----------------------------------------------------------------------------------------------------------
def _open(pair: DuplicatePair) -> DuplicatePair:
    locked = DuplicatePair.objects.select_for_update(of=("self",)).get(pk=pair.pk)
    if locked.state != PairState.OPEN:
        raise ValidationError(_("Somebody has decided this already. Reload the page."), code="state")
    return locked


def _decide(pair: DuplicatePair, state: PairState, by, note: str) -> None:
    pair.state, pair.decided_at, pair.decided_by, pair.note = state, timezone.now(), by, note.strip()
    pair.full_clean()
    pair.save()


@transaction.atomic
def keep_apart(pair: DuplicatePair, *, by, note: str = "") -> None:
    """They are two projects: the pair is not shown again."""
    require(by, "projects.merge_project", pair.first)
    _decide(_open(pair), PairState.DISTINCT, by, note)


@transaction.atomic
def merge(pair: DuplicatePair, *, keep: Project, by, note: str) -> Project:
    """Makes one record of two: `keep` takes over what only the other has, and all that points to the other.

    What both say stays as `keep` says it. Shares and the order of providers are not taken over: those of two records don't
    add up. Raises PermissionDenied, and ValidationError where the note is missing or somebody was quicker.
    """
    locked = _open(pair)
    if not note.strip():
        raise ValidationError({"note": _("Say why, in a note.")})
    rows = {p.pk: p for p in Project.objects.select_for_update(of=("self",)).filter(pk__in=(pair.first_id, pair.second_id)).order_by("pk")}  # fmt: skip
    stays = rows.pop(keep.pk, None)
    if stays is None or not rows:
        raise ValidationError({"keep": _("Choose which of the two stays.")})
    (goes,) = rows.values()
    require(by, "projects.merge_project", goes)
    require(by, "projects.merge_project", stays)
    transition(goes, "merge", by=by, note=note, merged_into=stays)
    _take_fields(stays, goes)
    _take_rows(stays, goes)
    if stays.import_run_id is None:  # what it takes over is not under the portal's own licence
        stays.import_run = goes.import_run
    _take_pointers(stays, goes)
    stays.full_clean()
    stays.save()
    write_down(stays, "take_in", by=by, note=f"{goes.reference}. {note}")
    _decide(locked, PairState.MERGED, by, note)
    DuplicatePair.objects.open().filter(first=goes).delete()
    DuplicatePair.objects.open().filter(second=goes).delete()
    quality.rescore(Project.objects.filter(pk=goes.pk))
    recording.after_change(stays)
    return stays


def _take_fields(stays: Project, goes: Project) -> None:
    """What `stays` does not say, as the other says it; the IATI identifier too, so that imports find the one that stays."""
    given = {name: getattr(goes, name) for name in recording.FIELDS if name != "is_illustrative"}
    if given["iati_identifier"] and not stays.iati_identifier:
        Project.objects.filter(pk=goes.pk).update(iati_identifier=None)
    if given["parent"] == stays:
        given["parent"] = None
    for name, value in given.items():
        if not getattr(stays, name) and value:
            setattr(stays, name, value)


def _take_rows(stays: Project, goes: Project) -> None:
    """Rows of the other that `stays` does not have."""
    for kind in recording.ROWS.values():
        have = {recording.key_of(row, kind) for row in getattr(stays, kind.manager).all()}
        for row in getattr(goes, kind.manager).all():
            is_of_itself = getattr(row, "other_id", None) == stays.pk or getattr(row, "language", "") == stays.language
            is_there = recording.key_of(row, kind) in have and (not kind.resolves or getattr(row, kind.resolves))
            if is_there or (is_of_itself and kind.manager in ("related_links", "translations")):
                continue
            row.project = stays
            for name in ("share", "provider_order"):
                if hasattr(row, name):
                    setattr(row, name, None)
            row.save()


def _take_pointers(stays: Project, goes: Project) -> None:
    """Needs, responses, offers, stories, parts, related projects and words on the record follow."""
    for model in (Need, Response, Offer):
        model.objects.filter(project=goes).update(project=stays)
    goes.stories.update(project=stays)
    Project.objects.filter(parent=goes).exclude(pk=stays.pk).update(parent=stays)
    if stays.parent_id == goes.pk:
        stays.parent = goes.parent if goes.parent_id != stays.pk else None
    Project.objects.filter(merged_into=goes).update(merged_into=stays)  # those merged before lead on, too
    RelatedProject.objects.filter(other=goes, project=stays).delete()
    RelatedProject.objects.filter(other=goes).update(other=stays)
    said = {(check.country_id, check.partner_id) for check in stays.checks.all()}
    for check in goes.checks.all():
        if (check.country_id, check.partner_id) not in said:
            check.project = stays
            check.save()


def successor(reference: str, user) -> Project | None:
    """The record into which this one was merged, at the end of the line, where this person may see it."""
    found, seen = Project.objects.filter(reference=reference, state=State.MERGED).first(), set()
    while found is not None and found.state == State.MERGED and found.pk not in seen:
        seen.add(found.pk)
        found = found.merged_into
    return found if found is not None and user.has_perm("projects.view_project", found) else None
