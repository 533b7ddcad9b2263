//! The detector: which format, or which recipe, makes a stored value out of a known password.
//!
//! Hash strings that say what they are come first, then what may have been done to the password
//! before such a string was made of it, then compositions of digests, joins, rounds and slow
//! functions, likely ones first. A name is given only to what verifies through the very code that
//! an import and a login use, and only after at least eight bytes were equal; otherwise the report
//! says what came nearest. The caller's clock bounds the search.

mod compose;
mod keyed;
mod named;
mod probe;
mod reading;
mod report;
mod shape;
mod slow;
mod stages;
mod terms;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::{ConfigurationValue, HashText, Password};

use crate::foreign;
use crate::limits::Limits;
use crate::recipe::{ImportContext, Inputs, LONGEST_INPUT};
use crate::{Owner, PasswordHash};
use probe::Probe;
use reading::Reading;
pub use report::{Report, Verdict};
use terms::Ground;

/// One stored value and what is known about whose it is.
pub struct Sample {
    /// The value, as the old application stored it.
    pub hash: HashText,
    /// The salt, when it stands in a column of its own.
    pub salt: Option<String>,
    /// The user's name there.
    pub username: Option<String>,
    /// The user's address there.
    pub email: Option<String>,
    /// The user's id there.
    pub user_id: Option<String>,
    /// The password, of at least one sample.
    pub password: Option<Password>,
}

/// What is to be identified.
pub struct Question {
    /// At least one; a name fits all of them that have a password.
    pub samples: Vec<Sample>,
    /// The application's secret, when there is one.
    pub pepper: Option<ConfigurationValue>,
}

/// The time that a search gets.
pub struct Budget<'a> {
    /// Whether it is used up. Asked every few hundred comparisons, from every thread.
    pub is_over: &'a (dyn Fn() -> bool + Sync),
    /// Threads to search on, at least one.
    pub threads: usize,
}

/// Searches for the format or recipe of a question's samples.
pub fn identify(question: &Question, limits: &Limits, budget: &Budget<'_>) -> Report {
    let known = |sample: &&Sample| {
        sample
            .password
            .as_ref()
            .is_some_and(|password| password.expose().len() <= LONGEST_INPUT)
    };
    let Some(first) = question.samples.first() else {
        return Report::nothing("there is nothing to identify");
    };
    let Some(sample) = question.samples.iter().find(known) else {
        return Report::candidates(shape::candidates(first.hash.expose().trim()));
    };
    let search = Search {
        question,
        sample,
        limits,
        budget,
        tried: AtomicU64::new(0),
    };
    let text = sample.hash.expose().trim();
    match search.fits_known() {
        Some(true) => Report::known(text),
        is_string => match search.under_a_name() {
            Some(report) => report,
            None if is_string.is_some() => search.behind_a_string(text),
            None => search.bare(text),
        },
    }
}

struct Search<'a> {
    question: &'a Question,
    /// The one that is searched with.
    sample: &'a Sample,
    limits: &'a Limits,
    budget: &'a Budget<'a>,
    tried: AtomicU64,
}

type Job<'a> = (Reading, Box<dyn Fn(&mut Probe<'_>) + Sync + 'a>);

impl Search<'_> {
    /// Whether the sample is a string that says what it is, and then whether all samples verify.
    fn fits_known(&self) -> Option<bool> {
        let read = |sample: &Sample| {
            PasswordHash::from_known(sample.hash.expose().trim(), self.limits).ok()
        };
        read(self.sample)?;
        let fits = self.question.samples.iter().all(|sample| {
            let password = sample.password.as_ref();
            password.is_none_or(|password| read(sample).is_some_and(|hash| hash.verify(password)))
        });
        Some(fits)
    }

    fn inputs<'i>(&'i self, salt: &'i [u8]) -> Inputs<'i> {
        let bytes =
            |text: &'i Option<String>| text.as_ref().map_or(&[][..], |text| text.as_bytes());
        Inputs {
            password: self
                .sample
                .password
                .as_ref()
                .map_or(&[], |password| password.expose().as_bytes()),
            salt,
            pepper: self
                .question
                .pepper
                .as_ref()
                .map_or(&[], |pepper| pepper.expose().as_bytes()),
            username: bytes(&self.sample.username),
            email: bytes(&self.sample.email),
            user_id: bytes(&self.sample.user_id),
        }
    }

    /// Whether an import row with this recipe verifies for every sample with a password.
    fn proves(&self, reading: Reading, recipe: &str) -> bool {
        let with_password = self
            .question
            .samples
            .iter()
            .filter_map(|sample| Some((sample, sample.password.as_ref()?)));
        with_password.into_iter().all(|(sample, password)| {
            let record = report::record(sample, reading, recipe);
            record.is_some_and(|record| self.verifies(sample, &record, password))
        })
    }

    fn verifies(&self, sample: &Sample, record: &str, password: &Password) -> bool {
        let context = ImportContext {
            recipe: None,
            has_pepper: self.question.pepper.is_some(),
            owner: Owner {
                username: sample.username.as_deref(),
                email: sample.email.as_deref(),
                user_id: sample.user_id.as_deref(),
            },
        };
        let Ok(mut hash) = PasswordHash::from_import(record, &context, self.limits) else {
            return false;
        };
        if let Some(pepper) = &self.question.pepper {
            hash = hash.with_pepper(pepper.expose());
        }
        hash.verify(password)
    }

    /// A string of bcrypt, argon2 or another: something was done to the password first.
    fn behind_a_string(&self, text: &str) -> Report {
        let verifier = shape::verifier(text);
        let mut jobs: Vec<Job<'_>> = Vec::new();
        let mut count = 0;
        for reading in reading::of_strings(self.sample) {
            let salt = reading.salt_of(self.sample).unwrap_or_default();
            for (term, value) in slow::prehashes(&self.inputs(&salt)) {
                count += 1;
                jobs.push((
                    reading,
                    Box::new(move |probe| {
                        if !probe.is_late() {
                            probe.tried += 1;
                            if foreign::verify_known(text, &value) {
                                probe.hit(0, &format!("{verifier}({term})"));
                            }
                        }
                    }),
                ));
            }
        }
        let (found, is_complete) = self.run(&jobs, &[]);
        let tried = self.tried.load(Ordering::Relaxed);
        match found {
            Some((reading, recipe)) => Report::recipe(
                self.sample,
                reading,
                &recipe,
                self.natively(reading, &recipe),
            ),
            None => Report::nothing(&format!(
                "this is {}, and neither the password nor any of {count} things that may have been \
                 done to it first fits: is the password right, and is there a pepper?",
                shape::name(text)
            )),
        }
        .with_effort(tried, is_complete)
    }

    /// A bare value: digests, joins, rounds, slow functions.
    fn bare(&self, text: &str) -> Report {
        let readings = reading::readings(self.sample);
        let read: Vec<(Reading, reading::Parts)> = readings
            .into_iter()
            .filter_map(|reading| Some((reading, reading.read(self.sample)?)))
            .collect();
        let grounds: Vec<(Reading, Ground)> = read
            .iter()
            .map(|(reading, parts)| {
                let salt = parts.salt.as_ref().map_or(&[][..], |salt| salt.as_slice());
                (*reading, Ground::new(&self.inputs(salt)))
            })
            .collect();
        let targets: Vec<(Reading, &[u8])> = read
            .iter()
            .map(|(reading, parts)| (*reading, parts.hash.as_slice()))
            .collect();
        let jobs = stages::jobs(&grounds);
        let (found, is_complete) = self.run(&jobs, &targets);
        let tried = self.tried.load(Ordering::Relaxed);
        match found {
            Some((reading, recipe)) => Report::recipe(
                self.sample,
                reading,
                &recipe,
                self.natively(reading, &recipe),
            ),
            None => Report::nothing(&shape::nearest(
                text,
                self.sample,
                &targets,
                self.question.pepper.as_ref(),
            )),
        }
        .with_effort(tried, is_complete)
    }

    /// The same without a recipe, where Auth0's own members say it too.
    fn natively(&self, reading: Reading, recipe: &str) -> Option<serde_json::Value> {
        let native = report::native(self.sample, reading, recipe)?;
        let password = self.sample.password.as_ref()?;
        self.verifies(self.sample, &native.to_string(), password)
            .then_some(native)
    }

    /// Runs jobs on all threads; the likeliest that found something wins.
    fn run(
        &self,
        jobs: &[Job<'_>],
        targets: &[(Reading, &[u8])],
    ) -> (Option<(Reading, String)>, bool) {
        let (next, best, cut) = (
            AtomicUsize::new(0),
            AtomicUsize::new(usize::MAX),
            AtomicUsize::new(0),
        );
        let found: Mutex<Option<(usize, Reading, String)>> = Mutex::new(None);
        let proves = |reading: Reading, recipe: &str| self.proves(reading, recipe);
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some((reading, job)) = jobs.get(number) else {
                    return;
                };
                let target = targets.iter().find(|(known, _)| known == reading);
                let mut probe = Probe {
                    expired: self.budget.is_over,
                    best: &best,
                    job: number,
                    proves: &proves,
                    reading: *reading,
                    target: target.map_or(&[], |(_, target)| target),
                    tried: 0,
                    found: None,
                    is_cut_short: false,
                };
                if !probe.is_late() {
                    job(&mut probe);
                }
                self.tried.fetch_add(probe.tried, Ordering::Relaxed);
                cut.fetch_add(usize::from(probe.is_cut_short), Ordering::Relaxed);
                if let Some(recipe) = probe.found {
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    if found.as_ref().is_none_or(|(known, ..)| number < *known) {
                        *found = Some((number, *reading, recipe));
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.budget.threads {
                // Without another thread the search is slower and no less right.
                drop(std::thread::Builder::new().spawn_scoped(scope, work));
            }
            work();
        });
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let is_complete = cut.load(Ordering::Relaxed) == 0;
        (
            found.map(|(_, reading, recipe)| (reading, recipe)),
            is_complete,
        )
    }
}
