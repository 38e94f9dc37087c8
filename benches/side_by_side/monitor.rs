//! What a script of ours does to the server, as the server itself tells it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

/// Listens to every command of a server, those of scripts included.
pub(crate) struct Monitor {
    lines: BufReader<TcpStream>,
    control: redis::Connection,
}

/// One command: its name and its arguments.
pub(crate) type Command = Vec<Vec<u8>>;

const END: &str = "the bench has done what it wanted to be heard";

impl Monitor {
    pub(crate) fn start(port: u16, control: redis::Connection) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(b"MONITOR\r\n").unwrap();
        let mut lines = BufReader::new(stream);
        let mut answer = String::new();
        lines.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim_end(), "+OK");
        Self { lines, control }
    }

    /// The commands that scripts sent while `work` ran.
    pub(crate) fn hear(&mut self, mut work: impl FnMut()) -> Vec<Command> {
        work();
        redis::cmd("ECHO").arg(END).exec(&mut self.control).unwrap();
        let mut heard = Vec::new();
        loop {
            let mut line = Vec::new();
            assert_ne!(self.lines.read_until(b'\n', &mut line).unwrap(), 0, "the server ended");
            let text = String::from_utf8_lossy(&line);
            if text.contains(END) {
                return heard;
            }
            if text.split(']').next().is_some_and(|source| source.ends_with(" lua")) {
                heard.push(words(&line));
            }
        }
    }
}

/// The quoted words of a line, with the escapes of `sdscatrepr` undone.
fn words(line: &[u8]) -> Command {
    let mut words = Vec::new();
    let mut bytes = line.iter().copied();
    while bytes.by_ref().any(|byte| byte == b'"') {
        let mut word = Vec::new();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => break,
                b'\\' => word.push(unescaped(&mut bytes)),
                plain => word.push(plain),
            }
        }
        words.push(word);
    }
    words
}

fn unescaped(bytes: &mut impl Iterator<Item = u8>) -> u8 {
    let mut hexadecimal = || char::from(bytes.next().unwrap());
    match hexadecimal() {
        'x' => {
            let digits = String::from_iter([hexadecimal(), hexadecimal()]);
            u8::from_str_radix(&digits, 16).unwrap()
        }
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'a' => 7,
        'b' => 8,
        plain => u8::try_from(plain).unwrap(),
    }
}
