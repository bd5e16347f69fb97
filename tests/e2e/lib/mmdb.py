# SPDX-License-Identifier: ISC
"""Write a data base of networks in MaxMind's format (MaxMind DB 2.0), IPv4."""
import ipaddress

MARKER = b"\xab\xcd\xefMaxMind.com"


def encoded(v):
    """A value of the data section; ints are uint32."""
    if isinstance(v, str):
        raw = v.encode()
        assert len(raw) < 29 + 256
        if len(raw) < 29:
            return bytes([2 << 5 | len(raw)]) + raw
        return bytes([2 << 5 | 29, len(raw) - 29]) + raw
    if isinstance(v, dict):
        return bytes([7 << 5 | len(v)]) + b"".join(
            encoded(k) + encoded(x) for k, x in v.items())
    if isinstance(v, list):
        return bytes([len(v), 4]) + b"".join(encoded(x) for x in v)
    kind, v = v if isinstance(v, tuple) else (6, v)
    raw = v.to_bytes((v.bit_length() + 7) // 8, "big")
    if kind > 7:
        return bytes([len(raw), kind - 7]) + raw
    return bytes([kind << 5 | len(raw)]) + raw


def write(path, networks):
    """networks: {"192.0.2.0/24": {...}}, none within another."""
    nodes, data = [[None, None]], b""
    for text, value in networks.items():
        net = ipaddress.ip_network(text)
        bits = f"{int(net.network_address):032b}"[:net.prefixlen]
        at = 0
        for b in bits[:-1]:
            if nodes[at][int(b)] is None:
                nodes.append([None, None])
                nodes[at][int(b)] = len(nodes) - 1
            at = nodes[at][int(b)]
        nodes[at][int(bits[-1])] = ("data", len(data))
        data += encoded(value)
    n = len(nodes)

    def record(r):
        number = n if r is None else r if isinstance(r, int) \
            else n + 16 + r[1]
        return number.to_bytes(3, "big")
    tree = b"".join(record(a) + record(b) for a, b in nodes)
    about = {"node_count": n, "record_size": (5, 24), "ip_version": (5, 4),
             "database_type": "Test-ASN", "languages": ["en"],
             "binary_format_major_version": (5, 2),
             "binary_format_minor_version": (5, 0),
             "build_epoch": (9, 1500000000), "description": {"en": "test"}}
    path.write_bytes(tree + bytes(16) + data + MARKER + encoded(about))
