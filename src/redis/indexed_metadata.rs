//! The metadata keys that a namespace indexes, as its meta key records them.

use crate::query::IndexedMetadata;

/// One line for the whole choice: each key as its length in bytes, a colon and the key, so that different choices are
/// different texts whatever characters their keys hold.
pub(super) fn recorded(chosen: &IndexedMetadata) -> String {
    chosen.iter().flat_map(|key| [key.len().to_string(), ":".to_owned(), key.to_string()]).collect()
}

/// The choice that [`recorded`] wrote; none when the text was written by something else.
pub(super) fn read(recorded_text: &str) -> Option<IndexedMetadata> {
    let (mut keys, mut rest) = (Vec::new(), recorded_text);
    while !rest.is_empty() {
        let (length, behind) = rest.split_once(':')?;
        let (key, behind) = behind.split_at_checked(length.parse().ok()?)?;
        keys.push(key);
        rest = behind;
    }
    let chosen = IndexedMetadata::keys(keys);
    (recorded(&chosen) == recorded_text).then_some(chosen)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn choice() -> impl Strategy<Value = Vec<String>> {
        let key = prop_oneof!["[a1:\n,]{0,3}", "\\PC{0,4}", Just("3:a\nb".to_owned())];
        proptest::collection::vec(key, 0..4)
    }

    proptest! {
        #[test]
        fn different_choices_are_recorded_differently_and_read_back(one in choice(), other in choice()) {
            let (one, other) = (IndexedMetadata::keys(one), IndexedMetadata::keys(other));
            prop_assert_eq!(recorded(&one) == recorded(&other), one == other);
            prop_assert_eq!(read(&recorded(&one)), Some(one));
        }

        #[test]
        fn what_nobody_recorded_is_not_read(text in "[0-3:a]{0,8}") {
            prop_assert!(read(&text).is_none_or(|chosen| recorded(&chosen) == text));
        }
    }

    #[test]
    fn keys_of_several_lines_and_empty_ones_are_told_apart() {
        let choices: [&[&str]; 5] = [&[], &[""], &["a\nb"], &["a", "b"], &["1:a"]];
        for (place, one) in choices.iter().enumerate() {
            for (other_place, other) in choices.iter().enumerate() {
                let [one, other] = [one, other].map(|keys| recorded(&IndexedMetadata::keys(keys.iter().copied())));
                assert_eq!(one == other, place == other_place, "{one:?} and {other:?}");
            }
        }
        for foreign in ["a", "1:", "2:a", "01:a", "+1:a", "1:b1:a", "1:a1:a", "1:é", "ticket\ntenant"] {
            assert_eq!(read(foreign), None, "{foreign:?}");
        }
    }
}
