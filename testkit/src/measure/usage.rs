//! What a process has used, as Linux counts it in `/proc`.

use std::{fs, thread, time::Duration};

/// The CPU time of all threads that a process has now, user and system together. Counted in
/// nanoseconds by the scheduler; a kernel without that counts in its ticks of 10 ms.
pub fn cpu(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("Linux, and the process lives");
    let times: Option<Vec<u64>> = tasks
        .map(|task| {
            let file = task.ok()?.path().join("schedstat");
            let line = fs::read_to_string(file).ok()?;
            line.split(' ').next()?.parse().ok()
        })
        .collect();
    match times {
        Some(nanoseconds) => Duration::from_nanos(nanoseconds.iter().sum()),
        None => Duration::from_millis(10) * ticks(pid),
    }
}

/// The CPU time of this thread: what has ended is no longer in [`cpu`].
pub fn cpu_here() -> Duration {
    let line = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = line.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// The same to the nanosecond: the scheduler adds up what a thread took when it leaves the core, and
/// otherwise only at its ticks.
pub fn cpu_here_now() -> Duration {
    thread::yield_now();
    cpu_here()
}

/// User and system time, as in `man 5 proc_pid_stat`: fields 14 and 15.
fn ticks(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name of the program comes before, in brackets, and may hold anything.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let times = fields.split_whitespace().skip(11).take(2);
    times.map(|ticks| ticks.parse::<u32>().unwrap()).sum()
}

/// What lies in memory of a process, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Resident {
    pub all: usize,
    /// Without the pages of files: what the process itself has written.
    pub anonymous: usize,
}

impl Resident {
    pub fn of(pid: u32) -> Self {
        // Counted page by page. `VmRSS` in `status` is off by some hundred kB, because each CPU adds
        // what it has counted only now and then.
        let file = format!("/proc/{pid}/smaps_rollup");
        let sums = fs::read_to_string(file).expect("Linux 4.14 or later");
        let bytes = |name| {
            let line = sums.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.unwrap().trim().trim_end_matches(" kB");
            kib.parse::<usize>().unwrap() * 1024
        };
        Self {
            all: bytes("Rss:"),
            anonymous: bytes("Anonymous:"),
        }
    }

    pub fn here() -> Self {
        Self::of(std::process::id())
    }
}
