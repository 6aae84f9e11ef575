//! The committed counts, and the comparison with them.

use std::{collections::BTreeMap, fs, path::PathBuf, process};

use serde::{Deserialize, Serialize};

use crate::NOTHING;

/// Beyond this, in parts of one, instructions count as changed.
const TOLERANCE: f64 = 0.03;
/// So many count as none. The same code, built with or without something elsewhere, has its blocks elsewhere in
/// the heap: then each call on the shortest path costs 280 more or less, all of it inside malloc and free.
const SLACK: u64 = 300;

/// What one call costs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) instructions: u64,
    pub(crate) allocations: u64,
}

/// Counts are of one compiler: another one makes other code.
#[derive(Serialize, Deserialize)]
struct Baseline {
    rustc: String,
    paths: BTreeMap<String, Cost>,
}

/// Prints the table; ends the process with 1 where a count is not the committed one.
pub(crate) fn check(counted: &BTreeMap<String, Cost>, bless: bool) {
    let name = match cfg!(feature = "metrics") {
        true => "benches/counts/baseline-metrics.json",
        false => "benches/counts/baseline.json",
    };
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    let read = fs::read(&file).ok();
    let known: Option<Baseline> = read.map(|json| serde_json::from_slice(&json).unwrap());
    let floor = counted[NOTHING.0];
    println!("| one call | instructions | of the layer | allocations | of the layer | baseline |");
    println!("|---|---:|---:|---:|---:|---|");
    let mut has_changed = false;
    for (name, cost) in counted {
        let before = known.as_ref().and_then(|known| known.paths.get(name));
        let verdict = verdict(cost, before);
        has_changed |= verdict.is_err();
        let words = verdict.unwrap_or_else(|why| why);
        let Cost {
            instructions,
            allocations,
        } = cost;
        let more = instructions.saturating_sub(floor.instructions);
        let allocated = allocations.saturating_sub(floor.allocations);
        println!("| {name} | {instructions} | {more} | {allocations} | {allocated} | {words} |");
    }
    if bless {
        let paths = counted.clone();
        let baseline = Baseline {
            rustc: rustc(),
            paths,
        };
        let json = serde_json::to_string_pretty(&baseline).unwrap();
        fs::write(&file, json + "\n").unwrap();
        println!("\nwritten to {name}");
    } else if has_changed {
        let before = known.map_or("no compiler".to_owned(), |known| known.rustc);
        println!(
            "\nThe counts are not the committed ones (taken with {before}; this is {}). If that is \
             meant, say why in the commit, and write them again: cargo bench --bench counts -- --bless",
            rustc()
        );
        process::exit(1);
    }
}

/// Fewer instructions are a change too: a baseline that is too high would hide the next regression.
#[allow(clippy::cast_precision_loss, reason = "thousands")]
fn verdict(now: &Cost, before: Option<&Cost>) -> Result<String, String> {
    let Some(before) = before else {
        return Err("not in it".to_owned());
    };
    let ratio = now.instructions as f64 / before.instructions as f64;
    let words = format!("{:+.1} %", (ratio - 1.0) * 100.0);
    if now.allocations != before.allocations {
        return Err(format!(
            "CHANGED: {} allocations before",
            before.allocations
        ));
    }
    let difference = now.instructions.abs_diff(before.instructions);
    if (ratio - 1.0).abs() > TOLERANCE && difference > SLACK {
        return Err(format!("CHANGED: {words}"));
    }
    Ok(words)
}

fn rustc() -> String {
    let version = process::Command::new("rustc").arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    version.unwrap_or_else(|_| "an unknown compiler".to_owned())
}
