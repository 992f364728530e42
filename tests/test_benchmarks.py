"""The records that measurements are made with."""

import pytest
from django.core.management import call_command

from projects.choices import NeedState
from projects.models import FacetTally, Need, Response


@pytest.mark.django_db
def test_generated_needs_are_complete_and_found():
    call_command("generate_needs", "--needs", "60", verbosity=0)
    assert set(Need.objects.values_list("state", flat=True)) > {NeedState.OPEN, NeedState.IN_DELIVERY}
    for record in (*Need.objects.all(), *Response.objects.all()):
        record.full_clean()
    assert Response.objects.exists() and FacetTally.objects.filter(record="need").exists()
