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
