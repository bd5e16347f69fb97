# SPDX-License-Identifier: ISC
"""Where Mailstead and Dovecot read a message differently, and mean it.

Rules are for what occurs in real mail: each is as narrow as it can be and has
a name, under which docs/testing.md has its reason and counts. PINNED has, for
messages that were made by hand to be wrong, our own answer: it may not change
unnoticed either.
"""
import datetime
import email.utils
import re

ENVELOPE = ("date", "subject", "from", "sender", "reply-to", "to", "cc", "bcc",
            "in-reply-to", "message-id")
ADDRESSES = ENVELOPE[2:8]

# Reasons that hand-made mail must need each time.
NEEDED = ("blanks", "invented-words", "no-parts", "bad-type", "last-line",
          "delimiter-line-end", "no-mime-version", "no-such-part",
          "empty-line", "no-date", "loose-date", "raw-8bit", "as-written",
          "pinned")

# What Dovecot puts in place of a word that is not there. RFC 3501 has no
# such words; an empty string cannot be taken for a name.
INVENTED = (b"MISSING_MAILBOX", b"MISSING_DOMAIN", b"SYNTAX_ERROR",
            b"INVALID_ROUTE")


# --- envelopes --------------------------------------------------------------

def squeezed(text):
    """Dovecot makes one blank of several, in quoted strings too, and may
    leave one at the ends; unfolding removes line ends only (RFC 5322 2.2.3)."""
    return text and re.sub(rb"[ \t]+", b" ", text).strip(b" ")


def without_invented(addresses):
    """Without Dovecot's own words, and without addresses of nothing."""
    out = [[b"" if x in INVENTED else x for x in a] for a in addresses or []]
    return [a for a in out if any(a)]


def squeezed_addresses(addresses):
    return [[squeezed(a[0])] + a[1:] for a in addresses or []]


def envelope_rule(name, field, ours, theirs, message):
    if (name, field) in PINNED_ENVELOPE:
        return "pinned" if PINNED_ENVELOPE[name, field] == ours else None
    if field in ADDRESSES:
        return address_rule(name, field, ours, theirs, message)
    if ours and theirs and squeezed(ours) == squeezed(theirs):
        return "blanks"
    return None


# Long lists of spam with garbage in them, at which Dovecot stops.
CUT_LISTS = ("spamassassin-4690", "spamassassin-5035", "spamassassin-5691")


def is_repeated(field, message):
    head = message.partition(b"\r\n\r\n")[0]
    return len(re.findall(rb"(?im)^%s[ \t]*:" % field.encode(), head)) > 1


def address_rule(name, field, ours, theirs, message):
    if field in ("sender", "reply-to") and (name, "from") in PINNED_ENVELOPE \
            and PINNED_ENVELOPE[name, "from"] == ours:
        return "pinned"
    if squeezed_addresses(ours) == squeezed_addresses(theirs):
        return "blanks"
    if [a for a in ours or [] if any(a)] == without_invented(theirs):
        return "invented-words"
    if not ours or not theirs:
        return None
    if len(ours) == len(theirs) and all(
            a == b or any(x in INVENTED for x in b)
            for a, b in zip(ours, theirs)):
        return "broken-address"
    # RFC 5322 4.5.3 joins destinations only: of others the first counts.
    if field not in ("to", "cc", "bcc") and is_repeated(field, message) and \
            theirs[:len(ours)] == ours:
        return "first-field"
    if name in CUT_LISTS and len(ours) > len(theirs) and all(
            a in ours or any(x in INVENTED for x in a) for a in theirs):
        return "cut-list"
    return None


def ann(name=None, local=b"ann", domain=b"b.example", route=None):
    return [[name, route, local, domain]]


# Its own two decoders disagree about these, but for the CR, which ends a field.
PYTHON = (("subject-encoded-bad", "subject"),
          ("subject-encoded-inside", "subject"), ("subject-bare-cr", "subject"),
          ("spamassassin-3581", "from"), ("spamassassin-4569", "subject"))

PINNED_ENVELOPE = {
    ("address-" + name, "from"): value for name, value in {
        # Obsolete syntax, but syntax (RFC 5322 section 4.4).
        "quoted-local-dots": ann(local=b"a.b.c"),
        "blanks-around": ann(local=b"ann.example"),
        # What can be read is; the rest of the address goes.
        "two-at-angle": ann(domain=b"b"),
        "unclosed-angle": ann(b"Ann"),
        "unclosed-angle-next": ann(b"Ann") +
        ann(local=b"bob", domain=b"c.example"),
        "unclosed-comment": ann(b"Ann"),
        "double-angle": ann(),
        "semicolon-list": ann(local=b"a") + ann(local=b"c",
                                                domain=b"d.example"),
        "brackets": ann(b"Ann [Example]"),
        "dots": ann(local=b"..a..b..", domain=b"..c..d.."),
        "trailing-dot": ann(domain=b"b.example."),
        "backslash-name": ann(b"x) <ann@b.example>", b"Ann \\", b""),
        "only-domain-angle": ann(None, b"", b"", b"@b.example"),
        # Words without an address are where an address is expected.
        "words-no-angle": ann(local=b"Ann Example", domain=b""),
        "unclosed-quote": ann(local=b"Ann <ann@b.example>", domain=b""),
        # No blank was written.
        "quoted-glued": ann(b"AnnExample"),
    }.items()
}
# Of fields that may be there only once, the first counts; Dovecot takes the
# last, and all of From.
PINNED_ENVELOPE.update({
    ("from-twice", "date"): b"Mon, 7 Feb 1994 21:52:25 -0800",
    ("from-twice", "subject"): b"one",
    ("from-twice", "from"): ann(local=b"a"),
    ("from-twice", "message-id"): b"<1@x>",
    ("from-empty-first", "from"): None,
})



# --- structures -------------------------------------------------------------

def lower(x):
    return x.lower() if isinstance(x, bytes) else x


def plain_parameters(p):
    """Names and charsets are without case (RFC 2045 5.1, RFC 2046 4.1.2)."""
    return p and [lower(x) if i % 2 == 0 or lower(p[i - 1]) == b"charset"
                  else x for i, x in enumerate(p)]


def plain_extension(x):
    """Disposition, languages: one is the same as a list of one."""
    x = list(x)
    if x and isinstance(x[0], list):
        x[0] = [lower(x[0][0]), plain_parameters(x[0][1])]
    if len(x) > 1 and isinstance(x[1], bytes):
        x[1] = [x[1]]
    return x


def plain_structure(b):
    """What differs in spelling only is made the same."""
    n = len(children(b))
    if n:
        return [plain_structure(x) for x in b[:n]] + [lower(b[n])] + \
            [plain_parameters(x) for x in b[n + 1:n + 2]] + \
            plain_extension(b[n + 2:])
    b = list(b)
    b[0], b[1], b[5] = lower(b[0]), lower(b[1]), lower(b[5])
    b[2] = plain_parameters(b[2])
    fixed = 7
    if b[0] == b"text":
        fixed = 8
    elif is_message(b):
        b[8] = plain_structure(b[8])
        fixed = 10
    return b[:fixed + 1] + plain_extension(b[fixed + 1:])


TEXT_PLAIN = [b"text", b"plain", [b"charset", b"us-ascii"], None, None, b"7bit"]
EMPTY_TEXT = TEXT_PLAIN + [0, 0]


def has_parts(b):
    return isinstance(b[0], list)


def is_message(b):
    return b[:2] == [b"message", b"rfc822"]


def children(b):
    n = 0
    while n < len(b) and isinstance(b[n], list):
        n += 1
    return b[:n]


def is_made_up(b):
    """A multipart of one empty text: Dovecot found no part in it."""
    return has_parts(b) and b[0][:8] == EMPTY_TEXT and not has_parts([b[1]])


def lines_at(b):
    """Where a structure has its number of lines."""
    return {b"text": 7, b"message": 9}.get(b[0], 99)


def disposition_at(b):
    """Behind the MD5, which is behind the lines where they are."""
    return {b"text": 9}.get(b[0], 8) if not is_message(b) else 11


def nested_envelope_reasons(ours, theirs):
    return {address_rule("", field, x, y, b"") if field in ADDRESSES else
            "blanks" if x and y and squeezed(x) == squeezed(y) else None
            for field, x, y in zip(ENVELOPE, ours, theirs) if x != y}


def is_cut_at_blank(ours, theirs):
    """A value with blanks and without quotes: a file's name, mostly."""
    if isinstance(ours, list) and isinstance(theirs, list) and \
            len(ours) == len(theirs):
        return all(is_cut_at_blank(x, y) for x, y in zip(ours, theirs))
    return ours == theirs or (isinstance(ours, bytes) and bool(theirs) and
                              ours.startswith(theirs + b" "))


def node_reasons(ours, theirs, says_mime):
    """Why two structures differ: names of reasons; None is among them where
    there is none."""
    if ours == theirs:
        return set()
    if has_parts(ours) and has_parts(theirs):
        return multipart_reasons(ours, theirs)
    if is_made_up(theirs) and ours[:2] == TEXT_PLAIN[:2]:
        return {"no-parts"}
    if has_parts(ours) or has_parts(theirs):
        return {None}
    if b"" in theirs[:2] and ours[:6] == TEXT_PLAIN and ours[6] == theirs[6]:
        return {"bad-type"}
    if len(ours) != len(theirs):
        return {None}
    out = set()
    for i, (x, y) in enumerate(zip(ours, theirs)):
        if x == y:
            continue
        if i == 5 and y == b"7bit" and not says_mime:
            out.add("no-mime-version")
        elif i == 7 and is_message(ours):
            out |= nested_envelope_reasons(x, y)
        elif i in (2, disposition_at(ours)) and is_cut_at_blank(x, y):
            out.add("bare-value")
        elif i == 8 and is_message(ours):
            out |= node_reasons(x, y, True)
        elif i == lines_at(ours) and x == y + 1:
            out.add("last-line")
        elif i == 6 and x + 2 == y and is_message(ours):
            out.add("delimiter-line-end")
        else:
            out.add(None)
    return out


def multipart_reasons(ours, theirs):
    a, b = children(ours), children(theirs)
    if len(a) != len(b) or ours[len(a):] != theirs[len(b):]:
        return {None}
    return set().union(*(node_reasons(x, y, True) for x, y in zip(a, b)))


def structure_rule(name, item, ours, theirs, message):
    if name in PINNED_STRUCTURE:
        # BODY is BODYSTRUCTURE without extension data: pinned by that.
        is_same = item == "BODY" or PINNED_STRUCTURE[name] == ours
        return "pinned" if is_same else None
    # RFC 2045 section 4 has other fields without MIME-Version ignored; mail
    # without it that means them is common. Content-Type will do for Dovecot.
    head = message.partition(b"\r\n\r\n")[0]
    says_mime = re.search(rb"(?im)^(mime-version|content-type)[ \t]*:", head)
    reasons = node_reasons(ours, theirs, bool(says_mime))
    return None if None in reasons else "+".join(sorted(reasons))


def plain(*parameters, encoding=b"7bit", disposition=None, language=None):
    """The structure of a message of one line of text."""
    p = [x.encode() for x in parameters]
    if "charset" not in parameters:
        p += [b"charset", b"us-ascii"]
    return [b"text", b"plain", p, None, None, encoding, 6, 1, None,
            disposition, language, None]


def text(size):
    return TEXT_PLAIN + [size, 1 if size else 0] + [None] * 4


def mixed(boundary, *inside):
    return [*inside, b"mixed", [b"boundary", boundary], None, None, None]


PINNED_STRUCTURE = {
    # Read as it was meant.
    "type-no-semicolon": plain("charset", "utf-8"),
    "type-unquoted-blanks": plain("name", "a file name.txt", "charset",
                                  "utf-8"),
    "type-tspecials": plain("name", "a/b:c@d?e"),
    "type-parens": plain("name", "a(b)c", "charset", "utf-8"),
    "type-equals-in-value": plain("name", "a=b", "charset", "utf-8"),
    "type-trailing-text": plain("charset", "utf-8 and more"),
    "type-unclosed-quote": plain("name", "a file; charset=utf-8"),
    # What is no parameter does not hide those behind it.
    "type-no-value": plain("charset", "utf-8"),
    "type-no-name": plain("charset", "utf-8"),
    # RFC 2231: pieces that no first one goes before are not shown.
    "type-rfc2231-hole": plain("name", "a"),
    "type-rfc2231-no-zero": plain(),
    "type-rfc2231-twice": plain("name", "ab", "name", "x"),
    "type-rfc2231-star-star": plain("name**", "a", "name***", "b", "*", "c",
                                    "*0", "d"),
    # Without a type there is no disposition.
    "disposition-empty": plain(),
    "disposition-params-only": plain(),
    "disposition-quoted": plain(disposition=[b'"attachment"',
                                             [b"filename", b"x"]]),
    "disposition-nonsense": plain(disposition=[b"filename=x", None]),
    "encoding-quoted": plain(encoding=b"base64"),
    "encoding-words": plain(encoding=b"base"),
    "language-commas": plain(language=[b"en", b"de"]),
    "language-quoted": plain(language=[b'"en"']),
    # A boundary cannot end with blanks (RFC 2046 5.1.1): they are not looked
    # for. Dovecot cuts boundaries after 80 bytes.
    "multi-boundary-trailing": mixed(b"b ", text(3), text(3)),
    "multi-boundary-200": mixed(b"x" * 200, text(3)),
    "multi-boundary-bare": mixed(b"a=b_c", text(3)),
    "weird-boundary.msg": [text(9), text(0), text(0), b"mixed", [
        b"boundary", b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFLMNOPRSTUVWXYZ"
        b"'()+_,-./:=?  "], None, None, None],
    # No boundary and no part: the text can be read.
    "multi-boundary-empty": TEXT_PLAIN + [17, 4] + [None] * 4,
    "multi-inner-never": mixed(b"b", text(7), text(3)),
    "multi-inner-in-header": mixed(b"b", text(0), text(3)),
    # Our limit of a boundary is 1 000 bytes.
    "very-very-long-boundary.msg":
    [b"application", b"octet-stream", None, None, None, b"7bit", 21230] +
    [None] * 4,
}



def form(b):
    """A structure without what is not about where its parts are."""
    if has_parts(b):
        return [form(x) for x in children(b)]
    return [b[6]] + ([form(b[8])] if is_message(b) else [])


def differs_in_form(ours, theirs):
    return form(ours) != form(theirs)


def types(b):
    return [types(x) for x in children(b)] if has_parts(b) else b[:2]


def differs_in_text(ours, theirs):
    """Is other text searched?"""
    return differs_in_form(ours, theirs) or types(ours) != types(theirs)


def section_rule(name, item, ours, theirs):
    # IMAP4rev1 does not show the parts of message/global; they are there.
    if name == "type-message-global" and item == "BODY[1.HEADER]":
        return "pinned" if ours == b"body\r\n" else None
    # What is not there is NIL; an empty string would be an empty part.
    if ours is None:
        return "no-such-part" if theirs == b"" else None
    # RFC 3501 6.4.5 lets fetches of header fields end with an empty line;
    # without one in the message Dovecot adds it to FIELDS only, we always.
    if ours == theirs + b"\r\n" and "HEADER.FIELDS" in item:
        return "empty-line"
    # Directly in front of a delimiter the empty line is the header's.
    if ours == theirs + b"\r\n" and item.endswith(("MIME]", "HEADER]")):
        return "empty-line"
    # The line end in front of a delimiter is the delimiter's (RFC 2046 5.1.1),
    # also behind the last delimiter of a multipart inside.
    if ours + b"\r\n" == theirs and re.match(r"BODY\[[\d.]+\]", item):
        return "delimiter-line-end"
    return None


# --- searches ---------------------------------------------------------------

# RFC 5322 3.3, obsolete years and zones with it, of this world.
GOOD_DATE = re.compile(
    r"(?!.*30 Feb)(\w{3}, *)?\d{1,2} "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"(?!0)\d{2,4} \d\d:\d\d(:\d\d)?( +([+-]\d{4}|[A-Z]{1,4})|$)")


def is_sent(key, day):
    """What SENTON and the like say about a day."""
    word, _, date = key.partition(" ")
    wanted = datetime.datetime.strptime(date, "%d-%b-%Y").date()
    return {"SENTON": day == wanted, "SENTBEFORE": day < wanted,
            "SENTSINCE": day >= wanted}.get(word)


def date_rule(key, is_ours, head, internal):
    """Without a date in it a message was sent when it came, as RFC 5256 2.2
    says for sorting; Dovecot finds it by no date. We read more forms."""
    m = re.search(rb"(?im)^date[ \t]*:[ \t]*(.*)\r?$", head)
    value = m[1].decode("latin-1") if m else ""
    if GOOD_DATE.match(value):
        return None
    if is_ours == is_sent(key, internal):
        return "no-date"
    t = email.utils.parsedate(value)
    return "loose-date" if t and is_ours == is_sent(
        key, datetime.date(*t[:3])) else None


# The first Content-Transfer-Encoding counts for us, as everywhere; the message
# in a message/global has a header and a text for us, and is one for Dovecot.
OTHER_TEXT = ("content-twice", "type-message-global")
# Read as it is; not at all by Dovecot.
UNKNOWN_ENCODINGS = ("encoding-unknown", "encoding-empty", "encoding-words")


def search_rule(name, key, is_ours, message, internal):
    head = message.partition(b"\r\n\r\n")[0]
    if isinstance(key, str):
        return date_rule(key, is_ours, head, internal)
    what, word = key[0].strip(), key[1]
    if what == "BODY" and (name in OTHER_TEXT or (
            is_ours and name in UNKNOWN_ENCODINGS)):
        return "other-text"
    if what == "FROM" and (name, "from") in PINNED_ENVELOPE:
        return "as-written"
    if not is_ours and what in ("FROM", "TO", "CC"):
        # Dovecot looks through addresses that it has written anew.
        return "invented-words" if word.endswith((b"\\", b"@")) else None
    if not is_ours:
        return None
    if word == b"  " or (what == "TEXT" and b": " in word):
        # Blanks as they were written; "Name: value", however it was written.
        return "blanks"
    if what == "BODY" or what == "TEXT":
        return None
    try:
        head.decode()
    except UnicodeDecodeError:
        # Raw 8-bit text that is no UTF-8 is taken for windows-1252.
        return "raw-8bit"
    if what in ("FROM", "TO", "CC") and \
            word.lower() in re.sub(rb"\r\n(?=[ \t])", b"", head).lower():
        # As it is written, too, and not only as the envelope has it.
        return "as-written"
    return None
