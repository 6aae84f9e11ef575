//! The consent page: who asks, where the answer goes, and for what.

use maud::html;

use super::frame::frame;
use crate::oauth::ScopeSet;

/// Everything on the page; the client's own words are shown, never trusted.
pub(crate) struct ConsentPage<'a> {
    pub(crate) service: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) client: Option<&'a str>,
    /// Where the code will be sent, in a person's words.
    pub(crate) target: &'a str,
    pub(crate) trust: Trust,
    pub(crate) scopes: &'a ScopeSet,
    pub(crate) resource: &'a str,
    pub(crate) action: &'a str,
    pub(crate) transaction: &'a str,
    pub(crate) form_token: &'a str,
}

/// What speaks for the client's name.
pub(crate) enum Trust {
    /// The operator configured it.
    Configured,
    /// Nothing but the address that the answer goes to.
    Address,
    /// Not even that: some program on this computer.
    Local,
}

pub(crate) fn consent(page: &ConsentPage<'_>) -> String {
    let client = page.client.unwrap_or("An app without a name");
    let content = html! {
        h1 { bdi { (client) } " asks for access to " (page.service) }
        dl {
            dt { "App" }
            dd { bdi { (client) } }
            dt { "Access goes to" }
            dd { bdi { (page.target) } }
            dt { "At" }
            dd { (page.resource) }
            @if !page.scopes.is_empty() {
                dt { "It may" }
                dd { ul { @for scope in page.scopes.iter() { li { (scope) } } } }
            }
        }
        @match page.trust {
            Trust::Configured => {}
            Trust::Local => p .caution {
                "Any program on this computer can call itself by this name. Go on only if you \
                 started this login yourself, just now."
            },
            Trust::Address => p .caution {
                "The name is the app's own word. Go on only if you know the address above and \
                 started this login yourself."
            },
        }
        form method="post" action=(page.action) {
            input type="hidden" name="txn" value=(page.transaction);
            input type="hidden" name="csrf" value=(page.form_token);
            button type="submit" name="decision" value="approve" { "Allow and log in" }
            button type="submit" name="decision" value="deny" { "Deny" }
        }
        p { small { "You will log in with " (page.provider) "." } }
    };
    frame(&format!("Access to {}", page.service), &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_name_cannot_leave_its_place() {
        let attack = "<script>alert(1)</script>\"'><img src=x onerror=1>";
        let html = consent(&ConsentPage {
            service: attack,
            provider: attack,
            client: Some(attack),
            target: attack,
            trust: Trust::Local,
            scopes: &ScopeSet::parse("<b>x</b>").unwrap(),
            resource: attack,
            action: attack,
            transaction: attack,
            form_token: attack,
        });
        assert!(!html.contains("<script"));
        assert!(!html.contains("<img"));
        assert!(!html.contains("<b>"));
        assert!(!html.contains("\"'>"));
        assert!(html.contains("&lt;script&gt;"));
    }
}
