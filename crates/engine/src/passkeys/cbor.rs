//! As much of CBOR (RFC 8949) as authenticators speak (CTAP2's canonical form): definite lengths,
//! integers, bytes, text, arrays, maps, simple values. Anything else is refused. Input is a
//! stranger's: depth and lengths are bounded by what is there.

/// A value.
#[derive(Debug, PartialEq)]
pub(super) enum Cbor<'a> {
    /// An integer of either sign.
    Int(i64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text.
    Text(&'a str),
    /// An array.
    Array(Vec<Cbor<'a>>),
    /// A map, in the order it came.
    Map(Vec<(Cbor<'a>, Cbor<'a>)>),
    /// `false`, `true`, `null` and their kin: nobody here looks at them.
    Simple(u64),
}

const DEEPEST: usize = 8;

/// Reads one value; gives what follows it.
pub(super) fn read(bytes: &[u8]) -> Option<(Cbor<'_>, &[u8])> {
    value(bytes, DEEPEST)
}

fn value(bytes: &[u8], depth: usize) -> Option<(Cbor<'_>, &[u8])> {
    let depth = depth.checked_sub(1)?;
    let (first, rest) = bytes.split_first()?;
    let (argument, rest) = argument(first & 31, rest)?;
    match first >> 5 {
        0 => Some((Cbor::Int(i64::try_from(argument).ok()?), rest)),
        1 => Some((Cbor::Int(-1 - i64::try_from(argument).ok()?), rest)),
        2 => {
            let (taken, rest) = rest.split_at_checked(usize::try_from(argument).ok()?)?;
            Some((Cbor::Bytes(taken), rest))
        }
        3 => {
            let (taken, rest) = rest.split_at_checked(usize::try_from(argument).ok()?)?;
            Some((Cbor::Text(std::str::from_utf8(taken).ok()?), rest))
        }
        4 => {
            let (mut elements, mut rest) = (Vec::new(), rest);
            for _ in 0..argument {
                let (element, left) = value(rest, depth)?;
                elements.push(element);
                rest = left;
            }
            Some((Cbor::Array(elements), rest))
        }
        5 => {
            let (mut members, mut rest) = (Vec::new(), rest);
            for _ in 0..argument {
                let (name, left) = value(rest, depth)?;
                let (member, left) = value(left, depth)?;
                members.push((name, member));
                rest = left;
            }
            Some((Cbor::Map(members), rest))
        }
        7 => Some((Cbor::Simple(argument), rest)),
        _ => None,
    }
}

fn argument(short: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    let length = match short {
        0..=23 => return Some((u64::from(short), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let (taken, rest) = rest.split_at_checked(length)?;
    let number = taken
        .iter()
        .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    Some((number, rest))
}

impl<'a> Cbor<'a> {
    /// The member of a map under a number.
    pub(super) fn at(&self, key: i64) -> Option<&Cbor<'a>> {
        self.member(&Cbor::Int(key))
    }

    /// The member of a map under a name.
    pub(super) fn get(&self, key: &str) -> Option<&Cbor<'a>> {
        self.member(&Cbor::Text(key))
    }

    fn member(&self, key: &Cbor<'_>) -> Option<&Cbor<'a>> {
        let Self::Map(members) = self else {
            return None;
        };
        members
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The bytes, where it is bytes.
    pub(super) const fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The number, where it is one.
    pub(super) const fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_rfc_8949_are_read() {
        let read_all = |hex: &str| {
            let bytes = hex::decode(hex).unwrap();
            read(&bytes).map(|(value, rest)| (format!("{value:?}"), rest.len()))
        };
        for (hex, expected) in [
            ("00", "Int(0)"),
            ("1903e8", "Int(1000)"),
            ("3903e7", "Int(-1000)"),
            ("4401020304", "Bytes([1, 2, 3, 4])"),
            ("6161", "Text(\"a\")"),
            ("83010203", "Array([Int(1), Int(2), Int(3)])"),
            ("a201020304", "Map([(Int(1), Int(2)), (Int(3), Int(4))])"),
            ("f5", "Simple(21)"),
        ] {
            assert_eq!(read_all(hex), Some((expected.to_owned(), 0)), "{hex}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        // Cut short, indefinite, a tag, far too long, far too deep.
        let deep = "81".repeat(100) + "00";
        for hex in [
            "",
            "19",
            "5f",
            "c000",
            "9bffffffffffffffff",
            "5affffffff",
            &deep,
            "61ff",
        ] {
            assert_eq!(read(&hex::decode(hex).unwrap()), None, "{hex}");
        }
    }
}
