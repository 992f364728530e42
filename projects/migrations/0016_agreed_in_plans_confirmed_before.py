"""Answers of before 0013: how much the plan says that all sides had confirmed."""

from collections import defaultdict
from decimal import Decimal

from django.db import migrations

ACCEPTED = ("accepted", "agreed", "converted")


def keep_agreed(apps, _schema_editor):
    """As `agreement._keep_agreed` does for a plan that is confirmed now, where the plan gives a quantity for the line. A line that a
    plan leaves out was no word on it when these were confirmed: there what was accepted still counts, and `agreed` stays empty."""
    needs = apps.get_model("projects", "Need").objects.filter(confirmations__step="plan").exclude(state="in_dialogue")
    for need in needs.distinct().order_by("pk").iterator(chunk_size=500):
        responses = list(need.responses.filter(state__in=ACCEPTED))
        answers = list(
            apps.get_model("projects", "Answer").objects.filter(response__in=responses)
            .select_related("response", "line").order_by("response_id", "pk")
        )  # fmt: skip
        if all(answer.agreed is None for answer in answers) and _is_confirmed(need, responses):
            _keep(need, answers)


def _is_confirmed(need, responses) -> bool:
    """Whether the country, each provider and UNEP have confirmed the plan as it is stored; a change takes that back."""
    given = {(c.side, c.country_id, c.partner_id) for c in need.confirmations.filter(step="plan")}
    providers = {who for response in responses for who in (_responder(response), _second(response)) if any(who)}
    return {("country", None, None), ("unep", None, None), *(("partner", *who) for who in providers)} <= given


def _responder(response) -> tuple:
    return response.country_id, response.partner_id


def _second(response) -> tuple:
    return response.second_country_id, response.second_partner_id


def _keep(need, answers) -> None:
    own = defaultdict(list)
    for answer in answers:
        own[answer.line, _responder(answer.response)].append(answer)
    activities = list(need.activities.filter(quantity__isnull=False))
    for (line, responder), mine in own.items():
        others = {who for other, who in own if other == line}
        doers = {responder, *({_second(answer.response) for answer in mine} - others)}
        planned = [
            row.quantity for row in activities
            if row.line_id == line.pk and row.unit == line.unit and (row.country_id, row.partner_id) in doers
        ]  # fmt: skip
        left = sum(planned, Decimal(0))
        for place, answer in enumerate(mine if planned else ()):
            answer.agreed = left if place == len(mine) - 1 else min(left, answer.quantity)
            left -= answer.agreed
            answer.save(update_fields=["agreed"])


class Migration(migrations.Migration):
    dependencies = [("projects", "0015_what_nobody_reported")]

    operations = [migrations.RunPython(keep_agreed, migrations.RunPython.noop)]
