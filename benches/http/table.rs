//! The figures of a run, as Markdown.

use crate::{Ask, Pair, Slot, server::Kind};
use testkit::measure::figures::{cell, difference, median, ratio, verdict};

/// What a server was seen to do, round by round.
#[derive(Default)]
pub(crate) struct Measured {
    /// Requests per second.
    rates: Vec<f64>,
    /// CPU time of the server per request, in nanoseconds.
    cpu: Vec<f64>,
    /// Cores that the server kept busy, and the load.
    server_cores: Vec<f64>,
    load_cores: Vec<f64>,
    /// Answers with another status than expected, in the warm-up too.
    pub(crate) wrong: u64,
}

impl Measured {
    /// Round 0 only warms up.
    #[allow(clippy::cast_precision_loss, reason = "thousands")]
    pub(crate) fn add(&mut self, round: usize, slot: &Slot) {
        self.wrong += slot.wrong;
        if round == 0 {
            return;
        }
        let (requests, took) = (slot.requests as f64, slot.took.as_secs_f64());
        self.rates.push(requests / took);
        self.cpu.push(slot.server.as_secs_f64() * 1e9 / requests);
        self.server_cores.push(slot.server.as_secs_f64() / took);
        self.load_cores.push(slot.load.as_secs_f64() / took);
    }
}

/// With the layer beside without, and what a second worker brings.
pub(crate) fn print_pairs(pairs: &[Pair], rounds: usize) {
    println!(
        "Median of {rounds} rounds (lowest–highest); on/off and more: within each round, median; \
         goal for requests on/off ≥ 0.95:\n"
    );
    println!(
        "| server | workers | layer | requests/s | on/off | CPU ns/request | on/off | more ns | \
         cores: server | load |"
    );
    println!("|---|---:|---|---:|---:|---:|---:|---:|---:|---:|");
    for pair in pairs {
        let (on, off) = (&pair.on.measured, &pair.off.measured);
        let (name, workers) = (pair.kind.name(), pair.workers);
        let (rates, cpu) = (cell(&off.rates, 0), cell(&off.cpu, 0));
        let cores = |of: &Measured| {
            let (server, load) = (median(&of.server_cores), median(&of.load_cores));
            format!("{server:.2} | {load:.2}")
        };
        println!(
            "| {name} | {workers} | off | {rates} | | {cpu} | | | {} |",
            cores(off)
        );
        let (rates, cpu) = (cell(&on.rates, 0), cell(&on.cpu, 0));
        let times = ratio(&on.rates, &off.rates);
        println!(
            "| {name} | {workers} | on | {rates} | {times:.3} {} | {cpu} | {:.3} | {:.0} | {} |",
            verdict(times >= 0.95),
            ratio(&on.cpu, &off.cpu),
            difference(&on.cpu, &off.cpu),
            cores(on),
        );
    }

    println!("\nGrowth with workers; the load has to share the same CPUs:\n");
    println!("| server | layer | × requests/s of one worker |");
    println!("|---|---|---:|");
    for kind in Kind::ALL {
        let mut of_kind = pairs.iter().filter(|pair| pair.kind == kind);
        let (one, two) = (of_kind.next().unwrap(), of_kind.next().unwrap());
        let sides = [
            ("off", &one.off.measured, &two.off.measured),
            ("on", &one.on.measured, &two.on.measured),
        ];
        for (layer, one, two) in sides {
            let times = ratio(&two.rates, &one.rates);
            println!("| {} | {layer} | {times:.2} |", kind.name());
        }
    }
}

/// What the server with the layer is asked, beside its answer to a valid token.
pub(crate) fn print_asks(of: &Pair, asks: &[Ask], rounds: usize) {
    println!(
        "\n{} with the layer, {} worker, {rounds} rounds; goal: no refusal is dearer than the \
         answer:\n",
        of.kind.name(),
        of.workers
    );
    println!("| request | status | requests/s | CPU ns/request | × answer |");
    println!("|---|---:|---:|---:|---:|");
    let answer = &asks[0].measured;
    for ask in asks {
        let measured = &ask.measured;
        let (rates, cpu) = (cell(&measured.rates, 0), cell(&measured.cpu, 0));
        let times = ratio(&measured.cpu, &answer.cpu);
        println!(
            "| {} | {} | {rates} | {cpu} | {times:.3} {} |",
            ask.what,
            ask.status,
            verdict(times <= 1.0),
        );
    }
}
