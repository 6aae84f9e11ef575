//! Makes an API key: the line for the file of keys goes to standard output, the key itself, once, to standard error.
//!
//! ```text
//! cargo run --example new_api_key -- nightly-report >> keys.jsonl
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

use std::{env, process::ExitCode};

use tower_oauth_proxy::ApiKey;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(name), None) = (arguments.next(), arguments.next()) else {
        eprintln!("say the name of the program that will use the key, such as nightly-report");
        return ExitCode::FAILURE;
    };
    let key = ApiKey::generate();
    println!("{}", key.line(&name));
    eprintln!("the key of {name}, shown this once: {}", key.reveal());
    ExitCode::SUCCESS
}
