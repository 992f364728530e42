"""Looks at pages of a running portal: one visit with an empty cache and one more serve all that ../shared/bench asks of a page.

Accessibility, keyboard, HTML, policy and weight are judged by that bench's own scripts, rules, limits and tools, in several
browsers at a time. Its programs run when they are imported, so what is needed of them is taken from their source. Runs in its Python:

    BENCH_HOME=TOOLS TOOLS/py/bin/python .ci/look.py .ci/pages.txt --base http://127.0.0.1:8000/ --accounts FILE [--all]
"""

import argparse
import ast
import json
import multiprocessing
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.util import Finalize
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "shared" / "bench"
sys.path[:0] = [str(BENCH), str(Path(__file__).parent)]
sys.dont_write_bytecode = True

import _lib  # noqa: E402
from bs4 import BeautifulSoup  # noqa: E402
from page_list import VISITORS, Budget, Page, one_of_each, read_pages  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

AT_ONCE = 3  # browsers: one of them waits for the last request of its page
WRITING_SECONDS = (1, 4)  # for a browser to write its cache, before a page is said to weigh too much
SHOWN = 40  # faults on the screen; all stand in the JSON


# --- what is taken of the bench --------------------------------------------------------------------------------------
def of_tool(tool: str, *names: str) -> list:
    """Constants and functions of one of its programs."""
    kept = []
    for node in ast.parse((BENCH / f"{tool}.py").read_text()).body:
        is_named = isinstance(node, ast.FunctionDef) or (isinstance(node, ast.Assign) and _name(node) in names)
        if is_named or (isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "_lib"):
            kept.append(node)
    space: dict = {}
    exec(compile(ast.Module(kept, []), f"{tool}.py", "exec"), space)  # noqa: S102
    return [space[name] for name in names]


def default_of(tool: str, option: str) -> str | int:
    """What an option of one of its programs is when nobody gives it."""
    for node in ast.walk(ast.parse((BENCH / f"{tool}.py").read_text())):
        if isinstance(node, ast.Call) and node.args and getattr(node.args[0], "value", None) == option:
            return next(keyword.value.value for keyword in node.keywords if keyword.arg == "default")
    raise SystemExit(f"{tool}.py has no option {option}")


def _name(node: ast.Assign) -> str:
    return getattr(node.targets[0], "id", "")


(RUN_AXE,) = of_tool("axe", "RUN")
WALK, COUNT = of_tool("keyboard", "WALK", "COUNT")
WATCH, policy = of_tool("csp", "WATCH", "policy")
(visit,) = of_tool("weight", "visit")
TAGS = str(default_of("axe", "--tags")).split(",")
WIDE, NARROW = map(int, str(default_of("axe", "--widths")).split(","))
MOST_STOPS = int(default_of("keyboard", "--max"))


# --- one page ----------------------------------------------------------------------------------------------------------
browser = axe = None


def begin() -> None:
    """Of each process: its own browser."""
    global browser, axe
    driver = sync_playwright().start()
    browser = _lib.browser(driver)
    Finalize(None, driver.stop, exitpriority=1)  # before the process waits for what it started
    axe = (_lib.NODE / "axe-core" / "axe.min.js").read_text()


class StaysOpen:
    """A context for the bench's `visit`, which closes its page: here the page stays, with what was heard while it came."""

    def __init__(self, context):
        self.context, self.errors, self.answers = context, [], []

    def new_page(self):
        self.page = self.context.new_page()
        self.close, self.page.close = self.page.close, lambda: None
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", lambda answer: self.answers.append(answer))
        return self.page

    def new_cdp_session(self, page):
        return self.context.new_cdp_session(page)

    def document(self):
        """The last answer that is the page itself, after redirects."""
        return [a for a in self.answers if a.request.is_navigation_request() and a.frame == self.page.main_frame][-1]


def look(page: Page, url: str, cookies: list[dict]) -> dict:
    """What is wrong with a page, by check; what was counted; and its HTML as served."""
    try:
        return _look(page, url, cookies)
    except Exception:
        return {"faults": [("load", traceback.format_exc(limit=-2))], "counts": Counter(), "html": None}


def _look(page: Page, url: str, cookies: list[dict]) -> dict:
    budget = VISITORS[page.who].budget
    context = browser.new_context(viewport={"width": NARROW, "height": 800})  # a new one: an empty cache
    context.add_cookies(cookies)
    context.add_init_script(WATCH)
    first, second = StaysOpen(context), StaysOpen(context)
    cold = visit(first, url)
    faults, counts = [], Counter({"kb": cold["bytes"] / 1024})
    answer = first.document()
    html, headers, status = answer.body(), answer.all_headers(), answer.status
    if budget and status < 400:  # while DEBUG is on, django-csp leaves pages of errors alone
        faults += [("csp", fault) for fault in of_policy(headers, html, first)]
    faults += [("axe", f"{fault} at {NARROW} px") for fault in of_axe(first.page, counts)]
    first.close()
    warm = visit(second, url)
    if budget:
        over = over_budget(cold, warm, budget)
        faults += [("weight", fault) for fault in over and weighed_again(url, cookies, budget)]
    second.page.set_viewport_size({"width": WIDE, "height": 900})
    faults += [("axe", f"{fault} at {WIDE} px") for fault in of_axe(second.page, counts)]
    if budget:
        faults += [("keyboard", fault) for fault in of_keyboard(second.page, counts)]
    context.close()
    return {"faults": faults, "counts": counts, "html": html if budget else None}


def of_axe(page, counts: Counter) -> list[str]:
    # By the debugger, which the page's own policy does not concern.
    page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": axe})
    found = page.evaluate(RUN_AXE, [TAGS, []])
    counts["axe"] += 1
    counts["review"] += sum(len(maybe["nodes"]) for maybe in found["incomplete"])
    return [f"{v['impact']} {v['id']}: {n['target']} {n.get('failureSummary')}" for v in found["violations"] for n in v["nodes"]]  # fmt: skip


def of_policy(headers: dict, html: bytes, opened: StaysOpen) -> list[str]:
    soup = BeautifulSoup(html.decode(), "html.parser")
    faults = [f"policy: {weak}" for weak in policy(headers.get("content-security-policy"))]
    for script in soup("script"):
        kind = script.get("type") or ""
        is_inline = not script.get("src") and not script.get("nonce") and script.get_text(strip=True)
        if is_inline and "json" not in kind and kind != "importmap":
            faults.append(f"inline script {script.get_text()[:60]!r}")
    faults += [f"inline style {s.get_text()[:60]!r}" for s in soup("style") if not s.get("nonce")]
    for tag in soup(True):
        faults += [f"inline {tag.name} {key}=" for key in tag.attrs if key == "style" or re.match(r"on[a-z]+$", key)]
        links = [str(tag.get(key, "")) for key in ("href", "src", "action")]
        faults += [f"inline {tag.name} javascript:" for link in links if link.lower().startswith("javascript:")]
    faults += [f"violation: {hit}" for hit in opened.page.evaluate("window.__csp")]
    return faults + [f"script error: {error}" for error in opened.errors]


def of_keyboard(page, counts: Counter) -> list[str]:
    page.emulate_media(reduced_motion="reduce")
    expected, stops, seen = page.evaluate(COUNT), [], set()
    for _n in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(WALK)
        if stop is None or stop["id"] in seen:
            break
        seen.add(stop["id"])
        stops.append(stop)
    counts["stops"] += len(stops)
    faults = [f"no visible focus: {stop['tag']} {stop['name']}" for stop in stops if not stop["visible_focus"]]
    faults += [f"focus hidden under something: {stop['tag']} {stop['name']}" for stop in stops if stop["covered"]]
    if not stops or not (stops[0]["href"] or "").startswith("#"):
        faults.append("first stop is not a skip link")
    if len(stops) < min(expected, MOST_STOPS) and not page.evaluate("!!document.querySelector('input[type=radio]')"):
        faults.append(f"reached {len(stops)} of {expected} controls")
    return faults


def over_budget(cold: dict, warm: dict, budget: Budget) -> list[str]:
    weighed = [
        ("KB", cold["bytes"] / 1024, budget.kb),
        ("KB of scripts", cold["by_type"].get("Script", 0) / 1024, budget.js_kb),
        ("requests", cold["requests"], budget.requests),
        ("KB on the second visit", warm["bytes"] / 1024, budget.warm_kb),
        ("other hosts", len(cold["third_party"]), 0),
    ]
    return [f"{value:.1f} {what}, more than {most:g}" for what, value, most in weighed if value > most]


def weighed_again(url: str, cookies: list[dict], budget: Budget) -> list[str]:
    """By itself, with more and more time between the visits: a browser that is still writing its cache weighs a page twice."""
    for seconds in WRITING_SECONDS:
        context = browser.new_context(viewport={"width": NARROW, "height": 800})
        context.add_cookies(cookies)
        cold = visit(context, url)
        time.sleep(seconds)
        over = over_budget(cold, visit(context, url), budget)
        context.close()
        if not over:
            break
    return over


# --- all of them -------------------------------------------------------------------------------------------------------
def of_html(documents: dict[str, bytes]) -> list[tuple[str, str]]:
    """Errors of the Nu HTML checker: address and message. One call for all documents."""
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for number, (url, html) in enumerate(documents.items()):
            path = Path(folder).resolve() / f"{number:03}.html"
            path.write_bytes(html)
            files[path.name] = url
        jar = next(_lib.NODE.glob("vnu-jar/build/dist/vnu.jar"))
        command = ["java", "-Xss2m", "-jar", str(jar), "--format", "json", "--exit-zero-always"]
        ran = subprocess.run([*command, *(f"{folder}/{name}" for name in files)], capture_output=True, text=True, check=False)  # noqa: S603  # fmt: skip
    messages = json.loads(ran.stdout or ran.stderr)["messages"]
    of_kind = [m for m in messages if m["type"] in ("error", "non-document-error")]
    return [(files.get(Path(m.get("url", "")).name, ""), f"line {m.get('lastLine')}: {m['message']}") for m in of_kind]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=Path)
    parser.add_argument("--base", required=True)
    parser.add_argument(
        "--accounts", type=Path, required=True, help="what `manage.py demo` printed: addresses and passwords"
    )
    parser.add_argument("--all", action="store_true", help="all pages, not one of each template")
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    given = parser.parse_args()
    pages = read_pages(given.list.read_text())
    pages = pages if given.all else one_of_each(pages)
    cookies = {who: _signed_in(VISITORS[who].user, given) for who in {page.who for page in pages}}
    urls = {page: _lib.only_local(given.base + page.address) for page in pages}
    processes = ProcessPoolExecutor(given.at_once, multiprocessing.get_context("spawn"), begin)
    answers = {page: processes.submit(look, page, urls[page], cookies[page.who]) for page in pages}
    found = {page: answer.result() for page, answer in answers.items()}
    documents = {f"{page.who} {page.address}": got["html"] for page, got in found.items() if got["html"] is not None}
    faults = [
        (check, f"{page.who} /{page.address}", what) for page, got in found.items() for check, what in got["faults"]
    ]
    faults += [("html", url, what) for url, what in of_html(documents)]
    _say(pages, found, len(documents), faults)
    processes.shutdown()
    sys.exit(bool(faults))


def _signed_in(user: str, given: argparse.Namespace) -> list[dict]:
    if not user:
        return []
    password = re.search(rf"{re.escape(user)} +(\S+)", given.accounts.read_text())[1]
    who = argparse.Namespace(login=f"{given.base}accounts/login/", user=user, password=password)
    return [{"name": name, "value": value, "url": given.base} for name, value in _lib.login(who).items()]


def _say(pages: list[Page], found: dict, documents: int, faults: list[tuple[str, str, str]]) -> None:
    counts = sum((got["counts"] for got in found.values()), Counter())
    heaviest = max(found, key=lambda page: found[page]["counts"]["kb"] if VISITORS[page.who].budget else 0)
    figures = {
        "load": f"{len(pages)} pages of {len({page.template for page in pages})} templates",
        "axe": f"{counts['axe']} page views, {counts['review']} to review by hand",
        "keyboard": f"{documents} pages, {counts['stops']} stops",
        "html": f"{documents} pages",
        "csp": f"{documents} pages",
        "weight": f"{documents} pages, heaviest {found[heaviest]['counts']['kb']:.1f} KB (/{heaviest.address})",
    }
    wrong = Counter(check for check, _where, _what in faults)
    for check, told in figures.items():
        print(f"{check}: {'FAIL' if wrong[check] else 'ok'} – {told}, {wrong[check]} faults")
    for check, where, what in faults[:SHOWN]:
        print(f"  {check}, {where}: {what}")
    _lib.OUT.mkdir(parents=True, exist_ok=True)
    (_lib.OUT / "look.json").write_text(json.dumps({"pages": pages, "faults": faults}, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
