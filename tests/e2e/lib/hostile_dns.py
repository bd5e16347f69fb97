# SPDX-License-Identifier: ISC
"""A name server on loopback that means harm: what it does is the first label
that it knows in the name that is asked for. Names below honest.example are
answered as a zone would: records is {(name, type): [text, ...]}.

silent    never an answer           wrongid   another id, over and over
servfail, refused, formerr          noise     bytes that are no message
tc        cut off, over TCP too     tcsilent  cut off, and TCP says nothing
tchalf    half an answer over TCP   cnames    each name is an alias of another
loop      two aliases of each other self      an alias of itself
pointer   names that point to themselves
other     the answer to another question      othernx   its NXDOMAIN
many      more records than fit     wide      one record of 64 KB
flap      NXDOMAIN and SERVFAIL in turn
"""
import collections
import errno
import os
import socket
import struct
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

MANY = {"A": "192.0.2.{}", "AAAA": "2001:db8::{:x}", "MX": "{} mx{}.many.example.",
        "TXT": '"v=spf1 include:i{}.many.example -all"',
        "TLSA": "3 1 1 " + "ab" * 30 + "{:04x}", "PTR": "p{}.many.example.",
        "CNAME": "c{}.many.example."}
KINDS = {"silent", "wrongid", "servfail", "refused", "formerr", "noise", "tc",
         "tcsilent", "tchalf", "cnames", "loop", "self", "pointer", "other",
         "many", "wide", "flap", "nxdomain", "nodata", "othernx"}


def one_port():
    """Sockets of UDP and TCP with one number: a port that is free for the one may
    be somebody's connection for the other."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket()
        try:
            udp.bind(("127.0.0.1", 0))
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tcp.bind(udp.getsockname())
            return udp, tcp
        except OSError as e:
            udp.close()
            tcp.close()
            if e.errno != errno.EADDRINUSE:
                raise


class HostileServer:
    def __init__(self, records=None):
        self.records = {(n.lower(), t): v for (n, t), v in
                        (records or {}).items()}
        self.asked = collections.Counter()
        self.udp, self.tcp = one_port()
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.tcp.listen(100)
        port = self.udp.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self.is_over = False
        self.held = []
        for run in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=run, daemon=True).start()

    def close(self):
        self.is_over = True
        self.udp.close()
        self.tcp.close()

    # --- the two transports ---------------------------------------------------

    def serve_udp(self):
        while not self.is_over:
            try:
                raw, peer = self.udp.recvfrom(4096)
                for answer in self.answers(raw, False):
                    self.udp.sendto(answer, peer)
            except (OSError, dns.exception.DNSException):
                continue

    def serve_tcp(self):
        while not self.is_over:
            try:
                c, _ = self.tcp.accept()
            except OSError:
                return
            self.held.append(c)
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def talk(self, c):
        c.settimeout(60)
        try:
            with c.makefile("rb") as f:
                while head := f.read(2):
                    raw = f.read(struct.unpack("!H", head)[0])
                    for answer in self.answers(raw, True):
                        c.sendall(answer)
        except (OSError, struct.error, dns.exception.DNSException):
            pass

    # --- what is said ---------------------------------------------------------

    def answers(self, raw, is_tcp):
        q = dns.message.from_wire(raw)
        if not q.question:
            return
        name = str(q.question[0].name).lower()
        kind = dns.rdatatype.to_text(q.question[0].rdtype)
        labels = name.rstrip(".").split(".")
        self.asked[labels[-2] if len(labels) > 1 else name] += 1
        what = next((w for w in labels if w in KINDS), "honest")
        for wire in getattr(self, f"say_{what}")(q, name, kind, is_tcp):
            yield (struct.pack("!H", len(wire)) if is_tcp else b"") + wire

    def reply(self, q, rcode=dns.rcode.NOERROR, records=()):
        """records: (name, type, texts)."""
        r = dns.message.make_response(q, recursion_available=True)
        r.set_rcode(rcode)
        for name, kind, texts in records:
            if texts:
                r.answer.append(dns.rrset.from_text_list(
                    name, 60, "IN", kind, texts))
        return r

    def wire(self, r, is_tcp, cut=False):
        try:
            w = r.to_wire(max_size=65535 if is_tcp else 1232)
        except dns.exception.TooBig:
            cut = True
        if cut:
            r.answer = []
            r.flags |= dns.flags.TC
            w = r.to_wire()
        return w

    def plain(self, q, is_tcp, *records):
        return [self.wire(self.reply(q, records=records), is_tcp)]

    def say_honest(self, q, name, kind, is_tcp):
        n = name.rstrip(".")
        found = self.records.get((n, kind))
        r = self.reply(q, records=[(name, kind, found)])
        if not found and not any(k[0] == n or k[0].endswith("." + n)
                                 for k in self.records):
            r.set_rcode(dns.rcode.NXDOMAIN)
        return [self.wire(r, is_tcp)]

    def say_silent(self, *_):
        return []

    def say_nxdomain(self, q, name, kind, is_tcp):
        return [self.reply(q, dns.rcode.NXDOMAIN).to_wire()]

    def say_nodata(self, q, name, kind, is_tcp):
        return [self.reply(q).to_wire()]

    def say_servfail(self, q, name, kind, is_tcp):
        return [self.reply(q, dns.rcode.SERVFAIL).to_wire()]

    def say_refused(self, q, name, kind, is_tcp):
        return [self.reply(q, dns.rcode.REFUSED).to_wire()]

    def say_formerr(self, q, name, kind, is_tcp):
        return [self.reply(q, dns.rcode.FORMERR).to_wire()]

    def say_wrongid(self, q, name, kind, is_tcp):
        w = self.plain(q, is_tcp, (name, "A", ["127.0.0.1"]))[0]
        first = struct.unpack("!H", w[:2])[0]
        return [struct.pack("!H", (first + i) & 0xffff) + w[2:]
                for i in range(1, 200)]

    def say_noise(self, q, name, kind, is_tcp):
        w = q.to_wire()
        return [b"", w[:2], w[:2] + os.urandom(200), w[:12],
                w[:2] + b"\x81\x80" + b"\xff" * 8 + os.urandom(400)]

    def say_tc(self, q, name, kind, is_tcp):
        return [self.wire(self.reply(q), is_tcp, cut=True)]

    def say_tcsilent(self, q, name, kind, is_tcp):
        return [] if is_tcp else self.say_tc(q, name, kind, is_tcp)

    def say_tchalf(self, q, name, kind, is_tcp):
        if not is_tcp:
            return self.say_tc(q, name, kind, is_tcp)
        threading.Timer(1, lambda: [c.close() for c in self.held])
        return [self.plain(q, is_tcp, (name, "TXT", ['"half"'] * 1))[0][:14]]

    def say_cnames(self, q, name, kind, is_tcp):
        first, _, rest = name.partition(".")
        n = int(first[1:]) if first[1:].isdigit() else 0
        chain = [(name if i == 0 else f"a{n + i}.cnames.example.", "CNAME",
                  [f"a{n + i + 1}.cnames.example."]) for i in range(30)]
        return self.plain(q, is_tcp, *chain[:1 + n % 30])

    def say_loop(self, q, name, kind, is_tcp):
        return self.plain(
            q, is_tcp, (name, "CNAME", ["x.loop.example."]),
            ("x.loop.example.", "CNAME", ["y.loop.example."]),
            ("y.loop.example.", "CNAME", ["x.loop.example."]))

    def say_self(self, q, name, kind, is_tcp):
        return self.plain(q, is_tcp, (name, "CNAME", [name]))

    def say_pointer(self, q, name, kind, is_tcp):
        w = q.to_wire()[:2] + b"\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00"
        at = len(w)
        w += q.question[0].name.to_wire() + struct.pack(
            "!HH", q.question[0].rdtype, 1)
        me = len(w)
        record = struct.pack("!HHHIH", 0xc000 | me, q.question[0].rdtype, 1,
                             60, 2) + struct.pack("!H", 0xc000 | (me + 10))
        return [w + record * 2, w + struct.pack("!H", 0xc000 | at) + b"\xff"]

    def say_other(self, q, name, kind, is_tcp):
        o = dns.message.make_query("www.honest.example.", "A")
        o.id = q.id
        return self.plain(o, is_tcp, ("www.honest.example.", "A",
                                      ["127.0.0.66"]))

    def say_othernx(self, q, *_):
        o = dns.message.make_query("www.honest.example.", "A")
        o.id = q.id
        return [self.reply(o, dns.rcode.NXDOMAIN).to_wire()]

    def say_many(self, q, name, kind, is_tcp):
        form = MANY.get(kind)
        if form is None:
            return [self.reply(q).to_wire()]
        n = {"TXT": 900, "TLSA": 1000, "A": 200, "MX": 1500}.get(kind, 200)
        texts = [form.format(*([i] * form.count("{"))) for i in range(n)]
        if name.startswith("_dmarc"):
            texts = [f'"v=DMARC1; p=reject; x={i}"' for i in range(n)]
        return self.plain(q, is_tcp, (name, kind, texts))

    def say_wide(self, q, name, kind, is_tcp):
        if kind != "TXT":
            return [self.reply(q).to_wire()]
        text = '"v=spf1 ' + "a" * 240 + '" ' + " ".join(
            ['"' + "b" * 255 + '"'] * 250)
        return self.plain(q, is_tcp, (name, "TXT", [text]))

    def say_flap(self, q, name, kind, is_tcp):
        if self.asked["flap"] % 2 == 0:
            return self.say_nxdomain(q, name, kind, is_tcp)
        return self.say_servfail(q, name, kind, is_tcp)
