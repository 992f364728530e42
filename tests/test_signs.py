"""Signs that nobody sees: taken out of forms, refused where a program sends them, told where a file holds them."""

import json
import re

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from api.base import _without_unseen
from ground import signs
from ground.signs import IS_HIDDEN, NEEDLESS, hidden_in, without_empty_ends, without_hidden
from outreach.models import ContactMessage
from partners.models import Partner, User
from projects.interchange import cleaning
from projects.interchange.bulk import running
from projects.interchange.iati_import import import_file
from projects.models import ImportRun, Need, Project, Term
from tests.factories import NeedFactory
from tests.projects.activities import activity, document
from tests.projects.test_need_doors import Api

JOINERS = "\u00ad\u180e\u200b\u200c\u200d\u2060\u2064\ufeff"
OTHERS = "".join(
    sign
    for sign in map(chr, range(0x110000))
    if re.match(f"[{signs.NEVER_SEEN}{signs.VARIANTS}\u034f\u115f\u1160\u180b-\u180f]", sign)
)
TURNED = "Report \u202efdp.exe\u202c \u2066x\u2069\x1b[2J\ufeff"
SEEN = "Report fdp.exe x[2J"
NEEDED = (
    "می\u200cخواهم",
    "क्\u200dष",
    "עברית\u200f!",
    "ភាសា\u200bខ្មែរ",
    "PDF\u200cها",
    "ไทย\u200bไทย",
    "👩\u200d🌾",
    "👩🏽\u200d🚀",
    "🏳\ufe0f\u200d🌈",
    "ᄒ\u1160ᆫ",
    "葛\U000e0100城",
    "⠓⠑\u2800⠺⠕",
    "ᠠ\u180b",
    "בְ\u034fּ",
    "a\tb\nc",
)


ANY = st.text() | st.text(st.sampled_from("aé 中عمیक्ខ👩🏽\ufe0f" + JOINERS))


@given(ANY)
def test_no_hidden_sign_is_left_and_nothing_else_goes(text):
    left = without_hidden(text)
    assert not IS_HIDDEN.search(left) and without_hidden(left) == left

    def seen(text: str) -> str:
        text = signs.BLANK.sub(" ", signs.LINE_ENDS.sub("\n", text))
        return "".join(sign for sign in text if sign not in JOINERS + OTHERS and not IS_HIDDEN.match(sign))

    assert seen(left) == seen(text)
    assert bool(hidden_in(text)) == (left != text or signs.NUL in text)


@pytest.mark.parametrize("joiner", JOINERS)
def test_a_joiner_inside_a_word_is_taken_out_wherever_a_text_comes_in(joiner):
    for word in (
        f"Wa{joiner}ter",
        f"Wa{joiner}{joiner}ter",
        f"W{joiner}ater{joiner}",
        f"В{joiner}ода",
        f"水{joiner}质",
    ):
        plain = word.replace(joiner, "").strip()
        assert forms.CharField().clean(word) == plain
        assert cleaning.clean(word)[0] == plain
        assert _without_unseen({"title": [word]}) == {"title": [plain]}
    assert hidden_in(f"Wa{joiner}ter") == [f"U+{ord(joiner):04X}"]


@pytest.mark.parametrize("text", ["می\u200cخواهم", "क्\u200dष", "ශ්\u200dරී", "ക്\u200cഷ", "ه\u200d"])
def test_joiners_stay_beside_letters_that_take_another_form(text):
    assert forms.CharField().clean(text) == cleaning.clean(text)[0] == _without_unseen(text) == text
    assert forms.CharField().clean(f"{text} Wa\u200cter") == f"{text} Water"


@pytest.mark.parametrize("text", ["خواهم\u200c", "\u200cخواهم", "خواهم\u200c ما"])
def test_a_joiner_beside_a_space_or_an_end_joins_nothing(text):
    assert without_hidden(text) == text.replace("\u200c", "")


@pytest.mark.parametrize("sign", [*JOINERS, "\ufe0f\u200d", "\u180b", "\u034f", "\u115f\u1160"])
def test_a_run_of_signs_goes_in_few_steps(sign, monkeypatch):
    """However long it is: taken out one at a time, a contact form full of them would hold a worker."""
    steps = []

    class Counted:
        def sub(self, new, text):
            steps.append(len(text))
            return NEEDLESS.sub(new, text)

    monkeypatch.setattr(signs, "NEEDLESS", Counted())
    for before, after in (("Water", ""), ("عم", "عم"), ("ខ្មែរ", "ខ្មែរ"), ("ᠮᠣᠩ", "ᠠ"), ("👩", "👩")):
        steps.clear()
        left = without_hidden(before + sign * 500 + after)
        assert len(left) <= len(before + after) + 2 and len(steps) <= 6


@pytest.mark.parametrize("end", ["\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_an_end_of_line_of_another_kind_glues_no_words(end):
    """U+000B is what office programs write for a line within a paragraph."""
    assert without_hidden(f"Two{end}towns") == "Two\ntowns" and hidden_in(f"Two{end}towns")
    assert forms.CharField(widget=forms.Textarea).clean(f"Two{end}towns") == "Two\ntowns"


def test_fillers_need_a_letter_of_theirs():
    assert without_hidden("Title\u115f\u1160") == "Title"
    assert without_hidden("\u115f\u1160\u11a8") == "\u115f\u1160\u11a8"  # an old syllable without its first parts


@pytest.mark.parametrize("text", NEEDED)
def test_what_languages_need_stays(text):
    assert without_hidden(text) == text
    assert forms.CharField(widget=forms.Textarea).clean(text) == text


@pytest.mark.parametrize("field", [forms.CharField, forms.SlugField, forms.EmailField, forms.URLField])
def test_every_field_of_a_form_takes_them_out(field):
    text = {
        "SlugField": "a\u202eb",
        "EmailField": "a\u2066b@example.org",
        "URLField": "https://a\u200e.example/\u202eb",
    }.get(field.__name__, TURNED)
    kwargs = {"assume_scheme": "https"} if field is forms.URLField else {}
    assert not IS_HIDDEN.search(field(**kwargs).to_python(text))


UNDRAWN = ("\U000e0041", "\u034f", "\u115f", "\u17b4", "\u180b", "\ufff0", "\U0001d173", "\U000e0100", "\U000e0fff")


@pytest.mark.parametrize("sign", UNDRAWN)
def test_what_is_not_drawn_is_taken_out_and_told(sign):
    assert without_hidden(f"Wa{sign}ter") == "Water"
    assert hidden_in(f"Wa{sign}ter") == [f"U+{ord(sign):04X}"]
    assert _without_unseen({"title": f"Wa{sign}ter"}) == {"title": "Water"}


def test_every_sign_that_goes_is_looked_for_at_first():
    changed = [sign for sign in map(chr, range(0xD800)) if NEEDLESS.search(f"a{sign}b") or signs.BLANK.match(sign)]
    assert changed and all(map(signs.PERHAPS_NEEDLESS.match, changed))


def test_the_flag_of_a_part_of_a_country_loses_its_tags():
    assert without_hidden("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f") == "\U0001f3f4"


def test_selectors_of_variants_stay_once_behind_a_sign():
    assert without_hidden("❤\ufe0f\ufe0f\ufe01 \ufe0f") == "❤\ufe0f "


@pytest.mark.parametrize(
    ("sign", "plain"), [("\u2028", "\n"), ("\u2029", "\n"), ("\u2800", " "), ("\u3164", " "), ("\uffa0", " ")]
)
def test_blanks_and_ends_of_lines_of_another_kind_become_plain_ones(sign, plain):
    assert without_hidden(f"Two{sign}towns") == f"Two{plain}towns"
    assert hidden_in(f"Two{sign}towns") == [f"U+{ord(sign):04X}"]


def test_a_field_of_one_line_has_one_line():
    assert forms.CharField().clean("Two\u2028towns\r\nmore") == "Two towns more"
    assert forms.CharField(widget=forms.Textarea).clean("Two\u2028towns\r\nmore") == "Two\ntowns\nmore"


def test_a_field_with_hidden_signs_only_is_empty():
    with pytest.raises(forms.ValidationError, match="required"):
        forms.CharField().clean("\u202e\u2066")


NOTHING = ("\u200b", "\u2060 \u2060", "\u00ad", "\ufeff", "\u200f\u200d", "\u3164", "\u200b\u00a0\u2060")


@pytest.mark.parametrize("text", NOTHING)
def test_a_text_of_signs_without_width_is_empty(text):
    with pytest.raises(forms.ValidationError, match="required"):
        forms.CharField().clean(text)
    assert without_empty_ends(text) == "" and cleaning.clean(text)[0] == ""


@pytest.mark.parametrize("text", NEEDED)
def test_signs_without_width_go_at_the_ends_only(text):
    assert forms.CharField(widget=forms.Textarea).clean(f"\u200b\u2060 {text} \u00ad\ufeff") == text
    assert without_empty_ends(text) == text


@given(st.text())
def test_only_the_ends_of_a_text_change(text):
    left = without_empty_ends(text)
    assert left in text and without_empty_ends(left) == left


@pytest.mark.django_db
@pytest.mark.parametrize("text", NOTHING[:3])
def test_a_program_states_no_title_of_signs_without_width(people, text):
    api = Api(people["contributor"])
    answer = api("post", "needs/", {"kind": "capacity", "country": "KEN", "title": text, "language": "en"})
    assert answer.status_code == 400 and "title" in answer.content.decode() and not Need.objects.exists()


def test_a_password_stays_as_it_is_typed():
    assert forms.CharField(strip=False).clean("a\u202eb") == "a\u202eb"


@pytest.mark.django_db
def test_a_page_takes_them_out(client, filled_in, patient):
    client.post("/contact/", filled_in() | {"text": TURNED})
    assert ContactMessage.objects.get().text == SEEN


@pytest.mark.django_db
def test_admin_takes_them_out(client, people):
    client.force_login(people["administrator"])
    page = client.get("/admin/projects/term/add/")
    sent = {
        name: "" if field.value() is None else field.value()
        for name, field in ((f.name, f) for f in page.context["adminform"].form)
    }
    for formset in page.context["inline_admin_formsets"]:
        sent |= {f"{formset.formset.prefix}-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    answer = client.post(
        "/admin/projects/term/add/",
        sent | {"vocabulary": "bsp-theme", "code": "turned\u202e", "name_en": TURNED, "source": "A list"},
    )
    assert answer.status_code == 302, answer.context["errors"]
    assert Term.objects.get(code="turned").name_en == SEEN


@pytest.mark.django_db
def test_a_program_is_refused_with_the_place(client, people):
    client.force_login(people["focal_point"])
    need = NeedFactory(country=people["focal_point"].memberships.get().country)
    address = f"/api/v1/needs/{need.reference}/"
    answer = client.patch(address, json.dumps({"title": TURNED}), "application/json", headers={"If-Match": "*"})
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == ["title"]
    assert "nobody sees" in answer.json()["errors"][0]["detail"]
    for sent, kept in ((NEEDED[0], NEEDED[0]), ("Cle\u200ban wa\u2060ter", "Clean water")):
        answer = client.patch(address, json.dumps({"title": sent}), "application/json", headers={"If-Match": "*"})
        assert answer.status_code == 200
        assert Need.objects.get(pk=need.pk).title == kept


@pytest.mark.django_db
def test_a_table_tells_what_it_lost(media, people):
    run = ImportRun(kind="partners", file_name="t.csv", started_by=people["desk"])
    data = f"slug,name_en,kind\nturned,{TURNED},10\nplain,{NEEDED[0]},10\njoined,Wa\u200bter,10\n".encode()
    run.file.save("t.csv", SimpleUploadedFile("t.csv", data), save=False)
    running.carry_out(run, dry_run=True)
    assert "2 name_en: U+202E" in run.message and "4 name_en: U+200B" in run.message
    running.carry_out(run, dry_run=False)
    assert set(Partner.objects.filter(slug__in=("turned", "plain", "joined")).values_list("name_en", flat=True)) == {
        SEEN,
        NEEDED[0],
        "Water",
    }


@pytest.mark.django_db
def test_an_iati_file_tells_what_it_lost_in_texts_and_codes(tmp_path):
    turned = TURNED.replace("\x1b", "\u200b")  # which XML can't hold
    path = tmp_path / "file.xml"
    more = '<document-link url="https://a.example/\u202efdp.exe"/><sector vocabulary="98" code="a\u2066b"><narrative>N</narrative></sector>'
    path.write_bytes(document(activity(more, title=turned)))
    run = import_file(path, by=User.objects.system())
    project = Project.objects.get()
    assert project.title == SEEN
    assert (project.documents.get().url, project.term_links.get().reported_code) == ("https://a.example/fdp.exe", "ab")
    told = set(run.issues.filter(outcome="repaired").values_list("element", flat=True))
    assert {"title", "document-link/@url", "sector/@code"} <= told
