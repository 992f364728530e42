"""Projects as rows of CSV and XLSX, in and out, for admin. One row is one project; its ties are lists in one cell.

countries   KEN:provider:1; MOZ:both           (ISO 3, role, order of the provider in triangular cooperation)
partners    undp:1; fao:4                      (address of the partner, IATI role)
terms       bsp-theme:oceans; sdg:14.2:50      (vocabulary:code, share in per cent)
"""

from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export import fields, resources, widgets

from partners.models import Country, Partner
from projects import quality, recording
from projects.choices import CountryRole, OrganisationRole, ProviderOrder
from projects.models import Project, ProjectCountry, ProjectTerm, Term
from projects.recording import ROWS
from ssc_portal.tables import harmless


def _entries(cell) -> list[str]:
    return [part.strip() for part in str(cell or "").split(";") if part.strip()]


class TiesWidget(widgets.Widget):
    """A list of ties in one cell. Rows for `recording.write_rows` as the value."""

    def __init__(self, parse, show):
        super().__init__()
        self.parse, self.show = parse, show

    def clean(self, value, row=None, **kwargs):
        return [self.parse(entry) for entry in _entries(value)]

    def render(self, value, obj=None, **kwargs):
        return "; ".join(self.show(link) for link in value if link.is_resolved)


def _parse_country(entry: str) -> dict:
    code, role, order = [*(p.strip() for p in entry.split(":")), "", ""][:3]
    country = Country.objects.filter(iso3=code.upper()).first()
    if country is None:
        raise ValidationError(_("countries: there is no country %(code)s.") % {"code": code})
    if (role or "recipient") not in CountryRole.values:
        raise ValidationError(
            _("countries: %(role)s is no role; use %(known)s.") % {"role": role, "known": ", ".join(CountryRole.values)}
        )
    if order and order not in [str(v) for v in ProviderOrder.values]:
        raise ValidationError(_("countries: the order is 1 or 2."))
    return {
        "country": country, "role": role or CountryRole.RECIPIENT, "provider_order": int(order) if order else None
    }  # fmt: skip


def _show_country(link: ProjectCountry) -> str:
    return ":".join(filter(None, [link.country.iso3, link.role, str(link.provider_order or "")]))


def _parse_partner(entry: str) -> dict:
    slug, role = [*(p.strip() for p in entry.split(":")), ""][:2]
    partner = Partner.objects.filter(slug=slug).first()
    if partner is None:
        raise ValidationError(_("partners: there is no partner %(slug)s.") % {"slug": slug})
    if (role or "4") not in OrganisationRole.values:
        raise ValidationError(_("partners: %(role)s is no role; use 1 to 4.") % {"role": role})
    return {"partner": partner, "role": role or OrganisationRole.IMPLEMENTING}


def _parse_term(entry: str) -> dict:
    vocabulary, code, share = [*(p.strip() for p in entry.split(":")), "", ""][:3]
    term = Term.objects.filter(vocabulary=vocabulary, code=code).first()
    if term is None:
        raise ValidationError(_("terms: there is no term %(code)s.") % {"code": entry})
    try:
        percentage = Decimal(share) if share else None
    except InvalidOperation as error:
        raise ValidationError(_("terms: %(share)s is no percentage.") % {"share": share}) from error
    return {"term": term, "share": percentage}


def _show_term(link: ProjectTerm) -> str:
    share = f":{link.share.normalize():f}" if link.share is not None else ""
    return f"{link.term.vocabulary}:{link.term.code}{share}"


TIES = {
    "countries": ("country_links", TiesWidget(_parse_country, _show_country)),
    "partners": ("partner_links", TiesWidget(_parse_partner, lambda link: f"{link.partner.slug}:{link.role}")),
    "terms": ("term_links", TiesWidget(_parse_term, _show_term)),
}


# What a cell says of a tie
SAID = {"countries": ("country", "role", "provider_order"), "partners": ("partner", "role"), "terms": ("term", "share")}


def _said(project: Project, column: str) -> list[dict]:
    links = getattr(project, ROWS[column].manager).all()
    return [{name: getattr(link, name) for name in SAID[column]} for link in links if link.is_resolved]


class TiesField(fields.Field):
    """Writes nothing to the record: its links are saved once the record is (`ProjectResource.after_save_instance`)."""

    def save(self, instance, row, is_m2m=False, **kwargs):
        if self.column_name in row:
            pending = instance.__dict__.setdefault("_pending_ties", {})
            pending[self.column_name] = self.clean(row)

    def get_value(self, instance):
        return list(getattr(instance, self.attribute).all()) if instance.pk else []


class ProjectResource(resources.ModelResource):
    """Known rows are found by reference, or by IATI identifier; a row with neither is a new draft. All rows or none."""

    reference = fields.Field(attribute="reference", column_name="reference", readonly=True)
    state = fields.Field(attribute="state", column_name="state", readonly=True)
    countries = TiesField(attribute="country_links", column_name="countries", widget=TIES["countries"][1])
    partners = TiesField(attribute="partner_links", column_name="partners", widget=TIES["partners"][1])
    terms = TiesField(attribute="term_links", column_name="terms", widget=TIES["terms"][1])

    class Meta:
        model = Project
        fields = [
            "reference", "iati_identifier", "title", "language", "summary", "description", "objectives", "lessons", "status", "state",
            "instrument", "modality", "delivery_level", "planned_start", "planned_end", "actual_start", "actual_end", "countries",
            "partners", "terms",
        ]  # fmt: skip
        export_order = fields
        import_id_fields: list[str] = []
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        use_transactions = True
        store_instance = True

    def get_instance(self, instance_loader, row):
        if reference := str(row.get("reference") or "").strip():
            found = Project.objects.filter(reference=reference).first()
            if found is None:
                raise ValidationError(
                    {
                        "reference": _("There is no project %(ref)s. Leave the cell empty for a new one.")
                        % {"ref": reference}
                    }
                )
            return found
        if identifier := str(row.get("iati_identifier") or "").strip():
            return Project.objects.filter(iati_identifier=identifier).first()
        return None

    def before_import_row(self, row, **kwargs):
        unknown = [name for name in row if name and name not in self.fields]
        if unknown:
            raise ValidationError(
                _("There is no column %(name)s; the columns are: %(known)s.")
                % {"name": unknown[0], "known": ", ".join(self.Meta.fields)}
            )
        if "iati_identifier" in row:
            row["iati_identifier"] = str(row["iati_identifier"] or "").strip() or None

    def after_init_instance(self, instance, new, row, **kwargs):
        if new:
            instance.created_by = kwargs.get("user")
            for name, default in (("status", "1"), ("instrument", "project"), ("language", "en")):
                if name in row and not row[name]:
                    row[name] = default

    def skip_row(self, instance, original, row, import_validation_errors=None):
        pending = instance.__dict__.get("_pending_ties", {})
        if instance.pk and any(rows != _said(original, column) for column, rows in pending.items()):
            return False
        return super().skip_row(instance, original, row, import_validation_errors)

    def after_save_instance(self, instance, row, **kwargs):
        recording.write_rows(instance, instance.__dict__.pop("_pending_ties", {}), by=kwargs.get("user"))
        quality.rescore(Project.objects.filter(pk=instance.pk))

    def export_field(self, field, instance, **kwargs):
        """A cell that a spreadsheet would take for a formula gets an apostrophe before it."""
        return harmless(super().export_field(field, instance, **kwargs))
