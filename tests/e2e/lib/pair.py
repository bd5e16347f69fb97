# SPDX-License-Identifier: ISC
"""The same messages in two IMAP servers, and what each answers about them.

    pair = Pair(ours, theirs, [(name, bytes), ...])
    for uid, a, b in pair.fetch("ENVELOPE"): ...

UIDs are the places in the list, from 1, in both servers.
"""
import datetime

from lib import imapread

BATCH = 100
DATE = "11-Apr-1998 21:52:25 +0000"
DAY = datetime.date(1998, 4, 11)


class Pair:
    def __init__(self, ours, theirs, mail):
        self.ours, self.theirs, self.mail = ours, theirs, mail
        for c in (ours, theirs):
            upload(c, [data for _, data in mail])
            c.ok("SELECT INBOX")
            assert c.uids() == list(range(1, len(mail) + 1))

    def name(self, uid):
        return self.mail[uid - 1][0]

    def fetch(self, items, uids=None):
        """(uid, ours, theirs) of each message: {item name: value}."""
        uids = list(uids or range(1, len(self.mail) + 1))
        for i in range(0, len(uids), BATCH):
            some = ",".join(map(str, uids[i:i + BATCH]))
            for c in (self.ours, self.theirs):
                c.tag_of_fetch = c.start(f"UID FETCH {some} ({items})")
            a, b = [fetched(c) for c in (self.ours, self.theirs)]
            for uid in uids[i:i + BATCH]:
                yield uid, a[uid], b[uid]

    def fetch_ours(self, items, uid):
        return imapread.fetch(self.ours, uid, items)[uid]

    def search_ours(self, key):
        return found_by(self.ours, ["UID SEARCH " + key])

    def search(self, key):
        """The UIDs that each finds; the key is one for Imap.start()."""
        command = key if isinstance(key, list) else [key]
        command = ["UID SEARCH CHARSET UTF-8 " + command[0]] + command[1:]
        return [found_by(c, command) for c in (self.ours, self.theirs)]


def found_by(c, command):
    found = [r for r in c.ok(command) if r.startswith(b"* SEARCH")]
    assert len(found) == 1, (command, found)
    return {int(x) for x in found[0].split()[2:]}


def fetched(c):
    untagged, tagged = c.until(c.tag_of_fetch)
    c.check(tagged, "OK")
    out = {}
    for r in untagged:
        got = imapread.fetch_response(r)
        if got:
            out.setdefault(got["UID"], {}).update(got)
    return out


def upload(c, messages):
    """Many at a time, without waiting for each answer."""
    for i in range(0, len(messages), BATCH):
        tags = [c.start([f'APPEND INBOX "{DATE}" ', m])
                for m in messages[i:i + BATCH]]
        for tag in tags:
            c.check(c.until(tag)[1], "OK")


def parts(structure, path=""):
    """(section, is it a message, its structure) of every part below one."""
    if isinstance(structure[0], list):
        n = 0
        while n < len(structure) and isinstance(structure[n], list):
            yield from part(structure[n], f"{path}{n + 1}")
            n += 1
    elif not path:
        yield from part(structure, "1")
    elif is_message(structure):
        # The text of a message that is a message itself.
        yield from part(structure, f"{path}1")
    else:
        yield f"{path}1", False, structure


def part(structure, section):
    yield section, is_message(structure), structure
    if isinstance(structure[0], list):
        yield from parts(structure, section + ".")
    elif is_message(structure):
        yield from parts(structure[8], section + ".")


def is_message(structure):
    return not isinstance(structure[0], list) and len(structure) > 8 and \
        structure[0].lower() == b"message" and \
        structure[1].lower() in (b"rfc822", b"global") and \
        isinstance(structure[8], list)
