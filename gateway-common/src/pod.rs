//! Lets aya copy the wire structs in and out of the kernel's maps: the one place in this crate
//! with `unsafe`.
#![allow(
    unsafe_code,
    reason = "aya's marker trait for plain data is unsafe to implement"
)]

use crate::{
    counter::{Counter, Hits},
    event::DropEvent,
    hits::{Bucket, Count},
    lists::{Entry, Key4, Key6, index4::Record},
    settings::Settings,
    syncookie::Endpoint,
    time::Nanos,
};

macro_rules! pod {
    ($($plain:ty),+ $(,)?) => {
        $(
            // SAFETY: `repr(C)`, `Copy`, made of integers and arrays of them alone, and without
            // padding: each struct's size is asserted beside its definition to be the sum of
            // its fields, so every bit pattern is a value and every byte is initialised.
            unsafe impl aya::Pod for $plain {}
        )+
    };
}

pod!(
    Bucket, Count, Counter, DropEvent, Endpoint, Entry, Hits, Key4, Key6, Nanos, Record, Settings
);
