"""Somebody at a keyboard, on a narrow screen, without JavaScript; and what axe says of the pages they met."""

from django.urls import resolve

from tests.browser.conftest import cookies_of

PASSWORD = "a long enough password"
MOST_TABS = 200


class Person:
    """Somebody at a keyboard. Presses only keys."""

    def __init__(self, chromium, base: str, user, met: dict):
        self.page = chromium.new_context(viewport={"width": 360, "height": 800}, java_script_enabled=False).new_page()
        self.base, self.user, self.met = base, user, met
        if user is not None:
            self.go("/accounts/login/")
            self.write("E-mail address", user.email)
            self.write("Password", PASSWORD)
            self.press("Sign in")

    def go(self, path: str) -> None:
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
        """Tab, on from where the focus is and round the page once, until `script` says that it is where it should be."""
        there = f"([a, b]) => {{ const e = document.activeElement; return {script} }}"
        if self.fresh:
            self.page.focus("#main")
            self.fresh = False
        for _n in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(there, [*args, None][:2]):
                return
        raise AssertionError(f"No {args} on {self.page.url} by keyboard:\n{self.page.inner_text('main')[:1500]}")

    def press(self, name: str) -> None:
        """A link or a button with this name (its visible words)."""
        self._tab_to("(e.innerText || '').trim().replace(/\\s+/g, ' ') === a && /^(A|BUTTON)$/.test(e.tagName)", name)
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")
        self._look()

    def _id_of(self, label: str, within: str = "") -> str:
        scope = self.page.locator(within) if within else self.page.locator("main")
        found = scope.locator("label").filter(has_text=label).all()
        exact = [one for one in found if one.inner_text().strip() == label] or found
        return exact[0].get_attribute("for")

    def write(self, label: str, text: str, within: str = "") -> None:
        self._tab_to("e.id === a", self._id_of(label, within))
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

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


def check_with_axe(chromium, base: str, met: dict, people: dict) -> None:
    """No violation of WCAG 2.2 A and AA, nor of best practice, on any kind of page that the journey met: once for a
    person with a role, once for the public."""
    from axe_playwright_python.sync_playwright import Axe

    axe, found, seen = Axe(), [], set()
    for key, user in people.items():
        context = chromium.new_context(viewport={"width": 360, "height": 800}, bypass_csp=True)
        if user is not None:
            context.add_cookies(cookies_of(user, base))
        page = context.new_page()
        for path in [path for who, path in met if who == key]:
            shape = (user is None, resolve(path.partition("?")[0]).view_name, path.partition("/move/")[2])
            if shape in seen or page.goto(base + path).status != 200:
                continue  # a step that lies behind: its form is not there any more
            seen.add(shape)
            violations = axe.run(page).response["violations"]
            found += [(path, v["id"], v["nodes"][0]["html"][:150]) for v in violations]
        context.close()
    assert found == []
