# SPDX-License-Identifier: ISC
"""IMAP with real clients: TLS, STARTTLS, and in clear where it is allowed.

mbsync and offlineimap in both directions, curl, Python's imaplib, neomutt,
getmail and fetchmail. Public corpora go in and come back byte for byte.
"""
import imaplib
import os
import re
import subprocess

import pytest

from lib.imap import Imap
from lib.instance import Instance
from lib import testdata
from lib.testdata import message, original_of

WAYS = ("tls", "starttls", "plain")


@pytest.fixture(scope="module")
def server():
    """One that also takes passwords in clear."""
    s = Instance({"auth": {"allow_plaintext": "true"}})
    try:
        s.start()
        s.add_domain()
        yield s
        s.stop()
    finally:
        s.remove()


@pytest.fixture
def account(server):
    return server.new_account()


def port(server, way):
    return server.ports["imaps" if way == "tls" else "imap"]


def run(command, tmp_path, ok=(0,), env=None, **more):
    done = subprocess.run(
        [str(x) for x in command], capture_output=True, text=True, timeout=300,
        errors="replace",
        start_new_session=True, env={**os.environ, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8",
             **(env or {})}, **more)
    assert done.returncode in ok, (done.stdout + done.stderr)[-4000:]
    return done.stdout + done.stderr


def uids(account, mailbox="INBOX"):
    with Imap.sign_in(account, mailbox) as c:
        return c.uids()


# --- imaplib --------------------------------------------------------------------

def imaplib_connect(account, way):
    s = account.server
    if way == "tls":
        m = imaplib.IMAP4_SSL("localhost", port(s, way), ssl_context=s.tls())
    else:
        m = imaplib.IMAP4("localhost", port(s, way))
    if way == "starttls":
        m.starttls(s.tls())
    m.login(str(account), account.password)
    return m


@pytest.mark.parametrize("way", WAYS)
def test_imaplib(account, way):
    m = imaplib_connect(account, way)
    mail = message("imaplib")
    assert m.append("INBOX", r"(\Seen)", None, mail)[0] == "OK"
    assert m.select("INBOX")[1] == [b"1"]
    assert m.fetch("1", "(BODY.PEEK[])")[1][0][1] == mail
    assert m.search(None, "SUBJECT", "imaplib") == ("OK", [b"1"])
    assert m.store("1", "+FLAGS", r"(\Flagged)")[0] == "OK"
    assert b"\\Flagged" in m.fetch("1", "(FLAGS)")[1][0]
    assert m.create("box")[0] == "OK"
    assert m.copy("1", "box")[0] == "OK"
    assert m.store("1", "+FLAGS", r"(\Deleted)")[0] == "OK"
    assert m.expunge() == ("OK", [b"1"])
    assert b"MESSAGES 1" in m.status("box", "(MESSAGES)")[1][0]
    assert m.getquotaroot("INBOX")[0] == "OK"
    assert m.namespace()[0] == "OK"
    assert m.close()[0] == "OK"
    assert m.logout()[0] == "BYE"


# --- corpora ---------------------------------------------------------------------

def corpus():
    return [m for _, m in testdata.mime4j()] + testdata.spamassassin(300)


def test_corpora_by_append_come_back_byte_for_byte(account):
    mails = corpus()
    m = imaplib_connect(account, "tls")
    for mail in mails:
        assert m.append("INBOX", None, None, mail)[0] == "OK"
    m.select("INBOX", readonly=True)
    got = m.fetch("1:*", "(BODY.PEEK[])")[1]
    bodies = [x[1] for x in got if isinstance(x, tuple)]
    want = [x.replace(b"\0", b"\x80") for x in mails]
    assert len(bodies) == len(mails)
    for i, (have, wanted) in enumerate(zip(bodies, want)):
        assert have == wanted, f"message {i}"
    sizes = m.fetch("1:*", "(RFC822.SIZE)")[1]
    assert [int(re.search(rb"SIZE (\d+)", x)[1]) for x in sizes] == \
        [len(x) for x in mails]
    for item in ("ENVELOPE", "BODYSTRUCTURE", "BODY", "BODY.PEEK[HEADER]",
                 "BODY.PEEK[TEXT]"):
        assert m.fetch("1:*", f"({item})")[0] == "OK"
    m.logout()


def test_corpora_by_delivery_come_back_byte_for_byte(account):
    mails = corpus()
    account.deliver(*mails)
    with Imap.sign_in(account, "INBOX") as c:
        got = c.uids()
        assert len(got) == len(mails)
        for uid, mail in zip(got, mails):
            assert original_of(c.body(uid)) == mail.replace(b"\0", b"\x80")


# --- mbsync -----------------------------------------------------------------------

def mbsync_config(account, way, tmp_path):
    s = account.server
    tls = {"tls": "IMAPS", "starttls": "STARTTLS", "plain": "None"}[way]
    maildir = tmp_path / "mail"
    maildir.mkdir(exist_ok=True)
    rc = tmp_path / "mbsyncrc"
    rc.write_text(f"""IMAPAccount test
Host localhost
Port {port(s, way)}
User {account}
Pass "{account.password}"
SSLType {tls}
CertificateFile {s.certificate}
AuthMechs {"LOGIN" if way == "plain" else "*"}

IMAPStore far
Account test

MaildirStore near
Path {maildir}/
Inbox {maildir}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Remove Both
CopyArrivalDate yes
SyncState *
""")
    return rc, maildir


def mbsync(rc, tmp_path):
    return run(["mbsync", "-c", rc, "-V", "all"], tmp_path)


def near(maildir, mailbox="INBOX"):
    """{path: bytes} of a folder, CRLF line ends as they were, without what
    mbsync adds in case it is interrupted."""
    return {p: re.sub(rb"X-TUID: [^\n]*\n", b"", p.read_bytes())
            .replace(b"\n", b"\r\n")
            for d in ("cur", "new")
            for p in sorted((maildir / mailbox / d).iterdir())}


@pytest.mark.parametrize("way", WAYS)
def test_mbsync_both_ways(account, way, tmp_path):
    rc, maildir = mbsync_config(account, way, tmp_path)
    mails = [message(f"far {i}") for i in range(8)]
    with Imap.sign_in(account) as c:
        for mail in mails:
            c.append(mail)
        c.ok("CREATE sub/folder")
        c.append(message("deep"), "sub/folder")
    mbsync(rc, tmp_path)
    assert sorted(near(maildir).values()) == sorted(mails)
    assert len(near(maildir, "sub/folder")) == 1
    before = sorted(near(maildir))
    with Imap.sign_in(account, "INBOX") as c:
        state = c.ok("STATUS INBOX (UIDNEXT HIGHESTMODSEQ)")
    mbsync(rc, tmp_path)  # changes nothing
    with Imap.sign_in(account, "INBOX") as c:
        assert c.ok("STATUS INBOX (UIDNEXT HIGHESTMODSEQ)") == state
    assert sorted(near(maildir)) == before
    # Here: a new message, a flag, a deletion.
    files = sorted(near(maildir))
    up = message("from here")
    (maildir / "INBOX" / "new" / "1.local").write_bytes(
        up.replace(b"\r\n", b"\n"))
    flagged, deleted = files[0], files[1]
    gone, marked = near(maildir)[deleted], near(maildir)[flagged]
    cur = maildir / "INBOX" / "cur"
    flagged.rename(cur / f"{flagged.name.split(':')[0]}:2,FRS")
    deleted.rename(cur / f"{deleted.name.split(':')[0]}:2,ST")
    mbsync(rc, tmp_path)
    with Imap.sign_in(account, "INBOX") as c:
        have = {uid: re.sub(rb"X-TUID: [^\r]*\r\n", b"", c.body(uid))
                for uid in c.uids()}
        assert gone not in have.values()
        assert len(have) == 8
        assert any(up.split(b"\r\n\r\n")[1] in x and b"from here" in x
                   for x in have.values())
        [uid] = [u for u, x in have.items() if x == marked]
        flags = c.ok(f"UID FETCH {uid} FLAGS")[0]
        for flag in (b"\\Flagged", b"\\Answered", b"\\Seen"):
            assert flag in flags
        # There: a flag and a deletion.
        others = [u for u in have if u != uid]
        c.ok(rf"UID STORE {others[0]} +FLAGS (\Seen)")
        c.ok(rf"UID STORE {others[1]} +FLAGS (\Deleted)")
        c.ok("EXPUNGE")
    mbsync(rc, tmp_path)
    files = [p.name for p in near(maildir)]
    assert len(files) == 7
    assert sum(":2," in f and "S" in f.split(":2,")[1] for f in files) == 2
    # A mailbox that is new here.
    for d in ("cur", "new", "tmp"):
        (maildir / "fresh" / d).mkdir(parents=True)
    (maildir / "fresh" / "new" / "1.x").write_bytes(b"Subject: f\n\nf\n")
    mbsync(rc, tmp_path)
    assert len(uids(account, "fresh")) == 1


def test_mbsync_brings_the_corpora_up_and_down(account, tmp_path):
    (tmp_path / "a").mkdir()
    rc, maildir = mbsync_config(account, "tls", tmp_path / "a")
    for d in ("cur", "new", "tmp"):
        (maildir / "INBOX" / d).mkdir(parents=True)
    # A Maildir has LF; NUL and bare CR do not survive mbsync itself, and it
    # skips messages without the end of a header.
    mails = [m for m in corpus() if b"\0" not in m and
             b"\r" not in m.replace(b"\r\n", b"") and b"\r\n\r\n" in m]
    for i, mail in enumerate(mails):
        (maildir / "INBOX" / "new" / f"{i}.x").write_bytes(
            mail.replace(b"\r\n", b"\n"))
    mbsync(rc, tmp_path)
    assert len(uids(account)) == len(mails)
    (tmp_path / "b").mkdir()
    rc, again = mbsync_config(account, "tls", tmp_path / "b")
    mbsync(rc, tmp_path)
    assert sorted(near(again).values()) == sorted(near(maildir).values())
    assert len(near(again)) == len(mails)


# --- offlineimap --------------------------------------------------------------------

def offlineimap_config(account, way, tmp_path):
    s = account.server
    rc = tmp_path / "offlineimaprc"
    tls = f"ssl = yes\nsslcacertfile = {s.certificate}" if way == "tls" \
        else "ssl = no\nstarttls = " + ("yes" if way == "starttls" else "no")
    if way == "starttls":
        tls += f"\nsslcacertfile = {s.certificate}"
    rc.write_text(f"""[general]
accounts = a
metadata = {tmp_path}/meta
socktimeout = 120
[Account a]
localrepository = l
remoterepository = r
[Repository l]
type = Maildir
localfolders = {tmp_path}/mail
[Repository r]
type = IMAP
remotehost = localhost
remoteport = {port(s, way)}
remoteuser = {account}
remotepass = {account.password}
{tls}
""")
    return rc, tmp_path / "mail"


# Not STARTTLS: the reader thread of imaplib2 3.05 ends "after the next
# response", and when it looks at the wrong moment, before the OK of STARTTLS;
# then it waits for ever, whatever the server does.
@pytest.mark.parametrize("way", ("tls", "plain"))
def test_offlineimap_both_ways(account, way, tmp_path):
    rc, maildir = offlineimap_config(account, way, tmp_path)
    command = ["offlineimap", "-c", rc, "-o", "-u", "basic"]
    mails = [message(f"far {i}") for i in range(6)]
    with Imap.sign_in(account) as c:
        for mail in mails:
            c.append(mail)
    run(command, tmp_path)
    assert sorted(near(maildir).values()) == sorted(mails)
    with Imap.sign_in(account) as c:
        state = c.ok("STATUS INBOX (UIDNEXT MESSAGES)")
    out = run(command, tmp_path)
    with Imap.sign_in(account) as c:
        assert c.ok("STATUS INBOX (UIDNEXT MESSAGES)") == state
    assert "Copy message" not in out
    files = sorted(near(maildir))
    gone = near(maildir)[files[0]]
    files[0].unlink()
    (maildir / "INBOX" / "cur" / (files[1].name.split(":")[0] + ":2,FS")) \
        .write_bytes(files[1].read_bytes())
    files[1].unlink()
    (maildir / "INBOX" / "new" / "1_0.1.host:2,").write_bytes(
        b"Subject: from here\nMessage-ID: <x@y>\n\nhello\n")
    run(command, tmp_path)
    with Imap.sign_in(account, "INBOX") as c:
        have = [c.body(u) for u in c.uids()]
        assert gone not in have and len(have) == 6
        assert any(b"from here" in x for x in have)
        assert len(c.ok("SEARCH FLAGGED SEEN")[0].split()) == 3
        c.ok(r"STORE 1 +FLAGS (\Deleted)")
        c.ok("EXPUNGE")
    run(command, tmp_path)
    assert len(near(maildir)) == 5


# --- curl, neomutt, getmail, fetchmail --------------------------------------------------

@pytest.mark.parametrize("way", WAYS)
def test_curl(account, way, tmp_path):
    s = account.server
    scheme = "imaps" if way == "tls" else "imap"
    url = f"{scheme}://localhost:{port(s, way)}/INBOX"
    curl = ["curl", "-sS", "-m", "120", "--cacert", s.certificate, "-u",
            f"{account}:{account.password}"]
    if way == "starttls":
        curl.append("--ssl-reqd")
    mail = message("curl")
    (tmp_path / "m").write_bytes(mail)
    run(curl + ["-T", tmp_path / "m", url], tmp_path)
    done = subprocess.run([str(x) for x in curl + [f"{url};MAILINDEX=1"]],
                          capture_output=True, timeout=300)
    assert done.stdout == mail
    assert "* SEARCH 1" in run(
        curl + ["-X", "SEARCH SUBJECT curl", url], tmp_path)
    assert "EXISTS" in run(curl + ["-X", "EXAMINE INBOX", url], tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_neomutt(account, way, tmp_path):
    s = account.server
    with Imap.sign_in(account) as c:
        for i in range(3):
            c.append(message(f"mutt {i}"))
    scheme = "imaps" if way == "tls" else "imap"
    rc = tmp_path / "rc"
    rc.write_text(f"""set imap_user = "{account}"
set imap_pass = "{account.password}"
set ssl_force_tls = {"no" if way == "plain" else "yes"}
set ssl_starttls = {"no" if way == "plain" else "yes"}
set ssl_usesystemcerts = no
set certificate_file = {s.certificate}
set ssl_verify_host = no
set folder = {tmp_path}
set spoolfile = {tmp_path}/spool
set record = ""
set quit = yes
set delete = yes
set confirmappend = no
set mail_check_stats = no
set header_cache = {tmp_path}/cache
set imap_qresync = yes
set imap_condstore = yes
set wait_key = no
set auto_tag = no
set save_name = no
set copy = no
set resume_draft_files = no
""")
    url = f"{scheme}://localhost:{port(s, way)}/INBOX"
    keys = ("<tag-pattern>~s mutt<enter><tag-prefix><save-message>=Archive"
            "<enter><sync-mailbox><quit>").replace(
        "=Archive", f"{scheme}://localhost:{port(s, way)}/Archive")
    # Two runs: the second one starts from its cache, with QRESYNC.
    for _ in range(2):
        run(["script", "-qec",
             f"neomutt -n -F {rc} -f {url} -e 'push <quit>'", "/dev/null"],
            tmp_path, env={"TERM": "xterm"}, stdin=subprocess.DEVNULL)
    run(["script", "-qec", f"neomutt -n -F {rc} -f {url} -e 'push \"{keys}\"'",
         "/dev/null"], tmp_path, env={"TERM": "xterm"},
        stdin=subprocess.DEVNULL)
    assert uids(account) == []
    assert len(uids(account, "Archive")) == 3


def mail_folder(tmp_path):
    """A program that keeps each message in a file of its own."""
    folder = tmp_path / "got"
    folder.mkdir()
    put = tmp_path / "put"
    put.write_text(f'#!/bin/sh\ncat > "$(mktemp {folder}/XXXXXX)"\n')
    put.chmod(0o755)
    return put, folder


def same_mail(folder, mails):
    got = sorted(p.read_bytes().replace(b"\r\n", b"\n")
                 for p in folder.iterdir())
    want = [m.replace(b"\r\n", b"\n") for m in mails]
    assert len(got) == len(want)
    for m in want:
        # Fields that the client itself put in between are not ours.
        assert any(set(m.split(b"\n")) <= set(g.split(b"\n")) for g in got)


@pytest.mark.parametrize("way", ("tls", "plain"))
def test_getmail(account, way, tmp_path):
    s = account.server
    mails = [message(f"m{i}", f"body {i}\n") for i in range(4)]
    with Imap.sign_in(account) as c:
        for m in mails:
            c.append(m)
    put, folder = mail_folder(tmp_path)
    (tmp_path / "getmailrc").write_text(f"""[retriever]
type = SimpleIMAP{"SSL" if way == "tls" else ""}Retriever
server = localhost
port = {port(s, way)}
username = {account}
password = {account.password}
mailboxes = ("INBOX",)
[destination]
type = MDA_external
path = {put}
allow_root_commands = true
[options]
delete = true
delivered_to = false
received = false
""")
    run(["getmail", "--getmaildir", tmp_path], tmp_path)
    same_mail(folder, mails)
    assert uids(account) == []


@pytest.mark.parametrize("way", WAYS)
def test_fetchmail(account, way, tmp_path):
    s = account.server
    mails = [message(f"m{i}", f"body {i}\n") for i in range(4)]
    with Imap.sign_in(account) as c:
        for m in mails:
            c.append(m)
    put, folder = mail_folder(tmp_path)
    tls = {"tls": "ssl", "starttls": 'sslproto "auto"',
           "plain": 'sslproto ""'}[way]
    rc = tmp_path / "fetchmailrc"
    rc.write_text(f"""poll localhost proto imap port {port(s, way)}
  user "{account}" password "{account.password}" {tls}
  {"sslcertck sslcertfile " + chr(34) + str(s.certificate) + chr(34)
   if way != "plain" else ""}
  sslcommonname "mail.test.example" fetchall no keep
  mda "{put}"
""")
    rc.chmod(0o600)
    run(["fetchmail", "-f", rc, "--nosyslog"], tmp_path,
        env={"FETCHMAILHOME": str(tmp_path)})
    assert len(list(folder.iterdir())) == 4
    assert uids(account) == []
    run(["fetchmail", "-f", rc, "--nosyslog"], tmp_path, ok=(1,),
        env={"FETCHMAILHOME": str(tmp_path)})
