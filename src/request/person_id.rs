//! Which characters ids of actors, roles and groups may contain, so that ids that look the same are the same.

use unicode_normalization::is_nfc;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

const ALLOWED: &str = "allowed is text without control, format, private-use, unassigned and invisible characters, and \
                       without white space other than U+0020 between other characters";

/// Why this text, which is neither blank nor too long, is not a valid id.
pub(super) fn problem_of(text: &str) -> Option<String> {
    let mut characters = text.chars();
    let ends = [("begins", characters.next()), ("ends", characters.next_back())];
    for (end, character) in ends {
        if let Some(character) = character.filter(|character| character.is_whitespace()) {
            let (text, name) = (shown(text), code_point(character));
            return Some(format!("{text} {end} with {name}, which is white space; {ALLOWED}"));
        }
    }
    let offender = (1..).zip(text.chars()).find_map(|(place, character)| Some((place, character, kind_of(character)?)));
    if let Some((place, character, kind)) = offender {
        let (text, name) = (shown(text), code_point(character));
        return Some(format!("{text} has {name}, {kind}, as character {place}; {ALLOWED}"));
    }
    let (place, character) = first_not_normalized(text)?;
    let (text, name) = (shown(text), code_point(character));
    Some(format!(
        "{text} is not in Unicode normalization form NFC: {name} as character {place} has another form there; normalize the \
         text before it names anybody"
    ))
}

/// The text in quotes, with nothing hidden and no changed direction.
fn shown(text: &str) -> String {
    let mut shown = String::from('"');
    for character in text.chars() {
        match kind_of(character) {
            Some(_) => shown.extend(character.escape_unicode()),
            None => shown.extend(character.escape_debug()),
        }
    }
    shown.push('"');
    shown
}

/// The kind of a character that no id may contain.
fn kind_of(character: char) -> Option<&'static str> {
    match character.general_category() {
        GeneralCategory::Control => Some("a control character"),
        GeneralCategory::Format => Some("a format character"),
        GeneralCategory::PrivateUse => Some("a private-use character"),
        GeneralCategory::Unassigned | GeneralCategory::Surrogate => Some("an unassigned character"),
        _ if character != ' ' && character.is_whitespace() => Some("white space other than U+0020"),
        _ if is_invisible(character) => Some("an invisible character"),
        _ => None,
    }
}

/// Invisible letters, marks and symbols: those with the property `Default_Ignorable_Code_Point`, and a few that are
/// blank without it.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{fffc}'
            | '\u{16fe4}'
            | '\u{1d159}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The position and character at which the text leaves NFC.
fn first_not_normalized(text: &str) -> Option<(usize, char)> {
    if is_nfc(text) {
        return None;
    }
    let mut begun = String::with_capacity(text.len());
    (1..).zip(text.chars()).find(|(_, character)| {
        begun.push(*character);
        !is_nfc(&begun)
    })
}

fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{ActorId, Group, QuorumGroup, Role, StateId};

    /// The error of each type that names people, which all have the same rule.
    fn rejected(text: &str) -> String {
        let errors = [
            ActorId::new(text).unwrap_err().to_string(),
            Role::new(text).unwrap_err().to_string(),
            Group::new(text).unwrap_err().to_string(),
            QuorumGroup::new(text).unwrap_err().to_string(),
        ];
        let problems: Vec<&str> = ["actor id ", "role ", "group ", "quorum group "]
            .into_iter()
            .zip(&errors)
            .map(|(field, error)| error.strip_prefix(field).unwrap_or_else(|| panic!("{error}")))
            .collect();
        assert!(problems.iter().all(|problem| *problem == problems[0]), "{errors:?}");
        problems[0].to_owned()
    }

    #[test]
    fn ids_of_the_world_are_ids() {
        for id in [
            "rita@example.com",
            "Rita@Example.com",
            "Domain Users",
            "CN=Ops,OU=Zürich",
            "Ελένη",
            "Анна",
            "İpek",
            "ılgın",
            "王小明",
            "김철수",
            "नमन",
            "שרה",
            "مريم",
            "𠮷田",
            "👩",
            "Nguyễn",
            "a",
            "é",
            "auth0|5f7c8ec7c33c6c004bbafe82",
        ] {
            for named in [ActorId::new(id).map(String::from), Role::new(id).map(String::from)] {
                assert_eq!(named.unwrap(), id);
            }
        }
    }

    #[test]
    fn outer_white_space_is_rejected_whatever_it_is() {
        for space in (0..=u32::from(char::MAX)).filter_map(char::from_u32).filter(|c| c.is_whitespace()) {
            let name = code_point(space);
            assert!(rejected(&format!("rita{space}")).contains(&format!("ends with {name}, which is white space")));
            assert!(rejected(&format!("{space}rita")).contains(&format!("begins with {name}, which is white space")));
            assert!(rejected(&format!("é{space}")).contains(&format!("ends with {name}")));
            assert_eq!(ActorId::new(format!("mona{space}lisa")).is_ok(), space == ' ', "{name}");
        }
    }

    #[test]
    fn the_error_names_the_field_the_character_and_its_place() {
        assert_eq!(
            ActorId::new("rita\u{200b}").unwrap_err().to_string(),
            format!(r#"actor id "rita\u{{200b}}" has U+200B, a format character, as character 5; {ALLOWED}"#)
        );
        for (character, kind) in [
            ('\u{0}', "a control character"),
            ('\u{7f}', "a control character"),
            ('\u{9b}', "a control character"),
            ('\u{ad}', "a format character"),
            ('\u{61c}', "a format character"),
            ('\u{200d}', "a format character"),
            ('\u{202e}', "a format character"),
            ('\u{2066}', "a format character"),
            ('\u{feff}', "a format character"),
            ('\u{e0041}', "a format character"),
            ('\u{e000}', "a private-use character"),
            ('\u{10fffd}', "a private-use character"),
            ('\u{378}', "an unassigned character"),
            ('\u{ffff}', "an unassigned character"),
            ('\u{a0}', "white space other than U+0020"),
            ('\u{2007}', "white space other than U+0020"),
            ('\u{3000}', "white space other than U+0020"),
            ('\u{2028}', "white space other than U+0020"),
            ('\u{34f}', "an invisible character"),
            ('\u{115f}', "an invisible character"),
            ('\u{3164}', "an invisible character"),
            ('\u{ffa0}', "an invisible character"),
            ('\u{fe0f}', "an invisible character"),
            ('\u{e0100}', "an invisible character"),
            ('\u{180b}', "an invisible character"),
            ('\u{2800}', "an invisible character"),
        ] {
            let expected = format!("has {}, {kind}, as character 3;", code_point(character));
            let problem = rejected(&format!("ri{character}ta"));
            assert!(problem.contains(&expected), "{problem}");
            // The error itself shows what cannot be seen, and turns no text around.
            assert!(!problem.contains(character), "{problem:?}");
        }
    }

    #[test]
    fn another_normalization_form_is_rejected_where_it_shows() {
        let decomposed = rejected("rene\u{301}");
        assert!(decomposed.contains("is not in Unicode normalization form NFC: U+0301 as character 5"), "{decomposed}");
        assert_eq!(ActorId::new("rené").unwrap(), "rené");
        for (text, name) in [
            ("\u{212a}elvin", "U+212A as character 1"),
            ("\u{1100}\u{1161}", "U+1161 as character 2"),
            ("a\u{315}\u{300}", "U+0300 as character 3"),
            ("\u{f900}", "U+F900 as character 1"),
        ] {
            assert!(rejected(text).contains(name), "{text:?}: {}", rejected(text));
        }
    }

    #[test]
    fn no_allowed_id_begins_or_ends_like_another_or_hides_a_character() {
        for character in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            if ActorId::new(character.to_string()).is_ok() {
                assert!(!character.is_whitespace() && !character.is_control() && !is_invisible(character));
                assert!(kind_of(character).is_none() && is_nfc(&character.to_string()), "{character:?}");
            }
        }
    }

    #[test]
    fn what_names_nobody_keeps_its_rule() {
        assert!(StateId::new("rene\u{301} \u{200b}").is_ok());
    }

    #[test]
    fn json_is_checked_too() {
        let error = serde_json::from_str::<ActorId>("\"rita\u{200b}\"").unwrap_err().to_string();
        assert!(error.contains("U+200B"), "{error}");
    }
}
