//! Whether a provider can vouch for an e-mail address: what allow lists live on.

use super::{dialect::Vouches, provider::Provider};
use crate::oauth::ScopeSet;

impl Provider {
    /// Whether a login can bring an address that the provider vouches for, when these scopes are what
    /// may be asked for; else what to change. With `trusts_unverified` any address will do.
    pub(crate) fn vouches_for_email(
        &self,
        offered: &ScopeSet,
        trusts_unverified: bool,
    ) -> Result<(), String> {
        let asks = |wanted: &str| {
            let is_wanted = |scope: &str| self.ours(scope) == wanted;
            offered.iter().any(is_wanted) || self.upstream_scopes.iter().any(|s| is_wanted(s))
        };
        let name = &self.name;
        match self.dialect.vouches() {
            Vouches::ByScope(scopes) => match scopes.iter().any(|scope| asks(scope)) {
                true => Ok(()),
                false => Err(format!(
                    "{name} gives no address without the scope `{}`: add it to `scopes`",
                    scopes.join("` or `")
                )),
            },
            Vouches::ByPermission => Ok(()),
            Vouches::NoAddress(instead) => Err(format!(
                "{name} gives no address, so the lists would admit no one: ask for {instead} in \
                 `on_login`"
            )),
            Vouches::Never(instead) if !trusts_unverified => Err(format!(
                "{name} never says that an address is verified, so the lists would admit no one: ask \
                 for {instead} in `on_login`, or trust the administrators who set the addresses with \
                 `insecure_trust_unverified_emails`"
            )),
            // Userinfo of a provider that is no OpenID provider knows no such scopes.
            Vouches::OpenId | Vouches::Never(_) if self.endpoints.userinfo.is_some() => Ok(()),
            Vouches::OpenId | Vouches::Never(_) if asks("openid") && asks("email") => Ok(()),
            Vouches::OpenId | Vouches::Never(_) => Err(format!(
                "{name} gives no address without the scopes `openid` and `email`: add both to \
                 `scopes`, or give the provider a `userinfo_url`"
            )),
        }
    }

    /// The scope to ask for in each login so that an allow list can judge the address, whatever scopes the
    /// client asks for.
    pub(crate) fn email_scope(&self, offered: &ScopeSet) -> Option<&'static str> {
        let candidates: &[&str] = match self.dialect.vouches() {
            Vouches::ByScope(scopes) => scopes,
            Vouches::OpenId | Vouches::Never(_) => &["email"],
            Vouches::ByPermission | Vouches::NoAddress(_) => &[],
        };
        candidates
            .iter()
            .copied()
            .find(|scope| offered.contains(scope))
    }

    /// Whether anyone in the world has an account there, or can open one.
    pub(crate) fn is_open_to_all(&self) -> bool {
        self.dialect.is_open_to_all()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        oauth::ScopeSet,
        provider::{Provider, generic},
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
    }

    #[test]
    fn the_address_is_asked_for_by_the_name_that_is_offered() {
        let scopes = |text| ScopeSet::parse(text).unwrap();
        let plain = generic(IDP, IDP, "id", "s");
        assert_eq!(plain.email_scope(&scopes("openid email")), Some("email"));
        assert_eq!(plain.email_scope(&scopes("openid")), None);
    }
}
