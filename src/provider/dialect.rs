//! What may differ between providers.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};

use super::{
    audience_proof::AudienceProof,
    client_key::KeyWay,
    endpoints::Endpoints,
    identity::Identity,
    prompt::Prompts,
    target::TokenTarget,
    upstream_error::{Finality, UpstreamError},
};

/// What may differ between providers. Each default is the way of the RFCs and of OpenID Connect; a
/// preset overrides what its provider does in its own way.
///
/// Plain rules only: what a dialect wants sent it describes, and `requests` sends it. No method sees
/// the client secret.
pub(crate) trait Dialect: fmt::Debug + Send + Sync {
    /// The members of RFC 6749 section 5.1, taken from wherever this provider's token answer has them.
    fn tokens(&self, answer: Map<String, Value>) -> Map<String, Value> {
        answer
    }

    /// The standard claims (OpenID Connect Core section 5.1) in what this provider's ID token or userinfo
    /// says of a person, where it names them otherwise.
    fn standard_claims(&self, claims: Map<String, Value>) -> Map<String, Value> {
        claims
    }

    /// What a code in `error` that only this provider says does to a grant. `None` for all others:
    /// `finality` has those of the RFCs.
    fn finality(&self, _code: &str) -> Option<Finality> {
        None
    }

    /// The API that says who a person is where there is no ID token. `None`: the userinfo endpoint
    /// (OpenID Connect Core section 5.3).
    fn identity(&self) -> Option<IdentityApi> {
        None
    }

    /// The API that says to which app an access token was issued. `None`: there is none, and whoever asks
    /// userinfo learns whose a token is and never whom it is for.
    fn audience_proof(&self) -> Option<AudienceProof> {
        None
    }

    /// How a request at the token endpoint is written.
    fn body(&self) -> Body {
        Body::Form
    }

    /// Headers that every request to this provider needs.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// How a token is revoked; `hint` is `access_token` or `refresh_token`.
    fn revoke(&self, _token: &str, _hint: &str) -> Revocation {
        Revocation::Form
    }

    /// The form that asks for a token of another API in a person's name, where this provider has a way
    /// of its own. `None`: token exchange (RFC 8693), if it is known to be served.
    fn on_behalf_of(
        &self,
        _access_token: &str,
        _target: &TokenTarget,
    ) -> Option<Vec<(&'static str, String)>> {
        None
    }

    /// The name of a scope as it was asked for, where this provider's answers name it otherwise.
    fn scope_in<'a>(&self, scope: &'a str) -> &'a str {
        scope
    }

    /// What a granted scope includes, where this provider's answers leave the narrower ones out.
    fn scopes_within(&self, _scope: &str) -> &'static [&'static str] {
        &[]
    }

    /// Whether a request for a permission is written as `scope`. Where it is not, `scope` is never sent,
    /// and the scopes of this layer are the operator's own.
    fn has_scopes(&self) -> bool {
        true
    }

    /// When a login brings a nonce.
    fn nonce(&self) -> Nonce {
        Nonce::WithOpenId
    }

    /// The words of `prompt` that this provider takes.
    fn prompts(&self) -> Prompts {
        Prompts::Any
    }

    /// How this provider vouches for a person's e-mail address.
    fn vouches(&self) -> Vouches {
        Vouches::OpenId
    }

    /// What an organization is at this provider. `None`: it says nothing of any.
    fn organizations(&self) -> Option<Organizations> {
        None
    }

    /// Whether this provider's answers can name this claim of a person.
    fn names(&self, _claim: &str) -> Names {
        Names::Perhaps
    }

    /// Whether `iss` may be this provider's, where the operator names no issuer. `id_token` has the
    /// claims of the ID token that it stands in; without them it stands in a redirect back to us.
    fn admits_issuer(&self, _iss: &str, _id_token: Option<&Map<String, Value>>) -> bool {
        true
    }

    /// Whether the document below `asked` may name itself `issuer`, where the operator names none.
    fn admits_document(&self, asked: &str, issuer: &str) -> bool {
        asked == issuer
    }

    /// The same provider at another host; `None` where that has no meaning.
    fn relocate(&self, _host: &str) -> Option<Home> {
        None
    }

    /// Whether anyone in the world has an account there, or can open one.
    fn is_open_to_all(&self) -> bool {
        false
    }

    /// Whether this provider refuses every request that has a `resource` (RFC 8707).
    fn refuses_resource(&self) -> bool {
        false
    }

    /// What this provider expects of assertions that are signed in place of a secret.
    fn key_way(&self) -> KeyWay {
        KeyWay::default()
    }

    /// What is wrong with the preset's own settings, in words for the operator.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// A provider's URLs, and the dialect that is spoken there.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) endpoints: Endpoints,
    /// Below which its document about itself stands, where the preset reads that.
    pub(crate) issuer: Option<String>,
    pub(crate) dialect: Arc<dyn Dialect>,
}

/// An API of the provider's own that says who a person is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IdentityApi {
    /// What is read, in this order, with the access token.
    pub(crate) documents: &'static [Document],
    /// The person in these documents. One that was not permitted is null.
    pub(crate) read: fn(&[Value]) -> Result<Identity, UpstreamError>,
}

/// A JSON document below the userinfo URL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Document {
    /// What follows the userinfo URL.
    pub(crate) path: &'static str,
    /// Whether there is no person without it. One that is not needed may be kept from this token.
    pub(crate) is_needed: bool,
}

/// How a token is revoked.
#[derive(Debug)]
pub(crate) enum Revocation {
    /// By a form (RFC 7009 section 2.1).
    Form,
    /// By a call of the provider's own at the revocation URL, with the app's id and secret in the
    /// `Authorization` header.
    ByApp {
        verb: Verb,
        json: Value,
        /// The statuses that say that the provider does not know the token: as good as revoked.
        unknown: &'static [u16],
    },
    /// By a call of the provider's own at the revocation URL that the token itself authorizes.
    ByToken,
    /// Not at all.
    Impossible,
}

/// The method of a call of the provider's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Delete,
    Post,
}

/// How parameters are written in a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// `application/x-www-form-urlencoded` (RFC 6749 section 3.2).
    Form,
    /// A JSON object of strings.
    Json,
}

/// When a login brings a nonce (OpenID Connect Core section 3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nonce {
    /// With scope `openid`.
    WithOpenId,
    /// In every request: this provider asks for one.
    Always,
    /// Never: this provider does not repeat it in the ID token.
    Never,
}

/// What has to be asked for so that the provider vouches for a person's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vouches {
    /// By `email_verified` (OpenID Connect Core section 5.1), in the ID token or at userinfo.
    OpenId,
    /// By its own API, where one of these scopes was granted.
    ByScope(&'static [&'static str]),
    /// By its own API, where the app has a permission for it that is no scope.
    ByPermission,
    /// Never: it gives an address and does not say whether it was verified. What tells people apart
    /// instead is in words for the operator.
    Never(&'static str),
    /// It gives no address.
    NoAddress(&'static str),
}

/// What an organization is at a provider.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Organizations {
    /// The claim that names those that a person belongs to.
    pub(crate) claim: &'static str,
    /// One as it is compared, or what is wrong with what the operator wrote.
    pub(crate) entry: fn(&str) -> Result<String, &'static str>,
    /// The API that says who belongs to one. `None`: the provider's claims do.
    pub(crate) memberships: Option<Memberships>,
}

/// An API of the provider's own that says whether a person belongs to an organization.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memberships {
    /// What has to be asked for in each login, in the provider's name.
    pub(crate) scope: Option<&'static str>,
    /// Where it is, from the userinfo URL, the organization and the person's claims. 404 says no.
    pub(crate) url: fn(&str, &str, &Map<String, Value>) -> Option<String>,
    /// Whether the document there says yes.
    pub(crate) is_member: fn(&Value) -> bool,
}

/// Whether a provider's answers can name a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Nothing speaks against it: a mapper or a rule at the provider may.
    Perhaps,
    /// Where this scope is asked for.
    WithScope(&'static str),
    /// Never. What to use instead is in words for the operator.
    Never(&'static str),
}

impl Organizations {
    /// Those that a claim names by the provider's ids.
    pub(crate) const fn in_claim(claim: &'static str) -> Self {
        Self {
            claim,
            entry: |entry| match !entry.is_empty() && entry.bytes().all(|b| b.is_ascii_graphic()) {
                true => Ok(entry.to_owned()),
                false => Err("is not the id of an organization"),
            },
            memberships: None,
        }
    }
}

/// The way of the RFCs and of OpenID Connect, and nothing besides.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Standard;

#[cfg(test)]
impl Dialect for Standard {}
