//! Every option once: what it holds, and its default.

use std::{ops::Deref, time::Duration};

use crate::{
    client::{MetadataDocuments, RedirectPolicy},
    config::{
        allow_list::AllowList,
        choices::{AccountPage, Consent, PassOn},
        choose_provider::ProviderRule,
        hooks::{LoginHook, RegistrationHook},
        introspection::Introspection,
        page_options::SaidPages,
        people_rules::PeopleRules,
    },
    event::{Detail, EventCallback, Events},
    grant::{RefreshGrace, Subjects},
    oauth::{BaseUrl, GrantType, ScopeImplications, ScopeSet},
    page::{Languages, Look},
    quota::Allowed,
    random, route,
    token::ClaimsPassthrough,
};

/// The checked configuration, as every room reads it: `options.base`, `options.consent`.
///
/// What had to be parsed, or depends on something else that was said, is a field here; whatever is used
/// as it was given is in [`Plain`], which this dereferences to.
pub(crate) struct Options {
    pub(crate) base: BaseUrl,
    /// The issuers that clients get tokens from, as the resource's metadata names them.
    pub(crate) authorization_servers: Vec<String>,
    /// Whether clients that look for the authorization server's metadata here are sent on to it.
    pub(crate) redirects_metadata: bool,
    /// What the provider reads about us, where it knows us by a document.
    pub(crate) client_document: Option<String>,
    /// What clients may bring to the token endpoint, in the order of [`GrantType::ALL`]; none at a resource
    /// server.
    pub(crate) grant_types: Vec<GrantType>,
    /// Whether some trusted issuer's assertions about people are accepted.
    pub(crate) accepts_identity_assertions: bool,
    /// The public keys of access tokens, where there are any.
    pub(crate) key_set: Option<String>,
    /// What clients may ask for.
    pub(crate) scopes: ScopeSet,
    /// What every bearer request needs.
    pub(crate) required_scopes: ScopeSet,
    /// Which scopes are good for which others.
    pub(crate) scope_implications: ScopeImplications,
    /// Which clients may ask about tokens.
    pub(crate) introspection: Introspection,
    /// The operator's policy with the operator's patterns.
    pub(crate) redirect_policy: RedirectPolicy,
    pub(crate) cookie_prefix: String,
    /// In whose name the pages are.
    pub(crate) look: Look,
    /// The languages that the pages are there in.
    pub(crate) languages: Languages,
    pub(crate) plain: Plain,
}

impl Options {
    /// Whether a metadata document may name redirect URIs of its own origin that the redirect policy does not
    /// permit. Where no page of ours shows a person where they give access to, a link would do for anyone with a
    /// web server: then only where the operator has named the hosts.
    pub(crate) fn let_documents_vouch(&self) -> bool {
        let shows_page = matches!(self.consent, Consent::Always | Consent::Remember);
        shows_page || self.metadata_documents.are_of_named_hosts()
    }

    /// Whether another host's page can plant cookies here: a cookie's name keeps it out where it begins with
    /// `__Host-` (RFC 6265bis section 4.1.3.2), and browsers see to that on https alone.
    pub(crate) fn neighbours_can_plant_cookies(&self) -> bool {
        self.base.is_https() && !self.cookie_prefix.starts_with("__Host-")
    }

    /// Whether a person sees their account before the client gets a code.
    pub(crate) fn shows_account_page(&self) -> bool {
        match self.account_page {
            AccountPage::Always => true,
            AccountPage::WhereCookiesCanBePlanted => self.neighbours_can_plant_cookies(),
            AccountPage::Never => false,
        }
    }
}

impl Deref for Options {
    type Target = Plain;

    fn deref(&self) -> &Plain {
        &self.plain
    }
}

/// The options that are used as they were given. The builder's methods document them; a field and its
/// method have one name.
pub(crate) struct Plain {
    pub(crate) redirect_path: String,
    pub(crate) public_paths: Vec<String>,
    pub(crate) service_name: Option<String>,
    pub(crate) pages: SaidPages,
    pub(crate) consent: Consent,
    pub(crate) account_page: AccountPage,
    pub(crate) allow_plain_pkce: bool,
    pub(crate) metadata_documents: MetadataDocuments,
    pub(crate) dynamic_registration: bool,
    pub(crate) pass_on: Vec<PassOn>,
    pub(crate) optional_auth: bool,
    pub(crate) keep_authorization_header: bool,
    pub(crate) cors_on_protected_paths: bool,
    pub(crate) audience_by_path: bool,
    pub(crate) access_token_ttl: Duration,
    pub(crate) assertion_token_ttl: Duration,
    pub(crate) machine_token_ttl: Duration,
    pub(crate) refresh_token_ttl: Duration,
    pub(crate) refresh_token_grace: RefreshGrace,
    pub(crate) identity_max_age: Duration,
    pub(crate) grant_max_age: Option<Duration>,
    pub(crate) grants_per_person: usize,
    pub(crate) authorization_code_ttl: Duration,
    pub(crate) transaction_ttl: Duration,
    pub(crate) session_cache_ttl: Duration,
    pub(crate) upstream_request_timeout: Duration,
    pub(crate) outbound_proxy: Option<String>,
    pub(crate) outbound_root_certificates: Vec<String>,
    pub(crate) outbound_private_networks: Vec<String>,
    pub(crate) custom_claims_passthrough: ClaimsPassthrough,
    pub(crate) role_claims: Vec<String>,
    pub(crate) access_token_audiences: Vec<String>,
    pub(crate) allow_list: AllowList,
    pub(crate) people: PeopleRules,
    pub(crate) storage_encryption: bool,
    pub(crate) on_register: Option<RegistrationHook>,
    pub(crate) on_login: Option<LoginHook>,
    pub(crate) choose_provider: Option<ProviderRule>,
    pub(crate) subjects: Subjects,
    pub(crate) instance_name: Option<String>,
    pub(crate) event_detail: Detail,
    /// Four options, each of the name of its field.
    pub(crate) quotas: Allowed,
}

impl Plain {
    /// Where events go, with the name of this instance in each. Without one it is a random one, so that two
    /// instances can be told apart, and a restart be seen.
    pub(crate) fn events(&self, callback: Option<EventCallback>) -> Events {
        let random = || random::token::<6>();
        let name = self.instance_name.clone().unwrap_or_else(random);
        Events::new(callback)
            .named(&name)
            .with_detail(self.event_detail)
    }
}

impl Default for Plain {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        const HOUR: Duration = Duration::from_secs(60 * 60);
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            redirect_path: route::CALLBACK.to_owned(),
            public_paths: Vec::new(),
            service_name: None,
            pages: SaidPages::default(),
            consent: Consent::default(),
            account_page: AccountPage::default(),
            allow_plain_pkce: false,
            metadata_documents: MetadataDocuments::default(),
            dynamic_registration: true,
            pass_on: Vec::new(),
            optional_auth: false,
            keep_authorization_header: false,
            cors_on_protected_paths: false,
            audience_by_path: true,
            // Whatever the life of the provider's token: ours can be renewed with our refresh token, and
            // one that leaks should not be good for ten years.
            access_token_ttl: HOUR,
            // Until then a person who was removed at the issuer is in: it is asked again only for the next one.
            assertion_token_ttl: 15 * MINUTE,
            // A machine asks again whenever it likes, and nothing is written then.
            machine_token_ttl: 15 * MINUTE,
            // A grant that is not used for this long ends.
            refresh_token_ttl: 30 * DAY,
            refresh_token_grace: RefreshGrace::default(),
            identity_max_age: HOUR,
            grant_max_age: None,
            // Five clients on each of five machines are 25 grants. More than a hundred come from a program
            // that logs in instead of refreshing, and each takes some KiB of a store that others need too.
            grants_per_person: 100,
            // RFC 6749 section 4.1.2: "A maximum authorization code lifetime of 10 minutes is RECOMMENDED."
            // Clients redeem within seconds.
            authorization_code_ttl: 5 * MINUTE,
            // A person may have to find a second factor.
            transaction_ttl: 10 * MINUTE,
            session_cache_ttl: Duration::from_secs(10),
            // From connect to the last byte.
            upstream_request_timeout: Duration::from_secs(10),
            outbound_proxy: None,
            outbound_root_certificates: Vec::new(),
            outbound_private_networks: Vec::new(),
            custom_claims_passthrough: ClaimsPassthrough::default(),
            // The last is Keycloak's.
            role_claims: ["role", "roles", "realm_access"].map(str::to_owned).into(),
            access_token_audiences: Vec::new(),
            allow_list: AllowList::default(),
            people: PeopleRules::default(),
            storage_encryption: true,
            on_register: None,
            on_login: None,
            choose_provider: None,
            subjects: Subjects::default(),
            instance_name: None,
            event_detail: Detail::default(),
            quotas: Allowed::default(),
        }
    }
}
