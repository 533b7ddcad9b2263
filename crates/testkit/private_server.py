"""A private MariaDB or OpenLDAP server in a temp folder, on a free port of 127.0.0.1.

    private_server.py mariadb        first line: {"port", "ca", "socket", "user", "password", "database"}
    private_server.py slapd LDIF     first line: {"port", "tls_port", "ca", "conf"}; holds LDIF's entries

Both speak TLS as well; `ca` is the file of the authority that signed their certificate.

Lives until its standard input ends, then removes the folder. Shares nothing with a server that the
machine may run. Both refuse to be root or should not be, so root lends them an ordinary account.
"""

import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.append(os.path.join(os.path.dirname(__file__), "../../tools"))
import private_ca  # noqa: E402 (after the lines above, which say where it is)

SLAPD_CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.crt
TLSCertificateKeyFile {folder}/server.key
database mdb
maxsize 16777216
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw admin-secret
directory {folder}/data
dbnosync
access to attrs=userPassword by self write by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=example,dc=org" read by * none
"""


class Server:
    """What both have in common: folder, account, port, process."""

    def __init__(self, account):
        self.folder = tempfile.mkdtemp(prefix="ferry-server-")
        self.data = os.path.join(self.folder, "data")
        self.log = os.path.join(self.folder, "log")
        self.process = None
        self.port = 0
        self.account = lent(account)
        os.mkdir(self.data)
        self.ca, *self.pair = private_ca.certify(self.folder)
        for path in (self.folder, self.data, self.ca, *self.pair):
            self.own(path)
        os.chmod(self.folder, 0o755)  # the authority's certificate is for everybody

    def own(self, path):
        if self.account:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def command(self, *words):
        prefix = ["setpriv", "--pdeathsig", "TERM"]
        if self.account:
            prefix += [f"--reuid={self.account.pw_uid}", f"--regid={self.account.pw_gid}", "--clear-groups"]
        return [*prefix, *words]

    def once(self, *words):
        done = subprocess.run(self.command(*words), cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{words[0]} failed\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self, words, answers):
        # Somebody may take the port between our look and the server's bind: try a few.
        for _ in range(5):
            self.port = free_port()
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(self.command(*words(self.port)), cwd=self.folder,
                                                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and self.process.poll() is None:
                if answers(self.port):
                    return
                time.sleep(0.02)
            self.end()
        with open(self.log, encoding="utf-8", errors="replace") as file:
            sys.exit(f"the server did not start\n{file.read()}")

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.kill()  # nobody needs what it would still write
            self.process.wait()

    def remove(self):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def lent(name):
    if os.getuid() != 0:
        return None
    for known in (name, "nobody"):
        try:
            return pwd.getpwnam(known)
        except KeyError:
            continue
    sys.exit(f"root, but neither {name} nor nobody exists to run the server as")


def program(*names):
    """A program's path; servers live where an ordinary user's PATH does not look."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin"
    found = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
    return found or sys.exit(f"no {names[0]} on this machine; run tools/setup")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def mariadb(server):
    # `normal`: root needs no password on the private socket.
    server.once(program("mariadb-install-db", "mysql_install_db"), "--no-defaults", f"--datadir={server.data}",
                "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
    at = os.path.join(server.folder, "socket")
    client = [program("mariadb", "mysql"), "--no-defaults", f"--socket={at}", "--user=root", "--batch"]
    password = secrets.token_hex(12)

    def words(port):
        return [program("mariadbd", "mysqld"), "--no-defaults", f"--datadir={server.data}", f"--socket={at}",
                f"--port={port}", "--bind-address=127.0.0.1", f"--pid-file={server.folder}/pid",
                f"--tmpdir={server.folder}", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0",
                f"--ssl-key={server.pair[0]}", f"--ssl-cert={server.pair[1]}", "--innodb-buffer-pool-size=32M", "--character-set-server=utf8mb4"]

    def answers(_):
        return subprocess.run([*client, "--execute=select 1"], capture_output=True, check=False).returncode == 0

    server.start(words, answers)
    subprocess.run([*client, "--execute="
                    f"create database legacy; create user 'reader'@'127.0.0.1' identified by '{password}'; "
                    "grant all on legacy.* to 'reader'@'127.0.0.1'"], check=True, capture_output=True)
    return {"port": server.port, "ca": server.ca, "socket": at, "user": "reader", "password": password, "database": "legacy"}


def slapd(server, ldif):
    conf = os.path.join(server.folder, "slapd.conf")
    with open(conf, "w", encoding="utf-8") as file:
        file.write(SLAPD_CONF.format(folder=server.folder))
    entries = shutil.copy(ldif, server.folder)
    for path in (conf, entries):
        os.chmod(path, 0o600)
        server.own(path)
    server.once(program("slapadd"), "-q", "-f", conf, "-l", entries)
    # With a debug level slapd stays in the foreground; zero is one.
    tls_port = free_port()
    urls = "ldap://127.0.0.1:{}/ ldaps://127.0.0.1:{}/"
    server.start(lambda port: [program("slapd"), "-d", "0", "-f", conf, "-h", urls.format(port, tls_port)], connects)
    return {"port": server.port, "tls_port": tls_port, "ca": server.ca, "conf": conf}


def main(kind, *arguments):
    server = Server({"mariadb": "mysql", "slapd": "openldap"}[kind])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        print(json.dumps({"mariadb": mariadb, "slapd": slapd}[kind](server, *arguments)), flush=True)
        while sys.stdin.buffer.read(4096):
            pass
    finally:
        server.remove()


if __name__ == "__main__":
    main(*sys.argv[1:])
