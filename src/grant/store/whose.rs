//! Whose a grant is, for events.

use super::{
    super::{Grant, GrantId},
    grants::Grants,
};
use crate::{event::Who, jose::unverified_claims};

impl Grants {
    /// Whom an event about this grant is about: the person as sessions name them.
    pub(crate) fn who(&self, id: &GrantId, grant: &Grant) -> Who {
        let (subject, email) = (self.subject_of(grant), email(grant));
        Who::default()
            .grant(id)
            .client(&grant.client_id, None)
            .person(Some(&subject), email.as_deref())
            .provider(&grant.provider)
            .access(grant.resource.as_str(), &grant.scopes)
    }
}

/// The person's address, where the grant has it: among the claims that sessions show, or in the ID token, which was
/// checked when it came.
fn email(grant: &Grant) -> Option<String> {
    let shown = grant.claims.map().get("email").cloned();
    let said = || unverified_claims(grant.upstream.id_token.as_deref()?)?.remove("email");
    let email = shown.or_else(said)?;
    email.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;
    use crate::{
        grant::UpstreamGrant,
        oauth::{Resource, ScopeSet},
        time::Unix,
    };

    #[test]
    fn an_address_is_found_among_the_claims_or_in_the_id_token() {
        let jwt = |claims: serde_json::Value| {
            let part = |text: String| URL_SAFE_NO_PAD.encode(text);
            let header = json!({"alg": "RS256"}).to_string();
            let parts = [part(header), part(claims.to_string()), part("x".to_owned())];
            parts.join(".")
        };
        let scopes = ScopeSet::default();
        let resource = Resource::of_issued("https://mcp.example/");
        let upstream = UpstreamGrant::none(Unix::EPOCH);
        let mut grant = Grant::passed_through("app", "ada", &scopes, &resource, upstream);
        assert_eq!(email(&grant), None);
        let token = jwt(json!({"email": "ada@example.com"}));
        grant.upstream.id_token = Some(token.as_str().into());
        assert_eq!(email(&grant).as_deref(), Some("ada@example.com"));
        let shown = json!({"email": "shown@example.com"});
        grant.claims = shown.as_object().unwrap().clone().into();
        assert_eq!(email(&grant).as_deref(), Some("shown@example.com"));
        grant.claims = json!({"email": 7}).as_object().unwrap().clone().into();
        assert_eq!(email(&grant), None);
    }
}
