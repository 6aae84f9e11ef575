//! Google.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    provider::{
        audience_proof::{Ask, AudienceProof, Issued},
        dialect::{Dialect, Names, Organizations},
        endpoints::Endpoints,
        prompt::Prompts,
        provider::{Provider, TokenEndpointAuth},
        upstream_error::Finality,
    },
    time::Unix,
};

/// Google accounts, personal and Workspace.
///
/// Create an OAuth client of type "Web application" at <https://console.cloud.google.com/auth/clients>
/// with the authorized redirect URI `{base_url}/oauth/callback`. For one Workspace only, make the
/// app internal or say `.allowed_organizations(["example.com"])`, which compares the ID token's `hd`; a `hd`
/// authorization parameter is only a hint to Google's account chooser.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid email profile`. Google refuses `offline_access` |
/// | the person | `sub`, which stays; an address can change |
/// | the address | with `email_verified` |
/// | refresh | `access_type=offline` and `prompt=consent` are sent, without which Google gives no refresh token (a peer's users lost their sessions hourly). It stays the same; it ends after six months without use, after 7 days while the app is in "Testing", and when a hundred newer ones of this person and client exist |
/// | revocation | either token, and with it all that the person gave to the app: their other clients log in again |
///
/// ID tokens are verified by the keys that Google publishes at
/// `https://www.googleapis.com/oauth2/v3/certs`.
///
/// Anyone can open an account, so say who may log in.
///
/// ```
/// let google = tower_oauth_proxy::provider::google("id.apps.googleusercontent.com", "secret");
/// assert!(google.check().is_ok());
/// ```
#[must_use]
pub fn google(client_id: impl Into<String>, client_secret: impl Into<String>) -> Provider {
    Provider::new(
        "google",
        "Google",
        Endpoints::new(
            "https://accounts.google.com/o/oauth2/v2/auth",
            "https://oauth2.googleapis.com/token",
        ),
        Arc::new(Google),
        client_id,
        client_secret,
    )
    .revocation_url("https://oauth2.googleapis.com/revoke")
    .jwks_url("https://www.googleapis.com/oauth2/v3/certs")
    .token_endpoint_auth_method(TokenEndpointAuth::Post)
    .scopes(["openid", "email", "profile"])
    .authorization_param("access_type", "offline")
    .authorization_param("prompt", "consent")
}

#[derive(Debug)]
struct Google;

impl Dialect for Google {
    fn finality(&self, code: &str) -> Option<Finality> {
        finality(code)
    }

    fn scope_in<'a>(&self, scope: &'a str) -> &'a str {
        match scope {
            "https://www.googleapis.com/auth/userinfo.email" => "email",
            "https://www.googleapis.com/auth/userinfo.profile" => "profile",
            other => other,
        }
    }

    fn audience_proof(&self) -> Option<AudienceProof> {
        Some(AudienceProof {
            url: "https://oauth2.googleapis.com/tokeninfo".to_owned(),
            ask: Ask::InQuery("access_token"),
            unknown: &[400],
            names_person: true,
            read: issued,
        })
    }

    fn prompts(&self) -> Prompts {
        Prompts::List(&["consent", "select_account"])
    }

    /// The claim says whose account it is; the parameter of the same name only asks.
    fn organizations(&self) -> Option<Organizations> {
        Some(Organizations {
            claim: "hd",
            entry: workspace,
            memberships: None,
        })
    }

    fn names(&self, claim: &str) -> Names {
        match claim {
            "groups" => {
                Names::Never("addresses, or `Provider::allowed_organizations` for a Workspace")
            }
            _ => Names::Perhaps,
        }
    }

    /// Google's reference gives both, the second for old integrations.
    fn admits_issuer(&self, iss: &str, _: Option<&Map<String, Value>>) -> bool {
        matches!(iss, "https://accounts.google.com" | "accounts.google.com")
    }

    fn is_open_to_all(&self) -> bool {
        true
    }
}

/// A Workspace is known by its primary domain.
fn workspace(entry: &str) -> Result<String, &'static str> {
    let is_label = |label: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(is_plain)
    };
    match entry.contains('.') && entry.split('.').all(is_label) {
        true => Ok(entry.to_ascii_lowercase()),
        false => Err("is not a Workspace's domain: write it as `example.com`"),
    }
}

/// Numbers and booleans are strings here.
fn issued(fields: &Map<String, Value>) -> Issued {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let claims = ["sub", "email", "email_verified", "hd"];
    let claims = claims.iter().filter_map(|name| fields.get_key_value(*name));
    Issued {
        app: text("aud").map(str::to_owned),
        scopes: text("scope")
            .unwrap_or_default()
            .split(' ')
            .map(str::to_owned)
            .collect(),
        expires_at: text("exp").and_then(|end| end.parse().ok()).map(Unix::at),
        claims: claims
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    }
}

/// Both are said of the operator's app.
pub(super) fn finality(code: &str) -> Option<Finality> {
    matches!(code, "deleted_client" | "disabled_client").then_some(Finality::Trouble)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        oauth::ScopeSet,
        provider::{fake::json_answer, token_answer::token_answer},
    };

    #[test]
    fn google_gives_a_refresh_token_only_when_asked_twice() {
        let url = google("id", "s").authorization_url(&[], &[]);
        assert!(
            url.contains("access_type=offline") && url.contains("prompt=consent"),
            "{url}"
        );
    }

    #[test]
    fn googles_long_scope_names_come_back_as_the_short_ones() {
        let provider = google("id", "s");
        let granted = "openid https://www.googleapis.com/auth/userinfo.email \
                       https://www.googleapis.com/auth/userinfo.profile \
                       https://www.googleapis.com/auth/drive";
        assert_eq!(
            provider.scopes_from_upstream(granted).to_string(),
            "openid email profile https://www.googleapis.com/auth/drive"
        );
        assert_eq!(
            provider.scope_param(
                &ScopeSet::parse("openid email").unwrap(),
                &ScopeSet::default()
            ),
            "openid email"
        );
    }

    #[test]
    fn both_of_googles_issuers_are_admitted_and_no_other() {
        let google = google("id", "s");
        let id_token = Map::new();
        for claims in [None, Some(&id_token)] {
            assert!(google.admits_issuer("https://accounts.google.com", claims));
            assert!(google.admits_issuer("accounts.google.com", claims));
            assert!(!google.admits_issuer("https://accounts.google.com/", claims));
            let forged = "https://accounts.google.com.evil.example";
            assert!(!google.admits_issuer(forged, claims));
        }
        let own = google.issuer("https://sts.example");
        assert!(!own.admits_issuer("https://accounts.google.com", None));
    }

    #[test]
    fn an_address_is_vouched_for_by_either_name_of_its_scope() {
        let fault = |offered: &str| {
            let offered = ScopeSet::parse(offered).unwrap();
            google("id", "s").vouches_for_email(&offered, false).err()
        };
        let words = fault("openid").unwrap();
        assert!(
            words.contains("Google") && words.contains("`email`"),
            "{words}"
        );
        let long = "openid https://www.googleapis.com/auth/userinfo.email";
        assert_eq!(fault(long), None);
        assert!(google("id", "s").is_open_to_all());
    }

    #[test]
    fn a_workspace_is_its_primary_domain_in_the_id_token_and_a_personal_account_has_none() {
        let google = google("id", "s").allowed_organizations([" Example.COM ", "other.example"]);
        assert_eq!(google.check(), Ok(()));
        let rules = google.people_rules();
        let refusal = |claims: Value| rules[0].refusal(&[claims.as_object().unwrap()]);
        assert_eq!(refusal(json!({"hd": "example.com"})), None);
        for other in [
            json!({}),
            json!({"hd": "evil.example"}),
            json!({"hd": "example.com.evil.example"}),
            json!({"hd": "sub.example.com"}),
            json!({"hd": "", "email": "ada@example.com", "email_verified": true}),
        ] {
            assert!(refusal(other.clone()).is_some(), "{other}");
        }
        for bad in [
            "",
            "example",
            "@example.com",
            "*.example.com",
            "a..b",
            "https://a.example",
        ] {
            let google = super::google("id", "s").allowed_organizations([bad]);
            assert!(google.check().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_deleted_app_is_the_operators_trouble_and_ends_no_grant() {
        for code in ["deleted_client", "disabled_client"] {
            let body = format!(r#"{{"error":"{code}"}}"#);
            let answer = json_answer(401, &body);
            let error = token_answer(&google("id", "s"), &answer).unwrap_err();
            assert_eq!(error.finality(), Finality::Trouble, "{error}");
        }
        assert_eq!(finality("bad_refresh_token"), None);
    }

    #[test]
    fn tokeninfo_says_whose_a_token_is_and_for_which_app() {
        let said = json!({
            "azp": "id.apps", "aud": "id.apps", "sub": "10769150350006150715113082367",
            "scope": "https://www.googleapis.com/auth/userinfo.email openid", "exp": "1700003599",
            "expires_in": "3599", "email": "ada@example.com", "email_verified": "true",
            "access_type": "online",
        });
        let issued = issued(said.as_object().unwrap());
        assert_eq!(issued.app.as_deref(), Some("id.apps"));
        assert_eq!(issued.expires_at, Some(Unix::at(1_700_003_599)));
        assert_eq!(issued.scopes.len(), 2);
        assert_eq!(issued.claims["sub"], "10769150350006150715113082367");
        assert_eq!(issued.claims.get("aud"), None);
        assert_eq!(super::issued(&Map::new()).app, None);
    }
}
