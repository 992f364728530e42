"""Each form that creates, sent twice: one record, and the second answer as the first."""

import io
import re
import threading
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import RequestFactory
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone
from PIL import Image
from procrastinate.contrib.django.models import ProcrastinateJob

from outreach import contact
from partners.choices import Role
from partners.models import ApiToken, Country, Invitation, JoinRequest, KeptAnswer, Partner, User
from partners.sent_once import SENT_TWICE
from projects import agreement, drafting
from projects.choices import Criterion, NeedState
from projects.models import ImportRun, NearTerm, Need, Project, Response, Term, Webhook
from tests.admin_form import fill, shown
from tests.conftest import FreshlySignedIn
from tests.factories import (
    MembershipFactory,
    NeedFactory,
    OfferFactory,
    ProjectFactory,
    ResponseFactory,
    UserFactory,
)
from tests.one_of_each import one_of_each

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

# --- which forms there are -------------------------------------------------------------------------------------------
NATURALLY = {  # pages that take a POST and whose second one finds nothing to do and answers the same
    "account": "writes what it says over itself",
    "my-data": "the account is gone: the second finds nobody signed in",
    "my-mail": "writes what it says over itself",
    "news-seen": "sets a time",
    "need-follow": "one row of a person and a need",
    "match-keep": "one row of a person, a need and an offer",
    "matches-seen": "counts a page that was shown; nobody presses it",
    "need-part": "compares with what is stored (decision 0030)",
    "offer-part": "compares with what is stored (decision 0030)",
    "need-plan": "compares with what is stored",
    "subscribe": "keeps nothing before its mail is confirmed; mails of one address are limited",
    "subscribe-search": "keeps nothing before its mail is confirmed; mails of one address are limited",
    "subscribe-reminder": "keeps nothing; mails of one address are limited",
    "confirm": "one row of an address and a search",
    "choices": "writes what it says over itself",
    "stop": "done is done: says so however often it is pressed",
    "unsent-drop": "it is gone: the second leads to the start page",
}


def page_patterns(resolver=None, prefix=""):
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if route.startswith(("admin/", "api/", "accounts/")) and "sessions/<" not in route:
            continue
        if not isinstance(pattern, URLPattern):
            yield from page_patterns(pattern, route)
        elif pattern.name and not pattern.name.endswith("-feed"):
            yield route, pattern


def takes_a_post(client, route: str, pattern) -> bool:
    filled = {"str": "K-2026-0001", "slug": "k", "int": "1"}
    path = re.sub(r"<(\w+):\w+>", lambda found: filled[found[1]], route)
    if "<" in path or "(?" in path:
        path = "about/privacy/"  # the one address that is a regular expression
    return client.post(f"/{path}").status_code != 405


def test_each_page_that_takes_a_post_can_be_sent_twice(sign_in):
    client = sign_in(person())
    taking = {p.name: p.callback for route, p in page_patterns() if takes_a_post(client, route, p)}
    once = {name for name, view in taking.items() if getattr(view, "is_once", False)}
    assert {name for name in taking if name not in once} == set(NATURALLY)
    assert once == {*PAGES, *ACTS}


# --- pages -----------------------------------------------------------------------------------------------------------
def person(role=None, **place) -> User:
    return MembershipFactory(role=role, **place).user if role else UserFactory()


def writer() -> User:
    return person(Role.CONTRIBUTOR)


def pdf():
    return SimpleUploadedFile("plan.pdf", b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n", "application/pdf")


def picture():
    content = io.BytesIO()
    Image.new("RGB", (900, 600), "green").save(content, "JPEG")
    return SimpleUploadedFile("a.jpg", content.getvalue(), "image/jpeg")


def _need_new():
    return writer(), reverse("need-new"), {"title": "Wells", "kind": "capacity", "country": kenya().pk}, Need


def _need_copy():
    need = NeedFactory(in_state="submitted")
    address = f"{reverse('need-new')}?copy={need.reference}"
    return writer(), address, {"title": "Wells again", "kind": "capacity", "country": kenya().pk}, Need


def _offer_new():
    undp = Partner.objects.get(slug="undp")
    given = {"title": "Experts", "kind": "expertise", "who": f"partner:{undp.pk}"}
    return person(Role.PARTNER_LEAD), reverse("offer-new"), given, apps.get_model("projects", "Offer")


def _need_respond():
    need, undp = NeedFactory(in_state="open"), Partner.objects.get(slug="undp")
    first = need.lines.first()
    given = {"who": f"partner:{undp.pk}", "text": "Two experts", "cost": "free", f"line_{first.pk}": "5"}
    return person(Role.PARTNER_LEAD), reverse("need-respond", args=[need.reference]), given, Response


def _need_suggest():
    need, offer = NeedFactory(in_state="open"), OfferFactory(in_state="active")
    given = {"offer": offer.reference, "text": "Can you help?", f"line_{need.lines.first().pk}": "5"}
    return person(Role.FOCAL_POINT), reverse("need-suggest", args=[need.reference]), given, Response


def _response():
    response = ResponseFactory()
    return person(Role.FOCAL_POINT), reverse("response", args=[response.reference]), {"text": "When?"}, response.events


def _response_document():
    response = ResponseFactory()
    address = reverse("response-document", args=[response.reference])
    return person(Role.PARTNER_LEAD), address, {"title": "Plan", "file": pdf}, response.documents


def _need_documents():
    need = NeedFactory()
    return (
        writer(),
        reverse("need-documents", args=[need.reference]),
        {"kind": "other", "title": "Plan", "file": pdf},
        need.documents,
    )


def _need_progress():
    need = NeedFactory(in_state="in_delivery")
    return (
        person(Role.PARTNER_LEAD),
        reverse("need-progress", args=[need.reference]),
        {"note": "Ten stations run."},
        need.events,
    )


def _need_screen():
    need = NeedFactory(in_state="submitted")
    given = {f"{name}{field}": value for name in Criterion for field, value in (("", "yes"), ("_note", "it does"))}
    return person(Role.DESK), reverse("need-screen", args=[need.reference]), given, need.events


def _need_approve():
    need = NeedFactory(in_state="submitted")
    return person(Role.FOCAL_POINT), reverse("need-approve", args=[need.reference]), {}, need.events


def _need_confirm():
    need = NeedFactory(in_state="in_dialogue")
    need.confirmations.all().delete()
    address = reverse("need-confirm", args=[need.reference, "plan"])
    return person(Role.FOCAL_POINT), address, {}, need.confirmations


def _need_move():
    need = NeedFactory(in_state="delivered")
    address = reverse("need-move", args=[need.reference, "close_partly"])
    given = {"note": "The rest goes on.", "outcome": "It runs.", "rating": "4", "lessons": "Start small."}
    return person(Role.FOCAL_POINT), address, given, Need


def _project_check():
    project = ProjectFactory(published=True)
    address = reverse("project-check", args=[project.reference])
    return person(Role.FOCAL_POINT), address, {"is_right": "yes"}, project.events


def _join():
    return person(), reverse("join"), {"role": "contributor", "country": kenya().pk, "note": "Office"}, JoinRequest


def _people():
    until = timezone.localdate() + timedelta(days=90)
    given = {"email": "new@example.org", "role": "contributor", "country": kenya().pk, "ends_on": until}
    return person(Role.FOCAL_POINT), reverse("people"), given, Invitation


def _tokens():
    return person(), reverse("tokens"), {"name": "Nightly", "scope": "read", "days": "30"}, ApiToken


def _webhooks():
    return person(), reverse("webhooks"), {"url": "https://example.org/in", "subject": "project"}, Webhook


def _webhook_test():
    webhook = Webhook.objects.create(user=person(), url="https://example.org/in")
    return webhook.user, reverse("webhook-test", args=[webhook.pk]), {}, webhook.calls


def _contact():
    topic = apps.get_model("outreach", "Topic").objects.first()
    given = {"topic": topic.code, "name": "A", "email": "a@example.org", "text": "Which pumps?"}
    return person(), reverse("contact"), given, apps.get_model("outreach", "ContactMessage")


PAGES = {
    "need-new": (_need_new, _need_copy),
    "offer-new": (_offer_new,),
    "need-respond": (_need_respond,),
    "need-suggest": (_need_suggest,),
    "response": (_response,),
    "response-document": (_response_document,),
    "need-documents": (_need_documents,),
    "need-progress": (_need_progress,),
    "need-screen": (_need_screen,),
    "need-approve": (_need_approve,),
    "need-confirm": (_need_confirm,),
    "need-move": (_need_move,),
    "project-check": (_project_check,),
    "join": (_join,),
    "people": (_people,),
    "tokens": (_tokens,),
    "webhooks": (_webhooks,),
    "webhook-test": (_webhook_test,),
    "contact": (_contact,),
}
MESSAGES = (_response, _contact)
ACTS = {  # once too, so that the second press is not told as a failure; they make no record of their own
    "need-sheet-upload", "need-ask", "need-delete", "offer-delete", "document-remove", "need-delivered",
    "response-express", "response-answer", "offer-move", "match-aside", "webhook-pause", "webhook-resume",
    "webhook-remove", "webhook-again", "token-revoke", "request-decide", "membership-end", "invitation",
    "invitation-withdraw", "session-end",
}  # fmt: skip


def kenya() -> Country:
    return Country.objects.get(iso3="KEN")


LEFT_OUT = {"django_session", "partners_keptanswer", "pghistory_events"}  # left by any form; a union of tables


def rows() -> dict[str, int]:
    """How many rows there are of everything, jobs with mail too."""
    tables = {m._meta.db_table for m in apps.get_models() if m._meta.managed} - LEFT_OUT
    tables.add(ProcrastinateJob._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in sorted(tables)))  # noqa: S608
        return dict(cursor.fetchall())


def sent(client, address: str, given: dict, hidden: dict):
    """The answer to a form; files are made anew each time."""
    data = {**hidden, **{name: value() if callable(value) else value for name, value in given.items()}}
    return client.post(address, data)


def hidden_of(client, address: str) -> dict:
    """What the page of a form carries besides what is typed."""
    page = client.get(address)
    found = re.findall(r'<input type="hidden" name="(key|csrfmiddlewaretoken)" value="([^"]+)"', page.content.decode())
    return dict(reversed(found)) if page.status_code == 200 else {}


SENT = one_of_each(
    (
        (fetched, make) for fetched in ("once", "anew", "never") for each in PAGES.values() for make in each
        if fetched != "anew" or make not in MESSAGES  # from a page that was opened anew a message is another one
    ),
    lambda case: case[0],
    lambda case: case[1],
)  # fmt: skip


@pytest.mark.parametrize(
    ("fetched", "make"), [pytest.param(*case, id=f"{case[0]}-{case[1].__name__.strip('_')}") for case in SENT]
)
def test_a_page_sent_twice_makes_one_record(make, fetched, sign_in, media, settings, monkeypatch):
    monkeypatch.setattr(contact, "TOO_QUICK", -1)
    settings.UPLOAD_SCANNER = ""
    who, address, given, made = make()
    client, before = sign_in(who), count(made)
    hidden = (
        hidden_of(client, address) if fetched != "never" else {"key": contact.new_key()} if make is _contact else {}
    )
    if not any(given.values()):  # a mere press: the page alone tells it from another
        fetched, hidden = "once", hidden or {"csrfmiddlewaretoken": "a" * 64}
    first = sent(client, address, given, hidden)
    there, answered = rows(), where(first, address)
    assert count(made) == before + 1, mistakes(first)
    second = sent(client, address, given, hidden_of(client, address) if fetched == "anew" else hidden)
    assert where(second, address) == answered
    assert rows() == there


def mistakes(answer) -> list[str]:
    return re.findall(r'class="err"[^>]*>([^<]+)|<li><a href="#[^"]*">([^<]+)', answer.content.decode())


def where(answer, address: str) -> str:
    """Where an answer leads. The page of tokens shows what it made, and that once; then it leads to itself."""
    assert answer.status_code in (200, 302), mistakes(answer)
    assert answer.status_code == 302 or answer.context["secret"]
    return answer.get("Location", address)


def count(made) -> int:
    return made._base_manager.count() if isinstance(made, type) else made.count()


def test_a_page_sent_again_with_other_words_makes_another(sign_in):
    """Back, a word changed, Save: what was typed is not lost."""
    who, address, given, _made = _need_new()
    client = sign_in(who)
    hidden = hidden_of(client, address)
    answers = [sent(client, address, given | {"title": title}, hidden) for title in ("Wells", "Deeper wells")]
    assert answers[0]["Location"] != answers[1]["Location"]
    assert sorted(Need.objects.values_list("title", flat=True)) == ["Deeper wells", "Wells"]


def test_a_form_that_came_back_after_signing_in_is_the_same_form(sign_in):
    """Sent, the answer lost, the session ended: it comes back with a mark of its own (partners/unsent.py)."""
    who, address, given, _made = _need_new()
    client = sign_in(who)
    for mark in ({}, {"_unsent": "7"}):
        client.post(address, given | mark | {"key": f"key{len(mark)}"})
    assert Need.objects.count() == 1


def test_the_same_words_after_something_else_are_a_new_act(sign_in):
    response, who = ResponseFactory(), person(Role.FOCAL_POINT)
    client, address = sign_in(who), reverse("response", args=[response.reference])
    for text in ("Thank you", "One more thing", "Thank you"):
        assert client.post(address, {"text": text}).status_code == 302
    assert response.events.count() == 3


def test_the_same_words_much_later_are_a_new_act(sign_in):
    response, who = ResponseFactory(), person(Role.FOCAL_POINT)
    client, address = sign_in(who), reverse("response", args=[response.reference])
    client.post(address, {"text": "Thank you"})
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=1))
    client.post(address, {"text": "Thank you"})
    assert response.events.count() == 2


@pytest.mark.parametrize("make", MESSAGES, ids=lambda make: make.__name__.strip("_"))
def test_the_same_words_from_a_page_opened_anew_are_another_message(make, sign_in, monkeypatch):
    """“Yes” to two different questions within ten minutes: the second is stored, too."""
    monkeypatch.setattr(contact, "TOO_QUICK", -1)
    who, address, given, made = make()
    client, before = sign_in(who), count(made)
    for number in (1, 2):
        hidden = hidden_of(client, address)
        for _press in range(2):
            answer = sent(client, address, given, hidden)
            assert answer.status_code == 302, mistakes(answer)
            assert count(made) == before + number


def test_a_message_that_came_back_after_signing_in_is_the_same_message(sign_in):
    who, address, given, made = _response()
    client, before = sign_in(who), count(made)
    for mark in ({}, {"_unsent": "7"}):
        sent(client, address, given, hidden_of(client, address) | mark)
    assert count(made) == before + 1


def test_what_was_taken_away_can_be_made_again(sign_in):
    who, address, given, _made = _webhooks()
    client = sign_in(who)
    client.post(address, given)
    client.post(reverse("webhook-remove", args=[Webhook.objects.get().pk]), {"csrfmiddlewaretoken": "a" * 64})
    assert client.post(address, given)["Location"] == Webhook.objects.get().get_absolute_url()


def test_what_was_refused_is_tried_again(sign_in, media):
    response = ResponseFactory()
    client, address = sign_in(person(Role.PARTNER_LEAD)), reverse("response-document", args=[response.reference])
    for _n in range(2):
        answer = client.post(address, {"title": "Plan", "file": SimpleUploadedFile("a.exe", b"MZ\x90")})
        assert answer.status_code == 400 and str(SENT_TWICE) not in answer.content.decode()
    assert not response.documents.exists()


def test_a_file_mended_since_is_another(sign_in, media):
    need = NeedFactory()
    client, address = sign_in(writer()), reverse("need-documents", args=[need.reference])
    for content in (b"%PDF-1.4\nA\n%%EOF\n", b"%PDF-1.4\nB\n%%EOF\n"):
        file = SimpleUploadedFile("plan.pdf", content, "application/pdf")
        client.post(address, {"kind": "other", "title": "Plan", "file": file, "csrfmiddlewaretoken": "a" * 64})
    assert need.documents.count() == 2


def test_the_second_is_told_that_it_was_saved_once(sign_in):
    who, address, given, _made = _need_new()
    client = sign_in(who)
    client.post(address, given)
    answer = client.post(address, given, follow=True)
    assert str(SENT_TWICE) in answer.content.decode()


def test_a_message_sent_again_with_other_words_is_not_lost(client, monkeypatch):
    """Somebody who is not signed in: the same page, Back, one more sentence."""
    monkeypatch.setattr(contact, "TOO_QUICK", -1)
    _who, address, given, made = _contact()
    hidden = hidden_of(client, address)
    assert client.post(address, {**hidden, **given}).status_code == 302
    again = client.post(address, {**hidden, **given, "text": "Which pumps? And which pipes?"})
    assert again.status_code == 400 and "And which pipes?" in again.content.decode()
    fresh = dict(re.findall(r'<input type="hidden" name="(key)" value="([^"]+)"', again.content.decode()))
    assert client.post(address, {**given, **fresh, "text": "Which pumps? And which pipes?"}).status_code == 302
    assert made.objects.count() == 2


# --- parts that compare with what is stored ---------------------------------------------------------------------------
def test_a_plan_sent_twice_is_one_plan(sign_in):
    need = NeedFactory(in_state="in_dialogue")
    client, address = sign_in(person(Role.FOCAL_POINT)), reverse("need-plan", args=[need.reference])
    data = shown(client.get(address)) | {"activities-1-text": "One more visit"}
    assert client.post(address, data).status_code == 302
    there = rows()
    assert client.post(address, data).status_code == 302
    assert rows() == there and agreement.stored(need)["activities"][-1]["text"] == "One more visit"


def test_lines_sent_twice_are_there_once(sign_in):
    need = NeedFactory()
    client, address = sign_in(writer()), reverse("need-part", args=[need.reference, "lines"])
    data = shown(client.get(address)) | {"lines-2-text": "A handbook"}
    assert client.post(address, data).status_code == 302
    there = rows()
    assert client.post(address, data).status_code == 302
    assert rows() == there and need.lines.filter(text="A handbook").count() == 1


# --- two at once -----------------------------------------------------------------------------------------------------
def at_once(*calls) -> list:
    """What each gives, all begun at the same moment, on connections of their own."""
    start, given = threading.Barrier(len(calls), timeout=20), [None] * len(calls)

    def run(n: int) -> None:
        try:
            start.wait()
            given[n] = calls[n]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[n]) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return given


def twice_at_once(who, address: str, given: dict) -> list:
    clients = [FreshlySignedIn() for _n in range(2)]
    for client in clients:
        client.force_login(who)
    given = given | {"csrfmiddlewaretoken": "a" * 64}
    return at_once(*(lambda client=client: client.post(address, given) for client in clients))


def test_a_double_press_makes_one_response(reference_again):
    who, address, given, _made = _need_respond()
    answers = twice_at_once(who, address, given)
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"] and Response.objects.count() == 1


def test_a_double_press_asks_one_question(reference_again):
    who, address, given, events = _response()
    answers = twice_at_once(who, address, given)
    assert [answer.status_code for answer in answers] == [302, 302] and events.count() == 1


def test_a_double_press_in_admin_makes_one_project(reference_again):
    boss = person(Role.ADMINISTRATOR)
    client = FreshlySignedIn()
    client.force_login(boss)
    address = reverse("admin:projects_project_add")
    data = shown(client.get(address)) | {"title": "Wells", "status": "2", "modality": "bilateral"}
    answers = twice_at_once(boss, address, data)
    assert [answer.status_code for answer in answers] == [302, 302] and Project.objects.count() == 1


# --- admin -----------------------------------------------------------------------------------------------------------
def _two_themes() -> list[str]:
    near = set(NearTerm.objects.values_list("one", "other"))
    themes = list(Term.objects.themes().values_list("pk", flat=True))
    return next([str(a), str(b)] for a in themes for b in themes if a < b and not {(a, b), (b, a)} & near)


SPECIAL = {  # what a record asks for that its fields do not tell
    "partners.country": {"iso2": "QZ", "iso3": "QZZ", "m49": "999"},
    "partners.region": {"code": "998"},
    "partners.membership": lambda: {"role": "contributor", "country": kenya().pk, "partner": ""},
    "projects.nearterm": lambda: dict(zip(("one", "other"), _two_themes(), strict=True)),
    "outreach.picture": {"file": lambda: picture()},
    "projects.offer": lambda: {"country": kenya().pk},
    "outreach.page": {"path": "about/something-new"},
    "partners.user": dict.fromkeys(["password1", "password2"], "a long enough passphrase 9"),
}


def test_each_add_form_of_admin_sent_twice_makes_one_record(people, sign_in, media):
    client, left, done = sign_in(people["administrator"]), [], []
    request = RequestFactory().get("/")
    request.user = people["administrator"]
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        address = reverse(f"admin:{name}_add")
        if not admin.site._registry[model].has_add_permission(request):
            continue
        page = client.get(address)
        if "adminform" not in (page.context or {}):
            left.append(model._meta.label)
            continue
        special = SPECIAL.get(model._meta.label_lower, {})
        data = fill(shown(page), page.context["adminform"].form) | (special() if callable(special) else special)
        first, there = sent(client, address, data, {}), rows()
        errors = first.context and [first.context.get("errors"), dict(first.context["adminform"].form.errors.items())]  # fmt: skip
        assert first.status_code == 302, (model, errors)
        token = shown(client.get(address))["csrfmiddlewaretoken"]
        for again in (data, data | {"csrfmiddlewaretoken": token}):  # double press; Back, where the page came anew
            second = sent(client, address, again, {})
            assert (second.status_code, second["Location"]) == (302, first["Location"]), model
            assert rows() == there, model
        done.append(model._meta.label)
    assert left == ["projects.ImportRun"]  # a form of its own, below
    assert {"projects.Project", "partners.User", "outreach.Story"} <= set(done)


def test_what_was_deleted_in_admin_can_be_added_again(people, sign_in):
    client, address = sign_in(people["administrator"]), reverse("admin:outreach_channel_add")
    Channel = apps.get_model("outreach", "Channel")
    data = fill(shown(client.get(address)), client.get(address).context["adminform"].form)
    client.post(address, data)
    made = Channel.objects.latest("pk")
    remove = reverse("admin:outreach_channel_delete", args=[made.pk])
    client.post(remove, shown(client.get(remove)))
    client.post(address, data | {"csrfmiddlewaretoken": "b" * 64})
    assert Channel.objects.latest("pk").pk > made.pk


def test_a_file_of_activities_sent_twice_is_one_import(people, sign_in, media):
    client, address = sign_in(people["administrator"]), reverse("admin:projects_importrun_add")
    xml = b'<iati-activities version="2.03"><iati-activity><iati-identifier>XM-1</iati-identifier></iati-activity></iati-activities>'
    answers = [client.post(address, {"file": SimpleUploadedFile("a.xml", xml), "publish": "on"}) for _n in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"] and ImportRun.objects.count() == 1
    other = client.post(address, {"file": SimpleUploadedFile("a.xml", xml + b"\n"), "publish": "on"})
    assert other["Location"] != answers[0]["Location"]


def test_a_table_sent_twice_is_one_import(people, sign_in, media):
    client, address = sign_in(people["administrator"]), reverse("admin:projects_importrun_table")
    address_of_table = reverse("admin:projects_importrun_template", args=["partners", "csv"])
    table = client.get(address_of_table, {"filled": ""}).content
    answers = [
        client.post(address, {"kind": "partners", "file": SimpleUploadedFile("a.csv", table)}) for _n in range(2)
    ]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"] and ImportRun.objects.count() == 1


def test_a_draft_that_is_deleted_twice_answers_the_same(sign_in):
    need = NeedFactory()
    drafting.save(need, {"title": "Gone soon"}, by=(who := writer()))
    need.created_by = who
    need.save()
    client = sign_in(who)
    answers = [client.post(reverse("need-delete", args=[need.reference]), {"csrfmiddlewaretoken": "a" * 64}) for _n in range(2)]  # fmt: skip
    assert [answer["Location"] for answer in answers] == [reverse("dashboard")] * 2
    assert not Need.objects.filter(pk=need.pk).exists() and need.state == NeedState.DRAFT
