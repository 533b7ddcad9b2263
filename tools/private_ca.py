"""A certificate authority for one test server, and that server's certificate; made by openssl."""

import os
import subprocess


def certify(folder):
    """Writes ca.pem, server.key and server.crt (for localhost and 127.0.0.1) and gives their paths."""
    ca, ca_key, key, certificate = (os.path.join(folder, name) for name in
                                    ("ca.pem", "ca.key", "server.key", "server.crt"))
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-batch"]
    for command in (
        [*make, "-subj", "/CN=Ferry test authority", "-keyout", ca_key, "-out", ca],
        [*make, "-subj", "/CN=localhost", "-CA", ca, "-CAkey", ca_key, "-keyout", key, "-out", certificate,
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:false"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    for path in (key, certificate):
        os.chmod(path, 0o600)
    return ca, key, certificate
