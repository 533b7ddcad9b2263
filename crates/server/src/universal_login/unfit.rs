//! What a person is told of a password that may not be chosen.

use domain::Json;
use engine::Unfit;
use password::policy::{Fault, LETTERS_AND_DIGITS, Rule};

use super::page::Problem;

/// The problem of the field that the password was typed into.
pub fn unfit_password(unfit: &Unfit, field: &'static str) -> Problem {
    let mut values = Json::new();
    let key = match &unfit.fault {
        Fault::Weak(assessment) => match assessment.broken() {
            Some(Rule::Length(least)) => {
                values.insert("min_length".into(), least.into());
                "password-too-short"
            }
            Some(Rule::AllOf(LETTERS_AND_DIGITS)) => "password-needs-all",
            Some(Rule::ThreeOfFour) => "password-needs-three",
            Some(Rule::NoRows) => "password-has-rows",
            Some(Rule::AllOf(_) | Rule::NoSequences) => "password-policy-not-conformant",
            None => "password-too-weak",
        },
        Fault::Common => "password-too-common",
        Fault::Personal => "password-contains-user-information",
        Fault::Leaked => "password-leaked",
        Fault::Used => "password-previously-used",
    };
    Problem {
        values,
        ..Problem::new(key, Some(field))
    }
}
