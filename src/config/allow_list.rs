//! Who may log in, by e-mail address.

use std::fmt;

use url::Host;

use crate::{
    error::ConfigError,
    limits::MAX_SHOWN_ENTRIES,
    provider::{Identity, domain_of},
};

const EMAILS: &str = "allowed_emails";
const DOMAINS: &str = "allowed_domains";

/// Who may log in, by address. Without a list: everyone whom the provider lets in.
#[derive(Clone, Default)]
pub(crate) struct AllowList {
    pub(crate) emails: Vec<String>,
    pub(crate) domains: Vec<String>,
    pub(crate) trust_unverified: bool,
    /// The option that asked for a list, if any: one that turns out empty must not admit everyone.
    pub(crate) wanted_by: Option<&'static str>,
}

impl AllowList {
    pub(crate) fn want_emails(&mut self, emails: impl Iterator<Item = String>) {
        self.wanted_by = Some(EMAILS);
        self.emails.extend(emails);
    }

    pub(crate) fn want_domains(&mut self, domains: impl Iterator<Item = String>) {
        self.wanted_by = Some(DOMAINS);
        self.domains.extend(domains);
    }

    /// Whether the operator says by address who may log in.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted_by.is_some()
    }

    /// The list as it is compared: without spaces around entries, and each domain in the form that the
    /// DNS has (lower case, an international one in Punycode).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a list that could not admit anyone, an entry that could never match, and trust
    /// in unverified addresses without a list.
    pub(crate) fn checked(self) -> Result<Self, ConfigError> {
        let Some(option) = self.wanted_by else {
            return match self.trust_unverified {
                false => Ok(self),
                true => Err(ConfigError::new(
                    "insecure_trust_unverified_emails",
                    "there is no list that could trust them, so everyone is let in: call \
                     allowed_emails or allowed_domains, or leave this out",
                )),
            };
        };
        if self.emails.is_empty() && self.domains.is_empty() {
            return Err(ConfigError::new(
                option,
                "the lists are empty: no one could log in (is an environment variable unset?)",
            ));
        }
        let emails = self.emails.iter().map(|entry| email(entry.trim()));
        let domains = self.domains.iter().map(|entry| domain(entry.trim()));
        Ok(Self {
            emails: emails.collect::<Result<_, _>>()?,
            domains: domains.collect::<Result<_, _>>()?,
            ..self
        })
    }

    /// Why the person is not on the list, in words for the operator; `None` where they are.
    pub(crate) fn refusal(&self, person: &Identity) -> Option<String> {
        if self.admits(person) {
            return None;
        }
        let options = match (self.emails.is_empty(), self.domains.is_empty()) {
            (false, false) => format!("`{EMAILS}`, `{DOMAINS}`"),
            (false, true) => format!("`{EMAILS}`"),
            _ => format!("`{DOMAINS}`"),
        };
        let Some(email) = &person.email else {
            return Some(format!(
                "{options}: the provider vouched for no address: ask it for the scope that brings one, mostly \
                 `email`"
            ));
        };
        if !self.trust_unverified && !person.email_verified {
            return Some(format!(
                "{options}: the provider does not vouch for the address {email}, and only verified ones count: \
                 see `insecure_trust_unverified_emails`"
            ));
        }
        if parts(email).is_none() {
            return Some(format!("{options}: {email} is no address with one domain"));
        }
        let mut domains: Vec<&str> = self.domains.iter().map(String::as_str).collect();
        let more = domains.len().saturating_sub(MAX_SHOWN_ENTRIES);
        domains.truncate(MAX_SHOWN_ENTRIES);
        let domains = match (domains.join(", "), more) {
            (shown, 0) => shown,
            (shown, more) => format!("{shown} or {more} more"),
        };
        Some(match (self.emails.len(), self.domains.is_empty()) {
            (0, _) => format!("{options}: {email} is not of {domains}"),
            (count, true) => format!("{options}: {email} is none of the {count} addresses"),
            (count, false) => {
                format!("{options}: {email} is none of the {count} addresses, and not of {domains}")
            }
        })
    }

    /// Whether the person is on the list. An address counts only when the provider calls it verified, and
    /// only with exactly one `@` (a peer's domain check was bypassed with two).
    pub(crate) fn admits(&self, person: &Identity) -> bool {
        if !self.is_wanted() {
            return true;
        }
        let email = match self.trust_unverified {
            true => person.email.as_deref(),
            false => person.verified_email(),
        };
        let Some((email, domain)) = email.and_then(parts) else {
            return false;
        };
        self.domains.contains(&domain)
            || self
                .emails
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(&email))
    }
}

/// An address with its domain as the DNS has it, and that domain.
fn parts(email: &str) -> Option<(String, String)> {
    let given = domain_of(email)?;
    let domain = dns_name(given)?;
    let local = email.strip_suffix(given)?;
    Some((format!("{local}{domain}"), domain))
}

/// The form in which two spellings of a domain are one: `Bücher.example` is `xn--bcher-kva.example`.
///
/// That must not turn one domain into another: a percent sign, which the URL standard would decode, is
/// refused, and so is a character that it would replace by ASCII (`ｃ` by `c`).
fn dns_name(domain: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !domain.chars().all(|c| is_plain(c) || !c.is_ascii()) {
        return None;
    }
    let Ok(Host::Domain(name)) = Host::parse(domain) else {
        return None;
    };
    let mut labels = domain.split('.').zip(name.split('.'));
    let is_kept = |(given, name): (&str, &str)| {
        !name.is_empty() && (given.is_ascii() || name.starts_with("xn--"))
    };
    let is_whole = domain.split('.').count() == name.split('.').count();
    (is_whole && labels.all(is_kept)).then_some(name)
}

fn email(entry: &str) -> Result<String, ConfigError> {
    let refuse = |why: &str| Err(ConfigError::new(EMAILS, format!("{entry:?} {why}")));
    if entry.is_empty() {
        return refuse(EMPTY);
    }
    if !entry.contains('@') {
        return refuse("is not an e-mail address; to admit a whole domain, use allowed_domains");
    }
    if entry.starts_with("*@") || entry.starts_with('@') {
        return refuse("is not an e-mail address: to admit a whole domain, use allowed_domains");
    }
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"*".contains(c);
    match parts(entry) {
        Some((email, _)) if !entry.contains(odd) => Ok(email),
        _ => refuse("is not an e-mail address: write it alone, as in `ada@example.com`"),
    }
}

fn domain(entry: &str) -> Result<String, ConfigError> {
    let refuse = |why: &str| Err(ConfigError::new(DOMAINS, format!("{entry:?} {why}")));
    if entry.is_empty() {
        return refuse(EMPTY);
    }
    if entry.starts_with("*.") || entry.starts_with('.') {
        return refuse(
            "is not a domain: subdomains are not included, so name each, without the star",
        );
    }
    match dns_name(entry) {
        Some(name) if name.contains('.') => Ok(name),
        _ => refuse("is not a domain: write what follows the @ of an address, `example.com`"),
    }
}

/// What `split(',')` makes of a variable that is unset or ends with a comma.
const EMPTY: &str = "is an empty entry (is there a comma too many in an environment variable?)";

impl fmt::Debug for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllowList")
            .field("emails", &self.emails.len())
            .field("domains", &self.domains)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(email: &str, verified: bool) -> Identity {
        Identity {
            email: Some(email.to_owned()),
            email_verified: verified,
            ..Identity::default()
        }
    }

    fn lists(emails: &[&str], domains: &[&str]) -> Result<AllowList, ConfigError> {
        let owned = |list: &[&str]| list.iter().map(|entry| (*entry).to_owned()).collect();
        AllowList {
            emails: owned(emails),
            domains: owned(domains),
            trust_unverified: false,
            wanted_by: Some(EMAILS),
        }
        .checked()
    }

    #[test]
    fn a_refusal_names_the_option_the_address_and_what_would_be_in() {
        let refusal = |emails: &[&str], domains: &[&str], person: &Identity| {
            lists(emails, domains).unwrap().refusal(person).unwrap()
        };
        let eve = person("eve@evil.example", true);
        assert_eq!(
            refusal(&[], &["example.com"], &eve),
            "`allowed_domains`: eve@evil.example is not of example.com"
        );
        assert_eq!(
            refusal(
                &[],
                &[
                    "a.example",
                    "b.example",
                    "c.example",
                    "d.example",
                    "e.example"
                ],
                &eve
            ),
            "`allowed_domains`: eve@evil.example is not of a.example, b.example, c.example or 2 more"
        );
        assert_eq!(
            refusal(&["ada@example.com", "bob@example.com"], &[], &eve),
            "`allowed_emails`: eve@evil.example is none of the 2 addresses"
        );
        assert_eq!(
            refusal(&["ada@example.com"], &["corp.example"], &eve),
            "`allowed_emails`, `allowed_domains`: eve@evil.example is none of the 1 addresses, and not of \
             corp.example"
        );
        assert_eq!(
            refusal(&[], &["corp.example"], &Identity::default()),
            "`allowed_domains`: the provider vouched for no address: ask it for the scope that brings one, \
             mostly `email`"
        );
        let unverified = refusal(&[], &["corp.example"], &person("ada@corp.example", false));
        assert!(unverified.contains("does not vouch for the address ada@corp.example"));
        let odd = refusal(&[], &["corp.example"], &person("ada@x@corp.example", true));
        assert!(odd.ends_with("ada@x@corp.example is no address with one domain"));
        let list = lists(&[], &["corp.example"]).unwrap();
        assert_eq!(list.refusal(&person("ada@corp.example", true)), None);
    }

    #[test]
    fn only_a_verified_address_with_one_at_sign_of_a_listed_domain_is_admitted() {
        let list = lists(&["guest@other.example"], &["corp.example"]).unwrap();
        assert!(list.admits(&person("ada@CORP.example", true)));
        assert!(list.admits(&person("Guest@other.EXAMPLE", true)));
        for email in [
            "ada@evil.example",
            "ada@corp.example.evil.example",
            "ada@evil.example@corp.example",
            "ada@corp.example@evil.example",
            "@corp.example",
            "ada@sub.corp.example",
            "ada@corp.example.",
            "ada@corp%2eexample",
            "ada@%63orp.example",
            "ada@corp.example%00",
            "ada@ｃorp.example",
            "ada@corp。example",
            "ada@corp.example\u{ad}",
            "host@other.example",
            "corp.example",
            "ada@",
        ] {
            assert!(!list.admits(&person(email, true)), "{email}");
        }
        assert!(!list.admits(&person("ada@corp.example", false)));
        assert!(!list.admits(&Identity::default()));
        assert!(AllowList::default().admits(&Identity::default()));
        let unset = AllowList {
            wanted_by: Some(EMAILS),
            ..AllowList::default()
        };
        assert!(!unset.admits(&person("ada@corp.example", true)));
        assert!(unset.checked().is_err());
    }

    #[test]
    fn an_international_domain_is_one_in_either_spelling() {
        for entry in [
            "Bücher.example",
            "xn--bcher-kva.example",
            "XN--BCHER-KVA.example",
        ] {
            let list = lists(&[&format!("guest@{entry}")], &[entry]).unwrap();
            for email in [
                "ada@bücher.example",
                "ada@BÜCHER.example",
                "ada@xn--bcher-kva.example",
            ] {
                assert!(list.admits(&person(email, true)), "{entry} {email}");
            }
            for email in ["ada@bucher.example", "ada@bu\u{308}cher.evil.example"] {
                assert!(!list.admits(&person(email, true)), "{entry} {email}");
            }
            let emails = lists(&[&format!("guest@{entry}")], &[]).unwrap();
            assert!(emails.admits(&person("guest@bücher.example", true)));
            assert!(!emails.admits(&person("ada@bücher.example", true)));
        }
    }

    #[test]
    fn an_entry_that_could_never_match_is_refused_with_its_text() {
        for entry in [
            "",
            " ",
            "*.example.com",
            ".example.com",
            "@example.com",
            "https://example.com",
            "example.com/",
            "example.com.",
            "example.com:443",
            "exam ple.com",
            "com",
            "*",
            "ada@example.com",
            "example..com",
            "127.0.0.1",
            "xn--\u{80}.com",
            "example.com\n.evil",
            "ｅxample.com",
        ] {
            let error = lists(&[], &["good.example", entry]).expect_err(entry);
            assert_eq!(error.option(), DOMAINS, "{entry:?}");
            assert!(
                error.to_string().contains(&format!("{:?}", entry.trim())),
                "{error}"
            );
        }
        for entry in [
            "",
            "example.com",
            "@example.com",
            "*@example.com",
            "a@b@c.example",
            "mailto:a@b.example",
            "Ada <ada@example.com>",
            "a b@example.com",
            "ada@",
            "ada@exa mple.com",
            "ada@example.com.",
            "ada@example.com,bob@example.com",
        ] {
            let error = lists(&["good@good.example", entry], &[]).expect_err(entry);
            assert_eq!(error.option(), EMAILS, "{entry:?}");
            assert!(error.to_string().contains(&format!("{entry:?}")), "{error}");
        }
        // What a split variable leaves around an entry does no harm.
        let list = lists(&[" ada@example.com"], &["example.org ", "a-b.example"]).unwrap();
        assert!(list.admits(&person("ada@example.com", true)));
        assert!(list.admits(&person("bob@example.org", true)));
    }

    #[test]
    fn trust_without_a_list_is_refused() {
        let trusting = AllowList {
            trust_unverified: true,
            ..AllowList::default()
        };
        let error = trusting.checked().unwrap_err();
        assert_eq!(error.option(), "insecure_trust_unverified_emails");
    }
}
