# SPDX-License-Identifier: ISC
"""IMAP: several sessions on one mailbox, IDLE, CONDSTORE and QRESYNC."""
import re
import threading
import time

import pytest

from lib.dialogue import Closed
from lib.imap import Imap, wait_for

SMALL = b"Subject: s\r\n\r\nx\r\n"


@pytest.fixture
def pair(account):
    """Two sessions in an INBOX of four messages."""
    with Imap.sign_in(account) as a, Imap.sign_in(account) as b:
        for _ in range(4):
            a.append(SMALL)
        for c in (a, a, b):
            c.ok("SELECT INBOX")
        yield a, b


def modseq(c, number):
    got = c.ok(f"FETCH {number} MODSEQ")[-1]
    return int(re.search(rb"MODSEQ \((\d+)\)", got)[1])


# --- others' changes ----------------------------------------------------------------

def test_flags_and_new_messages_are_told(pair):
    a, b = pair
    a.ok(r"STORE 2 +FLAGS (\Flagged)")
    a.append(SMALL)
    got = b.ok("NOOP")
    assert b"* 5 EXISTS" in got
    assert rb"* 2 FETCH (FLAGS (\Flagged))" in got
    assert got.index(b"* 5 EXISTS") < got.index(
        rb"* 2 FETCH (FLAGS (\Flagged))")
    assert b.ok("NOOP") == []


def test_delivered_mail_is_told(pair, account):
    a, b = pair
    account.deliver(SMALL)
    assert b"* 5 EXISTS" in b.ok("NOOP")
    assert b"* 5 EXISTS" in a.ok("NOOP")


def test_expunges_wait_for_a_command_without_numbers(pair):
    a, b = pair
    a.ok(r"STORE 1,3 +FLAGS.SILENT (\Deleted)")
    b.ok("NOOP")
    assert a.ok("EXPUNGE") == [b"* 1 EXPUNGE", b"* 2 EXPUNGE"]
    for command in ("FETCH 1:4 FLAGS", "SEARCH ALL",
                    r"STORE 2 +FLAGS (\Seen)"):
        got = b.ok(command)
        assert not any(b"EXPUNGE" in r for r in got), command
    # The numbers are still the old ones; what is gone is left out.
    assert [r.split()[1] for r in b.ok("FETCH 1:4 RFC822.SIZE")] == \
        [b"2", b"4"]
    assert b.ok("NOOP") == [b"* 1 EXPUNGE", b"* 2 EXPUNGE"]
    assert b.uids() == [2, 4]


def test_uid_commands_may_tell_expunges(pair):
    a, b = pair
    a.ok(r"UID STORE 2 +FLAGS.SILENT (\Deleted)")
    a.ok("EXPUNGE")
    assert b"* 2 EXPUNGE" in b.ok("UID FETCH 1 UID")


def test_a_message_that_came_and_went_is_never_told(pair):
    a, b = pair
    uid = a.append(SMALL, flags=r"\Deleted")
    a.ok(f"UID EXPUNGE {uid}")
    assert b.ok("NOOP") == []
    assert b.append(SMALL) == uid + 1


def test_new_keywords_are_announced_before_they_are_used(pair):
    a, b = pair
    a.ok("STORE 1 +FLAGS (brandnew)")
    got = b.ok("NOOP")
    flags = [i for i, r in enumerate(got) if r.startswith(b"* FLAGS")]
    fetch = [i for i, r in enumerate(got) if b"FETCH" in r]
    assert flags and fetch and flags[0] < fetch[0]
    assert b"brandnew" in got[flags[0]] and b"brandnew" in got[fetch[0]]


def test_silent_store_is_silent_for_oneself_only(pair):
    a, b = pair
    assert a.ok(r"STORE 1 +FLAGS.SILENT (\Seen)") == []
    assert b.ok("NOOP") == [rb"* 1 FETCH (FLAGS (\Seen))"]
    assert a.ok("NOOP") == []


def test_recent_belongs_to_the_first(account):
    with Imap.sign_in(account) as a, Imap.sign_in(account) as b:
        a.append(SMALL)
        assert b"* 1 RECENT" in b.ok("EXAMINE INBOX")
        assert b"* 1 RECENT" in a.ok("SELECT INBOX")
        assert b"* 0 RECENT" in b.ok("SELECT INBOX")


def test_the_mailbox_is_deleted_under_a_session(account):
    with Imap.sign_in(account) as a, Imap.sign_in(account) as b:
        a.ok("CREATE doomed")
        b.ok("SELECT doomed")
        a.ok("DELETE doomed")
        b.send("z NOOP")
        with pytest.raises(Closed):
            while True:
                assert re.match(rb"\* BYE \[UNAVAILABLE\]|z ", b.line())


def test_a_removed_account_loses_its_sessions(server):
    account = server.new_account()
    with Imap.sign_in(account, "INBOX") as c:
        server.cli("user", "remove", str(account))
        c.send("z LIST \"\" *")
        with pytest.raises(Closed):
            while True:
                assert re.match(rb"\* BYE|z NO", c.line())


# --- IDLE -----------------------------------------------------------------------------

def test_idle_hears_at_once(pair, account):
    a, b = pair
    tag = b.idle()
    a.ok(r"STORE 1 +FLAGS.SILENT (\Flagged)")
    b.expect_response(r"\* 1 FETCH \(FLAGS \(\\Flagged\)\)")
    account.deliver(SMALL)
    b.expect_response(r"\* 5 EXISTS")
    b.expect_response(r"\* 0 RECENT|\* 1 RECENT|\* \d RECENT")
    a.ok("NOOP")
    a.ok(r"STORE 2 +FLAGS.SILENT (\Deleted)")
    b.expect_response(r"\* 2 FETCH .*Deleted.*")
    a.ok("EXPUNGE")
    b.expect_response(r"\* 2 EXPUNGE")
    b.done(tag)
    assert b.ok("NOOP") == []


def test_idle_tells_first_what_was_held_back(pair):
    a, b = pair
    a.ok(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    a.ok("EXPUNGE")
    tag = b.idle()
    b.expect_response(r"\* 1 EXPUNGE")
    b.done(tag)


def test_idle_edges(pair, account):
    a, b = pair
    b.send("i IDLE", "DONE", "n NOOP")
    b.expect_response(r"\+ .*")
    b.expect_response("i OK .*")
    b.expect_response("n OK .*")
    b.send("i IDLE", "n NOOP")  # anything but DONE ends it
    b.expect_response(r"\+ .*")
    b.expect_response("i BAD .*")
    b.send("i IDLE", "x {10+}", "0123456789", "n NOOP")
    b.expect_response(r"\+ .*")
    b.expect_response("i BAD .*")
    b.expect_response("n OK .*")
    b.send("i IDLE")
    b.expect_response(r"\+ .*")
    b.send_raw(b"x" * 70000 + b"\r\nn NOOP\r\n")
    b.expect_response("i BAD .*")
    b.expect_response("n OK .*")
    with Imap.sign_in(account) as c:  # without a mailbox
        c.done(c.idle())


def test_idle_ends_while_changes_pour_in(pair, account):
    a, b = pair
    stop = threading.Event()

    def change():
        with Imap.sign_in(account, "INBOX") as c:
            while not stop.is_set():
                c.ok(r"STORE 1:4 +FLAGS.SILENT (\Seen)")
                c.ok(r"STORE 1:4 -FLAGS.SILENT (\Seen)")
    worker = threading.Thread(target=change)
    worker.start()
    try:
        for i in range(150):
            tag = b.idle()
            if i % 3 == 0:
                time.sleep(0.002)
            if i % 7 == 0:
                b.send("nonsense")
                b.check(b.until(tag)[1], "BAD")
            else:
                b.done(tag)
            if i % 10 == 0:
                b.ok("NOOP")
    finally:
        stop.set()
        worker.join()
    b.ok("NOOP")
    assert b.ok("NOOP") == []


# --- CONDSTORE -------------------------------------------------------------------------

def test_condstore(pair):
    a, b = pair
    first = modseq(a, 1)
    a.ok(r"STORE 2 +FLAGS.SILENT (\Seen)")
    second = modseq(a, 2)
    assert second > first
    got = a.ok(f"FETCH 1:* (FLAGS) (CHANGEDSINCE {first})")
    assert not any(b"* 1 FETCH" in r for r in got)
    assert any(re.match(rb"\* 2 FETCH \(.*MODSEQ \(%d\)" % second, r)
               for r in got)
    # From now on changes carry MODSEQ, silent ones too.
    got = a.ok(r"STORE 2 +FLAGS.SILENT (\Draft)")
    assert re.fullmatch(rb"\* 2 FETCH \(MODSEQ \(\d+\)\)", got[0])
    assert b.ok("SELECT INBOX (CONDSTORE)")
    a.ok(r"STORE 3 +FLAGS (\Seen)")
    assert re.fullmatch(
        rb"\* 3 FETCH \(MODSEQ \(\d+\) FLAGS \(\\Seen\)\)", b.ok("NOOP")[0])


def test_store_unchangedsince(pair):
    a, b = pair
    known = modseq(b, 2)
    a.ok(r"STORE 2 +FLAGS (\Answered)")
    untagged, tagged = b.run(
        rf"STORE 1:4 (UNCHANGEDSINCE {known}) +FLAGS.SILENT (\Seen)")
    assert b"[MODIFIED 2" in tagged
    got = a.ok("FETCH 1:4 FLAGS")
    assert [b"\\Seen" in r for r in got if b" FETCH " in r][-4:].count(
        False) >= 1
    code = b.run(rf"UID STORE 2 (UNCHANGEDSINCE {known}) "
                 r"+FLAGS (\Seen)")[1]
    assert code.startswith(b"OK [MODIFIED 2]")
    assert b.run(rf"STORE 2 (UNCHANGEDSINCE {modseq(b, 2)}) "
                 r"+FLAGS (\Seen)")[1].startswith(b"OK Done")


def test_status_and_search_enable_condstore(pair):
    a, _ = pair
    got = a.ok("SEARCH MODSEQ 1")
    assert any(r.startswith(b"* OK [HIGHESTMODSEQ ") for r in got)
    assert any(b"MODSEQ (" in r for r in a.ok(r"STORE 1 +FLAGS (\Seen)"))


# --- QRESYNC ----------------------------------------------------------------------------

def selected(c, params=""):
    """(UIDVALIDITY, HIGHESTMODSEQ, responses)"""
    got = c.ok(f"SELECT INBOX {params}".strip())
    text = b"\n".join(got)
    return (int(re.search(rb"UIDVALIDITY (\d+)", text)[1]),
            int(re.search(rb"HIGHESTMODSEQ (\d+)", text)[1]), got)


def test_qresync_brings_a_client_up_to_date(pair, account):
    a, b = pair
    assert b.ok("ENABLE QRESYNC") == [
        b"* ENABLED QRESYNC", b"* OK [HIGHESTMODSEQ %d] Highest" %
        selected(a)[1]]
    validity, highest, _ = selected(b)
    b.ok("UNSELECT")
    a.ok(r"STORE 2 +FLAGS.SILENT (\Deleted)")
    a.ok("EXPUNGE")
    a.ok(r"UID STORE 4 +FLAGS.SILENT (\Seen)")
    a.append(SMALL)
    got = selected(b, f"(QRESYNC ({validity} {highest}))")[2]
    assert b"* VANISHED (EARLIER) 2" in got
    told = [r for r in got if b" FETCH " in r]
    assert [re.search(rb"UID (\d+)", r)[1] for r in told] == [b"4", b"5"]
    # Only of what the client knows.
    got = selected(b, f"(QRESYNC ({validity} {highest} 3:4))")[2]
    assert not any(b"VANISHED" in r for r in got)
    assert len([r for r in got if b" FETCH " in r]) == 1
    got = selected(b, f"(QRESYNC ({validity + 1} {highest}))")[2]
    assert not any(b"VANISHED" in r or b" FETCH " in r for r in got)


def test_qresync_says_vanished_in_place_of_expunge(pair):
    a, b = pair
    b.ok("ENABLE QRESYNC")
    a.ok(r"STORE 1:2 +FLAGS.SILENT (\Deleted)")
    b.ok("NOOP")
    a.ok("EXPUNGE")
    assert b.ok("NOOP") == [b"* VANISHED 1:2"]
    b.ok(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    untagged, tagged = b.run("EXPUNGE")
    assert untagged == [b"* VANISHED 3"]
    assert tagged.startswith(b"OK [HIGHESTMODSEQ ")
    got = b.ok("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)")
    assert got[0] == b"* VANISHED (EARLIER) 1:3"
    assert b"UID 4 " in got[1]


def test_a_session_that_fell_far_behind_catches_up(account):
    """More expunges than the store's log keeps."""
    with Imap.sign_in(account) as a, Imap.sign_in(account) as b:
        n = 4400
        for _ in range(0, n, 50):
            a.ok(["APPEND INBOX "] + [x for _ in range(50)
                                      for x in (SMALL, " ")][:-1])
        a.ok("SELECT INBOX")
        b.ok("SELECT INBOX")
        a.ok(r"STORE 1:* +FLAGS.SILENT (\Deleted)")
        for uid in range(2, n, 2):
            a.ok(f"UID EXPUNGE {uid}")
        got = b.ok("NOOP")
        gone = [r for r in got if b"EXPUNGE" in r]
        assert len(gone) == n // 2 - 1
        assert b.uids() == a.uids()
        assert len(b.uids()) == n // 2 + 1


# --- large sets ---------------------------------------------------------------------------

@pytest.fixture(scope="module")
def many(server):
    """An account with 30,000 messages and gaps between them."""
    account = server.new_account()
    with Imap.sign_in(account) as c:
        for _ in range(60):
            c.ok(["APPEND INBOX "] + [x for _ in range(50)
                                      for x in (SMALL, " ")][:-1])
        c.ok("SELECT INBOX")
        while len(c.uids()) < 30000:
            c.ok("COPY 1:* INBOX")
        uids = c.uids()
        odd = ",".join(str(u) for u in uids[::2][:16000])
        for i in range(0, 16000, 8000):
            part = ",".join(odd.split(",")[i:i + 8000])
            c.ok(rf"UID STORE {part} +FLAGS.SILENT (\Flagged)")
    return account


def test_search_and_store_of_many_gaps(many):
    with Imap.sign_in(many, "INBOX") as c:
        hits = c.ok("SEARCH FLAGGED")[0].split()[2:]
        assert len(hits) == 16000
        c.ok("SEARCH RETURN (SAVE) FLAGGED")
        c.ok("STORE $ +FLAGS.SILENT (many)")
        assert c.ok("SEARCH RETURN (COUNT) KEYWORD many")[0].endswith(
            b" COUNT 16000")
        got = c.ok("FETCH $ FLAGS")
        assert len(got) == 16000
        got = c.ok("FETCH 1:* (UID FLAGS)")
        assert [int(r.split()[1]) for r in got] == \
            list(range(1, len(got) + 1))


def test_move_and_back_with_many_gaps(many):
    with Imap.sign_in(many, "INBOX") as c:
        n = len(c.uids())
        c.ok("SEARCH RETURN (SAVE) KEYWORD many")
        c.ok("CREATE half")
        untagged, tagged = c.run("MOVE $ half")
        assert tagged.startswith(b"OK")
        m = re.match(rb"\* OK \[COPYUID \d+ (\S+) 1:16000\]", untagged[0])
        assert m and m[1].count(b",") == 15999
        assert len([r for r in untagged if b"EXPUNGE" in r]) == 16000
        assert len(c.uids()) == n - 16000
        # 1:* over all the gaps that this left.
        c.ok(r"STORE 1:* +FLAGS.SILENT (\Seen)")
        assert c.ok("SEARCH UNSEEN") == [b"* SEARCH"]
        c.ok("COPY 1:* half")
        assert b"MESSAGES %d" % n in c.ok("STATUS half (MESSAGES)")[0]
        c.ok(r"STORE 1:* +FLAGS.SILENT (\Deleted)")
        got = c.ok("EXPUNGE")
        assert len([r for r in got if b"EXPUNGE" in r]) == n - 16000
        c.ok("SELECT half")
        c.ok("CLOSE")


def worst_turn(busy, other):
    busy.send_raw(b"".join(
        b"b%d SEARCH OR (TEXT zzz) (NOT (HEADER X-None yyy))\r\n" % i
        for i in range(3)))
    worst = 0.0
    for _ in range(60):
        began = time.monotonic()
        other.ok("NOOP")
        worst = max(worst, time.monotonic() - began)
    for i in range(3):
        busy.until(f"b{i}")
    return worst


def test_others_have_their_turn_while_one_is_busy(many):
    with Imap.sign_in(many, "half") as busy, Imap.sign_in(many) as other:
        # A machine that is busy with something else holds up one round or two.
        worst = []
        while not worst or worst[-1] >= 1.0:
            worst.append(worst_turn(busy, other))
            assert len(worst) < 10, f"{worst} s for a NOOP"


# --- large messages -------------------------------------------------------------------------

def test_a_large_message_piece_by_piece(account):
    body = b"".join(b"%06d " % i * 10 + b"\r\n" for i in range(210000))
    message = b"Subject: large\r\n\r\n" + body
    assert len(message) > 14 << 20
    with Imap.sign_in(account, "INBOX") as c:
        uid = c.append(message)
        assert c.body(uid) == message
        got, step = b"", 1 << 18
        while len(got) < len(message):
            piece = c.body(uid, f"BODY.PEEK[]<{len(got)}.{step}>")
            assert piece == message[len(got):len(got) + step]
            got += piece
        r = c.ok(f"UID FETCH {uid} (INTERNALDATE RFC822.SIZE FLAGS "
                 "BODY.PEEK[1]<10.20>)")[0]
        assert b"RFC822.SIZE %d" % len(message) in r
        assert b'INTERNALDATE "' in r and b"1970" not in r
        assert body[10:30] in r
        # 64 copies of it at once: lent, not copied.
        tag = c.start(f"UID FETCH {uid} (" + " ".join(
            ["BODY.PEEK[TEXT]"] * 8) + ")")
        assert c.response().count(body) == 8
        assert c.until(tag)[1].startswith(b"OK")
        c.no(f"UID FETCH {uid} (" + " ".join(["BINARY.PEEK[1]"] * 60) + ")",
             "LIMIT")
        c.ok("NOOP")


def test_search_in_a_large_message(account):
    with Imap.sign_in(account, "INBOX") as c:
        c.append(b"Subject: l\r\n\r\n" + b"some words\r\n" * 200000 +
                 b"at last: haystack\r\n")
        c.append(SMALL)
        assert c.ok("SEARCH BODY haystack") == [b"* SEARCH 1"]
        assert c.ok("SEARCH SUBJECT l") == [b"* SEARCH 1"]


def test_logout_behind_a_long_command(account):
    with Imap.sign_in(account, "INBOX") as c:
        for _ in range(20):
            c.append(b"A: b\r\n\r\n" + b"x" * 100000)
        c.send("f FETCH 1:* BODY.PEEK[]", "l LOGOUT")
        untagged, tagged = c.until("f")
        assert len([r for r in untagged if b"BODY[]" in r]) == 20
        assert c.until("l")[0] == [b"* BYE Bye"]
        c.expect_closed()
