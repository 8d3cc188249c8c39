"""Whose name is under a statement: a certificate that is named, or one that is made on this machine."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import attrs
import platformdirs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kinetoscope_spec import ConfigError
from kinetoscope_spec.files import replacing

__all__ = ["CHAIN", "KEY", "Identity", "identity"]

CHAIN = "KINETOSCOPE_C2PA_CHAIN"
"""A PEM file: the certificate, then those that vouch for it."""
KEY = "KINETOSCOPE_C2PA_KEY"
"""A PEM file: the private key, P-256, without a password."""

_YEARS = 10
_PEM_BYTES = 1 << 20


@attrs.frozen
class Identity:
    """A certificate and its key.

    Attributes:
        chain: PEM, the certificate first.
        key: PEM, PKCS 8.
        own: it was made on this machine, and nobody vouches for it.
    """

    chain: bytes
    key: bytes = attrs.field(repr=False)
    own: bool


def identity() -> Identity:
    """Return the certificate that the environment names, or this machine's own, made when first needed.

    Raises:
        ConfigError: one of the two files is named without the other or can't be read, or the folder below
            `KINETOSCOPE_HOME` can't be written.
    """
    chain, key = os.environ.get(CHAIN), os.environ.get(KEY)
    if (chain is None) != (key is None):
        raise ConfigError(f"{CHAIN} and {KEY} go together, expected both or neither")
    if chain is not None and key is not None:
        return Identity(_pem(chain, CHAIN), _pem(key, KEY), own=False)
    file = _folder() / "own.pem"
    try:
        if not file.is_file():
            _make(file)
        text = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"the certificate for signing can't be kept: {error}", place=str(file)) from error
    held, _, rest = text.partition(b"-----BEGIN CERTIFICATE-----")
    return Identity(b"-----BEGIN CERTIFICATE-----" + rest, held, own=True)


def _pem(name: str, place: str) -> bytes:
    path = Path(name)
    try:
        if path.stat().st_size > _PEM_BYTES:
            raise ConfigError(f"{path} is no PEM file: it has {path.stat().st_size:,} bytes", place=place)
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror or error}", place=place) from error
    if b"-----BEGIN" not in text:
        raise ConfigError(f"{path} is no PEM file", place=place)
    return text


def _folder() -> Path:
    home = os.environ.get("KINETOSCOPE_HOME")
    given = (
        Path(home).expanduser() if home else Path(platformdirs.user_data_dir("kinetoscope", appauthor=False))
    )
    return given / "credentials"


def _make(file: Path) -> None:
    """Write a key, its certificate, and that of an authority whose key is forgotten at once."""
    authority, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("Kinetoscope local authority", authority, authority, authority=True)
    leaf = _certificate("Kinetoscope on this machine", own, authority, authority=False)
    key = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = b"".join(c.public_bytes(serialization.Encoding.PEM) for c in (leaf, root))
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as building:
        building.touch(mode=0o600)
        building.chmod(0o600)  # before anything is in it that only its owner may read
        building.write_bytes(key + chain)


def _certificate(
    name: str,
    subject: ec.EllipticCurvePrivateKey,
    issuer: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.Certificate:
    """Return a certificate as C2PA 2.1, section 14.5.1, wants them: X.509 v3 with a purpose."""
    now = datetime.datetime.now(datetime.UTC)
    signs = {"key_cert_sign": authority, "crl_sign": authority, "digital_signature": not authority}
    others = (
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "encipher_only",
        "decipher_only",
    )
    usage = x509.KeyUsage(**signs, **dict.fromkeys(others, False))
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("Kinetoscope local authority"))
        .public_key(subject.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(subject.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False
        )
    )
    if not authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        made = made.add_extension(purpose, critical=False)
    return made.sign(issuer, hashes.SHA256())


def _name(common: str) -> x509.Name:
    told = ((NameOID.ORGANIZATION_NAME, "Kinetoscope, unverified"), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in told])
