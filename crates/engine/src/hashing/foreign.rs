//! Verifies for action scripts, on the threads that verify for logins: `require('ferry/password')`.

use password::{ForeignOptions, Limits, verify_foreign};
use script::{ForeignVerifier, PasswordQuestion, Verdict};

use super::HashPool;

impl ForeignVerifier for HashPool {
    fn verify(&self, question: PasswordQuestion) -> Verdict<'_> {
        Box::pin(async move {
            let options = match &question.options {
                Some(json) => ForeignOptions::from_json(json.get()),
                None => Ok(ForeignOptions::default()),
            };
            let options = options.map_err(|error| error.to_string())?;
            let work = move || {
                let PasswordQuestion { password, hash, .. } = question;
                verify_foreign(&password, &hash, &options, &Limits::default())
            };
            // The script's author reads this; what is wrong with our threads is not theirs to know.
            let verdict = self.run(work).await;
            let verdict = verdict.map_err(|_| "the server is too busy to verify".to_owned())?;
            verdict.map_err(|error| error.to_string())
        })
    }
}
