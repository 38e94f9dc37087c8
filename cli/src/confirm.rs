//! Asks before anything is changed.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::Args;

use crate::failure::Failure;
use crate::text::printable;

/// How a change is confirmed.
#[derive(Args, Clone, Copy, Default)]
pub(crate) struct Confirmation {
    /// Does not ask before it changes anything
    #[arg(long, short)]
    pub(crate) yes: bool,
}

impl Confirmation {
    /// Asks, unless `--yes` was given.
    ///
    /// # Errors
    /// [`Failure::NotConfirmed`] when the answer is anything but yes, and when nobody can be asked.
    pub(crate) fn ask(self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            let problem = "nobody can be asked without a terminal, so nothing was changed: give --yes to confirm it";
            return Err(Failure::NotConfirmed(problem.to_owned()));
        }
        let mut answer = String::new();
        let asked = write!(io::stderr(), "{} [y/N] ", printable(question)).and_then(|()| io::stderr().flush());
        let answered = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
        let is_yes = ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str());
        if answered.is_ok() && is_yes {
            return Ok(());
        }
        Err(Failure::NotConfirmed("not confirmed; nothing was changed".to_owned()))
    }
}
