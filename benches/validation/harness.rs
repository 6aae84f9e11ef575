//! Contenders take turns in short batches, so that what else the machine does meets all of them: the
//! ratio of two is the median of the ratios of single rounds. (criterion and divan measure one
//! contender to its end before the next, and compare two different minutes of a noisy machine.)

use std::{collections::HashMap, hint::black_box, time::Duration};

use testkit::measure::{figures::median, usage::cpu_here_now};

/// One thing to measure.
pub(crate) struct Contender<'a> {
    name: String,
    batch: Box<dyn FnMut(u64) + 'a>,
    allocations: u64,
}

impl<'a> Contender<'a> {
    /// What `call` returns is dropped within the measured time, as a server has to.
    pub(crate) fn new<R>(name: impl Into<String>, mut call: impl FnMut() -> R + 'a) -> Self {
        // What allocates only the first time has done so after these.
        (0..64).for_each(|_| drop(black_box(call())));
        let mut allocations = || {
            let count = allocation_counter::measure(|| drop(black_box(call())));
            count.count_total
        };
        Self {
            name: name.into(),
            // The least of several: now and then a map puts its house in order.
            allocations: (0..8).map(|_| allocations()).min().unwrap_or(0),
            batch: Box::new(move |calls| (0..calls).for_each(|_| drop(black_box(call())))),
        }
    }
}

/// What was measured: nanoseconds per call, a row a contender, a column a round.
pub(crate) struct Measured {
    nanos: HashMap<String, Vec<f64>>,
    allocations: HashMap<String, u64>,
}

/// Lets all of them take turns for this many rounds, each time another one first. A batch is many calls,
/// and short against the disturbances.
pub(crate) fn measure(
    rounds: usize,
    batch: Duration,
    mut contenders: Vec<Contender<'_>>,
) -> Measured {
    let calls = contenders.iter_mut().map(|it| calls_in(batch, it));
    let calls: Vec<u64> = calls.collect();
    let mut nanos: HashMap<_, Vec<f64>> = HashMap::new();
    let count = contenders.len();
    for round in 0..rounds {
        for turn in 0..count {
            let at = (turn + round) % count;
            let contender = &mut contenders[at];
            let took = timed(contender, calls[at]);
            #[allow(clippy::cast_precision_loss, reason = "milliseconds")]
            let each = took as f64 / calls[at] as f64;
            nanos.entry(contender.name.clone()).or_default().push(each);
        }
    }
    let allocations = contenders.into_iter().map(|it| (it.name, it.allocations));
    Measured {
        nanos,
        allocations: allocations.collect(),
    }
}

fn calls_in(batch: Duration, contender: &mut Contender<'_>) -> u64 {
    const TRY: u64 = 200;
    timed(contender, TRY);
    let each = (timed(contender, TRY) / u128::from(TRY)).max(1);
    u64::try_from(batch.as_nanos() / each).unwrap_or(TRY).max(1)
}

/// CPU time: while others have the core, nothing is measured.
fn timed(contender: &mut Contender<'_>, calls: u64) -> u128 {
    let start = cpu_here_now();
    (contender.batch)(calls);
    let took = (cpu_here_now() - start).as_nanos();
    assert!(
        took > 0,
        "this Linux does not count the CPU time of a thread"
    );
    took
}

impl Measured {
    /// The median of one contender, in nanoseconds.
    pub(crate) fn median(&self, name: &str) -> f64 {
        median(&self.nanos[name])
    }

    /// The median of something that is computed from the contenders of one round.
    pub(crate) fn of_rounds(&self, compute: impl Fn(&dyn Fn(&str) -> f64) -> f64) -> f64 {
        let rounds = self.nanos.values().map(Vec::len).min().unwrap_or(0);
        let round = |n: usize| compute(&|name: &str| self.nanos[name][n]);
        let all: Vec<_> = (0..rounds).map(round).collect();
        median(&all)
    }

    /// How many heap allocations one call makes.
    pub(crate) fn allocations(&self, name: &str) -> u64 {
        self.allocations[name]
    }

    pub(crate) fn print_row(&self, name: &str) {
        let (nanos, allocations) = (self.median(name), self.allocations(name));
        println!("| {name} | {nanos:.0} | {allocations} |");
    }
}
