"""Password hashes as C computes them, for the bench to set beside Ferry's.

Prints one line of JSON, format to stored hash of the password "correct horse battery", for those
formats whose library this machine has. Then, for each line `FORMAT SECONDS` of standard input,
prints how many of them one thread verified in a second.

libxcrypt computes bcrypt and SHA-crypt, OpenSSL (through hashlib) PBKDF2 and scrypt, the reference
library Argon2.
"""

import base64
import ctypes
import ctypes.util
import hashlib
import json
import sys
import time

PASSWORD = b"correct horse battery"
SALT = b"0123456789abcdef"


def plain(data):
    return base64.b64encode(data).decode().rstrip("=")


def crypt_with(library, setting):
    library.crypt.restype = ctypes.c_char_p
    return lambda: library.crypt(PASSWORD, setting).decode()


def pbkdf2(name, digest, iterations):
    def run():
        key = hashlib.pbkdf2_hmac(digest, PASSWORD, SALT, iterations)
        return f"{name}${iterations}${SALT.decode()}${base64.b64encode(key).decode()}"

    return run


def scrypt():
    key = hashlib.scrypt(PASSWORD, salt=SALT, n=16384, r=8, p=1, maxmem=1 << 26, dklen=64)
    return f"scrypt$16384${SALT.decode()}$8$1${base64.b64encode(key).decode()}"


def argon2id(library):
    key = ctypes.create_string_buffer(32)

    def run():
        failed = library.argon2id_hash_raw(
            2, 19456, 1, PASSWORD, ctypes.c_size_t(len(PASSWORD)), SALT, ctypes.c_size_t(len(SALT)),
            key, ctypes.c_size_t(32))
        if failed:
            raise RuntimeError(f"argon2: {failed}")
        return f"$argon2id$v=19$m=19456,t=2,p=1${plain(SALT)}${plain(key.raw)}"

    return run


def formats():
    found = {
        "PBKDF2-SHA256": pbkdf2("pbkdf2_sha256", "sha256", 100_000),
        "PBKDF2-SHA1": pbkdf2("pbkdf2_sha1", "sha1", 100_000),
        "scrypt": scrypt,
    }
    if path := ctypes.util.find_library("crypt"):
        library = ctypes.CDLL(path)
        found["bcrypt"] = crypt_with(library, b"$2b$10$abcdefghijklmnopqrstuu")
        found["SHA512-crypt"] = crypt_with(library, b"$6$rounds=20000$0123456789abcdef$")
        found["SHA256-crypt"] = crypt_with(library, b"$5$rounds=20000$0123456789abcdef$")
    if path := ctypes.util.find_library("argon2"):
        found["Argon2id"] = argon2id(ctypes.CDLL(path))
    return found


def main():
    known = formats()
    print(json.dumps({name: run() for name, run in known.items()}), flush=True)
    for line in sys.stdin:
        name, seconds = line.split()
        run, count = known[name], 0
        started = time.perf_counter()
        while (took := time.perf_counter() - started) < float(seconds):
            run()
            count += 1
        print(count / took, flush=True)


main()
