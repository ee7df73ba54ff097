"""For phones in the same network: our address there, https with a certificate of our own, a QR code to point at.

Browsers give AudioWorklet only to https (and to this machine), hence the certificate. Nobody vouches for it: a phone
asks once whether to trust it. It is kept, so that it does not ask again.
"""

import contextlib
import datetime
import ipaddress
import os
import socket
from pathlib import Path

from platformdirs import user_data_path

from sonoworld.errors import BackendMissingError

DAYS = 397
"""Longest life that browsers accept (CA/Browser Forum, since 2020)."""

SOMEWHERE = "192.0.2.1"
"""An address that nobody has (RFC 5737): asked only which way leads there; nothing is sent."""


def lan_address() -> str:
    """This machine's address in its network; the loopback's where there is no network."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect((SOMEWHERE, 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def certificate(address: str, folder: Path | None = None) -> tuple[Path, Path]:
    """PEM files of a certificate for an address and for this machine, and of its key; made where there is none yet.

    Args:
        address: IP address under which others reach us.
        folder: where they are kept; None: the user's own data folder.

    Raises:
        BackendMissingError: the package that makes them is not installed.
    """
    home = folder or user_data_path("sonoworld") / "lan"
    chain, key = home / f"{address.replace(':', '_')}.crt", home / f"{address.replace(':', '_')}.key"
    if not (chain.is_file() and key.is_file() and _lasts(chain)):
        home.mkdir(parents=True, exist_ok=True)
        _make(address, chain, key)
    return chain, key


def qr_code(text: str) -> str:
    """The text as a QR code of block characters, to be printed in a terminal.

    Raises:
        BackendMissingError: the package that makes it is not installed.
    """
    try:
        import segno  # noqa: PLC0415  optional: the `lan` extra
    except ImportError as error:
        raise BackendMissingError("QR codes need: pip install 'sonoworld[lan]'") from error
    rows = [list(row) for row in segno.make(text, error="l", micro=False).matrix_iter(border=2)]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    # light on dark terminals: a module that is dark is left empty
    blocks = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return "\n".join("".join(blocks[int(a), int(b)] for a, b in zip(*pair, strict=True)) for pair in pairs)


def _lasts(chain: Path) -> bool:
    from cryptography import x509  # noqa: PLC0415  optional: the `lan` extra

    try:
        found = x509.load_pem_x509_certificate(chain.read_bytes())
    except ValueError:
        return False
    return found.not_valid_after_utc > datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=7)


def _make(address: str, chain: Path, key: Path) -> None:
    try:
        from cryptography import x509  # noqa: PLC0415  optional: the `lan` extra
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
        from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415
    except ImportError as error:
        raise BackendMissingError("https for phones needs: pip install 'sonoworld[lan]'") from error
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sonoworld on this network")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), *(x509.IPAddress(ipaddress.ip_address(a)) for a in {address, "127.0.0.1"})]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    _write_private(key, secret.private_bytes(serialization.Encoding.PEM, *plain))
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))


def _write_private(path: Path, data: bytes) -> None:
    """A file that only its owner can read, from the start."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
