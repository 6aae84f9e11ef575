//! What an exporter says, read.

use std::{collections::BTreeMap, fmt};

/// Every series, with its value.
pub(crate) struct Page(BTreeMap<String, f64>);

impl Page {
    pub(crate) fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let series = lines.filter_map(|line| line.rsplit_once(' '));
        let series = series.map(|(name, value)| (name.to_owned(), value.parse().expect(name)));
        Self(series.collect())
    }

    /// Of a series with its labels in their order.
    pub(crate) fn value(&self, series: &str) -> Option<f64> {
        self.0.get(series).copied()
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (series, value) in &self.0 {
            writeln!(f, "{series} {value}")?;
        }
        Ok(())
    }
}
