# SPDX-License-Identifier: ISC
"""IMAP: each command with its answers and its errors, on raw connections."""
import base64
import re

import pytest

from lib.imap import Imap, lines

MESSAGE = b"From: Ann <ann@example.org>\r\nTo: bob@example.org\r\n" \
    b"Subject: Hello\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\n" \
    b"Message-ID: <1@example.org>\r\n\r\nHello, world\r\n"


@pytest.fixture
def c(account):
    with Imap.sign_in(account) as c:
        yield c


@pytest.fixture
def inbox(account):
    """INBOX selected, with three messages."""
    with Imap.sign_in(account) as c:
        for i in range(1, 4):
            c.append(MESSAGE + b"%d\r\n" % i)
        c.ok("SELECT INBOX")  # takes \Recent
        c.ok("SELECT INBOX")
        yield c


def find(responses, pattern):
    """The one response that matches."""
    found = [r for r in responses
             if re.fullmatch(pattern.encode(), r, re.S)]
    assert len(found) == 1, (pattern, responses)
    return found[0]


# --- before sign-in --------------------------------------------------------------

def test_greeting_and_capabilities_without_tls(server):
    with Imap(server, "imap") as c:
        assert re.fullmatch(
            rb"\* OK \[CAPABILITY IMAP4rev1 [^]]*\] mail\.test\.example .*",
            c.greeting)
        caps = c.ok("CAPABILITY")[0].decode().split()
        assert {"STARTTLS", "LOGINDISABLED", "AUTH=SCRAM-SHA-256",
                "LITERAL+", "SASL-IR", "ID", "ENABLE"} <= set(caps)
        assert not {"AUTH=PLAIN", "AUTH=LOGIN", "NAMESPACE"} & set(caps)


def test_no_password_without_tls(server, account):
    with Imap(server, "imap") as c:
        c.no(f'LOGIN "{account}" "{account.password}"', "PRIVACYREQUIRED")
        c.no("AUTHENTICATE PLAIN", "PRIVACYREQUIRED")
        c.no("AUTHENTICATE LOGIN", "PRIVACYREQUIRED")


def test_password_without_tls_where_the_operator_allows_it(make_server):
    server = make_server({"auth": {"allow_plaintext": "true"}})
    account = server.new_account()
    with Imap(server, "imap") as c:
        caps = c.ok("CAPABILITY")[0]
        assert b"LOGINDISABLED" not in caps and b"AUTH=PLAIN" in caps
        c.ok(f'LOGIN "{account}" "{account.password}"')


def test_starttls_drops_what_came_before_the_handshake(server, account):
    with Imap(server, "imap") as c:
        c.send("a STARTTLS", f"b LOGIN {account} x", "c NOOP")
        c.expect("a OK .*")
        c.start_tls(server)
        c.send("d NOOP")
        c.expect("d OK .*")
        assert b"STARTTLS" not in c.ok("CAPABILITY")[0]
        c.bad("STARTTLS")


def test_commands_that_need_a_sign_in(server):
    for command in ("SELECT INBOX", 'LIST "" *', "STATUS INBOX (MESSAGES)",
                    "FETCH 1 FLAGS", "IDLE", "NAMESPACE", "EXPUNGE",
                    "CREATE x", "ENABLE CONDSTORE"):
        with Imap(server) as c:
            c.bad(command)


def test_login_forms(server, account):
    user, password = str(account), account.password
    for command in ([f'LOGIN "{user}" "{password}"'],
                    ["LOGIN ", user.encode(), " ", password.encode()],
                    [f"login {user} ", password.encode()]):
        with Imap(server) as c:
            assert c.code(command).startswith("CAPABILITY IMAP4rev1 ")
            c.bad(f'LOGIN "{user}" "{password}"')
            c.bad("AUTHENTICATE PLAIN")


def test_login_refused(server, account):
    with Imap(server) as c:
        c.no(f'LOGIN "{account}" "wrong"', "AUTHENTICATIONFAILED")
        c.no('LOGIN "nobody@test.example" "x"', "AUTHENTICATIONFAILED")
        c.no('LOGIN "" ""', "AUTHENTICATIONFAILED")
        c.bad("LOGIN x")
        c.no(f'LOGIN "{account}" "wrong"', "AUTHENTICATIONFAILED")
        c.send(f'z LOGIN "{account}" "wrong"')
        c.expect(r"z NO \[AUTHENTICATIONFAILED\] .*")
        c.expect(r"\* BYE .*")
        c.expect_closed()


def b64(*parts):
    return base64.b64encode("\0".join(parts).encode()).decode()


def test_authenticate_plain(server, account):
    good = b64("", str(account), account.password)
    with Imap(server) as c:
        c.ok(f"AUTHENTICATE PLAIN {good}")
    with Imap(server) as c:
        c.send("a AUTHENTICATE plain")
        c.expect(r"\+ ")
        c.send(good)
        c.expect(r"a OK \[CAPABILITY .*")
    with Imap(server) as c: # at once, without waiting for the "+"
        c.send("a AUTHENTICATE PLAIN", good, "b NOOP")
        c.expect(r"\+ ")
        c.expect("a OK .*")
        c.expect("b OK .*")


def test_authenticate_login(server, account):
    with Imap(server) as c:
        c.send("a AUTHENTICATE LOGIN")
        c.expect(r"\+ .*")
        c.send(b64(str(account)))
        c.expect(r"\+ .*")
        c.send(b64(account.password))
        c.expect("a OK .*")


def test_authenticate_errors(server, account):
    with Imap(server) as c:
        c.no("AUTHENTICATE CRAM-MD5")
        c.bad("AUTHENTICATE PLAIN ***")
        c.no("AUTHENTICATE PLAIN " + b64("", str(account), "no"),
             "AUTHENTICATIONFAILED")
        c.send("a AUTHENTICATE PLAIN")
        c.expect(r"\+ ")
        c.send("*")
        c.expect("a BAD .*")
        c.send("b AUTHENTICATE PLAIN")
        c.expect(r"\+ ")
        c.send("{5+}", "abc NOOP")
        c.expect("b BAD .*")
        c.ok("NOOP")


# --- small commands ----------------------------------------------------------------

def test_capabilities_signed_in(c):
    caps = set(c.ok("CAPABILITY")[0].decode().split())
    assert {"NAMESPACE", "UIDPLUS", "UNSELECT", "CHILDREN", "MOVE",
            "SPECIAL-USE", "CREATE-SPECIAL-USE", "LIST-EXTENDED",
            "LIST-STATUS", "STATUS=SIZE", "CONDSTORE", "QRESYNC", "ESEARCH",
            "SEARCHRES", "WITHIN", "QUOTA", "MULTIAPPEND", "BINARY", "IDLE",
            "LITERAL+", "ID", "ENABLE", "APPENDLIMIT=20971520"} <= caps
    assert not {"STARTTLS", "LOGINDISABLED"} & caps


def test_small_commands(c):
    assert c.ok("NAMESPACE") == [b'* NAMESPACE (("" "/")) NIL NIL']
    assert c.ok("ID NIL") == [b'* ID ("name" "Mailstead")']
    assert c.ok('ID ("name" "t" "version" NIL)')
    assert c.ok("ENABLE X-UNKNOWN") == [b"* ENABLED"]
    assert c.ok("enable condstore") == [b"* ENABLED CONDSTORE"]
    assert c.ok("NOOP") == []
    assert c.ok("LOGOUT") == [b"* BYE Bye"]
    c.expect_closed()


SYNTAX = [
    "", "XYZZY", "NOOP x", "SELECT", "SELECT INBOX x", 'SELECT "INBOX',
    "LIST", 'LIST ""', "STATUS INBOX", "STATUS INBOX ()",
    "STATUS INBOX (X)", "CREATE", "RENAME a", "SUBSCRIBE", "ENABLE",
    "APPEND INBOX", 'APPEND INBOX (\\Seen) "x"', "LSUB", "ID", "ID (a)",
    "UID", "UID NOOP", "GETQUOTA", "STARTTLS x",
]
SYNTAX_SELECTED = [
    "FETCH", "FETCH 1", "FETCH 0 FLAGS", "FETCH 1 (FLAGS", "FETCH 1 NONE",
    "FETCH x FLAGS", "FETCH 1 BODY[", "FETCH 1 BODY[HEADER.FIELDS]",
    "FETCH 1 BODY[0]", "FETCH 1 BODY[TEXT]<0.0>", "FETCH 1 BODY[]<1>",
    "FETCH 1 BODY[MIME]", "FETCH 4 FLAGS", "FETCH 1:4 FLAGS",
    "UID FETCH 1 (FLAGS) (CHANGEDSINCE)", "FETCH 1 FLAGS (VANISHED)",
    "STORE 1", "STORE 1 FLAGS", "STORE 1 FLAGS (\\Recent)",
    "STORE 1 FLAGS (\\Unknown)", "STORE 9 FLAGS (\\Seen)", "COPY 1",
    "COPY 9 Drafts", "MOVE 9 Drafts", "SEARCH", "SEARCH XYZZY",
    "SEARCH NOT", "SEARCH (", "SEARCH OR ALL", "SEARCH SINCE yesterday",
    "SEARCH RETURN (X) ALL", "SEARCH UID x", "UID EXPUNGE", "UID COPY 1",
    "FETCH 1 FLAGS (CHANGEDSINCE 5 VANISHED)",
    "UID FETCH 1 FLAGS (CHANGEDSINCE 5 VANISHED)",
    "SELECT INBOX (QRESYNC (1 1))",
]


@pytest.mark.parametrize("command", SYNTAX)
def test_bad_syntax(c, command):
    c.bad(command)
    c.ok("NOOP")


def test_bad_syntax_in_a_mailbox(account):
    for i in range(0, len(SYNTAX_SELECTED), 15):
        with Imap.sign_in(account) as c:
            if i == 0:
                c.append(MESSAGE)
                c.append(MESSAGE)
                c.append(MESSAGE)
            c.ok("SELECT INBOX")
            for command in SYNTAX_SELECTED[i:i + 15]:
                c.bad(command)
            assert len(c.ok("FETCH 1:* FLAGS")) == 3


def test_not_in_this_state(c):
    for command in ("FETCH 1 FLAGS", "STORE 1 FLAGS (\\Seen)", "EXPUNGE",
                    "CLOSE", "UNSELECT", "CHECK", "SEARCH ALL",
                    "COPY 1 Drafts", "MOVE 1 Drafts", "UID FETCH 1 FLAGS"):
        c.bad(command)


def test_too_many_bad_commands_in_a_row(c):
    for i in range(30):
        c.bad("XYZZY")
        c.ok("NOOP")
    c.send(*["x XYZZY"] * 20)
    for i in range(20):
        c.expect("x BAD .*")
    c.expect(r"\* BYE .*")
    c.expect_closed()


# --- mailboxes -----------------------------------------------------------------------

def names(responses):
    return [re.match(rb'\* (?:LIST|LSUB) \([^)]*\) "/" (.*)', r)[1].decode()
            for r in responses if r[2:6] in (b"LIST", b"LSUB")]


def test_list_of_a_new_account(c):
    assert c.ok('LIST "" *') == lines(
        r'* LIST (\HasNoChildren \Archive) "/" Archive',
        r'* LIST (\HasNoChildren \Drafts) "/" Drafts',
        r'* LIST (\HasNoChildren) "/" INBOX',
        r'* LIST (\HasNoChildren \Junk) "/" Junk',
        r'* LIST (\HasNoChildren \Sent) "/" Sent',
        r'* LIST (\HasNoChildren \Trash) "/" Trash')
    assert names(c.ok('LSUB "" *')) == names(c.ok('LIST "" %'))


def test_list_patterns(c):
    for name in ("a", "a/b", "a/b/c", "ax", "INBOX/sub", '"two words"'):
        c.ok(f"CREATE {name}")
    for reference, pattern, want in (
            ("", "a", ["a"]), ("", "a*", ["a", "a/b", "a/b/c", "ax"]),
            ("", "a%", ["a", "ax"]), ("", "a/%", ["a/b"]),
            ("a/", "%", ["a/b"]), ("a/", "*", ["a/b", "a/b/c"]),
            ("a", "/b", []), ("", "%/b", ["a/b"]),
            ("", "*c", ["a/b/c"]), ("", "inbox", ["INBOX"]),
            ("", "iNbOx/*", ["INBOX/sub"]), ("", "nothing", []),
            ("", "t%", ['"two words"']), ("x/", "a", [])):
        got = names(c.ok(f'LIST "{reference}" "{pattern}"'))
        assert got == want, (reference, pattern)
    assert c.ok('LIST "" ""') == [b'* LIST (\\Noselect) "/" ""']
    find(c.ok('LIST "" a'), r'\* LIST \(\\HasChildren\) "/" a')


def test_list_extended(c):
    for name in ("p", "p/q", "r"):
        c.ok(f"CREATE {name}")
    c.ok("SUBSCRIBE p/q")
    c.ok("SUBSCRIBE gone/child")
    assert names(c.ok('LIST (SUBSCRIBED) "" ("p*" "g*")')) == \
        ["gone/child", "p/q"]
    find(c.ok('LIST (SUBSCRIBED) "" g*'),
         r'\* LIST \(\\NonExistent \\Subscribed .*\) "/" gone/child')
    got = c.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" %')
    find(got, r'\* LIST \(\\HasChildren\) "/" p '
              r'\("CHILDINFO" \("SUBSCRIBED"\)\)')
    find(got, r'\* LIST \(\\NonExistent .*\) "/" gone '
              r'\("CHILDINFO" \("SUBSCRIBED"\)\)')
    # What is told by itself needs no CHILDINFO.
    assert not any(b"CHILDINFO" in r for r in c.ok(
        'LIST (SUBSCRIBED RECURSIVEMATCH) "" *'))
    assert names(c.ok('LIST (SPECIAL-USE) "" *')) == \
        ["Archive", "Drafts", "Junk", "Sent", "Trash"]
    got = c.ok('LIST "" (p r) RETURN (SUBSCRIBED CHILDREN '
               'STATUS (MESSAGES UNSEEN))')
    assert got == lines(
        r'* LIST (\HasChildren) "/" p', "* STATUS p (MESSAGES 0 UNSEEN 0)",
        r'* LIST (\HasNoChildren) "/" r', "* STATUS r (MESSAGES 0 UNSEEN 0)")
    c.bad('LIST (RECURSIVEMATCH) "" *')
    c.bad('LIST (NOSUCH) "" *')


def test_lsub_tells_parents(c):
    c.ok("SUBSCRIBE deep/er/most")
    assert c.ok('LSUB "" deep/%') == [b'* LSUB (\\Noselect) "/" deep/er']
    assert c.ok('LSUB "" d%') == [b'* LSUB (\\Noselect) "/" deep']
    assert c.ok('LSUB "" d*') == [b'* LSUB () "/" deep/er/most']
    c.ok("UNSUBSCRIBE deep/er/most")
    assert c.ok('LSUB "" d*') == []


def test_create_delete(c):
    c.ok("CREATE one")
    c.no("CREATE one", "ALREADYEXISTS")
    c.no("CREATE INBOX", "ALREADYEXISTS")
    c.no("CREATE inbox", "ALREADYEXISTS")
    c.ok("CREATE slash/")
    c.ok("CREATE x/y/z")
    assert names(c.ok('LIST "" x*')) == ["x", "x/y", "x/y/z"]
    assert names(c.ok('LIST "" sl*')) == ["slash"]
    c.no("DELETE x", "HASCHILDREN")
    c.ok("DELETE x/y/z")
    c.ok("DELETE x/y")
    c.ok("DELETE x")
    c.no("DELETE x", "NONEXISTENT")
    c.no("DELETE INBOX", "CANNOT")
    for name in ('"a//b"', '"/a"', '"a*"', '"%"', '"&bad"', '""',
                 '"' + "x" * 300 + '"', '"' + "/".join("x" * 40) + '"'):
        c.no(f"CREATE {name}", "CANNOT")


def test_create_special_use(c):
    c.ok(r"CREATE spam2 (USE (\Junk))")
    find(c.ok('LIST "" spam2'),
         r'\* LIST \(\\HasNoChildren \\Junk\) "/" spam2')
    c.no(r"CREATE everything (USE (\All))", "USEATTR")
    c.no(r"CREATE odd (USE (\Odd))", "USEATTR")


def test_names_in_utf7(c):
    c.ok('CREATE "&ZeVnLIqe-"')
    c.ok('CREATE "Entw&APw-rfe &- more"')
    assert names(c.ok('LIST "" "&ZeVnLIqe-*"')) == ["&ZeVnLIqe-"]
    assert names(c.ok('LIST "" "Entw*"')) == ['"Entw&APw-rfe &- more"']
    c.ok('SELECT "&ZeVnLIqe-"')
    c.no('CREATE "&AGE-"', "CANNOT")  # "a" has a shorter spelling
    c.no('SELECT "&AGE-"')


def test_rename(c):
    c.ok("CREATE old/child")
    c.append(MESSAGE, "old/child")
    before = c.ok("STATUS old/child (UIDVALIDITY UIDNEXT MESSAGES)")[0]
    c.ok("RENAME old new/place")
    assert names(c.ok('LIST "" new*')) == \
        ["new", "new/place", "new/place/child"]
    after = c.ok("STATUS new/place/child (UIDVALIDITY UIDNEXT MESSAGES)")[0]
    assert before.split(b"(")[1] == after.split(b"(")[1]
    c.no("RENAME old x", "NONEXISTENT")
    c.no("RENAME new Drafts", "ALREADYEXISTS")
    c.no("RENAME new/place new/place/below", "CANNOT")


def test_rename_of_inbox_moves_its_messages(inbox):
    inbox.ok("RENAME INBOX saved")
    inbox.ok("NOOP")
    assert inbox.uids() == []
    assert inbox.ok("STATUS saved (MESSAGES)") == \
        [b"* STATUS saved (MESSAGES 3)"]
    assert names(inbox.ok('LIST "" INBOX')) == ["INBOX"]


def test_status(inbox):
    inbox.ok(r"STORE 1 +FLAGS.SILENT (\Seen \Deleted)")
    got = inbox.ok("STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN "
                   "HIGHESTMODSEQ SIZE DELETED APPENDLIMIT)")
    find(got, r"\* STATUS INBOX \(MESSAGES 3 RECENT 0 UIDNEXT 4 UIDVALIDITY "
              r"\d+ UNSEEN 2 HIGHESTMODSEQ \d+ SIZE %d DELETED 1 "
              r"APPENDLIMIT 20971520\)" % (3 * (len(MESSAGE) + 3)))
    inbox.no("STATUS nowhere (MESSAGES)", "NONEXISTENT")


def test_select_answers(inbox):
    got = inbox.ok("SELECT INBOX")
    assert got[0] == b"* OK [CLOSED] Closed"
    find(got, r"\* 3 EXISTS")
    find(got, r"\* 0 RECENT")
    find(got, r"\* OK \[UNSEEN 1\] .*")
    find(got, r"\* FLAGS \(\\Answered \\Flagged \\Deleted \\Seen \\Draft\)")
    find(got, r"\* OK \[PERMANENTFLAGS \(.* \\\*\)\] .*")
    find(got, r"\* OK \[UIDVALIDITY [1-9]\d*\] .*")
    find(got, r"\* OK \[UIDNEXT 4\] .*")
    find(got, r"\* OK \[HIGHESTMODSEQ [1-9]\d*\] .*")
    assert inbox.code("EXAMINE inbox") == "READ-ONLY"
    assert inbox.code("SELECT InBoX") == "READ-WRITE"
    inbox.no("SELECT nowhere", "NONEXISTENT")
    inbox.bad("FETCH 1 FLAGS")  # nothing is selected now


def test_examine_changes_nothing(inbox):
    got = inbox.ok("EXAMINE INBOX")
    find(got, r"\* OK \[PERMANENTFLAGS \(\)\] .*")
    for command in (r"STORE 1 FLAGS (\Seen)", "EXPUNGE", "MOVE 1 Trash",
                    "UID EXPUNGE 1"):
        inbox.no(command, "NOPERM")
    got = inbox.ok("FETCH 1 (FLAGS BODY[TEXT])")
    assert b"Seen" not in got[0]
    inbox.ok("COPY 1 Drafts", "COPYUID")
    inbox.ok("CLOSE")
    assert b"UNSEEN 3" in inbox.ok("STATUS INBOX (UNSEEN)")[0]


def test_delete_of_the_selected_mailbox(c):
    c.ok("CREATE here")
    c.ok("SELECT here")
    assert c.ok("DELETE here") == [b"* OK [CLOSED] Closed"]
    c.bad("FETCH 1 FLAGS")
    c.ok("SELECT INBOX")


def test_same_name_again_has_another_uidvalidity(c):
    c.ok("CREATE again")
    first = c.ok("STATUS again (UIDVALIDITY)")
    c.ok("DELETE again")
    c.ok("CREATE again")
    assert c.ok("STATUS again (UIDVALIDITY)") != first


# --- messages in -----------------------------------------------------------------------

def test_append(c):
    c.ok("SELECT INBOX")
    untagged, tagged = c.run(
        [r'APPEND INBOX (\Seen $Label) "17-Jul-1996 02:44:25 -0700" ',
         MESSAGE])
    assert re.match(rb"OK \[APPENDUID \d+ 1\]", tagged)
    find(untagged, r"\* 1 EXISTS")  # told at once
    got = c.ok("FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[0]
    assert b"FLAGS (\\Seen \\Recent $Label)" in got
    assert b'INTERNALDATE "17-Jul-1996 09:44:25 +0000"' in got
    assert b"RFC822.SIZE %d " % len(MESSAGE) in got
    assert MESSAGE in got


def test_append_with_a_synchronising_literal(c):
    c.send(f"a APPEND INBOX {{{len(MESSAGE)}}}")
    c.expect(r"\+ .*")
    c.send_raw(MESSAGE + b"\r\n")
    c.expect(r"a OK \[APPENDUID .*")
    c.send("b APPEND INBOX {99999999}")
    c.expect(r"b NO \[TOOBIG\] .*")
    c.send("c APPEND nowhere {5}")
    c.expect(r"c NO \[TRYCREATE\] .*")
    c.ok("NOOP")


def test_append_is_refused_before_the_bytes_come(server):
    account = server.new_account()
    server.cli("user", "quota", str(account), "100K", "--messages", "2")
    with Imap.sign_in(account) as c:
        c.send("a APPEND INBOX {102401}")
        c.expect(r"a NO \[OVERQUOTA\] .*")
        c.send("b APPEND nowhere {5}")
        c.expect(r"b NO \[TRYCREATE\] .*")
        # the second of two, and the third of three
        c.send("c APPEND INBOX {60000}")
        c.expect(r"\+ .*")
        c.send_raw(b"x" * 60000)
        c.send(" {60000}")
        c.expect(r"c NO \[OVERQUOTA\] .*")
        c.send("d APPEND INBOX {1}")
        c.expect(r"\+ .*")
        c.send_raw(b"x {1}\r\n")
        c.expect(r"\+ .*")
        c.send_raw(b"y {1}\r\n")
        c.expect(r"d NO \[OVERQUOTA\] .*")
        # who does not wait is answered, and what he sends is no command
        junk = b"z LOGOUT\r\n" * 20000
        for name, code in (("INBOX", "OVERQUOTA"), ("nowhere", "TRYCREATE")):
            c.send_raw(b"e APPEND %s {%d+}\r\n" % (name.encode(), len(junk)) +
                       junk + b" {3+}\r\nabc\r\n")
            c.expect(rf"e NO \[{code}\] .*")
        c.send_raw(b"f APPEND nowhere {3+}\r\nabc {4+}\r\nabcd\r\n")
        c.expect(r"f NO \[TRYCREATE\] .*")
        assert b"MESSAGES 0" in c.ok("STATUS INBOX (MESSAGES)")[0]
        c.append(MESSAGE)


def test_multiappend(c):
    untagged, tagged = c.run(
        [r"APPEND INBOX (\Seen) ", MESSAGE, " ", b"two", r" (\Draft) ",
         b"three"])
    assert re.fullmatch(rb"OK \[APPENDUID \d+ 1:3\] .*", tagged)
    c.ok("SELECT INBOX")
    assert c.body(2) == b"two" and c.body(3) == b"three"
    c.no(["APPEND nowhere ", b"1", " ", b"2"], "TRYCREATE")
    c.bad(["APPEND INBOX ", b"1", " x ", b"2"])
    c.ok("NOOP")
    assert len(c.uids()) == 3


def test_append_errors(c):
    for command in (["APPEND INBOX (\\Seen \\Bad) ", b"x"],
                    ['APPEND INBOX "99-Jul-1996 02:44:25 -0700" ', b"x"],
                    ["APPEND ", b"INBOX"], ["APPEND INBOX ", b"x", " y"]):
        c.bad(command)
    c.ok(["APPEND ", b"INBOX", " ", b"x"])
    c.ok("NOOP")


def test_odd_messages_come_back_as_they_are(c):
    odd = [b"", b"\r\n", b"no header at all", b"Subject: x", b"Subject: x\r\n",
           b"\r\nonly a body", b"A: b\n\nbare\nLF", b"A: b\r\n\r\n\rCR\r",
           b"\xff\xfe\x80", b"From \r\nA: b\r\n\r\n", b": no name\r\n\r\nx",
           b"X" * 100000, b"A: " + b"y" * 70000 + b"\r\n\r\nz",
           b"A: b\r\n\r\n" + b"line\r\n" * 300000]
    c.ok("SELECT INBOX")
    for message in odd:
        uid = c.append(message)
        assert c.body(uid) == message
        got = c.ok(f"UID FETCH {uid} (RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY "
                   "BODY.PEEK[HEADER] BODY.PEEK[TEXT] "
                   "BODY.PEEK[1] BODY.PEEK[2] "
                   "BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        assert b"RFC822.SIZE %d " % len(message) in got[0]
        header, text = c.body(uid, "BODY.PEEK[HEADER]"), \
            c.body(uid, "BODY.PEEK[TEXT]")
        assert header + text == message
    c.ok("SEARCH TEXT nothing")


def test_nul_is_replaced_except_in_binary(c):
    c.ok("SELECT INBOX")
    uid = c.append(b"A: b\r\n\r\nx\0y\r\n")
    assert c.body(uid) == b"A: b\r\n\r\nx\x80y\r\n"
    got = c.ok(f"UID FETCH {uid} (BINARY.PEEK[1])")[0]
    assert b"BINARY[1] ~{5}\r\nx\0y\r\n)" in got


# --- FETCH -------------------------------------------------------------------------------

MULTIPART = (
    b"From: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\n"
    b"To: Group: a@example.org, \"B, C\" <b@example.org>;\r\n"
    b"Subject: parts\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\npreamble\r\n"
    b"--x\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n"
    b"--x\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: inner\r\nFrom: i@example.org\r\n\r\ninner text\r\n"
    b"--x--\r\nepilogue\r\n")

SECTIONS = [
    ("BODY[1]", b"SGVsbG8="), ("BODY[1.MIME]",
     b"Content-Type: text/plain; charset=utf-8\r\n"
     b"Content-Transfer-Encoding: base64\r\n\r\n"),
    ("BODY[2]", b"Subject: inner\r\nFrom: i@example.org\r\n\r\ninner text"),
    ("BODY[2.HEADER]", b"Subject: inner\r\nFrom: i@example.org\r\n\r\n"),
    ("BODY[2.TEXT]", b"inner text"), ("BODY[2.1]", b"inner text"),
    ("BODY[2.HEADER.FIELDS (SUBJECT)]", b"Subject: inner\r\n\r\n"),
    ("BODY[2.HEADER.FIELDS.NOT (SUBJECT)]",
     b"From: i@example.org\r\n\r\n"),
    ("BODY[HEADER.FIELDS (subject X-None)]", b"Subject: parts\r\n\r\n"),
    ("BODY[HEADER.FIELDS (X-None)]", b"\r\n"),
    ("BODY[3]", None), ("BODY[1.1]", None), ("BODY[1.HEADER]", None),
    ("BODY[2.MIME]", b"Content-Type: message/rfc822\r\n\r\n"),
    ("BINARY[1]", b"Hello"), ("BODY[1]<2.3>", b"Vsb"),
    ("BODY[1]<100.5>", b""), ("BODY[]<0.5>", b"From:"),
]


@pytest.mark.parametrize("section,want", SECTIONS)
def test_sections(c, section, want):
    c.ok("SELECT INBOX")
    c.append(MULTIPART)
    peek = section.replace("[", ".PEEK[", 1)
    got = c.ok(f"FETCH 1 ({peek})")[0]
    name = re.sub(r"<(\d+)\.\d+>", r"<\1>", section)
    value = got.split(b" FETCH (", 1)[1][:-1]
    assert value.lower().startswith(name.lower().encode() + b" ")
    value = value[len(name) + 1:]
    if want is None:
        assert value == b"NIL"
    else:
        assert re.sub(rb"^\{\d+\}\r\n", b"", value) == want


def test_structure_of_a_multipart(c):
    c.ok("SELECT INBOX")
    c.append(MULTIPART)
    got = c.ok("FETCH 1 (BODY BODYSTRUCTURE ENVELOPE BINARY.SIZE[1])")[0]
    assert b'ENVELOPE (NIL "parts" (("=?utf-8?q?J=C3=B6rg?=" NIL "j" ' \
        b'"example.org"))' in got
    assert b'((NIL NIL "Group" NIL)(NIL NIL "a" "example.org")' \
        b'("B, C" NIL "b" "example.org")(NIL NIL NIL NIL))' in got
    inner = len(b"Subject: inner\r\nFrom: i@example.org\r\n\r\ninner text")
    assert b'BODY (("text" "plain" ("charset" "utf-8") NIL NIL "base64" 8 1)' \
        b'("message" "rfc822" NIL NIL NIL "7bit" %d ' % inner in got
    assert b'"mixed" ("boundary" "x") NIL NIL NIL)' in got
    assert b"BINARY.SIZE[1] 5" in got


def test_macros_and_old_names(inbox):
    got = inbox.ok("FETCH 1 FAST")[0]
    for item in (b"FLAGS (", b"INTERNALDATE ", b"RFC822.SIZE "):
        assert item in got
    assert b"ENVELOPE (" in inbox.ok("FETCH 1 ALL")[0]
    assert b" BODY (" in inbox.ok("FETCH 1 FULL")[0]
    got = inbox.ok("FETCH 1 (RFC822.HEADER)")[0]
    assert b"RFC822.HEADER {" in got and b"Seen" not in got
    got = inbox.ok("FETCH 1 (RFC822.TEXT)")[0]
    assert b"RFC822.TEXT {" in got and b"\\Seen" in got
    assert b"RFC822 {" in inbox.ok("FETCH 2 RFC822")[0]


def test_body_sets_seen_and_peek_does_not(inbox):
    assert b"FLAGS" not in inbox.ok("FETCH 1 BODY.PEEK[]")[0]
    got = inbox.ok("FETCH 1:2 BODY[]")
    assert len(got) == 2 and all(b"FLAGS (\\Seen)" in r for r in got)
    assert b"FLAGS" not in inbox.ok("FETCH 1 BODY[]")[0]
    assert inbox.ok("SEARCH UNSEEN") == [b"* SEARCH 3"]


def test_sets(inbox):
    for numbers, want in (("1", 1), ("*", 1), ("1:*", 3), ("*:1", 3),
                          ("3,1", 2), ("2:2,2", 1), ("3:1", 3)):
        assert len(inbox.ok(f"FETCH {numbers} UID")) == want, numbers
    inbox.ok(r"STORE 2 +FLAGS.SILENT (\Deleted)")
    inbox.ok("EXPUNGE")
    assert [r.split()[1] for r in inbox.ok("UID FETCH 1:* FLAGS")] == \
        [b"1", b"2"]
    assert inbox.ok("UID FETCH 2 FLAGS") == []
    assert len(inbox.ok("UID FETCH 100:* FLAGS")) == 1  # the last one
    assert inbox.ok("UID FETCH 100 FLAGS") == []


# --- STORE, EXPUNGE, COPY, MOVE ----------------------------------------------------------

def test_store(inbox):
    c = inbox
    assert c.ok(r"STORE 1 FLAGS (\Flagged)") == \
        [rb"* 1 FETCH (FLAGS (\Flagged))"]
    # Told again though nothing changed.
    assert c.ok(r"STORE 1 +FLAGS (\Flagged)") == \
        [rb"* 1 FETCH (FLAGS (\Flagged))"]
    assert c.ok(r"STORE 1 -FLAGS (\Flagged)") == [b"* 1 FETCH (FLAGS ())"]
    assert c.ok(r"STORE 1:2 +FLAGS.SILENT (\Seen)") == []
    assert c.ok(r"UID STORE 3 +FLAGS \Answered") == \
        [rb"* 3 FETCH (UID 3 FLAGS (\Answered))"]
    assert c.ok(r"UID STORE 77 +FLAGS \Answered") == []
    got = c.ok(r"STORE 1 +FLAGS ($Label1 NonJunk)")
    assert got[0].startswith(b"* FLAGS (") and b"$Label1 NonJunk" in got[0]
    assert got[-1] == rb"* 1 FETCH (FLAGS (\Seen $Label1 NonJunk))"
    assert c.ok("SEARCH KEYWORD nonjunk") == [b"* SEARCH 1"]
    assert c.ok("STORE 1 FLAGS ()") == [b"* 1 FETCH (FLAGS ())"]


def test_expunge(inbox):
    inbox.ok(r"STORE 1,3 +FLAGS.SILENT (\Deleted)")
    assert inbox.ok("UID EXPUNGE 1:2") == [b"* 1 EXPUNGE"]
    assert inbox.ok("EXPUNGE") == [b"* 2 EXPUNGE"]
    assert inbox.ok("EXPUNGE") == []
    assert inbox.uids() == [2]


def test_close_expunges_and_unselect_does_not(inbox):
    inbox.ok(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    assert inbox.ok("UNSELECT") == []
    assert b"MESSAGES 3" in inbox.ok("STATUS INBOX (MESSAGES)")[0]
    inbox.ok("SELECT INBOX")
    assert inbox.ok("CLOSE") == []
    assert b"MESSAGES 2" in inbox.ok("STATUS INBOX (MESSAGES)")[0]


def test_copy(inbox):
    inbox.ok(r"STORE 2 +FLAGS.SILENT (\Flagged kw)")
    code = inbox.code("COPY 2:3 Drafts")
    assert re.fullmatch(r"COPYUID \d+ 2:3 1:2", code)
    inbox.no("COPY 1 nowhere", "TRYCREATE")
    assert inbox.ok("UID COPY 99 Drafts") == []
    untagged, tagged = inbox.run("COPY 1 INBOX")
    assert b"* 4 EXISTS" in untagged and b"[COPYUID " in tagged
    inbox.ok("SELECT Drafts")
    got = inbox.ok("FETCH 1 FLAGS")[0]
    assert b"\\Flagged" in got and b" kw" in got


def test_move(inbox):
    untagged, tagged = inbox.run("MOVE 1,3 Archive")
    assert re.fullmatch(rb"\* OK \[COPYUID \d+ 1,3 1:2\] .*", untagged[0])
    assert untagged[1:3] == [b"* 1 EXPUNGE", b"* 2 EXPUNGE"]
    assert tagged.startswith(b"OK ")
    inbox.no("MOVE 1 nowhere", "TRYCREATE")
    inbox.ok("UID MOVE 2 Archive")
    assert inbox.uids() == []
    inbox.ok("SELECT Archive")
    assert inbox.uids() == [1, 2, 3]


# --- SEARCH ---------------------------------------------------------------------------------

@pytest.fixture
def searched(account):
    with Imap.sign_in(account) as c:
        c.append(MESSAGE, flags=r"\Seen", date="01-Feb-1994 10:00:00 +0000")
        c.append("Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\n"
                 "From: other@example.net\r\n"
                 "Content-Type: text/plain; charset=utf-8\r\n\r\n"
                 "Straße und Käse\r\n".encode(),
                 flags=r"\Flagged kw", date="02-Mar-2020 10:00:00 +0000")
        c.append(b"Subject: big\r\nX-Empty:\r\n"
                 b"Date: Tue, 3 Mar 2020 23:59:00 -0800\r\n\r\n" +
                 b"filler\r\n" * 5000 + b"needle\r\n")
        c.append(MULTIPART)
        c.ok("SELECT INBOX")
        yield c


SEARCHES = [
    ("ALL", "1 2 3 4"), ("SEEN", "1"), ("UNSEEN", "2 3 4"),
    ("FLAGGED", "2"), ("KEYWORD kw", "2"), ("UNKEYWORD kw", "1 3 4"),
    ("NOT SEEN NOT FLAGGED", "3 4"), ("OR SEEN FLAGGED", "1 2"),
    ("OR TEXT needle FLAGGED", "2 3"), ("OR FLAGGED FROM ann", "1 2"),
    ("SUBJECT hello", "1"), ("SUBJECT \"grüße\"", "2"), ("FROM ann", "1"),
    ("FROM \"jörg\"", "4"), ("TO bob", "1"), ("BODY needle", "3"),
    ("BODY subject", ""), ("TEXT subject", "1 2 3 4"),
    ("BODY \"käse\"", "2"), ("BODY STRASSE", ""), ("TEXT Hello", "1 4"),
    ("BODY \"inner text\"", "4"), ("HEADER X-Empty \"\"", "3"),
    ("HEADER Message-ID <1@", "1"), ("HEADER X-None \"\"", ""),
    ("LARGER 1000", "3"), ("SMALLER 1000", "1 2 4"),
    ("BEFORE 1-Jan-2000", "1"), ("ON 2-Mar-2020", "2"),
    ("SINCE 2-Mar-2020", "2 3 4"), ("SENTON 3-Mar-2020", "3"),
    ("SENTBEFORE 8-Feb-1994", "1"), ("SENTSINCE 1-Jan-2021", "4"),
    ("UID 2:3", "2 3"), ("2:3", "2 3"), ("*", "4"), ("1,4 UNSEEN", "4"),
    ("YOUNGER 3600", "3 4"), ("OLDER 3600", "1 2"),
    ("(OR (SEEN) (FLAGGED)) UNDELETED", "1 2"), ("NEW", ""),
    ("RECENT", ""), ("OLD", "1 2 3 4"), ("MODSEQ 1", None),
    ("CHARSET UTF-8 SUBJECT \"grüße\"", "2"),
]


def test_searches(searched):
    c = searched
    # \Recent belongs to whoever came first: this is the second look.
    c.ok("SELECT INBOX")
    for program, want in SEARCHES:
        # The first MODSEQ enables CONDSTORE, which is told as well.
        got = c.ok(f"SEARCH {program}")[-1]
        if want is None:
            assert re.fullmatch(rb"\* SEARCH 1 2 3 4 \(MODSEQ \d+\)", got)
        else:
            assert got == (f"* SEARCH {want}".rstrip()).encode(), program
    assert c.ok(["SEARCH CHARSET UTF-8 SUBJECT ", "Grüße".encode()]) == \
        [b"* SEARCH 2"]
    c.no("SEARCH CHARSET KOI8-R ALL", "BADCHARSET")


def test_extended_search(searched):
    c = searched
    tag = c.start("SEARCH RETURN (MIN MAX COUNT ALL) UNSEEN")
    assert c.until(tag)[0] == [
        f'* ESEARCH (TAG "{tag}") MIN 2 MAX 4 ALL 2:4 COUNT 3'.encode()]
    tag = c.start("UID SEARCH RETURN () SEEN")
    assert c.until(tag)[0] == [
        f'* ESEARCH (TAG "{tag}") UID ALL 1'.encode()]
    tag = c.start("SEARCH RETURN (MIN COUNT) DELETED")
    assert c.until(tag)[0] == [f'* ESEARCH (TAG "{tag}") COUNT 0'.encode()]
    c.ok(r"STORE 1 +FLAGS.SILENT (\Answered)")
    c.ok(r"STORE 3 +FLAGS.SILENT (\Answered)")
    low = int(re.search(rb"MODSEQ \((\d+)\)",
                        c.ok("FETCH 1 MODSEQ")[-1])[1])
    high = int(re.search(rb"MODSEQ \((\d+)\)",
                         c.ok("FETCH 3 MODSEQ")[-1])[1])
    for returned, want in (("MIN", low), ("MAX", high), ("ALL", high)):
        got = c.ok(f"SEARCH RETURN ({returned}) MODSEQ {low}")[0]
        assert got.endswith(b" MODSEQ %d" % want), returned


def test_saved_search(searched):
    c = searched
    assert c.ok("SEARCH RETURN (SAVE) UNSEEN") == []
    assert len(c.ok("FETCH $ UID")) == 3
    assert c.ok("SEARCH $ FLAGGED") == [b"* SEARCH 2"]
    c.ok("SEARCH RETURN (SAVE MIN MAX) ALL")
    assert c.ok("SEARCH $") == [b"* SEARCH 1 4"]
    c.ok("MOVE $ Archive", None)
    assert c.ok("SEARCH $") == [b"* SEARCH"]
    c.ok("SEARCH RETURN (SAVE) ALL")
    c.no("SEARCH RETURN (SAVE) CHARSET X ALL", "BADCHARSET")
    assert len(c.ok("UID FETCH $ UID")) == 2


# --- quota ------------------------------------------------------------------------------------

def test_no_quota_is_no_quota_root(c):
    assert c.ok("GETQUOTAROOT INBOX") == [b"* QUOTAROOT INBOX"]
    c.no('GETQUOTA ""', "NONEXISTENT")
    c.no('SETQUOTA "" (STORAGE 5)', "NOPERM")
    caps = c.ok("CAPABILITY")[0].split()
    assert {b"QUOTA", b"QUOTA=RES-STORAGE", b"QUOTA=RES-MESSAGE"} <= set(caps)
    assert b"QUOTASET" not in caps


def test_status_tells_what_an_expunge_frees(inbox):
    ask = "STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)"
    assert inbox.ok(ask) == [
        b"* STATUS INBOX (MESSAGES 3 DELETED 0 DELETED-STORAGE 0)"]
    inbox.ok(r"STORE 1,3 +FLAGS.SILENT (\Deleted)")
    size = 0
    for line in inbox.ok("FETCH 1,3 RFC822.SIZE"):
        size += int(re.search(rb"RFC822.SIZE (\d+)", line)[1])
    want = b"* STATUS INBOX (DELETED 2 DELETED-STORAGE %d)" % size
    assert inbox.ok("STATUS INBOX (DELETED DELETED-STORAGE)") == [want]
    assert want in inbox.ok('LIST "" INBOX RETURN (STATUS (DELETED '
                            'DELETED-STORAGE))')
    inbox.ok("EXPUNGE")
    assert inbox.ok(ask) == [
        b"* STATUS INBOX (MESSAGES 1 DELETED 0 DELETED-STORAGE 0)"]


def test_quota(server):
    account = server.new_account()
    server.cli("user", "quota", str(account), "100K",
               "--messages", "3")
    with Imap.sign_in(account) as c:
        c.append(MESSAGE)
        assert c.ok("GETQUOTAROOT INBOX") == lines(
            '* QUOTAROOT INBOX ""', '* QUOTA "" (STORAGE 1 100 MESSAGE 1 3)')
        assert c.ok('GETQUOTA ""') == \
            [b'* QUOTA "" (STORAGE 1 100 MESSAGE 1 3)']
        c.no('GETQUOTA "x"', "NONEXISTENT")
        c.no("GETQUOTAROOT nowhere", "NONEXISTENT")
        c.no('SETQUOTA "" (STORAGE 5)', "NOPERM")
        c.no(["APPEND INBOX ", b"x" * 200000], "OVERQUOTA")
        c.append(MESSAGE)
        c.append(MESSAGE)
        c.no(["APPEND INBOX ", MESSAGE], "OVERQUOTA")
        c.ok("SELECT INBOX")
        c.no("COPY 1 Drafts", "OVERQUOTA")
        c.ok("MOVE 1 Drafts")
