//! The order of a structure's fields, noted in its schema: a schema's own keys are sorted by name.

use schemars::Schema;
use serde::{
    Deserialize, Deserializer,
    de::{Visitor, value::Error as Ended},
    forward_to_deserialize_any,
};

/// Notes the order of a struct's fields in its schema, whose own keys are sorted by name.
pub(super) fn keep_order<T: for<'de> Deserialize<'de>>(schema: &mut Schema) {
    let mut fields: &'static [&'static str] = &[];
    let ended = T::deserialize(Fields(&mut fields));
    debug_assert!(ended.is_err(), "only the names of the fields are wanted");
    schema.insert(ORDER.to_owned(), fields.into());
}

/// The key of the schema.
pub(super) const ORDER: &str = "x-order";

/// Listens to what fields a struct asks for, and gives it nothing.
struct Fields<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Ended;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Ended> {
        Err(serde::de::Error::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Ended> {
        *self.0 = fields;
        Err(serde::de::Error::custom("seen"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
