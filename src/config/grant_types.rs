//! Which grant types a configuration serves.

use super::{builder::OAuthProxyConfigBuilder, trusted_issuer::TrustedIssuer};
use crate::{client::StaticClient, oauth::GrantType};

/// Each grant type that something was configured for, in the order of [`GrantType::ALL`].
pub(super) fn grant_types(builder: &OAuthProxyConfigBuilder) -> Vec<GrantType> {
    let is_served = |grant_type: &GrantType| match grant_type {
        GrantType::AuthorizationCode | GrantType::RefreshToken => true,
        GrantType::ClientCredentials => builder.static_clients.iter().any(StaticClient::is_machine),
        GrantType::JwtBearer => builder.trusted_issuers.iter().any(TrustedIssuer::grants),
    };
    GrantType::ALL.into_iter().filter(is_served).collect()
}
