//! A client as MCP clients are: registers itself, sends a person to authorize, redeems, refreshes.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as B64},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::wire::{Reply, Wire, query_param};

/// The callback of clients that do not say otherwise.
pub const CALLBACK: &str = "http://127.0.0.1:9000/callback";

/// A registered client.
#[derive(Clone)]
pub struct Client {
    pub wire: Wire,
    /// Path of the base URL: `""` or `/api`.
    pub base_path: String,
    pub id: String,
    pub secret: Option<String>,
    pub auth: Auth,
    pub redirect_uri: String,
}

/// How it authenticates at token and revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    None,
    Basic,
    Post,
}

/// What a token answer held.
#[derive(Debug, Clone, PartialEq)]
pub struct Tokens {
    pub access: String,
    pub refresh: Option<String>,
    pub expires_in: u64,
    pub scope: String,
}

impl Tokens {
    /// Reads a successful token answer.
    #[track_caller]
    pub fn read(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200, "{reply:?}");
        let answer = reply.json();
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        assert_eq!(text("token_type").as_deref(), Some("Bearer"), "{reply:?}");
        Self {
            access: text("access_token").expect("access_token"),
            refresh: text("refresh_token"),
            expires_in: answer["expires_in"].as_u64().expect("expires_in"),
            scope: text("scope").expect("scope"),
        }
    }

    /// The refresh token, which must be there.
    #[track_caller]
    pub fn refresh(&self) -> &str {
        self.refresh.as_deref().expect("a refresh token")
    }
}

/// A PKCE pair.
#[derive(Debug, Clone)]
pub struct Pkce {
    pub verifier: String,
    pub challenge: String,
}

impl Pkce {
    pub fn new() -> Self {
        let verifier = B64.encode(rand::random::<[u8; 32]>());
        let challenge = B64.encode(Sha256::digest(&verifier));
        Self {
            verifier,
            challenge,
        }
    }
}

/// An authorization request under construction; changing it makes a wrong one.
#[derive(Debug, Clone)]
pub struct Authorize {
    endpoint: String,
    pub params: Vec<(String, String)>,
}

impl Authorize {
    /// Sets a parameter, once.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// Leaves a parameter out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.params.retain(|(key, _)| key != name);
        self
    }

    /// Adds a parameter, even a second time.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn url(&self) -> String {
        let query = serde_urlencoded::to_string(&self.params).unwrap();
        format!("{}?{query}", self.endpoint)
    }
}

/// Metadata of a public native client, as most MCP clients register.
pub fn native_metadata(redirect_uri: &str) -> Value {
    json!({
        "client_name": "Kit",
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

impl Client {
    /// Registers; whatever came back.
    pub async fn try_register(wire: &Wire, base_path: &str, metadata: &Value) -> Reply {
        let path = format!("{base_path}/oauth/register");
        wire.json(&path, metadata, &[]).await
    }

    /// Registers; must succeed.
    pub async fn register(wire: &Wire, base_path: &str, metadata: &Value) -> Self {
        let reply = Self::try_register(wire, base_path, metadata).await;
        let answer = reply.expect(201).json();
        let auth = match answer["token_endpoint_auth_method"].as_str() {
            Some("none") => Auth::None,
            Some("client_secret_post") => Auth::Post,
            Some("client_secret_basic") => Auth::Basic,
            other => panic!("token_endpoint_auth_method {other:?}"),
        };
        let secret = answer["client_secret"].as_str().map(str::to_owned);
        assert_eq!(secret.is_some(), auth != Auth::None, "{answer}");
        Self {
            wire: wire.clone(),
            base_path: base_path.to_owned(),
            id: answer["client_id"].as_str().expect("client_id").to_owned(),
            secret,
            auth,
            redirect_uri: answer["redirect_uris"][0].as_str().unwrap().to_owned(),
        }
    }

    /// A right authorization request.
    pub fn authorize(&self, pkce: &Pkce, state: &str) -> Authorize {
        let base = format!("{}{}", self.wire.origin, self.base_path);
        let params = [
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", &self.redirect_uri),
            ("code_challenge", &pkce.challenge),
            ("code_challenge_method", "S256"),
            ("state", state),
            ("resource", &format!("{base}/mcp")),
        ];
        Authorize {
            endpoint: format!("{base}/oauth/authorize"),
            params: params.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        }
    }

    /// Redeems the code in a callback URL.
    pub async fn redeem(&self, callback: &str, pkce: &Pkce) -> Reply {
        let code = query_param(callback, "code");
        let code = code.unwrap_or_else(|| panic!("no code in {callback}"));
        self.redeem_code(&code, pkce).await
    }

    /// Redeems a code.
    pub async fn redeem_code(&self, code: &str, pkce: &Pkce) -> Reply {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &pkce.verifier),
        ])
        .await
    }

    /// Refreshes.
    pub async fn refresh(&self, refresh_token: &str) -> Reply {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ])
        .await
    }

    /// Any token request, with this client's authentication.
    pub async fn token(&self, fields: &[(&str, &str)]) -> Reply {
        self.authenticated("/oauth/token", fields).await
    }

    /// Revokes; RFC 7009.
    pub async fn revoke(&self, token: &str) -> Reply {
        self.authenticated("/oauth/revoke", &[("token", token)])
            .await
    }

    /// A form to one of our endpoints, with this client's authentication.
    pub async fn authenticated(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let path = format!("{}{path}", self.base_path);
        let secret = self.secret.as_deref().unwrap_or_default();
        let mut fields = fields.to_vec();
        match self.auth {
            Auth::None => fields.push(("client_id", &self.id)),
            Auth::Post => fields.extend([("client_id", &*self.id), ("client_secret", secret)]),
            Auth::Basic => {
                let basic = basic(&self.id, secret);
                let headers = [("authorization", basic.as_str())];
                return self.wire.form(&path, &fields, &headers).await;
            }
        }
        self.wire.form(&path, &fields, &[]).await
    }

    /// `GET path` (below the origin) with a bearer token.
    pub async fn call(&self, path: &str, token: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        self.wire.get(path, &[("authorization", &bearer)]).await
    }
}

/// The value of a Basic `Authorization` header (RFC 6749 section 2.3.1).
pub fn basic(id: &str, secret: &str) -> String {
    let encode =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let pair = format!("{}:{}", encode(id), encode(secret));
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}
