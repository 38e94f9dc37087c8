//! `completions` and `man`: what is made of the command line itself.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::{Failure, of_output};
use crate::session::Session;

#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Args)]
pub(crate) struct Man {
    /// Writes mutatorctl.1 and one page for each command here
    directory: Option<PathBuf>,
}

impl Completions {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "mutatorctl", &mut script);
        session.print(String::from_utf8_lossy(&script))
    }
}

impl Man {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let Some(directory) = &self.directory else {
            let mut page = Vec::new();
            let man = clap_mangen::Man::new(Arguments::command());
            man.render(&mut page).map_err(|error| of_output(&error))?;
            return session.print(String::from_utf8_lossy(&page));
        };
        let on_disk = |error: std::io::Error| Failure::file(directory, &error);
        std::fs::create_dir_all(directory).map_err(on_disk)?;
        clap_mangen::generate_to(Arguments::command(), directory).map_err(on_disk)
    }
}
