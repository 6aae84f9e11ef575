//! What is wrong with a provider, in words for the operator.

use std::net::IpAddr;

use url::{Host, Url};

use super::provider::Provider;
use crate::{error::ConfigError, limits::MAX_PROVIDER_ID, oauth::printable, outbound::is_metadata};

impl Provider {
    /// Whether this can work at all.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a URL cannot be parsed, is not https (loopback hosts may be http), or
    /// carries credentials or a fragment (RFC 6749 section 3.1); when the client id is empty, or a
    /// client secret is given but empty, or either holds a control character; when the id is not 1 to
    /// 32 characters of `a-z`, `0-9` and `-`; when `authority` has no meaning for this provider; when
    /// `forward_resource` is on for a provider that refuses `resource`; when a client id or a secret stands
    /// beside `client_metadata_document`; when `allowed_organizations` or `allowed_claim` is empty, or names
    /// something that the provider does not know.
    pub fn check(&self) -> Result<(), ConfigError> {
        let fault = |message: String| Err(ConfigError::new("provider", message));
        if let Some(mistake) = self.mistake {
            return fault(mistake.to_owned());
        }
        if !is_id(&self.id) {
            return fault(format!(
                "the id {:?} is not 1 to {MAX_PROVIDER_ID} characters of a-z, 0-9 and -",
                printable(&self.id, MAX_PROVIDER_ID)
            ));
        }
        self.dialect
            .check()
            .map_err(|message| ConfigError::new("provider", message))?;
        for (what, url) in self.endpoints.all() {
            if let Err(why) = check_url(url) {
                return fault(format!("the {what} URL {} {why}", shown_url(url)));
            }
        }
        if let Some(discovery) = &self.discovery {
            let issuer = &discovery.issuer;
            let query = match issuer.contains('?') {
                true => Err("has a query"),
                false => Ok(()),
            };
            if let Err(why) = check_url(issuer).and(query) {
                return fault(format!("the issuer {} {why}", shown_url(issuer)));
            }
        }
        if let Some(mistake) = self.document_fault() {
            return fault(mistake.to_owned());
        }
        self.check_allowed()?;
        if self.client_id.is_empty() && !self.has_document {
            return fault("the client id is empty".to_owned());
        }
        let secret = self.credential.secret();
        if secret.is_some_and(str::is_empty) {
            return fault(
                "the client secret is empty; for an app without one say `without_client_secret`, \
                 or `client_assertion` where an assertion replaces it"
                    .to_owned(),
            );
        }
        // Read from a file, either comes with the file's last line break.
        if has_control(&self.client_id) {
            let id = &self.client_id;
            return fault(format!(
                "the client id {id:?} holds a line break or another control character"
            ));
        }
        if secret.is_some_and(has_control) {
            return fault(
                "the client secret holds a line break or another control character".to_owned(),
            );
        }
        if self.forward_resource && self.dialect.refuses_resource() {
            return fault(format!(
                "{} refuses requests with a `resource`: leave `forward_resource` off",
                self.name
            ));
        }
        Ok(())
    }
}

pub(crate) fn is_id(id: &str) -> bool {
    (1..=MAX_PROVIDER_ID).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

pub(crate) fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// A URL for an error, without what may be secret: all of it where a password may stand in it, else its
/// query.
pub(crate) fn shown_url(url: &str) -> String {
    if url.contains('@') {
        return "(not shown: it holds an @)".to_owned();
    }
    let end = url.find(['?', '#']).unwrap_or(url.len());
    format!("{:?}", url.get(..end).unwrap_or_default())
}

/// The rule for every URL at which the proxy or a browser meets the provider.
pub(crate) fn check_url(url: &str) -> Result<(), &'static str> {
    let Ok(parsed) = Url::parse(url) else {
        return Err("cannot be parsed");
    };
    let loopback = match parsed.host() {
        None => return Err("has no host"),
        // `*.localhost` too, which development set-ups give to their containers: the operator chose this
        // host. A redirect URI is a stranger's, and its rule (`oauth::uri`) takes `localhost` alone.
        Some(Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
    };
    // The resolver refuses names that lead there. An address never comes to it.
    let address = match parsed.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) | None => None,
    };
    if address.is_some_and(is_metadata) {
        return Err("is a cloud's metadata service");
    }
    match parsed.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err("must be https: tokens and secrets travel there"),
        _ => return Err("must be https"),
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("carries a user name or password");
    }
    if parsed.fragment().is_some() {
        return Err("has a fragment");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{generic, google, oidc};

    fn with(authorize: &str, token: &str) -> Provider {
        generic(authorize, token, "id", "secret")
    }

    #[test]
    fn every_url_must_be_https_unless_its_host_is_loopback() {
        const OK: &str = "https://idp.example/x";
        for good in [
            OK,
            "http://localhost:8080/token",
            "http://127.0.0.9/token",
            "http://[::1]:1/token",
            "https://idp.example/x?tenant=a",
        ] {
            assert_eq!(with(good, OK).check(), Ok(()), "{good}");
            assert_eq!(with(OK, good).revocation_url(good).check(), Ok(()));
        }
        for bad in [
            "",
            "idp.example/token",
            "/token",
            "http://idp.example/token",
            "http://localhost.evil.example/token",
            "http://localhost:80@evil.example/token",
            "ftp://localhost/token",
            "javascript:alert(1)",
            "https://user:hunter2@idp.example/token",
            "https://idp.example/token#f",
            "https://idp.example:99999/token",
            "https://169.254.169.254/token",
            "https://0xa9fea9fe/token",
            "https://[fd00:ec2::254]/token",
            "https://[::ffff:169.254.169.254]/token",
        ] {
            for provider in [
                with(bad, OK),
                with(OK, bad),
                with(OK, OK).revocation_url(bad),
                with(OK, OK).userinfo_url(bad),
            ] {
                let error = provider.check().expect_err(bad).to_string();
                assert!(!error.contains("hunter2"), "{error}");
            }
        }
    }

    #[test]
    fn an_empty_client_id_or_secret_is_refused_but_a_public_app_is_fine() {
        assert!(google("", "secret").check().is_err());
        assert!(google("id", "").check().is_err());
        assert!(google("id", "").without_client_secret().check().is_ok());
    }

    #[test]
    fn an_issuer_that_is_asked_is_a_url_like_the_others_and_has_no_query() {
        for good in [
            "https://idp.example",
            "https://idp.example/a/",
            "http://127.0.0.1:1",
        ] {
            assert_eq!(oidc(good, "id", "s").check(), Ok(()), "{good}");
        }
        for bad in [
            "",
            "idp.example",
            "http://idp.example",
            "https://user:hunter2@idp.example",
            "https://idp.example/?tenant=a",
            "https://idp.example/#f",
        ] {
            let error = oidc(bad, "id", "s").check().expect_err(bad).to_string();
            assert!(
                error.contains("issuer") && !error.contains("hunter2"),
                "{error}"
            );
        }
    }

    #[test]
    fn authority_is_refused_where_it_means_nothing() {
        assert!(
            google("id", "s")
                .authority("https://a.example")
                .check()
                .is_err()
        );
    }

    #[test]
    fn an_id_is_a_short_word_that_fits_into_any_record() {
        let longest = "a".repeat(MAX_PROVIDER_ID);
        for good in ["a", "staff", "acme-2", &longest] {
            assert_eq!(google("id", "s").id(good).check(), Ok(()), "{good}");
        }
        let too_long = format!("{longest}a");
        for bad in [
            "", "Staff", "a b", "a_b", "a.b", "é", "a\n", "a/b", &too_long,
        ] {
            let error = google("id", "s").id(bad).check().unwrap_err().to_string();
            assert!(error.contains("the id") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn the_operators_host_may_be_below_localhost() {
        let idp = with("http://sso.localhost/x", "http://sso.localhost:8080/x");
        assert_eq!(idp.check(), Ok(()));
    }

    #[test]
    fn a_secret_with_the_line_break_of_its_file_is_refused() {
        let error = google("id", "hunter2\n").check().unwrap_err().to_string();
        assert!(error.contains("line break") && !error.contains("hunter2"));
        assert!(google("id\n", "s").check().is_err());
    }
}
