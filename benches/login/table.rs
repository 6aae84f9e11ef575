//! The figures of a run, as Markdown.

use testkit::measure::{
    figures::{cell, median, ratio, verdict},
    person::Step,
};

/// Server CPU time in microseconds, round by round.
#[derive(Default)]
pub(crate) struct Table {
    /// One bare request.
    pub(crate) floor: Vec<f64>,
    /// One bare request whose answer takes a bare exchange with the provider.
    pub(crate) exchange: Vec<f64>,
    pub(crate) login: Vec<f64>,
    pub(crate) refresh: Vec<f64>,
    /// Of grants that went unused for a round.
    pub(crate) quiet_refresh: Vec<f64>,
    pub(crate) renewal: Vec<f64>,
    /// One each of [`Step::ALL`].
    pub(crate) steps: [Vec<f64>; 6],
}

impl Table {
    pub(crate) fn print(&self, rounds: usize, people: usize) {
        println!(
            "Server CPU in µs, median of {rounds} rounds of {people} (lowest–highest); × floor: as many \
             requests for a public path in the same round, median; last/first: thirds of the rounds:\n"
        );
        println!("| | requests | µs | floor, µs | × floor | last/first | goal, µs |");
        println!("|---|---:|---:|---:|---:|---:|---:|");
        let rows = [
            (
                "login, from registration to tokens",
                Step::ALL.len(),
                &self.login,
                Some(250.0),
            ),
            (
                "refresh, the provider's token is fresh",
                1,
                &self.refresh,
                Some(150.0),
            ),
            (
                "refresh of a grant that was quiet for a round",
                1,
                &self.quiet_refresh,
                None,
            ),
            (
                "refresh that renews the provider's token",
                1,
                &self.renewal,
                None,
            ),
            ("registration", 1, &self.steps[0], Some(25.0)),
        ];
        for (what, requests, spent, goal) in rows {
            let goal = goal.map_or_else(String::new, |goal| {
                format!("≤ {goal:.0} {}", verdict(median(spent) <= goal))
            });
            #[allow(clippy::cast_precision_loss, reason = "at most six")]
            let floor: Vec<_> = self.floor.iter().map(|one| one * requests as f64).collect();
            println!(
                "| {what} | {requests} | {} | {:.1} | {:.1} | {:.2} | {goal} |",
                cell(spent, 1),
                median(&floor),
                ratio(spent, &floor),
                last_to_first(spent),
            );
        }

        println!("\nThe steps of a login, each taken by all {people} before the next:\n");
        println!("| step | µs | × floor |");
        println!("|---|---:|---:|");
        for (step, spent) in Step::ALL.into_iter().zip(&self.steps) {
            println!(
                "| {} | {} | {:.1} |",
                step.title(),
                cell(spent, 1),
                ratio(spent, &self.floor)
            );
        }
        let sum: f64 = self.steps.iter().map(|spent| median(spent)).sum();
        println!("| all | {sum:.1} | |");
        println!("| floor: `GET /health` | {} | 1.0 |", cell(&self.floor, 1));
        println!(
            "| floor of a callback: `GET /exchange`, which asks the provider without the layer | {} | {:.1} |",
            cell(&self.exchange, 1),
            ratio(&self.exchange, &self.floor)
        );
        println!(
            "\nOf a login, {} µs are neither in five bare requests nor in one with a bare exchange.",
            cell(&self.beside_floors(), 1)
        );
    }

    fn beside_floors(&self) -> Vec<f64> {
        let floors = self.floor.iter().zip(&self.exchange);
        #[allow(clippy::cast_precision_loss, reason = "five")]
        let others = (Step::ALL.len() - 1) as f64;
        let of_a_login = floors.map(|(bare, exchange)| others * bare + exchange);
        let beside = self.login.iter().zip(of_a_login);
        beside.map(|(login, floors)| login - floors).collect()
    }
}

/// The last third of the rounds to the first: grants that live on make the store larger.
fn last_to_first(of: &[f64]) -> f64 {
    let third = of.len() / 3;
    median(&of[of.len() - third..]) / median(&of[..third])
}
