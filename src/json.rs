//! JSON that borrows its strings from the text it was read from.
//!
//! Thousands of objects are parsed, redacted and turned into the types of the API; most of their keys and strings are only
//! looked at on the way. `serde_json::Value` would copy each of them.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserialize, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde::ser::{Serialize, Serializer};
use serde_json::{Error, Number, Value};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'de> {
    Null,
    Bool(bool),
    Number(Number),
    String(Cow<'de, str>),
    Array(Vec<Json<'de>>),
    Object(Map<'de>),
}

/// A JSON object: its entries in the order in which they were written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map<'de>(pub Vec<(Cow<'de, str>, Json<'de>)>);

impl<'de> Map<'de> {
    /// Finds a value.
    pub fn get(&self, key: &str) -> Option<&Json<'de>> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Finds a value to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json<'de>> {
        self.0.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Adds a value at the end.
    pub fn push(&mut self, key: impl Into<Cow<'de, str>>, value: Json<'de>) {
        self.0.push((key.into(), value));
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &str) -> Option<Json<'de>> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(at).1)
    }

    /// Iterates over the keys and the values to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Json<'de>)> {
        self.0.iter_mut().map(|(key, value)| (&**key, value))
    }
}

impl<'de> Json<'de> {
    /// Returns the value of a key, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Json<'de>> {
        match self {
            Self::Object(map) => map.get(key),
            _ => None,
        }
    }

    /// Returns the text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Sorts the keys of all objects within.
    pub fn sort(&mut self) {
        match self {
            Self::Array(items) => items.iter_mut().for_each(Self::sort),
            Self::Object(map) => {
                map.0.sort_by(|(a, _), (b, _)| a.cmp(b));
                map.0.iter_mut().for_each(|(_, value)| value.sort());
            }
            _ => {}
        }
    }

    /// Returns the object to change, if this is one.
    pub fn as_object_mut(&mut self) -> Option<&mut Map<'de>> {
        match self {
            Self::Object(map) => Some(map),
            _ => None,
        }
    }
}

impl From<String> for Json<'_> {
    fn from(text: String) -> Self {
        Self::String(Cow::Owned(text))
    }
}

impl From<Value> for Json<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => text.into(),
            Value::Array(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Value::Object(map) => {
                Self::Object(Map(map.into_iter().map(|(key, value)| (Cow::Owned(key), value.into())).collect()))
            }
        }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(map) => serializer.collect_map(map.0.iter().map(|(key, value)| (key, value))),
        }
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(text.to_owned().into())
    }

    fn visit_string<E>(self, text: String) -> Result<Json<'de>, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut map = Map::default();
        while let Some((Key(key), value)) = access.next_entry()? {
            map.0.push((key, value));
        }
        Ok(Json::Object(map))
    }
}

/// A key, borrowed unless it holds an escape.
#[derive(Debug)]
pub struct Key<'de>(pub Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyReader)
    }
}

struct KeyReader;

impl<'de> Visitor<'de> for KeyReader {
    type Value = Key<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}

/// Lets typed values be made of it, without going through text again.
impl<'de> Deserializer<'de> for Json<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Number(number) => number.deserialize_any(visitor),
            Self::String(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Self::String(Cow::Owned(text)) => visitor.visit_string(text),
            Self::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter());
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            Self::Object(map) => {
                let mut entries = MapDeserializer::new(map.0.into_iter());
                let value = visitor.visit_map(&mut entries)?;
                entries.end()?;
                Ok(value)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// An alternative is told by a string; none of the API's types have alternatives with content.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::String(text) => text.into_deserializer().deserialize_enum(name, variants, visitor),
            other => other.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Json<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"name":"cart","labels":{"a\"b":"x\ny"},"ports":[8080,-1,0.5],"on":true,"none":null}"#;

    #[test]
    fn it_is_read_and_written_as_by_serde_json() {
        let json: Json<'_> = serde_json::from_str(TEXT).unwrap();
        assert_eq!(serde_json::to_string(&json).unwrap(), TEXT);
        let value: Value = serde_json::from_str(TEXT).unwrap();
        assert_eq!(Value::deserialize(json).unwrap(), value);
    }

    #[test]
    fn strings_without_escapes_are_borrowed() {
        let json: Json<'_> = serde_json::from_str(TEXT).unwrap();
        assert!(matches!(json.get("name"), Some(Json::String(Cow::Borrowed("cart")))));
    }

    #[test]
    fn typed_values_are_made_of_it() {
        let text = r#"{"metadata":{"name":"cart"},"spec":{"ports":[{"port":80,"targetPort":"http"}]},"more":[]}"#;
        let json: Json<'_> = serde_json::from_str(text).unwrap();
        let service = k8s_openapi::api::core::v1::Service::deserialize(json).unwrap();
        assert_eq!(service, serde_json::from_str(text).unwrap());
    }
}
