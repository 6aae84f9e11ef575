//! Which grant types a configuration serves.

use super::builder::OAuthProxyConfigBuilder;
use crate::oauth::GrantType;

/// Each grant type that something was configured for, in the order of [`GrantType::ALL`].
pub(super) fn grant_types(_builder: &OAuthProxyConfigBuilder) -> Vec<GrantType> {
    let is_served = |grant_type: &GrantType| match grant_type {
        GrantType::AuthorizationCode | GrantType::RefreshToken => true,
        GrantType::ClientCredentials | GrantType::JwtBearer => false,
    };
    GrantType::ALL.into_iter().filter(is_served).collect()
}
