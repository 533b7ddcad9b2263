//! Proof keys (RFC 7636): whoever redeems a code knows what its challenge was made of.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::authorize::{ChallengeMethod, CodeChallenge};

/// Why a verifier proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifierError {
    /// There is a challenge and no verifier.
    #[error("the code verifier is missing")]
    Missing,
    /// There is a verifier and no challenge: whoever made the code asked for no proof, and whoever
    /// redeems it believes to have asked (RFC 9700 §2.1.1).
    #[error("there was no code challenge")]
    Unasked,
    /// Not 43 to 128 letters of those that RFC 7636 §4.1 allows, or not the right ones.
    #[error("the code verifier does not fit")]
    Wrong,
}

/// Sees whether a verifier fits the challenge of its code.
pub fn check_verifier(
    challenge: Option<&CodeChallenge>,
    verifier: Option<&str>,
) -> Result<(), VerifierError> {
    let (challenge, verifier) = match (challenge, verifier) {
        (None, None) => return Ok(()),
        (None, Some(_)) => return Err(VerifierError::Unasked),
        (Some(_), None) => return Err(VerifierError::Missing),
        (Some(challenge), Some(verifier)) => (challenge, verifier),
    };
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(is_letter) {
        return Err(VerifierError::Wrong);
    }
    let made = match challenge.method {
        ChallengeMethod::Plain => verifier.to_owned(),
        ChallengeMethod::S256 => URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())),
    };
    let fits = aws_lc_rs::constant_time::verify_slices_are_equal(
        made.as_bytes(),
        challenge.challenge.as_bytes(),
    );
    fits.map_err(|_| VerifierError::Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(text: &str, method: ChallengeMethod) -> CodeChallenge {
        CodeChallenge {
            challenge: text.to_owned(),
            method,
        }
    }

    #[test]
    fn the_example_of_the_specification_fits_and_nothing_near_it() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let asked = challenge(
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            ChallengeMethod::S256,
        );
        assert_eq!(check_verifier(Some(&asked), Some(verifier)), Ok(()));
        let near = verifier.replace("Xk", "XK");
        for wrong in [
            near.as_str(),
            &verifier[1..],
            "",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ] {
            let outcome = check_verifier(Some(&asked), Some(wrong));
            assert_eq!(outcome, Err(VerifierError::Wrong), "{wrong}");
        }
        assert_eq!(
            check_verifier(Some(&asked), None),
            Err(VerifierError::Missing)
        );
        assert_eq!(
            check_verifier(None, Some(verifier)),
            Err(VerifierError::Unasked)
        );
        assert_eq!(check_verifier(None, None), Ok(()));
    }

    #[test]
    fn a_plain_verifier_has_the_same_letters_and_length() {
        for (text, fits) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~".repeat(128), true),
            ("a".repeat(129), false),
            ("+".repeat(43), false),
        ] {
            let asked = challenge(&text, ChallengeMethod::Plain);
            assert_eq!(
                check_verifier(Some(&asked), Some(&text)).is_ok(),
                fits,
                "{text}"
            );
        }
    }
}
