//! Objects that hold the fields of one value and, beside them, one further field.

use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IntoDeserializer as _, MapAccess, Visitor};

/// Reads the field of this name, and the value that all other fields make up.
///
/// `#[serde(flatten)]` would buffer them all, and then cannot read numbers if any crate in the build turns on
/// `serde_json/arbitrary_precision`.
pub(crate) fn read_beside<'de, D, Field, Rest>(deserializer: D, name: &'static str) -> Result<(Field, Rest), D::Error>
where
    D: Deserializer<'de>,
    Field: Deserialize<'de>,
    Rest: Deserialize<'de>,
{
    let (found, rest) = read_beside_if_there(deserializer, name)?;
    Ok((found.ok_or_else(|| D::Error::missing_field(name))?, rest))
}

/// The same for a field that may be missing.
pub(crate) fn read_beside_if_there<'de, D, Field, Rest>(
    deserializer: D,
    name: &'static str,
) -> Result<(Option<Field>, Rest), D::Error>
where
    D: Deserializer<'de>,
    Field: Deserialize<'de>,
    Rest: Deserialize<'de>,
{
    deserializer.deserialize_map(BesideVisitor { name, types: PhantomData })
}

struct BesideVisitor<Field, Rest> {
    name: &'static str,
    types: PhantomData<(Field, Rest)>,
}

impl<'de, Field: Deserialize<'de>, Rest: Deserialize<'de>> Visitor<'de> for BesideVisitor<Field, Rest> {
    type Value = (Option<Field>, Rest);

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an object with {}", self.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        let others = Others { map, name: self.name, found: &mut found };
        let rest = Rest::deserialize(MapAccessDeserializer::new(others))?;
        Ok((found, rest))
    }
}

/// All fields but one, which it puts aside.
struct Others<'a, A, Field> {
    map: A,
    name: &'static str,
    found: &'a mut Option<Field>,
}

impl<'de, A: MapAccess<'de>, Field: Deserialize<'de>> MapAccess<'de> for Others<'_, A, Field> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.map.next_key::<String>()? {
            if key != self.name {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            if self.found.replace(self.map.next_value()?).is_some() {
                return Err(A::Error::duplicate_field(self.name));
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
