"""Activities of IATI, as files hold them."""

from pathlib import Path

from lxml import etree

from tests import THOROUGH

ACTIVITY = """<iati-activity xml:lang="en" default-currency="USD">
<iati-identifier>{identifier}</iati-identifier>
<reporting-org ref="XM-DAC-41114" type="40"><narrative>UNDP</narrative></reporting-org>
<title><narrative>{title}</narrative></title>
<description><narrative>Text of the activity.</narrative></description>
<participating-org ref="XM-DAC-41114" role="4"><narrative>UNDP</narrative></participating-org>
<activity-status code="2"/>
<recipient-country code="KE"/>
{more}</iati-activity>"""


def document(*activities: str, version="2.03") -> bytes:
    return f'<iati-activities version="{version}">{"".join(activities)}</iati-activities>'.encode()


def activity(more="", identifier="XX-1", title="A project") -> str:
    return ACTIVITY.format(identifier=identifier, title=title, more=more)


def some_of(path: Path) -> bytes:
    """A file with one in four of its activities, beginning with the first; `make thorough` takes it whole."""
    root = etree.parse(path).getroot()
    for number, one in enumerate(root.findall("iati-activity")):
        if number % 4 and not THOROUGH:
            root.remove(one)
    return etree.tostring(root)
