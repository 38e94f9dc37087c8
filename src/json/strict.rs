//! Reads what people write: a field that nothing reads is an error, however deep it is.

use serde::de::{Deserialize, Deserializer, Error as _};

/// A value of which every field must be known.
///
/// The types inside also occur in what newer releases write, where unknown fields are tolerated, so they cannot refuse
/// them on their own.
pub(crate) struct Strict<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Strict<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut unknown = None;
        let value = serde_ignored::deserialize(deserializer, |path: serde_ignored::Path<'_>| {
            // An optional value adds `?` to the path.
            unknown.get_or_insert_with(|| path.to_string().replace(".?", "").replace('?', ""));
        });
        // Also if reading failed: a misspelt field is why another is missing.
        match unknown {
            Some(path) => {
                Err(D::Error::custom(format_args!("unknown field `{path}`; correct its name, or leave it out")))
            }
            None => value.map(Self),
        }
    }
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Strict<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = T::json_schema(generator);
        schema.insert("additionalProperties".to_owned(), false.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::Strict;

    #[derive(Deserialize)]
    struct Outer {
        #[serde(default)]
        inner: Vec<Inner>,
        optional: Option<Inner>,
    }

    #[derive(Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only read")]
        known: u8,
    }

    #[test]
    fn the_first_field_that_nothing_reads_is_named_by_its_path() {
        let read = |json: &str| serde_json::from_str::<Strict<Outer>>(json).map(|strict| strict.0);
        let good = read(r#"{"inner":[{"known":1}],"optional":null}"#).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((good.inner.len(), good.optional.is_none()), (1, true));
        for (json, path) in [
            (r#"{"iner":[]}"#, "iner"),
            (r#"{"inner":[{"knwon":1}]}"#, "inner.0.knwon"),
            (r#"{"inner":[{"known":1},{"known":1,"other":2}]}"#, "inner.1.other"),
            (r#"{"optional":{"known":1,"other":2}}"#, "optional.other"),
        ] {
            let error = read(json).map(drop).unwrap_err().to_string();
            assert!(error.starts_with(&format!("unknown field `{path}`")), "{error}");
        }
    }
}
