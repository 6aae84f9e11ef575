//! Whether the command is there at all: said at the start and by the readiness endpoint, before a person waits for it.

use std::{env, ffi::OsString, os::unix::fs::PermissionsExt, path::Path};

use super::settings::StdioSettings;

/// # Errors
///
/// Which program cannot be found, and where it was looked for.
pub(super) fn found(settings: &StdioSettings) -> Result<(), String> {
    let Some(program) = settings.command.first() else {
        return Err("there is no command".to_owned());
    };
    let named = Path::new(program);
    if named.components().count() > 1 {
        let folder = settings.folder.as_deref().unwrap_or(Path::new(""));
        return match is_program(&folder.join(named)) {
            true => Ok(()),
            false => Err(format!("{} is no program", named.display())),
        };
    }
    let path = path(settings);
    let mut folders = env::split_paths(&path);
    match folders.any(|folder| is_program(&folder.join(named))) {
        true => Ok(()),
        false => Err(format!(
            "no program {} in {}",
            named.display(),
            path.to_string_lossy()
        )),
    }
}

fn path(settings: &StdioSettings) -> OsString {
    match settings.variables.get("PATH") {
        Some(path) => path.into(),
        None => env::var_os("PATH").unwrap_or_default(),
    }
}

fn is_program(path: &Path) -> bool {
    let about = path.metadata();
    about.is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(program: &str) -> Result<(), String> {
        found(&StdioSettings::new(vec![program.into()]))
    }

    #[test]
    fn a_program_is_found_by_its_name_and_by_its_path() {
        assert_eq!(of("sh"), Ok(()));
        assert_eq!(of("/bin/sh"), Ok(()));
        assert!(
            of("no-such-program")
                .unwrap_err()
                .contains("no-such-program")
        );
        assert!(of("/etc/passwd").unwrap_err().contains("/etc/passwd"));
        assert!(of("/bin").is_err());
    }

    #[test]
    fn it_is_looked_for_where_the_child_would() {
        let mut settings = StdioSettings::new(vec!["sh".into()]);
        settings
            .variables
            .insert("PATH".to_owned(), "/nowhere".to_owned());
        assert!(found(&settings).unwrap_err().contains("/nowhere"));
    }
}
