"""Who takes part: places, organisations, people and their roles."""

from partners.models.call_count import CallCount
from partners.models.change import (
    Change,
    PublicRecord,
    Touched,
    kind_of,
    last_change,
    last_change_of,
    newest_change_of,
    tell_now,
    with_last_change,
)
from partners.models.joining import Invitation, JoinRequest
from partners.models.mail_text import MailText
from partners.models.partner import Membership, Partner, PartnerCountry
from partners.models.place import Country, CountryGroup, GroupMember, Region
from partners.models.program import ApiToken, KeptAnswer
from partners.models.provenance import Provenance, Traceable
from partners.models.reference import ReferenceValue
from partners.models.unsent import UnsentForm
from partners.models.user import User

__all__ = [
    "ApiToken",
    "CallCount",
    "Change",
    "Country",
    "CountryGroup",
    "GroupMember",
    "Invitation",
    "JoinRequest",
    "KeptAnswer",
    "MailText",
    "Membership",
    "Partner",
    "PartnerCountry",
    "Provenance",
    "PublicRecord",
    "ReferenceValue",
    "Region",
    "Touched",
    "Traceable",
    "UnsentForm",
    "User",
    "kind_of",
    "last_change",
    "last_change_of",
    "tell_now",
    "newest_change_of",
    "with_last_change",
]
