# SPDX-License-Identifier: ISC
"""Mail to other servers: which one, how, when again, and what the sender hears.

The other servers are scripted receivers on addresses 127.0.1.x, all with one
port; their names come from a real name server.
"""
import email
import re
import signal
import smtplib
import socket
import time
from email.header import decode_header, make_header

import pytest

from lib import dns
from lib.instance import (
    PASSWORD, PATIENCE_S, Instance, free_ports, wait_for)
from lib.imap import read_all
from lib.receiver import CUT, Receiver

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")

# Retries come soon; a receiver that is slow to answer is waited for.
QUICK = {"retry": "1s", "retry_max": "2s", "timeout": "1m", "idle": "1m",
         "connect_timeout": "1m", "canary": "1s"}


class World:
    """A name server, a Mailstead, and room for receivers."""

    def __init__(self, signed=False, anchor=None, children=(), **send):
        self.port = free_ports(1)[0]
        self.records, self.receivers, self.hosts = [], [], 0
        self.ns = dns.NameServer([], signed=signed,
                                 children=children).start()
        look_up = {"servers": [self.ns.address], "dnssec": "no"}
        if signed or anchor:
            file = self.ns.dir / "anchor"
            file.write_text(anchor or self.ns.anchor())
            file.chmod(0o644)
            self.ns.dir.chmod(0o755)
            look_up.update(dnssec="yes", trust_anchor=file)
        self.server = Instance({
            "dns": look_up,
            "send": {"direct": "yes", "port": self.port,
                     "allow_loopback": "yes", **QUICK, **send}})
        self.server.start()
        self.server.add_domain()

    def ip(self):
        self.hosts += 1
        return f"127.0.1.{self.hosts}"

    def receiver(self, *names, rule=None, **options):
        """A receiver that is the only MX of the domains."""
        r = Receiver(rule, host=self.ip(), port=self.port, **options)
        r.ip = f"127.0.1.{self.hosts}"
        self.receivers.append(r)
        host = f"mx{self.hosts}"
        self.add(f"{host} A {r.ip}", *(f"{n} MX 10 {host}" for n in names))
        r.name = f"{host}.example"
        return r

    def add(self, *records):
        self.records += records
        self.ns.change(self.records)

    def send(self, sender, rcpts, body=b"Hello\r\n", options=(), rcpt=(),
             fields=""):
        """Submit a message from an account; its bytes."""
        if isinstance(rcpts, str):
            rcpts = [rcpts]
        self.count = getattr(self, "count", 0) + 1
        message = (f"From: {sender.login}\r\nSubject: number {self.count}\r\n"
                   f"{fields}\r\n").encode() + body
        with smtplib.SMTP("127.0.0.1",
                          self.server.ports["submission"]) as c:
            c.starttls(context=self.server.tls())
            c.login(sender.login, PASSWORD)
            assert c.sendmail(sender.login, rcpts, message, options,
                              rcpt) == {}
        return message

    def close(self):
        try:
            self.server.stop()
        finally:
            self.server.remove()
            for r in self.receivers:
                r.close()
            self.ns.stop()


@pytest.fixture(scope="module")
def world():
    w = World()
    yield w
    w.close()


@pytest.fixture
def make_world():
    made = []

    def make(**send):
        made.append(World(**send))
        return made[-1]
    yield make
    for w in made:
        w.close()


@pytest.fixture
def user(world):
    return world.server.new_account()


def inbox(account):
    """The messages of an account, parsed."""
    return [email.message_from_bytes(m) for m in read_all(account)]


def wait_inbox(account, n=1, timeout=15):
    return wait_for(lambda: (lambda got: len(got) >= n and got)(
        inbox(account)), timeout, "no report came")


def status_fields(report):
    """Of each recipient of a delivery status notification."""
    assert report.get_content_type() == "multipart/report", report
    part = report.get_payload()[1]
    assert part.get_content_type().endswith("delivery-status")
    return part.get_payload()[1:]


# --- where to -----------------------------------------------------------------

def test_a_message_goes_out(world, user):
    r = world.receiver("plain")
    sent = world.send(user, "bob@plain.example",
                      b".dots\r\n..\r\n" + b"x" * 998 + b"\r\n")
    m = r.wait()[0]
    assert m.sender == user.login and m.rcpts == ["bob@plain.example"]
    assert m.data.endswith(sent[sent.index(b"Subject"):])
    header = m.data[:m.data.index(b"Subject")]
    assert header.startswith(b"DKIM-Signature: ")
    assert b"Return-Path" not in header and b"Delivered-To" not in header
    assert "SIZE=" in m.mail_params
    assert world.server.wait_log(r"event=send\.done .*rcpt=bob@plain")


def test_recipients_of_one_domain_share_a_transaction(world, user):
    r = world.receiver("many")
    rcpts = [f"u{i}@many.example" for i in range(30)]
    world.send(user, rcpts)
    assert sorted(r.wait()[0].rcpts) == sorted(rcpts)
    assert len(r.messages) == 1 and r.sessions == 1


def test_domains_behind_one_mx_share_a_connection(world, user):
    r = world.receiver("cust1", "cust2", "cust3")
    for n, i in enumerate((1, 2, 3, 1)):
        world.send(user, f"a@cust{i}.example")
        r.wait(n + 1)
        # Send has read the reply as well, and its connection is idle.
        wait_for(lambda: len(re.findall(r"event=send\.done .*rcpt=a@cust",
                                        world.server.log())) == n + 1)
    assert r.sessions == 1


def test_an_idle_connection_ends_politely(make_world):
    w = make_world(idle="1s")
    r = w.receiver("idle")
    w.send(w.server.new_account(), "a@idle.example")
    r.wait()
    wait_for(lambda: "QUIT" in r.commands, 15, "no QUIT")


def test_worse_hosts_are_tried_when_better_ones_fail(world, user):
    dead = world.ip()
    busy = world.receiver(rule=lambda r, s, stage, arg:
                          "421 4.3.2 busy" if stage == "connect" else None)
    good = world.receiver()
    world.add(f"dead A {dead}", "fallback MX 5 dead",
              f"fallback MX 10 {busy.name}.", f"fallback MX 20 {good.name}.")
    world.send(user, "a@fallback.example")
    good.wait()
    assert busy.sessions == 1


def test_a_domain_without_mx_is_its_own_host(world, user):
    r = world.receiver()
    world.add(f"implicit A {r.ip}")
    world.send(user, "a@implicit.example")
    r.wait()


def test_a_domain_that_is_an_alias(world, user):
    r = world.receiver("canonical")
    world.add("alias CNAME canonical")
    world.send(user, "a@alias.example")
    assert r.wait()[0].rcpts == ["a@alias.example"]


@pytest.mark.parametrize("name, records, status", [
    ("nosuch", [], "5.1.2"),
    ("nullmx", ["nullmx MX 0 ."], "5.1.10"),
    ("loop", ["loop MX 10 mail.test.example."], "5.4.6"),
    ("ghost", ["ghost MX 10 nowhere"], "5.4.4"),
])
def test_domains_that_take_no_mail(world, user, name, records, status):
    world.add(*records)
    world.send(user, f"bob@{name}.example")
    report = wait_inbox(user)[0]
    fields = status_fields(report)[0]
    assert fields["Action"] == "failed" and fields["Status"] == status
    assert fields["Final-Recipient"] == f"rfc822; bob@{name}.example"
    assert report["From"].find("MAILER-DAEMON@") >= 0
    assert report["Return-Path"] == "<>"
    assert b"number " in report.get_payload()[2].as_bytes()


def test_signed_answers_are_good(make_world):
    w = make_world(signed=True)
    r = w.receiver("signed")
    w.send(w.server.new_account(), "a@signed.example")
    r.wait()


def test_forged_answers_are_not_followed(make_world):
    """The zone should be signed with this key, and is not."""
    w = make_world(anchor="example. DS 4711 13 2 " + "ab" * 32 + "\n")
    user = w.server.new_account()
    r = w.receiver("forged")
    w.send(user, "a@forged.example")
    w.server.wait_log(r"event=send\.defer .*rcpt=a@forged.*4\.4\.3", 15)
    assert r.sessions == 0 and inbox(user) == []


def test_a_silent_name_server_delays_but_returns_nothing(make_world):
    w = make_world()
    user = w.server.new_account()
    r = w.receiver("asleep")
    w.ns.process.send_signal(signal.SIGSTOP)
    w.send(user, "a@asleep.example")
    time.sleep(2)
    w.ns.process.send_signal(signal.SIGCONT)
    r.wait(1, 40)
    assert inbox(user) == []


def test_loopback_is_no_mail_server(make_world):
    w = make_world(allow_loopback="no")
    r = w.receiver("inside")
    w.send(w.server.new_account(), "a@inside.example")
    w.server.wait_log(r"event=send\.defer .*address of this machine")
    assert r.sessions == 0


def test_nothing_leaves_without_a_way(make_world):
    w = make_world(direct="no")
    user = w.server.new_account()
    r = w.receiver("held", "free")
    w.send(user, "a@held.example")
    w.server.wait_log(r"event=send\.hold .*send\.direct is no")
    assert r.sessions == 0
    w.server.configure({"send": {
        "routes": [f"free.example 127.0.1.1:{w.port}"]}})
    w.server.cli("reload")
    w.send(user, "a@free.example")
    assert r.wait()[0].rcpts == ["a@free.example"]


def test_routes_by_mx_and_sender(make_world):
    w = make_world()
    user = w.server.new_account()
    direct, relay = w.receiver("one", "two"), w.receiver()
    w.server.configure({"send": {
        "routes": [f"mx:.example [127.0.9.9]:{w.port}"
                   .replace("[127.0.9.9]", relay.ip)]}})
    w.server.cli("reload")
    w.send(user, "a@one.example")
    relay.wait()
    w.server.configure({"send": {"routes": [
        f"from:other.example {relay.ip}:{w.port}", "* direct"]}})
    w.server.cli("reload")
    w.send(user, "a@two.example")
    direct.wait()
    assert len(relay.messages) == 1


# --- TLS ------------------------------------------------------------------------

def server_tls(server):
    import ssl
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(server.certificate, server.key)
    return ctx


def test_tls_is_used_when_it_is_offered(world, user):
    r = world.receiver("tls", tls=server_tls(world.server))
    world.send(user, "a@tls.example")
    assert r.wait()[0].is_tls
    world.server.wait_log(r"event=send\.done .*rcpt=a@tls.*TLSv1\.3")


def test_mail_goes_without_tls_when_tls_is_broken(world, user):
    class Broken:
        def wrap_socket(self, sock, server_side):
            sock.sendall(b"this is not TLS")
            raise ConnectionError
    r = world.receiver("brokentls", tls=Broken())
    world.send(user, "a@brokentls.example")
    assert not r.wait()[0].is_tls
    world.server.wait_log(r"event=send\.tls\.fail")


def test_refused_starttls_is_not_the_end(world, user):
    r = world.receiver(
        "notls", tls=server_tls(world.server),
        rule=lambda r, s, stage, arg:
        "454 4.7.0 not now" if stage == "STARTTLS" else None)
    world.send(user, "a@notls.example")
    assert not r.wait()[0].is_tls


# --- not now ---------------------------------------------------------------------

def first_time(reply, at):
    """A rule that answers once at a stage."""
    done = []

    def rule(r, s, stage, arg):
        if stage == at and not done:
            done.append(1)
            return reply
        return None
    return rule


def test_greylisting(world, user):
    r = world.receiver("grey", rule=first_time("451 4.7.1 greylisted",
                                               "RCPT"))
    world.send(user, "a@grey.example")
    r.wait()
    world.server.wait_log(r"send\.defer .*rcpt=a@grey.*451 4\.7\.1 grey")
    assert inbox(user) == []


@pytest.mark.parametrize("stage", ["connect", "EHLO", "MAIL", "RCPT", "DATA",
                                   "end"])
@pytest.mark.parametrize("how", [CUT, "421 4.3.2 going down"])
def test_trouble_at_each_stage(world, user, stage, how):
    """Cut, or refused for now: the message comes once, later. Those that are
    silent are in test_send_mean.py."""
    name = f"t{stage}{str(how)[:3]}".lower()
    r = world.receiver(name, rule=first_time(how, stage))
    world.send(user, f"a@{name}.example")
    r.wait(1, 20)
    time.sleep(0.2)
    assert len(r.messages) == 1 and inbox(user) == []


def test_a_server_that_drips_is_left(make_world):
    w = make_world(timeout="1s")
    user = w.server.new_account()

    def drip(r, s, stage, arg):
        if s.number == 1 and stage == "connect":
            for c in b"220 " + b"x" * 400:
                s.sock.sendall(bytes([c]))
                if r.stopping.wait(0.3):
                    break
            return CUT
        return None
    r = w.receiver("drip", rule=drip)
    w.send(user, "a@drip.example")
    r.wait()  # in half of the time that the drip would take


def test_only_a_reply_lost_behind_the_end_makes_a_second_copy(world, user):
    r = world.receiver("lost", rule=first_time("keep-and-cut", "end"))
    world.send(user, "a@lost.example")
    r.wait(2)
    time.sleep(1.5)
    assert len(r.messages) == 2


def test_too_many_recipients_go_in_further_transactions(world, user):
    def rule(r, s, stage, arg):
        if stage == "RCPT" and len(s.rcpts) >= 4:
            return "452 4.5.3 too many recipients"
        return None
    r = world.receiver("few", rule=rule)
    rcpts = [f"u{i}@few.example" for i in range(10)]
    world.send(user, rcpts)
    r.wait(3)
    assert sorted(x for m in r.messages for x in m.rcpts) == sorted(rcpts)
    assert r.sessions == 1


# --- never ------------------------------------------------------------------------

def test_a_refused_recipient_is_reported_and_the_others_get_it(world, user):
    r = world.receiver("mixed", rule=lambda r, s, stage, arg:
                       "550 5.1.1 No such user here"
                       if stage == "RCPT" and arg.startswith("no") else None)
    world.send(user, ["yes@mixed.example", "no1@mixed.example",
                      "no2@mixed.example"])
    assert r.wait()[0].rcpts == ["yes@mixed.example"]
    report = wait_inbox(user)[0]
    fields = status_fields(report)
    assert sorted(f["Final-Recipient"] for f in fields) == [
        "rfc822; no1@mixed.example", "rfc822; no2@mixed.example"]
    for f in fields:
        assert f["Status"] == "5.1.1"
        assert f["Diagnostic-Code"] == "smtp; 550 5.1.1 No such user here"
        assert f["Remote-MTA"] == f"dns; {r.name}"
    time.sleep(0.3)
    assert len(inbox(user)) == 1, "one report for one transaction"


def test_a_blocked_address_is_no_bounce(make_world):
    w = make_world()
    user = w.server.new_account()
    banned = [True]

    def rule(r, s, stage, arg):
        if stage == "MAIL" and banned:
            return ("554 5.7.1 Service unavailable; Client host [127.0.0.1] "
                    "blocked using zen.spamhaus.org")
        return None
    r = w.receiver("banned", rule=rule)
    w.send(user, "a@banned.example")
    w.server.wait_log(r"event=send\.blocked .*rule=dnsbl-spamhaus "
                      r".*check\.spamhaus\.org")
    time.sleep(1)
    assert inbox(user) == [] and r.messages == []
    banned.clear()
    r.wait()
    assert inbox(user) == []


def test_a_refused_message_is_reported(world, user):
    world.receiver("spam", rule=lambda r, s, stage, arg:
                   "554 5.7.1 we do not like it" if stage == "end" else None)
    world.send(user, "a@spam.example")
    fields = status_fields(wait_inbox(user)[0])[0]
    assert fields["Status"] == "5.7.1"


def test_a_message_that_was_tried_for_long_enough_goes_back(make_world):
    w = make_world(delay_notice="1s")
    user = w.server.new_account()
    r = w.receiver("never", rule=lambda r, s, stage, arg:
                   "451 4.2.0 come back later" if stage == "MAIL" else None)
    w.send(user, "a@never.example")
    wait_inbox(user)
    w.server.cli("retry", "set", "never.example", "expire=1s")
    got = wait_inbox(user, 2)
    by_action = {status_fields(m)[0]["Action"]: m for m in got}
    assert sorted(by_action) == ["delayed", "failed"]
    fields = status_fields(by_action["failed"])[0]
    assert "come back later" in fields["Diagnostic-Code"]
    assert status_fields(by_action["delayed"])[0]["Will-Retry-Until"]
    time.sleep(1)
    assert len(inbox(user)) == 2 and r.messages == []


def test_who_does_not_want_to_know_is_not_told(world, user):
    world.receiver("silent", rule=lambda r, s, stage, arg:
                   "550 5.1.1 no" if stage == "RCPT" else None)
    world.send(user, "a@silent.example", rcpt=["NOTIFY=NEVER"])
    world.server.wait_log(r"event=send\.fail .*rcpt=a@silent")
    time.sleep(0.5)
    assert inbox(user) == []


# What the header of the message says, and what its sender reads then.
LANGUAGES = [
    ("Accept-Language: en-GB, de;q=0.9\r\n", "en",
     "Your message could not be delivered", "The address does not exist."),
    ("Accept-Language: ja,\r\n pt-BR;q=0.8, fr;q=0.1\r\n", "pt",
     "A sua mensagem não foi entregue", "O endereço não existe."),
    ("Content-Language: de-AT\r\n", "de",
     "Ihre Nachricht kam nicht an", "Die Adresse gibt es nicht."),
    ("", "fr", "Votre message n'a pas pu être remis",
     "Cette adresse n'existe pas."),
    ("Accept-Language: ;q=(,\r\n", "fr",
     "Votre message n'a pas pu être remis", "Cette adresse n'existe pas.")]


def test_a_report_is_in_the_language_of_its_reader(make_world):
    w = make_world(report_language="fr")
    w.receiver("gone", rule=lambda r, s, stage, arg:
               "550 5.1.1 No such user" if stage == "RCPT" else None)
    for fields, code, subject, text in LANGUAGES:
        user = w.server.new_account()
        w.send(user, "a@gone.example", fields=fields)
        report = wait_inbox(user, timeout=PATIENCE_S)[0]
        words = report.get_payload()[0]
        assert words["Content-Language"] == code
        assert words.get_content_charset() == "utf-8"
        assert text in words.get_payload(decode=True).decode()
        assert str(make_header(decode_header(report["Subject"]))) == subject
        status = status_fields(report)[0]
        assert status["Action"] == "failed" and status["Status"] == "5.1.1"
        assert status["Diagnostic-Code"] == "smtp; 550 5.1.1 No such user"


def test_a_receipt_where_the_next_server_gives_none(world, user):
    world.receiver("receipt")
    world.send(user, "a@receipt.example", rcpt=["NOTIFY=SUCCESS"])
    fields = status_fields(wait_inbox(user)[0])[0]
    assert fields["Action"] == "relayed"


def test_wishes_travel_to_a_server_that_knows_them(world, user):
    r = world.receiver("dsn", capabilities=["DSN", "SIZE", "8BITMIME"])
    world.send(user, "a@dsn.example", options=["ENVID=QQ1", "RET=HDRS"],
               rcpt=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;orig@x.example"])
    m = r.wait()[0]
    assert "ENVID=QQ1" in m.mail_params and "RET=HDRS" in m.mail_params
    assert "NOTIFY=SUCCESS,FAILURE" in m.rcpt_params[0]
    assert "ORCPT=rfc822;orig@x.example" in m.rcpt_params[0]
    time.sleep(0.5)
    assert inbox(user) == []


# --- size, number, life ---------------------------------------------------------------

def test_a_large_message_is_the_same_at_the_other_end(world, user):
    r = world.receiver("large", tls=server_tls(world.server))
    body = b"".join(b"%d.%s\r\n" % (i, b"." * (i % 70))
                    for i in range(100000))
    sent = world.send(user, "a@large.example", body)
    m = r.wait(1, 30)[0]
    assert m.data.endswith(sent[sent.index(b"Subject"):])


def test_many_messages_at_once(world, user):
    r = world.receiver("flood")
    n = 300
    with smtplib.SMTP("127.0.0.1", world.server.ports["submission"]) as c:
        c.starttls(context=world.server.tls())
        c.login(user.login, PASSWORD)
        for i in range(n):
            c.sendmail(user.login, [f"u{i}@flood.example"],
                       f"From: {user.login}\r\n\r\n{i}\r\n")
    r.wait(n, 30)
    assert len({m.rcpts[0] for m in r.messages}) == n == len(r.messages)
    assert r.most_busy <= 20


def test_the_dead_do_not_hold_up_the_living(make_world):
    # One behind the other, ten at a time, they take longer than anybody waits.
    w = make_world(connections=10, connect_timeout=f"{PATIENCE_S}s")
    user = w.server.new_account()
    # Nobody answers there: the queue of the listener is full.
    silent = [socket.socket() for _ in range(30)]
    for i, s in enumerate(silent):
        s.bind((f"127.0.2.{i + 1}", w.port))
        s.listen(0)
    fill = []
    for i in range(30):
        for _ in range(3):
            c = socket.socket()
            c.setblocking(False)
            c.connect_ex((f"127.0.2.{i + 1}", w.port))
            fill.append(c)
    w.add(*(f"dead{i} A 127.0.2.{i + 1}" for i in range(30)))
    r = w.receiver("alive")
    w.send(user, "first@alive.example")
    r.wait()
    for i in range(30):
        w.send(user, [f"u{j}@dead{i}.example" for j in range(30)])
    for i in range(20):
        w.send(user, f"u{i}@alive.example")
    r.wait(21)
    for s in silent + fill:
        s.close()


def test_stopping_gives_everything_back(make_world):
    w = make_world()
    user = w.server.new_account()
    r = w.receiver("stop", rule=first_time(30, "MAIL"))
    w.send(user, "a@stop.example")
    wait_for(lambda: any(c.startswith("MAIL") for c in r.commands), 5)
    w.server.restart()
    r.wait()
    assert len(r.messages) == 1


def test_a_killed_process_delays_but_loses_nothing(make_world):
    w = make_world()
    user = w.server.new_account()
    r = w.receiver("kill", rule=first_time(30, "DATA"))
    w.send(user, ["a@kill.example", "b@kill.example"])
    wait_for(lambda: any(c.startswith("DATA") for c in r.commands), 5)
    w.server.kill("send")
    assert sorted(r.wait()[0].rcpts) == ["a@kill.example", "b@kill.example"]
    w.server.kill("store")
    w.send(user, "c@kill.example")
    r.wait(2)
    time.sleep(1)
    assert len(r.messages) == 2
