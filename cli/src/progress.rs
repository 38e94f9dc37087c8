//! Long work: a bar on the terminal, and an end between two steps when somebody interrupts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;

const BAR: &str = "{msg:<12} {bar:32} {human_pos}/{human_len}  {percent}%  {eta} left";
const SPINNER: &str = "{msg:<12} {spinner} {human_pos} so far  {elapsed}";

/// Work in steps. The bar is drawn to standard error, and only if that is a terminal.
#[derive(Clone)]
pub(crate) struct LongWork {
    bar: ProgressBar,
    is_interrupted: Arc<AtomicBool>,
}

impl LongWork {
    /// From here on Ctrl-C does not end the program at once; a second one does.
    pub(crate) fn begin() -> Result<Self, Failure> {
        let is_interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_interrupted);
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        })
        .map_err(|error| Failure::File(format!("Ctrl-C cannot be caught: {error}")))?;
        let bar = ProgressBar::no_length();
        bar.set_style(style(SPINNER));
        Ok(Self { bar, is_interrupted })
    }

    /// Draws how far the work is.
    pub(crate) fn show(&self, what: &'static str, done: u64, total: Option<u64>) {
        if self.bar.length() != total {
            if let Some(total) = total {
                self.bar.set_length(total);
                self.bar.set_style(style(BAR));
            } else {
                self.bar.unset_length();
                self.bar.set_style(style(SPINNER));
            }
        }
        self.bar.set_message(what);
        self.bar.set_position(done);
    }

    /// Takes the bar away while something is printed.
    pub(crate) fn pause<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.is_interrupted.load(Ordering::SeqCst)
    }

    /// Ends the program after a step, where the library offers no other way to stop between two steps.
    pub(crate) fn exit_if_interrupted(&self, how_to_go_on: &str) {
        if self.is_interrupted() {
            self.end();
            crate::session::note(how_to_go_on);
            std::process::exit(130);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    // A template that does not fit is a mistake of this file, which a test finds.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▉▊▋▌▍▎▏ ")
}

/// The command line of this call with an option that makes it go on, without the URL.
pub(crate) fn command_to_go_on(with: &str) -> String {
    command_line(std::env::args().skip(1), with)
}

fn command_line(arguments: impl Iterator<Item = String>, with: &str) -> String {
    let mut line = vec!["mutatorctl".to_owned()];
    let mut arguments = arguments.filter(|argument| !argument.starts_with("--url=") && argument != with);
    while let Some(argument) = arguments.next() {
        if argument == "--url" {
            arguments.next();
        } else if argument.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:,".contains(c)) && !argument.is_empty() {
            line.push(argument);
        } else {
            line.push(format!("'{}'", argument.replace('\'', r"'\''")));
        }
    }
    if !with.is_empty() {
        line.push(with.to_owned());
    }
    line.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_can_be_read() {
        for template in [BAR, SPINNER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn the_command_to_go_on_can_be_pasted_and_has_no_url() {
        let words = ["--url", "redis://:secret@h", "export", "it's here", "--url=redis://:secret@h", "--resume"];
        let line = command_line(words.into_iter().map(str::to_owned), "--resume");
        assert_eq!(line, r"mutatorctl export 'it'\''s here' --resume");
    }
}
