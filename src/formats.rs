//! Every format that outlives a process: what a store, a browser or a client hands back later.
//!
//! | format | held by | begins with | written and read in |
//! |---|---|---|---|
//! | grant: postcard | store, sealed | version 1, 2 or 3 | `grant/record.rs`, `grant/record_read.rs` |
//! | what a login saw of its client's document | inside the two | version 1 | `client/seen.rs` |
//! | key of a record: its kind and a hash | store | the kind | `grant/id.rs`, `vault.rs` |
//! | record of a store without encryption | store | 0 | `vault.rs` |
//! | lease of a renewal | store, sealed | version 1 | `grant/renewal/lease_record.rs` |
//! | claim and mark of a callback | store, sealed | version 1 | `login/claim.rs` |
//! | denied client | store, sealed | version 1 | `client/denied.rs` |
//! | used assertion | store, sealed | version 1 | `assertion/used.rs` |
//! | revoked token of a machine | store, sealed | version 1 | `grant/grantless.rs` |
//! | what a probe writes, for a minute | store, sealed | version 1 | `probe/of_store.rs` |
//! | lists of grants: a MAC and ids | store | | `grant/store/index.rs` |
//! | schema of the file | SQLite | `user_version` | `storage/sqlite/file.rs` |
//! | envelope of everything sealed | store, browser, client | version 1, the key's name | `key/seal.rs` |
//! | cookies | browser, sealed | version 1 | `login/cookies/sealing.rs` |
//! | `client_id` | client, signed | version 1; with keys version 2 | `client/kind/signed.rs`, `client/kind/signed/shortened.rs`, `jose/packed_keys.rs` |
//! | API key | program | `topkey_` | `api_key/key_text.rs` |
//! | hash of a key or of a client's secret | configuration | `sha256:` | `api_key/hash_text.rs` |
//! | authorization code | client | version 1 | `grant/code.rs` |
//! | refresh token | client, signed | version 1, the key's name | `grant/refresh_token.rs` |
//! | the same in passthrough mode | client, sealed | version 1 | `token/passed_through.rs` |
//! | access token: a JWT | client, signed | its header, which names the key | `token/jwt.rs`, `token/signer.rs` |
//!
//! The keys are a format too: HKDF with the salt and the labels of `key/mod.rs` and `proxy.rs`.
//!
//! Three rules keep a deployment whole through an update, and through a rollout where two versions
//! share one store:
//!
//! - **A format begins with its version**, or is inside of one that does. An unknown version is
//!   absent, never guessed at: a grant is then logged in again, with an event that says why.
//! - **Samples of each version stand in the tests** beside the code. They are never changed; a new
//!   version adds its own.
//! - **A new version is read one release before it is written**, because an old instance of a rollout
//!   reads what a new one wrote.

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_file_of_the_table_exists() {
        let table = include_str!("formats.rs").lines();
        let names = table.filter(|line| line.starts_with("//! |"));
        let names = names.flat_map(|line| line.split('`'));
        let files: Vec<&str> = names.filter(|name| name.ends_with(".rs")).collect();
        assert!(files.len() > 10, "{files:?}");
        for file in files {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
            assert!(path.exists(), "{file} has moved: name its new place");
        }
    }
}
