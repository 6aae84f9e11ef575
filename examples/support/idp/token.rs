//! Tokens: `POST /token`, `GET /userinfo`, `POST /revoke`, and what was issued.

#![allow(clippy::indexing_slicing, reason = "sets members of JSON objects")]

use std::collections::HashMap;

use axum::{
    Form, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as B64},
};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Fields, Inner, Shared, now, people::Person, random};

/// Seconds that a code lives.
const CODE_TIME: u64 = 60;

/// Seconds that an access token lives.
const ACCESS_TIME: u64 = 600;

/// What has been issued. Grows with logins: an example runs for an hour, not for a year.
#[derive(Default)]
pub struct Ledger {
    codes: HashMap<String, Code>,
    access: HashMap<String, (Chain, u64)>,
    refresh: HashMap<String, Chain>,
}

/// What a person granted.
#[derive(Clone)]
pub struct Chain {
    pub person: &'static Person,
    pub scope: String,
    /// When the person logged in.
    pub since: u64,
}

/// What a code stands for.
pub struct Grant {
    pub chain: Chain,
    pub redirect_uri: String,
    pub challenge: String,
    pub nonce: Option<String>,
}

struct Code {
    grant: Grant,
    expires: u64,
}

impl Ledger {
    /// A code, to be redeemed once and soon.
    pub fn issue_code(&mut self, grant: Grant) -> String {
        let code = random();
        let expires = now() + CODE_TIME;
        self.codes.insert(code.clone(), Code { grant, expires });
        code
    }

    /// RFC 6749 section 4.1.3: "ensure that the "redirect_uri" parameter is present if the "redirect_uri"
    /// parameter was included in the initial authorization request [...], and if included ensure that their
    /// values are identical."
    fn redeem(&mut self, form: &Fields) -> Option<(Chain, Option<String>)> {
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let Code { grant, expires } = self.codes.remove(field("code"))?;
        let is_proven = B64.encode(Sha256::digest(field("code_verifier"))) == grant.challenge;
        let is_right = is_proven && field("redirect_uri") == grant.redirect_uri && now() < expires;
        is_right.then_some((grant.chain, grant.nonce))
    }

    /// A new pair of tokens.
    fn issue(&mut self, chain: Chain) -> (String, String) {
        let (access, refresh) = (random(), random());
        let expires = now() + ACCESS_TIME;
        self.access.insert(access.clone(), (chain.clone(), expires));
        self.refresh.insert(refresh.clone(), chain);
        (access, refresh)
    }
}

/// `POST /token` (RFC 6749 sections 4.1.3 and 6).
pub async fn token(
    State(Shared(idp)): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response {
    if !idp.is_client(&headers, &form) {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let mut ledger = idp.ledger();
    let granted = match field("grant_type") {
        "authorization_code" => ledger.redeem(&form),
        "refresh_token" => {
            let chain = ledger.refresh.remove(field("refresh_token"));
            chain.map(|chain| (chain, None))
        }
        _ => return refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
    };
    let Some((chain, nonce)) = granted else {
        return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let (access, refresh) = ledger.issue(chain.clone());
    let mut answer = json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": ACCESS_TIME,
        "refresh_token": refresh,
        "scope": chain.scope,
    });
    if chain.scope.split(' ').any(|scope| scope == "openid") {
        answer["id_token"] = idp.id_token(&chain, nonce).into();
    }
    ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

/// `GET /userinfo` (OpenID Connect Core section 5.3).
pub async fn userinfo(State(Shared(idp)): State<Shared>, headers: HeaderMap) -> Response {
    let token = authorization(&headers).strip_prefix("Bearer ");
    let ledger = idp.ledger();
    match token.and_then(|token| ledger.access.get(token)) {
        Some((chain, expires)) if now() < *expires => Json(chain.person.claims()).into_response(),
        _ => refuse(StatusCode::UNAUTHORIZED, "invalid_token"),
    }
}

/// `POST /revoke` (RFC 7009).
pub async fn revoke(
    State(Shared(idp)): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response {
    if !idp.is_client(&headers, &form) {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    if let Some(token) = form.get("token") {
        let mut ledger = idp.ledger();
        ledger.access.remove(token);
        ledger.refresh.remove(token);
    }
    StatusCode::OK.into_response()
}

impl Inner {
    /// By `client_secret_basic` or `client_secret_post`.
    fn is_client(&self, headers: &HeaderMap, form: &Fields) -> bool {
        let expected = [&*self.app.id, &*self.app.secret];
        let post = ["client_id", "client_secret"].map(|name| form.get(name).map(String::as_str));
        // Neither id nor secret has characters that form-encoding would change.
        let basic = BASE64_STANDARD.encode(expected.join(":"));
        post == expected.map(Some)
            || authorization(headers).strip_prefix("Basic ") == Some(basic.as_str())
    }

    /// OpenID Connect Core section 2.
    fn id_token(&self, chain: &Chain, nonce: Option<String>) -> Option<String> {
        let mut claims = chain.person.claims();
        claims["iss"] = self.issuer.as_str().into();
        claims["aud"] = self.app.id.as_str().into();
        claims["iat"] = now().into();
        claims["exp"] = (now() + ACCESS_TIME).into();
        claims["auth_time"] = chain.since.into();
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        self.keys.sign(&claims)
    }
}

fn authorization(headers: &HeaderMap) -> &str {
    let value = headers.get(header::AUTHORIZATION);
    value.and_then(|v| v.to_str().ok()).unwrap_or_default()
}

fn refuse(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "error": code }))).into_response()
}
