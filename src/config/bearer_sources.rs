//! Whose bearer tokens are good here, beside the proxy's own and the provider's.

use std::sync::Arc;

use super::trusted_issuer::{OPTION as TRUSTED_ISSUER, TrustedIssuer};
use crate::{
    api_key::{ApiKey, KEY_SUBJECTS, KeyRing},
    error::ConfigError,
    limits::MAX_PROVIDER_ID,
    oauth::{BaseUrl, ScopeImplications, ScopeSet, printable},
    provider::is_id,
    route::TOKEN,
    time::Unix,
    token::{JwksVerifier, TokenVerifier, VerifierContext},
};

const INTROSPECTION: &str = "introspection";

/// What the operator said of them.
#[derive(Default)]
pub(crate) struct SaidSources {
    pub(crate) api_keys: Vec<ApiKey>,
    pub(crate) introspection: Option<(String, Arc<dyn TokenVerifier>)>,
    pub(crate) introspection_unlisted: bool,
}

/// The same, checked.
#[derive(Clone, Default)]
pub(crate) struct BearerSources {
    pub(crate) keys: Arc<KeyRing>,
    /// Issuers whose JWTs are accepted as they are.
    pub(crate) issuers: Vec<Vouches>,
    /// Asked for what no other source knows.
    pub(crate) introspection: Option<Vouches>,
}

/// A server whose tokens are good here.
#[derive(Clone)]
pub(crate) struct Vouches {
    pub(crate) id: String,
    /// The `iss` that makes a token one of its own; `None` where no form tells its tokens from others.
    pub(crate) issuer: Option<String>,
    /// The provider whose people they are.
    pub(crate) people_of: Option<String>,
    /// Whether the allow lists and the hook are asked about who comes by its tokens.
    pub(crate) asks_lists: bool,
    pub(crate) verifier: Arc<dyn TokenVerifier>,
}

impl SaidSources {
    /// `issuers` were checked before. `providers`: the ids of the providers of people.
    pub(super) fn checked(
        self,
        issuers: &[TrustedIssuer],
        providers: &[&str],
        base: &BaseUrl,
    ) -> Result<BearerSources, ConfigError> {
        // Its people would be called as the keys are.
        if !self.api_keys.is_empty() && providers.contains(&KEY_SUBJECTS) {
            let why = format!("`{KEY_SUBJECTS}` is a provider's id: give the provider another id");
            return Err(ConfigError::new("api_keys", why));
        }
        issuers
            .iter()
            .try_for_each(|issuer| check_workloads(issuer, base))?;
        let introspection = match self.introspection {
            Some((id, verifier)) => {
                check_introspection(&id, issuers)?;
                let people_of = providers.contains(&id.as_str()).then(|| id.clone());
                Some(Vouches {
                    id,
                    issuer: None,
                    people_of,
                    asks_lists: !self.introspection_unlisted,
                    verifier,
                })
            }
            None if self.introspection_unlisted => {
                return Err(ConfigError::new(
                    "introspection_without_allow_lists",
                    "there is no introspection: call it, or leave this out",
                ));
            }
            None => None,
        };
        let issuers = issuers.iter().filter(|issuer| !issuer.audiences.is_empty());
        Ok(BearerSources {
            keys: Arc::new(KeyRing::new(self.api_keys, base)?),
            issuers: issuers.map(Vouches::by_keys).collect(),
            introspection,
        })
    }
}

/// A workload's token names us as its audience. Were that an audience of access tokens too, it would be let in
/// as it is, past the workload's pattern.
fn check_workloads(issuer: &TrustedIssuer, base: &BaseUrl) -> Result<(), ConfigError> {
    let ours = [base.as_str(), &base.join(TOKEN)];
    let mut audiences = issuer.audiences.iter();
    let shared = audiences.find(|audience| ours.contains(&audience.as_str()));
    match shared {
        Some(audience) if !issuer.workloads.is_empty() => Err(ConfigError::new(
            "trusted_issuer",
            format!(
                "`{}` has a workload, whose tokens have the audience {audience}, and access_tokens of that \
                 audience, which would let them all in: give the access tokens another audience",
                issuer.id
            ),
        )),
        _ => Ok(()),
    }
}

impl Vouches {
    /// An issuer of JWTs, with the rules of every verifier of them.
    fn by_keys(about: &TrustedIssuer) -> Self {
        let verifier = match &about.jwks_url {
            Some(url) => JwksVerifier::new(url).issuer(&about.issuer),
            None => JwksVerifier::for_issuer(&about.issuer),
        };
        let audiences = about.audiences.iter();
        let verifier = audiences.fold(verifier, JwksVerifier::audience);
        Self {
            id: about.id.clone(),
            issuer: Some(about.issuer.clone()),
            people_of: about.people_of.clone(),
            asks_lists: !about.unlisted_tokens,
            verifier: Arc::new(verifier),
        }
    }
}

fn check_introspection(id: &str, issuers: &[TrustedIssuer]) -> Result<(), ConfigError> {
    let refuse = |why: &str| {
        let id = printable(id, MAX_PROVIDER_ID);
        Err(ConfigError::new(INTROSPECTION, format!("`{id}` {why}")))
    };
    if !is_id(id) {
        return refuse("is no id: give it 1 to 32 characters of a-z, 0-9 and -");
    }
    if id == KEY_SUBJECTS {
        return refuse("is reserved for API keys: give it another id");
    }
    if issuers.iter().any(|issuer| issuer.id == id) {
        return refuse("is the id of a trusted issuer: people of both could have one name");
    }
    Ok(())
}

impl BearerSources {
    /// Lends the verifiers what the layer lends.
    pub(super) fn connect(&self, context: &VerifierContext) -> Result<(), ConfigError> {
        let mut all = self.issuers.iter().chain(&self.introspection);
        all.try_for_each(|server| server.verifier.connect(context))
    }

    /// What stands before subjects that are no person of the first provider: see
    /// [`Subjects::reserving`](crate::Subjects).
    pub(super) fn reserved(&self, issuers: &[TrustedIssuer]) -> Vec<String> {
        let keys = (!self.keys.is_empty()).then(|| KEY_SUBJECTS.to_owned());
        let issuers = issuers.iter().map(|issuer| issuer.id.clone());
        let strangers = |server: &&Vouches| server.people_of.is_none();
        let introspection = self.introspection.iter().filter(strangers);
        let introspection = introspection.map(|server| server.id.clone());
        keys.into_iter()
            .chain(issuers)
            .chain(introspection)
            .collect()
    }

    /// Whose tokens come in beside the allow lists, in words for the operator.
    pub(super) fn unlisted(&self) -> Vec<String> {
        let all = self.issuers.iter().chain(&self.introspection);
        let unlisted = all.filter(|server| !server.asks_lists);
        let words = unlisted.map(|server| {
            let id = &server.id;
            let option = match server.issuer {
                Some(_) => format!("{TRUSTED_ISSUER} `{id}`, access_tokens_without_allow_lists"),
                None => "introspection_without_allow_lists".to_owned(),
            };
            format!("{option}: who may not log in can come in with a token of `{id}`")
        });
        words.collect()
    }

    /// All that API keys have.
    pub(super) fn scopes_of_keys(&self) -> ScopeSet {
        self.keys.scopes()
    }

    /// Whether tokens come in whose scopes others give.
    pub(super) fn are_of_other_servers(&self) -> bool {
        !self.issuers.is_empty() || self.introspection.is_some()
    }

    pub(super) fn odd(
        &self,
        required: &ScopeSet,
        implications: &ScopeImplications,
        now: Unix,
    ) -> Vec<String> {
        self.keys.odd(required, implications, now)
    }
}

/// What a resource server cannot do with a trusted issuer.
pub(super) fn check_at_resource(issuers: &[TrustedIssuer]) -> Result<(), ConfigError> {
    let Some(granting) = issuers.iter().find(|issuer| issuer.grants()) else {
        return Ok(());
    };
    let why = format!(
        "`{}` has assertions or workloads, and a resource server has no token endpoint: say access_tokens alone",
        granting.id
    );
    Err(ConfigError::new(TRUSTED_ISSUER, why))
}
