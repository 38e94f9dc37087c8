//! Agents: processes of their own on a store that outlives them; else threads or tasks that leave everything behind.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::{Killed, SENDS};
use crate::support::{Place, Result, Servers, say};

/// What makes this program an agent instead of the story.
const AS_AGENT: &str = "--agent";

/// Where an agent says what it does.
#[derive(Clone)]
pub enum Journal {
    /// Its output, which the story reads.
    Output,
    /// A channel to the story within the same process.
    Channel(Sender<String>),
}

impl Journal {
    pub fn line(&self, line: String) {
        match self {
            Self::Output => say!("{line}"),
            // Nobody listens to an agent that the story has killed.
            Self::Channel(story) => drop(story.send(line)),
        }
    }
}

/// The agent that this process is to be, if the story has started it.
pub struct AgentProcess {
    pub place: Place,
    pub step: String,
    pub killed: Killed,
}

impl AgentProcess {
    /// Reads the arguments. From now on the process ends when the story does, so that no agent outlives it.
    ///
    /// # Errors
    /// If the arguments are not those that [`Agent::start`] gives.
    pub fn from_arguments() -> Result<Option<Self>> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if arguments.first().is_none_or(|first| first != AS_AGENT) {
            return Ok(None);
        }
        let [_, namespace, step, killed] = arguments.as_slice() else {
            return Err("an agent has three arguments".into());
        };
        let killed = match killed.as_str() {
            "RightAfterTheDecision" => Killed::RightAfterTheDecision,
            "WhileItWaits" => Killed::WhileItWaits,
            _ => Killed::Never,
        };
        std::thread::spawn(|| {
            let _ended = std::io::stdin().read(&mut [0]);
            std::process::exit(1);
        });
        let servers = Servers::from_environment().ok_or("an agent is given the servers of its story")?;
        let place = Place::Redis { servers, namespace: namespace.clone() };
        Ok(Some(Self { place, step: step.clone(), killed }))
    }
}

/// A running agent, as the story sees it.
pub struct Agent {
    lines: Receiver<String>,
    process: Option<Child>,
}

impl Agent {
    /// Starts an agent that makes the call of this step: a process, or what `within` starts in this one.
    ///
    /// # Errors
    /// If no process can be started.
    pub fn start(place: &Place, step: &str, killed: Killed, within: impl FnOnce(Journal)) -> Result<Self> {
        let (story, lines) = channel();
        let Place::Redis { namespace, .. } = place else {
            within(Journal::Channel(story));
            return Ok(Self { lines, process: None });
        };
        let arguments = [AS_AGENT, namespace, step, &format!("{killed:?}")];
        let mut agent = Command::new(std::env::current_exe()?);
        agent.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = agent.spawn()?;
        let output = process.stdout.take().ok_or("an agent has no output")?;
        std::thread::spawn(move || {
            BufReader::new(output).lines().map_while(std::io::Result::ok).try_for_each(|line| story.send(line))
        });
        Ok(Self { lines, process: Some(process) })
    }

    /// What it says until it says this; the agent does nothing more by itself then.
    ///
    /// # Errors
    /// If it ends before.
    pub fn until(&self, words: &str) -> Result<Vec<String>> {
        let mut said = Vec::new();
        while let Ok(line) = self.lines.recv() {
            said.push(line);
            if said.last().is_some_and(|line| line.starts_with(words)) {
                return Ok(said);
            }
        }
        Err(format!("an agent ended before it said {words:?}: {said:?}").into())
    }

    /// Kills the process, with everything that it knew; an agent in this process has ended, and left everything behind.
    ///
    /// # Errors
    /// If the process cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        if let Some(process) = &mut self.process {
            process.kill()?;
            process.wait()?;
        }
        while self.lines.recv().is_ok() {}
        Ok(())
    }

    /// What it says until it has ended by itself.
    ///
    /// # Errors
    /// If it failed.
    pub fn finish(mut self) -> Result<Vec<String>> {
        let said: Vec<String> = self.lines.iter().collect();
        if let Some(process) = &mut self.process
            && !process.wait()?.success()
        {
            return Err(format!("an agent failed after it said {said:?}").into());
        }
        Ok(said)
    }
}

/// Prints what an agent said, and returns how many mails it sent.
pub fn show(name: &str, said: &[String]) -> usize {
    for line in said {
        say!("    {name} {line}");
    }
    said.iter().filter(|line| line.starts_with(SENDS)).count()
}
