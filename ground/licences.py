"""Licences of open data: what re-users may do with a record. Codes and names are those of the SPDX License List; which
licences: those of the IATI Registry, and those under which the United Nations and their agencies publish.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """A licence by its code (SPDX), and where its words are."""

    code: str
    title: str
    url: str

    @property
    def short(self) -> str:
        """As people write it: CC BY-SA 4.0."""
        return re.sub(r"^(CC)-|-(?=\d|IGO)", r"\1 ", self.code)


def _creative_commons(code: str, title: str, path: str) -> Licence:
    return Licence(code, f"Creative Commons {title}", f"https://creativecommons.org/{path}/")


LICENCES = {
    one.code: one
    for one in (
        _creative_commons("CC-BY-4.0", "Attribution 4.0", "licenses/by/4.0"),
        _creative_commons("CC-BY-3.0", "Attribution 3.0", "licenses/by/3.0"),
        _creative_commons("CC-BY-3.0-IGO", "Attribution 3.0 IGO", "licenses/by/3.0/igo"),
        _creative_commons("CC-BY-SA-4.0", "Attribution-ShareAlike 4.0", "licenses/by-sa/4.0"),
        _creative_commons("CC-BY-NC-4.0", "Attribution-NonCommercial 4.0", "licenses/by-nc/4.0"),
        _creative_commons("CC-BY-NC-SA-4.0", "Attribution-NonCommercial-ShareAlike 4.0", "licenses/by-nc-sa/4.0"),
        _creative_commons("CC-BY-NC-SA-3.0-IGO", "Attribution-NonCommercial-ShareAlike 3.0 IGO", "licenses/by-nc-sa/3.0/igo"),
        _creative_commons("CC-BY-ND-4.0", "Attribution-NoDerivatives 4.0", "licenses/by-nd/4.0"),
        _creative_commons("CC-BY-NC-ND-4.0", "Attribution-NonCommercial-NoDerivatives 4.0", "licenses/by-nc-nd/4.0"),
        _creative_commons("CC0-1.0", "Zero 1.0 (public domain)", "publicdomain/zero/1.0"),
        Licence("ODC-By-1.0", "Open Data Commons Attribution 1.0", "https://opendatacommons.org/licenses/by/1-0/"),
        Licence("ODbL-1.0", "Open Data Commons Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
        Licence("PDDL-1.0", "Open Data Commons Public Domain Dedication and License 1.0", "https://opendatacommons.org/licenses/pddl/1-0/"),
        Licence("OGL-UK-3.0", "Open Government Licence 3.0 (United Kingdom)", "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"),
    )
}  # fmt: skip
OWN = LICENCES["CC-BY-4.0"]  # of what is entered here
# What an import may say instead of a code: that nobody said, that it is another, that the file was written for this portal.
UNKNOWN, OTHER, FOR_US = "unknown", "other", "portal"
