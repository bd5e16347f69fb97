# SPDX-License-Identifier: ISC
"""Who mail from other servers is from: SPF, DKIM, DMARC, ARC, iprev.

Clients are addresses of loopback, which the server is told to check; names
come from a real name server. What the server writes is read by Debian's
python3-authres; signatures and seals are made by its python3-dkim.
"""
import gzip
import json
import socket
import threading
import time
import xml.etree.ElementTree as ET

import pytest

from lib import dns
from lib.imap import Imap
from lib.instance import PATIENCE_S, Instance, free_ports, wait_for
from lib.receiver import Receiver

pytest.importorskip("dkim")
pytest.importorskip("authres")
pytest.importorskip("nacl.signing")

from lib import sender  # noqa: E402
from lib.sender import find, message, results, sign, txt  # noqa: E402

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")

TRUE_SPF = "v=spf1 ip4:127.0.1.1 ip6:::1 -all"
REVERSE = "127.in-addr.arpa."
REVERSE6 = "0." * 30 + "ip6.arpa."


def records(keys):
    """What the world of the tests publishes."""
    rsa, ed = keys.rsa_record, keys.ed25519_record
    return [
        # SPF, one result a name
        txt("pass", TRUE_SPF),
        txt("softfail", "v=spf1 ~all"),
        txt("neutral", "v=spf1 ?all"),
        txt("permerror", "v=spf1 wrong:mechanism -all"),
        txt("two", "v=spf1 -all"), txt("two", "v=spf1 +all"),
        txt("temperror", "v=spf1 include:nobody.serves.this.invalid2 -all"),
        txt("mx", "v=spf1 mx -all"), "mx MX 10 host1",
        txt("ptr", "v=spf1 ptr:host1.example -all"),
        txt("macro", "v=spf1 exists:%{ir}.%{l}.list.example -all"),
        "1.1.0.127.joe.list A 127.0.0.2",
        "bare A 192.0.2.1",
        # names of clients
        "host1 A 127.0.1.1", "host1 AAAA ::1", "host2 A 127.0.1.99",
        "host4 A 127.0.1.7", "host4 A 127.0.1.4",
        # DKIM
        txt("s._domainkey.pass", rsa), txt("e._domainkey.pass", ed),
        txt("revoked._domainkey.pass", "v=DKIM1; p="),
        txt("broken._domainkey.pass", "v=DKIM1; p=!!!"),
        txt("testing._domainkey.pass", rsa + "; t=y"),
        txt("s._domainkey.list", rsa), txt("s._domainkey.other", rsa),
        txt("s._domainkey.strict", rsa),
        # DMARC
        txt("_dmarc.pass", "v=DMARC1; p=none"),
        txt("reject", "v=spf1 ip4:127.0.1.1 -all"),
        txt("s._domainkey.reject", rsa),
        txt("_dmarc.reject", "v=DMARC1; p=reject"),
        txt("quarantine", "v=spf1 ip4:127.0.1.1 -all"),
        txt("_dmarc.quarantine", "v=DMARC1; p=quarantine"),
        txt("_dmarc.strict", "v=DMARC1; p=reject; adkim=s; aspf=s"),
        txt("sub.strict", TRUE_SPF),
        txt("_dmarc.parts", "v=DMARC1; p=none; sp=reject"),
        txt("_dmarc.sample", "v=DMARC1; p=reject; pct=0"),
        txt("_dmarc.broken", "v=DMARC1; p=reject"),
        txt("_dmarc.broken", "v=DMARC1; p=none"),
        txt("spftemp", "v=spf1 include:nobody.serves.this.invalid2 -all"),
        txt("_dmarc.spftemp", "v=DMARC1; p=reject"),
        # Reports: to its own domain, to one that takes them, to one that
        # takes them elsewhere, to one that does not, to one that is too small
        txt("_dmarc.asks", "v=DMARC1; p=reject; adkim=s; pct=100; fo=1:d; "
            "rua=mailto:own@asks.example,mailto:a@takes.example!10m,"
            "mailto:b@moved.example,mailto:c@takesnot.example,"
            "mailto:tiny@asks.example!10,https://asks.example/x"),
        txt("asks.example._report._dmarc.takes", "v=DMARC1"),
        txt("asks.example._report._dmarc.moved",
            "v=DMARC1; rua=mailto:new@moved.example"),
        txt("s._domainkey.asks", rsa), txt("asks", TRUE_SPF),
        *(f"{d} MX 10 reports" for d in ("asks", "takes", "moved",
                                         "takesnot")),
        "reports A 127.0.1.200",
    ]


OTHER_ZONES = {
    REVERSE: ["1.1.0 PTR host1.example.", "2.1.0 PTR host2.example.",
              "4.1.0 PTR host2.example.", "4.1.0 PTR host4.example.",
              "6.1.0 PTR broken.nobody.serves.this.invalid2."],
    REVERSE6: ["1.0 PTR host1.example."],
}
CHECKING = {"check_loopback": "yes"}


class World:
    def __init__(self):
        self.keys = sender.Keys()
        self.ns = dns.NameServer(records(self.keys), others=OTHER_ZONES)
        self.ns.start()
        self.servers = []
        self.server = self.start()

    def start(self, incoming=None, **sections):
        server = Instance({
            "dns": {"servers": [self.ns.address], "dnssec": "no"},
            "incoming": {**CHECKING, "timeout": "5m", **(incoming or {})},
            **sections},
            also_v6=("mx",))
        self.servers.append(server)
        server.start()
        server.add_domain()
        return server

    def close(self):
        self.ns.stop()
        for s in self.servers:
            try:
                s.stop()
            finally:
                s.remove()


@pytest.fixture(scope="module")
def world():
    w = World()
    try:
        yield w
    finally:
        w.close()


@pytest.fixture
def account(world):
    return world.server.new_account()


def check(account, data=None, **options):
    """Send one message to an account and read what was found out."""
    code, text = sender.send(account.server, data or message(),
                             account.login, **options)
    assert code == 250, text
    return results(sender.mailbox(account)[-1])


# --- SPF ---------------------------------------------------------------------

@pytest.mark.parametrize("domain, want", [
    ("pass.example", "pass"), ("softfail.example", "softfail"),
    ("neutral.example", "neutral"), ("permerror.example", "permerror"),
    ("two.example", "permerror"), ("temperror.example", "temperror"),
    ("bare.example", "none"), ("no-such-name.example", "none"),
    ("mx.example", "pass"), ("ptr.example", "pass")])
def test_spf_of_mail_from(account, domain, want):
    found = check(account, sender=f"a@{domain}")
    assert find(found, "spf", smtp_mailfrom=domain) == want


def test_spf_fails_from_elsewhere_and_is_accepted(account):
    found = check(account, sender="a@pass.example", client="127.0.1.2")
    assert find(found, "spf", smtp_mailfrom="pass.example") == "fail"


def test_spf_knows_the_local_part(account):
    assert find(check(account, sender="joe@macro.example"), "spf",
                smtp_mailfrom="macro.example") == "pass"
    assert find(check(account, sender="jim@macro.example"), "spf",
                smtp_mailfrom="macro.example") == "fail"


def test_spf_of_helo_for_every_message(account):
    found = check(account, helo="softfail.example")
    assert find(found, "spf", smtp_mailfrom="pass.example") == "pass"
    assert find(found, "spf", smtp_helo="softfail.example") == "softfail"


def test_spf_of_the_null_sender_is_that_of_helo(account):
    found = check(account, sender="", helo="pass.example")
    assert find(found, "spf") == "pass"
    # It counts for DMARC, too (RFC 7489 section 3.1.2).
    assert find(found, "dmarc") == "pass"


# --- iprev -------------------------------------------------------------------

@pytest.mark.parametrize("client, want", [
    ("127.0.1.1", "pass"),       # there and back
    ("127.0.1.2", "fail"),       # its name leads elsewhere
    ("127.0.1.3", "permerror"),  # it has no name
    ("127.0.1.4", "pass"),       # the second name leads back
    ("127.0.1.6", "temperror"),  # its name cannot be looked up
    ("::1", "pass")])
def test_iprev(account, client, want):
    found = check(account, client=client)
    assert find(found, "iprev", policy_iprev=client) == want


def test_ipv6_clients_are_checked_like_others(account):
    found = check(account, client="::1")
    assert find(found, "spf", smtp_mailfrom="pass.example") == "pass"
    assert find(found, "dmarc", header_from="pass.example") == "pass"


# --- DKIM --------------------------------------------------------------------

def test_signatures_of_both_kinds_pass(world, account):
    data = sign(message(), "pass.example", world.keys.rsa)
    data = sign(data, "pass.example", world.keys.ed25519, "e",
                b"ed25519-sha256")
    found = check(account, data, client="127.0.1.2")
    assert find(found, "dkim", header_s="s") == "pass"
    assert find(found, "dkim", header_s="e") == "pass"
    assert find(found, "dmarc", header_from="pass.example") == "pass"


def test_unsigned_mail_has_no_signature(account):
    assert find(check(account), "dkim") == "none"


@pytest.mark.parametrize("selector, want", [
    ("revoked", "permerror"), ("broken", "permerror"),
    ("missing", "permerror"), ("testing", "pass")])
def test_keys_that_are_no_good(world, account, selector, want):
    data = sign(message(), "pass.example", world.keys.rsa, selector)
    assert find(check(account, data), "dkim", header_s=selector) == want


def test_a_key_that_cannot_be_looked_up_is_a_temporary_error(world, account):
    data = sign(message(), "nobody.serves.this.invalid2", world.keys.rsa)
    assert find(check(account, data), "dkim",
                header_d="nobody.serves.this.invalid2") == "temperror"


def test_a_changed_body_fails(world, account):
    data = sign(message(), "pass.example", world.keys.rsa) + b"More\r\n"
    assert find(check(account, data), "dkim",
                header_d="pass.example") == "fail"


def test_results_are_of_the_bytes_as_they_came(world, account):
    """What is put in front, and a forged field that is taken out, are not in
    what the signature is checked against."""
    data = sign(message(fields="Authentication-Results: mail.test.example; "
                        "spf=pass\r\n"), "pass.example", world.keys.rsa,
                include_headers=[b"from", b"authentication-results"])
    assert find(check(account, data), "dkim",
                header_d="pass.example") == "pass"


def test_a_large_message_is_hashed_whole(world, account):
    body = "".join(f"line {i}\r\n" for i in range(300000))
    data = sign(message(body=body), "pass.example", world.keys.rsa)
    assert find(check(account, data), "dkim",
                header_d="pass.example") == "pass"


def test_many_signatures_are_counted_and_fit(world, account):
    data = message()
    for i in range(12):
        data = sign(data, "pass.example", world.keys.rsa, f"s{i}")
    found = check(account, data)
    assert len([r for r in found if r[0] == "dkim"]) == 8
    assert b"and 4 more signatures" in sender.mailbox(account)[-1]


# --- forged results ----------------------------------------------------------

@pytest.mark.parametrize("size", [10, 200000])
def test_forged_fields_are_taken_out(account, size):
    forged = ("Authentication-Results: mail.test.example;\r\n"
              "\tdmarc=pass header.from=bank.example\r\n"
              "authentication-results:MAIL.test.example ; spf=pass\r\n")
    kept = "Authentication-Results: elsewhere.example; spf=pass\r\n"
    body = "x" * 60 + "\r\n"
    data = message(fields=forged + kept, body=body * (size // 62 + 1))
    check(account, data)
    got = sender.mailbox(account)[-1]
    assert b"bank.example" not in got and b"MAIL.test" not in got
    assert kept.encode() in got
    # Everything else is as it was.
    assert got.endswith(data.replace(forged.encode(), b""))


def test_forged_fields_of_users_are_taken_out_too(world, account):
    import smtplib
    from lib.instance import PASSWORD
    with smtplib.SMTP("127.0.0.1", world.server.ports["submission"]) as c:
        c.starttls(context=world.server.tls())
        c.login(account.login, PASSWORD)
        c.sendmail(account.login, account.login, message(
            author=account.login, fields="Authentication-Results: "
            "mail.test.example; dmarc=pass\r\n"))
    got = sender.mailbox(account)[-1]
    assert b"dmarc=pass" not in got and b"Subject: a test" in got


def test_the_structure_is_that_of_what_is_kept(account):
    """FETCH of parts, behind a field that was taken out."""
    data = message(fields="Authentication-Results: mail.test.example; none"
                   "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
                   "boundary=b\r\n", body="--b\r\n\r\none\r\n--b\r\n\r\n"
                   "two\r\n--b--\r\n")
    check(account, data)
    with Imap.sign_in(account, "INBOX") as c:
        assert c.body(1, "BODY[2]") == b"two"


# --- DMARC -------------------------------------------------------------------

def test_dmarc_none_without_a_policy(account):
    assert find(check(account, message("a@bare.example")), "dmarc") == "none"


def test_dmarc_reject_at_the_end_of_data(world):
    rcpts = [world.server.new_account() for _ in range(3)]
    code, text = sender.send(
        world.server, message("boss@reject.example"),
        [r.login for r in rcpts], sender="a@pass.example")
    assert code == 550 and text.startswith(b"5.7.1 ")
    assert b"reject.example" in text and b"p=reject" in text
    for r in rcpts:
        assert sender.mailbox(r) == []
    world.server.wait_log(r"event=filter.reject .*author=reject.example")


def test_dmarc_passes_with_either(world, account):
    author = message("boss@reject.example")
    assert find(check(account, author, sender="a@reject.example"),
                "dmarc", header_from="reject.example") == "pass"
    signed = sign(author, "reject.example", world.keys.rsa)
    assert find(check(account, signed, sender="a@bare.example"),
                "dmarc", header_from="reject.example") == "pass"
    # The same organisation is enough for relaxed alignment.
    sub = sign(message("boss@deep.sub.reject.example"), "reject.example",
               world.keys.rsa)
    assert find(check(account, sub, sender="a@bare.example"), "dmarc",
                header_from="deep.sub.reject.example") == "pass"


def test_dmarc_of_subdomains_and_strict_alignment(world, account):
    reject = [
        (message("a@x.parts.example"), "a@bare.example"),
        (message("a@strict.example"), "a@sub.strict.example"),
    ]
    for data, mail_from in reject:
        code, text = sender.send(world.server, data, account.login,
                                 sender=mail_from)
        assert code == 550, text
    assert find(check(account, message("a@parts.example")), "dmarc") == "fail"
    signed = sign(message("a@strict.example"), "strict.example",
                  world.keys.rsa)
    assert find(check(account, signed), "dmarc") == "pass"


def test_dmarc_quarantine_goes_to_junk(account):
    code, text = sender.send(
        account.server, message("a@quarantine.example"), account.login,
        sender="a@pass.example")
    assert code == 250, text
    assert sender.mailbox(account) == []
    got = sender.mailbox(account, "Junk")
    assert len(got) == 1
    assert find(results(got[0]), "dmarc") == "fail"
    assert b"dis=quarantine" in got[0]
    came, there = json.loads(account.server.cli(
        "trace", str(account), "--json"))["trace"]
    assert came["results"].startswith("dmarc=fail ")
    assert "; spf=pass smtp.mailfrom=" in came["results"]
    assert (there["event"], there["mailbox"]) == ("delivered", "Junk")


def test_pct_makes_it_milder(account):
    code, _ = sender.send(account.server, message("a@sample.example"),
                          account.login)
    assert code == 250
    assert len(sender.mailbox(account, "Junk")) == 1


def test_dmarc_permerror_is_accepted(account):
    assert find(check(account, message("a@broken.example")),
                "dmarc") == "permerror"


def test_dmarc_temperror_of_the_policy_is_accepted(account):
    found = check(account, message("a@nobody.serves.this.invalid2"))
    assert find(found, "dmarc") == "temperror"


def test_what_may_yet_pass_is_to_come_again(world, account):
    """The policy is reject, and SPF of that domain cannot be looked up now."""
    code, text = sender.send(world.server, message("a@spftemp.example"),
                             account.login, sender="a@spftemp.example")
    assert code == 451 and b"spftemp.example" in text
    assert sender.mailbox(account) == []


def test_all_authors_count(world, account):
    """RFC 7489 section 6.6.1: the strictest policy of all domains in From,
    and From fields that are there twice."""
    for data in (message("a@pass.example, boss@reject.example"),
                 message("a@pass.example",
                         fields="From: boss@reject.example\r\n"),
                 message('"boss@reject.example" <a@pass.example>, '
                         "<boss@reject.example>"),
                 message(", ".join(f"a@d{i}.example" for i in range(9)))):
        code, text = sender.send(world.server, data, account.login)
        assert code == 550, (data, text)


def test_mail_without_an_author_is_marked(account):
    data = message().replace(b"From: someone@pass.example\r\n", b"")
    assert find(check(account, data), "dmarc") == "permerror"


def test_nothing_is_rejected_when_that_is_switched_off(world):
    server = world.start({"reject": "no"})
    account = server.new_account()
    for author in ("boss@reject.example", "a@spftemp.example"):
        code, text = sender.send(server, message(author), account.login,
                                 sender=author.replace("boss", "a"),
                                 client="127.0.1.2")
        assert code == 250, text
    assert len(sender.mailbox(account, "Junk")) == 1
    assert len(sender.mailbox(account)) == 1


# --- lists and ARC -----------------------------------------------------------

def sealed(world, results_of_list, domain="list.example", change=b""):
    """From a domain with the policy reject, through a list that changes it."""
    data = sign(message("boss@reject.example",
                        fields="List-Id: <l.list.example>\r\n"),
                "reject.example", world.keys.rsa)
    data += b"-- \r\nA footer of the list\r\n"
    return sender.seal(data, domain, world.keys.rsa, results_of_list) + change


PASSED = "list.example; dmarc=pass header.from=reject.example"


def test_arc_is_validated(world, account):
    data = sign(message(), "pass.example", world.keys.rsa)
    data = sender.seal(data, "other.example", world.keys.rsa,
                       "other.example; spf=pass smtp.mailfrom=pass.example")
    assert find(check(account, data), "arc") == "pass"
    assert find(check(account, data + b"More\r\n"), "arc") == "fail"
    assert find(check(account), "arc") == "none"


def test_a_trusted_sealer_saves_list_mail(world):
    server = world.start({"sealers": ["list.example"]})
    account = server.new_account()
    found = check(account, sealed(world, PASSED), sender="l@bare.example")
    assert find(found, "arc") == "pass"
    assert find(found, "dmarc", header_from="reject.example") == "fail"
    got = sender.mailbox(account)[-1]
    assert b"dis=none" in got and b"as[1].d=list.example" in got
    refused = [
        # it says that DMARC failed there, or passed for another
        sealed(world, "list.example; dmarc=fail header.from=reject.example"),
        sealed(world, "list.example; dmarc=pass header.from=pass.example"),
        # sealed by somebody else, or changed behind the seal
        sealed(world, PASSED, "other.example"),
        sealed(world, PASSED, change=b"Behind the seal\r\n"),
        # somebody who is not trusted sealed it later
        sender.seal(sealed(world, PASSED), "other.example", world.keys.rsa,
                    "other.example; arc=pass"),
    ]
    for data in refused:
        code, text = sender.send(server, data, account.login,
                                 sender="l@bare.example")
        assert code == 550, (text, data)


def test_without_trust_a_seal_saves_nothing(world, account):
    code, _ = sender.send(world.server, sealed(world, PASSED),
                          account.login, sender="l@bare.example")
    assert code == 550


def test_mail_of_a_listed_list_is_let_through(world):
    server = world.start({"lists": ["list.example", "pass.example"]})
    account = server.new_account()
    plain = message("boss@reject.example",
                    fields="List-Id: <l.list.example>\r\n")
    by_list = sign(plain, "list.example", world.keys.rsa)
    assert find(check(account, by_list, sender="l@bare.example"),
                "dmarc") == "fail"
    # By SPF of the forwarder, as well.
    assert find(check(account, plain, sender="l@pass.example"),
                "dmarc") == "fail"
    assert len(sender.mailbox(account)) == 2
    for data, mail_from, client in (
            (by_list + b"Changed\r\n", "l@bare.example", "127.0.1.1"),
            (plain, "l@pass.example", "127.0.1.2"),
            (plain, "l@bare.example", "127.0.1.1")):
        code, _ = sender.send(server, data, account.login, sender=mail_from,
                              client=client)
        assert code == 550


# --- who is checked, and how long it takes -----------------------------------

def test_loopback_trusted_clients_and_lmtp_are_not_asked_about(world):
    silent = SilentServer()
    servers = [
        Instance({"dns": {"servers": [silent.address]}}),
        Instance({"dns": {"servers": [silent.address]},
                  "incoming": {**CHECKING, "trusted": ["127.0.1.0/24"]}}),
        Instance({"dns": {"servers": [silent.address]},
                  "incoming": {**CHECKING, "checks": "no",
                               "timeout": "60s"}})]
    try:
        for server in servers:
            server.start()
            server.add_domain()
            account = server.new_account()
            began = time.monotonic()
            code, _ = sender.send(server, message(), account.login)
            assert code == 250
            account.deliver(message())
            assert time.monotonic() - began < 40, "somebody was asked"
            for got in sender.mailbox(account):
                assert b"Authentication-Results" not in got
            server.stop()
    finally:
        silent.close()
        for server in servers:
            server.remove()


class SilentServer:
    """A name server that takes questions and never answers."""

    def wait_question(self):
        self.socket.settimeout(PATIENCE_S)
        self.socket.recv(512)

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def close(self):
        self.socket.close()


def test_a_silent_name_server_costs_the_timeout_and_no_more():
    """20 strangers wait together, not one after the other; local mail does
    not wait for them; all of it is accepted."""
    silent = SilentServer()
    server = Instance({"dns": {"servers": [silent.address], "dnssec": "no"},
                       "incoming": {**CHECKING, "timeout": "15s"}})
    try:
        server.start()
        server.add_domain()
        accounts = [server.new_account() for _ in range(20)]
        other = server.new_account()
        took, codes = [], []

        def stranger(account):
            began = time.monotonic()
            codes.append(sender.send(server, message(), account.login)[0])
            took.append(time.monotonic() - began)
        threads = [threading.Thread(target=stranger, args=(a,))
                   for a in accounts]
        for t in threads:
            t.start()
        silent.wait_question()
        other.deliver(message())
        assert not codes, "local mail waited"
        for t in threads:
            t.join()
        assert codes == [250] * 20
        # One after the other they would take five minutes.
        assert min(took) > 14 and max(took) < 120, took
        for a in accounts:
            found = results(sender.mailbox(a)[0])
            assert find(found, "dmarc") == "temperror"
            assert find(found, "iprev") == "temperror"
            assert find(found, "spf", smtp_mailfrom="pass.example") == \
                "temperror"
        server.wait_log("event=filter.timeout")
        server.stop()
    finally:
        silent.close()
        server.remove()


def test_twenty_at_once(world, account):
    data = sign(message(), "pass.example", world.keys.rsa)
    codes = []

    def one():
        codes.append(sender.send(world.server, data, account.login)[0])
    threads = [threading.Thread(target=one) for _ in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert codes == [250] * 20
    got = sender.mailbox(account)
    assert len(got) == 20
    for m in got:
        found = results(m)
        assert find(found, "dkim", header_d="pass.example") == "pass"
        assert find(found, "dmarc") == "pass"
        assert find(found, "iprev") == "pass"


def test_a_filter_that_dies_costs_a_retry_only(world):
    silent = SilentServer()
    server = Instance({"dns": {"servers": [silent.address], "dnssec": "no"},
                       "incoming": {**CHECKING, "timeout": "30s"}})
    try:
        server.start()
        server.add_domain()
        account = server.new_account()
        codes = []
        t = threading.Thread(target=lambda: codes.append(
            sender.send(server, message(), account.login)[0]))
        t.start()
        silent.wait_question()
        server.kill("filter")
        t.join()
        assert codes == [451]
        server.stop()
    finally:
        silent.close()
        server.remove()


# --- reports -----------------------------------------------------------------

def reporting(world, port, **report):
    return world.start({"sealers": ["list.example"]},
                       report={"interval": "5s", **report},
                       send={"direct": "yes", "port": port,
                             "allow_loopback": "yes", "retry": "1s"})


def unpack(mail):
    """The parts of a report, as its receiver gets it: headers, XML."""
    import email
    m = email.message_from_bytes(mail.data)
    text, attachment = m.get_payload()
    assert text.get_content_type() == "text/plain"
    assert attachment.get_content_type() == "application/gzip"
    xml = gzip.decompress(attachment.get_payload(decode=True))
    return m, attachment.get_filename(), ET.fromstring(xml)


def check_order(element, *names):
    """Children as the sequence of RFC 7489, appendix C, has them; a name with
    ? may be absent, with * be there often."""
    tags = [c.tag for c in element]
    for name in names:
        tag = name.rstrip("?*")
        count = 0
        while tags and tags[0] == tag:
            tags.pop(0)
            count += 1
        least = 0 if name[-1] in "?*" else 1
        assert least <= count <= (10 ** 6 if name[-1] == "*" else 1), (
            element.tag, name, [c.tag for c in element])
    assert tags == [], (element.tag, tags)


def check_schema(feedback):
    check_order(feedback, "version", "report_metadata", "policy_published",
                "record*")
    meta = feedback.find("report_metadata")
    check_order(meta, "org_name", "email", "extra_contact_info?",
                "report_id", "date_range", "error*")
    check_order(meta.find("date_range"), "begin", "end")
    check_order(feedback.find("policy_published"), "domain", "adkim?",
                "aspf?", "p", "sp", "pct", "fo")
    for record in feedback.findall("record"):
        check_order(record, "row", "identifiers", "auth_results")
        check_order(record.find("row"), "source_ip", "count",
                    "policy_evaluated")
        evaluated = record.find("row/policy_evaluated")
        check_order(evaluated, "disposition", "dkim", "spf", "reason*")
        assert evaluated.findtext("disposition") in (
            "none", "quarantine", "reject")
        for reason in evaluated.findall("reason"):
            check_order(reason, "type", "comment?")
        check_order(record.find("identifiers"), "envelope_to?",
                    "envelope_from", "header_from")
        check_order(record.find("auth_results"), "dkim*", "spf*")
        for spf in record.findall("auth_results/spf"):
            check_order(spf, "domain", "scope", "result")
        for sig in record.findall("auth_results/dkim"):
            check_order(sig, "domain", "selector?", "result",
                        "human_result?")


def find_row(feedback, **want):
    """The sum over the records that have these values."""
    count, found = 0, []
    for r in feedback.findall("record"):
        flat = {"ip": r.findtext("row/source_ip"),
                "disposition": r.findtext("row/policy_evaluated/disposition"),
                "dkim": r.findtext("row/policy_evaluated/dkim"),
                "spf": r.findtext("row/policy_evaluated/spf"),
                "from": r.findtext("identifiers/header_from"),
                "envelope": r.findtext("identifiers/envelope_from")}
        if all(flat[k] == v for k, v in want.items()):
            count += int(r.findtext("row/count"))
            found.append(r)
    return count, found


@pytest.fixture(scope="module")
def reports(world):
    """Mail comes in, and reports about it go out: the server, what its
    receivers got, and the records of all periods."""
    port = free_ports(1)[0]
    receiver = Receiver(host="127.0.1.200", port=port)
    server = reporting(world, port)
    account = server.new_account()
    good = sign(message("a@asks.example"), "asks.example", world.keys.rsa)
    for _ in range(3):
        assert sender.send(server, good, account.login,
                           sender="a@asks.example")[0] == 250
    forged = message("a@asks.example")
    for _ in range(2):
        assert sender.send(server, forged, account.login,
                           sender="x@pass.example",
                           client="127.0.1.2")[0] == 550
    listed = sender.seal(
        message("a@asks.example", fields="List-Id: <l.list.example>\r\n"),
        "list.example", world.keys.rsa,
        "list.example; dmarc=pass header.from=asks.example")
    assert sender.send(server, listed, account.login,
                       sender="l@list.example")[0] == 250
    # A domain that asks for no reports.
    assert sender.send(server, message(), account.login)[0] == 250

    def all_there():
        got = [m for m in receiver.messages if m.rcpts == ["a@takes.example"]]
        n = sum(int(r.findtext("row/count")) for m in got
                for r in unpack(m)[2].findall("record"))
        return n >= 6
    wait_for(all_there, 40, "no report came")
    # The copies of the others may be a moment behind.
    wait_for(lambda: len({m.rcpts[0] for m in receiver.messages}) >= 3, 10)
    yield server, receiver, account
    receiver.close()


def merged(receiver, rcpt="a@takes.example"):
    """All reports to a receiver, as one: a period may end in between."""
    trees = [unpack(m)[2] for m in receiver.messages if m.rcpts == [rcpt]]
    for other in trees[1:]:
        trees[0].extend(other.findall("record"))
    return trees[0]


def test_a_report_has_the_form_of_the_rfc(reports):
    server, receiver, _ = reports
    for mail in receiver.messages:
        m, name, tree = unpack(mail)
        check_schema(tree)
        begin = int(tree.findtext("report_metadata/date_range/begin"))
        end = int(tree.findtext("report_metadata/date_range/end"))
        assert begin % 5 == 0 and end == begin + 4
        assert name == f"mail.test.example!asks.example!{begin}!{end}.xml.gz"
        assert " ".join(m["Subject"].split()) == (
            "Report Domain: asks.example Submitter: mail.test.example "
            f"Report-ID: <{tree.findtext('report_metadata/report_id')}>")
        assert m["From"] == "<postmaster@mail.test.example>"
        assert mail.sender == "", "a bounce would come back"
        policy = tree.find("policy_published")
        assert [policy.findtext(t) for t in (
            "domain", "adkim", "aspf", "p", "sp", "pct", "fo")] == [
            "asks.example", "s", "r", "reject", "reject", "100", "1:d"]


def test_a_report_counts_what_came(reports):
    _, receiver, _ = reports
    tree = merged(receiver)
    n, found = find_row(tree, ip="127.0.1.1", disposition="none",
                        dkim="pass", spf="pass", envelope="asks.example")
    assert n == 3
    for r in found:
        assert r.findtext("auth_results/dkim/domain") == "asks.example"
        assert r.findtext("auth_results/dkim/selector") == "s"
        assert r.findtext("auth_results/dkim/result") == "pass"
        assert r.findtext("auth_results/spf/scope") == "mfrom"
        assert r.findtext("auth_results/spf/result") == "pass"
    n, found = find_row(tree, ip="127.0.1.2", disposition="reject",
                        dkim="fail", spf="fail")
    assert n == 2
    for r in found:
        assert r.findtext("identifiers/envelope_from") == "pass.example"
        assert r.findtext("auth_results/spf/result") == "fail"
    n, found = find_row(tree, envelope="list.example", disposition="none",
                        dkim="fail", spf="fail")
    assert n == 1
    reasons = {r.findtext("type"): r.findtext("comment")
               for r in found[0].findall("row/policy_evaluated/reason")}
    assert set(reasons) == {"local_policy", "mailing_list"}
    assert reasons["local_policy"].startswith("arc=pass as[1].d=list.example")
    assert sum(int(r.findtext("row/count"))
               for r in tree.findall("record")) == 6


def test_reports_go_to_who_may_have_them(reports):
    server, receiver, _ = reports
    assert {m.rcpts[0] for m in receiver.messages} == {
        "own@asks.example", "a@takes.example", "new@moved.example"}
    for m in receiver.messages:
        assert len(m.rcpts) == 1


def test_the_operator_sees_what_was_found_and_sent(reports):
    server, receiver, account = reports
    out = json.loads(server.cli("dmarc", "reports", "asks.example",
                                "--json"))["reports"]
    states = {(r["receiver"], r["state"]) for r in out}
    assert states >= {("own@asks.example", "sent"),
                      ("a@takes.example", "sent"),
                      ("new@moved.example", "sent"),
                      ("tiny@asks.example", "too-big")}
    assert sum(r["messages"] for r in out
               if r["receiver"] == "a@takes.example") == 6
    sent = next(r for r in out if r["state"] == "sent")
    wait_for(lambda: "delivered" in server.cli("trace", sent["id"]))
    assert json.loads(server.cli("dmarc", "reports", "pass.example",
                                 "--json"))["reports"] == []

    def collected():
        rows = json.loads(server.cli("dmarc", "collected",
                                     "--json"))["collected"]
        return rows if rows else None

    def collected_at_last():
        """One more, of the present period, which may end right behind it."""
        code, _ = sender.send(server, message("a@asks.example"),
                              account.login, sender="a@asks.example")
        assert code == 250
        for _ in range(20):
            rows, text = collected(), server.cli("dmarc", "collected")
            if rows and "asks.example" in text:
                return rows
        return None
    rows = wait_for(collected_at_last, 15)
    assert rows[0]["domain"] == "asks.example" and rows[0]["messages"] >= 1
    assert rows[0]["passed"] == rows[0]["messages"]
    assert rows[0]["rejected"] == 0
    # It is reported in its turn, and then it is gone.
    wait_for(lambda: not collected(), 30)


def test_a_report_is_sent_once_even_across_crashes(reports):
    """The rows are gone, and a new process does not begin again."""
    server, receiver, _ = reports
    # All that came in is in a report, and all reports have arrived.
    wait_for(lambda: not json.loads(server.cli(
        "dmarc", "collected", "--json"))["collected"], 30, "rows are left")
    wait_for(lambda: not server.cli("queue", "list").strip()
             .splitlines()[1:], 30, "the queue is not empty")
    before = len(receiver.messages)
    server.kill("send")
    server.kill("store")
    time.sleep(3)
    assert len(receiver.messages) == before
    ids = [unpack(m)[2].findtext("report_metadata/report_id") + m.rcpts[0]
           for m in receiver.messages]
    assert len(ids) == len(set(ids))
