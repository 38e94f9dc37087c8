//! The keys of seals, from the file that the configuration names.

use std::path::Path;
use std::sync::Arc;

use mutator_governance::KeyId;
use mutator_governance::blocking::{Governance, RedisStore};
use mutator_governance::proof::SealKeys;

use crate::failure::Failure;
use crate::session::Session;

impl Session {
    /// The service with the keys of the configuration, if it names any, over this store.
    pub(crate) fn service(&self, store: RedisStore) -> Result<Governance, Failure> {
        let builder = Governance::builder().store(Arc::new(store));
        Ok(match &self.configuration.seal_keys {
            Some(file) => builder.seal_keys(read(&self.configuration.beside(file))?).build(),
            None => builder.build(),
        })
    }
}

/// A key on each line, by id and in hexadecimal digits.
fn read(file: &Path) -> Result<SealKeys, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
    parse(&text).map_err(|problem| Failure::Usage(format!("{} {problem}", file.display())))
}

/// No problem repeats what a line says: somebody may have written the key in the place of the id.
fn parse(text: &str) -> Result<SealKeys, String> {
    let mut keys = None;
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        keys = Some(with_line(keys, line.trim()).ok_or_else(|| {
            let (line, least) = (place + 1, SealKeys::MIN_BYTES);
            format!(
                "line {line}: write ID KEY: an id of its own, and at least {least} random bytes in hexadecimal digits"
            )
        })?);
    }
    keys.ok_or_else(|| "has no key: write ID KEY on a line".to_owned())
}

/// The keys with that of one more line.
fn with_line(keys: Option<SealKeys>, line: &str) -> Option<SealKeys> {
    let (id, digits) = line.split_once(char::is_whitespace)?;
    let (id, key) = (KeyId::new(id).ok()?, bytes(digits.trim())?);
    match keys {
        Some(keys) => keys.and_older(id, &key),
        None => SealKeys::new(id, &key),
    }
    .ok()
}

/// The bytes that hexadecimal digits stand for.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = digits
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_is_current_and_a_mistake_names_its_line_and_no_key() {
        let (one, two) = ("ab".repeat(32), "0F".repeat(40));
        let keys = parse(&format!("2026 {one}\n\n  2025\t{two}\n")).unwrap();
        assert_eq!(format!("{keys:?}"), "SealKeys { current: \"2026\", older: 1, .. }");
        for (text, said) in [
            (format!("2026 {one}\n2025 {two}x"), "line 2: write ID KEY"),
            (format!("2026 {one}a"), "line 1: "),
            (format!("2026 {one}\n2026 {two}"), "line 2: "),
            (one.clone(), "line 1: "),
            (format!("{one} 2026"), "line 1: "),
            ("2026 abab".to_owned(), "at least 32 random bytes"),
            ("\n".to_owned(), "has no key"),
        ] {
            let problem = parse(&text).unwrap_err();
            assert!(problem.contains(said) && !problem.contains(&one) && !problem.contains("abab"), "{problem}");
        }
    }
}
