//! The login page.

use maud::{DOCTYPE, html};

use super::people::PEOPLE;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;\
    padding:0 1rem}button{font:inherit;display:block;width:100%;margin:.5rem 0;padding:.7rem}";

/// Asks who is there.
pub fn login(id: &str, scope: &str) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Log in - example identity provider" }
                style { (STYLE) }
            }
            body {
                h1 { "Who are you?" }
                p { "This stands for Google, GitHub or your company's login. It asks for no "
                    "password: it is an example." }
                @if !scope.is_empty() { p { "Asked for: " code { (scope) } } }
                form method="post" action="/login" {
                    input type="hidden" name="login" value=(id);
                    @for person in &PEOPLE {
                        button name="person" value=(person.id) {
                            (person.name) " (" (person.roles.join(", ")) ")"
                        }
                    }
                    button name="person" value="" { "Cancel" }
                }
            }
        }
    }
    .into_string()
}
