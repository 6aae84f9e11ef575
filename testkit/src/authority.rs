//! Certificates of an authority of our own.

use std::{fs, path::Path, process::Command};

/// `ca.pem`, and `server.pem` with `server.key`: for 127.0.0.1 alone.
pub fn certificates(dir: &Path) {
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        let command = command.current_dir(dir).args(arguments.split(' '));
        let output = command.output().expect("these tests need openssl");
        assert!(output.status.success(), "{output:?}");
    };
    fs::write(dir.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!(
        "req -x509 {key} -days 2 -subj /CN=ca -keyout ca.key -out ca.pem"
    ));
    openssl(&format!(
        "req {key} -subj /CN=server -keyout server.key -out server.csr"
    ));
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names \
         -out server.pem",
    );
}
