//! GitHub and GitHub Enterprise Server.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::{
    limits::MAX_PERSON_TEXT,
    provider::{
        audience_proof::{Ask, AudienceProof, Issued},
        dialect::{
            Dialect, Document, Home, IdentityApi, Memberships, Names, Organizations, Revocation,
            Verb, Vouches,
        },
        endpoints::Endpoints,
        identity::{Identity, short_text},
        prompt::Prompts,
        provider::{Provider, TokenEndpointAuth},
        upstream_error::{Finality, UpstreamError},
    },
};

/// GitHub accounts, through an OAuth App.
///
/// Create an OAuth App at <https://github.com/settings/developers> with the authorization callback
/// URL `{base_url}/oauth/callback`. For GitHub Enterprise Server add
/// `.authority("https://github.example.com")`; for GHE.com also
/// `.userinfo_url("https://api.{subdomain}.ghe.com/user")`. For a GitHub App there is
/// [`github_app`](super::github_app).
///
/// | | |
/// |---|---|
/// | scopes unless set | `read:user user:email` |
/// | the person | the account's numeric id, which stays when the login name changes hands; it is the claim `sub`. The login name is the claim `login` |
/// | the address | the primary one that GitHub verified, with scope `user:email` or `user` |
/// | refresh | with the app's token expiration on (new apps have it), or with `.upstream_scopes(["offline_access"])`: a token lives for 8 hours, its refresh token for 6 months, and works once. Else a token has no end and no refresh token |
/// | revocation | the access token; the person's approval of the app stays |
///
/// GitHub keeps ten tokens for each person, app and set of scopes. One more, by one more login, ends the
/// oldest without a word, so a person with many clients is asked to log in again by the one that was used
/// longest ago.
///
/// Anyone can open an account, so say who may log in. `.allowed_organizations(["acme", "acme/platform"])` lets
/// members of an organization or a team in. It asks for the scope `read:org` by itself; an organization that
/// restricts apps has to approve this one. Enterprise Server up to 3.21 ignores PKCE.
///
/// ```
/// use tower_oauth_proxy::provider;
///
/// let github = provider::github("client-id", "client-secret")
///     .upstream_scopes(["offline_access"]);
/// assert!(github.check().is_ok());
/// ```
#[must_use]
pub fn github(client_id: impl Into<String>, client_secret: impl Into<String>) -> Provider {
    let client_id = client_id.into();
    let home = at("https://github.com", &client_id);
    Provider::new(
        "github",
        "GitHub",
        home.endpoints,
        home.dialect,
        client_id,
        client_secret,
    )
    .token_endpoint_auth_method(TokenEndpointAuth::Post)
    .scopes(["read:user", "user:email"])
}

/// An Enterprise Server has its API at `/api/v3`.
fn at(web: &str, client_id: &str) -> Home {
    let is_public = web == "https://github.com";
    let api = match is_public {
        true => "https://api.github.com".to_owned(),
        false => format!("{web}/api/v3"),
    };
    // Percent-encoded because the operator's client id lands in a path.
    let in_path: String = url::form_urlencoded::byte_serialize(client_id.as_bytes()).collect();
    let of_token = format!("{api}/applications/{in_path}/token");
    Home {
        endpoints: Endpoints {
            revocation: Some(of_token.clone()),
            userinfo: Some(format!("{api}/user")),
            ..Endpoints::new(
                format!("{web}/login/oauth/authorize"),
                format!("{web}/login/oauth/access_token"),
            )
        },
        issuer: None,
        dialect: Arc::new(GitHub {
            client_id: client_id.to_owned(),
            of_token,
            is_public,
        }),
    }
}

#[derive(Debug)]
struct GitHub {
    client_id: String,
    /// Where the app asks about one of its tokens.
    of_token: String,
    /// github.com, as opposed to a server of one's own.
    is_public: bool,
}

/// The second document needs the scope `user:email`; without it the address is unknown.
const API: IdentityApi = IdentityApi {
    documents: &[
        Document {
            path: "",
            is_needed: true,
        },
        Document {
            path: "/emails",
            is_needed: false,
        },
    ],
    read: person,
};

impl Dialect for GitHub {
    fn finality(&self, code: &str) -> Option<Finality> {
        finality(code)
    }

    fn identity(&self) -> Option<IdentityApi> {
        Some(API)
    }

    /// `POST /applications/{client_id}/token`; 404 and 422 as for a revocation.
    fn audience_proof(&self) -> Option<AudienceProof> {
        Some(AudienceProof {
            url: self.of_token.clone(),
            ask: Ask::ByApp("access_token"),
            unknown: &[404, 422],
            names_person: false,
            read: issued,
        })
    }

    /// `DELETE /applications/{client_id}/token` ends this token, not the person's approval of the
    /// app. It takes access tokens only; 404 and 422 are its words for one that it does not know.
    fn revoke(&self, token: &str, hint: &str) -> Revocation {
        if hint != "access_token" {
            return Revocation::Impossible;
        }
        Revocation::ByApp {
            verb: Verb::Delete,
            json: json!({ "access_token": token }),
            unknown: &[404, 422],
        }
    }

    fn scopes_within(&self, scope: &str) -> &'static [&'static str] {
        scopes_within(scope)
    }

    fn prompts(&self) -> Prompts {
        Prompts::List(&["select_account"])
    }

    fn vouches(&self) -> Vouches {
        Vouches::ByScope(&["user:email", "user"])
    }

    fn organizations(&self) -> Option<Organizations> {
        Some(organizations(Some("read:org")))
    }

    fn names(&self, claim: &str) -> Names {
        names(claim)
    }

    fn relocate(&self, host: &str) -> Option<Home> {
        Some(at(host, &self.client_id))
    }

    fn is_open_to_all(&self) -> bool {
        self.is_public
    }
}

/// `GET /user/memberships/orgs/{org}` and `GET /orgs/{org}/teams/{team}/memberships/{login}`: "Team members
/// will include the members of child teams." 404 says no, and 403 that the organization shuts the app out, or
/// wants its own sign-on first.
pub(super) fn organizations(scope: Option<&'static str>) -> Organizations {
    Organizations {
        claim: "organizations",
        entry: organization,
        memberships: Some(Memberships {
            scope,
            url: membership_url,
            is_member: |answer| answer.get("state").and_then(Value::as_str) == Some("active"),
        }),
    }
}

/// `acme`, or a team of it, `acme/platform`. GitHub does not tell capitals apart in either.
fn organization(entry: &str) -> Result<String, &'static str> {
    let mut names = entry.splitn(2, '/');
    match names.all(is_name) {
        true => Ok(entry.to_ascii_lowercase()),
        false => Err("is neither an organization, `acme`, nor a team, `acme/platform`"),
    }
}

/// Letters, digits, and what stands between them: nothing that could leave its path segment.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=100).contains(&name.len()) && name.bytes().all(is_plain)
}

fn membership_url(user: &str, entry: &str, person: &Map<String, Value>) -> Option<String> {
    let Some((organization, team)) = entry.split_once('/') else {
        return Some(format!("{user}/memberships/orgs/{entry}"));
    };
    let api = user.strip_suffix("/user")?;
    let login = person
        .get("login")?
        .as_str()
        .filter(|login| is_name(login))?;
    Some(format!(
        "{api}/orgs/{organization}/teams/{team}/memberships/{login}"
    ))
}

/// What [`person`] makes claims of, and nothing else.
pub(super) fn names(claim: &str) -> Names {
    match claim {
        "sub" | "email" | "email_verified" => Names::Perhaps,
        claim if CLAIMS.contains(&claim) => Names::Perhaps,
        _ => Names::Never("`Provider::allowed_organizations` for organizations and teams"),
    }
}

/// `expires_at` is a date in words of ISO 8601; the token is asked about again before that.
pub(super) fn issued(fields: &Map<String, Value>) -> Issued {
    let app = fields
        .get("app")
        .and_then(|app| app.get("client_id")?.as_str());
    let scopes = fields.get("scopes").and_then(Value::as_array);
    let scopes = scopes.into_iter().flatten().filter_map(Value::as_str);
    Issued {
        app: app.map(str::to_owned),
        scopes: scopes.map(str::to_owned).collect(),
        ..Issued::default()
    }
}

pub(super) fn finality(code: &str) -> Option<Finality> {
    match code {
        "bad_verification_code" | "bad_refresh_token" => Some(Finality::Ends),
        "incorrect_client_credentials" => Some(Finality::Trouble),
        _ => None,
    }
}

/// What a scope includes. GitHub leaves the included ones out of its answers: a client that asked
/// for `repo public_repo` reads `repo`.
fn scopes_within(scope: &str) -> &'static [&'static str] {
    match scope {
        "repo" => &[
            "repo:status",
            "repo_deployment",
            "public_repo",
            "repo:invite",
            "security_events",
        ],
        "user" => &["read:user", "user:email", "user:follow"],
        "admin:org" => &["write:org", "read:org"],
        "write:org" => &["read:org"],
        "admin:public_key" => &["write:public_key", "read:public_key"],
        "write:public_key" => &["read:public_key"],
        "admin:repo_hook" => &["write:repo_hook", "read:repo_hook"],
        "write:repo_hook" => &["read:repo_hook"],
        "admin:gpg_key" => &["write:gpg_key", "read:gpg_key"],
        "write:gpg_key" => &["read:gpg_key"],
        "admin:ssh_signing_key" => &["write:ssh_signing_key", "read:ssh_signing_key"],
        "write:ssh_signing_key" => &["read:ssh_signing_key"],
        "admin:enterprise" => &[
            "manage_runners:enterprise",
            "manage_billing:enterprise",
            "read:enterprise",
        ],
        "write:packages" => &["read:packages"],
        "project" => &["read:project"],
        "write:discussion" => &["read:discussion"],
        _ => &[],
    }
}

/// What is kept of the user document: it has thirty members, mostly URLs of the API.
const CLAIMS: &[&str] = &[
    "id",
    "login",
    "name",
    "avatar_url",
    "html_url",
    "company",
    "location",
];

/// The documents are those of [`API`], in its order.
fn person(documents: &[Value]) -> Result<Identity, UpstreamError> {
    let [Value::Object(user), emails] = documents else {
        return Err(UpstreamError::Malformed(
            "the document is not an object".to_owned(),
        ));
    };
    // The login name can be given up and taken by another person: the number cannot.
    let id = user.get("id").and_then(Value::as_u64).ok_or_else(|| {
        UpstreamError::Malformed("GitHub's user document has no numeric `id`".to_owned())
    })?;
    let primary = emails.as_array().into_iter().flatten().find_map(|entry| {
        let flag = |name| entry.get(name) == Some(&Value::Bool(true));
        let address = entry.get("email")?.as_str()?;
        (flag("primary") && flag("verified") && address.len() <= MAX_PERSON_TEXT).then_some(address)
    });
    let mut claims: Map<String, Value> = CLAIMS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), user.get(*name)?.clone())))
        .collect();
    claims.insert("sub".to_owned(), id.to_string().into());
    if let Some(email) = primary {
        claims.insert("email".to_owned(), email.into());
        claims.insert("email_verified".to_owned(), true.into());
    }
    let mut person = Identity::of_answer(claims)?;
    person.name = person.name.or_else(|| short_text(user, "login"));
    Ok(person)
}

#[cfg(test)]
mod tests;
