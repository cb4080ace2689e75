//! The text grammars.

use std::{fmt::Debug, fmt::Display, str::FromStr};

use gateway_policy::{
    access::{HostPattern, MethodPattern, NormalPath, PathPattern, Permission},
    grammar::{Factor, NetworkName, Period, Prefix, Rate, RoleName, Size},
};

/// A text, by every grammar there is: what is read is what was written back.
pub(super) fn grammar(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    comes_back::<Prefix>(text);
    comes_back::<Rate>(text);
    comes_back::<Period>(text);
    comes_back::<Size>(text);
    comes_back::<Factor>(text);
    comes_back::<RoleName>(text);
    comes_back::<NetworkName>(text);
    comes_back::<Permission>(text);
    comes_back::<MethodPattern>(text);
    comes_back::<HostPattern>(text);
    comes_back::<PathPattern>(text);
}

fn comes_back<T>(text: &str)
where
    T: FromStr<Err: Display> + Display + PartialEq + Debug,
{
    match text.parse::<T>() {
        Ok(value) => {
            let written = value.to_string();
            match written.parse::<T>() {
                Ok(again) => assert_eq!(again, value, "{text:?} was written as {written:?}"),
                Err(error) => panic!("{text:?} was written as {written:?}: {error}"),
            }
        }
        Err(error) => assert!(!error.to_string().is_empty(), "{text:?}"),
    }
}

/// A path: what comes of it has one spelling.
pub(super) fn paths(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(path) = NormalPath::parse(text) {
        // What is decoded may have what would end it: it is one path once that is encoded again.
        let encoded = path.as_str().replace('%', "%25");
        let encoded = encoded.replace('?', "%3F").replace('#', "%23");
        let encoded = encoded.replace(' ', "%20");
        let again = NormalPath::parse(&encoded).expect("a path that is normal");
        assert_eq!(again.as_str(), path.as_str(), "{text:?}");
    }
}
