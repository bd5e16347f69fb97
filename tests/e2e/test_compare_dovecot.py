# SPDX-License-Identifier: ISC
"""What IMAP says about messages, compared with Dovecot: ENVELOPE, BODY,
BODYSTRUCTURE, sections and SEARCH, over hand-made and public messages.

Each difference that is meant to be there is named here with its reason: a
rule, for what occurs in mail, or the answer itself, for a hand-made message.
Anything else fails, and so does a reason that no message needs any more.
"""
import collections
import email
import email.errors
import email.header
import email.policy
import os
import random
import re

import pytest

from lib import deliberate, oddmail, testdata
from lib.dovecot import Dovecot
from lib.imap import Imap
from lib.pair import DAY, Pair, parts

# Every how many messages of the large corpus; 1 is all of it.
EVERY = int(os.environ.get("MAILSTEAD_COMPARE_EVERY", "20"))
# What fits a command line and, of a large message, our limit of a response.
SECTIONS_AT_ONCE = 24
SECTIONS_OF_LARGE = 4
LARGE = 60000
SHOWN = int(os.environ.get("MAILSTEAD_COMPARE_SHOWN", "25"))


def corpora():
    mail = list(oddmail.ODD)
    if os.path.isdir(testdata.FOLDER):
        mail += testdata.mime4j()
        mail += [(f"spamassassin-{EVERY * (i + 1)}", m) for i, m in enumerate(
            testdata.spamassassin(10**6, EVERY))]
    return mail


@pytest.fixture(scope="module")
def pair(server):
    account = server.new_account()
    dovecot = Dovecot()
    try:
        with Imap.sign_in(account) as ours, dovecot.sign_in() as theirs:
            yield Pair(ours, theirs, corpora())
    finally:
        dovecot.remove()


USED = collections.Counter()  # reasons, in all tests
TITLES = set()


class Verdict:
    """Differences that nothing excuses, and how often each rule was used."""

    def __init__(self):
        self.seen = 0
        self.used = collections.Counter()
        self.bad = []

    def compare(self, name, what, ours, theirs, rule=None):
        """rule() gives the name of a reason, or None."""
        self.seen += 1
        if ours == theirs:
            return
        reason = rule and rule()
        if reason:
            self.used[reason] += 1
            USED.update(reason.split("+"))
            USED.update([f"{name} {what}"] if reason == "pinned" else [])
        else:
            self.bad.append((name, what, ours, theirs))

    def close(self, title):
        TITLES.add(title)
        print(f"{title}: {self.seen} compared, {len(self.bad)} unexplained, "
              f"deliberate: {dict(sorted(self.used.items()))}")
        text = "\n".join(
            f"{name} {what}\n  ours   {shown(a)}\n  theirs {shown(b)}"
            for name, what, a, b in self.bad[:SHOWN])
        assert not self.bad, f"{len(self.bad)} differences\n{text}"


def shown(value):
    text = repr(value)
    return text if len(text) < 1200 else text[:600] + "..." + text[-600:]


# --- whole messages ---------------------------------------------------------

def test_sizes_dates_and_bytes(pair):
    v = Verdict()
    items = ["RFC822.SIZE", "INTERNALDATE", "BODY[]"]
    for uid, a, b in pair.fetch("RFC822.SIZE INTERNALDATE BODY.PEEK[]"):
        data = pair.mail[uid - 1][1]
        for item in items:
            v.compare(pair.name(uid), item, a[item], b[item])
        v.compare(pair.name(uid), "bytes as they went in", a["BODY[]"], data)
        v.compare(pair.name(uid), "size", a["RFC822.SIZE"], len(data))
    v.close("sizes, dates, bytes")


def test_envelope(pair):
    v = Verdict()
    fields = deliberate.ENVELOPE
    for uid, a, b in pair.fetch("ENVELOPE"):
        name = pair.name(uid)
        assert len(a["ENVELOPE"]) == len(fields)
        for field, x, y in zip(fields, a["ENVELOPE"], b["ENVELOPE"]):
            v.compare(name, field, x, y, lambda: deliberate.envelope_rule(
                name, field, x, y, pair.mail[uid - 1][1]))
    v.close("envelopes")


def test_structure(pair):
    v = Verdict()
    for uid, a, b in pair.fetch("BODY BODYSTRUCTURE"):
        name = pair.name(uid)
        for item in ("BODY", "BODYSTRUCTURE"):
            x = deliberate.plain_structure(a[item])
            y = deliberate.plain_structure(b[item])
            v.compare(name, item, x, y, lambda: deliberate.structure_rule(
                name, item, x, y, pair.mail[uid - 1][1]))
    v.close("structures")


# --- sections ---------------------------------------------------------------

FIELDS = ("From", "To Cc Bcc Subject Date Message-ID", "Received",
          "Content-Type MIME-Version", "X-None Subject subject")
PARTIALS = ("<0.1>", "<1.100>", "<50.2000000>", "<7.9>", "<99999999.9>")


def sections_of(structure):
    """All that the structure has, and some that are not there."""
    out = ["HEADER", "TEXT", "99", "1.99", "99.MIME"]
    for section, has_message, _ in parts(structure):
        out += [section, section + ".MIME", section + ".HEADER",
                section + ".TEXT"]
        if has_message:
            out.append(section + ".HEADER.FIELDS (From Subject)")
    return list(dict.fromkeys(out))


def items_of(uid, structure):
    rnd = random.Random(uid)
    sections = sections_of(structure)
    items = [f"BODY.PEEK[{s}]" for s in sections]
    for names in FIELDS:
        items.append(f"BODY.PEEK[HEADER.FIELDS ({names})]")
        items.append(f"BODY.PEEK[HEADER.FIELDS.NOT ({names})]")
    for partial in PARTIALS:
        items.append(f"BODY.PEEK[{rnd.choice(['', 'TEXT', 'HEADER', '1'])}]"
                     + partial)
    items += ["RFC822.HEADER"]
    return list(dict.fromkeys(items))


def test_sections(pair):
    v = Verdict()
    structures = list(pair.fetch("BODYSTRUCTURE"))
    for uid, a, b in structures:
        ours, theirs = (deliberate.plain_structure(x["BODYSTRUCTURE"])
                        for x in (a, b))
        same = not deliberate.differs_in_form(ours, theirs)
        items = items_of(uid, a["BODYSTRUCTURE"])
        n = SECTIONS_OF_LARGE if len(pair.mail[uid - 1][1]) > LARGE \
            else SECTIONS_AT_ONCE
        for i in range(0, len(items), n):
            some = " ".join(items[i:i + n])
            for _, x, y in pair.fetch(some, [uid]):
                assert set(x) == set(y), (pair.name(uid), set(x) ^ set(y))
                for item in x:
                    if not same and re.match(r"BODY\[\d", item):
                        continue
                    v.compare(pair.name(uid), item, x[item], y[item],
                              lambda: deliberate.section_rule(
                                  pair.name(uid), item, x[item], y[item]))
    v.close("sections")


def test_sections_are_as_the_structure_says(pair):
    """Ours alone, of every message: sizes, lines, header and text are all."""
    v = Verdict()
    for uid, a, _ in pair.fetch("BODYSTRUCTURE BODY.PEEK[]"):
        name = pair.name(uid)
        found = list(parts(a["BODYSTRUCTURE"]))
        got = sections_for_sizes(pair, uid, found, len(a["BODY[]"]))
        v.compare(name, "HEADER and TEXT", a["BODY[]"],
                  got["BODY[HEADER]"] + got["BODY[TEXT]"])
        for section, has_message, inner in found:
            if isinstance(inner[0], list):
                continue
            data = got[f"BODY[{section}]"]
            v.compare(name, section + " size", inner[6], len(data))
            if has_message:
                v.compare(name, section + " halves", data,
                          got[f"BODY[{section}.HEADER]"] +
                          got[f"BODY[{section}.TEXT]"])
            if has_message or inner[0].lower() == b"text":
                v.compare(name, section + " lines",
                          inner[9 if has_message else 7],
                          data.count(b"\n") + (data[-1:] not in b"\n"))
    v.close("sections and structure")


def sections_for_sizes(pair, uid, found, size):
    items = ["BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]"] + [
        f"BODY.PEEK[{section}{kind}]" for section, has_message, _ in found
        for kind in (("", ".HEADER", ".TEXT") if has_message else ("",))]
    n = SECTIONS_OF_LARGE if size > LARGE else SECTIONS_AT_ONCE
    got = {}
    for i in range(0, len(items), n):
        got.update(pair.fetch_ours(" ".join(items[i:i + n]), uid))
    return got


# --- SEARCH -----------------------------------------------------------------

WORDS = 20  # of each kind


def word_lists(mail):
    """Words of the mail by key: the same ones each time."""
    rnd = random.Random(1)
    found = collections.defaultdict(set)
    for _, data in mail:
        m = email.message_from_bytes(data)
        for key in ("From", "To", "Cc", "Subject"):
            value = str(m.get(key) or "")
            found[key.upper()].update(re.findall(r"[\w.@'!-]{3,20}", value,
                                                 re.ASCII))
        head, _, body = data.partition(b"\r\n\r\n")
        text = body[:20000].decode("latin-1")
        found["BODY"].update(re.findall(r"\b[A-Za-z]{4,14}\b", text))
        found["BODY"].update(re.findall(r"\b[A-Za-z]{3,9} [a-z]{3,9}\b", text))
        found["TEXT"].update(re.findall(r"\b[A-Za-z]{5,12}\b",
                                        head.decode("latin-1")))
        for name in ("Message-ID", "X-Mailer", "Content-Type", "Reply-To",
                     "List-Id", "Received"):
            value = " ".join(str(m.get(name) or "").split())
            if 3 < len(value):
                found[f"HEADER {name}"].add(value[:12])
    return {key: rnd.sample(sorted(words), min(WORDS, len(words)))
            for key, words in sorted(found.items())}


OTHER_WORDS = {
    "SUBJECT": ["Grüße", "köln", "GRÜSSE", "ö", "=?utf", "über", "", "  "],
    "FROM": ["Jörg", "jörg@", "Example, Ann", "ann@b.example", "", "\\"],
    "BODY": ["Köln", "KÖLN", "preis: 5 €", "unbroken", "= =zz", "boundary",
             "Content-Type", "inner@example.org", "Reporting-MTA", "<p>",
             "attachment", "", "hello", "two\r\nthree"],
    "TEXT": ["Köln", "inner@example.org", "boundary=", "message/rfc822",
             "From: Inner", "content-type: text/html", "Subject: ", ""],
    "HEADER Subject": ["", "x"], "HEADER X-None": [""],
    "HEADER Content-ID": ["", "x@y"], "HEADER Content-Type": ["", "rfc822"],
    "HEADER bad": ["", "y"],
}


def search_all(pair, v, keys):
    other = {uid for uid, a, b in pair.fetch("BODYSTRUCTURE")
             if deliberate.differs_in_text(*(deliberate.plain_structure(
                 x["BODYSTRUCTURE"]) for x in (a, b)))}
    for key in keys:
        ours, theirs = pair.search(key)
        v.seen += len(pair.mail) - len(ours ^ theirs)
        for uid in ours ^ theirs:
            name, data = pair.mail[uid - 1]
            v.compare(name, str(key), uid in ours, uid in theirs,
                      lambda: deliberate.search_rule(
                          name, key, uid in ours, data, DAY) or
                      ("other-structure" if uid in other else None))


def test_search_text(pair):
    v = Verdict()
    n = len(oddmail.ODD)
    keys = [[key + " ", word.encode()]
            for lists in (word_lists(pair.mail[:n]), word_lists(pair.mail[n:]),
                          OTHER_WORDS)
            for key, words in lists.items() for word in words]
    search_all(pair, v, keys)
    v.close("searches for text")


def test_search_sizes_and_dates(pair):
    v = Verdict()
    sizes = [len(data) for _, data in pair.mail[::10]]
    keys = [f"{key} {n + off}" for key in ("LARGER", "SMALLER")
            for n in sizes[:30] for off in (-1, 0, 1)]
    days = ["7-Feb-1994", "8-Feb-1994", "6-Feb-1994", "1-Jan-1970",
            "22-Aug-2002", "11-Apr-1996", "11-Apr-1998",
            "2-Mar-1994", "31-Dec-2002"] + [
        f"{d}-{m}-2002" for d in (1, 9, 17, 25)
        for m in ("Feb", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov")]
    keys += [f"{key} {day}" for day in days
             for key in ("SENTON", "SENTBEFORE", "SENTSINCE", "ON", "BEFORE",
                         "SINCE")]
    search_all(pair, v, keys)
    v.close("searches for sizes and dates")


# --- Python's email package -------------------------------------------------

def decoded(raw):
    raw = (raw or b"").decode("ascii")
    try:
        text = str(email.header.make_header(email.header.decode_header(raw)))
    except (LookupError, UnicodeError, email.errors.HeaderParseError):
        text = raw
    return " ".join(text.split())


def clean_header(m, name):
    """The field where Python is sure of it: there once, ASCII, no defect, no
    comment (which it drops, and we take for a name)."""
    raw = [v for k, v in m.raw_items() if k.lower() == name]
    if len(raw) != 1 or not raw[0].isascii() or "(" in raw[0]:
        return None
    try:
        h = m[name]
    except (ValueError, IndexError, AttributeError, TypeError, KeyError):
        return None  # it has bugs of its own
    return h if not h.defects else None


def python_addresses(h):
    return [(" ".join(a.display_name.split()), a.username, a.domain)
            for a in h.addresses]


def our_addresses(addresses):
    """Groups are only in the envelope."""
    return [(decoded(a[0]), a[2].decode(), a[3].decode())
            for a in addresses or [] if a[3] is not None]


def test_fields_as_python_reads_them(pair):
    v = Verdict()
    days = collections.defaultdict(set)
    sure = set()
    for uid, a, _ in pair.fetch("ENVELOPE"):
        envelope = dict(zip(deliberate.ENVELOPE, a["ENVELOPE"]))
        m = email.message_from_bytes(pair.mail[uid - 1][1].partition(
            b"\r\n\r\n")[0] + b"\r\n\r\n", policy=email.policy.default)
        name = pair.name(uid)
        for field in ("from", "to", "cc"):
            h = clean_header(m, field)
            if h is not None:
                v.compare(name, field, our_addresses(envelope[field]),
                          python_addresses(h),
                          lambda: "python" if (name, field) in
                          deliberate.PYTHON else None)
        h = clean_header(m, "subject")
        if h is not None:
            v.compare(name, "subject", decoded(envelope["subject"]),
                      " ".join(str(h).split()),
                      lambda: "python" if (name, "subject") in
                      deliberate.PYTHON else None)
        h = clean_header(m, "date")
        if h is not None and h.datetime and h.datetime.year > 1900:
            days[h.datetime.strftime("%d-%b-%Y")].add(uid)
            sure.add(uid)
    for day, uids in sorted(days.items()):
        ours = pair.search_ours(f"SENTON {day}") & sure
        v.seen += len(sure)
        for uid in ours ^ uids:
            v.compare(pair.name(uid), f"SENTON {day}", uid in ours, uid in uids)
    v.close("fields as Python reads them")


# --- the reasons themselves -------------------------------------------------

def test_every_reason_is_needed():
    """Runs last. Rules that only the large corpora need are not asked for."""
    if len(TITLES) < 8:
        pytest.skip("only some of the comparisons were made")
    missing = [r for r in deliberate.NEEDED if not USED[r]]
    pins = {f"{n} {f}" for n, f in deliberate.PINNED_ENVELOPE} | {
        f"{n} BODYSTRUCTURE" for n in deliberate.PINNED_STRUCTURE}
    hand_made = {name for name, _ in oddmail.ODD}
    missing += [p for p in pins if not USED[p] and p.split()[0] in hand_made]
    assert not missing, missing
