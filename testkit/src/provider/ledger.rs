//! What the provider has issued.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{exchange, script::Settings};

#[derive(Debug, Default)]
pub(super) struct Ledger {
    issued: u64,
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    /// Chains that were revoked, or ended by reuse.
    ended: Vec<u64>,
}

#[derive(Debug, Clone)]
struct Code {
    chain: u64,
    redirect_uri: String,
    challenge: Option<(String, String)>,
    nonce: Option<String>,
    scope: String,
    resource: Option<String>,
    used: bool,
}

#[derive(Debug, Clone)]
struct Access {
    chain: u64,
    expires: u64,
    scope: String,
    resource: Option<String>,
}

#[derive(Debug, Clone)]
struct Refresh {
    chain: u64,
    scope: String,
    resource: Option<String>,
    live: bool,
}

/// Chain, scope and resource of a token.
type About<'a> = (u64, &'a str, Option<String>);

pub(super) type Params = [(String, String)];

pub(super) fn get<'a>(params: &'a Params, name: &str) -> Option<&'a str> {
    params
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

impl Ledger {
    pub(super) fn issue_code(&mut self, asked: &Params) -> String {
        let n = self.next();
        let code = format!("UPSTREAM-CODE-{n}");
        let owned = |name| get(asked, name).map(str::to_owned);
        let entry = Code {
            chain: n,
            redirect_uri: owned("redirect_uri").unwrap_or_default(),
            challenge: owned("code_challenge").map(|challenge| {
                let method = owned("code_challenge_method");
                (challenge, method.unwrap_or_else(|| "plain".to_owned()))
            }),
            nonce: owned("nonce"),
            scope: owned("scope").unwrap_or_default(),
            resource: owned("resource"),
            used: false,
        };
        self.codes.insert(code.clone(), entry);
        code
    }

    /// Redeems a code or a refresh token.
    pub(super) fn token(
        &mut self,
        asked: &Params,
        settings: &Settings,
    ) -> Result<Value, &'static str> {
        match get(asked, "grant_type") {
            Some("authorization_code") => self.redeem(asked, settings),
            Some("refresh_token") => self.rotate(asked, settings),
            Some(exchange::TOKEN_EXCHANGE | exchange::JWT_BEARER) => self.exchange(asked, settings),
            _ => Err("unsupported_grant_type"),
        }
    }

    fn redeem(&mut self, asked: &Params, settings: &Settings) -> Result<Value, &'static str> {
        let presented = get(asked, "code").ok_or("invalid_request")?;
        let code = self.codes.get_mut(presented).ok_or("invalid_grant")?;
        if code.used {
            let chain = code.chain;
            self.ended.push(chain);
            return Err("invalid_grant");
        }
        code.used = true;
        let code = code.clone();
        if get(asked, "redirect_uri") != Some(&code.redirect_uri) {
            return Err("invalid_grant");
        }
        let proven = match (&code.challenge, get(asked, "code_verifier")) {
            (None, None) => true,
            (Some((challenge, method)), Some(verifier)) => match method.as_str() {
                "S256" => *challenge == B64.encode(Sha256::digest(verifier)),
                _ => challenge == verifier,
            },
            _ => false,
        };
        if !proven {
            return Err("invalid_grant");
        }
        let about = (code.chain, code.scope.as_str(), code.resource.clone());
        let mut answer = self.access_token(about.clone(), settings);
        if settings.issue_refresh {
            answer["refresh_token"] = self.refresh_token(about).into();
        }
        if settings.issue_id_token {
            answer["id_token"] = self.id_token(code.nonce.as_deref(), settings).into();
        }
        Ok(answer)
    }

    fn rotate(&mut self, asked: &Params, settings: &Settings) -> Result<Value, &'static str> {
        let presented = get(asked, "refresh_token").ok_or("invalid_request")?;
        let old = self
            .refresh
            .get(presented)
            .cloned()
            .ok_or("invalid_grant")?;
        if self.ended.contains(&old.chain) {
            return Err("invalid_grant");
        }
        if !old.live {
            if settings.reuse_is_theft {
                self.ended.push(old.chain);
            }
            return Err("invalid_grant");
        }
        let about = (old.chain, old.scope.as_str(), old.resource.clone());
        let mut answer = self.access_token(about.clone(), settings);
        if settings.rotate {
            self.refresh.get_mut(presented).expect("known").live = false;
            answer["refresh_token"] = self.refresh_token(about).into();
        }
        if settings.issue_id_token {
            answer["id_token"] = self.id_token(None, settings).into();
        }
        Ok(answer)
    }

    /// Trades an access token for one of another API.
    fn exchange(&mut self, asked: &Params, settings: &Settings) -> Result<Value, &'static str> {
        let subject = exchange::subject(asked)?;
        let now = settings.clock.unix();
        if !self.is_live_access(subject, now) {
            return Err("invalid_grant");
        }
        let before = self.access[subject].clone();
        let token = format!("UPSTREAM-EXCHANGED-{}", self.next());
        let expires = now + settings.exchanged_expires_in.unwrap_or(3600);
        let access = Access { expires, ..before };
        self.access.insert(token.clone(), access);
        Ok(exchange::answer(asked, &token, settings))
    }

    pub(super) fn revoke(&mut self, token: &str) {
        let chain = match (self.access.get(token), self.refresh.get(token)) {
            (Some(access), _) => access.chain,
            (_, Some(refresh)) => refresh.chain,
            _ => return,
        };
        self.ended.push(chain);
    }

    pub(super) fn is_live_access(&self, token: &str, now: u64) -> bool {
        self.access
            .get(token)
            .is_some_and(|access| access.expires > now && !self.ended.contains(&access.chain))
    }

    /// RFC 7662 section 2.2.
    pub(super) fn introspect(&self, token: &str, settings: &Settings) -> Value {
        if !self.is_live_access(token, settings.clock.unix()) {
            return json!({ "active": false });
        }
        let access = &self.access[token];
        json!({
            "active": true,
            "sub": settings.person["sub"],
            "username": settings.person.get("name"),
            "scope": access.scope,
            "client_id": settings.client_id,
            "token_type": "Bearer",
            "iss": settings.issuer,
            "aud": access.resource,
            "exp": access.expires,
        })
    }

    /// Whether some refresh token of some chain still works.
    pub(super) fn live_chains(&self) -> usize {
        self.refresh
            .values()
            .filter(|refresh| refresh.live && !self.ended.contains(&refresh.chain))
            .count()
    }

    /// As if the person had removed the app at the provider.
    pub(super) fn end_everything(&mut self) {
        self.ended = (0..=self.issued).collect();
    }

    fn next(&mut self) -> u64 {
        self.issued += 1;
        self.issued
    }

    fn access_token(&mut self, (chain, scope, resource): About<'_>, settings: &Settings) -> Value {
        let mark = format!("UPSTREAM-ACCESS-{}", self.next());
        let now = settings.clock.unix();
        let expires = now + settings.expires_in.unwrap_or(3600);
        let token = if settings.jwt_access {
            let mut claims = settings.access_claims.clone();
            claims.insert("exp".into(), expires.into());
            settings.signing.sign(&claims, &mark)
        } else {
            mark
        };
        let access = Access {
            chain,
            expires,
            scope: scope.to_owned(),
            resource,
        };
        self.access.insert(token.clone(), access);
        let mut answer = json!({ "access_token": token, "token_type": "Bearer" });
        if let Some(seconds) = settings.expires_in {
            answer["expires_in"] = seconds.into();
        }
        if settings.name_scope {
            answer["scope"] = scope.into();
        }
        answer
    }

    fn refresh_token(&mut self, (chain, scope, resource): About<'_>) -> String {
        let token = format!("UPSTREAM-REFRESH-{}", self.next());
        let entry = Refresh {
            chain,
            scope: scope.to_owned(),
            resource,
            live: true,
        };
        self.refresh.insert(token.clone(), entry);
        token
    }

    fn id_token(&mut self, nonce: Option<&str>, settings: &Settings) -> String {
        let now = settings.clock.unix();
        let mut claims = settings.person.clone();
        claims.insert("iss".into(), settings.issuer.as_str().into());
        claims.insert("aud".into(), settings.client_id.as_str().into());
        claims.insert("iat".into(), now.into());
        claims.insert("exp".into(), (now + 300).into());
        if let Some(nonce) = nonce {
            claims.insert("nonce".into(), nonce.into());
        }
        for (name, value) in &settings.id_token {
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
        let number = self.next();
        if settings.everybody_is_new {
            claims.insert("sub".into(), format!("person-{number}").into());
        }
        let mark = format!("UPSTREAM-IDTOKEN-{number}");
        settings.signing.sign(&claims, &mark)
    }
}

/// A token with the shape of a signed JWT, and a mark where the signature should be.
pub(super) fn jwt(claims: &Map<String, Value>, mark: &str) -> String {
    let header = B64.encode(r#"{"alg":"RS256","kid":"key-1","typ":"JWT"}"#);
    let claims = B64.encode(Value::Object(claims.clone()).to_string());
    format!("{header}.{claims}.{mark}")
}
