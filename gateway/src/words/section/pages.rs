//! `[pages]`: what people see in the browser.

use tower_oauth_proxy::{AccountPage, Consent, OAuthProxyConfigBuilder};

use crate::words::{
    key::{Key, Kind, key, sets},
    refusal::Refusal,
    table::Table,
};

const LINK: &[Key] = &[
    key(
        "text",
        Kind::Text,
        "required",
        "\"Terms\"",
        "what the link says",
    ),
    key(
        "url",
        Kind::Text,
        "required",
        "\"https://example.com/terms\"",
        "where it leads",
    ),
];

/// The keys of `[pages]`.
pub(crate) const KEYS: &[Key] = &[
    sets(
        &["consent"],
        key(
            "consent",
            Kind::Choice(&["always", "remember", "external", "disabled"]),
            "`always`",
            "\"remember\"",
            "whether a person is asked before a client gets in: each time; not again for 30 days in the same browser; by the provider; never (weak)",
        ),
    ),
    sets(
        &["service_name"],
        key(
            "service_name",
            Kind::Text,
            "the host",
            "\"Acme Reports\"",
            "what this service is called",
        ),
    ),
    sets(
        &["account_page"],
        key(
            "account_page",
            Kind::Choice(&["always", "never", "where_cookies_can_be_planted"]),
            "`where_cookies_can_be_planted`",
            "\"always\"",
            "whether a person sees their account after the provider",
        ),
    ),
    sets(
        &["page_icon"],
        key(
            "icon_file",
            Kind::File,
            "the first letter of the name",
            "\"icon.png\"",
            "PNG, JPEG, WebP, GIF or SVG, 16 KiB",
        ),
    ),
    sets(
        &["page_color"],
        key(
            "color",
            Kind::Text,
            "a blue",
            "\"#2456e6\"",
            "of buttons, links and signs",
        ),
    ),
    sets(
        &["page_contact"],
        key(
            "contact",
            Kind::Text,
            "none",
            "\"help@example.com\"",
            "at the foot of each page: whom to ask",
        ),
    ),
    sets(
        &["page_link"],
        key(
            "links",
            Kind::Tables(LINK),
            "none",
            "",
            "at the foot of each page",
        ),
    ),
    sets(
        &["page_languages"],
        key(
            "languages",
            Kind::Words,
            "all, English first",
            "[\"en\", \"de\"]",
            "the languages of the pages; the first is for people who read none of them",
        ),
    ),
    sets(
        &["scope_description"],
        key(
            "scope_descriptions",
            Kind::Texts,
            "the scope's name",
            "{ read = \"Read your reports\" }",
            "what a scope allows, in words for the person who decides",
        ),
    ),
    sets(
        &["scope_description_in"],
        key(
            "scope_descriptions_in",
            Kind::TextsByName,
            "none",
            "{ de = { read = \"Ihre Berichte lesen\" } }",
            "the same by language",
        ),
    ),
    sets(
        &["cookie_prefix"],
        key(
            "cookie_prefix",
            Kind::Text,
            "`__Host-`",
            "\"__Host-\"",
            "for platforms that rewrite cookies; another one on https is weak",
        ),
    ),
    sets(
        &["transaction_ttl"],
        key(
            "transaction_ttl",
            Kind::Time,
            "10 minutes",
            "\"10m\"",
            "how long a login may take",
        ),
    ),
];

pub(crate) fn apply(
    said: Table<'_>,
    mut builder: OAuthProxyConfigBuilder,
) -> Result<OAuthProxyConfigBuilder, Refusal> {
    builder = match said.text("consent")? {
        Some("always") => builder.consent(Consent::Always),
        Some("remember") => builder.consent(Consent::Remember),
        Some("external") => builder.consent(Consent::External),
        Some("disabled") => builder.consent(Consent::Disabled),
        Some(other) => return Err(said.refuse("consent", format!("{other} is unknown"))),
        None => builder,
    };
    builder = match said.text("account_page")? {
        Some("always") => builder.account_page(AccountPage::Always),
        Some("never") => builder.account_page(AccountPage::Never),
        Some(_) => builder.account_page(AccountPage::WhereCookiesCanBePlanted),
        None => builder,
    };
    if let Some(name) = said.text("service_name")? {
        builder = builder.service_name(name);
    }
    if let Some(icon) = said.bytes("icon_file")? {
        builder = builder.page_icon(icon);
    }
    if let Some(color) = said.text("color")? {
        builder = builder.page_color(color);
    }
    if let Some(contact) = said.text("contact")? {
        builder = builder.page_contact(contact);
    }
    for link in said.tables("links")? {
        let link = link.table();
        builder = builder.page_link(link.required("text")?, link.required("url")?);
    }
    if let Some(languages) = said.words("languages")? {
        builder = builder.page_languages(languages);
    }
    for (scope, words) in said.pairs("scope_descriptions")? {
        builder = builder.scope_description(scope, words);
    }
    for (language, texts) in said.texts_by_name("scope_descriptions_in")? {
        for (scope, words) in texts {
            builder = builder.scope_description_in(language, scope, words);
        }
    }
    if let Some(prefix) = said.text("cookie_prefix")? {
        builder = builder.cookie_prefix(prefix);
    }
    if let Some(time) = said.time("transaction_ttl")? {
        builder = builder.transaction_ttl(time);
    }
    Ok(builder)
}
