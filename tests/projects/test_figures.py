"""What nobody reported is never shown as zero: pages, API and tables say “not reported”, or nothing."""

import re

import pytest
from django.utils.html import strip_tags

from pages.templatetags.cloth import women_and_men
from projects.choices import NeedState
from tests.factories import ContributionFactory, NeedFactory, ProjectFactory, ResultFactory

pytestmark = [pytest.mark.sql, pytest.mark.django_db]


def words_of(client, record) -> str:
    return " ".join(strip_tags(client.get(record.get_absolute_url()).content.decode()).split())


@pytest.mark.parametrize(
    ("women", "men", "said"),
    [
        (120, None, "120 women, men not counted"), (None, 80, "80 men, women not counted"), (120, 80, "120 women, 80 men"),
        (120, 0, "120 women, 0 men"), (0, 0, "0 women, 0 men"), (None, None, ""),
    ],
)  # fmt: skip
def test_people_who_were_not_counted_are_not_zero(client, women, men, said):
    need = NeedFactory(in_state=NeedState.OPEN, women=women, men=men)
    project = ProjectFactory(published=True)
    ContributionFactory(project=project, women=women, men=men, quantity=500, unit="people")
    ResultFactory(project=project, women=women, men=men, target=900, actual=500)
    assert women_and_men(need) == said
    for words in (words_of(client, need), words_of(client, project)):
        assert said in words
        assert bool(re.search(r"\b0 (women|men)\b", words)) == (0 in (women, men))
    found = client.get(f"/api/v1/needs/{need.reference}/").json()
    assert (found["women"], found["men"]) == (women, men)


def test_the_page_of_a_need_says_who_benefits(client):
    need = NeedFactory(in_state=NeedState.OPEN, beneficiaries="Fishers of twelve villages", women=None, men=None)
    assert "Who benefits Fishers of twelve villages" in words_of(client, need)


def test_a_list_does_not_say_that_nothing_was_delivered_where_nobody_reported_it(client):
    project = ProjectFactory(published=True)
    ContributionFactory(project=project, quantity=5, delivered=None)
    assert "Delivery not reported" in client.get("/projects/").content.decode()
    ContributionFactory(project=project, quantity=5, delivered=5)
    ContributionFactory(project=project, quantity=5, delivered=0)
    ContributionFactory(project=project, quantity=0, delivered=None)  # not delivered in full, though nothing is missing
    said = "1 of 4 contributions delivered, 0 under way, 2 not reported"
    assert said in client.get("/projects/").content.decode()
