//! The readers of other languages, each a small program that reads all bodies.
//!
//! A program gets one body a line, in hex. Its first line names its variants, with tabs between them. Each further
//! line has what each variant made of one body: `refused`, `none` (an empty batch), or its messages with `;` between
//! them, each as `method/name`: `-` where there is none, `?` for something that is no string, else `=` and the UTF-8 in
//! hex. Which member is the name, the method says.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What one variant of one reader made of each body.
pub(super) struct Told {
    pub(super) reader: String,
    pub(super) of: Vec<Option<Vec<Call>>>,
}

/// A message as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) method: Field,
    pub(super) name: Field,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    None,
    NotText,
    Text(Vec<u8>),
}

const JARS: [&str; 4] = [
    "jackson-core",
    "jackson-databind",
    "jackson-annotations",
    "gson",
];
/// Longer than the slowest takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A language, and how its program is built and started in a folder of its own.
type Reader = (&'static str, fn(&Path, &Path) -> Option<Command>);

const READERS: &[Reader] = &[
    ("Python", |source, _| {
        Some(with("python3", &[&source.join("read.py")]))
    }),
    ("Node.js", |source, _| {
        Some(with("node", &[&source.join("read.mjs")]))
    }),
    ("Perl", |source, _| {
        Some(with("perl", &[&source.join("read.pl")]))
    }),
    ("Ruby", |source, _| {
        Some(with("ruby", &[&source.join("read.rb")]))
    }),
    ("PHP", |source, _| {
        Some(with("php", &[&source.join("read.php")]))
    }),
    ("Go", |source, room| {
        let mut build = with(
            "go",
            &[
                Path::new("build"),
                Path::new("-o"),
                &room.join("go-reader"),
                &source.join("read.go"),
            ],
        );
        build
            .env("GOCACHE", room.join("go-cache"))
            .env("GO111MODULE", "off")
            .env("GOTELEMETRY", "off");
        built(build).then(|| Command::new(room.join("go-reader")))
    }),
    ("C", |source, room| {
        let build = with(
            "cc",
            &[
                Path::new("-o"),
                &room.join("c-reader"),
                &source.join("read.c"),
                Path::new("-lcjson"),
            ],
        );
        built(build).then(|| Command::new(room.join("c-reader")))
    }),
    ("Java", |source, room| {
        let path: Vec<_> = JARS.map(|jar| format!("/usr/share/java/{jar}.jar")).into();
        let path = format!("{}:{}", room.display(), path.join(":"));
        let flags = [
            Path::new("-nowarn"),
            Path::new("-d"),
            room,
            Path::new("-cp"),
            Path::new(&path),
        ];
        let mut build = with("javac", &flags);
        build.arg(source.join("Read.java"));
        built(build).then(|| {
            with(
                "java",
                &[
                    Path::new("-Xss8m"),
                    Path::new("-cp"),
                    Path::new(&path),
                    Path::new("Read"),
                ],
            )
        })
    }),
];

/// Those that every machine with this repository's tests has.
pub(super) const REQUIRED: [&str; 2] = ["Python", "Node.js"];

fn with(program: &str, arguments: &[&Path]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn built(mut build: Command) -> bool {
    let build = build
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    build.status().is_ok_and(|status| status.success())
}

/// What every reader that can be had makes of the bodies, and the languages that cannot.
pub(super) fn ask(bodies: &[&[u8]]) -> (Vec<Told>, Vec<&'static str>) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/mcp_readers");
    let mut lines = String::new();
    for body in bodies {
        lines.extend(body.iter().map(|byte| format!("{byte:02x}")));
        lines.push('\n');
    }
    let (mut told, mut missing) = (Vec::new(), Vec::new());
    for (language, prepare) in READERS {
        let room = room(language);
        let output = prepare(&source, &room).and_then(|command| run(command, &lines));
        match output {
            Some(output) => told.extend(parsed(language, &output, bodies.len())),
            None => missing.push(*language),
        }
        fs::remove_dir_all(&room).unwrap();
    }
    (told, missing)
}

/// A folder of this process.
fn room(language: &str) -> PathBuf {
    let room = format!(
        "mcp-readers-{}-{}",
        std::process::id(),
        language.replace('.', "")
    );
    let room = Path::new(env!("CARGO_TARGET_TMPDIR")).join(room);
    fs::create_dir_all(&room).unwrap();
    room
}

/// What the program says, or nothing where it is not there or lacks its reader. One that hangs or fails on a body is a
/// failure.
fn run(mut command: Command, input: &str) -> Option<String> {
    let name = format!("{command:?}");
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let output = thread::scope(|scope| {
        // It fails where the program ends early, which its output shows.
        scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
        let reading = scope.spawn(move || std::io::read_to_string(&mut stdout));
        let end = Instant::now() + PATIENCE;
        while !reading.is_finished() && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
        }
        if !reading.is_finished() {
            child.kill().unwrap();
        }
        reading.join().unwrap().unwrap()
    });
    let status = child.wait().unwrap();
    if output.is_empty() {
        return None;
    }
    assert!(status.success(), "{name}: {status}");
    Some(output)
}

fn parsed(language: &str, output: &str, count: usize) -> Vec<Told> {
    let mut lines = output.lines();
    let names = lines.next().unwrap_or_default().split('\t');
    let mut told: Vec<_> = names
        .map(|name| Told {
            reader: format!("{language}: {name}"),
            of: Vec::with_capacity(count),
        })
        .collect();
    for line in lines {
        let results: Vec<_> = line.split('\t').collect();
        assert_eq!(results.len(), told.len(), "{language}: {line}");
        for (told, result) in told.iter_mut().zip(results) {
            told.of.push(match result {
                "refused" => None,
                "none" => Some(Vec::new()),
                messages => Some(messages.split(';').map(call).collect()),
            });
        }
    }
    for told in &told {
        assert_eq!(told.of.len(), count, "{}", told.reader);
    }
    told
}

fn call(told: &str) -> Call {
    let (method, name) = told.split_once('/').unwrap();
    Call {
        method: field(method),
        name: field(name),
    }
}

fn field(told: &str) -> Field {
    match told {
        "-" => Field::None,
        "?" => Field::NotText,
        text => {
            let hex = text.strip_prefix('=').unwrap();
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            Field::Text((0..hex.len()).step_by(2).map(byte).collect())
        }
    }
}
