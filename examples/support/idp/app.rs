//! The one app that is registered at the provider.

use url::{Host, Url};

use super::random;

/// An app and what it proves itself with.
#[derive(Clone)]
pub struct App {
    pub id: String,
    pub secret: String,
    pub callback: Callback,
}

/// Where people may be sent back to.
#[derive(Clone)]
pub enum Callback {
    /// This URL and no other.
    Only(String),
    /// Any URL of this machine.
    AnyOnLoopback,
}

impl App {
    /// An app with one callback, and a secret that is made up now.
    pub fn with_callback(redirect_uri: String) -> Self {
        Self {
            id: "mcp-server".to_owned(),
            secret: random(),
            callback: Callback::Only(redirect_uri),
        }
    }

    /// The app of a service that is being tried out: its credentials are the same at each start. Everybody can
    /// read them here, and press the button of anyone; so they are good on this machine only.
    pub fn to_try_out() -> Self {
        Self {
            id: "quickstart".to_owned(),
            secret: "for-trying-out-only-r7Kq2ZtV9wLx4MbYc8Jd".to_owned(),
            callback: Callback::AnyOnLoopback,
        }
    }
}

impl Callback {
    /// Whether a person may be sent there.
    pub fn admits(&self, uri: &str) -> bool {
        match self {
            Self::Only(registered) => uri == registered,
            Self::AnyOnLoopback => is_on_loopback(uri),
        }
    }

    /// What is wrong with another one.
    pub fn expected(&self) -> &'static str {
        match self {
            Self::Only(_) => "not the one that the app registered",
            Self::AnyOnLoopback => {
                "not a URL of this machine: http or https, and the host 127.0.0.1, localhost or [::1]"
            }
        }
    }
}

fn is_on_loopback(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else {
        return false;
    };
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_plain =
        url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    matches!(url.scheme(), "http" | "https") && is_here && is_plain
}
