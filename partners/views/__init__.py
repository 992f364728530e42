"""Pages of countries and partners, of one's account and of roles."""

from partners.views.account import (
    PasswordSet,
    SignIn,
    SignUp,
    account,
    invitation,
    invitation_withdraw,
    join,
    membership_end,
    my_data,
    my_data_file,
    people,
    request_decide,
    session_end,
    token_revoke,
    tokens,
    unsent_drop,
)
from partners.views.pages import country_detail, country_list, partner_detail, partner_list

__all__ = [
    "PasswordSet",
    "SignIn",
    "SignUp",
    "account",
    "country_detail",
    "country_list",
    "invitation",
    "invitation_withdraw",
    "join",
    "membership_end",
    "my_data",
    "my_data_file",
    "partner_detail",
    "partner_list",
    "people",
    "request_decide",
    "session_end",
    "token_revoke",
    "tokens",
    "unsent_drop",
]
