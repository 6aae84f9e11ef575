//! URIs in a `client_id` are written short: a beginning that many clients have is one byte.

/// Beginnings of redirect URIs that one byte stands for, from 1; 0 stands for none. Ids in the field
/// hold these numbers: append, never reorder.
const PREFIXES: [&str; 14] = [
    "http://localhost:",
    "http://localhost/",
    "http://127.0.0.1:",
    "http://127.0.0.1/",
    "http://[::1]:",
    "https://",
    "https://claude.ai/api/mcp/auth_callback",
    "https://claude.com/api/mcp/auth_callback",
    "https://chatgpt.com/connector/oauth/",
    "https://vscode.dev/redirect",
    "https://insiders.vscode.dev/redirect",
    "https://global.consent.azure-apim.net/redirect/",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "https://www.cursor.com/agents/mcp/oauth/callback",
];

/// A redirect URI as the id holds it: the number of a known beginning, and what follows it.
type Shortened<'a> = (u8, &'a str);

/// A URI as it was before it was shortened.
pub(super) fn lengthened((prefix, end): Shortened<'_>) -> Option<String> {
    let prefix = match prefix {
        0 => "",
        n => PREFIXES.get(usize::from(n) - 1)?,
    };
    Some([prefix, end].concat())
}

/// The number of the longest known beginning, and what follows it.
pub(super) fn shorten(uri: &str) -> Shortened<'_> {
    let known = (1_u8..).zip(PREFIXES);
    known
        .filter_map(|(number, prefix)| Some((number, uri.strip_prefix(prefix)?)))
        .min_by_key(|(_, rest)| rest.len())
        .unwrap_or((0, uri))
}
