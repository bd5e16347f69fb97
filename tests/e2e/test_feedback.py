# SPDX-License-Identifier: ISC
"""Reports of others: real mails in at the address that `mailstead dns` prints,
tables out. DMARC in gzip, zip and plain, TLS reports, complaints."""
import email.message
import email.policy
import gzip
import io
import json
import re
import smtplib
import time
import zipfile

import pytest

from lib.instance import PASSWORD, free_ports, wait_for
from lib.receiver import Receiver

REFUSED, USAGE = 1, 2
NOW = int(time.time())


def js(server, *args):
    return json.loads(server.cli(*args, "--json"))


def dmarc(domain, report_id, rows, org="Receiver & Sons"):
    """A report; rows: (ip, count, disposition, dkim, spf)."""
    body = "".join(f"""<record><row><source_ip>{ip}</source_ip>
<count>{count}</count><policy_evaluated><disposition>{disposition}</disposition>
<dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated></row>
<identifiers><header_from>{domain}</header_from></identifiers>
<auth_results><dkim><domain>{domain}</domain><selector>s1</selector>
<result>{dkim}</result></dkim><spf><domain>{domain}</domain>
<result>{spf}</result></spf></auth_results></record>"""
                   for ip, count, disposition, dkim, spf in rows)
    return f"""<?xml version="1.0" encoding="UTF-8" ?><feedback>
<report_metadata><org_name>{org.replace("&", "&amp;")}</org_name>
<email>dmarc@receiver.example</email><report_id>{report_id}</report_id>
<date_range><begin>{NOW - 90000}</begin><end>{NOW - 3600}</end></date_range>
</report_metadata><policy_published><domain>{domain}</domain><adkim>r</adkim>
<aspf>r</aspf><p>quarantine</p><pct>100</pct></policy_published>
{body}</feedback>""".encode()


def zipped(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("receiver.example!x!1!2.xml", data)
    return out.getvalue()


def mail(to, data, maintype, subtype):
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"] = "dmarc@receiver.example", to
    m["Subject"] = "Report Domain: x Submitter: receiver.example"
    m.set_content("This is a report.\n")
    m.add_attachment(data, maintype=maintype, subtype=subtype,
                     filename="report")
    return m.as_bytes()


def send(server, to, message):
    with smtplib.SMTP("127.0.0.1", server.ports["mx"], timeout=60) as c:
        return c.sendmail("dmarc@receiver.example", [to], message)


def reports(server, *args):
    return js(server, "feedback", "list", *args)["reports"]


@pytest.fixture
def domain(server):
    server.count += 1
    name = f"feedback{server.count}.example"
    server.add_domain(name)
    return name


def test_the_address_of_mailstead_dns_takes_reports(server, domain):
    zone = server.cli("dns", domain, "--zone")
    to = re.search(r"v=DMARC1;[^\"]*rua=mailto:([^;\"]+)", zone).group(1)
    assert to == re.search(r"v=TLSRPTv1; rua=mailto:([^;\"]+)", zone).group(1)
    rows = [("192.0.2.1", 9, "none", "pass", "pass"),
            ("192.0.2.66", 4, "quarantine", "fail", "fail")]
    send(server, to, mail(to, gzip.compress(dmarc(domain, "one", rows)),
                          "application", "gzip"))
    send(server, to, mail(to, zipped(dmarc(domain, "two", rows)),
                          "application", "zip"))
    send(server, to, mail(to, dmarc(domain, "three", rows), "text", "xml"))
    got = reports(server, "--domain", domain)
    assert sorted(r["report_id"] for r in got) == ["one", "three", "two"]
    assert {(r["kind"], r["count"], r["failed"], r["reporter"])
            for r in got} == {("dmarc", 13, 4, "Receiver & Sons")}
    sums = js(server, "feedback", "show", "dmarc", "--domain",
              domain)["sources"]
    assert [(s["source"], s["count"], s["dkim_aligned"], s["spf_aligned"],
             s["none_aligned"], s["quarantined"]) for s in sums] == [
        ("192.0.2.1", 27, 27, 27, 0, 0), ("192.0.2.66", 12, 0, 0, 12, 12)]
    table = server.cli("feedback", "show", "dmarc", "--domain", domain)
    assert table.split()[:3] == ["DOMAIN", "SOURCE", "COUNT"]
    assert reports(server, "--domain", domain, "--since", "30m") == []


def test_the_same_report_again_is_one(server, domain):
    to = f"mail-reports@{domain}"
    m = mail(to, gzip.compress(dmarc(domain, "same", [
        ("192.0.2.1", 5, "none", "pass", "pass")])), "application", "gzip")
    for _ in range(3):
        send(server, to, m)
    server.kill("store")
    send(server, to, m)
    assert [r["count"] for r in reports(server, "--domain", domain)] == [5]


def test_a_large_report_has_all_of_its_sources(server, domain):
    to = f"mail-reports@{domain}"
    rows = [(f"192.0.{i // 250}.{i % 250}", 1, "none", "pass", "pass")
            for i in range(3000)]
    data = dmarc(domain, "large", rows)
    send(server, to, mail(to, data, "text", "xml"))  # over 1 MB: by a file
    sums = js(server, "feedback", "show", "dmarc", "--domain",
              domain)["sources"]
    assert len(sums) == 3000 and sum(s["count"] for s in sums) == 3000


def test_what_is_no_report_of_ours_is_not_kept(server, domain):
    to = f"mail-reports@{domain}"
    bomb = gzip.compress(b"<feedback>" + b" " * (40 << 20))
    for what, reason in (
            (dmarc("elsewhere.example", "x", []), "another domain"),
            (dmarc("un" + domain, "x", []), "another domain"),
            (b"<feedback>cut", "."), (bomb, "too large"),
            (b"\x1f\x8bjunk", "damaged"), (b"PK\x03\x04junk", "damaged"),
            (b"hello", "no report")):
        with pytest.raises(smtplib.SMTPDataError) as refused:
            send(server, to, mail(to, what, "application", "octet-stream"))
        assert refused.value.smtp_code == 550
        assert refused.value.smtp_error.startswith(b"5.6.0 ")
        server.wait_log(rf'event=filter.feedback.bad domain="?{domain}.*'
                        rf"reason=.*{reason}")
    assert reports(server, "--domain", domain) == []


def test_a_report_to_another_address_is_only_mail(server, domain):
    user = server.add_user(f"someone@{domain}")
    send(server, user, mail(user, dmarc(domain, "x", []), "text", "xml"))
    assert reports(server, "--domain", domain) == []


def test_a_user_of_that_name_has_the_mail_as_well(server, domain):
    to = server.add_user(f"mail-reports@{domain}")
    send(server, to, mail(to, dmarc(domain, "x", [
        ("192.0.2.1", 5, "none", "pass", "pass")]), "text", "xml"))
    assert len(reports(server, "--domain", domain)) == 1
    users = js(server, "user", "list", domain)["users"]
    assert [u["messages"] for u in users] == [1]


def test_what_is_no_report_still_goes_to_who_gets_it_as_well(server, domain):
    to, user = f"mail-reports@{domain}", server.add_user(f"u@{domain}")
    m = mail(to, b"hello", "application", "octet-stream")
    with smtplib.SMTP("127.0.0.1", server.ports["mx"], timeout=60) as c:
        assert c.sendmail("a@receiver.example", [to, str(user)], m) == {}
    server.cli("alias", "add", to, user)
    assert send(server, to, m) == {}
    assert js(server, "user", "list", domain)["users"][0]["messages"] == 2


def test_a_catch_all_does_not_get_reports(server, domain):
    user = server.add_user(f"all@{domain}")
    server.cli("alias", "add", f"@{domain}", user)
    to = f"mail-reports@{domain}"
    send(server, to, mail(to, dmarc(domain, "x", []), "text", "xml"))
    assert len(reports(server, "--domain", domain)) == 1
    assert js(server, "user", "list", domain)["users"][0]["messages"] == 0


def test_tls_reports(server, domain):
    report = {
        "organization-name": "Company-X",
        "date-range": {"start-datetime": time.strftime(
            "%Y-%m-%dT00:00:00Z", time.gmtime(NOW - 86400)),
            "end-datetime": time.strftime(
            "%Y-%m-%dT23:59:59Z", time.gmtime(NOW - 86400))},
        "contact-info": "sts@company-x.example", "report-id": "r1",
        "policies": [{
            "policy": {"policy-type": "sts", "policy-domain": domain,
                       "policy-string": ["version: STSv1"],
                       "mx-host": ["mail." + domain]},
            "summary": {"total-successful-session-count": 5326,
                        "total-failure-session-count": 303},
            "failure-details": [{
                "result-type": "certificate-expired",
                "sending-mta-ip": "2001:db8::1",
                "receiving-mx-hostname": "mail." + domain,
                "failed-session-count": 100}, {
                "result-type": "starttls-not-supported",
                "sending-mta-ip": "2001:db8::2",
                "receiving-mx-hostname": "mail." + domain,
                "failed-session-count": 203}]}]}
    to = f"mail-reports@{domain}"
    data = gzip.compress(json.dumps(report).encode())
    send(server, to, mail(to, data, "application", "tlsrpt+gzip"))
    got = reports(server, "--kind", "tls", "--domain", domain)
    assert [(r["count"], r["failed"]) for r in got] == [(5629, 303)]
    sums = js(server, "feedback", "show", "tls", "--domain",
              domain)["sessions"]
    assert [(s["result"], s["successful"], s["failed"]) for s in sums] == [
        ("(all)", 5326, 303), ("starttls-not-supported", 0, 203),
        ("certificate-expired", 0, 100)]
    assert sums[2]["sending_ip"] == "2001:db8::1"


def arf(to, original, rcpt):
    headers, _, _ = original.partition(b"\r\n\r\n")
    return (
        f"From: fbl@receiver.example\r\nTo: {to}\r\nSubject: FW: spam\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; "
        "report-type=feedback-report; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        "Feedback-Type: abuse\r\nUser-Agent: FBL/1.0\r\nVersion: 1\r\n"
        f"Original-Rcpt-To: {rcpt}\r\nSource-IP: 192.0.2.7\r\n"
        "Reporting-MTA: dns; mx.receiver.example\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n").encode() + \
        headers + b"\r\n\r\n--b--\r\n"


def test_a_complaint_is_found_to_its_account(make_server):
    port = free_ports(1)[0]
    receiver = Receiver(host="127.0.0.1", port=port)
    server = make_server({"send": {
        "routes": [f"* 127.0.0.1:{port} tls=never"]}})
    sender = server.new_account()
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"],
                          context=server.tls(), timeout=60) as c:
        c.login(str(sender), PASSWORD)
        c.sendmail(str(sender), ["victim@receiver.example"],
                   f"From: <{sender}>\r\nSubject: buy\r\n\r\nbuy\r\n")
    wait_for(lambda: receiver.messages, 10)
    sent = receiver.messages[0].data
    receiver.close()
    to = f"mail-reports@{server.domain}"
    # Whatever else it claims: who sent it is known by our own line.
    report = arf(to, sent.replace(str(sender).encode(), b"x@invalid"),
                 "victim@receiver.example")
    send(server, to, report)
    send(server, to, report)
    send(server, to, arf(to, b"Subject: made up\r\nReceived: from x by "
                         b"mail.test.example with ESMTP id nothing\r\n",
                         "other@receiver.example"))
    got = js(server, "feedback", "show", "abuse")["complaints"]
    assert sorted((g["account"], g["type"], g["recipient"], g["subject"])
                  for g in got) == [
        ("", "abuse", "other@receiver.example", "made up"),
        (str(sender), "abuse", "victim@receiver.example", "buy")]
    assert js(server, "account", "show", sender)["complaints"] == 1
    assert js(server, "trace", [g["id"] for g in got if g["account"]][0])[
        "trace"]


def test_a_report_waits_for_the_store(make_server):
    """kill -9 while it comes: accepted means kept."""
    server = make_server()
    to = f"mail-reports@{server.domain}"

    def accepted(message):
        try:
            return send(server, to, message) == {}
        except (smtplib.SMTPException, OSError):
            return False

    for i in range(12):
        m = mail(to, dmarc(server.domain, f"r{i}", [
            ("192.0.2.1", 1, "none", "pass", "pass")]), "text", "xml")
        if i % 3 == 0:
            server.kill("filter" if i % 2 else "store", wait=False)
        wait_for(lambda: accepted(m), 10)
    server.kill_all()
    server.start()
    got = sorted(r["report_id"] for r in reports(server))
    assert got == sorted(f"r{i}" for i in range(12))


def test_wrong_words(server):
    bad = server.cli("feedback", "list", "--kind", "spam", check=False)
    assert bad.returncode == USAGE and '"spam" is no kind' in bad.stderr
    bad = server.cli("feedback", "show", check=False)
    assert bad.returncode == USAGE
    bad = server.cli("feedback", "list", "--since", "soon", check=False)
    assert bad.returncode == USAGE and '"soon" is no time' in bad.stderr
