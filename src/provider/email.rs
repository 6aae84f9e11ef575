//! Whether a provider can vouch for an e-mail address: what allow lists live on.

use super::Provider;
use crate::oauth::ScopeSet;

/// What has to be asked for so that the provider vouches for a person's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vouches {
    /// By `email_verified` (OpenID Connect Core section 5.1), in the ID token or at userinfo.
    OpenId,
    /// By its own API, where one of these scopes was granted.
    ByScope(&'static [&'static str]),
    /// Never: it gives an address and does not say whether it was verified.
    Never,
}

impl Provider {
    /// Whether a login can bring an address that the provider vouches for, when these scopes are what
    /// may be asked for; else what to change. With `trusts_unverified` any address will do.
    pub(crate) fn vouches_for_email(
        &self,
        offered: &ScopeSet,
        trusts_unverified: bool,
    ) -> Result<(), String> {
        let asks = |wanted: &str| {
            let is_wanted = |scope: &str| self.scope_rule.ours(scope) == wanted;
            offered.iter().any(is_wanted) || self.upstream_scopes.iter().any(|s| is_wanted(s))
        };
        let name = &self.name;
        match self.vouches {
            Vouches::ByScope(scopes) => match scopes.iter().any(|scope| asks(scope)) {
                true => Ok(()),
                false => Err(format!(
                    "{name} gives no address without the scope `{}`: add it to `scopes`",
                    scopes.join("` or `")
                )),
            },
            Vouches::Never if !trusts_unverified => Err(format!(
                "{name} never says that an address is verified, so the lists would admit nobody: ask \
                 for the claims `tid` and `oid` in `on_login`, or trust the administrators who set \
                 the addresses with `insecure_trust_unverified_emails`"
            )),
            // Userinfo of a provider that is no OpenID provider knows no such scopes.
            Vouches::OpenId | Vouches::Never if self.userinfo_url.is_some() => Ok(()),
            Vouches::OpenId | Vouches::Never if asks("openid") && asks("email") => Ok(()),
            Vouches::OpenId | Vouches::Never => Err(format!(
                "{name} gives no address without the scopes `openid` and `email`: add both to \
                 `scopes`, or give the provider a `userinfo_url`"
            )),
        }
    }

    /// The scope to ask for in each login so that an allow list can judge it, whatever the client asks
    /// for.
    pub(crate) fn email_scope(&self, offered: &ScopeSet) -> Option<&'static str> {
        let candidates: &[&str] = match self.vouches {
            Vouches::ByScope(scopes) => scopes,
            Vouches::OpenId | Vouches::Never => &["email"],
        };
        candidates
            .iter()
            .copied()
            .find(|scope| offered.contains(scope))
    }

    /// Whether anybody in the world can open an account there, or has one.
    pub(crate) fn is_open_to_all(&self) -> bool {
        self.open_to_all
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        oauth::ScopeSet,
        provider::{Provider, azure, generic, github, google},
    };

    const IDP: &str = "https://idp.example/x";

    fn fault(provider: &Provider, offered: &str) -> Option<String> {
        let offered = ScopeSet::parse(offered).unwrap();
        provider.vouches_for_email(&offered, false).err()
    }

    #[test]
    fn an_openid_provider_needs_both_scopes_or_userinfo() {
        let plain = generic(IDP, IDP, "id", "s");
        for (offered, vouches) in [
            ("openid email", true),
            ("email profile openid read", true),
            ("openid", false),
            ("email", false),
            ("read", false),
            ("", false),
        ] {
            assert_eq!(fault(&plain, offered).is_none(), vouches, "{offered}");
            // What userinfo says is the provider's business.
            let with_userinfo = plain.clone().userinfo_url(IDP);
            assert_eq!(fault(&with_userinfo, offered), None, "{offered}");
        }
        let always = plain.upstream_scopes(["openid", "email"]);
        assert_eq!(fault(&always, "read"), None);
        let words = fault(&google("id", "s"), "openid").unwrap();
        assert!(
            words.contains("Google") && words.contains("`email`"),
            "{words}"
        );
        let long = "openid https://www.googleapis.com/auth/userinfo.email";
        assert_eq!(fault(&google("id", "s"), long), None);
    }

    #[test]
    fn github_needs_a_scope_of_its_own_and_entra_never_vouches() {
        let github = github("id", "s");
        assert_eq!(fault(&github, "repo user:email"), None);
        assert_eq!(fault(&github, "user"), None);
        for narrow in ["read:user", "repo", "openid email", ""] {
            assert!(
                fault(&github, narrow).unwrap().contains("user:email"),
                "{narrow}"
            );
        }
        let entra = azure("contoso.example", "id", "s");
        let all = ScopeSet::parse("openid email profile").unwrap();
        let words = entra.vouches_for_email(&all, false).unwrap_err();
        assert!(
            words.contains("insecure_trust_unverified_emails"),
            "{words}"
        );
        assert_eq!(entra.vouches_for_email(&all, true), Ok(()));
        let none = ScopeSet::parse("openid").unwrap();
        assert!(
            entra.vouches_for_email(&none, true).is_err(),
            "no address at all"
        );
    }

    #[test]
    fn the_address_is_asked_for_by_the_name_that_is_offered() {
        let scopes = |text| ScopeSet::parse(text).unwrap();
        let github = github("id", "s");
        assert_eq!(github.email_scope(&scopes("repo user")), Some("user"));
        assert_eq!(
            github.email_scope(&scopes("user user:email")),
            Some("user:email")
        );
        assert_eq!(github.email_scope(&scopes("repo")), None);
        let google = google("id", "s");
        assert_eq!(google.email_scope(&scopes("openid email")), Some("email"));
    }

    #[test]
    fn a_provider_of_everybody_is_told_from_one_of_ones_own() {
        let tenant = "11111111-2222-3333-4444-555555555555";
        for (provider, open) in [
            (google("id", "s"), true),
            (github("id", "s"), true),
            (github("id", "s").authority("https://git.example"), false),
            (azure("common", "id", "s"), true),
            (azure("organizations", "id", "s"), true),
            (azure("consumers", "id", "s"), true),
            (azure(tenant, "id", "s"), false),
            (azure("contoso.example", "id", "s"), false),
            (generic(IDP, IDP, "id", "s"), false),
        ] {
            assert_eq!(provider.is_open_to_all(), open, "{provider:?}");
        }
    }
}
