# SPDX-License-Identifier: ISC
"""A name server that means harm, or is broken, makes mail wait. It never makes
it fail: neither what we send, nor what comes from there."""
import concurrent.futures
import json
import smtplib

import pytest

from lib import imap
from lib.hostile_dns import HostileServer
from lib.instance import PASSWORD, PATIENCE_S, Instance, free_ports, wait_for

pytest.importorskip("authres")

from lib import sender  # noqa: E402

# What it does with a question; see lib/hostile_dns.py.
KINDS = ["servfail", "refused", "formerr", "tc", "tcsilent", "cnames", "loop",
         "self", "pointer", "other", "othernx", "noise"]
REJECT = '"v=DMARC1; p=reject"'


@pytest.fixture(scope="module")
def server():
    records = {}
    for k in KINDS:
        # The MX is honest, its address is not; so with SPF and its include.
        records[f"by-{k}-host.example", "MX"] = [f"10 mx.{k}.example."]
        records[f"by-{k}.example", "TXT"] = [
            f'"v=spf1 include:spf.{k}.example -all"']
        records[f"_dmarc.by-{k}.example", "TXT"] = [REJECT]
    records["refused-by-dmarc.example", "TXT"] = ['"v=spf1 -all"']
    records["_dmarc.refused-by-dmarc.example", "TXT"] = [REJECT]
    ns = HostileServer(records)
    s = Instance({
        "dns": {"servers": [ns.address], "dnssec": "no"},
        "incoming": {"check_loopback": "yes"},
        "send": {"direct": "yes", "port": free_ports(1)[0],
                 "allow_loopback": "yes", "retry": "1h", "retry_max": "1h"}})
    s.start()
    s.add_domain()
    yield s
    s.stop()
    s.remove()
    ns.close()


def queue(server):
    return json.loads(server.cli("queue", "list", "--json"))["queue"]


def test_mail_to_others_waits(server):
    user = server.new_account()
    to = [f"a@x.{k}.example" for k in KINDS] + \
        [f"a@by-{k}-host.example" for k in KINDS]
    # That one does fail shows that a failure would be seen.
    gone = "a@x.nxdomain.example"
    with smtplib.SMTP("127.0.0.1", server.ports["submission"]) as c:
        c.starttls(context=server.tls())
        c.login(user.login, PASSWORD)
        c.sendmail(user.login, to + [gone],
                   f"From: {user.login}\r\n\r\nHello\r\n")

    def are_decided():
        rows = {r["recipient"]: r for r in queue(server)}
        return gone not in rows and all(
            r["attempts"] > 0 for r in rows.values()) and [rows]
    rows, = wait_for(are_decided, 4 * PATIENCE_S, "some are not decided")
    assert sorted(rows) == sorted(to), "one of them failed"
    assert {r["state"] for r in rows.values()} == {"deferred"}
    assert all(r["reply"].startswith("4.4.3 ") for r in rows.values()), rows
    reports = wait_for(lambda: imap.read_all(user), PATIENCE_S, "no report")
    assert len(reports) == 1 and gone.encode() in reports[0]
    assert b"servfail" not in reports[0]


def test_mail_from_there_is_not_refused(server):
    user = server.new_account()

    def bring(domain):
        author = f"someone@{domain}"
        try:
            return sender.send(server, sender.message(author), user.login,
                               sender=author, helo="client.example",
                               timeout=4 * PATIENCE_S)[0]
        except smtplib.SMTPResponseException as e:
            return e.smtp_code
    assert bring("refused-by-dmarc.example") == 550, "what is refused is seen"
    domains = [f"by-{k}.example" for k in KINDS] + \
        [f"x.{k}.example" for k in KINDS]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        codes = dict(zip(domains, pool.map(bring, domains)))
    assert {d for d, code in codes.items() if code >= 500} == set()
    # What was taken says why nothing is known of it.
    found = [sender.results(m) for m in sender.mailbox(user)]
    assert len(found) == list(codes.values()).count(250)
    for one in found:
        spf = [r for r in one if r[0] == "spf" and
               "smtp.mailfrom" in r[2]]
        assert [r[1] for r in spf] == ["temperror"], one


def test_where_mail_goes_is_not_known_then(server):
    def ask(domain):
        done = server.cli("route", "test", "<>", f"a@x.{domain}.example",
                          "--json", check=False)
        answer, = [line for line in json.loads(done.stdout)["test"]
                   if line["kind"] == "answer"]
        return done.returncode, answer["text"], answer["state"], done.stderr
    for kind in ("silent", "servfail"):
        code, text, state, err = ask(kind)
        assert (code, text, state) == (75, "unknown", "unknown")
        assert "is not known now, as DNS did not answer in 5 s" in err
    assert ask("nxdomain") == (0, "nowhere", "", "")
    # What does not depend on mail servers is known; what may, is not.
    server.cli("route", "add", "--number", "20", "x.silent.example",
               "127.0.0.1:25")
    assert ask("silent") == (0, "127.0.0.1:25", "", "")
    server.cli("route", "add", "--number", "10", "mx:*.big.example",
               "127.0.0.1:26")
    assert ask("silent")[:3] == (75, "unknown", "unknown")
    for number in ("10", "20"):
        server.cli("route", "remove", number)
