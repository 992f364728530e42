"""Forms of passkeys: what a browser sends of one comes in through a library that breaks with whatever it does not expect."""

import struct
from functools import wraps

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn import forms
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from fido2 import cbor
from fido2.utils import websafe_decode

LARGEST = (
    65_535  # COSE names algorithms by numbers down to minus this (RFC 9053); nothing else of a passkey is a number
)

# What fido2 and the parts below it raise at JSON and CBOR that are no passkey: RuntimeError is also what is too deep, or a kind
# of key that they do not know.
UNREADABLE = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RuntimeError, struct.error,
    InvalidSignature, UnsupportedAlgorithm,
)  # fmt: skip


def refuse_what_fills_memory(sent) -> None:
    """Raises ValueError. Where fido2 expects octets and is given a number, it makes that many of them, in JSON and in the CBOR within."""
    if isinstance(sent, dict):
        if isinstance(packed := sent.get("attestationObject"), str):
            found = cbor.decode(websafe_decode(packed))
            if not isinstance(found, dict) or not isinstance(found.get("authData"), bytes):
                raise ValueError("An attestation without data.")
        sent = list(sent.values())
    if isinstance(sent, list):
        for inner in sent:
            refuse_what_fills_memory(inner)
    elif isinstance(sent, int | float) and abs(sent) > LARGEST:
        raise ValueError("A number larger than any of a passkey.")


def refused_where_unreadable(read):
    """The same as a step of a form: what can't be read is a wrong passkey, told at the form."""

    @wraps(read)
    def step(self):
        try:
            refuse_what_fills_memory(self.cleaned_data.get("credential"))
            return read(self)
        except UNREADABLE as error:
            raise get_adapter().validation_error("incorrect_code") from error

    return step


class AddPasskey(forms.AddWebAuthnForm):
    @refused_where_unreadable
    def clean(self):
        cleaned = super().clean()
        if credential := cleaned.get("credential"):  # read like this on each page that lists them
            credential.get("clientExtensionResults", {}).get("credProps", {}).get("rk")
        return cleaned


class SignUpWithPasskey(forms.SignupWebAuthnForm):
    clean = refused_where_unreadable(forms.SignupWebAuthnForm.clean)


class AuthenticateWithPasskey(forms.AuthenticateWebAuthnForm):
    clean_credential = refused_where_unreadable(forms.AuthenticateWebAuthnForm.clean_credential)


class LoginWithPasskey(forms.LoginWebAuthnForm):
    clean_credential = refused_where_unreadable(forms.LoginWebAuthnForm.clean_credential)


class ReauthenticateWithPasskey(forms.ReauthenticateWebAuthnForm):
    clean_credential = refused_where_unreadable(forms.ReauthenticateWebAuthnForm.clean_credential)
