"""What the writers of IATI share: elements, narratives, the portal as a publisher."""

import re
from datetime import UTC
from decimal import Decimal

from django.conf import settings
from lxml import etree

from partners.choices import PartnerKind
from partners.models import Partner, Traceable, last_change
from partners.models.partner import UNEP_IN_IATI
from projects.choices import DeliveryLevel
from projects.interchange.iati_own import NAMESPACE, OWN_VOCABULARY, mark_assumed, own, vocabulary_uri
from projects.interchange.iati_texts import LANG

SCOPES = {
    DeliveryLevel.GLOBAL: "1", DeliveryLevel.REGIONAL: "2", DeliveryLevel.SUBREGIONAL: "3", DeliveryLevel.NATIONAL: "4",
}  # fmt: skip  # codelist ActivityScope; 3 is multi-national
GENERAL, OBJECTIVES, OTHER = "1", "2", "4"  # codelist DescriptionType
WHOLE, PER_CENT, QUALITATIVE = "1", "2", "5"  # codelist IndicatorMeasure
ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production Char


def text_of(value) -> str:
    """A text without the signs that XML can't hold."""
    return ILLEGAL.sub("", str(value))


def put(parent, tag: str, text=None, **attributes):
    """A child element with those attributes that have a value; `_` in their names stands for `-`."""
    element = etree.SubElement(parent, tag)
    for name, value in attributes.items():
        if value not in (None, ""):
            element.set(name.rstrip("_").replace("_", "-"), text_of(value))
    if text is not None:
        element.text = text_of(text)
    return element


def narrate(element, *texts: str, **by_language: str):
    """Narratives: in the activity's language, and in others by their code."""
    for text in texts:
        put(element, "narrative", text)
    for language, text in by_language.items():
        put(element, "narrative", text).set(LANG, language.replace("_", "-"))
    return element


def named(element, record):
    """A name in each language that it is kept in."""
    names = {code: getattr(record, f"name_{code}") for code in ("en", "fr", "es", "ru", "ar", "zh_hans")}
    return narrate(element, **{("zh" if code == "zh_hans" else code): name for code, name in names.items() if name})


def number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def moment(value) -> str:
    """A moment in UTC, as xsd:dateTime."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Publisher:
    """The portal as a publisher: UNEP, whose identifier begins those of the records that have none of their own."""

    def __init__(self):
        self.partner = Partner.objects.unep()
        self.ref = self.partner.iati_identifier or UNEP_IN_IATI
        self.uri = vocabulary_uri()

    def identifier_of(self, record) -> str:
        """The IATI identifier of a project or need."""
        return getattr(record, "iati_identifier", None) or f"{self.ref}-{record.reference}"


def last_updated(record):
    """When anything of it last changed: what others changed in public, and what only this file tells, as the default currency."""
    return max(last_change(record), record.modified_at)


def start_activity(record, publisher: Publisher):
    root = etree.Element("iati-activity", nsmap={"ssc": NAMESPACE})
    root.set(LANG, getattr(record, "language", "en"))
    root.set("last-updated-datetime", moment(last_updated(record)))
    root.set("linked-data-uri", settings.PORTAL_URL + record.get_absolute_url())
    root.set(own("reference"), record.reference)
    state_provenance(root, record)
    put(root, "iati-identifier", publisher.identifier_of(record))
    return root


def state_provenance(root, record: Traceable) -> None:
    """Where the record came from, and its licence. IATI has no place for either: the Registry knows them of a whole file."""
    said = record.provenance
    facts = {
        "licence": said.licence, "licence-uri": said.licence_url, "source-publisher": said.publisher, "source-uri": said.url,
        "source-retrieved-on": said.retrieved_on,
    }  # fmt: skip
    for name, value in facts.items():
        if value:
            root.set(own(name), text_of(value))


def report_as_portal(root, publisher: Publisher, *, is_secondary: bool) -> None:
    element = put(
        root, "reporting-org", ref=publisher.ref, type=PartnerKind.MULTILATERAL.iati_code,
        secondary_reporter="1" if is_secondary else "0",
    )  # fmt: skip
    mark_assumed(element, "*")  # who reports is not said in the record
    named(element, publisher.partner)


def refer_to(root, record, publisher: Publisher) -> None:
    """The portal's own reference, beside an identifier of the publisher's."""
    other = put(root, "other-identifier", ref=record.reference, type="A9")
    named(put(other, "owner-org", ref=publisher.ref), publisher.partner)


def indicator_in(result, title: str, unit: str | None, measure: str, publisher):
    """An indicator whose unit is a code of the own vocabulary."""
    indicator = put(result, "indicator", measure=measure)
    narrate(put(indicator, "title"), title)
    if unit:
        put(indicator, "reference", vocabulary=OWN_VOCABULARY, code=f"unit:{unit}", indicator_uri=publisher.uri)
    return indicator


def own_tag(root, publisher: Publisher, code: str, name):
    """A tag of the portal's own vocabulary."""
    tag = put(root, "tag", vocabulary=OWN_VOCABULARY, vocabulary_uri=publisher.uri, code=code)
    return narrate(tag, en=str(name))
