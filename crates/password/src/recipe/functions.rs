//! The functions: their names, what each takes, how large its value is and what it costs.

use super::check::Checker;
use super::syntax::{Form, Node};
use super::tree::{CONVERSIONS, Conversion, Ending, Expr, Kind, Op};
use super::{Position, RecipeError, shown};
use crate::digest::Digest;

/// Bytes that pbkdf2 and scrypt may make.
const LONGEST_KEY: u64 = 1024;

/// A number as an argument, within bounds.
pub(super) fn number(node: &Node<'_>, least: u64, most: u64) -> Result<u64, RecipeError> {
    match node.form {
        Form::Number(number) if (least..=most).contains(&number) => Ok(number),
        Form::Number(_) => {
            let message = format!("this number must be from {least} to {most}");
            Err(node.place.refuses(message))
        }
        _ => Err(node.place.refuses("expected a number")),
    }
}

/// How a digest's bytes are written, by the end of the function's name.
const SPELLINGS: [(&str, Conversion); 3] = [
    ("hex", Conversion::Hex),
    ("HEX", Conversion::HexUpper),
    ("b64", Conversion::Base64),
];

/// `md5`, `md5hex`, `md5HEX`, `md5b64`.
fn digest_and_spelling(name: &str) -> Option<(Digest, Option<Conversion>)> {
    if let Some(digest) = Digest::parse(name) {
        return Some((digest, None));
    }
    SPELLINGS.iter().find_map(|(end, conversion)| {
        let digest = Digest::parse(name.strip_suffix(end)?)?;
        Some((digest, Some(*conversion)))
    })
}

impl Checker<'_> {
    pub(super) fn call(
        &mut self,
        name: &str,
        place: Position,
        given: &[Node<'_>],
    ) -> Result<Expr, RecipeError> {
        if let Some((_, conversion, takes, _)) =
            CONVERSIONS.iter().find(|(known, ..)| *known == name)
        {
            let [value] = self.values(name, place, given)?;
            if *takes == Kind::Text && value.kind == Kind::Bytes {
                let message = format!("{name} takes text, and this is bytes");
                return Err(place.refuses(message));
            }
            return Ok(self.convert(*conversion, value));
        }
        if let Some((digest, spelling)) = digest_and_spelling(name) {
            let [message] = self.values(name, place, given)?;
            let made = self.digest(digest, message);
            return Ok(self.spelt(made, spelling));
        }
        if let Some((digest, spelling)) = name.strip_prefix("hmac_").and_then(digest_and_spelling) {
            let [key, message] = self.values(name, place, given)?;
            let made = self.hmac(digest, key, message);
            return Ok(self.spelt(made, spelling));
        }
        if let Some(digest) = name.strip_prefix("pbkdf2_").and_then(Digest::parse) {
            return self.pbkdf2(digest, place, given);
        }
        match name {
            "scrypt" => self.scrypt(place, given),
            "truncate" | "skip" => self.cut(name, place, given),
            _ if Ending::VERIFIERS.iter().any(|(known, _)| *known == name) => {
                let message = format!("{name} can only be the outermost function");
                Err(place.refuses(message))
            }
            _ => Err(place.refuses(format!("{} is no function", shown(name)))),
        }
    }

    /// So many values, and no more.
    fn values<const N: usize>(
        &mut self,
        name: &str,
        place: Position,
        given: &[Node<'_>],
    ) -> Result<[Expr; N], RecipeError> {
        let values = given
            .iter()
            .map(|node| self.expr(node))
            .collect::<Result<Vec<_>, _>>()?;
        let found = values.len();
        values
            .try_into()
            .map_err(|_| place.refuses(format!("{name} takes {N}, and here are {found}")))
    }

    fn digest(&mut self, digest: Digest, message: Expr) -> Expr {
        self.cost.digest(message.most, self.times);
        let uses = message.uses;
        one_way(Op::Digest(digest, Box::new(message)), digest.size(), uses)
    }

    fn hmac(&mut self, digest: Digest, key: Expr, message: Expr) -> Expr {
        self.cost.digest(key.most + message.most + 256, self.times);
        let uses = key.uses | message.uses;
        let op = Op::Hmac(digest, Box::new(key), Box::new(message));
        one_way(op, digest.size(), uses)
    }

    fn spelt(&mut self, made: Expr, spelling: Option<Conversion>) -> Expr {
        match spelling {
            Some(conversion) => self.convert(conversion, made),
            None => made,
        }
    }

    fn pbkdf2(
        &mut self,
        digest: Digest,
        place: Position,
        given: &[Node<'_>],
    ) -> Result<Expr, RecipeError> {
        let [password, salt, iterations, length] = given else {
            let message = "pbkdf2 takes a password, a salt, iterations and a length";
            return Err(place.refuses(message));
        };
        let (password, salt) = (self.expr(password)?, self.expr(salt)?);
        let iterations = number(iterations, 1, u32::MAX.into())?;
        let length = small(number(length, 1, LONGEST_KEY)?);
        let blocks = length.div_ceil(digest.size());
        self.cost
            .digest(password.most + blocks * salt.most, self.times);
        let blocks = u64::try_from(blocks).unwrap_or(u64::MAX);
        self.cost
            .pbkdf2(iterations.saturating_mul(blocks), self.times);
        self.cost.check(self.limits, place)?;
        let uses = password.uses | salt.uses;
        let op = Op::Pbkdf2 {
            digest,
            password: Box::new(password),
            salt: Box::new(salt),
            iterations: u32::try_from(iterations).unwrap_or(u32::MAX),
            length,
        };
        Ok(one_way(op, length, uses))
    }

    fn scrypt(&mut self, place: Position, given: &[Node<'_>]) -> Result<Expr, RecipeError> {
        let [password, salt, cost, block_size, lanes, length] = given else {
            return Err(place.refuses("scrypt takes a password, a salt, N, r, p and a length"));
        };
        let n_place = cost.place;
        let (password, salt) = (self.expr(password)?, self.expr(salt)?);
        let n = number(cost, 2, 1 << 40)?;
        let r = number(block_size, 1, 1 << 20)?;
        let p = number(lanes, 1, 1 << 20)?;
        let length = small(number(length, 1, LONGEST_KEY)?);
        if !n.is_power_of_two() {
            return Err(n_place.refuses("N must be a power of two"));
        }
        let memory = (n + p - 1).saturating_mul(r).saturating_mul(128);
        if memory > self.limits.memory_bytes {
            let most = self.limits.memory_bytes;
            let message = format!("this scrypt takes {memory} bytes of memory, more than {most}");
            return Err(place.refuses(message));
        }
        self.cost.digest(password.most + salt.most, self.times);
        let work = n.saturating_mul(r).saturating_mul(p);
        self.cost.scrypt(work, self.times);
        self.cost.check(self.limits, place)?;
        let log_n = u8::try_from(n.trailing_zeros()).unwrap_or(u8::MAX);
        let (r, p) = (small32(r), small32(p));
        if ::scrypt::Params::new(log_n, r, p).is_err() {
            return Err(place.refuses("scrypt has no such parameters"));
        }
        let uses = password.uses | salt.uses;
        let op = Op::Scrypt {
            password: Box::new(password),
            salt: Box::new(salt),
            log_n,
            r,
            p,
            length,
        };
        Ok(one_way(op, length, uses))
    }

    fn cut(
        &mut self,
        name: &str,
        place: Position,
        given: &[Node<'_>],
    ) -> Result<Expr, RecipeError> {
        let [value, count] = given else {
            return Err(place.refuses(format!("{name} takes a value and a number")));
        };
        let value = self.expr(value)?;
        let count = small(number(count, 0, 65_536)?);
        let is_counted = value.kind == Kind::Bytes || value.is_ascii;
        let letter = if is_counted { 1 } else { 4 };
        let is_truncate = name == "truncate";
        let most = match (is_truncate, is_counted) {
            (true, _) => value.most.min(count * letter),
            (false, true) => value.most.saturating_sub(count),
            (false, false) => value.most,
        };
        self.cost.digest(value.most / 4, self.times);
        Ok(Expr {
            kind: value.kind,
            most,
            is_exact: value.is_exact && is_counted,
            is_ascii: value.is_ascii,
            uses: value.uses,
            is_open: value.is_open,
            op: if is_truncate {
                Op::Truncate(Box::new(value), count)
            } else {
                Op::Skip(Box::new(value), count)
            },
        })
    }

    fn convert(&mut self, conversion: Conversion, value: Expr) -> Expr {
        use Conversion as C;
        let most = value.most;
        let (most, is_exact, is_ascii) = match conversion {
            C::Hex | C::HexUpper => (most * 2, true, true),
            C::Base64 => (most.div_ceil(3) * 4, true, true),
            C::Base64Unpadded | C::Base64Url => ((most * 4).div_ceil(3), true, true),
            C::Unhex => (most / 2, true, false),
            // How much padding there is, nobody knows before.
            C::Unbase64 => ((most * 3).div_ceil(4), false, false),
            C::Utf8 | C::Decoded => (most, true, false),
            C::Utf16Le | C::Utf16Be => (most * 2, value.is_ascii, false),
            C::Latin1 => (most, value.is_ascii, false),
            C::Lower | C::Upper if value.is_ascii => (most, true, true),
            C::Lower | C::Upper | C::Nfc => (most * 3, false, false),
            C::Trim => (most, false, value.is_ascii),
            C::Nfkc => (most * 12, false, false),
        };
        self.cost.digest(most / 4, self.times);
        let kind = CONVERSIONS
            .iter()
            .find(|(_, known, ..)| *known == conversion)
            .map_or(Kind::Bytes, |(.., makes)| *makes);
        Expr {
            kind,
            most,
            is_exact: is_exact && value.is_exact,
            is_ascii,
            uses: value.uses,
            is_open: value.is_open,
            op: Op::Convert(conversion, Box::new(value)),
        }
    }
}

fn one_way(op: Op, size: usize, uses: u8) -> Expr {
    Expr {
        op,
        kind: Kind::Bytes,
        most: size,
        is_exact: true,
        is_ascii: false,
        uses,
        is_open: false,
    }
}

/// A number that was found to be small.
fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn small32(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
