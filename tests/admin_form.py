"""Forms of admin as a browser would send them back."""

from lxml import html


def shown(page, form_id: str | None = None) -> dict:
    """Everything that a form of a page carries, ready to be sent; the largest form where no id is given."""
    found = html.fromstring(page.content.decode().encode("utf-8"), parser=html.HTMLParser(encoding="utf-8")).forms
    form = next(f for f in found if f.get("id") == form_id) if form_id else max(found, key=lambda f: len(f.inputs))
    data: dict = {}
    for name, value in form.form_values():
        if "__prefix__" not in name:
            data.setdefault(name, []).append(value.removeprefix("\n"))
    return data
