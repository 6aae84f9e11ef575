//! The provider's own access tokens, where clients hold those: the operator's verifier decides.

use std::sync::Arc;

use http::{Method, Uri};

use crate::{
    bearer::{
        credentials::is_token68,
        objection::Objection,
        verdict::{Presented, Verdict},
        word::{Subject, word_on},
    },
    oauth::{BaseUrl, Resource},
    resource_server::ResourceServer,
    session::{AuthSession, Inner, RenewsUpstream, TokenSource, UpstreamTokens, Validated},
    time::Unix,
    token::{TokenVerifier, roles},
};

pub(super) fn judge(server: &Arc<ResourceServer>, presented: &Presented<'_>) -> Verdict {
    let Some(verifier) = &server.verifier else {
        return Verdict::NotMine;
    };
    // What cannot be a token never reaches the verifier.
    if !is_token68(presented.token) {
        return Verdict::NotMine;
    }
    let token = ProvidersToken {
        token: presented.token.to_owned(),
        method: presented.method.clone(),
        uri: presented.uri.clone(),
        now: presented.now,
    };
    let (server, verifier) = (Arc::clone(server), Arc::clone(verifier));
    Verdict::ask(async move { validated(&server, &*verifier, token).await.into() })
}

/// As [`Presented`], for as long as the verifier takes.
struct ProvidersToken {
    token: String,
    method: Method,
    uri: Uri,
    now: Unix,
}

/// The session of a token that the verifier accepts.
async fn validated(
    server: &ResourceServer,
    verifier: &dyn TokenVerifier,
    asked: ProvidersToken,
) -> Result<Validated, Objection> {
    let (options, now) = (&server.options, asked.now);
    let subject = Subject {
        token: &asked.token,
        method: &asked.method,
        uri: &asked.uri,
    };
    let verified = word_on(subject, verifier, options.upstream_request_timeout).await?;
    let expires_at = verified.expires_at.map(Unix::from);
    if expires_at.is_some_and(|end| now >= end) {
        return Err(Objection::expired());
    }
    let until = expires_at.unwrap_or(Unix::NEVER);
    let (resource, is_settled) = resource(&verified.audiences, &options.base, asked.uri.path());
    let fresh_until = match is_settled {
        true => until.min(server.sessions.end_of_life(now)),
        false => now,
    };
    Ok(Validated {
        is_sufficient: options.required_scopes.is_subset(&verified.scopes),
        fresh_until,
        mark: None,
        session: AuthSession::new(Inner {
            source: TokenSource::Provider,
            subject: verified.subject,
            provider_subject: None,
            provider: server
                .proxy
                .as_ref()
                .map(|proxy| Arc::clone(proxy.providers.main().id())),
            client_id: verified.client_id.unwrap_or_default(),
            scopes: verified.scopes,
            roles: roles(&options.role_claims, [&verified.claims]),
            claims: verified.claims.into(),
            resource,
            expires_at: until,
            grant_id: None,
            renewal: (server.proxy.as_ref())
                .map(|proxy| Arc::clone(&proxy.delegation) as Arc<dyn RenewsUpstream>),
            upstream: UpstreamTokens::alone(asked.token, expires_at),
            challenges: Some(server.challenges.clone()),
        }),
    })
}

/// What of this server the token is for: what its audience names (RFC 8707 section 2), or all of it where
/// that has names of another kind. `false` where it names several: which of them counts is for each request
/// to say, so the session is not kept.
fn resource(audiences: &[String], base: &BaseUrl, path: &str) -> (Resource, bool) {
    let parse = |audience: &String| Resource::parse(audience, base).ok();
    let mut named = audiences.iter().filter_map(parse);
    let Some(first) = named.next() else {
        return (Resource::base(base), true);
    };
    let others: Vec<Resource> = named.filter(|it| *it != first).collect();
    if others.is_empty() {
        return (first, true);
    }
    let whole = Resource::base(base);
    if first == whole || others.contains(&whole) {
        return (whole, true);
    }
    let asked = others.iter().find(|resource| resource.covers(base, path));
    match asked {
        Some(asked) if !first.covers(base, path) => (asked.clone(), false),
        _ => (first, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(audiences: &[&str], path: &str) -> (String, bool) {
        let base = BaseUrl::parse("https://h.example/api").unwrap();
        let audiences: Vec<String> = audiences.iter().map(|it| (*it).to_owned()).collect();
        let (resource, is_settled) = resource(&audiences, &base, path);
        (resource.as_str().to_owned(), is_settled)
    }

    #[test]
    fn an_audience_below_the_base_url_narrows_the_session_and_any_other_does_not() {
        for (audiences, resource) in [
            (&[][..], "https://h.example/api"),
            (&["app-id"], "https://h.example/api"),
            (&["https://h.example/api"], "https://h.example/api"),
            (&["https://h.example/api/"], "https://h.example/api"),
            (&["https://h.example/api/mcp"], "https://h.example/api/mcp"),
            (
                &["app-id", "https://h.example/api/mcp"],
                "https://h.example/api/mcp",
            ),
            (
                &["https://h.example/api/mcp", "https://h.example/api/mcp"],
                "https://h.example/api/mcp",
            ),
            (
                &["https://h.example/api/mcp", "https://h.example/api"],
                "https://h.example/api",
            ),
            // Not below, so no name of a place here.
            (
                &["https://h.example/apix", "https://other.example/api/mcp"],
                "https://h.example/api",
            ),
        ] {
            assert_eq!(
                of(audiences, "/api/x"),
                (resource.to_owned(), true),
                "{audiences:?}"
            );
        }
    }

    #[test]
    fn of_several_resources_the_one_asked_for_counts_and_only_now() {
        let both = ["https://h.example/api/mcp", "https://h.example/api/sse"];
        for (path, resource) in [
            ("/api/mcp/x", "https://h.example/api/mcp"),
            ("/api/sse", "https://h.example/api/sse"),
            ("/api/admin", "https://h.example/api/mcp"),
        ] {
            assert_eq!(of(&both, path), (resource.to_owned(), false), "{path}");
        }
    }
}
