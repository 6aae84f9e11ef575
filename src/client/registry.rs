//! Finding a client by its id, and knowing that it is the one.

use std::{collections::HashMap, fmt};

use secrecy::ExposeSecret;

use super::{
    AuthRule, Denied, RedirectUri, Registration, StaticClient, TooLarge,
    credentials::{Presented, Proof},
    derive_secret, open, seal, verify_secret,
};
use crate::{
    error::{ConfigError, StorageError},
    key::{MacKey, Rotating, constant_time_eq},
    oauth::ScopeSet,
};

/// A client that was found; whether the caller is this client is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) id: String,
    /// What it calls itself; only a configured client's name is vouched for.
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    pub(crate) auth: AuthRule,
    /// The scopes of an authorization request that names none; never a cap.
    pub(crate) scope: Option<ScopeSet>,
    pub(crate) origin: ClientOrigin,
}

/// How a client came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientOrigin {
    /// The operator configured it.
    Static,
    /// It registered itself, at this time in seconds since the Unix epoch.
    Registered { issued_at: u64 },
}

impl Client {
    /// Whether an answer may be sent to this URI.
    pub(crate) fn owns(&self, redirect: &RedirectUri) -> bool {
        let mut registered = self.redirect_uris.iter();
        registered.any(|own| redirect.matches_registered(own))
    }
}

/// What came of the question who a `client_id` is.
#[derive(Debug)]
pub(crate) enum Identified {
    Client(Client),
    /// No client of this proxy has this id.
    Unknown,
    /// The operator denied it.
    Denied,
    /// The deny list cannot be asked now.
    Later(StorageError),
}

/// Every client there is: configured, or sealed into its own id.
pub(crate) struct Clients {
    denied: Denied,
    registration_keys: Rotating<MacKey>,
    secret_keys: Rotating<MacKey>,
    configured: HashMap<String, StaticClient>,
}

impl Clients {
    /// # Errors
    ///
    /// [`ConfigError`] when a configured client cannot work, or two have one id.
    pub(crate) fn new(
        registration_keys: Rotating<MacKey>,
        secret_keys: Rotating<MacKey>,
        denied: Denied,
        configured: impl IntoIterator<Item = StaticClient>,
    ) -> Result<Self, ConfigError> {
        let mut by_id = HashMap::new();
        for client in configured {
            client.check()?;
            let id = client.id.clone();
            if by_id.insert(id.clone(), client).is_some() {
                let why = format!("two clients have the id `{id}`");
                return Err(ConfigError::new("static_clients", why));
            }
        }
        Ok(Self {
            denied,
            registration_keys,
            secret_keys,
            configured: by_id,
        })
    }

    /// Makes the `client_id`, and the secret where the method has one. Writes nothing.
    pub(crate) fn register(
        &self,
        registration: &Registration,
    ) -> Result<(String, Option<String>), TooLarge> {
        let id = seal(registration, &self.registration_keys)?;
        let secret = registration
            .auth
            .has_secret()
            .then(|| derive_secret(&id, &self.secret_keys));
        Ok((id, secret))
    }

    /// Who this is: the one door for every endpoint.
    pub(crate) async fn identify(&self, client_id: &str) -> Identified {
        let Some(client) = self.find(client_id) else {
            return Identified::Unknown;
        };
        match self.denied.has(client_id).await {
            Ok(false) => Identified::Client(client),
            Ok(true) => Identified::Denied,
            Err(error) => Identified::Later(error),
        }
    }

    /// Denies a client: no login and no token request of it is served any more.
    pub(crate) async fn deny(&self, client_id: &str) -> Result<(), StorageError> {
        self.denied.add(client_id).await
    }

    /// The client of this id, denied or not.
    pub(crate) fn find(&self, client_id: &str) -> Option<Client> {
        if let Some(configured) = self.configured.get(client_id) {
            return Some(Client {
                id: configured.id.clone(),
                name: configured.name.clone(),
                redirect_uris: configured.redirect_uris.clone(),
                auth: configured.auth,
                scope: configured.scope.clone(),
                origin: ClientOrigin::Static,
            });
        }
        let registration = open(client_id, &self.registration_keys)?;
        Some(Client {
            id: client_id.to_owned(),
            name: registration.name,
            redirect_uris: registration.redirect_uris,
            auth: registration.auth,
            scope: registration.scope,
            origin: ClientOrigin::Registered {
                issued_at: registration.issued_at,
            },
        })
    }

    /// Whether the caller is this client, by the method it registered (a peer let any method pass for
    /// any client). A public client is its id: what binds it is PKCE.
    pub(crate) fn authenticate(&self, client: &Client, presented: &Presented) -> bool {
        if client.id != presented.id || !client.auth.admits(presented.method()) {
            return false;
        }
        match &presented.proof {
            Proof::None => true,
            Proof::Basic(secret) | Proof::Post(secret) => {
                self.is_secret_of(client, secret.expose_secret())
            }
        }
    }

    fn is_secret_of(&self, client: &Client, presented: &str) -> bool {
        match client.origin {
            ClientOrigin::Registered { .. } => {
                verify_secret(&client.id, presented, &self.secret_keys)
            }
            ClientOrigin::Static => self
                .configured
                .get(&client.id)
                .and_then(|configured| configured.secret.as_ref())
                .is_some_and(|own| {
                    constant_time_eq(own.expose_secret().as_bytes(), presented.as_bytes())
                }),
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
    use super::*;
    use crate::{ClientAuthMethod, SecretKey, oauth::Params};

    const SECRET: &str = "a static secret, long enough";

    fn denied() -> Denied {
        let store = std::sync::Arc::new(crate::MemoryStorage::new());
        let vault = crate::vault::Vault::new(store, None, Default::default());
        Denied::new(std::sync::Arc::new(vault))
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
            configured,
        )
        .unwrap()
    }

    fn registration(auth_method: ClientAuthMethod) -> Registration {
        Registration {
            redirect_uris: vec![RedirectUri::parse("http://localhost:1/cb").unwrap()],
            name: None,
            auth: AuthRule::Exactly(auth_method),
            application_type: None,
            scope: None,
            issued_at: 7,
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

    #[test]
    fn a_registered_client_is_found_again_and_a_stranger_is_not() {
        let clients = clients();
        let (id, secret) = clients
            .register(&registration(ClientAuthMethod::None))
            .unwrap();
        assert_eq!(secret, None);
        let client = clients.find(&id).unwrap();
        assert_eq!(client.id, id);
        assert_eq!(client.origin, ClientOrigin::Registered { issued_at: 7 });
        for stranger in ["", "web2", "nobody", &id[1..]] {
            assert_eq!(clients.find(stranger), None, "{stranger}");
        }
        assert_eq!(clients.find("web").unwrap().origin, ClientOrigin::Static);
    }

    #[test]
    fn the_registered_method_is_enforced_exactly() {
        let clients = clients();
        for method in ClientAuthMethod::ALL {
            let (id, secret) = clients.register(&registration(method)).unwrap();
            let client = clients.find(&id).unwrap();
            let secret = secret.unwrap_or_else(|| derive_secret(&id, &clients.secret_keys));
            for (presented, used) in [
                (post(&format!("client_id={id}")), ClientAuthMethod::None),
                (basic(&id, &secret), ClientAuthMethod::ClientSecretBasic),
                (
                    post(&format!("client_id={id}&client_secret={secret}")),
                    ClientAuthMethod::ClientSecretPost,
                ),
            ] {
                let passes = clients.authenticate(&client, &presented);
                assert_eq!(passes, used == method, "{used:?} for {method:?}");
            }
        }
    }

    #[test]
    fn a_secret_of_a_client_that_named_no_method_counts_wherever_it_stands_and_must_stand() {
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
            assert!(clients.authenticate(client, &basic(id, secret)));
            assert!(clients.authenticate(client, &post(&posted)));
            assert!(!clients.authenticate(client, &post(&format!("client_id={id}"))));
            assert!(!clients.authenticate(client, &post(&format!("{posted}x"))));
            assert!(!clients.authenticate(client, &basic(id, "guess")));
        }
    }

    #[test]
    fn a_wrong_empty_or_foreign_secret_does_not_authenticate() {
        let clients = clients();
        let one = registration(ClientAuthMethod::ClientSecretBasic);
        let two = Registration {
            issued_at: 8,
            ..one.clone()
        };
        let (id, secret) = clients.register(&one).unwrap();
        let (other_id, other_secret) = clients.register(&two).unwrap();
        let (secret, other_secret) = (secret.unwrap(), other_secret.unwrap());
        let client = clients.find(&id).unwrap();
        assert!(clients.authenticate(&client, &basic(&id, &secret)));
        for wrong in ["", "x", &secret[1..], &other_secret, SECRET] {
            assert!(
                !clients.authenticate(&client, &basic(&id, wrong)),
                "{wrong}"
            );
        }
        assert!(!clients.authenticate(&client, &basic(&other_id, &other_secret)));
    }

    #[test]
    fn a_configured_client_authenticates_by_its_own_secret_only() {
        let clients = clients();
        let web = clients.find("web").unwrap();
        assert!(clients.authenticate(&web, &basic("web", SECRET)));
        let derived = derive_secret("web", &clients.secret_keys);
        for wrong in ["", "x", &SECRET[1..], &derived] {
            assert!(!clients.authenticate(&web, &basic("web", wrong)), "{wrong}");
        }
        assert!(!clients.authenticate(&web, &post("client_id=web")));
        let app = clients.find("app").unwrap();
        assert!(clients.authenticate(&app, &post("client_id=app")));
        assert!(!clients.authenticate(&app, &basic("app", SECRET)));
        assert!(!clients.authenticate(&app, &post("client_id=web")));
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
        assert!(Clients::new(keys(), keys(), denied(), [app(), app()]).is_err());
        assert!(Clients::new(keys(), keys(), denied(), [StaticClient::public("app")]).is_err());
    }
}
