//! Why something was refused: a finite list of stable words, each with its remedy.

use std::fmt;

use super::fault::Fault;

/// The enum, its list and its words, from one table: nothing can be missing in one of them.
macro_rules! reasons {
    ($($(#[doc = $meaning:literal])+ $reason:ident = $word:literal, $fault:ident, $remedy:literal;)+) => {
        /// Why something was refused.
        ///
        /// [The chapter on events](crate::docs::events) has all of them in a table, with who is at fault and the
        /// remedy.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[doc = $meaning])+ $reason,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$reason),+];

            /// The word for logs, labels and alerts. It does not change.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$reason => $word,)+
                }
            }

            /// What it means, in a sentence or two.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$reason => concat!($($meaning),+).trim_ascii(),)+
                }
            }

            /// With whom the remedy lies, most often.
            #[must_use]
            pub const fn fault(self) -> Fault {
                match self {
                    $(Self::$reason => Fault::$fault,)+
                }
            }

            /// What to do about it.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self {
                    $(Self::$reason => $remedy,)+
                }
            }
        }
    };
}

reasons! {
    /// The body, the query or a header cannot be parsed.
    Malformed = "malformed", Client,
        "Compare what the client sends with the RFC of the step. The detail says what cannot be read.";
    /// Two readers could understand the request differently: a header says another call than the body, or a key
    /// stands twice.
    Ambiguous = "ambiguous", Client,
        "Look at who sends it: no MCP client of today does, and an attack on the rules by tool would. The detail says \
         what is ambiguous.";
    /// A list of the server behind the rules by tool could not be filtered, so it was not handed on.
    Unlisted = "unlisted", Operator,
        "Have the server answer in JSON or events without a content coding, or put what compresses outside of the rules. \
         The detail says what could not be read.";
    /// The body or a parameter is over its limit.
    TooLarge = "too_large", Client,
        "Shorten what the detail names. Where it is the provider's tokens, ask for fewer groups and claims.";
    /// The request's method or content type is not served here.
    NotServed = "not_served", Client,
        "Mostly a scanner, a browser that looks ahead, or a client that tries an older protocol. The detail says \
         what it asked for.";
    /// A required parameter is missing.
    MissingParameter = "missing_parameter", Client,
        "Have the client send the parameter that the detail names.";
    /// A parameter came twice.
    DuplicateParameter = "duplicate_parameter", Client,
        "Have the client send it once. A proxy that adds parameters can be the cause, too.";
    /// No token came. Every client starts like this, so it is logged at `debug`.
    NoCredentials = "no_credentials", NoOne,
        "None: the client begins its login now. Where one loops, look for a proxy that drops the `Authorization` \
         header.";
    /// This proxy does not know the client.
    UnknownClient = "unknown_client", Client,
        "Remove the server from the client and add it again: it registers anew. For all clients at once: was \
         `secret_key` or `base_url` changed?";
    /// The operator denied this client.
    DeniedClient = "denied_client", Operator,
        "Allow it again by the admin, or let its host in with `metadata_documents`.";
    /// The client did not authenticate as it registered.
    ClientAuthentication = "client_authentication", Client,
        "Check the client's secret or key, and the method that it registered or is configured with.";
    /// The keys of a client could not be fetched, so it is not known whether it is the one.
    ClientKeys = "client_keys", Client,
        "Open the client's `jwks_uri` from this server: is it down, or closed to it?";
    /// The client's metadata cannot be accepted.
    ClientMetadata = "client_metadata", Client,
        "Correct the member that the detail names.";
    /// The document about the client could not be fetched. Its source may be down, or strangers made this
    /// server ask for too many.
    ClientDocument = "client_document", Client,
        "Open the client's document from this server. See the chapter on the network for what is refused.";
    /// The redirect URI is not one of the client's, or the policy does not allow it.
    RedirectUri = "redirect_uri", Client,
        "The detail has the address, and those that are registered. Trust a client with `allow_client` or \
         `allowed_redirect_uri_patterns`. One that changed its address registers again.";
    /// The response type or grant type is not served, or not to this client.
    UnsupportedType = "unsupported_type", Client,
        "Use the type that the metadata document names, or switch the other on.";
    /// PKCE is missing, has a wrong method, or its verifier does not match.
    Pkce = "pkce", Client,
        "The client has to send `code_challenge` with `S256`, and the verifier of the same login with the code.";
    /// No requested scope can be granted, or a refresh asked for more.
    Scope = "scope", Client,
        "Compare what was asked for with `scopes`, and with what the provider grants to this application.";
    /// The resource is not this server.
    Resource = "resource", Client,
        "The client's URL has to begin with `base_url`, letter by letter. Check `base_url` behind a proxy.";
    /// The browser holds no login in progress that matches, or the form is not this browser's.
    Browser = "browser", Person,
        "Begin the login again, in one browser. Where it is all of them: cookies blocked, or `base_url` is not \
         the host that the browser sees.";
    /// The person said no.
    PersonDenied = "person_denied", Person,
        "None, if they meant it. Else begin the login again.";
    /// The provider had brought the person to another account than they meant, and they are on their way to
    /// choose again.
    AnotherAccount = "another_account", NoOne,
        "None: the login goes on, with the same id.";
    /// The operator's hook said no.
    HookDenied = "hook_denied", Operator,
        "Look at `on_login`: the detail has its words.";
    /// A required role is missing, or a rule of the application is not met.
    Forbidden = "forbidden", Operator,
        "Give the person the role that the detail names, or change the guard.";
    /// The person is on no allow list, or in none of the allowed groups, claims or organizations.
    NotAllowed = "not_allowed", Operator,
        "The detail names the option and what the provider said of the person. Change the one or the other.";
    /// A step was repeated that may happen once.
    Replayed = "replayed", Client,
        "Mostly a reload or a client that sends a code twice. Begin again. From another network than the login's: \
         a code has leaked.";
    /// A refresh token that was exchanged earlier came back: the grant has ended.
    RefreshReuse = "refresh_reuse", Client,
        "The person logs in again. Often it is a client that runs twice with one store, or was restored from a \
         backup; else a token was stolen.";
    /// The person logged in again and has more grants than `grants_per_person`: the one that was used longest
    /// ago is ended.
    TooMany = "too_many", NoOne,
        "None. Raise `grants_per_person` where people use more clients.";
    /// A lifetime has ended.
    Expired = "expired", NoOne,
        "The client refreshes or the person logs in again. Too often: raise the lifetime that the detail or the \
         step names, and compare clocks.";
    /// The token's form, signature or type is wrong.
    InvalidToken = "invalid_token", Client,
        "Is the token of this service? For all clients at once: was `secret_key` changed, or is another \
         instance's different?";
    /// The token is for another resource or from another issuer.
    WrongAudience = "wrong_audience", Client,
        "The token is another server's, or `base_url` changed. The client logs in here.";
    /// The grant was ended before, or a machine's token revoked.
    GrantEnded = "grant_ended", NoOne,
        "The person logs in again. Why it ended is in the last event of the same grant. After every restart: the \
         store is in memory.";
    /// The token, code or grant belongs to another client.
    ForeignClient = "foreign_client", Client,
        "A client uses what another one got. Where it registered again, it has to log in again.";
    /// The provider that `choose_provider` or the consent page's form names is not configured, or cannot be
    /// chosen for this login.
    UnknownProvider = "unknown_provider", Operator,
        "Compare `choose_provider` with the ids of the providers.";
    /// The provider answered with an error at the callback.
    ProviderDenied = "provider_denied", Provider,
        "The detail has the provider's words: the person said no there, needs an administrator's consent, or may \
         not use the application.";
    /// The provider refused a token request.
    ProviderRejected = "provider_rejected", Provider,
        "The detail has the provider's words. At every login: client secret, callback address or scopes at the \
         provider. At a renewal: the person has to log in again.";
    /// The provider could not be reached, timed out or failed.
    ProviderUnavailable = "provider_unavailable", Provider,
        "Look at the provider's status and the way there: DNS, proxy, certificates. Nothing has changed, clients \
         come again.";
    /// This server has no credential to show to the provider: the callback that supplies it failed.
    ClientCredential = "client_credential", Operator,
        "Look at the callback of the client secret or assertion, and at the key vault behind it.";
    /// The provider's answer is malformed.
    ProviderMalformed = "provider_malformed", Provider,
        "Is it the provider's own URL, or a proxy's error page? The detail says what cannot be read.";
    /// The ID token breaks a rule.
    IdToken = "id_token", Provider,
        "The detail names the claim. Compare the issuer and the client id with the provider's, and the clocks.";
    /// A document could not be fetched anew. The older one stands in, for a day at most.
    StaleDocument = "stale_document", Provider,
        "Restore the way to the server that the detail names within a day.";
    /// The store could not answer.
    StoreUnavailable = "store_unavailable", Store,
        "Look at the store and the way there. Clients come again.";
    /// A record cannot be opened or parsed; it is treated as absent.
    StoreCorrupt = "store_corrupt", Store,
        "Does another program write to the store, or was it restored in parts? The person logs in again.";
    /// The store holds records of a secret that is not known here; they are treated as absent. Reported once
    /// for each such secret.
    OtherSecret = "other_secret", Operator,
        "Give each instance the same `secret_key`, and keep the previous one while it is being replaced.";
    /// The key of access tokens did not sign: the system gave no randomness, say.
    Unsigned = "unsigned", Operator,
        "Look at the signing key, or the service that holds it.";
    /// The clock of this server and that of a provider differ by more than tokens bear.
    Clock = "clock", Operator,
        "Set the clock of this host by NTP, or look at that of the provider.";
    /// Concurrent work on one grant, or on one login, did not settle in time.
    Contention = "contention", NoOne,
        "The client comes again. Often: the store or the provider is slow.";
    /// This process handles as many logins as it takes on at once.
    Busy = "busy", Operator,
        "Add instances, raise `callbacks_at_once` where it is set, or look for what floods this one.";
    /// As much came within a minute as the operator allows.
    OverLimit = "over_limit", Operator,
        "Look for what asks so often, or raise the limit that the detail names.";
    /// An option weakens security; reported once, at start.
    WeakOption = "weak_option", Operator,
        "Remove the option, or keep it knowingly.";
    /// An option may not mean what it says; reported once, at start.
    OddOption = "odd_option", Operator,
        "Correct the option that the detail names.";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
