# SPDX-License-Identifier: ISC
"""Messages that are hard to read: made by hand, one difficulty each.

ODD is [(name, bytes)]; line ends are CRLF but where their absence is the point.
"""
import base64

ODD = []


def odd(name, text, lines=True):
    data = text if isinstance(text, bytes) else text.encode()
    if lines:
        data = data.replace(b"\n", b"\r\n")
    ODD.append((name, data))


def field(name, line):
    """A field in an otherwise plain message."""
    line = line if isinstance(line, bytes) else line.encode()
    odd(name, b"From: a@example.org\n" * (not line.startswith(b"From")) +
        line + b"\n\nbody\n")


def content(name, line):
    """A Content- field in a message that says it is MIME."""
    field(name, "MIME-Version: 1.0\n" + line)


def mixed(name, inside, boundary="b", kind="multipart/mixed", before="",
          param=None):
    param = param or f'boundary="{boundary}"'
    inside = inside if isinstance(inside, bytes) else inside.encode()
    odd(name, f"From: a@example.org\nSubject: {name}\nMIME-Version: 1.0\n"
        f"{before}Content-Type: {kind}; {param}\n\n".encode() + inside)


PART = "Content-Type: text/plain\n\n{}\n"
NESTED = """\
From: Inner <inner@example.org>
To: Someone <one@example.org>
Subject: inner
Date: Mon, 7 Feb 1994 21:52:25 -0800
Message-ID: <inner@example.org>
Content-Type: {}

{}"""

# --- addresses --------------------------------------------------------------

for name, value in [
        ("atom", "a@b.example"),
        ("name", "Ann Example <ann@b.example>"),
        ("quoted-name", '"Example, Ann \\"A\\" \\\\" <ann@b.example>'),
        ("comment-name", "ann@b.example (Ann Example)"),
        ("comment-nested", "ann@b.example (Ann (the one) \\) Example)"),
        ("comments-everywhere", "(a)Ann(b) (c)<(d)ann(e)@(f)b.example(g)>(h)"),
        ("comment-in-bare", "ann(x)@(y)b.example(z)"),
        ("no-domain", "ann"),
        ("no-domain-angle", "Ann <ann>"),
        ("empty-angle", "<>"),
        ("empty-angle-name", "Ann <>"),
        ("empty", ""),
        ("blank", "   "),
        ("comment-only", "(nobody)"),
        ("commas", ",,a@b.example,, ,c@d.example,"),
        ("group", "friends: a@b.example, Bob <b@c.example>;"),
        ("group-empty", "undisclosed-recipients:;"),
        ("group-quoted", '"my friends": a@b.example;'),
        ("group-then-more", "one: a@b.example;, c@d.example, two:;"),
        ("group-open", "friends: a@b.example, b@c.example"),
        ("route", "<@relay.example,@two.example:ann@b.example>"),
        ("route-name", "Ann <@relay.example:ann@b.example>"),
        ("route-commas", "<@a.example,,@b.example:c@d.example>"),
        ("literal-domain", "ann@[192.0.2.1]"),
        ("literal-domain-v6", "<ann@[IPv6:2001:db8::1]>"),
        ("quoted-local", '"ann example"@b.example'),
        ("quoted-local-escape", '"a\\"b\\\\c"@b.example'),
        ("quoted-local-dots", '"a".b."c"@b.example'),
        ("blanks-around", "ann . example @ b . example"),
        ("two-at", "ann@b@c.example"),
        ("two-at-angle", "<ann@b@c.example>"),
        ("words-no-angle", "Ann Example"),
        ("unclosed-angle", "Ann <ann@b.example"),
        ("unclosed-angle-next", "Ann <ann@b.example, bob@c.example"),
        ("unclosed-quote", '"Ann <ann@b.example>'),
        ("unclosed-comment", "ann@b.example (Ann"),
        ("stray-close", "ann@b.example>"),
        ("stray-paren", "ann@b.example)"),
        ("text-behind-angle", "Ann <ann@b.example> of Example"),
        ("name-behind-angle", "<ann@b.example> Ann"),
        ("two-angles", "Ann <a@b.example> <c@d.example>"),
        ("double-angle", "<<ann@b.example>>"),
        ("semicolon-list", "a@b.example; c@d.example"),
        ("mailto", "<mailto:ann@b.example>"),
        ("dot-name", "Ann B. Example <ann@b.example>"),
        ("at-in-name", "ann@b.example <ann@b.example>"),
        ("quoted-parts", '"Ann" of "Example" <ann@b.example>'),
        ("quoted-glued", '"Ann"Example <ann@b.example>'),
        ("brackets", "Ann [Example] <ann@b.example>"),
        ("colon-name", "Re: Ann <ann@b.example>"),
        ("encoded", "=?utf-8?q?J=C3=B6rg?= <j@b.example>"),
        ("encoded-comma", "=?utf-8?q?J=2C?= <j@b.example>"),
        ("encoded-glued", "=?utf-8?q?J?==?utf-8?q?K?= <j@b.example>"),
        ("encoded-quoted", '"=?utf-8?q?J=C3=B6rg?=" <j@b.example>'),
        ("encoded-comment", "j@b.example (=?utf-8?q?J=C3=B6rg?=)"),
        ("encoded-group", "=?utf-8?q?G?=: a@b.example;"),
        ("utf8", "Jörg <jörg@bücher.example>"),
        ("dots", "..a..b..@..c..d.."),
        ("folded", "Ann\n Example\n\t<ann@\n b.example>"),
        ("folded-quoted", '"Ann\n Example" <ann@b.example>'),
        ("trailing-dot", "ann@b.example."),
        ("backslash-name", "Ann \\(x\\) <ann@b.example>"),
        ("tabs", "Ann\t\tExample\t<ann@b.example>"),
        ("many-blanks", "Ann   Example   <ann@b.example>"),
        ("only-at", "@"),
        ("only-domain", "@b.example"),
        ("only-domain-angle", "<@b.example>"),
        ("only-colon", ":"),
        ("only-semicolon", ";"),
]:
    field(f"address-{name}", f"From: {value}")

field("address-latin1", b"From: J\xf6rg <j@b.example>")
field("address-many", "To: " + ",\n ".join(
    f"User {i} <u{i}@b.example>" for i in range(300)))
field("sender-empty", "Sender:\nReply-To: ")
field("sender-group-empty", "Sender: nobody:;\nReply-To: all:;")
field("to-twice", "To: a@b.example\nTo: c@d.example\nCc: e@f.example\n"
      "CC: g@h.example")
field("from-twice", "From: a@b.example\nFrom: c@d.example\nSubject: one\n"
      "Subject: two\nMessage-ID: <1@x>\nMessage-ID: <2@x>\n"
      "Date: Mon, 7 Feb 1994 21:52:25 -0800\n"
      "Date: Tue, 8 Feb 1994 21:52:25 -0800")
field("from-empty-first", "From:\nFrom: c@d.example\nTo: \nTo: x@y.example")

# --- other fields -----------------------------------------------------------

field("subject-empty", "Subject:")
field("subject-blank", "Subject:   ")
field("subject-no-blank", "Subject:x")
field("subject-tab", "Subject:\tx\ty\t")
field("subject-trailing", "Subject: x   ")
field("subject-folded", "Subject: one\n two\n\tthree\n  \n four")
field("subject-folded-first", "Subject:\n one")
field("subject-folded-blank", "Subject: one\n \n\t\n two")
field("subject-colon-blank", "Subject : x")
field("subject-lower", "sUbJeCt: x")
field("subject-quotes", 'Subject: "quoted" \\back\\ slash')
field("subject-utf8", "Subject: Grüße aus Köln")
field("subject-latin1", b"Subject: Gr\xfc\xdfe")
field("subject-encoded", "Subject: =?iso-8859-1?q?Gr=FC=DFe?= "
      "=?utf-8?b?YXVzIEvDtmxu?=")
field("subject-encoded-bad", "Subject: =?utf-8?q?a b?= =?x?= =?utf-8?z?a?= "
      "=?utf-8?b?!!?= =?nonsense?q?x?=")
field("subject-encoded-inside", "Subject: a=?utf-8?q?b?=c =?utf-8?q??=")
field("subject-encoded-split", "Subject: =?utf-8?b?w7Y=?=\n =?utf-8?b?w7Y=?=")
field("subject-long", "Subject: " + "x" * 1990)
field("subject-long-quoted", "Subject: " + 'x"y\\' * 240)
field("subject-folded-long", "Subject: " + "\n ".join(["word" * 15] * 25))
field("subject-control", "Subject: a\x01b\x7fc\x1bd")
field("subject-bare-cr", b"Subject: a\rb")
field("received-huge", "X-Long: " + "y" * 200000 + "\nSubject: behind")
field("many-fields", "\n".join(f"X-{i}: {i}" for i in range(3000)) +
      "\nSubject: last")
field("message-id-odd", "Message-ID: <a b@c> (comment)\n"
      "In-Reply-To: Your message of Monday <x@y> <z@w>\n"
      "References: <1@x>\n <2@x>")
field("message-id-bare", "Message-ID: a@b\nIn-Reply-To:")
field("message-id-folded", "Message-ID:\n <a@b>\nIn-Reply-To: <x@y>\n <z@w>")
for name, value in [
        ("plain", "Mon, 7 Feb 1994 21:52:25 -0800"),
        ("zone-name", "Mon, 7 Feb 1994 21:52:25 PST"),
        ("two-digits", "Mon, 7 Feb 94 21:52:25 GMT"),
        ("no-seconds", "7 Feb 1994 21:52 +0000"),
        ("no-zone", "Mon, 7 Feb 1994 23:59:59"),
        ("comment", "Mon, 7 Feb 1994 21:52:25 -0800 (PST)"),
        ("folded", "Mon, 7 Feb 1994\n 21:52:25 -0800"),
        ("nonsense", "yesterday"),
        ("empty", ""),
        ("late", "Mon, 7 Feb 1994 23:59:59 -0800"),
        ("early", "Mon, 7 Feb 1994 00:00:01 +0900"),
        ("bad-day", "Mon, 30 Feb 1994 00:00:01 +0900"),
        ("no-comma", "Mon 7 Feb 1994 21:52:25 -0800"),
        ("ctime", "Mon Feb  7 21:52:25 1994"),
        ("dashes", "Mon, 7-Feb-94 21:52:25 +0100"),
]:
    field(f"date-{name}", f"Date: {value}")
odd("no-header", "\nonly a body\n")
odd("no-body", "From: a@b.example\nSubject: x\n")
odd("no-body-empty-line", "From: a@b.example\nSubject: x\n\n")
odd("no-fields", "not a header\nat all\n\nbody\n")
odd("from-line-inside", "From: a@b.example\nFrom someone Mon Feb 7 1994\n"
    "Subject: x\n\nbody\n")
odd("field-no-colon", "From: a@b.example\nnonsense\nSubject: x\n\nbody\n")
odd("field-blank-name", "From: a@b.example\nbad name: y\nSubject: x\n\nb\n")
odd("field-empty-name", "From: a@b.example\n: y\nSubject: x\n\nb\n")
odd("field-continued-nothing", " begins with a blank\nSubject: x\n\nb\n")
odd("blank-line-with-blanks", "From: a@b.example\n  \nSubject: x\n\nbody\n")
odd("no-final-line-end", "From: a@b.example\n\nno line end")
odd("only-blank-line", "\n")
odd("bare-cr-body", b"From: a@b.example\r\n\r\none\rtwo\r\rthree\r\n",
    lines=False)
odd("bare-cr-header", b"From: a@b.example\rSubject: no\r\nSubject: x\r\n\r\n"
    b"body\r\n", lines=False)
odd("8bit-body", b"From: a@b.example\nMIME-Version: 1.0\n"
    b"Content-Type: text/plain; "
    b"charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\nK\xf6ln\n")
odd("qp-body", "From: a@b.example\nMIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=utf-8\n"
    "Content-Transfer-Encoding: quoted-printable\n\nK=C3=B6ln un=\nbroken "
    "=3D =zz =\n")
odd("base64-body", "From: a@b.example\nMIME-Version: 1.0\n"
    "Content-Type: text/plain; "
    "charset=iso-8859-15\nContent-Transfer-Encoding: base64\n\n" +
    base64.encodebytes("Preis: 5 €, in Köln".encode("iso-8859-15")).decode())
odd("base64-body-bad", "From: a@b.example\nMIME-Version: 1.0\n"
    "Content-Type: text/plain\n"
    "Content-Transfer-Encoding: base64\n\nSGVsbG8=\n!!\nd29ybGQ\n")

# --- content fields ---------------------------------------------------------

for name, value in [
        ("no-subtype", "text"),
        ("no-subtype-slash", "text/"),
        ("no-type", "/plain"),
        ("empty", ""),
        ("blanks", " text / plain ; charset = us-ascii "),
        ("comments", "(a) text (b) / (c) plain (d); (e) charset (f) = (g) "
         "utf-8 (h)"),
        ("upper", "TEXT/HTML; CHARSET=UTF-8"),
        ("unknown", "X-Strange/x.strange+thing"),
        ("bad-chars", "text/pla<in>"),
        ("semicolons", "text/plain;;; charset=utf-8;;"),
        ("no-semicolon", "text/plain charset=utf-8"),
        ("quoted", 'text/plain; charset="utf-8"; name="a \\"b\\" c.txt"'),
        ("unquoted-blanks", "text/plain; name=a file name.txt; charset=utf-8"),
        ("unclosed-quote", 'text/plain; name="a file; charset=utf-8'),
        ("empty-value", 'text/plain; name=; charset=""'),
        ("no-value", "text/plain; name; charset=utf-8"),
        ("no-name", "text/plain; =x; charset=utf-8"),
        ("twice", "text/plain; name=a; name=b"),
        ("utf8", "text/plain; name=äö.txt"),
        ("utf8-quoted", 'text/plain; name="äö.txt"'),
        ("encoded-word", 'text/plain; name="=?utf-8?q?=C3=A4?="'),
        ("tspecials", "text/plain; name=a/b:c@d?e"),
        ("parens", "text/plain; name=a(b)c; charset=utf-8"),
        ("rfc2231", "text/plain; name*=utf-8'en'%C3%A4.txt"),
        ("rfc2231-parts", "text/plain; name*0=one; name*1=two; name*2=three"),
        ("rfc2231-mixed", "text/plain; name*0*=utf-8''%C3%A4;\n name*1=b%c;"
         " name*2*=%C3%B6"),
        ("rfc2231-order", "text/plain; name*2=c; name*0=a; name*1=b"),
        ("rfc2231-hole", "text/plain; name*0=a; name*2=c"),
        ("rfc2231-no-zero", "text/plain; name*1=b; name*2=c"),
        ("rfc2231-both", "text/plain; name=plain; name*=utf-8''better"),
        ("rfc2231-quoted", "text/plain; name*0=\"a b\"; name*1=\" c d\""),
        ("rfc2231-case", "text/plain; NAME*0=a; name*1=b"),
        ("rfc2231-leading-zero", "text/plain; name*00=a; name*01=b"),
        ("rfc2231-twice", "text/plain; name*0=a; name*0=x; name*1=b"),
        ("rfc2231-star-star", "text/plain; name**=a; name***=b; *=c; *0=d"),
        ("trailing-text", "text/plain; charset=utf-8 and more"),
        ("folded", "text/plain;\n charset=utf-8;\n\tname=x"),
        ("folded-quoted", 'text/plain; name="one\n two"'),
        ("single-quotes", "text/plain; charset='utf-8'"),
        ("two-slashes", "text/plain/more; charset=utf-8"),
        ("equals-in-value", "text/plain; name=a=b; charset=utf-8"),
        ("message-partial", "message/partial; id=x; number=1; total=2"),
        ("message-external", "message/external-body; access-type=x"),
        ("message-status", "message/delivery-status"),
        ("message-rfc822", "message/rfc822"),
        ("message-global", "message/global"),
        ("message-x", "message/x"),
]:
    content(f"type-{name}", f"Content-Type: {value}")
for name, value in [
        ("attachment", "attachment; filename=x.txt"),
        ("inline", "INLINE"),
        ("empty", ""),
        ("params-only", "; filename=x"),
        ("quoted", '"attachment"; filename=x'),
        ("size", "attachment; filename=\"a b\"; size=10; "
         "creation-date=\"Mon, 7 Feb 1994 21:52:25 -0800\""),
        ("rfc2231", "attachment; filename*0*=utf-8''a%20; filename*1=b"),
        ("comment", "attachment (yes); filename=x (no)"),
        ("nonsense", "filename=x"),
]:
    content(f"disposition-{name}", f"Content-Disposition: {value}")
for name, value in [
        ("upper", "BASE64"), ("unknown", "x-foo"), ("empty", ""),
        ("comment", "7bit (really)"), ("comment-first", "(x) base64"),
        ("quoted", '"base64"'), ("semicolon", "7bit; x"),
        ("words", "base 64"), ("blank", "  8bit  ")]:
    content(f"encoding-{name}", f"Content-Transfer-Encoding: {value}")
for name, value in [
        ("one", "en"), ("two", "en, de"), ("comment", "en (x), (y) de"),
        ("empty", ""), ("commas", ",en,,de,"), ("quoted", '"en"')]:
    content(f"language-{name}", f"Content-Language: {value}")
content("content-other", "Content-ID: <x@y>\n"
        "Content-Description: a =?utf-8?q?b?="
      "\n c\nContent-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\n"
      "Content-Location: http://example.org/\n a b")
content("content-other-empty", "Content-ID:\n"
        "Content-Description: \nContent-MD5:"
      "\nContent-Location:")
content("content-id-comment", "Content-ID: (c) <x@y> (d)\n"
      "Content-Description: (c) \"d\" e")
content("content-twice", "Content-Type: text/html\nContent-Type: text/plain\n"
      "Content-ID: <1@x>\nContent-ID: <2@x>\n"
      "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit")
content("content-type-empty-first", "Content-Type:\nContent-Type: text/html")

# --- multiparts -------------------------------------------------------------

mixed("multi-plain", "--b\n" + PART.format("one") + "--b\n" +
      PART.format("two") + "--b--\n")
mixed("multi-preamble",
      "pre\namble\n--b\n\none\n--b\n\ntwo\n--b--\nepi\nlogue\n")
mixed("multi-no-close", "--b\n\none\n--b\n\ntwo\n")
mixed("multi-no-close-no-end", "--b\n\none\n--b\n\ntwo")
mixed("multi-never", "no delimiter\n")
mixed("multi-only-close", "text\n--b--\nmore\n")
mixed("multi-nothing", "")
mixed("multi-empty-parts", "--b\n--b\n\n--b\n\n\n--b--\n")
mixed("multi-header-only", "--b\nContent-Type: text/html\n--b\n"
      "Content-Type: text/html\n\n--b--\n")
mixed("multi-close-twice", "--b\n\none\n--b--\n--b\n\ntwo\n--b--\n")
mixed("multi-blanks-behind", "--b  \n\none\n--b\t\n\ntwo\n--b-- \n")
mixed("multi-text-behind", "--bx\n\none\n--b\n\ntwo\n--b--x\n")
mixed("multi-delimiter-glued", "--b\n\none --b\n--b\n\ntwo\n--b--\n")
mixed("multi-no-empty-line", "--b\none\n--b--\n")
mixed("multi-boundary-blanks", "--a b c\n\none\n--a b c\n\ntwo\n--a b c--\n",
      boundary="a b c")
mixed("multi-boundary-trailing", "--b\n\none\n--b \n\ntwo\n--b--\n",
      boundary="b ")
mixed("multi-boundary-70", f"--{'x' * 70}\n\none\n--{'x' * 70}--\n",
      boundary="x" * 70)
mixed("multi-boundary-200", f"--{'x' * 200}\n\none\n--{'x' * 200}--\n",
      boundary="x" * 200)
mixed("multi-boundary-quotes", '--a"b\\c\n\none\n--a"b\\c--\n',
      boundary='a\\"b\\\\c')
mixed("multi-boundary-chars", "--a'()+_,-./:=?\n\none\n--a'()+_,-./:=?--\n",
      boundary="a'()+_,-./:=?")
mixed("multi-boundary-bare", "--a=b_c\n\none\n--a=b_c--\n",
      param="boundary=a=b_c")
mixed("multi-boundary-none", "--b\n\none\n--b--\n", param="charset=utf-8")
mixed("multi-boundary-empty", "--\n\none\n----\n", boundary="")
mixed("multi-boundary-2231", "--ab\n\none\n--ab--\n",
      param="boundary*0=a; boundary*1=b")
mixed("multi-boundary-2231-ext", "--ab\n\none\n--ab--\n",
      param="boundary*=us-ascii''ab")
mixed("multi-boundary-twice", "--b\n\none\n--c\n\ntwo\n--b--\n",
      param="boundary=b; boundary=c")
mixed("multi-boundary-dashes", "----\n\none\n------\n", boundary="--")
mixed("multi-no-subtype", "--b\n\none\n--b--\n", kind="multipart")
mixed("multi-unknown", "--b\n\none\n--b--\n", kind="multipart/x-unknown")
mixed("multi-upper", "--b\n\none\n--b--\n", kind="MULTIPART/Mixed")
mixed("multi-encoded", "--b\n\none\n--b--\n",
      before="Content-Transfer-Encoding: base64\n")
mixed("multi-extension", "--b\n\none\n--b--\n",
      before="Content-Disposition: inline; x=y\nContent-Language: en, de\n"
      "Content-Location: here\nContent-ID: <x@y>\n")
mixed("multi-alternative", "--b\n" + PART.format("one") +
      "--b\nContent-Type: text/html\n\n<p>two</p>\n--b--\n",
      kind="multipart/alternative")
mixed("multi-prefix", '--ab\nContent-Type: multipart/mixed; boundary=abc\n\n'
      '--abc\n\none\n--abc\n\ntwo\n--abc--\n--ab\n\nthree\n--ab--\n',
      boundary="ab")
mixed("multi-prefix-reverse",
      '--abc\nContent-Type: multipart/mixed; boundary=ab\n\n'
      '--ab\n\none\n--ab\n\ntwo\n--ab--\n--abc\n\nthree\n--abc--\n',
      boundary="abc")
mixed("multi-same-boundary", '--b\nContent-Type: multipart/mixed; boundary=b\n'
      '\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n')
mixed("multi-inner-open", '--b\nContent-Type: multipart/mixed; boundary=c\n\n'
      '--c\n\none\n--b\n\ntwo\n--b--\n')
mixed("multi-inner-never", '--b\nContent-Type: multipart/mixed; boundary=c\n\n'
      'nothing\n--b\n\ntwo\n--b--\n')
mixed("multi-inner-in-header", '--b\nContent-Type: multipart/mixed; boundary=c'
      '\n--b\n\ntwo\n--b--\n')
mixed("multi-deep", "".join(
    f"--b{i}\nContent-Type: multipart/mixed; boundary=b{i + 1}.\n\n"
    .replace(f"--b{i}\n", f"--b{i}.\n") for i in range(30)) +
    "--b30.\n\ndeep\n--b30.--\n", boundary="b0.")
mixed("multi-many", "".join(f"--b\n\n{i}\n" for i in range(150)) + "--b--\n")
mixed("multi-8bit", b"--b\nContent-Type: text/plain; charset=iso-8859-1\n\n"
      b"K\xf6ln\n--b\nContent-Type: application/octet-stream; "
      b"name=\xf6.bin\n\n\xff\xfe\n--b--\n")
mixed("digest", "--b\n\n" + NESTED.format("text/plain", "one\n") +
      "--b\nContent-Type: text/plain\n\nnot a message\n--b--\n",
      kind="multipart/digest")
mixed("digest-empty", "--b\n--b\n\n--b--\n", kind="multipart/digest")
mixed("parallel-report", "--b\n\ntext\n--b\nContent-Type: "
      "message/delivery-status\n\nReporting-MTA: dns; x\n\n--b\nContent-Type: "
      "text/rfc822-headers\n\nFrom: a@b\n\n--b--\n",
      kind="multipart/report; report-type=delivery-status")

# --- messages in messages ---------------------------------------------------

mixed("nested", "--b\nContent-Type: message/rfc822\n\n" +
      NESTED.format("text/plain", "text\n") + "--b--\n")
mixed("nested-multi", "--b\nContent-Type: message/rfc822\n\n" +
      NESTED.format("multipart/mixed; boundary=c",
                    "--c\n\none\n--c\n\ntwo\n--c--\n") +
      "--b\n\nlast\n--b--\n")
mixed("nested-multi-open", "--b\nContent-Type: message/rfc822\n\n" +
      NESTED.format("multipart/mixed; boundary=c", "--c\n\none\n--c\n\ntwo\n") +
      "--b\n\nlast\n--b--\n")
mixed("nested-empty", "--b\nContent-Type: message/rfc822\n\n--b--\n")
mixed("nested-empty-line", "--b\nContent-Type: message/rfc822\n\n\n--b--\n")
mixed("nested-no-body", "--b\nContent-Type: message/rfc822\n\nSubject: x\n"
      "--b--\n")
mixed("nested-no-line", "--b\nContent-Type: message/rfc822\n--b--\n")
mixed("nested-thrice", "--b\nContent-Type: message/rfc822\n\n" + NESTED.format(
    "message/rfc822", NESTED.format("message/rfc822", NESTED.format(
        "text/html", "<p>\n"))) + "--b--\n")
mixed("nested-base64", "--b\nContent-Type: message/rfc822\n"
      "Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(
          NESTED.format("text/plain", "x\n").encode()).decode() + "--b--\n")
mixed("nested-params", "--b\nContent-Type: message/rfc822; name=\"x.eml\"\n"
      "Content-Disposition: attachment\nContent-Description: a mail\n\n" +
      NESTED.format("text/plain", "x\n") + "--b--\n")
odd("message-in-message", "From: a@example.org\n"
    "MIME-Version: 1.0\nContent-Type: message/rfc822\n\n"
    + NESTED.format("text/plain", "text\n"))
odd("message-in-message-multi", "From: a@example.org\n"
    "MIME-Version: 1.0\nContent-Type: "
    "message/rfc822\n\n" + NESTED.format("multipart/mixed; boundary=c",
                                         "--c\n\none\n--c\n\ntwo\n--c--\n"))
odd("message-in-message-twice", "From: a@example.org\n"
    "MIME-Version: 1.0\nContent-Type: "
    "message/rfc822\n\n" + NESTED.format("message/rfc822", NESTED.format(
        "multipart/mixed; boundary=c", "--c\n\none\n--c--\n")))
odd("no-mime-version-plain", "From: a@example.org\nContent-Type: text/html; "
    "charset=utf-8\nContent-Transfer-Encoding: base64\n"
    "Content-Disposition: inline\n\nPGI+\n")
odd("no-mime-encoding", "From: a@example.org\nContent-Transfer-Encoding: "
    "base64\n\nSGVsbG8=\n")
odd("no-mime-version", "From: a@example.org\nContent-Type: multipart/mixed; "
    "boundary=b\n\n--b\n\none\n--b--\n")
