//! Compositions of fast digests: joined, nested, chained.

use zeroize::Zeroizing;

use super::probe::{DIGESTS, Probe};
use super::terms::{COMMON_MARKS, Ground, MARKS, Term, join, joined_text, orders};
use crate::digest::Digest;
use crate::encoding::SecretBytes;

pub(super) type Piece<'p> = (&'p str, &'p [u8]);
/// What is done with a message: its bytes, and its text when it is wanted.
type Visit<'v> = dyn FnMut(&mut Probe<'_>, &[u8], &dyn Fn() -> String) + 'v;
/// How bytes become the next message.
type Spell = fn(&[u8]) -> SecretBytes;

pub(super) fn piece(term: &Term) -> Piece<'_> {
    (&term.text, &term.bytes)
}

fn bytes_of(piece: Option<Piece<'_>>) -> &[u8] {
    piece.map_or(&[], |(_, bytes)| bytes)
}

/// Visits messages made of pieces in every order, with every mark.
pub(super) fn messages(
    probe: &mut Probe<'_>,
    pieces: &[Piece<'_>],
    marks: &[&str],
    visit: &mut Visit<'_>,
) {
    let mut buffer = SecretBytes::default();
    for order in orders(pieces) {
        let marks = if order.len() < 2 { &[""] } else { marks };
        for mark in marks {
            if probe.is_over() {
                return;
            }
            join(&order, mark, &mut buffer);
            visit(probe, &buffer, &|| joined_text(&order, mark));
        }
    }
}

/// Messages straight under a digest.
fn under_digest(probe: &mut Probe<'_>, pieces: &[Piece<'_>], marks: &[&str], outers: &[Digest]) {
    messages(probe, pieces, marks, &mut |probe, message, text| {
        probe.try_digests(outers, message, text);
    });
}

/// Digests that are met with every mark: four common ones in four spellings.
const MARKED: usize = 16;

/// The marks for the password's spelling or digest in such a place.
fn marks_of(ground: &Ground, place: usize) -> &'static [&'static str] {
    if place < ground.plain.len() + MARKED {
        &MARKS
    } else {
        &COMMON_MARKS
    }
}

/// The password alone or with one thing beside it.
pub(super) fn simple(ground: &Ground, outers: &[Digest], probe: &mut Probe<'_>) {
    let inner = || {
        ground
            .plain
            .iter()
            .chain(&ground.hashed)
            .chain(&ground.twice)
    };
    for term in inner() {
        under_digest(probe, &[piece(term)], &[""], outers);
    }
    for (place, term) in inner().enumerate() {
        let marks = marks_of(ground, place);
        for side in ground.sides.iter().chain(&ground.rare) {
            under_digest(probe, &[piece(term), piece(side)], marks, outers);
        }
    }
}

/// Two or three things beside the password, twice the salt, everything in UTF-16.
pub(super) fn crowded(ground: &Ground, outers: &[Digest], probe: &mut Probe<'_>) {
    let inner = || ground.plain.iter().chain(&ground.hashed);
    for (place, term) in inner().enumerate() {
        let marks = marks_of(ground, place);
        for (at, first) in ground.sides.iter().enumerate() {
            let same = [piece(first), piece(term), piece(first)];
            under_digest(probe, &same, &[""], outers);
            let others = ground.sides.iter().skip(at + 1).chain(&ground.rare);
            for second in others {
                let pieces = [piece(term), piece(first), piece(second)];
                under_digest(probe, &pieces, marks, outers);
            }
        }
    }
    if let Some((password, sides)) = ground.wide.split_first() {
        for (at, first) in sides.iter().enumerate() {
            under_digest(probe, &[piece(password), piece(first)], &[""], outers);
            for second in sides.iter().skip(at + 1) {
                let pieces = [piece(password), piece(first), piece(second)];
                under_digest(probe, &pieces, &[""], outers);
            }
        }
    }
    let some = ground
        .sides
        .get(..ground.sides.len().min(5))
        .unwrap_or_default();
    for term in ground.plain.iter().take(2) {
        for (a, first) in some.iter().enumerate() {
            for (b, second) in some.iter().enumerate().skip(a + 1) {
                for third in some.iter().skip(b + 1) {
                    let pieces = [piece(term), piece(first), piece(second), piece(third)];
                    under_digest(probe, &pieces, &COMMON_MARKS, outers);
                }
            }
        }
    }
}

/// The ways in which one digest's bytes enter the next one.
const SPELLINGS: [(&str, Spell); 4] = [
    ("hex", |bytes| {
        Zeroizing::new(hex::encode(bytes).into_bytes())
    }),
    ("", |bytes| Zeroizing::new(bytes.to_vec())),
    ("HEX", |bytes| {
        Zeroizing::new(hex::encode_upper(bytes).into_bytes())
    }),
    ("b64", |bytes| {
        Zeroizing::new(crate::encoding::to_base64(bytes).as_bytes().to_vec())
    }),
];

/// What stands between the parts of an inner digest.
const NESTED_MARKS: &[&str] = &["", ":", "-", "--", "$", ".", "|"];

/// A digest over a salted digest; when `is_wide`, over a salted one of a digest too, and salted once
/// more.
pub(super) fn nested(ground: &Ground, is_wide: bool, outers: &[Digest], probe: &mut Probe<'_>) {
    let around = Around {
        sides: if is_wide { &ground.sides } else { &[] },
        outers,
    };
    let some = if is_wide { 36 } else { 0 };
    let inner = ground
        .plain
        .iter()
        .take(2)
        .chain(ground.hashed.iter().take(some));
    for term in inner {
        for side in &ground.sides {
            let pieces = [piece(term), piece(side)];
            messages(probe, &pieces, NESTED_MARKS, &mut |probe, message, text| {
                around.try_all(probe, message, text);
            });
        }
    }
    for term in ground.plain.iter().take(2) {
        for (at, first) in ground.sides.iter().enumerate() {
            for second in ground.sides.iter().skip(at + 1) {
                let pieces = [piece(term), piece(first), piece(second)];
                messages(probe, &pieces, NESTED_MARKS, &mut |probe, message, text| {
                    around.try_all(probe, message, text);
                });
            }
        }
    }
}

/// What is done with an inner message.
struct Around<'g> {
    /// What may stand beside its digest.
    sides: &'g [Term],
    outers: &'g [Digest],
}

impl Around<'_> {
    fn try_all(&self, probe: &mut Probe<'_>, message: &[u8], text: &dyn Fn() -> String) {
        let outers = self.outers;
        let mut joined = SecretBytes::default();
        for digest in DIGESTS.iter().take(6) {
            let made = digest.hash(message);
            for (spelling, spell) in &SPELLINGS {
                let bytes = spell(&made);
                let whole = || format!("{}{spelling}({})", digest.name(), text());
                probe.try_digests(outers, &bytes, &whole);
                for side in self.sides {
                    join(&[piece(side), ("", &bytes)], "", &mut joined);
                    probe.try_digests(outers, &joined, &|| format!("{} + {}", side.text, whole()));
                    join(&[("", &bytes), piece(side)], "", &mut joined);
                    probe.try_digests(outers, &joined, &|| format!("{} + {}", whole(), side.text));
                }
            }
            if probe.is_over() {
                return;
            }
        }
    }
}

/// How a chain's last digest becomes its next message: the digest's spelling, and what stands
/// before and after it.
struct Link<'t> {
    spelling: usize,
    before: Option<Piece<'t>>,
    after: Option<Piece<'t>>,
}

/// Digests over digests, up to so many rounds.
pub(super) fn chained(ground: &Ground, rounds: u32, outers: &[Digest], probe: &mut Probe<'_>) {
    let sides: Vec<&Term> = ground
        .sides
        .iter()
        .filter(|side| ["salt", "pepper"].contains(&side.text.as_str()))
        .collect();
    for (text, bytes) in &starts(ground, &sides) {
        let start = (text.as_str(), bytes.as_slice());
        let mut links: Vec<Link<'_>> = Vec::new();
        for spelling in 0..3 {
            let link = |before, after| Link {
                spelling,
                before,
                after,
            };
            links.push(link(None, None));
            if spelling == 2 {
                continue;
            }
            let ends = sides.iter().copied().chain(ground.plain.first());
            for end in std::iter::once(start).chain(ends.map(piece)) {
                links.push(link(None, Some(end)));
                links.push(link(Some(end), None));
            }
        }
        let mut seen: Vec<(usize, &[u8], &[u8])> = Vec::new();
        for link in &links {
            let same = (link.spelling, bytes_of(link.before), bytes_of(link.after));
            if seen.contains(&same) {
                continue;
            }
            seen.push(same);
            for digest in outers {
                chain(probe, *digest, start, link, rounds);
            }
        }
    }
}

/// What the first digest of a chain is over.
fn starts(ground: &Ground, sides: &[&Term]) -> Vec<(String, SecretBytes)> {
    let mut starts: Vec<(String, SecretBytes)> = Vec::new();
    for (place, term) in ground.plain.iter().take(2).enumerate() {
        starts.push((term.text.clone(), term.bytes.clone()));
        if place > 0 {
            break;
        }
        for side in sides.iter().copied().chain(ground.rare.first()) {
            for order in orders(&[piece(term), piece(side)]) {
                let mut bytes = SecretBytes::default();
                join(&order, "", &mut bytes);
                starts.push((joined_text(&order, ""), bytes));
            }
        }
    }
    starts
}

fn chain(probe: &mut Probe<'_>, digest: Digest, start: Piece<'_>, link: &Link<'_>, rounds: u32) {
    let Some((name, spell)) = SPELLINGS.get(link.spelling) else {
        return;
    };
    if probe.is_late() {
        return;
    }
    let mut made = digest.hash(start.1);
    let mut message = SecretBytes::default();
    for round in 1..rounds {
        message.clear();
        message.extend_from_slice(bytes_of(link.before));
        message.extend_from_slice(&spell(&made));
        message.extend_from_slice(bytes_of(link.after));
        made = digest.hash(&message);
        if probe.is_hit(&made) {
            let own = digest.name();
            let value = if name.is_empty() {
                "d".to_owned()
            } else {
                format!("{name}(d)")
            };
            let before = link
                .before
                .map_or(String::new(), |(text, _)| format!("{text} + "));
            let after = link
                .after
                .map_or(String::new(), |(text, _)| format!(" + {text}"));
            let (start, size) = (start.0, made.len());
            let step = format!("{own}({before}{value}{after})");
            probe.hit(
                size,
                &format!("iterate({round}, {own}({start}), d -> {step})"),
            );
        }
        if probe.is_over() {
            return;
        }
    }
}

/// The chains of old Rails: every round joins the last digest's hex, the salt, the password and
/// the site's key, and begins with the key.
pub(super) fn rails(ground: &Ground, outers: &[Digest], probe: &mut Probe<'_>) {
    let side = |name: &str| ground.sides.iter().find(|side| side.text == name);
    let (Some(password), pepper) = (ground.plain.first(), side("pepper")) else {
        return;
    };
    let start = pepper.map_or(("''", &[][..]), piece);
    let places: Vec<Piece<'_>> = [Some(password), side("salt"), pepper]
        .into_iter()
        .flatten()
        .map(piece)
        .collect();
    for digest in outers {
        for order in orders(&places) {
            for at in 0..=order.len() {
                for wrap in ["", "--"] {
                    rails_chain(probe, *digest, start, (&order, at), wrap);
                }
            }
        }
    }
}

fn rails_chain(
    probe: &mut Probe<'_>,
    digest: Digest,
    start: Piece<'_>,
    (order, at): (&[Piece<'_>], usize),
    wrap: &str,
) {
    if probe.is_late() {
        return;
    }
    let mut running = start.1.to_vec();
    for round in 1..=100_u32 {
        let mut pieces = order.to_vec();
        pieces.insert(at, ("d", &running));
        let mut message = SecretBytes::default();
        join(&pieces, "--", &mut message);
        let message = [wrap.as_bytes(), &message, wrap.as_bytes()].concat();
        let made = digest.hash(&message);
        if probe.is_hit(&made) {
            let inner = joined_text(&pieces, "--");
            let wrapped = if wrap.is_empty() {
                inner
            } else {
                format!("'--' + {inner} + '--'")
            };
            let step = format!("{}hex({wrapped})", digest.name());
            probe.hit(
                made.len(),
                &format!("unhex(iterate({round}, {}, d -> {step}))", start.0),
            );
        }
        running = hex::encode(&made).into_bytes();
    }
}
