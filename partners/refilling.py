"""A page that is shown once more with what somebody had typed in its form: works for every form, whatever made it.

The controls of the form get the values that were sent, so the form says the same again, also what it hides (keys by which
nothing is made twice, what it showed of the record). Marks against forgery stay those of the new page.
"""

import copy
import re
from collections.abc import Callable

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist, ValidationError
from lxml import html

Fields = list[tuple[str, str]]  # names and values as they were sent, names may come again
MARK = "csrfmiddlewaretoken"
PRESSED = ("submit", "button", "image", "reset")
EMPTY_ROW = "__prefix__"  # the row that a script copies
NUMBER = "[0-9]{1,4}"  # of a row


class Page:
    def __init__(self, content: bytes):
        self.root = html.document_fromstring(content, parser=html.HTMLParser(encoding="utf-8", huge_tree=True))

    def form_for(self, is_action: Callable[[str], bool], names: set[str]):
        """The form that is sent to that address; of several the one with most of the names."""
        found = [f for f in self.root.forms if f.get("method", "").lower() == "post" and is_action(f.get("action", ""))]
        return max(found, key=lambda form: len(names & {c.get("name") for c in self._controls(form)}), default=None)

    def fill(self, form, fields: Fields) -> Fields:
        """Gives the values to the controls of a form. Returns what has no place in it."""
        left: dict[str, list[str]] = {}
        for name, value in fields:
            left.setdefault(name, []).append(value)
        self._make_rows(form, left)
        names, pressed = set(left), set()
        for control in self._controls(form):
            name = control.get("name")
            if not name or name == MARK or f"-{EMPTY_ROW}-" in name or "disabled" in control.attrib:
                continue
            if _is_pressed(control):
                pressed.add(name)
            else:
                _set(control, left, names)
        return [
            (name, value) for name, values in left.items() if name not in pressed and not name.startswith("_")
            for value in values if value.strip()
        ]  # fmt: skip

    def in_words(self, form, fields: Fields) -> Fields:
        """What was typed as the page calls it: the label of each field, and the text of what was chosen."""
        left: dict[str, list[str]] = {}
        for name, value in fields:
            left.setdefault(name, []).append(value)
        self._make_rows(form, left)
        controls: dict[str, list] = {}
        for control in self._controls(form):
            controls.setdefault(control.get("name"), []).append(control)
        return [
            (self._label(controls.get(name, []), name), self._chosen(controls.get(name, []), value))
            for name, value in fields if value.strip() and not any(map(_is_hidden, controls.get(name, [])))
        ]  # fmt: skip

    def _label(self, controls: list, name: str) -> str:
        row = re.search(rf"-({NUMBER})-", name)
        label = self._text_for(controls[0]) if controls else ""
        if len(controls) > 1 and _is_choice(controls[0]):
            legends = controls[0].xpath("ancestor::fieldset[1]/legend")
            label = _text(legends[0]) if legends else label
        label = label or in_words(name.rpartition("-")[2] if row else name)
        return f"{int(row[1]) + 1}. {label}" if row else label

    def _chosen(self, controls: list, value: str) -> str:
        for control in controls:
            if control.tag == "select":
                texts = [_text(one) for one in control.iter("option") if one.get("value") == value]
                return texts[0] if texts else value
            if _is_choice(control) and control.get("value", "on") == value:
                return self._text_for(control)
        return value

    def _text_for(self, control) -> str:
        found = self.root.xpath("//label[@for=$id]", id=control.get("id", ""))
        return _text(found[0]) if found else control.get("aria-label", "")

    def show(self, form) -> str:
        """Opens what hides the form; returns by which id it is reached."""
        form.set("data-unsaved", "")  # draft.js: there is something to save
        for box in form.iterancestors("details"):
            box.set("open", "")
        if not form.get("id"):
            form.set("id", "unsent-form")
        return form.get("id")

    def hide(self, form, name: str, value: str) -> None:
        form.append(html.Element("input", {"type": "hidden", "name": name, "value": value}))

    def insert(self, notice: str) -> bool:
        """Puts a notice at the top of the main part, where the page has one."""
        main = self.root.find(".//main")
        if main is None:
            return False
        box = main.find("div")
        (main if box is None else box).insert(0, html.fragment_fromstring(notice.strip()))
        return True

    def __str__(self):
        return html.tostring(self.root, encoding="unicode", doctype="<!doctype html>")

    def _controls(self, form) -> list:
        own = form.get("id")
        found = [c for c in form.iter("input", "select", "textarea", "button") if c.get("form") in (None, own)]
        return found + (self.root.xpath("//*[@form=$own]", own=own) if own else [])

    # -- rows: as many as were sent
    def _make_rows(self, form, sent: dict[str, list[str]]) -> None:
        for name, values in list(sent.items()):
            prefix, _dash, what = name.rpartition("-")
            if what == "TOTAL_FORMS" and re.fullmatch(NUMBER, values[0]):
                begins = re.compile(rf"{re.escape(prefix)}-({NUMBER})-")
                numbers = {int(found[1]) for found in map(begins.match, sent) if found}
                self._make_rows_of(form, prefix, int(values[0]), numbers)

    def _make_rows_of(self, form, prefix: str, total: int, sent: set[int]) -> None:
        rows = self._rows(form, prefix)
        for key in [key for key in rows if key != EMPTY_ROW and int(key) >= total]:
            rows.pop(key).drop_tree()
        if not rows:
            return
        numbers = [int(key) for key in rows if key != EMPTY_ROW]
        source = EMPTY_ROW if EMPTY_ROW in rows else str(max(numbers))
        last = rows[str(max(numbers))] if numbers else None
        for number in sorted(number for number in sent if number < total):
            if str(number) not in rows:
                row = _copied(rows[source], f"{prefix}-{source}", f"{prefix}-{number}")
                if source == EMPTY_ROW:
                    rows[source].addprevious(row)
                else:
                    last.addnext(row)
                last = row

    def _rows(self, form, prefix: str) -> dict:
        """The element of each row, by its number."""
        begins = re.compile(rf"{re.escape(prefix)}-({NUMBER}|{EMPTY_ROW})-")
        controls: dict[str, list] = {}
        for control in form.iter("input", "select", "textarea"):
            if found := begins.match(control.get("name") or ""):
                controls.setdefault(found[1], []).append(control)
        return {key: _row_of(own, f"{prefix}-{key}") for key, own in controls.items()}


def in_words(name: str) -> str:
    """The name of a field for people, where no label is known."""
    return name.replace("_", " ").replace("-", " ")


def _row_of(controls: list, own_id: str):
    """The largest element around the controls that holds no others."""
    row = controls[0]
    for outer in controls[0].iterancestors():
        is_row = row.tag in ("tr", "fieldset", "li") or row.get("id") == own_id
        if outer.tag == "form" or is_row or any(c not in controls for c in outer.iter("input", "select", "textarea")):
            break
        row = outer
    return row


def _copied(row, name: str, new: str):
    fresh = copy.deepcopy(row)
    fresh.tail = None
    begins = re.compile(rf"{re.escape(name)}(?!\d)")
    for element in fresh.iter("*"):
        for attribute, value in element.attrib.items():
            element.set(attribute, begins.sub(new, value))
    if "empty-form" in fresh.get("class", ""):  # admin
        fresh.set("class", fresh.get("class").replace("empty-form", "").strip())
        fresh.set("id", new)
    return fresh


def _text(element) -> str:
    """Of a label, without its hint."""
    hints = "".join(f" and not(ancestor::*[@class={kind!r}])" for kind in ("hint", "vh"))
    return " ".join("".join(element.xpath(f".//text()[true(){hints}]")).split())


def _is_choice(control) -> bool:
    return control.tag == "input" and control.get("type", "").lower() in ("checkbox", "radio")


def _is_hidden(control) -> bool:
    """What a person did not write there, or what must not be shown."""
    return _is_pressed(control) or control.get("type", "").lower() in ("hidden", "password", "file")


def _is_pressed(control) -> bool:
    return control.tag == "button" or (control.tag == "input" and control.get("type", "").lower() in PRESSED)


def _set(control, left: dict[str, list[str]], names: set[str]) -> None:
    """Gives a control what was sent for it, and takes that from `left`."""
    name, kind = control.get("name"), control.get("type", "text").lower() if control.tag == "input" else control.tag
    values = left.get(name, [])
    if kind in ("password", "file"):
        left.pop(name, None)
    elif kind in ("checkbox", "radio"):
        _mark(control, "checked", control.get("value", "on") in values)
        if control.get("value", "on") in values:
            values.remove(control.get("value", "on"))
    elif kind == "select":
        if name in names or "multiple" in control.attrib:
            _choose(control, values)
    elif values:
        value = values.pop(0)
        if kind == "textarea":
            control.text = "\n" + value.replace("\r\n", "\n")  # browsers leave out the first line break
        else:
            control.set("value", value)


def _mark(element, attribute: str, is_so: bool) -> None:
    element.attrib.pop(attribute, None)
    if is_so:
        element.set(attribute, "")


def _choose(select, values: list[str]) -> None:
    chosen = list(values) if "multiple" in select.attrib else values[:1]
    for option in select.iter("option"):
        value = option.get("value", (option.text or "").strip())
        _mark(option, "selected", value in chosen)
        if value in chosen:
            chosen.remove(value)
            values.remove(value)
    for value in [value for value in chosen if value and select.get("data-field-name")]:
        option = html.Element("option", {"value": value, "selected": ""})
        option.text = _looked_up(select, value)
        select.append(option)
        values.remove(value)


def _looked_up(select, value: str) -> str:
    """The name of what was chosen in a list that admin looks up while one types: the page holds no such option."""
    try:
        model = apps.get_model(select.get("data-app-label"), select.get("data-model-name"))
        relation = model._meta.get_field(select.get("data-field-name"))
        key = getattr(relation.remote_field, "field_name", None) or "pk"
        return str(relation.remote_field.model._base_manager.get(**{key: value}))
    except (LookupError, FieldDoesNotExist, ObjectDoesNotExist, AttributeError, TypeError, ValueError, ValidationError):
        return value
