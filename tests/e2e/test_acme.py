# SPDX-License-Identifier: ISC
"""Certificates by ACME, from Debian's pebble: both challenges, renewal, an
authority that refuses nonces (some of them always), is down, forgets us; role
acme killed."""
import hashlib
import http.client
import http.server
import json
import signal
import socket
import ssl
import stat
import subprocess
import threading

import pytest

from lib import dns, pebble, pki
from lib.instance import BINARY, PATIENCE_S, Instance, wait_for
from test_certificates import IMPLICIT, STARTTLS, read_until, shown

pytestmark = pytest.mark.skipif(
    not (dns.is_there() and pebble.is_there()),
    reason="Debian's packages knot and pebble are not installed")

ONE, TWO = "one.example", "two.example also-two.example"
REFUSED = 1


def certs(server):
    return {c["name"]: c for c in json.loads(
        server.cli("certificate", "list", "--json"))["certificates"]}


def serial(server, service, name):
    """Of the certificate that a client of this name gets."""
    pem = ssl.DER_cert_to_PEM_cert(shown(server, service, name))
    return pki.openssl("x509", "-noout", "-serial", "-pubkey",
                       stdin=pem.encode())


def renew(server, *words):
    done = server.cli("certificate", "renew", *words, "--json", check=False)
    assert done.returncode in (0, REFUSED), done.stderr
    rows = json.loads(done.stdout)["certificates"]
    return done.returncode, {r["name"]: r for r in rows}


class World:
    """A name server, an authority, and a server that wants certificates."""

    def __init__(self, challenge="any", hosts=(ONE, TWO), bad_nonces=15,
                 **authority):
        self.dns = dns.NameServer(
            ["ca A 127.0.0.1", "one A 127.0.0.1", "two A 127.0.0.1",
             "also-two A 127.0.0.1", "three A 127.0.0.1",
             "elsewhere A 127.0.0.2"]).start()
        root = pki.Cert("Root of the directory's server", is_ca=True)
        self.server = Instance()
        self.pebble = pebble.Pebble(
            root.issue("ca.example"), "ca.example", self.dns,
            self.server.ports["http"], self.server.ports["https"],
            **authority)
        self.server.configure({
            "": {"hostname": "one.example", "log_level": "debug"},
            "dns": {"servers": [self.dns.address], "dnssec": "no"},
            "acme": {"hosts": list(hosts), "agree": "yes",
                     "email": "postmaster@one.example",
                     "directory": self.pebble.directory,
                     "challenge": challenge, "ca_file": str(root.pem),
                     "allow_loopback": "yes"}})
        self.bad_nonces = bad_nonces

    def up(self):
        self.pebble.start(self.bad_nonces)
        return self

    def wait_obtained(self, *names):
        def are_there():
            now = certs(self.server)
            return all(n in now and now[n]["ends"] and
                       now[n]["state"] == "waiting" for n in names) and now
        return wait_for(are_there, 2 * PATIENCE_S, "not obtained")

    def end(self):
        try:
            self.server.stop()
        finally:
            self.server.remove()
            self.pebble.remove()
            self.dns.stop()


@pytest.fixture(scope="module")
def world():
    w = World()
    try:
        w.up().server.start()
        yield w
    finally:
        w.end()


def trusted(world, service, name):
    """A client that checks all gets through."""
    ctx = ssl.create_default_context(cadata=world.pebble.root())
    with socket.create_connection(
            ("127.0.0.1", world.server.ports[service]), PATIENCE_S) as s:
        with ctx.wrap_socket(s, server_hostname=name) as t:
            return t.version()


def test_certificates_are_obtained_and_served_by_name(world):
    server = world.server
    now = world.wait_obtained("one.example", "two.example")
    assert now["one.example"]["source"] == "acme"
    assert now["two.example"]["names"] == ["two.example", "also-two.example"]
    assert "Pebble" in now["one.example"]["issuer"]
    for service in IMPLICIT:
        for name in ("one.example", "two.example", "also-two.example"):
            assert trusted(world, service, name)
    for service in STARTTLS:
        for name in ("one.example", "two.example"):
            assert serial(server, service, name) == \
                serial(server, "imaps", name)
    assert serial(server, "imaps", "one.example") != \
        serial(server, "imaps", "two.example")


def without_files(text):
    """A configuration without tls.certificate and tls.key."""
    return "\n".join(line for line in text.splitlines() if
                     "certificate =" not in line and "key =" not in line)


def test_a_tlsa_record_of_the_host_is_printed(world):
    server = world.server
    world.wait_obtained("one.example", "two.example")
    server.add_domain("one.example")
    conf = server.dir / "without.conf"
    conf.write_text(without_files(server.conf.read_text()) + "\n")
    said = subprocess.run([BINARY, "-c", conf, "dns", "one.example"],
                          capture_output=True, text=True, check=True).stdout
    public = serial(server, "imaps", "one.example").split(b"\n", 1)[1]
    der = pki.openssl("pkey", "-pubin", "-outform", "DER", stdin=public)
    assert hashlib.sha256(der).hexdigest() in said.lower()


def test_what_is_on_disk_is_for_nobody_else(world):
    world.wait_obtained("one.example", "two.example")
    folder = world.server.data / "acme"
    files = [p for p in folder.rglob("*")]
    assert {p.name for p in files} >= {"privkey.pem", "fullchain.pem", "certs",
                                       "orders"}
    for p in files:
        assert stat.S_IMODE(p.stat().st_mode) & 0o077 == 0, p
    assert not list((folder / "orders").iterdir())
    assert not list((folder / "certs").glob(".*"))


@pytest.mark.parametrize("kind", ["http-01", "tls-alpn-01"])
def test_a_renewal_by_each_challenge_keeps_the_key(world, kind):
    server = world.server
    world.wait_obtained("one.example", "two.example")
    server.configure({"acme": {"challenge": kind}})
    server.cli("reload")
    before = serial(server, "imaps", "two.example")
    said = len(server.log())
    with server.connect("imaps") as old:
        done = server.cli("certificate", "renew", "two.example", check=False)
        assert done.returncode == 0, done.stderr
        assert "two.example: " in done.stderr
        for name in ("two.example", "also-two.example"):
            assert f"answering for {name} ({kind})" in server.log()[said:]
        after = serial(server, "imaps", "two.example")
        # The number is another one, the key the same.
        assert before.splitlines()[0] != after.splitlines()[0]
        assert before.splitlines()[1:] == after.splitlines()[1:]
        for service in (*IMPLICIT, *STARTTLS):
            assert serial(server, service, "two.example") == after
        read_until(old, b"* OK")
        old.sendall(b"a NOOP\r\n")
        read_until(old, b"a OK")


def test_a_new_key_is_made_when_it_is_asked_for(world):
    world.wait_obtained("one.example", "two.example")
    before = serial(world.server, "imaps", "one.example")
    code, rows = renew(world.server, "one.example", "--new-key")
    assert code == 0 and rows["one.example"]["error"] is None
    after = serial(world.server, "imaps", "one.example")
    assert before.splitlines()[1:] != after.splitlines()[1:]


def test_the_words_of_the_authority_are_shown(world):
    """A host that it does not find here."""
    server = world.server
    world.wait_obtained("one.example", "two.example")
    before = serial(server, "imaps", "one.example")
    server.configure({"acme": {"hosts": [ONE, TWO, "elsewhere.example"],
                               "challenge": "http-01"}})
    server.cli("reload")
    code, rows = renew(server, "elsewhere.example")
    error = rows["elsewhere.example"]["error"]
    assert code == REFUSED and not rows["elsewhere.example"]["renewed"]
    assert "127.0.0.2" in error and "connection refused" in error, error
    assert certs(server)["elsewhere.example"]["fault"] == error
    server.wait_log("event=acme.fail .*host=elsewhere.example")
    assert serial(server, "imaps", "one.example") == before
    assert not list((server.data / "acme" / "orders").iterdir())
    server.configure({"acme": {"hosts": [ONE, TWO], "challenge": "any"}})
    server.cli("reload")


def test_an_authority_that_is_down_takes_nothing_away(world):
    """It comes back without a memory of us, and all goes on."""
    server = world.server
    world.wait_obtained("one.example", "two.example")
    before = serial(server, "imaps", "one.example")
    world.pebble.stop()
    code, rows = renew(server, "one.example")
    assert code == REFUSED
    assert "ca.example" in rows["one.example"]["error"]
    assert serial(server, "imaps", "one.example") == before
    assert certs(server)["one.example"]["next"] is not None
    # It refuses each nonce: ten times, and then for later.
    world.pebble.start(bad_nonces=100)
    began = world.pebble.log().count("POST /sign-me-up")
    code, rows = renew(server, "one.example")
    assert code == REFUSED and "badNonce" in rows["one.example"]["error"]
    assert world.pebble.log().count("POST /sign-me-up") == began + 10
    world.pebble.stop()
    world.up()
    code, rows = renew(server, "one.example")
    assert code == 0, rows
    assert serial(server, "imaps", "one.example") != before
    assert certs(server)["one.example"]["fault"] is None


def killed_within_an_order(world, host):
    """Renew, and kill role acme while its order waits for an authority that
    stands still; until that has been met. What the order was kept as."""
    kept = world.server.data / "acme" / "orders" / host
    for _ in range(20):
        waiting = subprocess.Popen(
            [BINARY, "-c", world.server.conf, "certificate", "renew", host],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: kept.exists() or waiting.poll() is not None,
                     what="no order")
            world.pebble.process.send_signal(signal.SIGSTOP)
            world.server.kill("acme", signal.SIGKILL)
        finally:
            waiting.kill()
            waiting.wait()
        if kept.exists():
            return kept.read_text().splitlines()[0]
        world.pebble.process.send_signal(signal.SIGCONT)
    raise AssertionError("each order ended before it could be held up")


def test_a_process_that_is_killed_goes_on_with_its_order(world):
    server = world.server
    world.wait_obtained("one.example", "two.example")
    world.pebble.stop()
    # An authority that takes its time.
    world.pebble.start(0, {"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME":
                           "3"})
    kept = killed_within_an_order(world, "one.example")
    assert kept.startswith("https://ca.example")
    before = serial(server, "imaps", "one.example")
    said, made = len(server.log()), world.pebble.log().count("Added order")
    world.pebble.process.send_signal(signal.SIGCONT)
    wait_for(lambda: serial(server, "imaps", "one.example") != before,
             2 * PATIENCE_S, "no certificate")
    orders = server.data / "acme" / "orders"
    wait_for(lambda: not list(orders.iterdir()), what="the order is left")
    assert world.pebble.log().count("Added order") == made
    wait_for(lambda: "event=acme.done" in server.log()[said:],
             what="it is not said")


def test_challenges_are_gone_afterwards(world):
    world.wait_obtained("one.example", "two.example")
    c = http.client.HTTPConnection("127.0.0.1", world.server.ports["http"])
    for token in ("x" * 43, "", "../../etc/passwd"):
        c.request("GET", f"/.well-known/acme-challenge/{token}")
        r = c.getresponse()
        assert r.status in (400, 404), token
        r.read()


def test_a_binding_to_another_account(tmp_path):
    binding = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3"
                        "MUAsUDkMTQ12W"}
    w = World(hosts=(ONE,), bad_nonces=0, binding=binding)
    try:
        w.up().server.start()
        wait_for(lambda: "acme.external_account" in
                 (certs(w.server).get("one.example", {}).get("fault") or ""),
                 what="it is not told")
        file = w.server.dir / "account"
        file.write_text(f"kid-1 {binding['kid-1']}\n")
        w.server.configure({"acme": {"external_account": str(file)}})
        assert "acme.external_account" in w.server.cli("reload")
        w.server.restart()
        w.wait_obtained("one.example")
    finally:
        w.end()


class Tiresome:
    """An authority that takes everything and never comes to an end: order is what
    it says of an order, fields what stands above that."""

    def __init__(self, cert):
        self.order, self.fields, self.asked = {}, {}, []
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert.pem, cert.key)
        at = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                url = f"https://ca.example:{at.port}"
                at.asked.append(self.path)
                body = {name: f"{url}/{name}" for name in (
                    "newNonce", "newAccount", "newOrder")}
                fields = {"Replay-Nonce": "abcdefgh" * 2,
                          "Location": url + "/it"}
                if self.path in ("/newOrder", "/it", "/finalize"):
                    body = {"finalize": url + "/finalize",
                            "authorizations": [url + "/a"], **at.order}
                    fields.update(at.fields)
                data = json.dumps(body).encode()
                self.send_response(200)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.socket = tls.wrap_socket(self.http.socket, server_side=True)
        self.port = self.http.server_port
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


def test_an_authority_that_never_ends_is_not_asked_without_end():
    root = pki.Cert("Root of the directory's server", is_ca=True)
    ca = Tiresome(root.issue("ca.example"))
    names = dns.NameServer(["ca A 127.0.0.1"]).start()
    s = Instance({"dns": {"servers": [names.address], "dnssec": "no"},
                  "acme": {"hosts": [ONE], "agree": "yes",
                           "directory": f"https://ca.example:{ca.port}/dir",
                           "ca_file": str(root.pem), "allow_loopback": "yes"}})
    ca.order = {"status": "ready"}
    try:
        s.start()
        wait_for(lambda: ca.asked.count("/finalize") > 0, what="no order")
        # It is asked again with pauses that grow: half a second, one, two.
        wait_for(lambda: ca.asked.count("/it") > 2, 20, "it is looked at")
        assert ca.asked.count("/finalize") + ca.asked.count("/it") < 12
        # To come back so late is a failure now, not a process that sleeps.
        ca.fields = {"Retry-After": "500000"}
        ca.order = {"status": "processing"}
        wait_for(lambda: "later" in (certs(s)[ONE]["fault"] or ""),
                 2 * PATIENCE_S, "it sleeps")
        s.stop()
    finally:
        s.remove()
        names.stop()
        ca.http.shutdown()
        ca.http.server_close()


def test_what_is_missing_is_said():
    """No port that an authority could look at."""
    s = Instance({"acme": {"hosts": [ONE], "agree": "yes"}})
    try:
        text = without_files(s.conf.read_text()).splitlines()
        s.conf.write_text("\n".join(
            line for line in text if
            not line.strip().startswith(("http ", "https "))) + "\n")
        s.start()
        assert "needs listen.http or" in s.cli("config", "check", s.conf,
                                               check=False).stderr
        note = [p["note"] for p in s.status()["processes"]
                if p["role"] == "acme"]
        assert note == ["acme.hosts needs listen.http or listen.https"]
        row = certs(s)["one.example"]
        assert row["state"] == "blocked" and "listen.http" in row["fault"]
        s.wait_log("event=acme.blocked")
        # TLS works meanwhile, with what no client trusts.
        own = certs(s)["mail.test.example"]
        assert own["source"] == "self-signed" and own["default"]
        assert shown(s, "imaps", "one.example")
        done = s.cli("certificate", "renew", check=False)
        assert done.returncode == REFUSED and "listen.http" in done.stdout
        s.stop()
    finally:
        s.remove()
