//! The callbacks of clients that many people use, so that operators need not look them up.

/// A well-known MCP client whose callback is not only on the person's own computer.
///
/// Clients that listen on loopback alone (Claude Code, mcp-remote, Inspector …) need no mention:
/// [`RedirectPolicy::loopback`](super::RedirectPolicy::loopback) permits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KnownClient {
    /// claude.ai, Claude Desktop and Claude on phones.
    Claude,
    /// ChatGPT connectors and apps.
    ChatGpt,
    /// Cursor, on the desktop and its agents on the web.
    Cursor,
    /// Visual Studio Code, on the desktop and on the web, and its Insiders edition.
    VsCode,
    /// Microsoft Copilot Studio.
    CopilotStudio,
    /// Gemini, with the custom apps of a person's account. Not Gemini CLI, which listens on loopback.
    ///
    /// Its callbacks stand on a host that Google shares with everyone who links accounts with Google, below a
    /// name for each account and server. Where people of one account use it, allow their own URIs instead.
    Gemini,
    /// Gemini Enterprise, with the custom servers that its administrator connects.
    GeminiEnterprise,
    /// Grok's connectors at grok.com.
    Grok,
}

impl KnownClient {
    /// Every client known here.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &[
            Self::Claude,
            Self::ChatGpt,
            Self::Cursor,
            Self::VsCode,
            Self::CopilotStudio,
            Self::Gemini,
            Self::GeminiEnterprise,
            Self::Grok,
        ]
    }

    /// What the client registers, as patterns of the redirect policy. Every URI of a client is here: a
    /// registration is refused when one of its URIs is not permitted.
    pub(super) fn patterns(self) -> &'static [&'static str] {
        match self {
            Self::Claude => &[
                "https://claude.ai/api/mcp/auth_callback",
                "https://claude.com/api/mcp/auth_callback",
            ],
            Self::ChatGpt => &[
                // One for each app, and the older one for all.
                "https://chatgpt.com/connector/oauth/*",
                "https://chatgpt.com/connector_platform_oauth_redirect",
            ],
            Self::Cursor => &[
                "cursor://anysphere.cursor-mcp/oauth/callback",
                "https://www.cursor.com/agents/mcp/oauth/callback",
                "http://localhost:*/callback",
                "http://127.0.0.1:*/callback",
            ],
            Self::VsCode => &[
                "https://vscode.dev/redirect",
                "https://insiders.vscode.dev/redirect",
                "http://127.0.0.1:*/",
                "http://localhost:*/",
            ],
            // One for each tool.
            Self::CopilotStudio => &["https://global.consent.azure-apim.net/redirect/*"],
            // It registers all of them at once.
            Self::Gemini => &[
                "https://oauth-redirect.googleusercontent.com/r/*",
                "https://oauth-redirect.googleusercontent.com/a/*",
                "https://oauth-redirect-test.googleusercontent.com/r/*",
                "https://oauth-redirect-test.googleusercontent.com/a/*",
                "https://oauth-redirect-sandbox.googleusercontent.com/r/*",
                "https://oauth-redirect-sandbox.googleusercontent.com/a/*",
            ],
            Self::GeminiEnterprise => &["https://vertexaisearch.cloud.google.com/oauth-redirect"],
            Self::Grok => &["https://grok.com/connectors-oauth-exchange-code/"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RedirectPolicy, RedirectUri};
    use super::*;

    /// What each client is known to register in one request.
    const REGISTERED: [(KnownClient, &[&str]); 10] = [
        (
            KnownClient::Claude,
            &["https://claude.ai/api/mcp/auth_callback"],
        ),
        (
            KnownClient::Claude,
            &["https://claude.com/api/mcp/auth_callback"],
        ),
        (
            KnownClient::ChatGpt,
            &["https://chatgpt.com/connector/oauth/AbC-1_2"],
        ),
        (
            KnownClient::ChatGpt,
            &["https://chatgpt.com/connector_platform_oauth_redirect"],
        ),
        (
            KnownClient::Cursor,
            &[
                "cursor://anysphere.cursor-mcp/oauth/callback",
                "https://www.cursor.com/agents/mcp/oauth/callback",
                "http://localhost:8787/callback",
            ],
        ),
        (
            KnownClient::VsCode,
            &[
                "https://insiders.vscode.dev/redirect",
                "https://vscode.dev/redirect",
                "http://127.0.0.1/",
                "http://127.0.0.1:33418/",
            ],
        ),
        (
            KnownClient::CopilotStudio,
            &["https://global.consent.azure-apim.net/redirect/cr1a2-5ftool-5f0123456789abcdef"],
        ),
        (
            KnownClient::Gemini,
            &[
                "https://oauth-redirect.googleusercontent.com/r/user_bound_custom-mcp-1-mcp_example",
                "https://oauth-redirect.googleusercontent.com/a/user_bound_custom-mcp-1-mcp_example",
                "https://oauth-redirect-test.googleusercontent.com/r/user_bound_custom-mcp-1-mcp_example",
                "https://oauth-redirect-test.googleusercontent.com/a/user_bound_custom-mcp-1-mcp_example",
                "https://oauth-redirect-sandbox.googleusercontent.com/r/user_bound_custom-mcp-1-mcp_example",
                "https://oauth-redirect-sandbox.googleusercontent.com/a/user_bound_custom-mcp-1-mcp_example",
            ],
        ),
        (
            KnownClient::GeminiEnterprise,
            &["https://vertexaisearch.cloud.google.com/oauth-redirect"],
        ),
        (
            KnownClient::Grok,
            &["https://grok.com/connectors-oauth-exchange-code/"],
        ),
    ];

    #[test]
    fn every_pattern_of_every_known_client_parses() {
        for client in KnownClient::all() {
            for pattern in client.patterns() {
                RedirectPolicy::none().allow(pattern).unwrap();
            }
        }
    }

    #[test]
    fn each_preset_permits_what_its_client_registers_and_no_other_clients_site() {
        for (owner, uris) in REGISTERED {
            for uri in uris {
                let uri = RedirectUri::parse(uri).unwrap();
                for client in KnownClient::all() {
                    let policy = RedirectPolicy::none().allow_client(*client);
                    let expected = *client == owner;
                    if expected || !uri.is_loopback() {
                        assert_eq!(policy.permits(&uri), expected, "{client:?} {uri}");
                    }
                }
                assert_eq!(RedirectPolicy::default().permits(&uri), uri.is_loopback());
            }
        }
    }

    #[test]
    fn a_lookalike_of_a_known_client_is_not_permitted() {
        let all = KnownClient::all()
            .iter()
            .fold(RedirectPolicy::default(), |policy, client| {
                policy.allow_client(*client)
            });
        for uri in [
            "https://claude.ai/api/mcp/auth_callback/",
            "https://claude.ai/api/mcp/auth_callback?x",
            "https://claude.ai.evil.example/api/mcp/auth_callback",
            "https://www.claude.ai/api/mcp/auth_callback",
            "https://chatgpt.com/connector/oauth",
            "https://chatgpt.com/g/evil",
            "cursor://evil/oauth/callback",
            "cursor2://anysphere.cursor-mcp/oauth/callback",
            "https://vscode.dev/redirect/x",
            "https://global.consent.azure-apim.net/redirectx/y",
            "https://oauth-redirect.googleusercontent.com/r",
            "https://oauth-redirect.googleusercontent.com.evil.example/r/x",
            "https://evil.googleusercontent.com/r/x",
            "https://vertexaisearch.cloud.google.com/oauth-redirect/x",
            "https://grok.com/connectors-oauth-exchange-code",
            "https://grok.com/share/x",
        ] {
            assert!(!all.permits(&RedirectUri::parse(uri).unwrap()), "{uri}");
        }
    }
}
