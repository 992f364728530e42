"""One record followed from admin into every standard, cell by cell."""

import pytest
from django.urls import reverse
from lxml import etree

from partners.models import Country, Partner
from projects.interchange.statistics import QUANTITIES, TOSSD
from projects.models import Contribution, Project, Term
from tests.projects.test_admin import form, row
from tests.projects.test_open_data import body, rows_of

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


@pytest.fixture
def entered(people, sign_in):
    """A project as the desk enters it in admin, published by the publisher."""
    desk = sign_in(people["desk"])
    brazil, kenya = Country.objects.get(iso3="BRA"), Country.objects.get(iso3="KEN")
    data = form(title="Wells that stay full", summary="Two towns.", modality="triangular", default_currency="USD",
                planned_start="2024-03-01", planned_end="2026-02-28")  # fmt: skip
    data |= row("country_links", 0, country=brazil.pk, role="provider", provider_order="1")
    data |= row("country_links", 1, country=kenya.pk, role="recipient", share="100")
    data |= row("partner_links", 0, partner=Partner.objects.get(slug="undp").pk, role="4")
    for place, code in enumerate(("bsp-theme:freshwater", "sdg:6.1", "crs:14015")):
        vocabulary, code = code.split(":")
        data |= row("term_links", place, term=Term.objects.get(vocabulary=vocabulary, code=code).pk)
    data |= row("contributions", 0, country=brazil.pk, kind="D011", text="engineers", quantity="40", unit="expert-days", delivered="10",
                amount="12000.50", spent="3000", currency="USD")  # fmt: skip
    data |= row(
        "contributions",
        1,
        country=brazil.pk,
        kind="D021",
        text="course",
        quantity="30",
        unit="people",
        women="18",
        men="12",
    )
    data |= row("results", 0, kind="1", title="People trained", unit="people", target="30", actual="20", women="12", men="8",
                actual_on="2025-06-30")  # fmt: skip
    data |= row("transactions", 0, kind="3", made_on="2025-01-15", amount="2500.00", currency="USD", text="first part")
    answer = desk.post(reverse("admin:projects_project_add"), data)
    assert answer.status_code == 302, answer.context["errors"]
    project = Project.objects.get()
    from projects import lifecycle

    lifecycle.transition(project, "publish", by=people["publisher"])
    return Project.objects.get()


def test_one_record_in_iati_cell_by_cell(entered, client):
    root = etree.fromstring(body(client.get(f"/projects/{entered.reference}/iati.xml")))
    (activity,) = root

    def said(path, **names):
        return [str(getattr(v, "text", v)) for v in activity.xpath(path, **names)]

    assert said("iati-identifier") == [f"XM-DAC-41116-{entered.reference}"]
    assert said("reporting-org/@ref") + said("reporting-org/@secondary-reporter") == ["XM-DAC-41116", "1"]
    assert said("title/narrative") == ["Wells that stay full"]
    assert said("description/narrative") == ["Two towns."]
    assert said("participating-org[@ref='XM-DAC-41114']/@role") == ["4"]
    assert said("participating-org[@type='10']/narrative[@xml:lang='en']") == ["Brazil"]
    assert said("activity-status/@code") == ["2"]
    assert said("activity-date/@type") + said("activity-date/@iso-date") == ["1", "3", "2024-03-01", "2026-02-28"]
    assert said("recipient-country/@code") == ["KE"]
    assert said("sector[@vocabulary='1']/@code") == ["14015"]
    assert said("tag[@vocabulary='3']/@code") == ["6.1"]
    assert said("tag[@vocabulary='99']/@code") == [
        "bsp-theme:freshwater", "instrument:project", "modality:triangular", "role:first-provider:BRA", "role:recipient:KEN",
    ]  # fmt: skip
    assert said("collaboration-type/@code") == ["8"]
    assert said("transaction/value") + said("transaction/transaction-type/@code") == ["2500", "3"]
    assert said("result/title/narrative") == ["People trained", "Brazil: engineers", "Brazil: course"]
    assert said("result/indicator/reference/@code") == ["unit:people", "unit:expert-days", "unit:people"]
    assert said("result[1]//target/@value") == ["30"]
    assert said("result[1]//actual/@value") == ["20", "12", "8"]
    assert said("result[1]//actual/dimension/@value") == ["female", "male"]
    assert said("result[1]//period-end/@iso-date") == ["2026-02-28", "2025-06-30"]
    assert said("result[2]//target/@value") + said("result[2]//actual/@value") == ["40", "10"]
    assert said("result[3]//target/@value") == ["30", "18", "12"]


def test_one_record_in_tossd_cell_by_cell(entered, client):
    first, second = rows_of(client.get("/api/v1/tossd/?format=csv"))
    keys = list(Contribution.objects.order_by("pk").values_list("pk", flat=True))
    shared = {
        "reporting_year": "2024", "provider_code": "BRA", "provider_name": "Brazil", "provider_agency": "", "recipient_codes": "KEN",
        "project_title": "Wells that stay full", "external_link": f"http://127.0.0.1:8000/projects/{entered.reference}/",
        "sdg_focus": "6.1", "sector_codes": "14015", "channel": "United Nations Development Programme",
        "financial_instrument": "2100", "framework_of_collaboration": "FC02", "assumed": "financial_instrument; reporting_year", "is_illustrative": "false",
        "licence": "CC-BY-4.0", "licence_url": "https://creativecommons.org/licenses/by/4.0/", "source_publisher": "", "source_url": "",
        "source_retrieved_on": "",
    }  # fmt: skip
    assert first == shared | {
        "provider_project_number": f"{entered.reference}/{keys[0]}", "project_description": "Two towns. – engineers", "modality": "D011",
        "currency": "USD", "amount_committed": "12000.5", "amount_disbursed": "3000", "quantity": "40", "quantity_delivered": "10",
        "unit": "expert-days", "women": "", "men": "", "not_reported": "",
    }  # fmt: skip
    assert second == shared | {
        "provider_project_number": f"{entered.reference}/{keys[1]}", "project_description": "Two towns. – course", "modality": "D021",
        "currency": "", "amount_committed": "", "amount_disbursed": "", "quantity": "30", "quantity_delivered": "", "unit": "people",
        "women": "18", "men": "12", "not_reported": "amount_committed; amount_disbursed; quantity_delivered",
    }  # fmt: skip
    assert [list(first)] == [[column.name for column in TOSSD.columns]]


def test_one_record_in_quantities_cell_by_cell(entered, client):
    rows = rows_of(client.get("/api/v1/quantities/?format=csv"))
    brought = {"year": "2024", "provider_code": "BRA", "provider_name": "Brazil", "recipient_codes": "KEN", "basis": "contribution",
               "entries": "1", "licences": "CC-BY-4.0", "is_illustrative": "false"}  # fmt: skip
    nothing = dict.fromkeys([column.name for column in QUANTITIES], "")
    assert sorted(rows, key=str) == sorted([
        nothing | brought | {"category": "B", "unit": "expert-days", "quantity": "40", "delivered": "10", "currency": "USD",
                             "amount": "12000.5", "spent": "3000", "entries_without_delivered": "0", "entries_without_women": "1", "entries_without_men": "1"},
        nothing | brought | {"category": "C", "unit": "people", "quantity": "30", "women": "18", "men": "12",
                             "entries_without_delivered": "1", "entries_without_women": "0", "entries_without_men": "0"},
        # Money that moved: the record does not say who paid it.
        nothing | brought | {"year": "2025", "provider_code": "", "provider_name": "", "category": "A", "basis": "transaction",
                             "currency": "USD", "spent": "2500", "entries_without_delivered": "0"},
    ], key=str)  # fmt: skip
