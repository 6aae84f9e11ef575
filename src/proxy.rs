//! The running authorization server, put together: every room gets what it needs from the checked
//! configuration.

use std::sync::Arc;

use crate::{
    assertion::UsedAssertions,
    challenge::Challenges,
    client::Clients,
    clock::Clock,
    config::{Options, ServerConfig, TrustedIssuers},
    event::{Event, Events},
    grant::{
        Delegation, DelegationParts, Ending, Freshness, FreshnessParts, FreshnessSettings,
        GrantlessTokens, Grants, ProofOfLife, RefreshTokens,
    },
    login::admission::{Admission, Admissions, VouchedAdmission},
    login::{Arrivals, Claims, Completion, CookieKeys, Cookies},
    mode::{Mode, Passthrough},
    provider::Providers,
    quota::Quotas,
    session::SessionCache,
    tasks::Tasks,
    time::Unix,
    token::{AccessTokens, TokenVerifier},
    vault::Vault,
};

/// What every endpoint works with, and the check of tokens that were issued here.
pub(crate) struct Proxy {
    pub(crate) options: Arc<Options>,
    pub(crate) mode: Mode,
    pub(crate) challenges: Challenges,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Arc<Events>,
    pub(crate) clients: Arc<Clients>,
    pub(crate) cookies: Cookies,
    pub(crate) grants: Arc<Grants>,
    /// Tokens of machines, behind which no grant stands.
    pub(crate) grantless: GrantlessTokens,
    pub(crate) ending: Ending,
    pub(crate) freshness: Arc<Freshness>,
    pub(crate) delegation: Arc<Delegation>,
    pub(crate) providers: Providers,
    /// Checks the provider's token behind a session, where the operator wants that.
    pub(crate) upstream_verifier: Option<Arc<dyn TokenVerifier>>,
    pub(crate) admissions: Arc<Admissions>,
    pub(crate) trusted_issuers: TrustedIssuers,
    /// Admits whom they vouch for.
    pub(crate) vouched: VouchedAdmission,
    /// The assertions that were brought as grants.
    pub(crate) used_grants: UsedAssertions,
    pub(crate) sessions: Arc<SessionCache>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) completion: Arc<Completion>,
    /// Work that goes on when the request that began it is gone.
    pub(crate) tasks: Tasks,
    /// What is left of what the operator allows in a minute.
    pub(crate) quotas: Quotas,
}

impl Proxy {
    pub(crate) fn new(
        config: ServerConfig,
        options: &Arc<Options>,
        challenges: &Challenges,
        clock: &Arc<dyn Clock>,
        events: &Arc<Events>,
    ) -> Self {
        let ServerConfig {
            providers,
            trusted_issuers,
            clients,
            vault,
            storage_name: _,
            secrets,
            signing_keys,
            token_keys,
            is_passthrough,
            upstream_verifier,
        } = config;
        let base = &options.base;
        let tasks = Tasks::default();
        let claims = Claims::new(Arc::clone(&vault), options.transaction_ttl);
        let grants = Grants::new(
            Arc::clone(&vault),
            providers.clone(),
            (options.subjects.clone(), trusted_issuers.vouchers()),
            RefreshTokens::new(secrets.mac("refresh token")),
            secrets.mac("index of grants"),
            Arc::clone(events),
            tasks.clone(),
        );
        let grants = Arc::new(grants.without_subjects(clients.machine_ids()));
        let grantless = GrantlessTokens::new(Arc::clone(&vault), Arc::clone(grants.revocations()));
        let ending = Ending::new(
            Arc::clone(&grants),
            providers.clone(),
            Arc::clone(events),
            tasks.clone(),
        );
        let admissions = Arc::new(Admissions::new(providers.iter().map(|provider| {
            Admission::new(
                Arc::clone(provider),
                Arc::clone(options),
                Arc::clone(events),
                Arc::clone(&grants),
                ending.clone(),
                !is_passthrough,
            )
        })));
        let vouched =
            VouchedAdmission::new(&trusted_issuers, &providers, options, &grants, &ending);
        let used_grants = UsedAssertions::new(Arc::clone(&vault), "grant");
        let completion = Arc::new(Completion {
            arrivals: Arrivals::new(options.transaction_ttl, options.quotas.callbacks_at_once),
            claims,
            options: Arc::clone(options),
            clock: Arc::clone(clock),
            tasks: tasks.clone(),
        });
        let freshness = Freshness::new(
            FreshnessParts {
                vault: Arc::clone(&vault),
                grants: Arc::clone(&grants),
                ending: ending.clone(),
                providers: providers.clone(),
                proof: Arc::clone(&admissions) as Arc<dyn ProofOfLife>,
                clock: Arc::clone(clock),
                events: Arc::clone(events),
                tasks: tasks.clone(),
            },
            FreshnessSettings {
                grant_ttl: options.refresh_token_ttl,
                upstream_request_timeout: options.upstream_request_timeout,
                identity_max_age: options.identity_max_age,
                grant_max_age: options.grant_max_age,
                scope_implications: options.scope_implications.clone(),
            },
        );
        let freshness = Arc::new(freshness);
        let delegation = Arc::new(Delegation::new(DelegationParts {
            providers: providers.clone(),
            grants: Arc::clone(&grants),
            freshness: Arc::clone(&freshness),
            clock: Arc::clone(clock),
            events: Arc::clone(events),
            tasks: tasks.clone(),
        }));
        let mode = match is_passthrough {
            true => Mode::Passthrough(Passthrough::new(secrets.seal("passthrough refresh token"))),
            false => Mode::Swap(AccessTokens::new(
                base.as_str(),
                &secrets.mac_with("access token", &signing_keys),
                &token_keys,
            )),
        };
        Self {
            mode,
            trusted_issuers,
            vouched,
            used_grants,
            challenges: challenges.clone(),
            clients,
            cookies: Cookies::new(
                base,
                &options.cookie_prefix,
                CookieKeys::derived(|label| secrets.seal(label)),
            )
            .with_account_page(options.shows_account_page()),
            ending,
            freshness,
            delegation,
            sessions: Arc::new(SessionCache::new(
                options.session_cache_ttl,
                Arc::clone(grants.revocations()),
            )),
            grants,
            vault,
            grantless,
            tasks,
            quotas: Quotas::new(&options.quotas),
            completion,
            providers,
            upstream_verifier,
            admissions,
            clock: Arc::clone(clock),
            events: Arc::clone(events),
            options: Arc::clone(options),
        }
    }

    pub(crate) fn now(&self) -> Unix {
        Unix::from(self.clock.now())
    }

    pub(crate) fn emit(&self, event: &Event) {
        self.events.emit(event);
    }
}
