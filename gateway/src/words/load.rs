//! From what was said to settings that are checked: read, judged, laid over, put together.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use tower_oauth_proxy::{ConfigError, OAuthProxyConfig};

use super::{
    document,
    in_keys::in_keys,
    judge::judge,
    key::{Key, Kind},
    keys::KEYS,
    refusal::{Place, Refusal, variable, words_of},
    section::{
        clients, identity, listening, machines, operation, pages, paths, people, provider, rules,
        secrets, store, tokens, upstream,
    },
    table::{Table, unread},
    value::{Entries, Value},
    variables::lay_over,
};
use crate::settings::{PublicName, Settings};

/// What the operator said, before anything is made of it.
#[derive(Default)]
pub(crate) struct Said {
    /// The settings file.
    pub(crate) file: Option<PathBuf>,
    /// The environment.
    pub(crate) variables: BTreeMap<String, String>,
    /// What stands behind `--stdio --`.
    pub(crate) command: Option<Vec<String>>,
    /// Whether nothing will be served: then no store is connected to.
    pub(crate) is_check: bool,
}

/// All that is wrong, a sentence each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusals(pub(super) Vec<Refusal>);

impl From<Refusal> for Refusals {
    fn from(refusal: Refusal) -> Self {
        Self(vec![refusal])
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, refusal) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            refusal.fmt(f)?;
        }
        Ok(())
    }
}

/// The largest settings file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The settings.
///
/// # Errors
///
/// Everything that is wrong, as far as it can be told at once.
pub(crate) async fn load(said: Said) -> Result<Settings, Refusals> {
    let entries = gather(&said)?;
    let root = Table::whole(&entries, KEYS, said.file.as_deref());
    assemble(root, &entries, said.command, said.is_check).await
}

/// The file and the variables over it, each key known and of its kind.
fn gather(said: &Said) -> Result<Entries, Refusals> {
    let mut entries = match &said.file {
        Some(path) => document::parse(&path.display().to_string(), &read(path)?)?,
        None => Entries::new(),
    };
    let mut wrong = judge(&entries, KEYS, "");
    // A table that is none is told once.
    if wrong.is_empty() {
        wrong = lay_over(&mut entries, KEYS, &said.variables);
        wrong.extend(judge(&entries, KEYS, ""));
    }
    match wrong.is_empty() {
        true => Ok(entries),
        false => Err(Refusals(wrong)),
    }
}

fn read(path: &Path) -> Result<String, Refusal> {
    let refused = |why: &dyn fmt::Display| Refusal::new(format!("{}: {why}", path.display()));
    let size = fs::metadata(path).map_err(|error| refused(&error))?.len();
    if size > MAX_FILE {
        return Err(refused(&format!("longer than {MAX_FILE} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| refused(&error))?;
    // Some editors put it before the text.
    Ok(text
        .strip_prefix('\u{feff}')
        .map_or(text.clone(), str::to_owned))
}

async fn assemble(
    root: Table<'_>,
    entries: &Entries,
    command: Option<Vec<String>>,
    is_check: bool,
) -> Result<Settings, Refusals> {
    let base_url = root.required("base_url")?;
    let behind = upstream::behind(root, command)?;
    let provider = provider::provider(root.table("provider")?.table())?;
    let mut oauth = OAuthProxyConfig::builder(provider.clone(), base_url);
    for other in root.tables("also_provider")? {
        oauth = oauth.also_provider(provider::provider(other.table())?);
    }
    let section = |name| root.table(name);
    oauth = people::apply(section("people")?.table(), oauth)?;
    oauth = paths::apply(section("paths")?.table(), oauth)?;
    oauth = clients::apply(section("clients")?.table(), oauth)?;
    oauth = tokens::apply(section("tokens")?.table(), oauth, &provider)?;
    oauth = machines::apply(section("machines")?.table(), oauth)?;
    let pages = section("pages")?;
    oauth = pages::apply(pages.table(), oauth)?;
    oauth = operation::logins(section("logins")?.table(), oauth)?;
    oauth = operation::outbound(section("outbound")?.table(), oauth)?;
    oauth = listening::of_logins(section("limits")?.table(), oauth)?;
    let log = section("log")?;
    oauth = operation::log(log.table(), oauth)?;
    let (oauth, secrets) = secrets::apply(section("keys")?.table(), base_url, oauth)?;
    let identity = identity::identity(section("identity")?.table(), base_url, &secrets)?;
    let rules = rules::rules(root)?;
    let limits = listening::limits(section("limits")?.table())?;
    let (listen, admin_listen) = (listening::listen(root)?, listening::admin(root)?);
    let trusted_proxies = listening::trusted_proxies(root)?;
    let log = operation::log_settings(log.table())?;
    let public = PublicName::of(base_url);
    let is_https = public.as_ref().is_some_and(|public| public.is_https);
    let cookie_prefix = match (pages.table().text("cookie_prefix")?, is_https) {
        (Some(prefix), _) => prefix.to_owned(),
        (None, true) => "__Host-".to_owned(),
        (None, false) => String::new(),
    };
    // Last: it may connect to a server.
    let oauth = store::apply(section("storage")?.table(), oauth, is_check).await?;
    let wrong = unread(entries, "");
    if !wrong.is_empty() {
        return Err(Refusals(wrong));
    }
    let oauth = oauth.build().map_err(|error| explained(&error, entries))?;
    let no_host = || root.refuse("base_url", "has no host");
    Ok(Settings {
        listen,
        admin_listen,
        oauth,
        public: public.ok_or_else(no_host)?,
        cookie_prefix,
        trusted_proxies,
        behind,
        identity,
        rules,
        limits,
        log,
    })
}

/// A mistake that the library found, with the key that sets the option, where one does.
fn explained(error: &ConfigError, entries: &Entries) -> Refusal {
    let (mut found, why) = (Vec::new(), in_keys(&words_of(error), KEYS));
    setting(error.option(), KEYS, "", Some(entries), &mut found);
    // Of several, one that is said.
    found.sort_by_key(|(_, place)| place.is_none());
    match found.into_iter().next() {
        Some((path, Some(place))) => Refusal::at(&place, &path, why),
        Some((path, None)) => Refusal::new(format!("{path} ({}): {why}", variable(&path))),
        None => Refusal::new(error.to_string()),
    }
}

type Found = Vec<(String, Option<Place>)>;

fn setting(
    option: &str,
    keys: &'static [Key],
    above: &str,
    entries: Option<&Entries>,
    found: &mut Found,
) {
    for key in keys {
        let path = format!("{above}{}", key.name);
        let file_key = format!("{}_file", key.name);
        let node =
            entries.and_then(|entries| entries.get(key.name).or_else(|| entries.get(&file_key)));
        if key.sets.contains(&option) {
            found.push((path.clone(), node.map(|node| node.place.clone())));
        }
        if let Kind::Table(inner) = key.kind {
            let entries = match node.map(|node| &node.value) {
                Some(Value::Table(entries)) => Some(entries),
                _ => None,
            };
            setting(option, inner, &format!("{path}."), entries, found);
        }
    }
}
