"""Keys to sign with and to check signatures by: Ed25519, in PEM or as a JSON Web Key Set."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from careplan.canonical import canonical
from careplan.errors import InvalidSettings
from careplan.rulebook.folder import read_file
from careplan.signing.model import PublicKey, Signature, SigningKeys

LONGEST_KEY = 100_000
"""Bytes of the file of a key; many times what one has."""


class SigningKey:
    """The private key of a service."""

    def __init__(self, pem: bytes) -> None:
        """`pem` is a private key in PEM (PKCS #8) without a password. Raises `ValueError` for anything else."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (TypeError, ValueError, UnsupportedAlgorithm):
            raise ValueError("it is no private key in PEM (PKCS #8), or has a password") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("its key is of another kind than Ed25519")  # noqa: TRY004 - of a file
        self._key = key
        self.public = public_key(key.public_key())

    def sign(self, message: bytes) -> Signature:
        """The signature of these bytes."""
        return Signature(alg="EdDSA", kid=self.public.kid, value=_text(self._key.sign(message)))


def read_signing_key(file: str) -> SigningKey:
    """The key in a file. Raises `InvalidSettings`."""
    try:
        return SigningKey(read_file(file, LONGEST_KEY))
    except OSError as error:
        raise InvalidSettings(f"signing_key cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InvalidSettings(f"signing_key cannot be used: {error}") from None


class KeyPair(NamedTuple):
    """A new key in PEM: the private half, and the one to give away."""

    private: bytes
    public: bytes


def new_pair() -> KeyPair:
    """A new key, made of random bits of this machine."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(private, public)


def public_key(key: Ed25519PublicKey) -> PublicKey:
    """The key as a JWK, named by its thumbprint (RFC 7638)."""
    x = _text(key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))
    thumbprint = sha256(canonical({"crv": "Ed25519", "kty": "OKP", "x": x})).digest()
    return PublicKey(kid=_text(thumbprint), x=x, kty="OKP", crv="Ed25519", alg="EdDSA", use="sig")


def read_public_keys(content: bytes) -> list[PublicKey]:
    """The keys in PEM, or in a key set as `GET /v1/signing-keys` answers it. Raises `ValueError` for anything else."""
    if content.lstrip().startswith(b"{"):
        keys = msgspec.json.decode(content, type=SigningKeys).keys
        return [public_key(Ed25519PublicKey.from_public_bytes(_bytes(key.x))) for key in keys]
    try:
        key = serialization.load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("it is neither a public key in PEM nor a key set") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("its key is of another kind than Ed25519")  # noqa: TRY004 - of a file
    return [public_key(key)]


def is_genuine(signature: Signature, message: bytes, keys: list[PublicKey]) -> bool:
    """Whether one of these keys made this signature of these bytes. There is one way only to write a signature."""
    value = _bytes(signature.value)
    key = next((key for key in keys if key.kid == signature.kid), None)
    if key is None or _text(value) != signature.value:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(key.x)).verify(value, message)
    except InvalidSignature:
        return False
    return True


class KnownKeys:
    """Checks the signatures of plans that are brought back, by the public keys that may have made them."""

    def __init__(self, keys: list[PublicKey]) -> None:
        self._keys = keys

    def __call__(self, signature: Mapping[str, Any], message: bytes) -> Literal["genuine", "wrong", "unchecked"]:
        """Whether a signature in plain data was made of these bytes; "unchecked" where its key is none of these.

        Raises `msgspec.ValidationError` where it is no signature.
        """
        read = msgspec.convert(signature, Signature)
        if read.kid not in {key.kid for key in self._keys}:
            return "unchecked"
        return "genuine" if is_genuine(read, message, self._keys) else "wrong"


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
