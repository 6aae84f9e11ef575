//! The environment of a process: what every program needs, what the operator gives, and for whom it works. Nothing
//! else of the gateway's own, for that holds secrets.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

use super::{owner::Told, settings::StdioSettings};

/// What programs do not start or find their files without.
const COMMON: &[&str] = &[
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_TIME",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
];

/// Why a person cannot be told to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unspeakable;

/// All of it. `own` looks into the gateway's environment.
pub(super) fn environment(
    settings: &StdioSettings,
    told: &Told,
    own: impl Fn(&str) -> Option<OsString>,
) -> Result<BTreeMap<OsString, OsString>, Unspeakable> {
    let common = COMMON
        .iter()
        .copied()
        .chain(settings.pass.iter().map(String::as_str));
    let mut all: BTreeMap<OsString, OsString> = common
        .filter_map(|name| Some((name.into(), own(name)?)))
        .collect();
    for (name, value) in &settings.variables {
        all.insert(name.into(), value.into());
    }
    if settings.tell_identity {
        for (name, value) in identity(told)? {
            all.insert(OsStr::new(name).to_owned(), value.into());
        }
    }
    Ok(all)
}

fn identity(told: &Told) -> Result<Vec<(&'static str, String)>, Unspeakable> {
    let Told {
        subject,
        client,
        source,
        is_person,
        email,
        name,
        scopes,
        roles,
    } = told;
    // Cleaned, one name could become another's.
    if has_control(subject) || has_control(client) {
        return Err(Unspeakable);
    }
    let scopes: Vec<&str> = scopes.iter().map(|scope| &**scope).collect();
    // Roles may hold spaces and commas, so they are a list of JSON; there every control character is escaped.
    let roles = serde_json::Value::from_iter(roles.iter().map(|role| &**role)).to_string();
    let mut told = vec![
        ("MCP_AUTH_SUBJECT", subject.to_string()),
        ("MCP_AUTH_CLIENT", client.to_string()),
        ("MCP_AUTH_SOURCE", source.to_string()),
        ("MCP_AUTH_PERSON", is_person.to_string()),
        ("MCP_AUTH_SCOPES", scopes.join(" ")),
        ("MCP_AUTH_ROLES", roles),
    ];
    if let Some(email) = email.as_deref().filter(|email| !has_control(email)) {
        told.push(("MCP_AUTH_EMAIL", email.to_owned()));
    }
    if let Some(name) = name {
        let clean = name
            .chars()
            .filter(|c| !c.is_control())
            .take(NAME)
            .collect();
        told.push(("MCP_AUTH_NAME", clean));
    }
    Ok(told)
}

/// Characters of a name, which is for people to read.
const NAME: usize = 200;

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> StdioSettings {
        StdioSettings::new(vec!["cat".into()])
    }

    fn own(name: &str) -> Option<OsString> {
        match name {
            "PATH" => Some("/bin".into()),
            "TOKEN" => Some("passed".into()),
            "GATEWAY_SECRET" => Some("secret".into()),
            _ => None,
        }
    }

    fn told() -> Told {
        Told {
            subject: "ada".into(),
            client: "client-1".into(),
            source: "login".into(),
            is_person: true,
            email: Some("ada@example.com".into()),
            name: Some("Ada\n\0 Lovelace".into()),
            scopes: ["read", "write"].map(Box::from).into(),
            roles: ["a b", "c,\n"].map(Box::from).into(),
        }
    }

    fn get(all: &BTreeMap<OsString, OsString>, name: &str) -> Option<String> {
        Some(all.get(OsStr::new(name))?.to_str()?.to_owned())
    }

    #[test]
    fn a_process_gets_what_it_needs_and_no_secret() {
        let mut settings = settings();
        settings.variables.insert("MODE".to_owned(), "x".to_owned());
        let all = environment(&settings, &told(), own).unwrap();
        assert_eq!(get(&all, "PATH").as_deref(), Some("/bin"));
        assert_eq!(get(&all, "MODE").as_deref(), Some("x"));
        assert_eq!(get(&all, "TOKEN"), None);
        assert!(
            !all.keys()
                .any(|name| name.to_string_lossy().starts_with("GATEWAY_"))
        );
        settings.pass.push("TOKEN".to_owned());
        let all = environment(&settings, &told(), own).unwrap();
        assert_eq!(get(&all, "TOKEN").as_deref(), Some("passed"));
    }

    #[test]
    fn it_is_told_for_whom_it_works() {
        let all = environment(&settings(), &told(), own).unwrap();
        assert_eq!(get(&all, "MCP_AUTH_SUBJECT").as_deref(), Some("ada"));
        assert_eq!(get(&all, "MCP_AUTH_SCOPES").as_deref(), Some("read write"));
        assert_eq!(
            get(&all, "MCP_AUTH_ROLES").as_deref(),
            Some(r#"["a b","c,\n"]"#)
        );
        assert_eq!(get(&all, "MCP_AUTH_NAME").as_deref(), Some("Ada Lovelace"));
        assert_eq!(
            get(&all, "MCP_AUTH_EMAIL").as_deref(),
            Some("ada@example.com")
        );
        let silent = StdioSettings {
            tell_identity: false,
            ..settings()
        };
        let all = environment(&silent, &told(), own).unwrap();
        assert!(
            !all.keys()
                .any(|name| name.to_string_lossy().starts_with("MCP_AUTH_"))
        );
    }

    #[test]
    fn a_name_that_cannot_be_written_down_starts_nothing() {
        for subject in ["a\0b", "a\nMCP_AUTH_ROLES=x", "\u{85}"] {
            let told = Told {
                subject: subject.into(),
                ..told()
            };
            assert_eq!(
                environment(&settings(), &told, own),
                Err(Unspeakable),
                "{subject:?}"
            );
        }
        let told = Told {
            email: Some("a\n@example.com".into()),
            ..told()
        };
        assert_eq!(
            get(
                &environment(&settings(), &told, own).unwrap(),
                "MCP_AUTH_EMAIL"
            ),
            None
        );
    }
}
