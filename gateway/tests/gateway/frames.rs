//! Requests of HTTP/2 that no library would send, frame by frame.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    behind::Behind,
    kit::{Gateway, soon},
};

/// A header block without compression (RFC 7541, 6.2.2).
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            // Lengths of more than 126 bytes are longer.
            assert!(text.len() < 127, "{text}");
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![
        length[1], length[2], length[3], kind, flags, 0, 0, 0, stream,
    ];
    frame.extend_from_slice(payload);
    frame
}

const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// What came of a request that ends with its header.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// The first byte of the answer's header block, which is its status: 0x88 is 200, 0x8c is 400.
    Answered(u8),
    Refused,
}

async fn ask(gateway: &Gateway, fields: &[(&str, &str)]) -> Outcome {
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    // The end of the stream, and of its header.
    bytes.extend(frame(HEADERS, 0x5, 1, &block(fields)));
    stream.write_all(&bytes).await.unwrap();
    loop {
        let mut head = [0; 9];
        if soon(stream.read_exact(&mut head)).await.is_err() {
            return Outcome::Refused;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        if soon(stream.read_exact(&mut payload)).await.is_err() {
            return Outcome::Refused;
        }
        match head[3] {
            HEADERS => return Outcome::Answered(payload[0]),
            RESET | GOAWAY => return Outcome::Refused,
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_request_of_http_2_that_could_mean_two_things_means_nothing() {
    let behind = Behind::echo().await;
    let gateway = Gateway::before(&behind.url(), &[]).await;
    let bearer = format!("Bearer {}", gateway.key);
    let usual = || {
        vec![
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "mcp.example.com"),
            (":path", "/mcp"),
            ("authorization", &*bearer),
        ]
    };
    assert_eq!(ask(&gateway, &usual()).await, Outcome::Answered(0x88));
    assert_eq!(behind.all().len(), 1);

    let with = |name: &'static str, value: &'static str| {
        let mut fields = usual();
        fields.push((name, value));
        fields
    };
    let instead = |name: &'static str, value: &'static str| {
        let mut fields = usual();
        let field = fields.iter_mut().find(|field| field.0 == name).unwrap();
        field.1 = value;
        fields
    };
    let twice = |name: &'static str, value: &'static str| {
        let mut fields = usual();
        fields.insert(1, (name, value));
        fields
    };
    for fields in [
        twice(":path", "/other"),
        twice(":method", "POST"),
        twice(":authority", "evil.example"),
        twice(":scheme", "https"),
        with(":path", "/late"),
        twice(":protocol", "websocket"),
        twice(":unknown", "x"),
        with("X-Auth-Subject", "root"),
        with("x-auth-subject: root\r\nx", "y"),
        with("x", "y\r\nx-auth-subject: root"),
        with("x", "y\nx-auth-subject: root"),
        with("x", "y\0z"),
        with("", "x"),
        with("connection", "close"),
        with("transfer-encoding", "chunked"),
        with("upgrade", "h2c"),
        with("keep-alive", "timeout=5"),
        with("te", "gzip"),
        with("content-length", "5"),
        with("content-length", "x"),
        with("host", "evil.example"),
        instead(":method", "GET /admin HTTP/1.1\r\nx:"),
        instead(":method", "CONNECT"),
        instead(":path", "/mcp HTTP/1.1\r\nx-auth-subject: root\r\n"),
        instead(":path", "/mcp x"),
        instead(":path", ""),
        instead(":path", "mcp"),
        instead(":path", "/../mcp"),
        instead(":authority", "evil.example/mcp?"),
        instead(":authority", "evil example"),
        instead(":scheme", "http://evil.example/?"),
    ] {
        let outcome = ask(&gateway, &fields).await;
        let came = behind.all();
        assert!(came.is_empty(), "{fields:?}: {outcome:?}, {came:?}");
        assert_ne!(outcome, Outcome::Answered(0x88), "{fields:?}");
    }
}
