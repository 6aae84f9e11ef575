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
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{CLIENT_ID, Fields, Inner, Shared, now, people::Person, random};

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
}

struct Code {
    chain: Chain,
    challenge: String,
    nonce: Option<String>,
    expires: u64,
}

impl Ledger {
    /// A code, to be redeemed once and soon.
    pub fn issue_code(&mut self, chain: Chain, challenge: String, nonce: Option<String>) -> String {
        let code = random();
        let entry = Code {
            chain,
            challenge,
            nonce,
            expires: now() + CODE_TIME,
        };
        self.codes.insert(code.clone(), entry);
        code
    }

    fn redeem(&mut self, code: &str, verifier: &str) -> Option<(Chain, Option<String>)> {
        let entry = self.codes.remove(code)?;
        let proven = B64.encode(Sha256::digest(verifier)) == entry.challenge;
        (proven && now() < entry.expires).then_some((entry.chain, entry.nonce))
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
        "authorization_code" if field("redirect_uri") == idp.redirect_uri => {
            ledger.redeem(field("code"), field("code_verifier"))
        }
        "authorization_code" => None,
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
        answer["id_token"] = idp.id_token(chain.person, nonce).into();
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
        let expected = [CLIENT_ID, &self.client_secret];
        let post = ["client_id", "client_secret"].map(|name| form.get(name).map(String::as_str));
        // Neither id nor secret has characters that form-encoding would change.
        let basic = BASE64_STANDARD.encode(expected.join(":"));
        post == expected.map(Some)
            || authorization(headers).strip_prefix("Basic ") == Some(basic.as_str())
    }

    /// Signed with the app's secret (OpenID Connect Core section 10.1): no key document needed.
    fn id_token(&self, person: &Person, nonce: Option<String>) -> String {
        let mut claims = person.claims();
        claims["iss"] = self.issuer.as_str().into();
        claims["aud"] = CLIENT_ID.into();
        claims["iat"] = now().into();
        claims["exp"] = (now() + ACCESS_TIME).into();
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        let encode = |part: &Value| B64.encode(part.to_string());
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.client_secret.as_bytes())
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        mac.update(signed.as_bytes());
        format!("{signed}.{}", B64.encode(mac.finalize().into_bytes()))
    }
}

fn authorization(headers: &HeaderMap) -> &str {
    let value = headers.get(header::AUTHORIZATION);
    value.and_then(|v| v.to_str().ok()).unwrap_or_default()
}

fn refuse(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "error": code }))).into_response()
}
