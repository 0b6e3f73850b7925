"""Searches an archive of pg_dump's for strings, and knows nothing of the gem.

  python3 originals.py ARCHIVE FIRST_BLOCK STRINGS

ARCHIVE is in the custom format, FIRST_BLOCK the place of its first data block, and STRINGS a file of JSON, an array. What
precedes the first block is searched as it is. Each block is taken apart by its chunks and decompressed; a block that cannot
be taken apart, or bytes that are left, end it with an error. It prints JSON: how many bytes were searched, in how many
blocks, and which strings were found.
"""

import io
import json
import shutil
import subprocess
import sys
import zlib


def integer(stream):
    sign = stream.read(1)
    digits = stream.read(4)
    if len(digits) < 4:
        raise SystemExit("the archive ends within a block")
    value = int.from_bytes(digits, "little")
    return -value if sign != b"\0" else value


def chunks(stream):
    joined = bytearray()
    while length := integer(stream):
        chunk = stream.read(length)
        if len(chunk) < length:
            raise SystemExit("the archive ends within a chunk")
        joined += chunk
    return bytes(joined)


def decompressed(packed):
    if packed[:4] == b"\x28\xb5\x2f\xfd":
        return program("zstd", packed)
    if packed[:4] == b"\x04\x22\x4d\x18":
        return program("lz4", packed)
    if packed[:1] == b"\x78":
        stream = zlib.decompressobj()
        text = stream.decompress(packed) + stream.flush()
        if not stream.eof or stream.unused_data:
            raise SystemExit("a block is no whole zlib stream")
        return text
    return packed


def program(name, packed):
    if not shutil.which(name):
        raise SystemExit(f"there is no {name} here")
    return subprocess.run([name, "-dc"], input=packed, stdout=subprocess.PIPE, check=True).stdout


def blocks(stream):
    while kind := stream.read(1):
        integer(stream)
        if kind == b"\x01":
            yield decompressed(chunks(stream))
        elif kind == b"\x03":
            while integer(stream):
                yield decompressed(chunks(stream))
        else:
            raise SystemExit("no block begins where one should")


def main(archive, first, strings):
    with open(archive, "rb") as file:
        whole = file.read()
    with open(strings, encoding="utf-8") as file:
        wanted = [(string, string.encode()) for string in json.load(file)]
    parts = [whole[: int(first)], *blocks(io.BytesIO(whole[int(first):]))]
    text = b"\0".join(parts)
    found = [string for string, raw in wanted if raw in text]
    print(json.dumps({"bytes": len(text), "blocks": len(parts) - 1, "found": found}))


main(*sys.argv[1:])
