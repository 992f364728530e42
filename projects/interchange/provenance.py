"""The licences and sources that occur among records, as descriptions of whole files tell them.

Sources: Frictionless Data Package 1.0 (licenses, sources), W3C DCAT 3 and Dublin Core (license, rights).
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from ground.licences import LICENCES, OWN
from partners.models import Provenance, Traceable
from partners.models.provenance import ENTERED_HERE, NOT_STATED, unstated
from projects.models import ImportRun

# Open Definition's name of what has none stated, as catalogues of open data use it.
NOT_SPECIFIED = "notspecified"


def occurring(records, model: type[Traceable] | None = None, at: str = "") -> set[Provenance]:
    """Where these records came from; `at`: the path to the record of `model` that a row belongs to."""
    model = model or records.model
    if not issubclass(model, Traceable):
        return {ENTERED_HERE}
    bare = records.select_related(None).prefetch_related(None).order_by()
    runs = ImportRun.objects.filter(pk__in=bare.values(f"{at}import_run"))
    without = bare.filter(**{f"{at}import_run": None})
    found = {run.provenance for run in runs}
    found |= {NOT_STATED} if without.filter(unstated(model, at)).exists() else set()
    return found | ({ENTERED_HERE} if without.exclude(unstated(model, at)).exists() else set())


def licences_of(found: Iterable[Provenance]) -> list[dict]:
    """The licences as a Data Package lists them, the portal's own first; its own alone for a file without records."""
    codes = {one.licence: one for one in found} or {OWN.code: ENTERED_HERE}
    return [_licence(codes[code]) for code in sorted(codes, key=lambda code: (code != OWN.code, code))]


def _licence(one: Provenance) -> dict:
    if not one.is_known:
        return {"name": NOT_SPECIFIED, "title": "Not known: the source states none, or nobody noted it"}
    title = LICENCES[one.licence].title if one.licence in LICENCES else one.licence
    return {"name": one.licence, "title": title} | ({"path": one.licence_url} if one.licence_url else {})


def sources_of(found: Iterable[Provenance]) -> list[dict]:
    """The sources that were named, as a Data Package lists them."""
    named = {(one.publisher or one.url, one.url) for one in found if one.publisher or one.url}
    return [{"title": title} | ({"path": url} if url else {}) for title, url in sorted(named)]


def is_mixed(licences: list[dict]) -> bool:
    """Whether no single licence with known words holds for all."""
    return len(licences) != 1 or "path" not in licences[0]


def statement_of(licences: list[dict]) -> str:
    """What holds for records under several licences, in a sentence."""
    others = ", ".join(one["title"] for one in licences if one["name"] != OWN.code)
    return _(
        "Records entered in the portal: %(own)s. Records from other sources: the licence of their source, named in each record. "
        "Licences of other sources that occur: %(others)s."
    ) % {"own": OWN.title, "others": others}
