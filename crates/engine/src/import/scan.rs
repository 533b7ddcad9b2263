//! Where one JSON value ends: brackets are counted outside of strings. No recursion, no memory.

/// A scan that may be interrupted at any byte.
#[derive(Default)]
pub(super) struct Scan {
    depth: usize,
    /// The kinds of the open brackets, innermost in the lowest bit: 1 is a brace.
    braces: u128,
    /// Whether kinds were forgotten, for there were too many.
    is_deep: bool,
    place: Place,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// Before the first byte.
    #[default]
    Before,
    /// Inside brackets, outside of strings.
    Between,
    /// In a string.
    Text,
    /// In a string, after a backslash.
    Escape,
    /// In a number or a word that no brackets hold.
    Bare,
}

/// How far a scan came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The value goes on after these bytes.
    More,
    /// It ends after so many of them.
    End(usize),
    /// The bracket after so many of them closes one of another kind.
    Mismatch(usize),
}

/// Brackets whose kinds are remembered. Rows that nest deeper are refused anyway.
const REMEMBERED: usize = 128;

impl Scan {
    /// Goes on with the next bytes of the value.
    pub fn run(&mut self, bytes: &[u8]) -> Step {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match self.place {
                Place::Before => self.begin(rest),
                Place::Escape => {
                    self.place = Place::Text;
                    at += 1;
                }
                Place::Bare => {
                    let end = rest.iter().position(|byte| b",]} \t\r\n".contains(byte));
                    return end.map_or(Step::More, |length| Step::End(at + length));
                }
                Place::Text => match rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
                    None => return Step::More,
                    Some(length) => {
                        at += length + 1;
                        if self.leave_text(rest.get(length)) {
                            return Step::End(at);
                        }
                    }
                },
                Place::Between => match rest.iter().position(|byte| is_structural(*byte)) {
                    None => return Step::More,
                    Some(length) => {
                        let byte = rest.get(length).copied().unwrap_or_default();
                        if !self.bracket(byte) {
                            return Step::Mismatch(at + length);
                        }
                        at += length + 1;
                        if self.depth == 0 && self.place == Place::Between {
                            return Step::End(at);
                        }
                    }
                },
            }
        }
        Step::More
    }

    fn begin(&mut self, bytes: &[u8]) {
        let is_held = matches!(bytes.first(), Some(b'"' | b'{' | b'['));
        self.place = if is_held { Place::Between } else { Place::Bare };
    }

    /// After a quote or a backslash inside a string; whether the value ends with it.
    fn leave_text(&mut self, byte: Option<&u8>) -> bool {
        if byte == Some(&b'\\') {
            self.place = Place::Escape;
            return false;
        }
        self.place = Place::Between;
        self.depth == 0
    }

    /// Notes a bracket or an opening quote; `false` when it closes a bracket of another kind.
    fn bracket(&mut self, byte: u8) -> bool {
        let is_brace = u128::from(matches!(byte, b'{' | b'}'));
        match byte {
            b'"' => self.place = Place::Text,
            b'{' | b'[' => {
                self.depth += 1;
                self.is_deep |= self.depth > REMEMBERED;
                self.braces = self.braces << 1 | is_brace;
            }
            _ if !self.is_deep && self.braces & 1 != is_brace => return false,
            _ => {
                self.depth -= 1;
                self.braces >>= 1;
            }
        }
        true
    }
}

fn is_structural(byte: u8) -> bool {
    matches!(byte, b'"' | b'{' | b'}' | b'[' | b']')
}
