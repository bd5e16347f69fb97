# SPDX-License-Identifier: ISC
"""mailstead dns --update against real name servers that take updates: Debian's
knot, and BIND where its package can be had."""
import json
import pathlib
import re
import socket
import threading

import pytest

from lib import bind, dns, peers
from lib.instance import DOMAIN, free_ports

OK, REFUSED, USAGE, TEMPFAIL = 0, 1, 2, 75
HOST = f"mail.{DOMAIN}"
APEX = ["mail A 127.0.0.1"]

pytestmark = pytest.mark.skipif(not dns.is_there(),
                                reason="knotd is not there")


KEYS = ["one", "two-512"]
FAKETIME = next(map(str, pathlib.Path("/usr/lib").glob(
    "*-linux-gnu*/faketime/libfaketime.so.1")), None)


def server_of(kind, records=(), **kw):
    if kind == "bind" and not bind.is_there():
        pytest.skip("BIND " + peers.MISSING)
    make = bind.Bind if kind == "bind" else dns.NameServer
    return make(APEX + list(records), zone=f"{DOMAIN}.", keys=KEYS,
                **kw).start()


@pytest.fixture(params=["knot", "bind"])
def primary(request):
    ns = server_of(request.param, signed=True)
    yield ns
    ns.stop()


@pytest.fixture
def asking(make_server, primary):
    return make_server({"dns": {"servers": [primary.address],
                                "dnssec": "no"}})


def key_file(folder, name="one", secret=None, mode=0o600, form="bind"):
    algorithm = "hmac-sha512" if "512" in name else "hmac-sha256"
    secret = secret or dns.secret(name)
    text = {
        "bind": f'key "{name}" {{\n\talgorithm {algorithm};\n'
                f'\tsecret "{secret}";\n}};\n',
        "knot": f"# {algorithm}:{name}:{secret}\nkey:\n  - id: {name}\n"
                f"    algorithm: {algorithm}\n    secret: {secret}\n",
        "line": f"{algorithm}:{name}:{secret}\n",
    }[form]
    path = folder / f"{name}-{form}.key"
    path.write_text(text)
    path.chmod(mode)
    return path


def update(server, primary, folder, *args, key=None, **kw):
    return server.cli("dns", DOMAIN, "--update", "--key",
                      str(key or key_file(folder)), "--server",
                      primary.address, *args, check=False, **kw)


def actions(done):
    out = {}
    for r in json.loads(done.stdout)["changes"]:
        out.setdefault(r["action"], []).append(r)
    return out


def purposes(changes):
    return sorted({r["purpose"] for r in changes})


ALL = sorted(["mx", "tlsa", "spf", "dkim", "dmarc", "tls-rpt", "srv"])
WEB = sorted(["mta-sts", "mta-sts-host", "autoconfig"])


def test_an_empty_zone_gets_what_the_domain_needs(asking, primary, tmp_path):
    dry = update(asking, primary, tmp_path, "--dry-run", "--json")
    assert dry.returncode == OK, dry.stderr
    assert purposes(actions(dry)["add"]) == ALL
    assert purposes(actions(dry)["skip"]) == WEB
    assert primary.ask(DOMAIN, "MX") == []
    done = update(asking, primary, tmp_path, "--json")
    assert done.returncode == OK, done.stderr
    assert actions(done) == actions(dry)
    done = update(asking, primary, tmp_path, "--web", "--json")
    assert done.returncode == OK, done.stderr
    assert purposes(actions(done)["add"]) == WEB
    assert purposes(actions(done)["ok"]) == ALL
    check = asking.cli("dns", DOMAIN, "--check", "--json", check=False)
    assert check.returncode == OK, check.stdout
    again = update(asking, primary, tmp_path, "--web", "--json")
    assert again.returncode == OK and set(actions(again)) == {"ok"}


@pytest.mark.parametrize("name, form", [
    ("one", "bind"), ("one", "knot"), ("one", "line"), ("two-512", "bind"),
    ("two-512", "knot"), ("two-512", "line")])
def test_keys_are_read_as_servers_write_them(asking, primary, tmp_path, name,
                                             form):
    done = update(asking, primary, tmp_path,
                  key=key_file(tmp_path, name, form=form))
    assert done.returncode == OK, done.stderr
    assert primary.ask(DOMAIN, "MX") == [f"10 {HOST}."]
    secret = dns.secret(name)
    assert secret not in done.stdout + done.stderr + asking.log()


@pytest.mark.parametrize("text, says", [
    ("", "no name"), ("key", "no name"), ("otp:one:AAAA", "algorithm"),
    ("hmac-md5:one:c2VjcmV0c2VjcmV0", "algorithm"),
    ("hmac-sha256:one:AAAA", "too short"), ("hmac-sha256:one:%%%", "base64"),
    ("hmac-sha256:o..e:c2VjcmV0c2VjcmV0", "name"),
    ('key "a" { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0"; };\n'
     'key "b" { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0"; };\n',
     "more than one"),
    ("options { };", "no key file"), ("x" * 20000, "too long")])
def test_what_is_no_key_is_refused(server, tmp_path, text, says):
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    done = server.cli("dns", DOMAIN, "--update", "--key", path, check=False)
    assert done.returncode == REFUSED and says in done.stderr
    assert "c2VjcmV0" not in done.stderr


@pytest.mark.parametrize("mode", [0o604, 0o640 | 0o020, 0o602, 0o601, 0o666])
def test_a_key_that_others_can_reach_is_none(server, tmp_path, mode):
    key = key_file(tmp_path, mode=mode)
    done = server.cli("dns", DOMAIN, "--update", "--key", key, check=False)
    assert done.returncode == REFUSED and "chmod 600" in done.stderr


def test_words_that_do_not_fit(server, tmp_path):
    key = key_file(tmp_path)
    for words in (["--update"], ["--key", key], ["--dry-run"],
                  ["--update", "--check", "--key", key],
                  ["--update", "--key", key, "--wait", "x"],
                  ["--check", "--replace"], ["--zone", "--web"]):
        done = server.cli("dns", DOMAIN, *words, check=False)
        assert done.returncode == USAGE, words
    no = server.cli("dns", DOMAIN, "--update", "--key", tmp_path / "no",
                    check=False)
    assert no.returncode == REFUSED and "No such file" in no.stderr


# --- what is somebody else's ------------------------------------------------

def add(primary, *lines):
    primary.alter("one", *[("add", *line) for line in lines])


def test_foreign_records_stay_until_told(asking, primary, tmp_path):
    add(primary, (f"{DOMAIN}.", 77, "MX", "5 old.example."),
        (f"{DOMAIN}.", 77, "TXT", '"v=spf1 include:old.example -all"'),
        (f"{DOMAIN}.", 77, "TXT", '"site-verification=1"'),
        (f"_dmarc.{DOMAIN}.", 77, "TXT", '"v=DMARC1; p=reject"'),
        (f"_imaps._tcp.{DOMAIN}.", 77, "SRV", "0 0 993 old.example."),
        (f"autoconfig.{DOMAIN}.", 77, "A", "192.0.2.1"),
        (f"_submission._tcp.{DOMAIN}.", 77, "CNAME", "x.example."))
    before = {k: primary.ask(DOMAIN, k) for k in ("MX", "TXT")}
    done = update(asking, primary, tmp_path, "--web", "--json")
    assert done.returncode == REFUSED
    left = actions(done)["left"]
    assert sorted((r["type"], r["name"]) for r in left) == [
        ("MX", DOMAIN), ("SRV", f"_imaps._tcp.{DOMAIN}"),
        ("SRV", f"_submission._tcp.{DOMAIN}"), ("TXT", DOMAIN)]
    spf = [r["why"] for r in left if r["type"] == "TXT"][0]
    assert "include:old.example" in spf and '"v=spf1 mx' in spf
    ok = {r["purpose"] for r in actions(done)["ok"]}
    assert ok == {"dmarc", "autoconfig"}
    assert {k: primary.ask(DOMAIN, k) for k in ("MX", "TXT")} == before
    assert len(primary.ask(f"_pop3s._tcp.{DOMAIN}", "SRV")) == 1

    dry = update(asking, primary, tmp_path, "--replace", "--dry-run")
    assert re.search(r"^remove   MX    test\.example: 5 old\.example\.$",
                     dry.stdout, re.M)
    assert {k: primary.ask(DOMAIN, k) for k in ("MX", "TXT")} == before
    done = update(asking, primary, tmp_path, "--replace", "--json")
    assert [r["name"] for r in actions(done)["left"]] == [
        f"_submission._tcp.{DOMAIN}"]
    assert primary.ask(DOMAIN, "MX") == [f"10 {HOST}."]
    assert primary.ask(DOMAIN, "TXT") == [
        '"site-verification=1"', '"v=spf1 mx ~all"']
    assert primary.ask(f"_dmarc.{DOMAIN}", "TXT") == [
        '"v=DMARC1; p=reject"']


def test_two_spf_records_are_told(asking, primary, tmp_path):
    add(primary, (f"{DOMAIN}.", 77, "TXT", '"v=spf1 mx -all"'),
        (f"{DOMAIN}.", 77, "TXT", '"v=spf1 a -all"'))
    done = update(asking, primary, tmp_path, "--json")
    assert done.returncode == REFUSED
    assert "more than one" in actions(done)["left"][0]["why"]
    done = update(asking, primary, tmp_path, "--replace")
    assert done.returncode == OK, done.stdout
    assert primary.ask(DOMAIN, "TXT") == ['"v=spf1 mx -all"']


def test_ours_are_replaced_when_they_are_old(asking, primary, tmp_path):
    def selectors():
        return {k["selector"]: k for k in json.loads(asking.cli(
            "dkim", "list", DOMAIN, "--json"))["keys"]}

    def txt(selector):
        return primary.ask(f"{selector}._domainkey.{DOMAIN}", "TXT")

    assert update(asking, primary, tmp_path).returncode == OK
    old = next(s for s in selectors() if s.endswith("r"))
    tlsa = primary.ask(f"_25._tcp.{HOST}", "TLSA")
    add(primary, (f"_25._tcp.{HOST}.", 60, "TLSA", "3 1 1 " + "ab" * 32),
        (f"{old}._domainkey.{DOMAIN}.", 60, "TXT", '"v=DKIM1; p="'),
        (f"other._domainkey.{DOMAIN}.", 60, "TXT", '"v=DKIM1; p="'))
    # A second value at the name of our key would break it.
    assert update(asking, primary, tmp_path).returncode == OK
    assert len(txt(old)) == 1 and "p=MII" in txt(old)[0]
    added = json.loads(asking.cli("dkim", "rotate", DOMAIN, "--json"))
    asking.cli("dkim", "remove", DOMAIN, old, "--force")
    asking.new_certificate()
    done = update(asking, primary, tmp_path, "--json")
    assert done.returncode == OK, done.stderr
    assert purposes(actions(done)["add"]) == ["dkim", "tlsa"]
    assert purposes(actions(done)["remove"]) == ["old", "tlsa"]
    assert txt(old) == [] and all(txt(s) for s in added["added"])
    # What others put there for DANE (the next key) is theirs.
    now = primary.ask(f"_25._tcp.{HOST}", "TLSA")
    assert len(now) == 2 and "3 1 1 " + "ab" * 32 in now
    assert not set(now) & set(tlsa)
    assert txt("other") == ['"v=DKIM1; p="']
    again = update(asking, primary, tmp_path, "--json")
    assert set(actions(again)) == {"ok", "skip"}


def test_a_zone_without_dnssec_gets_no_tlsa(make_server, tmp_path):
    ns = server_of("knot")
    try:
        server = make_server({"dns": {"servers": [ns.address],
                                      "dnssec": "no"}})
        done = update(server, ns, tmp_path, "--json")
        assert done.returncode == OK
        assert "tlsa" in purposes(actions(done)["skip"])
        assert ns.ask(f"_25._tcp.{HOST}", "TLSA") == []
    finally:
        ns.stop()


def test_the_zone_may_be_above_the_domain(asking, primary, tmp_path):
    asking.cli("domain", "add", f"deep.sub.{DOMAIN}")
    done = asking.cli("dns", f"deep.sub.{DOMAIN}", "--update", "--key",
                      key_file(tmp_path), "--server", primary.address,
                      "--json", check=False)
    assert done.returncode == OK, done.stderr
    # The host is in the same zone, so its TLSA record is sent as well.
    assert purposes(actions(done)["add"]) == ALL
    assert primary.ask(f"deep.sub.{DOMAIN}", "MX") == [f"10 {HOST}."]
    assert len(primary.ask(f"_25._tcp.{HOST}", "TLSA")) == 1


# --- refusals ------------------------------------------------------------------

def test_a_wrong_secret_and_an_unknown_key_are_told(asking, primary,
                                                    tmp_path):
    wrong = key_file(tmp_path, secret=dns.secret("another"))
    done = update(asking, primary, tmp_path, key=wrong)
    assert done.returncode == REFUSED and done.stdout == ""
    assert "BADSIG" in done.stderr and "secret" in done.stderr
    unknown = key_file(tmp_path, name="nobody")
    done = update(asking, primary, tmp_path, key=unknown)
    assert done.returncode == REFUSED
    assert "BADKEY" in done.stderr and "key file" in done.stderr
    assert primary.ask(DOMAIN, "MX") == []


@pytest.mark.parametrize("offset", ["+1h", "-1h"])
def test_a_wrong_clock_is_told(asking, primary, tmp_path, offset):
    if not FAKETIME:
        pytest.skip("libfaketime is not there")
    with asking.environment(LD_PRELOAD=FAKETIME, FAKETIME=offset):
        done = update(asking, primary, tmp_path)
    assert done.returncode == REFUSED
    assert "BADTIME" in done.stderr and "NTP" in done.stderr
    seconds = re.search(r"clock is (ahead|behind) by (\d+) s", done.stderr)
    assert seconds.group(1) == ("behind" if offset[0] == "+" else "ahead")
    # More or less what the question was under way.
    assert 3300 <= int(seconds.group(2)) <= 3900


@pytest.mark.parametrize("kind", ["knot", "bind"])
def test_a_key_without_rights_is_told(make_server, tmp_path, kind):
    ns = server_of(kind, may_change=["one"])
    try:
        server = make_server({"dns": {"servers": [ns.address],
                                      "dnssec": "no"}})
        done = update(server, ns, tmp_path, key=key_file(tmp_path, "two-512"))
        assert done.returncode == REFUSED
        # knot answers that it does not know the key, for this zone.
        assert ("REFUSED" if kind == "bind" else "BADKEY") in done.stderr
        assert ("allow-update" if kind == "bind" else "key file") in \
            done.stderr
        assert ns.ask(DOMAIN, "MX") == []
    finally:
        ns.stop()


def test_a_server_without_the_zone_is_told(asking, primary, tmp_path):
    asking.cli("domain", "add", "elsewhere.example")
    done = asking.cli("dns", "elsewhere.example", "--update", "--key",
                      key_file(tmp_path), "--server", primary.address,
                      check=False)
    assert done.returncode == REFUSED and "--server" in done.stderr


def test_nobody_there_is_temporary(server, tmp_path):
    port = free_ports(1)[0]
    done = server.cli("dns", DOMAIN, "--update", "--key", key_file(tmp_path),
                      "--server", f"127.0.0.1:{port}", check=False)
    assert done.returncode == TEMPFAIL
    assert "Connection refused" in done.stderr


# --- somebody on the way -----------------------------------------------------------

class Between:
    """A server in front of another: change(question, answer) gives what is
    said back, None to say nothing."""

    def __init__(self, behind, change):
        self.behind, self.change = behind, change
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(peer,),
                             daemon=True).start()

    @staticmethod
    def read(f):
        size = f.read(2)
        return f.read(int.from_bytes(size, "big")) if size else None

    def talk(self, peer):
        with peer, peer.makefile("rb") as f:
            while question := self.read(f):
                answer = self.change(question, lambda: self.pass_on(question))
                if answer is None:
                    return
                peer.sendall(len(answer).to_bytes(2, "big") + answer)

    def pass_on(self, question):
        with socket.create_connection((self.behind.ip,
                                       self.behind.port)) as s:
            s.sendall(len(question).to_bytes(2, "big") + question)
            return self.read(s.makefile("rb"))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()


def is_update(message):
    return message[2] >> 3 & 15 == 5


def unsigned(question, _):
    """NOERROR, authoritative, nothing else."""
    return question[:2] + b"\x84\0" + b"\0" * 8


def test_an_answer_without_a_signature_counts_for_nothing(
        asking, primary, tmp_path):
    def only_updates(question, ask):
        return unsigned(question, ask) if is_update(question) else ask()

    for change in (unsigned, only_updates):
        with Between(primary, change) as front:
            done = update(asking, front, tmp_path)
        assert done.returncode == REFUSED
        assert "without a signature" in done.stderr
        assert "done:" not in done.stdout
    assert primary.ask(DOMAIN, "MX") == []


def test_an_answer_that_was_changed_counts_for_nothing(
        asking, primary, tmp_path):
    def forge(question, ask):
        answer = bytearray(ask())
        answer[3] &= 0xf0  # NOERROR, whatever it was
        answer[13] ^= 0x20
        return bytes(answer)

    with Between(primary, forge) as front:
        done = update(asking, front, tmp_path)
    assert done.returncode == REFUSED and "signature" in done.stderr


def test_nonsense_and_silence(asking, primary, tmp_path):
    for change, code in ((lambda q, a: b"", TEMPFAIL),
                         (lambda q, a: b"\0" * 40, REFUSED),
                         (lambda q, a: q, REFUSED),
                         (lambda q, a: a()[:-1], REFUSED),
                         (lambda q, a: b"xx" + a()[2:], REFUSED),
                         (lambda q, a: None, TEMPFAIL)):
        with Between(primary, change) as front:
            done = update(asking, front, tmp_path)
        assert done.returncode == code and done.stderr
    assert primary.ask(DOMAIN, "MX") == []


def test_who_changes_the_zone_at_the_same_time_loses_nothing(
        asking, primary, tmp_path):
    other = (f"{DOMAIN}.", 60, "TXT", '"v=spf1 a:other.example -all"')
    raced = []

    def race(question, ask):
        if is_update(question) and not raced:
            raced.append(True)
            add(primary, other)
        return ask()

    with Between(primary, race) as front:
        done = update(asking, front, tmp_path)
    assert raced and done.returncode == REFUSED, done.stderr
    assert primary.ask(DOMAIN, "TXT") == [other[3]]
    # All else was done, once it was looked at again.
    assert primary.ask(DOMAIN, "MX") == [f"10 {HOST}."]


def test_an_update_that_was_cut_off_is_looked_at_again(
        asking, primary, tmp_path):
    def cut(question, ask):
        answer = ask()
        return None if is_update(question) else answer

    with Between(primary, cut) as front:
        done = update(asking, front, tmp_path)
    assert done.returncode == TEMPFAIL and "no answer" in done.stderr
    done = update(asking, primary, tmp_path, "--json")
    assert done.returncode == OK and "add" not in actions(done)


# --- the usual port, and other servers ------------------------------------------------

def can_bind(address):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((address, 53))
        except OSError:
            return False
    return True


PRIMARY, SECOND, THIRD = "127.0.53.1", "127.0.53.2", "127.0.53.3"
NAMES = ["mail A 127.0.0.1", "@ NS second", f"second A {SECOND}"]


def test_the_primary_is_found_and_the_others_are_waited_for(
        make_server, tmp_path):
    if not all(can_bind(a) for a in (PRIMARY, SECOND, THIRD)):
        pytest.skip("port 53 cannot be had here")
    ns = dns.NameServer(NAMES, zone=f"{DOMAIN}.", keys=KEYS, address=PRIMARY,
                        port=53, notify=SECOND)
    ns.start()
    second = dns.Secondary(f"{DOMAIN}.", ns, SECOND, "two-512")
    second.start()
    try:
        server = make_server({"dns": {"servers": [f"{PRIMARY}:53"],
                                      "dnssec": "no"}})
        key = key_file(tmp_path, "two-512")
        command = ["dns", DOMAIN, "--update", "--key", key]
        done = server.cli(*command, check=False)
        assert done.returncode == OK, done.stderr
        assert f"on {PRIMARY}:53" in done.stdout
        assert re.search(rf"^ok +NS +second\.{DOMAIN}: serial", done.stdout,
                         re.M)
        assert second.ask(DOMAIN, "MX") == [f"10 {HOST}."]
        # One that does not follow.
        ns.alter("one", ("add", f"{DOMAIN}.", 60, "NS", f"third.{DOMAIN}."),
                 ("add", f"third.{DOMAIN}.", 60, "A", THIRD),
                 ("delete", f"{DOMAIN}.", "MX"))
        done = server.cli(*command, "--wait", "1", check=False)
        assert done.returncode == TEMPFAIL
        assert "third" in done.stderr and "not yet" in done.stderr
        assert ns.ask(DOMAIN, "MX") == [f"10 {HOST}."]
    finally:
        second.stop()
        ns.stop()
