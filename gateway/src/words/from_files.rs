//! What stands in files that the settings name: secrets, keys, certificates.

use std::path::{Path, PathBuf};

use super::{
    refusal::{Place, Refusal},
    table::Table,
    value::Node,
};

/// A text from a file, and which file.
pub(crate) struct FromFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// As much is read of a file of the settings, in bytes: keys, certificates and lists of keys take far less, and a
/// name that is a device has no end.
const MAX_FILE: u64 = 4 << 20;

impl Table<'_> {
    /// A text that is secret: as it is, or from the file of the other key.
    pub(crate) fn secret(&self, name: &str) -> Result<Option<String>, Refusal> {
        let file_key = format!("{name}_file");
        // Before the file is read: that there is none would be the smaller mistake.
        match self.text(name)? {
            Some(_) if self.has(&file_key) => Err(self.one_of_both(name, &file_key)),
            Some(text) => Ok(Some(text.to_owned())),
            None => match self.file(&file_key)? {
                Some(file) => Ok(Some(self.one_line(&file_key, &file)?)),
                None => Ok(None),
            },
        }
    }

    /// Several secrets, the same way.
    pub(crate) fn secrets(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let files_key = format!("{name}_file");
        let said = self.words(name)?;
        if said.is_some() && self.has(&files_key) {
            return Err(self.one_of_both(name, &files_key));
        }
        let files = self.files(&files_key)?;
        let said = said.into_iter().flatten().map(|text| Ok(text.to_owned()));
        said.chain(files.iter().map(|file| self.one_line(&files_key, file)))
            .collect()
    }

    fn one_of_both(&self, name: &str, file_key: &str) -> Refusal {
        let why = format!("is said besides `{file_key}`: say one of both");
        self.refuse(name, why)
    }

    /// A secret in a file: without the end of its line, and not empty.
    fn one_line(&self, key: &str, file: &FromFile) -> Result<String, Refusal> {
        let text = file.text.strip_suffix('\n').unwrap_or(&file.text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        match text.trim().is_empty() {
            true => Err(self.refuse(key, format!("{} is empty", file.path.display()))),
            false => Ok(text.to_owned()),
        }
    }

    /// The name of a file, from where it was said: in the settings file, beside it.
    pub(crate) fn path(&self, name: &str) -> Result<Option<PathBuf>, Refusal> {
        let path = self.text(name)?;
        let node = self.entries.and_then(|entries| entries.get(name));
        Ok(path.zip(node).map(|(path, node)| self.place_of(path, node)))
    }

    fn place_of(&self, path: &str, node: &Node) -> PathBuf {
        match node.place {
            Place::File { .. } => {
                let folder = self.file.and_then(Path::parent);
                folder.unwrap_or_else(|| Path::new("")).join(path)
            }
            Place::Variable(_) => PathBuf::from(path),
        }
    }

    /// The text of a file.
    pub(crate) fn file(&self, name: &str) -> Result<Option<FromFile>, Refusal> {
        let path = self.path(name)?;
        path.map(|path| self.read(name, path)).transpose()
    }

    /// The texts of files.
    pub(crate) fn files(&self, name: &str) -> Result<Vec<FromFile>, Refusal> {
        let paths = self.words(name)?.unwrap_or_default();
        let node = self.entries.and_then(|entries| entries.get(name));
        let paths = paths.into_iter().zip(node.into_iter().cycle());
        paths
            .map(|(path, node)| self.read(name, self.place_of(path, node)))
            .collect()
    }

    fn read(&self, name: &str, path: PathBuf) -> Result<FromFile, Refusal> {
        let bytes = self.read_bytes(name, &path)?;
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| self.refuse(name, format!("{}: not UTF-8", path.display())))?;
        Ok(FromFile { path, text })
    }

    /// The bytes of a file.
    pub(crate) fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, Refusal> {
        let path = self.path(name)?;
        path.map(|path| self.read_bytes(name, &path)).transpose()
    }

    fn read_bytes(&self, name: &str, path: &Path) -> Result<Vec<u8>, Refusal> {
        use std::io::Read;
        let refused =
            |error: std::io::Error| self.refuse(name, format!("{}: {error}", path.display()));
        let file = std::fs::File::open(path).map_err(refused)?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(refused)?;
        match bytes.len() as u64 > MAX_FILE {
            true => {
                let why = format!("{}: longer than {MAX_FILE} bytes", path.display());
                Err(self.refuse(name, why))
            }
            false => Ok(bytes),
        }
    }
}
