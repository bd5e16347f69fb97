# SPDX-License-Identifier: ISC
"""What our mail is when it leaves: signed, sealed, rewritten, converted.

Signatures are verified by dkimpy (Debian's python3-dkim) against a name server
(knot) that serves what `mailstead dns` prints. The servers that get the mail
are scripted receivers.
"""
import base64
import calendar
import email
import email.message
import email.policy
import json
import re
import smtplib
import socket
import struct
import subprocess
import threading
import time

import pytest

from lib import dns, pki
from lib.imap import read_all
from lib.instance import (
    DOMAIN, PASSWORD, PATIENCE_S, Instance, free_ports, wait_for)
from lib.receiver import CUT, Receiver

dkim = pytest.importorskip("dkim")
pytest.importorskip("authres")
pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")

# Mail that failed goes again at once; who is slow has not failed.
QUICK = {"retry": "1s", "retry_max": "2s", "timeout": "1m", "idle": "2s",
         "connect_timeout": "1m"}
# What a receiver announces unless a test says otherwise.
USUAL = ("PIPELINING", "8BITMIME", "SIZE 50000000", "ENHANCEDSTATUSCODES")


def txt_records(ns, name):
    """TXT records of a name, by a query of our own: [bytes]."""
    question = b"".join(bytes([len(p)]) + p for p in
                        name.rstrip(b".").split(b".")) + b"\0"
    with socket.create_connection(("127.0.0.1", ns.port), PATIENCE_S) as s:
        ask = b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + question + b"\0\x10\0\1"
        s.sendall(struct.pack("!H", len(ask)) + ask)
        f = s.makefile("rb")
        answer = f.read(struct.unpack("!H", f.read(2))[0])
    count = struct.unpack("!H", answer[6:8])[0]
    at, found = 12 + len(question) + 4, []
    for _ in range(count):
        at += 2 if answer[at] & 0xC0 else len(question)
        kind, _, _, length = struct.unpack("!HHIH", answer[at:at + 10])
        data, at = answer[at + 10:at + 10 + length], at + 10 + length
        text = b""
        while kind == 16 and data:
            text += data[1:1 + data[0]]
            data = data[1 + data[0]:]
        found += [text] if kind == 16 else []
    return found


class World:
    """A Mailstead for test.example, a name server for all of example., and
    receivers that are other providers."""

    def __init__(self, settings=None, signed=False, **send):
        self.port = free_ports(1)[0]
        self.records, self.receivers, self.hosts = [], [], 0
        self.published = []
        self.ns = dns.NameServer([], signed=signed).start()
        look_up = {"servers": [self.ns.address], "dnssec": "no"}
        if signed:
            anchor = self.ns.dir / "anchor"
            anchor.write_text(self.ns.anchor())
            anchor.chmod(0o644)
            self.ns.dir.chmod(0o755)
            look_up.update(dnssec="yes", trust_anchor=anchor)
        options = {"dns": look_up,
                   "send": {"direct": "yes", "port": self.port,
                            "allow_loopback": "yes", **QUICK, **send}}
        for section, values in (settings or {}).items():
            options.setdefault(section, {}).update(values)
        self.server = Instance(options)
        self.server.start()
        self.server.add_domain()
        self.publish()

    def zone(self, domain):
        """What `mailstead dns` prints, without the names of other zones."""
        text = self.server.cli("dns", domain, "--zone")
        return [line for line in text.splitlines() if "_domainkey" in line]

    def publish(self, *domains):
        """Serve the DKIM records of these domains as they are now."""
        self.published = [r for d in domains or (DOMAIN,)
                          for r in self.zone(d)]
        self.ns.change(self.records + self.published)

    def add(self, *records):
        self.records += records
        self.ns.change(self.records + self.published)

    def receiver(self, *names, rule=None, **options):
        self.hosts += 1
        ip = f"127.0.2.{self.hosts}"
        r = Receiver(rule, host=ip, port=self.port, **options)
        self.receivers.append(r)
        host = f"imx{self.hosts}"
        self.add(f"{host} A {ip}", *(f"{n} MX 10 {host}" for n in names))
        r.name = f"{host}.example"
        return r

    def submit(self, account, rcpts, message, options=(), sender=None,
               rcpt=()):
        if isinstance(rcpts, str):
            rcpts = [rcpts]
        with smtplib.SMTP("127.0.0.1",
                          self.server.ports["submission"]) as c:
            c.starttls(context=self.server.tls())
            c.login(account.login, PASSWORD)
            assert c.sendmail(sender or account.login, rcpts, message,
                              options, rcpt) == {}

    def arrive(self, sender, rcpts, message, options=()):
        """As another server brings it."""
        if isinstance(rcpts, str):
            rcpts = [rcpts]
        with smtplib.SMTP("127.0.0.1", self.server.ports["mx"]) as c:
            assert c.sendmail(sender, rcpts, message, options) == {}

    def lookup(self, name, timeout=5):
        found = txt_records(self.ns, name)
        return found[0] if found else None

    def verify(self, data):
        """{algorithm: (domain, selector)} of the signatures, all good."""
        d, good = dkim.DKIM(data), {}
        for i in range(len(signatures(data))):
            assert d.verify(idx=i, dnsfunc=self.lookup), data.decode()
            fields = tags(signatures(data)[i])
            assert fields["d"].encode() == d.domain
            good[fields["a"]] = (fields["d"], fields["s"])
        return good

    def close(self):
        try:
            self.server.stop()
            self.server.check_log()
        finally:
            self.server.remove()
            for r in self.receivers:
                r.close()
            self.ns.stop()


def fields(data, name):
    """Values of a header field, unfolded."""
    header = re.sub(rb"\r\n[ \t]+", b" ", data.partition(b"\r\n\r\n")[0])
    return [line.partition(b":")[2].strip().decode(errors="replace")
            for line in header.split(b"\r\n")
            if line.lower().startswith(name.lower().encode() + b":")]


def signatures(data):
    return fields(data, "DKIM-Signature")


def tags(value):
    return {k.strip(): re.sub(r"\s", "", v) for k, _, v in
            (t.partition("=") for t in value.split(";")) if k.strip()}


@pytest.fixture(scope="module")
def world():
    w = World()
    yield w
    w.close()


@pytest.fixture
def make_world():
    made = []

    def make(*args, **kw):
        made.append(World(*args, **kw))
        return made[-1]
    yield make
    for w in made:
        w.close()


@pytest.fixture
def user(world):
    return world.server.new_account()


def mail(account, subject="hello", body="Hello\r\n", more=""):
    return (f"From: {account.login}\r\nTo: you@there.example\r\n"
            f"Subject: {subject}\r\n{more}\r\n{body}").encode()


BOTH = {"rsa-sha256", "ed25519-sha256"}


# --- DKIM ----------------------------------------------------------------------

def test_what_users_send_is_signed_with_both_keys(world, user):
    r = world.receiver("signed")
    world.submit(user, "you@signed.example", mail(user))
    data = r.wait()[0].data
    good = world.verify(data)
    assert set(good) == BOTH
    assert {d for d, _ in good.values()} == {DOMAIN}
    for s in map(tags, signatures(data)):
        assert s["c"] == "relaxed/relaxed"
        signed = s["h"].split(":")
        # Nobody can add another one.
        for name in ("from", "to", "subject", "date", "message-id"):
            assert signed.count(name) == len(fields(data, name)) + 1, name
        assert "received" not in signed and abs(
            int(s["t"]) - time.time()) < 600
    # On top, so that who signs again has it below.
    assert data.startswith(b"DKIM-Signature:")


@pytest.mark.parametrize("size", [0, 1, 60_000, 65_536, 70_000, 3_000_000])
def test_signatures_hold_whatever_the_size(world, user, size):
    r = world.receiver(f"size{size}")
    text = ".dots\r\n" + "".join(
        f".{i:050d}  \t blanks \r\n" for i in range(size // 65))
    body = text[:size] + "\r\n\r\n\r\n"
    world.submit(user, f"you@size{size}.example", mail(user, body=body))
    assert set(world.verify(r.wait()[0].data)) == BOTH


def test_a_change_on_the_way_is_seen(world, user):
    r = world.receiver("changed")
    world.submit(user, "you@changed.example", mail(user))
    data = r.wait()[0].data
    d = dkim.DKIM(data.replace(b"\r\nHello", b"\r\nHallo"))
    with pytest.raises(dkim.ValidationError):
        d.verify(dnsfunc=world.lookup)


def test_one_message_to_many_servers_is_signed_once(world, user):
    receivers = [world.receiver(f"many{i}") for i in range(6)]
    before = metric(world, "send_signed_total")
    world.submit(user, [f"you@many{i}.example" for i in range(6)],
                 mail(user))
    seen = {tuple(signatures(r.wait()[0].data)) for r in receivers}
    assert len(seen) == 1
    assert metric(world, "send_signed_total") == before + 1


def metric(world, name):
    found = re.findall(rf"^mailstead_{name}(?:{{[^}}]*}})? (\d+)",
                       world.server.cli("metrics"), re.M)
    assert found, name
    return sum(map(int, found))


def test_the_authors_domain_signs_not_the_senders(world):
    world.server.add_domain("second.example")
    world.publish(DOMAIN, "second.example")
    user = world.server.new_account()
    world.server.cli("alias", "add", "me@second.example", user.login)
    r = world.receiver("author")
    world.submit(user, "you@author.example",
                 mail(user).replace(user.login.encode(),
                                    b"me@second.example"))
    good = world.verify(r.wait()[0].data)
    assert {d for d, _ in good.values()} == {"second.example"}


def test_without_check_from_nobody_signs_for_others(make_world):
    w = make_world({"smtp": {"check_from": "no"}})
    w.server.add_domain("second.example")
    w.publish(DOMAIN, "second.example")
    user = w.server.new_account()
    r = w.receiver("there")
    w.submit(user, "you@there.example", mail(user).replace(
        user.login.encode(), b"boss@second.example"))
    good = w.verify(r.wait()[0].data)
    assert {d for d, _ in good.values()} == {DOMAIN}


def test_a_domain_without_keys_goes_unsigned(world):
    world.server.cli("domain", "add", "nokeys.example")
    for key in json.loads(world.server.cli(
            "dkim", "list", "nokeys.example", "--json"))["keys"]:
        world.server.cli("dkim", "remove", "nokeys.example",
                         key["selector"], "--force")
    user = world.server.add_user("a@nokeys.example")
    r = world.receiver("unsigned")
    account = type("", (), {"login": user})
    world.submit(account, "you@unsigned.example", mail(account))
    assert not signatures(r.wait()[0].data)
    # And signed as soon as it has some.
    world.server.cli("dkim", "add", "nokeys.example")
    world.publish(DOMAIN, "nokeys.example")
    world.submit(account, "you@unsigned.example", mail(account))
    assert world.verify(r.wait(2)[1].data)


def test_bounces_are_signed_by_the_host(make_world):
    w = make_world({"": {"hostname": f"mail.{DOMAIN}"}})
    w.server.cli("alias", "add", f"away@{DOMAIN}", "me@away.example")
    w.receiver("away", rule=lambda r, s, stage, arg:
               "550 5.1.1 nobody" if stage == "RCPT" else None)
    home = w.receiver("home")
    w.arrive("you@home.example", f"away@{DOMAIN}",
             b"From: you@home.example\r\nSubject: x\r\n\r\nHello\r\n")
    bounce = home.wait()[0]
    assert bounce.sender == ""
    assert f"MAILER-DAEMON@mail.{DOMAIN}" in fields(bounce.data, "From")[0]
    good = w.verify(bounce.data)
    assert {d for d, _ in good.values()} == {DOMAIN} and set(good) == BOTH


# --- what is forwarded -------------------------------------------------------------

def sign_by(author_domain, world, message):
    """As another provider signs; its key is published."""
    pem = subprocess.run(["openssl", "genrsa", "-traditional", "2048"],
                         check=True, capture_output=True).stdout
    public = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"],
                            input=pem, check=True, capture_output=True).stdout
    value = "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()
    world.add(f'their._domainkey.{author_domain}. TXT ' + " ".join(
        f'"{value[i:i + 200]}"' for i in range(0, len(value), 200)))
    return dkim.sign(message, b"their", author_domain.encode(), pem,
                     canonicalize=(b"relaxed", b"relaxed")) + message


def arc_verify(world, data):
    return dkim.arc_verify(data, dnsfunc=world.lookup)


def alias(world, name, *targets):
    address = f"{name}@{DOMAIN}"
    world.server.cli("alias", "add", address, *targets)
    return address


def test_a_forward_keeps_its_signature_and_gets_our_seal(world):
    r = world.receiver("fwd")
    to = alias(world, "fwd", "Me@fwd.example")
    message = sign_by("author.example", world,
                      b"From: a@author.example\r\nTo: x\r\nSubject: s\r\n"
                      b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
                      b"Message-ID: <1@author.example>\r\n\r\n"
                      b"long " + b"x" * 1200 + b"\r\n")
    world.arrive("a@author.example", to, message)
    m = r.wait()[0]
    assert m.rcpts == ["Me@fwd.example"]
    # The author's signature only: we do not sign as the author.
    assert world.verify(m.data) == {"rsa-sha256": ("author.example",
                                                   "their")}
    cv, results, reason = arc_verify(world, m.data)
    assert (cv, len(results)) == (b"pass", 1), (results, reason)
    seal = tags(fields(m.data, "ARC-Seal")[0])
    assert (seal["d"], seal["i"], seal["cv"]) == (DOMAIN, "1", "none")
    assert m.data.endswith(message)


def test_a_chain_that_came_is_not_broken(world):
    r = world.receiver("chain")
    to = alias(world, "chain", "me@chain.example")
    world.arrive("a@author2.example", to,
                 b"From: a@author2.example\r\n\r\nHello\r\n")
    once = r.wait()[0].data
    assert arc_verify(world, once)[0] == b"pass"
    world.arrive("a@author2.example", to, once)
    twice = r.wait(2)[1].data
    assert arc_verify(world, twice)[0] == b"pass"


def test_the_sender_of_a_forward_is_rewritten(world):
    r = world.receiver("srs")
    to = alias(world, "srs", "me@srs.example")
    world.arrive("Bob.Jones@strange.example", to, b"From: b@s.org\r\n\r\nx\r\n")
    m = r.wait()[0]
    assert re.fullmatch(rf"SRS0=[A-Z2-7]{{6}}=[A-Z2-7]{{2}}="
                        rf"strange\.example=Bob\.Jones@{DOMAIN}", m.sender)


def test_our_own_senders_stay(world, user):
    r = world.receiver("own")
    to = alias(world, "own", "me@own.example")
    world.submit(user, to, mail(user))
    assert r.wait()[0].sender == user.login
    # A stranger in our name, who may be one: our servers are in its SPF.
    world.arrive(user.login, to, b"From: b@s.org\r\n\r\nx\r\n")
    assert r.wait(2)[1].sender == user.login
    assert not signatures(r.messages[1].data)
    # And a bounce has none.
    world.arrive("", to, b"From: b@s.org\r\n\r\nx\r\n")
    assert r.wait(3)[2].sender == ""


def rcpt(world, address, sender=""):
    with smtplib.SMTP("127.0.0.1", world.server.ports["mx"]) as c:
        c.ehlo("strange.example")
        assert c.mail(sender)[0] == 250
        return c.rcpt(address)[0]


def srs_address(world, name, sender):
    r = world.receiver(name)
    world.arrive(sender, alias(world, name, f"me@{name}.example"),
                 b"From: b@s.org\r\n\r\nx\r\n")
    return r.wait()[0].sender


def test_a_bounce_finds_its_way_back(world):
    home = world.receiver("back")
    address = srs_address(world, "way", "Bob@back.example")
    world.arrive("", address, b"From: MAILER-DAEMON@way.example\r\n"
                 b"Subject: it failed\r\n\r\nx\r\n")
    m = home.wait()[0]
    assert m.sender == "" and m.rcpts == ["Bob@back.example"]
    assert b"it failed" in m.data
    # However the letters were changed on the way.
    world.arrive("", address.lower(), b"Subject: lower\r\n\r\nx\r\n")
    assert home.wait(2)[1].rcpts == ["bob@back.example"]


def test_our_bounce_of_a_forward_goes_back_too(world):
    home = world.receiver("sender")
    world.receiver("refusing", rule=lambda r, s, stage, arg:
                   "550 5.1.1 nobody" if stage == "RCPT" else None)
    to = alias(world, "refused", "me@refusing.example")
    world.arrive("bob@sender.example", to, b"From: b@s.org\r\n\r\nx\r\n")
    m = home.wait()[0]
    assert m.sender == "" and m.rcpts == ["bob@sender.example"]
    # It names the address that the sender knows.
    assert f"Original-Recipient: rfc822;{to}".encode() in m.data.replace(
        b"rfc822; ", b"rfc822;")


@pytest.mark.parametrize("change", [
    lambda a: a[:5] + ("A" if a[5] != "A" else "B") + a[6:],
    lambda a: a.replace("=victim.example=", "=other.example="),
    lambda a: a.replace("=bob@", "=eve@"),
    lambda a: "SRS1=AAAAAA=victim.example=" + a[4:],
    lambda a: "SRS0=@" + a.split("@")[1],
], ids=["hash", "domain", "local", "srs1", "empty"])
def test_a_forged_way_back_is_refused(world, change):
    name = f"forged{len(world.receivers)}"
    address = srs_address(world, name, "bob@victim.example")
    assert rcpt(world, address) == 250
    assert rcpt(world, change(address)) == 550
    # Nor is it a way to write to anybody.
    assert rcpt(world, address, "spam@strange.example") == 550


def test_another_forwarders_address_is_kept_within_ours(world):
    address = srs_address(world, "twice",
                          "SRS0=HHHHHH=AB=first.example=bob@mid.example")
    assert address.startswith("SRS1=") and "=mid.example==HHHHHH=" in address
    first = world.receiver("mid")
    world.arrive("", address, b"Subject: back\r\n\r\nx\r\n")
    assert first.wait()[0].rcpts == [
        "SRS0=HHHHHH=AB=first.example=bob@mid.example"]


def test_a_sender_too_long_to_rewrite_stays(world):
    long = "bounces+0123456789-abcdef-user=there.example-0123456789@" \
        "em.sendmail-provider.example"
    assert srs_address(world, "long", long) == long


# --- servers that take less ---------------------------------------------------------

PLAIN = ("PIPELINING",)
UMLAUT = "Grüße aus Köln, ".encode()


def parsed(data):
    return email.message_from_bytes(data, policy=email.policy.default)


def test_8bit_is_encoded_for_a_server_without_8bitmime(world, user):
    old = world.receiver("old", capabilities=PLAIN)
    new = world.receiver("new")
    text = mail(user, more="MIME-Version: 1.0\r\nContent-Type: text/plain; "
                "charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n")
    text += UMLAUT + b"\r\n.dot\r\n"
    world.submit(user, ["you@old.example", "you@new.example"], text,
                 options=["BODY=8BITMIME"])
    m = old.wait()[0]
    assert "BODY" not in m.mail_params and m.data.isascii()
    assert parsed(m.data)["Content-Transfer-Encoding"] == "quoted-printable"
    got = parsed(m.data).get_content().encode()
    assert UMLAUT in got and b".dot" in got
    # Signed behind the change; and as it is for who takes it as it is.
    assert set(world.verify(m.data)) == BOTH
    n = new.wait()[0]
    assert "BODY=8BITMIME" in n.mail_params and UMLAUT in n.data
    assert set(world.verify(n.data)) == BOTH
    assert signatures(n.data) != signatures(m.data)


def test_8bit_that_nobody_announced_is_announced(world, user):
    r = world.receiver("silent")
    world.submit(user, "you@silent.example", mail(user) + UMLAUT + b"\r\n")
    assert "BODY=8BITMIME" in r.wait()[0].mail_params
    # And what is ASCII needs nothing of the server.
    old = world.receiver("ascii", capabilities=PLAIN)
    message = mail(user, body="all of it ASCII\r\n")
    world.submit(user, "you@ascii.example", message,
                 options=["BODY=8BITMIME"])
    assert old.wait()[0].data.endswith(b"\r\n\r\nall of it ASCII\r\n")


def test_a_multipart_is_encoded_part_by_part(world, user):
    m = email.message.EmailMessage()
    m["From"], m["Subject"] = user.login, "parts"
    m.set_content("Grüße\n", cte="8bit")
    m.add_attachment(bytes(range(256)) * 20, maintype="application",
                     subtype="octet-stream", filename="x")
    r = world.receiver("parts", capabilities=PLAIN)
    data = m.as_bytes(policy=email.policy.SMTP.clone(cte_type="8bit"))
    world.submit(user, "you@parts.example", data)
    got = r.wait()[0].data
    assert set(world.verify(got)) == BOTH and got.isascii()
    text, file = list(parsed(got).iter_parts())
    assert text.get_content().splitlines() == ["Grüße"]
    assert file.get_content() == bytes(range(256)) * 20


def submit_binary(world, account, to, data):
    """BODY=BINARYMIME, which goes with BDAT alone."""
    with smtplib.SMTP("127.0.0.1", world.server.ports["submission"]) as c:
        c.starttls(context=world.server.tls())
        c.login(account.login, PASSWORD)
        c.ehlo()
        assert c.mail(account.login, ["BODY=BINARYMIME"])[0] == 250
        assert c.rcpt(to)[0] == 250
        c.send(b"BDAT %d LAST\r\n" % len(data) + data)
        assert c.getreply()[0] == 250


def test_binary_is_encoded_for_a_server_without_binarymime(world, user):
    body = bytes(range(256)) * 10
    r = world.receiver("nobinary")
    submit_binary(world, user, "you@nobinary.example", mail(
        user, body="", more="MIME-Version: 1.0\r\nContent-Type: image/x-y\r\n"
        "Content-Transfer-Encoding: binary\r\n") + body)
    m = r.wait()[0]
    assert set(world.verify(m.data)) == BOTH
    assert parsed(m.data)["Content-Transfer-Encoding"] == "base64"
    assert parsed(m.data).get_content() == body


@pytest.mark.parametrize("length", [998, 999, 100_000])
def test_long_lines_are_encoded(world, user, length):
    r = world.receiver(f"long{length}")
    world.submit(user, f"you@long{length}.example", mail(
        user, body="x" * length + "\r\n"))
    data = r.wait()[0].data
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert set(world.verify(data)) == BOTH
    assert parsed(data).get_content().strip() == "x" * length


def test_a_large_message_is_encoded(world, user):
    r = world.receiver("large", capabilities=PLAIN)
    line = UMLAUT * 3 + b"\r\n"
    world.submit(user, "you@large.example",
                 mail(user, more="Content-Type: text/plain; charset=utf-8\r\n"
                      "MIME-Version: 1.0\r\n") + line * 50_000)
    data = r.wait(timeout=60)[0].data
    assert data.isascii() and set(world.verify(data)) == BOTH
    assert parsed(data).get_content().count("Grüße") == 150_000


def test_what_is_forwarded_is_encoded_only_where_it_must(world):
    old = world.receiver("fold", capabilities=PLAIN)
    to = alias(world, "fold", "me@fold.example")
    world.arrive("a@far.example", to, b"From: a@far.example\r\n\r\n" +
                 UMLAUT + b"\r\n", options=["BODY=8BITMIME"])
    data = old.wait()[0].data
    assert data.isascii() and arc_verify(world, data)[0] == b"pass"


# --- international addresses ------------------------------------------------------

def inbox(account, n=1):
    def look():
        got = read_all(account)
        return len(got) >= n and got
    return wait_for(look, 60, "no message came")


def utf8_submit(world, account, to, message):
    with smtplib.SMTP("127.0.0.1", world.server.ports["submission"]) as c:
        c.starttls(context=world.server.tls())
        c.login(account.login, PASSWORD)
        c.ehlo()
        assert c.mail(account.login, ["SMTPUTF8"])[0] == 250
        c.command_encoding = "utf-8"
        assert c.rcpt(to)[0] == 250
        assert c.data(message)[0] == 250


def test_a_server_without_smtputf8_gets_a_labels(world, user):
    r = world.receiver("xn--mller-kva")
    utf8_submit(world, user, "you@müller.example", mail(user))
    m = r.wait()[0]
    assert m.rcpts == ["you@xn--mller-kva.example"]
    assert "SMTPUTF8" not in m.mail_params


def test_a_local_part_has_no_other_form(world):
    account = world.server.new_account()
    r = world.receiver("ascii-only")
    utf8_submit(world, account, "jürgen@ascii-only.example", mail(account))
    report = inbox(account)[0]
    assert b"5.6.7" in report and not r.messages


def test_a_header_in_utf8_needs_smtputf8(world):
    account = world.server.new_account()
    r = world.receiver("header-only")
    utf8_submit(world, account, "you@header-only.example",
                mail(account, subject="Grüße").decode().encode())
    assert b"5.6.7" in inbox(account)[0] and not r.messages
    r = world.receiver("both", capabilities=USUAL + ("SMTPUTF8",))
    utf8_submit(world, account, "jürgen@both.example",
                mail(account, subject="Grüße"))
    m = r.wait()[0]
    assert "SMTPUTF8" in m.mail_params and m.rcpts == ["jürgen@both.example"]


# --- what senders may ask for -------------------------------------------------------

def keywords(world, service, with_tls):
    with smtplib.SMTP("127.0.0.1", world.server.ports[service]) as c:
        if with_tls:
            c.starttls(context=world.server.tls())
        c.ehlo()
        return {k.upper(): v for k, v in c.esmtp_features.items()}


def test_what_is_announced_to_whom(world):
    plain, tls = (keywords(world, "mx", t) for t in (False, True))
    ours = keywords(world, "submission", True)
    assert "REQUIRETLS" not in plain
    assert "REQUIRETLS" in tls and "REQUIRETLS" in ours
    assert all("DELIVERBY" in k for k in (plain, tls, ours))
    for word in ("FUTURERELEASE", "MT-PRIORITY"):
        assert word in ours and word not in tls, word
    seconds, until = ours["FUTURERELEASE"].split()
    assert int(seconds) == 365 * 86400
    assert abs(calendar.timegm(time.strptime(until, "%Y-%m-%dT%H:%M:%SZ"))
               - time.time() - int(seconds)) < 600


def mail_reply(world, *params, account=None, service="submission"):
    with smtplib.SMTP("127.0.0.1", world.server.ports[service]) as c:
        if account:
            c.starttls(context=world.server.tls())
            c.login(account.login, PASSWORD)
        c.ehlo()
        return c.mail(account.login if account else "a@far.example",
                      params)[0]


@pytest.mark.parametrize("params,code", [
    (("REQUIRETLS",), 250), (("REQUIRETLS=1",), 501),
    (("HOLDFOR=60",), 250), (("HOLDFOR=31536001",), 501),
    (("HOLDFOR=x",), 501), (("HOLDUNTIL=2200-01-01T00:00:00Z",), 501),
    (("HOLDUNTIL=2020-01-01T00:00:00Z",), 250),
    (("HOLDFOR=1", "HOLDUNTIL=2020-01-01T00:00:00Z"), 501),
    (("BY=120;R",), 250), (("BY=0;R",), 501), (("BY=-5;NT",), 250),
    (("BY=120;X",), 501), (("MT-PRIORITY=9",), 250),
    (("MT-PRIORITY=-9",), 250), (("MT-PRIORITY=10",), 501)])
def test_parameters_of_users(world, user, params, code):
    assert mail_reply(world, *params, account=user) == code


@pytest.mark.parametrize("params,code", [
    (("REQUIRETLS",), 555), (("HOLDFOR=60",), 555),
    (("MT-PRIORITY=3",), 555), (("BY=120;R",), 250)])
def test_parameters_of_strangers_without_tls(world, params, code):
    assert mail_reply(world, *params, service="mx") == code


WISHES = USUAL + ("DELIVERBY", "MT-PRIORITY", "DSN", "REQUIRETLS",
                  "FUTURERELEASE 1000000 2100-01-01T00:00:00Z")


def test_wishes_are_passed_on(world, user):
    r = world.receiver("wishes", capabilities=WISHES)
    world.submit(user, "you@wishes.example", mail(user),
                 options=["MT-PRIORITY=5", "BY=600;N"])
    params = r.wait()[0].mail_params
    by = re.search(r"BY=(\d+);N\b", params)
    assert "MT-PRIORITY=5" in params and 300 < int(by[1]) <= 600
    bare = world.receiver("nowishes")
    world.submit(user, "you@nowishes.example", mail(user),
                 options=["MT-PRIORITY=5", "BY=600;N"])
    params = bare.wait()[0].mail_params
    assert "BY=" not in params and "PRIORITY" not in params


def test_who_must_return_it_is_not_left_to_others(world):
    account = world.server.new_account()
    r = world.receiver("noby")
    world.submit(account, "you@noby.example", mail(account),
                 options=["BY=600;R"])
    assert b"5.3.3" in inbox(account)[0] and not r.messages


def busy(r, s, stage, arg):
    return "451 4.3.0 later" if stage == "RCPT" else None


def test_a_time_to_deliver_by_returns_or_tells(world):
    account = world.server.new_account()
    world.receiver("busy", rule=busy, capabilities=WISHES)
    world.submit(account, "r@busy.example", mail(account),
                 options=["BY=2;R"])
    assert b"Action: failed" in inbox(account)[0]
    world.submit(account, "n@busy.example", mail(account),
                 options=["BY=2;N"])
    report = inbox(account, 2)[1]
    assert b"Action: delayed" in report and b"n@busy.example" in report
    world.server.cli("queue", "cancel", "--recipient", "n@busy.example")


def test_a_trace_tells_of_each_relay(world):
    account = world.server.new_account()
    r = world.receiver("traced", capabilities=WISHES)
    world.submit(account, "you@traced.example", mail(account),
                 options=["BY=600;NT"])
    r.wait()
    assert b"Action: relayed" in inbox(account)[0]
    assert "BY=" in r.messages[0].mail_params


def test_a_message_is_held_until_its_time(world, user):
    r = world.receiver("later")
    world.submit(user, "now@later.example", mail(user),
                 options=["HOLDFOR=86400"])
    before = time.time()
    world.submit(user, "you@later.example", mail(user),
                 options=["HOLDFOR=3"])
    assert r.wait()[0].rcpts == ["you@later.example"]
    assert time.time() - before >= 2.9
    shown = json.loads(world.server.cli("queue", "list", "--json"))
    entry = [e for e in shown["queue"]
             if e["recipient"] == "now@later.example"][0]
    assert entry["state"] == "waiting" and len(r.messages) == 1
    # The operator may let it go before.
    world.server.cli("queue", "retry", "--recipient", "now@later.example")
    assert r.wait(2)[1].rcpts == ["now@later.example"]


def test_nobody_here_gets_it_before_its_time(world, user):
    """RFC 4865: users here wait as well, and get it into their mailboxes."""
    other, r = world.server.new_account(), world.receiver("there")
    with smtplib.SMTP("127.0.0.1", world.server.ports["submission"]) as c:
        c.starttls(context=world.server.tls())
        c.login(user.login, PASSWORD)
        c.ehlo()
        c.sendmail(user.login, [other.login, "you@there.example"],
                   mail(user, subject="not yet"), ["HOLDFOR=86400"])
        # A report is read as it comes, or not at all.
        assert c.mail(user.login, ["HOLDFOR=60"])[0] == 250
        domain = user.login.split("@")[1]
        assert c.rcpt(f"mail-reports@{domain}")[0] == 550
    assert {e["recipient"] for e in json.loads(world.server.cli(
        "queue", "list", "--sender", user.login, "--json"))["queue"]} == {
            other.login, "you@there.example"}
    before = time.time()
    world.submit(user, [other.login, "you@there.example"],
                 mail(user, subject="in time"), ["HOLDFOR=3"])
    got = inbox(other)[0]
    assert time.time() - before >= 2.9
    assert b"in time" in r.wait()[0].data
    head, _, _ = got.partition(b"\r\n\r\n")
    assert head.startswith(f"Return-Path: <{user.login}>\r\n"
                           f"Delivered-To: {other.login}\r\n".encode())
    assert b"\r\nReceived: " in head and b"Subject: in time" in head
    assert head.count(b"Return-Path:") == head.count(b"Delivered-To:") == 1
    # The operator may let it go before; who is gone by then is told of.
    gone = world.server.new_account()
    world.submit(user, gone.login, mail(user, subject="too late"),
                 options=["HOLDFOR=86400"])
    world.server.cli("user", "remove", gone.login)
    world.server.cli("queue", "retry", "--recipient", gone.login)
    report = inbox(user)[0]
    assert b"5.1.1" in report and gone.login.encode() in report
    assert len(inbox(other)) == 1 and len(r.messages) == 1
    world.server.cli("queue", "cancel", "--sender", user.login)


def test_the_time_that_it_was_held_does_not_count(make_world):
    """It would expire with its first attempt."""
    w = make_world(expire="6s", retry="1s", retry_max="1s")
    account = w.server.new_account()
    tries = []

    def twice(r, s, stage, arg):
        if stage == "RCPT":
            tries.append(time.time())
            return "451 4.3.0 later" if len(tries) < 2 else None
    r = w.receiver("held", rule=twice)
    w.submit(account, "you@held.example", mail(account),
             options=["HOLDFOR=7"])
    r.wait()


@pytest.fixture(scope="module")
def secure():
    """A world whose zone is signed: names that nobody can forge."""
    w = World(signed=True)
    yield w
    w.close()


def safe_receiver(world, *names, capabilities=WISHES, matches=True):
    cert = pki.Cert("any.example")
    r = world.receiver(*names, tls=cert.context(), capabilities=capabilities)
    published = cert if matches else pki.Cert("other.example")
    world.add(f"_{world.port}._tcp.{r.name.split('.')[0]} TLSA "
              f"{published.tlsa()}")
    return r


def test_requiretls_goes_to_who_proves_itself(secure):
    user = secure.server.new_account()
    r = safe_receiver(secure, "safe")
    secure.submit(user, "you@safe.example", mail(user),
                  options=["REQUIRETLS"])
    m = r.wait()[0]
    assert m.is_tls and "REQUIRETLS" in m.mail_params.split()


@pytest.mark.parametrize("name,how", [
    ("noreq", {"capabilities": USUAL}), ("plain", None), ("notlsa", {})])
def test_requiretls_comes_back_from_who_does_not(secure, name, how):
    user = secure.server.new_account()
    if how is None:
        r = secure.receiver(name, capabilities=WISHES)
    elif not how:
        r = secure.receiver(name, capabilities=WISHES,
                            tls=pki.Cert("self.example").context())
    else:
        r = safe_receiver(secure, name, **how)
    secure.submit(user, f"you@{name}.example", mail(user),
                  options=["REQUIRETLS"])
    report = inbox(user)[0]
    assert b"5.7.30" in report and not r.messages
    # What does not ask for it goes there.
    secure.submit(user, f"you@{name}.example", mail(user))
    r.wait()


def test_requiretls_tries_the_other_hosts(secure):
    """RFC 8689 section 4.2.1: before it comes back, each has its turn."""
    user = secure.server.new_account()
    plain = secure.receiver(capabilities=WISHES)
    noreq = safe_receiver(secure, capabilities=USUAL)
    safe = safe_receiver(secure)
    secure.add(f"several MX 1 {plain.name}.", f"several MX 2 {noreq.name}.",
               f"several MX 3 {safe.name}.", f"neither MX 1 {plain.name}.",
               f"neither MX 2 {noreq.name}.")
    secure.submit(user, "you@several.example", mail(user),
                  options=["REQUIRETLS"])
    assert "REQUIRETLS" in safe.wait()[0].mail_params.split()
    secure.submit(user, "you@neither.example", mail(user),
                  options=["REQUIRETLS"])
    assert b"5.7.30" in inbox(user)[0]
    assert not plain.messages and not noreq.messages
    assert plain.sessions and noreq.sessions
    # Other mail takes the first as always.
    secure.submit(user, "you@several.example", mail(user))
    plain.wait()


def test_tls_required_no_goes_all_the_same(secure):
    user = secure.server.new_account()
    r = safe_receiver(secure, "mismatch", matches=False)
    secure.submit(user, "waits@mismatch.example", mail(user))
    secure.submit(user, "goes@mismatch.example",
                  mail(user, more="TLS-Required: No\r\n"))
    assert r.wait()[0].rcpts == ["goes@mismatch.example"]
    secure.server.wait_log(r"event=send\.defer [^\n]*waits@mismatch", 10)
    # REQUIRETLS counts for more.
    secure.submit(user, "both@mismatch.example",
                  mail(user, more="TLS-Required: No\r\n"),
                  options=["REQUIRETLS"])
    secure.server.wait_log(r"event=send\.defer [^\n]*both@mismatch", 10)
    assert len(r.messages) == 1


# --- keys that change, processes that die ------------------------------------------

def one_connection(world, account, to, stop, sent):
    with smtplib.SMTP("127.0.0.1", world.server.ports["submission"]) as c:
        c.starttls(context=world.server.tls())
        c.login(account.login, PASSWORD)
        for _ in range(500):
            try:
                c.sendmail(account.login, [to],
                           mail(account, subject=f"n{len(sent)}."))
                sent.append(len(sent))
            except smtplib.SMTPResponseException:
                pass
            if stop.wait(0.005):
                break


def flood(world, account, to, stop, sent):
    """Messages one after the other until stop is set; appends their numbers.
    The server ends a connection after a thousand of them, and when it refused
    many, and lets nobody in while what it needs for that is away."""
    while not stop.is_set():
        try:
            one_connection(world, account, to, stop, sent)
        except (OSError, smtplib.SMTPException):
            stop.wait(0.05)


def numbers(messages):
    return [int(re.search(rb"Subject: n(\d+)\.", m.data)[1])
            for m in messages]


def test_no_signature_without_its_key_in_dns(make_world):
    """Rotations, one after the other, while mail flows: when a message comes,
    each of its signatures has a key that is published."""
    w = make_world({"dkim": {"check": "yes", "wait": "1s", "keep": "1s"}})
    wait_for(lambda: [k["state"] for k in json.loads(w.server.cli(
        "dkim", "list", DOMAIN, "--json"))["keys"]] == ["active"] * 2,
        what="the first keys are not seen")
    account = w.server.new_account()
    bad, used = [], set()

    def served(name, timeout=5):
        """As it is in the zone at this moment."""
        return w.lookup(name)

    def look(receiver, session, stage, arg):
        if stage == "end":
            d = dkim.DKIM(arg.data)
            for i, s in enumerate(map(tags, signatures(arg.data))):
                used.add((s["s"], served(f"{s['s']}._domainkey.{s['d']}."
                                         .encode())))
                if not d.verify(idx=i, dnsfunc=served):
                    bad.append(s)
    r = w.receiver("flood", rule=look)
    stop, sent = threading.Event(), []
    load = threading.Thread(target=flood, args=(
        w, account, "you@flood.example", stop, sent))
    load.start()

    def go_on(more):
        """Until so many more messages came, and all that were begun before."""
        n = len(sent) + more
        wait_for(lambda: set(range(n)) <= set(numbers(r.messages)), 120,
                 "they do not come")
    try:
        for _ in range(3):
            known = set(w.zone(DOMAIN))
            fresh = json.loads(w.server.cli("dkim", "rotate", DOMAIN,
                                            "--json"))["added"]
            assert len(fresh) == 2
            go_on(10)
            w.publish()
            # The new ones sign when they were seen. The old ones go by themselves; DNS follows, when nothing that
            # they signed is under way.
            wait_for(lambda: known.isdisjoint(w.zone(DOMAIN)),
                     what="the old keys stay")
            go_on(1)
            w.publish()
            go_on(10)
    finally:
        stop.set()
        load.join()
    r.wait(len(sent), timeout=60)
    assert not bad, bad
    assert len(used) == 8 and len(sent) > 50
    assert set(w.verify(r.messages[-1].data)) == BOTH


def test_a_key_that_was_taken_back_signs_no_more(world):
    world.server.add_domain("taken.example")
    user = world.server.add_user("a@taken.example")
    account = type("", (), {"login": user})
    r = world.receiver("taken-back")
    world.submit(account, "you@taken-back.example", mail(account))
    before = {tags(s)["s"] for s in signatures(r.wait()[0].data)}
    rsa = [s for s in before if s.endswith("r")][0]
    world.server.cli("dkim", "remove", "taken.example", rsa, "--force")
    world.submit(account, "you@taken-back.example", mail(account))
    after = {tags(s)["s"] for s in signatures(r.wait(2)[1].data)}
    assert after == before - {rsa}


def test_kill_between_signing_and_delivery(world, user):
    """The server hears MAIL with the whole message signed, then we die."""
    waiting, go_on = threading.Event(), threading.Event()

    def stall(receiver, session, stage, arg):
        if stage == "MAIL" and not go_on.is_set():
            waiting.set()
            go_on.wait(PATIENCE_S)
            return CUT
    r = world.receiver("stall", rule=stall)
    world.submit(user, "you@stall.example", mail(user))
    assert waiting.wait(PATIENCE_S)
    world.server.kill("send")
    go_on.set()
    assert set(world.verify(r.wait()[0].data)) == BOTH
    time.sleep(0.5)
    assert len(r.messages) == 1


def test_kills_under_load_lose_nothing_and_leave_nothing_unsigned(make_world):
    w = make_world()
    account = w.server.new_account()
    r = w.receiver("load")
    stop, sent = threading.Event(), []
    load = threading.Thread(target=flood, args=(
        w, account, "you@load.example", stop, sent))
    load.start()
    try:
        for role in ("send", "store", "send", "filter", "send", "store"):
            n = len(sent) + 20
            wait_for(lambda n=n: len(sent) > n, what="nothing is taken")
            w.server.kill(role)
    finally:
        stop.set()
        load.join()
    wait_for(lambda: set(numbers(r.messages)) >= set(sent), 60,
             "messages are missing")
    for m in r.messages:
        assert set(w.verify(m.data)) == BOTH
