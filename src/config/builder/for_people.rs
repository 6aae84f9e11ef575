//! People: who may come in, for how long, and what is known of them.

use std::{future::Future, time::Duration};

use super::said::OAuthProxyConfigBuilder;
use crate::{
    config::hooks::{LoginRequest, Veto, hook},
    grant::Subjects,
    token::ClaimsPassthrough,
};

/// # People
///
/// Who may log in, for how long that is believed, and what is known of them: [`docs::people`](crate::docs::people),
/// [`docs::lifecycle`](crate::docs::lifecycle). **Without a list or a hook, everyone whom the provider lets in.**
///
/// ```
/// use std::time::Duration;
/// use tower_oauth_proxy::OAuthProxyConfigBuilder;
///
/// fn people(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
///     builder
///         .allowed_domains(["example.com"])
///         .allowed_groups(["engineering"])
///         // Ask again after ten minutes instead of an hour, and have people log in each week.
///         .identity_max_age(Duration::from_secs(10 * 60))
///         .grant_max_age(Duration::from_secs(7 * 24 * 60 * 60))
/// }
/// # let _ = people;
/// ```
impl OAuthProxyConfigBuilder {
    /// How sessions, access tokens and lists name people where there are several providers. Default:
    /// [`Subjects::first_bare`]: the people of the first provider by their bare `sub`, all others as
    /// `{provider id}|{sub}`.
    ///
    /// A service keys its own data by [`AuthSession::subject`](crate::AuthSession::subject): choose before
    /// people log in, and **leave the first provider the first**. Another one in its place would take over the
    /// bare names, and with them what your service keeps under these. Before you remove a provider for good,
    /// remove what you keep of its people: a later provider with its id would take over their names. After a
    /// change, the administrator's lists find people by their new names; after one to or from [`Subjects::by`]
    /// only once a grant is listed again, within a quarter of [`refresh_token_ttl`](Self::refresh_token_ttl).
    ///
    /// [`AuthSession::provider_subject`](crate::AuthSession::provider_subject) is the provider's own name for
    /// the person, as [`LoginRequest::person`](crate::LoginRequest) has it. In
    /// [passthrough mode](Self::passthrough) the verifier names people.
    pub fn subjects(mut self, subjects: Subjects) -> Self {
        self.plain.subjects = subjects;
        self
    }

    /// Lets only people with these verified addresses log in, and those of
    /// [`allowed_domains`](Self::allowed_domains). Default: everyone whom the provider lets in.
    ///
    /// The provider has to vouch for addresses, with the scopes that are asked for: Entra ID never does. The
    /// lists are asked at login, at each renewal of the provider's token, and when a client refreshes and the
    /// last look is older than [`identity_max_age`](Self::identity_max_age): a person who was taken off the
    /// list is out by then.
    pub fn allowed_emails<I: IntoIterator<Item: Into<String>>>(mut self, emails: I) -> Self {
        self.plain
            .allow_list
            .want_emails(emails.into_iter().map(Into::into));
        self
    }

    /// Lets only people with a verified address of these domains log in, and those of
    /// [`allowed_emails`](Self::allowed_emails). Subdomains are not included; an international domain may be
    /// written in either form. Default: everyone whom the provider lets in.
    pub fn allowed_domains<I: IntoIterator<Item: Into<String>>>(mut self, domains: I) -> Self {
        self.plain
            .allow_list
            .want_domains(domains.into_iter().map(Into::into));
        self
    }

    /// Lets only people of these groups log in: one of them is enough. Default: people of any group, and of none.
    ///
    /// The groups are read from the claim `groups`, or from those that [`group_claims`](Self::group_claims) names,
    /// and compared to the letter: Entra ID and some others name groups by their ids. They count where
    /// [roles](Self::role_claims) do: in the ID token, in userinfo, and in a JWT access token that is for this
    /// service. With an ID token, userinfo is asked at login only with
    /// [`always_userinfo`](crate::Provider::always_userinfo).
    ///
    /// **How the options combine.** A person has to meet each of: the list of addresses
    /// ([`allowed_emails`](Self::allowed_emails) or [`allowed_domains`](Self::allowed_domains): one list),
    /// `allowed_groups`, each [`allowed_claim`](Self::allowed_claim), the
    /// [`allowed_organizations`](crate::Provider::allowed_organizations) of their provider, and
    /// [`on_login`](Self::on_login). Within one option, one entry is enough.
    ///
    /// All are asked at login and at each later look at the person, as the lists of addresses are. Where userinfo is
    /// asked then, what the login's ID token said of groups and claims no longer counts. A person for
    /// whom the provider does not name the claim does not come in, and neither does one with too many groups for
    /// a token, of whom Entra ID says where they stand and not which they are. The refusal is `access_denied`, and
    /// an event of [`Reason::NotAllowed`](crate::Reason::NotAllowed) names the option, the person and what was
    /// seen.
    ///
    /// With several providers it holds for the people of each, so each has to be trusted with the name of a group.
    /// What only one can answer, say on that [`Provider`](crate::Provider::allowed_claim).
    ///
    /// ```
    /// # use tower_oauth_proxy::OAuthProxyConfigBuilder;
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder
    ///     .allowed_domains(["example.com"])
    ///     .allowed_groups(["engineering", "mcp-users"])
    ///     .group_claims(["cognito:groups"])
    ///     .allowed_claim("/realm_access/roles", ["staff"])
    /// # }
    /// ```
    pub fn allowed_groups<I: IntoIterator<Item: Into<String>>>(mut self, groups: I) -> Self {
        self.plain
            .people
            .want_groups(groups.into_iter().map(Into::into));
        self
    }

    /// The claims that hold a person's groups, for [`allowed_groups`](Self::allowed_groups): names, or paths as
    /// in [`role_claims`](Self::role_claims). Default: `groups`.
    pub fn group_claims<I: IntoIterator<Item: Into<String>>>(mut self, names: I) -> Self {
        self.plain
            .people
            .read_groups_from(names.into_iter().map(Into::into));
        self
    }

    /// Lets only people log in whose claim is one of these values, or is an array that has one. Default: no
    /// condition. Each call is a condition of its own, and a person has to meet all: see
    /// [`allowed_groups`](Self::allowed_groups).
    ///
    /// The name may be a path, as in [`role_claims`](Self::role_claims). Texts are compared to the letter; a number
    /// or a boolean is compared as JSON writes it.
    pub fn allowed_claim<I: IntoIterator<Item: Into<String>>>(
        mut self,
        claim: impl Into<String>,
        values: I,
    ) -> Self {
        let values = values.into_iter().map(Into::into);
        self.plain.people.want_claim(claim.into(), values);
        self
    }

    /// Lets the allow lists accept an address that the provider does not call verified. Default: they do
    /// not. Refused without a list.
    ///
    /// Weak where people can choose their address, as in a multi-tenant Entra app.
    pub fn insecure_trust_unverified_emails(mut self) -> Self {
        self.plain.allow_list.trust_unverified = true;
        self
    }

    /// Asks this closure about each person whom the provider let in, after the allow lists; and again
    /// whenever the person is looked at while their grant lives
    /// ([`Occasion::Recheck`](crate::Occasion::Recheck)): a no then ends the grant. It may take 10 seconds. No
    /// answer at login is a no for now; later, what was known stands for a while. Default: everyone on the
    /// lists may come in.
    ///
    /// ```
    /// # use tower_oauth_proxy::{OAuthProxyConfigBuilder, Veto};
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.on_login(async |request| match request.person.claims.get("hd") {
    ///     Some(domain) if domain == "example.com" => Ok(()),
    ///     _ => Err(Veto::new("this service is for example.com only")),
    /// })
    /// # }
    /// ```
    pub fn on_login<F, Fut>(mut self, closure: F) -> Self
    where
        F: Fn(LoginRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Veto>> + Send + 'static,
    {
        self.plain.on_login = Some(hook(closure));
        self
    }

    /// How long a look at a person is good, in whole seconds: one second to a year. Default: 1 hour.
    ///
    /// A client that refreshes later has the provider asked again: for a new token, or for the person with
    /// the token that is there. A no ends the grant. Trouble at the provider is not an answer: what was known
    /// stands for twice this time.
    pub fn identity_max_age(mut self, age: Duration) -> Self {
        self.plain.identity_max_age = age;
        self
    }

    /// How old a grant may get, counted from the login, however often it is used: one second to ten years.
    /// Then the person has to log in again. Default: no limit, but 30 days where the provider gives no refresh
    /// token and cannot be asked whether the person may still come in.
    ///
    /// In [passthrough mode](Self::passthrough) it is asked at each refresh, and the provider's last access
    /// token lives to its own end.
    pub fn grant_max_age(mut self, age: Duration) -> Self {
        self.plain.grant_max_age = Some(age);
        self
    }

    /// How many live grants one person has, over all clients; at least 1. Default: 100.
    ///
    /// A login that makes one more ends the grant that was used longest ago, with an event of
    /// [`Reason::TooMany`](crate::Reason::TooMany). Its tokens stay good at the provider until they end there:
    /// many providers would end the person's other grants with them.
    ///
    /// A client that logs in instead of refreshing leaves a grant behind each time. Without a limit one
    /// account fills the store, and pushes other people out of a store with bounds. A login reads the names of
    /// up to this many grants, and the grants themselves where it ends some.
    pub fn grants_per_person(mut self, limit: usize) -> Self {
        self.plain.grants_per_person = limit;
        self
    }

    /// The claims that hold a person's roles, in the ID token, in userinfo, or in a JWT access token that
    /// is for this service (see [`access_token_audiences`](Self::access_token_audiences)): a string or an array
    /// of strings each. Default: `role`, `roles`, and `realm_access` (Keycloak).
    ///
    /// A name that begins with a slash is a path into a claim (RFC 6901): `/resource_access/mcp/roles` has the
    /// roles of Keycloak's client `mcp`. Cognito's groups are in `cognito:groups`, those of most others in
    /// `groups`.
    pub fn role_claims<I: IntoIterator<Item: Into<String>>>(mut self, names: I) -> Self {
        self.plain.role_claims = names.into_iter().map(Into::into).collect();
        self
    }

    /// More names by which the provider's access tokens are for this service (`aud`). Default: only
    /// the client id, the [identifier URI](crate::Provider::identifier_uri), an `audience` or `resource` that
    /// is asked for, and the base URL with [`forward_resource`](Self::forward_resource).
    ///
    /// Roles and claims of an access token count only when it is a JWT, its `aud` names us and its `sub` is
    /// the same person: what a token for another API says is not meant for us.
    ///
    /// Keycloak puts `account` into `aud` unless a mapper adds the client: add the mapper, or name `account`
    /// here to read `realm_access` from its access tokens.
    ///
    /// ```
    /// # use tower_oauth_proxy::OAuthProxyConfigBuilder;
    /// # fn with(builder: OAuthProxyConfigBuilder) -> OAuthProxyConfigBuilder {
    /// builder.access_token_audiences(["api://reports", "account"])
    /// # }
    /// ```
    pub fn access_token_audiences<I: IntoIterator<Item: Into<String>>>(
        mut self,
        audiences: I,
    ) -> Self {
        self.plain.access_token_audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    /// Which of the provider's claims reach sessions and tokens. Default: [`ClaimsPassthrough::default`].
    pub fn custom_claims_passthrough(mut self, claims: ClaimsPassthrough) -> Self {
        self.plain.custom_claims_passthrough = claims;
        self
    }
}
