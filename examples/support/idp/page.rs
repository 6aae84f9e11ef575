//! The pages of the provider.

use maud::html;

use super::people::PEOPLE;
use crate::support::pages::page;

const NAME: &str = "Example identity provider";

/// Asks who is there.
pub fn login(id: &str, scope: &str, hint: &str) -> String {
    let is_expected = |person: &str| !hint.is_empty() && hint.split('@').next() == Some(person);
    let body = html! {
        h1 { "Who are you?" }
        p { "This stands for Google, GitHub or your company's login. It asks for no password: it is an \
             example." }
        form method="post" action="/login" {
            input type="hidden" name="login" value=(id);
            @for person in &PEOPLE {
                button.yes[is_expected(person.id)] name="person" value=(person.id) {
                    (person.name) small { (person.roles.join(", ")) }
                }
            }
            button name="person" value="" { "Cancel" }
        }
        @if !scope.is_empty() {
            details { summary { "What the app asks for" } code { (scope) } }
        }
    };
    page("Log in", NAME, false, &body)
}

/// Says what is wrong; a stranger's value stands apart.
pub fn refusal(why: &str, value: Option<&str>) -> String {
    let body = html! {
        h1 { "This login cannot go on" }
        p { (why) }
        @if let Some(value) = value { pre { bdi { (value) } } }
    };
    page("This login cannot go on", NAME, false, &body)
}

/// For a person who opens the issuer.
pub fn front(issuer: &str) -> String {
    let body = html! {
        h1 { "An identity provider for examples" }
        p { "It believes anyone who presses a button, and listens on this machine only. Its issuer is "
            code { (issuer) } "." }
        p { a href="/.well-known/openid-configuration" { "Its document about itself" } }
    };
    page(NAME, NAME, false, &body)
}
