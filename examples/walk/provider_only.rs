//! The example's identity provider alone, for a service of one's own on this machine.

use std::io;

use tokio::net::TcpListener;

use crate::support::{
    idp::{IdentityProvider, app::App, people::PEOPLE},
    serve::Stop,
};

/// Where it listens unless `--port` says otherwise.
pub(crate) const PORT: u16 = 8081;

/// Serves until a stop signal. The credentials are the same at each start.
pub(crate) async fn run(port: u16, stop: Stop) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.map_err(|error| {
        let why = format!("port {port}: {error}; name another one, as in --port 0 for any");
        io::Error::new(error.kind(), why)
    })?;
    IdentityProvider::serve(listener, App::to_try_out(), stop, |provider| {
        println!("{}", words(provider));
    })
    .await
}

/// How to use it.
fn words(provider: &IdentityProvider) -> String {
    let IdentityProvider { issuer, app } = provider;
    let App { id, secret, .. } = app;
    let people = PEOPLE.iter().map(|person| {
        let (name, id, roles) = (person.name, person.id, person.roles.join(", "));
        format!("{name} ({id}@example.com; roles: {roles})")
    });
    let people: Vec<_> = people.collect();
    let people = people.join("\n                   ");
    format!(
        "An identity provider for services on this machine:

    issuer         {issuer}
    client id      {id}
    client secret  {secret}
    callback       any on 127.0.0.1, localhost or [::1]
    people         {people}

In your service:

    let provider = provider::oidc(\"{issuer}\", \"{id}\", \"{secret}\");
    let config = OAuthProxyConfig::builder(provider, \"http://127.0.0.1:3000\").build()?;

Or try it with a service that is here already, in another terminal:

    LISTEN=127.0.0.1:3000 BASE_URL=http://127.0.0.1:3000 UPSTREAM_ISSUER={issuer} \\
    UPSTREAM_CLIENT_ID={id} UPSTREAM_CLIENT_SECRET={secret} \\
    SCOPES=\"openid profile email\" cargo run --example custom_provider

It believes anyone who presses a button, and everybody knows this secret: never use it for people who
are not you. Ctrl-C ends it."
    )
}
