//! nginx as a proxy before the same server, in a folder of its own, as this user.

use std::{fs, net::SocketAddr, path::PathBuf, process::Stdio};

use tokio::process::{Child, Command};

use crate::{kit::Folder, process};

/// A running nginx with one worker, until dropped.
pub(crate) struct Nginx {
    master: Child,
    pub(crate) worker: u32,
    pub(crate) address: SocketAddr,
    _folder: Folder,
}

impl Nginx {
    /// Before this server; with `auth`, each request is first asked about there. `None` without an nginx.
    pub(crate) async fn before(server: SocketAddr, auth: Option<SocketAddr>) -> Option<Self> {
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].map(PathBuf::from);
        let program = program.into_iter().find(|path| path.exists())?;
        let folder = Folder::new();
        let address = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let here = folder.0.display();
        // All of its connections are kept, as the gateway keeps its own.
        let (asks, is_asked, asked) = match auth {
            Some(auth) => (
                "auth_request /auth;".to_owned(),
                "location = /auth { internal; proxy_pass http://asked; \
                     proxy_pass_request_body off; proxy_set_header Content-Length ''; \
                     proxy_http_version 1.1; proxy_set_header Connection ''; }"
                    .to_owned(),
                format!("upstream asked {{ server {auth}; keepalive 64; }}\n"),
            ),
            None => Default::default(),
        };
        let config = format!(
            "daemon off; worker_processes 1; pid {here}/pid; error_log {here}/error.log;\n\
             events {{ worker_connections 4096; }}\n\
             http {{ access_log off; keepalive_requests 1000000;\n\
             client_body_temp_path {here}/a; proxy_temp_path {here}/b; fastcgi_temp_path {here}/c;\n\
             uwsgi_temp_path {here}/d; scgi_temp_path {here}/e;\n\
             {asked}upstream behind {{ server {server}; keepalive 64; }}\n\
             server {{ listen {address}; {is_asked}\n\
             location / {{ {asks} proxy_pass http://behind; proxy_http_version 1.1;\n\
             proxy_set_header Connection ''; proxy_set_header Authorization ''; proxy_buffering off; }} }} }}"
        );
        let file = folder.0.join("nginx.conf");
        fs::write(&file, config).unwrap();
        let child = Command::new(program)
            .args(["-e", "stderr", "-c"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let master = child.id().unwrap();
        for _ in 0..500 {
            let workers = process::children(master);
            if let Some(worker) = workers.first()
                && tokio::net::TcpStream::connect(address).await.is_ok()
            {
                return Some(Self {
                    worker: *worker,
                    master: child,
                    address,
                    _folder: folder,
                });
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("nginx does not start");
    }
}

/// A worker outlives a master that is killed, and a master that lives starts another.
impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.master.start_kill();
        let id = i32::try_from(self.worker)
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        }
    }
}
