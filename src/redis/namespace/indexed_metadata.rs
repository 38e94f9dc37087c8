//! The indexes chosen for a namespace, as its meta key records them.

use crate::index::{ChosenIndexes, Dimension};

/// One line for the whole choice: each dimension between a plus and a colon, then each metadata key as its length in
/// bytes, a colon and the key. So different choices are different texts, whatever characters their keys hold.
pub(in crate::redis) fn recorded(chosen: &ChosenIndexes) -> String {
    let dimensions = chosen.dimensions().map(|dimension| format!("+{dimension}:"));
    dimensions.chain(chosen.metadata_keys().map(|key| format!("{}:{key}", key.len()))).collect()
}

/// The choice that [`recorded`] wrote; `None` if something else wrote the text.
pub(in crate::redis) fn read(recorded_text: &str) -> Option<ChosenIndexes> {
    let (mut chosen, mut keys, mut rest) = (ChosenIndexes::default(), Vec::new(), recorded_text);
    while let Some((name, after)) = rest.strip_prefix('+').and_then(|named| named.split_once(':')) {
        chosen = chosen.and(Dimension::ALL.into_iter().find(|dimension| dimension.as_str() == name)?);
        rest = after;
    }
    while !rest.is_empty() {
        let (length, after) = rest.split_once(':')?;
        let (key, after) = after.split_at_checked(length.parse().ok()?)?;
        keys.push(key);
        rest = after;
    }
    let chosen = chosen.and_metadata(keys);
    (recorded(&chosen) == recorded_text).then_some(chosen)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn choice() -> impl Strategy<Value = ChosenIndexes> {
        let key = prop_oneof!["[+a1:\n,]{0,3}", "\\PC{0,4}", Just("3:a\nb".to_owned())];
        let dimensions = proptest::sample::subsequence(vec![Dimension::CorrelationId, Dimension::Participant], 0..=2);
        (proptest::collection::vec(key, 0..4), dimensions).prop_map(|(keys, dimensions)| {
            dimensions.into_iter().fold(ChosenIndexes::metadata(keys), ChosenIndexes::and)
        })
    }

    proptest! {
        #[test]
        fn different_choices_are_recorded_differently_and_read_back(one in choice(), other in choice()) {
            prop_assert_eq!(recorded(&one) == recorded(&other), one == other);
            prop_assert_eq!(read(&recorded(&one)), Some(one));
        }

        #[test]
        fn what_nobody_recorded_is_not_read(text in "(\\+correlation-id:|\\+status:|\\+)?[0-3:a]{0,8}") {
            prop_assert!(read(&text).is_none_or(|chosen| recorded(&chosen) == text));
        }
    }

    #[test]
    fn keys_of_several_lines_and_empty_ones_are_told_apart() {
        let choices: [&[&str]; 5] = [&[], &[""], &["a\nb"], &["a", "b"], &["1:a"]];
        for (place, one) in choices.iter().enumerate() {
            for (other_place, other) in choices.iter().enumerate() {
                let [one, other] = [one, other].map(|keys| recorded(&ChosenIndexes::metadata(keys.iter().copied())));
                assert_eq!(one == other, place == other_place, "{one:?} and {other:?}");
            }
        }
        for foreign in [
            "a",
            "1:",
            "2:a",
            "01:a",
            "+1:a",
            "1:b1:a",
            "1:a1:a",
            "1:é",
            "+",
            "+status:",
            "+correlation-id",
            "1:a+correlation-id:",
            "+correlation-id:+correlation-id:",
            "+participant:+correlation-id:",
            "ticket\ntenant",
        ] {
            assert_eq!(read(foreign), None, "{foreign:?}");
        }
    }
}
