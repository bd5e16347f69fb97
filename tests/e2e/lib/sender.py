# SPDX-License-Identifier: ISC
"""Mail from other servers, as they sign and send it, and what was found out
about it: read by Debian's python3-authres, signed by its python3-dkim."""
import base64
import email
import email.policy
import smtplib
import subprocess

import authres
import authres.arc
import authres.dmarc

from lib.imap import read_all

READER = authres.FeatureContext(authres.arc, authres.dmarc)


class Keys:
    """An RSA and an Ed25519 key, in the forms that dkimpy takes, and the
    records that publish them."""

    def __init__(self):
        import nacl.signing
        self.rsa = subprocess.run(
            ["openssl", "genrsa", "-traditional", "2048"], check=True,
            capture_output=True).stdout
        public = subprocess.run(
            ["openssl", "rsa", "-pubout", "-outform", "DER"], check=True,
            input=self.rsa, capture_output=True).stdout
        self.rsa_record = "v=DKIM1; p=" + base64.b64encode(public).decode()
        seed = nacl.signing.SigningKey.generate()
        self.ed25519 = base64.b64encode(seed.encode())
        self.ed25519_record = "v=DKIM1; k=ed25519; p=" + base64.b64encode(
            seed.verify_key.encode()).decode()


def txt(name, text):
    """A TXT record, in strings of at most 200 bytes."""
    parts = [text[i:i + 200] for i in range(0, len(text), 200)] or [""]
    return f"{name} TXT " + " ".join(
        '"' + p.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for p in parts)


def message(author="someone@pass.example", fields="", body="Hello\r\n",
            subject="a test"):
    return (f"{fields}From: {author}\r\nTo: you\r\nSubject: {subject}\r\n"
            "Date: Mon, 30 Nov 2026 05:00:00 +0000\r\n"
            f"Message-ID: <1@elsewhere>\r\n\r\n{body}").encode()


def sign(data, domain, key, selector="s", algorithm=b"rsa-sha256", **options):
    import dkim
    return dkim.sign(data, selector.encode(), domain.encode(), key,
                     signature_algorithm=algorithm, **options) + data


def seal(data, domain, key, results, selector="s", cv=None):
    """Add an ARC set, which says results (authserv-id; results)."""
    import dkim
    field = f"Authentication-Results: {results}\r\n".encode()
    lines = dkim.arc_sign(
        field + data, selector.encode(), domain.encode(), key,
        results.split(";")[0].encode(),
        signature_algorithm=b"rsa-sha256")
    return b"".join(lines) + data


def send(server, data, rcpts, sender="someone@pass.example",
         client="127.0.1.1", helo="pass.example", timeout=60):
    """Bring it to the MX port; a dict of code and text after the data."""
    host = "::1" if ":" in client else "127.0.0.1"
    with smtplib.SMTP(timeout=timeout) as c:
        c.source_address = (client, 0)
        c.connect(host, server.ports["mx"])
        assert c.ehlo(helo)[0] == 250
        assert c.mail(sender)[0] == 250
        for r in [rcpts] if isinstance(rcpts, str) else rcpts:
            assert c.rcpt(r)[0] == 250, r
        return c.data(data)


def mailbox(account, name="INBOX"):
    """The messages of a mailbox, as bytes."""
    return read_all(account, name)


def results(raw, authserv_id="mail.test.example"):
    """The results of the one field that is ours: (method, result, properties,
    reason), properties as {"type.name": value}."""
    m = email.message_from_bytes(raw, policy=email.policy.compat32)
    ours = []
    for value in m.get_all("Authentication-Results", []):
        h = READER.parse("Authentication-Results: " +
                         " ".join(value.split()))
        if h.authserv_id == authserv_id:
            ours.append(h)
    assert len(ours) == 1, raw
    return [(r.method, r.result,
             {f"{p.type}.{p.name}": p.value for p in r.properties}, r.reason)
            for r in ours[0].results]


def find(found, method, **properties):
    """The one result of a method, with such properties ("_" for ".")."""
    wanted = {k.replace("_", ".", 1): v for k, v in properties.items()}
    those = [r for r in found if r[0] == method and
             all(r[2].get(k) == v for k, v in wanted.items())]
    assert len(those) == 1, (method, properties, found)
    return those[0][1]
