//! Whether a token that a server vouches for was issued for this service.

use serde_json::{Map, Value};

use crate::oauth::{BaseUrl, Resource};

/// The names by which a token may be for us.
///
/// MCP: "MCP servers MUST validate that access tokens were issued specifically for them as the intended
/// audience, according to RFC 8707 Section 2."
#[derive(Debug, Clone, Default)]
pub(super) struct ForUs {
    /// Beside the URLs of this server, byte for byte.
    pub(super) names: Vec<String>,
    /// Whether whom a token is for is not asked.
    pub(super) is_for_anyone: bool,
}

impl ForUs {
    /// Whether `aud` names us: the base URL, a URL below it, or one of the names.
    pub(super) fn admits(&self, claims: &Map<String, Value>, base: &BaseUrl) -> bool {
        let is_ours = |audience: &String| {
            self.names.contains(audience) || Resource::parse(audience, base).is_ok()
        };
        self.is_for_anyone || audiences(claims).iter().any(is_ours)
    }
}

/// `aud`: "a string or an array of strings" wherever it stands (RFC 7519 section 4.1.3, RFC 7662 section 2.2).
pub(super) fn audiences(claims: &Map<String, Value>) -> Vec<String> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(list)) => {
            let texts = list.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_for_us_by_our_urls_or_by_a_name_that_was_given() {
        let base = BaseUrl::parse("https://h.example/api").unwrap();
        let ours = ForUs {
            names: vec!["app-id".to_owned()],
            is_for_anyone: false,
        };
        let admits = |ours: &ForUs, aud: Value| {
            let claims = Map::from_iter([("aud".to_owned(), aud)]);
            ours.admits(&claims, &base)
        };
        for aud in [
            json!("app-id"),
            json!("https://h.example/api"),
            json!("https://H.example:443/api/"),
            json!("https://h.example/api/mcp"),
            json!(["other", "https://h.example/api/mcp"]),
            json!([7, "app-id"]),
        ] {
            assert!(admits(&ours, aud.clone()), "{aud}");
        }
        let anyone = ForUs {
            is_for_anyone: true,
            ..ForUs::default()
        };
        for aud in [
            Value::Null,
            json!(""),
            json!([]),
            json!("other"),
            json!("app-id "),
            json!("APP-ID"),
            json!("https://h.example"),
            json!("https://h.example/apix"),
            json!("http://h.example/api"),
            json!("https://h.example/api/../x"),
            json!({"aud": "app-id"}),
            json!([["app-id"]]),
        ] {
            assert!(!admits(&ours, aud.clone()), "{aud}");
            assert!(admits(&anyone, aud));
        }
        assert!(!ours.admits(&Map::new(), &base));
    }
}
