//! The consent page: who asks, where the answer goes, and for what.

use std::borrow::Cow;

use maud::{Markup, html};

use super::{
    custom::{PageClient, PageKind, PageScope},
    decision::{Button, Decision},
    frame::{About, Sheet},
    parts::{checked, claim, on_demand},
    provider::{self, ProviderOption},
    scope_words::{Right, Rights},
    signs::Sign,
    stage::Stage,
    words::{Words, fill, fill_title},
};
use crate::{
    limits::{FEW_RIGHTS, MAX_HOST_SHOWN, MAX_SHOWN},
    oauth::{ScopeSet, printable},
};

/// Everything on the page; the client's own words are shown, never trusted.
pub(crate) struct ConsentPage<'a> {
    /// The providers that the person can log in at: one, or a choice.
    pub(crate) options: &'a [ProviderOption<'a>],
    /// The form came without a choice.
    pub(crate) again: bool,
    pub(crate) client: Option<&'a str>,
    /// Whose server the app's own description came from: all about the app that was checked.
    pub(crate) host: Option<&'a str>,
    pub(crate) target: Target<'a>,
    /// The whole of it.
    pub(crate) redirect_uri: &'a str,
    pub(crate) trust: Trust,
    pub(crate) scopes: &'a ScopeSet,
    pub(crate) resource: &'a str,
    pub(crate) action: &'a str,
    pub(crate) login: &'a str,
    pub(crate) form_token: &'a str,
}

/// What speaks for the client's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The operator configured it.
    Configured,
    /// Nothing but the address that the answer goes to.
    Address,
    /// Not even that: some program on this computer.
    Local,
    /// The host that the app's description came from, which the answer goes to as well.
    Host,
    /// The same, and the answer goes to another address.
    OtherAddress,
}

/// Where the code will be sent.
pub(crate) enum Target<'a> {
    /// A host, with a port that is not the scheme's own.
    Host(&'a str),
    /// A program on the person's computer, at this port.
    ThisComputer(Option<u16>),
    /// An app with a URI scheme of its own.
    App(&'a str),
}

/// A stranger's words are held apart from ours: the name stands in a box of its own that says whose
/// word it is, never inside a sentence of the page.
pub(super) fn html(page: &ConsentPage<'_>, stage: &Stage<'_>) -> String {
    let (words, service) = (stage.words(), stage.service());
    let client = page.client.map(|name| printable(name, MAX_SHOWN));
    let host = page.host.map(|host| printable(host, MAX_SHOWN));
    let scopes = &stage.look.brand.scopes;
    let rights = Rights::of(page.scopes, scopes, words, stage.language.tag());
    let caution = caution(page.trust, host.is_some(), words);
    let content = html! {
        h1 { (fill(&words.consent_heading, &service)) }
        (client_box(client.as_deref(), host.as_deref(), page.trust, &page.target, page.redirect_uri, stage))
        (what_for(&rights, page.resource, stage))
    };
    let is_choice = page.options.len() > 1;
    let decision = Decision {
        action: page.action,
        hidden: &[("login", page.login), ("csrf", page.form_token)],
        choice: is_choice.then(|| provider::choice(words, page.options, page.again)),
        no: Button {
            value: "deny",
            label: html! { (words.deny) },
        },
        yes: Button {
            value: "approve",
            label: match page.options {
                [only] => fill(&words.allow_with, &[("provider", only.name)]),
                _ => html! { (words.allow) },
            },
        },
        other: None,
    };
    let sheet = Sheet {
        kind: PageKind::Consent,
        title: &fill_title(&words.consent_title, &service),
        content: decision.around(&content, caution),
        form: Some(decision.alone()),
        about: About {
            client: Some(page_client(
                client.as_deref(),
                host.as_deref(),
                page.trust,
                &page.target,
                page.redirect_uri,
                words,
            )),
            scopes: rights.iter().map(PageScope::from).collect(),
            resource: Some(page.resource),
            caution,
            ..About::default()
        },
    };
    sheet.html(stage)
}

/// Who asks, whose word that is, and where the access goes.
pub(super) fn client_box(
    client: Option<&str>,
    host: Option<&str>,
    trust: Trust,
    target: &Target<'_>,
    redirect_uri: &str,
    stage: &Stage<'_>,
) -> Markup {
    let words = stage.words();
    html! {
        dl .box {
            div { (who(client, trust, stage)) }
            @if let Some(host) = host {
                div { dt { (words.described_by) } (checked(&end_of(host))) }
            }
            div {
                dt { (words.goes_to) }
                (place(target, words))
                dd { (on_demand(&words.whole_address, [redirect_uri].into_iter())) }
            }
        }
    }
}

/// The same for those who write the page themselves.
pub(super) fn page_client<'a>(
    client: Option<&'a str>,
    host: Option<&'a str>,
    trust: Trust,
    target: &Target<'_>,
    redirect_uri: &'a str,
    words: &Words,
) -> PageClient<'a> {
    PageClient {
        name: client,
        is_configured: trust == Trust::Configured,
        verified_host: host,
        goes_to: goes_to(target, words),
        redirect_uri,
        is_on_this_computer: !matches!(target, Target::Host(_)),
    }
}

/// Who asks, and whose word that is.
fn who(client: Option<&str>, trust: Trust, stage: &Stage<'_>) -> Markup {
    let (words, service) = (stage.words(), stage.service());
    html! {
        @match (client, trust) {
            (Some(name), Trust::Configured) => {
                dt { (words.app) } dd .claim { bdi { (name) } } dd { (fill(&words.name_of_operator, &service)) }
            }
            (Some(name), _) => {
                dt { (words.calls_itself) } (claim(name)) dd { (fill(&words.name_not_checked, &service)) }
            }
            (None, _) => { dt { (words.app) } dd { (words.no_name) } }
        }
    }
}

fn place(target: &Target<'_>, words: &Words) -> Markup {
    html! {
        @match target {
            Target::Host(address) => dd { bdi { (end_of(&printable(address, MAX_SHOWN))) } },
            Target::ThisComputer(Some(port)) => dd { (fill(&words.this_computer_port, &[("port", &port.to_string())])) },
            Target::ThisComputer(None) => dd { (words.this_computer) },
            Target::App(scheme) => {
                dd { bdi { (printable(scheme, MAX_SHOWN)) } }
                dd { (words.app_on_this_computer) }
            }
        }
    }
}

/// A host is whose its end is: of a long one the end is shown, and the whole address is on demand. A beginning that
/// looks like somebody else's cannot push it out of view.
fn end_of(host: &str) -> Cow<'_, str> {
    match host.char_indices().rev().nth(MAX_HOST_SHOWN - 1) {
        Some((at, _)) if at > 0 => format!("…{}", host.get(at..).unwrap_or_default()).into(),
        _ => host.into(),
    }
}

/// The same as a text.
fn goes_to(target: &Target<'_>, words: &Words) -> String {
    match target {
        Target::Host(address) => printable(address, MAX_SHOWN),
        Target::ThisComputer(Some(port)) => {
            fill_title(&words.this_computer_port, &[("port", &port.to_string())])
        }
        Target::ThisComputer(None) => words.this_computer.to_string(),
        Target::App(scheme) => {
            let (scheme, what) = (printable(scheme, MAX_SHOWN), &words.app_on_this_computer);
            format!("{scheme} ({what})")
        }
    }
}

fn caution(trust: Trust, is_described: bool, words: &Words) -> Option<&str> {
    Some(match trust {
        Trust::Configured => return None,
        Trust::Local if is_described => &words.caution_local_described,
        Trust::Local => &words.caution_local,
        Trust::Host => &words.caution_host,
        Trust::OtherAddress => &words.caution_other_address,
        Trust::Address => &words.caution_address,
    })
}

/// What the app can do, as things that a person does. All of it is on the page: nothing that is granted stands
/// behind a click but the names that the protocol has for it.
pub(super) fn what_for(rights: &Rights<'_>, resource: &str, stage: &Stage<'_>) -> Markup {
    let (words, service) = (stage.words(), stage.service());
    let is_long = rights.iter().count() > FEW_RIGHTS;
    let stay: Vec<_> = rights.stay.into_iter().collect();
    let is_described = rights.iter().any(|right| right.meaning.is_some());
    html! {
        section {
            h2 { (words.it_may) }
            @if rights.service.is_empty() {
                ul .can { li { (Sign::Tick.picture()) span { (fill(&words.act_for_you, &service)) } } }
            } @else {
                @if is_long { h3 { (fill(&words.scopes_of_service, &service)) } }
                (list(Sign::Tick, &rights.service))
            }
            @if is_long && !rights.person.is_empty() { h3 { (words.scopes_of_person) } }
            @if !rights.person.is_empty() { (list(Sign::Person, &rights.person)) }
            @if !stay.is_empty() { (list(Sign::Clock, &stay)) }
            details {
                summary { (words.scope_names) }
                dl {
                    div { dt { (words.at) } dd { code { bdi { (resource) } } } }
                    @if is_described {
                        div { dt { (words.scopes) } dd { @for right in rights.iter() { code { bdi { (right.scope) } } } } }
                    }
                }
            }
        }
    }
}

fn list(sign: Sign, rights: &[Right<'_>]) -> Markup {
    html! {
        ul .can {
            @for right in rights {
                li {
                    (sign.picture())
                    @match right.meaning {
                        Some(meaning) => span { bdi { (meaning) } },
                        // Nobody has said what it means, and we do not guess.
                        None => code { bdi { (right.scope) } },
                    }
                }
            }
        }
    }
}

impl<'a> From<&Right<'a>> for PageScope<'a> {
    fn from(right: &Right<'a>) -> Self {
        Self {
            name: right.scope,
            description: right.meaning,
        }
    }
}

#[cfg(test)]
mod tests;
