# SPDX-License-Identifier: ISC
"""DKIM and ARC against another implementation: dkimpy (Debian's python3-dkim).

What ours signs and seals, it must accept; what it signs and seals, ours must.
Both must see the same changes. No server runs: tests/tools/mailauth speaks for
ours, with the library that the server uses.
"""
import base64
import random
import subprocess

import pytest

from lib.instance import ROOT
from lib.testdata import crlf

dkim = pytest.importorskip("dkim")
signing = pytest.importorskip("nacl.signing")
pytest.importorskip("authres")

TOOL = ROOT / "build" / "tests" / "tools" / "mailauth"
# PKCS #8 of an Ed25519 key is this and the 32 bytes of its seed.
ED25519_PREFIX = bytes.fromhex("302e020100300506032b657004220420")

MESSAGES = {
    "plain": b"From: a@example.org\nTo: b@example.net\nSubject: one\n\nHi\n",
    "folds and blanks": b"FROM:  A  B\n\t<a@example.org> \nTo: b@example.net,"
    b"\n  c@example.net\nSubject:\n one \t two\nDate: now\nList-Id: x\n\n"
    b" C \nD \t E\n\n \n\n",
    "empty body": b"From: a@example.org\nTo: b@example.net\n\n",
    "only empty lines": b"From: a@example.org\nSubject: x\n\n\n\n\n",
    "fields twice": b"Received: 1\nFrom: a@example.org\nReceived: 2\n"
    b"List-Id: x\nList-Id: y\nTo: b\nComments: c\n\nText\n\n",
    "8 bit": "From: Jürgen <a@example.org>\nSubject: Grüße\n\nÄÖÜ\n".encode(),
}


def tool(*args, data=b""):
    done = subprocess.run([TOOL, *map(str, args)], input=data,
                          capture_output=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two keys in the forms of both sides, and their records."""
    subprocess.run(["make", "-s", str(TOOL.relative_to(ROOT))], cwd=ROOT,
                   check=True)
    folder = tmp_path_factory.mktemp("keys")
    rsa = folder / "rsa.pem"
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", rsa, "2048"],
                   check=True, capture_output=True)
    seed = signing.SigningKey.generate().encode()
    ed25519 = folder / "ed25519.pem"
    body = base64.b64encode(ED25519_PREFIX + seed).decode()
    ed25519.write_text(f"-----BEGIN PRIVATE KEY-----\n{body}\n"
                       "-----END PRIVATE KEY-----\n")
    records = {f"{name}._domainkey.example.org.":
               tool("record", path).strip()
               for name, path in (("r", rsa), ("e", ed25519))}
    names = folder / "records"
    names.write_bytes(b"".join(n[:-1].encode() + b" " + r + b"\n"
                               for n, r in records.items()))
    return {
        "r": rsa, "e": ed25519, "records": names,
        "theirs": {"r": rsa.read_bytes(), "e": base64.b64encode(seed)},
        "dns": lambda name, timeout=5: records.get(
            name.decode() if isinstance(name, bytes) else name),
    }


def ours_says(message, keys):
    return tool("verify", keys["records"], data=message).decode().split("\n")


def theirs_says(message, keys, index=0):
    try:
        return dkim.DKIM(message).verify(idx=index, dnsfunc=keys["dns"])
    except dkim.ValidationError:
        return False


def changed(message, seed):
    """One letter of the body is another one, or one is added."""
    at = [i for i, c in enumerate(message)
          if chr(c).isalpha() and i > message.find(b"\r\n\r\n")]
    if not at:
        return message + b"x\r\n"
    i = random.Random(seed).choice(at)
    return message[:i] + bytes([message[i] ^ 1]) + message[i + 1:]


@pytest.mark.parametrize("name", MESSAGES)
def test_what_we_sign_is_good_for_dkimpy(name, keys):
    signed = tool("sign", "example.org", "r", keys["r"], "e", keys["e"],
                  data=crlf(MESSAGES[name]))
    assert theirs_says(signed, keys, 0)
    assert theirs_says(signed, keys, 1)
    assert ours_says(signed, keys)[:2] == ["dkim r pass", "dkim e pass"]
    bad = changed(signed, name)
    assert not theirs_says(bad, keys, 0)
    assert ours_says(bad, keys)[:2] == ["dkim r fail", "dkim e fail"]


@pytest.mark.parametrize("body", [b"relaxed", b"simple"])
@pytest.mark.parametrize("header", [b"relaxed", b"simple"])
@pytest.mark.parametrize("key", ["r", "e"])
@pytest.mark.parametrize("name", MESSAGES)
def test_what_dkimpy_signs_is_good_for_us(name, key, header, body, keys):
    message = crlf(MESSAGES[name])
    algorithm = b"rsa-sha256" if key == "r" else b"ed25519-sha256"
    field = dkim.sign(message, key.encode(), b"example.org",
                      keys["theirs"][key], canonicalize=(header, body),
                      signature_algorithm=algorithm)
    assert ours_says(field + message, keys)[0] == f"dkim {key} pass"
    bad = changed(message, name)
    assert ours_says(field + bad, keys)[0] == f"dkim {key} fail"


@pytest.mark.parametrize("name", MESSAGES)
def test_what_we_seal_is_good_for_dkimpy(name, keys):
    message = crlf(MESSAGES[name])
    for hop in range(3):
        message = tool("seal", "example.org", "r", keys["r"],
                       "pass" if hop else "none", data=message)
        cv, _, reason = dkim.arc_verify(message, dnsfunc=keys["dns"])
        assert cv == dkim.CV_Pass, reason
        assert ours_says(message, keys)[0] == "arc pass"
    bad = changed(message, name)
    assert dkim.arc_verify(bad, dnsfunc=keys["dns"])[0] == dkim.CV_Fail
    assert ours_says(bad, keys)[0] == "arc fail"


@pytest.mark.parametrize("name", MESSAGES)
def test_what_dkimpy_seals_is_good_for_us(name, keys):
    message = crlf(MESSAGES[name])
    for hop in (b"a.example.org", b"b.example.org", b"c.example.org"):
        cv = ours_says(message, keys)[0].split()[1].encode()
        message = (b"Authentication-Results: " + hop + b"; arc=" + cv +
                   b"; spf=pass\r\n" + message)
        fields = dkim.arc_sign(message, b"r", b"example.org",
                               keys["theirs"]["r"], hop)
        assert fields
        message = b"".join(fields) + message
        assert ours_says(message, keys)[0] == "arc pass"
    assert ours_says(changed(message, name), keys)[0] == "arc fail"


def test_seals_of_both_sides_stand_on_one_another(keys):
    message = crlf(MESSAGES["plain"])
    message = tool("seal", "example.org", "r", keys["r"], "none",
                   data=message)
    message = (b"Authentication-Results: example.org; arc=pass\r\n" + message)
    message = b"".join(dkim.arc_sign(
        message, b"r", b"example.org", keys["theirs"]["r"],
        b"example.org")) + message
    message = tool("seal", "example.org", "e", keys["e"], "pass",
                   data=message)
    assert ours_says(message, keys)[0] == "arc pass"
