"""Law 5: what the factories make is valid."""

import pytest

from tests.factories import ContributionFactory, MembershipFactory, ProjectFactory, ResultFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("trait", ["", "published", "in_review", "withdrawn", "merged", "triangular"])
def test_project_trait_is_valid(trait):
    ProjectFactory(**({trait: True} if trait else {})).full_clean()


@pytest.mark.parametrize("factory", [UserFactory, MembershipFactory, ContributionFactory, ResultFactory])
def test_factory_is_valid(factory):
    factory().full_clean()
