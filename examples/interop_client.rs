//! rmcp's own OAuth client against any MCP server: `interop_client MCP_URL`.
//!
//! Registers itself, prints `AUTHORIZE <url>` for a person with a browser, reads the final redirect
//! URL from standard input and calls the tool `whoami` (`OK call`). Then it waits until the access
//! token has expired, `EXPIRE_AFTER` seconds (unset: `ACCESS_TOKEN_TTL` and one more), and calls
//! again, by then with a refreshed token (`OK refresh`, `OK second call`).
//!
//! `interop_client MCP_URL --calls` logs in for what the server asks of every request, and then says
//! `READY` and reads lines: for `CALL <tool>` it prints `ANSWER <text>` or `ERROR <words>`. Where the tool
//! needs more scopes it prints `AUTHORIZE <url>` once more, reads the redirect URL, and repeats the call.
//!
//! With `CLIENT_ID` there is no browser: it is a machine, by `CLIENT_SECRET` or by `CLIENT_KEY_FILE`
//! (ES256, PEM). With `ENTERPRISE_ISSUER` besides, it acts for the person of `ENTERPRISE_ID_TOKEN`, by
//! an assertion that this identity provider gives for it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

use std::{error::Error, io::Write, process::ExitCode, time::Duration};

use oauth2::ClientSecret;
use rmcp::{
    ServiceExt,
    model::CallToolRequestParams,
    service::{RoleClient, RunningService, ServiceError},
    transport::{
        AuthClient, AuthorizationRequest, ClientCredentialsConfig, JwtSigningAlgorithm,
        StreamableHttpClientTransport,
        auth::{
            AuthorizationCallback, OAuthState, default_oauth_http_client,
            enterprise::{EmaAuthorizationServer, EmaClientAuthentication, EmaExchangeRequest},
        },
        streamable_http_client::{InsufficientScopeError, StreamableHttpClientTransportConfig},
    },
};

/// Where the person is sent back to. No server listens there: the URL arrives on standard input.
const CALLBACK: &str = "http://127.0.0.1:8976/callback";

#[tokio::main]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: interop_client MCP_URL");
        return ExitCode::from(2);
    };
    let result = match std::env::args().nth(2).as_deref() {
        Some("--calls") => run_calls(&url).await,
        _ => run(&url).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("FAILED {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(url: &str) -> Result<(), Box<dyn Error>> {
    if let Ok(id) = std::env::var("CLIENT_ID") {
        return run_without_browser(url, id).await;
    }
    let client = log_in(url).await?;
    let before = client.get_access_token().await?;

    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let transport = StreamableHttpClientTransport::with_client(client.clone(), config);
    let service = ().serve(transport).await?;
    println!("{}", whoami(&service).await?);
    println!("OK call");

    if let Some(seconds) = expire_after()? {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let who = whoami(&service).await?;
        if client.get_access_token().await? == before {
            return Err("the access token is still the old one".into());
        }
        println!("OK refresh\n{who}\nOK second call");
    }
    service.cancel().await?;
    Ok(())
}

/// Calls what it is told, and asks the person for more where a tool needs it.
async fn run_calls(url: &str) -> Result<(), Box<dyn Error>> {
    let config = || StreamableHttpClientTransportConfig::with_uri(url);
    // What a real request is told is what the first login asks for.
    let refused = ().serve(StreamableHttpClientTransport::from_config(config()));
    let Err(refused) = refused.await else {
        return Err("the server let us in without a token".into());
    };
    let challenge = refused.auth_challenge().ok_or("no challenge")?;
    let mut state = OAuthState::new(url, None).await?;
    let request = AuthorizationRequest::new(CALLBACK)
        .with_client_name("rmcp interop client")
        // Without this it asks for all that the server's metadata names, too.
        .with_initial_scope_selection()
        .with_challenge(challenge);
    state.start_authorization(request).await?;
    let callback = ask_the_person(&state.get_authorization_url().await?)?;
    state.handle_callback_url(&callback).await?;
    let manager = state.into_authorization_manager();
    let manager = manager.ok_or("not authorized after the callback")?;
    let client = AuthClient::new(reqwest::Client::default(), manager);
    let transport = StreamableHttpClientTransport::with_client(client.clone(), config());
    let service = ().serve(transport).await?;
    println!("READY");
    while let Some(line) = next_line()? {
        let tool = line.strip_prefix("CALL ").ok_or("not a call")?;
        match call_with_more(&service, &client, tool).await {
            Ok(text) => println!("ANSWER {text}"),
            Err(error) => println!("ERROR {error}"),
        }
    }
    service.cancel().await?;
    Ok(())
}

/// Once more with more scopes, where the server says that this is what is missing.
async fn call_with_more(
    service: &RunningService<RoleClient, ()>,
    client: &AuthClient<reqwest::Client>,
    tool: &str,
) -> Result<String, Box<dyn Error>> {
    let error = match call(service, tool).await {
        Err(error) => error,
        Ok(text) => return Ok(text),
    };
    let needed = error.downcast_ref().and_then(missing_scope);
    let needed = needed.ok_or(error)?;
    let manager = client.auth_manager.lock().await;
    let callback = ask_the_person(&manager.request_scope_upgrade(&needed).await?)?;
    let back = AuthorizationCallback::from_redirect_url(&callback)?;
    let issuer = back.issuer.as_deref();
    let token = manager.exchange_code_for_token_with_issuer(&back.code, &back.csrf_token, issuer);
    token.await?;
    drop(manager);
    call(service, tool).await
}

/// The scopes that the server's 403 named.
fn missing_scope(error: &ServiceError) -> Option<String> {
    let ServiceError::TransportSend(error) = error else {
        return None;
    };
    let mut source: Option<&(dyn Error + 'static)> = Some(error.error.as_ref());
    while let Some(error) = source {
        if let Some(insufficient) = error.downcast_ref::<InsufficientScopeError>() {
            return insufficient.required_scope.clone();
        }
        source = error.source();
    }
    None
}

fn ask_the_person(url: &str) -> Result<String, Box<dyn Error>> {
    println!("AUTHORIZE {url}");
    std::io::stdout().flush()?;
    Ok(next_line()?.ok_or("the person did not come back")?)
}

/// `None` when there are no more.
fn next_line() -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}

async fn run_without_browser(url: &str, id: String) -> Result<(), Box<dyn Error>> {
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let service = if let Ok(issuer) = std::env::var("ENTERPRISE_ISSUER") {
        let token = for_a_person(url, &id, &issuer).await?;
        let config = config.auth_header(token);
        ().serve(StreamableHttpClientTransport::from_config(config))
            .await?
    } else {
        let client = as_machine(url, id).await?;
        ().serve(StreamableHttpClientTransport::with_client(client, config))
            .await?
    };
    println!("{}\nOK call", whoami(&service).await?);
    service.cancel().await?;
    Ok(())
}

async fn as_machine(
    url: &str,
    client_id: String,
) -> Result<AuthClient<reqwest::Client>, Box<dyn Error>> {
    let (scopes, resource) = (Vec::new(), Some(url.to_owned()));
    let config = match std::env::var("CLIENT_KEY_FILE") {
        Ok(file) => ClientCredentialsConfig::PrivateKeyJwt {
            client_id,
            signing_key: std::fs::read(file)?,
            signing_algorithm: JwtSigningAlgorithm::ES256,
            token_endpoint_audience: None,
            scopes,
            resource,
        },
        Err(_) => ClientCredentialsConfig::ClientSecret {
            client_id,
            client_secret: std::env::var("CLIENT_SECRET")?,
            scopes,
            resource,
        },
    };
    let mut state = OAuthState::new(url, None).await?;
    state.authenticate_client_credentials(config).await?;
    let manager = state
        .into_authorization_manager()
        .ok_or("not authorized by client credentials")?;
    Ok(AuthClient::new(reqwest::Client::default(), manager))
}

/// The identity provider gives an assertion for the person, and the server of `BASE_URL` a token for that.
async fn for_a_person(url: &str, id: &str, issuer: &str) -> Result<String, Box<dyn Error>> {
    let here = std::env::var("BASE_URL")?;
    let secret = std::env::var("CLIENT_SECRET")?;
    let known = |issuer: &str, token_endpoint: String| {
        EmaAuthorizationServer::new(issuer, token_endpoint, id).with_client_authentication(
            EmaClientAuthentication::ClientSecretPost(ClientSecret::new(secret.clone())),
        )
    };
    let company = known(issuer, format!("{issuer}/token"));
    let server = known(&here, format!("{here}/oauth/token"));
    let id_token = std::env::var("ENTERPRISE_ID_TOKEN")?;
    let http = default_oauth_http_client()?;
    // It takes no token that may do more than the assertion says.
    let token = EmaExchangeRequest::new_with_id_token(company, server, url, &id_token)
        .with_scopes(["openid", "email"])
        .exchange(&http, &http)
        .await?;
    Ok(token.access_token.secret().clone())
}

fn expire_after() -> Result<Option<u64>, Box<dyn Error>> {
    let set = |name| match std::env::var(name) {
        Ok(seconds) => seconds.parse().map(Some),
        Err(_) => Ok(None),
    };
    match set("EXPIRE_AFTER")? {
        Some(seconds) => Ok(Some(seconds)),
        None => Ok(set("ACCESS_TOKEN_TTL")?.map(|ttl: u64| ttl + 1)),
    }
}

async fn log_in(url: &str) -> Result<AuthClient<reqwest::Client>, Box<dyn Error>> {
    let mut state = OAuthState::new(url, None).await?;
    let request = AuthorizationRequest::new(CALLBACK).with_client_name("rmcp interop client");
    state.start_authorization(request).await?;
    let callback = ask_the_person(&state.get_authorization_url().await?)?;
    state.handle_callback_url(&callback).await?;
    let manager = state
        .into_authorization_manager()
        .ok_or("not authorized after the callback")?;
    Ok(AuthClient::new(reqwest::Client::default(), manager))
}

async fn whoami(service: &RunningService<RoleClient, ()>) -> Result<String, Box<dyn Error>> {
    call(service, "whoami").await
}

async fn call(
    service: &RunningService<RoleClient, ()>,
    tool: &str,
) -> Result<String, Box<dyn Error>> {
    let answer = service
        .call_tool(CallToolRequestParams::new(tool.to_owned()))
        .await?;
    let text = answer.content.first().and_then(|block| block.as_text());
    Ok(text.ok_or("the tool did not answer in text")?.text.clone())
}
