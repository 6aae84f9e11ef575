//! Figures of several rounds.

/// Lowest, median, highest.
pub fn spread(of: impl IntoIterator<Item = f64>) -> (f64, f64, f64) {
    let mut all: Vec<_> = of.into_iter().collect();
    all.sort_unstable_by(f64::total_cmp);
    (all[0], all[all.len() / 2], all[all.len() - 1])
}

pub fn median(of: &[f64]) -> f64 {
    spread(of.iter().copied()).1
}

/// The median of the ratios within each round: whatever else the machine does in a moment is in both.
pub fn ratio(of: &[f64], to: &[f64]) -> f64 {
    spread(of.iter().zip(to).map(|(a, b)| a / b)).1
}

/// The median of the differences within each round.
pub fn difference(of: &[f64], to: &[f64]) -> f64 {
    spread(of.iter().zip(to).map(|(a, b)| a - b)).1
}

/// `median (low–high)`.
pub fn cell(of: &[f64], digits: usize) -> String {
    let (low, median, high) = spread(of.iter().copied());
    format!("{median:.digits$} ({low:.digits$}–{high:.digits$})")
}

/// Whether a goal is met, in a word.
pub fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "MISSED" }
}
