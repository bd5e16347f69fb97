# SPDX-License-Identifier: ISC
"""Certificates for receivers: an authority, what it signs, what stands alone."""
import atexit
import hashlib
import pathlib
import shutil
import ssl
import subprocess
import tempfile


def openssl(*args, stdin=b""):
    return subprocess.run(["openssl", *map(str, args)], input=stdin,
                          check=True, capture_output=True).stdout


class Cert:
    """A certificate with its key; of an authority, or signed by itself."""

    def __init__(self, name, issuer=None, is_ca=False, days=30, alt=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="pki-"))
        self.dir.chmod(0o755)
        atexit.register(shutil.rmtree, self.dir, True)
        self.pem, self.key = self.dir / "cert.pem", self.dir / "key.pem"
        self.chain = [self] + (issuer.chain if issuer else [])
        kind = "basicConstraints=critical,CA:TRUE" if is_ca else \
            f"subjectAltName=DNS:{alt or name}"
        made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-batch", "-subj", f"/CN={name}", "-keyout",
                self.key]
        # Of the past: openssl has no option for the beginning.
        if days < 0:
            self.make_expired(name, kind, issuer, made)
        elif issuer is None:
            openssl("req", "-x509", *made, "-days", days, "-addext", kind,
                    "-out", self.pem)
        else:
            self.sign(kind, issuer, made, ["-days", days])
        self.pem.chmod(0o644)

    def sign(self, kind, issuer, made, when):
        request, ext = self.dir / "request", self.dir / "ext"
        ext.write_text(kind + "\n")
        openssl("req", "-new", *made, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", issuer.pem, "-CAkey",
                issuer.key, "-CAcreateserial", *when, "-extfile", ext,
                "-out", self.pem)

    def make_expired(self, name, kind, issuer, made):
        """By the program that keeps an authority's books."""
        request, conf = self.dir / "request", self.dir / "ca.conf"
        (self.dir / "index").write_text("")
        conf.write_text(f"""[ca]
default_ca = x
[x]
database = {self.dir}/index
new_certs_dir = {self.dir}
rand_serial = yes
default_md = sha256
policy = p
x509_extensions = e
[p]
commonName = supplied
[e]
{kind}
""")
        openssl("req", "-new", *made, "-out", request)
        by = ["-cert", issuer.pem, "-keyfile", issuer.key] if issuer else \
            ["-selfsign", "-keyfile", self.key]
        openssl("ca", "-batch", "-config", conf, "-in", request, *by,
                "-startdate", "20200101000000Z", "-enddate",
                "20200201000000Z", "-notext", "-out", self.pem)

    def issue(self, name, **how):
        return Cert(name, issuer=self, **how)

    def context(self, with_root=False):
        """For a server, with the chain below the root (or all of it)."""
        chain = self.chain if with_root or len(self.chain) == 1 else \
            self.chain[:-1]
        file = self.dir / "chain.pem"
        file.write_text("".join(c.pem.read_text() for c in chain))
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(file, self.key)
        return ctx

    def tlsa(self, usage=3, selector=1, matching=1):
        """The data of a TLSA record."""
        if selector == 0:
            data = openssl("x509", "-in", self.pem, "-outform", "DER")
        else:
            pem = openssl("x509", "-in", self.pem, "-noout", "-pubkey")
            data = openssl("pkey", "-pubin", "-outform", "DER", stdin=pem)
        if matching:
            data = {1: hashlib.sha256, 2: hashlib.sha512}[matching](
                data).digest()
        return f"{usage} {selector} {matching} {data.hex()}"
