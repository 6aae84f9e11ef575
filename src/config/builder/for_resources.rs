//! Scopes and resources: what is protected, and what a request needs.

use super::said::OAuthProxyConfigBuilder;

/// # Scopes and resources
impl OAuthProxyConfigBuilder {
    /// The scopes that clients may ask for. Unset: the provider's defaults.
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Scopes that every request on a protected path needs; without them 403
    /// `insufficient_scope`. Each has to be one of `scopes`, and none `offline_access`.
    pub fn required_scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.required_scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// `true` (default): a token for `{base}/mcp` is good at `/mcp` and below it only (RFC 8707).
    /// `false`: a token for any resource of this server is good on all of its paths, as the older
    /// two-path SSE transport needs.
    pub fn audience_by_path(mut self, on: bool) -> Self {
        self.plain.audience_by_path = on;
        self
    }

    /// Paths that need no token, compared exactly with the request's whole path: where the base URL has
    /// a path, they mostly begin with it. One that this layer answers itself is refused.
    pub fn public_paths<I: IntoIterator<Item: Into<String>>>(mut self, paths: I) -> Self {
        self.plain
            .public_paths
            .extend(paths.into_iter().map(Into::into));
        self
    }

    /// `true`: a request without a token reaches the inner service without a session; one with a
    /// bad token is still refused. Default: `false`.
    pub fn optional_auth(mut self, on: bool) -> Self {
        self.plain.optional_auth = on;
        self
    }

    /// `true`: the inner service sees the `Authorization` header. Default: `false`, so that the
    /// token cannot leak further (to a proxied service, to logs).
    pub fn keep_authorization_header(mut self, on: bool) -> Self {
        self.plain.keep_authorization_header = on;
        self
    }

    /// `true`: the layer answers CORS preflights on protected paths for any origin, without
    /// credentials, and exposes the headers that browser MCP clients read. Leave off where an outer
    /// CORS layer does this. Default: `false`.
    pub fn cors_on_protected_paths(mut self, on: bool) -> Self {
        self.plain.cors_on_protected_paths = on;
        self
    }
}
