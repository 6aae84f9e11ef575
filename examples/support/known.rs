//! The names of variables, so that a slip in one is told: `ALLOWED_DOMAIN` would let everybody in.

use super::env::Refusal;

/// Every variable that an example reads.
pub(super) const KNOWN: &[&str] = &[
    "ACCESS_TOKEN_AUDIENCES",
    "ACCESS_TOKEN_TTL",
    "ALLOWED_CLAIMS",
    "ALLOWED_DOMAINS",
    "ALLOWED_EMAILS",
    "ALLOWED_GROUPS",
    "ALLOWED_ORGANIZATIONS",
    "ALLOWED_REDIRECT_URIS",
    "API_KEYS_FILE",
    "BASE_URL",
    "CLIENTS_FILE",
    "CONSENT",
    "COOKIE_PREFIX",
    "CORS",
    "GRANTS_PER_PERSON",
    "GRANT_MAX_AGE",
    "GROUP_CLAIMS",
    "IDENTITY_MAX_AGE",
    "LISTEN",
    "MAX_CONNECTIONS",
    "METADATA_DOCUMENTS",
    "PASS_ON",
    "PRIVATE_NETWORKS",
    "PROTECTED_PATH",
    "PROVIDER",
    "PROVIDER_CLIENT_ID",
    "PROVIDER_CLIENT_SECRET",
    "PROVIDER_DOMAIN",
    "PROVIDER_ISSUER",
    "PROVIDER_POLICY",
    "PROVIDER_POOL",
    "PROVIDER_REALM",
    "PROVIDER_SLUG",
    "PROVIDER_TENANT",
    "REFRESH_TOKEN_GRACE",
    "REFRESH_TOKEN_TTL",
    "REGISTRATION",
    "REQUIRED_SCOPES",
    "ROLE_CLAIMS",
    "ROOT_CERTIFICATES_FILE",
    "SCOPES",
    "SCOPES_IMPLY",
    "SECRET_KEY",
    "SECRET_KEY_PREVIOUS",
    "SERVICE_NAME",
    "SESSION_CACHE_TTL",
    "SIGNING_KEY_FILE",
    "STORAGE",
    "TOKEN_SWAP",
    "TOOL_RULES",
    "TRANSACTION_TTL",
    "TRUSTED_ISSUERS",
    "UPSTREAM_AUDIENCE",
    "UPSTREAM_AUTHORIZE_URL",
    "UPSTREAM_CLIENT_ID",
    "UPSTREAM_CLIENT_SECRET",
    "UPSTREAM_FORM_POST",
    "UPSTREAM_INTROSPECTION_URL",
    "UPSTREAM_ISSUER",
    "UPSTREAM_JWKS_URL",
    "UPSTREAM_KEY_FILE",
    "UPSTREAM_REVOCATION_URL",
    "UPSTREAM_TIMEOUT",
    "UPSTREAM_TOKEN_URL",
    "UPSTREAM_USERINFO_URL",
];

/// A process has many variables that are not for this program, so only those are slips that are as good as a
/// known name: one letter of it is another, missing, too many, or two have changed places.
pub(super) fn check<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    for name in names {
        let is_meant = |known: &&&str| is_slip(name, known);
        if !KNOWN.contains(&name)
            && let Some(known) = KNOWN.iter().find(is_meant)
        {
            let why = format!("{name}: no such variable is read here; {known} is");
            return Err(Refusal(why));
        }
    }
    Ok(())
}

/// Short names have neighbours that mean something else.
const LONG_ENOUGH: usize = 6;

fn is_slip(name: &str, known: &str) -> bool {
    let (name, known) = (name.as_bytes(), known.as_bytes());
    if known.len() < LONG_ENOUGH || name.len().abs_diff(known.len()) > 1 {
        return false;
    }
    let same = name
        .iter()
        .zip(known)
        .take_while(|(one, other)| one == other);
    let at = same.count();
    let (name, known) = (
        name.get(at..).unwrap_or_default(),
        known.get(at..).unwrap_or_default(),
    );
    match (name, known) {
        ([a, b, name @ ..], [c, d, known @ ..]) if a == d && b == c && name == known => true,
        ([_, name @ ..], [_, rest @ ..]) if name == rest => true,
        ([_, name @ ..], _) if name == known => true,
        (_, [_, rest @ ..]) if name == rest => true,
        _ => false,
    }
}
