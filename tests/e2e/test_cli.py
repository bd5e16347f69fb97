# SPDX-License-Identifier: ISC
"""The command line as a whole: the parser, --help, the manual page and the
completion of bash say the same of every command and option. No server runs."""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess

import pytest

from lib.instance import BINARY

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
NOWHERE = ["-c", "/nonexistent/mailstead.conf", "-d", "/nonexistent"]


def run(*words):
    return subprocess.run([BINARY, *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False, timeout=60)


def verbs_of(line):
    """("queue", "retry|hold", ...) as [("queue", "retry"), ("queue", "hold")];
    a line without sub-commands as [("dns",)]."""
    words = line.split()
    heads = [(words[0],)]
    deep = 3 if words[:2] in (["watch", "agent"], ["feedback", "show"]) else 2
    for word in words[1:deep]:
        if not re.fullmatch(r"[a-z][a-z|-]*", word):
            break
        heads = [h + (v,) for h in heads for v in word.split("|")]
    return heads


def usage_of(*command):
    """The usage lines of --help, as {command: options}."""
    text = run(*command, "--help").stdout.split("\n\n")[0]
    assert max(map(len, text.splitlines())) < 80, "a terminal's width"
    text = re.sub(r"\n {17}", " ", text)
    found = {}
    for line in text.splitlines():
        line = re.sub(r"^(usage:|      ) mailstead ", "", line)
        for head in verbs_of(line):
            found.setdefault(head, set()).update(OPTION.findall(line))
    return found


@pytest.fixture(scope="module")
def commands():
    """{("queue", "list"): {"--sender", ...}, ...} by --help."""
    names = re.findall(r"^  ([a-z-]+)(?: .*)?$",
                       run("--help").stdout.split("\nOptions:")[0], re.M)
    assert len(names) > 25
    assert max(map(len, run("--help").stdout.splitlines())) < 80
    found = {}
    for name in names:
        found.update(usage_of(name))
    return found


def test_each_sub_command_tells_of_its_own_options_alone(commands):
    for command, options in commands.items():
        alone = usage_of(*command)
        if command in (("check",), ("status",), ("reach",)):
            continue  # shows all, for its --help is that of the whole family
        assert command in alone, command
        assert {frozenset(o) for o in alone.values()} == {
            frozenset(options)}, command


def test_the_parser_takes_what_help_names_and_nothing_else(commands):
    """Of each command, every option that it or one of its siblings has."""
    tries = []
    for command, own in commands.items():
        family = {o for c, have in commands.items() if c[0] == command[0]
                  for o in have} | {"--never-heard-of"}
        tries += [(command, o, o in own) for o in sorted(family)]
    assert len(tries) > 500

    def is_taken(one):
        command, option, _ = one
        said = run(*NOWHERE, *command, option)
        return f"unknown option {option} " not in said.stderr

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(is_taken, tries))
    wrong = [(" ".join(command), option, "taken" if took else "refused")
             for (command, option, should), took in zip(tries, taken)
             if took != should]
    assert wrong == []


def heads_of_the_page():
    """The heads of items of mailstead(8), each in one line without macros."""
    lines = (ROOT / "man" / "mailstead.8").read_text().splitlines()
    while lines:
        line = lines.pop(0)
        while line.endswith("\\"):
            line = line[:-1] + lines.pop(0)
        if not line.startswith(".It"):
            continue
        if line.strip() == ".It Xo":
            line = ".It"
            while not lines[0].startswith(".Xc"):
                line += " " + lines.pop(0).lstrip(".")
        words = re.sub(r"(\bFl|\|) -", r"\1 --", line).split()[1:]
        yield " ".join(w for w in words if w not in (
            "Cm", "Ar", "Op", "Oo", "Oc", "No", "Ns", "Fl"))


def test_the_manual_page_has_the_options_of_each_command(commands):
    """But for --json, which it explains once for all."""
    heads = list(heads_of_the_page())
    selectors = {o for h in heads if h.startswith("--") for o in
                 OPTION.findall(h)} - {"--help", "--version"}
    page = {}
    for head in heads:
        for command in verbs_of(head):
            while command and command not in commands:
                command = command[:-1]  # what follows is an argument
            if not command:
                continue
            options = set(OPTION.findall(head))
            if "selector ..." in head:
                options |= selectors
            page.setdefault(command, set()).update(options)
    usage = {c: o - {"--json"} for c, o in commands.items()}
    assert [f"{' '.join(c)}: more {sorted(o - usage[c])}, "
            f"missing {sorted(usage[c] - o)}"
            for c, o in page.items() if usage[c] != o] == []
    assert set(usage) - set(page) == set()


def test_json_may_stand_in_front_of_the_command():
    told = run("--json", *NOWHERE, "key", "list")
    assert "error" in json.loads(told.stdout) and told.returncode != 0
    told = run("--json", *NOWHERE, "metrics")
    assert told.returncode == 2 and "no JSON" in told.stderr


def test_the_reason_stands_before_the_usage():
    for words, reason in ((("queue", "retry"), "--all is everything"),
                          (("queue", "reroute"), "the way"),
                          (("route", "add", "bad.example 127.0.0.1:25"),
                           "two words")):
        told = run(*NOWHERE, *words)
        assert told.returncode == 2, words
        first, rest = told.stderr.split("\n", 1)
        assert reason in first and rest.startswith("usage: "), told.stderr


def help_of(*command):
    """What --help says of a command, below its usage lines."""
    return run(*command, "--help").stdout.split("\n\n", 1)[1]


def test_each_sub_command_has_a_text_of_its_own(commands):
    """Not that of a neighbour, a sentence before its JSON, and no macros."""
    seen = {}
    for command in commands:
        text = help_of(*command).removesuffix("\nSee mailstead(8).\n")
        name = " ".join(command)
        assert re.match(r"[A-Z][^.]*[a-z]", text.lstrip()), (name, text)
        assert not text.startswith("JSON"), name
        leftovers = re.findall(r"\\[^\\ \n]|\bNo (?:and|or)\b|(?<=, )No\b|"
                               r"\b(?:Ns|Cm|Va|Ql|Pq|Oo|Oc|Xo|Xc|Qq)\b|\"\"",
                               text)
        assert leftovers == [], (name, text)
        assert text not in seen, (name, seen[text])
        assert text.count("JSON: ") <= 1 or len(command) == 1, (name, text)
        seen[text] = name


# --- completion ------------------------------------------------------------------

LISTS = {
    "system list": "SYSTEM ROLE\nNC036 mail\nshop web",
    "check list": "CHECK KIND\nNC036/smtp smtp\nshop/http http",
    "post list": "NUMBER TITLE\n12 x\n13 y",
    "post show 12": "Post          12\nKind          maintenance\nState  planned",
    "post show 13": "Post          13\nKind          incident\nKind          x",
    "subscriber list": "TO STATE\na@b.example confirmed",
    "alert list": "NAME TO\nnight mail",
    "domain list": "DOMAIN USERS\nexample.org 1",
    "user list": "USER SIZE\nalice@example.org 1",
    "watch agent list": "AGENT NETWORK\nlusaka AS37146",
    "reach signals": "SIGNAL STATE\n7 suspected",
    "reach": "NETWORK ALL\nAS1136 5",
    "route groups": "GROUP DOMAINS\ngoogle gmail.com",
    "queue list": "ID STATE\nabc held",
}
COMPLETE = r"""
source "$1"; shift
COMP_LINE=$1 COMP_POINT=${#1}; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_mailstead
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """What bash would offer behind a line; lists are those of above."""
    program = tmp_path_factory.mktemp("bin") / "mailstead"
    cases = "".join(f"'{k}') printf '%s\\n' '{v}'; exit;;\n"
                    for k, v in LISTS.items())
    program.write_text('#!/bin/bash\n[[ $1 != -d ]] || shift 2\n'
                       f'case "$*" in\n{cases}esac\nexec {BINARY} "$@"\n')
    program.chmod(0o755)

    def offered(line):
        line = f"{program} {line}"
        # As readline cuts, with its COMP_WORDBREAKS.
        words = re.findall(r"[=:]+|[^\s=:]+", line)
        if line.endswith((" ", "=", ":")):
            words.append("")
        done = subprocess.run(
            ["bash", "--norc", "-c", COMPLETE, "bash",
             ROOT / "packaging" / "mailstead.bash", line, *words],
            capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0 and not done.stderr, (line, done.stderr)
        return sorted(set(done.stdout.split()))
    return offered


def test_completion_has_the_commands_and_their_sub_commands(
        commands, complete):
    names = {c[0] for c in commands}
    assert set(complete("")) == names | {"help", "-c", "-d", "--help",
                                         "--version"}
    assert set(complete("help ")) == names | {"help"}
    for name in names:
        verbs = {c[1] for c in commands if c[0] == name and len(c) > 1}
        if not verbs:
            continue
        got = {w for w in complete(f"{name} ") if not w.startswith("-")}
        assert got == verbs, name


def test_completion_has_the_options_of_each_command(commands, complete):
    lines = {" ".join(c) + " --": sorted(o) for c, o in commands.items()}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert dict(zip(lines, pool.map(complete, lines))) == lines


@pytest.mark.parametrize("line, want", [
    ("post new incident x --affects ", "NC036 shop"),
    ("post new incident x --affects NC036,s", "NC036,shop"),
    ("post new incident x --affects=s", "shop"),
    ("post new ", "incident maintenance notice post-mortem"),
    ("post new incident x --state ",
     "identified investigating monitoring resolved"),
    ("post new maintenance x --state in", "in-progress"),
    ("post new notice x --state ", ""),
    ("post update 12 --state ", "done in-progress planned"),
    ("post update 13 --state=re", "resolved"),
    ("post update --state mon", "monitoring"),
    ("post update 1", "12 13"),
    ("post edit 13 --incident ", "12 13"),
    ("subscriber add a@b.example --systems N", "NC036"),
    ("subscriber add a@b.example --language ", "en fr pt"),
    ("subscriber confirm ", "--json a@b.example"),
    ("system add web1 w", "web"),
    ("system change ", "NC036 shop"),
    ("system change NC036 --role prim", "primary-ns"),
    ("system add x web --parents NC036,n", "NC036,none"),
    ("check add ", "NC036/ shop/"),
    ("check add NC036/dns so", "soa"),
    ("check add shop/http http https://x.example/ j", "json="),
    ("check add shop/http http https://x.example/ tl", ""),
    ("check add NC036/imap imap mail.example.org:143 tls=", "implicit never "
     "starttls"),
    ("check add NC036/imap imap host at=l", "lusaka"),
    ("check change NC036/smtp ta", "target="),
    ("check show s", "shop/http"),
    ("alert add day m", "mail= min=degraded min=down"),
    ("alert add day min=d", "degraded down"),
    ("alert add day mail=x system=s", "shop"),
    ("alert test ", "--json night"),
    ("reach ", "--json --network --service --since --tls approve check dismiss"
     " draft letter signals"),
    ("reach --network ", "AS1136"),
    ("reach letter A", "AS1136"),
    ("reach approve ", "--json --text 7"),
    ("reach draft 7 --language p", "pt"),
    ("watch agent ", "add list remove show"),
    ("watch agent show l", "lusaka"),
    ("watch agent add x n", "network="),
    ("watch status s", "shop/http"),
    ("queue list --state h", "held"),
    ("feedback show ", "--domain --json --since abuse dmarc tls"),
    ("feedback list --kind t", "tls"),
    ("account limit alice@example.org --recipients n", "none"),
    ("dkim add example.org --algorithm ", "ed25519 rsa"),
    ("tls-rule add example.net v", "verify"),
    ("route avoid goo", "google"),
    ("dns exa", "example.org"),
    ("-d /somewhere user passwd ali", "alice@example.org"),
])
def test_completion_knows_what_comes_next(complete, line, want):
    got = complete(line)
    if not want.startswith("-") and " --" not in want:
        got = [w for w in got if not w.startswith("--")]
    assert got == sorted(want.split())
