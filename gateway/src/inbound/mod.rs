//! A request as it came in, for those who send it on: its body, and what its connection said.

mod arrival;
mod upload;

pub(crate) use arrival::{Arrival, Place};
pub(crate) use upload::{Upload, UploadError, UploadState};
