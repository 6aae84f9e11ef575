//! The same as `recorded`, without the feature: nothing happens, and what would be recorded is not worked out.

use http::StatusCode;

use super::labels::{Check, Ended, Peer, Renewed, Verb};

#[inline(always)]
pub(crate) fn step(_: &'static str, _: Option<&'static str>) {}

#[inline(always)]
pub(crate) fn login<'a>(_: impl FnOnce() -> &'a str, _: &str, _: Option<&'static str>) {}

#[inline(always)]
pub(crate) fn bearer(_: Check, _: &'static str, _: Option<Stopwatch>) {}

#[inline(always)]
pub(crate) fn backed_off() {}

#[inline(always)]
pub(crate) fn limited(_: &'static str) {}

pub(crate) struct BearerChecks;

impl BearerChecks {
    pub(crate) fn new() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn cached(&self, _: usize, _: impl FnOnce() -> &'static str) {}

    #[inline(always)]
    pub(crate) fn first_sight(&self, _: usize, _: impl FnOnce() -> &'static str, _: Stopwatch) {}
}

pub(crate) struct StoreTimes;

impl StoreTimes {
    pub(crate) fn new() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn record(&self, _: Verb, _: Ended, _: Stopwatch) {}
}

pub(crate) struct Sessions;

impl Sessions {
    pub(crate) fn new() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn one(&self) -> Live {
        Live
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Stopwatch;

impl Stopwatch {
    #[inline(always)]
    pub(crate) fn start() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn endpoint(self, _: &'static str, _: StatusCode) {}

    #[inline(always)]
    pub(crate) fn outbound(self, _: Peer<'_>, _: Ended) {}

    #[inline(always)]
    pub(crate) fn renewal(self, _: &str, _: bool, _: Renewed) {}
}

#[derive(Debug)]
pub(crate) struct Live;

impl Live {
    #[inline(always)]
    pub(crate) fn login() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn task() -> Self {
        Self
    }
}
