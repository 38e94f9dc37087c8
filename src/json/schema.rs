//! Schemas of values that serialise as text.

/// The serde form of a type is the text that it prints and parses; its schema is a text.
macro_rules! serde_as_text {
    ($name:ident, $schema:tt) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::json::parse_text(deserializer)
            }
        }

        $crate::json::schema_of_text!($name, $schema);
    };
}

/// The schema of a type.
macro_rules! schema_of_text {
    ($name:ident, $schema:tt) => {
        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

pub(crate) use {schema_of_text, serde_as_text};
