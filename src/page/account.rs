//! The account page: as whom, for which app, and where the access goes.

use maud::html;

use super::{consent::Trust, frame::frame};
use crate::{
    limits::MAX_SHOWN,
    oauth::{ScopeSet, printable},
};

/// Everything on the page. The account is the provider's word, the app's name its own: both are shown, neither is
/// trusted.
pub(crate) struct YourAccount<'a> {
    /// Where the account is.
    pub(crate) provider: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) address: Option<&'a str>,
    /// Whether the provider vouches for the address.
    pub(crate) is_confirmed: bool,
    /// The provider's own name for the person.
    pub(crate) subject: Option<&'a str>,
    /// Whether the provider can be asked for another account.
    pub(crate) can_change: bool,
    pub(crate) client: Option<&'a str>,
    pub(crate) host: Option<&'a str>,
    pub(crate) target: &'a str,
    pub(crate) trust: Trust,
    pub(crate) scopes: &'a ScopeSet,
    pub(crate) resource: &'a str,
    pub(crate) action: &'a str,
    pub(crate) login: &'a str,
    pub(crate) form_token: &'a str,
}

pub(super) fn html(page: &YourAccount<'_>, service: &str) -> String {
    let shown = |text: Option<&str>| text.map(|text| printable(text, MAX_SHOWN));
    let (name, address) = (shown(page.name), shown(page.address));
    let (subject, client, host) = (shown(page.subject), shown(page.client), shown(page.host));
    let target = printable(page.target, MAX_SHOWN);
    let content = html! {
        h1 { "Is this your account?" }
        dl {
            @if let Some(name) = &name { dt { "Name" } dd .claim { bdi { (name) } } }
            @if let Some(address) = &address {
                dt { "Address" }
                dd { bdi { (address) } @if !page.is_confirmed { " " small { "(not confirmed)" } } }
            }
            @if let Some(subject) = &subject { dt { "Account number" } dd { bdi { (subject) } } }
            dt { "At" } dd { bdi { (page.provider) } }
        }
        p { "This app will act as you:" }
        dl {
            @match (&client, &page.trust) {
                (Some(name), Trust::Configured) => { dt { "App" } dd .claim { bdi { (name) } } }
                (Some(name), _) => { dt { "It calls itself" } dd .claim { bdi { (name) } } }
                (None, _) => { dt { "App" } dd { "It gives no name" } }
            }
            @if let Some(host) = &host { dt { "Described by" } dd { bdi { (host) } } }
            dt { "Access goes to" } dd { bdi { (target) } }
            dt { "Service" } dd { bdi { (page.resource) } }
            @if !page.scopes.is_empty() {
                dt { "It may" } dd { ul { @for scope in page.scopes.iter() { li { (scope) } } } }
            }
        }
        p .caution { "Continue only if this is your account and you started this login yourself." }
        form method="post" action=(page.action) {
            input type="hidden" name="login" value=(page.login);
            input type="hidden" name="csrf" value=(page.form_token);
            button type="submit" name="decision" value="approve" { "Continue" }
            @if page.can_change {
                button type="submit" name="decision" value="other" { "Use another account" }
            }
            button type="submit" name="decision" value="deny" { "Cancel" }
        }
        @if !page.can_change {
            p { small { "To use another account, log out there first, and start the login from your app again." } }
        }
        small { (service) }
    };
    frame("Is this your account?", &content)
}
