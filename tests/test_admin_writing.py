"""Every form of admin: two people at one record, the same form sent twice."""

from pathlib import Path

import pghistory
import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.urls import reverse
from lxml import html

from outreach.models import Announcement, Channel, Issue, Page, Picture, Story
from partners.choices import Role
from partners.models import Country, MailText, Region
from projects.models import ImportRun, Project
from tests import THOROUGH
from tests.admin_form import fill, others, shown, text_field
from tests.conftest import FreshlySignedIn
from tests.factories import (
    MembershipFactory,
    NeedFactory,
    OfferFactory,
    ProjectFactory,
    UserFactory,
    first_and_second_provider,
)
from tests.one_of_each import one_of_each
from tests.test_sent_twice import at_once, picture

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


MAIL_TEXT, CHANNEL = (
    dict(model._meta.get_field(name).choices) for model, name in ((MailText, "name"), (Channel, "kind"))
)


def a_picture() -> None:
    Picture.objects.create(
        name="a-picture", file="pictures/a.jpg", credit="UNEP", alt_en="A well", width=900, height=600
    )
    Path(settings.MEDIA_ROOT, "pictures").mkdir(parents=True, exist_ok=True)
    Path(settings.MEDIA_ROOT, "pictures/a.jpg").write_bytes(picture().read())


MADE = {  # records of which no installation has one from the first
    "projects.Need": lambda: NeedFactory(in_state="submitted"),
    "projects.Offer": lambda: OfferFactory(in_state="submitted"),
    "projects.Project": ProjectFactory,
    "partners.User": UserFactory,
    "partners.MailText": lambda: MailText.objects.create(name="invitation" if "invitation" in MAIL_TEXT else next(iter(MAIL_TEXT))),
    "outreach.Issue": lambda: Issue.objects.create(slug="2027-01"),
    "outreach.Story": lambda: Story.objects.create(slug="a-story", project=ProjectFactory()),
    "outreach.Page": lambda: Page.objects.create(path="about/of-a-test"),
    "outreach.Announcement": lambda: Announcement.objects.create(slug="some-news", published_on="2026-01-01"),
    "outreach.Channel": lambda: Channel.objects.create(kind=next(iter(CHANNEL)), title="Ours", url="https://example.org/x"),
    "outreach.Picture": a_picture,
}  # fmt: skip


def record_of(model):
    """A record of a registered model, where there is one."""
    if make := MADE.get(model._meta.label):
        make()
    elif not model._default_manager.exists():  # it may come with another
        for make in MADE.values():
            make()
    return model._default_manager.order_by("-pk").first()


def records():
    """A record of every registered model of which there is one."""
    for make in MADE.values():
        make()
    for model in admin.site._registry:
        if found := model._default_manager.order_by("-pk").first():
            yield model, found


def form_to_change(boss, people, model) -> tuple[str, object] | None:
    """The address of a form of admin in which something can be changed, and the page; None where there is none."""
    request, model_admin = RequestFactory().get("/"), admin.site._registry[model]
    request.user = people["administrator"]
    if model._meta.label in ONLY_ACTS or not model_admin.has_change_permission(request):
        return None
    record = record_of(model)
    assert record is not None, f"There is no {model} to try."
    if not model_admin.has_change_permission(request, record):
        return None
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[record.pk])
    return address, boss.get(address)


def two_write(boss, address: str, name: str, field, data: dict) -> bool:
    """Two people open a form and change one field; whether the first could. The second is refused, and loses nothing."""
    first, second = others(field, data.get(name, [])) or (None, None)
    if first is None or boss.post(address, data | {name: first}).status_code != 302:
        return False
    answer = boss.post(address, data | {name: second})
    said = answer.content.decode()
    assert answer.status_code == 200 and "Somebody changed this record" in said and "now “" in said, name
    assert [second] in shown(answer).values(), name
    assert shown(boss.get(address)).get(name) not in ([second], data.get(name)), name
    return True


def kind_of(field) -> str:
    return "choice" if hasattr(field, "choices") else type(field).__name__


REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
BY_LABEL = {"argvalues": REGISTERED, "ids": lambda model: model._meta.label}
ONLY_ACTS = {"outreach.ContactMessage"}  # nothing is typed into the record itself
ENOUGH_KINDS = 2 if THOROUGH else 1  # of fields, for one form


@pytest.mark.parametrize("model", **BY_LABEL)
def test_no_field_of_admin_is_written_over_what_somebody_else_saved(model, people, boss, media):
    if (found := form_to_change(boss, people, model)) is None:
        return
    (address, page), kinds = found, set()
    fields = list(page.context["adminform"].form.fields.items())
    first = REGISTERED.index(model) % len(fields)  # not of all the first, so that many kinds are met
    for name, field in fields[first:] + fields[:first]:
        if kind_of(field) in kinds or name in ("reason", "is_on_behalf") or len(kinds) == ENOUGH_KINDS:
            continue
        data = shown(boss.get(address)) | {"reason": "It was wrong."}
        if two_write(boss, address, name, field, data):
            kinds.add(kind_of(field))
    assert kinds


def kept_of_all() -> dict[str, int]:
    """How many changes the history and the log of admin hold, by what was changed."""
    kept = [model for model in apps.get_models() if issubclass(model, pghistory.models.Event) and model._meta.managed]
    return {model.__name__: model._base_manager.count() for model in [LogEntry, *kept]}


@pytest.mark.parametrize("model", **BY_LABEL)
def test_a_save_that_changes_nothing_writes_nothing(model, people, boss, media):
    if (found := form_to_change(boss, people, model)) is None:
        return
    address, page = found
    stored, kept = list(model._base_manager.order_by("pk").values()), kept_of_all()
    answer = boss.post(address, shown(page))
    assert answer.status_code == 302
    told = [str(message) for message in messages.get_messages(answer.wsgi_request)]
    assert [text.startswith("Nothing was changed, so nothing was saved") for text in told] == [True]
    assert kept_of_all() == kept
    assert list(model._base_manager.order_by("pk").values()) == stored


def test_another_text_of_a_page_is_no_change_of_the_page_itself_but_moves_its_time(boss):
    address, data, page = two_texts(boss)
    kept, texts = (model.pgh_event_model.objects.filter(pgh_obj__isnull=False) for model in (Page, page.texts.model))
    before = kept.count(), texts.count()
    assert boss.post(address, data | {field_of(data, "fr"): "Autre"}).status_code == 302
    assert (kept.count(), texts.count()) == (before[0], before[1] + 1)
    assert Page.objects.get(pk=page.pk).modified_at > page.modified_at


@pytest.mark.parametrize("model", **BY_LABEL)
def test_no_row_of_admin_is_written_over_what_somebody_else_saved(model, people, boss, media):
    if not admin.site._registry[model].inlines or (found := form_to_change(boss, people, model)) is None:
        return
    address, page = found
    left, inlines = [], [each for each in page.context["inline_admin_formsets"] if is_written(each)]
    for inline in inlines if THOROUGH else inlines[:: max(1, len(inlines) // 3)]:
        fields = inline.formset.empty_form.fields
        if not inline.formset.initial_forms:
            add_row(boss, address, inline.formset)
        data = shown(boss.get(address)) | {"reason": "It was wrong."}
        if data[f"{inline.formset.prefix}-INITIAL_FORMS"] == ["0"]:
            left.append(inline.formset.prefix)
            continue
        names = [(f"{inline.formset.prefix}-0-{name}", field) for name, field in fields.items() if name not in ("id", "DELETE")]  # fmt: skip
        if not any(two_write(boss, address, name, field, data) for name, field in names):
            left.append(inline.formset.prefix)
    assert left == []


def is_written(inline) -> bool:
    return inline.has_change_permission and bool(set(inline.formset.empty_form.fields) - {"id", "DELETE"})


ROWS = {  # what a row asks for that its fields do not tell
    "contributions": lambda: {"country": Country.objects.get(iso3="BRA").pk},
    "region_links": lambda: {"region": Region.objects.last().pk},
    "related_links": lambda: {"other": ProjectFactory().pk},
    "eligible": lambda: {"country": Country.objects.get(iso3="BRA").pk},
    "translations": lambda: {"language": "fr", "title": "Des zones humides"},
}


def add_row(boss, address: str, formset) -> None:
    """Puts a row into a form that has none yet."""
    prefix = formset.prefix
    row = fill({}, formset.empty_form) | ROWS.get(prefix, dict)()
    data = shown(boss.get(address)) | {"reason": "It was wrong.", f"{prefix}-TOTAL_FORMS": "1"}
    answer = boss.post(address, data | {f"{prefix}-0-{name}": value for name, value in row.items()})
    found = [form.errors for each in answer.context["inline_admin_formsets"] for form in each.formset.forms] if answer.context else []  # fmt: skip
    assert answer.status_code == 302, (prefix, row, found)


def test_two_who_save_a_record_at_the_same_moment_have_one_winner(reference_again):
    who, page = MembershipFactory(role=Role.ADMINISTRATOR).user, Page.objects.get(path="about/history")
    address, clients = reverse("admin:outreach_page_change", args=[page.pk]), [FreshlySignedIn(), FreshlySignedIn()]
    for client in clients:
        client.force_login(who)
    data = [shown(client.get(address)) | {"position": str(n)} for n, client in enumerate(clients, start=71)]
    answers = at_once(*(lambda n=n: clients[n].post(address, data[n]) for n in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    n = next(n for n, answer in enumerate(answers) if answer.status_code == 200)
    page.refresh_from_db()
    assert page.position == [72, 71][n]
    said = answers[n].content.decode()
    assert f"now “{page.position}”" in said and f"you typed “{data[n]['position']}”" in said


def test_rows_that_others_changed_added_or_removed_are_taken_over(boss):
    project = ProjectFactory()
    address = reverse("admin:projects_project_change", args=[project.pk])
    data = shown(boss.get(address))
    link = project.country_links.order_by("pk").first()
    link.note = "Noted by others"
    link.save()
    project.term_links.all().delete()
    page = boss.post(address, data | {"title": "Typed"})
    again = shown(page)
    assert page.status_code == 200 and again["title"] == ["Typed"]
    assert ["Noted by others"] in [value for name, value in again.items() if name.endswith("-note")]
    assert again["term_links-INITIAL_FORMS"] == ["0"]
    assert boss.post(address, again).status_code == 302
    link.refresh_from_db()
    assert link.note == "Noted by others" and not project.term_links.exists()


def test_the_same_form_sent_twice_makes_one_record(boss):
    address = reverse("admin:outreach_channel_add")
    data = shown(boss.get(address)) | {"kind": Channel._meta.get_field("kind").choices[0][0], "title": "Ours", "url": "https://example.org/x"}  # fmt: skip
    first, second = boss.post(address, data), boss.post(address, data)
    assert (first.status_code, second.status_code) == (302, 302)
    assert first["Location"] == second["Location"] and Channel.objects.filter(title="Ours").count() == 1
    changed = boss.post(address, data | {"title": "Ours, changed"})
    assert changed.status_code == 200 and "saved already" in changed.content.decode()
    assert shown(changed)["title"] == ["Ours, changed"]


def test_the_same_project_sent_twice_is_one_project(boss):
    address = reverse("admin:projects_project_add")
    data = shown(boss.get(address)) | {"title": "Wells", "status": "2", "modality": "bilateral"}
    before = Project.objects.count()
    codes = [boss.post(address, data).status_code for _n in range(2)]
    assert codes == [302, 302] and Project.objects.count() == before + 1


# --- a file has to be chosen again -----------------------------------------------------------------------------------
AGAIN = "the file is not kept meanwhile: choose it again."


def test_after_a_refusal_the_form_says_that_the_file_has_to_be_chosen_again(people, boss, media):
    address, page = form_to_change(boss, people, Picture)
    data = shown(page)
    assert AGAIN not in page.content.decode()
    Picture.objects.update(credit="By others")
    answer = boss.post(address, data | {"file": picture(), "credit": "Typed here"})
    assert answer.status_code == 200 and AGAIN in answer.content.decode()
    found = answer.context["adminform"].form.errors
    assert AGAIN in found["file"][0] and "now “By others”" in str(found["__all__"])
    again = boss.post(address, shown(answer) | {"file": picture()})
    assert again.status_code == 302, again.context["adminform"].form.errors


def test_a_page_says_that_the_file_has_to_be_chosen_again(sign_in, media):
    need = NeedFactory()
    client = sign_in(MembershipFactory(role=Role.CONTRIBUTOR).user)
    answer = client.post(reverse("need-documents", args=[need.reference]), {"kind": "no such kind", "file": picture()})
    assert answer.status_code == 400 and AGAIN in answer.content.decode()


# --- lists whose rows are edited -------------------------------------------------------------------------------------
EDITED = [model for model in REGISTERED if admin.site._registry[model].list_editable]


class List:
    """A list whose rows are edited, as it stands: cells by record and field, wherever the record stands in it."""

    def __init__(self, page):
        self.data = shown(page, "changelist-form") | {"_save": "Save"}
        self.place = {self.data[name][0]: name.rpartition("-")[0] for name in self.data if name.endswith("-id")}
        rows = page.context["cl"].formset.forms
        self.fields = {(str(form.instance.pk), name): field for form in rows for name, field in form.fields.items() if name != "id"}  # fmt: skip

    def name(self, cell: tuple[str, str]) -> str:
        return f"{self.place[cell[0]]}-{cell[1]}"

    def value(self, cell: tuple[str, str]) -> list[str]:
        return self.data[self.name(cell)]


def address_of_list(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def some_of(model) -> None:
    """Records whose constraints a bad value would break."""
    assert model is Project, "Say here which records of it there are."
    ProjectFactory(modality="bilateral", status="2")
    first_and_second_provider(ProjectFactory(modality="triangular", status="2"))
    ProjectFactory(modality="regional", status="2")


def values_of(field) -> list[str]:
    choices = [str(key) for key, _label in getattr(field, "choices", [])]
    return [*choices, "", "no such value", "-1", "9" * 30, "x" * 3000, "\x00"]


@pytest.mark.parametrize("model", EDITED, ids=lambda model: model._meta.label)
def test_each_cell_of_a_list_takes_any_value_without_a_fault_and_no_row_is_lost(model, boss):
    """Whatever is sent for one cell, the answer is a page; what was typed in another row is saved or still there."""
    some_of(model)
    address = address_of_list(model)
    fields = List(boss.get(address)).fields
    sent = ((cell, value) for cell, field in fields.items() for value in values_of(field))
    before = List(boss.get(address))
    for cell, value in one_of_each(sent, lambda case: (case[0][1], case[1]), lambda case: case[0]):
        neighbour = next(other for other in fields if other[0] != cell[0] and other[1] == "status")
        typed = next(v for v in others(fields[neighbour], before.value(neighbour)))
        answer = boss.post(address, before.data | {before.name(cell): value, before.name(neighbour): typed})
        assert answer.status_code in (200, 302), (cell, value)
        after = List(boss.get(address) if answer.status_code == 302 else answer)
        assert after.value(neighbour) == [typed], (cell, value)
        assert answer.status_code == 302 or "error" in answer.content.decode(), (cell, value)
        before = after if answer.status_code == 302 else before


@pytest.mark.parametrize("model", EDITED, ids=lambda model: model._meta.label)
def test_no_cell_of_a_list_is_written_over_what_somebody_else_saved(model, boss):
    some_of(model)
    address, tried = address_of_list(model), set()
    for cell, field in List(boss.get(address)).fields.items():
        before = List(boss.get(address))
        first, second = others(field, before.value(cell))
        if boss.post(address, before.data | {before.name(cell): first}).status_code != 302:
            continue
        answer = boss.post(address, before.data | {before.name(cell): second})
        assert answer.status_code == 200 and "now “" in answer.content.decode(), cell
        assert List(answer).value(cell) == [second]
        assert List(boss.get(address)).value(cell) == [first]
        tried.add(cell[1])
    assert tried == set(admin.site._registry[model].list_editable)


# --- what a form has stands in it once -------------------------------------------------------------------------------
def names_twice(page) -> list[str]:
    """Names of a form of a page that more than one field has; choices share theirs, and tables made by script have a pattern."""
    form = max(html.fromstring(page.content.decode()).forms, key=lambda each: len(each.inputs))
    fields = form.xpath(".//input[not(@type='radio' or @type='checkbox' or @type='submit')] | .//select | .//textarea | .//input[@type='checkbox']")  # fmt: skip
    names = [field.get("name") for field in fields if field.get("name")]
    several = {field.get("name") for field in fields if field.get("type") == "checkbox" and field.get("value")}
    return sorted({name for name in names if names.count(name) > 1 and name not in several})


def test_each_field_of_an_import_stands_once_in_its_form(boss):
    run = ImportRun.objects.create(file_name="a.csv", kind="partners")
    source = reverse("admin:projects_importrun_source", args=[run.pk])
    for address in (reverse("admin:projects_importrun_add"), reverse("admin:projects_importrun_table"), source):
        page = boss.get(address)
        assert page.status_code == 200 and names_twice(page) == [], address
        fields = page.context["form"].fields
        assert all(f'name="{name}"' in page.content.decode() for name in fields), address


def test_an_import_whose_file_was_not_kept_says_that_it_has_to_be_chosen_again(boss):
    for name in ("add", "table"):
        answer = boss.post(reverse(f"admin:projects_importrun_{name}"), {"source_url": "no address"})
        assert answer.status_code == 400 and "required" in answer.content.decode()
        answer = boss.post(
            reverse(f"admin:projects_importrun_{name}"),
            {"source_url": "no address", "file": SimpleUploadedFile("a.csv", b"x")},
        )
        assert answer.status_code == 400 and answer.content.decode().count(AGAIN) == 1


# --- what is told of a refusal ---------------------------------------------------------------------------------------
LONG = "\n\n".join(f"Paragraph {n} of a long text that stands on a page of the portal." for n in range(40))


def two_texts(boss) -> tuple[str, dict, Page]:
    page = Page.objects.get(path="about/history")
    page.texts.filter(language="en").update(body=LONG)
    page.texts.exclude(language="en").delete()
    page.texts.create(language="fr", title="Histoire", body="Un texte.")
    address = reverse("admin:outreach_page_change", args=[page.pk])
    return address, shown(boss.get(address)), page


def field_of(data: dict, language: str, name: str = "body") -> str:
    row = next(
        key.rpartition("-")[0] for key, value in data.items() if key.endswith("-language") and value == [language]
    )
    return f"{row}-{name}"


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        pytest.param(LONG + "\n\nTHEIR SENTENCE.", LONG + "\n\nMY SENTENCE.", id="both at the end"),
        pytest.param(LONG + "\n\nTHEIR SENTENCE.", "MY SENTENCE. " + LONG, id="mine before theirs"),
        pytest.param("THEIR SENTENCE. " + LONG, LONG.replace("Paragraph 30", "MY SENTENCE. Paragraph 30"), id="theirs before mine"),
        pytest.param(LONG + "\n\nTHEIR SENTENCE.", "MY SENTENCE. " + "New words. " * 90 + LONG, id="a long one before theirs"),
    ],
)  # fmt: skip
def test_a_refusal_shows_a_long_text_where_both_differ(theirs, mine, boss):
    address, data, page = two_texts(boss)
    page.texts.filter(language="en").update(body=theirs)
    said = str(
        boss.post(address, data | {field_of(data, "en"): mine}).context["adminform"].form.errors["__all__"].as_data()
    )
    now, typed = said.partition("now “")[2].split("you typed “")
    assert "THEIR SENTENCE." in now and "MY SENTENCE." in typed and len(now) < 700 and len(typed) < 700


def test_a_refusal_names_the_row_of_each_field(boss):
    address, data, page = two_texts(boss)
    page.texts.filter(language="en").update(body="Theirs")
    page.texts.filter(language="fr").update(body="Les leurs")
    answer = boss.post(address, data | {field_of(data, "en"): "Mine"})
    said = " ".join(answer.context["adminform"].form.errors["__all__"])
    assert "(English): Text: now “Theirs”" in said, said
    assert "Taken over from " in said and "(French): Text." in said, said
    assert " Text." not in said.replace("(French): Text.", "")


def test_a_refusal_tells_who_wrote_each_field_that_is_taken_over_and_in_which_language(boss, people):
    region = Region.objects.order_by("pk").first()
    address = reverse("admin:partners_region_change", args=[region.pk])
    data = shown(boss.get(address))
    for who, name in (("administrator", "name_ar"), ("desk", "name_ru"), ("publisher", "name_es")):
        with pghistory.context(user=people[who].pk):
            Region.objects.filter(pk=region.pk).update(**{name: "Theirs"})
    answer = boss.post(address, data | {"name_es": "Mine"})
    said = answer.context["adminform"].form.errors["__all__"]
    for who, language in (("administrator", "Arabic"), ("desk", "Russian")):
        assert any(one.startswith(f"Taken over from {people[who]} (") and one.endswith(f"): Name ({language}).") for one in said), said  # fmt: skip
    clash = next(one for one in said if "you typed “" in one)
    assert clash.startswith("Name (Spanish): now “Theirs”") and str(people["publisher"]) in clash
    assert len([one for one in said if "Taken over" in one]) == 2


@pytest.mark.parametrize("model", **BY_LABEL)
def test_no_two_fields_of_a_form_have_one_label(model, people, boss, media):
    if (found := form_to_change(boss, people, model)) is None:
        return
    _address, page = found
    forms = [page.context["adminform"].form, *(one.formset.empty_form for one in page.context["inline_admin_formsets"])]
    for form in forms:
        labels = [str(form[name].label) for name in form.fields]
        assert len(labels) == len(set(labels)), labels


def test_the_history_names_the_language_of_a_name(boss):
    region = Region.objects.order_by("pk").first()
    Region.objects.filter(pk=region.pk).update(name_ar="اسم آخر")
    said = boss.get(reverse("admin:partners_region_history", args=[region.pk])).content.decode().lower()
    assert "name (arabic)" in said


def test_a_text_that_nobody_changed_stays_as_it_is_stored_and_is_no_version(boss):
    address, data, page = two_texts(boss)
    stored = {"en": "One.\nTwo.\n", "fr": "Un.\r\nDeux.\r\n"}
    for language, text in stored.items():
        page.texts.filter(language=language).update(body=text)
    data = {name: [one.replace("\n", "\r\n") for one in each] for name, each in shown(boss.get(address)).items()}
    versions = page.texts.model.pgh_event_model.objects.filter(page=page)
    before = versions.count()
    title = field_of(data, "fr", "title")
    assert boss.post(address, data | {title: "Un autre titre"}).status_code == 302
    assert dict(page.texts.values_list("language", "body")) == stored
    assert versions.count() == before + 1 and page.texts.get(language="fr").title == "Un autre titre"
    said = (
        boss.post(address, data | {field_of(data, "en", "title"): "Mine"}).context["adminform"].form.errors["__all__"]
    )
    assert [one.rpartition("): ")[2] for one in said if "Taken over" in one] == ["Title."], said
    assert boss.post(address, data | {field_of(data, "en"): "One.\r\nTwo.\r\nThree."}).status_code == 200
    assert boss.post(address, shown(boss.get(address)) | {field_of(data, "en"): "One.\r\nThree."}).status_code == 302
    assert page.texts.get(language="en").body == "One.\nThree."  # as every door has it


def test_a_row_without_a_language_is_named_by_what_it_says(boss):
    project = ProjectFactory()
    link = project.country_links.order_by("pk").first()
    address = reverse("admin:projects_project_change", args=[project.pk])
    data = shown(boss.get(address))
    project.country_links.filter(pk=link.pk).update(note="Theirs")
    note = next(key.rpartition("-")[0] for key, value in data.items() if key.startswith("country_links-") and value == [str(link.pk)]) + "-note"  # fmt: skip
    said = " ".join(boss.post(address, data | {note: "Mine"}).context["adminform"].form.errors["__all__"])
    assert f"“{link}”: What it does: now “Theirs”" in said, said


# --- a record that is gone -------------------------------------------------------------------------------------------
def test_what_was_typed_for_a_record_that_is_not_there_is_shown(people, boss, media):
    done = []
    for model, record in records():
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[record.pk])
        page = boss.get(address)
        form = (page.context or {}).get("adminform")
        if form is None or (name := text_field(shown(page), form.form)) is None:
            continue
        data = {**shown(page), "_as_shown": "", name: "TYPED FOR AN HOUR"}
        answer = boss.post(address.replace(f"/{record.pk}/change/", "/987654/change/"), data)
        assert answer.status_code == 404 and "TYPED FOR AN HOUR" in answer.content.decode(), model
        done.append(model._meta.label)
    assert {"projects.Project", "partners.Partner", "outreach.Story"} <= set(done), done


def test_who_deleted_a_record_is_told_to_whom_was_typing(boss, sign_in, people):
    address, data, page = two_texts(boss)
    other = sign_in(people["publisher"])
    with pghistory.context(user=people["administrator"].pk):
        page.delete()
    answer = boss.post(address, data | {field_of(data, "fr"): "Un long texte\nd’une heure", "_save": "Save"})
    said = answer.content.decode()
    assert answer.status_code == 410 and "Un long texte<br>d’une heure" in said
    assert str(people["administrator"]) in said and "This record was removed (" in said
    assert "csrfmiddlewaretoken" not in dict(answer.context["typed"]) and "_as_shown" not in str(
        answer.context["typed"]
    )
    labels = [label for label, _text in answer.context["typed"]]
    assert "Address" in labels and any(label.endswith(": Text") for label in labels), labels
    strange = other.post(address, {name: value for name, value in data.items() if name != "_as_shown"})
    assert str(people["administrator"]) not in strange.content.decode()
