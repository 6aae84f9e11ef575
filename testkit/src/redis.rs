//! Redis servers of our own.

use std::{
    env, fs,
    io::ErrorKind,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

/// A machine under load starts a server slowly.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a free loopback port, with a directory of its own; both go when it is dropped.
pub struct Server {
    process: Child,
    pub port: u16,
    pub dir: PathBuf,
    arguments: Vec<String>,
    is_tls: bool,
}

impl Server {
    /// Nothing is saved unless told.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With more options, as on the command line.
    pub fn with(options: &[&str]) -> Self {
        Self::in_dir(&fresh_dir(), options, false)
    }

    /// Speaks TLS only; the certificates lie in `dir`.
    pub fn with_tls(dir: &Path) -> Self {
        let file = |name: &str| dir.join(name).display().to_string();
        let (ca, cert, key) = (file("ca.pem"), file("server.pem"), file("server.key"));
        let options = [
            "--tls-cert-file",
            &cert,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &ca,
            "--tls-auth-clients",
            "no",
        ];
        Self::in_dir(dir, &options, true)
    }

    fn in_dir(dir: &Path, options: &[&str], is_tls: bool) -> Self {
        // Another process may take the free port first.
        for _ in 0..5 {
            let port = free_port();
            let mut arguments: Vec<String> = ["--bind", "127.0.0.1", "--save", ""]
                .map(str::to_owned)
                .into();
            let ports = match is_tls {
                true => ["--port", "0", "--tls-port", &port.to_string()].map(str::to_owned),
                false => ["--port", &port.to_string(), "--appendonly", "no"].map(str::to_owned),
            };
            arguments.extend(ports);
            arguments.extend(["--dir".to_owned(), dir.display().to_string()]);
            arguments.extend(options.iter().map(|option| (*option).to_owned()));
            let process = spawn(&arguments);
            let mut server = Self {
                process,
                port,
                dir: dir.to_owned(),
                arguments,
                is_tls,
            };
            if server.is_up() {
                return server;
            }
        }
        panic!("redis-server did not start; see {}", dir.display());
    }

    pub fn url(&self) -> String {
        let scheme = if self.is_tls { "rediss" } else { "redis" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// What `redis-cli` prints.
    #[track_caller]
    pub fn cli(&self, arguments: &[&str]) -> String {
        let mut command = tool("redis-cli", "REDIS_CLI");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if self.is_tls {
            command
                .arg("--tls")
                .arg("--cacert")
                .arg(self.dir.join("ca.pem"));
        }
        let output = command.args(arguments).output().expect("redis-cli runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// On the same port, with whatever lies in the directory.
    pub fn restart(&mut self) {
        self.kill();
        self.process = spawn(&self.arguments);
        assert!(self.is_up(), "redis-server did not start again");
    }

    /// The same with 20 milliseconds for each record that it loads; returns while it loads.
    pub fn restart_loading_slowly(&mut self) {
        self.kill();
        let slowly = [
            "--key-load-delay",
            "20000",
            "--loading-process-events-interval-bytes",
            "1024",
        ]
        .map(str::to_owned);
        let arguments: Vec<_> = self.arguments.iter().cloned().chain(slowly).collect();
        self.process = spawn(&arguments);
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(start.elapsed() < PATIENCE);
            sleep(Duration::from_millis(5));
        }
    }

    /// The kernel still accepts connections and bytes; no answer comes.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let mut kill = Command::new("kill");
        let status = kill.args([&format!("-{signal}"), &id]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Whether it answers; `false` when it has ended.
    fn is_up(&mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            let is_open = TcpStream::connect(("127.0.0.1", self.port)).is_ok();
            // AUTH or a cluster being made is an answer too.
            if is_open && !matches!(&*self.cli(&["PING"]), "" | "LOADING") {
                return true;
            }
            sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn spawn(arguments: &[String]) -> Child {
    let mut command = tool("redis-server", "REDIS_SERVER");
    let command = command.args(arguments).stdin(Stdio::null());
    match command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "these tests need redis-server: `apt-get install redis-server`, or name it in \
             REDIS_SERVER and REDIS_CLI"
        ),
        Err(error) => panic!("redis-server cannot be started: {error}"),
    }
}

fn tool(name: &str, variable: &str) -> Command {
    Command::new(env::var(variable).unwrap_or_else(|_| name.to_owned()))
}

fn free_port() -> u16 {
    // A cluster's node also takes the port 10000 above.
    loop {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        if port < 55_000 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}

pub fn fresh_dir() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("oauth-proxy-redis-{}-{number}", std::process::id());
    let dir = env::temp_dir().join(name);
    fs::create_dir_all(&dir).unwrap();
    dir
}
