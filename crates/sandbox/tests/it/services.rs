//! Services for the corpus: each private, on a free port, with a folder of its own, gone with its
//! owner.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::corpus::first_line;

/// A process that ends with its owner.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // Those with a standard input end with it, and tidy up before.
        if self.0.stdin.take().is_none() {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits until somebody listens; false when the process ended before.
fn answers(server: &mut Server, port: u16) -> bool {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        if server.0.try_wait().unwrap().is_some() {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

/// The first of these programs that is installed.
fn program(candidates: &[&str]) -> Option<PathBuf> {
    let found = candidates.iter().map(Path::new).find(|path| path.is_file());
    found.map(Path::to_path_buf)
}

/// A web server of Node, plain and with TLS.
pub struct Web {
    folder: TempDir,
    authority: String,
    ports: Value,
    _server: Server,
}

impl Web {
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let authority = certificates(folder.path());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/server.cjs");
        let mut server = Command::new("node")
            .arg(script)
            .args([
                folder.path().join("key.pem"),
                folder.path().join("certificate.pem"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let ports = serde_json::from_str(&first_line(&mut server)).unwrap();
        Self {
            folder,
            authority,
            ports,
            _server: Server(server),
        }
    }

    pub fn settings(&self) -> Value {
        json!({
            "HTTP": format!("http://127.0.0.1:{}", self.ports["http"]),
            "HTTPS": format!("https://localhost:{}", self.ports["https"]),
            "CA": self.authority,
        })
    }
}

/// Writes a server's key and certificate for `localhost`; gives the authority's.
fn certificates(folder: &Path) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    let key = KeyPair::generate().unwrap();
    let issuer: &Issuer<'_, KeyPair> = &authority;
    let certificate = params.signed_by(&key, issuer).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    std::fs::write(folder.join("certificate.pem"), certificate.pem()).unwrap();
    authority.pem()
}

/// A stand-in for a document store that cannot be installed freely (`mongodb`): the wire and SCRAM are real.
pub struct Mongo {
    port: u64,
    _server: Server,
}

impl Mongo {
    pub fn start() -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut server = Command::new("node")
            .arg(package.join("tests/corpus/mongo.cjs"))
            .arg(package.join("../../runtimes/packages"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let line: Value = serde_json::from_str(&first_line(&mut server)).unwrap();
        Self {
            port: line["port"].as_u64().unwrap(),
            _server: Server(server),
        }
    }

    pub fn url(&self) -> String {
        let port = self.port;
        format!("mongodb://app:app-p%C3%A4ssword@127.0.0.1:{port}/legacy?authSource=admin")
    }
}

/// A stand-in for SQL Server: the packets, the TLS inside them and the login are real.
pub struct SqlServer {
    port: u64,
    _server: Server,
}

impl SqlServer {
    pub fn start(web: &Web) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/tds.cjs");
        let mut server = Command::new("node")
            .arg(script)
            .args([
                web.folder.path().join("key.pem"),
                web.folder.path().join("certificate.pem"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let line: Value = serde_json::from_str(&first_line(&mut server)).unwrap();
        Self {
            port: line["port"].as_u64().unwrap(),
            _server: Server(server),
        }
    }

    pub fn port(&self) -> u64 {
        self.port
    }
}

/// The cluster of the test run, or one of our own.
pub struct Postgres {
    url: url::Url,
    _server: Option<Server>,
}

impl Postgres {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test run names its cluster so"
    )]
    pub fn find() -> Self {
        if let Ok(url) = std::env::var("FERRY_TEST_POSTGRES") {
            let url = url.parse().unwrap();
            return Self { url, _server: None };
        }
        let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/with-postgres");
        let mut server = Command::new(tool)
            .arg("--hold")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let url = first_line(&mut server).trim().parse().unwrap();
        Self {
            url,
            _server: Some(Server(server)),
        }
    }

    pub fn settings(&self) -> Value {
        json!({
            "host": self.url.host_str(), "port": self.url.port(), "user": self.url.username(),
            "password": self.url.password(), "database": self.url.path().trim_start_matches('/'),
        })
    }
}

/// A private `mariadbd` with one table, and TLS.
pub struct MySql {
    port: u16,
    _server: Server,
    _folder: TempDir,
}

const MYSQL_START: &str = "
    CREATE DATABASE legacy;
    CREATE USER app@'%' IDENTIFIED BY 'app-pw';
    CREATE USER app@localhost IDENTIFIED BY 'app-pw';
    GRANT ALL ON legacy.* TO app@'%';
    GRANT ALL ON legacy.* TO app@localhost;
    USE legacy;
    CREATE TABLE users (id INT, email VARCHAR(80));
    INSERT INTO users VALUES (7, 'ann@example.com'), (8, 'bob@example.com');
";

impl MySql {
    /// `None` when it is not installed.
    pub fn start(web: &Web) -> Option<Self> {
        let daemon = program(&["/usr/sbin/mariadbd", "/usr/libexec/mariadbd"])?;
        let installer = program(&["/usr/bin/mariadb-install-db"])?;
        let folder = TempDir::new().unwrap();
        let data = format!("--datadir={}", folder.path().join("data").display());
        let user = format!("--user={}", whoami());
        let made = Command::new(installer)
            .args([
                "--no-defaults",
                &data,
                &user,
                "--auth-root-authentication-method=normal",
            ])
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let start = folder.path().join("start.sql");
        std::fs::write(&start, MYSQL_START.replace('\n', " ").replace("; ", ";\n")).unwrap();
        let port = free_port();
        let key = web.folder.path().join("key.pem");
        let certificate = web.folder.path().join("certificate.pem");
        let server = Command::new(daemon)
            .args(["--no-defaults", &data, &user, "--bind-address=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!(
                "--socket={}",
                folder.path().join("socket").display()
            ))
            .arg(format!("--init-file={}", start.display()))
            .arg(format!("--ssl-key={}", key.display()))
            .arg(format!("--ssl-cert={}", certificate.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Server(server);
        assert!(answers(&mut server, port), "mariadbd did not start");
        Some(Self {
            port,
            _server: server,
            _folder: folder,
        })
    }

    pub fn settings(&self) -> Value {
        json!({"host": "127.0.0.1", "port": self.port, "user": "app", "password": "app-pw", "database": "legacy"})
    }
}

fn whoami() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// An LDAP server with one person.
pub struct Directory {
    port: u16,
    _server: Server,
    _folder: TempDir,
}

const PEOPLE: &str = "dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: cn=ann,dc=example,dc=org
objectClass: inetOrgPerson
cn: ann
sn: \u{c4}nn
mail: ann@example.com
userPassword: ann-pw
";

impl Directory {
    /// `None` when it is not installed.
    pub fn start() -> Option<Self> {
        let daemon = program(&["/usr/sbin/slapd"])?;
        let import = program(&["/usr/sbin/slapadd"])?;
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::create_dir(folder.path().join("db")).unwrap();
        let settings = format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
             include /etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n\
             pidfile {}\ndatabase mdb\nsuffix \"dc=example,dc=org\"\nrootdn \"cn=admin,dc=example,dc=org\"\n\
             rootpw admin-pw\ndirectory {}\n",
            path("pid"),
            path("db")
        );
        std::fs::write(path("slapd.conf"), settings).unwrap();
        std::fs::write(path("people.ldif"), PEOPLE).unwrap();
        let filled = Command::new(import)
            .args(["-f", &path("slapd.conf"), "-l", &path("people.ldif")])
            .output()
            .unwrap();
        assert!(
            filled.status.success(),
            "{}",
            String::from_utf8_lossy(&filled.stderr)
        );
        let port = free_port();
        let server = Command::new(daemon)
            .args([
                "-f",
                &path("slapd.conf"),
                "-h",
                &format!("ldap://127.0.0.1:{port}"),
                "-d",
                "0",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Server(server);
        assert!(answers(&mut server, port), "slapd did not start");
        Some(Self {
            port,
            _server: server,
            _folder: folder,
        })
    }

    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }
}
