//! PostgreSQL servers of our own.

use std::{
    env, fs,
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::redis::fresh_dir;

/// A machine under load starts a server slowly.
const PATIENCE: Duration = Duration::from_secs(30);
/// The role that the tests log in as, over TCP.
const PASSWORD: &str = "p@ss#word";

/// A server on a free loopback port, with a directory of its own; both go when it is dropped.
pub struct Server {
    process: Child,
    pub port: u16,
    pub dir: PathBuf,
    options: Vec<String>,
    is_tls: bool,
}

impl Server {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With more settings, as `name=value`.
    pub fn with(settings: &[&str]) -> Self {
        Self::in_dir(&fresh_dir(), settings, "host")
    }

    /// Takes TCP by TLS alone; `server.pem` and `server.key` lie in `dir`.
    pub fn with_tls(dir: &Path, settings: &[&str]) -> Self {
        let file = |name: &str| dir.join(name).display().to_string();
        let (cert, key) = (file("server.pem"), file("server.key"));
        let tls = [
            "ssl=on".to_owned(),
            format!("ssl_cert_file={cert}"),
            format!("ssl_key_file={key}"),
        ];
        let all: Vec<&str> = tls
            .iter()
            .map(String::as_str)
            .chain(settings.iter().copied())
            .collect();
        Self::in_dir(dir, &all, "hostssl")
    }

    /// A standby of `primary` that follows it, and takes no writes.
    pub fn standby_of(primary: &Self) -> Self {
        let dir = fresh_dir();
        give_away(&dir);
        let copy = primary
            .program("pg_basebackup")
            .args(["-R", "-X", "stream", "-c", "fast", "-D"])
            .arg(dir.join("data"))
            .output()
            .expect("pg_basebackup runs");
        assert!(copy.status.success(), "{copy:?}");
        Self::launch(&dir, &[], false)
    }

    fn in_dir(dir: &Path, settings: &[&str], host: &str) -> Self {
        let data = dir.join("data");
        let status = Command::new("cp")
            .arg("-a")
            .arg(template())
            .arg(&data)
            .status();
        assert!(status.expect("cp runs").success());
        let rules = format!(
            "local all all trust\nlocal replication all trust\n\
             {host} all all 127.0.0.1/32 scram-sha-256\n"
        );
        fs::write(data.join("pg_hba.conf"), rules).unwrap();
        give_away(dir);
        Self::launch(dir, settings, host == "hostssl")
    }

    fn launch(dir: &Path, settings: &[&str], is_tls: bool) -> Self {
        // Another process may take the free port first.
        for _ in 0..5 {
            let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            drop(listener);
            let mut options = vec![
                format!("port={port}"),
                format!("unix_socket_directories={}", dir.display()),
                "listen_addresses=127.0.0.1".to_owned(),
                // What is killed here are processes, never the machine.
                "fsync=off".to_owned(),
                "shared_buffers=16MB".to_owned(),
                "dynamic_shared_memory_type=mmap".to_owned(),
            ];
            options.extend(settings.iter().map(|setting| (*setting).to_owned()));
            let process = spawn(dir, &options);
            let mut server = Self {
                process,
                port,
                dir: dir.to_owned(),
                options,
                is_tls,
            };
            if server.is_up() {
                server.make_role();
                return server;
            }
        }
        let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
        panic!("postgres did not start: {log}");
    }

    /// Who may log in over TCP from now on, as in `pg_hba.conf`.
    pub fn set_rules(&self, rules: &str) {
        let rules = format!("local all all trust\n{rules}");
        fs::write(self.dir.join("data/pg_hba.conf"), rules).unwrap();
        self.sql("SELECT pg_reload_conf()");
    }

    /// Where nothing else is said, over TCP and with a password.
    fn make_role(&self) {
        if self.sql("SELECT pg_is_in_recovery()") == "f"
            && self
                .sql("SELECT 1 FROM pg_roles WHERE rolname = 'app'")
                .is_empty()
        {
            self.sql(&format!("CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'"));
            self.sql("CREATE DATABASE app OWNER app");
        }
    }

    pub fn url(&self) -> String {
        self.url_of("app")
    }

    /// The same with another role, of the same password.
    pub fn url_of(&self, role: &str) -> String {
        let mode = if self.is_tls {
            "verify-full"
        } else {
            "disable"
        };
        format!(
            "postgres://{role}:p%40ss%23word@127.0.0.1:{}/app?sslmode={mode}",
            self.port
        )
    }

    /// What `psql` prints, as a superuser in the maintenance database.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        self.psql("postgres", sql)
    }

    /// The same in the database of the store.
    #[track_caller]
    pub fn app(&self, sql: &str) -> String {
        self.psql("app", sql)
    }

    #[track_caller]
    fn psql(&self, database: &str, sql: &str) -> String {
        let output = self
            .console(database)
            .args(["-c", sql])
            .output()
            .expect("psql runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {error}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A `psql` that runs until it is told to end.
    pub fn console(&self, database: &str) -> Command {
        let mut command = self.program("psql");
        command.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            database,
        ]);
        command
    }

    /// One of PostgreSQL's own programs, as a superuser of this server.
    pub fn program(&self, name: &str) -> Command {
        let mut command = tool(name, &self.dir);
        let (socket, port) = (self.dir.display().to_string(), self.port.to_string());
        command.args(["-U", "postgres", "-h", &socket, "-p", &port]);
        command
    }

    /// `kill -9` for all of it.
    pub fn kill(&mut self) {
        // First the one that would start others anew.
        self.signal("STOP");
        for child in children(self.process.id()) {
            signal(child, "KILL");
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// On the same port, with whatever lies in the directory.
    pub fn restart(&mut self) {
        self.kill();
        let start = Instant::now();
        // It refuses to, until the last process of the old one has ended.
        while start.elapsed() < PATIENCE {
            self.process = spawn(&self.dir, &self.options);
            if self.is_up() {
                return;
            }
        }
        panic!("postgres did not start again; see {}", self.dir.display());
    }

    /// The kernel still accepts connections and bytes; no answer comes.
    pub fn freeze(&self) {
        self.signal("STOP");
        for child in children(self.process.id()) {
            signal(child, "STOP");
        }
    }

    pub fn thaw(&self) {
        for child in children(self.process.id()) {
            signal(child, "CONT");
        }
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        signal(self.process.id(), name);
    }

    /// Whether it answers; `false` when it has ended.
    fn is_up(&mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            let asked = self.console("postgres").args(["-c", "SELECT 1"]).output();
            if asked.expect("psql runs").status.success() {
                return true;
            }
            sleep(Duration::from_millis(30));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.thaw();
        // At once, and nothing is left of it in the kernel.
        self.signal("QUIT");
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5)
            && matches!(self.process.try_wait(), Ok(None))
        {
            sleep(Duration::from_millis(5));
        }
        self.kill();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A cluster that was made once for all servers of this process, in a directory that stays: making one takes
/// seconds. Gone with the machine's temporary files.
fn template() -> &'static Path {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let version = tool("postgres", &env::temp_dir()).arg("--version").output();
        let version = String::from_utf8(version.expect("postgres runs").stdout).unwrap();
        let version = version
            .trim()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let name = format!(
            "oauth-proxy-postgres-{}-{version}",
            env::var("USER").unwrap_or_default()
        );
        let made = env::temp_dir().join(name);
        if made.exists() {
            return made;
        }
        let dir = fresh_dir();
        give_away(&dir);
        let output = tool("initdb", &dir)
            .args([
                "--no-sync",
                "--no-instructions",
                "-A",
                "trust",
                "-U",
                "postgres",
            ])
            .args(["-E", "UTF8", "--locale=C", "-D"])
            .arg(dir.join("data"))
            .output()
            .expect("initdb runs");
        assert!(output.status.success(), "{output:?}");
        // Another process may have been first: then its own is as good.
        if fs::rename(dir.join("data"), &made).is_ok() {
            let _ = fs::remove_dir_all(&dir);
            return made;
        }
        match made.exists() {
            true => made,
            false => dir.join("data"),
        }
    })
}

fn spawn(dir: &Path, options: &[String]) -> Child {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(dir.join("log"))
        .unwrap();
    let mut command = tool("postgres", dir);
    command.arg("-D").arg(dir.join("data"));
    for option in options {
        command.args(["-c", option]);
    }
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    command.spawn().expect("postgres starts")
}

/// A program of PostgreSQL's.
fn tool(name: &str, dir: &Path) -> Command {
    let program = programs().join(name);
    let mut command = match user().command {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    };
    // Nothing of this process's, such as PGHOST.
    command.current_dir(dir).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
    command
}

/// Who PostgreSQL's programs run as: they refuse to be root.
struct User {
    /// What stands before the program.
    command: &'static [&'static str],
    /// Who has to own its files.
    owner: Option<&'static str>,
}

fn user() -> &'static User {
    static USER: OnceLock<User> = OnceLock::new();
    USER.get_or_init(|| {
        if !fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
            let command = &[];
            return User {
                command,
                owner: None,
            };
        }
        // Root by another name, where the kernel lets one; elsewhere `nobody`.
        const RENAMED: &[&str] = &["unshare", "--user", "--map-user=1000", "--map-group=1000"];
        let tried = Command::new("unshare")
            .args(&RENAMED[1..])
            .arg("true")
            .output();
        if tried.is_ok_and(|tried| tried.status.success()) {
            let owner = Some("0:0");
            return User {
                command: RENAMED,
                owner,
            };
        }
        let command = &[
            "setpriv",
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
        ];
        User {
            command,
            owner: Some("65534:65534"),
        }
    })
}

fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        if let Some(named) = env::var_os("POSTGRES_PROGRAMS") {
            return named.into();
        }
        let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = installed
            .map(|version| version.path().join("bin"))
            .filter(|bin| bin.join("postgres").exists())
            .collect();
        found.sort();
        found.pop().expect(
            "these tests need PostgreSQL's server: `apt-get install postgresql`, or name the folder of its \
             programs in POSTGRES_PROGRAMS",
        )
    })
}

/// To the user that the programs run as.
fn give_away(dir: &Path) {
    if let Some(owner) = user().owner {
        let status = Command::new("chown").args(["-R", owner]).arg(dir).status();
        assert!(status.expect("chown runs").success());
    }
}

/// The processes that this one started, by the kernel's table.
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // The name may hold anything; what follows it does not.
        let rest = stat.rsplit(')').next().unwrap_or_default();
        rest.split_whitespace().nth(1) == Some(&*parent.to_string())
    };
    numbers.filter(is_child).collect()
}

fn signal(process: u32, name: &str) {
    let mut kill = Command::new("kill");
    let _ = kill
        .args([&format!("-{name}"), &process.to_string()])
        .stderr(Stdio::null())
        .status();
}
