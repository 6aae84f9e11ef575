//! Who may log in at a provider, in words.

use crate::{
    config::Options,
    limits::{MAX_REPORTED_ENTRIES, MAX_SHOWN_ENTRY},
    oauth::printable,
    provider::{ClaimRule, Provider},
};

/// Each has to be met, and whether nothing is asked of anybody: then everybody who can make an account there is in.
pub(super) fn who_may_log_in(provider: &Provider, options: &Options) -> (bool, Vec<String>) {
    let mut rules = Vec::new();
    rules.extend(by_address(options));
    let people = options.people.rules();
    rules.extend(people.iter().chain(&provider.people_rules()).map(by_claim));
    if options.on_login.is_some() {
        rules.push("whom your hook lets in (on_login)".to_owned());
    }
    let name = &provider.name;
    match (rules.is_empty(), provider.is_open_to_all()) {
        (true, true) => (
            true,
            vec![format!("EVERYBODY who has an account of {name}")],
        ),
        (true, false) => (false, vec![format!("everybody whom {name} lets in")]),
        (false, _) => (false, rules),
    }
}

/// The two lists are one: an address has to be on either.
fn by_address(options: &Options) -> Option<String> {
    let list = &options.allow_list;
    list.is_wanted().then(|| {
        let domains = (!list.domains.is_empty())
            .then(|| format!("of {} (allowed_domains)", shown(&list.domains)));
        let emails = (!list.emails.is_empty())
            .then(|| format!("among the {} of allowed_emails", list.emails.len()));
        let either: Vec<String> = domains.into_iter().chain(emails).collect();
        let kind = match list.trust_unverified {
            true => "an address, verified or not,",
            false => "a verified address",
        };
        format!("people with {kind} {}", either.join(" or "))
    })
}

fn by_claim(rule: &ClaimRule) -> String {
    let (claims, allowed) = (rule.claims().join("` or `"), shown(rule.allowed()));
    format!(
        "people who have {allowed} in `{claims}` ({})",
        rule.option()
    )
}

/// Any of them; not more than a line can bear.
fn shown(entries: &[String]) -> String {
    let first = entries.iter().take(MAX_REPORTED_ENTRIES);
    let first: Vec<String> = first
        .map(|entry| printable(entry, MAX_SHOWN_ENTRY))
        .collect();
    match entries.len().saturating_sub(MAX_REPORTED_ENTRIES) {
        0 => first.join(" or "),
        more => format!("{} or {more} more", first.join(" or ")),
    }
}
