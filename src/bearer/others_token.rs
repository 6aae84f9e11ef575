//! A token that another server issued, and the session of one that a verifier accepts.

use std::sync::Arc;

use http::{Method, Uri};

use super::{objection::Objection, verdict::Presented, word::Subject};
use crate::{
    oauth::{BaseUrl, Resource},
    resource_server::ResourceServer,
    session::{AuthSession, Inner, RenewsUpstream, TokenSource, UpstreamTokens, Validated},
    time::Unix,
    token::{VerifiedToken, roles},
};

/// As [`Presented`], for as long as a question takes.
pub(super) struct OthersToken {
    pub(super) token: String,
    method: Method,
    pub(super) uri: Uri,
    pub(super) now: Unix,
}

/// Whose it is, by the word of the source.
pub(super) struct Holder {
    pub(super) source: TokenSource,
    /// As they are named here.
    pub(super) subject: String,
    /// As their server names them, where that is not the same.
    pub(super) provider_subject: Option<Box<str>>,
    pub(super) provider: Option<Arc<str>>,
    pub(super) upstream: UpstreamTokens,
    pub(super) renewal: Option<Arc<dyn RenewsUpstream>>,
}

impl OthersToken {
    pub(super) fn new(presented: &Presented<'_>) -> Self {
        Self {
            token: presented.token.to_owned(),
            method: presented.method.clone(),
            uri: presented.uri.clone(),
            now: presented.now,
        }
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            token: &self.token,
            method: &self.method,
            uri: &self.uri,
        }
    }

    /// The end of a verified token that has not come yet.
    pub(super) fn end(&self, verified: &VerifiedToken) -> Result<Option<Unix>, Objection> {
        let end = verified.expires_at.map(Unix::from);
        match end.is_some_and(|end| self.now >= end) {
            true => Err(Objection::expired()),
            false => Ok(end),
        }
    }

    /// What the token is for, and whether that holds for other requests too.
    pub(super) fn resource(&self, verified: &VerifiedToken, base: &BaseUrl) -> (Resource, bool) {
        resource(&verified.audiences, base, self.uri.path())
    }
}

/// The session of a token that was verified for this request.
pub(super) fn session(
    server: &ResourceServer,
    asked: &OthersToken,
    verified: VerifiedToken,
    holder: Holder,
) -> Result<Validated, Objection> {
    let (options, now) = (&server.options, asked.now);
    let until = asked.end(&verified)?.unwrap_or(Unix::NEVER);
    let (resource, is_settled) = asked.resource(&verified, &options.base);
    let fresh_until = match is_settled {
        true => until.min(server.sessions.end_of_life(now)),
        false => now,
    };
    let scopes = options.scope_implications.hold(verified.scopes);
    Ok(Validated {
        is_sufficient: scopes.cover(&options.required_scopes),
        fresh_until,
        mark: None,
        session: AuthSession::new(Inner {
            source: holder.source,
            subject: holder.subject,
            provider_subject: holder.provider_subject,
            provider: holder.provider,
            client_id: verified.client_id.unwrap_or_default(),
            scopes,
            roles: roles(&options.role_claims, [&verified.claims]),
            claims: verified.claims.into(),
            resource,
            expires_at: until,
            grant_id: None,
            renewal: holder.renewal,
            upstream: holder.upstream,
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
