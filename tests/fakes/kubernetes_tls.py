"""Give the fake a certificate, so that clients log in as to a real API server: kubectl sends no token without TLS."""

import datetime
import functools
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TOKEN = "token-of-the-fake"
"""With which its one user logs in."""

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the fake is: its certificate in PEM, for clients to trust, and the server's side of TLS with it."""

    certificate: bytes
    context: ssl.SSLContext

    def trust(self) -> ssl.SSLContext:
        """Make the client's side of TLS, which trusts the fake alone."""
        return ssl.create_default_context(cadata=self.certificate.decode())


@functools.cache
def identity() -> Identity:
    """Make a self-signed certificate for 127.0.0.1, once in a process."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign(key).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fake.pem"  # Python's ssl reads keys from files only
        file.write_bytes(certificate + secret)
        context.load_cert_chain(file)
    return Identity(certificate, context)


def _sign(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake Kubernetes")])
    now = datetime.datetime.now(datetime.UTC)
    public, address = key.public_key(), ipaddress.ip_address("127.0.0.1")
    return (
        x509.CertificateBuilder(name, name, public, x509.random_serial_number(), now - _DAY, now + 30 * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("digital_signature", "key_cert_sign"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(address)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _usage(*allowed: str) -> x509.KeyUsage:
    usages = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
              "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{usage: usage in allowed for usage in usages})
