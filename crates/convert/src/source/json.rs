//! JSON: an array of records, an object that wraps one, or one record a line. Never the whole in
//! memory: an array's elements pass one by one, and what a wrapper holds beside them is skipped.

use domain::Json;
use serde::Deserialize as _;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::Each;
use super::gauge::{Gauge, Metered};
use crate::record::{Place, Record};
use crate::refusal::Refusal;

pub(super) fn read(
    input: Metered<'_>,
    gauge: &Gauge,
    wrapper: Option<&str>,
    each: &mut Each<'_>,
) -> Result<(), Refusal> {
    let mut json = serde_json::Deserializer::from_reader(input);
    let mut stopped = None;
    // Documents may follow one another: lines of NDJSON, or parts that somebody joined.
    while json.end().is_err() {
        let document = Document {
            gauge,
            wrapper,
            each: &mut *each,
            stopped: &mut stopped,
            depth: 0,
        };
        if let Err(error) = document.deserialize(&mut json) {
            return Err(stopped.unwrap_or_else(|| refusal(&error, gauge)));
        }
    }
    Ok(())
}

fn refusal(error: &serde_json::Error, gauge: &Gauge) -> Refusal {
    let text = error.to_string();
    let why = text.split(" at line ").next().unwrap_or_default();
    let why = if error.is_eof() {
        "the JSON ends too early"
    } else {
        why
    };
    let line = if error.line() == 0 {
        gauge.line()
    } else {
        error.line() as u64
    };
    Refusal::input(line, why)
}

/// The outermost value, or an array's element.
struct Document<'d, 'e> {
    gauge: &'d Gauge,
    wrapper: Option<&'d str>,
    each: &'d mut Each<'e>,
    stopped: &'d mut Option<Refusal>,
    depth: u8,
}

impl Document<'_, '_> {
    fn give<E: serde::de::Error>(&mut self, line: u64, members: Json) -> Result<(), E> {
        let record = Record {
            place: Place { record: 0, line },
            table: None,
            members,
            fault: None,
        };
        self.gauge.begin();
        (self.each)(record).map_err(|refusal| {
            *self.stopped = Some(refusal);
            E::custom("stopped")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, json: D) -> Result<(), D::Error> {
        if self.depth == 0 {
            return json.deserialize_any(self);
        }
        let line = self.gauge.line();
        let members = Json::deserialize(json)?;
        self.give(line, members)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            let element = Document {
                gauge: self.gauge,
                wrapper: self.wrapper,
                each: &mut *self.each,
                stopped: &mut *self.stopped,
                depth: 1,
            };
            if list.next_element_seed(element)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let Some(wrapper) = self.wrapper else {
            let line = self.gauge.line();
            let mut members = Json::new();
            while let Some((name, value)) = map.next_entry()? {
                members.insert(name, value);
            }
            return self.give(line, members);
        };
        let mut is_found = false;
        while let Some(name) = map.next_key::<String>()? {
            self.gauge.begin();
            if name == wrapper {
                is_found = true;
                map.next_value_seed(List(&mut self))?;
            } else {
                self.gauge.bound(false);
                map.next_value::<IgnoredAny>()?;
                self.gauge.bound(true);
            }
        }
        if is_found {
            return Ok(());
        }
        Err(A::Error::custom(format!(
            "the object has no member {wrapper}"
        )))
    }
}

/// The list inside a wrapper.
struct List<'l, 'd, 'e>(&'l mut Document<'d, 'e>);

impl<'de> DeserializeSeed<'de> for List<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        let Document {
            gauge,
            wrapper,
            each,
            stopped,
            ..
        } = self.0;
        let (gauge, wrapper, depth) = (*gauge, *wrapper, 0);
        json.deserialize_seq(Document {
            gauge,
            wrapper,
            each: &mut **each,
            stopped,
            depth,
        })
    }
}
