"""Pages of open data: whole data sets, the own vocabulary, and records as files of a standard."""

import datetime as dt

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from whitenoise.responders import StaticFile

from ground.licences import OWN
from ground.tables import FORMATS
from pages.discovery import linked_data
from partners.callers import costly
from projects.choices import Instrument, Modality, NeedKind, Unit
from projects.interchange import iati_export, open_data
from projects.interchange.iati_own import TERMS
from projects.models import Need, Project, Term

KINDS = {f".{name}": f"{one.media_type}; charset=utf-8" for name, one in FORMATS.items()} | {
    ".xlsx": FORMATS["xlsx"].media_type, ".xml": iati_export.CONTENT_TYPE, ".json": "application/json",
}  # fmt: skip


ROLES = {  # of a country, as codes of the vocabulary
    "provider": gettext_lazy("provider"),
    "recipient": gettext_lazy("recipient"),
    "both": gettext_lazy("provider and recipient"),
    "first-provider": gettext_lazy("first provider"),
    "second-provider": gettext_lazy("second provider"),
    "first-both": gettext_lazy("first provider, and recipient"),
    "second-both": gettext_lazy("second provider, and recipient"),
}
TITLES = {  # of the tables, in the order of the page
    "projects": gettext_lazy("Projects"),
    "needs": gettext_lazy("Needs"),
    "offers": gettext_lazy("Offers"),
    "countries": gettext_lazy("Countries"),
    "partners": gettext_lazy("Partners"),
    "tossd": gettext_lazy("What each side brings (TOSSD)"),
    "quantities": gettext_lazy("Cooperation in quantities (SDG 17.3.1)"),
    "regions": gettext_lazy("Regions of UN M49"),
    "groups": gettext_lazy("Groups of countries"),
    "terms": gettext_lazy("Terms of the vocabularies"),
}


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """What there is to take away, in which formats, how to cite it, and how to ask for more."""
    description = open_data.current()
    sets: dict[str, dict] = {}
    for resource in description["resources"] if description else ():
        name, _dot, form = resource["path"].partition(".")
        found = sets.setdefault(name, {"name": name, "title": resource["title"], "files": [], "fields": []})
        found["files"].append({**resource, "shown": form.upper()})
        found["fields"] = resource.get("schema", {}).get("fields", found["fields"])
    tables = [{**sets[name], "title": title} for name, title in TITLES.items() if name in sets]
    iati = {
        kind: [one for name, one in sets.items() if name.startswith(f"iati-{kind}")]
        for kind in ("activities", "organisations", "publisher", "country", "theme")
    }
    return render(
        request,
        "projects/data.html",
        {
            "linked_data": linked_data.data_set(description), "tables": tables, "iati": iati, "description": description, "licence": OWN,
            "other_licences": [one for one in (description or {}).get("licenses", ()) if one.get("name") != OWN.code],
            "made": dt.datetime.fromisoformat(description["created"]) if description else None,
            "year": timezone.localdate().year,
        },
    )  # fmt: skip


@require_safe
def data_file(request: HttpRequest, name: str) -> HttpResponse:
    """One ready-made file, or the rest of it: a broken transfer goes on where it broke (Range, RFC 9110)."""
    path = open_data.file_of(name)
    if path is None:
        raise Http404(_("There is no such file. The list of files is at /data/."))
    packed = {"gzip": f"{path}.gz"} if path.suffix not in (".xlsx", ".json") else None
    headers = [
        ("Content-Disposition", f'attachment; filename="{name}"'),
        ("Cache-Control", "public, max-age=0, must-revalidate"),
    ]
    file = StaticFile(str(path), headers, packed)
    asked = dict(request.META)
    if asked.get("HTTP_IF_RANGE", file.etag) != file.etag:
        asked.pop("HTTP_RANGE", None)  # the rest of another night's file is of no use
    answer = file.get_response(request.method, asked)
    request.META["HTTP_ACCEPT_ENCODING"] = ""  # packed already where that is wanted; packing parts would spoil them
    response = FileResponse(answer.file or (), status=answer.status)
    for key, value in answer.headers:
        response[key] = value
    kind = KINDS.get(path.suffix, "application/octet-stream")
    response["Content-Type"] = kind
    response["Accept-Ranges"] = "bytes"
    response["Access-Control-Allow-Origin"] = "*"
    return response


@require_safe
def data_catalogue(request: HttpRequest) -> HttpResponse:
    """The data sets as DCAT, for harvesters of open-data portals."""
    description = open_data.current()
    if description is None:
        raise Http404(_("The data sets are written each night; the first night has not come yet."))
    found = open_data.catalogue(description, settings.PORTAL_URL + reverse("data"))
    return JsonResponse(found, content_type="application/ld+json", headers={"Access-Control-Allow-Origin": "*"})


@require_safe
def vocabulary(request: HttpRequest) -> HttpResponse:
    """The codes that the portal adds to IATI (tag vocabulary 99), each with its own anchor."""
    terms = Term.objects.filter(vocabulary__in=TERMS)
    groups = [(v.label, [(f"{v.value}:{t.code}", t) for t in terms if t.vocabulary == v]) for v in TERMS]
    choices = [
        (_("How it is carried out"), "modality", [c for c in Modality.choices if c[0]]),
        (_("Instrument"), "instrument", [c for c in Instrument.choices if c[0]]),
        (_("Kind of need"), "need", NeedKind.choices),
        (_("Role of a country"), "role", ROLES.items()),
        (_("Unit of a quantity"), "unit", Unit.choices),
    ]
    return render(request, "projects/vocabulary.html", {"groups": groups, "choices": choices})


def _as_iati(record) -> HttpResponse:
    try:
        content = iati_export.one(record)
    except iati_export.NothingToWrite as missing:
        text = _("This record can't be given as IATI 2.03 yet. What it lacks: %(what)s") % {"what": missing}
        return HttpResponse(text, status=404, content_type="text/plain; charset=utf-8")
    return HttpResponse(
        content,
        content_type=iati_export.CONTENT_TYPE,
        headers={"Content-Disposition": f'inline; filename="{record.reference}.xml"'},
    )


@costly("file")
@require_safe
def project_iati(request: HttpRequest, reference: str) -> HttpResponse:
    return _as_iati(get_object_or_404(Project.objects.visible_to(request.user).for_iati(), reference=reference))


@costly("file")
@require_safe
def need_iati(request: HttpRequest, reference: str) -> HttpResponse:
    """Once its plan is agreed a need is an activity in the pipeline."""
    return _as_iati(get_object_or_404(Need.objects.visible_to(request.user).for_iati(), reference=reference))
