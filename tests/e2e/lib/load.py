# SPDX-License-Identifier: ISC
"""Load on a server that is being killed, and a record of what it promised.

    load = Load(server, seed)
    load.start()
    ...                       kill what you like
    load.pause(); load.verify(); load.resume()
    load.stop(); load.verify()

Senders bring messages in by SMTP, LMTP and submission. Actors change mailboxes
of their own by IMAP. Watchers look at mailboxes of others. Each writes down
what was acknowledged to it; what was under way when a connection broke may have
happened or not, but not by half. A worker that sees a promise broken puts it
into load.failures.
"""
import base64
import contextlib
import hashlib
import random
import re
import socket
import ssl
import threading
import time

from lib.instance import PASSWORD, PATIENCE_S
from lib.testdata import original_of

TIMEOUT_S = PATIENCE_S
ID_FIELD = b"X-Load-Id: "
# Whoever signs in to submission: the From field has to be theirs.
SENDER = "r0@test.example"


class Gone(Exception):
    """The connection broke, or the server said that it cannot do this now."""


class Broken(Exception):
    """The server did what it must not do."""


def expect(condition, what):
    if not condition:
        raise Broken(what)


# --- messages ----------------------------------------------------------------


def make_message(ident):
    """The message of that name; the same bytes each time."""
    seed = hashlib.sha256(ident.encode()).digest()
    rnd = random.Random(seed)
    size = rnd.choice((200, 1000, 1000, 4000, 4000, 10000, 70000))
    lines = []
    while size > 0:
        # Some lines begin with a dot, some are empty.
        n = rnd.choice((0, 40, 60, 76))
        line = rnd.choice(("", "", "", ".")) + "%x" % rnd.getrandbits(304)
        lines.append(line[:n])
        size -= n + 2
    head = (f"From: Load <{SENDER}>\r\nX-Load-Id: {ident}\r\n"
            "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
            f"Message-ID: <{ident}@elsewhere.example>\r\n"
            f"Subject: load {ident}\r\n\r\n")
    return (head + "\r\n".join(lines) + "\r\n").encode()


def ident_of(data):
    m = re.search(rb"(?mi)^X-Load-Id: (\S+)\r$", data)
    expect(m, f"a message without a name: {data[:300]!r}")
    return m.group(1).decode()


# --- connections -------------------------------------------------------------


class Wire:
    """Lines and counted bytes; every trouble of the network is Gone."""

    def __init__(self, server, service):
        self.held = b""
        try:
            if service == "lmtp":
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.settimeout(TIMEOUT_S)
                self.sock.connect(server.lmtp)
            else:
                self.sock = server.connect(service, TIMEOUT_S)
        except OSError as e:
            raise Gone(f"connect: {e}") from e

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.close()

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise Gone(f"send: {e}") from e

    def fill(self):
        try:
            more = self.sock.recv(262144)
        except (TimeoutError, socket.timeout) as e:
            raise Broken(f"no answer in {TIMEOUT_S} s, have "
                         f"{self.held[-200:]!r}") from e
        except (OSError, ssl.SSLError) as e:
            raise Gone(f"receive: {e}") from e
        if not more:
            raise Gone("closed")
        self.held += more

    def line(self):
        while b"\r\n" not in self.held:
            self.fill()
        line, self.held = self.held.split(b"\r\n", 1)
        return line

    def read(self, n):
        while len(self.held) < n:
            self.fill()
        data, self.held = self.held[:n], self.held[n:]
        return data


class Smtp(Wire):
    def __init__(self, server, service, login=None):
        super().__init__(server, service)
        try:
            self.need(2, self.reply())
            self.need(2, self.ask("LHLO load" if service == "lmtp"
                                  else "EHLO load.example"))
            if login:
                self.sign_in(login)
        except BaseException:
            self.close()
            raise

    def reply(self):
        while True:
            line = self.line()
            expect(re.match(rb"\d\d\d[ -]", line), f"not a reply: {line!r}")
            if line[3:4] == b" ":
                return line.decode()

    def ask(self, line):
        self.send(line.encode() + b"\r\n")
        return self.reply()

    @staticmethod
    def need(digit, reply):
        """A temporary refusal is Gone; a permanent one is a broken promise:
        nothing that is asked here is wrong."""
        if reply[0] == "4":
            raise Gone(reply)
        expect(reply[0] == str(digit), f"expected {digit}xx: {reply}")
        return reply

    def sign_in(self, login):
        plain = f"\0{login}\0{PASSWORD}".encode()
        self.need(2, self.ask(
            "AUTH PLAIN " + base64.b64encode(plain).decode()))


class Imap(Wire):
    """The few commands that the load needs. A response is a list: the line,
    a literal, the line behind it, and so on."""

    def __init__(self, server, login, service="imap"):
        super().__init__(server, service)
        self.tag = 0
        try:
            greeting = self.line()
            if not greeting.startswith(b"* OK"):
                raise Gone(greeting.decode())
            self.ok(f'LOGIN {login} "{PASSWORD}"')
        except BaseException:
            self.close()
            raise

    def response(self):
        parts = [self.line()]
        while m := re.search(rb"\{(\d+)\}$", parts[-1]):
            parts.append(self.read(int(m.group(1))))
            parts.append(self.line())
        return parts

    def command(self, *parts):
        """(status, text, untagged). Text is str, a literal is bytes."""
        self.tag += 1
        tag = b"t%d" % self.tag
        out = tag + b" "
        for p in parts:
            if isinstance(p, bytes):
                out += b"{%d+}\r\n" % len(p) + p
            else:
                out += p.encode()
        self.send(out + b"\r\n")
        untagged = []
        while True:
            r = self.response()
            if r[0].startswith(tag + b" "):
                status, _, text = r[0][len(tag) + 1:].decode().partition(" ")
                return status, text, untagged
            if r[0].startswith(b"* BYE"):
                raise Gone(r[0].decode())
            untagged.append(r)

    def ok(self, *parts):
        """(text, untagged) of a command that must not be refused for good."""
        status, text, untagged = self.command(*parts)
        shown = "".join(p for p in parts if isinstance(p, str))
        if status == "NO":
            expect("[UNAVAILABLE]" in text or "[INUSE]" in text or
                   "[SERVERBUG]" in text, f"{shown}: NO {text}")
            raise Gone(f"{shown}: {text}")
        expect(status == "OK", f"{shown}: {status} {text}")
        return text, untagged


def fetched(untagged):
    """{uid: {"flags", "modseq", "body"}} of FETCH responses."""
    out = {}
    for r in untagged:
        if not re.match(rb"\* \d+ FETCH ", r[0]):
            continue
        text = b"".join(r[0::2])
        uid = re.search(rb"UID (\d+)", text)
        if not uid:
            continue
        entry = out.setdefault(int(uid.group(1)), {})
        if m := re.search(rb"FLAGS \(([^)]*)\)", text):
            entry["flags"] = frozenset(
                f for f in m.group(1).decode().split() if f != "\\Recent")
        if m := re.search(rb"MODSEQ \((\d+)\)", text):
            entry["modseq"] = int(m.group(1))
        if len(r) > 1:
            entry["body"] = r[1]
    return out


def number(untagged, name):
    for r in untagged:
        if m := re.search(name.encode() + rb" (\d+)", r[0]):
            return int(m.group(1))
    raise Broken(f"no {name} in {untagged!r}")


def uid_set(text):
    out = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        out += range(int(first), int(last or first) + 1)
    return out


# --- what clients have seen ---------------------------------------------------


class Seen:
    """What any client was shown of a mailbox, and what follows from it: no UID
    comes to stand for something else, and counters never go back.

    Values are compared with those that were known when the question was asked;
    so threads need not agree about an order."""

    def __init__(self):
        self.lock = threading.Lock()
        self.boxes = {}

    def box(self, key):
        return self.boxes.setdefault(key, {
            "uidvalidity": None, "uidnext": 1, "highestmodseq": 0,
            "uids": {}, "modseqs": {}})

    def floor(self, key):
        with self.lock:
            b = self.box(key)
            return b["uidnext"], b["highestmodseq"]

    def counters(self, key, floor, values):
        with self.lock:
            b = self.box(key)
            for name, least in zip(("uidnext", "highestmodseq"), floor):
                v = values.get(name)
                if v is None:
                    continue
                expect(v >= least, f"{key}: {name} went back: {v} < {least}")
                b[name] = max(b[name], v)
            v = values.get("uidvalidity")
            if v is not None:
                expect(b["uidvalidity"] in (None, v),
                       f"{key}: UIDVALIDITY {b['uidvalidity']} became {v}")
                b["uidvalidity"] = v

    def message(self, key, uid, ident=None, modseq=None):
        with self.lock:
            b = self.box(key)
            b["uidnext"] = max(b["uidnext"], uid + 1)
            if ident:
                had = b["uids"].setdefault(uid, ident)
                expect(had == ident, f"{key}: UID {uid} was {had}, "
                       f"is {ident}")
            if modseq:
                b["highestmodseq"] = max(b["highestmodseq"], modseq)

    def idents(self, key):
        with self.lock:
            return dict(self.box(key)["uids"])


def look(imap, seen, key, name, verb="EXAMINE"):
    """Open a mailbox; check its counters."""
    floor = seen.floor(key)
    text, untagged = imap.ok(f"{verb} {name} (CONDSTORE)")
    seen.counters(key, floor, {
        "uidvalidity": number(untagged, "UIDVALIDITY"),
        "uidnext": number(untagged, "UIDNEXT"),
        "highestmodseq": number(untagged, "HIGHESTMODSEQ")})
    return number_of_exists(untagged)


def number_of_exists(untagged):
    for r in reversed(untagged):
        if m := re.match(rb"\* (\d+) EXISTS", r[0]):
            return int(m.group(1))
    return None


def read_mailbox(imap, seen, key, name, first_uid=1, verb="EXAMINE"):
    """{uid: (ident, flags)} of the whole mailbox, each byte compared."""
    count = look(imap, seen, key, name, verb)
    if not count:
        return {}
    _, untagged = imap.ok(f"UID FETCH {first_uid}:* "
                          "(UID FLAGS MODSEQ BODY.PEEK[])")
    out = {}
    for uid, entry in fetched(untagged).items():
        if uid < first_uid or "body" not in entry:
            continue
        ident = ident_of(entry["body"])
        body = entry["body"]
        if body.startswith(b"Return-Path:"):
            body = original_of(body)
        expect(body == make_message(ident),
               f"{key}: UID {uid} ({ident}) is not what was sent")
        seen.message(key, uid, ident, entry["modseq"])
        out[uid] = (ident, entry["flags"])
    if first_uid == 1:
        expect(len(out) == count,
               f"{key}: {count} EXISTS, {len(out)} fetched")
    return out


# --- workers ---------------------------------------------------------------------


class Worker(threading.Thread):
    """Does one turn after the other; stands still while the load is paused."""

    def __init__(self, load, name):
        super().__init__(name=name, daemon=True)
        self.load = load
        self.server = load.server
        self.rnd = random.Random(f"{load.seed}/{name}")
        self.conn = None
        self.turns = 0
        self.lost = 0  # connections

    def run(self):
        try:
            while self.load.may_go_on(self):
                self.guarded_turn()
        except Exception as e:  # pylint: disable=broad-except
            self.load.fail(f"{self.name}: {type(e).__name__}: {e}")
        finally:
            self.load.left(self)
            self.drop()

    def guarded_turn(self):
        try:
            if self.conn is None:
                self.conn = self.open()
            self.turn()
            self.turns += 1
        except Gone:
            self.lost += 1
            self.drop()
            time.sleep(0.02)

    def drop(self):
        if self.conn:
            self.conn.close()
        self.conn = None

    def open(self):
        raise NotImplementedError

    def turn(self):
        raise NotImplementedError


class Sender(Worker):
    """Messages with one to three recipients."""

    def __init__(self, load, n, service):
        super().__init__(load, f"{service}{n}")
        self.service = service
        self.is_lmtp = service == "lmtp"
        self.login = load.logins[0] if service == "submissions" else None
        self.count = 0

    def open(self):
        return Smtp(self.server, self.service, self.login)

    def turn(self):
        self.count += 1
        ident = f"s{self.load.seed}-{self.name}-{self.count}"
        rcpts = self.rnd.sample(self.load.logins, self.rnd.randint(1, 3))
        sender = self.login or "load@elsewhere.example"
        c = self.conn
        c.send("".join([f"MAIL FROM:<{sender}>\r\n"] +
                       [f"RCPT TO:<{r}>\r\n" for r in rcpts] +
                       ["DATA\r\n"]).encode())
        c.need(2, c.reply())
        accepted = [r for r in rcpts if self.is_good(c.reply())]
        data = c.reply()
        if not accepted:
            expect(data[0] in "45", f"DATA without recipients: {data}")
            c.need(2, c.ask("RSET"))
            raise Gone("no recipients")
        c.need(3, data)
        self.send_body(ident, accepted)
        time.sleep(self.rnd.random() * self.load.think_s)

    @staticmethod
    def is_good(reply):
        expect(reply[0] in "24", f"RCPT: {reply}")
        return reply[0] == "2"

    def send_body(self, ident, rcpts):
        record = self.load.ledger.sent(ident, rcpts, self.is_lmtp)
        body = make_message(ident)
        body = re.sub(rb"(?m)^\.", b"..", body)
        # In two pieces, so that a kill meets a message that is half there.
        cut = self.rnd.randint(0, len(body))
        self.conn.send(body[:cut])
        self.conn.send(body[cut:] + b".\r\n")
        if not self.is_lmtp:
            self.conn.need(2, self.conn.reply())
            record["acked"] |= set(rcpts)
            return
        for r in rcpts:
            reply = self.conn.reply()
            expect(reply[0] in "24", f"LMTP: {reply}")
            if reply[0] == "2":
                record["acked"].add(r)


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.records = {}

    def sent(self, ident, rcpts, is_lmtp):
        r = {"rcpts": rcpts, "acked": set(), "is_lmtp": is_lmtp}
        with self.lock:
            self.records[ident] = r
        return r

    def count_acked(self):
        return sum(1 for r in self.records.values() if r["acked"])

    def compare(self, copies):
        """copies: {login: {ident: count}}."""
        wrong = []
        for login, idents in copies.items():
            for ident in idents:
                r = self.records.get(ident)
                if r is None or login not in r["rcpts"]:
                    wrong.append(f"{ident} lies with {login}, nobody sent it")
        for ident, r in self.records.items():
            n = {x: copies[x].get(ident, 0) for x in r["rcpts"]}
            if any(n[x] != 1 for x in r["acked"]):
                wrong.append(f"{ident} was accepted, copies: {n}")
            elif max(n.values()) > 1:
                wrong.append(f"{ident} is there twice: {n}")
            elif not r["is_lmtp"] and len(set(n.values())) > 1:
                wrong.append(f"{ident} is there by half: {n}")
        expect(not wrong, f"{len(wrong)} wrong: " + "; ".join(wrong[:5]))


class Actor(Worker):
    """Changes two mailboxes that nobody else changes, one after the other.

    model: {mailbox: {uid: (ident, flags)}}. While a command is under way,
    self.under_way can tell whether a state that is found later is one that
    this command may have left."""

    BOXES = ("Work", "Other")
    FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "$LoadOne", "$LoadTwo")
    FULL = 30

    def __init__(self, load, n, login):
        super().__init__(load, f"imap{n}")
        self.login = login
        self.model = {b: {} for b in self.BOXES}
        self.under_way = None
        self.selected = None
        self.count = 0
        self.has_boxes = False

    def key(self, box):
        return self.login, box

    def open(self):
        c = Imap(self.server, self.login)
        self.selected = None
        if not self.has_boxes:
            for b in self.BOXES:
                status, text, _ = c.command(f"CREATE {b}")
                if status == "NO" and "[ALREADYEXISTS]" not in text:
                    raise Gone(text)
            self.has_boxes = True
        self.compare(c)
        return c

    def actual(self, c):
        return {b: read_mailbox(c, self.load.seen, self.key(b), b)
                for b in self.BOXES}

    def compare(self, c):
        """What is there is what was acknowledged, or what the command under
        way may have made of it."""
        actual = self.actual(c)
        if actual != self.model:
            is_legal = self.under_way
            what = is_legal.__doc__ if is_legal else "nothing under way"
            expect(is_legal and is_legal(self.model, actual),
                   f"{self.login}: {what}: expected "
                   f"{difference(self.model, actual)}")
        self.model = actual
        self.under_way = None

    def select(self, box):
        if self.selected != box:
            self.selected = None
            look(self.conn, self.load.seen, self.key(box), box, "SELECT")
            self.selected = box

    def turn(self):
        box = self.rnd.choice(self.BOXES)
        n = len(self.model[box])
        if n > self.FULL:
            acts = (self.expunge, self.move)
        elif n < 3:
            acts = (self.append, self.append, self.copy)
        else:
            acts = (self.append, self.store, self.store, self.copy,
                    self.move, self.expunge, self.multiappend)
        self.rnd.choice(acts)(box)
        self.under_way = None
        if self.turns % 20 == 19:
            self.compare(self.conn)
            self.selected = None
        time.sleep(self.rnd.random() * self.load.think_s)

    def pick(self, box):
        uids = sorted(self.model[box])
        return sorted(self.rnd.sample(uids, self.rnd.randint(
            1, min(4, len(uids)))))

    def note_fetches(self, box, untagged):
        for uid, entry in fetched(untagged).items():
            if "modseq" in entry:
                self.load.seen.message(self.key(box), uid, None,
                                       entry["modseq"])

    # --- commands: what they may leave, what they answer -----------------

    def append(self, box, n=1):
        idents = []
        for _ in range(n):
            self.count += 1
            idents.append(f"i{self.load.seed}-{self.name}-{self.count}")
        flags = frozenset(self.rnd.sample(self.FLAGS, 1))

        def legal(model, actual):
            """APPEND: all of it or nothing"""
            return is_with(model, actual, box, [(i, flags) for i in idents])
        parts = [f"APPEND {box}"]
        for i in idents:
            parts += [f" ({' '.join(flags)}) ", make_message(i)]
        floor = self.load.seen.floor(self.key(box))
        self.under_way = legal
        text, _ = self.conn.ok(*parts)
        m = re.search(r"\[APPENDUID (\d+) ([\d:,]+)\]", text)
        expect(m, f"APPEND without UIDs: {text}")
        self.load.seen.counters(self.key(box), floor,
                                {"uidvalidity": int(m.group(1))})
        self.arrive(box, floor, uid_set(m.group(2)),
                    [(i, flags) for i in idents])

    def multiappend(self, box):
        self.append(box, 2)

    def arrive(self, box, floor, uids, messages):
        expect(len(uids) == len(messages), f"{uids} for {messages}")
        for uid, (ident, flags) in zip(uids, messages):
            expect(uid >= floor[0], f"{self.key(box)}: new UID {uid}, but "
                   f"UIDNEXT was {floor[0]}")
            self.load.seen.message(self.key(box), uid, ident)
            self.model[box][uid] = (ident, flags)

    def store(self, box):
        self.select(box)
        uids = self.pick(box)
        flag = self.rnd.choice(self.FLAGS)
        sign = self.rnd.choice(("+", "-", ""))
        change = {"+": lambda f: f | {flag}, "-": lambda f: f - {flag},
                  "": lambda f: frozenset((flag,))}[sign]
        after = {u: (self.model[box][u][0], change(self.model[box][u][1]))
                 for u in uids}

        def legal(model, actual):
            """STORE: each message has the old or the new flags"""
            return is_changed(model, actual, box, after)
        self.under_way = legal
        _, untagged = self.conn.ok(
            f"UID STORE {','.join(map(str, uids))} {sign}FLAGS ({flag})")
        for uid, entry in fetched(untagged).items():
            if uid in after and "flags" in entry:
                expect(entry["flags"] == after[uid][1],
                       f"STORE answered {entry} for {after[uid]}")
        self.note_fetches(box, untagged)
        self.model[box].update(after)

    def copy(self, box):
        other = self.other(box)
        if not self.model[box] or len(self.model[other]) > self.FULL:
            return
        self.select(box)
        uids = self.pick(box)
        messages = [self.model[box][u] for u in uids]

        def legal(model, actual):
            """COPY: all of it or nothing"""
            return is_with(model, actual, other, messages)
        floor = self.load.seen.floor(self.key(other))
        self.under_way = legal
        text, _ = self.conn.ok(
            f"UID COPY {','.join(map(str, uids))} {other}")
        m = re.search(r"\[COPYUID (\d+) ([\d:,]+) ([\d:,]+)\]", text)
        expect(m and uid_set(m.group(2)) == uids, f"COPY: {text}")
        self.arrive(other, floor, uid_set(m.group(3)), messages)

    def other(self, box):
        return self.BOXES[1 - self.BOXES.index(box)]

    def move(self, box):
        other = self.other(box)
        self.select(box)
        uids = self.pick(box)
        messages = [self.model[box][u] for u in uids]

        def legal(model, actual):
            """MOVE: each message is here or there"""
            return is_moved(model, actual, box, other, uids)
        floor = self.load.seen.floor(self.key(other))
        self.under_way = legal
        _, untagged = self.conn.ok(
            f"UID MOVE {','.join(map(str, uids))} {other}")
        m = None
        for r in untagged:
            m = m or re.search(rb"\[COPYUID (\d+) ([\d:,]+) ([\d:,]+)\]",
                               r[0])
        expect(m and uid_set(m.group(2).decode()) == uids,
               f"MOVE: {untagged!r}")
        for u in uids:
            del self.model[box][u]
        self.arrive(other, floor, uid_set(m.group(3).decode()), messages)

    def expunge(self, box):
        self.select(box)
        uids = self.pick(box)
        text = ",".join(map(str, uids))
        after = {u: (self.model[box][u][0],
                     self.model[box][u][1] | {"\\Deleted"}) for u in uids}

        def legal_mark(model, actual):
            """STORE: each message has the old or the new flags"""
            return is_changed(model, actual, box, after)

        def legal_expunge(model, actual):
            """EXPUNGE: each message is there or gone"""
            return is_without(model, actual, box, uids)
        self.under_way = legal_mark
        self.conn.ok(f"UID STORE {text} +FLAGS.SILENT (\\Deleted)")
        self.model[box].update(after)
        self.under_way = legal_expunge
        self.conn.ok(f"UID EXPUNGE {text}")
        for u in uids:
            del self.model[box][u]


def difference(model, actual):
    out = []
    for box in model:
        for uid in sorted(set(model[box]) | set(actual[box])):
            a, b = model[box].get(uid), actual[box].get(uid)
            if a != b:
                out.append(f"{box} {uid}: {a}, found {b}")
    return "; ".join(out[:6])


def is_rest_equal(model, actual, *boxes):
    return all(model[b] == actual[b] for b in model if b not in boxes)


def new_uids(model, actual, box):
    return [u for u in sorted(actual[box]) if u not in model[box]]


def is_with(model, actual, box, messages):
    fresh = new_uids(model, actual, box)
    return (is_rest_equal(model, actual, box) and
            {u: actual[box][u] for u in model[box] if u in actual[box]} ==
            model[box] and
            [actual[box][u] for u in fresh] in ([], messages))


def is_changed(model, actual, box, after):
    return (is_rest_equal(model, actual, box) and
            set(model[box]) == set(actual[box]) and
            all(v == model[box][u] or v == after.get(u)
                for u, v in actual[box].items()))


def is_without(model, actual, box, uids):
    return (is_rest_equal(model, actual, box) and
            all(model[box].get(u) == v for u, v in actual[box].items()) and
            set(model[box]) - set(actual[box]) <= set(uids))


def is_moved(model, actual, box, other, uids):
    gone = [u for u in uids if u not in actual[box]]
    left = {u: v for u, v in model[box].items() if u not in gone}
    kept = {u: v for u, v in actual[other].items() if u in model[other]}
    fresh = [actual[other][u] for u in new_uids(model, actual, other)]
    return (actual[box] == left and kept == model[other] and
            fresh == [model[box][u] for u in gone])


class Watcher(Worker):
    """Sits in the INBOX of a recipient and looks at what arrives: what it has
    been shown must never go away again."""

    def __init__(self, load, n, login):
        super().__init__(load, f"watch{n}")
        self.login = login
        self.key = (login, "INBOX")

    def open(self):
        c = Imap(self.server, self.login, self.rnd.choice(("imap", "imaps")))
        look(c, self.load.seen, self.key, "INBOX")
        return c

    def turn(self):
        seen = self.load.seen
        first = seen.floor(self.key)[0]
        self.conn.ok("NOOP")
        _, untagged = self.conn.ok(
            f"UID FETCH {first}:* "
            "(UID MODSEQ BODY.PEEK[HEADER.FIELDS (X-LOAD-ID)])")
        for uid, entry in fetched(untagged).items():
            if "body" in entry:
                seen.message(self.key, uid, ident_of(entry["body"]),
                             entry["modseq"])
        if self.rnd.random() < 0.1:
            self.status()
        time.sleep(self.rnd.random() * self.load.think_s)

    def status(self):
        floor = self.load.seen.floor(self.key)
        _, untagged = self.conn.ok(
            "STATUS INBOX (UIDNEXT UIDVALIDITY HIGHESTMODSEQ)")
        self.load.seen.counters(self.key, floor, {
            "uidnext": number(untagged, "UIDNEXT"),
            "uidvalidity": number(untagged, "UIDVALIDITY"),
            "highestmodseq": number(untagged, "HIGHESTMODSEQ")})


# --- all of it ----------------------------------------------------------------------


class Load:
    def __init__(self, server, seed=1, rcpts=5, senders=3, actors=3,
                 watchers=2, think_s=0.01):
        self.server, self.seed, self.think_s = server, seed, think_s
        self.failures = []
        self.seen = Seen()
        self.ledger = Ledger()
        self.logins = [f"r{i}@{server.domain}" for i in range(rcpts)]
        self.read = {x: {} for x in self.logins}  # uid -> (ident, flags)
        self.cond = threading.Condition()
        self.is_paused = self.is_over = False
        self.standing = set()
        services = ["mx"] * senders + ["lmtp", "submissions"]
        self.workers = [Sender(self, i, s) for i, s in enumerate(services)]
        self.workers += [Actor(self, i, f"a{i}@{server.domain}")
                         for i in range(actors)]
        self.workers += [Watcher(self, i, self.logins[i])
                         for i in range(watchers)]
        for x in self.logins + [w.login for w in self.actors()]:
            server.add_user(x)

    def actors(self):
        return [w for w in self.workers if isinstance(w, Actor)]

    # --- life -------------------------------------------------------------

    def start(self):
        for w in self.workers:
            w.start()
        return self

    def may_go_on(self, worker):
        """Called between turns; waits while the load is paused."""
        with self.cond:
            self.standing.add(worker)
            self.cond.notify_all()
            self.cond.wait_for(lambda: self.is_over or not self.is_paused)
            if not self.is_over:
                self.standing.discard(worker)
            return not self.is_over and not self.failures

    def left(self, worker):
        with self.cond:
            self.standing.add(worker)
            self.cond.notify_all()

    def fail(self, what):
        self.failures.append(what)

    def _settle(self):
        with self.cond:
            assert self.cond.wait_for(
                lambda: len(self.standing) == len(self.workers),
                2 * TIMEOUT_S), "workers do not stand still"

    def pause(self):
        with self.cond:
            self.is_paused = True
        self._settle()
        self.check_failures()

    def resume(self):
        with self.cond:
            self.is_paused = False
            self.cond.notify_all()

    def stop(self):
        with self.cond:
            self.is_over = True
            self.cond.notify_all()
        for w in self.workers:
            w.join(2 * TIMEOUT_S)
            assert not w.is_alive(), f"{w.name} does not end"

    def check_failures(self):
        assert not self.failures, "\n".join(self.failures)

    # --- looking ----------------------------------------------------------

    def verify(self, is_whole=False):
        """Compare all that is there with all that was promised. The load
        must stand still. is_whole: read everything again."""
        self.check_failures()
        for w in self.actors():
            c = Imap(self.server, w.login)
            try:
                w.compare(c)
            finally:
                c.close()
        copies = {}
        for login in self.logins:
            self.read_inbox(login, is_whole)
            copies[login] = count = {}
            for ident, _ in self.read[login].values():
                count[ident] = count.get(ident, 0) + 1
        self.ledger.compare(copies)

    def read_inbox(self, login, is_whole):
        c = Imap(self.server, login)
        key = (login, "INBOX")
        old = self.read[login]
        try:
            first = 1 if is_whole else max(old, default=0) + 1
            fresh = read_mailbox(c, self.seen, key, "INBOX", first)
            count = look(c, self.seen, key, "INBOX")
        finally:
            c.close()
        if is_whole:
            lost = {u: v for u, v in old.items() if fresh.get(u) != v}
            expect(not lost, f"{key}: read before, gone now: {lost}")
        old.update(fresh)
        expect(len(old) == count, f"{key}: {count} EXISTS, {len(old)} known")
        shown = self.seen.idents(key)
        lost = {u: i for u, i in shown.items()
                if u not in old or old[u][0] != i}
        expect(not lost, f"{key}: clients were shown {lost}, now gone")

    def report(self):
        sent = len(self.ledger.records)
        turns = sum(w.turns for w in self.actors())
        lost = sum(w.lost for w in self.workers)
        return (f"{sent} messages, {self.ledger.count_acked()} accepted, "
                f"{turns} IMAP changes, {lost} connections or requests lost")
