# SPDX-License-Identifier: ISC
"""Who gets through, by network: clients from several loopback networks, whose
connections end in every way."""
import contextlib
import ctypes
import html
import http.client
import json
import os
import re
import smtplib
import socket
import ssl
import struct
import time

import pytest

from lib import dns, mmdb
from lib.instance import PASSWORD, Instance, wait_for

OK, REFUSED, USAGE = 0, 1, 2
FAILURES = 3


def js(server, *args):
    return json.loads(server.cli(*args, "--json"))


def rows(server, *args):
    return {(r["network"], r["service"]): r
            for r in js(server, "reach", *args)["networks"]}


def row(server, network, service, **want):
    """Its counts, when they have arrived: the fronts tell once a second."""
    def look():
        r = rows(server).get((network, service))
        return r and all(r[k] == v for k, v in want.items()) and r
    return wait_for(look, 5, f"{network} {service} {want}: "
                    f"{rows(server).get((network, service))}")


def connect(server, service, source):
    s = socket.create_connection(("127.0.0.1", server.ports[service]), 10,
                                 (source, 0))
    return s


def tls(server, s):
    return server.tls().wrap_socket(s, server_hostname="mail.test.example")


def my_connection(server, source):
    """What the site tells somebody who comes from there, as text."""
    c = http.client.HTTPConnection("127.0.0.1", server.ports["http"], 10,
                                   source_address=(source, 0))
    c.request("GET", "/check")
    r = c.getresponse()
    assert r.status == 200
    text = re.sub("<[^>]*>", " ", r.read().decode())
    c.close()
    return html.unescape(re.sub(r"\s+", " ", text))


class From:
    """Clients of one address."""

    def __init__(self, server, source):
        self.server, self.source = server, source

    def imap(self, login, password=PASSWORD):
        s = tls(self.server, connect(self.server, "imaps", self.source))
        f = s.makefile("rb")
        f.readline()
        s.sendall(f'a LOGIN "{login}" "{password}"\r\n'.encode())
        answer = f.readline()
        if answer.startswith(b"a OK"):
            s.sendall(b"b LOGOUT\r\n")
            f.read()
        f.close()
        s.close()
        return answer

    def reset(self, service):
        s = connect(self.server, service, self.source)
        s.recv(1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
        s.close()

    def distrust(self):
        """A client that does not know who signed the certificate."""
        s = connect(self.server, "imaps", self.source)
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(
                s, server_hostname="mail.test.example")

    def leave(self, service):
        s = connect(self.server, service, self.source)
        s.recv(4096)
        s.close()


@pytest.fixture(scope="module")
def box():
    s = Instance({"auth": {"failures": FAILURES},
                  "limits": {"connections_per_address": 5},
                  "smtp": {"idle": "5s"}})
    s.start()
    s.add_domain()
    yield s
    try:
        s.stop()
    finally:
        s.remove()


def test_every_outcome_is_counted_by_network(box):
    alice, bob = box.new_account(), box.new_account()
    a, b = From(box, "127.11.0.7"), From(box, "127.12.3.9")
    for who in (alice, alice, bob):
        assert a.imap(who).startswith(b"a OK")
    for _ in range(2):
        b.distrust()
    b.leave("imap")
    b.reset("imap")
    b.reset("mx")
    assert b.imap(alice, "wrong").startswith(b"a NO")
    r = row(box, "127.11.0.0/16", "imaps", connections=3)
    assert (r["tls"], r["greeted"], r["signed_in"], r["well"]) == (3,) * 4
    assert r["accounts"] == 2 and r["family"] == 4
    assert r["port"] == box.ports["imaps"]
    assert 0 < r["rtt_p50_us"] <= r["rtt_p95_us"] < 1000000
    assert r["verdict"] == "too little known" and r["usual"] is None
    r = row(box, "127.12.0.0/16", "imaps", connections=3)
    assert (r["tls"], r["tls_failed"], r["tls_alerts"]) == (1, 2, 2)
    assert r["tls_alert"] == "48 unknown_ca" and r["auth_failed"] == 1
    assert (r["signed_in"], r["accounts"]) == (0, 0)
    # Alice was at a's address twice, and never at b's.
    assert (r["known_devices"], r["known_failed"]) == (0, 0)
    assert a.imap(alice, "wrong").startswith(b"a NO")
    r = row(box, "127.11.0.0/16", "imaps", connections=4)
    assert (r["known_devices"], r["known_failed"]) == (2, 1)
    r = row(box, "127.12.0.0/16", "imap", connections=2)
    assert (r["greeted"], r["tls"], r["resets"], r["left"]) == (2, 0, 1, 1)
    assert row(box, "127.12.0.0/16", "mx", connections=1)["resets"] == 1
    with connect(box, "http", "127.12.3.9") as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 ")
        while s.recv(4096):
            pass
    assert row(box, "127.12.0.0/16", "http", connections=1)["well"] == 1
    # This machine is no network.
    From(box, "127.0.0.1").leave("pop3")
    row(box, "local", "pop3", connections=1)


SO_ATTACH_FILTER = 26
LARGE = 600


def lose_large_packets(s):
    """From now on, those that come to this socket: a black hole as a tunnel
    with a smaller MTU makes it (BPF: if len > LARGE: drop, else all of it)."""
    code = [(0x80, 0, 0, 0), (0x25, 0, 1, LARGE), (0x06, 0, 0, 0),
            (0x06, 0, 0, 0xffffffff)]
    program = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *c) for c in code))
    s.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack(
        "HxxxxxxP", len(code), ctypes.addressof(program)))


def is_repeating(server, client):
    """Our server sends something again and again to that port."""
    ports = (f":{server.ports['imaps']:04X}", f":{client:04X}")
    with open("/proc/net/tcp", encoding="ascii") as f:
        for line in f.readlines()[1:]:
            w = line.split()
            if (w[1][-5:], w[2][-5:]) == ports and int(w[6], 16) > 0:
                return True
    return False


def test_what_breaks_off_behind_sign_in(box):
    c, user = From(box, "127.24.0.1"), box.new_account()

    def session():
        s = tls(box, connect(box, "imaps", c.source))
        f = s.makefile("rb")
        f.readline()

        def run(command):
            s.sendall(f"a {command}\r\n".encode())
            while not (line := f.readline()).startswith(b"a "):
                pass
            return line
        assert run(f'LOGIN "{user}" "{PASSWORD}"').startswith(b"a OK")
        return s, f, run
    # Over, as it should be; and without a word, with nothing to say.
    assert c.imap(user).startswith(b"a OK")
    s, f, run = session()
    message = b"Subject: large\r\n\r\n" + b"x" * 70 * 99
    s.sendall(b"a APPEND INBOX {%d+}\r\n%s\r\n" % (len(message), message))
    while not (line := f.readline()).startswith(b"a "):
        pass
    assert line.startswith(b"a OK")
    f.close()
    s.close()
    r = row(box, "127.24.0.0/16", "imaps", connections=2)
    assert (r["sessions"], r["cut_off"], r["well"]) == (2, 0, 2)
    # Small packets pass, and the first large answer does not.
    s, f, run = session()
    assert run("SELECT INBOX").startswith(b"a OK")
    lose_large_packets(s)
    assert run("NOOP").startswith(b"a OK")
    s.sendall(b"b FETCH 1 BODY.PEEK[]\r\n")
    wait_for(lambda: is_repeating(box, s.getsockname()[1]))
    f.close()
    s.close()
    r = row(box, "127.24.0.0/16", "imaps", connections=3)
    assert (r["sessions"], r["cut_off"], r["left"]) == (3, 1, 1)
    # And something on the way resets it.
    s, f, run = session()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    f.close()
    s.close()
    r = row(box, "127.24.0.0/16", "imaps", connections=4)
    assert (r["sessions"], r["cut_off"], r["resets"]) == (4, 2, 1)
    assert "CUT" in box.cli("reach", "--network", "127.24.0.1")


def handshakes(box, **want):
    def look():
        return [r for r in js(box, "reach", "--tls", "--network",
                              "127.14.0.0/16")["handshakes"]
                if all(r[k] == v for k, v in want.items())]
    return wait_for(look, 5, f"{want}")


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_handshakes_by_version_and_alert(box):
    c, user = From(box, "127.14.0.1"), box.new_account()
    assert c.imap(user).startswith(b"a OK")
    c.distrust()
    c.distrust()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        old.wrap_socket(connect(box, "imaps", c.source))
    with connect(box, "imaps", c.source) as s:
        s.sendall(b"x\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            while s.recv(100):
                pass
    done, = handshakes(box, outcome="done", version="TLSv1.3")
    assert (done["service"], done["handshakes"]) == ("imaps", 1)
    assert done["alert"] is None and done["networks"] == 1
    refused, = handshakes(box, outcome="refused by client", handshakes=2)
    assert refused["alert"] == "48 unknown_ca"
    assert refused["version"] == "TLSv1.3"
    old, = handshakes(box, outcome="refused by us", version="TLSv1.1")
    assert old["alert"] == "70 protocol_version" and old["handshakes"] == 1
    http, = handshakes(box, version="none")
    assert http["handshakes"] == 1
    assert "refused by us" in box.cli("reach", "--tls")


def test_limits_bans_timeouts_and_mail(box):
    c, user = From(box, "127.13.0.1"), box.new_account()
    for _ in range(FAILURES):
        c.imap(user, f"wrong {time.monotonic()}")
    assert c.imap(user).startswith(b"a NO")
    r = row(box, "127.13.0.0/16", "imaps", connections=FAILURES + 1)
    assert (r["auth_failed"], r["banned"]) == (FAILURES, 1)
    held = [connect(box, "mx", "127.13.0.2") for _ in range(5)]
    refused = connect(box, "mx", "127.13.0.2")
    assert b"too many" in refused.recv(100)
    # These say nothing, until we give up.
    for s in (*held, refused):
        s.settimeout(60)
        while s.recv(100):
            pass
        s.close()
    r = row(box, "127.13.0.0/16", "mx", connections=6)
    assert (r["limited"], r["timeouts"]) == (1, 5)
    with smtplib.SMTP("127.0.0.1", box.ports["mx"], timeout=60,
                      source_address=("127.14.0.1", 0)) as s:
        s.sendmail("x@elsewhere.example", [str(user)], b"Subject: x\r\n\r\nx")
    assert row(box, "127.14.0.0/16", "mx", connections=1)["well"] == 1


def test_what_an_address_has_to_bear(box):
    c, user = From(box, "127.15.0.1"), box.new_account()
    ask = ("reach", "check", "127.15.0.1")
    r = js(box, *ask)
    assert r == {"address": "127.15.0.1", "network": "127.15.0.0/16",
                 "name": None, "others": "not enough to say",
                 "sign_in": "free", "until": None}
    c.imap(user, "wrong 1")
    assert js(box, *ask)["sign_in"] == "slowed"
    assert "A little: sign-ins from" in my_connection(box, "127.15.0.1")
    for i in range(FAILURES):
        c.imap(user, f"wrong again {i}")
    r = js(box, *ask)
    assert r["sign_in"] == "banned" and r["until"]
    assert "It is your address: we do not let it sign in until" in \
        my_connection(box, "127.15.0.1")
    assert js(box, "reach", "check", "127.15.0.2")["sign_in"] == "free"
    assert box.cli("reach", "check", "mail.example",
                   check=False).returncode == USAGE


def test_others_got_through_when_they_are_many(box):
    """Not with 19 accounts: a neighbour could be told apart."""
    d = From(box, "127.16.0.1")
    domains = [f"d{i}.example" for i in range(6)]
    for name in domains:
        box.add_domain(name)
    users = [box.add_user(f"u{i}@{domains[i % 6]}") for i in range(26)]

    def answer():
        return js(box, "reach", "check", "127.16.9.9")["others"]
    for u in users[:19]:
        d.imap(u)
    row(box, "127.16.0.0/16", "imaps", signed_in=19)
    assert answer() == "not enough to say"
    assert "Too few others use your network" in my_connection(
        box, "127.16.9.9")

    def is_enough():
        """All of them, so that they are in one cell of five minutes: of two, one
        behind the other, nobody knows whether they have the same accounts."""
        for u in users:
            d.imap(u)
        count.append(count[-1] + len(users))
        row(box, "127.16.0.0/16", "imaps", signed_in=count[-1])
        return answer() == "yes"
    count = [19]
    wait_for(is_enough, what="all of them are not enough")
    told = my_connection(box, "127.16.9.9")
    assert "127.16.9.9 (IPv4)" in told and "127.16.0.0/16" in told
    assert "Yes, in the last 15 minutes." in told
    assert "127.16.0.1" not in told and "u1@" not in told
    assert js(box, "reach", "check", "127.17.0.1")["others"] == \
        "not enough to say"
    assert js(box, "reach", "check", "127.16.0.1", "--service",
              "pop3s")["others"] == "not enough to say"


def test_nothing_is_kept_of_addresses_and_accounts(box):
    before = rows(box)
    assert before
    cells = box.data / "watch" / "reach.cells"
    box.restart()
    assert rows(box) == {k: {**v} for k, v in before.items()}
    raw = cells.read_bytes() + (cells.parent / "reach.profiles").read_bytes()
    for text in (b"127.1", b"u1@", b"test.example",
                 socket.inet_aton("127.12.3.9"),
                 socket.inet_aton("127.12.3.9")[::-1]):
        assert text not in raw
    for text in (b"d1.example", b"u1@d1"):
        assert text not in raw
    # A process that is killed loses five seconds at most.
    wrote = cells.stat().st_mtime_ns
    From(box, "127.18.0.1").leave("imap")
    row(box, "127.18.0.0/16", "imap", connections=1)
    wait_for(lambda: cells.stat().st_mtime_ns > wrote, 12, "it is written")
    box.kill("watch")
    row(box, "127.18.0.0/16", "imap", connections=1)
    had = before["127.16.0.0/16", "imaps"]
    row(box, "127.16.0.0/16", "imaps", signed_in=had["signed_in"],
        accounts=had["accounts"])


def test_mail_goes_on_while_the_watcher_is_away(box):
    pid, = box.pids("watch")
    os.kill(pid, 19)  # SIGSTOP: it does not read
    try:
        e = From(box, "127.19.0.1")
        user = box.new_account()
        for _ in range(30):
            assert e.imap(user).startswith(b"a OK")
    finally:
        os.kill(pid, 18)
    row(box, "127.19.0.0/16", "imaps", signed_in=30)


def test_words(box):
    out = box.cli("reach", "--network", "127.11.200.200", "--service", "imaps")
    assert "127.11.0.0/16" in out and "127.12." not in out
    assert js(box, "reach", "signals")["signals"] == []
    assert box.cli("reach", "signals") == "Nothing is suspected now.\n"
    for bad in (["--network", "x"], ["--service", "gopher"],
                ["--since", "yesterday"], ["--since", "9d"], ["frob"],
                ["letter"], ["letter", "Zambia"], ["approve"],
                ["check", "nope"], ["check", "192.0.2.1/24"],
                ["dismiss", "x", "y"]):
        assert box.cli("reach", *bad, check=False).returncode == USAGE, bad
    for verb in ("approve", "dismiss"):
        said = box.cli("reach", verb, "quiet/imaps-993-v4/AS1", check=False)
        assert said.returncode == REFUSED and "reach signals" in said.stderr
    for nobody in ("local", "all", "others"):
        said = box.cli("reach", "letter", nobody, check=False)
        assert said.returncode == USAGE and "mailstead: " in said.stderr
        assert "provider" in said.stderr
    said = box.cli("reach", "letter", "AS1", check=False)
    assert said.returncode == REFUSED and "no connection came" in said.stderr


def test_the_letter(box):
    From(box, "127.12.3.9").reset("imap")
    row(box, "127.12.0.0/16", "imap", connections=3)
    text = box.cli("reach", "letter", "127.12.0.0/16", "--hosts",
                   "imap.test.example,192.0.2.25,2001:db8::25")
    assert re.search(r"^  Addresses:  192\.0\.2\.25\n +2001:db8::25$", text,
                     re.M), text
    assert text.startswith("Subject: Connections from 127.12.0.0/16 to the "
                           "mail server mail.test.example\n\n")
    for p in ("mx", "submission", "submissions", "imap", "imaps", "pop3",
              "pop3s"):
        assert re.search(rf"^ +{box.ports[p]}  ", text, re.M), p
    for said in ("RFC 8314", "imap.test.example", "RFC 8446", "UTC",
                 "postmaster@mail.test.example", "firewall"):
        assert said in text
    assert re.search(rf"^ *{box.ports['imap']} imap +3 +- +0 +0 +2 +0$", text,
                     re.M), text
    assert max(map(len, text.splitlines())) <= 80
    # Nothing of customers.
    assert "127.12.3" not in text and not re.search(r"u\d+@", text)
    said = js(box, "reach", "letter", "127.12.0.0/16", "--hosts", "192.0.2.25")
    assert said["subject"] in text and "WHAT WE SEE\n" in said["text"]


def test_networks_by_number():
    s = Instance()
    base = s.dir / "asn.mmdb"
    mmdb.write(base, {"127.21.0.0/16": {
        "autonomous_system_number": 64500,
        "autonomous_system_organization": "Example\x07 Zambia"}})
    base.chmod(0o644)
    name_server = dns.is_there() and dns.NameServer(
        ['0.0.22.127.origin TXT "64501 | 127.22.0.0/15 | ZM | afrinic | x"',
         'AS64501 TXT "64501 | ZM | afrinic | 2001-01-01 | OTHER - Other, ZM"',
         "imap A 192.0.2.77", "imap AAAA 2001:db8::77"
         ], zone="as.example.").start()
    settings = {"reach": {"as_database": str(base)}}
    if name_server:
        settings["reach"]["as_zone"] = "as.example"
        settings["dns"] = {"servers": [f"127.0.0.1:{name_server.port}"],
                           "dnssec": "no"}
    s.configure(settings)
    try:
        s.start()
        From(s, "127.21.0.1").leave("imap")
        r = row(s, "AS64500", "imap", connections=1)
        assert r["name"] == "Example? Zambia"
        assert "AS64500" in s.cli("reach", "--network", "as64500")
        if name_server:
            From(s, "127.22.77.1").leave("imap")
            From(s, "127.23.77.1").leave("imap")
            row(s, "AS64501", "imap", connections=1)
            wait_for(lambda: row(s, "AS64501", "imap")["name"] ==
                     "OTHER - Other, ZM", 5, "its name")
            row(s, "127.23.0.0/16", "imap", connections=1)
            # A letter has the addresses that the DNS has of our names.
            text = s.cli("reach", "letter", "AS64500", "--hosts",
                         "imap.as.example")
            for address in ("192.0.2.77", "2001:db8::77"):
                assert f" {address} (imap.as.example)" in text
        s.stop()
    finally:
        s.remove()
        if name_server:
            name_server.stop()
