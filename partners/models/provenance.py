"""Where a record came from, and under which licence it may be used again: the one rule for pages, API and files.

A record that an import wrote is under the licence that was stated for the import that wrote it last; what nobody stated is
not known, and never the portal's own licence. What was entered here is under that.
"""

from dataclasses import dataclass
from datetime import date

from django.db import models
from django.db.models import Case, Q, TextField, Value, When
from django.utils.translation import gettext_lazy as _

from ground.licences import FOR_US, LICENCES, OTHER, OWN, UNKNOWN


@dataclass(frozen=True)
class Provenance:
    """`licence`: a code of LICENCES, the words of the source, or `unknown`. The rest is empty where nobody said it."""

    licence: str
    publisher: str = ""
    url: str = ""
    retrieved_on: date | None = None

    @property
    def is_known(self) -> bool:
        return self.licence != UNKNOWN

    @property
    def licence_name(self) -> str:
        return LICENCES[self.licence].short if self.licence in LICENCES else self.licence

    @property
    def licence_url(self) -> str:
        """Where the words of the licence are; empty where that is not known."""
        if self.licence in LICENCES:
            return LICENCES[self.licence].url
        return self.licence if self.licence.startswith(("https://", "http://")) else ""


ENTERED_HERE, NOT_STATED = Provenance(OWN.code), Provenance(UNKNOWN)


class Traceable(models.Model):
    """Base of records that an import may bring. `marked_imported`: the field, and its value, by which a record says that it was
    imported, also where the import itself is not known any more."""

    import_run = models.ForeignKey(
        "projects.ImportRun", models.PROTECT, verbose_name=_("last import"), null=True, blank=True, editable=False, related_name="+",
        help_text=_("The last that wrote it; its source and licence are those of the record."),
    )  # fmt: skip
    marked_imported: tuple[str, object] | None = None

    class Meta:
        abstract = True

    @property
    def is_imported(self) -> bool:
        """Whether it came from elsewhere."""
        marked = self.marked_imported and getattr(self, self.marked_imported[0]) == self.marked_imported[1]
        return bool(self.import_run_id or marked)

    @property
    def provenance(self) -> Provenance:
        if self.import_run_id:
            return self.import_run.provenance
        return NOT_STATED if self.is_imported else ENTERED_HERE


def unstated(model: type[Traceable], at: str = "") -> Q:
    """Of records of this model, found at a path: imported, but nobody knows by which import."""
    name, value = model.marked_imported or ("pk", None)
    return Q(**{f"{at}import_run": None, f"{at}{name}": value})


def licence_in(model: type[Traceable], at: str = "") -> Case:
    """`Provenance.licence` as an expression of a query. A test compares the two."""
    run = f"{at}import_run"
    return Case(
        When(unstated(model, at), then=Value(UNKNOWN)),
        When(Q(**{run: None}) | Q(**{f"{run}__licence": FOR_US}), then=Value(OWN.code)),
        When(**{f"{run}__licence": OTHER}, then=f"{run}__licence_text"),
        default=f"{run}__licence",
        output_field=TextField(),
    )


def licence_url_in(model: type[Traceable], at: str = "") -> Case:
    """`Provenance.licence_url` as an expression of a query."""
    run = f"{at}import_run"
    is_ours = (Q(**{run: None}) & ~unstated(model, at)) | Q(**{f"{run}__licence": FOR_US})
    return Case(
        When(is_ours, then=Value(OWN.url)),
        *(When(**{f"{run}__licence": one.code}, then=Value(one.url)) for one in LICENCES.values()),
        When(**{f"{run}__licence_text__regex": "^https?://"}, then=f"{run}__licence_text"),
        output_field=TextField(),
    )
