//! A shell that outlives its test binary just long enough to clean up after it.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Runs a shell script whose standard input is a pipe from this process. The script waits for the end of that
/// input and then cleans up. The kernel closes the pipe however this process ends, so the clean-up always comes.
pub struct Supervisor {
    shell: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Supervisor {
    pub fn start(script: &str, arguments: &[&str]) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", script, "sh"])
            .args(arguments)
            // Ctrl-C in a terminal must reach the tests only; the shell then sees its input end.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`sh` starts");
        let input = shell.stdin.take();
        let output = BufReader::new(shell.stdout.take().expect("the output was piped"));
        Self { shell, input, output }
    }

    /// The next line that the script prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the supervisor prints text");
        line.trim_end().to_owned()
    }

    /// Lets the script clean up, and returns when it has.
    pub fn end(&mut self) {
        self.input = None;
        self.shell.wait().expect("the supervisor can be waited for");
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.end();
    }
}
