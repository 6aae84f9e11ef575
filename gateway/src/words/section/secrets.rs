//! `[keys]`: the secrets, and the keys that others verify tokens by.

use tower_oauth_proxy::{OAuthProxyConfigBuilder, SecretKey, TokenKey};

use crate::words::{
    key::{Key, Kind, key, sets},
    refusal::{Refusal, words_of},
    table::Table,
};

/// The keys of `[keys]`.
pub(crate) const KEYS: &[Key] = &[
    sets(
        &["secret_key"],
        key(
            "secret",
            Kind::Secret,
            "from the provider's client secret",
            "\"3q2-8ZcN0yF7wTtXvJmK1bR5uHsLgPdEaYi9oQx4nMk\"",
            "32 characters or more of `openssl rand -base64 32`, or a passphrase of 12; the same on each instance",
        ),
    ),
    sets(
        &["previous_secret_keys"],
        key(
            "previous_secrets",
            Kind::Secrets,
            "none",
            "[\"J9dWq0Z4mK2sT8xVbN6cR1yHgL5uPfEoAiX3vQ7tYkS\"]",
            "secrets that were used before; they still open and verify",
        ),
    ),
    sets(
        &["jwt_signing_key"],
        key(
            "jwt_signing_key",
            Kind::Secret,
            "derived from `secret`",
            "\"w8Rk2Zt5Xc7Vb9Nm1Qa3Sd4Fg6Hj8Kl0Po2Iu4Yt6Re\"",
            "a key of their own for access tokens",
        ),
    ),
    sets(
        &["previous_jwt_signing_keys"],
        key(
            "previous_jwt_signing_keys",
            Kind::Secrets,
            "none",
            "[\"h5Gt7Yb9Nj1Mk3Lo5Pq7Rs9Tu1Vw3Xy5Za7Bc9De1Fg\"]",
            "they still verify access tokens",
        ),
    ),
    sets(
        &["encryption_key"],
        key(
            "encryption_key",
            Kind::Secret,
            "derived from `secret`",
            "\"p2Ls4Dk6Fj8Gh0Ax3Cv5Bn7Mq9We1Rt4Yu6Io8Zx2Cq\"",
            "a key of its own for the store",
        ),
    ),
    sets(
        &["previous_encryption_keys"],
        key(
            "previous_encryption_keys",
            Kind::Secrets,
            "none",
            "[\"t6Re8Wq0As2Df4Gh6Jk8Zx0Cv2Bn4Mq6Lp8Oi0Uy3Tx\"]",
            "they still open records",
        ),
    ),
    sets(
        &["token_key"],
        key(
            "token_key_file",
            Kind::File,
            "HS256, with the secret",
            "\"token-key.pem\"",
            "a private key (PEM: P-256, Ed25519, RSA) that signs access tokens; others verify them by `{base_url}/oauth/jwks`",
        ),
    ),
    sets(
        &["published_token_keys"],
        key(
            "published_token_key_files",
            Kind::Files,
            "none",
            "[\"next-token-key.pem\"]",
            "keys that verify and are published: the next one, the last one",
        ),
    ),
    sets(
        &["accept_hs256_tokens"],
        key(
            "accept_hs256_tokens",
            Kind::Switch,
            "`true`",
            "true",
            "whether tokens of the secret are good beside `token_key_file`",
        ),
    ),
];

/// Sets the keys, and returns the secrets as they were said, the current one first: the identity's key comes from
/// them.
pub(crate) fn apply(
    said: Table<'_>,
    base_url: &str,
    mut builder: OAuthProxyConfigBuilder,
) -> Result<(OAuthProxyConfigBuilder, Vec<String>), Refusal> {
    let secret = |name: &str, text: &str| secret_key(said, name, text, base_url);
    let mut secrets = Vec::new();
    if let Some(text) = said.secret("secret")? {
        builder = builder.secret_key(secret("secret", &text)?);
        secrets.push(text);
    }
    for text in said.secrets("previous_secrets")? {
        builder = builder.previous_secret_keys([secret("previous_secrets", &text)?]);
        secrets.push(text);
    }
    if let Some(text) = said.secret("jwt_signing_key")? {
        builder = builder.jwt_signing_key(secret("jwt_signing_key", &text)?);
    }
    let name = "previous_jwt_signing_keys";
    for text in said.secrets(name)? {
        builder = builder.previous_jwt_signing_keys([secret(name, &text)?]);
    }
    if let Some(text) = said.secret("encryption_key")? {
        builder = builder.encryption_key(secret("encryption_key", &text)?);
    }
    let name = "previous_encryption_keys";
    for text in said.secrets(name)? {
        builder = builder.previous_encryption_keys([secret(name, &text)?]);
    }
    let name = "token_key_file";
    if let Some(file) = said.file(name)? {
        let refused = |error| said.refuse(name, format!("{}: {error}", file.path.display()));
        builder = builder.token_key(TokenKey::from_pem(&file.text).map_err(refused)?);
    }
    let name = "published_token_key_files";
    for file in said.files(name)? {
        let refused = |error| said.refuse(name, format!("{}: {error}", file.path.display()));
        let key = TokenKey::from_pem(&file.text).map_err(refused)?;
        builder = builder.published_token_keys([key]);
    }
    if let Some(on) = said.switch("accept_hs256_tokens")? {
        builder = builder.accept_hs256_tokens(on);
    }
    Ok((builder, secrets))
}

/// Long secrets are taken as they are; shorter ones are stretched as passphrases.
fn secret_key(
    said: Table<'_>,
    name: &str,
    text: &str,
    base_url: &str,
) -> Result<SecretKey, Refusal> {
    let key = match text.len() {
        32.. => SecretKey::from_bytes(text),
        _ => SecretKey::from_passphrase(text, base_url),
    };
    key.map_err(|error| said.refuse(name, words_of(&error)))
}
