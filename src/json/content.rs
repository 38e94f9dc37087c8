//! JSON content that stands in a document as JSON, although its bytes count.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::content_text::{parse, write};
use super::number::{Number, number_text};

/// How many levels lists and objects may nest. Readers of JSON have limits too, often of 128.
pub(super) const MAX_DEPTH: usize = 64;

/// How many keys `key_order` lists at most when content is written: each is looked up in the list.
const MAX_ORDERED_KEYS: usize = 256;

/// Content as a tree, from which its bytes follow: compact JSON, the keys of each object sorted by their bytes, or in
/// the order of `key_order`. So no program that reads and writes the tree can change the bytes, in whatever order it
/// keeps the keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Content {
    pub(crate) root: Node,
    /// The order of the keys; empty if they are sorted.
    pub(crate) key_order: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// Each key once, in the order of the content.
    Object(Vec<(String, Node)>),
}

impl Content {
    /// The content with exactly these bytes, if there is one.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let root = parse(std::str::from_utf8(bytes).ok()?)?;
        let content = Self { key_order: if root.is_sorted() { Vec::new() } else { key_order(&root)? }, root };
        (content.to_bytes() == bytes).then_some(content)
    }

    /// The content that was read as this tree, with the keys in this order.
    ///
    /// # Errors
    /// When the order lacks a key of the tree.
    pub(crate) fn of_tree(mut root: Node, key_order: Vec<String>) -> Result<Self, String> {
        let ranks: BTreeMap<&str, usize> =
            key_order.iter().enumerate().map(|(rank, key)| (key.as_str(), rank)).collect();
        root.sort(&ranks)?;
        Ok(Self { root, key_order })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        write(&self.root, &mut text);
        text.into_bytes()
    }
}

impl Node {
    fn is_sorted(&self) -> bool {
        match self {
            Self::List(items) => items.iter().all(Self::is_sorted),
            Self::Object(fields) => {
                fields.is_sorted_by(|(one, _), (other, _)| one < other)
                    && fields.iter().all(|(_, item)| item.is_sorted())
            }
            _ => true,
        }
    }

    /// Sorts the keys of every object by their rank, or by their bytes if there are no ranks.
    fn sort(&mut self, ranks: &BTreeMap<&str, usize>) -> Result<(), String> {
        match self {
            Self::List(items) => items.iter_mut().try_for_each(|item| item.sort(ranks)),
            Self::Object(fields) => {
                if ranks.is_empty() {
                    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
                } else if let Some((key, _)) = fields.iter().find(|(key, _)| !ranks.contains_key(key.as_str())) {
                    return Err(format!("key_order lacks the key {key:?}; name every key, or leave key_order out"));
                } else {
                    fields.sort_by_key(|(key, _)| ranks.get(key.as_str()));
                }
                fields.iter_mut().try_for_each(|(_, item)| item.sort(ranks))
            }
            _ => Ok(()),
        }
    }

    fn each_object(&self, visit: &mut impl FnMut(&[(String, Self)])) {
        match self {
            Self::List(items) => items.iter().for_each(|item| item.each_object(visit)),
            Self::Object(fields) => {
                visit(fields);
                for (_, item) in fields {
                    item.each_object(visit);
                }
            }
            _ => {}
        }
    }
}

/// One order that the keys of all objects follow, if the objects agree and have few enough.
fn key_order(root: &Node) -> Option<Vec<String>> {
    let mut order: Vec<String> = Vec::new();
    root.each_object(&mut |fields| {
        // A key that is new comes right after the one before it in its object.
        let mut next = 0;
        for (key, _) in fields {
            if order.len() > MAX_ORDERED_KEYS {
                return;
            }
            let place = order.iter().position(|known| known == key).unwrap_or_else(|| {
                order.insert(next, key.clone());
                next
            });
            next = place + 1;
        }
    });
    if order.len() > MAX_ORDERED_KEYS {
        return None;
    }
    let ranks: BTreeMap<&str, usize> = order.iter().enumerate().map(|(rank, key)| (key.as_str(), rank)).collect();
    let mut agree = true;
    root.each_object(&mut |fields| agree &= fields.is_sorted_by_key(|(key, _)| ranks.get(key.as_str())));
    agree.then_some(order)
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(Number::Integer(integer)) => serializer.serialize_i64(*integer),
            Self::Number(Number::Decimal(decimal)) => serializer.serialize_f64(*decimal),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                fields.iter().try_for_each(|(key, item)| map.serialize_entry(key, item))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Levels(MAX_DEPTH).deserialize(deserializer)
    }
}

/// Reads a tree of at most this many levels.
#[derive(Clone, Copy)]
struct Levels(usize);

impl<'de> DeserializeSeed<'de> for Levels {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Levels {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let too_deep =
            || E::custom(format_args!("JSON content nests deeper than {MAX_DEPTH} levels; give it as base64"));
        self.0.checked_sub(1).map(Self).ok_or_else(too_deep)
    }
}

fn number<E: Error>(text: &str) -> Result<Node, E> {
    Number::of_text(text).map(Node::Number).ok_or_else(|| {
        E::custom(format_args!(
            "not every program reads the number {text} exactly; give an integer below 2^53, a decimal of up to 15 \
             digits, or the content as base64"
        ))
    })
}

impl<'de> Visitor<'de> for Levels {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        number(&value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        number(&value.to_string())
    }

    /// The text of 10.0 is `10`, as in most programs.
    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        number(&(value + 0.0).to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let (mut items, inner) = (Vec::new(), self.inner()?);
        while let Some(item) = list.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let (mut fields, mut keys, inner) = (Vec::new(), BTreeSet::new(), self.inner()?);
        while let Some(key) = map.next_key::<String>()? {
            if fields.is_empty() && number_text(&key) {
                return number(&map.next_value::<String>()?);
            }
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("the key {key:?} occurs twice")));
            }
            fields.push((key, map.next_value_seed(inner)?));
        }
        Ok(Node::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;

    /// As a payload does it: the tree and the order go through JSON, and through a map that sorts the keys.
    fn returns(bytes: &[u8]) -> bool {
        let Some(content) = Content::of_bytes(bytes) else { return false };
        let json = serde_json::to_string(&content.root).unwrap();
        let sorted: Json = serde_json::from_str(&json).unwrap();
        for read in [serde_json::from_str(&json).unwrap(), serde_json::from_value::<Node>(sorted).unwrap()] {
            let read = Content::of_tree(read, content.key_order.clone()).unwrap();
            assert_eq!(read.to_bytes(), bytes, "{json}");
        }
        true
    }

    #[test]
    fn only_content_whose_bytes_return_is_embedded() {
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for good in [
            "null",
            "[]",
            "{}",
            r#""text""#,
            r#"{"a":1,"b":[true,false,null,0.5,-3]}"#,
            r#"{"b":{"z":1,"y":2},"a":1}"#,
            r#"[{"a":1,"c":2},{"a":1,"b":2,"c":3},{"b":1}]"#,
            r#"{"quote":"\"\\/\b\f\n\r\t\u0000\u001f é𝄞"}"#,
            &deep(MAX_DEPTH),
        ] {
            assert!(returns(good.as_bytes()), "{good}");
        }
        for other in [
            "",
            " 1",
            "1 ",
            "{\"a\": 1}",
            r#"{"a":1,"a":1}"#,
            r#"[{"b":1,"a":2},{"a":1,"b":2}]"#,
            r#""\/""#,
            r#""\u00e9""#,
            r#""\u001F""#,
            r#""\u000a""#,
            r#""\ud834\udd1e""#,
            "\"\n\"",
            "1.0",
            "-0",
            "1e2",
            "12345678901234567890",
            "0.12345678901234567",
            "[1,]",
            "[1 2]",
            "{1:2}",
            "nul",
            "tru",
            "\"",
            "1 2",
            "NaN",
            &deep(MAX_DEPTH + 1),
        ] {
            assert_eq!(Content::of_bytes(other.as_bytes()), None, "{other}");
        }
        assert_eq!(Content::of_bytes(b"\"\xff\""), None);
    }

    #[test]
    fn content_whose_keys_mean_something_to_a_reader_is_not_embedded() {
        for private in [
            r#"{"$serde_json::private::Number":"5"}"#,
            r#"{"$serde_json::private::Number":"five"}"#,
            r#"[{"$a":1,"$serde_json::private::Number":"5"}]"#,
            r#"{"$serde_json::private::RawValue":"{}"}"#,
        ] {
            assert_eq!(Content::of_bytes(private.as_bytes()), None, "{private}");
        }
        assert!(returns(br#"{"$serde_json":1,"$time":2}"#));
    }

    #[test]
    fn an_order_lists_few_keys_and_sorted_keys_may_be_many() {
        let object = |keys: &mut dyn Iterator<Item = usize>| {
            let fields: Vec<String> = keys.map(|key| format!("\"{key:06}\":1")).collect();
            format!("{{{}}}", fields.join(","))
        };
        assert!(returns(object(&mut (0..MAX_ORDERED_KEYS).rev()).as_bytes()));
        assert!(returns(object(&mut (0..1_000)).as_bytes()));
        // If each key were looked up among all others, this would take minutes.
        assert_eq!(Content::of_bytes(object(&mut (0..200_000).rev()).as_bytes()), None);
        assert_eq!(Content::of_bytes(object(&mut (0..=MAX_ORDERED_KEYS).rev()).as_bytes()), None);
    }

    #[test]
    fn what_people_write_becomes_compact_and_sorted_unless_an_order_is_given() {
        let read = |json: &str, order: &[&str]| {
            let order = order.iter().map(|key| (*key).to_owned()).collect();
            Content::of_tree(serde_json::from_str(json).unwrap(), order).map(|content| content.to_bytes())
        };
        assert_eq!(read(r#"{ "b": 10.0, "a": -0.0 }"#, &[]).unwrap(), br#"{"a":0,"b":10}"#);
        assert_eq!(read(r#"{"b":1,"a":[{"a":1,"b":2}]}"#, &["b", "a"]).unwrap(), br#"{"b":1,"a":[{"b":2,"a":1}]}"#);
        assert!(read(r#"{"b":1,"a":2}"#, &["b"]).unwrap_err().contains("\"a\""));
        for bad in [r#"{"a":1,"a":1}"#, "1e300", "9007199254740992", "0.1234567890123456", &"[".repeat(100)] {
            assert!(serde_json::from_str::<Node>(bad).is_err(), "{bad}");
        }
    }

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            (-9_999_i32..9_999, 1_u8..4).prop_map(|(n, places)| Json::from(f64::from(n) / 10_f64.powi(places.into()))),
            ".{0,6}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let list = prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from);
            prop_oneof![
                list,
                prop::collection::btree_map("[a-e$]{0,2}", inner, 0..4).prop_map(|map| map.into_iter().collect())
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_embedded_returns(json in json()) {
            returns(&serde_json::to_vec(&json).unwrap());
        }

        #[test]
        fn whatever_the_bytes_are(text in r#"[\[\]{}:,"ab\\u0-9.eE+ -]{0,16}"#) {
            returns(text.as_bytes());
        }
    }
}
