//! The text of JSON content, parsed and written.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::content::{MAX_DEPTH, Node};
use super::number::{Number, is_private};

/// The tree of this text, if the text is compact JSON with numbers that every program reads exactly.
pub(super) fn parse(text: &str) -> Option<Node> {
    let mut parser = Parser { rest: text };
    let root = parser.node(MAX_DEPTH)?;
    parser.rest.is_empty().then_some(root)
}

pub(super) fn write(node: &Node, to: &mut String) {
    match node {
        Node::Null => to.push_str("null"),
        Node::Bool(value) => to.push_str(if *value { "true" } else { "false" }),
        Node::Number(number) => to.push_str(&number.text()),
        Node::Text(text) => write_text(text, to),
        Node::List(items) => {
            to.push('[');
            for (place, item) in items.iter().enumerate() {
                to.push_str(if place > 0 { "," } else { "" });
                write(item, to);
            }
            to.push(']');
        }
        Node::Object(fields) => {
            to.push('{');
            for (place, (key, item)) in fields.iter().enumerate() {
                to.push_str(if place > 0 { "," } else { "" });
                write_text(key, to);
                to.push(':');
                write(item, to);
            }
            to.push('}');
        }
    }
}

fn write_text(text: &str, to: &mut String) {
    to.push('"');
    for character in text.chars() {
        match SHORT_ESCAPES.iter().find(|(_, escaped)| *escaped == character) {
            Some((letter, _)) => to.extend(['\\', *letter]),
            None if character < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(to, "\\u{:04x}", u32::from(character));
            }
            None => to.push(character),
        }
    }
    to.push('"');
}

const SHORT_ESCAPES: [(char, char); 7] =
    [('"', '"'), ('\\', '\\'), ('b', '\u{8}'), ('f', '\u{c}'), ('n', '\n'), ('r', '\r'), ('t', '\t')];

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn take(&mut self, expected: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    /// A value of which lists and objects nest at most this many levels.
    fn node(&mut self, levels: usize) -> Option<Node> {
        match self.rest.as_bytes().first()? {
            b'n' => self.take("null").map(|()| Node::Null),
            b't' => self.take("true").map(|()| Node::Bool(true)),
            b'f' => self.take("false").map(|()| Node::Bool(false)),
            b'"' => self.text().map(Node::Text),
            b'[' => {
                let mut items = Vec::new();
                self.series('[', ']', |parser| {
                    items.push(parser.node(levels.checked_sub(1)?)?);
                    Some(())
                })?;
                (levels > 0).then_some(Node::List(items))
            }
            b'{' => {
                let (mut fields, mut keys) = (Vec::new(), BTreeSet::new());
                self.series('{', '}', |parser| {
                    let key = parser.text()?;
                    parser.take(":")?;
                    (!is_private(&key)).then_some(())?;
                    keys.insert(key.clone()).then_some(())?;
                    fields.push((key, parser.node(levels.checked_sub(1)?)?));
                    Some(())
                })?;
                (levels > 0).then_some(Node::Object(fields))
            }
            _ => self.number().map(Node::Number),
        }
    }

    /// What stands between two brackets, with a comma between one part and the next.
    fn series(&mut self, open: char, close: char, mut part: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.rest = self.rest.strip_prefix(open)?;
        if let Some(rest) = self.rest.strip_prefix(close) {
            self.rest = rest;
            return Some(());
        }
        loop {
            part(self)?;
            if let Some(rest) = self.rest.strip_prefix(close) {
                self.rest = rest;
                return Some(());
            }
            self.take(",")?;
        }
    }

    fn number(&mut self) -> Option<Number> {
        let end = self.rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '.')).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Number::of_text(number)
    }

    /// Text with the escapes that `write_text` uses: any other is written differently.
    fn text(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut text = String::new();
        loop {
            let end = self.rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            let (plain, rest) = self.rest.split_at_checked(end)?;
            text.push_str(plain);
            let mut characters = rest.chars();
            match characters.next()? {
                '"' => {
                    self.rest = characters.as_str();
                    return Some(text);
                }
                '\\' => {
                    let letter = characters.next()?;
                    self.rest = characters.as_str();
                    text.push(match letter {
                        'u' => self.control_character()?,
                        _ => SHORT_ESCAPES.iter().find(|(short, _)| *short == letter)?.1,
                    });
                }
                _ => return None,
            }
        }
    }

    fn control_character(&mut self) -> Option<char> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
    }
}
