"""The demonstration set: illustrative partners and projects, and one account per role. Written for the portal."""

import hashlib
import hmac
from decimal import Decimal
from pathlib import Path

import yaml
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from partners.choices import COUNTRY_ROLES, STAFF_ROLES, Role
from partners.models import Country, Membership, Partner, User
from projects import lifecycle, quality, search
from projects.models import (
    Contribution,
    Project,
    ProjectCountry,
    ProjectPartner,
    ProjectTerm,
    ProjectTranslation,
    Result,
    Term,
)

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "demo"


def read(name: str) -> list[dict]:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def person(role: str, place: str) -> User:
    """Somebody who acts in the demonstration and can't sign in: `place` is country:ISO3 or partner:slug."""
    kind, code = place.split(":")
    user, new = User.objects.get_or_create(
        email=f"{role}.{code.lower()}@demonstration.invalid".replace("_", "-"), defaults={"full_name": "Demonstration"}
    )
    if new:
        user.set_unusable_password()
        user.save()
        where = {kind: Country.objects.get(iso3=code) if kind == "country" else Partner.objects.get(slug=code)}
        Membership.objects.create(user=user, role=role, granted_by=User.objects.system(), **where)
    return user


def password_of(email: str) -> str:
    """The password of a demonstration account: made from the secret key, so it need not be stored to be told again."""
    return "demo-" + hmac.new(settings.SECRET_KEY.encode(), email.encode(), hashlib.sha256).hexdigest()[:12]


@transaction.atomic
def load_accounts() -> list[tuple[str, str, str]]:
    """One account per role, for development only. Returns (role, e-mail, password) of each."""
    if not settings.DEBUG:
        raise RuntimeError("Demonstration accounts exist in development only (DJANGO_DEBUG=1).")
    kenya, partner = Country.objects.get(iso3="KEN"), Partner.objects.get(slug="undp")
    accounts = []
    for role in Role:
        email = f"{role.value.replace('_', '-')}@example.org"
        user = User.objects.filter(email=email).first()
        if user is None:
            user = User.objects.create_user(email, password_of(email), full_name=f"Demo {role.label}")
            place = (
                {"country": kenya}
                if role in COUNTRY_ROLES
                else {"partner": Partner.objects.unep() if role in STAFF_ROLES else partner}
            )
            Membership.objects.create(user=user, role=role, granted_by=User.objects.system(), **place)
        elif not user.check_password(password_of(email)):
            user.set_password(password_of(email))
            user.save()
        user.vouch_for_address()
        accounts.append((str(role.label), email, password_of(email)))
    return accounts


@transaction.atomic
def load_projects() -> int:
    """Partners and projects of the demonstration; those that are there already stay as they are. Returns how many are new."""
    by = User.objects.system()
    countries = {c.iso3: c for c in Country.objects.all()}
    for row in read("partners"):
        Partner.objects.get_or_create(
            slug=row["slug"],
            defaults={
                "name_en": row["name"], "kind": row["kind"], "country": countries[row["country"]],
                "offers": row.get("offers", ""), "is_illustrative": True,
            },
        )  # fmt: skip
    partners = {p.slug: p for p in Partner.objects.all()}
    terms = {f"{t.vocabulary}:{t.code}": t for t in Term.objects.all()}
    present = set(Project.objects.filter(is_illustrative=True).values_list("title", flat=True))
    by_key: dict[str, Project] = {}
    new = []
    for row in read("projects"):
        if row["title"] in present:
            continue
        project = _project(row, by, by_key.get(row.get("parent", "")))
        if key := row.get("key"):
            by_key[key] = project
        _links(project, row, countries, partners, terms)
        project.full_clean(exclude=["reference"])
        lifecycle.transition(project, "publish", by=by)
        new.append(project.pk)
    quality.measure(timezone.localdate())
    search.rebuild_words()
    return len(new)


def _project(row: dict, by: User, parent: Project | None) -> Project:
    simple = ("title", "summary", "description", "objectives", "lessons", "status", "instrument", "modality")
    project = Project(
        **{name: row[name] for name in simple if name in row},
        delivery_level=row.get("level", ""), is_illustrative=True, created_by=by, parent=parent, **row["dates"],
    )  # fmt: skip
    project.save()
    return project


def _links(project: Project, row: dict, countries: dict, partners: dict, terms: dict) -> None:
    for entry in row["countries"]:
        iso3, role, *note = entry.split(" ", 2)
        role, _slash, order = role.partition("/")
        ProjectCountry.objects.create(
            project=project,
            country=countries[iso3],
            role=role,
            provider_order=int(order) if order else None,
            note=" ".join(note),
        )
    for entry in row.get("partners", []):
        slug, role = entry.split()
        ProjectPartner.objects.create(project=project, partner=partners[slug], role=role)
    ProjectTerm.objects.bulk_create(ProjectTerm(project=project, term=terms[code]) for code in row.get("terms", []))
    for entry in row.get("contributions", []):
        iso3, kind, quantity, unit, delivered, text = entry.split(" ", 5)
        line = Contribution(
            project=project,
            country=countries[iso3],
            kind=kind,
            quantity=Decimal(quantity),
            unit=unit,
            delivered=Decimal(delivered),
            text=text,
        )
        line.full_clean()
        line.save()
    for entry in row.get("results", []):
        words = entry.split()
        numbers = []
        while words[-1].isdigit():
            numbers.insert(0, Decimal(words.pop()))
        unit = words.pop()
        baseline, target, actual = [*numbers, None][:3]
        result = Result(
            project=project, title=" ".join(words), unit=unit, baseline=baseline, target=target, actual=actual
        )
        result.full_clean()
        result.save()
    for language, texts in row.get("translations", {}).items():
        ProjectTranslation.objects.create(project=project, language=language.split("_")[0], **texts)
