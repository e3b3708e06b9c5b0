//! How a message is made of its values (Protocol Buffers, version 3): each has a type and a number.
//!
//! 1. What has its default is not written, but for messages, which may be there and empty.
//! 2. What has a number that is not known is skipped. Nesting has the bound of `prost`.

use bytes::{Buf, BufMut, Bytes};
use prost::encoding::{self, DecodeContext, WireType};
use prost::{DecodeError, Message};

/// Defines a message: its values, each with its type and number.
macro_rules! message {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($(#[$about:meta])* $field:ident: $type:ty = $number:literal),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub(in crate::companion::ext_authz::grpc) struct $name {
            $($(#[$about])* pub(in crate::companion::ext_authz::grpc) $field: $type,)*
        }

        impl prost::Message for $name {
            fn encode_raw(&self, buffer: &mut impl bytes::BufMut) {
                $(protobuf::Value::write(&self.$field, $number, buffer);)*
            }

            fn merge_field(
                &mut self,
                number: u32,
                wire: prost::encoding::WireType,
                buffer: &mut impl bytes::Buf,
                context: prost::encoding::DecodeContext,
            ) -> Result<(), prost::DecodeError> {
                match number {
                    $($number => protobuf::Value::read(&mut self.$field, wire, buffer, context),)*
                    _ => prost::encoding::skip_field(wire, number, buffer, context),
                }
            }

            fn encoded_len(&self) -> usize {
                0 $(+ protobuf::Value::length(&self.$field, $number))*
            }

            fn clear(&mut self) {
                *self = Self::default();
            }
        }
    };
}

pub(super) use message;

/// What can stand in a message.
pub(super) trait Value {
    fn write(&self, number: u32, buffer: &mut impl BufMut);

    fn read(
        &mut self,
        wire: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError>;

    fn length(&self, number: u32) -> usize;
}

/// A value that is left out when it has its default.
macro_rules! value {
    ($type:ty, $encoding:ident) => {
        impl Value for $type {
            fn write(&self, number: u32, buffer: &mut impl BufMut) {
                if *self != Self::default() {
                    encoding::$encoding::encode(number, self, buffer);
                }
            }

            fn read(
                &mut self,
                wire: WireType,
                buffer: &mut impl Buf,
                context: DecodeContext,
            ) -> Result<(), DecodeError> {
                encoding::$encoding::merge(wire, self, buffer, context)
            }

            fn length(&self, number: u32) -> usize {
                match *self == Self::default() {
                    true => 0,
                    false => encoding::$encoding::encoded_len(number, self),
                }
            }
        }
    };
}

value!(Bytes, bytes);
value!(String, string);
value!(i32, int32);
value!(bool, bool);

/// Several texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::companion::ext_authz::grpc) struct Texts(
    pub(in crate::companion::ext_authz::grpc) Vec<Bytes>,
);

impl Value for Texts {
    fn write(&self, number: u32, buffer: &mut impl BufMut) {
        encoding::bytes::encode_repeated(number, &self.0, buffer);
    }

    fn read(
        &mut self,
        wire: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        encoding::bytes::merge_repeated(wire, &mut self.0, buffer, context)
    }

    fn length(&self, number: u32) -> usize {
        encoding::bytes::encoded_len_repeated(number, &self.0)
    }
}

impl<M: Message + Default> Value for Option<M> {
    fn write(&self, number: u32, buffer: &mut impl BufMut) {
        if let Some(message) = self {
            encoding::message::encode(number, message, buffer);
        }
    }

    fn read(
        &mut self,
        wire: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        encoding::message::merge(wire, self.get_or_insert_default(), buffer, context)
    }

    fn length(&self, number: u32) -> usize {
        self.as_ref().map_or(0, |message| encoding::message::encoded_len(number, message))
    }
}

impl<M: Message + Default> Value for Vec<M> {
    fn write(&self, number: u32, buffer: &mut impl BufMut) {
        for message in self {
            encoding::message::encode(number, message, buffer);
        }
    }

    fn read(
        &mut self,
        wire: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        if self.is_empty() {
            self.reserve(OFTEN);
        }
        encoding::message::merge_repeated(wire, self, buffer, context)
    }

    fn length(&self, number: u32) -> usize {
        encoding::message::encoded_len_repeated(number, self)
    }
}

/// Room for as many messages as there often are in a list: a browser's headers.
const OFTEN: usize = 16;
