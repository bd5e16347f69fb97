# SPDX-License-Identifier: ISC
"""Reports about TLS (RFC 8460): counted by domain, sent when their period is
over, by mail and by HTTPS, to those who ask for them."""
import email
import gzip
import json
import time

import pytest

from lib import dns, pki
from lib.instance import Instance, wait_for
from test_mta_sts import StsWorld
from test_tls_out import tlsa

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")


@pytest.fixture
def make_world():
    made = []

    def make(interval="4s", **how):
        class Reporting(Instance):
            def configure(self, settings=None):
                self.settings.setdefault("report", {}).update(
                    interval=interval, **{"from": "tls@test.example"})
                super().configure(settings)
        import test_send
        was, test_send.Instance = test_send.Instance, Reporting
        try:
            made.append(StsWorld(**how))
        finally:
            test_send.Instance = was
        return made[-1]
    yield make
    for w in made:
        w.close()


def wants(world, name, *uris):
    world.add(f'_smtp._tls.{name} TXT "v=TLSRPTv1; rua={",".join(uris)}"')


def counts(world, domain):
    rows = json.loads(world.server.cli("tls-rpt", domain, "--json"))
    return {r["policy"]: r for r in rows["sessions"]}


def read(message):
    """The report in a mail, with what has to be around it."""
    m = email.message_from_bytes(message.data)
    assert m.get_content_type() == "multipart/report"
    assert m.get_param("report-type") == "tlsrpt"
    assert message.sender == ""
    part = m.get_payload()[1]
    assert part.get_content_type() == "application/tlsrpt+gzip"
    return m, part, json.loads(gzip.decompress(part.get_payload(
        decode=True)))


def total(reports, kind):
    """Sessions of one kind in several reports: good, failed, how."""
    good = failed = 0
    how = {}
    for r in reports:
        for p in r["policies"]:
            if p["policy"]["policy-type"] != kind:
                continue
            good += p["summary"]["total-successful-session-count"]
            failed += p["summary"]["total-failure-session-count"]
            for f in p.get("failure-details", []):
                how[f["result-type"]] = how.get(f["result-type"], 0) + \
                    f["failed-session-count"]
    return good, failed, how


def test_a_report_by_mail(make_world):
    w = make_world()
    user = w.server.new_account()
    r = w.good("rated", tls=None)
    box = w.receiver("reports")
    w.sts("rated", "testing", "mx.else.example")
    wants(w, "rated", "mailto:tls%2Breports@reports.example")
    w.send(user, "a@rated.example")
    r.wait()
    m, part, report = read(box.wait(1, 30)[0])
    assert box.messages[0].rcpts == ["tls+reports@reports.example"]
    assert m["TLS-Report-Domain"] == "rated.example"
    assert m["TLS-Report-Submitter"] == "mail.test.example"
    assert m["From"].endswith("tls@test.example>") or \
        m["From"] == "tls@test.example"
    assert report["report-id"] in "".join(m["Subject"].split())
    assert part.get_filename().startswith("mail.test.example!rated.example!")
    assert part.get_filename().endswith(".json.gz")
    assert report["organization-name"] == "mail.test.example"
    assert report["contact-info"] == "tls@test.example"
    policy = report["policies"][0]["policy"]
    assert policy["policy-type"] == "sts"
    assert policy["policy-domain"] == "rated.example"
    assert policy["mx-host"] == ["mx.else.example"]
    assert policy["policy-string"] == [
        "version: STSv1", "mode: testing", "mx: mx.else.example",
        "max_age: 86400"]
    good, failed, how = total([report], "sts")
    assert (good, failed) == (0, 1) and how == {"validation-failure": 1}
    detail = report["policies"][0]["failure-details"][0]
    assert detail["receiving-mx-hostname"] == r.name
    assert detail["receiving-ip"] == r.ip
    # Once: its rows are gone.
    wait_for(lambda: counts(w, "rated.example") == {}, 15, "rows are left")
    time.sleep(5)
    assert len(box.messages) == 1


def test_what_failed_and_what_did_not(make_world):
    w = make_world(signed=True, interval="7d")  # it does not end meanwhile
    user = w.server.new_account()
    names = ("ok", "dane", "plain", "wrong", "dark", "silent")
    for n in names[:-1]:
        wants(w, n, "mailto:x@reports.example")
    cert = pki.Cert("mx")
    tls = cert.context()
    ok, plain = w.receiver("ok", tls=tls), w.receiver("plain")
    dane, wrong = w.receiver("dane", tls=tls), w.receiver("wrong", tls=tls)
    silent = w.receiver("silent", tls=tls)
    tlsa(w, dane, cert.tlsa())
    tlsa(w, wrong, pki.Cert("mx").tlsa())
    rounds, got = 0, {n: {} for n in names}
    # Written when the process ends; what nobody has said yet whether it is wanted
    # is not.
    while not all(got[n] for n in ("ok", "plain", "dane", "wrong")):
        rounds += 1
        assert rounds < 6, got
        for n in names:
            if n != "dark":
                w.send(user, f"a{rounds}@{n}.example")
        for r in (ok, plain, dane, silent):
            r.wait(rounds)
        w.server.wait_log(rf"event=send\.defer .*rcpt=a{rounds}@wrong")
        w.server.stop()
        w.server.start()
        got = {n: counts(w, f"{n}.example") for n in names}
    assert 1 <= got["ok"]["no-policy-found"]["good"] <= rounds
    assert 1 <= got["plain"]["no-policy-found"]["failed"] <= rounds
    assert " starttls-not-supported" in \
        got["plain"]["no-policy-found"]["failures"][0]
    assert 1 <= got["dane"]["tlsa"]["good"] <= rounds
    assert got["dane"]["tlsa"]["policy_domain"] == dane.name
    assert got["wrong"]["tlsa"]["failed"] >= 1
    assert "validation-failure" in got["wrong"]["tlsa"]["failures"][0]
    # Who does not want reports is not remembered.
    assert got["silent"] == {} and got["dark"] == {}
    had = got["ok"]["no-policy-found"]["good"]

    def has_one_more():
        w.send(user, "b@ok.example")
        ok.wait(len(ok.messages) + 1)
        w.server.stop()
        w.server.start()
        return counts(w, "ok.example")["no-policy-found"]["good"] > had
    wait_for(has_one_more, what="the next process adds to what there is")


def test_a_report_by_https(make_world):
    w = make_world()
    user = w.server.new_account()
    r = w.good("posted")
    wants(w, "posted",
          f"https://mta-sts.posted.example:{w.web.port}/v1?x=y")
    w.sts("posted", "enforce", r.name)
    w.send(user, "a@posted.example")
    r.wait()
    wait_for(lambda: w.web.posted, 30, "nothing was posted")
    path, fields, body = w.web.posted[0]
    assert path == "/v1?x=y"
    assert fields["Content-Type"] == "application/tlsrpt+gzip"
    report = json.loads(gzip.decompress(body))
    assert total([report], "sts") == (1, 0, {})
    wait_for(lambda: counts(w, "posted.example") == {}, 15, "rows are left")


def test_a_policy_that_cannot_be_had_is_reported(make_world):
    w = make_world()
    user = w.server.new_account()
    r = w.receiver("lost")
    box = w.receiver("reports")
    wants(w, "lost", "mailto:x@reports.example")
    w.sts("lost")
    w.send(user, "a@lost.example")
    r.wait()
    box.wait(1, 30)
    reports = [read(m)[2] for m in box.messages]
    good, failed, how = total(reports, "sts")
    assert good == 0 and how == {"sts-policy-fetch-error": 1}


def test_killed_processes_send_no_report_twice(make_world):
    w = make_world(interval="3s")
    user = w.server.new_account()
    r = w.good("often", tls=None)
    box = w.receiver("reports")
    wants(w, "often", "mailto:x@reports.example")
    for i in range(6):
        w.send(user, f"{i}@often.example")
        r.wait(i + 1)
        time.sleep(0.7)
        w.server.kill("send")
    box.wait(1, 30)
    wait_for(lambda: counts(w, "often.example") == {}, 30, "rows are left")
    reports = [read(m)[2] for m in box.messages]
    ids = [r["report-id"] for r in reports]
    assert len(ids) == len(set(ids))
