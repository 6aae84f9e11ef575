//! Access tokens and workloads of a trusted issuer, as the operator accepts them.

use super::{trusted_issuer::TrustedIssuer, workload::Workload};

/// # Access tokens and workloads
impl TrustedIssuer {
    /// Accepts its access tokens as bearer tokens, as they are: JWTs with its `iss`, signed by one of its keys,
    /// whose `aud` has one of these. Default: none.
    ///
    /// A JWT with its `iss` is its own: one that is not good is refused there, and tried nowhere else. While its
    /// keys cannot be had, tokens get 503 and never 401. The rules are those of
    /// [`JwksVerifier`](crate::JwksVerifier): the session has the token's `scope` or `scp` and all of its claims,
    /// and its roles by [`role_claims`](crate::OAuthProxyConfigBuilder::role_claims).
    /// [`AuthSession::is_person`](crate::AuthSession::is_person) tells people from apps where the token does. A
    /// signature does not tell whether the token was revoked since: it is good until it ends, and
    /// `revoke_subject` does not touch it.
    ///
    /// **No ID token is an access token.** One that says so is refused: by a `typ` other than `at+jwt`
    /// (RFC 9068), `JWT` or none; by `nonce` without a scope, `at_hash`, `c_hash`, and by the claims that some
    /// issuers write. An ID token that says nothing of this kind can be told only by its `aud`, which is the
    /// client id of an app: name no client id here.
    ///
    /// **The allow lists are asked** about each token, by its claims, at its first sight and again in each
    /// [`session_cache_ttl`](crate::OAuthProxyConfigBuilder::session_cache_ttl): who may not log in does not come
    /// in by this door. They are [`allowed_emails`](crate::OAuthProxyConfigBuilder::allowed_emails),
    /// [`allowed_domains`](crate::OAuthProxyConfigBuilder::allowed_domains),
    /// [`allowed_groups`](crate::OAuthProxyConfigBuilder::allowed_groups),
    /// [`allowed_claim`](crate::OAuthProxyConfigBuilder::allowed_claim), with [`people_of`](Self::people_of) those
    /// of the [`Provider`](crate::Provider::allowed_claim), and
    /// [`on_login`](crate::OAuthProxyConfigBuilder::on_login) with
    /// [`Occasion::AccessToken`](crate::Occasion::AccessToken). What the token does not say is a no.
    pub fn access_tokens<I: IntoIterator<Item: Into<String>>>(mut self, audiences: I) -> Self {
        self.audiences.extend(audiences.into_iter().map(Into::into));
        self
    }

    /// Its access tokens come in for every person: neither the allow lists nor
    /// [`on_login`](crate::OAuthProxyConfigBuilder::on_login) are asked. Default: they are asked.
    ///
    /// For an issuer whose tokens are of machines, of which no list knows anything, or that lets in no one who
    /// is not allowed. Reported at start as a weak option where there are lists.
    pub fn access_tokens_without_allow_lists(mut self) -> Self {
        self.unlisted_tokens = true;
        self
    }

    /// Gives tokens to these workloads of it, with the grant type
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer`. Default: to none.
    ///
    /// **Follows a draft**, the MCP proposal *Workload Identity Federation* (SEP-1933), which may still change.
    pub fn workload(mut self, workload: Workload) -> Self {
        self.workloads.push(workload);
        self
    }
}
