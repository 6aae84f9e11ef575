//! As much HTML as it takes to fill in a form.

/// A form on a page.
#[derive(Debug, Clone)]
pub struct Form {
    /// Where it goes to, as written (entities decoded).
    pub action: String,
    /// Lower case.
    pub method: String,
    /// Hidden inputs, in order.
    pub hidden: Vec<(String, String)>,
    /// Radio buttons, in order.
    pub radios: Vec<(String, String)>,
    /// Submit buttons with a name, in order.
    pub buttons: Vec<(String, String)>,
}

/// All forms of a page.
pub fn forms(html: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut open = false;
    for tag in tags(html) {
        match tag.name.as_str() {
            "form" => {
                open = true;
                forms.push(Form {
                    action: tag.attribute("action").unwrap_or_default(),
                    method: tag
                        .attribute("method")
                        .unwrap_or_else(|| "get".to_owned())
                        .to_lowercase(),
                    hidden: Vec::new(),
                    radios: Vec::new(),
                    buttons: Vec::new(),
                });
            }
            "/form" => open = false,
            "input" | "button" if open => {
                let form = forms.last_mut().expect("an open form");
                let Some(name) = tag.attribute("name") else {
                    continue;
                };
                let field = (name, tag.attribute("value").unwrap_or_default());
                match (tag.name.as_str(), tag.attribute("type").as_deref()) {
                    ("input", Some("hidden")) => form.hidden.push(field),
                    ("input", Some("radio")) => form.radios.push(field),
                    ("button", None | Some("submit")) | ("input", Some("submit")) => {
                        form.buttons.push(field);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    forms
}

/// The names of all elements of a page, e.g. to see that no `script` is there.
pub fn elements(html: &str) -> Vec<String> {
    tags(html).into_iter().map(|tag| tag.name).collect()
}

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<String> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    }
}

fn tags(html: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let (tag, after) = read_tag(rest);
        rest = after;
        found.push(tag);
    }
    found
}

fn read_tag(source: &str) -> (Tag, &str) {
    let end = source
        .find(|c: char| c.is_ascii_whitespace() || c == '>')
        .unwrap_or(source.len());
    let mut tag = Tag {
        name: source[..end].trim_end_matches('/').to_ascii_lowercase(),
        attributes: Vec::new(),
    };
    let mut rest = &source[end..];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return (tag, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (tag, after);
        }
        let end = rest
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/'))
            .unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = &rest[end..];
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            (value, rest) = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    after[1..].split_once(quote).unwrap_or((&after[1..], ""))
                }
                _ => after.split_at(
                    after
                        .find(|c: char| c.is_ascii_whitespace() || c == '>')
                        .unwrap_or(after.len()),
                ),
            };
        }
        tag.attributes.push((name, decode(value)));
    }
}

/// The entities that escapers write.
fn decode(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}
