//! JSON in which nothing is said twice: of two elements of one name, one reader would take the first
//! and another one the last.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value. Numbers, booleans and null are told apart by nobody here.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Text(String),
    List(Vec<Json>),
    /// In the order of the document.
    Object(Vec<(String, Json)>),
    Other,
}

impl Json {
    /// # Errors
    /// What is wrong with the document.
    pub fn parse(document: &str) -> Result<Self, String> {
        serde_json::from_str(document).map_err(|error| format!("the document is no JSON: {error}"))
    }

    /// The members of a list, or the value itself.
    pub fn one_or_many(&self) -> std::slice::Iter<'_, Json> {
        match self {
            Self::List(values) => values.iter(),
            value => std::slice::from_ref(value).iter(),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(member) = members.next_element()? {
            list.push(member);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object: Vec<(String, Json)> = Vec::new();
        while let Some((name, value)) = members.next_entry::<String, Json>()? {
            if object.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format_args!("{name} is there twice")));
            }
            object.push((name, value));
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_twice() {
        let text = |text: &str| Json::Text(text.into());
        assert_eq!(
            Json::parse(r#"{"b":["x",1,null,true,-1.5],"a":{}}"#),
            Ok(Json::Object(vec![
                ("b".into(), Json::List(vec![text("x"), Json::Other, Json::Other, Json::Other, Json::Other])),
                ("a".into(), Json::Object(vec![])),
            ]))
        );
        for bad in [r#"{"a":1,"a":1}"#, r#"{"x":{"a":1,"\u0061":2}}"#, "{", "", "{} {}", "{'a':1}"] {
            assert!(Json::parse(bad).is_err(), "{bad}");
        }
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        assert!(Json::parse(&deep).is_err());
    }
}
