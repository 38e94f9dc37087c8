//! `mutatorctl`, the operator's command line.

mod arguments;
mod commands;
mod configuration;
mod confirm;
mod connection;
mod failure;
mod filters;
mod keys;
mod progress;
mod session;
mod text;
mod values;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::session::Session;
use crate::text::{printable, without_login};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return command_line_error(&error),
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, Failure::OutputClosed) {
                // Nobody can be informed that they cannot be informed.
                let _ = writeln!(std::io::stderr(), "mutatorctl: {}", printable(without_login(&failure.to_string())));
            }
            failure.exit_code()
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut session = Session::new(arguments.general)?;
    arguments.command.run(&mut session)
}

/// Help and version too. A URL that stands where it does not belong is not repeated with its login.
fn command_line_error(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    let text = without_login(&text);
    let _ = if error.use_stderr() { write!(std::io::stderr(), "{text}") } else { write!(std::io::stdout(), "{text}") };
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
