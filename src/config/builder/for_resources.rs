//! Scopes and resources: what is protected, and what a request needs.

use super::said::OAuthProxyConfigBuilder;

/// # Scopes and resources
///
/// Everything behind the layer is protected, unless it is named here.
///
/// ```
/// use tower_oauth_proxy::OAuthProxyConfigBuilder;
///
/// fn resources(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
///     builder
///         .scopes(["openid", "notes:read", "notes:write"])
///         // Every protected path needs this one; a route may demand more by a guard.
///         .required_scopes(["notes:read"])
///         .public_paths(["/health"])
/// }
/// # let _ = resources;
/// ```
impl OAuthProxyConfigBuilder {
    /// The scopes that clients may ask for, and the first provider is asked for. Default: the provider's. Those of
    /// each [further provider](Self::also_provider) are offered beside them.
    pub fn scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Scopes that every request on a protected path needs; without them the answer is 403
    /// `insufficient_scope`. Each has to be one of [`scopes`](Self::scopes), and none `offline_access`.
    /// Default: none.
    pub fn required_scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.required_scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Says that a token with `scope` is good for these scopes too, and for what they imply in turn. Called again for
    /// the same scope, it adds. Default: a token is good for just the scopes that it names.
    ///
    /// [Guards](crate::guard), [`required_scopes`](Self::required_scopes) and
    /// [`AuthSession::has_scope`](crate::AuthSession::has_scope) go by it, whatever kind of token it is; a challenge
    /// leaves out what the rest of it implies. A provider that grants the larger scope in place of the smaller one has
    /// granted the smaller one. A token itself names what was granted, and no more.
    ///
    /// Each has to be one of [`scopes`](Self::scopes) or a scope of an [API key](crate::ApiKey); where tokens of other
    /// servers are good here, `scope` may be one of theirs. No scope may imply itself in the end.
    ///
    /// ```
    /// use tower_oauth_proxy::OAuthProxyConfigBuilder;
    ///
    /// fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    ///     builder
    ///         .scopes(["notes:read", "notes:write", "notes:admin"])
    ///         .scopes_imply("notes:admin", ["notes:write"])
    ///         .scopes_imply("notes:write", ["notes:read"])
    /// }
    /// # let _ = with;
    /// ```
    pub fn scopes_imply<I: IntoIterator<Item: Into<String>>>(
        mut self,
        scope: impl Into<String>,
        implied: I,
    ) -> Self {
        let implied = implied.into_iter().map(Into::into).collect();
        self.scopes_imply.push((scope.into(), implied));
        self
    }

    /// `true`: a token for `{base}/mcp` is good at `/mcp` and below it only (RFC 8707). `false`: a token
    /// for any resource of this server is good on all of its paths, as the older two-path SSE transport
    /// needs. Default: `true`.
    pub fn audience_by_path(mut self, on: bool) -> Self {
        self.plain.audience_by_path = on;
        self
    }

    /// Adds paths that need no token. Default: none.
    ///
    /// They are compared exactly, with the whole path of the request: where the base URL has a path, they
    /// mostly begin with it. A path that this layer answers itself is refused.
    ///
    /// ```
    /// # use tower_oauth_proxy::OAuthProxyConfigBuilder;
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.public_paths(["/health", "/favicon.ico"])
    /// # }
    /// ```
    pub fn public_paths<I: IntoIterator<Item: Into<String>>>(mut self, paths: I) -> Self {
        let paths = paths.into_iter().map(Into::into);
        self.plain.public_paths.extend(paths);
        self
    }

    /// `true`: a request without a token reaches the inner service, without a session; one with a bad
    /// token is still refused. Default: `false`.
    pub fn optional_auth(mut self, on: bool) -> Self {
        self.plain.optional_auth = on;
        self
    }

    /// `true`: the inner service sees the `Authorization` header. Default: `false`, so that the token
    /// cannot leak further, to a proxied service or to logs.
    pub fn keep_authorization_header(mut self, on: bool) -> Self {
        self.plain.keep_authorization_header = on;
        self
    }

    /// `true`: the layer answers CORS preflights on protected paths for any origin, without credentials,
    /// and exposes the headers that browser MCP clients read. Leave it off where an outer CORS layer does
    /// this. Default: `false`.
    pub fn cors_on_protected_paths(mut self, on: bool) -> Self {
        self.plain.cors_on_protected_paths = on;
        self
    }
}
