//! The fuzzers' entry point under proptest.

use proptest::prelude::*;

use crate::broken::pieces;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_export_keeps_the_promises(product: u8, said: u8, input in pieces()) {
        convert::fuzzing::convert(&[&[product, said][..], &input].concat());
    }
}
