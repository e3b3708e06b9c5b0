"""What callgrind counted, by the library or the module of Brama in which it was spent.

A function is told by its name: that of Rust begins with its crate, or with the type or trait that it is
an implementation for; those of C have the prefix of their library. What the compiler put into another
function is that function's.
"""

import re
from collections import defaultdict

# Of C and of assembly, by the name. Valgrind does not know the instructions for SHA-2 that processors have, so
# what it counts there is some ten times what it costs.
NATIVE = {
    re.compile(r"sha(256|512)_block|SHA(256|512)_(Update|Final|Transform)"): "SHA-2, far too much",
    re.compile(r"aws_lc_|^_*(ecp_nistz|L?p256_|Lp256|aesni|aes_|gcm_|bn_|x25519|pkey_|eckey|ec_|ecdsa|sha)"): (
        "cryptography"
    ),
    re.compile(r"^_?mi_|^(_int_)?(malloc|free|realloc|calloc)$|^_int_|^unlink_chunk"): "allocator",
    re.compile(r"mem(cpy|cmp|move|set|chr)|^_*str(len|cmp)"): "memcpy and the like",
}
# Crates that do one thing together.
KINDS = {
    "aws_lc_rs": "cryptography",
    "aws_lc_sys": "cryptography",
    "rustls": "TLS",
    "tokio_rustls": "TLS",
    "webpki": "TLS",
    "hyper_rustls": "HTTP client",
    "hyper": "HTTP client",
    "hyper_util": "HTTP client",
    "http": "HTTP client",
    "http_body_util": "HTTP client",
    "tower_service": "HTTP client",
    "httparse": "HTTP client",
    "want": "HTTP client",
    "bergshamra_c14n": "XML signatures",
    "bergshamra_dsig": "XML signatures",
    "bergshamra_keys": "XML signatures",
    "bergshamra_core": "XML signatures",
    "bergshamra_xml": "XML signatures",
    "bergshamra_crypto": "XML signatures",
    "kryptering": "XML signatures",
    "uppsala": "XML trees",
    "quick_xml": "XML scan",
    "tokio": "runtime",
    "tokio_util": "runtime",
    "futures_util": "runtime",
    "futures_channel": "runtime",
    "mio": "runtime",
    "parking_lot": "runtime",
    "mimalloc": "allocator",
    "redb": "store",
    "jiff": "time",
    "serde_json": "JSON",
    "serde": "JSON",
    "serde_core": "JSON",
    "ryu": "JSON",
    "itoa": "JSON",
}
STANDARD = ("core", "alloc", "std", "hashbrown")


def read(dump, by):
    """Returns what was spent in each module, and in all, divided."""
    spent = defaultdict(int)
    for function, cost in functions(dump).items():
        spent[module(function)] += cost
    found = {name: cost / by for name, cost in spent.items()}
    found["all"] = sum(found.values())
    return found


def functions(dump):
    """Returns what was spent in each function itself."""
    names, spent, current, is_call = {}, defaultdict(int), None, False
    for line in dump.splitlines():
        if named := re.match(r"fn=\((\d+)\)(?: (.*))?$", line):
            number, name = named.groups()
            if name:
                names[number] = name
            current = number
        elif named := re.match(r"cfn=\((\d+)\) (.*)$", line):
            names[named[1]] = named[2]
        elif line.startswith("calls="):
            is_call = True
        elif cost := re.match(r"[+\-*\d]\S* (\d+)$", line):
            # The line after a call is what was spent in the callee.
            if not is_call and current:
                spent[current] += int(cost[1])
            is_call = False
    found = defaultdict(int)
    for number, cost in spent.items():
        found[names[number]] += cost
    return found


def module(function):
    """Returns the module of a function."""
    if "::" not in function:
        for pattern, name in NATIVE.items():
            if pattern.search(function):
                return name
    path = re.findall(r"[a-z][a-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)+", function)
    crates = [one.split("::") for one in path]
    for parts in crates:
        if parts[0] == "brama":
            return f"brama::{parts[1]}"
    for parts in crates:
        if parts[0] not in STANDARD:
            return "h2: HPACK" if parts[:2] == ["h2", "hpack"] else KINDS.get(parts[0], parts[0])
    if crates:
        return "standard library"
    return "C library and the rest"


def show(counted, least=0.5):
    """Prints the modules of several programs beside one another, in thousands."""
    names = {name for found in counted.values() for name in found}
    first = next(iter(counted.values()))
    order = sorted(names, key=lambda name: -first.get(name, 0))
    print(" " * 28 + "".join(f"{brama.name[-11:]:>12}" for brama in counted))
    for name in order:
        values = [found.get(name, 0) / 1e3 for found in counted.values()]
        if max(values) >= least:
            print(f"{name:28}" + "".join(f"{value:12,.1f}" for value in values))
