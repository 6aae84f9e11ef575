//! The same attacks before servers as they are: what Python's WSGI and Node make of what arrives.

use std::process::Stdio;

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    kit::{Gateway, KEY_SUBJECT, soon},
    raw::{exchange, status},
};

/// Answers with the environment that an application sees, where `-`, `_` and case are one.
const PYTHON: &str = r#"
import json
from wsgiref.simple_server import make_server, WSGIRequestHandler
class Quiet(WSGIRequestHandler):
    def log_message(self, *args): pass
def app(environ, start):
    seen = {key: value for key, value in environ.items()
            if key.startswith(("HTTP_", "REMOTE_", "PATH_", "CONTENT_", "QUERY_"))}
    length = int(environ.get("CONTENT_LENGTH") or 0)
    seen["body"] = environ["wsgi.input"].read(length).decode()
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]
server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
"#;

/// Answers with what it read, trailers too.
const NODE: &str = r"
const server = require('node:http').createServer((request, answer) => {
  let body = '';
  request.on('data', (data) => { body += data; });
  request.on('end', () => {
    const { url, method, headers, headersDistinct, trailers } = request;
    answer.end(JSON.stringify({ url, method, headers, headersDistinct, trailers, body }));
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
";

/// A server of another language, until dropped. `None`, said aloud, where the language is not there.
struct Real {
    _child: Child,
    url: String,
}

impl Real {
    async fn run(program: &str, option: &str, code: &str) -> Option<Self> {
        let child = Command::new(program)
            .args([option, code])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("skipped: there is no {program}");
            return None;
        };
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = soon(lines.next_line()).await.unwrap();
        let port: u16 = port.expect("it ended").parse().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        Some(Self { _child: child, url })
    }
}

/// What each application must not see, in lines of a header.
fn attacks(key: &str) -> Vec<String> {
    let mut all: Vec<String> = [
        "x-auth-subject: root\r\n",
        "X_AUTH_SUBJECT: root\r\nX_Auth-Subject: root\r\nx-auth_subject: root\r\n",
        "x.auth.subject: root\r\nx~auth~subject: root\r\nx-auth-subject_: root\r\n",
        "Connection: close, x-auth-subject\r\nX-Auth-Subject: root\r\n",
        "Connection: x-auth-subject\r\nX-Auth-Subject: root\r\n",
        "Remote-User: root\r\nremote_user: root\r\nX-Remote-User: root\r\n",
        "Cookie: __Host-oauth-login=root\r\nCookie: __Host-oauth-request=root\r\n",
        "Forwarded: for=root\r\nX-Forwarded-For: root\r\nx_forwarded_for: root\r\n",
        "Proxy: root\r\nPROXY_: root\r\nProxy-Connection: root\r\n",
        "Content_Length: 5\r\nTransfer_Encoding: root\r\n",
        "x-a: b\nx-auth-subject: root\r\n",
        "upgrade: root\r\nte: root\r\nkeep-alive: root\r\n",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push(format!(
        "Proxy-Authorization: Bearer {key}\r\nauthorization_: Bearer {key}\r\n"
    ));
    all
}

async fn attack(server: Real, takes_chunks: bool, subject: &str) {
    let gateway = Gateway::before(&server.url, &[("limits.idle", "1")]).await;
    let key = &gateway.key;
    for lines in attacks(key) {
        for framed in [
            "content-length: 2\r\n\r\n{}",
            "transfer-encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nx-auth-subject: root\r\nauthorization: root\r\n\r\n",
        ] {
            if !takes_chunks && framed.contains("chunked") {
                continue;
            }
            let asked = format!(
                "POST /mcp HTTP/1.1\r\nhost: root\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
                 {lines}{framed}"
            );
            let told = exchange(&gateway, &asked).await;
            assert_eq!(status(&told), 200, "{lines}: {told}");
            assert!(!told.contains("root"), "{lines}: {told}");
            assert!(!told.contains(key.as_str()), "{lines}: {told}");
            assert_eq!(told.matches(subject).count(), 1, "{lines}: {told}");
            assert_eq!(
                told.matches(r#""body": "{}""#).count() + told.matches(r#""body":"{}""#).count(),
                1
            );
        }
    }
}

#[tokio::test]
async fn an_application_of_wsgi_sees_the_gateways_identity_alone() {
    if let Some(server) = Real::run("python3", "-c", PYTHON).await {
        // Chunks are not known to this one: they would be left in its connection, which it closes.
        let subject = format!(r#""HTTP_X_AUTH_SUBJECT": "{KEY_SUBJECT}""#);
        attack(server, false, &subject).await;
    }
}

#[tokio::test]
async fn an_application_of_node_sees_the_gateways_identity_alone() {
    if let Some(server) = Real::run("node", "-e", NODE).await {
        let subject = format!(r#""x-auth-subject":"{KEY_SUBJECT}""#);
        attack(server, true, &subject).await;
    }
}
