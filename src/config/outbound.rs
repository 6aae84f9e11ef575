//! The way to the provider: what the operator may say about the HTTP client, in this crate's own types.

use reqwest::{ClientBuilder, Proxy};

use crate::{
    config::options::Plain,
    error::ConfigError,
    outbound::{Customize, Networks, WayOut},
};

const PROXY: &str = "outbound_proxy";
const NETWORKS: &str = "outbound_private_networks";
const ROOTS: &str = "outbound_root_certificates";

/// The way out, once all options were read.
pub(super) fn way_out(options: &Plain) -> Result<WayOut, ConfigError> {
    let networks = options.outbound_private_networks.iter();
    let open = Networks::parse(networks.map(String::as_str))
        .map_err(|why| ConfigError::new(NETWORKS, why))?;
    let with_roots: Customize = Box::new(with_roots(options)?);
    Ok(WayOut {
        customize: Some(with_roots),
        proxy: options.outbound_proxy.as_deref().map(proxy).transpose()?,
        open,
        timeout: options.upstream_request_timeout,
        ..WayOut::default()
    })
}

/// The URL may hold a password, so no error quotes it.
fn proxy(url: &str) -> Result<Proxy, ConfigError> {
    let is_http = url.starts_with("http://") || url.starts_with("https://");
    let proxy = Proxy::all(url).ok().filter(|_| is_http);
    proxy.ok_or_else(|| {
        let why = "is not the URL of an HTTP proxy such as http://proxy.example:3128";
        ConfigError::new(PROXY, why)
    })
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn with_roots(
    options: &Plain,
) -> Result<impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + use<>, ConfigError> {
    let mut roots = Vec::new();
    for pem in &options.outbound_root_certificates {
        let refuse = |why: &str| Err(ConfigError::new(ROOTS, why));
        match reqwest::Certificate::from_pem_bundle(pem.as_bytes()) {
            Ok(bundle) if !bundle.is_empty() => roots.extend(bundle),
            Ok(_) => {
                return refuse(
                    "a text holds no certificate: give PEM, -----BEGIN CERTIFICATE-----",
                );
            }
            Err(_) => return refuse("a certificate is not PEM that can be read"),
        }
    }
    let add = move |builder: ClientBuilder| match roots.is_empty() {
        true => builder,
        false => builder.tls_certs_merge(roots.clone()),
    };
    // What is in a certificate is looked at when a client is built of it.
    if !options.outbound_root_certificates.is_empty() && add(ClientBuilder::new()).build().is_err()
    {
        let why = "a certificate cannot be used as a root: is it one, and whole?";
        return Err(ConfigError::new(ROOTS, why));
    }
    Ok(add)
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn with_roots(
    options: &Plain,
) -> Result<impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + use<>, ConfigError> {
    match options.outbound_root_certificates.is_empty() {
        true => Ok(|builder| builder),
        false => Err(ConfigError::new(
            ROOTS,
            "needs the feature rustls or native-tls",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };

    use super::*;
    use crate::outbound::Outbound;

    /// Self-signed by an "Example Corp root" until 2126.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    const ROOT: &str = "-----BEGIN CERTIFICATE-----
MIIBjzCCATWgAwIBAgIUTMxoa9rrnOesnUtpwvGqlZQW0DAwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRRXhhbXBsZSBDb3JwIHJvb3QwIBcNMjYxMTI3MTQ1NTAzWhgP
MjEyNjExMDMxNDU1MDNaMBwxGjAYBgNVBAMMEUV4YW1wbGUgQ29ycCByb290MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3IjqYDX5y/84RGIX1w/1PewZLyExbOKF
vlxOz+H1iUe+VjNVbxYSsQXeo1xtWDZ+8TVPUVG5Dpb03bqbcC6f+qNTMFEwHQYD
VR0OBBYEFEKxBoipiueH8IC7JpdDgv72mPNIMB8GA1UdIwQYMBaAFEKxBoipiueH
8IC7JpdDgv72mPNIMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIg
SmVoRGQZ8kTfyGV4olT6kA9JikL87maXFrRxBx9CERgCIQDu8RDszX5/TzhVZC+P
aTKCUwFTFkGZSAPn/AvUb/JShw==
-----END CERTIFICATE-----
";

    fn fault(options: &Plain) -> ConfigError {
        match way_out(options) {
            Ok(_) => panic!("accepted"),
            Err(error) => error,
        }
    }

    #[test]
    fn a_proxy_that_is_not_an_http_url_is_refused_without_its_password() {
        for url in [
            "",
            "proxy.example:3128",
            "ftp://u:hunter2@proxy.example",
            "http://",
        ] {
            let error = fault(&Plain {
                outbound_proxy: Some(url.to_owned()),
                ..Plain::default()
            });
            assert_eq!(error.option(), PROXY, "{url}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    #[test]
    fn a_root_that_is_not_a_certificate_is_refused() {
        let cut = ROOT.replace("aTKCUwFTFkGZSAPn/AvUb/JShw==\n", "");
        let no_certificate = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        for pem in ["", "hello", no_certificate, &cut] {
            let error = fault(&Plain {
                outbound_root_certificates: vec![ROOT.to_owned(), pem.to_owned()],
                ..Plain::default()
            });
            assert_eq!(error.option(), ROOTS, "{pem}");
        }
        let both = Plain {
            outbound_root_certificates: vec![[ROOT, ROOT].concat()],
            ..Plain::default()
        };
        assert!(Outbound::new(&way_out(&both).unwrap()).is_ok());
    }

    #[test]
    fn a_network_that_is_none_is_refused_with_its_value() {
        for text in ["10.0.0.0/33", "10.0.0.1/8", "0.0.0.0/0", "corp.example"] {
            let error = fault(&Plain {
                outbound_private_networks: vec!["10.0.0.0/8".to_owned(), text.to_owned()],
                ..Plain::default()
            });
            assert_eq!(error.option(), NETWORKS);
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[cfg(feature = "rustls")]
    #[tokio::test]
    async fn two_options_let_a_strangers_url_reach_a_server_inside() {
        use crate::outbound::{NamedBy::Stranger, OutboundError};
        use testkit::https::{Https, ROOT, json};

        let server = Https::start(|_| async { json("200 OK", "", "{}") }).await;
        let url = server.url("localhost", "/client.json");
        let with = |networks: &[&str]| {
            let options = Plain {
                outbound_root_certificates: vec![ROOT.to_owned()],
                outbound_private_networks: networks.iter().copied().map(str::to_owned).collect(),
                ..Plain::default()
            };
            Outbound::new(&way_out(&options).unwrap()).unwrap()
        };
        let closed = with(&[]).get(&url, Stranger, 100, "*/*").await;
        assert!(
            matches!(closed, Err(OutboundError::Refused(_))),
            "{closed:?}"
        );
        let other = with(&["10.0.0.0/8"]).get(&url, Stranger, 100, "*/*").await;
        assert!(matches!(other, Err(OutboundError::Refused(_))), "{other:?}");
        assert!(server.requests().is_empty());
        // `localhost` may be both.
        let open = with(&["127.0.0.0/8", "::1"])
            .get(&url, Stranger, 100, "*/*")
            .await;
        assert_eq!(open.unwrap().status, 200);
    }

    #[tokio::test]
    async fn requests_to_the_provider_go_through_the_proxy_that_was_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = Plain {
            outbound_proxy: Some(format!("http://{}", listener.local_addr().unwrap())),
            ..Plain::default()
        };
        let proxy = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap();
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
                .unwrap();
            String::from_utf8_lossy(&head[..read]).into_owned()
        });
        let outbound = Outbound::new(&way_out(&options).unwrap()).unwrap();
        let answer = outbound
            .client()
            .get("http://provider.example/userinfo")
            .send()
            .await;
        assert_eq!(answer.unwrap().status(), 204);
        let asked = proxy.join().unwrap();
        assert!(
            asked.starts_with("GET http://provider.example/userinfo HTTP/1.1"),
            "{asked}"
        );
    }
}
