"""A small trust service of the tests: a root, signers, a time-stamping authority, and PDFs signed with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path

from asn1crypto import keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.generic import DictionaryObject, NameObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore


@dataclass(frozen=True, slots=True)
class Holder:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def asn1(self) -> asn1.Certificate:
        return asn1.Certificate.load(self.certificate.public_bytes(serialization.Encoding.DER))

    @property
    def asn1_key(self) -> keys.PrivateKeyInfo:
        return keys.PrivateKeyInfo.load(
            self.key.private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


def holder(
    name: str, *, valid_from: datetime, valid_to: datetime, by: Holder | None = None, stamps: bool = False
) -> Holder:
    """A root where nobody signs it, else a signer or a time-stamping authority."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from)
        .not_valid_after(valid_to)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=by is not None, content_commitment=by is not None and not stamps,
                key_encipherment=False, data_encipherment=False, key_agreement=False, key_cert_sign=by is None,
                crl_sign=by is None, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    if stamps:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return Holder(builder.sign(by.key if by else key, hashes.SHA256()), key)


class Notary:
    """A root that signs for an official (and one whose certificate ended early) and for a time-stamping authority."""

    def __init__(self, start: datetime) -> None:
        end = start + timedelta(days=3650)
        self.root = holder("Gốc thử", valid_from=start, valid_to=end)
        self.official = holder("Nguyễn Văn Ký", valid_from=start, valid_to=end, by=self.root)
        self.lapsed = holder(
            "Chứng thư đã hết hạn", valid_from=start, valid_to=start + timedelta(days=5), by=self.root
        )  # fmt: skip
        self.stranger = holder("Người lạ", valid_from=start, valid_to=end, by=holder(
            "Gốc lạ", valid_from=start, valid_to=end))  # fmt: skip
        self.authority = holder("Dấu thời gian thử", valid_from=start, valid_to=end, by=self.root, stamps=True)

    def trust(self, home: Path) -> None:
        """Puts the root on both trust lists of a home."""
        for kind in ("signers", "time-stamps"):
            folder = home / "trust" / kind
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "root.pem").write_bytes(self.root.certificate.public_bytes(serialization.Encoding.PEM))

    def stamper(self, at: datetime, authority: Holder | None = None) -> DummyTimeStamper:
        """An authority whose clock stands."""
        who = authority or self.authority
        return DummyTimeStamper(who.asn1, who.asn1_key, certs_to_embed=_store(self.root), fixed_dt=at)

    def signed(
        self, *, by: Holder | None = None, stamped_at: datetime | None = None, authority: Holder | None = None,
        page: bytes | None = None, field: str = "Ky",
    ) -> bytes:  # fmt: skip
        """A result as PDF, signed; with a time stamp where an instant is given."""
        who = by or self.official
        signer = signers.SimpleSigner(
            signing_cert=who.asn1, signing_key=who.asn1_key, cert_registry=_store(self.root)
        )  # fmt: skip
        writer = IncrementalPdfFileWriter(BytesIO(page or blank()))
        done = signers.sign_pdf(
            writer, signers.PdfSignatureMetadata(field_name=field, md_algorithm="sha256"), signer=signer,
            timestamper=None if stamped_at is None else self.stamper(stamped_at, authority),
        )  # fmt: skip
        return bytes(done.getbuffer())


def _store(*holders: Holder) -> SimpleCertificateStore:
    store = SimpleCertificateStore()
    store.register_multiple([holder.asn1 for holder in holders])
    return store


@cache
def blank() -> bytes:
    """A PDF of one empty page."""
    writer = PdfFileWriter()
    contents = writer.add_object(_stream())
    writer.insert_page(PageObject(contents=contents, media_box=(0, 0, 595, 842), resources=DictionaryObject(
        {NameObject("/ProcSet"): pdf_name("/PDF")})))  # fmt: skip
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _stream():  # type: ignore[no-untyped-def]
    from pyhanko.pdf_utils.generic import StreamObject

    return StreamObject(stream_data=b"0 0 m")
