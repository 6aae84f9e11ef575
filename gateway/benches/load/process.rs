//! Processes, from `/proc`.

use std::fs;

use testkit::measure::usage::Resident;
pub(crate) use testkit::measure::usage::cpu;

/// Memory of a process, in KiB.
pub(crate) fn memory(id: u32) -> usize {
    Resident::of(id).all / 1024
}

/// The processes that this one has started.
pub(crate) fn children(id: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    list.split_whitespace()
        .map(|id| id.parse().unwrap())
        .collect()
}
