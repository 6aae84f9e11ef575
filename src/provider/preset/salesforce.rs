//! Salesforce.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::provider::{
    dialect::{Dialect, Home},
    endpoints::Endpoints,
    provider::{Provider, TokenEndpointAuth},
};

/// Users of Salesforce organizations.
///
/// In Setup, under "External Client App Manager", create an app ("Connected App" in older
/// organizations). Enable OAuth with the callback URL `{base_url}/oauth/callback`, and choose the scopes
/// "Access unique user identifiers (openid)", "Access the identity URL service (id, profile, email ...)"
/// and "Perform requests at any time (refresh_token, offline_access)". Consumer key and secret are the
/// client ID and secret.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid profile email`; `refresh_token` is always asked for |
/// | the person | organization and user together, `00D…/005…`, as the claim `sub`. Salesforce's own `sub` is a URL, whose host depends on how the person came; the claims `organization_id` and `user_id` are there as well |
/// | the address | with `email_verified`. An administrator sets it, and Salesforce asks the person to confirm it |
/// | refresh | no answer says how long a token lives: the session policy of the app decides. Newly made apps rotate refresh tokens, and want PKCE, which is used |
/// | revocation | the refresh token, and with it its access tokens |
///
/// `login.salesforce.com` takes users of every organization in which the app is installed: compare
/// `organization_id` in the login hook, or name your own host. A sandbox:
/// `.authority("https://test.salesforce.com")`. My Domain:
/// `.authority("https://acme.my.salesforce.com")`. The ID token says little, so userinfo is asked at each
/// login. Its claim `urls` says where the person's API is.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let salesforce = provider::salesforce("3MVG9consumer", "client-secret")
///     .authority("https://acme.my.salesforce.com")
///     .scopes(["openid", "profile", "email", "api"]);
/// assert!(salesforce.check().is_ok());
/// ```
#[must_use]
pub fn salesforce(client_id: impl Into<String>, client_secret: impl Into<String>) -> Provider {
    let home = at("https://login.salesforce.com");
    Provider::new(
        "salesforce",
        "Salesforce",
        home.endpoints,
        home.dialect,
        client_id,
        client_secret,
    )
    .token_endpoint_auth_method(TokenEndpointAuth::Post)
    .scopes(["openid", "profile", "email"])
    .upstream_scopes(["refresh_token"])
    .always_userinfo(true)
}

fn at(host: &str) -> Home {
    let url = |last: &str| format!("{host}/services/oauth2/{last}");
    Home {
        endpoints: Endpoints {
            revocation: Some(url("revoke")),
            userinfo: Some(url("userinfo")),
            introspection: Some(url("introspect")),
            jwks: Some(format!("{host}/id/keys")),
            ..Endpoints::new(url("authorize"), url("token"))
        },
        issuer: None,
        dialect: Arc::new(Salesforce {
            host: host.to_owned(),
        }),
    }
}

#[derive(Debug)]
struct Salesforce {
    host: String,
}

impl Dialect for Salesforce {
    /// `sub` is `https://{host}/id/{organization}/{user}`.
    fn standard_claims(&self, mut claims: Map<String, Value>) -> Map<String, Value> {
        let Some((organization, user)) = ids(&claims) else {
            claims.remove("sub");
            return claims;
        };
        claims.insert("sub".to_owned(), format!("{organization}/{user}").into());
        claims.insert("organization_id".to_owned(), organization.into());
        claims.insert("user_id".to_owned(), user.into());
        claims
    }

    fn admits_issuer(&self, iss: &str, _: Option<&Map<String, Value>>) -> bool {
        iss == self.host
    }

    fn relocate(&self, host: &str) -> Option<Home> {
        Some(at(host))
    }

    /// Of every organization, with the hosts that are nobody's own.
    fn is_open_to_all(&self) -> bool {
        matches!(
            self.host.as_str(),
            "https://login.salesforce.com" | "https://test.salesforce.com"
        )
    }
}

/// Organization and user: at the end of `sub`, as Salesforce writes it or as it was written here.
fn ids(claims: &Map<String, Value>) -> Option<(String, String)> {
    let sub = claims.get("sub")?.as_str()?;
    let path = match sub.strip_prefix("https://") {
        Some(url) => url.split_once("/id/")?.1,
        None => sub,
    };
    let (organization, user) = path.split_once('/')?;
    (is_id(organization) && is_id(user)).then(|| (organization.to_owned(), user.to_owned()))
}

/// 15 or 18 letters and digits.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::{
        fake::{map, tokens},
        identity::Identity,
        upstream_error::Finality,
    };

    const SUB: &str = "https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P";

    fn person(claims: Value) -> Identity {
        Identity::from_claims(salesforce("id", "s").dialect.standard_claims(map(claims)))
    }

    #[test]
    fn a_person_is_a_user_of_an_organization_whatever_the_host() {
        let userinfo = json!({
            "sub": SUB, "user_id": "005x00000012Q9P", "organization_id": "00Dx0000000BV7z",
            "preferred_username": "ada@acme.example", "nickname": "ada", "name": "Ada Lovelace",
            "email": "ada@acme.example", "email_verified": true, "given_name": "Ada",
            "family_name": "Lovelace", "zoneinfo": "Europe/London", "active": true,
            "user_type": "STANDARD", "language": "en_US", "locale": "en_GB", "utcOffset": 0,
            "urls": {"rest": "https://acme.my.salesforce.com/services/data/v{version}/"},
            "updated_at": "2026-02-05T18:33:00Z",
        });
        let ada = person(userinfo);
        assert_eq!(
            ada.subject.as_deref(),
            Some("00Dx0000000BV7z/005x00000012Q9P")
        );
        assert_eq!(ada.verified_email(), Some("ada@acme.example"));
        let moved = "https://acme.my.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P";
        let in_id_token = person(json!({"sub": moved, "iss": "https://acme.my.salesforce.com"}));
        assert_eq!(in_id_token.subject, ada.subject);
        assert_eq!(in_id_token.claims["organization_id"], "00Dx0000000BV7z");
        let again = salesforce("id", "s")
            .dialect
            .standard_claims(ada.claims.clone());
        assert_eq!(again, ada.claims, "what was normalised once stays");
    }

    #[test]
    fn a_sub_of_another_form_names_nobody() {
        for odd in [
            "005x00000012Q9P",
            "https://login.salesforce.com/id/00Dx0000000BV7z",
            "https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P/x",
            "https://login.salesforce.com/00Dx0000000BV7z/005x00000012Q9P",
            "http://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P",
            "",
        ] {
            assert_eq!(person(json!({"sub": odd})).subject, None, "{odd}");
        }
        let claimed = json!({"user_id": "005x00000012Q9P", "organization_id": "00Dx0000000BV7z"});
        assert_eq!(person(claimed).subject, None);
    }

    #[test]
    fn an_answer_says_no_lifetime_and_a_dead_token_ends_the_grant() {
        let provider = salesforce("id", "s");
        let answer = tokens(&provider, 200, &json!({
            "access_token": "00Dx0000000BV7z!AR8AQAxo9UfVkh8AlV0Gomt9Czx9LjHnSSpwBMmbRcgKFmxOtvxjTrKW19ye6PE3Ds1eQz3z8jr3W7_VbWmEu4Q8TVGSTHxs",
            "refresh_token": "5Aep8615VRsd6e5hxvRv", "signature": "SSSbLO/gBhmmyNUvN18ODBDFYHzakxOMgqYtu+hDPsc=",
            "scope": "refresh_token openid api", "id_token": "eyJh.e30.c2ln", "id": SUB,
            "instance_url": "https://acme.my.salesforce.com", "token_type": "Bearer", "issued_at": "1558553873237",
        }))
        .unwrap();
        assert!(answer.expires_in.is_none() && answer.refresh_token.is_some());
        let dead =
            json!({"error": "invalid_grant", "error_description": "expired access/refresh token"});
        assert_eq!(
            tokens(&provider, 400, &dead).unwrap_err().finality(),
            Finality::Ends
        );
        let own =
            json!({"error": "invalid_client_id", "error_description": "client identifier invalid"});
        assert_eq!(
            tokens(&provider, 400, &own).unwrap_err().finality(),
            Finality::Trouble
        );
    }

    #[test]
    fn a_sandbox_and_a_domain_of_ones_own_move_every_url_and_the_issuer() {
        let own = salesforce("id", "s").authority("https://acme.my.salesforce.com/");
        let url = own.authorization_url(&[], &[]);
        assert!(
            url.starts_with("https://acme.my.salesforce.com/services/oauth2/authorize?"),
            "{url}"
        );
        assert!(own.admits_issuer("https://acme.my.salesforce.com", None));
        assert!(!own.admits_issuer("https://login.salesforce.com", None));
        assert!(!own.is_open_to_all());
        assert_eq!(
            own.endpoints.userinfo.as_deref(),
            Some("https://acme.my.salesforce.com/services/oauth2/userinfo")
        );
        let sandbox = salesforce("id", "s").authority("https://test.salesforce.com");
        assert!(sandbox.is_open_to_all() && salesforce("id", "s").is_open_to_all());
    }
}
