//! What an introspection endpoint's answer means for a token (RFC 7662 section 2.2).

use serde_json::{Map, Value};

use super::{
    for_us::{ForUs, audiences},
    payload::{check_use, client_id, scopes, subject},
    token_verifier::VerifiedToken,
    verdicts::Verdict,
};
use crate::{
    jose::numeric_date,
    limits::{MAX_PERSON_CLAIMS, MAX_SHOWN_CLAIM, VERIFIER_LEEWAY},
    oauth::{BaseUrl, printable},
    time::Unix,
};

/// What must hold of a token that the server calls active.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    pub(super) for_us: ForUs,
    /// One of these, byte for byte; empty, any server's word counts that stands at the endpoint.
    pub(super) issuers: Vec<String>,
    /// The token was issued to one of these apps; empty, to any.
    pub(super) clients: Vec<String>,
    pub(super) subject_claim: Option<String>,
}

/// An answer, as far as it matters here.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) media_type: &'a str,
    pub(super) body: &'a [u8],
}

/// A verdict that is not a good one.
enum No {
    Refused(String),
    Trouble(String),
}

impl From<No> for Verdict {
    fn from(no: No) -> Self {
        match no {
            No::Refused(why) => Self::Refused(why),
            No::Trouble(why) => Self::Trouble(why),
        }
    }
}

impl Rules {
    /// The verdict on the token that was asked for.
    pub(super) fn judge(&self, answer: &Answer<'_>, base: &BaseUrl, now: Unix) -> Verdict {
        match claims(answer) {
            Err(why) => Verdict::Trouble(why),
            Ok(claims) => self.of_claims(claims, base, now),
        }
    }

    fn of_claims(&self, mut claims: Map<String, Value>, base: &BaseUrl, now: Unix) -> Verdict {
        // "Boolean indicator of whether or not the presented token is currently active."
        match claims.remove("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => {
                // "if the token [...] is not active, does not exist on this server, or the protected resource is
                // not allowed to introspect this particular token": the server does not say which.
                return Verdict::Unknown("the server says that it is not active".to_owned());
            }
            _ => return malformed("`active` is not a boolean").into(),
        }
        match self.active(&claims, base, now) {
            Ok(mut verified) => {
                let size = serde_json::to_string(&claims).map_or(usize::MAX, |text| text.len());
                if size > MAX_PERSON_CLAIMS {
                    return malformed("what it says of the token is too large").into();
                }
                verified.claims = claims;
                Verdict::Good(verified)
            }
            Err(no) => no.into(),
        }
    }

    fn active(
        &self,
        claims: &Map<String, Value>,
        base: &BaseUrl,
        now: Unix,
    ) -> Result<VerifiedToken, No> {
        let refused = |why: String| Err(No::Refused(why));
        let is_of = |names: &[String], name: &str| {
            let said = claims.get(name).and_then(Value::as_str);
            names.is_empty() || said.is_some_and(|said| names.iter().any(|name| name == said))
        };
        if !is_of(&self.issuers, "iss") {
            return refused(format!("its `iss` is {}", shown(claims.get("iss"))));
        }
        if !is_of(&self.clients, "client_id") {
            return refused(format!(
                "its `client_id` is {}",
                shown(claims.get("client_id"))
            ));
        }
        if !self.for_us.admits(claims, base) {
            return refused(format!(
                "its `aud` is {}, which names no place here",
                shown(claims.get("aud"))
            ));
        }
        let date = |name: &str| match claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => match numeric_date(claims, name) {
                Some(date) => Ok(Some(date)),
                None => Err(malformed(&format!("`{name}` is not a time"))),
            },
        };
        let expires_at = date("exp")?;
        if expires_at.is_some_and(|end| end <= now) {
            return refused("it has expired".to_owned());
        }
        if date("nbf")?.is_some_and(|begin| begin > now + VERIFIER_LEEWAY) {
            return refused("it is not yet good (`nbf`)".to_owned());
        }
        check_type(claims)?;
        check_use(claims).map_err(|why| No::Refused(why.to_string()))?;
        let claim = self.subject_claim.as_deref();
        let Some(subject) = subject(claims, claim) else {
            let claim = claim.unwrap_or("sub");
            return refused(format!("it names no person: no usable `{claim}`"));
        };
        let mut verified = VerifiedToken::new(subject);
        verified.client_id = client_id(claims);
        verified.audiences = audiences(claims);
        verified.scopes = scopes(claims);
        verified.expires_at = expires_at.map(Into::into);
        Ok(verified)
    }
}

/// The members of an answer that is one; else what is wrong with it. Whatever that is, it says nothing
/// against the token.
fn claims(answer: &Answer<'_>) -> Result<Map<String, Value>, String> {
    let said = || match error_code(answer.body) {
        Some(code) => format!(": {code}"),
        None => String::new(),
    };
    match answer.status {
        200 => {}
        // RFC 7662 section 2.3: "If the protected resource uses OAuth 2.0 client credentials to authenticate to
        // the introspection endpoint and its credentials are invalid, the authorization server responds with
        // an HTTP 401 (Unauthorized)".
        status @ (401 | 403) => {
            return Err(format!(
                "the introspection endpoint refuses this service, not the token, with status \
                 {status}{}; see the verifier's own credentials",
                said()
            ));
        }
        status => {
            return Err(format!(
                "the introspection endpoint answers with status {status}{}",
                said()
            ));
        }
    }
    let essence = answer
        .media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if essence.to_ascii_lowercase().ends_with("jwt") {
        let essence = printable(essence, MAX_SHOWN_CLAIM);
        return Err(format!(
            "the introspection endpoint answers with a signed token ({essence}, RFC 9701), which is not \
             read here: let it answer with application/json"
        ));
    }
    match serde_json::from_slice(answer.body) {
        Ok(Value::Object(claims)) => Ok(claims),
        _ => Err("the introspection endpoint's answer is not a JSON object".to_owned()),
    }
}

/// RFC 7662 section 2.2, `token_type`: "Type of the token as defined in Section 5.1 of OAuth 2.0". Some write
/// the kind of token there. A refresh token is active too, and none for a bearer.
fn check_type(claims: &Map<String, Value>) -> Result<(), No> {
    let Some(said) = claims.get("token_type").filter(|said| !said.is_null()) else {
        return Ok(());
    };
    let is_bearers = |said: &str| {
        ["bearer", "access_token"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(said))
    };
    match said.as_str().is_some_and(is_bearers) {
        true => Ok(()),
        false => Err(No::Refused(format!(
            "its `token_type` is {}: no bearer's access token",
            shown(Some(said))
        ))),
    }
}

fn malformed(why: &str) -> No {
    No::Trouble(format!(
        "the introspection endpoint's answer is malformed: {why}"
    ))
}

fn shown(claim: Option<&Value>) -> String {
    match claim {
        None => "missing".to_owned(),
        Some(claim) => printable(&claim.to_string(), MAX_SHOWN_CLAIM),
    }
}

/// RFC 6749 section 5.2: a word of the protocol's own, which holds no token and no secret.
fn error_code(body: &[u8]) -> Option<String> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return None;
    };
    let code = fields.get("error")?.as_str()?;
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    (code.len() <= MAX_SHOWN_CLAIM && code.bytes().all(is_word)).then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Unix = Unix::at(1_800_000_000);

    fn rules() -> Rules {
        Rules {
            issuers: vec!["https://idp.example".to_owned()],
            clients: vec!["app-1".to_owned(), "app-2".to_owned()],
            ..Rules::default()
        }
    }

    fn judge(status: u16, media_type: &str, body: &str) -> Verdict {
        let answer = Answer {
            status,
            media_type,
            body: body.as_bytes(),
        };
        let base = BaseUrl::parse("https://h.example").unwrap();
        rules().judge(&answer, &base, NOW)
    }

    /// Of a good answer with these changes; `null` removes a member.
    fn with(changes: &Value) -> Verdict {
        let mut claims = json!({
            "active": true, "iss": "https://idp.example", "client_id": "app-1", "sub": "ada",
            "username": "ada@example.com", "aud": "https://h.example/mcp", "scope": "read write",
            "exp": NOW.secs() + 300, "nbf": NOW.secs(), "token_type": "Bearer",
        });
        let members = claims.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        judge(200, "application/json;charset=utf-8", &claims.to_string())
    }

    #[track_caller]
    fn good(changes: &Value) -> VerifiedToken {
        match with(changes) {
            Verdict::Good(token) => token,
            other => panic!("{changes}: {other:?}"),
        }
    }

    #[test]
    fn an_active_token_is_read_with_all_that_is_said_of_it() {
        let token = good(&json!({}));
        assert_eq!(token.subject, "ada");
        assert_eq!(token.client_id.as_deref(), Some("app-1"));
        assert_eq!(token.scopes.as_str(), "read write");
        assert_eq!(token.audiences, ["https://h.example/mcp"]);
        let end = token.expires_at.map(Unix::from);
        assert_eq!(end, Some(Unix::at(NOW.secs() + 300)));
        assert_eq!(token.claims["username"], "ada@example.com");
        assert_eq!(token.claims.get("active"), None);
        let bare = good(&json!({"exp": null, "nbf": null, "scope": null, "token_type": null}));
        assert_eq!((bare.expires_at, bare.scopes.is_empty()), (None, true));
        // Written otherwise, and meant alike.
        for changes in [
            json!({"scope": ["read", "write"]}),
            json!({"scope": null, "scp": ["read", "write"]}),
            json!({"token_type": "bearer"}),
            json!({"token_type": "access_token"}),
            json!({"aud": ["other", "https://h.example"]}),
            json!({"exp": 1_800_000_300.5}),
            json!({"nbf": NOW.secs() + 59}),
            json!({"client_id": "app-2"}),
        ] {
            good(&changes);
        }
    }

    #[test]
    fn an_active_token_that_is_not_for_us_or_not_now_or_no_access_token_is_refused() {
        for (changes, words) in [
            (json!({"active": false}), "not active"),
            (json!({"iss": "https://idp.example/"}), "`iss`"),
            (json!({"iss": null}), "`iss` is missing"),
            (json!({"client_id": "app-3"}), "`client_id` is \"app-3\""),
            (json!({"client_id": null}), "`client_id` is missing"),
            (json!({"aud": "https://other.example"}), "`aud`"),
            (json!({"aud": null}), "`aud` is missing"),
            (json!({"aud": {"a": "https://h.example"}}), "`aud`"),
            (json!({"exp": NOW.secs()}), "expired"),
            (json!({"exp": 0}), "expired"),
            (json!({"nbf": NOW.secs() + 61}), "nbf"),
            (json!({"sub": null}), "`sub`"),
            (json!({"sub": ""}), "`sub`"),
            (json!({"sub": "a\u{7}b"}), "`sub`"),
            (json!({"sub": "a".repeat(256)}), "`sub`"),
            (json!({"token_type": "refresh_token"}), "token_type"),
            (json!({"token_type": "DPoP"}), "token_type"),
            (json!({"token_type": "N_A"}), "token_type"),
            (json!({"token_use": "refresh"}), "no access token"),
            (json!({"token_use": "refresh_token"}), "no access token"),
            (json!({"typ": "Refresh"}), "no access token"),
            (json!({"typ": "Offline"}), "no access token"),
            (json!({"cnf": {"jkt": "x"}}), "bound to a key"),
        ] {
            match with(&changes) {
                Verdict::Refused(why) | Verdict::Unknown(why) => {
                    assert!(why.contains(words), "{changes}: {why}");
                }
                other => panic!("{changes}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_answer_that_is_none_says_nothing_against_the_token() {
        let json = "application/json";
        let huge = json!({"active": true, "iss": "https://idp.example", "client_id": "app-1",
            "aud": "https://h.example", "sub": "ada", "groups": "x".repeat(MAX_PERSON_CLAIMS)});
        for (status, media_type, body, words) in [
            (
                401,
                json,
                r#"{"error":"invalid_client"}"#,
                "status 401: invalid_client",
            ),
            (401, json, "", "credentials"),
            (403, json, "{}", "credentials"),
            (
                400,
                json,
                r#"{"error":"invalid_request"}"#,
                "status 400: invalid_request",
            ),
            // Never what was sent, in whatever words it comes back.
            (
                400,
                json,
                r#"{"error":"no token UPSTREAM-1"}"#,
                "status 400",
            ),
            (404, "text/html", "<h1>", "status 404"),
            (429, json, "{}", "status 429"),
            (500, json, r#"{"active":true}"#, "status 500"),
            (302, json, "", "status 302"),
            (201, json, r#"{"active":true}"#, "status 201"),
            (204, json, "", "status 204"),
            (200, json, "", "not a JSON object"),
            (200, json, "[true]", "not a JSON object"),
            (200, json, "true", "not a JSON object"),
            (200, json, r#"{"active":true"#, "not a JSON object"),
            (200, json, "{}", "`active`"),
            (200, json, r#"{"active":"true"}"#, "`active`"),
            (200, json, r#"{"active":1}"#, "`active`"),
            (200, json, r#"{"active":null}"#, "`active`"),
            (200, json, r#"{"active":[true]}"#, "`active`"),
            (200, "application/jwt", "eyJ.e30.c2ln", "RFC 9701"),
            (
                200,
                "application/token-introspection+JWT; x=y",
                "eyJ",
                "RFC 9701",
            ),
            (200, json, &huge.to_string(), "too large"),
        ] {
            match judge(status, media_type, body) {
                Verdict::Trouble(why) => {
                    assert!(why.contains(words), "{status} {body}: {why}");
                    assert!(!why.contains("UPSTREAM"), "{why}");
                }
                other => panic!("{status} {body}: {other:?}"),
            }
        }
        for changes in [
            json!({"exp": "1800000300"}),
            json!({"exp": -1}),
            json!({"nbf": true}),
        ] {
            assert!(matches!(with(&changes), Verdict::Trouble(_)), "{changes}");
        }
    }
}
