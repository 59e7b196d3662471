//! A field whose type depends on another field.

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{fmt, sync::Arc};

/// Whatever stands in a field, as far as it can be of use.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Scalar {
    /// Nothing, or `null`.
    #[default]
    Absent,
    /// A text.
    Text(Arc<str>),
    /// A number without sign or fraction.
    Number(u64),
    /// Something else.
    Other,
}

impl Scalar {
    pub(super) fn text(self) -> Result<Arc<str>, &'static str> {
        if let Self::Text(text) = self { Ok(text) } else { Err("a text is missing") }
    }

    pub(super) fn number(self) -> Result<u64, &'static str> {
        if let Self::Number(number) = self { Ok(number) } else { Err("a number is missing") }
    }

    pub(super) fn number_if_any(self) -> Result<Option<u64>, &'static str> {
        if self == Self::Absent { Ok(None) } else { self.number().map(Some) }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Scalar, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Scalar, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}
