//! A login that waits at the account page: the person is back from the provider, and says whether the
//! account is the one that they meant.
//!
//! # Why there is such a page
//!
//! What binds a login to a browser are cookies, and where a neighbour can plant cookies here (another
//! subdomain, where the name has no `__Host-`) they bind nothing: a cookie cannot be forged, but one that was
//! honestly made in the attacker's browser can be moved. Two attacks follow, and both pass the consent page,
//! which the attacker has answered:
//!
//! - **Your account, my app.** The attacker asks for access with an app of their own, approves, and stops where
//!   the provider comes. They plant that login in a victim's browser and send the victim to the provider, which
//!   knows the victim and sends them back at once. The attacker's app gets the victim's access.
//! - **My account, your app.** The same with a callback that the attacker's account has passed at the provider:
//!   the victim's app acts in the attacker's account, and tells it what the victim tells the app.
//!
//! So nothing is handed out before the person has seen, in this browser, who they are, which app asks and where
//! the access goes, and has pressed a button there:
//!
//! - The page and what the button does come from one sealed cookie, found by the form's own token. Of several
//!   planted ones each shows what it is, and does what it shows.
//! - A form that another origin posts is refused, the neighbour's too (`same-site` is not `same-origin`), and
//!   one of which the browser does not say where it comes from.
//! - Whether the page comes is the configuration's word at the callback, and no cookie's.
//! - Until then no one can redeem the code: the grant holds it back, whatever becomes of the cookie.
//!
//! What is left to such an attacker: to show a person a true page about an account or an app that is not
//! theirs, and to throw away logins that wait.

use serde::{Deserialize, Serialize};

use super::{
    packed,
    progress::{AuthorizationRequest, Login, RequestedLogin, Start},
};
use crate::{
    event::Who,
    grant::{GrantId, read_code},
    key::sha256,
    limits::{MAX_ACCOUNT_ADDRESS, MAX_ACCOUNT_NAME},
    provider::Identity,
    random,
    time::Unix,
};

/// The account cookie: the person is back, and has not said yet that they are who they meant to be.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The login's own.
    #[serde(with = "packed::text")]
    pub(crate) id: String,
    /// Proves that the decision comes from the page that showed just this account.
    #[serde(with = "packed::text")]
    pub(crate) form_token: String,
    /// The callback that led here: a reload of it comes here too.
    pub(crate) state: StateMark,
    pub(crate) provider: String,
    /// The client's code, which is good for nothing yet.
    #[serde(with = "packed::text")]
    pub(crate) code: String,
    pub(crate) issued_at: Unix,
    pub(crate) from_elsewhere: bool,
    pub(crate) person: AccountName,
    pub(crate) request: AuthorizationRequest,
}

/// What a person knows their account by, cut to what a cookie has room for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountName {
    pub(crate) name: Option<String>,
    pub(crate) address: Option<String>,
    /// Whether the provider vouches for the address.
    pub(crate) is_confirmed: bool,
    /// The name that they log in with.
    pub(crate) login_name: Option<String>,
    /// The provider's own name for them.
    pub(crate) subject: Option<String>,
}

impl AccountName {
    pub(crate) fn of(person: &Identity) -> Self {
        let named = |name: Option<&str>| name.map(|name| beginning(name, MAX_ACCOUNT_NAME));
        let address = person.email.as_deref();
        let login_name = person.claims.get("preferred_username");
        let login_name = login_name.and_then(|name| name.as_str());
        // One of these is enough, and a cookie is small.
        let login_name = login_name.filter(|_| address.is_none());
        let is_needed = address.is_none() && login_name.is_none();
        Self {
            name: named(person.name.as_deref()),
            address: address.map(|address| end(address, MAX_ACCOUNT_ADDRESS)),
            is_confirmed: person.email_verified,
            login_name: named(login_name),
            subject: named(person.subject.as_deref().filter(|_| is_needed)),
        }
    }
}

/// So much of a text, in bytes.
fn beginning(text: &str, most: usize) -> String {
    match text.len() <= most {
        true => text.to_owned(),
        false => {
            let fits = |(at, char): &(usize, char)| at + char.len_utf8() <= most;
            let kept = text.char_indices().take_while(fits);
            kept.map(|(_, char)| char).chain(['…']).collect()
        }
    }
}

/// The same from the end: what an address belongs to stands there.
fn end(text: &str, most: usize) -> String {
    match text.len() <= most {
        true => text.to_owned(),
        false => {
            let kept = text.char_indices();
            let kept = kept.skip_while(|(at, _)| at + most < text.len());
            ['…']
                .into_iter()
                .chain(kept.map(|(_, char)| char))
                .collect()
        }
    }
}

impl Account {
    pub(crate) fn new(login: &Login, code: &str, person: AccountName, now: Unix) -> Self {
        Self {
            id: login.id.clone(),
            form_token: random::token::<16>(),
            state: StateMark::of(&login.state),
            provider: login.provider.clone(),
            code: code.to_owned(),
            issued_at: now,
            from_elsewhere: login.from_elsewhere,
            person,
            request: login.request.clone(),
        }
    }

    /// For events. Its cookie has no room for a subject where there is an address.
    pub(crate) fn who(&self) -> Who {
        let AccountName {
            subject, address, ..
        } = &self.person;
        let who = self.request.who().login(&self.id);
        let who = who.person(subject.as_deref(), address.as_deref());
        who.provider(&self.provider)
    }

    /// The grant that waits.
    pub(crate) fn grant(&self) -> Option<GrantId> {
        read_code(&self.code)
    }

    /// The same login, on its way to the provider once more. `prompt` is the word that has the provider ask
    /// for an account.
    pub(crate) fn with_another_account(self, prompt: Option<&str>, now: Unix) -> RequestedLogin {
        let mut request = self.request;
        request.wishes = request.wishes.for_another_account(prompt);
        RequestedLogin {
            id: self.id,
            form_token: self.form_token,
            issued_at: now,
            start: Start {
                from_elsewhere: false,
                provider: Some(self.provider),
            },
            request,
        }
    }
}

/// A callback, by what its `state` hashes to: a cookie needs no more to know it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateMark([u8; 16]);

impl StateMark {
    pub(crate) fn of(state: &str) -> Self {
        let hash = sha256(state.as_bytes());
        Self(hash.first_chunk().copied().unwrap_or_default())
    }
}

/// The cookie of a login that is over: who comes back to a page of it reads that, and no warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finished {
    #[serde(with = "packed::text")]
    pub(crate) id: String,
    /// `None` where it ended before the provider.
    pub(crate) state: Option<StateMark>,
    pub(crate) at: Unix,
    /// Whether the app was given access.
    pub(crate) has_access: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn person(claims: &serde_json::Value) -> AccountName {
        AccountName::of(&Identity::from_claims(claims.as_object().unwrap().clone()))
    }

    #[test]
    fn an_account_is_known_by_name_address_and_number() {
        let ada = person(&json!({
            "sub": "7", "name": "Ada", "email": "ada@notes.example", "email_verified": true
        }));
        assert_eq!(ada.name.as_deref(), Some("Ada"));
        assert_eq!(ada.address.as_deref(), Some("ada@notes.example"));
        assert!(ada.is_confirmed);
        let bare = person(&json!({ "sub": "7", "preferred_username": "ada" }));
        assert_eq!(bare.login_name.as_deref(), Some("ada"));
        assert!(bare.address.is_none() && bare.subject.is_none() && !bare.is_confirmed);
        assert_eq!(person(&json!({ "sub": "7" })).subject.as_deref(), Some("7"));
    }

    /// Cut at its end, an address could pass for one of another domain.
    #[test]
    fn what_is_too_long_is_cut_where_it_says_least() {
        let local = "é".repeat(100);
        let long = person(&json!({
            "name": "ü".repeat(160), "email": format!("{local}@corp.example.evil.example")
        }));
        let address = long.address.unwrap();
        assert!(address.starts_with('…') && address.ends_with("é@corp.example.evil.example"));
        assert!(address.len() <= MAX_ACCOUNT_ADDRESS + '…'.len_utf8());
        let name = long.name.unwrap();
        assert!(name.ends_with("ü…") && name.len() <= MAX_ACCOUNT_NAME + '…'.len_utf8());
    }
}
