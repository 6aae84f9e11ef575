//! Microsoft Entra External ID: external tenants, for customers.

use std::sync::Arc;

use super::entra::azure;
use crate::provider::{
    client_key::KeyWay,
    dialect::{Dialect, Vouches},
    endpoints::Endpoints,
    origin::is_segment,
    prompt::Prompts,
    provider::Provider,
    target::TokenTarget,
};

/// Customers of an external tenant (Microsoft Entra External ID, "CIAM").
///
/// Register an app as for [`azure`](super::azure), and add it to a user flow (External Identities, User
/// flows). `name` is what stands before `.ciamlogin.com`, `tenant_id` the directory's ID.
///
/// | | |
/// |---|---|
/// | scopes unless set | `openid profile email`; `offline_access` is always asked for |
/// | the person | `sub`, which is this app's; `oid` is the same in all apps of the tenant |
/// | the address | no token says that it was verified |
/// | refresh, revocation | as with [`azure`](super::azure): a new refresh token each time, and none that can be revoked |
///
/// Customers sign themselves up, so say who may log in, by `oid` or in the login hook. Scopes of your own
/// API are written bare, as with [`azure`](super::azure), and `resource` is refused.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let tenant_id = "11111111-2222-3333-4444-555555555555";
/// let customers = provider::azure_external("contoso", tenant_id, "client-id", "client-secret");
/// assert!(customers.check().is_ok());
/// ```
#[must_use]
pub fn azure_external(
    name: &str,
    tenant_id: &str,
    client_id: impl Into<String>,
    client_secret: impl Into<String>,
) -> Provider {
    let entra = azure(tenant_id, client_id, client_secret);
    let url = |last: &str| format!("https://{name}.ciamlogin.com/{tenant_id}/{last}");
    Provider {
        id: "entra-external".to_owned(),
        endpoints: Endpoints {
            jwks: Some(url("discovery/v2.0/keys")),
            ..Endpoints::new(url("oauth2/v2.0/authorize"), url("oauth2/v2.0/token"))
        },
        discovery: None,
        dialect: Arc::new(External {
            name: name.to_owned(),
            tenant_id: tenant_id.to_owned(),
            entra: Arc::clone(&entra.dialect),
        }),
        ..entra
    }
    // The issuer's host has the tenant's ID, whatever host the person came by.
    .issuer(format!(
        "https://{tenant_id}.ciamlogin.com/{tenant_id}/v2.0"
    ))
}

#[derive(Debug)]
struct External {
    name: String,
    tenant_id: String,
    /// What it does as other tenants do is that preset's.
    entra: Arc<dyn Dialect>,
}

impl Dialect for External {
    fn vouches(&self) -> Vouches {
        Vouches::Never("the claim `oid`")
    }

    fn is_open_to_all(&self) -> bool {
        true
    }

    fn on_behalf_of(
        &self,
        access_token: &str,
        target: &TokenTarget,
    ) -> Option<Vec<(&'static str, String)>> {
        self.entra.on_behalf_of(access_token, target)
    }

    fn prompts(&self) -> Prompts {
        self.entra.prompts()
    }

    fn refuses_resource(&self) -> bool {
        self.entra.refuses_resource()
    }

    fn key_way(&self) -> KeyWay {
        self.entra.key_way()
    }

    fn check(&self) -> Result<(), String> {
        let is_id = self.tenant_id.len() == 36 && is_segment(&self.tenant_id);
        if !is_segment(&self.name) || self.name.contains('.') {
            return Err(format!(
                "`{}` is not an external tenant's name: use what stands before `.ciamlogin.com`",
                self.name
            ));
        }
        match is_id {
            true => Ok(()),
            false => Err(format!(
                "`{}` is not a tenant's ID: use the directory ID, 36 characters long",
                self.tenant_id
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TID: &str = "11111111-2222-3333-4444-555555555555";

    #[test]
    fn the_issuer_is_the_tenants_id_twice_and_not_its_name() {
        let customers = azure_external("contoso", TID, "app", "s");
        let iss = format!("https://{TID}.ciamlogin.com/{TID}/v2.0");
        assert!(customers.admits_issuer(&iss, None));
        let by_name = format!("https://contoso.ciamlogin.com/{TID}/v2.0");
        assert!(!customers.admits_issuer(&by_name, None));
        let url = customers.authorization_url(&[], &[]);
        let expected = format!("https://contoso.ciamlogin.com/{TID}/oauth2/v2.0/authorize?");
        assert!(url.starts_with(&expected), "{url}");
    }

    #[test]
    fn a_name_or_an_id_cannot_lead_to_another_host() {
        for (name, id) in [
            ("", TID),
            ("contoso.ciamlogin.com", TID),
            ("evil.example/", TID),
            ("a@b", TID),
            ("contoso", "contoso.onmicrosoft.com"),
            ("contoso", "common"),
            ("contoso", "11111111-2222-3333-4444-55555555555/"),
        ] {
            assert!(
                azure_external(name, id, "app", "s").check().is_err(),
                "{name} {id}"
            );
        }
        let customers = azure_external("contoso", TID, "app", "s");
        assert!(
            customers.is_open_to_all() && customers.clone().forward_resource(true).check().is_err()
        );
        assert_eq!(customers.check(), Ok(()));
    }
}
