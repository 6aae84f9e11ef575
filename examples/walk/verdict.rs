//! What a journey came to.

use std::fmt;

use super::wire::{Step, Wrong};
use crate::support::idp::people::Person;

/// How a journey ended, and how many of its steps were right.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) right: usize,
    pub(crate) total: usize,
    /// The first step that was wrong: its number and its title.
    wrong: Option<(usize, String)>,
    /// Whom it logged in; `None` where the person said no, which is as right.
    who: Option<String>,
}

impl Verdict {
    pub(crate) fn of(steps: &[Step], ended: Result<Option<String>, Wrong>) -> Self {
        let mut wrong = steps.iter().zip(1..).filter(|(step, _)| !step.right);
        let wrong = wrong
            .next()
            .map(|(step, number)| (number, step.title.clone()));
        let is_cut = ended.is_err() && wrong.is_none();
        Self {
            right: steps.iter().filter(|step| step.right).count(),
            // One that could not even be begun.
            total: steps.len() + usize::from(is_cut),
            wrong: wrong
                .or_else(|| is_cut.then(|| (steps.len() + 1, "it could not begin".to_owned()))),
            who: ended.ok().flatten(),
        }
    }

    pub(crate) fn is_right(&self) -> bool {
        self.wrong.is_none()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            right,
            total,
            wrong,
            who,
        } = self;
        match (wrong, who) {
            (Some((number, title)), _) => write!(f, "step {number} was wrong ({title})")?,
            (None, Some(id)) => {
                let name = Person::named(id).map_or(id.as_str(), |person| person.name);
                write!(f, "logged in as {name} ({id})")?;
            }
            (None, None) => f.write_str("the person said no, and no access was given")?,
        }
        write!(f, ", {right} of {total} steps right")
    }
}
