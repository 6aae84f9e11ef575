//! Documents that providers published about themselves, and what each preset takes from them.

use serde_json::{Value, json};

use super::super::*;
use crate::provider::{
    Provider, TokenEndpointAuth, discovery::filled, discovery_document::Metadata,
};

/// The provider as it is once it has read this document below its issuer.
fn resolved(provider: &Provider, document: &Value) -> Provider {
    let metadata = Metadata::parse(document.to_string().as_bytes()).unwrap();
    let discovery = provider.discovery.as_ref().unwrap();
    assert_eq!(discovery.issuer, metadata.issuer);
    let provider = filled(provider, discovery, &metadata).unwrap();
    assert!(provider.endpoints.jwks.is_some() && provider.endpoints.userinfo.is_some());
    assert!(!provider.upstream_scopes.contains(&String::new()));
    provider
}

#[test]
fn authkit_is_found_whole_and_the_secret_stays_in_the_body() {
    let document = json!({
        "issuer": "https://acme.authkit.app",
        "authorization_endpoint": "https://acme.authkit.app/oauth2/authorize",
        "device_authorization_endpoint": "https://acme.authkit.app/oauth2/device_authorization",
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "introspection_endpoint": "https://acme.authkit.app/oauth2/introspection",
        "jwks_uri": "https://acme.authkit.app/oauth2/jwks",
        "response_types_supported": ["code"],
        "scopes_supported": ["email", "offline_access", "openid", "profile"],
        "subject_types_supported": ["public"],
        "token_endpoint": "https://acme.authkit.app/oauth2/token",
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "userinfo_endpoint": "https://acme.authkit.app/oauth2/userinfo",
    });
    let workos = resolved(&workos("acme.authkit.app", "id", "s"), &document);
    assert_eq!(workos.token_endpoint_auth, TokenEndpointAuth::Post);
    assert_eq!(workos.endpoints.revocation, None);
    assert_eq!(workos.upstream_scopes, ["offline_access"]);
}

#[test]
fn the_hub_lists_no_scopes_and_is_asked_for_no_more_than_ours() {
    let document = json!({
        "issuer": "https://huggingface.co",
        "token_endpoint": "https://huggingface.co/oauth/token",
        "authorization_endpoint": "https://huggingface.co/oauth/authorize",
        "userinfo_endpoint": "https://huggingface.co/oauth/userinfo",
        "jwks_uri": "https://huggingface.co/oauth/jwks",
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "client_id_metadata_supported": true,
        "grant_types_supported": ["authorization_code", "refresh_token"],
    });
    let hub = resolved(&hugging_face("id", "s"), &document);
    assert_eq!(hub.token_endpoint_auth, TokenEndpointAuth::Basic);
    assert_eq!(hub.endpoints.revocation, None);
    assert!(hub.upstream_scopes.is_empty());
}

#[test]
fn gitlab_says_where_everything_is() {
    let document = json!({
        "issuer": "https://gitlab.com",
        "authorization_endpoint": "https://gitlab.com/oauth/authorize",
        "token_endpoint": "https://gitlab.com/oauth/token",
        "revocation_endpoint": "https://gitlab.com/oauth/revoke",
        "introspection_endpoint": "https://gitlab.com/oauth/introspect",
        "userinfo_endpoint": "https://gitlab.com/oauth/userinfo",
        "jwks_uri": "https://gitlab.com/oauth/discovery/keys",
        "scopes_supported": ["api", "read_api", "read_user", "mcp", "openid", "profile", "email", "user:*"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["plain", "S256"],
    });
    let gitlab = resolved(&gitlab("gitlab.com", "id", "s"), &document);
    assert_eq!(
        gitlab.endpoints.revocation.as_deref(),
        Some("https://gitlab.com/oauth/revoke")
    );
    assert!(
        gitlab.upstream_scopes.is_empty(),
        "it refuses scopes that it does not know"
    );
}

#[test]
fn an_okta_org_has_its_endpoints_below_oauth2() {
    let org = "https://dev-84941762.okta.com";
    let at = |path: &str| format!("{org}/oauth2/v1/{path}");
    let document = json!({
        "issuer": org,
        "authorization_endpoint": at("authorize"), "token_endpoint": at("token"),
        "userinfo_endpoint": at("userinfo"), "registration_endpoint": at("clients/0oa5km1v306LXN57y5d7"),
        "jwks_uri": at("keys?client_id=0oa5km1v306LXN57y5d7"),
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile", "address", "phone", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    });
    let okta = resolved(&okta(org, "id", "s"), &document);
    assert_eq!(okta.endpoints.token.as_deref(), Some(&*at("token")));
    assert_eq!(okta.upstream_scopes, ["offline_access"]);
}

#[test]
fn auth0s_document_has_the_slash_and_its_post_stays() {
    let at = |path: &str| format!("https://acme.auth0.com/{path}");
    let document = json!({
        "issuer": at(""), "authorization_endpoint": at("authorize"), "token_endpoint": at("oauth/token"),
        "userinfo_endpoint": at("userinfo"), "jwks_uri": at(".well-known/jwks.json"),
        "registration_endpoint": at("oidc/register"), "revocation_endpoint": at("oauth/revoke"),
        "scopes_supported": ["openid", "profile", "offline_access", "name", "email"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "id_token_signing_alg_values_supported": ["HS256", "RS256", "PS256"],
    });
    let auth0 = resolved(&auth0("acme.auth0.com", "id", "s"), &document);
    assert_eq!(auth0.token_endpoint_auth, TokenEndpointAuth::Post);
    // One without the slash is another issuer.
    let mut bare = document;
    bare["issuer"] = "https://acme.auth0.com".into();
    let metadata = Metadata::parse(bare.to_string().as_bytes()).unwrap();
    let discovery = auth0.discovery.as_ref().unwrap();
    assert!(filled(&auth0, discovery, &metadata).is_err());
}

#[test]
fn a_realm_and_an_application_are_below_their_server() {
    let realm = "https://sso.example/realms/staff";
    let at = |path: &str| format!("{realm}/protocol/openid-connect/{path}");
    let document = json!({
        "issuer": realm, "authorization_endpoint": at("auth"), "token_endpoint": at("token"),
        "introspection_endpoint": at("token/introspect"), "userinfo_endpoint": at("userinfo"),
        "jwks_uri": at("certs"), "revocation_endpoint": at("revoke"),
        "id_token_signing_alg_values_supported": ["PS384", "RS384", "EdDSA", "ES384", "HS256", "RS256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic",
            "client_secret_post", "tls_client_auth", "client_secret_jwt"],
        "scopes_supported": ["openid", "basic", "offline_access", "email", "profile", "roles"],
        "authorization_response_iss_parameter_supported": true,
    });
    let keycloak = resolved(
        &keycloak("https://sso.example", "staff", "mcp", "s"),
        &document,
    );
    assert_eq!(keycloak.token_endpoint_auth, TokenEndpointAuth::Basic);
    assert!(keycloak.names_issuer);

    let server = "https://auth.example/application/o";
    let document = json!({
        "issuer": format!("{server}/mcp/"), "authorization_endpoint": format!("{server}/authorize/"),
        "token_endpoint": format!("{server}/token/"), "userinfo_endpoint": format!("{server}/userinfo/"),
        "introspection_endpoint": format!("{server}/introspect/"), "revocation_endpoint": format!("{server}/revoke/"),
        "jwks_uri": format!("{server}/mcp/jwks/"),
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "scopes_supported": ["openid", "email", "profile", "offline_access"],
    });
    let authentik = resolved(
        &authentik("https://auth.example", "mcp", "id", "s"),
        &document,
    );
    assert_eq!(
        authentik.endpoints.authorize.as_deref(),
        Some("https://auth.example/application/o/authorize/")
    );
}

#[test]
fn a_user_pool_names_its_domain_and_the_operator_may_name_another() {
    let pool = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI";
    let at = |path: &str| format!("https://acme.auth.eu-west-1.amazoncognito.com/oauth2/{path}");
    let document = json!({
        "issuer": pool, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"),
        "userinfo_endpoint": at("userInfo"), "revocation_endpoint": at("revoke"),
        "jwks_uri": format!("{pool}/.well-known/jwks.json"),
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    });
    let stated = cognito("eu-west-1_AbCdEfGhI", "id", "s");
    let cognito = resolved(&stated, &document);
    assert_eq!(cognito.endpoints.token.as_deref(), Some(&*at("token")));
    assert!(cognito.upstream_scopes.is_empty());

    let moved = resolved(&stated.authority("https://login.acme.example"), &document);
    assert_eq!(
        moved.endpoints.token.as_deref(),
        Some("https://login.acme.example/oauth2/token")
    );
    let keys = format!("{pool}/.well-known/jwks.json");
    assert_eq!(moved.endpoints.jwks.as_deref(), Some(&*keys));
}

/// Those that state their URLs state what the provider's document says.
#[test]
fn what_is_stated_is_what_the_document_says() {
    let salesforce = salesforce("id", "s");
    let at = |path: &str| Some(format!("https://login.salesforce.com/{path}"));
    assert_eq!(salesforce.endpoints.jwks, at("id/keys"));
    assert_eq!(
        salesforce.endpoints.introspection,
        at("services/oauth2/introspect")
    );
    assert_eq!(
        salesforce.endpoints.revocation,
        at("services/oauth2/revoke")
    );
    let slack = slack("id", "s");
    let stated = (
        slack.endpoints.authorize.as_deref(),
        slack.endpoints.jwks.as_deref(),
    );
    let expected = (
        Some("https://slack.com/openid/connect/authorize"),
        Some("https://slack.com/openid/connect/keys"),
    );
    assert_eq!(stated, expected);
    let linkedin = linkedin("id", "s");
    assert_eq!(
        linkedin.endpoints.jwks.as_deref(),
        Some("https://www.linkedin.com/oauth/openid/jwks")
    );
}
