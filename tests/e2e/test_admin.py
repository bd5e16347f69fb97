# SPDX-License-Identifier: ISC
"""Domains, users and aliases by command line, while the server runs."""
import base64
import hashlib
import hmac
import json
import os
import pty
import signal
import smtplib
import ssl
import subprocess
import termios

import pytest

from lib.instance import BINARY

OK, REFUSED, USAGE, TEMPFAIL = 0, 1, 2, 75


def tls():
    ctx = ssl.create_default_context()
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    return ctx


def sign_in(server, login, password):
    """Can this user sign in on the submission port?"""
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"],
                          context=tls(), timeout=60) as s:
        try:
            s.login(login, password)
        except smtplib.SMTPAuthenticationError:
            return False
        return True


def js(server, *args, **kw):
    return json.loads(server.cli(*args, "--json", **kw))


def test_a_domain_comes_and_goes(server):
    assert js(server, "domain", "add", "Comes.Example") == {
        "added": "comes.example"}
    names = [d["name"] for d in js(server, "domain", "list")["domains"]]
    assert "comes.example" in names
    again = server.cli("domain", "add", "comes.example", check=False)
    assert again.returncode == REFUSED
    assert "exists already" in again.stderr
    server.cli("domain", "remove", "comes.example")
    names = [d["name"] for d in js(server, "domain", "list")["domains"]]
    assert "comes.example" not in names


def test_a_domain_with_users_is_not_removed(server, account):
    r = server.cli("domain", "remove", account.login.split("@")[1],
                   check=False)
    assert r.returncode == REFUSED
    assert "users" in r.stderr


def test_a_user_list_is_json_with_documented_keys(server, account):
    users = js(server, "user", "list")["users"]
    mine = [u for u in users if u["address"] == account.login]
    assert len(mine) == 1
    assert set(mine[0]) == {"address", "messages", "messages_limit", "bytes",
                            "bytes_limit", "mailboxes", "created", "removed"}
    assert mine[0]["removed"] is None
    table = server.cli("user", "list").splitlines()
    assert table[0].split()[0] == "USER"
    # Numbers are aligned to the right, below their title.
    end = table[0].index("MESSAGES") + len("MESSAGES")
    assert len(table) > 1
    for row in table[1:]:
        assert row[end - 1].isdigit() and row[end] == " "


def test_a_new_password_works_at_once_and_the_old_one_ends(server):
    a = server.new_account("first password")
    assert sign_in(server, a.login, "first password")
    server.cli("user", "passwd", a.login, "--password-stdin",
               input="zweites Paßwort\n")
    assert not sign_in(server, a.login, "first password")
    # smtplib encodes passwords as ASCII: sign in by hand.
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"],
                          context=tls(), timeout=60) as s:
        s.ehlo()
        data = f"\0{a.login}\0zweites Paßwort".encode()
        code, _ = s.docmd("AUTH PLAIN", base64.b64encode(data).decode())
        assert code == 235


def test_an_imported_hash_works(server, account):
    made = subprocess.run(["openssl", "passwd", "-6", "imported"],
                          capture_output=True, text=True, check=True).stdout
    server.cli("user", "passwd", account.login, "--hash-stdin", input=made)
    assert sign_in(server, account.login, "imported")
    assert not sign_in(server, account.login, "other")
    r = server.cli("user", "passwd", account.login, "--hash-stdin",
                   input="plain text\n", check=False)
    assert r.returncode == USAGE
    assert sign_in(server, account.login, "imported")


def test_a_removed_user_comes_back_with_the_password(server):
    a = server.new_account("keeps it")
    server.cli("user", "remove", a.login)
    assert not sign_in(server, a.login, "keeps it")
    assert a.login in server.cli("user", "list", "--removed")
    server.cli("user", "undelete", a.login)
    assert sign_in(server, a.login, "keeps it")


def test_quota_is_shown_and_changed(server, account):
    server.cli("user", "quota", account.login, "1.5G", "--messages", "1000")
    u = [u for u in js(server, "user", "list")["users"]
         if u["address"] == account.login][0]
    assert u["bytes_limit"] == 3 << 29
    assert u["messages_limit"] == 1000
    server.cli("user", "quota", account.login, "none")
    u = [u for u in js(server, "user", "list")["users"]
         if u["address"] == account.login][0]
    assert u["bytes_limit"] is None and u["messages_limit"] == 1000
    server.cli("user", "quota", account.login, "--messages", "none")
    server.cli("user", "quota", account.login, "5M")
    u = [u for u in js(server, "user", "list")["users"]
         if u["address"] == account.login][0]
    assert u["bytes_limit"] == 5 << 20 and u["messages_limit"] is None


def test_aliases_reach_several_users_and_do_not_loop(server):
    a, b = server.new_account(), server.new_account()
    domain = a.login.split("@")[1]
    both = f"both-{a.login}"
    server.cli("alias", "add", both, a.login, b.login)
    rows = js(server, "alias", "list")["aliases"]
    assert [r for r in rows if r["address"] == both][0]["targets"] == [
        a.login, b.login]
    r = server.cli("alias", "add", f"x-{both}", f"x-{both}", check=False)
    assert r.returncode == REFUSED
    server.cli("alias", "remove", both)
    assert server.cli("alias", "remove", both,
                      check=False).returncode == REFUSED
    assert "both-" not in server.cli("alias", "list", domain)


@pytest.mark.parametrize("args,code", [
    (["user"], USAGE),
    (["user", "add"], USAGE),
    (["user", "frobnicate"], USAGE),
    (["user", "add", "no-at-sign", "--password-stdin"], USAGE),
    (["user", "add", "a@b@c", "--password-stdin"], USAGE),
    (["user", "list", "--no-such-option"], USAGE),
    (["user", "quota", "a@test.example", "5X"], USAGE),
    (["user", "add", "a@not-here.example", "--password-stdin"], REFUSED),
    (["user", "remove", "nobody-at-all@test.example"], REFUSED),
    (["domain", "add", "-bad-.example"], USAGE),
    (["domain", "add", "under_score.example"], USAGE),
    (["alias", "add", "a@test.example"], USAGE),
    (["mail", "undelete", "a@test.example", "--since", "yesterday"], USAGE),
])
def test_what_is_wrong_is_said(server, args, code):
    r = server.cli(*args, input="pw\n", check=False)
    assert r.returncode == code, r.stderr
    assert r.stderr.startswith("mailstead: ")
    assert r.stdout == ""


def test_an_error_is_json_too(server):
    r = server.cli("user", "remove", "nobody@test.example", "--json",
                   check=False)
    assert r.returncode == REFUSED
    error = json.loads(r.stdout)["error"]
    assert set(error) == {"reason", "message"}


def test_without_a_server_it_says_so(server, tmp_path):
    r = server.cli("-d", str(tmp_path), "user", "list", check=False)
    assert r.returncode == TEMPFAIL
    assert "is it running?" in r.stderr


# --- help, and what was mistyped --------------------------------------------------

COMMANDS = {
    "run": [], "demo": [], "status": [], "metrics": [], "reload": [],
    "config": [], "check": [], "dns": [], "trace": [],
    "domain": ["add", "list", "remove"],
    "dkim": ["list", "add", "activate", "rotate", "remove"],
    "user": ["add", "list", "passwd", "quota", "remove", "undelete"],
    "alias": ["add", "list", "remove"],
    "queue": ["list", "show", "retry", "hold", "release", "cancel",
              "reroute"],
    "mail": ["import", "export", "undelete"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(server, command):
    r = server.cli(command, "--help", check=False)
    assert r.returncode == OK and not r.stderr
    assert r.stdout.startswith(f"usage: mailstead {command}")
    assert server.cli("help", command) == r.stdout
    for verb in COMMANDS[command]:
        said = server.cli(command, verb, "--help")
        # What the manual page says, and not only what it is about.
        assert said.split("\n\n")[1] != r.stdout.split("\n\n")[1].strip()
        one = said.splitlines()
        usage = [line.split("mailstead ")[1] for line in one
                 if f"mailstead {command} " in line]
        assert usage
        for way in usage:
            assert verb in way.split()[1].split("|") and way in r.stdout


def test_help_does_nothing_else(server, account):
    server.cli("user", "remove", account.login, "--help")
    assert account.login in server.cli("user", "list")
    # Behind "--" it is a word like any other.
    r = server.cli("user", "remove", "--", "--help", check=False)
    assert r.returncode == USAGE and "not an address" in r.stderr


@pytest.mark.parametrize("words,hint", [
    (["usr"], "see mailstead --help"),
    (["user", "ad", "x@test.example"], "see mailstead user --help"),
    (["queue", "retry|hold", "--all"], "see mailstead queue --help"),
    (["user", "list", "--foo"], "unknown option --foo (see --help)"),
    (["user"], "usage: mailstead user add"),
])
def test_what_is_mistyped_is_named(server, words, hint):
    r = server.cli(*words, check=False)
    assert r.returncode == USAGE
    assert not r.stdout and hint in r.stderr


@pytest.mark.parametrize("words", [
    ("user", "list"), ("alias", "list"), ("account", "list"),
    ("dkim", "list"), ("feedback", "list", "--domain")])
def test_a_list_of_a_mistyped_domain_is_no_empty_list(server, words):
    said = server.cli(*words, "mistyped.example", check=False)
    assert said.returncode == REFUSED and "not served here" in said.stderr
    assert server.cli(*words, server.domain, check=False).returncode == 0


def test_a_mistyped_verb_is_json_too(server):
    r = server.cli("user", "ad", "--json", check=False)
    assert r.returncode == USAGE
    assert json.loads(r.stdout)["error"]["reason"] == "usage"


def test_an_alias_that_is_not_there_is_called_an_alias(server, account):
    domain = account.login.split("@")[1]
    r = server.cli("alias", "remove", f"nix@{domain}", check=False)
    assert r.returncode == REFUSED and "mailstead alias list" in r.stderr
    r = server.cli("alias", "add", f"nix@{domain}", f"who@{domain}",
                   check=False)
    assert r.returncode == REFUSED and "target" in r.stderr


def test_an_unknown_format_is_a_mistake_of_the_command_line(server, account,
                                                            tmp_path):
    r = server.cli("mail", "import", account.login, tmp_path, "--format",
                   "zip", check=False)
    assert r.returncode == USAGE and "maildir|mbox" in r.stderr


def test_an_error_of_the_configuration_ends_without_an_empty_line(tmp_path):
    conf = tmp_path / "bad.conf"
    conf.write_text("log_levl = info\n")
    r = subprocess.run([BINARY, "-c", conf, "run"], capture_output=True,
                       text=True, timeout=60)
    assert r.returncode == REFUSED and "log_levl" in r.stderr
    assert r.stderr.endswith("\n") and not r.stderr.endswith("\n\n")


def test_output_that_is_lost_is_a_failure(server):
    with open("/dev/full", "w") as full:
        r = subprocess.run([BINARY, "-c", server.conf, "domain", "list"],
                           stdout=full, stderr=subprocess.PIPE, text=True,
                           timeout=60)
    assert r.returncode == REFUSED and "standard output" in r.stderr


def test_a_password_that_is_too_long_is_called_so(server, account):
    r = server.cli("user", "passwd", account.login, "--password-stdin",
                   input="x" * 3000 + "\n", check=False)
    assert r.returncode == USAGE and "too long" in r.stderr
    assert sign_in(server, account.login, account.password)


def test_on_a_terminal_an_empty_list_says_so(server):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(BINARY, [BINARY, "-c", server.conf, "audit", "list",
                          "--what", "nosuch"])
    try:
        shown = b""
        while b"\n" not in shown:
            shown += os.read(fd, 1000)
        assert shown.split() == [b"lines:", b"none"]
    finally:
        os.close(fd)
        os.waitpid(pid, 0)
    assert server.cli("audit", "list", "--what", "nosuch") == ""


def test_an_interrupted_prompt_leaves_the_terminal_as_it_was(server, account):
    """Ctrl-C where a password is asked for: what is typed shows again."""
    pid, fd = pty.fork()
    if pid == 0:
        # Whoever runs the tests in the background ignores it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execv(BINARY, [BINARY, "-c", server.conf, "user", "passwd",
                          account.login])
    try:
        shown = b""
        while b"New password" not in shown:
            shown += os.read(fd, 1000)
        assert not termios.tcgetattr(fd)[3] & termios.ECHO
        os.write(fd, b"half a pass\x03")
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == signal.SIGINT
        assert termios.tcgetattr(fd)[3] & termios.ECHO
    finally:
        os.close(fd)
    assert sign_in(server, account.login, account.password)


# --- SCRAM with channel binding over TLS 1.3 ------------------------------------

class Scram:
    """A client of RFC 5802, SHA-256."""

    def __init__(self, login, password, gs2="n,,", binding=b""):
        self.login, self.password, self.gs2 = login, password, gs2
        self.binding = binding
        self.nonce = base64.b64encode(os.urandom(12)).decode()

    def first(self):
        self.bare = f"n={self.login},r={self.nonce}"
        return self.gs2 + self.bare

    def final(self, server_first):
        parts = dict(p.split("=", 1) for p in server_first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(),
                                     base64.b64decode(parts["s"]),
                                     int(parts["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        stored = hashlib.sha256(key).digest()
        c = base64.b64encode(self.gs2.encode() + self.binding).decode()
        without = f"c={c},r={parts['r']}"
        message = f"{self.bare},{server_first},{without}".encode()
        signature = hmac.digest(stored, message, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature))
        self.wanted = hmac.digest(
            hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
        return f"{without},p={base64.b64encode(proof).decode()}"

    def is_server(self, server_final):
        return base64.b64decode(server_final[2:]) == self.wanted


class OpenSSL:
    """s_client, because Python cannot export keying material."""

    def __init__(self, port):
        self.p = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}",
             "-tls1_3", "-ign_eof", "-crlf", "-keymatexport",
             "EXPORTER-Channel-Binding", "-keymatexportlen", "32"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.binding = None
        while not (line := self.p.stdout.readline()).startswith("220 "):
            assert line, "s_client ended"
            if "Keying material:" in line and ": '" not in line:
                self.binding = bytes.fromhex(line.split(":")[1].strip())

    def ask(self, line):
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()
        while True:
            reply = self.p.stdout.readline()
            assert reply, "closed"
            if reply[:3].isdigit() and reply[3:4] == " ":
                return int(reply[:3]), reply[4:].strip()

    def close(self):
        self.p.stdin.close()
        self.p.kill()
        self.p.wait()
        self.p.stdout.close()


def b64(s):
    return base64.b64encode(s.encode()).decode()


def scram_dialogue(server, mech, client, ask):
    code, text = ask(f"AUTH {mech} {b64(client.first())}")
    if code != 334:
        return code
    code, text = ask(b64(client.final(base64.b64decode(text).decode())))
    if code == 334:
        assert client.is_server(base64.b64decode(text).decode())
        code, text = ask("")
    return code


@pytest.mark.parametrize("how,code", [
    ("right", 235), ("wrong password", 535), ("wrong binding", 535),
    ("downgraded", 535),
])
def test_scram_is_bound_to_its_tls_connection(server, account, how, code):
    c = OpenSSL(server.ports["submissions"])
    try:
        c.ask("EHLO client.example")
        assert c.binding and len(c.binding) == 32
        binding = os.urandom(32) if how == "wrong binding" else c.binding
        password = "x" if how == "wrong password" else account.password
        mech, gs2 = "SCRAM-SHA-256-PLUS", "p=tls-exporter,,"
        if how == "downgraded":
            mech, gs2, binding = "SCRAM-SHA-256", "y,,", b""
        client = Scram(account.login, password, gs2, binding)
        assert scram_dialogue(server, mech, client, c.ask) == code
    finally:
        c.close()
