"""Many small inputs in one file: for each its length (32 bits, little-endian) and its bytes, sorted.

    python3 pack.py pack FILE FOLDER
    python3 pack.py unpack FILE FOLDER
"""

import hashlib
import struct
import sys
from pathlib import Path


def pack(file, folder):
    inputs = sorted({path.read_bytes() for path in folder.iterdir()}, key=lambda b: (len(b), b))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(struct.pack("<I", len(one)) + one for one in inputs))
    print(f"{len(inputs)} inputs, {file.stat().st_size} bytes in {file}")


def unpack(file, folder):
    rest = file.read_bytes() if file.exists() else b""
    while rest:
        (length,) = struct.unpack_from("<I", rest)
        one, rest = rest[4 : 4 + length], rest[4 + length :]
        (folder / hashlib.sha1(one).hexdigest()).write_bytes(one)


if __name__ == "__main__":
    action, file, folder = sys.argv[1:]
    {"pack": pack, "unpack": unpack}[action](Path(file), Path(folder))
