# SPDX-License-Identifier: ISC
"""Mail to test with: made here, and from public corpora when they are there.

The corpora lie in ../shared/testdata beside the repository, or where
MAILSTEAD_TESTDATA says; tests that need them are skipped without them.
"""
import os
import random
import re
import tarfile

import pytest

from lib.instance import ROOT

FOLDER = os.environ.get("MAILSTEAD_TESTDATA") or str(
    ROOT.parent / "shared" / "testdata")


def crlf(data):
    """As mail travels: every line end is CRLF, also that of the last line."""
    data = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def need(*path):
    name = os.path.join(FOLDER, *path)
    if not os.path.exists(name):
        pytest.skip(f"no test data: {name}")
    return name


def mime4j():
    """[(name, bytes)] of the mime4j test messages, line ends made CRLF."""
    folder = need("mime4j")
    out = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".msg"):
            with open(os.path.join(folder, name), "rb") as f:
                out.append((name, crlf(f.read())))
    return out


def spamassassin(n, every=1):
    """n messages of the SpamAssassin corpus, the first or every so many;
    line ends CRLF."""
    out = []
    seen = 0
    with tarfile.open(need("spamassassin", "corpus.tar.xz")) as tar:
        for member in tar:
            if not member.isfile() or member.name.endswith((".md", ".txt")):
                continue
            data = tar.extractfile(member).read()
            if b":" in data.split(b"\n", 1)[0] or data.startswith(b"From "):
                seen += 1
                if seen % every:
                    continue
                out.append(crlf(re.sub(rb"\AFrom [^\n]*\n", b"", data)))
            if len(out) == n:
                break
    return out


def message(subject="test", body="Hello.\n", **headers):
    """A small message as bytes with CRLF."""
    fields = {"From": "Sender <sender@elsewhere.example>",
              "To": "Someone <someone@test.example>",
              "Subject": subject,
              "Date": "Mon, 23 Nov 2026 10:00:00 +0000",
              "Message-ID": f"<{random.getrandbits(64):x}@elsewhere.example>"}
    fields.update({k.replace("_", "-"): v for k, v in headers.items()})
    head = "".join(f"{k}: {v}\n" for k, v in fields.items())
    return crlf((head + "\n" + body).encode())


def big_message(size, seed=1):
    """About size bytes of lines that do not compress well."""
    rnd = random.Random(seed)
    lines = []
    have = 0
    while have < size:
        lines.append("%076x" % rnd.getrandbits(304))
        have += 78
    return message("big", "\n".join(lines) + "\n")


ADDED = (b"return-path:", b"delivered-to:", b"received:")


def original_of(stored):
    """What stands behind the fields that a delivery put in front: those of
    this server only, each with its continuation lines."""
    lines = stored.split(b"\r\n")
    i = 0
    seen = []
    while i < len(lines):
        name = lines[i].lower().split(b" ")[0]
        if name not in ADDED or name in seen:
            break
        seen.append(name)
        i += 1
        while i < len(lines) and lines[i][:1] in (b" ", b"\t"):
            i += 1
    assert seen == list(ADDED), f"fields in front: {seen}"
    return b"\r\n".join(lines[i:])
