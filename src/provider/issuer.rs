//! Which `iss` may come from a provider.

/// The consumer tenant, in which all personal Microsoft accounts live.
pub(crate) const CONSUMERS_TENANT_ID: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// What `iss` must be. Compared byte for byte: a trailing slash makes another issuer (RFC 8414
/// section 3.3, OpenID Connect Core section 3.1.3.7 item 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IssuerRule {
    /// Not known, not checked.
    Unknown,
    /// Exactly this.
    Exact(String),
    /// Google has two spellings.
    OneOf(&'static [&'static str]),
    /// Entra ID, asked by another name than the tenant's id: `{authority}/{tid}/v2.0`.
    Entra {
        authority: String,
        /// `organizations` shuts personal accounts out.
        personal_accounts: bool,
    },
}

impl IssuerRule {
    /// Whether an ID token with this `iss` may come from the provider; `tid` is the token's own.
    pub(crate) fn admits(&self, iss: &str, tid: Option<&str>) -> bool {
        match self {
            Self::Entra { .. } => self
                .entra_tenant(iss)
                .is_some_and(|tenant| Some(tenant) == tid),
            _ => self.admits_redirect(iss),
        }
    }

    /// Whether the `iss` of a redirect back to us may come from the provider (RFC 9207 section
    /// 2.4). Its absence is for the caller to accept: most providers send none.
    pub(crate) fn admits_redirect(&self, iss: &str) -> bool {
        match self {
            Self::Unknown => true,
            Self::Exact(expected) => expected == iss,
            Self::OneOf(expected) => expected.contains(&iss),
            Self::Entra { .. } => self.entra_tenant(iss).is_some(),
        }
    }

    fn entra_tenant<'a>(&self, iss: &'a str) -> Option<&'a str> {
        let Self::Entra {
            authority,
            personal_accounts,
        } = self
        else {
            return None;
        };
        let tenant = iss
            .strip_prefix(authority.as_str())?
            .strip_prefix('/')?
            .strip_suffix("/v2.0")?;
        let admitted = is_guid(tenant) && (*personal_accounts || tenant != CONSUMERS_TENANT_ID);
        admitted.then_some(tenant)
    }
}

/// `8-4-4-4-12` hexadecimal digits.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TID: &str = "11111111-2222-3333-4444-555555555555";

    fn entra(personal_accounts: bool) -> IssuerRule {
        IssuerRule::Entra {
            authority: "https://login.microsoftonline.com".to_owned(),
            personal_accounts,
        }
    }

    #[test]
    fn an_exact_issuer_is_compared_byte_for_byte() {
        let rule = IssuerRule::Exact("https://idp.example/".to_owned());
        assert!(rule.admits("https://idp.example/", None));
        for other in [
            "https://idp.example",
            "https://IDP.example/",
            "",
            "https://idp.example//",
        ] {
            assert!(!rule.admits(other, None), "{other}");
            assert!(!rule.admits_redirect(other), "{other}");
        }
    }

    #[test]
    fn a_multi_tenant_issuer_must_name_the_tenant_of_the_token() {
        let iss = format!("https://login.microsoftonline.com/{TID}/v2.0");
        assert!(entra(true).admits(&iss, Some(TID)));
        assert!(!entra(true).admits(&iss, Some(CONSUMERS_TENANT_ID)));
        assert!(!entra(true).admits(&iss, None));
        for forged in [
            format!("https://login.microsoftonline.com.evil.example/{TID}/v2.0"),
            format!("https://login.microsoftonline.com/{TID}/v2.0/"),
            format!("https://login.microsoftonline.com/{TID}/../{TID}/v2.0"),
            format!("https://sts.windows.net/{TID}/"),
            "https://login.microsoftonline.com/common/v2.0".to_owned(),
        ] {
            assert!(!entra(true).admits(&forged, Some(TID)), "{forged}");
            assert!(!entra(true).admits(&forged, Some("common")), "{forged}");
            assert!(!entra(true).admits_redirect(&forged), "{forged}");
        }
    }

    #[test]
    fn organizations_shuts_personal_accounts_out() {
        let iss = format!("https://login.microsoftonline.com/{CONSUMERS_TENANT_ID}/v2.0");
        assert!(entra(true).admits(&iss, Some(CONSUMERS_TENANT_ID)));
        assert!(!entra(false).admits(&iss, Some(CONSUMERS_TENANT_ID)));
    }
}
