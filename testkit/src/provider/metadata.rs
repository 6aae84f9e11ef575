//! The provider's document about itself (OpenID Connect Discovery section 3, RFC 8414 section 2).

use serde_json::{Value, json};

use super::script::{MetadataAt, Settings};

/// Whether the document is at this path.
pub(super) fn is_at(settings: &Settings, path: &str) -> bool {
    let issuer = url::Url::parse(&settings.issuer).unwrap();
    let below = issuer.path().trim_end_matches('/');
    match settings.metadata_at {
        MetadataAt::OpenId => path == format!("{below}/.well-known/openid-configuration"),
        MetadataAt::OAuth => path == format!("/.well-known/oauth-authorization-server{below}"),
        MetadataAt::Nowhere => false,
    }
}

pub(super) fn document(settings: &Settings, origin: &str) -> Value {
    let mut document = json!({
        "issuer": settings.issuer,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "userinfo_endpoint": format!("{origin}/userinfo"),
        "registration_endpoint": format!("{origin}/register"),
        "introspection_endpoint": format!("{origin}/introspect"),
        "revocation_endpoint": format!("{origin}/revoke"),
        "jwks_uri": format!("{origin}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": settings.name_issuer,
    });
    let members = document.as_object_mut().unwrap();
    members.extend(settings.metadata.clone());
    members.retain(|_, value| !value.is_null());
    document
}
