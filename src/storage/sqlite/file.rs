//! Opening: the path, the file's mode, the application's mark, the schema, the settings.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, ffi::ErrorCode};

use super::records::{LISTS, Reader, SCHEMA, Writer, is_busy, pragma};
use crate::error::{ConfigError, StorageError};

/// Marks the file as this crate's, `TOPx` (SQLite's `application_id`).
const APPLICATION_ID: i64 = 0x544F_5078;
/// What this crate writes (SQLite's `user_version`). A newer one is refused: its rules are unknown.
const SCHEMA_VERSION: i64 = 2;
/// Without lists. Such a file gets them when it is opened; processes that have it open already go on
/// as they are, and cannot open it again.
const WITHOUT_LISTS: i64 = 1;
/// Connections that read, each with its thread. Reads wait for the disk at most; more threads than
/// processors are of no use.
const MAX_READERS: usize = 4;
/// After a peak the `-wal` is cut to this, in bytes; its usual size is 1000 pages.
const WAL_LIMIT: u64 = 16 * 1024 * 1024;

pub(super) struct Opened {
    pub(super) path: PathBuf,
    pub(super) place: Place,
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
}

pub(super) fn open(
    path: &Path,
    max_bytes: u64,
    busy_timeout: Duration,
) -> Result<Opened, ConfigError> {
    let path = absolute(path)?;
    create(&path)?;
    let refused = |error| refuse(&path, explain(&error));
    let writer = connect(&path, busy_timeout).map_err(refused)?;
    set_up(&writer, &path, busy_timeout)?;
    configure(&writer, max_bytes).map_err(refused)?;
    Writer::prepare(&writer).map_err(refused)?;
    // From here on the writing thread waits by itself.
    writer.busy_timeout(Duration::ZERO).map_err(refused)?;
    let count = thread::available_parallelism().map_or(1, |n| n.get().min(MAX_READERS));
    let mut readers = Vec::with_capacity(count);
    for _ in 0..count {
        let reader = connect(&path, busy_timeout).map_err(refused)?;
        configure(&reader, max_bytes).map_err(refused)?;
        reader
            .pragma_update(None, "query_only", true)
            .map_err(refused)?;
        Reader::prepare(&reader).map_err(refused)?;
        readers.push(reader);
    }
    let place = Place::of(&path).map_err(|error| refuse(&path, error))?;
    Ok(Opened {
        path,
        place,
        writer,
        readers,
    })
}

pub(super) fn refuse(path: &Path, why: impl fmt::Display) -> ConfigError {
    ConfigError::new("token_storage", format!("{}: {why}", path.display()))
}

/// Absolute, so that SQLite reads neither `:memory:` nor `file:` in it, nor a later working
/// directory.
fn absolute(path: &Path) -> Result<PathBuf, ConfigError> {
    let Some(name) = path.file_name() else {
        return Err(refuse(path, "this names no file"));
    };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match fs::canonicalize(directory) {
        Ok(directory) if directory.is_dir() => Ok(directory.join(name)),
        Ok(_) => Err(refuse(path, "its parent is not a directory")),
        Err(error) => Err(refuse(
            path,
            format_args!("its directory is missing or out of reach, create it first: {error}"),
        )),
    }
}

/// An empty file with the right mode from its first moment, where nothing is; SQLite gives that mode
/// to the files beside it too.
fn create(path: &Path) -> Result<(), ConfigError> {
    /// Closing the new file would drop the locks of another store in this process that found it
    /// already there.
    static CREATING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => there_already(path),
        Err(error) => Err(refuse(
            path,
            format_args!("cannot be created, its directory must be writable: {error}"),
        )),
    }
}

/// Looks, without opening: closing it again would drop locks.
fn there_already(path: &Path) -> Result<(), ConfigError> {
    let metadata = fs::metadata(path).map_err(|error| refuse(path, error))?;
    if !metadata.is_file() {
        return Err(refuse(path, "this is no file"));
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            tracing::warn!(
                target: "tower_oauth_proxy",
                path = %path.display(),
                mode = %format_args!("{mode:o}"),
                "the token storage can be read or written by other users of this host; its mode \
                 should be 600"
            );
        }
    }
    Ok(())
}

fn connect(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    // Each connection stays with one thread.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy_timeout)?;
    Ok(connection)
}

/// What a file's head says of it.
enum Head {
    Empty,
    Ours { version: i64 },
    Foreign,
}

fn read_head(connection: &Connection) -> rusqlite::Result<Head> {
    let application = pragma(connection, "application_id")?;
    let version = pragma(connection, "user_version")?;
    let objects = "SELECT count(*) FROM sqlite_schema";
    let objects: i64 = connection.query_row(objects, [], |row| row.get(0))?;
    Ok(match (application, version, objects) {
        (0, 0, 0) => Head::Empty,
        (APPLICATION_ID, version, _) => Head::Ours { version },
        _ => Head::Foreign,
    })
}

/// Makes an empty file ours, or makes sure that it is: nothing is changed in any other.
fn set_up(connection: &Connection, path: &Path, busy_timeout: Duration) -> Result<(), ConfigError> {
    let refused = |error| refuse(path, explain(&error));
    let head = read_head(connection).map_err(refused)?;
    if let Head::Empty
    | Head::Ours {
        version: WITHOUT_LISTS,
    } = head
    {
        patiently(busy_timeout, || write_schema(connection)).map_err(refused)?;
    }
    match read_head(connection).map_err(refused)? {
        Head::Ours {
            version: SCHEMA_VERSION,
        } => {}
        Head::Ours { version } if version > SCHEMA_VERSION => {
            return Err(refuse(
                path,
                format_args!(
                    "its schema is version {version}, this program knows {SCHEMA_VERSION}: it was \
                     written by a newer version of tower-oauth-proxy; upgrade this program, or name \
                     another file"
                ),
            ));
        }
        Head::Ours { version } => {
            return Err(refuse(
                path,
                format_args!(
                    "its schema is version {version}, this program knows {SCHEMA_VERSION} and \
                     cannot migrate it; name another file"
                ),
            ));
        }
        Head::Empty | Head::Foreign => {
            return Err(refuse(
                path,
                "this is an SQLite file of another application; name another file",
            ));
        }
    }
    let mode = patiently(busy_timeout, || {
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
    });
    let mode: String = mode.map_err(refused)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(refuse(
            path,
            "its file system has no shared memory for WAL; name a file on a local disk",
        ));
    }
    Ok(())
}

/// The whole schema into an empty file, what is missing into an older one.
fn write_schema(connection: &Connection) -> rusqlite::Result<()> {
    // Can be chosen only before the first page is written; says nothing later.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let created = (|| {
        // Another process may have been first.
        let head = read_head(connection)?;
        if let Head::Empty = head {
            connection.execute_batch(SCHEMA)?;
            connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        if let Head::Empty
        | Head::Ours {
            version: WITHOUT_LISTS,
        } = head
        {
            connection.execute_batch(LISTS)?;
            connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        connection.execute_batch("COMMIT")
    })();
    if created.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    created
}

/// SQLite does not wait by itself where two processes change the journal's mode at once.
fn patiently<T>(
    busy_timeout: Duration,
    mut step: impl FnMut() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let start = Instant::now();
    loop {
        match step() {
            Err(error) if is_busy(&error) && start.elapsed() < busy_timeout => {
                thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

/// What each new connection needs.
fn configure(connection: &Connection, max_bytes: u64) -> rusqlite::Result<()> {
    // NORMAL would flush at checkpoints only: power loss would undo the last commits, and with them
    // a revocation or the redemption of a code.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // On macOS `fsync` alone leaves it in the disk's cache; elsewhere these say nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    // A damaged page is found when it is read, not when it is believed.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let wal_limit = i64::try_from(WAL_LIMIT).unwrap_or(i64::MAX);
    connection.pragma_update_and_check(None, "journal_size_limit", wal_limit, |_| Ok(()))?;
    let page = u64::try_from(pragma(connection, "page_size")?.max(512)).unwrap_or(512);
    // SQLite's own limit of pages.
    let pages = (max_bytes / page).clamp(1, 0xffff_fffe);
    let pages = i64::try_from(pages).unwrap_or(i64::MAX);
    connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
}

fn explain(error: &rusqlite::Error) -> String {
    let what = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "this is not an SQLite file; name another",
        Some(ErrorCode::DatabaseCorrupt) => {
            "the file is damaged; restore a backup, or move it away and everyone logs in again"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process keeps the file locked"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "this process must be able to write the file and its directory"
        }
        Some(ErrorCode::DiskFull) => "no room",
        _ => "the file cannot be used",
    };
    format!("{what}: {error}")
}

/// Which file it was that was opened, to notice when the path means another.
pub(super) struct Place {
    path: PathBuf,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        #[cfg(unix)]
        let inode = inode(path)?;
        Ok(Self {
            path: path.to_owned(),
            #[cfg(unix)]
            inode,
        })
    }

    /// A file that was deleted or replaced takes writes as before, and loses them when it is closed.
    pub(super) fn check(&self) -> Result<(), StorageError> {
        #[cfg(unix)]
        let is_there = inode(&self.path).is_ok_and(|inode| inode == self.inode);
        #[cfg(not(unix))]
        let is_there = self.path.exists();
        if is_there {
            return Ok(());
        }
        Err(StorageError::unavailable(format!(
            "{} was removed or replaced while in use: bring it back, or restart this process",
            self.path.display()
        )))
    }
}

#[cfg(unix)]
fn inode(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
