//! The one door to a client: who a `client_id` is, and whether the caller is that client.

use std::fmt;

use secrecy::ExposeSecret;

use super::{
    auth::{DerivedSecrets, KeyFault, KeyProofs, Presented, Proof},
    denied::DeniedClients,
    identified::{Client, ClientKind, Identified, Unknown},
    kind::{
        ConfiguredClients, DocumentClients, DocumentUrl, Machine, SignedClients, StaticClient,
        TooLarge,
    },
    registration::Registration,
    seen::SeenClient,
};
use crate::{
    assertion::{OneUse, UseMark},
    error::{ConfigError, StorageError},
    key::{MacKey, Rotating},
    limits::MAX_CLIENTS_COUNTED,
    oauth::GrantType,
    outbound::AskedBy,
    time::Unix,
};

/// Every client there is, of each kind.
pub(crate) struct Clients {
    configured: ConfiguredClients,
    signed: SignedClients,
    documents: DocumentClients,
    denied: DeniedClients,
    key_proofs: KeyProofs,
}

/// Why the caller is not known to be the client, for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unproven {
    #[error("not the registered method, or a wrong secret")]
    Secret,
    #[error(transparent)]
    Key(#[from] KeyFault),
}

impl Clients {
    /// # Errors
    ///
    /// [`ConfigError`] when a configured client cannot work, or two have one id.
    pub(crate) fn new(
        registration_keys: Rotating<MacKey>,
        secret_keys: Rotating<MacKey>,
        denied: DeniedClients,
        documents: DocumentClients,
        key_proofs: KeyProofs,
        configured: impl IntoIterator<Item = StaticClient>,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            key_proofs,
            configured: ConfiguredClients::new(configured)?,
            signed: SignedClients::new(registration_keys, DerivedSecrets::new(secret_keys)),
            denied,
            documents,
        })
    }

    /// Makes the `client_id`, and the secret where the method has one. Writes nothing.
    pub(crate) fn register(
        &self,
        registration: &Registration,
    ) -> Result<(String, Option<String>), TooLarge> {
        self.signed.register(registration)
    }

    /// Who this is. Every endpoint that begins something asks here: what is denied cannot be overlooked,
    /// and a kind that has to fetch finds callers that wait.
    ///
    /// Reads the store once, and only for an id that is a client's, or could be a document's URL.
    pub(crate) async fn identify(&self, client_id: &str) -> Identified {
        if self.has_document(client_id) {
            // Boxed: of those who ask, most ask about another kind.
            return Box::pin(self.by_document(client_id, AskedBy::Anyone)).await;
        }
        let client = match self.find(client_id) {
            Ok(client) => client,
            Err(why) => return Identified::Unknown(why),
        };
        match self.denied.has(client_id).await {
            Ok(false) => Identified::Client(client),
            Ok(true) => Identified::Denied,
            Err(error) => Identified::Later(error),
        }
    }

    /// Whether the client is known by its document, which can say something else at each look. The operator's own
    /// word about a URL comes first.
    pub(crate) fn has_document(&self, client_id: &str) -> bool {
        DocumentUrl::is_meant(client_id) && self.configured.find(client_id).is_none()
    }

    /// Who this is that has a document, by one who may be known to have a login here.
    pub(crate) async fn by_document(&self, client_id: &str, asked_by: AskedBy) -> Identified {
        let url = match self.documents.url(client_id) {
            Ok(url) => url,
            Err(answer) => return *answer,
        };
        // Before anything is fetched for it.
        match self.denied.has(client_id).await {
            Ok(false) => {}
            Ok(true) => return Identified::Denied,
            Err(error) => return Identified::Later(error),
        }
        match self.documents.find(&url, asked_by).await {
            Ok(client) => Identified::Client(client),
            Err(error) => Identified::NoDocument(error),
        }
    }

    /// The client as a login saw it, for its code: nothing is fetched. Whether it is let in, and not denied, is
    /// asked again.
    pub(crate) async fn identify_seen(&self, seen: &SeenClient) -> Identified {
        let client = match self.recall(seen) {
            Ok(client) => client,
            Err(why) => return Identified::Unknown(why),
        };
        if client.kind == ClientKind::Document
            && let Err(answer) = self.documents.url(&client.id)
        {
            return *answer;
        }
        match self.denied.has(&client.id).await {
            Ok(false) => Identified::Client(client),
            Ok(true) => Identified::Denied,
            Err(error) => Identified::Later(error),
        }
    }

    /// The client of a login in progress, as authorize saw it. It was let in there: nothing is fetched,
    /// and the store is not asked once more. A client that was denied since gets no token.
    pub(crate) fn recall(&self, seen: &SeenClient) -> Result<Client, Unknown> {
        match seen.as_seen() {
            Some(client) => Ok(client),
            None => self.find(seen.id()),
        }
    }

    /// The client of this id, denied or not. The operator's own word comes first.
    fn find(&self, client_id: &str) -> Result<Client, Unknown> {
        match self.configured.find(client_id) {
            Some(client) => Ok(client),
            None => self.signed.find(client_id),
        }
    }

    /// What the client of this id calls itself, or the operator calls it, as far as that is known without its
    /// document.
    pub(crate) fn name(&self, client_id: &str) -> Option<String> {
        self.find(client_id).ok()?.name
    }

    /// How a login of this client is counted: a configured one by its id, where they are not too many, others by
    /// their kind. Never by what a stranger chose.
    pub(crate) fn counted_as<'a>(&self, seen: &'a SeenClient) -> &'a str {
        let is_configured = self.configured.has(seen.id());
        match is_configured {
            true if self.configured.len() <= MAX_CLIENTS_COUNTED => seen.id(),
            true => "configured",
            false if seen.document().is_some() => "document",
            false => "registered",
        }
    }

    /// What this client may in its own name, by the configuration of now; `None` where it is no machine.
    pub(crate) fn machine(&self, client_id: &str) -> Option<&Machine> {
        self.configured.machine(client_id)
    }

    /// The ids of all machines: they are subjects too, and no person's.
    pub(crate) fn machine_ids(&self) -> impl Iterator<Item = &str> {
        self.configured.machine_ids()
    }

    /// Whether the operator denied the client.
    pub(crate) async fn is_denied(&self, client_id: &str) -> Result<bool, StorageError> {
        self.denied.has(client_id).await
    }

    /// Denies a client: from now on it gets neither a login nor a token.
    pub(crate) async fn deny(&self, client_id: &str) -> Result<(), StorageError> {
        self.denied.add(client_id).await
    }

    /// Whether the caller is this client, by the method that it registered (a peer let any method pass
    /// for any client). RFC 6749 section 3.2.1: "Confidential clients or other clients issued client
    /// credentials MUST authenticate with the authorization server". A public client is its id: what
    /// binds it is PKCE.
    ///
    /// What an assertion says of its use is returned, and is not used up yet: see
    /// [`first_use`](Self::first_use). `audiences` are our own names.
    pub(crate) async fn authenticate(
        &self,
        client: &Client,
        presented: &Presented,
        audiences: &[&str],
        asked_by: AskedBy,
        now: Unix,
    ) -> Result<Option<OneUse>, Unproven> {
        if client.id != presented.id || !client.auth.admits(presented.method()) {
            return Err(Unproven::Secret);
        }
        match &presented.proof {
            Proof::None => Ok(None),
            Proof::Basic(secret) | Proof::Post(secret) => {
                match self.is_secret_of(client, secret.expose_secret()) {
                    true => Ok(None),
                    false => Err(Unproven::Secret),
                }
            }
            Proof::Assertion(assertion) => {
                let keys = client.keys.as_ref().ok_or(KeyFault::NoKeys)?;
                let keys = (keys, client.kind.named_by(), asked_by);
                let assertion = assertion.expose_secret();
                let check = self
                    .key_proofs
                    .check(assertion, &client.id, keys, audiences, now);
                // Boxed: most callers have no key, and their future is not to be of its size.
                Ok(Some(Box::pin(check).await?))
            }
        }
    }

    /// Whether the client may ask for tokens in this way; that the way is served was asked before.
    pub(crate) fn may_use(&self, client: &Client, grant_type: GrantType) -> bool {
        match grant_type {
            GrantType::AuthorizationCode | GrantType::RefreshToken => {
                // Each of the others has one, although a login in progress does not carry it along.
                client.kind != ClientKind::Configured || !client.redirect_uris.is_empty()
            }
            GrantType::ClientCredentials => {
                client.kind == ClientKind::Configured && self.machine(&client.id).is_some()
            }
            // Which clients may is a matter of the assertion's issuer, and asked there.
            GrantType::JwtBearer => true,
        }
    }

    /// Uses a client's assertion up; `None` when it was used before. It writes to the store, which no stranger
    /// may cause: it is asked once the request has shown what only a login gives, or a configured client.
    pub(crate) async fn first_use(
        &self,
        client: &Client,
        once: &OneUse,
        now: Unix,
    ) -> Result<Option<UseMark>, StorageError> {
        self.key_proofs.first_use(&client.id, once, now).await
    }

    /// Takes a use back, of a request that came to nothing by our own trouble.
    pub(crate) async fn give_back(&self, mark: &UseMark) {
        self.key_proofs.give_back(mark).await;
    }

    fn is_secret_of(&self, client: &Client, presented: &str) -> bool {
        match client.kind {
            ClientKind::Configured => self.configured.is_secret_of(&client.id, presented),
            ClientKind::Signed => self.signed.is_secret_of(&client.id, presented),
            // What is public is no secret.
            ClientKind::Document => false,
        }
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients")
            .field("configured", &self.configured.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        ClientAuthMethod, Clock, SecretKey, SystemClock,
        client::{auth::AuthRule, kind::MetadataDocuments, redirect::RedirectUri},
        oauth::Params,
        outbound::{Outbound, WayOut},
        time::Unix,
        vault::Vault,
    };

    const SECRET: &str = "a static secret, long enough";

    fn vault() -> Arc<Vault> {
        let store = Arc::new(crate::MemoryStorage::new());
        Arc::new(Vault::new(store, None, Default::default()))
    }

    fn denied() -> DeniedClients {
        DeniedClients::new(vault())
    }

    fn documents() -> DocumentClients {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let outbound = Outbound::new(&WayOut::default()).unwrap();
        DocumentClients::new(MetadataDocuments::off(), &outbound, &clock)
    }

    fn key_proofs() -> KeyProofs {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        KeyProofs::new(&Outbound::new(&WayOut::default()).unwrap(), &clock, vault())
    }

    fn clients() -> Clients {
        let key = SecretKey::for_test(1);
        let configured = [
            StaticClient::confidential("web", SECRET)
                .redirect_uri("https://web.example/cb")
                .unwrap(),
            StaticClient::public("app")
                .redirect_uri("app://cb/")
                .unwrap(),
        ];
        Clients::new(
            Rotating::new(key.mac("registration"), []),
            Rotating::new(key.mac("client secret"), []),
            denied(),
            documents(),
            key_proofs(),
            configured,
        )
        .unwrap()
    }

    fn derived(client_id: &str) -> String {
        let key = SecretKey::for_test(1).mac("client secret");
        DerivedSecrets::new(Rotating::new(key, [])).of(client_id)
    }

    fn registration(auth_method: ClientAuthMethod) -> Registration {
        Registration {
            redirect_uris: vec![RedirectUri::parse("http://localhost:1/cb").unwrap()],
            name: None,
            auth: AuthRule::Exactly(auth_method),
            keys: None,
            application_type: None,
            scope: None,
            issued_at: Unix::at(7),
        }
    }

    fn post(body: &str) -> Presented {
        Presented::read([], &Params::parse(body).unwrap()).unwrap()
    }

    fn basic(id: &str, secret: &str) -> Presented {
        Presented {
            id: id.to_owned(),
            proof: Proof::Basic(secret.into()),
        }
    }

    async fn is(clients: &Clients, client: &Client, presented: &Presented) -> bool {
        let proven = clients.authenticate(client, presented, &[], AskedBy::Anyone, Unix::at(7));
        proven.await.is_ok()
    }

    #[test]
    fn a_registered_client_is_found_again_and_a_stranger_is_not() {
        let clients = clients();
        let (id, secret) = clients
            .register(&registration(ClientAuthMethod::None))
            .unwrap();
        assert_eq!(secret, None);
        let client = clients.find(&id).unwrap();
        assert_eq!(client.id, id);
        assert_eq!(client.kind, ClientKind::Signed);
        for stranger in ["", "web2", "nobody", &id[1..]] {
            let found = clients.find(stranger);
            assert_eq!(found, Err(Unknown::NotIssued), "{stranger}");
        }
        assert_eq!(clients.find("web").unwrap().kind, ClientKind::Configured);
    }

    #[tokio::test]
    async fn the_registered_method_is_enforced_exactly() {
        let clients = clients();
        for method in &ClientAuthMethod::ALL[..3] {
            let method = *method;
            let (id, secret) = clients.register(&registration(method)).unwrap();
            let client = clients.find(&id).unwrap();
            let secret = secret.unwrap_or_else(|| derived(&id));
            for (presented, used) in [
                (post(&format!("client_id={id}")), ClientAuthMethod::None),
                (basic(&id, &secret), ClientAuthMethod::ClientSecretBasic),
                (
                    post(&format!("client_id={id}&client_secret={secret}")),
                    ClientAuthMethod::ClientSecretPost,
                ),
            ] {
                let passes = is(&clients, &client, &presented).await;
                assert_eq!(passes, used == method, "{used:?} for {method:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_secret_of_a_client_that_named_no_method_counts_wherever_it_stands_and_must_stand() {
        let clients = clients();
        let unnamed = Registration {
            auth: AuthRule::AnySecret,
            ..registration(ClientAuthMethod::None)
        };
        let (id, secret) = clients.register(&unnamed).unwrap();
        let secret = secret.unwrap();
        let registered = clients.find(&id).unwrap();
        let configured = clients.find("web").unwrap();
        for (client, secret) in [(&registered, &*secret), (&configured, SECRET)] {
            let id = &client.id;
            let posted = format!("client_id={id}&client_secret={secret}");
            assert!(is(&clients, client, &basic(id, secret)).await);
            assert!(is(&clients, client, &post(&posted)).await);
            assert!(!is(&clients, client, &post(&format!("client_id={id}"))).await);
            assert!(!is(&clients, client, &post(&format!("{posted}x"))).await);
            assert!(!is(&clients, client, &basic(id, "guess")).await);
        }
    }

    #[tokio::test]
    async fn a_wrong_empty_or_foreign_secret_does_not_authenticate() {
        let clients = clients();
        let one = registration(ClientAuthMethod::ClientSecretBasic);
        let two = Registration {
            issued_at: Unix::at(8),
            ..one.clone()
        };
        let (id, secret) = clients.register(&one).unwrap();
        let (other_id, other_secret) = clients.register(&two).unwrap();
        let (secret, other_secret) = (secret.unwrap(), other_secret.unwrap());
        let client = clients.find(&id).unwrap();
        assert!(is(&clients, &client, &basic(&id, &secret)).await);
        for wrong in ["", "x", &secret[1..], &other_secret, SECRET] {
            assert!(!is(&clients, &client, &basic(&id, wrong)).await, "{wrong}");
        }
        assert!(!is(&clients, &client, &basic(&other_id, &other_secret)).await);
    }

    #[tokio::test]
    async fn a_configured_client_authenticates_by_its_own_secret_only() {
        let clients = clients();
        let web = clients.find("web").unwrap();
        assert!(is(&clients, &web, &basic("web", SECRET)).await);
        let derived = derived("web");
        for wrong in ["", "x", &SECRET[1..], &derived] {
            assert!(!is(&clients, &web, &basic("web", wrong)).await, "{wrong}");
        }
        assert!(!is(&clients, &web, &post("client_id=web")).await);
        let app = clients.find("app").unwrap();
        assert!(is(&clients, &app, &post("client_id=app")).await);
        assert!(!is(&clients, &app, &basic("app", SECRET)).await);
        assert!(!is(&clients, &app, &post("client_id=web")).await);
    }

    #[test]
    fn a_client_owns_what_it_registered_and_no_other_clients_uri() {
        let clients = clients();
        let (id, _) = clients
            .register(&registration(ClientAuthMethod::None))
            .unwrap();
        let client = clients.find(&id).unwrap();
        let owns = |uri: &str| client.owns(&RedirectUri::parse(uri).unwrap());
        assert!(owns("http://localhost:1/cb") && owns("http://localhost:50000/cb"));
        assert!(!owns("http://localhost:1/other") && !owns("https://web.example/cb"));
    }

    #[test]
    fn two_configured_clients_of_one_id_are_a_configuration_error() {
        let key = SecretKey::for_test(1);
        let app = || {
            StaticClient::public("app")
                .redirect_uri("app://cb/")
                .unwrap()
        };
        let keys = || Rotating::new(key.mac("k"), []);
        assert!(
            Clients::new(
                keys(),
                keys(),
                denied(),
                documents(),
                key_proofs(),
                [app(), app()]
            )
            .is_err()
        );
        assert!(
            Clients::new(
                keys(),
                keys(),
                denied(),
                documents(),
                key_proofs(),
                [StaticClient::public("app")]
            )
            .is_err()
        );
    }
}
