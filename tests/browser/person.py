"""Somebody at a keyboard, on a narrow screen, without JavaScript; and what axe says of the pages they met."""

from django.urls import resolve

from tests import THOROUGH
from tests.browser.conftest import cookies_of, page_of, take_seat, violations_on

PASSWORD = "a long enough password"
MOST_TABS = 200
STOPS = "a[href], button, input, select, textarea, summary"
NAMED = "(e.innerText || '').trim().replace(/\\s+/g, ' ') === a && /^(A|BUTTON)$/.test(e.tagName)"

# The next stop of the keyboard that is meant, from where the focus is and round the page once, takes the focus.
TO_THE_NEXT = """([a]) => {
  const from = document.activeElement, isAfter = (e) => from.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING
  const found = [...document.querySelectorAll('%s')].filter(e => e.tabIndex >= 0 && (%s))
  for (const e of [...found.filter(isAfter), ...found.filter(e => !isAfter(e))]) {
    e.focus()
    if (document.activeElement === e) return true
  }
  return false
}"""


class Person:
    """Somebody at a keyboard. Presses only keys. Whoever shares the window of others sits down at it with `go`."""

    def __init__(self, chromium, base: str, user, met: dict, page=None):
        self.page = page or page_of(chromium, base, None, java_script_enabled=False)
        self.base, self.user, self.met = base, user, met
        self.cookies = cookies_of(user, base) if user else []
        self.page.seated = None

    def sign_in(self) -> None:
        """By the form, as everybody does who has no cookie yet."""
        self.cookies, self.page.seated = [], None
        self.go("/accounts/login/")
        self.write("E-mail address", self.user.email)
        self.write("Password", PASSWORD)
        self.press("Sign in")
        self.cookies = self.page.context.cookies()

    def go(self, path: str) -> None:
        if self.page.seated is not self:
            take_seat(self.page, self.cookies)
            self.page.seated = self
        answer = self.page.goto(self.base + path)
        assert answer.status < 400, (path, answer.status)
        self._look()

    def _look(self) -> None:
        """Where one has come to: nothing scrolls sideways; the page is kept for axe."""
        self.fresh = True
        assert self.page.evaluate("document.documentElement.scrollWidth") <= 360, self.page.url
        path = self.page.url.removeprefix(self.base).partition("#")[0]
        self.met.setdefault((self.user.pk if self.user and not path.startswith("/accounts/") else None, path), None)

    def _tab_to(self, script: str, *args) -> None:
        """By Tab to where `script` says. Without scripts of the page the order of its stops is the browser's own, so that it
        shows as much to come there from the stop before; every single Tab of the way is pressed in `make thorough`."""
        there = f"([a, b]) => {{ const e = document.activeElement; return {script} }}"
        if self.fresh:
            self.page.focus("#main")
            self.fresh = False
        if THOROUGH:
            for _n in range(MOST_TABS):
                self.page.keyboard.press("Tab")
                if self.page.evaluate(there, [*args, None][:2]):
                    return
        elif self.page.evaluate(TO_THE_NEXT % (STOPS, script), list(args)):
            self.page.keyboard.press("Shift+Tab")
            assert not self.page.evaluate(there, [*args, None][:2]), "Shift+Tab does not leave it"
            self.page.keyboard.press("Tab")
            if self.page.evaluate(there, [*args, None][:2]):
                return
        raise AssertionError(f"No {args} on {self.page.url} by keyboard:\n{self.page.inner_text('main')[:1500]}")

    def press(self, name: str) -> None:
        """A link or a button with this name (its visible words)."""
        self._tab_to(NAMED, name)
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")
        self._look()

    def _id_of(self, label: str, within: str = "") -> str:
        scope = self.page.locator(within) if within else self.page.locator("main")
        found = scope.locator("label").filter(has_text=label).all()
        exact = [one for one in found if one.inner_text().strip() == label] or found
        return exact[0].get_attribute("for")

    def write(self, label: str, text: str, within: str = "") -> None:
        self.write_into(self._id_of(label, within), text)

    def write_into(self, key: str, text: str) -> None:
        """Into the field with this id. A choice and a date take key after key, words come at once as a keyboard of a phone sends them."""
        self._tab_to("e.id === a", key)
        kind, value = self.page.evaluate("[document.activeElement.type, document.activeElement.value]")
        if kind in ("select-one", "date"):
            self.page.keyboard.type(text)
            return
        if value:
            self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def choose(self, label: str, within: str = "") -> None:
        """A radio button or a box with this label. Radio buttons of one group are one stop: arrows lead on."""
        target = self._id_of(label, within)
        if self.page.evaluate("document.activeElement.id") != target:
            self._tab_to("e.id === a || (e.type === 'radio' && e.name === document.getElementById(a)?.name)", target)
        for _n in range(12):
            if self.page.evaluate("document.activeElement.id") == target:
                break
            self.page.keyboard.press("ArrowDown")
        if not self.page.evaluate("document.activeElement.checked"):
            self.page.keyboard.press("Space")
        assert self.page.evaluate("document.activeElement.checked"), label

    def says(self, *texts: str) -> None:
        shown = self.page.inner_text("main")
        for text in texts:
            assert text in shown, (text, self.page.url, shown[:1500])


# With which kinds of fields a page asks: confirmations of moves that ask the same way are one page to axe.
KINDS = """() => [...new Set([...document.querySelectorAll('main :is(input, select, textarea)')].map(e => e.type))].sort().join()"""
_seen: set = set()  # in this process: what one test has had checked, the next need not


def check_with_axe(chromium, base: str, met: dict, people: dict) -> None:
    """No violation of WCAG 2.2 A and AA, nor of best practice, on any kind of page that the journey met: once for a
    person with a role, once for the public. Of the moves, `make thorough` looks at each, `make test` at each kind of form."""
    found, page = [], page_of(chromium, base, None, bypass_csp=True)
    for key, user in people.items():
        take_seat(page, cookies_of(user, base) if user else [])
        for path in [path for who, path in met if who == key]:
            view = (user is None, resolve(path.partition("?")[0]).view_name)
            move = path.partition("/move/")[2].partition("?")[0]
            if (*view, move) in _seen:
                continue
            if page.goto(base + path).status != 200:
                continue  # a step that lies behind: its form is not there any more
            kind = (*view, f"/{page.evaluate(KINDS)}" if move and not THOROUGH else move)
            if kind in _seen:
                continue
            _seen.update({kind, (*view, move)})
            found += [(path, v["id"], v["nodes"][0]["html"][:150]) for v in violations_on(page)]
    assert found == []
