# SPDX-License-Identifier: ISC
"""Mail import and export: Maildir and mbox, flags, dates, again and again."""
import imaplib
import json
import mailbox
import os
import re
import signal
import subprocess
import time

import pytest

from lib.instance import BINARY
from lib.testdata import spamassassin

FLAGS = {"S": "\\Seen", "F": "\\Flagged", "R": "\\Answered",
         "D": "\\Draft", "T": "\\Deleted"}


def body(i):
    return (f"From: a{i}@example.org\nSubject: message {i}\n"
            f"Message-ID: <{i}@example.org>\n\n"
            f"Line {i}\n\nFrom here on\n>From there\n.\n")


def make_maildir(path, n):
    """n messages in INBOX and two folders, with every kind of flags."""
    for folder in ("", ".Sent", ".Entw&APw-rfe.2026"):
        for sub in ("cur", "new", "tmp"):
            os.makedirs(path / folder / sub)
        (path / folder / "dovecot-keywords").write_text("0 $Work\n1 blue\n")
    for i in range(n):
        folder = ("", ".Sent", ".Entw&APw-rfe.2026")[i % 3]
        flags = "".join(f for b, f in enumerate("DFRST") if i >> b & 1)
        flags += ("", "a", "b", "ab")[i % 4]
        name = f"{1600000000 + i * 61}.M{i}P1.host:2,{flags}"
        (path / folder / "cur" / name).write_text(body(i))


def bodies(path):
    """Every message of a Maildir: its folder, flags, time and bytes."""
    found = []
    for folder, _, files in os.walk(path):
        if os.path.basename(folder) not in ("cur", "new"):
            continue
        keywords = {}
        words = os.path.join(os.path.dirname(folder), "dovecot-keywords")
        if os.path.exists(words):
            for line in open(words):
                number, word = line.split()
                keywords[chr(ord("a") + int(number))] = word
        for f in files:
            flags = f.split(":2,")[1] if ":2," in f else ""
            with open(os.path.join(folder, f), "rb") as h:
                found.append((
                    os.path.relpath(os.path.dirname(folder), path),
                    "".join(c for c in flags if c.isupper()),
                    tuple(sorted(keywords[c] for c in flags if c.islower())),
                    int(f.split(".")[0]), h.read()))
    return sorted(found)


def without_mbox_fields(message):
    """The fields that belong to an mbox file and not to the message."""
    header, empty, rest = message.partition(b"\n\n")
    lines = re.sub(rb"(?im)^(Status|X-Status|X-Keywords|X-UID|X-IMAP|"
                   rb"X-IMAPbase):.*\n(?:[ \t].*\n)*", b"", header + b"\n")
    return lines[:-1] + empty + rest


def run(server, *args):
    return json.loads(server.cli(*args, "--json"))


def test_a_maildir_comes_back_as_it_was(server, account, tmp_path):
    make_maildir(tmp_path / "in", 96)
    r = run(server, "mail", "import", account.login, tmp_path / "in")
    assert (r["imported"], r["already_there"], r["skipped"]) == (96, 0, 0)
    assert r["complete"] is True
    run(server, "mail", "export", account.login, tmp_path / "out")
    assert bodies(tmp_path / "out") == bodies(tmp_path / "in")


def test_a_second_run_brings_in_nothing_twice(server, account, tmp_path):
    make_maildir(tmp_path / "in", 30)
    run(server, "mail", "import", account.login, tmp_path / "in")
    # Flags changed and one message is new.
    cur = tmp_path / "in" / "cur"
    old = sorted(os.listdir(cur))[0]
    os.rename(cur / old, cur / (old.split(":")[0] + ":2,S"))
    (tmp_path / "in" / "new" / "1700000000.new.host").write_text(body(99))
    r = run(server, "mail", "import", account.login, tmp_path / "in")
    assert (r["imported"], r["already_there"]) == (1, 30)
    out = run(server, "mail", "export", account.login, tmp_path / "out")
    assert out["exported"] == 31
    out = run(server, "mail", "export", account.login, tmp_path / "out")
    assert (out["exported"], out["already_there"]) == (0, 31)


def test_an_interrupted_import_goes_on(server, account, tmp_path):
    make_maildir(tmp_path / "in", 6000)
    p = subprocess.Popen([BINARY, "-c", server.conf, "mail", "import",
                          account.login, str(tmp_path / "in")],
                         stdout=subprocess.DEVNULL)
    time.sleep(0.08)
    p.send_signal(signal.SIGKILL)
    p.wait()
    r = run(server, "mail", "import", account.login, tmp_path / "in")
    assert r["imported"] + r["already_there"] == 6000
    out = run(server, "mail", "export", account.login, tmp_path / "out")
    assert out["exported"] == 6000
    assert bodies(tmp_path / "out") == bodies(tmp_path / "in")


def test_what_import_brought_is_seen_by_imap(server, account, tmp_path):
    make_maildir(tmp_path / "in", 9)
    server.cli("mail", "import", account.login, tmp_path / "in")
    with imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"],
                           ssl_context=server.tls()) as c:
        c.login(account.login, account.password)
        kind, data = c.select('"Entw&APw-rfe/2026"')
        assert (kind, data[0]) == ("OK", b"3")
        # The third of the folder is message 8: flags S (bit 3), no keyword.
        kind, data = c.fetch("3", "(FLAGS INTERNALDATE BODY.PEEK[])")
        assert data[0][1] == body(8).replace("\n", "\r\n").encode()
        flags = set(imaplib.ParseFlags(data[0][0] + data[1]))
        assert flags - {b"\\Recent"} == {b"\\Seen"}
        when = imaplib.Internaldate2tuple(data[0][0] + data[1])
        assert time.mktime(when) == 1600000000 + 8 * 61


def test_an_mbox_of_python_comes_in_and_goes_out(server, account, tmp_path):
    box = mailbox.mbox(tmp_path / "in.mbox")
    for i in range(20):
        m = mailbox.mboxMessage(body(i).encode())
        m.set_from(f"a{i}@example.org", time.gmtime(1600000000 + i))
        m.set_flags("".join(f for b, f in enumerate("RDFA") if i >> b & 1))
        box.add(m)
    box.flush()
    box.close()
    r = run(server, "mail", "import", account.login, tmp_path / "in.mbox",
            "--mailbox", "From mbox/2020")
    assert (r["imported"], r["skipped"]) == (20, 0)
    again = run(server, "mail", "import", account.login,
                tmp_path / "in.mbox", "--mailbox", "From mbox/2020")
    assert (again["imported"], again["already_there"]) == (0, 20)
    run(server, "mail", "export", account.login, tmp_path / "out.mbox",
        "--format", "mbox", "--mailbox", "From mbox/2020")
    out = list(mailbox.mbox(tmp_path / "out.mbox"))
    assert len(out) == 20
    for i, m in enumerate(out):
        want = "".join(f for b, f in enumerate("RDFA") if i >> b & 1)
        assert set(m.get_flags()) - {"O"} == set(want)
        assert m["Subject"] == f"message {i}"
        assert time.strftime("%Y", time.gmtime(1600000000)) in m.get_from()


def test_equal_messages_of_an_mbox_are_all_there(server, account, tmp_path):
    one = "From - Thu Nov 23 18:30:21 2023\n" + body(1) + "\n"
    (tmp_path / "box").write_text(one * 3)
    r = run(server, "mail", "import", account.login, tmp_path / "box")
    assert r["imported"] == 3
    (tmp_path / "box").write_text(one * 4)
    r = run(server, "mail", "import", account.login, tmp_path / "box")
    assert (r["imported"], r["already_there"]) == (1, 3)


def test_real_mail_goes_through_mbox_byte_for_byte(server, tmp_path):
    a, b = server.new_account(), server.new_account()
    for sub in ("cur", "new", "tmp"):
        os.makedirs(tmp_path / "in" / sub)
    for i, m in enumerate(spamassassin(300)):
        name = f"{1600000000 + i}.M{i}.host:2,S"
        data = m[1] if isinstance(m, tuple) else m
        (tmp_path / "in" / "cur" / name).write_bytes(
            data.replace(b"\r\n", b"\n"))
    run(server, "mail", "import", a.login, tmp_path / "in")
    run(server, "mail", "export", a.login, tmp_path / "boxes",
        "--format", "mbox")
    run(server, "mail", "import", b.login, tmp_path / "boxes")
    run(server, "mail", "export", b.login, tmp_path / "out")
    want = [without_mbox_fields(m[4]) for m in bodies(tmp_path / "in")]
    got = [m[4] for m in bodies(tmp_path / "out")]
    assert len(got) == 300
    # An mbox cannot tell a missing last line end from a present one.
    assert sorted(m.rstrip(b"\n") for m in got) == sorted(
        m.rstrip(b"\n") for m in want)


def test_a_quota_stops_an_import_and_more_lets_it_go_on(
        server, account, tmp_path):
    make_maildir(tmp_path / "in", 60)
    server.cli("user", "quota", account.login, "none", "--messages", "30")
    r = server.cli("mail", "import", account.login, tmp_path / "in",
                   check=False)
    assert r.returncode == 1
    assert "quota" in r.stderr and "run it again" in r.stderr
    server.cli("user", "quota", account.login, "--messages", "none")
    run(server, "mail", "import", account.login, tmp_path / "in")
    out = run(server, "mail", "export", account.login, tmp_path / "out")
    assert out["exported"] == 60


def test_expunged_mail_comes_back(server, account, tmp_path):
    make_maildir(tmp_path / "in", 9)
    server.cli("mail", "import", account.login, tmp_path / "in")
    with imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"],
                           ssl_context=server.tls()) as c:
        c.login(account.login, account.password)
        c.select("INBOX")
        c.store("1:*", "+FLAGS", "\\Deleted")
        c.expunge()
        assert c.select("INBOX")[1][0] == b"0"
    r = run(server, "mail", "undelete", account.login, "--since", "1h")
    assert r == {"restored": 3}


@pytest.mark.parametrize("make,why", [
    (lambda p: None, "No such file"),
    (lambda p: os.makedirs(p / "x"), "not a Maildir"),
])
def test_what_is_no_source_is_said(server, account, tmp_path, make, why):
    make(tmp_path / "in")
    r = server.cli("mail", "import", account.login, tmp_path / "in",
                   "--format", "maildir", check=False)
    assert r.returncode == 1
    assert why in r.stderr


def test_a_file_that_is_no_mbox_is_said(server, account, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear all,\nthis is no mbox\n")
    r = server.cli("mail", "import", account.login,
                   tmp_path / "letter.txt", check=False)
    assert r.returncode == 1
    assert "is this an mbox?" in r.stderr
