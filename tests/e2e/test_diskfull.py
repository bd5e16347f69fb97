# SPDX-License-Identifier: ISC
"""A full disk and full mailboxes: mail is refused for now, nothing that was
accepted is lost, reading and deleting go on, and it ends by itself.

The data folder is a small file system of its own; without the right to mount
one, these tests are skipped. Quotas need no such thing.
"""
import os
import shutil
import signal
import subprocess

import pytest

from lib.instance import Instance, wait_for
from lib.load import Gone, Imap, Smtp, fetched, make_message
from lib.testdata import big_message, message, original_of

MIB = 1 << 20
RESERVE = 16 * MIB
SETTINGS = {
    "": {"user": "nobody"},
    "auth": {"allow_plaintext": "yes"},
    "store": {"segment_size": "1M", "reserve": "16M", "undelete": "0"},
}


class SmallDisk(Instance):
    """A server whose data folder is a file system of some MiB."""

    def __init__(self, size_mib, settings=None):
        super().__init__({**SETTINGS, **(settings or {})})
        self.ballast = self.data / "ballast"
        self.data.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=755",
             "tmpfs", self.data], capture_output=True, text=True)
        self.is_mounted = done.returncode == 0
        if not self.is_mounted:
            shutil.rmtree(self.dir)
            pytest.skip(f"mounting is not allowed here: {done.stderr}")

    def free(self):
        st = os.statvfs(self.data)
        return st.f_bavail * st.f_frsize

    def leave(self, n):
        """Fill the disk until n bytes are free; 0 is really none."""
        with open(self.ballast, "ab") as f:
            while self.free() > n:
                try:
                    f.write(b"x" * min(MIB, max(4096, self.free() - n)))
                    f.flush()
                except OSError:
                    break

    def make_room(self):
        self.ballast.unlink()

    def remove(self):
        self.kill_all()
        if self.is_mounted:
            subprocess.run(["umount", self.data], check=True)
            self.is_mounted = False
        super().remove()


@pytest.fixture
def small_disk():
    made = []

    def make(*args):
        s = SmallDisk(*args)
        made.append(s)
        s.start()
        s.add_domain()
        return s
    yield make
    try:
        for s in made:
            s.stop()
    finally:
        for s in made:
            s.remove()


# --- helpers -------------------------------------------------------------------


def offer(server, rcpt, ident, service="mx"):
    """Offer one message; the last reply. Gone is a reply, too."""
    try:
        c = Smtp(server, service)
    except Gone as e:
        return str(e)
    try:
        for line in ("MAIL FROM:<load@elsewhere.example>",
                     f"RCPT TO:<{rcpt}>", "DATA"):
            reply = c.ask(line)
            if reply[0] not in "23":
                return reply
        body = make_message(ident).replace(b"\r\n.", b"\r\n..")
        c.send(body + b".\r\n")
        return c.reply()
    except Gone as e:
        return str(e)
    finally:
        c.close()


def inbox(account):
    """{uid: original message}"""
    c = Imap(account.server, account.login)
    try:
        _, untagged = c.ok("EXAMINE INBOX")
        if any(r[0] == b"* 0 EXISTS" for r in untagged):
            return {}
        _, untagged = c.ok("UID FETCH 1:* (UID BODY.PEEK[])")
        return {u: original_of(e["body"])
                for u, e in fetched(untagged).items()}
    finally:
        c.close()


def check_inbox(account, idents):
    have = sorted(inbox(account).values())
    assert have == sorted(make_message(i) for i in idents)


def append(imap, data):
    return imap.command("APPEND INBOX ", data)


def wait_accepted(server, account, ident):
    wait_for(lambda: offer(server, account.login, ident)[:1] == "2", 10,
             "does not recover by itself")


def wait_refused(server, account, prefix):
    """Offer until refused; the idents that were accepted, the reply."""
    taken = []

    def is_refused():
        ident = f"{prefix}{len(taken)}"
        reply = offer(server, account.login, ident)
        if reply[0] == "2":
            taken.append(ident)
            return None
        return reply
    return taken, wait_for(is_refused, 20, "is never refused")


def metric(server, name):
    for line in server.cli("metrics").splitlines():
        if line.startswith(f"mailstead_{name}{{") and 'role="store"' in line:
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no metric {name}")


# --- the disk --------------------------------------------------------------------


def test_below_the_reserve_mail_is_refused_and_the_rest_goes_on(small_disk):
    server = small_disk(64)
    account = server.new_account()
    for i in range(5):
        assert offer(server, account.login, f"before{i}")[0] == "2"
    # Below half of it, where only what sets space free is written.
    server.leave(RESERVE // 4)
    taken, reply = wait_refused(server, account, "during")
    assert reply.startswith("452 4.3.1 "), reply
    server.wait_log("event=store.full ")
    assert metric(server, "store_is_full") == 1
    c = Imap(server, account.login)
    status, text, _ = append(c, message())
    assert (status, text[:13]) == ("NO", "[UNAVAILABLE]"), text
    assert offer(server, account.login, "x", "lmtp").startswith("452 4.3.1 ")
    # Reading, flags and deleting need no room to speak of.
    check_inbox(account, [f"before{i}" for i in range(5)] + taken)
    c.ok("SELECT INBOX")
    c.ok("STORE 1:2 +FLAGS (\\Deleted \\Seen)")
    c.ok("EXPUNGE")
    c.close()
    server.cli("check")
    server.make_room()
    wait_accepted(server, account, "after")
    server.wait_log("event=store.full.end ")
    assert len(inbox(account)) == 5 + len(taken) - 2 + 1
    assert metric(server, "store_is_full") == 0


def test_deleting_mail_on_a_full_disk_makes_room(small_disk):
    server = small_disk(32)
    account = server.new_account()
    c = Imap(server, account.login)
    big = big_message(400000)
    count = 0
    while True:
        status, text, _ = append(c, big)
        if status != "OK":
            break
        count += 1
        assert count < 100
    assert status == "NO" and text.startswith("[UNAVAILABLE]"), text
    assert count > 5
    c.ok("SELECT INBOX")
    c.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)")
    c.ok("EXPUNGE")
    wait_for(lambda: append(c, big)[0] == "OK", 20,
             "expunged mail does not give its room back")
    c.close()


def test_not_a_byte_free_loses_nothing(small_disk):
    server = small_disk(48)
    account = server.new_account()
    taken = []
    for i in range(5):
        assert offer(server, account.login, f"before{i}")[0] == "2"
        taken.append(f"before{i}")
    server.leave(0)
    more, reply = wait_refused(server, account, "during")
    assert reply[0] == "4", reply
    taken += more
    # The store may not even be able to start now; it goes on trying.
    server.kill("store", signal.SIGKILL, wait=False)
    for i in range(20):
        reply = offer(server, account.login, f"dead{i}")
        if reply[0] == "2":
            taken.append(f"dead{i}")
        else:
            assert reply[0] == "4", reply
    server.make_room()
    wait_for(lambda: offer(server, account.login, "after")[0] == "2", 15,
             "does not recover by itself")
    check_inbox(account, taken + ["after"])
    server.cli("check")
    server.restart()
    check_inbox(account, taken + ["after"])


def test_a_disk_that_fills_up_under_load_loses_nothing(small_disk):
    from lib.load import Load
    server = small_disk(64)
    load = Load(server, seed=7, think_s=0.001).start()
    try:
        for _ in range(3):
            taken = load.ledger.count_acked()
            wait_for(lambda: load.ledger.count_acked() > taken + 20 or
                     load.failures, 120, "nothing is accepted")
            said = len(server.log())
            server.leave(RESERVE // 2)
            wait_for(lambda: "event=store.full " in server.log()[said:],
                     what="it is never full")
            server.make_room()
            wait_for(lambda: "event=store.full.end " in server.log()[said:],
                     what="it stays full")
            load.check_failures()
    finally:
        load.stop()
    load.verify()
    server.cli("check")
    server.restart()
    load.verify(is_whole=True)


# --- quotas ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain_server():
    s = Instance({"auth": {"allow_plaintext": "yes"}})
    try:
        s.start()
        s.add_domain()
        yield s
        s.stop()
    finally:
        s.remove()


def check_full(account, total):
    """Everything that would add mail is refused, what frees room works."""
    server = account.server
    reply = offer(server, account.login, "full")
    assert reply.startswith("452 4.2.2 "), reply
    reply = offer(server, account.login, "full", "lmtp")
    assert reply.startswith("452 4.2.2 "), reply
    c = Imap(server, account.login)
    try:
        status, text, _ = append(c, message())
        assert status == "NO" and text.startswith("[OVERQUOTA]"), text
        _, untagged = c.ok("SELECT INBOX")
        assert [b"* %d EXISTS" % total] in untagged
        status, text, _ = c.command("COPY 1 Drafts")
        assert status == "NO" and text.startswith("[OVERQUOTA]"), text
        # A move adds nothing.
        c.ok("MOVE 1 Drafts")
        c.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
        c.ok("EXPUNGE")
    finally:
        c.close()
    assert offer(server, account.login, "room")[0] == "2"


def test_a_quota_of_messages(plain_server):
    account = plain_server.new_account()
    plain_server.cli("user", "quota", account.login, "none",
                     "--messages", "4")
    for i in range(4):
        assert offer(plain_server, account.login, f"q{i}")[0] == "2"
    check_full(account, 4)


def test_a_quota_of_bytes(plain_server):
    account = plain_server.new_account()
    plain_server.cli("user", "quota", account.login, "100K")
    c = Imap(plain_server, account.login)
    for _ in range(3):
        assert append(c, big_message(33000))[0] == "OK"
    # No room for this one, whoever asks.
    for data in (big_message(50000), big_message(200000)):
        status, text, _ = append(c, data)
        assert status == "NO" and text.startswith("[OVERQUOTA]"), text
    c.close()
    check_size_at_rcpt(account)


def check_size_at_rcpt(account):
    """RFC 1870: who says the size before is told before the bytes."""
    c = Smtp(account.server, "mx")
    assert c.ask("MAIL FROM:<a@elsewhere.example> SIZE=50000")[0] == "2"
    reply = c.ask(f"RCPT TO:<{account.login}>")
    assert reply.startswith(("452 4.2.2 ", "552 5.2.2 ")), reply
    assert c.ask("RSET")[0] == "2"
    # And who does not, after them.
    assert c.ask("MAIL FROM:<a@elsewhere.example>")[0] == "2"
    reply = c.ask(f"RCPT TO:<{account.login}>")
    if reply[0] == "2":
        assert c.ask("DATA")[0] == "3"
        c.send(big_message(50000) + b".\r\n")
        reply = c.reply()
    assert reply.startswith(("452 4.2.2 ", "552 5.2.2 ")), reply
    c.close()


def test_more_quota_takes_effect_at_once(plain_server):
    account = plain_server.new_account()
    plain_server.cli("user", "quota", account.login, "none",
                     "--messages", "1")
    assert offer(plain_server, account.login, "a")[0] == "2"
    assert offer(plain_server, account.login, "b").startswith("452 4.2.2 ")
    plain_server.cli("user", "quota", account.login, "none",
                     "--messages", "2")
    assert offer(plain_server, account.login, "b")[0] == "2"
    check_inbox(account, ["a", "b"])


def test_one_full_mailbox_does_not_stop_the_others(plain_server):
    full, other = plain_server.new_account(), plain_server.new_account()
    plain_server.cli("user", "quota", full.login, "none", "--messages", "1")
    assert offer(plain_server, full.login, "a")[0] == "2"
    c = Smtp(plain_server, "mx")
    assert c.ask("MAIL FROM:<a@elsewhere.example>")[0] == "2"
    assert c.ask(f"RCPT TO:<{full.login}>").startswith("452 4.2.2 ")
    assert c.ask(f"RCPT TO:<{other.login}>")[0] == "2"
    assert c.ask("DATA")[0] == "3"
    c.send(make_message("both").replace(b"\r\n.", b"\r\n..") + b".\r\n")
    assert c.reply()[0] == "2"
    c.close()
    check_inbox(full, ["a"])
    check_inbox(other, ["both"])
