//! Which call is open, and under which id the host knows it. An answer is taken once; a second one
//! is not an answer any more, whatever JavaScript believes.

use std::collections::VecDeque;
use std::time::Instant;

/// How many answered calls are remembered, for reports of what came too late.
const REMEMBERED: usize = 16;

/// The open call and those before it.
#[derive(Default)]
pub struct Calls {
    open: Option<Open>,
    answered: VecDeque<(u32, String)>,
    last: u32,
}

struct Open {
    number: u32,
    id: String,
    deadline: Instant,
    is_load: bool,
}

impl Calls {
    /// Opens a call, or the reading of a script; gives the number by which JavaScript knows it.
    pub fn open(&mut self, id: String, deadline: Instant, is_load: bool) -> u32 {
        self.close();
        self.last = self.last.wrapping_add(1).max(1);
        self.open = Some(Open {
            number: self.last,
            id,
            deadline,
            is_load,
        });
        self.last
    }

    /// The id of a call that has not been answered yet; it is answered by that.
    pub fn settle(&mut self, number: u32) -> Option<String> {
        let id = self.open_id(number)?.to_owned();
        self.close();
        Some(id)
    }

    /// The id of the open call, whichever it is, and whether it is a script being read; it is
    /// answered by that.
    pub fn settle_any(&mut self) -> Option<(String, bool)> {
        let (number, is_load) = self.open.as_ref().map(|open| (open.number, open.is_load))?;
        self.settle(number).map(|id| (id, is_load))
    }

    /// The id of an open call.
    pub fn open_id(&self, number: u32) -> Option<&str> {
        let open = self.open.as_ref()?;
        (open.number == number).then_some(open.id.as_str())
    }

    /// The id of a call, open or answered; of the one answered last, if the number is not known.
    pub fn id(&self, number: u32) -> &str {
        if let Some(id) = self.open_id(number) {
            return id;
        }
        let found = self.answered.iter().find(|(known, _)| *known == number);
        found
            .or(self.answered.back())
            .map_or("", |(_, id)| id.as_str())
    }

    /// The id of the open call, or none.
    pub fn current_id(&self) -> &str {
        self.open.as_ref().map_or("", |open| open.id.as_str())
    }

    /// When the open call must have been answered.
    pub fn deadline(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.deadline)
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.answered.push_back((open.number, open.id));
            if self.answered.len() > REMEMBERED {
                self.answered.pop_front();
            }
        }
    }
}
