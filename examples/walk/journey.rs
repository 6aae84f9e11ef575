//! What a stock MCP client does, step by step.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::wire::{Reply, Wire, Wrong};

/// A client on its way.
pub(crate) struct Journey {
    pub(crate) wire: Wire,
    mcp_url: String,
    callback: String,
    verifier: String,
    /// Ties the redirect to this journey.
    pub(crate) state: String,
    resource_metadata: String,
    issuer: String,
    endpoints: Value,
    client_id: String,
    access_token: String,
    refresh_token: String,
}

/// What a browser brings back to its client.
pub(crate) enum Return {
    Code(String),
    Denied,
}

impl Journey {
    pub(crate) fn new(wire: Wire, mcp_url: &str, callback: &str) -> Self {
        Self {
            wire,
            mcp_url: mcp_url.to_owned(),
            callback: callback.to_owned(),
            verifier: random(),
            state: random(),
            resource_metadata: String::new(),
            issuer: String::new(),
            endpoints: Value::Null,
            client_id: String::new(),
            access_token: String::new(),
            refresh_token: String::new(),
        }
    }

    /// Everything up to the point where a person is needed; the URL to send them to.
    pub(crate) async fn prepare(&mut self) -> Result<String, Wrong> {
        self.knock().await?;
        self.discover().await?;
        self.register().await?;
        self.authorize_url()
    }

    /// A call without a token: refused, and told where to look.
    async fn knock(&mut self) -> Result<(), Wrong> {
        let reply = self
            .call(
                "The client calls the tool without a token",
                None,
                "whoami",
                "401 with a bare Bearer challenge that names the resource metadata",
                |reply| {
                    let challenge = reply.header("www-authenticate");
                    reply.status == StatusCode::UNAUTHORIZED
                        && challenge.starts_with("Bearer ")
                        && !challenge.contains("error=")
                        && challenge.contains("resource_metadata=\"")
                },
            )
            .await?;
        let challenge = reply.header("www-authenticate");
        let named = challenge.split("resource_metadata=\"").nth(1);
        let named = named.and_then(|rest| rest.split('"').next());
        named
            .unwrap_or_default()
            .clone_into(&mut self.resource_metadata);
        Ok(())
    }

    /// RFC 9728, then RFC 8414.
    async fn discover(&mut self) -> Result<(), Wrong> {
        let mcp_url = self.mcp_url.clone();
        let reply = self
            .wire
            .send(
                "It reads the resource metadata (RFC 9728)",
                Request::get(&self.resource_metadata),
                "",
                "200; `resource` is the URL of the MCP server",
                |reply| reply.status == StatusCode::OK && reply.member("resource") == mcp_url,
            )
            .await?;
        let servers = reply.json();
        let server = servers
            .pointer("/authorization_servers/0")
            .and_then(Value::as_str);
        server.unwrap_or_default().clone_into(&mut self.issuer);

        let issuer = self.issuer.clone();
        let url = format!("{issuer}/.well-known/oauth-authorization-server");
        let reply = self
            .wire
            .send(
                "It reads the authorization server's metadata (RFC 8414)",
                Request::get(url),
                "",
                "200; `issuer` as named before, a registration endpoint, PKCE with S256",
                |reply| {
                    let methods = reply
                        .json()
                        .get("code_challenge_methods_supported")
                        .cloned();
                    reply.status == StatusCode::OK
                        && reply.member("issuer") == issuer
                        && !reply.member("registration_endpoint").is_empty()
                        && methods.is_some_and(|m| m.to_string().contains("S256"))
                },
            )
            .await?;
        self.endpoints = reply.json();
        Ok(())
    }

    async fn register(&mut self) -> Result<(), Wrong> {
        let metadata = json!({
            "client_name": "Quickstart client",
            "redirect_uris": [self.callback],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        });
        let request = post_json(&self.endpoint("registration_endpoint"));
        let reply = self
            .wire
            .send(
                "It registers itself (RFC 7591)",
                request,
                metadata.to_string(),
                "201 with a client_id",
                |reply| {
                    reply.status == StatusCode::CREATED && !reply.member("client_id").is_empty()
                },
            )
            .await?;
        self.client_id = reply.member("client_id");
        Ok(())
    }

    fn authorize_url(&mut self) -> Result<String, Wrong> {
        let challenge = B64.encode(Sha256::digest(&self.verifier));
        let params = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.callback),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("state", &self.state),
            ("resource", &self.mcp_url),
        ];
        let endpoint = self.endpoint("authorization_endpoint");
        match url::Url::parse_with_params(&endpoint, params) {
            Ok(url) => {
                let title = "It sends a person's browser to the authorization endpoint";
                self.wire
                    .note(title, url.as_str(), "a browser to take over", true)?;
                Ok(url.into())
            }
            Err(_) => Err(Wrong),
        }
    }

    /// The browser came back, with a code or with a no: both are right, if they are for this client.
    pub(crate) fn returned(&mut self, callback: &str) -> Result<Return, Wrong> {
        let url = url::Url::parse(callback).map_err(|_| Wrong)?;
        let param = |name: &str| {
            let mut pairs = url.query_pairs();
            let found = pairs.find(|(key, _)| key == name);
            found
                .map(|(_, value)| value.into_owned())
                .unwrap_or_default()
        };
        let (code, error) = (param("code"), param("error"));
        let is_ours = param("state") == self.state && param("iss") == self.issuer;
        if error == "access_denied" {
            self.wire.note(
                "The browser comes back to the client: the person said no",
                callback,
                "access_denied and no code, the client's own state, and iss (RFC 9207)",
                is_ours && code.is_empty(),
            )?;
            return Ok(Return::Denied);
        }
        self.wire.note(
            "The browser comes back to the client",
            callback,
            "a code, the client's own state, and iss (RFC 9207)",
            is_ours && !code.is_empty() && error.is_empty(),
        )?;
        Ok(Return::Code(code))
    }

    /// Redeems the code that the browser brought.
    pub(crate) async fn redeem(&mut self, code: &str) -> Result<(), Wrong> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.callback),
            ("code_verifier", &self.verifier),
            ("client_id", &self.client_id),
            ("resource", &self.mcp_url),
        ];
        let title = "The client redeems the code";
        self.token(title, form(&fields)).await
    }

    /// Uses the refresh token.
    pub(crate) async fn refresh(&mut self) -> Result<(), Wrong> {
        let before = self.refresh_token.clone();
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &before),
            ("client_id", &self.client_id),
        ];
        self.token("The client refreshes", form(&fields)).await?;
        let rotated = self.refresh_token != before;
        let title = "The refresh token was rotated";
        self.wire.note(
            title,
            &self.refresh_token,
            "another one than before",
            rotated,
        )
    }

    async fn token(&mut self, title: &str, body: String) -> Result<(), Wrong> {
        let request = post_form(&self.endpoint("token_endpoint"));
        let expected = "200 with access token and refresh token, not to be stored";
        let reply = self
            .wire
            .send(title, request, body, expected, |reply| {
                reply.status == StatusCode::OK
                    && reply.header("cache-control").contains("no-store")
                    && !reply.member("access_token").is_empty()
                    && !reply.member("refresh_token").is_empty()
            })
            .await?;
        self.access_token = reply.member("access_token");
        self.refresh_token = reply.member("refresh_token");
        Ok(())
    }

    /// Calls `whoami`, which has to name a person; this one, if given.
    pub(crate) async fn whoami(&mut self, person: Option<&str>) -> Result<String, Wrong> {
        let token = self.access_token.clone();
        let title = "It calls the tool `whoami` with its token";
        let expected = format!("200; the tool knows {}", person.unwrap_or("who this is"));
        let reply = self
            .call(title, Some(&token), "whoami", &expected, |reply| {
                let subject = subject(reply);
                reply.status == StatusCode::OK
                    && person.map_or(!subject.is_empty(), |person| subject == person)
            })
            .await?;
        Ok(subject(&reply))
    }

    /// The tool for admins only.
    pub(crate) async fn admin_tool(&mut self, allowed: bool) -> Result<(), Wrong> {
        let token = self.access_token.clone();
        let (title, expected) = if allowed {
            ("It calls the tool for admins", "200 with the tool's result")
        } else {
            (
                "It calls the tool for admins without that role",
                "a refusal by the tool",
            )
        };
        self.call(title, Some(&token), "list_people", expected, |reply| {
            let result = reply.json();
            let refused = result.pointer("/result/isError") == Some(&Value::Bool(true));
            let answered = result.pointer("/result/content/0/text").is_some();
            reply.status == StatusCode::OK && answered && refused != allowed
        })
        .await?;
        Ok(())
    }

    /// Revokes, and sees that the access token is dead at once.
    pub(crate) async fn revoke(&mut self) -> Result<(), Wrong> {
        let request = post_form(&self.endpoint("revocation_endpoint"));
        let fields = [
            ("token", self.refresh_token.as_str()),
            ("client_id", &self.client_id),
        ];
        let title = "The client logs out: it revokes its refresh token (RFC 7009)";
        let ok = |reply: &Reply| reply.status == StatusCode::OK;
        self.wire
            .send(title, request, form(&fields), "200", ok)
            .await?;

        let token = self.access_token.clone();
        let title = "It calls with the old access token";
        let expected = "401 with error=\"invalid_token\"";
        self.call(title, Some(&token), "whoami", expected, |reply| {
            let challenge = reply.header("www-authenticate");
            reply.status == StatusCode::UNAUTHORIZED
                && challenge.contains("error=\"invalid_token\"")
        })
        .await?;
        Ok(())
    }

    async fn call(
        &mut self,
        title: &str,
        token: Option<&str>,
        tool: &str,
        expected: &str,
        is_right: impl FnOnce(&Reply) -> bool,
    ) -> Result<Reply, Wrong> {
        let body = json!({
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": { "name": tool, "arguments": {} },
        });
        let mut request =
            post_json(&self.mcp_url).header("accept", "application/json, text/event-stream");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = body.to_string();
        self.wire
            .send(title, request, body, expected, is_right)
            .await
    }

    fn endpoint(&self, name: &str) -> String {
        let url = self.endpoints.get(name).and_then(Value::as_str);
        url.unwrap_or_default().to_owned()
    }
}

/// Whom the tool `whoami` named.
fn subject(reply: &Reply) -> String {
    let result = reply.json();
    let text = result
        .pointer("/result/content/0/text")
        .and_then(Value::as_str);
    let who: Value = serde_json::from_str(text.unwrap_or_default()).unwrap_or_default();
    let subject = who.get("subject").and_then(Value::as_str);
    subject.unwrap_or_default().to_owned()
}

/// 256 random bits, base64url.
fn random() -> String {
    B64.encode(rand::random::<[u8; 32]>())
}

fn post_json(url: &str) -> http::request::Builder {
    post(url).header("content-type", "application/json")
}

/// A form to be posted.
pub(crate) fn post_form(url: &str) -> http::request::Builder {
    post(url).header("content-type", "application/x-www-form-urlencoded")
}

fn post(url: &str) -> http::request::Builder {
    Request::builder().method(Method::POST).uri(url)
}

/// Encodes form fields.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}
