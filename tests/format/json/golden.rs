//! What holds for each golden file.

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;

use boon::{Compiler, SchemaIndex, Schemas};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

/// Who writes a value, which decides about unknown fields.
#[derive(Clone, Copy, PartialEq)]
pub enum Written {
    /// People: an unknown field is an error, however deep it is.
    ByPeople,
    /// Programs, maybe of a newer release: unknown fields are ignored.
    ByPrograms,
}

/// Text and opaque texts have no fields.
pub use Written::{ByPeople, ByPrograms};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/json").join(format!("{name}.json"))
}

/// The golden file has exactly this value, and the schema of what is written accepts it. A missing file is an error;
/// with `MUTATOR_WRITE_MISSING_JSON` it is written.
pub fn written<T: Serialize + JsonSchema>(name: &str, value: &T) -> Json {
    let text = serde_json::to_string_pretty(value).unwrap() + "\n";
    let path = path(name);
    if !path.exists() && std::env::var_os("MUTATOR_WRITE_MISSING_JSON").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(golden == text, "{name} is written differently:\n{text}");
    let json: Json = serde_json::from_str(&text).unwrap();
    Schema::of_written::<T>().accepts(name, &json);
    assert_has_no_empty_field(name, &json);
    json
}

/// The same, and what is read is equal.
pub fn returns<T>(name: &str, value: &T, by: Written)
where
    T: Serialize + DeserializeOwned + JsonSchema + PartialEq + Debug,
{
    returns_as(name, value, by, |read, value| assert_eq!(read, value, "{name}"));
}

/// The same for types without equality.
pub fn returns_as<T>(name: &str, value: &T, by: Written, is_same: impl Fn(&T, &T))
where
    T: Serialize + DeserializeOwned + JsonSchema,
{
    let json = written(name, value);
    let text = serde_json::to_string(value).unwrap();
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    is_same(&read, value);
    assert_eq!(serde_json::to_string(&read).unwrap(), text, "{name}");
    // Through a tree that sorts the keys, and with every field that may be missing given as null.
    is_same(&serde_json::from_value(serde_json::to_value(value).unwrap()).unwrap(), value);

    let schema = Schema::of_read::<T>();
    schema.accepts(name, &json);
    for place in objects(&json) {
        let mut other = json.clone();
        let object = other.pointer_mut(&place).unwrap().as_object_mut().unwrap();
        object.insert("not_in_this_release".to_owned(), Json::from(1));
        match (by, serde_json::from_value::<T>(other.clone())) {
            (Written::ByPrograms, Ok(read)) => {
                is_same(&read, value);
                schema.accepts(name, &other);
            }
            (Written::ByPrograms, Err(error)) => panic!("{name}: a field of a newer release in {place:?}: {error}"),
            (Written::ByPeople, Ok(_)) => panic!("{name}: nobody notices an unknown field in {place:?}"),
            (Written::ByPeople, Err(error)) => {
                assert!(error.to_string().contains("not_in_this_release"), "{name}, {place:?}: {error}");
                assert!(!place.is_empty() || !schema.is_met_by(&other), "{name}: the schema allows unknown fields");
            }
        }
    }
    for (place, tag) in tags(&json) {
        let mut other = json.clone();
        *other.pointer_mut(&place).unwrap() = Json::from("Nonsense");
        assert!(serde_json::from_value::<T>(other.clone()).is_err(), "{name}: {tag} {place:?} is not checked");
        assert!(!schema.is_met_by(&other), "{name}: the schema does not check {tag} {place:?}");
    }
}

/// Fields that hold what the application chose: no field of ours is inside.
const FREE: [&str; 9] =
    ["metadata", "intent_metadata", "data", "json", "by_status", "by_pending_reason", "due_within", "tags", "query"];

/// The places of all objects with fields of ours.
fn objects(json: &Json) -> Vec<String> {
    let mut found = Vec::new();
    walk(json, "", &mut |place, json| {
        if json.is_object() {
            found.push(place.to_owned());
        }
    });
    found
}

/// The places of all texts that select a variant.
fn tags(json: &Json) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(json, "", &mut |place, json| {
        let Some(object) = json.as_object() else { return };
        for tag in ["status", "action", "type", "phase"] {
            if object.get(tag).is_some_and(Json::is_string) {
                found.push((format!("{place}/{tag}"), tag.to_owned()));
            }
        }
    });
    found
}

fn walk(json: &Json, place: &str, visit: &mut impl FnMut(&str, &Json)) {
    visit(place, json);
    match json {
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{place}/{index}"), visit);
            }
        }
        Json::Object(fields) => {
            for (key, item) in fields.iter().filter(|(key, _)| !FREE.contains(&key.as_str())) {
                walk(item, &format!("{place}/{key}"), visit);
            }
        }
        _ => {}
    }
}

/// No null and no empty collection, but for lists that are the content of a page.
fn assert_has_no_empty_field(name: &str, json: &Json) {
    walk(json, "", &mut |place, json| {
        let is_empty = match json {
            Json::Null => !place.starts_with("/requests/"),
            Json::Array(items) => items.is_empty() && !["/items", "/entries", "/requests"].contains(&place),
            Json::Object(fields) => fields.is_empty() && !place.is_empty() && !place.ends_with("/data"),
            _ => false,
        };
        assert!(!is_empty, "{name}: {place} is empty");
    });
}

/// A compiled schema of a type.
struct Schema(Schemas, SchemaIndex);

impl Schema {
    fn of_written<T: JsonSchema>() -> Self {
        Self::of::<T>(SchemaSettings::draft2020_12().for_serialize())
    }

    fn of_read<T: JsonSchema>() -> Self {
        Self::of::<T>(SchemaSettings::draft2020_12().for_deserialize())
    }

    fn of<T: JsonSchema>(settings: SchemaSettings) -> Self {
        let schema = settings.into_generator().into_root_schema_for::<T>().to_value();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("http://localhost/schema.json", schema).unwrap();
        let index = compiler.compile("http://localhost/schema.json", &mut schemas);
        let index = index.unwrap_or_else(|error| panic!("schema of {}: {error:#}", T::schema_name()));
        Self(schemas, index)
    }

    fn is_met_by(&self, json: &Json) -> bool {
        self.0.validate(json, self.1).is_ok()
    }

    fn accepts(&self, name: &str, json: &Json) {
        self.0.validate(json, self.1).unwrap_or_else(|error| panic!("{name} does not fit its schema: {error:#}"));
    }
}
